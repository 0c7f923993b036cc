"""Decisions that a person has set by hand: with a reason, an actor and an end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import attrs

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import identifier, plain_date
from memberops.errors import InvalidValueError, nearest
from memberops.policies.outcomes import outcome_names
from memberops.policies.wording import reason_text
from memberops.schedules.dates import add_days

__all__ = ["Override", "overridden"]

_MAX_REASON = 200
_Decision = TypeVar("_Decision", bound=Decision)


def _reason_given(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_REASON:
        raise InvalidValueError(
            f"an override needs a reason of at most {_MAX_REASON} characters"
        )


@attrs.frozen(kw_only=True)
class Override:
    """
    An outcome set by hand for a while, or for good.

    It holds from *set_on* through *until*: the day after, the policy decides again.

    Args:
        subject: What it is for, such as a card's number.
        outcome: The outcome that is set.
        reason: Why, in words that name no person; a repr does not show it, and a
            sentence masks phones in it.
        actor: Id of who set it.
        set_on: The first day on which it holds.
        until: The last day on which it holds; None if it holds for good.
        policy: Id of the policy whose decisions it overrides; empty for any.

    Raises:
        InvalidValueError: There is no reason, or it ends before it begins.

    >>> kind = Override(subject="C1", outcome="waived", reason="投诉补偿", actor="E7",
    ...     set_on=dt.date(2026, 11, 1), until=dt.date(2026, 11, 30))
    >>> kind.holds(dt.date(2026, 11, 30)), kind.holds(dt.date(2026, 12, 1))
    (True, False)
    """

    subject: str = attrs.field(validator=identifier)
    outcome: str = attrs.field(validator=identifier)
    reason: str = attrs.field(validator=_reason_given, repr=lambda _text: "'…'")
    actor: str = attrs.field(validator=identifier)
    set_on: dt.date = attrs.field(validator=plain_date)
    until: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    policy: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse an override that never holds."""
        if self.until is not None and self.until < self.set_on:
            raise InvalidValueError(
                f"an override from {self.set_on} through {self.until} never holds"
            )

    def holds(self, day: dt.date) -> bool:
        """Tell whether it holds on a day."""
        return self.set_on <= day and (self.until is None or day <= self.until)


def overridden(
    decision: _Decision,
    overrides: Iterable[Override],
    *,
    subject: str,
    names: Mapping[str, str] | None = None,
) -> _Decision:
    """
    Return what holds once a person's word is heard.

    Of several that hold, the one set last wins, of one day the one given last.

    Args:
        decision: What the policy decided.
        overrides: The overrides known.
        subject: What the decision is about; others' overrides are left alone.
        names: Outcomes of the chain's own, each with its Chinese name, beside those
            that the policy has: its levels, or a state such as ``"blocked"``.

    Returns:
        The decision as it is, or another of its kind whose outcome is the override's
        and whose first reason names it; the policy's own outcome and reasons follow.
        It changes on the day on which the override ends or another begins.

    Raises:
        InvalidValueError: The override's outcome is none that the policy has.

    >>> reason = Reason(rule="end", met=False, text_en="ended", text_zh="已到期")
    >>> plain = Decision(outcome="expired", grounds=Statement(reasons=[reason]),
    ...     policy="card-state", version="1", as_of=dt.date(2026, 11, 30))
    >>> kind = Override(subject="C1", outcome="active", reason="投诉补偿", actor="E7",
    ...     set_on=dt.date(2026, 11, 1), until=dt.date(2026, 11, 30))
    >>> answer = overridden(plain, [kind], subject="C1")
    >>> answer.outcome, answer.changes_on
    ('active', datetime.date(2026, 12, 1))
    >>> print(answer.explain("zh"))
    人工设为有效，至 2026-11-30（E7：投诉补偿）；原为已失效：已到期
    """
    mine = [
        override
        for override in overrides
        if override.subject == subject
        and (not override.policy or override.policy == decision.policy)
    ]
    day = decision.as_of
    held = [override for override in mine if override.holds(day)]
    if not held:
        # A later word may be heard before the facts change.
        changes_on = _changes_on(decision, mine, decision.outcome)
        if changes_on == decision.changes_on:
            return decision
        return attrs.evolve(decision, changes_on=changes_on)
    chosen = _last_word(held)
    known = outcome_names(decision)
    known |= names or {}
    if known and chosen.outcome not in known:
        raise InvalidValueError(
            f"the policy {decision.policy[:40]!r} has no outcome "
            f"{chosen.outcome[:40]!r}; {nearest(chosen.outcome[:40], known)} "
            "(outcomes of your own are given as names=)"
        )
    own = _reason(chosen, decision.outcome, known)
    was = known.get(decision.outcome, decision.outcome)
    english = f"{own.text_en}; else {decision.outcome}: {decision.explain('en')}"
    return attrs.evolve(
        decision,
        outcome=chosen.outcome,
        grounds=Statement(
            reasons=(own, *decision.reasons),
            text_en=english,
            text_zh=f"{own.text_zh}；原为{was}：{decision.explain('zh')}",
        ),
        changes_on=_changes_on(decision, mine, chosen.outcome),
    )


def _reason(chosen: Override, instead_of: str, names: Mapping[str, str]) -> Reason:
    until = "" if chosen.until is None else str(chosen.until)
    why = reason_text(chosen.reason)
    outcome = names.get(chosen.outcome, chosen.outcome)
    return Reason(
        rule="override",
        met=True,
        figures=(
            ("actor", chosen.actor),
            ("set_on", str(chosen.set_on)),
            ("until", until or "none"),
            ("instead_of", instead_of),
        ),
        text_en=f"set to {chosen.outcome} by hand"
        f"{f' through {until}' if until else ''} ({chosen.actor}: {why})",
        text_zh=f"人工设为{outcome}{f'，至 {until}' if until else ''}"
        f"（{chosen.actor}：{why}）",
    )


def _last_word(held: list[Override]) -> Override:
    """Choose the override set last, of one day the one given last."""
    return max(reversed(held), key=lambda override: override.set_on)


def _changes_on(
    decision: Decision, mine: list[Override], outcome: str
) -> dt.date | None:
    """Return the first day on which another outcome can hold."""
    days = {each.set_on for each in mine}
    days |= {
        add_days(each.until, 1)
        for each in mine
        if each.until is not None and each.until < dt.date.max
    }
    if decision.changes_on is not None:
        days.add(decision.changes_on)
    for day in sorted(day for day in days if day > decision.as_of):
        held = [override for override in mine if override.holds(day)]
        if held:
            if _last_word(held).outcome != outcome:
                return day
        elif decision.changes_on is not None and day >= decision.changes_on:
            return day  # the policy decides again, and may say something else
        elif decision.outcome != outcome:
            return day
    return None
