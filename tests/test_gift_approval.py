"""Promises about many answers to applications at once, and about reading them."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, GiftApplication, Money
from memberops.errors import (
    CurrencyMismatchError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import (
    ApprovalRight,
    Approver,
    GiftApprovalPolicy,
    read_applications,
    read_gifts,
)

DAY = dt.date(2026, 10, 1)
NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
YUAN = Currency("CNY")
PLACES = ("chain", "region:R1", "region:R2", "store:S1", "store:S2")
ROLES = ("manager", "head", "clerk")
RIGHTS = st.builds(
    lambda role, place, quantity, value: ApprovalRight(
        role=role,
        place=place,
        quantity=quantity,
        value=None if value is None else Money(value, YUAN),
    ),
    st.sampled_from(ROLES),
    st.sampled_from(PLACES),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(0, 90),
)
ROWS = st.tuples(
    st.sampled_from(["S1", "S2"]),
    st.sampled_from(["R1", "R2", None]),
    st.integers(1, 12),
    st.integers(-1, 13) | st.none(),
    st.sampled_from(["E1", "E2"]),
    st.sampled_from(["E1", "E2"]),
    st.sampled_from(ROLES),
    st.sampled_from(PLACES),
    st.none() | st.integers(0, 9),
)
NAMES = ["store_id", "region_id", "asked", "approved", "applied_by", "approver",
         "role", "place", "unit_value"]  # fmt: skip


@examples(1 / 2)
@given(
    st.lists(RIGHTS, min_size=1, max_size=6, unique_by=lambda r: (r.role, r.place)),
    st.lists(ROWS, max_size=8),
)
def test_the_frame_says_what_the_single_answer_says(rights, rows):
    """Outcome and unmet rules of every row are those of the one decision."""
    policy = GiftApprovalPolicy(rights=rights)
    frame = pd.DataFrame(rows, columns=NAMES, index=range(7, 7 + len(rows)))
    frame = frame.astype({"asked": "int64", "approved": "Int64", "unit_value": "Int64"})
    found = policy.decide_frame(frame, currency=YUAN)
    assert found.index.equals(frame.index)
    for row, outcome, unmet in zip(rows, found["outcome"], found["unmet"], strict=True):
        store, region, asked, approved, applicant, approver, role, place, unit = row
        application = GiftApplication(
            application_id="A", store_id=store, gift_id="CUP", asked=asked,
            purpose="promotion", applied_by=applicant, applied_at=NOON,
        )  # fmt: skip
        terms = {
            "approved": approved,
            "approver": Approver(staff_id=approver, role=role, place=place),
            "as_of": DAY,
            "region_id": region,
            "unit_value": None if unit is None else Money(unit, YUAN),
        }
        if approved is None or not 0 <= approved <= asked:
            with pytest.raises(InvalidValueError):
                policy.decide(application, **terms)
            assert (pd.isna(outcome), unmet) == (True, "row")
            continue
        decided = policy.decide(application, **terms)
        failed = {each.rule for each in decided.grounds.reasons if each.met is False}
        failed -= {"granted"}
        assert (outcome, set(filter(None, unmet.split(",")))) == (
            decided.outcome,
            failed,
        )


def test_a_frame_that_is_none_is_refused():
    """What is missing, taken, no number or another currency is said at once."""
    frame = pd.DataFrame([("S1", "R1", 5, 5, "E1", "E2", "manager", "chain", 3)],
                         columns=NAMES)  # fmt: skip
    yen = Money(100, Currency("JPY"))
    policy = GiftApprovalPolicy(rights=[ApprovalRight(role="manager", value=yen)])
    with pytest.raises(CurrencyMismatchError):
        policy.decide_frame(frame, currency=YUAN)
    with pytest.raises(InvalidValueError, match="currency"):
        policy.decide_frame(frame)
    plain = GiftApprovalPolicy()
    with pytest.raises(MissingColumnsError):
        plain.decide_frame(frame.drop(columns="role"))
    with pytest.raises(FrameError, match="outcome"):
        plain.decide_frame(frame.assign(outcome=""))
    for wrong in (True, 2.5, "five"):
        with pytest.raises(InvalidValueError, match="whole numbers"):
            plain.decide_frame(frame.assign(approved=wrong))
    nobody = plain.decide_frame(frame.assign(approver=None))
    assert nobody["outcome"].isna().all()
    assert plain.decide_frame(frame.iloc[:0]).empty


def test_rows_that_are_no_application_or_no_answer_are_told():
    """A bad row is left out alone; an application with a bad answer still waits."""
    good = {
        "application_id": "A-1", "store_id": "S1", "gift_id": "CUP", "asked": 20,
        "purpose": "birthday", "applied_by": "E1", "applied_at": NOON, "approved": 15,
        "approved_by": "E2", "approved_at": NOON + dt.timedelta(hours=1),
    }  # fmt: skip
    nothing = {"approved": None, "approved_by": None, "approved_at": None}
    rows = [
        good,
        good | nothing | {"application_id": "A-2"},
        good | {"application_id": "A-3", "approved": 21},
        good | {"application_id": "A-4", "approved_by": "E1"},
        good | {"application_id": "A-5", "approved_by": None},
        good | {"application_id": "A-6", "asked": 0},
    ]
    frame = pd.DataFrame(rows).astype({"approved": "Int64"})
    for name in ("applied_at", "approved_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    asked, answers, findings = read_applications(frame)
    assert [each.application_id for each in asked] == [f"A-{n}" for n in range(1, 6)]
    assert [(each.application_id, each.approved) for each in answers] == [("A-1", 15)]
    assert [(each.rule, each.row) for each in findings] == [
        ("approval-invalid", 3),
        ("approval-invalid", 4),
        ("approval-invalid", 5),
        ("application-invalid", 6),
    ]
    with pytest.raises(MissingColumnsError):
        read_applications(frame.drop(columns="purpose"))
    with pytest.raises(MissingColumnsError):
        read_gifts(frame.drop(columns="gift_id"), currency=YUAN)
