"""Where visits come from: what the reference recorded (conformance topic referrers), and what nobody should send."""

import gzip
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from footfall.sites import Site
from footfall.tracking import referrers
from footfall.tracking.referrers import DIRECT, Referrer, ReferrerType, attributed_to, of_conversion, referrer_of

RECORDED = Path(__file__).resolve().parent.parent / "conformance" / "tracking" / "referrers.jsonl.gz"


def site(**changes: Any) -> Site:
    """The Shop of the recorded scenarios, as far as referrers look at a site."""
    read = {
        "urls": ("https://shop.example.com", "http://www.shop.example.com", "https://m.example.net/shop"),
        "excluded_referrers": (),
        "excluded_parameters": frozenset(),
        "excluded_parameter_patterns": (),
        "keep_url_fragment": False,
    }
    return cast(Site, SimpleNamespace(**(read | changes)))


def referrer(url: str, page: str = "https://shop.example.com/landing", **changes: Any) -> Referrer:
    return referrer_of(url, page, site(**changes))


def scenarios() -> list[dict[str, Any]]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def hits(scenario: dict[str, Any]) -> list[Referrer]:
    """What the requests of a scenario say about where the visitor came from."""
    parameters = [parse_qs(request["query"]) for request in scenario["requests"]]
    return [referrer_of(p.get("urlref", [""])[0], p.get("url", [""])[0], site()) for p in parameters]


SCENARIOS = {scenario["scenario"]: scenario for scenario in scenarios()}
SPAM = "referrer: spam"


@pytest.mark.parametrize(
    "scenario", [s for s in SCENARIOS.values() if s["scenario"] != SPAM], ids=lambda s: s["scenario"]
)
def test_visits_come_from_where_the_reference_says(scenario: dict[str, Any]) -> None:
    first, *further = hits(scenario)
    visits = [first]
    for hit in further:
        if referrers.is_new_campaign(visits[-1], hit):
            visits.append(hit)
        elif referrers.is_late(visits[-1], hit):
            visits[-1] = hit
    recorded = scenario["expect"]["log_visit"]
    assert [visit[:4] for visit in visits] == [
        (row["referer_type"], row["referer_name"], row["referer_keyword"], row["referer_url"]) for row in recorded
    ]


def test_a_known_spammer_is_not_recorded() -> None:
    scenario = SCENARIOS[SPAM]
    (query,) = (parse_qs(request["query"]) for request in scenario["requests"])
    assert scenario["expect"]["log_visit"] == []
    assert referrers.is_spam(query["urlref"][0])
    assert referrers.is_spam("https://a.b.semalt.com/x")
    assert not referrers.is_spam("https://notsemalt.com/")
    assert not referrers.is_spam("https://news.example.net/?about=semalt.com")


def test_conversions_are_credited_to_the_campaign_that_the_cookie_remembers() -> None:
    scenario = SCENARIOS["attribution parameters"]
    parameters = parse_qs(scenario["requests"][-1]["query"])
    cookie = attributed_to(parameters["_rcn"][0], parameters["_rck"][0], parameters["_ref"][0], site())
    (row,) = scenario["expect"]["log_conversion"]
    credited = of_conversion(DIRECT, cookie)
    assert credited[:3] == (row["referer_type"], row["referer_name"], row["referer_keyword"])


class TestConversions:
    VISIT = Referrer(ReferrerType.WEBSITE, "news.example.net", None)
    CAMPAIGN = Referrer(ReferrerType.CAMPAIGN, "win", "w")

    def test_the_cookies_referrer_outdoes_the_visits(self) -> None:
        cookie = attributed_to("", "", "https://www.bing.com/search?q=Boots", site())
        assert of_conversion(self.VISIT, cookie)[:3] == (ReferrerType.SEARCH_ENGINE, "Bing", "boots")

    def test_a_campaign_outdoes_the_cookies_referrer(self) -> None:
        cookie = attributed_to("", "", "https://www.bing.com/search?q=boots", site())
        assert of_conversion(self.CAMPAIGN, cookie) == self.CAMPAIGN

    def test_without_a_cookie_it_is_the_visits(self) -> None:
        assert of_conversion(self.VISIT, None) == self.VISIT

    @pytest.mark.parametrize("url", ["", "lorem ipsum", "https://shop.example.com/earlier"])
    def test_a_cookie_without_a_foreign_referrer_says_nothing(self, url: str) -> None:
        assert attributed_to("", "kept keyword", url, site()) is None


class TestCampaigns:
    @pytest.mark.parametrize("family", ["pk", "piwik", "mtm", "matomo"])
    def test_all_families_are_known(self, family: str) -> None:
        page = f"https://shop.example.com/?{family}_campaign=Big+Sale&{family}_kwd=%C3%84pfel"
        assert referrer("", page)[:3] == (ReferrerType.CAMPAIGN, "big sale", "äpfel")

    def test_the_short_name_of_the_oldest_family_is_known(self) -> None:
        assert referrer("", "https://shop.example.com/?pk_cpn=A&pk_keyword=B")[:3] == (6, "a", "b")

    def test_a_campaign_outdoes_source_and_medium(self) -> None:
        page = "https://shop.example.com/?utm_medium=email&utm_source=letter&utm_campaign=spring"
        assert referrer("", page).name == "spring"
        assert referrer("", page.rpartition("&")[0]).name == "letter"

    def test_an_empty_parameter_names_no_campaign(self) -> None:
        assert referrer("", "https://shop.example.com/?utm_campaign=&mtm_campaign=%20") == DIRECT

    def test_without_a_keyword_it_is_what_was_searched_for(self) -> None:
        page = "https://shop.example.com/?utm_campaign=Weekly"
        assert referrer("https://duckduckgo.com/?q=Hats", page)[:3] == (6, "weekly", "hats")

    def test_without_a_keyword_or_search_it_is_the_referrers_host(self) -> None:
        page = "https://shop.example.com/?utm_campaign=Weekly"
        assert referrer("https://www.facebook.com/", page)[:3] == (6, "weekly", "www.facebook.com")

    def test_the_next_page_of_a_campaign_continues_the_visit(self) -> None:
        page = "https://shop.example.com/?utm_campaign=Weekly"
        first = referrer("https://www.facebook.com/", page)
        assert not referrers.is_new_campaign(first, referrer("https://shop.example.com/?utm_campaign=Weekly", page))

    def test_another_keyword_of_a_campaign_begins_a_visit(self) -> None:
        page = "https://shop.example.com/?mtm_campaign=weekly&mtm_kwd="
        assert referrers.is_new_campaign(referrer("", page + "a"), referrer("", page + "b"))

    def test_a_direct_visit_takes_a_campaign_over(self) -> None:
        campaign = referrer("", "https://shop.example.com/?mtm_campaign=weekly")
        assert not referrers.is_new_campaign(DIRECT, campaign)
        assert referrers.is_late(DIRECT, campaign)

    def test_names_fit_their_columns(self) -> None:
        long = referrer("", f"https://shop.example.com/?mtm_campaign={'n' * 300}&mtm_kwd={'k' * 300}")
        assert (len(long.name or ""), len(long.keyword or "")) == (255, 255)


class TestSearchEngines:
    @pytest.mark.parametrize(
        ("url", "engine", "keyword"),
        [
            ("https://www.google.co.uk/search?q=Rote+Schuhe", "Google", "rote schuhe"),
            ("http://www.google.com.br/search?hl=pt&q=caf%C3%A9", "Google", "café"),
            ("https://m.google.de/search?q=x", "Google", "x"),
            ("https://www.google.fr/", "Google", None),
            ("https://www.google.com/url?sa=t&url=x", "Google", None),
            ("https://images.google.it/imgres?q=gatto", "Google Images", "gatto"),
            ("https://www.google.com/search?q=cat&tbm=isch", "Google Images", "cat"),
            ("https://news.google.de/?q=wahl", "Google News", "wahl"),
            ("https://www.bing.com/images/search?q=boots", "Bing Images", "boots"),
            ("https://de.search.yahoo.com/search?p=stiefel", "Yahoo!", "stiefel"),
            ("https://yandex.kz/search/?text=%D0%BE", "Yandex", "о"),
            ("https://www.facebook.com/", "Facebook", None),
            ("android-app://com.google.android.googlequicksearchbox/", "Google", None),
        ],
    )
    def test_search_engines_are_known_in_every_country(self, url: str, engine: str, keyword: str | None) -> None:
        assert referrer(url)[:3] == (ReferrerType.SEARCH_ENGINE, engine, keyword)

    def test_a_keyword_is_read_in_the_charsets_of_its_engine(self) -> None:
        encoded = "".join(f"%{byte:02X}" for byte in "中国".encode("gb2312"))
        assert referrer(f"https://www.baidu.com/s?wd={encoded}").keyword == "中国"

    def test_another_page_of_an_engine_is_a_website(self) -> None:
        assert referrer("https://www.google.com/intl/en/about/")[:2] == (ReferrerType.WEBSITE, "www.google.com")


class TestSocialNetworks:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://lm.facebook.com/", "Facebook"),
            ("https://old.reddit.com/r/x", "reddit"),
            ("https://x.com/someone", "Twitter"),
            ("https://at.pinterest.com/", "Pinterest"),
            ("https://youtu.be/abc", "YouTube"),
            ("https://bsky.app/profile/x", "Bluesky"),
        ],
    )
    def test_social_networks_are_known_under_the_names_of_the_reference(self, url: str, name: str) -> None:
        assert referrer(url)[:3] == (ReferrerType.SOCIAL_NETWORK, name, "")

    def test_a_host_that_only_ends_alike_is_a_website(self) -> None:
        assert referrer("https://notfacebook.com/").type == ReferrerType.WEBSITE


class TestOwnPlaces:
    @pytest.mark.parametrize(
        "url",
        [
            "https://www.shop.example.com/x",
            "http://shop.example.com:8080/",
            "https://M.Example.NET/shop",
            "//shop.example.com/",
        ],
    )
    def test_the_sites_own_places_are_direct(self, url: str) -> None:
        assert referrer(url).type == ReferrerType.DIRECT

    def test_a_path_that_only_begins_alike_is_not_the_sites(self) -> None:
        assert referrer("https://m.example.net/shopping").type == ReferrerType.WEBSITE

    def test_the_host_of_the_page_is_direct_wherever_the_site_is(self) -> None:
        assert referrer("https://mirror.example/a", page="https://mirror.example/b").type == ReferrerType.DIRECT

    @pytest.mark.parametrize(
        "entry", ["pay.example", "https://pay.example/", ".pay.example", "www.pay.example/checkout"]
    )
    def test_excluded_referrers_are_direct(self, entry: str) -> None:
        excluded = referrer("https://pay.example/checkout/done", excluded_referrers=(entry,))
        assert excluded == DIRECT._replace(url="https://pay.example/checkout/done")

    def test_subdomains_are_excluded_where_the_entry_says_so(self) -> None:
        url = "https://secure.pay.example/"
        assert referrer(url, excluded_referrers=(".pay.example",)).type == ReferrerType.DIRECT
        assert referrer(url, excluded_referrers=("pay.example", "pay.example/secure")).type == ReferrerType.WEBSITE


class TestStoredUrl:
    def test_session_and_campaign_parameters_are_dropped(self) -> None:
        url = "https://news.example.net/a?PHPSESSID=1&id=2&utm_source=x&key=3#part"
        stored = referrer(url, excluded_parameters=frozenset({"key"})).url
        assert stored == "https://news.example.net/a?id=2"

    def test_it_fits_its_column(self) -> None:
        assert len(referrer("https://news.example.net/" + "a" * 5000).url) == 1500

    def test_line_breaks_and_null_bytes_are_dropped(self) -> None:
        assert referrer("https://news.example.net/a\r\n\0b").url == "https://news.example.net/ab"


@given(st.text(max_size=300), st.text(max_size=300))
@example("https://[::1]:80/?q", "https://[")
@example("//user:pass@host:99999/x?%ff=%", "#utm_campaign=%ff%00")
@example("javascript://x/%0aalert(1)", "data:,")
@example("https://www.google.com/search?q=%ff%fe\udcff", "https://shop.example.com/?pk_cpn=\x00")
def test_any_text_is_understood_as_something_that_can_be_stored(url: str, page: str) -> None:
    found = referrer(url, page=page)
    assert found.type in set(ReferrerType)
    assert len(found.url) <= 1500
    assert max(len(found.name or ""), len(found.keyword or "")) <= 255
    assert "\0" not in f"{found.name}{found.keyword}{found.url}"


@pytest.mark.parametrize(
    "url",
    [
        "https://" + "a." * 500_000,
        "https://www.google.com/search?q=" + "cache:a:" * 100_000,
        "https://lookany.com/" + "search/" * 100_000,
        "https://news.example.net/?" + "&" * 1_000_000,
        "/" * 1_000_000,
    ],
    ids=["labels", "cache", "path", "query", "slashes"],
)
def test_a_huge_referrer_does_not_hold_a_batch_up(url: str) -> None:
    start = time.perf_counter()
    referrer(url)
    referrers.is_spam(url)
    assert time.perf_counter() - start < 0.5
