"""Policies: decisions as values, each read for one case or for a whole frame."""

from memberops.policies.card_state import CardState, State
from memberops.policies.expiring import expiring_members
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.renewal import Renewal, Renewed
from memberops.policies.rules import AllOf, AnyOf, AtLeast, Figure, Reading, Rule
from memberops.policies.term import Term, membership_year
from memberops.policies.wording import Words

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "CardState",
    "FeeWaiver",
    "Figure",
    "Reading",
    "Renewal",
    "Renewed",
    "Rule",
    "State",
    "Term",
    "WaiverDecision",
    "Words",
    "expiring_members",
    "membership_year",
]
