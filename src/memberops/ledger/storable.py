"""Which texts every store can hold and writes, so that all refuse the same."""

from __future__ import annotations

from collections.abc import Iterator

from memberops.domain import canonical
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import InvalidValueError
from memberops.ledger.records import Refusal

__all__ = ["MAX_ID", "check_reason", "check_storable", "storable"]

MAX_ID = 200
"""Characters of the longest id: three of them fit into a key of every database."""


def storable(*ids: str) -> bool:
    r"""
    Tell if every store can hold these ids.

    >>> storable("store:S1", "杯子"), storable("a\0b"), storable("\ud800")
    (True, False, False)
    """
    return all(len(each) <= MAX_ID and canonical.storable(each) for each in ids)


def check_storable(record: Posting | Closing | Hold | Release) -> None:
    """
    Refuse a record that some store could not hold.

    Raises:
        InvalidValueError: An id has more than 200 characters, or a text a NUL or half
            of a surrogate pair.
    """
    if not storable(*_ids(record)):
        raise InvalidValueError(
            f"an id of the ledger has at most {MAX_ID} characters, no NUL and no half "
            "of a surrogate pair"
        )
    texts: tuple[str, ...] = () if isinstance(record, Release) else (record.reason,)
    if isinstance(record, Posting):
        texts += tuple(part for pair in record.refers_to for part in pair)
    if not all(map(canonical.storable, texts)):
        raise InvalidValueError(
            "a reason or reference of the ledger has a NUL or half of a surrogate "
            "pair: it was decoded wrongly"
        )


def check_reason(record: object) -> None:
    """
    Refuse a new posting whose reason has spaces around it.

    A file of movements would not keep them. Stores ask before they write an entry for
    a client, never when they read or restore one: what was written is a fact.

    Args:
        record: What a verdict lets in; all but a `Posting`, or the `Refusal` of one,
            passes.

    Raises:
        InvalidValueError: There are spaces around it.
    """
    wanted = record.wanted if isinstance(record, Refusal) else record
    if isinstance(wanted, Posting) and wanted.reason != wanted.reason.strip():
        raise InvalidValueError("'reason' has spaces around it: strip them")


def _ids(record: Posting | Closing | Hold | Release) -> Iterator[str]:
    if record.by is not None:
        yield record.by
    if isinstance(record, Posting):
        yield record.posting_id
        if record.reverses is not None:
            yield record.reverses
        yield from record.references("hold")
        for each in record.movements:
            yield each.gift_id
            yield each.source
            yield each.destination
            if each.lot_id is not None:
                yield each.lot_id
    elif isinstance(record, Closing):
        yield record.closing_id
        yield from record.places
    elif isinstance(record, Hold):
        yield from (record.hold_id, record.gift_id, record.place)
        if record.lot_id is not None:
            yield record.lot_id
    else:
        yield from (record.release_id, record.hold_id)
