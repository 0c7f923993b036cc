"""Bringing postings into the gift ledger: of a file, or of the chain's sources."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import Finding, Posting, Severity
from memberops.errors import (
    BalanceOverflowError,
    BrokenChainError,
    ClosedPeriodError,
    InvalidValueError,
    KeyConflictError,
    LedgerError,
    LotConflictError,
    MemberOpsError,
    OutOfStockError,
    ReversalError,
    UnknownGiftError,
    UnknownPlaceError,
    UnknownPostingError,
    UnknownTableError,
    bounded,
)
from memberops.ledger import LedgerStore, Posted
from memberops.reports.forms.gift_ledger import posting_states_form
from memberops.tables.gifts import GIFT_MOVEMENTS
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_force import CountsBehind
from memberops.workflows.gift_catalogue import GIFT_TABLES, needed_settings
from memberops.workflows.gift_handed_in import (
    HandedIn,
    Refused,
    handed_in,
    moment_of_group,
    torn_in_files,
    unguarded,
)
from memberops.workflows.gift_questions import ask_ledger
from memberops.workflows.gift_sources import TABLE, MovementsHere, torn_in_sources
from memberops.workflows.imported_holds import HoldsHere

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["import_gifts"]

_REFUSALS: tuple[tuple[type[MemberOpsError], str, str], ...] = (
    (OutOfStockError, "out-of-stock", "库存不足"),
    (KeyConflictError, "key-conflict", "同一凭证号已入账，内容不一致"),
    (ClosedPeriodError, "period-closed", "该期间已关账"),
    (ReversalError, "reversal-invalid", "不能这样冲销"),
    (LotConflictError, "lot-conflict", "批次或有效期不符"),
    (BalanceOverflowError, "balance-overflow", "结存超出可存范围"),
    (UnknownGiftError, "gift-unknown", "没有这种礼品"),
    (UnknownPlaceError, "place-unknown", "没有这个库位或账户"),
    (UnknownPostingError, "posting-unknown", "台账里没有要冲销的凭证"),
    (LedgerError, "ledger-refused", "台账拒绝这笔记录"),
    (InvalidValueError, "posting-unreadable", "该凭证整张未采用"),
)


_IN_FUTURE = Refused(
    "posting-in-future",
    "it takes effect after the day of the import",
    "生效时间晚于导入日",
)
_AT_ONCE = 500
_REFUSED = tuple(kind for kind, _, _ in _REFUSALS)


def import_gifts(
    chain: Chain,
    path: str | Path | None = None,
    *,
    as_of: dt.date,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Answer:
    """
    Post the movements of a CSV file, or of the chain's own sources (HQ §7).

    Every row is told for: it is rejected by the reader, or belongs to a posting that
    is written, was there before, or is refused. They may be imported again: a
    posting counts once. A posting of which a row was rejected is not written. They
    are posted in the order in which they take effect, whatever their order in the
    file; of those of one moment what takes stock waits for what brings it. What is
    marked late enters behind counts that are in force, as by `Chain.post_gifts`. A
    hold that another ledger had and this one has not is left out, with a finding.

    A source, such as a system that sells, tells more than the ledger is for: rows of
    goods that the table of gifts does not list, and rows that take effect after the
    day, are left out and counted. In a file such rows are refused.

    Args:
        chain: The chain; a method of it.
        path: The file, with the columns of `memberops.tables.GIFT_MOVEMENTS`; None
            for what ``[sources.gift_movements]`` gives.
        as_of: The day of the import: what takes effect later is not written.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **options: Of `memberops.read_csv`, for a file: ``encoding``, ``columns``, ...

    Returns:
        An `Answer` with the form ``gift_postings``, one row a posting.

    Raises:
        InvalidValueError: The chain has no ledger; or its source tells of goods, and
            it has no table of gifts.
        SourceError: The file or source cannot be read; see `memberops.read_csv`.
        LedgerStoreError: The ledger's database failed; import again.
        UnknownTableError: There is no file, and no source of movements.
    """
    if path is None:
        tables = _with_movements(chain, tables, options, progress)
    asked, findings, moment = ask_ledger(
        chain,
        "gift_import",
        ("gift movements posted", "礼品流水入账"),
        as_of=as_of,
        tables=tables,
        progress=progress,
    )
    here = None
    if path is None:
        result = asked.tables.results[TABLE]
        frame = unguarded(result.frame)
        here = MovementsHere.of(frame, asked.tables, moment)
        frame, torn = here.frame, torn_in_sources(chain, result)
        findings += here.findings
    else:
        result = read_csv(
            path, GIFT_MOVEMENTS, currency=chain.currency, zone=chain.zone, **options
        )
        frame, torn = unguarded(result.frame), torn_in_files(
            chain, path, result, options
        )  # fmt: skip
        read = {TABLE: result}
        asked = attrs.evolve(
            asked, tables=ChainTables({**asked.tables.results, **read})
        )
    groups = handed_in(frame, torn)
    with chain.ledger(tables=asked.tables) as ledger:
        behind = CountsBehind(asked, ledger)
        holds = HoldsHere(ledger)
        groups = [each._replace(became=holds.only(each.became)) for each in groups]
        findings += holds.findings
        # What came first goes first: a refusal would spend its key.
        done: dict[str, dict[str, Any]] = {}
        for some in _chunks(sorted(groups, key=moment_of_group)):
            done |= _posted_together(ledger, some, moment) or {
                group.key: row
                for _, same in groupby(some, key=moment_of_group)
                for group, row in _posted_singly(
                    ledger, list(same), moment, behind, findings
                )
            }
    rows = [done[group.key] for group in groups]
    given = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"sequence": "Int64"})
    return asked.answer(
        posting_states_form(given),
        lines=[_sum_line(result, rows, here)],
        findings=[*findings, *_refusals(rows, None if path is None else Path(path))],
    )


def _with_movements(
    chain: Chain,
    tables: ChainTables | None,
    options: Mapping[str, Any],
    progress: Progress | None,
) -> ChainTables:
    """Read the chain's own movements, or say how it gets some."""
    needed_settings(chain)
    if options:
        raise InvalidValueError(
            f"{bounded(options)} is for a file, and none is named: a source has its "
            f"options in [sources.{TABLE}]"
        ).in_chinese(
            f"{bounded(options)} 用于文件，而未指明文件：数据源的选项写在 "
            f"[sources.{TABLE}] 中"
        )
    if tables is None and TABLE in chain.sources:
        return chain.read(only=(*GIFT_TABLES, TABLE), progress=progress)
    if tables is None or TABLE not in tables:
        raise UnknownTableError(
            f"no file is named and there is no source of movements: name a file, or "
            f"add [sources.{TABLE}]"
            if tables is None
            else f"'tables' does not hold {TABLE}: read it too, or name a file"
        ).in_chinese(
            f"没有指明文件，也没有流水数据源：请指明文件，或添加 [sources.{TABLE}]"
            if tables is None
            else f"tables 中没有 {TABLE}：请一并读取，或指明文件"
        )
    return tables


def _sum_line(
    result: SourceResult, rows: Iterable[Mapping[str, Any]], here: MovementsHere | None
) -> tuple[str, str]:
    """Say what became of all rows that were read."""
    states = Counter[str]()
    for row in rows:
        states[row["state"]] += row["rows"]
    told = [result.rows_read, states["written"], states["there_before"],
            states["refused"], result.rejected]  # fmt: skip
    english = (
        "rows read {:,} = written {:,} + there before {:,} + refused {:,} + "
        "rejected {:,}"
    )
    chinese = "读取 {:,} 行 = 已入账 {:,} + 已存在 {:,} + 未入账 {:,} + 拒收 {:,}"
    if result.replaced:
        told.append(result.replaced)
        english += " + replaced {:,}"
        chinese += " + 被替换 {:,}"
    if here is not None:
        told += [here.goods, here.later]
        english += " + of other goods {:,} + after the day {:,}"
        chinese += " + 非礼品 {:,} + 晚于导入日 {:,}"
    return english.format(*told), chinese.format(*told)


_COLUMNS = ("posting_id", "kind", "rows", "state", "sequence", "why_en", "why_zh",
            "rule")  # fmt: skip


def _chunks(groups: list[HandedIn]) -> Iterator[list[HandedIn]]:
    """Part groups in their order; those of one moment stay together."""
    some: list[HandedIn] = []
    for _, same in groupby(groups, key=moment_of_group):
        if len(some) >= _AT_ONCE:
            yield some
            some = []
        some += same
    if some:
        yield some


def _posted_together(
    ledger: LedgerStore, groups: list[HandedIn], moment: dt.datetime
) -> dict[str, dict[str, Any]] | None:
    """Post groups in one transaction; None where each has to go by itself."""
    postings = [
        group.became
        for group in groups
        if isinstance(group.became, Posting)
        and not group.became.late
        and group.became.effective_at <= moment
    ]
    if len(postings) < len(groups):
        return None
    try:
        receipts = ledger.post_all(postings)
    except BrokenChainError:
        raise
    except _REFUSED:
        return None
    return {
        group.key: _written(group, receipt)
        for group, receipt in zip(groups, receipts, strict=True)
    }


def _posted_singly(
    ledger: LedgerStore,
    groups: list[HandedIn],
    moment: dt.datetime,
    behind: CountsBehind,
    findings: list[Finding],
) -> Iterator[tuple[HandedIn, dict[str, Any]]]:
    """
    Post groups of one moment; what finds no stock waits for what brings some.

    Within a moment no order is known: only what the others leave without stock is
    refused, and spends its key.
    """
    before = len(groups) + 1
    while 1 < len(groups) < before:
        before, waiting = len(groups), []
        for group in groups:
            row = _posted_together(ledger, [group], moment)
            if row is None:
                waiting.append(group)
            else:
                yield group, row[group.key]
        groups = waiting
    for group in groups:
        yield group, _posted(ledger, group, moment, behind, findings)


def _written(group: HandedIn, receipt: Posted) -> dict[str, Any]:
    return {
        "posting_id": group.key,
        "kind": group.kind,
        "rows": group.rows,
        "state": "there_before" if receipt.replayed else "written",
        "sequence": receipt.sequence,
    }


def _posted(
    ledger: LedgerStore,
    group: HandedIn,
    moment: dt.datetime,
    behind: CountsBehind,
    findings: list[Finding],
) -> dict[str, Any]:
    """Post what rows became; say what became of it."""
    made = group.became
    if isinstance(made, Posting) and made.effective_at > moment:
        made = _IN_FUTURE
    if isinstance(made, Posting):
        try:
            receipt = None
            if made.late:
                done, told = behind.post(made)
                findings += [each for each in told if each not in findings]
                receipt = done.receipt
            receipt = receipt or ledger.post(made)
        except BrokenChainError:
            raise
        except _REFUSED as error:
            made = _why(error)
        else:
            return _written(group, receipt)
    return {
        "posting_id": group.key,
        "kind": group.kind,
        "rows": group.rows,
        "state": "refused",
        "why_en": made.text_en,
        "why_zh": made.text_zh,
        "rule": made.rule,
    }


def _why(error: MemberOpsError) -> Refused:
    rule, chinese = next(
        (rule, text) for kind, rule, text in _REFUSALS if isinstance(error, kind)
    )
    return Refused(rule, str(error), f"{chinese}（{error}）")


def _refusals(rows: Iterable[dict[str, Any]], file: Path | None) -> list[Finding]:
    """Make a finding of each reason, with the number of postings and a few keys."""
    by_rule: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] == "refused":
            by_rule.setdefault(row["rule"], []).append(row["posting_id"])
    return [
        Finding(
            table="gift_movements",
            rule=rule,
            source=None if file is None else file.name,
            count=len(keys),
            severity=Severity.ERROR,
            message_en=f"postings not written: {bounded(keys)}; the list says why",
            message_zh=f"未入账的凭证：{bounded(keys)}；原因见入账结果",
        )
        for rule, keys in by_rule.items()
    ]
