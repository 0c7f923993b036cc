"""Planning visits for one member: the same facts always give the same plan."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import attrs

from memberops.domain import Reason
from memberops.domain.values import check_as_of
from memberops.domain.visit import Visit, VisitChannel, VisitState, visit_id
from memberops.errors import InvalidValueError
from memberops.policies.cadence import CadenceRule
from memberops.policies.contact import ContactCap
from memberops.policies.contact_hours import window_text, zone_of
from memberops.policies.visit_policy import (
    Standing,
    VisitFact,
    VisitPolicy,
    visit_reasons,
)
from memberops.schedules import Period

__all__ = ["ContactDay", "plan_member"]

_DAY = dt.timedelta(days=1)
LONGEST_PERIOD = 400
_MARGIN = 2 * LONGEST_PERIOD * _DAY


@attrs.frozen
class ContactDay:
    """A contact made with the member, or planned before: its local day and channel."""

    on: dt.date
    channel: VisitChannel = attrs.field(converter=VisitChannel)


@attrs.frozen
class _Wish:
    """A visit that a rule asks for."""

    rule: CadenceRule
    due_on: dt.date
    visit_id: str
    store_id: str


def plan_member(
    facts: Iterable[VisitFact],
    *,
    standing: Standing,
    period: Period,
    as_of: dt.date,
    policy: VisitPolicy | None = None,
    contacts: Collection[ContactDay] = (),
    planned: Collection[Visit] = (),
) -> tuple[Visit, ...]:
    """
    Plan the visits of one member for a period (HQ §6.3).

    A plan weighs what falls due in the period.
    It also weighs what was due before and is still in time on its first day, the later
    of *as_of* and the period's: unless *planned* has it, a late visit is made up for,
    as one that moved. What fell due in the period and is in time no more is dropped
    as ``"passed"``.

    The more important visit takes its day first; another moves to the first legal
    day while it is still in time, or is dropped, and its reasons say why.

    Args:
        facts: What happened or will; facts of other members are refused.
        standing: How the member stands.
        period: The days that are planned.
        as_of: The day of planning: no visit is planned before it, and facts that
            happen after it are not known yet.
        policy: The rules; the spec's by default.
        contacts: Contacts made; they count for caps.
        planned: Visits of earlier plans: they keep their days, count for caps, and
            are not planned again.

    Returns:
        Every visit weighed, also those dropped and suppressed, the important first.

    Raises:
        InvalidValueError: A fact of another member.
        ScheduleError: A zone that does not exist.

    >>> from memberops.schedules import Period
    >>> fact = VisitFact(member_id="M1", trigger="purchase", on=dt.date(2026, 10, 8))
    >>> plan = plan_member([fact], standing=Standing(member_id="M1", store_id="S1"),
    ...     period=Period.month(2026, 11), as_of=dt.date(2026, 10, 28))
    >>> [(visit.rule, str(visit.day), visit.windows) for visit in plan]
    [('greeting', '2026-11-08', '09:00-20:00')]
    >>> plan[0].explain("zh")
    '满月问候，应于 2026-11-08'
    """
    check_as_of(as_of)
    check_period(period)
    policy = policy or VisitPolicy()
    start = max(as_of, period.start)
    member = _Member(policy, standing, start, contacts, planned)
    known = {visit.visit_id for visit in planned}
    wishes = _wishes(facts, standing, policy, period, as_of)
    return tuple(member.place(wish) for wish in wishes if wish.visit_id not in known)


def check_period(period: object) -> Period:
    """Refuse what is no period, or none that can be planned day by day."""
    if not isinstance(period, Period):
        raise InvalidValueError(
            f"'period' must be a Period such as Period.month(2026, 11), "
            f"not a {type(period).__name__}"
        )
    if (period.through - period.start).days >= LONGEST_PERIOD:
        raise InvalidValueError(
            f"visits are planned for {LONGEST_PERIOD} days at most: plan month by month"
        )
    # Caps look back and lines of the table ahead: those days must exist, too.
    if not dt.date.min + _MARGIN <= period.start <= dt.date.max - 2 * _MARGIN:
        raise InvalidValueError(
            f"visits cannot be planned so near the end of the calendar: {period}"
        )
    return period


def _wishes(
    facts: Iterable[VisitFact],
    standing: Standing,
    policy: VisitPolicy,
    period: Period,
    as_of: dt.date,
) -> Iterator[_Wish]:
    """List what the rules ask for, the most important first, each once."""
    found: dict[str, _Wish] = {}
    # Of the same fact told by two stores, the first by id has the visit.
    for fact in sorted(facts, key=lambda each: each.store_id or standing.store_id):
        if fact.member_id != standing.member_id:
            raise InvalidValueError(
                "a fact of another member: plan one member at a time, or give "
                "plan_visits the frame"
            )
        for rule in policy.rules:
            late = fact.on > as_of and not rule.ahead
            if rule.trigger != fact.trigger or late:
                continue
            if not rule.suits(premium=standing.premium):
                continue
            for on, due_on in rule.dues(fact.on, period, as_of=as_of):
                name = visit_id(rule.name, fact.member_id, on, fact.fact_id)
                store_id = fact.store_id or standing.store_id
                wish = _Wish(rule, due_on, name, store_id)
                found.setdefault(name, wish)
    yield from sorted(
        found.values(),
        key=lambda wish: (
            wish.rule.capped,
            wish.rule.priority,
            wish.due_on,
            wish.visit_id,
        ),
    )


class _Member:
    """The days of one member while a plan is made."""

    def __init__(
        self,
        policy: VisitPolicy,
        standing: Standing,
        start: dt.date,
        contacts: Collection[ContactDay],
        planned: Collection[Visit],
    ) -> None:
        self.policy = policy
        self.standing = standing
        self.start = start
        self.made = {contact.on for contact in contacts}
        store_zone = standing.store_zone or policy.zone
        self.store_zone = zone_of(store_zone)
        self.zone = zone_of(standing.zone or store_zone)
        self.taken: list[Counter[dt.date]] = [Counter() for _ in policy.contact.caps]
        for contact in contacts:
            self._take(contact.on, contact.channel)
        for visit in planned:
            if visit.day is not None:
                self._take(visit.day, visit.channel)

    def _take(self, day: dt.date, channel: VisitChannel) -> None:
        for cap, taken in zip(self.policy.contact.caps, self.taken, strict=True):
            if cap.counts(channel):
                taken[day] += 1

    def place(self, wish: _Wish) -> Visit:
        """Give a wish the first legal day, or say why it has none."""
        rule, last_on = wish.rule, wish.due_on + wish.rule.within * _DAY
        stopped = self._stopped(wish)
        if stopped:
            return self._visit(wish, last_on, None, VisitState.SUPPRESSED, stopped)
        late = "passed" if wish.due_on < self.start else ""
        day, cause = max(wish.due_on, self.start), ""
        while day <= last_on:
            hindrance = self._hindrance(rule, day)
            if not hindrance:
                self._take(day, rule.channel)
                state = VisitState.MOVED if day > wish.due_on else VisitState.PLANNED
                return self._visit(wish, last_on, day, state, late or cause)
            cause = cause or hindrance
            day += _DAY
        return self._visit(wish, last_on, None, VisitState.DROPPED, cause or late)

    def _stopped(self, wish: _Wish) -> str:
        for suppression in self.policy.suppressions:
            if suppression.name in self.standing.flags and suppression.stops(wish.rule):
                return suppression.name
        return "expired" if self._expired(wish.rule, wish.due_on) else ""

    def _expired(self, rule: CadenceRule, day: dt.date) -> bool:
        through = self.standing.valid_through
        return through is not None and day > through and "expired" not in rule.despite

    def _hindrance(self, rule: CadenceRule, day: dt.date) -> str:
        """Name the first rule that a visit on *day* would break."""
        if self._expired(rule, day):
            return "expired"
        if not self._slots(rule.channel, day):
            return "window"
        rest = self.policy.rest
        calls = rule.channel in (VisitChannel.PHONE, VisitChannel.IN_PERSON)
        if calls and rest is not None and not rest.is_working_day(day):
            return "rest_day"
        if rule.marketing and any(
            day - back * _DAY in self.made
            for back in range(self.policy.recent_days + 1)
        ):
            return "recently_contacted"
        if rule.capped:
            caps = zip(self.policy.contact.caps, self.taken, strict=True)
            for cap, taken in caps:
                if cap.counts(rule.channel) and _full(cap, taken, day):
                    return cap.name
        return ""

    def _slots(self, channel: VisitChannel, day: dt.date) -> str:
        slots = self.policy.contact.slots(
            channel, day, zone=self.zone, store_zone=self.store_zone
        )
        return window_text(slots, self.zone)

    def _visit(
        self,
        wish: _Wish,
        last_on: dt.date,
        day: dt.date | None,
        state: VisitState,
        cause: str,
    ) -> Visit:
        rule = wish.rule
        reasons: tuple[Reason, ...] = visit_reasons(
            self.policy, rule, due_on=wish.due_on, day=day, state=state, cause=cause
        )
        return Visit(
            visit_id=wish.visit_id,
            rule=rule.name,
            kind=rule.kind,
            member_id=self.standing.member_id,
            store_id=wish.store_id,
            channel=rule.channel,
            by=rule.by,
            priority=rule.priority,
            due_on=wish.due_on,
            last_on=last_on,
            day=day,
            windows="" if day is None else self._slots(rule.channel, day),
            state=state,
            cause=cause,
            reasons=reasons,
        )


def _full(cap: ContactCap, taken: Counter[dt.date], day: dt.date) -> bool:
    """Tell whether some window of the cap that holds *day* has no place left."""
    if cap.fine:
        return False
    runs = range(cap.days)
    if cap.window == "rolling":
        starts = [day - back * _DAY for back in runs]
    else:
        starts = [day if cap.window == "day" else day - day.weekday() * _DAY]
    return any(
        sum(taken[start + ahead * _DAY] for ahead in runs) >= cap.most
        for start in starts
    )
