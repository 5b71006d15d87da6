"""What user agents and client hints say, held against the reference's own answers that device_detector ships."""

import json
import random
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml_rs

from footfall.tracking.detection import hints, rules
from footfall.tracking.detection.detector import detect
from footfall.tracking.detection.hints import ClientHints
from footfall.tracking.detection.patterns import Patterns

EVERY = 7  # a seventh of the user agents of these files; all 38,271 of the package agree as well as these do
FILES = (
    "bots",
    "camera",
    "car_browser",
    "clienthints",
    "clienthints-app",
    "console",
    "desktop",
    "desktop-1",
    "feature_phone",
    "feed_reader",
    "mediaplayer",
    "mobile_apps",
    "peripheral",
    "phablet-1",
    "portable_media_player",
    "smart_display",
    "smart_speaker",
    "smartphone-12",
    "tablet-3",
    "tv-2",
    "unknown",
    "wearable",
)
# Types of apps that the package has renamed and the reference has not.
RENAMED = {"av", "messaging", "mediaplayer"}
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.6478.71 Mobile Safari/537.36"
)
FROZEN = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)


def recorded(name: str) -> list[dict[str, Any]]:
    path = files("device_detector").joinpath(f"tests/fixtures/upstream/{name}.yml")
    return yaml_rs.loads(path.read_text("utf-8"))


def said_in(headers: dict[str, Any] | None) -> ClientHints | None:
    return hints.parse(json.dumps(headers or {}))


def text(value: Any) -> str:
    return "" if value in (None, "None", []) else str(value)


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def expected(answer: dict[str, Any]) -> dict[str, Any]:
    if "bot" in answer:
        return {"bot": True}
    system, client, device = (answer.get(part) or {} for part in ("os", "client", "device"))
    return {
        "bot": False,
        "system": text(system.get("name")),
        "system version": minor(text(system.get("version"))),
        "client type": text(client.get("type")),
        "client": text(client.get("name")),
        "client version": minor(text(client.get("version"))),
        "engine": text(client.get("engine")),
        "device type": text(device.get("type")),
        "brand": text(device.get("brand")),
        "model": text(device.get("model")),
    }


def detected(user_agent: str, said: ClientHints | None) -> dict[str, Any]:
    found = detect(user_agent, said)
    if found.is_bot:
        return {"bot": True}
    return {
        "bot": False,
        "system": found.system.name,
        "system version": minor(found.system.version),
        "client type": found.client.kind,
        "client": found.client.name,
        "client version": minor(found.client.version),
        "engine": found.client.engine,
        "device type": found.hardware.kind,
        "brand": found.hardware.brand,
        "model": found.hardware.model,
    }


@pytest.mark.parametrize("name", FILES)
def test_a_user_agent_says_what_the_reference_says_it_does(name: str) -> None:
    wrong = {}
    for answer in recorded(name)[::EVERY]:
        want, got = expected(answer), detected(answer["user_agent"], said_in(answer.get("headers")))
        if want.get("client type") in RENAMED and got.get("client type") == "mobile app":
            want["client type"] = "mobile app"
        if want != got:
            differing = want.keys() | got.keys()
            wrong[answer["user_agent"]] = {
                key: (want.get(key), got.get(key)) for key in differing if want.get(key) != got.get(key)
            }
    assert wrong == {}


def odd_user_agents() -> Iterator[str]:
    """Real user agents, and what is left of them after a botnet, an app or a broken proxy had its way with them."""
    dice = random.Random(20260820)
    for name in ("smartphone-12", "tablet-3", "desktop", "mobile_apps", "bots", "tv-2"):
        for answer in dice.sample(recorded(name), 6):
            agent = answer["user_agent"]
            words = agent.split(" ")
            dice.shuffle(words)
            yield agent
            yield re.sub(r"\d+", lambda digits: str(dice.randrange(10 ** len(digits[0]))), agent)
            yield agent.swapcase()
            yield " ".join(words)
            yield agent[dice.randrange(len(agent)) :] + "ſK İ"


def test_looking_for_literals_first_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    agents = list(odd_user_agents())
    found = [detect(agent) for agent in agents]
    monkeypatch.setattr(Patterns, "candidates", lambda self, text: range(len(self.all)))
    assert [detect(agent) for agent in agents] == found


def test_few_rules_are_tried_on_a_user_agent() -> None:
    agents = [answer["user_agent"] for name in ("smartphone-12", "desktop") for answer in recorded(name)[::EVERY]]
    books = rules.agent_rules(), rules.device_rules()
    tried = sum(len(book.read(agent)._candidates) for agent in agents for book in books)
    assert tried / len(agents) < 50  # of 5,085


def test_a_model_in_the_hints_takes_the_place_of_the_one_that_the_browser_hides() -> None:
    found = detect(FROZEN, hints.parse('{"platform": "Android", "platformVersion": "14.0.0", "model": "Pixel 8 Pro"}'))
    assert (found.hardware.brand, found.hardware.model, found.system.version) == ("Google", "Pixel 8 Pro", "14.0.0")


@pytest.mark.parametrize(
    ("version", "windows"), [("15.0.0", "11"), ("10.0.0", "10"), ("0.3.0", "8.1"), ("0.1.0", "7"), ("nonsense", "10")]
)
def test_hints_tell_the_versions_of_windows_apart(version: str, windows: str) -> None:
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
    )
    said = hints.parse(f'{{"platform": "Windows", "platformVersion": "{version}"}}')
    if version == "nonsense":
        assert detect(agent, said).system.name == "Windows"
    else:
        assert detect(agent, said).system.version == windows


@pytest.mark.parametrize(
    "uadata",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        '"text"',
        '{"brands": 3}',
        '{"brands": [3, {"brand": null}, {}]}',
        '{"platform": {"a": 1}, "model": ["x"], "formFactors": "Mobile"}',
        "[" * 3000,
    ],
)
def test_hints_that_say_nothing_change_nothing(uadata: str) -> None:
    assert detect(PIXEL, hints.parse(uadata)) == detect(PIXEL)


@pytest.mark.parametrize("model", ["Ä", "模型", "\ud83d", "\\\\g<1>", "x" * 5000])
def test_hints_in_any_script_can_be_read(model: str) -> None:
    said = hints.parse(f'{{"model": "{model.encode("utf-8", "replace").decode()}", "platform": "Android"}}')
    assert detect("Mozilla/5.0 (X11; Linux x86_64) é", said).hardware.model


def test_a_model_in_another_script_is_kept_as_it_is() -> None:
    agent = (
        "Mozilla/5.0 (Linux; U; Android 4.2.2; en-us; Ramos X10 PRO时尚版 Build/JDQ39) AppleWebKit/534.30 Safari/534.30"
    )
    assert detect(agent).hardware.model == "X10 PRO时尚版"


@pytest.mark.parametrize("agent", ["", "1234 5678", "xxxxxxxx", "(((((", "\0\ud800\x7f a"])
def test_an_agent_that_says_nothing_is_an_unknown_device(agent: str) -> None:
    found = detect(agent)
    assert (found.is_bot, found.system.name, found.client.name, found.hardware.kind) == (False, "", "", "")
