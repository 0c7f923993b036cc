"""
Scalar readers: the text of one cell becomes a value, or an `Unreadable` that says why.

They never guess and never use floats. Full-width letters, digits and signs are read
as narrow ones (Unicode NFKC). No reader puts the text into its answer, so an
`Unreadable` can be shown whatever the cell held. Dates are in `date_values`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Context, Decimal

import attrs

from memberops.domain import Currency

__all__ = [
    "BROKEN",
    "COMMA_DECIMAL",
    "TOO_LARGE",
    "Unreadable",
    "narrow",
    "read_amount",
    "read_choice",
    "read_id",
    "read_integer",
    "read_text",
    "whole_text",
]

COMMA_DECIMAL = "number-comma-decimal"
"""The rule of a number whose comma is its decimal point, or whose points are none."""

BROKEN = "\uffff"
"""Stands for half of a pair of surrogates, which no file can hold: no id has it."""

_INT64 = 2**63 - 1
_SAFE_DIGITS = 18
_LONGEST_ID = 200
_LONGEST_NUMBER = 60

# A context of our own: a host may have changed the global precision.
_EXACT = Context(prec=80)


@attrs.frozen
class Unreadable:
    """
    Why a text is not the value that its column asks for.

    Args:
        rule: Short stable name of the reason.
        text_en: The reason in English.
        text_zh: The reason in Chinese.
        column_wide: Whether it is a fact about the whole column, told once.
    """

    rule: str
    text_en: str
    text_zh: str
    column_wide: bool = False


def narrow(text: str) -> str:
    """
    Bring full-width characters into their narrow form and strip spaces.

    >>> narrow("　￥１，２９９．００ ")
    '¥1,299.00'
    """
    return (
        text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
    )


def whole_text(text: str) -> str:
    r"""
    Put a sign in the place of half a pair of surrogates, as JSON may hold it.

    >>> whole_text("王\ud800"), whole_text("王小明")
    ('王\uffff', '王小明')
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub(BROKEN, text)
    return text


_HALVES = re.compile("[\ud800-\udfff]")
_DESTROYED = re.compile(r"[+-]?\d(?:\.\d+)?E\+\d{1,3}", re.ASCII | re.IGNORECASE)
_SCIENTIFIC = Unreadable(
    "number-destroyed",
    "it is in scientific notation, in which spreadsheets lose digits; "
    "export the column as text",
    "采用了科学计数法，电子表格会因此丢失位数；请按文本格式重新导出",
)
_CONTROL = Unreadable(
    "control-character",
    "it has control or invisible characters",
    "含有控制字符或不可见字符",
)
_ERROR_CELL = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|GETTING_DATA|SPILL!|CALC!|FIELD!"
    r"|BLOCKED!|UNKNOWN!|CONNECT!|BUSY!|PYTHON!|ERROR!)"
)
_ERROR = Unreadable(
    "cell-error",
    "it is an error of a spreadsheet, not a value",
    "是电子表格的错误值，不是数据",
)
_QUOTE = Unreadable(
    "id-quote",
    "an id holds a quote: one is too many in this line, or in one above",
    "编号中含有引号：本行或上面某行多了一个引号",
)
_ID_LONG = Unreadable(
    "id-too-long",
    f"an id of more than {_LONGEST_ID} characters",
    f"编号超过 {_LONGEST_ID} 个字符",
)


def read_id(text: str) -> str | Unreadable:
    """
    Read an id: narrow, stripped, leading zeros kept.

    >>> read_id("００１２３ "), read_id("1.23457E+10").rule, read_id("#REF!").rule
    ('00123', 'number-destroyed', 'cell-error')
    """
    if len(text) > _LONGEST_ID:
        return _ID_LONG
    if text.isascii() and text.isalnum():
        return text
    value = narrow(text)
    if spoiled := _spoiled(value):
        return spoiled
    if '"' in value:
        return _QUOTE
    # Cc, Cf, Cs, Co, Cn; Zl and Zp: what nobody sees makes two ids look like one.
    if any(
        (kind := unicodedata.category(char))[0] == "C" or kind in ("Zl", "Zp")
        for char in value
    ):
        return _CONTROL
    return value


def read_text(text: str) -> str | Unreadable:
    """
    Read free text: stripped, otherwise as it is; full-width numbers become narrow.

    >>> read_text(" １３８００１３８０００ "), read_text("=1+1")
    ('13800138000', '=1+1')
    """
    value = text.strip().replace(BROKEN, "\ufffd")
    small = narrow(value)
    if spoiled := _spoiled(small):
        return spoiled
    return small if small.isascii() else value


def _spoiled(text: str) -> Unreadable | None:
    """Tell what a spreadsheet made of a value: a rounded number, or an error."""
    if _DESTROYED.fullmatch(text):
        return _SCIENTIFIC
    return _ERROR if _ERROR_CELL.fullmatch(text) else None


_AMOUNT = re.compile(
    r"(?P<sign>[-+−]?)\s*(?P<before>[^\d\s.,+−()-]*)\s*(?P<inner>[-−]?)\s*"
    r"(?P<number>[\d.,]*\d[\d.,]*(?:E[+-]?\d+)?)"
    r"\s*(?P<power>[千万萬亿億]?)\s*(?P<after>[^\d\s.,+−()-]*)\s*(?P<trailing>[-−]?)",
    re.ASCII | re.IGNORECASE,
)
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_COMMA_DECIMAL = re.compile(
    r"\d{1,3}(?:\.\d{3})*,\d{1,2}|0+,\d+|\d{1,3}(?:\.\d{3})+,\d+", re.ASCII
)
_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){2,}", re.ASCII)
_POWERS = {"": 0, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8}
_POWER = re.compile("[千万萬亿億]")
_CODE = re.compile("[A-Z]{3}")
_SIGNS_OF = {
    "CNY": ("¥", "元", "圆", "RMB", "人民币", "CN¥"),
    "EUR": ("欧元",),
    "GBP": ("英镑",),
    "HKD": ("HK$", "港元", "港币"),
    "JPY": ("円", "日元", "圆"),
    "TWD": ("NT$", "元"),
    "USD": ("US$", "美元"),
}

_NOT_A_NUMBER = Unreadable("number-unreadable", "it is no number", "不是数字")
_THOUSANDS = Unreadable(
    "number-grouping",
    "its commas do not part thousands; write 1,299.00 or 1299.00",
    "千位分隔符位置不对；请写成 1,299.00 或 1299.00",
)
_COMMA = Unreadable(
    COMMA_DECIMAL,
    "a comma seems to stand for the decimal point; write 1299.00",
    "逗号疑似用作小数点；请写成 1299.00",
)
_POINT_GROUPS = Unreadable(
    COMMA_DECIMAL,
    "points seem to part its thousands; write 1,299.00 or 1299.00",
    "点号疑似用作千位分隔符；请写成 1,299.00 或 1299.00",
)
_UNIT_TWICE = Unreadable(
    "amount-unit",
    "it names a unit, and its column has one already, by its heading or 'units'",
    "单元格自带单位，而该列的标题或 units 已指定单位",
)
_SIGNED_TWICE = Unreadable("number-sign", "it has more than one sign", "正负号不止一个")
TOO_LARGE = Unreadable(
    "number-too-large", "it does not fit into 64 bits", "数值过大，超出 64 位范围"
)


def read_amount(  # noqa: PLR0911 - each way to be no amount has its own exit
    text: str, currency: Currency, unit: Decimal | None = None
) -> int | Unreadable:
    """
    Read an amount as whole minor units, exactly.

    Read are thousands separators, the currency's signs, a minus before or after,
    parentheses for negatives, and the Chinese powers 千, 万 and 亿.

    Args:
        text: The cell.
        currency: Currency of the column; another one's sign is refused.
        unit: What one of the column is worth; one of the currency if None. Where it
            is given, a cell that names a unit of its own is refused.

    >>> cny = Currency("CNY")
    >>> [read_amount(cell, cny) for cell in ("￥1,299.00", "(3.50)", "1.28万元", "5-")]
    [129900, -350, 1280000, -500]
    >>> read_amount("19.999", cny).rule, read_amount("$5", cny).rule
    ('amount-digits', 'amount-currency')
    >>> read_amount("1299", cny, unit=Decimal("0.01"))
    1299
    >>> read_amount("1.28", cny, unit=Decimal(10_000))
    1280000
    """
    if unit is None and (plain := _plain_amount(text, currency.digits)) is not None:
        return plain
    number = _number(text)
    if isinstance(number, Unreadable):
        return number
    value, words = number
    foreign = [word for word in words if word and not _means(word, currency)]
    if unit is not None:
        another = any(_CODE.fullmatch(word) for word in foreign)
        if not another and (any(words) or _POWER.search(text)):
            return _UNIT_TWICE
        value = _EXACT.multiply(value, unit)
    if foreign:
        return Unreadable(
            "amount-currency",
            f"its unit is not that of {currency.code}",
            f"货币单位与 {currency.code} 不符",
        )
    # Not by `Currency.to_minor`: its error, even one that is caught, quotes the number.
    minor = value.scaleb(currency.digits, context=_EXACT)
    if abs(minor) > _INT64:
        return TOO_LARGE
    if minor != int(minor):
        return Unreadable(
            "amount-digits",
            f"it has more than the {currency.digits} decimal digits of "
            f"{currency.code}; round it at the source, or declare more digits",
            f"小数位多于 {currency.code} 的 {currency.digits} 位；"
            "请在源头取整，或在配置中声明更多位数",
        )
    return int(minor)


def _plain_amount(text: str, digits: int) -> int | None:
    """Read what most cells are, digits with a point at most, without a Decimal."""
    whole, _, part = text.partition(".")
    if (
        text.isascii()
        and whole.isdigit()
        and len(whole) + digits <= _SAFE_DIGITS
        and len(part) <= digits
        and (not part or part.isdigit())
    ):
        return int(whole + part.ljust(digits, "0"))
    return None


def read_integer(text: str) -> int | Unreadable:
    """
    Read a whole number; ``3.00`` is one, ``3.5`` is not.

    >>> read_integer("１，２００"), read_integer("3.00"), read_integer("-2")
    (1200, 3, -2)
    >>> read_integer("3.5").rule
    'integer-fraction'
    """
    number = _number(text)
    if isinstance(number, Unreadable):
        return number
    value, words = number
    if any(words):
        return _NOT_A_NUMBER
    if value != value.to_integral_value():
        return Unreadable("integer-fraction", "it is not a whole number", "不是整数")
    return int(value) if abs(value) <= _INT64 else TOO_LARGE


def read_choice(text: str, words: Mapping[str, str]) -> str | Unreadable:
    """
    Read one of a few words.

    Args:
        text: The cell.
        words: The word that each spelling means; spellings are narrow and casefolded.

    >>> read_choice(" Ｆ ", {"f": "female", "女": "female"})
    'female'
    """
    word = words.get(narrow(text).casefold())
    if word is not None:
        return word
    known = ", ".join(dict.fromkeys(words.values()))
    return Unreadable(
        "choice-unknown",
        f"it is none of the known words (they mean {known})",
        f"不是已知的取值（可取：{known}）",
    )


def _number(  # noqa: C901, PLR0911, PLR0912 - each way to be no number has its own exit
    text: str,
) -> tuple[Decimal, tuple[str, str]] | Unreadable:
    value = narrow(text)
    if len(value) > _LONGEST_NUMBER:
        return _NOT_A_NUMBER
    if value.isascii() and value.isdigit() and text.isascii():
        return Decimal(value), ("", "")
    if not text.isascii() and _hides_digits(text):
        return _NOT_A_NUMBER
    if value.startswith("#") and _ERROR_CELL.fullmatch(value):
        return _ERROR
    bracketed = value.startswith("(") and value.endswith(")")
    match = _AMOUNT.fullmatch(value[1:-1].strip() if bracketed else value)
    if match is None:
        return _NOT_A_NUMBER
    if bracketed + sum(map(bool, match.group("sign", "inner", "trailing"))) > 1:
        return _SIGNED_TWICE
    number = match["number"]
    if "E" in number.upper():
        return _SCIENTIFIC
    if not _PLAIN.fullmatch(number):
        if _COMMA_DECIMAL.fullmatch(number):
            return _COMMA
        if _POINTS.fullmatch(number):
            return _POINT_GROUPS
        if not _GROUPED.fullmatch(number):
            return _THOUSANDS if "," in number else _NOT_A_NUMBER
    amount = Decimal(number.replace(",", ""))
    if power := _POWERS[match["power"]]:
        amount = amount.scaleb(power, context=_EXACT)
    if bracketed or match["sign"] in ("-", "−") or match["inner"] or match["trailing"]:
        amount = amount.copy_negate()
    return amount, (match["before"], match["after"])


def _hides_digits(text: str) -> bool:
    """Tell whether a sign that is no digit, as in 12² or ①, would become one."""
    return any(
        unicodedata.category(char) != "Nd"
        and any(map(str.isdigit, unicodedata.normalize("NFKC", char)))
        for char in text
        if not char.isascii()
    )


def _means(word: str, currency: Currency) -> bool:
    signs = (currency.symbol, currency.code, *_SIGNS_OF.get(currency.code, ()))
    return word.upper() in signs
