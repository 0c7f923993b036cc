"""Premium members, and the check of the stores' lists of them (HQ §6.3.3.4)."""

import datetime as dt

import attrs
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops import Period
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.premium import FORM_COLUMNS, PremiumPolicy
from memberops.policies.submissions import check_submissions

TODAY = dt.date(2026, 11, 1)
POLICY = PremiumPolicy()
COLUMNS = ["store_id", "member_id", "spend", "purchases", "referrals",
           "last_purchase_on"]  # fmt: skip


def decided(spend="0", purchases=0, referrals=0, last=dt.date(2026, 10, 20), **more):
    """Decide for one member."""
    return attrs.evolve(POLICY, **more).decide(
        spend=spend, purchases=purchases, referrals=referrals, last_purchase_on=last,
        as_of=TODAY,
    )  # fmt: skip


def people(rows):
    """Make a frame of members with figures."""
    frame = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("spend", "purchases", "referrals"):
        frame[name] = frame[name].astype("Int64")
    frame["last_purchase_on"] = frame["last_purchase_on"].astype("datetime64[us]")
    return frame


def test_each_aspect_has_its_points():
    """A step reached gives its weight; the step itself is reached."""
    for facts, points in (
        ({"spend": "2999.99"}, 0),
        ({"spend": "3000.00"}, 2),
        ({"spend": "15000"}, 6),
        ({"purchases": 9}, 3),
        ({"referrals": 4}, 2),
        ({"spend": "8000", "purchases": 3, "referrals": 1}, 6),
    ):
        answer = decided(**facts)
        told = sum(int(dict(r.figures)["points"]) for r in answer.reasons)
        assert told == points
        assert answer.outcome == ("premium" if points >= 5 else "not_premium")


def test_a_lapsed_member_has_no_repeat_potential():
    """Three months without a purchase: what was bought before promises nothing."""
    facts = {"spend": "3000", "purchases": 9}
    last = dt.date(2026, 8, 2)
    assert decided(**facts, last=last).outcome == "premium"
    assert decided(**facts, last=last).changes_on == dt.date(2026, 11, 2)
    assert decided(**facts, last=dt.date(2026, 8, 1)).outcome == "not_premium"
    assert decided(**facts, last=None).outcome == "not_premium"
    assert decided(spend="15000", purchases=9).changes_on is None


def test_unknown_gives_no_point():
    """Where the source has no referrals they are unknown, never counted."""
    answer = decided(spend="8000", purchases=3, referrals=None)
    assert answer.outcome == "premium"
    assert dict(answer.reasons[2].figures)["have"] == "unknown"


rows_ = st.tuples(
    st.sampled_from(["S1", "S2"]),
    st.sampled_from([None, 0, 299_999, 300_000, 800_000, 1_500_000]),
    st.sampled_from([None, 0, 2, 3, 6, 9, 100]),
    st.sampled_from([None, 0, 1, 3, 5]),
    st.none() | st.dates(dt.date(2026, 7, 25), TODAY),
)


@examples(1 / 2)
@given(st.lists(rows_, max_size=20), st.booleans())
def test_the_list_is_the_single_answer(drawn, in_polars):
    """The list has exactly the members whom the single decision calls premium."""
    rows = [(store, f"M{at:02}", *rest) for at, (store, *rest) in enumerate(drawn)]
    expected = set()
    for _, member, spend, purchases, referrals, last in rows:
        answer = POLICY.decide(
            spend=None if spend is None else f"{spend // 100}.{spend % 100:02}",
            purchases=purchases, referrals=referrals, last_purchase_on=last,
            as_of=TODAY,
        )  # fmt: skip
        if answer.outcome == "premium":
            points = sum(int(dict(r.figures)["points"]) for r in answer.reasons)
            expected.add((member, points))
    frame = people(rows)
    chosen = POLICY.select(pl.from_pandas(frame) if in_polars else frame, as_of=TODAY)
    assert set(zip(chosen["member_id"], chosen["points"], strict=True)) == expected
    again = POLICY.select(frame.iloc[::-1], as_of=TODAY)
    pd.testing.assert_frame_equal(again, chosen, check_dtype=False)


def test_ties_are_in_a_stated_order():
    """Equal points go by spend, purchases, referrals, last purchase, member id."""
    day, before = dt.date(2026, 10, 20), dt.date(2026, 10, 19)
    frame = people(
        [
            ("S1", "M5", 800_000, 3, 0, before),
            ("S1", "M4", 800_000, 3, 0, day),
            ("S1", "M3", 800_000, 3, 0, day),
            ("S1", "M2", 800_000, 4, 0, before),
            ("S1", "M1", 800_001, 3, 0, before),
            ("S2", "M6", 800_000, 3, 0, day),
        ]
    )
    chosen = POLICY.select(frame, as_of=TODAY)
    assert chosen["member_id"].tolist() == ["M1", "M2", "M3", "M4", "M5", "M6"]
    assert chosen["rank"].tolist() == [1, 2, 3, 4, 5, 1]
    few = attrs.evolve(POLICY, per_store=2).select(frame, as_of=TODAY)
    assert few["member_id"].tolist() == ["M1", "M2", "M6"]


def test_the_list_has_the_columns_of_the_form():
    """The columns are those of 优质会员消费情况汇总表, in its order."""
    frame = people([("S1", "M1", 1_500_000, 9, 5, dt.date(2026, 10, 20))]).assign(
        tier="vip", next_visit_on=pd.Timestamp(2026, 11, 9), shoe_size=38
    )
    chosen = POLICY.select(frame, as_of=TODAY)
    assert chosen.columns.tolist() == [*FORM_COLUMNS, "points", "rank"]
    assert FORM_COLUMNS == (
        "store_id", "member_id", "tier", "spend", "purchases", "last_purchase_on",
        "referrals", "next_visit_on",
    )  # fmt: skip


def test_wrong_use_is_refused():
    """Steps that do not rise, fractions, and days that are none."""
    for steps in ((), (0, 1), (3, 3), (5, 3), (1.5,), (True,)):
        with pytest.raises(InvalidValueError, match="that rise"):
            PremiumPolicy(spend_steps=steps)
    with pytest.raises(InvalidValueError, match="1 to 28"):
        PremiumPolicy(due_day=29)
    with pytest.raises(InvalidValueError, match="float"):
        decided(spend=1.5)
    with pytest.raises(InvalidValueError, match="without time"):
        decided(last=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - a naive one is the point
    frame = people([("S1", "M1", 1, 1, 1, None)])
    with pytest.raises(MissingColumnsError, match="referrals"):
        POLICY.select(frame.drop(columns="referrals"), as_of=TODAY)
    with pytest.raises(ColumnTypeError, match="whole numbers"):
        POLICY.select(frame.assign(spend=[1.5]), as_of=TODAY)


STORES = pd.DataFrame({"store_id": ["S3", "S1", "S2", "S4"]})


def checked(as_of, **options):
    """Check the lists of November 2026: S1 in time, S2 late, S3 empty, S4 nothing."""
    submitted = pd.DataFrame(
        [("S1", "2026-11-03"), ("S2", "2026-11-04"), ("S2", "2026-11-06"),
         ("S3", "2026-11-01")],
        columns=["store_id", "submitted_on"],
    )  # fmt: skip
    submitted["submitted_on"] = pd.to_datetime(submitted["submitted_on"])
    lists = pd.DataFrame(
        [("S1", "M1", "vip", 500), ("S1", "M2", " ", 500), ("S2", None, None, None)],
        columns=["store_id", "member_id", "tier", "spend"],
    )
    given_ = {"required": ("member_id", "tier", "spend"), **options}
    month = given_.pop("month", Period.month(2026, 11))
    return check_submissions(
        submitted, lists, STORES, month=month, as_of=as_of, **given_
    )


def test_late_and_missing_stores_are_named():
    """Due by the 3rd: in time, late, missing, and awaited while there is time."""
    check = checked(dt.date(2026, 11, 6))
    assert check.due == dt.date(2026, 11, 3)
    assert (check.late, check.missing) == (("S2",), ("S4",))
    assert not check.complete
    table = check.stores.set_index("store_id")
    assert table["state"].to_dict() == {
        "S1": "on_time", "S2": "late", "S3": "on_time", "S4": "missing",
    }  # fmt: skip
    assert table["days_late"].to_dict() == {"S1": 0, "S2": 1, "S3": 0, "S4": 3}
    assert table["rows"].to_dict() == {"S1": 2, "S2": 1, "S3": 0, "S4": 0}
    assert table["incomplete_rows"].to_dict() == {"S1": 1, "S2": 1, "S3": 0, "S4": 0}
    early = checked(dt.date(2026, 11, 3)).stores.set_index("store_id")["state"]
    assert early.to_dict() == {
        "S1": "on_time", "S2": "awaited", "S3": "on_time", "S4": "awaited",
    }  # fmt: skip
    assert repr(check).startswith("SubmissionCheck(due=2026-11-03, ")


def test_incomplete_rows_are_named():
    """An incomplete row is named by store, place and fields in both languages."""
    rows = checked(dt.date(2026, 11, 6)).rows
    assert rows[["store_id", "row"]].to_numpy().tolist() == [["S1", 2], ["S2", 1]]
    assert rows["missing"].tolist() == ["tier", "member_id; tier; spend"]
    assert rows["missing_zh"].tolist() == ["会员等级", "会员编号、会员等级、消费金额"]
    assert rows["missing_en"].tolist()[1] == "member, tier, spend"


def test_a_check_needs_its_month_and_columns():
    """A week, a day that not each month has, or an absent column is refused."""
    with pytest.raises(InvalidValueError, match="calendar month"):
        checked(TODAY, month=Period.year(2026))
    with pytest.raises(InvalidValueError, match="1 to 28"):
        checked(TODAY, due_day=31)
    with pytest.raises(MissingColumnsError, match="next_visit_on"):
        checked(TODAY, required=("next_visit_on",))
