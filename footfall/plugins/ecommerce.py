"""Products: what was ordered, left in carts and looked at, by SKU, name and category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.blob import StoredTable
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.daylog import total
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.archiving.segments import ACTION, CONVERSION, ECOMMERCE, ITEM, SegmentName
from footfall.archiving.tree_rows import TreeRows
from footfall.plugins import Plugin
from footfall.reports.metrics import Columns, Number, ProcessedMetric, number, quotient, ratio
from footfall.reports.report import Listing, TableReport
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_CART_ID: Final = "0"  # stands for the order id in the items of a cart
_NOT_DEFINED: Final = "Value not defined"
_CATEGORIES: Final = ("", "2", "3", "4", "5")  # what the names of the columns end in
_MOST_PRODUCTS: Final = 10_000


@dataclass(frozen=True)
class _Level:
    """What products are told apart by.

    Args:
        name: in the names of records and methods.
        of_items: columns of log_conversion_item.
        of_views: columns of log_link_visit_action.
    """

    name: str
    of_items: tuple[str, ...]
    of_views: tuple[str, ...]

    def record(self, suffix: str) -> BlobRecord:
        return BlobRecord(f"Goals_Items{self.name}{suffix}", _MOST_PRODUCTS, _MOST_PRODUCTS, "item_revenue")


_LEVELS: Final = (
    _Level("Sku", ("idaction_sku",), ("idaction_product_sku",)),
    _Level("Name", ("idaction_name",), ("idaction_product_name",)),
    _Level(
        "Category",
        tuple(f"idaction_category{number}" for number in _CATEGORIES),
        tuple(f"idaction_product_cat{number}" for number in _CATEGORIES),
    ),
)
_ORDERS, _CARTS = "", "_Cart"
_OF_ITEMS: Final = ("item_revenue", "item_quantity", "item_price", "item_orders")
_OF_VIEWS: Final = ("nb_visits", "nb_uniq_visitors", "nb_actions", "avg_price_viewed")
_PRODUCT, _PRICE, _QUANTITY = "product", pl.col("price"), pl.col("quantity")


def _product_tables(log: DayLog) -> Computed:
    items = log.items.filter(pl.col("deleted") == 0)
    is_cart = pl.col("idorder") == _CART_ID
    bought = {_ORDERS: items.filter(~is_cart), _CARTS: items.filter(is_cart)}
    found = {}
    for level in _LEVELS:
        views = _views(log, level)
        for suffix, kind in bought.items():
            record = level.record(suffix)
            found[record.name] = _table(log, _bought(kind, level), views, record)
    return found


def _bought(items: pl.DataFrame, level: _Level) -> pl.DataFrame:
    """What was bought of each product; of one without any name at this level too, under 0."""
    first, *further = (
        items.select(pl.col(column).alias(_PRODUCT), "idvisit", "idorder", "price", "quantity")
        for column in level.of_items
    )
    return (
        pl.concat([first, *(part.filter(pl.col(_PRODUCT) != 0) for part in further)])
        .group_by(_PRODUCT)
        .agg(
            item_revenue=(_PRICE * _QUANTITY).sum().round(2),
            item_quantity=total("quantity"),
            item_price=_PRICE.sum().round(2),
            item_orders=pl.struct("idvisit", "idorder").n_unique(),
        )
    )


def _views(log: DayLog, level: _Level) -> pl.DataFrame:
    """How often each product, or category, was looked at."""
    parts = [
        log.actions.filter(pl.col(column).is_not_null()).select(
            pl.col(column).alias(_PRODUCT), "idvisit", "idvisitor", "product_price"
        )
        for column in level.of_views
    ]
    return (
        pl.concat(parts)
        .group_by(_PRODUCT)
        .agg(
            nb_visits=pl.col("idvisit").n_unique(),
            nb_uniq_visitors=pl.col("idvisitor").n_unique(),
            nb_actions=pl.len(),
            avg_price_viewed=pl.col("product_price").mean().fill_null(0),
        )
    )


def _table(log: DayLog, bought: pl.DataFrame, views: pl.DataFrame, record: BlobRecord) -> StoredTable:
    rows = bought.join(views, on=_PRODUCT, how="full", coalesce=True).sort(
        "item_revenue", _PRODUCT, descending=[True, False], nulls_last=True
    )
    labels = log.names_of(rows[_PRODUCT]).fill_null(_NOT_DEFINED).to_list()
    paths = Paths([(label,) for label in labels])
    return make_tree(TreeRows(rows.drop(_PRODUCT), paths, optional=frozenset((*_OF_ITEMS, *_OF_VIEWS))), record)


PRODUCTS = RecordBuilder(
    records=tuple(level.record(suffix) for level in _LEVELS for suffix in (_ORDERS, _CARTS)),
    reads={
        "log_conversion_item": (
            *("idorder", "price", "quantity", "deleted"),
            *(column for level in _LEVELS for column in level.of_items),
        ),
        "log_link_visit_action": (
            *("idvisitor", "product_price"),
            *(column for level in _LEVELS for column in level.of_views),
        ),
    },
    compute=_product_tables,
    occurs={
        "log_conversion_item": ("idorder",),
        "log_link_visit_action": tuple(column for level in _LEVELS for column in level.of_views),
    },
)

# Segments

_SKU, _PRODUCT_NAME, _CATEGORY = 5, 6, 7  # types of log_action


def _product(name: str, table: str, columns: str | tuple[str, ...], kind: int) -> SegmentName:
    return SegmentName(name, table, columns, category=ECOMMERCE, action_types=(kind,))


def _amount(name: str, table: str, fact: str | pl.Expr) -> SegmentName:
    return SegmentName(name, table, fact, type="metric", category=ECOMMERCE)


def _revenue_of(idgoal: int) -> pl.Expr:
    return pl.when(pl.col("idgoal") == idgoal).then(pl.col("revenue"))


_BY_SKU, _BY_NAME, _BY_CATEGORY = _LEVELS

SEGMENTS = (
    _amount("orderId", CONVERSION, "idorder"),
    _amount("revenueOrder", CONVERSION, _revenue_of(ORDER)),
    _amount("revenueAbandonedCart", CONVERSION, _revenue_of(ABANDONED_CART)),
    _amount("productPrice", ITEM, "price"),
    _amount("productViewPrice", ACTION, "product_price"),
    _product("productSku", ITEM, _BY_SKU.of_items, _SKU),
    _product("productName", ITEM, _BY_NAME.of_items, _PRODUCT_NAME),
    _product("productCategory", ITEM, _BY_CATEGORY.of_items, _CATEGORY),
    _product("productViewSku", ACTION, _BY_SKU.of_views, _SKU),
    _product("productViewName", ACTION, _BY_NAME.of_views, _PRODUCT_NAME),
    _product("productViewCategory", ACTION, _BY_CATEGORY.of_views, _CATEGORY),
)

# Reports

_ORDERED, _ABANDONED = "orders", "abandoned_carts"
_NAMES: Final = {"item_revenue": "revenue", "item_quantity": "quantity"}
_PRICES: Final = ("item_price", "avg_price_viewed")
_TIMES_BOUGHT = "times_bought"


def _suffix(source: Source) -> str:
    return _CARTS if source.parameters.get("abandonedCarts", "0") not in ("", "0") else _ORDERS


def _renamed(table: DataTable, source: Source) -> DataTable:
    """The columns under the names that they are shown by; items of orders and of carts are counted under their own."""
    names = {**_NAMES, "item_orders": _ABANDONED if _suffix(source) else _ORDERED}
    for row in table:
        row.columns = {names.get(name, name): value for name, value in row.columns.items()} | {
            _TIMES_BOUGHT: row.columns.get("item_orders", 0)
        }
    return table


def _average_price(columns: Columns) -> Number:
    """The price paid; of what nobody bought, the price shown."""
    if number(columns.get(_TIMES_BOUGHT)):
        return quotient(columns, "item_price", _TIMES_BOUGHT, 2)
    return number(columns.get("avg_price_viewed"))


def _product_report(level: _Level) -> TableReport:
    noun = level.name if level.name != "Sku" else "SKU"

    def metadata(row: Row) -> dict[str, Any]:
        return condition((f"product{level.name}", row.label))

    return TableReport(
        f"Goals.getItems{level.name}",
        record=lambda source: level.record(_suffix(source)).name,
        dimension=f"Ecommerce_Product{level.name}",
        sort_column="revenue",
        prepare=_renamed,
        metadata=metadata,
        shown_label=lambda label: f"Product {noun} not defined" if label == _NOT_DEFINED else label,
        processed=(
            ProcessedMetric("avg_price", _average_price),
            ratio("avg_quantity", "quantity", _TIMES_BOUGHT, 1),
            ratio("conversion_rate", _TIMES_BOUGHT, "nb_visits", 4, "percent"),
        ),
        hidden=(*_PRICES, _TIMES_BOUGHT),
        listing=lambda site: (
            [
                Listing(
                    f"Product {noun}",
                    ("revenue", "quantity", _ORDERED, "nb_visits"),
                    ("avg_price", "avg_quantity", "conversion_rate"),
                )
            ]
            if site.ecommerce
            else []
        ),
    )


REPORTS = tuple(_product_report(level) for level in _LEVELS)

PLUGIN = Plugin("Ecommerce", builders=(PRODUCTS,), reports=REPORTS, segments=SEGMENTS)
