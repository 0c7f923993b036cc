"""Reading what providers push: lists, headers, moments and numbers."""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Callable
from typing import Any

from memberops.adapters.sms.contract import ReceiptRequest
from memberops.domain.message import MessageReceipt
from memberops.errors import SourceError

__all__ = [
    "ReadReceipts",
    "header",
    "local_moment",
    "read_each",
    "read_moment",
    "read_number",
    "rfc_moment",
]

_MOST = 10_000


def header(request: ReceiptRequest, name: str) -> str:
    """
    Return a header whatever its case, empty if it is not there.

    >>> header(ReceiptRequest(url="", headers={"x-signature": "ab"}), "X-Signature")
    'ab'
    """
    for key, value in request.headers.items():
        if key.lower() == name.lower():
            return value
    return ""


class ReadReceipts(tuple[MessageReceipt, ...]):  # noqa: SLOT001 - a tuple has none to spare for 'odd'
    """The receipts of a push, and how many of it were none, as ``odd``."""

    odd: int = 0


def read_each(
    document: Any,
    read: Callable[[dict[str, Any]], MessageReceipt | None],
    *,
    wrong: str,
) -> ReadReceipts:
    """
    Read the receipts of a document: one object, or an array of objects.

    One that cannot be read does not take the others along; it is counted.

    Args:
        document: What was pushed.
        read: Makes a receipt of an object; None if it is none.
        wrong: What to say if nothing of it is a receipt.

    Raises:
        SourceError: Not one is a receipt; nothing of it is quoted.

    >>> read_each([{"a": 1}, 2], lambda item: None, wrong="no receipts")
    Traceback (most recent call last):
        ...
    memberops.errors.SourceError: no receipts
    """
    items = document if isinstance(document, list) else [document]
    if len(items) > _MOST:
        raise SourceError(f"a push has at most {_MOST} receipts")
    made = [read(item) if isinstance(item, dict) else None for item in items]
    good = ReadReceipts(one for one in made if one is not None)
    good.odd = len(made) - len(good)
    if good.odd and not good:
        raise SourceError(wrong)
    return good


def read_moment(value: Any) -> dt.datetime | None:
    """
    Read a moment in ISO 8601 with its offset; None for all else.

    >>> read_moment("2026-11-22T08:00:00+08:00").isoformat()
    '2026-11-22T00:00:00+00:00'
    >>> read_moment("2026-11-22T08:00:00") is None
    True
    """
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def local_moment(value: Any, zone: dt.tzinfo) -> dt.datetime | None:
    """
    Read a moment without an offset, as a provider writes it in its own zone.

    >>> local_moment("2026-11-22 08:00:00", dt.timezone(dt.timedelta(hours=8)))
    datetime.datetime(2026, 11, 22, 0, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def rfc_moment(value: Any) -> dt.datetime | None:
    """
    Read a moment as e-mail writes it; None for all else.

    >>> rfc_moment("Sun, 22 Nov 2026 04:00:00 +0000").isoformat()
    '2026-11-22T04:00:00+00:00'
    """
    try:
        moment = email.utils.parsedate_to_datetime(str(value)[:100])
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def read_number(value: Any, *, most: int = 10**10) -> int | None:
    """
    Read a whole number that counts something; None for all else.

    >>> read_number("2"), read_number(3), read_number(True), read_number("x")
    (2, 3, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < most else None
