"""From the tables of gifts and of applications to the values that they stand for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from memberops.domain import (
    Currency,
    Finding,
    Gift,
    GiftApplication,
    GiftApproval,
    Money,
    Severity,
)
from memberops.errors import MemberOpsError, bounded
from memberops.tables.gifts import GIFT_APPLICATIONS, GIFTS

__all__ = ["read_applications", "read_gifts"]

_ASKED = (
    "application_id",
    "store_id",
    "gift_id",
    "asked",
    "purpose",
    "applied_by",
    "applied_at",
)
_ANSWERED = ("approved", "approved_by", "approved_at")


def read_gifts(
    frame: pd.DataFrame, *, currency: Currency
) -> tuple[tuple[Gift, ...], tuple[Finding, ...]]:
    """
    Make gifts of the rows of the gift table.

    Args:
        frame: See `memberops.tables.GIFTS`.
        currency: What unit values are in.

    Returns:
        The gifts, and a finding for each that cannot be one, or has the id of an
        earlier one: it is left out.

    Raises:
        MissingColumnsError: There is no ``gift_id``.

    >>> frame = pd.DataFrame({"gift_id": ["CUP", "PEN"], "points_price": [50, 0]})
    >>> gifts, findings = read_gifts(frame, currency=Currency("CNY"))
    >>> [gift.gift_id for gift in gifts], findings[0].rule
    (['CUP'], 'gift-invalid')
    """
    GIFTS.check_columns(frame.columns, ["gift_id"])
    gifts: dict[str, Gift] = {}
    findings: list[Finding] = []
    for row in frame.to_dict("records"):
        gift_id, value = str(row["gift_id"]), _held(row, "unit_value")
        price = _held(row, "points_price")
        if gift_id in gifts:
            findings.append(
                Finding(
                    table="gifts",
                    rule="gift-twice",
                    severity=Severity.ERROR,
                    message_en=f"the gift {bounded([gift_id])} is listed again: its "
                    "first row counts",
                    message_zh=f"礼品 {bounded([gift_id])} 重复列出，以第一行为准",
                )
            )
            continue
        try:
            gifts[gift_id] = Gift(
                gift_id=gift_id,
                name=_held(row, "name") or "",
                unit_value=None if value is None else Money(int(value), currency),
                points_price=None if price is None else int(price),
                has_lots=_held(row, "has_lots") == "yes",
            )
        except MemberOpsError as error:
            findings.append(
                Finding(
                    table="gifts",
                    rule="gift-invalid",
                    severity=Severity.ERROR,
                    message_en=f"the gift {bounded([gift_id])} is left out: {error}",
                    message_zh=f"礼品 {bounded([gift_id])} 资料有误，未列入："
                    "单价不得小于 0，兑换积分不得小于 1",
                )
            )
    return tuple(gifts.values()), tuple(findings)


def read_applications(
    frame: pd.DataFrame,
) -> tuple[tuple[GiftApplication, ...], tuple[GiftApproval, ...], tuple[Finding, ...]]:
    """
    Make applications, and the answers to them, of the rows of their table.

    Args:
        frame: See `memberops.tables.GIFT_APPLICATIONS`.

    Returns:
        The applications; the approvals of those that were answered; and a finding for
        each row that is none, or whose answer cannot be one. An application whose
        answer is left out waits for another.

    Raises:
        MissingColumnsError: A column is not there.

    >>> frame = pd.DataFrame({"application_id": ["A-1"], "store_id": ["S01"],
    ...     "gift_id": ["CUP"], "asked": [20], "purpose": ["birthday"],
    ...     "applied_by": ["E1"], "applied_at": pd.to_datetime(["2026-10-01T01:00Z"]),
    ...     "approved": [25], "approved_by": ["E2"],
    ...     "approved_at": pd.to_datetime(["2026-10-01T02:00Z"])})
    >>> asked, answers, findings = read_applications(frame)
    >>> asked[0].asked, answers, findings[0].rule
    (20, (), 'approval-invalid')
    """
    GIFT_APPLICATIONS.check_columns(frame.columns, _ASKED)
    asked: list[GiftApplication] = []
    answers: list[GiftApproval] = []
    findings: list[Finding] = []
    for number, row in enumerate(frame.to_dict("records"), start=1):
        held = {name: _held(row, name) for name in (*_ASKED, *_ANSWERED)}
        rule, chinese = "application-invalid", "申请单有误，未列入"
        try:
            application = GiftApplication(
                **{name: held[name] for name in _ASKED if name not in _TYPED},
                asked=int(held["asked"] or 0),
                applied_at=held["applied_at"],
            )
            asked.append(application)
            if all(held[name] is None for name in _ANSWERED):
                continue
            rule, chinese = "approval-invalid", "审批无效，视为未审批"
            approval = GiftApproval(
                application_id=application.application_id,
                approved=-1 if held["approved"] is None else int(held["approved"]),
                approved_by=held["approved_by"],
                approved_at=held["approved_at"],
            )
            approval.check(application)
            answers.append(approval)
        except MemberOpsError as error:
            findings.append(
                Finding(
                    table="gift_applications",
                    rule=rule,
                    row=number,
                    severity=Severity.ERROR,
                    message_en=f"it is left out: {error}",
                    message_zh=chinese,
                )
            )
    return tuple(asked), tuple(answers), tuple(findings)


_TYPED = ("asked", "applied_at")


def _held(row: dict[Any, Any], name: str) -> Any:
    value = row.get(name)
    if value is None or pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
