"""Conditions of segments as reports show them beside rows, values encoded as in a URL."""

from urllib.parse import quote_plus


def encoded(value: str) -> str:
    """The value as it stands in a segment's definition: `Mobile Safari` is `Mobile+Safari`."""
    return quote_plus(value, safe="-_.").replace("~", "%7E")


def condition(*pairs: tuple[str, str]) -> dict[str, str]:
    """The metadata that selects a row's visits: each name equals its value, all of them."""
    return {"segment": ";".join(f"{name}=={encoded(value)}" for name, value in pairs)}
