"""The operating system of a user agent and its client hints."""

from typing import NamedTuple

from device_detector.parser import settings as names

from footfall.tracking.detection.bytewise import bytewise
from footfall.tracking.detection.hints import ClientHints
from footfall.tracking.detection.rules import Reading, filled
from footfall.tracking.detection.versions import tidy

_SHORT = {
    name.lower().replace(" ", ""): (short, name)
    for short, name in ((short, bytewise(name)) for short, name in names.OPERATING_SYSTEMS.items())
}
_FAMILY = {short: family for family, members in names.OS_FAMILIES.items() for short in members}
_FROM_HINT = {hint.lower(): name for name, hints in names.OS_CLIENT_HINT_MAPPING.items() for hint in hints}
_OLD_WINDOWS = {"1": "7", "2": "8", "3": "8.1"}


class System(NamedTuple):
    """An operating system; empty where none was recognised."""

    name: str = ""
    short: str = ""
    version: str = ""

    @property
    def family(self) -> str:
        return _FAMILY.get(self.short, "")

    @property
    def is_desktop(self) -> bool:
        return self.family in names.DESKTOP_OS


def find_system(reading: Reading, hints: ClientHints | None) -> System:
    """The system that a user agent names, and client hints if there are any, which weigh more."""
    said = _of_user_agent(reading)
    hinted = _of_hints(hints) if hints is not None else System()
    system = _merged(hinted, said) if hinted.name else said
    return _of_app(system, hints.app) if hints is not None and system.name else system


def _of_user_agent(reading: Reading) -> System:
    found = reading.first("system")
    if found is None:
        return System()
    rule, match = found
    name = filled(rule.name, match)
    short, name = _SHORT.get(name.lower().replace(" ", ""), ("UNK", name))
    version = filled(rule.version, match)
    refined = rule.refine(reading.text)
    if refined is not None:
        version = filled(refined[0].text, refined[1])
    return System(name, short, tidy(version))


def _of_hints(hints: ClientHints) -> System:
    platform = _FROM_HINT.get(hints.platform.lower(), hints.platform)
    short, name = _SHORT.get(platform.lower().replace(" ", ""), ("", ""))
    version = hints.platform_version
    if name == "Windows":
        version = _windows(version)
    elif version != "0.0.0" and _leading(version) == 0:
        version = ""
    return System(name, short, tidy(version))


def _windows(version: str) -> str:
    """The version of Windows that a hint means: 13 and above are Windows 11, 0.x the ones before 10."""
    parts = version.split(".")
    major = _leading(parts[0])
    if major == 0:
        return _OLD_WINDOWS.get(parts[1] if len(parts) > 1 else "0", version)
    return "10" if major < 11 else "11"


def _leading(version: str) -> int:
    digits = version.split(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _merged(hinted: System, said: System) -> System:
    name, short, version = hinted
    if not version and hinted.family == said.family:
        version = said.version
    if name == "Windows" and version == "0.0.0":
        version = "" if said.version == "10" else said.version
    if said.family == name and said.name != name:  # the user agent may know more exactly
        name = said.name
        if name in ("LeafOS", "HarmonyOS"):
            version = ""
        elif name == "PICO OS":
            version = said.version
        elif name == "Fire OS" and hinted.version:
            version = _mapped(names.FIREOS_VERSION_MAPPING, version)
    chrome_os = said.name == "Chrome OS"
    if name == "GNU/Linux" and (said.name == "Meta Horizon" or (chrome_os and hinted.version == said.version)):
        name, short = said.name, said.short
    if name == "Android" and chrome_os:
        name, short, version = said.name, said.short, ""
    return System(name, short, version)


def _of_app(system: System, app: str) -> System:
    """Apps that exist for one system only."""
    if app in names.ANDROID_APPS and system.name != "Android":
        return System("Android", "ADR")
    if app == "org.lineageos.jelly" and system.name != "Lineage OS":
        return System("Lineage OS", "LEN", _mapped(names.LINEAGEOS_VERSION_MAPPING, system.version))
    if app == "org.mozilla.tv.firefox" and system.name != "Fire OS":
        return System("Fire OS", "FIR", _mapped(names.FIREOS_VERSION_MAPPING, system.version))
    return system


def _mapped(versions: dict[str, str], version: str) -> str:
    return versions.get(version) or versions.get(str(_leading(version))) or ""
