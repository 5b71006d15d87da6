"""Client hints: what a browser says about itself beside its user agent, as the tracking parameter `uadata`.

The reference reads `sec-ch-ua*` headers too where that parameter is absent, but escapes the quotation marks in them
first, after which no name, platform or version in them can be read. So they change nothing (conformance: "client hints
headers"), and are not read here.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from footfall.tracking.detection.bytewise import bytewise

_CHARACTERS = 200  # of one value


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
    """The hints of a `uadata` parameter; None where it holds none.

    A JSON object with the names of `navigator.userAgentData` (`platformVersion`) or those of the headers
    (`sec-ch-ua-platform-version`, and `x-requested-with` for the app), in any case.
    """
    if not uadata or uadata == "{}":
        return None
    try:
        said = msgspec.json.decode(uadata)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    values = {name.lower().replace("_", "-").removeprefix("http-"): value for name, value in said.items()}
    app = _text(values, "x-requested-with")
    hints = ClientHints(
        brands=next(filter(None, (_brands(values.get(name)) for name in _BRAND_LISTS)), ()),
        full_version=_text(values, "sec-ch-ua-full-version", "uafullversion"),
        platform=_text(values, "sec-ch-ua-platform", "platform"),
        platform_version=_text(values, "sec-ch-ua-platform-version", "platformversion"),
        model=_text(values, "sec-ch-ua-model", "model"),
        form_factors=_words(values.get("sec-ch-ua-form-factors") or values.get("formfactors")),
        app="" if app.lower() == "xmlhttprequest" else app,
    )
    return None if hints == ClientHints() else hints


_BRAND_LISTS = ("sec-ch-ua-full-version-list", "fullversionlist", "brands", "sec-ch-ua")
_BRAND = re.compile(r'"([^"]+)"; ?v="([^"]+)"')


def _brands(value: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        return tuple((bytewise(brand), bytewise(version)) for brand, version in _BRAND.findall(value))
    entries = value if isinstance(value, list) else []
    return tuple((_text(e, "brand"), _text(e, "version")) for e in entries if isinstance(e, Mapping))


def _words(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word.strip(' "').lower() for word in words if isinstance(word, str))


def _text(values: Mapping[str, Any], *names: str) -> str:
    """The first of the values that says something, bytewise and without quotation marks around it."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = str(value)[:_CHARACTERS].strip('"')
            if text:
                return bytewise(text)
    return ""
