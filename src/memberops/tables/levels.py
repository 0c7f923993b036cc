"""Levels that members hold, and those that a person has set."""

from __future__ import annotations

from memberops.tables.people import MEMBER_ID
from memberops.tables.schema import Column, Kind, Table
from memberops.tables.words import YES_NO

__all__ = ["LEVELS"]

LEVELS = Table(
    name="levels",
    title_en="Levels held",
    title_zh="会员等级台账",
    key=("member_id",),
    columns=(
        MEMBER_ID,
        Column(
            name="level",
            kind=Kind.ID,
            heading_en="Level held",
            heading_zh="现有等级",
            meaning_en="The level by the rules, as the last decision left it; a name "
            "of the chain's levels.",
            meaning_zh="按规则评定的现有等级，用本企业等级的名称。",
            aliases=("会员等级", "等级", "当前等级", "level", "tier"),
        ),
        Column(
            name="since",
            kind=Kind.DATE,
            heading_en="Held since",
            heading_zh="等级起始日期",
            meaning_en="The day on which it was reached.",
            meaning_zh="达到该等级的日期。",
            aliases=("定级日期", "等级生效日期", "held since", "level since"),
        ),
        Column(
            name="reviewed_on",
            kind=Kind.DATE,
            heading_en="Reviewed on",
            heading_zh="上次复核日期",
            meaning_en="The last day on which it was reviewed, if it was.",
            meaning_zh="上次复核等级的日期（如有）。",
            aliases=("复核日期", "last review"),
        ),
        Column(
            name="floor",
            kind=Kind.ID,
            heading_en="Floor",
            heading_zh="保底等级",
            meaning_en="A level below which the member never falls, if there is one.",
            meaning_zh="会员不会低于的等级（如有）。",
            aliases=("最低等级", "lowest level"),
        ),
        Column(
            name="manual_level",
            kind=Kind.ID,
            heading_en="Level set by hand",
            heading_zh="人工等级",
            meaning_en="A level that a person has set: it stands while it is in force.",
            meaning_zh="人工设定的等级，在有效期内以此为准。",
            aliases=("人工设定等级", "手工等级", "manual level"),
        ),
        Column(
            name="manual_since",
            kind=Kind.DATE,
            heading_en="By hand from",
            heading_zh="人工等级起始日",
            meaning_en="Its first day.",
            meaning_zh="人工等级的第一天。",
            aliases=("人工等级生效日", "manual from"),
        ),
        Column(
            name="manual_until",
            kind=Kind.DATE,
            heading_en="By hand until",
            heading_zh="人工等级截止日",
            meaning_en="Its last day, included; empty if it has no end.",
            meaning_zh="人工等级的最后一天（含当天）；空为长期有效。",
            aliases=("人工等级到期日", "manual until"),
        ),
        Column(
            name="manual_floor",
            kind=Kind.CHOICE,
            choices=YES_NO,
            heading_en="At least this",
            heading_zh="可高于人工等级",
            meaning_en="yes: the member may have a higher level meanwhile.",
            meaning_zh="是：期间按规则可高于人工等级。",
            aliases=("仅作保底", "manual is floor"),
        ),
        Column(
            name="reason",
            kind=Kind.TEXT,
            heading_en="Reason",
            heading_zh="设定原因",
            meaning_en="Why it was set by hand, in words that name no person.",
            meaning_zh="人工设定的原因，不含人名。",
            aliases=("原因", "人工设定原因"),
        ),
        Column(
            name="actor",
            kind=Kind.ID,
            heading_en="Set by",
            heading_zh="设定人编号",
            meaning_en="Id of who set it: a staff id, not a name.",
            meaning_zh="设定人的员工编号，不是姓名。",
            aliases=("设定人", "操作人", "操作人编号", "set by"),
        ),
    ),
)
