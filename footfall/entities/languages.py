"""The language of each user. Footfall itself speaks English; it keeps the choice for the programs that ask for it."""

from footfall.database import Database
from footfall.entities.users import UserRepository
from footfall.errors import InvalidInput

LANGUAGES = (
    "am",
    "ar",
    "az",
    "be",
    "bg",
    "bn",
    "bs",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "dv",
    "el",
    "en",
    "eo",
    "es",
    "es-ar",
    "et",
    "eu",
    "fa",
    "fi",
    "fr",
    "ga",
    "gl",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ja",
    "ka",
    "ko",
    "ku",
    "lb",
    "lt",
    "lv",
    "ms",
    "nb",
    "nl",
    "nn",
    "pl",
    "pt",
    "pt-br",
    "ro",
    "ru",
    "si",
    "sk",
    "sl",
    "sq",
    "sr",
    "sv",
    "ta",
    "te",
    "th",
    "tl",
    "tr",
    "tzm",
    "uk",
    "ur",
    "vi",
    "zh-cn",
    "zh-tw",
)
"""The codes of the languages that the reference has texts in."""


class LanguageRepository:
    """The languages of one database's users."""

    def __init__(self, database: Database, users: UserRepository) -> None:
        self._database = database
        self._users = users

    def of(self, login: str) -> str | None:
        """The code of the user's language; None when none was chosen.

        Raises:
            InvalidInput: there is no such user.
        """
        self._users.find(login)
        rows = self._database.query(
            f"SELECT language FROM {self._database.table('user_language')} WHERE login = %s", (login,)
        )
        return str(rows[0][0]) if rows else None

    def choose(self, login: str, language: str) -> None:
        """Set the user's language.

        Raises:
            InvalidInput: there is no such user or language.
        """
        self._users.find(login)
        if language not in LANGUAGES:
            raise InvalidInput(f"There is no language {language!r}: use one of {', '.join(LANGUAGES)}.")
        self._database.execute(
            f"INSERT INTO {self._database.table('user_language')} (login, language) VALUES (%s, %s) "
            "ON DUPLICATE KEY UPDATE language = VALUES(language)",
            (login, language),
        )
