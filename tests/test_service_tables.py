"""The tables of complaints, visits, consents and appointments, read as files are."""

import pandas as pd
import pytest

from csv_reading import findings, read
from memberops.domain.appointment import BookingEventKind
from memberops.domain.complaint import Channel, EventKind
from memberops.domain.visit import (
    VisitChannel,
    VisitKind,
    VisitOutcome,
    WinBackReason,
)
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.tables import (
    CASE_EVENTS,
    COMPLAINTS,
    CONSENTS,
    TABLES,
    VISITS,
    normal_heading,
    table,
)
from memberops.testing import (
    appointments_frame,
    case_events_frame,
    complaints_frame,
    consents_frame,
    visits_frame,
)
from memberops.workflows import Chain

ADDED = ("complaints", "case_events", "visits", "consents", "appointments")


@pytest.mark.parametrize("each", TABLES, ids=lambda each: each.name)
def test_no_heading_of_a_table_means_two_of_its_columns(each):
    """A heading is read as one column, and a spelling of a choice as one word."""
    known = {}
    for column in each.columns:
        for heading in column.headings:
            form = normal_heading(heading)
            assert known.setdefault(form, column.name) == column.name, heading
        words = {}
        for spelling, word in column.choices:
            assert words.setdefault(spelling.casefold(), word) == word, spelling


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (COMPLAINTS.column("channel"), Channel),
        (CASE_EVENTS.column("kind"), EventKind),
        (VISITS.column("kind"), VisitKind),
        (VISITS.column("channel"), VisitChannel),
        (VISITS.column("outcome"), VisitOutcome),
        (VISITS.column("reason_code"), WinBackReason),
    ],
)
def test_each_word_of_the_domain_has_its_spellings(column, words):
    """What the domain knows can be read, by its word and in Chinese."""
    assert {word for _, word in column.choices} == {str(word) for word in words}
    for word in words:
        assert (str(word), str(word)) in column.choices
        assert any(
            not spelling.isascii() for spelling, own in column.choices if own == word
        )
    assert {str(kind) for kind in BookingEventKind} == {"book", "change", "cancel"}


def test_complaints_of_a_chinese_export_are_read():
    """Headings, channels, local times and amounts of a Chinese export are read."""
    result = read(
        "投诉单号,投诉时间,渠道,投诉门店,会员号,投诉类型,优先级,索赔金额,处理人,"
        "投诉原因,补偿金额,投诉人,联系电话,投诉内容\n"
        '0007,2026-11-05 09:30,微信,S01,M1,质量,高,"1,200.50",E3,破损,80,王小明,'
        "13812345678,杯子碎了\n",
        "complaints",
    )
    (row,) = result.frame.to_dict("records")
    assert row["case_id"] == "0007"
    assert row["received_at"] == pd.Timestamp("2026-11-05T01:30Z")
    assert (row["channel"], row["category"], row["priority"]) == (
        "message", "质量", "高",
    )  # fmt: skip
    assert (row["asked"], row["compensation"]) == (120050, 8000)
    assert (row["handler"], row["root_cause"]) == ("E3", "破损")
    assert (row["customer_name"], row["customer_phone"]) == ("王小明", "13812345678")
    assert not findings(result, "heading-ignored")
    assert "13812345678" not in repr(result)
    assert "王小明" not in "".join(f.describe("zh") for f in result.findings)


def test_complaints_of_an_english_export_are_read():
    """The English headings give the same canonical rows."""
    result = read(
        "Complaint ID,Received at,Channel,Store,Member ID,Claim amount,Phone\n"
        "K1,2026-11-05T09:30:00+08:00,hotline,S01,,12.00,13812345678\n"
        "K2,2026-11-05 01:30:00Z,On-site,S01,M2,,\n",
        "complaints",
    )
    frame = result.frame
    assert frame["received_at"].tolist() == [pd.Timestamp("2026-11-05T01:30Z")] * 2
    assert frame["channel"].tolist() == ["phone", "on_site"]
    assert frame["asked"].tolist() == [1200, pd.NA]
    assert str(frame["asked"].dtype) == "Int64"


def test_a_local_time_that_comes_twice_or_never_is_told():
    """On days of a clock change the stated rule is applied, and each row is told."""
    result = read(
        "case_id,received_at\n"
        "K1,2026-10-25 02:30\nK2,2026-03-29 02:30\nK3,2026-10-25 03:30\n"
        "K4,2026-10-25T02:30+01:00\n",
        "complaints",
        zone="Europe/Berlin",
    )
    assert result.frame["received_at"].tolist() == [
        pd.Timestamp(moment)
        for moment in (
            "2026-10-25T00:30Z", "2026-03-29T01:30Z",
            "2026-10-25T02:30Z", "2026-10-25T01:30Z",
        )
    ]  # fmt: skip
    assert result.rows_read == result.accepted + result.rejected == 4
    assert len(findings(result, "time-twice")) == 1
    assert len(findings(result, "time-skipped")) == 1


def test_rows_that_cannot_be_read_are_counted_and_kept():
    """A case without receipt or with a taken id is a reject; a channel, a warning."""
    result = read(
        "case_id,received_at,channel\nK1,2026-11-05 09:00,飞鸽\nK2,,电话\n"
        "K1,2026-11-05 10:00,电话\nK3,昨天,电话\n",
        "complaints",
    )
    assert result.frame["case_id"].tolist() == ["K1"]
    assert result.frame["channel"].isna().all()
    assert result.rows_read == result.accepted + result.rejected == 4
    assert "duplicate-key" in set(result.rejects["rule"])


def test_case_events_are_read_in_both_languages():
    """Each event has its word, its moment, and what belongs to its kind."""
    chinese = read(
        "投诉编号,处理动作,处理时间,处理人,转交给,承诺时间,是否满意,备注\n"
        "K1,转交,2026-11-05 10:00,E1,E2,,,\n"
        "K1,承诺回复,2026-11-05 11:00,E2,,2026-11-06 09:00,,\n"
        "K1,回访,2026-11-08 10:00,E1,,,不满意,很生气\n",
        "case_events",
    )
    english = read(
        "case,event,happened at,done by,handed to,promised until,satisfied,note\n"
        "K1,transferred,2026-11-05 10:00,E1,E2,,,\n"
        "K1,promised reply,2026-11-05 11:00,E2,,2026-11-06 09:00,,\n"
        "K1,Callback,2026-11-08 10:00,E1,,,No,很生气\n",
        "case_events",
    )
    pd.testing.assert_frame_equal(chinese.frame, english.frame)
    assert chinese.frame["kind"].tolist() == [
        "transferred", "promised_reply", "callback",
    ]  # fmt: skip
    assert chinese.frame["until"][1] == pd.Timestamp("2026-11-06T01:00Z")
    assert chinese.frame["satisfied"].tolist()[2] == "no"


def test_visits_are_read_as_plan_and_as_record():
    """A visit that is still to be made is a row, and so is one that was made."""
    result = read(
        "回访编号,回访类型,门店,会员号,回访方式,回访方,计划日期,结果,回访时间,"
        "是否答复,流失原因,回访内容\n"
        "V1,流失回访,S1,M1,电话,总部,2026-11-05,已回访,2026-11-05 10:20,是,服务,太远\n"
        "V2,售后回访,S1,M2,短信,门店,2026-11-06,,,,,\n",
        "visits",
    )
    frame = result.frame
    assert result.accepted == 2
    assert frame["kind"].tolist() == ["win_back", "after_sale"]
    assert frame["by"].tolist() == ["hq", "store"]
    assert frame["day"].tolist() == [
        pd.Timestamp("2026-11-05"), pd.Timestamp("2026-11-06"),
    ]  # fmt: skip
    assert frame["done_at"][0] == pd.Timestamp("2026-11-05T02:20Z")
    assert frame["done_at"].isna().tolist() == [False, True]
    assert (frame["answered"][0], frame["reason_code"][0]) == ("yes", "service")


def test_consents_say_of_which_channel_they_are():
    """A row without channel is refused, since an opt-out of all is another thing."""
    result = read(
        "会员号,渠道,是否同意,日期\nM1,短信,退订,2026-11-01\nM2,全部,是,2026-11-01\n"
        "M3,,否,2026-11-01\n",
        "consents",
    )
    assert result.frame[["channel", "given"]].to_numpy().tolist() == [
        ["sms", "no"], ["all", "yes"],
    ]  # fmt: skip
    assert result.rejected == 1
    constant = read(
        "member id,consent,date\nM1,no,2026-11-01\n", "consents",
        constants={"channel": "sms"},
    )  # fmt: skip
    assert constant.frame["channel"].tolist() == ["sms"]


def test_appointments_are_read():
    """A slot has its store, service, time and state."""
    result = read(
        "预约编号,会员号,门店,项目,预约时间,状态\n"
        "A1,M1,S1,体检,2026-11-06 09:00,已预约\nA2,M2,S1,体检,2026-11-06 09:00,取消\n",
        "appointments",
    )
    assert result.frame["starts_at"].tolist() == [pd.Timestamp("2026-11-06T01:00Z")] * 2
    assert result.frame["state"].tolist() == ["booked", "cancelled"]


def test_the_calendar_of_a_birthday_is_read():
    """Chinese words for solar and lunar are read; lunar days are masked text."""
    result = read(
        "会员号,生日,生日类型,农历生日\nM1,1990-02-01,农历,闰06-01\n"
        "M2,1991-03-04,公历,\n",
        "members",
    )
    assert result.frame["birthday_calendar"].tolist() == ["lunar", "solar"]
    assert result.frame["lunar_birthday"].tolist()[0] == "闰06-01"
    assert table("members").column("lunar_birthday").personal


@pytest.mark.parametrize("name", ADDED)
def test_a_chain_takes_each_table_as_a_frame(name):
    """`Chain.from_frames` takes the table, and reads it as a source does."""
    canonical = table(name)
    values = {
        "instant": pd.Timestamp("2026-11-05T01:00Z"),
        "date": pd.Timestamp("2026-11-05"),
        "id": "X1", "text": "X1", "integer": 1, "money": 1,
    }  # fmt: skip
    row = {
        column.name: values.get(column.kind) or column.choices[0][1]
        for column in canonical.columns
    }
    sales = pd.DataFrame(
        {"ticket_id": ["T1"], "sold_on": [pd.Timestamp("2026-11-05")],
         "store_id": ["S1"], "quantity": [1], "amount": [100]}
    )  # fmt: skip
    frame = pd.DataFrame([row])
    read_ = Chain.from_frames(sales=sales, **{name: frame}).read()
    assert read_[name].to_dict("records") == [row]
    moments = [c.name for c in canonical.columns if c.kind == "instant"]
    if moments:
        naive = frame.assign(**{moments[0]: pd.Timestamp("2026-11-05")})
        with pytest.raises(ColumnTypeError, match="zone"):
            Chain.from_frames(sales=sales, **{name: naive}).read()


def test_a_chain_file_names_the_tables_as_sources(tmp_path):
    """`[sources.complaints]` and the others are sections of a chain file."""
    from memberops.workflows import open_chain

    lines = ['name = "x"', 'currency = "CNY"', 'zone = "Asia/Shanghai"']
    for name in ("sales", *ADDED):
        lines += [f"[sources.{name}]", 'adapter = "csv"', f'path = "{name}.csv"']
    (tmp_path / "chain.toml").write_text("\n".join(lines), "utf-8")
    (tmp_path / "sales.csv").write_text(
        "小票号,销售日期,门店,数量,金额\nT1,2026-11-05,S1,1,5.00\n", "utf-8"
    )
    heads = {
        "complaints": "case_id,received_at\nK1,2026-11-05 09:00\n",
        "case_events": "case_id,kind,at\nK1,回复,2026-11-05 10:00\n",
        "visits": "visit_id,member_id\nV1,M1\n",
        "consents": "member_id,channel,given,on\nM1,sms,no,2026-11-05\n",
        "appointments": "booking_id,member_id,store_id,starts_at\n"
        "A1,M1,S1,2026-11-06 09:00\n",
    }
    for name, text in heads.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    tables = open_chain(tmp_path / "chain.toml", entry_points=True).read()
    assert [len(tables[name]) for name in ADDED] == [1] * 5
    assert CONSENTS.name in tables


NINE = "2026-11-05T09:00+08:00"


@pytest.mark.parametrize(
    ("name", "make", "row"),
    [
        ("complaints", complaints_frame, ("K1", NINE, "S1", "M1", "phone", None, "5")),
        ("case_events", case_events_frame, ("K1", "replied", NINE)),
        ("visits", visits_frame, ("V1", "M1", "S1", "care", "sms", "hq", "2026-11-05")),
        ("consents", consents_frame, ("M1", "sms", "no", "2026-11-05")),
        ("appointments", appointments_frame, ("A1", "M1", "S1", NINE)),
    ],
)
def test_the_builders_make_what_a_chain_takes(name, make, row):
    """A compact row becomes a canonical row; a moment without zone is refused."""
    frame = make([row])
    sales = pd.DataFrame(
        {"ticket_id": ["T1"], "sold_on": [pd.Timestamp("2026-11-05")],
         "store_id": ["S1"], "quantity": [1], "amount": [100]}
    )  # fmt: skip
    tables = Chain.from_frames(sales=sales, **{name: frame}).read()
    assert len(tables[name]) == 1
    if NINE in row:
        column = next(c.name for c in table(name).columns if c.kind == "instant")
        assert tables[name][column][0] == pd.Timestamp("2026-11-05T01:00Z")
        naive = [NINE[:16] if value == NINE else value for value in row]
        with pytest.raises(InvalidValueError, match="zone"):
            make([naive])
