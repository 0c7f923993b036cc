"""The state of a card on a day: derived from facts and policy, never stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import attrs

from memberops.domain import Card, Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.errors import ScheduleError
from memberops.policies.card_state_frame import card_states
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.grace import KindGrace, grace_by_kind, grace_of
from memberops.policies.rules import Figure
from memberops.policies.term import not_negative
from memberops.schedules.dates import add_days, add_months

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CardState", "State"]

State = Literal[
    "pending", "active", "expiring", "waived", "fee_due", "in_grace", "expired"
]

_TEXTS: dict[str, tuple[str, str]] = {
    "pending": ("not valid until {first}", "{first} 起生效"),
    "active": ("valid through {last}", "有效，至 {last}"),
    "expiring": ("expires on {last}", "即将到期（{last}）"),
    "waived": (
        "valid through {last}, next year without a fee",
        "有效，至 {last}，下年度免年费",
    ),
    "fee_due": ("ends this month, fee due on {last}", "本月到期（{last}），应缴年费"),
    "in_grace": (
        "ended on {last}, in grace through {grace}",
        "已于 {last} 到期，宽限至 {grace}",
    ),
    "expired": ("expired, ended on {last}", "已失效（{last} 到期）"),
}


@attrs.frozen(kw_only=True)
class CardState:
    """
    The policy that gives a card's state on a day (HQ §4.2).

    Exactly one state applies to each card on each day D. With *first* and *last* the
    card's days, and the month of D as the run month:

    - ``pending``: D lies before *first*.
    - ``active``: D lies in the term, and *last* in a month later than the notice
      covers (by default: later than the month after the run month). A waiver that is
      already met is among the reasons, but a return may still undo it.
    - ``waived``: D lies in the term, *last* in the run month or a month of the notice,
      and the waiver condition is met.
    - ``expiring``: the same with *last* in a month of the notice (by default the month
      after the run month), and the condition not met: the card is on the list.
    - ``fee_due``: the same with *last* in the run month itself: the list was made last
      month, and the fee is due unless the condition is met by *last*.
    - ``in_grace``: D lies 1 to *grace_days* days after *last*.
    - ``expired``: D lies later still. A card whose waiver was met expires too if no
      new term was entered; the reasons then say that renewing is free.

    A figure that is unknown does not meet the condition.

    Args:
        waiver: The waiver whose condition is asked.
        grace_days: Days after *last* in which the membership may still be renewed in
            its place.
        grace_by_kind: Kinds of card that have another grace.
        notice_months: How many months ahead a card counts as expiring.
        policy: Id of the policy.
        version: Version of the policy.

    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> answer = CardState().decide(
    ...     card, purchases=2, spend="770.00", as_of=dt.date(2026, 11, 5))
    >>> answer.outcome, answer.changes_on
    ('expiring', datetime.date(2026, 12, 1))
    >>> print(answer.explain("zh"))
    即将到期（2026-12-31）；还差 1 次消费或 230.00 元（截至 2026-12-31）
    """

    waiver: FeeWaiver = attrs.field(
        factory=FeeWaiver, validator=attrs.validators.instance_of(FeeWaiver)
    )
    grace_days: int = attrs.field(default=0, validator=not_negative)
    grace_by_kind: tuple[KindGrace, ...] = grace_by_kind()
    notice_months: int = attrs.field(default=1, validator=not_negative)
    policy: str = attrs.field(default="card-state", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def grace(self, kind: str) -> int:
        """Return the days of grace of a kind of card."""
        return grace_of(kind, self.grace_days, self.grace_by_kind)

    def decide(self, card: Card, *, as_of: dt.date, **figures: Figure) -> Decision:
        """
        Decide the state of a card.

        Args:
            card: The card.
            as_of: The day asked for.
            **figures: What the card has in its waiver's year, as `FeeWaiver.decide`
                takes them.

        Returns:
            A decision whose outcome is one of the seven states. On *changes_on* the
            state changes even if nothing else happens; a purchase or return may
            change it sooner.

        Raises:
            InvalidValueError: As `FeeWaiver.decide`.
        """
        answer = self.waiver.decide(card, as_of=as_of, **figures)
        state = self._state(card, as_of, waived=answer.waived)
        return Decision(
            outcome=state,
            grounds=self._statement(card, state, answer),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=self._changes_on(card, as_of, answer),
        )

    def decide_frame(self, cards: Any, *, as_of: dt.date) -> pd.DataFrame:
        """
        Decide the states of a frame of cards; row by row the same as `decide`.

        Args:
            cards: Of any engine, one row a card: ``valid_from``, ``valid_through``
                (days), a column of whole numbers for each figure of the waiver's
                rule as `FeeWaiver.figures` gives them (spend in minor units; gaps
                are unknown), and ``kind`` and ``anchor`` if the cards have them.
            as_of: The day asked for.

        Returns:
            The same columns in a pandas frame with what `FeeWaiver.decide_frame`
            adds (``waived``, ``missing_<figure>``), ``state``, ``grace_through`` and
            ``changes_on`` (days; none if the state never changes). A row that is no
            card, for lack of a day or because it ends before it begins, has no
            state.

        Raises:
            MissingColumnsError: A day or a figure has no column.
            ColumnTypeError: A column of days or figures holds something else.
            FrameError: The frame has one of the new columns already.

        >>> import pandas as pd
        >>> cards = pd.DataFrame({
        ...     "valid_from": pd.to_datetime(["2026-01-01", "2026-01-01"]),
        ...     "valid_through": pd.to_datetime(["2026-12-31", "2027-12-31"]),
        ...     "purchases": [2, 2], "spend": [77000, 77000]})
        >>> states = CardState().decide_frame(cards, as_of=dt.date(2026, 11, 5))
        >>> states["state"].tolist(), str(states["changes_on"][0].date())
        (['expiring', 'active'], '2026-12-01')
        """
        return card_states(self, cards, as_of=check_as_of(as_of))

    def _state(self, card: Card, day: dt.date, *, waived: bool) -> State:
        if day < card.valid_from:
            return "pending"
        if day > card.valid_through:
            late = (day - card.valid_through).days
            return "in_grace" if late <= self.grace(card.kind) else "expired"
        ahead = _months(card.valid_through) - _months(day)
        if ahead > self.notice_months:
            return "active"
        if waived:
            return "waived"
        return "expiring" if ahead else "fee_due"

    def _changes_on(
        self, card: Card, as_of: dt.date, answer: WaiverDecision
    ) -> dt.date | None:
        state = self._state(card, as_of, waived=answer.waived)
        days = [
            day
            for day in self._turning_days(card)
            if day > as_of and self._state(card, day, waived=answer.waived) != state
        ]
        # A new calendar year counts anew: it matters where the waiver decides.
        counts_anew = answer.changes_on if self.waiver.year == "calendar" else None
        if counts_anew is not None and len(self._either(card, counts_anew)) > 1:
            days.append(counts_anew)
        return min(days, default=None)

    def _either(self, card: Card, day: dt.date) -> set[State]:
        return {self._state(card, day, waived=waived) for waived in (True, False)}

    def _turning_days(self, card: Card) -> Iterable[dt.date]:
        last = card.valid_through
        yield card.valid_from
        yield last.replace(day=1)
        # A day outside the calendar never comes: a card for ever ends in 9999.
        with suppress(ScheduleError):
            yield add_months(last.replace(day=1), -self.notice_months)
        with suppress(ScheduleError):
            yield add_days(last, 1)
            yield add_days(last, self.grace(card.kind) + 1)

    def _statement(self, card: Card, state: State, answer: WaiverDecision) -> Statement:
        last = card.valid_through
        try:
            grace = add_days(last, self.grace(card.kind))
        except ScheduleError:
            grace = dt.date.max
        english, chinese = (
            text.format(first=card.valid_from, last=last, grace=grace)
            for text in _TEXTS[state]
        )
        own = Reason(
            rule="term",
            met=card.valid_from <= answer.as_of <= last,
            figures=(
                ("valid_from", str(card.valid_from)),
                ("valid_through", str(last)),
                ("grace_through", str(grace)),
            ),
            text_en=english,
            text_zh=chinese,
        )
        if state != "pending":
            english = f"{english}; {answer.explain('en')}"
            chinese = f"{chinese}；{answer.explain('zh')}"
        return Statement(
            reasons=(own, *answer.reasons), text_en=english, text_zh=chinese
        )


def _months(day: dt.date) -> int:
    return day.year * 12 + day.month
