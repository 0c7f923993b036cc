"""The journal of a ledger: byte for byte there and back, and proof against changes."""

import datetime as dt
import json
from contextlib import nullcontext

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.adapters.stores import open_ledger
from memberops.domain import Closing, Gift, Hold, Movement, Posting, Release
from memberops.errors import (
    BrokenChainError,
    InvalidValueError,
    OutOfStockError,
    UnknownGiftError,
)
from memberops.ledger import Ledger, LedgerRules, journal_lines, read_journal

NOON = dt.datetime(2026, 10, 1, 12, 0, 0, 7, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def filled():
    """Make a ledger with every sort of entry."""
    ledger = Ledger(LedgerRules(gifts=[Gift(gift_id="杯子", has_lots=True)]))

    def post(key, source, destination, quantity, **facts):
        ledger.post(
            Posting(
                **{"posting_id": key, "kind": "transfer", "effective_at": NOON} | facts,
                movements=[
                    Movement(
                        gift_id="杯子",
                        source=source,
                        destination=destination,
                        quantity=quantity,
                        lot_id="批次 1",
                        valid_through=dt.date(2027, 1, 31),
                    )
                ],
            )
        )

    post("P1", "supplier", "warehouse", 9, kind="receipt", by="E1", reason="进货 “年”")
    post("P2", "warehouse", "store:S1", 4, refers_to={"application": "A1"})
    with pytest.raises(OutOfStockError):
        post("P3", "warehouse", "store:S1", 6)
    ledger.reverse("P2", key="R2", effective_at=NOON + DAY, reason="wrong store")
    ledger.hold(
        Hold(
            hold_id="H",
            gift_id="杯子",
            lot_id="批次 1",
            place="warehouse",
            quantity=2,
            held_at=NOON,
            until=NOON + DAY,
        )
    )
    ledger.release(Release(release_id="X", hold_id="H", at=NOON))
    ledger.close(Closing(closing_id="C", before=NOON, places=["store:S1"]))
    post("P4", "supplier", "store:S1", 1, effective_at=NOON - DAY, late=True)
    return ledger


def test_l12_export_import_export_is_the_same_byte_for_byte():
    """L12: a ledger rebuilt from its journal is the same: entries, sums and hashes."""
    ledger = filled()
    text = "\n".join(ledger.journal())
    again = Ledger.restored(text.splitlines(keepends=True), rules=ledger.rules)

    assert "\n".join(again.journal()).encode() == text.encode()
    assert list(again.entries()) == list(ledger.entries())
    assert again.balances().equals(ledger.balances())


def test_l12_a_rebuilt_ledger_goes_on_as_the_first_would():
    """L12: spent keys stay spent, closed periods closed, after a journey to a file."""
    first = filled()
    second = Ledger.restored(first.journal(), rules=first.rules)
    late = Posting(posting_id="P3", kind="transfer", effective_at=NOON, movements=[
        Movement(gift_id="杯子", source="warehouse", destination="store:S1", quantity=6,
                 lot_id="批次 1", valid_through=dt.date(2027, 1, 31))])  # fmt: skip
    said = []
    for ledger in (first, second):
        with pytest.raises(OutOfStockError) as caught:
            ledger.post(late)
        said.append((str(caught.value), caught.value.replayed, ledger.position))

    assert said[0] == said[1]
    assert said[0][1]


@given(data=st.data())
@examples(2)
def test_l12_no_byte_of_a_journal_can_be_changed_unseen(data):
    """L12: a changed, dropped, doubled or moved line, or a cut, is always noticed."""
    rules = LedgerRules(gifts=[Gift(gift_id="杯子", has_lots=True)])
    lines = list(filled().journal())
    number = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["change", "drop", "double", "cut", "swap"]))
    if how == "change":
        spot = data.draw(st.integers(0, len(lines[number]) - 1))
        char = data.draw(st.sampled_from('0123456789abc"{}, '))
        changed = lines[number][:spot] + char + lines[number][spot + 1 :]
        if changed == lines[number]:
            return
        lines[number] = changed
    elif how == "drop":
        del lines[number]
    elif how == "double":
        lines.insert(number, lines[number])
    elif how == "cut":
        del lines[number:]
    else:
        other = data.draw(st.integers(0, len(lines) - 1))
        if other == number:
            return
        lines[number], lines[other] = lines[other], lines[number]

    with pytest.raises(BrokenChainError):
        Ledger.restored(lines, rules=rules)


def test_a_forged_chain_still_fits_together():
    """Who recomputes every hash cannot bring in what fits under no rules."""
    entries = list(filled().entries())
    last = entries[-1].sequence
    for wrong, why in (
        ([each for each in entries if each.key != "P2"], "no posting 'P2' to reverse"),
        ([each for each in entries if each.key != "H"], "no hold 'H'"),
        ([*entries, attrs.evolve(entries[0], sequence=last + 1)], "has the key 'P1'"),
        ([*entries, attrs.evolve(entries[2], sequence=last + 1)], "has the key 'P3'"),
    ):
        with pytest.raises(BrokenChainError, match=why):
            Ledger.restored(journal_lines(wrong))


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgresql"])
def test_a_backup_comes_back_whatever_became_of_the_lists(store, tmp_path, request):
    """L12: a gift or place that left its list, or another bound, stops no journal."""
    ledger = Ledger(LedgerRules(below_zero=["store:S2"]))
    for key, source, destination in (
        ("P1", "supplier", "warehouse"),
        ("P2", "store:S2", "member:M1"),
        ("P3", "store:S1", "member:M1"),
    ):
        refused = pytest.raises(OutOfStockError) if key == "P3" else nullcontext()
        with refused:
            ledger.post(Posting(posting_id=key, kind="transfer", effective_at=NOON,
                                movements=[Movement(gift_id="PEN", source=source,
                                           destination=destination, quantity=2)]
                                ))  # fmt: skip
    journal = list(ledger.journal())
    today = LedgerRules(gifts=[Gift(gift_id="CUP")], places=["warehouse", "store:S1"],
                        below_zero=["store:S1"])  # fmt: skip
    if store == "memory":
        assert list(Ledger.restored(journal, rules=today).journal()) == journal
        return
    where = tmp_path / "a.db"
    if store == "postgresql":
        where = request.getfixturevalue("postgresql").new_url()
    with open_ledger(where, rules=today) as again:
        assert again.restore(journal) == 3
        assert list(again.journal()) == journal
        assert again.verify() == ()
        assert again.balance("PEN", "store:S2") == -2
        with pytest.raises(UnknownGiftError):
            again.post(attrs.evolve(next(ledger.entries()).record, posting_id="P4"))


def test_the_chain_is_what_the_docs_say():
    """Anyone can check the chain: SHA-256 of the hash before, a line end, the entry."""
    import hashlib

    lines = [json.loads(line) for line in filled().journal()]
    running = hashlib.sha256(b"memberops ledger 1").hexdigest()
    for line in lines[1:-1]:
        text = json.dumps(
            line["entry"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        running = hashlib.sha256((running + "\n" + text).encode("utf-8")).hexdigest()
        assert line["hash"] == running
    assert lines[-1] == {"entries": len(lines) - 2, "hash": running}


def test_a_posting_in_another_order_of_references_is_the_same():
    """References are a set: their order makes no other contents."""
    facts = {"posting_id": "P", "kind": "issue", "effective_at": NOON, "movements": [
        Movement(gift_id="G", source="supplier", destination="warehouse",
                 quantity=1)]}  # fmt: skip
    one = Posting(refers_to={"ticket": "T", "application": "A"}, **facts)
    two = Posting(refers_to=[("application", "A"), ("ticket", "T")], **facts)

    assert one.canonical() == two.canonical()


@pytest.mark.parametrize("text", ["a\x00b", "a\ud83c"])
def test_text_that_no_store_can_hold_is_refused(text):
    """NUL and halves of surrogate pairs are refused before they reach a database."""
    with pytest.raises(InvalidValueError, match="no store can hold"):
        Closing(closing_id=text, before=NOON)
    with pytest.raises(InvalidValueError, match="no store can hold"):
        Closing(closing_id="C", before=NOON, reason=text)


def test_reading_says_which_line_is_wrong():
    """A broken line is named by its number, in bounded words."""
    lines = list(filled().journal())
    for wrong in (
        "[1]",
        "{",
        '{"entry": {"sequence": true}}',
        '{"entry": 7}',
        "x" * 9999,
    ):
        with pytest.raises(BrokenChainError, match="line 2 ") as caught:
            list(read_journal([lines[0], wrong, *lines[2:]]))
        assert len(str(caught.value)) < 500
