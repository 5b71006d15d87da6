"""Lines of web server logs, taken apart: each format, as its server's documentation has it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from footfall.errors import InvalidInput
from footfall.importing.formats.log_format import compile_log_format
from footfall.importing.formats.pattern import unescaped
from footfall.importing.formats.recognition import FormatOptions, UnknownFormat, chosen_format, recognise
from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC).timestamp()
CLF = "12/Aug/2026:12:00:00 +0000"
AGENT = "Mozilla/5.0 (X11)"
COMBINED = f'192.0.2.1 - - [{CLF}] "GET /a?b=c HTTP/1.1" 200 512 "https://x.example/" "{AGENT}"'


def read(text: str, **options: Any) -> Line:
    found = recognise([text], FormatOptions(**options)).read(text)
    assert found is not None
    return found


def values(line: Line, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(line, name) for name in names)


# Formats of servers


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("common", f'192.0.2.1 - ann [{CLF}] "GET /a HTTP/1.1" 304 -', {"user": "ann", "length": None, "status": 304}),
        ("combined", COMBINED, {"referrer": "https://x.example/", "user_agent": AGENT, "target": "/a?b=c"}),
        ("combined", f'{COMBINED} 0.003 "-" more', {"user_agent": AGENT, "length": 512}),
        ("vhost_common", f'a.example:80 192.0.2.1 - - [{CLF}] "GET / HTTP/1.1" 200 5', {"host": "a.example:80"}),
        ("vhost_combined", f"a.example {COMBINED}", {"host": "a.example", "address": "192.0.2.1"}),
        (
            "elb",
            "2026-08-12T12:00:00.000000Z lb 192.0.2.1:2817 10.0.0.1:80 0.001 0.102 0.000 200 200 0 57 "
            f'"GET https://a.example:443/a?b HTTP/1.1" "{AGENT}" - -',
            {"host": "a.example:443", "scheme": "https", "target": "/a?b", "milliseconds": 102, "length": 57},
        ),
        (
            "alb",
            "h2 2026-08-12T12:00:00.000000Z app/lb/1 192.0.2.1:2817 10.0.0.1:80 0.001 -1 -1 502 - 0 57 "
            f'"GET https://a.example:443/a HTTP/2.0" "{AGENT}" E T arn "Root=1" "a.example" "arn" 0 time "forward" "-"',
            {"status": 502, "milliseconds": None, "target": "/a", "user_agent": AGENT},
        ),
        (
            "s3",
            f'own a.example [{CLF}] 192.0.2.1 - ID REST.GET.OBJECT a.png "GET /a.png HTTP/1.1" 200 - 7 7 10 9 "-" '
            f'"{AGENT}" - extra',
            {"host": "a.example", "length": 7, "referrer": "", "user_agent": AGENT},
        ),
        (
            "haproxy",
            "Aug 12 12:00:00 lb haproxy[680]: 192.0.2.1:5500 [12/Aug/2026:12:00:00.584] ft~ bk/abc 0/0/0/72/72 200 81 "
            '- - ---- 5/4/0/1/0 0/0 {a|b} {} "GET /a HTTP/1.1"',
            {"target": "/a", "status": 200, "length": 81, "time": NOON + 0.584},
        ),
        (
            "json",
            '{"remote_addr": "192.0.2.1", "request": "GET /a HTTP/1.1", "time_iso8601": "2026-08-12T14:00:00+02:00", '
            '"status": 200, "request_time": 0.25, "http_user_agent": "caf\\xC3\\xA9"}',
            {"target": "/a", "method": "GET", "status": 200, "milliseconds": 250},
        ),
        (
            "caddy",
            '{"ts": 1786536000.5, "request": {"client_ip": "192.0.2.1", "method": "GET", "host": "a.example", '
            '"uri": "/a", "headers": {"User-Agent": ["X"], "Accept-Language": ["de"]}, "tls": {}}, "status": 200, '
            '"size": 9, "duration": 0.0125}',
            {"scheme": "https", "language": "de", "user_agent": "X", "milliseconds": 12, "time": NOON + 0.5},
        ),
    ],
)
def test_a_format_is_recognised_and_read(name: str, text: str, expected: dict[str, Any]) -> None:
    found = recognise([text], FormatOptions())
    line = found.read(text)
    assert line is not None
    assert found.name == name
    assert line.address == "192.0.2.1"
    assert int(line.time) == NOON
    assert {field: getattr(line, field) for field in expected} == expected
    named = chosen_format(FormatOptions(name))
    assert named is not None
    assert named.read(text) == line


def test_w3c_fields_are_read_as_the_log_names_them() -> None:
    log = [
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status time-taken cs-host s-port",
        "2026-08-12 12:00:00 /a b=c 192.0.2.1 Mozilla/5.0+(X11) 200 15 a.example 443",
    ]
    found = recognise(log, FormatOptions())
    assert [found.read(text) for text in log[:2]] == [None, None]
    line = found.read(log[2])
    assert line is not None
    assert values(line, "time", "target", "host", "milliseconds") == (NOON, "/a?b=c", "a.example", 15)
    assert line.user_agent == "Mozilla/5.0+(X11)"  # as the reference has it (conformance: import, iis)
    assert found.header.splitlines() == log[:2]


def test_time_taken_is_in_seconds_unless_iis_wrote_it_or_somebody_says_otherwise() -> None:
    log = ["#Fields: date time cs-uri c-ip time-taken", "2026-08-12 12:00:00 /a 192.0.2.1 0.015"]
    for fields, expected in (({}, 15), ({"time-taken": "milliseconds"}, 0)):
        found = recognise(log, FormatOptions(fields=fields))
        found.read(log[0])
        line = found.read(log[1])
        assert line is not None
        assert line.milliseconds == expected


def test_cloudfront_encodes_agents_once_or_twice() -> None:
    header = "#Fields: date time x-edge-location c-ip cs-uri-stem cs(User-Agent) sc-status"
    for agent in ("Mozilla/5.0%20(X11)", "Mozilla/5.0%2520(X11)"):
        text = f"2026-08-12\t12:00:00\tFRA\t192.0.2.1\t/a\t{agent}\t200"
        found = recognise([header, text], FormatOptions())
        found.read(header)
        line = found.read(text)
        assert line is not None
        assert line.user_agent == AGENT


def test_a_w3c_log_without_fields_is_read_with_those_given() -> None:
    found = chosen_format(FormatOptions(w3c_fields="#Fields: date time c-ip cs-uri-stem"))
    assert found is not None
    line = found.read("2026-08-12 12:00:00 192.0.2.1 /a")
    assert line is not None
    assert values(line, "time", "address", "target") == (NOON, "192.0.2.1", "/a")


def test_a_field_is_what_a_person_says_it_is() -> None:
    text = '{"client": "192.0.2.1", "page": "/a", "at": "2026-08-12T12:00:00Z", "took_us": 1500}'
    own = {"client": "address", "page": "target", "at": "time", "took_us": "microseconds"}
    line = read(text, fields=own)
    assert values(line, "address", "target", "time", "milliseconds") == ("192.0.2.1", "/a", NOON, 2)


@pytest.mark.parametrize(
    "prefix",
    [
        "Aug 12 12:00:01 web1 nginx: ",
        "<190>Aug  2 12:00:01 web1 nginx[80]: ",
        "2026-08-12T12:00:01.123456+02:00 web1 httpd[7]: ",
    ],
)
def test_what_syslog_puts_before_a_line_is_passed_over(prefix: str) -> None:
    assert read(prefix + COMBINED) == read(COMBINED)


# Definitions


@pytest.mark.parametrize(
    ("definition", "text", "expected"),
    [
        (
            'LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\" %D" timed',
            f"{COMBINED} 2500",
            {"milliseconds": 2, "user_agent": AGENT},
        ),
        ("%v:%p %a %t %m %U%q %s %T", f"a.example:443 192.0.2.1 [{CLF}] GET /a?b 200 3", {"milliseconds": 3000}),
        ("%{%F %T}t %a %{ms}T %U", "2026-08-12 12:00:00 192.0.2.1 17 /a", {"milliseconds": 17, "target": "/a"}),
        ("%{sec}t\t%a\t%!200,304s\t%U", "1786536000\t192.0.2.1\t404\t/a b", {"status": 404, "target": "/a b"}),
        ('%{X-Forwarded-For}i %h %t "%r"', f'192.0.2.1, 10.0.0.1 10.0.0.2 [{CLF}] "GET /a HTTP/1.1"', {}),
        (
            "log_format main escape=json '$remote_addr - $remote_user [$time_local] ' '\"$request\" $status '\n"
            '  \'$body_bytes_sent "$http_referer" "$http_user_agent" $host $request_time\';',
            f"{COMBINED} a.example 0.123",
            {"host": "a.example", "milliseconds": 123},
        ),
        (
            '{"t":"$time_iso8601","a":"$remote_addr","u":"$request_uri","ua":"$http_user_agent"}',
            '{"t":"2026-08-12T12:00:00+00:00","a":"192.0.2.1","u":"/a","ua":"say \\"hi\\""}',
            {"user_agent": 'say "hi"'},
        ),
    ],
)
def test_a_format_is_made_from_a_servers_definition(definition: str, text: str, expected: dict[str, Any]) -> None:
    line = compile_log_format(definition, Times()).read(text)
    assert line is not None
    assert values(line, "address", "time") == ("192.0.2.1", NOON)
    assert line.target.startswith("/a")
    assert {field: getattr(line, field) for field in expected} == expected


@pytest.mark.parametrize("definition", ["%h %u", "%t %b", "combined", "", '$remote_addr "$request"'])
def test_a_definition_that_says_too_little_is_refused(definition: str) -> None:
    with pytest.raises(InvalidInput, match="says nothing about"):
        compile_log_format(definition, Times())


# Odd lines


@pytest.mark.parametrize(
    ("request_line", "target"),
    [
        ("GET /a b HTTP/1.1", "/a b"),
        ("GET /old", "/old"),
        ("-", ""),
        ("", ""),
        (r"\x16\x03\x01\x02", ""),
        (r"GET /k\xc3\xa4se HTTP/1.1", "/käse"),
        (r"GET /a?q=\"x\" HTTP/1.1", '/a?q="x"'),
        ("GET https://other.example/a HTTP/1.1", "https://other.example/a"),
    ],
)
def test_request_lines_of_all_kinds(request_line: str, target: str) -> None:
    assert read(COMBINED.replace("GET /a?b=c HTTP/1.1", request_line)).target == target


def test_quotes_within_an_agent_do_not_end_it() -> None:
    assert read(COMBINED.replace(AGENT, r"a \"b\" c\\")).user_agent == 'a "b" c\\'


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    assert unescaped(r"\xff\xfe").encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12/Aug/2026:12:00:00 +0000", NOON),
        ("12/Aug/2026:06:30:00 -0530", NOON),
        ("2026-08-12T12:00:00Z", NOON),
        ("2026-08-12T14:00:00.250+02:00", NOON + 0.25),
        ("1786536000", NOON),
        ("1786536000.5", NOON + 0.5),
        ("1786536000500", NOON + 0.5),
        ("1786536000500000", NOON + 0.5),
        ("12/Aug/2026:14:00:00", NOON),  # in the zone of the log
    ],
)
def test_moments_in_all_ways_of_writing(text: str, moment: float) -> None:
    assert Times(timezone(timedelta(hours=2)))(text) == moment


def test_lines_of_another_format_are_unreadable() -> None:
    with pytest.raises(UnknownFormat):
        recognise(["what is this", "?"], FormatOptions())
    named = chosen_format(FormatOptions("common"))
    assert named is not None
    with pytest.raises(Unreadable):
        named.read(COMBINED)


@pytest.mark.parametrize(
    "text",
    [
        *("a:1" * 20_000, "1:1 " * 15_000, "[1] " * 15_000, "- " * 30_000, '"' * 60_000, "\\" * 60_000),
        *("[" * 60_000, '{"a":' * 12_000, f'192.0.2.1 - - [{CLF}] "GET ' + '\\"' * 30_000),
        *("Aug 12 06:10:24 lb haproxy[680]: " + "1.1.1.1:1 [" * 5_000, "GET http://" * 5_000),
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_line_holds_no_format_up(text: str) -> None:
    """An expression that looks at a line in every way there is would take minutes; pytest's time limit tells."""
    with pytest.raises(UnknownFormat):
        recognise([text], FormatOptions())
