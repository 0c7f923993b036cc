"""
Forms as values: a table with headings in two languages, and what to draw of it.

A `Form` holds typed figures, not rendered text: money in minor units, shares as plain
ratios, days as dates. Each writer renders it in its own way; what is the same for all
of them (headings, words, reasons, masks) is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import attrs
import pandas as pd

from memberops.domain import Currency
from memberops.domain.values import mask, mask_name
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
    bounded,
    nearest,
)

__all__ = ["Chart", "ChartKind", "Form", "FormColumn", "Style", "columns_for"]

Style = Literal["text", "integer", "money", "percent", "number", "date", "reasons"]
ChartKind = Literal["column", "bar", "line", "pie"]

_NUMERIC: tuple[Style, ...] = ("integer", "money", "percent", "number")
_HIDDEN = str(mask_name(""))


def _one_of(options: Iterable[str]) -> Any:
    known = tuple(options)

    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in known:
            raise InvalidValueError(
                f"{attribute.name!r} cannot be {str(value)[:20]!r}; "
                f"{nearest(str(value), known)}"
            )

    return check


@attrs.frozen(kw_only=True)
class FormColumn:
    """
    One column of a form.

    Args:
        name: Identifier, the column of the frame.
        heading_en: Heading in English.
        heading_zh: Heading in Chinese.
        style: What it holds: ``"text"``, ``"integer"``, ``"money"`` (minor units),
            ``"percent"`` (a ratio: 0.25 is 25 %), ``"number"``, ``"date"``, or
            ``"reasons"``: text such as ``"sales_year_over_year: zero"`` that says
            which figures of the row are undefined and why.
        personal: Whether it is masked unless revealed by name.
        mask: How, if it is: ``"all"`` hides it whole, ``"tail"`` leaves the last 4
            digits of a phone number.
        words: For text of a few known words: triples of the word as it is in the
            frame, in English and in Chinese. Other text is shown as it is.
        language: Given for text that exists in one language only: the column is
            shown in reports of that language and in those of both.

    >>> level = FormColumn(name="level", heading_en="Level", heading_zh="层级",
    ...     style="text", words=(("chain", "Chain", "连锁"),))
    >>> level.word("chain", "zh"), level.word("chain", "both"), level.word("S1", "en")
    ('连锁', '连锁 Chain', 'S1')
    """

    name: str
    heading_en: str
    heading_zh: str
    style: Style = attrs.field(validator=_one_of(get_args(Style)))
    personal: bool = False
    mask: Literal["all", "tail"] = attrs.field(
        default="all", validator=_one_of(("all", "tail"))
    )
    words: tuple[tuple[str, str, str], ...] = ()
    language: Literal["zh", "en"] | None = None

    def word(self, value: str, language: str) -> str:
        """Return a known word in ``"zh"``, ``"en"`` or ``"both"``, else *value*."""
        for known, english, chinese in self.words:
            if value == known:
                both = english if english == chinese else f"{chinese} {english}"
                return {"zh": chinese, "en": english}.get(language, both)
        return value

    def heading(self, language: str, *, between: str = " ") -> str:
        """Return the heading in ``"zh"``, ``"en"`` or ``"both"`` (Chinese first)."""
        if self.heading_en == self.heading_zh:
            return self.heading_en
        both = f"{self.heading_zh}{between}{self.heading_en}"
        return {"zh": self.heading_zh, "en": self.heading_en}.get(language, both)


@attrs.frozen(kw_only=True)
class Chart:
    """
    A chart of some cells of a form.

    Args:
        kind: ``"column"``, ``"bar"``, ``"line"`` or ``"pie"``.
        title_en: Title in English.
        title_zh: Title in Chinese.
        series: ``"rows"``: each row is a series and the headings of *columns* are its
            categories. ``"columns"``: each column is a series and *label* names the
            categories.
        columns: The columns with the values, neighbors in the form.
        label: The column that names the rows.
        first: Position of the first row that is drawn, from 0.
        last: Position of the last row that is drawn, included.

    Raises:
        InvalidValueError: An unknown kind or series, no column, or rows that end
            before they begin.
    """

    kind: ChartKind = attrs.field(validator=_one_of(get_args(ChartKind)))
    title_en: str
    title_zh: str
    series: Literal["rows", "columns"] = attrs.field(
        validator=_one_of(("rows", "columns"))
    )
    columns: tuple[str, ...]
    label: str
    first: int
    last: int

    def __attrs_post_init__(self) -> None:
        """Check that there is something to draw."""
        if not self.columns:
            raise InvalidValueError("a chart needs at least one column of values")
        if not 0 <= self.first <= self.last:
            raise InvalidValueError(
                f"a chart of the rows {self.first} to {self.last} shows nothing"
            )


def _form_columns(values: Iterable[FormColumn]) -> tuple[FormColumn, ...]:
    return tuple(values)


def _charts(values: Iterable[Chart]) -> tuple[Chart, ...]:
    return tuple(values)


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    # One text alone would fall apart into its letters.
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Form:
    """
    A form: its title, columns, rows and charts.

    Personal columns are masked as soon as the form is made, so that no writer can
    show what was not asked for.

    Args:
        name: Identifier, such as ``"spending_power"``.
        title_en: Title in English.
        title_zh: Title in Chinese.
        columns: The columns, in the order in which they are shown.
        frame: The rows, with exactly these columns in any order. Money is in minor
            units: ``int64``, ``Int64``, or float for an average. Dates are
            ``datetime64`` without zone. Missing cells are shown empty.
        currency: What money is in.
        charts: What to draw.
        notes_en: Remarks in English.
        notes_zh: The same in Chinese.
        revealed: Names of the personal columns that are shown in full.

    Raises:
        MissingColumnsError: The frame lacks a column.
        FrameError: The frame has a column that the form does not know, or twice.
        ColumnTypeError: A column's type does not fit its style.
        InvalidValueError: A revealed name is no personal column, or a chart names
            rows or columns that are not there.

    >>> import pandas as pd
    >>> form = Form(name="calls", title_en="Calls", title_zh="回访", columns=(
    ...     FormColumn(name="phone", heading_en="Phone", heading_zh="手机号",
    ...                style="text", personal=True, mask="tail"),),
    ...     frame=pd.DataFrame({"phone": ["13812345678"]}), currency=Currency("CNY"))
    >>> form
    Form('calls', columns=1, rows=1)
    >>> form.frame["phone"].tolist()
    ['*******5678']
    """

    name: str
    title_en: str
    title_zh: str
    columns: tuple[FormColumn, ...] = attrs.field(converter=_form_columns)
    frame: pd.DataFrame
    currency: Currency
    charts: tuple[Chart, ...] = attrs.field(default=(), converter=_charts)
    notes_en: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    notes_zh: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    revealed: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def __attrs_post_init__(self) -> None:
        """Check the frame and the charts, and mask what is personal."""
        names = [column.name for column in self.columns]
        _check_names(self.name, names, list(self.frame.columns))
        frame = self.frame[names].reset_index(drop=True)
        for column in self.columns:
            _check_type(self.name, column, frame[column.name])
        personal = {column.name: column for column in self.columns if column.personal}
        for name in self.revealed:
            if name not in personal:
                raise InvalidValueError(
                    f"{name!r} is no personal column of the form {self.name!r}; "
                    f"{nearest(name, personal)}"
                )
        for name, column in personal.items():
            if name not in self.revealed:
                frame[name] = _masked(frame[name], column)
        for chart in self.charts:
            _check_chart(self.name, chart, names, len(frame))
        object.__setattr__(self, "frame", frame)

    def title(self, language: str) -> str:
        """Return the title in ``"zh"``, ``"en"`` or ``"both"`` (Chinese first)."""
        both = f"{self.title_zh} {self.title_en}"
        return {"zh": self.title_zh, "en": self.title_en}.get(language, both)

    def notes(self, language: str) -> tuple[str, ...]:
        """Return the remarks in ``"zh"``, ``"en"`` or ``"both"``."""
        both = (*self.notes_zh, *self.notes_en)
        return {"zh": self.notes_zh, "en": self.notes_en}.get(language, both)

    def column(self, name: str) -> FormColumn:
        """
        Return one column by its name.

        Raises:
            MissingColumnsError: The form has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingColumnsError(
            self.name, [name], [column.name for column in self.columns]
        )

    def __repr__(self) -> str:
        """Name the form and its size; never its rows."""
        return (
            f"Form({self.name[:40]!r}, columns={len(self.columns)}, "
            f"rows={len(self.frame)})"
        )


def columns_for(form: Form, language: str) -> tuple[FormColumn, ...]:
    """Return the columns that a report in ``"zh"``, ``"en"`` or ``"both"`` shows."""
    return tuple(
        column
        for column in form.columns
        if language == "both" or column.language in (None, language)
    )


def _check_names(form: str, wanted: Sequence[str], given: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        raise MissingColumnsError(form, missing, [str(name) for name in given])
    unknown = [name for name in given if name not in wanted]
    if unknown:
        raise FrameError(
            f"the frame of the form {form!r} has columns that the form does not show: "
            f"{bounded(unknown)}; drop them first"
        )
    if len(set(given)) < len(given) or len(set(wanted)) < len(wanted):
        raise FrameError(f"the form {form!r} has a column twice")


def _check_type(form: str, column: FormColumn, values: pd.Series[Any]) -> None:
    fits = True
    if column.style in _NUMERIC:
        exact = values.dtype == object and all(
            isinstance(value, int) and not isinstance(value, bool)
            for value in values[values.notna()]
        )
        plain = pd.api.types.is_numeric_dtype(values)
        fits = exact or (plain and not pd.api.types.is_bool_dtype(values))
        if column.style == "integer":
            fits &= not pd.api.types.is_float_dtype(values)
    elif column.style == "date" and not column.personal:
        fits = pd.api.types.is_datetime64_dtype(values) or bool(values.isna().all())
    elif column.style == "date":
        fits = not pd.api.types.is_numeric_dtype(values)
    if not fits:
        raise ColumnTypeError(
            f"column {column.name!r} of the form {form!r} is shown as {column.style} "
            f"and cannot hold {values.dtype}"
        )


def _masked(values: pd.Series[Any], column: FormColumn) -> pd.Series[Any]:
    """Mask text; hide a date or a number whole, for its last digits tell too much."""
    tail = column.mask == "tail" and column.style == "text"
    shown = [
        None if missing else mask(value) if tail and isinstance(value, str) else _HIDDEN
        for value, missing in zip(values, values.isna(), strict=True)
    ]
    return pd.Series(shown, index=values.index, dtype="str")


def _check_chart(form: str, chart: Chart, names: Sequence[str], rows: int) -> None:
    for name in (*chart.columns, chart.label):
        if name not in names:
            raise InvalidValueError(
                f"a chart of the form {form!r} draws {name!r}; {nearest(name, names)}"
            )
    at = [names.index(name) for name in chart.columns]
    if at != list(range(at[0], at[0] + len(at))):
        raise InvalidValueError(
            f"a chart of the form {form!r} draws columns that are not neighbors: "
            f"{bounded(chart.columns)}"
        )
    if chart.last >= rows:
        raise InvalidValueError(
            f"a chart of the form {form!r} draws row {chart.last} of {rows}"
        )
