"""Spending power (HQ §5.3): the fourteen figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.metrics.engine import Engine
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.headings import base_heading
from memberops.metrics.levels import Level
from memberops.metrics.measures import measured
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.shares import share
from memberops.metrics.targets import with_targets
from memberops.schedules import Period

__all__ = ["SPENDING_POWER", "spending_power"]

_BASE = ("sales", "tickets", "items", "member_sales", "member_tickets",
         "member_items", "consuming_members")  # fmt: skip
_COMPARED = {
    "_year_before": ("YoY growth", "同比", "year_over_year"),
    "_previous": ("growth on the previous period", "环比", "period_over_period"),
}

_BEFORE = {
    "_year_before": (" a year before", "（去年同期）"),
    "_previous": (" before", "（上期）"),
}


def _growth(name: str, suffix: str, headings: tuple[str, str]) -> Figure:
    english, chinese, word = _COMPARED[suffix]
    before = name + suffix
    base = base_heading(before)
    return Figure(
        name=f"{name}_{word}",
        heading_en=f"{headings[0]} {english}",
        heading_zh=f"{headings[1]}{chinese}",
        numerator=lambda given: given[name] - given[before],
        denominator=lambda given: given[before],
        needs=(name, before),
        formula_en=f"({headings[0]} - {base[0]}) / {base[0]}",
        formula_zh=f"({headings[1]} - {base[1]}) ÷ {base[1]}",
    )


def _value_growth(suffix: str) -> Figure:
    """Growth of the average ticket value: a ratio of ratios, kept whole."""
    english, chinese, word = _COMPARED[suffix]
    sales, tickets = "member_sales" + suffix, "member_tickets" + suffix
    name = "member_average_ticket_value"
    before = _BEFORE[suffix]
    return Figure(
        name=f"{name}_{word}",
        heading_en=f"Member ATV {english}",
        heading_zh=f"会员客单价{chinese}",
        numerator=lambda base: (
            base["member_sales"] * base[tickets] - base[sales] * base["member_tickets"]
        ),
        # No tickets before: there is no average to compare with.
        denominator=lambda base: (
            base[sales] * base["member_tickets"] * (base[tickets] != 0)
        ),
        needs=("member_sales", "member_tickets", sales, tickets),
        formula_en=f"(ATV - ATV{before[0]}) / ATV{before[0]}",
        formula_zh=f"(客单价 - 客单价{before[1]}) ÷ 客单价{before[1]}",
    )


SPENDING_POWER: tuple[Figure, ...] = (
    share("sales_target_attainment", "sales", "target",
          ("Sales target attainment", "销售目标达成率")),
    _growth("sales", "_year_before", ("Sales", "销售额")),
    _growth("sales", "_previous", ("Sales", "销售额")),
    share("member_sales_share", "member_sales", "sales",
          ("Member sales share", "会员销售占比")),
    _growth("member_sales", "_year_before", ("Member sales", "会员销售额")),
    _growth("member_sales", "_previous", ("Member sales", "会员销售额")),
    share("member_average_ticket_value", "member_sales", "member_tickets",
          ("Member ATV", "会员客单价"), style="money"),
    _value_growth("_year_before"),
    _value_growth("_previous"),
    share("member_ticket_share", "member_tickets", "tickets",
          ("Member ticket share", "会员客单数占比")),
    _growth("member_tickets", "_year_before", ("Member tickets", "会员客单数")),
    _growth("member_tickets", "_previous", ("Member tickets", "会员客单数")),
    share("member_purchase_frequency", "member_tickets", "consuming_members",
          ("Member purchase frequency", "会员消费频率"), style="number"),
    share("member_attach_rate", "member_items", "member_tickets",
          ("Member attach rate", "会员连带率"), style="number"),
)  # fmt: skip
"""The fourteen figures of HQ §5.3, in the manual's order."""


def spending_power(
    sales: Any,
    *,
    period: Period | Iterable[Period] | None = None,
    by: Level | Iterable[Level] = "chain",
    targets: Any = None,
    stores: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    Compute the fourteen figures of spending power (HQ §5.3).

    Each period is compared with the one before it and the one a year before.

    Args:
        sales: Sales lines, a frame of any engine; or `Measures` made already.
        period: One period or several.
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        targets: Sales targets by store and month, see `memberops.tables.TARGETS`.
            A period that is not made of whole months has no target.
        stores: See `memberops.metrics.measure`.
        policy: What items are, and where returns count.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a level, key and period: ``sales``, ``tickets``, ``items``,
        ``member_sales``, ``member_tickets``, ``member_items``,
        ``consuming_members``, each also with ``_previous`` and ``_year_before``,
        ``int64``, money in minor units; ``target`` (``Int64``); the fourteen, floats
        (`member_average_ticket_value` in minor units); ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.

    >>> from memberops.metrics import evaluate
    >>> base = {"sales": 500_000, "target": 480_000, "sales_year_before": 400_000}
    >>> fourteen = evaluate(SPENDING_POWER, base)
    >>> fourteen["sales_target_attainment"].percent()
    Decimal('104.2')
    >>> fourteen["sales_year_over_year"].percent()
    Decimal('25.0')
    """
    measures = measured(
        sales,
        period=period,
        by=by,
        stores=stores,
        policy=policy,
        parts=("sales", "buyers"),
        engine=engine,
    )
    table = measures.table(_BASE, compared=True)
    return with_figures(with_targets(table, measures, targets), SPENDING_POWER)
