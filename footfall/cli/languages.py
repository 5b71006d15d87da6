"""`footfall language`: the language that a user wants to read."""

import click

from footfall.cli.workbench import login_option, workbench
from footfall.entities.languages import LANGUAGES


@click.group()
def language() -> None:
    """Set the language of a user."""


@language.command("set")
@login_option
@click.option("--language", "code", type=click.Choice(LANGUAGES), required=True, metavar="CODE", help="Such as de.")
def set_language(login: str, code: str) -> None:
    """Set the language that a user wants to read.

    Footfall itself speaks English. It keeps the choice in Matomo's table for the programs that ask for it
    (LanguagesManager.getLanguageForUser).

    \b
    Example:
      footfall language set --login anna --language de
    """
    workbench().languages.choose(login, code)
