"""Lines of tickets from an order of Medusa: what was sold, taken back, credited."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from memberops.adapters.sources.order_tickets import MONEY_BACK, OrderLines
from memberops.errors import SourceError

__all__ = ["ORDER_FIELDS", "order_lines"]

ORDER_FIELDS = (
    "id,status,created_at,updated_at,currency_code,customer_id,customer.has_account,"
    "sales_channel_id,total,shipping_total,*items,*credit_lines,*returns,*returns.items"
)


def order_lines(
    order: Mapping[str, Any],
    *,
    store: str | None,
    member: str | None,
    currency: str,
    digits: int,
) -> OrderLines:
    """
    Make lines of an order.

    Medusa takes what came back out of the item's total; here the sale keeps what was
    paid, and the return is a ticket of its own, of the day when it was received. A
    refund beyond returns is a credit: money without an item, of the quantity 0.

    Args:
        order: As Medusa gives it with the fields `ORDER_FIELDS`.
        store: Of its sales channel.
        member: Who bought.
        currency: Of the chain; amounts in another are given with its name.
        digits: Of its minor unit.

    Raises:
        SourceError: A value is not what Medusa gives.
    """
    own = str(order["id"])
    returns = order.get("returns") or []
    credited = order.get("credit_lines") or []
    if order["status"] in {"canceled", "draft"}:
        every = (order, *returns, *credited)
        return OrderLines(rows=[], gone=[str(each["id"]) for each in every])
    code = str(order["currency_code"]).upper()
    unit = "" if code == currency else f" {code}"
    items = {item["id"]: item for item in order.get("items") or ()}
    net = Decimal(0)
    rows: list[dict[str, Any]] = []

    def add(
        ticket: Any, at: Any, item: Mapping[str, Any], quantity: Decimal, paid: Decimal
    ) -> None:
        nonlocal net
        net += paid
        price = item.get("unit_price")
        rows.append(
            {
                "ticket_id": ticket,
                "sold_at": at,
                "store_id": store,
                "member_id": member,
                "item_id": item.get("variant_sku") or item.get("variant_id"),
                "item_name": item.get("title"),
                "quantity": quantity,
                "unit_price": None if price is None else f"{_number(price):f}{unit}",
                "amount": f"{paid:f}{unit}",
                "returned_ticket_id": None if ticket == own else own,
            }
        )

    back = {each: _Back.of(item, digits) for each, item in items.items()}
    for item in sorted(items.values(), key=lambda item: str(item["id"])):
        paid = _number(item["total"]) + back[item["id"]].total
        add(own, order["created_at"], item, _number(item["quantity"]), paid)
    gone = []
    for each in sorted(returns, key=lambda one: str(one["received_at"])):
        if each["status"] not in {"received", "partially_received"}:
            gone.append(str(each["id"]))
            continue
        for line in sorted(each["items"], key=lambda one: str(one["id"])):
            # What came back damaged is among what was received.
            quantity = _number(line.get("received_quantity") or 0)
            if quantity and line["item_id"] in items:
                paid = back[line["item_id"]].share(quantity)
                item = items[line["item_id"]]
                add(each["id"], each["received_at"], item, -quantity, -paid)
    for each in credited:
        amount = _number(each["amount"])
        add(each["id"], each["created_at"], {"title": MONEY_BACK}, Decimal(0), -amount)
    agrees = net + _number(order["shipping_total"]) == _number(order["total"])
    return OrderLines(rows=rows, gone=gone, agrees=agrees)


@attrs.define(kw_only=True)
class _Back:
    """What came back of an item, shared out over its returns."""

    quantity: Decimal
    total: Decimal
    unit: Decimal
    taken: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @classmethod
    def of(cls, item: Mapping[str, Any], digits: int) -> _Back:
        detail = item.get("detail") or {}
        names = ("return_received", "return_dismissed")
        return cls(
            quantity=sum(
                (_number(detail.get(f"{name}_quantity") or 0) for name in names),
                Decimal(0),
            ),
            total=sum(
                (_number(item.get(f"{name}_total") or 0) for name in names), Decimal(0)
            ),
            unit=Decimal(1).scaleb(-digits),
        )

    def share(self, quantity: Decimal) -> Decimal:
        """Return what so many units of it cost, so that all shares are the total."""
        self.taken += quantity
        if self.taken >= self.quantity:
            until = self.total
        else:
            until = (self.total * self.taken / self.quantity).quantize(self.unit)
        share, self.paid = until - self.paid, until
        return share


def _number(value: Any) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise SourceError("Medusa gave an amount that is none") from None
