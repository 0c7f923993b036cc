"""The audit of profiles, possible duplicates, filing and the welcome (HQ §4.1, VIP)."""

import datetime as dt

import duckdb
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops import Period
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.duplicates import possible_duplicates
from memberops.policies.filing import Welcome, file_profiles
from memberops.policies.phones import PhoneRule
from memberops.policies.profile_audit import ProfileAudit

TODAY = dt.date(2026, 11, 5)
GOOD = {
    "member_id": "M1",
    "name": "王小明",
    "phone": "13812345678",
    "gender": "female",
    "birth_date": dt.date(1990, 5, 1),
    "store_id": "S1",
    "joined_on": dt.date(2026, 11, 5),
    "card_id": "C1",
    "valid_from": dt.date(2026, 11, 5),
    "valid_through": dt.date(2027, 11, 4),
}
MEMBER = ("member_id", "name", "phone", "gender", "birth_date", "store_id", "joined_on")
CARD = ("member_id", "card_id", "valid_from", "valid_through")
DAYS = ("birth_date", "joined_on", "valid_from", "valid_through")


def audited(stores=("S1",), card_holders=1, audit=None, **changes):
    """Audit the good profile with some of its fields changed."""
    return (audit or ProfileAudit()).decide(
        {**GOOD, **changes}, as_of=TODAY, stores=stores, card_holders=card_holders
    )


def frames(profiles):
    """Make the members and cards frames of some profiles."""
    rows = pd.DataFrame(profiles, columns=list(GOOD))
    for name in rows:
        kind = "datetime64[us]" if name in DAYS else "str"
        rows[name] = rows[name].astype(object).where(rows[name].notna(), None)
        rows[name] = pd.Series(rows[name].tolist(), dtype=kind)
    cards = rows[rows["card_id"].notna()]
    return rows[list(MEMBER)], cards[list(CARD)]


def test_the_default_audit_is_the_specs():
    """The ten fields of HQ §4.1 are required, five of them must be plausible."""
    answer = audited()
    assert answer.outcome == "complete"
    assert set(ProfileAudit().required) == set(GOOD)
    for name in GOOD:
        if name not in ("member_id", "valid_from"):
            found = audited(**{name: None})
            assert found.outcome == "incomplete"
            assert [reason.rule for reason in found.reasons] == [f"missing:{name}"]


@pytest.mark.parametrize(
    ("changes", "rule", "chinese"),
    [
        ({"phone": "138****8000"}, "implausible:phone", "打码"),
        ({"phone": "1.38E+10"}, "implausible:phone", "数值"),
        ({"phone": "12012345678"}, "implausible:phone", "不是有效"),
        (
            {"birth_date": dt.date(2026, 11, 6)},
            "implausible:birth_date",
            "晚于审核日期",
        ),
        ({"birth_date": dt.date(1905, 11, 5)}, "implausible:birth_date", "年龄"),
        ({"valid_through": dt.date(2026, 11, 4)}, "implausible:valid_through", "早于"),
        ({"store_id": "S9"}, "implausible:store_id", "门店不存在"),
        ({"card_holders": 2}, "implausible:card_id", "多名会员"),
    ],
)
def test_each_implausible_field_has_its_reason(changes, rule, chinese):
    """What cannot be is named by field, in both languages, without the value."""
    answer = audited(**changes)
    assert answer.outcome == "incomplete"
    assert [reason.rule for reason in answer.reasons] == [rule]
    assert chinese in answer.explain("zh")
    assert answer.explain("en").isascii()


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_date": dt.date(2026, 11, 5)},
        {"birth_date": dt.date(1905, 11, 6)},
        {"valid_through": dt.date(2026, 11, 5)},
        {"phone": "＋86 138-1234-5678"},
    ],
)
def test_the_edges_are_plausible(changes):
    """Born today, 120 years old, a term of one day: all can be."""
    assert audited(**changes).outcome == "complete"


def test_fillers_are_missing():
    """A dash, a blank or a word for nothing does not fill a required field."""
    for filler in ("", "  ", "\u3000", "-", " N/A ", "无", "未知"):
        assert audited(name=filler).reasons[0].rule == "missing:name"
    assert audited(gender="unknown").reasons[0].rule == "missing:gender"
    relaxed = ProfileAudit(accept_unknown_gender=True)
    assert audited(gender="unknown", audit=relaxed).outcome == "complete"


def test_what_was_not_checked_is_said():
    """Without stores and holders the answer tells that they were not checked."""
    answer = audited(stores=None, card_holders=None)
    assert answer.outcome == "complete"
    unchecked = [reason.rule for reason in answer.reasons if reason.met is None]
    assert unchecked == ["unchecked:store_id", "unchecked:card_id"]
    assert "未核对" in answer.explain("zh")


def test_no_personal_value_is_told():
    """Neither reasons nor lists show a name, phone or birth date."""
    profile = {**GOOD, "phone": "138****8000", "birth_date": dt.date(1900, 1, 2)}
    answer = ProfileAudit().decide(profile, as_of=TODAY, stores=["S2"])
    members, cards = frames([profile])
    listed = ProfileAudit().daily_list(members, cards, as_of=TODAY)
    for text in (repr(answer), answer.explain("zh"), answer.explain("en"),
                 listed.to_csv()):  # fmt: skip
        assert "王小明" not in text
        assert "138*" not in text
        assert "1900" not in text
    assert listed["name"].tolist() == ["*****"]
    shown = ProfileAudit().daily_list(members, cards, as_of=TODAY, reveal=("name",))
    assert shown["name"].tolist() == ["王小明"]


def test_the_answer_knows_when_an_age_turns_it():
    """A birth date turns implausible on the 121st birthday, or plausible at birth."""
    assert audited().changes_on == dt.date(2111, 5, 1)
    later = dt.date(2026, 12, 1)
    assert audited(birth_date=later).changes_on == later
    assert audited(birth_date=later, name=None).changes_on is None
    for day in (dt.date(2111, 4, 30), dt.date(2111, 5, 1)):
        answer = ProfileAudit().decide(GOOD, as_of=day)
        assert (answer.outcome == "complete") == (day < dt.date(2111, 5, 1))


values = {
    "name": st.sampled_from([None, "王小明", " ", "-"]),
    "phone": st.sampled_from(
        [None, "13812345678", "138****8000", "1.38E+10", "12012345678", "无", "x"]
    ),
    "gender": st.sampled_from([None, "female", "unknown"]),
    "birth_date": st.none() | st.dates(dt.date(1890, 1, 1), dt.date(2030, 1, 1)),
    "store_id": st.sampled_from([None, "S1", "S9"]),
    "joined_on": st.none() | st.dates(dt.date(2026, 11, 1), dt.date(2026, 11, 9)),
    "card_id": st.sampled_from([None, "C1", "C2", "C3", "C4"]),
    "valid_from": st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 9)),
    "valid_through": st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 9)),
}
profiles = st.lists(st.fixed_dictionaries(values), max_size=8)


@examples(1 / 2)
@given(profiles, st.booleans(), st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)))
def test_the_frame_is_the_single_answer(drawn, with_stores, as_of):
    """Row by row a frame says what the single audit says, words included."""
    people = [{"member_id": f"M{at}", **each} for at, each in enumerate(drawn)]
    for each in people:
        if each["card_id"] is None:
            each["valid_from"] = each["valid_through"] = None
    members, cards = frames(people)
    stores = pd.DataFrame({"store_id": ["S1", "S2"]}) if with_stores else None
    audit = ProfileAudit()

    answers = audit.decide_frame(members, cards, stores, as_of=as_of)

    assert answers["member_id"].tolist() == [each["member_id"] for each in people]
    for each, row in zip(people, answers.to_dict("records"), strict=True):
        held = sum(other["card_id"] == each["card_id"] for other in people)
        single = audit.decide(
            each,
            as_of=as_of,
            stores=["S1", "S2"] if with_stores else None,
            card_holders=held if each["card_id"] else 1,
        )
        rules = [r.rule.split(":") for r in single.reasons if r.met is False]
        assert row["complete"] == (single.outcome == "complete")
        missing = [name for kind, name in rules if kind == "missing"]
        wrong = [name for kind, name in rules if kind == "implausible"]
        assert [name for name in row["missing"].split("; ") if name] == missing
        found = [part.split(":")[0] for part in row["implausible"].split("; ") if part]
        assert found == wrong
        for reason in single.reasons:
            if reason.rule.startswith("implausible"):
                assert reason.text_en in row["implausible_en"]
                assert reason.text_zh in row["implausible_zh"]


def test_the_daily_list_goes_to_the_store_that_entered_it():
    """Each store gets its incomplete profiles of the day, and those of no day."""
    people = [
        {**GOOD, "member_id": "M5", "store_id": "S2", "name": None, "phone": "12345"},
        {**GOOD, "member_id": "M2", "card_id": "C2"},
        {**GOOD, "member_id": "M3", "card_id": "C3", "gender": None},
        {**GOOD, "member_id": "M4", "card_id": "C4", "gender": None,
         "joined_on": dt.date(2026, 11, 4)},
        {**GOOD, "member_id": "M6", "card_id": "C6", "joined_on": None},
    ]  # fmt: skip
    members, cards = frames(people)
    day = Period.day(TODAY)
    listed = ProfileAudit().daily_list(members, cards, as_of=TODAY, entered=day)
    assert listed.columns.tolist() == [
        "store_id", "member_id", "joined_on", "name", "phone", "missing", "missing_en",
        "missing_zh", "implausible", "implausible_en", "implausible_zh",
    ]  # fmt: skip
    assert listed[["store_id", "member_id", "missing_zh"]].to_numpy().tolist() == [
        ["S1", "M3", "性别"],
        ["S1", "M6", "入会日期"],
        ["S2", "M5", "姓名"],
    ]
    assert (
        listed["implausible_en"].tolist()[2] == "phone: no phone can have this number"
    )
    assert listed["phone"].tolist()[0] == "*******5678"
    every = ProfileAudit().daily_list(members, cards, as_of=TODAY)
    assert every["member_id"].tolist() == ["M3", "M4", "M6", "M5"]


def test_any_engine_may_bring_the_profiles():
    """Polars, DuckDB and pyarrow frames give the pandas answer."""
    members, cards = frames([GOOD, {**GOOD, "member_id": "M2", "name": None}])
    expected = ProfileAudit().decide_frame(members, cards, as_of=TODAY)
    assert expected["implausible"].tolist() == ["card_id: shared"] * 2
    connection = duckdb.connect()
    for make in (
        pl.from_pandas,
        lambda frame: pl.from_pandas(frame).lazy(),
        lambda frame: pl.from_pandas(frame).to_arrow(),
        lambda frame: connection.from_arrow(pl.from_pandas(frame).to_arrow()),
    ):
        answers = ProfileAudit().decide_frame(make(members), make(cards), as_of=TODAY)
        pd.testing.assert_frame_equal(
            answers.sort_values("member_id", ignore_index=True), expected
        )


def test_the_last_term_stands_for_the_member():
    """Renewed terms of one card are no shared card, and the last one is audited."""
    members, cards = frames([GOOD])
    old = cards.assign(
        valid_from=pd.Timestamp(2025, 11, 5), valid_through=pd.Timestamp(2025, 1, 1)
    )
    both = pd.concat([cards, old], ignore_index=True)
    assert ProfileAudit().decide_frame(members, both, as_of=TODAY)["complete"].all()


def test_wrong_use_is_refused():
    """A field that does not exist, a field not given, a column not there."""
    with pytest.raises(InvalidValueError, match="did you mean 'phone'"):
        ProfileAudit(required=("phnoe",))
    with pytest.raises(InvalidValueError, match="no field 'name' can be audited"):
        ProfileAudit(plausible=("name",))
    with pytest.raises(InvalidValueError, match="as a tuple"):
        ProfileAudit(required="name")
    with pytest.raises(InvalidValueError, match="needs the field 'member_id'"):
        ProfileAudit().decide({}, as_of=TODAY)
    with pytest.raises(InvalidValueError, match="must be a date") as caught:
        audited(birth_date="1990-05-01")
    assert "1990" not in str(caught.value)
    members, cards = frames([GOOD])
    with pytest.raises(MissingColumnsError, match="'card_id'"):
        ProfileAudit().decide_frame(members, as_of=TODAY)
    with pytest.raises(MissingColumnsError, match="'gender'"):
        ProfileAudit().decide_frame(members.drop(columns="gender"), cards, as_of=TODAY)
    with pytest.raises(ColumnTypeError, match="calendar days"):
        ProfileAudit().decide_frame(
            members.assign(birth_date="1990-05-01"), cards, as_of=TODAY
        )
    with pytest.raises(InvalidValueError, match="reveal"):
        ProfileAudit().daily_list(members, cards, as_of=TODAY, reveal=("gender",))


def people(rows):
    """Make a members frame for the search of duplicates."""
    frame = pd.DataFrame(rows, columns=["member_id", "name", "phone", "birth_date"])
    return frame.astype({"member_id": "str", "name": "str", "phone": "str"}).assign(
        birth_date=pd.to_datetime(frame["birth_date"]).astype("datetime64[us]")
    )


def test_duplicates_are_groups_with_a_reason():
    """The same phone in any spelling, or the same name and birth date: a group each."""
    found = possible_duplicates(
        people(
            [
                ("M4", "Li Wei", "13900000000", "1990-05-01"),
                ("M1", "王小明", "138 1234 5678", None),
                ("M2", "ＬＩ　wei", None, "1990-05-01"),
                ("M3", "李雷", "+8613812345678", "1990-05-01"),
                ("M5", "Li Wei", None, "1990-05-02"),
                ("M6", "王小明", None, None),
                ("M7", None, "138****5678", "1990-05-01"),
                ("M8", None, "138****5678", "1990-05-01"),
                ("M9", "--", "12345", "1990-05-01"),
                ("M0", "--", "12345", "1990-05-01"),
            ]
        )
    )
    assert found[["group", "reason", "members", "member_id"]].to_numpy().tolist() == [
        [1, "phone", 2, "M1"],
        [1, "phone", 2, "M3"],
        [2, "name_birth_date", 2, "M2"],
        [2, "name_birth_date", 2, "M4"],
    ]
    assert found["reason_zh"].tolist()[::2] == ["手机号相同", "姓名和出生日期相同"]
    assert "13812345678" not in found.to_csv()


@examples(1 / 2)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "王小明", "王 小明", "李雷"]),
            st.sampled_from([None, "13812345678", "138-1234-5678", "13912345678", "1"]),
            st.sampled_from([None, "1990-05-01", "1991-05-01"]),
        ),
        max_size=9,
    )
)
def test_duplicates_are_exactly_the_pairs_that_agree(drawn):
    """Two members share a group exactly if a loop over all pairs finds them equal."""
    rows = [(f"M{at}", *each) for at, each in enumerate(drawn)]
    found = possible_duplicates(people(rows))
    rule = PhoneRule()
    expected = set()
    for one, name, phone, born in rows:
        for two, name_2, phone_2, born_2 in rows:
            if one < two:
                first, second = rule.read(phone).number, rule.read(phone_2).number
                if first and first == second:
                    expected.add(("phone", one, two))
                if (
                    name
                    and name_2
                    and born
                    and born == born_2
                    and (name.replace(" ", "") == name_2.replace(" ", ""))
                ):
                    expected.add(("name_birth_date", one, two))
    pairs = {
        (reason, one, two)
        for (_, reason), group in found.groupby(["group", "reason"])["member_id"]
        for one in group
        for two in group
        if one < two
    }
    assert pairs == expected


def test_no_duplicates_is_an_empty_frame():
    """Nobody twice: the answer has its columns and no row."""
    found = possible_duplicates(people([("M1", "王小明", None, None)]))
    assert found.empty
    assert "reason_zh" in found
    assert possible_duplicates(people([])).empty


def test_a_profile_is_filed_once():
    """Complete profiles are filed on the day; who is filed keeps the first day."""
    audited_ = pd.DataFrame(
        {"member_id": ["M1", "M2", "M1"], "complete": [True, False, True]}
    )
    filed = file_profiles(audited_, as_of=TODAY)
    assert filed["member_id"].tolist() == ["M1"]
    later = file_profiles(
        audited_.assign(complete=True), as_of=dt.date(2026, 11, 6), filed=filed
    )
    assert later.to_numpy().tolist() == [
        ["M1", pd.Timestamp(2026, 11, 5)],
        ["M2", pd.Timestamp(2026, 11, 6)],
    ]
    again = file_profiles(audited_, as_of=dt.date(2026, 11, 7), filed=later)
    pd.testing.assert_frame_equal(again, later)
    with pytest.raises(MissingColumnsError, match="complete"):
        file_profiles(audited_[["member_id"]], as_of=TODAY)


@pytest.mark.parametrize(
    ("as_of", "contacted", "outcome"),
    [
        ((2026, 11, 4), None, "not_filed"),
        ((2026, 11, 5), None, "due"),
        ((2026, 11, 12), None, "due"),
        ((2026, 11, 13), None, "overdue"),
        ((2026, 11, 20), (2026, 11, 12), "contacted"),
        ((2026, 11, 20), (2026, 11, 13), "contacted_late"),
        ((2026, 11, 12), (2026, 11, 13), "due"),
        ((2026, 11, 13), (2026, 11, 4), "overdue"),
    ],
)
def test_the_welcome_is_due_within_seven_days(as_of, contacted, outcome):
    """The seventh day after filing is the last in time (VIP)."""
    answer = Welcome().decide(
        filed_on=TODAY,
        contacted_on=contacted and dt.date(*contacted),
        as_of=dt.date(*as_of),
    )
    assert answer.outcome == outcome
    if answer.outcome == "due":
        assert answer.changes_on == dt.date(2026, 11, 13)


november = st.none() | st.dates(dt.date(2026, 10, 25), dt.date(2026, 12, 5))


@examples(1 / 2)
@given(
    st.lists(st.tuples(november, november)),
    st.dates(dt.date(2026, 10, 25), dt.date(2026, 12, 5)),
    st.integers(0, 10),
)
def test_the_welcome_frame_is_the_single_answer(rows, as_of, days):
    """Row by row the frame of welcomes is the single decision."""
    frame = pd.DataFrame(rows, columns=["filed_on", "contacted_on"])
    frame = frame.astype("datetime64[us]")
    welcome = Welcome(days=days)
    found = welcome.decide_frame(frame, as_of=as_of)["welcome"].tolist()
    assert found == [
        welcome.decide(filed_on=filed, contacted_on=contacted, as_of=as_of).outcome
        for filed, contacted in rows
    ]
