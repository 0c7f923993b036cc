"""The sentences of stocktakes, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from memberops.domain.decision import Reason
from memberops.domain.stocktake import Approval, CountState, Difference

__all__ = ["MEASURES", "fact", "found", "no", "objection", "role_en", "role_zh", "yes"]

_ROLES_ZH = {
    "store_manager": "店长",
    "regional_manager": "区域经理",
    "warehouse_manager": "仓库主管",
    "headquarters": "总部",
}
MEASURES = {
    "quantity": ("the quantity", "数量"),
    "ratio": ("the share of the book quantity", "占账面比例"),
    "value": ("the value", "金额"),
}
"""The measures of a limit, in both languages."""


def yes(rule: str, text_en: str, text_zh: str, *figures: tuple[str, str]) -> Reason:
    """Make a reason that holds."""
    return Reason(
        rule=rule, met=True, text_en=text_en, text_zh=text_zh, figures=figures
    )


def no(rule: str, text_en: str, text_zh: str, *figures: tuple[str, str]) -> Reason:
    """Make a reason that does not hold, or asks for something."""
    return Reason(
        rule=rule, met=False, text_en=text_en, text_zh=text_zh, figures=figures
    )


def fact(rule: str, text_en: str, text_zh: str, *figures: tuple[str, str]) -> Reason:
    """Make a reason that only tells something."""
    return Reason(
        rule=rule, met=None, text_en=text_en, text_zh=text_zh, figures=figures
    )


def role_zh(role: str) -> str:
    """Name a role in Chinese."""
    return _ROLES_ZH.get(role, role)


def objection(
    difference: Difference,
    approval: Approval | None,
    roles: Sequence[str],
    needed: str,
) -> Reason | None:
    """Say why an approval does not count, if it does not."""
    if approval is None:
        return None
    if approval.at < difference.line.counted_at:
        text = "it was said before the line was counted", "意见早于本次盘点"
        return no("outdated", *text)
    if approval.difference != difference.to_explain:
        shown = ("shown", str(approval.difference))
        text = "the difference has changed since it was approved", "审批后差异已变化"
        return no("changed", *text, shown)
    if approval.by in difference.counters:
        text = "who counted does not approve", "盘点人不得审批"
        return no("counter", *text)
    if approval.role not in roles or roles.index(approval.role) < roles.index(needed):
        who = role_zh(approval.role)
        text = f"{role_en(approval.role)} may not approve it", f"{who}无权审批"
        return no("role-too-low", *text)
    return None


def role_en(role: str) -> str:
    """Name a role in English."""
    return f"the {role.replace('_', ' ')}" if role in _ROLES_ZH else role


def found(difference: Difference) -> list[Reason]:
    """Say what the count found, and what of it was corrected since."""
    size = abs(difference.quantity or 0)
    texts = {
        CountState.NOT_COUNTED: ("not counted", "未盘点"),
        CountState.AGREE: ("the count agrees with the books", "账实相符"),
        CountState.SURPLUS: (f"surplus of {size}", f"盘盈 {size}"),
        CountState.SHORTAGE: (f"shortage of {size}", f"盘亏 {size}"),
    }
    figures = [("book", str(difference.book))]
    if difference.line.counted is not None:
        figures.append(("counted", str(difference.line.counted)))
        figures.append(("difference", str(difference.quantity)))
    said = [fact("count", *texts[difference.state], *figures)]
    if difference.revised:
        said.append(
            fact(
                "revised",
                f"{difference.revised:+d} of it corrects for late entries and other "
                "counts",
                f"其中 {difference.revised:+d} 为补录或其他盘点引起的更正",
                ("revised", str(difference.revised)),
            )
        )
    return said
