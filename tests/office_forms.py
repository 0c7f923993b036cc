"""Small facts of a chain, and every form of the office made from them."""

import datetime as dt

import attrs
import pandas as pd

from memberops import metrics, policies, reports
from memberops.schedules import Period
from memberops.testing import sales_frame

MONTH = Period.month(2026, 11)
DAY = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
STORES = pd.DataFrame(
    {
        "store_id": ["S1", "S2"],
        "region_id": ["east", None],
        "name": ["人民路店", "=1+1 店"],
    }
)


def instants(*texts):
    """Return moments in UTC; None has not happened."""
    return pd.to_datetime(pd.Series(texts, dtype="str"), utc=True)


def people(name, phone):
    """Return two members who have the same name and phone."""
    return pd.DataFrame(
        {
            "member_id": ["M1", "M2"],
            "name": [name] * 2,
            "phone": [phone] * 2,
            "gender": ["female", None],
            "birth_date": pd.to_datetime(["1990-05-17", None]),
            "store_id": ["S1", "S2"],
            "joined_on": pd.to_datetime(["2026-11-02", "2026-11-03"]),
            "referrer_id": [None, "M1"],
        }
    )


PLAN = policies.plan_visits(
    pd.DataFrame(
        {
            "member_id": ["M1", "M2"],
            "trigger": "purchase",
            "on": pd.to_datetime(["2026-10-08", "2026-10-09"]),
        }
    ),
    pd.DataFrame(
        {
            "member_id": ["M1", "M2"],
            "store_id": ["S1", "S2"],
            "opted_out": [False, True],
        }
    ),
    period=MONTH,
    as_of=dt.date(2026, 10, 28),
).rows
COVERAGE = policies.visit_coverage(
    PLAN,
    pd.DataFrame(
        {
            "visit_id": PLAN["visit_id"],
            "outcome": ["done"] * len(PLAN),
            "done_on": PLAN["day"].fillna(pd.Timestamp("2026-11-05")),
            "answered": [True] * len(PLAN),
        }
    ).iloc[:0],
    as_of=DAY,
).rows
SAMPLE = policies.audit_sample(
    period=MONTH,
    seed="7",
    visits=pd.DataFrame(
        {
            "visit_id": ["V1"],
            "store_id": ["S1"],
            "member_id": ["M1"],
            "on": pd.to_datetime(["2026-11-05"]),
        }
    ),
).rows
CASES = pd.DataFrame(
    {
        "case_id": ["K1", "K2"],
        "received_at": instants("2026-11-05T01:00Z", "2026-11-06T01:00Z"),
        "channel": ["phone", "on_site"],
        "store_id": ["S1", None],
        "member_id": ["M1", None],
        "category": ["price", "price"],
        "asked": pd.array([12_345, None], dtype="Int64"),
        "handler": ["H1", "H2"],
        "root_cause": ["label", None],
        "compensation": pd.array([5_000, None], dtype="Int64"),
        "replied_at": instants("2026-11-05T03:00Z", None),
        "solved_at": instants("2026-11-06T03:00Z", None),
        "escalated_at": instants(None, "2026-11-06T02:00Z"),
        "callback_at": instants("2026-11-07T03:00Z", None),
        "satisfied": ["yes", None],
        "resolution": ["voucher", None],
    }
)
STATES = policies.ServiceLevels().decide_frame(CASES, as_of=MOMENT)
ANSWERS = pd.DataFrame(
    {
        "question": ["staff", "price"],
        "score": [5, 9],
        "store_id": ["S1", "S2"],
        "staff_id": ["A1", None],
        "answered_on": pd.to_datetime(["2026-11-05"] * 2),
    }
)
SATISFACTION = metrics.satisfaction(ANSWERS, period=MONTH, by=["store_id", "question"])
REPORT = metrics.service_report(
    STATES,
    visits=COVERAGE,
    answers=SATISFACTION,
    stores=STORES,
    by=("store", "region", "chain"),
)


def visit_plan(name, phone, reveal=(), rows=slice(None)):
    """Make the plan of visits."""
    return reports.visit_plan_form(
        PLAN.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


def visit_record(name, phone, reveal=(), rows=slice(None)):
    """Make the record of visits, in which a member told name and phone."""
    plan = PLAN.iloc[rows]
    records = pd.DataFrame(
        {
            "visit_id": plan["visit_id"],
            "outcome": "done",
            "done_at": instants(*["2026-11-05T03:00Z"] * len(plan)).to_numpy(),
            "answered": True,
            "answer": f"{name} {phone}",
            "reason_code": "service",
        }
    )
    records["done_at"] = pd.to_datetime(records["done_at"], utc=True)
    return reports.visit_record_form(
        plan,
        records=records,
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


def audit_sample(name, phone, reveal=(), rows=slice(None)):
    """Make the audit sample."""
    return reports.audit_sample_form(
        SAMPLE.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        seed="7",
    )


def visit_coverage(_name, _phone, reveal=(), rows=slice(None)):
    """Make the coverage of visits."""
    return reports.visit_coverage_form(
        COVERAGE.iloc[rows], stores=STORES, reveal=reveal, as_of=DAY
    )


def complaint_case(name, phone, reveal=(), rows=slice(None)):
    """Make the form of complaints, whose statement has name and phone."""
    states = STATES.assign(
        statement=f"{name} {phone}", customer_name=name, customer_phone=phone
    )
    return reports.complaint_case_form(
        states.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=MOMENT,
    )


def hard_cases(_name, _phone, reveal=(), rows=slice(None)):
    """Make the list of hard cases."""
    frame = policies.hard_cases(STATES, as_of=MOMENT)
    return reports.hard_cases_form(
        frame.iloc[rows], stores=STORES, reveal=reveal, as_of=MOMENT
    )


def service_report(_name, _phone, reveal=(), rows=slice(None)):
    """Make the month of the service."""
    return reports.service_report_form(
        REPORT.iloc[rows], stores=STORES, reveal=reveal, as_of=DAY
    )


TIERS = policies.TierPolicy(
    levels=(
        policies.Tier("regular", name_zh="普通会员"),
        policies.Tier("vip", policies.AtLeast("spend", 5000), name_zh="贵宾"),
    ),
    window="calendar_year",
)
FIGURES = pd.DataFrame(
    {
        "member_id": ["M1", "M2", "M9"],
        "spend": pd.array([420_000, 600_000, None], dtype="Int64"),
        "level": ["vip", None, "vip"],
        "since": pd.to_datetime(["2026-02-01", None, "2025-03-01"]),
    }
)
LEVELS = TIERS.decide_frame(FIGURES, as_of=DAY)
PREMIUM = policies.PremiumPolicy().select(
    pd.DataFrame(
        {
            "store_id": ["S1", "S1"],
            "member_id": ["M1", "M2"],
            "spend": [820_000, 10_000],
            "purchases": [9, 1],
            "referrals": [0, 0],
            "last_purchase_on": pd.to_datetime(["2026-10-20"] * 2),
        }
    ),
    as_of=DAY,
)
CARDS = pd.DataFrame(
    {
        "card_id": ["C1", "C2", "C3"],
        "member_id": ["M1", "M2", "M1"],
        "valid_from": pd.to_datetime(["2025-12-01", "2025-06-01", "2024-12-01"]),
        "valid_through": pd.to_datetime(["2026-11-30", "2026-05-31", "2025-11-30"]),
    }
)
WAIVER = policies.FeeWaiver()
WAIVED = WAIVER.decide_frame(
    CARDS.assign(
        purchases=pd.array([2, 3, None], dtype="Int64"),
        spend=pd.array([77_000, 0, 10], dtype="Int64"),
    )
)
POLICIES = {"today": WAIVER, "lower": policies.FeeWaiver(spend=500, version="2")}
SIMULATED = policies.simulate(
    POLICIES,
    tickets=pd.DataFrame(
        {
            "member_id": ["M1", "M2"],
            "amount": [60_000, 150_000],
            "sold_on": pd.to_datetime(["2025-08-01", "2025-08-01"]),
        }
    ),
    cards=CARDS,
    as_of=DAY,
    fees=policies.MembershipFee(renewal=100),
    members=people("", "")[["member_id", "store_id"]],
)
AUDIT = policies.ProfileAudit()
CONSENTS = pd.DataFrame(
    {
        "member_id": ["M1", "M1", "M2", "M2"],
        "channel": ["sms", "all", "message", "phone"],
        "given": ["yes", "no", "yes", "no"],
        "on": pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-03", "2026-11-09"]),
    }
)
SALES = sales_frame(
    [
        ("T1", "2026-11-03", "S1", "M1", 2, "400.00"),
        ("T2", "2026-10-05", "S1", "M1", 1, "100.00"),
    ]
)
RETAINED = metrics.retention(SALES, period=MONTH, by=("store", "chain"), stores=STORES)
DAY_LIST = pd.DataFrame(
    {
        "store_id": ["S1", "S1"],
        "starts_at": instants("2026-11-21T02:00Z", "2026-11-21T01:00Z"),
        "booking_id": ["B1", "B2"],
        "member_id": ["M1", "M2"],
        "service": ["hair", None],
        "staff_id": ["A1", "A1"],
    }
)


def tiers(name, phone, reveal=(), rows=slice(None)):
    """Make the list of levels."""
    return reports.tiers_form(
        LEVELS.iloc[rows],
        policy=TIERS,
        as_of=DAY,
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
    )


def premium_members(name, phone, reveal=(), rows=slice(None)):
    """Make the list of premium members."""
    return reports.premium_members_form(
        PREMIUM.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


def fee_waiver(name, phone, reveal=(), rows=slice(None)):
    """Make the list of waivers."""
    return reports.fee_waiver_form(
        WAIVED.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


def waiver_simulation(_name, _phone, reveal=(), rows=slice(None)):
    """Make the comparison of waivers."""
    cut = {
        part: getattr(SIMULATED, part).iloc[rows]
        for part in ("by_policy", "by_store", "by_tier", "changed")
    }
    return reports.waiver_simulation_form(
        policies.Simulation(**cut), stores=STORES, reveal=reveal, as_of=DAY
    )


def waiver_changes(name, phone, reveal=(), rows=slice(None)):
    """Make the list of cards whose answer changes."""
    cut = attrs.evolve(SIMULATED, changed=SIMULATED.changed.iloc[rows])
    return reports.waiver_changes_form(
        cut,
        policies=POLICIES,
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


def member_application(name, phone, reveal=(), rows=slice(None)):
    """Make the applications of members."""
    members = people(name, phone)
    answers = AUDIT.decide_frame(members, CARDS, STORES, as_of=DAY)
    return reports.member_application_form(
        answers.iloc[rows],
        members=members,
        cards=CARDS,
        consents=CONSENTS,
        stores=STORES,
        reveal=reveal,
        as_of=DAY,
    )


def profile_audit(name, phone, reveal=(), rows=slice(None)):
    """Make the list of files that go back."""
    shown = [each for each in reveal if each in ("name", "phone")]
    listed = AUDIT.daily_list(
        people(name, phone), CARDS, STORES, as_of=DAY, reveal=shown
    )
    return reports.profile_audit_form(
        listed.iloc[rows], stores=STORES, reveal=reveal, as_of=DAY
    )


def satisfaction(_name, _phone, reveal=(), rows=slice(None)):
    """Make the figures of satisfaction."""
    return reports.satisfaction_form(
        SATISFACTION.iloc[rows], stores=STORES, reveal=reveal, as_of=DAY
    )


def retention(_name, _phone, reveal=(), rows=slice(None)):
    """Make the figures of retention."""
    return reports.retention_form(
        RETAINED.iloc[rows], stores=STORES, reveal=reveal, as_of=DAY
    )


def appointments(name, phone, reveal=(), rows=slice(None)):
    """Make the list of appointments."""
    return reports.appointments_form(
        DAY_LIST.iloc[rows],
        stores=STORES,
        members=people(name, phone),
        reveal=reveal,
        as_of=DAY,
    )


MADE = {
    make.__name__: make
    for make in (
        visit_plan,
        visit_record,
        audit_sample,
        visit_coverage,
        complaint_case,
        hard_cases,
        service_report,
        tiers,
        premium_members,
        fee_waiver,
        waiver_simulation,
        waiver_changes,
        member_application,
        profile_audit,
        satisfaction,
        retention,
        appointments,
    )
}
"""By identifier, how each form is made of a name and a phone."""
