"""Shares: the plainest of formulas, a part over its whole."""

from __future__ import annotations

from typing import Literal

from memberops.metrics.formulas import Figure
from memberops.metrics.headings import base_heading
from memberops.metrics.policy import MetricPolicy

__all__ = ["share"]


def share(
    name: str,
    part: str,
    whole: str,
    headings: tuple[str, str],
    *,
    policy: MetricPolicy | None = None,
    style: Literal["percent", "money", "number"] = "percent",
) -> Figure:
    """
    Make the formula part / whole.

    Args:
        name: Identifier of the figure.
        part: Base figure above the line.
        whole: Base figure below it.
        headings: In English and in Chinese.
        policy: Names the bands, where a part is one.
        style: How the quotient is shown.
    """
    words = base_heading(part, policy), base_heading(whole, policy)
    return Figure(
        name=name,
        heading_en=headings[0],
        heading_zh=headings[1],
        numerator=lambda base: base[part],
        denominator=lambda base: base[whole],
        needs=(part, whole),
        style=style,
        formula_en=f"{words[0][0]} / {words[1][0]}",
        formula_zh=f"{words[0][1]} ÷ {words[1][1]}",
    )
