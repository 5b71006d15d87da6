"""Which lines of a log are imported, as what, and why the others are not."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from footfall.errors import InvalidInput
from footfall.importing.bots import Bots
from footfall.importing.files import DOWNLOADS, PARTS_OF_PAGES, extension
from footfall.importing.line import Line

NO_REQUEST = "without a request"
HOST = "other hosts"
PATH = "excluded paths"
TIME = "outside the given time"
USER_AGENT = "excluded user agents"
BOT = "bots and programs"
PART = "parts of pages (images, styles, scripts, fonts)"
DOWNLOAD = "downloads that were not asked for"
ERROR = "HTTP errors"
REDIRECT = "HTTP redirects"
NO_SITE = "without a site"
NO_TRACKING = "not tracking requests"

_NOT_MODIFIED = 304  # a page that the client had already, and showed


@dataclass(frozen=True)
class ChoiceOptions:
    """What a person wants of a log.

    Args:
        parts: parts of pages too, as downloads.
        bots, errors, redirects: those too.
        hosts: patterns (`*.example.org`); empty: all.
        excluded_hosts: patterns of those that are left out.
        include_paths, exclude_paths: patterns of paths (`/docs/*`).
        include_expressions, exclude_expressions: regular expressions that are looked for in paths.
        exclude_agents: texts in user agents.
        downloads: the only extensions that are downloads; None: the usual ones.
        more_downloads: extensions beside those.
        since, until: Unix times; None: no bound.
    """

    parts: bool = False
    bots: bool = False
    errors: bool = False
    redirects: bool = False
    hosts: Sequence[str] = ()
    excluded_hosts: Sequence[str] = ()
    include_paths: Sequence[str] = ()
    exclude_paths: Sequence[str] = ()
    include_expressions: Sequence[str] = ()
    exclude_expressions: Sequence[str] = ()
    exclude_agents: Sequence[str] = ()
    downloads: Sequence[str] | None = None
    more_downloads: Sequence[str] = ()
    since: float | None = None
    until: float | None = None


class Choice:
    """Chooses lines.

    Raises:
        InvalidInput: an expression is none.
    """

    def __init__(self, options: ChoiceOptions) -> None:
        self._options = options
        self._bots = Bots()
        downloads = DOWNLOADS if options.downloads is None else frozenset(_endings(options.downloads))
        self._downloads = downloads | frozenset(_endings(options.more_downloads))
        self._unwanted = DOWNLOADS - self._downloads
        self._is_host = _remembered(_allowed(options.hosts, options.excluded_hosts, (), ()))
        self._is_path = _remembered(
            _allowed(
                options.include_paths, options.exclude_paths, options.include_expressions, options.exclude_expressions
            )
        )
        self._excluded_agent = _remembered(_contains(options.exclude_agents))

    def reason_against(self, line: Line, path: str) -> str | None:
        """Why a line is not imported, one of the reasons above; None when it is.

        Args:
            path: of its target, without the query.
        """
        options = self._options
        if not line.target:
            return NO_REQUEST
        if (options.since is not None and line.time < options.since) or (
            options.until is not None and line.time >= options.until
        ):
            return TIME
        if not self._is_host(line.host.partition(":")[0].lower()):
            return HOST
        if not self._is_path(path):
            return PATH
        if self._excluded_agent(line.user_agent):
            return USER_AGENT
        if not options.bots and self._bots.is_bot(line.user_agent):
            return BOT
        if not options.parts or self._unwanted:
            ending = extension(path)
            if ending and ending not in self._downloads:
                if not options.parts and ending in PARTS_OF_PAGES:
                    return PART
                if ending in self._unwanted:
                    return DOWNLOAD
        return self._reason_by_status(line.status)

    def _reason_by_status(self, status: int) -> str | None:
        if status >= 400:
            return None if self._options.errors else ERROR
        if 300 <= status < 400 and status != _NOT_MODIFIED:
            return None if self._options.redirects else REDIRECT
        return None

    def is_download(self, path: str) -> bool:
        """Whether what is at a path is a download (a part of a page that was asked for is)."""
        ending = extension(path)
        return ending in self._downloads or ending in PARTS_OF_PAGES

    def is_bot(self, user_agent: str) -> bool:
        """Whether a user agent is a bot's."""
        return self._bots.is_bot(user_agent)


def _endings(given: Sequence[str]) -> list[str]:
    """The extensions of options such as `pdf,zip`."""
    return [ending.strip(" .").lower() for text in given for ending in text.split(",") if ending.strip(" .")]


def _remembered(decide: Callable[[str], bool]) -> Callable[[str], bool]:
    return lru_cache(maxsize=16_384)(decide)


def _contains(texts: Sequence[str]) -> Callable[[str], bool]:
    lowered = [text.lower() for text in texts]
    return lambda value: any(text in value.lower() for text in lowered)


def _allowed(
    include: Sequence[str], exclude: Sequence[str], include_regex: Sequence[str], exclude_regex: Sequence[str]
) -> Callable[[str], bool]:
    """Whether a text fits one of those that include, where there are any, and none of those that exclude."""
    wanted = [*_globs(include), *_expressions(include_regex)]
    unwanted = [*_globs(exclude), *_expressions(exclude_regex)]

    def decide(text: str) -> bool:
        if wanted and not any(pattern.search(text) for pattern in wanted):
            return False
        return not any(pattern.search(text) for pattern in unwanted)

    return decide


def _globs(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    return [re.compile(r"\A" + translate(pattern), re.IGNORECASE) for pattern in patterns]


def _expressions(texts: Sequence[str]) -> list[re.Pattern[str]]:
    expressions = []
    for text in texts:
        try:
            expressions.append(re.compile(text))
        except re.error as error:
            raise InvalidInput(f"{text!r} is no regular expression: {error}.") from None
    return expressions
