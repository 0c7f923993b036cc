"""Decisions that a person has set by hand: with a reason, an actor and an end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import identifier, plain_date
from memberops.errors import InvalidValueError

__all__ = ["Override", "overridden"]

_MAX_REASON = 200


def _reason_given(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_REASON:
        raise InvalidValueError(
            f"an override needs a reason of at most {_MAX_REASON} characters"
        )


@attrs.frozen(kw_only=True)
class Override:
    """
    An outcome set by hand for a while, or for good.

    It holds from *set_on* through the day before *until*: on the until-date itself the
    policy decides again.

    Args:
        subject: What it is for, such as a card's number.
        outcome: The outcome that is set.
        reason: Why, in words that name no person.
        actor: Id of who set it.
        set_on: The first day on which it holds.
        until: The first day on which it no longer holds; None if it holds for good.
        policy: Id of the policy whose decisions it overrides; empty for any.

    Raises:
        InvalidValueError: There is no reason, or it ends before it begins.

    >>> kind = Override(subject="C1", outcome="waived", reason="投诉补偿", actor="E7",
    ...     set_on=dt.date(2026, 11, 1), until=dt.date(2026, 12, 1))
    >>> kind.holds(dt.date(2026, 11, 30)), kind.holds(dt.date(2026, 12, 1))
    (True, False)
    """

    subject: str = attrs.field(validator=identifier)
    outcome: str = attrs.field(validator=identifier)
    reason: str = attrs.field(validator=_reason_given)
    actor: str = attrs.field(validator=identifier)
    set_on: dt.date = attrs.field(validator=plain_date)
    until: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    policy: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse an override that never holds."""
        if self.until is not None and self.until <= self.set_on:
            raise InvalidValueError(
                f"an override from {self.set_on} until {self.until} never holds: "
                "the until-date is the first day without it"
            )

    def holds(self, day: dt.date) -> bool:
        """Tell whether it holds on a day."""
        return self.set_on <= day and (self.until is None or day < self.until)


def overridden(
    decision: Decision, overrides: Iterable[Override], *, subject: str
) -> Decision:
    """
    Return what holds once a person's word is heard.

    Of several that hold, the one set last wins, of one day the one given last.

    Args:
        decision: What the policy decided.
        overrides: The overrides known.
        subject: What the decision is about; others' overrides are left alone.

    Returns:
        The decision as it is, or another whose outcome is the override's and whose
        first reason names it; the policy's own outcome and reasons follow. It
        changes on the day on which the override ends or another begins.

    >>> reason = Reason(rule="end", met=False, text_en="ended", text_zh="已到期")
    >>> plain = Decision(outcome="expired", grounds=Statement(reasons=[reason]),
    ...     policy="card-state", version="1", as_of=dt.date(2026, 11, 30))
    >>> kind = Override(subject="C1", outcome="active", reason="投诉补偿", actor="E7",
    ...     set_on=dt.date(2026, 11, 1), until=dt.date(2026, 12, 1))
    >>> answer = overridden(plain, [kind], subject="C1")
    >>> answer.outcome, answer.changes_on
    ('active', datetime.date(2026, 12, 1))
    >>> print(answer.explain("zh"))
    人工设为 active，至 2026-12-01 前（E7：投诉补偿）；原为 expired：已到期
    """
    mine = [
        override
        for override in overrides
        if override.subject == subject
        and (not override.policy or override.policy == decision.policy)
    ]
    day = decision.as_of
    held = [override for override in mine if override.holds(day)]
    turns = [override.set_on for override in mine if override.set_on > day]
    if not held:
        if decision.changes_on is not None:
            turns.append(decision.changes_on)
        # A later word may be heard before the facts change.
        changes_on = min(turns, default=None)
        if changes_on == decision.changes_on:
            return decision
        return attrs.evolve(decision, changes_on=changes_on)
    chosen = max(reversed(held), key=lambda override: override.set_on)
    if chosen.until is not None:
        turns.append(chosen.until)
    until = "" if chosen.until is None else str(chosen.until)
    own = Reason(
        rule="override",
        met=True,
        figures=(
            ("actor", chosen.actor),
            ("set_on", str(chosen.set_on)),
            ("until", until or "none"),
            ("instead_of", decision.outcome),
        ),
        text_en=f"set to {chosen.outcome} by hand"
        f"{f' until {until}, exclusive' if until else ''}"
        f" ({chosen.actor}: {chosen.reason})",
        text_zh=f"人工设为 {chosen.outcome}{f'，至 {until} 前' if until else ''}"
        f"（{chosen.actor}：{chosen.reason}）",
    )
    return Decision(
        outcome=chosen.outcome,
        grounds=Statement(
            reasons=(own, *decision.reasons),
            text_en=f"{own.text_en}; else {decision.outcome}: {decision.explain('en')}",
            text_zh=f"{own.text_zh}；原为 {decision.outcome}：{decision.explain('zh')}",
        ),
        policy=decision.policy,
        version=decision.version,
        as_of=day,
        changes_on=min(turns, default=None),
    )
