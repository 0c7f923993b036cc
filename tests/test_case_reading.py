"""Complaints and events of frames become cases, and rows that say the same."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from csv_reading import read
from memberops.domain import Currency, Money
from memberops.errors import ColumnTypeError, MissingColumnsError
from memberops.policies import ServiceLevels, case_rows, read_cases
from memberops.policies.case_intake import clean_cases
from memberops.schedules import WorkingCalendar

CNY = Currency("CNY")
ZERO = dt.datetime(2026, 11, 2, 1, tzinfo=dt.UTC)
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = WorkingCalendar.weekly(
    "Asia/Shanghai", {day: ["09:00-18:00"] for day in WORKDAYS}
)


def after(hours):
    """A moment so many hours after the first receipt."""
    return ZERO + dt.timedelta(hours=hours)


def complaints(*rows, **more):
    """A frame of complaints: id and hour of the receipt."""
    return pd.DataFrame(
        {"case_id": [row[0] for row in rows],
         "received_at": pd.to_datetime([after(row[1]) for row in rows], utc=True)}
        | more
    )  # fmt: skip


def events(*rows):
    """A frame of events: case, kind, hour, and other fields."""
    frame = pd.DataFrame(
        [{"case_id": r[0], "kind": r[1], "at": after(r[2])} | (r[3] if r[3:] else {})
         for r in rows],
        columns=["case_id", "kind", "at", "to", "until", "satisfied", "category",
                 "priority"],
    )  # fmt: skip
    for name in ("at", "until"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def told(findings):
    """Rules and counts of findings."""
    return {finding.rule: finding.count for finding in findings}


def test_a_case_has_the_fields_and_events_of_its_rows():
    """Amounts become money, words their kinds, and events belong to their case."""
    cases, findings = read_cases(
        complaints(("K2", 1), ("K1", 0), asked=pd.array([None, 50000], "Int64"),
                   channel=["phone", None], customer_phone=["13812345678", None]),
        events(("K1", "callback", 60, {"satisfied": "no"}),
               ("K1", "replied", 3), ("K2", "transferred", 4, {"to": "E9"})),
        currency=CNY, zone=ZoneInfo("Asia/Shanghai"),
    )  # fmt: skip
    assert findings == ()
    first, second = cases
    assert [case.case_id for case in cases] == ["K1", "K2"]
    assert first.asked == Money.of("500.00", CNY)
    assert second.asked is None
    assert second.channel == "phone"
    assert [event.kind.value for event in first.events] == ["replied", "callback"]
    assert first.events[1].satisfied is False
    assert second.events[0].to == "E9"
    assert first.received_at.hour == 9
    assert first.received_at == ZERO
    assert "13812345678" not in repr(cases)


def test_what_cannot_be_used_is_counted_and_the_rest_goes_on():
    """Each kind of bad row is a finding with its number; good rows are all there."""
    given_ = complaints(("K1", 0), ("K1", 5), ("K2", 2), (None, 3), ("K3", 4))
    given_.loc[4, "received_at"] = pd.NaT
    bad = events(
        ("K1", "replied", 3, {"satisfied": "yes"}),
        ("K1", "promised_reply", 3),
        ("K1", "reclassified", 3),
        ("K1", "danced", 3),
        ("K9", "replied", 3),
        (None, "replied", 3),
        ("K2", "callback", 9, {"satisfied": "perhaps"}),
    )
    cases, findings = read_cases(given_, bad, currency=CNY)
    assert [(c.case_id, len(c.events)) for c in cases] == [("K1", 1), ("K2", 1)]
    assert cases[0].received_at == ZERO
    assert told(findings) == {
        "case-incomplete": 2, "case-twice": 1, "event-incomplete": 1,
        "event-unknown": 1, "event-without-case": 1, "promise-without-time": 1,
        "reclassified-to-nothing": 1, "field-of-another-event": 1,
        "satisfied-unknown": 1,
    }  # fmt: skip
    assert all(finding.message_zh and finding.message_en for finding in findings)


def test_a_case_listed_twice_does_not_depend_on_the_order_of_rows():
    """Of two rows of one receipt the one that asks less holds, wherever it stands."""
    frame = complaints(("K1", 0), ("K1", 0), ("K0", 0), asked=[900, 700, 5])
    found = [read_cases(each, currency=CNY) for each in (frame, frame.iloc[::-1])]
    assert found[0] == found[1]
    assert [case.asked.minor for case in found[0][0]] == [5, 700]


def test_events_of_one_moment_come_in_the_order_of_kinds_and_once():
    """The rows of one event in other words stay; a row repeated word by word goes."""
    said = events(
        ("K2", "callback", 3, {"satisfied": "no"}),
        ("K1", "transferred", 5, {"to": "H2"}),
        ("K2", "callback", 3, {"satisfied": "no"}),
        ("K1", "transferred", 5, {"to": "H1"}),
        ("K2", "replied", 3),
        ("K1", "solved", 4),
        ("K2", "callback", 3, {"satisfied": "yes"}),
    )
    given_ = complaints(("K2", 0), ("K1", 0))
    for order in (said, said.iloc[::-1]):
        first, second = read_cases(given_, order, currency=CNY)[0]
        shown = [(each.kind.value, each.to) for each in first.events]
        assert shown == [("solved", None), ("transferred", "H1"), ("transferred", "H2")]
        assert [(each.kind.value, each.satisfied) for each in second.events] == [
            ("replied", None),
            ("callback", False),
            ("callback", True),
        ]


def test_events_of_a_far_year_are_put_in_order_too():
    """Typing errors such as the year 30261 do not turn the order round."""
    days = np.array(["30261-11-02", "2026-11-03", "30261-11-01"], "datetime64[us]")
    said = pd.DataFrame(
        {"case_id": "K1", "kind": ["closed", "replied", "solved"],
         "at": pd.Series(days).dt.tz_localize("UTC")}
    )  # fmt: skip
    found = clean_cases(complaints(("K1", 0)), said).events
    assert found["kind"].tolist() == ["replied", "solved", "closed"]


def test_wrong_frames_are_refused_with_the_fix():
    """A missing column and a moment without zone are wrong use."""
    with pytest.raises(MissingColumnsError):
        read_cases(pd.DataFrame({"case_id": ["K1"]}), currency=CNY)
    naive = pd.DataFrame(
        {"case_id": ["K1"], "received_at": pd.to_datetime(["2026-11-02 09:00"])}
    )
    with pytest.raises(ColumnTypeError, match="tz_localize"):
        read_cases(naive, currency=CNY)


def test_other_engines_give_the_same_cases():
    """A polars frame is read as a pandas frame is."""
    polars = pytest.importorskip("polars")
    frame = complaints(("K1", 0), ("K2", 1))
    more = events(("K1", "replied", 3))[["case_id", "kind", "at"]]
    there = polars.DataFrame(
        {"case_id": ["K1", "K2"], "received_at": [after(0), after(1)]}
    )
    said = polars.DataFrame({"case_id": ["K1"], "kind": ["replied"], "at": [after(3)]})
    assert read_cases(there, said, currency=CNY) == read_cases(
        frame, more, currency=CNY
    )


def test_cases_come_from_files_through_the_table():
    """What the CSV source reads is what the builder takes."""
    table = read(
        "投诉单号,投诉时间,渠道,索赔金额\nK1,2026-11-02 09:00,电话,500\n", "complaints"
    ).frame
    said = read(
        "投诉编号,处理动作,处理时间\nK1,回复,2026-11-02 12:00\n", "case_events"
    ).frame
    ((case,), findings) = read_cases(table, said, currency=CNY)
    assert findings == ()
    answer = ServiceLevels().decide(case, as_of=after(5))
    assert answer["reply"].state == "met"


KINDS = st.sampled_from(
    ["replied", "waiting_for_customer", "customer_answered", "solved", "callback",
     "closed", "transferred", "customer_message", "reopened", "promised_reply",
     "reclassified"]
)  # fmt: skip


@st.composite
def histories(draw):
    """Frames of cases and events, whatever may have happened to them."""
    rows = []
    heads = [(f"K{n}", draw(st.integers(0, 20))) for n in range(8)]
    for case_id, _ in heads:
        for kind in draw(st.lists(KINDS, max_size=6)):
            hour = draw(st.integers(-2, 200))
            more = {
                "callback": {"satisfied": draw(st.sampled_from(["yes", "no", None]))},
                "transferred": {"to": "E1"},
                "promised_reply": {"until": after(hour + 5)},
                "reclassified": {"category": "toys"},
            }.get(kind, {})
            rows.append((case_id, kind, hour, more))
    return complaints(*heads, category="food"), events(*rows)


LEVELS = st.sampled_from(
    [
        ServiceLevels(),
        ServiceLevels(pausing=("reply", "solution", "callback")),
        ServiceLevels(callback_from="solved", pausing=("solution", "callback")),
        ServiceLevels(
            reply_hours=8, solution_hours=16, calendar=OFFICE, pausing=("solution",)
        ),
    ]
)


@examples(1 / 4)
@given(frames=histories(), levels=LEVELS, at=st.integers(0, 220))
def test_rows_of_simple_cases_say_what_the_cases_say(frames, levels, at):
    """Where a row holds all of a case, both readings have one answer."""
    as_of = after(at)
    cases, _ = read_cases(*frames, currency=CNY)
    rows, _ = case_rows(*frames, as_of=as_of, levels=levels)
    states = levels.decide_frame(rows, as_of=as_of)
    by_id = {case.case_id: case for case in cases}
    assert set(states["case_id"]) == {
        case.case_id for case in cases if case.received_at <= as_of
    }
    for row in states[states["simple"]].to_dict("records"):
        answer = levels.decide(by_id[row["case_id"]], as_of=as_of)
        for name in ("reply", "solution", "callback"):
            clock = answer[name]
            assert row[f"{name}_state"] == clock.state.value
            if clock.started_at is not None:
                left = clock.remaining // dt.timedelta(seconds=1)
                assert row[f"{name}_remaining_seconds"] == left
    for row in rows.to_dict("records"):
        history = by_id[row["case_id"]].history(as_of)
        assert row["reopened"] == sum(event.is_reopening for event in history)
        moved = [event.category for event in history if event.category]
        assert row["category"] == (moved[-1] if moved else "food")


@examples(1 / 8)
@given(frames=histories(), data=st.data(), at=st.integers(0, 220))
def test_neither_the_order_of_rows_nor_the_future_changes_anything(frames, data, at):
    """Shuffled rows give the same; what happens after the moment is not seen."""
    heads, said = frames
    as_of = after(at)
    order = data.draw(st.permutations(range(len(said))))
    shuffled = (heads.iloc[::-1], said.iloc[order])
    assert read_cases(*shuffled, currency=CNY) == read_cases(*frames, currency=CNY)
    rows, _ = case_rows(heads, said, as_of=as_of)
    pd.testing.assert_frame_equal(case_rows(*shuffled, as_of=as_of)[0], rows)
    past, _ = case_rows(
        heads[heads["received_at"] <= as_of], said[said["at"] <= as_of], as_of=as_of
    )
    pd.testing.assert_frame_equal(past, rows)
