"""Members as the sales alone show them: enrolled with the first purchase."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import narwhals as nw

from memberops.metrics.engine import NO_NUMBER, collected
from memberops.metrics.facts import local_sales
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.tickets import ticket_frame

__all__ = ["members_from_sales"]


def members_from_sales(
    sales: Any,
    *,
    end: dt.date,
    policy: MetricPolicy,
    engine: Literal["polars", "pandas"],
) -> Any:
    """
    Derive a members frame from the sales: whoever ever bought, since the first day.

    Args:
        sales: Frame of any engine, with the whole history.
        end: Leave out tickets from this day on.
        policy: Where a linked return counts.
        engine: Where the result is kept.

    Returns:
        A frame of *engine*: ``member_id``, ``joined_on`` (day of the first purchase)
        and ``store_id`` (its store; the first in order if there were several).
    """
    rows = ticket_frame(local_sales(sales, engine), first=None, end=end, policy=policy)
    none = (
        nw.lit("")
        if rows.collect_schema()["member_id"] == nw.String
        else nw.lit(NO_NUMBER)
    )
    bought = rows.filter((nw.col("amount") > 0) & (nw.col("member_id") != none))
    days = bought.group_by("member_id", "sold_on").agg(nw.col("store_id").min())
    held = collected(days, engine)
    first = held.group_by("member_id").agg(nw.col("sold_on").min())
    found = held.join(first, on=["member_id", "sold_on"], how="inner")
    return nw.to_native(
        found.select("member_id", nw.col("sold_on").alias("joined_on"), "store_id")
    )
