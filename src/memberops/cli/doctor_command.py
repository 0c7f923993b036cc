"""``memberops doctor``: what a file is, and the chain file that would read it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memberops.cli.options import Language
from memberops.cli.printing import language_of_user, say

__all__ = ["doctor"]


def doctor(
    paths: Annotated[
        list[Path],
        Parameter(
            help="CSV、Excel 文件或文件夹。CSV or Excel files, or folders of them."
        ),
    ],
    /,
    *,
    table: Annotated[
        str | None,
        Parameter(help="标准表名，默认自动判断。The table, such as sales; guessed."),
    ] = None,
    name: Annotated[str, Parameter(help="连锁名称。Name of the chain.")] = "我的连锁",
    currency: Annotated[str, Parameter(help="货币代码。Code of the currency.")] = "CNY",
    zone: Annotated[str, Parameter(help="时区。The zone.")] = "Asia/Shanghai",
    language: Annotated[
        Language | None, Parameter(help="语言。Language of the comments.")
    ] = None,
    toml: Annotated[
        bool,
        Parameter(negative=(), help="只输出配置文件。Print only the chain file."),
    ] = False,
) -> int:
    """查看文件并建议配置。Look at files and propose the chain file for them."""
    from memberops.workflows.doctor import propose_mapping
    from memberops.workflows.doctor_proposal import chain_toml
    from memberops.workflows.doctor_series import as_series

    spoken = language or language_of_user()
    proposals = as_series(
        [each for path in paths for each in propose_mapping(path, table=table)],
        home=Path(),
    )
    found = [
        f"# {line}"
        for each in proposals
        for line in [*each.describe(spoken).splitlines(), ""]
    ]
    text = chain_toml(
        proposals, name=name, currency=currency, zone=zone, language=spoken
    )
    say([*([] if toml else found), text.rstrip("\n")], exact=True)
    sold = any(each.table == "sales" and each.likely for each in proposals)
    return 0 if sold and all(each.settled for each in proposals) else 1
