"""The declarative REST source, against a shop that lives and misbehaves meanwhile."""

import datetime as dt
import tomllib
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from memberops.adapters import load_adapters
from memberops.adapters.sources.changes import ChangingSource, merge_changes
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.rest_source import rest_source
from memberops.domain import Currency
from memberops.errors import ConfigurationError, SourceError, UnknownTableError
from memberops.testing.faulty_pos import POS_FAULTS, FaultyPos, PosWorld
from memberops.workflows import open_chain
from sms_server import SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'sms'")

KEYED = {"kind": "key", "field": "after", "start": 0}
VERSIONED = {"form": "number", "changed_at": "version", "overlap_versions": 0}
BY_DAY = ("cursor", "offset", "page", "version")
PAGINGS = {
    "key": KEYED,
    "cursor": {"kind": "cursor", "field": "cursor", "next": "next"},
    "offset": {"kind": "offset", "field": "offset", "total": "total"},
    "link": {"kind": "link"},
    "page": {"kind": "page", "field": "page", "total": "total"},
}
SALES = {
    "path": "orders",
    "records": "orders",
    "only": {"status": "paid"},
    "lines": [
        {
            "each": "lines",
            "columns": {
                "ticket_id": "/id",
                "sold_at": "/created_at",
                "store_id": "/store",
                "member_id": "/customer_id",
                "item_id": "sku",
                "quantity": "qty",
                "amount": "amount",
            },
        },
        {
            "each": "refunds.lines",
            "negative": ["quantity", "amount"],
            "columns": {
                "ticket_id": "../id",
                "sold_at": "../created_at",
                "store_id": "/store",
                "member_id": "/customer_id",
                "item_id": "sku",
                "quantity": "qty",
                "amount": "amount",
                "returned_ticket_id": "/id",
            },
        },
    ],
}
MEMBERS = {
    "path": "customers",
    "records": "customers",
    "deleted": "deleted_at",
    "columns": {"member_id": "id", "name": "name", "phone": "mobile"},
}

CARDS = {
    "path": "cards",
    "columns": {"card_id": "id", "valid_from": "from", "valid_through": "to"},
}
NUMBERED = {"field": "since", "form": "number", "overlap_seconds": 60}


def context():
    """Return the chain that reads."""
    return SourceContext(
        folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )


def source_of(url, paging="key", *, size=7, **more):
    """Make a source that reads the shop, without ever sleeping."""
    shared = {
        "paging": {**PAGINGS.get(paging, KEYED), "size_field": "size", "size": size},
        "since": {"field": "since", **(VERSIONED if paging == "version" else {})},
        "params": {"link": "1"} if paging == "link" else {},
    }
    return rest_source(
        context(),
        base_url=url,
        sleep=more.pop("sleep", lambda _: None),
        http={"read_seconds": 2.0, "total_seconds": 4.0},
        members={**MEMBERS, **shared},
        sales={**SALES, **shared},
        **more,
    )


def rows(table, frame):
    """Return the rows of a frame as a world tells them."""
    if table == "members":
        names = ["member_id", "name", "phone"]
    else:
        frame = frame.assign(at=frame["sold_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        names = ["ticket_id", "at", "store_id", "member_id", "item_id", "quantity"]
        names += ["amount", "returned_ticket_id"]
    plain = frame[names].astype(object)
    plain = plain.where(plain.notna(), None)
    return Counter(plain.itertuples(index=False, name=None))


def follow(source, world, pos, table, *, rounds, plan):
    """
    Read while the world goes on and misbehaves, and again when all is quiet.

    After each quiet reading the table has to be the truth: what a round lost is not
    made good by a later one. Readings that failed are counted.
    """
    frame, cursor, failed = None, None, 0
    for _ in range(rounds):
        world.happen(world.random.randint(0, 25))
        for quiet in (False, True):
            pos.faults = [] if quiet else plan()
            try:
                changes = source.changes(table, since=cursor)
            except SourceError:
                failed += 1  # the cursor stays, and so nothing is lost
                assert not quiet
            else:
                frame, cursor = merge_changes(frame, changes), changes.cursor
        assert rows(table, frame) == world.truth(table)
        pos.faults = []
    return failed


WAYS = [
    pytest.param(
        paging,
        table,
        marks=() if (paging in BY_DAY) == (table == "sales") else pytest.mark.nightly,
    )
    for paging in (*PAGINGS, "version")
    for table in ("members", "sales")
]


@pytest.mark.parametrize(("paging", "table"), WAYS)
def test_nothing_is_lost_and_nothing_doubled(paging, table):
    """
    Whatever happens while pages are read, the quiet reading after it has the truth.

    Statuses, cut answers, broken connections, pages that repeat, records twice or out
    of order, writes between pages, clocks of another year.
    """
    world = PosWorld(seed=len(paging) * 10 + len(table))
    world.happen(60)
    faults = [each for each in POS_FAULTS if each != "gone"]
    with FaultyPos(world) as pos:
        follow(
            source_of(pos.url, paging, size=6),
            world,
            pos,
            table,
            rounds=4,
            plan=lambda: world.random.choices(faults, k=12),
        )
        assert pos.broken >= 10


@pytest.mark.parametrize("paging", ["key", "cursor"])
def test_nothing_is_lost_where_cursors_go(paging):
    """Of a page or of a reading: all is read again, and is the truth."""
    world = PosWorld(seed=len(paging))
    world.happen(50)
    with FaultyPos(world) as pos:
        follow(
            source_of(pos.url, paging, size=12),
            world,
            pos,
            "members",
            rounds=3,
            plan=lambda: world.random.choices(("gone", "none", "write"), k=8),
        )
        assert pos.broken >= 3


@pytest.mark.parametrize("date", [None, -7200, 0, 7200])
def test_skewed_clocks_lose_nothing(date):
    """Neither a clock of the server's front nor the lack of one moves the cursor on."""
    world = PosWorld(seed=5)
    world.happen(40)
    with FaultyPos(world, date=date) as pos:
        source = source_of(pos.url, "key", size=5)
        assert not follow(
            source, world, pos, "sales", rounds=2, plan=lambda: ["write"] * 8
        )


@pytest.mark.parametrize("size", [500, 40])
def test_only_changes_are_read(size):
    """
    After a whole reading the next one asks since the last change.

    Where it took several pages, the next reading asks since what the first of them
    showed, for what it read may have changed meanwhile; the one after it asks little.
    """
    world = PosWorld(seed=2)
    world.happen(200)
    with FaultyPos(world, largest=500) as pos:
        source = source_of(pos.url, size=size)
        whole = source.changes("sales", since=None)
        frame, cursor, read = whole.result.frame, whole.cursor, []
        for _ in range(3):
            world.now += dt.timedelta(hours=3)
            world.happen(3)
            part = source.changes("sales", since=cursor)
            assert not part.whole
            read.append(part.result.rows_read)
            frame, cursor = merge_changes(frame, part), part.cursor
    assert whole.whole
    assert rows("sales", frame) == world.truth("sales")
    few = whole.result.rows_read / 5
    assert [each < few for each in read] == [size == 500, True, True]


@pytest.mark.parametrize("paging", ["offset", "page"])
def test_a_record_that_vanishes_between_pages_takes_no_other_along(paging):
    """Rows that move to a page already read are noticed, and all is read anew."""
    world = PosWorld(seed=3)
    world.happen(120)
    with FaultyPos(world) as pos:
        paused = []
        source = source_of(pos.url, paging, size=10, sleep=paused.append)
        plain = pos.world.found

        def found(kind, since):
            if len(pos.requests) == 3:
                world.vanish(kind)
            return plain(kind, since)

        world.found = found
        frame = source.read("sales").frame
    assert paused
    assert rows("sales", frame) == world.truth("sales")


def test_a_page_that_always_repeats_is_an_error():
    """A service that never gets on is told apart from one that is at its end."""
    world = PosWorld(seed=4)
    world.happen(100)
    with FaultyPos(world, faults=["none"] + ["repeat"] * 50) as pos:
        with pytest.raises(SourceError, match="same page again"):
            source_of(pos.url, "cursor", size=5).read("sales")
        assert len(pos.requests) < 10


def test_a_lost_cursor_is_told_and_all_is_read():
    """A cursor that the service or the mapping no longer knows reads whole, once."""
    world = PosWorld(seed=6)
    world.happen(60)
    with FaultyPos(world) as pos:
        source = source_of(pos.url, size=100)
        first = source.changes("members", since=None)
        pos.faults = ["gone"]
        gone = source.changes("members", since=first.cursor)
        other = source_of(pos.url, size=99).changes("members", since=first.cursor)
        nonsense = source.changes("members", since='{"v": 1')
    for changes, rule in (
        (gone, "cursor-gone"),
        (other, "cursor-unknown"),
        (nonsense, "cursor-unknown"),
    ):
        assert changes.whole
        assert rule in [finding.rule for finding in changes.result.findings]
        assert rows("members", changes.result.frame) == world.truth("members")


def test_a_deleted_member_and_a_void_ticket_are_taken_out():
    """What no longer counts is named as deleted, by the key of the table."""
    world = PosWorld(seed=7)
    world.happen(60)
    with FaultyPos(world) as pos:
        source = source_of(pos.url)
        members = source.changes("members", since=None)
        sales = source.changes("sales", since=None)
        world.now += dt.timedelta(hours=1)
        for _ in range(3):
            world._delete_customer()
            world._void()
        gone = source.changes("members", since=members.cursor)
        void = source.changes("sales", since=sales.cursor)
    assert gone.deleted
    assert void.deleted
    assert {key for (key,) in gone.deleted} & set(members.result.frame["member_id"])
    merged = merge_changes(members.result.frame, gone)
    assert rows("members", merged) == world.truth("members")


def test_one_resource_answers_for_the_table_that_the_chain_file_asks():
    """Without a table's name the options are those of whatever table is read."""
    world = PosWorld(seed=8)
    world.happen(30)
    with FaultyPos(world, key="Bearer sesame") as pos:
        source = rest_source(
            context(),
            base_url=pos.url,
            auth={"kind": "bearer", "secret": lambda: "sesame"},
            **MEMBERS,
        )
        frame = source.read("members").frame
        refused = rest_source(context(), base_url=pos.url, **MEMBERS)
        with pytest.raises(SourceError, match="401: check the key") as caught:
            refused.read("members")
    assert isinstance(source, ChangingSource)
    assert rows("members", frame) == world.truth("members")
    assert "sesame" not in repr(source) + str(caught.value)


def test_a_wrong_path_is_an_error_and_no_empty_table():
    """A path at which there is no list would otherwise empty the whole table."""
    world = PosWorld(seed=9)
    world.happen(5)
    with FaultyPos(world) as pos:
        options = {**MEMBERS, "records": "data.customers"}
        with pytest.raises(SourceError, match="'records'"):
            rest_source(context(), base_url=pos.url, members=options).read("members")
        options = {**MEMBERS, "id": "uuid"}
        with pytest.raises(SourceError, match="no id at 'uuid'"):
            rest_source(context(), base_url=pos.url, members=options).read("members")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": {"columns": {"member_id": "id"}}}, "needs a 'path'"),
        ({"members": {"path": "x"}}, "needs 'columns'"),
        ({"members": {**MEMBERS, "colums": {}}}, "did you mean 'columns'"),
        ({"members": {**MEMBERS, "paging": {"kind": "ofset"}}}, "'paging'"),
        ({"members": {**MEMBERS, "paging": {"kind": "cursor"}}}, "needs 'field'"),
        ({"members": {**MEMBERS, "since": {"feld": "x"}}}, "did you mean 'field'"),
        ({"members": MEMBERS, "auth": {"kind": "bearer", "secret": "k"}}, "secret"),
        ({"members": MEMBERS, "auth": {"kind": "header", "secret": str}}, "'name'"),
        ({"members": {**MEMBERS, "negative": ["phone"]}}, "'negative'"),
        ({"cards": {**CARDS, "since": {"field": "since"}}}, "say by 'key' which"),
        ({"cards": {**CARDS, "key": ["card"]}}, "card_id"),
        ({"cards": {**CARDS, "key": ["kind"]}}, "no id or day"),
        ({"members": {**MEMBERS, "since": NUMBERED}}, "'overlap_versions'"),
        ({"members": MEMBERS, "base_url": "ftp://x"}, "'base_url'"),
        ({"members": {**MEMBERS, "lines": []}}, "not both"),
        ({"members": {**MEMBERS, "patience": {}}}, "belongs beside 'base_url'"),
        ({"members": {**MEMBERS, "auth": {}}}, "'auth' is of the whole source"),
    ],
)
def test_wrong_options_are_told_before_anything_is_read(options, message):
    """A chain file with a slip fails when the source is made, and says which."""
    with pytest.raises(ConfigurationError, match=message):
        rest_source(context(), **{"base_url": "https://pos.example.com", **options})


def test_an_unknown_table_is_told():
    """A table that the source does not give is no empty table."""
    source = rest_source(context(), base_url="https://x.example.com", members=MEMBERS)
    with pytest.raises(UnknownTableError, match="'members'"):
        source.read("stores")


def test_the_canonical_frame_is_as_of_any_source():
    """Days are those of the chain's zone and amounts are minor units."""
    world = PosWorld(seed=10)
    world.now = dt.datetime(2031, 3, 1, 17, 0, tzinfo=dt.UTC)
    world._sell()
    with FaultyPos(world) as pos:
        frame = source_of(pos.url).read("sales").frame
    assert set(frame["sold_on"]) == {pd.Timestamp("2031-03-02")}
    assert frame["amount"].dtype == "int64"


def test_the_chain_files_of_the_guide_can_be_opened(tmp_path):
    """What the guide writes makes sources, by the adapters that it names."""
    guide = Path(__file__).parents[1] / "docs/how-to/read-from-a-pos.md"
    blocks = guide.read_text("utf-8").split("```toml\n")[1:]
    files = [tomllib.loads(block.split("```")[0]) for block in blocks]
    known = load_adapters(entry_points=False).sources
    sections = [
        dict(own)
        for file in files
        for one in file.get("sources", {}).values()
        for own in (one if isinstance(one, list) else [one])
    ]
    made = [
        known[own.pop("adapter")].factory(context(), **own)
        for own in sections
        if own.pop("snapshot", "") is not None
    ]
    assert len(made) == guide.read_text("utf-8").count('adapter = "') > 6
    (shared,) = [file for file in files if "http" in file]
    assert rest_source(context(), base_url="https://x.example.com", **shared, **MEMBERS)
    head = 'name = "a"\ncurrency = "USD"\nzone = "Asia/Shanghai"\n'
    sales = '\n[sources.sales]\nadapter = "csv"\npath = "sales.csv"\n'
    for block, file in zip(blocks, files, strict=True):
        if tables := set(file.get("sources", {})):
            text = block.split("```")[0] + ("" if "sales" in tables else sales)
            path = tmp_path / "chain.toml"
            path.write_text(head + text, encoding="utf-8")
            assert set(open_chain(path).sources) == tables | {"sales"}
    for source in made[:-1]:
        with pytest.raises(UnknownTableError):
            source.read("targets")


def said(server, *records):
    """Make a source of sales whose service says these records, in one page."""
    server.reply = answer({"orders": list(records)})
    own = {**SALES, "since": {"field": "since"}}
    return rest_source(context(), base_url=server.url, sales=own)


def order_of(changed, lines, refunds=()):
    """Make an order with amounts of one line each."""
    return {
        "id": 5,
        "status": "paid",
        "store": "S01",
        "created_at": "2031-03-01T02:00:00Z",
        "updated_at": f"2031-03-01T{changed}:00Z",
        "lines": [{"sku": "A", "qty": 1, "amount": amount} for amount in lines],
        "refunds": [
            {
                "id": f"R{at}",
                "created_at": "2031-03-01T03:00:00Z",
                "lines": [{"sku": "A", "qty": 1, "amount": amount}],
            }
            for at, amount in enumerate(refunds)
        ],
    }


def test_of_a_record_that_comes_twice_the_later_counts():
    """Pages out of order bring an older state after the newer one."""
    server = SmsServer()
    new, old = order_of("04:00", ["2.00"]), order_of("03:00", ["1.00"])
    try:
        for records in ((new, old), (old, new)):
            frame = said(server, *records).read("sales").frame
            assert frame["amount"].tolist() == [200]
    finally:
        server.close()


def test_a_ticket_that_is_refused_now_leaves_the_table():
    """What a whole reading would not have, a reading of changes takes out."""
    server = SmsServer()
    try:
        source = said(server, order_of("03:00", ["9.00", "1.00"], ["1.00", "2.00"]))
        first = source.changes("sales", since=None)
        source = said(server, order_of("04:00", ["9.00", "?"], ["1.00", "?"]))
        second = source.changes("sales", since=first.cursor)
        whole = source.read("sales").frame
    finally:
        server.close()
    assert second.result.rejected == 2
    merged = merge_changes(first.result.frame, second)
    assert sorted(merged["ticket_id"]) == ["5", "R0"]
    assert rows("sales", merged) == rows("sales", whole)
