"""Reads visits, what happened in them and what came of it, for a few visits at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from footfall.archiving.logreader import LogReader, Reading
from footfall.archiving.periods import ONE_DAY
from footfall.archiving.segment import Segment
from footfall.archiving.segments import VISIT
from footfall.database import Database

Record = dict[str, Any]
Window = tuple[datetime, datetime]
"""From a moment to before another, naive and in UTC."""

_VARIABLES: Final = tuple(f"custom_var_{part}{slot}" for slot in range(1, 6) for part in "kv")
_DIMENSIONS: Final = tuple(f"custom_dimension_{index}" for index in range(1, 6))
VISIT_COLUMNS: Final = (
    *("idsite", "idvisit", "idvisitor", "config_id", "location_ip", "user_id"),
    *("visit_first_action_time", "visit_last_action_time", "visit_total_time", "visitor_localtime"),
    *("visitor_returning", "visitor_count_visits", "visit_goal_buyer", "visit_goal_converted"),
    *("visitor_seconds_since_first", "visitor_seconds_since_last", "visitor_seconds_since_order"),
    *("visit_total_actions", "visit_total_interactions", "visit_total_searches", "visit_total_events"),
    *("referer_type", "referer_name", "referer_keyword", "referer_url"),
    *("location_browser_lang", "location_country", "location_region", "location_city"),
    *("location_latitude", "location_longitude", "config_resolution"),
    *("config_browser_engine", "config_browser_name", "config_browser_version", "config_os", "config_os_version"),
    *("config_device_type", "config_device_brand", "config_device_model"),
    *("config_cookie", "config_flash", "config_java", "config_pdf", "config_quicktime", "config_realplayer"),
    *("config_silverlight", "config_windowsmedia", *_DIMENSIONS, *_VARIABLES),
)
_ACTION_COLUMNS: Final = (
    *("idvisit", "idlink_va", "server_time", "idpageview", "pageview_position", "time_spent_ref_action"),
    *("idaction_url", "idaction_name", "idaction_event_category", "idaction_event_action", "custom_float"),
    *("idaction_content_name", "idaction_content_piece", "idaction_content_target", "idaction_content_interaction"),
    *("search_cat", "search_count", "time_network", "time_server", "time_transfer", "time_dom_processing"),
    *("time_dom_completion", "time_on_load", *_DIMENSIONS, *_VARIABLES),
)
_CONVERSION_COLUMNS: Final = (
    *("idvisit", "idgoal", "idlink_va", "idorder", "server_time", "url", "items", "revenue", "revenue_subtotal"),
    *("revenue_tax", "revenue_shipping", "revenue_discount", "referer_type", "referer_name", "referer_keyword"),
)
_ITEM_COLUMNS: Final = (
    *("idvisit", "idorder", "idaction_sku", "idaction_name", "idaction_category", "idaction_category2"),
    *("idaction_category3", "idaction_category4", "idaction_category5", "price", "quantity"),
)
_MOST_ACTIONS: Final = 500  # of one visit that are shown
_DAYS_BACK: Final = 30  # how far visits of a segment are looked for when no period is given


@dataclass(frozen=True)
class Happened:
    """What happened in visits.

    Args:
        actions, conversions, items: by idvisit, in the order of time.
        names: name, type and url_prefix of the actions that they refer to, by idaction.
        lifetime: by visitor and kind of ecommerce (0 orders, -1 abandoned carts): how many, revenue, items.
    """

    actions: Mapping[int, list[Record]]
    conversions: Mapping[int, list[Record]]
    items: Mapping[int, list[Record]]
    names: Mapping[int, tuple[str, int, int | None]]
    lifetime: Mapping[tuple[bytes, int], tuple[int, float, int]]


class VisitLog:
    """The log of one installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(
        self, idsite: int, window: Window | None, segment: Segment | None, offset: int, limit: int
    ) -> list[Record]:
        """The visits of a site whose last action lies in the window, the newest first.

        Args:
            window: None for all there are; with a segment, of the last 30 days that have any.
        """
        if segment is None:
            return self._visits(idsite, window, None, offset, limit)
        found: list[Record] = []
        for day in self._days(idsite, window):
            ids = self._matching(idsite, day, segment)
            found += self._visits(idsite, day, ids, 0, offset + limit - len(found)) if ids else []
            if len(found) >= offset + limit:
                break
        return found[offset:]

    def _days(self, idsite: int, window: Window | None) -> Iterable[Window]:
        """The window in pieces of a day, the newest first."""
        if window is None:
            newest = self._visits(idsite, None, None, 0, 1)
            if not newest:
                return
            end = newest[0]["visit_last_action_time"] + timedelta(seconds=1)
            window = (end - _DAYS_BACK * ONE_DAY, end)
        begin, end = window
        while begin < end:
            yield max(begin, end - ONE_DAY), end
            end -= ONE_DAY

    def _matching(self, idsite: int, window: Window, segment: Segment) -> list[int]:
        of_visits = ("visit_first_action_time", *segment.reads.get(VISIT, ()))
        needed = {**segment.reads, VISIT: of_visits}
        columns = {table: tuple(dict.fromkeys(("idvisit", *names))) for table, names in needed.items()}
        reading = Reading(columns, segment.named, whole_visits=True)
        log = LogReader(self._database).read(reading, idsite, *window)
        return segment.visits(log)["idvisit"].to_list() if log.visits.height else []

    def _visits(
        self, idsite: int, window: Window | None, ids: Sequence[int] | None, offset: int, limit: int
    ) -> list[Record]:
        conditions = ["idsite = %s"]
        values: list[Any] = [idsite]
        if window is not None:
            conditions.append("visit_last_action_time >= %s AND visit_last_action_time < %s")
            values += window
        if ids is not None:
            conditions.append(f"idvisit IN ({_marks(ids)})")
            values += ids
        return self._records(
            "log_visit",
            VISIT_COLUMNS,
            f"{' AND '.join(conditions)} ORDER BY visit_last_action_time DESC, idvisit DESC LIMIT %s OFFSET %s",
            (*values, limit, offset),
        )

    def happened(self, visits: Sequence[Record]) -> Happened:
        """What happened in these visits of one site."""
        if not visits:
            return Happened({}, {}, {}, {}, {})
        ids = [visit["idvisit"] for visit in visits]
        condition = f"idvisit IN ({_marks(ids)})"
        actions = self._actions(ids)
        conversions = self._records(
            "log_conversion", _CONVERSION_COLUMNS, f"{condition} ORDER BY idvisit, server_time, idgoal", ids
        )
        items = self._records("log_conversion_item", _ITEM_COLUMNS, f"{condition} AND deleted = 0", ids)
        return Happened(
            _by_visit(actions),
            _by_visit(conversions),
            _by_visit(items),
            self._names([*actions, *items]),
            self._lifetime(visits),
        )

    def _actions(self, ids: Sequence[int]) -> list[Record]:
        """The first actions of each visit: a robot's visit may have any number."""
        names = ", ".join(f"`{column}`" for column in _ACTION_COLUMNS)
        rows = self._database.query(
            f"SELECT {names} FROM (SELECT {names}, ROW_NUMBER() OVER (PARTITION BY idvisit "
            f"ORDER BY server_time, idlink_va) AS place FROM {self._database.table('log_link_visit_action')} "
            f"WHERE idvisit IN ({_marks(ids)})) AS numbered WHERE place <= %s ORDER BY idvisit, place",
            (*ids, _MOST_ACTIONS),
        )
        return [dict(zip(_ACTION_COLUMNS, row, strict=True)) for row in rows]

    def _names(self, rows: Iterable[Record]) -> dict[int, tuple[str, int, int | None]]:
        ids = sorted({value for row in rows for name, value in row.items() if name.startswith("idaction") and value})
        if not ids:
            return {}
        found = self._database.query(
            f"SELECT idaction, name, type, url_prefix FROM {self._database.table('log_action')} "
            f"WHERE idaction IN ({_marks(ids)})",
            ids,
        )
        return {idaction: (_text(name), kind, prefix) for idaction, name, kind, prefix in found}

    def _lifetime(self, visits: Sequence[Record]) -> dict[tuple[bytes, int], tuple[int, float, int]]:
        visitors = list({visit["idvisitor"] for visit in visits})
        rows = self._database.query(
            f"SELECT idvisitor, idgoal, COUNT(*), SUM(revenue), SUM(items) "
            f"FROM {self._database.table('log_conversion')} "
            f"WHERE idsite = %s AND idgoal <= 0 AND idvisitor IN ({_marks(visitors)}) GROUP BY idvisitor, idgoal",
            (visits[0]["idsite"], *visitors),
        )
        return {(bytes(v), goal): (int(n), float(sum_ or 0), int(items or 0)) for v, goal, n, sum_, items in rows}

    def counters(self, idsite: int, since: datetime, until: datetime, segment: Segment | None) -> Record:
        """How many visits, visitors, actions and visits with a conversion there were between these moments."""
        condition, values = "", []
        if segment is not None:
            values = self._matching(idsite, (since, until), segment)
            condition = f" AND idvisit IN ({_marks(values)})" if values else " AND FALSE"
        visits = self._database.query(
            f"SELECT COUNT(*), COUNT(DISTINCT idvisitor), COALESCE(SUM(visit_goal_converted), 0) "
            f"FROM {self._database.table('log_visit')} "
            f"WHERE idsite = %s AND visit_last_action_time >= %s AND visit_last_action_time < %s{condition}",
            (idsite, since, until, *values),
        )[0]
        actions = self._database.query(
            f"SELECT COUNT(*) FROM {self._database.table('log_link_visit_action')} "
            f"WHERE idsite = %s AND server_time >= %s AND server_time < %s{condition}",
            (idsite, since, until, *values),
        )[0]
        return {
            "visits": int(visits[0]),
            "actions": int(actions[0]),
            "visitors": int(visits[1]),
            "visitsConverted": int(visits[2]),
        }

    def _records(self, table: str, columns: Sequence[str], condition: str, values: Sequence[Any]) -> list[Record]:
        names = ", ".join(f"`{column}`" for column in columns)
        rows = self._database.query(f"SELECT {names} FROM {self._database.table(table)} WHERE {condition}", values)
        return [dict(zip(columns, row, strict=True)) for row in rows]


def _by_visit(rows: Iterable[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for row in rows:
        found.setdefault(row["idvisit"], []).append(row)
    return found


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
