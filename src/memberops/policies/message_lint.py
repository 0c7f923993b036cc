"""Telling before a provider does what is wrong with a template."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from memberops.domain import Finding, Severity
from memberops.domain.message import MessageTemplate
from memberops.domain.values import check_as_of
from memberops.errors import bounded
from memberops.policies.message_lint_rules import LINT_RULES, LintRule
from memberops.policies.message_text import pieces
from memberops.policies.sms_segments import sms_segments

__all__ = ["lint_template"]


def lint_template(
    template: MessageTemplate,
    *,
    provider: str,
    as_of: dt.date,
    rules: Iterable[LintRule] = LINT_RULES,
) -> tuple[Finding, ...]:
    """
    Hold a template against the rules that a provider had on a day.

    Args:
        template: What would be registered.
        provider: By whom, such as ``"aliyun"``.
        as_of: The day: rules known later, or given up before, are left out.
        rules: The rules; those that are known by default.

    Returns:
        A finding for each rule that the template breaks, with the rule's source and
        date; a single information if no rule of the provider is known on the day, for
        then nothing was checked.

    Raises:
        InvalidValueError: A gap that is misspelt.

    >>> template = MessageTemplate(template_id="T1", kind="marketing",
    ...     signature="示例店", text="${name}，积分兑换开始了。拒收请回复R")
    >>> [each.rule for each in lint_template(template, provider="aliyun",
    ...                                      as_of=dt.date(2026, 11, 5))]
    ['restricted']
    """
    day = check_as_of(as_of)
    pieces(template.text)
    held = [
        rule
        for rule in rules
        if rule.provider == provider
        and rule.known_on <= day
        and (rule.until is None or day <= rule.until)
    ]
    if not held:
        return (_unchecked(template, provider),)
    found = []
    for rule in held:
        if rule.kinds and template.kind not in rule.kinds:
            continue
        broken, what = _broken(rule, template.text)
        if broken:
            found.append(_finding(template, rule, what))
    return tuple(found)


def _broken(rule: LintRule, text: str) -> tuple[bool, list[str]]:
    """Tell whether a text breaks a rule, and by what of it."""
    what: list[str] = []
    if rule.check in {"words", "without"}:
        what = [word for word in rule.values if word in text]
    elif rule.check == "pattern":
        return any(re.search(pattern, text) for pattern in rule.values), []
    elif rule.check == "ending":
        return not text.endswith(rule.values), []
    elif rule.check == "gap_twice":
        gaps = pieces(text)[1::2]
        what = sorted({gap for gap in gaps if gaps.count(gap) > 1})
    else:
        plain = "".join(pieces(text)[::2])
        known = _in_gb2312 if rule.check == "simplified" else _in_gsm
        what = [char for char in dict.fromkeys(plain) if not known(char)]
    return bool(what), what


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _in_gsm(char: str) -> bool:
    return sms_segments(char, rule="gsm").encoding == "gsm7"


def _finding(template: MessageTemplate, rule: LintRule, what: list[str]) -> Finding:
    named = f": {bounded(what)}" if what else ""
    return Finding(
        table="templates",
        rule=rule.name,
        severity=rule.severity,
        column="text",
        source=template.template_id,
        message_en=f"{rule.text_en}{named} ({rule.source}, {rule.known_on})",
        message_zh=f"{rule.text_zh}{named}（{rule.source}，{rule.known_on}）",
    )


def _unchecked(template: MessageTemplate, provider: str) -> Finding:
    return Finding(
        table="templates",
        rule="no-rules",
        severity=Severity.INFO,
        column="text",
        source=template.template_id,
        message_en=f"no rules of {bounded([provider])} are known: nothing was checked",
        message_zh=f"没有 {bounded([provider])} 的模板规则，未作检查",
    )
