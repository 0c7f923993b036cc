"""Policies: decisions as values, each read for one case or for a whole frame."""

from memberops.policies.appointments import AppointmentBook, Appointments, Booked
from memberops.policies.card_state import CardState, State
from memberops.policies.claw_back import ClawBack, FrozenWaiver, Reopening
from memberops.policies.evidence import Evidence, EvidenceLine, waiver_evidence
from memberops.policies.exclusions import Exclusion, kept
from memberops.policies.expiring import expiring_members
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.fees import FeeCharge, KindFee, MembershipFee, fraction_left
from memberops.policies.fixed_term import AnyTerm, FixedTerm, Lifetime
from memberops.policies.grace import KindGrace
from memberops.policies.linked_cards import LinkedCards
from memberops.policies.overrides import Override, overridden
from memberops.policies.receipts import Receipt, RenewalHistory, replay
from memberops.policies.renewal import Renewal, Renewed
from memberops.policies.rules import AllOf, AnyOf, AtLeast, Figure, Reading, Rule
from memberops.policies.service_clocks import ClockReading, ClockState
from memberops.policies.service_decision import ServiceDecision
from memberops.policies.service_levels import ServiceLevels
from memberops.policies.service_targets import Authority, Level, Target
from memberops.policies.simulation import Simulation, simulate
from memberops.policies.status_rules import Edge, StatusRule, StatusRules, usual_rules
from memberops.policies.term import Term, membership_year
from memberops.policies.wording import Words

__all__ = [
    "AllOf",
    "AnyOf",
    "AnyTerm",
    "AppointmentBook",
    "Appointments",
    "AtLeast",
    "Authority",
    "Booked",
    "CardState",
    "ClawBack",
    "ClockReading",
    "ClockState",
    "Edge",
    "Evidence",
    "EvidenceLine",
    "Exclusion",
    "FeeCharge",
    "FeeWaiver",
    "Figure",
    "FixedTerm",
    "FrozenWaiver",
    "KindFee",
    "KindGrace",
    "Level",
    "Lifetime",
    "LinkedCards",
    "MembershipFee",
    "Override",
    "Reading",
    "Receipt",
    "Renewal",
    "RenewalHistory",
    "Renewed",
    "Reopening",
    "Rule",
    "ServiceDecision",
    "ServiceLevels",
    "Simulation",
    "State",
    "StatusRule",
    "StatusRules",
    "Target",
    "Term",
    "WaiverDecision",
    "Words",
    "expiring_members",
    "fraction_left",
    "kept",
    "membership_year",
    "overridden",
    "replay",
    "simulate",
    "usual_rules",
    "waiver_evidence",
]
