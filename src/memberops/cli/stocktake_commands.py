"""``memberops stocktake``: sheets, differences, approvals, summaries."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from memberops.cli.answering import give_answer
from memberops.cli.gift_options import (
    Late,
    Moment,
    day_or_moment,
    only_progress,
    role_word,
    strict,
)
from memberops.cli.options import AsOf, Options, read_moment

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["stocktake_app"]

Stocktake = Annotated[str, Parameter(help="盘点单号。Id of the stocktake.")]
Counts = Annotated[
    Path | None,
    Parameter(help="盘点表 CSV，默认取配置。Counts; the chain's source by default."),
]
Reasons = Annotated[
    Path | None,
    Parameter(help="差异说明 CSV，默认取配置。Reasons; the chain's by default."),
]
Approvals = Annotated[
    Path | None,
    Parameter(help="差异审批 CSV，默认取配置。Approvals; the chain's by default."),
]


def sheet(
    options: Options,
    *,
    stocktake: Stocktake,
    as_of: AsOf,
    place: Annotated[
        str | None, Parameter(help="只出该处的盘点表。Only the sheet of this place.")
    ] = None,
) -> int:
    """打印盘点表。Count sheets from the books as of the cut-off."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.count_sheets(
            stocktake,
            as_of=day_or_moment(as_of, chain),
            place=place,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=as_of, stocktake=stocktake, place=place)


def count(
    file: Annotated[Path, Parameter(help="交回的盘点表 CSV。The counts that came in.")],
    options: Options,
    *,
    stocktake: Stocktake,
    as_of: AsOf,
) -> int:
    """核对交回的盘点表。Check a count sheet that came back; nothing is written."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.count_differences(
            stocktake,
            as_of=day_or_moment(as_of, chain),
            counts=file,
            **only_progress(given),
        )

    return give_answer(
        options, ask, moment=as_of, stocktake=stocktake, counts=file.stem
    )


def differences(
    options: Options,
    *,
    stocktake: Stocktake,
    as_of: AsOf,
    counts: Counts = None,
    reasons: Reasons = None,
    approvals: Approvals = None,
) -> int:
    """列出差异、原因、审批与调整。Differences: reasons, approvals, adjustments."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.count_differences(
            stocktake,
            as_of=day_or_moment(as_of, chain),
            counts=counts,
            reasons=reasons,
            approvals=approvals,
            **only_progress(given),
        )

    return give_answer(
        options,
        ask,
        moment=as_of,
        stocktake=stocktake,
        **_stems(counts=counts, reasons=reasons, approvals=approvals),
    )


def approve(
    options: Options,
    *,
    stocktake: Stocktake,
    by: Annotated[str, Parameter(help="审批人编号。Who decides.")],
    role: Annotated[
        str, Parameter(help="审批角色，如 regional_manager、区域经理。The role.")
    ],
    at: Moment,
    approvals: Annotated[
        Path,
        Parameter(help="差异审批 CSV，追加写入。Approvals are added to this file."),
    ],
    counts: Counts = None,
    reasons: Reasons = None,
    place: Annotated[
        str | None, Parameter(help="只审批该处。Only lines of this place.")
    ] = None,
    refuse: Annotated[
        bool, Parameter(negative=(), help="不批准，须复盘。Refuse: recount.")
    ] = False,
    late: Late = False,
) -> int:
    """审批已说明原因的差异并调整账面。Approve explained differences, and adjust."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        policy = chain.policies.stocktake
        return chain.approve_counts(
            stocktake,
            by=by,
            role=role_word(role, (*policy.roles, *policy.warehouse_roles)),
            at=read_moment(at, chain.zone, option="--at"),
            approvals=approvals,
            counts=counts,
            reasons=reasons,
            place=place,
            refuse=refuse,
            late=late,
            **only_progress(given),
        )

    return give_answer(
        strict(options),
        ask,
        moment=at,
        stocktake=stocktake,
        by=by,
        place=place,
        **_stems(counts=counts, reasons=reasons),
    )


def summary(
    options: Options,
    *,
    stocktake: Stocktake,
    as_of: AsOf,
    counts: Counts = None,
    reasons: Reasons = None,
    approvals: Approvals = None,
) -> int:
    """按门店、区域、连锁汇总，列明迟交缺交。Sums, and who is late or missing."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.count_summaries(
            stocktake,
            as_of=day_or_moment(as_of, chain),
            counts=counts,
            reasons=reasons,
            approvals=approvals,
            **only_progress(given),
        )

    return give_answer(
        options,
        ask,
        moment=as_of,
        stocktake=stocktake,
        **_stems(counts=counts, reasons=reasons, approvals=approvals),
    )


def _stems(**files: Path | None) -> dict[str, str | None]:
    """Name files that were given, for the names of what is written from them."""
    return {name: None if file is None else file.stem for name, file in files.items()}


_COMMANDS: tuple[tuple[str, Callable[..., int]], ...] = (
    ("sheet", sheet),
    ("count", count),
    ("differences", differences),
    ("approve", approve),
    ("summary", summary),
)


def stocktake_app() -> App:
    """Declare the commands of stocktakes."""
    app = App(
        name="stocktake",
        help="礼品盘点：盘点表、差异、审批、汇总。Stocktakes of gifts.",
        help_format="plaintext",
    )
    for name, command in _COMMANDS:
        app.command(command, name=name)
    return app
