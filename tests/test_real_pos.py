"""Promises of the sources of POS systems, kept on the real servers."""

import pytest

from memberops.adapters.sources.changes import ChangingSource
from memberops.adapters.sources.tryton_source import TrytonSource
from memberops.testing import check_changing_source
from pos_checks import (
    CONTEXT,
    assert_is,
    assert_month_end,
    balance_of,
    quiet_tickets,
    read_changed,
    read_whole,
    stores_of,
    texts_of,
)
from pos_world import ServerWorld
from servers import start
from servers.kinds import KINDS

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=KINDS)
def empty_shop(request):
    """A shop on a real server, in which nobody has bought yet."""
    kind = KINDS[request.param]
    running = kind.server()
    try:
        place = running.__enter__()
    except start.CannotStartError as error:
        pytest.skip(f"the server cannot be had: {error}")
    try:
        yield kind.shop(place)
    finally:
        running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shop(empty_shop):
    """The shop, filled by its own API, and the source that reads it."""
    kind = KINDS[empty_shop.kind]
    filled = empty_shop.fill(members=kind.members, sales=kind.sales)
    return filled, kind.source(CONTEXT, **filled.options(), overlap_seconds=0)


def test_a_source_keeps_the_contract_of_sources_on_its_server(empty_shop):
    """Nothing is lost and nothing doubled while records come, change and go."""
    kind = KINDS[empty_shop.kind]
    world = ServerWorld(empty_shop)
    given = empty_shop.options() | {"page": 3}
    for table in kind.contract:
        options = given | (kind.narrow if table == "sales" else {})
        check_changing_source(
            lambda: kind.source(CONTEXT, **options),  # noqa: B023 - called at once
            world,
            table=table,
        )
        world.clear()
    if hasattr(empty_shop, "other_options"):
        other = kind.source(CONTEXT, **given | empty_shop.other_options())
        assert stores_of(other.read("stores").frame) == empty_shop.truth.stores


def test_a_till_keeps_the_contract_of_sources(empty_shop):
    """Tickets that are opened again, changed, paid and canceled are what they are."""
    if not hasattr(empty_shop, "till"):
        pytest.skip("the system has no till of its own")
    options = empty_shop.options() | {"orders": "sale.point.sale"}
    world = ServerWorld(empty_shop.till)
    check_changing_source(
        lambda: TrytonSource(CONTEXT, **options), world, table="sales"
    )
    world.clear()


@pytest.fixture(scope="module")
def readings(shop):
    """What was read whole, after changes, and whole again, with what was put in."""
    filled, source = shop
    kind = KINDS[filled.kind]
    frames, before = read_whole(source, kind.tables)
    given = {**filled.options(), "overlap_seconds": 0, **kind.narrow}
    narrow = kind.source(CONTEXT, **given)
    # Its cursor is another one where it looks for more.
    sharp = before | read_whole(narrow, ["sales"])[1]
    found = {"first": frames, "put": filled.truth.written()}
    filled.change()
    found["merged"], found["changes"] = read_changed(source, frames, before)
    found["narrowly"], found["dated"] = read_changed(narrow, frames, sharp)
    found["anew"], _ = read_whole(source, kind.tables)
    return found


def test_a_whole_reading_is_what_was_put_in(shop, readings):
    """Every member, store and line of a ticket, none more, none less, exactly."""
    filled, source = shop
    assert isinstance(source, ChangingSource)
    assert_is(readings["first"], type(filled.truth).read(readings["put"]))


def test_changes_make_of_the_first_reading_what_a_second_whole_one_gives(
    shop, readings
):
    """New, changed, returned, canceled and deactivated: none is lost or doubled."""
    filled, _ = shop
    assert_is(readings["merged"], filled.truth)
    assert_is(readings["narrowly"], filled.truth)
    assert_is(readings["anew"], filled.truth)
    if hasattr(filled, "on_hand"):
        moved = readings["merged"]["gift_movements"]
        assert balance_of(moved, "warehouse") == filled.on_hand()
    for table in {"gift_movements", "complaints", "case_events", "till"} & {
        *readings["changes"]
    }:
        assert not readings["changes"][table].whole
    for table in ("members", "sales"):
        assert not readings["changes"][table].whole
        assert not readings["dated"][table].whole
    come = readings["dated"]["members"].result.rows_read
    assert 0 < come < len(readings["anew"]["members"]) / 2
    quiet = quiet_tickets(readings["put"]["rows"], filled.truth.rows)
    assert quiet
    assert not quiet & {*readings["dated"]["sales"].result.frame["ticket_id"]}


def test_the_month_end_counts_what_was_sold(shop, readings):
    """Sales, tickets and buyers of each store, as plain Python counts them."""
    filled, _ = shop
    assert_month_end(readings["merged"], filled.truth, filled.month)


def test_what_was_deleted_for_good_is_noticed(shop, readings):
    """A deletion of which the server tells nothing makes the table be read whole."""
    filled, source = shop
    cursor = readings["changes"]["members"].cursor
    cursor = source.changes("members", since=cursor).cursor
    filled.delete()
    changes = source.changes("members", since=cursor)
    assert changes.whole
    assert set(changes.result.frame["member_id"]) == set(filled.truth.members)
    assert "records-deleted" in {each.rule for each in changes.result.findings}
    if hasattr(filled, "delete_case"):
        cursors = {
            table: source.changes(table, since=readings["changes"][table].cursor).cursor
            for table in ("complaints", "case_events")
        }
        filled.delete_case()
        for table, cursor in cursors.items():
            changes = source.changes(table, since=cursor)
            assert changes.whole
            rows = filled.truth.more[table]
            assert texts_of(changes.result.frame, rows) == sorted(map(str, rows))
    if hasattr(filled, "delete_goods"):
        cursor = readings["changes"]["gift_movements"].cursor
        filled.delete_goods()
        changes = source.changes("gift_movements", since=cursor)
        assert changes.whole
        rows = filled.truth.more["gift_movements"]
        assert texts_of(changes.result.frame, rows) == sorted(map(str, rows))
