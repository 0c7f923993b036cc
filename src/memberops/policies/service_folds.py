"""The clocks of many cases: `service_runs` for columns, without a loop over cases."""

from __future__ import annotations

import attrs
import numpy as np

from memberops.domain import EventKind
from memberops.policies.service_arrays import MISSING, Mask, Micros
from memberops.policies.service_log import CaseLog, Places, Waits
from memberops.policies.service_targets import Target
from memberops.schedules import PauseRows

__all__ = ["RunColumns", "fold_runs"]


@attrs.frozen(eq=False, kw_only=True)
class RunColumns:
    """
    Runs of one target's clock, a row each, by case and number.

    Args:
        case: Row of the case.
        number: 1 for the first run of the case, 2 for the next.
        start: When it started; `MISSING` if it has not.
        stop: When it stopped; `MISSING` if it has not.
        ended: The place at which it stopped; the log's `nowhere` if it has not.
        until: The moment promised, `MISSING` for other targets.
        pauses: When each stood still: row, from, until; in order and apart.
        standing: Whether it stands still at the moment of the log.
        closed: Whether the closing of the case stopped it, and nothing else did.
    """

    case: Places
    number: Places
    start: Micros
    stop: Micros
    ended: Places
    until: Micros
    pauses: PauseRows
    standing: Mask
    closed: Mask


def fold_runs(
    target: Target,
    log: CaseLog,
    chosen: Mask,
    waits: Waits,
    after: Places | None = None,
) -> RunColumns:
    """
    Work out the runs of a target's clock for all cases that have it.

    Args:
        target: The target.
        log: What happened.
        chosen: The cases that have it.
        waits: The waits of the log.
        after: The place at which each case's run of the target before it stopped.
    """
    known = chosen & (log.received <= log.as_of)
    fold = _Fold(target, log, known)
    if target.starts == EventKind.PROMISED_REPLY.value:
        fold.promises()
    elif target.after is not None:
        ends = np.full(len(chosen), log.nowhere) if after is None else after
        fold.following(ends)
    elif target.starts in {"dissatisfied", "solved_again"}:
        fold.second()
    elif target.repeats:
        fold.repeated()
    else:
        fold.single()
    unknown = np.flatnonzero(chosen & ~known)
    if target.starts == "received" and len(unknown):
        fold.not_started(unknown)
    return fold.result(waits)


class _Fold:
    """The rows of one target, gathered until they are all known."""

    def __init__(self, target: Target, log: CaseLog, known: Mask) -> None:
        self.target = target
        self.log = log
        self.known = known
        self.stops = log.are(target.stops)
        none = np.zeros(0, dtype=np.int64)
        self.case = self.start = self.stop = self.until = none
        self.closed: list[PauseRows] = []

    def opening(self, mask: Mask) -> Places:
        """Return the places of a mask in the cases that have the target."""
        return np.flatnonzero(mask & self.known[self.log.case])

    def keep(self, case: Places, start: Places, stop: Places) -> None:
        """Set the rows: the places where each started and stopped."""
        self.case = case
        self.start = start
        self.stop = np.where(start == self.log.nowhere, self.log.nowhere, stop)
        self.until = np.full(len(case), MISSING, dtype=np.int64)

    def not_started(self, cases: Places) -> None:
        """Add cases that were not received yet."""
        none = np.full(len(cases), self.log.nowhere)
        self.case = np.concatenate([self.case, cases])
        self.start = np.concatenate([self.start, none])
        self.stop = np.concatenate([self.stop, none])
        self.until = np.concatenate([self.until, np.full(len(cases), MISSING)])

    def promises(self) -> None:
        """Start at each promise that no newer one replaces in time."""
        log = self.log
        mask = log.are([EventKind.PROMISED_REPLY])
        place = self.opening(mask)
        case = log.case[place]
        stop = log.following(self.stops, place, case)
        later = log.following(mask, place, case)
        replaced = (later != log.nowhere) & (later < stop)
        replaced &= log.at(later, case) <= log.until[place]
        use = ~replaced
        self.keep(case[use], place[use], stop[use])
        self.until = log.until[place[use]]

    def following(self, after: Places) -> None:
        """Start where another target stopped, at the first event of that moment."""
        log = self.log
        case = np.flatnonzero(self.known)
        start = after[case]
        stop = np.full(len(case), log.nowhere)
        begun = start != log.nowhere
        if begun.any():
            lead = log.leads()[start[begun]]
            stop[begun] = log.from_on(self.stops, lead, case[begun])
        self.keep(case, start, stop)

    def second(self) -> None:
        """Start at each reopening after a callback, or at the solution after it."""
        log = self.log
        callback = log.are([EventKind.CALLBACK])
        reopened = np.flatnonzero(log.reopens)
        before = log.preceding(log.reopens, reopened)
        floor = np.maximum(before, log.first[log.case[reopened]] - 1)
        called = log.preceding(callback, reopened + 1) > floor
        mask = np.zeros(log.nowhere, dtype=bool)
        mask[reopened[called]] = True
        opened = self.opening(mask)
        case = log.case[opened]
        if self.target.starts == "dissatisfied":
            self.keep(case, opened, log.following(self.stops, opened, case))
            return
        solved = log.are([EventKind.SOLVED])
        start = log.following(solved, opened, case)
        stop = log.following(self.stops, start, case)
        self.keep(case, self.taken_back(solved, start, stop, case), stop)

    def repeated(self) -> None:
        """Start at each event that finds the clock stopped."""
        log = self.log
        starts = log.are([self.target.starts])
        place = self.opening(log.fresh(starts, self.stops))
        case = log.case[place]
        self.keep(case, place, log.following(self.stops, place, case))

    def single(self) -> None:
        """Start once, and treat a reopening in the target's way."""
        log, target = self.log, self.target
        case = np.flatnonzero(self.known)
        receipt = log.first[case] - 1
        starts = log.are([target.starts])
        at_receipt = target.starts == "received"
        start = receipt if at_receipt else log.following(starts, receipt, case)
        if target.reopening != "keep":
            self.stops = self.stops | log.undone()
        stop = log.following(self.stops, start, case)
        stop = np.where(start == log.nowhere, log.nowhere, stop)
        if target.reopening == "keep":
            if not at_receipt:
                start = self.taken_back(starts, start, stop, case)
            self.keep(case, start, stop)
            return
        again = log.preceding(log.reopens, log.last[case])
        row = np.flatnonzero(
            (start != log.nowhere)
            & (stop != log.nowhere)
            & (again > start)
            & (again >= stop)
        )
        if target.reopening == "restart":
            place, own = again[row], case[row]
            start = start.copy()
            start[row] = place if at_receipt else log.following(starts, place, own)
            stop[row] = log.following(self.stops, start[row], own)
            self.keep(case, start, stop)
            return
        self.keep(case, start, self.resumed(row, case, stop))

    def resumed(self, row: Places, case: Places, stop: Places) -> Places:
        """Go on after each reopening, and note the times in which it was closed."""
        log = self.log
        stop = stop.copy()
        while len(row):
            shut = stop[row]
            opened = log.following(log.reopens, shut, case[row])
            use = opened != log.nowhere
            row, shut, opened = row[use], shut[use], opened[use]
            own = case[row]
            if self.target.reopening == "resume":
                self.closed.append((row, log.at(shut, own), log.at(opened, own)))
            stop[row] = log.following(self.stops, opened, own)
            row = row[stop[row] != log.nowhere]
        return stop

    def taken_back(
        self, starts: Mask, start: Places, stop: Places, case: Places
    ) -> Places:
        """Until it stops, a reopening takes back the event that started a clock."""
        log = self.log
        last = np.where(stop == log.nowhere, log.last[case], stop)
        opened = log.preceding(log.reopens, last)
        back = (start != log.nowhere) & (opened > start)
        again = log.following(starts, np.maximum(opened, 0), case)
        again = np.where(again > last, log.nowhere, again)
        return np.where(back, again, start)

    def result(self, waits: Waits) -> RunColumns:
        """Return the rows with their moments and pauses."""
        log = self.log
        closed = self.shut()
        start = log.at(self.start, self.case)
        stop = log.at(self.stop, self.case)
        rows = len(self.case)
        standing = np.zeros(rows, dtype=bool)
        spans = list(self.closed)
        end = np.where(stop == MISSING, log.as_of, stop)
        if self.target.pausable and len(waits.case):
            lasts = np.zeros(len(log.cases), dtype=bool)
            lasts[waits.case[waits.ended == MISSING]] = True
            begun = self.start != log.nowhere
            standing = begun & (stop == MISSING) & lasts[self.case]
            spans.append(_shared(waits, self.case, end))
        return RunColumns(
            case=self.case,
            number=_numbers(self.case),
            start=start,
            stop=stop,
            ended=np.where(closed, log.nowhere, self.stop),
            until=self.until,
            pauses=_merged(spans, start, end),
            standing=standing,
            closed=closed,
        )

    def shut(self) -> Mask:
        """Stop with their cases the clocks that nothing else has stopped."""
        log = self.log
        closing = log.closing()[self.case]
        begun = (self.start != log.nowhere) & (self.stop == log.nowhere)
        if self.target.after is None:
            later = closing > self.start
        else:
            later = log.at(closing, self.case) > log.at(self.start, self.case)
        closed: Mask = begun & (closing != log.nowhere) & later
        self.stop = np.where(closed, closing, self.stop)
        return closed


def _numbers(case: Places) -> Places:
    """Count the runs of each case; those of a case lie side by side."""
    fresh = np.ones(len(case), dtype=bool)
    fresh[1:] = case[1:] != case[:-1]
    starts = np.flatnonzero(fresh)
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    numbers: Places = np.arange(1, len(case) + 1) - starts[np.cumsum(fresh) - 1]
    return numbers


def _shared(waits: Waits, case: Places, end: Micros) -> PauseRows:
    """Give each run the waits of its case; one that lasts goes to the run's end."""
    first = np.searchsorted(waits.case, case, side="left")
    count = np.searchsorted(waits.case, case, side="right") - first
    row = np.repeat(np.arange(len(case)), count)
    skip = np.repeat(np.cumsum(count) - count, count)
    place = first[row] + np.arange(len(row)) - skip
    ended = waits.ended[place]
    return row, waits.begun[place], np.where(ended == MISSING, end[row], ended)


def _merged(spans: list[PauseRows], start: Micros, end: Micros) -> PauseRows:
    """Cut the spans to the runs, and join those that touch."""
    if not spans:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    row = np.concatenate([each[0] for each in spans]).astype(np.int64)
    begin = np.maximum(np.concatenate([each[1] for each in spans]), start[row])
    until = np.minimum(np.concatenate([each[2] for each in spans]), end[row])
    use = (begin < until) & (start[row] != MISSING)
    row, begin, until = row[use], begin[use], until[use]
    order = np.lexsort((until, begin, row))
    row, begin, until = row[order], begin[order], until[order]
    # The latest end so far within a run: ends are ranked by run first.
    ranked = np.lexsort((until, row))
    rank = np.empty(len(row), dtype=np.int64)
    rank[ranked] = np.arange(len(row))
    latest = until[ranked][np.maximum.accumulate(rank)]
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (row[1:] != row[:-1]) | (begin[1:] > latest[:-1])
    final = np.roll(fresh, -1)
    return row[fresh], begin[fresh], latest[final]
