"""What holds for every site: options of the reference's, by the names that it stores them under."""

from collections.abc import Callable
from dataclasses import dataclass

from footfall.changes import Changes
from footfall.entities import checks
from footfall.errors import InvalidInput
from footfall.options import Options
from footfall.sites import CATEGORIES_OPTION, EXCLUSION_OPTIONS, KEEP_FRAGMENT_OPTION, KEYWORDS, KEYWORDS_OPTION


@dataclass(frozen=True)
class Default:
    """One of them.

    Args:
        option: its name in the `option` table.
        initial: what holds until it is set.
        checked: the value as it is stored; raises InvalidInput when it cannot be used.
    """

    option: str
    initial: str
    checked: Callable[[str], str]


def _switch(value: str) -> str:
    if value not in ("0", "1"):
        raise InvalidInput(f"It is 1 (on) or 0 (off), not {value!r}.")
    return value


EXCLUDED_IPS = Default(EXCLUSION_OPTIONS["excluded_ips"], "", checks.addresses)
EXCLUDED_PARAMETERS = Default(EXCLUSION_OPTIONS["excluded_parameters"], "", checks.entries)
EXCLUDED_USER_AGENTS = Default(EXCLUSION_OPTIONS["excluded_user_agents"], "", checks.entries)
EXCLUDED_REFERRERS = Default(EXCLUSION_OPTIONS["excluded_referrers"], "", checks.entries)
SEARCH_KEYWORDS = Default(KEYWORDS_OPTION, KEYWORDS, checks.entries)
SEARCH_CATEGORIES = Default(CATEGORIES_OPTION, "", checks.entries)
KEEP_URL_FRAGMENTS = Default(KEEP_FRAGMENT_OPTION, "0", _switch)
TIMEZONE = Default("SitesManager_DefaultTimezone", "UTC", checks.timezone)
CURRENCY = Default("SitesManager_DefaultCurrency", "USD", checks.currency)


class Defaults:
    """Reads and sets them. They are autoloaded, as tracking needs most of them.

    Args:
        options: without a cache, so that it shows what other processes have set.
    """

    def __init__(self, options: Options, changes: Changes) -> None:
        self._options = options
        self._changes = changes

    def get(self, default: Default) -> str:
        """Its value."""
        value = self._options.get(default.option)
        return default.initial if value is None else value

    def set(self, default: Default, value: str) -> None:
        """Set it.

        Raises:
            InvalidInput: the value cannot be used.
        """
        self._options.set(default.option, default.checked(value), autoload=True)
        self._changes.announce()
