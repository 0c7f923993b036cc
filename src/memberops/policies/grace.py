"""Days of grace, which may differ by kind of card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from memberops.domain.values import identifier
from memberops.errors import InvalidValueError, bounded
from memberops.policies.term import not_negative

__all__ = ["KindGrace", "grace_by_kind", "grace_of"]


@attrs.frozen
class KindGrace:
    """
    The days of grace of one kind of card.

    Args:
        kind: The kind of card, as in `Card.kind`.
        days: Days after the last day in which it may still be renewed in its place.
    """

    kind: str = attrs.field(validator=identifier)
    days: int = attrs.field(validator=not_negative)


def _kinds(value: Iterable[KindGrace]) -> tuple[KindGrace, ...]:
    found = tuple(value)
    for each in found:
        if not isinstance(each, KindGrace):
            raise InvalidValueError(
                "grace by kind is a list such as [KindGrace('gold', 30)], "
                f"not of {type(each).__name__}"
            )
    names = [each.kind for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidValueError(f"two graces for the kinds {bounded(twice)}")
    return found


def grace_by_kind() -> Any:
    """Make the field of a policy that holds the graces of some kinds."""
    return attrs.field(default=(), converter=_kinds)


def grace_of(kind: str, days: int, exceptions: tuple[KindGrace, ...]) -> int:
    """
    Return the days of grace of a kind of card.

    >>> grace_of("gold", 0, (KindGrace("gold", 30),)), grace_of("basic", 5, ())
    (30, 5)
    """
    for each in exceptions:
        if each.kind == kind:
            return each.days
    return days
