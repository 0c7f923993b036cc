"""What unit the amounts of each column have: by an option, or by their heading."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.heading_units import HeadingUnit, heading_unit
from memberops.adapters.sources.headings import HeadingMap, shown_heading
from memberops.adapters.sources.reading_options import ReadingOptions, unit_worth
from memberops.domain import Severity
from memberops.tables import Column, Kind, normal_heading

__all__ = ["settle_units"]

# Beside a count these are as many things as they say, and nobody reads 3 as 30 000.
_MULTIPLES = ("百", "千", "万", "萬", "亿", "億", "k", "thousand", "million", "打")


def settle_units(
    place: HeadingMap,
    headings: Sequence[str],
    options: ReadingOptions,
    log: FindingLog,
    *,
    line: int | None = None,
    above: HeadingUnit | None = None,
) -> tuple[ReadingOptions, dict[str, Reason]]:
    """
    Take the unit of amounts from their headings, where no option gives one.

    A heading in another currency than the chain's blocks its column: the caller has
    to convert it, or to say in ``units`` what its amounts are. What stands in a
    bracket and is no unit, as 含税, is told.

    Args:
        place: Where the columns stand.
        headings: As they stand.
        options: What the caller chose.
        log: Takes the findings.
        line: Where the headings stand.
        above: A unit that stands above the headings, for all amounts.

    Returns:
        The options with the units, and the columns that cannot be used, with why.
    """
    units = dict(options.converter.units)
    blocked: dict[str, Reason] = {}
    for name, positions in place.places.items() if headings else ():
        column = options.converter.table.column(name)
        if column.kind is Kind.INTEGER:
            _tell_multiples(column, headings[positions[0]], log, line)
        elif column.kind is Kind.MONEY:
            amounts = _Amounts(
                column=column,
                headings=tuple(headings[at] for at in positions),
                options=options,
                above=above,
            )
            found = amounts.settled(log, line)
            if isinstance(found, Reason):
                blocked[name] = found
                log.add(
                    found.rule,
                    found.text_en,
                    found.text_zh,
                    severity=Severity.ERROR,
                    row=line,
                    column=name,
                )
            elif found is not None:
                units[name] = found
    converter = attrs.evolve(options.converter, units=units)
    return attrs.evolve(options, converter=converter), blocked


@attrs.frozen(kw_only=True)
class _Amounts:
    """
    One column of amounts.

    Args:
        column: The canonical column.
        headings: Of the columns that mean it.
        options: What the caller chose.
        above: A unit that stands above the headings.
    """

    column: Column
    headings: tuple[str, ...]
    options: ReadingOptions
    above: HeadingUnit | None

    def settled(self, log: FindingLog, line: int | None) -> Decimal | Reason | None:
        """Return what one is worth if its heading tells, or why that is unknown."""
        name = self.column.name
        known = [normal_heading(each) for each in self.column.headings]
        found = {heading_unit(heading, known) for heading in self.headings}
        given = self.options.units.get(name)
        if len({self._worth(unit) for unit in found}) > 1:
            return None if given is not None else self._several()
        unit, shown = next(iter(found)), shown_heading(self.headings[0])
        if unit is None and given is None and self.above is not None:
            unit, shown = self.above, self.above.word
        if given is not None:
            currency = self.options.converter.currency
            if unit and self._worth(unit) != unit_worth(given, currency):
                self._tell_overruled(shown, given, log, line)
            return None
        if unit is None or not unit.option:
            if unit and name not in self.options.columns:
                self._tell_unread(shown, log, line)
            return None
        worth = self._worth(unit)
        if worth is None:
            return self._foreign(shown)
        if worth == 1:
            return None
        log.add(
            "heading-unit",
            f"amounts of {name} are read in {unit.option}, as {shown!r} says",
            f"按“{shown}”，{name} 的金额以“{unit.option}”为单位读取",
            row=line,
            column=name,
        )
        return worth

    def _worth(self, unit: HeadingUnit | None) -> Decimal | None:
        """Return what one of a unit is worth; None if it is of another currency."""
        currency = self.options.converter.currency
        if unit is None or not unit.option:
            return Decimal(1)
        return unit_worth(unit.option, currency) if unit.fits(currency) else None

    def _foreign(self, shown: str) -> Reason:
        name, code = self.column.name, self.options.converter.currency.code
        return Reason(
            "heading-currency",
            name,
            f"{shown!r} names another currency than {code}: convert {name} at its "
            f"source, or say units={{{name!r}: '元'}} if its amounts are {code} "
            "after all",
            f"“{shown}”的币种不是 {code}：请在源头换算 {name}；如金额其实就是 "
            f"{code}，请写明 units={{{name!r}: '元'}}",
        )

    def _several(self) -> Reason:
        name = self.column.name
        shown = ", ".join(map(shown_heading, self.headings[:4]))
        return Reason(
            "heading-conflict",
            name,
            f"the columns {shown} all mean {name} and have different units; say "
            f"which one to read with columns={{{name!r}: heading}}",
            f"{shown} 各列都可作为 {name}，但单位不同；请用 "
            f"columns={{{name!r}: 标题}} 指定",
        )

    def _tell_overruled(
        self, shown: str, given: str, log: FindingLog, line: int | None
    ) -> None:
        name = self.column.name
        log.add(
            "heading-unit-overruled",
            f"{shown!r} says another unit of {name} than the option 'units', which "
            f"counts: {given}",
            f"“{shown}”所写的 {name} 单位与 units 不同，以 units 为准：{given}",
            severity=Severity.WARNING,
            row=line,
            column=name,
        )

    def _tell_unread(self, shown: str, log: FindingLog, line: int | None) -> None:
        column = self.column
        option = f"columns={{{column.name!r}: {shown!r}}}"
        log.add(
            "heading-note",
            f"what {shown!r} says in its bracket is not known and changes nothing: "
            f"look whether it is {column.heading_en} ({column.name}), then say "
            f"{option}",
            f"“{shown}”括号中的内容未被识别，也不影响读取：请确认它就是"
            f"“{column.heading_zh}”（{column.name}），并写明 {option}",
            severity=Severity.WARNING,
            row=line,
            column=column.name,
        )


def _tell_multiples(
    column: Column, heading: str, log: FindingLog, line: int | None
) -> None:
    unit = heading_unit(heading)
    if unit is None or not unit.word.startswith(_MULTIPLES):
        return
    shown = shown_heading(heading)
    log.add(
        "heading-multiple",
        f"{shown!r} seems to count in multiples; {column.name} is read as it stands",
        f"“{shown}”似乎以成批为单位计数；{column.name} 按原数读取",
        severity=Severity.WARNING,
        row=line,
        column=column.name,
    )
