"""Movements of goods and points, where a system tells a signed change at one place."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from memberops.domain import Finding, Severity
from memberops.errors import bounded

__all__ = ["moved", "points_moved", "unknown_items", "wallet"]

_EARNED, _SPENT, _EXPIRED = "program:earned", "program:spent", "program:expired"


def moved(
    change: Decimal | int, *, place: str, other: str, gained: str, lost: str
) -> tuple[dict[str, object], ...]:
    """
    Say from where to where it went: the rows of one change of a stock.

    Args:
        change: By how much the stock of *place* grew; below zero it fell. A part of
            one stays as it is, so that the row is refused and told.
        place: Id of the place, such as ``store:S01``.
        other: Id of the place or account on the other side, such as ``member:M001``.
        gained: Kind of the posting where *place* gains.
        lost: The same where it loses.

    Returns:
        One record with ``kind``, ``source``, ``destination`` and ``quantity``; none
        where nothing moved.

    >>> moved(-2, place="store:S01", other="member:M1", gained="return", lost="issue")
    ({'kind': 'issue', 'source': 'store:S01', 'destination': 'member:M1', \
'quantity': 2},)
    >>> moved(0, place="warehouse", other="supplier", gained="receipt", lost="return")
    ()
    """
    if change == 0:
        return ()
    ends = (other, place) if change > 0 else (place, other)
    kind = gained if change > 0 else lost
    row = dict(zip(("source", "destination"), ends, strict=True))
    return ({"kind": kind, **row, "quantity": abs(change)},)


def wallet(member_id: object) -> str:
    """
    Return the place of a member's points.

    >>> wallet(17)
    'wallet:17'
    """
    return f"wallet:{member_id}"


def points_moved(
    change: Decimal | int, *, member_id: object, expired: bool = False
) -> tuple[dict[str, object], ...]:
    """
    Say where points came from or went to: the rows of one change of a member's points.

    Args:
        change: Points given, or below zero taken.
        member_id: Whose.
        expired: Whether those that were taken had run out, not been spent.

    >>> points_moved(30, member_id="M1")
    ({'kind': 'award', 'source': 'program:earned', 'destination': 'wallet:M1', \
'quantity': 30},)
    >>> points_moved(-5, member_id="M1", expired=True)[0]["destination"]
    'program:expired'
    """
    lost = ("expiry", _EXPIRED) if expired else ("spend", _SPENT)
    kind, other = ("award", _EARNED) if change > 0 else lost
    return moved(change, place=wallet(member_id), other=other, gained=kind, lost=kind)


def unknown_items(
    items: Collection[str],
    known: Collection[str],
    *,
    system: str,
    called: tuple[str, str],
    source: str,
) -> list[Finding]:
    """
    Tell of goods that were named and are none, as a slip leaves them out.

    Args:
        items: What the option ``items`` names.
        known: By what names the system has those of them that it has.
        system: Its name, such as ``"Tryton"``.
        called: What it calls goods, in English and Chinese.
        source: Where they were looked for.

    >>> (found,) = unknown_items(["G1", "G3", "G2"], {"G1", "7"}, system="Tryton",
    ...     called=("products", "产品"), source="tryton/product.product")
    >>> found.count, found.message_en
    (2, "'items' names products that Tryton has not: 'G2', 'G3'")
    >>> found.message_zh
    "items 中有 Tryton 没有的产品：'G2', 'G3'"
    """
    missing = sorted(set(items) - set(known))
    if not missing:
        return []
    called_en, called_zh = called
    return [
        Finding(
            table="gift_movements",
            rule="items-unknown",
            severity=Severity.WARNING,
            source=source,
            count=len(missing),
            message_en=f"'items' names {called_en} that {system} has not: "
            f"{bounded(missing)}",
            message_zh=f"items 中有 {system} 没有的{called_zh}：{bounded(missing)}",
        )
    ]
