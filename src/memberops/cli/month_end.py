"""``memberops month-end``: every form of a month."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from memberops.cli.options import ChainFile, FailOn, Language, Reveal, read_day
from memberops.cli.printing import bar, say, shown_findings, status_of

if TYPE_CHECKING:
    from memberops.workflows import MonthEnd, Progress

__all__ = ["month_end"]


def month_end(
    *,
    chain: ChainFile,
    month: Annotated[str, Parameter(help="月份。The month, such as 2026-10.")],
    out: Annotated[Path, Parameter(help="输出文件夹。The folder to write to.")],
    language: Annotated[
        Language | None,
        Parameter(help="摘要和 CSV 的语言，默认取配置。Of summary and CSV files."),
    ] = None,
    as_of: Annotated[
        str | None,
        Parameter(
            help="到期名单的截止日，该月内的一天，如 2026-10-05，默认月末。"
            "Day of the month, such as 2026-10-05, as of which expiring members "
            "are judged; the month's last by default."
        ),
    ] = None,
    reveal: Reveal = None,
    fail_on: Annotated[
        FailOn,
        Parameter(
            help="有此级别及以上的数据问题时退出状态为 1。Exit with 1 if a "
            "finding is of this severity or worse."
        ),
    ] = "never",
    progress: Annotated[
        bool, Parameter(help="显示进度条。Show a progress bar on a terminal.")
    ] = True,
) -> int:
    """生成月末全部报表。Make every form of a month."""
    from memberops.workflows import open_chain

    opened = open_chain(chain)
    spoken: Language = language or opened.language
    with bar(spoken, shown=progress) as told:
        pack = opened.month_end(
            month,
            as_of=None if as_of is None else read_day(as_of),
            reveal=reveal or (),
            progress=told,
        )
        files = _write(pack, out, spoken, told)
    written = "已写出：" if spoken == "zh" else "Written:"
    lines = [pack.summary(spoken), "", *shown_findings(pack.findings, spoken)]
    say([*lines, written, *(f"  {file}" for file in files)])
    return status_of(pack.worst, fail_on)


def _write(
    pack: "MonthEnd", out: Path, language: Language, told: "Progress | None"
) -> list[Path]:
    """Write the workbook, the forms, and the rows that were refused."""
    folder = out / pack.month.label
    if told is not None:
        told("writing", "写出文件", 0, 1)
    folder.mkdir(parents=True, exist_ok=True)
    pack.to_csv(folder, language=language)
    pack.rejects_to_csv(folder / "rejects")
    book = pack.to_workbook(out / f"month-end-{pack.month.label}.xlsx")
    return [book, folder, folder / "rejects"]
