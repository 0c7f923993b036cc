"""Retention and repeat purchase (REG §6): who comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from memberops.metrics.buyers import numbered_buyers
from memberops.metrics.engine import Engine, local_engine
from memberops.metrics.facts import reduce_sales
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.levels import UNASSIGNED, Level, as_levels, place_stores
from memberops.metrics.people import number_people
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans, as_periods
from memberops.schedules import Period

__all__ = ["RETENTION", "retention"]

RETENTION: tuple[Figure, ...] = (
    Figure(
        name="retention_rate",
        heading_en="Retention rate",
        heading_zh="会员保留率",
        numerator=lambda base: base["retained_members"],
        denominator=lambda base: base["consuming_members_previous"],
        needs=("retained_members", "consuming_members_previous"),
        formula_en="Members who bought in both / Members who bought in the first",
        formula_zh="两期均消费的会员数 ÷ 上期消费会员数",
    ),
    Figure(
        name="repeat_purchase_share",
        heading_en="Repeat-purchase share",
        heading_zh="重复购买会员占比",
        numerator=lambda base: base["repeat_members"],
        denominator=lambda base: base["consuming_members"],
        needs=("repeat_members", "consuming_members"),
        formula_en="Members with two or more tickets / Consuming members",
        formula_zh="两次及以上消费的会员数 ÷ 消费会员数",
    ),
)
"""The formulas of retention (REG §6)."""


def retention(
    sales: Any,
    *,
    period: Period | Iterable[Period],
    by: Level | Iterable[Level] = "chain",
    stores: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    Count the members who bought before and bought again (REG §6).

    The rate of a period looks back: of the members who bought in the period before,
    the share that bought in this one. At a store both purchases are the store's own.

    Args:
        sales: Sales lines, a frame of any engine.
        period: One period or several.
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        stores: See `memberops.metrics.measure`.
        policy: Where returns count.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a level, key and period, ``int64``: ``consuming_members``,
        ``consuming_members_previous``, ``retained_members`` (bought in both),
        ``repeat_members`` (two or more tickets); ``retention_rate`` and
        ``repeat_purchase_share`` (floats); ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.

    >>> from memberops.metrics import evaluate
    >>> evaluate(RETENTION, {"retained_members": 324,
    ...     "consuming_members_previous": 885})["retention_rate"].percent()
    Decimal('36.6')
    """
    policy = policy or MetricPolicy()
    periods, levels = as_periods(period), as_levels(by)
    chosen = local_engine(engine)
    pairs = [(each, each.previous()) for each in periods]
    spans = Spans.of((each.start, each.end) for pair in pairs for each in pair)
    facts = reduce_sales(sales, spans, policy=policy, engine=chosen)
    people = number_people(facts, members=None, cards=None, engine=chosen)
    places = place_stores(facts, stores, levels, None)
    buyers = numbered_buyers(facts, people, places)
    size = max(len(people.birth), 1)

    def bought_in(one: Period, key: Any) -> tuple[Any, Any]:
        run = spans.atoms((one.start, one.end))
        inside = (buyers.atom >= run.start) & (buyers.atom < run.stop)
        inside &= buyers.tickets > 0
        cell = key[buyers.store[inside]] * size + buyers.member[inside]
        cells, at = np.unique(cell, return_inverse=True)
        tickets = np.zeros(len(cells), np.int64)
        np.add.at(tickets, at, buyers.tickets[inside])
        return cells, tickets

    rows = []
    for now, before in pairs:
        for begin, key in places.offsets.values():
            keys = int(key.max()) + 1
            current, tickets = bought_in(now, key)
            earlier, _ = bought_in(before, key)
            both = np.intersect1d(current, earlier, assume_unique=True)
            again = current[tickets > 1]
            counts = [
                np.bincount(cells // size, minlength=keys)
                for cells in (current, earlier, both, again)
            ]
            for number in range(keys):
                level, name = places.keys[begin + number]
                values = [int(each[number]) for each in counts]
                if name != UNASSIGNED or any(values):
                    rows.append((level, name, now.label, *values))
    names = [
        "level",
        "key",
        "period",
        "consuming_members",
        "consuming_members_previous",
        "retained_members",
        "repeat_members",
    ]
    table = pd.DataFrame(rows, columns=names)
    types = dict.fromkeys(names[:3], "str") | dict.fromkeys(names[3:], "int64")
    return with_figures(table.astype(types), RETENTION)
