"""Sites as people write them on the command line of archive_cli, and the periods that dates touch."""

from datetime import date

import pytest

from archive_cli.arguments import SiteList
from archive_cli.invalidating import periods_of
from footfall.archiving.periods import PeriodKind
from footfall.errors import InvalidInput

EXISTING = [1, 2, 4, 5, 60]
DAY = (date(2026, 8, 12), date(2026, 8, 12))


@pytest.mark.parametrize(
    ("text", "sites"),
    [("1", [1]), ("1-50", [1, 2, 4, 5]), ("60,1,4-6", [1, 4, 5, 60]), (" 2 , 1 ", [1, 2]), ("ALL", EXISTING)],
)
def test_a_list_names_sites(text: str, sites: list[int]) -> None:
    assert SiteList(text).among(EXISTING) == sites


@pytest.mark.parametrize("text", ["5-1", "", "1,,2", "a", "0", "1-", "-3", "1..4", "1;DROP", "99999999999"])
def test_what_is_no_list_of_sites_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        SiteList(text)


@pytest.mark.parametrize("text", ["3", "1,3", "7-59", "1,100-200"])
def test_sites_that_do_not_exist_are_an_error(text: str) -> None:
    with pytest.raises(InvalidInput, match="There is no site"):
        SiteList(text).among(EXISTING)


def shown(*kinds: PeriodKind, cascade: bool = False) -> list[str]:
    return [str(period) for period in sorted(periods_of([DAY], kinds, cascade=cascade))]


def test_a_day_takes_the_periods_above_it_along() -> None:
    assert shown(PeriodKind.DAY) == ["day 2026-08-12", "week 2026-08-10,2026-08-16", "month 2026-08", "year 2026"]


def test_a_period_alone_leaves_those_inside_it() -> None:
    assert shown(PeriodKind.MONTH) == ["month 2026-08", "year 2026"]


def test_cascade_takes_the_periods_inside_along() -> None:
    found = shown(PeriodKind.WEEK, cascade=True)
    assert found[:7] == [f"day 2026-08-{day}" for day in range(10, 17)]
    assert found[7:] == ["week 2026-08-10,2026-08-16", "month 2026-08", "year 2026"]


def test_two_dates_are_also_a_range() -> None:
    days = (date(2026, 8, 1), date(2026, 8, 31))
    assert "range 2026-08-01,2026-08-31" in [str(p) for p in periods_of([days], [PeriodKind.RANGE], cascade=False)]
