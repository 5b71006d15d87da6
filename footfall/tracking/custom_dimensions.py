"""The values of a site's custom dimensions in a hit."""

from collections.abc import Sequence

from footfall.custom_dimensions import CustomDimension
from footfall.tracking.parameters import Parameters, escaped

_LENGTH = 250


def read(parameters: Parameters, dimensions: Sequence[CustomDimension], url: str) -> dict[str, str]:
    """The columns and their values: those given, even when empty, else those extracted.

    Args:
        url: what values are extracted from: the page's, or that of a link that was followed, which the page's values do
            not count for (conformance `archives`: CustomDimensions_Dimension3).
    """
    columns = {}
    for dimension in dimensions:
        value = parameters.get(dimension.parameter)
        if value is None:
            if not dimension.extractions:
                continue
            value = _extracted(dimension, url, parameters.get("action_name", ""))
        if value is not None:
            columns[dimension.column] = escaped(value.strip())[:_LENGTH]
    return columns


def _extracted(dimension: CustomDimension, url: str, title: str) -> str | None:
    return next((value for extraction in dimension.extractions if (value := extraction.value(url, title))), None)
