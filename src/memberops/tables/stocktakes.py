"""Stocktakes that were called, why counts differ, and who approved what."""

from __future__ import annotations

import attrs

from memberops.tables.counts import COUNTS
from memberops.tables.schema import Column, Kind, Table
from memberops.tables.words import YES_NO

__all__ = ["COUNT_APPROVALS", "COUNT_REASONS", "STOCKTAKES"]


def _column(
    name: str,
    kind: Kind,
    headings: tuple[str, str],
    meanings: tuple[str, str],
    aliases: tuple[str, ...] = (),
    *,
    required: bool = False,
    choices: tuple[tuple[str, str], ...] = (),
) -> Column:
    return Column(
        name=name,
        kind=kind,
        heading_en=headings[0],
        heading_zh=headings[1],
        meaning_en=meanings[0],
        meaning_zh=meanings[1],
        aliases=aliases,
        required=required,
        choices=choices,
    )


_LINE = tuple(
    COUNTS.column(name) for name in ("stocktake_id", "place", "gift_id", "lot_id")
)

STOCKTAKES = Table(
    name="stocktakes",
    title_en="Stocktakes",
    title_zh="盘点通知",
    key=("stocktake_id",),
    columns=(
        attrs.evolve(
            COUNTS.column("stocktake_id"),
            meaning_en="The stocktake.",
            meaning_zh="盘点单号。",
        ),
        _column("promotion", Kind.TEXT, ("Promotion", "促销活动"),
            ("The promotion after which it is held.", "盘点所对应的促销活动。"),
            ("活动", "活动名称")),
        _column("ended_on", Kind.DATE, ("Ended on", "截止日期"),
            ("Last local day that the stock table holds: that of the promotion.",
             "账面截止日（含当日），促销盘点为活动最后一日。"),
            ("活动结束日", "账面截止日", "cutoff"), required=True),
        _column("due_on", Kind.DATE, ("Due on", "完成期限"),
            ("Last day that is in time; empty after a promotion is as the policy says.",
             "盘点完成期限；促销盘点留空则按规定天数。"),
            ("期限", "截止完成日", "deadline")),
        _column("places", Kind.TEXT, ("Places", "盘点范围"),
            ("Ids of the places, parted by semicolons; empty is every store.",
             "盘点地点，以分号分隔；空为全部门店。"), ("地点", "范围")),
        _column("blind", Kind.CHOICE, ("Blind", "是否盲盘"),
            ("Whether those who count see no book quantity; empty is no.",
             "是否盲盘；空为否。"), ("盲盘",), choices=YES_NO),
    ),
)  # fmt: skip

COUNT_REASONS = Table(
    name="count_reasons",
    title_en="Reasons for differences",
    title_zh="盘点差异说明",
    columns=(
        *_LINE,
        _column("reason", Kind.ID, ("Reason", "原因代码"),
            ("Code of the reason, such as damaged; the policy knows them.",
             "原因代码，例如 damaged。"), ("原因", "差异原因"), required=True),
        _column("quantity", Kind.INTEGER, ("Quantity", "数量"),
            ("How many of the difference: below 0 for a shortage.",
             "差异数量；盘亏为负数。"), ("差异数量",), required=True),
        _column("by", Kind.ID, ("Explained by", "说明人"),
            ("Who explains it.", "说明人编号。"), ("经办人",)),
        _column("disposition", Kind.TEXT, ("Disposition", "处理意见"),
            ("What is done about it, in words.", "处理意见。"), ("处理", "处理结果")),
    ),
)  # fmt: skip

COUNT_APPROVALS = Table(
    name="count_approvals",
    title_en="Approvals of differences",
    title_zh="盘点差异审批",
    columns=(
        *_LINE,
        _column("difference", Kind.INTEGER, ("Difference", "差异数量"),
            ("The difference that was shown to who decided.", "审批时所见差异数量。"),
            ("差异",), required=True),
        _column("approved_by", Kind.ID, ("Approved by", "审批人"),
            ("Who decided.", "审批人编号。"), ("批准人",), required=True),
        _column("role", Kind.ID, ("Role", "审批角色"),
            ("In which role, such as regional_manager.",
             "审批角色，例如 regional_manager。"), ("角色", "职务"), required=True),
        _column("approved_at", Kind.INSTANT, ("Approved at", "审批时间"),
            ("When.", "审批时刻。"), ("审批日期",), required=True),
        _column("approved", Kind.CHOICE, ("Approved", "是否批准"),
            ("No if it was refused: recount.", "不批准则须复盘。"), ("批准",),
            required=True, choices=YES_NO),
    ),
)  # fmt: skip
