"""What may be written: gaps, signature, way out, length; and who approves it."""

import datetime as dt
import itertools

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, Money
from memberops.domain.message import BatchApproval, MessageBatch, MessageTemplate
from memberops.errors import InvalidValueError
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.message_text import gap_names
from memberops.policies.outbox_policy import approval_state
from memberops.policies.visit_policy import Suppression, VisitPolicy

DAY = dt.date(2026, 11, 5)
NOON = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TAIL = "拒收请回复R"
POLICY = MessagePolicy()
ROLES = POLICY.roles
PRIVATE = "王小明13812345678"


def template(text, kind="marketing", signature="示例店"):
    """Make a template."""
    return MessageTemplate(template_id="T1", kind=kind, signature=signature, text=text)


GREETING = template("${name}，生日快乐！" + TAIL)


def faults(text, of=GREETING, policy=POLICY):
    """Name the rules that a text breaks."""
    answer = policy.check_text(of, text, as_of=DAY)
    assert (answer.outcome == "accepted") == all(each.met for each in answer.reasons)
    return [each.rule for each in answer.reasons if not each.met]


# Rendering


def test_gaps_are_filled_once_and_the_signature_is_placed():
    """Text and values stand where they belong, at either end of the signature."""
    start = MessagePolicy(signature_position="start")
    assert POLICY.render(GREETING, {"name": "王"}) == f"王，生日快乐！{TAIL}【示例店】"
    assert start.render(GREETING, {"name": "王"}) == f"【示例店】王，生日快乐！{TAIL}"
    twice = template("${a}${b}${a}", kind="notice")
    assert POLICY.render(twice, {"a": "1", "b": "{2}"}) == "1{2}1【示例店】"
    assert gap_names(twice) == ("a", "b")


@pytest.mark.parametrize(
    "text",
    ["100%", "{0} {name} %s %(x)s", "$name", "$$", "a$", "{__class__}", "$ {name}"],
)
def test_nothing_but_a_gap_is_filled(text):
    """Marks of other formats are plain text."""
    assert POLICY.render(template(text, kind="notice"), {}) == f"{text}【示例店】"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "no value"),
        ({"name": ""}, "no value"),
        ({"name": " \u3000 "}, "no value"),
        ({"name": None}, "no value"),
        ({"name": float("nan")}, "no value"),
        ({"name": PRIVATE * 3}, "35 characters"),
        ({"name": 13812345678}, "no text"),
        ({"name": PRIVATE + "${name}"}, "no text"),
        ({"name": PRIVATE + "】"}, "brackets"),
        ({"name": PRIVATE + "\n"}, "marks"),
        ({"name": PRIVATE + "\u202e"}, "marks"),
        ({"name": PRIVATE + "\ud800"}, "marks"),
        ({"name": "王", "nmae": PRIVATE}, "did you mean 'name'"),
    ],
)
def test_a_value_that_cannot_stand_is_refused_and_never_shown(variables, says):
    """What is missing, empty, too long or unlawful names its gap, not its value."""
    with pytest.raises(InvalidValueError, match=says) as caught:
        POLICY.render(GREETING, variables)

    assert "王小明" not in str(caught.value)
    assert "13812345678" not in str(caught.value)


@pytest.mark.parametrize("text", ["${", "${a b}", "${a", "${}", "${na-me}", "${${a}}"])
def test_a_gap_that_is_none_is_refused(text):
    """A misspelt gap is never sent as text."""
    with pytest.raises(InvalidValueError, match="begins none"):
        POLICY.render(template(text, kind="notice"), {"a": "1"})


@settings(max_examples=60)
@given(st.lists(st.text("ab中$", max_size=6), min_size=1, max_size=4), st.data())
def test_rendering_is_joining(plain, data):
    """The text is the template's pieces with the values between them, signed."""
    if any("${" in part for part in plain):
        return
    values = [data.draw(st.text("x国{}$", min_size=1, max_size=35)) for _ in plain[1:]]
    if any("${" in value for value in values):
        return
    text = plain[0] + "".join(f"${{g{n}}}{part}" for n, part in enumerate(plain[1:]))
    # A "$" before a gap, as in "$${g0}", is text.
    joined = plain[0] + "".join(
        value + part for value, part in zip(values, plain[1:], strict=True)
    )

    found = POLICY.render(
        template(text, kind="notice"), {f"g{n}": v for n, v in enumerate(values)}
    )

    assert found == joined + "【示例店】"


# Checking


@pytest.mark.parametrize("position", ["start", "end"])
def test_seventy_with_the_signature_and_not_one_more(position):
    """70 characters with brackets and signature pass; 71 are refused with the count."""
    policy = MessagePolicy(signature_position=position)
    body = "中" * (70 - len(TAIL) - len("【示例店】"))
    fits = policy.render(template(body + TAIL), {})
    assert len(fits) == 70
    assert faults(fits, policy=policy) == []

    answer = policy.check_text(
        GREETING, policy.render(template(body + "中" + TAIL), {}), as_of=DAY
    )

    assert answer.outcome == "refused"
    (reason,) = answer.reasons
    assert dict(reason.figures) == {
        "characters": "71", "most": "70", "over": "1", "segments": "2"
    }  # fmt: skip
    assert "71" in answer.explain("zh")
    assert "1 too many" in answer.explain("en")


@pytest.mark.parametrize(
    ("text", "kind", "broken"),
    [
        (f"您好{TAIL}【示例店】", "marketing", []),
        ("您好【示例店】", "notice", []),
        ("您好\n再见【示例店】", "notice", []),
        ("您好【示例店】", "marketing", ["opt_out"]),
        (f"您好{TAIL}。【示例店】", "marketing", ["opt_out"]),
        (f"您好{TAIL} 【示例店】", "marketing", ["opt_out"]),
        (f"您好{TAIL}{TAIL}【示例店】", "marketing", ["opt_out"]),
        (f"{TAIL}您好{TAIL}【示例店】", "marketing", ["opt_out"]),
        (f"您好{TAIL[:-1]}r【示例店】", "marketing", ["opt_out"]),
        (f"您好{TAIL}【示例店】", "notice", ["opt_out_in_notice"]),
        (f"您好{TAIL}再见【示例店】", "notice", ["opt_out_in_notice"]),
        (f"{TAIL}【示例店】", "marketing", ["empty"]),
        (" \u3000【示例店】", "notice", ["empty"]),
        (f"您好{TAIL}", "marketing", ["signature"]),
        (f"您好{TAIL}[示例店]", "marketing", ["signature", "opt_out"]),
        ("【示例店】您好", "notice", ["signature", "brackets"]),
        ("您【好】【示例店】", "notice", ["brackets"]),
        ("您好${name}【示例店】", "notice", ["gap"]),
        ("您\x00好【示例店】", "notice", ["characters"]),
        ("您\u202e好【示例店】", "notice", ["characters"]),
        ("您\ud83d好【示例店】", "notice", ["characters"]),
        ("中" * 496 + "【示例店】", "notice", ["length", "provider_length"]),
    ],
)
def test_each_rule_of_the_text(text, kind, broken):
    """A text breaks exactly the rules that it breaks, said in both languages."""
    of = template("x", kind=kind)

    assert faults(text, of) == broken
    answer = POLICY.check_text(of, text, as_of=DAY)
    assert answer.explain("zh")
    assert answer.explain("en")


def test_a_signature_without_words_or_with_brackets_is_none():
    """An empty signature, or one that brings its own brackets, is refused."""
    for wrong in (" ", "【店】", "店】"):
        of = template("您好", kind="notice", signature=wrong)
        assert "signature" in faults(POLICY.render(of, {}), of)


# Approving


def batch(**changes):
    """Make the batch that is approved."""
    fields = {
        "batch_id": "B1",
        "template": GREETING,
        "sample": "某某，生日快乐！",
        "audience": "ab12",
        "size": 3,
        "opens_at": NOON,
        "closes_at": NOON + 24 * HOUR,
        "cost_cap": Money.of("10.00", Currency("CNY")),
        "author": "E0",
        "created_at": NOON - 24 * HOUR,
    }
    return MessageBatch(**{**fields, **changes})


def word(actor, role=ROLES[0], *, of=None, hours=-2, granted=True, batch_id="B1"):
    """Make a word on the batch, so many hours from noon."""
    return BatchApproval(
        batch_id=batch_id,
        fingerprint=(of or batch()).fingerprint,
        role=role,
        actor=actor,
        at=NOON + hours * HOUR,
        granted=granted,
    )


BOTH = (word("E1"), word("E2", ROLES[1]))


def outcome(words, of=None, policy=POLICY, **more):
    """Decide at noon, in every order of the words."""
    found = {
        policy.approval(of or batch(), order, as_of=NOON, **more).outcome
        for order in itertools.permutations(words)
    }
    assert len(found) == 1, "the order of the words decides"
    return found.pop()


def test_what_was_written_last_counts_where_the_order_is_known():
    """A late clock takes no withdrawal back, and a fast one hides none."""
    for hours in (-3, 1):
        withdrawn = [*BOTH, word("E2", ROLES[1], hours=hours, granted=False)]
        answer = POLICY.approval(batch(), withdrawn, as_of=NOON, in_order=True)
        assert answer.outcome == "refused"
    assert outcome([*BOTH, word("E2", ROLES[1], hours=-3, granted=False)]) == "approved"


def test_two_people_in_two_roles_approve():
    """Nobody, one, then two: waiting, waiting, approved."""
    assert outcome([]) == "waiting"
    assert outcome(BOTH[:1]) == "waiting"
    assert outcome(BOTH) == "approved"
    answer = POLICY.approval(batch(), BOTH[:1], as_of=NOON)
    assert dict(answer.reasons[-1].figures)["roles"] == "brand_manager"
    assert "brand_manager" in answer.explain("zh")


@pytest.mark.parametrize(
    "changes",
    [
        {"template": attrs.evolve(GREETING, text=GREETING.text.replace("！", "!"))},
        {"template": attrs.evolve(GREETING, signature="示例店二")},
        {"template": attrs.evolve(GREETING, kind="notice")},
        {"template": attrs.evolve(GREETING, code="SMS_2")},
        {"sample": "某某，生日快乐!"},
        {"audience": "ab13"},
        {"size": 4},
        {"opens_at": NOON - HOUR},
        {"closes_at": NOON + 25 * HOUR},
        {"cost_cap": Money.of("10.01", Currency("CNY"))},
        {"author": "E9"},
    ],
)
def test_any_change_voids_what_was_approved(changes):
    """One byte, one recipient, the window or the cap: the approvals are of another."""
    changed = batch(**changes)

    assert outcome(BOTH, changed) == "void"
    # Approved again as it is now, it is approved.
    again = (word("E1", of=changed, hours=-1), word("E2", ROLES[1], of=changed,
                                                    hours=-1))  # fmt: skip
    assert outcome((*BOTH, *again), changed) == "approved"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # The author approves, in either role, whatever the case of the id.
        ((word("E0"), word("E2", ROLES[1])), "waiting"),
        ((word("e0"), word("E2", ROLES[1])), "waiting"),
        # One person in both roles.
        ((word("E1"), word("E1", ROLES[1])), "waiting"),
        ((word("E1"), word("e1", ROLES[1])), "waiting"),
        # One role twice.
        ((word("E1"), word("E2")), "waiting"),
        ((word("E1"), word("E1", hours=-1)), "waiting"),
        # A role that approves nothing.
        ((word("E1"), word("E2", "intern")), "waiting"),
        # Withdrawn, refused, and both at once.
        ((*BOTH, word("E1", hours=-1, granted=False)), "refused"),
        ((*BOTH, word("E3", hours=-1, granted=False)), "refused"),
        ((*BOTH, word("E1", granted=False)), "refused"),
        # Withdrawn and given again.
        ((*BOTH, word("E1", hours=-1.5, granted=False), word("E1", hours=-1)),
         "approved"),
        # A word that is not known yet.
        ((BOTH[0], word("E2", ROLES[1], hours=1)), "waiting"),
        ((*BOTH, word("E1", hours=1, granted=False)), "approved"),
        # Before the batch was made; of another batch.
        ((BOTH[0], word("E2", ROLES[1], hours=-25)), "void"),
        ((BOTH[0], word("E2", ROLES[1], batch_id="B2")), "waiting"),
        # A veto of somebody without a say changes nothing.
        ((*BOTH, word("E3", "intern", granted=False)), "approved"),
        # Two in both roles fill them, however they are told apart.
        ((word("E1"), word("E1", ROLES[1]), word("E2")), "approved"),
        # A no to this version outlives a yes to another.
        ((*BOTH, word("E3", granted=False), word("E3", of=batch(size=4), hours=-1)),
         "refused"),
        # Who approved and then spoke of another version has not approved this.
        ((*BOTH, word("E1", of=batch(size=4), hours=-1, granted=False)), "void"),
    ],
)  # fmt: skip
def test_four_eyes(words, expected):
    """Every known way around two people in two roles ends where it should."""
    assert outcome(words) == expected


def test_a_double_approval_counts_once():
    """The same approval again, however often, is one."""
    assert outcome((BOTH[0],) * 4) == "waiting"
    assert outcome((*BOTH, BOTH[0], BOTH[1])) == "approved"


def test_after_the_end_nothing_approves():
    """Canceled, or its window closed: void, even if approved before or after."""
    assert outcome(BOTH, canceled_at=NOON - 3 * HOUR) == "void"
    assert outcome(BOTH, canceled_at=NOON) == "void"
    assert outcome(BOTH, canceled_at=NOON + HOUR) == "approved"
    closed = batch(opens_at=NOON - 2 * HOUR, closes_at=NOON)
    words = (word("E1", of=closed), word("E2", ROLES[1], of=closed))
    assert outcome(words, closed) == "void"


WORDS = st.lists(
    st.builds(
        word,
        st.sampled_from(["E0", "E1", "E2", "E3"]),
        st.sampled_from(["A", "B", "C", "X"]),
        of=st.sampled_from([batch(), batch(), batch(), batch(size=4)]),
        hours=st.sampled_from([-30, -3, -2, -1, 1]),
        granted=st.sampled_from([True, True, True, False]),
    ),
    max_size=8,
)


@examples(2)
@given(words=WORDS, number=st.integers(1, 3))
def test_approved_means_another_willing_person_in_each_role(words, number):
    """Approved is exactly: some choice of different people, none of them the author."""
    roles = ["A", "B", "C"][:number]
    found = MessagePolicy(roles=roles).approval(batch(), words, as_of=NOON).outcome

    known = sorted(
        (each for each in words if each.at <= NOON),
        key=lambda each: (each.at, not each.granted),
    )
    final = {(each.actor, each.role): each for each in known}
    same = batch().fingerprint
    spoken = {
        (each.actor, each.role): each for each in known if each.fingerprint == same
    }
    says_no = any(not each.granted and each.role in roles for each in spoken.values())
    willing = [
        [
            actor for (actor, own), each in final.items()
            if own == role and each.granted and each.fingerprint == same
            and actor != "E0" and each.at >= batch().created_at
        ]
        for role in roles
    ]  # fmt: skip
    filled = any(len(set(choice)) == number for choice in itertools.product(*willing))
    assert (found == "refused") == says_no
    assert (found == "approved") == (filled and not says_no)
    # The outbox asks the same question at the claim: it holds back nothing more.
    if found == "approved":
        assert approval_state(batch(), known, roles=roles) == "approved"


def test_wrong_use_names_the_fix():
    """Moments without zone, and policies that could never work, are refused."""
    with pytest.raises(InvalidValueError, match="zone"):
        POLICY.approval(batch(), [], as_of=NOON.replace(tzinfo=None))
    for wrong, says in (
        ({"max_characters": 0}, "1 or more"),
        ({"signature_position": "middle"}, "'end' or 'start'"),
        ({"brackets": "【"}, "two characters"),
        ({"roles": []}, "at least one role"),
        ({"roles": ["A", "A"]}, "each once"),
        ({"hold_out": 0.1}, "exact"),
        ({"hold_out": "1"}, "below 1"),
        ({"hold_out": "x"}, "fraction"),
        ({"despite": ["open_complant"]}, "did you mean 'open_complaint'"),
        ({"price": Money.of("-1", Currency("CNY"))}, "0 or more"),
        ({"length": "gms"}, "did you mean 'gsm'"),
    ):
        with pytest.raises(InvalidValueError, match=says):
            MessagePolicy(**wrong)


def test_the_rules_of_visits_are_shared():
    """One suppression and one window, told once, hold for visits and messages."""
    own = Suppression(name="vip_quiet", text_en="VIP", text_zh="贵宾")
    visits = VisitPolicy(suppressions=[own], rules=[], zone="Asia/Urumqi")

    policy = MessagePolicy.sharing(visits, max_characters=60)

    assert policy.suppressions == (own,)
    assert policy.contact is visits.contact
    assert (policy.zone, policy.max_characters) == ("Asia/Urumqi", 60)


@pytest.mark.parametrize(
    "value",
    ["王\u200b芳", "王\u00ad芳", "\ufeff王芳", "王\u2060芳", "王\u2028芳", "王\u2029芳",
     "a\u200db", "王\u200d芳", "👩\u200d"],
)  # fmt: skip
def test_marks_that_nobody_sees_fill_no_gap(value):
    """What cannot be seen would make a text another than the one that was read."""
    template = MessageTemplate(
        template_id="T1", kind="notice", signature="示例店", text="${name}，您好"
    )

    with pytest.raises(InvalidValueError, match="cannot be filled"):
        MessagePolicy().render(template, {"name": value})


@pytest.mark.parametrize(
    "value", ["👩\u200d🔬", "🏳\ufe0f\u200d🌈", "王 芳", "王\u3000芳"]
)
def test_emoji_of_several_may_fill_a_gap(value):
    """The mark that joins emoji is part of them; blanks of any width are seen."""
    template = MessageTemplate(
        template_id="T1", kind="notice", signature="示例店", text="${name}，您好"
    )

    assert value in MessagePolicy().render(template, {"name": value})
