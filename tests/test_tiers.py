"""Tiers: up at once, down by review, never by a hidden floor, and what is missing."""

import datetime as dt
import json

import attrs
import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import AllOf, AnyOf, AtLeast
from memberops.policies.tier_levels import HeldTier, ManualTier, Tier
from memberops.policies.tiers import TierPolicy

LEVELS = (
    Tier("regular", name_zh="普通会员"),
    Tier("vip", AnyOf(AtLeast("spend", 5000), AtLeast("purchases", 12)),
         name_zh="贵宾", services=("own contact",)),
    Tier("senior_vip", AllOf(AtLeast("spend", 20000), AtLeast("active_days", 6)),
         name_zh="高级贵宾"),
)  # fmt: skip
TIERS = TierPolicy(levels=LEVELS)
NOVEMBER = dt.date(2026, 11, 5)
NOTHING = {"spend": 0, "purchases": 0, "active_days": 0}
VIP = {"spend": "5000.00", "purchases": 4, "active_days": 4}
SENIOR = {"spend": 20000, "purchases": 9, "active_days": 6}


def held(level="vip", since=dt.date(2026, 3, 1), **more):
    """Make a level that a member holds."""
    return HeldTier(level=level, since=since, **more)


def test_the_highest_level_that_is_earned():
    """Each rule is weighed on its own; the highest that holds wins."""
    for figures, level in ((NOTHING, "regular"), (VIP, "vip"), (SENIOR, "senior_vip")):
        answer = TIERS.decide(None, as_of=NOVEMBER, **figures)
        assert (answer.outcome, answer.change) == (level, "new")
    unknown = {"spend": None, "purchases": 12, "active_days": None}
    assert TIERS.decide(None, as_of=NOVEMBER, **unknown).outcome == "vip"


@pytest.mark.parametrize("case_id", ["TIER-1", "TIER-3", "TIER-5", "TIER-6"])
def test_peer_cases(shared, case_id):
    """ERPNext's tiers by spend in the window, this purchase included, are ours."""
    cases = json.loads((shared / "cases" / "peer_cases.json").read_text("utf-8"))
    case = next(each for each in cases["cases"] if each["id"] == case_id)
    facts = case["input"]
    levels = [
        Tier(name, AtLeast("spend", least) if least else None)
        for name, least in facts["thresholds"].items()
    ]
    policy = TierPolicy(levels=levels, window="lifetime")
    spend = facts["total_spent"] + facts["this_txn"]
    assert policy.decide(None, spend=spend, as_of=NOVEMBER).outcome == case["expect"]
    frame = pd.DataFrame({"spend": [spend * 100]})
    decided = policy.decide_frame(frame, as_of=NOVEMBER)
    assert decided["tier"].tolist() == [case["expect"]]


def test_up_at_once():
    """A higher level is given on the day on which it is earned."""
    answer = TIERS.decide(held("regular"), as_of=NOVEMBER, **SENIOR)
    assert (answer.outcome, answer.change) == ("senior_vip", "up")
    assert answer.held == held("senior_vip", since=NOVEMBER)


def test_down_only_at_the_review():
    """A level that is not earned any more stays until the review, and then falls."""
    eve = TIERS.decide(held(), as_of=dt.date(2026, 12, 30), **NOTHING)
    assert (eve.outcome, eve.change) == ("vip", "kept")
    assert eve.changes_on == eve.next_review == dt.date(2026, 12, 31)
    day = TIERS.decide(eve.held, as_of=dt.date(2026, 12, 31), **NOTHING)
    assert (day.outcome, day.change, day.changes_on) == ("regular", "down", None)
    assert "复核后降为普通会员" in day.explain("zh")
    missed = TIERS.decide(eve.held, as_of=dt.date(2027, 2, 1), **NOTHING)
    assert missed.change == "down"


def test_a_review_that_is_passed_counts_once():
    """Who still earns the level at the review keeps it until the next one."""
    review = dt.date(2026, 12, 31)
    passed = TIERS.decide(held(), as_of=review, **VIP)
    assert (passed.change, passed.held.reviewed_on) == ("kept", review)
    assert passed.held.since == dt.date(2026, 3, 1)
    later = TIERS.decide(passed.held, as_of=dt.date(2027, 1, 1), **NOTHING)
    assert (later.outcome, later.next_review) == ("vip", dt.date(2027, 12, 31))


def test_downgrade_none_and_every():
    """Never, or every N days since the level was reached or reviewed."""
    never = attrs.evolve(TIERS, downgrade="none")
    answer = never.decide(held(), as_of=dt.date(2036, 1, 1), **NOTHING)
    assert (answer.outcome, answer.next_review) == ("vip", None)
    every = attrs.evolve(TIERS, downgrade="every", every_days=90)
    begun = held(since=dt.date(2026, 3, 1))
    before = every.decide(begun, as_of=dt.date(2026, 5, 29), **NOTHING)
    assert (before.outcome, before.next_review) == ("vip", dt.date(2026, 5, 30))
    on = every.decide(begun, as_of=dt.date(2026, 5, 30), **NOTHING)
    assert (on.outcome, on.change) == ("regular", "down")


def test_a_fall_is_to_what_is_earned_and_never_below_the_floor():
    """A review gives the level that is earned now; a floor that was given holds."""
    review = dt.date(2026, 12, 31)
    assert TIERS.decide(held("senior_vip"), as_of=review, **VIP).outcome == "vip"
    floored = held("senior_vip", floor="vip")
    answer = TIERS.decide(floored, as_of=review, **NOTHING)
    assert (answer.outcome, answer.held.floor) == ("vip", "vip")
    assert answer.next_review is None
    assert "不低于此等级" in answer.explain("zh")


def test_open_loyalty_74_a_manual_level_is_no_silent_floor():
    """A level set by hand ends with its last day, and nothing of it stays behind."""
    manual = ManualTier(
        level="senior_vip", since=dt.date(2026, 11, 1), until=dt.date(2026, 11, 30),
        reason="compensation", actor="staff-7",
    )  # fmt: skip
    answer = TIERS.decide(held("regular"), as_of=NOVEMBER, manual=manual, **NOTHING)
    assert (answer.outcome, answer.change) == ("senior_vip", "manual")
    assert answer.held == held("regular")
    assert answer.changes_on == dt.date(2026, 12, 1)
    assert "人工设定，至 2026-11-30" in answer.explain("zh")
    last = TIERS.decide(
        answer.held, as_of=dt.date(2026, 11, 30), manual=manual, **NOTHING
    )
    assert last.outcome == "senior_vip"
    over = TIERS.decide(
        answer.held, as_of=dt.date(2026, 12, 1), manual=manual, **NOTHING
    )
    assert (over.outcome, over.change) == ("regular", "kept")
    early = TIERS.decide(
        held("regular"), as_of=dt.date(2026, 10, 31), manual=manual, **NOTHING
    )
    assert (early.outcome, early.changes_on) == ("regular", dt.date(2026, 11, 1))


def test_a_manual_level_is_exact_unless_it_is_a_floor():
    """By hand a level can be low too; as a floor it lets a higher one through."""
    low = ManualTier(level="vip", since=NOVEMBER, reason="abuse", actor="staff-7")
    answer = TIERS.decide(None, as_of=NOVEMBER, manual=low, **SENIOR)
    assert (answer.outcome, answer.held.level) == ("vip", "senior_vip")
    floor = attrs.evolve(low, floor=True)
    assert (
        TIERS.decide(None, as_of=NOVEMBER, manual=floor, **SENIOR).outcome
        == "senior_vip"
    )
    assert TIERS.decide(None, as_of=NOVEMBER, manual=floor, **NOTHING).outcome == "vip"


def test_what_is_needed_to_reach_each_level():
    """For each higher level the answer has what is missing, with figures."""
    answer = TIERS.decide(
        None, as_of=NOVEMBER, spend="4200", purchases=9, active_days=7
    )
    vip, senior = answer.to_reach
    assert (vip.level, senior.level) == ("vip", "senior_vip")
    assert vip.text("zh") == "还差 800.00 元或 3 次消费"
    assert vip.text("en") == "800.00 more, or 3 more purchases"
    assert senior.text("zh") == "还差 15,800.00 元"
    assert "下一等级：还差 800.00 元或 3 次消费" in answer.explain("zh")
    year = attrs.evolve(TIERS, window="calendar_year")
    found = year.decide(None, as_of=NOVEMBER, **NOTHING).to_reach[0]
    assert found.until == dt.date(2026, 12, 31)
    assert found.text("zh").endswith("（截至 2026-12-31）")
    top = TIERS.decide(None, as_of=NOVEMBER, **SENIOR)
    assert top.to_reach == ()


def test_what_is_needed_to_keep_a_level():
    """The figures of the review's window say what is missing until the review."""
    answer = TIERS.decide(
        held(), as_of=NOVEMBER, at_review={"spend": "4770.00", "purchases": 9}, **VIP
    )
    assert answer.to_keep.text("zh") == ("还差 230.00 元或 3 次消费（截至 2026-12-31）")
    assert answer.to_keep.text("en").endswith("(until 2026-12-31)")
    # The rolling window of the review is another one: nothing is made up.
    assert TIERS.decide(held(), as_of=NOVEMBER, **VIP).to_keep is None
    assert TIERS.decide(held("regular"), as_of=NOVEMBER, **NOTHING).to_keep is None
    year = attrs.evolve(TIERS, window="calendar_year")
    assert year.decide(held(), as_of=NOVEMBER, **VIP).to_keep.met
    spring = attrs.evolve(year, reviews=((3, 31),))
    assert spring.decide(held(), as_of=NOVEMBER, **VIP).to_keep is None


def test_the_windows():
    """Twelve months up to the day, the calendar year, or everything; ends included."""
    assert TIERS.period(NOVEMBER).label == "2025-11-06..2026-11-05"
    leap = TIERS.period(dt.date(2028, 2, 29))
    assert (leap.start, leap.through) == (dt.date(2027, 3, 1), dt.date(2028, 2, 29))
    year = attrs.evolve(TIERS, window="calendar_year").period(NOVEMBER)
    assert (year.start, year.through) == (dt.date(2026, 1, 1), NOVEMBER)


def test_the_figures_of_the_window():
    """Net spend, purchases above zero, days with one, and members brought in."""
    tickets = pd.DataFrame(
        [("M1", "2025-11-05", 90000), ("M1", "2025-11-06", 50000),
         ("M1", "2026-11-05", 30000), ("M1", "2026-11-05", 10000),
         ("M1", "2026-11-05", -500), ("M1", "2026-11-06", 70000),
         ("M2", "2026-01-01", 0)],
        columns=["member_id", "sold_on", "amount"],
    )  # fmt: skip
    tickets["sold_on"] = pd.to_datetime(tickets["sold_on"])
    members = pd.DataFrame(
        {
            "member_id": ["M1", "M2", "M3", "M4"],
            "referrer_id": ["M1", "M1", "M1", None],
            "joined_on": pd.to_datetime(
                ["2026-01-01", "2026-11-05", "2025-11-05", None]
            ),
        }
    )
    expected = [
        ["M1", 89500, 3, 2, 20261105, 1],
        ["M2", 0, 0, 0, 0, 0],
        ["M3", 0, 0, 0, 0, 0],
        ["M4", 0, 0, 0, 0, 0],
    ]
    columns = ["member_id", "spend", "purchases", "active_days", "last_purchase",
               "referrals"]  # fmt: skip
    connection = duckdb.connect()
    for make in (
        lambda frame: frame,
        pl.from_pandas,
        lambda frame: pl.from_pandas(frame).lazy(),
        lambda frame: pl.from_pandas(frame).to_arrow(),
        lambda frame: connection.from_arrow(pl.from_pandas(frame).to_arrow()),
    ):
        counted = TIERS.figures(make(tickets), make(members), as_of=NOVEMBER)
        frame = nw.from_native(counted)
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        rows = zip(*(frame[name].to_list() for name in columns), strict=True)
        assert sorted(list(row) for row in rows) == expected


names = st.sampled_from([None, "regular", "vip", "senior_vip"])
days = st.dates(dt.date(2025, 1, 1), dt.date(2026, 11, 5))
rows_ = st.fixed_dictionaries(
    {
        "spend": st.sampled_from([None, 0, 499_999, 500_000, 1_999_999, 2_000_000]),
        "purchases": st.sampled_from([None, 0, 11, 12]),
        "active_days": st.sampled_from([None, 5, 6]),
        "level": names,
        "since": days,
        "reviewed_after": st.none() | st.integers(0, 400),
        "floor": names,
        "manual_level": names,
        "manual_since": days,
        "manual_days": st.none() | st.integers(0, 700),
        "manual_floor": st.booleans(),
    }
)
policies = st.builds(
    TierPolicy,
    levels=st.just(LEVELS),
    downgrade=st.sampled_from(["none", "at_review", "every"]),
    reviews=st.sampled_from([((12, 31),), ((6, 30), (11, 5))]),
    every_days=st.integers(1, 500),
)
ENGINES = ("pandas", "polars", "polars-lazy", "duckdb", "pyarrow")


def in_engine(rows, engine):
    """Bring rows of held levels into an engine, gaps staying gaps."""
    whole, text, day = pl.Int64, pl.String, pl.Date
    schema = {
        "row": whole, "spend": whole, "purchases": whole, "active_days": whole,
        "level": text, "since": day, "reviewed_on": day, "floor": text,
        "manual_level": text, "manual_since": day, "manual_until": day,
        "manual_floor": pl.Boolean,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema)
    if engine == "pandas":
        result = frame.to_pandas()
        for name in ("spend", "purchases", "active_days"):
            result[name] = frame[name].to_pandas().astype("Int64")
        for name in ("since", "reviewed_on", "manual_since", "manual_until"):
            result[name] = result[name].astype("datetime64[us]")
        return result
    if engine == "polars-lazy":
        return frame.lazy()
    if engine == "duckdb":
        return duckdb.connect().from_arrow(frame.to_arrow())
    return frame.to_arrow() if engine == "pyarrow" else frame


@examples(1 / 3)
@given(policies, st.lists(rows_, min_size=5, max_size=25), st.sampled_from(ENGINES))
def test_the_frame_is_the_single_answer(policy, drawn, engine):
    """On each engine, row by row, a frame says what the single decision says."""
    rows, expected = [], []
    for at, each in enumerate(drawn):
        row = {"row": at, **each}
        after, length = row.pop("reviewed_after"), row.pop("manual_days")
        since, begins = row["since"], row["manual_since"]
        row["reviewed_on"] = after and min(since + dt.timedelta(after), NOVEMBER)
        row["manual_until"] = length and begins + dt.timedelta(length)
        rows.append(row)
        holds = None
        if row["level"] is not None:
            holds = HeldTier(
                level=row["level"], since=since, reviewed_on=row["reviewed_on"] or None,
                floor=row["floor"],
            )  # fmt: skip
        else:
            row["floor"] = None
        hand = None
        if row["manual_level"] is not None:
            hand = ManualTier(
                level=row["manual_level"], since=begins, reason="x", actor="y",
                until=row["manual_until"] or None, floor=row["manual_floor"],
            )  # fmt: skip
        row["reviewed_on"] = row["reviewed_on"] or None
        row["manual_until"] = row["manual_until"] or None
        spend = None if row["spend"] is None else f"{row['spend'] / 100:.2f}"
        answer = policy.decide(
            holds, as_of=NOVEMBER, manual=hand, spend=spend,
            purchases=row["purchases"], active_days=row["active_days"],
        )  # fmt: skip
        above = answer.to_reach[0].level if answer.to_reach else ""
        expected.append(
            (at, answer.outcome, answer.change, answer.earned, answer.held.level, above)
        )
    decided = nw.from_native(
        policy.decide_frame(in_engine(rows, engine), as_of=NOVEMBER)
    )
    decided = decided.collect() if isinstance(decided, nw.LazyFrame) else decided
    columns = ("row", "tier", "change", "tier_earned", "tier_held", "next_tier")
    found = zip(*(decided[name].to_list() for name in columns), strict=True)
    assert sorted(found) == expected


def test_the_frame_has_what_is_missing_to_the_next_level():
    """Each figure's own distance to the next level; money stays whole."""
    frame = pd.DataFrame(
        {
            "spend": [420000, 600000, 2000000],
            "purchases": [9, 0, 0],
            "active_days": [1, 7, 6],
        }
    )
    decided = TIERS.decide_frame(frame, as_of=NOVEMBER)
    assert decided["tier"].tolist() == ["regular", "vip", "senior_vip"]
    assert decided["missing_spend"].tolist() == [80000, 1400000, 0]
    assert decided["missing_purchases"].tolist() == [3, 0, 0]
    assert decided["missing_active_days"].tolist() == [0, 0, 0]
    assert decided["missing_spend"].dtype == "int64"


def test_bad_rows_are_named_in_the_frame():
    """A level that is none, or one without a day, is data: it is told, not raised."""
    frame = pd.DataFrame(
        {
            "spend": [0, 0], "purchases": [0, 0], "active_days": [0, 0],
            "level": ["gold", "vip"],
            "since": pd.to_datetime(["2020-01-01", None]),
        }
    )  # fmt: skip
    decided = TIERS.decide_frame(frame, as_of=NOVEMBER)
    assert decided["change"].tolist() == ["unknown_level", "kept"]
    assert decided["tier"].tolist() == ["regular", "vip"]


def test_a_level_reached_on_the_review_day_is_not_reviewed_that_day():
    """The day before the review is due, the day itself is not, in both readings."""
    review = dt.date(2026, 12, 31)
    days = [dt.date(2026, 12, 30), review]
    frame = pd.DataFrame(
        {
            "spend": [0, 0], "purchases": [0, 0], "active_days": [0, 0],
            "level": ["vip", "vip"], "since": pd.to_datetime(days),
        }
    )  # fmt: skip
    decided = TIERS.decide_frame(frame, as_of=review)
    assert decided["change"].tolist() == ["down", "kept"]
    assert decided["tier_due"].tolist() == [True, False]
    single = [TIERS.decide(held(since=d), as_of=review, **NOTHING) for d in days]
    assert [answer.change for answer in single] == ["down", "kept"]


def test_wrong_use_is_refused():
    """Levels, reviews, figures and days that cannot be are refused with a hint."""
    with pytest.raises(InvalidValueError, match="lowest level has no rule"):
        TierPolicy(levels=(Tier("vip", AtLeast("spend", 1)),))
    with pytest.raises(InvalidValueError, match="each other level has one"):
        TierPolicy(levels=(Tier("regular"), Tier("vip")))
    with pytest.raises(InvalidValueError, match="one name"):
        TierPolicy(levels=(Tier("a"), Tier("a", AtLeast("spend", 1))))
    with pytest.raises(InvalidValueError, match="from the lowest"):
        TierPolicy(levels=())
    with pytest.raises(InvalidValueError, match="days that each year has"):
        attrs.evolve(TIERS, reviews=((2, 29),))
    with pytest.raises(InvalidValueError, match="at_review"):
        attrs.evolve(TIERS, reviews=())
    with pytest.raises(InvalidValueError, match="did you mean 'every'"):
        attrs.evolve(TIERS, downgrade="evry")
    with pytest.raises(InvalidValueError, match="1 or more"):
        attrs.evolve(TIERS, every_days=0)
    with pytest.raises(InvalidValueError, match="did you mean 'vip'"):
        TIERS.decide(held("vipp"), as_of=NOVEMBER, **VIP)
    with pytest.raises(InvalidValueError, match="ask for a later day"):
        TIERS.decide(held(), as_of=dt.date(2026, 1, 1), **VIP)
    with pytest.raises(InvalidValueError, match="know no figure 'points'"):
        TIERS.decide(None, as_of=NOVEMBER, **VIP, points=3)
    with pytest.raises(InvalidValueError, match="a float cannot be money"):
        TIERS.decide(None, as_of=NOVEMBER, **{**VIP, "spend": 1.5})
    with pytest.raises(InvalidValueError, match="before it begins"):
        ManualTier(level="vip", since=NOVEMBER, until=dt.date(2026, 1, 1),
                   reason="x", actor="y")  # fmt: skip
    frame = pd.DataFrame({"spend": [0], "purchases": [0], "active_days": [0]})
    with pytest.raises(MissingColumnsError, match="since"):
        TIERS.decide_frame(frame.assign(level="vip"), as_of=NOVEMBER)
    with pytest.raises(FrameError, match="already has"):
        TIERS.decide_frame(frame.assign(tier="vip"), as_of=NOVEMBER)
    with pytest.raises(ColumnTypeError, match="true or false"):
        TIERS.decide_frame(frame.assign(manual_floor="yes"), as_of=NOVEMBER)
