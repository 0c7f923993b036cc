"""Personal values are hidden by their kind."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Member
from memberops.domain.values import mask, mask_name
from memberops.metrics import lapsed_members
from memberops.reports import lapsed_members_form
from memberops.testing import sales_frame

NAMES = ("Anna Smith", "Bartholomew Featherstone", "王小明", "欧阳娜娜", "O'Neill1985")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_hidden_whole(name):
    """No letter of a name stays, by either mask, and its length is not told."""
    assert mask_name(name) == "*****"
    assert mask(name) == "*****"
    assert "name=*****" in repr(Member(member_id="M1", name=name))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13812345678", "*******5678"),
        ("+86 138 1234 5678", "*************5678"),
        ("１３８１２３４５６７８", "*******５６７８"),
        ("*******5678", "*******5678"),
        ("CARD-00012345", "*********2345"),
        ("12345678", "*****"),
        ("1990-05-17", "*****"),
        ("17/05/1990", "*****"),
        ("19900517", "*****"),
        ("1990年5月17日", "*****"),
        ("", "*****"),
        (None, None),
    ],
)
def test_a_number_keeps_its_last_four_digits(text, shown):
    """At least five characters of a number are hidden; a date keeps nothing."""
    assert mask(text) == shown


@given(st.text(max_size=40))
def test_no_mask_shows_more_than_four_digits(text):
    """Whatever the text, what a mask leaves are at most four digits at its end."""
    left = mask(text).lstrip("*")
    assert left == "" or (len(left) == 4 and left.isdecimal() and text.endswith(left))


def test_the_list_of_lapsed_members_shows_no_part_of_a_name():
    """The form of the lapsed members hides names whole and phones but for their end."""
    sales = sales_frame([("T1", "2026-01-05", "S1", "M1", 1, "9.00")])
    frame = lapsed_members(sales, as_of=dt.date(2026, 10, 31))
    members = pd.DataFrame(
        {"member_id": ["M1"], "name": ["Anna Smith"], "phone": ["13812345678"]}
    )
    row = lapsed_members_form(frame, members=members).frame.iloc[0]
    assert (row["name"], row["phone"]) == ("*****", "*******5678")
