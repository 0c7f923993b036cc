"""
The ``memberops`` command: thin, it prints what the library returns.

Exit status: 0; 1 if there are findings of a chosen severity; 2 for wrong use, with
one line that says what was wrong.
"""

import datetime as dt
import locale
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from memberops import __version__
from memberops.errors import InvalidValueError, MemberOpsError, MissingExtraError

if TYPE_CHECKING:
    from memberops.domain import Finding
    from memberops.workflows import MonthEnd, Progress

__all__ = ["main"]

_Language = Literal["zh", "en"]
_FailOn = Literal["info", "warning", "error", "never"]

_FOUND, _WRONG_USE = 1, 2
_MOST_FINDINGS = 10

_HELP = """会员运营月末报表。Membership operations for retail chains.

退出状态 Exit status:
0 完成 done
1 有达到所选级别的数据问题 findings of the chosen severity
2 用法或数据源错误 wrong use, or a source that cannot be read
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: What follows the command's name; that of the process if None.

    Returns:
        The exit status.

    >>> main(["--version"])
    0.1.0
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show Chinese shows question marks, no traceback.
            stream.reconfigure(errors="replace")
    # A broken plugin is in the findings; its traceback belongs in a log.
    logging.getLogger("memberops").addHandler(logging.NullHandler())
    try:
        import cyclopts
        import rich  # noqa: F401 - the bar needs it, and says so late
    except ImportError:
        return _wrong(MissingExtraError("the command / 命令行", "cli"))
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = _application(cyclopts)(
            given, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except (MemberOpsError, cyclopts.CycloptsError) as error:
        return _wrong(error)
    except OSError as error:
        return _wrong(f"{error.filename or ''}: {error.strerror or error}".strip(": "))
    return status if isinstance(status, int) else 0


def _wrong(error: object) -> int:
    """Say what was wrong: its kind in Chinese, and the details as they were told."""
    kind = next((text for name, text in _KINDS if _is_a(error, name)), "用法有误")
    place = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    sys.stderr.write(f"错误 error: {kind} {place}{error}\n")
    return _WRONG_USE


def _is_a(error: object, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


_KINDS = (
    ("MissingArgumentError", "缺少必需的选项。"),
    ("MissingExtraError", "缺少可选依赖包。"),
    ("ConfigurationError", "配置文件有误。"),
    ("MissingColumnsError", "数据缺少必需的列。"),
    ("ColumnTypeError", "列的数据类型不对。"),
    ("SourceError", "数据源无法读取或文件无法写入。"),
    ("ScheduleError", "月份或日期有误。"),
    ("AdapterConflictError", "两个插件的适配器重名。"),
    ("PluginError", "插件出错。"),
    ("UnknownAdapterError", "没有这个适配器。"),
    ("UnknownTableError", "没有这张表。"),
    ("InvalidValueError", "选项的值不对。"),
    ("UnknownOptionError", "没有这个选项。"),
    ("UnknownCommandError", "没有这个命令。"),
    ("CoercionError", "选项的值不对。"),
    ("str", "文件无法读写。"),
)
"""By the kind of an error, the first that fits: what it means in Chinese."""


def _day(text: str) -> dt.date:
    """Read a day as the help says it is written."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(
            f"--as-of takes a day of the month, written as 2026-10-05, "
            f"not {text[:40]!r}"
        ) from None


def _say(lines: Sequence[str]) -> None:
    """Print; a reader that has seen enough, such as ``head``, is no failure."""
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # What is still buffered would fail once more when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _application(cyclopts: Any) -> Callable[..., Any]:
    """Declare the commands; only now is it known that cyclopts is there."""
    app = cyclopts.App(
        name="memberops", help=_HELP, version=__version__, help_format="plaintext"
    )
    named = cyclopts.Parameter

    def month_end(
        *,
        chain: Annotated[
            Path, named(help="连锁配置文件。The chain file, such as chain.toml.")
        ],
        month: Annotated[str, named(help="月份。The month, such as 2026-10.")],
        out: Annotated[Path, named(help="输出文件夹。The folder to write to.")],
        language: Annotated[
            _Language | None,
            named(help="摘要和 CSV 的语言，默认取配置。Of summary and CSV files."),
        ] = None,
        as_of: Annotated[
            str | None,
            named(
                help="到期名单的截止日，该月内的一天，如 2026-10-05，默认月末。"
                "Day of the month, such as 2026-10-05, as of which expiring members "
                "are judged; the month's last by default."
            ),
        ] = None,
        reveal: Annotated[
            list[str] | None,
            named(
                consume_multiple=True,
                negative=(),
                help="不掩码的个人信息列。Personal columns to show: name phone.",
            ),
        ] = None,
        fail_on: Annotated[
            _FailOn,
            named(
                help="有此级别及以上的数据问题时退出状态为 1。Exit with 1 if a "
                "finding is of this severity or worse."
            ),
        ] = "never",
        progress: Annotated[
            bool, named(help="显示进度条。Show a progress bar on a terminal.")
        ] = True,
    ) -> int:
        """生成月末全部报表。Make every form of a month."""
        from memberops.workflows import open_chain

        opened = open_chain(chain)
        spoken: _Language = language or opened.language
        with _bar(spoken, shown=progress) as told:
            pack = opened.month_end(
                month,
                as_of=None if as_of is None else _day(as_of),
                reveal=reveal or (),
                progress=told,
            )
            files = _write(pack, out, spoken, told)
        written = "已写出：" if spoken == "zh" else "Written:"
        lines = [pack.summary(spoken), "", *_shown_findings(pack.findings, spoken)]
        _say([*lines, written, *(f"  {file}" for file in files)])
        return _status(pack, fail_on)

    def plugins(
        *,
        language: Annotated[
            _Language | None, named(help="列表的语言。Language of the list.")
        ] = None,
    ) -> int:
        """列出插件、适配器及加载失败的原因。List plugins, adapters and failures."""
        from memberops.adapters import load_adapters

        _say([load_adapters().describe(language or _language_of_user())])
        return 0

    app.command(month_end, name="month-end")
    app.command(plugins, name="plugins")
    app["--help"].help = "显示帮助。Show this message and exit."
    app["--version"].help = "显示版本。Show the version and exit."
    done: Callable[..., Any] = app
    return done


def _language_of_user() -> _Language:
    name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


@contextmanager
def _bar(language: _Language, *, shown: bool) -> "Iterator[Progress | None]":
    """Show a bar on the terminal; where standard error is none, show nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(step_en: str, step_zh: str, done: int, total: int, /) -> None:
            text = step_zh if language == "zh" else step_en
            bar.update(task, description=text, completed=done, total=total)

        yield tell


def _write(
    pack: "MonthEnd", out: Path, language: _Language, told: "Progress | None"
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


def _shown_findings(
    findings: "Sequence[Finding]", language: _Language
) -> Iterator[str]:
    """Write the worst findings, and where the others are."""
    from memberops.reports import describe_finding

    serious = sorted(
        (finding for finding in findings if finding.severity.rank > 0),
        key=lambda finding: -finding.severity.rank,
    )
    yield from (describe_finding(each, language) for each in serious[:_MOST_FINDINGS])
    rest = len(findings) - min(len(serious), _MOST_FINDINGS)
    if rest:
        yield (
            f"……另有 {rest} 条，见 findings.csv"
            if language == "zh"
            else f"... and {rest} more in findings.csv"
        )
    yield ""


def _status(pack: "MonthEnd", fail_on: _FailOn) -> int:
    from memberops.domain import Severity

    if fail_on == "never" or pack.worst is None:
        return 0
    return _FOUND if pack.worst.rank >= Severity(fail_on).rank else 0
