"""Forms of satisfaction and retention (REG §6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from memberops.domain import Currency
from memberops.metrics import (
    RETENTION,
    SATISFACTION,
    MetricPolicy,
    SatisfactionPolicy,
)
from memberops.reports.form import Form, FormColumn
from memberops.reports.forms.columns import count_column, text_column
from memberops.reports.forms.figures import figure_columns, total_columns
from memberops.reports.forms.places import (
    PLACE_COLUMNS,
    by_place,
    place_columns,
    store_columns,
    with_place_names,
    with_stores,
)
from memberops.reports.forms.rows import check_given, figures_line, form_rows

__all__ = ["retention_form", "satisfaction_form"]


def satisfaction_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: SatisfactionPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 满意度统计表 (REG §6).

    Args:
        frame: What `memberops.metrics.satisfaction` returned, grouped in any way.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        reveal: No column of it is personal.
        policy: What counts as satisfied.
        as_of: The last day of answers.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: *reveal* names a column.
    """
    policy = policy or SatisfactionPolicy()
    groups: list[FormColumn] = []
    rows = frame
    if "store_id" in frame:
        rows = with_stores(frame, stores)
        groups += store_columns(stores)
    if "staff_id" in frame:
        groups.append(text_column("staff_id", "Staff", "员工编号"))
    if "question" in frame:
        groups.append(text_column("question", "Question", "题目"))
    columns = (
        PLACE_COLUMNS[2],
        *groups,
        count_column("answers", "Answers", "回答数"),
        count_column("satisfied", "Satisfied answers", "满意的回答数"),
        count_column("out_of_scale", "Out of scale", "超出评分范围"),
        *figure_columns(SATISFACTION),
    )
    check_given(rows, "satisfaction", [column.name for column in columns])
    english, chinese = figures_line(
        f"Satisfied from {policy.satisfied_from} of {policy.highest}",
        f"{policy.satisfied_from} 分及以上为满意（满分 {policy.highest} 分）",
        as_of,
    )
    return Form(
        name="satisfaction",
        title_en="Satisfaction",
        title_zh="满意度统计表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(english, "Scores out of scale are not counted."),
        notes_zh=(chinese, "超出评分范围的回答不计入。"),
        revealed=tuple(reveal),
    )


def retention_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: MetricPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 会员保留分析表 (REG §6).

    Args:
        frame: What `memberops.metrics.retention` returned.
        stores: ``store_id`` and ``name``, to name the stores.
        reveal: No column of it is personal.
        policy: The policy that it was given.
        as_of: The last day of sales.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: *reveal* names a column.
    """
    policy = policy or MetricPolicy()
    columns = (
        *place_columns(stores),
        *total_columns(["consuming_members", "consuming_members_previous"], policy),
        count_column("retained_members", "Bought in both periods", "两期均消费会员数"),
        count_column("repeat_members", "Bought twice or more", "两次及以上消费会员数"),
        *figure_columns(RETENTION),
    )
    rows = by_place(with_place_names(frame, stores))
    check_given(rows, "retention", [column.name for column in columns])
    english, chinese = figures_line(
        "Counted against the period before", "与上一期间比较统计", as_of
    )
    return Form(
        name="retention",
        title_en="Retention of members",
        title_zh="会员保留分析表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=policy.currency,
        notes_en=(
            english,
            "Members are counted anew at each level, so stores do not add up.",
        ),
        notes_zh=(chinese, "各层级分别去重统计会员，门店之和不等于区域或连锁。"),
        revealed=tuple(reveal),
    )
