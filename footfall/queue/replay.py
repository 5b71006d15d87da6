"""Putting dead letters back into the queue, each once."""

from collections.abc import Callable
from dataclasses import dataclass

from footfall.clock import Clock
from footfall.database import Database
from footfall.queue.backend import Backend
from footfall.queue.dead_letters import BuriedLetter, DeadLetters, LetterChoice
from footfall.queue.flush import Flush
from footfall.queue.visitor import parse, visitor_hash

_AT_ONCE = 500


@dataclass(frozen=True)
class Desk:
    """What dead letters are handled with.

    Args:
        queue: where they are put back.
    """

    database: Database
    queue: Backend
    letters: DeadLetters
    clock: Clock


def replay(desk: Desk, chosen: LetterChoice, done: Callable[[int], None]) -> int:
    """Put letters back into the queue behind all that waits there, oldest first; how many.

    Each letter is a flush with a name of its own, and deleted once it is pushed. If that is cut short, it is pushed
    under the same name the next time, which does nothing. A letter that fails again becomes a new one, which is left
    alone by this call.

    Args:
        done: told after every step how many letters it handled.

    Raises:
        QueueUnavailable, DatabaseUnavailable, mysql.connector.Error: what is not done by then is still a dead letter.
    """
    pusher = desk.queue.pusher(follow=True)

    def push(letters: list[BuriedLetter]) -> None:
        for letter in letters:
            for shard in pusher.push(_flush(letter, desk.clock.now().timestamp())):
                desk.queue.drains.ask(shard)

    def forget(letters: list[BuriedLetter]) -> None:
        desk.queue.forget_producers([_name(letter) for letter in letters])

    return _in_steps(desk, chosen, push, forget, done)


def drop(desk: Desk, chosen: LetterChoice, done: Callable[[int], None]) -> int:
    """Delete letters; how many.

    Args:
        done: told after every step how many letters it handled.
    """
    return _in_steps(desk, chosen, lambda _: None, lambda _: None, done)


def _in_steps(
    desk: Desk,
    chosen: LetterChoice,
    before: Callable[[list[BuriedLetter]], None],
    after: Callable[[list[BuriedLetter]], None],
    done: Callable[[int], None],
) -> int:
    """Delete letters in transactions of some hundred; `before` runs within each, `after` once it is committed."""
    total, last, newest = 0, 0, desk.letters.last_number()
    while True:
        with desk.database.transaction():
            letters = desk.letters.lock_next(chosen, last, newest, _AT_ONCE)
            before(letters)
            desk.letters.drop(letters)
        if not letters:
            return total
        after(letters)
        total += len(letters)
        last = letters[-1].number
        done(len(letters))


def _name(letter: BuriedLetter) -> str:
    return f"dead-{letter.number}"


def _flush(letter: BuriedLetter, now: float) -> Flush:
    request = letter.letter.request()
    visitor = 0
    if request is not None:
        visitor = visitor_hash({**parse(request.body), **parse(request.query)}, request)
    return Flush(_name(letter), 1, [visitor], [letter.letter.record], now)
