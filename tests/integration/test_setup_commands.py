"""The `footfall` commands that set up sites, goals, dimensions, users and languages."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from click.testing import Result

from footfall import changes
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.redis import keys
from footfall.settings import Settings
from footfall.users import Users

Run = Callable[..., Result]


@pytest.fixture
def run(run_command: Run) -> Run:
    """Runs `footfall …` on an installation with a site 1."""
    assert run_command("footfall site create --name Shop --url https://shop.example.org").stdout == "1\n"
    return lambda command, **variables: run_command(f"footfall {command}", **variables)


def listed(run: Run, command: str) -> list[dict[str, Any]]:
    done = run(f"{command} --json")
    assert done.exit_code == 0
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_a_site_is_updated_in_what_the_options_name(run: Run) -> None:
    before = listed(run, "site list")[0]
    done = run("site update 1 --ecommerce --exclude-ip 203.0.113.7 --exclude-ip 10.0.0.0/8 --keep-fragment yes")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    changed = {"ecommerce": 1, "excluded_ips": "203.0.113.7,10.0.0.0/8", "keep_url_fragment": 1}
    assert listed(run, "site list") == [{**before, **changed}]
    run('site update 1 --exclude-ip "" --no-ecommerce --name Store')
    (site,) = listed(run, "site list")
    assert (site["name"], site["ecommerce"], site["excluded_ips"]) == ("Store", 0, "")


def test_a_site_is_deleted_after_a_question(run: Run) -> None:
    run("site create --name Blog --url https://blog.example.org")
    assert run("site delete 1").exit_code == 1  # nobody answered
    assert run("site delete 1 --yes").exit_code == 0
    assert [site["idsite"] for site in listed(run, "site list")] == [2]


def test_goals_are_created_listed_and_deleted(run: Run) -> None:
    done = run("goal create --site 1 --name Thanks --match url --pattern /thanks --revenue 9.5 --many")
    assert (done.exit_code, done.stdout) == (0, "1\n")
    assert run("goal create --site 1 --name Long --match visit_duration --pattern 10").stdout == "2\n"
    first, second = listed(run, "goal list --site 1")
    assert (first["pattern_type"], first["revenue"], first["allow_multiple"]) == ("contains", 9.5, 1)
    assert second["pattern_type"] == "greater_than"
    assert run("goal delete --site 1 --goal 1").exit_code == 0
    assert "Thanks" not in run("goal list --site 1").stdout
    assert "Long" in run("goal list --site 1").stdout


def test_dimensions_are_created_and_listed(run: Run) -> None:
    assert run("dimension create --site 1 --name Plan --scope visit --inactive").stdout == "1\n"
    done = run("dimension create --site 1 --name Part --scope action --extract 'url=part-([a-z=]+)' --ignore-case")
    assert (done.exit_code, done.stdout) == (0, "2\n")
    plan, part = listed(run, "dimension list --site 1")
    assert (plan["active"], part["active"], part["case_sensitive"]) == (False, True, False)
    assert part["extractions"] == [{"dimension": "url", "pattern": "part-([a-z=]+)"}]


def test_users_are_created_given_access_and_deleted(run: Run, settings: Settings, database: Database) -> None:
    run("site create --name Blog --url https://blog.example.org")
    assert run("user create --login anna --email anna@example.org --no-password").exit_code == 0
    token = run("token create --login anna").stdout.strip()
    assert run("user access --login anna --level write --site 1 --site 2").exit_code == 0
    assert run("user access --login anna --level noaccess --site 2").exit_code == 0
    caller = Users(database, settings, SystemClock()).authenticate(token)
    assert caller is not None and caller.access == {1: "write"}
    assert listed(run, "user list")[0]["access"] == {"1": "write"}
    assert run("user access --login anna --superuser").exit_code == 0
    assert listed(run, "user list")[0]["superuser_access"] == 1
    run("token create --login root --superuser")
    assert run("user delete --login anna --yes").exit_code == 0
    assert [user["login"] for user in listed(run, "user list")] == ["root"]
    assert Users(database, settings, SystemClock()).authenticate(token) is None


def test_a_token_ends_on_the_day_that_was_said(run: Run, settings: Settings, database: Database) -> None:
    ended = run("token create --login anna --expires 2020-01-01").stdout.strip()
    lasting = run("token create --login anna --expires 2100-01-01").stdout.strip()
    users = Users(database, settings, SystemClock())
    assert users.authenticate(ended) is None
    assert users.authenticate(lasting) is not None


def test_a_language_is_set(run: Run, database: Database) -> None:
    run("user create --login anna --email anna@example.org --no-password")
    for code in ("de", "fr"):
        assert run(f"language set --login anna --language {code}").exit_code == 0
    assert database.query("SELECT login, language FROM user_language") == [("anna", "fr")]


@pytest.mark.parametrize(
    "command",
    [
        "site create --name x --url https://x.example",
        "site update 1 --name x",
        "goal create --site 1 --name x --match manually",
        "dimension create --site 1 --name x --scope visit",
        "user create --login x1 --email x@example.org --no-password",
        "token create --login x1",
    ],
)
def test_every_change_is_announced(run: Run, redis_client: redis.Redis, command: str) -> None:
    before = redis_client.get(keys.value(changes.NAME))
    assert run(command).exit_code == 0
    assert redis_client.get(keys.value(changes.NAME)) != before


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("site update 1", "Nothing to change"),
        ("site update x --name y", "IDSITE"),
        ("site update 1 --exclude-ip nowhere", "no address"),
        ("goal create --site 1 --name x", "--match"),
        ("goal create --site 1 --name x --match weather", "url"),
        ("dimension create --site 1 --name x --scope action --extract nonsense", "FROM=PATTERN"),
        ("user access --login anna", "--level"),
        ("user access --login anna --level view", "--all-sites"),
        ("language set --login anna --language xx", "xx"),
        ("token create --login x1 --expires tomorrow", "tomorrow"),
    ],
)
def test_wrong_arguments_end_with_status_2(run: Run, command: str, complaint: str) -> None:
    done = run(command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("site update 9 --name x", "There is no site 9."),
        ("site delete 1 --yes", "only one"),
        ("goal create --site 9 --name x --match manually", "There is no site 9."),
        ("goal create --site 1 --name x --match url --how exact --pattern /x", "whole URL"),
        ("goal delete --site 1 --goal 7", "no goal 7"),
        ("goal list --site 9", "There is no site 9."),
        ("dimension create --site 9 --name x --scope visit", "There is no site 9."),
        ("user access --login nobody --level view --site 1", "There is no user 'nobody'."),
        ("user create --login 'a b' --email x@example.org --no-password", "cannot be a login"),
        ("language set --login nobody --language de", "There is no user 'nobody'."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run: Run, command: str, complaint: str) -> None:
    done = run(command)
    assert (done.exit_code, done.stdout) == (1, "")
    assert complaint in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_password_is_read_from_standard_input(run: Run, database: Database) -> None:
    """Standard input is empty here: an empty password is refused, not stored."""
    done = run("user create --login anna --email anna@example.org")
    assert (done.exit_code, database.query("SELECT login FROM user")) == (1, [])
    assert "6 to 200 characters" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("site update", "site delete", "goal create", "goal delete", "goal list", "dimension create"),
        *("dimension list", "user create", "user list", "user access", "user delete", "language set"),
    ],
)
def test_help_explains_itself_with_an_example(run: Run, command: str) -> None:
    done = run(f"{command} --help")
    assert done.exit_code == 0
    assert f"footfall {command}" in done.stdout.partition("Example")[2]
