"""
Square's loyalty program: the points of members as movements.

Made from Square's published OpenAPI description and documentation
(https://developer.squareup.com/docs/loyalty-api/loyalty-events).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.movement_rows import moved, points_moved, wallet
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import (
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.domain.gift import POINTS

__all__ = ["square_points"]

_NOTHING = frozenset({"REDEEM_REWARD"})
_POINTS = {
    "ACCUMULATE_POINTS": "accumulate_points",
    "ACCUMULATE_PROMOTION_POINTS": "accumulate_promotion_points",
    "CREATE_REWARD": "create_reward",
    "DELETE_REWARD": "delete_reward",
    "ADJUST_POINTS": "adjust_points",
    "EXPIRE_POINTS": "expire_points",
    "OTHER": "other_event",
}


def square_points() -> RestResource:
    """
    Describe the points of members, for the table ``gift_movements``.

    Points are earned by a purchase, spent when a reward is made of them, come back
    when that reward is deleted, and expire; what staff change by hand, and what Square
    calls other, are adjustments. Redeeming a reward moves no points: they went when
    it was made. An event names a loyalty account, so the list of accounts is read too
    wherever there are events; one whose account has no customer is refused. Which
    points a reward takes, and when each expire, is not told: there are no lots.
    """
    return RestResource(
        path="v2/loyalty/events/search",
        method="POST",
        records="events",
        may_lack=True,
        paging=_paging(30),
        since=Since(
            field="query.filter.date_time_filter.created_at.start_at",
            changed_at="created_at",
        ),
        key=("posting_id",),
        together=_with_accounts,
        prepare=_prepared,
        lines=(
            Lines(
                each="moved",
                columns={
                    "posting_id": "/id",
                    "kind": "kind",
                    "effective_at": "/created_at",
                    "gift_id": f"'{POINTS}'",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                    "refers_to": "/refers_to",
                },
                prefix={"posting_id": "loyalty-"},
                made=True,
            ),
        ),
    )


def _paging(size: int) -> Paging:
    return Paging(
        kind="cursor", field="cursor", next="cursor", size_field="limit", size=size
    )


_ACCOUNTS = RestResource(
    path="v2/loyalty/accounts/search",
    method="POST",
    records="loyalty_accounts",
    may_lack=True,
    paging=_paging(200),
    lines=(),
)


def _with_accounts(reader: HttpReader, events: list[Any]) -> Iterator[Any]:
    """Say whose each event is; without any, the accounts are not asked for."""
    accounts = all_records(reader, _ACCOUNTS) if events else []
    owners = {str(each["id"]): each.get("customer_id") for each in accounts}
    del accounts
    # A large account has a million events: they are not held twice.
    for event in events:
        own = owners.get(str(event.get("loyalty_account_id")))
        yield {**event, "customer_id": own}


def _prepared(event: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Say what an event moved, and by which ticket it came."""
    order = look_up(event, f"{_POINTS.get(event.get('type', ''), '')}.order_id")
    ticket = f"ticket={order}" if order else None
    return {**event, "moved": list(_moved(event)), "refers_to": ticket}, True


def _moved(event: Mapping[str, Any]) -> tuple[Mapping[str, object], ...]:
    word, member = str(event.get("type")), event.get("customer_id")
    if word in _NOTHING:
        return ()
    path = f"{_POINTS.get(word, '')}.points"
    if look_up(event, path) is None:
        # A kind of event that is not known, or of no number: refused, and so told.
        return ({"kind": word},)
    change = amount_at(event, path)
    if word in {"CREATE_REWARD", "EXPIRE_POINTS"}:
        change = -abs(change)
    if not member:
        return ({"kind": "adjustment", "quantity": abs(change)},) if change else ()
    if word in {"ADJUST_POINTS", "OTHER"}:
        return _changed(change, member, "adjustment", "adjustment")
    if word == "DELETE_REWARD":
        return _changed(abs(change), member, "program:spent", "return")
    return points_moved(change, member_id=member, expired=word == "EXPIRE_POINTS")


def _changed(
    change: Decimal, member: object, other: str, kind: str
) -> tuple[Mapping[str, object], ...]:
    return moved(change, place=wallet(member), other=other, gained=kind, lost=kind)
