"""PHP's serialization: what PHP 8.2 itself wrote, and bytes that are none."""

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.archiving.phpserialize import NotSerialized, dumps, loads

# Written by PHP 8.2 with serialize_precision=-1.
WRITTEN_BY_PHP: list[tuple[Any, bytes]] = [
    (0.0, b"d:0;"),
    (-0.0, b"d:-0;"),
    (1.0, b"d:1;"),
    (0.1, b"d:0.1;"),
    (-2.5, b"d:-2.5;"),
    (1 / 3, b"d:0.3333333333333333;"),
    (100000.0, b"d:100000;"),
    (1e15, b"d:1000000000000000;"),
    (1.5e16, b"d:15000000000000000;"),
    (1e17, b"d:1.0E+17;"),
    (123456789012345678.0, b"d:1.2345678901234568E+17;"),
    (1e25, b"d:1.0E+25;"),
    (1.5e300, b"d:1.5E+300;"),
    (0.0001, b"d:0.0001;"),
    (0.00001, b"d:1.0E-5;"),
    (1.234e-5, b"d:1.234E-5;"),
    (5e-324, b"d:5.0E-324;"),
    (float("inf"), b"d:INF;"),
    (-7, b"i:-7;"),
    (None, b"N;"),
    (True, b"b:1;"),
    ("é", b's:2:"\xc3\xa9";'),
    ('a";i:1;', b's:7:"a";i:1;";'),
    (
        {"12": 1, "-5": 2, "007": 3, "": None, "-0": 1, "9223372036854775808": 2},
        b'a:6:{i:12;i:1;i:-5;i:2;s:3:"007";i:3;s:0:"";N;s:2:"-0";i:1;s:19:"9223372036854775808";i:2;}',
    ),
    (["x", {3: []}], b'a:2:{i:0;s:1:"x";i:1;a:1:{i:3;a:0:{}}}'),
]


@pytest.mark.parametrize(("value", "data"), WRITTEN_BY_PHP, ids=lambda value: str(value)[:30])
def test_values_are_written_byte_for_byte_as_php_does(value: Any, data: bytes) -> None:
    assert dumps(value) == data


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.dictionaries(
        st.integers(-(2**63), 2**63 - 1) | st.text("ab;:{}\"'x", min_size=1, max_size=8), inner, max_size=4
    ),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(values, st.data())
def test_damaged_bytes_are_refused_and_nothing_else_happens(value: Any, data: st.DataObject) -> None:
    whole = bytearray(dumps(value))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    for damaged in (bytes(whole), bytes(whole[:at])):
        with suppress(NotSerialized):
            loads(damaged)


@pytest.mark.parametrize(
    "data",
    [
        b'O:8:"stdClass":0:{}',
        b'C:3:"Foo":0:{}',
        b"a:1:{i:0;R:1;}",
        b"a:1:{N;i:1;}",
        b"a:1:{d:1;i:1;}",
        b"a:-1:{}",
        b's:5:"abc";',
        b"i:1;i:2;",
        b"a:9999999:{",
        b"a:%b:{" % (b"9" * 30),
        b"a:%b:{" % (b"9" * 5000),
        b's:%b:"a";' % (b"9" * 30),
        b"i:1_0;",
        b"i: 1;",
        b"i:+1;",
        b"i:%b;" % (b"9" * 5000),
        b"d:1_0;",
        b"d:;",
        b"r:1;",
        b"E:3:{a:b}",
        b"a:1:{i:0;" * 1000,
        b"",
    ],
)
def test_objects_references_and_nonsense_are_refused(data: bytes) -> None:
    dumps({1: None})
    loads(b"a:2:{i:0;N;i:1;d:1;}")  # tokens that were read before must not be taken where they are not allowed
    with pytest.raises(NotSerialized):
        loads(data)


pieces = st.sampled_from(
    (b"a:", b"s:", b"i:", b"d:", b"b:", b"O:8:", b"C:3:", b"R:1;", b"N;", b"{", b"}", b'"', b";", b":", b"1", b"99")
)


@given(st.lists(pieces | st.binary(max_size=4), max_size=40).map(b"".join))
def test_any_bytes_are_read_as_plain_values_or_refused(data: bytes) -> None:
    with suppress(NotSerialized):
        assert_plain(loads(data))


def assert_plain(value: Any) -> None:
    assert type(value) in (dict, str, int, float, bool, type(None))
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) in (int, str)
            assert_plain(item)


LARGE: list[Callable[[int], bytes]] = [
    lambda n: b"a:%d:{" % n + b"i:0;a:0:{}" * n + b"}",
    lambda n: b"a:1:{i:0;" * n,
    lambda n: b's:%d:"%b";' % (n, b";" * n),
    lambda n: b"a:%d:{" % n + b"".join(b's:5:"%05d";s:60:"%b";' % (i, b";" * 60) for i in range(n)) + b"}",
    lambda n: b"a:99999999:{" + b"i:0;i:0;" * n,
    lambda n: b"i:" + b"1" * n,
]


@pytest.mark.parametrize("made", LARGE)
def test_time_and_memory_are_linear_in_the_bytes(made: Callable[[int], bytes]) -> None:
    small, large = made(2_000), made(64_000)
    limit = max(0.05, 40 * seconds(small) * len(large) / len(small))
    assert seconds(large) < limit
    tracemalloc.start()
    with suppress(NotSerialized):
        loads(large)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * len(large) + 20_000_000  # and what tokens are remembered for later


def seconds(data: bytes) -> float:
    begun = time.process_time()
    with suppress(NotSerialized):
        loads(data)
    return time.process_time() - begun
