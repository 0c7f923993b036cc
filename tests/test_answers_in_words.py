"""Promises of what answers say beside their figures: units, notes, and nothing."""

import datetime as dt

import pandas as pd
import pytest

from memberops.cli import main
from memberops.metrics import (
    MetricPolicy,
    consumption_level,
    spending_power,
    store_ranking,
)
from memberops.policies import ServiceLevels
from memberops.policies.service_wording import duration_text
from memberops.reports import (
    consumption_level_form,
    spending_power_form,
    store_ranking_form,
)
from memberops.schedules import Period, WorkingCalendar
from memberops.testing import cards_frame, sales_frame
from memberops.workflows import Chain
from memberops.workflows.chain_policies import ChainPolicies
from office_chain import write_office

OFFICE = WorkingCalendar.weekly(
    "Asia/Shanghai",
    dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:00", "13:00-18:00")),
)
THURSDAY = pd.Timestamp("2026-11-05T09:00+08:00")
SALES = sales_frame([("T1", "2026-11-01", "S1", "M1", 1, "10.00")])


@pytest.fixture(scope="module")
def board():
    """Two cases: K1 waits for its reply in office hours, K2 for its callback."""
    chain = Chain.from_frames(
        sales=SALES,
        complaints=pd.DataFrame(
            {"case_id": ["K1", "K2"], "store_id": "S1", "received_at": THURSDAY}
        ),
        case_events=pd.DataFrame(
            {
                "case_id": "K2",
                "kind": ["replied", "solved"],
                "at": [THURSDAY + pd.Timedelta(hours=1)] * 2,
            }
        ),
        policies=ChainPolicies(
            working_calendar=OFFICE, service_levels=ServiceLevels(calendar=OFFICE)
        ),
    )
    at = THURSDAY + pd.Timedelta(hours=2)
    return chain, at.to_pydatetime()


def test_the_board_never_mixes_working_and_wall_minutes(board):
    """22 h of the office's own time are 1320 there; 7 days are the wall's."""
    chain, at = board
    form = chain.sla(as_of=at).form
    rows = form.frame.set_index("case_id")
    assert rows.loc["K1", "remaining_working_minutes"] == (24 - 2) * 60
    assert pd.isna(rows.loc["K1", "remaining_wall_minutes"])
    assert rows.loc["K2", "remaining_wall_minutes"] == (7 * 24 - 2) * 60
    assert pd.isna(rows.loc["K2", "remaining_working_minutes"])
    for language, words in (("en", ("Working", "around the clock")),
                            ("zh", ("工作时间", "自然时间"))):  # fmt: skip
        for kind, word in zip(("working", "wall"), words, strict=True):
            heading = form.column(f"remaining_{kind}_minutes").heading(language)
            assert word in heading


def test_working_time_left_is_said_in_hours_and_named(board):
    """22 hours of an office of 8 are no 22 hours of a clock, and 26 are no day."""
    chain, at = board
    said = chain.sla("K1", as_of=at).explain("en").splitlines()
    assert said[0].endswith("22 h of working time left")
    assert "剩余 22 小时 工作时间" in chain.sla("K1", as_of=at).explain("zh")
    callback = chain.sla("K2", as_of=at).explain("en").splitlines()[2]
    assert callback.endswith("6 d 22 h left")


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [
        (26 * 60 + 5, "26 h 5 min", "26 小时 5 分钟"),
        (48 * 60, "48 h", "48 小时"),
        (5, "5 min", "5 分钟"),
        (0.5, "30 s", "30 秒"),
    ],
)
def test_no_working_time_is_written_as_days(minutes, english, chinese):
    """A day of working time has no length that all calendars share."""
    time = dt.timedelta(minutes=minutes)
    assert duration_text(time, working=True) == f"{english} of working time"
    assert duration_text(time, "zh", working=True) == f"{chinese} 工作时间"


@pytest.mark.parametrize(
    ("analysis", "form_of"),
    [
        (consumption_level, consumption_level_form),
        (spending_power, spending_power_form),
        (store_ranking, store_ranking_form),
    ],
)
def test_sales_forms_say_on_which_day_returns_count(analysis, form_of):
    """By the policy that was asked, in both languages."""
    for returns, english, chinese in (
        ("original_day", "that ticket's day", "原小票的日期"),
        ("own_day", "its own day", "退货当天"),
    ):
        policy = MetricPolicy(returns=returns)
        frame = analysis(SALES, period=Period.month(2026, 11), policy=policy)
        form = form_of(frame, policy=policy)
        assert sum(english in note for note in form.notes("en")) == 1
        assert sum(chinese in note for note in form.notes("zh")) == 1


@pytest.mark.parametrize(
    ("given", "lead"),
    [
        (["--language", "zh"], "错误：缺少必需的选项。英文详情："),
        (["--language=zh"], "错误：缺少必需的选项。英文详情："),
        (["--language", "en"], "error: "),
        ([], "错误 error: 缺少必需的选项。 "),
        (["--language"], "错误 error: "),
    ],
)
def test_what_leads_an_error_speaks_the_language_asked_for(given, lead, capsys):
    """The details stay English, as the library's errors are, and follow at once."""
    assert main(["waiver", "--chains", "c.toml", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith(lead)
    assert said.count("\n") == 1
    if "en" in given:
        assert said.isascii()


def test_a_waiver_of_nobody_says_so():
    """With the days within which cards run: the day may be misspelled."""
    chain = Chain.from_frames(
        sales=SALES, cards=cards_frame([("C1", "M1", "2026-01-01", "2026-12-31")])
    )
    nobody = chain.waiver(as_of=dt.date(2030, 1, 1))
    assert nobody.explain("en").splitlines()[-1] == (
        "nobody is concerned: no card runs on 2030-01-01; those on file run within "
        "2026-01-01 to 2026-12-31"
    )
    assert "没有有效会员卡" in nobody.explain("zh")
    assert "nobody" not in chain.waiver(as_of=dt.date(2026, 11, 5)).explain("en")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The chain of `office_chain`."""
    return write_office(tmp_path_factory.mktemp("words"))


@pytest.mark.parametrize(
    ("question", "as_of"),
    [
        (["waiver"], "2030-01-01"),
        (["expiring"], "2030-01-01"),
        (["sla"], "2020-01-01T09:00+08:00"),
        (["sla", "--hard"], "2020-01-01"),
        (["visits", "--coverage"], "2020-01-01"),
        (["appointments"], "2030-01-01"),
    ],
)
def test_an_empty_answer_is_told_in_words(question, as_of, office, capsys):
    """On a pipe, where CSV is a bare heading, on standard error; else in the text."""
    command = [*question, "--chain", str(office), "--as-of", as_of]
    assert main(command) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "没有符合条件的" in said.err
    assert main([*command, "--format", "table", "--language", "en"]) == 0
    said = capsys.readouterr()
    assert "is concerned" in said.out
    assert said.err == ""
