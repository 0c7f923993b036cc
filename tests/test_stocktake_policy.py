"""What becomes of a difference: reasons, limits, approvals."""

import contextlib
import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memberops.domain import (
    Approval,
    CountLine,
    Currency,
    Difference,
    Explanation,
    Gift,
    Money,
    Movement,
    Posting,
)
from memberops.errors import InvalidValueError, OutOfStockError, UnknownPlaceError
from memberops.ledger import Ledger, differences, post_late, settle
from memberops.policies import (
    ApprovalLimit,
    DifferenceReason,
    StocktakePolicy,
    Tolerance,
    effective_limit,
)

NOW = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 1)
CNY = Currency("CNY")


def difference(book, counted, *, unit=None, earlier=(), **facts):
    """Make what a count of a store says."""
    facts = {"place": "store:S01", "counted_by": "E1", "witnessed_by": "E2"} | facts
    line = CountLine(stocktake_id="C1", gift_id="CUP", counted=counted, counted_at=NOW,
                     position=9, **facts)  # fmt: skip
    worth = None if unit is None else Money(unit, CNY)
    return Difference(line=line, book=book, earlier=earlier, unit_value=worth)


def explain(shown, *parts):
    """Make explanations of a difference."""
    return [Explanation(line_id=shown.line.line_id, reason=reason, quantity=quantity)
            for reason, quantity in parts]  # fmt: skip


def approval(shown, role="regional_manager", by="E9", **facts):
    """Make an approval of a difference as it is shown."""
    facts = {"difference": shown.quantity} | facts
    return Approval(line_id=shown.line.line_id, by=by, role=role, at=NOW, **facts)


def outcome(policy, *args, **options):
    """Decide, and return the word, and by whom it has to be approved."""
    decided = policy.decide(*args, as_of=DAY, **options)
    for reason in decided.reasons:
        assert reason.text_en.isascii()
        assert not reason.text_zh.isascii()
    role = [dict(reason.figures)["role"] for reason in decided.reasons
            if reason.rule == "role"]  # fmt: skip
    assert (decided.policy, decided.version) == ("stocktake", policy.version)
    return decided.outcome, *role


@pytest.fixture(scope="module")
def cases(shared):
    """The cases of other systems by id."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {each["id"]: each for each in json.loads(text)["cases"]}


def test_oca_beyond_the_threshold_only_the_manager_approves(cases):
    """STK-A1: counted 3 of 2 is half, beyond a tenth: pending, for the higher role."""
    case = cases["STK-A1"]
    limit = ApprovalLimit(scope="store:S01", ratio=case["input"]["location_threshold"])
    policy = StocktakePolicy(limits=[limit])
    shown = difference(case["input"]["book"], case["input"]["counted"])
    assert shown.quantity == case["expect"]["discrepancy"]
    assert Fraction(shown.quantity, shown.book) == Fraction(case["expect"]["ratio"])
    why = explain(shown, ("found", 1))
    assert outcome(policy, shown, why) == ("approve", "regional_manager")
    low = approval(shown, "store_manager")
    assert outcome(policy, shown, why, low) == ("approve", "regional_manager")
    assert outcome(policy, shown, why, approval(shown)) == ("approved",)
    within = difference(20, 22)
    found = explain(within, ("found", 2))
    assert outcome(policy, within, found) == ("approve", "store_manager")


def test_oca_a_threshold_that_is_open_is_looked_up_wider(cases):
    """STK-A2: each measure comes from the nearest that has it: store, region, chain."""
    given_, expect = cases["STK-A2"]["input"], cases["STK-A2"]["expect"]
    own, wider = given_["location_threshold"], given_["warehouse_threshold"]
    limits = [
        ApprovalLimit(scope="store:S01", ratio=own, quantity=4),
        ApprovalLimit(scope="region:east", ratio=wider),
        ApprovalLimit(scope="chain", ratio="0.5", quantity=9, value=Money(1000, CNY)),
    ]
    found = effective_limit(limits, "store:S01:shelf", "east")
    assert found.ratio == Fraction(expect)
    assert (found.quantity, found.value) == (4, Money(1000, CNY))
    assert effective_limit(limits, "store:S01").ratio == Fraction(1, 2)
    assert effective_limit(limits, "store:S012", "east").quantity == 9
    assert effective_limit(limits, "warehouse", "east").quantity == 9


@pytest.mark.parametrize(
    ("limit", "book", "counted", "unit", "beyond"),
    [
        ({"quantity": 2}, 10, 8, None, None),
        ({"quantity": 2}, 10, 13, None, "quantity"),
        ({"ratio": "0.1"}, 10, 11, None, None),
        ({"ratio": "0.1"}, 9, 10, None, "ratio"),
        ({"ratio": "9"}, 0, 1, None, "ratio"),
        ({"value": Money(500, CNY)}, 10, 8, 250, None),
        ({"value": Money(500, CNY)}, 10, 12, 251, "value"),
        ({"value": Money(500, CNY)}, 10, 8, 251, "value"),
        ({"value": Money(500, CNY)}, 10, 9, None, "value"),
        ({}, 10, 0, None, None),
    ],
)
def test_a_limit_is_beyond_itself_and_not_at_it(limit, book, counted, unit, beyond):
    """At a limit is within; what cannot be judged is beyond it."""
    found = ApprovalLimit(scope="chain", **limit)
    assert found.exceeded(difference(book, counted, unit=unit)) == beyond


def test_a_difference_needs_its_reasons_before_an_approval():
    """Unknown, wrong-way, doubled and missing reasons keep a difference open."""
    policy = StocktakePolicy()
    shown = difference(10, 8)
    for parts, rule in [
        ((), "unexplained"),
        ((("damaged", -1),), "unexplained"),
        ((("stoln", -2),), "reason-unknown"),
        ((("found", -2),), "reason-direction"),
        ((("damaged", -3), ("lost", 1)), "reason-direction"),
        ((("damaged", -1), ("damaged", -1)), "reason-twice"),
    ]:
        why = explain(shown, *parts)
        decided = policy.decide(shown, why, approval(shown), as_of=DAY)
        assert decided.outcome == "explain"
        assert rule in {each.rule for each in decided.reasons if not each.met}
        assert policy.in_force(shown, why, approval(shown), as_of=DAY) is None
    both = explain(shown, ("damaged", -3), ("found", 1))
    counted = policy.in_force(shown, both, approval(shown), as_of=DAY)
    assert (counted.difference, counted.by) == (-2, "E9")
    with pytest.raises(InvalidValueError, match="did you mean 'stolen'"):
        policy.reason("stoln")


def test_who_counted_never_approves_whatever_the_role():
    """Counter is not approver, of a recount neither; an unknown counter blocks."""
    policy = StocktakePolicy()
    first = difference(10, 8).line
    shown = difference(10, 9, counted_by="E3", recount=1, earlier=[first])
    why = explain(shown, ("damaged", -1))
    for by, expect in (("E1", "approve"), ("E3", "approve"), ("E9", "approved")):
        said = approval(shown, "headquarters", by)
        assert outcome(policy, shown, why, said)[0] == expect
    nobody = difference(10, 9, counted_by=None)
    why = explain(nobody, ("damaged", -1))
    decided = policy.decide(nobody, why, approval(nobody), as_of=DAY)
    assert decided.outcome == "approve"
    assert decided.reasons[-1].rule == "counter-unknown"


def test_an_approval_is_of_one_difference():
    """What was approved is what was shown: another difference needs another word."""
    policy = StocktakePolicy()
    shown = difference(10, 8)
    why = explain(shown, ("damaged", -2))
    old = approval(shown, difference=-1)
    decided = policy.decide(shown, why, old, as_of=DAY)
    assert decided.outcome == "approve"
    assert "changed" in {each.rule for each in decided.reasons}
    no = approval(shown, approved=False)
    assert outcome(policy, shown, why, no) == ("refused",)
    # What was said before the line was counted is of another count.
    earlier = NOW - dt.timedelta(seconds=1)
    for word in (approval(shown), no):
        early = attrs.evolve(word, at=earlier)
        decided = policy.decide(shown, why, early, as_of=DAY)
        assert decided.outcome == "approve"
        assert "outdated" in {each.rule for each in decided.reasons}
        assert policy.in_force(shown, why, early, as_of=DAY) is None
    other = difference(10, 8, lot_id="B")
    with pytest.raises(InvalidValueError):
        policy.decide(shown, explain(other, ("damaged", -2)), as_of=DAY)
    with pytest.raises(InvalidValueError):
        policy.decide(shown, why, approval(other), as_of=DAY)


def test_what_nobody_watched_goes_to_the_second_role():
    """Stores count under the regional manager's eyes; oneself is no witness."""
    policy = StocktakePolicy(limits=[ApprovalLimit(scope="chain", quantity=5)])
    for witness, role in ((None, "regional_manager"), ("E1", "regional_manager"),
                          ("E2", "store_manager")):  # fmt: skip
        shown = difference(10, 8, witnessed_by=witness)
        why = explain(shown, ("damaged", -2))
        assert outcome(policy, shown, why) == ("approve", role)
    shown = difference(10, 8, place="warehouse")
    why = explain(shown, ("damaged", -2))
    assert outcome(policy, shown, why) == ("approve", "warehouse_manager")
    assert outcome(StocktakePolicy(), shown, why) == ("approve", "headquarters")


def test_beancount_a_tolerance_hides_nothing():
    """What is tolerated is adjusted under its own reason; uncounted is not."""
    policy = StocktakePolicy(tolerance=Tolerance(quantity=2, share="0.05"))
    assert outcome(policy, difference(40, 38)) == ("tolerated",)
    assert outcome(policy, difference(39, 37)) == ("explain",)
    assert outcome(policy, difference(100, 103)) == ("explain",)
    assert outcome(policy, difference(0, 1)) == ("explain",)
    assert outcome(policy, difference(10, None)) == ("not_counted",)
    assert outcome(policy, difference(10, 10)) == ("agrees",)
    assert outcome(StocktakePolicy(), difference(10, 9)) == ("explain",)
    counted = policy.in_force(difference(40, 38), as_of=DAY)
    (why,) = counted.explanations
    assert (why.reason, why.quantity) == ("tolerance", -2)
    assert counted.by == "policy:stocktake@1"
    assert policy.in_force(difference(10, None), as_of=DAY) is None
    assert policy.in_force(difference(10, 10), as_of=DAY).difference == 0


@given(book=st.integers(0, 50), counted=st.integers(0, 50), cut=st.integers(-60, 60))
def test_reasons_and_what_is_left_make_the_count(book, counted, cut):
    """L11: book, explained and unexplained add up to counted, whatever was said."""
    shown = difference(book, counted)
    why = explain(shown, ("wrong_lot", cut)) if cut else []
    decided = StocktakePolicy().decide(shown, why, as_of=DAY)
    left = shown.unexplained(why)
    assert book + cut + left == counted
    assert (decided.outcome in {"approve", "agrees"}) == (left == 0 or book == counted)


TERMS = (
    {"limits": [ApprovalLimit(scope="chain", ratio="0.10")]},
    {"limits": [ApprovalLimit(scope="chain", value=Money(600, CNY))]},
    {"tolerance": Tolerance(share="0.05")},
    {},
)


@example(terms=TERMS[0], counted=93, slips=[-50])
@example(terms=TERMS[1], counted=95, slips=[-9])
@example(terms=TERMS[2], counted=96, slips=[-50])
@given(
    terms=st.sampled_from(TERMS),
    counted=st.integers(88, 112),
    slips=st.lists(st.integers(-50, 50).filter(bool), min_size=1, max_size=4),
)
def test_a_settled_count_stays_in_force_whatever_comes_late(terms, counted, slips):
    """L9: late entries, however large, neither undo a count nor its approval."""
    gift = Gift(gift_id="G", unit_value=Money(100, CNY))
    policy, ledger = StocktakePolicy(**terms), Ledger()

    def enter(key, change, hour, **facts):
        ends = ("supplier", "store:S01") if change > 0 else ("store:S01", "member")
        move = Movement(gift_id="G", source=ends[0], destination=ends[1],
                        quantity=abs(change))  # fmt: skip
        return Posting(
            posting_id=key,
            kind="transfer",
            movements=[move],
            effective_at=NOW - dt.timedelta(hours=hour),
            **facts,
        )

    ledger.post(enter("in", 100, 9))
    line = CountLine(stocktake_id="C1", place="store:S01", gift_id="G",
                     counted=counted, counted_at=NOW, position=1,
                     counted_by="E1", witnessed_by="E2")  # fmt: skip

    def judged():
        (shown,) = differences(ledger, [line], gifts=[gift])
        size = counted - 100
        code = "found" if size > 0 else "lost"
        why = explain(shown, (code, size)) if size else []
        said = Approval(line_id=line.line_id, difference=size, by="E9", at=NOW,
                        role=policy.roles["limits" not in terms])  # fmt: skip
        return policy.in_force(shown, why, said, as_of=DAY)

    force = judged()
    if force is None:  # beyond the limit: the store's manager may not
        return
    settle(ledger, [force])
    for number, change in enumerate(slips):
        slip = enter(f"slip{number}", change, 5, late=True)
        with contextlib.suppress(OutOfStockError):
            post_late(ledger, slip, [force])
        assert ledger.balance("G", "store:S01") == counted
        assert judged() is not None
        assert not settle(ledger, [judged()]).posted


def test_a_reason_without_a_difference_is_told_and_not_used():
    """What agrees agrees; the reason on file is named as one that is not used."""
    shown = difference(10, 10)
    decided = StocktakePolicy().decide(shown, explain(shown, ("lost", -1)), as_of=DAY)
    assert decided.outcome == "agrees"
    assert "nothing to explain" in decided.explain("en")
    assert "不采用" in decided.explain("zh")


def test_a_policy_that_cannot_be_is_refused():
    """Floats as shares, one role, two limits of a scope, unknown scopes, colons."""
    for wrong in (0.1, True, "a tenth", Decimal(-1), "inf"):
        with pytest.raises(InvalidValueError):
            ApprovalLimit(scope="chain", ratio=wrong)
    for wrong in (1.0, True, -1):
        with pytest.raises(InvalidValueError):
            Tolerance(quantity=wrong)
    with pytest.raises(UnknownPlaceError):
        ApprovalLimit(scope="shop:S01")
    with pytest.raises(InvalidValueError):
        ApprovalLimit(scope="chain", value=Money(-1, CNY))
    limit = ApprovalLimit(scope="chain", quantity=1)
    for facts in ({"limits": [limit, limit]}, {"roles": ["boss"]}, {"roles": "boss"},
                  {"roles": ["a", "a"]}, {"days_after_promotion": -1},
                  {"reasons": StocktakePolicy().reasons * 2}):  # fmt: skip
        with pytest.raises(InvalidValueError):
            StocktakePolicy(**facts)
    with pytest.raises(InvalidValueError):
        DifferenceReason(code="a:b", direction="either", text_en="", text_zh="")
    with pytest.raises(InvalidValueError):
        DifferenceReason(code="a", direction="up", text_en="", text_zh="")


def test_a_role_that_approves_nothing_is_refused_with_the_nearest():
    """A misspelt role would otherwise approve no line, in silence."""
    with pytest.raises(InvalidValueError, match="did you mean 'regional_manager'"):
        StocktakePolicy().check_role("regionl_manager")
    assert StocktakePolicy().check_role("warehouse_manager") == "warehouse_manager"
