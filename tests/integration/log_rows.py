"""Log rows for tests of archiving, written without the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from footfall.database import Database

_SITE = (
    "(idsite, name, main_url, timezone, currency, sitesearch_keyword_parameters, sitesearch_category_parameters, "
    "excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, `group`, type) "
    "VALUES (%s, 'Shop', 'https://shop.example', %s, 'EUR', '', '', '', '', '', '', '', 'website')"
)


def add_site(database: Database, idsite: int = 1, timezone: str = "UTC") -> int:
    """A site; its id."""
    database.execute(f"INSERT INTO {database.table('site')} {_SITE}", (idsite, timezone))
    return idsite


def add_visit(
    database: Database,
    idsite: int,
    begin: datetime,
    pages: Sequence[str] = ("a",),
    *,
    visitor: int = 1,
    user: str | None = None,
    seconds: int = 10,
) -> None:
    """A visit that saw these pages (paths of URLs) with so many seconds between them; touches its day in UTC."""
    ids = [_action(database, f"shop.example/{page}") for page in pages]
    moments = [begin + timedelta(seconds=seconds * number) for number in range(len(pages))]
    idvisit = database.insert(
        f"INSERT INTO {database.table('log_visit')} (idsite, idvisitor, visit_last_action_time, config_id, "
        "location_ip, user_id, visit_first_action_time, visit_total_actions, visit_total_time, "
        "visit_entry_idaction_url, visit_exit_idaction_url) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(idsite, visitor.to_bytes(8, "big"), moments[-1], bytes(8), bytes(4), user, begin, len(pages)),
            *(seconds * (len(pages) - 1), ids[0], ids[-1]),
        ),
    )
    for number, (action, moment) in enumerate(zip(ids, moments, strict=True)):
        database.execute(
            f"INSERT INTO {database.table('log_link_visit_action')} (idsite, idvisitor, idvisit, server_time, "
            "idaction_url, idaction_url_ref, time_spent_ref_action) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                *(idsite, visitor.to_bytes(8, "big"), idvisit, moment, action),
                *((ids[number - 1], seconds) if number else (0, 0)),
            ),
        )
    touch(database, idsite, moments[-1])


def touch(database: Database, idsite: int, moment: datetime) -> None:
    """What recording does beside the rows."""
    database.execute(
        f"INSERT IGNORE INTO {database.table('footfall_touched_day')} (idsite, date1, ts_touched) VALUES (%s, %s, %s)",
        (idsite, moment.date(), moment),
    )


def _action(database: Database, name: str) -> int:
    table = database.table("log_action")
    found = database.query(f"SELECT idaction FROM {table} WHERE name = %s AND type = 1", (name,))
    if found:
        return int(found[0][0])
    return database.insert(f"INSERT INTO {table} (name, hash, type, url_prefix) VALUES (%s, 0, 1, 2)", (name,))
