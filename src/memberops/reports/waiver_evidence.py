"""The tickets of one waiver, with what each counts for (HQ §4.2)."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from memberops.domain import Currency
from memberops.policies import Evidence
from memberops.reports.form import Form, FormColumn

__all__ = ["waiver_evidence_form"]

_RULES = (
    ("purchase", "Purchase", "消费"),
    ("return", "Return", "退货"),
    ("before", "Before the year", "早于本年度"),
    ("after", "After the year", "晚于本年度"),
    ("not_known", "Not known yet", "晚于查询日"),
    ("excluded", "Excluded", "不计入"),
)
_COLUMNS = (
    FormColumn(
        name="card_id", heading_en="Card number", heading_zh="会员卡号", style="text"
    ),
    FormColumn(
        name="ticket_id", heading_en="Ticket", heading_zh="小票号", style="text"
    ),
    FormColumn(
        name="sold_on", heading_en="Sold on", heading_zh="销售日期", style="date"
    ),
    FormColumn(
        name="store_id", heading_en="Store", heading_zh="门店编号", style="text"
    ),
    FormColumn(name="amount", heading_en="Amount", heading_zh="金额", style="money"),
    FormColumn(
        name="rule",
        heading_en="Counts as",
        heading_zh="计入方式",
        style="text",
        words=_RULES,
    ),
    FormColumn(
        name="text_zh",
        heading_en="Why (Chinese)",
        heading_zh="说明",
        style="text",
        language="zh",
    ),
    FormColumn(
        name="text_en",
        heading_en="Why",
        heading_zh="说明（英文）",
        style="text",
        language="en",
    ),
)


def waiver_evidence_form(
    cases: Iterable[tuple[str, Evidence]], *, currency: Currency
) -> Form:
    """
    Make the list of a member's tickets that a waiver rests on: 免年费依据.

    Args:
        cases: Each card with what `memberops.policies.waiver_evidence` found.
        currency: What the amounts are in.
    """
    names = [column.name for column in _COLUMNS]
    parts = [
        evidence.to_frame().assign(card_id=card)[names] for card, evidence in cases
    ]
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in names})
    empty = empty.astype({"amount": "int64", "sold_on": "datetime64[us]"})
    frame = pd.concat([part for part in parts if len(part)] or [empty])
    texts = [name for name in names if name not in ("amount", "sold_on")]
    return Form(
        name="waiver_evidence",
        title_en="Tickets that the waiver rests on",
        title_zh="免年费依据",
        columns=_COLUMNS,
        frame=frame.astype(dict.fromkeys(texts, "str")),
        currency=currency,
    )
