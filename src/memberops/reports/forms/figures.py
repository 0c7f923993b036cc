"""Forms of the figures: consumption level, demographics, spending power, lapse."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from memberops.metrics import (
    LAPSE,
    SPENDING_POWER,
    Figure,
    MetricPolicy,
    base_heading,
    consumption_figures,
    demographic_figures,
)
from memberops.reports.form import Chart, ChartKind, Form, FormColumn
from memberops.reports.forms.drawing import (
    Drawn,
    check_drawn,
    compared_rows,
    summary_rows,
)
from memberops.reports.forms.places import by_place, place_columns, with_place_names
from memberops.reports.forms.rows import returns_note

__all__ = [
    "consumption_level_form",
    "demographics_form",
    "figure_columns",
    "lapse_form",
    "spending_power_form",
    "total_columns",
]

_MONEY = ("sales", "member_sales", "chain_member_sales", "target")


def total_columns(
    names: Sequence[str], policy: MetricPolicy | None = None
) -> tuple[FormColumn, ...]:
    """Return the columns of base figures, whose names and headings are known."""
    columns = []
    for name in names:
        english, chinese = base_heading(name, policy)
        stem = name.removesuffix("_previous").removesuffix("_year_before")
        columns.append(
            FormColumn(
                name=name,
                heading_en=english,
                heading_zh=chinese,
                style="money" if stem in _MONEY else "integer",
            )
        )
    return tuple(columns)


def figure_columns(figures: Sequence[Figure]) -> tuple[FormColumn, ...]:
    """Return the columns of figures, and last the one that says what is undefined."""
    english, chinese = base_heading("undefined")
    return (
        *(
            FormColumn(
                name=figure.name,
                heading_en=figure.heading_en,
                heading_zh=figure.heading_zh,
                style=figure.style,
            )
            for figure in figures
        ),
        FormColumn(
            name="undefined", heading_en=english, heading_zh=chinese, style="reasons"
        ),
    )


def _chart(
    drawn: Drawn,
    kind: ChartKind,
    titles: tuple[str, str],
    columns: Sequence[str],
    *,
    series: bool,
) -> Chart:
    return Chart(
        kind=kind,
        title_en=titles[0],
        title_zh=titles[1],
        series="rows" if series else "columns",
        columns=tuple(columns),
        label=drawn.label,
        first=drawn.first,
        last=drawn.last,
    )


def _over_rows(
    frame: pd.DataFrame,
    draw: str | None,
    titles: tuple[str, str],
    columns: Sequence[str],
) -> tuple[Chart, ...]:
    """Draw columns over the periods of the chain, or over the first stores."""
    drawn = compared_rows(frame, draw)
    if drawn is None or not drawn.several:
        return ()
    kind: ChartKind = "line" if drawn.label == "period" else "column"
    return (_chart(drawn, kind, titles, columns, series=False),)


def _across(
    frame: pd.DataFrame,
    draw: str | None,
    titles: tuple[str, str],
    columns: Sequence[str],
) -> tuple[Chart, ...]:
    """Draw the figures of the chain side by side."""
    drawn = summary_rows(frame, draw)
    if drawn is None:
        return ()
    return (_chart(drawn, "column", titles, columns, series=True),)


def _rows(
    frame: pd.DataFrame,
    stores: pd.DataFrame | None,
    draw: str | None,
    *,
    largest_first: str | None = None,
) -> pd.DataFrame:
    """Name the stores, sort by place, and refuse a period that is not there."""
    rows = by_place(with_place_names(frame, stores), largest_first=largest_first)
    check_drawn(rows, draw)
    return rows


def _form(
    rows: pd.DataFrame,
    titles: tuple[str, str, str],
    columns: tuple[Sequence[str], Sequence[Figure]],
    *,
    stores: pd.DataFrame | None,
    policy: MetricPolicy,
    charts: tuple[Chart, ...],
    notes_en: tuple[str, ...],
    notes_zh: tuple[str, ...],
) -> Form:
    """Make a form of base figures and of the ratios that are made of them."""
    totals, figures = columns
    return Form(
        name=titles[0],
        title_en=titles[1],
        title_zh=titles[2],
        columns=(
            *place_columns(stores),
            *total_columns(totals, policy),
            *figure_columns(figures),
        ),
        frame=rows,
        currency=policy.currency,
        charts=charts,
        notes_en=(*notes_en, returns_note(policy)[0]),
        notes_zh=(*notes_zh, returns_note(policy)[1]),
    )


def consumption_level_form(
    frame: pd.DataFrame,
    *,
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
    draw: str | None = None,
) -> Form:
    """
    Make the form 会员消费水平分析表 (HQ §5.1).

    Args:
        frame: What `memberops.metrics.consumption_level` returned.
        policy: The policy that it was given; it names the bands.
        stores: ``store_id`` and ``name``, to name the stores.
        draw: Label of the only period that the charts show; all of them by default.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: No row is of the period *draw*.
    """
    policy = policy or MetricPolicy()
    figures = consumption_figures(policy)
    rows = _rows(frame, stores, draw)
    counts = [f"members_{band}" for band in policy.band_names]
    return _form(
        rows,
        ("consumption_level", "Consumption level of members", "会员消费水平分析表"),
        (["valid_members", "consuming_members", *counts], figures),
        stores=stores,
        policy=policy,
        charts=(
            *_across(
                rows,
                draw,
                ("Consuming members by spending band", "消费会员消费金额分布"),
                [figure.name for figure in figures[1:]],
            ),
            *_over_rows(
                rows,
                draw,
                ("Consuming-member share", "消费会员占比"),
                ["consuming_member_share"],
            ),
        ),
        notes_en=(
            "A band includes its lower bound and not its upper one.",
            f"Bands are in {policy.currency.code}.",
            "Members are counted anew at each level, so stores do not add up.",
        ),
        notes_zh=(
            "消费区间含下限、不含上限。",
            f"消费区间的金额单位：{policy.currency.unit_zh}。",
            "各层级分别去重统计会员，门店之和不等于区域或连锁。",
        ),
    )


def demographics_form(
    frame: pd.DataFrame,
    *,
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
    draw: str | None = None,
) -> Form:
    """
    Make the form 消费会员性别年龄分析表 (HQ §5.2).

    Args:
        frame: What `memberops.metrics.demographics` returned.
        policy: The policy that it was given; it names the age bands.
        stores: ``store_id`` and ``name``, to name the stores.
        draw: Label of the only period that the charts show; all of them by default.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: No row is of the period *draw*.
    """
    policy = policy or MetricPolicy()
    names = [*policy.gender_names, *policy.age_names]
    rows = _rows(frame, stores, draw)
    return _form(
        rows,
        (
            "demographics",
            "Gender and age of consuming members",
            "消费会员性别年龄分析表",
        ),
        (
            ["consuming_members", *(f"members_{name}" for name in names)],
            demographic_figures(policy),
        ),
        stores=stores,
        policy=policy,
        charts=(
            *_across(
                rows,
                draw,
                ("Consuming members by age", "消费会员年龄分布"),
                [f"share_{name}" for name in policy.age_names],
            ),
            *_across(
                rows,
                draw,
                ("Consuming members by gender", "消费会员性别分布"),
                [f"share_{name}" for name in policy.gender_names],
            ),
        ),
        notes_en=("Age is in completed years on the last day of the period.",),
        notes_zh=("年龄按期末最后一天的周岁计算。",),
    )


def spending_power_form(
    frame: pd.DataFrame,
    *,
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
    draw: str | None = None,
) -> Form:
    """
    Make the form 会员消费力分析表 with the fourteen figures (HQ §5.3).

    The stores of a period come in the order of their sales, the largest first.

    Args:
        frame: What `memberops.metrics.spending_power` returned.
        policy: The policy that it was given.
        stores: ``store_id`` and ``name``, to name the stores.
        draw: Label of the only period that the charts show; all of them by default.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: No row is of the period *draw*.
    """
    policy = policy or MetricPolicy()
    stems = ["sales", "tickets", "items", "member_sales", "member_tickets",
             "member_items", "consuming_members"]  # fmt: skip
    totals = ["target", *(stem + suffix for stem in stems for suffix in _SUFFIXES)]
    rows = _rows(frame, stores, draw, largest_first="sales")
    names = [figure.name for figure in SPENDING_POWER]
    return _form(
        rows,
        ("spending_power", "Spending power of members", "会员消费力分析表"),
        (totals, SPENDING_POWER),
        stores=stores,
        policy=policy,
        charts=(
            *_across(
                rows,
                draw,
                (
                    "Sales: target, growth and member share",
                    "销售额：达成、增长与会员占比",
                ),
                names[:6],
            ),
            *_across(
                rows,
                draw,
                ("Member tickets: growth and share", "会员客单：增长与占比"),
                names[7:12],
            ),
            *_over_rows(
                rows, draw, ("Member average ticket value", "会员客单价"), [names[6]]
            ),
            *_over_rows(
                rows,
                draw,
                ("Purchase frequency and attach rate", "会员消费频率与连带率"),
                names[12:],
            ),
        ),
        notes_en=(
            f"Amounts in {policy.currency.code}, net of returns.",
            "YoY compares with the same period a year before.",
        ),
        notes_zh=(
            f"金额单位：{policy.currency.unit_zh}，已扣除退货。",
            "同比与去年同期比较，环比与上期比较。",
        ),
    )


_SUFFIXES = ("", "_previous", "_year_before")


def lapse_form(
    frame: pd.DataFrame,
    *,
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
    draw: str | None = None,
) -> Form:
    """
    Make the form 会员流失分析表 with the flows that the net hides (HQ §5.4).

    Args:
        frame: What `memberops.metrics.lapse` returned.
        policy: The policy that it was given.
        stores: ``store_id`` and ``name``, to name the stores.
        draw: Label of the only period that the charts show; all of them by default.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: No row is of the period *draw*.
    """
    policy = policy or MetricPolicy()
    flows = ["lapsed_at_start", "newly_lapsed", "won_back", "left", "lapsed_at_end"]
    title = ("Lapsed members and flows", "流失会员及其变动")
    rows = _rows(frame, stores, draw)
    return _form(
        rows,
        ("lapse", "Lapse of members", "会员流失分析表"),
        (["valid_members", *flows, "net_lapse"], LAPSE),
        stores=stores,
        policy=policy,
        charts=(
            *_across(rows, draw, title, flows),
            *_over_rows(rows, draw, ("Lapse rate", "流失率"), ["lapse_rate"]),
        ),
        notes_en=(
            f"Lapsed: no purchase in {policy.lapse_months} calendar months.",
            "Who never bought counts from the enrolment.",
            "Lapsed at the end = lapsed at the start + newly lapsed - won back - left.",
            "A rate below zero: more were won back or left than newly lapsed.",
        ),
        notes_zh=(
            f"流失：连续 {policy.lapse_months} 个月未消费。",
            "从未消费的会员自入会日起算。",
            "期末流失 = 期初流失 + 新增流失 - 挽回 - 退出。",
            "流失率为负：挽回与退出的人数之和多于新增流失。",
        ),
    )
