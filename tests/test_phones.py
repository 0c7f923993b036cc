"""Phones: one spelling for each number, or the reason why there is none."""

import sys

import pandas as pd
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.errors import ColumnTypeError, InvalidValueError, MissingExtraError
from memberops.policies import phones
from memberops.policies.phones import PhoneRule

ONE = "+8613812345678"


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "+8613812345678",
        "008613812345678",
        "8613812345678",
        "138 1234 5678",
        "138-1234-5678",
        "138–1234—5678",
        "（+86）138 1234 5678",
        "１３８１２３４５６７８",
        "＋８６　138１２３４5678",
        "\u202d13812345678\u202c",
        " 13812345678\n",
        "0086 138.1234.5678",
    ],
)
@pytest.mark.parametrize("rule", [PhoneRule(), PhoneRule(mainland_only=True)])
def test_each_spelling_is_one_number(text, rule):
    """Spaces, dashes, full-width digits and country codes do not make two members."""
    assert rule.read(text).number == ONE
    assert rule.read(text).matchable


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "missing"),
        ("", "missing"),
        ("  \u3000", "missing"),
        ("138****8000", "masked"),
        ("138＊＊＊＊8000", "masked"),
        ("138xxxx8000", "masked"),
        ("●●●●●●●8000", "masked"),
        ("1.38123E+10", "spoiled"),
        ("1.38E10", "spoiled"),
        ("13812345678.0", "spoiled"),
        ("########", "spoiled"),
        ("无", "unreadable"),
        ("13812345678/13912345678", "unreadable"),
        ("13812345678 王小明", "unreadable"),
        ("٠١٢٣٤٥٦٧٨٩٠", "unreadable"),
        ("12345", "invalid"),
        ("12012345678", "invalid"),
        ("1381234567", "invalid"),
        ("138123456789", "invalid"),
        ("99999999999", "invalid"),
        ("1" * 30, "invalid"),
        ("1" * 5000, "unreadable"),
    ],
)
@pytest.mark.parametrize("rule", [PhoneRule(), PhoneRule(mainland_only=True)])
def test_what_is_no_number_says_why(text, problem, rule):
    """A masked, spoiled or impossible number is never compared with others."""
    reading = rule.read(text)
    assert (reading.number, reading.problem) == (None, problem)
    assert not reading.matchable
    assert reading.text("en")
    assert reading.text("zh")


def test_other_numbers_are_asked_of_the_library():
    """Landlines, and numbers of other countries with their code, are numbers too."""
    rule = PhoneRule()
    assert rule.read("010-8888 8888").number == "+861088888888"
    assert rule.read("+852 5123 4567").number == "+85251234567"
    assert PhoneRule(country="HK").read("5123 4567").number == "+85251234567"
    mobile = PhoneRule(mobile_only=True)
    assert mobile.read("010-8888 8888").problem == "not_mobile"
    assert mobile.read("400 812 3123").problem == "not_mobile"
    assert mobile.read("+852 5123 4567").number == "+85251234567"
    assert PhoneRule(mainland_only=True).read("010-88888888").problem == "invalid"


@given(
    st.from_regex(r"(\+86|0086|86)?1[2-9][0-9]{9}", fullmatch=True)
    | st.from_regex(r"[0-9]{7,13}", fullmatch=True)
)
def test_the_fast_path_agrees_with_the_library(text):
    """What the pattern decides by itself, the library decides in the same way."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        number = None
    expected = (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if number is not None and phonenumbers.is_valid_number(number)
        else None
    )
    assert PhoneRule().read(text).number == expected


@given(
    st.lists(
        st.none()
        | st.text(max_size=15)
        | st.sampled_from(["13812345678", "138****8000", "1.38E+10", "12012345678"])
    )
)
def test_a_column_is_read_row_by_row(texts):
    """The column reading is the scalar reading, for any text and any index."""
    rule = PhoneRule()
    column = pd.Series(texts, index=range(5, 5 + len(texts)), dtype="str")
    read = rule.read_column(column)
    assert read.index.equals(column.index)
    rows = [
        (None if pd.isna(n) else n, None if pd.isna(p) else p)
        for n, p in zip(read["number"], read["problem"], strict=True)
    ]
    single = [rule.read(text) for text in texts]
    assert rows == [(reading.number, reading.problem) for reading in single]


def test_numbers_in_a_column_of_objects_are_spoiled():
    """A number among texts was read as a number: it is reported, not mended."""
    column = pd.Series([13812345678, "13812345678", None], dtype=object)
    assert PhoneRule().read_column(column)["problem"].tolist()[0] == "spoiled"
    assert PhoneRule().read_column(column)["number"].tolist()[1] == ONE


def test_a_phone_that_is_no_text_is_refused():
    """A number read as an integer has lost its zeros: the fix is in the message."""
    with pytest.raises(InvalidValueError, match="read the column as text") as caught:
        PhoneRule().read(13812345678)
    assert "1381" not in str(caught.value)
    with pytest.raises(ColumnTypeError, match="dtype=str"):
        PhoneRule().read_column(pd.Series([13812345678]))


@pytest.mark.parametrize("country", ["cn", "China", "", 86, None])
def test_an_unknown_country_is_refused(country):
    """A country is a code of two capital letters."""
    with pytest.raises(InvalidValueError, match="two capital letters"):
        PhoneRule(country=country)


def test_only_the_mainland_has_mainland_numbers():
    """A policy cannot ask for mainland numbers of another country."""
    with pytest.raises(InvalidValueError, match="country='CN'"):
        PhoneRule(country="HK", mainland_only=True)


def test_the_repr_masks_the_number():
    """No repr shows a phone number."""
    assert "1381234" not in repr(PhoneRule().read("13812345678"))


def test_without_the_extra_mobiles_are_still_read(monkeypatch):
    """The extra is needed for other numbers only, and the error names it."""
    phones._library.cache_clear()
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    rule = PhoneRule()
    assert rule.read("138 1234 5678").number == ONE
    assert rule.read("138****8000").problem == "masked"
    assert rule.read("12012345678").problem == "invalid"
    with pytest.raises(MissingExtraError, match=r"memberops\[phone\]") as caught:
        rule.read("010-88888888")
    assert "88888888" not in str(caught.value)
    monkeypatch.undo()
    phones._library.cache_clear()


@pytest.mark.parametrize("stored", ["str", "object"])
def test_a_column_is_read_however_it_is_stored(stored):
    """What nearly is a mainland mobile is read in a column as it is alone."""
    rule = PhoneRule(mainland_only=True)
    texts = [
        "13812345678", "13812345678\n", "\n13812345678", "+8613812345678",
        "008613812345678",
        "1381234567", "138123456789", "１３８１２３４５６７８", "١٣٨١٢٣٤٥٦٧٨",
        "12345678901",
        "13812345678\x00", "", " ", None, "13812345678 13912345678",
    ]  # fmt: skip

    read = rule.read_column(pd.Series(texts, dtype=stored, index=range(5, 20)))

    one = [rule.read(text) for text in texts]
    assert [None if pd.isna(each) else each for each in read["number"]] == [
        each.number for each in one
    ]
    assert [None if pd.isna(each) else each for each in read["problem"]] == [
        each.problem for each in one
    ]
    assert read.index.tolist() == list(range(5, 20))
