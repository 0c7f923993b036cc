"""No phone, name or secret of a canary set is seen where it is not needed."""

import contextlib
import datetime as dt
import hashlib
import io
import itertools
import logging
import sqlite3
import tempfile
import traceback
from pathlib import Path

import attrs
import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")
pytest.importorskip("httpx2", reason="needs the extra 'sms'")
pytest.importorskip("cryptography", reason="needs the extra 'seal'")

import message_storms as storms
from memberops.adapters.sms import FileProvider, FormGateway, SmsContext
from memberops.adapters.stores import KeySeal, open_outbox
from memberops.domain.message import Message, audience_digest
from memberops.errors import MemberOpsError
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.testing import FaultyGateway, GatewayFault
from memberops.workflows.message_sending import send_messages, settle_messages

PHONES = [f"137{number:08}" for number in range(71717171, 71717196)]
NAME = "金丝雀欧阳"
SECRET = "canary-secret-9f8e7d6c"  # noqa: S105 - made up, to be looked for
CANARIES = (*PHONES, *(phone[3:] for phone in PHONES), NAME, SECRET)
NEEDED = {"outbox_messages": {"phone", "text", "variables"}}
"""Where an outbox without a seal holds what it must know to send."""


def seen(text):
    """Return the canaries in a text, cut short so that a failure shows none."""
    found = [each for each in CANARIES if each in text]
    return [f"{each[:3]}…" for each in found]


class Sealed:
    """A host's seal, as one with a key would be; this one is for the test alone."""

    def _mixed(self, data, salt):
        blocks = (
            hashlib.blake2b(f"{salt} {n}".encode(), key=SECRET.encode()).digest()
            for n in itertools.count()
        )
        stream = itertools.chain.from_iterable(blocks)
        return bytes(one ^ other for one, other in zip(data, stream, strict=False))

    def hide(self, text):
        """Return what is written."""
        salt = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return f"{salt}:{self._mixed(text.encode(), salt).hex()}"

    def show(self, hidden):
        """Return the text."""
        salt, _, data = hidden.partition(":")
        return self._mixed(bytes.fromhex(data), salt).decode()


def canary_batch(kind="marketing"):
    """Make a batch of which every message holds canaries."""
    batch, made = storms.batch_of("canary", range(len(PHONES)), kind)
    made = [
        attrs.evolve(
            message,
            phone=phone,
            text=f"{NAME}，您好！拒收请回复R【示例店】",
            variables=(("name", NAME),),
        )
        for message, phone in zip(made, PHONES, strict=True)
    ]
    audience, size = audience_digest((each.message_id, each.digest) for each in made)
    return attrs.evolve(batch, audience=audience, size=size), made


def whole(error):
    """Return an error as a traceback shows it, causes and contexts included."""
    text = "".join(traceback.format_exception(error))
    chain, each = [], error
    while each is not None:
        chain += [repr(each), str(each), repr(each.args)]
        each = each.__cause__ or each.__context__
    return text + "\n".join(chain)


def form_gateway(url, folder):
    """Make our provider with a canary as its token."""
    return FormGateway(
        SmsContext(folder=folder),
        url=f"{url}/send",
        query_url=f"{url}/query",
        token=lambda: SECRET,
        receipt_secret=lambda: SECRET,
        settle_seconds=1,
        limits={"connect_seconds": 1, "read_seconds": 0.1, "total_seconds": 0.2},
    )


@contextlib.contextmanager
def all_logs():
    """Catch what every logger says at its lowest level, into one text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    names = ["", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "httpx2"]
    names += ["httpcore2", *logging.root.manager.loggerDict]
    loggers = {name: logging.getLogger(name) for name in names}
    before = {name: each.level for name, each in loggers.items()}
    for each in loggers.values():
        each.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        yield stream
    finally:
        logging.getLogger().removeHandler(handler)
        for name, each in loggers.items():
            each.setLevel(before[name])


def office(outbox, provider, gateway, shown):
    """Do all that an office does with an outbox, and much that goes wrong."""
    batch, made = canary_batch()
    members = range(len(made))
    storms.consent(outbox, members)
    outbox.add_batch(batch)
    storms.approve(outbox, batch)
    first = made[0]
    other = [attrs.evolve(first, phone=PHONES[1])]
    odd = Message(
        message_id="odd", batch_id="canary", member_id="M0", phone=PHONES[0],
        text=f"{NAME} \ud800",
    )  # fmt: skip
    shown += [
        repr(each) for each in (batch, made, odd, outbox, provider, outbox.policy)
    ]
    outbox.enqueue("canary", made)
    for wrong in (
        lambda: outbox.enqueue("canary", other),
        lambda: outbox.enqueue("canary", [odd]),
        lambda: outbox.enqueue("none", made),
        lambda: outbox.add_batch(attrs.evolve(batch, author="another")),
        lambda: outbox.approve(None),
        lambda: outbox.messages(reveal=["everything"]),
    ):
        with pytest.raises((MemberOpsError, AttributeError)) as caught:
            wrong()
        shown.append(whole(caught.value))
    claims = outbox.claim(worker="w", at=storms.now(), limit=2, provider=provider.name)
    shown += [repr(claims), str(claims)]
    for claim in claims:
        results = provider.send([claim.message], template=claim.template)
        shown.append(repr(results))
        outbox.record(claim, results[0], at=storms.now())
    if gateway is not None:
        gateway.script(*(fault for fault in GatewayFault if fault not in SLOW))
    shown += [
        repr(
            send_messages(
                outbox, provider, now=storms.now, worker="w", sleep=storms.pass_by
            )
        )
        for _ in range(3)
    ]
    later = storms.now() + dt.timedelta(hours=1)
    shown.append(repr(outbox.unsettled(at=later)))
    settled = settle_messages(outbox, provider, now=lambda: later)
    shown.append(repr(settled))
    if gateway is not None:
        for request in gateway.deliver():
            receipts = provider.parse_receipts(request)
            shown.append(repr([request, receipts]))
            shown.append(repr(outbox.receive_all(receipts, at=later)))
    for frame in (outbox.status(), outbox.messages(), outbox.journal()):
        shown += [frame.to_string(), frame.to_csv(), repr(frame)]
    shown += [repr(outbox.verify()), repr(outbox.strays())]


SLOW = {GatewayFault.HUGE_BODY, GatewayFault.SLOW_DRIP}


def on_disk(database):
    """Return the bytes of a database, of its log and of its journal, by file."""
    path = Path(database)
    return {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}


def in_office(database, tmp_path, monkeypatch, *, provider, seal=None, disks=None):
    """
    Run the office with all ears open; return what was seen, logged and left.

    The bytes on the disk go into *disks*, as they are while the outbox is open.
    """
    left = tmp_path / "temporary"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(left))
    shown = []
    out, err = io.StringIO(), io.StringIO()
    policy = OutboxPolicy(retry=storms.POLICY.retry, price=storms.POLICY.price)
    with (
        all_logs() as logged,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        FaultyGateway(key=SECRET, hold=0.15) as gateway,
        open_outbox(database, policy=policy, seal=seal, wait=10) as outbox,
    ):
        own = FileProvider(SmsContext(folder=tmp_path))
        if provider == "form":
            own = form_gateway(gateway.url, tmp_path)
        with contextlib.closing(own):
            office(outbox, own, gateway if provider == "form" else None, shown)
        if disks is not None:
            disks.append(on_disk(database))
        shown.append(repr(gateway))
        shown.append(repr(gateway.accepted))
        if provider == "form":
            assert gateway.requests.total() > len(PHONES)
            assert len(gateway.accepted) > 10
    shown += [
        path.read_bytes().decode("utf-8", "replace")
        for path in sorted(left.rglob("*"))
        if path.is_file()
    ]
    return "\n".join(shown), logged.getvalue(), out.getvalue() + err.getvalue()


@pytest.mark.parametrize("provider", ["form", "file"])
def test_nothing_that_is_seen_holds_a_canary(tmp_path, monkeypatch, provider):
    """Reprs, errors, reports, frames, logs at DEBUG and temporary files show none."""
    database = str(tmp_path / "outbox.db")

    shown, logged, printed = in_office(
        database, tmp_path, monkeypatch, provider=provider
    )

    assert len(shown) > 10_000
    assert "BEGIN" in logged  # the database's log was heard
    assert seen(shown) == []
    assert seen(logged) == []
    assert printed == ""


def dump(database):
    """Return every value of a database, by table and column."""
    values = {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        for (table,) in tables.fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - ours
            names = [column[0] for column in cursor.description]
            for row in cursor:
                for name, value in zip(names, row, strict=True):
                    values.setdefault((table, name), []).append(str(value))
    return {place: "\n".join(found) for place, found in values.items()}


def test_an_outbox_holds_what_it_must_send_and_nowhere_else(tmp_path, monkeypatch):
    """Without a seal phones and texts stand in three columns, which need them."""
    database = str(tmp_path / "outbox.db")
    in_office(database, tmp_path, monkeypatch, provider="form")

    places = {place for place, text in dump(database).items() if seen(text)}

    assert places == {
        (table, name) for table, names in NEEDED.items() for name in names
    }
    assert not any(SECRET in text for text in dump(database).values())


@pytest.mark.parametrize("seal", [Sealed(), KeySeal("5e" * 32)], ids=["host", "key"])
def test_under_a_seal_no_file_of_the_database_holds_a_canary(
    tmp_path, monkeypatch, seal
):
    """Neither a dump nor the bytes on the disk show any, the log of SQLite included."""
    database = tmp_path / "outbox.db"
    disks = []
    in_office(
        str(database), tmp_path, monkeypatch, provider="form", seal=seal, disks=disks
    )

    assert not any(seen(text) for text in dump(str(database)).values())
    assert {"outbox.db", "outbox.db-wal"} <= set(disks[0])
    for name, data in (*disks[0].items(), *on_disk(database).items()):
        assert not [c[:3] for c in CANARIES if c.encode() in data], name


def test_the_canaries_can_be_found():
    """The check is not blind: each kind of canary is seen where it is."""
    for text in (PHONES[3], NAME, SECRET, f"86{PHONES[0]}"):
        assert seen(f"so {text}!")
    assert seen(repr(whole(ValueError(PHONES[0]))))
    sealed = Sealed()
    assert sealed.show(sealed.hide(NAME)) == NAME
