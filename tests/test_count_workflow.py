"""Stocktakes of a chain from its files: what is owed, approved, closed and late."""

import datetime as dt

import pytest

import memberops as mo
from gift_chain import write_gift_chain
from memberops.domain import Movement, Posting
from memberops.errors import ClosedPeriodError
from memberops.tables.stocktakes import COUNT_APPROVALS

HEADINGS = "盘点单号,盘点地点,礼品编号,批次,实盘数量,盘点时间,盘点人,监盘人\n"


@pytest.fixture
def chain(tmp_path):
    """Open the small chain with its movements posted."""
    made = mo.open_chain(write_gift_chain(tmp_path))
    made.import_gifts(tmp_path / "movements.csv", as_of=mo_day(31))
    return made


def mo_day(day):
    """Return a day of October 2026."""
    return dt.date(2026, 10, day)


def write(folder, name, *rows, headings=HEADINGS):
    """Write a paper; return its path."""
    file = folder / name
    file.write_text(headings + "".join(f"{row}\n" for row in rows), "utf-8")
    return file


def test_half_a_sheet_is_not_complete(chain, tmp_path):
    """What the books have and no row counts is owed: torn-off rows are no count."""
    part = write(tmp_path, "part.csv", "C1,warehouse,CUP,L1,80,2026-10-08 09:00,W1,W2")
    answer = chain.count_summaries("C1", as_of=mo_day(31), counts=part)
    rows = answer["store_count_summary"].frame.set_index(["level", "key"])
    assert rows.loc[("warehouse", "warehouse"), "state"] == "incomplete"
    assert rows.loc[("chain", "chain"), ["lines", "not_counted"]].tolist(
    ) == [4, 3]  # fmt: skip
    assert "rows read 1 = accepted 1 + rejected 0" in answer.explain("en")
    found = chain.count_differences("C1", as_of=mo_day(31), counts=part)
    shown = found["count_differences"].frame
    columns = (shown[name] for name in ("place", "gift_id", "state"))
    assert sorted(zip(*columns, strict=True)) == [
        ("store:S01", "CUP", "not_counted"), ("store:S02", "PEN", "not_counted"),
        ("warehouse", "CUP", "agree"), ("warehouse", "PEN", "not_counted")]  # fmt: skip


def test_a_place_counted_in_part_or_without_a_time_is_told(chain, tmp_path):
    """Overdue: the warehouse is counted in part, S01 at no time that anybody knows."""
    part = write(tmp_path, "part.csv", "C1,warehouse,CUP,L1,80,2026-10-08 09:00,W1,W2",
                 "C1,store:S01,CUP,L1,17,,E1,R1")  # fmt: skip
    answer = chain.count_summaries("C1", as_of=mo_day(31), counts=part)
    rows = answer["store_count_summary"].frame.set_index(["level", "key"])
    assert rows.loc[("store", "S01"), "state"] == "undated"
    sums = rows.loc[("chain", "chain"), ["late", "missing", "incomplete"]]
    assert sums.tolist() == [0, 1, 1]
    told = [each for each in answer.findings if each.rule == "count-undated"]
    assert [each.count for each in told] == [1]
    assert "store:S01" in told[0].message_en
    early = chain.count_summaries("C1", as_of=mo_day(9), counts=part)
    rows = early["store_count_summary"].frame.set_index(["level", "key"])
    assert rows.loc[("store", "S01"), "state"] == "on_time"


@pytest.mark.parametrize("sourced", [True, False])
def test_a_bad_count_is_named_by_file_and_line(chain, tmp_path, sourced):
    """Whoever opens the file finds the line: rejects and gaps before it count."""
    rows = ("C1,store:S01,CUP,L1,zwei,2026-10-08 09:00,E1,R1",
            "",
            "C0,store:S01,CUP,L1,17,2026-10-08 09:00,E1,R1",
            "C1,warehouse,PEN,,40,2026-10-08 09:00,W1,W2",
            "C1,warehouse,PEN,,41,2026-10-08 09:00,W1,W2",
            "C1,store:S77,PEN,,1,2026-10-08 09:00,W1,W2")  # fmt: skip
    counts = write(tmp_path, "counted.csv", *rows)
    if sourced:
        file = tmp_path / "chain.toml"
        papers = "\n[sources.counts]\nadapter = 'csv'\npath = 'counted.csv'\n"
        file.write_text(file.read_text("utf-8") + papers, "utf-8")
        chain = mo.open_chain(file)
    given = {} if sourced else {"counts": counts}
    found = chain.count_differences("C1", as_of=mo_day(31), **given).findings
    told = {each.row: each for each in found if each.table == "counts" and each.row}
    assert {each.source for each in told.values()} == {"counted.csv"}
    other = {} if sourced else {4: "other-stocktake"}
    rules = {5: "line-twice", 6: "line-twice", 7: "place-elsewhere", **other}
    assert {row: told[row].rule for row in told if row > 3} == rules
    assert "stands in row 6 too" in told[5].message_en


def test_where_all_agrees_the_books_are_closed_by_approve(chain, tmp_path):
    """Nothing is to be explained: the answers say what closes the place."""
    counts = write(tmp_path, "all.csv", "C1,store:S02,PEN,,10,2026-10-09 20:00,E1,R1")
    answer = chain.count_differences("C1", as_of=mo_day(31), counts=counts)
    assert "'store:S02': close them up to the count by approve" in answer.explain("en")
    done = approved(chain, tmp_path, counts=counts)
    assert "closed up to the count: 'store:S02'" in done.explain("en")
    again = chain.count_differences("C1", as_of=mo_day(31), counts=counts)
    assert "by approve" not in again.explain("en")


COUNTED = (
    "C1,warehouse,CUP,L1,79,2026-10-08 09:00,W1,W2",
    "C1,warehouse,PEN,,40,2026-10-08 09:10,W1,W2",
    "C1,store:S01,CUP,L1,18,2026-10-10 20:00,E1,R1",
)
PAPERS = """
[sources.counts]
adapter = "csv"
path = "counted.csv"

[sources.count_reasons]
adapter = "csv"
path = "reasons.csv"

[sources.count_approvals]
adapter = "csv"
path = "approvals.csv"
"""


def approved(chain, folder, **options):
    """Approve what is explained, as headquarters."""
    return chain.approve_counts(
        "C1", by="H1", role="headquarters", approvals=folder / "approvals.csv",
        at=dt.datetime(2026, 10, 12, 1, tzinfo=dt.UTC), **options,
    )  # fmt: skip


def slip(key, **facts):
    """Make the issue of five cups on 5 October that nobody entered."""
    return Posting(
        posting_id=key, kind="issue", by="E1",
        effective_at=dt.datetime(2026, 10, 5, 1, tzinfo=dt.UTC),
        movements=[Movement(gift_id="CUP", source="warehouse", destination="member:M1",
                            quantity=5, lot_id="L1",
                            valid_through=dt.date(2027, 6, 30))],
        **facts,
    )  # fmt: skip


def cups(chain):
    """Return the cups in the warehouse."""
    with chain.ledger() as ledger:
        return ledger.balance("CUP", "warehouse")


@pytest.mark.parametrize("known", [True, False])
def test_a_settled_place_is_closed_and_its_count_stands(chain, tmp_path, known):
    """L9: a back-dated slip is refused, or knowingly enters and the count stands."""
    counts = write(tmp_path, "counted.csv", *COUNTED)
    files = {} if known else {"counts": counts, "reasons": tmp_path / "reasons.csv"}
    if known:
        names = ",".join(COUNT_APPROVALS.names)
        write(tmp_path, "approvals.csv", headings=f"{names}\n")
        file = tmp_path / "chain.toml"
        file.write_text(file.read_text("utf-8") + PAPERS, "utf-8")
        chain = mo.open_chain(file)
    answer = approved(chain, tmp_path, **files)
    assert "closed up to the count: 'store:S01', 'warehouse'" in answer.explain("en")
    with pytest.raises(ClosedPeriodError):
        chain.post_gifts(slip("silent"))
    late = chain.post_gifts(slip("late", late=True))
    rules = [each.rule for each in late.findings if each.table == "counts"]
    assert rules == ([] if known else ["late-not-corrected"])
    assert cups(chain) == (79 if known else 74)
    again = chain.post_gifts(slip("late", late=True)).explain("en")
    assert "there before" in again
    assert cups(chain) == (79 if known else 74)
    if known:
        assert "adjustments written: 0" in approved(chain, tmp_path).explain("en")


def test_a_late_slip_behind_an_outgrown_approval_names_both_differences(
    chain, tmp_path
):
    """
    The papers are there, but an earlier slip has outgrown what was approved.

    One cup was missing; five and five more went out before the count: 79 were
    counted where the books should have had 70.
    """
    counts = write(tmp_path, "counted.csv", *COUNTED)
    write(tmp_path, "approvals.csv", headings=f"{','.join(COUNT_APPROVALS.names)}\n")
    approved(chain, tmp_path, counts=counts, reasons=tmp_path / "reasons.csv")
    chain.post_gifts(slip("first", late=True))  # no source has the papers yet
    file = tmp_path / "chain.toml"
    file.write_text(file.read_text("utf-8") + PAPERS, "utf-8")
    found = mo.open_chain(file).post_gifts(slip("second", late=True)).findings
    (told,) = [each for each in found if each.table == "counts"]
    assert told.rule == "late-not-corrected"
    assert "now +9 while -1 was approved" in told.message_en
    assert "现差异 +9，已批准 -1" in told.message_zh
    assert "no source" not in told.message_en


@pytest.mark.parametrize("known", [True, False])
def test_late_rows_of_a_file_leave_counts_as_they_are(chain, tmp_path, known):
    """L9: an import enters late rows as `post_gifts` does, in any company."""
    counts = write(tmp_path, "counted.csv", *COUNTED)
    file = tmp_path / "chain.toml"
    names = ",".join(COUNT_APPROVALS.names)
    write(tmp_path, "approvals.csv", headings=f"{names}\n")
    approved(chain, tmp_path, counts=counts, reasons=tmp_path / "reasons.csv")
    if known:
        file.write_text(file.read_text("utf-8") + PAPERS, "utf-8")
    rows = [f"{key},发放,{when},CUP,L1,2027-06-30,warehouse,member:M1,2,E1,,{late}"
            for key, when, late in (("a", "2026-10-05 15:00", "是"),
                                    ("b", "2026-10-20 15:00", ""),
                                    ("c", "2026-10-05 16:00", "是"))]  # fmt: skip
    slips = write(
        tmp_path, "slips.csv", *rows,
        headings="凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,经办人,"
        "关联单据,补录\n",
    )  # fmt: skip
    answer = mo.open_chain(file).import_gifts(slips, as_of=mo_day(31))
    assert set(answer["gift_postings"].frame["state"]) == {"written"}
    assert cups(chain) == 79 - 2 - (0 if known else 4)
    told = [each.rule for each in answer.findings if each.table == "counts"]
    assert told == ([] if known else ["late-not-corrected"])


def test_what_nobody_explained_is_not_refused_in_silence(chain, tmp_path):
    """No reason is on file: nothing is written, and an error names the line."""
    counts = write(tmp_path, "counted.csv", *COUNTED)
    headings = (tmp_path / "reasons.csv").read_text("utf-8").splitlines()[0]
    none = write(tmp_path, "none.csv", headings=f"{headings}\n")
    answer = approved(chain, tmp_path, counts=counts, reasons=none, refuse=True,
                      place="warehouse")  # fmt: skip
    (told,) = [each for each in answer.findings if each.table == "count_approvals"]
    assert (told.rule, told.count) == ("approval-unexplained", 1)
    assert answer.worst.value == "error"
    assert not (tmp_path / "approvals.csv").exists()
    names = dict(
        zip(answer.frame()["gift_id"], answer.frame()["gift_name"], strict=True)
    )
    assert names == {"CUP": "茶杯", "PEN": "签字笔"}


def test_who_may_not_approve_takes_no_approval_back(chain, tmp_path):
    """A later word of too low a role is told, and what was settled stays settled."""
    reasons = tmp_path / "reasons.csv"
    counts = write(tmp_path, "one.csv", "C1,warehouse,CUP,L1,79,2026-10-08 09:00,W1,W2")
    approved(chain, tmp_path, counts=counts, reasons=reasons)
    with (tmp_path / "approvals.csv").open("a", encoding="utf-8") as file:
        file.write(
            "C1,warehouse,CUP,L1,-1,SM,store_manager,2026-10-30T09:00+08:00,no\n"
        )
    answer = chain.count_differences("C1", as_of=mo_day(31), counts=counts,
        reasons=reasons, approvals=tmp_path / "approvals.csv")  # fmt: skip
    rows = answer["count_differences"].frame.set_index(["place", "gift_id"])
    cup = rows.loc[("warehouse", "CUP"), ["outcome", "approved_by", "settled"]]
    assert cup.tolist() == ["approved", "H1", "yes"]
    told = [each.message_en for each in answer.findings if "word" in each.rule]
    assert len(told) == 1
    assert "by the store manager, does not count" in told[0]


def test_one_file_takes_the_approvals_of_every_stocktake(chain, tmp_path):
    """What was approved in another stocktake is no mistake of this one."""
    names = ",".join(COUNT_APPROVALS.names)
    row = "C0,warehouse,TEA,,-1,H1,headquarters,2026-10-01T01:00:00+00:00,yes"
    write(tmp_path, "approvals.csv", row, headings=f"{names}\n")
    counts = write(tmp_path, "counted.csv", *COUNTED)
    answer = approved(chain, tmp_path, counts=counts, reasons=tmp_path / "reasons.csv")
    assert "line-unknown" not in {each.rule for each in answer.findings}
    assert cups(chain) == 79


def test_one_file_takes_the_reasons_of_every_stocktake(chain, tmp_path):
    """A row of another stocktake is silent; one of none is named by its line."""
    file = tmp_path / "stocktakes.csv"
    other = "C2,春节,2026-11-07,warehouse\n"
    file.write_text(file.read_text("utf-8") + other, "utf-8")
    chain = mo.open_chain(tmp_path / "chain.toml")
    headings, *rows = (tmp_path / "reasons.csv").read_text("utf-8").splitlines()
    reasons = write(
        tmp_path, "reasons.csv", "C2,warehouse,TEA,,damaged,-1,",
        "C3,warehouse,CUP,L1,damaged,-1,", *rows, headings=f"{headings}\n",
    )  # fmt: skip
    counts = write(tmp_path, "counted.csv", *COUNTED)
    answer = chain.count_differences(
        "C1", as_of=mo_day(31), counts=counts, reasons=reasons
    )
    told = [each for each in answer.findings if each.rule == "line-unknown"]
    assert [(each.source, each.row) for each in told] == [("reasons.csv", 3)]
    assert approved(chain, tmp_path, counts=counts, reasons=reasons)
    assert cups(chain) == 79


def test_a_reason_for_a_count_that_agrees_is_not_used(chain, tmp_path):
    """Nothing to explain: no reason stands in the row, and nothing is unexplained."""
    counts = write(tmp_path, "counted.csv", *COUNTED)
    counts.write_text(counts.read_text("utf-8").replace("L1,79", "L1,80"), "utf-8")
    answer = chain.count_differences(
        "C1", as_of=mo_day(31), counts=counts, reasons=tmp_path / "reasons.csv"
    )
    frame = answer["count_differences"].frame
    row = frame[(frame["gift_id"] == "CUP") & (frame["place"] == "warehouse")].iloc[0]
    assert (row["state"], row["unexplained"], row["difference"]) == ("agree", 0, 0)
    assert row[["reasons_en", "reasons_zh"]].isna().all()
