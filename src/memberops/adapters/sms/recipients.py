"""Recipients: phones as providers write them, and who may share a request."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Hashable, Sequence

from memberops.domain.message import Message

__all__ = ["at_home", "day_of", "requests_of", "to_e164"]

_MAINLAND = re.compile(r"(?:86)?(1[3-9]\d{9})", re.ASCII)
_WHOLE = re.compile(r"[1-9]\d{6,14}", re.ASCII)


def to_e164(phone: str) -> str | None:
    """
    Write a phone as E.164; None if it is none. Mainland numbers need no ``+86``.

    >>> to_e164("138-0013 8000"), to_e164("8613800138000"), to_e164("0085261234567")
    ('+8613800138000', '+8613800138000', '+85261234567')
    >>> to_e164("010-12345678") is None, to_e164("张三") is None
    (True, True)
    """
    text = re.sub(r"[\s().-]", "", phone)
    mainland = _MAINLAND.fullmatch(text)
    if mainland:
        return f"+86{mainland[1]}"
    for prefix in ("+", "00"):
        rest = text.removeprefix(prefix)
        if rest != text:
            return f"+{rest}" if _WHOLE.fullmatch(rest) else None
    return None


def at_home(message: Message) -> bool:
    """Tell whether a message goes to a number of the mainland."""
    return (to_e164(message.phone) or "").startswith("+86")


def day_of(sent_on: dt.date) -> dt.date:
    """
    Return the day (UTC) of an attempt of which the day or the moment is known.

    >>> beijing = dt.timezone(dt.timedelta(hours=8))
    >>> day_of(dt.datetime(2026, 11, 22, 7, tzinfo=beijing))
    datetime.date(2026, 11, 21)
    """
    if isinstance(sent_on, dt.datetime):
        return sent_on.astimezone(dt.UTC).date()
    return sent_on


def requests_of(
    phones: Sequence[tuple[Message, str]],
    *,
    size: int,
    alike: Callable[[Message, str], Hashable],
) -> list[list[tuple[Message, str]]]:
    """
    Divide recipients into requests, in each of which last four digits occur once.

    A provider's report names a request and a phone. The phone is not kept, so the last
    four digits, which our masks show anyway, tell the recipients of a request apart.

    Args:
        phones: Messages with their phones.
        size: How many a request takes.
        alike: What those of one request have in common.
    """
    requests: dict[Hashable, list[dict[str, tuple[Message, str]]]] = {}
    for message, phone in phones:
        own = requests.setdefault(alike(message, phone), [])
        for request in own:
            if len(request) < size and phone[-4:] not in request:
                request[phone[-4:]] = (message, phone)
                break
        else:
            own.append({phone[-4:]: (message, phone)})
    return [list(one.values()) for own in requests.values() for one in own]
