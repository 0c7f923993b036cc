"""By when a case is answered, solved and called back, and where it stands (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import attrs
import pandas as pd

from memberops.domain import Complaint, Currency
from memberops.domain.values import identifier
from memberops.errors import InvalidValueError, nearest
from memberops.policies.case_intake import clean_cases
from memberops.policies.service_actions import next_action
from memberops.policies.service_clocks import ClockReading, read_clock
from memberops.policies.service_decision import (
    ServiceDecision,
    changes_of,
    instant_of,
    outcome_of,
)
from memberops.policies.service_frame import decide_cases
from memberops.policies.service_opening import forecast_changes_at, opening_of
from memberops.policies.service_plan import TargetPlan
from memberops.policies.service_runs import History, Run, runs_of
from memberops.policies.service_states import read_clocks
from memberops.policies.service_tables import ServiceFrame
from memberops.policies.service_targets import (
    Authority,
    Level,
    Reopening,
    Target,
    listed,
)
from memberops.policies.service_usual import ACTIONS, usual_targets
from memberops.policies.service_wording import ServiceGrounds
from memberops.schedules import WorkingCalendar

__all__ = ["ServiceLevels"]


@attrs.frozen(kw_only=True)
class ServiceLevels:
    """
    The service levels of a chain: reply, solution, callback and more (HQ §6.2).

    Everything is worked out anew from the events of a case, so a later change of the
    policy or of its calendar loses no pause and no first reply.

    Args:
        reply_hours: Hours to the first reply; None for no such target.
        next_reply_hours: Hours to answer each further message; None for none.
        solution_hours: Hours to the solution; None for none.
        callback_hours: Hours to the callback, always around the clock; None for none.
        callback_from: ``"received"`` or ``"solved"``: when the callback clock starts.
            The second callback starts at the dissatisfaction or the new solution.
        calendar: Working calendar of replies and solutions; None is around the clock.
        pausing: The clocks that stand still while the customer's answer is awaited.
        reopening: What a reopening does to the solution's clock; see `Target`.
        due_soon: The last share of a target in which it is due soon.
        levels: Levels of escalation of replies and solutions.
        authority: What is beyond the handler and escalated at once.
        escalation_minutes: How long ``at once`` may take.
        callback_owner: Who calls back.
        targets: Further targets, or others for some cases: of one name, the first
            that applies counts, and these come before the usual ones.
        office: Whose opening a forecast looks at; *calendar* if None.
        policy: Id of the policy.
        version: Version of the policy; change it with the numbers.

    Raises:
        InvalidValueError: A reply that may take longer than the solution, targets in
            a circle, an unknown name, a float or a time below zero.

    >>> from zoneinfo import ZoneInfo
    >>> at = dt.datetime(2026, 11, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> case = Complaint(case_id="K1", received_at=at)
    >>> answer = ServiceLevels().decide(case, as_of=at + dt.timedelta(hours=20))
    >>> answer.outcome, str(answer["reply"].remaining)
    ('due_soon', '4:00:00')
    >>> print(answer.reasons[0].text("zh"))
    回复：即将到期，应于 2026-11-06 09:00+08:00 前完成，剩余 4 小时
    >>> print(answer.next_action.text("en"), "/", answer.next_action.owner)
    reply to the customer / handler
    """

    reply_hours: Decimal | int | str | None = 24
    next_reply_hours: Decimal | int | str | None = None
    solution_hours: Decimal | int | str | None = 48
    callback_hours: Decimal | int | str | None = 168
    callback_from: Literal["received", "solved"] = attrs.field(default="received")
    calendar: WorkingCalendar | None = None
    pausing: tuple[str, ...] = attrs.field(default=(), converter=listed)
    reopening: Reopening = "resume"
    due_soon: Decimal | int | str = Decimal("0.25")
    levels: tuple[Level, ...] = attrs.field(default=(), converter=listed)
    authority: tuple[Authority, ...] = attrs.field(default=(), converter=listed)
    escalation_minutes: int = 0
    callback_owner: str = attrs.field(default="headquarters", validator=identifier)
    targets: tuple[Target, ...] = attrs.field(default=(), converter=listed)
    office: WorkingCalendar | None = None
    policy: str = attrs.field(default="service-levels", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @classmethod
    def enquiry(cls) -> ServiceLevels:
        """
        Return the levels of an enquiry: answered within 30 minutes (REG §4.1).

        >>> ServiceLevels.enquiry().policy
        'enquiry'
        """
        reply = Target(name="reply", minutes=30, stops=("replied",), **ACTIONS["reply"])
        return cls._only(reply, "enquiry")

    @classmethod
    def email(cls) -> ServiceLevels:
        """Return the levels of an email: answered within 24 hours (REG §4.1)."""
        reply = Target(name="reply", hours=24, stops=("replied",), **ACTIONS["reply"])
        return cls._only(reply, "email")

    @classmethod
    def store_wait(cls) -> ServiceLevels:
        """Return the levels of waiting in a store: at most 5 minutes (REG §4.1)."""
        wait = Target(name="wait", minutes=5, stops=("replied",), **ACTIONS["wait"])
        return cls._only(wait, "store-wait")

    @classmethod
    def order(cls, zone: str) -> ServiceLevels:
        """
        Return the levels of a standard order: delivered the next day (REG §4.1).

        Args:
            zone: IANA name of the zone whose next day is meant, to its end.
        """
        delivery = Target(
            name="delivery",
            days=1,
            day_ends="end_of_day",
            calendar=WorkingCalendar.around_the_clock(zone),
            stops=("delivered",),
            **ACTIONS["delivery"],
        )
        return cls._only(delivery, "order")

    @classmethod
    def _only(cls, target: Target, policy: str) -> ServiceLevels:
        return cls(
            reply_hours=None,
            solution_hours=None,
            callback_hours=None,
            targets=(target,),
            policy=policy,
        )

    @callback_from.validator
    def _check_callback(self, _attribute: object, value: Any) -> None:
        if value not in {"received", "solved"}:
            raise InvalidValueError(
                "'callback_from' must be 'received' or 'solved', "
                f"not {str(value)[:20]!r}"
            )

    def __attrs_post_init__(self) -> None:
        """Refuse now a policy that could never be read."""
        names = self.plan.names
        for name in self.pausing:
            if name not in names:
                shown = str(name)[:40]
                raise InvalidValueError(
                    f"no target {shown!r} can pause; {nearest(shown, names)}"
                )
            if name == "promised_reply":
                raise InvalidValueError(
                    "a promised reply is due at the moment that was promised and "
                    "cannot pause: leave 'promised_reply' out of pausing="
                )

    @cached_property
    def plan(self) -> TargetPlan:
        """All targets, those of *targets* before the usual ones."""
        own = [target.name for target in self.targets if not target.is_conditional]
        usual = [target for target in usual_targets(self) if target.name not in own]
        return TargetPlan((*self.targets, *usual))

    def decide(self, case: Complaint, *, as_of: dt.datetime) -> ServiceDecision:
        """
        Work out every clock of a case at a moment from its events.

        Args:
            case: The case; what happened after *as_of* is not known yet.
            as_of: The moment, with a zone.

        Raises:
            InvalidValueError: *as_of* has no zone.
            CurrencyMismatchError: The amount asked and an authority's differ.
        """
        moment = instant_of(as_of, "as_of")
        history = History.of(case, moment)
        clocks = self._clocks(case, history)
        changes = [clock.changes_at for clock in clocks if clock.changes_at]
        office = self.office or self.calendar
        if office is not None and changes:
            turns = forecast_changes_at(office, clocks, moment, min(changes))
            changes += [] if turns is None else [turns]
        return ServiceDecision(
            outcome=outcome_of(clocks).value,
            grounds=ServiceGrounds(
                clocks=clocks,
                zone=case.received_at.tzinfo,
                extra=changes_of(history),
            ),
            clocks=clocks,
            next_action=next_action(case, history, clocks),
            findings=case.findings(),
            opens_at=self.opening_after(moment),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_at=min(changes, default=None),
        )

    def decide_frame(
        self, cases: Any, *, as_of: dt.datetime, forecast: dt.datetime | None = None
    ) -> pd.DataFrame:
        """
        Read the clocks of many cases at once; row by row the states of `decide`.

        A row is a case with at most one reply, solution and callback. Clocks that a
        row cannot hold are left out: next replies, promises, second callbacks,
        escalations, and targets after another; `frame` has them all.

        Args:
            cases: A frame of pandas, polars, pyarrow or DuckDB with moments that
                carry a zone: ``received_at`` and one column ``<event>_at`` for each
                event that starts or stops a clock, by default ``replied_at``,
                ``solved_at``, ``callback_at``; empty where it has not happened.
                Optional ``closed_at``: the closing that no reopening took back.
                ``category``, ``priority`` and ``channel`` where a target asks for
                them. For clocks that pause: ``<clock>_paused_seconds`` or
                ``paused_seconds``, whole seconds of the clock's own time in finished
                pauses, and ``paused_since`` of one that lasts.
            as_of: The moment, with a zone; later facts are not known yet.
            forecast: A later moment, such as ``opening_after(as_of)``.

        Returns:
            A pandas frame: the cases with, for each clock, ``<clock>_state``
            (categories), ``<clock>_due_at`` (UTC; of a clock that is late and was
            paused, as if its pauses lay before), ``<clock>_remaining_seconds`` (whole,
            of the clock's own time, below zero when late), ``<clock>_level`` where
            it has levels and ``<clock>_breached_by_forecast`` with *forecast*; then
            ``next_clock`` and ``changes_at``. The arithmetic is numpy's, whatever the
            engine of *cases*.

        Raises:
            MissingColumnsError: A needed column is absent.
            ColumnTypeError: Moments without a zone, a case without its receipt.
            InvalidValueError: *as_of* or *forecast* has no zone.

        >>> frame = pd.DataFrame({"received_at": ["2026-11-05T01:00Z"],
        ...     "replied_at": ["2026-11-05T03:00Z"], "solved_at": [None],
        ...     "callback_at": [None]}).apply(pd.to_datetime, utc=True)
        >>> at = dt.datetime(2026, 11, 7, 2, tzinfo=dt.UTC)
        >>> row = ServiceLevels().decide_frame(frame, as_of=at).iloc[0]
        >>> row.reply_state, row.solution_state, int(row.solution_remaining_seconds)
        ('met', 'breached', -3600)
        """
        return decide_cases(
            self.plan,
            cases,
            as_of=instant_of(as_of, "as_of"),
            forecast=None if forecast is None else instant_of(forecast, "forecast"),
        )

    def frame(
        self,
        complaints: Any,
        case_events: Any = None,
        *,
        as_of: dt.datetime,
        currency: Currency | str = "CNY",
        forecast: dt.datetime | None = None,
    ) -> ServiceFrame:
        """
        Work out every clock of all cases from their events, as `decide` does for one.

        Nothing is left out: pauses, reopenings, further messages, promises, second
        callbacks and escalations; each row is what `decide` says of the `Complaint`
        that `read_cases` makes. No case is looked at by itself.

        Args:
            complaints: See `memberops.tables.COMPLAINTS`; needs ``case_id`` and
                ``received_at``.
            case_events: See `memberops.tables.CASE_EVENTS`; None for no events.
            as_of: The moment, with a zone; later facts are not known yet.
            currency: Of the amounts asked, which are minor units.
            forecast: A later moment, such as ``opening_after(as_of)``.

        Returns:
            The `ServiceFrame`, with a row a case and a row a clock.

        Raises:
            MissingColumnsError: A frame lacks a column.
            ColumnTypeError: Moments without a zone, ids that are numbers.
            InvalidValueError: *as_of* or *forecast* has no zone.
            CurrencyMismatchError: An amount asked and an authority's differ.

        >>> cases = pd.DataFrame({"case_id": ["K1"],
        ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"])})
        >>> events = pd.DataFrame({"case_id": ["K1"], "kind": ["replied"],
        ...     "at": pd.to_datetime(["2026-11-05T03:00Z"])})
        >>> at = dt.datetime(2026, 11, 7, 2, tzinfo=dt.UTC)
        >>> row = ServiceLevels().frame(cases, events, as_of=at).cases.iloc[0]
        >>> row.reply_state, row.outcome, row.next_zh
        ('met', 'breached', '解决投诉')
        """
        frames = clean_cases(complaints, case_events)
        read = read_clocks(
            self.plan,
            self.authority,
            frames,
            as_of=instant_of(as_of, "as_of"),
            currency=Currency(currency) if isinstance(currency, str) else currency,
            forecast=None if forecast is None else instant_of(forecast, "forecast"),
        )
        return ServiceFrame(
            read=read,
            findings=frames.findings,
            policy=self.policy,
            version=self.version,
        )

    def _clocks(self, case: Complaint, history: History) -> tuple[ClockReading, ...]:
        category, priority = case.category, case.priority
        for event in history.events:
            category = event.category or category
            priority = event.priority or priority
        exceeded = [
            limit for limit in self.authority if limit.is_exceeded(case, category)
        ]
        unknown = history.received > history.as_of
        last: dict[str, Run] = {}
        clocks = []
        for target in self.plan.chosen(category, priority, case.channel):
            if target.name == "escalation" and not exceeded:
                continue
            if unknown:
                runs = [Run(target=target)] if target.starts == "received" else []
            else:
                runs = runs_of(target, history, last.get(target.after or ""))
            if runs:
                last[target.name] = runs[-1]
            clocks += [read_clock(run, as_of=history.as_of) for run in runs]
        return tuple(clocks)

    def opening_after(self, as_of: dt.datetime) -> dt.datetime | None:
        """
        Return when the office first works on a later day, in UTC.

        Args:
            as_of: The moment, with a zone.

        Returns:
            The opening, or None where the policy has no calendar.
        """
        office = self.office or self.calendar
        if office is None:
            return None
        return opening_of(office, instant_of(as_of, "as_of"))
