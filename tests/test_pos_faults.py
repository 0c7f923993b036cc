"""Promises of sources of POS systems where a recorded server misbehaves."""

import copy
import itertools
import json
from pathlib import Path

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.vendure_source import VendureSource
from memberops.errors import SourceError
from pos_checks import CONTEXT, Replay, assert_is, read_changed, read_whole
from servers.kinds import KINDS
from servers.truth import Truth
from sms_server import Cut, Hang, answer

RECORDED = Path(__file__).parent / "data" / "pos" / "recorded"
FAULTS = (
    *("429", "half", "repeat", "double", "shuffle"),
    *(pytest.param(each, marks=pytest.mark.nightly) for each in
      ("500", "503", "reset", "hang")),
)  # fmt: skip
PATIENCE = {"attempts": 6, "first_pause": 0.0001, "longest_pause": 0.001}


def records_in(document):
    """Return the list of records that an answer holds, None if it holds none."""
    if not isinstance(document, dict):
        return None
    held = document.get("data", document)
    for part in held.values():
        value = part.get("items") if isinstance(part, dict) else part
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return value
    return None


class FaultyReplay(Replay):
    """A recorded server that fails as it is told to."""

    def __init__(self, exchanges):
        super().__init__(exchanges)
        self.fault = lambda: "none"
        self.change = lambda document: None
        self.broken = 0
        self._before = {}
        self._repeated = set()

    def _reply(self, seen):
        fault = self.fault()
        if fault in {"429", "500", "503"}:
            self.broken += 1
            waits = [("Retry-After", "0")] if fault == "429" else []
            return answer({}, status=int(fault), headers=waits)
        if fault == "hang":
            self.broken += 1
            return Hang(2.0)
        if fault == "reset":
            self.broken += 1
            return Cut()
        kind = self._goes_on(seen)
        asked = f"{seen.method} {seen.target} {seen.body.decode()}"
        again = fault == "repeat" and asked not in self._repeated
        if kind in self._before and (again or fault == "repeat always"):
            self.broken += 1
            self._repeated.add(asked)
            return self._before[kind]
        if fault == "half" and asked in self._left:
            self.broken += 1
            whole = self._left[asked][0]["body"].encode()
            return Cut(answer(body=whole)[: -len(whole) // 2 - 1], reset=False)
        return self._said(super()._reply(seen), fault, seen)

    def _said(self, reply, fault, seen):
        head, _, body = reply.partition(b"\r\n\r\n")
        document = json.loads(body)
        self.change(document)
        records = records_in(document)
        if records is None:
            changed = json.dumps(document).encode()
        else:
            if fault == "double":
                self.broken += 1
                records[:0] = copy.deepcopy(records[:2])
            if fault == "shuffle":
                self.broken += 1
                records.reverse()
            changed = json.dumps(document).encode()
        lines = [
            each
            for each in head.split(b"\r\n")
            if not each.lower().startswith(b"content-length")
        ]
        lines.append(b"Content-Length: %d" % len(changed))
        reply = b"\r\n".join(lines) + b"\r\n\r\n" + changed
        if records is not None:
            self._before[self._of(seen)] = reply
        return reply

    @staticmethod
    def _of(seen):
        """Name what is read: a path, a model, or a query."""
        if "/rpc/" in seen.target:
            return seen.json["method"]
        if "admin-api" in seen.target:
            return seen.json["query"]
        return seen.target.partition("?")[0]

    def _goes_on(self, seen):
        """Name what is read where a further page of it is asked for."""
        text = seen.target + seen.body.decode()
        further = "id%5B%24gt%5D" in text
        if "/rpc/" in seen.target and seen.json["method"].endswith("search_read"):
            further = seen.json["params"][0][-1][2] > 0
        if "admin-api" in seen.target:
            options = seen.json["variables"].get("options", {})
            further = options.get("skip", 0) > 0
        return self._of(seen) if further else None


@pytest.fixture(params=sorted(KINDS))
def recorded(request):
    """A faulty server, a source of it, and what was put into it first and then."""
    server, recording = FaultyReplay.of(RECORDED / f"{request.param}.json")
    kind = KINDS[request.param]
    server.tables = kind.tables
    given = {**recording["options"], kind.secret: lambda: "secret", "url": server.url}
    source = kind.source(
        CONTEXT,
        **given,
        overlap_seconds=0,
        patience=PATIENCE,
        http={"read_seconds": 0.3, "total_seconds": 2},
    )
    first, then = Truth.read(recording["first"]), Truth.read(recording["then"])
    yield server, source, first, then
    server.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_loses_or_doubles_a_record(recorded, fault):
    """Whatever comes between, the tables are read as they are, or not at all."""
    server, source, first, then = recorded
    every = {"hang": 9, "repeat": 1}.get(fault, 3)
    turn = itertools.count()
    server.fault = lambda: fault if next(turn) % every == every // 2 else "none"
    frames, before = read_whole(source, server.tables)
    assert_is(frames, first)
    merged, changes = read_changed(source, frames, before)
    assert_is(merged, then)
    assert not changes["sales"].whole
    assert server.broken


def test_a_reading_that_fails_for_good_takes_nothing_over(recorded):
    """The next one, from where the last good one ended, finds all there is."""
    server, source, _, then = recorded
    frames, before = read_whole(source, server.tables)
    for fault in ("500", "half"):
        server.fault = lambda fault=fault: fault
        for table in ("members", "sales"):
            with pytest.raises(SourceError, match="read again"):
                source.changes(table, since=before[table].cursor)
    server.fault = lambda: "none"
    merged, _ = read_changed(source, frames, before)
    assert_is(merged, then)


def test_a_page_that_comes_again_and_again_is_an_error(recorded):
    """It is never taken for the end."""
    server, source, _, _ = recorded
    server.fault = lambda: "repeat always"
    with pytest.raises(SourceError, match="again and again"):
        source.read("members")


@pytest.mark.parametrize("table", ["members", "sales"])
def test_a_cursor_that_is_gone_makes_the_table_be_read_whole(recorded, table):
    """And a finding says so."""
    _, source, first, _ = recorded
    changes = source.changes(table, since='{"v": 1, "table": "members"}')
    assert changes.whole
    assert {each.rule for each in changes.result.findings} == {"cursor-unknown"}
    whole = source.changes(table, since=None).result
    assert changes.result.frame.equals(whole.frame)
    if table == "members":
        assert set(changes.result.frame["member_id"]) == set(first.members)


def test_a_member_who_was_deleted_is_taken_out(recorded):
    """There are fewer than before, so all are read, and he is not among them."""
    server, source, first, _ = recorded
    before = source.changes("members", since=None)
    # Vendure's pages are counted: without a record, all after it would move up.
    ids = sorted(first.members, key=lambda own: (len(own), own))
    gone = ids[-1 if isinstance(source, VendureSource) else 0]

    def without(document):
        held = document.get("data", document) if isinstance(document, dict) else {}
        for part in held.values():
            each = part if isinstance(part, dict) else held
            for name in ("count", "totalItems"):
                if isinstance(each.get(name), int) and each[name]:
                    each[name] -= 1
                    break
        if isinstance(held.get("result"), int):
            held["result"] -= 1
        records = records_in(document)
        if records is not None:
            records[:] = [r for r in records if str(r.get("id")) != gone]

    server.change = without
    changes = source.changes("members", since=before.cursor)
    assert changes.whole
    assert "records-deleted" in {each.rule for each in changes.result.findings}
    merged = merge_changes(before.result.frame, changes)
    assert gone not in set(merged["member_id"])
    assert len(merged) == len(first.members) - 1
