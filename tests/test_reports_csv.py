"""CSV files: exact, the same bytes each time, and safe to open in a spreadsheet."""

import csv
import unicodedata
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memberops.domain import Currency
from memberops.errors import InvalidValueError
from memberops.reports import Form, FormColumn, guard_text, unguard_text, write_csv

PAYLOADS = [
    "=1+1", "=cmd|'/C calc'!A0", '=HYPERLINK("http://x","y")', "+1+1", "+8613812345678",
    "-1+1", "-", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "\r\n=1+1", " =1+1",
    "\u3000=1+1", "\xa0=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)", "﹣1", "﹢1", "'=1+1",
    "''=1+1", '"=1+1', '"\t=1+1', "\x00=1+1", "\x0b=1+1", "\u200b=1+1", "\ufeff=1+1",
    "\u202e=1+1", "\u00ad=1+1", "a;=1+1", "a\t=1+1", "a\n=1+1", "a\n@x", "a;'=1",
    "a; =1+1", "a;＝1", "a\n\n-1", "=", "= 1",
]  # fmt: skip
PLAIN = ["", "人民路店", "S01", "0001", "a=b", "a-b", "1,299.00", "x@y.cn", "(5)",
         "'a'", "a, -b", "没有；-1"]  # fmt: skip


def column(name, style="text", **options):
    """Make a column that is called the same in both languages."""
    return FormColumn(
        name=name, heading_en=name, heading_zh=name, style=style, **options
    )


def small(frame, *columns, currency=None):
    """Make a small form."""
    return Form(
        name="small",
        title_en="Small",
        title_zh="小表",
        columns=columns,
        frame=frame,
        currency=currency or Currency("CNY"),
    )


def rows_of(path):
    """Read a CSV file as any program would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def written(form, folder, **options):
    """Write a form and read it again, without its headings."""
    return rows_of(write_csv(form, folder / "x.csv", **options))[1:]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_can_run_in_a_spreadsheet(tmp_path, payload):
    """The first thing a spreadsheet sees of a hostile text is a quote."""
    frame = pd.DataFrame({"before": ["a"], "note": [payload]})
    ((_, cell),) = written(small(frame, column("before"), column("note")), tmp_path)
    for separator in (";", "\t", "\n"):
        for part in cell.split(separator):
            seen = "".join(
                char
                for char in unicodedata.normalize("NFKC", part)
                if unicodedata.category(char)[0] not in "CZ"
            ).lstrip('"')
            assert not seen.startswith(("=", "+", "-", "@")), cell
    assert cell != payload


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_text_is_left_alone(text):
    """A guard that touched names and amounts would be switched off."""
    assert guard_text(text) == text


def test_headings_are_guarded_too(tmp_path):
    """A heading may come from a policy, such as a band's."""
    form = small(pd.DataFrame({"=1+1": ["a"]}), column("=1+1"))
    assert rows_of(write_csv(form, tmp_path / "x.csv"))[0] == ["'=1+1"]


@given(st.text(st.sampled_from("=+-@'\"; \t\n＝a,店\u200b"), max_size=12) | st.text())
@example("'=1")
@example("''=1")
@example(";'")
def test_the_guard_can_be_undone(text):
    """Whatever the text, a reader that knows the guard gets it back."""
    assert unguard_text(guard_text(text)) == text


@given(
    digits=st.integers(0, 6),
    amounts=st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=20),
)
def test_money_is_exact_decimal_text_up_to_64_bits(tmp_path_factory, digits, amounts):
    """No amount passes through a float, and none is guarded or rounded."""
    currency = Currency("XTS", digits=digits)
    form = small(
        pd.DataFrame({"pay": amounts}), column("pay", "money"), currency=currency
    )
    for amount, (cell,) in zip(
        amounts, written(form, tmp_path_factory.mktemp("csv")), strict=True
    ):
        assert currency.to_minor(Decimal(cell)) == amount
        assert len(cell.partition(".")[2]) == digits


def test_numbers_days_and_gaps_are_written_plainly(tmp_path):
    """Shares are plain ratios with six digits; what is missing is empty."""
    frame = pd.DataFrame(
        {
            "n": pd.array([-1200, None], dtype="Int64"),
            "share": [500_000 / 480_000, float("nan")],
            "rate": [-0.0000004, 1.25],
            "pay": [40_000 / 3, 12.5],
            "day": pd.to_datetime(["2026-11-05", None]),
            "note": [None, "a"],
        }
    )
    form = small(
        frame,
        column("n", "integer"),
        column("share", "percent"),
        column("rate", "number"),
        column("pay", "money"),
        column("day", "date"),
        column("note"),
    )
    assert written(form, tmp_path) == [
        ["-1200", "1.041667", "0.000000", "133.33", "2026-11-05", ""],
        ["", "", "1.250000", "0.13", "", "a"],
    ]


def test_the_file_is_utf8_with_a_mark_and_the_same_each_time(tmp_path):
    """Spreadsheets know Chinese by the mark, and version control sees no noise."""
    form = small(pd.DataFrame({"note": ["人民路店", "a\r\nb\x00"]}), column("note"))
    first = write_csv(form, tmp_path / "a.csv").read_bytes()
    assert first == write_csv(form, tmp_path / "b.csv").read_bytes()
    assert first == b"\xef\xbb\xbf" + 'note\r\n人民路店\r\n"a\nb"\r\n'.encode()


def test_headings_and_words_follow_the_language(tmp_path):
    """Chinese, English, or both in one heading, Chinese first."""
    level = FormColumn(
        name="level",
        heading_en="Level",
        heading_zh="层级",
        style="text",
        words=(("chain", "Chain", "连锁"),),
    )
    english = FormColumn(
        name="why", heading_en="Why", heading_zh="原因", style="text", language="en"
    )
    form = small(pd.DataFrame({"level": ["chain"], "why": ["so"]}), level, english)
    read = {
        language: rows_of(write_csv(form, tmp_path / "x.csv", language=language))
        for language in ("zh", "en", "both")
    }
    assert read == {
        "zh": [["层级"], ["连锁"]],
        "en": [["Level", "Why"], ["Chain", "so"]],
        "both": [["层级 Level", "原因 Why"], ["连锁 Chain", "so"]],
    }
    with pytest.raises(InvalidValueError, match="both"):
        write_csv(form, tmp_path / "y.csv", language="fr")
    assert not (tmp_path / "y.csv").exists()


def test_masked_values_stay_masked(tmp_path):
    """A phone number that was not revealed is not in the file."""
    frame = pd.DataFrame({"phone": ["13812345678"]})
    form = small(frame, column("phone", personal=True, mask="tail"))
    assert written(form, tmp_path) == [["*******5678"]]
