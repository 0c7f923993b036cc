"""What is asked of every source of a POS system, on a real server or a recorded one."""

import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from memberops import Currency
from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.changes import merge_changes
from memberops.workflows import Chain
from servers.truth import Row
from sms_server import SmsServer, answer

CONTEXT = SourceContext(
    folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
)
TABLES = ("members", "sales", "stores")
_TOKEN = "vendure-auth-token"  # noqa: S105 - the name of a header
_SESSION = re.compile(r'"[0-9a-f]{32,}"')


def _text(value):
    return None if pd.isna(value) else str(value)


def members_of(frame):
    """Return name and phone by id."""
    rows = zip(frame["member_id"], frame["name"], frame["phone"], strict=True)
    return {own: (_text(name), _text(phone)) for own, name, phone in rows}


def stores_of(frame):
    """Return names by id."""
    return dict(zip(frame["store_id"], frame["name"], strict=True))


def rows_of(frame):
    """Return the lines of tickets in any order, but each as often as it is there."""
    return sorted(
        (
            Row(
                row.ticket_id,
                f"{row.sold_on:%Y-%m-%d}",
                row.store_id,
                _text(row.member_id),
                row.item_name,
                int(row.quantity),
                int(row.amount),
                _text(row.returned_ticket_id),
            )
            for row in frame.itertuples()
        ),
        key=repr,
    )


def texts_of(frame, rows):
    """Return rows as texts, of the columns that others have, in any order."""
    names = list(rows[0]) if rows else list(frame)
    found = zip(*(map(_text, frame[name]) for name in names), strict=True)
    return sorted(str(dict(zip(names, row, strict=True))) for row in found)


def balance_of(frame, place):
    """Return how many of each gift are at a place after all movements."""
    came = frame[frame["destination"] == place].groupby("gift_id")["quantity"].sum()
    went = frame[frame["source"] == place].groupby("gift_id")["quantity"].sum()
    return came.sub(went, fill_value=0).astype(int).to_dict()


def quiet_tickets(written, rows):
    """
    Return tickets that nothing befell since, of the first third that was written.

    Those that were written just before a reading may come again with the next.
    """
    before = [Row(*each) for each in written]
    early = {row.ticket for row in before[: len(before) // 3]}
    differ = set(before) ^ set(rows)
    return early - {row.ticket for row in differ} - {row.returned for row in differ}


def assert_is(frames, truth):
    """Hold what was read against what was put in."""
    assert members_of(frames["members"]) == truth.members
    assert stores_of(frames["stores"]) == truth.stores
    assert rows_of(frames["sales"]) == sorted(truth.rows, key=repr)
    for table, rows in truth.more.items():
        assert texts_of(frames[table], rows) == sorted(map(str, rows)), table


def assert_month_end(frames, truth, month):
    """Hold the month end against plain counting."""
    chain = Chain.from_frames(
        sales=frames["sales"],
        members=frames["members"],
        stores=frames["stores"],
        currency=CONTEXT.currency,
        zone=CONTEXT.zone,
    )
    frame = chain.month_end(month).frame("spending_power")
    frame = frame[frame["period"] == month].set_index("key")
    expected = truth.figures(month)
    assert expected["chain"]["tickets"] > 0
    for key, figures in expected.items():
        found = {name: int(frame.loc[key, name]) for name in figures}
        assert found == figures, key


def read_whole(source, tables=TABLES):
    """Read tables; return the frames and the changes they came in."""
    changes = {table: source.changes(table, since=None) for table in tables}
    for each in changes.values():
        assert each.whole
        assert each.result.rejected == 0
        assert not [one for one in each.result.findings if one.severity != "info"]
    return {table: each.result.frame for table, each in changes.items()}, changes


def read_changed(source, frames, before):
    """Read what changed in every table that was read, and put it into the frames."""
    changes = {t: source.changes(t, since=before[t].cursor) for t in before}
    merged = {t: merge_changes(frames[t], each) for t, each in changes.items()}
    return merged, changes


class Recorder:
    """Keeps what a server answers, without secrets and without its address."""

    def __init__(self, secrets):
        self.exchanges = []
        self._secrets = list(secrets)

    def __call__(self, client, request, method, url, *, headers=None, content=b""):
        """Stand in for `HttpClient.request`."""
        reply = request(client, method, url, headers=headers, content=content)
        self.exchanges.append(
            {
                "asked": self._clean(asked_of(method, url, content)),
                "status": reply.status,
                "headers": {
                    name: value
                    for name, value in reply.headers.items()
                    if name == "date"
                }
                | ({_TOKEN: "session"} if _TOKEN in reply.headers else {}),
                "body": self._clean(reply.body.decode()),
            }
        )
        return reply

    def _clean(self, text):
        for secret in self._secrets:
            text = text.replace(secret, "secret")
        return _SESSION.sub('"session"', text)


def asked_of(method, url, content):
    """Return what makes a request the same one when it is made again."""
    _, _, rest = url.partition("://")
    return f"{method} /{rest.partition('/')[2]} {content.decode()}"


class Replay:
    """A server on this machine that answers as a real one did, in the same order."""

    def __init__(self, exchanges):
        self._left = {}
        for each in exchanges:
            self._left.setdefault(each["asked"], []).append(each)
        self.unknown = []
        self._server = SmsServer()
        self._server.reply = self._reply
        self.url = self._server.url

    @classmethod
    def of(cls, path):
        """Return the server of a recording, and the recording."""
        recording = json.loads(Path(path).read_text("utf-8"))
        return cls(recording["exchanges"]), recording

    def _reply(self, seen):
        asked = asked_of(seen.method, f"http://x{seen.target}", seen.body)
        had = self._left.get(asked)
        if not had:
            self.unknown.append(asked)
            return answer({}, status=404)
        each = had.pop(0) if len(had) > 1 else had[0]
        return answer(
            status=each["status"],
            headers=each["headers"].items(),
            body=each["body"].encode(),
        )

    def close(self):
        """Accept nothing more."""
        self._server.close()
