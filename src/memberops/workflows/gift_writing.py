"""One posting at a chain: made beside the ledger, written, and told of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from memberops.domain import Finding, Posting
from memberops.errors import OutOfStockError, bounded
from memberops.ledger import LedgerStore, Posted, Settlement
from memberops.reports.forms.gift_ledger import posting_states_form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_force import CountsBehind
from memberops.workflows.gift_questions import ask_ledger

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["Said", "write_one"]

_COLUMNS = ("posting_id", "kind", "rows", "state", "sequence")
_TRIES = 3
Said = list[tuple[tuple[str, str], Finding | None]]
"""Further lines of an answer, in both languages, and the finding that each is."""


def write_one(
    chain: Chain,
    effective_at: dt.datetime,
    make: Callable[[LedgerStore], Posting | None],
    tables: ChainTables | None,
    progress: Progress | None,
    *,
    said: Said | None = None,
    as_given: bool = False,
) -> Answer:
    """
    Make one posting beside the ledger, write it, and say what became of it.

    Args:
        chain: The chain.
        effective_at: When it takes effect.
        make: Makes the posting, or None where there is nothing to post.
        tables: What was read.
        progress: Is told each table before it is read.
        said: What else is said; *make* may add to it.
        as_given: Whether the posting is the client's own, whose key is spent when
            there is no stock. Others are made anew where somebody else was faster.
    """
    asked, findings, _ = ask_ledger(
        chain,
        "gift_post",
        ("gift posting", "礼品入账"),
        as_of=effective_at,
        tables=tables,
        progress=progress,
    )
    rows, lines = [], [("nothing is posted", "没有需要入账的内容")]
    with chain.ledger(tables=asked.tables) as ledger:
        behind, receipt = Settlement(), None
        if as_given:
            posting = make(ledger)
            if posting is not None and posting.late:
                behind, told = CountsBehind(asked, ledger).post(posting)
                findings += told
                receipt = behind.receipt
            elif posting is not None:
                receipt = ledger.post(posting)
        else:
            posting, receipt = _made_anew(ledger, make, said)
        if posting is not None and receipt is not None:
            number, count = receipt.sequence, len(posting.movements)
            state = "there_before" if receipt.replayed else "written"
            rows = [(posting.posting_id, posting.kind.value, count, state, number)]
            lines = [
                (
                    f"there before, as entry {number}: it counts once",
                    f"已存在，序号 {number}，不重复入账",
                )
                if receipt.replayed
                else (f"written as entry {number}", f"已入账，序号 {number}")
            ]
            if behind.posted:
                names = bounded([each.posting_id for each in behind.posted])
                lines.append(
                    (f"counts that stand: corrected by {names}",
                     f"盘点结果不变，更正凭证：{names}")
                )  # fmt: skip
    more = said or []
    findings += [finding for _, finding in more if finding is not None]
    form = posting_states_form(pd.DataFrame(rows, columns=list(_COLUMNS)))
    lines += [line for line, _ in more]
    return asked.answer(form, lines=lines, findings=findings)


def _made_anew(
    ledger: LedgerStore,
    make: Callable[[LedgerStore], Posting | None],
    said: Said | None,
) -> tuple[Posting | None, Posted | None]:
    """Make a posting and write it; make it again if what it takes was taken."""
    before = 0 if said is None else len(said)
    for tries_left in reversed(range(_TRIES)):
        posting = make(ledger)
        if posting is None:
            return None, None
        try:
            return posting, ledger.post_all([posting])[0]
        except OutOfStockError as error:
            if error.replayed or not tries_left:
                raise
            if said is not None:
                del said[before:]
    return None, None
