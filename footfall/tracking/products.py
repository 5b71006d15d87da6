"""Products: the one, or the category of some, that a page shows; and how categories are given."""

from collections.abc import Iterable
from typing import Any

from footfall.tracking.action import PRODUCT_CATEGORY, PRODUCT_NAME, SKU, Action, ActionName, named
from footfall.tracking.parameters import Parameters, json_value, number, text_of

CATEGORIES = 5
"""How many categories a product can have."""

_COLUMNS = {"idaction_product_sku": (SKU, "_pks"), "idaction_product_name": (PRODUCT_NAME, "_pkn")}


def add(action: Action, parameters: Parameters) -> None:
    """Add the product, or only the category, of a product page (conformance: product and category views)."""
    if not parameters.keys() & {"_pks", "_pkn", "_pkc"}:
        return
    for column, (kind, parameter) in _COLUMNS.items():
        name = named(kind, text_of(parameters.get(parameter)))
        if name is not None:
            action.names[column] = name
    given = parameters.get("_pkc", "")
    names = category_names(json_value(parameters, "_pkc") if given.startswith("[") else given)
    for place, name in enumerate(names, 1):
        action.names["idaction_product_cat" if place == 1 else f"idaction_product_cat{place}"] = name
    price = number(parameters.get("_pkp"))
    if price is not None:
        action.columns["product_price"] = price


def category_names(value: Any) -> list[ActionName]:
    """The categories of a product, given as one text or as a list; empty ones are passed over."""
    texts: Iterable[Any] = value if isinstance(value, list) else (value,)
    names = (named(PRODUCT_CATEGORY, text_of(text)) for text in texts)
    return [name for name in names if name is not None][:CATEGORIES]
