"""Client hints: what a browser says about itself beside its user agent, as the tracking parameter `uadata`.

The reference reads `sec-ch-ua*` headers too where that parameter is absent, but escapes the quotation marks in them
first, after which no name, platform or version in them can be read. So they change nothing (conformance: "client hints
headers"), and are not read here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from footfall.tracking.detection.bytewise import bytewise


class ClientHints(msgspec.Struct, array_like=True, frozen=True):
    """What client hints say, bytewise; empty where they say nothing.

    Args:
        brands: (name, version) of the browser and of what it is made from.
        full_version: of the browser.
        form_factors: in lower case.
        app: id of the Android app that shows the page.
    """

    brands: tuple[tuple[str, str], ...] = ()
    full_version: str = ""
    platform: str = ""
    platform_version: str = ""
    model: str = ""
    form_factors: tuple[str, ...] = ()
    app: str = ""


def parse(uadata: str) -> ClientHints | None:
    """The hints of a `uadata` parameter; None where it holds none."""
    if not uadata or uadata == "{}":
        return None
    try:
        said = msgspec.json.decode(uadata)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    values = {name.lower().replace("_", "-"): value for name, value in said.items()}
    hints = ClientHints(
        brands=_brands(values.get("fullversionlist")) or _brands(values.get("brands")),
        full_version=_text(values.get("uafullversion")),
        platform=_text(values.get("platform")),
        platform_version=_text(values.get("platformversion")),
        model=_text(values.get("model")),
        form_factors=_form_factors(values.get("formfactors")),
    )
    return None if hints == ClientHints() else hints


def _brands(value: Any) -> tuple[tuple[str, str], ...]:
    entries = value if isinstance(value, list) else []
    return tuple((_text(e.get("brand")), _text(e.get("version"))) for e in entries if isinstance(e, Mapping))


def _form_factors(value: Any) -> tuple[str, ...]:
    return tuple(_text(entry).lower() for entry in value) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return bytewise(str(value)[:200]) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
