"""The text of a message: its gaps, its signature, its way out, its length (HQ §6.1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from memberops.domain import Reason
from memberops.domain.message import MessageKind, MessageTemplate
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.sms_segments import SmsLength, sms_segments

if TYPE_CHECKING:
    from memberops.policies.message_policy import MessagePolicy

__all__ = [
    "TextRules",
    "filled",
    "gap_names",
    "pieces",
    "text_reason",
    "variable_fault",
]

_GAP = re.compile(r"\$\{(\w+)\}", re.ASCII)
# Marks that turn the direction of writing make a text read as another than approved.
_TURNING = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Some emoji are several, joined by a mark that is not seen.
_JOINED = re.compile(
    "(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"
    "(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)


def pieces(text: str) -> tuple[str, ...]:
    """
    Cut a template's text into plain text and names of gaps, in turn.

    Raises:
        InvalidValueError: A ``${`` begins no gap.

    >>> pieces("${name}，生日快乐")
    ('', 'name', '，生日快乐')
    """
    found = tuple(_GAP.split(text))
    if any("${" in plain for plain in found[::2]):
        raise InvalidValueError(
            "a gap of a template is written ${name}, with letters, digits and "
            "underscores; there is a '${' that begins none"
        )
    return found


def gap_names(template: MessageTemplate) -> tuple[str, ...]:
    """
    Return the names of a template's gaps, each once, in their order.

    >>> gap_names(MessageTemplate(template_id="T1", kind="notice", signature="店",
    ...     text="${name}，${shop} ${name}"))
    ('name', 'shop')
    """
    return tuple(dict.fromkeys(pieces(template.text)[1::2]))


def _strange(text: str) -> bool:
    """Tell whether a text holds what cannot travel or deceives the eye."""
    if text.isprintable() and _TURNING.isdisjoint(text):
        return False
    text = _JOINED.sub("", text)
    return any(
        char in _TURNING or (char != "\n" and unicodedata.category(char) in _FORBIDDEN)
        for char in text
    )


def variable_fault(value: object, policy: MessagePolicy) -> str:
    """
    Return why a value may not fill a gap; empty if it may.

    Returns:
        ``"variable_missing"`` (none, or nothing but blanks), ``"variable_long"``
        or ``"variable_unlawful"`` (no text, a gap, brackets or marks in it).
    """
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return "variable_missing"
    if not isinstance(value, str):
        return "variable_unlawful"
    if not value.strip():
        return "variable_missing"
    if len(value) > policy.max_variable:
        return "variable_long"
    marks = {*policy.brackets, "\n"}
    if "${" in value or not marks.isdisjoint(value) or _strange(value):
        return "variable_unlawful"
    return ""


_VARIABLE = {
    "variable_missing": ("a gap has no value", "变量没有取值"),
    "variable_long": (
        "a value is longer than the {most} characters that a gap takes",
        "变量取值超过 {most} 个字符",
    ),
    "variable_unlawful": (
        "a value is no text, or holds brackets, a gap or marks that cannot be sent",
        "变量取值不是文本，或含有括号、占位符或无法发送的字符",
    ),
}


def filled(
    template: MessageTemplate, variables: Mapping[str, str], policy: MessagePolicy
) -> str:
    """
    Make a template's text: what stands in a value is never filled again.

    Raises:
        InvalidValueError: A gap without value, a value without gap, or one that is
            empty, too long or unlawful. The message names the gap, never the value.
    """
    names = gap_names(template)
    unknown = sorted(set(map(str, variables)).difference(names))
    if unknown:
        raise InvalidValueError(
            f"the template {template.template_id!r} has no gap {bounded(unknown)}: "
            f"{nearest(unknown[0], names)}"
        )
    for name in names:
        fault = variable_fault(variables.get(name), policy)
        if fault:
            why = _VARIABLE[fault][0].format(most=policy.max_variable)
            raise InvalidValueError(f"the gap {name!r} cannot be filled: {why}")
    write = TextRules(template, policy).writer(template)
    return write([variables[name] for name in names])


class TextRules:
    """
    The rules for the texts of one template, ready for many of them.

    This is what `MessagePolicy.render`, `MessagePolicy.check_text` and
    `plan_messages` all go by.

    Args:
        template: What is written.
        policy: The rules.
    """

    def __init__(self, template: MessageTemplate, policy: MessagePolicy) -> None:
        self.policy = policy
        mark = policy.brackets[0] + template.signature + policy.brackets[1]
        self.first = policy.signature_position == "start"
        self.mark = mark
        self.marks = frozenset(policy.brackets)
        self.signature = template.signature
        self.named = bool(self.signature.strip()) and self.marks.isdisjoint(
            self.signature
        )
        self.marketing = template.kind is MessageKind.MARKETING

    def signed(self, body: str) -> str:
        """Put the signature, in its brackets, where the policy has it."""
        return self.mark + body if self.first else body + self.mark

    def body(self, text: str) -> str | None:
        """Take the signature off a text; None if it is not in its place."""
        if self.first:
            own = text.startswith(self.mark)
            return text[len(self.mark) :] if own else None
        return text[: -len(self.mark)] if text.endswith(self.mark) else None

    def writer(self, template: MessageTemplate) -> Callable[[Sequence[str]], str]:
        """Return what makes a text of the values of the gaps, in their order."""
        parts = list(pieces(template.text))
        names = gap_names(template)
        order = [names.index(name) for name in parts[1::2]]

        def write(values: Sequence[str]) -> str:
            parts[1::2] = [values[place] for place in order]
            return self.signed("".join(parts))

        return write

    def faults(self, text: str) -> tuple[list[str], SmsLength]:
        """Return the rules that a text breaks, in their order, and its length."""
        policy = self.policy
        length = sms_segments(text, rule=policy.length)
        faults = []
        body = self.body(text)
        if body is None or not self.named:
            faults.append("signature")
        body = text if body is None else body
        if not self.marks.isdisjoint(body):
            faults.append("brackets")
        tail = policy.opt_out_text
        said = body.removesuffix(tail) if tail else body
        if not said.strip():
            faults.append("empty")
        if "${" in text:
            faults.append("gap")
        if _strange(text):
            faults.append("characters")
        if tail and self.marketing and (not body.endswith(tail) or tail in said):
            faults.append("opt_out")
        if tail and not self.marketing and tail in body:
            faults.append("opt_out_in_notice")
        if length.characters > policy.max_characters:
            faults.append("length")
        if not length.fits:
            faults.append("provider_length")
        return faults, length


def text_reason(fault: str, length: SmsLength, policy: MessagePolicy) -> Reason:
    """Say in both languages why a text, or a value for it, is refused."""
    most = policy.max_characters
    units = length.characters
    over = units - most
    place_en, place_zh = {"start": ("begins", "开头"), "end": ("ends", "结尾")}[
        policy.signature_position
    ]
    english, chinese = {
        "signature": (
            f"the text {place_en} with the signature in {policy.brackets}",
            f"短信{place_zh}须有{policy.brackets}签名",
        ),
        "brackets": (
            f"the body holds {policy.brackets}, which belong to the signature",
            f"正文含有签名专用的{policy.brackets}",
        ),
        "empty": ("the text says nothing", "短信没有内容"),
        "gap": ("a gap was not filled", "有变量未替换"),
        "characters": (
            "the text holds control characters or marks that cannot be sent",
            "短信含有控制字符或无法发送的字符",
        ),
        "opt_out": (
            f"marketing ends with {policy.opt_out_text!r}, once",
            f"推广短信正文须以“{policy.opt_out_text}”结尾，且仅出现一次",
        ),
        "opt_out_in_notice": (
            f"a notice does not hold {policy.opt_out_text!r}",
            f"通知短信不得含有“{policy.opt_out_text}”",
        ),
        "length": (
            f"{units} characters with the signature, at most {most}: {over} too many",
            f"含签名共 {length.characters} 字，最多 {most} 字，超出 {over} 字",
        ),
        "provider_length": (
            f"{length.characters} characters, and a provider takes {length.longest}",
            f"共 {length.characters} 字，超过通道上限 {length.longest} 字",
        ),
    }.get(fault) or tuple(
        words.format(most=policy.max_variable) for words in _VARIABLE[fault]
    )
    figures = [("characters", str(length.characters)), ("most", str(most))]
    if fault == "length":
        figures += [("over", str(over)), ("segments", str(length.segments))]
    if fault in _VARIABLE:
        figures = [("most", str(policy.max_variable))]
    return Reason(
        rule=fault, met=False, text_en=english, text_zh=chinese, figures=tuple(figures)
    )
