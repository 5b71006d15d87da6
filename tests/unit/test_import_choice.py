"""Which lines are imported, and what becomes of them."""

from typing import Any

import pytest

from footfall.importing import choice
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.destinations import Destination
from footfall.importing.line import Line
from footfall.importing.requests import PageRequests
from footfall.queue.visitor import parse

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def line(
    target: str = "/", status: int = 200, agent: str = FIREFOX, host: str = "a.example", time: float = 100
) -> Line:
    return Line(time, "192.0.2.1", target, status, user_agent=agent, host=host)


def reason(line: Line, **options: Any) -> str | None:
    return Choice(ChoiceOptions(**options)).reason_against(line, line.target.partition("?")[0])


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/", None),
        ("/page.html", None),
        ("/index.php", None),
        ("/v1.2/page", None),
        ("/logo.PNG", choice.PART),
        ("/app.js", choice.PART),
        ("/font.woff2", choice.PART),
        ("/report.pdf", None),
        ("/logo%2Epng", choice.PART),
        ("", choice.NO_REQUEST),
    ],
)
def test_parts_of_pages_are_left_out(target: str, kind: str | None) -> None:
    assert reason(line(target)) == kind


@pytest.mark.parametrize(
    ("agent", "is_left_out"),
    [
        (FIREFOX, False),
        ("", False),
        ("-", False),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("curl/8.4.0", True),
        ("python-requests/2.31", True),
    ],
)
def test_bots_and_programs_are_left_out(agent: str, is_left_out: bool) -> None:
    assert reason(line(agent=agent)) == (choice.BOT if is_left_out else None)
    assert reason(line(agent=agent), bots=True) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(0, None), (200, None), (206, None), (304, None), (301, choice.REDIRECT), (404, choice.ERROR)]
)
def test_errors_and_redirects_are_left_out(status: int, kind: str | None) -> None:
    assert reason(line(status=status)) == kind
    assert reason(line(status=status), errors=True, redirects=True) is None


@pytest.mark.parametrize(
    ("options", "imported"),
    [
        ({"exclude_paths": ["/docs/*"]}, ["/", "/shop/1", "/Docs"]),
        ({"include_paths": ["/docs/*", "/"]}, ["/", "/docs/a", "/DOCS/b"]),
        ({"exclude_paths": ["/shop"]}, ["/", "/docs/a", "/DOCS/b", "/shop/1", "/Docs"]),
        ({"include_expressions": ["^/shop/[0-9]+$"]}, ["/shop/1"]),
        ({"exclude_expressions": ["[0-9]"]}, ["/", "/docs/a", "/DOCS/b", "/Docs"]),
        ({"include_paths": ["/docs/*"], "exclude_expressions": ["b$"]}, ["/docs/a"]),
    ],
)
def test_paths_are_chosen_by_patterns_and_expressions(options: dict[str, list[str]], imported: list[str]) -> None:
    targets = ["/", "/docs/a", "/DOCS/b", "/shop/1", "/Docs"]
    chosen = Choice(ChoiceOptions(**options))  # type: ignore[arg-type]
    assert [target for target in targets if chosen.reason_against(line(target), target) is None] == imported


def test_hosts_are_chosen_by_patterns() -> None:
    assert reason(line(host="www.a.example:443"), hosts=["*.a.example"]) is None
    assert reason(line(host="a.example"), hosts=["*.a.example"]) == choice.HOST
    assert reason(line(host="www.a.example"), excluded_hosts=["www.*"]) == choice.HOST


def test_the_first_moment_is_imported_and_the_last_not() -> None:
    chosen = Choice(ChoiceOptions(since=100, until=200))
    assert [chosen.reason_against(line(time=time), "/") for time in (99, 100, 199, 200)] == [
        *(choice.TIME, None, None, choice.TIME)
    ]


def test_downloads_are_those_of_the_usual_extensions_or_those_given() -> None:
    usual, only, more = (
        Choice(ChoiceOptions(**options))
        for options in ({}, {"downloads": ["pdf, zip"]}, {"more_downloads": ["html", ".log"]})
    )
    assert [usual.is_download(path) for path in ("/a.pdf", "/a.mp3", "/a.html", "/a")] == [True, True, False, False]
    assert only.is_download("/a.ZIP")
    assert only.reason_against(line("/a.mp3"), "/a.mp3") == choice.DOWNLOAD
    assert [more.is_download(path) for path in ("/a.pdf", "/a.html", "/a.log")] == [True, True, True]


class OneSite:
    """All lines belong to site 1."""

    def of(self, line: Line) -> Destination:
        return Destination(1, f"{line.scheme or 'https'}://{line.host}")


def made(line: Line, **options: Any) -> dict[str, Any]:
    pages = PageRequests(Choice(ChoiceOptions(errors=True)), OneSite(), **options)  # type: ignore[arg-type]
    found = pages.make(line)
    assert not isinstance(found, str)
    return parse(found.request.query)


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/a?x=1&y=a+b#c", "https://a.example/a?x=1&y=a+b#c"),
        ("/k%C3%A4se", "https://a.example/k%C3%A4se"),
        ("/käse brot", "https://a.example/käse brot"),
        ("/\udcff", "https://a.example/\ufffd"),
        ("http://b.example/c?d", "http://b.example/c?d"),
    ],
)
def test_addresses_arrive_as_they_were_requested(target: str, url: str) -> None:
    assert made(line(target))["url"] == url


def test_a_query_is_left_away_when_told_so() -> None:
    assert made(line("/a?b=c"), strip_query=True)["url"] == "https://a.example/a"
    assert made(line("/a;b=c?d"), strip_query=True, separator=";")["url"] == "https://a.example/a"


def test_an_error_has_a_title_that_says_which() -> None:
    assert made(line("/gone", 404))["action_name"] == "404/URL = https%3A%2F%2Fa.example%2Fgone"


def test_what_is_no_page_is_left_out() -> None:
    pages = PageRequests(Choice(ChoiceOptions()), OneSite())  # type: ignore[arg-type]
    assert [pages.make(line(target)) for target in ("*", "a.example:443", "")] == [choice.NO_REQUEST] * 3
