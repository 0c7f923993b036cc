"""The days that a question needs: its periods, those compared with, and the cuts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import attrs

from memberops.errors import InvalidValueError
from memberops.schedules import Period

__all__ = ["Spans", "as_periods"]


def as_periods(period: Period | Iterable[Period]) -> tuple[Period, ...]:
    """
    Take one period or several, each once, in the order given.

    Raises:
        InvalidValueError: There is none, or one is no `Period`.
    """
    periods = (period,) if isinstance(period, Period) else tuple(period)
    if not periods:
        raise InvalidValueError("'period' must name at least one period")
    for each in periods:
        if not isinstance(each, Period):
            raise InvalidValueError(
                f"'period' must be a Period, such as Period.month(2026, 10), "
                f"not a {type(each).__name__}"
            )
    once = tuple(dict.fromkeys(periods))
    labels = [each.label for each in once]
    for label in labels:
        if labels.count(label) > 1:
            raise InvalidValueError(
                f"two different periods are called {label!r}: ask for them apart"
            )
    return once


def _month_number(day: dt.date) -> int:
    return 12 * day.year + day.month - 1


@attrs.frozen
class Spans:
    """
    The time line cut where any span begins or ends.

    Between two cuts lies an *atom*; every span is a run of atoms, so lines are
    reduced once to atoms whatever is asked for.

    Args:
        spans: Half-open spans (start, end), each once.
        cuts: Every start and end in order.
    """

    spans: tuple[tuple[dt.date, dt.date], ...]
    cuts: tuple[dt.date, ...]

    @classmethod
    def of(cls, spans: Iterable[tuple[dt.date, dt.date]]) -> Spans:
        """Cut the time line where a span begins or ends."""
        once = tuple(dict.fromkeys(spans))
        cuts = sorted({day for span in once for day in span})
        return cls(once, tuple(cuts))

    @property
    def first(self) -> dt.date:
        """The first day of all."""
        return self.cuts[0]

    @property
    def end(self) -> dt.date:
        """The day after the last."""
        return self.cuts[-1]

    @property
    def by_month(self) -> bool:
        """Whether every cut is the first of a month."""
        return all(day.day == 1 for day in self.cuts)

    def atoms(self, span: tuple[dt.date, dt.date]) -> range:
        """Return the atoms that a span is made of."""
        return range(self.cuts.index(span[0]), self.cuts.index(span[1]))

    @property
    def disjoint(self) -> bool:
        """Whether every span is one atom of its own."""
        runs = [self.atoms(span) for span in self.spans]
        return all(len(run) == 1 for run in runs) and len(set(runs)) == len(runs)

    def month_atoms(self) -> Sequence[tuple[int, int]]:
        """Pairs of the first month number and atom, where cuts are months."""
        return [(_month_number(day), atom) for atom, day in enumerate(self.cuts)]
