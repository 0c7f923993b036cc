"""Stores ranked by what members spend (HQ §2.2, §5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.metrics.engine import Engine
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.levels import UNASSIGNED
from memberops.metrics.measures import measured
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.shares import share
from memberops.schedules import Period

__all__ = ["RANKING", "store_ranking"]

RANKING: tuple[Figure, ...] = (
    share("member_sales_share", "member_sales", "sales",
          ("Member sales share", "会员销售占比")),
    share("share_of_chain", "member_sales", "chain_member_sales",
          ("Share of the chain's member sales", "占全部会员销售比重")),
)  # fmt: skip
"""The formulas of the ranking."""


def store_ranking(
    sales: Any,
    *,
    period: Period | Iterable[Period] | None = None,
    stores: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    Rank the stores by member sales, the highest first, and compare with before.

    Equal stores share a rank and the next one is skipped (1, 2, 2, 4).

    Args:
        sales: Sales lines, a frame of any engine; or `Measures` made already.
        period: One period or several.
        stores: Gives stores without sales a rank too.
        policy: Where returns count.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a period and store, by rank: ``level``, ``key``, ``period``, ``rank``,
        ``rank_previous``, ``rank_change`` (up is positive), ``member_sales``,
        ``member_sales_previous``, ``sales``, ``chain_member_sales``, whole numbers
        (the ranks compared are missing where no store had member sales before);
        ``member_sales_share`` (of the store's sales), ``share_of_chain``, floats;
        ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.
    """
    measures = measured(
        sales,
        period=period,
        by=("store",),
        stores=stores,
        policy=policy,
        parts=("sales",),
        engine=engine,
    )
    table = measures.table(["member_sales", "sales"], compared=True)
    table = table[table["level"] == "store"]
    whole = table.groupby("period", sort=False)["member_sales"].transform("sum")
    table = table.assign(chain_member_sales=whole)
    table = table[table["key"] != UNASSIGNED]
    groups = table.groupby("period", sort=False)
    table = table.assign(
        rank=groups["member_sales"].rank(method="min", ascending=False).astype("int64"),
        rank_previous=groups["member_sales_previous"]
        .rank(method="min", ascending=False)
        .where(groups["member_sales_previous"].transform("any"))
        .astype("Int64"),
    )
    table["rank_change"] = table["rank_previous"] - table["rank"]
    order = {period.label: at for at, period in enumerate(measures.periods)}
    table["_order"] = table["period"].map(order)
    table = table.sort_values(["_order", "rank", "key"], kind="stable")
    columns = ["level", "key", "period", "rank", "rank_previous", "rank_change",
               "member_sales", "member_sales_previous", "sales",
               "chain_member_sales"]  # fmt: skip
    return with_figures(table[columns].reset_index(drop=True), RANKING)
