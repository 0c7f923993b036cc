"""Which cases are open at a moment, and whom a callback is owed (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from memberops.domain import EventKind, Finding
from memberops.policies.case_intake import clean_cases

__all__ = ["case_states", "end_of_day"]

_TICK = dt.timedelta(microseconds=1)
_ENDS = (EventKind.SOLVED.value, EventKind.CLOSED.value)


def end_of_day(day: dt.date, zone: str) -> dt.datetime:
    """
    Return the last moment of a day in a zone, in UTC.

    >>> end_of_day(dt.date(2026, 11, 5), "Asia/Shanghai").isoformat()
    '2026-11-05T15:59:59.999999+00:00'
    """
    following = dt.datetime.combine(
        day + dt.timedelta(days=1), dt.time(), tzinfo=ZoneInfo(zone)
    )
    return following.astimezone(dt.UTC) - _TICK


def case_states(
    complaints: Any, case_events: Any, *, as_of: dt.datetime
) -> tuple[pd.DataFrame, list[Finding]]:
    """
    Tell of each case received by a moment whether it is open and a callback is owed.

    A case is open until it is solved, closed, or called back without a complaint
    about the answer; a reopening opens it again. A callback is owed from the receipt
    until there is one, unless the case is closed; and from a reopening until the next.

    Returns:
        ``case_id``, ``member_id``, ``store_id``, ``open``, ``to_call``, ``since``
        (when the callback began to be owed) and ``fact_id``, the case's id, with the
        number of the callback from the second on; and the findings of the reading.
    """
    frames = clean_cases(complaints, case_events)
    cases, events = frames.cases, frames.events[frames.events["at"] <= as_of]
    kind, place = events["kind"], events["place"]
    called = kind == EventKind.CALLBACK.value
    dissatisfied = called & (events["satisfied"] == "no")
    opening = (kind == EventKind.REOPENED.value) | dissatisfied
    ends = kind.isin(_ENDS) | (called & ~dissatisfied)
    last = _last(place[opening | ends], opening[opening | ends])
    states = cases[["case_id", "member_id", "store_id"]].copy()
    opened = states.index.map(last)
    states["open"] = (
        pd.Series(opened, index=states.index).isin([True])
        | pd.Series(opened, index=states.index).isna()
    )
    # What decides on callbacks: a call ends the debt, a reopening after one renews it.
    closed = kind == EventKind.CLOSED.value
    before = called.groupby(place).cumsum() > 0
    owing = dissatisfied | ((kind == EventKind.REOPENED.value) & before)
    telling = owing | called | closed
    owed = pd.Series(states.index.map(_last(place[telling], owing[telling])))
    states["to_call"] = owed.isna().to_numpy(bool) | owed.isin([True]).to_numpy(bool)
    number = np.zeros(len(cases), np.int64)
    np.add.at(number, place[owing].to_numpy(np.int64), 1)
    since = cases["received_at"].copy()
    renewed = events[owing].groupby("place")["at"].last()
    since.loc[renewed.index] = renewed
    states["since"] = since
    states["fact_id"] = [
        case_id if count == 0 else f"{case_id}#{count + 1}"
        for case_id, count in zip(cases["case_id"], number.tolist(), strict=True)
    ]
    received = (cases["received_at"] <= as_of).to_numpy(bool)
    return states[received].reset_index(drop=True), list(frames.findings)


def _last(place: pd.Series, value: pd.Series) -> dict[int, bool]:
    return dict(zip(place.tolist(), value.tolist(), strict=True))
