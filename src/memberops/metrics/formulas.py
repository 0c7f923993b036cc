"""
Formulas: ratios that keep their numerator and denominator.

A formula is a value (`Figure`) whose two parts read named base figures. The same value
is read for plain numbers (`evaluate`) and for a whole frame (`with_figures`), so a
figure checked by hand and a figure in a report come from one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import attrs
import pandas as pd

from memberops.domain.money import round_half_up
from memberops.errors import InvalidValueError, MissingColumnsError

__all__ = ["Figure", "Ratio", "evaluate", "growth", "ratio", "with_figures", "working"]

Number = int | Decimal | Fraction
Unknown = Literal["zero", "unknown"]

_REASONS_ZH = {"zero": "分母为零", "unknown": "缺少所需数据"}
_REASONS_EN = {"zero": "the denominator is zero", "unknown": "a figure is unknown"}


@attrs.frozen
class Ratio:
    """
    A quotient that keeps its parts; undefined, with a reason, rather than infinite.

    Args:
        numerator: Exact, or None if it is unknown.
        denominator: Exact, or None if it is unknown.

    >>> Ratio(500_000, 480_000).percent(1)
    Decimal('104.2')
    >>> Ratio(5, 0).value is None, Ratio(5, 0).explain("zh")
    (True, '分母为零')
    """

    numerator: Fraction | int | None
    denominator: Fraction | int | None

    @property
    def reason(self) -> Unknown | None:
        """``"zero"`` or ``"unknown"`` if it is undefined, else None."""
        if self.numerator is None or self.denominator is None:
            return "unknown"
        return "zero" if self.denominator == 0 else None

    @property
    def value(self) -> Fraction | None:
        """The exact quotient, or None if it is undefined."""
        if self.numerator is None or not self.denominator:
            return None
        return Fraction(self.numerator) / Fraction(self.denominator)

    def decimal(self, digits: int = 4) -> Decimal | None:
        """Round half up, once, to *digits* decimal digits; None if undefined."""
        value = self.value
        if value is None:
            return None
        units = round_half_up(value * 10**digits)
        # Built from its digits: a host may have changed the decimal context.
        figures = tuple(int(each) for each in str(abs(units)))
        return Decimal((int(units < 0), figures, -digits))

    def percent(self, digits: int = 1) -> Decimal | None:
        """Round to a percentage with *digits* decimal digits; None if undefined."""
        if self.numerator is None or self.denominator is None:
            return None
        return Ratio(self.numerator * 100, self.denominator).decimal(digits)

    def explain(self, language: str = "en") -> str:
        """Write the quotient, or why there is none, in English or Chinese."""
        if self.reason is not None:
            return (_REASONS_ZH if language == "zh" else _REASONS_EN)[self.reason]
        return f"{self.numerator} / {self.denominator} = {self.decimal()}"


def _exact(value: Number | Ratio | None) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, Ratio):
        return value.value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, Fraction)):
        raise InvalidValueError(
            "a figure must be a whole number, Decimal or Fraction, "
            f"not a {type(value).__name__}: floats carry no exact value"
        )
    return Fraction(value)


def _plain(value: Fraction | None) -> Fraction | int | None:
    if value is not None and value.denominator == 1:
        return value.numerator
    return value


def ratio(
    numerator: Number | Ratio | None, denominator: Number | Ratio | None
) -> Ratio:
    """
    Divide two exact figures.

    Raises:
        InvalidValueError: One of them is a float.

    >>> ratio(400_000, 1000).value
    Fraction(400, 1)
    """
    return Ratio(_plain(_exact(numerator)), _plain(_exact(denominator)))


def growth(current: Number | Ratio | None, base: Number | Ratio | None) -> Ratio:
    """
    Return (current - base) / base (HQ §5.3).

    >>> growth(350_000, 250_000).percent()
    Decimal('40.0')
    """
    now, before = _exact(current), _exact(base)
    change = None if now is None or before is None else now - before
    return Ratio(_plain(change), _plain(before))


@attrs.frozen(kw_only=True)
class Figure:
    """
    A figure of a form: its name and the two parts of its formula.

    The parts are functions of a mapping of base figures; they use only whole-number
    arithmetic, and so read exact numbers and the rows of a frame alike.

    Args:
        name: Identifier, the column it makes.
        numerator: From the base figures.
        denominator: From the base figures.
        formula_en: The formula in words, for whoever audits it.
        formula_zh: The same in Chinese.
        style: ``"percent"``, ``"money"`` (minor units) or ``"number"``.
        heading_en: Heading in English.
        heading_zh: Heading in Chinese.
        needs: The base figures that it reads.
    """

    name: str
    heading_en: str
    heading_zh: str
    numerator: Callable[[Mapping[str, Any]], Any] = attrs.field(repr=False)
    denominator: Callable[[Mapping[str, Any]], Any] = attrs.field(repr=False)
    needs: tuple[str, ...]
    formula_en: str
    formula_zh: str
    style: Literal["percent", "money", "number"] = "percent"


def evaluate(
    figures: Sequence[Figure], base: Mapping[str, Number | None]
) -> dict[str, Ratio]:
    """
    Compute figures from plain numbers.

    Args:
        figures: The formulas.
        base: Base figures by name; one that is absent or None is unknown.

    Returns:
        A `Ratio` per figure name.

    Raises:
        InvalidValueError: A base figure is a float.
    """
    exact = {name: _exact(value) for name, value in base.items()}
    result = {}
    for figure in figures:
        if any(exact.get(name) is None for name in figure.needs):
            result[figure.name] = Ratio(None, None)
            continue
        result[figure.name] = Ratio(
            _plain(figure.numerator(exact)), _plain(figure.denominator(exact))
        )
    return result


def _records(frame: pd.DataFrame, names: set[str]) -> list[dict[str, Any]]:
    """Give each row's base figures as plain numbers; None is unknown."""
    columns = {}
    for name in names:
        values = frame[name].astype(object)
        columns[name] = values.where(values.notna(), None).tolist()
    return [
        {name: values[row] for name, values in columns.items()}
        for row in range(len(frame))
    ]


def _parts(
    figure: Figure, records: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Any, Any]]:
    """Give numerator and denominator of each row; None where they are unknown."""
    for base in records:
        if any(base[name] is None for name in figure.needs):
            yield None, None
        else:
            yield figure.numerator(base), figure.denominator(base)


def with_figures(frame: pd.DataFrame, figures: Sequence[Figure]) -> pd.DataFrame:
    """
    Add figures to a frame of base figures.

    Args:
        frame: Whole-number columns, one row a level, key and period; an unknown
            base figure is missing there.
        figures: The formulas.

    Returns:
        The frame with a float column per figure, NaN where it is undefined, and
        ``undefined``: text that says why, such as ``"sales_target_attainment:
        unknown"``, several joined by ``"; "``.

    Raises:
        MissingColumnsError: A base figure has no column.
    """
    needs = {name for figure in figures for name in figure.needs}
    missing = sorted(needs - set(frame.columns))
    if missing:
        raise MissingColumnsError("figures", missing, frame.columns)
    records = _records(frame, needs)
    columns: dict[str, Any] = {}
    why = [""] * len(frame)
    for figure in figures:
        values = []
        for row, (numerator, denominator) in enumerate(_parts(figure, records)):
            if denominator:
                values.append(numerator / denominator)
                continue
            values.append(float("nan"))
            reason = "unknown" if denominator is None else "zero"
            why[row] += f"; {figure.name}: {reason}"
        columns[figure.name] = pd.Series(values, index=frame.index, dtype="float64")
    columns["undefined"] = pd.Series(
        [text.removeprefix("; ") for text in why], index=frame.index, dtype="str"
    )
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def working(
    frame: pd.DataFrame, figures: Sequence[Figure], *, keys: Sequence[str] = ()
) -> pd.DataFrame:
    """
    Show how each figure was made: inputs, formula, result (HQ, "audit").

    Args:
        frame: What an analysis returned, with its base figures.
        figures: The formulas of that analysis, such as
            `memberops.metrics.SPENDING_POWER`.
        keys: Columns that name a row; level, key and period by default.

    Returns:
        One row per row of *frame* and figure: the keys, ``figure``, ``numerator``,
        ``denominator`` (exact), ``value`` (float, NaN if undefined), ``reason``
        (``""``, ``"zero"`` or ``"unknown"``), ``formula_en``, ``formula_zh``.
    """
    names = [*keys] or [
        name for name in ("level", "key", "period") if name in frame.columns
    ]
    if not figures:
        return pd.DataFrame()
    records = _records(frame, {name for figure in figures for name in figure.needs})
    pairs, named = [], []
    for figure in figures:
        pairs += [Ratio(*parts) for parts in _parts(figure, records)]
        named += [figure] * len(records)
    values = [pair.value for pair in pairs]
    rows = pd.concat([frame[names]] * len(figures), ignore_index=True)
    return rows.assign(
        figure=pd.Series([each.name for each in named], dtype="str"),
        numerator=pd.Series([pair.numerator for pair in pairs], dtype=object),
        denominator=pd.Series([pair.denominator for pair in pairs], dtype=object),
        value=pd.Series(
            [float("nan") if value is None else float(value) for value in values],
            dtype="float64",
        ),
        reason=pd.Series([pair.reason or "" for pair in pairs], dtype="str"),
        formula_en=pd.Series([each.formula_en for each in named], dtype="str"),
        formula_zh=pd.Series([each.formula_zh for each in named], dtype="str"),
    )
