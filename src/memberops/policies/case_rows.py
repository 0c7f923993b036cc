"""From frames of complaints and events to the row of each case (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain import EventKind, Finding
from memberops.policies.case_intake import CaseFrames, clean_cases, text_of
from memberops.policies.service_arrays import MISSING, Micros
from memberops.policies.service_decision import instant_of
from memberops.policies.service_levels import ServiceLevels
from memberops.policies.service_targets import Target
from memberops.schedules import elapsed_many

__all__ = ["case_rows"]

_MOST = np.iinfo(np.int64).max
_SECOND = 1_000_000
_LAST = ("solved", "callback", "closed")
_WAIT = EventKind.WAITING_FOR_CUSTOMER.value
_END_WAITING = tuple(
    kind.value
    for kind in (
        EventKind.CUSTOMER_ANSWERED,
        EventKind.CUSTOMER_MESSAGE,
        EventKind.SOLVED,
        EventKind.CLOSED,
        EventKind.REOPENED,
    )
)


def case_rows(
    complaints: Any,
    case_events: Any = None,
    *,
    as_of: dt.datetime,
    levels: ServiceLevels | None = None,
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """
    Make the frame of cases that `ServiceLevels.decide_frame` takes, without a loop.

    Args:
        complaints: See `memberops.tables.COMPLAINTS`; needs ``case_id`` and
            ``received_at``.
        case_events: See `memberops.tables.CASE_EVENTS`; None for no events.
        as_of: The moment, with a zone: later cases and events are not known yet.
        levels: The policy, for the pauses of its clocks; the manual's by default.

    Returns:
        One row a case that was received by then, by id: the columns of `COMPLAINTS`,
        with ``category``, ``priority`` and ``handler`` as they are by then; for each
        `EventKind` ``<kind>_at`` (UTC, the first, except that ``solved`` and
        ``callback`` are the last, and ``closed`` is the closing that no reopening
        took back, empty if there is none); ``reopened`` (how often), ``satisfied``
        (``"yes"``, ``"no"``, empty), ``paused_since`` and
        ``<clock>_paused_seconds`` of the clocks that pause; and ``simple``: whether a
        row holds all of the case. Where it is false (a reopening, a second solution
        or callback, a promise, a further message where `next_reply_hours` is set)
        `ServiceLevels.decide` answers, for cases of `read_cases`. The findings are
        those of `read_cases`.

    Raises:
        InvalidValueError: *as_of* has no zone.
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: Moments without a zone, ids that are numbers.

    >>> complaints = pd.DataFrame({"case_id": ["K1"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"])})
    >>> events = pd.DataFrame({"case_id": ["K1", "K1"], "kind": ["replied", "solved"],
    ...     "at": pd.to_datetime(["2026-11-05T03:00Z", "2026-11-06T03:00Z"])})
    >>> at = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
    >>> rows, _ = case_rows(complaints, events, as_of=at)
    >>> ServiceLevels().decide_frame(rows, as_of=at)["solution_state"].tolist()
    ['running']
    """
    moment = instant_of(as_of, "as_of")
    levels = levels or ServiceLevels()
    frames = clean_cases(complaints, case_events)
    received_in_time = (frames.cases["received_at"] <= moment).to_numpy(bool)
    events = frames.events
    known = (events["at"] <= moment).to_numpy(bool)
    known = known & received_in_time[events["place"].to_numpy(np.int64)]
    events = events[known]
    rows = frames.cases.copy()
    place = events["place"].to_numpy(np.int64)
    received = _micros(rows["received_at"])
    at = np.maximum(_micros(events["at"]), received[place])
    kinds = events["kind"].to_numpy(object)
    moments: dict[str, Micros] = {}
    for kind in EventKind:
        chosen = kinds == kind.value
        last = kind.value in _LAST
        if kind is EventKind.CLOSED:
            chosen = chosen & ~_undone(events, place, kinds, len(rows))
        moments[kind.value] = _at(len(rows), place[chosen], at[chosen], last=last)
        rows[f"{kind.value}_at"] = _instants(moments[kind.value])
    for column, word in (("category", "category"), ("priority", "priority"),
                         ("handler", "to")):  # fmt: skip
        _overwrite(rows, events, column, word)
    opened, simple = _openings(frames, events, place, kinds, levels)
    rows["reopened"] = opened
    rows["satisfied"] = _satisfied(len(rows), events)
    since, simple_waits = _pauses(rows, place, at, kinds, moments, received, levels)
    rows["paused_since"] = _instants(since)
    rows["simple"] = simple & simple_waits
    rows = rows[received_in_time]
    for name in rows.columns:
        if rows[name].dtype == object or rows[name].dtype == "category":
            rows[name] = text_of(rows[name])
    return rows.reset_index(drop=True), frames.findings


def _undone(events: pd.DataFrame, place: Any, kinds: Any, rows: int) -> Any:
    """Tell which events a later reopening of their case came after."""
    reopening = _reopening(events, kinds)
    last = np.full(rows, -1, dtype=np.int64)
    last[place[reopening]] = np.flatnonzero(reopening)
    return np.arange(len(place)) < last[place]


def _reopening(events: pd.DataFrame, kinds: Any) -> Any:
    unsatisfied = (events["satisfied"] == "no").to_numpy(bool)
    called = kinds == EventKind.CALLBACK.value
    return (kinds == EventKind.REOPENED.value) | (called & unsatisfied)


def _micros(values: pd.Series) -> Micros:
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None)
    micros: Micros = plain.to_numpy(dtype="datetime64[us]").view(np.int64)
    return micros


def _instants(micros: Micros) -> Any:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC").array


def _at(rows: int, place: Any, at: Micros, *, last: bool) -> Micros:
    """Find the first or last moment of each case; missing if there is none."""
    found = np.full(rows, MISSING if last else _MOST, dtype=np.int64)
    (np.maximum if last else np.minimum).at(found, place, at)
    return np.where(found == _MOST, MISSING, found)


def _overwrite(
    rows: pd.DataFrame, events: pd.DataFrame, column: str, word: str
) -> None:
    """Put in what the last event that says so has made of a column."""
    said = events[events[word] != ""].groupby("place")[word].last()
    words = rows[column].to_numpy(dtype=object).copy()
    words[said.index.to_numpy(np.int64)] = said.to_numpy(object)
    rows[column] = pd.Series(words, dtype=object)


def _openings(
    frames: CaseFrames,
    events: pd.DataFrame,
    place: Any,
    kinds: Any,
    levels: ServiceLevels,
) -> tuple[Any, Any]:
    rows = len(frames.cases)
    reopening = _reopening(events, kinds)
    opened = np.bincount(place[reopening], minlength=rows).astype(np.int64)
    simple = opened == 0
    later = [
        kind
        for name in levels.plan.names
        for target in levels.plan.named(name)
        if target.starts != "received"
        for kind in (target.starts, *target.stops)
    ]
    for kind in {*_LAST, *later}:
        simple &= np.bincount(place[kinds == kind], minlength=rows) <= 1
    bad = kinds == EventKind.PROMISED_REPLY.value
    if "next_reply" in levels.plan.names:
        bad |= kinds == EventKind.CUSTOMER_MESSAGE.value
    simple &= np.bincount(place[bad], minlength=rows) == 0
    return opened, simple


def _satisfied(rows: int, events: pd.DataFrame) -> Any:
    said = events[events["satisfied"] != ""].groupby("place")["satisfied"].last()
    words = np.full(rows, "", dtype=object)
    words[said.index.to_numpy(np.int64)] = said.to_numpy(object)
    return words


def _pauses(  # noqa: PLR0917 - private, one caller
    rows: pd.DataFrame,
    place: Any,
    at: Micros,
    kinds: Any,
    moments: dict[str, Micros],
    received: Micros,
    levels: ServiceLevels,
) -> tuple[Micros, Any]:
    """Add the finished pauses of each clock that pauses; give since when one lasts."""
    since = np.full(len(rows), MISSING, dtype=np.int64)
    whole = np.ones(len(rows), dtype=bool)
    told = np.isin(kinds, (_WAIT, *_END_WAITING))
    owner, moment, waits = place[told], at[told], kinds[told] == _WAIT
    before = np.zeros(len(owner), dtype=bool)
    before[1:] = waits[:-1] & (owner[1:] == owner[:-1])
    begins, ends = waits & ~before, ~waits & before
    # A wait lasts from its first word on, through any repetition of it.
    begun = owner[begins], moment[begins]
    after = np.zeros(len(owner), dtype=bool)
    after[:-1] = owner[1:] == owner[:-1]
    lasting = waits & ~after
    closed = np.zeros(int(begins.sum()), dtype=bool)
    number = np.cumsum(begins) - 1
    closed[number[ends]] = True
    until = np.full(len(closed), MISSING, dtype=np.int64)
    until[number[ends]] = moment[ends]
    open_ = number[lasting]
    since[begun[0][open_]] = begun[1][open_]
    for name in levels.plan.names:
        targets = [each for each in levels.plan.named(name) if each.pausable]
        if not targets:
            continue
        micros = np.zeros(len(rows), dtype=np.int64)
        used = targets[0]
        if len({id(each.calendar) for each in targets}) > 1:
            whole[begun[0]] = False
        which = begun[0][closed]
        first, last = _run(used, moments, received)
        start = np.maximum(begun[1][closed], first[which])
        end = np.minimum(until[closed], last[which])
        good = (first[which] != MISSING) & (start < end)
        spent = np.zeros(len(which), dtype=np.int64)
        spent[good] = _time(used, start[good], end[good])
        np.add.at(micros, which, spent)
        whole &= micros % _SECOND == 0
        rows[f"{name}_paused_seconds"] = micros // _SECOND
    return since, whole


def _run(
    target: Target, moments: dict[str, Micros], received: Micros
) -> tuple[Micros, Micros]:
    """Find when a clock starts and stops; it runs on if nothing stops it."""
    start = received if target.starts == "received" else moments.get(target.starts)
    if start is None:
        return np.full(len(received), MISSING, dtype=np.int64), received
    stop = np.full(len(received), _MOST, dtype=np.int64)
    for kind in target.stops:
        moment = moments[kind]
        stop = np.where(moment >= start, np.minimum(stop, moment), stop)
    closed = moments["closed"]
    ends = (stop == _MOST) & (closed != MISSING) & (closed >= start)
    return start, np.where(ends, closed, stop)


def _time(target: Target, start: Micros, end: Micros) -> Micros:
    if target.calendar is None:
        return end - start
    return elapsed_many(target.calendar, start, end)
