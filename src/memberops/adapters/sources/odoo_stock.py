"""What moved in the stock of Odoo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.movement_rows import moved
from memberops.adapters.sources.odoo_records import NAMED, searched
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["odoo_stock"]

# Kinds of postings where the chain's stock gains, and where it loses.
_KINDS = {
    "supplier": ("receipt", "return"),
    "customer": ("return", "issue"),
    "adjustment": ("adjustment", "adjustment"),
}


def odoo_stock(
    *, older: bool, items: Iterable[int] | None = None, expiry: bool = False
) -> RestResource:
    """
    Describe the lines of stock moves that are done (``stock.move.line``).

    A place of the chain is a warehouse, ``warehouse:<id>``, or goods between two of
    them, ``in_transit``; what moves within one warehouse is no movement. Customers are
    ``member:<id of the transfer's partner>``, or ``member`` without one. Odoo's
    locations of inventory loss, production and scrap are ``adjustment``. The quantity
    is in the product's own unit.

    Args:
        older: Whether by JSON-RPC.
        items: Ids of the products that are read; None reads all.
        expiry: Whether lots have an expiration date, which is a field of Odoo's
            module ``product_expiry``.
    """
    place = {"fields": {"usage": {}, "warehouse_id": NAMED}}
    lot: dict[str, Any] = {"name": {}}
    if expiry:
        lot["expiration_date"] = {}
    return RestResource(
        **searched(
            "stock.move.line",
            {
                "state": {},
                "date": {},
                "write_date": {},
                "quantity_product_uom": {},
                "product_id": NAMED,
                "lot_id": {"fields": lot},
                "location_id": place,
                "location_dest_id": place,
                "picking_id": {"fields": {"partner_id": NAMED}},
            },
            [] if items is None else [["product_id", "in", list(items)]],
            older=older,
        ),
        key=("posting_id",),
        only={"state": ("done",)},
        prepare=_with_movement,
        lines=(
            Lines(
                each="moves",
                made=True,
                columns={
                    "posting_id": "/posting",
                    "kind": "kind",
                    "effective_at": "/date",
                    "gift_id": "/product_id.id",
                    "lot_id": "/lot_id.name",
                    "valid_through": "/lot_id.expiration_date",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                },
            ),
        ),
    )


def _with_movement(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    count = amount_at(line, "quantity_product_uom")
    origin, source = _place(line, "location_id")
    goal, destination = _place(line, "location_dest_id")
    moves: tuple[dict[str, object], ...] = ()
    if origin not in _KINDS:
        kind = _own_kind(origin, goal) if goal not in _KINDS else _KINDS[goal][1]
        if source != destination:
            moves = moved(-count, place=source, other=destination, gained="", lost=kind)
    elif goal not in _KINDS:
        kind = _KINDS[origin][0]
        moves = moved(count, place=destination, other=source, gained=kind, lost="")
    return {**line, "posting": f"stock-{line.get('id')}", "moves": list(moves)}, True


def _own_kind(origin: str, goal: str) -> str:
    if origin != goal:
        return "dispatch" if goal == "transit" else "arrival"
    return "transfer"


def _place(line: Mapping[str, Any], side: str) -> tuple[str, str]:
    """Return what kind of location it is, and the place or account that it means."""
    usage = look_up(line, f"{side}.usage")
    if usage == "internal":
        own = look_up(line, f"{side}.warehouse_id.id")
        return "internal", f"warehouse:{own}" if own else "warehouse"
    if usage == "transit":
        return "transit", "in_transit"
    if usage == "customer":
        partner = look_up(line, "picking_id.partner_id.id")
        return "customer", f"member:{partner}" if partner else "member"
    if usage == "supplier":
        return "supplier", "supplier"
    return "adjustment", "adjustment"
