"""The parts of what a membership costs, and how each is told."""

from __future__ import annotations

from fractions import Fraction

import attrs

from memberops.domain import Currency, Reason
from memberops.domain.money import round_half_up

__all__ = ["Part", "part", "terms_note"]


@attrs.frozen
class Part:
    """One part of a price, exact, with the names under which it is told."""

    rule: str
    name_en: str
    name_zh: str
    minor: Fraction
    note: tuple[str, str] = ("", "")

    def reason(self, currency: Currency) -> Reason:
        """Say the part, rounded for reading; the exact figure stands beside it."""
        amount = round_half_up(self.minor)
        text = f"{currency.to_decimal(amount):,}"
        return Reason(
            rule=self.rule,
            met=None,
            figures=(("amount", text), ("exact_minor", str(self.minor))),
            text_en=f"{self.name_en} {text}{self.note[0]}",
            text_zh=f"{self.name_zh} {text} {currency.unit_zh}{self.note[1]}",
        )


def part(
    rule: str,
    english: str,
    chinese: str,
    minor: Fraction,
    *,
    note: tuple[str, str] = ("", ""),
    always: bool = False,
) -> Part | None:
    """Make a part; None where it is nothing and need not be told."""
    return Part(rule, english, chinese, minor, note) if minor or always else None


def terms_note(terms: int, begun: Fraction) -> tuple[str, str]:
    """Say how many terms a fee is for, and which part of the first."""
    english, chinese = [], []
    if terms > 1:
        english.append(f"{terms} terms")
        chinese.append(f"{terms} 期")
    if begun != 1:
        english.append(f"the first for {begun} of its days")
        chinese.append(f"首期按天 {begun}")
    if not english:
        return "", ""
    return f" ({', '.join(english)})", f"（{'，'.join(chinese)}）"
