"""Messages: what is sent, by whom it was approved, and what became of it (HQ §6.1)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.money import Money
from memberops.domain.values import aware_instant, identifier, mask, whole_number
from memberops.errors import InvalidValueError

__all__ = [
    "BatchApproval",
    "Message",
    "MessageBatch",
    "MessageKind",
    "MessageProblem",
    "MessageReceipt",
    "MessageState",
    "MessageTemplate",
    "ReceiptStatus",
    "SendOutcome",
    "SendResult",
    "audience_digest",
    "message_digest",
    "message_id",
]


class MessageKind(StrEnum):
    """What a message is before the law: care and promotions are marketing."""

    MARKETING = "marketing"
    NOTICE = "notice"


class MessageState(StrEnum):
    """Where a message of the outbox stands; see `docs/explanation/messages.md`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELED = "canceled"


class SendOutcome(StrEnum):
    """
    What is known of one attempt after the request.

    ``accepted``: the provider said so. ``refused``: surely not accepted, and asking
    again would not help. ``postponed``: surely not accepted, may be tried again.
    ``unknown``: anything else, such as a time-out after the request had left.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    POSTPONED = "postponed"
    UNKNOWN = "unknown"


class ReceiptStatus(StrEnum):
    """What a provider's report or answer says of a message."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    NOT_FOUND = "not_found"


class MessageProblem(StrEnum):
    """Why a message was not taken or not delivered: one vocabulary for all."""

    THROTTLED = "throttled"
    NUMBER_LIMIT = "number_limit"
    OPTED_OUT = "opted_out"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    CONTENT = "content"
    TEMPLATE = "template"
    SIGNATURE = "signature"
    BALANCE = "balance"
    AUTHENTICATION = "authentication"
    REQUEST = "request"
    CARRIER = "carrier"
    EXPIRED = "expired"
    PROVIDER = "provider"
    CONNECTION = "connection"
    OTHER = "other"


def _hidden(_value: object) -> str:
    return "*****"


def _masked(value: str | None) -> str:
    return str(mask(value))


def _plain_text(_owner: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse anything but text, such as a phone that was read as a number."""
    if not isinstance(value, str):
        raise InvalidValueError(
            f"{attribute.name!r} must be text (got a {type(value).__name__})"
        )


def message_id(batch_id: str, member_id: str) -> str:
    """
    Return the id of a batch's message to a member: the same facts, the same id.

    >>> message_id("B1", "M1") == message_id("B1", "M1") != message_id("B", "1M1")
    True
    """
    text = f"{len(batch_id)}:{batch_id}{len(member_id)}:{member_id}"
    return "S" + hashlib.blake2b(text.encode(), digest_size=15).hexdigest()


@attrs.frozen(kw_only=True)
class MessageTemplate:
    """
    A text with named gaps, as a provider registered it.

    Args:
        template_id: The chain's own id.
        kind: A `MessageKind`.
        text: With ``${name}`` for each gap, without the signature.
        signature: The chain's, without brackets.
        provider: Name of the provider that registered it; empty for any.
        code: The provider's code of it; empty if texts are sent as they are.

    >>> MessageTemplate(template_id="T1", kind="marketing", signature="示例店",
    ...     text="${name}，生日快乐！拒收请回复R").kind.value
    'marketing'
    """

    template_id: str = attrs.field(validator=identifier)
    kind: MessageKind = attrs.field(converter=MessageKind)
    text: str
    signature: str
    provider: str = ""
    code: str = ""


@attrs.frozen(kw_only=True)
class Message:
    """
    One message to one member, as it stands in the outbox before any attempt.

    Args:
        message_id: See `message_id`; sent to the provider as our own id.
        batch_id: The approved batch it belongs to.
        member_id: Whom.
        phone: Personal, masked in the repr.
        text: As it will be read, signature included; hidden in the repr.
        variables: Values of the template's gaps, in its order; hidden in the repr.
        zone: The member's, an IANA name; the store's behind a space if it is another.
        store_id: The member's store, empty if none is known.
    """

    message_id: str = attrs.field(validator=identifier)
    batch_id: str = attrs.field(validator=identifier)
    member_id: str = attrs.field(validator=identifier)
    phone: str = attrs.field(repr=_masked, validator=_plain_text)
    text: str = attrs.field(repr=_hidden, validator=_plain_text)
    variables: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=tuple, repr=_hidden
    )
    zone: str = "Asia/Shanghai"
    store_id: str = attrs.field(default="", validator=_plain_text)

    @property
    def digest(self) -> str:
        """What is approved of it, see `message_digest`."""
        return message_digest(
            member_id=self.member_id,
            phone=self.phone,
            text=self.text,
            variables=self.variables,
            zone=self.zone,
        )


def message_digest(
    *,
    member_id: str,
    phone: str,
    text: str,
    variables: Iterable[tuple[str, str]] = (),
    zone: str,
) -> str:
    """
    Return SHA-256 (hex) of all that decides what a member gets, where and when.

    Some providers send the text, others fill the variables into a template of their
    own; consent and caps go by the member, quiet hours by the zone. So all are bound,
    each with its length before it.

    Args:
        member_id: Whose consent and caps are asked.
        phone: Where it goes.
        text: What it says.
        variables: Names and values of the gaps, in the order of the template.
        zone: IANA name.

    >>> one = {"member_id": "M1", "text": "0", "zone": "UTC"}
    >>> first = message_digest(phone="1", variables=[("a", "1")], **one)
    >>> first == message_digest(phone="1", variables=[("a", "2")], **one)
    False
    >>> first == message_digest(phone="11:a", variables=[("", "1")], **one)
    False
    """
    parts = [member_id, zone, phone, text]
    for pair in variables:
        parts += pair
    joined = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(joined.encode()).hexdigest()


def audience_digest(messages: Iterable[tuple[str, str]]) -> tuple[str, int]:
    """
    Return the fingerprint of who is written to what, and how many they are.

    Args:
        messages: Pairs of message id and `message_digest`, in any order: each is
            hashed and added up, so a million need no sorting.

    >>> one, two = ("S1", "aa"), ("S2", "bb")
    >>> audience_digest([one, two]) == audience_digest([two, one])
    True
    >>> audience_digest([one])[1]
    1
    """
    total, count = 0, 0
    for own, digest in messages:
        part = hashlib.sha256(f"{len(own)}:{own}{digest}".encode()).digest()
        total, count = (total + int.from_bytes(part)) % (1 << 256), count + 1
    return f"{total:064x}", count


@attrs.frozen(kw_only=True)
class MessageBatch:
    """
    What two people approve: a text, an audience, a window and a cap of the cost.

    Args:
        batch_id: Own id.
        template: What is written.
        sample: One rendered text of it, with a made-up member.
        audience: Fingerprint of all messages, see `audience_digest`.
        size: How many messages.
        opens_at: First moment at which one may leave.
        closes_at: Moment from which none may leave any more.
        cost_cap: What the batch may cost at most.
        author: Who made it; may not approve it.
        created_at: When.
    """

    batch_id: str = attrs.field(validator=identifier)
    template: MessageTemplate
    sample: str
    audience: str = attrs.field(validator=identifier)
    size: int = attrs.field(validator=whole_number)
    opens_at: dt.datetime = attrs.field(validator=aware_instant)
    closes_at: dt.datetime = attrs.field(validator=aware_instant)
    cost_cap: Money
    author: str = attrs.field(validator=identifier)
    created_at: dt.datetime = attrs.field(validator=aware_instant)

    def __attrs_post_init__(self) -> None:
        """Refuse a window that is empty, and a negative audience."""
        if self.closes_at <= self.opens_at:
            raise InvalidValueError("a batch closes after it opens")
        if self.size < 0:
            raise InvalidValueError("'size' is 0 or more")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that is approved; any change gives another."""
        document = attrs.asdict(self.template) | {
            "audience": self.audience,
            "author": self.author,
            "batch_id": self.batch_id,
            "closes_at": self.closes_at.astimezone(dt.UTC).isoformat(),
            "cost_cap": [str(self.cost_cap.amount), self.cost_cap.currency.code],
            "opens_at": self.opens_at.astimezone(dt.UTC).isoformat(),
            "sample": self.sample,
            "size": self.size,
        }
        text = json.dumps(document, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@attrs.frozen(kw_only=True)
class BatchApproval:
    """
    One person's word on a batch as it was at that moment.

    Args:
        batch_id: Which batch.
        fingerprint: `MessageBatch.fingerprint` of what was read.
        role: In which role, such as ``"customer_service_manager"``.
        actor: Who.
        at: When.
        granted: False for a refusal or a withdrawal.
        comment: Why.
    """

    batch_id: str = attrs.field(validator=identifier)
    fingerprint: str = attrs.field(validator=identifier)
    role: str = attrs.field(validator=identifier)
    actor: str = attrs.field(validator=identifier)
    at: dt.datetime = attrs.field(validator=aware_instant)
    granted: bool = True
    comment: str = ""


@attrs.frozen(kw_only=True)
class SendResult:
    """
    What one attempt came to for one recipient.

    Args:
        message_id: Our id.
        outcome: A `SendOutcome`.
        provider_message_id: The provider's id, where it gave one.
        problem: A `MessageProblem` if it was not accepted.
        raw_code: The provider's own code, kept as it came.
        retry_after: How long the provider asks to wait.
        segments: How many parts the provider says it bills; None if it does not say.
        cost: What the provider says it costs; None if it does not say.
        begun: False if its request had no room for it: it is no try, and postponed.
    """

    message_id: str = attrs.field(validator=identifier)
    outcome: SendOutcome = attrs.field(converter=SendOutcome)
    provider_message_id: str | None = None
    problem: MessageProblem | None = attrs.field(
        default=None, converter=attrs.converters.optional(MessageProblem)
    )
    raw_code: str = ""
    retry_after: dt.timedelta | None = None
    segments: int | None = None
    cost: Money | None = None
    begun: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse what came of a request that was never made."""
        if not self.begun and self.outcome is not SendOutcome.POSTPONED:
            raise InvalidValueError("what was not begun is postponed")


@attrs.frozen(kw_only=True)
class MessageReceipt:
    """
    A provider's report on a message, pushed or asked for.

    Args:
        provider: Name of the provider.
        status: A `ReceiptStatus`.
        message_id: Our id, where the provider echoes it.
        provider_message_id: The provider's id, where it gives it.
        at: When it happened, by the provider's clock; None if not said.
        problem: Why it was not delivered.
        raw_code: The provider's own code.
        segment: Number of the part, for providers that report each part.
        cost: What it cost, where said.
    """

    provider: str = attrs.field(validator=identifier)
    status: ReceiptStatus = attrs.field(converter=ReceiptStatus)
    message_id: str | None = None
    provider_message_id: str | None = None
    at: dt.datetime | None = attrs.field(
        default=None, validator=attrs.validators.optional(aware_instant)
    )
    problem: MessageProblem | None = attrs.field(
        default=None, converter=attrs.converters.optional(MessageProblem)
    )
    raw_code: str = ""
    segment: int | None = None
    cost: Money | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a receipt that says of no message."""
        if not (self.message_id or self.provider_message_id):
            raise InvalidValueError(
                "a receipt names a message: give 'message_id' or 'provider_message_id'"
            )
