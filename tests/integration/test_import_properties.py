"""However a log is imported (at once, as it grows, with interruptions, in two files), the log tables are the same."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
import recorded_tracking
from conftest import SettingsFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imports import clear, imported, line, recorded, settled

from footfall.database import Database
from footfall.settings import Settings

TABLES = (
    *("log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item"),
    *("footfall_import", "footfall_import_log"),
)
PATHS = (
    "/",
    "/about",
    "/thanks",
    "/product/17",
    "/search?q=shoes",
    "/files/a.pdf",
    "/logo.png",
    "/?mtm_campaign=Summer",
)
REFERRERS = ("-", "https://www.google.com/", "https://news.example.net/story?id=1")
bounded = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

logs = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(PATHS),
        st.sampled_from(REFERRERS),
        st.sampled_from((1, 30, 900, 1801)),
        st.sampled_from((200, 200, 200, 404)),
    ),
    min_size=2,
    max_size=25,
)


@dataclass
class World:
    """A database with a site, and a folder for logs."""

    settings: Settings
    database: Database
    folder: Path
    numbers: Iterator[int]

    def clear(self) -> None:
        clear(self.settings, self.database, TABLES)

    def log(self, lines: list[str]) -> Path:
        path = self.folder / f"{next(self.numbers)}.log"
        path.write_text("".join(lines))
        return settled(path)

    def at_once(self, lines: list[str]) -> recorded_tracking.Rows:
        """The rows of a log that is imported at once."""
        self.clear()
        assert imported(self.settings, self.log(lines), flush_requests=1000)
        return recorded(self.settings, self.database)

    def until_done(self, *logs: Path) -> recorded_tracking.Rows:
        """The rows after an import that nothing interrupts any more."""
        assert imported(self.settings, *logs)
        return recorded(self.settings, self.database)


@pytest.fixture(scope="module")
def world(new_settings: SettingsFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    # One shard: visits then have their ids in the order of the log.
    own = replace(new_settings(), queue_shards=1)
    database = Database(own)
    recorded_tracking.put_sites(database)
    yield World(own, database, tmp_path_factory.mktemp("logs"), count())
    database.close()


def written(told: list[tuple[int, str, str, int, int]]) -> list[str]:
    """The lines of a log, no two of them in the same second."""
    lines, seconds = [], 0
    for visitor, path, referrer, pause, status in told:
        seconds += pause
        lines.append(line(path, seconds, address=f"192.0.2.{visitor}", referrer=referrer, status=status))
    return lines


@bounded
@given(told=logs, cuts=st.lists(st.integers(1, 24), max_size=3))
def test_a_log_that_grows_between_imports(
    world: World, told: list[tuple[int, str, str, int, int]], cuts: list[int]
) -> None:
    lines = written(told)
    expected = world.at_once(lines)
    world.clear()
    log = world.log([])
    for end in [*sorted({cut for cut in cuts if cut < len(lines)}), len(lines)]:
        log.write_text("".join(lines[:end]))
        rows = world.until_done(settled(log))
    assert recorded_tracking.differences(expected, rows) == []


@bounded
@given(told=logs, deaths=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=4))
def test_an_import_that_is_killed_again_and_again(
    world: World, told: list[tuple[int, str, str, int, int]], deaths: list[tuple[int, bool]]
) -> None:
    lines = written(told)
    expected = world.at_once(lines)
    world.clear()
    log = world.log(lines)
    for dies_at, after in deaths:
        imported(world.settings, log, dies_at=dies_at, after=after)
    rows = world.until_done(log)
    assert recorded_tracking.differences(expected, rows) == []


@bounded
@given(
    told=logs,
    sides=st.lists(st.booleans(), min_size=25, max_size=25),
    death=st.none() | st.tuples(st.integers(1, 6), st.booleans()),
)
def test_lines_spread_over_two_files(
    world: World,
    told: list[tuple[int, str, str, int, int]],
    sides: list[bool],
    death: tuple[int, bool] | None,
) -> None:
    lines = written(told)
    expected = world.at_once(lines)
    world.clear()
    two = [world.log([text for text, own in zip(lines, sides, strict=False) if own is side]) for side in (False, True)]
    if death is not None:
        imported(world.settings, *two, dies_at=death[0], after=death[1])
    rows = world.until_done(*two)
    assert recorded_tracking.differences(expected, rows) == []
