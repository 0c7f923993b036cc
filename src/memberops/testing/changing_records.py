"""The records that the check of a changing source writes into its world."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from memberops.adapters.sources.record_names import record_columns
from memberops.errors import InvalidValueError
from memberops.tables import Table

__all__ = ["MAKERS", "RecordMaker", "named_by"]

RecordMaker = Callable[[int, int], Sequence[Mapping[str, Any]]]
"""Makes the rows of a record of its number and how many rows it may have, up to 3."""

_TOLD_APART = {"consents": ("member_id",), "case_events": ("case_id",)}
_RETURNED = 3
_DAY = dt.date(2026, 11, 5)
_NOON = dt.datetime(2026, 11, 5, 11, tzinfo=dt.UTC)  # the same day in most zones


def named_by(table: Table) -> tuple[str, ...]:
    """
    Name the columns by which records are told apart where a source says none.

    Args:
        table: Of the records; of consents a record is all that a member said, of
            events all that happened to a case.

    Raises:
        InvalidValueError: Its rows are no records.

    >>> from memberops.tables import table
    >>> named_by(table("consents")), named_by(table("gift_movements"))
    (('member_id',), ('posting_id',))
    """
    found = _TOLD_APART.get(table.name) or record_columns(table)
    if not found:
        raise InvalidValueError(
            f"rows of {table.name} have no key, so none can be missed: use check_source"
        )
    return found


def _member(number: int, _lines: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"会员{number:03}",
            "phone": f"138{number:08}",
            "gender": ("male", "female")[number % 2],
            "birth_date": _DAY - dt.timedelta(days=9000 + number),
            "joined_on": _DAY - dt.timedelta(days=number),
            "store_id": f"S{number % 2 + 1}",
        }
    ]


def _ticket(number: int, lines: int) -> list[dict[str, Any]]:
    made = []
    for line in range(1, lines + 1):
        # The third line gives goods back.
        quantity = -line if line == _RETURNED else line
        price = Decimal(100 * number + line).scaleb(-2)
        ago = dt.timedelta(days=number % 9)
        made.append(
            {
                "sold_on": _DAY - ago,
                "sold_at": _NOON - ago + dt.timedelta(minutes=number % 60),
                "store_id": f"S{number % 2 + 1}",
                "member_id": f"M{number}" if number % 2 else None,
                "item_id": f"I{line}",
                "quantity": quantity,
                "unit_price": price,
                "amount": quantity * price,
                "returned_ticket_id": f"B{number}" if line == _RETURNED else None,
            }
        )
    return made


def _card(number: int, _lines: int) -> list[dict[str, Any]]:
    first = _DAY - dt.timedelta(days=number)
    return [
        {
            "member_id": f"M{number}",
            "valid_from": first,
            "valid_through": first + dt.timedelta(days=365 + number),
        }
    ]


def _consent(number: int, lines: int) -> list[dict[str, Any]]:
    """Say yes or no to each channel: what is known last of them counts."""
    ago = dt.timedelta(days=number)
    return [
        {
            "channel": channel,
            "given": ("yes", "no")[(number + at) % 2],
            "on": _DAY - ago,
            "at": _NOON - ago + dt.timedelta(minutes=at),
        }
        for at, channel in enumerate(("email", "sms", "phone")[:lines])
    ]


def _complaint(number: int, _lines: int) -> list[dict[str, Any]]:
    return [
        {
            "received_at": _NOON - dt.timedelta(minutes=number),
            "member_id": f"M{number}",
            "category": f"C{number % 4}",
            "handler": f"H{number % 3}",
            "statement": f"杯子第{number}次碎了",
        }
    ]


def _posting(number: int, lines: int) -> list[dict[str, Any]]:
    """Bring goods in, or give some out; all rows of a posting happen at once."""
    came = number % 2 == 1
    ends = ("supplier", "warehouse") if came else ("warehouse", "member")
    return [
        {
            "kind": "receipt" if came else "issue",
            "effective_at": _NOON - dt.timedelta(minutes=number),
            "gift_id": f"I{line}",
            "source": ends[0],
            "destination": ends[1],
            "quantity": 10 * number + line,
        }
        for line in range(1, lines + 1)
    ]


MAKERS: Mapping[str, RecordMaker] = {
    "members": _member,
    "sales": _ticket,
    "cards": _card,
    "consents": _consent,
    "complaints": _complaint,
    "gift_movements": _posting,
}
