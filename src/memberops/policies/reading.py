"""What every rule can do: weigh one case, judge a frame, and say why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import narwhals as nw

from memberops.domain import Currency, Money, Reason
from memberops.domain.values import Language, check_language
from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
    nearest,
)

if TYPE_CHECKING:
    from memberops.policies.condition import AtLeast

__all__ = ["Figure", "Phrases", "Reading", "Rule"]

Figure: TypeAlias = int | str | Decimal | Money | None
"""A figure of one case: a count, an amount in major units, or None if unknown."""

Phrases: TypeAlias = tuple[str, str]
"""The same words in English and in Chinese."""


@attrs.frozen(kw_only=True)
class Reading:
    """
    What a rule says of one case; sentences are written when they are read.

    Args:
        rule: The rule.
        units: The figures that it weighed: counts and minor units, None if unknown.
        met: Whether the rule holds.
    """

    rule: Rule
    units: tuple[tuple[str, int | None], ...]
    met: bool

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """One for each condition, in the rule's order."""
        units = dict(self.units)
        return tuple(
            condition.reason(units[condition.figure])
            for condition in self.rule.conditions
        )

    def text(self, language: Language = "en") -> str:
        """Write in one phrase what holds, or what is still missing."""
        return self.texts()[check_language(language) == "zh"]

    def texts(self) -> Phrases:
        """Write it in English and in Chinese."""
        if self.met:
            held = [reason for reason in self.reasons if reason.met]
            english = "; ".join(reason.text_en for reason in held)
            return english, "；".join(reason.text_zh for reason in held)
        units = dict(self.units)
        full = None in units.values()
        english, chinese = self.rule.phrases(units, full=full)
        return english, chinese if full else f"还差 {chinese}"


class Rule(ABC):
    """A condition or a group of them: `AtLeast`, `AnyOf` or `AllOf`."""

    __slots__ = ()

    @property
    @abstractmethod
    def conditions(self) -> tuple[AtLeast, ...]:
        """The single conditions, in order."""

    @abstractmethod
    def holds(self, units: Mapping[str, int | None]) -> bool:
        """Tell whether it holds for figures in whole units."""

    @abstractmethod
    def expression(self) -> nw.Expr:
        """
        Give the rule as a narwhals expression over columns in whole units.

        It is true or false in every row, never null: what is unknown is not met.
        """

    @abstractmethod
    def in_currency(self, currency: Currency) -> Rule:
        """Return the rule with its amounts of money in a currency, if they had none."""

    @abstractmethod
    def phrases(self, units: Mapping[str, int | None], *, full: bool) -> Phrases:
        """
        Phrase what is missing, in English and Chinese.

        Args:
            units: The figures in whole units.
            full: Whether each Chinese phrase carries its own "还差".
        """

    def read(self, figures: Mapping[str, Figure]) -> Reading:
        """
        Weigh one case and say why.

        Args:
            figures: The figures by name: counts as whole numbers, amounts in major
                units (Decimal, text, whole number) or as `Money`; None if unknown.

        Raises:
            InvalidValueError: A figure that the rule needs is not given, or is a
                float or bool.
            CurrencyMismatchError: An amount is in another currency.

        >>> from memberops.policies import AnyOf, AtLeast
        >>> rule = AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000))
        >>> reading = rule.in_currency(Currency("CNY")).read(
        ...     {"purchases": 2, "spend": "770.00"})
        >>> reading.met, reading.text("en"), reading.text("zh")
        (False, '1 more purchase, or 230.00 more', '还差 1 次消费或 230.00 元')
        """
        return self.weigh(self.units(figures))

    def units(self, figures: Mapping[str, Figure]) -> dict[str, int | None]:
        """Convert the figures that the rule needs to whole units, exactly."""
        result: dict[str, int | None] = {}
        for condition in self.conditions:
            name = condition.figure
            if name not in figures:
                raise InvalidValueError(
                    f"the rule needs the figure {name!r} (None if it is unknown); "
                    f"{nearest(name, figures)}"
                )
            result[name] = condition.to_units(figures[name])
        return result

    def weigh(self, units: Mapping[str, int | None]) -> Reading:
        """Weigh one case whose figures are whole units: counts and minor units."""
        return Reading(rule=self, units=tuple(units.items()), met=self.holds(units))

    def shortfalls(self) -> tuple[nw.Expr, ...]:
        """
        Give what each figure still lacks, as columns ``missing_<figure>`` of a frame.

        A figure that has reached its threshold lacks 0, one that is unknown null.
        Where a rule names a figure twice, its highest threshold counts.
        """
        limits: dict[str, int] = {}
        for condition in self.conditions:
            name, limit = condition.figure, condition.limit
            limits[name] = max(limit, limits.get(name, limit))
        return tuple(
            nw.when(nw.col(name) >= limit)
            .then(nw.lit(0, nw.Int64))
            .otherwise(nw.lit(limit, nw.Int64) - nw.col(name))
            .alias(f"missing_{name}")
            for name, limit in limits.items()
        )

    def check_frame(self, frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> None:
        """
        Refuse a frame that lacks a figure of the rule, or holds floats.

        Raises:
            MissingColumnsError: A figure has no column.
            ColumnTypeError: A figure is not a column of whole numbers.
        """
        schema = frame.collect_schema()
        names = [condition.figure for condition in self.conditions]
        missing = [name for name in dict.fromkeys(names) if name not in schema]
        if missing:
            raise MissingColumnsError("figures", missing, schema.names())
        for name in names:
            if not schema[name].is_integer():
                raise ColumnTypeError(
                    f"column {name!r} of the figures frame is {schema[name]}; it must "
                    "hold whole numbers (money in minor units), with gaps as nullable "
                    "integers: column.astype('Int64')"
                )
