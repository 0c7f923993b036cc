"""When the clocks of a case started, stood still and stopped: a fold of its events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs

from memberops.domain import CaseEvent, Complaint, EventKind
from memberops.policies.service_targets import Target

__all__ = ["History", "Pause", "Run", "runs_of"]

Pause: TypeAlias = tuple[dt.datetime, dt.datetime]
"""A time in which a clock stands still, from its start up to but not with its end."""

_END_WAITING = {
    EventKind.CUSTOMER_ANSWERED,
    EventKind.CUSTOMER_MESSAGE,
    EventKind.SOLVED,
    EventKind.CLOSED,
}
_RECEIPT = -1
"""The place of the receipt, before all events."""


@attrs.frozen(kw_only=True)
class Run:
    """
    One running of a clock.

    Args:
        target: Its target.
        number: 1 for the first clock of that name, 2 for the next.
        start: When it started; None if it has not.
        stop: When it stopped; None if it runs.
        pauses: When it stood still, in order; one that still lasts ends at the
            moment asked for.
        paused: Whether it stands still at the moment asked for.
        until: The moment promised, for a promised reply.
        closed: Whether the closing of the case stopped it, and nothing else did.
    """

    target: Target
    number: int = 1
    start: dt.datetime | None = None
    stop: dt.datetime | None = None
    pauses: tuple[Pause, ...] = ()
    paused: bool = False
    until: dt.datetime | None = None
    closed: bool = False


@attrs.frozen
class History:
    """
    What had happened to a case by a moment, in order, all moments in UTC.

    Args:
        received: The receipt.
        events: The events known by then.
        moments: When each happened, none before the receipt.
        as_of: The moment.
    """

    received: dt.datetime
    events: tuple[CaseEvent, ...]
    moments: tuple[dt.datetime, ...]
    as_of: dt.datetime

    @classmethod
    def of(cls, case: Complaint, as_of: dt.datetime) -> History:
        """Read the history of a case by a moment."""
        received = case.received_at.astimezone(dt.UTC)
        events = case.history(as_of)
        moments = tuple(max(event.at.astimezone(dt.UTC), received) for event in events)
        return cls(received, events, moments, as_of.astimezone(dt.UTC))

    def at(self, place: int) -> dt.datetime:
        """Return when the event at a place happened; the receipt is before all."""
        return self.received if place == _RECEIPT else self.moments[place]

    def places(self, kinds: Sequence[str], after: int = _RECEIPT) -> Iterator[int]:
        """Give the places of events of some kinds, after a place."""
        for place in range(after + 1, len(self.events)):
            if self.events[place].kind.value in kinds:
                yield place

    def reopenings(self, after: int = _RECEIPT) -> list[int]:
        """Give the places of the reopenings after a place."""
        return [
            place
            for place in range(after + 1, len(self.events))
            if self.events[place].is_reopening
        ]

    def closing(self) -> int | None:
        """Give the place where the case was closed for good, not reopened since."""
        opened = self.reopenings()
        kinds = (EventKind.CLOSED.value,)
        return _first(self.places(kinds, opened[-1] if opened else _RECEIPT))

    def ends(self, target: Target, after: int) -> Iterator[int]:
        """Give the places that end a clock a reopening moves, after a place."""
        opened = self.reopenings(after)
        last = opened[-1] if opened else after
        for place in range(after + 1, len(self.events)):
            kind = self.events[place].kind
            undone = kind is EventKind.CLOSED and place < last
            if kind.value in target.stops or undone:
                yield place

    def dissatisfactions(self) -> list[int]:
        """Give the places where a case that had its callback was opened again."""
        found = []
        called = False
        for place, event in enumerate(self.events):
            called = called or event.kind is EventKind.CALLBACK
            if event.is_reopening and called:
                found.append(place)
                called = False
        return found

    def waits(self) -> list[tuple[dt.datetime, dt.datetime | None]]:
        """Give the times in which the customer's answer was awaited."""
        found: list[tuple[dt.datetime, dt.datetime | None]] = []
        since: dt.datetime | None = None
        for event, moment in zip(self.events, self.moments, strict=True):
            if event.kind is EventKind.WAITING_FOR_CUSTOMER:
                since = moment if since is None else since
            elif since is not None and (
                event.kind in _END_WAITING or event.is_reopening
            ):
                found.append((since, moment))
                since = None
        if since is not None:
            found.append((since, None))
        return found


def runs_of(target: Target, history: History, after: Run | None = None) -> list[Run]:
    """
    Work out the runs of a target's clock from what happened.

    Args:
        target: The target.
        history: What happened.
        after: The run at whose stop it starts, for a target that follows another.

    Returns:
        At least one run; one without a start has not started. A target that only
        some cases need, such as a second callback, has none until it starts.
    """
    if target.starts == EventKind.PROMISED_REPLY.value:
        return _promises(target, history)
    if target.after is not None:
        return [_following(target, history, after)]
    if target.starts in {"dissatisfied", "solved_again"}:
        return _second(target, history)
    if target.repeats:
        return _repeated(target, history)
    return [_single(target, history)]


def _first(places: Iterator[int]) -> int | None:
    return next(places, None)


def _single(target: Target, history: History) -> Run:
    start = _start(target, history, _RECEIPT)
    if start is None:
        return Run(target=target)
    if target.reopening == "keep":
        stop = _first(history.places(target.stops, start))
        return _kept(target, history, start, stop)
    stop = _first(history.ends(target, start))
    opened = history.reopenings(start)
    if stop is None or not opened or opened[-1] < stop:
        return _run(target, history, start, stop)
    return _opened_again(target, history, start, stop)


def _kept(target: Target, history: History, start: int, stop: int | None) -> Run:
    """Until it stops, a reopening takes back the event that started it."""
    last = len(history.events) if stop is None else stop
    opened = [place for place in history.reopenings(start) if place < last]
    again: int | None = start
    if opened and target.starts != "received":
        again = _start(target, history, opened[-1])
    if again is None or again > last:
        return Run(target=target)
    return _run(target, history, again, stop)


def _opened_again(target: Target, history: History, start: int, stop: int) -> Run:
    """Go on after the last reopening, in the target's way."""
    opened = history.reopenings(start)
    if target.reopening == "restart":
        again = _start(target, history, opened[-1])
        if again is None:
            return Run(target=target)
        return _run(target, history, again, _first(history.places(target.stops, again)))
    closed: list[Pause] = []
    ended: int | None = stop
    while ended is not None:
        shut = ended
        reopened = next((place for place in opened if place > shut), None)
        if reopened is None:
            break
        closed.append((history.at(shut), history.at(reopened)))
        ended = _first(history.ends(target, reopened))
    excluded = closed if target.reopening == "resume" else []
    return _run(target, history, start, ended, excluded)


def _start(target: Target, history: History, after: int) -> int | None:
    if target.starts == "received":
        return after
    return _first(history.places((target.starts,), after))


def _second(target: Target, history: History) -> list[Run]:
    runs = []
    for number, opened in enumerate(history.dissatisfactions(), start=1):
        if target.starts == "dissatisfied":
            start: int | None = opened
        else:
            single = attrs.evolve(target, starts="solved")
            start = _start(single, history, opened)
        stop = None if start is None else _first(history.places(target.stops, start))
        if target.starts == "solved_again" and start is not None:
            last = len(history.events) if stop is None else stop
            later = [place for place in history.reopenings(start) if place < last]
            if later:
                start = _start(single, history, later[-1])
                if start is not None and start > last:
                    start = None
        if start is None:
            runs.append(Run(target=target, number=number))
        else:
            run = _run(target, history, start, stop)
            runs.append(attrs.evolve(run, number=number))
    return runs


def _repeated(target: Target, history: History) -> list[Run]:
    runs: list[Run] = []
    last = _RECEIPT
    for start in history.places((target.starts,)):
        if start < last:
            continue
        stop = _first(history.places(target.stops, start))
        run = _run(target, history, start, stop)
        runs.append(attrs.evolve(run, number=len(runs) + 1))
        last = len(history.events) if stop is None else stop
    return runs


def _promises(target: Target, history: History) -> list[Run]:
    runs: list[Run] = []
    places = list(history.places((target.starts,)))
    for order, place in enumerate(places):
        until = history.events[place].until
        if until is None:
            continue
        until = until.astimezone(dt.UTC)
        stop = _first(history.places(target.stops, place))
        later = places[order + 1] if order + 1 < len(places) else None
        replaced = later is not None and (stop is None or later < stop)
        if later is not None and replaced and history.at(later) <= until:
            # Agreed anew with the customer in time: the newer promise counts.
            continue
        run = _run(target, history, place, stop)
        runs.append(attrs.evolve(run, until=until, number=len(runs) + 1))
    return runs


def _following(target: Target, history: History, after: Run | None) -> Run:
    if after is None or after.stop is None or after.closed:
        return Run(target=target)
    stop = next(
        (
            moment
            for event, moment in zip(history.events, history.moments, strict=True)
            if event.kind.value in target.stops and moment >= after.stop
        ),
        None,
    )
    closing = history.closing()
    if stop is None and closing is not None and history.at(closing) > after.stop:
        run = _with_pauses(target, history, after.stop, history.at(closing), [])
        return attrs.evolve(run, closed=True)
    return _with_pauses(target, history, after.stop, stop, [])


def _run(
    target: Target,
    history: History,
    start: int,
    stop: int | None,
    closed: Sequence[Pause] = (),
) -> Run:
    closing = history.closing() if stop is None else None
    shut = closing is not None and closing > start
    last = closing if shut else stop
    ended = None if last is None else history.at(last)
    run = _with_pauses(target, history, history.at(start), ended, closed)
    return attrs.evolve(run, closed=True) if shut else run


def _with_pauses(
    target: Target,
    history: History,
    start: dt.datetime,
    stop: dt.datetime | None,
    closed: Sequence[Pause],
) -> Run:
    end = history.as_of if stop is None else stop
    waits = history.waits() if target.pausable else []
    paused = stop is None and any(ended is None for _, ended in waits)
    spans = [(begun, end if ended is None else ended) for begun, ended in waits]
    return Run(
        target=target,
        start=start,
        stop=stop,
        pauses=_merged([*spans, *closed], start, end),
        paused=paused,
    )


def _merged(
    spans: Sequence[Pause], start: dt.datetime, end: dt.datetime
) -> tuple[Pause, ...]:
    """Cut the spans to a time, and join those that touch."""
    merged: list[Pause] = []
    for begun, ended in sorted(spans):
        first, last = max(begun, start), min(ended, end)
        if first >= last:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
