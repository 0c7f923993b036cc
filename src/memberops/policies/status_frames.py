"""The status of many memberships at once; `StatusRules.decide_frame` comes here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import MissingColumnsError
from memberops.policies import intake
from memberops.policies.figures import entered

if TYPE_CHECKING:
    from memberops.policies.status_rules import Edge, StatusRules

__all__ = ["as_pandas", "days_of", "status_frame"]

_Days = npt.NDArray[np.datetime64]
_LEAST, _MOST = np.datetime64(dt.date.min, "D"), np.datetime64(dt.date.max, "D")


def as_pandas(native: Any, name: str) -> pd.DataFrame:
    """Bring a frame of any engine into a pandas frame of its own."""
    if isinstance(native, pd.DataFrame):
        return native.reset_index(drop=True)
    frame = entered(native, name)
    taken = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return pd.DataFrame(
        {column: pd.Series(taken[column].to_list()) for column in taken.columns}
    )


def days_of(frame: pd.DataFrame, column: str) -> _Days:
    """
    Take a column of calendar days as `intake.days_of` does; a gap stays one.

    Raises:
        ColumnTypeError: The column holds no days, or carries a zone.
    """
    return intake.days_of(frame[column], column).to_numpy().astype("datetime64[D]")


def _edge_days(edge: Edge | None, events: Mapping[str, _Days], open_day: Any) -> Any:
    if edge is None:
        return open_day
    event = events[edge.event]
    if edge.months is None:
        moved = event + np.timedelta64(edge.days, "D")
    else:
        month = event.astype("datetime64[M]")
        within = event - month.astype("datetime64[D]")
        target = month + np.timedelta64(edge.months, "M")
        first = target.astype("datetime64[D]")
        last = (target + np.timedelta64(1, "M")).astype("datetime64[D]")
        moved = np.minimum(first + within, last - np.timedelta64(1, "D"))
    # A day outside the calendar counts as its first or last; a gap stays one.
    return np.clip(moved, _LEAST, _MOST)


def status_frame(
    policy: StatusRules,
    memberships: Any,
    *,
    as_of: dt.date,
    names: Mapping[str, str] | None,
) -> pd.DataFrame:
    """Give the status of each row; see `StatusRules.decide_frame`."""
    frame = as_pandas(memberships, "memberships")
    where = {name: (names or {}).get(name, name) for name in policy.events}
    missing = [column for column in where.values() if column not in frame]
    if missing:
        raise MissingColumnsError("memberships", missing, list(frame.columns))
    events = {name: days_of(frame, column) for name, column in where.items()}
    size = len(frame)
    kinds = np.full(size, "standard", object)
    if "kind" in frame:
        # A gap is an ordinary card, as where nothing is said of kinds.
        kinds = frame["kind"].astype(object).fillna("standard").to_numpy()
    spans = []
    for rule in policy.rules:
        first = np.broadcast_to(_edge_days(rule.start, events, _LEAST), (size,))
        last = np.broadcast_to(_edge_days(rule.end, events, _MOST), (size,))
        applies = np.isin(kinds, rule.kinds) if rule.kinds else np.ones(size, bool)
        spans.append((first, last, applies & ~np.isnat(first) & ~np.isnat(last)))

    def codes(days: Any) -> npt.NDArray[np.int64]:
        found = np.full(size, len(spans))
        for code in reversed(range(len(spans))):
            first, last, applies = spans[code]
            found[applies & (first <= days) & (days <= last)] = code
        return found

    today = np.datetime64(as_of, "D")
    # Rules may share a status: what counts is its name, not which rule gave it.
    labels = np.array([*(rule.name for rule in policy.rules), policy.otherwise], object)
    current = np.array([*(policy.current(str(name)) for name in labels)])
    found = codes(today)
    status = labels[found]
    changes = np.full(size, np.datetime64("NaT"), "datetime64[D]")
    for first, last, applies in spans:
        after = np.where(last < _MOST, last + np.timedelta64(1, "D"), _LEAST)
        for turn in (first, after):
            differs = applies & (turn > today) & (labels[codes(turn)] != status)
            changes = np.where(differs, np.fmin(changes, turn), changes)
    return frame.assign(
        status=pd.Series(status, index=frame.index, dtype="str"),
        current=current[found],
        changes_on=pd.Series(changes.astype("datetime64[us]"), index=frame.index),
    )
