"""A small server in memory, its source with cursors, and ways to break both."""

from __future__ import annotations

import itertools
import json
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import (
    latest_records,
    read_records,
    refused_keys,
)
from memberops.domain import Currency, Finding, Severity
from memberops.errors import UnknownTableError
from memberops.tables import table as table_named

PAGE = 3
OVERLAP = 5
FIELDS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": (
        "ticket_id", "sold_on", "store_id", "member_id", "item_id", "quantity",
        "amount",
    ),
    "consents": ("member_id", "channel", "given", "on", "at"),
    "complaints": ("case_id", "received_at", "category", "statement"),
    "gift_movements": (
        "posting_id", "kind", "effective_at", "gift_id", "source", "destination",
        "quantity",
    ),
}  # fmt: skip
OWN = {
    "members": "member_id", "sales": "ticket_id", "consents": "member_id",
    "complaints": "case_id", "gift_movements": "posting_id",
}  # fmt: skip


class Server:
    """
    Records with the second of their last change; many changes fall in one second.

    It is also the world of `check_changing_source`.
    """

    FAULTS: ClassVar = ("repeated-page", "cursor-gone", "clock-back", "late-page")

    def __init__(self, *, deletes=True, faults=FAULTS):
        self.records: dict[str, dict[str, dict[str, Any]]] = {
            table: {} for table in FIELDS
        }
        self.deleted: list[tuple[str, str, int]] = []
        self.numbers = itertools.count(1)
        self.second = 1000
        self.writes = 0
        self.epoch = 0
        self.deletes = deletes
        self.can = faults
        self.twisted: set[str] = set()

    def columns(self, table):
        """The columns that the server keeps."""
        return FIELDS[table]

    def put(self, table, rows, key=None):
        """Write a record; a new one gets an id of the server's own."""
        name = key[0] if key else f"{table[0].upper()}{next(self.numbers)}"
        own = OWN[table]
        self._tick()
        lines = [{**row, own: name} for row in rows]
        self.records[table][name] = {"id": name, "lines": lines, "at": self.second}
        return (name,)

    def delete(self, table, key):
        """Take a record out and remember it."""
        if not self.deletes:
            return False
        self._tick()
        del self.records[table][key[0]]
        self.deleted.append((table, key[0], self.second))
        return True

    def fault(self, name):
        """Begin to misbehave."""
        if name not in self.can:
            return False
        if name == "cursor-gone":
            self.epoch += 1
        elif name == "clock-back":
            self.second -= 2
        else:
            self.twisted.add(name)
        return True

    def _tick(self):
        self.writes += 1
        self.second += self.writes % 3 == 0

    def pages(self, table, since):
        """Pages of records changed since a second, oldest first."""
        found = sorted(
            (each for each in self.records[table].values() if each["at"] >= since),
            key=lambda each: (each["at"], each["id"]),
        )
        pages = [found[at : at + PAGE] for at in range(0, len(found), PAGE)]
        if "repeated-page" in self.twisted and pages:
            pages.insert(1, pages[0])
        if "late-page" in self.twisted:
            pages.reverse()
        return pages


class ServerSource:
    """A source as an adapter of a POS would be, honest unless told otherwise."""

    def __init__(self, server, broken=""):
        self.server = server
        self.broken = broken

    def read(self, table):
        """Read the whole table."""
        return self.changes(table, since=None).result

    def changes(self, table, *, since):
        """Read what changed since, with an overlap of seconds."""
        if table_named(table).name not in FIELDS:
            raise UnknownTableError(f"no {table} here")
        server = self.server
        whole, begin, notes = self._begin(table, since)
        now = server.second
        pages = server.pages(table, begin)
        if self.broken == "edge":
            pages = [page[: PAGE - 1] if len(page) == PAGE else page for page in pages]
        records = [record for page in pages for record in page]
        if self.broken != "doubles":
            records = latest_records(records, key="id")
        rows = [line for record in records for line in record["lines"]]
        if self.broken == "float":
            rows = [
                {**row, "amount": "5.01"} if "amount" in row else row for row in rows
            ]
        options = ReadingOptions.of(
            table, currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
        )
        result = read_records(rows, options, origin="acme", fields=FIELDS[table])
        if self.broken == "leak" and rows and "phone" in rows[0]:
            notes = [*notes, gone(table, f"look at {rows[0]['phone']}")]
        result = type(result)(
            table=result.table,
            frame=result.frame,
            rejects=result.rejects,
            findings=[*notes, *result.findings],
            rows_read=result.rows_read,
        )
        ahead = 60 if self.broken == "ahead" else 0
        deleted = [
            (name,)
            for of, name, at in server.deleted
            if of == table and at >= begin and name not in server.records[table]
        ]
        key = OWN[table]
        cursor = {"second": now + ahead, "epoch": server.epoch}
        if self.broken == "cursor-leak" and rows and "phone" in rows[0]:
            cursor["last"] = rows[-1]["phone"]
        return SourceChanges(
            result=result,
            cursor=json.dumps(cursor),
            deleted=() if whole or self.broken == "undead" else deleted,
            whole=whole,
            refused=refused_keys(rows, result, key=[key]),
            key=(key,),
        )

    def _begin(self, table, since):
        """Read a cursor: whether all is read, from which second, and what to tell."""
        if since is None:
            return True, 0, []
        try:
            cursor = json.loads(since)
            known = cursor["epoch"] == self.server.epoch
        except (ValueError, TypeError, KeyError):
            known = False
        overlap = -1 if self.broken == "no-overlap" else OVERLAP
        if known:
            return False, cursor["second"] - overlap, []
        if self.broken == "cursor-raises":
            raise RuntimeError("410")
        if self.broken == "cursor-empty":
            return False, self.server.second + 1, []
        return True, 0, [gone(table)]


def gone(table, text="the cursor is not known any more: read whole"):
    """The finding of a cursor that is not known."""
    return Finding(
        table=table,
        rule="cursor-gone",
        message_en=text,
        message_zh=f"游标失效：{text}",
        severity=Severity.INFO,
    )


def member(name, phone="13800138000", joined="2026-11-05"):
    """The one row of a member."""
    return [{"name": name, "phone": phone, "joined_on": joined}]


def ticket(*quantities):
    """The lines of a ticket."""
    return [
        {
            "sold_on": "2026-11-05", "store_id": "S1", "member_id": "M1",
            "item_id": f"I{at}", "quantity": quantity, "amount": f"{quantity}.00",
        }
        for at, quantity in enumerate(quantities)
    ]  # fmt: skip
