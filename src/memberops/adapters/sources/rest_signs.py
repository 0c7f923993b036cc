"""What in an answer says that there is more than a resource reads of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from memberops.adapters.sources.http_reading import JsonAnswer

__all__ = ["next_link", "sign_of_more", "sign_of_total"]

_LINK = re.compile(r'<([^<>]+)>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)
_MORE = re.compile(
    r"next|has_?more|more_?(pages|results|items)|continuation", re.IGNORECASE
)
_SURELY_MORE = re.compile(
    r"next(_?(page|link|url|uri|href|cursor|token))?|has_?(more|next)(_?pages?)?"
    r"|more_?(pages|results|items)|continuation(_?token)?",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"total(_?(count|records|items|results))?|count", re.IGNORECASE)
_NO = frozenset({"", "false", "0", "no", "none", "null"})
_DEEPEST = 3


def next_link(answer: JsonAnswer) -> str | None:
    """Return the address of the next page in the ``Link`` header, None if none is."""
    found = _LINK.search(answer.headers.get("link", ""))
    return found[1] if found else None


def sign_of_more(answer: JsonAnswer, records: str, *, beside: bool = False) -> str:
    """
    Return what in an answer says that there is another page; empty if nothing does.

    Args:
        answer: The last one that was read.
        records: Path of the records, in which nothing is looked for.
        beside: Whether the answer may be a record with fields of its own beside the
            list, such as the day of its next delivery.

    >>> sign_of_more(JsonAnswer(document={"data": [], "meta": {"has_more": True}}),
    ...              "data")
    'meta.has_more'
    >>> sign_of_more(JsonAnswer(document={"data": [{"next": 1}], "next": None}), "data")
    ''
    >>> order = JsonAnswer(document={"lines": [], "next_delivery": "2026-11-05"})
    >>> sign_of_more(order, "lines"), sign_of_more(order, "lines", beside=True)
    ('next_delivery', '')
    """
    if next_link(answer) is not None:
        return "Link"
    found = _SURELY_MORE.fullmatch if beside else _MORE.search
    for path, name, value in _plain_values(answer.document, records):
        if found(name) and str(value).strip().lower() not in _NO:
            return path
    return ""


def sign_of_total(answer: JsonAnswer, records: str, read: int) -> str:
    """
    Return what in an answer counts more records than were read; empty if nothing.

    >>> sign_of_total(JsonAnswer(document={"data": [1], "total": 25}), "data", 1)
    'total'
    """
    for path, name, value in _plain_values(answer.document, records):
        counts = _TOTAL.fullmatch(name) and isinstance(value, int)
        if counts and not isinstance(value, bool) and value > read:
            return path
    return ""


def _plain_values(
    document: Any, records: str, path: str = "", depth: int = 1
) -> Iterator[tuple[str, str, Any]]:
    """Walk through what stands around the records."""
    for name, value in document.items() if isinstance(document, dict) else ():
        own = f"{path}.{name}" if path else str(name)
        if own == records:
            continue
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _plain_values(value, records, own, depth + 1)
        elif isinstance(value, str | int):
            yield own, str(name), value
