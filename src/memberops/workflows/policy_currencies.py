"""In which currency each policy of a chain counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memberops.domain import Currency

if TYPE_CHECKING:
    from memberops.workflows.chain_policies import ChainPolicies

__all__ = ["policy_currencies"]

_COUNTING = ("fee_waiver", "metrics", "fees", "tiers", "premium")
_SERVICES = ("service_levels", "enquiry", "email", "store_wait", "order", "hard_cases")


def policy_currencies(policies: ChainPolicies) -> Iterator[tuple[str, Currency | str]]:
    """
    Give each currency that a policy has, of an authority and a price only its code.

    Args:
        policies: The chain's.

    >>> from memberops.workflows.chain_policies import ChainPolicies
    >>> {name for name, _ in policy_currencies(ChainPolicies())} == {
    ...     "fee_waiver", "metrics", "premium"}
    True
    """
    for name in _COUNTING:
        policy = getattr(policies, name)
        if policy is not None:
            yield name, policy.currency
    yield from _of_rules(policies)
    amounts = [
        *(("gift_approval", right.value) for right in policies.gift_approval.rights),
        *(("stocktake", limit.value) for limit in policies.stocktake.limits),
    ]
    if policies.messages.price is not None:  # it may have more digits than what is paid
        yield "messages", policies.messages.price.currency.code
    for name, amount in amounts:
        if amount is not None:
            yield name, amount.currency
    for name in _SERVICES:
        for limit in getattr(policies, name).authority:
            if limit.amount is not None:
                yield name, limit.currency


def _of_rules(policies: ChainPolicies) -> Iterator[tuple[str, Currency]]:
    """Give the currencies of conditions, such as of a gift's value."""
    rules = [("fee_waiver", policies.fee_waiver.rule)]
    if policies.tiers is not None:
        rules += [("tiers", rule) for rule in policies.tiers.rules]
    for name, rule in rules:
        for condition in rule.conditions:
            if condition.currency is not None:
                yield name, condition.currency
