"""The connection to the database: lost ones, transactions, and rows that are read as they come."""

from collections.abc import Iterator

import mysql.connector
import pytest

from footfall.database import Database
from footfall.settings import Settings


@pytest.fixture
def other(settings: Settings) -> Iterator[Database]:
    """Another connection to the same database."""
    other = Database(settings)
    yield other
    other.close()


@pytest.fixture(autouse=True)
def kept(database: Database) -> None:
    """A table of numbers."""
    database.execute("CREATE TABLE kept (number int) ENGINE=InnoDB")


def end_connection(database: Database, other: Database) -> None:
    """Have the server close a connection."""
    other.execute(f"KILL {database.query('SELECT CONNECTION_ID()')[0][0]}")


def test_a_statement_is_run_again_on_a_new_connection_when_the_server_closed_the_old(
    database: Database, other: Database
) -> None:
    before = database.query("SELECT CONNECTION_ID()")
    end_connection(database, other)
    assert database.query("SELECT 1") == [(1,)]
    assert database.query("SELECT CONNECTION_ID()") != before


def test_a_statement_whose_values_are_sent_beside_it_is_run_as_any_other(database: Database, other: Database) -> None:
    database.execute("CREATE TABLE blobs (name varchar(100), value mediumblob) ENGINE=InnoDB")
    rows = [("a", bytes(range(256)) * 1000), ("it's é", b""), ("delimiter $$", b"'")]
    for row in rows:
        assert database.execute_apart("INSERT INTO blobs VALUES (%s, %s)", row) == 1
        end_connection(database, other)
    assert database.query("SELECT * FROM blobs") == rows


def test_a_transaction_whose_connection_is_lost_fails_as_a_whole(database: Database, other: Database) -> None:
    with pytest.raises(mysql.connector.Error), database.transaction():
        database.execute("INSERT INTO kept VALUES (1)")
        end_connection(database, other)
        database.execute("INSERT INTO kept VALUES (2)")
    assert database.query("SELECT number FROM kept") == []


def test_a_transaction_is_tried_again_after_its_commit_was_lost(database: Database, other: Database) -> None:
    attempts = []

    def work() -> None:
        with database.transaction():
            database.execute("INSERT INTO kept VALUES (1)")
            attempts.append(1)
            if len(attempts) == 1:
                end_connection(database, other)

    database.retrying(work)
    assert database.query("SELECT number FROM kept ORDER BY number") == [(1,)]


def test_a_transaction_is_tried_again_after_its_connection_was_lost(database: Database, other: Database) -> None:
    attempts = []

    def work() -> None:
        with database.transaction():
            database.execute("INSERT INTO kept VALUES (1)")
            attempts.append(1)
            if len(attempts) == 1:
                end_connection(database, other)
            database.execute("INSERT INTO kept VALUES (2)")

    database.retrying(work)
    assert database.query("SELECT number FROM kept ORDER BY number") == [(1,), (2,)]


def test_a_snapshot_shows_everything_as_at_one_moment(database: Database, other: Database) -> None:
    with database.snapshot():
        other.execute("INSERT INTO kept VALUES (1)")
        assert database.query("SELECT number FROM kept") == []
    assert database.query("SELECT number FROM kept") == [(1,)]


def test_rows_come_in_batches_and_those_left_unread_are_in_nobodys_way(database: Database) -> None:
    database.execute("INSERT INTO kept VALUES (1), (2), (3), (4), (5)")
    rows = database.stream("SELECT number FROM kept WHERE number > %s ORDER BY number", (1,), 3)
    assert next(rows) == [(b"2",), (b"3",), (b"4",)]
    rows.close()
    assert database.query("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("title", "next_title"),
    [("a delimiter $$", "it's"), ("x\ndelimiter //\ny", "o'clock -- gone\n"), ("delimiter ;", "'")],
)
def test_a_value_that_reads_like_a_command_of_a_script_is_a_value(
    database: Database, title: str, next_title: str
) -> None:
    database.execute("CREATE TABLE titles (title varchar(100), next_title varchar(100)) ENGINE=InnoDB")
    database.execute("INSERT INTO titles VALUES (%s, %s)", (title, next_title))
    assert database.query("SELECT * FROM titles WHERE title = %s", (title,)) == [(title, next_title)]


def test_a_statement_is_one_statement(database: Database) -> None:
    with pytest.raises(mysql.connector.Error, match="SQL syntax"):
        database.execute("INSERT INTO kept VALUES (1); DELETE FROM kept")
