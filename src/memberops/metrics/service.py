"""Figures of the service: on-time shares, hours, causes, hard cases (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)

__all__ = ["CLOCK_SPANS", "complaint_counts", "hard_cases", "service_figures"]

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
        ``cases``, ``met``, ``met_late``, ``breached``, ``open`` (running, due soon or
        paused), ``not_started``; ``on_time_share`` = met / (met + met late + breached),
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
    groups: list[tuple[Any, pd.DataFrame]] = [("chain", states)]
    if by is not None:
        groups = list(states.groupby(by, sort=True, dropna=False, observed=True))
    rows = [
        {"key": key} | _row(group, clock, *span)
        for key, group in groups
        for clock, span in spans.items()
    ]
    named = ["key", "clock", "cases", *_DONE, "breached", "open", "not_started",
             "on_time_share", "mean_hours", "p90_hours", "undefined"]  # fmt: skip
    return pd.DataFrame(rows, columns=named)


def _row(frame: pd.DataFrame, clock: str, start: str, stop: str) -> dict[str, Any]:
    state = frame[f"{clock}_state"].astype(object)
    count = {name: int((state == name).sum()) for name in (*_DONE, "breached")}
    judged = sum(count.values())
    done = frame[state.isin(_DONE)]
    spent = (done[stop] - done[start]).dt.total_seconds() / _HOUR
    hours = np.sort(spent.clip(lower=0).to_numpy(dtype=np.float64))
    reasons = []
    if not judged:
        reasons.append("on_time_share: no case is due yet")
    if not len(hours):
        reasons.append("mean_hours, p90_hours: no case is done")
    return {
        "clock": clock,
        "cases": len(frame),
        **count,
        "open": int(state.isin(_OPEN).sum()),
        "not_started": int((state == "not_started").sum()),
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


def hard_cases(
    states: pd.DataFrame, *, as_of: dt.datetime, reopenings: int = 1
) -> pd.DataFrame:
    """
    List the hard cases of a week: 疑难投诉周报 (HQ §6.2).

    A case is hard if it is received, not closed, and a clock of it is late, it was
    reopened, or it was escalated.

    Args:
        states: What ``ServiceLevels.decide_frame`` gives for the end of the week, with
            ``case_id``; optional ``store_id``, ``category``, ``handler``,
            ``reopened`` (how often), ``escalated_at``, ``closed_at``, ``resolution``.
        as_of: The end of the week, with a zone.
        reopenings: How many reopenings make a case hard.

    Returns:
        ``case_id``, ``store_id``, ``category``, ``owner``, ``age_hours`` (whole, by
        the wall), ``why_en``, ``why_zh`` and ``usual_solution`` (the most frequent
        ``resolution`` of the category), the oldest first.

    Raises:
        MissingColumnsError: ``case_id`` or ``received_at`` is absent.
        InvalidValueError: *as_of* has no zone.

    >>> states = pd.DataFrame({"case_id": ["K1"], "reply_state": ["breached"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"])})
    >>> at = dt.datetime(2026, 11, 8, tzinfo=dt.UTC)
    >>> print(hard_cases(states, as_of=at).why_zh[0])
    回复超时
    """
    if as_of.utcoffset() is None:
        raise InvalidValueError("'as_of' must be a datetime with a zone")
    _need(states, ["case_id", "received_at"])
    _moments(states, ["received_at"])
    frame = states.reset_index(drop=True)
    rows = len(frame)
    known = (frame["received_at"] <= as_of).to_numpy(dtype=bool)
    if "closed_at" in frame:
        known = known & ~(frame["closed_at"] <= as_of).to_numpy(dtype=bool)
    english = np.full(rows, "", dtype=object)
    chinese = np.full(rows, "", dtype=object)
    for mask, text_en, text_zh in _why(frame, as_of, reopenings):
        english[mask] += np.where(english[mask] != "", "; ", "") + text_en
        chinese[mask] += np.where(chinese[mask] != "", "；", "") + text_zh
    none = pd.Series([None] * rows, dtype=object)
    age = (pd.Timestamp(as_of) - frame["received_at"]).dt.total_seconds() // _HOUR
    listed = pd.DataFrame(
        {
            "case_id": frame["case_id"],
            "store_id": frame.get("store_id", none),
            "category": frame.get("category", none),
            "owner": frame.get("handler", none),
            "age_hours": age.astype("int64"),
            "why_en": english,
            "why_zh": chinese,
            "usual_solution": _usual_solution(frame),
        }
    )
    hard: pd.DataFrame = listed[known & (english != "")].sort_values(
        ["age_hours", "case_id"], ascending=[False, True], kind="stable"
    )
    return hard.reset_index(drop=True)


_CLOCKS_ZH = {
    "reply": "回复",
    "solution": "解决",
    "callback": "回访",
    "next_reply": "后续回复",
    "second_callback": "二次回访",
}


def _why(
    frame: pd.DataFrame, as_of: dt.datetime, reopenings: int
) -> list[tuple[Any, str, str]]:
    found = []
    for column in frame.columns:
        if column.endswith("_state"):
            clock = column.removesuffix("_state")
            late = (frame[column].astype(object) == "breached").to_numpy(dtype=bool)
            words = clock.replace("_", " ")
            found.append(
                (late, f"{words} overdue", f"{_CLOCKS_ZH.get(clock, words)}超时")
            )
    if "reopened" in frame:
        again = (frame["reopened"].fillna(0) >= reopenings).to_numpy(dtype=bool)
        found.append((again, "reopened", "重新投诉"))
    if "escalated_at" in frame:
        up = (frame["escalated_at"] <= as_of).to_numpy(dtype=bool)
        found.append((up, "escalated", "已上报"))
    return found


def _usual_solution(frame: pd.DataFrame) -> Any:
    if "resolution" not in frame or "category" not in frame:
        return ""
    counted = (
        frame.dropna(subset=["resolution", "category"])
        .groupby(["category", "resolution"], observed=True)
        .size()
        .reset_index(name="count")
        .sort_values(["count", "resolution"], ascending=[False, True], kind="stable")
        .drop_duplicates("category")
    )
    usual = dict(zip(counted["category"], counted["resolution"], strict=True))
    return frame["category"].map(usual).astype(object).fillna("")
