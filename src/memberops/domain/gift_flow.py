"""The papers of the gift flow: applications, approvals, and what the flow asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

import attrs

from memberops.domain.canonical import a_quantity, a_text, an_id, to_utc
from memberops.domain.values import aware_instant, plain_date, whole_number
from memberops.errors import InvalidValueError, bounded, nearest

__all__ = [
    "OVER_RECEIPTS",
    "ApplicationPurpose",
    "DeliveryPlace",
    "FlowRules",
    "GiftApplication",
    "GiftApproval",
    "GiftReason",
    "ReceivedLot",
    "flow_key",
    "over_receipt_account",
    "place_of_delivery",
    "transit_place",
]

OVER_RECEIPTS = "adjustment:over_receipt"
"""The account of what deliveries brought beyond what was written."""

_TRANSIT, _OVER = "in_transit:", f"{OVER_RECEIPTS}:"
_PARTS = 3
_WORDS = ("tell", "refuse")


class GiftReason(StrEnum):
    """Why a member gets a gift (HQ §7)."""

    BIRTHDAY = "birthday"
    PROMOTION = "promotion"
    POINTS = "points"
    COMPLAINT = "complaint"


class ApplicationPurpose(StrEnum):
    """What a store wants gifts for (HQ §7); opening is a new store's first stock."""

    BIRTHDAY = "birthday"
    PROMOTION = "promotion"
    POINTS = "points"
    COMPLAINT = "complaint"
    REPLENISHMENT = "replenishment"
    OPENING = "opening"


def a_reason(value: Any) -> GiftReason:
    """Return a reason by its word, or raise `InvalidValueError`."""
    try:
        return GiftReason(value)
    except ValueError:
        raise _unknown(value, GiftReason) from None


def _purpose(value: Any) -> ApplicationPurpose:
    try:
        return ApplicationPurpose(value)
    except ValueError:
        raise _unknown(value, ApplicationPurpose) from None


def _unknown(value: object, words: Iterable[StrEnum]) -> InvalidValueError:
    return InvalidValueError(
        f"no gift is asked or given for {bounded([value])}; "
        f"{nearest(str(value), [each.value for each in words])}"
    )


def flow_key(kind: str, *parts: str | int) -> str:
    """
    Derive the key of a posting from the ids of its paper; no two papers share one.

    >>> flow_key("dispatch", "A-1", 2), flow_key("issue", "S01:7")
    ('dispatch:A-1:2', 'issue:S01%3A7')
    """
    return ":".join((kind, *(_escaped(str(part)) for part in parts)))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(":", "%3A")


def transit_place(store_id: str, application_id: str, number: int) -> str:
    """
    Name the place where one delivery is on its way: part of what goes to the store.

    >>> transit_place("S01", "A-1", 2)
    'in_transit:S01:A-1:2'
    """
    return f"{_TRANSIT}{store_id}:{_escaped(application_id)}:{number}"


def over_receipt_account(store_id: str, application_id: str, number: int) -> str:
    """Name the account of what a delivery brought beyond what was written."""
    return f"{_OVER}{store_id}:{_escaped(application_id)}:{number}"


@attrs.frozen(kw_only=True)
class DeliveryPlace:
    """
    Which delivery a place or account belongs to.

    Args:
        store_id: Where it goes.
        application_id: The application.
        number: Which of its deliveries.
        over: Whether it is the account of what came too much.
    """

    store_id: str
    application_id: str
    number: int
    over: bool


def place_of_delivery(text: str) -> DeliveryPlace | None:
    """
    Read what `transit_place` and `over_receipt_account` wrote; None for other places.

    >>> place_of_delivery("in_transit:S01:A%3A1:2").application_id
    'A:1'
    >>> place_of_delivery("in_transit:S01") is None
    True
    """
    over = text.startswith(_OVER)
    if not over and not text.startswith(_TRANSIT):
        return None
    parts = text.removeprefix(_OVER if over else _TRANSIT).rsplit(":", 2)
    if len(parts) != _PARTS or not (parts[2].isascii() and parts[2].isdecimal()):
        return None
    return DeliveryPlace(
        store_id=parts[0],
        application_id=parts[1].replace("%3A", ":").replace("%25", "%"),
        number=int(parts[2]),
        over=over,
    )


@attrs.frozen(kw_only=True)
class GiftApplication:
    """
    A store's application for gifts, 礼品申请单 (HQ §8).

    Args:
        application_id: Its number.
        store_id: The store that applies.
        gift_id: The gift.
        asked: How many, at least 1.
        purpose: `ApplicationPurpose`.
        applied_by: Who applies.
        applied_at: Aware instant; kept in UTC.

    Raises:
        InvalidValueError: A naive instant, no whole number, an unknown purpose.

    >>> GiftApplication(application_id="A-1", store_id="S01", gift_id="CUP", asked=20,
    ...     purpose="birthday", applied_by="E1",
    ...     applied_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC)).purpose.value
    'birthday'
    """

    application_id: str = attrs.field(validator=an_id)
    store_id: str = attrs.field(validator=an_id)
    gift_id: str = attrs.field(validator=an_id)
    asked: int = attrs.field(validator=a_quantity)
    purpose: ApplicationPurpose = attrs.field(converter=_purpose)
    applied_by: str = attrs.field(validator=an_id)
    applied_at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)

    @property
    def place(self) -> str:
        """Id of the store's place."""
        return f"store:{self.store_id}"


@attrs.frozen(kw_only=True)
class GiftApproval:
    """
    The answer to an application: in full, in part, or 0 for a refusal.

    Whether the approver may give it is asked of a policy beforehand; that nobody
    approves an application of their own is checked wherever it is used.

    Args:
        application_id: The application.
        approved: How many, from 0.
        approved_by: Who decides.
        approved_at: Aware instant.
        reason: Why, if it is not all.
    """

    application_id: str = attrs.field(validator=an_id)
    approved: int = attrs.field(validator=whole_number)
    approved_by: str = attrs.field(validator=an_id)
    approved_at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    reason: str = attrs.field(default="", validator=a_text)

    @approved.validator
    def _check_approved(self, _attribute: object, value: int) -> None:
        if value < 0:
            raise InvalidValueError("'approved' is at least 0, which is a refusal")

    def check(self, application: GiftApplication) -> None:
        """
        Refuse to stand for another application, or one that it cannot answer.

        Raises:
            InvalidValueError: It names another application, gives more than was
                asked, comes before it, or from who applied.
        """
        problem = ""
        if self.application_id != application.application_id:
            problem = f"answers another application than {application.application_id}"
        elif self.approved > application.asked:
            problem = f"gives {self.approved}, but {application.asked} were asked"
        elif self.approved_by == application.applied_by:
            problem = "comes from who applied: another person approves"
        elif self.approved_at < application.applied_at:
            problem = "is earlier than the application"
        if problem:
            raise InvalidValueError(
                f"the approval of {bounded([self.application_id])} {problem}"
            )


@attrs.frozen(kw_only=True)
class ReceivedLot:
    """
    What a store counted of one lot in a delivery.

    Args:
        quantity: How many, from 0.
        lot_id: The lot, if the gift has lots.
        valid_through: Last day of the lot; needed only where the ledger does not
            know the lot yet.
        gift_id: Which gift, if it is not the one applied for.
    """

    quantity: int = attrs.field(validator=whole_number)
    lot_id: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(an_id)
    )
    valid_through: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    gift_id: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(an_id)
    )

    @quantity.validator
    def _check_quantity(self, _attribute: object, value: int) -> None:
        if value < 0:
            raise InvalidValueError("what a store receives is at least 0")


def _span(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, dt.timedelta) or value <= dt.timedelta():
        raise InvalidValueError(f"{attribute.name!r} must be a time span above zero")


@attrs.frozen(kw_only=True)
class FlowRules:
    """
    What the flow of gifts asks for (HQ §7): the policy of its steps.

    The manual names the steps, and the witnesses of a destruction; how long a step
    may take is the chain's own decision.

    Args:
        witnesses: How many different people witness a destruction or a loss, beside
            who does it.
        approve_within: How long an application may wait for its answer.
        dispatch_within: How long what was approved may wait in the warehouse.
        receive_within: How long a delivery may be on its way.
        hold_for: How long a reservation lasts.
        unknown_members: Whether a gift for someone who is not in the table of members
            is told (``"tell"``) or refused (``"refuse"``). A table that is brought in
            once a day lacks who joined today, so the default tells.
        policy: Id of the policy.
        version: Version of the policy.

    >>> FlowRules().witnesses
    2
    """

    witnesses: int = attrs.field(default=2, validator=whole_number)
    approve_within: dt.timedelta = attrs.field(
        default=dt.timedelta(days=3), validator=_span
    )
    dispatch_within: dt.timedelta = attrs.field(
        default=dt.timedelta(days=3), validator=_span
    )
    receive_within: dt.timedelta = attrs.field(
        default=dt.timedelta(days=7), validator=_span
    )
    hold_for: dt.timedelta = attrs.field(
        default=dt.timedelta(minutes=30), validator=_span
    )
    unknown_members: Literal["tell", "refuse"] = attrs.field(default="tell")
    policy: str = attrs.field(default="gift-flow", validator=an_id)
    version: str = attrs.field(default="1", validator=an_id)

    @unknown_members.validator
    def _check_unknown_members(self, _attribute: object, value: object) -> None:
        if value not in _WORDS:
            raise InvalidValueError(
                f"'unknown_members' is {' or '.join(map(repr, _WORDS))}, "
                f"not {bounded([value])}"
            )

    @witnesses.validator
    def _check_witnesses(self, _attribute: object, value: int) -> None:
        if value < 0:
            raise InvalidValueError("'witnesses' is at least 0")
