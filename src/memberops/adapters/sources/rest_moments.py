"""When a record was changed, as systems write it, and as they want to be asked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

__all__ = ["FORMS", "Change", "change_of", "is_later", "spelled"]

FORMS = ("iso", "naive", "space", "day", "epoch", "epoch-ms", "number")
"""How a system wants to be told a moment; ``number`` is a version, no moment."""

Change = dt.datetime | int
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def change_of(value: Any, form: str, zone: dt.tzinfo) -> Change | None:
    """
    Read when a record was changed; None if it does not say.

    Args:
        value: As it stands in the record.
        form: One of `FORMS`, for numbers.
        zone: Of a text without one; in the hour that comes twice it is the first.

    >>> from zoneinfo import ZoneInfo
    >>> change_of("2026-11-05T06:03:00Z", "iso", dt.UTC).hour
    6
    >>> change_of("2026-11-05 14:03:00", "space", ZoneInfo("Asia/Shanghai")).hour
    6
    >>> change_of(1_762_300_000, "epoch", dt.UTC).year, change_of("soon", "iso", dt.UTC)
    (2025, None)
    """
    if isinstance(value, bool) or value in (None, ""):
        return None
    try:
        if form == "number":
            return int(value)
        if form in {"epoch", "epoch-ms"}:
            seconds = Decimal(str(value)) / (1000 if form == "epoch-ms" else 1)
            return _EPOCH + dt.timedelta(microseconds=int(seconds * 1_000_000))
        found = dt.datetime.fromisoformat(str(value).strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError, ArithmeticError):
        return None


def is_later(left: Change | None, right: Change | None) -> bool:
    """Tell whether a change is later than another; none is before any."""
    if left is None or right is None:
        return left is not None
    if isinstance(left, int) or isinstance(right, int):
        return isinstance(left, int) and isinstance(right, int) and left > right
    return left > right


def spelled(change: Change, form: str, zone: dt.tzinfo) -> str:
    """
    Write a moment as a system wants it.

    >>> from zoneinfo import ZoneInfo
    >>> at = dt.datetime(2026, 11, 5, 6, 3, tzinfo=dt.UTC)
    >>> spelled(at, "iso", dt.UTC), spelled(at, "space", ZoneInfo("Asia/Shanghai"))
    ('2026-11-05T06:03:00.000Z', '2026-11-05 14:03:00')
    >>> spelled(at, "epoch", dt.UTC), spelled(9, "number", dt.UTC)
    ('1793858580', '9')
    """
    if isinstance(change, int):
        return str(change)
    if form in {"epoch", "epoch-ms"}:
        unit = dt.timedelta(milliseconds=1 if form == "epoch-ms" else 1000)
        return str((change - _EPOCH) // unit)
    local = change.astimezone(zone)
    if form == "iso":
        whole = change.astimezone(dt.UTC).replace(tzinfo=None)
        return f"{whole.isoformat(timespec='milliseconds')}Z"
    if form == "day":
        return local.date().isoformat()
    sep = "T" if form == "naive" else " "
    return local.replace(tzinfo=None).isoformat(sep=sep, timespec="seconds")
