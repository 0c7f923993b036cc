"""When a member may be contacted: windows, quiet hours and caps to the second."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies.contact import (
    Contact,
    ContactCap,
    ContactPolicy,
    ContactWindow,
    QuietHours,
    zone_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe",
         "Asia/Kathmandu", "Pacific/Kiritimati"]  # fmt: skip
MONDAY = dt.date(2026, 11, 2)


def at(day, hour, minute=0, zone=SHANGHAI):
    """Make a local moment."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=zone)


def local(answer, zone=SHANGHAI):
    """Give the local start of the slot found."""
    return answer.slot.starts_at.astimezone(zone)


def days(number):
    """Give a number of days."""
    return dt.timedelta(days=number)


@pytest.mark.parametrize(
    ("channel", "asked", "found"),
    [
        ("phone", (9, 59), (0, 10, 0)),
        ("phone", (10, 0), (0, 10, 0)),
        ("phone", (11, 29), (0, 11, 29)),
        ("phone", (11, 30), (0, 15, 0)),
        ("phone", (12, 0), (0, 15, 0)),
        ("phone", (17, 0), (1, 10, 0)),
        ("sms", (8, 0), (0, 9, 0)),
        ("sms", (19, 59), (0, 19, 59)),
        ("sms", (20, 0), (1, 9, 0)),
    ],
)
def test_the_hours_of_the_manual(channel, asked, found):
    """Calls 10:00-11:30 and 15:00-17:00, SMS 09:00-20:00; the close is outside."""
    answer = ContactPolicy().first_slot(
        channel, after=at(MONDAY, *asked), zone=SHANGHAI
    )
    ahead, hour, minute = found

    assert local(answer) == at(MONDAY + days(ahead), hour, minute)
    deferred = (ahead, hour, minute) != (0, *asked)
    assert [reason.rule for reason in answer.reasons] == ["window"] * deferred


def test_cad_4_three_a_week_defers_to_next_week(shared):
    """CAD-4: over a cap of 3 a week the next slot is next week, not in 3 weeks."""
    known = json.loads((shared / "cases" / "peer_cases.json").read_text("utf-8"))
    listed = known["cases"] if isinstance(known, dict) else known
    (case,) = [each for each in listed if each["id"] == "CAD-4"]
    assert case["input"] == {"cap": "3 per week", "already_sent_this_week": 3}
    policy = ContactPolicy(caps=[ContactCap(most=3, window="week")])
    sent = [Contact(at=at(MONDAY + days(n), 10), channel="sms") for n in range(3)]

    answer = policy.first_slot(
        "sms", after=at(MONDAY + days(3), 10), zone=SHANGHAI, contacts=sent
    )

    assert local(answer) == at(MONDAY + days(7), 9)
    assert [reason.rule for reason in answer.reasons] == ["cap_week"]
    assert answer.explain("en") == "at most 3 contacts a week"
    assert answer.explain("zh") == "每周最多联系 3 次"


def test_a_natural_day_is_not_24_hours():
    """18 h apart on two dates: a cap a day allows it, one of rolling 24 h does not."""
    sent = [Contact(at=at(MONDAY, 16), channel="phone")]
    asked = at(MONDAY + days(1), 10)

    def first(**cap):
        policy = ContactPolicy(caps=[ContactCap(most=1, **cap)])
        return local(
            policy.first_slot("phone", after=asked, zone=SHANGHAI, contacts=sent)
        )

    assert first(window="day") == asked
    assert first(window="rolling") == at(MONDAY + days(1), 16)
    assert first(window="rolling", hours=26) == at(MONDAY + days(2), 10)


def test_the_week_is_the_iso_week_of_the_member():
    """Sunday evening in Shanghai is still this week, though UTC says otherwise."""
    policy = ContactPolicy(caps=[ContactCap(most=1, window="week")])
    sunday = MONDAY - days(1)
    sent = [Contact(at=at(sunday, 19), channel="sms")]

    answer = policy.first_slot("sms", after=at(MONDAY, 9), zone=SHANGHAI, contacts=sent)

    assert local(answer) == at(MONDAY, 9)


def test_what_is_planned_later_counts_too():
    """A contact planned for tomorrow morning blocks this afternoon within 24 h."""
    policy = ContactPolicy(caps=[ContactCap(most=1, window="rolling")])
    ahead = [Contact(at=at(MONDAY + days(1), 10), channel="phone")]

    answer = policy.first_slot(
        "phone", after=at(MONDAY, 15), zone=SHANGHAI, contacts=ahead
    )

    assert local(answer) == at(MONDAY + days(2), 10)


def test_a_cap_of_one_channel_leaves_the_other():
    """A cap of SMS does not stop a call (Mautic 4761 took the e-mail's)."""
    policy = ContactPolicy(caps=[ContactCap(most=1, window="day", channels=["sms"])])
    sent = [Contact(at=at(MONDAY, 9), channel="sms")]

    call = policy.first_slot(
        "phone", after=at(MONDAY, 10), zone=SHANGHAI, contacts=sent
    )
    text = policy.first_slot("sms", after=at(MONDAY, 10), zone=SHANGHAI, contacts=sent)

    assert local(call) == at(MONDAY, 10)
    assert local(text) == at(MONDAY + days(1), 9)


@pytest.mark.parametrize(
    ("quiet", "opens"),
    [((22, 8), 8), ((8, 22), 0), ((21, 10), 10), ((0, 6), 6)],
)
def test_quiet_hours_across_midnight(quiet, opens):
    """22-8 keeps the night, 8-22 the day: the bug of assistant-relay 218."""
    always = {"sms": [ContactWindow(dt.time(0), dt.time(23, 59))]}
    policy = ContactPolicy(
        windows=always, quiet=QuietHours(*(dt.time(hour) for hour in quiet)), caps=[]
    )

    answer = policy.first_slot("sms", after=at(MONDAY, 0), zone=SHANGHAI)

    assert local(answer) == at(MONDAY, opens)


def test_quiet_hours_hold_in_the_store_too():
    """A member in New York is called when it is quiet in neither place."""
    york = ZoneInfo("America/New_York")
    always = {"phone": [ContactWindow(dt.time(0), dt.time(23, 59))]}
    policy = ContactPolicy(windows=always, caps=[])

    slots = policy.slots("phone", MONDAY, zone=york, store_zone=SHANGHAI)

    assert [
        (slot.starts_at.astimezone(york).time(), slot.ends_at.astimezone(york).time())
        for slot in slots
    ] == [(dt.time(19), dt.time(21))]


@examples(2)
@given(
    zone=st.sampled_from(ZONES),
    store=st.sampled_from(ZONES),
    moment=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31)),  # noqa: DTZ001 - made aware below
    begins=st.times(),
    ends=st.times(),
    sent=st.lists(st.integers(-150, 150), max_size=5),
    caps=st.lists(
        st.builds(
            ContactCap,
            most=st.integers(1, 3),
            window=st.sampled_from(["day", "week", "rolling"]),
            hours=st.integers(1, 60),
        ),
        max_size=3,
    ),
)
def test_no_slot_breaks_a_rule(zone, store, moment, begins, ends, sent, caps):
    """The slot found lies in a window, outside quiet hours, and within every cap."""
    if begins == ends:
        return
    own, other = zone_of(zone), zone_of(store)
    policy = ContactPolicy(quiet=QuietHours(begins, ends), caps=caps)
    after = moment.replace(tzinfo=dt.UTC)
    contacts = [
        Contact(at=after + dt.timedelta(hours=hours), channel="sms") for hours in sent
    ]

    answer = policy.first_slot(
        "sms", after=after, zone=own, store_zone=other, contacts=contacts
    )

    if answer.slot is None:
        assert answer.reasons
        return
    start = answer.slot.starts_at
    assert start >= after
    assert dt.time(9) <= start.astimezone(own).time() < dt.time(20)
    for place in (own, other):
        wall = start.astimezone(place).time()
        night = begins <= wall < ends if begins < ends else not ends <= wall < begins
        assert not night
    every = sorted([*(contact.at for contact in contacts), start])
    for cap in caps:
        if cap.window == "rolling":
            span = dt.timedelta(hours=cap.hours)
            runs = [[x for x in every if one <= x < one + span] for one in every]
            assert max(len(run) for run in runs if start in run) <= cap.most
        else:

            def label(one, cap=cap):
                day = one.astimezone(own).date()
                return day if cap.window == "day" else day.isocalendar()[:2]

            same = [one for one in every if label(one) == label(start)]
            assert len(same) <= cap.most


def test_wrong_use_names_the_fix():
    """Naive moments, equal quiet hours, unknown zones and windows are refused."""
    policy = ContactPolicy()
    with pytest.raises(InvalidValueError, match="zone"):
        policy.first_slot("sms", after=dt.datetime(2026, 1, 1), zone=SHANGHAI)  # noqa: DTZ001 - the test
    with pytest.raises(InvalidValueError, match="quiet=None"):
        QuietHours(dt.time(8), dt.time(8))
    with pytest.raises(ScheduleError, match="IANA"):
        zone_of("Asia/Shangai")
    with pytest.raises(InvalidValueError, match="did you mean 'week'"):
        ContactCap(most=1, window="wek")
    with pytest.raises(InvalidValueError, match="1 or more"):
        ContactCap(most=0, window="day")
    with pytest.raises(InvalidValueError, match="past midnight"):
        ContactWindow(dt.time(22), dt.time(6))


def test_a_channel_without_hours_is_never_used():
    """No window means no slot, with the reason."""
    policy = ContactPolicy(windows={"sms": [ContactWindow(dt.time(9), dt.time(20))]})

    answer = policy.first_slot("phone", after=at(MONDAY, 10), zone=SHANGHAI)

    assert answer.slot is None
    assert answer.explain("zh") == "不在电话的联系时段内"
