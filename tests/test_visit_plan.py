"""Plans of visits: the same facts, the same plan; no cap, window or opt-out broken."""

import datetime as dt
from collections import Counter

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain.visit import VisitRecord, VisitState
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.cadence import DEFAULT_CADENCE, CadenceRule
from memberops.policies.contact import ContactCap, ContactPolicy
from memberops.policies.visit_frame import plan_visits
from memberops.policies.visit_plan import ContactDay, plan_member
from memberops.policies.visit_policy import (
    Staffing,
    Standing,
    VisitFact,
    VisitPolicy,
)
from memberops.policies.visit_wishes import by_importance
from memberops.schedules import Period, RestDays, add_months

NOVEMBER = Period.month(2026, 11)
AS_OF = dt.date(2026, 10, 28)
DAY = dt.timedelta(days=1)
RULES = {rule.name: rule for rule in DEFAULT_CADENCE}


def fact(trigger, on, **more):
    """Make a fact of M1."""
    on = dt.date.fromisoformat(on)
    return VisitFact(**{"member_id": "M1", "trigger": trigger, "on": on, **more})


def plan(*facts, period=NOVEMBER, as_of=AS_OF, policy=None, contacts=(), planned=(),
         **standing):  # fmt: skip
    """Plan the visits of M1 and return them by rule."""
    visits = plan_member(
        facts,
        standing=Standing(member_id="M1", store_id="S1", **standing),
        period=period,
        as_of=as_of,
        policy=policy,
        contacts=contacts,
        planned=planned,
    )
    return {visit.rule: visit for visit in visits}


@pytest.mark.parametrize(
    ("trigger", "on", "rule", "due", "channel", "by"),
    [
        ("purchase", "2026-10-25", "care_question", "2026-11-01", "sms", "store"),
        ("purchase", "2026-10-20", "greeting", "2026-11-20", "sms", "store"),
        ("purchase", "2026-08-31", "follow_up", "2026-11-30", "phone", "store"),
        ("last_purchase", "2026-08-15", "win_back", "2026-11-15", "phone", "both"),
        ("birth_date", "1990-11-07", "birthday", "2026-11-07", "sms", "hq"),
        ("card_end", "2026-12-31", "expiry_notice", "2026-11-01", "phone", "hq"),
        ("card_end", "2026-12-01", "expiry_notice", "2026-11-01", "phone", "hq"),
        ("report", "2026-08-20", "report_3_months", "2026-11-20", "phone", "hq"),
        ("report", "2026-05-31", "report_6_months", "2026-11-30", "phone", "hq"),
        ("report", "2025-11-11", "report_1_year", "2026-11-11", "phone", "hq"),
        ("supply_end", "2026-11-27", "refill_reminder", "2026-11-20", "sms", "hq"),
        ("promotion", "2026-11-11", "promotion", "2026-11-11", "sms", "hq"),
    ],
)  # fmt: skip
def test_the_cadence_table_of_the_manuals(trigger, on, rule, due, channel, by):
    """Each line of the table gives its day, channel and party (HQ §6.3, CLINIC)."""
    visit = plan(fact(trigger, on))[rule]

    assert visit.due_on.isoformat() == due
    assert (visit.channel, visit.by) == (channel, by)
    assert visit.day == visit.due_on
    assert visit.state is VisitState.PLANNED


def test_lines_that_begin_on_the_day():
    """Thanks come on the day of purchase, a welcome within 7 days of filing."""
    today = dt.date(2026, 11, 5)
    found = plan(fact("purchase", "2026-11-05"), as_of=today)
    welcome = plan(fact("filed", "2026-11-05"), as_of=today)["welcome"]

    assert found["thanks"].day == today
    assert (welcome.due_on, welcome.last_on) == (today, today + 7 * DAY)


def test_the_expiry_notice_is_made_by_the_5th_of_the_month_before():
    """HQ §4.2: whatever day of December the card ends, by 5 November."""
    for day in ("2026-12-01", "2026-12-31"):
        assert plan(fact("card_end", day))["expiry_notice"].last_on == dt.date(
            2026, 11, 5
        )


def test_premium_members_get_their_own_lines():
    """The voucher and the call to an idle member are for premium members alone."""
    facts = (fact("birth_date", "1990-11-07"), fact("last_purchase", "2026-10-10"))

    assert set(plan(*facts)) == {"birthday"}
    assert set(plan(*facts, premium=True)) == {"birthday_premium", "idle_premium"}


def test_a_birthday_on_29_february_comes_on_the_28th():
    """T21: a birthday of a leap day is kept in common years, and never raises."""
    born = fact("birth_date", "2004-02-29")

    common = plan(born, period=Period.month(2027, 2), as_of=dt.date(2027, 1, 28))
    leap = plan(born, period=Period.month(2028, 2), as_of=dt.date(2028, 1, 28))

    assert common["birthday"].day == dt.date(2027, 2, 28)
    assert leap["birthday"].day == dt.date(2028, 2, 29)


def test_what_has_not_happened_is_not_known():
    """A purchase after the day of planning asks for nothing yet."""
    assert plan(fact("purchase", "2026-10-29")) == {}


def test_the_more_important_visit_wins_and_the_other_moves():
    """Two visits of a day: the welcome keeps it, the greeting moves, and says why."""
    found = plan(fact("filed", "2026-11-05"), fact("purchase", "2026-10-05"),
                 as_of=dt.date(2026, 11, 5))  # fmt: skip

    assert found["welcome"].day == dt.date(2026, 11, 5)
    greeting = found["greeting"]
    assert (greeting.day, greeting.state) == (dt.date(2026, 11, 6), VisitState.MOVED)
    assert greeting.cause == "cap_day"
    assert greeting.explain("en") == (
        "greeting, due 2026-11-05; moved to 2026-11-06: at most 1 contact a day"
    )
    assert (
        greeting.explain("zh")
        == "满月问候，应于 2026-11-05；顺延至 2026-11-06：每天最多联系 1 次"
    )


def test_a_visit_that_cannot_move_is_dropped_with_its_reason():
    """A birthday wish is for the day; where a call has the day, it is dropped."""
    found = plan(fact("filed", "2026-11-05"), fact("birth_date", "1990-11-05"),
                 as_of=dt.date(2026, 11, 5))  # fmt: skip

    assert found["birthday"].state is VisitState.DROPPED
    assert found["birthday"].day is None
    assert found["birthday"].explain("zh").endswith("取消：每天最多联系 1 次")


def test_cad_4_a_full_week_moves_to_the_next():
    """Three contacts this week: the greeting moves to Monday, not three weeks on."""
    policy = VisitPolicy(
        contact=ContactPolicy(caps=[ContactCap(most=3, window="week")])
    )
    monday = dt.date(2026, 11, 9)
    made = [ContactDay(monday + n * DAY, "sms") for n in range(3)]

    found = plan(fact("purchase", "2026-10-12"), policy=policy, contacts=made)

    assert found["greeting"].due_on == dt.date(2026, 11, 12)
    assert found["greeting"].day == dt.date(2026, 11, 16)
    assert found["greeting"].cause == "cap_week"


def test_a_rolling_cap_keeps_neighbouring_days_apart():
    """Within any 24 h once: a call on the day before may be less than 24 h ago."""
    policy = VisitPolicy(
        contact=ContactPolicy(caps=[ContactCap(most=1, window="rolling")])
    )
    made = [ContactDay(dt.date(2026, 11, 11), "phone")]

    found = plan(fact("purchase", "2026-10-12"), policy=policy, contacts=made)

    assert found["greeting"].day == dt.date(2026, 11, 13)


@pytest.mark.parametrize(
    ("flags", "rule", "cause"),
    [
        (["opted_out"], "greeting", "opted_out"),
        (["opted_out"], "complaint_callback", "opted_out"),
        (["opted_out_sms"], "greeting", "opted_out_sms"),
        (["opted_out_phone"], "complaint_callback", "opted_out_phone"),
        (["open_complaint"], "greeting", "open_complaint"),
        (["open_complaint", "opted_out"], "greeting", "opted_out"),
    ],
)
def test_suppression_names_its_rule(flags, rule, cause):
    """An opt-out stops all, an open complaint all but its own callback."""
    facts = (fact("purchase", "2026-10-12"), fact("complaint", "2026-10-28"))
    october = Period.span(AS_OF, NOVEMBER.through)

    visit = plan(*facts, flags=flags, period=october)[rule]

    assert (visit.state, visit.cause, visit.day) == ("suppressed", cause, None)
    assert visit.reasons[-1].rule == cause


@pytest.mark.parametrize("channel", ["phone", "sms", "mail", "in_person"])
def test_who_refuses_a_channel_is_not_visited_by_it(channel):
    """Each channel of visits has its own opt-out, which stops no other channel."""
    greeting = next(rule for rule in VisitPolicy().rules if rule.name == "greeting")
    for rule_channel in ("phone", "sms", "mail", "in_person"):
        policy = VisitPolicy(rules=[attrs.evolve(greeting, channel=rule_channel)])
        visit = plan(fact("purchase", "2026-10-12"), policy=policy,
                     flags=[f"opted_out_{channel}"])["greeting"]  # fmt: skip
        stopped = rule_channel == channel
        assert visit.cause == (f"opted_out_{channel}" if stopped else "")
        assert visit.live is not stopped


def test_an_open_complaint_does_not_stop_its_callback():
    """The callback is made although, and because, a complaint is open."""
    october = Period.span(AS_OF, NOVEMBER.through)
    visit = plan(fact("complaint", "2026-10-28"), flags=["open_complaint"],
                 period=october)["complaint_callback"]  # fmt: skip

    assert visit.state is VisitState.PLANNED


def test_an_expired_member_gets_no_visit_after_the_last_day():
    """The last day is still valid; the day after suppresses, and so does a move."""
    buy = fact("purchase", "2026-10-12")

    assert plan(buy, valid_through=dt.date(2026, 11, 12))["greeting"].live
    after = plan(buy, valid_through=dt.date(2026, 11, 11))["greeting"]
    assert (after.state, after.cause) == ("suppressed", "expired")
    moved = plan(buy, valid_through=dt.date(2026, 11, 12),
                 contacts=[ContactDay(dt.date(2026, 11, 12), "sms")])  # fmt: skip
    assert moved["greeting"].state is VisitState.DROPPED


def test_marketing_keeps_its_distance_from_the_last_contact():
    """Contacted on the 12th: a win-back due on the 13th waits until the 16th."""
    made = [ContactDay(dt.date(2026, 11, 12), "sms")]

    visit = plan(fact("last_purchase", "2026-08-13"), contacts=made)["win_back"]

    assert (visit.day, visit.cause) == (dt.date(2026, 11, 16), "recently_contacted")


def test_calls_move_to_a_working_day():
    """A call due on Saturday is made on Monday; a message is sent on Saturday."""
    policy = VisitPolicy(rest=RestDays(weekdays=(6, 7)))
    found = plan(fact("last_purchase", "2026-08-14"), policy=policy)
    text = plan(fact("purchase", "2026-10-14"), policy=policy)

    assert found["win_back"].due_on == dt.date(2026, 11, 14)
    assert (found["win_back"].day, found["win_back"].cause) == (
        dt.date(2026, 11, 16),
        "rest_day",
    )
    assert text["greeting"].day == dt.date(2026, 11, 14)


def test_a_late_plan_begins_today():
    """What was due before the day of planning is moved to it, or is too late."""
    late = dt.date(2026, 11, 15)

    found = plan(fact("purchase", "2026-10-12"), as_of=late)["greeting"]
    gone = plan(fact("purchase", "2026-10-05"), as_of=late)["greeting"]

    assert (found.day, found.cause) == (late, "passed")
    assert (gone.day, gone.cause) == (None, "passed")


def test_an_appointment_is_told_the_day_before():
    """The reminder goes out the day before, though the appointment lies ahead."""
    visit = plan(fact("appointment", "2026-11-12"))["appointment_reminder"]

    assert (visit.day, visit.channel) == (dt.date(2026, 11, 11), "sms")


def test_windows_are_the_members_own_hours():
    """A member abroad is called when neither place is quiet; no hours, no day."""
    visit = plan(fact("last_purchase", "2026-08-13"), zone="Asia/Tokyo")["win_back"]
    far = plan(fact("last_purchase", "2026-08-13"), zone="America/New_York")["win_back"]

    assert visit.windows == "10:00-11:30, 15:00-17:00"
    assert (far.state, far.cause) == ("dropped", "window")


def test_the_id_hides_nothing_that_moves():
    """A new offset or priority makes no second visit of the same fact."""
    changed = attrs.evolve(RULES["greeting"], offset=5, unit="weeks", priority=1)
    other = VisitPolicy(rules=[attrs.evolve(changed, channel="phone", by="hq")])
    first = plan(fact("purchase", "2026-10-12"))["greeting"]
    second = plan(fact("purchase", "2026-10-12"), policy=other)["greeting"]

    assert first.visit_id == second.visit_id
    assert first.due_on != second.due_on


def test_a_renewed_card_is_told_again():
    """Another last day is another fact: its notice is another visit."""
    one = plan(fact("card_end", "2026-12-31"))["expiry_notice"]
    two = plan(fact("card_end", "2027-12-31"), period=Period.month(2027, 11),
               as_of=dt.date(2027, 10, 28))["expiry_notice"]  # fmt: skip

    assert one.visit_id != two.visit_id


def test_nobody_is_shown():
    """The reprs of facts, records and plans show no birth date and no answer."""
    born = fact("birth_date", "1990-11-07")
    record = VisitRecord(visit_id="V1", outcome="done", answered=True,
                         answer="王小明搬家了",
                         done_at=dt.datetime(2026, 11, 5, tzinfo=dt.UTC))  # fmt: skip

    assert "1990" not in repr(born)
    assert "王小明" not in repr(record)
    with pytest.raises(InvalidValueError, match="no answer"):
        VisitRecord(visit_id="V1", outcome="not_reached", answered=True,
                    done_at=dt.datetime(2026, 11, 5, tzinfo=dt.UTC))  # fmt: skip


FLAGS = ["opted_out", "opted_out_sms", "opted_out_phone", "open_complaint"]
DAYS = st.dates(dt.date(2026, 11, 4), dt.date(2026, 11, 20))


def backwards(rule, due):
    """Find a day of a fact for which a rule asks for a visit about *due*."""
    if rule.unit in ("days", "weeks"):
        return due - rule.offset * (7 if rule.unit == "weeks" else 1) * DAY
    return add_months(due, -rule.offset)


FACTS = st.lists(
    st.builds(
        lambda member, rule, due, number, store: (
            member,
            rule.trigger,
            backwards(rule, due),
            number,
            store,
        ),
        st.sampled_from(["M1", "M1", "M2", "M3", "M7"]),
        st.sampled_from(DEFAULT_CADENCE),
        st.dates(dt.date(2026, 11, 2), dt.date(2026, 11, 13)),
        st.sampled_from(["", "F1"]),
        st.sampled_from(["", "S1", "S2"]),
    ),
    min_size=8,
    max_size=25,
)
STANDINGS = st.tuples(
    st.sampled_from(["", "S1", "S3"]),
    st.sampled_from(["", "Asia/Tokyo", "America/New_York"]),
    st.sampled_from(["", "", "Asia/Urumqi", "Europe/London"]),
    st.booleans(),
    st.none() | st.none() | DAYS,
    st.just(frozenset()) | st.frozensets(st.sampled_from(FLAGS), max_size=1),
)
MADE = st.lists(
    st.tuples(
        st.sampled_from(["M1", "M2", "M9"]),
        st.dates(dt.date(2026, 10, 28), dt.date(2026, 11, 20)),
        st.sampled_from(["phone", "sms"]),
    ),
    max_size=6,
)
CAPS = st.lists(
    st.builds(
        ContactCap,
        most=st.integers(1, 2),
        window=st.sampled_from(["day", "week", "rolling"]),
        hours=st.integers(1, 50),
        channels=st.sampled_from([(), ("sms",), ("phone", "sms")]),
    ),
    max_size=3,
)


def column(values):
    """Make a column of days."""
    return pd.Series(pd.to_datetime(list(values))).astype("datetime64[us]")


def frames(facts, standings, made):
    """Make the three frames of drawn facts."""
    told = pd.DataFrame(
        [row[:2] + row[3:] for row in facts],
        columns=["member_id", "trigger", "fact_id", "store_id"],
    )
    told["on"] = column(row[2] for row in facts)
    members = pd.DataFrame(
        {
            "member_id": ["M1", "M2", "M3"],
            "store_id": [each[0] for each in standings],
            "zone": [each[1] for each in standings],
            "store_zone": [each[2] for each in standings],
            "premium": [each[3] for each in standings],
            "valid_through": column(each[4] for each in standings),
            **{flag: [flag in each[5] for each in standings] for flag in FLAGS},
        }
    )
    contacts = pd.DataFrame(
        [(row[0], row[2]) for row in made], columns=["member_id", "channel"]
    )
    contacts["on"] = column(row[1] for row in made)
    return told, members, contacts


STORED = ["str", "object", "category"]
DRAWN = {
    "facts": FACTS,
    "standings": st.tuples(STANDINGS, STANDINGS, STANDINGS),
    "made": MADE,
    "caps": CAPS,
    "rest": st.booleans(),
    "seed": st.integers(0, 99),
    "stored": st.sampled_from(STORED),
}


@examples(1 / 4)
@given(**DRAWN)
def test_frame_equals_scalar_and_no_rule_is_broken(**drawn):
    """
    For each member the frame says what planning one by one says, in any row order.

    And no plan breaks a cap, a window or an opt-out, by a count of its own. It makes
    no difference how the ids are stored, and a stranger's visits are all suppressed.
    """
    weigh(**drawn)


@pytest.mark.nightly
@settings(max_examples=500)
@given(**DRAWN)
def test_frame_equals_scalar_at_length(**drawn):
    """The same for many more members."""
    weigh(**drawn)


def weigh(*, facts, standings, made, caps, rest, seed, stored):
    """Compare the frame with planning one by one, and both with the rules."""
    policy = VisitPolicy(
        contact=ContactPolicy(caps=caps),
        rest=RestDays(weekdays=(6, 7)) if rest else None,
    )
    told, members, contacts = frames(facts, standings, made)
    # Some plans begin after visits that are late and still in time.
    period = Period.span(dt.date(2026, 11, 1 + seed % 9), NOVEMBER.through)
    options = {"period": period, "as_of": dt.date(2026, 11, 4), "policy": policy}
    ids = ["member_id", "fact_id", "store_id"]
    told = told.astype(dict.fromkeys(ids, stored))

    rows = plan_visits(told, members, contacts=contacts, **options).rows
    shuffled = plan_visits(
        told.sample(frac=1, random_state=seed),
        members.sample(frac=1, random_state=seed),
        contacts=contacts.sample(frac=1, random_state=seed),
        **options,
    ).rows
    again = plan_visits(told, members, contacts=contacts, planned=rows, **options).rows

    pd.testing.assert_frame_equal(rows, shuffled)
    assert again.empty
    strangers = rows[rows["member_id"] == "M7"]
    assert set(strangers["cause"]) <= {"unknown_member"}
    assert set(rows[rows["cause"] == "unknown_member"]["member_id"]) <= {"M7"}
    for number, standing in enumerate(standings, 1):
        store, zone, store_zone, premium, through, flags = standing
        name = f"M{number}"
        mine = [
            VisitFact(member_id=m, trigger=t, on=on, fact_id=f, store_id=s)
            for m, t, on, f, s in facts
            if m == name
        ]
        days = [ContactDay(on, c) for m, on, c in made if m == name]
        visits = plan_member(
            mine,
            standing=Standing(member_id=name, store_id=store, zone=zone,
                              store_zone=store_zone, premium=premium,
                              valid_through=through, flags=flags),
            contacts=days,
            **options,
        )  # fmt: skip
        expected = {
            v.visit_id: (v.rule, v.store_id, v.due_on, v.last_on, v.day, v.windows,
                         v.state.value, v.cause, v.explain("en"), v.explain("zh"))
            for v in visits
        }  # fmt: skip
        own = rows[rows["member_id"] == name]
        found = {
            r.visit_id: (r.rule, r.store_id, r.due_on.date(), r.last_on.date(),
                         None if pd.isna(r.day) else r.day.date(), r.windows,
                         r.state, r.cause, r.reason_en, r.reason_zh)
            for r in own.itertuples()
        }  # fmt: skip
        assert found == expected
        live = [v for v in visits if v.live]
        assert not (flags & {"opted_out"} and live)
        for flag, channel in (("opted_out_sms", "sms"), ("opted_out_phone", "phone")):
            assert not any(v.channel == channel for v in live if flag in flags)
        for visit in live:
            assert visit.windows
            assert options["as_of"] <= visit.day <= visit.last_on
            assert visit.day >= visit.due_on
            kept = [(v.day, v.channel) for v in live]
            for cap in caps:
                if cap.counts(visit.channel):
                    before = [c.on for c in days if cap.counts(c.channel)]
                    planned = [d for d, c in kept if cap.counts(c)]
                    assert_within(cap, visit.day, before, planned)


def assert_within(cap, day, before, planned):
    """Count the fullest window that holds *day*; contacts made are not to blame."""
    every = Counter([*before, *planned])
    if cap.window == "day":
        total = every[day]
    elif cap.window == "week":
        week = day.isocalendar()[:2]
        total = sum(n for d, n in every.items() if d.isocalendar()[:2] == week)
    else:
        span = -(-cap.hours // 24)
        total = max(
            sum(n for d, n in every.items() if 0 <= (d - start).days <= span)
            for start in (day - n * DAY for n in range(span + 1))
        )
    assert total <= cap.most


def crowd(number, trigger="last_purchase", on="2026-08-15"):
    """Make members with one fact each, in two stores."""
    names = [f"M{n:03}" for n in range(number)]
    stores = [f"S{n % 2 + 1}" for n in range(number)]
    facts = pd.DataFrame({"member_id": names, "trigger": trigger})
    facts["on"] = column([on] * number)
    return facts, pd.DataFrame({"member_id": names, "store_id": stores})


def test_capacity_is_never_broken_and_shared_out_evenly():
    """Two people with 3 calls each: 6 a day, 3 for each, the rest on later days."""
    facts, members = crowd(50)
    staffing = Staffing(staff={"S1": ["A", "B"]}, visits_each=3)

    rows = plan_visits(
        facts, members, period=NOVEMBER, as_of=AS_OF, staffing=staffing
    ).rows

    first = rows[rows["store_id"] == "S1"]
    assert first.groupby("day").size().tolist() == [6, 6, 6, 6, 1]
    assert set(first.groupby(["day", "staff_id"]).size()) == {3, 1}
    assert set(first[first["day"] > first["due_on"]]["cause"]) == {"capacity"}
    second = rows[rows["store_id"] == "S2"]
    assert set(second["day"]) == {pd.Timestamp("2026-11-15")}
    assert set(second["staff_id"]) == {""}


def test_what_capacity_cannot_hold_is_dropped_with_its_reason():
    """Nothing is lost: planned and dropped together are all that was asked for."""
    facts, members = crowd(50)
    staffing = Staffing(staff={"S1": ["A"], "S2": []}, visits_each=1)

    rows = plan_visits(
        facts, members, period=NOVEMBER, as_of=AS_OF, staffing=staffing
    ).rows

    by = rows.groupby(["store_id", "state"]).size().to_dict()
    assert len(rows) == 50
    assert by == {
        ("S1", "planned"): 1,
        ("S1", "moved"): 14,
        ("S1", "dropped"): 10,
        ("S2", "dropped"): 25,
    }


def test_the_staff_go_first_to_what_matters_more():
    """One call a day: the callback has it, the win-back of another member moves."""
    facts = pd.DataFrame({"member_id": ["M1", "M2"],
                          "trigger": ["last_purchase", "complaint"]})  # fmt: skip
    facts["on"] = column(["2026-08-15", "2026-11-15"])
    members = pd.DataFrame({"member_id": ["M1", "M2"], "store_id": "hq"})
    staffing = Staffing(staff={"hq": ["A"]}, visits_each=1)

    rows = plan_visits(facts, members, period=NOVEMBER, as_of=dt.date(2026, 11, 15),
                       staffing=staffing).rows.set_index("member_id")  # fmt: skip

    assert rows.loc["M2", "day"] == pd.Timestamp("2026-11-15")
    assert rows.loc["M1", "day"] == pd.Timestamp("2026-11-16")


def test_earlier_plans_take_staff_and_days():
    """A second plan of other members finds the staff of the first one busy."""
    facts, members = crowd(12)
    staffing = Staffing(staff={"S1": ["A", "B"], "S2": ["C"]}, visits_each=3)
    options = {"period": NOVEMBER, "as_of": AS_OF, "staffing": staffing}
    half = facts.iloc[:6]

    first = plan_visits(half, members, **options).rows
    second = plan_visits(facts, members, planned=first, **options).rows

    both = pd.concat([first, second])
    assert len(both) == 12
    assert both["visit_id"].is_unique
    counts = both.groupby(["store_id", "day"]).size()
    assert counts.max() <= 6
    assert counts.loc["S2"].tolist() == [3, 3]


def test_other_engines_and_empty_frames():
    """Polars frames give the same plan; no facts give no rows, with all columns."""
    facts, members = crowd(5)
    options = {"period": NOVEMBER, "as_of": AS_OF}
    rows = plan_visits(facts, members, **options).rows

    other = plan_visits(pl.from_pandas(facts), pl.from_pandas(members), **options).rows
    none = plan_visits(facts.iloc[:0], members, **options).rows

    pd.testing.assert_frame_equal(rows, other)
    assert none.empty
    assert list(none.columns) == list(rows.columns)
    assert none.dtypes.tolist() == rows.dtypes.tolist()


def test_bad_facts_are_told_and_nothing_is_lost():
    """Gaps, unknown triggers and members are findings or rows with a cause."""
    facts = pd.DataFrame({
        "member_id": ["M1", None, "M2", "M7"],
        "trigger": ["promotion", "promotion", "promotoin", "promotion"],
    })  # fmt: skip
    facts["on"] = column(["2026-11-11"] * 4)
    members = pd.DataFrame({"member_id": ["M1", "M1", "M2"],
                            "opted_out": [False, True, False]})  # fmt: skip

    plan_ = plan_visits(facts, members, period=NOVEMBER, as_of=AS_OF)

    assert [(f.rule, f.count) for f in plan_.findings] == [
        ("fact-incomplete", 1),
        ("trigger-unknown", 1),
        ("member-twice", 2),
    ]
    causes = plan_.rows.set_index("member_id")["cause"].to_dict()
    assert causes == {"M1": "opted_out", "M7": "unknown_member"}
    assert "M1" not in repr(plan_)


def test_wrong_use_is_refused():
    """Zoned days, numbers as ids, missing columns, other members, long periods."""
    facts, members = crowd(2)
    options = {"period": NOVEMBER, "as_of": AS_OF}
    zoned = facts.assign(on=facts["on"].dt.tz_localize("UTC"))
    with pytest.raises(ColumnTypeError, match="without zone"):
        plan_visits(zoned, members, **options)
    with pytest.raises(ColumnTypeError, match="ids are text"):
        plan_visits(facts.assign(member_id=np.arange(2)), members, **options)
    with pytest.raises(MissingColumnsError, match="trigger"):
        plan_visits(facts.drop(columns="trigger"), members, **options)
    with pytest.raises(InvalidValueError, match="another member"):
        plan(fact("purchase", "2026-10-12", member_id="M2"))
    with pytest.raises(InvalidValueError, match="month by month"):
        plan(period=Period.span(dt.date(2026, 1, 1), dt.date(2028, 1, 1)))
    with pytest.raises(InvalidValueError, match="Period"):
        plan(period="2026-11")
    with pytest.raises(InvalidValueError, match="name of its own"):
        VisitPolicy(rules=[RULES["thanks"], RULES["thanks"]])
    with pytest.raises(InvalidValueError, match="did you mean 'store'"):
        CadenceRule(name="x", kind="care", trigger="x", channel="sms", by="stroe",
                    priority=1, name_en="x", name_zh="x")  # fmt: skip


def test_ids_that_begin_alike_are_told_apart():
    """Visits are ordered by all of their ids, and each is taken once."""
    rules = VisitPolicy().rules[:1]
    keys = np.array(
        [(2**63 + 5, 9), (2**63 + 4, 7), (2**63 + 5, 2), (2**63 + 4, 7), (1, 1)],
        dtype=[("high", ">u8"), ("low", ">u2")],
    )
    store = np.array([0, 1, 0, 0, 0])

    order = by_importance(
        keys, np.zeros(5, np.int16), np.full(5, 20_000), store,
        VisitPolicy(rules=rules),
    )  # fmt: skip

    assert order.tolist() == [4, 3, 2, 0]


def test_every_rule_speaks_both_languages():
    """No line of the table lacks a name in either language."""
    for rule in DEFAULT_CADENCE:
        assert rule.name_en
        assert rule.name_zh
