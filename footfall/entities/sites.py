"""Sites: creating, changing, deleting and finding them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from footfall.changes import Changes
from footfall.clock import Clock
from footfall.database import Database
from footfall.entities import checks
from footfall.errors import InvalidInput

COLUMNS = (
    "idsite",
    "name",
    "main_url",
    "ts_created",
    "ecommerce",
    "sitesearch",
    "sitesearch_keyword_parameters",
    "sitesearch_category_parameters",
    "timezone",
    "currency",
    "exclude_unknown_urls",
    "excluded_ips",
    "excluded_parameters",
    "excluded_user_agents",
    "excluded_referrers",
    "group",
    "type",
    "keep_url_fragment",
    "creator_login",
)
_LONGEST_ALIAS = 190
_LISTS = (
    "sitesearch_keyword_parameters",
    "sitesearch_category_parameters",
    "excluded_ips",
    "excluded_parameters",
    "excluded_user_agents",
    "excluded_referrers",
)
_SWITCHES = ("ecommerce", "sitesearch", "exclude_unknown_urls")
_KEEP_URL_FRAGMENT = (0, 1, 2)


@dataclass(frozen=True)
class SiteSettings:
    """What can be set of a site; None leaves it as it is, or as it is for a new site.

    Args:
        urls: the main URL first, then the aliases.
        timezone: a name of the tz database, or an offset such as `UTC+2`.
        keep_url_fragment: 0 as all sites, 1 yes, 2 no.
        ts_created: when the site's data begins, UTC.
        excluded_ips, excluded_parameters, …: entries with commas between.
    """

    name: str | None = None
    urls: Sequence[str] | None = None
    ecommerce: bool | None = None
    sitesearch: bool | None = None
    sitesearch_keyword_parameters: str | None = None
    sitesearch_category_parameters: str | None = None
    timezone: str | None = None
    currency: str | None = None
    exclude_unknown_urls: bool | None = None
    excluded_ips: str | None = None
    excluded_parameters: str | None = None
    excluded_user_agents: str | None = None
    excluded_referrers: str | None = None
    group: str | None = None
    type: str | None = None
    keep_url_fragment: int | None = None
    ts_created: datetime | None = None

    def columns(self) -> dict[str, Any]:
        """The checked values of the columns of `site` to set; `urls` is not among them.

        Raises:
            InvalidInput: a value cannot be used.
        """
        given = {row.name: getattr(self, row.name) for row in fields(self) if row.name != "urls"}
        return {name: _checked(name, value) for name, value in given.items() if value is not None}


def _checked(name: str, value: Any) -> Any:
    if name == "excluded_ips":
        return checks.addresses(value)
    if name in _LISTS:
        return checks.entries(value)
    if name in _SWITCHES:
        return int(value)
    if name == "name":
        return checks.line("name of a site", value, 90)
    if name == "timezone":
        return checks.timezone(value)
    if name == "currency":
        return checks.currency(value)
    if name == "group":
        return checks.line("group of a site", value, 250, empty=True)
    if name == "type":
        return checks.line("type of a site", value, 255)
    if name == "keep_url_fragment" and value not in _KEEP_URL_FRAGMENT:
        raise InvalidInput(f"keep_url_fragment is 0 (as all sites), 1 (yes) or 2 (no), not {value!r}.")
    return value


def checked_urls(urls: Sequence[str]) -> list[str]:
    """The addresses of a site, main URL first, none twice.

    Raises:
        InvalidInput: one is no address, or there is none.
    """
    if not urls:
        raise InvalidInput("A site needs at least one address (URL).")
    kept = dict.fromkeys([checks.url(urls[0]), *(checks.url(alias, _LONGEST_ALIAS) for alias in urls[1:])])
    return list(kept)


class SiteRepository:
    """The sites of one database.

    A site is a dictionary of COLUMNS; its flags are 0 or 1, `ts_created` is a datetime in UTC.
    """

    def __init__(self, database: Database, clock: Clock, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes

    def create(self, settings: SiteSettings, creator: str | None = None) -> int:
        """A new site's idsite. Timezone and currency default to UTC and USD.

        Args:
            creator: the login of who creates it.

        Raises:
            InvalidInput: name or URL are missing, or a value cannot be used.
        """
        if settings.name is None:
            raise InvalidInput("A site needs a name.")
        urls = checked_urls(settings.urls or ())
        values = {
            **dict.fromkeys(_LISTS, ""),
            "ts_created": self._clock.now().replace(tzinfo=None, microsecond=0),
            "timezone": "UTC",
            "currency": "USD",
            "group": "",
            "type": "website",
            **settings.columns(),
            "main_url": urls[0],
            "creator_login": creator,
        }
        names = ", ".join(f"`{name}`" for name in values)
        with self._database.transaction():
            idsite = self._database.insert(
                f"INSERT INTO {self._database.table('site')} ({names}) VALUES ({_places(values)})",
                tuple(values.values()),
            )
            self._add_aliases(idsite, urls[1:])
        self._changes.announce()
        return idsite

    def update(self, idsite: int, settings: SiteSettings) -> None:
        """Change what the settings name.

        Raises:
            InvalidInput: there is no such site, or a value cannot be used.
        """
        values = settings.columns()
        urls = None if settings.urls is None else checked_urls(settings.urls)
        if urls:
            values["main_url"] = urls[0]
        self.find(idsite)
        with self._database.transaction():
            if values:
                self._database.execute(
                    f"UPDATE {self._database.table('site')} SET {', '.join(f'`{name}` = %s' for name in values)} "
                    "WHERE idsite = %s",
                    (*values.values(), idsite),
                )
            if urls:
                self._replace_aliases(idsite, urls[1:])
        self._changes.announce()

    def delete(self, idsite: int) -> None:
        """Delete the site with its aliases, dimensions and users' access; its goals are marked deleted. What was
        recorded and archived for it stays (as in the reference).

        Raises:
            InvalidInput: there is no such site, or it is the only one.
        """
        self.find(idsite)
        if self.ids() == [idsite]:
            raise InvalidInput(f"Site {idsite} is the only one and cannot be deleted: create another one first.")
        with self._database.transaction():
            for table in ("site", "site_url", "custom_dimensions", "access"):
                self._database.execute(f"DELETE FROM {self._database.table(table)} WHERE idsite = %s", (idsite,))
            self._database.execute(
                f"UPDATE {self._database.table('goal')} SET deleted = 1 WHERE idsite = %s", (idsite,)
            )
        self._changes.announce()

    def find(self, idsite: int) -> dict[str, Any]:
        """The site.

        Raises:
            InvalidInput: there is none with this number.
        """
        found = self.all([idsite])
        if not found:
            raise InvalidInput(f"There is no site {idsite}.")
        return found[0]

    def all(self, idsites: Iterable[int] | None = None) -> list[dict[str, Any]]:
        """All sites, or those of these numbers that exist, in the order of their numbers."""
        wanted = None if idsites is None else tuple(idsites)
        if wanted == ():
            return []
        condition = "" if wanted is None else f"WHERE idsite IN ({_places(wanted)})"
        names = ", ".join(f"`{name}`" for name in COLUMNS)
        rows = self._database.query(
            f"SELECT {names} FROM {self._database.table('site')} {condition} ORDER BY idsite", wanted or ()
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    def ids(self) -> list[int]:
        """The numbers of all sites, in order."""
        rows = self._database.query(f"SELECT idsite FROM {self._database.table('site')} ORDER BY idsite")
        return [int(idsite) for (idsite,) in rows]

    def urls(self, idsite: int) -> list[str]:
        """The site's addresses: the main URL first.

        Raises:
            InvalidInput: there is no such site.
        """
        main = str(self.find(idsite)["main_url"])
        rows = self._database.query(f"SELECT url FROM {self._database.table('site_url')} WHERE idsite = %s", (idsite,))
        return [main, *(str(url) for (url,) in rows if url != main)]

    def with_url(self, url: str) -> list[int]:
        """The sites that have this address, with http or https, with or without `www.`."""
        rest = url.strip().rstrip("/").partition("://")[2] or url.strip().rstrip("/")
        host = rest.removeprefix("www.")
        variants = [f"{scheme}://{www}{host}" for scheme in ("http", "https") for www in ("", "www.")]
        rows = self._database.query(
            f"SELECT idsite FROM {self._database.table('site')} WHERE main_url IN ({_places(variants)}) "
            f"UNION SELECT idsite FROM {self._database.table('site_url')} WHERE url IN ({_places(variants)})",
            (*variants, *variants),
        )
        return sorted(int(idsite) for (idsite,) in rows)

    def add_aliases(self, idsite: int, urls: Sequence[str]) -> int:
        """Give the site more addresses; how many it did not have yet.

        Raises:
            InvalidInput: there is no such site, or one is no address.
        """
        present = self.urls(idsite)
        new = [url for url in dict.fromkeys(checks.url(url, _LONGEST_ALIAS) for url in urls) if url not in present]
        with self._database.transaction():
            self._add_aliases(idsite, new)
        self._changes.announce()
        return len(new)

    def set_aliases(self, idsite: int, urls: Sequence[str]) -> int:
        """Replace the site's addresses other than the main URL; how many it has now.

        Raises:
            InvalidInput: there is no such site, or one is no address.
        """
        main = str(self.find(idsite)["main_url"])
        aliases = [url for url in dict.fromkeys(checks.url(url, _LONGEST_ALIAS) for url in urls) if url != main]
        with self._database.transaction():
            self._replace_aliases(idsite, aliases)
        self._changes.announce()
        return len(aliases)

    def _replace_aliases(self, idsite: int, urls: Sequence[str]) -> None:
        self._database.execute(f"DELETE FROM {self._database.table('site_url')} WHERE idsite = %s", (idsite,))
        self._add_aliases(idsite, urls)

    def _add_aliases(self, idsite: int, urls: Sequence[str]) -> None:
        for url in urls:
            self._database.execute(
                f"INSERT IGNORE INTO {self._database.table('site_url')} (idsite, url) VALUES (%s, %s)", (idsite, url)
            )


def _places(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _ in values)
