"""Lines of tickets from an order of Vendure: what was sold, taken back, refunded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import attrs

from memberops.adapters.sources.order_tickets import MONEY_BACK, OrderLines
from memberops.adapters.sources.shares import shares
from memberops.adapters.sources.vendure_api import moment_of
from memberops.errors import SourceError

__all__ = ["ORDER_FIELDS", "vendure_lines"]

ORDER_FIELDS = """
id code type state orderPlacedAt updatedAt currencyCode shippingWithTax
customer { id user { id } }
channels { id code }
lines {
  id quantity orderPlacedQuantity unitPriceWithTax
  proratedUnitPriceWithTax proratedLinePriceWithTax
  productVariant { id sku name }
}
surcharges { sku description priceWithTax }
shippingLines { discounts { adjustmentSource amountWithTax } }
modifications { lines { orderLineId quantity } }
payments {
  state amount
  refunds {
    id state createdAt updatedAt total shipping paymentId
    lines { orderLineId quantity }
  }
}
"""
_PAID = frozenset({"Authorized", "Settled"})
_AT_ONCE = dt.timedelta(seconds=10)


def vendure_lines(
    order: Mapping[str, Any],
    *,
    store: str | None,
    member: str | None,
    currency: str,
    digits: int,
) -> OrderLines:
    """
    Make lines of an order.

    Units that were canceled are not in Vendure's order any more. Those that were
    refunded were sold once: here the sale keeps them at what was paid for them, and
    the refund is a ticket of its own, of the moment when it was made. Units that
    were canceled and never refunded were never sold. A refund beyond its units is
    money without an item, of the quantity 0; what of it was for shipping is not
    counted, as shipping is not.

    Args:
        order: As Vendure gives it with the fields `ORDER_FIELDS`.
        store: Of its channel.
        member: Who bought.
        currency: Of the chain; amounts in another are given with its name.
        digits: Of Vendure's money, which is in whole minor units.

    Raises:
        SourceError: A value is not what Vendure gives.
    """
    own = str(order["code"])
    payments = order.get("payments") or []
    refunds = [each for payment in payments for each in payment.get("refunds") or ()]
    tickets = {str(each["id"]): f"{own}-R{each['id']}" for each in refunds}
    given = [each for each in refunds if each["state"] != "Failed"]
    gone = [tickets[str(r["id"])] for r in refunds if r["state"] == "Failed"]
    # What an aggregate holds is sold by the orders of its sellers.
    if order.get("type") == "Aggregate" or (
        order["state"] == "Cancelled" and not given
    ):
        return OrderLines(rows=[], gone=[own, *tickets.values()])
    code = str(order["currencyCode"])
    unit = "" if code == currency else f" {code}"
    lines = _lines(order)
    rows: list[dict[str, Any]] = []

    def add(
        ticket: str, at: Any, item: Mapping[str, Any], quantity: int, paid: int
    ) -> None:
        price = item.get("price")
        rows.append(
            {
                "ticket_id": ticket,
                "sold_at": at,
                "store_id": store,
                "member_id": member,
                "item_id": item.get("id"),
                "item_name": item["name"],
                "quantity": quantity,
                "unit_price": None if price is None else _major(price, digits) + unit,
                "amount": _major(paid, digits) + unit,
                "returned_ticket_id": None if ticket == own else own,
            }
        )

    # Shipping that was canceled is not in the order any more, nor a return of goods.
    free = -sum(
        _whole(each["amountWithTax"])
        for shipping in order.get("shippingLines") or ()
        for each in shipping["discounts"]
        if each["adjustmentSource"] == "CANCEL_ORDER"
    )
    charged = shipping = free + _whole(order["shippingWithTax"])
    net = 0
    for refund in _in_turn(given):
        ticket, at = tickets[str(refund["id"])], refund["createdAt"]
        total = _whole(refund["total"])
        taken = _taken(refund, lines.values())
        worth = [line.price * many for line, many in taken]
        carried = min(total, _whole(refund["shipping"] or 0))
        goods = min(total - carried, sum(worth))
        carried += min(max(0, free - carried), total - carried - goods)
        free, shipping = max(0, free - carried), shipping - carried
        parts = shares(Decimal(goods), [Decimal(each) for each in worth], digits=0)
        for (line, many), part in zip(taken, parts, strict=True):
            line.take(many, int(part))
            add(ticket, at, line.item, -many, -int(part))
        if rest := total - carried - goods:
            add(ticket, at, {"name": MONEY_BACK}, 0, -rest)
        net -= total - carried
    placed = order["orderPlacedAt"]
    fees = order.get("surcharges") or ()
    paid = sum(_whole(p["amount"]) for p in payments if p["state"] in _PAID)
    _sold_again(lines.values(), paid - charged - sum(map(_fee, fees)))
    sold = [line for line in lines.values() if line.quantity or line.amount]
    for line in sold:
        add(own, placed, line.item, line.quantity, line.amount)
    for each in fees:
        item = {"id": each["sku"] or None, "name": each["description"]}
        add(own, placed, item, 0, _fee(each))
    net += sum(line.amount for line in sold) + sum(map(_fee, fees))
    paid -= sum(_whole(each["total"]) for each in given)
    # The orders of sellers are paid with what holds them together.
    agrees = order.get("type") == "Seller" or net + shipping == paid
    return OrderLines(rows=rows, gone=gone, agrees=agrees)


@attrs.define(kw_only=True)
class _Line:
    """A line of an order: what was sold, with the units that were refunded later."""

    own: str
    item: dict[str, Any]
    price: int
    quantity: int
    amount: int
    ever: int
    canceled: int
    returned: int = 0
    again: int = 0
    refunded: int = 0

    @classmethod
    def of(cls, line: Mapping[str, Any], added: int) -> _Line:
        """Make a line, of which more than at first were *added* later."""
        variant = line["productVariant"]
        quantity = _whole(line["quantity"])
        ever = max(quantity, _whole(line["orderPlacedQuantity"]), added)
        return cls(
            own=str(line["id"]),
            item={
                "id": variant["sku"] or variant["id"],
                "name": variant["name"],
                "price": _whole(line["unitPriceWithTax"]),
            },
            price=_whole(line["proratedUnitPriceWithTax"]),
            quantity=quantity,
            amount=_whole(line["proratedLinePriceWithTax"]),
            ever=ever,
            canceled=ever - quantity,
        )

    def take(self, many: int, paid: int) -> None:
        """Take units back; those that Vendure canceled were sold nevertheless."""
        again = min(many, self.canceled)
        self.returned += many
        self.canceled -= again
        self.again += again
        self.refunded += paid * again // many


def _sold_again(lines: Collection[_Line], paid: int) -> None:
    """
    Put units that were canceled and refunded back into what was sold.

    What was paid for them is what the others leave of the payments; where that cannot
    be, as something else was paid or is owed, it is what was paid back.
    """
    left = paid - sum(line.amount for line in lines)
    worth = [line.price * line.again for line in lines]
    parts = [Decimal(line.refunded) for line in lines]
    if not any(line.canceled for line in lines) and sum(parts) <= left <= sum(worth):
        parts = shares(Decimal(left), [Decimal(each) for each in worth], digits=0)
    for line, part in zip(lines, parts, strict=True):
        line.quantity += line.again
        line.amount += int(part)


def _lines(order: Mapping[str, Any]) -> dict[str, _Line]:
    """Return the lines of an order by their ids."""
    added: dict[str, int] = {}
    for change in order.get("modifications") or ():
        for each in change["lines"]:
            own = str(each["orderLineId"])
            added[own] = max(0, added.get(own, 0) + _whole(each["quantity"]))
    return {
        str(each["id"]): _Line.of(each, added.get(str(each["id"]), 0))
        for each in order.get("lines") or ()
    }


def _in_turn(refunds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Return refunds with units before those without, as what is left is theirs.

    Where an order was paid in several ways, Vendure makes a refund for each, all with
    the same units: they are one.
    """
    made: list[dict[str, Any]] = []
    for refund in sorted(refunds, key=lambda one: (one["createdAt"], _order_of(one))):
        units = sorted((str(u["orderLineId"]), u["quantity"]) for u in refund["lines"])
        at = moment_of(refund["createdAt"])
        twin = next(
            (
                each
                for each in made
                if units
                and each["units"] == units
                and refund["paymentId"] not in each["payments"]
                and at - each["at"] <= _AT_ONCE
            ),
            None,
        )
        if twin is None:
            more = {"units": units, "at": at, "payments": [refund["paymentId"]]}
            made.append({**refund, **more})
        else:
            twin["payments"].append(refund["paymentId"])
            for name in ("total", "shipping"):
                twin[name] = _whole(twin[name] or 0) + _whole(refund[name] or 0)
    return sorted(made, key=lambda one: not one["units"])


def _taken(
    refund: Mapping[str, Any], lines: Collection[_Line]
) -> list[tuple[_Line, int]]:
    """Return the units that a refund is for; if it names none, those canceled."""
    asked = {own: _whole(many) for own, many in refund["units"]}
    taken = [
        (
            line,
            min(asked.get(line.own, 0), line.ever - line.returned)
            if asked
            else line.canceled,
        )
        for line in lines
    ]
    return [(line, many) for line, many in taken if many > 0]


def _order_of(record: Mapping[str, Any]) -> tuple[int, str]:
    own = str(record["id"])
    return len(own), own


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise SourceError("Vendure gave a number that is not whole")


def _fee(surcharge: Mapping[str, Any]) -> int:
    return _whole(surcharge["priceWithTax"])


def _major(minor: int, digits: int) -> str:
    return f"{Decimal(minor).scaleb(-digits):f}"
