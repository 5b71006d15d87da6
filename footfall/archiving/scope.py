"""What an archive is about: all visits or those of a segment, all plugins or one of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from typing import Final
from urllib.parse import unquote_plus

_DONE: Final = "done"


def done_flag(segment: str = "") -> str:
    """The done flag of all visits, or of a segment: by the MD5 of its decoded definition, as Matomo names them."""
    return _DONE + md5(unquote_plus(segment).encode()).hexdigest() if segment else _DONE


def both(segment: str, condition: str) -> str:
    """The definition of the visits of a segment that a condition holds for too."""
    return f"{segment};{condition}" if segment else condition


@dataclass(frozen=True)
class Scope:
    """What an archive is about.

    Args:
        segment: its definition; empty for all visits.
        plugin: the only plugin whose records are in it; empty for all.
        record: the only record of that plugin that is in it; empty for all.
        base: the segment whose visits these are part of; None where they stand for themselves.
        condition: which part of them.
        is_overlay: whether it lies over an older archive that holds more: then it holds zeros and empty tables too,
            which would be looked up there.
    """

    segment: str = ""
    plugin: str = ""
    record: str = ""
    base: str | None = None
    condition: str = ""
    is_overlay: bool = False

    @property
    def flag(self) -> str:
        """The name of its done flag."""
        return f"{done_flag(self.segment)}.{self.plugin}" if self.plugin else done_flag(self.segment)

    @property
    def is_partial(self) -> bool:
        """Whether it leaves out records that its done flag speaks for."""
        return bool(self.record)


VISITS: Final = Scope()
"""All visits, all plugins."""
