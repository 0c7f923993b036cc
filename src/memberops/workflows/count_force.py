"""Counts in force: what the books follow, what they close, what late entries keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs
import pandas as pd

from memberops.domain import (
    ApprovedCount,
    Closing,
    Difference,
    Finding,
    Posting,
    Severity,
)
from memberops.domain.gift import lies_within
from memberops.errors import bounded
from memberops.ledger import (
    LedgerStore,
    Settlement,
    closings_after,
    differences,
    post_late,
)
from memberops.ledger.counting import line_cell
from memberops.ledger.verdicts import deltas
from memberops.policies import StocktakePolicy
from memberops.workflows.count_calls import called
from memberops.workflows.count_papers import (
    CountPapers,
    read_papers,
    regions_of,
)
from memberops.workflows.gift_catalogue import GIFT_TABLES
from memberops.workflows.inquiry import Inquiry

__all__ = [
    "COUNT_TABLES",
    "CountsBehind",
    "closable",
    "close_counted",
    "counts_in_force",
]

COUNT_TABLES = (
    *GIFT_TABLES,
    "stocktakes",
    "counts",
    "count_reasons",
    "count_approvals",
)
"""The tables that tell which counts are in force."""
_MOMENTS = (("counts", "counted_at"), ("count_approvals", "approved_at"))


def counts_in_force(
    asked: Inquiry,
    ledger: LedgerStore,
    *,
    as_of: dt.datetime,
    own: CountPapers | None = None,
) -> list[ApprovedCount]:
    """
    List the counts that the books have to follow, of every stocktake.

    Args:
        asked: The question, with what the chain's sources gave.
        ledger: The chain's ledger.
        as_of: Aware instant: later counts and approvals are not known yet.
        own: The papers of a stocktake that were read already.
    """
    papers = [] if own is None else [own]
    return _in_force(asked, [*papers, *_papers(asked, ledger, as_of, own)])


def _papers(
    asked: Inquiry,
    ledger: LedgerStore,
    as_of: dt.datetime,
    own: CountPapers | None = None,
) -> list[CountPapers]:
    """Read the papers of every other stocktake that the chain's sources have."""
    if "counts" not in asked.tables or "stocktakes" not in asked.tables:
        return []
    return [
        read_papers(asked, ledger, each, as_of=as_of)
        for each in called(asked)
        if own is None or each.stocktake_id != own.stocktake.stocktake_id
    ]


def _in_force(asked: Inquiry, papers: Iterable[CountPapers]) -> list[ApprovedCount]:
    policy, regions = asked.chain.policies.stocktake, regions_of(asked.stores)
    return [
        counted
        for each in papers
        for counted in each.in_force(policy, as_of=asked.as_of, regions=regions)
    ]


def closable(
    ledger: LedgerStore,
    papers: CountPapers,
    policy: StocktakePolicy,
    *,
    as_of: dt.date,
    regions: dict[str, str],
    by: str | None = None,
) -> list[Closing]:
    """
    Make the closings of places of which nothing is open, and that are not closed so.

    Args:
        ledger: The chain's ledger.
        papers: What is known of the stocktake.
        policy: The rules.
        as_of: The day.
        regions: Region of each store, by its id.
        by: Who closes.
    """
    force = papers.in_force(policy, as_of=as_of, regions=regions)
    done = {each.line.line_id for each in force}
    whole: list[ApprovedCount] = []
    for place in papers.stocktake.places:
        mine = [
            each for each in papers.differences if lies_within(each.line.place, place)
        ]
        if all(each.settled and each.line.line_id in done for each in mine):
            ids = {each.line.line_id for each in mine}
            whole += [each for each in force if each.line.line_id in ids]
    return [
        closing
        for closing in closings_after(whole, by=by)
        if not any(
            each.before >= closing.before
            and (not each.places or lies_within(place, part))
            for each in ledger.closings()
            for place in closing.places
            for part in each.places or ("",)
        )
    ]


def close_counted(
    ledger: LedgerStore,
    papers: CountPapers,
    policy: StocktakePolicy,
    *,
    as_of: dt.date,
    regions: dict[str, str],
    by: str,
) -> tuple[str, ...]:
    """
    Close the places of a stocktake of which nothing is open, up to their last count.

    Args:
        ledger: The chain's ledger, after the counts were settled.
        papers: What is known of the stocktake since.
        policy: The rules.
        as_of: The day.
        regions: Region of each store, by its id.
        by: Who closes.

    Returns:
        The places that were closed now, and were not so far before.
    """
    closings = closable(ledger, papers, policy, as_of=as_of, regions=regions, by=by)
    for closing in closings:
        ledger.close(closing)
    return tuple(place for closing in closings for place in closing.places)


class CountsBehind:
    """
    The counts of a chain that what is entered late leaves as they are.

    Their papers are read once, when the first late posting comes.

    Args:
        asked: The question.
        ledger: The chain's ledger.
    """

    def __init__(self, asked: Inquiry, ledger: LedgerStore) -> None:
        self._asked = asked
        self._ledger = ledger
        self._papers: list[CountPapers] = []
        self._force: list[ApprovedCount] | None = None

    def post(self, posting: Posting) -> tuple[Settlement, list[Finding]]:
        """
        Post what is entered late, so that counts that knew of it stand.

        Args:
            posting: What moved, marked late.

        Returns:
            What was written, and findings: where a count closed the place whose
            papers are in no source of the chain, or whose approval did not fit any
            more, and so was not corrected; and counts that wait for a new approval.
        """
        if self._force is None:
            self._force = self._read(posting.effective_at)
        done = post_late(self._ledger, posting, self._force)
        alone = _uncorrected(self._ledger, posting, self._force)
        begun = tuple(f"count/{each.stocktake.stocktake_id}/" for each in self._papers)
        alone = [each for each in alone if not each.startswith(begun)]
        findings = [*done.findings, *_without_papers(alone)]
        findings += [self._outgrown(each) for each in self._open(posting)]
        if done.changed:
            findings.append(_changed([each.line.line_id for each in done.changed]))
        return done, findings

    def _read(self, since: dt.datetime) -> list[ApprovedCount]:
        given = self._asked.chain.read(only=COUNT_TABLES)
        moments = [pd.Timestamp(since)]
        for table, column in _MOMENTS:
            if table in given and column in given[table]:
                moments += given[table][column].dropna().tolist()
        now = max(moments).to_pydatetime()
        known = attrs.evolve(self._asked, tables=given)
        self._papers = _papers(known, self._ledger, now)
        return _in_force(known, self._papers)

    def _open(self, posting: Posting) -> list[Difference]:
        """List the counts of what was posted whose approval does not fit, if any."""
        cells = deltas(posting)
        force = {each.line.line_id for each in self._force or ()}
        return [
            each
            for papers in self._papers
            for each in differences(self._ledger, papers.lines)
            if line_cell(each.line) in cells
            and each.line.line_id not in force
            and each.line.counted_at > posting.effective_at
            and each.to_explain
        ]

    def _outgrown(self, found: Difference) -> Finding:
        line = found.line
        said = next(
            (
                each.approvals[line.line_id].difference
                for each in self._papers
                if line.line_id in each.approvals
            ),
            None,
        )
        where = bounded([line.line_id])
        now = f"{found.to_explain:+}"
        then_en = "nothing was" if said is None else f"{said:+} was"
        then_zh = "未经审批" if said is None else f"已批准 {said:+}"
        return Finding(
            table="counts",
            rule="late-not-corrected",
            severity=Severity.WARNING,
            message_en=f"entered behind the count {where}, whose difference is now "
            f"{now} while {then_en} approved: it was not corrected; approve it anew",
            message_zh=f"补录早于盘点 {where}，现差异 {now}，{then_zh}：盘点未作更正，"
            "请重新审批",
        )


def _changed(lines: list[str]) -> Finding:
    return Finding(
        table="counts",
        rule="count-changed",
        severity=Severity.WARNING,
        count=len(lines),
        message_en=f"{bounded(lines)}: the difference is no longer the one that was "
        "approved: compare that stocktake again and approve it anew",
        message_zh=f"{bounded(lines)}：差异与审批时不同，请重新核对该次盘点并再次审批",
    )


def _uncorrected(
    ledger: LedgerStore, posting: Posting, force: Iterable[ApprovedCount]
) -> list[str]:
    """Name the closings behind which a posting entered and no count is in force."""
    closed = {
        each.closing_id
        for each in ledger.closings()
        if each.closing_id.startswith("count/") and each.touches(posting)
    }
    there = {f"count/{each.line.stocktake_id}/{each.line.place}/" for each in force}
    return sorted(each for each in closed if not each.startswith(tuple(there)))


def _without_papers(alone: list[str]) -> list[Finding]:
    if not alone:
        return []
    return [
        Finding(
            table="counts",
            rule="late-not-corrected",
            severity=Severity.WARNING,
            count=len(alone),
            message_en=f"entered behind {bounded(alone)}, whose papers are in no "
            "source: no count was corrected; compare that stocktake again and approve "
            "what changed",
            message_zh=f"补录早于 {bounded(alone)}，其盘点资料未配置数据源："
            "盘点未作更正，请重新核对该次盘点并审批变化的差异",
        )
    ]
