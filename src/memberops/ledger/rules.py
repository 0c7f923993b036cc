"""What a ledger knows and allows: its gifts, its places, what may fall below zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from memberops.domain.gift import (
    POINTS,
    Gift,
    Place,
    PlaceKind,
    check_scope,
    lies_within,
)
from memberops.domain.gift_flow import OVER_RECEIPTS
from memberops.domain.posting import Movement
from memberops.errors import (
    InvalidValueError,
    LotConflictError,
    UnknownGiftError,
    UnknownPlaceError,
    bounded,
    nearest,
)

__all__ = ["LedgerRules"]

_KINDS = {kind.value: kind for kind in PlaceKind}
_LISTED = {PlaceKind.WAREHOUSE, PlaceKind.STORE, PlaceKind.IN_TRANSIT}


def _gifts(value: Iterable[Gift] | None) -> tuple[Gift, ...] | None:
    return None if value is None else tuple(value)


def _places(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        raise InvalidValueError("places are a list of place ids, not one text")
    return None if value is None else tuple(Place(str(each)).text for each in value)


def _below_zero(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValueError("'below_zero' is a list of place ids, not one text")
    return tuple(map(check_scope, value))


@attrs.frozen(kw_only=True)
class LedgerRules:
    """
    The rules of one ledger (HQ §7).

    Args:
        gifts: The gifts that may be posted; None: any. Points are always known.
        places: The warehouses and stores that may be posted; None: any. Parts of a
            listed place are known with it, and so are goods on the way to it, the
            accounts and the members' wallets.
        below_zero: Ids of own places or members, or kinds such as ``"store"``, whose
            stock may fall below zero: for a history that began before the ledger did.

    Raises:
        UnknownPlaceError: A place that begins with no `PlaceKind`.
        InvalidValueError: A gift is listed twice.

    >>> rules = LedgerRules(places=["warehouse", "store:S01"])
    >>> rules.knows_place("in_transit:S01"), rules.knows_place("store:S1")
    (True, False)
    >>> [LedgerRules().bounded(each) for each in ("store:S01", "member:M1", "member")]
    [True, True, False]
    """

    gifts: tuple[Gift, ...] | None = attrs.field(default=None, converter=_gifts)
    places: tuple[str, ...] | None = attrs.field(default=None, converter=_places)
    below_zero: tuple[str, ...] = attrs.field(default=(), converter=_below_zero)
    _by_id: dict[str, Gift] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(
            lambda self: {gift.gift_id: gift for gift in self.gifts or ()},
            takes_self=True,
        ),
    )

    @gifts.validator
    def _check_gifts(self, _attribute: object, value: tuple[Gift, ...] | None) -> None:
        ids = [gift.gift_id for gift in value or ()]
        if len(set(ids)) < len(ids):
            twice = sorted(gift_id for gift_id, n in Counter(ids).items() if n > 1)
            raise InvalidValueError(f"the gifts list {bounded(twice)} more than once")

    def gift(self, gift_id: str) -> Gift | None:
        """Return the gift of that id, if the ledger lists it."""
        return self._by_id.get(gift_id)

    def bounded(self, place: str) -> bool:
        """
        Tell if what is there must not fall below zero.

        That is so for own places, and for what a member who is named got: nothing
        comes back that was not given.
        """
        kind, _, name = place.partition(":")
        kept = _KINDS[kind].own or (kind == PlaceKind.MEMBER and name)
        return bool(kept) and not any(
            lies_within(place, each) for each in self.below_zero
        )

    @staticmethod
    def owes(place: str) -> bool:
        """Tell if the account says what is to be explained, and never more than 0."""
        return lies_within(place, OVER_RECEIPTS)

    def knows_place(self, place: str) -> bool:
        """Tell if the ledger takes postings from or to that place."""
        if self.places is None:
            return True
        here = Place(place)
        if here.kind not in _LISTED:
            return True
        if here.kind is PlaceKind.IN_TRANSIT:
            return not here.name or any(
                here.within(each) or lies_within(here.name, Place(each).name)
                for each in self.places
            )
        return any(here.within(each) for each in self.places)

    def check(self, movement: Movement) -> None:
        """
        Refuse a movement of what the ledger does not know.

        Raises:
            UnknownGiftError: The gift is not listed.
            UnknownPlaceError: The source or destination is not.
            LotConflictError: The gift has lots, and the movement names none.
        """
        self.check_place(movement.source)
        self.check_place(movement.destination)
        self.check_gift(movement.gift_id, movement.lot_id)

    def check_place(self, place: str) -> None:
        """Refuse a place that the ledger does not know (`knows_place`)."""
        if not self.knows_place(place):
            raise UnknownPlaceError(
                f"the ledger has no place {bounded([place])}; "
                f"{nearest(place, self.places or ())}"
            )

    def check_scope(self, place: str) -> None:
        """Refuse a place, but not all places of a kind, that is not known."""
        if place not in set(PlaceKind):
            self.check_place(place)

    def check_gift(self, gift_id: str, lot_id: str | None) -> None:
        """Refuse a gift that is not listed, or one that lacks its lot."""
        if self.gifts is None or gift_id == POINTS:
            return
        gift = self.gift(gift_id)
        if gift is None:
            raise UnknownGiftError(
                f"the ledger has no gift {bounded([gift_id])}; "
                f"{nearest(gift_id, self._by_id)}"
            )
        if gift.has_lots and lot_id is None:
            raise LotConflictError(
                f"the gift {bounded([gift_id])} has lots: the movement names none"
            )
