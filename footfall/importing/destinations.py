"""Which site a line belongs to, and what the address of its page is."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from footfall.database import Database
from footfall.errors import FootfallError
from footfall.importing.line import Line

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_KEPT = 10_000


class Destination(NamedTuple):
    """Where a line goes: its site, and what stands before its path (`https://shop.example.org`)."""

    idsite: int
    origin: str


class _Address(NamedTuple):
    """One address of a site, taken apart."""

    idsite: int
    scheme: str
    host: str
    path: str


class Destinations:
    """Finds the destinations of lines.

    A host that is not one of a site's own is looked for without `www.`. Of sites that share a host, the one whose
    address has the longest path above the line's is meant.

    Args:
        idsite: the site of all lines; None: by host.
        fallback: the site of lines whose host is no site's.
        create: makes a site for an address and gives its idsite, for hosts that are no site's.

    Raises:
        FootfallError: there is no such site.
    """

    def __init__(
        self,
        database: Database,
        idsite: int | None,
        fallback: int | None = None,
        create: Callable[[str], int] | None = None,
    ) -> None:
        addresses = _addresses(database)
        self._main = {address.idsite: address for address in reversed(addresses)}
        for given in (idsite, fallback):
            if given is not None and given not in self._main:
                raise FootfallError(f"There is no site {given}: `footfall site list` shows them.")
        self._idsite = idsite
        self._fallback = fallback
        self._create = create
        self._by_host: dict[str, list[_Address]] = {}
        for address in sorted(addresses, key=lambda one: -len(one.path)):
            self._by_host.setdefault(address.host, []).append(address)
        self._known: dict[tuple[str, str], list[tuple[str, Destination]]] = {}
        self.unknown_hosts: dict[str, int] = {}
        """How many lines had a host that is no site's, by host."""

    def of(self, line: Line) -> Destination | None:
        """The destination of a line; None when its host is no site's."""
        key = line.host, line.scheme
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[key] = self._find(*key)
        for path, destination in found:
            if not path or (line.target.startswith(path) and line.target[len(path) : len(path) + 1] in ("", "/", "?")):
                return destination
        if line.host in self.unknown_hosts or len(self.unknown_hosts) < _KEPT:
            self.unknown_hosts[line.host] = self.unknown_hosts.get(line.host, 0) + 1
        return None

    def _find(self, host: str, scheme: str) -> list[tuple[str, Destination]]:
        """The destinations of a host by the path that their site is below, the longest first."""
        name = _hostname(host)
        own = self._by_host.get(name) or self._by_host.get(name.removeprefix("www."))
        if self._idsite is not None:
            return [("", self._at(self._idsite, host, scheme, own))]
        found = [(address.path, self._at(address.idsite, host, scheme, own)) for address in own or ()]
        if not any(path == "" for path, _ in found):
            if self._fallback is not None:
                found.append(("", self._at(self._fallback, host, scheme, own)))
            elif self._create is not None and own is None and _is_hostname(name):
                address = _Address(self._create(f"{scheme or 'http'}://{host}"), scheme or "http", name, "")
                self._by_host[name] = [address]
                self._main[address.idsite] = address
                found.append(("", self._at(address.idsite, host, scheme, [address])))
        return found

    def _at(self, idsite: int, host: str, scheme: str, own: list[_Address] | None) -> Destination:
        main = self._main[idsite]
        if not _is_hostname(_hostname(host)):
            return Destination(idsite, f"{main.scheme}://{main.host}")
        known = next((address for address in own or () if address.idsite == idsite), main)
        scheme = scheme or known.scheme
        return Destination(idsite, f"{scheme}://{host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ' '))}")


def _addresses(database: Database) -> list[_Address]:
    """The addresses of all sites, the main ones first."""
    rows = database.query(f"SELECT idsite, main_url FROM {database.table('site')} ORDER BY idsite")
    rows += database.query(f"SELECT idsite, url FROM {database.table('site_url')} ORDER BY idsite, url")
    addresses = []
    for idsite, url in rows:
        parts = urlsplit(url if "//" in url else f"//{url}")
        addresses.append(_Address(idsite, parts.scheme or "http", parts.netloc.lower(), parts.path.rstrip("/")))
    return addresses


def _hostname(host: str) -> str:
    """The host without its port, in lower case."""
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].lower()


def _is_hostname(name: str) -> bool:
    """Whether a logged host can be in an address: not `_`, `-` or the name of a bucket."""
    return "." in name and name.replace(".", "").replace("-", "").isalnum()
