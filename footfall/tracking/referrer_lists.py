"""The lists of search engines, social networks and referrer spammers, ready to be asked by host.

The data files come out of packages by tools/referrer_lists.py; lists/SOURCES.md names them and their licences. A host
is looked up, never searched for: the length of a list costs nothing.
"""

from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path

import msgspec

_LISTS = Path(__file__).resolve().parent / "lists"


class Definition(msgspec.Struct, frozen=True):
    """How a search engine's hosts carry the keyword.

    Args:
        urls: hosts, some with a path; `{}` stands for a country.
        params: URL parameters, or `/regular expressions/` over the whole URL, that hold the keyword.
        hiddenkeyword: paths (with query), or `/regular expressions/` over them, that come without a keyword.
        charsets: what the keyword may be encoded in, where that is not UTF-8.
    """

    urls: tuple[str, ...]
    params: tuple[str, ...] = ()
    hiddenkeyword: tuple[str, ...] = ()
    charsets: tuple[str, ...] = ()


@cache
def search_engines() -> Mapping[str, tuple[str, Definition]]:
    """Name and definition by host, or host and path, `{}` standing for a country."""
    engines = msgspec.json.decode(_read("search_engines.json"), type=dict[str, tuple[Definition, ...]])
    return {
        url.rstrip("/"): (name, definition)
        for name, definitions in engines.items()
        for definition in definitions
        for url in definition.urls
    }


def social_network(host: str) -> str | None:
    """The name of the social network that a host belongs to, as itself or as a subdomain."""
    networks = _social_networks()
    domain = _listed(host, networks)
    return None if domain is None else networks[domain]


def social_hosts(network: str) -> tuple[str, ...]:
    """The hosts of a social network of that name."""
    return tuple(host for host, name in _social_networks().items() if name == network)


def is_spammer(host: str) -> bool:
    """Whether a host, or a domain above it, is known for referrer spam."""
    return _listed(host, _spammers()) is not None


def _listed(host: str, domains: Container[str]) -> str | None:
    """The host or the nearest domain above it that is listed."""
    while host:
        if host in domains:
            return host
        host = host.partition(".")[2]
    return None


@cache
def _social_networks() -> Mapping[str, str]:
    return msgspec.json.decode(_read("social_networks.json"), type=dict[str, str])


@cache
def _spammers() -> frozenset[str]:
    return frozenset(msgspec.json.decode(_read("referrer_spammers.json"), type=list[str]))


def _read(name: str) -> bytes:
    return (_LISTS / name).read_bytes()
