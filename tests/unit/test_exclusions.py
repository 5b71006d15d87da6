"""What sites ask not to record."""

from collections.abc import Callable
from datetime import UTC

import pytest

from footfall.sites import Site
from footfall.timezones import LocalDays
from footfall.tracking.addresses import pack
from footfall.tracking.errors import Excluded
from footfall.tracking.exclusions import Exclusions, is_prefetch, networks_of

Check = Callable[..., str | None]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


def site(**values: object) -> Site:
    fields: dict[str, object] = dict.fromkeys(Site.__dataclass_fields__, ())
    fields |= {"idsite": 1, "days": LocalDays(UTC), "exclude_unknown_urls": False}
    return Site(**(fields | values))  # type: ignore[arg-type]


def reason(
    site: Site,
    address: str = "192.0.2.1",
    user_agent: str = CHROME,
    url: str = "https://example.org/",
    do_not_track: bool = False,
    **headers: str,
) -> str | None:
    """Why the request is left out; None when it is not."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        Exclusions(do_not_track).check(site, pack(address), user_agent, url, named)
    except Excluded as excluded:
        return excluded.reason
    return None


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        (" 203.0.113.7 ", "203.0.113.7", "203.0.113.8"),
        ("198.51.100.*", "198.51.100.200", "198.51.101.200"),
        ("198.51.*.*", "198.51.7.1", "198.52.7.1"),
        ("*.*.*.*", "198.51.7.1", "2001:db8::1"),
        ("10.20.0.0/15", "10.21.255.255", "10.22.0.0"),
        ("10.20.30.40/15", "10.21.255.255", "10.22.0.0"),
        ("10.0.0.5-10.0.1.9", "10.0.1.9", "10.0.1.10"),
        ("2001:db8:bad::/48", "2001:db8:bad:1::5", "2001:db8:bae::5"),
        ("2001:db8:bad::5", "2001:db8:bad::5", "2001:db8:bad::6"),
        ("2001:db8:1:2:*:*:*:*", "2001:db8:1:2:ffff::", "2001:db8:1:3::"),
        ("2001:db8::7:*", "2001:db8::7:1", "2001:db8::8:1"),
        ("203.0.113.7", "::ffff:203.0.113.7", "::203.0.113.7"),
    ],
)
def test_an_excluded_address_can_be_written_in_many_ways(entry: str, inside: str, outside: str) -> None:
    excluding = site(excluded_ips=("192.0.2.99", entry))
    assert reason(excluding, address=inside) == "excluded address"
    assert reason(excluding, address=outside) is None


@pytest.mark.parametrize(
    "entry", ["", "nonsense", "1.*.1.1", "*.1.1.1", "1.1.1.*/24", "1.2.3.4/33", "5-4", "::1-1.2.3.4"]
)
def test_an_address_that_cannot_be_understood_excludes_nobody(entry: str) -> None:
    assert networks_of(entry) == []


def test_a_user_agent_is_excluded_by_a_part_of_it_in_any_case() -> None:
    excluding = site(excluded_user_agents=("Other", "badBOT"))
    assert reason(excluding, user_agent="Mozilla/5.0 BadBot/1.0") == "excluded user agent"
    assert reason(excluding) is None


def test_a_user_agent_is_excluded_by_a_pattern() -> None:
    assert reason(site(excluded_user_agents=(r"/chrome\/12\d\./i",))) == "excluded user agent"
    assert reason(site(excluded_user_agents=(r"/chrome\/12\d\./",))) is None
    assert reason(site(excluded_user_agents=(r"/^Safari/",))) is None


def test_a_pattern_that_does_not_compile_is_looked_for_as_a_text() -> None:
    broken = site(excluded_user_agents=("/(/",))
    assert reason(broken) is None
    assert reason(broken, user_agent="x /(/ y") == "excluded user agent"


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://docs.example.io/manual/ch1?x=1", True),
        ("http://www.docs.example.io/manual", True),
        ("https://DOCS.example.io/manual/", True),
        ("https://alias.example.net:8080/any/page", True),
        ("https://docs.example.io/manuals", False),
        ("https://docs.example.io/", False),
        ("https://other.example.io/manual/", False),
        ("https://[broken", False),
        ("", False),
    ],
)
def test_a_site_can_take_only_pages_below_its_own_urls(url: str, known: bool) -> None:
    strict = site(urls=("https://docs.example.io/manual", "http://alias.example.net"), exclude_unknown_urls=True)
    assert (reason(strict, url=url) is None) is known
    assert reason(site(urls=strict.urls), url=url) is None


@pytest.mark.parametrize(
    "header",
    [{"x-purpose": "preview"}, {"x-moz": "prefetch"}, {"purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}],
)
def test_what_a_browser_fetches_ahead_is_no_visit(header: dict[str, str]) -> None:
    assert is_prefetch(header)
    assert reason(site(), **header) == "prefetched page"


def test_other_purposes_are_visits() -> None:
    assert not is_prefetch({"x-purpose": "", "sec-purpose": "navigate", "user-agent": "prefetch"})


def test_do_not_track_counts_when_the_setting_says_so() -> None:
    assert reason(site(), dnt="1") is None
    assert reason(site(), do_not_track=True, dnt="1") == "do not track"
    assert reason(site(), do_not_track=True, sec_gpc="1") == "do not track"
    assert reason(site(), do_not_track=True, dnt="0") is None


def test_a_site_that_was_read_again_excludes_what_it_says_now() -> None:
    exclusions = Exclusions(do_not_track=False)
    exclusions.check(site(), pack("192.0.2.1"), "", "", {})
    with pytest.raises(Excluded):
        exclusions.check(site(excluded_ips=("192.0.2.1",)), pack("192.0.2.1"), "", "", {})
