"""The nouns of a membership office: immutable values made of attrs alone."""

from memberops.domain.appointment import BookingEvent, BookingEventKind, Slot
from memberops.domain.closing import Closing
from memberops.domain.complaint import CaseEvent, Channel, Complaint, EventKind
from memberops.domain.decision import Decision, Grounds, Reason, Statement
from memberops.domain.finding import Finding, Severity
from memberops.domain.gift import POINTS, Gift, Lot, Place, PlaceKind
from memberops.domain.gift_flow import (
    ApplicationPurpose,
    FlowRules,
    GiftApplication,
    GiftApproval,
    GiftReason,
    ReceivedLot,
)
from memberops.domain.hold import Hold, Release
from memberops.domain.member import BirthdayCalendar, Card, Gender, Member
from memberops.domain.money import Currency, Money, RoundedFloat, money_from_float
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.domain.sale import SaleLine, Ticket
from memberops.domain.stocktake import (
    Approval,
    ApprovedCount,
    CountLine,
    CountState,
    Difference,
    Explanation,
    Stocktake,
    latest_counts,
)
from memberops.domain.store import Store
from memberops.domain.survey import SurveyAnswer
from memberops.domain.visit import (
    Visit,
    VisitChannel,
    VisitKind,
    VisitOutcome,
    VisitRecord,
    VisitState,
    WinBackReason,
    visit_id,
)

__all__ = [
    "POINTS",
    "ApplicationPurpose",
    "Approval",
    "ApprovedCount",
    "BirthdayCalendar",
    "BookingEvent",
    "BookingEventKind",
    "Card",
    "CaseEvent",
    "Channel",
    "Closing",
    "Complaint",
    "CountLine",
    "CountState",
    "Currency",
    "Decision",
    "Difference",
    "EventKind",
    "Explanation",
    "Finding",
    "FlowRules",
    "Gender",
    "Gift",
    "GiftApplication",
    "GiftApproval",
    "GiftReason",
    "Grounds",
    "Hold",
    "Lot",
    "Member",
    "Money",
    "Movement",
    "Place",
    "PlaceKind",
    "Posting",
    "PostingKind",
    "Reason",
    "ReceivedLot",
    "Release",
    "RoundedFloat",
    "SaleLine",
    "Severity",
    "Slot",
    "Statement",
    "Stocktake",
    "Store",
    "SurveyAnswer",
    "Ticket",
    "Visit",
    "VisitChannel",
    "VisitKind",
    "VisitOutcome",
    "VisitRecord",
    "VisitState",
    "WinBackReason",
    "latest_counts",
    "money_from_float",
    "visit_id",
]
