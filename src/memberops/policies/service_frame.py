"""Frames of cases: the service levels of all of them in one call."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.service_arrays import (
    MISSING,
    NO_PAUSES,
    STATES,
    ClockColumns,
    Mask,
    Micros,
    read_columns,
)
from memberops.policies.service_clocks import ClockState
from memberops.policies.service_log import micros_at, micros_of, native_of
from memberops.policies.service_plan import TargetPlan
from memberops.policies.service_targets import Target
from memberops.schedules import PauseRows

__all__ = ["decide_cases"]

_SECOND = 1_000_000
_MARKS = ("categories", "priorities", "channels")
_MARK_COLUMNS = ("category", "priority", "channel")
_LATE = STATES.index(ClockState.BREACHED)
_PAUSED = STATES.index(ClockState.PAUSED)
_OPEN = [
    STATES.index(state)
    for state in (ClockState.RUNNING, ClockState.DUE_SOON, ClockState.BREACHED)
]
_MOST = np.iinfo(np.int64).max


def decide_cases(
    plan: TargetPlan,
    cases: Any,
    *,
    as_of: dt.datetime,
    forecast: dt.datetime | None = None,
) -> pd.DataFrame:
    """
    Read every clock of a frame of cases; see `ServiceLevels.decide_frame`.

    Args:
        plan: The targets.
        cases: The frame.
        as_of: The moment, in UTC.
        forecast: A later moment, in UTC.
    """
    return _Reading(plan, cases, as_of, forecast).result()


class _Reading:
    """The columns of one frame, taken once, and the clocks read from them."""

    def __init__(
        self,
        plan: TargetPlan,
        cases: Any,
        as_of: dt.datetime,
        forecast: dt.datetime | None,
    ) -> None:
        self.plan = plan
        self.frame = native_of(cases, "cases")
        self.as_of = micros_at(as_of)
        self.forecast = None if forecast is None else micros_at(forecast)
        self.moments: dict[str, Micros] = {}

    def result(self) -> pd.DataFrame:
        """Return the frame with the columns of each clock."""
        received = self.moment("received_at")
        if (received == MISSING).any():
            row = int(np.argmax(received == MISSING)) + 1
            raise ColumnTypeError(
                f"column 'received_at' is empty in row {row}: a case has its receipt"
            )
        added: dict[str, Any] = {}
        first = np.full(len(received), MISSING, dtype=np.int64)
        urgent = np.full(len(received), _MOST, dtype=np.int64)
        clock = np.full(len(received), -1, dtype=np.int8)
        names = [name for name in self.plan.names if self.is_framed(name)]
        for place, name in enumerate(names):
            columns, levels = self.clock(name, received)
            added |= _shown(name, columns, levels, forecast=self.forecast is not None)
            use = columns.changes != MISSING
            use &= (first == MISSING) | (columns.changes < first)
            first[use] = columns.changes[use]
            rank = _urgency(columns)
            use = rank < urgent
            urgent[use] = rank[use]
            clock[use] = place
        added["next_clock"] = _words(clock, names)
        added["changes_at"] = _instants(first)
        taken = [name for name in added if name in self.frame.columns]
        rest = self.frame.drop(columns=taken)
        return pd.concat([rest, pd.DataFrame(added, index=rest.index)], axis=1)

    def is_framed(self, name: str) -> bool:
        """Tell whether a row can hold what a clock needs: one start and one stop."""
        return all(
            not target.repeats
            and target.after is None
            and target.name != "escalation"
            and target.starts not in {"dissatisfied", "solved_again", "promised_reply"}
            for target in self.plan.named(name)
        )

    def moment(self, column: str) -> Micros:
        """Return a column of moments in microseconds, read once."""
        if column not in self.moments:
            if column not in self.frame.columns:
                raise MissingColumnsError("cases", [column], self.frame.columns)
            self.moments[column] = micros_of(self.frame[column])
        return self.moments[column]

    def clock(self, name: str, received: Micros) -> tuple[ClockColumns, Any]:
        """Read one clock: of several targets, each case by the first that applies."""
        targets = self.plan.named(name)
        if len(targets) == 1 and not targets[0].is_conditional:
            columns = self.read(targets[0], received, None)
            return columns, _level_names(targets[0], columns, None)
        whole = _blank(len(received))
        level = np.full(len(received), "", dtype=object)
        left = np.ones(len(received), dtype=bool)
        for target in targets:
            mask = left & self.applies(target)
            left &= ~mask
            if mask.any():
                part = self.read(target, received, mask)
                level[mask] = _level_names(target, part, "")
                for field in ("states", "due", "remaining", "changes", "breached_by"):
                    getattr(whole, field)[mask] = getattr(part, field)
        return whole, level if any(target.levels for target in targets) else None

    def applies(self, target: Target) -> Mask:
        """Tell for which rows a target is meant."""
        mask = np.ones(len(self.frame), dtype=bool)
        for marks, column in zip(_MARKS, _MARK_COLUMNS, strict=True):
            named = getattr(target, marks)
            if not named:
                continue
            if column not in self.frame.columns:
                raise MissingColumnsError("cases", [column], self.frame.columns)
            mask &= self.frame[column].isin(named).to_numpy(dtype=bool)
        return mask

    def read(self, target: Target, received: Micros, mask: Mask | None) -> ClockColumns:
        """Read a target's clock for some rows."""
        if target.starts == "received":
            start = received
        else:
            at = self.moment(f"{target.starts}_at")
            start = np.where(at == MISSING, MISSING, np.maximum(at, received))
        start = np.where(start > self.as_of, MISSING, start)
        stop = np.full(len(received), _MOST, dtype=np.int64)
        known = [kind for kind in target.stops if f"{kind}_at" in self.frame.columns]
        for kind in known or target.stops[:1]:
            at = self.moment(f"{kind}_at")
            at = np.where(at == MISSING, _MOST, np.maximum(at, received))
            # What happened before the clock started does not stop it.
            stop = np.minimum(stop, np.where(at < start, _MOST, at))
        stop = np.where(stop == _MOST, MISSING, stop)
        closed, stop = self.shut(target, start, stop)
        held = self.paused(target) if target.pausable else None
        wait = self.wait() if target.pausable else None
        rows = slice(None) if mask is None else mask
        start, stop, closed = start[rows], stop[rows], closed[rows]
        pauses, standing = NO_PAUSES, None
        if wait is not None:
            pauses, standing = self.waiting(start, stop, wait[0][rows], wait[1][rows])
        return read_columns(
            target,
            start,
            stop,
            as_of=self.as_of,
            held=None if held is None else held[rows],
            pauses=pauses,
            standing=standing,
            closed=closed,
            forecast=self.forecast,
        )

    def shut(self, target: Target, start: Micros, stop: Micros) -> tuple[Mask, Micros]:
        """Stop with their cases the clocks that nothing else has stopped by then."""
        if "closed_at" not in self.frame.columns or target.starts == "closed":
            return np.zeros(len(start), dtype=bool), stop
        at = self.moment("closed_at")
        received = self.moment("received_at")
        ends = np.where(at == MISSING, MISSING, np.maximum(at, received))
        closed = (start != MISSING) & (ends != MISSING) & (ends <= self.as_of)
        closed &= (ends >= start) & ((stop == MISSING) | (stop > self.as_of))
        return closed, np.where(closed, ends, stop)

    def waiting(
        self, start: Micros, stop: Micros, begun: Micros, ended: Micros
    ) -> tuple[PauseRows, Mask]:
        """Cut the last wait of each row to its clock; tell in which it still lasts."""
        known = (start != MISSING) & (begun != MISSING) & (begun <= self.as_of)
        lasts = known & ((ended == MISSING) | (ended > self.as_of))
        end = np.where((stop == MISSING) | (stop > self.as_of), self.as_of, stop)
        since = np.maximum(begun, start)
        until = np.where(lasts, end, np.minimum(ended, end))
        rows = np.flatnonzero(known & (since < until))
        return (rows, since[rows], until[rows]), lasts

    def wait(self) -> tuple[Micros, Micros] | None:
        """Return since when an answer is awaited, and the solution that ended that."""
        if "paused_since" not in self.frame.columns:
            return None
        since = self.moment("paused_since")
        ended = np.full(len(since), _MOST, dtype=np.int64)
        for column in ("solved_at", "closed_at"):
            if column in self.frame.columns:
                at = self.moment(column)
                ended = np.where(at >= since, np.minimum(at, ended), ended)
        return since, np.where(ended == _MOST, MISSING, ended)

    def paused(self, target: Target) -> Micros | None:
        """Return the finished pauses of a clock in microseconds."""
        for name in (f"{target.name}_paused_seconds", "paused_seconds"):
            if name in self.frame.columns:
                values = self.frame[name]
                if values.dtype.kind not in "iu":
                    raise ColumnTypeError(
                        f"column {name!r} is {values.dtype}; it must hold whole "
                        "seconds: .fillna(0).astype('int64')"
                    )
                seconds = values.fillna(0).to_numpy(dtype=np.int64)
                if (seconds < 0).any():
                    raise InvalidValueError(f"column {name!r} has a time below zero")
                return seconds * _SECOND
        return None


def _instants(micros: Micros) -> Any:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC").array


def _words(codes: Any, names: Any) -> Any:
    kinds = pd.CategoricalDtype(list(names))
    return pd.Categorical.from_codes(codes, dtype=kinds)


def _level_names(target: Target, columns: ClockColumns, none: Any) -> Any:
    if not target.levels:
        return none
    names = np.array([*(level.name for level in target.levels), ""], dtype=object)
    return names[columns.level]


def _blank(rows: int) -> ClockColumns:
    zero = np.zeros(rows, dtype=np.int64)
    return ClockColumns(
        states=np.zeros(rows, dtype=np.int8),
        due=np.full(rows, MISSING, dtype=np.int64),
        remaining=zero.copy(),
        elapsed=zero,
        paused=zero,
        overdue=zero,
        late=np.zeros(rows, dtype=bool),
        provisional=np.zeros(rows, dtype=bool),
        changes=np.full(rows, MISSING, dtype=np.int64),
        level=np.full(rows, -1, dtype=np.int8),
        breached_by=np.zeros(rows, dtype=bool),
    )


def _shown(
    name: str, columns: ClockColumns, levels: Any, *, forecast: bool
) -> dict[str, Any]:
    missing = columns.due == MISSING
    added: dict[str, Any] = {
        f"{name}_state": _words(columns.states, STATES),
        f"{name}_due_at": _instants(columns.due),
        f"{name}_remaining_seconds": pd.arrays.IntegerArray(
            columns.remaining // _SECOND, missing
        ),
    }
    if levels is not None:
        added[f"{name}_level"] = levels
    if forecast:
        added[f"{name}_breached_by_forecast"] = columns.breached_by
    return added


def _urgency(columns: ClockColumns) -> Micros:
    """Rank what is late before what is due, by due time; a wait comes last."""
    rank = np.full(len(columns.states), _MOST, dtype=np.int64)
    use = np.isin(columns.states, _OPEN)
    rank[use] = columns.due[use]
    late = columns.states == _LATE
    rank[late] -= 1 << 61
    waits = columns.states == _PAUSED
    rank[waits] = columns.due[waits] + (1 << 61)
    return rank
