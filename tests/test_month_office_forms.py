"""Promises of the office's own forms in the month-end pack, on a chain by hand."""

import pytest

import memberops as mo
from office_chain import NAMES, PHONES, write_office

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
    chain = mo.open_chain(write_office(tmp_path, tables={"case_events": events}))
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
    chain = mo.open_chain(write_office(tmp_path, tables={"visits": heading + rows}))
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
