"""What does not count for a waiver: gift cards, staff, kinds of ticket, categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import narwhals as nw

from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.policies.figures import Frame, entered

__all__ = ["Exclusion", "counting", "excluded_by", "exclusion_list", "kept"]


def _values(values: Iterable[str]) -> tuple[str, ...]:
    found = tuple([values] if isinstance(values, str) else values)
    if not found or not all(isinstance(value, str) for value in found):
        raise InvalidValueError(
            "an exclusion names the texts that do not count: "
            "Exclusion('ticket_kind', ['gift_card', 'staff'])"
        )
    return found


@attrs.frozen
class Exclusion:
    """
    Rows that do not count, named by the values of a column.

    Args:
        column: A column of the tickets, or of the sales lines where a category is
            that of an item.
        values: Its values that do not count; a gap always counts.
        name_zh: What they are in Chinese; *column* if empty.

    >>> Exclusion("ticket_kind", ["gift_card"]).values
    ('gift_card',)
    """

    column: str = attrs.field(validator=attrs.validators.instance_of(str))
    values: tuple[str, ...] = attrs.field(converter=_values)
    name_zh: str = ""

    @property
    def texts(self) -> tuple[str, str]:
        """What it is in English and in Chinese."""
        english = self.column.replace("_", " ")
        return english, self.name_zh or english


def exclusion_list(value: Iterable[Exclusion]) -> tuple[Exclusion, ...]:
    """Take a list of exclusions (converter)."""
    found = tuple([value] if isinstance(value, Exclusion) else value)
    for each in found:
        if not isinstance(each, Exclusion):
            raise InvalidValueError(
                "exclusions are a list such as [Exclusion('ticket_kind', "
                f"['gift_card'])], not of {type(each).__name__}"
            )
    return found


def kept(frame: Any, exclusions: Iterable[Exclusion]) -> Any:
    """
    Return the rows that count, of tickets or of sales lines on any engine.

    Args:
        frame: Tickets or lines with a column of text for each exclusion.
        exclusions: What does not count.

    Raises:
        MissingColumnsError: An exclusion has no column.

    >>> import pandas as pd
    >>> lines = pd.DataFrame({"ticket_id": ["A", "B"], "category": ["gift", None]})
    >>> kept(lines, [Exclusion("category", ["gift"])])["ticket_id"].tolist()
    ['B']
    """
    return nw.to_native(counting(entered(frame, "tickets"), exclusions))


def counting(frame: Frame, exclusions: Iterable[Exclusion]) -> Frame:
    """Keep the rows that count, inside narwhals."""
    exclusions = tuple(exclusions)
    names = frame.collect_schema().names() if exclusions else []
    missing = [each.column for each in exclusions if each.column not in names]
    if missing:
        raise MissingColumnsError("tickets", missing, names)
    for each in exclusions:
        column = nw.col(each.column)
        counts = ~column.is_in(each.values).fill_null(value=False)
        frame = frame.filter(counts | column.is_null())
    return frame


def excluded_by(
    row: Mapping[str, Any], exclusions: Iterable[Exclusion]
) -> Exclusion | None:
    """
    Return the first exclusion that a row falls under, or None.

    Raises:
        MissingColumnsError: The row has no value for an exclusion.

    >>> excluded_by({"ticket_kind": "staff"}, [Exclusion("ticket_kind", ["staff"])])
    Exclusion(column='ticket_kind', values=('staff',), name_zh='')
    """
    for each in exclusions:
        if each.column not in row:
            raise MissingColumnsError("tickets", [each.column], list(row))
        if row[each.column] in each.values:
            return each
    return None
