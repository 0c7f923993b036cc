"""When the next year's fee is waived: so many purchases, or so much spent (HQ §4.2)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import attrs
import narwhals as nw

from memberops.domain import Card, Currency, Decision, Statement
from memberops.domain.values import Language, check_as_of, check_language, identifier
from memberops.errors import InvalidValueError, nearest
from memberops.policies.exclusions import Exclusion, counting, exclusion_list
from memberops.policies.figures import WaiverYear, count_figures, entered
from memberops.policies.fixed_term import AnyTerm
from memberops.policies.free_years import free_expression, free_reading, free_terms
from memberops.policies.reading import Phrases
from memberops.policies.rules import AnyOf, AtLeast, Figure, Reading, Rule
from memberops.policies.term import Term, membership_year, not_negative
from memberops.schedules import Period
from memberops.schedules.dates import LeapDay, check_leap_day

__all__ = ["FeeWaiver", "WaiverDecision", "waiver_text", "waiver_texts"]

_USUAL = ("purchases", "spend")
_LEAP_DAY = (2, 29)
_TERM = Term()


@lru_cache(maxsize=4096)
def _calendar_year(last: dt.date) -> Period:
    if (last.month, last.day) == (12, 31):
        return Period.year(last.year)
    return Period.span(dt.date(last.year, 1, 1), last)


@lru_cache(maxsize=4096)
def _day_after(day: dt.date) -> dt.date | None:
    return None if day == dt.date.max else day + dt.timedelta(days=1)


@attrs.frozen(kw_only=True)
class WaiverDecision(Decision):
    """
    The answer of a `FeeWaiver`: a `Decision` that also knows its year.

    The outcome is ``"waived"``, ``"open"`` while the year still runs, or
    ``"fee_due"`` when it is over.

    Args:
        grounds: The rule with the figures that it weighed, or the word of a person
            who set it by hand (`overridden`).
        window: The year whose tickets count; its last day is the last on which a
            purchase counts.
    """

    grounds: Reading | Statement
    window: Period

    @property
    def waived(self) -> bool:
        """Whether next year's fee is waived."""
        return self.outcome == "waived"

    def explain(self, language: Language = "en") -> str:
        """Write what is met, or what is or was missing and until when."""
        if isinstance(self.grounds, Statement):
            return self.grounds.text(language)
        return waiver_text(
            self.grounds, self.window.through, language, as_of=self.as_of
        )


def waiver_text(
    reading: Reading, last: dt.date, language: Language, *, as_of: dt.date | None = None
) -> str:
    """Write what is met, or what is or was missing and until its last day."""
    texts = waiver_texts(reading, last, as_of=as_of)
    return texts[check_language(language) == "zh"]


def waiver_texts(
    reading: Reading, last: dt.date, *, as_of: dt.date | None = None
) -> Phrases:
    """Write `waiver_text` in both languages; without *as_of* the year still runs."""
    english, chinese = reading.texts()
    if reading.met:
        return f"fee waived: {english}", f"已免年费：{chinese}"
    if as_of is not None and as_of > last:
        over = f"the term ended on {last}; nothing can be added any more"
        return (
            f"missing at the end: {english} ({over})",
            f"期满时{chinese}（本期已于 {last} 结束，不能再补）",
        )
    return f"{english} (until {last})", f"{chinese}（截至 {last}）"


def _amount(value: Any) -> Decimal | None:
    # AtLeast refuses floats and words with a hint; let it say so.
    return None if value is None else AtLeast("spend", value).threshold


def _optional_rule(_instance: object, _attribute: object, value: Any) -> None:
    if value is not None and not isinstance(value, Rule):
        raise InvalidValueError(
            "'rule' must be a rule such as AnyOf(AtLeast('purchases', 3)), "
            f"not a {type(value).__name__}"
        )


@attrs.frozen(kw_only=True)
class FeeWaiver:
    """
    The rule that waives next year's fee: 3 purchases or 1000 spent (HQ §4.2).

    Args:
        purchases: Purchases that waive the fee; None if they do not.
        spend: Net spend that waives it, in major units; None if it does not.
        year: The year in which they count: ``"membership"``, the 12 months that end
            on the card's last day, or ``"calendar"``, the calendar year of the day
            asked for, but nothing after the card's last day.
        leap_day: As the chain's `Term` has it, for cards that began on 29 February.
        free_years: How many years from the card's anchor are free whatever is bought:
            with 1 the year of joining (`free_terms`), with 2 the first renewal too.
        exclusions: Tickets that do not count (`figures`, `waiver_evidence`).
        currency: What the spend is in.
        rule: Another rule in place of both; its ``"spend"`` takes the currency.
        policy: Id of the policy.
        version: Version of the policy; change it with the numbers.

    Raises:
        InvalidValueError: A float or bool as a threshold, no condition at all, or
            an unknown year.

    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> answer = FeeWaiver().decide(
    ...     card, purchases=2, spend="770.00", as_of=dt.date(2026, 11, 5))
    >>> answer.waived, answer.changes_on
    (False, datetime.date(2027, 1, 1))
    >>> print(answer.explain("zh"))
    还差 1 次消费或 230.00 元（截至 2026-12-31）
    >>> print(answer.explain("en"))
    1 more purchase, or 230.00 more (until 2026-12-31)

    After the last day nobody is told to buy any more:

    >>> late = FeeWaiver().decide(
    ...     card, purchases=2, spend="770.00", as_of=dt.date(2027, 1, 1))
    >>> print(late.explain("zh"))
    期满时还差 1 次消费或 230.00 元（本期已于 2026-12-31 结束，不能再补）
    """

    purchases: int | None = 3
    spend: Decimal | None = attrs.field(
        default=Decimal(1000), converter=_amount, repr=str
    )
    year: WaiverYear = attrs.field(default="membership")
    leap_day: LeapDay = "clamp"
    free_years: int = attrs.field(default=0, validator=not_negative)
    exclusions: tuple[Exclusion, ...] = attrs.field(
        default=(), converter=exclusion_list
    )
    currency: Currency = attrs.field(
        default=Currency("CNY"), validator=attrs.validators.instance_of(Currency)
    )
    _rule: Rule | None = attrs.field(
        default=None,
        validator=_optional_rule,
    )
    policy: str = attrs.field(default="fee-waiver", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @year.validator
    def _check_year(self, _attribute: object, value: Any) -> None:
        if value not in ("membership", "calendar"):
            raise InvalidValueError(
                f"'year' must be 'membership' or 'calendar', not {str(value)[:20]!r}"
            )

    def __attrs_post_init__(self) -> None:
        """Refuse now a rule that could never be read."""
        check_leap_day(self.leap_day)
        limits = {each.figure: each.limit for each in self.rule.conditions}
        for figure, limit in limits.items():
            if limit <= 0 and self._rule is None:
                raise InvalidValueError(
                    f"the threshold of {figure!r} must lie above zero: "
                    "else every card would be waived (None switches a condition off)"
                )

    @cached_property
    def rule(self) -> Rule:
        """The rule that is read: the one given, or the two conditions."""
        if self._rule is not None:
            return self._rule.in_currency(self.currency)
        conditions = [
            AtLeast(name, threshold)
            for name, threshold in zip(
                _USUAL, (self.purchases, self.spend), strict=True
            )
            if threshold is not None
        ]
        if not conditions:
            raise InvalidValueError(
                "a waiver needs a condition: give purchases=, spend= or rule="
            )
        return AnyOf(*conditions).in_currency(self.currency)

    @cached_property
    def _names(self) -> frozenset[str]:
        named = {condition.figure for condition in self.rule.conditions}
        return frozenset(named | set(_USUAL))

    def window(self, card: Card, *, as_of: dt.date) -> Period:
        """
        Return the year whose tickets count for the card, both days inclusive.

        Args:
            card: The card.
            as_of: The day asked for; it decides only with ``year="calendar"``.

        >>> card = Card(card_id="C1", member_id="M1",
        ...     valid_from=dt.date(2026, 4, 1), valid_through=dt.date(2027, 3, 31))
        >>> day = dt.date(2026, 11, 5)
        >>> FeeWaiver().window(card, as_of=day).label
        '2026-04-01..2027-03-31'
        >>> FeeWaiver(year="calendar").window(card, as_of=day).label
        '2026'
        """
        check_as_of(as_of)
        last = card.valid_through
        if self.year == "calendar":
            return _calendar_year(self.last_day(last, as_of=as_of))
        begun = card.anchor
        if self.leap_day == "clamp" or (begun.month, begun.day) != _LEAP_DAY:
            return membership_year(last, begun.day)
        return membership_year(last, begun.day, leap_day=self.leap_day)

    def last_day(self, valid_through: dt.date, *, as_of: dt.date) -> dt.date:
        """
        Return the last day on which a purchase counts for a card.

        Args:
            valid_through: The card's last day.
            as_of: The day asked for.
        """
        if self.year == "calendar" and as_of.year < valid_through.year:
            return dt.date(as_of.year, 12, 31)
        return valid_through

    def free_terms(
        self, first: dt.date, *, anchor: dt.date, terms: int = 1, term: AnyTerm = _TERM
    ) -> int:
        """
        Count the terms bought at once that the first years of a membership make free.

        `MembershipFee.charge` takes the number as its *waived_terms*: with
        ``free_years=1`` who joins pays no fee for the year of joining.

        Args:
            first: The first day of the first of the terms.
            anchor: The day on which the membership began; when joining, *first*.
            terms: How many terms are bought.
            term: How long a term runs.

        Raises:
            ScheduleError: *terms* is below 1, or the anchor lies after *first*.

        >>> joined = dt.date(2026, 5, 1)
        >>> FeeWaiver(free_years=1).free_terms(joined, anchor=joined, terms=3)
        1
        """
        return free_terms(self.free_years, first, anchor=anchor, terms=terms, term=term)

    def decide(
        self, card: Card, *, as_of: dt.date, **figures: Figure
    ) -> WaiverDecision:
        """
        Decide for one card, with reasons, in microseconds.

        Args:
            card: The card.
            as_of: The day asked for; the figures are those known on it.
            **figures: What the card has in its `window`: ``purchases`` as a whole
                number, ``spend`` net of returns in major units (Decimal, text,
                whole number) or as `Money`, and whatever else the rule names; None
                if unknown, which never waives. The spend of a frame is in minor
                units: hand it on as ``Money(spend, currency)``.

        Raises:
            InvalidValueError: A figure is not given, not known to the rule, or a
                float or bool; *as_of* is no plain date.
        """
        if not figures.keys() <= self._names:
            wrong = min(figures.keys() - self._names)
            raise InvalidValueError(
                f"the rule knows no figure {wrong[:40]!r}; "
                f"{nearest(wrong[:40], self._names)}"
            )
        rule = self.rule
        reading = rule.weigh(rule.units(figures))
        window = self.window(card, as_of=as_of)
        free = free_reading(card, self.free_years) if self.free_years else None
        reading = free or reading
        if reading.met:
            outcome, changes_on = "waived", None
        elif as_of > window.through:
            outcome, changes_on = "fee_due", None
        else:
            outcome, changes_on = "open", _day_after(window.through)
        if not free and window.through < card.valid_through:
            # Another year begins to count, for who has the waiver in this one too.
            changes_on = _day_after(window.through)
        return WaiverDecision(
            outcome=outcome,
            grounds=reading,
            window=window,
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_on,
        )

    def decide_frame(self, figures: Any) -> Any:
        """
        Decide for a whole frame; row by row the same answer as `decide`.

        Args:
            figures: A frame of any engine (pandas, polars, pyarrow, DuckDB) with a
                column of whole numbers for each figure of the rule, by default
                ``purchases`` and ``spend`` (minor units); gaps are unknown. With
                *free_years*, ``valid_from``, ``valid_through`` and optional
                ``anchor`` as well.

        Returns:
            The same frame with ``waived`` (never null) and, for each figure,
            ``missing_<figure>``: its own distance to the threshold in whole units,
            0 if reached, null if unknown.

        Raises:
            MissingColumnsError: A figure has no column.
            ColumnTypeError: A figure holds floats, decimals or text.

        >>> import pandas as pd
        >>> frame = pd.DataFrame({"purchases": [2, 3], "spend": [77000, 0]})
        >>> FeeWaiver().decide_frame(frame).to_dict("list")["missing_spend"]
        [23000, 100000]
        """
        frame = entered(figures, "figures")
        self.rule.check_frame(frame)
        waived = self.rule.expression()
        if self.free_years:
            waived = waived | free_expression(frame, self.free_years)
        return nw.to_native(
            frame.with_columns(waived.alias("waived"), *self.rule.shortfalls())
        )

    def figures(self, tickets: Any, cards: Any, *, as_of: dt.date) -> Any:
        """
        Count each card's purchases and net spend in its own year (HQ §4.2).

        A purchase is a ticket whose net amount is above zero; every ticket counts
        for spend, a return below zero. The first and last day of the year count.

        Args:
            tickets: One row a ticket, returns that the source links already taken
                off it, as ``memberops.metrics.tickets`` gives: ``member_id``,
                ``sold_on`` (days), ``amount`` (net, minor units), and a column for
                each of the *exclusions*. A ticket that lacks its day has no year and
                is left out.
            cards: A frame of the same engine: ``card_id``, ``member_id``,
                ``valid_from``, ``valid_through``, optional ``anchor``. Cards that
                lack a date have no year and are left out.
            as_of: Tickets after this day are not known yet.

        Returns:
            The cards with ``purchases`` and ``spend`` (minor units), ``int64``; a
            card without tickets has 0.

        Raises:
            MissingColumnsError: A needed column is absent.
            ColumnTypeError: Amounts that are no whole numbers, days that are none.
            FrameError: The tickets are sales lines.
        """
        check_as_of(as_of)
        if self.exclusions:
            tickets = nw.to_native(
                counting(entered(tickets, "tickets"), self.exclusions)
            )
        return count_figures(
            tickets, cards, as_of=as_of, year=self.year, leap_day=self.leap_day
        )
