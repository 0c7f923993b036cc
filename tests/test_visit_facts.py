"""Facts and standing from canonical tables: the same facts give the same visits."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.policies import (
    audit_sample,
    plan_visits,
    sold_tickets,
    visit_contacts,
    visit_coverage,
    visit_facts,
    visit_records,
    visit_standing,
)
from memberops.policies.lunar_words import read_lunar_birthday
from memberops.schedules import LunarBirthday, Period

DAY = dt.date(2026, 11, 5)


def days(*texts):
    """A column of days."""
    return pd.to_datetime(list(texts))


def moments(*texts):
    """A column of moments in UTC."""
    return pd.to_datetime(list(texts), utc=True)


def of(facts, trigger):
    """Member, day and id of the facts of one trigger."""
    rows = facts[facts["trigger"] == trigger]
    return [(row.member_id, str(row.on)[:10], row.fact_id) for row in rows.itertuples()]


def test_members_are_filed_and_have_birthdays():
    """Enrolment and solar birthdays are facts; a later enrolment is not known."""
    members = pd.DataFrame(
        {"member_id": ["M1", "M2", "M3"],
         "joined_on": days("2026-11-01", "2026-11-06", None),
         "birth_date": days("1990-02-28", "1991-01-01", "1985-05-05"),
         "birthday_calendar": [None, "solar", "solar"]}
    )  # fmt: skip
    facts, findings = visit_facts(as_of=DAY, members=members)
    assert of(facts, "filed") == [("M1", "2026-11-01", "")]
    assert of(facts, "birth_date") == [
        ("M1", "1990-02-28", ""), ("M3", "1985-05-05", ""),
    ]  # fmt: skip
    assert findings == ()
    filed = pd.DataFrame({"member_id": ["M3"], "filed_on": days("2026-11-04")})
    facts, _ = visit_facts(as_of=DAY, members=members, filed=filed)
    assert of(facts, "filed") == [("M3", "2026-11-04", "")]


def test_lunar_birthdays_come_on_their_solar_days():
    """The written lunar day counts, else that of the birth date; others are told."""
    pytest.importorskip("borax")
    members = pd.DataFrame(
        {"member_id": ["M1", "M2", "M3"], "birthday_calendar": "lunar",
         "birth_date": days("1990-02-28", "2025-07-25", None),
         "lunar_birthday": ["八月十五", None, "没有"]}
    )  # fmt: skip
    facts, findings = visit_facts(
        as_of=dt.date(2026, 1, 1), through=dt.date(2026, 12, 31), members=members
    )
    assert of(facts, "birth_date") == []
    # Mid-autumn 2026 is 25 September; the leap sixth month of 2025 is an ordinary
    # one in 2026, and begins on 14 July.
    assert of(facts, "lunar_birthday") == [
        ("M1", "2026-09-25", ""), ("M2", "2026-07-14", ""),
    ]  # fmt: skip
    assert [(f.rule, f.count) for f in findings] == [("lunar-birthday-unread", 1)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("08-15", (8, 15, False)), ("L06-01", (6, 1, True)),
        ("闰6月1日", (6, 1, True)), ("农历腊月廿三", (12, 23, False)),
        ("冬月初十", (11, 10, False)), ("正月三十", (1, 30, False)),
        ("二月二十九", (2, 29, False)), ("十二月十二", (12, 12, False)),
        ("13-01", None), ("1-31", None), ("", None), ("八月三十一", None),
    ],
)  # fmt: skip
def test_lunar_days_are_read_as_people_write_them(text, wanted):
    """Figures and Chinese words, with the leap month; nothing else."""
    found = read_lunar_birthday(text)
    assert found == (None if wanted is None else LunarBirthday(*wanted))


def test_purchases_are_days_with_a_ticket_above_zero():
    """A returned ticket is no purchase, and two tickets of a day are one fact."""
    sales = pd.DataFrame(
        [("T1", "2026-10-01", "M1", 500, None), ("T2", "2026-10-01", "M1", 300, None),
         ("T3", "2026-10-02", "M1", 900, None), ("R3", "2026-10-04", "M1", -900, "T3"),
         ("T4", "2026-10-05", None, 100, None), ("T5", "2026-11-06", "M1", 100, None)],
        columns=["ticket_id", "sold_on", "member_id", "amount", "returned_ticket_id"],
    ).assign(store_id="S1")  # fmt: skip
    sales["sold_on"] = pd.to_datetime(sales["sold_on"])
    facts, _ = visit_facts(as_of=DAY, sales=sales)
    assert of(facts, "purchase") == [("M1", "2026-10-01", "")]
    assert of(facts, "last_purchase") == [("M1", "2026-10-01", "")]
    facts, _ = visit_facts(as_of=dt.date(2026, 10, 3), sales=sales)
    assert of(facts, "last_purchase") == [("M1", "2026-10-02", "")]


def test_cards_complaints_and_appointments_are_facts():
    """A renewed card ends once; a case is called until it was; a slot may be off."""
    cards = pd.DataFrame(
        {"card_id": ["C1", "C1"], "member_id": "M1",
         "valid_through": days("2026-12-31", "2027-12-31")}
    )  # fmt: skip
    complaints = pd.DataFrame(
        {"case_id": ["K1", "K2", "K3"], "member_id": ["M1", "M2", "M3"],
         "received_at": moments("2026-11-03T17:00Z", "2026-11-01T01:00Z",
                                "2026-11-01T01:00Z")}
    )  # fmt: skip
    events = pd.DataFrame(
        {"case_id": ["K2", "K3", "K3"], "kind": ["callback", "callback", "closed"],
         "at": moments("2026-11-02T01:00Z", "2026-11-03T01:00Z", "2026-11-06T01:00Z"),
         "satisfied": ["yes", "no", None]}
    )  # fmt: skip
    booked = pd.DataFrame(
        {"booking_id": ["A1", "A2", "A3"], "member_id": "M1", "store_id": "S1",
         "starts_at": moments("2026-11-09T17:00Z", "2026-11-09T01:00Z",
                              "2026-11-09T02:00Z"),
         "state": ["booked", "cancelled", "cancelled"],
         "cancelled_at": moments(None, "2026-11-04T01:00Z", "2026-11-07T01:00Z")}
    )  # fmt: skip
    facts, findings = visit_facts(
        as_of=DAY, cards=cards, complaints=complaints, case_events=events,
        appointments=booked,
    )  # fmt: skip
    assert findings == ()
    assert of(facts, "card_end") == [("M1", "2027-12-31", "C1")]
    assert of(facts, "complaint") == [
        ("M1", "2026-11-04", "K1"), ("M3", "2026-11-03", "K3#2"),
    ]  # fmt: skip
    assert of(facts, "appointment") == [
        ("M1", "2026-11-09", "A3"), ("M1", "2026-11-10", "A1"),
    ]  # fmt: skip


def test_standing_gathers_what_stops_a_visit():
    """Open complaints, refusals, terms and contacts stand with their member."""
    members = pd.DataFrame(
        {"member_id": ["M1", "M2", "M3", "M4"], "store_id": ["S1", "S1", None, "S1"],
         "joined_on": days("2026-01-01", "2026-01-01", "2026-01-01", "2026-11-06")}
    )  # fmt: skip
    consents = pd.DataFrame(
        [("M1", "all", "no", "2026-10-01"), ("M1", "sms", "yes", "2026-10-02"),
         ("M2", "phone", "yes", "2026-10-01"), ("M2", "phone", "no", "2026-10-01"),
         ("M3", "all", "no", "2026-11-06"), ("M3", "email", "no", "2026-10-01"),
         ("M3", "sms", "?", "2026-10-01")],
        columns=["member_id", "channel", "given", "on"],
    )  # fmt: skip
    consents["on"] = pd.to_datetime(consents["on"])
    complaints = pd.DataFrame(
        {"case_id": ["K1", "K2"], "member_id": ["M1", "M2"],
         "received_at": moments("2026-11-03T01:00Z", "2026-11-03T01:00Z")}
    )  # fmt: skip
    events = pd.DataFrame(
        {"case_id": ["K2"], "kind": ["solved"], "at": moments("2026-11-04T01:00Z")}
    )
    visits = pd.DataFrame(
        {"visit_id": ["V1", "V2"], "member_id": ["M1", "M1"], "channel": "phone",
         "outcome": ["done", "not_reached"],
         "done_on": days("2026-11-01", "2026-11-02")}
    )  # fmt: skip
    cards = pd.DataFrame(
        {"member_id": ["M1", "M1"], "valid_through": days("2025-12-31", "2026-12-31")}
    )
    rows, findings = visit_standing(
        as_of=DAY, members=members, consents=consents, complaints=complaints,
        case_events=events, visits=visits, cards=cards,
        stores=pd.DataFrame({"store_id": ["S1"], "zone": ["Asia/Urumqi"]}),
        premium=pd.DataFrame({"member_id": ["M2"]}),
    )  # fmt: skip
    assert rows["member_id"].tolist() == ["M1", "M2", "M3"]
    flags = {
        name: rows.loc[rows[name], "member_id"].tolist()
        for name in ("premium", "open_complaint", "opted_out", "opted_out_sms",
                     "opted_out_phone", "opted_out_mail")
    }  # fmt: skip
    assert flags == {
        "premium": ["M2"], "open_complaint": ["M1"], "opted_out": [],
        "opted_out_sms": [], "opted_out_phone": ["M1", "M2"], "opted_out_mail": ["M1"],
    }  # fmt: skip
    assert rows["store_zone"].tolist() == ["Asia/Urumqi", "Asia/Urumqi", ""]
    assert rows["valid_through"][0] == pd.Timestamp("2026-12-31")
    assert rows["last_contacted_on"][0] == pd.Timestamp("2026-11-01")
    assert [(f.rule, f.count) for f in findings] == [("consent-unclear", 1)]


def test_records_of_visits_are_what_coverage_and_audit_take():
    """The table alone gives coverage: what was done later is not known yet."""
    visits = pd.DataFrame(
        {"visit_id": ["V1", "V2", "V3"], "member_id": "M1", "store_id": "S1",
         "kind": "after_sale", "channel": "phone", "by": "store",
         "day": days("2026-11-02", "2026-11-03", "2026-11-04"),
         "outcome": ["done", "done", "done"], "answered": ["yes", None, "yes"],
         "done_at": moments("2026-11-01T17:00Z", "2026-11-03T17:00Z",
                            "2026-11-05T17:00Z")}
    )  # fmt: skip
    rows = visit_records(visits, as_of=DAY)
    found = visit_coverage(rows, rows, as_of=DAY).rows.iloc[0]
    assert (found["planned"], found["done"]) == (3, 2)
    assert (found["on_time"], found["answered"]) == (1, 1)
    assert len(visit_contacts(visits, as_of=DAY)) == 2
    sales = pd.DataFrame(
        {"ticket_id": ["T1", "T1"], "store_id": "S1", "member_id": "M1",
         "sold_on": days("2026-11-03", "2026-11-03"), "amount": [100, 50]}
    )  # fmt: skip
    tickets = sold_tickets(sales, as_of=DAY)
    assert tickets["amount"].tolist() == [150]
    sample = audit_sample(
        period=Period.month(2026, 11), seed="x", visits=rows, tickets=tickets
    )
    assert sample.rows["source"].tolist() == ["visit"]


@st.composite
def tables(draw):
    """Sales and complaints of a few members over some weeks."""
    number = draw(st.integers(1, 8))
    first = pd.Timestamp("2026-10-01")

    def drawn(values):
        return draw(st.lists(values, min_size=number, max_size=number))

    sold = [first + pd.Timedelta(days=n) for n in drawn(st.integers(0, 60))]
    members = drawn(st.sampled_from(["M1", "M2", "M3"]))
    sales = pd.DataFrame(
        {"ticket_id": [f"T{n}" for n in range(number)], "sold_on": sold,
         "member_id": members, "store_id": drawn(st.sampled_from(["S1", "S2"])),
         "amount": drawn(st.integers(-100, 500))}
    )  # fmt: skip
    complaints = pd.DataFrame(
        {"case_id": [f"K{n}" for n in range(number)], "member_id": members,
         "received_at": pd.to_datetime([day.tz_localize("UTC") for day in sold])}
    )  # fmt: skip
    return sales, complaints


@examples(1 / 6)
@given(frames=tables(), late=st.integers(0, 60))
def test_the_same_facts_give_the_same_visits(frames, late):
    """Rows in another order give the same ids, and no fact of the future is seen."""
    sales, complaints = frames
    as_of = dt.date(2026, 10, 1) + dt.timedelta(days=late)
    facts, _ = visit_facts(as_of=as_of, sales=sales, complaints=complaints)
    turned, _ = visit_facts(
        as_of=as_of, sales=sales.iloc[::-1], complaints=complaints.iloc[::-1]
    )
    pd.testing.assert_frame_equal(facts, turned)
    known = sales["sold_on"] <= pd.Timestamp(as_of)
    local = (
        complaints["received_at"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    )
    past, _ = visit_facts(
        as_of=as_of, sales=sales[known],
        complaints=complaints[local.dt.normalize() <= pd.Timestamp(as_of)],
    )  # fmt: skip
    pd.testing.assert_frame_equal(facts, past)
    people = pd.DataFrame({"member_id": ["M1", "M2", "M3"]})
    standing, _ = visit_standing(as_of=as_of, members=people)
    period = Period.month(2026, 11)
    once = plan_visits(facts, standing, period=period, as_of=as_of).rows
    again = plan_visits(turned, standing, period=period, as_of=as_of, planned=once).rows
    assert again.empty
    assert once["visit_id"].is_unique
