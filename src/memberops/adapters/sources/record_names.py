"""What names a record of each table, where several files or systems tell of it."""

from __future__ import annotations

from memberops.tables import Table

__all__ = ["TICKET", "record_columns"]

TICKET = ("store_id", "sold_on", "ticket_id")
"""Tickets of two stores, or of two days, may have one number."""

_ONE_RECORD = {
    "sales": TICKET,
    "gift_movements": ("posting_id",),
    "gift_issues": ("issue_id",),
    "point_redemptions": ("redemption_id",),
}


def record_columns(table: Table) -> tuple[str, ...]:
    """
    Name the columns that a record's rows have in common; empty if there are none.

    It is the key of a table that has one. Of sales it is the ticket of a store and a
    day, of postings, issues and redemptions their id.

    Args:
        table: The canonical table.

    >>> from memberops.tables import table
    >>> record_columns(table("cards")), record_columns(table("consents"))
    (('card_id', 'valid_from'), ())
    >>> record_columns(table("sales"))
    ('store_id', 'sold_on', 'ticket_id')
    """
    return table.key or _ONE_RECORD.get(table.name, ())
