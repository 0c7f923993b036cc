"""Checks that the author of a ledger store runs in the store's own tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from memberops.domain.closing import Closing
from memberops.domain.gift import Gift
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Movement, Posting
from memberops.errors import MemberOpsError
from memberops.ledger import Ledger, LedgerRules, LedgerStore

__all__ = ["check_ledger_store"]

Step = Callable[[LedgerStore], object]

_NOON = dt.datetime(2026, 10, 1, 12, 0, 0, 7, tzinfo=dt.UTC)
_EXPIRY = dt.date(2027, 6, 30)
_LIMIT = 2**63 - 1
_QUOTED = "x'; DROP TABLE ledger_entries; --"
_RULES = LedgerRules(
    gifts=[
        Gift(gift_id="杯子"),
        Gift(gift_id="G-lot", has_lots=True),
        Gift(gift_id=_QUOTED),
    ],
    places=["warehouse", "store:S1", "store:S1A", "store:S2"],
    below_zero=["store:S2"],
)


def _at(hours: float) -> dt.datetime:
    return _NOON + dt.timedelta(hours=hours)


def _move(  # noqa: PLR0917 - source and destination read as a sentence
    source: str,
    destination: str,
    quantity: int = 1,
    gift_id: str = "杯子",
    lot_id: str | None = None,
    valid_through: dt.date | None = None,
) -> Movement:
    return Movement(
        gift_id=gift_id,
        source=source,
        destination=destination,
        quantity=quantity,
        lot_id=lot_id,
        valid_through=valid_through,
    )


def _post(key: str, *moves: Movement, hours: float = 0, **facts: Any) -> Step:
    values: dict[str, Any] = {
        "posting_id": key,
        "kind": "transfer",
        "effective_at": _at(hours),
        "movements": moves,
    }
    return lambda ledger: ledger.post(Posting(**(values | facts)))


def _post_all(*keys: str, quantity: int = 1) -> Step:
    postings = [
        Posting(
            posting_id=key,
            kind="transfer",
            effective_at=_at(3),
            movements=[_move("warehouse", "store:S1", quantity)],
        )
        for key in keys
    ]
    return lambda ledger: ledger.post_all(postings)


def _reverse(posting_id: str, key: str, *, hours: float = 9, **facts: Any) -> Step:
    return lambda ledger: ledger.reverse(
        posting_id, key=key, effective_at=_at(hours), **facts
    )


def _hold(key: str, quantity: int, **facts: Any) -> Step:
    values: dict[str, Any] = {
        "hold_id": key,
        "gift_id": "杯子",
        "place": "store:S1",
        "quantity": quantity,
        "held_at": _at(20),
    }
    return lambda ledger: ledger.hold(Hold(**(values | facts)))


def _release(key: str, hold_id: str) -> Step:
    release = Release(release_id=key, hold_id=hold_id, at=_at(21))
    return lambda ledger: ledger.release(release)


def _close(key: str, hours: float, *places: str) -> Step:
    closing = Closing(closing_id=key, before=_at(hours), places=places)
    return lambda ledger: ledger.close(closing)


def _steps() -> Iterator[Step]:
    yield from _stock_steps()
    yield from _hold_and_closing_steps()


def _stock_steps() -> Iterator[Step]:
    lot: dict[str, Any] = {"gift_id": "G-lot", "lot_id": "批次 A"}
    # what comes in, twice, and with other contents
    yield _post("P1", _move("supplier", "warehouse", 10), kind="receipt", by="E1")
    yield _post("P1", _move("supplier", "warehouse", 10), kind="receipt", by="E1")
    yield _post("P1", _move("supplier", "warehouse", 11), kind="receipt", reason="?")
    yield _close("P1", 0)
    # several movements are one step: goods may pass through
    yield _post(
        "P2",
        _move("warehouse", "in_transit:S1", 4),
        _move("in_transit:S1", "store:S1", 4),
        hours=2,
        refers_to={"application": "A1"},
        reason="进货 “年” \\ \t \0",
    )
    # want of stock spends the key, now and for good
    yield _post("P3", _move("warehouse", "store:S1", 7), hours=3)
    yield _post("P4", _move("supplier", "warehouse", 5), hours=3)
    yield _post("P3", _move("warehouse", "store:S1", 7), hours=3)
    # the same instant: the order of writing decides
    yield _post("P5", _move("warehouse", "member:M1", 11), hours=3)
    yield _post("P6", _move("supplier", "warehouse", 1), hours=3)
    # and once written, one moment is weighed as a whole
    for number, (hours, source, destination) in enumerate(
        (
            (1, "supplier", "store:S1"),
            (5, "store:S1", "member:M1"),
            (5, "supplier", "store:S1"),
            (2, "store:S1", "destroyed"),
            (3, "store:S1", "destroyed"),
        )
    ):
        moved = _move(source, destination, 2, gift_id=_QUOTED)
        yield _post(f"N{number}", moved, hours=hours)
    # several are written together, or none of them, and then no key is spent
    yield _post_all("A1", "A2", "A1", quantity=1)
    yield _post_all("A3", "A4", "A5", "A1", "A6", quantity=4)
    yield _post_all("A3", "A6", quantity=1)
    yield _post_all("A3", "P3", quantity=1)
    yield _post_all("A7", "A6", quantity=2)
    yield _post_all()
    # back-dated: what a later entry took cannot go earlier
    yield _post("P7", _move("warehouse", "store:S1", 2), hours=1)
    yield _post("P8", _move("warehouse", "store:S1", 1), hours=1)
    yield _post("P9", _move("supplier", "warehouse", 3), hours=-30000)
    yield _post("P10", _move("warehouse", "destroyed", 3), hours=-20000, reason="wet")
    # a part of a place, and a place whose name begins alike
    yield _post("W1", _move("supplier", "store:S1:shelf", 2), hours=3)
    yield _post("W2", _move("supplier", "store:S1A", 3), hours=3)
    # corrections
    yield _reverse("P5", "R1", hours=4, by="E2")
    yield _reverse("P5", "R2", hours=4)
    yield _reverse("R1", "R3", hours=4)
    yield _reverse("P2", "R4", hours=1)
    yield _reverse("nothing", "R5")
    yield _post("R6", _move("warehouse", "supplier", 2), kind="reversal", reverses="P4")
    # lots
    yield _post("L1", _move("supplier", "warehouse", 3, **lot, valid_through=_EXPIRY))
    yield _post("L2", _move("supplier", "warehouse", 3, **lot))
    yield _post("L3", _move("supplier", "warehouse", 3, gift_id="G-lot"))
    yield _post("L4", _move("supplier", "warehouse", 2, gift_id="G-lot", lot_id="B"))
    yield _post(
        "L5",
        _move("warehouse", "store:S1", 2, **lot, valid_through=_EXPIRY),
        _move("warehouse", "store:S1", 3, gift_id="G-lot", lot_id="B"),
        hours=1,
    )
    # what the ledger does not know
    yield _post("U1", _move("supplier", "store:S9"))
    yield _post("U2", _move("supplier", "warehouse", gift_id="no gift"))
    yield _post("U3", _move("supplier", "warehouse", gift_id="long" * 99))
    yield _post("U\0", _move("supplier", "warehouse"))
    yield _post("U4", _move("supplier", "warehouse"), reason="\ud800")
    # a place that may fall below zero, quotes in ids, and the largest numbers
    yield _post("Q1", _move("store:S2", "adjustment", 6, gift_id=_QUOTED))
    yield _post("Q'; --", _move("supplier", "warehouse", 2, gift_id=_QUOTED))
    yield _post("B1", _move("supplier", "store:S2", _LIMIT, gift_id=_QUOTED), hours=5)
    yield _post("B2", _move("opening", "store:S2", _LIMIT, gift_id=_QUOTED), hours=5)
    yield _post("B3", _move("store:S2", "opening", _LIMIT, gift_id=_QUOTED), hours=6)


def _hold_and_closing_steps() -> Iterator[Step]:
    yield _hold("H1", 2, until=_at(30), by="E1")
    yield _hold("H2", 9)
    yield _hold("H3", 1)
    yield _post("H4", _move("store:S1", "member:M1", 5), hours=22)
    yield _post(
        "H5", _move("store:S1", "member:M1", 2), hours=22, refers_to={"hold": "H1"}
    )
    yield _post(
        "H6", _move("store:S1", "member:M1", 2), hours=23, refers_to={"hold": "H1"}
    )
    yield _post(
        "H7", _move("store:S1", "member:M1", 2), hours=23, refers_to={"hold": "no"}
    )
    yield _release("H8", "H3")
    yield _release("H9", "H3")
    yield _hold("H10", 1, until=_at(25))
    yield _hold("H11", 1, gift_id="G-lot", lot_id="B", place="warehouse")
    # closed periods
    yield _close("C1", 2, "store:S1")
    yield _close("C2", 1)
    yield _close("C3", 1, "store:S9")
    yield _post("C4", _move("supplier", "store:S1"), hours=1.5)
    yield _post("C5", _move("supplier", "store:S2"), hours=1.5)
    yield _post("C6", _move("supplier", "store:S2"), hours=0.5)
    yield _post("C7", _move("supplier", "store:S1"), hours=0.5, late=True)


def _reads(ledger: LedgerStore) -> Iterator[tuple[str, Callable[[], object]]]:
    """List what is asked of a ledger, each by a name for the message."""
    for key in ("P1", "P3", "R1", "H1", "C1", "no", "Q'; --", "\ud800", "a\0b"):
        yield f"entry({key!r})", partial(ledger.entry, key)
    yield "entries()", lambda: list(ledger.entries())
    yield "entries(after=7)", lambda: list(ledger.entries(after=7))
    yield "closings()", ledger.closings
    yield "position", lambda: ledger.position
    yield "journal()", lambda: list(ledger.journal())
    moments = [None, _at(0), _at(3), _at(3) - dt.timedelta(microseconds=1), _at(-25000)]
    for gift in ("杯子", "G-lot", _QUOTED, "no\0"):
        for scope in ("warehouse", "store", "store:S1", "member", "in_transit", "x"):
            for moment in moments:
                ask = partial(ledger.balance, gift, scope, as_of=moment)
                yield f"balance({gift!r}, {scope!r}, as_of={moment})", ask
        for moment in (_at(0), _at(2), _at(24), _at(99)):
            held = partial(ledger.held, gift, "store", as_of=moment)
            yield f"held({gift!r}, 'store', as_of={moment})", held
            lots = partial(ledger.lots, gift, "warehouse", as_of=moment)
            yield f"lots({gift!r}, 'warehouse', as_of={moment})", lots
    for lot in ("", "B", "批次 A", "no"):
        ask = partial(ledger.balance, "G-lot", "store", lot_id=lot)
        yield f"balance(lot_id={lot!r})", ask
    for position in (0, 5, 17, 10**6):
        ask = partial(
            ledger.balance, "杯子", "warehouse", position=position, as_of=_at(3)
        )
        yield f"balance(position={position})", ask
    naive = _at(0).replace(tzinfo=None)
    yield "balance(as_of=naive)", partial(ledger.balance, "杯子", "x", as_of=naive)


def _frames(ledger: LedgerStore) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "movements()", ledger.movements()
    for moment in (None, _at(-30001), _at(0), _at(3)):
        for position in (None, 0, 9):
            yield (
                f"balances(as_of={moment}, position={position})",
                ledger.balances(as_of=moment, position=position),
            )


def _answer(call: Callable[[], object]) -> object:
    """Return what a call gives, or the type and the text of what it raises."""
    try:
        return call()
    except MemberOpsError as error:
        return type(error).__name__, str(error)


def check_ledger_store(make: Callable[[LedgerRules], LedgerStore]) -> None:
    """
    Check that a store answers as the ledger in memory does, to the last word.

    It posts, repeats, contradicts, back-dates, reverses, holds and closes, and after
    that asks for entries, balances, lots, holds, frames and the journal; every answer
    and every error must be that of `memberops.ledger.Ledger`.

    Args:
        make: Given rules, makes an empty store of them.

    Raises:
        AssertionError: Naming each step and question that is answered otherwise.

    >>> from memberops.ledger import Ledger
    >>> from memberops.testing import check_ledger_store
    >>> check_ledger_store(Ledger)
    """
    store, ledger = make(_RULES), Ledger(_RULES)
    wrong = []
    for number, step in enumerate(_steps(), start=1):
        theirs, ours = _answer(partial(step, store)), _answer(partial(step, ledger))
        if theirs != ours:
            wrong.append(f"step {number}: {theirs!r:.300}, not {ours!r:.300}")
    for (name, ask), (_, known) in zip(_reads(store), _reads(ledger), strict=True):
        theirs, ours = _answer(ask), _answer(known)
        if theirs != ours:
            wrong.append(f"{name}: {theirs!r:.300}, not {ours!r:.300}")
    for (name, frame), (_, wanted) in zip(_frames(store), _frames(ledger), strict=True):
        same = frame.equals(wanted) and frame.dtypes.equals(wanted.dtypes)
        if not same:
            wrong.append(f"{name}: another frame, of {len(frame)} rows")
    if wrong:
        raise AssertionError(
            "the store broke a promise:\n" + "\n".join(f"- {each}" for each in wrong)
        )
