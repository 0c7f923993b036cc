"""Small facts of a chain, and every form of the office made from them."""

import datetime as dt

import pandas as pd

from memberops import metrics, policies, reports
from memberops.schedules import Period

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
    )
}
"""By identifier, how each form is made of a name and a phone."""
