"""The points of Square while they change, against a small server made by hand."""

import datetime as dt
import json

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.errors import SourceError
from memberops.testing import check_changing_source
from memberops.testing.faulty_gateway_server import GatewayAnswer, LoopbackServer
from test_pos_recorded import square

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

PAGE = 3
SINCE = ("query", "filter", "date_time_filter", "created_at", "start_at")


class Loyalty:
    """Events, the latest first, and accounts, as Square's description has them."""

    def __init__(self):
        self.events = []
        self.accounts = [
            {"id": f"A{number}", "customer_id": f"C{number}"} for number in range(5)
        ]
        self.now = dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC)
        self.faults = []
        self.server = LoopbackServer(self._serve)

    def __enter__(self):
        """Serve."""
        return self

    def __exit__(self, *_error):
        """Stop."""
        self.server.close()

    def _serve(self, request, connection):
        fault = self.faults.pop(0) if self.faults else ""
        body = json.loads(request.body or b"{}")
        kind = "events" if "/events/" in request.target else "loyalty_accounts"
        found = self._events(body) if kind == "events" else self.accounts
        begin = int(body.get("cursor") or 0)
        size = min(PAGE, body["limit"])
        said = {kind: found[begin : begin + size]}
        if begin + size < len(found):
            said["cursor"] = str(begin + size)
        status = int(fault) if fault else 200
        headers = {"Date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        answer = GatewayAnswer(
            body=json.dumps(said).encode(), status=status, headers=headers
        )
        connection.answer(answer)

    def _events(self, body):
        since = body
        for step in SINCE:
            since = since.get(step, {})
        return [
            each
            for each in sorted(self.events, key=lambda one: one["created_at"])[::-1]
            if not since or each["created_at"] >= since
        ]

    def columns(self, _table):
        """Name what is kept."""
        return ("kind", "gift_id", "source", "destination", "quantity")

    def put(self, _table, rows, key=None):
        """Add an event; nothing that happened ever changes."""
        (row,) = rows
        own = key[0].removeprefix("loyalty-") if key else f"E{len(self.events)}"
        if key is None and len(self.events) % 3 == 0:
            self.now += dt.timedelta(minutes=7)
        earned = row["kind"] == "award"
        member = row["destination" if earned else "source"].partition(":")[2]
        kind = "accumulate_points" if earned else "create_reward"
        event = {
            "id": own,
            "type": kind.upper(),
            "created_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
            "loyalty_account_id": member.replace("C", "A"),
            kind: {"points": row["quantity"] if earned else -row["quantity"]},
        }
        self.events = [each for each in self.events if each["id"] != own] + [event]
        return (f"loyalty-{own}",)

    def delete(self, _table, _key):
        """Tell that nothing is ever deleted."""
        return False

    def fault(self, name):
        """Let the clock go back by less than the overlap, or answers fail."""
        if name == "clock-back":
            self.now -= dt.timedelta(seconds=90)
        elif name == "repeated-page":
            self.faults = ["500", "", "429", "", "503"]
        return name in {"clock-back", "repeated-page"}

    def source(self):
        """Make a source of the points."""
        return square(
            self.server.url,
            movements="points",
            sleep=lambda _: None,
            patience={"attempts": 9},
        )


def earned_or_spent(number, _lines):
    """Make what a member earned, or took for a reward."""
    earned = number % 2 == 1
    wallet = f"wallet:C{number % 5}"
    return [
        {
            "kind": "award" if earned else "spend",
            "gift_id": "points",
            "source": "program:earned" if earned else wallet,
            "destination": wallet if earned else "program:spent",
            "quantity": number,
        }
    ]


def test_points_are_neither_lost_nor_doubled():
    """Pages of three, the latest first, and accounts on pages of their own."""
    with Loyalty() as shop:
        check_changing_source(
            shop.source, shop, table="gift_movements", made=earned_or_spent
        )
        assert len(shop.events) > 20


def test_events_whose_accounts_cannot_be_read_are_not_taken_over():
    """Half of what is needed is nothing: the cursor stays, and all comes next time."""
    with Loyalty() as shop:
        for number in range(1, 5):
            shop.put("gift_movements", earned_or_spent(number, 1))
        source = shop.source()
        before = source.changes("gift_movements", since=None)
        shop.put("gift_movements", earned_or_spent(5, 1))
        shop.faults = ["", "", "401"]
        with pytest.raises(SourceError, match="401"):
            source.changes("gift_movements", since=before.cursor)
        part = source.changes("gift_movements", since=before.cursor)
        frame = merge_changes(before.result.frame, part)
        assert sorted(frame["quantity"]) == [1, 2, 3, 4, 5]
