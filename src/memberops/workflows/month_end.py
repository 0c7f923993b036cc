"""The month end: every form of a month, its findings, and the files of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.values import Language, check_language
from memberops.errors import UnknownTableError, nearest
from memberops.reports import Form, describe_finding, findings_form, summary_lines
from memberops.reports.cells import ReportLanguage
from memberops.schedules import Period
from memberops.tables import table as table_named
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.checks import CHAIN_WIDE, run_checks
from memberops.workflows.form_files import (
    revealed_columns,
    write_form_book,
    write_forms,
    write_refused,
)
from memberops.workflows.month_findings import (
    absent_forms,
    assumed_findings,
    plugin_findings,
)
from memberops.workflows.month_forms import MonthWork
from memberops.workflows.month_gift_forms import GIFT_STEPS, has_ledger
from memberops.workflows.month_message_forms import MESSAGE_STEPS, has_outbox
from memberops.workflows.month_office_forms import booking_findings
from memberops.workflows.month_steps import FORM_STEPS
from memberops.workflows.run_month import calendar_month, day_of_month

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["MonthEnd", "make_month_end"]


def _gathered(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MonthEnd:
    """
    What a month end gives: forms, findings, and the rows that were refused.

    Args:
        chain: Name of the chain.
        month: The month.
        as_of: The day as of which expiring members were judged.
        forms: The forms that could be made, in order; the page of findings and the
            working come last.
        findings: Of the sources, of the checks, and about forms that are absent.
        tables: What was read.
        language: The chain's, for summaries and lists.
        reveal: Personal columns that the forms show in full.

    >>> from memberops.testing import sales_frame
    >>> from memberops.workflows.chain import Chain
    >>> chain = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-10-03", "S1", "M1", 2, "39.80")]))
    >>> pack = chain.month_end("2026-10")
    >>> pack
    MonthEnd('2026-10', forms=7, findings=9)
    >>> pack.names
    ('consumption_level', 'spending_power', 'lapse', 'lapsed_members', ...)
    >>> pack["demographics"]
    Traceback (most recent call last):
        ...
    memberops.errors.UnknownTableError: the form 'demographics' needs a source of ...
    """

    chain: str
    month: Period
    as_of: dt.date
    forms: tuple[Form, ...] = attrs.field(converter=_gathered)
    findings: tuple[Finding, ...] = attrs.field(converter=_gathered)
    tables: ChainTables
    language: Language
    reveal: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the forms."""
        return tuple(form.name for form in self.forms)

    def __getitem__(self, name: str) -> Form:
        """
        Return a form by its name.

        Raises:
            UnknownTableError: No form has that name, or a source for it is absent.
        """
        for form in self.forms:
            if form.name == name:
                return form
        for step in GIFT_STEPS:
            if step.name == name:
                raise UnknownTableError(
                    f"the form {name!r} needs a gift ledger ([ledger])"
                    + "".join(f" and a source of {each}" for each in step.needs)
                    + ", with something for it in the month"
                )
        for step in MESSAGE_STEPS:
            if step.name == name:
                raise UnknownTableError(
                    f"the form {name!r} needs an outbox ([outbox]), with a batch of "
                    "the month in it"
                )
        for step in FORM_STEPS:
            if step.name == name:
                raise UnknownTableError(
                    f"the form {name!r} needs a source of {' and '.join(step.needs)}"
                )
        raise UnknownTableError(
            f"no form is called {name[:40]!r}; {nearest(name[:40], self.names)}"
        )

    def __iter__(self) -> Iterator[Form]:
        """Go through the forms in order."""
        return iter(self.forms)

    def frame(self, name: str) -> pd.DataFrame:
        """
        Return the rows of a form; money is in minor units.

        Raises:
            UnknownTableError: See `__getitem__`.
        """
        return self[name].frame

    @property
    def rejects(self) -> dict[str, pd.DataFrame]:
        """By table, the rows that were refused; raw, so perhaps personal."""
        return self.tables.rejects

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding, or None if there is none."""
        found = {finding.severity for finding in self.findings}
        return max(found, key=lambda severity: severity.rank, default=None)

    def to_workbook(
        self, path: str | Path, *, language: ReportLanguage = "both"
    ) -> Path:
        """
        Write every form into one workbook (extra ``excel``).

        Where personal columns are revealed, only the owner may read it.

        Args:
            path: The file, ``….xlsx``; one that exists is replaced.
            language: Of headings and words: ``"zh"``, ``"en"`` or ``"both"``.

        Raises:
            MissingExtraError: xlsxwriter is not installed.
            SourceError: The folder is not there.
            OSError: The file cannot be written.
        """
        return write_form_book(
            self.forms,
            path,
            as_of=self.as_of,
            language=language,
            titles=(
                f"{self.chain} {self.month} month end".strip(),
                f"{self.chain} {self.month} 月末报表".strip(),
            ),
            private=bool(self.reveal),
        )

    def to_csv(
        self, folder: str | Path, *, language: ReportLanguage | None = None
    ) -> tuple[Path, ...]:
        """
        Write each form as ``<name>.csv``.

        The folder then holds the forms of this month end only: a form that an earlier
        one left there and this one does not have is removed; other files stay. Where
        personal columns are revealed, only the owner may read the files.

        Args:
            folder: Where to; it is made if it is not there.
            language: The chain's by default.

        Raises:
            OSError: A file cannot be written.
        """
        return write_forms(
            self.forms,
            folder,
            language=language or self.language,
            private=bool(self.reveal),
            known=(step.name for step in FORM_STEPS),
        )

    def rejects_to_csv(self, folder: str | Path) -> tuple[Path, ...]:
        """
        Write the refused rows of each table as ``<table>-rejects.csv``.

        The rows are raw and may be personal: only the owner may read the files. A
        table without any gets a file with headings alone, and the file of a table
        that has no source any more is removed.

        Args:
            folder: Where to; it is made if it is not there.

        Raises:
            SourceError: A file cannot be written.
        """
        return write_refused(self.rejects, folder)

    def summary(self, language: Language | None = None) -> str:
        """
        Write what was read, the main figures and the findings, for a terminal.

        Args:
            language: The chain's by default.
        """
        spoken = check_language(language or self.language)
        chinese = spoken == "zh"
        head = [
            f"{self.chain} {self.month} 月末报表"
            if chinese
            else f"{self.chain} {self.month} month end",
            "",
        ]
        for name in self.tables:
            result = self.tables.results[name]
            table = table_named(name)
            more = ""
            if result.replaced:
                more = f"，被替换 {result.replaced:,}"
                more = more if chinese else f", {result.replaced:,} replaced"
            head.append(
                f"{table.title_zh}：读取 {result.rows_read:,} 行，"
                f"接收 {result.accepted:,}，拒收 {result.rejected:,}{more}"
                if chinese
                else f"{table.title_en}: {result.rows_read:,} rows read, "
                f"{result.accepted:,} accepted, {result.rejected:,} rejected{more}"
            )
        for finding in self.findings:
            if finding.rule in CHAIN_WIDE:
                head[1:1] = [describe_finding(finding, spoken)]
        lines = [line.strip() for line in head]
        return "\n".join([*lines, "", *summary_lines(self.forms, spoken)])

    def __repr__(self) -> str:
        """Name the month and count; never a value."""
        return (
            f"MonthEnd({self.month.label!r}, forms={len(self.forms)}, "
            f"findings={len(self.findings)})"
        )


def make_month_end(
    chain: Chain,
    month: str | Period,
    *,
    tables: ChainTables | None = None,
    as_of: dt.date | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> MonthEnd:
    """Make every form of a month; see `memberops.workflows.Chain.month_end`."""
    period = calendar_month(month)
    day = day_of_month(period, as_of)
    shown_columns = revealed_columns(reveal)
    reading = len(chain.sources) if tables is None else 0
    whole = reading + 2 + len(FORM_STEPS)

    def tell(step_en: str, step_zh: str, done: int, _of_part: int = 0, /) -> None:
        if progress is not None:
            progress(step_en, step_zh, done, whole)

    if tables is None:
        tables = chain.read(progress=tell)
    tell("checking the tables", "核对各表", reading)
    checked = run_checks(tables, period)
    findings = [
        *(each for each in checked if each.rule in CHAIN_WIDE),
        *plugin_findings(chain.registry),
        *tables.findings,
        *(each for each in checked if each.rule not in CHAIN_WIDE),
        *assumed_findings(tables),
    ]
    work = MonthWork(
        chain=chain,
        tables=tables,
        month=period,
        as_of=day,
        reveal=shown_columns,
    )
    tell("counting", "统计", reading + 1)
    _ = work.measures
    without = () if has_ledger(work) else GIFT_STEPS
    without += () if has_outbox(work) else MESSAGE_STEPS
    steps = tuple(step for step in FORM_STEPS if step not in without)
    forms: list[Form] = []
    for done, step in enumerate(FORM_STEPS, start=reading + 2):
        tell(step.title_en, step.title_zh, done)
        made = None
        if step in steps and all(name in tables for name in step.needs):
            made = step.make(work)
        forms += [] if made is None else [made]
    work.note(booking_findings(work))
    findings += [each for each in work.found if each not in findings]
    findings += absent_forms(steps, tables)
    tell("", "", whole)
    page = findings_form(findings, currency=chain.currency)
    *shown, working = forms
    return MonthEnd(
        chain=chain.name,
        month=period,
        as_of=day,
        forms=[*shown, page, working],
        findings=findings,
        tables=tables,
        language=chain.language,
        reveal=shown_columns,
    )
