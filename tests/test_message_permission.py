"""Whether one message may leave: consent, suppression, hours, caps, to the second."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.domain.message import MessageState
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies.contact import (
    Contact,
    ContactCap,
    ContactPolicy,
    ContactWindow,
    QuietHours,
    zone_of,
)
from memberops.policies.message_permission import (
    MessageConsent,
    PastMessage,
    SendFacts,
)
from memberops.policies.message_policy import MessagePolicy

SHANGHAI = zone_of("Asia/Shanghai")
THURSDAY = dt.date(2026, 11, 5)
YES = MessageConsent(given=True, on=dt.date(2026, 1, 2), source="会员申请表")
DAYLONG = {"sms": [ContactWindow(dt.time(0), dt.time(23, 59, 59))]}


def at(hour, minute=0, day=THURSDAY, zone=SHANGHAI):
    """Make a local moment."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=zone)


def asked(policy=None, when=None, kind="marketing", **facts):
    """Ask at ten in the morning, with consent unless it is told otherwise."""
    known = SendFacts(**{"kind": kind, "consent": YES, **facts})
    return (policy or MessagePolicy()).may_send(known, at=when or at(10))


def rules(answer):
    """Name the rules that stand in the way."""
    return [each.rule for each in answer.reasons if each.met is False]


def test_with_consent_at_ten_it_may_leave():
    """Nothing stands in the way of a consenting member in working hours."""
    answer = asked()

    assert (answer.outcome, rules(answer)) == ("allowed", [])


@pytest.mark.parametrize(
    ("consent", "kind", "found"),
    [
        (None, "marketing", ["no_consent"]),
        (None, "notice", []),
        (MessageConsent(given=True, on=THURSDAY, channel="all"), "marketing", []),
        (MessageConsent(given=True, on=THURSDAY, channel="phone"), "marketing",
         ["no_consent"]),
        # Agreed tomorrow is not agreed.
        (MessageConsent(given=True, on=dt.date(2026, 11, 6)), "marketing",
         ["no_consent"]),
        (MessageConsent(given=False, on=THURSDAY), "marketing",
         ["opted_out", "no_consent"]),
        (MessageConsent(given=False, on=THURSDAY), "notice", ["opted_out"]),
        (MessageConsent(given=False, on=THURSDAY, channel="phone"), "notice", []),
    ],
)  # fmt: skip
def test_consent_has_a_day_and_a_channel(consent, kind, found):
    """Marketing needs a yes to SMS that was said by then; a no stops everything."""
    answer = asked(kind=kind, consent=consent)

    assert rules(answer) == found
    assert answer.outcome == ("stopped" if found else "allowed")


@pytest.mark.parametrize(
    ("flag", "stops"),
    [("opted_out", True), ("opted_out_sms", True), ("opted_out_phone", False),
     ("open_complaint", True), ("premium", False)],
)  # fmt: skip
def test_what_stops_a_visit_by_sms_stops_a_message(flag, stops):
    """The suppressions of visits hold, and the rule is named."""
    assert rules(asked(flags=[flag])) == ([flag] if stops else [])
    spared = MessagePolicy(despite=[flag]) if stops else None
    assert rules(asked(spared, flags=[flag])) == []


def test_who_is_a_member_no_longer_gets_none():
    """The last day counts; the day after, only what is sent despite it leaves."""
    last = dt.date(2026, 11, 4)
    assert rules(asked(valid_through=THURSDAY)) == []
    assert rules(asked(valid_through=last)) == ["expired"]
    assert rules(asked(MessagePolicy(despite=["expired"]), valid_through=last)) == []


@pytest.mark.parametrize(
    ("when", "outcome", "start"),
    [
        (at(8, 59), "deferred", at(9)),
        (at(9), "allowed", None),
        (at(19, 59), "allowed", None),
        (at(20), "deferred", at(9, day=dt.date(2026, 11, 6))),
        (at(0), "deferred", at(9)),
    ],
)
def test_the_hours_of_the_member(when, outcome, start):
    """SMS leave from 9 until before 20 o'clock; else the next such moment is told."""
    answer = asked(when=when)

    assert answer.outcome == outcome
    if start is not None:
        told = dict(answer.reasons[-1].figures)["from"]
        assert dt.datetime.fromisoformat(told) == start
        assert answer.changes_on == start.date()


@pytest.mark.parametrize(
    ("begins", "ends", "quiet", "open_"),
    [
        ((22, 0), (8, 0), [(22, 0), (23, 59), (0, 0), (7, 59)], [(8, 0), (21, 59)]),
        ((8, 0), (22, 0), [(8, 0), (21, 59)], [(22, 0), (7, 59), (0, 0)]),
        ((23, 59), (0, 1), [(23, 59), (0, 0)], [(0, 1), (23, 58)]),
    ],
)
def test_quiet_hours_across_midnight(begins, ends, quiet, open_):
    """Quiet hours hold on both sides of midnight, and not a minute longer."""
    policy = MessagePolicy(
        contact=ContactPolicy(
            windows=DAYLONG, quiet=QuietHours(dt.time(*begins), dt.time(*ends)), caps=[]
        )
    )
    assert {asked(policy, at(*wall)).outcome for wall in quiet} == {"deferred"}
    assert {asked(policy, at(*wall)).outcome for wall in open_} == {"allowed"}


def test_it_is_quiet_in_the_zone_of_the_member_and_of_the_store():
    """Ten in Shanghai is night in New York: neither place is woken."""
    york = "America/New_York"
    assert asked(zone=york).outcome == "deferred"
    assert asked(store_zone=york).outcome == "deferred"
    assert asked(zone=york, when=at(10, zone=zone_of(york))).outcome == "allowed"


def test_the_night_that_the_clock_changes():
    """In spring, an hour that is skipped is not slept through; 9 o'clock stays 9."""
    york = zone_of("America/New_York")
    sunday = dt.date(2026, 3, 8)
    before = at(1, 30, day=sunday, zone=york)

    answer = asked(when=before, zone="America/New_York")

    start = dt.datetime.fromisoformat(dict(answer.reasons[-1].figures)["from"])
    assert start == at(9, day=sunday, zone=york)
    assert start - before.astimezone(dt.UTC) == dt.timedelta(hours=6, minutes=30)


@pytest.mark.parametrize("state", list(MessageState))
def test_what_may_have_been_sent_counts(state):
    """A message whose fate is unknown uses up the cap; one never sent does not."""
    surely_not = {"queued", "rejected", "expired", "canceled"}
    sent = [PastMessage(at=at(9), state=state)]

    answer = asked(sent=sent)

    assert rules(answer) == ([] if state.value in surely_not else ["cap_day"])
    assert answer.outcome == ("allowed" if state.value in surely_not else "deferred")


def test_calls_and_planned_visits_count_too():
    """A call this morning, or one planned for the evening, leaves no message today."""
    for hour in (9, 19):
        assert rules(asked(contacts=[Contact(at=at(hour), channel="phone")])) == [
            "cap_day"
        ]


def test_the_window_of_the_batch():
    """Before it opens a message waits; once it closes, or would first, it stops."""
    friday = at(9, day=dt.date(2026, 11, 6))
    assert rules(asked(opens_at=at(11))) == ["not_open"]
    assert asked(opens_at=at(11)).outcome == "deferred"
    assert asked(opens_at=at(10)).outcome == "allowed"
    assert rules(asked(closes_at=at(10))) == ["closed"]
    night = asked(when=at(21), closes_at=friday)
    assert (night.outcome, rules(night)) == ("stopped", ["window", "closes_first"])
    assert asked(when=at(21), closes_at=at(10, day=friday.date())).outcome == "deferred"


@settings(max_examples=80)
@given(
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
    moment=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31)),  # noqa: DTZ001 - made aware below
    begins=st.times(),
    ends=st.times(),
    before=st.lists(st.integers(-4000, 0), max_size=4),
    most=st.integers(1, 2),
    window=st.sampled_from(["minute", "hour", "day", "week", "rolling"]),
)
def test_nothing_leaves_in_the_night_or_above_a_cap(
    zone, moment, begins, ends, before, most, window
):
    """Whatever is allowed lies outside quiet hours, and its window has room."""
    if begins == ends:
        return
    when, place = moment.replace(tzinfo=dt.UTC), zone_of(zone)
    past = [when + dt.timedelta(minutes=minutes) for minutes in before]
    policy = MessagePolicy(
        contact=ContactPolicy(
            windows=DAYLONG,
            quiet=QuietHours(begins, ends),
            caps=[ContactCap(most=most, window=window)],
        )
    )

    answer = asked(
        policy,
        when,
        zone=zone,
        sent=[PastMessage(at=each, state="unknown") for each in past],
    )

    wall = when.astimezone(place).time()
    night = begins <= wall < ends if begins < ends else not ends <= wall < begins

    def label(each):
        own = each.astimezone(place)
        wide = {
            "week": own.date().isocalendar()[:2],
            "day": own.date(),
            "hour": (own.date(), own.hour, own.utcoffset()),
            "minute": (own.date(), own.hour, own.minute, own.utcoffset()),
        }
        return wide[window]

    def same(each):
        if window == "rolling":
            return when - each < dt.timedelta(hours=24)
        return label(each) == label(when)

    full = sum(same(each) for each in past) >= most
    if answer.outcome == "allowed":
        assert not night
        assert not full
    elif not night and wall < dt.time(23, 59, 59) and zone == "Asia/Shanghai":
        assert full


def test_wrong_use_names_the_fix():
    """A naive moment, an unknown zone and an unknown channel are refused."""
    with pytest.raises(InvalidValueError, match="zone"):
        MessagePolicy().may_send(
            SendFacts(kind="notice"), at=at(10).replace(tzinfo=None)
        )
    with pytest.raises(ScheduleError, match="IANA"):
        asked(zone="Asia/Shangai")
    with pytest.raises(InvalidValueError, match="channel of consent"):
        MessageConsent(given=True, on=THURSDAY, channel="smss")
