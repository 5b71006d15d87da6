"""What the log of visits shows of one visit's actions: pages, downloads, searches, events, goals and orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.plugins.live.log import Happened, Record
from footfall.plugins.live.text import channel, local_text, money, timestamp, variables
from footfall.reports.formatting import sentence
from footfall.reports.site import ReportSite
from footfall.timezones import site_zone

_PAGE, _OUTLINK, _DOWNLOAD, _SEARCH, _EVENT, _CONTENT = 1, 2, 3, 8, 10, 13  # types of log_action
_PREFIXES: Final = ("http://", "http://www.", "https://", "https://www.")
_TIMINGS: Final = (
    *("time_network", "time_server", "time_transfer"),
    *("time_dom_processing", "time_dom_completion", "time_on_load"),
)
# Where Matomo has its pictures; clients put its address before it.
_PICTURE: Final = "plugins/Morpheus/images/{}.svg"
_PICTURES: Final = {"outlink": "link", _CONTENT: "contentimpression"}
# Less than this after the last page is no time that somebody spent on it.
_LEAST_LAST_SECONDS: Final = 10
_CATEGORIES: Final = ("", "2", "3", "4", "5")


def actions_of(visit: Record, happened: Happened, site: ReportSite) -> list[dict[str, Any]]:
    """The actions of a visit with its conversions among them, in the order of time."""
    idvisit, zone = visit["idvisit"], site_zone(site.timezone)
    rows = happened.actions.get(idvisit, [])
    conversions = happened.conversions.get(idvisit, [])
    shown = [(row, _Shown(row, happened.names).as_action(visit, rows[n + 1 :])) for n, row in enumerate(rows)]
    shown += [(row, _conversion(row, happened, site)) for row in conversions]
    shown.sort(key=lambda pair: pair[0]["server_time"])
    dimensions = [dimension for dimension in site.dimensions if dimension.active and dimension.scope == "action"]
    for row, action in shown:
        action["iconSVG"] = _PICTURE.format(_PICTURES.get(action["type"], action["type"]))
        action["timestamp"] = timestamp(row["server_time"])
        action["serverTimePretty"] = local_text(row["server_time"], zone, "MMM d, y HH:mm:ss")
        for dimension in dimensions:
            action[f"dimension{dimension.number}"] = row.get(f"custom_dimension_{dimension.index}")
    return [action for _, action in shown]


class _Shown:
    """A row of log_link_visit_action with the names that it refers to."""

    def __init__(self, row: Record, names: Mapping[int, tuple[str, int, int | None]]) -> None:
        self._row = row
        self._names = names
        self.kind = self._kind()

    def _kind(self) -> int:
        """The type of the row's URL, or of its name where it has none."""
        named = self._names.get(self._row["idaction_url"]) or self._names.get(self._row["idaction_name"])
        return named[1] if named else _PAGE

    def _name(self, column: str) -> str | None:
        named = self._names.get(self._row[column])
        return named[0] if named else None

    def _url(self) -> str | None:
        named = self._names.get(self._row["idaction_url"])
        if named is None:
            return None
        name, _, prefix = named
        return (_PREFIXES[prefix] if prefix is not None and prefix < len(_PREFIXES) else "") + name

    def as_action(self, visit: Record, following: list[Record]) -> dict[str, Any]:
        """What is shown.

        Args:
            following: the rows of the visit after this one.
        """
        row = self._row
        shown: dict[str, Any] = {
            "type": self.kind,
            "url": self._url(),
            "pageTitle": self._name("idaction_name"),
            "pageIdAction": row["idaction_url"],
            "idpageview": row["idpageview"] or "",
            "pageId": row["idlink_va"],
            "pageviewPosition": row["pageview_position"],
        }
        if own := variables(row, "customVariablePageName", "customVariablePageValue"):
            shown["customVariables"] = own
        about = _ABOUT.get(self.kind)
        shown |= about(self) if about else self._as_page(visit, following)
        if self.kind == _SEARCH:
            del shown["pageTitle"]
        return shown

    def _as_page(self, visit: Record, following: list[Record]) -> dict[str, Any]:
        url, title = self._url(), self._name("idaction_name")
        spent = self._spent(visit, following)
        shown: dict[str, Any] = {
            "type": "action",
            "timeSpent": spent,
            "timeSpentPretty": sentence(spent),
            "title": title,
            "subtitle": url,
        }
        if milliseconds := sum(self._row[name] or 0 for name in _TIMINGS):
            shown |= {"pageLoadTime": sentence(milliseconds / 1000), "pageLoadTimeMilliseconds": milliseconds}
        return shown

    def _spent(self, visit: Record, following: list[Record]) -> int:
        """Seconds until the next page; for the last one until the visit ended, unless that is hardly anything."""
        spent = 0
        for row in following:
            spent += row["time_spent_ref_action"] or 0
            if _Shown(row, self._names).kind == _PAGE:
                return spent
        begun = timestamp(self._row["server_time"]) - timestamp(visit["visit_first_action_time"])
        left = int(visit["visit_total_time"] or 0) - begun
        return left if left > _LEAST_LAST_SECONDS else 0

    def as_link(self) -> dict[str, Any]:
        kind, title = ("download", "Download") if self.kind == _DOWNLOAD else ("outlink", "Outlink")
        return {"type": kind, "title": title, "subtitle": self._url()}

    def as_search(self) -> dict[str, Any]:
        keyword, category, count = self._name("idaction_name"), self._row["search_cat"], self._row["search_count"]
        subtitle = keyword or ""
        if category:
            subtitle += f" - Search Category: {category}"
        if count:
            subtitle += f" - Search Results Count: {count}"
        return {
            "type": "search",
            "url": None,
            "siteSearchKeyword": keyword,
            "siteSearchCategory": category or "",
            "siteSearchCount": count or 0,
            "title": "Site Search",
            "subtitle": subtitle,
        }

    def as_event(self) -> dict[str, Any]:
        parts = {
            "eventCategory": self._name("idaction_event_category"),
            "eventAction": self._name("idaction_event_action"),
            "eventName": self._name("idaction_name"),
            "eventValue": self._row["custom_float"],
        }
        parts = {name: value for name, value in parts.items() if value is not None}
        subtitle = " - ".join(str(value) for value in parts.values())
        return {"type": "event", "title": "Event", "subtitle": subtitle} | parts

    def as_content(self) -> dict[str, Any]:
        names = ("name", "piece", "target", "interaction")
        content = {name: self._name(f"idaction_content_{name}") for name in names}
        return {
            **{f"content{name.capitalize()}": value for name, value in content.items()},
            "title": "Content Impression" if content["interaction"] is None else "Content Interaction",
            "subtitle": " - ".join(part for part in (content["name"], content["piece"]) if part),
        }


_ABOUT: Final = {
    _OUTLINK: _Shown.as_link,
    _DOWNLOAD: _Shown.as_link,
    _SEARCH: _Shown.as_search,
    _EVENT: _Shown.as_event,
    _CONTENT: _Shown.as_content,
}


def _conversion(row: Record, happened: Happened, site: ReportSite) -> dict[str, Any]:
    kind, _ = channel(row["referer_type"])
    came_from = {"referrerType": kind, "referrerName": row["referer_name"], "referrerKeyword": row["referer_keyword"]}
    if row["idgoal"] in (ORDER, ABANDONED_CART):
        return _ecommerce(row, happened, site) | came_from
    goal, revenue = site.goal(row["idgoal"]), float(row["revenue"] or 0)
    named = goal.name if goal is not None else ""
    pageviews = {action["idlink_va"]: action["idpageview"] for action in happened.actions.get(row["idvisit"], ())}
    return {
        "type": "goal",
        "goalName": named,
        "goalId": row["idgoal"],
        "idpageview": pageviews.get(row["idlink_va"]),
        "revenue": revenue,
        "goalPageId": row["idlink_va"],
        "url": row["url"],
        **came_from,
        "title": "Goal conversion",
        "subtitle": f"{named} ({money(revenue, site.currency)} revenue)" if revenue else named,
    }


def _ecommerce(row: Record, happened: Happened, site: ReportSite) -> dict[str, Any]:
    """An order, or a cart that was left with something in it."""
    is_order, count = row["idgoal"] == ORDER, int(row["items"] or 0)
    key = row["idorder"] if is_order else "0"
    details = [
        _item(item, happened.names) for item in happened.items.get(row["idvisit"], ()) if str(item["idorder"]) == key
    ]
    revenue = float(row["revenue"] or 0)
    products = ", ".join(str(item["itemName"]) for item in details)
    shown: dict[str, Any] = {
        "type": "ecommerceOrder" if is_order else "ecommerceAbandonedCart",
        "revenue": revenue,
        "items": count,
        "idpageview": None,
        "itemDetails": details,
        "title": f"Ordered ({row['idorder']})" if is_order else "Abandoned Cart",
        "subtitle": f"{money(revenue, site.currency)} revenue - {count} items: {products})",
    }
    if is_order:
        shown["orderId"] = row["idorder"]
        for part in ("SubTotal", "Tax", "Shipping", "Discount"):
            shown[f"revenue{part}"] = float(row[f"revenue_{part.lower()}"] or 0)
    return shown


def _item(item: Record, names: Mapping[int, tuple[str, int, int | None]]) -> dict[str, Any]:
    def name(column: str) -> str | None:
        return names[item[column]][0] if item[column] in names else None

    categories = [category for slot in _CATEGORIES if (category := name(f"idaction_category{slot}"))]
    return {
        "itemSKU": name("idaction_sku"),
        "itemName": name("idaction_name"),
        "itemCategory": name("idaction_category"),
        "price": float(item["price"] or 0),
        "quantity": int(item["quantity"] or 0),
        "categories": categories,
    }
