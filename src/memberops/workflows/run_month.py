"""The run month, and a day of it."""

from __future__ import annotations

import datetime as dt
import re

from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, ScheduleError
from memberops.schedules import Period

__all__ = ["calendar_month", "day_of_month"]

_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


def calendar_month(month: str | Period) -> Period:
    """
    Return a calendar month.

    Raises:
        InvalidValueError: The period is none.
        ScheduleError: The text cannot be read.

    >>> calendar_month("2026-10").through
    datetime.date(2026, 10, 31)
    """
    try:
        period = month if isinstance(month, Period) else Period.parse(month)
    except ScheduleError as error:
        raise ScheduleError(
            f"a month is written as '2026-10', four digits and two; {error}"
            if not _MONTH.fullmatch(str(month))
            else str(error)
        ) from None
    if period.kind != "month":
        raise InvalidValueError(
            f"a month end is made for a calendar month such as '2026-10', "
            f"not for the {period.kind} {period.label!r}"
        )
    return period


def day_of_month(month: Period, as_of: dt.date | None) -> dt.date:
    """
    Return the day asked for, or the last of the month.

    Raises:
        InvalidValueError: The day is no plain date, or not of the month.
    """
    if as_of is None:
        return month.through
    if check_as_of(as_of) not in month:
        raise InvalidValueError(
            f"'as_of' is a day of the run month {month}, not {as_of}"
        )
    return as_of
