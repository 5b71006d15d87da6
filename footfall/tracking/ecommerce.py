"""Orders and carts in a hit (`idgoal=0`). Source: conformance topic `ecommerce`."""

from dataclasses import dataclass
from typing import Any

from footfall.tracking.action import PRODUCT_NAME, SKU, ActionName, named
from footfall.tracking.parameters import Parameters, escaped, json_value, number, rounded, text_of
from footfall.tracking.products import category_names

_ORDER_ID_LENGTH = 100
_LARGEST_QUANTITY = 4_294_967_295
_LARGEST_COUNT = 65_535  # of items, in log_conversion
# The parameter of each part of an order's revenue, by column.
_PARTS = {"revenue_shipping": "ec_sh", "revenue_subtotal": "ec_st", "revenue_tax": "ec_tx", "revenue_discount": "ec_dt"}


@dataclass(frozen=True, slots=True)
class Item:
    """A product of an order or a cart.

    Args:
        categories: at most five.
        price: of one piece.
    """

    sku: ActionName
    name: ActionName | None
    categories: tuple[ActionName, ...]
    price: float
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order, or the state of a cart.

    Args:
        order_id: None for a cart.
        parts: the columns that divide an order's revenue.
        count: pieces of all items together.
    """

    order_id: str | None
    revenue: float
    parts: dict[str, float | None]
    items: tuple[Item, ...]
    count: int


def read(parameters: Parameters) -> Order:
    """The order or cart of a hit; items that cannot be read are none."""
    order_id = escaped(parameters.get("ec_id", "").strip())[:_ORDER_ID_LENGTH]
    is_order = order_id not in ("", "0")
    listed = json_value(parameters, "ec_items")
    items = [item for entry in listed if (item := _item(entry))] if isinstance(listed, list) else []
    return Order(
        order_id=order_id if is_order else None,
        revenue=rounded(number(parameters.get("revenue")) or 0.0),
        parts={column: _part(parameters, name) for column, name in _PARTS.items()} if is_order else {},
        items=tuple({item.sku: item for item in items}.values()),
        count=min(sum(item.quantity for item in items), _LARGEST_COUNT),
    )


def _part(parameters: Parameters, name: str) -> float | None:
    value = number(parameters.get(name))
    return None if value is None else rounded(value)


def _item(entry: Any) -> Item | None:
    """An item given as `[sku, name, categories, price, quantity]`, of which only the first is needed."""
    if not isinstance(entry, list):
        return None
    sku, name, categories, price, quantity = (entry + [None] * 5)[:5]
    sku_name = named(SKU, text_of(sku))
    if sku_name is None:
        return None
    pieces = number(quantity)
    return Item(
        sku=sku_name,
        name=named(PRODUCT_NAME, text_of(name)),
        categories=tuple(category_names(categories)),
        price=rounded(number(price) or 0.0),
        quantity=1 if not pieces else int(min(max(pieces, 0), _LARGEST_QUANTITY)),
    )
