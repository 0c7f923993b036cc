"""Applications, stock and registers as folds of the ledger, worked out by hand."""

import datetime as dt
import io
from collections import Counter
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain import (
    Currency,
    Gift,
    GiftApplication,
    GiftApproval,
    Money,
    Movement,
    Posting,
    ReceivedLot,
)
from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.ledger import (
    Ledger,
    dispatch,
    explain_over,
    explain_short,
    recall,
    receive,
)
from memberops.ledger.flow_state import application_states, delivery_differences
from memberops.ledger.flow_stock import gift_stock, issue_register, order_facts
from memberops.ledger.flow_tables import movement_rows, read_movements
from memberops.schedules import Period

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = dt.datetime(2026, 10, 1, tzinfo=SHANGHAI)

SMALL_CHAIN = """\
凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,原因,经办人,关联单据,冲销凭证
R1,receipt,2026-09-20T09:00+08:00,CUP,M,2027-05-31,supplier,warehouse,100,,E9,,
D1,dispatch,2026-09-30T09:00+08:00,CUP,M,2027-05-31,warehouse,in_transit:S01:A-1:1,20,,E9,application=A-1,
A1,arrival,2026-10-01T00:00+08:00,CUP,M,2027-05-31,in_transit:S01:A-1:1,store:S01,18,,E1,application=A-1,
I1,issue,2026-10-05T10:00+08:00,CUP,M,2027-05-31,store:S01,member:M1,2,birthday,E1,issue=G1;ticket=T1,
I2,issue,2026-10-06T10:00+08:00,CUP,M,2027-05-31,store:S01,member:M2,1,complaint,E1,issue=G2,
V2,reversal,2026-10-06T11:00+08:00,CUP,M,2027-05-31,member:M2,store:S01,1,,E1,issue=G2,I2
W1,damage,2026-10-07T10:00+08:00,CUP,M,2027-05-31,store:S01,store:S01:damaged,3,cracked,E1,,
I3,issue,2026-11-01T00:00+08:00,CUP,M,2027-05-31,store:S01,member:M1,4,promotion,E1,issue=G3,
"""


def chain_ledger():
    """Read the CSV of the small chain into a ledger."""
    frame = pd.read_csv(io.StringIO(SMALL_CHAIN), dtype="str")
    frame.columns = ["posting_id", "kind", "effective_at", "gift_id", "lot_id",
                     "valid_through", "source", "destination", "quantity", "reason",
                     "by", "refers_to", "reverses"]  # fmt: skip
    frame["quantity"] = frame["quantity"].astype("int64")
    frame["effective_at"] = pd.to_datetime(frame["effective_at"], utc=True)
    frame["valid_through"] = pd.to_datetime(frame["valid_through"])
    postings, findings = read_movements(frame)
    assert findings == ()
    ledger = Ledger()
    for each in postings:
        ledger.post(each)
    return ledger


def postings_of(ledger):
    """List the postings of a ledger."""
    return [each.record for each in ledger.entries()]


def test_the_small_chain_closes_october_by_hand():
    """S01: 0 + 19 in - 3 out = 16, damaged ones among them; the warehouse keeps 80."""
    ledger = chain_ledger()
    cup = Gift(gift_id="CUP", unit_value=Money.of("12.50", Currency("CNY")))
    store, warehouse = (
        gift_stock(ledger.movements(), period=Period.month(2026, 10), zone=SHANGHAI,
                   kind=kind, gifts=[cup]).to_dict("records")
        for kind in ("store", "warehouse"))  # fmt: skip
    through = pd.Timestamp("2027-05-31")
    assert store == [{"place": "store:S01", "gift_id": "CUP", "lot_id": "M",
        "valid_through": through, "opening": 0, "came": 19, "went": 3, "book": 16,
        "unit_value": 1250, "value": 20000}]  # fmt: skip
    assert warehouse == [{"place": "warehouse", "gift_id": "CUP", "lot_id": "M",
        "valid_through": through, "opening": 80, "came": 0, "went": 0, "book": 80,
        "unit_value": 1250, "value": 100000}]  # fmt: skip
    november = gift_stock(ledger.movements(), period=Period.month(2026, 11),
                          zone=SHANGHAI)  # fmt: skip
    assert november[["opening", "came", "went", "book"]].to_numpy().tolist() == [
        [16, 0, 4, 12]]  # fmt: skip
    assert november["value"].isna().all()
    with pytest.raises(InvalidValueError):
        gift_stock(ledger.movements(), period=Period.month(2026, 10), zone=SHANGHAI,
                   kind="member")  # fmt: skip


def test_the_register_lists_what_members_got_and_what_was_taken_back():
    """Three lines; the one of M2 names its reversal."""
    register = issue_register(postings_of(chain_ledger()))
    lines = register[["issue_id", "store_id", "member_id", "quantity", "reason"]]
    assert lines.to_numpy().tolist() == [
        ["G1", "S01", "M1", 2, "birthday"], ["G2", "S01", "M2", 1, "complaint"],
        ["G3", "S01", "M1", 4, "promotion"]]  # fmt: skip
    assert register["reversed_by"].fillna("").tolist() == ["", "V2", ""]
    assert register["ticket_id"].fillna("").tolist() == ["T1", "", ""]


def test_an_order_is_made_from_net_use_and_good_stock():
    """October used 2, for 1 came back; 13 are good at S01, 2 on their way."""
    facts, lots = order_facts(chain_ledger().movements(), zone=SHANGHAI,
        period=Period.month(2026, 10),
        as_of=dt.datetime(2026, 10, 31, 23, tzinfo=SHANGHAI))  # fmt: skip
    assert facts.to_numpy().tolist() == [["CUP", 2, 2]]
    assert lots[["lot_id", "quantity"]].to_numpy().tolist() == [["M", 93]]


def test_csv_and_ledger_hold_the_same():
    """What the ledger writes as rows is read back as the same postings."""
    postings = postings_of(chain_ledger())
    again, findings = read_movements(movement_rows(postings))
    assert (list(again), findings) == (postings, ())


def test_a_posting_with_a_bad_row_is_left_out_whole():
    """Half a posting would lose goods: both rows go, and one finding says so."""
    rows = movement_rows([Posting(posting_id=key, kind="receipt", effective_at=START,
        movements=[Movement(gift_id=gift, source="supplier", destination="warehouse",
                            quantity=2) for gift in ("A", "B")])
        for key in ("P1", "P2")])  # fmt: skip
    rows.loc[1, "destination"] = "shop:1"
    postings, (finding,) = read_movements(rows)
    assert [each.posting_id for each in postings] == ["P2"]
    assert (finding.rule, finding.row, finding.count) == ("posting-unreadable", 1, 2)
    rows.loc[3, "by"] = "E1"
    assert "differ in by" in read_movements(rows)[1][1].message_en
    with pytest.raises(MissingColumnsError):
        read_movements(rows.drop(columns="source"))


def at(number):
    """Return a moment so many days after the first of October."""
    return START + dt.timedelta(days=number)


def application(name="A-1", store="S01", asked=10):
    """Make an application of the first of October."""
    return GiftApplication(application_id=name, store_id=store, gift_id="CUP",
        asked=asked, purpose="birthday", applied_by="E1", applied_at=at(0))  # fmt: skip


def papers(*rows):
    """Make the frame of applications: name, asked, approved and on which day."""
    return pd.DataFrame({
        "application_id": [each[0] for each in rows], "store_id": "S01",
        "gift_id": "CUP", "asked": [each[1] for each in rows], "purpose": "birthday",
        "applied_by": "E1", "applied_at": pd.Timestamp(at(0)).tz_convert("UTC"),
        "approved": pd.array([each[2] for each in rows], "Int64"),
        "approved_by": "E2",
        "approved_at": pd.to_datetime(
            pd.Series([None if each[3] is None else at(each[3]) for each in rows]),
            utc=True)})  # fmt: skip


def delivered():
    """Make a ledger: 8 of 10 sent on day 2, 5 of them and a stranger come on day 4."""
    ledger = Ledger()
    ledger.post(Posting(posting_id="IN", kind="receipt", effective_at=at(0), movements=[
        Movement(gift_id="CUP", source="supplier", destination="warehouse", lot_id=lot,
                 quantity=20) for lot in "MJ"]))  # fmt: skip
    grant = GiftApproval(application_id="A-1", approved=10, approved_by="E2",
                         approved_at=at(1))  # fmt: skip
    ledger.post(dispatch(ledger, application(), grant, number=1, quantity=8, by="E3",
                         effective_at=at(2), on=at(2).date()))  # fmt: skip
    ledger.post(receive(ledger, application(), [ReceivedLot(quantity=5, lot_id="J"),
        ReceivedLot(quantity=1, lot_id="M")], number=1, effective_at=at(4),
        by="E1").posting)  # fmt: skip
    return ledger, grant


def state(ledger, days, *rows):
    """Return the first application's row at a moment."""
    frame = application_states(papers(*(rows or [("A-1", 10, 10, 1)])),
                               ledger.movements(), as_of=at(days))  # fmt: skip
    return frame.iloc[0]


def test_an_application_is_where_its_postings_say():
    """Asked, approved, on the way, part come, explained, sent, received, by the day."""
    ledger, grant = delivered()
    seen = [(state(ledger, day)["state"], state(ledger, day)["open"])
            for day in (0, 1, 2, 4)]  # fmt: skip
    assert seen == [("asked", 10), ("approved", 10), ("in_transit", 10),
                    ("in_transit", 5)]  # fmt: skip
    row = state(ledger, 4)
    assert [row[name] for name in ("dispatched", "received", "in_transit", "over")] == [
        8, 5, 3, 1]  # fmt: skip
    open_ones = delivery_differences(ledger.movements(), as_of=at(4))
    assert open_ones[["lot_id", "kind", "quantity"]].to_numpy().tolist() == [
        ["J", "short", 3], ["M", "over", 1]]  # fmt: skip
    assert delivery_differences(ledger.movements(), as_of=at(3)).empty

    explain = {"number": 1, "by": "E3", "reason": "box"}
    ledger.post(explain_short(ledger, application(), explanation_id="X1", quantity=2,
        cause="returned", effective_at=at(5), **explain))  # fmt: skip
    ledger.post(explain_short(ledger, application(), explanation_id="X2", quantity=1,
        cause="lost", witnesses=["E4", "E5"], effective_at=at(5),
        **explain))  # fmt: skip
    ledger.post(explain_over(ledger, application(), explanation_id="X3",
        found=ReceivedLot(quantity=1, lot_id="M"), source="warehouse",
        effective_at=at(5), **explain))  # fmt: skip
    row = state(ledger, 5)
    assert [row[name] for name in ("state", "returned", "lost", "over", "open")] == [
        "part_sent", 2, 1, 0, 2]  # fmt: skip
    assert delivery_differences(ledger.movements(), as_of=at(5)).empty
    ledger.post(dispatch(ledger, application(), grant, number=2, quantity=2, by="E3",
                         effective_at=at(6), on=at(6).date()))  # fmt: skip
    ledger.post(recall(ledger, application(), number=2, effective_at=at(7), by="E3",
                       reason="wrong"))  # fmt: skip
    assert state(ledger, 7)[["state", "dispatched"]].tolist() == ["part_sent", 8]
    ledger.post(dispatch(ledger, application(), grant, number=3, quantity=2, by="E3",
                         effective_at=at(7), on=at(7).date()))  # fmt: skip
    ledger.post(receive(ledger, application(), [ReceivedLot(quantity=2, lot_id="J")],
                        number=3, effective_at=at(8), by="E1").posting)  # fmt: skip
    row = state(ledger, 8)
    assert (row["state"], row["open"], row["received"]) == ("received", 0, 7)
    assert row["received_at"] == pd.Timestamp(at(8))


def test_a_refused_application_wants_nothing_and_one_not_made_yet_is_unknown():
    """0 approved is a refusal; before its day there is no application."""
    row = state(Ledger(), 2, ("A-1", 10, 0, 1))
    assert (row["state"], row["open"], row["overdue"]) == ("refused", 0, "")
    assert application_states(papers(("A-1", 10, 0, 1)), Ledger().movements(),
                              as_of=at(-1)).empty  # fmt: skip
    with pytest.raises(InvalidValueError):
        application_states(
            papers(), Ledger().movements(), as_of=at(0).replace(tzinfo=None)
        )


@pytest.mark.parametrize(
    ("days", "overdue", "due"),
    [
        (3, "dispatch", 1 + 3),
        (5, "dispatch", 1 + 3),
        (9, "dispatch", 1 + 3),
    ],
)
def test_a_step_is_late_after_its_time(days, overdue, due):
    """3 days to send the rest after the approval; on the last moment it is not late."""
    row = state(delivered()[0], days)
    assert row["due_at"] == pd.Timestamp(at(due))
    assert row["overdue"] == (overdue if days > due else "")


def test_waiting_for_an_answer_and_for_goods_is_late_too():
    """3 days for the approval, 7 for the way; the earliest late step is named."""
    asked = ("A-1", 10, None, None)
    assert [state(Ledger(), day, asked)["overdue"] for day in (3, 4)] == [
        "", "approval"]  # fmt: skip
    sent = ("A-1", 10, 8, 1)
    assert [state(delivered()[0], day, sent)["overdue"] for day in (9, 10)] == [
        "", "receipt"]  # fmt: skip


PLACES = ("supplier", "warehouse", "store:S01", "store:S01:damaged", "store:S02",
          "in_transit:S01:A-1:1", "adjustment:over_receipt:S01:A-1:1",
          "member:M1", "destroyed")  # fmt: skip
MOVES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(PLACES), st.sampled_from(PLACES),
              st.integers(1, 9), st.sampled_from(["M", ""]), st.booleans()
    ).filter(lambda each: each[1] != each[2]), max_size=14)  # fmt: skip


def frame_of(moves):
    """Make a frame of movements of days, places, quantities and lots."""
    return pd.DataFrame({
        "sequence": range(1, len(moves) + 1),
        "kind": ["reversal" if each[5] else "transfer" for each in moves],
        "effective_at": pd.to_datetime(
            pd.Series([at(each[0]) for each in moves], dtype="object"), utc=True),
        "gift_id": "CUP", "lot_id": [each[4] for each in moves],
        "valid_through": pd.NaT,
        "source": [each[1] for each in moves],
        "destination": [each[2] for each in moves],
        "quantity": pd.array([each[3] for each in moves], "int64").to_numpy(),
    }).astype({"sequence": "int64", "kind": "str", "gift_id": "str", "lot_id": "str",
               "source": "str", "destination": "str", "quantity": "int64"})  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(MOVES, st.integers(0, 6), st.integers(0, 3))
def test_opening_and_in_less_out_is_what_the_movements_leave(moves, first, length):
    """Opening and book are the balances at both ends; in and out cross the door."""
    period = Period.span(at(first).date(), at(first + length).date())
    rows = gift_stock(frame_of(moves), period=period, zone=SHANGHAI)

    start, book, came, went = Counter(), Counter(), Counter(), Counter()
    for day, source, destination, quantity, lot, _ in moves:
        for place, other, sign in ((source, destination, -1), (destination, source, 1)):
            home = place[:9]
            if not place.startswith("store:") or other.startswith(home):
                continue
            start[home, lot] += sign * quantity * (day < first)
            book[home, lot] += sign * quantity * (day <= first + length)
            if first <= day <= first + length:
                (came if sign > 0 else went)[home, lot] += quantity
    keys = [key for key in sorted(book) if start[key] or came[key] or went[key]]
    expect = [[*key, start[key], came[key], went[key], book[key]] for key in keys]
    names = ["place", "lot_id", "opening", "came", "went", "book"]
    assert rows[names].to_numpy().tolist() == expect


@examples(1 / 2)
@given(MOVES, st.integers(0, 6))
def test_steps_of_a_delivery_add_up_to_what_is_left_of_it(moves, days):
    """Sent less come, returned and lost is the place's balance; over the account's."""
    row = state_of(frame_of(moves), days)
    left = {place: sum(quantity * ((destination == place) - (source == place))
                       for day, source, destination, quantity, _, _ in moves
                       if day <= days) for place in PLACES[5:7]}  # fmt: skip
    assert row["in_transit"] == left[PLACES[5]]
    assert row["over"] == -left[PLACES[6]]


def state_of(movements, days):
    """Return the state of A-1 from a frame of movements."""
    return application_states(papers(("A-1", 10, 10, 0)), movements,
                              as_of=at(days)).iloc[0]  # fmt: skip
