"""What the reference recorded of single requests (tests/conformance/tracking, facts from ../shared/conformance).

A scenario has HTTP requests and the log rows that came of them: ids replaced by their ordinals, `idaction_*` by the
action itself.
"""

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.tracking.recorder import BatchReport, Recorder
from tracker_api import bulk, incoming

CONFORMANCE = Path(__file__).resolve().parent / "conformance"
TOPICS = tuple(sorted(path.name.removesuffix(".jsonl.gz") for path in (CONFORMANCE / "tracking").glob("*.jsonl.gz")))

_TABLES = {
    "log_visit": "idvisit",
    "log_link_visit_action": "idlink_va",
    "log_conversion": "idvisit, server_time, idgoal",
    "log_conversion_item": "idvisit, idorder, idaction_sku",
}
_NOT_COMPARED = {"config_id", "buster"}  # they depend on random salts

Rows = dict[str, list[dict[str, Any]]]


def scenarios(topic: str) -> Iterator[dict[str, Any]]:
    """The scenarios of a topic, in order."""
    with gzip.open(CONFORMANCE / "tracking" / f"{topic}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def put_sites(database: Database) -> None:
    """Write the sites that the scenarios are about, with their goals and custom dimensions."""
    for site in json.loads((CONFORMANCE / "sites.json").read_text()):
        idsite, goals, dimensions = site["idsite"], site.pop("goals"), site.pop("dimensions")
        main_url, *aliases = site.pop("urls")
        fixed = {"ts_created": "2020-01-01", "excluded_referrers": "", "group": "", "type": "website"}
        _insert(database, "site", {**site, **fixed, "main_url": main_url})
        for url in aliases:
            _insert(database, "site_url", {"idsite": idsite, "url": url})
        for goal in goals:
            defaults = {"case_sensitive": 0, "allow_multiple": 0, "revenue": 0}
            event_value = goal.pop("use_event_value_as_revenue", 0)
            _insert(database, "goal", {"idsite": idsite, **defaults, **goal, "event_value_as_revenue": event_value})
        index: Counter[str] = Counter()
        for number, dimension in enumerate(dimensions, 1):
            index[dimension["scope"]] += 1
            extractions = json.dumps(dimension.pop("extractions", []))
            own = {"idcustomdimension": number, "idsite": idsite, "index": index[dimension["scope"]]}
            _insert(database, "custom_dimensions", {**own, **dimension, "extractions": extractions})


def _insert(database: Database, table: str, values: dict[str, Any]) -> None:
    columns = ", ".join(f"`{column}`" for column in values)
    places = ", ".join(["%s"] * len(values))
    database.execute(f"INSERT INTO {database.table(table)} ({columns}) VALUES ({places})", tuple(values.values()))


def requests_of(request: dict[str, Any], token: str) -> list[TrackingRequest]:
    """What the endpoint queues of a recorded HTTP request."""
    query, body = (
        request[part].replace("%7BTOKEN%7D", token).replace("{TOKEN}", token).encode() for part in ("query", "body")
    )
    headers = incoming.kept_headers((k.lower().encode(), v.encode()) for k, v in request["headers"].items())
    if bulk.is_bulk(body):
        read = bulk.read(body, 1000)
        queued = [(entry, b"", read.token) for entry in read.entries if entry is not None]
    else:
        queued = [(query, body, "")]
    return [
        TrackingRequest(time.time(), "127.0.0.1", query, body, headers, bulk_token)
        for query, body, bulk_token in queued
        if incoming.text(incoming.parse(query) | incoming.parse(body), "rec") == "1"
    ]


def record(recorder: Recorder, database: Database, batch: Sequence[TrackingRequest]) -> BatchReport:
    """Record a batch as a worker does."""
    prepared = recorder.prepare(batch)
    with database.transaction():
        return recorder.write(prepared)


def rows_after(database: Database, idvisit: int) -> Rows:
    """The log rows of the visits after this one, as the scenarios have them."""
    found: Rows = {}
    for table, order in _TABLES.items():
        columns = _columns(database, table)
        names = ", ".join(f"`{column}`" for column in columns)
        rows = database.query(
            f"SELECT {names} FROM {database.table(table)} WHERE idvisit > %s ORDER BY {order}", (idvisit,)
        )
        found[table] = [dict(zip(columns, row, strict=True)) for row in rows]
    return _readable(found, _actions(database))


def _columns(database: Database, table: str) -> list[str]:
    rows = database.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position",
        (database.name, f"{database.prefix}{table}"),
    )
    return [name for (name,) in rows]


def _actions(database: Database) -> dict[int, dict[str, Any]]:
    rows = database.query(f"SELECT idaction, type, name, url_prefix FROM {database.table('log_action')}")
    return {idaction: {"type": kind, "name": name, "url_prefix": prefix} for idaction, kind, name, prefix in rows}


def _readable(tables: Rows, actions: dict[int, dict[str, Any]]) -> Rows:
    visits = {row["idvisit"]: number for number, row in enumerate(tables["log_visit"], 1)}
    links = {row["idlink_va"]: number for number, row in enumerate(tables["log_link_visit_action"], 1)}

    def readable(column: str, value: Any) -> Any:
        if column == "idvisit":
            return visits[value]
        if column in ("idlink_va", "last_idlink_va"):
            return links.get(value, value)
        if "idaction" in column:
            return actions[value] if value else value
        if isinstance(value, bytes | bytearray):
            return str(ip_address(bytes(value))) if column == "location_ip" else bytes(value).hex()
        if isinstance(value, datetime | timedelta):
            return str(value)
        return float(value) if isinstance(value, Decimal) else value

    return {
        table: [
            {column: readable(column, row[column]) for column in row if column not in _NOT_COMPARED} for row in rows
        ]
        for table, rows in tables.items()
    }


def differences(expected: Rows, actual: Rows) -> list[str]:
    """Where rows differ from the recorded ones, a line each."""
    lines = []
    for table, expected_rows in expected.items():
        wanted, got = _sorted(table, expected_rows), _sorted(table, actual[table])
        if len(wanted) != len(got):
            lines.append(f"{table} has {len(got)} rows instead of {len(wanted)}")
        for number, (want, have) in enumerate(zip(wanted, got, strict=False), 1):
            lines += [
                f"{table} row {number}: {column} is {have.get(column)!r} instead of {value!r}"
                for column, value in want.items()
                if not _same(value, have.get(column))
            ]
    return lines


def _sorted(table: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in an order that does not depend on ids; visits and actions are in the order of the requests."""
    if table in ("log_visit", "log_link_visit_action"):
        return list(rows)
    names = ("idvisit", "server_time", "idgoal", "idorder", "idaction_sku", "url", "idlink_va")
    return sorted(rows, key=lambda row: [json.dumps(row.get(name), sort_keys=True) for name in names])


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, dict) and expected.get("any"):
        return True
    if isinstance(expected, float) and isinstance(actual, int | float):
        return abs(expected - actual) <= 1e-6 * max(1.0, abs(expected)) + 1e-4
    return bool(expected == actual)
