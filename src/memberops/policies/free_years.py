"""The first years of a membership that are free whatever is bought."""

from __future__ import annotations

import calendar
import datetime as dt

import narwhals as nw

from memberops.domain import Card
from memberops.errors import MissingColumnsError, ScheduleError
from memberops.policies.condition import AtLeast
from memberops.policies.figures import LEAP_YEARS, Frame, day_number, number_of
from memberops.policies.fixed_term import AnyTerm
from memberops.policies.reading import Reading
from memberops.policies.wording import Words
from memberops.schedules.dates import check_whole

__all__ = ["FREE", "free_expression", "free_reading", "free_terms"]

FREE = "free_years"
_RULE = AtLeast(
    FREE,
    1,
    words=Words(
        name_en="free years left",
        name_zh="剩余免费年数",
        one_en="free year left",
        unit_zh="个免费年",
    ),
)
_FEB_29, _FEB_28, _NEW_YEARS_EVE, _YEAR = 229, 228, 1231, 10_000
_MONTH_ENDS = [131, _FEB_29, 331, 430, 531, 630, 731, 831, 930, 1031, 1130]


def _day(anchor: dt.date, years: int) -> int:
    """Number the day so many years after the anchor, clamped as terms are."""
    year, day = anchor.year + years, number_of(anchor) % _YEAR
    if day == _FEB_29 and not calendar.isleap(year):
        day = _FEB_28
    return year * _YEAR + day


def free_reading(card: Card, years: int) -> Reading | None:
    """
    Say that the next fee is free, if it is of one of the first years.

    Args:
        card: The card; its next term begins on the day after its last.
        years: How many years from its anchor are free.

    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> free_reading(card, 2).text("zh"), free_reading(card, 1)
    ('剩余免费年数 1（需 1）', None)
    """
    if card.valid_through == dt.date.max:
        return None
    next_first = number_of(card.valid_through + dt.timedelta(days=1))
    left = 0
    while left < years and next_first < _day(card.anchor, years - left):
        left += 1
    return _RULE.weigh({_RULE.figure: left}) if left else None


def free_terms(
    years: int, first: dt.date, *, anchor: dt.date, terms: int, term: AnyTerm
) -> int:
    """
    Count the terms from a day on that the first years make free.

    Args:
        years: How many years from the anchor are free.
        first: The first day of the first of the terms.
        anchor: The day on which the membership began.
        terms: How many terms are bought at once.
        term: How long a term runs.

    Raises:
        ScheduleError: *terms* is below 1, or the anchor lies after *first*.
    """
    check_whole(terms, "terms", least=1)
    if anchor > first:
        raise ScheduleError(f"the anchor {anchor} lies after the first day {first}")
    turn, free, begun = _day(anchor, years), 0, first
    while free < terms and number_of(begun) < turn:
        free += 1
        last = term.end_from(first, anchor, free) or term.end(first, free)
        if free < terms and last == dt.date.max:
            return terms
        begun = last + dt.timedelta(days=1) if free < terms else begun
    return free


def free_expression(frame: Frame, years: int) -> nw.Expr:
    """
    Tell in each row of a frame of cards whether the next fee is free.

    Args:
        frame: ``valid_from``, ``valid_through``, optional ``anchor``, where a gap
            stands for the first day.
        years: How many years are free.

    Raises:
        MissingColumnsError: A day has no column.
    """
    names = frame.collect_schema().names()
    missing = [n for n in ("valid_from", "valid_through") if n not in names]
    if missing:
        raise MissingColumnsError("figures", missing, names)
    for name in ("valid_from", "valid_through"):
        day_number(frame, name)  # refuses what holds no days
    year, begun = _parts(nw.col("valid_from"))
    if "anchor" in names:
        day_number(frame, "anchor")
        none = nw.col("anchor").is_null()
        own_year, own = _parts(nw.col("anchor"))
        year = nw.when(none).then(year).otherwise(own_year)
        begun = nw.when(none).then(begun).otherwise(own)
    last_year, last = _parts(nw.col("valid_through"))
    turn = begun + years * _YEAR
    year = year + years
    is_clamped = (turn - year * _YEAR == _FEB_29) & ~year.is_in(LEAP_YEARS)
    turn = nw.when(is_clamped).then(turn - 1).otherwise(turn)
    known = ~(nw.col("valid_from").is_null() | nw.col("valid_through").is_null())
    ends = last < number_of(dt.date.max)
    return known & ends & (_following(last_year, last) < turn)


def _following(year: nw.Expr, day: nw.Expr) -> nw.Expr:
    """Number the day after a numbered one; to add a day overflows on old pandas."""
    in_year, common = day % _YEAR, ~year.is_in(LEAP_YEARS)
    is_month_end = in_year.is_in(_MONTH_ENDS) | ((in_year == _FEB_28) & common)
    following = nw.when(is_month_end).then(day - day % 100 + 101).otherwise(day + 1)
    new_year = (year + 1) * _YEAR + 101
    return nw.when(in_year == _NEW_YEARS_EVE).then(new_year).otherwise(following)


def _parts(column: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
    """Give the year of a day, and its number; 0 where it is not known."""
    parts = column.dt
    year = parts.year().fill_null(0).cast(nw.Int64)
    month = parts.month().fill_null(0).cast(nw.Int64)
    return year, year * _YEAR + month * 100 + parts.day().fill_null(0).cast(nw.Int64)
