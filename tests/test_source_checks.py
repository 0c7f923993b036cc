"""The checks for sources: an honest one passes, and each breach is told as it is."""

import datetime as dt
import itertools
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest

from changing_world import Server, ServerSource
from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.csv_source import CsvSource
from memberops.domain import Currency
from memberops.errors import InvalidValueError
from memberops.testing import (
    check_changing_source,
    check_member_source,
    check_sales_source,
    members_frame,
    sales_frame,
)
from memberops.workflows import FrameSource

DAY = dt.date(2026, 11, 5)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def check(broken="", table="members", **world):
    """Take a server's source through the check."""
    server = Server(**world)
    check_changing_source(lambda: ServerSource(server, broken), server, table=table)
    return server


def breach(broken, table="members", **world):
    """What the check says of a broken source, without the line of the step."""
    with pytest.raises(AssertionError) as caught:
        check(broken, table, **world)
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "deletes"),
    [
        *itertools.product(["members", "sales"], [True, False]),
        # By day such tables of Odoo, ERPNext and Square go through the check.
        *(
            pytest.param(table, deletes, marks=pytest.mark.nightly)
            for table, deletes in [
                ("consents", True),
                ("complaints", False),
                ("gift_movements", True),
            ]
        ),
    ],
)
def test_an_honest_source_passes(table, deletes):
    """With every fault, in a system that deletes and in one that does not."""
    server = check(table=table, deletes=deletes)
    assert len(server.records[table]) > 20
    assert server.epoch == 1
    assert server.twisted == {"repeated-page", "late-page"}


def test_a_world_without_faults_is_enough_to_begin_with():
    """A real server cannot be told to repeat a page; the other steps are walked."""
    assert check(faults=()).epoch == 0


BREACHES = [
    ("edge", "members", "the first reading", "records are lost: "),
    ("no-overlap", "sales", "new records just after a reading", "are lost"),
    ("ahead", "members", "new records just after a reading", "are lost"),
    ("doubles", "sales", "a page that came twice", "are doubled"),
    ("doubles", "members", "a page that came twice", "come twice in one reading"),
    ("undead", "members", "a deleted record", "are there, though deleted"),
    ("float", "sales", "the first reading", "have old or wrong values"),
    ("leak", "members", "the first reading", "shows a personal value"),
    ("cursor-leak", "members", "the first reading", "cursor holds a personal value"),
    (
        "cursor-raises",
        "sales",
        "a cursor that is gone",
        "changes() raised RuntimeError",
    ),
    ("no-overlap", "consents", "new records just after a reading", "are lost"),
    ("edge", "complaints", "the first reading", "records are lost: "),
    ("cursor-empty", "sales", "a cursor that is gone", "by a whole reading"),
]


@pytest.mark.parametrize(("broken", "table", "step", "told"), BREACHES)
def test_each_breach_is_told_with_its_step(broken, table, step, told):
    """What is lost, doubled or leaked is said in words, where it happened."""
    said = breach(broken, table)
    assert "broke a promise" in said
    assert said.splitlines()[0].startswith(step)
    assert told in said
    assert "1380000" not in said
    assert "会员0" not in said


def test_a_source_that_breaks_the_protocol_is_told():
    """What is no SourceChanges, or no whole reading, is said so."""

    class Odd(ServerSource):
        def changes(self, table, *, since):
            return super().changes(table, since=since).result

    server = Server()
    with pytest.raises(AssertionError, match="gave a SourceResult, not SourceChanges"):
        check_changing_source(lambda: Odd(server), server)
    with pytest.raises(InvalidValueError, match="members"):
        check_changing_source(lambda: Odd(server), server, table="stores")
    with pytest.raises(InvalidValueError, match="have no key"):
        check_changing_source(
            lambda: Odd(server), server, table="counts", made=lambda _, _n: [{}]
        )


def test_a_plugins_own_records_are_written():
    """With the values that its system can keep, of any table with a key."""
    server = Server()
    asked = set()

    def made(number, lines):
        asked.add(lines)
        on = DAY - dt.timedelta(days=number)
        return [{"channel": "sms", "given": ("yes", "no")[number % 2], "on": on}]

    source = ServerSource(server)
    check_changing_source(lambda: source, server, table="consents", made=made)
    written = server.records["consents"].values()
    assert {row["channel"] for each in written for row in each["lines"]} == {"sms"}
    assert asked == {1, 2, 3}


@pytest.mark.nightly
def test_a_source_that_is_read_whole_has_no_cursor_to_lose():
    """What always gives all of it need not tell that a cursor was not known."""

    class Whole(ServerSource):
        def changes(self, table, *, since):
            found = super().changes(table, since=None)
            return attrs.evolve(found, cursor="")

    server = Server()
    check_changing_source(lambda: Whole(server), server, table="consents")
    assert len(server.records["consents"]) > 20


MEMBERS = (
    "会员号,姓名,手机,生日\n"
    "M1,王小明,13800138000,1990-02-28\nM2,李雷,,someday\n,无名,1,\n"
)
SALES = (
    "小票号,销售时间,门店,会员号,数量,金额\n"
    "T1,2026-11-05 00:30,S1,M1,2,39.80\nT1,2026-11-05 00:30,S1,M1,-1,-19.90\n"
    "T2,2026-11-05 09:00,S1,,1,5\nT3,someday,S1,,1,5\n"
)


def csv_source():
    """The CSV source of two small exports."""
    Path("members.csv").write_text(MEMBERS, encoding="utf-8")
    Path("sales.csv").write_text(SALES, encoding="utf-8")
    context = SourceContext(folder=Path(), currency=Currency("CNY"), zone=SHANGHAI)
    return CsvSource(context, members="members.csv", sales="sales.csv")


def test_the_csv_source_passes():
    """What stands in the files is what comes out, line by line."""
    members = {
        "M1": {"name": "王小明", "phone": "13800138000",
               "birth_date": dt.date(1990, 2, 28)},
        "M2": {"name": "李雷", "phone": None, "birth_date": None},
    }  # fmt: skip
    assert check_member_source(csv_source(), expected=members).rejected == 1
    tickets = {"T1": [(-1, -1990), (2, 3980)], "T2": [(1, 500)]}
    result = check_sales_source(csv_source(), expected=tickets, zone=SHANGHAI)
    assert result.rejected == 1


def told(check_it, frame, **known):
    """What a check says of a frame as a source."""

    class Raw:
        def read(self, table):
            result = FrameSource(members_frame([]) if table == "members" else
                                 sales_frame([])).read(table)  # fmt: skip
            return type(result)(
                table=table, frame=frame, rejects=result.rejects, findings=(),
                rows_read=len(frame),
            )  # fmt: skip

    with pytest.raises(AssertionError) as caught:
        check_it(Raw(), **known)
    return str(caught.value)


def test_breaches_of_members_are_told_without_a_person():
    """Lost, invented, doubled, rounded and other members are counted."""
    frame = members_frame(
        [
            {"member_id": "M1", "name": "王小明", "phone": "13800138000.0"},
            {"member_id": " M2 ", "name": "李雷"},
            {"member_id": "M1", "name": "王小明"},
        ]
    )
    frame["member_id"] = pd.Series(["M1", " M2 ", "M1"], dtype="str")
    expected = {"M1": {"name": "王大明"}, "M3": {}}
    said = told(check_member_source, frame, expected=expected)
    for promise in (
        "1 values of 'member_id' are empty or have blanks around them",
        "1 members come twice",
        "1 phones are numbers that a program wrote",
        "1 members of the export are lost: 'M3'",
        "1 members are not in the export: ' M2 '",
        "'name' of 1 members is not what the export holds",
    ):
        assert promise in said
    assert "王" not in said
    assert "1380013" not in said


def test_breaches_of_sales_are_told():
    """Signs, days, nobody's id, and lines that are lost."""
    frame = sales_frame(
        [
            ("T1", "2026-11-05", "S1", "null", -1, "5.00"),
            ("T2", "2026-11-05", "S1", "M1", 1, "-5.00"),
            ("1.0", "2026-11-05", "S1", "M1", 1, "5.00"),
        ]
    )
    frame["sold_at"] = pd.to_datetime(["2026-11-05T17:00Z"] * 3)
    expected = {"T1": [(-1, -500)], "T2": [(1, -500)], "T4": [(1, 1)]}
    said = told(check_sales_source, frame, expected=expected, zone=SHANGHAI)
    for promise in (
        "1 lines give goods back and have a positive amount",
        "1 lines sell goods and have a negative amount",
        "the day of 3 lines is not that of their moment in Asia/Shanghai",
        "1 values of 'member_id' stand for nothing",
        "1 values of 'ticket_id' are numbers that a program wrote",
        "1 tickets of the export are lost: 'T4'",
        "1 tickets are not in the export: '1.0'",
        "the lines of 1 tickets are not those of the export: 'T1'",
    ):
        assert promise in said
