"""Why stock and books differ: the reasons that a stocktake knows."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from memberops.domain.canonical import an_id
from memberops.errors import InvalidValueError

__all__ = ["DEFAULT_REASONS", "TOLERANCE_REASON", "DifferenceReason"]

Direction = Literal["shortage", "surplus", "either"]
TOLERANCE_REASON = "tolerance"
"""The reason under which a difference within the tolerance is adjusted."""


def _direction(_instance: object, _attribute: object, value: Any) -> None:
    if value not in {"shortage", "surplus", "either"}:
        raise InvalidValueError(
            f"'direction' is 'shortage', 'surplus' or 'either', not {str(value)[:20]!r}"
        )


@attrs.frozen(kw_only=True)
class DifferenceReason:
    """
    A reason for a difference, and the way that it goes.

    Args:
        code: Stable word; adjustments go to the account ``adjustment:<code>``.
        direction: ``"shortage"``, ``"surplus"`` or ``"either"``.
        text_en: What it means, in English.
        text_zh: The same in Chinese.

    >>> lost = DifferenceReason(code="lost", direction="shortage", text_en="lost",
    ...                         text_zh="遗失")
    >>> lost.fits(-2), lost.fits(2)
    (True, False)
    """

    code: str = attrs.field(validator=an_id)
    direction: Direction = attrs.field(validator=_direction)
    text_en: str
    text_zh: str

    @code.validator
    def _check_code(self, _attribute: object, value: str) -> None:
        if ":" in value:
            raise InvalidValueError("the code of a reason has no colon")

    def fits(self, quantity: int) -> bool:
        """Tell if a part of a difference can have this reason, by its sign."""
        wanted = "surplus" if quantity > 0 else "shortage"
        return self.direction in {wanted, "either"}


def _reason(
    code: str, direction: Direction, text_en: str, text_zh: str
) -> DifferenceReason:
    return DifferenceReason(
        code=code, direction=direction, text_en=text_en, text_zh=text_zh
    )


DEFAULT_REASONS = (
    _reason("damaged", "shortage", "damaged", "破损"),
    _reason("stolen", "shortage", "stolen", "被盗"),
    _reason("issue_unregistered", "shortage", "given out, not registered", "发放漏登"),
    _reason("lost", "shortage", "lost, cause unknown", "原因不明盘亏"),
    _reason("receipt_unregistered", "surplus", "received, not registered", "收货漏登"),
    _reason("issue_doubled", "surplus", "issue registered twice", "发放重复登记"),
    _reason("found", "surplus", "found, cause unknown", "原因不明盘盈"),
    _reason("wrong_lot", "either", "another lot was moved", "批次错登"),
    _reason("earlier_count", "either", "an earlier count was wrong", "上次盘点有误"),
    _reason(TOLERANCE_REASON, "either", "within the tolerance", "在允差范围内"),
)
"""The reasons of a chain that names none of its own."""
