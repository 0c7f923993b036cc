"""What a service-level policy answers for one case at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from memberops.domain import EventKind, Finding, Reason
from memberops.domain.values import Language
from memberops.errors import InvalidValueError, nearest
from memberops.policies.service_actions import NextAction
from memberops.policies.service_clocks import ClockReading, ClockState
from memberops.policies.service_runs import History
from memberops.policies.service_wording import ServiceGrounds

__all__ = ["ServiceDecision"]

WORST_FIRST = (
    ClockState.BREACHED,
    ClockState.DUE_SOON,
    ClockState.RUNNING,
    ClockState.PAUSED,
    ClockState.CLOSED_LATE,
    ClockState.CLOSED,
    ClockState.NOT_STARTED,
    ClockState.MET_LATE,
    ClockState.MET,
)


@attrs.frozen(kw_only=True)
class ServiceDecision:
    """
    Where a case stands at a moment.

    Args:
        outcome: The state of the clock that matters most: ``"breached"``, then
            ``"due_soon"``, ``"running"``, ``"paused"``, ``"closed_late"``,
            ``"closed"``, ``"not_started"``, ``"met_late"``, ``"met"``.
        grounds: What it rests on.
        clocks: Every clock with its state.
        next_action: What is to be done next, and by whom; None if nothing.
        findings: Events that cannot be as recorded.
        opens_at: When the office opens tomorrow, in UTC; None without a calendar.
        policy: Id of the policy.
        version: Version of the policy.
        as_of: The moment for which the question was asked.
        changes_at: The next moment at which a state, a level or what will be late
            before the opening changes without new facts; None if none ever will.
    """

    outcome: str
    grounds: ServiceGrounds
    clocks: tuple[ClockReading, ...]
    next_action: NextAction | None
    findings: tuple[Finding, ...]
    opens_at: dt.datetime | None
    policy: str
    version: str
    as_of: dt.datetime
    changes_at: dt.datetime | None

    def __getitem__(self, name: str) -> ClockReading:
        """Return the clock of a name; of several, the last."""
        for clock in reversed(self.clocks):
            if clock.name == name:
                return clock
        shown = str(name)[:40]
        raise InvalidValueError(
            f"the case has no clock {shown!r}; "
            f"{nearest(shown, [clock.name for clock in self.clocks])}"
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, one reason a clock and one for each change of the case's terms."""
        return self.grounds.reasons

    @property
    def breaching_before_opening(self) -> tuple[str, ...]:
        """The clocks in time now that will be late when the office opens tomorrow."""
        return () if self.opens_at is None else self.breaching_by(self.opens_at)

    def breaching_by(self, moment: dt.datetime) -> tuple[str, ...]:
        """Name the clocks in time now that a moment finds late if nothing happens."""
        at = instant_of(moment, "moment")
        return tuple(
            clock.name
            for clock in self.clocks
            if clock.state is not ClockState.BREACHED and clock.is_breached_by(at)
        )

    def explain(self, language: Language = "en") -> str:
        """Write the answer as one sentence in English or Chinese."""
        return self.grounds.text(language)


def instant_of(value: Any, name: str) -> dt.datetime:
    """Return a moment in UTC, and refuse one without a zone."""
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        raise InvalidValueError(
            f"{name!r} must be a datetime with a zone, such as "
            "datetime(2026, 11, 5, 9, tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    return value.astimezone(dt.UTC)


def outcome_of(clocks: Iterable[ClockReading]) -> ClockState:
    """Return the state that matters most; a case without clocks is met."""
    states = {clock.state for clock in clocks}
    return next((state for state in WORST_FIRST if state in states), ClockState.MET)


_CHANGES = {
    EventKind.TRANSFERRED: ("transferred to {what}", "已转交 {what}"),
    EventKind.ESCALATED: ("escalated to {what}", "已上报 {what}"),
    EventKind.RECLASSIFIED: ("reclassified as {what}", "已改类为 {what}"),
    EventKind.POLICY_CHANGED: (
        "before that under {what}; all times are worked out anew",
        "此前适用 {what}；各时限已重新计算",
    ),
    EventKind.CALENDAR_CHANGED: (
        "before that by the calendar {what}; all times are worked out anew",
        "此前使用日历 {what}；各时限已重新计算",
    ),
}


def changes_of(history: History) -> tuple[Reason, ...]:
    """Tell what changed the terms of a case: one reason each, with its moment."""
    reasons = []
    for event, moment in zip(history.events, history.moments, strict=True):
        if event.kind not in _CHANGES:
            continue
        words = [event.to, event.category, event.priority, event.policy]
        what = ", ".join(word for word in words if word) or "-"
        english, chinese = _CHANGES[event.kind]
        reasons.append(
            Reason(
                rule=event.kind.value,
                met=None,
                text_en=english.format(what=what),
                text_zh=chinese.format(what=what),
                figures=(("at", moment.isoformat(timespec="seconds")),),
            )
        )
    return tuple(reasons)
