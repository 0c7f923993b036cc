"""What a command prints: tables that fit, CSV and JSON; and the bar while it works."""

import json
import locale
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memberops.cli.options import FailOn, Language
from memberops.cli.wrong_use import FOUND
from memberops.errors import InvalidValueError

if TYPE_CHECKING:
    from memberops.domain import Finding, Severity
    from memberops.reports import Form
    from memberops.workflows import Answer, Progress
    from memberops.workflows.answers import AnyDecision

__all__ = [
    "answer_json",
    "bar",
    "finding_records",
    "form_table",
    "language_of_user",
    "say",
    "shown_findings",
    "status_of",
]

_MOST_FINDINGS = 10
_MOST_ROWS = 50
_WIDEST = 28
_GAP = 2
_NUMERIC = ("integer", "money", "percent", "number")


def say(lines: Sequence[str], *, exact: bool = False) -> None:
    """
    Print; a reader that has seen enough, such as ``head``, is no failure.

    Args:
        lines: What to print.
        exact: Refuse a terminal that cannot show a character; without it, it shows
            question marks.

    Raises:
        InvalidValueError: The terminal cannot show a character of what is exact.
    """
    text = "\n".join(lines)
    encoding = getattr(sys.stdout, "encoding", None)
    if exact and encoding:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            raise InvalidValueError(
                f"this terminal writes {encoding} and would lose characters: give "
                "--out, or send the output to a file, which is UTF-8"
            ) from None
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is still buffered would fail once more when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def language_of_user() -> Language:
    """Return the language of the user's locale: Chinese, or else English."""
    name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


@contextmanager
def bar(language: Language, *, shown: bool) -> "Iterator[Progress | None]":
    """Show a bar on the terminal; where standard error is none, show nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as shown_bar:
        task = shown_bar.add_task("", total=None)

        def tell(step_en: str, step_zh: str, done: int, total: int, /) -> None:
            text = step_zh if language == "zh" else step_en
            shown_bar.update(task, description=text, completed=done, total=total)

        yield tell


def shown_findings(
    findings: "Sequence[Finding]",
    language: Language,
    *,
    filed: bool = True,
    by_out: bool = True,
) -> Iterator[str]:
    """
    Write the worst findings, and where the others are: in a file if it is there.

    What is no more than a remark, such as an encoding, is neither shown nor counted.

    Args:
        findings: What was found.
        language: Of the text.
        filed: Whether they are in a file.
        by_out: Whether the command could have written one.
    """
    from memberops.reports import describe_finding

    serious = sorted(
        (finding for finding in findings if finding.severity.rank > 0),
        key=lambda finding: -finding.severity.rank,
    )
    yield from (describe_finding(each, language) for each in serious[:_MOST_FINDINGS])
    rest = len(serious) - _MOST_FINDINGS
    if rest > 0:
        where_en, where_zh = (
            ("in findings.csv", "见 findings.csv")
            if filed
            else ("with --format json or --out", "用 --format json 或 --out 查看")
            if by_out
            else ("with --format json", "用 --format json 查看")
        )
        yield (
            f"……另有 {rest} 条数据问题，{where_zh}"
            if language == "zh"
            else f"... and {rest} more findings {where_en}"
        )
    yield ""


def status_of(worst: "Severity | None", fail_on: FailOn) -> int:
    """Return the exit status: 1 if the worst finding is as bad as chosen."""
    from memberops.domain import Severity

    if fail_on == "never" or worst is None:
        return 0
    return FOUND if worst.rank >= Severity(fail_on).rank else 0


def form_table(form: "Form", language: Language, *, width: int = 0) -> list[str]:
    """
    Write a form as lines that line up where a Chinese character fills two cells.

    A table that is wider than the terminal leaves out what no row has; if it is still
    too wide, each row is written as a block with one line a column.

    Args:
        form: The form; of a long one the first rows are shown, and how many more.
        language: Of headings and words.
        width: Cells of a line; those of the terminal by default.
    """
    from rich.cells import cell_len

    from memberops.reports import form_texts
    from memberops.reports.form import columns_for

    room = width or shutil.get_terminal_size((120, 24)).columns
    headings, rows = form_texts(form, language=language, most=_MOST_ROWS)
    if not rows:
        return ["（无）" if language == "zh" else "(none)"]
    filled = [at for at in range(len(headings)) if any(row[at] for row in rows)]
    widths = {
        at: max(cell_len(text) for text in (headings[at], *(row[at] for row in rows)))
        for at in range(len(headings))
    }
    shown = list(widths)
    if _total(widths[at] for at in shown) > room:
        shown = filled
    if _total(widths[at] for at in shown) <= room:
        styles = [column.style for column in columns_for(form, language)]
        numeric = {at for at in shown if styles[at] in _NUMERIC}
        lines = _table(headings, rows, {at: widths[at] for at in shown}, numeric)
    elif _total(min(widths[at], _WIDEST) for at in shown) <= room:
        lines = _folded(headings, rows, shown, room)
    else:
        lines = _blocks(headings, rows)
    rest = len(form.frame) - len(rows)
    if rest > 0:
        lines.append(
            f"……另有 {rest:,} 行：用 --format csv 或 --out 取全部"
            if language == "zh"
            else f"... and {rest:,} more rows: --format csv or --out has them all"
        )
    return lines


def _total(widths: Iterable[int]) -> int:
    each = list(widths)
    return sum(each) + _GAP * (len(each) - 1)


def _table(
    headings: tuple[str, ...],
    rows: list[tuple[str, ...]],
    widths: dict[int, int],
    numeric: set[int],
) -> list[str]:
    from rich.cells import cell_len

    def line(cells: tuple[str, ...]) -> str:
        parts = []
        for at, width in widths.items():
            space = " " * (width - cell_len(cells[at]))
            parts.append(space + cells[at] if at in numeric else cells[at] + space)
        return (" " * _GAP).join(parts).rstrip()

    rule = (" " * _GAP).join("-" * width for width in widths.values())
    return [line(headings), rule, *(line(row) for row in rows)]


def _folded(
    headings: tuple[str, ...], rows: list[tuple[str, ...]], shown: list[int], room: int
) -> list[str]:
    """Let rich fold the long cells."""
    import io

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for at in shown:
        table.add_column(headings[at], overflow="fold")
    for row in rows:
        table.add_row(*(row[at] for at in shown))
    text = io.StringIO()
    console = Console(
        file=text, width=room, color_system=None, markup=False, highlight=False,
        emoji=False,
    )  # fmt: skip
    console.print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def _blocks(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Write one block a row; what it does not have is left out."""
    from rich.cells import cell_len

    widest = max(cell_len(heading) for heading in headings)
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"--- {number} ---")
        for heading, text in zip(headings, row, strict=True):
            if text:
                space = " " * (widest - cell_len(heading) + _GAP)
                lines.append(f"{heading}{space}{text}")
    return lines


def _changes(decision: "AnyDecision") -> str | None:
    """Say when the answer can change without new facts: a day, or a moment."""
    for name in ("changes_on", "changes_at"):
        found = getattr(decision, name, None)
        if found is not None:
            return str(found.isoformat())
    return None


def finding_records(
    findings: "Sequence[Finding]", language: Language
) -> list[dict[str, object]]:
    """Write findings as the records of a JSON answer."""
    return [
        {
            "severity": finding.severity.value,
            "table": finding.table,
            "rule": finding.rule,
            "source": finding.source,
            "row": finding.row,
            "column": finding.column,
            "count": finding.count,
            "message": finding.message_zh if language == "zh" else finding.message_en,
        }
        for finding in findings
    ]


def answer_json(answer: "Answer", forms: "Sequence[Form]", language: Language) -> str:
    """Write an answer as JSON: its sentences, decisions, forms and findings."""
    from memberops.reports import form_records

    told = {
        "question": answer.question,
        "title": answer.title(language),
        "chain": answer.chain,
        "as_of": str(answer.as_of),
        "language": language,
        "explanation": answer.explain(language).splitlines(),
        "decisions": [
            {
                "outcome": str(decision.outcome),
                "explanation": decision.explain(language),
                "reasons": [
                    {
                        "rule": reason.rule,
                        "met": reason.met,
                        "text": reason.text(language),
                        "figures": dict(reason.figures),
                    }
                    for reason in decision.reasons
                ],
                "policy": decision.policy,
                "version": decision.version,
                "as_of": decision.as_of.isoformat(),
                "changes": _changes(decision),
            }
            for decision in answer.decisions
        ],
        "forms": [form_records(form, language=language) for form in forms],
        "findings": finding_records(answer.findings, language),
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
