"""The values of a tier policy: levels, what a member holds, what was set by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from memberops.domain import Decision
from memberops.domain.values import (
    Language,
    check_language,
    identifier,
    plain_date,
    whole_number,
)
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.reading import Reading, Rule
from memberops.schedules.dates import add_days

__all__ = [
    "HeldTier",
    "LevelNeed",
    "ManualTier",
    "Tier",
    "TierDecision",
    "changes_after",
    "one_of",
    "positive",
]

_optional_id = attrs.validators.optional(identifier)
_optional_day = attrs.validators.optional(plain_date)


def _optional_rule(_instance: object, _attribute: object, value: Any) -> None:
    if value is not None and not isinstance(value, Rule):
        raise InvalidValueError(
            "the rule of a tier is one such as AtLeast('spend', 5000), "
            f"not a {type(value).__name__}"
        )


@attrs.frozen
class Tier:
    """
    One level: its name and the rule that earns it (HQ §6.3.3.4, REG §2.3).

    Args:
        name: Stable word, such as ``"vip"``.
        rule: What earns it; None for the level that everybody has.
        name_zh: The name in Chinese; *name* if empty.
        services: The services that the level gives, as the chain words them.

    >>> from memberops.policies import AtLeast
    >>> Tier("vip", AtLeast("spend", 5000), name_zh="贵宾").label("zh")
    '贵宾'
    """

    name: str = attrs.field(validator=identifier)
    rule: Rule | None = attrs.field(default=None, validator=_optional_rule)
    name_zh: str = attrs.field(default="", kw_only=True)
    services: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=tuple)

    def label(self, language: Language = "en") -> str:
        """Return the name in the language asked for."""
        chinese = check_language(language) == "zh"
        return self.name_zh or self.name if chinese else self.name


@attrs.frozen(kw_only=True)
class HeldTier:
    """
    The level that a member holds by the rules, as the last decision left it.

    Args:
        level: Name of the level.
        since: The day on which it was reached.
        reviewed_on: The last day on which it was reviewed; None if never.
        floor: A level below which the member never falls, such as a founder's; it is
            given on purpose and no level becomes one by itself.

    Raises:
        InvalidValueError: The review lies before the day on which it was reached.
    """

    level: str = attrs.field(validator=identifier)
    since: dt.date = attrs.field(validator=plain_date)
    reviewed_on: dt.date | None = attrs.field(default=None, validator=_optional_day)
    floor: str | None = attrs.field(default=None, validator=_optional_id)

    @reviewed_on.validator
    def _check_order(self, _attribute: object, value: dt.date | None) -> None:
        if value is not None and value < self.since:
            raise InvalidValueError("a level is reviewed after it was reached")

    @property
    def counted_from(self) -> dt.date:
        """The day from which the next review counts."""
        return self.reviewed_on or self.since


@attrs.frozen(kw_only=True)
class ManualTier:
    """
    A level that a person set by hand, for a while or for good.

    While it is in force it is exactly the member's level, and the rules go on
    underneath. It is a minimum only with *floor*; a manual level never becomes one by
    itself, and when it ends, the level that the rules gave all the time stands.

    Args:
        level: Name of the level.
        since: First day.
        until: Last day, included; None if it has no end.
        reason: Why.
        actor: Who set it: a staff id, not a name.
        floor: Whether the member may have a higher level meanwhile.

    Raises:
        InvalidValueError: It ends before it begins, or no reason or actor is given.
    """

    level: str = attrs.field(validator=identifier)
    since: dt.date = attrs.field(validator=plain_date)
    until: dt.date | None = attrs.field(default=None, validator=_optional_day)
    reason: str = attrs.field(validator=identifier, repr=lambda _text: "'…'")
    actor: str = attrs.field(validator=identifier)
    floor: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )

    @until.validator
    def _check_order(self, _attribute: object, value: dt.date | None) -> None:
        if value is not None and value < self.since:
            raise InvalidValueError(
                f"the manual level ends on {value}, before it begins on {self.since}"
            )

    def in_force(self, day: dt.date) -> bool:
        """Tell whether it holds on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


@attrs.frozen(kw_only=True)
class LevelNeed:
    """
    What a member needs to reach a level, or to keep one.

    Args:
        level: Name of the level.
        reading: The level's rule with the figures; None for a level without a rule.
        until: The last day that counts; None where the window only rolls on.
    """

    level: str
    reading: Reading | None
    until: dt.date | None

    @property
    def met(self) -> bool:
        """Whether nothing is missing."""
        return self.reading is None or self.reading.met

    def text(self, language: Language = "en") -> str:
        """Say what is met or missing, and until when."""
        chinese = check_language(language) == "zh"
        if self.reading is None:
            return "无条件" if chinese else "no condition"
        said = self.reading.text(language)
        if self.met or self.until is None:
            return said
        return (
            f"{said}（截至 {self.until}）"
            if chinese
            else f"{said} (until {self.until})"
        )


@attrs.frozen(kw_only=True)
class TierDecision(Decision):
    """
    The answer of a `TierPolicy`; the outcome is the name of the member's level.

    Args:
        change: ``"new"``, ``"up"``, ``"down"``, ``"kept"`` or ``"manual"``.
        earned: The highest level whose rule holds today.
        held: What to keep for the next decision: the level by the rules.
        next_review: The next day on which the level may fall; None if it never does.
        to_reach: For each level above the outcome, what is missing today.
        to_keep: What is missing to keep the level at the next review; None if it
            cannot fall, or if the figures of the review's window were not given.
    """

    change: str
    earned: str
    held: HeldTier
    next_review: dt.date | None
    to_reach: tuple[LevelNeed, ...]
    to_keep: LevelNeed | None


def changes_after(
    review: dt.date | None, manual: ManualTier | None, as_of: dt.date
) -> dt.date | None:
    """Return the next day on which a review or a word of a person turns the level."""
    days = [] if review is None else [review]
    if manual is not None:
        days.append(manual.since)
        if manual.until is not None and manual.until < dt.date.max:
            days.append(add_days(manual.until, 1))
    return min((day for day in days if day > as_of), default=None)


def positive(_instance: object, attribute: Any, value: Any) -> None:
    """Refuse a number that is not whole, or below 1 (validator)."""
    whole_number(_instance, attribute, value)
    if value < 1:
        raise InvalidValueError(f"{attribute.name!r} must be 1 or more, not {value}")


def one_of(words: tuple[str, ...]) -> Any:
    """Make a validator that refuses all but some words, with the nearest."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in words:
            raise InvalidValueError(
                f"no {attribute.name} is called {bounded([value])}; "
                f"{nearest(str(value), words)}"
            )

    return check
