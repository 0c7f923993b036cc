"""What providers ask of templates, told before they refuse one."""

import datetime as dt

import attrs
import pytest

from memberops.domain.message import MessageTemplate
from memberops.errors import InvalidValueError
from memberops.policies.message_lint import lint_template
from memberops.policies.message_lint_rules import LINT_RULES, LintRule

DAY = dt.date(2026, 11, 5)
TAIL = "拒收请回复R"


def told(text, provider="aliyun", kind="marketing", as_of=DAY, **more):
    """Name the rules that a template breaks."""
    template = MessageTemplate(
        template_id="T1", kind=kind, signature="示例店", text=text
    )
    return [
        (each.rule, each.severity.value)
        for each in lint_template(template, provider=provider, as_of=as_of, **more)
    ]


@pytest.mark.parametrize(
    ("provider", "kind", "text", "found"),
    [
        ("aliyun", "marketing", f"${{name}}，会员日到店有礼。{TAIL}", []),
        ("aliyun", "marketing", "会员日到店有礼。回T退订", [("opt-out", "error")]),
        ("aliyun", "marketing", f"会员日到店有礼。{TAIL}。", [("opt-out", "error")]),
        ("aliyun", "notice", "您的快递已到店。", []),
        ("aliyun", "notice", f"您的快递已到店。{TAIL}",
         [("opt-out-in-notice", "error")]),
        ("aliyun", "notice", "${name}，生日快乐！", [("care-in-notice", "warning")]),
        ("aliyun", "notice", "您家宝贝${name}已经到达${name}现场！",
         [("gap-twice", "error")]),
        ("aliyun", "notice", "您好${name}${shop}", [("gaps-adjacent", "error")]),
        ("aliyun", "notice", "${name}，${content}", [("only-gaps", "error")]),
        ("aliyun", "notice", "【店】您好", [("brackets", "error")]),
        ("aliyun", "notice", "①您好★", [("symbols", "error")]),
        ("aliyun", "notice", "您的會員卡", [("simplified", "warning")]),
        ("aliyun", "notice", "您好😀", [("simplified", "warning")]),
        ("aliyun", "marketing", f"积分兑换开始。{TAIL}", [("restricted", "warning")]),
        ("tencent", "marketing", f"优惠券到账。{TAIL}", [("restricted", "warning")]),
        ("tencent", "marketing", "会员日到店有礼。", [("opt-out", "error")]),
        ("tencent", "notice", "¥5 已到账", [("symbols", "error")]),
        ("tencent", "notice", "详情 https://a.cn/${code}", [("link-gap", "error")]),
        ("tencent", "notice", "详情 a.cn/x${code}", [("link-gap", "error")]),
        ("tencent", "notice", "详情 https://a.cn/x ，${code}", []),
        ("huawei", "marketing", f"${{name}}，有礼。{TAIL}",
         [("marketing-gaps", "error")]),
        ("huawei", "notice", "${name}，卡到期。", []),
        ("huawei", "notice", "积分清零提醒。", [("restricted", "warning")]),
        ("twilio", "notice", "Your card ends {on} ${day} €5", []),
        ("twilio", "notice", "Your card’s end", [("gsm", "warning")]),
    ],
)  # fmt: skip
def test_the_rules_of_providers(provider, kind, text, found):
    """Examples from the providers' documents are told as they tell them."""
    assert told(text, provider, kind) == found


def test_a_finding_names_its_source_and_date():
    """Both languages carry the address and the day of the rule, and what it met."""
    template = MessageTemplate(
        template_id="T1", kind="notice", signature="店", text="★您好"
    )
    (found,) = lint_template(template, provider="tencent", as_of=DAY)

    for text in (found.message_en, found.message_zh):
        assert "382/39023" in text
        assert "2025-06-17" in text
        assert "★" in text
    assert found.source == "T1"


def test_rules_hold_from_their_day_to_their_last():
    """Before it is known, and after it was given up, a rule finds nothing."""
    own = LintRule(
        name="own", provider="acme", check="words", values=["甲"], text_en="no 甲",
        text_zh="不得含甲", source="https://example.com", known_on=DAY, until=DAY,
    )  # fmt: skip
    day = dt.timedelta(days=1)

    assert told("甲", "acme", rules=[own]) == [("own", "error")]
    assert told("乙", "acme", rules=[own]) == []
    for other in (DAY - day, DAY + day):
        assert told("甲", "acme", as_of=other, rules=[own]) == [("no-rules", "info")]


def test_a_provider_without_rules_is_told_not_passed():
    """Of an unknown provider nothing was checked, and the finding says so."""
    assert told("您好", "aliyum") == [("no-rules", "info")]


def test_every_rule_can_be_traced():
    """Each rule has a source, a date, both languages, and a name of its own."""
    names = [(rule.provider, rule.name) for rule in LINT_RULES]
    assert len(set(names)) == len(names)
    for rule in LINT_RULES:
        assert rule.source.startswith("https://")
        assert rule.known_on <= DAY
        assert rule.text_en != rule.text_zh


def test_wrong_rules_are_refused():
    """A pattern that cannot be read, or an unknown check, is no rule."""
    with pytest.raises(InvalidValueError, match="cannot be read"):
        attrs.evolve(LINT_RULES[0], check="pattern", values=["("])
    with pytest.raises(InvalidValueError, match="did you mean 'words'"):
        attrs.evolve(LINT_RULES[0], check="word")
    with pytest.raises(InvalidValueError, match="begins none"):
        told("${")
