"""Plain ids, words and numbers are read at once, exactly as they are one by one."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from counts import examples
from memberops.adapters.sources.plain_values import plain_numbers, plain_words
from memberops.adapters.sources.values import (
    Unreadable,
    read_amount,
    read_id,
    read_integer,
    read_text,
)
from memberops.domain import Currency

_WORDS = st.one_of(
    st.text(
        st.sampled_from("aZ09-_#.|+E \"'\t\n\r\x00\x85\u2028\u200b\ufeff王Ａ１　é"),
        max_size=8,
    ),
    st.text(max_size=6),
    st.sampled_from(
        ["T000123", "1E+5", "1.23457e+10", "王小明", "e\u0301", "\u0301e", "\u1161",
         "\u1100", "ﬁ", "x" * 200, "x" * 201, "\ud800", "\U000f0000"]
    ),
)  # fmt: skip
_NUMBERS = st.one_of(
    st.text(st.sampled_from("0123456789.-+, \n１元(）eE"), max_size=7),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(["", "-", ".", "5.", ".5", "-.5", "--5", "5-", "1.2.3", "1,299.00",
                     "-0", "-0.00", "0" * 18, "9" * 18, "9" * 19, "-" + "9" * 18,
                     "\n", "1\n2", "𝟏", "\ud800"]),
)  # fmt: skip


@examples(2)
@given(st.lists(_WORDS, max_size=40))
@example(["\u1100", "\u1161"])
@example(["a", "\u0301", "a\u0301"])
@example([*(f"T{n}" for n in range(300)), " T", *(f"T{n}" for n in range(300))])
def test_a_plain_word_is_read_as_it_is(texts):
    """What is told to be plain is given back as it is by the readers of one."""
    plain = plain_words(texts)
    for text, own in zip(texts, plain, strict=True):
        if own:
            assert read_id(text) == text
            assert read_text(text) == text


def test_one_odd_word_costs_few_others_their_speed():
    """Of many plain texts with an odd one among them, only that one is not plain."""
    texts = [f"S{n:05}" for n in range(10_000)]
    texts[7_777] = " S1"
    assert np.flatnonzero(~plain_words(texts)).tolist() == [7_777]


@examples(2)
@given(st.lists(_NUMBERS, max_size=12), st.sampled_from(["CNY", "JPY", "BHD"]))
def test_a_plain_number_is_read_as_one_by_one(texts, code):
    """What is told to be plain has the value that the readers of one give it."""
    currency = Currency(code)
    values, plain = plain_numbers(texts, currency.digits)
    whole, integers = plain_numbers(texts, 0)
    for at, text in enumerate(texts):
        assert values[at] == (read_amount(text, currency) if plain[at] else 0)
        assert whole[at] == (read_integer(text) if integers[at] else 0)


def test_what_most_cells_are_is_plain():
    """Ids and amounts of a clean file need no careful reader."""
    assert plain_words(["T0001", "王小明", "Li Lei", "#1"]).all()
    numbers = ["0.01", "-12.50", "7", "007.1", "9" * 16]
    values, plain = plain_numbers(numbers, 2)
    assert plain.all()
    assert values.tolist() == [1, -1250, 700, 710, int("9" * 16) * 100]
    assert not any(isinstance(value, Unreadable) for value in values.tolist())
