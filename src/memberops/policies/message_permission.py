"""Whether one message may leave at a moment: consent, hours, caps, suppression."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from memberops.domain import Reason
from memberops.domain.message import MessageKind, MessageState
from memberops.domain.values import aware_instant, plain_date
from memberops.domain.visit import VisitChannel
from memberops.errors import InvalidValueError, bounded
from memberops.policies.contact import Contact, zone_of

if TYPE_CHECKING:
    from memberops.policies.message_policy import MessagePolicy

__all__ = ["MessageConsent", "PastMessage", "SendFacts", "permission"]

_SMS = VisitChannel.SMS
_DAY = dt.timedelta(days=1)
_optional_instant = attrs.validators.optional(aware_instant)


def _channel(_instance: object, _attribute: object, value: Any) -> None:
    if value not in {"all", *(channel.value for channel in VisitChannel)}:
        raise InvalidValueError(
            f"no channel of consent is called {bounded([value])}: give 'sms' or 'all'"
        )


@attrs.frozen(kw_only=True)
class MessageConsent:
    """
    The last word of a member on messages, with its evidence.

    Args:
        given: Whether they agreed.
        on: The local day on which they said so.
        channel: What it is about: ``"sms"`` or ``"all"``.
        source: Where it was said, such as the application form.
    """

    given: bool
    on: dt.date = attrs.field(validator=plain_date)
    channel: str = attrs.field(default="sms", validator=_channel)
    source: str = ""


@attrs.frozen(kw_only=True)
class PastMessage:
    """An earlier message to the member: when it was asked for, and how it stands."""

    at: dt.datetime = attrs.field(validator=aware_instant)
    state: MessageState = attrs.field(converter=MessageState)


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


@attrs.frozen(kw_only=True)
class SendFacts:
    """
    What is known of a message and its member when it might leave.

    Args:
        kind: A `MessageKind`.
        zone: The member's IANA zone; empty for the policy's.
        store_zone: The store's, whose quiet hours hold too; empty for the member's.
        consent: The member's last word on SMS; None if there is none.
        flags: Names of suppressions that hold, such as ``"open_complaint"``.
        valid_through: Last day of the membership; None if unknown, which stops
            nothing.
        contacts: Other contacts made and planned.
        sent: Earlier messages; one that may have been sent counts as a contact.
        opens_at: When the batch opens; None if it is open.
        closes_at: From when on nothing of the batch may leave.
    """

    kind: MessageKind = attrs.field(converter=MessageKind)
    zone: str = ""
    store_zone: str = ""
    consent: MessageConsent | None = None
    flags: frozenset[str] = attrs.field(default=(), converter=_names)
    valid_through: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    contacts: tuple[Contact, ...] = attrs.field(default=(), converter=tuple)
    sent: tuple[PastMessage, ...] = attrs.field(default=(), converter=tuple)
    opens_at: dt.datetime | None = attrs.field(
        default=None, validator=_optional_instant
    )
    closes_at: dt.datetime | None = attrs.field(
        default=None, validator=_optional_instant
    )


def permission(
    facts: SendFacts, policy: MessagePolicy, at: dt.datetime
) -> tuple[str, tuple[Reason, ...], dt.datetime | None]:
    """
    Decide on one message, see `MessagePolicy.may_send`.

    Returns:
        ``"allowed"``, ``"deferred"`` or ``"stopped"``, the reasons, and until when
        the answer holds if nothing else happens.
    """
    zone = zone_of(facts.zone or policy.zone)
    store_zone = zone_of(facts.store_zone) if facts.store_zone else zone
    today = at.astimezone(zone).date()
    stopped = _stopped(facts, policy, today)
    if facts.closes_at is not None and at >= facts.closes_at:
        stopped.append(_no("closed", "the batch's window has closed",
                           "批次发送时段已过"))  # fmt: skip
    if stopped:
        return "stopped", tuple(stopped), None
    begin = at if facts.opens_at is None else max(at, facts.opens_at)
    answer = policy.contact.first_slot(
        _SMS,
        after=begin,
        zone=zone,
        store_zone=store_zone,
        contacts=(
            *facts.contacts,
            *(
                Contact(at=past.at, channel=_SMS)
                for past in facts.sent
                if past.state in policy.counted
            ),
        ),
    )
    reasons = list(answer.reasons)
    if begin > at:
        reasons.insert(0, _no("not_open", "the batch has not opened", "批次尚未开始"))
    if answer.slot is None:
        return "stopped", tuple(reasons), None
    start = answer.slot.starts_at
    if start <= at:
        allowed = Reason(rule="allowed", met=True, text_en="may be sent now",
                         text_zh="现在可以发送")  # fmt: skip
        return "allowed", (allowed,), answer.slot.ends_at
    if facts.closes_at is not None and start >= facts.closes_at:
        reasons.append(_no("closes_first", "the batch closes before that",
                           "批次在此之前已截止"))  # fmt: skip
        return "stopped", tuple(reasons), None
    local = start.astimezone(zone)
    reasons.append(
        Reason(rule="next", met=None, figures=(("from", local.isoformat()),),
               text_en=f"next from {local:%Y-%m-%d %H:%M}",
               text_zh=f"最早 {local:%Y-%m-%d %H:%M} 发送")
    )  # fmt: skip
    return "deferred", tuple(reasons), start


def _stopped(facts: SendFacts, policy: MessagePolicy, today: dt.date) -> list[Reason]:
    found = []
    consent = facts.consent
    about = consent is not None and consent.channel in {"sms", "all"}
    if consent is not None and about and not consent.given and consent.on <= today:
        on = str(consent.on)
        found.append(_no("opted_out", f"the member opted out on {on}",
                         f"会员已于 {on} 退订", on=on))  # fmt: skip
    for suppression in policy.suppressions:
        wide = not suppression.channels or _SMS in suppression.channels
        if wide and suppression.name in facts.flags.difference(policy.despite):
            found.append(_no(suppression.name, suppression.text_en,
                             suppression.text_zh))  # fmt: skip
    if facts.kind in policy.consent_for and not _agreed(consent, today):
        found.append(_no("no_consent", "no consent to SMS is on file",
                         "没有同意接收短信的记录"))  # fmt: skip
    through = facts.valid_through
    if through is not None and today > through and "expired" not in policy.despite:
        found.append(_no("expired", f"the membership ended on {through}",
                         f"会员资格已于 {through} 到期",
                         valid_through=str(through)))  # fmt: skip
    return found


def _agreed(consent: MessageConsent | None, today: dt.date) -> bool:
    return (
        consent is not None
        and consent.given
        and consent.on <= today
        and consent.channel in {"sms", "all"}
    )


def _no(rule: str, text_en: str, text_zh: str, **figures: str) -> Reason:
    return Reason(rule=rule, met=False, text_en=text_en, text_zh=text_zh,
                  figures=tuple(figures.items()))  # fmt: skip
