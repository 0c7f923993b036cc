"""What comes back, comes too much, or was held: once only, in every store."""

import datetime as dt
from itertools import pairwise

import attrs
import pytest

import ledger_storms as storms
from memberops.adapters.stores import open_ledger
from memberops.domain import Gift, Hold, Movement, Posting, Release
from memberops.domain.gift_flow import GiftApplication, GiftApproval, ReceivedLot
from memberops.errors import (
    HoldError,
    InvalidValueError,
    KeyConflictError,
    OutOfStockError,
    ReversalError,
    UnknownPostingError,
)
from memberops.ledger import (
    Ledger,
    LedgerRules,
    award,
    dispatch,
    explain_over,
    issue,
    receive,
    redeem,
    redemption,
    reserve,
    take_back,
    take_gift_back,
)

FIRST = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
THIRD, LATER = dt.date(2026, 9, 3), dt.date(2026, 9, 30)


def day(number, hours=0):
    """Return noon of a day of September, and so many hours after it."""
    return FIRST + dt.timedelta(days=number - 1, hours=hours)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request, tmp_path):
    """An empty ledger in memory, and in each database."""
    if request.param == "memory":
        yield Ledger()
        return
    where = tmp_path / "a.db"
    if request.param == "postgresql":
        where = request.getfixturevalue("postgresql").new_url()
    with open_ledger(where) as opened:
        yield opened
        assert opened.verify() == ()
        again = Ledger.restored(opened.journal())
        assert again.position == opened.position


def bring(ledger, key, quantity, place="store:S1", gift="CUP", **lot):
    """Let gifts come from the supplier on the first."""
    ledger.post(Posting(posting_id=key, kind="receipt", effective_at=FIRST, movements=[
        Movement(gift_id=gift, source="supplier", destination=place,
                 quantity=quantity, **lot)]))  # fmt: skip


def give(ledger, name, quantity=1, at=None, holds=(), on=THIRD):
    """Plan a gift to M1."""
    return issue(ledger, issue_id=name, store_id="S1", member_id="M1", gift_id="CUP",
                 quantity=quantity, reason="birthday", effective_at=at or day(2),
                 on=on, by="E1", holds=holds)  # fmt: skip


def back(ledger, name, of="issue:I1", quantity=1, at=None):
    """Plan a return."""
    return take_gift_back(ledger, return_id=name, issue_key=of, quantity=quantity,
                          effective_at=at or day(3), by="E1")  # fmt: skip


def given(ledger, quantity=1, *names):
    """Bring cups and give them; return the ledger."""
    bring(ledger, "IN", 9)
    for name in names or ("I1",):
        ledger.post(give(ledger, name, quantity))
    return ledger


def test_two_tills_take_a_gift_back_once(ledger):
    """Both planned it before either posted: the ledger lets in one."""
    given(ledger)
    first, second = back(ledger, "B1"), back(ledger, "B2")
    ledger.post(first)

    with pytest.raises(OutOfStockError, match="can give 0 of 'CUP', not 1"):
        ledger.post(second)
    assert ledger.balance("CUP", "store:S1") == 9
    assert ledger.balance("CUP", "member:M1") == 0
    assert ledger.post(first).replayed
    assert ledger.returns("issue:I1") == (first,)


def test_one_gift_does_not_come_back_for_another(ledger):
    """What M1 holds of a second issue is no second return of the first."""
    given(ledger, 2, "I1", "I2")
    ledger.post(back(ledger, "B1"))
    ledger.post(back(ledger, "B2"))

    with pytest.raises(InvalidValueError, match="0 can come back, not 1"):
        back(ledger, "B3")
    forged = attrs.evolve(back(ledger, "B3", of="issue:I2"),
                          refers_to={"issue_key": "issue:I1"})  # fmt: skip
    with pytest.raises(OutOfStockError):
        ledger.post(forged)
    assert ledger.post(back(ledger, "B4", "issue:I2", 2)).sequence > 0
    assert ledger.balance("CUP", "store:S1") == 9


def test_what_came_back_is_not_reversed_and_what_was_reversed_not_brought(ledger):
    """A return and a reversal of one issue exclude each other, in either order."""
    given(ledger, 1, "I1", "I2")
    planned = back(ledger, "B2", "issue:I2")
    ledger.post(back(ledger, "B1"))
    with pytest.raises(ReversalError, match="came back already, by 'return:B1'"):
        ledger.reverse("issue:I1", key="R1", effective_at=day(4))
    ledger.reverse("issue:I2", key="R2", effective_at=day(4))
    assert ledger.reversed_by("issue:I2") == "R2"
    with pytest.raises(ReversalError, match="is reversed, by 'R2'"):
        ledger.post(planned)
    with pytest.raises(InvalidValueError, match="was reversed"):
        back(ledger, "B3", "issue:I2")
    assert ledger.balance("CUP", "store:S1") == 9

    ledger.reverse("return:B1", key="R3", effective_at=day(5))
    assert ledger.returns("issue:I1") == ()
    ledger.post(back(ledger, "B4", at=day(6)))
    assert ledger.balance("CUP", "store:S1") == 9


def test_a_return_names_one_issue_that_was_there_before(ledger):
    """An unknown issue, two of them, and a return before its gift are refused."""
    given(ledger, 1, "I1", "I2")
    good = back(ledger, "B1")
    names = [("issue_key", "issue:I1"), ("issue_key", "issue:I2")]

    with pytest.raises(UnknownPostingError, match="'issue:I9'"):
        ledger.post(attrs.evolve(good, refers_to={"issue_key": "issue:I9"}))
    with pytest.raises(ReversalError, match="names one posting"):
        ledger.post(attrs.evolve(good, refers_to=names))
    with pytest.raises(ReversalError, match="before 'issue:I1' gave it"):
        ledger.post(attrs.evolve(good, effective_at=day(1, 1)))
    assert not ledger.post(good).replayed


def test_points_of_a_ticket_are_taken_back_once(ledger):
    """Asked again it is the same return, and all returns take what was awarded."""
    for key in ("A1", "A2", "A3"):
        ledger.post(award(key=key, member_id="M1", points=100, valid_through=None,
                          effective_at=day(1), ticket_id=key))  # fmt: skip

    def plan(key, points=100, award_key="A1"):
        return take_back(ledger, key=key, award_key=award_key, points=points,
                         effective_at=day(3), on=THIRD)  # fmt: skip

    first, second = plan("B1", 60), plan("B2", 60)
    assert not ledger.post(first.posting).replayed
    assert plan("B1", 60) == first
    assert ledger.post(plan("B1", 60).posting).replayed
    (taken,) = second.posting.movements
    other = [attrs.evolve(taken, lot_id="A3")]
    with pytest.raises(OutOfStockError, match="can give 40 of 'points', not 60"):
        ledger.post(attrs.evolve(second.posting, movements=other))
    with pytest.raises(InvalidValueError, match="40 can be taken back, not 60"):
        plan("B3", 60)
    with pytest.raises(KeyConflictError, match="refers_to"):
        plan("B1", 40)
    ledger.post(plan("B4", 40).posting)
    with pytest.raises(ReversalError, match="came back already"):
        ledger.reverse("A1", key="R1", effective_at=day(4))
    ledger.reverse("A2", key="R2", effective_at=day(4))
    with pytest.raises(InvalidValueError, match="'A2' was reversed"):
        plan("B5", award_key="A2")
    assert ledger.balance("points", "wallet:M1") == 100


def test_a_gift_for_points_comes_back_with_its_points(ledger):
    """Each gift brings its share, into the lots that paid, and only once."""
    ends = {"A1": dt.date(2027, 3, 1), "A2": dt.date(2027, 6, 1)}
    for key, through in ends.items():
        ledger.post(award(key=key, member_id="M1", points=70, valid_through=through,
                          effective_at=day(1), ticket_id=key))  # fmt: skip
    bring(ledger, "IN", 2)
    ledger.post(redeem(ledger, redemption_id="X", store_id="S1", member_id="M1",
                       gift=Gift(gift_id="CUP", points_price=50), quantity=2,
                       effective_at=day(2), on=THIRD, by="E1"))  # fmt: skip

    def lots():
        found = ledger.lots("points", "wallet:M1", as_of=day(9))
        return {each.lot.lot_id: each.quantity for each in found}

    first, second = (back(ledger, name, "redemption:X") for name in ("B1", "B2"))
    assert lots() == {"A2": 40}
    ledger.post(first)
    assert lots() == {"A1": 20, "A2": 70}
    assert back(ledger, "B1", "redemption:X") == first
    ledger.post(second)
    assert ledger.balance("points", "wallet:M1") == 140
    assert ledger.balance("CUP", "store:S1") == 2
    with pytest.raises(InvalidValueError, match="0 can come back"):
        back(ledger, "B3", "redemption:X")
    again = attrs.evolve(second, posting_id="B4", movements=[
        each for each in second.movements if each.gift_id == "points"])  # fmt: skip
    with pytest.raises(OutOfStockError, match="can give 0 of 'points', not 50"):
        ledger.post(again)


def paid(ledger, points):
    """Give M1 three cups for so many points, of two lots."""
    for key, earned in (("A1", points - 1), ("A2", 1)):
        ledger.post(award(key=key, member_id="M1", points=earned, valid_through=None,
                          effective_at=day(1), ticket_id=key))  # fmt: skip
    bring(ledger, "IN", 3)
    ledger.post(Posting(posting_id="X", kind="redemption", effective_at=day(2),
                        movements=[
        Movement(gift_id="points", source="wallet:M1", destination="program:spent",
                 quantity=points - 1, lot_id="A1"),
        Movement(gift_id="points", source="wallet:M1", destination="program:spent",
                 quantity=1, lot_id="A2"),
        Movement(gift_id="CUP", source="store:S1", destination="member:M1",
                 quantity=3)]))  # fmt: skip


@pytest.mark.parametrize(("points", "shares"), [(100, [33, 33, 34]), (2, [0, 1, 1])])
def test_gifts_that_come_back_one_by_one_bring_all_their_points(ledger, points, shares):
    """No point is lost to rounding, and each return asked again is the same."""
    paid(ledger, points)
    plans, wallet = [], [0]
    for name in ("B1", "B2", "B3"):
        plans.append(back(ledger, name, "X"))
        ledger.post(plans[-1])
        wallet.append(ledger.balance("points", "wallet:M1"))
    came = [after - before for before, after in pairwise(wallet)]
    assert came == shares
    assert [back(ledger, name, "X") for name in ("B1", "B2", "B3")] == plans
    with pytest.raises(KeyConflictError, match="movements"):
        back(ledger, "B1", "X", 2)


def test_a_return_from_before_points_came_with_it_is_there_before(ledger):
    """Asked again it is answered as it was written; the next ones bring their own."""
    paid(ledger, 100)
    old = Posting(posting_id="return:B1", kind="return", effective_at=day(3), by="E1",
                  refers_to={"issue_key": "X"}, movements=[
        Movement(gift_id="CUP", source="member:M1", destination="store:S1",
                 quantity=1)])  # fmt: skip
    ledger.post(old)
    assert back(ledger, "B1", "X") == old
    assert ledger.post(back(ledger, "B1", "X")).replayed
    ledger.post(back(ledger, "B2", "X", 2))
    assert ledger.balance("points", "wallet:M1") == 100 - 33


def test_points_that_came_back_are_not_given_back_by_a_reversal_too(ledger):
    """What names an issue is a return of it, whatever it moves, in every store."""
    ledger.post(award(key="A", member_id="M1", points=100, valid_through=None,
                      effective_at=day(1), ticket_id="T"))  # fmt: skip
    bring(ledger, "IN", 1)
    ledger.post(redemption(ledger, key="X", member_id="M1", quantity=1, on=THIRD,
                           gift=Gift(gift_id="CUP", points_price=50),
                           place="store:S1", effective_at=day(2)))  # fmt: skip
    ledger.post(Posting(posting_id="B", kind="return", effective_at=day(3),
                        refers_to={"issue_key": "X"}, movements=[
        Movement(gift_id="points", source="program:earned", destination="wallet:M1",
                 quantity=50, lot_id="B")]))  # fmt: skip

    with pytest.raises(ReversalError, match="came back already, by 'B'"):
        ledger.reverse("X", key="R", effective_at=day(4))
    assert [each.posting_id for each in ledger.returns("X")] == ["B"]
    assert ledger.balance("points", "wallet:M1") == 100


def test_nothing_comes_back_that_was_not_given(ledger):
    """Without a name of what gave it either: a member never falls below zero."""

    def bring_back(key, quantity, member="M1", kind="return"):
        ledger.post(Posting(posting_id=key, kind=kind, effective_at=day(3), movements=[
            Movement(gift_id="CUP", source=f"member:{member}", quantity=quantity,
                     destination="store:S1")]))  # fmt: skip

    given(ledger, 2)
    planned = back(ledger, "B4")
    with pytest.raises(OutOfStockError, match="can give 0 of 'CUP', not 9"):
        bring_back("B1", 9, "M7")
    with pytest.raises(OutOfStockError, match="can give 2 of 'CUP', not 3"):
        bring_back("B2", 3)
    bring_back("B3", 2, kind="transfer")
    with pytest.raises(OutOfStockError, match="can give 0 of 'CUP', not 2"):
        ledger.reverse("issue:I1", key="R", effective_at=day(4))
    with pytest.raises(OutOfStockError, match="can give 0 of 'CUP', not 1"):
        ledger.post(planned)
    assert ledger.balance("CUP", "store:S1") == 9
    assert ledger.balance("CUP", "member:M1") == 0


def test_a_history_before_the_ledger_may_bring_gifts_back():
    """Where below_zero names members, more may come back than the ledger saw given."""
    ledger = Ledger(LedgerRules(below_zero=["member"]))
    ledger.post(Posting(posting_id="B", kind="return", effective_at=FIRST, movements=[
        Movement(gift_id="CUP", source="member:M1", destination="store:S1",
                 quantity=1)]))  # fmt: skip
    assert ledger.balance("CUP", "member:M1") == -1


def test_what_was_reversed_is_not_answered_as_done(ledger):
    """Asked again after its reversal, no step says that it was there before."""
    given(ledger)
    first = back(ledger, "B1")
    ledger.post(first)
    ledger.reverse("return:B1", key="R1", effective_at=day(4))
    with pytest.raises(ReversalError, match="'return:B1' was done and is reversed, by"):
        back(ledger, "B1")
    ledger.reverse("issue:I1", key="R2", effective_at=day(5))
    with pytest.raises(ReversalError, match="by 'R2': done anew, it takes a new"):
        give(ledger, "I1")
    asked, granted = application(), approval()
    bring(ledger, "IN2", 50, "warehouse")

    def send(number):
        return dispatch(ledger, asked, granted, number=number, quantity=10, on=THIRD,
                        effective_at=day(3), by="W")  # fmt: skip

    def arrive(part):
        return receive(ledger, asked, [ReceivedLot(quantity=10)], number=1, part=part,
                       effective_at=day(4), by="S").posting  # fmt: skip

    ledger.post(send(1))
    ledger.post(arrive(1))
    ledger.reverse("arrival:A-1:1:1", key="R3", effective_at=day(5))
    with pytest.raises(ReversalError, match="a receipt the next part"):
        arrive(1)
    ledger.post(arrive(2))
    ledger.reverse("arrival:A-1:1:2", key="R4", effective_at=day(5))
    ledger.reverse("dispatch:A-1:1", key="R5", effective_at=day(6))
    with pytest.raises(ReversalError, match="a delivery the next one"):
        send(1)
    ledger.post(send(2))
    assert ledger.balance("CUP", "warehouse") == 40


def test_eight_tills_at_once_take_a_gift_back_once(new_database):
    """Threads that planned the same return post it at once: one is let in."""
    assert storms.return_races(new_database(), rounds=3, tills=8) == 3


def test_what_came_too_much_is_explained_once(ledger):
    """Two papers for one surplus, planned at once: the account never exceeds 0."""
    asked, granted = application(), approval()
    bring(ledger, "IN", 50, "warehouse")
    ledger.post(dispatch(ledger, asked, granted, number=1, quantity=10,
                         effective_at=day(3), on=THIRD, by="W"))  # fmt: skip
    ledger.post(receive(ledger, asked, [ReceivedLot(quantity=12)], number=1,
                        effective_at=day(4), by="S").posting)  # fmt: skip
    papers = [
        explain_over(ledger, asked, explanation_id=name, number=1,
                     found=ReceivedLot(quantity=count), source="warehouse",
                     effective_at=day(5), by="E", reason="miscounted")
        for name, count in (("O1", 1), ("O2", 2), ("O3", 1))
    ]  # fmt: skip
    ledger.post(papers[0])

    with pytest.raises(OutOfStockError, match="can give 1 of 'CUP', not 2"):
        ledger.post(papers[1])
    ledger.post(papers[2])
    assert ledger.balance("CUP", "warehouse") == 50 - 10 - 2
    assert ledger.balance("CUP", "adjustment:over_receipt") == 0


def application(gift="CUP"):
    """Return an application of S1."""
    return GiftApplication(application_id="A-1", store_id="S1", gift_id=gift, asked=10,
        purpose="birthday", applied_by="E1", applied_at=FIRST)  # fmt: skip


def approval():
    """Return the approval of all of it."""
    return GiftApproval(application_id="A-1", approved=10, approved_by="E2",
                        approved_at=FIRST)  # fmt: skip


def test_a_reversed_dispatch_may_be_sent_again(ledger):
    """Whatever the key of its reversal, what was taken back is left to send."""
    bring(ledger, "IN", 50, "warehouse")

    def send(number):
        return dispatch(ledger, application(), approval(), number=number, quantity=10,
                        effective_at=day(3), on=THIRD, by="W")  # fmt: skip

    ledger.post(send(1))
    with pytest.raises(InvalidValueError, match="0 are left, not 10"):
        send(2)
    ledger.reverse("dispatch:A-1:1", key="MISTAKE", effective_at=day(4))
    ledger.post(attrs.evolve(send(2), effective_at=day(5)))
    assert ledger.balance("CUP", "in_transit:S1") == 10


def test_a_lot_that_the_ledger_knows_needs_no_date_at_receipt(ledger):
    """L2 came instead of L1: its last day is the ledger's; an unknown lot has none."""
    until = dt.date(2027, 1, 1)
    bring(ledger, "IN", 9, "warehouse", lot_id="L1", valid_through=LATER)
    bring(ledger, "IN2", 9, "warehouse", lot_id="L2", valid_through=until)
    ledger.post(dispatch(ledger, application(), approval(), number=1, quantity=5,
                         effective_at=day(3), on=THIRD, by="W"))  # fmt: skip
    came = [ReceivedLot(quantity=5, lot_id="L2"), ReceivedLot(quantity=1, lot_id="L9")]
    posting = receive(ledger, application(), came, number=1, effective_at=day(4),
                      by="S").posting  # fmt: skip

    assert [(each.lot_id, each.valid_through) for each in posting.movements] == [
        ("L2", until), ("L9", None)]  # fmt: skip
    assert not ledger.post(posting).replayed


def held(ledger, name, quantity, **more):
    """Write a hold of cups in the store on the second."""
    hold = Hold(hold_id=name, gift_id="CUP", place="store:S1", quantity=quantity,
                held_at=day(2), **more)  # fmt: skip
    ledger.hold(hold)
    return hold


def test_what_is_not_needed_of_a_reservation_stays_held(ledger):
    """Of holds of 2 and 3, an issue of 2 uses the first, and asked again it does."""
    bring(ledger, "IN", 2, lot_id="A", valid_through=LATER)
    bring(ledger, "IN2", 3, lot_id="B")
    holds = reserve(ledger, reservation_id="Z", store_id="S1", gift_id="CUP",
                    quantity=5, held_at=day(3), on=THIRD, by="E1")  # fmt: skip
    for each in holds:
        ledger.hold(each)
    planned = give(ledger, "I1", 2, day(3), holds)
    ledger.post(planned)

    assert planned.references("hold") == (holds[0].hold_id,)
    assert ledger.held("CUP", "store:S1", as_of=day(3)) == 3
    assert give(ledger, "I1", 2, day(3), holds) == planned
    with pytest.raises(OutOfStockError):
        ledger.post(give(ledger, "I2", 1, day(3)))


def test_holds_of_one_cell_count_together(ledger):
    """Holds of 2 and 3 cups of one lot give 5 in one issue; 6 are too many."""
    bring(ledger, "IN", 9)
    holds = [held(ledger, "H1", 2), held(ledger, "H2", 3)]
    good = give(ledger, "I1", 5, day(3), holds)
    more = [attrs.evolve(good.movements[0], quantity=6)]

    with pytest.raises(HoldError, match=r"is for 5 of 'CUP'.*takes 6"):
        ledger.post(attrs.evolve(good, movements=more))
    ledger.post(good)
    assert ledger.balance("CUP", "member:M1") == 5
    assert ledger.held("CUP", "store:S1", as_of=day(4)) == 0


def test_what_was_reserved_and_expired_since_is_not_given(ledger):
    """Five minutes after midnight the lot is over: the rest of the holds is given."""
    bring(ledger, "IN", 2, lot_id="A", valid_through=THIRD)
    bring(ledger, "IN2", 3, lot_id="B")
    holds = [held(ledger, "H1", 2, lot_id="A"), held(ledger, "H2", 3, lot_id="B")]
    after = THIRD + dt.timedelta(days=1)

    with pytest.raises(OutOfStockError) as caught:
        give(ledger, "I1", 5, day(3), holds, on=after)
    assert (caught.value.available, caught.value.spent) == (3, False)
    posting = give(ledger, "I1", 3, day(3), holds, on=after)
    assert [each.lot_id for each in posting.movements] == ["B"]
    assert {each.lot_id for each in give(ledger, "I1", 5, day(3), holds).movements} == {
        "A", "B"}  # fmt: skip


def test_what_was_held_at_a_moment_stays_so(ledger):
    """A later release or use does not change what was held before it."""
    bring(ledger, "IN", 9)
    first, second = held(ledger, "H1", 2), held(ledger, "H2", 3)
    with pytest.raises(HoldError, match="not given up before"):
        ledger.release(Release(release_id="X", hold_id="H1", at=day(1)))
    ledger.release(Release(release_id="X", hold_id="H1", at=day(5)))
    ledger.post(give(ledger, "I1", 3, day(6), [second]))

    found = [ledger.held("CUP", "store", as_of=day(number)) for number in range(1, 8)]
    assert found == [0, 5, 5, 5, 3, 0, 0]
    assert first.quantity == 2


def test_a_return_takes_no_expired_points_but_its_own(ledger):
    """Expired points of another lot pay nothing back; what is missing is told."""
    for key, points, through in (("A1", 100, dt.date(2026, 9, 5)), ("A2", 100, None),
                                 ("A3", 50, dt.date(2027, 12, 5))):  # fmt: skip
        ledger.post(award(key=key, member_id="M1", points=points, effective_at=day(1),
                          valid_through=through, ticket_id=key))  # fmt: skip
    ledger.post(Posting(posting_id="X", kind="spend", effective_at=day(20), movements=[
        Movement(gift_id="points", source="wallet:M1", destination="program:spent",
                 quantity=100, lot_id="A2")]))  # fmt: skip

    def back_from(award_key, on):
        found = take_back(ledger, key="TB", award_key=award_key, points=100,
                          effective_at=day(21), on=on)  # fmt: skip
        return found.missing, [
            (each.lot_id, each.quantity) for each in found.posting.movements
        ]

    assert back_from("A2", dt.date(2026, 9, 21)) == (50, [("A3", 50)])
    assert back_from("A2", dt.date(2026, 9, 5)) == (0, [("A1", 100)])
    assert back_from("A1", dt.date(2026, 9, 21)) == (0, [("A1", 100)])
