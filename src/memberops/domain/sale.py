"""Sales: the lines of tickets, and the tickets they make."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from memberops.domain.money import Money
from memberops.domain.values import identifier, plain_date, whole_number
from memberops.errors import InvalidValueError

__all__ = ["SaleLine", "Ticket"]

_optional_id = attrs.validators.optional(identifier)


@attrs.frozen(kw_only=True)
class SaleLine:
    """
    One line of a ticket; a return has a negative quantity and amount.

    Args:
        ticket_id: The ticket, unique in the chain.
        sold_on: Local calendar day of the sale, in the store's zone.
        store_id: Where it was sold.
        amount: What was paid for the line, net of discounts; negative for a return.
        quantity: Units; negative for a return.
        member_id: The member, or None for other customers.
        item_id: What was sold, if known.
        returned_ticket_id: The ticket that a return line takes back, if linked.
    """

    ticket_id: str = attrs.field(validator=identifier)
    sold_on: dt.date = attrs.field(validator=plain_date)
    store_id: str = attrs.field(validator=identifier)
    amount: Money = attrs.field(validator=attrs.validators.instance_of(Money))
    quantity: int = attrs.field(validator=whole_number)
    member_id: str | None = attrs.field(default=None, validator=_optional_id)
    item_id: str | None = attrs.field(default=None, validator=_optional_id)
    returned_ticket_id: str | None = attrs.field(default=None, validator=_optional_id)


def _lines(lines: Any) -> tuple[SaleLine, ...]:
    return tuple(lines)


@attrs.frozen(kw_only=True)
class Ticket:
    """
    A ticket: the lines that were rung up together.

    Args:
        lines: At least one line; all of one ticket, day, store and member.

    Raises:
        InvalidValueError: There is no line, or the lines disagree.

    >>> from memberops.domain.money import Currency
    >>> cny = Currency("CNY")
    >>> line = SaleLine(ticket_id="T1", sold_on=dt.date(2026, 10, 1), store_id="S1",
    ...                 amount=Money.of("19.90", cny), quantity=2, member_id="M1")
    >>> ticket = Ticket(lines=[line])
    >>> ticket.amount, ticket.is_purchase
    (Money('19.90', 'CNY'), True)
    """

    lines: tuple[SaleLine, ...] = attrs.field(converter=_lines)

    @lines.validator
    def _check_lines(self, _attribute: object, value: tuple[SaleLine, ...]) -> None:
        if not value:
            raise InvalidValueError("a ticket has at least one line")
        first = value[0]
        for name in ("ticket_id", "sold_on", "store_id", "member_id"):
            if any(getattr(line, name) != getattr(first, name) for line in value):
                raise InvalidValueError(
                    f"the lines of one ticket must share their {name!r}"
                )

    @property
    def amount(self) -> Money:
        """The ticket's net amount."""
        total = self.lines[0].amount
        for line in self.lines[1:]:
            total = total + line.amount
        return total

    @property
    def quantity(self) -> int:
        """The ticket's net units."""
        return sum(line.quantity for line in self.lines)

    @property
    def is_purchase(self) -> bool:
        """Whether its net amount is above zero, so that it is a purchase (HQ §4.2)."""
        return self.amount.minor > 0
