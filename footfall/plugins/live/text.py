"""Times, money and sources of visits as the log of visits writes them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from babel.dates import format_datetime
from babel.numbers import get_currency_symbol

_LOCALE: Final = "en"
# By the value of referer_type: the word for it, and what people read.
_CHANNELS: Final = {
    1: ("direct", "Direct Entry"),
    2: ("search", "Search Engines"),
    3: ("website", "Websites"),
    6: ("campaign", "Campaigns"),
    7: ("social", "Social Networks"),
}
_SLOTS: Final = range(1, 6)


def timestamp(moment: datetime) -> int:
    """Seconds since 1970 of a naive moment in UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp())


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A naive moment in UTC as the site's clock shows it."""
    return moment.replace(tzinfo=UTC).astimezone(zone)


def local_text(moment: datetime, zone: tzinfo, pattern: str) -> str:
    """The same, written in a CLDR pattern."""
    return str(format_datetime(local(moment, zone).replace(tzinfo=None), pattern, locale=_LOCALE))


def money(amount: float, currency: str) -> str:
    """An amount with the symbol of its currency: `$8.85`, and `$38` where it is a whole number."""
    symbol = get_currency_symbol(currency, locale=_LOCALE)
    return f"{symbol}{amount:,.0f}" if float(amount).is_integer() else f"{symbol}{amount:,.2f}"


def currency_symbol(currency: str) -> str:
    """The symbol of a currency: `$` for USD."""
    return str(get_currency_symbol(currency, locale=_LOCALE))


def channel(referer_type: int | None) -> tuple[str, str]:
    """Where a visit came from: the word for it, and what people read."""
    return _CHANNELS.get(referer_type or 1, _CHANNELS[1])


def variables(row: dict[str, Any], name: str, value: str) -> dict[str, dict[str, str]]:
    """The custom variables of a row by slot, each under these names with the slot behind them."""
    return {
        str(slot): {f"{name}{slot}": row[f"custom_var_k{slot}"], f"{value}{slot}": row[f"custom_var_v{slot}"] or ""}
        for slot in _SLOTS
        if row[f"custom_var_k{slot}"]
    }
