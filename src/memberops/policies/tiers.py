"""Tiers by spend, purchases, active days and referrals (HQ §6.3.3.4, REG §2.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, get_args

import attrs
import narwhals as nw

from memberops.domain import Currency
from memberops.domain.values import check_as_of, identifier
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.figures import entered
from memberops.policies.rules import Figure, Rule
from memberops.policies.tier_figures import tier_figures
from memberops.policies.tier_frame import decide_rows
from memberops.policies.tier_levels import (
    HeldTier,
    LevelNeed,
    ManualTier,
    Tier,
    TierDecision,
    changes_after,
    one_of,
    positive,
)
from memberops.policies.tier_reach import unreachable
from memberops.policies.tier_reviews import (
    Downgrade,
    review_after,
    review_before,
    review_days,
)
from memberops.policies.tier_words import tier_statement
from memberops.schedules import Period
from memberops.schedules.dates import add_days, add_months

__all__ = ["Downgrade", "TierPolicy", "TierWindow"]

TierWindow = Literal["rolling", "calendar_year", "lifetime"]
"""Which tickets count: those of the last months, of the calendar year, or all."""


def _levels(values: Iterable[Tier]) -> tuple[Tier, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class TierPolicy:
    """
    Which level a member has, why, and what is missing to keep or reach one.

    The manuals name the levels and leave the thresholds to the chain, so that *levels*
    has no default. A member earns the highest level whose rule holds for the figures of
    the window. A higher level is given at once. A lower one is given only by a review,
    and then at once the one that is earned, but never one below the member's floor.

    Args:
        levels: From the lowest to the highest; the lowest has no rule.
        window: Which tickets count: ``"rolling"``, the *months* up to the day asked
            for; ``"calendar_year"``, that of the day; ``"lifetime"``, all.
        months: Months of a rolling window.
        downgrade: ``"none"``, ``"at_review"`` or ``"every"``.
        reviews: Days of the year, as (month, day), of ``"at_review"``.
        every_days: Days from one review to the next, of ``"every"``.
        currency: What the spend is in.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: No levels, two of one name, a rule in the lowest or none in
            another, one that nobody can have, or a review on a day that not each year
            has.

    >>> from memberops.policies import AnyOf, AtLeast
    >>> tiers = TierPolicy(levels=(
    ...     Tier("regular", name_zh="普通会员"),
    ...     Tier("vip", AnyOf(AtLeast("spend", 5000), AtLeast("purchases", 12)),
    ...          name_zh="贵宾"),
    ...     Tier("senior_vip", AtLeast("spend", 20000), name_zh="高级贵宾")))
    >>> answer = tiers.decide(None, spend="6000", purchases=4,
    ...                       as_of=dt.date(2026, 11, 5))
    >>> answer.outcome, answer.change, answer.next_review
    ('vip', 'new', datetime.date(2026, 12, 31))
    >>> print(answer.to_reach[0].text("zh"))
    还差 14,000.00 元
    """

    levels: tuple[Tier, ...] = attrs.field(converter=_levels)
    window: TierWindow = attrs.field(
        default="rolling", validator=one_of(get_args(TierWindow))
    )
    months: int = attrs.field(default=12, validator=positive)
    downgrade: Downgrade = attrs.field(
        default="at_review", validator=one_of(get_args(Downgrade))
    )
    reviews: tuple[tuple[int, int], ...] = attrs.field(
        default=((12, 31),), converter=review_days
    )
    every_days: int = attrs.field(default=365, validator=positive)
    currency: Currency = attrs.field(
        default=Currency("CNY"), validator=attrs.validators.instance_of(Currency)
    )
    policy: str = attrs.field(default="tiers", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @levels.validator
    def _check_levels(self, _attribute: object, value: tuple[Tier, ...]) -> None:
        if not value or not all(isinstance(tier, Tier) for tier in value):
            raise InvalidValueError(
                "'levels' are tiers from the lowest to the highest: "
                "(Tier('regular'), Tier('vip', AtLeast('spend', 5000)))"
            )
        names = [tier.name for tier in value]
        if len(set(names)) < len(names):
            raise InvalidValueError(f"two levels have one name: {bounded(names)}")
        for place, tier in enumerate(value):
            if (tier.rule is None) != (place == 0):
                raise InvalidValueError(
                    "the lowest level has no rule, and each other level has one; "
                    f"see {tier.name[:40]!r}"
                )

    def __attrs_post_init__(self) -> None:
        """Refuse now a rule that could never be read, or reviews without a day."""
        if (never := unreachable(self.rules)) is not None:
            raise InvalidValueError(
                f"nobody can have the level {self.names[never + 1][:40]!r}: whoever "
                "meets its rule meets that of a higher level"
            )
        if self.downgrade == "at_review" and not self.reviews:
            raise InvalidValueError("downgrade='at_review' needs reviews=((12, 31),)")

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the levels above the lowest, their money in the currency."""
        return tuple(
            tier.rule.in_currency(self.currency)
            for tier in self.levels
            if tier.rule is not None
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the levels, from the lowest."""
        return tuple(tier.name for tier in self.levels)

    @cached_property
    def _figures(self) -> tuple[str, ...]:
        found = [each.figure for rule in self.rules for each in rule.conditions]
        return tuple(dict.fromkeys(found))

    def rank(self, name: str) -> int:
        """
        Return the place of a level, the lowest being 0.

        Raises:
            InvalidValueError: No level has that name.
        """
        if name not in self.names:
            raise InvalidValueError(
                f"no level is called {name[:40]!r}; {nearest(name[:40], self.names)}"
            )
        return self.names.index(name)

    def period(self, as_of: dt.date) -> Period:
        """
        Return the window whose tickets count on a day, both days inclusive.

        >>> policy = TierPolicy(levels=(Tier("regular"),))
        >>> policy.period(dt.date(2026, 11, 5)).label
        '2025-11-06..2026-11-05'
        """
        check_as_of(as_of)
        if self.window == "lifetime":
            return Period.span(dt.date(1, 1, 1), as_of)
        if self.window == "calendar_year":
            return Period.span(dt.date(as_of.year, 1, 1), as_of)
        return Period.span(add_days(add_months(as_of, -self.months), 1), as_of)

    def next_review(self, after: dt.date) -> dt.date | None:
        """
        Return the first review after a day from which reviews count.

        >>> policy = TierPolicy(levels=(Tier("regular"),), reviews=((6, 30), (12, 31)))
        >>> policy.next_review(dt.date(2026, 6, 30))
        datetime.date(2026, 12, 31)
        """
        return review_after(
            after, self.downgrade, reviews=self.reviews, every_days=self.every_days
        )

    def last_review(self, as_of: dt.date) -> dt.date | None:
        """
        Return the latest day from which a level that counts from before is reviewed.

        A level that counts from an earlier day than this is due for review on *as_of*.
        """
        return review_before(
            as_of, self.downgrade, reviews=self.reviews, every_days=self.every_days
        )

    def decide(
        self,
        held: HeldTier | None,
        *,
        as_of: dt.date,
        manual: ManualTier | None = None,
        at_review: Mapping[str, Figure] | None = None,
        **figures: Figure,
    ) -> TierDecision:
        """
        Decide for one member, with reasons.

        Args:
            held: What the last decision left (`TierDecision.held`); None for a member
                without a level.
            as_of: The day asked for. A review that was missed is made on it, with its
                figures; to make it with those of its own day, ask for that day.
            manual: A level set by hand, if there is one.
            at_review: The figures known so far in the window of the next review, for
                what is missing to keep the level. A calendar year or a lifetime ends
                on no other day: there the figures themselves are taken.
            **figures: What the member has in the `period` of the day, this purchase
                included: ``spend`` in major units or `Money`, ``purchases``,
                ``active_days``, ``referrals``, or whatever else the rules name; None
                if unknown, which earns nothing.

        Raises:
            InvalidValueError: A figure is not given, not known, a float or bool; a
                level is not known; *held* begins after the day.
        """
        check_as_of(as_of)
        self._check(held, manual, as_of, figures)
        earned = max(
            (at for at, rule in enumerate(self.rules, 1) if rule.read(figures).met),
            default=0,
        )
        now, change = self._by_rules(held, earned, as_of)
        shown = self.rank(now.level)
        if manual is not None and manual.in_force(as_of):
            hand = self.rank(manual.level)
            if not (manual.floor and shown >= hand):
                shown, change = hand, "manual"
        least = 0 if now.floor is None else self.rank(now.floor)
        may_fall = self.rank(now.level) > least
        review = self.next_review(now.counted_from) if may_fall else None
        year_end = None
        if self.window == "calendar_year":
            year_end = dt.date(as_of.year, 12, 31)
        to_reach = tuple(
            LevelNeed(level=name, reading=rule.read(figures), until=year_end)
            for name, rule in zip(
                self.names[shown + 1 :], self.rules[shown:], strict=True
            )
        )
        own = self.rank(now.level)
        return TierDecision(
            outcome=self.names[shown],
            grounds=tier_statement(
                now=self.levels[shown],
                earned=self.levels[earned],
                change=change,
                held=now,
                manual=manual if change == "manual" else None,
                reading=self.rules[own - 1].read(figures) if own else None,
                above=to_reach[0] if to_reach else None,
                review=review,
            ),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_after(review, manual, as_of),
            change=change,
            earned=self.names[earned],
            held=now,
            next_review=review,
            to_reach=to_reach,
            to_keep=self._to_keep(now, review, at_review, figures, as_of),
        )

    def decide_frame(self, members: Any, *, as_of: dt.date) -> Any:
        """
        Decide for a frame of any engine; row by row the same answer as `decide`.

        Args:
            members: A column of whole numbers for each figure of the rules (money in
                minor units); optional ``level``, ``since``, ``reviewed_on``,
                ``floor`` (what is held), ``manual_level``, ``manual_since``,
                ``manual_until``, ``manual_floor``.
            as_of: The day asked for.

        Returns:
            The same frame with ``tier`` (the outcome), ``change``, ``tier_earned``,
            ``tier_held`` (by the rules), ``tier_due`` (whether a review was due),
            ``next_tier`` (empty at the top) and, for each figure,
            ``missing_<figure>``: its own distance to the next level's threshold, 0 if
            reached or not asked for, missing where unknown. A name in ``level`` that
            is no level counts as none held but for its floor, ``"unknown_level"``; a
            manual one that is none is not applied. A level without a day is kept.

        Raises:
            MissingColumnsError: A figure has no column.
            ColumnTypeError: A figure holds floats, decimals or text; a day is none.
        """
        check_as_of(as_of)
        frame = entered(members, "figures")
        for rule in self.rules:
            rule.check_frame(frame)
        decided = decide_rows(
            frame,
            names=self.names,
            rules=self.rules,
            as_of=as_of,
            last_review=self.last_review(as_of),
        )
        return nw.to_native(decided)

    def figures(self, tickets: Any, members: Any, *, as_of: dt.date) -> Any:
        """
        Count each member's figures in the window of a day; see `tier_figures`.

        Args:
            tickets: One row a ticket: ``member_id``, ``sold_on``, ``amount``.
            members: ``member_id``; with ``referrer_id`` and ``joined_on``, referrals
                are counted too.
            as_of: The day asked for.
        """
        window = self.period(as_of)
        return tier_figures(tickets, members, first=window.start, last=as_of)

    def _check(
        self,
        held: HeldTier | None,
        manual: ManualTier | None,
        as_of: dt.date,
        figures: Mapping[str, Figure],
    ) -> None:
        for name in figures:
            if name not in self._figures:
                raise InvalidValueError(
                    f"the rules know no figure {name[:40]!r}; "
                    f"{nearest(name[:40], self._figures)}"
                )
        if manual is not None:
            self.rank(manual.level)
        if held is not None:
            self.rank(held.level)
            self.rank(held.floor or held.level)
            if held.counted_from > as_of:
                raise InvalidValueError(
                    f"the level is held since {held.counted_from}, after {as_of}: "
                    "ask for a later day"
                )

    def _by_rules(
        self, held: HeldTier | None, earned: int, as_of: dt.date
    ) -> tuple[HeldTier, str]:
        if held is None:
            return HeldTier(level=self.names[earned], since=as_of), "new"
        level = self.rank(held.level)
        least = 0 if held.floor is None else self.rank(held.floor)
        target = max(earned, least)
        if target > level:
            up = HeldTier(level=self.names[target], since=as_of, floor=held.floor)
            return up, "up"
        last = self.last_review(as_of)
        if last is None or held.counted_from >= last:
            return held, "kept"
        if target < level:
            down = HeldTier(level=self.names[target], since=as_of, floor=held.floor)
            return down, "down"
        return attrs.evolve(held, reviewed_on=as_of), "kept"

    def _to_keep(
        self,
        now: HeldTier,
        review: dt.date | None,
        at_review: Mapping[str, Figure] | None,
        figures: Mapping[str, Figure],
        as_of: dt.date,
    ) -> LevelNeed | None:
        if review is None:
            return None
        if at_review is None:
            same = self.window == "lifetime" or (
                self.window == "calendar_year" and review.year == as_of.year
            )
            if not same:
                return None
            at_review = figures
        reading = self.rules[self.rank(now.level) - 1].read(at_review)
        return LevelNeed(level=now.level, reading=reading, until=review)
