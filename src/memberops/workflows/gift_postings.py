"""Bringing a file of postings into the gift ledger."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import read_csv
from memberops.adapters.sources.rejects import unguard_text
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
    bounded,
)
from memberops.ledger import LedgerStore, Posted
from memberops.ledger.flow_tables import read_movements
from memberops.reports.forms.gift_ledger import posting_states_form
from memberops.tables.gifts import GIFT_MOVEMENTS
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_force import CountsBehind
from memberops.workflows.gift_questions import ask_ledger
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


class _Refused(NamedTuple):
    """Why a posting was not written."""

    rule: str
    text_en: str
    text_zh: str


class _HandedIn(NamedTuple):
    """The rows of a key, and what they became."""

    key: str
    kind: str
    rows: int
    became: Posting | _Refused


_INCOMPLETE = _Refused(
    "posting-incomplete",
    "a row of it was rejected: mend the row and import again",
    "该凭证有行被拒收：请更正后重新导入",
)
_PERHAPS_INCOMPLETE = _Refused(
    "posting-perhaps-incomplete",
    "a rejected row has no readable posting and may belong to any: mend it and import "
    "again",
    "有拒收行的凭证号无法识别，可能属于任一凭证：请更正后重新导入",
)
_IN_FUTURE = _Refused(
    "posting-in-future",
    "it takes effect after the day of the import",
    "生效时间晚于导入日",
)
_AT_ONCE = 500
_KEYS = attrs.evolve(GIFT_MOVEMENTS, columns=(GIFT_MOVEMENTS.column("posting_id"),))
_MADE = ("compose", "join", "constants", "values")
_REFUSED = tuple(kind for kind, _, _ in _REFUSALS)


def import_gifts(
    chain: Chain,
    path: str | Path,
    *,
    as_of: dt.date,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Answer:
    """
    Post what a CSV file of movements holds (HQ §7).

    Every row is told for: it is rejected by the reader, or belongs to a posting that
    is written, was there before, or is refused. A file may be imported again: a
    posting counts once. A posting of which a row was rejected is not written. They
    are posted in the order in which they take effect, whatever their order in the
    file; of those of one moment what takes stock waits for what brings it. What is
    marked late enters behind counts that are in force, as by `Chain.post_gifts`. A
    hold that another ledger had and this one has not is left out, with a finding.

    Args:
        chain: The chain; a method of it.
        path: The file, with the columns of `memberops.tables.GIFT_MOVEMENTS`.
        as_of: The day of the import: what takes effect later is refused.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **options: Of `memberops.read_csv`: ``encoding``, ``columns``, ...

    Returns:
        An `Answer` with the form ``gift_postings``, one row a posting.

    Raises:
        InvalidValueError: The chain has no ledger.
        SourceError: The file cannot be read; see `memberops.read_csv`.
        LedgerStoreError: The ledger's database failed; import the file again.
    """
    asked, findings, moment = ask_ledger(
        chain,
        "gift_import",
        ("gift movements posted", "礼品流水入账"),
        as_of=as_of,
        tables=tables,
        progress=progress,
    )
    result = read_csv(
        path, GIFT_MOVEMENTS, currency=chain.currency, zone=chain.zone, **options
    )
    torn, nameless = _rejected_keys(chain, path, result, options)
    result = attrs.evolve(result, frame=_unguarded(result.frame))
    groups = _handed_in(result.frame, torn, nameless=nameless)
    with chain.ledger(tables=asked.tables) as ledger:
        behind = CountsBehind(asked, ledger)
        holds = HoldsHere(ledger)
        groups = [each._replace(became=holds.only(each.became)) for each in groups]
        findings += holds.findings
        # What came first goes first: a refusal would spend its key.
        done: dict[str, dict[str, Any]] = {}
        for some in _chunks(sorted(groups, key=_moment)):
            done |= _posted_together(ledger, some, moment) or {
                group.key: row
                for _, same in groupby(some, key=_moment)
                for group, row in _posted_singly(
                    ledger, list(same), moment, behind, findings
                )
            }
    rows = [done[group.key] for group in groups]
    read = {"gift_movements": result}
    asked = attrs.evolve(asked, tables=ChainTables({**asked.tables.results, **read}))
    states = Counter[str]()
    for row in rows:
        states[row["state"]] += row["rows"]
    told = (result.rows_read, states["written"], states["there_before"],
            states["refused"], result.rejected)  # fmt: skip
    english = (
        "rows read {:,} = written {:,} + there before {:,} + refused {:,} + "
        "rejected {:,}"
    )
    chinese = "读取 {:,} 行 = 已入账 {:,} + 已存在 {:,} + 未入账 {:,} + 拒收 {:,}"
    given = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"sequence": "Int64"})
    form = posting_states_form(given)
    return asked.answer(
        form,
        lines=[(english.format(*told), chinese.format(*told))],
        findings=[*findings, *_refusals(rows, Path(path).name)],
    )


_COLUMNS = ("posting_id", "kind", "rows", "state", "sequence", "why_en", "why_zh",
            "rule")  # fmt: skip


def _unguarded(frame: pd.DataFrame) -> pd.DataFrame:
    """Undo what an export did to texts that a spreadsheet would run."""
    texts = {
        str(name): column.map(unguard_text, na_action="ignore").astype(column.dtype)
        for name, column in frame.items()
        if column.dtype == "str"
    }
    return frame.assign(**texts)


def _moment(group: _HandedIn) -> dt.datetime:
    """Return when a group takes effect; what is no posting is not written anyway."""
    made = group.became
    if isinstance(made, Posting):
        return made.effective_at
    return dt.datetime.max.replace(tzinfo=dt.UTC)


def _rejected_keys(
    chain: Chain, path: str | Path, result: SourceResult, options: Mapping[str, Any]
) -> tuple[set[str], bool]:
    """
    Tell the keys of the rejected rows, and whether one of them cannot be told.

    The file is read once more for its keys alone, by the same rules: a row that has a
    key then, and became nothing before, was rejected for another cell.
    """
    if not result.rejected:
        return set(), False
    if any("posting_id" in (options.get(name) or ()) for name in _MADE):
        return set(), True
    named = options.get("columns") or {}
    read = read_csv(
        path,
        _KEYS,
        currency=chain.currency,
        zone=chain.zone,
        columns={name: each for name, each in named.items() if name == "posting_id"},
        **{name: options[name] for name in ("encoding", "delimiter")
           if name in options},
    )  # fmt: skip
    rest = Counter(read.frame["posting_id"].tolist())
    rest -= Counter(result.frame["posting_id"].tolist())
    return {unguard_text(key) for key in rest}, read.rejected > 0


def _handed_in(
    frame: pd.DataFrame, torn: set[str], *, nameless: bool
) -> list[_HandedIn]:
    """Gather what each key became; hold back what a rejected row may belong to."""
    postings, unreadable = read_movements(frame)
    keys = frame["posting_id"].astype(str)
    made: dict[str, Posting | _Refused] = {each.posting_id: each for each in postings}
    for finding in unreadable:
        key = keys.iloc[(finding.row or 1) - 1]
        made[key] = _Refused(finding.rule, finding.message_en, finding.message_zh)
    found = []
    for key, rows in Counter(keys.tolist()).items():
        became = made[key]
        if key in torn:
            became = _INCOMPLETE
        elif nameless:
            became = _PERHAPS_INCOMPLETE
        kind = str(frame["kind"].iloc[int((keys == key).to_numpy().argmax())])
        found.append(_HandedIn(key, kind, rows, became))
    return found


def _chunks(groups: list[_HandedIn]) -> Iterator[list[_HandedIn]]:
    """Part groups in their order; those of one moment stay together."""
    some: list[_HandedIn] = []
    for _, same in groupby(groups, key=_moment):
        if len(some) >= _AT_ONCE:
            yield some
            some = []
        some += same
    if some:
        yield some


def _posted_together(
    ledger: LedgerStore, groups: list[_HandedIn], moment: dt.datetime
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
    groups: list[_HandedIn],
    moment: dt.datetime,
    behind: CountsBehind,
    findings: list[Finding],
) -> Iterator[tuple[_HandedIn, dict[str, Any]]]:
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


def _written(group: _HandedIn, receipt: Posted) -> dict[str, Any]:
    return {
        "posting_id": group.key,
        "kind": group.kind,
        "rows": group.rows,
        "state": "there_before" if receipt.replayed else "written",
        "sequence": receipt.sequence,
    }


def _posted(
    ledger: LedgerStore,
    group: _HandedIn,
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


def _why(error: MemberOpsError) -> _Refused:
    rule, chinese = next(
        (rule, text) for kind, rule, text in _REFUSALS if isinstance(error, kind)
    )
    return _Refused(rule, str(error), f"{chinese}（{error}）")


def _refusals(rows: Iterable[dict[str, Any]], file: str) -> list[Finding]:
    """Make a finding of each reason, with the number of postings and a few keys."""
    by_rule: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] == "refused":
            by_rule.setdefault(row["rule"], []).append(row["posting_id"])
    return [
        Finding(
            table="gift_movements",
            rule=rule,
            source=file,
            count=len(keys),
            severity=Severity.ERROR,
            message_en=f"postings not written: {bounded(keys)}; the list says why",
            message_zh=f"未入账的凭证：{bounded(keys)}；原因见入账结果",
        )
        for rule, keys in by_rule.items()
    ]
