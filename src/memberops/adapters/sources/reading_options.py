"""How a source's columns become those of a table: what a chain file may say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

import attrs

from memberops.adapters.sources.choice_words import check_known
from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.conversion import (
    MISSING_WORDS,
    NOBODY_WORDS,
    Converter,
)
from memberops.adapters.sources.currency_column import check_currency_column
from memberops.adapters.sources.date_values import check_date_format
from memberops.adapters.sources.drop_rules import DropRule, drop_rules
from memberops.adapters.sources.headings import check_names
from memberops.adapters.sources.joined_text import (
    check_compositions,
    check_joins,
    composed_text,
    joined_text,
)
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.return_lines import ReturnRule, return_rule
from memberops.domain import Currency
from memberops.errors import ConfigurationError, nearest
from memberops.tables import Kind, Table
from memberops.tables import table as table_named

__all__ = [
    "OPTIONS",
    "TO_FILL_IN",
    "Mapped",
    "ReadingOptions",
    "check_filled_in",
    "unit_worth",
]

TO_FILL_IN = "..."
"""What stands in a proposed option where somebody has to say a word; no value."""

_UNITS = {
    "major": Decimal(1),
    "元": Decimal(1),
    "角": Decimal("0.1"),
    "十元": Decimal(10),
    "百元": Decimal(100),
    "thousand": Decimal(1000),
    "千元": Decimal(1000),
    "万元": Decimal(10_000),
    "十万元": Decimal(100_000),
    "million": Decimal(1_000_000),
    "百万元": Decimal(1_000_000),
    "千万元": Decimal(10_000_000),
    "亿元": Decimal(100_000_000),
}
_MINOR = ("minor", "分")


class Mapped(TypedDict, total=False):
    """
    What a caller or a chain file may say of the columns of a source.

    Attributes:
        columns: The source's heading for a canonical column, where it is not a usual
            one; ``"金额#2"`` is the second column with that heading.
        join: Headings of a day and of a time, by the canonical column of moments
            that both make together, as in ``{"sold_at": ("日期", "时间")}``.
        compose: Headings whose texts, joined by dashes, make an id: a ticket's of
            store, day and number, as in ``{"ticket_id": ("门店", "日期", "流水号")}``.
        date_format: ``"day-first"``, ``"month-first"``, ``"excel"`` (in a
            workbook by its own calendar), ``"excel-1904"``, or a pattern such as
            ``"%d/%m/%y"``, for all date columns or by column. Only needed
            for dates that do not begin with the year and prove no order.
        constants: Values, as text, of columns that the source lacks.
        values: By canonical column, the source's word and ours, as in
            ``{"kind": {"退": "return"}}``.
        units: By column of money ``"minor"`` (``"分"``), ``"major"`` (``"元"``, the
            default), ``"thousand"`` (``"千元"``), ``"万元"``, ``"million"`` and so
            on. A cell that names another unit is refused. Where it is not said, a
            unit in the heading counts, as in 金额(分).
        drop: Rows to leave out knowingly (`DropRule`, or its fields).
        returns: What marks lines of sales as returns although their amounts are
            positive (`ReturnRule`, or its fields), as in
            ``{"column": "类型", "equals": ["退货", "退款"]}``.
        currency_column: The heading of the column that names the currency of each
            row, where it is not a usual one such as 币种, which is taken by itself if
            it holds nothing but currencies; ``""`` if no column is to be taken.
        missing: Words that mean "no value", besides the empty cell.
        nobody: Words that mean "no member" where a member is named, such as 散客 and
            ``"-"``; case, width and repeated zeros or dashes do not matter.
            `memberops.adapters.sources.column_values.NOBODY_WORDS` by default.
        limits: Bounds of reading.
    """

    columns: Mapping[str, str] | None
    join: Mapping[str, Sequence[str]] | None
    compose: Mapping[str, Sequence[str]] | None
    date_format: str | Mapping[str, str] | None
    constants: Mapping[str, str] | None
    values: Mapping[str, Mapping[str, str]] | None
    units: Mapping[str, str] | None
    drop: Iterable[DropRule | Mapping[str, Any]]
    returns: ReturnRule | Mapping[str, Any] | None
    currency_column: str | None
    missing: Iterable[str]
    nobody: Iterable[str]
    limits: ReadingLimits | Mapping[str, Any] | None


OPTIONS = tuple(Mapped.__annotations__)
"""Names of the options that all sources of tables share."""


@attrs.frozen(kw_only=True)
class ReadingOptions:
    """
    The mapping of a source's columns, checked against the table.

    Args:
        converter: Makes values of the text.
        columns: The source's heading for a canonical column.
        joins: Headings of day and time, by canonical column of moments.
        compositions: Headings whose texts together make an id, by canonical column.
        values: The source's words for values, by canonical column.
        units: The unit that was said of columns of money, by canonical column.
        limits: Bounds of reading.
    """

    converter: Converter
    columns: Mapping[str, str]
    joins: Mapping[str, tuple[str, ...]]
    compositions: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Mapping[str, str]]
    units: Mapping[str, str]
    limits: ReadingLimits

    @classmethod
    def of(
        cls,
        table: str | Table,
        *,
        currency: Currency,
        zone: ZoneInfo,
        **mapping: Unpack[Mapped],
    ) -> ReadingOptions:
        """
        Check what a caller or a chain file says of a table.

        Args:
            table: The canonical table, or its name.
            currency: Currency of the amounts.
            zone: Zone in which local times are read and days begin.
            **mapping: See `Mapped`.

        Raises:
            ConfigurationError: An option names what does not exist, two options
                give one column, or a word was left `TO_FILL_IN`.
            UnknownTableError: No canonical table has that name.

        >>> cny = Currency("CNY")
        >>> options = ReadingOptions.of("sales", currency=cny,
        ...     zone=ZoneInfo("Asia/Shanghai"), units={"amount": "分"})
        >>> options.converter.units
        {'amount': Decimal('0.01')}
        """
        canonical = table_named(table) if isinstance(table, str) else table
        for name in mapping:
            if name not in OPTIONS:
                raise ConfigurationError(
                    f"no option of reading is called {name[:40]!r}; "
                    f"{nearest(name, OPTIONS)}"
                )
        columns = dict(mapping.get("columns") or {})
        constants = dict(mapping.get("constants") or {})
        for name, text in constants.items():
            check_filled_in(
                "constants", name, [text], "the value of all rows", "每行的值"
            )
        taken = {*columns, *constants}
        joins = check_joins(mapping.get("join"), canonical, taken=taken)
        compositions = check_compositions(
            mapping.get("compose"), canonical, taken={*taken, *joins}
        )
        return cls(
            converter=Converter(
                table=canonical,
                currency=currency,
                zone=zone,
                date_formats=_date_formats(mapping.get("date_format"), canonical),
                units=_worths(mapping.get("units"), canonical, currency),
                constants=constants,
                drop=drop_rules(mapping.get("drop", ())),
                returns=return_rule(mapping.get("returns"), canonical),
                currency_column=check_currency_column(
                    mapping.get("currency_column"), canonical
                ),
                missing=tuple(mapping.get("missing", MISSING_WORDS)),
                nobody=tuple(mapping.get("nobody", NOBODY_WORDS)),
            ),
            columns=columns,
            joins=joins,
            compositions=compositions,
            values=_words(
                mapping.get("values"), canonical, mapping.get("missing", MISSING_WORDS)
            ),
            units=dict(mapping.get("units") or {}),
            limits=ReadingLimits.of(mapping.get("limits")),
        )

    @property
    def made(self) -> tuple[str, ...]:
        """Canonical columns that are made of several of the source."""
        return (*self.joins, *self.compositions)

    @property
    def headings_ruled(self) -> tuple[str, ...]:
        """Headings that rules about rows name; a drop rule may name ours instead."""
        own = self.converter
        named = [rule.column for rule in own.drop]
        named += [own.returns.column] if own.returns else []
        ruled = [name for name in named if name not in own.table.names]
        return (*ruled, *([own.currency_column] if own.currency_column else []))

    @property
    def headings_joined(self) -> tuple[str, ...]:
        """Headings that `made` columns are made of."""
        parts = (*self.joins.values(), *self.compositions.values())
        return tuple(heading for each in parts for heading in each)

    def joined(self, texts: Mapping[str, TextColumn]) -> dict[str, TextColumn]:
        """Make the columns of `made` of the texts by heading."""
        missing = self.converter.missing
        made = {
            name: joined_text(texts[day], texts[time], missing=missing)
            for name, (day, time) in self.joins.items()
        }
        for name, parts in self.compositions.items():
            made[name] = composed_text([texts[part] for part in parts], missing=missing)
        return made

    def translated(self, columns: Mapping[str, TextColumn]) -> dict[str, TextColumn]:
        """Put the source's words into ours; other text stays as it is."""
        given = dict(columns)
        for name, words in self.values.items():
            if name in given:
                texts = [words.get(text.strip(), text) for text in given[name].texts]
                given[name] = TextColumn(given[name].codes, texts)
        return given


def _date_formats(
    given: str | Mapping[str, str] | None, table: Table
) -> dict[str, str]:
    dated = [c.name for c in table.columns if c.kind in (Kind.DATE, Kind.INSTANT)]
    if given is None:
        return {}
    formats = dict.fromkeys(dated, given) if isinstance(given, str) else dict(given)
    check_names("date_format", formats, table)
    return {name: check_date_format(text) for name, text in formats.items()}


def _words(
    given: Mapping[str, Mapping[str, str]] | None, table: Table, missing: Iterable[str]
) -> dict[str, dict[str, str]]:
    check_names("values", given or {}, table)
    found: dict[str, dict[str, str]] = {}
    for name, words in (given or {}).items():
        if not isinstance(words, Mapping):
            raise ConfigurationError(
                f"'values' of {name!r} is a table of the source's word and ours, as "
                f'in values.{name} = {{ "已付" = "paid" }}'
            )
        found[name] = {str(theirs).strip(): str(own) for theirs, own in words.items()}
        meant = sorted({word for _, word in table.column(name).choices})
        check_filled_in(
            "values",
            name,
            found[name].values(),
            f"one of {', '.join(meant)}" if meant else "the word that is meant",
            f" {'、'.join(meant)} 之一" if meant else "对应的取值",
        )
        if meant:
            nothing = {"", *missing}
            check_known(name, found[name].values(), table.column(name), nothing)
    return found


def check_filled_in(
    option: str, name: str, texts: Iterable[object], what_en: str, what_zh: str
) -> None:
    """
    Refuse what was proposed and not filled in: it would be taken as it stands.

    Args:
        option: As a chain file names it.
        name: The entry of it.
        texts: What the entry says.
        what_en: What belongs there.
        what_zh: The same in Chinese.

    Raises:
        ConfigurationError: A text is `TO_FILL_IN`.

    >>> check_filled_in("since", "field", ["..."], "a parameter", "参数")
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'field' in 'since' still says "..." where a \
parameter belongs: fill it in, or take the entry out
    """
    if any(str(text).strip() == TO_FILL_IN for text in texts):
        raise ConfigurationError(
            f'{name[:40]!r} in {option!r} still says "{TO_FILL_IN}" where {what_en} '
            "belongs: fill it in, or take the entry out"
        ).in_chinese(
            f"{option} 的 {name[:40]!r} 仍为“{TO_FILL_IN}”，此处应为{what_zh}："
            "请填写，或删去该项"
        )


def unit_worth(unit: str, currency: Currency) -> Decimal:
    """
    Return what one of a unit of amounts is worth, in the currency.

    Args:
        unit: As the option ``units`` names it.
        currency: Of the amounts.

    Raises:
        ConfigurationError: There is no such unit.

    >>> unit_worth("万元", Currency("CNY")), unit_worth("分", Currency("CNY"))
    (Decimal('10000'), Decimal('0.01'))
    """
    if unit in _MINOR:
        return Decimal(1).scaleb(-currency.digits)
    if unit not in _UNITS:
        raise ConfigurationError(
            f"no unit is called {str(unit)[:20]!r}; "
            f"{nearest(str(unit), (*_UNITS, *_MINOR))}"
        )
    return _UNITS[unit]


def _worths(
    given: Mapping[str, str] | None, table: Table, currency: Currency
) -> dict[str, Decimal]:
    check_names("units", given or {}, table)
    found: dict[str, Decimal] = {}
    for name, unit in (given or {}).items():
        if table.column(name).kind is not Kind.MONEY:
            raise ConfigurationError(
                f"'units' are of amounts, and {name!r} of {table.name} holds none"
            )
        worth = unit_worth(unit, currency)
        if worth != 1:
            found[name] = worth
    return found
