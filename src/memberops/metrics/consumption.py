"""Consumption level (HQ §5.1): how many members buy, and how much."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.metrics.engine import Engine
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.levels import Level
from memberops.metrics.measures import measured
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.shares import share
from memberops.schedules import Period

__all__ = ["consumption_figures", "consumption_level"]


def consumption_figures(policy: MetricPolicy) -> tuple[Figure, ...]:
    """
    Return the formulas: the consuming-member share, and the share of every band.

    >>> from memberops.metrics import evaluate
    >>> shares = evaluate(consumption_figures(MetricPolicy()),
    ...     {"valid_members": 10_000, "consuming_members": 2_000,
    ...      "members_0_100": 100, "members_100_300": 1_200})
    >>> shares["consuming_member_share"].percent(), shares["share_100_300"].percent()
    (Decimal('20.0'), Decimal('60.0'))
    """
    return (
        share(
            "consuming_member_share",
            "consuming_members",
            "valid_members",
            ("Consuming-member share", "消费会员占比"),
        ),
        *(
            share(
                f"share_{band}",
                f"members_{band}",
                "consuming_members",
                (f"Share spending {english}", f"占比 消费 {chinese}"),
                policy=policy,
            )
            for band, (english, chinese) in zip(
                policy.band_names, policy.band_headings, strict=True
            )
        ),
    )


def consumption_level(
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
    Count consuming members among valid ones, by spending band (HQ §5.1).

    A member is *consuming* where a purchase was made: at a store, of that store; a
    member is *valid* at the store that enrolled him or her. So a store that sells to
    other stores' members can have a share above one.

    Args:
        sales: Sales lines, a frame of any engine; or `Measures` made already.
        period: One period or several.
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        members: See `memberops.metrics.measure`.
        cards: See `memberops.metrics.measure`.
        stores: See `memberops.metrics.measure`.
        policy: The bands.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a level, key and period: ``valid_members``, ``consuming_members``,
        ``members_<band>``, all ``int64``; ``consuming_member_share``,
        ``share_<band>``, floats from 0; ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.
    """
    measures = measured(
        sales,
        period=period,
        by=by,
        members=members,
        cards=cards,
        stores=stores,
        policy=policy,
        parts=("buyers", "members"),
        engine=engine,
    )
    bands = [f"members_{band}" for band in measures.policy.band_names]
    table = measures.table(["valid_members", "consuming_members", *bands])
    return with_figures(table, consumption_figures(measures.policy))
