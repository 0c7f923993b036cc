"""Whether each level of a tier policy can be had at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from memberops.policies.reading import Rule
from memberops.policies.rules import AllOf, AnyOf, AtLeast

__all__ = ["unreachable"]


def unreachable(rules: Sequence[Rule]) -> int | None:
    """
    Return the first rule that never gives its level, or None.

    A level is never given where whoever meets its rule meets that of a higher one.

    Args:
        rules: The rules of the levels, from the lowest, in one currency.

    >>> unreachable([AtLeast("purchases", 12), AtLeast("purchases", 3)])
    0
    >>> unreachable([AtLeast("purchases", 3), AtLeast("referrals", 1)]) is None
    True
    """
    for place, rule in enumerate(rules):
        higher = rules[place + 1 :]
        names = {each.figure for other in rules for each in other.conditions}
        met = (
            any(other.holds(dict.fromkeys(names) | least) for other in higher)
            for least in _least(rule)
        )
        if higher and all(met):
            return place
    return None


def _least(rule: Rule) -> Iterator[dict[str, int]]:
    """Give the least figures that meet a rule: each that does has one of them."""
    if isinstance(rule, AtLeast):
        yield {rule.figure: rule.limit}
    elif isinstance(rule, AnyOf):
        for each in rule.rules:
            yield from _least(each)
    elif isinstance(rule, AllOf):
        for parts in product(*(tuple(_least(each)) for each in rule.rules)):
            whole: dict[str, int] = {}
            for part in parts:
                for name, limit in part.items():
                    whole[name] = max(limit, whole.get(name, limit))
            yield whole
    else:
        # A rule of somebody's own cannot be looked into: it may be met by nothing.
        yield {}
