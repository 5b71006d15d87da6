"""Writes the rows of a batch: one multi-row statement per table.

Values are quoted by the driver, all at once; binding each through its statement parser took twice the client's CPU
(bench/, MEASUREMENTS.md).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from footfall.database import Database
from footfall.tracking.hit import FLAGS, TIMINGS
from footfall.tracking.visits import Link, Visit

_BINARY = frozenset({"idvisitor", "config_id", "location_ip"})

_VISIT_COLUMNS = (
    "idsite",
    "idvisitor",
    "visit_last_action_time",
    "config_id",
    "location_ip",
    "profilable",
    "user_id",
    "visit_first_action_time",
    "visit_goal_buyer",
    "visit_goal_converted",
    "visitor_returning",
    "visitor_seconds_since_first",
    "visitor_count_visits",
    "visit_entry_idaction_name",
    "visit_entry_idaction_url",
    "visit_exit_idaction_name",
    "visit_exit_idaction_url",
    "visit_total_actions",
    "visit_total_interactions",
    "visit_total_searches",
    "referer_type",
    "referer_name",
    "referer_keyword",
    "referer_url",
    "location_browser_lang",
    "config_browser_engine",
    "config_browser_name",
    "config_browser_version",
    "config_client_type",
    "config_device_brand",
    "config_device_model",
    "config_device_type",
    "config_os",
    "config_os_version",
    "visit_total_events",
    "visitor_localtime",
    "visitor_seconds_since_last",
    "config_resolution",
    "visit_total_time",
    "location_city",
    "location_country",
    "location_latitude",
    "location_longitude",
    "location_region",
    *FLAGS,
)
_LINK_COLUMNS = (
    "idsite",
    "idvisitor",
    "idvisit",
    "idaction_url_ref",
    "idaction_name_ref",
    "pageview_position",
    "time_spent",
    "server_time",
    "idpageview",
    "idaction_name",
    "idaction_url",
    "time_spent_ref_action",
    *TIMINGS,
)
# What a further hit may change in a visit that the database has, with the type for JSON_TABLE.
_CHANGES = {
    "idvisitor": "CHAR(16)",
    "profilable": "TINYINT",
    "user_id": "VARCHAR(200)",
    "visit_last_action_time": "DATETIME",
    "visit_exit_idaction_url": "INT UNSIGNED",
    "visit_exit_idaction_name": "INT UNSIGNED",
    "visit_total_actions": "INT UNSIGNED",
    "visit_total_interactions": "INT UNSIGNED",
    "visit_total_time": "INT UNSIGNED",
    "last_idlink_va": "BIGINT UNSIGNED",
}


def insert_visits(database: Database, visits: Sequence[Visit]) -> None:
    """Insert new visits and give each its idvisit."""
    first, step = _insert(database, "log_visit", _VISIT_COLUMNS, [_visit_row(visit) for visit in visits])
    for number, visit in enumerate(visits):
        visit.idvisit = first + number * step


def insert_links(database: Database, links: Sequence[Link]) -> None:
    """Insert the actions of visits that have their idvisit, and give each its idlink_va."""
    first, step = _insert(database, "log_link_visit_action", _LINK_COLUMNS, [_link_row(link) for link in links])
    for number, link in enumerate(links):
        link.idlink_va = first + number * step


def update_visits(database: Database, visits: Sequence[Visit]) -> None:
    """Write what a batch changed in visits that have their idvisit."""
    rows = [
        (
            visit.idvisit,
            visit.idvisitor.hex(),
            visit.profilable,
            visit.user_id,
            database_time(visit.last_action_time),
            visit.exit_idaction_url,
            visit.exit_idaction_name,
            visit.total_actions,
            visit.total_interactions,
            visit.total_time,
            visit.last_idlink_va,
        )
        for visit in visits
    ]
    columns = ", ".join(f"`{name}` {kind} PATH '$[{i}]'" for i, (name, kind) in enumerate(_CHANGES.items(), 1))
    changes = ", ".join(
        f"v.`{name}` = {'UNHEX(k.idvisitor)' if name == 'idvisitor' else f'k.`{name}`'}" for name in _CHANGES
    )
    database.execute(
        f"UPDATE {database.table('log_visit')} v JOIN JSON_TABLE(%s, '$[*]' COLUMNS (idvisit BIGINT UNSIGNED "
        f"PATH '$[0]', {columns})) k ON v.idvisit = k.idvisit SET {changes}",
        (msgspec.json.encode(rows).decode(),),
    )


def update_referrers(database: Database, visits: Sequence[Visit]) -> None:
    """Write where visits came from that seemed direct at first."""
    rows = [(visit.idvisit, *visit.referrer[:4]) for visit in visits]
    database.execute(
        f"UPDATE {database.table('log_visit')} v JOIN JSON_TABLE(%s, '$[*]' COLUMNS (idvisit BIGINT UNSIGNED "
        "PATH '$[0]', type TINYINT UNSIGNED PATH '$[1]', name VARCHAR(255) PATH '$[2]', "
        "keyword VARCHAR(255) PATH '$[3]', url VARCHAR(1500) PATH '$[4]')) k ON v.idvisit = k.idvisit "
        "SET v.referer_type = k.type, v.referer_name = k.name, v.referer_keyword = k.keyword, v.referer_url = k.url",
        (msgspec.json.encode(rows).decode(),),
    )


def update_time_spent(database: Database, seconds: dict[int, int]) -> None:
    """Write how long actions that the database has lasted, by idlink_va."""
    database.execute(
        f"UPDATE {database.table('log_link_visit_action')} a JOIN JSON_TABLE(%s, '$[*]' COLUMNS (idlink_va "
        "BIGINT UNSIGNED PATH '$[0]', time_spent INT UNSIGNED PATH '$[1]')) k ON a.idlink_va = k.idlink_va "
        "SET a.time_spent = k.time_spent",
        (msgspec.json.encode(sorted(seconds.items())).decode(),),
    )


def touch_days(database: Database, days: Sequence[tuple[int, str]], now: str) -> None:
    """Remember the site-days (idsite, date) that received rows, for `archive_cli run`."""
    database.execute(
        f"INSERT IGNORE INTO {database.table('footfall_touched_day')} (idsite, date1, ts_touched) VALUES "
        + ", ".join(["(%s, %s, %s)"] * len(days)),
        [value for idsite, day in days for value in (idsite, day, now)],
    )


def database_time(moment: int) -> str:
    """A Unix time as MySQL's DATETIME, in UTC."""
    days, seconds = divmod(moment, 86_400)
    return f"{_date(days)} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@lru_cache(maxsize=1024)
def _date(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days)).isoformat()


def _insert(database: Database, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> tuple[int, int]:
    """Insert rows in one statement; the first AUTO_INCREMENT id and the step to the next.

    The ids of one multi-row VALUES statement follow each other in every innodb_autoinc_lock_mode.
    """
    connection = database.connection()
    quoted = list(connection.prepare_for_mysql([value for row in rows for value in row]))
    width = len(columns)
    binary = [i for i, column in enumerate(columns) if column in _BINARY]
    parts = []
    for start in range(0, len(quoted), width):
        cells = quoted[start : start + width]
        for i in binary:
            cells[i] = b"_binary" + cells[i]
        parts.append(b"(" + b",".join(cells) + b")")
    names = ", ".join(f"`{column}`" for column in columns)
    head = f"INSERT INTO {database.table(table)} ({names}) VALUES ".encode()
    return database.insert(head + b",".join(parts)), database.auto_increment_step()


def _visit_row(visit: Visit) -> tuple[Any, ...]:
    hit, device = visit.opened_by, visit.device
    assert hit is not None and device is not None, "only a visit that this batch began is inserted"
    location = hit.location
    return (
        visit.idsite,
        visit.idvisitor,
        database_time(visit.last_action_time),
        visit.config_id,
        hit.address,
        visit.profilable,
        visit.user_id,
        database_time(visit.first_action_time),
        0,
        0,
        visit.returning,
        visit.seconds_since_first,
        visit.count_visits,
        visit.entry_idaction_name,
        visit.entry_idaction_url,
        visit.exit_idaction_name,
        visit.exit_idaction_url,
        visit.total_actions,
        visit.total_interactions,
        0,
        *visit.referrer[:4],
        hit.language,
        device.browser_engine,
        device.browser_name,
        device.browser_version,
        device.client_type,
        device.brand,
        device.model,
        device.device_type,
        device.os,
        device.os_version,
        0,
        hit.local_time,
        visit.seconds_since_last,
        hit.resolution,
        visit.total_time,
        location.city,
        location.country,
        location.latitude,
        location.longitude,
        location.region,
        *hit.flags,
    )


def _link_row(link: Link) -> tuple[Any, ...]:
    visit, hit = link.visit, link.hit
    return (
        visit.idsite,
        link.idvisitor,
        visit.idvisit,
        link.idaction_url_ref,
        link.idaction_name_ref,
        link.position,
        link.time_spent,
        database_time(hit.time),
        hit.page_view_id,
        link.idaction_name,
        link.idaction_url,
        link.time_spent_ref,
        *hit.timings,
    )
