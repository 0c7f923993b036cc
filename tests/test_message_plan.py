"""A batch to many members: planned, held out, or left out, and nobody lost."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, Money
from memberops.domain.message import (
    MessageTemplate,
    audience_digest,
    message_id,
)
from memberops.errors import (
    ColumnTypeError,
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies.message_plan import plan_messages
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.visit_policy import Suppression

DAY = dt.date(2026, 11, 5)
NOON = dt.datetime(2026, 11, 5, 4, tzinfo=dt.UTC)
CNY = Currency("CNY")
TAIL = "拒收请回复R"
GREETING = MessageTemplate(
    template_id="T1", kind="marketing", signature="示例店",
    text="${name}，生日快乐！" + TAIL,
)  # fmt: skip
NOTICE = MessageTemplate(
    template_id="T2", kind="notice", signature="示例店", text="${name}，卡将到期。"
)


def people(*rows, **more):
    """Make members of (id, phone, name)."""
    frame = pd.DataFrame(list(rows), columns=["member_id", "phone", "name"])
    return frame.assign(**more).astype(dict.fromkeys(frame.columns, "object"))


def said(*rows):
    """Make consents of (member, channel, given, day)."""
    frame = pd.DataFrame(list(rows), columns=["member_id", "channel", "given", "on"])
    return frame.assign(on=pd.to_datetime(frame["on"]))


def yes(*members):
    """Make consents of members who agreed to SMS."""
    return said(*((member, "sms", "yes", "2026-01-02") for member in members))


def plan(members, template=NOTICE, **more):
    """Plan for the day."""
    return plan_messages(
        members, template=template, **{"batch_id": "B1", "as_of": DAY, **more}
    )


def rules(made):
    """Give the rule of each row left out."""
    return dict(zip(made.left_out["row"], made.left_out["rule"], strict=True))


def test_every_row_goes_one_way_with_its_reason():
    """Each way of being left out is named once, and the rows add up."""
    members = people(
        ("M01", "13800000001", "王"),
        ("M02", "13800000002", "王"),
        (None, "13800000003", "王"),
        ("M01", "13800000004", "王"),
        ("M05", "13800000005", "王"),
        ("M06", "13800000006", "王"),
        ("M07", "13800000007", "王"),
        ("M08", "1380000", "王"),
        ("M09", None, "王"),
        ("M10", "138****0010", "王"),
        ("M11", "13800000001", "王"),
        ("M12", "13800000012", None),
        ("M13", "13800000013", "王" * 36),
        ("M14", "13800000014", "王】"),
        ("M15", "13800000015", "王"),
        ("M16", "13800000016", "王"),
        joined_on=pd.to_datetime(["2026-01-01"] * 14 + ["2026-11-06", None]),
    )
    cards = pd.DataFrame(
        {"member_id": ["M02", "M05"],
         "valid_through": pd.to_datetime(["2026-11-04", "2026-11-05"])}
    )  # fmt: skip
    cases = pd.DataFrame(
        {"case_id": ["C1"], "member_id": ["M06"],
         "received_at": pd.to_datetime(["2026-11-04T02:00Z"])}
    )  # fmt: skip
    made = plan(
        members, cards=cards, complaints=cases,
        consents=said(("M07", "sms", "no", "2026-11-01")),
    )  # fmt: skip

    assert rules(made) == {
        2: "expired", 3: "member_missing", 4: "member_twice", 6: "open_complaint",
        7: "opted_out_sms", 8: "phone_invalid", 9: "phone_missing",
        10: "phone_masked", 11: "phone_twice", 12: "variable_missing",
        13: "variable_long", 14: "variable_unlawful", 15: "not_joined",
    }  # fmt: skip
    assert made.messages["member_id"].tolist() == ["M01", "M05", "M16"]
    assert made.messages["phone"].tolist()[0] == "+8613800000001"
    assert len(members) == made.size + len(made.held_out) + len(made.left_out)
    told = made.left_out
    assert told["reason_en"].str.len().min() > 5
    assert told["reason_zh"].str.len().min() > 3
    bad = {each.rule: each.count for each in made.findings}
    assert bad == {"phone-invalid": 1, "phone-missing": 1, "phone-masked": 1,
                   "member-missing": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("consents", "written"),
    [
        (None, False),
        (said(("M1", "sms", "yes", "2026-11-05")), True),
        (said(("M1", "all", "yes", "2026-11-05")), True),
        (said(("M1", "phone", "yes", "2026-11-05")), False),
        (said(("M1", "sms", "yes", "2026-11-06")), False),
        (said(("M2", "sms", "yes", "2026-11-05")), False),
        (said(("M1", "sms", "yes", "2026-11-01"), ("M1", "all", "no", "2026-11-02")),
         False),
        (said(("M1", "all", "no", "2026-11-01"), ("M1", "sms", "yes", "2026-11-02")),
         True),
        (said(("M1", "sms", "yes", "2026-11-02"), ("M1", "sms", "no", "2026-11-02")),
         False),
    ],
)  # fmt: skip
def test_marketing_needs_a_yes_that_still_holds(consents, written):
    """Consent is the last word on SMS by the day, and a tie is a refusal."""
    made = plan(people(("M1", "13800000001", "王")), GREETING, consents=consents)

    assert (made.size == 1) is written


def test_length_is_counted_for_each_member():
    """Who would get 71 characters is left out with the count, who gets 70 is not."""
    template = MessageTemplate(
        template_id="T3", kind="notice", signature="店", text="中" * 57 + "${name}"
    )
    made = plan(people(("M1", "13800000001", "王" * 10),
                       ("M2", "13800000002", "王" * 11)), template)  # fmt: skip

    assert made.messages["characters"].tolist() == [70]
    assert rules(made) == {2: "length"}
    assert "71" in made.left_out["reason_zh"].tolist()[0]
    assert "1 too many" in made.left_out["reason_en"].tolist()[0]


def test_the_plan_does_not_depend_on_the_order_of_rows():
    """Shuffled members give the same messages, ids, fingerprint and hold-out."""
    members = people(*((f"M{n:02}", f"138000000{n:02}", "王") for n in range(60)))
    policy = MessagePolicy(hold_out="0.3")
    one = plan(members, policy=policy, seed="a")
    other = plan(members.sample(frac=1, random_state=3), policy=policy, seed="a")

    pd.testing.assert_frame_equal(one.messages, other.messages)
    assert one.audience == other.audience
    assert one.held_out["member_id"].tolist() == other.held_out["member_id"].tolist()
    assert one.messages["message_id"].tolist() == [
        message_id("B1", member) for member in one.messages["member_id"]
    ]


def test_a_seed_draws_the_same_group_in_every_batch():
    """The group is the seed's, near its share, and another seed draws another."""
    members = people(*((f"M{n:04}", f"1380000{n:04}", "王") for n in range(4000)))

    def held(seed, batch="B1", share="0.2"):
        policy = MessagePolicy(hold_out=share)
        made = plan(members, policy=policy, seed=seed, batch_id=batch)
        return set(made.held_out["member_id"])

    first = held("a")
    assert first == held("a", batch="B2")
    # Three standard deviations of 4 000 draws at one in five: 3 x sqrt(640) < 80.
    assert 800 - 80 < len(first) < 800 + 80
    assert 100 < len(first & held("b")) < 220
    assert held("a", share=0) == set()
    assert first < held("a", share="0.5")


def test_the_audience_is_that_of_the_messages_given():
    """What is given one by one has the text, the phone and the fingerprint planned."""
    members = people(("M1", "138 0000 0001", "王"), ("M2", "13800000002", "李四"))
    made = plan(members, GREETING, consents=yes("M1", "M2"))

    given_out = list(made.each())

    assert [each.text for each in given_out] == [
        f"王，生日快乐！{TAIL}【示例店】",
        f"李四，生日快乐！{TAIL}【示例店】",
    ]
    assert given_out[0].variables == (("name", "王"),)
    assert audience_digest((each.message_id, each.digest) for each in given_out) == (
        made.audience,
        2,
    )
    changed = plan(
        people(("M1", "13800000001", "王"), ("M2", "13800000003", "李四")),
        GREETING, consents=yes("M1", "M2"),
    )  # fmt: skip
    assert changed.audience != made.audience


def test_the_batch_costs_what_its_parts_cost():
    """The cap is the cost of all parts by default, and no batch exceeds its cap."""
    price = Money.of("0.05", CNY)
    long = MessageTemplate(
        template_id="T4", kind="notice", signature="店", text="中" * 80 + "${name}"
    )
    policy = MessagePolicy(price=price, max_characters=140)
    members = people(("M1", "13800000001", "王"), ("M2", "13800000002", "王"))
    made = plan(members, long, policy=policy)
    hours = {"opens_at": NOON, "closes_at": NOON + dt.timedelta(hours=8),
             "author": "E1", "created_at": NOON}  # fmt: skip

    assert (made.segments, made.cost) == (4, Money.of("0.20", CNY))
    batch = made.batch(**hours)
    assert (batch.cost_cap, batch.size) == (Money.of("0.20", CNY), 2)
    assert batch.audience == made.audience
    with pytest.raises(InvalidValueError, match="above the cap"):
        made.batch(**hours, cost_cap=Money.of("0.19", CNY))
    with pytest.raises(InvalidValueError, match="cost_cap"):
        plan(members).batch(**hours)


def test_a_price_of_three_digits_is_rounded_once_and_in_the_sum():
    """At 0.045 yuan a part, 3 parts cost 0.135 and not 0.15; a cap of fen is held."""
    price = Money.of("0.045", Currency("CNY", digits=3))
    members = people(*((f"M{n}", f"1380000000{n}", "王") for n in range(3)))
    made = plan(members, NOTICE, policy=MessagePolicy(price=price))
    hours = {"opens_at": NOON, "closes_at": NOON + dt.timedelta(hours=8),
             "author": "E1", "created_at": NOON}  # fmt: skip

    assert made.segments == 3
    assert made.cost.amount == Decimal("0.135")
    assert made.cost.to_digits(2) == Money.of("0.14", CNY)
    assert made.batch(**hours).cost_cap == made.cost
    held = made.batch(**hours, cost_cap=Money.of("0.14", CNY)).cost_cap
    assert held == Money.of("0.140", price.currency)
    with pytest.raises(InvalidValueError, match="above the cap"):
        made.batch(**hours, cost_cap=Money.of("0.13", CNY))
    with pytest.raises(CurrencyMismatchError):
        made.batch(**hours, cost_cap=Money.of("1", Currency("EUR")))


def test_nobody_is_shown():
    """The reprs of a plan and of a message have no name and no number."""
    made = plan(people(("M1", "13812345678", "王小明")))
    shown = repr(made) + repr(list(made.each())) + repr(made.findings)

    assert "王小明" not in shown
    assert "12345678" not in shown


def test_a_suppression_of_the_chain_is_a_column_of_members():
    """A chain's own flag stops a message as it stops a visit."""
    policy = MessagePolicy(
        suppressions=[Suppression(name="on_leave", text_en="on leave", text_zh="停卡")]
    )
    members = people(("M1", "13800000001", "王"), ("M2", "13800000002", "王"),
                     on_leave=[True, None])  # fmt: skip

    made = plan(members, policy=policy)

    assert rules(made) == {1: "on_leave"}
    assert made.left_out["reason_zh"].tolist() == ["停卡"]
    assert plan(members, policy=MessagePolicy(suppressions=[])).size == 2


def test_zones_are_of_the_member_then_the_store_then_the_chain():
    """Each message carries the zones whose night it respects, the member's first."""
    members = people(
        ("M1", "13800000001", "王"), ("M2", "13800000002", "王"),
        ("M3", "13800000003", "王"),
        zone=["Europe/Paris", None, None], store_id=["S1", "S1", None],
    )  # fmt: skip
    stores = pd.DataFrame({"store_id": ["S1"], "zone": ["Asia/Urumqi"]})

    made = plan(members, stores=stores)

    assert made.messages["zone"].tolist() == [
        "Europe/Paris Asia/Urumqi", "Asia/Urumqi", "Asia/Shanghai"
    ]  # fmt: skip
    assert made.messages["store_id"].tolist() == ["S1", "S1", ""]


AUDIENCES = st.lists(
    st.tuples(
        st.sampled_from(["M1", "M2", "M3", "M4", None]),
        st.sampled_from(["13800000001", "13800000002", "138", None]),
        st.none() | st.text("王a】\n😀 ${x}拒收请回复R", max_size=40),
    ),
    max_size=7,
)


def held_to_the_rules(rows, template, share):
    """Plan, and compare each row with the rules asked for it alone."""
    policy = MessagePolicy(hold_out=share)
    made = plan(people(*rows), template, policy=policy, consents=yes("M1", "M2", "M3"))

    listed = made.left_out["row"].tolist()
    assert len(set(listed)) == len(listed)
    assert made.size + len(made.held_out) + len(listed) == len(rows)
    written = [*made.messages["member_id"], *made.held_out["member_id"]]
    assert len(set(written)) == len(written)
    for message in made.each():
        values = dict(message.variables)
        assert policy.render(template, values) == message.text
        assert policy.check_text(template, message.text, as_of=DAY).outcome == (
            "accepted"
        )
    # Who was left out for the text could not have been written to by hand either.
    names = {row: rows[row - 1][2] for row in listed}
    for row, rule in rules(made).items():
        if rule.startswith("variable"):
            with pytest.raises(InvalidValueError):
                policy.render(template, {"name": names[row]})
        elif not rule.startswith(("member", "phone", "no_consent")):
            text = policy.render(template, {"name": names[row]})
            answer = policy.check_text(template, text, as_of=DAY)
            assert answer.reasons[0].rule == rule


@examples(1 / 6)
@given(AUDIENCES, st.sampled_from([NOTICE, GREETING]), st.sampled_from(["0", "0.5"]))
def test_nobody_is_lost_and_every_text_is_lawful(rows, template, share):
    """The three frames share the rows out, and `check_text` accepts every text."""
    held_to_the_rules(rows, template, share)


@pytest.mark.nightly
@settings(max_examples=1000)
@given(AUDIENCES, st.sampled_from([NOTICE, GREETING]), st.sampled_from(["0", "0.5"]))
def test_nobody_is_lost_at_night(rows, template, share):
    """The same promise for a thousand audiences."""
    held_to_the_rules(rows, template, share)


def test_no_members_no_messages():
    """An empty frame is a plan of nothing."""
    made = plan(people())

    assert (made.size, len(made.left_out), made.segments) == (0, 0, 0)
    assert list(made.each()) == []


def test_wrong_use_names_the_fix():
    """Unlawful templates, unknown gaps, and frames of another kind are refused."""
    members = people(("M1", "13800000001", "王"))
    bare = MessageTemplate(
        template_id="T5", kind="marketing", signature="店", text="您好"
    )
    with pytest.raises(InvalidValueError, match="marketing ends with"):
        plan(members, bare)
    with pytest.raises(InvalidValueError, match="did you mean 'name'"):
        plan(members, variables={"nmae": "name"})
    with pytest.raises(MissingColumnsError, match="title"):
        plan(members, variables={"name": "title"})
    with pytest.raises(ColumnTypeError, match="text"):
        plan(members.assign(phone=13800000001))
    with pytest.raises(InvalidValueError, match="as_of"):
        plan(members, as_of=NOON)
