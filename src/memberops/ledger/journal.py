"""
The journal: a ledger as lines of JSON, each chained to the one before.

A line that is changed, added, left out or moved breaks the chain, and a file that is
cut lacks its last line.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from memberops.domain.canonical import canonical_json, read_instant
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Movement, Posting
from memberops.errors import BrokenChainError, MemberOpsError, bounded
from memberops.ledger.records import Entry, Record, Refusal

__all__ = ["START", "chained", "journal_lines", "read_journal", "read_record"]

START = hashlib.sha256(b"memberops ledger 1").hexdigest()
"""The hash before the first entry."""

_HEAD = canonical_json({"format": "memberops ledger", "version": 1})


def chained(before: str, entry: Entry) -> str:
    """
    Return the hash of an entry, given that of the entry before.

    Args:
        before: Hash of the entry before, or `START`.
        entry: The entry.

    Returns:
        SHA-256 in 64 hexadecimal digits.
    """
    return hashlib.sha256(f"{before}\n{entry.canonical()}".encode()).hexdigest()


def journal_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """
    Write entries as lines, without line ends: a head, one for each, and the end.

    Args:
        entries: All entries of a ledger, by sequence.

    Yields:
        Canonical JSON: the same ledger gives the same bytes.

    >>> for line in journal_lines([]):
    ...     print(line[:60])
    {"format":"memberops ledger","version":1}
    {"entries":0,"hash":"...
    """
    yield _HEAD
    running, count = START, 0
    for entry in entries:
        running, count = chained(running, entry), count + 1
        yield canonical_json({"entry": entry.document(), "hash": running})
    yield canonical_json({"entries": count, "hash": running})


def read_journal(lines: Iterable[str]) -> Iterator[Entry]:
    """
    Read what `journal_lines` wrote, and check the chain on the way.

    Args:
        lines: The lines, with or without line ends. Until the last is read, nobody
            knows that the file is whole: keep what is read in one transaction.

    Yields:
        The entries, by sequence.

    Raises:
        BrokenChainError: A line was changed, added, left out or moved, the sequence
            does not grow, or the end is missing; the message names the line.
    """
    running, count, ended, last = START, 0, False, 0
    number = 0
    for number, raw in enumerate(lines, start=1):
        text = raw.rstrip("\r\n")
        if number == 1:
            if text != _HEAD:
                raise BrokenChainError("line 1 is not the head of a ledger's journal")
            continue
        line = _object(text, number)
        if ended:
            raise BrokenChainError(f"line {number} stands after the journal's end")
        if "entries" in line:
            ended = text == canonical_json({"entries": count, "hash": running})
            if not ended:
                raise BrokenChainError(
                    f"line {number}: the journal's end does not fit its entries"
                )
            continue
        entry = _entry(line.get("entry"), number)
        running, count = chained(running, entry), count + 1
        if text != canonical_json({"entry": entry.document(), "hash": running}):
            raise BrokenChainError(
                f"line {number} does not fit the lines before it: it was changed, "
                "or one before it was changed or left out"
            )
        if entry.sequence <= last:
            raise BrokenChainError(f"line {number}: its sequence does not grow")
        last = entry.sequence
        yield entry
    if not ended:
        raise BrokenChainError(
            f"the journal has no end after line {number}: it was cut"
        )


def _object(text: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        raise BrokenChainError(f"line {number} of the journal is no JSON object")
    return line


def _entry(document: Any, number: int) -> Entry:
    try:
        return Entry(
            sequence=_whole(document["sequence"]),
            record=read_record(document["type"], document["record"]),
        )
    except (KeyError, TypeError, ValueError, MemberOpsError) as error:
        raise BrokenChainError(
            f"line {number} of the journal holds no entry: {bounded([str(error)])}"
        ) from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BrokenChainError("'sequence' is a whole number from 1")
    return value


def read_record(kind: str, document: dict[str, Any]) -> Record:
    """
    Make a record of its plain form: the inverse of its ``document()``.

    Args:
        kind: ``"posting"``, ``"closing"``, ``"hold"``, ``"release"`` or ``"refusal"``.
        document: The plain form.

    Raises:
        KeyError, TypeError: A part is missing, or one too many.
        InvalidValueError: A part is wrong (see each record).

    >>> moment = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    >>> closing = Closing(closing_id="C", before=moment)
    >>> read_record("closing", closing.document()) == closing
    True
    """
    return _READERS[kind](dict(document))


def _read_posting(document: dict[str, Any]) -> Posting:
    document["effective_at"] = read_instant(document["effective_at"])
    document["movements"] = tuple(map(_read_movement, document["movements"]))
    document["refers_to"] = [(kind, name) for kind, name in document["refers_to"]]
    return Posting(**document)


def _read_movement(document: dict[str, Any]) -> Movement:
    through = document["valid_through"]
    if through is not None:
        document = document | {"valid_through": dt.date.fromisoformat(through)}
    return Movement(**document)


def _read_closing(document: dict[str, Any]) -> Closing:
    document["before"] = read_instant(document["before"])
    return Closing(**document)


def _read_hold(document: dict[str, Any]) -> Hold:
    document["held_at"] = read_instant(document["held_at"])
    if document["until"] is not None:
        document["until"] = read_instant(document["until"])
    return Hold(**document)


def _read_release(document: dict[str, Any]) -> Release:
    document["at"] = read_instant(document["at"])
    return Release(**document)


def _read_refusal(document: dict[str, Any]) -> Refusal:
    wanted = read_record(document.pop("wanted_type"), document.pop("wanted"))
    if not isinstance(wanted, (Posting, Hold)):
        raise TypeError("only a posting or a hold is refused for want of stock")
    return Refusal(wanted=wanted, **document)


_READERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    "posting": _read_posting,
    "closing": _read_closing,
    "hold": _read_hold,
    "release": _read_release,
    "refusal": _read_refusal,
}
