"""Stocktakes: who counted what, where and when, and what became of the difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.canonical import MAX_QUANTITY, a_place, a_text, an_id, to_utc
from memberops.domain.gift import check_scope
from memberops.domain.money import Money
from memberops.domain.values import aware_instant, plain_date, whole_number
from memberops.errors import InvalidValueError, bounded

__all__ = [
    "Approval",
    "ApprovedCount",
    "CountLine",
    "CountState",
    "Difference",
    "Explanation",
    "Stocktake",
    "latest_counts",
]

_optional_id = attrs.validators.optional(an_id)


def _places(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValueError("'places' is a list of place ids, not one text")
    return tuple(sorted({check_scope(each) for each in value}))


@attrs.frozen(kw_only=True)
class Stocktake:
    """
    One stocktake: what is counted, as of when, and until when (HQ §7).

    Args:
        stocktake_id: The chain's id of it.
        places: Ids of the places counted, each with its parts.
        cutoff: Aware instant of the stock table, and of every line that names no
            moment of its own.
        due_on: Last local day on which a count is in time; None: no deadline.
        promotion: The promotion after which it is held, if any.
        blind: Whether those who count see no book quantity.

    >>> Stocktake(stocktake_id="C1", places=["warehouse"],
    ...     cutoff=dt.datetime(2026, 10, 31, tzinfo=dt.UTC)).places
    ('warehouse',)
    """

    stocktake_id: str = attrs.field(validator=an_id)
    places: tuple[str, ...] = attrs.field(converter=_places)
    cutoff: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    due_on: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    promotion: str = attrs.field(default="", validator=a_text)
    blind: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )

    @places.validator
    def _check_places(self, _attribute: object, value: tuple[str, ...]) -> None:
        if not value:
            raise InvalidValueError("a stocktake counts at least one place")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F")


class CountState(StrEnum):
    """How a count compares with the books."""

    NOT_COUNTED = "not_counted"
    AGREE = "agree"
    SURPLUS = "surplus"
    SHORTAGE = "shortage"


@attrs.frozen(kw_only=True)
class CountLine:
    """
    One line of a count sheet: a gift and lot at a place.

    Args:
        stocktake_id: The stocktake.
        place: Where.
        gift_id: What.
        counted_at: Aware instant of this line's own count; trading may go on.
        position: Sequence of the ledger's last entry at that moment: it alone parts
            what moved at the very same instant into before and after.
        counted: How many there are, expired ones too; 0 is none; None is not
            counted, which is no zero.
        lot_id: The lot, if the gift has lots.
        valid_through: Last day of the lot, as printed on it.
        counted_by: Id of who counted.
        witnessed_by: Id of who watched.
        recount: 0 for the first count, 1 for the first recount, and so on.

    Raises:
        InvalidValueError: A count that is no whole number from 0 (a bool, float or
            Decimal), or a naive instant.

    >>> line = CountLine(stocktake_id="C1", place="store:S01", gift_id="CUP",
    ...     counted=7, counted_at=dt.datetime(2026, 10, 31, tzinfo=dt.UTC), position=40)
    >>> line.line_id
    'C1/store:S01/CUP/'
    """

    stocktake_id: str = attrs.field(validator=an_id)
    place: str = attrs.field(validator=a_place)
    gift_id: str = attrs.field(validator=an_id)
    counted_at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    position: int = attrs.field(validator=whole_number)
    counted: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(whole_number)
    )
    lot_id: str | None = attrs.field(default=None, validator=_optional_id)
    valid_through: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )
    counted_by: str | None = attrs.field(default=None, validator=_optional_id)
    witnessed_by: str | None = attrs.field(default=None, validator=_optional_id)
    recount: int = attrs.field(default=0, validator=whole_number)

    @counted.validator
    def _check_counted(self, _attribute: object, value: int | None) -> None:
        if value is not None and not 0 <= value <= MAX_QUANTITY:
            raise InvalidValueError("'counted' is at least 0 and fits into 64 bits")

    @position.validator
    @recount.validator
    def _check_number(self, attribute: attrs.Attribute[Any], value: int) -> None:
        if not 0 <= value <= MAX_QUANTITY:
            raise InvalidValueError(f"{attribute.name!r} is 0 or more")

    @property
    def line_id(self) -> str:
        """Id of the line, the same for its recounts; adjustments refer to it."""
        parts = (self.stocktake_id, self.place, self.gift_id, self.lot_id or "")
        return "/".join(map(_escaped, parts))

    @property
    def order(self) -> tuple[dt.datetime, int, str]:
        """Where the count stands among others, by moment, position and id."""
        return self.counted_at, self.position, self.line_id


def latest_counts(
    lines: Iterable[CountLine],
) -> tuple[tuple[CountLine, tuple[CountLine, ...]], ...]:
    """
    Return the count of each line that holds, with the earlier ones it replaces.

    The latest recount holds; a recount that was asked for and not made replaces
    nothing.

    Raises:
        InvalidValueError: The same count of a line comes twice, or a recount is of an
            earlier moment than the count before.
    """
    by_id: dict[str, list[CountLine]] = {}
    for each in lines:
        by_id.setdefault(each.line_id, []).append(each)
    found = []
    for counts in by_id.values():
        counts.sort(key=lambda each: each.recount)
        numbers = [each.recount for each in counts]
        if len(set(numbers)) < len(numbers):
            raise InvalidValueError(
                f"the line {bounded([counts[0].line_id])} comes twice: a second count "
                "is a recount=1"
            )
        made = [each for each in counts if each.counted is not None] or counts[:1]
        moments = [each.counted_at for each in made]
        if moments != sorted(moments):
            raise InvalidValueError(
                f"a recount of {bounded([made[0].line_id])} is of an earlier moment "
                "than the count that it replaces"
            )
        found.append((made[-1], tuple(made[:-1])))
    return tuple(found)


@attrs.frozen(kw_only=True)
class Difference:
    """
    What a count line says against the books of its own moment.

    Args:
        line: The count that holds.
        book: Balance in the ledger's order right before the line's own adjustments.
        adjusted: What adjustments that name the line did at its moment.
        revised: The part of it that corrects for late entries and other counts
            (``adjustment:revision``), which nobody explains or approves.
        later: Net of what moved after the count.
        earlier: Counts of the line that recounts replaced.
        unit_value: What one is worth in the books, if known.
    """

    line: CountLine
    book: int
    adjusted: int = 0
    revised: int = 0
    later: int = 0
    earlier: tuple[CountLine, ...] = ()
    unit_value: Money | None = None

    @property
    def quantity(self) -> int | None:
        """Counted less book; None if it was not counted."""
        return None if self.line.counted is None else self.line.counted - self.book

    @property
    def to_explain(self) -> int | None:
        """What reasons and an approval are of, the difference without revisions."""
        return None if self.quantity is None else self.quantity - self.revised

    @property
    def judged_book(self) -> int:
        """The book without revisions, of which limits and tolerances are a share."""
        return self.book + self.revised

    @property
    def judged_value(self) -> Money | None:
        """What `to_explain` is worth; None if unknown or not counted."""
        if self.unit_value is None or self.to_explain is None:
            return None
        return self.unit_value.times(self.to_explain)

    @property
    def state(self) -> CountState:
        """Not counted, agree, surplus or shortage."""
        if self.quantity is None:
            return CountState.NOT_COUNTED
        if self.quantity == 0:
            return CountState.AGREE
        return CountState.SURPLUS if self.quantity > 0 else CountState.SHORTAGE

    @property
    def settled(self) -> bool:
        """Whether the books agree with the count by now."""
        return self.quantity is not None and self.quantity == self.adjusted

    @property
    def result(self) -> int | None:
        """Stock now, once settled (what was counted and what moved since)."""
        return None if self.line.counted is None else self.line.counted + self.later

    @property
    def value(self) -> Money | None:
        """What the difference is worth; None if unknown or not counted."""
        if self.unit_value is None or self.quantity is None:
            return None
        return self.unit_value.times(self.quantity)

    @property
    def counters(self) -> frozenset[str]:
        """Ids of all who counted the line."""
        names = (each.counted_by for each in (*self.earlier, self.line))
        return frozenset(name for name in names if name is not None)

    def unexplained(self, explanations: Iterable[Explanation]) -> int | None:
        """
        Return what is left when the explanations are taken off.

        Book, revised, explained and unexplained add up to counted.
        """
        if self.to_explain is None:
            return None
        return self.to_explain - sum(each.quantity for each in explanations)


@attrs.frozen(kw_only=True)
class Explanation:
    """
    Why a part of a difference came about.

    Args:
        line_id: The count line.
        reason: Code of the reason; the adjustment goes to the account
            ``adjustment:<reason>``.
        quantity: Below 0 for a shortage, above for a surplus; not 0.
        by: Id of who explains.
        disposition: What is done about it, in words.
    """

    line_id: str = attrs.field(validator=an_id)
    reason: str = attrs.field(validator=an_id)
    quantity: int = attrs.field(validator=whole_number)
    by: str | None = attrs.field(default=None, validator=_optional_id)
    disposition: str = attrs.field(default="", validator=a_text, repr=False)

    @reason.validator
    def _check_reason(self, _attribute: object, value: str) -> None:
        a_place(self, attrs.fields(Explanation).reason, f"adjustment:{value}")

    @quantity.validator
    def _check_quantity(self, _attribute: object, value: int) -> None:
        if value == 0 or abs(value) > MAX_QUANTITY:
            raise InvalidValueError("an explanation is of at least one, up or down")


@attrs.frozen(kw_only=True)
class Approval:
    """
    What someone said to a difference.

    Args:
        line_id: The count line.
        difference: The difference that was shown: another one is not approved by it.
        by: Id of who decided.
        role: In which role, such as ``"regional_manager"``.
        at: Aware instant.
        approved: False if it was refused; the line is then to be recounted.
    """

    line_id: str = attrs.field(validator=an_id)
    difference: int = attrs.field(validator=whole_number)
    by: str = attrs.field(validator=an_id)
    role: str = attrs.field(validator=an_id)
    at: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    approved: bool = attrs.field(
        default=True, validator=attrs.validators.instance_of(bool)
    )


def _explanations(value: Iterable[Explanation]) -> tuple[Explanation, ...]:
    return tuple(value)


def _names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@attrs.frozen(kw_only=True)
class ApprovedCount:
    """
    A count that is in force: the books follow it.

    Args:
        line: The count.
        difference: The difference that was approved.
        by: Who approved it: a person, or the policy that lets it pass.
        explanations: Reasons that add up to the difference, each once.
        counters: All who counted the line: none of them is *by*.

    Raises:
        InvalidValueError: It was not counted, the reasons do not add up, one comes
            twice or is of another line, or the approver counted.
    """

    line: CountLine
    difference: int = attrs.field(validator=whole_number)
    by: str = attrs.field(validator=an_id)
    explanations: tuple[Explanation, ...] = attrs.field(
        default=(), converter=_explanations
    )
    counters: frozenset[str] = attrs.field(default=frozenset(), converter=_names)

    def __attrs_post_init__(self) -> None:
        """Refuse what the rules of a stocktake forbid."""
        key = bounded([self.line.line_id])
        if self.line.counted is None:
            raise InvalidValueError(f"{key} was not counted: nothing can be approved")
        if self.by in {*self.counters, self.line.counted_by}:
            raise InvalidValueError(f"{key} was counted by the one who approves it")
        reasons = [each.reason for each in self.explanations]
        if len(set(reasons)) < len(reasons):
            raise InvalidValueError(f"a reason for {key} comes twice: add them up")
        if any(each.line_id != self.line.line_id for each in self.explanations):
            raise InvalidValueError(f"an explanation for {key} is of another line")
        if sum(each.quantity for each in self.explanations) != self.difference:
            raise InvalidValueError(
                f"the reasons for {key} do not add up to its difference of "
                f"{self.difference}"
            )
