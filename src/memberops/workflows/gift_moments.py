"""The moment for which gifts are asked: a day's end, or an instant."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError

__all__ = ["end_of_day", "moment_of"]


def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """
    Return the last microsecond of a local day, in UTC: what moved on it counts.

    >>> end_of_day(dt.date(2026, 10, 31), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-10-31T15:59:59.999999+00:00'
    """
    midnight = dt.datetime.combine(
        check_as_of(day) + dt.timedelta(days=1), dt.time(), tzinfo=zone
    )
    return midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)


def moment_of(as_of: dt.date | dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """
    Return an aware instant, or the end of a day.

    Raises:
        InvalidValueError: It is a moment without a zone.
    """
    if not isinstance(as_of, dt.datetime):
        return end_of_day(as_of, zone)
    if as_of.utcoffset() is None:
        raise InvalidValueError(
            "'as_of' is a day or an aware datetime: attach the chain's zone, as in "
            f"moment.replace(tzinfo=ZoneInfo({zone.key!r}))"
        )
    return as_of.astimezone(dt.UTC)
