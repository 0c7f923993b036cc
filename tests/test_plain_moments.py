"""Many plain moments are read at once, exactly as they are one by one."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
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
_FORMS = st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"])
_OFFSETS = st.sampled_from(["", "", "Z", "+00", "+08:00", "-0330"])


@st.composite
def columns_of_moments(draw):
    """A column as a database writes it: one form, perhaps one offset, and gaps."""
    form, offset = draw(_FORMS), draw(_OFFSETS)
    texts = []
    for start in draw(st.lists(_NEAR, min_size=1, max_size=8)):
        moment = dt.datetime.fromisoformat(start)
        moment += dt.timedelta(seconds=draw(st.integers(0, 7200)))
        texts.append(f"{moment:{form}}{offset}")
    texts += draw(st.lists(st.sampled_from(["", "NULL"]), max_size=2))
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


@settings(max_examples=60)
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


@pytest.mark.parametrize(
    "odd",
    ["2026-02-30 10:00:00", "2026-11-05 24:00:00", "2026-11-05", "now",
     "2026-11-05 1:00:00",
     "1899-11-05 10:00:00", "2026-11-05 10:00:00.1234567", "2026-11-05 10:00:00+08:00",
     "２026-11-05 10:00:00"],
)  # fmt: skip
def test_one_that_is_not_plain_leaves_all_to_the_other_reader(odd):
    """Nothing is half read: one odd text, and the careful reader takes the column."""
    void = np.zeros(2, dtype=bool)
    zone = ZoneInfo("Asia/Shanghai")
    assert read_plain_moments(["2026-11-05 10:00:00", odd], void, zone) is None
