"""Many plain moments are read at once, exactly as they are one by one."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.adapters.sources import column_values
from memberops.adapters.sources.column_values import TextColumn, read_column
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.plain_moments import read_plain_moments
from memberops.domain import Currency
from memberops.tables import table

_ZONES = ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York")
# Around the nights in which clocks of these zones change, where it is hard.
_NEAR = st.sampled_from(
    ["2026-03-29 01:55", "2026-10-25 01:55", "2026-04-05 01:25", "2026-10-04 01:55",
     "2026-03-08 01:55", "2026-11-01 00:55", "1986-05-03 23:30", "1999-12-31 23:59"],
)  # fmt: skip
_FORMS = st.sampled_from(
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y/%m/%d %H:%M", "%Y.%m.%d"]
)
_OFFSETS = st.sampled_from(["", "", "Z", "+00", "+08:00", "-0330"])
_ODD = (
    "", "NULL", " ", "2026-02-30 10:00:00", "2026-11-05 24:00:00", "2026-11-05 10:60",
    "2026-11-05 10:00:60", "now", "2026-11-05 1:00:00", "1899-11-05 10:00:00",
    "2100-11-05 10:00:00", "2026-11-05 10:00:00.1234567", "２026-11-05 10:00:00",
    "2026-11-05 10:00:00+24:00", "2026-11-05 10:00:00+08:60", "2026-11-05 10:00:00z",
    "2026/11-05 10:00:00", "2026-13-05 10:00:00", "2026-00-05 10:00", "2026-1-05 10:00",
    "25/12/2026 10:00:00", "5/11/2026", "2026-11-05T10:00+08", " 2026-11-05 10:00:00",
    "2026-11-00 10:00:00", "2026-11-05 10:00:00 +08:00", "2026.11.05\t10:00:00",
)  # fmt: skip
_BARE = ("2026-11-05", "2026.02.28", "2026/02/29", "2024/02/29", "20261105")


@st.composite
def columns_of_moments(draw):
    """A column as databases write it, and one that persons have changed."""
    texts = []
    some_form, some_offset = draw(st.tuples(_FORMS, _OFFSETS))
    mixed = draw(st.booleans())
    for start in draw(st.lists(_NEAR, min_size=1, max_size=8)):
        moment = dt.datetime.fromisoformat(start)
        moment += dt.timedelta(seconds=draw(st.integers(0, 7200)))
        form = draw(_FORMS) if mixed else some_form
        offset = draw(_OFFSETS) if mixed else some_offset
        texts.append(f"{moment:{form}}{offset}")
    texts += draw(st.lists(st.sampled_from(_ODD + _BARE), max_size=4))
    return draw(st.permutations(texts))


def _read(column, texts, zone, fewest):
    codes = np.arange(len(texts)) if texts else np.zeros(0, int)
    log = FindingLog("sales", None, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_values, "FEWEST", fewest)
        cells = read_column(
            table("sales").column(column),
            TextColumn(np.concatenate([codes, codes[:3]]), list(texts)),
            currency=Currency("CNY"),
            zone=zone,
            date_format=None,
            missing=["NULL"],
            log=log,
        )
    every = np.arange(len(cells.codes))
    found = sorted((f.rule, f.count, f.column) for f in log.findings)
    return cells.series(every).tolist(), cells.days[cells.codes].tolist(), found


@given(
    columns_of_moments(),
    st.sampled_from(_ZONES),
    st.sampled_from(["sold_at", "sold_on"]),
)
def test_at_once_is_as_one_by_one(texts, zone, column):
    """Values, days and findings are equal, on the nights too when clocks change."""
    slow = _read(column, texts, ZoneInfo(zone), 10**9)
    fast = _read(column, texts, ZoneInfo(zone), 0)
    assert str(fast) == str(slow)


@pytest.mark.parametrize("odd", _ODD)
def test_what_is_not_plain_is_left_alone(odd):
    """An odd text is left to the other reader, and costs the others nothing."""
    read = read_plain_moments(
        ["2026-11-05 10:00:00", odd], ZoneInfo("Asia/Shanghai"), dated=False
    )
    assert read.plain.tolist() == [True, False]
    assert read.instants[0].item() == dt.datetime(2026, 11, 5, 2)  # noqa: DTZ001
    assert np.isnat(read.instants[1])
    assert np.isnat(read.days[1])


def test_a_word_for_nothing_that_looks_like_a_moment_is_nothing():
    """What an office calls missing stays missing, however plain it is written."""
    texts = [f"2026-11-05 10:00:{second:02}" for second in range(60)]
    cells = read_column(
        table("sales").column("sold_at"),
        TextColumn(np.arange(60), texts),
        currency=Currency("CNY"),
        zone=ZoneInfo("Asia/Shanghai"),
        date_format=None,
        missing=[texts[7]],
        log=FindingLog("sales", None, 100),
    )
    gaps = cells.series(np.arange(60)).isna()
    assert np.flatnonzero(gaps).tolist() == [7]
    assert np.flatnonzero(np.isnat(cells.days)).tolist() == [7]
