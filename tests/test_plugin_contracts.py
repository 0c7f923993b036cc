"""The checks for authors of plugins: each promise of a source can be seen broken."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from memberops.adapters import load_adapters
from memberops.adapters.sources import REJECT_COLUMNS, SourceContext, SourceResult
from memberops.domain import Currency, Finding
from memberops.errors import UnknownTableError
from memberops.tables import table as canonical_table
from memberops.testing import check_source


def members_result(**changes):
    """Return a healthy answer for members, with changes."""
    frame = pd.DataFrame(
        {
            "member_id": pd.Series(["M1", "M2"], dtype="str"),
            "name": pd.Series(["王小明", "Ann Lee"], dtype="str"),
            "gender": pd.Series(["male", "female"], dtype="str"),
            "birth_date": pd.Series(["1990-02-28", None], dtype="datetime64[us]"),
        }
    )
    reject = ("m.csv", 4, "birth_date", "bad", "no date", "不是日期", "M3,1990-13-45")
    finding = {
        "table": "members",
        "rule": "bad",
        "row": 4,
        "column": "birth_date",
        "message_en": "no date",
        "message_zh": "不是日期",
    }
    frame = frame.assign(**changes.pop("columns", {}))
    findings = changes.pop("findings", None)
    name = changes.pop("table", "members")
    frame = frame.drop(columns=changes.pop("drop", []))
    rejects = [changes.pop("reject", reject)]
    return SourceResult(
        table=name,
        frame=frame,
        rejects=pd.DataFrame(rejects, columns=list(REJECT_COLUMNS)),
        findings=[Finding(**finding | changes)] if findings is None else findings,
        rows_read=3,
    )


class Fake:
    """A source that answers what it was given."""

    def __init__(self, *answers, shows="Fake()"):
        self.answers = itertools.cycle(answers)
        self.shows = shows

    def __repr__(self):
        """Show what the test wants to be shown."""
        return self.shows

    def read(self, table):
        """Give the next answer."""
        canonical_table(table)
        return next(self.answers)


def broken_promises(source):
    """Return the promises that the check says are broken."""
    with pytest.raises(AssertionError) as caught:
        check_source(source, "members")
    return str(caught.value).splitlines()[1:]


def test_a_healthy_source_passes():
    """The check gives back what was read, and finds nothing in a good source."""
    assert check_source(Fake(members_result()), "members").accepted == 2
    with pytest.raises(UnknownTableError):
        check_source(Fake(members_result()), "membres")


TEXT = {"dtype": "str"}
BREACHES = {
    "the result says it is of the table 'sales'": {"table": "sales"},
    "the table has no column 'shoe_size'": {"columns": {"shoe_size": [1, 2]}},
    "the required column 'member_id' is absent": {"drop": ["member_id"]},
    "'member_id' must be str, not int64": {"columns": {"member_id": [1, 2]}},
    "the required column 'member_id' has gaps: reject such rows": {
        "columns": {"member_id": pd.Series(["M1", None], **TEXT)}
    },
    "'birth_date' must be datetime64 without zone, not str": {
        "columns": {"birth_date": pd.Series(["1990-02-28", None], **TEXT)}
    },
    "'joined_on' must be a day, without a time": {
        "columns": {"joined_on": pd.to_datetime(["2026-01-01 10:00", None])}
    },
    "'gender' takes only female, male, other, unknown": {
        "columns": {"gender": pd.Series(["M", "F"], **TEXT)}
    },
    "a finding of 'bad' is of the table 'sales'": {
        "findings": [Finding(table="sales", rule="bad", message_en="x", message_zh="x")]
    },
    "a finding of 'bad' lacks its text in one language": {"message_zh": " "},
    "a finding is a str, not a Finding": {"findings": ["a problem"]},
    "rows were rejected, but no finding tells of it": {"findings": []},
    "a rejected row has no 'reason_zh'": {
        "reject": ("m.csv", 4, None, "bad", "no date", "", "M3")
    },
}


@pytest.mark.parametrize("promise", BREACHES)
def test_the_check_finds_each_breach(promise):
    """Each promise that a source breaks is named, and no other."""
    source = Fake(members_result(**BREACHES[promise]))

    assert broken_promises(source) == [f"- {promise}"]


@pytest.mark.parametrize(
    "told", ["王小明 has none", "not a date: 1990-02-28", "for Ann Lee!", "1990/02/28",
             "'1990-13-45' is no date"]
)  # fmt: skip
def test_the_check_finds_a_leak(told):
    """A name or a birth date in a finding is found, of accepted and refused rows."""
    leaks = ["- a finding of 'bad' shows a personal value"]

    assert broken_promises(Fake(members_result(message_en=told))) == leaks
    assert broken_promises(Fake(members_result(message_zh=told))) == leaks


def test_the_check_finds_a_leak_in_the_repr():
    """A source that shows a member when it is printed is found."""
    source = Fake(members_result(), shows="Fake(王小明)")

    assert broken_promises(source) == [
        "- the repr of the source shows a personal value"
    ]


@pytest.mark.parametrize("told", ["Ann Leeds", "JoAnn Lee", "no date"])
def test_the_check_raises_no_false_alarm(told):
    """A word that only contains a member's name is no leak."""
    assert check_source(Fake(members_result(message_en=told)), "members")


def test_the_check_reads_twice():
    """A source that answers differently the second time is found."""
    other = members_result(columns={"member_id": pd.Series(["M1", "M9"], **TEXT)})

    assert broken_promises(Fake(members_result(), other)) == [
        "- reading twice did not give the same"
    ]


def test_the_check_demands_the_right_error():
    """A source that takes any table name for granted is found."""
    lax = SimpleNamespace(read=lambda _table: members_result())

    assert broken_promises(lax) == ["- an unknown table raised nothing"]


def test_the_check_knows_the_types_of_sales():
    """Money and quantities are whole numbers, moments are in UTC."""
    frame = pd.DataFrame(
        {
            "ticket_id": pd.Series(["T1"], **TEXT),
            "sold_on": pd.Series(["2026-10-01"], dtype="datetime64[us]"),
            "sold_at": pd.to_datetime(["2026-10-01 10:00"]).tz_localize("Asia/Tokyo"),
            "store_id": pd.Series(["S1"], **TEXT),
            "quantity": pd.Series([1.0]),
            "unit_price": pd.Series([None], dtype="Int64"),
            "amount": pd.Series([19.9]),
        }
    )
    result = SourceResult(
        table="sales",
        frame=frame,
        rejects=pd.DataFrame(columns=list(REJECT_COLUMNS)),
        findings=(),
        rows_read=1,
    )
    with pytest.raises(AssertionError) as caught:
        check_source(Fake(result), "sales")

    assert str(caught.value).splitlines()[1:] == [
        "- 'sold_at' must be datetime64 in UTC, not datetime64[us, Asia/Tokyo]",
        "- 'quantity' must be int64, not float64",
        "- 'amount' must be int64, not float64",
    ]


def test_the_built_in_csv_source_keeps_the_contract(tmp_path):
    """What memberops brings passes the check that it sets for others."""
    (tmp_path / "members.csv").write_text(
        "会员编号,姓名,手机号,出生日期\n"
        "0017,王小明,13812345678,1990-02-28\n"
        ",李雷,13912345678,1990-03-01\n"
        "0019,韩梅梅,13712345678,1990-13-45\n",
        encoding="utf-8",
    )
    context = SourceContext(
        folder=tmp_path, currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    factory = load_adapters(entry_points=False).sources["csv"].factory
    result = check_source(factory(context, members="members.csv"), "members")

    assert result.rows_read == 3
    assert result.frame["member_id"].iloc[0] == "0017"
    assert result.rejected >= 1
