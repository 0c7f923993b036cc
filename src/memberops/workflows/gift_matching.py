"""Points redeemed, gifts issued at the till and stock moved, held together (HQ §7)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import Finding, Posting, Severity
from memberops.errors import UnknownTableError
from memberops.ledger.flow_books import moved_gifts
from memberops.policies.gift_breaks import BREAKS
from memberops.reports.forms.gift_breaks import gift_break_ages_form, gift_breaks_form
from memberops.tables import GIFT_ISSUES, POINT_REDEMPTIONS, Table
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.gift_catalogue import GIFT_TABLES
from memberops.workflows.gift_questions import ask_ledger

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["gift_match"]

_BOOKS = (POINT_REDEMPTIONS, GIFT_ISSUES)


def gift_match(
    chain: Chain,
    *,
    as_of: dt.date | dt.datetime,
    redemptions: str | Path | None = None,
    issues: str | Path | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Match points redeemed, gifts issued at the till, and the stock of the ledger.

    Args:
        chain: The chain; a method of it.
        as_of: The day, meaning its end, or an aware moment: what is later is not
            known yet.
        redemptions: CSV file of points redeemed; by default the chain's source
            ``point_redemptions``.
        issues: CSV file of gifts issued at the till; by default the chain's source
            ``gift_issues``.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``gift_breaks``, one row for each case that does not
        agree, and ``gift_break_ages``; a finding for each kind of break.

    Raises:
        InvalidValueError: The chain has no ledger, or the moment no zone.
        UnknownTableError: A book is neither in a file nor in a source.
        SourceError: A file cannot be read.
    """
    if tables is None:
        wanted = (*GIFT_TABLES, *(each.name for each in _BOOKS))
        tables = chain.read(only=wanted, progress=progress)
    read = dict(tables.results)
    for book, file, option in zip(
        _BOOKS, (redemptions, issues), ("redemptions", "issues"), strict=True
    ):
        read[book.name] = _book(chain, tables, book, file, option)
    asked, findings, moment = ask_ledger(
        chain,
        "gift_match",
        ("match of gifts and points", "礼品与积分核对"),
        as_of=as_of,
        tables=ChainTables(read),
    )
    with chain.ledger(tables=asked.tables) as ledger:
        names = {each.gift_id: each.name for each in ledger.rules.gifts or ()}
        moved = moved_gifts(
            (
                each.record
                for each in ledger.entries()
                if isinstance(each.record, Posting)
            ),
            as_of=moment,
        )
    policy = chain.policies.gift_match
    found = policy.match(
        read[POINT_REDEMPTIONS.name].frame,
        read[GIFT_ISSUES.name].frame,
        moved,
        as_of=moment,
    )
    breaks = found.breaks
    whole, agreed = len(found.cases), len(found.cases) - len(breaks)
    counts = breaks["kind"].value_counts()
    lines = [
        (
            f"cases {whole:,} = agree {agreed:,} + breaks {len(breaks):,}",
            f"共 {whole:,} 项 = 一致 {agreed:,} 项 + 差异 {len(breaks):,} 项",
        )
    ]
    findings += [
        _finding(kind, int(counts[kind])) for kind in BREAKS if kind in counts.index
    ]
    buckets = [policy.bucket(each) for each in (*policy.ages, policy.ages[-1] + 1)]
    return asked.answer(
        gift_breaks_form(breaks, stores=asked.stores, zone=chain.zone, names=names),
        gift_break_ages_form(breaks, buckets=buckets),
        lines=lines,
        findings=findings,
    )


def _book(
    chain: Chain,
    tables: ChainTables,
    book: Table,
    file: str | Path | None,
    option: str,
) -> SourceResult:
    if file is not None:
        return read_csv(file, book, currency=chain.currency, zone=chain.zone)
    if book.name not in tables:
        raise UnknownTableError(
            f"no {book.title_en.lower()} are given ({book.title_zh}): name a file with "
            f"--{option}, or add [sources.{book.name}]"
        )
    return tables.results[book.name]


def _finding(kind: str, count: int) -> Finding:
    english, chinese = BREAKS[kind]
    return Finding(
        table="gift_issues",
        rule=kind.replace("_", "-"),
        severity=Severity.WARNING,
        count=count,
        message_en=english,
        message_zh=chinese,
    )
