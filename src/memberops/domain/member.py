"""Members and their cards."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.values import identifier, mask, mask_name, plain_date
from memberops.errors import InvalidValueError

__all__ = ["BirthdayCalendar", "Card", "Gender", "Member"]

_optional_date = attrs.validators.optional(plain_date)
_optional_id = attrs.validators.optional(identifier)


def _hidden(value: object) -> str:
    return "None" if value is None else "*****"


class Gender(StrEnum):
    """A member's gender as the chain records it; `UNKNOWN` is a band of its own."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class BirthdayCalendar(StrEnum):
    """The calendar in which a member keeps the birthday (HQ §4.1)."""

    SOLAR = "solar"
    LUNAR = "lunar"


@attrs.frozen(kw_only=True)
class Member:
    """
    A person enrolled in the programme (HQ §4.1).

    Name, phone, birth date and lunar birthday are masked in the repr; read the
    attributes to see them.

    Args:
        member_id: The chain's id of the member.
        name: Personal.
        phone: Personal.
        gender: A `Gender`.
        birth_date: Personal.
        birthday_calendar: A `BirthdayCalendar`, or its word; solar by default.
        lunar_birthday: Lunar month and day, as in ``"08-15"`` or ``"L06-01"``; None
            if it follows from the birth date. Personal.
        store_id: The store that enrolled the member.
        joined_on: Day of enrolment.
        referrer_id: The member who brought this one in, if any.

    >>> Member(member_id="M1", name="王小明", phone="13812345678")
    Member(member_id='M1', name=*****, phone=*******5678, ...)
    """

    member_id: str = attrs.field(validator=identifier)
    name: str | None = attrs.field(
        default=None, repr=lambda value: str(mask_name(value))
    )
    phone: str | None = attrs.field(default=None, repr=lambda value: str(mask(value)))
    gender: Gender = attrs.field(default=Gender.UNKNOWN, converter=Gender)
    birth_date: dt.date | None = attrs.field(
        default=None,
        validator=_optional_date,
        repr=_hidden,
    )
    birthday_calendar: BirthdayCalendar = attrs.field(
        default=BirthdayCalendar.SOLAR, converter=BirthdayCalendar
    )
    lunar_birthday: str | None = attrs.field(
        default=None, validator=_optional_id, repr=_hidden
    )
    store_id: str | None = attrs.field(default=None, validator=_optional_id)
    joined_on: dt.date | None = attrs.field(default=None, validator=_optional_date)
    referrer_id: str | None = attrs.field(default=None, validator=_optional_id)


@attrs.frozen(kw_only=True)
class Card:
    """
    A membership term (HQ §4.2): both of its dates are inclusive.

    Args:
        card_id: Number of the card.
        member_id: Whose card it is.
        valid_from: First day from which it is valid without a break; in the table of
            cards, which has one row a term, the first day of the term.
        valid_through: Last day that is paid, still valid.
        anchor: The day the first term began: terms count from it, so that a
            card of the 31st or of 29 February does not drift. Defaults to
            *valid_from*.
        kind: Kind of card, which may have its own term, fee and grace.
        store_id: The store that issued the card.

    Raises:
        InvalidValueError: The card ends before it begins, or its anchor lies
            after its first day.

    >>> from datetime import date
    >>> Card(card_id="C1", member_id="M1",
    ...      valid_from=date(2026, 1, 1), valid_through=date(2026, 12, 31)).kind
    'standard'
    """

    card_id: str = attrs.field(validator=identifier)
    member_id: str = attrs.field(validator=identifier)
    valid_from: dt.date = attrs.field(validator=plain_date)
    valid_through: dt.date = attrs.field(validator=plain_date)
    anchor: dt.date = attrs.field(
        default=attrs.Factory(lambda self: self.valid_from, takes_self=True),
        validator=plain_date,
    )
    kind: str = attrs.field(default="standard", validator=identifier)
    store_id: str | None = attrs.field(default=None, validator=_optional_id)

    @valid_through.validator
    def _check_order(self, _attribute: object, value: Any) -> None:
        if value < self.valid_from:
            raise InvalidValueError(
                f"card ends on {value} before it begins on {self.valid_from}: "
                "valid_from <= valid_through"
            )

    @anchor.validator
    def _check_anchor(self, _attribute: object, value: Any) -> None:
        if value > self.valid_from:
            raise InvalidValueError(
                f"the anchor {value} lies after the term's first day "
                f"{self.valid_from}: it is the day the first term began"
            )
