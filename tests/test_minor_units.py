"""Amounts become whole minor units exactly, or say what was rounded."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Currency
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.metrics import minor_units

CNY = Currency("CNY")
# The vectors of the reliability note: HALF_UP where binary floats round otherwise.
HALVES = [(0.125, 13), (2.675, 268), (1.005, 101), (0.285, 29), (39.495, 3950)]


@pytest.mark.parametrize(("amount", "expected"), HALVES)
def test_floats_round_half_up_by_what_they_show(amount, expected):
    """A float is read as it is written, then rounded half up, also below zero."""
    got = minor_units([amount, -amount], currency=CNY)

    assert [expected, -expected] == got.minor.tolist()
    assert got.changed == 2
    assert Decimal("0.005") == got.largest_change


@given(st.lists(st.integers(-(10**13), 10**13)))
def test_exact_amounts_change_nothing(cents):
    """Decimals, text and floats of two digits come back as their cents."""
    amounts = [Decimal(each).scaleb(-2) for each in cents]
    for column in (
        amounts,
        [str(each) for each in amounts],
        [float(a) for a in amounts],
    ):
        got = minor_units(pd.Series(column, dtype=object), currency=CNY)

        assert cents == got.minor.tolist()
        assert (0, Decimal(0)) == (got.changed, got.largest_change)


def test_gaps_stay_gaps_and_the_index_stays():
    """A missing amount stays missing; index and name are kept."""
    given_ = pd.Series([1.5, np.nan], index=["a", "b"], name="paid")

    got = minor_units(given_, currency=CNY).minor

    assert (str(got.dtype), got.name, list(got.index)) == ("Int64", "paid", ["a", "b"])
    assert [None if pd.isna(each) else each for each in got] == [150, None]


@pytest.mark.parametrize("bad", [[float("inf")], ["12,5"], [Decimal("0.001")]])
def test_what_is_no_amount_is_refused(bad):
    """Infinity, text that is no number, and exact amounts of too many digits."""
    with pytest.raises(InvalidValueError):
        minor_units(bad, currency=CNY)


@pytest.mark.parametrize("bad", [[True, False], pd.to_datetime(["2026-10-01"])])
def test_a_column_that_holds_no_amounts_is_refused(bad):
    """Booleans and dates are no amounts."""
    with pytest.raises(ColumnTypeError, match="holds no amounts"):
        minor_units(bad, currency=CNY)


def test_no_amounts_give_no_amounts():
    """An empty column gives an empty column of whole numbers."""
    got = minor_units(pd.Series([], dtype="float64"), currency=CNY)

    assert (got.minor.tolist(), got.changed) == ([], 0)
