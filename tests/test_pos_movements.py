"""Consents, points and stock of known systems, against answers made by hand."""

import datetime as dt
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.refused_records import refused_records
from memberops.adapters.sources.square_inventory import stock_movements
from memberops.errors import ConfigurationError, UnknownTableError
from memberops.ledger import Ledger
from memberops.ledger.flow_tables import read_movements
from memberops.testing.contracts import check_source
from test_pos_recorded import Recorded, rows, shopify, square, woocommerce

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

FAULTY = ("429", "half", "500", "", "503", "half")
SAID = ["member_id", "channel", "given", "on", "source"]
MOVED = ["posting_id", "kind", "source", "destination", "quantity"]
WALLET = "wallet:CUST1"
# Of the events: 40 and 5 earned, 2 taken by hand, a reward of 10 made and deleted
# again, 3 expired; the other account belongs to nobody.
POINTS = [
    ("loyalty-EV8", "expiry", WALLET, "program:expired", 3),
    ("loyalty-EV7", "return", "program:spent", WALLET, 10),
    ("loyalty-EV5", "spend", WALLET, "program:spent", 10),
    ("loyalty-EV4", "adjustment", WALLET, "adjustment", 2),
    ("loyalty-EV3", "award", "program:earned", WALLET, 5),
    ("loyalty-EV2", "award", "program:earned", WALLET, 40),
]
# The example of Square's "Inventory API Process Flow": of 100, 3 are sold, then 2 on
# a till that is offline; 90 are counted before it says so, then 2 are damaged.
STOCK = [
    ("count-PC1", "opening", "opening", "store:L1", 100),
    ("adjustment-AD1", "issue", "store:L1", "member", 3),
    ("adjustment-AD2", "issue", "store:L1", "member", 2),
    ("count-PC2", "adjustment", "store:L1", "adjustment", 5),
    ("adjustment-AD3", "damage", "store:L1", "destroyed", 2),
    ("adjustment-AD4", "receipt", "supplier", "store:L1", 20),
    ("adjustment-AD5", "return", "member", "store:L1", 1),
    ("adjustment-AD7", "adjustment", "store:L1", "adjustment", 4),
    ("adjustment-AD8", "dispatch", "store:L1", "in_transit", 6),
]
ITEMS = ["ITEM1", "ITEM2"]


def points(url, **more):
    """Make the source of Square's points."""
    return square(url, movements="points", sleep=lambda _: None, **more)


def stock(url, **more):
    """Make the source of Square's stock."""
    return square(url, items=ITEMS, sleep=lambda _: None, **more)


def balance(frame, place):
    """Return what is at a place when all has moved."""
    came = frame.loc[frame["destination"] == place, "quantity"].sum()
    return int(came - frame.loc[frame["source"] == place, "quantity"].sum())


@pytest.mark.parametrize("faults", [(), FAULTY], ids=["calm", "faulty"])
def test_points_are_read_and_what_is_new(faults):
    """Whole, then since: the balance is the one that the account itself tells."""
    with Recorded("square", "points", faults=faults) as shop:
        source = points(shop.url, patience={"attempts": 9})
        whole = source.changes("gift_movements", since=None)
        part = source.changes("gift_movements", since=whole.cursor)
    assert (shop.wrong, shop.left) == ([], [])
    frame = whole.result.frame
    assert rows(frame, MOVED) == POINTS
    assert set(frame["gift_id"]) == {"points"}
    assert frame["refers_to"].dropna().tolist() == ["ticket=ORD1", "ticket=ORD1"]
    assert frame["effective_at"].iloc[-1] == pd.Timestamp("2026-11-05T06:03:00Z")
    assert balance(frame, WALLET) == 40
    merged = merge_changes(frame, part)
    assert balance(merged, WALLET) == 44
    assert Counter(merged["posting_id"]).most_common(1)[0][1] == 1
    assert not part.whole


def test_points_of_an_account_without_a_customer_are_refused():
    """They are counted and told, and neither a name nor a reason of staff is read."""
    with Recorded("square", "points") as shop:
        result = points(shop.url).read("gift_movements")
    assert result.rejected == 1
    assert "Ada" not in result.frame.to_csv()
    assert "+1206" not in result.frame.to_csv() + result.rejects.to_csv()


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.update(type="MERGE_POINTS"),
        lambda event: event["expire_points"].pop("points"),
    ],
    ids=["kind", "number"],
)
def test_an_event_that_is_not_understood_is_refused(change):
    """A new kind of event, or one without its number, is told and not passed over."""
    with Recorded("square", "points") as shop:
        change(shop.left[0]["answer"]["events"][0])
        result = points(shop.url).read("gift_movements")
    assert result.rejected == 2
    assert rows(result.frame, MOVED) == POINTS[1:]


def test_without_events_no_account_is_asked_for():
    """One request is enough where nothing happened."""
    with Recorded("square", "points") as shop:
        shop.left[0]["answer"] = {}
        frame = points(shop.url).read("gift_movements").frame
        assert len(shop.seen) == 1
    assert frame.empty


@pytest.mark.parametrize("faults", [(), FAULTY], ids=["calm", "faulty"])
def test_stock_is_what_square_counts(faults):
    """Counts are what they differ by; parts of a piece are refused; all is posted."""
    with Recorded("square", "stock", faults=faults) as shop:
        result = stock(shop.url, patience={"attempts": 9}).read("gift_movements")
    assert (shop.wrong, shop.left) == ([], [])
    frame = result.frame
    assert rows(frame, MOVED) == STOCK
    # 90 were counted; 2 were damaged, 20 and 1 came, 4 and 6 went.
    assert balance(frame, "store:L1") == 90 - 2 + 20 + 1 - 4 - 6
    assert set(frame["gift_id"]) == {"ITEM1"}
    assert frame["by"].dropna().tolist() == ["TM1", "TM1", "EM1"]
    assert result.rejected == 1
    postings, findings = read_movements(frame)
    assert (len(postings), findings) == (len(STOCK), ())


@pytest.mark.parametrize("make", [points, stock], ids=["points", "stock"])
def test_a_row_that_is_refused_names_its_posting(make):
    """Or a ledger would have to hold back all of them: it might be of any."""
    with Recorded("square", make.__name__) as shop:
        names = refused_records(make(shop.url), "gift_movements", ("posting_id",))
    assert names == {points: (("loyalty-EV1",),), stock: (("adjustment-AD9",),)}[make]


def test_a_sale_that_comes_late_changes_what_a_count_differed_by():
    """The stock stays what was counted; the table is read whole, so nothing is old."""
    with Recorded("square", "stock") as shop:
        found = [each for page in shop.left for each in page["answer"]["changes"]]
        late = next(each for each in found if "adjustment" in each)
        late["adjustment"]["quantity"] = "6"
        changes = stock(shop.url).changes("gift_movements", since="{}")
    assert changes.whole
    frame = changes.result.frame.set_index("posting_id")
    assert frame.loc["count-PC2", "quantity"] == 2
    assert balance(changes.result.frame, "store:L1") == 99


def test_a_ledger_takes_what_square_moved():
    """Points and stock are posted as they happened, and the ledger agrees with both."""
    with Recorded("square", "points") as shop:
        earned = points(shop.url).read("gift_movements").frame
    with Recorded("square", "stock") as shop:
        goods = stock(shop.url).read("gift_movements").frame
    postings, _ = read_movements(pd.concat([earned, goods]))
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    ledger = Ledger()
    for each in sorted(postings, key=lambda posting: posting.effective_at):
        ledger.post(each)
    assert ledger.balance("points", WALLET, as_of=now) == 40
    assert ledger.balance("ITEM1", "store:L1", as_of=now) == 99


START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
MOMENTS = st.integers(0, 10**6).map(lambda at: START + dt.timedelta(seconds=at))
STATES = ("IN_STOCK", "SOLD", "NONE", "WASTE", "CUSTOM", "RESERVED_FOR_SALE")


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            MOMENTS,
            st.sampled_from(["ITEM1", "ITEM2"]),
            st.integers(0, 50),
            st.none() | st.tuples(*[st.sampled_from(STATES)] * 2),
        ),
        max_size=20,
        unique_by=lambda one: one[0],
    ),
    st.randoms(),
)
def test_the_stock_is_the_last_count_and_what_came_after(told, random):
    """As Square reckons it, whatever happened and in whatever order it is heard of."""
    counts, adjustments = [], []
    for at, (moment, item, number, states) in enumerate(told):
        change = {
            "id": str(at),
            "catalog_object_id": item,
            "location_id": "L1",
            "quantity": f"{number}.00000",
            "occurred_at": moment.isoformat(),
        }
        if states is None:
            counts.append({**change, "state": "IN_STOCK"})
        else:
            ends = dict(zip(("from_state", "to_state"), states, strict=True))
            adjustments.append({**change, **ends})
    random.shuffle(counts)
    random.shuffle(adjustments)
    moved = list(stock_movements(counts, adjustments))
    for item in ("ITEM1", "ITEM2"):
        here = sorted(one for one in told if one[1] == item)
        counted = [at for at, one in enumerate(here) if one[3] is None]
        start = counted[-1] if counted else 0
        due = sum(
            number * ((ends[1] == "IN_STOCK") - (ends[0] == "IN_STOCK"))
            if ends
            else number
            for _, _, number, ends in here[start:]
        )
        own = [row for row in moved if row["catalog_object_id"] == item]
        assert due == sum(
            row["quantity"] if row["destination"] == "store:L1" else -row["quantity"]
            for row in own
        )
    assert all(row["quantity"] > 0 for row in moved)
    ids = [row["posting"] for row in moved]
    assert len(ids) == len(set(ids))


def test_who_unsubscribed_at_square_is_read():
    """Of the day of the last change; who has not unsubscribed has agreed to nothing."""
    with Recorded("square", "consents") as shop:
        frame = square(shop.url).read("consents").frame
    assert shop.wrong == []
    # 17:30 in Greenwich is the next day in Shanghai.
    assert rows(frame, SAID) == [("CUST1", "email", "no", "2026-11-08", "Square")]
    assert frame["at"].tolist() == [pd.Timestamp("2026-11-07T17:30:00Z")]


def test_consents_of_shopify_are_read_by_channel():
    """Of their own moment; else an agreement is old and a refusal is young."""
    with Recorded("shopify", "consents") as shop:
        frame = shopify(shop.url).read("consents").frame
    assert shop.wrong == []
    assert rows(frame, SAID) == [
        ("71", "email", "yes", "2026-11-04", "Shopify"),
        ("71", "sms", "no", "2026-11-04", "Shopify"),
        ("72", "email", "yes", "2026-11-02", "Shopify"),
        ("74", "email", "no", "2026-11-09", "Shopify"),
    ]
    asked = shop.seen[0].body.decode()
    assert "emailAddress {" not in asked
    assert "phoneNumber" not in asked


@pytest.mark.parametrize(
    ("system", "make", "recorded", "table"),
    [
        ("square", square, "consents", "consents"),
        ("square", points, "points", "gift_movements"),
        ("square", stock, "stock", "gift_movements"),
        ("shopify", shopify, "consents", "consents"),
    ],
    ids=["square-consents", "points", "stock", "shopify-consents"],
)
def test_the_promises_of_all_sources_are_kept(system, make, recorded, table):
    """The contract of sources: types, reasons, repeatable, masked."""
    with Recorded(system, recorded) as shop:
        shop.left = [each for each in shop.left if not each.get("since")] * 3
        check_source(make(shop.url), table)
    assert shop.wrong == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"movements": "goods"}, "'stock' or 'points'"),
        ({"movements": "points", "items": ["ITEM1"]}, "points have none"),
        ({"items": "ITEM1"}, "a list of the ids"),
    ],
)
def test_wrong_movements_are_told(options, message):
    """What cannot be is told when the source is made."""
    with pytest.raises(ConfigurationError, match=message):
        square("https://x.example.com", **options)


@pytest.mark.parametrize(
    ("make", "lacks"),
    [
        (square, ["cards"]),
        (shopify, ["cards", "gift_movements"]),
        (woocommerce, ["cards", "consents", "gift_movements"]),
    ],
)
def test_what_a_system_does_not_have_is_not_made_up(make, lacks):
    """A table that its interface does not know is no empty table."""
    for table in lacks:
        with pytest.raises(UnknownTableError):
            make("https://x.example.com").read(table)
