"""Promises of the commands that answer the office's questions, on a chain by hand."""

import csv
import functools
import inspect
import io
import json
import os
import pty
import subprocess
import sys

import attrs
import pandas as pd
import pytest
from rich.cells import cell_len

from memberops import Currency, open_chain, workflows
from memberops.cli import main
from memberops.cli.printing import form_table
from memberops.reports import Form, FormColumn
from office_chain import MOMENT, NAMES, PHONES, TODAY, write_office


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The chain of `office_chain`, whose answers are worked out by hand."""
    return write_office(tmp_path_factory.mktemp("office"))


class ReadOnce:
    """A source whose tables are read once: all answers rest on the same files."""

    def __init__(self, source):
        self.read = functools.cache(source.read)


class Remembering:
    """A chain that answers the same question once, in whatever words it is printed."""

    def __init__(self, chain):
        self._chain, self._answers = chain, {}

    def __getattr__(self, name):
        """Give what the chain has; keep what its questions are answered."""
        value = getattr(self._chain, name)
        if not inspect.ismethod(value):
            return value

        def asked(*args, progress, **given):
            key = repr((name, args, sorted(given.items())))
            if key not in self._answers:
                self._answers[key] = value(*args, progress=progress, **given)
            return self._answers[key]

        return asked


SAID = {}
"""What a question on the chain was answered; asking the same again takes time."""


@pytest.fixture(scope="module")
def remembered(office):
    """The chain, opened and read once."""
    chain = open_chain(office)
    sources = {name: ReadOnce(source) for name, source in chain.sources.items()}
    return Remembering(attrs.evolve(chain, sources=sources))


@pytest.fixture
def ask(office, remembered, capsys, monkeypatch):
    """Run a command on the chain; return status, output and errors."""

    def run(name, *more, as_of=None, chain=office):
        moment = as_of or (MOMENT if name == "sla" else TODAY)
        key = (name, *more, moment, chain)
        if key not in SAID:
            with monkeypatch.context() as patch:
                if chain == office and "--out" not in more:
                    patch.setattr(workflows, "open_chain", lambda _: remembered)
                status = main([name, "--chain", str(chain), "--as-of", moment, *more])
            said = capsys.readouterr()
            SAID[key] = (status, said.out, said.err)
        return SAID[key]

    return run


def rows_of(text):
    """Read what a command wrote on a pipe."""
    return list(csv.DictReader(io.StringIO(text)))


ASKED = [
    ("expiring",),
    ("waiver",),
    ("waiver", "--member", "M4"),
    ("tiers",),
    ("tiers", "--premium"),
    ("audit",),
    ("audit", "--form", "duplicate_members"),
    ("sla",),
    ("visits",),
    ("visits", "--coverage"),
    ("appointments",),
]
LISTS = [each for each in ASKED if each[0] != "sla" and len(each) == 1]


def test_expiring_lists_who_lacks_what(ask):
    """M1 lacks 1 purchase or 230.00, M4 2 or 0.01; M2 is waived, M3 ends later."""
    status, out, err = ask("expiring")
    assert status == 0
    assert err.splitlines()[0].endswith("到期且尚未满足免年费条件的会员卡：2 张")
    rows = {row["会员编号"]: row for row in rows_of(out)}
    assert set(rows) == {"M1", "M4"}
    assert rows["M1"]["还差条件"] == "还差 1 次消费或 230.00 元（截至 2026-12-31）"
    assert (rows["M4"]["还差消费次数"], rows["M4"]["还差消费金额"]) == ("2", "0.01")
    assert rows["M1"]["回访截止日期"] == TODAY


def test_waiver_decides_every_card_that_runs(ask):
    """Three purchases waive the fee of M2; what was sold the day after is not known."""
    rows = {row["会员编号"]: row for row in rows_of(ask("waiver")[1])}
    assert {key: row["是否免年费"] for key, row in rows.items()} == {
        "M1": "否", "M2": "是", "M3": "否", "M4": "否", "M5": "否", "M6": "否"
    }  # fmt: skip
    assert rows["M2"]["理由"] == "已免年费：消费次数 3（需 3）"
    assert rows["M3"]["理由"] == "还差 2 次消费或 940.00 元（截至 2027-01-31）"
    later = {
        row["会员编号"]: row for row in rows_of(ask("waiver", as_of="2026-11-06")[1])
    }
    assert later["M3"]["是否免年费"] == "是"


def test_waiver_explains_one_member(ask):
    """The sentence in the chain's language or another, and the tickets behind it."""
    status, out, err = ask("waiver", "--member", "M1")
    assert (status, err) == (0, "")
    assert "\n还差 1 次消费或 230.00 元（截至 2026-12-31）\n" in out
    assert (
        "\n1 more purchase, or 230.00 more (until 2026-12-31)\n"
        in ask("waiver", "--member", "M1", "--language", "en")[1]
    )
    rows = rows_of(ask("waiver", "--card", "C4", "--format", "csv")[1])
    assert [(row["小票号"], row["金额"]) for row in rows] == [("T6", "999.99")]
    told = json.loads(ask("waiver", "--card", "C4", "--format", "json")[1])
    (decision,) = told["decisions"]
    assert decision["outcome"] == "open"
    assert decision["changes"] == "2027-01-01"
    assert decision["explanation"] == "还差 2 次消费或 0.01 元（截至 2026-12-31）"


def test_a_return_of_tomorrow_is_not_known_today(ask, tmp_path):
    """T6 is taken back in December: in November it still counts whole."""
    sales = ("小票号,销售日期,门店编号,会员编号,数量,金额,原小票号\n"
             "T6,2026-04-01,S2,M4,1,1000.00,\nT7,2026-12-01,S2,M4,-1,-0.01,T6\n"
             )  # fmt: skip
    chain = write_office(tmp_path / "later", tables={"sales": sales})
    assert "已免年费" in ask("waiver", "--card", "C4", chain=chain)[1]
    assert "还差" in ask("waiver", "--card", "C4", chain=chain, as_of="2026-12-02")[1]


def test_tiers_and_what_the_next_level_lacks(ask):
    """770.00 and 3 purchases are levels of the chain; M3 lacks 640.00 or 2 more."""
    rows = {row["会员编号"]: row for row in rows_of(ask("tiers")[1])}
    assert {key for key, row in rows.items() if row["会员等级"] == "贵宾"} == {
        "M1", "M2", "M4"
    }  # fmt: skip
    assert rows["M3"]["升级还需"] == "还差 640.00 元或 2 次消费"
    assert "普通会员 3 人；贵宾 3 人" in ask("tiers", "--format", "table")[1]


LEVELS = """
会员编号,现有等级,等级起始日期,保底等级,人工等级,人工等级起始日,人工等级截止日,设定原因,设定人编号
M1,regular,2026-01-01,,,,,,
M2,vip,2026-02-01,,regular,2026-11-01,2026-11-05,投诉处理,E7
M3,vip,2025-06-01,vip,,,,,
M4,vip,2026-11-06,,,,,,
M5,vip,2025-06-01,,,,,,
M6,gold,2026-01-01,,vip,2026-11-01,,,
"""


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """The chain with a table of the levels that members held."""
    folder = tmp_path_factory.mktemp("ranked")
    return write_office(folder, tables={"levels": LEVELS})


def test_levels_held_and_set_by_hand_count(ask, ranked):
    """
    M1 rises; M2 is set down through today; M3 has a floor; M5 fell at a review.

    M4 holds its level from tomorrow only, and earns it today; M6 has neither a level
    of the chain nor a reason for the one set by hand.
    """
    told = json.loads(ask("tiers", "--format", "json", chain=ranked)[1])
    rows = {
        row["member_id"]: (row["tier"], row["change"])
        for row in told["forms"][0]["rows"]
    }
    assert rows == {
        "M1": ("贵宾", "升级"), "M2": ("普通会员", "人工设定"),
        "M3": ("贵宾", "保持"), "M4": ("贵宾", "新定级"),
        "M5": ("普通会员", "降级"), "M6": ("普通会员", "原等级无法识别"),
    }  # fmt: skip
    found = {each["rule"]: each["count"] for each in told["findings"]
             if each["table"] == "levels"}  # fmt: skip
    assert (found["level-unknown"], found["manual-level-unfounded"]) == (1, 1)


def test_a_level_by_hand_ends_with_its_last_day(ask, ranked):
    """On the 6th M2 has the level of three purchases again."""
    rows = rows_of(ask("tiers", chain=ranked, as_of="2026-11-06")[1])
    assert {row["会员编号"]: row["会员等级"] for row in rows}["M2"] == "贵宾"


def test_premium_members_are_chosen_by_points(ask):
    """M1 has 2 points for spend and 1 for M4; M4 has spend alone."""
    (row,) = rows_of(ask("tiers", "--premium")[1])
    assert row["会员编号"] == "M1"
    assert (row["得分"], row["推荐人数"], row["最近消费日期"]) == (
        "3",
        "1",
        "2026-06-01",
    )


def test_audit_sends_back_what_is_incomplete(ask):
    """Of today's two profiles that of M5 lacks phone and birth date."""
    (row,) = rows_of(ask("audit")[1])
    assert (row["会员编号"], row["门店编号"]) == ("M5", "S1")
    assert row["缺项"] == "手机号、出生日期"
    table = ask("audit", "--format", "table")[1]
    assert (
        "录入会员资料 2 份；完整可归档 1 份；退回门店补录 1 份；疑似重复会员 2 人"
        in table
    )
    since = ask("audit", "--since", "2026-01-01", "--format", "table")[1]
    assert "录入会员资料 6 份；完整可归档 5 份" in since


def test_audit_names_who_may_be_there_twice(ask):
    """M6 has the phone of M1; the day before M6 is not there yet."""
    rows = rows_of(ask("audit", "--form", "duplicate_members")[1])
    assert [(row["会员编号"], row["疑似原因"]) for row in rows] == [
        ("M1", "手机号相同"), ("M6", "手机号相同")
    ]  # fmt: skip
    before = ask("audit", "--form", "duplicate_members", as_of="2026-11-04")[1]
    assert rows_of(before) == []


def test_sla_puts_what_is_late_first(ask):
    """K2 is 60 minutes late, K1 has 60 minutes left; K3 is late before 09:00."""
    status, out, err = ask("sla", "--language", "en")
    assert (status, "Traceback" in err) == (0, False)
    told = [
        (row["Case"], row["State"], row["Next action"], row["Owner"], row["Due"],
         row["Minutes left around the clock"], row["Late before tomorrow's opening"])
        for row in rows_of(out)
    ]  # fmt: skip
    assert told == [
        ("K2", "overdue", "solve the case", "A2", "2026-11-05 08:00", "-60", ""),
        ("K1", "due soon", "reply to the customer", "A1", "2026-11-05 10:00", "60",
         "reply"),
        ("K3", "running", "reply to the customer", "handler", "2026-11-06 08:00",
         "1380", "reply"),
    ]  # fmt: skip
    table = ask("sla", "--format", "table")[1]
    assert "已受理投诉 4 件；未结 3 件；已超时 1 件；即将到期 1 件" in table
    assert "明日上班前将超时：2 件" in table


def test_visits_are_planned_and_each_that_is_not_says_why(ask):
    """Callbacks of days before come today; M2 refused, M3 complains, M4 has a call."""
    status, out, err = ask("visits")
    assert (status, "Traceback" in err) == (0, False)
    told = {
        (row["会员编号"], row["原因"].partition("，")[0]): (
            row["计划状态"], row["计划回访日期"], row["原因"].rpartition("：")[2]
        )
        for row in rows_of(out)
    }  # fmt: skip
    assert told["M6", "新会员欢迎"][:2] == ("按期", "2026-11-05")
    # M5 has neither phone nor birth date: the profile is not filed yet.
    assert ("M5", "新会员欢迎") not in told
    assert told["M4", "生日祝福"][:2] == ("按期", "2026-12-30")
    for who in ("M1", "M3"):
        assert told[who, "投诉回访"][:2] == ("已顺延", "2026-11-05")
    assert told["M1", "预约提醒"] == ("排不进日程", "", "每天最多联系 1 次")
    # The notice was due on the 1st, the 5th is its last day, and M4 has a call then.
    assert told["M4", "到期提醒"] == ("排不进日程", "", "每天最多联系 1 次")
    assert ("M2", "到期提醒") not in told
    assert told["M2", "流失回访"] == ("不予回访", "", "会员已退订")
    assert told["M3", "一周关怀"] == ("不予回访", "", "有未结投诉")
    assert told["M4", "预约提醒"] == ("排不进日程", "", "每天最多联系 1 次")
    assert all(state == ("不予回访", "", "会员已退订")
               for (who, _), state in told.items() if who == "M2")  # fmt: skip
    assert (
        "按期 2；顺延 2；排不进日程 3；不予回访 8"
        in ask("visits", "--format", "table")[1]
    )


def test_planning_again_adds_nothing(ask, office, tmp_path):
    """The plan, handed back as the table of visits, leaves nothing new to plan."""
    rows = [row for row in rows_of(ask("visits")[1]) if row["计划回访日期"]]
    names = ["回访编号", "回访类型", "会员编号", "门店编号", "回访方式", "回访方",
             "最晚回访日期", "计划回访日期"]  # fmt: skip
    lines = [",".join(names), *(",".join(row[name] for name in names) for row in rows)]
    text = office.with_name("visits.csv").read_text("utf-8")
    heading, *earlier = text.splitlines()
    table = [
        heading,
        *earlier,
        *(
            line + "," * (heading.count(",") - lines[0].count(","))
            for line in lines[1:]
        ),
    ]
    assert heading.startswith(lines[0])
    chain = write_office(tmp_path / "again", tables={"visits": "\n".join(table)})
    again = rows_of(ask("visits", chain=chain)[1])
    assert len(rows) == 4
    assert [row for row in again if row["计划状态"] in ("按期", "已顺延")] == []


def test_coverage_counts_what_is_known_today(ask):
    """V1 in time, V2 late; V3 open, V4 done tomorrow; V5 is of October."""
    rows = {row["门店编号"]: row for row in rows_of(ask("visits", "--coverage")[1])}
    names = ["计划回访数", "完成数", "按时完成数", "有答复数"]
    assert [rows["S1"][name] for name in names] == ["2", "2", "1", "1"]
    assert [rows["S2"][name] for name in names] == ["2", "0", "0", "0"]
    assert rows["S2"]["按时率"] == ""
    october = ask("visits", "--coverage", "--first", "2026-10-01")[1]
    assert {row["门店编号"]: row["计划回访数"] for row in rows_of(october)}["S1"] == "3"


def test_appointments_of_tomorrow_and_free_places(ask):
    """A1 and A3 come; A2 gave its place back at noon; A4 comes the day after."""
    rows = rows_of(ask("appointments")[1])
    assert [(row["预约编号"], row["预约时间"]) for row in rows] == [
        ("A1", "2026-11-06 09:00"), ("A3", "2026-11-06 10:00")
    ]  # fmt: skip
    (free,) = rows_of(ask("appointments", "--form", "free_slots")[1])
    assert (free["门店编号"], free["名额"], free["空余"]) == ("S1", "2", "1")
    later = rows_of(ask("appointments", "--days-ahead", "2")[1])
    assert [row["预约编号"] for row in later] == ["A4"]
    before = rows_of(ask("appointments", "--days-ahead", "2", as_of="2026-11-04")[1])
    assert [row["预约编号"] for row in before] == ["A1", "A2", "A3"]


def test_appointments_tell_who_serves(ask):
    """E1 serves A1; of A3 nobody is settled yet."""
    rows = rows_of(ask("appointments")[1])
    assert [row["员工编号"] for row in rows] == ["E1", ""]


def test_appointments_are_those_known_at_a_moment(ask):
    """At 11:00 A2 still has its place: it is given back at noon."""
    rows = rows_of(ask("appointments", as_of="2026-11-05T11:00+08:00")[1])
    assert [row["预约编号"] for row in rows] == ["A1", "A2", "A3"]
    status, _, err = ask("appointments", as_of="2026-11-05T11:00")
    assert status == 2
    assert "is written as 2026-11-05T11:00+08:00" in err


def test_hard_cases_of_the_week(ask):
    """K1 is hard once its reply is late on Thursday at 10:00; K2 is since 08:00."""
    for moment, hard in ((MOMENT, ["K2"]), ("2026-11-05T10:01+08:00", ["K2", "K1"])):
        rows = rows_of(ask("sla", "--hard", as_of=moment)[1])
        assert [row["投诉编号"] for row in rows] == hard
    rows = rows_of(ask("sla", "--hard", "--store", "S1", as_of="2026-11-08")[1])
    assert [(row["投诉编号"], row["疑难原因"]) for row in rows] == [
        ("K1", "回复超时；解决超时")
    ]
    status, _, err = ask("sla", "--hard", "--case", "K1")
    assert (status, "no --case" in err) == (2, True)


def test_one_case_tells_each_of_its_clocks(ask):
    """The reply of K2 took an hour, its solution is an hour late, the callback runs."""
    status, out, _ = ask("sla", "--case", "K2")
    assert status == 0
    assert "回复：按时完成，用时 1 小时" in out
    assert "解决：已超时 1 小时" in out
    assert "回访：应于 2026-11-10 08:00+08:00 前完成" in out


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_nothing_personal_is_told_unless_asked_for(ask, asked):
    """No name, phone, statement or answer, in either language."""
    for form, language in (("table", "en"), ("json", "zh")):
        status, out, err = ask(*asked, "--format", form, "--language", language)
        assert (status, err) == (0, "")
        for secret in (*NAMES, *PHONES, "周七七", "13512345678", "坏了", "太远"):
            assert secret not in out


@pytest.mark.parametrize("asked", [("waiver",), ("audit",), ("sla",)], ids=" ".join)
def test_the_same_question_has_the_same_bytes(ask, asked, tmp_path):
    """Twice on one day: the same output, and the same files but for the workbook."""
    said, files = [], []
    for folder in (tmp_path / "a", tmp_path / "b"):
        status, out, _ = ask(*asked, "--format", "json", "--out", str(folder))
        assert status == 0
        said.append(out)
        written = sorted(folder.rglob("*.csv"))
        files.append({str(f.relative_to(folder)): f.read_bytes() for f in written})
    assert said[0] == said[1]
    assert files[0] == files[1]
    assert any("findings.csv" in name for name in files[0])
    assert any("rejects" in name for name in files[0])


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_both_languages_tell_the_same_rows(ask, asked):
    """The headings differ, the rows do not."""
    chinese = list(
        csv.reader(io.StringIO(ask(*asked, "--format", "csv", "--language", "zh")[1]))
    )
    english = list(
        csv.reader(io.StringIO(ask(*asked, "--format", "csv", "--language", "en")[1]))
    )
    assert chinese[0] != english[0]
    assert len(chinese) == len(english)
    assert [row[0] for row in chinese[1:]] == [row[0] for row in english[1:]]


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_json_holds_the_answer_whole(ask, asked):
    """Titles, sentences, forms with typed columns, and findings."""
    told = json.loads(ask(*asked, "--format", "json", "--language", "zh")[1])
    words = {"tiers --premium": "premium", "visits --coverage": "visit_coverage"}
    assert told["question"] == words.get(" ".join(asked), asked[0])
    assert told["as_of"] == TODAY
    assert told["explanation"]
    for form in told["forms"]:
        names = [column["name"] for column in form["columns"]]
        assert all(list(row) == names for row in form["rows"])
    assert all({"severity", "rule", "message"} <= set(one) for one in told["findings"])


@pytest.mark.parametrize("asked", LISTS, ids=" ".join)
def test_a_store_gets_its_own_rows(ask, asked):
    """--store leaves the rows of one store; an unknown store is wrong use."""
    told = ask(*asked, "--format", "json", "--language", "zh")[1]
    both = json.loads(told)["forms"][0]["rows"]
    own = json.loads(ask(*asked, "--store", "S1", "--format", "json")[1])
    assert own["forms"][0]["rows"] == [row for row in both if row["store_id"] == "S1"]
    assert len(own["forms"][0]["rows"]) > 0
    other = json.loads(ask(*asked, "--store", "S2", "--format", "json")[1])
    assert len(other["forms"][0]["rows"]) + len(own["forms"][0]["rows"]) == len(both)
    status, out, err = ask(*asked, "--store", "S9")
    assert (status, out) == (2, "")
    assert "no store is called 'S9'" in err


def test_the_cases_of_a_store(ask):
    """K2 and K3 are of S2."""
    told = json.loads(ask("sla", "--store", "S2", "--format", "json")[1])
    assert [row["case_id"] for row in told["forms"][0]["rows"]] == ["K2", "K3"]
    assert told["explanation"][0].startswith("已受理投诉 2 件")


WRONG = [
    (("sla",), "2026-11-05T09:00", "is written as 2026-11-05T09:00+08:00"),
    (("sla",), TODAY, "is written as 2026-11-05T00:00+08:00"),
    (("sla",), "5.11.", "written as 2026-11-05T09:00+08:00, not '5.11.'"),
    (("sla", "--case", "K9"), MOMENT, "no case is called 'K9'"),
    (("waiver", "--member", "M9"), TODAY, "no card is on file of the member 'M9'"),
    (("waiver", "--card", "13812345678" * 500), TODAY, "no card is on file"),
    (("waiver", "--member", "M1", "--card", "C1"), TODAY, "not both"),
    (("visits", "--through", "2026-11-01"), TODAY, "not from 2026-11-05 through"),
    (("visits", "--first", "x"), TODAY, "--first takes a day"),
    (("visits", "--coverage", "--through", TODAY), TODAY, "no --through"),
    (("appointments", "--days-ahead", "x"), TODAY, "x"),
    (("audit", "--since", "5.11."), TODAY, "--since takes a day"),
    (("audit", "--since", "2026-12-01"), TODAY, "2026-12-01"),
    (("expiring",), "2026-11", "written as 2026-10-05, not '2026-11'"),
    (("expiring", "--reveal", "email"), TODAY, "known are: 'name', 'phone'"),
    (("expiring", "--from", "x"), TODAY, "--from"),
    (("expiring", "--form", "expiring_cards"), TODAY, "no form 'expiring_cards'"),
    (("expiring", "--format", "xml"), TODAY, "xml"),
    (("expiring", "--store", "S" * 5000), TODAY, "no store is called"),
]


@pytest.mark.parametrize(("asked", "as_of", "told"), WRONG)
def test_wrong_use_is_one_bounded_line_and_status_2(ask, asked, as_of, told):
    """Nothing on standard output; what was wrong and how to write it on the other."""
    status, out, err = ask(*asked, as_of=as_of)
    assert (status, out) == (2, "")
    assert told in err
    assert err.startswith("错误 error: ")
    assert err.count("\n") == 1
    assert len(err) < 1000


@pytest.mark.parametrize(
    ("name", "table", "chinese"),
    [
        ("expiring", "cards", "会员卡"),
        ("waiver", "cards", "会员卡"),
        ("tiers", "members", "会员档案"),
        ("audit", "members", "会员档案"),
        ("sla", "complaints", "顾客投诉"),
        ("visits", "members", "会员档案"),
        ("appointments", "appointments", "预约"),
    ],
)
def test_a_question_without_its_source_names_the_table(
    ask, tmp_path, name, table, chinese
):
    """It says which section of the chain file is missing, in both languages."""
    chain = write_office(tmp_path / "part", without=(table,))
    status, out, err = ask(name, chain=chain)
    assert (status, out) == (2, "")
    assert f"{name!r} needs a source of {table}" in err
    assert f"add [sources.{table}]" in err
    assert chinese in err


def test_a_question_reads_the_tables_that_it_takes(ask, office, tmp_path):
    """A file of sales that cannot be read does not stop the service desk."""
    chain = write_office(tmp_path / "part")
    (chain.parent / "sales.csv").unlink()
    assert ask("sla", chain=chain)[0] == 0
    status, _, err = ask("expiring", chain=chain)
    assert status == 2
    assert "sources.sales" in err


def test_phones_are_shown_if_asked_for_by_name(ask, tmp_path):
    """--reveal phone shows that column, and files are then the owner's alone."""
    status, out, _ = ask("expiring", "--reveal", "phone", "--out", str(tmp_path),
                         "--format", "csv")  # fmt: skip
    assert status == 0
    assert [row["手机号"] for row in rows_of(out)] == [PHONES[0], PHONES[3]]
    assert all(row["姓名"] == "*****" for row in rows_of(out))
    file = tmp_path / f"expiring-{TODAY}" / "expiring_members.csv"
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / f"expiring-{TODAY}.xlsx").stat().st_mode & 0o077 == 0


def test_findings_fail_the_command_if_asked_to(ask, tmp_path):
    """A row that cannot be read is a failure only where --fail-on says so."""
    chain = write_office(
        tmp_path / "dirty",
        tables={"cards": "会员卡号,会员编号,有效期起,有效期止\nC1,M1,,2026-12-31\n"},
    )
    assert ask("expiring", chain=chain)[0] == 0
    assert ask("expiring", "--fail-on", "error", chain=chain)[0] == 1


def test_a_chain_without_levels_is_told_what_to_add(ask, office, tmp_path):
    """The manuals name no thresholds, so that a chain must."""
    chain = write_office(tmp_path / "plain")
    text = chain.read_text("utf-8")
    first, last = text.index("[policies.tiers]"), text.index("[policies.premium]")
    chain.write_text(text[:first] + text[last:], encoding="utf-8")
    status, out, err = ask("tiers", chain=chain)
    assert (status, out) == (2, "")
    assert "add [[policies.tiers.levels]]" in err
    assert ask("tiers", "--premium", chain=chain)[0] == 0


def process(*arguments, **options):
    """Run the command as a process of its own."""
    code = "import sys; from memberops.cli import main; sys.exit(main())"
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, *arguments], check=False, **options
    )


def test_a_pipe_gets_csv_without_marks(office):
    """UTF-8 without a byte-order mark, line feeds; the words stand on the other."""
    done = process("sla", "--chain", str(office), "--as-of", MOMENT,
                   capture_output=True)  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.decode().startswith("已受理投诉 4 件；未结 3 件")
    assert done.stdout.startswith("投诉编号,".encode())
    assert b"\r" not in done.stdout
    assert done.stdout.count(b"\n") == 1 + 3


def test_a_terminal_gets_a_table_that_lines_up(office):
    """Chinese characters fill two cells; the columns stand below each other."""
    reader, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "300"}
    done = process("sla", "--chain", str(office), "--as-of", MOMENT, "--no-progress",
                   stdout=terminal, stderr=subprocess.PIPE,
                   env=environment)  # fmt: skip
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(reader, 4096):
            shown += piece
    except OSError:  # Linux says so when the other end is closed.
        pass
    os.close(reader)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = shown.decode().replace("\r\n", "\n").split("\n")
    (heading,) = [line for line in lines if line.startswith("投诉编号")]
    (late,) = [line for line in lines if line.startswith("K2")]
    at = cell_len(heading.partition("负责人")[0])
    assert cell_len(late.partition("A2")[0]) == at


def made(columns, rows):
    """Make a form of text columns with the same text in each cell."""
    names = [f"c{number}" for number in range(columns)]
    return Form(
        name="wide",
        title_en="Wide",
        title_zh="宽表",
        columns=[FormColumn(name=name, heading_en=name, heading_zh="栏目", style="text")
                 for name in names],
        frame=pd.DataFrame({name: ["说明文字"] * rows for name in names}),
        currency=Currency("CNY"),
    )  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 120, 300])
@pytest.mark.parametrize("columns", [1, 6, 12, 30])
def test_no_line_is_wider_than_the_terminal(width, columns):
    """A table while it fits, a block a row where it does not; every cell is there."""
    lines = form_table(made(columns, 3), "zh", width=width)
    assert all(cell_len(line) <= width for line in lines)
    assert sum(line.count("说明文字") for line in lines) == 3 * columns
    assert ("--- 1 ---" in lines) is (10 * columns - 2 > width)


def test_a_long_list_ends_with_how_many_more():
    """50 rows are shown, and the way to the others."""
    lines = form_table(made(1, 53), "en", width=80)
    assert sum("说明文字" in line for line in lines) == 50
    assert lines[-1] == "... and 3 more rows: --format csv or --out has them all"
    assert form_table(made(1, 0), "zh", width=80) == ["（无）"]
