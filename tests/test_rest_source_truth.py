"""What a REST source makes of odd services: nothing lost, doubled, or half told."""

import datetime as dt
import tracemalloc
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.rest_source import rest_source
from memberops.adapters.sources.snapshot import SnapshotSource
from memberops.adapters.sources.square import square_source
from memberops.domain import Currency
from memberops.errors import ConfigurationError, MissingColumnsError, SourceError
from sms_server import SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

KEYED = {"kind": "key", "field": "after", "start": 0, "size_field": "size"}
QUANTITIES = ("item_id", "quantity", "amount")
DATED = [("Date", "Sun, 22 Nov 2026 08:00:00 GMT")]
LINES = {
    "ticket_id": "ticket",
    "sold_at": "at",
    "store_id": "store",
    "item_id": "sku",
    "quantity": "qty",
    "amount": "amount",
}


@pytest.fixture
def server():
    """Give a server that answers with what a test gives it."""
    one = SmsServer()
    yield one
    one.close()


def source_of(server, say, table="members", *, headers=DATED, zone=None, **own):
    """Make a source of a service that says what a function of its query gives."""
    server.reply = lambda seen: answer(say(seen.query), headers=headers)
    own = {"path": "x", "records": "data", **own}
    own.setdefault("columns", {"member_id": "id", "name": "name"})
    shared = {name: own.pop(name) for name in ("patience", "http") if name in own}
    context = SourceContext(
        folder=Path(),
        currency=Currency("CNY"),
        zone=ZoneInfo(zone or "Asia/Shanghai"),
    )
    return rest_source(
        context, base_url=server.url, sleep=lambda _: None, **shared, **{table: own}
    )


def names(frame):
    """Return names by member."""
    return dict(zip(frame["member_id"], frame["name"], strict=True))


def rules(result):
    """Return the rules of findings, without what is only noted."""
    return [each.rule for each in result.findings if each.severity.value != "info"]


def later(source, table="members", *, times=3):
    """Read whole and then again, each time from the last cursor; return what is so."""
    changes = source.changes(table, since=None)
    frame = merge_changes(None, changes)
    for _ in range(times):
        changes = source.changes(table, since=changes.cursor)
        frame = merge_changes(frame, changes)
    return frame, changes


@pytest.mark.parametrize("form", ["iso", "number", "epoch"])
def test_what_changes_behind_the_reader_is_read_the_next_time(server, form):
    """A record of page one that changes while page two is asked for is not lost."""
    stamps = {
        "iso": lambda at: f"2026-11-05T00:{at // 60:02}:{at % 60:02}Z",
        "number": lambda at: at,
        "epoch": lambda at: 1_793_000_000 + at,
    }
    stamp = stamps[form]
    records = {at: {"id": at, "name": f"n{at}", "v": stamp(at)} for at in range(1, 21)}
    late = [1, 15]

    def say(query):
        after, since = int(query["after"]), query.get("since", "")
        if after and late:
            for at, own in enumerate(late):
                records[own] = {"id": own, "name": "CHANGED", "v": stamp(3000 + at)}
            late.clear()
        least = since[:19] if form == "iso" else int(since or 0)
        kept = [each for at, each in sorted(records.items()) if at > after]
        return {"data": [each for each in kept if each["v"] >= least][:10]}

    source = source_of(
        server,
        say,
        paging={**KEYED, "size": 10},
        since={"field": "since", "changed_at": "v", "form": form},
    )
    frame, _ = later(source)
    assert names(frame) == {str(at): each["name"] for at, each in records.items()}


def test_a_version_that_is_written_late_is_read(server):
    """Number 9 is given before number 10 and to be seen after it; it is not lost."""
    records = [{"id": 1, "name": "a", "v": 10}]

    def say(query):
        least = int(query.get("since", 0))
        return {"data": [each for each in records if each["v"] > least]}

    since = {"field": "since", "changed_at": "v", "form": "number"}
    source = source_of(server, say, since=since)
    first = source.changes("members", since=None)
    records.append({"id": 2, "name": "b", "v": 9})
    second = source.changes("members", since=first.cursor)
    assert names(merge_changes(first.result.frame, second)) == {"1": "a", "2": "b"}


@pytest.mark.parametrize("size", [2, 3])
def test_lines_that_share_an_id_are_an_error_and_not_dropped(server, size):
    """On one page or on two: what is not equal is not one record."""
    lines = [
        {"ticket": "T1", "n": at, "sku": sku, "qty": 1, "amount": "1.00",
         "at": "2026-11-05 10:00:00", "store": "S1"}
        for at, sku in enumerate("AABA"[:size + 1], start=1)
    ]  # fmt: skip

    def say(query):
        at = int(query["page"]) * size
        return {"data": lines[at - size : at]}

    paging = {"kind": "page", "field": "page"}
    options = {"columns": LINES, "paging": paging}
    with pytest.raises(SourceError, match="have the same id; set 'id'"):
        source_of(server, say, "sales", id="ticket", **options).read("sales")
    frame = source_of(server, say, "sales", id="n", **options).read("sales").frame
    assert len(frame) == len(lines)


CARDS = {
    "columns": {
        "card_id": "no",
        "member_id": "who",
        "valid_from": "from",
        "valid_through": "to",
    },
    "since": {"field": "since"},
    "deleted": "gone",
}


@pytest.mark.parametrize("key", [["card_id"], ["card_id", "valid_from"]])
def test_a_card_whose_record_changed_has_one_term(server, key):
    """A corrected term is not doubled, and a deleted card is out, by its own key."""
    cards = [
        {"id": at, "no": f"C{at}", "who": "M", "from": "2026-01-01", "to": "2026-12-31",
         "gone": None, "updated_at": "2026-11-01T00:00:00Z"}
        for at in (1, 2, 3)
    ]  # fmt: skip

    def say(query):
        least = query.get("since", "")[:19]
        return {"data": [each for each in cards if each["updated_at"] >= least]}

    source = source_of(server, say, "cards", key=key, **CARDS)
    first = source.changes("cards", since=None)
    for at, change in ((0, {"to": "2027-01-31"}), (1, {"gone": True})):
        cards[at] |= {**change, "updated_at": "2026-11-02T00:00:00Z"}
    if key == ["card_id"]:
        cards[0]["from"] = "2026-02-01"
    second = source.changes("cards", since=first.cursor)
    assert not second.whole
    merged = merge_changes(first.result.frame, second)
    whole = source.read("cards").frame
    terms = ["card_id", "valid_from", "valid_through"]
    assert merged.sort_values("card_id")[terms].values.tolist() == (
        whole[terms].values.tolist()
    )


def test_a_row_that_the_till_has_mended_is_no_longer_refused(server, tmp_path):
    """The snapshot holds it once: in the table, and not among what was refused."""
    pytest.importorskip("pyarrow")
    line = {"sku": "A", "qty": "two", "amount": "10.00"}
    tickets = [
        {"id": at, "at": "2026-11-05 10:00:00", "store": "S1", "lines": [{**line}],
         "updated_at": "2026-11-05T02:00:00Z"}
        for at in ("T1", "T2")
    ]  # fmt: skip

    def say(query):
        least = query.get("since", "")[:19]
        return {"data": [each for each in tickets if each["updated_at"] >= least]}

    columns = {**LINES, "ticket_id": "/id", "sold_at": "/at", "store_id": "/store"}
    source = source_of(
        server,
        say,
        "sales",
        columns=columns,
        each="lines",
        since={"field": "since"},
    )
    kept = SnapshotSource(source, tmp_path)
    kept.refresh(["sales"])
    assert kept.read("sales").rejected == 2
    tickets[0]["lines"][0]["qty"] = 1
    tickets[0]["updated_at"] = "2026-11-06T02:00:00Z"
    kept.refresh(["sales"])
    result = kept.read("sales")
    assert result.frame["ticket_id"].tolist() == ["T1"]
    assert result.rejected == 1
    assert [f.count for f in result.findings if f.severity.value == "error"] == [1]


@pytest.mark.parametrize("headers", [DATED, ()], ids=["dated", "undated"])
def test_a_record_of_the_future_does_not_stop_the_reading(server, headers):
    """One till whose clock is wrong by years: what others change is read as before."""
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - the machine's clock is what counts
    soon = [f"{now - dt.timedelta(days=each):%Y-%m-%dT%H:%M:%SZ}" for each in (9, 8, 7)]
    if headers:
        soon = [f"2026-11-{day}T00:00:00Z" for day in ("01", "21", "22")]
    records = [
        {"id": 1, "name": "a", "updated_at": "2099-01-01T00:00:00Z"},
        {"id": 2, "name": "b", "updated_at": soon[0]},
    ]

    def say(query):
        least = query.get("since", "")[:19]
        return {"data": [each for each in records if each["updated_at"] >= least]}

    source = source_of(server, say, headers=headers, since={"field": "since"})
    cursor = source.changes("members", since=None).cursor
    for name, at in (("c", soon[1]), ("d", soon[2])):
        records[1] = {"id": 2, "name": name, "updated_at": at}
        changes = source.changes("members", since=cursor)
        cursor = changes.cursor
        assert not changes.whole
        assert names(changes.result.frame)["2"] == name


def test_records_are_let_go_when_their_rows_are_made(server):
    """What a shop says of an order beyond its lines takes no memory in the end."""
    ballast = [{"note": f"{at:06}" * 10} for at in range(20)]

    def say(query):
        after = int(query["after"])
        ids = range(after + 1, min(after + 50, 500) + 1)
        return {
            "data": [
                {"id": at, "name": f"n{at}", "more": [*ballast, {"at": at}]}
                for at in ids
            ]
        }

    source = source_of(server, say, paging={**KEYED, "size": 50})
    source.read("members")
    tracemalloc.start()
    try:
        assert source.read("members").accepted == 500
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A record is some 7 KB; a page of 50 of them is there at a time.
    assert peak < 2_000_000


def test_a_reading_takes_so_many_records(server):
    """A service without an end is left before memory is."""

    def say(query):
        after = int(query["after"])
        return {"data": [{"id": at, "name": "n"} for at in range(after + 1, after + 9)]}

    source = source_of(server, say, paging=KEYED, patience={"records": 50})
    with pytest.raises(SourceError, match="more than 50 records"):
        source.read("members")
    assert len(server.seen) == 7


PEOPLE = [{"id": at, "name": f"n{at}"} for at in range(1, 26)]


def pages(query, *, size=10, people=PEOPLE):
    """Return a page of the people, with all that a service may say beside it."""
    at = (int(query.get("page", 1)) - 1) * size or int(query.get("cursor", 0))
    more = at + size < len(people)
    said = {"data": people[at : at + size], "meta": {"has_more": more, "pages": 3}}
    said["meta"]["here"] = len(said["data"])
    return said | ({"next": str(at + size)} if more else {})


@pytest.mark.parametrize(
    ("paging", "message"),
    [
        (
            {"kind": "page", "more": "meta.hasMore"},
            "'meta.hasMore', the path of 'more'",
        ),
        ({"kind": "page", "total": "meta.totl"}, "the path of 'total'"),
        ({"kind": "page", "total": "meta.pages"}, "the number of pages"),
        ({"kind": "page", "total": "meta.here"}, "not those of a page"),
        ({"kind": "cursor", "next": "next", "more": "more"}, "the path of 'more'"),
    ],
)
def test_a_misspelt_path_of_paging_is_an_error(server, paging, message):
    """A flag that stands nowhere is no end, and a number of pages is no total."""
    field = "page" if paging["kind"] == "page" else "cursor"
    source = source_of(server, pages, paging={**paging, "field": field})
    with pytest.raises(SourceError, match=message):
        source.read("members")


@pytest.mark.parametrize(
    ("paging", "headers", "sign"),
    [
        ({"kind": "cursor", "field": "cursor", "next": "nxt"}, (), "'meta.has_more'"),
        ({"kind": "none"}, (), "'meta.has_more'"),
        ({"kind": "none"}, [("Link", '<https://x/?page=2>; rel="next"')], "'Link'"),
        ({"kind": "none", "size_field": "size", "size": 10}, (), "'size'"),
        ({"kind": "none"}, (), "'total'"),
    ],
)
def test_pages_that_were_not_read_are_told(server, paging, headers, sign):
    """Whatever the answer has to say of more: a flag, a link, a number, a full page."""

    def say(query):
        found = {"data": pages(query)["data"]}
        if sign == "'total'":
            found |= {"total": len(PEOPLE)}
        return pages(query) if sign == "'meta.has_more'" else found

    source = source_of(server, say, headers=headers, paging=paging)
    result = source.read("members")
    assert rules(result) == ["pages-unread"]
    assert sign in result.findings[-1].message_en + result.findings[0].message_en


@pytest.mark.parametrize("people", [[], PEOPLE[:1], PEOPLE[:10], PEOPLE])
@pytest.mark.parametrize(
    "paging",
    [
        {"kind": "page", "field": "page"},
        {"kind": "page", "field": "page", "more": "meta.has_more"},
        {"kind": "page", "field": "page", "total": "total"},
        {"kind": "cursor", "field": "cursor", "next": "next"},
        {"kind": "cursor", "field": "cursor", "next": "next", "more": "meta.has_more"},
    ],
)
def test_all_pages_are_read_and_nothing_is_told(server, paging, people):
    """What is right is neither an error nor a warning: none, one, one page, three."""
    total = {"total": len(people)}
    source = source_of(
        server, lambda query: pages(query, people=people) | total, paging=paging
    )
    result = source.read("members")
    assert len(result.frame) == len(people)
    assert rules(result) == ([] if people else ["no-rows"])


@pytest.mark.parametrize(
    ("paging", "say", "message"),
    [
        (
            {"kind": "offset", "field": "offset"},
            lambda query: {"data": PEOPLE[:10]},
            "whatever 'offset' is",
        ),
        (
            {"kind": "offset", "field": "offset"},
            lambda query: {"data": PEOPLE[int(query["offset"]) :][:1]},
            "one record a page",
        ),
        (
            {"kind": "page", "field": "page"},
            lambda query: {"data": PEOPLE[:10] if int(query["page"]) % 2
                           else PEOPLE[10:20]},
            "again and again",
        ),
    ],
    ids=["ignored", "single", "round"],
)  # fmt: skip
def test_a_service_that_turns_in_circles_is_left(server, paging, say, message):
    """It is an error after a few requests, and never a short table."""
    with pytest.raises(SourceError, match=message):
        source_of(server, say, paging=paging).read("members")
    assert len(server.seen) < 12


@pytest.mark.parametrize("total", ["", "total"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_record_that_slips_between_two_pages_is_read(server, total, order):
    """One is deleted on page one and one added, while page two is asked for."""
    people = [{"id": at, "name": f"n{at}"} for at in range(1, 31)]

    def say(query):
        page = int(query["page"])
        if page == 2 and len(server.seen) == 2:
            del people[2 if order == 1 else -3]
            people.append({"id": 31, "name": "n31"})
        shown = people[::order]
        return {"data": shown[page * 10 - 10 : page * 10], "total": len(people)}

    paging = {"kind": "page", "field": "page", "total": total}
    frame = source_of(server, say, paging=paging).read("members").frame
    there = {str(each["id"]) for each in people}
    assert there - set(frame["member_id"]) <= {"31"}
    assert set(frame["member_id"]) - there <= {"3", "28"}


TICKETS = [
    {"id": at, "at": "2026-11-05 10:00:00", "store": "S1", "state": "paid",
     "customer": {"id": f"M{at}"} if at else None, "gone": None, "currency": "CNY",
     "lines": [{"sku": "A", "qty": 1, "amount": "1.00", "tax": None}]}
    for at in range(3)
]  # fmt: skip
SALE = {
    "ticket_id": "/id",
    "sold_at": "/at",
    "store_id": "/store",
    "member_id": "/customer.id",
    "item_id": "sku",
    "quantity": "qty",
}


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({}, None),
        ({"columns": {**SALE, "member_id": "/custmer.id"}}, "member_id"),
        ({"columns": {**SALE, "member_id": "/customer.idd|/buyer"}}, "member_id"),
        ({"columns": {**SALE, "item_name": "name"}, "expected": ["member_id"]}, None),
        ({"sums": {"amount": ["amount", "taxes"]}}, "amount"),
        ({"each": "items"}, "'each'"),
        ({"deleted": "deleted"}, "'deleted'"),
        ({"only": {"status": ["paid"]}}, "'only'"),
        ({"currency": "/curency"}, "'currency'"),
        ({"columns": {**SALE, "store_id": "/shopp"}}, "store_id"),
        ({"columns": {**SALE, "sold_at": "/att"}}, "sold_at"),
    ],
)
def test_a_path_that_stands_nowhere_is_told(server, slip, told):
    """A slip would leave a column, a table or a deletion out; null is no slip."""
    own = {
        "columns": SALE,
        "sums": {"amount": ["amount", "tax"]},
        "each": "lines",
        "deleted": "gone",
        "only": {"state": ["paid"]},
        "currency": "/currency",
        "since": {"field": "since", "changed_at": "at"},
        **slip,
    }
    source = source_of(server, lambda _: {"data": TICKETS}, "sales", **own)
    whole = source.changes("sales", since=None)
    found = [each for each in whole.result.findings if each.rule == "path-nowhere"]
    if told is None:
        assert found == []
        return
    (only,) = found
    assert told in (only.column, only.message_en.partition(" of ")[2].split(" ")[0])
    needed = told in ("'only'", "'currency'", "amount", "store_id", "sold_at")
    assert only.severity.value == ("error" if needed else "warning")
    # What tells most stands first; that a column may be absent is said of one alone.
    errors = [e for e in whole.result.findings if e.severity.value == "error"]
    assert not needed or errors[0] is only
    assert ("'expected'" in only.message_en) == (told == "member_id")
    # Among what changed a field may be missing by chance.
    later = source.changes("sales", since=whole.cursor)
    assert "path-nowhere" not in rules(later.result)


def test_a_field_that_a_caller_chose_of_a_known_system_is_watched(server):
    """The system's own paths may be absent; the one of the chain file is a slip."""
    location = {"id": "L1", "name": "一店"}
    server.reply = answer({"locations": [location]}, headers=DATED)
    context = SourceContext(
        folder=Path(), currency=Currency("USD"), zone=ZoneInfo("Asia/Shanghai")
    )
    source = square_source(
        context,
        base_url=server.url,
        token=lambda: "k",
        locations=["L1"],
        stores={"columns": {"region_id": "area"}},
    )
    assert [
        (each.rule, each.column)
        for each in source.read("stores").findings
        if each.rule == "path-nowhere"
    ] == [("path-nowhere", "region_id")]


@pytest.mark.parametrize("own", ["..", ".", ""])
def test_an_id_is_no_way_to_another_place(server, own):
    """What a record is called cannot lead a further request out of its folder."""
    follow = [{"path": "x/{id}/more", "into": "more"}]
    source = source_of(
        server, lambda _: {"data": [{"id": own, "name": "n"}]}, follow=follow
    )
    with pytest.raises(SourceError, match="a step in an address"):
        source.read("members")
    assert len(server.seen) == 1
    slashed = {"id": "../../admin?x=1", "name": "n"}
    source_of(server, lambda _: {"data": [slashed]}, follow=follow).read("members")
    assert server.seen[-1].target == "/x/..%2F..%2Fadmin%3Fx%3D1/more"


def test_a_stale_page_in_another_order_is_no_new_page(server):
    """A cache that gives page one in place of page three, its records turned round."""

    def say(query):
        people = PEOPLE[:24]
        page = int(query["page"])
        data = people[page * 8 - 8 : page * 8]
        if len(server.seen) in {3, 4}:  # page one looked at again, then page three
            data = people[7::-1]
        return {"data": data, "total": len(people)}

    paging = {"kind": "page", "field": "page", "total": "total"}
    frame = source_of(server, say, paging=paging).read("members").frame
    assert len(frame) == 24


def test_what_another_server_gave_is_not_built_upon(server):
    """After a move from the test to the real one, all is read, with a finding."""
    other = SmsServer()
    try:
        since = {"field": "since"}
        person = {"id": 1, "name": "a", "updated_at": "2026-11-05T00:00:00Z"}
        first = source_of(server, lambda _: {"data": [person]}, since=since)
        cursor = first.changes("members", since=None).cursor
        moved = source_of(other, lambda _: {"data": [person]}, since=since)
        changes = moved.changes("members", since=cursor)
    finally:
        other.close()
    assert changes.whole
    assert "cursor-unknown" in rules(changes.result)


def test_pages_of_a_second_request_that_were_not_read_are_told(server):
    """Of an order with many lines the service may give the first page only."""
    orders = [
        {"id": own, "at": "2026-11-05T08:00:00Z", "store": "S1"} for own in (1, 2, 3)
    ]
    line = {"sku": "A", "qty": 1, "amount": "5.00"}

    def reply(seen):
        if seen.target.endswith("/lines"):
            more = "1" not in seen.target.rpartition("orders")[2]
            return answer({"items": [line], "has_more": more})
        return answer({"data": orders}, headers=DATED)

    source = source_of(
        server,
        dict,
        "sales",
        follow=[{"path": "orders/{id}/lines", "into": "lines", "records": "items"}],
        each="lines",
        columns={
            **{name: path for name, path in LINES.items() if name in QUANTITIES},
            "ticket_id": "/id", "sold_at": "/at", "store_id": "/store",
        },
    )  # fmt: skip
    server.reply = reply
    result = source.read("sales")
    assert result.accepted == 3
    (told,) = [each for each in result.findings if each.rule == "pages-unread"]
    assert (told.source, told.count) == ("orders/{id}/lines", 2)
    assert "'has_more'" in told.message_en
    assert "follow" in told.message_en
    assert "follow" in told.message_zh


def test_a_second_request_whose_record_stands_nowhere_empties_no_table(server):
    """A wrong path is an error; the records are not taken for deleted ones."""

    def reply(seen):
        if seen.target.startswith("/people/"):
            return answer({"person": {"id": 1, "name": "Ann"}})
        return answer({"data": [{"id": 1}]}, headers=DATED)

    follow = {"path": "people/{id}", "records": "person"}
    source = source_of(server, dict, follow=[follow])
    server.reply = reply
    assert names(source.read("members").frame) == {"1": "Ann"}
    source = source_of(server, dict, follow=[{**follow, "records": "persn"}])
    server.reply = reply
    with pytest.raises(SourceError, match=r"'persn' .*'records' of 'follow'"):
        source.read("members")


@pytest.mark.parametrize("said", [{"code": 0, "data": None}, {"data": []}])
def test_a_second_request_may_answer_that_a_record_is_nothing(server, said):
    """Many services say null with status 200 where others say 404."""
    records = "data.0" if said["data"] == [] else "data"
    lost = {2}

    def reply(seen):
        own = seen.target.rpartition("/")[2]
        if not own.isdecimal():
            return answer({"data": [{"id": n} for n in (1, 2, 3)]}, headers=DATED)
        person = {"id": int(own), "name": f"n{own}"}
        there = {"data": [person] if records == "data.0" else person}
        return answer(said if int(own) in lost else there)

    def read():
        follow = {"path": "people/{id}", "records": records}
        source = source_of(server, dict, follow=[follow])
        server.reply = reply
        return source.read("members")

    result = read()
    assert sorted(names(result.frame)) == ["1", "3"]
    assert "records-gone" in rules(result)
    lost |= {1, 3}
    with pytest.raises(SourceError, match="none of 3 records"):
        read()


def test_lines_that_a_word_marks_as_returns_take_their_amounts_back(server):
    """A word of the ticket is believed where the chain says which, and told if not."""
    tickets = [
        {"id": own, "type": word, "at": "2026-11-05T08:00:00Z", "store": "S1",
         "items": [{"sku": "A", "qty": qty, "amount": amount}]}
        for own, word, qty, amount in (
            (1, "销售", 2, "19.90"), (2, "退货", 1, "9.95"), (3, "退货", -1, "-5.00")
        )
    ]  # fmt: skip
    columns = {
        "ticket_id": "/id", "sold_at": "/at", "store_id": "/store", "item_id": "sku",
        "quantity": "qty", "amount": "amount", "单据类型": "/type",
    }  # fmt: skip
    shape = {"each": "items", "columns": columns, "since": {"field": "since",
             "changed_at": "at"}}  # fmt: skip

    def say(query):
        return {"data": tickets if "since" not in query else tickets[1:2]}

    plain = source_of(server, say, "sales", **shape).read("sales")
    assert plain.frame["amount"].tolist() == [1990, 995, -500]
    (told,) = [each for each in plain.findings if each.rule == "returns-positive"]
    assert told.count == 1
    hint = 'returns = { column = "单据类型", equals = ["退货"] }'
    assert hint in told.message_en
    assert hint in told.message_zh
    rule = {"column": "单据类型", "equals": ["退货"]}
    source = source_of(server, say, "sales", **shape, returns=rule)
    first = source.changes("sales", since=None)
    assert first.result.frame["amount"].tolist() == [1990, -995, -500]
    assert first.result.frame["quantity"].tolist() == [2, -1, -1]
    assert rules(first.result) == []
    later = source.changes("sales", since=first.cursor)
    assert not later.whole
    assert later.result.frame["amount"].tolist() == [-995]
    wrong = source_of(server, say, "sales", **shape, returns={**rule, "column": "类型"})
    with pytest.raises(MissingColumnsError, match=r"'类型'.* mean '单据类型'"):
        wrong.read("sales")


def test_a_second_request_that_finds_nothing_at_all_empties_no_table(server):
    """Where none of many records is there, the address is wrong; one may be gone."""
    people = [{"id": own, "name": f"n{own}", "more": own < 4} for own in range(1, 6)]
    lost = set()

    def reply(seen):
        own = seen.target.rpartition("/")[2]
        if not own.isdecimal():
            return answer({"data": people}, headers=DATED)
        if int(own) in lost or seen.target.startswith("/person/"):
            return answer({}, status=404)
        return answer(people[int(own) - 1])

    def read(path, **more):
        source = source_of(server, dict, follow=[{"path": path, **more}])
        server.reply = reply
        return source.read("members")

    lost |= {2, 3}
    assert sorted(names(read("people/{id}").frame)) == ["1", "4", "5"]
    for more, count in (({}, 5), ({"when": "more"}, 3)):
        with pytest.raises(SourceError, match=f"none of {count} records") as caught:
            read("person/{id}", **more)
        assert str(count) in caught.value.text_zh
    del people[1:]
    lost |= {1}
    assert rules(read("people/{id}")) == ["records-gone", "no-rows"]


@pytest.mark.parametrize("paid", [1, [1, 2], ["1"]])
def test_a_state_that_is_a_number_counts_however_it_is_written(server, paid):
    """In a chain file 1 is as good as "1"; it did empty the table."""
    states = {1: 1, 2: "1", 3: 3, 4: None, 5: True}
    people = [{"id": own, "name": "a", "state": it} for own, it in states.items()]
    source = source_of(server, lambda _: {"data": people}, only={"state": paid})
    assert sorted(names(source.read("members").frame)) == ["1", "2"]


@pytest.mark.parametrize("gone", [True, [True], "true"])
def test_a_mark_of_deletion_may_be_a_number_or_true(server, gone):
    """Neither is passed over because it is written without quotes."""
    people = [
        {"id": 1, "name": "a", "gone": False, "state": 0},
        {"id": 2, "name": "b", "gone": True, "state": 0},
        {"id": 3, "name": "c", "gone": False, "state": 9},
    ]
    for path, equals, left in (("gone", gone, ["1", "3"]), ("state", 9, ["1", "2"])):
        source = source_of(
            server,
            lambda _: {"data": people},
            deleted={"path": path, "equals": equals},
        )
        assert sorted(names(source.read("members").frame)) == left
    source = source_of(server, lambda _: {"data": people}, only={"gone": False})
    assert sorted(names(source.read("members").frame)) == ["1", "3"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"only": ["paid"]}, "'only' is a table"),
        ({"only": {"state": 1.5}}, "'only'"),
        ({"only": {"state": [None]}}, "'only'"),
        ({"deleted": {"path": "x", "equals": [1.0]}}, "'equals' of 'deleted'"),
        ({"since": {"field": "a", "zone": "Asia/Shanghia"}}, "no zone called 'Asia/Sh"),
        ({"since": {"field": "a", "zone": "a/../b"}}, "no zone called 'a/"),
    ],
)
def test_what_cannot_be_a_state_or_zone_is_refused_at_once(server, wrong, told):
    """By its name, and as an error that every caller knows."""
    with pytest.raises(ConfigurationError, match=told):
        source_of(server, dict, **wrong)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": [["modified"]]}, "filters.0.2"),
        ({"filters": []}, "filters.first"),
        ({"filters": "all"}, "filters.since"),
    ],
)
def test_a_field_that_does_not_fit_the_body_is_refused(server, body, field):
    """It is told by its name, and nothing of the body is replaced."""
    source = source_of(
        server,
        lambda _: {"data": []},
        method="POST",
        body=body,
        since={"field": field, "start": "2026-01-01"},
    )
    with pytest.raises(ConfigurationError, match=f"'{field}'"):
        source.read("members")


@pytest.mark.parametrize("kind", ["cursor", "link"])
def test_a_next_page_that_is_false_is_none(server, kind):
    """Services write so where there is no further page; it is no place to ask for."""

    def say(query):
        assert query.get("cursor") in {None, "10", "20"}
        found = pages(query)
        place = found.get("next") and (
            found["next"] if kind == "cursor" else f"?cursor={found['next']}"
        )
        return {"data": found["data"], "next": place or False}

    paging = {"kind": kind, "field": "cursor", "next": "next"}
    result = source_of(server, say, paging=paging).read("members")
    assert len(result.frame) == len(PEOPLE)
    assert rules(result) == []
