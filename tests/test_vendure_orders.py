"""Promises of what is made of the orders of Vendure, refunded in whatever way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.adapters.sources.vendure_orders import vendure_lines
from memberops.adapters.sources.vendure_source import VendureSource
from memberops.errors import ConfigurationError, SourceError
from pos_checks import CONTEXT

AT = "2026-10-05T06:00:00.000Z"
PRICE = 19990
SHIPPING = 800


def a_line(own="1", *, quantity=2, placed=2, price=PRICE, name="大衣"):
    """Return a line as Vendure gives it."""
    return {
        "id": own,
        "quantity": quantity,
        "orderPlacedQuantity": placed,
        "unitPriceWithTax": price,
        "proratedUnitPriceWithTax": price,
        "proratedLinePriceWithTax": price * quantity,
        "productVariant": {"id": own, "sku": f"G{own}", "name": name},
    }


def a_refund(own, total, *units, at=AT, payment="p", state="Settled", shipping=0):
    """Return a refund as Vendure gives it."""
    return {
        "id": own, "state": state, "createdAt": at, "updatedAt": at, "total": total,
        "shipping": shipping, "paymentId": payment,
        "lines": [{"orderLineId": line, "quantity": many} for line, many in units],
    }  # fmt: skip


def an_order(*lines, refunds=(), paid=2 * PRICE + SHIPPING, **changed):
    """Return an order of two coats and shipping, paid at once."""
    order = {
        "id": "7", "code": "T7", "type": "Regular", "state": "PaymentSettled",
        "orderPlacedAt": AT, "updatedAt": AT, "currencyCode": "CNY",
        "shippingWithTax": SHIPPING, "shippingLines": [{"discounts": []}],
        "surcharges": [], "modifications": [], "lines": list(lines) or [a_line()],
        "payments": [{"state": "Settled", "amount": paid, "refunds": list(refunds)}],
    }  # fmt: skip
    return order | changed


def made(order, *, currency="CNY", digits=2):
    """Return what an order gives."""
    return vendure_lines(
        order, store="S1", member="m", currency=currency, digits=digits
    )


def told(order):
    """Return ticket, quantity and amount of each line, and hold the order to it."""
    found = made(order)
    assert found.agrees
    return sorted((r["ticket_id"], r["quantity"], r["amount"]) for r in found.rows)


def test_a_refund_of_units_is_a_ticket_of_its_own():
    """The sale stays what it was, whether Vendure still has the unit or not."""
    refund = a_refund("3", PRICE, ("1", 1))
    expected = [("T7", 2, "399.80"), ("T7-R3", -1, "-199.90")]
    assert told(an_order(refunds=[refund])) == expected
    gone = a_line(quantity=1)
    assert told(an_order(gone, refunds=[refund])) == expected
    (sale, back) = sorted(
        made(an_order(gone, refunds=[refund])).rows, key=lambda row: row["ticket_id"]
    )
    assert (sale["returned_ticket_id"], back["returned_ticket_id"]) == (None, "T7")


def test_a_refund_without_units_is_for_those_that_were_canceled():
    """If there are none, it is money without goods."""
    refund = a_refund("3", PRICE)
    assert told(an_order(a_line(quantity=1), refunds=[refund])) == [
        ("T7", 2, "399.80"),
        ("T7-R3", -1, "-199.90"),
    ]
    assert told(an_order(refunds=[a_refund("3", 5)])) == [
        ("T7", 2, "399.80"),
        ("T7-R3", 0, "-0.05"),
    ]


def test_a_kindness_before_a_return_takes_no_units_from_it():
    """Refunds that name their units have them first, whatever came first."""
    refunds = [
        a_refund("3", 5),
        a_refund("4", PRICE, ("1", 1), at="2026-10-09T06:00:00.000Z"),
    ]
    assert told(an_order(a_line(quantity=1), refunds=refunds)) == [
        ("T7", 2, "399.80"),
        ("T7-R3", 0, "-0.05"),
        ("T7-R4", -1, "-199.90"),
    ]


def test_a_refund_shared_out_over_two_payments_is_one():
    """Vendure names the same units in both."""
    refunds = [
        a_refund("3", 10000, ("1", 1), payment="p"),
        a_refund("4", 9990, ("1", 1), payment="q"),
    ]
    assert told(an_order(a_line(quantity=1), refunds=refunds)) == [
        ("T7", 2, "399.80"),
        ("T7-R3", -1, "-199.90"),
    ]
    # Two units, one after the other, are two.
    later = [refunds[0] | {"total": PRICE}, a_refund("4", PRICE, ("1", 1))]
    assert told(an_order(a_line(quantity=0), refunds=later)) == [
        ("T7", 2, "399.80"),
        ("T7-R3", -1, "-199.90"),
        ("T7-R4", -1, "-199.90"),
    ]


def test_shipping_is_neither_sold_nor_returned():
    """Neither where it was canceled nor where its refund says so."""
    canceled = [{"discounts": [{"adjustmentSource": "CANCEL_ORDER",
                                "amountWithTax": -SHIPPING}]}]  # fmt: skip
    both = a_refund("3", PRICE + SHIPPING, ("1", 1))
    expected = [("T7", 2, "399.80"), ("T7-R3", -1, "-199.90")]
    assert (
        told(
            an_order(
                a_line(quantity=1),
                refunds=[both],
                shippingWithTax=0,
                shippingLines=canceled,
            )
        )
        == expected
    )
    said = both | {"shipping": SHIPPING}
    assert told(an_order(a_line(quantity=1), refunds=[said])) == expected


def test_an_order_that_was_canceled_and_never_refunded_was_never_sold():
    """Its ticket goes, and with it refunds that failed; a failed one never counts."""
    failed = a_refund("3", PRICE, ("1", 1), state="Failed")
    found = made(an_order(a_line(quantity=0), refunds=[failed], state="Cancelled"))
    assert (found.rows, found.gone) == ([], ["T7", "T7-R3"])
    found = made(an_order(refunds=[failed]))
    assert found.agrees
    assert [row["ticket_id"] for row in found.rows] == ["T7"]
    assert found.gone == ["T7-R3"]


def test_an_order_that_was_canceled_and_refunded_was_sold_and_returned():
    """What was kept of the money stays sold; a discount is not taken for such."""
    refund = a_refund("3", 2 * PRICE - 500, ("1", 2))
    canceled = {"state": "Cancelled", "shippingWithTax": 0, "refunds": [refund]}
    assert told(an_order(a_line(quantity=0), paid=2 * PRICE, **canceled)) == [
        ("T7", 2, "399.80"),
        ("T7-R3", -2, "-394.80"),
    ]
    # Vendure forgets the discount of a line of which nothing is left.
    less = 2 * PRICE - 500
    assert told(an_order(a_line(quantity=0), paid=less, **canceled)) == [
        ("T7", 2, "394.80"),
        ("T7-R3", -2, "-394.80"),
    ]


def test_a_line_that_was_added_later_may_be_canceled_too():
    """Vendure says that none of it was there when the order was placed."""
    lines = [a_line(), a_line("2", quantity=0, placed=0, price=5905, name="围巾")]
    order = an_order(
        *lines,
        refunds=[a_refund("3", 5905, ("2", 1))],
        paid=2 * PRICE + SHIPPING + 5905,
        modifications=[{"lines": [{"orderLineId": "2", "quantity": 1}]}],
    )
    assert told(order) == [
        ("T7", 1, "59.05"),
        ("T7", 2, "399.80"),
        ("T7-R3", -1, "-59.05"),
    ]


def test_surcharges_are_sold_and_what_does_not_add_up_is_told():
    """A fee is money without goods; a gift card that paid a part is a finding."""
    fee = [{"sku": "", "description": "包装", "priceWithTax": 100}]
    order = an_order(surcharges=fee, paid=2 * PRICE + SHIPPING + 100)
    assert told(order)[0] == ("T7", 0, "1.00")
    assert not made(an_order(paid=PRICE)).agrees


def test_an_order_of_many_sellers_is_sold_by_them():
    """What holds their orders together is no sale of its own."""
    assert made(an_order(type="Aggregate")).gone == ["T7"]
    found = made(an_order(type="Seller", payments=[]))
    assert found.agrees
    assert len(found.rows) == 1


def test_an_amount_in_another_currency_says_so_and_digits_are_the_servers():
    """It is never taken for one of the chain's."""
    assert made(an_order(), currency="EUR").rows[0]["amount"] == "399.80 CNY"
    assert made(an_order(), digits=0).rows[0]["amount"] == "39980"


def test_a_number_that_is_not_whole_is_refused():
    """Vendure's money is in whole units, so a fraction is another server's."""
    with pytest.raises(SourceError, match="not whole"):
        made(an_order(shippingWithTax="8.00"))


@settings(max_examples=60)
@given(data=st.data())
def test_units_canceled_and_refunded_in_any_turns_were_sold_at_what_was_paid(data):
    """The sale less the returns is what Vendure still has, to the last unit and fen."""
    placed = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    lines, refunds, own = [], [], 0
    left = list(placed)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(placed) - 1))
        if left[at]:
            many = data.draw(st.integers(1, left[at]))
            left[at] -= many
            own += 1
            moment = f"2026-10-{10 + own}T06:00:00.000Z"
            refunds.append(
                a_refund(str(own), many * (100 + at), (str(at), many), at=moment)
            )
    lines = [
        a_line(str(at), quantity=left[at], placed=placed[at], price=100 + at)
        for at in range(len(placed))
    ]
    paid = sum(many * (100 + at) for at, many in enumerate(placed)) + SHIPPING
    found = made(an_order(*lines, refunds=refunds, paid=paid), digits=0)
    assert found.agrees
    for at, line in enumerate(lines):
        rows = [row for row in found.rows if row["item_id"] == f"G{at}"]
        sold = [row for row in rows if row["ticket_id"] == "T7"]
        assert [row["quantity"] for row in sold] == [placed[at]]
        assert int(sold[0]["amount"]) == placed[at] * (100 + at)
        assert sum(row["quantity"] for row in rows) == left[at]
        assert sum(int(row["amount"]) for row in rows) == left[at] * (100 + at)
        assert line["quantity"] == left[at]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({}, "'user' with a 'password'"),
        ({"user": "u"}, "'user' with a 'password'"),
        ({"user": "u", "password": {"env": "P"}, "key": {"env": "K"}}, "or by a 'key'"),
        ({"key": {"env": "K"}, "store_field": "code } } orders { id"}, "store_field"),
        ({"key": {"env": "K"}, "member_fields": {"name": "a|b"}}, "member_fields"),
        ({"key": {"env": "K"}, "page": 1}, "2 records"),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(options, hint):
    """Nothing that is no name ever comes into a query."""
    with pytest.raises(ConfigurationError, match=hint):
        VendureSource(CONTEXT, url="http://127.0.0.1:1", **options)
