"""The commands, gathered; imported only where the extra ``cli`` is installed."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from cyclopts import App, Parameter

from memberops import __version__
from memberops.cli import member_commands, service_commands
from memberops.cli.doctor_command import doctor
from memberops.cli.gift_commands import gift_app
from memberops.cli.message_commands import message_app
from memberops.cli.month_end import month_end
from memberops.cli.options import Language
from memberops.cli.printing import language_of_user, say
from memberops.cli.refresh import refresh
from memberops.cli.stocktake_commands import stocktake_app
from memberops.cli.tables_command import tables

__all__ = ["application"]

_HELP = """会员运营：办公室的日常问题与月末报表。
The questions of a membership office, and its month end.

退出状态 Exit status:
0 完成 done
1 有达到所选级别的数据问题 findings of the chosen severity
2 用法或数据源错误 wrong use, or a source that cannot be read
"""


@cache
def application() -> Callable[..., Any]:
    """Declare the commands: once, also where a host calls `main` many times."""
    app = App(
        name="memberops", help=_HELP, version=__version__, help_format="plaintext"
    )
    app.command(month_end, name="month-end")
    app.command(refresh)
    for command in (*member_commands.COMMANDS, *service_commands.COMMANDS):
        app.command(command, name=command.__name__)
    app.command(gift_app())
    app.command(stocktake_app())
    app.command(message_app())
    app.command(doctor, name="doctor")
    app.command(tables, name="tables")
    app.command(plugins, name="plugins")
    app["--help"].help = "显示帮助。Show this message and exit."
    app["--version"].help = "显示版本。Show the version and exit."
    done: Callable[..., Any] = app
    return done


def plugins(
    *,
    language: Annotated[
        Language | None, Parameter(help="列表的语言。Language of the list.")
    ] = None,
) -> int:
    """列出插件、适配器及加载失败的原因。List plugins, adapters and failures."""
    from memberops.adapters import load_adapters

    say([load_adapters().describe(language or language_of_user())])
    return 0
