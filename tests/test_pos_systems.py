"""Promises of what sources of POS systems make of odd records."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.adapters.sources.medusa_orders import order_lines
from memberops.adapters.sources.moment_cursor import MomentCursor
from memberops.adapters.sources.shares import shares
from memberops.adapters.sources.tryton_source import TrytonSource
from memberops.errors import SourceError, UnknownTableError
from pos_checks import CONTEXT
from sms_server import SmsServer, answer


def lines_of(order, *, currency="CNY"):
    """Return what an order of Medusa gives."""
    return order_lines(order, store="S1", member="m", currency=currency, digits=2)


def an_order(**changed):
    """Three coats at 33.33 and a third, of which one came back, then another."""
    took = {"item_id": "i", "received_quantity": 1, "damaged_quantity": 0}
    order = {
        "id": "o",
        "status": "pending",
        "created_at": "2026-10-01T00:00:00Z",
        "currency_code": "cny",
        "total": Decimal("33.34"),
        "shipping_total": 0,
        "items": [
            {
                "id": "i",
                "title": "大衣",
                "quantity": 3,
                "unit_price": Decimal("40.00"),
                "total": Decimal("33.34"),
                "return_received_total": Decimal("66.67"),
                "detail": {"return_received_quantity": 2},
            }
        ],
        "returns": [
            {"id": f"r{at}", "status": "received", "received_at": f"2026-10-0{at}",
             "items": [{**took, "id": "x"}]}
            for at in (2, 3)
        ],
        "credit_lines": [],
    }  # fmt: skip
    return order | changed


def test_what_came_back_in_parts_adds_up_to_what_was_paid_for_it():
    """The sale keeps what was paid; each return takes its part, to the last cent."""
    made = lines_of(an_order())
    assert made.agrees
    assert [(row["ticket_id"], row["amount"]) for row in made.rows] == [
        ("o", "100.01"),
        ("r2", "-33.34"),
        ("r3", "-33.33"),
    ]
    assert [row["returned_ticket_id"] for row in made.rows] == [None, "o", "o"]


def test_an_order_that_holds_what_is_not_read_is_told():
    """A total that the lines do not make, such as by a gift card, does not agree."""
    assert not lines_of(an_order(total=Decimal("13.34"))).agrees
    shipped = an_order(total=Decimal("43.34"), shipping_total=10)
    assert lines_of(shipped).agrees


def test_a_canceled_order_takes_all_of_its_tickets_along():
    """The order, its returns and its credits count no more; nor does an open return."""
    made = lines_of(an_order(status="canceled", credit_lines=[{"id": "c"}]))
    assert (made.rows, made.gone) == ([], ["o", "r2", "r3", "c"])
    asked = an_order()
    asked["returns"][1]["status"] = "requested"
    asked["returns"][1]["received_at"] = None
    assert lines_of(asked).gone == ["r3"]


def test_an_amount_in_another_currency_says_so():
    """It is never taken for one of the chain's."""
    assert {
        row["amount"][-4:] for row in lines_of(an_order(), currency="EUR").rows
    } == {" CNY"}


@settings(max_examples=40)
@given(
    total=st.decimals(-(10**6), 10**6, places=2),
    weights=st.lists(st.decimals(0, 10**4, places=2), min_size=1, max_size=9),
)
def test_shares_add_up_and_none_is_off_by_more_than_a_unit(total, weights):
    """Whatever is shared out over whatever lines."""
    parts = shares(total, weights, digits=2)
    assert sum(parts) == total
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - total * weight / whole) <= Decimal("0.01")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "[" * 9999, '{"v": 1, "table": "sales", "mark": "m"}',
     '{"v": 1, "table": "sales", "mark": "m", "at": "2026-11-05", "counts": {}}',
     '{"v": 1, "table": "sales", "mark": "m", "at": null, "counts": {"a": 1}}'],
)  # fmt: skip
def test_a_cursor_of_anybody_else_is_none(text):
    """It is never an error and never believed."""
    assert MomentCursor.opened(text, table="sales", mark="m") is None


@pytest.fixture
def server():
    """A server that says what a test gives it."""
    made = SmsServer()
    yield made
    made.close()


def tryton(server):
    """Return a source of it that asks once."""
    return TrytonSource(
        CONTEXT,
        url=server.url,
        database="pos",
        user="office",
        password=lambda: "canary-password",
        patience={"attempts": 1},
    )


@pytest.mark.parametrize(
    "document",
    [{"result": None}, {"error": ["UserError", "canary-name"]},
     {"error": ["canary", ""]}, {"id": 1}, [1], "x",
     {"result": [{"__class__": "Decimal", "decimal": "many"}, 2]}],
)  # fmt: skip
def test_an_answer_that_is_not_trytons_is_told_without_its_words(server, document):
    """A wrong password, a refusal or another server altogether; nothing is quoted."""
    server.reply = answer(document)
    with pytest.raises(SourceError) as told:
        tryton(server).read("members")
    assert "canary" not in str(told.value)


def test_a_table_that_tryton_lacks_is_refused_before_anything_is_asked(server):
    """The nearest that it has is named."""
    with pytest.raises(UnknownTableError, match="stores"):
        tryton(server).read("cards")
    assert not server.seen
