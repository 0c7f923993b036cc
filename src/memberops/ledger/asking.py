"""Whether an answer of nothing may be given, or what was asked for is mistyped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memberops.domain.gift import lies_within
from memberops.errors import UnknownGiftError, UnknownPlaceError
from memberops.ledger.storable import storable

if TYPE_CHECKING:
    from memberops.ledger.store import LedgerStore

__all__ = ["check_asked"]


def check_asked(ledger: LedgerStore, gift_id: str, place: str) -> None:
    """
    Refuse to answer that there is nothing of what the rules do not list.

    A gift or place that was taken off the lists, and moved before, is answered for.

    Args:
        ledger: Any ledger.
        gift_id: The gift.
        place: A place, account, or kind of them.

    Raises:
        UnknownGiftError: The rules list gifts, not this one, and it never moved.
        UnknownPlaceError: The same of the place.

    >>> from memberops.domain import Gift
    >>> from memberops.ledger import Ledger, LedgerRules
    >>> ledger = Ledger(LedgerRules(gifts=[Gift(gift_id="BAG")]))
    >>> check_asked(ledger, "BGA", "warehouse")
    Traceback (most recent call last):
    memberops.errors.UnknownGiftError: the ledger has no gift 'BGA'; did you mean 'BAG'?
    """
    try:
        ledger.rules.check_gift(gift_id, "any")
    except UnknownGiftError:
        if not storable(gift_id) or ledger.movements(gifts=[gift_id]).empty:
            raise
    try:
        ledger.rules.check_scope(place)
    except UnknownPlaceError:
        moved = ledger.movements()
        touched = {*moved["source"], *moved["destination"]}
        if not any(lies_within(each, place) for each in touched):
            raise
