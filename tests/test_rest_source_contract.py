"""The REST source is taken through the contract of all sources that tell changes."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.rest_source import rest_source
from memberops.domain import Currency
from memberops.testing import check_changing_source
from memberops.testing.faulty_gateway_server import GatewayAnswer, LoopbackServer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

SHANGHAI = ZoneInfo("Asia/Shanghai")
KEYS = {"members": "member_id", "sales": "ticket_id", "cards": "card_id"}
COLUMNS = {
    "members": ("name", "phone", "gender", "birth_date", "joined_on", "store_id"),
    "sales": (
        *("sold_on", "sold_at", "store_id", "member_id", "item_id"),
        *("quantity", "amount", "returned_ticket_id"),
    ),
    "cards": ("member_id", "valid_from", "valid_through"),
}


class Shop:
    """A shop whose records are written to it, and read in pages of three."""

    def __init__(self, table):
        self.table = table
        self.records = {}
        self.now = dt.datetime(2031, 3, 1, tzinfo=dt.UTC)
        self.faults = set()
        self.before = []
        self.server = LoopbackServer(self._serve)

    def columns(self, table):
        """Name what is kept."""
        return COLUMNS[table]

    def put(self, _table, rows, key=None):
        """Write a record; some in one second, and minutes between others."""
        own = int(key[0]) if key else len(self.records) + 1
        if own % 3 == 0:
            self.now += dt.timedelta(minutes=7)
        self.records[own] = self._stamped({"rows": [_plain(row) for row in rows]})
        return (str(own),)

    def delete(self, _table, key):
        """Write that a record is gone."""
        own = int(key[0])
        self.records[own] = self._stamped({**self.records[own], "gone": True})
        return True

    def fault(self, name):
        """Misbehave from now on."""
        if name == "clock-back":
            self.now -= dt.timedelta(seconds=60)
            return True
        self.faults.add(name)
        return True

    def _stamped(self, record):
        return {**record, "changed": self.now.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _serve(self, request, connection):
        query = dict(parse_qsl(urlsplit(request.target).query))
        since, after = query.get("since", ""), int(query["after"])
        if since and "cursor-gone" in self.faults:
            self.faults.discard("cursor-gone")
            connection.answer(GatewayAnswer(body=b"{}", status=410))
            return
        found = [
            {"id": own, **record}
            for own, record in sorted(self.records.items())
            if record["changed"] >= since[:19] and own > after
        ][:3]
        if "repeated-page" in self.faults and after and self.before:
            self.faults.discard("repeated-page")
            found = self.before
        if "late-page" in self.faults:
            found = found[::-1]
        self.before = found
        body = json.dumps({"records": found}, ensure_ascii=False).encode()
        date = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        connection.answer(GatewayAnswer(body=body, headers={"Date": date}))


def _plain(row):
    said = {
        name: str(value) if isinstance(value, Decimal | dt.date) else value
        for name, value in row.items()
    }
    if at := row.get("sold_at"):  # as a till writes it that knows its own zone only
        said["clock"] = str(at.astimezone(SHANGHAI).replace(tzinfo=None))
    return said


def check(table, **odd):
    """Take a source of a shop through the contract, its options odd in some way."""
    shop = Shop(table)
    columns = {name: name for name in COLUMNS[table]}
    context = SourceContext(folder=Path(), currency=Currency("CNY"), zone=SHANGHAI)
    options = {
        "columns": {**columns, KEYS[table]: "/id", **odd.pop("columns", {})},
        "key": KEYS[table],
        **odd,
    }
    with shop.server as server:
        check_changing_source(
            lambda: rest_source(
                context,
                base_url=server.url,
                sleep=lambda _: None,
                path="records",
                records="records",
                each="rows",
                deleted="gone",
                paging={"kind": "key", "field": "after", "start": 0},
                since={"field": "since", "changed_at": "changed"},
                **options,
            ),
            shop,
            table=table,
        )


@pytest.mark.parametrize("table", KEYS)
def test_the_contract_of_changing_sources_is_kept(table):
    """New, changed and deleted records, faults, clocks and cursors that are gone."""
    check(table)


@pytest.mark.parametrize(
    ("table", "odd", "said"),
    [
        ("sales", {"columns": {"sold_at": "clock"}, "zone": "UTC"}, "wrong values"),
        ("sales", {"columns": {"returned_ticket_id": "/id"}}, "wrong values"),
        ("cards", {"key": ["card_id", "valid_from"]}, "were never written"),
    ],
)
def test_the_contract_finds_moments_links_and_terms_that_are_wrong(table, odd, said):
    """A clock of another zone, a return of another ticket, a term that stays."""
    with pytest.raises(AssertionError, match=said):
        check(table, **odd)
