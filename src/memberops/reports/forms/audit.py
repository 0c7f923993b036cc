"""Forms for whoever checks: the findings, and how each figure was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import pandas as pd

from memberops.domain import Currency, Finding, Severity
from memberops.domain.values import Language
from memberops.metrics import Figure, MetricPolicy, Ratio, base_heading, working
from memberops.reports.form import Form, FormColumn
from memberops.reports.forms.figures import total_columns
from memberops.reports.forms.places import by_place, place_columns, with_place_names
from memberops.tables import TABLES

__all__ = ["describe_finding", "findings_form", "working_form"]

_SEVERITIES = (
    ("info", "info", "提示"),
    ("warning", "warning", "警告"),
    ("error", "error", "错误"),
)
_REASONS = tuple(
    (reason, pair.explain("en"), pair.explain("zh"))
    for reason, pair in (("zero", Ratio(1, 0)), ("unknown", Ratio(None, None)))
)


def _text(
    name: str,
    heading_en: str,
    heading_zh: str,
    words: tuple[tuple[str, str, str], ...] = (),
) -> FormColumn:
    return FormColumn(
        name=name,
        heading_en=heading_en,
        heading_zh=heading_zh,
        style="text",
        words=words,
    )


def _whole(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    return FormColumn(
        name=name, heading_en=heading_en, heading_zh=heading_zh, style="integer"
    )


_FINDINGS = (
    _text("severity", "Severity", "级别", _SEVERITIES),
    _text("source", "Source", "来源"),
    _text(
        "table",
        "Table",
        "表",
        tuple((table.name, table.title_en, table.title_zh) for table in TABLES),
    ),
    _whole("row", "Row", "行"),
    FormColumn(
        name="column_zh",
        heading_en="Column in Chinese",
        heading_zh="列",
        style="text",
        language="zh",
    ),
    FormColumn(
        name="column_en",
        heading_en="Column",
        heading_zh="英文列名",
        style="text",
        language="en",
    ),
    FormColumn(
        name="message_zh",
        heading_en="Message in Chinese",
        heading_zh="说明",
        style="text",
        language="zh",
    ),
    FormColumn(
        name="message_en",
        heading_en="Message",
        heading_zh="英文说明",
        style="text",
        language="en",
    ),
    _text("rule", "Rule", "规则"),
    _whole("count", "Rows meant", "涉及行数"),
)


def _column_words(finding: Finding, language: Language) -> str | None:
    """Give the heading of a finding's column; that of a file stays as it is."""
    for table in TABLES:
        if table.name == finding.table and finding.column in table.names:
            return table.column(str(finding.column)).heading(language)
    return finding.column


def describe_finding(finding: Finding, language: Language) -> str:
    """
    Write a finding as one line, with table and column as people call them.

    Args:
        finding: Of a source or of a check.
        language: ``"zh"`` or ``"en"``.

    Raises:
        InvalidValueError: Another language.

    >>> finding = Finding(table="members", rule="required-missing", row=7,
    ...     column="member_id", message_en="it is empty", message_zh="单元格为空")
    >>> print(describe_finding(finding, "zh"))
    错误 会员档案 第 7 行 会员编号: 单元格为空 (required-missing)
    """
    titles = {
        table.name: table.title_zh if language == "zh" else table.title_en
        for table in TABLES
    }
    named = attrs.evolve(
        finding,
        table=titles.get(finding.table, finding.table),
        column=_column_words(finding, language),
    )
    return named.describe(language)


def findings_form(
    findings: Iterable[Finding], *, currency: Currency | None = None
) -> Form:
    """
    Make the page of findings, the most severe first, else in the order given.

    Args:
        findings: Of the sources and of the checks.
        currency: The chain's; the page has no amounts.

    >>> form = findings_form([Finding(table="sales", rule="amount-missing", row=7,
    ...     column="amount", message_en="no amount", message_zh="缺少金额")])
    >>> form, form.frame["row"].tolist()
    (Form('findings', columns=10, rows=1), [7])
    """
    ordered = sorted(findings, key=lambda each: -each.severity.rank)
    counts = dict.fromkeys(Severity, 0)
    for each in ordered:
        counts[each.severity] += each.count
    frame = pd.DataFrame(
        {
            column.name: pd.Series(
                [_cell(each, column.name) for each in ordered],
                dtype="Int64" if column.style == "integer" else "str",
            )
            for column in _FINDINGS
        }
    )
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    infos = counts[Severity.INFO]
    return Form(
        name="findings",
        title_en="Findings",
        title_zh="数据问题",
        columns=_FINDINGS,
        frame=frame,
        currency=currency or Currency("CNY"),
        notes_en=(f"Errors {errors}, warnings {warnings}, infos {infos}.",),
        notes_zh=(f"错误 {errors} 行，警告 {warnings} 行，提示 {infos} 行。",),
    )


def _cell(finding: Finding, name: str) -> object:
    if name in ("column_zh", "column_en"):
        return _column_words(finding, "zh" if name == "column_zh" else "en")
    return getattr(finding, name)


def _inputs(
    frame: pd.DataFrame,
    figures: Sequence[Figure],
    policy: MetricPolicy,
    *,
    chinese: bool,
) -> list[str]:
    """Write out the base figures of every figure and row, figure by figure."""
    currency = policy.currency
    styles = {
        column.name: column.style
        for column in total_columns(
            sorted({name for figure in figures for name in figure.needs}), policy
        )
    }
    unknown = "未知" if chinese else "unknown"
    texts = []
    for figure in figures:
        parts = [
            (base_heading(name, policy)[chinese], frame[name].tolist(), styles[name])
            for name in figure.needs
        ]
        for row in range(len(frame)):
            shown = []
            for heading, values, style in parts:
                value = values[row]
                if pd.isna(value):
                    said = unknown
                elif style == "money":
                    said = f"{currency.to_decimal(int(value)):,}"
                else:
                    said = f"{int(value):,}"
                shown.append(f"{heading} = {said}")
            texts.append(("；" if chinese else "; ").join(shown))
    return texts


def working_form(
    frame: pd.DataFrame,
    figures: Sequence[Figure],
    *,
    name: str = "working",
    titles: tuple[str, str] = ("How the figures were made", "指标计算底稿"),
    policy: MetricPolicy | None = None,
    stores: pd.DataFrame | None = None,
) -> Form:
    """
    Make the audit sheet: the inputs, the formula and the result of each figure.

    Args:
        frame: What an analysis returned, with its base figures.
        figures: Its formulas, such as `memberops.metrics.SPENDING_POWER`.
        name: Identifier of the form; it also names its file.
        titles: In English and in Chinese.
        policy: The policy that the analysis was given.
        stores: ``store_id`` and ``name``, to name the stores.

    Returns:
        A form with one row a row of *frame* and figure. Inputs are written in major
        units; numerator and denominator are exact whole numbers, in minor units
        where they are money.

    Raises:
        MissingColumnsError: The frame lacks a base figure.
    """
    policy = policy or MetricPolicy()
    rows = by_place(with_place_names(frame, stores))
    places = place_columns(stores)
    keys = [column.name for column in places]
    shown = working(rows, figures, keys=keys)
    for language in ("zh", "en"):
        texts = _inputs(rows, figures, policy, chinese=language == "zh")
        shown[f"inputs_{language}"] = pd.Series(texts, index=shown.index, dtype="str")
    money = shown["figure"].isin(
        [each.name for each in figures if each.style == "money"]
    )
    major = shown["value"] / 10**policy.currency.digits
    shown["value"] = shown["value"].where(~money, major)
    columns = (
        *places,
        _text(
            "figure",
            "Figure",
            "指标",
            tuple((each.name, each.heading_en, each.heading_zh) for each in figures),
        ),
        *_pair("inputs", "Inputs", "原始数据"),
        *_pair("formula", "Formula", "公式"),
        _whole("numerator", "Numerator", "分子"),
        _whole("denominator", "Denominator", "分母"),
        FormColumn(
            name="value", heading_en="Result", heading_zh="结果", style="number"
        ),
        _text("reason", "Why undefined", "无法计算的原因", _REASONS),
    )
    return Form(
        name=name,
        title_en=titles[0],
        title_zh=titles[1],
        columns=columns,
        frame=shown,
        currency=policy.currency,
        notes_en=(
            "Result = numerator / denominator; 0.25 is 25 %.",
            "Numerator and denominator are exact, amounts in them in minor units.",
            f"Inputs and results are in {policy.currency.code}.",
        ),
        notes_zh=(
            "结果 = 分子 ÷ 分母；0.25 即 25%。",
            "分子、分母为精确值，其中金额以最小货币单位计。",
            f"原始数据和结果中的金额单位：{policy.currency.unit_zh}。",
        ),
    )


def _pair(name: str, heading_en: str, heading_zh: str) -> tuple[FormColumn, ...]:
    return (
        FormColumn(
            name=f"{name}_zh",
            heading_en=f"{heading_en} (Chinese)",
            heading_zh=heading_zh,
            style="text",
            language="zh",
        ),
        FormColumn(
            name=f"{name}_en",
            heading_en=heading_en,
            heading_zh=f"{heading_zh}（英文）",
            style="text",
            language="en",
        ),
    )
