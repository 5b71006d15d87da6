"""The management API over HTTP: what each method does, who may use it, what it says to bad input."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from falcon import testing

from footfall import changes
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.entities import passwords
from footfall.queue.redis import keys
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

Ask = Callable[..., Any]
OK = {"result": "success", "message": "ok"}
GOAL = {"name": "Thanks", "matchAttribute": "url", "pattern": "/thanks", "patternType": "contains"}


class Api:
    """The API as the holder of a token sees it."""

    def __init__(self, client: testing.TestClient, token: str) -> None:
        self._client = client
        self._token = token

    def post(self, method: str, **parameters: Any) -> testing.Result:
        """The answer to a call in a form body, lists as `name[0]=`."""
        fields = [("module", "API"), ("format", "JSON"), ("method", method)]
        if self._token:
            fields.append(("token_auth", self._token))
        for name, value in parameters.items():
            fields += [(f"{name}[{i}]", v) for i, v in enumerate(value)] if isinstance(value, list) else [(name, value)]
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self._client.simulate_post("/index.php", body=urlencode(fields), headers=headers)

    def ask(self, method: str, **parameters: Any) -> Any:
        """What a method answers that is allowed and makes sense."""
        result = self.post(method, **parameters)
        assert (result.status_code, result.headers["content-type"]) == (200, "application/json; charset=utf-8")
        assert not (isinstance(result.json, dict) and result.json.get("result") == "error"), result.json
        return result.json

    def complaint(self, method: str, **parameters: Any) -> str:
        """The message of a call that is allowed and makes no sense."""
        result = self.post(method, **parameters)
        assert (result.status_code, result.json["result"]) == (200, "error")
        return str(result.json["message"])

    def refusal(self, method: str, **parameters: Any) -> str:
        """The message of a call that is not allowed."""
        result = self.post(method, **parameters)
        assert (result.status_code, result.json["result"]) == (401, "error")
        return str(result.json["message"])


@pytest.fixture
def as_user(settings: Settings, clock: FixedClock, database: Database) -> Callable[..., Api]:
    """`as_user("anna", view=1, admin=2)` is the API with a token of hers; `as_user("")` has none."""
    client = testing.TestClient(create_app(settings, clock))
    users = Users(database, settings, clock)

    def make(login: str, superuser: bool = False, **access: int) -> Api:
        if not login:
            return Api(client, "")
        token = users.create_token(login, "tests", superuser)
        for level, idsite in access.items():
            database.execute("INSERT INTO access (login, idsite, access) VALUES (%s, %s, %s)", (login, idsite, level))
        return Api(client, token)

    return make


@pytest.fixture
def api(as_user: Callable[..., Api]) -> Api:
    """The API of a superuser, with two sites."""
    api = as_user("root", superuser=True)
    api.ask("SitesManager.addSite", siteName="Shop", urls=["https://shop.example.com", "https://www.shop.example.com"])
    api.ask("SitesManager.addSite", siteName="Blog", urls="https://blog.example.org")
    return api


# Sites


def test_a_site_is_what_it_was_made(api: Api) -> None:
    made = api.ask(
        "SitesManager.addSite",
        siteName="Läden & Co",
        urls=["https://a.example/", "http://b.example"],
        ecommerce=1,
        siteSearch=0,
        searchKeywordParameters="find, q",
        searchCategoryParameters="cat",
        excludedIps="203.0.113.7,198.51.100.*,2001:db8::/32",
        excludedQueryParameters="sid\nphpsessid",
        timezone="America/New_York",
        currency="eur",
        group="Europe",
        startDate="2024-05-01",
        excludedUserAgents="BadBot",
        keepURLFragments=1,
        excludeUnknownUrls=1,
        excludedReferrers="pay.example",
    )
    assert made == {"value": 3}
    assert api.ask("SitesManager.getSiteFromId", idSite=3) == {
        "idsite": 3,
        "name": "Läden & Co",
        "main_url": "https://a.example",
        "ts_created": "2024-05-01 00:00:00",
        "ecommerce": 1,
        "sitesearch": 0,
        "sitesearch_keyword_parameters": "find,q",
        "sitesearch_category_parameters": "cat",
        "timezone": "America/New_York",
        "currency": "EUR",
        "exclude_unknown_urls": 1,
        "excluded_ips": "203.0.113.7,198.51.100.*,2001:db8::/32",
        "excluded_parameters": "sid,phpsessid",
        "excluded_user_agents": "BadBot",
        "excluded_referrers": "pay.example",
        "group": "Europe",
        "type": "website",
        "keep_url_fragment": 1,
        "creator_login": "root",
        "timezone_name": "United States - New York",
        "currency_name": "Euro",
    }
    assert api.ask("SitesManager.getSiteUrlsFromId", idSite=3) == ["https://a.example", "http://b.example"]


def test_an_update_changes_what_it_names_and_nothing_else(api: Api) -> None:
    before = api.ask("SitesManager.getSiteFromId", idSite=1)
    assert api.ask("SitesManager.updateSite", idSite=1, siteName="Store", ecommerce="1") == OK
    assert api.ask("SitesManager.getSiteFromId", idSite=1) == {**before, "name": "Store", "ecommerce": 1}
    api.ask("SitesManager.updateSite", idSite=1, urls=["https://store.example"], excludedIps="203.0.113.7")
    assert api.ask("SitesManager.getSiteUrlsFromId", idSite=1) == ["https://store.example"]
    api.ask("SitesManager.updateSite", idSite=1, excludedIps="")
    assert api.ask("SitesManager.getSiteFromId", idSite=1)["excluded_ips"] == ""


def test_a_deleted_site_is_gone_and_the_last_one_stays(api: Api) -> None:
    assert api.ask("SitesManager.deleteSite", idSite=1, passwordConfirmation="x") == OK
    assert "There is no site 1" in api.complaint("SitesManager.getSiteFromId", idSite=1)
    assert api.ask("SitesManager.getAllSitesId") == [2]
    assert "only one" in api.complaint("SitesManager.deleteSite", idSite=2)


def test_sites_are_found_by_url_with_and_without_www_and_https(api: Api) -> None:
    for url in ("https://shop.example.com", "http://shop.example.com/", "https://www.shop.example.com"):
        assert api.ask("SitesManager.getSitesIdFromSiteUrl", url=url) == [{"idsite": 1}]
    assert api.ask("SitesManager.getSitesIdFromSiteUrl", url="https://other.example") == []


def test_aliases_are_added_and_replaced(api: Api) -> None:
    urls = ["https://www.shop.example.com", "https://m.shop.example.com"]
    assert api.ask("SitesManager.addSiteAliasUrls", idSite=1, urls=urls) == {"value": 1}
    assert len(api.ask("SitesManager.getSiteUrlsFromId", idSite=1)) == 3
    assert api.ask("SitesManager.setSiteAliasUrls", idSite=1, urls=["https://x.example"]) == {"value": 1}
    assert api.ask("SitesManager.getSiteUrlsFromId", idSite=1) == ["https://shop.example.com", "https://x.example"]


def test_lists_of_sites_hold_what_the_caller_may_see(api: Api, as_user: Callable[..., Api]) -> None:
    assert [site["idsite"] for site in api.ask("SitesManager.getAllSites")] == [1, 2]
    assert [site["idsite"] for site in api.ask("SitesManager.getAllSites", filter_limit=1, filter_offset=1)] == [2]
    anna = as_user("anna", view=1, admin=2)
    assert [site["name"] for site in anna.ask("SitesManager.getSitesWithAtLeastViewAccess")] == ["Shop", "Blog"]
    assert anna.ask("SitesManager.getSitesIdWithAtLeastViewAccess") == [1, 2]
    assert anna.ask("SitesManager.getSitesIdWithViewAccess") == [1]
    assert anna.ask("SitesManager.getSitesIdWithAdminAccess") == [2]
    bob = as_user("bob", view=2)
    assert bob.ask("SitesManager.getSitesIdFromSiteUrl", url="https://shop.example.com") == []


@pytest.mark.parametrize(
    ("setter", "parameter", "getter", "value"),
    [
        ("setGlobalExcludedIps", "excludedIps", "getExcludedIpsGlobal", "203.0.113.7,10.0.0.0/8"),
        ("setGlobalExcludedQueryParameters", "excludedQueryParameters", "getExcludedQueryParametersGlobal", "a,b"),
        ("setGlobalExcludedUserAgents", "excludedUserAgents", "getExcludedUserAgentsGlobal", "BadBot"),
        ("setGlobalExcludedReferrers", "excludedReferrers", "getExcludedReferrersGlobal", "pay.example"),
        ("setDefaultTimezone", "defaultTimezone", "getDefaultTimezone", "Europe/Berlin"),
        ("setDefaultCurrency", "defaultCurrency", "getDefaultCurrency", "EUR"),
    ],
)
def test_what_holds_for_all_sites_is_set_and_read(
    api: Api, setter: str, parameter: str, getter: str, value: str
) -> None:
    assert api.ask(f"SitesManager.{setter}", **{parameter: value}) == {"value": True}
    assert api.ask(f"SitesManager.{getter}") == {"value": value}


def test_a_new_site_takes_the_defaults(api: Api) -> None:
    api.ask("SitesManager.setDefaultTimezone", defaultTimezone="Asia/Tokyo")
    api.ask("SitesManager.setDefaultCurrency", defaultCurrency="JPY")
    api.ask("SitesManager.setGlobalSearchParameters", searchKeywordParameters="find", searchCategoryParameters="in")
    idsite = api.ask("SitesManager.addSite", siteName="x", urls="https://x.example")["value"]
    site = api.ask("SitesManager.getSiteFromId", idSite=idsite)
    assert (site["timezone"], site["timezone_name"], site["currency"]) == ("Asia/Tokyo", "Japan", "JPY")
    assert api.ask("SitesManager.getSearchKeywordParametersGlobal") == {"value": "find"}
    assert api.ask("SitesManager.getKeepURLFragmentsGlobal") == {"value": False}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"urls": "https://x.example"}, "siteName"),
        ({"siteName": "x"}, "address"),
        ({"siteName": "x" * 91, "urls": "https://x.example"}, "at most 90"),
        ({"siteName": "x", "urls": "x.example"}, "http://"),
        ({"siteName": "x", "urls": "https://x.example/" + "x" * 300}, "at most 255"),
        ({"siteName": "x", "urls": "https://x.example", "timezone": "Mars/Crater"}, "Europe/Berlin"),
        ({"siteName": "x", "urls": "https://x.example", "currency": "???"}, "EUR"),
        ({"siteName": "x", "urls": "https://x.example", "excludedIps": "nowhere"}, "no address"),
        ({"siteName": "x", "urls": "https://x.example", "ecommerce": "maybe"}, "ecommerce is 1 or 0"),
        ({"siteName": "x", "urls": "https://x.example", "keepURLFragments": "9"}, "keep_url_fragment"),
        ({"siteName": "x", "urls": "https://x.example", "siteNam": "y"}, "no parameter 'siteNam'"),
    ],
)
def test_bad_settings_of_a_site_are_refused_with_a_reason(api: Api, parameters: dict[str, Any], told: str) -> None:
    assert told in api.complaint("SitesManager.addSite", **parameters)
    assert api.ask("SitesManager.getAllSitesId") == [1, 2]


# Goals


def test_a_goal_is_added_changed_and_deleted(api: Api) -> None:
    assert api.ask("Goals.addGoal", idSite=1, revenue="9,5", **GOAL) == {"value": 1}
    assert api.ask("Goals.addGoal", idSite=1, name="Call", matchAttribute="manually") == {"value": 2}
    assert api.ask("Goals.getGoal", idSite=1, idGoal=1) == {
        "idsite": 1,
        "idgoal": 1,
        "name": "Thanks",
        "description": "",
        "match_attribute": "url",
        "pattern": "/thanks",
        "pattern_type": "contains",
        "case_sensitive": 0,
        "allow_multiple": 0,
        "revenue": 9.5,
        "deleted": 0,
        "event_value_as_revenue": 0,
    }
    assert [goal["idgoal"] for goal in api.ask("Goals.getGoals", idSite=1, orderByName=1)] == [2, 1]
    assert "pattern" not in api.ask("Goals.getGoal", idSite=1, idGoal=2)
    assert api.ask("Goals.updateGoal", idSite=1, idGoal=1, **{**GOAL, "name": "Paid"}) == OK
    assert api.ask("Goals.getGoal", idSite=1, idGoal=1)["name"] == "Paid"
    assert api.ask("Goals.deleteGoal", idSite=1, idGoal=2) == OK
    assert [goal["idgoal"] for goal in api.ask("Goals.getGoals", idSite=1)] == [1]
    assert api.ask("Goals.addGoal", idSite=1, **GOAL) == {"value": 3}  # 2 has conversions perhaps


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": ""}, "parameter name"),
        ({"name": "x" * 51}, "at most 50"),
        ({"matchAttribute": "weather"}, "not 'weather'"),
        ({"patternType": "starts"}, "contains or exact or regex"),
        ({"pattern": ""}, "must not be empty"),
        ({"pattern": "(", "patternType": "regex"}, "no regular expression"),
        ({"pattern": "/thanks", "patternType": "exact"}, "whole URL"),
        ({"matchAttribute": "visit_duration", "patternType": "greater_than", "pattern": "long"}, "is a number"),
        ({"useEventValueAsRevenue": "1"}, "matches an event"),
        ({"revenue": "much"}, "revenue is a number"),
        ({"idSite": "99"}, "There is no site 99"),
    ],
)
def test_bad_settings_of_a_goal_are_refused_with_a_reason(api: Api, changed: dict[str, Any], told: str) -> None:
    assert told in api.complaint("Goals.addGoal", **{"idSite": 1, **GOAL, **changed})
    assert api.ask("Goals.getGoals", idSite=1) == []


# Custom dimensions


def test_a_dimension_is_configured_and_reconfigured(api: Api) -> None:
    new = "CustomDimensions.configureNewCustomDimension"
    assert api.ask(new, idSite=1, name="Plan", scope="visit", active=1) == {"value": 1}
    extraction = {"extractions[0][dimension]": "url", "extractions[0][pattern]": "section-([a-z]+)"}
    assert api.ask(new, idSite=1, name="Section", scope="action", active=1, **extraction) == {"value": 2}
    assert api.ask("CustomDimensions.getConfiguredCustomDimensions", idSite=1)[1] == {
        "idcustomdimension": 2,
        "idsite": 1,
        "name": "Section",
        "index": 1,
        "scope": "action",
        "active": True,
        "extractions": [{"dimension": "url", "pattern": "section-([a-z]+)"}],
        "case_sensitive": True,
    }
    update = "CustomDimensions.configureExistingCustomDimension"
    assert api.ask(update, idDimension=1, idSite=1, name="Tariff", active=0) == OK
    (visit,) = api.ask("CustomDimensions.getConfiguredCustomDimensionsHavingScope", idSite=1, scope="visit")
    assert (visit["name"], visit["active"], visit["index"]) == ("Tariff", False, 1)
    scopes = {scope["value"]: scope for scope in api.ask("CustomDimensions.getAvailableScopes", idSite=1)}
    assert (scopes["visit"]["numSlotsAvailable"], scopes["visit"]["numSlotsLeft"]) == (5, 4)
    assert scopes["action"]["supportsExtractions"] is True


def test_extractions_may_come_as_json(api: Api) -> None:
    extractions = json.dumps([{"dimension": "urlparam", "pattern": "author"}])
    new = "CustomDimensions.configureNewCustomDimension"
    api.ask(new, idSite=1, name="Author", scope="action", active=1, extractions=extractions)
    (dimension,) = api.ask("CustomDimensions.getConfiguredCustomDimensions", idSite=1)
    assert dimension["extractions"] == [{"dimension": "urlparam", "pattern": "author"}]


def test_a_scope_has_as_many_dimensions_as_columns(api: Api) -> None:
    new = {"method": "CustomDimensions.configureNewCustomDimension", "idSite": 1, "scope": "visit", "active": 1}
    for number in range(5):
        api.ask(**new, name=f"d{number}")
    assert "no more fit" in api.complaint(**new, name="d6")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": ""}, "parameter name"),
        ({"scope": "week"}, "visit or action"),
        ({"extractions[0][dimension]": "url", "extractions[0][pattern]": "x"}, "scope action"),
        ({"scope": "action", "extractions[0][dimension]": "url", "extractions[0][pattern]": "x"}, "group"),
        ({"scope": "action", "extractions[0][dimension]": "host", "extractions[0][pattern]": "x"}, "not 'host'"),
        ({"extractions": "x"}, "extractions is a list"),
    ],
)
def test_bad_settings_of_a_dimension_are_refused(api: Api, changed: dict[str, Any], told: str) -> None:
    settings = {"idSite": 1, "name": "Plan", "scope": "visit", "active": 1, **changed}
    assert told in api.complaint("CustomDimensions.configureNewCustomDimension", **settings)


# Users


def add_anna(api: Api) -> None:
    assert api.ask("UsersManager.addUser", userLogin="anna", password="secret!", email="anna@x.example") == OK


def test_a_user_is_added_changed_and_deleted(api: Api, database: Database) -> None:
    add_anna(api)
    anna = api.ask("UsersManager.getUser", userLogin="anna")
    assert (anna["login"], anna["email"], anna["superuser_access"]) == ("anna", "anna@x.example", 0)
    assert not anna.keys() & {"password", "token_auth"}
    api.ask("UsersManager.updateUser", userLogin="anna", email="a@x.example", password="other secret")
    assert api.ask("UsersManager.getUserByEmail", userEmail="a@x.example")["login"] == "anna"
    ((stored,),) = database.query("SELECT password FROM user WHERE login = 'anna'")
    assert stored.startswith("$2y$") and passwords.is_right("other secret", stored)
    assert api.ask("UsersManager.getUsersLogin") == ["anna", "root"]
    assert [user["login"] for user in api.ask("UsersManager.getUsers", userLogins="anna")] == ["anna"]
    assert api.ask("UsersManager.deleteUser", userLogin="anna") == OK
    assert "There is no user 'anna'" in api.complaint("UsersManager.getUser", userLogin="anna")


def test_access_is_given_by_site_and_taken_away(api: Api) -> None:
    add_anna(api)
    give = {"method": "UsersManager.setUserAccess", "userLogin": "anna"}
    assert api.ask(**give, access="view", idSites="1,2") == OK
    assert api.ask(**give, access="admin", idSites=[2]) == OK
    assert api.ask("UsersManager.getUsersAccessFromSite", idSite=1) == {"anna": "view"}
    assert api.ask("UsersManager.getSitesAccessFromUser", userLogin="anna") == [
        {"site": 1, "access": "view"},
        {"site": 2, "access": "admin"},
    ]
    assert [u["login"] for u in api.ask("UsersManager.getUsersWithSiteAccess", idSite=2, access="admin")] == ["anna"]
    assert api.ask(**give, access="noaccess", idSites="all") == OK
    assert api.ask("UsersManager.getUsersAccessFromSite", idSite=2) == {}


def test_superuser_access_is_given_but_the_last_one_keeps_it(api: Api) -> None:
    add_anna(api)
    change = {"method": "UsersManager.setSuperUserAccess"}
    assert "only superuser" in api.complaint(**change, userLogin="root", hasSuperUserAccess=0)
    api.ask(**change, userLogin="anna", hasSuperUserAccess=1)
    assert [user["login"] for user in api.ask("UsersManager.getUsersHavingSuperUserAccess")] == ["anna", "root"]
    assert "is a superuser" in api.complaint("UsersManager.setUserAccess", userLogin="anna", access="view", idSites=1)
    api.ask(**change, userLogin="anna", hasSuperUserAccess=0)
    assert api.ask("UsersManager.getUser", userLogin="anna")["superuser_access"] == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"userLogin": "a b"}, "cannot be a login"),
        ({"userLogin": "root"}, "already"),
        ({"email": "nobody"}, "no email"),
        ({"email": "root@localhost"}, "already"),
        ({"password": "short"}, "6 to 200"),
        ({"_isPasswordHashed": "1"}, "the password itself"),
    ],
)
def test_bad_settings_of_a_user_are_refused(api: Api, changed: dict[str, str], told: str) -> None:
    settings = {"userLogin": "anna", "password": "secret!", "email": "anna@x.example", **changed}
    assert told in api.complaint("UsersManager.addUser", **settings)
    assert api.ask("UsersManager.getUsersLogin") == ["root"]


def test_login_and_password_get_a_token_of_their_own(
    api: Api, as_user: Callable[..., Api], settings: Settings, clock: FixedClock, database: Database
) -> None:
    """As the reference's log importer asks for one."""
    add_anna(api)
    nobody = as_user("")
    new = {"method": "UsersManager.createAppSpecificTokenAuth", "description": "importer", "expireHours": 48}
    for login in ("anna", "anna@x.example"):
        token = nobody.ask(**new, userLogin=login, passwordConfirmation="secret!")["value"]
        caller = Users(database, settings, clock).authenticate(token)
        assert caller is not None and caller.login == "anna"
    ((expires,),) = set(database.query("SELECT date_expired FROM user_token_auth WHERE login = 'anna'"))
    assert (expires - clock.now().replace(tzinfo=None)).total_seconds() == 48 * 3600
    for login, password in (("anna", "wrong"), ("nobody", "secret!"), ("root", "")):
        assert nobody.complaint(**new, userLogin=login, passwordConfirmation=password) == "Login or password are wrong."


def test_a_token_alone_does_not_change_the_password(api: Api, as_user: Callable[..., Api]) -> None:
    add_anna(api)
    anna = as_user("anna")
    change = {"method": "UsersManager.updateUser", "userLogin": "anna", "password": "stolen!"}
    assert "present password" in anna.complaint(**change)
    assert "present password" in anna.complaint(**change, passwordConfirmation="guessed")
    assert anna.ask(**change, passwordConfirmation="secret!") == OK


# Languages


def test_a_user_chooses_a_language(api: Api, as_user: Callable[..., Api]) -> None:
    anna = as_user("anna")
    assert {"en", "de", "pt-br"} <= set(as_user("").ask("LanguagesManager.getAvailableLanguages"))
    assert anna.ask("LanguagesManager.getLanguageForUser", login="anna") == {"value": False}
    assert anna.ask("LanguagesManager.setLanguageForUser", login="anna", languageCode="de") == {"value": True}
    assert anna.ask("LanguagesManager.getLanguageForUser", login="anna") == {"value": "de"}
    assert "no language 'xx'" in anna.complaint("LanguagesManager.setLanguageForUser", login="anna", languageCode="xx")
    anna.refusal("LanguagesManager.setLanguageForUser", login="root", languageCode="de")


# Access

SITE_1 = {"idSite": 1}
SUPERUSERS = [
    ("SitesManager.addSite", {"siteName": "x", "urls": "https://x.example"}),
    ("SitesManager.deleteSite", SITE_1),
    ("SitesManager.getAllSites", {}),
    ("SitesManager.setGlobalExcludedIps", {"excludedIps": "203.0.113.7"}),
    ("UsersManager.addUser", {"userLogin": "eve", "password": "secret!", "email": "eve@x.example"}),
    ("UsersManager.deleteUser", {"userLogin": "root"}),
    ("UsersManager.setSuperUserAccess", {"userLogin": "anna", "hasSuperUserAccess": 1}),
    ("UsersManager.getUser", {"userLogin": "root"}),
    ("UsersManager.updateUser", {"userLogin": "root", "password": "stolen!"}),
]
ADMINS = [
    ("SitesManager.updateSite", SITE_1),
    ("SitesManager.setSiteAliasUrls", {**SITE_1, "urls": "https://x.example"}),
    ("UsersManager.setUserAccess", {"userLogin": "anna", "access": "admin", "idSites": "1"}),
    ("UsersManager.getUsersAccessFromSite", SITE_1),
]
WRITERS = [
    ("Goals.addGoal", {**SITE_1, **GOAL}),
    ("Goals.deleteGoal", {**SITE_1, "idGoal": 1}),
    ("CustomDimensions.configureNewCustomDimension", {**SITE_1, "name": "x", "scope": "visit", "active": 1}),
    ("CustomDimensions.getAvailableScopes", SITE_1),
]
VIEWERS = [
    ("SitesManager.getSiteFromId", SITE_1),
    ("Goals.getGoals", SITE_1),
    ("CustomDimensions.getConfiguredCustomDimensions", SITE_1),
]


@pytest.mark.parametrize(("method", "parameters"), SUPERUSERS + ADMINS + WRITERS + VIEWERS, ids=str)
def test_without_a_token_nothing_is_said(
    api: Api, as_user: Callable[..., Api], method: str, parameters: dict[str, Any]
) -> None:
    assert "token_auth" in as_user("").refusal(method, **parameters)


@pytest.mark.parametrize(
    ("level", "method", "parameters"),
    [("admin", *case) for case in SUPERUSERS]
    + [("write", *case) for case in ADMINS]
    + [("view", *case) for case in WRITERS],
    ids=str,
)
def test_less_access_than_needed_is_refused(
    api: Api, as_user: Callable[..., Api], level: str, method: str, parameters: dict[str, Any]
) -> None:
    anna = as_user("anna", **{level: 1})
    assert "needs" in anna.refusal(method, **parameters)


@pytest.mark.parametrize(("method", "parameters"), ADMINS + WRITERS + VIEWERS, ids=str)
def test_access_to_another_site_does_not_help(
    api: Api, as_user: Callable[..., Api], method: str, parameters: dict[str, Any]
) -> None:
    as_user("anna", admin=2).refusal(method, **parameters)


@pytest.mark.parametrize(
    ("level", "method", "parameters"),
    [("admin", *case) for case in ADMINS]
    + [("write", *case) for case in WRITERS if case[0] != "Goals.deleteGoal"]
    + [("view", *case) for case in VIEWERS],
    ids=str,
)
def test_the_access_that_is_needed_is_enough(
    api: Api, as_user: Callable[..., Api], level: str, method: str, parameters: dict[str, Any]
) -> None:
    as_user("anna", **{level: 1}).ask(method, **parameters)


def test_a_wrong_token_is_refused(api: Api, as_user: Callable[..., Api], settings: Settings, clock: FixedClock) -> None:
    wrong = Api(testing.TestClient(create_app(settings, clock)), "0" * 32)
    assert "not known" in wrong.refusal("SitesManager.getAllSitesId")
    assert "not known" in wrong.refusal("LanguagesManager.getAvailableLanguages")


# What is kept in memory


def test_access_that_was_taken_away_is_gone_at_once(api: Api, as_user: Callable[..., Api]) -> None:
    anna = as_user("anna", admin=1)
    for _ in range(20):  # whichever thread answers
        anna.ask("SitesManager.getSiteFromId", idSite=1)
    api.ask("UsersManager.setUserAccess", userLogin="anna", access="noaccess", idSites=1)
    for _ in range(20):
        anna.refusal("SitesManager.getSiteFromId", idSite=1)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("SitesManager.addSite", {"siteName": "x", "urls": "https://x.example"}),
        ("SitesManager.updateSite", {"idSite": 1, "siteName": "x"}),
        ("SitesManager.deleteSite", {"idSite": 1}),
        ("SitesManager.addSiteAliasUrls", {"idSite": 1, "urls": "https://x.example"}),
        ("SitesManager.setSiteAliasUrls", {"idSite": 1, "urls": "https://x.example"}),
        ("SitesManager.setGlobalExcludedIps", {"excludedIps": "203.0.113.7"}),
        ("Goals.addGoal", {"idSite": 1, **GOAL}),
        ("Goals.updateGoal", {"idSite": 1, "idGoal": 1, **GOAL}),
        ("Goals.deleteGoal", {"idSite": 1, "idGoal": 1}),
        ("CustomDimensions.configureNewCustomDimension", {"idSite": 1, "name": "x", "scope": "visit", "active": 1}),
        (
            "CustomDimensions.configureExistingCustomDimension",
            {"idSite": 1, "idDimension": 1, "name": "x", "active": 0},
        ),
        ("UsersManager.addUser", {"userLogin": "eve", "password": "secret!", "email": "eve@x.example"}),
        ("UsersManager.updateUser", {"userLogin": "anna", "email": "eve@x.example"}),
        ("UsersManager.deleteUser", {"userLogin": "anna"}),
        ("UsersManager.setUserAccess", {"userLogin": "anna", "access": "view", "idSites": 1}),
        ("UsersManager.setSuperUserAccess", {"userLogin": "anna", "hasSuperUserAccess": 1}),
        (
            "UsersManager.createAppSpecificTokenAuth",
            {"userLogin": "anna", "passwordConfirmation": "secret!", "description": "x"},
        ),
    ],
    ids=str,
)
def test_every_change_is_announced(
    api: Api, redis_client: redis.Redis, method: str, parameters: dict[str, Any]
) -> None:
    add_anna(api)
    api.ask("Goals.addGoal", idSite=1, **GOAL)
    api.ask("CustomDimensions.configureNewCustomDimension", idSite=1, name="y", scope="visit", active=1)
    before = redis_client.get(keys.value(changes.NAME))
    api.ask(method, **parameters)
    assert redis_client.get(keys.value(changes.NAME)) != before
