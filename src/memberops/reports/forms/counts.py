"""The forms of a stocktake: sheets, the summary of stores, the report (HQ §8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.domain import Currency, Stocktake
from memberops.domain.gift import lies_within
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    amount_column,
    answer_column,
    count_column,
    day_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.places import same_column
from memberops.reports.forms.rows import check_given, form_rows, local_moments
from memberops.tables.counts import COUNTS

__all__ = ["count_report_form", "count_sheet_form", "count_summary_form"]

_LEVELS = (
    ("warehouse", "Warehouse", "总仓"),
    ("store", "Store", "门店"),
    ("region", "Region", "区域"),
    ("chain", "Chain", "连锁"),
)
_STATES = (
    ("not_counted", "not counted", "未盘"),
    ("agree", "agrees", "相符"),
    ("surplus", "surplus", "盘盈"),
    ("shortage", "shortage", "盘亏"),
)
_OUTCOMES = (
    ("not_counted", "not counted", "未盘"),
    ("agrees", "agrees", "相符"),
    ("tolerated", "within the tolerance", "在允差内"),
    ("explain", "to be explained", "待说明原因"),
    ("approve", "to be approved", "待审批"),
    ("refused", "refused, recount", "未批准，须复盘"),
    ("approved", "approved", "已批准"),
)
_STANDINGS = (
    ("on_time", "on time", "按时"),
    ("late", "late", "迟交"),
    ("missing", "missing", "缺交"),
    ("incomplete", "counted in part", "未盘全"),
    ("undated", "handed in, no time", "已交，未注明时间"),
    ("awaited", "awaited", "待交"),
)


def count_sheet_form(
    frame: pd.DataFrame,
    stocktake: Stocktake,
    *,
    kind: Literal["store", "warehouse"] = "store",
    zone: ZoneInfo,
    names: Mapping[str, str] | None = None,
    blank: bool = True,
) -> Form:
    """
    Make the count sheet 门店礼品盘点表 or 总仓礼品盘点表, to be filled in.

    As CSV it comes back with its counts as the table ``counts``. A time that is left
    empty is the cut-off.

    Args:
        frame: What `memberops.ledger.count_sheet` returned.
        stocktake: What is counted.
        kind: Whose sheet it is; rows of other places are left out.
        zone: The zone of its times.
        names: Names of the gifts.
        blank: Whether it is to be filled in: the time of counting is left empty.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, f"{kind}_count_sheet", ("stocktake_id", "place", "gift_id"))
    mine = _of_kind(frame["place"], kind)
    rows = local_moments(frame[mine], ["counted_at"], zone=zone.key)
    rows = rows.assign(
        **({"counted_at": None} if blank else {}),
        gift_name=[(names or {}).get(each, "") for each in frame["gift_id"][mine]],
    )
    line = ("stocktake_id", "place", "gift_id")
    filled = ("counted", "counted_at", "counted_by", "witnessed_by", "recount")
    columns = (
        *(same_column(COUNTS, name) for name in line),
        text_column("gift_name", "Gift name", "礼品名称"),
        same_column(COUNTS, "lot_id"),
        same_column(COUNTS, "valid_through"),
        *(
            (count_column("book", "Book quantity", "账面数量"),)
            if "book" in frame
            else ()
        ),
        *(same_column(COUNTS, name) for name in filled),
        same_column(COUNTS, "position"),
    )
    cutoff = f"{stocktake.cutoff.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    due = stocktake.due_on
    return Form(
        name=f"{kind}_count_sheet",
        title_en="Count sheet of the stores"
        if kind == "store"
        else "Count sheet of the warehouse",
        title_zh="门店礼品盘点表" if kind == "store" else "总仓礼品盘点表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(
            f"Books as of {cutoff} in {zone.key}."
            + (f" To be counted by {due}, inclusive." if due else ""),
            "Leave empty what is not counted: 0 means none.",
        ),
        notes_zh=(
            f"账面截止 {cutoff}（{zone.key}）。"
            + (f"须于 {due} 前（含当日）完成。" if due else ""),
            "未盘请留空，勿填 0。",
        ),
    )


def count_summary_form(
    frame: pd.DataFrame,
    *,
    standing: pd.DataFrame | None = None,
    currency: Currency | None = None,
    names: Mapping[str, str] | None = None,
    notes: tuple[str, str] | None = None,
) -> Form:
    """
    Make the summary 门店礼品盘点汇总表: by store, region and chain, who is late.

    Args:
        frame: What `memberops.policies.count_summary` returned.
        standing: Rows of `memberops.policies.StocktakeStanding`.
        currency: What values are in.
        names: Names of the stores, by id.
        notes: A remark, in English and in Chinese.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "store_count_summary", ("level", "key", "lines"))
    states: dict[tuple[str, str], str] = {}
    if standing is not None:
        for place, state in zip(standing["place"], standing["state"], strict=True):
            kind, _, name = place.partition(":")
            states[kind, name if kind == "store" else place] = state
    keys = list(zip(frame["level"], frame["key"], strict=True))
    rows = frame.assign(
        name=[(names or {}).get(key, "") if level == "store" else ""
              for level, key in keys],
        state=pd.Series([states.get(key) for key in keys], frame.index, dtype="str"),
    )  # fmt: skip
    columns = (
        text_column("level", "Level", "层级", words=_LEVELS),
        text_column("key", "Key", "对象", words=(("chain", "Chain", "连锁"),)),
        text_column("name", "Store name", "门店名称"),
        text_column("state", "Counted", "完成情况", words=_STANDINGS),
        count_column("lines", "Lines", "盘点行数"),
        count_column("not_counted", "Not counted", "未盘行数"),
        count_column("matched", "Matched", "相符行数"),
        count_column("surplus_lines", "Surplus lines", "盘盈行数"),
        count_column("shortage_lines", "Shortage lines", "盘亏行数"),
        count_column("surplus", "Surplus", "盘盈数量"),
        count_column("shortage", "Shortage", "盘亏数量"),
        count_column("difference", "Difference", "差异数量"),
        amount_column("value", "Value", "差异金额"),
        count_column("unvalued", "Lines without value", "无单价行数"),
        count_column("open", "Open lines", "待处理行数"),
        count_column("late", "Late places", "迟交处数"),
        count_column("missing", "Missing places", "缺交处数"),
        count_column("incomplete", "Places counted in part", "未盘全处数"),
    )
    english, chinese = notes or ("", "")
    return Form(
        name="store_count_summary",
        title_en="Summary of counts",
        title_zh="门店礼品盘点汇总表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=currency or Currency("CNY"),
        notes_en=(english,) if english else (),
        notes_zh=(chinese,) if chinese else (),
    )


def count_report_form(
    frame: pd.DataFrame,
    *,
    zone: ZoneInfo,
    kind: Literal["warehouse", "all"] = "all",
    currency: Currency | None = None,
    gifts: Mapping[str, str] | None = None,
) -> Form:
    """
    Make the count report 总仓盘点报告, or the same of every place 盘点差异表.

    Args:
        frame: What `memberops.policies.count_report` returned.
        zone: The zone of its times.
        kind: ``"warehouse"`` for the warehouse alone.
        currency: What values are in.
        gifts: Names of the gifts, by id.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "count_report", ("place", "gift_id", "book", "outcome"))
    if kind == "warehouse":
        frame = frame[_of_kind(frame["place"], kind)]
    rows = frame.assign(
        gift_name=[(gifts or {}).get(each, "") for each in frame["gift_id"]],
        reasons_en=frame["reasons"],
    )
    rows = local_moments(rows, ["counted_at", "approved_at"], zone=zone.key)
    columns = (
        text_column("stocktake_id", "Stocktake", "盘点单号"),
        text_column("place", "Place", "盘点地点"),
        text_column("gift_id", "Gift", "礼品编号"),
        text_column("gift_name", "Gift name", "礼品名称"),
        text_column("lot_id", "Lot", "批次"),
        day_column("valid_through", "Valid through", "有效期至"),
        count_column("book", "Book quantity", "账面数量"),
        count_column("counted", "Counted", "实盘数量"),
        count_column("difference", "Difference", "差异数量"),
        amount_column("value", "Value", "差异金额"),
        text_column("state", "State", "盘点结果", words=_STATES),
        *sentence_columns("reasons", "Reasons", "差异原因"),
        count_column("unexplained", "Unexplained", "未说明数量"),
        text_column("disposition", "Disposition", "处理意见"),
        text_column("outcome", "Outcome", "处理状态", words=_OUTCOMES),
        text_column("approver", "To be approved by", "待审批角色"),
        text_column("approved_by", "Approved by", "审批人"),
        text_column("approved_at", "Approved at", "审批时间"),
        answer_column("settled", "Books agree by now", "账面已一致"),
        text_column("counted_by", "Counted by", "盘点人"),
        text_column("witnessed_by", "Witnessed by", "监盘人"),
        text_column("counted_at", "Counted at", "盘点时间"),
    )
    central = kind == "warehouse"
    return Form(
        name="warehouse_count_report" if central else "count_differences",
        title_en="Count report of the warehouse" if central else "Count differences",
        title_zh="总仓盘点报告" if central else "盘点差异表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=currency or Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
    )


def _of_kind(places: pd.Series[str], kind: str) -> list[bool]:
    """Say of each place whether it is of that kind; of no places, nothing."""
    return [lies_within(place, kind) for place in places]
