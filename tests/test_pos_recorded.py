"""Sources of known systems, against answers made by hand from their documentation."""

import hashlib
import json
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.erpnext import erpnext_source
from memberops.adapters.sources.odoo import odoo_source
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.shopify import shopify_source
from memberops.adapters.sources.square import square_source
from memberops.adapters.sources.woocommerce import woocommerce_source
from memberops.domain import Currency
from memberops.errors import ConfigurationError, SourceError
from memberops.testing.contracts import check_source
from memberops.testing.faulty_gateway_server import GatewayAnswer, LoopbackServer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

RECORDED = Path(__file__).parent / "data" / "pos"
KEY = "a-key-of-the-shop"
DATE = "Mon, 09 Nov 2026 08:00:00 GMT"


def square(url, **more):
    """Make the source of Square."""
    more = {"locations": ["L1"], **more}
    return square_source(context("USD"), base_url=url, token=lambda: KEY, **more)


def shopify(url, **more):
    """Make the source of Shopify."""
    return shopify_source(
        context(), shop="acme", base_url=url, token=lambda: KEY, **more
    )


def woocommerce(url, **more):
    """Make the source of WooCommerce."""
    return woocommerce_source(
        context(), base_url=url, key=lambda: "ck", secret=lambda: KEY, **more
    )


def odoo(url, **more):
    """Make the source of Odoo, by JSON-2."""
    return odoo_source(
        context(), base_url=url, key=lambda: KEY, database="acme", **more
    )


def erpnext(url, **more):
    """Make the source of ERPNext."""
    return erpnext_source(context(), base_url=url, token=lambda: f"k:{KEY}", **more)


def context(currency="CNY"):
    """Return the chain that reads."""
    return SourceContext(
        folder=Path(), currency=Currency(currency), zone=ZoneInfo("Asia/Shanghai")
    )


SYSTEMS = {
    "square": square,
    "shopify": shopify,
    "woocommerce": woocommerce,
    "odoo": odoo,
    "erpnext": erpnext,
}
# ERPNext's id is the name, which stands unmasked nowhere.
WANG = "C-" + hashlib.sha256("王小明".encode()).hexdigest()[:16]
# ticket, day in Shanghai, store, member, item, quantity, amount, ticket taken back
SALES = {
    "square": [
        ("ORD1", "2026-11-05", "L1", "CUST1", "ITEM1", 2, 39980, None),
        ("ORD1", "2026-11-05", "L1", "CUST1", "ITEM2", 1, 4500, None),
        ("ORD3", "2026-11-07", "L1", "CUST1", "ITEM1", -1, -19990, "ORD1"),
    ],
    "shopify": [
        ("1", "2026-11-05", "501", "71", "C-1", 2, 39980, None),
        ("4", "2026-11-05", "online", None, "C-1", 2, 39980, None),
        ("R1", "2026-11-07", "online", None, "C-1", -1, -19990, "4"),
    ],
    "woocommerce": [
        ("723", "2026-11-05", "online", "25", "93", 2, 39980, None),
        ("727", "2026-11-05", "online", None, "93", 2, 39980, None),
        ("730", "2026-11-07", "online", None, "93", -1, -19990, "727"),
    ],
    "odoo": [
        ("41", "2026-11-05", "3", "7", "55", 2, 39980, None),
        ("43", "2026-11-07", "3", None, "55", -1, -19990, "41"),
    ],
    "erpnext": [
        ("ACC-1", "2026-11-05", "一店", WANG, "C-1", 2, 39980, None),
        ("ACC-3", "2026-11-07", "一店", WANG, "C-1", -1, -19990, "ACC-1"),
    ],
}
GONE = {
    "square": "ORD1",
    "shopify": "1",
    "woocommerce": "723",
    "odoo": "41",
    "erpnext": "ACC-1",
}
MEMBERS = {
    "square": [("CUST1", "Ada King", "+12065550100", "2026-11-02")],
    "shopify": [
        ("71", "王小明", "+8613812345678", "2026-11-02"),
        ("72", "李四", None, "2026-11-01"),
    ],
    "woocommerce": [("25", "小明 王", "13812345678", "2026-11-02")],
    "odoo": [("7", "王小明", "+86 138 1234 5678", "2026-11-02")],
    "erpnext": [(WANG, "王小明", "13812345678", "2026-11-02")],
}


class Recorded:
    """Gives recorded answers in their order, and notes what was asked otherwise."""

    def __init__(self, system, table, *, faults=()):
        known = json.loads((RECORDED / f"{system}.json").read_text("utf-8"))
        self.left = [each for each in known["exchanges"] if each["table"] == table]
        self.faults = list(faults)
        self.wrong = []
        self.seen = []
        self._lock = threading.Lock()
        self._server = LoopbackServer(self._serve)
        self.url = self._server.url

    def __enter__(self):
        """Serve."""
        return self

    def __exit__(self, *_error):
        """Stop."""
        self._server.close()

    def _serve(self, request, connection):
        with self._lock:
            self.seen.append(request)
            fault = self.faults.pop(0) if self.faults else ""
            if fault.isdigit():
                connection.answer(GatewayAnswer(body=b"{}", status=int(fault)))
                return
            parts = urlsplit(request.target)
            exchange = self.left[0] if self.left else {"method": "nothing", "path": ""}
            got = request.method, parts.path
            due = exchange["method"], exchange["path"]
            if got != due:
                self.wrong.append((got, due))
                connection.answer(GatewayAnswer(body=b"{}", status=404))
                return
            said = dict(parse_qsl(parts.query))
            if request.method == "POST":
                said = json.loads(request.body)
            for path, value in exchange["asks"].items():
                found = said.get(path) if path in said else look_up(said, path)
                if found != value:
                    self.wrong.append((path, found, value))
            answer = GatewayAnswer(
                body=json.dumps(exchange["answer"]).encode(),
                headers={"Date": DATE, **exchange.get("headers", {})},
            )
            if fault == "half":
                connection.half(answer)
                return
            self.left.pop(0)
        connection.answer(answer)


def rows(frame, names):
    """Return rows as tuples, days as text and nothing as None."""
    plain = frame[names].astype(object)
    plain = plain.where(plain.notna(), None)
    return [
        tuple(str(each)[:10] if hasattr(each, "day") else each for each in row)
        for row in plain.itertuples(index=False, name=None)
    ]


def sales_of(frame):
    """Return sales as `SALES` says them."""
    names = ["ticket_id", "sold_on", "store_id", "member_id", "item_id", "quantity"]
    return rows(frame, [*names, "amount", "returned_ticket_id"])


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "faults", [(), ("429", "half", "500", "", "503", "half")], ids=["calm", "faulty"]
)
def test_sales_are_read_and_what_changed_in_them(system, faults):
    """
    Whole, then since: returns linked, drafts left out, what was canceled taken out.

    The requests are those that the documentation asks for, the second reading begins
    at the last change less the overlap, and statuses and cut answers change nothing.
    """
    with Recorded(system, "sales", faults=faults) as shop:
        patience = {"attempts": 9}
        source = SYSTEMS[system](shop.url, sleep=lambda _: None, patience=patience)
        whole = source.changes("sales", since=None)
        asked = len(shop.left)
        if system in {"square", "shopify"}:
            # Two pages were read: the next reading begins where the first one ended.
            assert '"at": "2026-11-05T07:00:00+00:00"' in whole.cursor
        part = source.changes("sales", since=whole.cursor)
    assert shop.wrong == []
    assert shop.left == []
    assert asked == sum(1 for each in exchanges(system, "sales") if each.get("since"))
    assert sales_of(whole.result.frame) == SALES[system]
    assert whole.result.rejected == 0
    assert whole.whole
    assert not part.whole
    assert (GONE[system],) in part.deleted
    merged = merge_changes(whole.result.frame, part)
    left = [row for row in SALES[system] if row[0] != GONE[system]]
    assert sales_of(merged) == left


def exchanges(system, table):
    """Return what was recorded for a table."""
    known = json.loads((RECORDED / f"{system}.json").read_text("utf-8"))
    return [each for each in known["exchanges"] if each["table"] == table]


@pytest.mark.parametrize("system", SYSTEMS)
def test_members_are_read(system):
    """Members with name and phone; who is archived or disabled is none."""
    with Recorded(system, "members") as shop:
        frame = SYSTEMS[system](shop.url).read("members").frame
    assert shop.wrong == []
    names = ["member_id", "name", "phone", "joined_on"]
    assert rows(frame, names) == MEMBERS[system]


@pytest.mark.parametrize("system", ["square", "shopify", "odoo", "erpnext"])
def test_stores_are_read(system):
    """Stores carry the ids that sales carry."""
    with Recorded(system, "stores") as shop:
        frame = SYSTEMS[system](shop.url).read("stores").frame
    assert shop.wrong == []
    assert set(frame["store_id"]) <= {row[2] for row in SALES[system]}
    assert len(frame) == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_source_keeps_the_promises_of_all(system):
    """The contract of sources, for sales: types, reasons, repeatable, masked."""
    with Recorded(system, "sales") as shop:
        once = [each for each in shop.left if not each.get("since")]
        shop.left = once * 3
        check_source(SYSTEMS[system](shop.url, sleep=lambda _: None), "sales")
    assert shop.wrong == []


CURRENCIES = {
    "square": lambda order: [
        line["total_money"].update(currency="JPY") for line in order["line_items"]
    ],
    "shopify": lambda order: order.update(currencyCode="USD"),
    "woocommerce": lambda order: order.update(currency="USD"),
    "odoo": lambda order: order["currency_id"].update(display_name="USD"),
    "erpnext": lambda order: order.update(currency="USD"),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_order_in_another_currency_is_refused(system):
    """Neither 10 dollars nor 1000 yen are taken for what the chain counts in."""
    own = SALES[system][0][0]
    with Recorded(system, "sales") as shop:
        for order in orders_of(shop.left, own):
            CURRENCIES[system](order)
        result = SYSTEMS[system](shop.url, sleep=lambda _: None).read("sales")
    assert own not in set(result.frame["ticket_id"])
    lines = sum(row[0] == own for row in SALES[system])
    assert result.rejects["rule"].tolist() == ["amount-currency"] * lines
    assert len(result.frame) == len(SALES[system]) - lines


def orders_of(found, own):
    """Yield the recorded orders of an id, wherever they stand."""
    for each in found.values() if isinstance(found, dict) else found:
        if isinstance(each, dict | list):
            yield from orders_of(each, own)
    if isinstance(found, dict) and {*found} & {"line_items", "lineItems", "lines",
                                               "items"}:  # fmt: skip
        names = ("id", "legacyResourceId", "name")
        if own in [str(found.get(name)) for name in names]:
            yield found


def test_the_wait_of_shopify_is_what_the_query_costs():
    """(632 - 132) points at 50 a second are 10 seconds."""
    pauses = []
    with Recorded("shopify", "sales") as shop:
        shopify(shop.url, sleep=pauses.append).read("sales")
    assert pauses == [10]


def test_lines_that_shopify_cuts_are_told():
    """An order with more lines than a query may ask for is no silent loss."""
    with Recorded("shopify", "sales") as shop:
        nodes = shop.left[1]["answer"]["data"]["orders"]["nodes"]
        nodes[0]["lineItems"]["pageInfo"]["hasNextPage"] = True
        found = shopify(shop.url, sleep=lambda _: None).read("sales").findings
    assert [(each.rule, each.count) for each in found] == [("lines-cut", 1)]


def test_json_rpc_signs_each_call_and_says_its_errors():
    """Before Odoo 19 the key stands in the body, and errors come with status 200."""
    bodies = []

    def serve(request, connection):
        body = json.loads(request.body)["params"]
        bodies.append((urlsplit(request.target).path, body))
        if body["method"] == "authenticate":
            said = {"result": 2 if body["args"][1] == "ada" else False}
        elif body["args"][3] == "pos.config":
            said = {"error": {"data": {"name": "odoo.exceptions.AccessError"}}}
        else:
            recorded = [e["answer"] for e in exchanges("odoo", "members")]
            after = body["args"][6]["domain"][1][2]
            said = {"result": recorded[1 if after else 0]}
        connection.answer(GatewayAnswer(body=json.dumps(said).encode()))

    with LoopbackServer(serve) as server:
        source = odoo(server.url, interface="json-rpc", user="ada")
        frame = source.read("members").frame
        with pytest.raises(SourceError, match="AccessError") as caught:
            source.read("stores")
        with pytest.raises(SourceError, match="does not know"):
            odoo(server.url, interface="json-rpc", user="eve").read("stores")
    assert list(frame["member_id"]) == ["7"]
    assert {path for path, _ in bodies} == {"/jsonrpc"}
    assert bodies[1][1]["args"][:5] == [
        "acme",
        2,
        KEY,
        "res.partner",
        "web_search_read",
    ]
    assert KEY not in str(caught.value)


def test_a_caller_may_choose_other_fields():
    """Paths and constants of a caller stand in place of the usual ones."""
    with Recorded("woocommerce", "sales") as shop:
        source = woocommerce(
            shop.url,
            sleep=lambda _: None,
            columns={"item_id": "product_id", "amount": "total"},
            constants={"store_id": "S09"},
        )
        frame = source.read("sales").frame
    assert set(frame["store_id"]) == {"S09"}
    assert frame["amount"].tolist() == [35381, 35381, -17691]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: square("https://x.example.com", locations=[]), "'locations'"),
        (lambda: odoo("https://x.example.com", interface="xml"), "json-2 or json-rpc"),
        (lambda: odoo("https://x.example.com", interface="json-rpc"), "'user'"),
        (lambda: shopify("https://x.example.com", colums={}), "did you mean 'columns'"),
        (lambda: erpnext("http://erp.example.com"), "https"),
    ],
)
def test_wrong_options_are_told(make, message):
    """What cannot be is told when the source is made."""
    with pytest.raises((ConfigurationError, TypeError), match=message):
        make()


def woo_refund(left):
    """Pay 4.00 back beyond the line that came back."""
    (refunds,) = [each["answer"] for each in left if "refunds" in each["path"]]
    refunds[0]["amount"] = "203.90"
    return "730", "727"


def shopify_refund(left):
    """Pay 4.00 back beyond the line that came back."""
    (refund,) = [each["refunds"][0] for each in orders_of(left, "4") if each["refunds"]]
    refund["totalRefundedSet"]["shopMoney"]["amount"] = "203.90"
    return "R1", "4"


@pytest.mark.parametrize(
    ("system", "pay"), [("woocommerce", woo_refund), ("shopify", shopify_refund)]
)
def test_money_that_was_paid_back_without_goods_is_a_line(system, pay):
    """It lowers the sales of the day of the refund, without an item."""
    with Recorded(system, "sales") as shop:
        ticket, of = pay(shop.left)
        result = SYSTEMS[system](shop.url, sleep=lambda _: None).read("sales")
    last = (ticket, "2026-11-07", "online", None, None, 0, -400, of)
    assert sales_of(result.frame) == [*SALES[system], last]
    assert result.frame["item_name"].tolist()[-1] == "退款"
    assert "order-total-differs" not in {each.rule for each in result.findings}


ODD_TOTALS = {
    "woocommerce": lambda order: order.update(total="1.00"),
    "shopify": lambda order: order["subtotalPriceSet"]["shopMoney"].update(amount="1"),
}


@pytest.mark.parametrize("system", ODD_TOTALS)
def test_an_order_that_does_not_add_up_is_told(system):
    """What its lines do not explain, such as a gift card, is counted."""
    with Recorded(system, "sales") as shop:
        for order in orders_of(shop.left, SALES[system][0][0]):
            ODD_TOTALS[system](order)
        result = SYSTEMS[system](shop.url, sleep=lambda _: None).read("sales")
    (found,) = [e for e in result.findings if e.rule == "order-total-differs"]
    assert found.count == 1
    assert sales_of(result.frame) == SALES[system]


def test_an_invoice_of_erpnext_is_shared_out_over_its_lines():
    """Discounts of the whole invoice and taxes are in; the shares add up exactly."""
    with Recorded("erpnext", "sales") as shop:
        (invoice,) = [
            each for each in orders_of(shop.left, "ACC-1") if each["docstatus"] == 1
        ]
        item = invoice["items"][0]
        invoice["items"] = [{**item, "net_amount": net} for net in (10, 10, 10)]
        invoice["grand_total"] = 31.0
        frame = erpnext(shop.url, sleep=lambda _: None).read("sales").frame
    parts = frame.loc[frame["ticket_id"] == "ACC-1", "amount"].tolist()
    assert sum(parts) == 3100
    assert max(parts) - min(parts) <= 1


SERIES = {"customer_series": ["CUST-.YYYY.-", "VIP/.YY..MM.-.###", "KD.####"]}


@pytest.mark.parametrize(
    ("own", "options"),
    [
        ("CUST-2026-00007", {}),
        ("CUST-2026-1234567", {}),
        ("CUST-2026-00007", SERIES),
        ("VIP/2611-042", SERIES),
        ("KD0001", SERIES),
    ],
)
def test_a_customer_of_a_naming_series_keeps_its_id(own, options):
    """A number of a series is no name; whoever is called so is hidden on both sides."""
    with Recorded("erpnext", "members") as shop:
        for each in shop.left:
            for customer in each["answer"]["data"]:
                customer["name"] = own if customer["name"] == "王小明" else "Li Lei - 1"
        frame = erpnext(shop.url, **options).read("members").frame
    assert set(frame["member_id"]) == {own}


def test_a_naming_series_that_hides_nobody_is_refused():
    """Numbers without letters are phones; what ERPNext would not take is told."""
    for series in ([".YYYY.-.#####"], ["A-.####"], ["CUST-.{abbr}."], "CUST-.YYYY.-"):
        with pytest.raises(ConfigurationError, match="series"):
            erpnext("https://erp.example.com", customer_series=series)


@pytest.mark.parametrize(
    "own",
    [
        "13812345678",
        "+8613812345678",
        "zhangsan13812345678",
        "Zhang.San1980",
        "C-13812345678",
        "C-13812345678-001",
        "C0001",
        "ZHANG-1980",
        "LI.LEI-123456",
        "CUST-13812345678",
        "CUST-2026-13812345678",
        "KD0001",
    ],
)
def test_a_customer_that_is_named_by_a_phone_or_a_name_has_a_digest(own):
    """Only what is written as a number of a series is shown; ids are not masked."""
    with Recorded("erpnext", "members") as shop:
        for each in shop.left:
            for customer in each["answer"]["data"]:
                customer["name"] = own if customer["name"] == "王小明" else "Li Lei - 1"
        frame = erpnext(shop.url).read("members").frame
    digest = hashlib.sha256(own.encode()).hexdigest()[:16]
    assert set(frame["member_id"]) == {f"C-{digest}"}
