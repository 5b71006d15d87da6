"""The fault rig in short, and that it would notice what it is there to notice."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_tracking import put_sites, record

from faults import checks
from faults.checks import Recorded, Verdict
from faults.comparison import differences
from faults.ledger import Answer, Entry, encode
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

RIG = Path(__file__).resolve().parent


@pytest.mark.timeout(600)
def test_each_kind_of_fault_loses_nothing_and_doubles_nothing() -> None:
    done = subprocess.run([sys.executable, str(RIG), "--short", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
    result = json.loads(done.stdout)
    assert min(result["kinds"].values()) >= 1
    assert result["acknowledged"] > 300
    assert (result["lost"], result["doubled"], result["overtaken"]) == (0, 0, 0)


# That it would notice


def sent(*answers: Answer) -> dict[int, Entry]:
    """Requests of one visitor, numbered from 1, each answered a second after the one before."""
    return {
        number: Entry(number, "a1", "", {}, sent_at=number, answered_at=number + 0.5, answer=answer)
        for number, answer in enumerate(answers, 1)
    }


def found(*numbers: int) -> list[Recorded]:
    """Actions, recorded in this order."""
    return [Recorded(number, place) for place, number in enumerate(numbers, 10)]


YES, NO = Answer.ACKNOWLEDGED, Answer.NONE


def judge(entries: dict[int, Entry], actions: list[Recorded], **also: object) -> Verdict:
    """The verdict where exactly what was found was in the queue."""
    return checks.judge(entries, {one.number for one in actions}, actions, **also)  # type: ignore[arg-type]


def test_only_what_was_acknowledged_or_queued_has_to_be_there() -> None:
    assert judge(sent(YES, NO, YES), found(1, 3)).complaints == []
    assert judge(sent(YES, NO, YES), found(1, 2, 3)).complaints == []
    assert judge(sent(YES, NO, YES), found(2, 3)).lost == [1]
    assert checks.judge(sent(YES, NO, YES), {1, 2, 3}, found(1, 3)).lost == [2]


def test_what_is_there_twice_is_doubled_whoever_was_told_what() -> None:
    assert judge(sent(YES, NO), found(1, 2, 2)).doubled == [2]
    assert judge(sent(YES), found(1, 1)).doubled == [1]


def test_what_nobody_sent_or_queued_is_noticed() -> None:
    assert judge(sent(YES), found(1, 7)).unsent == [7]
    assert checks.judge(sent(YES, YES), {1}, found(1, 2)).unsent == [2]


def test_an_acknowledged_request_must_not_be_overtaken_by_a_later_one() -> None:
    assert judge(sent(YES, YES, YES), found(1, 3, 2)).overtaken == [2]
    assert judge(sent(NO, YES), found(2, 1)).overtaken == []
    assert judge(sent(YES, NO), found(2, 1)).overtaken == [1]


def test_while_overtaking_is_allowed_it_is_counted_apart() -> None:
    verdict = judge(sent(YES, YES, YES, YES), found(2, 1, 4, 3), excuses=[(0, 2)])
    assert (verdict.excused, verdict.overtaken) == ([1], [3])


@pytest.fixture
def twins(database: Database, new_settings: Callable[..., Settings]) -> tuple[Database, Database]:
    """Two databases in which a visit was recorded, of two pages."""
    both = database, Database(new_settings())
    pages = [
        TrackingRequest(
            1_785_000_000.0 + number,
            "192.0.2.1",
            f"idsite=1&rec=1&_id={1:016x}&url=https%3A%2F%2Fa.example%2F{number}&pv_id={encode(number)}".encode(),
            b"",
            {},
        )
        for number in (1, 2)
    ]
    for one in both:
        put_sites(one)
        record(Recorder(one, Settings(secret_key="x"), SystemClock()), one, pages)
    return both


def test_two_databases_with_the_same_visits_are_the_same_whatever_the_ids(twins: tuple[Database, Database]) -> None:
    assert differences(*twins) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_visit SET visit_total_actions = visit_total_actions + 1",
        "UPDATE log_visit SET visit_entry_idaction_url = visit_exit_idaction_url",
        "UPDATE log_link_visit_action SET time_spent_ref_action = 77",
        "DELETE FROM log_link_visit_action LIMIT 1",
        "UPDATE log_action SET name = CONCAT(name, 'x') WHERE type = 1 LIMIT 1",
    ],
)
def test_a_difference_between_two_databases_is_noticed(twins: tuple[Database, Database], change: str) -> None:
    twins[0].execute(change)
    assert differences(*twins) != []
