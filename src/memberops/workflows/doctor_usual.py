"""Names that columns of databases, services and tills often have, beside headings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from memberops.adapters.sources.heading_units import heading_unit
from memberops.tables import Column, Kind, Table, normal_heading

__all__ = ["CREATED", "may_be_member", "usual_columns", "with_unit"]

CREATED = (
    "created_at", "create_time", "created_time", "gmt_create", "created",
    "date_created", "createdAt", "paid_at", "pay_time", "支付时间", "付款时间",
    "创建时间",
)  # fmt: skip
"""What the moment of a sale is often called; the first that is there is taken."""

_TICKET = (
    "order_no", "order_sn", "order_number", "order_code", "bill_no", "bill_code",
    "trade_no", "ticket_number", "receipt_number",
)  # fmt: skip
_MEMBER = (
    "vip_no", "vip_id", "vip_code", "customer_no", "customer_code", "member_code",
    "vip号", "vip编号", "贵宾号", "贵宾编号",
)  # fmt: skip
_PERHAPS_MEMBER = (
    "vip", "card_no", "card_id", "card", "vip_card_no", "vip_card", "customer",
    "卡号", "vip卡号", "贵宾卡号",
)  # fmt: skip


def _usual(table: Table) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if "member_id" in table.names:
        found["member_id"] = _MEMBER
    if table.name == "sales":
        found |= {"ticket_id": _TICKET, "sold_at": CREATED}
    return found


def usual_columns(
    table: Table, headings: Sequence[str], had: Collection[str]
) -> dict[str, int]:
    """
    Find columns by what they are usually called.

    Args:
        table: The canonical table.
        headings: As they stand.
        had: Columns that are had already.

    >>> from memberops.tables import table
    >>> usual_columns(table("sales"), ["vip_no", "created_at", "order_no"], ())
    {'member_id': 0, 'ticket_id': 2, 'sold_at': 1}
    """
    forms = [normal_heading(heading) for heading in headings]
    found = {}
    for name, names in _usual(table).items():
        if name in had or (name == "sold_at" and "sold_on" in had):
            continue
        known = [normal for each in names if (normal := normal_heading(each)) in forms]
        if known:
            found[name] = forms.index(known[0])
    return found


def with_unit(table: Table, heading: str) -> Column | None:
    """
    Return the column of amounts whose heading this is but for a unit at its end.

    >>> from memberops.tables import table
    >>> with_unit(table("sales"), "total_cents").name
    'amount'
    """
    form = normal_heading(heading)
    for column in table.columns:
        if column.kind is not Kind.MONEY:
            continue
        known = {normal_heading(each) for each in column.headings}
        unit = heading_unit(heading, known)
        if unit and unit.option:
            word = normal_heading(unit.word)
            if word and form.endswith(word) and form[: -len(word)] in known:
                return column
    return None


def may_be_member(headings: Sequence[str]) -> str | None:
    """
    Return the heading that may be that of members, such as of their cards.

    >>> may_be_member(["sku", "card_no"])
    'card_no'
    """
    forms = {normal_heading(heading): heading for heading in reversed(headings)}
    names = [normal_heading(each) for each in _PERHAPS_MEMBER]
    return next((forms[name] for name in names if name in forms), None)
