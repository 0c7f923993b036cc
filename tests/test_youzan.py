"""Promises of the source of Youzan, against a server made from its documentation."""

import datetime as dt

import pytest

from memberops.adapters.sources.http_reading import RefusedReadingError
from memberops.adapters.sources.youzan_orders import youzan_lines
from memberops.adapters.sources.youzan_source import YouzanSource
from memberops.errors import ConfigurationError, SourceError
from memberops.testing import check_changing_source
from memberops.testing.faulty_gateway_server import GatewayAnswer
from pos_checks import CONTEXT
from youzan_cloud import TOKEN, YouzanCloud, an_order

pytest.importorskip("httpx2", reason="needs the extra 'pos'")


@pytest.fixture
def cloud():
    """A cloud that a test fills."""
    made = YouzanCloud()
    with made.server:
        yield made


def source_of(cloud, **options):
    """Return a source of it that does not wait."""
    return YouzanSource(
        CONTEXT,
        url=cloud.server.url,
        token=lambda: TOKEN,
        patience={"attempts": 4},
        sleep=lambda _: None,
        **{"sales_since": "2026-09-01", "members_since": "2026-09-01", **options},
    )


def told(found):
    """Return ticket, pieces, amount and item of each line."""
    assert found.agrees
    return [
        (row["ticket_id"], row["quantity"], row["amount"], row["item_id"])
        for row in found.rows
    ]


def a_refund(own, fee, *, tid="E1", status="SUCCESS"):
    """Return a refund as Youzan lists it."""
    return {
        "refund_id": own, "tid": tid, "status": status, "refund_fee": fee,
        "created": "2026-10-09 09:00:00", "modified": "2026-10-09 10:00:00",
        "at": int(dt.datetime(2026, 10, 9, 2, tzinfo=dt.UTC).timestamp()),
    }  # fmt: skip


def test_shipping_is_taken_out_of_what_was_paid_for_the_lines():
    """9.82 with 2.00 of shipping is 7.82 of goods, as Youzan's own example has it."""
    assert told(youzan_lines(an_order(post="2.00"), store="S")) == [
        ("E1", 2, "7.82", "G11")
    ]
    two = an_order("E1", ("11", 1, "7.50"), ("12", 1, "2.50"), post="1.00")
    assert told(youzan_lines(two, store="S")) == [
        ("E1", 1, "6.75", "G11"),
        ("E1", 1, "2.25", "G12"),
    ]


def test_a_refund_is_a_ticket_of_its_own():
    """A line paid back whole comes back; one paid back in part only in money."""
    two = an_order("E1", ("11", 2, "60.00"), ("12", 1, "40.00"))
    sale = [("E1", 2, "60.00", "G11"), ("E1", 1, "40.00", "G12")]
    refunds = [a_refund("R1", "40.00"), a_refund("R2", "20.00")]
    lines = youzan_lines(
        two, store="S", refunds=refunds, items={"R1": ["12"], "R2": ["11"]}
    )
    assert told(lines) == [
        *sale, ("R1", -1, "-40.00", "G12"), ("R2", 0, "-20.00", "G11"),
    ]  # fmt: skip
    assert {row["returned_ticket_id"] for row in lines.rows[2:]} == {"E1"}
    assert lines.rows[2]["sold_at"].isoformat() == "2026-10-09T10:00:00+08:00"
    whole = youzan_lines(two, store="S", refunds=[a_refund("R1", "100.00")])
    assert told(whole) == [
        *sale, ("R1", -2, "-60.00", "G11"), ("R1", -1, "-40.00", "G12"),
    ]  # fmt: skip


def test_a_refund_beyond_the_goods_is_shipping_and_then_money():
    """Two refunds of all and more: shipping once, what is left is named as money."""
    order = an_order(post="2.00")
    refunds = [a_refund("R1", "9.82"), a_refund("R2", "1.00")]
    assert told(youzan_lines(order, store="S", refunds=refunds)) == [
        ("E1", 2, "7.82", "G11"),
        ("R1", -2, "-7.82", "G11"),
        ("R2", 0, "-1.00", None),
    ]


def test_what_was_free_comes_back_with_what_it_came_along_with():
    """With the last part of an order, and once."""
    gift = an_order("E1", ("11", 2, "60.00"), ("12", 1, "0.00"))
    sale = [("E1", 2, "60.00", "G11"), ("E1", 1, "0.00", "G12")]
    part, rest = a_refund("R1", "20.00"), a_refund("R2", "40.00")
    assert told(youzan_lines(gift, store="S", refunds=[part, rest])) == [
        *sale,
        ("R1", 0, "-20.00", "G11"),
        ("R2", -2, "-40.00", "G11"),
        ("R2", -1, "0.00", "G12"),
    ]
    named = {"R1": ["11"], "R2": ["11"]}
    lines = youzan_lines(gift, store="S", refunds=[part, rest], items=named)
    assert told(lines) == [
        *sale, ("R1", 0, "-20.00", "G11"), ("R2", -2, "-40.00", "G11"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("info", "counts"),
    [
        ({"status": "WAIT_BUYER_PAY", "pay_time": None}, False),
        ({"status": "TRADE_CLOSED", "pay_time": None}, False),
        ({"status": "TRADE_CLOSED", "refund_state": 12}, False),
        ({"status": "TRADE_CLOSED", "refund_state": 2}, True),
        ({"status": "TRADE_PAID"}, True),
        ({"status": "WAIT_SELLER_SEND_GOODS"}, True),
        ({"status": "SOMETHING_NEW"}, False),
    ],
)
def test_an_order_counts_from_when_it_was_paid(info, counts):
    """Nor does one that was closed with all money back, of which no refund tells."""
    found = youzan_lines(an_order(**info), store="S")
    assert bool(found.rows) is counts
    assert found.gone == ([] if counts else ["E1"])


def test_a_refund_that_is_not_done_takes_nothing_back():
    """It is named as one that does not count, though it may have counted."""
    found = youzan_lines(
        an_order(), store="S", refunds=[a_refund("R1", "9.82", status="CLOSED")]
    )
    assert (len(found.rows), found.gone) == (1, ["R1"])


@pytest.mark.parametrize("amount", ["many", "0.001", "NaN"])
def test_an_amount_that_is_none_ends_the_reading(amount):
    """It is never rounded and never taken for nothing."""
    order = an_order()
    order["orders"][0]["payment"] = amount
    with pytest.raises(SourceError, match="amount"):
        youzan_lines(order, store="S")


@pytest.mark.parametrize("table", ["members", "sales"])
def test_the_contract_of_changing_sources_is_kept(cloud, table):
    """New, changed and deleted records, and cursors that are gone, in small pages."""
    options = {"members_since": "2012-01-01", "page": 3}
    check_changing_source(lambda: source_of(cloud, **options), cloud, table=table)


def test_an_order_that_changes_while_pages_are_read_hides_no_other(cloud):
    """All move up where one goes to the end, and one would be passed over."""
    for at in range(9):
        stamp = f"2026-10-0{at + 1} 08:00:00"
        cloud.orders[f"E{at}"] = an_order(f"E{at}", update_time=stamp)
    left = ["E0"]

    def change(name, page):
        if name.endswith("sold.get") and page == 2 and left:
            cloud.orders[left.pop()]["order_info"]["update_time"] = cloud.local()

    cloud.before_page = change
    found = source_of(cloud, page=4, window_days=90).read("sales")
    assert sorted(found.frame["ticket_id"]) == [f"E{at}" for at in range(9)]
    assert not left


def test_a_span_with_more_orders_than_youzan_gives_is_halved(cloud):
    """A hundred pages are the most that it gives of one question."""
    for at in range(110):
        stamp = f"2026-10-{at // 10 + 1:02} 08:{at % 10:02}:00"
        cloud.orders[f"E{at}"] = an_order(f"E{at}", update_time=stamp)
    found = source_of(cloud, page=1, window_days=90).read("sales")
    assert found.accepted == 110
    lists = [body for name, body in cloud.asked if name.endswith("sold.get")]
    assert max(body["page_no"] for body in lists) <= 100


def test_a_refund_of_an_old_order_is_seen_though_the_order_says_nothing(cloud):
    """Youzan does not promise to date the order anew."""
    cloud.orders["E1"] = an_order()
    source = source_of(cloud)
    first = source.changes("sales", since=None)
    cloud.now += dt.timedelta(days=2)
    at = int(cloud.now.timestamp()) - 60
    cloud.refunds["R1"] = {**a_refund("R1", "9.82"), "at": at}
    cloud.orders["E1"]["order_info"]["refund_state"] = 12
    later = source_of(cloud).changes("sales", since=first.cursor)
    assert not later.whole
    amounts = later.result.frame.set_index("ticket_id")["amount"]
    assert amounts.to_dict() == {"E1": 982, "R1": -982}


def test_what_is_encrypted_is_left_empty_and_told(cloud):
    """Ciphertext is no phone, and nobody is to be written to at it."""
    at = int(cloud.now.timestamp()) - 60
    hidden = {"mobile": "$uhqbqg15Dn5slYol==$1$", "show_name": "$uJsz0E3z=$1$"}
    cloud.customers["a"] = {"yz_open_id": "a", "created_at": at, **hidden}
    found = source_of(cloud).read("members")
    assert found.frame[["name", "phone"]].isna().all(axis=None)
    told = {each.rule: each.count for each in found.findings}
    assert told["personal-data-encrypted"] == 2


def test_moments_in_the_other_unit_do_not_pass_for_no_customers(cloud):
    """Where Youzan takes milliseconds, seconds would find nobody."""
    at = int(cloud.now.timestamp()) - 60
    cloud.customers["a"] = {"yz_open_id": "a", "created_at": at * 1000}
    with pytest.raises(SourceError, match="'epoch'"):
        source_of(cloud).read("members")
    found = source_of(cloud, epoch="ms").read("members")
    assert f"{found.frame['joined_on'][0]:%Y-%m-%d}" == "2026-11-05"


BUSY = {"gw_err_resp": {"err_code": 4101, "err_msg": "访问频繁"}}


def test_what_youzan_is_too_busy_for_is_asked_again(cloud):
    """It says so in the body, with HTTP 200, in three ways; or by HTTP."""
    cloud.orders["E1"] = an_order()
    cloud.odd = [
        BUSY,
        {"code": 123000042, "success": False, "message": "请求被限流", "data": None},
        GatewayAnswer(body=b"{}", status=429),
    ]
    assert source_of(cloud).read("sales").accepted == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"gw_err_resp": {"err_code": 4203, "err_msg": f"Token {TOKEN}"}},
        {"code": 5000, "success": False, "message": "13800138000", "data": {}},
        {"success": True, "data": None},
        {"success": True, "data": {"total_results": "2"}},
        {"success": True, "data": {"full_order_info_list": []}},
        {"code": 106000001, "success": False, "data": {"full_order_info_list": []}},
    ],
)
def test_an_answer_that_is_none_is_an_error_without_its_words(cloud, answer):
    """An empty list of a failure is no empty table, and no secret is told."""
    cloud.odd = [answer] * 9
    with pytest.raises(SourceError) as caught:
        source_of(cloud).read("sales")
    assert TOKEN not in str(caught.value)
    assert "13800138000" not in str(caught.value)


def test_a_wrong_token_is_refused_with_what_to_do(cloud):
    """Youzan lets a token live for seven days."""
    cloud.orders["E1"] = an_order()
    source = YouzanSource(CONTEXT, url=cloud.server.url, token=lambda: "old")
    with pytest.raises(RefusedReadingError, match="token is no more valid"):
        source.read("sales")


@pytest.mark.parametrize(
    "options",
    [{"epoch": "h"}, {"window_days": 91}, {"page": 0}, {"sales_since": "soon"}],
)
def test_options_that_cannot_be_are_refused(options):
    """Before anything is asked."""
    with pytest.raises(ConfigurationError):
        YouzanSource(CONTEXT, token=lambda: TOKEN, **options)


def test_a_cursor_of_another_address_is_not_built_upon(cloud):
    """What one shop gave would be mixed with what another one gives."""
    cloud.orders["E1"] = an_order()
    first = source_of(cloud).changes("sales", since=None)
    other = YouzanCloud()
    with other.server:
        other.orders["E2"] = an_order("E2")
        later = source_of(other).changes("sales", since=first.cursor)
    assert later.whole
    assert {each.rule for each in later.result.findings} >= {"cursor-unknown"}
