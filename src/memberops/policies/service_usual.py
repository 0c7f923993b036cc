"""The targets that the manual names, made from the numbers of a policy (HQ §6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memberops.policies.service_targets import Target

if TYPE_CHECKING:
    from memberops.policies.service_levels import ServiceLevels

__all__ = ["ACTIONS", "usual_targets"]

ACTIONS: dict[str, dict[str, Any]] = {
    "reply": {"action_en": "reply to the customer", "action_zh": "回复顾客"},
    "next_reply": {"action_en": "answer the customer", "action_zh": "答复顾客新留言"},
    "solution": {"action_en": "solve the case", "action_zh": "解决投诉"},
    "callback": {"action_en": "call the customer back", "action_zh": "回访顾客"},
    "second_callback": {
        "action_en": "call the customer back again",
        "action_zh": "第二次回访顾客",
    },
    "promised_reply": {
        "action_en": "give the promised reply",
        "action_zh": "按承诺时间回复顾客",
    },
    "wait": {"action_en": "serve the customer", "action_zh": "接待顾客"},
    "delivery": {"action_en": "deliver the order", "action_zh": "送达订单"},
    "escalation": {"action_en": "escalate at once", "action_zh": "立即上报"},
}
"""What is to be done for each usual clock, in English and Chinese."""


def usual_targets(levels: ServiceLevels) -> list[Target]:
    """Make the usual targets from the policy's numbers."""
    solved = levels.callback_from == "solved"
    called = {"stops": ("callback",), "owner": levels.callback_owner}
    callback = {**called, "hours": levels.callback_hours}
    office = {"calendar": levels.calendar, "levels": levels.levels}
    rows: list[dict[str, Any]] = [
        {"name": "reply", "hours": levels.reply_hours, "stops": ("replied",)} | office,
        {
            "name": "next_reply",
            "hours": levels.next_reply_hours,
            "starts": "customer_message",
            "stops": ("replied", "solved", "closed"),
            "repeats": True,
        }
        | office,
        {
            "name": "solution",
            "hours": levels.solution_hours,
            "stops": ("solved",),
            "reopening": levels.reopening,
        }
        | office,
        {"name": "callback", "starts": levels.callback_from} | callback,
        {
            "name": "second_callback",
            "starts": "solved_again" if solved else "dissatisfied",
        }
        | callback,
        {
            "name": "promised_reply",
            "hours": 0,
            "starts": "promised_reply",
            "stops": ("replied", "solved"),
        },
    ]
    if levels.authority:
        rows.append(
            {
                "name": "escalation",
                "minutes": levels.escalation_minutes,
                "stops": ("escalated",),
            }
        )
    return [
        Target(
            **row,
            pausable=row["name"] in levels.pausing,
            due_soon=levels.due_soon,
            **ACTIONS[row["name"]],
        )
        for row in rows
        if row.get("hours") is not None or row.get("minutes") is not None
    ]
