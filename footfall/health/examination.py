"""Runs the checks one after the other, so that nothing that is away, frozen or broken hides what the others find."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import mysql.connector
import redis

from footfall.database import is_lost
from footfall.errors import ConfigurationError, DatabaseUnavailable, FootfallError, QueueUnavailable
from footfall.health.finding import Check, Finding, Need, State, problem, warning
from footfall.health.installation import Installation
from footfall.queue.redis.connection import explain

_ANSWER_SECONDS = 20.0
_NO_DATABASE = Need.DATABASE | Need.TABLES
_NO_QUEUE = Need.QUEUE | Need.REDIS
_NAMES = {
    Need.DATABASE: "the database, which is away",
    Need.TABLES: "the tables of this version",
    Need.QUEUE: "the queue, which is away",
    Need.REDIS: "Redis, which is away",
}


@dataclass(frozen=True)
class Result:
    """A finding, and the name of the check it is of."""

    check: str
    finding: Finding


def examine(
    installation: Installation, checks: Sequence[Check], answer_seconds: float = _ANSWER_SECONDS
) -> Iterator[Result]:
    """What the checks find, in their order.

    A server that cannot be reached, or that does not answer in time, is one finding; checks that need it are left out
    from then on, and counted in the end.

    Args:
        answer_seconds: how long a check may take.
    """
    away, left_out = Need.NOTHING, Counter[Need]()
    for check in checks:
        if missing := check.needs & away:
            left_out[_cause(missing, away)] += 1
            continue
        outcome = _Look(check, installation).outcome(answer_seconds)
        if isinstance(outcome, _Away):
            away |= outcome.missing
            outcome = [outcome.finding]
        if any(finding.state is State.PROBLEM for finding in outcome):
            away |= check.gives
        yield from (Result(check.name, finding) for finding in outcome)
    for need, count in left_out.items():
        text = f"{count} more checks were left out: they need {_NAMES[need]}"
        yield Result("doctor", warning(text, "run this again once that is mended."))


@dataclass(frozen=True)
class _Away:
    missing: Need
    finding: Finding


class _Look:
    """One check, looking in a thread: a frozen server would hold up whoever asks it for ever."""

    def __init__(self, check: Check, installation: Installation) -> None:
        self._check = check
        self._installation = installation
        self._outcome: _Away | list[Finding] | None = None

    def outcome(self, seconds: float) -> _Away | list[Finding]:
        thread = threading.Thread(target=self._look, name=self._check.name, daemon=True)
        thread.start()
        thread.join(seconds)
        if self._outcome is not None:
            return self._outcome
        finding = problem(
            f"no answer within {seconds:.0f} s", "look what hangs or is overloaded: the server, the network."
        )
        return _Away(_with_servers(self._check.needs), finding)

    def _look(self) -> None:
        try:
            found = self._check.look(self._installation)
            self._outcome = found if isinstance(found, list) else [found]
        except DatabaseUnavailable as error:
            self._outcome = _Away(_NO_DATABASE, _of_sentence(error))
        except QueueUnavailable as error:
            self._outcome = _Away(_NO_QUEUE, _of_sentence(error))
        except ConfigurationError as error:
            self._outcome = _Away(_with_servers(self._check.needs), _of_sentence(error))
        except FootfallError as error:
            self._outcome = [_of_sentence(error)]
        except mysql.connector.Error as error:
            found_wrong = problem(f"the database refused: {error}", "look at its log, and at the other findings.")
            self._outcome = _Away(_NO_DATABASE, found_wrong) if is_lost(error) else [found_wrong]
        except redis.RedisError as error:
            sentence = _of_sentence(explain(error, self._installation.settings.redis_url))
            is_away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
            self._outcome = _Away(_NO_QUEUE, sentence) if is_away else [sentence]
        except Exception as error:
            text = f"the check itself failed ({type(error).__name__}: {error})"
            self._outcome = [problem(text, "report this; the other findings stand.")]


def _with_servers(needs: Need) -> Need:
    """What is missing when that which is needed does not answer."""
    for together in (_NO_DATABASE, _NO_QUEUE):
        needs |= together if needs & together else Need.NOTHING
    return needs


def _cause(missing: Need, away: Need) -> Need:
    """The one thing whose absence says why a check is left out."""
    return next(
        (need for need in (Need.DATABASE, Need.REDIS) if need in away and missing & _with_servers(need)), missing
    )


def _of_sentence(error: FootfallError) -> Finding:
    """A finding of a message that says what is wrong and, behind a colon, what to do."""
    text, _, advice = str(error).rpartition(": ")
    return problem(text or advice, advice if text else "")
