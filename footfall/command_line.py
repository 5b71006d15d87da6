"""What the commands share: how they end, when something a person can mend is wrong and when they are asked to."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click
import mysql.connector

from footfall.errors import FootfallError
from footfall.journal.journal import Journal
from footfall.settings import Settings

CONTEXT = {"help_option_names": ["-h", "--help"]}


def keep_journal(settings: Settings) -> None:
    """Until this command ends, write down in the database what settings ask for; after logging is configured."""
    click.get_current_context().with_resource(Journal(settings))


class _Failed(click.ClickException):
    """Ends the command with status 1 and the message alone on standard error."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class Commands(click.Group):
    """A command with subcommands that says what is wrong in a sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FootfallError as error:
            raise _Failed(str(error)) from error
        except mysql.connector.Error as error:
            raise _Failed(f"The database refused: {error}. `footfall doctor` looks for the cause.") from error


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether this process was asked to end (SIGTERM, Ctrl+C), after what is in hand.

    A second Ctrl+C ends it at once.
    """
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
