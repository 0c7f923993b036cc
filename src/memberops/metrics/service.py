"""Figures of the service: on-time shares, hours, causes (HQ §6.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)

__all__ = ["CLOCK_SPANS", "complaint_counts", "service_figures"]

CLOCK_SPANS: Mapping[str, tuple[str, str]] = {
    "reply": ("received_at", "replied_at"),
    "solution": ("received_at", "solved_at"),
    "callback": ("received_at", "callback_at"),
}
"""From when to when the hours of a clock are measured, by the wall."""

_DONE = ("met", "met_late")
_OPEN = ("running", "due_soon", "paused")
_HOUR = 3600


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MissingColumnsError("cases", missing, frame.columns)


def _moments(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if getattr(frame[column].dtype, "tz", None) is None:
            raise ColumnTypeError(
                f"column {column!r} must hold moments with a zone: "
                ".dt.tz_localize('Asia/Shanghai') attaches the store's"
            )


def service_figures(
    states: pd.DataFrame,
    *,
    by: str | None = None,
    spans: Mapping[str, tuple[str, str]] = CLOCK_SPANS,
) -> pd.DataFrame:
    """
    Count each clock's states, its on-time share and its hours (metrics: complaints).

    Args:
        states: What ``ServiceLevels.decide_frame`` gives, a row a case.
        by: A column such as ``"store_id"``, ``"category"`` or ``"handler"``; None is
            the whole chain.
        spans: For each clock, from which column to which its hours are measured.

    Returns:
        One row per key and clock: ``key`` (``"chain"`` without *by*), ``clock``,
        ``cases``, ``met``, ``met_late``, ``breached`` (never done: late now, or
        late when the case was closed), ``open`` (running, due soon or paused),
        ``closed`` (the case was closed in time without it), ``not_started``;
        ``on_time_share`` = met / (met + met late + breached),
        ``mean_hours`` and ``p90_hours`` by the wall of those done (the smallest hours
        that 90 % of them do not exceed); NaN where undefined, and ``undefined``.

    Raises:
        MissingColumnsError: A clock or column is absent.
        ColumnTypeError: Moments without a zone.

    >>> states = pd.DataFrame({
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"] * 2),
    ...     "replied_at": pd.to_datetime(["2026-11-05T03:00Z", "2026-11-06T03:00Z"]),
    ...     "reply_state": ["met", "met_late"]})
    >>> only = {"reply": ("received_at", "replied_at")}
    >>> service_figures(states, spans=only)[["on_time_share", "p90_hours"]].values
    array([[ 0.5, 26. ]])
    """
    columns = [by] if by is not None else []
    for clock, (start, stop) in spans.items():
        columns += [f"{clock}_state", start, stop]
    _need(states, columns)
    _moments(states, [column for span in spans.values() for column in span])
    position = pd.Series(np.arange(len(states)), index=states.index)
    groups = [("chain", position.to_numpy())]
    if by is not None:
        keyed = position.groupby(states[by], sort=True, dropna=False, observed=True)
        groups = [(key, group.to_numpy()) for key, group in keyed]
    told = {}
    for clock, (start, stop) in spans.items():
        spent = (states[stop] - states[start]).dt.total_seconds() / _HOUR
        hours = spent.clip(lower=0).to_numpy(dtype=np.float64)
        told[clock] = states[f"{clock}_state"].to_numpy(dtype=object), hours
    rows = [
        {"key": key} | _row(clock, state[group].tolist(), hours[group])
        for key, group in groups
        for clock, (state, hours) in told.items()
    ]
    named = ["key", "clock", "cases", *_DONE, "breached", "open", "closed",
             "not_started",
             "on_time_share", "mean_hours", "p90_hours", "undefined"]  # fmt: skip
    return pd.DataFrame(rows, columns=named)


def _row(clock: str, states: list[Any], spent: Any) -> dict[str, Any]:
    found = Counter(states)
    count = {name: found[name] for name in (*_DONE, "breached")}
    count["breached"] += found["closed_late"]
    judged = sum(count.values())
    hours = np.sort(spent[[state in _DONE for state in states]])
    reasons = []
    if not judged:
        reasons.append("on_time_share: no case is due yet")
    if not len(hours):
        reasons.append("mean_hours, p90_hours: no case is done")
    return {
        "clock": clock,
        "cases": len(states),
        **count,
        "open": sum(found[name] for name in _OPEN),
        "closed": found["closed"],
        "not_started": found["not_started"],
        "on_time_share": count["met"] / judged if judged else np.nan,
        "mean_hours": float(hours.mean()) if len(hours) else np.nan,
        "p90_hours": float(hours[-(-9 * len(hours) // 10) - 1])
        if len(hours)
        else np.nan,
        "undefined": "; ".join(reasons),
    }


def complaint_counts(
    cases: pd.DataFrame, *, by: Sequence[str] = ("category", "root_cause")
) -> pd.DataFrame:
    """
    Count the cases of each category and root cause; the counts show repeats (HQ §6.2).

    A repeat is a case of a member who had an earlier one of the same group.

    Args:
        cases: A row a case: the columns of *by*, ``received_at`` and ``member_id``.
        by: What to count by; a case without it counts under an empty text.

    Returns:
        The columns of *by* with ``cases``, ``members``, ``repeats``, ``repeat_share``
        (repeats / cases) and ``share`` (of all cases), the most frequent first.

    Raises:
        MissingColumnsError: A column is absent.
        InvalidValueError: Nothing to count by.

    >>> cases = pd.DataFrame({
    ...     "category": ["price", "price"], "root_cause": ["label", "label"],
    ...     "member_id": ["M1", "M1"],
    ...     "received_at": pd.to_datetime(["2026-11-01T01:00Z", "2026-11-02T01:00Z"])})
    >>> complaint_counts(cases)[["cases", "repeats"]].values.tolist()
    [[2, 1]]
    """
    keys = list(by)
    if not keys:
        raise InvalidValueError(
            "name at least one column to count by, by=('category',)"
        )
    _need(cases, [*keys, "member_id", "received_at"])
    frame = cases[[*keys, "member_id", "received_at"]].sort_values(
        "received_at", kind="stable"
    )
    for key in keys:
        frame[key] = frame[key].astype(object).where(frame[key].notna(), "")
    known = frame["member_id"].notna()
    frame["repeats"] = known & frame.duplicated([*keys, "member_id"])
    counted = (
        frame.groupby(keys, sort=True)
        .agg(
            cases=("received_at", "size"),
            members=("member_id", "nunique"),
            repeats=("repeats", "sum"),
        )
        .reset_index()
    )
    for column in ("cases", "members", "repeats"):
        counted[column] = counted[column].astype("int64")
    counted["repeat_share"] = counted["repeats"] / counted["cases"]
    counted["share"] = counted["cases"] / max(len(frame), 1)
    order = [False, *[True] * len(keys)]
    listed: pd.DataFrame = counted.sort_values(
        ["cases", *keys], ascending=order, kind="stable"
    )
    return listed.reset_index(drop=True)
