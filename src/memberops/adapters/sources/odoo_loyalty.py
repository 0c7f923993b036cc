"""Loyalty cards of Odoo, and what was earned and spent on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.movement_rows import points_moved
from memberops.adapters.sources.odoo_records import NAMED, searched
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import Deleted, Lines, RestResource
from memberops.domain import POINTS

__all__ = ["odoo_cards", "odoo_points"]

_SIDES = {"issued": 1, "used": -1}


def odoo_cards(*, older: bool, program: int | None = None) -> RestResource:
    """
    Describe the cards of loyalty programs (``loyalty.card``).

    A card is valid from the day on which it was made through its expiration. One
    without an expiration has no term, and is not in the table; one that is archived
    is gone.

    Args:
        older: Whether by JSON-RPC.
        program: Id of the one program that is read; None reads all.
    """
    return RestResource(
        **searched(
            "loyalty.card",
            {
                "code": {},
                "partner_id": NAMED,
                "program_id": NAMED,
                "expiration_date": {},
                "create_date": {},
                "write_date": {},
                "active": {},
            },
            _of("program_id", program),
            older=older,
        ),
        key=("card_id",),
        deleted=Deleted(path="active", equals=("false",)),
        prepare=_with_term,
        lines=(
            Lines(
                each="terms",
                made=True,
                columns={
                    "card_id": "/code",
                    "member_id": "/partner_id.id",
                    "valid_from": "/create_date",
                    "valid_through": "through",
                    "kind": "/program_id.display_name",
                },
            ),
        ),
    )


def odoo_points(
    *, older: bool, orders: str, program: int | None = None
) -> RestResource:
    """
    Describe what was issued and used on loyalty cards (``loyalty.history``).

    Both may stand in one record: what was issued is an award and what was used a
    spend, each with a posting of its own; below zero, as of a refund, it is the other
    way round. Odoo does not say which points a spend
    takes, so there are no lots; and it deletes the history of an order of sales that
    is canceled, without a trace, so all is read each time. If that order is confirmed
    again, it gets another history: what an order does on a card is therefore called by
    both, so that no ledger takes it twice. The model exists since
    Odoo 18; what was earned before has no history. Points that run out have none.

    Args:
        older: Whether by JSON-RPC.
        orders: The model whose orders are the sales; theirs are told as tickets.
        program: Id of the one program that is read; None reads all.
    """
    return RestResource(
        **searched(
            "loyalty.history",
            {
                "card_id": {"fields": {"partner_id": NAMED}},
                "issued": {},
                "used": {},
                "order_model": {},
                "order_id": {},
                "create_date": {},
            },
            _of("card_id.program_id", program),
            older=older,
            changes=False,
        ),
        key=("posting_id",),
        together=lambda _reader, records: _named(records),
        prepare=lambda record: _with_points(record, orders),
        lines=tuple(
            Lines(
                each=side,
                made=True,
                constants={"gift_id": POINTS},
                columns={
                    "posting_id": f"/{side}_posting",
                    "effective_at": "/create_date",
                    "kind": "kind",
                    "source": "source",
                    "destination": "destination",
                    "quantity": "quantity",
                    "refers_to": "/ticket",
                },
            )
            for side in ("issued_rows", "used_rows")
        ),
    )


def _of(path: str, program: int | None) -> list[Any]:
    domain: list[Any] = [[f"{path}.program_type", "=", "loyalty"]]
    return domain if program is None else [*domain, [path, "=", program]]


def _with_term(card: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    through = card.get("expiration_date")
    return {**card, "terms": [{"through": through}] if through else []}, True


def _named(records: list[Any]) -> Iterable[dict[str, Any]]:
    """Call each record by its order and card, unless an earlier one is called so."""
    taken: set[str] = set()
    for each in sorted(records, key=lambda one: int(one["id"])):
        own = str(each["id"])
        if each.get("order_model") and each.get("order_id"):
            card = look_up(each, "card_id.id")
            order = f"{each['order_model']}-{each['order_id']}-{card}"
            own = own if order in taken else order
            taken.add(order)
        yield {**each, "own": own}


def _with_points(
    record: Mapping[str, Any], orders: str
) -> tuple[Mapping[str, Any], bool]:
    made: dict[str, Any] = {**record, "ticket": None}
    if record.get("order_model") == orders and record.get("order_id"):
        made["ticket"] = f"ticket={record['order_id']}"
    member = look_up(record, "card_id.partner_id.id")
    for side, sign in _SIDES.items():
        rows = points_moved(sign * amount_at(record, side), member_id=member)
        if member is None:
            # Nobody's points are refused, and told.
            rows = tuple({**row, "source": None, "destination": None} for row in rows)
        made[f"{side}_rows"] = list(rows)
        made[f"{side}_rows_posting"] = f"points-{record.get('own')}-{side}"
    return made, True
