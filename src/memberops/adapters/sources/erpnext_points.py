"""Points of ERPNext's loyalty programs."""

from __future__ import annotations

from collections.abc import Mapping
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
    was made, or of the beginning of its posting date if that is another day. ERPNext
    deletes the entries of an invoice that is canceled or returned without a trace, so
    all are read each time.

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


def _with_points(
    entry: Mapping[str, Any], ids: CustomerIds, invoices: str
) -> tuple[Mapping[str, Any], bool]:
    change = amount_at(entry, "loyalty_points")
    own = entry.get("name") if change > 0 else None
    lot = entry.get("redeem_against") or own
    member = ids.safe(entry.get("customer"))
    rows = points_moved(change, member_id=member)
    if member is None:
        # Nobody's points are refused, and told.
        rows = tuple({**row, "source": None, "destination": None} for row in rows)
    day, made_at = entry.get("posting_date"), str(entry.get("creation") or "")
    invoice = entry.get("invoice")
    sold = invoice and entry.get("invoice_type") == invoices
    return {
        **entry,
        "posting": f"points-{entry.get('name')}",
        "points": list(rows),
        "lot": lot,
        "through": entry.get("expiry_date") if lot else None,
        "effective": f"{day} 00:00:00" if day and made_at[:10] != day else made_at,
        "ticket": f"ticket={invoice}" if sold else None,
    }, True
