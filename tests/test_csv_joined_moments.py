"""Promises of a day and a time in two columns of a file: one moment, nothing lost."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_reading import findings, read
from memberops import open_chain
from memberops.errors import ConfigurationError, MissingColumnsError

HEAD = "小票号,日期,时间,门店,数量,金额\n"
JOIN = {"sold_at": ["日期", "时间"]}


def utc(*texts):
    """Moments in UTC."""
    return [pd.Timestamp(text) for text in texts]


def test_a_day_and_a_time_make_a_moment_in_the_zone():
    """Any way to write either is read, and the day stays the day of sale."""
    result = read(
        HEAD
        + "T1,2026-11-05,14:03,S1,1,5\n"
        + "T2,2026年11月5日,下午2:03:07,S1,1,5\n"
        + "T3,20261105,140307,S1,1,5\n"
        + "T4,2026/11/5 0:00:00,00:30,S1,1,5\n",
        join=JOIN,
    )
    assert result.accepted == 4
    assert result.frame["sold_at"].tolist() == utc(
        "2026-11-05T06:03Z", "2026-11-05T06:03:07Z", "2026-11-05T06:03:07Z",
        "2026-11-04T16:30Z",
    )  # fmt: skip
    assert set(result.frame["sold_on"]) == {pd.Timestamp("2026-11-05")}
    assert findings(result, "heading-ignored") == []
    assert findings(result, "heading-likely") == []


def test_without_the_option_the_times_are_not_read():
    """Nothing is joined that was not asked for."""
    result = read(HEAD + "T1,2026-11-05,14:03,S1,1,5\n")
    assert result.frame["sold_at"].isna().all()


def test_what_is_missing_or_unreadable_is_told_not_guessed():
    """A day without time stays a day; a time without day, and no time, are reported."""
    result = read(
        HEAD
        + "T1,2026-11-05,,S1,1,5\n"
        + "T2,2026-11-05,NULL,S1,1,5\n"
        + "T3,2026-11-05,中饭后,S1,1,5\n"
        + "T4,,14:03,S1,1,5\n",
        join=JOIN,
    )
    assert result.frame["ticket_id"].tolist() == ["T1", "T2", "T3"]
    assert result.frame["sold_at"].isna().all()
    assert findings(result, "time-missing")[0].count == 2
    unread = findings(result, "date-unreadable")
    assert {finding.row for finding in unread} == {4}
    assert result.rejects["column"].tolist() == ["sold_on"]


def test_a_required_moment_may_be_joined_and_makes_the_day_that_is_absent():
    """A joined moment counts as the column, and the day of sale follows from it."""
    cases = read(
        "投诉编号,登记日,登记时\nK1,2026-11-05,14:03\nK2,,9:00\n",
        "complaints",
        join={"received_at": ["登记日", "登记时"]},
    )
    assert cases.frame["received_at"].tolist() == utc("2026-11-05T06:03Z")
    assert cases.rejects["column"].tolist() == ["received_at"]
    sales = read(
        "小票号,营业日,时刻,门店,数量,金额\nT1,2026-11-05,23:30,S1,1,5\n",
        join={"sold_at": ["营业日", "时刻"]},
        zone="America/New_York",
    )
    assert sales.frame["sold_on"].tolist() == [pd.Timestamp("2026-11-05")]
    assert sales.frame["sold_at"].tolist() == utc("2026-11-06T04:30Z")


@given(
    st.lists(
        st.tuples(
            st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
            st.times().map(lambda time: time.replace(microsecond=0)),
        ),
        max_size=8,
    )
)
def test_every_day_and_time_comes_back(moments):
    """What was parted is joined again, row by row, in the order of the rows."""
    rows = [
        f"T{place},{day},{time},S1,1,5\n" for place, (day, time) in enumerate(moments)
    ]
    result = read(HEAD + "".join(rows), join=JOIN, zone="UTC")
    wanted = [dt.datetime.combine(day, time, dt.UTC) for day, time in moments]
    assert result.frame["sold_at"].tolist() == wanted


@pytest.mark.parametrize(
    ("join", "told"),
    [
        ({"sold_on": ["日期", "时间"]}, "'sold_on' of sales holds none"),
        ({"soldat": ["日期", "时间"]}, "did you mean 'sold_at'"),
        ({"sold_at": "日期"}, "'join' takes two headings for 'sold_at'"),
        ({"sold_at": ["日期"]}, "'join' takes two headings for 'sold_at'"),
        ({"sold_at": ["日期", 2]}, "'join' takes two headings for 'sold_at'"),
    ],
)
def test_a_wrong_join_is_refused(join, told):
    """A column without moments, a name misspelt, headings that are not two."""
    with pytest.raises(ConfigurationError, match=told):
        read(HEAD, join=join)


def test_a_join_of_what_is_given_already_or_not_there_is_refused():
    """One column has one source, and a heading must stand in the file."""
    with pytest.raises(ConfigurationError, match="in 'join' and in 'columns'"):
        read(HEAD, join=JOIN, columns={"sold_at": "时间"})
    with pytest.raises(MissingColumnsError, match="the heading '钟点'"):
        read(HEAD, join={"sold_at": ["日期", "钟点"]})
    assert read("", join=JOIN).accepted == 0


def test_a_chain_file_says_what_to_join():
    """The option stands in chain.toml beside the path."""
    Path("till.csv").write_text(HEAD + "T1,2026-11-05,14:03,S1,1,5\n", "utf-8")
    Path("chain.toml").write_text(
        'name = "till"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n'
        '[sources.sales]\nadapter = "csv"\npath = "till.csv"\n'
        'join = { sold_at = ["日期", "时间"] }\n',
        "utf-8",
    )
    sales = open_chain("chain.toml").read()["sales"]
    assert sales["sold_at"].tolist() == utc("2026-11-05T06:03Z")
