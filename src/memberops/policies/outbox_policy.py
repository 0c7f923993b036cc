"""By which rules an outbox lets messages leave, tries again and gives up (HQ §6.1)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, cast

import attrs

from memberops.domain.message import (
    BatchApproval,
    MessageBatch,
    MessageKind,
    MessageProblem,
)
from memberops.domain.money import Money
from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError
from memberops.policies.contact import Contact, ContactPolicy
from memberops.policies.contact_hours import zones_of
from memberops.policies.message_approval import approval_reasons, role_names
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.sms_segments import SmsRule, sms_segments

__all__ = ["ApprovalState", "OutboxPolicy", "RetryPolicy", "approval_state"]

ApprovalState = Literal["approved", "waiting", "refused", "void"]

_UNIT = 1 << 64


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, dt.timedelta) or value <= dt.timedelta(0):
        raise InvalidValueError(f"{attribute.name!r} must be a duration above zero")


def _kinds(values: Iterable[MessageKind | str]) -> frozenset[MessageKind]:
    return frozenset(MessageKind(value) for value in values)


def _problems(values: Iterable[MessageProblem | str]) -> frozenset[MessageProblem]:
    return frozenset(MessageProblem(value) for value in values)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    When a message that was surely not accepted is tried again, and how often.

    The wait doubles from *first* to *most_wait*; half of it is fixed and half is
    drawn from the message's id and the attempt, so that a crowd spreads out and a
    test can foretell it. What the provider asks to wait is kept, up to *most_asked*.

    Args:
        attempts: How many requests a message gets at most, of those that count.
        first: The wait after the first.
        most_wait: The longest wait by itself.
        most_asked: The longest wait that a provider can ask for.
        passing: Problems that pass without anybody changing the message, such as a
            rate, an empty account or a wrong key: a request that met one counts as
            no try, and the message is tried until its batch closes.

    Raises:
        InvalidValueError: A number is not above zero.

    >>> wait = RetryPolicy().wait("S1", attempt=1)
    >>> dt.timedelta(seconds=1) <= wait <= dt.timedelta(seconds=2)
    True
    >>> asked = dt.timedelta(seconds=90)
    >>> RetryPolicy().wait("S1", attempt=1, asked=asked) == asked
    True
    """

    attempts: int = attrs.field(default=5, validator=whole_number)
    first: dt.timedelta = attrs.field(
        default=dt.timedelta(seconds=2), validator=_positive
    )
    most_wait: dt.timedelta = attrs.field(
        default=dt.timedelta(minutes=10), validator=_positive
    )
    most_asked: dt.timedelta = attrs.field(
        default=dt.timedelta(hours=1), validator=_positive
    )
    passing: frozenset[MessageProblem] = attrs.field(
        default=(
            MessageProblem.THROTTLED,
            MessageProblem.NUMBER_LIMIT,
            MessageProblem.BALANCE,
            MessageProblem.AUTHENTICATION,
            MessageProblem.CONNECTION,
        ),
        converter=_problems,
    )

    @attempts.validator
    def _check_attempts(self, _attribute: object, value: Any) -> None:
        if value < 1:
            raise InvalidValueError("'attempts' must be 1 or more")

    def wait(
        self, message_id: str, *, attempt: int, asked: dt.timedelta | None = None
    ) -> dt.timedelta:
        """
        Return how long to wait after an attempt.

        Args:
            message_id: Of the message: another id, another draw.
            attempt: Number of the attempt that failed, from 1.
            asked: What the provider asked for; none or less than nothing is ignored.
        """
        times = 1 << max(attempt - 1, 0)
        grown = times <= self.most_wait // self.first
        full = self.first * times if grown else self.most_wait
        source = f"{attempt}:{message_id}".encode()
        drawn = int.from_bytes(hashlib.blake2b(source, digest_size=8).digest())
        own = full / 2 + full / 2 * (drawn / _UNIT)
        return max(own, min(asked or own, self.most_asked))


@attrs.frozen(kw_only=True)
class OutboxPolicy:
    """
    What is checked when a message is claimed, in the transaction that claims it.

    Args:
        contact: Windows, quiet hours and caps, those of the visits.
        roles: In which roles a batch is approved, each by another person, none of
            them its author (HQ §6.1).
        retry: When what was surely not accepted is tried again.
        settle: How long after an attempt's outcome was given up a provider's "not
            found" is believed; at least twice the provider's own time-out.
        resend_notices: Whether a notice that the provider surely does not have may
            be sent again. Marketing never is.
        consent: Kinds that need a recorded consent.
        opt_out: Kinds that an opt-out stops.
        price: Of one part.
        unpriced: Whether a batch may come without a price: then only what the
            provider says counts against its cost cap, and where it says nothing,
            nothing does.
        length: How parts are counted: ``"mainland"``, ``"gsm"`` or an `SmsRule`.
        texts: By which rules each text is checked once more as it is enqueued, and
            that its template makes it of its variables; None trusts whoever made
            the messages.

    Raises:
        InvalidValueError: A value cannot be, such as no roles: nobody would approve.

    >>> OutboxPolicy().roles
    ('customer_service_manager', 'brand_manager')
    """

    contact: ContactPolicy = attrs.field(factory=ContactPolicy)
    roles: tuple[str, ...] = attrs.field(
        default=("customer_service_manager", "brand_manager"), converter=role_names
    )
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    settle: dt.timedelta = attrs.field(
        default=dt.timedelta(seconds=60), validator=_positive
    )
    resend_notices: bool = False
    consent: frozenset[MessageKind] = attrs.field(
        default=(MessageKind.MARKETING,), converter=_kinds
    )
    opt_out: frozenset[MessageKind] = attrs.field(
        default=tuple(MessageKind), converter=_kinds
    )
    price: Money | None = None
    unpriced: bool = False
    length: str | SmsRule = "mainland"
    texts: MessagePolicy | None = None

    @classmethod
    def sharing(cls, messages: MessagePolicy, **changes: Any) -> OutboxPolicy:
        """
        Make a policy with the hours, caps, roles, kinds, price and texts of messages.

        Args:
            messages: The chain's policy of messages.
            **changes: Fields of this policy.

        >>> OutboxPolicy.sharing(MessagePolicy(roles=("boss",))).roles
        ('boss',)
        """
        shared = {
            "contact": messages.contact,
            "roles": messages.roles,
            "consent": messages.consent_for,
            "price": messages.price,
            "length": messages.length,
            "texts": messages,
        }
        return cls(**{**shared, **changes})

    def estimate(self, text: str) -> int:
        """Return what a message may cost, in minor units; 0 if no price is known."""
        if self.price is None:
            return 0
        return self.price.minor * self.parts(text)

    def parts(self, text: str) -> int:
        """Return how many parts a text has."""
        return sms_segments(text, rule=self.length).segments

    def refusal(self, kind: MessageKind, consent: bool | None) -> str:  # noqa: FBT001 - a fact
        """
        Return why a member may not be written to; empty if they may.

        Args:
            kind: Of the message.
            consent: What the member said last; None if nothing is recorded.
        """
        if consent is False and kind in self.opt_out:
            return "opted_out"
        if consent is not True and kind in self.consent:
            return "no_consent"
        return ""

    def opens(self, at: dt.datetime, zone: str) -> dt.datetime | None:
        """
        Return when messages may next be sent to a zone; *at* itself if now.

        Args:
            at: The moment.
            zone: Of the message: the member's, and the store's if it is another.

        Returns:
            A moment, or None if the windows never open within a month.
        """
        return self.hours(at, zone)[0]

    def hours(
        self, at: dt.datetime, zone: str
    ) -> tuple[dt.datetime | None, dt.datetime]:
        """
        Return when messages may next be sent to a zone, and from when on not again.

        Args:
            at: The moment.
            zone: Of the message: the member's, and the store's if it is another.

        Returns:
            See `opens`; and the end of those hours, *at* if there are none.
        """
        own, store = zones_of(zone)
        slot = self.contact.first_slot("sms", after=at, zone=own, store_zone=store).slot
        if slot is None:
            return None, at
        return max(slot.starts_at, at), slot.ends_at

    def room(
        self, at: dt.datetime, zone: str, contacts: Collection[Contact]
    ) -> tuple[dt.datetime | None, str]:
        """
        Return when the caps leave room for one more message, and which one does not.

        Args:
            at: The moment.
            zone: Of the message: the member's, and the store's if it is another.
            contacts: What was, may have been and will be done with the member.

        Returns:
            *at* and an empty text if there is room now.
        """
        own, store = zones_of(zone)
        broken = self.contact.broken_caps("sms", at, zone=own, contacts=contacts)
        if not broken:
            return at, ""
        answer = self.contact.first_slot(
            "sms", after=at, zone=own, store_zone=store, contacts=contacts
        )
        later = None if answer.slot is None else max(answer.slot.starts_at, at)
        return later, broken[0].name


def approval_state(
    batch: MessageBatch,
    approvals: Iterable[BatchApproval],
    *,
    roles: Sequence[str],
) -> ApprovalState:
    """
    Tell how a batch stands with those who approve it, see `MessagePolicy.approval`.

    Every word that was written counts, in the order in which they were written and
    whatever its speaker's clock said: a withdrawal by a clock that is late must not
    lose against a grant that came before it.

    Args:
        batch: As it is now.
        approvals: All words on it, the first that was written first.
        roles: The roles that are needed.

    Returns:
        ``approved``, ``waiting``, ``refused`` or ``void``.
    """
    outcome, _ = approval_reasons(
        batch, approvals, roles=roles, as_of=batch.created_at, in_order=True
    )
    return cast("ApprovalState", outcome)
