"""Statements that the server takes: each stays below its max_allowed_packet, however much there is to say.

A server that is sent more closes the connection, which looks like one that was lost.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from footfall.database import Database

ESCAPED = 2
"""How many times longer a value can be in a statement: a quote or backslash takes two bytes."""


def joined(database: Database, head: bytes, rows: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Statements that together hold all rows; nearly always one.

    Args:
        head: how each begins, `INSERT INTO … VALUES `.
        rows: quoted, each with its parentheses.

    Returns:
        Each statement and how many of the rows it holds.
    """
    for begin, end in groups([len(row) + 1 for row in rows], database.packet_bytes() - len(head)):
        yield head + b",".join(rows[begin:end]), end - begin


def documents(database: Database, rows: Sequence[Any]) -> Iterator[str]:
    """The rows as JSON arrays, each short enough to be a value of a statement; nearly always one."""
    document = msgspec.json.encode(rows)
    if len(rows) > 1 and len(document) * ESCAPED > database.packet_bytes():
        middle = len(rows) // 2
        yield from documents(database, rows[:middle])
        yield from documents(database, rows[middle:])
    else:
        yield document.decode()


def groups(sizes: Sequence[int], limit: int) -> Iterator[tuple[int, int]]:
    """Where groups of neighbours begin and end whose sizes come to at most `limit`, or that have one member."""
    begin = total = 0
    for place, size in enumerate(sizes):
        total += size
        if total > limit and place > begin:
            yield begin, place
            begin, total = place, size
    if sizes:
        yield begin, len(sizes)
