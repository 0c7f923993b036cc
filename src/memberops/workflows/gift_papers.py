"""Applications for gifts and the answers to them, kept in a file of papers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import (
    Decision,
    Finding,
    GiftApplication,
    GiftApproval,
    Severity,
)
from memberops.errors import InvalidValueError, UnknownTableError, bounded, nearest
from memberops.ledger.flow_state import application_states
from memberops.policies import Approver, read_applications
from memberops.reports.forms.gifts import gift_application_form
from memberops.tables import GIFT_APPLICATIONS
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.count_papers import regions_of
from memberops.workflows.form_files import keep_private
from memberops.workflows.gift_questions import ask_ledger
from memberops.workflows.inquiry import Inquiry

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["Papers", "apply_for_gifts", "approve_gifts", "papers_of"]

_NAMES = GIFT_APPLICATIONS.names
_ANSWER = ("approved", "approved_by", "approved_at")


class Papers(NamedTuple):
    """One application as the chain's papers have it."""

    application: GiftApplication
    approval: GiftApproval | None
    frame: pd.DataFrame
    findings: list[Finding]


def papers_of(
    chain: Chain,
    application_id: str,
    *,
    file: str | Path | None = None,
    tables: ChainTables | None = None,
) -> Papers:
    """
    Find an application, and its answer if it has one.

    Args:
        chain: The chain.
        application_id: Its number.
        file: CSV file of applications; by default the chain's source.
        tables: What was read, of the chain's source.

    Raises:
        InvalidValueError: There is no such application.
        UnknownTableError: There is neither a file nor a source.
        SourceError: The file cannot be read.
    """
    findings: list[Finding] = []
    if file is not None:
        read = read_csv(
            file, GIFT_APPLICATIONS, currency=chain.currency, zone=chain.zone
        )
        frame = read.frame
        findings += read.findings
    else:
        if tables is None or "gift_applications" not in tables:
            tables = chain.read(only=("gift_applications",))
        if "gift_applications" not in tables:
            raise UnknownTableError(
                "no applications are given (礼品申请单): name a file with "
                "--applications, or add [sources.gift_applications]"
            )
        frame = tables["gift_applications"]
    asked, answers, found = read_applications(frame)
    mine = [each for each in asked if each.application_id == application_id]
    if not mine:
        known = [each.application_id for each in asked]
        raise InvalidValueError(
            f"there is no application {bounded([application_id])}; "
            f"{nearest(application_id[:40], known)}"
        )
    answer = [each for each in answers if each.application_id == application_id]
    rows = (frame["application_id"] == application_id).to_numpy(bool)
    return Papers(
        mine[0],
        answer[0] if answer else None,
        frame[rows].reset_index(drop=True),
        [*findings, *found],
    )


def apply_for_gifts(
    chain: Chain,
    application: GiftApplication,
    *,
    applications: str | Path,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Add an application to the file of applications, 礼品申请单 (HQ §8).

    It is on disk when this returns; asked again, it is not written twice.

    Args:
        chain: The chain; a method of it.
        application: What is asked.
        applications: CSV file with the headings of `memberops.tables`; one is made if
            it is not there. One process writes to it at a time.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_application``, of one row.

    Raises:
        InvalidValueError: That number stands for another application, or the file has
            other headings.
        UnknownGiftError: No such gift.
        UnknownPlaceError: No such store.
        OSError: The file cannot be written.
    """
    asked, findings, moment = _ask(chain, application.applied_at, tables, progress)
    with chain.ledger(tables=asked.tables) as ledger:
        ledger.rules.check_gift(application.gift_id, "any")
        ledger.rules.check_scope(application.place)
    path, name = Path(applications), application.application_id
    rows = _rows(path)
    before = [row for row in rows if row["application_id"] == name]
    line = (f"application {name} written", f"已写入申请单 {name}")
    if before:
        known = papers_of(chain, name, file=path).application
        if known != application:
            raise InvalidValueError(
                f"the application {bounded([name])} is there with other contents: "
                "a new application takes a new number"
            )
        line = (f"application {name} was there before", f"申请单 {name} 已存在")
    else:
        _write(path, [*rows, _row_of(application)])
    return _answer(asked, name, path, moment, lines=[line], findings=findings)


def approve_gifts(
    chain: Chain,
    application_id: str,
    *,
    approved: int,
    approver: Approver,
    at: dt.datetime,
    applications: str | Path,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Answer an application in full, in part or with 0, if the approver may (HQ §7).

    The answer is on disk when this returns; given again, it is not written twice.

    Args:
        chain: The chain; a method of it.
        application_id: Its number.
        approved: How many are granted; 0 refuses.
        approver: Who answers, in which role, and what for.
        at: Aware instant of the answer.
        applications: The file that holds it; see `apply_for_gifts`.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_application`` and the decision. Where the
        approver may not give that answer, nothing is written, and it is an error
        finding.

    Raises:
        InvalidValueError: No such application, more is granted than asked, it was
            answered otherwise before, or the file has other headings.
        OSError: The file cannot be written.
    """
    asked, findings, moment = _ask(chain, at, tables, progress)
    path = Path(applications)
    rows = _rows(path)
    papers = papers_of(chain, application_id, file=path)
    application = papers.application
    with chain.ledger(tables=asked.tables) as ledger:
        gift = ledger.rules.gift(application.gift_id)
    decision = chain.policies.gift_approval.decide(
        application,
        approved=approved,
        approver=approver,
        as_of=asked.as_of,
        region_id=regions_of(asked.stores).get(application.store_id),
        unit_value=None if gift is None else gift.unit_value,
    )
    said = (decision.explain("en"), decision.explain("zh"))
    told: dict[str, Any] = {
        "lines": [said],
        "findings": findings,
        "decisions": (decision,),
    }
    if decision.outcome == "not_entitled":
        findings.append(
            Finding(
                table="gift_applications",
                rule="approval-not-entitled",
                severity=Severity.ERROR,
                message_en=f"the answer was not written: {said[0]}",
                message_zh=f"审批未写入：{said[1]}",
            )
        )
        return _answer(asked, application_id, path, moment, **told)
    approval = GiftApproval(
        application_id=application_id,
        approved=approved,
        approved_by=approver.staff_id,
        approved_at=at,
    )
    approval.check(application)
    if papers.approval is not None and papers.approval != approval:
        raise InvalidValueError(
            f"the application {bounded([application_id])} was answered before: "
            f"{papers.approval.approved} by {bounded([papers.approval.approved_by])}"
        )
    if papers.approval is None:
        given = {
            "approved": str(approved),
            "approved_by": approver.staff_id,
            "approved_at": approval.approved_at.isoformat(),
        }
        _write(
            path,
            [
                row | given if row["application_id"] == application_id else row
                for row in rows
            ],
        )
    return _answer(asked, application_id, path, moment, **told)


def _ask(
    chain: Chain,
    at: dt.datetime,
    tables: ChainTables | None,
    progress: Progress | None,
) -> tuple[Inquiry, list[Finding], dt.datetime]:
    return ask_ledger(
        chain,
        "gift_application",
        ("application for gifts", "礼品申请"),
        as_of=at,
        tables=tables,
        progress=progress,
    )


def _answer(
    asked: Inquiry,
    name: str,
    path: Path,
    moment: dt.datetime,
    *,
    lines: list[tuple[str, str]],
    findings: list[Finding],
    decisions: tuple[Decision, ...] = (),
) -> Answer:
    chain = asked.chain
    papers = papers_of(chain, name, file=path)
    with chain.ledger(tables=asked.tables) as ledger:
        names = {each.gift_id: each.name for each in ledger.rules.gifts or ()}
        states = application_states(
            papers.frame,
            ledger.movements(),
            as_of=moment,
            rules=chain.policies.gift_flow,
        )
    form = gift_application_form(
        states, stores=asked.stores, zone=chain.zone, names=names
    )
    return asked.answer(
        form,
        lines=lines,
        findings=[*findings, *papers.findings],
        decisions=decisions,
    )


def _row_of(application: GiftApplication) -> dict[str, str]:
    facts = {name: getattr(application, name, "") for name in _NAMES}
    return {name: str(facts[name]) for name in _NAMES} | {
        "purpose": application.purpose.value,
        "applied_at": application.applied_at.isoformat(),
    }


def _rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of the file as they are written."""
    if not path.exists() or not path.stat().st_size:
        return []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(_NAMES):
            raise InvalidValueError(
                f"applications are added to a file with the headings "
                f"{','.join(_NAMES)}: name another file, or one that is not there yet"
            )
        rows = list(reader)
    if any(None in row or None in row.values() for row in rows):
        raise InvalidValueError(
            f"a row of {bounded([path.name])} has too many or too few cells: mend it "
            "before anything is added"
        )
    return rows


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    """Put a new file in the place of the old one, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    new = path.with_name(f"{path.name}.new")
    keep_private(new)
    with new.open("w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
