"""Downloads and outlinks: URLs of files and of other sites that a visitor opened from a page."""

import re

from footfall.tracking.action import DOWNLOAD, LINK, NAME_LENGTH, OUTLINK, Action, ActionName, Page
from footfall.tracking.parameters import Parameters, plain

_URL = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//.", re.DOTALL)


def read_download(parameters: Parameters, page: Page) -> Action | None:
    """The download of a hit (`download`)."""
    return _link(parameters.get("download", ""), DOWNLOAD, "file")


def read_outlink(parameters: Parameters, page: Page) -> Action | None:
    """The outlink of a hit (`link`)."""
    return _link(parameters.get("link", ""), OUTLINK, "external_website")


def _link(text: str, kind: int, attribute: str) -> Action | None:
    """The action; its URL is kept whole, one that is none (`mailto:`) is recorded without (conformance: actions)."""
    url = plain(text.strip())
    if not url:
        return None
    if not _URL.match(url):
        return Action(LINK)
    url = url[:NAME_LENGTH]
    return Action(LINK, url=ActionName(kind, url), full_url=url, compared={attribute: url})
