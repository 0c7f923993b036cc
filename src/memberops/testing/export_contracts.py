"""Checks of a source against an export whose members or sales its author knows."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.adapters.sources.column_values import NOBODY_WORDS
from memberops.adapters.sources.contract import Source, SourceResult
from memberops.errors import bounded
from memberops.tables import table as canonical_table
from memberops.testing.contracts import check_source, told

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["check_member_source", "check_sales_source"]

_NOTHING = ("0", "none", "null", "nan", "<na>", "-")
_LOST_DIGITS = re.compile(r"\d+\.0+|\d(?:\.\d+)?E\+\d+", re.IGNORECASE)


def check_member_source(
    source: Source, *, expected: Mapping[str, Mapping[str, Any]] | None = None
) -> SourceResult:
    """
    Check what a source gives as members: the promises of `check_source`, and more.

    No member comes twice, ids have no blanks around them and are no numbers that a
    program rounded, and phones still have their digits.

    Args:
        source: What the factory of an adapter made, for a small export.
        expected: By id, every member that the export holds and that is not refused,
            with the values of some canonical columns: text, `datetime.date`, or None
            for a gap.

    Returns:
        What was read, to look at further.

    Raises:
        AssertionError: Naming every promise that is broken, and no person.

    >>> from memberops.testing import members_frame
    >>> from memberops.workflows import FrameSource
    >>> source = FrameSource(members_frame([{"member_id": "M1", "name": "王小明"}]))
    >>> check_member_source(source, expected={"M1": {"name": "王小明"}}).accepted
    1
    """
    result = check_source(source, "members")
    told("reading members", _member_promises(result.frame, expected))
    return result


def _member_promises(
    frame: pd.DataFrame, expected: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[str]:
    yield from _clean_ids(frame, ("member_id", "store_id", "referrer_id"))
    if again := int(frame["member_id"].duplicated().sum()):
        yield f"{again} members come twice"
    phones = frame["phone"].dropna() if "phone" in frame else pd.Series(dtype="str")
    if lost := sum(bool(_LOST_DIGITS.fullmatch(phone)) for phone in phones):
        yield f"{lost} phones are numbers that a program wrote: read them as text"
    if expected is None:
        return
    rows = {row["member_id"]: row for row in frame.to_dict("records")}
    yield from _lost_or_invented("members", set(expected), set(rows))
    wrong: Counter[str] = Counter()
    for name in set(expected) & set(rows):
        for column, value in expected[name].items():
            canonical_table("members").column(column)
            wrong[column] += _plain(rows[name].get(column)) != _plain(value)
    for column, count in sorted(wrong.items()):
        if count:
            yield f"{column!r} of {count} members is not what the export holds"


def check_sales_source(
    source: Source,
    *,
    expected: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    zone: ZoneInfo | None = None,
) -> SourceResult:
    """
    Check what a source gives as sales: the promises of `check_source`, and more.

    Ids have no blanks around them, a customer without a card has no id (not "0" or
    "null"), a return has a negative quantity and no positive amount, and the day of a
    sale is that of its moment.

    Args:
        source: What the factory of an adapter made, for a small export.
        expected: By ticket, every ticket that the export holds and that is not
            refused, with its lines as pairs of quantity and amount in minor units,
            in any order.
        zone: Zone in which a moment has its day; None to leave that out.

    Returns:
        What was read, to look at further.

    Raises:
        AssertionError: Naming every promise that is broken.

    >>> from memberops.testing import sales_frame
    >>> from memberops.workflows import FrameSource
    >>> sales = sales_frame([("T1", "2026-11-05", "S1", "M1", 2, "39.80")])
    >>> check_sales_source(FrameSource(sales), expected={"T1": [(2, 3990)]})
    Traceback (most recent call last):
        ...
    AssertionError: reading sales broke a promise:
    - the lines of 1 tickets are not those of the export: 'T1'
    """
    result = check_source(source, "sales")
    told("reading sales", _sales_promises(result.frame, expected, zone))
    return result


def _sales_promises(
    frame: pd.DataFrame,
    expected: Mapping[str, Sequence[tuple[int, int]]] | None,
    zone: ZoneInfo | None,
) -> Iterator[str]:
    ids = ("ticket_id", "store_id", "member_id", "item_id", "returned_ticket_id")
    yield from _clean_ids(frame, ids)
    quantity, amount = frame["quantity"], frame["amount"]
    if odd := int(((quantity < 0) & (amount > 0)).sum()):
        yield f"{odd} lines give goods back and have a positive amount"
    if odd := int(((quantity > 0) & (amount < 0)).sum()):
        yield f"{odd} lines sell goods and have a negative amount"
    if zone is not None and "sold_at" in frame:
        timed = frame[frame["sold_at"].notna()]
        local = timed["sold_at"].dt.tz_convert(zone.key).dt.tz_localize(None)
        if odd := int((local.dt.normalize() != timed["sold_on"]).sum()):
            yield f"the day of {odd} lines is not that of their moment in {zone.key}"
    if expected is None:
        return
    lines: dict[str, list[tuple[int, int]]] = {}
    for name, *line in zip(frame["ticket_id"], quantity, amount, strict=True):
        lines.setdefault(name, []).append((int(line[0]), int(line[1])))
    yield from _lost_or_invented("tickets", set(expected), set(lines))
    wrong = [
        name
        for name in sorted(set(expected) & set(lines))
        if Counter(lines[name]) != Counter(map(tuple, expected[name]))
    ]
    if wrong:
        yield (
            f"the lines of {len(wrong)} tickets are not those of the export: "
            f"{bounded(wrong)}"
        )


def _clean_ids(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name not in frame:
            continue
        ids = frame[name].dropna()
        if blank := int(((ids.str.strip() != ids) | (ids == "")).sum()):
            yield f"{blank} values of {name!r} are empty or have blanks around them"
        words = NOBODY_WORDS if name == "member_id" else _NOTHING
        if nobody := int(ids.str.casefold().isin(words).sum()):
            yield f"{nobody} values of {name!r} stand for nothing: leave them out"
        if lost := sum(bool(_LOST_DIGITS.fullmatch(each)) for each in ids):
            yield f"{lost} values of {name!r} are numbers that a program wrote"


def _lost_or_invented(what: str, wanted: set[str], found: set[str]) -> Iterator[str]:
    if lost := sorted(wanted - found):
        yield f"{len(lost)} {what} of the export are lost: {bounded(lost)}"
    if more := sorted(found - wanted):
        yield f"{len(more)} {what} are not in the export: {bounded(more)}"


def _plain(value: Any) -> str | None:
    """Write a cell as text, so that a day is a day whatever its type."""
    if value is None or pd.isna(value):
        return None
    return value.strftime("%Y-%m-%d") if isinstance(value, dt.date) else str(value)
