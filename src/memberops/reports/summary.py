"""A month in a dozen lines of plain text, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import pandas as pd

from memberops.domain.values import Language, check_language
from memberops.reports.cells import (
    clean_text,
    is_missing,
    minor_of,
    percent_text,
    ratio_text,
    reason_of,
    text_width,
)
from memberops.reports.form import Form

__all__ = ["summary_lines"]

_Line = tuple[str, ...]
_ENDS = 3
_GROWTH = (("year_over_year", "YoY", "同比"), ("period_over_period", "MoM", "环比"))


def summary_lines(
    forms: Iterable[Form], language: Language = "zh", *, period: str | None = None
) -> tuple[str, ...]:
    """
    Sum up a month in plain text: what a manager reads before opening the workbook.

    Figures are the chain's. Columns line up where a Chinese character fills two
    cells, as on a terminal. What a form does not have is left out.

    Args:
        forms: Any of the forms that the builders make.
        language: ``"zh"`` or ``"en"``.
        period: Label of the period to sum up; the first one of each form by default.

    Returns:
        Lines without line breaks.

    Raises:
        InvalidValueError: Another language.
    """
    chinese = check_language(language) == "zh"
    by_name = {form.name: form for form in forms}
    lines: list[_Line] = []
    label = period
    for name, write in _SECTIONS:
        form = by_name.get(name)
        if form is None:
            continue
        row = _chain_row(form, period)
        label = label or (None if row is None else str(row["period"]))
        lines += write(_Section(form, row, chinese, period))
    if not lines:
        return ()
    heading = ("会员月报" if chinese else "Membership summary", label or "")
    return tuple(_aligned([heading, *lines]))


def _chain_row(form: Form, period: str | None) -> pd.Series[Any] | None:
    if "level" not in form.frame:
        return None
    rows = form.frame[form.frame["level"] == "chain"]
    rows = rows if period is None else rows[rows["period"] == period]
    return None if rows.empty else rows.iloc[0]


def _aligned(lines: Iterable[_Line]) -> list[str]:
    rows = [[clean_text(cell).replace("\n", " ") for cell in line] for line in lines]
    label = max(text_width(row[0]) for row in rows)
    value = max((text_width(row[1]) for row in rows if len(row) > 1 + 1), default=0)
    written = []
    for name, said, *rest in rows:
        text = name + " " * (label - text_width(name) + 2)
        if rest:
            text += " " * (value - text_width(said))
        written.append((text + "  ".join([said, *rest])).rstrip())
    return written


@attrs.frozen
class _Section:
    form: Form
    row: pd.Series[Any] | None
    chinese: bool
    period: str | None

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the period that is summed up."""
        frame = self.form.frame
        if "period" not in frame or frame.empty:
            return frame
        period = self.period or frame["period"].iloc[0]
        return frame[frame["period"] == period]

    def word(self, english: str, chinese: str) -> str:
        return chinese if self.chinese else english

    def money(self, value: Any) -> str:
        if is_missing(value):
            return "—"
        language = "zh" if self.chinese else "en"
        return self.form.currency.format(minor_of(value), language)

    def ratio(self, name: str, english: str, chinese: str, *, signed: bool) -> str:
        """Write a share or a growth with its label, or why there is none."""
        label = self.word(english, chinese)
        values = pd.Series() if self.row is None else self.row
        value = values[name]
        if not is_missing(value):
            return f"{label} {percent_text(value, signed=signed)}"
        why = reason_of(values["undefined"], name, "zh" if self.chinese else "en")
        return f"{label} —" + (self.word(f" ({why})", f"（{why}）") if why else "")

    def growth(self, stem: str) -> list[str]:
        return [
            self.ratio(f"{stem}_{suffix}", english, chinese, signed=True)
            for suffix, english, chinese in _GROWTH
        ]


def _spending(section: _Section) -> list[_Line]:
    row, word = section.row, section.word
    if row is None:
        return []
    lines = [
        (
            word("Sales", "销售额"),
            section.money(row["sales"]),
            *section.growth("sales"),
            section.ratio("sales_target_attainment", "target", "达成", signed=False),
        ),
        (
            word("Member sales", "会员销售额"),
            section.money(row["member_sales"]),
            *section.growth("member_sales"),
            section.ratio("member_sales_share", "share", "占比", signed=False),
        ),
        (
            word("Member ATV", "会员客单价"),
            section.money(row["member_average_ticket_value"]),
            *section.growth("member_average_ticket_value"),
        ),
        (
            word("Member tickets", "会员客单数"),
            f"{row['member_tickets']:,}",
            *section.growth("member_tickets"),
            section.ratio("member_ticket_share", "share", "占比", signed=False),
        ),
    ]
    numbers = (
        ("member_purchase_frequency", "Frequency", "会员消费频率"),
        ("member_attach_rate", "Attach rate", "会员连带率"),
    )
    for name, english, chinese in numbers:
        said = "—" if is_missing(row[name]) else ratio_text(row[name], 2)
        why = reason_of(row["undefined"], name, "zh" if section.chinese else "en")
        lines.append((word(english, chinese), said, why))
    return lines


def _consumption(section: _Section) -> list[_Line]:
    row, word = section.row, section.word
    if row is None:
        return []
    valid = f"{row['valid_members']:,}"
    return [
        (
            word("Consuming members", "消费会员"),
            f"{row['consuming_members']:,}",
            word(f"of {valid} valid", f"有效会员 {valid}"),
            section.ratio("consuming_member_share", "share", "占比", signed=False),
        )
    ]


def _lapse(section: _Section) -> list[_Line]:
    row, word = section.row, section.word
    if row is None:
        return []
    new, back = f"{row['newly_lapsed']:,}", f"{row['won_back']:,}"
    left = f"{row['left']:,}"
    return [
        (
            word("Lapsed members", "流失会员"),
            f"{row['lapsed_at_end']:,}",
            word(f"net {row['net_lapse']:+,}", f"净增 {row['net_lapse']:+,}"),
            word(f"new {new}", f"新增 {new}"),
            word(f"won back {back}", f"挽回 {back}"),
            word(f"left {left}", f"退出 {left}"),
            section.ratio("lapse_rate", "rate", "流失率", signed=False),
        )
    ]


def _expiring(section: _Section) -> list[_Line]:
    count = len(section.form.frame)
    return [
        (
            section.word("Cards expiring", "到期会员"),
            f"{count:,}",
            section.word("without a waiver yet", "尚未满足免年费条件"),
        )
    ]


def _ranking(section: _Section) -> list[_Line]:
    rows, word = section.rows, section.word
    if rows.empty or rows["rank"].isna().all():
        return []
    rows = rows[rows["rank"].notna()]
    best = rows.head(_ENDS)
    worst = rows.iloc[max(len(best), len(rows) - _ENDS) :]
    lines: list[_Line] = []
    for label, part in (
        (word("Highest member sales", "会员销售居前"), best),
        (word("Lowest member sales", "会员销售居后"), worst),
    ):
        for number, (_, row) in enumerate(part.iterrows()):
            name = row["store_id"]
            if "store_name" in row and not is_missing(row["store_name"]):
                name = f"{name} {row['store_name']}"
            lines.append(
                (
                    label if number == 0 else "",
                    section.money(row["member_sales"]),
                    f"{row['rank']}. {name}",
                )
            )
    return lines


def _findings(section: _Section) -> list[_Line]:
    frame, word = section.form.frame, section.word
    counts = frame["severity"].value_counts()
    parts = [
        f"{word(english, chinese)} {int(counts.get(name, 0)):,}"
        for name, english, chinese in (
            ("error", "errors", "错误"),
            ("warning", "warnings", "警告"),
            ("info", "infos", "提示"),
        )
    ]
    total = f"{len(frame):,}" if not section.chinese else f"{len(frame):,} 条"
    return [(word("Findings", "数据问题"), total, *parts)]


_SECTIONS = (
    ("spending_power", _spending),
    ("consumption_level", _consumption),
    ("lapse", _lapse),
    ("expiring_members", _expiring),
    ("store_ranking", _ranking),
    ("findings", _findings),
)
