"""Python's logging, as entries of the journal."""

import logging
import traceback
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from footfall.journal.kinds import Entry, Kind
from footfall.journal.masking import masked
from footfall.journal.waiting import Waiting
from footfall.log import sentence

OWN_LOGGER = "footfall.journal"
"""Whose lines are never written down: they say that nothing can be."""

_MESSAGE = 4_000
_BACKTRACE = 16_000
_FILE = 255
_TAG = 50
_LEVEL = 16


class JournalHandler(logging.Handler):
    """Adds an entry for each line, or several.

    Args:
        kinds: those that are wanted.
    """

    def __init__(self, kinds: Collection[Kind], waiting: Waiting) -> None:
        super().__init__()
        self._kinds = kinds
        self._waiting = waiting

    def emit(self, record: logging.LogRecord) -> None:
        """Make the entries and let them wait. Never fails, and waits for nothing."""
        if record.name.startswith(OWN_LOGGER):
            return
        if self._waiting.is_full():
            self._waiting.drop()
            return
        try:
            for entry in self._entries(record):
                self._waiting.add(entry)
        except Exception:
            self.handleError(record)

    def _entries(self, record: logging.LogRecord) -> Iterator[Entry]:
        moment = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None, microsecond=0)
        message = masked(sentence(record))[:_MESSAGE]
        if Kind.MESSAGES in self._kinds:
            yield Entry(Kind.MESSAGES, (record.name[:_TAG], moment, record.levelname[:_LEVEL], message))
        if Kind.ERRORS in self._kinds and record.levelno >= logging.WARNING:
            stack = masked(record.stack_info or "")[-_BACKTRACE:]
            place = (record.levelno, record.lineno, record.pathname[-_FILE:], stack or None)
            yield Entry(Kind.ERRORS, (moment, message, *place))
        error = record.exc_info[1] if record.exc_info else None
        if Kind.EXCEPTIONS in self._kinds and error is not None:
            yield Entry(Kind.EXCEPTIONS, (moment, *_described(error)))


def _described(error: BaseException) -> tuple[str, int | None, int | None, str | None, str]:
    """Message, number, line and file where it was raised, traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    place = frames[-1] if frames else None
    number = getattr(error, "errno", None)
    return (
        masked(f"{type(error).__name__}: {error}")[:_MESSAGE],
        number if isinstance(number, int) and 0 <= number < 2**32 else None,
        place.lineno if place else None,
        place.filename[-_FILE:] if place else None,
        masked("".join(traceback.format_exception(error)))[-_BACKTRACE:],
    )
