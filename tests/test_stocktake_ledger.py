"""Counts against the ledger: each at its own moment, settled by adjustments alone."""

import datetime as dt
import json

import attrs
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from disagreements import DISAGREEMENTS
from memberops.adapters.stores import open_ledger
from memberops.domain import (
    ApprovedCount,
    Closing,
    Explanation,
    Hold,
)
from memberops.errors import (
    ClosedPeriodError,
    InvalidValueError,
    OutOfStockError,
    UnknownGiftError,
)
from memberops.ledger import Ledger, LedgerRules, differences, post_late, settle
from stocktake_machine import StocktakeMachine, approve, at, count, move, stock


@pytest.fixture(scope="module")
def cases(shared):
    """The stock cases by id."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {each["id"]: each for each in json.loads(text)["cases"]}


def test_erpnext_backdated_counts_stop_at_the_next_count(cases):
    """STK-R1: a count holds its own moment; what is entered before it stops there."""
    expect = cases["STK-R1"]["expect"]
    ledger = Ledger()
    ledger.post(move("1", at(-3), 10))
    ledger.post(move("2", at(-2), 1))
    ledger.post(move("3", at(0), 1))
    assert {"D-3": stock(ledger, at(-3)), "D0": stock(ledger)} == expect["after_first3"]

    second = approve(ledger, count(ledger, 6, at(-1)))
    settle(ledger, [second])
    assert {"D0": stock(ledger)} == expect["after_count6"]

    first = approve(ledger, count(ledger, 8, at(-4), "C0"))
    settle(ledger, [first, second])
    assert {"D-3": stock(ledger, at(-3)), "D-2": stock(ledger, at(-2)),
            "D-1 count": stock(ledger, at(-1))} == expect["after_count8"]  # fmt: skip
    assert stock(ledger) == 7

    done = post_late(ledger, move("late", at(-5), 10), [first, second])
    assert {"D-5": stock(ledger, at(-5)), "D-4 count": stock(ledger, at(-4)),
            "D-1 count": stock(ledger, at(-1))} == expect["after_in10"]  # fmt: skip
    assert [each.references("count_line") for each in done.posted] == [
        (first.line.line_id,)
    ]

    settle(ledger, [second], withdrawn=[first])
    upstream = expect["after_cancel_upstream"]
    replayed = {"D-3": stock(ledger, at(-3)), "D-2": stock(ledger, at(-2)),
                "D-1 count": stock(ledger, at(-1))}  # fmt: skip
    assert replayed == {"D-3": 20, "D-2": 21, "D-1 count": 6}
    assert replayed != upstream
    assert "STK-R1" in dict(DISAGREEMENTS)
    assert stock(ledger) == 7
    again = settle(ledger, [second], withdrawn=[first])
    assert not again.posted


def test_erpnext_37192_a_backdated_count_keeps_what_moved_since(cases):
    """STK-R3: 15000, 2000 out later, counted 13000 in between: 11000, not 9000."""
    case = cases["STK-R3"]
    ledger = Ledger()
    ledger.post(move("in", dt.datetime(2023, 9, 19, 16, 15, 13, tzinfo=dt.UTC), 15000))
    ledger.post(move("out", dt.datetime(2023, 9, 21, 16, 19, 29, tzinfo=dt.UTC), -2000))
    counted = dt.datetime(2023, 9, 21, 3, 11, 17, tzinfo=dt.UTC)
    settle(ledger, [approve(ledger, count(ledger, 13000, counted))])
    assert stock(ledger) == case["expect"]


def test_odoo_a_move_after_the_count_is_kept(cases):
    """STK-O1: book 7, counted 5, 3 out since: what is there is 2, by the count's time.

    Odoo asks whether to keep the count or the difference. The moment of the line
    answers: counted after the 3 went out, it is the count; before, the difference.
    """
    given, expect = cases["STK-O1"]["input"], cases["STK-O1"]["expect"]
    for hour, result in ((1, "keep_difference"), (3, "keep_counted")):
        ledger = Ledger()
        ledger.post(move("in", at(0), given["book"]))
        ledger.post(move("out", at(0, 2), -given["moved_out_after_count"]))
        assert stock(ledger) == expect["book_before_apply"]
        line = count(ledger, given["counted"], at(0, hour))
        (shown,) = differences(ledger, [line])
        if hour == 1:
            assert shown.quantity == expect["diff_at_count"]
        settle(ledger, [approve(ledger, line)])
        assert stock(ledger) == expect[result] == shown.result


def test_msupply_638_a_stale_snapshot_makes_no_false_difference(cases):
    """STK-M1: goods that left after the count, or before it, are told by its time."""
    given, expect = cases["STK-M1"]["input"], cases["STK-M1"]["expect"]
    for hour, counted in ((1, given["counted"]), (3, 0)):
        ledger = Ledger()
        ledger.post(move("in", at(0), given["snapshot"]))
        sheet = ledger.position
        ledger.post(move("out", at(0, 2), -given["issued_since"]))
        line = count(ledger, counted, at(0, hour), position=sheet)
        (shown,) = differences(ledger, [line])
        assert shown.quantity == 0
        settle(ledger, [approve(ledger, line)])
        assert stock(ledger) == expect["real"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_odoo_10682_two_open_counts_end_at_the_later_one(order, together):
    """Counted 20 and then 30 where the books said 10: 30, in any order, never 40."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    lines = [count(ledger, 20, at(1), "A"), count(ledger, 30, at(2), "B")]
    approved = [approve(ledger, line) for line in lines]
    if together:
        settle(ledger, [approved[number] for number in order])
    else:
        for number in order:
            done = settle(ledger, approved[: number + 1] if order[0] == 0
                          else approved[number:])  # fmt: skip
            if done.changed:
                (stale,) = done.changed
                fresh = approve(ledger, stale.line, lines[0])
                settle(ledger, [approved[0], fresh])
    assert stock(ledger, at(1)) in {20, 10}
    assert stock(ledger) == 30
    assert not settle(ledger, approved).posted


def test_counts_of_the_same_instant_end_at_the_later_in_the_ledger():
    """Two sessions count an item in the same second: they add up to nothing else."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    lines = [count(ledger, 20, at(1), name) for name in ("B", "A")]
    settle(ledger, [approve(ledger, line) for line in lines])
    assert stock(ledger) == 20
    ledger.post(move("same", at(1), 3))
    assert stock(ledger) == 23
    shown = differences(ledger, lines)
    assert [(each.later, each.settled, each.result) for each in shown] == [
        (3, True, 23), (3, True, 23)]  # fmt: skip


def test_erpnext_51669_a_count_writes_movements_and_is_applied_once():
    """The adjustment is a posting that names the line; twice is once; no reset."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    approved = approve(ledger, count(ledger, 7, at(1)))
    before = [entry.canonical() for entry in ledger.entries()]
    (posting,) = settle(ledger, [approved]).posted
    assert settle(ledger, [approved]).posted == ()
    assert ledger.post(posting).replayed

    assert [entry.canonical() for entry in ledger.entries()][:1] == before
    assert ledger.position == 2
    assert posting.references("count_line") == ("C1/store:S1/G/",)
    assert posting.kind == "adjustment"
    assert (posting.effective_at, posting.by) == (at(1), "E9")
    (movement,) = posting.movements
    assert (movement.source, movement.destination, movement.quantity) == (
        "store:S1", "adjustment:lost", 3)  # fmt: skip


def test_inventree_10914_uncounted_is_no_zero():
    """A line without a count has no difference; a count of 0 takes all away."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    blank, zero = count(ledger, None, at(1)), count(ledger, 0, at(1))
    (shown,) = differences(ledger, [blank])
    assert (shown.quantity, shown.result, str(shown.state)) == (
        None, None, "not_counted")  # fmt: skip
    assert not shown.settled
    with pytest.raises(InvalidValueError, match="was not counted"):
        ApprovedCount(line=blank, difference=0, by="E9")
    (shown,) = differences(ledger, [zero])
    assert shown.quantity == -10
    settle(ledger, [approve(ledger, zero)])
    assert stock(ledger) == 0


def test_the_latest_recount_holds_and_the_history_stays():
    """12725 of open-mSupply: recounts replace, are kept, and settle what is left."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    first = count(ledger, 6, at(1))
    settle(ledger, [approve(ledger, first)])
    ledger.post(move("out", at(1, 1), -1))
    again = count(ledger, 9, at(2), recount=1, counted_by="E2")
    asked = count(ledger, None, at(3), recount=2)
    (shown,) = differences(ledger, [asked, again, first])
    assert (shown.line, shown.earlier) == (again, (first,))
    assert (shown.book, shown.quantity, shown.counters) == (5, 4, {"E1", "E2"})
    settle(ledger, [approve(ledger, again, first)])
    assert stock(ledger) == 9
    assert stock(ledger, at(1)) == 6
    for wrong in (
        [first, first],
        [first, count(ledger, 9, at(0), recount=1)],
    ):
        with pytest.raises(InvalidValueError):
            differences(ledger, wrong)


def test_who_counted_does_not_approve():
    """Counter and approver are two, after a recount by someone else too."""
    ledger = Ledger()
    first, again = count(ledger, 0, at(1)), count(ledger, 0, at(2), recount=1,
                                                  counted_by="E2")  # fmt: skip
    for by in ("E1", "E2"):
        with pytest.raises(InvalidValueError, match="counted by the one"):
            approve(ledger, again, first, by=by)


def test_reasons_add_up_to_the_difference_each_once():
    """L11: book, explained and unexplained add up to counted; each reason once."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    line = count(ledger, 8, at(1))
    (shown,) = differences(ledger, [line])

    def explain(*parts):
        return [Explanation(line_id=line.line_id, reason=reason, quantity=quantity)
                for reason, quantity in parts]  # fmt: skip

    some = explain(("broken", -3))
    assert shown.unexplained(some) == 1
    assert shown.book - 3 + shown.unexplained(some) == line.counted
    for parts in (some, explain(("broken", -1), ("broken", -1))):
        with pytest.raises(InvalidValueError):
            ApprovedCount(line=line, difference=-2, by="E9", explanations=parts)
    whole = explain(("broken", -3), ("found", 1))
    settle(ledger, [ApprovedCount(line=line, difference=-2, by="E9",
                                  explanations=whole)])  # fmt: skip
    assert stock(ledger) == 8
    assert ledger.balance("G", "adjustment:broken") == 3
    assert ledger.balance("G", "adjustment:found") == -1
    for wrong in (0, True, 1.0):
        with pytest.raises(InvalidValueError):
            Explanation(line_id="L", reason="broken", quantity=wrong)


def test_erpnext_47909_expired_lots_are_counted():
    """A lot past its last day is on the shelf still: it is counted and adjusted."""
    ledger = Ledger()
    past = dt.date(2026, 9, 1)
    ledger.post(move("in", at(0), 5, lot_id="A", valid_through=past))
    line = count(ledger, 4, at(1), lot_id="A")
    settle(ledger, [approve(ledger, line)])
    assert ledger.balance("G", "store:S1", lot_id="A") == 4


def test_a_difference_that_changed_needs_a_new_approval():
    """An approval is of one difference: late knowledge before settling ends it."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    line = count(ledger, 8, at(1))
    approved = approve(ledger, line)
    ledger.post(move("found out", at(0, 5), -2))
    done = settle(ledger, [approved])
    assert (done.posted, done.changed) == ((), (approved,))
    assert not settle(ledger, [approve(ledger, line)]).changed
    assert stock(ledger) == 8


def test_what_drifts_after_settling_waits_for_a_new_approval():
    """A silent back-dated entry writes no revision: its reasons are approved anew."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    line = count(ledger, 8, at(1))
    approved = approve(ledger, line)
    settle(ledger, [approved])
    ledger.post(move("back-dated", at(0, 5), -5))
    done = settle(ledger, [approved])
    assert (done.posted, done.changed) == ((), (approved,))
    assert ledger.balance("G", "adjustment:lost") == 2
    new = approve(ledger, line)
    assert new.difference == 3
    assert not settle(ledger, [new]).changed
    by_reason = [ledger.balance("G", f"adjustment:{reason}")
                 for reason in ("lost", "found", "revision")]  # fmt: skip
    assert (stock(ledger), by_reason) == (8, [0, -3, 0])
    assert settle(ledger, [new]).posted == ()


def test_what_a_late_entry_corrected_needs_no_word():
    """After `post_late` the count is as approved as before, and drift is seen still."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    approved = approve(ledger, count(ledger, 8, at(1)))
    settle(ledger, [approved])
    post_late(ledger, move("late", at(0, 5), -5), [approved])
    (shown,) = differences(ledger, [approved.line])
    assert (shown.quantity, shown.revised, shown.to_explain) == (3, 5, -2)
    assert shown.unexplained(approved.explanations) == 0
    assert settle(ledger, [approved]).changed == ()
    ledger.post(move("silent", at(0, 6), -1))
    assert settle(ledger, [approved]).changed == (approved,)
    new = attrs.evolve(approved, difference=-1, explanations=[
        attrs.evolve(approved.explanations[0], quantity=-1)])  # fmt: skip
    settle(ledger, [new])
    assert (stock(ledger), ledger.balance("G", "adjustment:lost")) == (8, 1)
    assert ledger.balance("G", "adjustment:revision") == -5


def test_a_count_that_cannot_be_is_told_and_spends_no_key():
    """Fewer counted than went out since, or than is held: a finding, no entry."""
    for late in (move("out", at(2), -8), None):
        ledger = Ledger()
        ledger.post(move("in", at(0), 10))
        if late is None:
            ledger.hold(Hold(hold_id="H", gift_id="G", place="store:S1", quantity=8,
                             held_at=at(0)))  # fmt: skip
        else:
            ledger.post(late)
        size = ledger.position
        done = settle(ledger, [approve(ledger, count(ledger, 3, at(1)))])
        (finding,) = done.findings
        assert (finding.rule, done.posted) == ("count-impossible", ())
        assert (finding.column, ledger.position) == ("counted", size)


def test_erpnext_49861_a_late_entry_says_so_and_shows_what_it_changed():
    """After a closed count a movement is refused, or enters knowingly and stops."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    counted = approve(ledger, count(ledger, 7, at(1)))
    settle(ledger, [counted])
    ledger.close(Closing(closing_id="X", before=at(1), places=["store:S1"]))
    ledger.post(move("all", at(2), -7))
    with pytest.raises(ClosedPeriodError):
        post_late(ledger, move("late", at(0, 1), -3), [counted])
    with pytest.raises(OutOfStockError):
        post_late(ledger, move("much", at(0, 1), -13, late=True), [counted])
    assert ledger.entry("much") is None

    entry = move("late", at(0, 1), -3, late=True)
    done = post_late(ledger, entry, [counted])
    (correction,) = done.posted
    assert [(m.source, m.quantity) for m in correction.movements] == [
        ("adjustment:revision", 3)]  # fmt: skip
    assert (stock(ledger, at(0, 1)), stock(ledger, at(1)), stock(ledger)) == (7, 7, 0)
    again = post_late(ledger, entry, [counted])
    assert again.receipt.replayed
    assert again.posted == ()
    (shown,) = differences(ledger, [counted.line])
    assert (shown.book, shown.quantity, shown.settled) == (7, 0, True)


def test_a_count_in_a_closed_period_is_settled_only_knowingly():
    """A count of a closed period changes nothing unless it says late."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    counted = approve(ledger, count(ledger, 7, at(1)))
    ledger.close(Closing(closing_id="X", before=at(2)))
    (finding,) = settle(ledger, [counted]).findings
    assert (finding.rule, stock(ledger)) == ("period-closed", 10)
    settle(ledger, [counted], late=True)
    assert stock(ledger) == 7


def test_an_unknown_gift_stops_before_anything_is_written():
    """A ledger that lists its gifts takes no adjustment of another one."""
    ledger = Ledger(LedgerRules(gifts=[]))
    with pytest.raises(UnknownGiftError):
        settle(ledger, [approve(ledger, count(ledger, 1, at(1)))])
    assert ledger.position == 0


@pytest.mark.parametrize("wrong", [-1, 1.0, True, float("nan"), "3", 2**63])
def test_what_is_no_count_is_refused(wrong):
    """Only whole numbers from 0 are counts."""
    with pytest.raises(InvalidValueError):
        count(Ledger(), wrong, at(1))


def test_line_ids_do_not_run_into_each_other():
    """Slashes of ids are written out: two lines never share an adjustment's key."""
    ledger = Ledger()
    pairs = [("A/B", None), ("A", "B/"), ("A", "B%2F"), ("A", "B"), ("A%2FB", None)]
    ids = {count(ledger, 1, at(1), gift_id=gift, lot_id=lot).line_id
           for gift, lot in pairs}  # fmt: skip
    assert len(ids) == len(pairs)


def test_a_late_issue_behind_a_revised_count_is_taken():
    """What came late and went late before a count of nothing leaves nothing."""
    ledger = Ledger()
    counted = approve(ledger, count(ledger, 0, at(0, 5), "A"))
    settle(ledger, [counted])
    post_late(ledger, move("came", at(0, 2), 3), [counted])
    post_late(ledger, move("went", at(0, 3), -3), [counted])
    assert (stock(ledger, at(0, 3)), stock(ledger, at(0, 5)), stock(ledger)) == (
        0,
        0,
        0,
    )


@pytest.mark.parametrize("falls", [0, 1])
def test_a_late_entry_that_fails_in_the_middle_leaves_nothing(monkeypatch, falls):
    """L4: entry and correction are one: either both are there, or asked again both."""
    ledger = Ledger()
    ledger.post(move("in", at(0), 10))
    counted = approve(ledger, count(ledger, 10, at(1)))
    settle(ledger, [counted])
    before, write, done = ledger.position, Ledger._write, []

    def falling(self, record, **options):
        if len(done) == falls:
            raise OSError("the machine stops")
        done.append(record)
        return write(self, record, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "_write", falling)
        with pytest.raises(OSError, match="stops"):
            post_late(ledger, move("late", at(0, 5), 5), [counted])
    assert (ledger.position, stock(ledger)) == (before, 10)
    assert len(post_late(ledger, move("late", at(0, 5), 5), [counted]).posted) == 1
    assert stock(ledger) == 10


def test_counts_are_settled_while_others_trade():
    """Who takes the stock between the plan and its writing changes the plan."""

    class Trading(Ledger):
        """A ledger in which somebody sells right before the first batch."""

        sold = False

        def post_all(self, postings):
            if not self.sold:
                self.sold = True
                self.post(move("sold", at(2), -6))
            return super().post_all(postings)

    ledger = Trading()
    ledger.post(move("in", at(0), 10))
    ledger.post(move("other", at(0), 3, gift_id="H"))
    lines = [count(ledger, 3, at(1), "A"), count(ledger, 2, at(1), "B", gift_id="H")]
    done = settle(ledger, [approve(ledger, line) for line in lines])
    assert [each.rule for each in done.findings] == ["count-impossible"]
    assert [each.movements[0].gift_id for each in done.posted] == ["H"]
    assert stock(ledger) == 4


def test_random_counts_and_trades_end_as_a_replay_does():
    """L8: a counted line ends at its count and what moved later, in any order."""
    run_state_machine_as_test(
        StocktakeMachine, settings=settings(max_examples=15, stateful_step_count=20)
    )


@pytest.mark.nightly
def test_many_random_counts_and_trades_end_as_a_replay_does():
    """The same, for thousands of runs."""
    run_state_machine_as_test(
        StocktakeMachine, settings=settings(max_examples=2000, stateful_step_count=40)
    )


def test_counts_settle_alike_in_sqlite(tmp_path):
    """A durable ledger ends with the same entries as the one in memory."""
    journals = []
    with open_ledger(tmp_path / "gifts.db") as durable:
        for ledger in (Ledger(), durable):
            ledger.post(move("in", at(0), 10))
            lines = [count(ledger, 20, at(1), "A"), count(ledger, 30, at(2), "B")]
            approved = [approve(ledger, line) for line in lines]
            settle(ledger, approved[1:])
            settle(ledger, approved)
            post_late(ledger, move("late", at(0, 1), -4), approved)
            settle(ledger, approved[1:], withdrawn=approved[:1])
            assert stock(ledger) == 30
            journals.append(list(ledger.journal()))
    assert journals[0] == journals[1]
