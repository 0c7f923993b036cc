"""Personal values are hidden by their kind."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Member
from memberops.domain.values import mask, mask_name
from memberops.errors import InvalidValueError
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


def test_a_lunar_birthday_is_hidden_and_its_calendar_is_a_word():
    """The day is personal in either calendar; the calendar is one of two words."""
    born = dt.date(1990, 5, 17)
    member = Member(member_id="M1", birth_date=born, lunar_birthday="L06-15",
                    birthday_calendar="lunar")  # fmt: skip
    assert "06-15" not in repr(member)
    assert "1990" not in repr(member)
    assert (member.birthday_calendar, member.lunar_birthday) == ("lunar", "L06-15")
    assert Member(member_id="M2").birthday_calendar == "solar"
    with pytest.raises(ValueError, match="moon"):
        Member(member_id="M3", birthday_calendar="moon")
    with pytest.raises(InvalidValueError, match="'lunar_birthday' must be text"):
        Member(member_id="M3", lunar_birthday=815)


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
