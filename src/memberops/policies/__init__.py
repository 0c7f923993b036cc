"""Policies: decisions as values, each read for one case or for a whole frame."""

from memberops.policies.appointment_reading import read_appointments
from memberops.policies.appointments import AppointmentBook, Appointments, Booked
from memberops.policies.audit_sample import AuditPolicy, AuditSample, audit_sample
from memberops.policies.cadence import DEFAULT_CADENCE, CadenceRule
from memberops.policies.card_state import CardState, State
from memberops.policies.case_reading import read_cases
from memberops.policies.case_rows import case_rows
from memberops.policies.claw_back import ClawBack, FrozenWaiver, Reopening
from memberops.policies.contact import (
    Contact,
    ContactCap,
    ContactPolicy,
    ContactWindow,
    QuietHours,
    Slot,
    SlotAnswer,
)
from memberops.policies.coverage import (
    VisitCoverage,
    members_without_plan,
    visit_coverage,
    visits_by_store,
)
from memberops.policies.duplicates import possible_duplicates
from memberops.policies.evidence import Evidence, EvidenceLine, waiver_evidence
from memberops.policies.exclusions import Exclusion, kept
from memberops.policies.expiring import expiring_members
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.fees import FeeCharge, KindFee, MembershipFee, fraction_left
from memberops.policies.filing import Welcome, file_profiles
from memberops.policies.fixed_term import AnyTerm, FixedTerm, Lifetime
from memberops.policies.gift_approval import (
    ApprovalRight,
    Approver,
    GiftApprovalPolicy,
)
from memberops.policies.gift_match import GiftMatch, GiftMatchPolicy
from memberops.policies.gift_order import GiftNeed, GiftOrderPolicy
from memberops.policies.gift_reading import read_applications, read_gifts
from memberops.policies.grace import KindGrace
from memberops.policies.hard_cases import HardCasePolicy, hard_cases
from memberops.policies.linked_cards import LinkedCards
from memberops.policies.message_lint import lint_template
from memberops.policies.message_lint_rules import LINT_RULES, LintRule
from memberops.policies.message_permission import (
    MessageConsent,
    PastMessage,
    SendFacts,
)
from memberops.policies.message_plan import MessagePlan, plan_messages
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.outbox_pacing import Breaker, Pace, RateLimit
from memberops.policies.outbox_policy import OutboxPolicy, RetryPolicy
from memberops.policies.overrides import Override, overridden
from memberops.policies.phones import PhoneProblem, PhoneReading, PhoneRule
from memberops.policies.premium import PremiumAspect, PremiumPolicy
from memberops.policies.profile_audit import ProfileAudit
from memberops.policies.receipts import Receipt, RenewalHistory, replay
from memberops.policies.refill import Supply, supply_facts
from memberops.policies.renewal import Renewal, Renewed
from memberops.policies.rules import AllOf, AnyOf, AtLeast, Figure, Reading, Rule
from memberops.policies.service_clocks import ClockReading, ClockState
from memberops.policies.service_decision import ServiceDecision
from memberops.policies.service_levels import ServiceLevels
from memberops.policies.service_tables import ServiceFrame
from memberops.policies.service_targets import Authority, Level, Target
from memberops.policies.simulation import Simulation, simulate
from memberops.policies.sms_segments import SmsLength, SmsRule, sms_segments
from memberops.policies.status_rules import Edge, StatusRule, StatusRules, usual_rules
from memberops.policies.stocktake import StocktakePolicy
from memberops.policies.stocktake_calls import (
    StocktakeStanding,
    call_after_promotion,
    stocktake_notice,
    stocktake_standing,
)
from memberops.policies.stocktake_limits import (
    ApprovalLimit,
    Tolerance,
    effective_limit,
)
from memberops.policies.stocktake_reasons import DEFAULT_REASONS, DifferenceReason
from memberops.policies.stocktake_report import count_report, count_summary
from memberops.policies.submissions import SubmissionCheck, check_submissions
from memberops.policies.term import Term, membership_year
from memberops.policies.tier_levels import (
    HeldTier,
    LevelNeed,
    ManualTier,
    Tier,
    TierDecision,
)
from memberops.policies.tier_outlook import tier_outlook
from memberops.policies.tiers import Downgrade, TierPolicy, TierWindow
from memberops.policies.visit_facts import visit_facts
from memberops.policies.visit_frame import VisitPlan, plan_visits
from memberops.policies.visit_plan import ContactDay, plan_member
from memberops.policies.visit_policy import (
    Staffing,
    Standing,
    Suppression,
    VisitFact,
    VisitPolicy,
)
from memberops.policies.visit_standing import (
    sold_tickets,
    visit_contacts,
    visit_records,
    visit_standing,
)
from memberops.policies.wording import Words

__all__ = [
    "DEFAULT_CADENCE",
    "DEFAULT_REASONS",
    "LINT_RULES",
    "AllOf",
    "AnyOf",
    "AnyTerm",
    "AppointmentBook",
    "Appointments",
    "ApprovalLimit",
    "ApprovalRight",
    "Approver",
    "AtLeast",
    "AuditPolicy",
    "AuditSample",
    "Authority",
    "Booked",
    "Breaker",
    "CadenceRule",
    "CardState",
    "ClawBack",
    "ClockReading",
    "ClockState",
    "Contact",
    "ContactCap",
    "ContactDay",
    "ContactPolicy",
    "ContactWindow",
    "DifferenceReason",
    "Downgrade",
    "Edge",
    "Evidence",
    "EvidenceLine",
    "Exclusion",
    "FeeCharge",
    "FeeWaiver",
    "Figure",
    "FixedTerm",
    "FrozenWaiver",
    "GiftApprovalPolicy",
    "GiftMatch",
    "GiftMatchPolicy",
    "GiftNeed",
    "GiftOrderPolicy",
    "HardCasePolicy",
    "HeldTier",
    "KindFee",
    "KindGrace",
    "Level",
    "LevelNeed",
    "Lifetime",
    "LinkedCards",
    "LintRule",
    "ManualTier",
    "MembershipFee",
    "MessageConsent",
    "MessagePlan",
    "MessagePolicy",
    "OutboxPolicy",
    "Override",
    "Pace",
    "PastMessage",
    "PhoneProblem",
    "PhoneReading",
    "PhoneRule",
    "PremiumAspect",
    "PremiumPolicy",
    "ProfileAudit",
    "QuietHours",
    "RateLimit",
    "Reading",
    "Receipt",
    "Renewal",
    "RenewalHistory",
    "Renewed",
    "Reopening",
    "RetryPolicy",
    "Rule",
    "SendFacts",
    "ServiceDecision",
    "ServiceFrame",
    "ServiceLevels",
    "Simulation",
    "Slot",
    "SlotAnswer",
    "SmsLength",
    "SmsRule",
    "Staffing",
    "Standing",
    "State",
    "StatusRule",
    "StatusRules",
    "StocktakePolicy",
    "StocktakeStanding",
    "SubmissionCheck",
    "Supply",
    "Suppression",
    "Target",
    "Term",
    "Tier",
    "TierDecision",
    "TierPolicy",
    "TierWindow",
    "Tolerance",
    "VisitCoverage",
    "VisitFact",
    "VisitPlan",
    "VisitPolicy",
    "WaiverDecision",
    "Welcome",
    "Words",
    "audit_sample",
    "call_after_promotion",
    "case_rows",
    "check_submissions",
    "count_report",
    "count_summary",
    "effective_limit",
    "expiring_members",
    "file_profiles",
    "fraction_left",
    "hard_cases",
    "kept",
    "lint_template",
    "members_without_plan",
    "membership_year",
    "overridden",
    "plan_member",
    "plan_messages",
    "plan_visits",
    "possible_duplicates",
    "read_applications",
    "read_appointments",
    "read_cases",
    "read_gifts",
    "replay",
    "simulate",
    "sms_segments",
    "sold_tickets",
    "stocktake_notice",
    "stocktake_standing",
    "supply_facts",
    "tier_outlook",
    "usual_rules",
    "visit_contacts",
    "visit_coverage",
    "visit_facts",
    "visit_records",
    "visit_standing",
    "visits_by_store",
    "waiver_evidence",
]
