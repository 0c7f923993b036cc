"""Everything that happened to many cases, in columns: the histories of a frame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.domain import EventKind
from memberops.errors import ColumnTypeError
from memberops.policies.case_intake import CaseFrames
from memberops.policies.figures import entered
from memberops.policies.service_arrays import MISSING, Mask, Micros

__all__ = ["CaseLog", "Places", "Waits", "micros_at", "micros_of", "native_of"]

Places = npt.NDArray[np.int64]
"""Places of events in the log, or rows."""

_KINDS = [kind.value for kind in EventKind]
_CODE = {kind: place for place, kind in enumerate(EventKind)}
_END_WAITING = (
    EventKind.CUSTOMER_ANSWERED,
    EventKind.CUSTOMER_MESSAGE,
    EventKind.SOLVED,
    EventKind.CLOSED,
)


@attrs.frozen(eq=False)
class Waits:
    """
    The times in which customers' answers were awaited, in order of case and time.

    Args:
        case: The row of the case.
        begun: Since when.
        ended: Until when; `MISSING` if one lasts.
    """

    case: Places
    begun: Micros
    ended: Micros


@attrs.frozen(eq=False, kw_only=True)
class CaseLog:
    """
    The cases of a frame, and what had happened to them by a moment.

    The events of a case lie side by side, in order of time. A place is the number of
    an event in that order; the place before a case's first event is its receipt, and
    `nowhere`, which is after all of them, is none.

    Args:
        cases: The frame of the cases, of pandas.
        received: The receipts, microseconds.
        first: Place of the first event of each case.
        last: Place after its last event.
        case: The row of the case of each event.
        moments: When each happened, none before the receipt.
        kinds: What each was, places in `EventKind`.
        reopens: Whether it opens the case again.
        until: The moment promised, or `MISSING`.
        facts: The other columns of the events, in the same order.
        as_of: The moment.
    """

    cases: pd.DataFrame
    received: Micros
    first: Places
    last: Places
    case: Places
    moments: Micros
    kinds: npt.NDArray[np.int8]
    reopens: Mask
    until: Micros
    facts: pd.DataFrame
    as_of: int

    @classmethod
    def of(cls, frames: CaseFrames, as_of: int) -> CaseLog:
        """
        Read cases and events that `clean_cases` has left.

        Args:
            frames: The cases, and their events in order of case and time.
            as_of: The moment, microseconds; what happened later is left out.
        """
        cases = frames.cases
        received = micros_of(cases["received_at"])
        at = micros_of(frames.events["at"])
        facts = frames.events[at <= as_of]
        at = at[at <= as_of]
        case = facts["place"].to_numpy(dtype=np.int64)
        kinds = facts["kind"].cat.codes.to_numpy()
        last = np.cumsum(np.bincount(case, minlength=len(cases)), dtype=np.int64)
        unsatisfied = (facts["satisfied"] == "no").to_numpy(dtype=bool)
        return cls(
            cases=cases,
            received=received,
            first=np.concatenate([[0], last[:-1]]) if len(last) else last,
            last=last,
            case=case,
            moments=np.maximum(at, received[case]),
            kinds=kinds.astype(np.int8),
            reopens=(kinds == _CODE[EventKind.REOPENED])
            | ((kinds == _CODE[EventKind.CALLBACK]) & unsatisfied),
            until=micros_of(facts["until"]),
            facts=facts,
            as_of=as_of,
        )

    @property
    def nowhere(self) -> int:
        """The place that stands for none: after all events."""
        return len(self.case)

    def are(self, kinds: Iterable[str]) -> Mask:
        """Tell which events are of some kinds; a word that is no event is none."""
        codes = [_KINDS.index(kind) for kind in kinds if kind in _KINDS]
        return np.isin(self.kinds, codes)

    def following(self, mask: Mask, places: Places, cases: Places) -> Places:
        """Find the first event of a mask after each place, in its case."""
        return self.from_on(mask, places + 1, cases)

    def from_on(self, mask: Mask, places: Places, cases: Places) -> Places:
        """Find the first event of a mask at each place or after it, in its case."""
        none = self.nowhere
        ahead = np.full(none + 1, none, dtype=np.int64)
        ahead[:none][mask] = np.flatnonzero(mask)
        ahead = np.minimum.accumulate(ahead[::-1])[::-1]
        found = ahead[np.minimum(places, none)]
        return np.where(found < self.last[cases], found, none)

    def preceding(self, mask: Mask, places: Places) -> Places:
        """Find the last event of a mask before each place, in any case; -1 is none."""
        back = np.full(self.nowhere + 1, -1, dtype=np.int64)
        back[1:][mask] = np.flatnonzero(mask)
        back = np.maximum.accumulate(back)
        found: Places = back[np.minimum(places, self.nowhere)]
        return found

    def fresh(self, starts: Mask, stops: Mask) -> Mask:
        """Tell which starts open something that no start before them has open."""
        places = np.flatnonzero(starts)
        before = self.preceding(starts, places)
        alone = before < self.first[self.case[places]]
        closed = self.preceding(stops, places + 1) > before
        found = np.zeros(self.nowhere, dtype=bool)
        found[places[alone | closed]] = True
        return found

    def at(self, places: Places, cases: Places) -> Micros:
        """Return the moments of places; the receipt's, and `MISSING` for none."""
        known = np.append(self.moments, MISSING)
        moments = known[np.maximum(places, 0)]
        receipt = places < self.first[cases]
        return np.where(receipt, self.received[cases], moments)

    def leads(self) -> Places:
        """Give the place of the first event of the same case and moment as each."""
        change = np.ones(self.nowhere, dtype=bool)
        change[1:] = (self.moments[1:] != self.moments[:-1]) | (
            self.case[1:] != self.case[:-1]
        )
        found: Places = np.flatnonzero(change)[np.cumsum(change) - 1]
        return found

    def closing(self) -> Places:
        """Find where each case was closed for good; `nowhere` if it was not."""
        opened = self.preceding(self.reopens, self.last)
        after = np.maximum(opened, self.first - 1)
        cases = np.arange(len(self.cases))
        return self.following(self.are([EventKind.CLOSED]), after, cases)

    def undone(self) -> Mask:
        """Tell which closings a reopening took back."""
        opened = self.preceding(self.reopens, self.last)[self.case]
        closed = self.are([EventKind.CLOSED])
        before: Mask = closed & (np.arange(self.nowhere) < opened)
        return before

    def waits(self) -> Waits:
        """Give the times in which the customers' answers were awaited."""
        ends = self.are(_END_WAITING) | self.reopens
        begins = self.are([EventKind.WAITING_FOR_CUSTOMER])
        places = np.flatnonzero(self.fresh(begins, ends))
        case = self.case[places]
        ended = self.following(ends, places, case)
        return Waits(case, self.moments[places], self.at(ended, case))

    def latest(self, column: str) -> tuple[Mask, Places]:
        """
        Tell which cases were given a fact by an event, and at which place last.

        Args:
            column: ``"to"``, ``"category"`` or ``"priority"``.
        """
        known = (self.facts[column] != "").to_numpy(dtype=bool)
        place = self.preceding(known, self.last)
        return place >= self.first, place

    def now(self, column: str, fact: str) -> npt.NDArray[np.object_]:
        """Return a column of the cases as the events have changed it."""
        words = self.cases[column].to_numpy(dtype=object).copy()
        changed, place = self.latest(fact)
        words[changed] = self.said(fact, place[changed])
        return words

    def said(self, fact: str, places: Places) -> npt.NDArray[np.object_]:
        """Return what events at some places say."""
        words: npt.NDArray[np.object_] = np.asarray(
            self.facts[fact].array[places], dtype=object
        )
        return words

    def has(self, kinds: Sequence[str]) -> Mask:
        """Tell which cases have an event of some kinds."""
        counts = np.bincount(self.case[self.are(kinds)], minlength=len(self.cases))
        return counts > 0


def native_of(frame: Any, name: str) -> pd.DataFrame:
    """Return a frame of any engine as one of pandas."""
    if isinstance(frame, pd.DataFrame):
        return frame
    taken = entered(frame, name)
    if isinstance(taken, nw.LazyFrame):
        taken = taken.collect()
    made: pd.DataFrame = taken.to_pandas()
    return made


def micros_of(values: pd.Series) -> Micros:
    """Return a column of zoned moments as microseconds, `MISSING` where empty."""
    kind = values.dtype
    zoned = getattr(kind, "tz", None) is not None or (
        isinstance(kind, pd.ArrowDtype)
        and getattr(kind.pyarrow_dtype, "tz", None) is not None
    )
    if not zoned:
        raise ColumnTypeError(
            f"column {str(values.name)!r} is {kind}; it must hold moments with a "
            "zone: .dt.tz_localize('Asia/Shanghai') attaches the store's"
        )
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None)
    micros: Micros = plain.to_numpy(dtype="datetime64[us]").view(np.int64)
    return micros


def micros_at(moment: dt.datetime) -> int:
    """Return an aware moment in microseconds since 1970."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(
        microseconds=1
    )
