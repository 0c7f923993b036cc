"""What planning visits rests on: the policy, the facts, and the member's standing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from memberops.domain import Reason
from memberops.domain.values import identifier, plain_date, whole_number
from memberops.domain.visit import VisitChannel, VisitState
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.cadence import DEFAULT_CADENCE, CadenceRule
from memberops.policies.contact import ContactPolicy, zone_of
from memberops.schedules import RestDays, WorkingCalendar

__all__ = [
    "Staffing",
    "Standing",
    "Suppression",
    "VisitFact",
    "VisitPolicy",
    "visit_reasons",
]

_optional_date = attrs.validators.optional(plain_date)


def _channels(values: Iterable[VisitChannel | str]) -> frozenset[VisitChannel]:
    return frozenset(VisitChannel(value) for value in values)


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


@attrs.frozen(kw_only=True)
class VisitFact:
    """
    Something that happened, or will, and may ask for a visit.

    Args:
        member_id: Whom it is about.
        trigger: What it is, such as ``"purchase"``; see `CadenceRule.trigger`.
        on: Its day. A birth date is personal: it is masked in the repr.
        fact_id: Its id, where one member may have several on a day.
        store_id: The store of this matter, if it is not the member's.
    """

    member_id: str = attrs.field(validator=identifier)
    trigger: str = attrs.field(validator=identifier)
    on: dt.date = attrs.field(validator=plain_date, repr=lambda _: "*****")
    fact_id: str = ""
    store_id: str = ""


@attrs.frozen(kw_only=True)
class Standing:
    """
    How a member stands when visits are planned.

    Args:
        member_id: Whose.
        store_id: The member's store.
        zone: The member's IANA zone; empty for the store's.
        store_zone: The store's; empty for the policy's.
        premium: Whether the member is a premium one.
        valid_through: Last day of the membership; None if unknown, which stops
            nothing.
        flags: Names of suppressions that hold, such as ``"opted_out"``.
    """

    member_id: str = attrs.field(validator=identifier)
    store_id: str = ""
    zone: str = ""
    store_zone: str = ""
    premium: bool = False
    valid_through: dt.date | None = attrs.field(default=None, validator=_optional_date)
    flags: frozenset[str] = attrs.field(default=(), converter=_names)


@attrs.frozen(kw_only=True)
class Suppression:
    """
    A reason of another domain not to contact a member at all.

    Args:
        name: Its name: a flag of `Standing`, a true-or-false column of frames.
        channels: Which channels it stops; empty for all.
        text_en: Why, in English.
        text_zh: The same in Chinese.
    """

    name: str = attrs.field(validator=identifier)
    channels: frozenset[VisitChannel] = attrs.field(default=(), converter=_channels)
    text_en: str
    text_zh: str

    def stops(self, rule: CadenceRule) -> bool:
        """Tell whether it stops a rule."""
        wide = not self.channels or rule.channel in self.channels
        return wide and self.name not in rule.despite


def _suppression(name: str, text_en: str, text_zh: str, *channels: str) -> Suppression:
    return Suppression(name=name, channels=channels, text_en=text_en, text_zh=text_zh)


_SUPPRESSIONS = (
    _suppression("opted_out", "the member opted out", "会员已退订"),
    _suppression("opted_out_sms", "the member opted out of SMS", "会员已退订短信",
                 "sms"),
    _suppression("opted_out_phone", "the member opted out of calls", "会员不接受电话",
                 "phone"),
    _suppression("opted_out_mail", "the member opted out of letters", "会员不接受信函",
                 "mail"),
    _suppression("opted_out_in_person", "the member opted out of visits in person",
                 "会员不接受上门", "in_person"),
    _suppression("open_complaint", "a complaint is open", "有未结投诉"),
)  # fmt: skip


def _staff(
    given: Mapping[str, Iterable[str]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((pool, tuple(staff)) for pool, staff in dict(given).items()))


@attrs.frozen(kw_only=True)
class Staffing:
    """
    Who makes visits, and how many each makes a day.

    Args:
        staff: The staff of each store, and of ``"hq"``. A pool that is not named has
            no limit and no names; one that is named and empty can make none.
        visits_each: How many visits one makes a day.
        channels: Which channels take staff; messages do not.

    >>> Staffing(staff={"S1": ["A", "B"]}, visits_each=30).limit("S1")
    60
    """

    staff: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(converter=_staff)
    visits_each: int = attrs.field(default=40, validator=whole_number)
    channels: frozenset[VisitChannel] = attrs.field(
        default=(VisitChannel.PHONE, VisitChannel.IN_PERSON), converter=_channels
    )

    @visits_each.validator
    def _check_visits(self, _attribute: object, value: Any) -> None:
        if value < 0:
            raise InvalidValueError(f"'visits_each' must be 0 or more, not {value}")

    def limit(self, pool: str) -> int | None:
        """Return how many visits a pool makes a day, None for no limit."""
        staff = dict(self.staff).get(pool)
        return None if staff is None else len(staff) * self.visits_each


@attrs.frozen(kw_only=True)
class VisitPolicy:
    """
    How visits are planned (HQ §6.3).

    Args:
        rules: The cadence table.
        contact: Windows, quiet hours and caps.
        suppressions: What stops a visit whatever its day; the first that holds is
            named. ``"expired"`` (the day lies after the membership) and
            ``"recently_contacted"`` depend on the day and are always there.
        recent_days: A marketing visit keeps so many days' distance from the last
            contact made.
        rest: Who knows the days on which nobody calls, `RestDays` or a
            `WorkingCalendar`; None for none.
        zone: IANA zone of stores that have none of their own.
        policy: Id of the policy.
        version: Its version.

    Raises:
        InvalidValueError: Two rules of one name, a rule despite what is no
            suppression, or a negative number of days.
        ScheduleError: No such zone.
    """

    rules: tuple[CadenceRule, ...] = attrs.field(
        default=DEFAULT_CADENCE, converter=tuple
    )
    contact: ContactPolicy = attrs.field(factory=ContactPolicy)
    suppressions: tuple[Suppression, ...] = attrs.field(
        default=_SUPPRESSIONS, converter=tuple
    )
    recent_days: int = attrs.field(default=3, validator=whole_number)
    rest: RestDays | WorkingCalendar | None = None
    zone: str = "Asia/Shanghai"
    policy: str = "visits"
    version: str = "1"

    @rules.validator
    def _check_rules(self, _attribute: object, value: Any) -> None:
        names = [rule.name for rule in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidValueError(
                f"each cadence rule needs a name of its own: {bounded(twice)}"
            )

    def __attrs_post_init__(self) -> None:
        """Refuse a zone and suppressions that do not exist, and negative days."""
        zone_of(self.zone)
        known = ["expired", *(suppression.name for suppression in self.suppressions)]
        for rule in self.rules:
            for name in sorted(rule.despite.difference(known)):
                raise InvalidValueError(
                    f"rule {rule.name!r} is made despite {bounded([name])}, which "
                    f"stops nothing: {nearest(name, known)}"
                )
        if self.recent_days < 0:
            raise InvalidValueError("'recent_days' must be 0 or more")

    @property
    def causes(self) -> tuple[str, ...]:
        """Every word that a cause can be; the first is none."""
        caps = dict.fromkeys(cap.name for cap in self.contact.caps)
        flags = (suppression.name for suppression in self.suppressions)
        return ("", "unknown_member", *flags, "expired", "passed", "window",
                "rest_day", "recently_contacted", *caps, "capacity")  # fmt: skip

    def cause_texts(self, cause: str) -> tuple[str, str]:
        """Say a cause in English and Chinese."""
        for suppression in self.suppressions:
            if suppression.name == cause:
                return suppression.text_en, suppression.text_zh
        caps = [cap.texts() for cap in self.contact.caps if cap.name == cause]
        if caps:
            return "; ".join(t[0] for t in caps), "；".join(t[1] for t in caps)
        return {
            "unknown_member": ("the member is not on file", "会员档案中无此会员"),
            "expired": ("the membership has ended", "会员资格已到期"),
            "passed": (
                "the day due comes before the days that are planned",
                "应访日期早于计划期间",
            ),
            "window": ("no hours to contact that day", "当天没有可联系时段"),
            "rest_day": ("nobody works that day", "当天休息"),
            "recently_contacted": (
                f"contacted within the last {self.recent_days} days",
                f"最近 {self.recent_days} 天内已联系",
            ),
            "capacity": ("the staff are busy that day", "当天人手已满"),
        }[cause]


def visit_reasons(
    policy: VisitPolicy,
    rule: CadenceRule,
    *,
    due_on: dt.date,
    day: dt.date | None,
    state: VisitState,
    cause: str,
) -> tuple[Reason, ...]:
    """
    Write why a visit is planned, and what became of it.

    Returns:
        The rule with the day due; then, unless it is planned as asked, what moved,
        dropped or suppressed it.
    """
    asked = Reason(
        rule=rule.name,
        met=True,
        text_en=f"{rule.name_en}, due {due_on}",
        text_zh=f"{rule.name_zh}，应于 {due_on}",
        figures=(("due_on", str(due_on)), ("priority", str(rule.priority))),
    )
    if state is VisitState.PLANNED:
        return (asked,)
    text_en, text_zh = policy.cause_texts(cause)
    done_en, done_zh = {
        VisitState.MOVED: (f"moved to {day}", f"顺延至 {day}"),
        VisitState.DROPPED: ("dropped", "取消"),
        VisitState.SUPPRESSED: ("not contacted", "不予联系"),
    }[state]
    return (
        asked,
        Reason(
            rule=cause,
            met=False,
            text_en=f"{done_en}: {text_en}",
            text_zh=f"{done_zh}：{text_zh}",
            figures=() if day is None else (("day", str(day)),),
        ),
    )
