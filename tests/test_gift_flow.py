"""The flow of gifts: application, approval, dispatch, receipt, issue, end (HQ §7)."""

import datetime as dt

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.domain import Currency, Gift, Money, Movement, Posting, Release
from memberops.domain.gift_flow import (
    FlowRules,
    GiftApplication,
    GiftApproval,
    ReceivedLot,
    flow_key,
    transit_place,
)
from memberops.errors import (
    HoldError,
    InvalidValueError,
    KeyConflictError,
    OutOfStockError,
    ReversalError,
    UnknownGiftError,
)
from memberops.ledger import Ledger, LedgerRules, award
from memberops.ledger.flow_delivery import dispatch, recall, receive
from memberops.ledger.flow_differences import explain_over, explain_short
from memberops.ledger.flow_issue import issue, redeem, reserve
from memberops.ledger.flow_removal import destroy, set_aside, take_gift_back
from memberops.policies.gift_approval import (
    ApprovalRight,
    Approver,
    GiftApprovalPolicy,
)

START = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
TODAY = dt.date(2026, 10, 1)
MAY, JUNE, SOON = dt.date(2027, 5, 31), dt.date(2027, 6, 30), dt.date(2026, 9, 30)
YUAN = Currency("CNY")


def day(number, hour=0):
    """Return a moment so many days after the first."""
    return START + dt.timedelta(days=number, hours=hour)


def stocked(*lots):
    """Make a ledger whose warehouse has lots of cups: name, quantity, last day."""
    ledger = Ledger(LedgerRules(places=["warehouse", "store:S01", "store:S02"]))
    for name, quantity, through in lots:
        came = Movement(
            gift_id="CUP",
            source="supplier",
            destination="warehouse",
            quantity=quantity,
            lot_id=name,
            valid_through=through,
        )
        ledger.post(Posting(posting_id=f"IN {name}", kind="receipt", movements=[came],
                            effective_at=START))  # fmt: skip
    return ledger


def applied(asked=20, name="A-1", store="S01", purpose="birthday"):
    """Make an application by E1."""
    return GiftApplication(application_id=name, store_id=store, gift_id="CUP",
        asked=asked, purpose=purpose, applied_by="E1", applied_at=START)  # fmt: skip


def approved(quantity=20, name="A-1", by="E2", at=START):
    """Make an approval by E2."""
    return GiftApproval(application_id=name, approved=quantity, approved_by=by,
                        approved_at=at)  # fmt: skip


def send(ledger, quantity, number=1, application=None, approval=None, at=None):
    """Plan a delivery."""
    return dispatch(ledger, application or applied(), approval or approved(),
        number=number, quantity=quantity, effective_at=at or day(1), on=TODAY,
        by="E3")  # fmt: skip


def got(ledger, *lots, number=1, part=1, at=None):
    """Plan a receipt of lots: name and quantity."""
    return receive(ledger, applied(),
        [ReceivedLot(lot_id=name, quantity=count) for name, count in lots],
        number=number, effective_at=at or day(3), by="E1", part=part)  # fmt: skip


def lots_of(posting):
    """List the lots and quantities of a posting."""
    return [(each.lot_id, each.quantity) for each in posting.movements]


def supplied():
    """Make a ledger whose store S01 has 5 cups that end in May and 5 in June."""
    ledger = stocked(("M", 5, MAY), ("J", 5, JUNE))
    ledger.post(send(ledger, 10))
    ledger.post(got(ledger, ("M", 5), ("J", 5)).posting)
    return ledger


def give(ledger, name="I-1", quantity=1, at=None, **facts):
    """Plan an issue to M1."""
    wanted = {"store_id": "S01", "member_id": "M1", "gift_id": "CUP",
              "reason": "birthday", "on": TODAY, "by": "E1"} | facts  # fmt: skip
    return issue(ledger, issue_id=name, quantity=quantity, effective_at=at or day(4),
                 **wanted)  # fmt: skip


def test_a_delivery_takes_the_lots_that_expire_first():
    """20 cups leave as 15 that end in May and 5 that end in June; expired ones stay."""
    ledger = stocked(("J", 50, JUNE), ("M", 15, MAY), ("OLD", 9, SOON))
    posting = send(ledger, 20)
    assert lots_of(posting) == [("M", 15), ("J", 5)]
    assert (posting.kind, posting.posting_id) == ("dispatch", "dispatch:A-1:1")
    ledger.post(posting)

    assert ledger.balance("CUP", "in_transit:S01") == 20
    assert ledger.balance("CUP", "in_transit:S02") == 0
    assert ledger.balance("CUP", "warehouse") == 54


def test_a_new_stores_opening_stock_is_its_own_kind():
    """An opening is dispatched as an opening, not as a common delivery."""
    ledger = stocked(("M", 30, MAY))
    opening = send(ledger, 20, application=applied(purpose="opening"))
    assert opening.kind == "opening"


def test_a_step_that_is_asked_again_is_the_same_step():
    """A lost answer is asked for again: the first lots stay, and nothing doubles."""
    ledger = stocked(("M", 15, MAY), ("J", 50, JUNE))
    first = send(ledger, 20)
    ledger.post(first)
    again = send(ledger, 20)
    assert again == first
    assert ledger.post(again).replayed

    with pytest.raises(KeyConflictError, match="movements"):
        send(ledger, 19)
    with pytest.raises(KeyConflictError, match="effective_at"):
        send(ledger, 20, at=day(2))


def test_never_more_is_sent_than_was_approved():
    """12 approved are sent as 7 and 5; a sixth of the second is refused."""
    ledger = stocked(("M", 50, MAY))
    part = approved(12)
    ledger.post(send(ledger, 7, approval=part))
    with pytest.raises(InvalidValueError, match="5 are left, not 6"):
        send(ledger, 6, number=2, approval=part)
    with pytest.raises(InvalidValueError, match="without gaps"):
        send(ledger, 1, number=3, approval=part)
    second = send(ledger, 5, number=2, approval=part)
    rival = send(ledger, 4, number=2, approval=part)
    ledger.post(second)
    with pytest.raises(KeyConflictError):
        ledger.post(rival)


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        (approved(21), "20 were asked"),
        (approved(by="E1"), "another person approves"),
        (approved(name="A-2"), "another application"),
        (approved(at=START - dt.timedelta(hours=1)), "earlier"),
        (approved(at=day(2)), "before it is approved"),
        (approved(0), "0 are left"),
    ],
)
def test_only_a_fitting_approval_lets_goods_go(approval, says):
    """More than asked, one's own, another's, too early, too late, refused: no goods."""
    with pytest.raises(InvalidValueError, match=says):
        send(stocked(("M", 50, MAY)), 1, approval=approval)


def test_a_recalled_delivery_may_be_sent_anew_until_it_arrives():
    """All of it returns to the warehouse; what arrived is not recalled."""
    ledger = stocked(("M", 20, MAY))
    ledger.post(send(ledger, 20))
    back = recall(ledger, applied(), number=1, effective_at=day(2), by="E3",
                  reason="wrong store")  # fmt: skip
    ledger.post(back)
    assert ledger.balance("CUP", "warehouse") == 20
    ledger.post(send(ledger, 20, number=2, at=day(2)))
    ledger.post(got(ledger, ("M", 20), number=2).posting)
    with pytest.raises(OutOfStockError):
        ledger.post(recall(ledger, applied(), number=2, effective_at=day(4), by="E3",
                           reason="late"))  # fmt: skip
    with pytest.raises(ReversalError):
        ledger.post(attrs.evolve(back, posting_id="twice"))


def test_what_did_not_come_stays_on_its_way_until_explained():
    """Of 10 cups 6 come, 1 later, 2 return and 1 is lost before two witnesses."""
    ledger = stocked(("M", 10, MAY))
    ledger.post(send(ledger, 10))
    receipt = got(ledger, ("M", 6))
    (short,) = receipt.differences
    assert (short.kind, short.expected, short.received, short.quantity) == (
        "short", 10, 6, 4)  # fmt: skip
    assert "4 too few" in short.describe()
    assert "短少 4" in short.describe("zh")
    ledger.post(receipt.posting)
    assert got(ledger, ("M", 6)) == receipt
    ledger.post(got(ledger, ("M", 1), part=2, at=day(4)).posting)
    assert ledger.balance("CUP", transit_place("S01", "A-1", 1)) == 3

    def explain(name, cause, quantity, witnesses=()):
        return explain_short(ledger, applied(), explanation_id=name, number=1,
            quantity=quantity, cause=cause, effective_at=day(6), by="E3",
            reason="box broke", witnesses=witnesses)  # fmt: skip

    with pytest.raises(InvalidValueError, match="2 different witnesses"):
        explain("X-1", "lost", 1, ["E4", "E3"])
    ledger.post(explain("X-1", "lost", 1, ["E4", "E5"]))
    ledger.post(explain("X-2", "returned", 2))
    with pytest.raises(OutOfStockError):
        explain("X-3", "returned", 1)
    places = ("in_transit", "store:S01", "warehouse", "destroyed")
    assert [ledger.balance("CUP", each) for each in places] == [0, 7, 2, 1]
    assert ledger.entry("lost:X-1").record.references("witness") == ("E4", "E5")


def test_nothing_that_came_is_said_and_not_posted():
    """An empty delivery is a difference of the whole delivery."""
    ledger = stocked(("M", 10, MAY))
    ledger.post(send(ledger, 10))
    receipt = got(ledger)
    assert receipt.posting is None
    assert [each.quantity for each in receipt.differences] == [10]


def test_what_came_too_much_is_owed_until_explained():
    """12 of 10 cups come, and a lot that was not sent: both are named, and stock."""
    ledger = stocked(("M", 30, MAY), ("J", 5, JUNE))
    ledger.post(send(ledger, 10))
    receipt = receive(ledger, applied(), [
        ReceivedLot(lot_id="M", quantity=12),
        ReceivedLot(lot_id="J", quantity=1, valid_through=JUNE)],
        number=1, effective_at=day(3), by="E1")  # fmt: skip
    assert [(each.kind, each.lot_id, each.quantity) for each in receipt.differences
            ] == [("over", "J", 1), ("over", "M", 2)]  # fmt: skip
    ledger.post(receipt.posting)
    account = "adjustment:over_receipt:S01:A-1:1"
    assert ledger.balance("CUP", "store:S01") == 13
    assert ledger.balance("CUP", account) == -3

    def explain(name, lot, quantity, through):
        return explain_over(ledger, applied(), explanation_id=name, number=1,
            found=ReceivedLot(lot_id=lot, quantity=quantity, valid_through=through),
            source="warehouse", effective_at=day(4), by="E3",
            reason="packed too many")  # fmt: skip

    with pytest.raises(OutOfStockError):
        explain("X-1", "M", 3, MAY)
    ledger.post(explain("X-1", "M", 2, MAY))
    assert ledger.post(explain("X-1", "M", 2, MAY)).replayed
    ledger.post(explain("X-2", "J", 1, JUNE))
    assert ledger.balance("CUP", account) == 0
    assert ledger.balance("CUP", "warehouse") == 35 - 13


def test_a_receipt_names_each_lot_once_and_what_was_sent():
    """A lot twice, or a delivery that nobody sent, is a mistake of the paper."""
    ledger = stocked(("M", 10, MAY))
    with pytest.raises(InvalidValueError, match="was not sent"):
        got(ledger, ("M", 1))
    ledger.post(send(ledger, 10))
    with pytest.raises(InvalidValueError, match="more than once"):
        got(ledger, ("M", 1), ("M", 1))


def test_two_deliveries_to_a_store_do_not_mix():
    """What is on its way for one application is not received for another."""
    ledger = stocked(("M", 20, MAY))
    other = applied(name="A-2")
    ledger.post(send(ledger, 4))
    ledger.post(send(ledger, 6, application=other, approval=approved(name="A-2")))
    receipt = got(ledger, ("M", 10))
    assert [(each.kind, each.quantity) for each in receipt.differences] == [("over", 6)]


def test_a_member_gets_what_expires_first():
    """6 cups are 5 that end in May and 1 that ends in June; the reason is on file."""
    ledger = supplied()
    posting = give(ledger, quantity=6, ticket_id="T1")
    assert lots_of(posting) == [("M", 5), ("J", 1)]
    ledger.post(posting)
    assert give(ledger, quantity=6, ticket_id="T1") == posting
    assert (posting.reason, posting.references("ticket")) == ("birthday", ("T1",))
    with pytest.raises(OutOfStockError, match="can give 4"):
        give(ledger, "I-2", 5)
    for wrong in ("because", "points"):
        with pytest.raises(InvalidValueError):
            give(ledger, "I-3", reason=wrong)


def test_a_return_goes_back_into_its_lots_once():
    """2 of 6 come back into the lot of May; 5 more are too many."""
    ledger = supplied()
    ledger.post(give(ledger, quantity=6))

    def back(name, quantity):
        return take_gift_back(ledger, return_id=name, issue_key="issue:I-1", by="E1",
                              quantity=quantity, effective_at=day(5))  # fmt: skip

    ledger.post(back("B-1", 2))
    assert back("B-1", 2) == ledger.entry("return:B-1").record
    assert lots_of(ledger.entry("return:B-1").record) == [("M", 2)]
    with pytest.raises(InvalidValueError, match="4 can come back, not 5"):
        back("B-2", 5)
    ledger.post(back("B-2", 4))
    assert ledger.balance("CUP", "store:S01") == 10
    with pytest.raises(InvalidValueError, match="no gift was given"):
        take_gift_back(ledger, return_id="B-3", issue_key="IN M", by="E1", quantity=1,
                       effective_at=day(5))  # fmt: skip


def test_damaged_gifts_are_kept_but_not_given_and_destroyed_before_witnesses():
    """2 are set aside; they count to the store, and leave it before two witnesses."""
    ledger = supplied()
    facts = {"gift_id": "CUP", "quantity": 2, "by": "E1", "reason": "cracked"}
    ledger.post(set_aside(ledger, paper_id="D-1", place="store:S01", lot_id="J",
                          effective_at=day(5), **facts))  # fmt: skip
    assert ledger.balance("CUP", "store:S01") == 10
    with pytest.raises(OutOfStockError, match="can give 8"):
        give(ledger, quantity=9, at=day(6))

    def end(witnesses, rules=None):
        return destroy(ledger, paper_id="Z-1", place="store:S01:damaged", rules=rules,
                       effective_at=day(6), witnesses=witnesses, **facts)  # fmt: skip

    with pytest.raises(InvalidValueError, match="in a store or the warehouse"):
        destroy(ledger, paper_id="Z-2", place="member:M1", effective_at=day(6),
                witnesses=["E2", "E3"], **facts)  # fmt: skip
    for few in ([], ["E2"], ["E2", "E2"], ["E2", "E1"], "E2E3"):
        with pytest.raises(InvalidValueError):
            end(few)
    assert end(["E2"], FlowRules(witnesses=1)).references("witness") == ("E2",)
    ledger.post(end(["E3", "E2"]))
    assert ledger.balance("CUP", "store:S01") == 8
    assert ledger.balance("CUP", "destroyed") == 2


def test_expired_gifts_can_be_destroyed():
    """What has expired is not issued any more, and leaves first."""
    ledger = stocked(("OLD", 3, SOON), ("M", 3, MAY))
    posting = destroy(ledger, paper_id="Z-1", gift_id="CUP", place="warehouse",
        quantity=3, effective_at=day(1), by="E1", reason="expired",
        witnesses=["E2", "E3"])  # fmt: skip
    assert lots_of(posting) == [("OLD", 3)]


def redeem_cup(ledger, name="R-1", quantity=1):
    """Plan a redemption of cups at 50 points by M1."""
    return redeem(ledger, redemption_id=name, store_id="S01", member_id="M1",
        gift=Gift(gift_id="CUP", points_price=50), quantity=quantity,
        effective_at=day(4), on=TODAY, by="E1", ticket_id="T9")  # fmt: skip


def test_points_and_gift_move_together_or_not_at_all():
    """120 points buy two cups in two postings; a third is refused: no points."""
    ledger = supplied()
    ledger.post(award(key="AW", member_id="M1", points=120, valid_through=None,
                      effective_at=day(1), ticket_id="T1"))  # fmt: skip
    first = redeem_cup(ledger)
    ledger.post(first)
    assert redeem_cup(ledger) == first
    assert ledger.post(redeem_cup(ledger)).replayed
    ledger.post(redeem_cup(ledger, "R-2"))
    with pytest.raises(OutOfStockError) as caught:
        redeem_cup(ledger, "R-3")
    assert (caught.value.gift_id, caught.value.available) == ("points", 20)
    assert ledger.balance("points", "wallet:M1") == 20
    assert ledger.balance("CUP", "store:S01") == 8
    with pytest.raises(KeyConflictError):
        redeem_cup(ledger, quantity=2)


def keep(ledger, name="K-1", quantity=7, at=None, rules=None):
    """Plan a reservation of cups at S01."""
    return reserve(ledger, reservation_id=name, store_id="S01", gift_id="CUP",
        quantity=quantity, held_at=at or day(4), on=TODAY, by="E1",
        rules=rules)  # fmt: skip


def test_reserved_gifts_wait_for_their_member_and_lapse():
    """7 of 10 cups wait 30 minutes: 3 are free meanwhile, and 10 after it."""
    ledger = supplied()
    holds = keep(ledger)
    assert [(each.lot_id, each.quantity) for each in holds] == [("M", 5), ("J", 2)]
    ledger.hold(holds[0])
    assert keep(ledger) == holds
    ledger.hold(holds[1])
    assert keep(ledger) == holds
    with pytest.raises(KeyConflictError):
        keep(ledger, quantity=6)

    with pytest.raises(OutOfStockError, match="can give 3"):
        give(ledger, quantity=4)
    assert lots_of(give(ledger, quantity=4, at=day(4, 1))) == [("M", 4)]
    used = give(ledger, quantity=6, holds=holds)
    assert lots_of(used) == [("M", 5), ("J", 1)]
    with pytest.raises(InvalidValueError, match="7 are reserved, not 8"):
        give(ledger, quantity=8, holds=holds)
    late = give(ledger, "I-2", quantity=6, holds=holds, at=day(4, 1))
    with pytest.raises(HoldError):
        ledger.post(late)
    ledger.post(used)
    assert give(ledger, quantity=6, holds=holds) == used
    assert ledger.held("CUP", "store:S01", as_of=day(4)) == 0


def test_a_reservation_can_be_given_up():
    """Its gifts are free at once."""
    ledger = supplied()
    for each in keep(ledger, rules=FlowRules(hold_for=dt.timedelta(days=2))):
        ledger.hold(each)
        ledger.release(Release(release_id=f"up {each.hold_id}", hold_id=each.hold_id,
                               at=day(4)))  # fmt: skip
    ledger.post(give(ledger, quantity=10))


NAMES = st.text("aA:%1", min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=3))
def test_no_two_papers_share_a_key(first, second):
    """Whatever ids look like, keys and places differ where the papers do."""
    assert (flow_key("k", *first) == flow_key("k", *second)) == (first == second)
    places = {transit_place("S", name, 1) for name in (*first, *second)}
    assert len(places) == len({*first, *second})


def decide(policy, granted, role="manager", place="chain", by="E2", **facts):
    """Ask a policy about the 20 cups of E1."""
    return policy.decide(applied(), approved=granted, as_of=TODAY, **facts,
        approver=Approver(staff_id=by, role=role, place=place))  # fmt: skip


def test_a_manager_approves_in_full_in_part_or_not():
    """The manual's default: any manager but the one who applied, any number."""
    policy = GiftApprovalPolicy()
    outcomes = [decide(policy, each).outcome for each in (20, 12, 0)]
    assert outcomes == ["approved", "partly_approved", "refused"]
    assert decide(policy, 12).explain() == "12 of 20 approved"
    own = decide(policy, 12, by="E1")
    assert (own.outcome, own.policy, own.version) == (
        "not_entitled", "gift-approval", "1")  # fmt: skip
    assert "申请人不得审批自己的申请" in own.explain("zh")
    assert decide(policy, 0, by="E1").outcome == "not_entitled"
    assert decide(policy, 12, role="clerk").outcome == "not_entitled"
    for wrong in (21, -1, True, 1.0):
        with pytest.raises(InvalidValueError):
            decide(policy, wrong)


def test_rights_are_looked_up_at_the_store_then_the_region_then_the_chain():
    """10 in the chain, 15 in the region, 5 in the store: the nearest counts."""
    chain = ApprovalRight(role="manager", quantity=10)
    region = ApprovalRight(role="manager", place="region:east", quantity=15)
    store = ApprovalRight(role="manager", place="store:S01", quantity=5)
    for rights, most in (([chain], 10), ([chain, region], 15),
                         ([chain, region, store], 5)):  # fmt: skip
        policy = GiftApprovalPolicy(rights=rights)
        outcomes = [decide(policy, each, region_id="east").outcome
                    for each in (most, most + 1)]  # fmt: skip
        assert outcomes == ["partly_approved", "not_entitled"]
    far = GiftApprovalPolicy(rights=[chain, region])
    assert decide(far, 11, region_id="west").outcome == "not_entitled"


def test_an_approver_answers_for_the_store():
    """A manager of another store or region does not approve, one of this does."""
    policy = GiftApprovalPolicy()
    places = {"chain": True, "region:east": True, "region:west": False,
              "store:S01": True, "store:S02": False}  # fmt: skip
    for place, entitled in places.items():
        answer = decide(policy, 20, place=place, region_id="east")
        assert (answer.outcome == "approved") is entitled
    assert decide(policy, 20, place="region:east").outcome == "not_entitled"
    for wrong in ("shop:S1", "store:", "Chain"):
        with pytest.raises(InvalidValueError):
            Approver(staff_id="E2", role="manager", place=wrong)


def test_a_right_by_value_needs_the_value():
    """200.00 are enough for 10 cups at 20.00, not for 11, and not for unknown ones."""
    policy = GiftApprovalPolicy(rights=[
        ApprovalRight(role="manager", value=Money.of("200.00", YUAN)),
        ApprovalRight(role="head")])  # fmt: skip
    cup = Money.of("20.00", YUAN)
    assert decide(policy, 10, unit_value=cup).outcome == "partly_approved"
    dear = decide(policy, 11, unit_value=cup)
    assert dear.outcome == "not_entitled"
    assert "could approve it: head" in dear.explain()
    assert decide(policy, 1).outcome == "not_entitled"
    assert decide(policy, 0).outcome == "refused"
    for wrong in ([], [ApprovalRight(role="head"), ApprovalRight(role="head")]):
        with pytest.raises(InvalidValueError):
            GiftApprovalPolicy(rights=wrong)


def test_a_gift_that_is_not_listed_is_a_typing_error_and_no_empty_shelf():
    """The nearest gift is named where the ledger lists its gifts."""
    ledger = Ledger(LedgerRules(gifts=[Gift(gift_id="CUP")]))

    with pytest.raises(UnknownGiftError, match="did you mean 'CUP'"):
        issue(
            ledger,
            issue_id="R8",
            store_id="S01",
            member_id="M1",
            gift_id="CUPP",
            quantity=1,
            reason="birthday",
            effective_at=START,
            on=TODAY,
            by="E1",
        )
