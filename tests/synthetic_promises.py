"""What holds for the office's tables of every made-up chain."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.policies import (
    DEFAULT_CADENCE,
    read_appointments,
    read_cases,
    visit_standing,
)

__all__ = ["check_bookings", "check_cases", "check_visits"]

DAY = pd.Timedelta(days=1)


def end_of(chain):
    """The moment after a chain's last day."""
    after = chain.last_day + dt.timedelta(days=1)
    return dt.datetime.combine(after, dt.time(), tzinfo=ZoneInfo(chain.zone))


def known(values, frame, name):
    """Assert that every id of a column is one of a frame."""
    assert set(values.dropna()) <= set(frame[name])


def check_cases(chain, frames):
    """Assert that every case and event can be used, and lies in the chain's days."""
    complaints, events = frames.complaints, frames.case_events
    assert complaints.case_id.is_unique
    assert complaints.received_at.is_monotonic_increasing
    known(complaints.store_id, frames.stores, "store_id")
    known(complaints.member_id, frames.members, "member_id")
    cases, findings = read_cases(complaints, events, currency=chain.currency)
    assert findings == ()
    assert len(cases) == len(complaints)
    assert sum(len(case.events) for case in cases) == len(events)
    first = dt.datetime.combine(chain.first_month, dt.time(), ZoneInfo(chain.zone))
    for case in cases:
        assert first <= case.received_at < end_of(chain)
        assert case.findings() == ()
        for event in case.events:
            assert case.received_at < event.at < end_of(chain)
    solved = set(events[events.kind == "solved"].case_id)
    paid = complaints[complaints.compensation.notna()]
    assert set(paid.case_id) <= solved
    assert (paid.compensation <= paid.asked).all()
    assert set(complaints[complaints.root_cause.notna()].case_id) <= solved


def check_visits(chain, frames):
    """Assert that visits follow the manual's rules, and no refusal is overrun."""
    visits, last = frames.visits, pd.Timestamp(chain.last_day)
    assert visits.visit_id.is_unique
    known(visits.store_id, frames.stores, "store_id")
    known(visits.member_id, frames.members, "member_id")
    rules = {rule.name: rule for rule in DEFAULT_CADENCE}
    for visit in visits.itertuples():
        rule = rules[visit.rule]
        assert (visit.kind, visit.channel) == (rule.kind.value, rule.channel.value)
        assert visit.last_on == visit.due_on + rule.within * DAY
    assert visits.day.between(visits.due_on, visits.last_on).all()
    assert (visits.day >= pd.Timestamp(chain.month_days[-2].item())).all()
    dated = visits.outcome.isin(["done", "not_reached"])
    assert (visits.done_on.notna() == dated).all()
    assert (visits.done_on.dropna() <= last).all()
    assert (visits.done_on[dated] >= visits.day[dated]).all()
    assert visits.outcome[visits.day > last].isna().all()
    assert (visits.answered.notna() == (visits.outcome == "done")).all()
    assert visits.answered[visits.answer.notna()].eq("yes").all()
    assert (visits.kind[visits.reason_code.notna()] == "win_back").all()

    consents = frames.consents
    known(consents.member_id, frames.members, "member_id")
    joined = frames.members.set_index("member_id").joined_on
    assert (joined.loc[consents.member_id].to_numpy() <= consents.on).all()
    assert (consents.on <= last).all()
    standing, findings = visit_standing(
        as_of=chain.last_day, members=frames.members, consents=consents
    )
    assert findings == ()
    refused = standing.set_index("member_id").loc[visits.member_id]
    assert not refused.opted_out.any()
    assert not refused.opted_out_sms[(visits.channel == "sms").to_numpy()].any()
    assert not refused.opted_out_phone[(visits.channel == "phone").to_numpy()].any()


def check_bookings(chain, frames):
    """Assert that no slot is overfull and that every booking was made before it."""
    booked, end = frames.appointments, end_of(chain)
    assert booked.booking_id.is_unique
    known(booked.store_id, frames.stores, "store_id")
    known(booked.member_id, frames.members, "member_id")
    slots = booked.groupby(["store_id", "service", "starts_at"]).size()
    assert slots.max() <= 2
    assert (booked.booked_at < booked.starts_at).all()
    assert (booked.booked_at < end).all()
    assert ((booked.ends_at - booked.starts_at) == pd.Timedelta(minutes=30)).all()
    gone = booked.state == "cancelled"
    assert (booked.cancelled_at.notna() == gone).all()
    between = booked.cancelled_at.between(booked.booked_at, booked.starts_at)
    assert between[gone].all()
    ahead = booked.starts_at >= end
    assert booked.state[ahead].dropna().isin(["booked", "changed", "cancelled"]).all()
    assert booked.state[~ahead].isin(["kept", "missed", "cancelled"]).all()
    assert (booked.cancelled_at.dropna() < end).all()
    book, findings = read_appointments(booked, as_of=end)
    assert findings == ()
    assert len(book.slots) == len(slots)

    answers = frames.surveys
    assert answers.answer_id.is_unique
    assert answers.score.between(1, 5).all()
    assert (answers.answered_on <= pd.Timestamp(chain.last_day)).all()
    known(answers.store_id, frames.stores, "store_id")
    known(answers.member_id, frames.members, "member_id")
