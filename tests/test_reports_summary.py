"""The summary: a month in a dozen lines, in Chinese or English."""

import unicodedata

import pandas as pd
import pytest

from memberops.domain import Finding
from memberops.errors import InvalidValueError
from memberops.metrics import (
    consumption_level,
    lapse,
    measure,
    spending_power,
    store_ranking,
)
from memberops.reports import (
    consumption_level_form,
    findings_form,
    lapse_form,
    spending_power_form,
    store_ranking_form,
    summary_lines,
)
from memberops.schedules import Period
from memberops.testing import members_frame, sales_frame, stores_frame, targets_frame

SALES = sales_frame(
    [
        ("T1", "2026-10-03", "S1", "M1", 2, "4000.00"),
        ("T2", "2026-10-05", "S1", None, 1, "1000.00"),
        ("T3", "2026-10-09", "S2", "M2", 1, "500.00"),
        ("P1", "2026-09-09", "S1", "M1", 1, "2500.00"),
    ]
)
STORES = stores_frame(
    [("S1", None, "人民路店"), ("S2", None, "East\nstore"), ("S3", None, "c")]
)
TARGETS = targets_frame(
    [("S1", "2026-10", "4800"), ("S2", "2026-10", "200"), ("S3", "2026-10", "0")]
)
MEMBERS = members_frame(
    [
        {"member_id": name, "store_id": "S1", "joined_on": "2026-01-01"}
        for name in ("M1", "M2", "M3", "M4")
    ]
)


@pytest.fixture(scope="module")
def forms():
    """Forms of October 2026, worked by hand in the tests."""
    periods = [Period.month(2026, 10), Period.month(2026, 9)]
    measures = measure(
        SALES, period=periods, by=("store", "chain"), members=MEMBERS, stores=STORES
    )
    return [
        findings_form(
            [
                Finding(
                    table="sales", rule="r", message_en="e", message_zh="中", count=1200
                )
            ]
        ),
        store_ranking_form(store_ranking(measures, stores=STORES), stores=STORES),
        lapse_form(lapse(measures)),
        consumption_level_form(consumption_level(measures)),
        spending_power_form(spending_power(measures, targets=TARGETS)),
    ]


def test_the_summary_says_the_month_in_english(forms):
    """Sales 5500 against 2500 and 5000; two of four members bought."""
    zero = "YoY — (the denominator is zero)"
    assert summary_lines(forms, "en") == (
        "Membership summary    2026-10",
        f"Sales                 ¥5,500.00  {zero}  MoM +120.0%  target 110.0%",
        f"Member sales          ¥4,500.00  {zero}  MoM +80.0%  share 81.8%",
        f"Member ATV            ¥2,250.00  {zero}  MoM -10.0%",
        f"Member tickets                2  {zero}  MoM +100.0%  share 66.7%",
        "Frequency                  1.00",
        "Attach rate                1.50",
        "Consuming members             2  of 4 valid  share 50.0%",
        "Lapsed members                2  net -1  new 0  won back 1  left 0  rate -25.0%",  # noqa: E501 - a line as it is printed
        "Highest member sales  ¥4,000.00  1. S1 人民路店",
        "                        ¥500.00  2. S2 East store",
        "                          ¥0.00  3. S3 c",
        "Findings                      1  errors 1  warnings 0  infos 0",
    )


def test_the_summary_says_the_same_in_chinese(forms):
    """Every line has its counterpart, in Chinese words with the same figures."""
    lines = summary_lines(forms, "zh")
    assert lines[0] == "会员月报      2026-10"
    assert lines[1] == (
        "销售额        5,500.00 元  同比 —（分母为零）  环比 +120.0%  达成 110.0%"
    )
    assert lines[7] == "消费会员                2  有效会员 4  占比 50.0%"
    assert len(lines) == len(summary_lines(forms, "en"))


def test_columns_line_up_where_chinese_characters_are_wide(forms):
    """On a terminal the second column begins and ends at one place."""

    def width(text):
        return sum(
            2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
        )

    for language in ("zh", "en"):
        ends = set()
        for line in summary_lines(forms, language)[1:]:
            head = line.rstrip()
            parts = [part for part in head.split("  ") if part.strip()]
            amount = parts[0] if line.startswith(" ") else parts[1]
            ends.add(width(line[: line.index(amount) + len(amount)]))
        assert len(ends) == 1


def test_another_period_can_be_summed_up(forms):
    """The period before is there as well, and has its own ranking."""
    lines = summary_lines(forms, "en", period="2026-09")
    assert lines[0].split()[-1] == "2026-09"
    assert "¥2,500.00" in lines[1]
    assert any(line.endswith("1. S1 人民路店") for line in lines)


def test_the_lowest_stores_are_not_the_highest_again():
    """With five stores the lowest are the two that were not named yet."""
    frame = pd.DataFrame(
        {
            "level": "store",
            "key": list("abcde"),
            "period": "2026-10",
            "rank": [1, 2, 3, 4, 5],
            "rank_previous": pd.array([None] * 5, dtype="Int64"),
            "rank_change": pd.array([None] * 5, dtype="Int64"),
            "member_sales": [500, 400, 300, 200, 100],
            "member_sales_previous": 0,
            "sales": 1000,
            "chain_member_sales": 1500,
            "member_sales_share": 0.1,
            "share_of_chain": 0.1,
            "undefined": "",
        }
    )
    lines = summary_lines([store_ranking_form(frame)], "en")
    assert [line.split()[-1] for line in lines[1:]] == ["a", "b", "c", "d", "e"]
    assert lines[4].startswith("Lowest member sales")


def test_what_is_not_given_is_left_out():
    """No form gives no line, and another language is refused."""
    assert summary_lines([]) == ()
    with pytest.raises(InvalidValueError):
        summary_lines([], "both")
