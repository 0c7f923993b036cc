"""Visits that are late are made up for; what asks for one is what the manual says."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from memberops.domain.appointment import BookingEvent, Slot
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.policies import (
    AppointmentBook,
    Appointments,
    AuditPolicy,
    CadenceRule,
    Staffing,
    Standing,
    VisitFact,
    VisitPolicy,
    visit_coverage,
    visit_standing,
)
from memberops.policies.cadence import DEFAULT_CADENCE
from memberops.policies.visit_frame import plan_visits
from memberops.policies.visit_plan import plan_member
from memberops.schedules import Period
from memberops.testing import sales_frame
from memberops.workflows import Chain

RULES = {rule.name: rule for rule in DEFAULT_CADENCE}
NOVEMBER = Period.month(2026, 11)
SALES = sales_frame([("T1", "2026-10-04", "S1", "M1", 1, "10.00")])


def day(number, month=11):
    """A day of November 2026."""
    return dt.date(2026, month, number)


def days(*texts):
    """A column of days."""
    return pd.to_datetime(list(texts)).astype("datetime64[us]")


def both(trigger, on, *, period, as_of, policy=None, planned=None):
    """Plan M1's visits one by one and as a frame; both say the same."""
    fact = VisitFact(member_id="M1", trigger=trigger, on=on)
    found = plan_member(
        [fact], standing=Standing(member_id="M1", store_id="S1"), period=period,
        as_of=as_of, policy=policy,
    )  # fmt: skip
    facts = pd.DataFrame({"member_id": ["M1"], "trigger": trigger, "on": days(str(on))})
    members = pd.DataFrame({"member_id": ["M1"], "store_id": ["S1"]})
    rows = plan_visits(facts, members, period=period, as_of=as_of, policy=policy).rows
    told = {
        (row.visit_id, row.state, row.cause, None if pd.isna(row.day) else
         row.day.date(), row.reason_zh)
        for row in rows.itertuples()
    }  # fmt: skip
    assert told == {
        (v.visit_id, v.state.value, v.cause, v.day, v.explain("zh")) for v in found
    }
    again = plan_visits(
        facts, members, period=period, as_of=as_of, policy=policy, planned=rows
    )
    assert again.rows.empty
    return {visit.rule: visit for visit in found}


@pytest.mark.parametrize("on", [day(4), day(5), day(11)])
def test_a_callback_is_planned_as_long_as_it_is_in_time(on):
    """Received on the 4th, to be called within 7 days: planned on each of them."""
    visit = both("complaint", day(4), period=Period.span(on, day(30)), as_of=on)[
        "complaint_callback"
    ]

    assert (visit.due_on, visit.last_on, visit.day) == (day(4), day(11), on)
    assert visit.state == ("planned" if on == day(4) else "moved")
    assert visit.cause == ("" if on == day(4) else "passed")


def test_what_is_in_time_no_more_is_told_once_in_its_own_period():
    """On the 12th November tells of the callback, the days from the 12th do not."""
    as_of = day(12)

    visit = both("complaint", day(4), period=NOVEMBER, as_of=as_of)
    later = both("complaint", day(4), period=Period.span(as_of, day(30)), as_of=as_of)

    dropped = visit["complaint_callback"]
    assert (dropped.state, dropped.cause) == ("dropped", "passed")
    assert dropped.explain("zh").endswith("取消：应访日期早于计划期间")
    assert later == {}


def test_a_plan_made_ahead_begins_with_what_the_days_before_it_leave():
    """Planned on the 28th for December: what is due on the 30th still has its call."""
    december = Period.month(2026, 12)
    visit = both("report", day(28), period=december, as_of=day(28))["report_2_days"]

    assert (visit.due_on, visit.day) == (day(30), day(1, 12))


def test_what_stands_in_the_way_of_a_late_visit_is_named():
    """Late, and the only day left taken: the cap is the cause, not the lateness."""
    as_of = day(5)
    policy = VisitPolicy(rules=[RULES["complaint_callback"], RULES["thanks"]])
    facts = [VisitFact(member_id="M1", trigger=name, on=day(4))
             for name in ("purchase", "complaint")]  # fmt: skip
    visits = {
        visit.rule: visit
        for visit in plan_member(
            facts, standing=Standing(member_id="M1", store_id="S1"),
            period=Period.span(as_of, day(30)), as_of=as_of, policy=policy,
        )
    }  # fmt: skip

    assert visits["complaint_callback"].day == as_of
    assert (visits["thanks"].state, visits["thanks"].cause) == ("dropped", "cap_day")


def test_a_day_outside_the_calendar_is_due_in_no_period():
    """A member of the year 9999 stops no plan, one by one or as a frame."""
    assert both("purchase", dt.date(9999, 12, 31), period=NOVEMBER, as_of=day(5)) == {}
    last = dt.date(9999, 12, 31)
    with pytest.raises(InvalidValueError, match="calendar"):
        both("purchase", day(5), period=Period.span(last, last), as_of=last)


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": 99_999, "unit": "years"},
        {"offset": -40_000},
        {"within": 10**9},
        {"despite": ("open complant",)},
        {"despite": "expired"},
        {"channel": "fax"},
        {"kind": "fax"},
    ],
)
def test_a_rule_that_can_never_work_is_refused(wrong):
    """Offsets beyond a century, words that are none, a word taken for its letters."""
    given = {"name": "x", "kind": "care", "trigger": "purchase", "channel": "sms",
             "by": "store", "priority": 1, "name_en": "x", "name_zh": "x"}  # fmt: skip
    with pytest.raises(InvalidValueError):
        VisitPolicy(rules=[CadenceRule(**{**given, **wrong})])


MEMBERS = pd.DataFrame(
    {
        "member_id": ["M1", "M2"],
        "store_id": ["S1", "S1"],
        "name": ["王小明", None],
        "phone": ["13812345678", "13912345678"],
        "gender": ["male", "female"],
        "birth_date": days("1990-05-01", "1991-05-01"),
        "joined_on": days("2026-01-01", "2026-01-01"),
    }
)
CARDS = pd.DataFrame(
    {
        "card_id": ["C1", "C2"],
        "member_id": ["M1", "M2"],
        "valid_from": days("2026-01-01", "2026-01-01"),
        "valid_through": days("2026-12-31", "2026-12-31"),
    }
)
NEW = {
    "members": MEMBERS.assign(joined_on=days("2026-11-04", "2026-11-04")),
    "cards": CARDS.assign(valid_from=days("2026-11-04", "2026-11-04"),
                          valid_through=days("2027-11-03", "2027-11-03")),
}  # fmt: skip
CASES = pd.DataFrame(
    {
        "case_id": ["K1"],
        "member_id": ["M1"],
        "store_id": ["S1"],
        "received_at": [pd.Timestamp("2026-11-04T10:00+08:00")],
    }
)


def asked(rule, *, as_of, tables=None, **options):
    """Ask a chain for the visits of one kind, by member."""
    given = {"sales": SALES, "members": MEMBERS, "cards": CARDS, **(tables or {})}
    frame = Chain.from_frames(**given).visits(as_of=as_of, **options).frame()
    rows = frame[frame["kind"] == rule]
    return {
        row.member_id: (row.state, None if pd.isna(row.day) else row.day.date())
        for row in rows.itertuples()
    }


def test_the_chain_makes_up_for_what_it_missed():
    """
    A callback and a welcome of yesterday are planned today.

    So is one that the records planned for yesterday and that nobody made; the same
    visit with an outcome is not.
    """
    tables = {"complaints": CASES}
    options = {"as_of": day(5), "tables": tables}
    assert asked("complaint_callback", **options) == {"M1": ("moved", day(5))}
    assert asked("welcome", as_of=day(5), tables=NEW) == {"M1": ("moved", day(5))}
    plan = Chain.from_frames(
        sales=SALES, members=MEMBERS, cards=CARDS, complaints=CASES
    ).visits(as_of=day(4))
    row = plan.frame()
    row = row[row["kind"] == "complaint_callback"]
    visits = pd.DataFrame(
        {name: row[name].astype("str").to_numpy()
         for name in ("visit_id", "kind", "member_id", "store_id", "channel", "by")}
    ).assign(day=days("2026-11-04"), outcome=None)  # fmt: skip
    missed = {**tables, "visits": visits}
    assert asked("complaint_callback", as_of=day(5), tables=missed) == {
        "M1": ("moved", day(5))
    }
    done = visits.assign(outcome="not_reached", done_on=days("2026-11-04"))
    made = {**tables, "visits": done}
    assert asked("complaint_callback", as_of=day(5), tables=made) == {}


def test_a_span_that_begins_before_the_day_tells_what_was_missed():
    """From the 1st, asked on the 12th: the callback of the 4th is dropped, by name."""
    tables = {"complaints": CASES}
    found = asked("complaint_callback", as_of=day(12), first=day(1), tables=tables)
    assert found == {"M1": ("dropped", None)}
    with pytest.raises(InvalidValueError, match="2026-11-12"):
        asked("care", as_of=day(12), first=day(1), through=day(11))


def test_the_expiry_notice_is_made_until_the_5th():
    """A card that ends in December: noticed on the 1st, still on the 5th, then not."""
    for number, state in ((1, "planned"), (2, "moved"), (5, "moved")):
        found = asked("expiry_notice", as_of=day(number))
        assert found["M1"] == (state, day(number))
    assert asked("expiry_notice", as_of=day(6)) == {}


def test_who_has_met_the_waiver_gets_no_expiry_notice():
    """HQ §4.2: the call is for whoever has not met the condition yet."""
    bought = sales_frame(
        [(f"T{n}", f"2026-0{n}-01", "S1", "M1", 1, "5000.00") for n in (3, 4, 5)]
    )
    found = asked("expiry_notice", as_of=day(1), tables={"sales": bought})
    assert found == {"M2": ("planned", day(1))}
    # The waiver is that of the term that ends: the next one starts from nothing.
    renewed = CARDS.iloc[:1].assign(valid_from=days("2027-01-01"),
                                    valid_through=days("2027-12-31"))  # fmt: skip
    cards = pd.concat([CARDS, renewed], ignore_index=True)
    later = asked(
        "expiry_notice", as_of=dt.date(2027, 11, 1),
        tables={"sales": bought, "cards": cards},
    )  # fmt: skip
    assert later == {"M1": ("planned", dt.date(2027, 11, 1))}


def test_a_welcome_is_for_a_profile_that_is_complete():
    """VIP: a newly filed member is welcomed; M2 lacks a name and is not filed."""
    assert asked("welcome", as_of=day(4), tables=NEW) == {"M1": ("planned", day(4))}
    whole = {**NEW, "members": NEW["members"].assign(name=["王小明", "李雷雷"])}
    assert set(asked("welcome", as_of=day(4), tables=whole)) == {"M1", "M2"}


def test_a_chain_without_cards_files_by_the_other_fields_and_says_so():
    """What no source tells cannot be asked for: a finding, not a silence."""
    answer = Chain.from_frames(sales=SALES, members=NEW["members"]).visits(as_of=day(4))
    frame = answer.frame()
    assert frame.loc[frame["kind"] == "welcome", "member_id"].tolist() == ["M1"]
    assert "filing-without-cards" in [each.rule for each in answer.findings]


def test_a_refusal_that_cannot_be_read_stops_every_channel_and_is_told():
    """An unknown word for a channel never loses a refusal; "SMS" is the SMS."""
    consents = pd.DataFrame(
        {"member_id": ["M1", "M2", "M3"], "channel": ["fax", "SMS", "fax"],
         "given": ["no", "no", "yes"], "on": days(*["2026-10-01"] * 3)}
    )  # fmt: skip
    members = pd.DataFrame({"member_id": ["M1", "M2", "M3"]})
    rows, found = visit_standing(as_of=day(5), members=members, consents=consents)
    assert rows["opted_out"].tolist() == [True, False, False]
    assert rows["opted_out_sms"].tolist() == [True, True, False]
    assert rows["opted_out_phone"].tolist() == [True, False, False]
    assert [(f.rule, f.count) for f in found] == [("consent-channel-unknown", 2)]


def test_the_word_no_is_no_answer():
    """The table's own words count as they read; what is neither is refused."""
    plan = pd.DataFrame({"visit_id": ["V1", "V2"], "store_id": "S1",
                         "day": days("2026-11-02", "2026-11-02"),
                         "last_on": days("2026-11-03", "2026-11-03")})  # fmt: skip
    records = plan.assign(outcome="done", done_on=plan["day"], answered=["yes", "no"])
    rows = visit_coverage(plan, records, as_of=day(5)).rows
    assert (rows["done"].item(), rows["answered"].item()) == (2, 1)
    with pytest.raises(ColumnTypeError, match="maybe"):
        visit_coverage(plan, records.assign(answered="maybe"), as_of=day(5))


def test_the_hour_that_comes_twice_keeps_its_order():
    """Berlin, 25 October 2026: 02:30 of summer comes before 02:00 of winter."""
    zone = ZoneInfo("Europe/Berlin")
    summer = dt.datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    winter = dt.datetime(2026, 10, 25, 2, 0, fold=1, tzinfo=zone)
    given = {"slot_id": "A", "store_id": "S1"}
    slot = Slot(**given, starts_at=summer, ends_at=winter)
    assert slot.ends_at - slot.starts_at == dt.timedelta(minutes=30)
    with pytest.raises(InvalidValueError, match="ends after"):
        Slot(**given, starts_at=winter, ends_at=summer)
    hour = dt.timedelta(hours=3)
    book = AppointmentBook(
        slots=[Slot(**given, starts_at=summer + hour, ends_at=summer + 2 * hour)]
    )
    wishes = [
        BookingEvent(event_id=f"E{n}", kind="book", booking_id=f"K{n}", slot_id="A",
                     member_id=f"M{n}", at=at)
        for n, at in ((1, winter), (2, summer))
    ]  # fmt: skip
    held = Appointments().replay(book, wishes).book.held
    assert [member for member, _ in held.values()] == ["M2"]


@pytest.mark.parametrize(
    "wrong",
    [{"tickets_a_day": 0}, {"fence": -1}, {"least_members": -3},
     {"visit_share": "abc"}],
)  # fmt: skip
def test_an_audit_that_can_never_work_is_refused(wrong):
    """No tickets, a fence below the quartile, a share that is none."""
    with pytest.raises(InvalidValueError):
        AuditPolicy(**wrong)


def test_nobody_makes_fewer_than_no_visits():
    """A pool makes 0 visits a day or more."""
    with pytest.raises(InvalidValueError, match="visits_each"):
        Staffing(staff={"S1": ["A"]}, visits_each=-3)
