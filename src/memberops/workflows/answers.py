"""What the office asked, and the answer: one kind of value for every question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pandas as pd

from memberops.domain import Decision, Finding, Severity
from memberops.domain.values import Language, check_language
from memberops.errors import InvalidValueError, UnknownTableError, nearest
from memberops.policies import ServiceDecision
from memberops.reports import Form, findings_form
from memberops.reports.cells import ReportLanguage
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.form_files import (
    write_form_book,
    write_forms,
    write_refused,
)

__all__ = ["Answer", "AnyDecision"]

AnyDecision = Decision | ServiceDecision
"""A decision for a day, or of a case for a moment."""


def _gathered(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Answer:
    """
    The answer to one question of the office.

    `Chain.expiring`, `Chain.waiver`, `Chain.tiers`, `Chain.premium`, `Chain.audit`,
    `Chain.sla`, `Chain.hard_cases`, `Chain.visits`, `Chain.visit_coverage` and
    `Chain.appointments` all return one.

    Args:
        question: What was asked, such as ``"expiring"``; it names the files.
        titles: The question as people say it, in English and in Chinese.
        chain: Name of the chain.
        as_of: The day for which it was asked, in the chain's zone.
        forms: The forms that answer it, the main one first.
        decisions: The decision of each case, where single cases were asked for.
        lines_en: The answer in a few sentences, in English.
        lines_zh: The same in Chinese.
        findings: Of the sources that were read, of plugins, and of the question.
        tables: What was read.
        language: The chain's, for sentences and lists.
        reveal: Personal columns that the forms show in full.

    >>> from memberops.testing import cards_frame, sales_frame
    >>> from memberops.workflows.chain import Chain
    >>> chain = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-10-03", "S1", "M1", 2, "770.00")]),
    ...     cards=cards_frame([("C1", "M1", "2025-12-01", "2026-11-30")]))
    >>> answer = chain.expiring("2026-10")
    >>> answer
    Answer('expiring', 2026-10-31, forms=1, rows=1, findings=0)
    >>> answer.frame()["missing_spend"].tolist()
    [23000]
    >>> print(answer.explain("zh"))
    2026-11 到期且尚未满足免年费条件的会员卡：1 张
    """

    question: str
    titles: tuple[str, str]
    chain: str
    as_of: dt.date
    forms: tuple[Form, ...] = attrs.field(converter=_gathered)
    decisions: tuple[AnyDecision, ...] = attrs.field(default=(), converter=_gathered)
    lines_en: tuple[str, ...] = attrs.field(converter=_gathered)
    lines_zh: tuple[str, ...] = attrs.field(converter=_gathered)
    findings: tuple[Finding, ...] = attrs.field(converter=_gathered)
    tables: ChainTables
    language: Language
    reveal: tuple[str, ...] = ()

    @property
    def form(self) -> Form:
        """The main form."""
        return self.forms[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the forms, the main one first."""
        return tuple(form.name for form in self.forms)

    def __getitem__(self, name: str) -> Form:
        """
        Return a form by its name.

        Raises:
            UnknownTableError: The answer has no such form; with the nearest.
        """
        for form in self.forms:
            if form.name == name:
                return form
        raise UnknownTableError(
            f"the answer to {self.question!r} has no form {name[:40]!r}; "
            f"{nearest(name[:40], self.names)}"
        )

    def __iter__(self) -> Iterator[Form]:
        """Go through the forms in order."""
        return iter(self.forms)

    def frame(self, name: str | None = None) -> pd.DataFrame:
        """
        Return the rows of a form, of the main one by default; money is in minor units.

        Raises:
            UnknownTableError: See `__getitem__`.
        """
        return (self.form if name is None else self[name]).frame

    @property
    def decision(self) -> AnyDecision:
        """
        The decision, where one case was asked for.

        Raises:
            InvalidValueError: The answer has none, or several.
        """
        if len(self.decisions) != 1:
            raise InvalidValueError(
                f"the answer to {self.question!r} has {len(self.decisions)} decisions: "
                "read '.decisions', or ask for one case"
            )
        return self.decisions[0]

    @property
    def rejects(self) -> dict[str, pd.DataFrame]:
        """By table, the rows that were refused; raw, so perhaps personal."""
        return self.tables.rejects

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding, or None if there is none."""
        found = {finding.severity for finding in self.findings}
        return max(found, key=lambda severity: severity.rank, default=None)

    def title(self, language: Language | None = None) -> str:
        """Write chain, question and day as one line."""
        spoken = check_language(language or self.language)
        english, chinese = self.titles
        said = chinese if spoken == "zh" else english
        return f"{self.chain} {said} {self.as_of}".strip()

    def explain(self, language: Language | None = None) -> str:
        """
        Write the answer in a few sentences, one a line.

        Args:
            language: ``"zh"`` or ``"en"``; the chain's by default.
        """
        spoken = check_language(language or self.language)
        return "\n".join(self.lines_zh if spoken == "zh" else self.lines_en)

    def to_workbook(
        self, path: str | Path, *, language: ReportLanguage = "both"
    ) -> Path:
        """
        Write every form and the findings into one workbook (extra ``excel``).

        Args:
            path: The file, ``….xlsx``; one that exists is replaced.
            language: Of headings and words: ``"zh"``, ``"en"`` or ``"both"``.

        Raises:
            MissingExtraError: xlsxwriter is not installed.
            SourceError: The folder is not there.
            OSError: The file cannot be written.
        """
        return write_form_book(
            [*self.forms, self._findings_page()],
            path,
            as_of=self.as_of,
            language=language,
            titles=(self.title("en"), self.title("zh")),
            private=bool(self.reveal),
        )

    def to_csv(
        self, folder: str | Path, *, language: ReportLanguage | None = None
    ) -> tuple[Path, ...]:
        """
        Write each form as ``<name>.csv``, and the findings as ``findings.csv``.

        Where personal columns are revealed, only the owner may read the files.

        Args:
            folder: Where to; it is made if it is not there.
            language: The chain's by default.

        Raises:
            OSError: A file cannot be written.
        """
        return write_forms(
            [*self.forms, self._findings_page()],
            folder,
            language=language or self.language,
            private=bool(self.reveal),
        )

    def rejects_to_csv(self, folder: str | Path) -> tuple[Path, ...]:
        """
        Write the refused rows of each table that was read; see `MonthEnd`.

        Args:
            folder: Where to; it is made if it is not there.

        Raises:
            SourceError: A file cannot be written.
        """
        return write_refused(self.rejects, folder)

    def _findings_page(self) -> Form:
        return findings_form(self.findings, currency=self.form.currency)

    def __repr__(self) -> str:
        """Name the question and count; never a value."""
        return (
            f"Answer({self.question!r}, {self.as_of}, forms={len(self.forms)}, "
            f"rows={len(self.form.frame)}, findings={len(self.findings)})"
        )
