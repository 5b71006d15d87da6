"""The values of a site's custom dimensions in a hit."""

from collections.abc import Sequence

from footfall.custom_dimensions import CustomDimension
from footfall.tracking.parameters import Parameters, escaped, plain

_LENGTH = 250


def read(parameters: Parameters, dimensions: Sequence[CustomDimension]) -> dict[str, str]:
    """The columns and their values: those given, even when empty, else those extracted from the page."""
    columns = {}
    for dimension in dimensions:
        value = parameters.get(dimension.parameter)
        if value is None:
            value = _extracted(parameters, dimension)
        if value is not None:
            columns[dimension.column] = escaped(value.strip())[:_LENGTH]
    return columns


def _extracted(parameters: Parameters, dimension: CustomDimension) -> str | None:
    if not dimension.extractions:
        return None
    url, title = plain(parameters.get("url", "")), plain(parameters.get("action_name", ""))
    return next((value for extraction in dimension.extractions if (value := extraction.value(url, title))), None)
