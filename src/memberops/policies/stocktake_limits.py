"""How far a count may differ: what passes by itself, and what needs whose approval."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from memberops.domain.gift import Place, check_scope
from memberops.domain.money import Money
from memberops.domain.stocktake import Difference
from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError, bounded

__all__ = ["ApprovalLimit", "Tolerance", "effective_limit", "scopes_of"]


def _ratio(value: Any) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, float | bool) or not isinstance(
        value, Fraction | Decimal | int | str
    ):
        raise InvalidValueError(
            "a share must be exact: Fraction(1, 10), Decimal('0.1') or '0.1'"
        )
    try:
        ratio = Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InvalidValueError(f"{bounded([value])} is no share") from None
    if ratio < 0:
        raise InvalidValueError("a share is not below 0")
    return ratio


def _not_below_zero(_instance: object, attribute: Any, value: Any) -> None:
    if value is not None:
        whole_number(_instance, attribute, value)
        if value < 0:
            raise InvalidValueError(f"{attribute.name!r} is 0 or more")


@attrs.frozen(kw_only=True)
class Tolerance:
    """
    How far a count may differ without anybody's word.

    What is tolerated is adjusted all the same, under a reason of its own: nothing
    hides. Both bounds must hold where both are given.

    Args:
        quantity: So many; None: any, if a share is given.
        share: Such a share of the book quantity, exact; None: any.

    >>> Tolerance(quantity=1).holds(-1, 50), Tolerance(share="0.01").holds(-1, 50)
    (True, False)
    """

    quantity: int | None = attrs.field(default=None, validator=_not_below_zero)
    share: Fraction | None = attrs.field(default=None, converter=_ratio)

    def holds(self, difference: int, book: int) -> bool:
        """Tell if a difference is within the tolerance; without bounds only 0 is."""
        size = abs(difference)
        if self.quantity is None and self.share is None:
            return size == 0
        return (self.quantity is None or size <= self.quantity) and (
            self.share is None or size <= self.share * max(book, 0)
        )


def _scope(value: Any) -> str:
    text = str(value)
    if text == "chain" or (text.startswith("region:") and text != "region:"):
        return text
    return check_scope(text)


@attrs.frozen(kw_only=True)
class ApprovalLimit:
    """
    From where on a difference needs the approval of someone higher.

    Args:
        scope: Whose limit it is: a place such as ``"store:S01"``, a region as
            ``"region:east"``, all places of a kind, ``"store"`` or ``"warehouse"``,
            or ``"chain"``. Each measure that a scope leaves open is looked up in the
            next wider one.
        quantity: More than so many.
        ratio: More than such a share of the book quantity, exact.
        value: Worth more than this.

    >>> ApprovalLimit(scope="store:S01", ratio="0.10").ratio
    Fraction(1, 10)
    """

    scope: str = attrs.field(converter=_scope)
    quantity: int | None = attrs.field(default=None, validator=_not_below_zero)
    ratio: Fraction | None = attrs.field(default=None, converter=_ratio)
    value: Money | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(Money)),
    )

    @value.validator
    def _check_value(self, _attribute: object, value: Money | None) -> None:
        if value is not None and value.minor < 0:
            raise InvalidValueError("'value' is not below 0")

    def exceeded(self, difference: Difference) -> str | None:
        """
        Name the measure that a difference is beyond, or None.

        A value that is not known, and a share of nothing, are beyond any limit.
        """
        size, book = abs(difference.to_explain or 0), difference.judged_book
        if size == 0:
            return None
        if self.quantity is not None and size > self.quantity:
            return "quantity"
        if self.ratio is not None and (book <= 0 or Fraction(size, book) > self.ratio):
            return "ratio"
        worth = difference.judged_value
        if self.value is not None and (
            worth is None or max(worth, -worth) > self.value
        ):
            return "value"
        return None


def scopes_of(place: str, region: str | None) -> tuple[str, ...]:
    """
    List whose limits count for a place, the nearest first.

    >>> scopes_of("store:S01:shelf", "east")
    ('store:S01:shelf', 'store:S01', 'region:east', 'store', 'chain')
    """
    parts = Place(place).text.split(":")
    own = [":".join(parts[:end]) for end in range(len(parts), 1, -1)]
    regions = [] if region is None else [f"region:{region}"]
    return (*own, *regions, parts[0], "chain")


def effective_limit(
    limits: Iterable[ApprovalLimit], place: str, region: str | None = None
) -> ApprovalLimit:
    """
    Put together the limit that counts for a place, measure by measure.

    >>> limits = [ApprovalLimit(scope="store", ratio="0.20"),
    ...           ApprovalLimit(scope="store:S01", quantity=3)]
    >>> found = effective_limit(limits, "store:S01")
    >>> found.quantity, found.ratio
    (3, Fraction(1, 5))
    """
    known = {each.scope: each for each in limits}
    found: dict[str, Any] = {}
    for scope in scopes_of(place, region):
        if scope in known:
            for name in ("quantity", "ratio", "value"):
                given = getattr(known[scope], name)
                if given is not None:
                    found.setdefault(name, given)
    return ApprovalLimit(scope=place, **found)
