"""
Phone numbers: brought into one spelling, or refused with the reason (HQ §4.1).

Mainland mobiles, nearly all of a chain's numbers, are read by a pattern in a fraction
of a microsecond. Everything else is asked of the library ``phonenumbers`` (extra
``phone``), which takes a hundred times as long and knows every country.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
import pandas as pd

from memberops.domain.values import Language, check_language, mask
from memberops.errors import ColumnTypeError, InvalidValueError, MissingExtraError

__all__ = ["PhoneProblem", "PhoneReading", "PhoneRule"]

PhoneProblem: TypeAlias = Literal[
    "missing", "masked", "spoiled", "unreadable", "invalid", "not_mobile"
]
"""Why a phone number cannot be used."""

_TEXTS: dict[PhoneProblem, tuple[str, str]] = {
    "missing": ("no phone number", "缺少手机号"),
    "masked": (
        "the phone number is masked, ask for the full one",
        "手机号已打码，请补全号码",
    ),
    "spoiled": (
        "the phone number was stored as a number and may have lost digits",
        "手机号曾被存为数值，可能已丢失数字",
    ),
    "unreadable": (
        "the phone number has characters that no number has, or holds two numbers",
        "手机号含有无法识别的字符，或填写了多个号码",
    ),
    "invalid": ("no phone can have this number", "不是有效的电话号码"),
    "not_mobile": ("the number is not one of a mobile", "不是手机号码"),
}

# What is checked before any library: written once, in ASCII digits.
_MAINLAND_MOBILE = re.compile(
    r"(?:\+?86|0086)?"
    r"(1(?:[38][0-9]|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])[0-9]{8})",
    re.ASCII,
)
_SERVICE_SHAPE = re.compile(r"(?:\+?86|0086)?12[0-9]{9}", re.ASCII)
_DIALLED = re.compile(r"\+?[0-9]+", re.ASCII)
_MASK_MARKS = re.compile(r"[*•●×✱]|(?<=[0-9])[xX]{2,}|[xX]{2,}(?=[0-9])", re.ASCII)
_SPOILED = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+|[0-9]+\.0+|#+", re.ASCII)
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212.()]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LONGEST = 40
_MOBILE_DIGITS = 11


@attrs.frozen
class PhoneReading:
    """
    What a `PhoneRule` made of a text: a number, or the reason why there is none.

    Args:
        number: In E.164, such as ``"+8613812345678"``; masked in the repr.
        problem: Why the text cannot be used; None if it can.
    """

    number: str | None = attrs.field(repr=lambda value: str(mask(value)))
    problem: PhoneProblem | None = None

    @property
    def matchable(self) -> bool:
        """Whether the number may be compared with others."""
        return self.number is not None

    def text(self, language: Language = "en") -> str:
        """Say what is wrong; empty if nothing is."""
        chinese = check_language(language) == "zh"
        return "" if self.problem is None else _TEXTS[self.problem][chinese]


@attrs.frozen(kw_only=True)
class PhoneRule:
    """
    How the phone numbers of a chain are read.

    Full-width digits, spaces, dashes, brackets, ``+86`` and ``0086`` do not matter. A
    masked number stays masked and is no number; one that a spreadsheet turned into
    ``1.38E+10`` has lost digits and is refused.

    Args:
        country: ISO code of the country whose numbers need no country code.
        mobile_only: Whether a landline is refused.
        mainland_only: Whether only mainland mobiles are numbers; no extra is needed.

    Raises:
        InvalidValueError: The country is no code of two capital letters, or is not
            ``"CN"`` although *mainland_only* is asked for.

    >>> rule = PhoneRule(mainland_only=True)
    >>> rule.read(" ＋86 138-1234-5678 ")
    PhoneReading(number=**********5678, problem=None)
    >>> rule.read("138****8000").problem, rule.read("1.38123E+10").problem
    ('masked', 'spoiled')
    >>> rule.read("12345").text("zh")
    '不是有效的电话号码'
    """

    country: str = attrs.field(default="CN")
    mobile_only: bool = False
    mainland_only: bool = False

    @country.validator
    def _check_country(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch("[A-Z]{2}", value):
            raise InvalidValueError(
                "'country' must be a code of two capital letters such as 'CN', "
                f"not {str(value)[:20]!r}"
            )
        if self.mainland_only and value != "CN":
            raise InvalidValueError("mainland_only=True reads numbers of country='CN'")

    def read(self, text: str | None) -> PhoneReading:
        """
        Read one number.

        Args:
            text: The number as it was written; None if there is none.

        Raises:
            InvalidValueError: The number is no text: digits were lost already.
            MissingExtraError: It is no mainland mobile and the extra ``phone`` is
                not installed.
        """
        if text is not None and not isinstance(text, str):
            raise InvalidValueError(
                f"a phone number is text, not a {type(text).__name__}: "
                "read the column as text, a number loses zeros and the plus"
            )
        return PhoneReading(*self._read(text))

    def read_column(self, phones: pd.Series) -> pd.DataFrame:
        """
        Read a column; row by row the same answer as `read`.

        Args:
            phones: Text, with gaps where there is no number.

        Returns:
            A frame with the same index: ``number`` (E.164) and ``problem``.

        Raises:
            ColumnTypeError: The column holds numbers.
            MissingExtraError: As `read`.

        >>> rule = PhoneRule(mainland_only=True)
        >>> rule.read_column(pd.Series(["13812345678", None]))["problem"].tolist()[1]
        'missing'
        """
        if pd.api.types.is_numeric_dtype(phones.dtype):
            raise ColumnTypeError(
                f"the phone column is {phones.dtype}; it must be text: read it with "
                "dtype=str, a number loses zeros and the plus"
            )
        number = pd.Series(None, index=phones.index, dtype="str")
        problem = number.copy()
        plain = np.zeros(len(phones), bool)
        if self.country == "CN" and str(phones.dtype) == "str":
            # Nearly all: mainland mobiles as they are dialled, read as one column.
            plain = phones.str.fullmatch(_MAINLAND_MOBILE.pattern).to_numpy(bool)
            number = ("+86" + phones.str[-_MOBILE_DIGITS:]).where(plain)
        odd = np.flatnonzero(~plain)
        if len(odd):
            values = phones.iloc[odd].astype(object)
            values = values.where(values.notna(), None)
            read = [self._read(value) for value in values.tolist()]
            number.iloc[odd] = [each[0] for each in read]
            problem.iloc[odd] = [each[1] for each in read]
        return pd.DataFrame({"number": number, "problem": problem})

    def _read(self, text: Any) -> tuple[str | None, PhoneProblem | None]:
        if text is None:
            return None, "missing"
        if not isinstance(text, str):
            return None, "spoiled"
        mainland = self.country == "CN"
        if mainland and (found := _MAINLAND_MOBILE.fullmatch(text)):
            return "+86" + found[1], None
        dialled, problem = _dialled(text)
        return (
            (None, problem)
            if problem is not None
            else self._of_digits(dialled, mainland=mainland)
        )

    def _of_digits(
        self, dialled: str, *, mainland: bool
    ) -> tuple[str | None, PhoneProblem | None]:
        if mainland:
            if found := _MAINLAND_MOBILE.fullmatch(dialled):
                return "+86" + found[1], None
            # 12x are short service numbers: nobody's phone, and no question for a
            # library.
            if self.mainland_only or _SERVICE_SHAPE.fullmatch(dialled):
                return None, "invalid"
        return _ask_library(dialled, self.country, mobile_only=self.mobile_only)


def _dialled(text: str) -> tuple[str, PhoneProblem | None]:
    """Take the digits out of a text, or say why that cannot be done."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).strip()
    dialled = _SEPARATORS.sub("", plain)
    problem: PhoneProblem | None = None
    if not plain:
        problem = "missing"
    elif _SPOILED.fullmatch(plain):
        problem = "spoiled"
    elif _MASK_MARKS.search(plain):
        problem = "masked"
    elif not _DIALLED.fullmatch(dialled) or len(dialled) > _LONGEST:
        problem = "unreadable"
    return dialled, problem


@cache
def _library() -> Any:
    try:
        import phonenumbers
    except ImportError:
        raise MissingExtraError(
            "reading phone numbers other than mainland mobiles "
            "(PhoneRule(mainland_only=True) refuses them)",
            "phone",
        ) from None
    return phonenumbers


def _ask_library(
    dialled: str, country: str, *, mobile_only: bool
) -> tuple[str | None, PhoneProblem | None]:
    library = _library()
    try:
        number = library.parse(dialled, country)
    except library.NumberParseException:
        return None, "invalid"
    if not library.is_valid_number(number):
        return None, "invalid"
    kinds = library.PhoneNumberType
    kind = library.number_type(number)
    if mobile_only and kind not in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE}:
        return None, "not_mobile"
    return library.format_number(number, library.PhoneNumberFormat.E164), None
