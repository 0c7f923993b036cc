"""
How long a message is, and in how many parts it is billed and sent.

Two rules are in use. Mainland providers count every character as one, ASCII too; the
rest of the world packs 7-bit characters densely and all others as UTF-16.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError, bounded, nearest

__all__ = [
    "GSM_RULE",
    "MAINLAND_RULE",
    "SmsLength",
    "SmsRule",
    "sms_rule",
    "sms_segments",
]

SmsEncoding = Literal["gsm7", "ucs2"]

# 3GPP TS 23.038 §6.2.1: the basic alphabet; and those that take an escape before them.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _ESCAPED
_LAST_SINGLE = "\uffff"


def _one_or_more(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    whole_number(instance, attribute, value)
    if value < 1:
        raise InvalidValueError(f"{attribute.name!r} must be 1 or more, not {value}")


@attrs.frozen(kw_only=True)
class SmsRule:
    """
    A way to count characters and parts.

    Args:
        name: ``"mainland"`` or ``"gsm"`` for those that are known.
        dense: Whether text of the GSM alphabet is packed in 7 bits.
        single: Units of a message of one part, not packed.
        part: Units of each part of a longer one.
        dense_single: The same for packed text.
        dense_part: The same for each part of packed text.
        longest: Units that a provider takes at most; None for no limit of its own.

    Raises:
        InvalidValueError: A number is below 1, or a part exceeds a single message.
    """

    name: str
    dense: bool
    single: int = attrs.field(default=70, validator=_one_or_more)
    part: int = attrs.field(default=67, validator=_one_or_more)
    dense_single: int = attrs.field(default=160, validator=_one_or_more)
    dense_part: int = attrs.field(default=153, validator=_one_or_more)
    longest: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_one_or_more)
    )

    def __attrs_post_init__(self) -> None:
        """Refuse parts into which nothing fits."""
        if not (1 < self.part <= self.single and self.dense_part > 1):
            raise InvalidValueError("a part has 2 units or more, and no more than one")
        if self.dense_part > self.dense_single:
            raise InvalidValueError("'dense_part' must not exceed 'dense_single'")


MAINLAND_RULE = SmsRule(name="mainland", dense=False, longest=500)
"""
Mainland China: with the signature, 70 in one part, else parts of 67; at most 500.

Source: Aliyun, https://help.aliyun.com/document_detail/44335.htm; Tencent and Huawei
say the same, and Huawei the 500. A character outside the basic plane, such as an
emoji, counts 2 and is not split: it travels so, and the documents are silent.
"""

GSM_RULE = SmsRule(name="gsm", dense=True)
"""
The rule of GSM 03.38: 160 or parts of 153 if all is in its alphabet, else 70 or 67.

Source: 3GPP TS 23.038 §6.2.1 (``^ { } [ ] ~ \\ |``, ``€`` and form feed count 2) and
TS 23.040 §9.2.3.24.1 (the header that a part carries). A pair is never split.
"""

_RULES = {"mainland": MAINLAND_RULE, "gsm": GSM_RULE}


@attrs.frozen(kw_only=True)
class SmsLength:
    """
    How long a message is.

    Args:
        characters: Units that count: see `SmsRule`.
        segments: Parts in which it is sent and billed; 0 for no text.
        encoding: ``"gsm7"`` or ``"ucs2"``.
        longest: What a provider takes at most, if there is a limit.
    """

    characters: int
    segments: int
    encoding: SmsEncoding
    longest: int | None = None

    @property
    def fits(self) -> bool:
        """Whether a provider takes it at all."""
        return self.longest is None or self.characters <= self.longest


def sms_rule(rule: SmsRule | str) -> SmsRule:
    """
    Return a rule of its name, or the rule that is given.

    Raises:
        InvalidValueError: No rule is called so.
    """
    if isinstance(rule, SmsRule):
        return rule
    if rule not in _RULES:
        raise InvalidValueError(
            f"no rule of length is called {bounded([rule])}: "
            f"{nearest(str(rule), _RULES)}"
        )
    return _RULES[rule]


def sms_segments(text: str, *, rule: SmsRule | str = "mainland") -> SmsLength:
    """
    Count the characters of a message and the parts in which it is sent.

    Args:
        text: The whole message as it will be read, signature and brackets included.
        rule: ``"mainland"`` (`MAINLAND_RULE`), ``"gsm"`` (`GSM_RULE`), or a rule.

    Raises:
        InvalidValueError: No rule is called so.

    >>> sms_segments("您" * 70).segments, sms_segments("a" * 160).segments
    (1, 3)
    >>> sms_segments("a" * 160, rule="gsm")
    SmsLength(characters=160, segments=1, encoding='gsm7', longest=None)
    >>> sms_segments("a" * 159 + "€", rule="gsm").segments
    2
    """
    counted = sms_rule(rule)
    if counted.dense and _GSM.issuperset(text):
        units = len(text) + sum(text.count(escaped) for escaped in _ESCAPED)
        pairs: Any = _ESCAPED
        single, part, encoding = counted.dense_single, counted.dense_part, "gsm7"
    else:
        units = len(text)
        pairs = ()
        if not text.isascii() and max(text) > _LAST_SINGLE:
            units += sum(char > _LAST_SINGLE for char in text)
            # Neither half of a pair can be read, so no part ends within one.
            pairs = {char for char in text if char > _LAST_SINGLE}
        single, part, encoding = counted.single, counted.part, "ucs2"
    if units <= single:
        segments = int(units > 0)
    elif units > len(text):
        segments = _filled(text, pairs, part)
    else:
        segments = -(-units // part)
    return SmsLength(
        characters=units,
        segments=segments,
        encoding="gsm7" if encoding == "gsm7" else "ucs2",
        longest=counted.longest,
    )


def _filled(text: str, pairs: Any, part: int) -> int:
    """Count the parts, none of which ends within a pair."""
    segments, used = 1, 0
    for char in text:
        size = 2 if char in pairs else 1
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return segments
