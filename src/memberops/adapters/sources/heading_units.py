"""The unit that a heading names: 金额(分), 销售额（万元）, Total (USD)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import attrs

from memberops.domain import Currency
from memberops.tables import normal_heading

__all__ = ["HeadingUnit", "currencies_named", "heading_unit", "unit_above"]

_BRACKETED = re.compile(r"[(\[{<【〔](?P<text>[^()\[\]{}<>【】〔〕]*)[)\]}>】〕]$")
_UNIT_IS = re.compile(r"^(?:金额)?(?:货币)?单位(?:为|是)?[::]?|^(?:unit|in)[s: ]\s*")
_ABOVE = re.compile(r"(?:单位|units?)\s*(?:为|是)?\s*[::]\s*([^\s,,;;。|)(]{1,12})")
_PARTS = re.compile(r"[,,、;;/|·]")
_TAIL = re.compile(r"[/_\-:·\s]+")
_BETWEEN = re.compile(r"[\s\-_/:|,;()\[\]]+")
_LONGEST = 20
_CODE = 3

_POWERS = {
    "十元": ("十", "tens"),
    "百元": ("百", "hundreds"),
    "千元": ("千", "仟", "k", "'000", "000", "000s", "thousand", "thousands"),
    "万元": ("万", "萬", "w"),
    "十万元": ("十万", "十萬"),
    "百万元": ("百万", "百萬", "m", "mn", "mio", "million", "millions"),
    "千万元": ("千万", "千萬"),
    "亿元": ("亿", "億"),
}
_SMALL = {
    "分": ("分", "fen", "cent", "cents", "minor", "penny", "pence", "分钱"),
    "角": ("角", "jiao"),
    "元": ("元", "圆", "块", "yuan", "major", "dollar", "dollars"),
}
_OPTIONS = {
    **{word: option for option, words in _SMALL.items() for word in words},
    **{word: option for option, words in _POWERS.items() for word in words},
    **{word + unit: option for option, words in _POWERS.items() for word in words
       for unit in ("元", "圆", "yuan")},
}  # fmt: skip
_BARE = frozenset(_OPTIONS) - {"k", "w", "m", "mn", "000", "000s", "十", "百", "千"}
_DOLLARS = ("USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD", "MOP")
_YUAN = ("CNY", "MOP", *_DOLLARS)
_NAMES = {
    "AED": (), "AUD": ("澳元", "a$", "au$"), "BRL": ("r$",),
    "CAD": ("加元", "c$", "ca$"), "CHF": ("瑞郎", "瑞士法郎"),
    "CNY": ("人民币", "rmb", "¥", "cn¥", "cnh"), "DKK": (),
    "EUR": ("欧元", "€", "euro", "euros"), "GBP": ("英镑", "£"),
    "HKD": ("港元", "港币", "港幣", "hk$"), "IDR": ("印尼盾", "rp"), "INR": ("₹",),
    "JPY": ("日元", "日圆", "日币", "円", "¥", "yen"), "KHR": (),
    "KRW": ("韩元", "韩币", "₩"), "LAK": (), "MMK": (),
    "MOP": ("澳门元", "葡币", "mop$"), "MXN": ("$",),
    "MYR": ("马币", "林吉特", "令吉", "rm"), "NOK": (),
    "NZD": ("新西兰元", "nz$"), "PHP": ("菲律宾比索", "₱"), "PLN": (),
    "RUB": ("卢布", "₽"), "SAR": (), "SEK": (),
    "SGD": ("新加坡元", "新币", "坡币", "s$"), "THB": ("泰铢", "฿"),
    "TWD": ("台币", "新台币", "臺幣", "新臺幣", "nt$", "ntd"),
    "USD": ("美元", "美金", "us$"), "VND": ("越南盾", "₫"), "ZAR": (),
}  # fmt: skip


def _currencies() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {"$": frozenset(_DOLLARS)}
    for code, names in _NAMES.items():
        for name in (code.casefold(), *names):
            found[name] = found.get(name, frozenset()) | {code}
    return found


_CURRENCIES = _currencies()
# Many more currencies are written with them than are listed here.
_SIGNS = frozenset("$£¥")
_LONGEST_FIRST = sorted(_CURRENCIES, key=len, reverse=True)


@attrs.frozen(kw_only=True)
class HeadingUnit:
    """
    What a heading says of the amounts below it.

    Args:
        word: As it stands, cut.
        option: The name of the unit in the option ``units``; empty if the word is
            none, as 含税 is.
        currencies: Codes of the currencies it may mean; empty if it names none.
        sign: Whether a mere sign names them, with which others are written too.
    """

    word: str
    option: str = ""
    currencies: frozenset[str] = frozenset()
    sign: bool = False

    def fits(self, currency: Currency) -> bool:
        """
        Tell whether amounts in this unit can be amounts of a currency.

        >>> heading_unit("金额(美元)").fits(Currency("CNY"))
        False
        """
        if self.currencies:
            unlisted = self.sign and currency.code not in _NAMES
            return unlisted or currency.code in self.currencies
        # There is no fen of a yen.
        return currency.digits > 0 or self.option not in ("分", "角")


def _means(text: str) -> HeadingUnit | None:
    """Read a unit alone: of a currency, of a power of it, or both."""
    shown, text = text[:_LONGEST], re.sub(r"\s+", "", text)
    if option := _OPTIONS.get(text):
        named = "元" in text and option == "元"
        return HeadingUnit(
            word=shown,
            option=option,
            currencies=frozenset(_YUAN) if named else frozenset(),
        )
    for name in _LONGEST_FIRST:
        for rest in _beside(text, name):
            if not rest or rest in _OPTIONS:
                return HeadingUnit(
                    word=shown,
                    option=_OPTIONS.get(rest, "元"),
                    currencies=_CURRENCIES[name],
                    sign=name in _SIGNS,
                )
    return None


def _beside(text: str, name: str) -> Iterable[str]:
    if text.startswith(name):
        yield text[len(name) :]
    if text.endswith(name):
        yield text[: -len(name)]


def currencies_named(text: str) -> frozenset[str]:
    """
    Return the codes of the currencies that a text alone may mean; none if it is none.

    A code of three letters is one whether it is listed here or not.

    >>> sorted(currencies_named("人民币")), sorted(currencies_named("qar"))
    (['CNY'], ['QAR'])
    >>> sorted(currencies_named("CNY-人民币")), sorted(currencies_named("主币"))
    (['CNY'], [])
    """
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    found = [_currencies_of(part) for part in _BETWEEN.split(plain) if part]
    return frozenset.intersection(*found) if found else frozenset()


def _currencies_of(text: str) -> frozenset[str]:
    unit = _means(text)
    if unit is not None and unit.option == "元" and unit.currencies:
        return unit.currencies
    code = len(text) == _CODE and text.isascii() and text.isalpha()
    return frozenset({text.upper()} if code else ())


def heading_unit(heading: str, known: Iterable[str] = ()) -> HeadingUnit | None:
    """
    Return the unit that a heading of amounts names; None if it names none.

    Args:
        heading: As it stands.
        known: Headings of the column, in the normal form: a unit may follow one of
            them without a sign between, as in 金额分.

    >>> heading_unit("金额（分）").option, heading_unit("销售额(万元)").option
    ('分', '万元')
    >>> heading_unit("金额(含税)"), heading_unit("金额")
    (HeadingUnit(word='含税', option='', currencies=frozenset(), sign=False), None)
    >>> heading_unit("amount_cents").option, heading_unit("积分", {"分数"})
    ('分', None)
    """
    text = unicodedata.normalize("NFKC", heading).strip().casefold()
    if inside := _BRACKETED.search(text):
        return _of_parts(inside["text"])
    tail = _TAIL.split(text)[-1]
    if tail != text and (tail in _BARE or tail in _CURRENCIES):
        return _means(tail)
    forms = frozenset(known)
    for word in sorted(_BARE, key=len, reverse=True):
        if text.endswith(word) and normal_heading(text[: -len(word)]) in forms:
            return _means(word)
    return None


def _of_parts(inside: str) -> HeadingUnit | None:
    text = _UNIT_IS.sub("", inside.strip())
    if not text:
        return None
    found = [_means(text)] if _means(text) else []
    found = found or [unit for part in _PARTS.split(text) if (unit := _means(part))]
    if len({(unit.option, unit.currencies) for unit in found if unit}) == 1:
        return found[0]
    return HeadingUnit(word=text[:_LONGEST])


def unit_above(texts: Iterable[str]) -> HeadingUnit | None:
    """
    Return the unit that a line above the headings gives all amounts.

    >>> unit_above(["十月销售", "单位：万元"]).option, unit_above(["单位：一分店"])
    ('万元', None)
    """
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).casefold()
        if (found := _ABOVE.search(plain)) and (unit := _means(found[1])):
            return unit
    return None
