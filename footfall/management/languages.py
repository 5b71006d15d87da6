"""LanguagesManager: the language that a user wants to read."""

from typing import Any

from footfall.entities.languages import LANGUAGES
from footfall.management.access import NOTHING, own
from footfall.management.kinds import word
from footfall.management.method import Call, Method, Parameter

_LOGIN, _CODE = Parameter("login", word), Parameter("languageCode", word)


def _get(call: Call) -> Any:
    return call.entities.languages.of(call["login"]) or False


def _set(call: Call) -> bool:
    call.entities.languages.choose(call["login"], call["languageCode"])
    return True


METHODS = (
    Method("LanguagesManager.getAvailableLanguages", NOTHING, (), lambda call: list(LANGUAGES)),
    Method("LanguagesManager.isLanguageAvailable", NOTHING, (_CODE,), lambda call: call["languageCode"] in LANGUAGES),
    Method("LanguagesManager.getLanguageForUser", own("login"), (_LOGIN,), _get),
    Method("LanguagesManager.setLanguageForUser", own("login"), (_LOGIN, _CODE), _set),
)
