"""The approval of counted differences, which brings the books to the counts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from memberops.domain import Approval, Finding, Reason, Severity
from memberops.errors import bounded
from memberops.workflows.answers import Answer
from memberops.workflows.approval_file import append_approvals
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_papers import region_of, regions_of
from memberops.workflows.count_questions import (
    counted_answer,
    differences_form,
    held_papers,
    stocktake_tables,
)

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["approve_counts"]

File = str | Path | None
_OBJECTIONS = ("counter", "counter-unknown", "role-too-low")


def approve_counts(
    chain: Chain,
    stocktake: str,
    *,
    by: str,
    role: str,
    at: dt.datetime,
    approvals: str | Path,
    counts: File = None,
    reasons: File = None,
    place: str | None = None,
    refuse: bool = False,
    late: bool = False,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Approve explained differences, and bring the books to what was counted.

    Lines that are explained and wait for approval get one, as far as *role* may give
    it and *by* did not count; the others are findings that say why not. Every approval
    is written into the file before the ledger is changed; asked again, nothing is
    written twice. A place of which nothing is open any more is closed up to its last
    count: what takes effect there before has to say that it is late.

    Args:
        chain: The chain; a method of it.
        stocktake: Its id in the table of stocktakes.
        by: Who decides.
        role: In which role, such as ``"regional_manager"``.
        at: Aware instant of the decision.
        approvals: CSV file to which approvals are added; made if it is not there.
        counts: See `count_differences`.
        reasons: See `count_differences`.
        place: Only lines of this place.
        refuse: Refuse the lines instead: they are to be recounted.
        late: Whether adjustments may enter a closed period, knowingly.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``count_differences`` as it is afterwards, and an
        error finding for the lines that *by* counted, or for which *role* is too low,
        and for those to be refused that nobody has explained.

    Raises:
        InvalidValueError: No such stocktake or role, no ledger, or the file has
            other headings than those of the table of approvals.
        OSError: The file cannot be written.
    """
    given = Path(approvals)
    papers = stocktake_tables(chain, tables, progress)
    files: dict[str, str | Path | None] = {
        "counts": counts,
        "reasons": reasons,
        "approvals": given if given.exists() else None,
    }
    held = held_papers(chain, stocktake, at, files, papers, question="count_approval")
    policy, regions = chain.policies.stocktake, regions_of(held.asked.stores)
    policy.check_role(role)
    today = held.asked.as_of
    new: list[tuple[Approval, tuple[str, str, str, str]]] = []
    refused: dict[str, list[tuple[str, Reason]]] = {}
    unexplained: list[str] = []
    for each in held.papers.differences:
        line = each.line
        if place is not None and line.place != place:
            continue
        why = held.papers.explanations.get(line.line_id, ())
        known = held.papers.approvals.get(line.line_id)
        region = region_of(line.place, regions)
        outcome = policy.decide(each, why, known, as_of=today, region=region).outcome
        if outcome == "explain" and refuse:
            unexplained.append(line.line_id)
        if outcome != "approve":
            continue
        approval = Approval(
            line_id=line.line_id,
            difference=each.to_explain or 0,
            by=by,
            role=role,
            at=at,
            approved=not refuse,
        )
        after = policy.decide(each, why, approval, as_of=today, region=region)
        if after.outcome == "approve":
            for reason in after.grounds.reasons:
                if reason.rule in _OBJECTIONS:
                    refused.setdefault(reason.rule, []).append((line.line_id, reason))
            continue
        names = (line.stocktake_id, line.place, line.gift_id, line.lot_id or "")
        new.append((approval, names))
    if new:
        append_approvals(given, new)
    files["approvals"] = given if given.exists() else None
    held = held_papers(
        chain,
        stocktake,
        at,
        files,
        papers,
        question="count_approval",
        settling_by=by,
        late=late,
    )
    held.findings.extend(_refused(*each) for each in refused.items())
    if unexplained:
        held.findings.append(_unexplained(unexplained))
    done = len(held.done.posted)
    said_en, said_zh = ("refused", "未批准") if refuse else ("approved", "批准")
    return counted_answer(
        held,
        differences_form(held),
        more=[
            *(
                [
                    (
                        f"closed up to the count: {bounded(held.closed)}",
                        f"已关账至盘点时间：{'、'.join(held.closed)}",
                    )
                ]
                if held.closed
                else []
            ),
            (
                f"lines {said_en} now: {len(new):,}; adjustments written: {done:,}",
                f"本次{said_zh} {len(new):,} 行；写入调整 {done:,} 笔",
            ),
        ],
    )


def _refused(rule: str, lines: list[tuple[str, Reason]]) -> Finding:
    """Tell of lines to which somebody's word does not count, and why."""
    names, reason = bounded([line_id for line_id, _ in lines]), lines[0][1]
    return Finding(
        table="count_approvals",
        rule=f"approval-{rule}",
        severity=Severity.ERROR,
        count=len(lines),
        message_en=f"not written, {reason.text_en}: {names}",
        message_zh=f"未写入，{reason.text_zh}：{names}",
    )


def _unexplained(lines: list[str]) -> Finding:
    """Tell of lines of which nothing can be refused yet."""
    return Finding(
        table="count_approvals",
        rule="approval-unexplained",
        severity=Severity.ERROR,
        count=len(lines),
        message_en="not written, the difference is not fully explained yet, and only "
        f"what is explained is approved or refused: {bounded(lines)}",
        message_zh="未写入，差异尚未说明完原因，说明后方可批准或不批准："
        f"{bounded(lines)}",
    )
