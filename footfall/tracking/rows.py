"""Writes the rows of a batch: one multi-row statement per table, or several where one would be too long (packets.py).

Values are quoted by the driver, all at once; binding each through its statement parser took twice the client's CPU
(bench/, MEASUREMENTS.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from footfall.custom_dimensions import COLUMNS as DIMENSIONS
from footfall.database import Database
from footfall.packets import documents, joined
from footfall.tracking import custom_variables
from footfall.tracking.conversions import Conversion
from footfall.tracking.hit import FLAGS, TIMINGS, Timings
from footfall.tracking.orders import CART_ID, ItemRow, OrderedItems
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
    "visitor_seconds_since_order",
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
    "location_provider",
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
    "visit_entry_idaction_url": "INT UNSIGNED",
    "visit_total_searches": "SMALLINT UNSIGNED",
    "visit_total_events": "INT UNSIGNED",
    "visit_goal_buyer": "TINYINT",
    "visit_goal_converted": "TINYINT",
    "visitor_seconds_since_order": "INT UNSIGNED",
}
_TEXT = "VARCHAR(255)"  # of a custom dimension or variable
_LOCATION = frozenset(name for name in _VISIT_COLUMNS if name.startswith("location_") and name != "location_ip")
# What a conversion takes over from its visit, as the visit's row has it.
_CARRIED = (
    "config_browser_name",
    "config_client_type",
    "config_device_brand",
    "config_device_model",
    "config_device_type",
    "location_city",
    "location_country",
    "location_latitude",
    "location_longitude",
    "location_region",
    *(f"custom_dimension_{number}" for number in range(1, DIMENSIONS + 1)),
    *custom_variables.COLUMNS,
)
_CONVERSION_COLUMNS = (
    "idvisit",
    "idsite",
    "idvisitor",
    "server_time",
    "idaction_url",
    "idlink_va",
    "idgoal",
    "buster",
    "url",
    "revenue",
    "pageviews_before",
    "visitor_returning",
    "visitor_seconds_since_first",
    "visitor_seconds_since_order",
    "visitor_count_visits",
    "referer_type",
    "referer_name",
    "referer_keyword",
    *_CARRIED,
)
_ORDER_COLUMNS = {
    "idorder": "VARCHAR(100)",
    "items": "SMALLINT UNSIGNED",
    "revenue_shipping": "DOUBLE",
    "revenue_subtotal": "DOUBLE",
    "revenue_tax": "DOUBLE",
    "revenue_discount": "DOUBLE",
}
# What an order or a later state of a cart changes in the row of the cart.
_CART_CHANGES = {
    "idgoal": "INT",
    "buster": "INT UNSIGNED",
    "idvisitor": "CHAR(16)",
    "server_time": "DATETIME",
    "revenue": "DOUBLE",
    "pageviews_before": "SMALLINT UNSIGNED",
    "visitor_seconds_since_order": "INT UNSIGNED",
    "referer_type": "TINYINT UNSIGNED",
    "referer_name": "VARCHAR(255)",
    "referer_keyword": "VARCHAR(255)",
    **_ORDER_COLUMNS,
}
_ITEM_COLUMNS = (
    "idsite",
    "idvisitor",
    "server_time",
    "idvisit",
    "idorder",
    "idaction_sku",
    "idaction_name",
    "idaction_category",
    "idaction_category2",
    "idaction_category3",
    "idaction_category4",
    "idaction_category5",
    "price",
    "quantity",
    "deleted",
)


def insert_visits(database: Database, visits: Sequence[Visit]) -> None:
    """Insert new visits and give each its idvisit."""
    rows = [_moved(_visit_row(visit), visit.columns) for visit in visits]
    extras = [{name: v for name, v in visit.columns.items() if name not in _LOCATION} for visit in visits]
    ids = _insert(database, "log_visit", _VISIT_COLUMNS, rows, extras)
    for visit, idvisit in zip(visits, ids, strict=True):
        visit.idvisit = idvisit


def insert_links(database: Database, links: Sequence[Link]) -> None:
    """Insert the actions of visits that have their idvisit, and give each its idlink_va."""
    rows, extras = [_link_row(link) for link in links], [link.columns for link in links]
    ids = _insert(database, "log_link_visit_action", _LINK_COLUMNS, rows, extras)
    for link, idlink_va in zip(links, ids, strict=True):
        link.idlink_va = idlink_va


def carried_columns(database: Database, visits: Sequence[Visit]) -> dict[Visit, Mapping[str, Any]]:
    """What conversions take over from the rows of these visits, as they were before this batch."""
    carried: dict[Visit, Mapping[str, Any]] = {}
    for visit in visits:
        if visit.opened_by is not None:
            row = dict(zip(_VISIT_COLUMNS, _visit_row(visit), strict=True))
            carried[visit] = {column: row.get(column) for column in _CARRIED}
    stored = {visit.idvisit: visit for visit in visits if visit not in carried}
    if stored:
        rows = database.query(
            f"SELECT idvisit, {', '.join(_CARRIED)} FROM {database.table('log_visit')} "
            f"WHERE idvisit IN ({', '.join(['%s'] * len(stored))})",
            tuple(stored),
        )
        carried |= {stored[idvisit]: dict(zip(_CARRIED, values, strict=True)) for idvisit, *values in rows}
    return carried


def insert_conversions(
    database: Database, conversions: Sequence[Conversion], carried: Mapping[Visit, Mapping[str, Any]]
) -> int:
    """Insert conversions of visits and actions that have their ids; how many of them were new.

    A goal that the visit has converted already, and an order id that the site has had, is left out by the unique keys.
    """
    rows = [_conversion_row(conversion, carried.get(conversion.visit, {})) for conversion in conversions]
    extras = [conversion.order for conversion in conversions]
    insertions = _insertions(database, "INSERT IGNORE", "log_conversion", _CONVERSION_COLUMNS, rows, extras)
    return sum(database.execute(statement) for statement, _ in insertions)


def update_carts(database: Database, carts: Sequence[Conversion]) -> None:
    """Write what became of carts that the database has; one that is an order by now may be refused for its order id."""
    rows = [
        (
            cart.visit.idvisit,
            cart.idgoal,
            cart.buster,
            cart.idvisitor.hex(),
            database_time(cart.time),
            cart.revenue,
            cart.pageviews_before,
            cart.seconds_since_order,
            *cart.referrer[:3],
            *(cart.order.get(column) for column in _ORDER_COLUMNS),
        )
        for cart in carts
    ]
    _update(database, "log_conversion", "idvisit", _CART_CHANGES, rows, "AND t.idgoal = -1", verb="UPDATE IGNORE")


def own_orders(database: Database, visits: Sequence[Visit]) -> set[tuple[int, str]]:
    """The orders of these visits that the database has: (idvisit, idorder)."""
    return set(
        database.query(
            f"SELECT idvisit, idorder FROM {database.table('log_conversion')} "
            f"WHERE idvisit IN ({', '.join(['%s'] * len(visits))}) AND idgoal = 0",
            [visit.idvisit for visit in visits],
        )
    )


def replace_items(database: Database, carts: Sequence[Visit], items: Sequence[OrderedItems]) -> None:
    """Write the items of orders and carts; first remove those of the carts of these visits."""
    if carts:
        database.execute(
            f"DELETE FROM {database.table('log_conversion_item')} "
            f"WHERE idvisit IN ({', '.join(['%s'] * len(carts))}) AND idorder = %s",
            [*(visit.idvisit for visit in carts), CART_ID],
        )
    rows = [_item_row(ordered, item) for ordered in items for item in ordered.items]
    for statement, _ in _insertions(database, "REPLACE", "log_conversion_item", _ITEM_COLUMNS, rows):
        database.execute(statement)


def update_visits(database: Database, visits: Sequence[Visit]) -> None:
    """Write what a batch changed in visits that have their idvisit."""
    texts = sorted({column for visit in visits for column in visit.columns})
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
            visit.entry_idaction_url,
            visit.total_searches,
            visit.total_events,
            visit.goal_buyer,
            visit.goal_converted,
            visit.seconds_since_order,
            *(visit.columns.get(column) for column in texts),
        )
        for visit in visits
    ]
    _update(database, "log_visit", "idvisit", _CHANGES | dict.fromkeys(texts, _TEXT), rows, kept=frozenset(texts))


def update_late_timings(database: Database, timings: Mapping[tuple[Visit, str], Timings]) -> None:
    """Write the timings of page views that the database has, by visit and page view id."""
    rows = [(visit.idvisit, page_view_id, *values) for (visit, page_view_id), values in timings.items()]
    columns = {"idpageview": "CHAR(6)"} | dict.fromkeys(TIMINGS, "MEDIUMINT UNSIGNED")
    _update(
        database,
        "log_link_visit_action",
        "idvisit",
        columns,
        rows,
        # Of what happened on the page, only the page view itself has a title (0 for none) and is no event or search.
        # MySQL gives what comes out of JSON the server's collation, and compares no two that differ.
        "AND t.idpageview = k.idpageview COLLATE utf8mb4_general_ci AND t.idaction_name IS NOT NULL "
        "AND t.idaction_event_category IS NULL AND t.search_cat IS NULL",
        kept=frozenset(columns),
    )


def update_referrers(database: Database, visits: Sequence[Visit]) -> None:
    """Write where visits came from that seemed direct at first."""
    columns = {
        "referer_type": "TINYINT UNSIGNED",
        "referer_name": "VARCHAR(255)",
        "referer_keyword": "VARCHAR(255)",
        "referer_url": "VARCHAR(1500)",
    }
    _update(database, "log_visit", "idvisit", columns, [(visit.idvisit, *visit.referrer[:4]) for visit in visits])


def update_time_spent(database: Database, seconds: dict[int, int]) -> None:
    """Write how long actions that the database has lasted, by idlink_va."""
    columns = {"time_spent": "INT UNSIGNED"}
    _update(database, "log_link_visit_action", "idlink_va", columns, sorted(seconds.items()))


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


def _insert(
    database: Database,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    extras: Sequence[Mapping[str, Any]],
) -> list[int]:
    """Insert rows; their AUTO_INCREMENT ids, in the order of the rows.

    The ids of one multi-row VALUES statement follow each other in every innodb_autoinc_lock_mode.
    """
    ids: list[int] = []
    for statement, count in _insertions(database, "INSERT", table, columns, rows, extras):
        first, step = database.insert(statement), database.auto_increment_step()
        ids += range(first, first + count * step, step)
    return ids


def _insertions(
    database: Database,
    verb: str,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    extras: Sequence[Mapping[str, Any]] = (),
) -> Iterator[tuple[bytes, int]]:
    """The statements that insert rows, each with the number of its rows.

    Args:
        verb: `INSERT`, `INSERT IGNORE` or `REPLACE`.
        extras: further columns of each row, which are NULL in the others.
    """
    connection = database.connection()
    more = sorted({name for extra in extras for name in extra})
    values = [value for row in rows for value in row]
    values += [value for extra in extras for value in extra.values()]
    quoted = list(connection.prepare_for_mysql(values))
    width, place = len(columns), len(columns) * len(rows)
    binary = [i for i, column in enumerate(columns) if column in _BINARY]
    place_of = {name: i for i, name in enumerate(more)}
    nulls = [b"NULL"] * len(more)
    parts = []
    for number in range(len(rows)):
        cells = quoted[number * width : (number + 1) * width]
        for i in binary:
            cells[i] = b"_binary" + cells[i]
        if more:
            tail = nulls[:]
            for name in extras[number]:
                tail[place_of[name]] = quoted[place]
                place += 1
            cells += tail
        parts.append(b"(" + b",".join(cells) + b")")
    names = ", ".join(f"`{column}`" for column in (*columns, *more))
    return joined(database, f"{verb} INTO {database.table(table)} ({names}) VALUES ".encode(), parts)


def _update(
    database: Database,
    table: str,
    key: str,
    columns: Mapping[str, str],
    rows: Sequence[tuple[Any, ...]],
    condition: str = "",
    kept: frozenset[str] = frozenset(),
    verb: str = "UPDATE",
) -> None:
    """Update rows, joined with their new values.

    Args:
        columns: what to set, with the types for JSON_TABLE; the rows have the key first. Binary values come in hex.
        condition: of the join with the new values `k`, beside the key.
        kept: columns that stay as they are where the new value is NULL.
    """
    types = ", ".join(f"`{name}` {kind} PATH '$[{i}]'" for i, (name, kind) in enumerate(columns.items(), 1))
    changes = ", ".join(f"t.`{name}` = {_new_value(name, name in kept)}" for name in columns)
    for document in documents(database, rows):
        database.execute(
            f"{verb} JSON_TABLE(%s, '$[*]' COLUMNS (`{key}` BIGINT UNSIGNED PATH '$[0]', {types})) k "
            f"STRAIGHT_JOIN {database.table(table)} t ON t.`{key}` = k.`{key}` {condition} SET {changes}",
            (document,),
        )


def _new_value(column: str, kept: bool) -> str:
    if column in _BINARY:
        return f"UNHEX(k.`{column}`)"
    return f"COALESCE(k.`{column}`, t.`{column}`)" if kept else f"k.`{column}`"


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
        visit.goal_buyer,
        visit.goal_converted,
        visit.returning,
        visit.seconds_since_first,
        visit.seconds_since_order,
        visit.count_visits,
        visit.entry_idaction_name,
        visit.entry_idaction_url,
        visit.exit_idaction_name,
        visit.exit_idaction_url,
        visit.total_actions,
        visit.total_interactions,
        visit.total_searches,
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
        visit.total_events,
        hit.local_time,
        visit.seconds_since_last,
        hit.resolution,
        visit.total_time,
        location.city,
        location.country,
        location.latitude,
        location.longitude,
        location.region,
        hit.provider,
        *hit.flags,
    )


def _moved(row: tuple[Any, ...], columns: Mapping[str, Any]) -> tuple[Any, ...]:
    """The row of a new visit with the location that later hits of its batch say."""
    if not any(name in _LOCATION for name in columns):
        return row
    return tuple(columns.get(name, value) for name, value in zip(_VISIT_COLUMNS, row, strict=True))


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
        *link.timings,
    )


def _conversion_row(conversion: Conversion, carried: Mapping[str, Any]) -> tuple[Any, ...]:
    visit, link, columns = conversion.visit, conversion.link, conversion.columns
    return (
        visit.idvisit,
        visit.idsite,
        conversion.idvisitor,
        database_time(conversion.time),
        None if link is None else link.idaction_url,
        None if link is None else link.idlink_va,
        conversion.idgoal,
        conversion.buster,
        conversion.url,
        conversion.revenue,
        conversion.pageviews_before,
        visit.returning,
        visit.seconds_since_first,
        conversion.seconds_since_order,
        visit.count_visits,
        *conversion.referrer[:3],
        *(columns.get(column, value) for column, value in carried.items()),
    )


def _item_row(ordered: OrderedItems, item: ItemRow) -> tuple[Any, ...]:
    return (
        ordered.visit.idsite,
        item.idvisitor,
        database_time(item.time),
        ordered.visit.idvisit,
        ordered.order_id,
        item.sku,
        item.name,
        *item.categories,
        item.price,
        item.quantity,
        item.deleted,
    )
