"""The forms of gifts: applications, the register, stock, and what to order (HQ §8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.domain import Currency
from memberops.policies.gift_order import GiftOrderPolicy
from memberops.reports.form import Form, FormColumn
from memberops.reports.forms.columns import (
    amount_column,
    count_column,
    day_column,
    text_column,
)
from memberops.reports.forms.places import same_column, store_columns, with_stores
from memberops.reports.forms.rows import check_given, form_rows, local_moments
from memberops.schedules import Period
from memberops.tables import GIFT_APPLICATIONS, GIFT_ISSUES, GIFTS

__all__ = [
    "gift_application_form",
    "gift_issues_form",
    "gift_stock_form",
    "order_proposal_form",
]

_REASONS = (
    ("birthday", "birthday", "生日"),
    ("promotion", "promotion", "促销"),
    ("points", "points", "积分"),
    ("complaint", "complaint", "投诉"),
)
_PURPOSES = (
    *_REASONS,
    ("replenishment", "replenishment", "补货"),
    ("opening", "new store", "新店"),
)
_STATES = (
    ("asked", "asked", "待审批"),
    ("refused", "refused", "不批准"),
    ("approved", "approved", "待发货"),
    ("part_sent", "partly sent", "部分发货"),
    ("in_transit", "in transit", "在途"),
    ("received", "received", "已收货"),
)
_OVERDUE = (
    ("approval", "approval", "审批"),
    ("dispatch", "dispatch", "发货"),
    ("receipt", "receipt", "收货"),
)


def _named(frame: pd.DataFrame, names: Mapping[str, str] | None) -> pd.DataFrame:
    known = names or {}
    return frame.assign(gift_name=[known.get(each, "") for each in frame["gift_id"]])


def _gift_columns() -> tuple[FormColumn, FormColumn]:
    return (
        same_column(GIFTS, "gift_id"),
        text_column("gift_name", "Gift name", "礼品名称"),
    )


def gift_application_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    zone: ZoneInfo,
    names: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the form 礼品申请单: what was asked, granted, sent and received.

    Args:
        frame: What `memberops.ledger.application_states` returned.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        zone: The zone of its times.
        names: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_application", ("application_id", "store_id", "gift_id"))
    rows = frame.sort_values(["applied_at", "application_id"], kind="stable")
    rows = with_stores(_named(rows, names), stores)
    rows = local_moments(rows, ["applied_at", "approved_at", "due_at"], zone=zone.key)
    columns = (
        same_column(GIFT_APPLICATIONS, "application_id"),
        *store_columns(stores),
        *_gift_columns(),
        same_column(GIFT_APPLICATIONS, "asked"),
        same_column(GIFT_APPLICATIONS, "purpose", words=_PURPOSES),
        same_column(GIFT_APPLICATIONS, "applied_by"),
        same_column(GIFT_APPLICATIONS, "applied_at"),
        same_column(GIFT_APPLICATIONS, "approved"),
        same_column(GIFT_APPLICATIONS, "approved_by"),
        count_column("dispatched", "Dispatched", "已发数量"),
        count_column("received", "Received", "已收数量"),
        count_column("in_transit", "In transit", "在途数量"),
        text_column("state", "State", "状态", words=_STATES),
        text_column("overdue", "Overdue step", "逾期环节", words=_OVERDUE),
        text_column("due_at", "Due at", "应完成时间"),
    )
    return Form(
        name="gift_application",
        title_en="Applications for gifts",
        title_zh="礼品申请单",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
    )


def gift_issues_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    zone: ZoneInfo,
    names: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the register 赠品发放登记表: who got what, where, when and why.

    Args:
        frame: What `memberops.ledger.issue_register` returned, or a part of it.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        zone: The zone of its times.
        names: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_issues", ("issue_id", "issued_at", "store_id", "gift_id"))
    rows = frame.sort_values(["issued_at", "issue_id"], kind="stable")
    rows = with_stores(_named(rows, names), stores)
    rows = local_moments(rows, ["issued_at"], zone=zone.key)
    columns = (
        same_column(GIFT_ISSUES, "issue_id"),
        same_column(GIFT_ISSUES, "issued_at"),
        *store_columns(stores),
        same_column(GIFT_ISSUES, "member_id"),
        same_column(GIFT_ISSUES, "ticket_id"),
        *_gift_columns(),
        same_column(GIFT_ISSUES, "lot_id"),
        same_column(GIFT_ISSUES, "quantity"),
        same_column(GIFT_ISSUES, "reason", words=_REASONS),
        same_column(GIFT_ISSUES, "issued_by"),
        text_column("reversed_by", "Taken back by", "冲销凭证"),
    )
    return Form(
        name="gift_issues",
        title_en="Gifts issued",
        title_zh="赠品发放登记表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
    )


def gift_stock_form(
    frame: pd.DataFrame,
    *,
    kind: Literal["store", "warehouse"],
    period: Period,
    currency: Currency | None = None,
    names: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the form 门店礼品库存表 or 总仓礼品库存表: opening, in, out and book.

    Args:
        frame: What `memberops.ledger.gift_stock` returned for that kind of place.
        kind: Whose stock it is.
        period: The period.
        currency: What values are in.
        names: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, f"{kind}_gift_stock", ("place", "gift_id", "opening", "book"))
    columns = (
        text_column("place", "Place", "库位"),
        *_gift_columns(),
        text_column("lot_id", "Lot", "批次"),
        day_column("valid_through", "Valid through", "有效期至"),
        count_column("opening", "Opening", "期初数量"),
        count_column("came", "In", "入库数量"),
        count_column("went", "Out", "出库数量"),
        count_column("book", "Book quantity", "账面数量"),
        amount_column("unit_value", "Unit value", "单价"),
        amount_column("value", "Value", "金额"),
    )
    central = kind == "warehouse"
    return Form(
        name=f"{kind}_gift_stock",
        title_en="Gift stock of the warehouse" if central else "Gift stock of stores",
        title_zh="总仓礼品库存表" if central else "门店礼品库存表",
        columns=columns,
        frame=form_rows(_named(frame, names), columns),
        currency=currency or Currency("CNY"),
        notes_en=(f"{period}: opening + in - out = book.",),
        notes_zh=(f"{period}：期初＋入库－出库＝账面。",),
    )


def order_proposal_form(
    frame: pd.DataFrame,
    *,
    policy: GiftOrderPolicy,
    names: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the form 采购建议: what to order of each gift.

    Args:
        frame: What `GiftOrderPolicy.propose_frame` returned.
        policy: The policy by which it was made.
        names: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "order_proposal", ("gift_id", "used", "on_hand", "proposed"))
    rows = _named(frame.sort_values("gift_id", kind="stable"), names)
    columns = (
        *_gift_columns(),
        count_column("used", "Used", "使用数量"),
        count_column("on_hand", "On hand", "现有数量"),
        count_column("on_the_way", "On the way", "在途数量"),
        count_column("expiring", "Expiring unused", "用完前到期"),
        count_column("wanted", "Wanted", "需备数量"),
        count_column("proposed", "Proposed", "建议采购"),
    )
    return Form(
        name="order_proposal",
        title_en="Order proposal",
        title_zh="采购建议",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(
            f"Use of {policy.months} months, stock for {policy.cover_months}.",
            f"{policy.policy}, version {policy.version}",
        ),
        notes_zh=(
            f"按近 {policy.months} 个月用量，备 {policy.cover_months} 个月。",
            f"{policy.policy}，版本 {policy.version}",
        ),
    )
