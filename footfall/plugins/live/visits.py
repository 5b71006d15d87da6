"""What the log of visits shows of a visit: who, when, with what, from where, and what it was worth."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any, Final

from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.plugins.device_plugins import PLUGIN_NAMES
from footfall.plugins.devices_detection import (
    brand_name,
    browser_name,
    engine_name,
    model_name,
    system_name,
    type_name,
)
from footfall.plugins.live.actions import actions_of
from footfall.plugins.live.log import Happened, Record
from footfall.plugins.live.text import channel, currency_symbol, local, local_text, timestamp, variables
from footfall.plugins.user_country import UNKNOWN, continent_code, continent_name, country_name, region_name
from footfall.plugins.user_language import language_name
from footfall.reports.formatting import sentence
from footfall.reports.site import ReportSite
from footfall.timezones import site_zone
from footfall.tracking.referrer_lists import search_engines, social_hosts

_VISITOR_TYPES: Final = ("new", "returning", "returningCustomer")
_BUYERS: Final = ("none", "ordered", "abandonedCart", "orderedThenAbandonedCart")
_DAY_SECONDS: Final = 86_400
_SEARCH, _SOCIAL = 2, 7  # referer_type


def visit_details(visit: Record, happened: Happened, site: ReportSite) -> dict[str, Any]:
    """All that is shown of a visit; pictures are left to the caller."""
    return {
        **_identity(visit, site),
        **_times(visit, site),
        **_visitor(visit),
        **_worth(visit, happened),
        **_source(visit),
        **_device(visit),
        **_place(visit),
        **_dimensions(visit, site),
        "customVariables": variables(visit, "customVariableName", "customVariableValue") or [],
        "actionDetails": actions_of(visit, happened, site),
    }


def _identity(visit: Record, site: ReportSite) -> dict[str, Any]:
    return {
        "idSite": visit["idsite"],
        "idVisit": visit["idvisit"],
        "visitIp": str(ip_address(bytes(visit["location_ip"]))) if visit["location_ip"] else None,
        "visitorId": bytes(visit["idvisitor"]).hex(),
        "fingerprint": bytes(visit["config_id"]).hex(),
        "siteName": site.name,
        "siteCurrency": site.currency,
        "siteCurrencySymbol": currency_symbol(site.currency),
    }


def _times(visit: Record, site: ReportSite) -> dict[str, Any]:
    zone, first, last = site_zone(site.timezone), visit["visit_first_action_time"], visit["visit_last_action_time"]
    duration = int(visit["visit_total_time"] or 0)
    shown: dict[str, Any] = {
        "serverDate": local_text(last, zone, "yyyy-MM-dd"),
        "visitServerHour": str(local(last, zone).hour),
        "lastActionTimestamp": timestamp(last),
        "lastActionDateTime": f"{last:%Y-%m-%d %H:%M:%S}",
        "serverTimestamp": timestamp(last),
        "firstActionTimestamp": timestamp(first),
        "serverTimePretty": local_text(last, zone, "HH:mm:ss"),
        "serverDatePretty": local_text(last, zone, "EEEE, MMMM d, y"),
        "serverTimePrettyFirstAction": local_text(first, zone, "HH:mm:ss"),
        "serverDatePrettyFirstAction": local_text(first, zone, "EEEE, MMMM d, y"),
        "visitDuration": duration,
        "visitDurationPretty": sentence(duration),
    }
    local_time = visit["visitor_localtime"]
    if isinstance(local_time, timedelta):
        hours, seconds = divmod(int(local_time.total_seconds()), 3600)
        shown["visitLocalTime"] = f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
        shown["visitLocalHour"] = str(hours)
    return shown


def _visitor(visit: Record) -> dict[str, Any]:
    since = {
        "FirstVisit": visit["visitor_seconds_since_first"],
        "LastVisit": visit["visitor_seconds_since_last"],
        "LastEcommerceOrder": visit["visitor_seconds_since_order"],
    }
    return {
        "userId": visit["user_id"],
        "visitorType": _VISITOR_TYPES[visit["visitor_returning"] or 0],
        "visitCount": visit["visitor_count_visits"],
        **{f"daysSince{what}": (seconds or 0) // _DAY_SECONDS for what, seconds in since.items()},
        **{f"secondsSince{what}": seconds for what, seconds in since.items()},
    }


def _worth(visit: Record, happened: Happened) -> dict[str, Any]:
    visitor = bytes(visit["idvisitor"])
    orders, revenue, items = happened.lifetime.get((visitor, ORDER), (0, 0, 0))
    carts, cart_revenue, cart_items = happened.lifetime.get((visitor, ABANDONED_CART), (0, 0, 0))
    return {
        "actions": visit["visit_total_actions"],
        "interactions": visit["visit_total_interactions"],
        "searches": visit["visit_total_searches"],
        "events": visit["visit_total_events"],
        "visitConverted": int(visit["visit_goal_converted"] or 0),
        "goalConversions": sum(row["idgoal"] > 0 for row in happened.conversions.get(visit["idvisit"], ())),
        "visitEcommerceStatus": _BUYERS[visit["visit_goal_buyer"] or 0],
        "totalEcommerceRevenue": revenue,
        "totalEcommerceConversions": orders,
        "totalEcommerceItems": items,
        "totalAbandonedCartsRevenue": cart_revenue,
        "totalAbandonedCarts": carts,
        "totalAbandonedCartsItems": cart_items,
    }


def _source(visit: Record) -> dict[str, Any]:
    kind, kind_name = channel(visit["referer_type"])
    name, keyword = visit["referer_name"] or "", visit["referer_keyword"] or ""
    return {
        "referrerType": kind,
        "referrerTypeName": kind_name,
        "referrerName": name,
        "referrerKeyword": keyword,
        "referrerKeywordPosition": None,
        "referrerUrl": visit["referer_url"] or None,
        "referrerSearchEngineUrl": _engine_url(name) if visit["referer_type"] == _SEARCH else None,
        "referrerSocialNetworkUrl": _network_host(name) if visit["referer_type"] == _SOCIAL else None,
    }


@cache
def _engine_url(name: str) -> str | None:
    hosts = (host for host, (engine, _) in search_engines().items() if engine == name)
    host = next(hosts, None)
    return None if host is None else f"http://{host.replace('{}', 'com')}"


@cache
def _network_host(name: str) -> str | None:
    """The host by which the network is known: the one that says its name, else the shortest."""
    hosts = sorted(social_hosts(name), key=lambda host: (not host.startswith(f"{name.lower()}."), len(host)))
    return hosts[0] if hosts else None


def _device(visit: Record) -> dict[str, Any]:
    engine, browser, system = visit["config_browser_engine"], visit["config_browser_name"], visit["config_os"]
    version, system_version = visit["config_browser_version"] or "", visit["config_os_version"] or ""
    plugins = [name for name in PLUGIN_NAMES if visit[f"config_{name}"]]
    kind = visit["config_device_type"]
    return {
        "deviceType": type_name("" if kind is None else str(kind)),
        "deviceBrand": brand_name(visit["config_device_brand"] or ""),
        "deviceModel": model_name(f";{visit['config_device_model'] or ''}"),
        "operatingSystem": f"{system_name(system or '')} {system_version}".strip(),
        "operatingSystemName": system_name(system or ""),
        "operatingSystemCode": system,
        "operatingSystemVersion": system_version,
        "browserFamily": engine,
        "browserFamilyDescription": engine_name(engine or ""),
        "browser": f"{browser_name(browser or '')} {version}".strip(),
        "browserName": browser_name(browser or ""),
        "browserCode": browser,
        "browserVersion": version,
        "resolution": visit["config_resolution"],
        "plugins": ", ".join(plugins),
        "pluginsIcons": [{"pluginName": name} for name in plugins] or None,
    }


def _place(visit: Record) -> dict[str, Any]:
    language, country = visit["location_browser_lang"], visit["location_country"] or ""
    spoken = language_name(language or "")
    region, city = visit["location_region"], visit["location_city"]
    region_shown = region_name(country, region) if region else None
    places = (city, region_shown, country_name(country) if country else None)
    return {
        "languageCode": language,
        "language": f"Language code {language}" if spoken == UNKNOWN else spoken,
        "continent": continent_name(country),
        "continentCode": continent_code(country),
        "country": country_name(country),
        "countryCode": country,
        "region": region_shown,
        "regionCode": region,
        "city": city,
        "location": ", ".join(place for place in places if place),
        "latitude": None if visit["location_latitude"] is None else str(visit["location_latitude"]),
        "longitude": None if visit["location_longitude"] is None else str(visit["location_longitude"]),
    }


def _dimensions(visit: Record, site: ReportSite) -> dict[str, Any]:
    return {
        f"dimension{dimension.number}": visit[f"custom_dimension_{dimension.index}"]
        for dimension in site.dimensions
        if dimension.active and dimension.scope == "visit"
    }
