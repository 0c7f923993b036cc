"""From an answer to what the command prints and writes."""

import datetime as dt
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from memberops.cli.options import Format, Language, Options, read_day_or_moment
from memberops.cli.printing import (
    answer_json,
    bar,
    form_table,
    say,
    shown_findings,
    status_of,
)

if TYPE_CHECKING:
    from memberops.reports import Form
    from memberops.workflows import Answer, Chain

__all__ = ["give_answer"]

_LONGEST = 40
Ask = Callable[..., "Answer"]


def give_answer(
    options: Options,
    ask: "Callable[[Chain, dict[str, Any]], Answer]",
    *,
    moment: str | None = None,
    **narrowed: str | int | None,
) -> int:
    """
    Open the chain, ask it, print the answer, and write it if a folder is named.

    Args:
        options: What the command was given.
        ask: Takes the chain and what every question takes: ``reveal`` and
            ``progress``.
        moment: The day or moment asked for, where it may be a moment.
        narrowed: What narrows the question, such as a store: it is part of the names
            of the files, so that no narrower answer takes the place of the whole one.

    Returns:
        The exit status.
    """
    from memberops.workflows import open_chain

    chain = open_chain(options.chain)
    spoken: Language = options.language or chain.language
    with bar(spoken, shown=options.progress) as told:
        answer = ask(chain, {"reveal": options.reveal or (), "progress": told})
        forms = answer.forms if options.form is None else (answer[options.form],)
        name = _name(answer, chain.zone, moment, narrowed)
        out = options.out
        files = [] if out is None else _written(answer, out, name, spoken)
    form = options.format or _usual_format(answer, options)
    if form == "json":
        say([answer_json(answer, forms, spoken)], exact=True)
    elif form == "csv":
        from memberops.reports import csv_text

        text = csv_text(forms[0], language=spoken, line_end="\n").rstrip("\n")
        say([text], exact=True)
        # Rows alone do not say what was asked, left out, or wrong.
        found = shown_findings(answer.findings, spoken, filed=bool(files))
        words = [answer.explain(spoken), *_left_out(forms[1:], spoken), *found]
        sys.stderr.write("".join(f"{each}\n" for each in words if each))
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
    return status_of(answer.worst, options.fail_on or "never")


def _left_out(forms: "Sequence[Form]", language: Language) -> list[str]:
    """Name the forms that a file of one table has no room for."""
    if not forms:
        return []
    if language == "zh":
        names = "、".join(f"{each.title_zh} {each.name}" for each in forms)
        return [f"CSV 只含第一张表，未输出：{names}；用 --form 选择，或 --out 写出"]
    names = ", ".join(f"{each.name} ({each.title_en})" for each in forms)
    more = "choose one by --form, or write all by --out"
    return [f"CSV has the first form alone, not: {names}; {more}"]


def _usual_format(answer: "Answer", options: Options) -> Format:
    """A terminal, one case, or files elsewhere: text; a pipe: CSV."""
    wordy = sys.stdout.isatty() or answer.decisions or options.out is not None
    return "table" if wordy else "csv"


def _name(
    answer: "Answer",
    zone: ZoneInfo,
    moment: str | None,
    narrowed: Mapping[str, str | int | None],
) -> str:
    """Name the files: question, day, time of a moment, and what narrows it."""
    parts = [f"{answer.question}-{answer.as_of}"]
    asked = None if moment is None else read_day_or_moment(moment, zone)
    if isinstance(asked, dt.datetime):
        local = asked.astimezone(zone)
        seconds = "%H%M%S" if local.second or local.microsecond else "%H%M"
        parts[0] += f"T{local.strftime(seconds)}"
        parts[0] += f".{local.microsecond:06}" if local.microsecond else ""
        parts[0] += local.strftime("%z")
    parts += [
        f"{word}-{_safe(str(value))}"
        for word, value in narrowed.items()
        if value is not None
    ]
    return "-".join(parts)


def _safe(text: str) -> str:
    """Write an id so that it can name a file, and two ids never the same one."""
    if len(text) > _LONGEST:
        return hashlib.sha256(text.encode()).hexdigest()[:_LONGEST]
    plain = (
        each if each.isalnum() or each in "_." else f"%{ord(each):X}" for each in text
    )
    return "".join(plain)


def _written(answer: "Answer", out: Path, name: str, language: Language) -> list[Path]:
    """Write the workbook, the forms, and the rows that were refused."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    answer.to_csv(folder, language=language)
    answer.rejects_to_csv(folder / "rejects")
    book = answer.to_workbook(out / f"{name}.xlsx")
    return [book, folder, folder / "rejects"]
