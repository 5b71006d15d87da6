"""Orders and carts in memory: a visit has one open cart, which an order takes over.

Source of the rules: conformance topic `ecommerce`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from footfall.database import Database
from footfall.tracking import conversions, referrers, visits
from footfall.tracking.action import ActionName
from footfall.tracking.conversions import Conversion
from footfall.tracking.ecommerce import Item, Order
from footfall.tracking.hit import Hit
from footfall.tracking.products import CATEGORIES
from footfall.tracking.visits import Outcome, Visit

ORDER, CART = 0, -1
"""The idgoal of an order and of a cart."""

CART_ID = "0"
"""Stands for the order id in the items of a cart."""

BUYER_ORDERED, BUYER_CART, BUYER_ORDERED_AND_CART = 1, 2, 3
_WITH_CART = (BUYER_CART, BUYER_ORDERED_AND_CART)


class ItemRow(NamedTuple):
    """What log_conversion_item has of an item, beside the ids of its visit and order; all names as idaction."""

    time: int
    idvisitor: bytes
    sku: int
    name: int
    categories: tuple[int, ...]
    price: float
    quantity: int
    deleted: int = 0

    def is_same(self, other: "ItemRow") -> bool:
        """Whether product, price and quantity are the same."""
        return self[2:] == other[2:]


@dataclass(slots=True, eq=False)
class Cart:
    """A visit's open cart.

    Args:
        items: by the id of their SKU; those that were taken out again are among them.
    """

    conversion: Conversion
    items: dict[int, ItemRow] = field(default_factory=dict)


class OrderedItems(NamedTuple):
    """The items to write of an order or, with CART_ID, of a cart."""

    visit: Visit
    order_id: str
    items: Collection[ItemRow]


class Orders:
    """Records the orders and carts of one batch, with what the database knows of the same orders and carts."""

    def __init__(self, database: Database, ids: Mapping[ActionName, int]) -> None:
        self._database = database
        self._ids = ids
        self._known: set[tuple[int, str]] = set()
        self._stored_carts: dict[int, dict[int, ItemRow]] = {}
        self._open: dict[Visit, Cart] = {}

    def load(self, hits: Iterable[Hit], loaded: Iterable[Visit]) -> None:
        """Read what the batch needs: which of its order ids exist, and the carts of the visits it may continue."""
        shopping = [hit for hit in hits if hit.order is not None]
        if not shopping:
            return
        named = [(hit.site.idsite, hit.order.order_id) for hit in shopping if hit.order and hit.order.order_id]
        if named:
            rows = self._database.query(
                f"SELECT idsite, idorder FROM {self._database.table('log_conversion')} "
                f"WHERE (idsite, idorder) IN ({', '.join(['(%s, %s)'] * len(named))})",
                [value for pair in named for value in pair],
            )
            self._known = {(idsite, order_key(idorder)) for idsite, idorder in rows}
        self._read_carts([visit for visit in loaded if visit.goal_buyer in _WITH_CART])

    def record(self, visit: Visit, hit: Hit, order: Order, outcome: Outcome) -> None:
        """Record an order or the present state of a cart.

        An order id that the site has had is not recorded again, but the visit goes on (conformance: order sent twice).
        """
        had_cart = visit.goal_buyer in _WITH_CART
        if order.order_id is None:
            visit.goal_buyer = BUYER_CART if visit.goal_buyer in (0, BUYER_CART) else BUYER_ORDERED_AND_CART
        else:
            visit.goal_buyer = BUYER_ORDERED
            visit.seconds_since_order = 0
            visits.convert(visit, hit)
            key = (visit.idsite, order_key(order.order_id))
            if key in self._known:
                return
            self._known.add(key)
        cart = self._cart(visit, hit, outcome) if had_cart else None
        conversion = cart.conversion if cart else conversions.of_visit(visit, hit, CART, 0)
        if cart is None:
            outcome.conversions.append(conversion)
        items = self._items(hit, order, conversion.idvisitor, cart)
        _fill(conversion, visit, hit, order)
        if order.order_id is None:
            self._keep_cart(visit, Cart(conversion, items))
        else:
            self._open.pop(visit, None)
            visit.cart = None
            outcome.items.append(OrderedItems(visit, order.order_id, items.values()))

    def finish(self, outcome: Outcome) -> None:
        """Add the items of the carts that are open in the end."""
        for visit, cart in self._open.items():
            outcome.items.append(OrderedItems(visit, CART_ID, cart.items.values()))

    def _keep_cart(self, visit: Visit, cart: Cart) -> None:
        self._open[visit] = visit.cart = cart

    def _cart(self, visit: Visit, hit: Hit, outcome: Outcome) -> Cart:
        """The visit's open cart, as this batch or the database has it."""
        if visit.cart is not None:
            return visit.cart
        if visit.idvisit is not None and visit.idvisit not in self._stored_carts:
            self._read_carts([visit])
        conversion = conversions.of_visit(visit, hit, CART, 0)
        conversion.replaces_cart = True
        outcome.conversions.append(conversion)
        outcome.replaced_carts[visit] = None
        return Cart(conversion, dict(self._stored_carts.get(visit.idvisit or 0, {})))

    def _items(self, hit: Hit, order: Order, idvisitor: bytes, cart: Cart | None) -> dict[int, ItemRow]:
        """The items as they are now; those that the cart had before, and no longer has, are kept as deleted."""
        rows = {row.sku: row for row in (self._row(item, hit.time, idvisitor) for item in order.items)}
        for sku, before in cart.items.items() if cart else ():
            now = rows.get(sku) or before._replace(time=hit.time, idvisitor=idvisitor, deleted=1)
            rows[sku] = before if order.order_id is None and before.is_same(now) else now
        return rows

    def _row(self, item: Item, time: int, idvisitor: bytes) -> ItemRow:
        categories = [self._ids[name] for name in item.categories]
        return ItemRow(
            time=time,
            idvisitor=idvisitor,
            sku=self._ids[item.sku],
            name=0 if item.name is None else self._ids[item.name],
            categories=tuple(categories + [0] * (CATEGORIES - len(categories))),
            price=item.price,
            quantity=item.quantity,
        )

    def _read_carts(self, carts: Collection[Visit]) -> None:
        if not carts:
            return
        self._stored_carts |= {visit.idvisit: {} for visit in carts if visit.idvisit is not None}
        rows = self._database.query(
            "SELECT idvisit, TIMESTAMPDIFF(SECOND, '1970-01-01', server_time), idvisitor, idaction_sku, idaction_name, "
            "idaction_category, idaction_category2, idaction_category3, idaction_category4, idaction_category5, "
            f"price, quantity, deleted FROM {self._database.table('log_conversion_item')} "
            f"WHERE idvisit IN ({', '.join(['%s'] * len(carts))}) AND idorder = %s",
            [*(visit.idvisit for visit in carts), CART_ID],
        )
        for idvisit, time, idvisitor, sku, name, *categories, price, quantity, deleted in rows:
            row = ItemRow(time, bytes(idvisitor), sku, name, tuple(categories), price, quantity, deleted)
            self._stored_carts[idvisit][sku] = row


def order_key(order_id: str) -> str:
    """What order ids are compared by: as the database does, case and spaces at the end do not count."""
    return order_id.rstrip(" ").casefold()


def _fill(conversion: Conversion, visit: Visit, hit: Hit, order: Order) -> None:
    """Make a conversion what the hit says of its order or cart."""
    conversion.time = hit.time
    conversion.idvisitor = hit.visitor_id or visit.idvisitor
    conversion.referrer = referrers.of_conversion(visit.referrer, hit.attributed_to)
    conversion.seconds_since_order = visit.seconds_since_order
    conversion.revenue = conversions.stored_revenue(order.revenue)
    conversion.order = {"items": order.count}
    if order.order_id is not None:
        conversion.idgoal, conversion.buster = ORDER, crc32(order.order_id.encode())
        conversion.pageviews_before = conversions.page_views_before(visit)
        conversion.order |= {"idorder": order.order_id, **order.parts}
