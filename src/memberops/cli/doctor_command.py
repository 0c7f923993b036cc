"""``memberops doctor``: what files and tables are, and the chain file for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from memberops.cli.options import Language
from memberops.cli.printing import language_of_user, say
from memberops.errors import InvalidValueError

if TYPE_CHECKING:
    from memberops.workflows import MappingProposal

__all__ = ["doctor"]


def doctor(
    paths: Annotated[
        list[Path] | None,
        Parameter(
            help="CSV、Excel 文件或文件夹。CSV or Excel files, or folders of them."
        ),
    ] = None,
    /,
    *,
    url: Annotated[
        str | None,
        Parameter(
            help="数据库地址，不含密码，如 sqlite:///till.db。Address of a database "
            "without password."
        ),
    ] = None,
    url_env: Annotated[
        str | None,
        Parameter(
            help="存有数据库地址的环境变量。The environment variable that holds the "
            "address."
        ),
    ] = None,
    password_env: Annotated[
        str | None,
        Parameter(
            help="存有数据库密码的环境变量。The environment variable that holds the "
            "password."
        ),
    ] = None,
    from_: Annotated[
        list[str] | None,
        Parameter(
            name="--from",
            consume_multiple=True,
            negative=(),
            help="数据库中的表或视图，默认全部。Tables or views of the database; all "
            "by default.",
        ),
    ] = None,
    table: Annotated[
        str | None,
        Parameter(help="标准表名，默认自动判断。The table, such as sales; guessed."),
    ] = None,
    chain: Annotated[
        Path | None,
        Parameter(
            help="配置文件：查看 --table 的网络服务首页。A chain file: looks at the "
            "first page of the web service that --table comes from."
        ),
    ] = None,
    name: Annotated[str, Parameter(help="连锁名称。Name of the chain.")] = "我的连锁",
    currency: Annotated[str, Parameter(help="货币代码。Code of the currency.")] = "CNY",
    zone: Annotated[str, Parameter(help="时区。The zone.")] = "Asia/Shanghai",
    language: Annotated[
        Language | None,
        Parameter(help="语言。Language of the comments, and of the chain."),
    ] = None,
    toml: Annotated[
        bool,
        Parameter(negative=(), help="只输出配置文件。Print only the chain file."),
    ] = False,
) -> int:
    """查看文件或数据库并建议配置。Look at files or a database, and propose a file."""
    from memberops.workflows.doctor import propose_mapping
    from memberops.workflows.doctor_proposal import chain_toml
    from memberops.workflows.doctor_series import as_series

    spoken = language or language_of_user()
    if chain is not None:
        if paths or url or url_env or password_env or from_:
            raise InvalidValueError(
                "--chain looks at a web service: ask about files and databases without "
                "it"
            ).in_chinese("--chain 用于查看网络服务：文件或数据库请另行查看")
        return _at_service(chain, table, spoken, toml=toml)
    found_in = _in_database(url, url_env, password_env, from_, table=table)
    if not paths and not found_in:
        raise InvalidValueError(
            "name a file or a folder, or a database: --url-env POS_URL"
        ).in_chinese("请指明文件或文件夹，或用 --url-env 指明数据库")
    proposals = as_series(
        [
            *(
                each
                for path in paths or ()
                for each in propose_mapping(path, table=table)
            ),
            *found_in,
        ],
        home=Path(),
    )
    found = [
        f"# {line}"
        for each in proposals
        for line in [*each.describe(spoken).splitlines(), ""]
    ]
    text = chain_toml(
        proposals,
        name=name,
        currency=currency,
        zone=zone,
        language=spoken,
        # The locale of a terminal is not the language of a chain's lists.
        chain_language=language or "zh",
    )
    say([*([] if toml else found), text.rstrip("\n")], exact=True)
    sold = any(each.table == "sales" and each.likely for each in proposals)
    return 0 if sold and all(each.settled for each in proposals) else 1


def _in_database(
    url: str | None,
    url_env: str | None,
    password_env: str | None,
    names: list[str] | None,
    *,
    table: str | None,
) -> "tuple[MappingProposal, ...]":
    """Look at the database that the options name, if they name one."""
    from memberops.workflows.doctor_database import propose_database

    if url is not None and url_env is not None:
        raise InvalidValueError("give --url or --url-env, not both").in_chinese(
            "--url 与 --url-env 只能给一个"
        )
    if url is None and url_env is None:
        if names or password_env:
            raise InvalidValueError(
                "--from and --password-env are of a database: name it by --url-env"
            ).in_chinese("--from、--password-env 用于数据库：请用 --url-env 指明")
        return ()
    return propose_database(
        {"env": url_env} if url is None else url,
        tables=names or (),
        table=table,
        password=None if password_env is None else {"env": password_env},
    )


def _at_service(chain: Path, table: str | None, spoken: Language, *, toml: bool) -> int:
    """Look at the web service that a table of a chain file comes from."""
    from memberops.workflows.doctor_service import propose_service

    if table is None:
        raise InvalidValueError(
            "say which table of the chain file is meant: --table sales"
        ).in_chinese("请用 --table 指明配置文件中的哪张表，如 --table sales")
    found = propose_service(chain, table)
    for each in found:
        told = (
            [] if toml else [f"# {line}" for line in each.describe(spoken).splitlines()]
        )
        say([*told, each.toml(spoken)], exact=True)
    return 0 if all(each.mapping.settled for each in found) else 1
