"""SitesManager: sites, and what holds for all of them."""

from collections.abc import Iterable
from typing import Any

from footfall.entities import checks, defaults
from footfall.entities.defaults import Default
from footfall.entities.sites import SiteSettings
from footfall.management.access import ADMIN, SOME_ADMIN, SUPERUSER, TOKEN, VIEW, Need
from footfall.management.kinds import listing, moment, switch, text, texts, whole, word
from footfall.management.method import Call, Method, Parameter
from footfall.management.timezone_names import timezone_name
from footfall.users import Caller

_IDSITE = Parameter("idSite", whole)
_PASSWORD = Parameter("passwordConfirmation", text, None)  # only asked of sessions, which Footfall has none of

_FIELDS = {
    "siteName": "name",
    "urls": "urls",
    "ecommerce": "ecommerce",
    "siteSearch": "sitesearch",
    "searchKeywordParameters": "sitesearch_keyword_parameters",
    "searchCategoryParameters": "sitesearch_category_parameters",
    "excludedIps": "excluded_ips",
    "excludedQueryParameters": "excluded_parameters",
    "timezone": "timezone",
    "currency": "currency",
    "group": "group",
    "startDate": "ts_created",
    "excludedUserAgents": "excluded_user_agents",
    "keepURLFragments": "keep_url_fragment",
    "type": "type",
    "excludeUnknownUrls": "exclude_unknown_urls",
    "excludedReferrers": "excluded_referrers",
}
"""The field of SiteSettings that each parameter sets."""

_SETTINGS = (
    Parameter("urls", texts, None),
    Parameter("ecommerce", switch, None),
    Parameter("siteSearch", switch, None),
    Parameter("searchKeywordParameters", listing, None),
    Parameter("searchCategoryParameters", listing, None),
    Parameter("excludedIps", listing, None),
    Parameter("excludedQueryParameters", listing, None),
    Parameter("timezone", word, None),
    Parameter("currency", word, None),
    Parameter("group", text, None),
    Parameter("startDate", moment, None),
    Parameter("excludedUserAgents", listing, None),
    Parameter("keepURLFragments", whole, None),
    Parameter("type", word, None),
    Parameter("excludeUnknownUrls", switch, None),
    Parameter("excludedReferrers", listing, None),
)


def _settings(call: Call) -> dict[str, Any]:
    return {field: call[name] for name, field in _FIELDS.items()}


def _add_site(call: Call) -> int:
    settings = _settings(call)
    settings["timezone"] = settings["timezone"] or call.entities.defaults.get(defaults.TIMEZONE)
    settings["currency"] = settings["currency"] or call.entities.defaults.get(defaults.CURRENCY)
    return call.entities.sites.create(SiteSettings(**settings), call.caller.login)


def _update_site(call: Call) -> None:
    call.entities.sites.update(call["idSite"], SiteSettings(**_settings(call)))


def _delete_site(call: Call) -> None:
    call.entities.sites.delete(call["idSite"])


def _site(call: Call) -> dict[str, Any]:
    return _shown(call.entities.sites.find(call["idSite"]))


def _shown(site: dict[str, Any]) -> dict[str, Any]:
    """A site as the reference shows it (conformance shapes: getSiteFromId)."""
    return {
        **site,
        "timezone_name": timezone_name(site["timezone"]),
        "currency_name": checks.currencies().get(site["currency"], site["currency"]),
    }


def _visible(caller: Caller, call: Call, levels: Iterable[str] = ("view", "write", "admin")) -> list[int]:
    """The sites the caller has one of these accesses to; a superuser has admin access to all."""
    if caller.superuser:
        return call.entities.sites.ids() if "admin" in levels else []
    return sorted(idsite for idsite, level in caller.access.items() if level in levels)


def _ids(*levels: str) -> Any:
    return lambda call: _visible(call.caller, call, levels)


def _sites(*levels: str) -> Any:
    return lambda call: [_shown(site) for site in call.entities.sites.all(_visible(call.caller, call, levels))]


def _by_url(call: Call) -> list[dict[str, int]]:
    visible = _visible(call.caller, call)
    return [{"idsite": idsite} for idsite in call.entities.sites.with_url(call["url"]) if idsite in visible]


def _set(default: Default, parameter: str) -> Any:
    def run(call: Call) -> bool:
        call.entities.defaults.set(default, call[parameter])
        return True

    return run


def _set_search_parameters(call: Call) -> bool:
    call.entities.defaults.set(defaults.SEARCH_KEYWORDS, call["searchKeywordParameters"])
    call.entities.defaults.set(defaults.SEARCH_CATEGORIES, call["searchCategoryParameters"])
    return True


def _set_keep_url_fragments(call: Call) -> bool:
    call.entities.defaults.set(defaults.KEEP_URL_FRAGMENTS, str(int(call["enabled"])))
    return True


def _getter(name: str, default: Default, needs: Need = TOKEN) -> Method:
    return Method(f"SitesManager.{name}", needs, (), lambda call: call.entities.defaults.get(default))


def _setter(name: str, default: Default, parameter: str) -> Method:
    return Method(f"SitesManager.{name}", SUPERUSER, (Parameter(parameter, listing),), _set(default, parameter))


METHODS = (
    Method("SitesManager.addSite", SUPERUSER, (Parameter("siteName", word), *_SETTINGS), _add_site),
    Method("SitesManager.updateSite", ADMIN, (_IDSITE, Parameter("siteName", word, None), *_SETTINGS), _update_site),
    Method("SitesManager.deleteSite", SUPERUSER, (_IDSITE, _PASSWORD), _delete_site),
    Method("SitesManager.getSiteFromId", VIEW, (_IDSITE,), _site),
    Method("SitesManager.getSiteUrlsFromId", VIEW, (_IDSITE,), lambda call: call.entities.sites.urls(call["idSite"])),
    Method("SitesManager.getSitesIdFromSiteUrl", TOKEN, (Parameter("url", word),), _by_url),
    Method("SitesManager.getAllSites", SUPERUSER, (), _sites("admin")),
    Method("SitesManager.getAllSitesId", SUPERUSER, (), _ids("admin")),
    Method("SitesManager.getSitesWithAtLeastViewAccess", TOKEN, (), _sites("view", "write", "admin")),
    Method("SitesManager.getSitesWithViewAccess", TOKEN, (), _sites("view")),
    Method("SitesManager.getSitesWithAdminAccess", TOKEN, (), _sites("admin")),
    Method("SitesManager.getSitesIdWithAtLeastViewAccess", TOKEN, (), _ids("view", "write", "admin")),
    Method("SitesManager.getSitesIdWithViewAccess", TOKEN, (), _ids("view")),
    Method("SitesManager.getSitesIdWithWriteAccess", TOKEN, (), _ids("write")),
    Method("SitesManager.getSitesIdWithAdminAccess", TOKEN, (), _ids("admin")),
    Method(
        "SitesManager.addSiteAliasUrls",
        ADMIN,
        (_IDSITE, Parameter("urls", texts)),
        lambda call: call.entities.sites.add_aliases(call["idSite"], call["urls"]),
    ),
    Method(
        "SitesManager.setSiteAliasUrls",
        ADMIN,
        (_IDSITE, Parameter("urls", texts, ())),
        lambda call: call.entities.sites.set_aliases(call["idSite"], call["urls"]),
    ),
    _setter("setGlobalExcludedIps", defaults.EXCLUDED_IPS, "excludedIps"),
    _getter("getExcludedIpsGlobal", defaults.EXCLUDED_IPS, SOME_ADMIN),
    _setter("setGlobalExcludedQueryParameters", defaults.EXCLUDED_PARAMETERS, "excludedQueryParameters"),
    _getter("getExcludedQueryParametersGlobal", defaults.EXCLUDED_PARAMETERS),
    _setter("setGlobalExcludedUserAgents", defaults.EXCLUDED_USER_AGENTS, "excludedUserAgents"),
    _getter("getExcludedUserAgentsGlobal", defaults.EXCLUDED_USER_AGENTS, SOME_ADMIN),
    _setter("setGlobalExcludedReferrers", defaults.EXCLUDED_REFERRERS, "excludedReferrers"),
    _getter("getExcludedReferrersGlobal", defaults.EXCLUDED_REFERRERS),
    Method(
        "SitesManager.setGlobalSearchParameters",
        SUPERUSER,
        (Parameter("searchKeywordParameters", listing), Parameter("searchCategoryParameters", listing, "")),
        _set_search_parameters,
    ),
    _getter("getSearchKeywordParametersGlobal", defaults.SEARCH_KEYWORDS, SOME_ADMIN),
    _getter("getSearchCategoryParametersGlobal", defaults.SEARCH_CATEGORIES, SOME_ADMIN),
    Method(
        "SitesManager.setKeepURLFragmentsGlobal", SUPERUSER, (Parameter("enabled", switch),), _set_keep_url_fragments
    ),
    Method(
        "SitesManager.getKeepURLFragmentsGlobal",
        TOKEN,
        (),
        lambda call: call.entities.defaults.get(defaults.KEEP_URL_FRAGMENTS) == "1",
    ),
    _setter("setDefaultTimezone", defaults.TIMEZONE, "defaultTimezone"),
    _getter("getDefaultTimezone", defaults.TIMEZONE),
    _setter("setDefaultCurrency", defaults.CURRENCY, "defaultCurrency"),
    _getter("getDefaultCurrency", defaults.CURRENCY),
)
