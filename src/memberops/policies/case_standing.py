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
    until there is one, unless the case is closed for good: closed, and not reopened
    since, as `ServiceLevels` and the hard cases mean it; and from a reopening after a
    callback until the next.

    Returns:
        ``case_id``, ``member_id``, ``store_id``, ``open``, ``to_call``, ``since``
        (when the callback began to be owed) and ``fact_id``, the case's id, with the
        number of the callback from the second on; and the findings of the reading.
    """
    frames = clean_cases(complaints, case_events)
    cases, events = frames.cases, frames.events[frames.events["at"] <= as_of]
    place, kinds = events["place"].to_numpy(np.int64), events["kind"]
    called = (kinds == EventKind.CALLBACK.value).to_numpy(bool)
    reopened = (kinds == EventKind.REOPENED.value).to_numpy(bool)
    dissatisfied = called & (events["satisfied"] == "no").to_numpy(bool)
    opening = reopened | dissatisfied
    ends = kinds.isin(_ENDS).to_numpy(bool) | (called & ~dissatisfied)
    states = cases[["case_id", "member_id", "store_id"]].astype(object)
    states["open"] = _last(place, opening, among=opening | ends, cases=len(cases))
    # What decides on callbacks: a call ends the debt, a reopening after one renews it.
    closed = (kinds == EventKind.CLOSED.value).to_numpy(bool)
    last = np.full(len(cases), -1, dtype=np.int64)
    last[place[opening]] = np.flatnonzero(opening)
    # A reopening takes back the closing before it, and with it the end of the debt.
    closed = closed & (np.arange(len(place)) > last[place])
    first = np.full(len(cases), len(place), dtype=np.int64)
    first[place[called][::-1]] = np.flatnonzero(called)[::-1]
    owing = dissatisfied | (reopened & (np.arange(len(place)) > first[place]))
    telling = owing | called | closed
    states["to_call"] = _last(place, owing, among=telling, cases=len(cases))
    number = np.bincount(place[owing], minlength=len(cases))
    since = cases["received_at"].array.copy()
    # Of several of a case, the last one counts.
    since[place[owing]] = events["at"].array[owing]
    states["since"] = since
    names = cases["case_id"].to_numpy(dtype=object).copy()
    for case in np.flatnonzero(number).tolist():
        names[case] = f"{names[case]}#{number[case] + 1}"
    states["fact_id"] = pd.array(names, dtype="str")
    received = (cases["received_at"] <= as_of).to_numpy(bool)
    return states[received].reset_index(drop=True), list(frames.findings)


def _last(place: Any, value: Any, *, among: Any, cases: int) -> Any:
    """Return for each case the last value among some of its events; true if none."""
    found = np.ones(cases, dtype=bool)
    found[place[among]] = value[among]
    return found
