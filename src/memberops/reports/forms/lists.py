"""Forms that list stores and members: ranking, lapsed members, expiring members."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from memberops.metrics import RANKING, MetricPolicy
from memberops.policies import FeeWaiver, TierPolicy
from memberops.reports.form import Chart, Form, FormColumn
from memberops.reports.forms.columns import text_column
from memberops.reports.forms.drawing import check_drawn
from memberops.reports.forms.figures import figure_columns, total_columns
from memberops.reports.forms.membership import tier_terms
from memberops.reports.forms.places import (
    UNASSIGNED,
    ids,
    looked_up,
    same_column,
    store_columns,
    with_stores,
)
from memberops.reports.forms.rows import check_given, returns_note, with_profiles
from memberops.reports.forms.words import VISIT_CHANNELS
from memberops.tables import CARDS, MEMBERS

__all__ = ["expiring_members_form", "lapsed_members_form", "store_ranking_form"]

_DRAWN_STORES = 10
_PROFILE = ("name", "phone")
_MONTH = FormColumn(name="month", heading_en="Month", heading_zh="月份", style="text")


def store_ranking_form(
    frame: pd.DataFrame,
    *,
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
    draw: str | None = None,
) -> Form:
    """
    Make the form 门店会员消费排行 (HQ §2.2, §5).

    Args:
        frame: What `memberops.metrics.store_ranking` returned.
        policy: The policy that it was given.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        draw: Label of the period that the chart shows; the last one by default.

    Raises:
        MissingColumnsError: The frame lacks a column, or *stores* its id.
        InvalidValueError: No row is of the period *draw*.
    """
    policy = policy or MetricPolicy()
    rows = frame.rename(columns={"key": "store_id"}).drop(columns="level")
    rows = with_stores(rows, stores)
    places = store_columns(stores)
    names = ["period", "rank", "rank_previous", "rank_change"]
    sums = ["member_sales", "member_sales_previous", "sales", "chain_member_sales"]
    period, *ranks = total_columns(names)
    check_drawn(rows, draw)
    return Form(
        name="store_ranking",
        title_en="Stores ranked by member sales",
        title_zh="门店会员消费排行",
        columns=(
            FormColumn(
                name="period",
                heading_en=period.heading_en,
                heading_zh=period.heading_zh,
                style="text",
            ),
            ranks[0],
            *places,
            *total_columns(sums),
            *figure_columns(RANKING)[:-1],
            *ranks[1:],
            figure_columns(RANKING)[-1],
        ),
        frame=rows,
        currency=policy.currency,
        charts=_best_stores(rows, draw),
        notes_en=(
            "Equal stores share a rank; a positive change is a rise.",
            returns_note(policy)[0],
        ),
        notes_zh=(
            "销售额相同的门店名次并列；名次变化为正表示上升。",
            returns_note(policy)[1],
        ),
    )


def _best_stores(rows: pd.DataFrame, draw: str | None) -> tuple[Chart, ...]:
    if rows.empty:
        return ()
    period = rows["period"].iloc[-1] if draw is None else draw
    shown = [at for at, each in enumerate(rows["period"]) if each == period]
    first, *_, last = shown[:1] + shown[:_DRAWN_STORES]
    named = "store_name" in rows and rows["store_name"][first : last + 1].notna().all()
    return (
        Chart(
            kind="bar",
            title_en="Stores with the highest member sales",
            title_zh="会员销售额居前的门店",
            series="columns",
            columns=("member_sales",),
            label="store_name" if named else "store_id",
            first=first,
            last=last,
        ),
    )


def lapsed_members_form(
    frame: pd.DataFrame,
    *,
    members: pd.DataFrame | None = None,
    stores: pd.DataFrame | None = None,
    policy: MetricPolicy | None = None,
    reveal: Collection[str] = (),
) -> Form:
    """
    Make the form 流失会员名单, to be filled by the win-back visits (HQ §5.4).

    Args:
        frame: What `memberops.metrics.lapsed_members` returned.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        policy: The policy that the list was made with.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    policy = policy or MetricPolicy()
    rows = with_stores(frame, stores)
    rows = rows.assign(member_id=ids(rows["member_id"]))
    rows, profile = with_profiles(rows, members)
    blank = pd.Series([None] * len(rows), index=rows.index, dtype="str")
    rows = rows.assign(visit_mode=blank, reason=blank)
    return Form(
        name="lapsed_members",
        title_en="Lapsed members",
        title_zh="流失会员名单",
        columns=(
            *store_columns(stores),
            same_column(MEMBERS, "member_id"),
            *profile,
            FormColumn(
                name="last_purchase_on",
                heading_en="Last purchase",
                heading_zh="最近消费日期",
                style="date",
            ),
            FormColumn(
                name="months_since",
                heading_en="Months since",
                heading_zh="未消费月数",
                style="integer",
            ),
            FormColumn(
                name="lifetime_spend",
                heading_en="Lifetime spend",
                heading_zh="累计消费金额",
                style="money",
            ),
            FormColumn(
                name="visit_mode",
                heading_en="Visit mode",
                heading_zh="回访方式",
                style="text",
            ),
            FormColumn(
                name="reason", heading_en="Reason", heading_zh="流失原因", style="text"
            ),
        ),
        frame=rows,
        currency=policy.currency,
        notes_en=("Visit mode and reason are filled in by the visit.",),
        notes_zh=("回访方式和流失原因由回访人员填写。",),
        revealed=tuple(reveal),
    )


def expiring_members_form(
    frame: pd.DataFrame,
    *,
    waiver: FeeWaiver | None = None,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    tiers: pd.DataFrame | None = None,
    channels: pd.DataFrame | None = None,
    levels: TierPolicy | None = None,
) -> Form:
    """
    Make the form XX月到期会员名单 (HQ §4.2).

    Args:
        frame: What `memberops.policies.expiring_members` returned.
        waiver: The waiver policy that it was given; it names the figures.
        stores: ``store_id`` with ``name``, to name the stores.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full, as they were
            when the list was made.
        tiers: ``member_id`` with ``tier``, to show each member's level.
        channels: ``member_id`` with ``channel``, to show how each member wants to be
            reached.
        levels: The policy of the levels, to call them by their names.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its own.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    waiver = waiver or FeeWaiver()
    rows = frame
    places: list[FormColumn] = []
    if "store_id" in frame:
        rows = with_stores(rows.drop(columns="region_id", errors="ignore"), stores)
        if "region_id" in frame:
            rows["region_id"] = ids(frame["region_id"]).fillna(UNASSIGNED[0])
        shown = ["store_id", "store_name", "region_id"]
        known = [*store_columns(stores), *store_columns(_REGIONS)]
        by_name = {column.name: column for column in known}
        places = [by_name[name] for name in shown if name in rows]
    wishes: list[FormColumn] = []
    for given, column in (
        (tiers, text_column("tier", "Level", "会员等级", words=tier_terms(levels))),
        (
            channels,
            text_column(
                "channel", "Preferred channel", "首选联系方式", words=VISIT_CHANNELS
            ),
        ),
    ):
        if given is not None:
            check_given(given, "expiring_members", ["member_id", column.name])
            found = looked_up(rows["member_id"], given, "member_id", column.name)
            rows = rows.assign(**{column.name: ids(found)})
            wishes.append(column)
    profile = [name for name in _PROFILE if name in frame]
    figures = list({each.figure: each for each in waiver.rule.conditions}.values())
    return Form(
        name="expiring_members",
        title_en="Members whose card expires",
        title_zh="到期会员名单",
        columns=(
            _MONTH,
            *places,
            same_column(MEMBERS, "member_id"),
            *(same_column(MEMBERS, name) for name in profile),
            same_column(CARDS, "card_id"),
            same_column(CARDS, "valid_through"),
            *(
                FormColumn(
                    name=each.figure,
                    heading_en=f"{each.words.name_en} so far".capitalize(),
                    heading_zh=f"已有{each.words.name_zh}",
                    style="integer" if each.currency is None else "money",
                )
                for each in figures
            ),
            *(
                FormColumn(
                    name=f"missing_{each.figure}",
                    heading_en=f"{each.words.name_en} still missing".capitalize(),
                    heading_zh=f"还差{each.words.name_zh}",
                    style="integer" if each.currency is None else "money",
                )
                for each in figures
            ),
            FormColumn(
                name="reason_zh",
                heading_en="Still missing",
                heading_zh="还差条件",
                style="text",
                language="zh",
            ),
            FormColumn(
                name="reason_en",
                heading_en="Still missing",
                heading_zh="还差条件（英文）",
                style="text",
                language="en",
            ),
            *wishes,
            FormColumn(
                name="visit_due",
                heading_en="Visit due",
                heading_zh="回访截止日期",
                style="date",
            ),
        ),
        frame=rows,
        currency=waiver.currency,
        notes_en=("The fee of the next year is waived once one condition is met.",),
        notes_zh=("满足免年费条件后，次年年费即可免除。",),
        revealed=tuple(reveal),
    )


_REGIONS = pd.DataFrame({"region_id": pd.Series([], dtype="str")})
