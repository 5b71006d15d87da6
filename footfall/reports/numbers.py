"""Numbers of archives: as they are stored, and rounded as a person would round them."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Number = int | float


def number(value: Any) -> Number:
    """A stored metric as a number; archives of the reference hold some as decimal strings, and absent ones as None."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def rounded(value: Number, digits: int) -> Number:
    """`value` with halves rounded up, as a person would round its decimal form (1.005 to two digits is 1.01)."""
    exact = Decimal(format(value, ".15g")).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
