"""Promises of the office's own forms in the month-end pack, on a chain by hand."""

import datetime as dt
from collections import Counter

import pytest

import memberops as mo
from memberops import metrics
from office_chain import NAMES, PHONES, TABLES, write_office

SURVEYS = """
回答编号,题目,评分,门店编号,回答日期
Q1,service,5,S1,2026-11-03
Q2,service,2,S1,2026-11-04
Q3,service,5,S2,2026-11-05
Q4,service,1,S2,2026-10-31
"""
OFFICE_FORMS = (
    "premium_members", "complaint_case", "hard_cases", "visit_plan", "visit_record",
    "audit_sample", "visit_coverage", "service_report", "satisfaction",
)  # fmt: skip

OWN_RULES = """
[policies.fee_waiver]
free_years = 2
[[policies.fee_waiver.exclusions]]
column = "item_id"
values = ["G1"]

[policies.working_calendar.stores.S2]
around_the_clock = true
[policies.service_levels]
calendar = "working_calendar"
reply_hours = 9
[policies.hard_cases]
overdue_hours = 640
"""
# G1 is a gift card: M1 bought one of three, M2 two of three; M4 joined this year.
GIFTS = """
小票号,销售日期,门店编号,会员编号,商品编号,数量,金额,原小票号
T1,2026-03-01,S1,M1,P1,1,400.00,
T2,2026-06-01,S1,M1,P1,1,100.00,
T3,2026-08-10,S1,M1,G1,1,900.00,
T4,2026-05-10,S1,M2,P1,1,100.00,
T5,2026-08-10,S1,M2,G1,1,600.00,
T6,2026-08-11,S1,M2,G1,1,600.00,
T7,2026-11-04,S2,M3,P1,1,60.00,
"""
CARDS = """
会员卡号,会员编号,有效期起,有效期止,首次生效日期
C1,M1,2026-01-01,2026-12-31,2025-01-01
C2,M2,2026-01-01,2026-12-31,2025-01-01
C4,M4,2026-01-01,2026-12-31,2026-01-01
"""
CALENDAR_YEAR = """
[policies.fee_waiver]
year = "calendar"
"""
BOOKINGS = """
预约编号,会员编号,门店编号,服务项目,预约时间,结束时间,时段容量,预约状态,登记时间
A1,M1,S1,skin,2026-11-06 09:00,2026-11-06 08:00,2,booked,2026-11-01 10:00
"""


@pytest.fixture(scope="module")
def own_rules(tmp_path_factory):
    """The chain with rules of its own, and tables that not everything fits."""
    folder = tmp_path_factory.mktemp("own")
    events = TABLES["case_events"] + "K9,replied,2026-11-03 09:00,\n"
    levels = "会员编号,现有等级\nM1,gold\n"
    tables = {"sales": GIFTS, "cards": CARDS, "case_events": events,
              "appointments": BOOKINGS, "levels": levels}  # fmt: skip
    chain = mo.open_chain(write_office(folder, tables=tables, more=OWN_RULES))
    return chain, chain.read()


@pytest.fixture(scope="module")
def own_month(own_rules):
    """The month end of November under the rules of its own."""
    chain, tables = own_rules
    return chain.month_end("2026-11", tables=tables)


@pytest.fixture(scope="module")
def november(tmp_path_factory):
    """The month end of November of `office_chain`, with four answers to a survey."""
    folder = tmp_path_factory.mktemp("office")
    chain = mo.open_chain(write_office(folder, tables={"surveys": SURVEYS}))
    return chain.month_end("2026-11")


def test_the_office_forms_join_the_pack(november):
    """They stand between the analyses and the page of findings."""
    assert november.names[7:-2] == OFFICE_FORMS
    assert november.names[-2:] == ("findings", "working")
    assert "form-absent" not in {finding.rule for finding in november.findings}


def test_what_several_forms_need_is_counted_once(tmp_path, monkeypatch):
    """A month's sales are reduced to tickets once for levels, waivers and visits."""
    write_office(tmp_path, without=("complaints", "case_events", "appointments"))
    chain, asked = mo.open_chain(tmp_path / "chain.toml"), []
    count = metrics.tickets

    def tickets(*lines, **span):
        asked.append(span.get("known_through"))
        return count(*lines, **span)

    monkeypatch.setattr(metrics, "tickets", tickets)
    chain.month_end("2026-11")
    month, asked[:] = list(asked), []
    chain.month_end("2026-11", as_of=dt.date(2026, 11, 5))

    assert month.count(dt.date(2026, 11, 30)) == 1
    assert asked.count(dt.date(2026, 11, 5)) == asked.count(dt.date(2026, 11, 30)) == 1


def test_premium_members_are_those_of_the_month_end(november):
    """M1 has 3 points as before; M3 has 2060.00, 2 purchases and 3 points, too."""
    rows = november.frame("premium_members")
    assert rows[["store_id", "member_id", "points"]].to_numpy().tolist() == [
        ["S1", "M1", 3], ["S2", "M3", 3]
    ]  # fmt: skip


def test_complaints_of_the_month_and_older_open_ones(november):
    """K1 to K3 came in November; K4 was closed in October and is not there."""
    rows = november.frame("complaint_case")
    assert rows["case_id"].tolist() == ["K1", "K2", "K3"]
    assert set(november.frame("hard_cases")["case_id"]) == {"K1", "K2", "K3"}
    oldest = november.frame("hard_cases").iloc[0]
    # From 3 November 08:00 to the end of the 30th: 27 days and 16 hours, less a tick.
    assert (oldest["case_id"], oldest["age_hours"]) == ("K2", 27 * 24 + 16 - 1)


def test_an_older_case_that_is_open_is_listed(tmp_path):
    """K4 without its last three events waits since October."""
    events = "投诉编号,处理动作,处理时间,是否满意\nK4,replied,2026-10-20 10:00,\n"
    absent = set(TABLES) - {"sales", "stores", "complaints", "case_events"}
    chain = mo.open_chain(
        write_office(tmp_path, without=absent, tables={"case_events": events})
    )
    rows = chain.month_end("2026-11").frame("complaint_case")
    assert rows["case_id"].tolist() == ["K1", "K2", "K3", "K4"]


def test_visits_of_the_month(november):
    """V1 to V4 in the record; at the end of the month V4 was done in time, V3 never."""
    record = november.frame("visit_record")
    assert record["visit_id"].tolist() == ["V1", "V2", "V3", "V4"]
    rows = november.frame("visit_coverage").set_index("store_id")
    figures = ["planned", "done", "on_time", "answered"]
    assert rows.loc["S1", figures].tolist() == [2, 2, 1, 1]
    assert rows.loc["S2", figures].tolist() == [2, 1, 1, 1]


def test_the_plan_is_that_of_next_month(november):
    """The birthday of M4 on 30 December is planned; every day is of December."""
    plan = november.frame("visit_plan")
    days = plan["day"].dropna()
    assert [str(day.date()) for day in days] == ["2026-12-30"]
    assert plan.loc[days.index, "member_id"].tolist() == ["M4"]


def test_the_sample_names_its_seed(november, tmp_path):
    """Three after-sale visits of S1 give one, drawn by the month."""
    rows = "".join(
        f"A{number},after_sale,M2,S1,phone,store,2026-11-09,2026-11-09,done,"
        "2026-11-09,yes,\n"
        for number in range(3)
    )
    heading = ("回访编号,回访类型,会员编号,门店编号,回访方式,回访方,最晚回访日期,"
               "计划回访日期,回访结果,回访日期,是否答复,回访内容\n")  # fmt: skip
    chain = mo.open_chain(
        write_office(
            tmp_path,
            without=set(TABLES) - {"sales", "stores", "visits"},
            tables={"visits": heading + rows},
        )
    )
    form = chain.month_end("2026-11")["audit_sample"]
    assert len(form.frame) == 1
    assert form.frame["source_id"].item() in {"A0", "A1", "A2"}
    assert "抽样种子：2026-11。" in form.notes_zh
    assert len(november.frame("audit_sample")) == 0


def test_satisfaction_is_that_of_the_month(november):
    """Of two answers of S1 one is satisfied, of S2 the one of November."""
    rows = november.frame("satisfaction").set_index("store_id")
    assert rows["satisfaction_rate"].to_dict() == {"S1": 0.5, "S2": 1.0}


def test_the_service_report_counts_the_month(november):
    """Three cases of November are open, in the chain and of them two of S2."""
    rows = november.frame("service_report")
    open_cases = rows[(rows["section"] == "state") & (rows["item"] == "open")]
    assert open_cases.set_index("key")["numerator"].to_dict() == {
        "chain": 3, "华东": 3, "S1": 1, "S2": 2
    }  # fmt: skip


def test_nothing_personal_is_in_the_office_forms(november):
    """No name, phone, statement or answer, unless asked for."""
    for name in OFFICE_FORMS:
        text = november.frame(name).to_csv()
        for secret in (*NAMES, *PHONES, "周七七", "坏了", "太远"):
            assert secret not in text


def test_an_absent_source_is_told_once(tmp_path):
    """One finding for complaints names the three forms that need them."""
    chain = mo.open_chain(write_office(tmp_path, without=("complaints", "case_events")))
    pack = chain.month_end("2026-11")
    told = {f.table: f for f in pack.findings if f.rule == "form-absent"}
    assert set(told) == {"complaints", "surveys"}
    for name in ("complaint_case", "hard_cases", "service_report"):
        assert repr(name) in told["complaints"].message_en
    assert "顾客投诉意见处理表" in told["complaints"].message_zh
    with pytest.raises(mo.errors.UnknownTableError, match="a source of complaints"):
        pack["hard_cases"]


def test_gift_cards_and_free_years_count_in_the_list_as_in_the_waiver(
    own_rules, own_month
):
    """Without the gift cards M1 lacks 1 purchase or 500.00, M2 2 or 900.00; M4 none."""
    rows = own_month.frame("expiring_members").set_index("member_id")
    lacking = rows[["missing_purchases", "missing_spend"]]
    assert lacking.T.to_dict("list") == {"M1": [1, 50_000], "M2": [2, 90_000]}
    chain, tables = own_rules
    asked = chain.waiver(as_of=dt.date(2026, 11, 30), tables=tables).frame()
    not_yet = asked[asked["waived"] == "no"].set_index("member_id")
    assert not_yet[list(lacking)].T.to_dict("list") == lacking.T.to_dict("list")


def test_the_list_counts_in_the_calendar_year_of_the_chain(tmp_path):
    """A card from December on has one purchase in its own year and two in 2026."""
    cards = "会员卡号,会员编号,有效期起,有效期止\nC1,M1,2025-12-06,2026-12-05\n"
    sales = ("小票号,销售日期,门店编号,会员编号,数量,金额\n"
             "T1,2025-12-07,S1,M1,1,10.00\nT2,2026-06-01,S1,M1,1,10.00\n")  # fmt: skip
    absent = set(TABLES) - {"cards", "sales", "members", "stores"}
    for more, purchases in (("", 2), (CALENDAR_YEAR, 1)):
        folder = tmp_path / f"{purchases}"
        chain = mo.open_chain(
            write_office(
                folder,
                without=absent,
                tables={"cards": cards, "sales": sales},
                more=more,
            )
        )
        listed = chain.expiring("2026-11").frame()
        assert listed["purchases"].tolist() == [purchases]


def test_what_the_office_forms_meet_is_told_once(own_month):
    """An event without its case, an appointment that ends too early, a small store."""
    told = Counter(
        (finding.table, finding.rule)
        for finding in own_month.findings
        if finding.table in {"case_events", "appointments", "tickets", "levels"}
        and finding.rule != "encoding"
    )
    assert told == {
        ("case_events", "event-without-case"): 1,
        ("appointments", "appointment-backwards"): 1,
        ("tickets", "spend-not-judged"): 1,
        ("levels", "level-unknown"): 1,
    }


def test_hard_cases_follow_the_policy_of_the_chain(own_rules, own_month):
    """After 640 hours beyond the target none is hard; the store's own hours count."""
    assert own_month.frame("hard_cases").empty
    chain, tables = own_rules
    late = dt.datetime.fromisoformat("2026-12-01T10:30+08:00")
    rows = chain.hard_cases(as_of=late, tables=tables).frame()
    assert rows.empty


def test_a_store_that_never_closes_is_late_while_the_others_sleep(tmp_path):
    """K3 came to S2 on Thursday at 08:00: 9 hours end at 17:00, not on Friday."""
    rules = OWN_RULES.replace("overdue_hours = 640", "overdue_hours = 0")
    absent = set(TABLES) - {"complaints", "case_events", "sales", "stores"}
    half_past_five = dt.datetime.fromisoformat("2026-11-05T17:30+08:00")
    chain = mo.open_chain(write_office(tmp_path, without=absent, more=rules))
    late = chain.hard_cases(as_of=half_past_five).frame().set_index("case_id")
    assert "回复超时" in late.loc["K3", "why_zh"]
    board = chain.sla(as_of=half_past_five).frame().set_index("case_id")
    assert board.loc["K3", "state"] == "breached"
    without = rules.replace(
        "around_the_clock = true", 'week = { thu = ["09:00-18:00"] }'
    )
    folder = tmp_path / "closed"
    chain = mo.open_chain(write_office(folder, without=absent, more=without))
    assert "K3" not in set(chain.hard_cases(as_of=half_past_five).frame()["case_id"])
