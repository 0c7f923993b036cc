"""Terms that do not roll: fixed periods that all members share, and for life."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, TypeAlias

import attrs

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies.term import Term
from memberops.schedules import Period
from memberops.schedules.dates import LeapDay, check_whole
from memberops.schedules.terms import TermUnit, term_end, term_number, term_start

__all__ = ["AnyTerm", "FixedTerm", "Lifetime"]

_FIRST_YEAR = 1600
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def _day_of_year(text: object, name: str) -> tuple[int, int]:
    if isinstance(text, str) and _DAY.fullmatch(text):
        month, day = int(text[:2]), int(text[3:])
        try:
            dt.date(_FIRST_YEAR, month, day)
        except ValueError:
            pass
        else:
            return month, day
    raise InvalidValueError(
        f"{name!r} must be a month and a day such as '04-01', not {str(text)[:20]!r}"
    )


@attrs.frozen(kw_only=True)
class FixedTerm:
    """
    A term whose periods are the same for all members, such as the calendar year.

    Periods lie side by side, both of their days inclusive. Who joins in one is a
    member through its last day; who joins on the rollover day or later gets the next
    period too. Renewing never asks for the rollover: the next term is the next period.

    Args:
        first: A day on which a period begins; all others count from it.
        rollover: The day, in the period that begins on *first*, from which joining
            includes the next period; None if it never does.
        count: How many units a period lasts, 1 or more.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        leap_day: As in `Term`.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: The rollover does not lie in the first period.
        ScheduleError: The count is below 1, or the unit or rule is not known.

    >>> year = FixedTerm.yearly("01-01", rollover="12-31")
    >>> year.term(dt.date(2021, 12, 30), terms=2).label
    '2021-01-01..2022-12-31'
    >>> year.term(dt.date(2021, 12, 31), terms=2).label
    '2021-01-01..2023-12-31'
    """

    first: dt.date = dt.date(_FIRST_YEAR, 1, 1)
    rollover: dt.date | None = None
    count: int = 1
    unit: TermUnit = "years"
    leap_day: LeapDay = "clamp"
    policy: str = attrs.field(default="fixed-term", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a length that no period can have, or a rollover outside it."""
        last = term_end(self.first, **self._length)
        if self.rollover is None:
            return
        check_as_of(self.rollover)
        if not self.first <= self.rollover <= last:
            raise InvalidValueError(
                f"the rollover {self.rollover} must lie in the first period, "
                f"{self.first} to {last}"
            )

    @classmethod
    def yearly(cls, start: str = "01-01", *, rollover: str | None = None) -> FixedTerm:
        """
        Make years that begin on a day of the year.

        Args:
            start: Month and day on which each year begins, such as ``"04-01"``.
            rollover: Month and day from which joining includes the next year.

        Raises:
            InvalidValueError: A text is no month and day, or the rollover is
                29 February of years that begin on 28 February.

        >>> FixedTerm.yearly("04-01", rollover="03-01").term(
        ...     dt.date(2027, 2, 28)).label
        '2026-04-01..2027-03-31'
        """
        month, day = _day_of_year(start, "start")
        if rollover is None:
            return cls(first=dt.date(_FIRST_YEAR, month, day))
        turn = _day_of_year(rollover, "rollover")
        if (month, day, *turn) == (2, 28, 2, 29):
            raise InvalidValueError(
                "a year that begins on 02-28 cannot roll over on 02-29: in most years "
                "that would be its first day, and every joining would include the next "
                "year; roll over on '03-01'"
            )
        # Only a leap year has each day of the year: the rollover decides which.
        year = _FIRST_YEAR if turn >= (month, day) else _FIRST_YEAR + 3
        if (month, day) == (2, 29):
            year = _FIRST_YEAR
        turn_year = year if turn >= (month, day) else year + 1
        if turn == (2, 28) and (month, day) == (2, 29):
            turn = (2, 27)  # the last day of a year that begins on a clamped day
        return cls(
            first=dt.date(year, month, day),
            rollover=dt.date(turn_year, turn[0], turn[1]),
        )

    @property
    def _length(self) -> dict[str, Any]:
        return {"count": self.count, "unit": self.unit, "leap_day": self.leap_day}

    def number(self, day: dt.date) -> int:
        """Return which period, counted from *first*, holds *day*."""
        return term_number(self.first, day, **self._length)

    def period(self, day: dt.date) -> Period:
        """
        Return the period that holds *day*.

        >>> FixedTerm.yearly("04-01").period(dt.date(2027, 3, 31)).label
        '2026-04-01..2027-03-31'
        """
        number = self.number(day)
        return Period.span(
            term_start(self.first, number=number, **self._length),
            term_end(self.first, number=number, **self._length),
        )

    def rolls_over(self, day: dt.date) -> bool:
        """Tell whether joining on *day* includes the next period."""
        return self.rollover is not None and day >= self._rollover(self.number(day))

    def term(self, joined_on: dt.date, *, terms: int = 1) -> Period:
        """
        Return the periods that joining gives, as one.

        Args:
            joined_on: The day of joining.
            terms: How many periods are bought at once, 1 or more.

        Raises:
            ScheduleError: *terms* is below 1, or a day lies outside the calendar.
        """
        start = self.period(joined_on).start
        return Period.span(start, self.end(joined_on, terms))

    def end(self, anchor: dt.date, number: int = 1) -> dt.date:
        """Return the last day of *number* periods bought at once on *anchor*."""
        held = self.number(anchor) + self.rolls_over(anchor)
        further = check_whole(number, "number", least=1) - 1
        return term_end(self.first, number=held + further, **self._length)

    def end_from(
        self,
        first: dt.date,
        anchor: dt.date | None = None,  # noqa: ARG002 - the period needs no anchor
        terms: int = 1,
    ) -> dt.date:
        """
        Return the last day of what goes on from *first*, without a rollover.

        The next term is the period after the one in which the term before ended; a
        term that ended before its period did is followed by the rest as well.

        Args:
            first: The day after the term before.
            anchor: Not needed, for no card has a period of its own.
            terms: How many periods.

        >>> FixedTerm.yearly("01-01").end_from(dt.date(2026, 12, 31))
        datetime.date(2027, 12, 31)
        """
        check_whole(terms, "terms", least=1)
        held = 0 if first == self.first else self.number(first - _ONE_DAY)
        return term_end(self.first, number=held + terms, **self._length)

    def decide(self, joined_on: dt.date, *, terms: int = 1) -> Decision:
        """
        Say what joining on a day gives, and until when that answer holds.

        Args:
            joined_on: The day of joining.
            terms: How many periods are bought at once.

        Returns:
            A decision, ``"this_period"`` or ``"next_included"``.

        >>> answer = FixedTerm.yearly("01-01", rollover="11-01").decide(
        ...     dt.date(2026, 10, 31))
        >>> answer.outcome, answer.changes_on
        ('this_period', datetime.date(2026, 11, 1))
        >>> print(answer.explain("zh"))
        会期 2026-01-01 至 2026-12-31（2026-11-01 起入会含下一期）
        """
        number = self.number(joined_on)
        given = self.term(joined_on, terms=terms)
        rolls = self.rolls_over(joined_on)
        figures = [("start", str(given.start)), ("through", str(given.through))]
        figures.append(("terms", str(terms)))
        note_en = note_zh = ""
        changes = term_end(self.first, number=number, **self._length) + _ONE_DAY
        if self.rollover is not None:
            turn = self._rollover(number)
            figures.append(("rollover", str(turn)))
            note_en = f" (joining from {turn} on includes the next period)"
            note_zh = f"（{turn} 起入会含下一期）"
            changes = changes if rolls else turn
        reason = Reason(
            rule="period",
            met=True,
            figures=tuple(figures),
            text_en=f"term {given.start} to {given.through}{note_en}",
            text_zh=f"会期 {given.start} 至 {given.through}{note_zh}",
        )
        return Decision(
            outcome="next_included" if rolls else "this_period",
            grounds=Statement(reasons=[reason]),
            policy=self.policy,
            version=self.version,
            as_of=joined_on,
            changes_on=changes,
        )

    def _rollover(self, number: int) -> dt.date:
        if self.rollover is None:
            raise ScheduleError("these periods have no rollover day")
        turn = term_start(self.rollover, number=number, **self._length)
        # A day that this period lacks counts as its last.
        return min(turn, term_end(self.first, number=number, **self._length))


_ONE_DAY = dt.timedelta(days=1)


@attrs.frozen(kw_only=True)
class Lifetime:
    """
    A term that never ends: its last day is the calendar's last, 9999-12-31.

    >>> Lifetime().end(dt.date(2026, 5, 1))
    datetime.date(9999, 12, 31)
    """

    def end(
        self,
        anchor: dt.date,
        number: int = 1,  # noqa: ARG002 - two lives last as long as one
    ) -> dt.date:
        """Return the calendar's last day."""
        check_as_of(anchor)
        return dt.date.max

    def end_from(
        self,
        first: dt.date,
        anchor: dt.date | None = None,  # noqa: ARG002 - it has no rhythm
        terms: int = 1,  # noqa: ARG002 - two lives last as long as one
    ) -> dt.date:
        """Return the calendar's last day."""
        check_as_of(first)
        return dt.date.max


AnyTerm: TypeAlias = Term | FixedTerm | Lifetime
"""A rolling, a fixed or a lifetime term."""
