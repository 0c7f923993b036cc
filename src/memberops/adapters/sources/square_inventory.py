"""
Square's inventory: what moved in the stock of each location.

Made from Square's published OpenAPI description and documentation
(https://developer.squareup.com/docs/inventory-api/how-it-works).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.movement_rows import moved
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_moments import change_of
from memberops.adapters.sources.rest_resource import Lines, Paging, RestResource

__all__ = ["square_stock", "stock_movements"]

_HERE = "IN_STOCK"
_ACCOUNTS = {
    **dict.fromkeys(
        ("SOLD", "SOLD_ONLINE", "RETURNED_BY_CUSTOMER", "UNLINKED_RETURN"),
        ("member", "return", "issue"),
    ),
    **dict.fromkeys(
        ("ORDERED_FROM_VENDOR", "RECEIVED_FROM_VENDOR"),
        ("supplier", "receipt", "return"),
    ),
    **dict.fromkeys(
        ("IN_TRANSIT", "IN_TRANSIT_TO"), ("in_transit", "arrival", "dispatch")
    ),
    "WASTE": ("destroyed", "adjustment", "damage"),
}
"""By state where goods are then, and what it is called when they come and go."""
_REST = ("adjustment", "adjustment", "adjustment")
_NEW = ("supplier", "receipt", "receipt")


def square_stock(
    locations: Sequence[str], items: Sequence[str] | None = None
) -> RestResource:
    """
    Describe what moved in stock, for the table ``gift_movements``.

    The stock of a location is what Square says is ``IN_STOCK`` there. Square counts it
    from the last physical count on, so a count is a movement of what it differs by
    from what came and went before, by the moments at which that happened; the first
    one of an item opens its stock. What comes late changes that difference, so the
    table is read whole each time. Goods in other states are not in stock: reserved
    ones, for instance, have left it for ``adjustment``. Transfers cannot be asked for:
    what they leave as adjustments is read, and the rest shows in the next count.

    Args:
        locations: Ids of the locations.
        items: Ids of the variations that are read; None for all.
    """

    def together(reader: HttpReader, counts: list[Any]) -> Iterable[Any]:
        # Read after the counts, adjustments lack none that happened before one.
        adjustments = all_records(reader, _changes("ADJUSTMENT", locations, items))
        return stock_movements(
            [each["physical_count"] for each in counts],
            [each["adjustment"] for each in adjustments],
        )

    return _changes("PHYSICAL_COUNT", locations, items, together=together)


def _changes(
    word: str, locations: Sequence[str], items: Sequence[str] | None, **more: Any
) -> RestResource:
    body: dict[str, Any] = {"location_ids": list(locations), "types": [word]}
    if items is not None:
        body["catalog_object_ids"] = list(items)
    return RestResource(
        path="v2/inventory/changes/batch-retrieve",
        method="POST",
        records="changes",
        may_lack=True,
        body=body,
        id=f"{word.lower()}.id",
        key=("posting_id",),
        paging=Paging(
            kind="cursor",
            field="cursor",
            next="cursor",
            size_field="limit",
            size=1000,
        ),
        lines=(
            Lines(
                columns={
                    "posting_id": "posting",
                    "kind": "kind",
                    "effective_at": "occurred_at|created_at",
                    "gift_id": "catalog_object_id",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                    "by": "team_member_id|employee_id",
                }
            ),
        ),
        **more,
    )


def stock_movements(
    counts: Iterable[Mapping[str, Any]], adjustments: Iterable[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """
    Say what moved, in the order in which it happened.

    Args:
        counts: Physical counts of Square, whole: a count says what is there.
        adjustments: Adjustments of the same items and locations: what came and went.

    Yields:
        For each that moved something in stock, its fields, and ``posting``, ``kind``,
        ``source``, ``destination`` and ``quantity``.

    >>> here = {"catalog_object_id": "ITEM1", "location_id": "L1"}
    >>> first = {**here, "id": "1", "state": "IN_STOCK", "quantity": "100",
    ...          "occurred_at": "2026-11-05T12:00:00Z"}
    >>> sale = {**here, "id": "2", "from_state": "IN_STOCK", "to_state": "SOLD",
    ...         "quantity": "3", "occurred_at": "2026-11-05T13:10:00Z"}
    >>> later = {**first, "id": "3", "quantity": "90",
    ...          "occurred_at": "2026-11-05T13:30:00Z"}
    >>> [(row["kind"], row["quantity"]) for row in
    ...  stock_movements([later, first], [sale])]
    [('opening', 100), ('issue', 3), ('adjustment', 7)]
    """
    stock: dict[tuple[Any, Any], Decimal] = {}
    told = [("count", each) for each in counts]
    told += [("adjustment", each) for each in adjustments]
    for word, each in sorted(told, key=_moment):
        own = each.get("catalog_object_id"), each.get("location_id")
        number, had = amount_at(each, "quantity"), stock.get(own)
        if word == "count":
            if each.get("state") != _HERE:
                continue
            change = number - (had or Decimal(0))
            account, gained, lost = ("opening",) * 3 if had is None else _REST
        else:
            left, came = each.get("from_state"), each.get("to_state")
            if (left == _HERE) == (came == _HERE):
                continue
            change = number if came == _HERE else -number
            account, gained, lost = _account(left, came)
        stock[own] = (had or Decimal(0)) + change
        for row in moved(
            int(change) if change == int(change) else change,
            place=f"store:{own[1]}",
            other=account,
            gained=gained,
            lost=lost,
        ):
            yield {**each, **row, "posting": f"{word}-{each['id']}"}


def _account(left: Any, came: Any) -> tuple[str, str, str]:
    """Name where goods came from or went to, and what that is called."""
    if left == "NONE":
        return _NEW
    return _ACCOUNTS.get(left if came == _HERE else came, _REST)


def _moment(told: tuple[str, Mapping[str, Any]]) -> tuple[dt.datetime, ...]:
    """Return when it happened, and when Square heard of it."""

    def at(*names: str) -> dt.datetime:
        texts = [told[1].get(name) for name in names]
        found = change_of(next(filter(None, texts), None), "iso", dt.UTC)
        early = dt.datetime.min.replace(tzinfo=dt.UTC)
        return found if isinstance(found, dt.datetime) else early

    return at("occurred_at", "created_at"), at("created_at")
