"""Lapse (HQ §5.4): members who stopped buying, with the flows that the net hides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.metrics.engine import Engine
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.levels import Level
from memberops.metrics.measures import measured
from memberops.metrics.policy import MetricPolicy
from memberops.schedules import Period

__all__ = ["LAPSE", "lapse"]

LAPSE: tuple[Figure, ...] = (
    Figure(
        name="lapse_rate",
        heading_en="Lapse rate",
        heading_zh="流失率",
        numerator=lambda base: base["lapsed_at_end"] - base["lapsed_at_start"],
        denominator=lambda base: base["valid_members"],
        needs=("lapsed_at_end", "lapsed_at_start", "valid_members"),
        formula_en="(Lapsed at the end - Lapsed at the start) / Valid members",
        formula_zh="(期末流失会员数 - 期初流失会员数) ÷ 有效会员数",
    ),
)
"""The formula of the lapse rate (HQ §5.4)."""

_BASE = ("valid_members", "lapsed_at_start", "newly_lapsed", "won_back", "left",
         "lapsed_at_end")  # fmt: skip


def lapse(
    sales: Any,
    *,
    period: Period | Iterable[Period] | None = None,
    by: Level | Iterable[Level] = "chain",
    members: Any = None,
    cards: Any = None,
    stores: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    Count lapsed members at the end of each period, and the flows within it (HQ §5.4).

    A valid member has *lapsed* on a day when the last purchase, or the enrolment if it
    is later or there is none, plus three calendar months (policy) lies on or before
    it. At a store or in a region these are the members whom it enrolled, wherever they
    last bought. ``lapsed_at_end = lapsed_at_start + newly_lapsed - won_back - left``.

    Args:
        sales: Sales lines, a frame of any engine; or `Measures` made already.
        period: One period or several.
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        members: See `memberops.metrics.measure`.
        cards: See `memberops.metrics.measure`.
        stores: See `memberops.metrics.measure`.
        policy: The months.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a level, key and period, ``int64``: ``valid_members`` (at the end),
        ``lapsed_at_start``, ``newly_lapsed``, ``won_back``, ``left`` (card expired),
        ``lapsed_at_end``, ``net_lapse``; ``lapse_rate`` (float); ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.

    >>> from memberops.metrics import evaluate
    >>> evaluate(LAPSE, {"valid_members": 1_000, "lapsed_at_end": 80,
    ...                  "lapsed_at_start": 70})["lapse_rate"].percent()
    Decimal('1.0')
    """
    measures = measured(
        sales,
        period=period,
        by=by,
        members=members,
        cards=cards,
        stores=stores,
        policy=policy,
        parts=("members",),
        engine=engine,
    )
    table = measures.table(_BASE)
    table["net_lapse"] = table["lapsed_at_end"] - table["lapsed_at_start"]
    return with_figures(table, LAPSE)
