"""No value that a client sends becomes part of a statement: whatever it is, and wherever it comes.

Every method of the API and the tracker are given a text that would break out of a quoted value; every statement that
reaches the driver is looked at.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
import recorded_tracking
from falcon import testing

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.management.management import METHODS
from footfall.management.method import Method
from footfall.plugins import methods, reports
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from footfall.users import Users
from tracker_api.app import create_app

MARK = "m4rk"
HOSTILE = f"{MARK}'\"`\\%s%(x)s;-- {MARK}"
FITTING = dict(
    parse_qsl(
        "idSite=1&idSites=1&initialIdSite=1&siteName=Shop&urls[]=https://x.example&userLogin=anna&userLogins=anna"
        "&login=anna&password=secret!&email=a@x.example&userEmail=b@x.example&passwordConfirmation=secret!"
        "&access=view&name=Goal&matchAttribute=url&pattern=x&patternType=contains&caseSensitive=0&idGoal=1"
        "&idDimension=1&scope=visit&active=1&timezone=UTC&currency=EUR&languageCode=de&defaultTimezone=UTC"
        "&defaultCurrency=EUR&description=d&hasSuperUserAccess=0&url=https://x.example&enabled=0&orderByName=0"
        "&group=x&type=website"
    )
)
ASKED = dict(
    parse_qsl(
        "idSite=1&period=range&date=2026-08-01,2026-08-03&segment=visitCount>0&label=x&filter_pattern=x"
        "&filter_column=label&filter_sort_column=label&filter_sort_order=asc&filter_limit=5&filter_offset=0"
        "&filter_excludelowpop=nb_visits&idSubtable=1&flat=1&idGoal=1&idDimension=1&columns=nb_visits"
        "&showColumns=nb_visits&hideColumns=x&language=en&format=JSON&expanded=1&format_metrics=1&lastMinutes=30"
        "&idVisit=1&filter_excludelowpop_value=1&visitorId=0123456789abcdef&countVisitorsToFetch=3"
        "&apiModule=Actions&apiAction=getPageUrls&pattern=x&minTimestamp=1"
    )
)

Statements = list[str]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """The text of every statement; of those that the recorder quotes values in, without them."""
    seen: Statements = []

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: Database, sql: str | bytes, values: Any = (), *more: Any) -> Any:
            seen.append(sql if isinstance(sql, str) else unquoted(sql))
            return original(self, sql, values, *more)

        return run

    for name in ("query", "execute", "insert"):
        monkeypatch.setattr(Database, name, watched(getattr(Database, name)))
    return seen


def unquoted(statement: bytes) -> str:
    """A statement without its quoted values."""
    kept, quoted, escaped = bytearray(), False, False
    for byte in statement:
        if not quoted:
            quoted = byte == ord("'")
            kept.append(byte)
        elif escaped:
            escaped = False
        elif byte == ord("\\"):
            escaped = True
        else:
            quoted = byte != ord("'")
    assert not quoted, "a value ends the statement"
    return kept.decode()


@pytest.fixture
def ask(settings: Settings, database: Database, clock: FixedClock) -> Iterator[Callable[[dict[str, str]], str]]:
    """Asks the API as a superuser, with the method in the parameters; the answer."""
    recorded_tracking.put_sites(database)
    token = Users(database, settings, SystemClock()).create_token("admin", "test", superuser=True)
    client = testing.TestClient(create_app(settings, clock))

    def send(parameters: dict[str, str]) -> str:
        query = urlencode({"module": "API", "format": "JSON", "token_auth": token} | parameters)
        return str(client.simulate_get("/index.php", query_string=query).text)

    yield send


def with_one_hostile(method: Method) -> Iterator[dict[str, str]]:
    """Calls of the method, each with another parameter hostile, the others fitting as far as they are needed."""
    names = [parameter.name for parameter in method.parameters]
    fitting = {name: FITTING[name] for name in names if name in FITTING}
    if "urls" in names:
        fitting["urls[]"] = FITTING["urls[]"]
    for name in names:
        yield {"method": method.name, **fitting, name: HOSTILE}
        yield {"method": method.name, **fitting, f"{name}[{HOSTILE}]": HOSTILE}


def test_no_value_of_the_management_api_is_in_a_statement(
    ask: Callable[[dict[str, str]], str], statements: Statements
) -> None:
    ask({"method": "UsersManager.addUser", **FITTING})
    for method in METHODS.values():
        for call in with_one_hostile(method):
            ask(call)
    assert len(statements) > 200
    assert [sql for sql in statements if MARK in sql] == []


def test_no_value_of_a_report_request_is_in_a_statement(
    ask: Callable[[dict[str, str]], str], statements: Statements
) -> None:
    some = ["Actions.getPageUrls", "Goals.get", "CustomDimensions.getCustomDimension", "Referrers.getKeywords"]
    for name in [*some, *methods()]:
        assert name in reports() or name in methods()
        for parameter in ASKED:
            ask({"method": name, **ASKED, parameter: HOSTILE})
    for operator in ("==", "!=", "=@", "!@", "=^", "=$", ">", "<="):
        for segment in ("pageUrl", "userId", "visitorId", "visitIp", "countryCode", "dimension1", "eventCategory"):
            ask({"method": some[0], **ASKED, "segment": f"{segment}{operator}{quote(HOSTILE)}"})
    assert len(statements) > 500
    assert [sql for sql in statements if MARK in sql] == []


def test_no_value_of_a_tracking_request_is_in_a_statement(
    settings: Settings, database: Database, statements: Statements
) -> None:
    recorded_tracking.put_sites(database)
    recorder = Recorder(database, settings, SystemClock())
    url = "https://shop.example.com/"
    names = (
        *(
            "url",
            "urlref",
            "action_name",
            "_id",
            "cid",
            "uid",
            "pv_id",
            "res",
            "lang",
            "ua",
            "uadata",
            "link",
            "download",
        ),
        *(
            "search",
            "search_cat",
            "e_c",
            "e_a",
            "e_n",
            "c_n",
            "c_p",
            "c_t",
            "ec_id",
            "ec_items",
            "cvar",
            "_cvar",
            "city",
        ),
        *("dimension1", "dimension2", "_rcn", "_rck", "country", "region", "idgoal", "revenue", "cdt", "cip"),
    )
    for name in names:
        for value in (HOSTILE, f"{url}{HOSTILE}", f'[["{HOSTILE[:4]}\'\\\\",1]]', f'{{"1":["{MARK}\'","{MARK}\\\\"]}}'):
            parameters = {
                "idsite": 1,
                "rec": 1,
                "url": url,
                "new_visit": 1,
                "idgoal": 0,
                "ec_id": f"{name}{value}"[:90],
            }
            kinds = (
                parameters | {name: value},
                {"idsite": 1, "rec": 1, "url": url, "e_c": "c", "e_a": "a", name: value},
            )
            headers = {"user-agent": HOSTILE, "accept-language": HOSTILE, "referer": HOSTILE}
            batch = [TrackingRequest(1_785_000_000.0, "192.0.2.1", urlencode(k).encode(), b"", headers) for k in kinds]
            recorded_tracking.record(recorder, database, batch)
    assert len(statements) > 500
    assert [sql for sql in statements if MARK in sql] == []
    assert database.query("SELECT COUNT(*) > 0 FROM log_action WHERE name LIKE %s", (f"%{MARK}'%",)) == [(1,)]
