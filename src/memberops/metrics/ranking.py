"""Stores ranked by what members spend (HQ §2.2, §5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.metrics.engine import Engine, as_frame
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.levels import UNASSIGNED
from memberops.metrics.measures import Measures, measured
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.shares import share
from memberops.schedules import Period
from memberops.tables import STORES

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
        stores: The chain's stores, which have a rank with or without sales; any other
            one has a rank in a period in which it sold. Without it, every store that
            the sales name has one.
        policy: Where returns count.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a period and store, by rank: ``level``, ``key``, ``period``, ``rank``,
        ``rank_previous``, ``rank_change`` (up is positive), ``member_sales``,
        ``member_sales_previous``, ``sales``, ``chain_member_sales``, whole numbers
        (a rank is missing where no store had member sales then);
        ``member_sales_share`` (of the store's sales), ``share_of_chain``, floats;
        ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.
    """
    # Which stores are ranked is decided here, so measures may be made already.
    given = {} if isinstance(sales, Measures) else {"stores": stores}
    measures = measured(
        sales,
        period=period,
        by=("store",),
        **given,
        policy=policy,
        parts=("sales",),
        engine=engine,
    )
    table = measures.table(["member_sales", "sales"], compared=True)
    table = table[table["level"] == "store"]
    whole = table.groupby("period", sort=False)["member_sales"].transform("sum")
    table = table.assign(chain_member_sales=whole)
    table = table[table["key"] != UNASSIGNED]
    known = pd.Series(stores is None, index=table.index)
    if stores is not None:
        known = table["key"].isin(_ids(stores))
    for name in ("", "_previous"):
        # A store that neither sold nor is of the chain has no place among the others.
        placed = known | (table[f"sales{name}"] != 0)
        member_sales = table[f"member_sales{name}"].where(placed)
        groups = member_sales.groupby(table["period"], sort=False)
        # Where nobody sold to a member there is no first and no last.
        ranks = groups.rank(method="min", ascending=False)
        table[f"rank{name}"] = ranks.where(groups.transform("any")).astype("Int64")
    chain = table.groupby("period", sort=False)["member_sales"].transform("sum")
    table = table.assign(chain_member_sales=chain)
    table = table[known | (table["sales"] != 0)]
    table["rank_change"] = table["rank_previous"] - table["rank"]
    order = {period.label: at for at, period in enumerate(measures.periods)}
    table["_order"] = table["period"].map(order)
    table = table.sort_values(["_order", "rank", "key"], kind="stable")
    columns = ["level", "key", "period", "rank", "rank_previous", "rank_change",
               "member_sales", "member_sales_previous", "sales",
               "chain_member_sales"]  # fmt: skip
    return with_figures(table[columns].reset_index(drop=True), RANKING)


def _ids(stores: Any) -> list[str]:
    frame = as_frame(stores, STORES)
    STORES.check_columns(frame.collect_schema().names(), ["store_id"])
    return [str(each) for each in frame.select("store_id").collect()["store_id"]]
