"""Visits: contacts with a member after something happened (HQ §6.3, CLINIC)."""

from __future__ import annotations

import datetime as dt
import hashlib
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.decision import Reason
from memberops.domain.values import (
    Language,
    aware_instant,
    check_language,
    identifier,
    plain_date,
    whole_number,
)
from memberops.errors import InvalidValueError

__all__ = [
    "Visit",
    "VisitChannel",
    "VisitKind",
    "VisitOutcome",
    "VisitRecord",
    "VisitState",
    "WinBackReason",
    "visit_id",
    "visit_key",
]

DIGEST_SIZE = 10


class VisitKind(StrEnum):
    """What a visit is for."""

    AFTER_SALE = "after_sale"
    AUDIT = "audit"
    CARE = "care"
    WIN_BACK = "win_back"
    COMPLAINT_CALLBACK = "complaint_callback"
    EXPIRY_NOTICE = "expiry_notice"
    WELCOME = "welcome"
    REFILL_REMINDER = "refill_reminder"
    APPOINTMENT_REMINDER = "appointment_reminder"
    SATISFACTION_SURVEY = "satisfaction_survey"


class VisitChannel(StrEnum):
    """How a member is reached."""

    PHONE = "phone"
    SMS = "sms"
    MAIL = "mail"
    IN_PERSON = "in_person"


class VisitState(StrEnum):
    """What planning made of a visit; the last two have no day."""

    PLANNED = "planned"
    MOVED = "moved"
    DROPPED = "dropped"
    SUPPRESSED = "suppressed"


class VisitOutcome(StrEnum):
    """What became of a visit."""

    DONE = "done"
    NOT_REACHED = "not_reached"
    CANCELED = "canceled"


class WinBackReason(StrEnum):
    """Why a lapsed member stayed away (HQ §6.3)."""

    PRODUCT_QUALITY = "product_quality"
    PRODUCT_FUNCTION = "product_function"
    SERVICE = "service"
    OTHER = "other"


def visit_key(rule: str, member_id: str, on: str, fact_id: str) -> bytes:
    """
    Hash what a visit is about into 10 bytes; `visit_id` writes them as text.

    Each part is counted, so that no two different facts give the same text.
    """
    text = f"{len(rule)}:{rule}{len(member_id)}:{member_id}{on}{len(fact_id)}:{fact_id}"
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_SIZE).digest()


def visit_id(rule: str, member_id: str, on: dt.date, fact_id: str = "") -> str:
    """
    Return the id of the visit that a rule makes of a fact.

    It depends on the fact alone, not on the day or the channel, so the same fact
    gives the same visit however the policy or the plan changes.

    Args:
        rule: Name of the cadence rule.
        member_id: Whom the fact is about.
        on: Day of the fact; of the occurrence, for a fact that comes each year.
        fact_id: Id of the fact, such as a report's, if it has one.

    >>> visit_id("welcome", "M1", dt.date(2026, 11, 5)) == visit_id(
    ...     "welcome", "M1", dt.date(2026, 11, 5))
    True
    >>> len(visit_id("welcome", "M1", dt.date(2026, 11, 5)))
    21
    """
    return "V" + visit_key(rule, member_id, on.isoformat(), fact_id).hex()


_optional_date = attrs.validators.optional(plain_date)


@attrs.frozen(kw_only=True)
class Visit:
    """
    One visit of a plan, or one that was weighed and not planned, with its reasons.

    Args:
        visit_id: See `visit_id`.
        rule: Name of the cadence rule.
        kind: A `VisitKind`.
        member_id: Whom to visit.
        store_id: The member's store in this matter, empty if none is known.
        channel: A `VisitChannel`.
        by: ``"store"``, ``"hq"`` or ``"both"``.
        priority: The smaller, the more important.
        due_on: The day that the rule asks for.
        last_on: The last day that is still in time.
        day: The day planned; None if it was dropped or suppressed.
        windows: When on that day, in the member's local time.
        state: A `VisitState`.
        cause: What moved, dropped or suppressed it, a stable word; empty if nothing.
        reasons: Why, each with its figures, in both languages.
        staff_id: Who makes it, if staff were shared out.
    """

    visit_id: str = attrs.field(validator=identifier)
    rule: str = attrs.field(validator=identifier)
    kind: VisitKind = attrs.field(converter=VisitKind)
    member_id: str = attrs.field(validator=identifier)
    store_id: str = ""
    channel: VisitChannel = attrs.field(converter=VisitChannel)
    by: str
    priority: int = attrs.field(validator=whole_number)
    due_on: dt.date = attrs.field(validator=plain_date)
    last_on: dt.date = attrs.field(validator=plain_date)
    day: dt.date | None = attrs.field(default=None, validator=_optional_date)
    windows: str = ""
    state: VisitState = attrs.field(default=VisitState.PLANNED, converter=VisitState)
    cause: str = ""
    reasons: tuple[Reason, ...] = ()
    staff_id: str = ""

    @property
    def live(self) -> bool:
        """Whether the visit is to be made, as planned or moved."""
        return self.day is not None

    def explain(self, language: Language = "en") -> str:
        """Write why the visit is planned, moved, dropped or suppressed."""
        separator = "；" if check_language(language) == "zh" else "; "
        return separator.join(reason.text(language) for reason in self.reasons)


@attrs.frozen(kw_only=True)
class VisitRecord:
    """
    What was done of a visit (HQ §6.3, 会员回访记录表).

    The member's words are personal: they are masked in the repr.

    Args:
        visit_id: Which visit.
        outcome: A `VisitOutcome`.
        done_at: Moment of the contact or of the last try, with its zone.
        answered: Whether the member answered; only a visit that was done has one.
        answer: What the member said.
        reason_code: For a win-back, a `WinBackReason`.
        by: Who did it.

    Raises:
        InvalidValueError: A naive moment, or an answer to a visit that was not done.

    >>> VisitRecord(visit_id="V1", outcome="done", answered=True, answer="太远了",
    ...     done_at=dt.datetime(2026, 11, 5, 3, tzinfo=dt.UTC)).answered
    True
    """

    visit_id: str = attrs.field(validator=identifier)
    outcome: VisitOutcome = attrs.field(converter=VisitOutcome)
    done_at: dt.datetime = attrs.field(validator=aware_instant)
    answered: bool = attrs.field(default=False)
    answer: str = attrs.field(default="", repr=lambda value: "*****" if value else "''")
    reason_code: WinBackReason | None = attrs.field(
        default=None, converter=attrs.converters.optional(WinBackReason)
    )
    by: str = ""

    @answered.validator
    def _check_answered(self, _attribute: object, value: Any) -> None:
        if value and self.outcome is not VisitOutcome.DONE:
            raise InvalidValueError(
                f"a visit that is {self.outcome.value!r} has no answer: "
                "outcome='done' or answered=False"
            )
