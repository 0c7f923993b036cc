"""Who has to do what next for a case, and by when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain import Complaint, EventKind
from memberops.domain.values import Language, check_language
from memberops.policies.service_clocks import ClockReading, ClockState
from memberops.policies.service_runs import History

__all__ = ["NextAction", "next_action"]

_FAR = dt.datetime.max.replace(tzinfo=dt.UTC)


@attrs.frozen(kw_only=True)
class NextAction:
    """
    The next thing to do for a case.

    Args:
        clock: Name of the clock that asks for it; empty if none does.
        owner: Who does it: the id of the case's handler if known, or a part such as
            ``"headquarters"``.
        due_at: By when, in UTC; None if no clock runs for it.
        text_en: What is to be done, in English.
        text_zh: The same in Chinese.
    """

    clock: str
    owner: str
    due_at: dt.datetime | None
    text_en: str
    text_zh: str

    def text(self, language: Language = "en") -> str:
        """Return what is to be done in the language asked for."""
        return self.text_zh if check_language(language) == "zh" else self.text_en


def owner_of(case: Complaint, history: History, owner: str) -> str:
    """Return who an owner is: ``"handler"`` is who has the case now, if known."""
    if owner != "handler":
        return owner
    holder = case.handler
    for event in history.events:
        if event.to is not None:
            holder = event.to
    return holder or owner


def _urgency(clock: ClockReading) -> tuple[int, dt.datetime]:
    late = clock.state is ClockState.BREACHED
    waits = clock.state is ClockState.PAUSED
    return (2 if waits else 1 - late, clock.due_at or _FAR)


def next_action(
    case: Complaint, history: History, clocks: Iterable[ClockReading]
) -> NextAction | None:
    """
    Choose the next action: escalate, agree a time, then what is late or due first.

    Args:
        case: The case.
        history: What happened to it by the moment asked for.
        clocks: Its clocks at that moment.

    Returns:
        The action, or None if there is nothing to do.
    """
    open_clocks = [clock for clock in clocks if clock.is_open]
    for clock in open_clocks:
        if clock.name == "escalation":
            return _action(case, history, clock)
    kinds = {event.kind for event in history.events}
    promised = kinds & {EventKind.PROMISED_REPLY, EventKind.REPLIED, EventKind.SOLVED}
    closed = history.closing() is not None
    if EventKind.ESCALATED in kinds and not promised and not closed:
        escalated = [each.to for each in history.events if each.to is not None]
        return NextAction(
            clock="promised_reply",
            owner=escalated[-1] if escalated else "manager",
            due_at=min(
                (each.due_at for each in open_clocks if each.due_at), default=None
            ),
            text_en="agree a reply time with the customer",
            text_zh="与顾客约定回复时间",
        )
    if not open_clocks:
        return None
    chosen = min(open_clocks, key=_urgency)
    if chosen.state is ClockState.PAUSED:
        return NextAction(
            clock=chosen.name,
            owner=owner_of(case, history, chosen.target.owner),
            due_at=None,
            text_en="await the customer's answer",
            text_zh="等待顾客答复",
        )
    return _action(case, history, chosen)


def _action(case: Complaint, history: History, clock: ClockReading) -> NextAction:
    return NextAction(
        clock=clock.name,
        owner=owner_of(case, history, clock.target.owner),
        due_at=clock.due_at,
        text_en=clock.target.action_en,
        text_zh=clock.target.action_zh,
    )
