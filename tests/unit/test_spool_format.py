"""Frames of the spool: whatever happens to a file, no frame is read that nobody wrote."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.queue import spool_format
from footfall.queue.spool_format import Damaged, Frame, Incomplete

PAYLOADS = st.lists(st.binary(max_size=200), min_size=1, max_size=8)


def written(payloads: list[bytes]) -> list[bytes]:
    return [spool_format.frame(payload, number) for number, payload in enumerate(payloads)]


def whole_frames(data: bytes) -> tuple[list[Frame], type[Exception] | None]:
    """The frames up to the first that is not whole, and what is wrong with that one."""
    file, frames = BytesIO(data), []
    try:
        while frame := spool_format.read(file):
            frames.append(frame)
    except (Incomplete, Damaged) as error:
        return frames, type(error)
    return frames, None


@given(PAYLOADS)
def test_what_was_written_is_read(payloads: list[bytes]) -> None:
    frames, error = whole_frames(b"".join(written(payloads)))
    assert error is None
    assert [(frame.payload, frame.requests) for frame in frames] == [(p, n) for n, p in enumerate(payloads)]
    assert spool_format.count(BytesIO(b"".join(written(payloads)))) == sum(range(len(payloads)))


@given(PAYLOADS, st.data())
def test_a_file_that_was_cut_anywhere_gives_the_whole_frames_before_the_cut(
    payloads: list[bytes], data: st.DataObject
) -> None:
    parts = written(payloads)
    text = b"".join(parts)
    cut = data.draw(st.integers(0, len(text)))
    ends = [len(b"".join(parts[: n + 1])) for n in range(len(parts))]
    frames, error = whole_frames(text[:cut])
    assert [frame.payload for frame in frames] == [p for p, end in zip(payloads, ends, strict=True) if end <= cut]
    assert error == (None if cut in (0, *ends) else Incomplete)


@given(PAYLOADS, st.data())
def test_a_changed_byte_never_makes_another_payload(payloads: list[bytes], data: st.DataObject) -> None:
    text = bytearray(b"".join(written(payloads)))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    frames, error = whole_frames(bytes(text))
    assert error is not None
    assert [frame.payload for frame in frames] == payloads[: len(frames)]


@given(PAYLOADS, st.binary(max_size=100), PAYLOADS)
def test_after_something_unreadable_the_next_whole_frame_is_found(
    before: list[bytes], torn: bytes, after: list[bytes]
) -> None:
    first = b"".join(written(before))
    gap = spool_format.frame(b"y" * 200, 1)[: 16 + len(torn)]  # its writer was killed
    file = BytesIO(first + gap + b"".join(written(after)))
    file.seek(len(first))
    assert spool_format.gap(file) == len(gap)


def test_zeros_are_the_end_that_a_crash_of_the_machine_left() -> None:
    frames, error = whole_frames(spool_format.frame(b"x", 1) + bytes(4096))
    assert ([frame.payload for frame in frames], error) == ([b"x"], Incomplete)


@pytest.mark.parametrize("data", [b"", b"FFS1", b"garbage", b"FFS1" + bytes(300)])
def test_in_a_file_without_frames_there_is_none(data: bytes) -> None:
    assert spool_format.gap(BytesIO(data)) is None
    assert spool_format.count(BytesIO(data)) == 0
