"""The frame reading of a tier policy, on any engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import narwhals as nw

from memberops.errors import ColumnTypeError, FrameError, MissingColumnsError
from memberops.policies.figures import Frame, day_number, number_of
from memberops.policies.rules import Rule

__all__ = ["decide_rows"]

_ADDED = ("tier", "change", "tier_earned", "tier_held", "tier_due", "next_tier")
_NEVER = 99_999_999


def decide_rows(
    frame: Frame,
    *,
    names: Sequence[str],
    rules: Sequence[Rule],
    as_of: dt.date,
    last_review: dt.date | None,
) -> Frame:
    """
    Decide every row; see `TierPolicy.decide_frame`.

    Args:
        frame: A narwhals frame with the figures and what is held.
        names: The levels, from the lowest.
        rules: The rules of all but the lowest.
        as_of: The day asked for.
        last_review: Levels that count from before this day are reviewed; None if none
            ever is.
    """
    given = frame.collect_schema().names()
    taken = [name for name in _ADDED if name in given]
    if taken:
        raise FrameError(f"the figures frame already has {taken}: drop them first")
    frame = frame.with_columns(
        _earned(rules).alias("_earned"),
        _rank(given, "level", names).alias("_level"),
        _rank(given, "floor", names).alias("_floor"),
        _rank(given, "manual_level", names).alias("_manual"),
        _due(frame, given, last_review).alias("_late"),
        _in_force(frame, given, as_of).alias("_forced"),
        _flag(frame, given, "manual_floor").alias("_least"),
        _named(given).alias("_named"),
    )
    earned, level, floor = nw.col("_earned"), nw.col("_level"), nw.col("_floor")
    frame = frame.with_columns(
        nw.when(floor > earned).then(floor).otherwise(earned).alias("_target")
    )
    target, late = nw.col("_target"), nw.col("_late")
    kept = nw.when(late | (target > level)).then(target).otherwise(level)
    change = (
        nw.when(late & (target < level)).then(nw.lit("down")).otherwise(nw.lit("kept"))
    )
    change = nw.when(target > level).then(nw.lit("up")).otherwise(change)
    fresh = (
        nw.when(nw.col("_named")).then(nw.lit("unknown_level")).otherwise(nw.lit("new"))
    )
    frame = frame.with_columns(
        nw.when(level < 0).then(target).otherwise(kept).alias("_held"),
        nw.when(level < 0).then(fresh).otherwise(change).alias("_change"),
    )
    held, manual = nw.col("_held"), nw.col("_manual")
    by_hand = (manual >= 0) & nw.col("_forced") & ~(nw.col("_least") & (held >= manual))
    frame = frame.with_columns(
        nw.when(by_hand).then(manual).otherwise(held).alias("_shown"),
        nw.when(by_hand)
        .then(nw.lit("manual"))
        .otherwise(nw.col("_change"))
        .alias("change"),
    )
    frame = frame.with_columns(
        _word("_shown", names).alias("tier"),
        _word("_earned", names).alias("tier_earned"),
        _word("_held", names).alias("tier_held"),
        (nw.col("_late") & (nw.col("_level") >= 0)).alias("tier_due"),
        _word("_shown", [*names[1:], ""]).alias("next_tier"),
        *_missing(rules),
    )
    order = [*given, *_ADDED, *(f"missing_{name}" for name in _limits(rules))]
    return frame.select(*order)


def _earned(rules: Sequence[Rule]) -> nw.Expr:
    # The rules come from the lowest level, so that the last that holds wins.
    result = nw.lit(0, nw.Int64)
    for at, rule in enumerate(rules, 1):
        result = nw.when(rule.expression()).then(nw.lit(at, nw.Int64)).otherwise(result)
    return result


def _rank(given: Sequence[str], column: str, names: Sequence[str]) -> nw.Expr:
    result = nw.lit(-1, nw.Int64)
    if column in given:
        for at, name in enumerate(names):
            same = (nw.col(column) == name).fill_null(value=False)
            result = nw.when(same).then(nw.lit(at, nw.Int64)).otherwise(result)
    return result


def _named(given: Sequence[str]) -> nw.Expr:
    return ~nw.col("level").is_null() if "level" in given else nw.lit(value=False)


def _word(column: str, names: Sequence[str]) -> nw.Expr:
    result = nw.lit(names[0])
    for at, name in enumerate(names[1:], 1):
        result = nw.when(nw.col(column) == at).then(nw.lit(name)).otherwise(result)
    return result


def _due(frame: Frame, given: Sequence[str], last_review: dt.date | None) -> nw.Expr:
    if last_review is None or "level" not in given:
        return nw.lit(value=False)
    if "since" not in given:
        raise MissingColumnsError("figures", ["since"], given)
    last = number_of(last_review)
    # A level without a day counts from no day, and stays.
    result = _day(frame, "since", _NEVER) < last
    if "reviewed_on" in given:
        result = result & ~(_day(frame, "reviewed_on", 0) >= last)
    return result


def _in_force(frame: Frame, given: Sequence[str], as_of: dt.date) -> nw.Expr:
    result = nw.lit(value=True)
    day = number_of(as_of)
    if "manual_since" in given:
        result = _day(frame, "manual_since", 0) <= day
    if "manual_until" in given:
        result = result & (_day(frame, "manual_until", _NEVER) >= day)
    return result


def _day(frame: Frame, column: str, unknown: int) -> nw.Expr:
    """Number a day column, with a number for the rows that have no day."""
    number = day_number(frame, column)
    return (
        nw.when(nw.col(column).is_null())
        .then(nw.lit(unknown, nw.Int64))
        .otherwise(number)
    )


def _flag(frame: Frame, given: Sequence[str], column: str) -> nw.Expr:
    if column not in given:
        return nw.lit(value=False)
    dtype = frame.collect_schema()[column]
    if dtype != nw.Boolean:
        raise ColumnTypeError(
            f"column {column!r} is {dtype}; it must be true or false in every row"
        )
    return nw.col(column).fill_null(value=False)


def _limits(rules: Sequence[Rule]) -> dict[str, dict[int, int]]:
    """Give for each figure its highest threshold in each level's rule."""
    result: dict[str, dict[int, int]] = {}
    for at, rule in enumerate(rules, 1):
        for condition in rule.conditions:
            levels = result.setdefault(condition.figure, {})
            levels[at] = max(condition.limit, levels.get(at, condition.limit))
    return result


def _missing(rules: Sequence[Rule]) -> list[nw.Expr]:
    result = []
    for name, levels in _limits(rules).items():
        missing = nw.lit(0, nw.Int64)
        for at, limit in levels.items():
            lacking = (
                nw.when(nw.col(name) >= limit)
                .then(nw.lit(0, nw.Int64))
                .otherwise(nw.lit(limit, nw.Int64) - nw.col(name))
            )
            missing = (
                nw.when(nw.col("_shown") == at - 1).then(lacking).otherwise(missing)
            )
        result.append(missing.alias(f"missing_{name}"))
    return result
