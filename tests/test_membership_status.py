"""Promises of status rules and of overrides set by hand."""

import datetime as dt
import json

import attrs
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from disagreements import DISAGREEMENTS
from memberops.domain import Card, Decision, Reason, Statement
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies import (
    AtLeast,
    ClawBack,
    Edge,
    FeeWaiver,
    FrozenWaiver,
    ManualTier,
    Override,
    Reopening,
    StatusRule,
    StatusRules,
    Tier,
    TierPolicy,
    overridden,
)
from memberops.policies.fee_waiver import WaiverDecision

DAY = dt.timedelta(days=1)
days = st.dates(dt.date(2023, 1, 1), dt.date(2028, 12, 31))
edges = st.none() | st.builds(
    Edge,
    event=st.sampled_from(["join", "end"]),
    offset=st.integers(-40, 40),
    unit=st.sampled_from(["days", "weeks", "months", "years"]),
)
rules = st.lists(
    st.builds(
        StatusRule,
        st.sampled_from(["a", "b", "c"]),
        edges,
        edges,
        kinds=st.sampled_from([(), ("gold",), ("gold", "standard")]),
        current=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


def test_statuses_of_other_systems(shared):
    """CiviCRM's defaults give its statuses; where months overflow ours clamp."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    cases = [c for c in json.loads(text)["cases"] if c["kind"] == "status_on"]
    assert len(cases) >= 7

    differ = set()
    for case in cases:
        asked = {n: dt.date.fromisoformat(d) for n, d in case["input"].items()}
        found = StatusRules().decide(as_of=asked.pop("on"), **asked)
        if found.outcome != case["expect"]:
            differ.add(case["id"])
    assert differ == {name for name, _ in DISAGREEMENTS if name.startswith("MEM-S")}


def test_months_of_grace_clamp():
    """A month from 31 January ends on 28 February, both ends in the grace."""
    year = {"join": dt.date(2026, 2, 1), "start": dt.date(2026, 2, 1)}
    end = dt.date(2027, 1, 31)

    def on(day: dt.date) -> str:
        return StatusRules().decide(as_of=day, end=end, **year).outcome

    assert on(end) == "Current"
    assert on(end + DAY) == on(dt.date(2027, 2, 28)) == "Grace"
    assert on(dt.date(2027, 3, 1)) == on(dt.date(2027, 3, 3)) == "Expired"


@examples(2 / 3)
@given(
    rules,
    st.lists(
        st.tuples(
            st.none() | days,
            st.none() | days | st.sampled_from([dt.date.max, dt.date.min]),
            st.sampled_from(["gold", "standard"]),
        ),
        min_size=1,
        max_size=5,
    ),
    days,
    st.sampled_from(["pandas", "objects", "polars"]),
)
def test_status_scalar_equals_frame(given_rules, rows, as_of, engine):
    """Whatever the rules, a frame gives each row what it gets alone."""
    policy = StatusRules(rules=given_rules)
    joined, ended, kinds = zip(*rows, strict=True)
    frame = pd.DataFrame({"kind": list(kinds)})
    for name, values in (("join", joined), ("end", ended)):
        frame[name] = pd.Series(list(values), dtype=object)
    if engine == "pandas":
        for name in ("join", "end"):
            seconds = [None if v is None else v.isoformat() for v in frame[name]]
            frame[name] = pd.Series(pd.array(seconds, dtype="datetime64[s]"))
    if engine == "polars":
        frame = pl.DataFrame(
            {"kind": list(kinds), "join": list(joined), "end": list(ended)},
            schema={"kind": pl.String, "join": pl.Date, "end": pl.Date},
        )
    found = policy.decide_frame(frame, as_of=as_of)
    for number, (join, end, kind) in enumerate(rows):
        events = {"join": join, "end": end}
        alone = policy.decide(
            as_of=as_of,
            kind=kind,
            **{name: events[name] for name in policy.events},
        )
        assert found["status"][number] == alone.outcome
        changes = found["changes_on"][number]
        assert (None if pd.isna(changes) else changes.date()) == alone.changes_on
        assert found["current"][number] == policy.current(alone.outcome)


@pytest.mark.parametrize("months", [-2, 1, 12, 13])
def test_a_frame_clamps_months_on_each_day_of_four_years(months):
    """Month ends and leap days included, frame and single answer are one."""
    sign = "+" if months > 0 else "-"
    policy = StatusRules(
        rules=[StatusRule("Near", end=f"end {sign} {abs(months)} months")],
        otherwise="Far",
    )
    ends = [dt.date(2023, 1, 1) + number * DAY for number in range(4 * 365)]
    as_of = dt.date(2022, 1, 1)
    found = policy.decide_frame(pd.DataFrame({"end": ends}), as_of=as_of)

    alone = [policy.decide(as_of=as_of, end=end).changes_on for end in ends]
    assert [day.date() for day in found["changes_on"]] == alone


@given(rules, days, days, days, st.integers(1, 400))
def test_a_status_holds_until_the_day_it_names(given_rules, join, end, as_of, ahead):
    """Before changes_on the status is the same on each day, on that day it is not."""
    policy = StatusRules(rules=given_rules)
    events = {n: d for n, d in (("join", join), ("end", end)) if n in policy.events}
    answer = policy.decide(as_of=as_of, **events)
    later = as_of + ahead * DAY
    if answer.changes_on is not None:
        turned = policy.decide(as_of=answer.changes_on, **events)
        assert turned.outcome != answer.outcome
        later = min(later, answer.changes_on - DAY)
    assert policy.decide(as_of=later, **events).outcome == answer.outcome


def test_the_first_rule_that_holds_wins_and_the_next_is_named():
    """The reasons give the rule with its days, and the runner-up."""
    year = {"join": dt.date(2026, 1, 1), "start": dt.date(2026, 1, 1)}
    answer = StatusRules().decide(
        as_of=dt.date(2026, 2, 1), end=dt.date(2026, 12, 31), **year
    )

    assert [(r.rule, r.met) for r in answer.reasons] == [
        ("New", True),
        ("Current", False),
    ]
    assert dict(answer.reasons[0].figures) == {
        "from": "2026-01-01",
        "through": "2026-04-01",
    }
    assert answer.explain("en") == "New (2026-01-01 to 2026-04-01)"
    assert answer.changes_on == dt.date(2026, 4, 2)


def test_rules_may_be_for_a_kind_of_card_or_an_event():
    """Gold cards have their own grace; a withdrawal comes first once it has a day."""
    policy = StatusRules(
        rules=[
            StatusRule("Withdrawn", "withdrawn", name_zh="已退会"),
            StatusRule("Current", "start", "end", current=True),
            StatusRule("Grace", "end", "end + 2 months", kinds=["gold"]),
            StatusRule("Grace", "end", "end + 7 days"),
        ],
        otherwise="Expired",
    )
    term = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 12, 31)}
    day = dt.date(2027, 1, 8)

    def on(**more) -> str:
        return policy.decide(
            **{"as_of": day, "withdrawn": None, **term, **more}
        ).outcome

    assert on() == "Expired"
    assert on(as_of=day - DAY) == on(kind="gold") == "Grace"
    assert on(kind="gold", withdrawn=day) == "Withdrawn"
    assert policy.current("Current")
    assert not policy.current("Grace")


@pytest.mark.parametrize("bad", ["", "end +", "end + 1 moon", "1 day", 3, "end ++ 1"])
def test_an_edge_is_an_event_with_an_offset(bad):
    """What is no edge is refused with an example."""
    with pytest.raises(InvalidValueError, match=r"end \+ 1 month"):
        StatusRule("x", bad)


@given(edges.filter(bool))
def test_an_edge_is_written_as_it_is_read(edge):
    """Its text parses to an edge of the same days."""
    event = {edge.event: dt.date(2024, 2, 29)}

    assert Edge.parse(str(edge)).day(event) == edge.day(event)


def test_wrong_questions_are_refused():
    """Unknown or missing events, moments, no rules and wrong columns are errors."""
    policy, day = StatusRules(), dt.date(2026, 1, 1)
    with pytest.raises(InvalidValueError, match="did you mean 'start'"):
        policy.decide(as_of=day, join=day, strat=day, end=day)
    with pytest.raises(InvalidValueError, match="need the event 'end'"):
        policy.decide(as_of=day, join=day, start=day)
    with pytest.raises(InvalidValueError, match="not a datetime"):
        policy.decide(
            as_of=day, join=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), start=day, end=day
        )
    with pytest.raises(InvalidValueError, match="at least one"):
        StatusRules(rules=[])
    with pytest.raises(InvalidValueError, match=r"kinds=\['gold'\]"):
        StatusRule("x", kinds="gold")
    frame = pd.DataFrame({"join": [1], "start": [1], "end": [1]})
    with pytest.raises(ColumnTypeError, match="calendar days"):
        policy.decide_frame(frame, as_of=day)
    zoned = pd.to_datetime(["2026-01-01"]).tz_localize("UTC")
    with pytest.raises(ColumnTypeError, match="zone"):
        policy.decide_frame(frame.assign(join=zoned), as_of=day)
    with pytest.raises(MissingColumnsError, match="valid_through"):
        policy.decide_frame(frame, as_of=day, columns={"end": "valid_through"})


def decided(as_of: dt.date, changes_on: dt.date | None = None) -> Decision:
    """Make a decision of a policy."""
    reason = Reason(rule="end", met=False, text_en="ended", text_zh="已到期")
    return Decision(
        outcome="expired",
        grounds=Statement(reasons=[reason]),
        policy="card-state",
        version="1",
        as_of=as_of,
        changes_on=changes_on,
    )


def by_hand(first: dt.date, until: dt.date | None = None, **given_) -> Override:
    """Make an override of card C1."""
    return Override(
        **{
            "subject": "C1",
            "outcome": "active",
            "reason": "投诉补偿",
            "actor": "E7",
            "set_on": first,
            "until": until,
            **given_,
        }
    )


def test_through_its_last_day_an_override_holds():
    """It holds through its until-date, as each date range; then the policy decides."""
    first, until = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
    word = by_hand(first, until)

    def on(day: dt.date) -> Decision:
        return overridden(decided(day), [word], subject="C1")

    assert on(first - DAY).outcome == on(until + DAY).outcome == "expired"
    assert on(first).outcome == on(until).outcome == "active"
    assert on(first - DAY).changes_on == first
    assert on(first).changes_on == until + DAY
    assert on(until + DAY).changes_on is None
    assert on(first).explain() == (
        "set to active by hand through 2026-11-30 (E7: 投诉补偿); else expired: ended"
    )
    assert [r.rule for r in on(first).reasons] == ["override", "end"]
    assert by_hand(first, first).holds(first)


def test_the_word_that_was_set_last_holds():
    """Of two that hold the later wins, then the earlier again, for good."""
    day = dt.date(2026, 11, 10)
    long = by_hand(dt.date(2026, 1, 1))
    short = by_hand(dt.date(2026, 11, 1), dt.date(2026, 11, 19), outcome="blocked")
    same_day = by_hand(dt.date(2026, 11, 1), dt.date(2026, 11, 14), outcome="waived")
    own = {"blocked": "已冻结"}

    blocked = overridden(decided(day), [short, long], subject="C1", names=own)
    assert blocked.outcome == "blocked"
    assert "人工设为已冻结，至 2026-11-19" in blocked.explain("zh")
    both = overridden(decided(day), [short, same_day], subject="C1")
    assert (both.outcome, both.changes_on) == ("waived", dt.date(2026, 11, 15))
    later = overridden(decided(dt.date(2026, 11, 20)), [short, long], subject="C1")
    assert (later.outcome, later.changes_on) == ("active", None)
    assert "人工设为有效（E7：投诉补偿）；原为已失效：" in later.explain("zh")


def test_others_words_are_left_alone():
    """An override of another card or another policy changes nothing."""
    day = dt.date(2026, 11, 10)
    answer = decided(day, changes_on=dt.date(2027, 1, 1))
    words = [
        by_hand(dt.date(2026, 1, 1), subject="C2"),
        by_hand(dt.date(2026, 1, 1), policy="fee-waiver"),
    ]

    assert overridden(answer, words, subject="C1") is answer
    soon = by_hand(dt.date(2026, 12, 1), policy="card-state")
    assert overridden(answer, [soon], subject="C1").changes_on == dt.date(2026, 12, 1)


def test_an_override_needs_a_reason_and_an_actor():
    """Without a reason, an actor or a day on which it holds it is refused."""
    day = dt.date(2026, 11, 1)
    for reason in ("", "  ", "x" * 201, None):
        with pytest.raises(InvalidValueError, match="reason"):
            by_hand(day, reason=reason)
    with pytest.raises(InvalidValueError, match="actor"):
        by_hand(day, actor="")
    with pytest.raises(InvalidValueError, match="never holds"):
        by_hand(day, day - DAY)


def test_an_override_sets_only_what_the_policy_can_answer():
    """A misspelled outcome is refused with the nearest that there is."""
    word = by_hand(dt.date(2026, 11, 1), outcome="wiaved")
    with pytest.raises(InvalidValueError, match="did you mean 'waived'"):
        overridden(decided(dt.date(2026, 11, 10)), [word], subject="C1")
    plain = attrs.evolve(decided(dt.date(2026, 11, 10)), outcome="Grace")
    assert overridden(plain, [word], subject="C1").outcome == "wiaved"


def test_a_waiver_set_by_hand_is_a_waiver_decision():
    """Its year and what is waived can be asked of it as of any other."""
    card = Card(
        card_id="C1",
        member_id="M1",
        valid_from=dt.date(2026, 1, 1),
        valid_through=dt.date(2026, 12, 31),
    )
    plain = FeeWaiver().decide(card, purchases=0, spend=0, as_of=dt.date(2026, 12, 1))
    word = by_hand(dt.date(2026, 11, 1), outcome="waived")
    answer = overridden(plain, [word], subject="C1")

    assert isinstance(answer, WaiverDecision)
    assert (plain.waived, answer.waived) == (False, True)
    assert answer.window == plain.window
    assert answer.explain("zh").startswith(
        "人工设为免年费（E7：投诉补偿）；原为尚未达标"
    )
    refused = by_hand(dt.date(2026, 11, 1), outcome="expired")
    with pytest.raises(InvalidValueError, match="no outcome"):
        overridden(plain, [refused], subject="C1")
    taken = FrozenWaiver(card_id="C1", decided_on=plain.as_of, decision=answer)
    stands = ClawBack().review(
        taken, None, waiver=FeeWaiver(), as_of=plain.as_of, purchases=0, spend=0
    )
    assert stands.outcome == "frozen"


def test_a_reason_shows_no_phone():
    """A repr does not show a reason at all, a sentence masks numbers in it."""
    day = dt.date(2026, 11, 10)
    told = "王小明 138 1234 5678 于 2026-11-05 来电"
    word = by_hand(dt.date(2026, 11, 1), reason=told)
    manual = ManualTier(level="vip", since=day, reason=told, actor="E7")
    policy = TierPolicy(levels=(Tier("regular"), Tier("vip", AtLeast("purchases", 3))))
    answer = overridden(decided(day), [word], subject="C1")
    tier = policy.decide(None, manual=manual, purchases=0, as_of=day)

    for shown in (repr(word), repr(manual)):
        assert "王小明" not in shown
        assert "1234" not in shown
    for said in (answer.explain("zh"), answer.explain(), tier.explain("zh")):
        assert "138 1234 5678" not in said
        assert "*******5678 于 2026-11-05 来电" in said
    assert "138" not in repr(answer)


def test_the_event_of_a_return_is_read_however_it_is_written():
    """Return, RETURN and return are one event."""
    day = dt.date(2026, 11, 10)
    for word in ("Return", " RETURN "):
        assert Reopening(event=word, happened_on=day).event == "return"
