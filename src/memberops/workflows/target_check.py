"""Which targets are missing, for the month and for the year up to it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.schedules import Period
from memberops.workflows.chain_tables import ChainTables

__all__ = ["missing_targets"]

_EXAMPLES = 5


def missing_targets(tables: ChainTables, month: Period) -> Iterator[Finding]:
    """
    Find stores that sold in the year up to the month without a target for it.

    A store needs a target for each month from the first one that it has any for; a
    store without any, for each month in which it sold.
    """
    targets = tables.get("targets")
    if targets is None:
        return
    sales = tables["sales"]
    first = pd.Timestamp(month.start.replace(month=1, day=1))
    sold = sales[sales["sold_on"].between(first, pd.Timestamp(month.through))]
    pairs = pd.DataFrame(
        {"store_id": sold["store_id"], "month": sold["sold_on"].dt.to_period("M")}
    ).dropna()
    pairs = pairs.drop_duplicates().sort_values(["store_id", "month"])
    given = targets["month"].dt.to_period("M")
    known = set(zip(targets["store_id"], given, strict=True))
    opened = given.groupby(targets["store_id"]).min()
    last = pd.Period(month.start, freq="M")
    missing: dict[str, list[str]] = {}
    for store, sold_in in zip(pairs["store_id"], pairs["month"], strict=True):
        needed = sold_in == last or sold_in >= opened.get(store, sold_in)
        if needed and (store, sold_in) not in known:
            missing.setdefault(str(store), []).append(str(sold_in))
    if not missing:
        return
    shown = list(missing.items())[:_EXAMPLES]
    rest = len(missing) - len(shown)
    english = ", ".join(f"{store[:40]} ({_en(months)})" for store, months in shown)
    chinese = "、".join(f"{store[:40]}（{_zh(months)}）" for store, months in shown)
    yield Finding(
        table="targets",
        rule="target-missing",
        column="store_id",
        count=len(missing),
        severity=Severity.WARNING,
        message_en=f"stores that sold have no target: {english}"
        + (f" and {rest} more stores" if rest else "")
        + "; the attainment of these stores, and of their region and chain, is "
        "unknown in every period that holds such a month",
        message_zh=f"有销售但缺少销售目标的门店：{chinese}"
        + (f" 等，另有 {rest} 家门店" if rest else "")
        + "；凡包含上述月份的期间，这些门店及其区域、全连锁的达成率无法计算",
    )


def _en(months: list[str]) -> str:
    rest = len(months) - _EXAMPLES
    return ", ".join(months[:_EXAMPLES]) + (f" and {rest} more" if rest > 0 else "")


def _zh(months: list[str]) -> str:
    rest = len(months) - _EXAMPLES
    return "、".join(months[:_EXAMPLES]) + (f" 等 {len(months)} 个月" * (rest > 0))
