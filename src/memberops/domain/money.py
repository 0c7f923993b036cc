"""Exact money: whole minor units inside, `decimal.Decimal` at the door."""

from __future__ import annotations

import decimal
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import attrs

from memberops.errors import CurrencyMismatchError, InvalidValueError

__all__ = [
    "NO_CURRENCY",
    "Currency",
    "Money",
    "RoundedFloat",
    "money_from_float",
    "round_half_up",
]

_INT64 = 2**63 - 1
_MAX_DIGITS = 6
# A context of our own: a host may have changed the global precision.
_EXACT = decimal.Context(
    prec=80,
    rounding=ROUND_HALF_UP,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)

_DIGITS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "PYG": 0,
    "TND": 3,
    "UGX": 0,
    "VND": 0,
}
_SYMBOLS = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_UNITS_ZH = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}


def round_half_up(value: Fraction) -> int:
    """
    Round an exact fraction to the nearest whole number, halves away from zero.

    >>> round_half_up(Fraction(5, 2)), round_half_up(Fraction(-5, 2))
    (3, -3)
    """
    sign = -1 if value < 0 else 1
    return sign * (
        (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    )


def _code(_instance: object, _attribute: object, value: Any) -> None:
    if (
        not isinstance(value, str)
        or len(value) != 3  # noqa: PLR2004 - ISO 4217
        or not value.isascii()
        or not value.isalpha()
        or not value.isupper()
    ):
        raise InvalidValueError(
            "a currency code is three capital letters (ISO 4217), "
            f"such as 'CNY', not {str(value)[:20]!r}"
        )


@attrs.frozen
class Currency:
    """
    A currency with the digits of its minor unit.

    Args:
        code: ISO 4217 code, such as ``"CNY"``.
        digits: Decimal digits of the minor unit; the ISO value by default.
            A chain whose prices carry more digits says so here.

    Raises:
        InvalidValueError: The code is no ISO code, or the digits are not 0 to 6.

    >>> Currency("CNY").to_minor("1299.00")
    129900
    >>> Currency("JPY").digits
    0
    >>> Currency("GBP", digits=3).to_minor("0.001")
    1
    """

    code: str = attrs.field(validator=_code)
    digits: int = attrs.field(
        default=attrs.Factory(
            lambda self: _DIGITS.get(str(self.code), 2), takes_self=True
        )
    )

    @digits.validator
    def _check_digits(self, _attribute: object, value: Any) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not 0 <= value <= _MAX_DIGITS
        ):
            raise InvalidValueError(
                f"'digits' must be a whole number from 0 to {_MAX_DIGITS}, "
                f"not {str(value)[:20]!r}"
            )

    @property
    def symbol(self) -> str:
        """The usual sign, or the code where there is none."""
        return _SYMBOLS.get(self.code, self.code)

    @property
    def unit_zh(self) -> str:
        """The Chinese word that follows an amount, or the code where there is none."""
        return _UNITS_ZH.get(self.code, self.code)

    def to_minor(self, amount: Decimal | str | int) -> int:
        """
        Convert an amount in major units to whole minor units, exactly.

        Args:
            amount: A `Decimal`, a plain decimal text, or a whole number of
                major units.

        Raises:
            InvalidValueError: It is a float or bool, is not a finite number, has
                more digits than the currency, or does not fit into 64 bits.
        """
        value = _decimal(amount)
        if value.adjusted() > _MAX_ADJUSTED:
            raise InvalidValueError("an amount does not fit into 64 bits")
        scaled = value.scaleb(self.digits, context=_EXACT)
        minor = int(scaled)
        if scaled != minor:
            raise InvalidValueError(
                f"{value} has more than the {self.digits} decimal digits of "
                f"{self.code}; round it first, or declare a currency with more digits"
            )
        if abs(minor) > _INT64:
            raise InvalidValueError("an amount does not fit into 64 bits")
        return minor

    def to_decimal(self, minor: int) -> Decimal:
        """
        Convert whole minor units to a `Decimal` in major units.

        >>> Currency("CNY").to_decimal(23000)
        Decimal('230.00')
        """
        return Decimal(int(minor)).scaleb(-self.digits, context=_EXACT)

    def format(self, minor: int, language: str = "en") -> str:
        """
        Write minor units as a person reads them.

        >>> Currency("CNY").format(123456, "zh"), Currency("CNY").format(123456)
        ('1,234.56 元', '¥1,234.56')
        """
        text = f"{self.to_decimal(minor):,}"
        if language == "zh":
            return f"{text} {self.unit_zh}"
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        space = " " if self.symbol == self.code else ""
        return f"{sign}{self.symbol}{space}{text}"


_MAX_ADJUSTED = 20


def _decimal(amount: Decimal | str | int) -> Decimal:
    if isinstance(amount, float):
        raise InvalidValueError(
            "a float cannot be money: pass text or a Decimal, "
            "or round it knowingly with money_from_float()"
        )
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, str, int)):
        raise InvalidValueError(
            "money must be a Decimal, a decimal text or a whole number, "
            f"not {type(amount).__name__}"
        )
    if isinstance(amount, int):
        if abs(amount) > _INT64:
            raise InvalidValueError("an amount does not fit into 64 bits")
        return Decimal(amount)
    try:
        value = Decimal(amount)
    except decimal.InvalidOperation:
        raise InvalidValueError(
            f"{str(amount)[:40]!r} is not a plain decimal number"
        ) from None
    if not value.is_finite():
        raise InvalidValueError(f"{value} is not an amount")
    return value


NO_CURRENCY = Currency("XXX", digits=_MAX_DIGITS)
"""
ISO 4217's code where no currency is meant, with the most digits that one can have.

It reads amounts exactly, and refuses floats and words, before a currency is known.
"""


@attrs.frozen(order=False)
class Money:
    """
    An exact amount: whole minor units and their currency.

    Amounts of different currencies neither add nor compare.

    Args:
        minor: Whole minor units (fen, cents), within 64 bits.
        currency: What the units are of.

    Raises:
        InvalidValueError: *minor* is not a whole number of 64 bits.
        CurrencyMismatchError: Two currencies met.

    >>> cny = Currency("CNY")
    >>> price = Money.of("19.90", cny)
    >>> price + Money.of("0.10", cny)
    Money('20.00', 'CNY')
    >>> price.amount
    Decimal('19.90')
    """

    minor: int = attrs.field()
    currency: Currency = attrs.field(validator=attrs.validators.instance_of(Currency))

    @minor.validator
    def _check_minor(self, _attribute: object, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidValueError(
                "'minor' must be a whole number of minor units "
                f"(got a {type(value).__name__}); use Money.of() for major units"
            )
        if abs(value) > _INT64:
            raise InvalidValueError("an amount does not fit into 64 bits")

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: Currency) -> Money:
        """Make money from an amount in major units, exactly (`Currency.to_minor`)."""
        return cls(currency.to_minor(amount), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units."""
        return self.currency.to_decimal(self.minor)

    def times(self, factor: int | Decimal | Fraction) -> Money:
        """
        Multiply by an exact factor, rounding half up once.

        >>> Money.of("10.05", Currency("CNY")).times(Fraction(1, 2))
        Money('5.03', 'CNY')
        """
        if isinstance(factor, (bool, float)):
            raise InvalidValueError(
                "a factor must be a whole number, a Decimal or a Fraction, "
                f"not a {type(factor).__name__}"
            )
        return Money(round_half_up(self.minor * Fraction(factor)), self.currency)

    def to_digits(self, digits: int) -> Money:
        """
        Tell the amount with another number of digits, rounding half up once.

        >>> Money.of("44.955", Currency("CNY", digits=3)).to_digits(2)
        Money('44.96', 'CNY')
        """
        minor = self.minor * Fraction(10) ** (digits - self.currency.digits)
        return Money(round_half_up(minor), Currency(self.currency.code, digits))

    def _other(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatchError(
                f"{self.currency.code} ({self.currency.digits} digits) does not mix "
                f"with {other.currency.code} ({other.currency.digits} digits)"
            )
        return other.minor

    def __add__(self, other: object) -> Money:
        """Add an amount of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._other(other), self.currency)

    def __sub__(self, other: object) -> Money:
        """Subtract an amount of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._other(other), self.currency)

    def __neg__(self) -> Money:
        """Turn a charge into a refund and back."""
        return Money(-self.minor, self.currency)

    def __lt__(self, other: object) -> bool:
        """Compare amounts of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._other(other)

    def __le__(self, other: object) -> bool:
        """Compare amounts of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor <= self._other(other)

    def __gt__(self, other: object) -> bool:
        """Compare amounts of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor > self._other(other)

    def __ge__(self, other: object) -> bool:
        """Compare amounts of the same currency."""
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor >= self._other(other)

    def __repr__(self) -> str:
        """Show the amount in major units and the code."""
        return f"Money({str(self.amount)!r}, {self.currency.code!r})"

    def __str__(self) -> str:
        """Write the amount as a person reads it."""
        return self.currency.format(self.minor)


@attrs.frozen
class RoundedFloat:
    """
    What became of a float that was let in as money.

    Args:
        money: The amount, rounded half up to the minor unit.
        change: What rounding added to the float's exact binary value, in major
            units; zero only if the float was exact.
    """

    money: Money
    change: Fraction

    @property
    def exact(self) -> bool:
        """Whether nothing was changed."""
        return self.change == 0


def money_from_float(value: float, currency: Currency) -> RoundedFloat:
    """
    Let a float in as money: the one named door, which says what it changed.

    The float is read as its shortest decimal text (what Python prints), then
    rounded half up to the currency's digits.

    Args:
        value: A finite float, in major units.
        currency: The currency of the amount.

    Raises:
        InvalidValueError: *value* is no float, not finite, or too large.

    >>> rounded = money_from_float(2.675, Currency("CNY"))
    >>> rounded.money, rounded.exact
    (Money('2.68', 'CNY'), False)
    """
    if not isinstance(value, float):
        raise InvalidValueError(
            f"money_from_float() takes a float, not {type(value).__name__}; "
            "exact values go through Money.of()"
        )
    text = Decimal(repr(float(value)))
    if not text.is_finite():
        raise InvalidValueError(f"{value} is not an amount")
    minor = round_half_up(Fraction(text) * 10**currency.digits)
    money = Money(minor, currency)
    return RoundedFloat(money, Fraction(money.amount) - Fraction(value))
