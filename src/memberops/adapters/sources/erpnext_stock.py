"""What moved in the stock of ERPNext."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from memberops.adapters.sources.erpnext_counts import (
    Counted,
    counted_changes,
    says_what_is_there,
)
from memberops.adapters.sources.erpnext_records import (
    Documents,
    listed,
    moment_at,
)
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.movement_rows import moved
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["erpnext_stock"]

# The account on the other side, and the kinds where a warehouse gains and loses.
_SUPPLIER = ("supplier", "receipt", "return")
_CUSTOMER = ("member", "return", "issue")
_OTHER = ("adjustment", "adjustment", "adjustment")
_OPENING = ("opening", "opening", "opening")
_VOUCHERS = {
    "Purchase Receipt": _SUPPLIER,
    "Purchase Invoice": _SUPPLIER,
    "Subcontracting Receipt": _SUPPLIER,
    "Delivery Note": _CUSTOMER,
    "Sales Invoice": _CUSTOMER,
    "POS Invoice": _CUSTOMER,
}
_ENTRY = "Stock Entry"
# Older versions do not date the lasting name that they give an entry later.
_OVERLAP = 26 * 3600


def erpnext_stock(zone: str, *, items: Sequence[str] | None = None) -> RestResource:
    """
    Describe the entries of the stock ledger (``Stock Ledger Entry``).

    A place is a warehouse, ``warehouse:<name>``. What a kind of voucher says of the
    other side is taken: purchases are of the ``supplier``, deliveries and sales of
    the ``member``, whom the ledger does not name. A row of a stock entry between two
    warehouses is a transfer; all other stock entries, reconciliations and the rest are
    ``adjustment``. A voucher that is canceled takes its movements along. A
    reconciliation says what is there, and is a movement of what that differs by; the
    first of an item in a warehouse opens its stock. See
    `erpnext_counts.counted_changes`.

    Each stock entry, each bundle of batches and each batch that an entry names is
    asked for by itself; so are the batches' last days. An entry is read once ERPNext
    has given it its lasting name, which it does every hour.

    Args:
        zone: Of the site.
        items: Codes of the items that are read; None reads all.
    """
    filters: list[list[Any]] = [["to_rename", "=", 0]]
    if items is not None:
        filters.append(["item_code", "in", list(items)])
    return RestResource(
        **listed("Stock Ledger Entry", ["*"], zone, filters=filters, overlap=_OVERLAP),
        key=("posting_id",),
        only={"is_cancelled": ("0",)},
        together=lambda reader, records: _told(reader, zone, records),
        lines=(
            Lines(
                each="moves",
                made=True,
                columns={
                    "posting_id": "/posting",
                    "kind": "kind",
                    "effective_at": "/posted",
                    "gift_id": "/item_code",
                    "lot_id": "lot",
                    "valid_through": "through",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                },
            ),
        ),
    )


def _told(reader: HttpReader, zone: str, records: list[Any]) -> Iterable[Any]:
    """Give each entry its movements, with what other documents say of them."""
    documents = Documents(reader)
    counted, later = counted_changes(reader, zone, records)
    for record in (*records, *later):
        canceled = str(record.get("is_cancelled")) != "0"
        yield {
            **record,
            "posted": moment_at(record, "posting"),
            "posting": f"stock-{record.get('name')}",
            "moves": [] if canceled else list(_moves(record, documents, counted)),
        }


def _moves(
    record: Mapping[str, Any], documents: Documents, counted: Mapping[str, Counted]
) -> Iterable[dict[str, Any]]:
    change = amount_at(record, "actual_qty")
    place = f"warehouse:{record.get('warehouse')}"
    other, gained, lost = _VOUCHERS.get(str(record.get("voucher_type")), _OTHER)
    if says_what_is_there(record):
        found = counted.get(str(record.get("name")))
        if found is None:
            return  # it was canceled while this was read
        change = found.change
        if found.first:
            other, gained, lost = _OPENING
    if record.get("voucher_type") == _ENTRY:
        goal = _goal(record, documents)
        if goal and change > 0:
            return  # the entry of the warehouse that it left says so
        if goal:
            other, gained, lost = f"warehouse:{goal}", "transfer", "transfer"
    for lot, part in _parts(record, change, documents):
        batch = documents.get("Batch", lot) or {}
        for row in moved(part, place=place, other=other, gained=gained, lost=lost):
            yield {**row, "lot": lot, "through": batch.get("expiry_date")}


def _goal(record: Mapping[str, Any], documents: Documents) -> str | None:
    """Return where the row of a stock entry goes if it is between two warehouses."""
    entry = documents.get(_ENTRY, record.get("voucher_no")) or {}
    for row in entry.get("items") or ():
        if row.get("name") == record.get("voucher_detail_no"):
            origin, goal = row.get("s_warehouse"), row.get("t_warehouse")
            return goal if origin and goal and origin != goal else None
    return None


def _parts(
    record: Mapping[str, Any], change: Decimal, documents: Documents
) -> list[tuple[str | None, Decimal]]:
    """Part a change by batches; not at all where they do not add up to it."""
    if record.get("batch_no"):
        return [(str(record["batch_no"]), change)]
    named = record.get("serial_and_batch_bundle")
    bundle = documents.get("Serial and Batch Bundle", named) or {}
    parts: dict[str | None, Decimal] = {}
    for entry in bundle.get("entries") or ():
        lot = str(entry["batch_no"]) if entry.get("batch_no") else None
        parts[lot] = parts.get(lot, Decimal(0)) + abs(amount_at(entry, "qty"))
    if sum(parts.values()) != abs(change):
        return [(None, change)]
    return [(lot, part if change > 0 else -part) for lot, part in parts.items()]
