"""One condition: a figure reaches a threshold."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

import attrs
import narwhals as nw

from memberops.domain import Currency, Money, Reason
from memberops.errors import CurrencyMismatchError, InvalidValueError
from memberops.policies.reading import Figure, Phrases, Rule
from memberops.policies.wording import Words, amount_text, words_for

__all__ = ["AtLeast"]

_MONEY_FIGURES = frozenset({"spend"})
_INT64 = 2**63 - 1
_SHORT = 18


def _threshold(value: Any) -> Decimal:
    if isinstance(value, (bool, float)) or not isinstance(value, (int, str, Decimal)):
        raise InvalidValueError(
            "a threshold must be a whole number, a decimal text or a Decimal, "
            f"not a {type(value).__name__}"
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidValueError(
            f"{str(value)[:40]!r} is not a plain decimal number"
        ) from None
    if not number.is_finite():
        raise InvalidValueError(f"a threshold must be finite, not {number}")
    return number


def _figure_name(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, str) or not value.isidentifier():
        raise InvalidValueError(
            "a figure is named like a column, such as 'purchases', "
            f"not {str(value)[:40]!r}"
        )


@attrs.frozen
class AtLeast(Rule):
    """
    The condition that a figure reaches a threshold.

    Args:
        figure: Name of the figure, which is its column in a frame.
        threshold: A whole number for counts; an amount in major units for money.
            0 is meant as it stands: it holds whenever the figure is known.
        currency: What an amount is in; None for counts. ``"spend"`` is money and
            takes the currency of the policy that it is given to.
        words: How sentences name the figure; known for the usual ones.

    Raises:
        InvalidValueError: The threshold is a float or bool, or has more digits than
            its currency; the figure is no name.

    >>> AtLeast("purchases", 3).read({"purchases": 2}).reasons[0].text("zh")
    '还差 1 次消费（已有 2，需 3）'
    >>> AtLeast("purchases", 3).read({"purchases": None}).text()
    'purchases unknown'
    """

    figure: str = attrs.field(validator=_figure_name)
    threshold: Decimal = attrs.field(converter=_threshold, repr=str)
    currency: Currency | None = attrs.field(
        default=None,
        kw_only=True,
        validator=attrs.validators.optional(attrs.validators.instance_of(Currency)),
    )
    words: Words = attrs.field(
        default=attrs.Factory(lambda self: words_for(self.figure), takes_self=True),
        kw_only=True,
        repr=False,
    )

    def __attrs_post_init__(self) -> None:
        """Refuse now what could never be compared later."""
        if self.currency is not None or self.figure not in _MONEY_FIGURES:
            _ = self.limit

    @cached_property
    def limit(self) -> int:
        """The threshold in whole units: a count, or minor units."""
        if self.currency is not None:
            return self.currency.to_minor(self.threshold)
        if self.figure in _MONEY_FIGURES:
            raise InvalidValueError(
                f"{self.figure!r} is money and has no currency yet: "
                "rule.in_currency(Currency('CNY')) gives it one"
            )
        limit = int(self.threshold) if abs(self.threshold) <= _INT64 else 0
        if limit != self.threshold:
            raise InvalidValueError(
                f"{self.figure!r} is counted in whole numbers of 64 bits, not in "
                f"{str(self.threshold)[:40]}; for an amount of money give currency="
            )
        return limit

    @cached_property
    def conditions(self) -> tuple[AtLeast, ...]:
        """This one condition."""
        return (self,)

    @cached_property
    def _need(self) -> Phrases:
        return self._text(self.limit)

    def in_currency(self, currency: Currency) -> AtLeast:
        """Return the condition in a currency, if it is about money and has none."""
        if self.currency is None and self.figure in _MONEY_FIGURES:
            return attrs.evolve(self, currency=currency)
        return self

    def to_units(self, value: Figure) -> int | None:
        """Convert one figure to whole units, exactly; None stays unknown."""
        if value is None:
            return None
        if self.currency is not None:
            if type(value) is str and value.isascii() and len(value) < _SHORT:
                # A till's "770.00" needs no Decimal; what is odd takes the long way.
                whole, _, rest = value.partition(".")
                if len(rest) == self.currency.digits and (whole + rest).isdigit():
                    return int(whole + rest)
            if not isinstance(value, Money):
                return self.currency.to_minor(value)
            if value.currency != self.currency:
                raise CurrencyMismatchError(
                    f"{self.figure!r} is weighed in {self.currency.code}, "
                    f"not in {value.currency.code}"
                )
            return value.minor
        if type(value) is int:
            return value
        try:
            # A bool is an index too, but no count.
            return operator.index(None if isinstance(value, bool) else value)  # type: ignore[arg-type]
        except TypeError:
            raise InvalidValueError(
                f"{self.figure!r} must be a whole number or None, "
                f"not a {type(value).__name__}"
            ) from None

    def holds(self, units: Mapping[str, int | None]) -> bool:
        """Tell whether the figure is known and reaches the threshold."""
        value = units[self.figure]
        return value is not None and value >= self.limit

    def expression(self) -> nw.Expr:
        """Give the condition as an expression that is never null."""
        return (nw.col(self.figure) >= self.limit).fill_null(value=False)

    def phrases(self, units: Mapping[str, int | None], *, full: bool) -> Phrases:
        """Phrase what the figure lacks, or that it is unknown."""
        value = units[self.figure]
        if value is None:
            return f"{self.words.name_en} unknown", f"{self.words.name_zh}未知"
        english, chinese = self._lacking(self.limit - value)
        return english, f"还差 {chinese}" if full else chinese

    def reason(self, value: int | None) -> Reason:
        """Say how one figure in whole units stands to the threshold."""
        words, (need, need_zh) = self.words, self._need
        if value is None:
            return Reason(
                rule=self.figure,
                met=False,
                figures=(("have", "unknown"), ("need", need)),
                text_en=f"{words.name_en} unknown ({need} needed)",
                text_zh=f"{words.name_zh}未知（需 {need_zh}）",
            )
        have, have_zh = self._text(value)
        missing = self.limit - value
        if missing <= 0:
            return Reason(
                rule=self.figure,
                met=True,
                figures=(("have", have), ("need", need), ("missing", "0")),
                text_en=f"{self._reached(value)} ({need} needed)",
                text_zh=f"{words.name_zh} {have_zh}（需 {need_zh}）",
            )
        english, chinese = self._lacking(missing)
        return Reason(
            rule=self.figure,
            met=False,
            figures=(
                ("have", have),
                ("need", need),
                ("missing", self._text(missing)[0]),
            ),
            text_en=f"{english} ({have} of {need})",
            text_zh=f"还差 {chinese}（已有 {have_zh}，需 {need_zh}）",
        )

    def _text(self, value: int) -> Phrases:
        if self.currency is None:
            return (text := str(value)), text
        text = amount_text(value, self.currency)
        return text, f"{text} {self.currency.unit_zh}"

    def _reached(self, value: int) -> str:
        have = self._text(value)[0]
        if self.currency is None:
            return f"{have} {self.words.unit(value)}"
        return f"{self.words.name_en} {have}"

    def _lacking(self, missing: int) -> Phrases:
        words = self.words
        text, text_zh = self._text(missing)
        if self.currency is None:
            return f"{text} more {words.unit(missing)}", f"{text} {words.unit_zh}"
        if self.figure in _MONEY_FIGURES:
            return f"{text} more", text_zh
        return f"{text} more {words.name_en}", f"{text_zh}{words.name_zh}"
