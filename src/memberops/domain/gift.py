"""Gifts, their lots, and the places and accounts between which they move."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.money import Money
from memberops.domain.values import identifier, plain_date, whole_number
from memberops.errors import InvalidValueError, UnknownPlaceError, bounded, nearest

__all__ = ["POINTS", "Gift", "Lot", "Place", "PlaceKind"]

POINTS = "points"
"""The gift id under which points are kept: they live in the same kind of ledger."""


class PlaceKind(StrEnum):
    """
    What a place or a named account is: the first word of its id.

    Own places hold goods of the chain and never fall below zero; accounts stand for
    where goods come from and go to.
    """

    WAREHOUSE = "warehouse"
    STORE = "store"
    IN_TRANSIT = "in_transit"
    WALLET = "wallet"
    SUPPLIER = "supplier"
    MEMBER = "member"
    DESTROYED = "destroyed"
    ADJUSTMENT = "adjustment"
    OPENING = "opening"
    PROGRAM = "program"

    @property
    def own(self) -> bool:
        """Whether goods of the chain or points of a member are there, never below 0."""
        return self in _OWN

    @property
    def named(self) -> bool:
        """Whether it must be said which one, as of a store or a wallet."""
        return self in {PlaceKind.STORE, PlaceKind.WALLET}


_OWN = frozenset(
    {
        PlaceKind.WAREHOUSE,
        PlaceKind.STORE,
        PlaceKind.IN_TRANSIT,
        PlaceKind.WALLET,
    }
)
_KINDS = {kind.value: kind for kind in PlaceKind}


def lies_within(place: str, other: str) -> bool:
    """
    Tell if a place is *other* or a part of it, by their ids.

    >>> lies_within("store:S01:shelf", "store:S01")
    True
    >>> lies_within("store:S012", "store:S01")
    False
    """
    return place == other or place.startswith(f"{other}:")


def check_scope(text: str) -> str:
    """
    Return the id of a place, or of all places of a kind, or raise.

    Raises:
        UnknownPlaceError: It begins with no `PlaceKind`.
        InvalidValueError: It is no id of a place.

    >>> check_scope("store"), check_scope("store:S01")
    ('store', 'store:S01')
    """
    return text if text in _KINDS else Place(text).text


@attrs.frozen(order=True)
class Place:
    """
    A place or a named account, written as ``kind`` or ``kind:name`` (HQ §7).

    The central warehouse is ``warehouse``, a store ``store:S01``, goods on the way to
    it ``in_transit:S01``, what members got ``member`` or ``member:M001``, a member's
    points ``wallet:M001``. ``supplier``, ``destroyed``, ``adjustment`` and ``opening``
    are where goods come from and go to; ``program`` is it for points, as in
    ``program:spent``. A name may have parts of its own, ``warehouse:east:shelf 3``,
    and `within` tells what lies in what.

    Args:
        text: The id, as it stands in movements.

    Raises:
        UnknownPlaceError: It begins with no `PlaceKind`.
        InvalidValueError: It is no text, a part is empty or has spaces around it,
            or a store or wallet has no name.

    >>> Place("store:S01").kind, Place("store:S01").name
    (<PlaceKind.STORE: 'store'>, 'S01')
    >>> Place("store:S01").within("store"), Place("store:S012").within("store:S01")
    (True, False)
    """

    text: str = attrs.field()

    @text.validator
    def _check_text(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str):
            raise InvalidValueError(
                f"a place is text such as 'store:S01', not a {type(value).__name__}"
            )
        kind, *names = value.split(":")
        if kind not in _KINDS:
            raise UnknownPlaceError(
                f"no place or account begins with {bounded([kind])}; "
                f"{nearest(kind, _KINDS)}; a store is written 'store:S01'"
            )
        if any(not name or name != name.strip() for name in names):
            raise InvalidValueError(
                f"a part of the place {bounded([value])} is empty or has spaces "
                "around it"
            )
        if not names and _KINDS[kind].named:
            raise InvalidValueError(f"{kind!r} must say which one, as in '{kind}:S01'")

    @property
    def kind(self) -> PlaceKind:
        """Store, warehouse or which account."""
        return _KINDS[self.text.partition(":")[0]]

    @property
    def name(self) -> str:
        """Which one of its kind; empty if there is only one."""
        return self.text.partition(":")[2]

    @property
    def own(self) -> bool:
        """Whether its stock never falls below zero."""
        return self.kind.own

    def within(self, other: str) -> bool:
        """Tell if this place is *other* or a part of it."""
        return lies_within(self.text, other)

    def __str__(self) -> str:
        """Return the id."""
        return self.text


@attrs.frozen(kw_only=True)
class Gift:
    """
    A gift that the chain keeps in stock (HQ §7).

    Args:
        gift_id: The chain's id of it.
        name: As people say it.
        unit_value: What one is worth in the books, if known.
        points_price: Points that a member gives for one; None if not for points.
        has_lots: Whether every movement names the lot.

    Raises:
        InvalidValueError: A value below zero, or a price of less than one point.

    >>> Gift(gift_id="G1", name="茶杯", points_price=500).points_price
    500
    """

    gift_id: str = attrs.field(validator=identifier)
    name: str = ""
    unit_value: Money | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(Money)),
    )
    points_price: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(whole_number)
    )
    has_lots: bool = False

    @unit_value.validator
    def _check_value(self, _attribute: object, value: Money | None) -> None:
        if value is not None and value.minor < 0:
            raise InvalidValueError("'unit_value' must not be below zero")

    @points_price.validator
    def _check_price(self, _attribute: object, value: int | None) -> None:
        if value is not None and value < 1:
            raise InvalidValueError(
                f"'points_price' is at least 1 (got {value}); "
                "None says that the gift is not given for points"
            )


@attrs.frozen(kw_only=True)
class Lot:
    """
    Goods of one batch, which expire on one day.

    Args:
        lot_id: The batch; ``""`` for goods without lots.
        valid_through: Last day on which it may be given, inclusive; None: it keeps.

    >>> lot = Lot(lot_id="A", valid_through=dt.date(2026, 9, 3))
    >>> lot.expired(dt.date(2026, 9, 3)), lot.expired(dt.date(2026, 9, 4))
    (False, True)
    """

    lot_id: str = attrs.field(validator=attrs.validators.instance_of(str))
    valid_through: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )

    def expired(self, on: dt.date) -> bool:
        """
        Tell if the lot is past its last day on that day: the one rule for "expired".

        Args:
            on: Local calendar day of the place.
        """
        return self.valid_through is not None and on > self.valid_through
