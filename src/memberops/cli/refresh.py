"""``memberops refresh``: bring the snapshots of a chain up to date."""

import json
from typing import Annotated, Literal

from cyclopts import Parameter

from memberops.cli.options import ChainFile, FailOn, Language
from memberops.cli.printing import (
    bar,
    finding_records,
    say,
    shown_findings,
    status_of,
)

__all__ = ["refresh"]

_TOLD = ("table", "section", "new", "changed", "gone", "rows", "rejected", "whole")


def refresh(
    *,
    chain: ChainFile,
    table: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True,
            negative=(),
            help="只更新这些表，如 sales members，默认全部。Only these tables; all "
            "that have a snapshot by default.",
        ),
    ] = None,
    whole: Annotated[
        bool,
        Parameter(
            negative=(), help="全量读取。Read the tables whole, not what changed."
        ),
    ] = False,
    allow_loss: Annotated[
        bool,
        Parameter(
            negative=(),
            help="数据变空或减少过半时也更新快照。Take over a table that became empty, "
            "or lost more than half.",
        ),
    ] = False,
    language: Annotated[
        Language | None,
        Parameter(help="语言，默认取配置。Language; the chain's by default."),
    ] = None,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["table", "json"],
        Parameter(
            help="输出格式，json 含全部数据问题。Format; json has every finding."
        ),
    ] = "table",
    fail_on: Annotated[
        FailOn,
        Parameter(
            help="有此级别及以上的数据问题时退出状态为 1。Exit with 1 if a finding "
            "is of this severity or worse."
        ),
    ] = "never",
    progress: Annotated[
        bool, Parameter(help="显示进度条。Show a progress bar on a terminal.")
    ] = True,
) -> int:
    """更新数据源快照。Bring the snapshots of the sources up to date."""
    from memberops.workflows import open_chain

    opened = open_chain(chain)
    spoken: Language = language or opened.language
    with bar(spoken, shown=progress) as told:
        done = opened.refresh(table, whole=whole, allow_loss=allow_loss, progress=told)
    findings = [finding for each in done for finding in each.findings]
    if format == "json":
        record = {
            "chain": opened.name,
            "language": spoken,
            "tables": [{name: getattr(each, name) for name in _TOLD} for each in done],
            "findings": finding_records(findings, spoken),
        }
        say([json.dumps(record, ensure_ascii=False, indent=2)], exact=True)
    else:
        lines = [each.describe(spoken) for each in done]
        more = shown_findings(findings, spoken, filed=False, by_out=False)
        say([*lines, "", *more])
    worst = max(
        (finding.severity for finding in findings),
        key=lambda severity: severity.rank,
        default=None,
    )
    return status_of(worst, fail_on)
