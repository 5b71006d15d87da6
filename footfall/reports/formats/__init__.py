"""The formats of an answer, one small file each, and how a request finds its format by name."""

from footfall.reports.errors import ReportError
from footfall.reports.formats.format import Format
from footfall.reports.formats.json import JsonFormat

_FORMATS: dict[str, Format] = {"json": JsonFormat()}


def find(name: str) -> Format:
    """The format of that name, in any case.

    Raises:
        ReportError: there is none; the message lists those there are.
    """
    try:
        return _FORMATS[name.lower()]
    except KeyError:
        known = ", ".join(sorted(_FORMATS))
        raise ReportError(f"There is no format {name!r}. The formats are: {known}.", 400) from None
