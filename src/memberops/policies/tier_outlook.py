"""What lies ahead of many members' levels: the next review, what is still needed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from memberops.domain.values import check_as_of
from memberops.errors import MissingColumnsError
from memberops.policies.tier_levels import LevelNeed
from memberops.policies.tiers import TierPolicy
from memberops.schedules.dates import add_days

__all__ = ["tier_outlook"]

_NEEDED = ("tier", "tier_held", "tier_due")
_Texts = tuple[str, str]


def tier_outlook(
    policy: TierPolicy, decided: pd.DataFrame, *, as_of: dt.date
) -> pd.DataFrame:
    """
    Add to decided members what `TierPolicy.decide` says of their future.

    Args:
        policy: The levels.
        decided: A pandas frame that `TierPolicy.decide_frame` returned, with the
            figures of the rules and whatever was known of the level held.
        as_of: The day on which it was decided.

    Returns:
        The frame with ``review_on`` (the next review, none if the level cannot fall
        or its day is not known), ``changes_on`` (the first later day on which the
        answer may be another without a purchase), ``reach_en`` and ``reach_zh`` (what
        the next level still needs; empty at the top), ``keep_en`` and ``keep_zh``
        (what the level needs at the review, where its window ends on no other day).

    Raises:
        MissingColumnsError: The frame was not decided.

    >>> from memberops.policies import AtLeast, Tier
    >>> policy = TierPolicy(levels=(
    ...     Tier("regular"), Tier("vip", AtLeast("spend", 5000), name_zh="贵宾")))
    >>> day = dt.date(2026, 11, 5)
    >>> decided = policy.decide_frame(pd.DataFrame({"spend": [420000]}), as_of=day)
    >>> tier_outlook(policy, decided, as_of=day)["reach_zh"].tolist()
    ['还差 800.00 元']
    """
    check_as_of(as_of)
    figures = tuple(
        dict.fromkeys(each.figure for rule in policy.rules for each in rule.conditions)
    )
    missing = [name for name in (*_NEEDED, *figures) if name not in decided]
    if missing:
        raise MissingColumnsError("decided", missing, list(decided.columns))
    review = _reviews(policy, decided, as_of)
    units = [
        decided[name].astype(object).where(decided[name].notna(), None)
        for name in figures
    ]
    reach: list[_Texts] = []
    keep: list[_Texts] = []
    written: dict[tuple[Any, ...], _Texts] = {}

    def told(rank: int, values: tuple[Any, ...], until: dt.date | None) -> _Texts:
        key = (rank, until, *values)
        if key not in written:
            known = {
                name: None if value is None else int(value)
                for name, value in zip(figures, values, strict=True)
            }
            need = LevelNeed(
                level=policy.names[rank],
                reading=policy.rules[rank - 1].weigh(known),
                until=until,
            )
            written[key] = need.text("en"), need.text("zh")
        return written[key]

    ends = dt.date(as_of.year, 12, 31) if policy.window == "calendar_year" else None
    for tier, held, day, *values in zip(
        decided["tier"], decided["tier_held"], review, *units, strict=True
    ):
        above = policy.rank(tier) + 1
        top = above == len(policy.names)
        reach.append(("", "") if top else told(above, tuple(values), ends))
        same = policy.window == "lifetime" or (
            policy.window == "calendar_year"
            and day is not None
            and day.year == as_of.year
        )
        own = policy.rank(held)
        known = day is not None and same and own > 0
        keep.append(told(own, tuple(values), day) if known else ("", ""))
    changes = _changes(policy, decided, review, as_of)
    return decided.assign(
        review_on=_days(review, decided.index),
        changes_on=_days(changes, decided.index),
        **{
            f"{name}_{language}": pd.Series(
                [text[place] for text in texts], index=decided.index, dtype="str"
            )
            for name, texts in (("reach", reach), ("keep", keep))
            for place, language in enumerate(("en", "zh"))
        },
    )


def _days(days: list[dt.date | None], index: pd.Index) -> pd.Series:
    return pd.Series(days, index=index, dtype=object).astype("datetime64[us]")


def _given(decided: pd.DataFrame, name: str) -> list[Any]:
    """Return a column's values with None for gaps; all gaps if it is not there."""
    if name not in decided:
        return [None] * len(decided)
    return [None if pd.isna(value) else value for value in decided[name]]


def _date(value: Any) -> dt.date | None:
    return value.date() if isinstance(value, dt.datetime) else value


def _reviews(
    policy: TierPolicy, decided: pd.DataFrame, as_of: dt.date
) -> list[dt.date | None]:
    """Find the next review of each level that may fall."""
    result: list[dt.date | None] = []
    known: dict[dt.date, dt.date | None] = {}
    for held, level, due, since, reviewed, floor in zip(
        decided["tier_held"],
        _given(decided, "level"),
        decided["tier_due"],
        _given(decided, "since"),
        _given(decided, "reviewed_on"),
        _given(decided, "floor"),
        strict=True,
    ):
        kept = held == level and not due
        counted = _date(reviewed) or _date(since) if kept else as_of
        least = policy.rank(floor) if floor in policy.names else 0
        if counted is None or policy.rank(held) <= least:
            result.append(None)
            continue
        if counted not in known:
            known[counted] = policy.next_review(counted)
        result.append(known[counted])
    return result


def _changes(
    policy: TierPolicy,
    decided: pd.DataFrame,
    review: list[dt.date | None],
    as_of: dt.date,
) -> list[dt.date | None]:
    result = []
    for day, level, since, until in zip(
        review,
        _given(decided, "manual_level"),
        _given(decided, "manual_since"),
        _given(decided, "manual_until"),
        strict=True,
    ):
        days = [day]
        if level in policy.names:
            last = _date(until)
            ends = last is not None and last < dt.date.max
            days += [_date(since), add_days(last, 1) if last and ends else None]
        ahead = [each for each in days if each is not None and each > as_of]
        result.append(min(ahead, default=None))
    return result
