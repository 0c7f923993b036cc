"""Sharing out an amount over lines exactly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

__all__ = ["shares"]


def shares(total: Decimal, weights: Sequence[Decimal], *, digits: int) -> list[Decimal]:
    """
    Share out an amount by weights, so that the shares add up to it.

    Each share is rounded so that the first ones together are the rounded part of the
    total that is theirs: no line is off by more than one minor unit.

    Args:
        total: What is shared out.
        weights: One for each line; where they add up to nothing, the last line takes
            all.
        digits: Of the minor unit.

    >>> [str(part) for part in shares(Decimal("1.00"), [Decimal(1)] * 3, digits=2)]
    ['0.33', '0.34', '0.33']
    >>> shares(Decimal(0), [], digits=2)
    []
    """
    whole = sum(weights, Decimal(0))
    unit = Decimal(1).scaleb(-digits)
    given, reached = Decimal(0), Decimal(0)
    parts = []
    for at, weight in enumerate(weights, start=1):
        reached += weight
        if at == len(weights):
            until = total
        elif whole:
            until = (total * reached / whole).quantize(unit, ROUND_HALF_EVEN)
        else:
            until = Decimal(0)
        parts.append(until - given)
        given = until
    return parts
