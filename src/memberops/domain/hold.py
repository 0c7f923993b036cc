"""Holds: stock kept for someone until a moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from memberops.domain.canonical import (
    a_place,
    a_quantity,
    a_text,
    an_id,
    canonical_json,
    instant_text,
    to_utc,
)
from memberops.domain.values import aware_instant
from memberops.errors import InvalidValueError

__all__ = ["Hold", "Release"]

_optional_id = attrs.validators.optional(an_id)


@attrs.frozen(kw_only=True)
class Hold:
    """
    Stock that is kept for someone until a moment, without moving it.

    A posting that refers to the hold uses it up, in part or in full; `Release` gives
    it up; after *until* it lapses by itself.

    Args:
        hold_id: The client's key.
        gift_id: What is held.
        place: Where.
        quantity: How many.
        held_at: Aware instant from which it is held.
        until: Aware instant at which it lapses; None: never.
        lot_id: Which lot, if the gift has lots.
        by: Who holds it.
        reason: Why.
    """

    hold_id: str = attrs.field(validator=an_id)
    gift_id: str = attrs.field(validator=an_id)
    place: str = attrs.field(validator=a_place)
    quantity: int = attrs.field(validator=a_quantity)
    held_at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    until: dt.datetime | None = attrs.field(
        default=None,
        converter=to_utc,
        validator=attrs.validators.optional(aware_instant),
    )
    lot_id: str | None = attrs.field(default=None, validator=_optional_id)
    by: str | None = attrs.field(default=None, validator=_optional_id)
    reason: str = attrs.field(default="", validator=a_text, repr=False)

    @until.validator
    def _check_until(self, _attribute: object, value: Any) -> None:
        if value is not None and value <= self.held_at:
            raise InvalidValueError("a hold ends after it begins")

    def lasts(self, moment: dt.datetime) -> bool:
        """Tell if it has not lapsed by itself at a moment; its end is no part."""
        return self.until is None or moment < self.until

    def document(self) -> dict[str, object]:
        """Return the plain form: text, whole numbers and None."""
        return {
            "by": self.by,
            "gift_id": self.gift_id,
            "held_at": instant_text(self.held_at),
            "hold_id": self.hold_id,
            "lot_id": self.lot_id,
            "place": self.place,
            "quantity": self.quantity,
            "reason": self.reason,
            "until": None if self.until is None else instant_text(self.until),
        }

    def canonical(self) -> str:
        """Return the one text of its contents."""
        return canonical_json(self.document())


@attrs.frozen(kw_only=True)
class Release:
    """
    The end of a hold that was not used up.

    Args:
        release_id: The client's key.
        hold_id: The hold.
        at: Aware instant.
        by: Who gave it up.
    """

    release_id: str = attrs.field(validator=an_id)
    hold_id: str = attrs.field(validator=an_id)
    at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    by: str | None = attrs.field(default=None, validator=_optional_id)

    def document(self) -> dict[str, object]:
        """Return the plain form: text and None."""
        return {
            "at": instant_text(self.at),
            "by": self.by,
            "hold_id": self.hold_id,
            "release_id": self.release_id,
        }

    def canonical(self) -> str:
        """Return the one text of its contents."""
        return canonical_json(self.document())
