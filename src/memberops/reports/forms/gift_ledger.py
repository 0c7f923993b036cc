"""The lists of a gift ledger: balances, movements, and what became of postings."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.domain import Currency, Gift
from memberops.ledger import stock_values
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    amount_column,
    count_column,
    day_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.rows import check_given, form_rows, local_moments

__all__ = [
    "KIND_WORDS",
    "gift_balances_form",
    "gift_movements_form",
    "posting_states_form",
]

KIND_WORDS = (
    ("opening", "opening", "期初"),
    ("receipt", "receipt", "入库"),
    ("dispatch", "dispatch", "发货"),
    ("arrival", "arrival", "收货"),
    ("transfer", "transfer", "调拨"),
    ("issue", "issue", "发放"),
    ("redemption", "redemption", "兑换"),
    ("return", "return", "退回"),
    ("damage", "damage", "报损"),
    ("destruction", "destruction", "销毁"),
    ("adjustment", "adjustment", "调整"),
    ("award", "award", "积分发放"),
    ("spend", "spend", "积分消费"),
    ("expiry", "expiry", "过期"),
    ("reversal", "reversal", "冲销"),
)
"""Kinds of postings in the words of the forms."""
_STATES = (
    ("written", "written", "已入账"),
    ("there_before", "there before", "已存在，未重复入账"),
    ("refused", "refused", "未入账"),
)


def gift_balances_form(
    frame: pd.DataFrame,
    *,
    gifts: Iterable[Gift] = (),
    currency: Currency | None = None,
    notes: tuple[str, str] | None = None,
) -> Form:
    """
    Make the list 礼品结存表: what is where, by lot, and what it is worth.

    Args:
        frame: What `memberops.ledger.balances` returned.
        gifts: The gifts, for names and unit values.
        currency: What values are in.
        notes: A remark, in English and in Chinese.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_balances", ("place", "gift_id", "lot_id", "quantity"))
    known = {gift.gift_id: gift for gift in gifts}
    rows = stock_values(frame, known).sort_values(
        ["place", "gift_id", "lot_id"], kind="stable"
    )
    rows["name"] = [known[each].name if each in known else "" for each in rows.gift_id]
    columns = (
        text_column("place", "Place", "库位"),
        text_column("gift_id", "Gift", "礼品编号"),
        text_column("name", "Gift name", "礼品名称"),
        text_column("lot_id", "Lot", "批次"),
        day_column("valid_through", "Valid through", "有效期至"),
        count_column("quantity", "Quantity", "数量"),
        amount_column("unit_value", "Unit value", "单价"),
        amount_column("value", "Value", "金额"),
    )
    english, chinese = notes or ("", "")
    return Form(
        name="gift_balances",
        title_en="Balances of gifts",
        title_zh="礼品结存表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=currency or Currency("CNY"),
        notes_en=(english,) if english else (),
        notes_zh=(chinese,) if chinese else (),
    )


def gift_movements_form(frame: pd.DataFrame, *, zone: ZoneInfo) -> Form:
    """
    Make the list 礼品流水: every movement of a span, in the ledger's order.

    Args:
        frame: What a ledger's ``movements()`` returned, or a part of it.
        zone: The zone in which its moments are shown.

    Raises:
        MissingColumnsError: The frame lacks a column.
        ColumnTypeError: Moments without a zone.
    """
    needed = ("sequence", "posting_id", "effective_at", "gift_id", "quantity")
    check_given(frame, "gift_movements", needed)
    rows = frame.sort_values(["effective_at", "sequence"], kind="stable")
    rows = local_moments(rows, ["effective_at"], zone=zone.key)
    columns = (
        count_column("sequence", "Sequence", "序号"),
        text_column("posting_id", "Posting", "凭证号"),
        text_column("kind", "Kind", "类型", words=KIND_WORDS),
        text_column("effective_at", "Effective at", "生效时间"),
        text_column("gift_id", "Gift", "礼品编号"),
        text_column("lot_id", "Lot", "批次"),
        text_column("source", "From", "转出"),
        text_column("destination", "To", "转入"),
        count_column("quantity", "Quantity", "数量"),
    )
    return Form(
        name="gift_movements",
        title_en="Movements of gifts",
        title_zh="礼品流水",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
    )


def posting_states_form(frame: pd.DataFrame) -> Form:
    """
    Make the list 入账结果: what became of each posting that was handed in.

    Args:
        frame: One row a posting, with ``posting_id``, ``kind``, ``rows``, ``state``
            (``"written"``, ``"there_before"``, ``"refused"``), ``sequence``, and
            ``why_en`` and ``why_zh`` where it was refused.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_postings", ("posting_id", "state"))
    columns = (
        text_column("posting_id", "Posting", "凭证号"),
        text_column("kind", "Kind", "类型", words=KIND_WORDS),
        count_column("rows", "Rows", "行数"),
        text_column("state", "State", "结果", words=_STATES),
        count_column("sequence", "Sequence", "序号"),
        *sentence_columns("why", "Why not", "未入账原因"),
    )
    return Form(
        name="gift_postings",
        title_en="Postings",
        title_zh="入账结果",
        columns=columns,
        frame=form_rows(frame, columns),
        currency=Currency("CNY"),
    )
