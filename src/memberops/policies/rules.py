"""
A rule is a value, read in two ways: one case with reasons, or a whole frame.

``AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000))`` is data: it compares, nests,
prints. `Rule.read` weighs one case in microseconds and says why; `Rule.expression`
gives the same answer for a frame of any engine. A figure that is missing is
*unknown*, never zero: its condition is not met, in both readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs
import narwhals as nw

from memberops.domain import Currency
from memberops.errors import InvalidValueError
from memberops.policies.condition import AtLeast
from memberops.policies.reading import Figure, Phrases, Reading, Rule

__all__ = ["AllOf", "AnyOf", "AtLeast", "Figure", "Reading", "Rule"]


def _rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    result = tuple(rules)
    if not result:
        raise InvalidValueError("a group needs at least one rule: AnyOf(AtLeast(...))")
    for rule in result:
        if not isinstance(rule, Rule):
            raise InvalidValueError(
                f"a group holds rules such as AtLeast('purchases', 3), "
                f"not a {type(rule).__name__}"
            )
    return result


def _grouped(
    rules: Iterable[Rule],
    units: Mapping[str, int | None],
    *,
    full: bool,
    joins: Phrases,
) -> Phrases:
    open_rules = [rule for rule in rules if not rule.holds(units)]
    all_english, all_chinese = "", ""
    for rule in open_rules:
        english, chinese = rule.phrases(units, full=full)
        if len(open_rules) > 1 and not isinstance(rule, AtLeast):
            english, chinese = f"({english})", f"（{chinese}）"
        if all_english:
            # Chinese sets a space between its characters and a number.
            space = " " if chinese[0] in "-0123456789" else ""
            english, chinese = f"{joins[0]}{english}", f"{joins[1]}{space}{chinese}"
        all_english += english
        all_chinese += chinese
    return all_english, all_chinese


@attrs.frozen(init=False)
class AnyOf(Rule):
    """
    The group that holds when one of its rules holds.

    Args:
        *rules: At least one.

    >>> AnyOf(AtLeast("purchases", 3), AtLeast("referrals", 1)).read(
    ...     {"purchases": 3, "referrals": None}).text()
    '3 purchases (3 needed)'
    """

    rules: tuple[Rule, ...] = attrs.field(converter=_rules)

    def __init__(self, *rules: Rule) -> None:
        self.__attrs_init__(rules)

    @cached_property
    def conditions(self) -> tuple[AtLeast, ...]:
        """The conditions of all its rules."""
        return tuple(leaf for rule in self.rules for leaf in rule.conditions)

    def in_currency(self, currency: Currency) -> AnyOf:
        """Return the group with each of its rules in the currency."""
        return AnyOf(*(rule.in_currency(currency) for rule in self.rules))

    def holds(self, units: Mapping[str, int | None]) -> bool:
        """Tell whether one of its rules holds."""
        for rule in self.rules:  # noqa: SIM110 - a generator costs a till twice as much
            if rule.holds(units):
                return True
        return False

    def expression(self) -> nw.Expr:
        """Give the group as an expression that is never null."""
        parts = [rule.expression() for rule in self.rules]
        return nw.any_horizontal(*parts, ignore_nulls=False)

    def phrases(self, units: Mapping[str, int | None], *, full: bool) -> Phrases:
        """Phrase what each of its rules lacks, joined by "or"."""
        return _grouped(self.rules, units, full=full, joins=(", or ", "或"))


@attrs.frozen(init=False)
class AllOf(Rule):
    """
    The group that holds when each of its rules holds.

    Args:
        *rules: At least one.

    >>> AllOf(AtLeast("purchases", 3), AtLeast("referrals", 1)).read(
    ...     {"purchases": 2, "referrals": 0}).text("zh")
    '还差 1 次消费和 1 位推荐'
    """

    rules: tuple[Rule, ...] = attrs.field(converter=_rules)

    def __init__(self, *rules: Rule) -> None:
        self.__attrs_init__(rules)

    @cached_property
    def conditions(self) -> tuple[AtLeast, ...]:
        """The conditions of all its rules."""
        return tuple(leaf for rule in self.rules for leaf in rule.conditions)

    def in_currency(self, currency: Currency) -> AllOf:
        """Return the group with each of its rules in the currency."""
        return AllOf(*(rule.in_currency(currency) for rule in self.rules))

    def holds(self, units: Mapping[str, int | None]) -> bool:
        """Tell whether each of its rules holds."""
        for rule in self.rules:  # noqa: SIM110 - as in AnyOf
            if not rule.holds(units):
                return False
        return True

    def expression(self) -> nw.Expr:
        """Give the group as an expression that is never null."""
        parts = [rule.expression() for rule in self.rules]
        return nw.all_horizontal(*parts, ignore_nulls=False)

    def phrases(self, units: Mapping[str, int | None], *, full: bool) -> Phrases:
        """Phrase what its open rules lack, joined by "and"."""
        return _grouped(self.rules, units, full=full, joins=(", and ", "和"))
