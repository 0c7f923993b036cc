"""Lines of tickets from an order of Youzan: what was sold, and what was paid back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from memberops.adapters.sources.order_tickets import MONEY_BACK, OrderLines
from memberops.adapters.sources.shares import shares
from memberops.adapters.sources.youzan_api import youzan_moment
from memberops.errors import SourceError

__all__ = ["has_refunds", "order_of", "youzan_lines"]

_PAID = frozenset({
    "TRADE_PAID", "WAIT_CONFIRM", "WAIT_SELLER_SEND_GOODS",
    "WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS",
})  # fmt: skip
_CLOSED = "TRADE_CLOSED"
_ALL_BACK = 12
_DONE = "SUCCESS"
_DIGITS = 2


def order_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the order of a record of Youzan's list.

    Raises:
        SourceError: It is none.
    """
    found = record.get("full_order_info")
    info = found.get("order_info") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(info, dict) or not info.get("tid"):
        raise SourceError("Youzan gave an order without a number")
    return dict(found)


def has_refunds(order: Mapping[str, Any]) -> bool:
    """
    Say whether refunds have to be asked for.

    >>> has_refunds({"order_info": {"refund_state": 2}})
    True
    >>> has_refunds({"order_info": {"refund_state": 0, "order_tags": {}}})
    False
    """
    info = order["order_info"]
    return bool(
        info.get("refund_state") or (info.get("order_tags") or {}).get("is_refund")
    )


def youzan_lines(
    order: Mapping[str, Any],
    *,
    store: str | None,
    refunds: Sequence[Mapping[str, Any]] = (),
    items: Mapping[str, Sequence[str]] | None = None,
) -> OrderLines:
    """
    Make lines of an order.

    An order counts from when it was paid. The amount of a line is what was paid for
    it after all discounts; Youzan puts shipping into it, which is taken out again, in
    the same shares. A refund that succeeded is a ticket of its own: it takes back all
    pieces of a line of which it pays all that is left, and none of a line of which it
    pays a part, for Youzan does not say how many came back. What is beyond the lines
    is shipping, and is not counted; what is beyond that too is money without an item.

    Amounts are texts in yuan with two digits; those of refunds are negative.

    Args:
        order: ``full_order_info`` of Youzan, of ``youzan.trades.sold.get`` 4.0.4 or
            ``youzan.trade.get`` 4.0.2.
        store: Where it was sold.
        refunds: Of ``youzan.trade.refund.search`` for this order.
        items: By refund the lines (``oid``) that it is for; all where it names none.

    Raises:
        SourceError: A value is not what Youzan gives.
    """
    info = order["order_info"]
    own = str(info["tid"])
    done = [each for each in refunds if each.get("status") == _DONE]
    gone = [str(each["refund_id"]) for each in refunds if each.get("status") != _DONE]
    money = order.get("pay_info") or {}
    paid, post = _money(money.get("payment")), _money(money.get("post_fee"))
    back = sum((_money(each.get("refund_fee")) for each in done), Decimal(0))
    closed = info.get("status") == _CLOSED
    unpaid = not info.get("pay_time") if closed else info.get("status") not in _PAID
    # Closed with all money back, though no refund says so: it was never a sale.
    if unpaid or (closed and info.get("refund_state") == _ALL_BACK and back < paid):
        every = [str(each["refund_id"]) for each in refunds]
        return OrderLines(rows=[], gone=[own, *every], agrees=unpaid or not done)
    lines = list(order.get("orders") or ())
    whole = [_money(each.get("payment")) for each in lines]
    agrees = sum(whole, Decimal(0)) == paid
    goods = shares(sum(whole, Decimal(0)) - post, whole, digits=_DIGITS)
    left = dict(zip((str(each.get("oid")) for each in lines), goods, strict=True))
    member = (order.get("buyer_info") or {}).get("yz_open_id")

    def row(ticket: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
        return {
            "ticket_id": ticket,
            "sold_at": at,
            "store_id": store,
            "member_id": member,
            "item_id": None,
            "unit_price": None,
            "returned_ticket_id": None if ticket == own else own,
            **more,
        }

    sold = youzan_moment(info.get("pay_time") or info.get("created"))
    rows = [
        row(own, sold, **_item(each), quantity=_count(each), amount=str(amount),
            unit_price=str(_money(each.get("price"))))
        for each, amount in zip(lines, goods, strict=True)
    ]  # fmt: skip
    free = [
        {**each, "oid": str(each.get("oid"))}
        for each in lines
        if not left[str(each.get("oid"))]
    ]
    shipped = post
    for refund in sorted(done, key=lambda one: str(one["refund_id"])):
        ticket, fee = str(refund["refund_id"]), _money(refund.get("refund_fee"))
        at = youzan_moment(refund.get("modified") or refund.get("created"))
        named = set((items or {}).get(ticket) or left)
        taken = [
            each
            for each in lines
            if str(each.get("oid")) in named and left[str(each.get("oid"))]
        ]
        worth = [left[str(each.get("oid"))] for each in taken]
        most = min(fee, sum(worth, Decimal(0)))
        for each, had, part in zip(
            taken, worth, shares(most, worth, digits=_DIGITS), strict=True
        ):
            if part:
                left[str(each.get("oid"))] -= part
                many = -_count(each) if part == had else 0
                rows.append(
                    row(ticket, at, **_item(each), quantity=many, amount=str(-part))
                )
        # What was free comes back with the last of what it came along with.
        if not any(left[oid] for oid in named & left.keys()):
            for each in free:
                if each["oid"] in named:
                    many = -_count(each)
                    rows.append(
                        row(ticket, at, **_item(each), quantity=many, amount="0.00")
                    )
            free = [each for each in free if each["oid"] not in named]
        carried = min(fee - most, shipped)
        shipped -= carried
        if rest := fee - most - carried:
            name = {"item_name": MONEY_BACK}
            rows.append(row(ticket, at, **name, quantity=0, amount=str(-rest)))
    return OrderLines(rows=rows, gone=gone, agrees=agrees)


def _item(line: Mapping[str, Any]) -> dict[str, Any]:
    own = line.get("outer_sku_id") or line.get("outer_item_id") or line.get("item_id")
    return {"item_id": own, "item_name": line.get("title")}


def _count(line: Mapping[str, Any]) -> int:
    many = line.get("num")
    if isinstance(many, int) and not isinstance(many, bool):
        return many
    raise SourceError("Youzan gave a number of pieces that is not whole")


def _money(value: Any) -> Decimal:
    """Read an amount in yuan."""
    if value is None or value == "":
        return Decimal(0)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise SourceError("Youzan gave an amount that is none") from None
    if found != round(found, _DIGITS):
        raise SourceError("Youzan gave an amount with parts of a cent")
    return round(found, _DIGITS)
