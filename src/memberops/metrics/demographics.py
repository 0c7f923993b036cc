"""Gender and age of consuming members (HQ §5.2)."""

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

__all__ = ["demographic_figures", "demographics"]


def demographic_figures(policy: MetricPolicy) -> tuple[Figure, ...]:
    """
    Return the formulas: the share of every gender and of every age band.

    >>> from memberops.metrics import evaluate
    >>> shares = evaluate(demographic_figures(MetricPolicy()),
    ...     {"consuming_members": 1_000, "members_male": 900, "members_20_30": 500})
    >>> shares["share_male"].percent(), shares["share_20_30"].percent()
    (Decimal('90.0'), Decimal('50.0'))
    """
    names = [*policy.gender_names, *policy.age_names]
    headings = [*policy.gender_headings, *policy.age_headings]
    return tuple(
        share(
            f"share_{name}",
            f"members_{name}",
            "consuming_members",
            (f"Share {english}", f"占比 {chinese}"),
            policy=policy,
        )
        for name, (english, chinese) in zip(names, headings, strict=True)
    )


def demographics(
    sales: Any,
    *,
    period: Period | Iterable[Period] | None = None,
    by: Level | Iterable[Level] = "chain",
    members: Any = None,
    stores: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    Count consuming members by gender and by age band (HQ §5.2).

    Age is in completed years on the last day of the period. Unknown is a band of its
    own, so the shares of a row add up to one.

    Args:
        sales: Sales lines, a frame of any engine; or `Measures` made already.
        period: One period or several.
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        members: With ``gender`` and ``birth_date``; what is absent is unknown.
        stores: See `memberops.metrics.measure`.
        policy: The age bands.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a level, key and period: ``consuming_members``, ``members_<gender>``,
        ``members_<age band>``, all ``int64``; ``share_…`` of each, floats from 0 to 1;
        ``undefined``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.
    """
    measures = measured(
        sales,
        period=period,
        by=by,
        members=members,
        stores=stores,
        policy=policy,
        parts=("buyers",),
        engine=engine,
    )
    names = [*measures.policy.gender_names, *measures.policy.age_names]
    table = measures.table(["consuming_members", *(f"members_{n}" for n in names)])
    return with_figures(table, demographic_figures(measures.policy))
