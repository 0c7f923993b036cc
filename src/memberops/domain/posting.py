"""Postings: what moved from where to where, and the form in which it is compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.canonical import (
    a_flag,
    a_place,
    a_quantity,
    a_text,
    an_id,
    canonical_json,
    instant_text,
    storable,
    to_utc,
)
from memberops.domain.values import aware_instant, plain_date
from memberops.errors import InvalidValueError, bounded, nearest

__all__ = ["Movement", "Posting", "PostingKind"]

_optional_id = attrs.validators.optional(an_id)


class PostingKind(StrEnum):
    """What a posting is, in the words of the gift forms (HQ §7, CLINIC, STORE)."""

    OPENING = "opening"
    RECEIPT = "receipt"
    DISPATCH = "dispatch"
    ARRIVAL = "arrival"
    TRANSFER = "transfer"
    ISSUE = "issue"
    REDEMPTION = "redemption"
    RETURN = "return"
    DAMAGE = "damage"
    DESTRUCTION = "destruction"
    ADJUSTMENT = "adjustment"
    AWARD = "award"
    SPEND = "spend"
    EXPIRY = "expiry"
    REVERSAL = "reversal"


def _kind(value: Any) -> PostingKind:
    try:
        return PostingKind(value)
    except ValueError:
        raise InvalidValueError(
            f"no posting is of the kind {bounded([value])}; "
            f"{nearest(str(value), [kind.value for kind in PostingKind])}"
        ) from None


@attrs.frozen(kw_only=True)
class Movement:
    """
    So many of one gift from one place to another.

    Args:
        gift_id: What.
        source: Id of a `Place` or account; it loses the quantity.
        destination: Id of another; it gains it.
        quantity: Whole number from 1 to 2^63 - 1.
        lot_id: The lot, if the gift has lots.
        valid_through: Last day of the lot, inclusive; None if it keeps. The same
            in every movement of the lot.

    Raises:
        InvalidValueError: A quantity that is no whole number (a bool, float, NaN or
            Decimal), is below 1 or too large; a movement to where it comes from; an
            expiry without a lot.
        UnknownPlaceError: A place that begins with no known kind.

    >>> Movement(gift_id="G1", source="supplier", destination="warehouse", quantity=5)
    Movement(gift_id='G1', source='supplier', destination='warehouse', quantity=5, \
lot_id=None, valid_through=None)
    """

    gift_id: str = attrs.field(validator=an_id)
    source: str = attrs.field(validator=a_place)
    destination: str = attrs.field(validator=a_place)
    quantity: int = attrs.field(validator=a_quantity)
    lot_id: str | None = attrs.field(default=None, validator=_optional_id)
    valid_through: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )

    @destination.validator
    def _check_destination(self, _attribute: object, value: Any) -> None:
        if value == self.source:
            raise InvalidValueError("a movement ends elsewhere than it begins")

    @valid_through.validator
    def _check_valid_through(self, _attribute: object, value: Any) -> None:
        if value is not None and self.lot_id is None:
            raise InvalidValueError("'valid_through' belongs to a lot: name 'lot_id'")

    def turned(self) -> Movement:
        """Return the movement back."""
        return attrs.evolve(self, source=self.destination, destination=self.source)

    def document(self) -> dict[str, object]:
        """Return the plain form: text, whole numbers and None."""
        through = self.valid_through
        return {
            "destination": self.destination,
            "gift_id": self.gift_id,
            "lot_id": self.lot_id,
            "quantity": self.quantity,
            "source": self.source,
            "valid_through": None if through is None else through.isoformat(),
        }


def _movements(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterable) else value


def _references(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple(sorted((kind, name) for kind, name in pairs))


@attrs.frozen(kw_only=True)
class Posting:
    """
    One entry of the gift ledger: all of its movements, or none (HQ §7).

    Args:
        posting_id: The client's key, made once and kept before it is sent: the same
            key with the same contents counts once.
        kind: `PostingKind`.
        effective_at: Aware instant at which the goods moved; kept in UTC.
        movements: At least one `Movement`.
        reason: Why, in words; kept out of the repr, for it may name a person. A
            ledger writes none with spaces around it.
        by: Id of who posted it.
        refers_to: What it rests on, as pairs of kind and id: ``("ticket", "T1")``,
            ``("application", "A7")``, ``("count_line", "C3-12")``,
            ``("witness", "E5")``, ``("hold", "H1")``; a mapping does too.
        reverses: Key of the posting that this one takes back, and of no other kind
            than ``reversal``.
        late: Whether it may enter a closed period, knowingly.

    Raises:
        InvalidValueError: No movement, a naive instant, a reversal that names nothing
            or another kind that reverses.

    >>> from zoneinfo import ZoneInfo
    >>> noon = dt.datetime(2026, 10, 1, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> got = Posting(posting_id="P1", kind="receipt", effective_at=noon, by="E1",
    ...     movements=[Movement(gift_id="G1", source="supplier",
    ...                         destination="warehouse", quantity=5)])
    >>> print(got.effective_at)
    2026-10-01 04:00:00+00:00
    >>> print(got.canonical()[:55])
    {"by":"E1","effective_at":"2026-10-01T04:00:00.000000Z"
    """

    posting_id: str = attrs.field(validator=an_id)
    kind: PostingKind = attrs.field(converter=_kind)
    effective_at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    movements: tuple[Movement, ...] = attrs.field(converter=_movements)
    reason: str = attrs.field(default="", validator=a_text, repr=False)
    by: str | None = attrs.field(default=None, validator=_optional_id)
    refers_to: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=_references
    )
    reverses: str | None = attrs.field(default=None, validator=_optional_id)
    late: bool = attrs.field(default=False, validator=a_flag)

    @movements.validator
    def _check_movements(self, _attribute: object, value: Any) -> None:
        if (
            not isinstance(value, tuple)
            or not value
            or not all(isinstance(each, Movement) for each in value)
        ):
            raise InvalidValueError("a posting has at least one Movement")

    @refers_to.validator
    def _check_references(self, _attribute: object, value: Any) -> None:
        if not all(
            isinstance(part, str) and part and part == part.strip() and storable(part)
            for pair in value
            for part in pair
        ):
            raise InvalidValueError(
                "'refers_to' holds pairs of text, such as ('ticket', 'T1')"
            )

    @reverses.validator
    def _check_reverses(self, _attribute: object, value: Any) -> None:
        if (value is not None) != (self.kind is PostingKind.REVERSAL):
            raise InvalidValueError(
                "a reversal names in 'reverses' what it takes back, and nothing else "
                "does"
            )

    def references(self, kind: str) -> tuple[str, ...]:
        """Return the ids of that kind that it refers to."""
        return tuple(name for each, name in self.refers_to if each == kind)

    def document(self) -> dict[str, object]:
        """Return the plain form: text, whole numbers, lists and None."""
        return {
            "by": self.by,
            "effective_at": instant_text(self.effective_at),
            "kind": self.kind.value,
            "late": self.late,
            "movements": [each.document() for each in self.movements],
            "posting_id": self.posting_id,
            "reason": self.reason,
            "refers_to": [list(pair) for pair in self.refers_to],
            "reverses": self.reverses,
        }

    def canonical(self) -> str:
        """Return the one text of its contents, for comparison and the hash chain."""
        return canonical_json(self.document())

    def reversal(
        self,
        posting_id: str,
        *,
        effective_at: dt.datetime,
        by: str | None = None,
        reason: str = "",
        late: bool = False,
    ) -> Posting:
        """
        Return the posting that takes this one back, movement by movement.

        Args:
            posting_id: Key of the reversal.
            effective_at: Aware instant, not before this posting's own.
            by: Who takes it back.
            reason: Why.
            late: Whether it may enter a closed period, knowingly.
        """
        return Posting(
            posting_id=posting_id,
            kind=PostingKind.REVERSAL,
            effective_at=effective_at,
            movements=tuple(each.turned() for each in self.movements),
            reason=reason,
            by=by,
            refers_to=[pair for pair in self.refers_to if pair[0] != "hold"],
            reverses=self.posting_id,
            late=late,
        )
