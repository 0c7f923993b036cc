"""Promises of what answers say beside their figures: units, notes, and nothing."""

import datetime as dt

import pandas as pd
import pytest

from memberops.policies import ServiceLevels
from memberops.policies.service_wording import duration_text
from memberops.schedules import WorkingCalendar
from memberops.testing import sales_frame
from memberops.workflows import Chain
from memberops.workflows.chain_policies import ChainPolicies

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
