"""Satisfaction (REG §6, CLINIC): CSAT per question, store, staff member and period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import attrs
import narwhals as nw
import pandas as pd

from memberops.errors import InvalidValueError, nearest
from memberops.metrics.engine import as_frame, checked, filled_id, flag, sums
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.spans import as_periods
from memberops.schedules import Period
from memberops.tables import SURVEYS

__all__ = ["SATISFACTION", "SatisfactionPolicy", "satisfaction"]

Grouping = Literal["question", "store_id", "staff_id"]
_GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

SATISFACTION: tuple[Figure, ...] = (
    Figure(
        name="satisfaction_rate",
        heading_en="Satisfaction rate",
        heading_zh="满意率",
        numerator=lambda base: base["satisfied"],
        denominator=lambda base: base["answers"],
        needs=("satisfied", "answers"),
        formula_en="Satisfied answers / Answers",
        formula_zh="满意的回答数 ÷ 回答数",
    ),
)
"""CSAT: satisfied answers over answers (REG §6)."""


@attrs.frozen(kw_only=True)
class SatisfactionPolicy:
    """
    What counts as satisfied; the default is 4 or 5 of 5 (REG §6).

    Args:
        satisfied_from: The lowest score that is satisfied.
        highest: The highest score there is; an answer above it is not counted.

    Raises:
        InvalidValueError: The scores do not lie in 1 <= satisfied_from <= highest.
    """

    satisfied_from: int = 4
    highest: int = 5

    def __attrs_post_init__(self) -> None:
        """Check the order of the scores."""
        for value in (self.satisfied_from, self.highest):
            if type(value) is not int:
                raise InvalidValueError("scores are whole numbers")
        if not 1 <= self.satisfied_from <= self.highest:
            raise InvalidValueError(
                "scores must lie in 1 <= satisfied_from <= highest, not "
                f"{self.satisfied_from} and {self.highest}"
            )


def satisfaction(
    surveys: Any,
    *,
    period: Period | Iterable[Period],
    by: Sequence[Grouping] = (),
    policy: SatisfactionPolicy | None = None,
) -> pd.DataFrame:
    """
    Count satisfied answers among all, for any grouping and period.

    Args:
        surveys: Answers, a frame of any engine, see `memberops.tables.SURVEYS`.
        period: One period or several.
        by: Any of ``"question"``, ``"store_id"``, ``"staff_id"``; empty for all
            answers together.
        policy: What counts as satisfied.

    Returns:
        One row a period and group, in order: ``period``, the groups, ``answers``,
        ``satisfied``, ``out_of_scale`` (not counted), all ``int64``;
        ``satisfaction_rate`` (float); ``undefined``. A period without an answer has
        a row only where nothing is grouped.

    Raises:
        MissingColumnsError: The frame lacks a column.
        InvalidValueError: A grouping is not known.

    >>> answers = pd.DataFrame({"answer_id": ["1", "2"], "question": ["overall"] * 2,
    ...     "score": [5, 3], "store_id": ["S1"] * 2,
    ...     "answered_on": pd.to_datetime(["2026-10-01", "2026-10-02"])})
    >>> satisfaction(answers, period=Period.month(2026, 10))["satisfaction_rate"].item()
    0.5
    """
    policy = policy or SatisfactionPolicy()
    periods = as_periods(period)
    for name in by:
        if name not in _GROUPINGS:
            raise InvalidValueError(
                f"unknown grouping {name!r}; {nearest(name, _GROUPINGS)}"
            )
    needed = ["score", "answered_on", *by]
    frame = checked(as_frame(surveys, SURVEYS), SURVEYS, needed)
    score = nw.col("score").fill_null(0).cast(nw.Int64)
    inside = (score >= 1) & (score <= policy.highest)
    counted = frame.select(
        *(filled_id(frame, name) for name in by),
        nw.col("answered_on"),
        flag(inside).alias("answers"),
        flag(inside & (score >= policy.satisfied_from)).alias("satisfied"),
        flag(~inside).alias("out_of_scale"),
    )
    names = ("answers", "satisfied", "out_of_scale")
    daily = sums(counted, ["answered_on", *by], names).collect(backend="pandas")
    rows = nw.to_native(daily)
    day = pd.to_datetime(rows["answered_on"])
    pieces = []
    for one in periods:
        mask = (day >= _stamp(one.start)) & (day < _stamp(one.end))
        here = rows[mask]
        if by:
            piece = here.groupby([*by], sort=True)[list(names)].sum().reset_index()
        else:
            piece = here[list(names)].sum().to_frame().T
        piece.insert(0, "period", one.label)
        pieces.append(piece)
    table = pd.concat(pieces, ignore_index=True)
    types = dict.fromkeys(("period", *by), "str") | dict.fromkeys(names, "int64")
    return with_figures(table.astype(types), SATISFACTION)


def _stamp(day: dt.date) -> pd.Timestamp:
    return pd.Timestamp(day.year, day.month, day.day)
