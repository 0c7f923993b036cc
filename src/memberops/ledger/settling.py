"""Bring the books to what was counted and approved, by adjustments alone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import attrs

from memberops.domain.canonical import instant_text
from memberops.domain.closing import Closing
from memberops.domain.finding import Finding
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.domain.stocktake import ApprovedCount
from memberops.errors import (
    ClosedPeriodError,
    KeyConflictError,
    OutOfStockError,
    bounded,
)
from memberops.ledger.counting import (
    REVISION,
    CellHistory,
    histories,
    line_cell,
)
from memberops.ledger.records import Posted
from memberops.ledger.store import LedgerStore
from memberops.ledger.verdicts import Cell, deltas

__all__ = ["Settlement", "closings_after", "post_late", "settle"]

_TRIES = 3


@attrs.frozen(kw_only=True)
class Settlement:
    """
    What was done to bring the books to the counts.

    Args:
        posted: The adjustments that were written, in this order.
        changed: Counts whose difference is no longer the one that was approved, those
            that were settled before too: nothing was written for them, they need a
            new approval.
        findings: Gifts whose counts cannot be, such as fewer counted than were given
            out since: nothing was written for them, they need a recount.
        receipt: Of the late entry, where there was one.
    """

    posted: tuple[Posting, ...] = ()
    changed: tuple[ApprovedCount, ...] = ()
    findings: tuple[Finding, ...] = ()
    receipt: Posted | None = None


def closings_after(
    approved: Iterable[ApprovedCount], *, by: str | None = None
) -> tuple[Closing, ...]:
    """
    Make the closings that follow settled counts: one a place, up to its last count.

    Close once all of a place is settled: what takes effect there before is refused
    from then on, or enters by `post_late`. After a recount it is closed again, up to
    that.

    Args:
        approved: Counts in force, of one stocktake or more.
        by: Who closes.
    """
    last: dict[tuple[str, str], dt.datetime] = {}
    for each in approved:
        key = each.line.stocktake_id, each.line.place
        last[key] = max(last.get(key, each.line.counted_at), each.line.counted_at)
    return tuple(
        Closing(
            closing_id=f"count/{stocktake}/{place}/{instant_text(before)}",
            before=before,
            places=[place],
            by=by,
        )
        for (stocktake, place), before in sorted(last.items())
    )


class _Step(NamedTuple):
    """A change that a count still needs, and its adjustments to be turned back."""

    counted: ApprovedCount
    change: int
    explain: bool
    turn: tuple[str, ...] = ()
    undone: int = 0


def settle(
    ledger: LedgerStore,
    approved: Iterable[ApprovedCount],
    *,
    withdrawn: Iterable[ApprovedCount] = (),
    late: bool = False,
) -> Settlement:
    """
    Post what brings the books to the approved counts (HQ §7).

    Each adjustment is effective at its line's moment, names the line, and has a key
    made of it; so a second call writes nothing. What moved after the count is kept.
    Where counts of one gift follow each other, the effect of the earlier one stops at
    the next: hand in all counts that are in force, of every stocktake. A count that
    agrees is in force too. Where an entry that came later changed a settled
    difference, only a new approval counts: the old adjustment is reversed, and the
    one posted that has the new reasons. All is written in one transaction, and worked
    out anew where somebody else took the stock meanwhile.

    Args:
        ledger: Any ledger.
        approved: The counts in force.
        withdrawn: Counts that are in force no more: their adjustments are reversed.
        late: Whether adjustments may enter a closed period, knowingly.

    Raises:
        LedgerError, LookupError: What the ledger refuses.
    """
    return _settle(ledger, tuple(approved), tuple(withdrawn), late=late)


def post_late(
    ledger: LedgerStore, posting: Posting, approved: Iterable[ApprovedCount]
) -> Settlement:
    """
    Post what moved before a count and was not written down; the count stands.

    The next count of each gift knew of it already, so its difference changes and its
    adjustment is corrected against ``adjustment:revision``: the effect of the late
    entry stops there. Entry and corrections are written in one transaction.

    Args:
        ledger: Any ledger.
        posting: What moved; ``late=True`` where the period is closed.
        approved: The counts in force.

    Returns:
        The settlement: its `posted` are the corrections, which show by how much
        each difference changed.

    Raises:
        ClosedPeriodError: The period is closed and the posting not late.
        OutOfStockError: There was too little, counts considered; nothing is written
            and no key is spent.
        LedgerError: What else the ledger refuses.
    """
    if not posting.late and any(each.touches(posting) for each in ledger.closings()):
        raise ClosedPeriodError(
            f"{bounded([posting.posting_id])} takes effect in a closed period: mark it "
            "late=True"
        )
    new = posting if ledger.entry(posting.posting_id) is None else None
    if new is None:
        receipt = ledger.post(posting)
    cells = set(deltas(posting))
    touched = tuple(each for each in approved if line_cell(each.line) in cells)
    done = _settle(ledger, touched, (), late=True, entry=new)
    return done if new is not None else attrs.evolve(done, receipt=receipt)


def _settle(
    ledger: LedgerStore,
    approved: Sequence[ApprovedCount],
    withdrawn: Sequence[ApprovedCount],
    *,
    late: bool,
    entry: Posting | None = None,
) -> Settlement:
    tries = _TRIES
    while True:
        planned, done = _planned(ledger, approved, withdrawn, late=late, entry=entry)
        try:
            receipts = ledger.post_all(planned)
        except (KeyConflictError, OutOfStockError):
            tries -= 1
            if not tries:
                raise
            continue
        if entry is None:
            return done
        return attrs.evolve(done, receipt=receipts[planned.index(entry)])


def _planned(
    ledger: LedgerStore,
    approved: Sequence[ApprovedCount],
    withdrawn: Sequence[ApprovedCount],
    *,
    late: bool,
    entry: Posting | None,
) -> tuple[list[Posting], Settlement]:
    """Work out what is to be posted, in which order, and what is told of it."""
    gone = {each.line.line_id for each in withdrawn}
    by_cell: dict[Cell, list[ApprovedCount]] = defaultdict(list)
    for each in (*(a for a in approved if a.line.line_id not in gone), *withdrawn):
        by_cell[line_cell(each.line)].append(each)
    entered = {} if entry is None else deltas(entry)
    for cell in entered:
        by_cell.setdefault(cell, [])
    history = histories(ledger, by_cell)
    writing: list[tuple[int, Posting]] = []
    changed: list[ApprovedCount] = []
    findings: list[Finding] = []
    for cell, counts in sorted(by_cell.items()):
        extra = None if entry is None else (entry.effective_at, entered.get(cell, 0))
        planned, stale = _plan(history[cell], counts, gone, extra)
        changed += stale
        short = _short(ledger, cell, history[cell], planned, extra)
        if short is not None and extra is not None:
            raise short
        if short is not None:
            findings.append(_impossible(planned, short))
            continue
        postings = [
            each
            for step in planned
            for each in _postings(ledger, step, history[cell], late=late)
        ]
        if not late and any(
            closing.touches(each)
            for closing in ledger.closings()
            for _, each in postings
        ):
            findings.append(_closed(planned))
            continue
        writing += postings
    rising = [each for change, each in writing if change >= 0]
    falling = [each for change, each in writing if change < 0]
    done = Settlement(
        posted=(*rising, *falling), changed=tuple(changed), findings=tuple(findings)
    )
    # What raises stock goes first, so that no balance in between is below zero.
    return [*rising, *([] if entry is None else [entry]), *falling], done


def _plan(
    history: CellHistory,
    counts: Sequence[ApprovedCount],
    gone: set[str],
    extra: tuple[dt.datetime, int] | None,
) -> tuple[list[_Step], list[ApprovedCount]]:
    """Say for each count in turn by how much the books still have to change."""
    order = {each.line.line_id: each.line.order for each in counts}
    steps: list[_Step] = []
    stale: list[ApprovedCount] = []
    moved = 0
    for each in sorted(counts, key=lambda count: count.line.order):
        line = each.line
        before, own, _ = history.read(line, order)
        keys = history.adjustments(line)
        if line.line_id in gone:
            change, step = -own, _Step(each, -own, explain=False, turn=keys, undone=own)
        else:
            shown = (line.counted or 0) - before
            change = shown - own - moved
            entered = extra is not None and extra[0] < line.counted_at
            change -= extra[1] if extra is not None and entered else 0
            step = _Step(each, change, explain=not keys)
            revised = history.revised(line)
            known = extra is not None or shown - own == -history.drifted(line)
            if keys and change and not known:
                step = _Step(each, change, explain=True, turn=keys, undone=own)
            if step.explain and shown - revised != each.difference:
                stale.append(each)
                continue
        moved += change
        if change:
            steps.append(step)
    return steps, stale


def _short(
    ledger: LedgerStore,
    cell: Cell,
    history: CellHistory,
    steps: Sequence[_Step],
    extra: tuple[dt.datetime, int] | None,
) -> OutOfStockError | None:
    """Return what the ledger would refuse, before a key is spent on it."""
    if not ledger.rules.bounded(cell.place):
        return None
    planned = [(step.counted.line.counted_at, step.change) for step in steps]
    planned += [] if extra is None else [extra]
    for at, change in planned:
        if change < 0:
            free = [
                each.available
                for each in ledger.lots(cell.gift_id, cell.place, as_of=at)
                if each.lot.lot_id == cell.lot_id
            ]
            held = history.lowest(at) - (free[0] if free else 0)
            left = history.lowest(at, planned) - held
            if left < 0:
                return OutOfStockError(
                    cell.gift_id,
                    cell.place,
                    cell.lot_id,
                    -change,
                    max(left - change, 0),
                    spent=False,
                )
    return None


def _impossible(steps: Sequence[_Step], short: OutOfStockError) -> Finding:
    lines = bounded([step.counted.line.line_id for step in steps])
    return Finding(
        table="counts",
        rule="count-impossible",
        column="counted",
        message_en=f"{lines}: more moved out or is held since the count than was "
        f"counted ({short.asked} to take off, {short.available} there): recount, or "
        "correct the movements",
        message_zh=f"{lines}：盘点后已发出或预留的数量多于盘点数量（应调减 "
        f"{short.asked}，可调 {short.available}）：请复盘，或更正出入库记录",
        count=len(steps),
    )


def _closed(steps: Sequence[_Step]) -> Finding:
    lines = bounded([step.counted.line.line_id for step in steps])
    return Finding(
        table="counts",
        rule="period-closed",
        column="counted_at",
        message_en=f"{lines}: counted in a period that is closed by now: settle with "
        "late=True, knowingly",
        message_zh=f"{lines}：盘点时间所在期间已关账：确需调整时请使用 late=True",
        count=len(steps),
    )


def _postings(
    ledger: LedgerStore, step: _Step, history: CellHistory, *, late: bool
) -> list[tuple[int, Posting]]:
    """Make what a step needs: reversals of what stands, and an adjustment."""
    line, cell = step.counted.line, line_cell(step.counted.line)
    records = (
        entry.record for key in step.turn if (entry := ledger.entry(key)) is not None
    )
    turned = [
        record.reversal(
            f"{record.posting_id}/withdrawn",
            effective_at=record.effective_at,
            by=step.counted.by,
            late=late,
        )
        for record in records
        if isinstance(record, Posting)
    ]
    writing = [(deltas(each).get(cell, 0), each) for each in turned]
    reasons = [
        (each.reason, each.quantity)
        for each in step.counted.explanations
        if step.explain
    ]
    rest = step.change + step.undone - sum(quantity for _, quantity in reasons)
    if rest:
        reasons.append((REVISION, rest))
    if not reasons:
        return writing
    number = 1
    while ledger.entry(f"count/{line.line_id}/{number}") is not None:
        number += 1
    references = [("count_line", line.line_id), ("stocktake", line.stocktake_id)]
    if line.recount:
        references.append(("recount", str(line.recount)))
    posting = Posting(
        posting_id=f"count/{line.line_id}/{number}",
        kind=PostingKind.ADJUSTMENT,
        effective_at=line.counted_at,
        movements=[
            Movement(
                gift_id=line.gift_id,
                source=line.place if quantity < 0 else f"adjustment:{reason}",
                destination=f"adjustment:{reason}" if quantity < 0 else line.place,
                quantity=abs(quantity),
                lot_id=line.lot_id,
                valid_through=history.valid_through
                if history.known
                else line.valid_through,
            )
            for reason, quantity in reasons
        ],
        by=step.counted.by,
        refers_to=references,
        late=late,
    )
    for each in posting.movements:
        ledger.rules.check(each)
    return [*writing, (step.change + step.undone, posting)]
