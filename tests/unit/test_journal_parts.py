"""What comes into the journal, what does not, and that nobody waits for it: the parts that need no server."""

import logging
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.errors import ConfigurationError
from footfall.journal.handler import JournalHandler
from footfall.journal.journal import Journal
from footfall.journal.kinds import Entry, Kind, wanted_kinds
from footfall.journal.masking import masked, masked_parameters
from footfall.journal.profile import StatementProfile, normal, share
from footfall.journal.waiting import Waiting
from footfall.settings import Settings

TOKEN = "0123456789abcdef0123456789abcdef"


# Settings


@pytest.mark.parametrize(
    ("setting", "kinds"),
    [
        ("", set()),
        ("errors", {Kind.ERRORS}),
        (" Errors, api_calls,", {Kind.ERRORS, Kind.API_CALLS}),
        ("errors,messages,exceptions,api_calls", set(Kind)),
    ],
)
def test_the_setting_names_the_kinds(setting: str, kinds: set[Kind]) -> None:
    assert wanted_kinds(setting) == kinds


def test_a_kind_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'warnings' is none of them"):
        Journal(Settings(log_to_database="errors,warnings"))


@pytest.mark.parametrize(("setting", "found"), [("off", 0), ("on", 1), ("ON", 1), ("0.25", 0.25), ("0", 0), ("1", 1)])
def test_profiling_is_off_on_or_a_share(setting: str, found: float) -> None:
    assert share(setting) == found


@pytest.mark.parametrize("setting", ["", "yes", "2", "-1", "nan", "inf"])
def test_what_is_no_share_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="SQL_PROFILING"):
        share(setting)


# Secrets


@pytest.mark.parametrize(
    "text",
    [
        f"asked with {TOKEN}",
        f"token_auth={TOKEN}&idSite=1",
        "token_auth=short&idSite=1",
        "passwordConfirmation=geheim",
        "method%3DUsersManager.createAppSpecificTokenAuth%26passwordConfirmation%3Dgeheim",
        '{"password": "geheim"}',
        "Authorization: Bearer geheim",
        "mysql://footfall:geheim@db.example/footfall",
        f"stored as {TOKEN * 4}",
    ],
)
def test_no_secret_is_left_in_a_text(text: str) -> None:
    for secret in (TOKEN, "geheim", "short"):
        assert secret not in masked(text)


def test_parameters_are_masked_by_name_and_by_form() -> None:
    assert masked_parameters(
        {"token_auth": "x", "passwordConfirmation": "x", "new_password": "x", "idSite": "1", "url": f"?t={TOKEN}"}
    ) == {"token_auth": "***", "passwordConfirmation": "***", "new_password": "***", "idSite": "1", "url": "?t=***"}


def test_what_is_no_secret_stays() -> None:
    text = "Loaded 1405 visits, 45000 page views - Duration 32s shard=16-03 visitor 0123456789abcdef"
    assert masked(text) == text


# Entries that wait


def entry(size: int = 10) -> Entry:
    return Entry(Kind.MESSAGES, ("x" * size,))


def test_what_waits_comes_out_in_its_order() -> None:
    waiting = Waiting()
    entries = [Entry(Kind.MESSAGES, (number,)) for number in range(5)]
    for one in entries:
        waiting.add(one)
    first = waiting.take(3)
    waiting.put_back(first)
    assert waiting.take(10) == entries


@pytest.mark.parametrize("waiting", [Waiting(most_entries=3), Waiting(most_bytes=3 * entry().size)])
def test_what_does_not_fit_is_dropped_and_counted(waiting: Waiting) -> None:
    for _ in range(5):
        waiting.add(entry())
    assert waiting.is_full()
    assert waiting.take_dropped() == 2
    assert (len(waiting.take(10)), waiting.take_dropped(), waiting.is_full()) == (3, 0, False)
    waiting.add(entry())
    assert len(waiting.take(10)) == 1


# Log lines


def logged(kinds: set[Kind], level: int, message: str, *args: Any, **more: Any) -> list[Entry]:
    """The entries of one log line."""
    waiting = Waiting()
    logger = logging.Logger("footfall.test")
    logger.addHandler(JournalHandler(kinds, waiting))
    logger.log(level, message, *args, **more)
    return waiting.take(10)


def test_a_message_has_its_logger_level_and_text_without_secrets() -> None:
    (found,) = logged({Kind.MESSAGES}, logging.INFO, "asked %s\nby token_auth=%s", "Goals.get", TOKEN)
    tag, moment, level, message = found.values
    assert (tag, level, message) == ("footfall.test", "INFO", "asked Goals.get\\nby token_auth=***")
    assert moment.tzinfo is None and moment.microsecond == 0


def test_the_fields_of_a_line_are_part_of_its_message() -> None:
    (found,) = logged({Kind.MESSAGES}, logging.INFO, "Loaded", extra={"fields": {"shard": "16-03"}})
    assert found.values[3] == "Loaded shard=16-03"


def test_errors_are_lines_of_warnings_and_above_and_where_they_were_written() -> None:
    assert logged({Kind.ERRORS}, logging.INFO, "all is well") == []
    (found,) = logged({Kind.ERRORS}, logging.WARNING, "Redis is away")
    _, message, number, line, file, backtrace = found.values
    assert (message, number, backtrace) == ("Redis is away", logging.WARNING, None)
    assert line and file.endswith("test_journal_parts.py")


def test_an_exception_is_kept_with_its_number_place_and_traceback() -> None:
    try:
        raise OSError(28, f"no space for {TOKEN}")
    except OSError:
        found = logged({Kind.EXCEPTIONS}, logging.ERROR, "A request failed", exc_info=sys.exc_info())
    _, message, number, line, file, backtrace = found[0].values
    assert message == "OSError: [Errno 28] no space for ***"
    assert (number, file.endswith("test_journal_parts.py")) == (28, True)
    assert line and "raise OSError" in backtrace and TOKEN not in backtrace


def test_a_line_without_an_exception_is_none() -> None:
    assert logged({Kind.EXCEPTIONS}, logging.ERROR, "no exception") == []


def test_a_line_can_be_all_of_them() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        found = logged(set(Kind), logging.ERROR, "failed", exc_info=True)
    assert [one.kind for one in found] == [Kind.MESSAGES, Kind.ERRORS, Kind.EXCEPTIONS]


def test_long_texts_are_cut() -> None:
    try:
        raise ValueError("é" * 1_000_000)
    except ValueError:
        found = logged(set(Kind), logging.ERROR, "é" * 1_000_000, exc_info=True)
    for one in found:
        for value in one.values:
            assert not isinstance(value, str) or len(value.encode()) < 65_536


def test_a_line_about_the_journal_itself_does_not_come_into_it() -> None:
    waiting = Waiting()
    logger = logging.Logger("footfall.journal")
    logger.addHandler(JournalHandler(set(Kind), waiting))
    logger.error("The journal cannot be written")
    assert waiting.take(10) == []


# Statements


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT *\n  FROM `t`  WHERE a = %s", "SELECT * FROM `t` WHERE a = %s"),
        ("… WHERE id IN (%s)", "… WHERE id IN (%s)"),
        ("… WHERE id IN (%s, %s)", "… WHERE id IN (%s, …)"),
        ("… WHERE id IN (%s, %s, %s,%s) LIMIT 500", "… WHERE id IN (%s, …) LIMIT ?"),
        ("INSERT INTO `t` (a, b) VALUES (%s, %s)", "INSERT INTO `t` (a, b) VALUES (%s, …)"),
        ("INSERT INTO `t` (a, b) VALUES (%s, %s), (%s, %s),(%s, %s)", "INSERT INTO `t` (a, b) VALUES (%s, …), …"),
        ("SELECT x FROM `archive_blob_2026_08` WHERE n = 'done'", "SELECT x FROM `archive_blob_YYYY_MM` WHERE n = ?"),
        ("SELECT custom_var_k1, 0x1F, x'00ff', 1.5", "SELECT custom_var_k1, ?, ?, ?"),
        ("SELECT 'it''s', 'a\\'b', \"c\"", "SELECT ??, ?, ?"),
        (b"INSERT INTO `t` (a) VALUES ('secret'),('secret')", "INSERT INTO `t` (a) VALUES (?, …)"),
        (b"UPDATE `t` SET a = 'secret' WHERE b = 7", "UPDATE `t` SET a = ? WHERE b = ?"),
    ],
)
def test_statements_that_differ_in_their_values_alone_are_one(sql: str | bytes, text: str) -> None:
    assert normal(sql) == text


def test_long_lists_of_any_length_are_one_statement() -> None:
    texts = {
        normal(f"INSERT INTO {' ' * shift}t VALUES {', '.join(['(%s, %s, %s)'] * rows)}")
        for rows in (2, 3, 500, 1000)
        for shift in range(15)
    }
    assert texts == {"INSERT INTO t VALUES (%s, …), …"}
    assert len({normal(f"SELECT a FROM t WHERE id IN ({', '.join(['%s'] * n)})") for n in range(2, 3000, 13)}) == 1


@given(st.text(min_size=3), st.integers(min_value=0, max_value=3990))
def test_no_quoted_value_is_left_in_a_statement(value: str, length: int) -> None:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    assert normal(f"{'x' * length}, '{quoted}") in (f"{'x' * length}, ?", "x" * length)


def test_times_are_summed_by_statement() -> None:
    profile = StatementProfile(1.0)
    for number in range(3):
        profile(f"SELECT {number}", 0.5)
    profile("SELECT a FROM t", 2.0)
    taken = profile.take()
    assert {text: (timed.count, timed.seconds) for text, timed in taken.items()} == {
        "SELECT ?": (3, 1.5),
        "SELECT a FROM t": (1, 2.0),
    }
    assert profile.take() == {}
    profile("SELECT 9", 0.5)
    profile.put_back(taken)
    assert profile.take()["SELECT ?"].count == 4


def test_a_share_of_the_statements_is_timed() -> None:
    profile = StatementProfile(0.1)
    for _ in range(10_000):
        profile("SELECT 1", 0.001)
    assert 800 < profile.take()["SELECT ?"].count < 1200


def test_however_many_statements_there_are_memory_stays_bounded() -> None:
    profile = StatementProfile(1.0)
    for number in range(5000):
        profile(f"SELECT column_{number}", 0.001)
    taken = profile.take()
    assert len(taken) <= 2001
    assert sum(timed.count for timed in taken.values()) == 5000
