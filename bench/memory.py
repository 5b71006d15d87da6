"""Memory of processes over time, and whether it grows."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 1024 * 1024
_FEWEST = 8


def resident(pid: int) -> float | None:
    """The resident memory of a process in MiB; None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / _MIB
    except (OSError, IndexError):
        return None


@dataclass(frozen=True)
class Growth:
    """How much more memory a process takes at the end than when it had warmed up; all in MiB.

    The median of the last quarter of its samples against that of the second: caches fill in the first, and a few high
    samples, of a large batch, say, change no median.
    """

    second: float
    last: float
    most: float

    @property
    def grows(self) -> bool:
        """By more than a twentieth, and more than 8 MiB."""
        return self.last - self.second > max(8.0, self.second / 20)


def growth(samples: Sequence[float]) -> Growth | None:
    """The growth over samples taken at even distances; None for fewer than eight."""
    if len(samples) < _FEWEST:
        return None
    quarter = len(samples) // 4
    return Growth(median(samples[quarter : 2 * quarter]), median(samples[-quarter:]), max(samples))
