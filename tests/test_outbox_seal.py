"""An outbox under a key: unreadable without it, and by another."""

import base64
import contextlib
import os
import pickle
import sqlite3

import pytest

from memberops.adapters.stores import KeySeal, open_outbox
from memberops.errors import ConfigurationError, OutboxStoreError
from memberops.workflows import open_chain
from message_chain import CHAIN, FILE, FILES, TEMPLATE, approve, clock, plan, stands
from outbox_scene import FREE, claim, ready

pytest.importorskip("cryptography", reason="needs the extra 'seal'")
pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")

KEY, OTHER = "0a" * 32, "1b" * 32
PHONES = [f"1381234567{last}" for last in (1, 2)]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A chain whose outbox is sealed, and its key in the environment."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    sealed = CHAIN.replace(
        'database = "outbox.db"', 'database = "outbox.db"\nseal_env = "OUTBOX_KEY"'
    )
    file = tmp_path / "chain.toml"
    file.write_text(sealed + FILE + TEMPLATE, "utf-8")
    monkeypatch.setenv("OUTBOX_KEY", KEY)
    return file


def on_disk(folder):
    """Return the bytes of the outbox's files."""
    return b"".join(each.read_bytes() for each in sorted(folder.glob("outbox.db*")))


def test_a_chain_file_seals_its_outbox(file, monkeypatch):
    """No phone and no name stands in the file; without its key the outbox says so."""
    chain = open_chain(file)
    approve(chain, plan(chain))
    whole = on_disk(file.parent)
    for private in (*PHONES, "王小明", "李小红"):
        assert private.encode() not in whole
    assert whole.count(b"sealed:1:") >= 6

    monkeypatch.delenv("OUTBOX_KEY")
    with pytest.raises(ConfigurationError, match=r"outbox\.seal_env: .*'OUTBOX_KEY'"):
        chain.send_messages(now=clock(), send=True)
    monkeypatch.setenv("OUTBOX_KEY", KEY[:-1])
    with pytest.raises(ConfigurationError, match="64 hexadecimal digits") as told:
        chain.outbox()
    assert KEY[:-1] not in str(told.value)
    monkeypatch.setenv("OUTBOX_KEY", OTHER)
    with pytest.raises(OutboxStoreError, match="sealed by another key"):
        chain.send_messages(now=clock(), send=True)
    assert not (file.parent / "messages.jsonl").exists()

    monkeypatch.setenv("OUTBOX_KEY", f"{OTHER}  {KEY}")
    sent = chain.send_messages(now=clock(), send=True)
    assert stands(sent) == {"accepted": 2}
    lines = (file.parent / "messages.jsonl").read_text("utf-8")
    assert all(phone in lines for phone in PHONES)


@pytest.mark.parametrize("key", [KEY, "A0" * 32, "B1" * 16])
def test_a_key_in_the_chain_file_is_refused_and_not_quoted(file, key):
    """The file names a variable: who writes the key itself is told."""
    text = file.read_text("utf-8").replace('"OUTBOX_KEY"', f'"{key}"')
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match="not written down") as told:
        open_chain(file)
    assert key not in str(told.value)


def test_an_outbox_gets_a_key_and_does_not_lose_it(tmp_path):
    """What stood there before is read as it is; what is sealed, only by its key."""
    path = tmp_path / "outbox.db"
    with open_outbox(path, policy=FREE) as outbox:
        ready(outbox, "M1", batch_id="B1")
    with open_outbox(path, policy=FREE, seal=KeySeal(KEY)) as outbox:
        ready(outbox, "M2", batch_id="B2")
        phones = {one.message.phone for _ in range(2) for one in claim(outbox)}
        assert phones == {"13800000000"}
        assert outbox.verify() == ()
    with (
        open_outbox(path, policy=FREE) as outbox,
        pytest.raises(OutboxStoreError, match="'seal_env' in the section"),
    ):
        outbox.messages()


@pytest.mark.parametrize("how", ["moved", "plain", "columns"])
def test_a_phone_of_another_message_is_not_read(tmp_path, how):
    """A sealed phone moved to another row, and a plain one, go to nobody."""
    path = tmp_path / "outbox.db"
    with open_outbox(path, policy=FREE, seal=KeySeal(KEY)) as outbox:
        ready(outbox, "M1", "M2")
        assert (
            outbox.messages(reveal=("phone",))["phone"].str.len().tolist() == [11] * 2
        )
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        (one, _), (_, phone) = database.execute(
            "SELECT message_id, phone FROM outbox_messages ORDER BY member_id"
        )
        new = {"moved": "?", "plain": "'13999999999'", "columns": "text"}[how]
        database.execute(
            f"UPDATE outbox_messages SET phone = {new} WHERE message_id = ?",  # noqa: S608 - of the three above
            (phone, one) if how == "moved" else (one,),
        )
    with open_outbox(path, policy=FREE, seal=KeySeal(KEY)) as outbox:
        for read in (lambda: claim(outbox, limit=9), outbox.messages):
            with pytest.raises(OutboxStoreError, match="not written there"):
                read()


def test_what_was_changed_is_not_read():
    """Each changed byte, a cut and a stranger's key are errors, and never a text."""
    seal = KeySeal(KEY)
    hidden = seal.hide("13812345678")
    raw = base64.b64decode(hidden.removeprefix("sealed:1:"))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        text = "sealed:1:" + base64.b64encode(bytes(changed)).decode()
        with pytest.raises(OutboxStoreError, match=r"another key|changed"):
            seal.show(text)
    for wrong in (hidden[:-4], "sealed:1:", "sealed:1:?", hidden[:20]):
        with pytest.raises(OutboxStoreError):
            seal.show(wrong)
    assert seal.show(hidden) == "13812345678"
    assert seal.show(seal.hide("\ud800 王")) == "\ud800 王"
    assert len({seal.hide("1") for _ in range(50)}) == 50


def test_a_key_is_nowhere_shown(tmp_path):
    """No repr, pickle or error holds it, and without one there is no seal."""
    seal = KeySeal(KEY)
    assert KEY not in repr(seal)
    with pytest.raises(TypeError):
        pickle.dumps(seal)
    for keys in ((), ("short",), (KEY, "x" * 64)):
        with pytest.raises(ConfigurationError) as told:
            KeySeal(*keys)
        assert KEY not in str(told.value)
    os.environ.pop("NO_SUCH_KEY", None)
    with pytest.raises(ConfigurationError, match="NO_SUCH_KEY"):
        KeySeal.from_environment("NO_SUCH_KEY")
    with open_outbox(tmp_path / "o.db", seal=seal) as outbox:
        assert KEY not in repr(outbox)
