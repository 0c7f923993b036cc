"""Caps by the clock: minutes and hours of the member, beside days and weeks."""

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.policies.contact import (
    Contact,
    ContactCap,
    ContactPolicy,
    ContactWindow,
    QuietHours,
    zone_of,
)
from memberops.policies.visit_frame import plan_visits
from memberops.policies.visit_plan import plan_member
from memberops.policies.visit_policy import Standing, VisitFact, VisitPolicy
from memberops.schedules import Period

SHANGHAI = zone_of("Asia/Shanghai")
ALWAYS = {"sms": [ContactWindow(dt.time(0), dt.time(23, 59))]}


def policy(*caps):
    """Make a policy of which only the caps stop anything."""
    return ContactPolicy(windows=ALWAYS, quiet=None, caps=caps)


def sent(*times):
    """Make messages sent on one day, each at "HH:MM:SS"."""
    return [Contact(at=moment(time), channel="sms") for time in times]


def moment(time, day=dt.date(2026, 11, 2)):
    """Make a moment in Shanghai."""
    return dt.datetime.combine(day, dt.time.fromisoformat(time), tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("window", "before", "asked", "free"),
    [
        ("minute", "10:00:59", "10:00:59", False),
        ("minute", "10:00:59", "10:01:00", True),
        ("minute", "10:00:59", "10:00:00", False),
        ("hour", "10:59:59", "10:00:00", False),
        ("hour", "10:59:59", "11:00:00", True),
    ],
)
def test_a_window_is_that_of_the_clock(window, before, asked, free):
    """A minute or an hour ends when the clock turns, not so long after a message."""
    broken = policy(ContactCap(most=1, window=window)).broken_caps(
        "sms", moment(asked), zone=SHANGHAI, contacts=sent(before)
    )

    assert (not broken) is free


def test_an_hour_is_that_of_the_member():
    """In Kathmandu, 5:45 ahead, an hour turns at a quarter past of UTC."""
    cap = policy(ContactCap(most=1, window="hour"))
    nepal = zone_of("Asia/Kathmandu")
    first = Contact(at=dt.datetime(2026, 11, 2, 4, 10, tzinfo=dt.UTC), channel="sms")

    def full(hour, minute):
        at = dt.datetime(2026, 11, 2, hour, minute, tzinfo=dt.UTC)
        return bool(cap.broken_caps("sms", at, zone=nepal, contacts=[first]))

    assert full(4, 14)
    assert not full(4, 15)
    assert full(3, 15)


def test_the_hour_that_comes_twice_is_two():
    """When the clock goes back, 1 o'clock is an hour, and 1 o'clock again another."""
    york = zone_of("America/New_York")
    cap = policy(ContactCap(most=1, window="hour"))
    first = Contact(at=dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), channel="sms")
    again = dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC)

    assert first.at.astimezone(york).hour == again.astimezone(york).hour == 1
    assert not cap.broken_caps("sms", again, zone=york, contacts=[first])


def test_the_caps_of_a_vendor(shared):
    """One a minute and 5 an hour by the clock, 10 in any 24 hours: all three hold."""
    cases = json.loads((shared / "cases/peer_cases.json").read_text(encoding="utf-8"))
    (case,) = [each for each in cases["cases"] if each["id"] == "SMS-8"]
    limits = case["input"]
    assert limits["minute_hour_windows"] == "clock-aligned in UTC+8"
    assert limits["day_window"] == "rolling 24 h from send"
    rule = policy(
        ContactCap(most=limits["per_minute"], window="minute"),
        ContactCap(most=limits["per_hour"], window="hour"),
        ContactCap(most=limits["per_day"], window="rolling", hours=24),
    )
    contacts, now = [], moment("10:57:30")
    for _ in range(11):
        found = rule.first_slot("sms", after=now, zone=SHANGHAI, contacts=contacts)
        now = found.slot.starts_at
        contacts.append(Contact(at=now, channel="sms"))

    at = [each.at.astimezone(SHANGHAI).strftime("%d %H:%M:%S") for each in contacts]
    assert at[:8] == [
        "02 10:57:30", "02 10:58:00", "02 10:59:00",
        "02 11:00:00", "02 11:01:00", "02 11:02:00", "02 11:03:00", "02 11:04:00",
    ]  # fmt: skip
    # Five at 11 and two at 12 make ten; the next waits for the first to be a day old.
    assert at[8:] == ["02 12:00:00", "02 12:01:00", "03 10:57:30"]


@settings(max_examples=40)
@given(
    zone=st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/New_York"]),
    after=st.datetimes(dt.datetime(2026, 10, 30), dt.datetime(2026, 11, 3)),  # noqa: DTZ001 - made aware below
    gaps=st.lists(st.integers(-4000, 4000), max_size=8),
    most=st.integers(1, 3),
    window=st.sampled_from(["minute", "hour"]),
)
def test_the_first_slot_is_the_first_that_fits(zone, after, gaps, most, window):
    """No earlier minute fits, and the one that is found does."""
    own = zone_of(zone)
    start = after.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    contacts = [
        Contact(at=start + dt.timedelta(seconds=gap), channel="sms") for gap in gaps
    ]

    def label(at):
        local = at.astimezone(own)
        wall = local.replace(second=0, microsecond=0)
        hour = wall.replace(minute=0) if window == "hour" else wall
        return hour.replace(tzinfo=None), local.fold, local.utcoffset()

    def fits(at):
        return sum(label(each.at) == label(at) for each in contacts) < most

    answer = policy(ContactCap(most=most, window=window)).first_slot(
        "sms", after=start, zone=own, contacts=contacts
    )
    tried = start
    while not (fits(tried) and tried.astimezone(own).time() < dt.time(23, 59)):
        tried += dt.timedelta(minutes=1)

    assert answer.slot.starts_at == tried


def test_a_plan_of_days_leaves_minutes_to_the_day():
    """One contact a minute keeps no visit from its day, in a frame or for a member."""
    rules = VisitPolicy(
        contact=ContactPolicy(caps=[ContactCap(most=1, window="minute")])
    )
    day = dt.date(2026, 10, 8)
    period = Period.month(2026, 11)
    facts = pd.DataFrame(
        {"member_id": "M1", "trigger": "purchase", "fact_id": ["T1", "T2"],
         "on": pd.to_datetime([day, day])}
    )  # fmt: skip
    visits = plan_member(
        [VisitFact(member_id="M1", trigger="purchase", on=day, fact_id=f"T{n}")
         for n in (1, 2)],
        standing=Standing(member_id="M1"), period=period, as_of=day, policy=rules,
    )  # fmt: skip
    plan = plan_visits(
        facts, pd.DataFrame({"member_id": ["M1"]}), period=period, as_of=day,
        policy=rules,
    )  # fmt: skip

    assert plan.rows["state"].tolist() == ["planned"] * 2
    assert [visit.state for visit in visits] == ["planned"] * 2


@pytest.mark.parametrize(
    ("begins", "ends", "minute"),
    [
        # 1:10 to 1:40 comes twice on 1 November: it is quiet both times.
        ((1, 10), (1, 40), dt.datetime(2026, 11, 1, 5, 20, tzinfo=dt.UTC)),
        ((1, 10), (1, 40), dt.datetime(2026, 11, 1, 6, 20, tzinfo=dt.UTC)),
        # 2:10 and 2:30 do not come on 8 March: 3:05 is after the one, 1:50 before
        # the other.
        ((2, 10), (5, 0), dt.datetime(2026, 3, 8, 7, 5, tzinfo=dt.UTC)),
        ((1, 0), (2, 30), dt.datetime(2026, 3, 8, 6, 50, tzinfo=dt.UTC)),
    ],
)
def test_the_clock_that_changes_wakes_nobody(begins, ends, minute):
    """An hour that comes twice, or not at all, is read as the quieter one."""
    york = zone_of("America/New_York")
    quiet = QuietHours(dt.time(*begins), dt.time(*ends))
    rule = ContactPolicy(windows=ALWAYS, quiet=quiet, caps=[])

    found = rule.first_slot("sms", after=minute, zone=york).slot.starts_at

    assert found > minute


def test_caps_by_the_clock_say_so():
    """A cap of a minute or an hour has its name and its words in both languages."""
    assert ContactCap(most=1, window="minute").texts() == (
        "at most 1 contact a minute",
        "每分钟最多联系 1 次",
    )
    assert ContactCap(most=5, window="hour").name == "cap_hour"
