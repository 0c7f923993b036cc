"""Answers to surveys."""

from __future__ import annotations

import attrs

from memberops.tables.people import MEMBER_ID, STORE_ID
from memberops.tables.schema import Column, Kind, Table

__all__ = ["SURVEYS"]

SURVEYS = Table(
    name="surveys",
    title_en="Survey answers",
    title_zh="满意度调查",
    key=("answer_id",),
    columns=(
        Column(
            name="answer_id",
            kind=Kind.ID,
            required=True,
            heading_en="Answer",
            heading_zh="回答编号",
            meaning_en="The answer, unique in the chain.",
            meaning_zh="回答编号，连锁企业内唯一。",
            aliases=("问卷编号", "survey id", "response id"),
        ),
        Column(
            name="question",
            kind=Kind.TEXT,
            required=True,
            heading_en="Question",
            heading_zh="题目",
            meaning_en="What was asked.",
            meaning_zh="调查题目。",
            aliases=("问题", "项目", "item"),
        ),
        Column(
            name="score",
            kind=Kind.INTEGER,
            required=True,
            heading_en="Score",
            heading_zh="评分",
            meaning_en="From 1, the worst, up.",
            meaning_zh="评分，1 为最低。",
            aliases=("得分", "分数", "满意度", "rating"),
        ),
        Column(
            name="answered_on",
            kind=Kind.DATE,
            required=True,
            heading_en="Answered on",
            heading_zh="回答日期",
            meaning_en="Local calendar day.",
            meaning_zh="按门店所在时区的回答日期。",
            aliases=("日期", "调查日期", "date", "survey date"),
        ),
        STORE_ID,
        Column(
            name="staff_id",
            kind=Kind.ID,
            heading_en="Staff",
            heading_zh="员工编号",
            meaning_en="Who gave the service, if known.",
            meaning_zh="提供服务的员工编号（如有）。",
            aliases=("员工", "工号", "店员", "employee", "clerk"),
        ),
        attrs.evolve(
            MEMBER_ID,
            required=False,
            meaning_en="Who answered, or empty if anonymous.",
            meaning_zh="作答会员的编号；匿名则留空。",
        ),
    ),
)
