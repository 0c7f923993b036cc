"""The policies of one chain, gathered: each has the manual's defaults."""

from __future__ import annotations

from typing import Any

import attrs

from memberops.domain import Currency
from memberops.errors import CurrencyMismatchError
from memberops.metrics import MetricPolicy
from memberops.policies import CardState, FeeWaiver, Renewal, Term

__all__ = ["ChainPolicies"]


@attrs.frozen(kw_only=True)
class ChainPolicies:
    """
    What a chain decides for itself; the rest is the manual's (HQ, preface).

    Renewal and card state follow the chain's term and waiver: what they hold of
    either is replaced, so that one chain has one rule.

    Args:
        fee_waiver: When next year's fee is waived.
        term: How long a card runs.
        renewal: How a card gets its next term.
        card_state: What a card is on a day.
        metrics: What the figures mean.

    >>> ChainPolicies(fee_waiver=FeeWaiver(purchases=5)).card_state.waiver.purchases
    5
    >>> ChainPolicies.of(Currency("JPY")).metrics.band_edges
    (100, 300, 500, 1000)
    """

    fee_waiver: FeeWaiver = attrs.field(factory=FeeWaiver)
    term: Term = attrs.field(factory=Term)
    renewal: Renewal = attrs.field(factory=Renewal)
    card_state: CardState = attrs.field(factory=CardState)
    metrics: MetricPolicy = attrs.field(factory=MetricPolicy)

    def __attrs_post_init__(self) -> None:
        """Let renewal and card state follow the term and the waiver."""
        renewal = attrs.evolve(self.renewal, term=self.term)
        state = attrs.evolve(self.card_state, waiver=self.fee_waiver)
        object.__setattr__(self, "renewal", renewal)
        object.__setattr__(self, "card_state", state)

    @classmethod
    def of(cls, currency: Currency) -> ChainPolicies:
        """Return the manual's policies in a currency."""
        return cls(
            fee_waiver=FeeWaiver(currency=currency),
            metrics=MetricPolicy(currency=currency),
        )

    def check_currency(self, currency: Currency) -> None:
        """
        Refuse policies that count in another currency.

        Raises:
            CurrencyMismatchError: Naming the policy and both currencies.
        """
        own: dict[str, Any] = {"fee_waiver": self.fee_waiver, "metrics": self.metrics}
        for name, policy in own.items():
            if policy.currency != currency:
                raise CurrencyMismatchError(
                    f"the chain counts in {_shown(currency)} and its policy "
                    f"{name!r} in {_shown(policy.currency)}: give both one currency"
                )


def _shown(currency: Currency) -> str:
    return f"{currency.code} with {currency.digits} digits"
