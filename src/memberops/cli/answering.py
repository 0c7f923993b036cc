"""From an answer to what the command prints and writes."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memberops.cli.options import Format, Language, Options
from memberops.cli.printing import (
    answer_json,
    bar,
    form_table,
    say,
    shown_findings,
    status_of,
)

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["give_answer"]

Ask = Callable[..., "Answer"]


def give_answer(
    options: Options, ask: "Callable[[Chain, dict[str, Any]], Answer]"
) -> int:
    """
    Open the chain, ask it, print the answer, and write it if a folder is named.

    Args:
        options: What the command was given.
        ask: Takes the chain and what every question takes: ``reveal`` and
            ``progress``.

    Returns:
        The exit status.
    """
    from memberops.workflows import open_chain

    chain = open_chain(options.chain)
    spoken: Language = options.language or chain.language
    with bar(spoken, shown=options.progress) as told:
        answer = ask(chain, {"reveal": options.reveal or (), "progress": told})
        forms = answer.forms if options.form is None else (answer[options.form],)
        files = [] if options.out is None else _written(answer, options.out, spoken)
    form = options.format or _usual_format(answer, options)
    if form == "json":
        say([answer_json(answer, forms, spoken)])
    elif form == "csv":
        from memberops.reports import csv_text

        say([csv_text(forms[0], language=spoken, line_end="\n").rstrip("\n")])
    else:
        lines = [answer.title(spoken), answer.explain(spoken), ""]
        for each in forms:
            lines += [f"【{each.title_zh}】" if spoken == "zh" else each.title_en]
            lines += [*form_table(each, spoken), ""]
        lines += shown_findings(answer.findings, spoken, filed=bool(files))
        if files:
            lines.append("已写出：" if spoken == "zh" else "Written:")
            lines += [f"  {file}" for file in files]
        say(lines)
    return status_of(answer.worst, options.fail_on)


def _usual_format(answer: "Answer", options: Options) -> Format:
    """A terminal, one case, or files elsewhere: text; a pipe: CSV."""
    wordy = sys.stdout.isatty() or answer.decisions or options.out is not None
    return "table" if wordy else "csv"


def _written(answer: "Answer", out: Path, language: Language) -> list[Path]:
    """Write the workbook, the forms, and the rows that were refused."""
    name = f"{answer.question}-{answer.as_of}"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    answer.to_csv(folder, language=language)
    answer.rejects_to_csv(folder / "rejects")
    book = answer.to_workbook(out / f"{name}.xlsx")
    return [book, folder, folder / "rejects"]
