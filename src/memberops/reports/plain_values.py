"""Forms as plain values for a program, and as plain text for a terminal."""

from __future__ import annotations

from typing import Any

from memberops.reports.cells import (
    ReportLanguage,
    check_report_language,
    clean_text,
    day_of,
    is_missing,
    minor_of,
    percent_text,
    ratio_text,
    text_of,
)
from memberops.reports.form import Form, FormColumn, columns_for

__all__ = ["form_records", "form_texts"]


def form_records(form: Form, *, language: ReportLanguage = "zh") -> dict[str, Any]:
    """
    Return a form as values that JSON can hold, exactly.

    Args:
        form: The form.
        language: Of titles, headings and words: ``"zh"``, ``"en"`` or ``"both"``.

    Returns:
        ``name``, ``title``, ``currency``, ``notes``, ``columns`` (``name``,
        ``heading`` and ``style`` of each) and ``rows``, a mapping by column name
        each. Money is exact decimal text in major units, a date is ISO text, a share
        is a plain number, and what is missing is None.

    Raises:
        InvalidValueError: Another language.

    >>> import pandas as pd
    >>> from memberops.domain import Currency
    >>> fee = FormColumn(name="fee", heading_en="Fee", heading_zh="年费", style="money")
    >>> form = Form(name="fees", title_en="Fees", title_zh="年费", columns=(fee,),
    ...     frame=pd.DataFrame({"fee": [9900]}), currency=Currency("CNY"))
    >>> form_records(form)["rows"]
    [{'fee': '99.00'}]
    """
    spoken = check_report_language(language)
    columns = columns_for(form, spoken)
    values = [
        [_value(form, column, value, spoken) for value in form.frame[column.name]]
        for column in columns
    ]
    names = [column.name for column in columns]
    return {
        "name": form.name,
        "title": form.title(spoken),
        "currency": form.currency.code,
        "notes": list(form.notes(spoken)),
        "columns": [
            {
                "name": column.name,
                "heading": column.heading(spoken),
                "style": column.style,
            }
            for column in columns
        ],
        "rows": [
            dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)
        ],
    }


def _value(
    form: Form, column: FormColumn, value: Any, language: ReportLanguage
) -> str | int | float | None:
    if is_missing(value):
        return None
    if isinstance(value, str) or column.style in ("text", "reasons"):
        return text_of(form, column, value, language)
    match column.style:
        case "money":
            return str(form.currency.to_decimal(minor_of(value)))
        case "date":
            return str(day_of(value))
        case "integer":
            return int(value)
        case _:
            return float(value)


def form_texts(
    form: Form, *, language: ReportLanguage = "zh", most: int | None = None
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """
    Return the headings and the rows of a form as people read them, on one line each.

    Args:
        form: The form.
        language: Of headings and words: ``"zh"``, ``"en"`` or ``"both"``.
        most: How many rows at most; None for all.

    Returns:
        The headings; and for each row its cells. What is missing is empty.

    Raises:
        InvalidValueError: Another language.
    """
    spoken = check_report_language(language)
    columns = columns_for(form, spoken)
    rows = form.frame if most is None else form.frame.head(most)
    texts = [
        [_text(form, column, value, spoken) for value in rows[column.name]]
        for column in columns
    ]
    headings = tuple(_line(column.heading(spoken)) for column in columns)
    return headings, list(zip(*texts, strict=True))


def _text(form: Form, column: FormColumn, value: Any, language: ReportLanguage) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, str) or column.style in ("text", "reasons"):
        return _line(text_of(form, column, value, language))
    match column.style:
        case "money":
            return f"{form.currency.to_decimal(minor_of(value)):,}"
        case "date":
            return str(day_of(value))
        case "integer":
            return f"{int(value):,}"
        case other:
            return percent_text(value) if other == "percent" else ratio_text(value, 2)


def _line(text: str) -> str:
    return clean_text(text).replace("\n", " ").replace("\t", " ")
