"""The forms of the match: what does not agree, and how old it is (HQ §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.domain import Currency
from memberops.policies.gift_breaks import BREAKS
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    count_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.places import same_column, store_columns, with_stores
from memberops.reports.forms.rows import check_given, form_rows, local_moments
from memberops.tables import GIFT_ISSUES, GIFTS, POINT_REDEMPTIONS

__all__ = ["gift_break_ages_form", "gift_breaks_form"]

_KINDS = (
    ("duplicate", "duplicate", "重复登记"),
    ("redeemed_not_issued", "redeemed, not issued", "已兑换未发放"),
    ("issued_not_redeemed", "issued, not redeemed", "已发放未兑换"),
    ("moved_not_issued", "moved, not issued", "已出库未发放"),
    ("issued_not_moved", "issued, not moved", "已发放未出库"),
    ("wrong_store", "other store", "门店不一致"),
    ("wrong_quantity", "other quantity", "数量不一致"),
    ("wrong_lot", "other lot", "批次不一致"),
    ("timing", "too far apart", "时间相差过大"),
)


def gift_breaks_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    zone: ZoneInfo,
    names: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the list 礼品核对差异表: what does not agree, the oldest first.

    Args:
        frame: The ``breaks`` of a `memberops.policies.GiftMatch`.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        zone: The zone of its times.
        names: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_breaks", ("case_id", "kind", "gift_id", "first_at"))
    known = names or {}
    rows = frame.sort_values(["first_at", "case_id"], kind="stable")
    rows = rows.assign(gift_name=[known.get(each, "") for each in rows["gift_id"]])
    rows = local_moments(with_stores(rows, stores), ["first_at"], zone=zone.key)
    columns = (
        text_column("case_id", "Case", "核对编号"),
        text_column("kind", "Break", "差异类型", words=_KINDS),
        *store_columns(stores),
        same_column(GIFT_ISSUES, "member_id"),
        same_column(GIFTS, "gift_id"),
        text_column("gift_name", "Gift name", "礼品名称"),
        count_column("redeemed", "Redeemed", "兑换数量"),
        count_column("issued", "Issued", "发放数量"),
        count_column("moved", "Moved", "出库数量"),
        same_column(POINT_REDEMPTIONS, "redemption_id"),
        same_column(GIFT_ISSUES, "issue_id"),
        text_column("posting_id", "Posting", "凭证号"),
        text_column("first_at", "First at", "最早时间"),
        count_column("age_days", "Age in days", "账龄（天）"),
        text_column("bucket", "Ageing", "账龄段"),
        *sentence_columns("why", "Why", "说明"),
    )
    return Form(
        name="gift_breaks",
        title_en="Breaks between points, till and stock",
        title_zh="礼品核对差异表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
    )


def gift_break_ages_form(frame: pd.DataFrame, *, buckets: Sequence[str]) -> Form:
    """
    Make the table 礼品核对账龄表: how many breaks of each kind are how old.

    Args:
        frame: The ``breaks`` of a `memberops.policies.GiftMatch`.
        buckets: The ageing buckets, the youngest first.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "gift_break_ages", ("kind", "bucket"))
    counts = Counter(zip(frame["kind"], frame["bucket"], strict=True))
    rows = pd.DataFrame(
        [
            (kind, *own, sum(own))
            for kind in BREAKS
            for own in [[counts[kind, each] for each in buckets]]
            if any(own)
        ],
        columns=["kind", *buckets, "total"],
    )
    columns = (
        text_column("kind", "Break", "差异类型", words=_KINDS),
        *(count_column(each, f"{each} days", f"{each} 天") for each in buckets),
        count_column("total", "Total", "合计"),
    )
    return Form(
        name="gift_break_ages",
        title_en="Ages of the breaks",
        title_zh="礼品核对账龄表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
    )
