"""The match of points redeemed, gifts issued and stock moved."""

import datetime as dt
import random
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.gift_breaks import BREAKS
from memberops.policies.gift_match import GiftMatchPolicy
from memberops.policies.gift_pairs import paired

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
BOOKS = (
    ("redemption_id", "redeemed_at", ()),
    ("issue_id", "issued_at", ("redemption_id", "reason", "lot_id")),
    ("posting_id", "effective_at", ("redemption_id", "issue_id", "lot_id")),
)
POLICY = GiftMatchPolicy()


def book(side, rows):
    """Make a book: name, hours, store, member, gift, quantity, and facts by name."""
    name, moment, more = BOOKS[side]
    frame = pd.DataFrame({
        name: [each[0] for each in rows],
        moment: pd.to_datetime(pd.Series(
            [NOON + dt.timedelta(hours=each[1]) for each in rows], dtype="object"),
            utc=True),
        "store_id": [each[2] for each in rows], "member_id": [each[3] for each in rows],
        "gift_id": [each[4] for each in rows],
        "quantity": pd.Series([each[5] for each in rows], dtype="int64"),
    })  # fmt: skip
    for fact in more:
        frame[fact] = [dict(each[6:]).get(fact) for each in rows]
    texts = [each for each in frame.columns if each not in (moment, "quantity")]
    return frame.astype(dict.fromkeys(texts, "str"))


def match(redeemed, issued, moved, policy=POLICY, as_of=LATER):
    """Match three lists of rows."""
    books = [book(side, rows) for side, rows in enumerate((redeemed, issued, moved))]
    return policy.match(*books, as_of=as_of)


def row(name, hours=0, store="S1", member="M1", quantity=1, gift="CUP", **facts):
    """Write one row of a book."""
    return (name, hours, store, member, gift, quantity, *facts.items())


def kinds(found):
    """List the kinds of the cases, sorted."""
    return sorted(found.cases["kind"])


LINKED = (
    [row("R1")],
    [row("I1", 1, redemption_id="R1", lot_id="A")],
    [row("P1", 1, issue_id="I1", lot_id="A")],
)


def changed(side, **facts):
    """Return the linked books with one row changed."""
    books = [list(each) for each in LINKED]
    name, hours, store, member, gift, quantity, *more = books[side][0]
    base = {"hours": hours, "store": store, "member": member, "gift": gift,
            "quantity": quantity} | dict(more) | facts  # fmt: skip
    books[side] = [row(name, **base)]
    return books


def test_rows_that_name_each_other_are_one_case():
    """Points, till and stock agree: one case, matched."""
    found = match(*LINKED)
    assert kinds(found) == ["matched"]
    assert found.breaks.empty
    case = found.cases.iloc[0]
    assert [case[name] for name in ("redemption_id", "issue_id", "posting_id")] == [
        "R1", "I1", "P1"]  # fmt: skip
    assert (case["why_en"], case["why_zh"]) == ("all agree", "一致")
    assert (found.policy, found.version) == ("gift-match", "1")


@pytest.mark.parametrize(
    ("books", "kind", "also"),
    [
        ((LINKED[0], [], []), "redeemed_not_issued", ""),
        ((LINKED[0], [], [row("P1", redemption_id="R1")]), "redeemed_not_issued", ""),
        (([], LINKED[1], LINKED[2]), "issued_not_redeemed", ""),
        (([], LINKED[1], []), "issued_not_redeemed", "issued_not_moved"),
        ((LINKED[0], LINKED[1], []), "issued_not_moved", ""),
        (([], [], LINKED[2]), "moved_not_issued", ""),
        (changed(2, lot_id="B"), "wrong_lot", ""),
        (changed(1, store="S2"), "wrong_store", ""),
        (changed(1, quantity=2), "wrong_quantity", ""),
        (changed(2, quantity=2, lot_id="B"), "wrong_quantity", ""),
        (changed(2, hours=25), "timing", ""),
        (changed(2, hours=24), "matched", ""),
        (changed(2, hours=25, store="S2"), "wrong_store", "timing"),
        (changed(1, lot_id=None), "matched", ""),
    ],
)
def test_each_break_has_its_name(books, kind, also):
    """One flaw, one kind; what else is wrong is named beside it."""
    case = match(*books).cases
    assert case[["kind", "also"]].to_numpy().tolist() == [[kind, also]]
    if kind != "matched":
        assert BREAKS[kind][0] in case["why_en"].item()
        assert BREAKS[kind][1] in case["why_zh"].item()


def test_a_gift_for_another_reason_needs_no_points():
    """A birthday gift is matched by its movement alone."""
    birthday = row("I1", 1, reason="birthday")
    assert kinds(match([], [birthday], [row("P1", 1, issue_id="I1")])) == ["matched"]
    found = match([row("R1")], [birthday], [row("P1", 1, issue_id="I1")])
    assert kinds(found) == ["matched", "redeemed_not_issued"]


def test_several_lots_are_one_issue():
    """Five cups leave in two lots, on two lines of one ticket."""
    found = match([row("R1", quantity=5)],
        [row("I1", 1, quantity=2, redemption_id="R1", lot_id="A"),
         row("I1", 1, quantity=3, redemption_id="R1", lot_id="B")],
        [row("P1", 1, quantity=2, issue_id="I1", lot_id="A"),
         row("P1", 1, quantity=3, issue_id="I1", lot_id="B")])  # fmt: skip
    assert kinds(found) == ["matched"]
    assert len(found.rows) == 5


def test_what_is_entered_twice_is_a_duplicate():
    """A repeated line, and a second issue for the same points, stand alone."""
    again = match(LINKED[0] * 2, LINKED[1], LINKED[2])
    assert kinds(again) == ["duplicate", "matched"]
    second = match(LINKED[0], [*LINKED[1], row("I2", 5, redemption_id="R1")],
                   LINKED[2])  # fmt: skip
    assert kinds(second) == ["duplicate", "matched"]
    assert second.breaks["issue_id"].tolist() == ["I2"]


def test_rows_without_ids_are_joined_by_member_gift_and_quantity():
    """Within a day they belong together, in the same store before another."""
    rows = ([row("R1")], [row("I1", 2)], [row("P1", 3)])
    assert kinds(match(*rows)) == ["matched"]
    far = match([row("R1")], [row("I1", 25)], [row("P1", 26)])
    assert kinds(far) == ["issued_not_redeemed", "redeemed_not_issued"]
    wide = GiftMatchPolicy(window=dt.timedelta(days=3))
    assert kinds(match([row("R1")], [row("I1", 25)], [row("P1", 26)],
                       wide)) == ["matched"]  # fmt: skip
    near = match([row("R1")], [row("I1", 1, "S2"), row("I2", 9)], [])
    assert near.cases.set_index("redemption_id").loc["R1", "issue_id"] == "I2"
    assert kinds(match([row("R1")], [row("I1", 1, "S2")], [row("P1", 1, "S2")])) == [
        "wrong_store"]  # fmt: skip
    other = match([row("R1")], [row("I1", 1, member="M2")], [row("P1", 1, member="M2")])
    assert kinds(other) == ["issued_not_redeemed", "redeemed_not_issued"]
    nobody = match([row("R1", member="")], [row("I1", 1, member="")], [])
    assert len(nobody.cases) == 2


def test_the_row_of_the_same_minute_is_taken_before_one_of_yesterday():
    """What was issued a day before without points is the break, not today's."""
    yesterday = [row("I0", -24), row("P0", -24, issue_id="I0")]
    today = [row("I1", 0), row("P1", 0, issue_id="I1")]
    found = match([row("R1")], [yesterday[0], today[0]], [yesterday[1], today[1]])
    assert found.breaks[["kind", "issue_id"]].to_numpy().tolist() == [
        ["issued_not_redeemed", "I0"]]  # fmt: skip
    assert found.cases.set_index("redemption_id").loc["R1", "issue_id"] == "I1"


def test_rows_that_come_very_thick_are_paired_too():
    """600 redemptions and 601 issues of one member in one hour: 600 pairs."""
    many = one_group(list(range(600))), one_group([0, *range(600)])
    ones, twos = paired(*many, window=3600)
    assert sorted(ones) == list(range(600))
    assert len(set(twos)) == 600


def test_breaks_grow_old():
    """31 days after it happened a break is in the bucket 31-90; buckets are policy."""
    found = match(LINKED[0], [], []).cases.iloc[0]
    assert (found["age_days"], found["bucket"]) == (31, "31-90")
    own = GiftMatchPolicy(ages=[31])
    assert match(LINKED[0], [], [], own).cases["bucket"].item() == "0-31"
    assert [POLICY.bucket(each) for each in (0, 7, 8, 30, 90, 91)] == [
        "0-7", "0-7", "8-30", "8-30", "31-90", "91+"]  # fmt: skip
    for wrong in ([], [7, 7], [9, 3], [-1], [True], [1.5]):
        with pytest.raises(InvalidValueError):
            GiftMatchPolicy(ages=wrong)
    with pytest.raises(InvalidValueError):
        GiftMatchPolicy(window=dt.timedelta(days=-1))


def test_what_is_not_known_yet_and_what_is_no_book():
    """Later rows are left out; a book without its columns or types is refused."""
    early = match(*LINKED, as_of=NOON)
    assert kinds(early) == ["redeemed_not_issued"]
    assert early.rows[["side", "row"]].to_numpy().tolist() == [["redeemed", 0]]
    books = [book(side, rows) for side, rows in enumerate(LINKED)]
    with pytest.raises(InvalidValueError):
        POLICY.match(*books, as_of=LATER.replace(tzinfo=None))
    with pytest.raises(MissingColumnsError):
        POLICY.match(books[0].drop(columns="gift_id"), *books[1:], as_of=LATER)
    with pytest.raises(ColumnTypeError):
        POLICY.match(books[0].astype({"quantity": "float64"}), *books[1:], as_of=LATER)


ROWS = st.tuples(st.integers(0, 60), st.sampled_from(["S1", "S2"]),
                 st.sampled_from(["M1", "M2", ""]), st.integers(1, 2))  # fmt: skip
LINKS = st.sampled_from([None, "1", "2", "3"])


@st.composite
def three_books(draw):
    """Draw books with dirty links: ids that repeat, miss, or lead nowhere."""
    books = []
    for side, letter in enumerate("RIP"):
        rows = []
        for hours, store, member, quantity in draw(st.lists(ROWS, max_size=5)):
            facts = {}
            if side and (link := draw(LINKS)):
                facts["redemption_id"] = f"R{link}"
            if side == 2 and (link := draw(LINKS)):
                facts["issue_id"] = f"I{link}"
            if side:
                facts["lot_id"] = draw(st.sampled_from(["", "A", "B"]))
            if side == 1:
                facts["reason"] = draw(st.sampled_from(["points", "birthday"]))
            name = f"{letter}{draw(st.integers(1, 4))}"
            rows.append(row(name, hours, store, member, quantity, **facts))
        books.append(rows)
    return books


@examples(1 / 2)
@given(three_books())
def test_every_row_is_in_exactly_one_case(books):
    """Nothing is lost, nothing doubled; cases have the quantities of their rows."""
    found = match(*books)
    wanted = sorted((side, at) for side, rows in
                    zip(("redeemed", "issued", "moved"), books, strict=True)
                    for at in range(len(rows)))  # fmt: skip
    assert sorted(found.rows[["side", "row"]].itertuples(index=False)) == wanted
    assert found.cases["case_id"].is_unique
    assert set(found.rows["case_id"]) == set(found.cases["case_id"])
    for side, rows in zip(("redeemed", "issued", "moved"), books, strict=True):
        assert found.cases[side].sum() == sum(each[5] for each in rows)


TWICE = [row("I1", store="S2", member="M2", lot_id="", reason=reason)
         for reason in ("points", "birthday")]  # fmt: skip


@examples(1 / 5)
@given(books=three_books(), draw=st.randoms(use_true_random=False))
@example(books=([], TWICE, []), draw=None)
def test_the_order_of_rows_does_not_matter(books, draw):
    """The same rows, shuffled or turned around, are the same cases."""
    other = [rows[::-1] for rows in books]
    if draw is not None:
        other = [draw.sample(rows, len(rows)) for rows in books]
    pd.testing.assert_frame_equal(match(*books).cases, match(*other).cases)


def test_a_line_entered_twice_for_two_reasons_needs_points():
    """Another reason on a repeated line does not hide that nothing was redeemed."""
    found = match([], TWICE, [])
    assert kinds(found) == ["duplicate", "issued_not_redeemed"]


def many_books(scenes, draw):
    """Make the dirty books of many scenes, which share no id, member or gift."""
    books = ([], [], [])
    for scene in range(scenes):
        for side, letter in enumerate("RIP"):
            for _ in range(draw.randrange(6)):
                facts = {}
                for number, paper in ((0, "redemption_id"), (1, "issue_id")):
                    if side > number and (link := draw.randrange(4)):
                        facts[paper] = f"{scene}{'RI'[number]}{link}"
                if side:
                    facts["lot_id"] = draw.choice(["", "A", "B"])
                if side == 1:
                    facts["reason"] = draw.choice(["points", "birthday"])
                member = draw.choice(["M1", "M2", ""])
                books[side].append(row(
                    f"{scene}{letter}{draw.randrange(1, 5)}", draw.randrange(61),
                    draw.choice(["S1", "S2"]), member and f"{scene}{member}",
                    draw.randrange(1, 3), f"CUP{scene}", **facts,
                ))  # fmt: skip
    return books


def unordered(seed, scenes):
    """Match many scenes twice, in two orders, and compare the cases."""
    draw = random.Random(seed)  # noqa: S311 - no secret, but the same scenes
    books = many_books(scenes, draw)
    other = [draw.sample(rows, len(rows)) for rows in books]
    found = match(*books).cases
    pd.testing.assert_frame_equal(found, match(*other).cases)
    return found


def test_the_order_of_rows_does_not_matter_in_many_scenes():
    """1 000 scenes in one match each way; they hold every kind of break."""
    found = unordered(20261122, 1000)
    assert set(found["kind"]) == {"matched", *BREAKS}


def test_lines_of_one_posting_in_two_cases_do_not_make_the_order_count():
    """Two lines alike of one posting, for two redemptions: the first id goes first."""
    till = [row("I1", 27)]
    redeemed = [row("R3", 36, store="S2", member=""), row("R1", 35, store="S2")]
    lines = [row("P3", 44, quantity=1, redemption_id=each) for each in ("R3", "R1")]
    for moved in (lines, lines[::-1]):
        cases = match(redeemed, till, moved).cases.set_index("redemption_id")
        assert cases.loc["R1", "issue_id"] == "I1"
        assert not cases.loc["R3", "issue_id"]


MINUTES = st.lists(st.integers(0, 30), max_size=5)


def one_group(numbers):
    """Make one side of pairs at moments, all of one group."""
    return np.zeros(len(numbers), dtype="int64"), np.array(numbers, dtype="int64")


@settings(max_examples=80, deadline=None)
@given(MINUTES, MINUTES, st.integers(0, 8))
def test_no_choice_of_pairs_makes_more(left, right, window):
    """As many pairs, as near, as in the best of all choices; none beyond the window."""
    left, right = sorted(left), sorted(right)
    ones, twos = paired(one_group(left), one_group(right), window=window)
    assert all(abs(left[one] - right[two]) <= window
               for one, two in zip(ones, twos, strict=True))  # fmt: skip
    assert len(set(ones)) == len(ones)
    assert len(set(twos)) == len(twos)
    few, many = sorted((left, right), key=len)
    apart = sum(
        abs(left[one] - right[two]) for one, two in zip(ones, twos, strict=True)
    )
    choices = [[abs(a - b) for a, b in zip(few, order, strict=True)
                if abs(a - b) <= window]
               for order in permutations(many, len(few))]  # fmt: skip
    assert (len(ones), -apart) == max((len(each), -sum(each)) for each in choices)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(MINUTES, MINUTES), max_size=4), st.integers(0, 8))
def test_groups_are_paired_as_if_each_were_alone(groups, window):
    """Pairs of many groups at once are the pairs of each group."""
    ends = []
    for side in (0, 1):
        rows = sorted((number, at) for number, group in enumerate(groups)
                      for at in group[side])  # fmt: skip
        ends.append(np.array(rows, dtype="int64").reshape(-1, 2).T)
    ones, twos = paired(*((each[0], each[1]) for each in ends), window=window)
    found = sorted((*ends[0][:, one], *ends[1][:, two])
                   for one, two in zip(ones, twos, strict=True))  # fmt: skip
    alone = []
    for number, group in enumerate(groups):
        left, right = map(sorted, group)
        pairs = paired(one_group(left), one_group(right), window=window)
        for one, two in zip(*pairs, strict=True):
            alone.append((number, left[one], number, right[two]))
    assert [tuple(map(int, each)) for each in found] == sorted(alone)


def test_a_line_of_another_member_does_not_make_the_order_count():
    """A movement whose lines name two members goes by the earliest of them."""
    till = [row("I1", 2, member="M2", quantity=3)]
    lines = [row("P1", 5, member="M1"), row("P1", 3, member="M2", quantity=2,
                                            lot_id="B")]  # fmt: skip
    for moved in (lines, lines[::-1]):
        cases = match([], till, moved).cases
        assert cases["kind"].tolist() == ["issued_not_redeemed"]
        assert cases["member_id"].tolist() == ["M2"]
