"""The papers of stocktakes: what was called, counted, explained and approved."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path
from typing import Any

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import (
    Approval,
    ApprovedCount,
    CountLine,
    Difference,
    Explanation,
    Finding,
    Severity,
    Stocktake,
)
from memberops.domain.gift import lies_within
from memberops.errors import (
    MemberOpsError,
    UnknownTableError,
    bounded,
)
from memberops.ledger import LedgerStore, differences, read_counts, uncounted_lines
from memberops.policies import StocktakePolicy
from memberops.policies.stocktake_words import role_en, role_zh
from memberops.tables import STORES, Table
from memberops.tables.counts import COUNTS
from memberops.tables.stocktakes import COUNT_APPROVALS, COUNT_REASONS
from memberops.workflows.inquiry import Inquiry

__all__ = ["CountPapers", "read_papers", "regions_of"]

_PAPERS = {"counts": COUNTS, "reasons": COUNT_REASONS, "approvals": COUNT_APPROVALS}
_SOURCES = {
    "counts": "counts",
    "reasons": "count_reasons",
    "approvals": "count_approvals",
}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CountPapers:
    """
    What is known of a stocktake, held against the ledger.

    Args:
        stocktake: What was called.
        lines: Its count lines, recounts too, and those still owed: what the books had
            at the cut-off and no row counts.
        differences: What each line that holds says against the books.
        explanations: Reasons, by line.
        approvals: What was said to lines; of several the latest by who may say it.
        findings: What was wrong with the papers.
        results: What the files gave, by name of the table.
        rows_read: Rows of counts of the file; each became a line or was refused.
        accepted: Rows that became lines.
    """

    stocktake: Stocktake
    lines: tuple[CountLine, ...]
    differences: tuple[Difference, ...]
    explanations: dict[str, list[Explanation]]
    approvals: dict[str, Approval]
    findings: tuple[Finding, ...]
    results: dict[str, SourceResult]
    rows_read: int
    accepted: int

    def in_force(
        self, policy: StocktakePolicy, *, as_of: dt.date, regions: dict[str, str]
    ) -> list[ApprovedCount]:
        """List the counts that the books have to follow."""
        found = []
        for each in self.differences:
            line = each.line
            counted = policy.in_force(
                each,
                self.explanations.get(line.line_id, ()),
                self.approvals.get(line.line_id),
                as_of=as_of,
                region=region_of(line.place, regions),
            )
            found += [] if counted is None else [counted]
        return found


def region_of(place: str, regions: dict[str, str]) -> str | None:
    """Return the region of a store's place."""
    return regions.get(place.split(":")[1]) if lies_within(place, "store") else None


def regions_of(stores: pd.DataFrame | None) -> dict[str, str]:
    """Return the region of each store, by its id."""
    if stores is None or "region_id" not in stores:
        return {}
    STORES.check_columns(stores.columns, ["store_id"])
    known = stores.dropna(subset=["region_id"])
    return dict(zip(known["store_id"], known["region_id"], strict=True))


def read_papers(
    asked: Inquiry,
    ledger: LedgerStore,
    stocktake: Stocktake,
    *,
    as_of: dt.datetime,
    files: dict[str, str | Path | None] | None = None,
) -> CountPapers:
    """
    Read counts, reasons and approvals of a stocktake, and compare with the books.

    Args:
        asked: The question, with what the chain's sources gave.
        ledger: The chain's ledger.
        stocktake: What was called.
        as_of: Aware instant: later counts and approvals are not known yet.
        files: CSV files for ``"counts"``, ``"reasons"`` and ``"approvals"``, instead
            of the chain's sources.

    Raises:
        SourceError: A file cannot be read.
        UnknownTableError: Counts are neither in a file nor in a source.
    """
    frames: dict[str, pd.DataFrame] = {}
    results: dict[str, SourceResult] = {}
    read: dict[str, SourceResult] = {}
    for name, table in _PAPERS.items():
        path, source = (files or {}).get(name), _SOURCES[name]
        if path is not None:
            read[name] = results[source] = _file(asked, path, table)
            frames[name] = _own(results[source].frame, name, asked, stocktake)
        elif source in asked.tables:
            given = asked.tables[source].reset_index(drop=True)
            frames[name] = _of_stocktake(given, stocktake)
            read[name] = asked.tables.results[source]
    if "counts" not in frames:
        raise UnknownTableError(
            "no counts are given (礼品盘点表): name a file with --counts, or add "
            "[sources.counts]"
        )
    reading = read_counts(
        frames["counts"],
        stocktake,
        ledger,
        as_of=as_of,
        origins=[read["counts"].origin(at) for at in frames["counts"].index],
    )
    lines = (*reading.lines, *uncounted_lines(ledger, stocktake, reading.lines))
    found = differences(ledger, lines)
    ids = {_cell(_names_of(each.line)): each.line.line_id for each in found}
    findings = [each for result in results.values() for each in result.findings]
    findings += [*reading.findings, *_undated(reading.lines, stocktake)]
    among = (ids, stocktake, findings)
    why: dict[str, list[Explanation]] = defaultdict(list)
    for line_id, row in _of_lines(frames, "reasons", *among, read=read):
        made = _explanation(line_id, row, findings)
        if made is not None:
            why[line_id].append(made)
    said: dict[str, list[Approval]] = defaultdict(list)
    for line_id, row in _of_lines(frames, "approvals", *among, read=read):
        approval = _approval(line_id, row)
        if approval.at <= as_of:
            said[line_id].append(approval)
    rejected = results["counts"].rejected if "counts" in results else 0
    return CountPapers(
        stocktake=stocktake,
        lines=lines,
        differences=found,
        explanations=dict(why),
        approvals=_words_that_count(asked, found, said, findings),
        findings=tuple(findings),
        results=results,
        rows_read=reading.rows_read + rejected,
        accepted=reading.accepted,
    )


def _words_that_count(
    asked: Inquiry,
    found: Iterable[Difference],
    said: dict[str, list[Approval]],
    findings: list[Finding],
) -> dict[str, Approval]:
    """Keep the last word on each line; who may not say it takes no other word back."""
    policy, regions = asked.chain.policies.stocktake, regions_of(asked.stores)
    kept: dict[str, Approval] = {}
    for each in found:
        words = sorted(said.get(each.line.line_id, ()), key=attrgetter("at"))
        region = region_of(each.line.place, regions)
        count = [word for word in words if policy.entitled(each, word, region=region)]
        if words:
            kept[each.line.line_id] = (count or words)[-1]
        if count and count[-1] is not words[-1]:
            role = words[-1].role
            findings.append(
                Finding(
                    table="count_approvals",
                    rule="word-not-counted",
                    severity=Severity.WARNING,
                    message_en=f"the last word on {bounded([each.line.line_id])}, by "
                    f"{role_en(role)}, does not count: the one before holds",
                    message_zh=f"{bounded([each.line.line_id])} 的最后一条意见"
                    f"（{role_zh(role)}）无效，以之前的意见为准",
                )
            )
    return kept


def _undated(lines: Iterable[CountLine], stocktake: Stocktake) -> list[Finding]:
    """Warn of counts without a moment: they are taken as of the cut-off."""
    found = Counter(
        each.place
        for each in lines
        if each.counted is not None and each.counted_at == stocktake.cutoff
    )
    return [
        Finding(
            table="counts",
            rule="count-undated",
            column="counted_at",
            severity=Severity.WARNING,
            count=number,
            message_en=f"counts of {bounded([place])} have no moment: they are taken "
            "as of the cut-off, and nobody knows if they came in time",
            message_zh=f"{bounded([place])} 的盘点未注明时间：按截止时刻计，"
            "无法判断是否按时",
        )
        for place, number in sorted(found.items())
    ]


def _of_stocktake(rows: pd.DataFrame, stocktake: Stocktake) -> pd.DataFrame:
    mine = (rows["stocktake_id"] == stocktake.stocktake_id).to_numpy(bool)
    return rows[mine]


def _own(
    rows: pd.DataFrame, paper: str, asked: Inquiry, stocktake: Stocktake
) -> pd.DataFrame:
    """
    Leave out of a file what belongs to other stocktakes.

    One file may take the papers of every stocktake. Approvals stay there longer than
    a stocktake is listed; a reason of a stocktake that is not listed is a mistake.
    """
    if paper == "approvals":
        return _of_stocktake(rows, stocktake)
    if paper == "counts":
        return rows
    listed = set(asked.tables["stocktakes"]["stocktake_id"]) - {stocktake.stocktake_id}
    return rows[~rows["stocktake_id"].isin(listed).to_numpy(bool)]


def _file(asked: Inquiry, path: str | Path, table: Table) -> SourceResult:
    return read_csv(path, table, currency=asked.chain.currency, zone=asked.chain.zone)


def _names_of(line: CountLine) -> dict[str, Any]:
    """Return what names a line in a paper."""
    return {"place": line.place, "gift_id": line.gift_id, "lot_id": line.lot_id}


def _cell(row: dict[Any, Any]) -> tuple[str, str, str]:
    lot = row.get("lot_id")
    return row["place"], row["gift_id"], "" if lot is None or pd.isna(lot) else lot


def _of_lines(
    frames: dict[str, pd.DataFrame],
    paper: str,
    ids: dict[tuple[str, str, str], str],
    stocktake: Stocktake,
    findings: list[Finding],
    *,
    read: dict[str, SourceResult],
) -> Iterable[tuple[str, dict[Any, Any]]]:
    """Go through the rows of a paper whose line was counted; tell of the others."""
    if paper not in frames:
        return
    for number, row in zip(
        frames[paper].index, frames[paper].to_dict("records"), strict=True
    ):
        if row["stocktake_id"] == stocktake.stocktake_id and _cell(row) in ids:
            yield ids[_cell(row)], row
            continue
        source, line = read[paper].origin(number)
        findings.append(
            Finding(
                table=_SOURCES[paper],
                rule="line-unknown",
                source=source,
                row=line,
                severity=Severity.WARNING,
                message_en="no count of this stocktake has this place, gift and lot",
                message_zh="本次盘点没有该地点、礼品和批次的盘点行",
            )
        )


def _explanation(
    line_id: str, row: dict[Any, Any], findings: list[Finding]
) -> Explanation | None:
    held: dict[Any, Any] = {
        name: None if pd.isna(each) else each for name, each in row.items()
    }
    try:
        return Explanation(
            line_id=line_id,
            reason=held["reason"],
            quantity=int(held["quantity"]),
            by=held.get("by"),
            disposition=held.get("disposition") or "",
        )
    except MemberOpsError as error:
        findings.append(
            Finding(
                table="count_reasons",
                rule="reason-invalid",
                severity=Severity.ERROR,
                message_en=f"a reason of {bounded([line_id])} is left out: {error}",
                message_zh=f"{bounded([line_id])} 的差异说明无效，未采用",
            )
        )
        return None


def _approval(line_id: str, row: dict[Any, Any]) -> Approval:
    return Approval(
        line_id=line_id,
        difference=int(row["difference"]),
        by=row["approved_by"],
        role=row["role"],
        at=row["approved_at"].to_pydatetime(),
        approved=row["approved"] == "yes",
    )
