"""The stores' lists: did they come in time, and are they complete (HQ §6.3.3.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.policies.intake import days_of, taken
from memberops.policies.premium import PremiumPolicy
from memberops.schedules import Period
from memberops.tables import STORES

__all__ = ["PREMIUM_REQUIRED", "SubmissionCheck", "check_submissions"]

PREMIUM_REQUIRED = (
    "member_id", "tier", "spend", "purchases", "last_purchase_on", "referrals",
    "next_visit_on",
)  # fmt: skip
"""What a row of 优质会员消费情况汇总表 may not lack, besides its store."""

_FIELDS = {
    "member_id": ("member", "会员编号"),
    "tier": ("tier", "会员等级"),
    "spend": ("spend", "消费金额"),
    "purchases": ("purchases", "消费次数"),
    "last_purchase_on": ("last purchase", "最近消费日期"),
    "referrals": ("referrals", "推荐人数"),
    "next_visit_on": ("next visit", "下次回访日期"),
}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SubmissionCheck:
    """
    What the check of the stores' lists found.

    Args:
        due: The last day that is in time.
        stores: One row a store: ``store_id``, ``due_on``, ``submitted_on``, ``state``
            (``"on_time"``, ``"late"``, ``"missing"``, or ``"awaited"`` while there is
            time), ``days_late``, ``rows``, ``incomplete_rows``.
        rows: One row for each incomplete row of a list: ``store_id``, ``row`` (its
            place in that store's list, from 1), ``member_id``, ``missing``,
            ``missing_en``, ``missing_zh``.
    """

    due: dt.date
    stores: pd.DataFrame
    rows: pd.DataFrame

    @property
    def late(self) -> tuple[str, ...]:
        """The stores whose list came late."""
        return self._named("late")

    @property
    def missing(self) -> tuple[str, ...]:
        """The stores whose list is overdue and has not come."""
        return self._named("missing")

    @property
    def complete(self) -> bool:
        """Whether each store's list is in and no row lacks anything."""
        return bool(self.stores["submitted_on"].notna().all()) and self.rows.empty

    def _named(self, state: str) -> tuple[str, ...]:
        return tuple(self.stores.loc[self.stores["state"] == state, "store_id"])

    def __repr__(self) -> str:
        """Count the stores; never show rows."""
        states = self.stores["state"].value_counts()
        told = ", ".join(f"{state}={count}" for state, count in states.items())
        return f"SubmissionCheck(due={self.due}, {told}, incomplete={len(self.rows)})"


def check_submissions(
    submitted: pd.DataFrame,
    lists: pd.DataFrame,
    stores: Any,
    *,
    month: Period,
    as_of: dt.date,
    due_day: int | None = None,
    required: Sequence[str] = PREMIUM_REQUIRED,
) -> SubmissionCheck:
    """
    Check the stores' lists of premium members, due by the 3rd of the run month.

    A store that submits an empty list has submitted. Who submits twice counts from the
    first time; what comes after *as_of* is not known yet.

    Args:
        submitted: ``store_id`` and ``submitted_on`` (days).
        lists: The rows of all lists: ``store_id`` and each of *required*.
        stores: ``store_id`` of each store that must submit.
        month: The run month.
        as_of: The day asked for.
        due_day: The last day that is in time, that of the chain's `PremiumPolicy`;
            None takes its default.
        required: Columns that no row may lack.

    Raises:
        InvalidValueError: *month* is no calendar month, or lacks the day.
        MissingColumnsError: A column is absent.
        ColumnTypeError: ``submitted_on`` holds no days.

    >>> submitted = pd.DataFrame({"store_id": ["S1"],
    ...                           "submitted_on": pd.to_datetime(["2026-11-04"])})
    >>> lists = pd.DataFrame({"store_id": ["S1"], "member_id": ["M1"], "spend": [None]})
    >>> check = check_submissions(
    ...     submitted, lists, pd.DataFrame({"store_id": ["S1", "S2"]}),
    ...     month=Period.month(2026, 11), as_of=dt.date(2026, 11, 5),
    ...     required=("member_id", "spend"))
    >>> check.late, check.missing, check.rows["missing_zh"].tolist()
    (('S1',), ('S2',), ['消费金额'])
    """
    check_as_of(as_of)
    due_day = PremiumPolicy().due_day if due_day is None else due_day
    if getattr(month, "kind", None) != "month":
        raise InvalidValueError(
            "lists are due in a calendar month: month=Period.month(2026, 11)"
        )
    if isinstance(due_day, bool) or due_day not in range(1, 29):
        raise InvalidValueError("'due_day' must be a day that each month has: 1 to 28")
    due = month.start.replace(day=due_day)
    for name, frame, needed in (
        ("submitted", submitted, ("store_id", "submitted_on")),
        ("lists", lists, ("store_id", *required)),
    ):
        missing = [column for column in needed if column not in frame]
        if missing:
            raise MissingColumnsError(name, missing, [str(each) for each in frame])
    rows = _incomplete(lists, required)
    found = taken(stores, STORES, ["store_id"]).drop_duplicates("store_id")
    found = found.sort_values("store_id", ignore_index=True)
    came = submitted[["store_id"]].assign(
        day=days_of(submitted["submitted_on"], "submitted_on")
    )
    came = came[came["day"] <= pd.Timestamp(as_of)]
    first = came.groupby("store_id")["day"].min()
    day = first.reindex(found["store_id"]).reset_index(drop=True)
    day = day.astype("datetime64[us]")
    last = pd.Timestamp(due)
    late = (day.fillna(pd.Timestamp(as_of)) - last).dt.days.clip(lower=0)
    states = np.select(
        [day <= last, day > last, late > 0], ["on_time", "late", "missing"], "awaited"
    )
    table = found.assign(
        due_on=pd.Series(last, index=found.index, dtype="datetime64[us]"),
        submitted_on=day,
        state=pd.Series(states, index=found.index, dtype="str"),
        days_late=late.astype(np.int64),
        rows=_counted(found, lists),
        incomplete_rows=_counted(found, rows),
    )
    return SubmissionCheck(due=due, stores=table, rows=rows)


def _counted(stores: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    counts = rows["store_id"].value_counts()
    return stores["store_id"].map(counts).fillna(0).astype(np.int64)


def _incomplete(lists: pd.DataFrame, required: Sequence[str]) -> pd.DataFrame:
    place = lists.groupby("store_id", dropna=False).cumcount() + 1
    empty = pd.DataFrame({name: _blank(lists[name]) for name in required})
    rows = lists[empty.any(axis="columns")] if required else lists.iloc[:0]
    names = [
        [name for name, gap in zip(required, gaps, strict=True) if gap]
        for gaps in empty.loc[rows.index].itertuples(index=False, name=None)
    ]
    member = rows.get("member_id")
    words = [[_FIELDS.get(name, (name, name)) for name in each] for each in names]
    columns = {
        "store_id": rows["store_id"],
        "row": place.loc[rows.index].astype(np.int64),
        "member_id": member,
        "missing": ["; ".join(each) for each in names],
        "missing_en": [", ".join(english for english, _ in each) for each in words],
        "missing_zh": ["、".join(chinese for _, chinese in each) for each in words],
    }
    result = pd.DataFrame(columns, index=rows.index)
    return result.sort_values(["store_id", "row"], kind="stable", ignore_index=True)


def _blank(column: pd.Series) -> pd.Series:
    empty = column.isna()
    if pd.api.types.is_string_dtype(column.dtype) and not empty.all():
        empty = empty | (column.str.strip() == "")
    return empty
