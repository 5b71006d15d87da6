"""The device of a user agent: its type, brand and model."""

import re
from typing import NamedTuple

from device_detector.parser import settings as names

from footfall.tracking.detection.clients import Client
from footfall.tracking.detection.hints import ClientHints
from footfall.tracking.detection.patterns import Pattern
from footfall.tracking.detection.rules import Reading, device_rules, filled
from footfall.tracking.detection.systems import System
from footfall.tracking.detection.versions import is_at_least, is_before

_HBBTV = Pattern(r"(?:HbbTV|SmartTvA)/([1-9]{1}(?:\.[0-9]{1}){1,2})")
_SHELL_TV = Pattern(r"[a-z]+[ _]Shell[ _]\w{6}|tclwebkit(\d+[.\d]*)")
_NOTEBOOK = Pattern("FBMD/")
_DESKTOP = Pattern("(?:Windows (?:NT|IoT)|X11; Linux x86_64)")
_NO_DESKTOP = Pattern(
    "CE-HTML| Mozilla/|Andr[o0]id|Tablet|Mobile|iPhone|Windows Phone|ricoh|OculusBrowser|PicoBrowser|Lenovo|"
    "compatible; MSIE|Trident/|Tesla/|XBOX|FBMD/|ARM; ?([^)]+)"
)
_OFFICE_DESKTOP = Pattern("Desktop(?: (x(?:32|64)|WOW64))?;")
_FROZEN_ANDROID = re.compile(r"Android (?:1[0-7][.\d]*; K(?: Build/|[;)])|1[0-7]\)) AppleWebKit", re.IGNORECASE)
_FROZEN_VERSION = re.compile(r"Android (?:1[0-7][.\d]*; K|1[0-7])")
_CHROME = Pattern("Chrome/[.0-9]*")
_MOBILE = Pattern("(?:Mobile|eliboM)")
_VIRTUAL_REALITY = Pattern("Android( [.0-9]+)?; Mobile VR;| VR ")
_PAD = Pattern("Pad/APad")
_ANDROID_TABLET = Pattern(r"Android( [.0-9]+)?; Tablet;|Tablet(?! PC)|.*\-tablet$")
_OPERA_TABLET = Pattern("Opera Tablet")
_ANDROID_MOBILE = Pattern(r"Android( [.0-9]+)?; Mobile;|.*\-mobile$")
_TOUCH = Pattern("Touch")
_PUFFIN = (
    (Pattern(r"Puffin/(?:\d+[.\d]+)[LMW]D"), "desktop"),
    (Pattern(r"Puffin/(?:\d+[.\d]+)[AIFLW]P"), "smartphone"),
    (Pattern(r"Puffin/(?:\d+[.\d]+)[AILW]T"), "tablet"),
)
_OPERA_TV = Pattern("Opera TV Store| OMI/")
_ANDROID_TV = re.compile(r"Andr0id|(?:Android(?: UHD)?|Google) TV|\(lite\) TV|BRAVIA|Firebolt| TV$", re.IGNORECASE)
_TIZEN_TV = Pattern(r"SmartTV|Tizen.+ TV .+$")
_TV = Pattern(r"\(TV;|TV Store|WhaleTV|Smart TVS")
_FORM_FACTORS = {
    "automotive": "car browser",
    "xr": "wearable",
    "watch": "wearable",
    "mobile": "smartphone",
    "tablet": "tablet",
    "desktop": "desktop",
    "eink": "tablet",
}
_APPLE = frozenset({"iPadOS", "tvOS", "watchOS", "iOS", "Mac"})


class Hardware(NamedTuple):
    """A device; empty where it is not known."""

    kind: str = ""
    brand: str = ""
    model: str = ""


def restored(text: str, hints: ClientHints | None) -> str:
    """A user agent that hides the device, with the model that the hints name in its place."""
    if hints is None or not hints.model:
        return text
    if _FROZEN_ANDROID.search(text):
        version = hints.platform_version or "10"
        text = _FROZEN_VERSION.sub(lambda _: f"Android {version}; {hints.model}", text)
    if _is_plain_desktop(text):
        text = text.replace("X11; Linux x86_64", f"X11; Linux x86_64; {hints.model}")
    return text


def find_hardware(text: str, hints: ClientHints | None, system: System, client: Client) -> Hardware:
    """The device that a user agent names, or that its system and client imply."""
    reading = device_rules().read(restored(text, hints))
    model_hint = hints.model if hints is not None else ""
    device = _named(reading, hides_model=not model_hint and _hides_model(text))
    if hints is not None:
        kind = device.kind or next((_FORM_FACTORS[f] for f in _FORM_FACTORS if f in hints.form_factors), "")
        device = Hardware(kind, device.brand, device.model or model_hint)
    if not device.brand:
        found = reading.first("vendor")
        device = device._replace(brand=found[0].name if found is not None else "")
    if device.brand == "Apple" and system.name not in _APPLE:
        device = Hardware()
    if not device.brand and system.name in _APPLE:
        device = device._replace(brand="Apple")
    if system.name == "Coolita OS":
        device = device._replace(kind="tv", brand="coocaa")
    return device._replace(kind=_kind(text, device.kind, system, client))


def _hides_model(text: str) -> bool:
    return _FROZEN_ANDROID.search(text) is not None


def _is_plain_desktop(text: str) -> bool:
    return _DESKTOP.search(text) is not None and _NO_DESKTOP.search(text) is None


def _named(reading: Reading, hides_model: bool) -> Hardware:
    """The device by the rules of brands and models, those of mobiles left out where the user agent hides the model."""
    text = reading.text
    if _HBBTV.search(text):
        device = _of_section(reading, "hbbtv")
        return device._replace(kind=device.kind or "tv")
    if _SHELL_TV.search(text):
        device = _of_section(reading, "shell tv")
        return device._replace(kind=device.kind or "tv")
    for section in ("notebook", "console", "car browser", "camera", "portable media player", "mobile"):
        if (section == "notebook" and not _NOTEBOOK.search(text)) or (section == "mobile" and hides_model):
            continue
        device = _of_section(reading, section)
        if device != Hardware():
            return device
    return Hardware()


def _of_section(reading: Reading, section: str) -> Hardware:
    found = reading.first(section)
    if found is None:
        return Hardware()
    rule, match = found
    kind, brand, model = rule.device, rule.name, _model(rule.model, match)
    if rule.further:
        refined = rule.refine(reading.text)
        if refined is not None:
            refinement, model_match = refined
            kind, brand = refinement.device or kind, refinement.brand or brand
            model = _model(refinement.text, model_match)
    return Hardware(kind, "" if brand == "Unknown" else brand, model)


def _model(template: str, match: re.Match[str]) -> str:
    model = filled(template, match).replace("_", " ")
    model = re.sub(" TD$", "", model, flags=re.IGNORECASE)
    return "" if model == "Build" else model.strip()


def _kind(text: str, kind: str, system: System, client: Client) -> str:
    """The device type where the rules of brands do not decide it."""
    kind = kind or _android_kind(text, system)
    if kind == "smartphone" and _PAD.search(text):
        kind = "tablet"
    if not kind and (_ANDROID_TABLET.search(text) or _OPERA_TABLET.search(text)):
        kind = "tablet"
    if not kind and _ANDROID_MOBILE.search(text):
        kind = "smartphone"
    if not kind and system.name == "Android" and system.version:
        if is_before(system.version, "2.0"):
            kind = "smartphone"
        elif is_at_least(system.version, "3.0") and is_before(system.version, "4.0"):
            kind = "tablet"
    if kind == "feature phone" and system.family == "Android":
        kind = "smartphone"
    if (not kind and system.name == "Java ME") or system.name == "KaiOS":
        kind = "feature phone"
    windows = system.name == "Windows RT" or (system.name == "Windows" and is_at_least(system.version, "8"))
    if not kind and windows and _TOUCH.search(text):
        kind = "tablet"
    kind = kind or next((implied for pattern, implied in _PUFFIN if pattern.search(text)), "")
    if _is_television(text, kind, client):
        kind = "tv"
    if "Desktop" in text and _OFFICE_DESKTOP.search(text):
        kind = "desktop"
    if not kind and system.is_desktop and not client.is_mobile_only:
        kind = "desktop"
    return kind


def _android_kind(text: str, system: System) -> str:
    if _VIRTUAL_REALITY.search(text):
        return "wearable"
    if system.family == "Android" and _CHROME.search(text):
        return "smartphone" if _MOBILE.search(text) else "tablet"
    return ""


def _is_television(text: str, kind: str, client: Client) -> bool:
    if _OPERA_TV.search(text) or client.name in names.TV_CLIENTS:
        return True
    if kind not in ("tv", "peripheral", "wearable") and _ANDROID_TV.search(text):
        return True
    return not kind and (_TIZEN_TV.search(text) or _TV.search(text)) is not None
