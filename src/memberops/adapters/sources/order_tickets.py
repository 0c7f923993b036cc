"""What an order of a shop system gives: lines of tickets, and tickets that are none."""

from __future__ import annotations

from typing import Any

import attrs

from memberops.domain import Finding, Severity

__all__ = ["MONEY_BACK", "OrderLines", "unexplained"]

MONEY_BACK = "退款"
"""Name of a line of money that was paid back without goods."""


@attrs.frozen(kw_only=True)
class OrderLines:
    """
    What an order gives.

    Args:
        rows: Lines of tickets: the order's, and those of what was returned or
            credited, each a ticket of its own.
        gone: Ids of tickets that do not count, though they may have counted once.
        agrees: Whether the lines add up to what the order says.
    """

    rows: list[dict[str, Any]]
    gone: list[str]
    agrees: bool = True


def unexplained(count: int, origin: str) -> list[Finding]:
    """
    Tell of orders whose lines do not agree with them.

    Args:
        count: How many.
        origin: The resource.

    >>> unexplained(0, "shop/orders")
    []
    >>> unexplained(2, "shop/orders")[0].count
    2
    """
    if not count:
        return []
    return [
        Finding(
            table="sales",
            rule="order-total-differs",
            severity=Severity.WARNING,
            source=origin,
            count=count,
            message_en="the lines, returns and credits of these orders do not add up "
            "to their totals: they hold what is not read, such as gift cards",
            message_zh="这些订单的商品、退货和退款合计与订单总额不一致，"
            "其中可能有未读取的内容（如礼品卡）",
        )
    ]
