"""Promises of the stock of Vendure, and of refunds that come late."""

import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.vendure_api import VendureSession, written
from memberops.adapters.sources.vendure_source import VendureSource
from memberops.adapters.sources.vendure_stock import stock_came, stock_rows
from memberops.errors import ConfigurationError, SourceError, UnknownPlaceError
from memberops.ledger import Ledger
from memberops.ledger.flow_tables import read_movements
from pos_checks import CONTEXT, Replay, balance_of, read_changed, read_whole
from sms_server import SmsServer, answer

RECORDED = Path(__file__).parent / "data" / "pos" / "recorded" / "vendure.json"
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOON = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
SERVER = WebServer.of(CONTEXT, "http://127.0.0.1:1")


def moved(own, *, minute=0, kind="SALE", quantity=-1):
    """Return a movement as Vendure gives it, so many minutes after noon."""
    at = written(NOON + dt.timedelta(minutes=minute))
    return {"id": str(own), "createdAt": at, "type": kind, "quantity": quantity}


class Shelves(VendureSession):
    """A session whose server has movements by variant, in the order of ids."""

    def __init__(self, shelves, *, places=1, page=4):
        super().__init__(SERVER, page=page)
        self.shelves, self.places, self.asked = shelves, places, []
        self.happen = lambda: None
        self.said = lambda data: data
        self.changed = {}
        self.before = None
        self._reader = SERVER.open()

    def _list(self, name, _fields, _options):
        if name == "stockLocations":
            return [], self.places
        found = [
            {
                "id": own,
                "sku": f"G{own}",
                "createdAt": written(NOON),
                "updatedAt": written(self.changed.get(own, LONG_AGO)),
                "stockMovements": {"totalItems": len(there)},
            }
            for own, there in self.shelves.items()
        ]
        return found, len(found)

    def ask(self, _query, given):
        """Give what was asked for of each variant."""
        self.happen()
        data = {}
        for at in range(len(given) // 3):
            own, skip, take = (given[f"{name}{at}"] for name in ("own", "skip", "take"))
            self.asked.append((own, skip, take))
            there = self.shelves.get(own)
            data[f"shelf{at}"] = there and {
                "id": own,
                "stockMovements": {"items": there[skip : skip + take]},
            }
        data = self.said(data)
        self.before = data
        return data

    def wait(self, turns, name):
        """Wait not at all, and not for ever."""
        if turns > 3:
            super().wait(99, name)

    def came(self, since=None, *, page=4, items=None):
        """Read what moved."""
        return stock_came(self, since, items=items, place="store:S01", page=page)


@pytest.mark.parametrize(
    ("kind", "quantity", "row"),
    [
        ("ADJUSTMENT", 5, ("adjustment", "adjustment", "store:S01", 5)),
        ("ADJUSTMENT", -2, ("adjustment", "store:S01", "adjustment", 2)),
        ("SALE", -3, ("issue", "store:S01", "member", 3)),
        ("CANCELLATION", 3, ("return", "member", "store:S01", 3)),
        ("RETURN", 1, ("return", "member", "store:S01", 1)),
        ("ALLOCATION", 3, None),
        ("RELEASE", 3, None),
    ],
)
def test_goods_move_when_they_are_handed_over_and_not_when_reserved(
    kind, quantity, row
):
    """What was set aside for an order still lies where it lay."""
    found = stock_rows(
        moved(7, kind=kind, quantity=quantity), gift_id="G1", place="store:S01"
    )
    names = ("kind", "source", "destination", "quantity")
    assert [tuple(each[name] for name in names) for each in found] == (
        [row] if row else []
    )
    assert {each["posting_id"] for each in found} <= {"stock-7"}


def test_a_type_that_is_none_is_refused():
    """A kind of movement that is new in Vendure is never left out in silence."""
    with pytest.raises(SourceError, match="none it knows"):
        stock_rows(moved(1, kind="TRANSFER"), gift_id="G1", place="warehouse")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_movement_comes_once_whole_and_since_a_moment(seed):
    """Whatever a variant has of them, and whether ids count or are random."""
    rng = random.Random(seed)  # noqa: S311 - a made-up stock
    shelves, own, random_ids = {}, 0, rng.random() < 0.5
    for shelf in range(rng.randint(0, 13)):
        many = rng.randint(0, 9)
        there = [
            moved(f"{at:04}x" if random_ids else at, minute=at)
            for at in range(own, own + many)
        ]
        own += many
        if random_ids:
            rng.shuffle(there)
        shelves[str(shelf)] = there
    session, page = Shelves(shelves), rng.randint(1, 5)
    for since in (None, NOON + dt.timedelta(minutes=rng.randint(0, 60))):
        expected = [
            f"stock-{each['id']}"
            for there in shelves.values()
            for each in there
            if since is None or each["createdAt"] >= written(since)
        ]
        found = [row["posting_id"] for row in session.came(since, page=page).rows]
        assert sorted(found) == sorted(expected)


def test_old_movements_are_not_asked_for_again():
    """Where ids count up, the last page of a variant says that all before is old."""
    session = Shelves({"1": [moved(own, minute=own) for own in range(1, 101)]})
    found = session.came(NOON + dt.timedelta(minutes=99), page=10)
    assert [row["posting_id"] for row in found.rows] == ["stock-99", "stock-100"]
    assert session.asked == [("1", 90, 10)]


def test_a_variant_that_was_changed_is_read_whole():
    """Its SKU may be another, under which all that it ever moved stands then."""
    session = Shelves({own: [moved(int(own), minute=0), moved(int(own) + 5, minute=9)]
                       for own in "12"})  # fmt: skip
    since = NOON + dt.timedelta(minutes=5)
    session.changed = {"2": since}
    found = [row["posting_id"] for row in session.came(since).rows]
    assert found == ["stock-6", "stock-2", "stock-7"]


def test_goods_that_vendure_does_not_know_are_told():
    """By SKU or by id, for a slip would leave a gift out in silence."""
    session = Shelves({"1": [moved(1)], "2": [moved(2)]})
    (finding,) = session.came(items=["G1", "2", "G2", "G9", "7"]).findings
    assert (finding.rule, finding.count) == ("items-unknown", 2)
    assert "G9" in finding.message_en
    assert not session.came(items=["G1", "2"]).findings


def test_goods_that_move_among_random_ids_meanwhile_are_told():
    """Their pages shift, so that the reading fails and the next one has them all."""
    there = [moved(f"{own}x") for own in range(9)]
    session = Shelves({"1": there})
    session.happen = lambda: there.insert(0, moved("a0"))
    with pytest.raises(SourceError, match="read again later"):
        session.came(page=3)


@pytest.mark.parametrize("since", [None, NOON])
def test_an_answer_that_comes_again_is_asked_for_again(since):
    """Neither another variant's movements nor the same ones are taken for these."""
    shelves = {str(shelf): [moved(100 * shelf + own) for own in range(1, 8)]
               for shelf in range(1, 15)}  # fmt: skip
    session = Shelves(shelves)
    turns = iter(range(99))
    session.said = lambda data: (
        session.before if session.before and next(turns) % 2 else data
    )
    found = [row["posting_id"] for row in session.came(since, page=3).rows]
    expected = [f"stock-{each['id']}" for there in shelves.values() for each in there]
    assert sorted(found) == sorted(expected)
    session.said = lambda data: session.before or data
    with pytest.raises(SourceError, match="again and again"):
        session.came(since, page=3)


def test_a_variant_that_is_deleted_meanwhile_has_no_movements():
    """The counting of the next reading misses it."""
    session = Shelves({"1": [moved(1)], "2": [moved(2)]})
    session.happen = lambda: session.shelves.pop("1", None)
    found = session.came()
    assert [row["posting_id"] for row in found.rows] == ["stock-2"]


def test_several_places_of_stock_are_told():
    """Vendure does not say at which of them goods moved."""
    assert not Shelves({"1": [moved(1)]}).came().findings
    (finding,) = Shelves({"1": [moved(1)]}, places=3).came().findings
    assert (finding.rule, finding.count) == ("stock-location-untold", 3)


def test_a_ledger_takes_what_vendure_moved_once_however_often_it_comes():
    """Every movement of a real server is a posting, and twice the same is one."""
    server, recording = Replay.of(RECORDED)
    given = {**recording["options"], "url": server.url, "password": lambda: "secret"}
    made = VendureSource(CONTEXT, **given, overlap_seconds=0)
    frames, before = read_whole(made, ["gift_movements"])
    merged, _ = read_changed(made, frames, before)
    server.close()
    postings, findings = read_movements(merged["gift_movements"])
    assert not findings
    ledger = Ledger()
    for each in sorted([*postings, *postings], key=lambda one: one.effective_at):
        ledger.post(each)
    now = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    left = balance_of(merged["gift_movements"], "warehouse")
    assert len(left) == 3
    for gift, many in left.items():
        assert ledger.balance(gift, "warehouse", as_of=now) == many


@pytest.fixture
def server():
    """A server that says what a test gives it."""
    made = SmsServer()
    yield made
    made.close()


def source(server, **options):
    """Return a source of it that asks once."""
    return VendureSource(
        CONTEXT, url=server.url, key=lambda: "k", patience={"attempts": 1}, **options
    )


def test_only_the_goods_that_are_named_are_asked_for(server):
    """By SKU or by id, in the list of variants and where they are counted."""
    server.reply = answer(
        {"data": {"productVariants": {"items": [], "totalItems": 0},
                  "stockLocations": {"items": [], "totalItems": 1}}}
    )  # fmt: skip
    items = ["G2", "6901234567892", "12"]
    assert source(server, items=items).read("gift_movements").accepted == 0
    # A barcode is no id: some databases refuse to compare ids with such a number.
    named = {"sku": {"in": ["12", "6901234567892", "G2"]}}
    wanted = {"_or": [named, {"id": {"in": ["12"]}}]}
    asked = [
        seen.json for seen in server.seen if "productVariants" in seen.json["query"]
    ]
    assert [each["variables"]["options"]["filter"] for each in asked] == [wanted] * 2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"items": "G1"}, ConfigurationError),
        ({"items": []}, ConfigurationError),
        ({"items": [7]}, ConfigurationError),
        ({"stock_place": "shelf"}, UnknownPlaceError),
        ({"stock_place": "member"}, ConfigurationError),
    ],
)
def test_goods_and_places_that_cannot_be_are_refused_at_once(server, options, error):
    """Before anything is asked."""
    with pytest.raises(error):
        source(server, **options)


def test_a_place_that_is_deleted_takes_its_movements_with_it(server):
    """Vendure deletes them too, so the table is read whole and says so."""
    there = {"1": NOON, "2": NOON}
    movements = {"items": [moved(1)], "totalItems": 1}

    def reply(seen):
        query, given = seen.json["query"], seen.json["variables"]
        if "stockLocations(" in query:
            found = [{"id": own, "createdAt": written(at)} for own, at in there.items()]
            until = given["options"].get("filter", {}).get("createdAt", {})
            found = [each for each in found
                     if each["createdAt"] < until.get("before", "3")]  # fmt: skip
            data = {"stockLocations": {"items": found, "totalItems": len(found)}}
        elif "productVariants(" in query:
            variant = {"id": "1", "sku": "G1", "createdAt": written(NOON),
                       "updatedAt": written(NOON),
                       "stockMovements": movements}  # fmt: skip
            data = {"productVariants": {"items": [variant], "totalItems": 1}}
        else:
            data = {"shelf0": {"id": "1", "stockMovements": movements}}
        return answer(
            {"data": data}, headers=[("Date", "Thu, 05 Nov 2026 12:00:00 GMT")]
        )

    server.reply = reply
    cursor = source(server).changes("gift_movements", since=None).cursor
    assert not source(server).changes("gift_movements", since=cursor).whole
    # Another one in its stead does not hide it.
    del there["2"]
    there["3"] = NOON + dt.timedelta(minutes=5)
    changes = source(server).changes("gift_movements", since=cursor)
    assert changes.whole
    assert "records-deleted" in [each.rule for each in changes.result.findings]


def test_an_old_order_is_read_again_where_it_was_refunded_late(server):
    """Its refund is all that Vendure dates; orders without one are left alone."""
    placed = "2026-01-05T06:00:00.000Z"

    def order(own, *refunded):
        refunds = [
            {"id": f"{own}{number}", "state": "Settled", "createdAt": at,
             "updatedAt": at, "total": 5, "shipping": 0, "paymentId": "p", "lines": []}
            for number, at in enumerate(refunded)
        ]  # fmt: skip
        line = {
            "id": own, "quantity": 1, "orderPlacedQuantity": 1,
            "unitPriceWithTax": 100, "proratedUnitPriceWithTax": 100,
            "proratedLinePriceWithTax": 100,
            "productVariant": {"id": own, "sku": "G", "name": "大衣"},
        }  # fmt: skip
        return {
            "id": own, "code": f"T{own}", "type": "Regular", "state": "PaymentSettled",
            "orderPlacedAt": placed, "updatedAt": placed, "currencyCode": "CNY",
            "shippingWithTax": 0, "shippingLines": [], "surcharges": [],
            "modifications": [], "lines": [line],
            "channels": [{"id": "1", "code": "S"}],
            "payments": [{"state": "Settled", "amount": 100, "refunds": refunds}],
        }  # fmt: skip

    orders = {"1": order("1"), "2": order("2", placed)}

    def reply(seen):
        if "channels(" in seen.json["query"]:
            only = {"channels": {"items": [{"id": "1", "code": "S"}], "totalItems": 1}}
            return answer({"data": only}, headers=[("Date", date)])
        wanted = seen.json["variables"]["options"]["filter"]
        ids = wanted.get("id", {}).get("in", list(orders))
        found = [] if "_or" in wanted else [orders[own] for own in ids]
        page = {"items": found, "totalItems": len(found)}
        return answer({"data": {"orders": page}}, headers=[("Date", date)])

    date = "Thu, 01 Oct 2026 06:00:00 GMT"
    server.reply = reply
    for late, tickets in ((False, []), (True, ["T2", "T2-R20", "T2-R21"])):
        made = source(server, late_refunds=late, overlap_seconds=0)
        orders["2"] = order("2", placed)
        first = made.changes("sales", since=None)
        date = "Thu, 05 Nov 2026 06:00:00 GMT"
        orders["2"] = order("2", placed, "2026-11-04T06:00:00.000Z")
        changes = made.changes("sales", since=first.cursor)
        assert not changes.whole
        assert sorted(changes.result.frame["ticket_id"]) == tickets
