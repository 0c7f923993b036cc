"""What may be written to members, by whom it is approved, and when it may leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

import attrs

from memberops.domain import Decision, Money, Reason, Statement
from memberops.domain.message import (
    BatchApproval,
    MessageBatch,
    MessageKind,
    MessageState,
    MessageTemplate,
)
from memberops.domain.values import check_as_of, identifier, whole_number
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.contact import ContactPolicy, zone_of
from memberops.policies.message_approval import approval_reasons, role_names
from memberops.policies.message_permission import SendFacts, permission
from memberops.policies.message_text import TextRules, filled, text_reason
from memberops.policies.sms_segments import MAINLAND_RULE, SmsRule, sms_rule
from memberops.policies.visit_policy import Suppression, VisitPolicy

__all__ = ["MessagePolicy"]

_PAIR = 2


def _kinds(values: Iterable[MessageKind | str]) -> frozenset[MessageKind]:
    return frozenset(MessageKind(value) for value in values)


def _states(values: Iterable[MessageState | str]) -> frozenset[MessageState]:
    return frozenset(MessageState(value) for value in values)


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _share(value: Any) -> Fraction:
    if isinstance(value, float | bool):
        raise InvalidValueError(
            "a share must be exact: Fraction(1, 10), Decimal('0.1') or '0.1'"
        )
    try:
        share = Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise InvalidValueError(
            f"a share is a fraction such as '0.1' or '1/10', not {bounded([value])}"
        ) from None
    if not 0 <= share < 1:
        raise InvalidValueError("'hold_out' is at least 0 and below 1")
    return share


@attrs.frozen(kw_only=True)
class MessagePolicy:
    """
    The rules for messages to members (HQ §6.1, §6.3.3.2).

    Args:
        max_characters: Most characters with the signature (HQ §6.1). A longer text
            is refused, not cut.
        max_variable: Most characters of a value for a gap; 35 is Aliyun's
            (https://help.aliyun.com/document_detail/463270.html).
        length: How characters and parts are counted: ``"mainland"``, ``"gsm"`` or an
            `SmsRule`.
        signature_position: ``"end"`` (HQ §6.1) or ``"start"``, as providers have it.
        brackets: What the signature stands in, two characters.
        opt_out_text: The way out with which marketing ends, and which a notice does
            not have (Aliyun, as above); empty for none.
        roles: Who approves a batch, each by another person, none of them its author.
        contact: Windows, quiet hours and caps, those of the visits.
        suppressions: What stops a message, those of the visits.
        despite: Suppressions that do not stop it, and ``"expired"``, for example for
            a batch that wins members back.
        consent_for: Kinds that need a recorded consent; marketing does by the rules
            on short messages of 2015.
        counted: States of earlier messages that count against the caps: also of
            those that may have been sent.
        price: Of one part, exact: its currency may have more digits than the chain's,
            as ``Money.of("0.045", Currency("CNY", digits=3))``, for only sums are
            rounded. None if it is not known.
        hold_out: Share of the audience, drawn by chance, that is not written to, so
            that the effect can be measured.
        one_per_phone: Whether a number that several members share is written to
            once, the first member by id.
        zone: IANA zone of members and stores that have none of their own.
        policy: Id of the policy.
        version: Its version.

    Raises:
        InvalidValueError: A value cannot exist, such as fewer roles than one.

    >>> policy = MessagePolicy()
    >>> template = MessageTemplate(template_id="T1", kind="marketing",
    ...     signature="示例店", text="${name}，生日快乐！拒收请回复R")
    >>> text = policy.render(template, {"name": "王女士"})
    >>> text
    '王女士，生日快乐！拒收请回复R【示例店】'
    >>> day = dt.date(2026, 11, 5)
    >>> policy.check_text(template, text, as_of=day).outcome
    'accepted'
    >>> long = policy.render(template, {"name": "王" * 35}).replace("快乐", "快" * 30)
    >>> print(policy.check_text(template, long, as_of=day).explain())
    80 characters with the signature, at most 70: 10 too many
    """

    max_characters: int = attrs.field(default=70, validator=whole_number)
    max_variable: int = attrs.field(default=35, validator=whole_number)
    length: SmsRule = attrs.field(default=MAINLAND_RULE, converter=sms_rule)
    signature_position: Literal["end", "start"] = attrs.field(default="end")
    brackets: str = "【】"
    opt_out_text: str = "拒收请回复R"
    roles: tuple[str, ...] = attrs.field(
        default=("customer_service_manager", "brand_manager"), converter=role_names
    )
    contact: ContactPolicy = attrs.field(factory=ContactPolicy)
    suppressions: tuple[Suppression, ...] = attrs.field(
        factory=lambda: VisitPolicy().suppressions, converter=tuple
    )
    despite: frozenset[str] = attrs.field(default=(), converter=_names)
    consent_for: frozenset[MessageKind] = attrs.field(
        default=(MessageKind.MARKETING,), converter=_kinds
    )
    counted: frozenset[MessageState] = attrs.field(
        default=("claimed", "accepted", "unknown", "delivered", "undelivered"),
        converter=_states,
    )
    price: Money | None = None
    hold_out: Fraction = attrs.field(default=Fraction(0), converter=_share)
    one_per_phone: bool = True
    zone: str = "Asia/Shanghai"
    policy: str = attrs.field(default="messages", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse values by which nothing could be written, or nobody approve."""
        for name in ("max_characters", "max_variable"):
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name!r} must be 1 or more")
        if self.signature_position not in {"end", "start"}:
            raise InvalidValueError("'signature_position' is 'end' or 'start'")
        if len(self.brackets) != _PAIR:
            raise InvalidValueError("'brackets' are two characters, such as '【】'")
        if self.price is not None and self.price.minor < 0:
            raise InvalidValueError("'price' is 0 or more")
        zone_of(self.zone)
        known = ["expired", *(suppression.name for suppression in self.suppressions)]
        for name in sorted(self.despite.difference(known)):
            raise InvalidValueError(
                f"nothing is stopped by {bounded([name])}: {nearest(name, known)}"
            )

    @classmethod
    def sharing(cls, visits: VisitPolicy, **changes: Any) -> MessagePolicy:
        """
        Make a policy with the hours, caps, suppressions and zone of the visits.

        Args:
            visits: The chain's policy of visits.
            **changes: Fields of this policy.

        >>> MessagePolicy.sharing(VisitPolicy(zone="Asia/Urumqi")).zone
        'Asia/Urumqi'
        """
        shared = {
            "contact": visits.contact,
            "suppressions": visits.suppressions,
            "zone": visits.zone,
        }
        return cls(**{**shared, **changes})

    def render(self, template: MessageTemplate, variables: Mapping[str, str]) -> str:
        """
        Fill a template's gaps and put the signature in its place.

        Gaps are filled once: what stands in a value is text. The way out belongs to
        the template, as the provider registered it; `check_text` holds it.

        Args:
            template: What is written.
            variables: A value for each gap, and no other.

        Raises:
            InvalidValueError: A gap without value, a value without gap, or one that
                is empty, longer than *max_variable*, or holds brackets, a gap or
                marks that cannot be sent. The message never has the value.
        """
        return filled(template, variables, self)

    def check_text(
        self, template: MessageTemplate, text: str, *, as_of: dt.date
    ) -> Decision:
        """
        Say whether a text may be sent as it is.

        Args:
            template: Of which it was made; its kind and signature count.
            text: As it will be read, signature included.
            as_of: The day of the answer.

        Returns:
            ``"accepted"``, or ``"refused"`` with a reason for each rule that it
            breaks and the count of characters.
        """
        faults, length = TextRules(template, self).faults(text)
        reasons = tuple(text_reason(fault, length, self) for fault in faults)
        if not reasons:
            reasons = (_fits(self, length.characters, length.segments),)
        return self._decision(
            "refused" if faults else "accepted", reasons, check_as_of(as_of)
        )

    def approval(
        self,
        batch: MessageBatch,
        approvals: Iterable[BatchApproval],
        *,
        as_of: dt.datetime,
        canceled_at: dt.datetime | None = None,
        in_order: bool = False,
    ) -> Decision:
        """
        Say how a batch stands with those who approve it.

        An approval counts only for the batch exactly as it was approved: text,
        audience, size, window, cost cap and author. The last word of a person in a
        role counts, and one person fills one role.

        Which word is the last is told by an outbox, which writes one after the other:
        give its words with *in_order*, and this answers as it decides, whatever the
        clocks of those who spoke said. Words from elsewhere have nothing but their
        moments.

        Args:
            batch: As it is now.
            approvals: All words on it: in the order in which they were written down if
                *in_order*, else in any.
            as_of: The moment.
            canceled_at: When the batch was canceled, if it was.
            in_order: All words count, the last that was written last; without it they
                go by their moments, and those after *as_of* are not known yet.

        Returns:
            ``"approved"``; ``"waiting"`` for more; ``"refused"`` if someone entitled
            said no last; ``"void"`` if the batch was canceled, its window closed, or
            it changed after words that would be needed. The reasons tell of each
            word why it counts or not.

        Raises:
            InvalidValueError: *as_of* has no zone.
        """
        outcome, reasons = approval_reasons(
            batch,
            approvals,
            roles=self.roles,
            as_of=_moment(as_of, "as_of"),
            canceled_at=canceled_at,
            in_order=in_order,
        )
        ends = None if outcome == "void" else self._day(batch.closes_at)
        return self._decision(outcome, reasons, self._day(as_of), ends)

    def may_send(self, facts: SendFacts, *, at: dt.datetime) -> Decision:
        """
        Say whether a message may leave now; the approval is asked of `approval`.

        Args:
            facts: What is known of the message and its member.
            at: The moment.

        Returns:
            ``"allowed"``; ``"deferred"`` with the rules that stand in the way and the
            figure ``from`` of the reason ``next``; or ``"stopped"`` for good, with
            every rule that stops it.

        Raises:
            InvalidValueError: *at* has no zone.
            ScheduleError: No such zone.

        >>> facts = SendFacts(kind="notice")
        >>> night = dt.datetime(2026, 11, 5, 22, tzinfo=zone_of("Asia/Shanghai"))
        >>> print(MessagePolicy().may_send(facts, at=night).explain())
        outside the hours for sms; next from 2026-11-06 09:00
        """
        outcome, reasons, until = permission(facts, self, _moment(at, "at"))
        changes_on = None if until is None else self._day(until)
        return self._decision(outcome, reasons, self._day(at), changes_on)

    def _day(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(zone_of(self.zone)).date()

    def _decision(
        self,
        outcome: str,
        reasons: tuple[Reason, ...],
        as_of: dt.date,
        changes_on: dt.date | None = None,
    ) -> Decision:
        return Decision(
            outcome=outcome,
            grounds=Statement(reasons=reasons),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_on,
        )


def _moment(moment: object, name: str) -> dt.datetime:
    if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
        raise InvalidValueError(
            f"{name!r} must be a datetime with its zone: "
            "moment.replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    return moment


def _fits(policy: MessagePolicy, characters: int, segments: int) -> Reason:
    most = policy.max_characters
    return Reason(
        rule="length",
        met=True,
        text_en=f"{characters} characters with the signature, at most {most}; "
        f"parts: {segments}",
        text_zh=f"含签名共 {characters} 字，最多 {most} 字，计 {segments} 条",
        figures=(
            ("characters", str(characters)),
            ("most", str(most)),
            ("segments", str(segments)),
        ),
    )
