"""The client of a user agent: a browser with its engine, or an app, library, feed reader and so on."""

import re
from typing import NamedTuple

from device_detector.parser import settings as names

from footfall.tracking.detection.hints import ClientHints
from footfall.tracking.detection.rules import Reading, Rule, filled, names_by_app
from footfall.tracking.detection.versions import is_at_least, is_before, tidy

_SHORT = {name.lower().replace(" ", ""): (short, name) for short, name in names.AVAILABLE_BROWSERS.items()}
_FAMILY = {short: family for family, members in names.BROWSER_FAMILIES.items() for short in members}
_FROM_HINT = {hint.lower(): name for name, hints in names.APP_TO_CLIENT_HINT_MAPPING.items() for hint in hints}
_BEFORE_BROWSER = ("feed reader", "mobile app", "mediaplayer", "pim")
_BLINK_AGENT = re.compile(r"Chrome/.+ Safari/537\.36", re.IGNORECASE)
_DATED_VERSION = re.compile(r"202[0-4]")
# Browsers whose hints carry the version of what they are made from.
_VERSION_OF_AGENT = frozenset({"A0", "AL", "HP", "JR", "MU", "OM", "OP", "VR"})


class Client(NamedTuple):
    """A client; empty where none was recognised. `short` and `engine` are a browser's."""

    kind: str = ""
    name: str = ""
    version: str = ""
    short: str = ""
    engine: str = ""

    @property
    def family(self) -> str:
        return _FAMILY.get(self.short, "")

    @property
    def is_mobile_only(self) -> bool:
        return self.kind == "browser" and self.short in names.MOBILE_ONLY_BROWSERS


def find_client(reading: Reading, hints: ClientHints | None) -> Client:
    """The client that a user agent names, and client hints if there are any, which weigh more."""
    for kind in _BEFORE_BROWSER:
        client = _plain(reading, kind)
        if kind == "mobile app" and hints is not None:
            client = _hinted_app(client, hints)
        if client.name:
            return client
    browser = _browser(reading)
    if hints is not None:
        browser = _hinted_browser(reading.text, browser, hints)
    return browser if browser.name else _plain(reading, "library")


def _plain(reading: Reading, kind: str) -> Client:
    found = reading.first(kind)
    if found is None:
        return Client()
    rule, match = found
    return Client(kind, filled(rule.name, match), tidy(filled(rule.version, match)))


def _hinted_app(client: Client, hints: ClientHints) -> Client:
    name = names_by_app("apps").get(hints.app)
    return client if name is None or name == client.name else Client("mobile app", name)


def _browser(reading: Reading) -> Client:
    for rule, match in reading.matching("browser"):
        known = _SHORT.get(filled(rule.name, match).lower().replace(" ", ""))
        if known is not None:  # a few names of newer rules have no short name yet
            version = tidy(filled(rule.version, match))
            return Client("browser", known[1], version, known[0], _engine(reading, rule, version))
    return Client()


def _engine(reading: Reading, rule: Rule, version: str) -> str:
    engine = str(rule.engine.get("default") or "")
    for first_version, name in rule.engine.get("versions", {}).items():
        if is_at_least(version, str(first_version)):
            engine = str(name)
    if engine:
        return engine
    found: tuple[Rule, re.Match[str]] | None = reading.first("engine")
    return filled(found[0].name, found[1]) if found is not None else ""


def _hinted_browser(text: str, said: Client, hints: ClientHints) -> Client:
    hinted = _of_brands(hints)
    client = _merged(hinted, said) if hinted.name and hinted.version else said
    app = names_by_app("browsers").get(hints.app)
    if app is not None and app != client.name:
        short, _ = _SHORT.get(app.lower().replace(" ", ""), ("", app))
        engine = "Blink" if _BLINK_AGENT.search(text) else client.engine
        client = Client("browser", app, "", short, engine)
    if client.name == "DuckDuckGo Privacy Browser":
        client = client._replace(version="")
    if client.name == "Every Browser" or (client.name == "TV-Browser Internet" and client.engine == "Gecko"):
        client = client._replace(engine="Blink")
    return client


def _of_brands(hints: ClientHints) -> Client:
    """The browser that the hints name: the first brand that is more than what browsers are made from."""
    found = Client()
    for brand, version in hints.brands:
        name = _FROM_HINT.get(brand.lower(), brand).lower().replace(" ", "")
        known = _SHORT.get(name) or _SHORT.get(f"{name}browser") or _SHORT.get(name.removesuffix("browser"))
        if known is not None:
            found = Client("browser", known[1], version, known[0])
        if found.name and found.name not in ("Chromium", "Microsoft Edge"):
            break
    return found._replace(version=tidy(hints.full_version or found.version))


def _merged(hinted: Client, said: Client) -> Client:
    _, name, version, short, _ = hinted
    engine = ""
    if _DATED_VERSION.match(version):
        name, short = "Iridium", "I1"
    if version.startswith("15") and said.version.startswith("114"):
        name, short, engine = "360 Secure Browser", "3B", said.engine
    if said.version and short in _VERSION_OF_AGENT:
        version = said.version
    if name == "Vewd Browser":
        engine = said.engine
    if name in ("Chromium", "Chrome Webview") and said.name and said.short not in ("CR", "CV", "AN", "CM"):
        name, version, short = said.name, said.version, said.short
    if f"{name} Mobile" == said.name:
        name, short = said.name, said.short
    if name == said.name or _family(short, name) == _family(said.short, said.name):
        engine = said.engine
    if said.version and said.version.startswith(version) and is_before(version, said.version):
        version = said.version
    return Client("browser", name, version, short, engine)


def _family(short: str, name: str) -> str:
    return _FAMILY.get(short, name)
