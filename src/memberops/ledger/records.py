"""What a ledger writes: entries, one after the other, never changed."""

from __future__ import annotations

import attrs

from memberops.domain.canonical import a_text, canonical_json
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.domain.values import whole_number
from memberops.errors import OutOfStockError

__all__ = ["Entry", "Posted", "Record", "Refusal", "record_key", "record_type"]


@attrs.frozen(kw_only=True)
class Refusal:
    """
    A posting or hold that was refused for want of stock; its key is spent.

    Args:
        wanted: What was asked.
        gift_id: Of which there was too little.
        place: Where.
        lot_id: The lot; ``""`` without one.
        asked: How many were taken in all.
        available: How many could be.
    """

    wanted: Posting | Hold
    gift_id: str = attrs.field(validator=a_text)
    place: str = attrs.field(validator=a_text)
    lot_id: str = attrs.field(validator=a_text)
    asked: int = attrs.field(validator=whole_number)
    available: int = attrs.field(validator=whole_number)

    def error(self, *, replayed: bool, spent: bool = True) -> OutOfStockError:
        """Return the error that the caller gets; *spent* as there."""
        return OutOfStockError(
            self.gift_id,
            self.place,
            self.lot_id,
            self.asked,
            self.available,
            replayed,
            spent,
        )

    def document(self) -> dict[str, object]:
        """Return the plain form."""
        return {
            "asked": self.asked,
            "available": self.available,
            "gift_id": self.gift_id,
            "lot_id": self.lot_id,
            "place": self.place,
            "wanted": self.wanted.document(),
            "wanted_type": record_type(self.wanted),
        }


Record = Posting | Closing | Hold | Release | Refusal
"""What an entry may hold."""

_TYPES: dict[type, str] = {
    Posting: "posting",
    Closing: "closing",
    Hold: "hold",
    Release: "release",
    Refusal: "refusal",
}


def record_type(record: Record) -> str:
    """Return ``"posting"``, ``"closing"``, ``"hold"``, ``"release"``, ``"refusal"``."""
    return _TYPES[type(record)]


def record_key(record: Record) -> str:
    """Return the client's key: all records of a ledger share one space of keys."""
    if isinstance(record, Refusal):
        return record_key(record.wanted)
    if isinstance(record, Posting):
        return record.posting_id
    if isinstance(record, Closing):
        return record.closing_id
    return record.hold_id if isinstance(record, Hold) else record.release_id


@attrs.frozen(kw_only=True)
class Entry:
    """
    One line of the ledger.

    Args:
        sequence: Its number, from 1, which only ever grows; gaps are allowed.
        record: What it holds.
    """

    sequence: int
    record: Record

    @property
    def key(self) -> str:
        """The client's key."""
        return record_key(self.record)

    def document(self) -> dict[str, object]:
        """Return the plain form."""
        return {
            "record": self.record.document(),
            "sequence": self.sequence,
            "type": record_type(self.record),
        }

    def canonical(self) -> str:
        """Return the one text that is exported and chained."""
        return canonical_json(self.document())


@attrs.frozen(kw_only=True)
class Posted:
    """
    The receipt of what was written.

    Args:
        sequence: The number of the entry.
        replayed: Whether the key was there before, with the same contents: nothing
            was written now.
    """

    sequence: int
    replayed: bool
