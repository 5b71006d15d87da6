"""Metrics as people read them: percentages and times."""

from math import floor

from footfall.reports.numbers import Number, rounded

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_YEAR = int(365.25 * _DAY)


def percent(value: Number) -> str:
    """A quotient as people read it: 0.33 is `33%`, 0.5588 is `55.88%`."""
    return f"{rounded(value * 100, 2)}%"


def sentence(seconds: Number) -> str:
    """A time in its two largest units (conformance `shapes`, format_metrics=1): `2 min 42s`, `0.04s`."""
    if seconds < 0:
        return f"-{sentence(-seconds)}"
    years, rest = divmod(seconds, _YEAR)
    days, rest = divmod(rest, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    if years:
        return f"{floor(years)} years {floor(days)} days"
    if days:
        return f"{floor(days)} days {floor(hours)} hours"
    if hours:
        return f"{floor(hours)} hours {floor(minutes)} min"
    shown = rounded(rest, 3 if 0 < seconds < 0.01 else 2)
    return f"{floor(minutes)} min {shown}s" if minutes else f"{shown}s"


def clock(seconds: Number) -> str:
    """A time as hours, minutes and seconds (conformance `shapes`, format_metrics=1): `00:00:42`."""
    days, rest = divmod(floor(seconds), _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    time = f"{hours:02}:{minutes:02}:{rest:02}"
    return f"{days} days {time}" if days else time
