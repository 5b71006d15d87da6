"""The file format of the spool: frames one after the other.

A frame is a header of 16 bytes and a payload. The header: the magic `FFS1`, the length of the payload in bytes, how
many requests it holds, and a checksum (CRC-32) of these two numbers and the payload; numbers are big-endian. A process
that is killed, or a disk that fills up, can leave a frame without its end; nothing can make another one of it.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

_HEADER = struct.Struct(">4sIII")
_NUMBERS = struct.Struct(">II")
_MAGIC = b"FFS1"


class Incomplete(Exception):
    """The file ends within the frame: its writer was interrupted, or is at work."""


class Damaged(Exception):
    """These bytes are not a frame that anybody wrote."""


@dataclass(frozen=True)
class Frame:
    """A frame that was read.

    Args:
        requests: how many requests the payload holds.
        size: bytes of the whole frame.
    """

    payload: bytes
    requests: int
    size: int


def frame(payload: bytes, requests: int) -> bytes:
    """The bytes of a frame."""
    return _HEADER.pack(_MAGIC, len(payload), requests, _checksum(payload, requests)) + payload


def read(file: BinaryIO) -> Frame | None:
    """The frame at the file's position, which moves behind it; None at the end of the file.

    Raises:
        Incomplete: the file ends within the frame. Zeros count as the end: a crash of the machine may leave them.
        Damaged: these bytes are no frame.
    """
    header = file.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size or not any(header):
        raise Incomplete
    magic, length, requests, checksum = _HEADER.unpack(header)
    if magic != _MAGIC:
        raise Damaged("the magic is wrong")
    payload = file.read(length)
    if len(payload) < length:
        raise Incomplete
    if checksum != _checksum(payload, requests):
        raise Damaged("the checksum is wrong")
    return Frame(payload, requests, _HEADER.size + length)


def gap(file: BinaryIO) -> int | None:
    """How many bytes after the file's position the next whole frame begins; None when there is none."""
    start = file.tell()
    rest = file.read()
    at = rest.find(_MAGIC, 1)
    while at >= 0:
        file.seek(start + at)
        try:
            read(file)
            return at
        except (Incomplete, Damaged):
            at = rest.find(_MAGIC, at + 1)
    return None


def count(file: BinaryIO) -> int:
    """How many requests the whole frames from the file's position on hold."""
    total = 0
    while True:
        start = file.tell()
        try:
            found = read(file)
        except (Incomplete, Damaged):
            file.seek(start)
            skipped = gap(file)
            if skipped is None:
                return total
            file.seek(start + skipped)
            continue
        if found is None:
            return total
        total += found.requests


def _checksum(payload: bytes, requests: int) -> int:
    return zlib.crc32(payload, zlib.crc32(_NUMBERS.pack(len(payload), requests)))
