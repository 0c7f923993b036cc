"""Points of ERPNext's loyalty programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.erpnext_ids import CustomerIds
from memberops.adapters.sources.erpnext_records import listed
from memberops.adapters.sources.movement_rows import points_moved
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.domain import POINTS

__all__ = ["erpnext_points"]


def erpnext_points(
    zone: str, ids: CustomerIds, *, invoices: str, program: str | None = None
) -> RestResource:
    """
    Describe the entries of loyalty points (``Loyalty Point Entry``).

    What is given is a lot of its own, valid through the entry's expiry date, and a
    redemption names the entry that it takes from. ERPNext writes nothing where points
    run out: the last day of their lot says it. An entry is of the moment at which it
    was made; if its posting date is another day, an award is of the beginning of that
    and a redemption of the end. ERPNext deletes the entries of an invoice that is
    canceled without a trace, so all are read each time. Where goods come back, it
    makes those of the first invoice anew, under other names and of fewer points: what
    an invoice gives is therefore called by the invoice, so that no ledger takes both.

    Args:
        zone: Of the site.
        ids: Which customers' ids may be shown.
        invoices: The documents that are the sales; theirs are told as tickets.
        program: The loyalty program that is read; None reads all.
    """
    return RestResource(
        **listed(
            "Loyalty Point Entry",
            ["*"],
            zone,
            filters=[] if program is None else [["loyalty_program", "=", program]],
            changes=False,
        ),
        key=("posting_id",),
        together=lambda _reader, entries: _with_lots(entries),
        prepare=lambda entry: _with_points(entry, ids, invoices),
        lines=(
            Lines(
                each="points",
                made=True,
                constants={"gift_id": POINTS},
                columns={
                    "posting_id": "/posting",
                    "kind": "kind",
                    "effective_at": "/effective",
                    "lot_id": "/lot",
                    "valid_through": "/through",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                    "refers_to": "/ticket",
                },
            ),
        ),
    )


def _with_lots(entries: list[Any]) -> Iterable[dict[str, Any]]:
    """Name each entry, the lot that it gives or takes from, and its last day."""
    lots: dict[str, str] = {}
    ends: dict[str, Any] = {}
    taken: set[str] = set()
    for each in sorted(entries, key=_made):
        if amount_at(each, "loyalty_points") <= 0:
            continue
        own = str(each.get("name"))
        sold = f"{each.get('invoice_type')}-{each.get('invoice')}"
        # An entry by hand may name an invoice that gave points already.
        lots[own] = own if not each.get("invoice") or sold in taken else sold
        taken.add(lots[own])
        ends[own] = each.get("expiry_date")
    for each in entries:
        own = str(each.get("name"))
        origin = str(each.get("redeem_against") or own)
        lot = lots.get(origin, each.get("redeem_against"))
        yield {
            **each,
            "posting": f"points-{lots.get(own, own)}",
            "lot": lot,
            "through": ends.get(origin, each.get("expiry_date")) if lot else None,
        }


def _made(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry.get("creation") or ""), str(entry.get("name"))


def _with_points(
    entry: Mapping[str, Any], ids: CustomerIds, invoices: str
) -> tuple[Mapping[str, Any], bool]:
    change = amount_at(entry, "loyalty_points")
    member = ids.safe(entry.get("customer"))
    rows = points_moved(change, member_id=member)
    if member is None:
        # Nobody's points are refused, and told.
        rows = tuple({**row, "source": None, "destination": None} for row in rows)
    day, made_at = entry.get("posting_date"), str(entry.get("creation") or "")
    hour = "00:00:00" if change > 0 else "23:59:59"
    invoice = entry.get("invoice")
    sold = invoice and entry.get("invoice_type") == invoices
    return {
        **entry,
        "points": list(rows),
        "effective": f"{day} {hour}" if day and made_at[:10] != day else made_at,
        "ticket": f"ticket={invoice}" if sold else None,
    }, True
