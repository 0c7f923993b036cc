"""Sales of Tryton's own till: its module sale_point."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.http_reading import RefusedReadingError
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_places import stock_places
from memberops.adapters.sources.tryton_reading import (
    DATES,
    TILL,
    TrytonReading,
    changed_at,
    since_domain,
    ticket_of,
)
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.domain import Currency
from memberops.errors import SourceError, nearest

__all__ = ["TILL_STATES", "till_amount", "till_reading"]

TILL_STATES = ("done", "posted")
"""States of a sale of the till that Tryton counts in its own reports."""
_LINES = "lines"
_FIELDS = (
    "state", "date", "point", "currency.code", "currency.rounding", *DATES,
    "lines.quantity", "lines.unit_gross_price", "lines.product", "lines.product.code",
    "lines.product.rec_name", *(f"lines.{each}" for each in DATES),
)  # fmt: skip
_COLUMNS = ("ticket_id", "sold_on", "store_id", "member_id", "item_id", "item_name",
            "quantity", "unit_price", "amount")  # fmt: skip
_PARTY = "party.party"
_SHOWN = 5


def till_reading(
    session: TrytonSession,
    *,
    currency: Currency,
    states: Collection[str],
    named: Mapping[str, str],
    member_field: str,
    walk_in: Collection[int],
) -> TrytonReading:
    """
    Return how ``sales`` of the till are read.

    Args:
        session: An open session.
        currency: Of the chain.
        states: States of a sale that count.
        named: What the chain calls locations; see `StockPlaces`.
        member_field: The field of a sale that names the party; none if empty.
        walk_in: Parties that are no members.
    """
    places = stock_places(session, named)
    stores = {
        each["id"]: places.store_of(each["storage_location"])
        for each in session.pages("sale.point", [], ["storage_location"])
    }
    fields = (*_FIELDS, member_field) if member_field else _FIELDS

    def came(since: dt.datetime | None) -> Came:
        found = session.pages(TILL, since_domain(since, _LINES), fields)
        try:
            sales = latest_records(found, key="id")
        except RefusedReadingError:
            if member_field:
                _check_member_field(session, member_field)
            raise
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        for sale in sales:
            party = sale[member_field] if member_field else None
            own = [
                {
                    "ticket_id": ticket_of(TILL, sale["id"]),
                    "sold_on": sale["date"],
                    "store_id": stores.get(sale["point"]),
                    "member_id": None if party in walk_in else party,
                    **line,
                }
                for line in _sold(sale, currency)
                if sale["state"] in states
            ]
            rows += own
            if not own:
                gone.append(ticket_of(TILL, sale["id"]))
        return Came(
            origin=f"tryton/{TILL}",
            rows=rows,
            gone=gone,
            seen=max((changed_at(each, _LINES) for each in sales), default=None),
            served_at=session.served_at,
        )

    return TrytonReading(
        came=came,
        columns=_COLUMNS,
        # Nothing is counted: a numbered sale cannot be deleted, and lines of open
        # ones come and go all day.
        marks=(TILL, member_field, sorted(stores.items())),
    )


def _check_member_field(session: TrytonSession, name: str) -> None:
    """
    Tell whether a reading was refused because tickets have no such field.

    Raises:
        SourceError: They have none; it names those in which a party may stand.
    """
    try:
        fields = session.ask(f"{TILL}.fields_get")
    except SourceError:
        return
    if not isinstance(fields, Mapping) or name in fields:
        return
    parties = [
        str(own)
        for own, each in fields.items()
        if isinstance(each, Mapping) and each.get("relation") == _PARTY
    ]
    hint, hint_zh = (
        f"no field of it refers to a party ({_PARTY})",
        f"该模型没有指向客户（{_PARTY}）的字段",
    )
    if parties:
        near = difflib.get_close_matches(name, parties, n=_SHOWN, cutoff=0.0)
        hint = nearest(name, parties)
        hint_zh = f"相近的字段：{'、'.join(repr(each[:80]) for each in near)}"
    raise SourceError(
        f"'member_field' names {name[:80]!r}, which {TILL} has not; {hint}"
    ).in_chinese(f"member_field 指定的字段 {name[:80]!r} 在 {TILL} 中不存在；{hint_zh}")


def _sold(sale: Mapping[str, Any], currency: Currency) -> Iterator[dict[str, Any]]:
    money = sale["currency."]
    # An amount with a foreign unit is refused, and says why.
    unit = "" if money["code"] == currency.code else f" {money['code']}"
    for line in sale["lines."]:
        product = line["product."] or {}
        price = line["unit_gross_price"]
        amount = till_amount(line["quantity"], price, money["rounding"])
        exact = price == round(price, currency.digits)
        yield {
            "item_id": product.get("code") or line["product"],
            "item_name": product.get("rec_name"),
            "quantity": line["quantity"],
            "unit_price": f"{price:f}{unit}" if exact else None,
            "amount": f"{amount:f}{unit}",
        }


def till_amount(quantity: Any, price: Decimal, rounding: Decimal) -> Decimal:
    """
    Return what a line of the till comes to with tax, which Tryton only adds up.

    Args:
        quantity: Below zero for goods that came back.
        price: Of one with tax, with up to four decimals.
        rounding: The smallest amount of the currency.

    >>> print(till_amount(3, Decimal("0.3950"), Decimal("0.01")))
    1.18
    >>> print(till_amount(-1, Decimal("12.0300"), Decimal("0.05")))
    -12.05
    """
    whole = Decimal(quantity) * price
    if not rounding:
        return whole
    return (whole / rounding).quantize(Decimal(1), ROUND_HALF_EVEN) * rounding
