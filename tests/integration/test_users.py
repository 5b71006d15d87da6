"""Tokens: who is let in, and what they may see."""

import hashlib
from datetime import datetime, timedelta

import pytest

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import ConfigurationError, InvalidInput
from footfall.settings import Settings
from footfall.users import Users


@pytest.fixture
def users(database: Database, settings: Settings, clock: FixedClock) -> Users:
    return Users(database, settings, clock)


def store(database: Database, settings: Settings, token: str, login: str, expires: datetime | None = None) -> None:
    """A token as Matomo itself stores one."""
    database.execute(
        "INSERT INTO user_token_auth (login, description, password, hash_algo, date_created, date_expired) "
        "VALUES (%s, 'x', %s, 'sha512', '2026-01-01', %s)",
        (login, hashlib.sha512((token + settings.secret_key).encode()).hexdigest(), expires),
    )


def add_user(database: Database, login: str) -> None:
    database.execute("INSERT INTO user (login, password, email) VALUES (%s, 'x', %s)", (login, f"{login}@example.org"))


def test_a_new_token_lets_its_user_in(users: Users) -> None:
    token = users.create_token("reader", "for a test")
    caller = users.authenticate(token)
    assert caller is not None
    assert (caller.login, caller.superuser) == ("reader", False)


def test_a_token_that_matomo_stored_works(users: Users, database: Database, settings: Settings) -> None:
    add_user(database, "editor")
    store(database, settings, "0123456789abcdef" * 2, "editor")
    caller = users.authenticate("0123456789abcdef" * 2)
    assert caller is not None and caller.login == "editor"


@pytest.mark.parametrize("token", ["", "anonymous", "0" * 31, "0" * 33, "F" * 32, "0" * 32 + "\n", "' OR 1=1 --"])
def test_what_is_no_token_is_refused(users: Users, token: str) -> None:
    users.create_token("reader", "for a test", superuser=True)
    assert users.authenticate(token) is None


def test_a_superuser_may_do_everything(users: Users) -> None:
    caller = users.authenticate(users.create_token("root", "for a test", superuser=True))
    assert caller is not None
    assert caller.can_view(7) and caller.can_write(7) and caller.can_admin(7)


def test_access_is_granted_by_site_and_level(users: Users, database: Database) -> None:
    token = users.create_token("reader", "for a test")
    for idsite, level in ((1, "view"), (2, "write"), (3, "admin")):
        database.execute("INSERT INTO access (login, idsite, access) VALUES ('reader', %s, %s)", (idsite, level))
    caller = users.authenticate(token)
    assert caller is not None
    assert [caller.can_view(idsite) for idsite in (1, 2, 3, 4)] == [True, True, True, False]
    assert [caller.can_write(idsite) for idsite in (1, 2, 3, 4)] == [False, True, True, False]
    assert [caller.can_admin(idsite) for idsite in (1, 2, 3, 4)] == [False, False, True, False]


def test_an_expired_token_is_refused(users: Users, database: Database, settings: Settings, clock: FixedClock) -> None:
    add_user(database, "editor")
    store(database, settings, "a" * 32, "editor", clock.now().replace(tzinfo=None) - timedelta(seconds=1))
    store(database, settings, "b" * 32, "editor", clock.now().replace(tzinfo=None) + timedelta(seconds=1))
    assert users.authenticate("a" * 32) is None
    assert users.authenticate("b" * 32) is not None


def test_a_token_without_its_user_is_refused(users: Users, database: Database) -> None:
    token = users.create_token("gone", "for a test")
    database.execute("DELETE FROM user WHERE login = 'gone'")
    assert users.authenticate(token) is None


def test_a_withdrawn_token_stops_working_when_the_cache_expires(
    users: Users, database: Database, settings: Settings, clock: FixedClock
) -> None:
    token = users.create_token("reader", "for a test")
    assert users.authenticate(token) is not None
    database.execute("DELETE FROM user_token_auth")
    clock.moment += timedelta(seconds=settings.tracker_cache_seconds + 1)
    assert users.authenticate(token) is None


def test_a_token_tried_before_it_existed_works_soon(
    users: Users, database: Database, settings: Settings, clock: FixedClock
) -> None:
    add_user(database, "editor")
    assert users.authenticate("c" * 32) is None
    store(database, settings, "c" * 32, "editor")
    clock.moment += timedelta(seconds=11)
    assert users.authenticate("c" * 32) is not None


def test_a_second_token_leaves_the_first_and_the_access_alone(users: Users) -> None:
    first = users.create_token("root", "first", superuser=True)
    second = users.create_token("root", "second")
    for token in (first, second):
        caller = users.authenticate(token)
        assert caller is not None and caller.superuser


def test_the_token_itself_is_not_in_the_database(users: Users, database: Database) -> None:
    token = users.create_token("reader", "for a test")
    assert token not in str(database.query("SELECT * FROM user_token_auth") + database.query("SELECT * FROM user"))


@pytest.mark.parametrize("login", ["", "x", "a b", "anonymous", "x" * 101, "tab\t"])
def test_a_login_that_matomo_would_not_take_is_refused(users: Users, login: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a login"):
        users.create_token(login, "for a test")


def test_without_a_secret_key_it_says_so(database: Database, clock: FixedClock) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        Users(database, Settings(), clock).authenticate("a" * 32)
