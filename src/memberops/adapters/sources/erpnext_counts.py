"""Stock reconciliations of ERPNext, which say what is there and not what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from memberops.adapters.sources.erpnext_records import (
    LONGEST_ITEMS,
    address_length,
    listed,
    moment_at,
)
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_resource import RestResource

__all__ = ["Counted", "counted_changes", "says_what_is_there"]

_RECONCILIATION = "Stock Reconciliation"
_LEDGER = "Stock Ledger Entry"
_FIELDS = (
    "name", "creation", "item_code", "warehouse", "posting_date", "posting_time",
    "voucher_type", "voucher_no", "voucher_detail_no", "actual_qty",
    "qty_after_transaction", "batch_no", "serial_and_batch_bundle",
)  # fmt: skip
_Place = tuple[Any, Any]


@attrs.frozen
class Counted:
    """
    What a count moved.

    Args:
        change: By how much it differed from what was due.
        first: Whether nothing of these goods had moved there: it opens the stock.
    """

    change: Decimal
    first: bool


def says_what_is_there(entry: Mapping[str, Any]) -> bool:
    """
    Tell whether an entry of the stock ledger is a count without a change of its own.

    A reconciliation of goods without batches has a change of 0, and the stock that it
    found in ``qty_after_transaction``; one of batches tells the change.

    >>> says_what_is_there({"voucher_type": "Stock Reconciliation", "actual_qty": 0})
    True
    >>> says_what_is_there({"voucher_type": "Stock Reconciliation", "actual_qty": -2})
    False
    """
    return entry.get("voucher_type") == _RECONCILIATION and not (
        amount_at(entry, "actual_qty")
        or entry.get("batch_no")
        or entry.get("serial_and_batch_bundle")
    )


def counted_changes(
    reader: HttpReader, zone: str, records: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Counted], list[Mapping[str, Any]]]:
    """
    Reckon by how much the stock changed where it was counted.

    That is what the count differs by from all that came and went before, as ERPNext's
    own report of stock balances has it. What is entered late, or canceled, changes
    what later counts differed by, so those are told too.

    Args:
        reader: Of the site.
        zone: Of the site.
        records: Entries of the stock ledger that are new or changed.

    Returns:
        By name what each count among them or after them moved, and of these the
        entries that are not among them.

    Raises:
        SourceError: The site cannot be read.
    """
    first: dict[_Place, str] = {}
    for each in records:
        own, at = _place(each), _moment(each)[0]
        first[own] = min(at, first.get(own, at))
    names = {str(each.get("name")) for each in records}
    changes: dict[str, Counted] = {}
    later: list[Mapping[str, Any]] = []
    for items in _parts(item for item, _ in first):
        counts = [
            each
            for each in _entries(
                reader, zone, ["*"], items,
                ["voucher_type", "=", _RECONCILIATION], ["to_rename", "=", 0],
            )
            if says_what_is_there(each)
            and _place(each) in first
            and _moment(each)[0] >= first[_place(each)]
        ]  # fmt: skip
        later += [each for each in counts if str(each["name"]) not in names]
        for counted in _parts(each.get("item_code") for each in counts):
            changes |= _reckoned(_entries(reader, zone, _FIELDS, counted))
    return changes, later


def _entries(
    reader: HttpReader,
    zone: str,
    fields: Sequence[str],
    items: Sequence[str],
    *filters: list[Any],
) -> list[Any]:
    """Read the entries of items that are not canceled."""
    chosen: list[list[Any]] = [
        ["item_code", "in", list(items)],
        ["is_cancelled", "=", 0],
        *filters,
    ]
    resource = listed(_LEDGER, fields, zone, filters=chosen, changes=False)
    return all_records(reader, RestResource(**resource, lines=()))


def _reckoned(entries: Iterable[Mapping[str, Any]]) -> dict[str, Counted]:
    """Go through the entries as they happened, and tell what counts differed by."""
    stock: dict[_Place, Decimal] = {}
    changes: dict[str, Counted] = {}
    # Who is given its lasting name meanwhile comes under both.
    once = {_identity(each): each for each in entries}
    for each in sorted(once.values(), key=_moment):
        had = stock.get(_place(each), Decimal(0))
        change = amount_at(each, "actual_qty")
        if says_what_is_there(each):
            change = amount_at(each, "qty_after_transaction") - had
            counted = Counted(change, first=_place(each) not in stock)
            changes[str(each["name"])] = counted
        stock[_place(each)] = had + change
    return changes


def _parts(items: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    """Part the codes of items into those that one address may hold."""
    part: list[str] = []
    for each in sorted({str(each) for each in items}):
        if part and address_length([*part, each]) > LONGEST_ITEMS:
            yield tuple(part)
            part = []
        part.append(each)
    if part:
        yield tuple(part)


def _place(entry: Mapping[str, Any]) -> _Place:
    return entry.get("item_code"), entry.get("warehouse")


def _moment(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return when it happened, and when it was entered: of one moment that decides."""
    return moment_at(entry, "posting") or "", str(entry.get("creation") or "")


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("creation", "voucher_no", "voucher_detail_no", "warehouse", "actual_qty",
             "batch_no", "serial_and_batch_bundle", "item_code")  # fmt: skip
    own = tuple(entry.get(name) for name in names)
    return own if entry.get("creation") else (entry["name"],)
