"""The words in which conditions speak, Chinese and English side by side."""

from __future__ import annotations

import re

import attrs

from memberops.domain import Currency
from memberops.domain.values import mask

__all__ = ["Words", "amount_text", "reason_text", "words_for"]


@attrs.frozen(kw_only=True)
class Words:
    """
    How one figure is named in sentences.

    Args:
        name_en: The figure, such as ``"purchases"``; also its unit in the plural.
        name_zh: The figure in Chinese, such as ``"消费次数"``.
        one_en: Its unit in the singular, such as ``"purchase"``; *name_en* if empty.
        unit_zh: Its unit in Chinese with the measure word, such as ``"次消费"``.

    >>> Words(name_en="referrals", name_zh="推荐人数", one_en="referral",
    ...       unit_zh="位推荐").unit(1)
    'referral'
    """

    name_en: str
    name_zh: str
    one_en: str = ""
    unit_zh: str = ""

    def unit(self, number: int) -> str:
        """Return the English unit for a number of them."""
        return self.one_en if number == 1 and self.one_en else self.name_en


_KNOWN = {
    "purchases": Words(
        name_en="purchases", name_zh="消费次数", one_en="purchase", unit_zh="次消费"
    ),
    "spend": Words(name_en="spend", name_zh="消费金额"),
    "active_months": Words(
        name_en="active months",
        name_zh="活跃月数",
        one_en="active month",
        unit_zh="个活跃月",
    ),
    "referrals": Words(
        name_en="referrals", name_zh="推荐人数", one_en="referral", unit_zh="位推荐"
    ),
}


def words_for(figure: str) -> Words:
    """
    Return the words of a figure; one that is not known goes by its own name.

    >>> words_for("purchases").name_zh, words_for("store_visits").name_en
    ('消费次数', 'store visits')
    """
    known = _KNOWN.get(figure)
    if known is not None:
        return known
    name = figure.replace("_", " ")
    return Words(name_en=name, name_zh=name, unit_zh=f"（{name}）")


_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){8,}")
"""At least nine digits: a phone or a document, but no day."""


def reason_text(reason: str) -> str:
    """
    Write what a person gave as a reason, with phones and other long numbers masked.

    >>> reason_text("paid on 2026-11-05, call 138 1234 5678")
    'paid on 2026-11-05, call *******5678'
    """
    return _LONG_NUMBER.sub(
        lambda found: mask(re.sub(r"[ -]", "", found[0])) or "", reason
    )


def amount_text(minor: int, currency: Currency) -> str:
    """
    Write minor units in major units without a sign of the currency.

    >>> amount_text(123456, Currency("CNY")), amount_text(-5, Currency("CNY"))
    ('1,234.56', '-0.05')
    """
    digits = currency.digits
    if not digits:
        return f"{minor:,}"
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:0{digits}d}"
