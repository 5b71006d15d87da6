"""The reference's rules about user agents, as the package device_detector ships them: files of regular expressions.

A file is read when it is first needed; all files that every user agent goes through make one `RuleBook`, so that one
pass over a user agent finds the candidates of all of them.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml_rs

from footfall.tracking.detection.bytewise import bytewise
from footfall.tracking.detection.patterns import Pattern, Patterns


@dataclass(slots=True)
class Refinement:
    """A further pattern of a rule: a model of a brand, or a version of a system."""

    text: str
    brand: str = ""
    device: str = ""


@dataclass(slots=True)
class Rule:
    """What the first match of a pattern says.

    Args:
        name: of the bot, system or client, with places for groups (`\\g<1>`); the brand of a device.
        version: with places for groups.
        engine: of a browser, as the file has it: `default`, and `versions` by the version they begin with.
        device: the device type.
        model: with places for groups.
        refinements: what each of the `further` patterns says.
    """

    name: str
    version: str = ""
    engine: Mapping[str, Any] = field(default_factory=dict)
    device: str = ""
    model: str = ""
    further: list[str] = field(default_factory=list)
    refinements: list[Refinement] = field(default_factory=list)
    _patterns: Patterns | None = None

    def refine(self, text: str) -> tuple[Refinement, re.Match[str]] | None:
        """The first of the further patterns that matches the text."""
        if not self.further:
            return None
        if self._patterns is None:
            self._patterns = Patterns(self.further)
        found = self._patterns.first(text)
        return None if found is None else (self.refinements[found[0]], found[1])


def filled(template: str, match: re.Match[str]) -> str:
    """A template with the groups of a match in their places; a group that took no part is empty."""
    if "\\g<" in template:
        for number in (1, 2, 3):
            place = f"\\g<{number}>"
            if place in template:
                template = template.replace(place, _group(match, number))
    return template.strip()


def _group(match: re.Match[str], number: int) -> str:
    return (match.group(number) or "") if number <= match.re.groups else ""


class RuleBook:
    """Rules in sections, tried in their order.

    Args:
        sections: (pattern, rule) pairs by section.
    """

    def __init__(self, sections: Mapping[str, Sequence[tuple[str, Rule]]]) -> None:
        self._rules: list[Rule] = []
        self._bounds: dict[str, tuple[int, int]] = {}
        sources: list[str] = []
        for name, pairs in sections.items():
            self._bounds[name] = (len(sources), len(sources) + len(pairs))
            sources += [source for source, _ in pairs]
            self._rules += [rule for _, rule in pairs]
        self._patterns = Patterns(sources)

    def read(self, text: str) -> "Reading":
        """The rules as they apply to one text."""
        return Reading(text, self._patterns.candidates(text), self._patterns.all, self._rules, self._bounds)


@dataclass(slots=True, frozen=True)
class Reading:
    """One text and the rules that may match it."""

    text: str
    _candidates: list[int]
    _patterns: list[Pattern]
    _rules: list[Rule]
    _bounds: dict[str, tuple[int, int]]

    def first(self, section: str) -> tuple[Rule, re.Match[str]] | None:
        """The first rule of a section that matches the text, with its match."""
        return next(self.matching(section), None)

    def matching(self, section: str) -> Iterator[tuple[Rule, re.Match[str]]]:
        """The rules of a section that match the text, in their order."""
        low, high = self._bounds[section]
        candidates = self._candidates
        for place in range(bisect_left(candidates, low), bisect_left(candidates, high)):
            number = candidates[place]
            match = self._patterns[number].search(self.text)
            if match is not None:
                yield self._rules[number], match


_DEVICES = {
    "hbbtv": "televisions",
    "shell tv": "shell_tv",
    "notebook": "notebooks",
    "console": "consoles",
    "car browser": "car_browsers",
    "camera": "cameras",
    "portable media player": "portable_media_player",
    "mobile": "mobiles",
}
_CLIENTS = {
    "feed reader": "feed_readers",
    "mobile app": "mobile_apps",
    "mediaplayer": "mediaplayers",
    "pim": "pim",
    "browser": "browsers",
    "library": "libraries",
    "engine": "browser_engine",
}


@cache
def agent_rules() -> RuleBook:
    """The rules of bots, systems, clients and engines, which every user agent goes through."""
    sections = {"bot": _list("bots"), "system": _list("oss")}
    return RuleBook(sections | {name: _list(f"client/{file}") for name, file in _CLIENTS.items()})


@cache
def device_rules() -> RuleBook:
    """The rules of devices, and of the fragments by which vendors mark a user agent."""
    sections = {name: _brands(f"device/{file}") for name, file in _DEVICES.items()}
    fragments = _load("vendorfragments")
    sections["vendor"] = [
        (_text(pattern) + "[^a-z0-9]+", Rule(name=_text(brand)))
        for brand, patterns in fragments.items()
        for pattern in patterns
    ]
    return RuleBook(sections)


@cache
def names_by_app(kind: str) -> dict[str, str]:
    """The names of clients by the app id that Android sends as X-Requested-With: kind `apps` or `browsers`."""
    return {_text(app): _text(name) for app, name in _load(f"client/hints/{kind}").items()}


def _list(file: str) -> list[tuple[str, Rule]]:
    pairs = []
    for entry in _load(file):
        rule = Rule(name=_text(entry["name"]), version=_text(entry.get("version")), engine=entry.get("engine") or {})
        for version in entry.get("versions", ()):
            rule.further.append(_text(version["regex"]))
            rule.refinements.append(Refinement(_text(version["version"])))
        pairs.append((_text(entry["regex"]), rule))
    return pairs


def _brands(file: str) -> list[tuple[str, Rule]]:
    pairs = []
    for brand, entry in _load(file).items():
        rule = Rule(name=_text(brand), device=entry.get("device", ""), model=_text(entry.get("model")))
        for model in entry.get("models", ()):
            rule.further.append(_text(model["regex"]))
            rule.refinements.append(
                Refinement(_text(model.get("model")), _text(model.get("brand")), model.get("device", ""))
            )
        pairs.append((_text(entry["regex"]), rule))
    return pairs


def _load(name: str) -> Any:
    return yaml_rs.loads(files("device_detector").joinpath(f"regexes/upstream/{name}.yml").read_text("utf-8"))


def _text(value: Any) -> str:
    return "" if value is None else bytewise(str(value))  # YAML takes a name such as 8848 for a number
