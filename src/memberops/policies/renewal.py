"""Renewing a membership: what was paid for is kept, and so is the day (HQ §4.2)."""

from __future__ import annotations

import datetime as dt

import attrs

from memberops.domain import Card, Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.policies.fixed_term import AnyTerm, FixedTerm, Lifetime
from memberops.policies.grace import KindGrace, grace_by_kind, grace_of
from memberops.policies.term import Term, not_negative
from memberops.schedules import Period
from memberops.schedules.dates import add_days, add_months

__all__ = ["Renewal", "Renewed"]


@attrs.frozen(kw_only=True)
class Renewed:
    """
    What a renewal gives.

    Args:
        card: The card as it is from now on: valid from the first day of its unbroken
            run, which is today's as well, through the last day that is paid.
        term: The terms that were added, for the table of cards, which has one row a
            term.
        decision: ``"continued"`` from the old end, ``"restarted"`` after a pause, or
            ``"kept"`` where the card already runs for life.
    """

    card: Card
    term: Period
    decision: Decision


@attrs.frozen(kw_only=True)
class Renewal:
    """
    The policy that gives a card its next term (HQ §4.2).

    A card that is valid, not yet valid, or in grace goes on from the day after its
    last day: renewing early loses no day, of the term that still runs neither, and
    renewing in grace gains none. Its terms keep counting from the anchor. A card whose
    grace is over, or whose next terms would be over before they are paid, begins anew
    on the given day, which becomes its anchor. A card for life stays as it is.

    Args:
        term: The next term: rolling, fixed or for life.
        grace_days: Days after the last day in which the card still goes on.
        grace_by_kind: Kinds of card that have another grace.
        policy: Id of the policy.
        version: Version of the policy.

    >>> card = Card(card_id="C1", member_id="M1", anchor=dt.date(2024, 2, 29),
    ...     valid_from=dt.date(2026, 2, 28), valid_through=dt.date(2027, 2, 27))
    >>> renewed = Renewal().renew(card, as_of=dt.date(2026, 12, 24))
    >>> print(renewed.card.valid_from, renewed.card.valid_through)
    2026-02-28 2028-02-28
    >>> print(renewed.term.label)
    2027-02-28..2028-02-28
    >>> print(renewed.decision.explain("zh"))
    自 2027-02-28 续期至 2028-02-28
    """

    term: AnyTerm = attrs.field(
        factory=Term,
        validator=attrs.validators.instance_of((Term, FixedTerm, Lifetime)),
    )
    grace_days: int = attrs.field(default=0, validator=not_negative)
    grace_by_kind: tuple[KindGrace, ...] = grace_by_kind()
    policy: str = attrs.field(default="renewal", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def grace(self, kind: str) -> int:
        """Return the days of grace of a kind of card."""
        return grace_of(kind, self.grace_days, self.grace_by_kind)

    def renew(self, card: Card, *, as_of: dt.date, terms: int = 1) -> Renewed:
        """
        Give a card its next term, or several at once.

        Args:
            card: The card as it is.
            as_of: The day on which it is renewed.
            terms: How many terms are bought at once, 1 or more.

        Returns:
            The card with its next term, and why. A restart changes with each day on
            which it is asked for; a continuation when the grace or the new terms are
            over.

        Raises:
            InvalidValueError: *as_of* is no plain date.
            ScheduleError: The next term would lie outside the calendar.
        """
        late = (check_as_of(as_of) - card.valid_through).days
        if card.valid_through == dt.date.max:
            return self._kept(card, as_of)
        grace = self.grace(card.kind)
        if late > grace:
            return self._restarted(card, as_of, terms, late=late)
        first, anchor = add_days(card.valid_through, 1), card.anchor
        last = self.term.end_from(first, anchor, terms)
        if last is None:
            anchor = _anchor_of(first, card.valid_from)
            last = self.term.end(first, terms)
        if last < as_of:
            return self._restarted(card, as_of, terms, late=late)
        renewed = attrs.evolve(card, valid_through=last, anchor=anchor)
        # Who pays when the new terms are over has nothing of them.
        until = min(add_days(card.valid_through, grace), last)
        added = Period.span(first, last)
        return self._renewed(renewed, added, as_of, "continued", until, late=late)

    def _restarted(
        self, card: Card, as_of: dt.date, terms: int, *, late: int
    ) -> Renewed:
        last = self.term.end(as_of, terms)
        renewed = attrs.evolve(card, valid_from=as_of, valid_through=last, anchor=as_of)
        added = Period.span(as_of, last)
        return self._renewed(renewed, added, as_of, "restarted", as_of, late=late)

    def _kept(self, card: Card, as_of: dt.date) -> Renewed:
        reason = Reason(
            rule="lifetime",
            met=True,
            figures=(("valid_through", str(card.valid_through)),),
            text_en="valid for life, nothing to renew",
            text_zh="终身有效，无需续期",
        )
        return Renewed(
            card=card,
            term=Period.span(card.valid_from, card.valid_through),
            decision=Decision(
                outcome="kept",
                grounds=Statement(reasons=[reason]),
                policy=self.policy,
                version=self.version,
                as_of=as_of,
            ),
        )

    def _renewed(
        self,
        card: Card,
        added: Period,
        as_of: dt.date,
        outcome: str,
        until: dt.date,
        *,
        late: int,
    ) -> Renewed:
        first, last = added.start, added.through
        grace = self.grace(card.kind)
        term = Reason(
            rule="term",
            met=True,
            figures=(
                ("valid_from", str(first)),
                ("valid_through", str(last)),
                ("anchor", str(card.anchor)),
            ),
            text_en=f"renewed from {first} through {last}",
            text_zh=f"自 {first} 续期至 {last}",
        )
        reasons = [term]
        if late > 0:
            days = f"{late} day{'s' if late > 1 else ''}"
            reasons.append(
                Reason(
                    rule="grace",
                    met=late <= grace,
                    figures=(("late", str(late)), ("grace", str(grace))),
                    text_en=f"{days} late ({grace} of grace)",
                    text_zh=f"逾期 {late} 天（宽限 {grace} 天）",
                )
            )
        if outcome == "restarted" and late <= grace:
            reasons.append(_OVER)
        return Renewed(
            card=card,
            term=added,
            decision=Decision(
                outcome=outcome,
                grounds=Statement(reasons=reasons),
                policy=self.policy,
                version=self.version,
                as_of=as_of,
                changes_on=add_days(until, 1),
            ),
        )


_OVER = Reason(
    rule="term_over",
    met=False,
    text_en="the terms that go on would be over by then, so they begin that day",
    text_zh="所续会期届时已过，改自当日起算",
)


def _anchor_of(first: dt.date, valid_from: dt.date) -> dt.date:
    """Return the last day up to *valid_from* whose months come round on *first*."""
    months = 0
    anchor = first
    while anchor > valid_from or anchor.day != first.day:
        months += 1
        anchor = add_months(first, -months)
    return anchor
