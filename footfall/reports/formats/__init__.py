"""The formats of an answer, one small file each, and how a request finds its format."""

from collections.abc import Mapping

from footfall.reports.errors import ReportError
from footfall.reports.formats.csv import SeparatedFormat
from footfall.reports.formats.format import Format
from footfall.reports.formats.json import JsonFormat
from footfall.reports.formats.xml import XmlFormat

DEFAULT = "json"
_SEPARATORS = {"csv": ",", "tsv": "\t"}
_FORMATS: dict[str, Format] = {"json": JsonFormat(), "xml": XmlFormat()}


def find(name: str, parameters: Mapping[str, str] | None = None) -> Format:
    """The format of that name, in any case.

    Args:
        parameters: the request's; `convertToUnicode=0` makes CSV and TSV UTF-8 instead of UTF-16.

    Raises:
        ReportError: there is none; the message lists those there are.
    """
    name = name.lower()
    if name in _SEPARATORS:
        return SeparatedFormat(_SEPARATORS[name], unicode=(parameters or {}).get("convertToUnicode") != "0")
    try:
        return _FORMATS[name]
    except KeyError:
        known = ", ".join(sorted({*_FORMATS, *_SEPARATORS}))
        raise ReportError(f"There is no format {name!r}. The formats are: {known}.", 400) from None
