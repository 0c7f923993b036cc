"""Stocktakes from end to end: sheets, differences, approvals, summaries (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import attrs
import pandas as pd

from memberops.domain import CountState, Finding, Stocktake
from memberops.errors import InvalidValueError, bounded
from memberops.ledger import Settlement, count_sheet, settle
from memberops.policies.stocktake_calls import stocktake_notice, stocktake_standing
from memberops.policies.stocktake_report import count_report, count_summary
from memberops.reports import Form
from memberops.reports.forms.counts import (
    count_report_form,
    count_sheet_form,
    count_summary_form,
)
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_calls import called
from memberops.workflows.count_force import (
    COUNT_TABLES,
    closable,
    close_counted,
    counts_in_force,
)
from memberops.workflows.count_papers import (
    CountPapers,
    read_papers,
    regions_of,
)
from memberops.workflows.gift_questions import ask_ledger
from memberops.workflows.inquiry import Inquiry

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = [
    "HeldStocktake",
    "count_differences",
    "count_sheets",
    "count_summaries",
    "counted_answer",
    "differences_form",
    "held_papers",
    "stocktake_tables",
]

File = str | Path | None


class HeldStocktake(NamedTuple):
    """A question about a stocktake, with its papers."""

    asked: Inquiry
    stocktake: Stocktake
    papers: CountPapers
    findings: list[Finding]
    moment: dt.datetime
    done: Settlement
    closed: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()


def count_sheets(
    chain: Chain,
    stocktake: str,
    *,
    as_of: dt.date | dt.datetime,
    place: str | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Make the count sheets of a stocktake from the books as of its cut-off.

    Args:
        chain: The chain; a method of it.
        stocktake: Its id in the table of stocktakes.
        as_of: The day of the sheet, or an aware moment: not before the cut-off.
        place: Only the sheet of this place.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``store_count_sheet`` and ``warehouse_count_sheet``,
        as far as the stocktake counts there.

    Raises:
        InvalidValueError: No such stocktake, no ledger, or no such place in it.
        UnknownTableError: There is no source of stocktakes.
    """
    asked, findings, _ = ask_ledger(
        chain,
        "count_sheet",
        ("count sheet", "盘点表"),
        as_of=as_of,
        tables=stocktake_tables(chain, tables, progress),
    )
    (session,) = called(asked, stocktake)
    if place is not None:
        if place not in session.places:
            raise InvalidValueError(
                f"the stocktake {bounded([stocktake])} does not count "
                f"{bounded([place])}; it counts {bounded(session.places)}"
            )
        session = attrs.evolve(session, places=[place])
    with chain.ledger(tables=asked.tables) as ledger:
        gifts = ledger.rules.gifts or ()
        names = {each.gift_id: each.name for each in gifts}
        frame = count_sheet(ledger, session)
    kinds = [
        kind
        for kind in ("store", "warehouse")
        if any(each.split(":")[0] == kind for each in session.places)
    ]
    forms = [
        count_sheet_form(frame, session, kind=kind, zone=chain.zone, names=names)  # type: ignore[arg-type]
        for kind in kinds
    ]
    notice = stocktake_notice(session, zone=chain.zone)
    return asked.answer(
        *forms, lines=[(notice.text("en"), notice.text("zh"))], findings=findings
    )


def count_differences(
    chain: Chain,
    stocktake: str,
    *,
    as_of: dt.date | dt.datetime,
    counts: File = None,
    reasons: File = None,
    approvals: File = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Compare what was counted with the books, each line at its own moment.

    Args:
        chain: The chain; a method of it.
        stocktake: Its id in the table of stocktakes.
        as_of: The day, or an aware moment: what is counted later is not known yet.
        counts: CSV file of counts; by default the chain's source of counts.
        reasons: CSV file of reasons; likewise.
        approvals: CSV file of approvals; likewise.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``count_differences``, one row a line, and a
        decision for each line that is not settled and not in agreement.

    Raises:
        InvalidValueError: No such stocktake, or no ledger.
        UnknownTableError: Stocktakes or counts have no source.
        SourceError: A file cannot be read.
    """
    files = {"counts": counts, "reasons": reasons, "approvals": approvals}
    tables = stocktake_tables(chain, tables, progress)
    held = held_papers(
        chain, stocktake, as_of, files, tables, question="count_differences"
    )
    return counted_answer(held, differences_form(held))


def count_summaries(
    chain: Chain,
    stocktake: str,
    *,
    as_of: dt.date | dt.datetime,
    counts: File = None,
    reasons: File = None,
    approvals: File = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Add a stocktake up by store, region and chain, and name the late and missing.

    Args:
        chain: The chain; a method of it.
        stocktake: Its id in the table of stocktakes.
        as_of: The day, or an aware moment.
        counts: See `count_differences`.
        reasons: See `count_differences`.
        approvals: See `count_differences`.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``store_count_summary``, and, where the warehouse is
        counted, ``warehouse_count_report``.

    Raises:
        InvalidValueError: No such stocktake, or no ledger.
        UnknownTableError: Stocktakes or counts have no source.
    """
    files = {"counts": counts, "reasons": reasons, "approvals": approvals}
    tables = stocktake_tables(chain, tables, progress)
    held = held_papers(chain, stocktake, as_of, files, tables, question="count_summary")
    report = _report(held)
    regions = regions_of(held.asked.stores)
    standing = stocktake_standing(
        held.stocktake,
        held.papers.lines,
        as_of=held.asked.as_of,
        zone=chain.zone,
    )
    summary = count_summary(report, standing=standing, regions=regions)
    stores = held.asked.stores
    named: dict[str, str] = {}
    if stores is not None and "name" in stores:
        named = dict(zip(stores["store_id"], stores["name"].fillna(""), strict=True))
    forms = [
        count_summary_form(
            summary, standing=standing.places, currency=chain.currency, names=named
        )
    ]
    if any(each.split(":")[0] == "warehouse" for each in held.stocktake.places):
        forms.append(
            count_report_form(
                report,
                zone=chain.zone,
                kind="warehouse",
                currency=chain.currency,
                gifts=_gift_names(held),
            )
        )
    behind = [
        ("late", "迟交", standing.late),
        ("missing", "缺交", standing.missing),
        ("counted in part", "未盘全", standing.incomplete),
    ]
    lines = [
        (f"{english}: {', '.join(places)}", f"{chinese}：{'、'.join(places)}")
        for english, chinese, places in behind
        if places
    ]
    return counted_answer(held, *forms, more=lines)


def stocktake_tables(
    chain: Chain, tables: ChainTables | None, progress: Progress | None
) -> ChainTables:
    """Read what a stocktake needs, if it was not read before."""
    return (
        chain.read(only=COUNT_TABLES, progress=progress) if tables is None else tables
    )


def held_papers(
    chain: Chain,
    stocktake: str,
    as_of: dt.date | dt.datetime,
    files: dict[str, str | Path | None],
    tables: ChainTables,
    *,
    question: str,
    settling_by: str | None = None,
    late: bool = False,
) -> HeldStocktake:
    """
    Hold the papers of a stocktake against the books.

    Args:
        chain: The chain.
        stocktake: Its id in the table of stocktakes.
        as_of: The day, or an aware moment.
        files: See `read_papers`.
        tables: What was read.
        question: What is asked; it names the files of the answer.
        settling_by: Who has the books follow what is in force, and closes the places
            of which nothing is open; None: nobody.
        late: Whether adjustments may enter a closed period, knowingly.
    """
    asked, findings, moment = ask_ledger(
        chain, question, ("stocktake", "礼品盘点"), as_of=as_of, tables=tables
    )
    (session,) = called(asked, stocktake)
    policy, regions = chain.policies.stocktake, regions_of(asked.stores)
    done = Settlement()
    closed: tuple[str, ...] = ()
    with chain.ledger(tables=asked.tables) as ledger:
        papers = read_papers(asked, ledger, session, as_of=moment, files=files)
        if settling_by is not None:
            force = counts_in_force(asked, ledger, as_of=moment, own=papers)
            done = settle(ledger, force, late=late)
            papers = read_papers(asked, ledger, session, as_of=moment, files=files)
            closed = close_counted(
                ledger,
                papers,
                policy,
                as_of=asked.as_of,
                regions=regions,
                by=settling_by,
            )
        ready = tuple(
            place
            for each in closable(
                ledger, papers, policy, as_of=asked.as_of, regions=regions
            )
            for place in each.places
        )
    read = {**asked.tables.results, **papers.results}
    asked = attrs.evolve(asked, tables=ChainTables(read))
    findings += [each for each in papers.findings if each not in asked.tables.findings]
    findings += done.findings
    return HeldStocktake(asked, session, papers, findings, moment, done, closed, ready)


def _report(held: HeldStocktake) -> pd.DataFrame:
    papers = held.papers
    return count_report(
        papers.differences,
        [each for found in papers.explanations.values() for each in found],
        papers.approvals.values(),
        as_of=held.asked.as_of,
        regions=regions_of(held.asked.stores),
        policy=held.asked.policies.stocktake,
    )


def differences_form(held: HeldStocktake) -> Form:
    """List the lines with their reasons, approval and adjustment."""
    chain = held.asked.chain
    return count_report_form(
        _report(held),
        zone=chain.zone,
        currency=chain.currency,
        gifts=_gift_names(held),
    )


def _gift_names(held: HeldStocktake) -> dict[str, str]:
    gifts = held.asked.tables.get("gifts")
    if gifts is None or "name" not in gifts:
        return {}
    return dict(zip(gifts["gift_id"], gifts["name"].fillna(""), strict=True))


def counted_answer(
    held: HeldStocktake, *forms: Form, more: Iterable[tuple[str, str]] = ()
) -> Answer:
    """Say how many rows were read and what they say, then what is special."""
    papers = held.papers
    states = [each.state for each in papers.differences]
    read = papers.rows_read
    sums = (read, papers.accepted, read - papers.accepted)
    counts = [
        states.count(state)
        for state in (
            CountState.AGREE,
            CountState.SURPLUS,
            CountState.SHORTAGE,
            CountState.NOT_COUNTED,
        )
    ]
    english = "rows read {:,} = accepted {:,} + rejected {:,}"
    chinese = "读取 {:,} 行 = 接收 {:,} + 拒收 {:,}"
    lines = [
        (english.format(*sums), chinese.format(*sums)),
        (
            "lines that agree {:,}, surplus {:,}, shortage {:,}, not counted "
            "{:,}".format(*counts),
            "相符 {:,} 行，盘盈 {:,} 行，盘亏 {:,} 行，未盘 {:,} 行".format(*counts),
        ),
    ]
    if held.ready:
        english = "nothing is open at {}: close them up to the count by approve"
        chinese = "{} 已无待处理行：请执行 approve 关账至盘点时间"
        lines.append(
            (english.format(bounded(held.ready)), chinese.format("、".join(held.ready)))
        )
    return held.asked.answer(*forms, lines=[*lines, *more], findings=held.findings)
