"""Promises of the month end of a chain with a gift ledger, worked out by hand."""

import datetime as dt

import pytest

from gift_chain import write_gift_chain
from memberops import open_chain
from memberops.cli import main
from memberops.errors import InvalidValueError, UnknownTableError
from memberops.schedules import Period
from memberops.testing import SyntheticChain, write_chain
from memberops.testing.synthetic_gifts import write_gifts
from memberops.workflows.month_forms import MonthWork
from memberops.workflows.month_gift_forms import GIFT_STEPS, has_ledger

MONTH = "2026-10"
GIFT_FORMS = {
    "gift_application", "gift_issues", "store_gift_stock", "warehouse_gift_stock",
    "store_count_sheet", "warehouse_count_sheet", "store_count_summary",
    "warehouse_count_report", "order_proposal",
}  # fmt: skip
SOURCES = """
[sources.gift_applications]
adapter = "csv"
path = "applications.csv"

[sources.counts]
adapter = "csv"
path = "counts.csv"

[sources.count_reasons]
adapter = "csv"
path = "reasons.csv"
"""
# S01 asks for 30 cups, gets 20 granted, 20 are sent and 19 arrive on 13 October.
APPLICATIONS = (
    "申请单号,门店编号,礼品编号,申请数量,用途,申请人,申请时间,批准数量,审批人,审批时间\n"
    "A1,S01,CUP,30,促销,E1,2026-10-11 09:00,20,E9,2026-10-11 15:00\n"
)
DELIVERY = (
    "凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,经办人\n"
    "D-1,发货,2026-10-12 09:00,CUP,L1,2027-06-30,warehouse,in_transit:S01:A1:1,20,W1\n"
    "D-2,收货,2026-10-13 09:00,CUP,L1,2027-06-30,in_transit:S01:A1:1,store:S01,19,E1\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The chain of `gift_chain` with an application, its movements posted."""
    made = tmp_path_factory.mktemp("gifts")
    file = write_gift_chain(made)
    file.write_text(file.read_text("utf-8") + SOURCES, "utf-8")
    (made / "applications.csv").write_text(APPLICATIONS, "utf-8")
    (made / "delivery.csv").write_text(DELIVERY, "utf-8")
    for name in ("movements.csv", "delivery.csv"):
        given = ["gifts", "import", str(made / name), "--chain", str(file)]
        main([*given, "--as-of", "2026-10-31", "--format", "csv"])  # some are refused
    return made


@pytest.fixture(scope="module")
def pack(folder):
    """The month end of October."""
    return open_chain(folder / "chain.toml").month_end(MONTH)


def rows(pack, name, *columns):
    """Return some columns of a form as rows."""
    frame = pack.frame(name)[list(columns)].astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).to_numpy().tolist()]


def test_the_pack_has_every_form_of_gifts(pack):
    """All nine forms are there, before the findings and the working."""
    assert set(pack.names) >= GIFT_FORMS
    assert pack.names[-2:] == ("findings", "working")


def test_applications_tell_what_is_still_on_its_way(pack):
    """20 granted of 30, 20 sent, 19 received: one cup is in transit."""
    assert rows(
        pack, "gift_application", "application_id", "asked", "approved", "dispatched",
        "received", "in_transit", "state",
    ) == [("A1", 30, 20, 20, 19, 1, "in_transit")]  # fmt: skip


def test_the_register_names_member_ticket_and_lot(pack):
    """The one gift of the month, given on 5 October."""
    assert rows(
        pack, "gift_issues", "issued_at", "store_id", "member_id", "ticket_id",
        "gift_id", "lot_id", "quantity",
    ) == [("2026-10-05 15:00", "S01", "M1", "T1", "CUP", "L1", 3)]  # fmt: skip


def test_stock_opens_comes_goes_and_stays(pack):
    """Warehouse: 100 in, 40 out; S01: 20 and 19 in, 3 out; pens: 50, 10 to S02."""
    columns = ("place", "gift_id", "opening", "came", "went", "book", "value")
    assert rows(pack, "warehouse_gift_stock", *columns) == [
        ("warehouse", "CUP", 0, 100, 40, 60, 60 * 1250),
        ("warehouse", "PEN", 0, 50, 10, 40, 40 * 300),
    ]
    assert rows(pack, "store_gift_stock", *columns) == [
        ("store:S01", "CUP", 0, 39, 3, 36, 36 * 1250),
        ("store:S02", "PEN", 0, 10, 0, 10, 10 * 300),
    ]


def test_counts_of_the_month_and_who_is_late(pack):
    """
    Each line at its own moment: S01 counted 18 cups of 17, before the delivery.

    S02 handed in nothing: its pens stand there without a count.
    """
    assert rows(pack, "store_count_sheet", "place", "gift_id", "counted") == [
        ("store:S01", "CUP", 18), ("store:S02", "PEN", None)
    ]  # fmt: skip
    assert rows(pack, "warehouse_count_sheet", "gift_id", "counted") == [
        ("CUP", 79), ("PEN", 40)
    ]  # fmt: skip
    columns = ("key", "state", "surplus", "shortage", "late", "missing")
    found = {row[0]: row[1:] for row in rows(pack, "store_count_summary", *columns)}
    assert found["S01"] == ("late", 1, 0, 1, 0)
    assert found["S02"] == ("missing", 0, 0, 0, 1)
    assert found["chain"][1:] == (1, 1, 1, 1)
    assert rows(
        pack, "warehouse_count_report", "gift_id", "book", "counted", "difference",
        "outcome", "disposition",
    ) == [
        ("CUP", 80, 79, -1, "approve", "报损"),
        ("PEN", 40, 40, 0, "agrees", None),
    ]  # fmt: skip


def test_the_proposal_counts_use_stock_and_way(pack):
    """3 cups used in 3 months, 96 on hand and 1 coming: nothing to order."""
    columns = ("gift_id", "used", "on_hand", "on_the_way", "wanted", "proposed")
    assert rows(pack, "order_proposal", *columns) == [
        ("CUP", 3, 96, 1, 3, 0),
        ("PEN", 0, 50, 0, 0, 0),
    ]


def test_the_files_of_gifts_are_written(pack, tmp_path):
    """Workbook and CSV carry the forms."""
    pack.to_workbook(tmp_path / "m.xlsx")
    names = {file.stem for file in pack.to_csv(tmp_path / "csv")}
    assert names >= GIFT_FORMS


def test_a_month_without_gifts_has_no_stocktake(folder):
    """In September nothing was counted, and the forms of counts are absent."""
    pack = open_chain(folder / "chain.toml").month_end("2026-09")
    assert "store_gift_stock" in pack.names
    assert "store_count_summary" not in pack.names
    with pytest.raises(UnknownTableError, match="something for it in the month"):
        pack["store_count_summary"]


def test_a_ledger_that_was_not_begun_is_told_and_not_begun(tmp_path):
    """The month end writes no ledger; a server that is away fails no month end."""
    file = write_gift_chain(tmp_path)
    pack = open_chain(file).month_end(MONTH)
    assert "ledger-empty" in {each.rule for each in pack.findings}
    assert not GIFT_FORMS & set(pack.names)
    assert not (tmp_path / "gifts.db").exists()

    (tmp_path / "gifts.db").write_text("no database", "utf-8")
    pack = open_chain(file).month_end(MONTH)
    (told,) = [each for each in pack.findings if each.rule == "ledger-unavailable"]
    assert told.severity.value == "error"
    assert not GIFT_FORMS & set(pack.names)


def test_a_chain_without_a_ledger_is_told_nothing_of_gifts(tmp_path):
    """Who keeps no ledger has no findings about its absence."""
    text = write_gift_chain(tmp_path).read_text("utf-8").partition("[ledger]")[0]
    (tmp_path / "chain.toml").write_text(text, "utf-8")
    pack = open_chain(tmp_path / "chain.toml").month_end(MONTH)
    assert not any("ledger" in each.rule for each in pack.findings)
    assert not any("gift_applications" in each.message_en for each in pack.findings)


def test_the_made_up_chain_has_the_planted_miscounts_and_no_others(tmp_path):
    """Every posting is taken, and the stocktake finds what was planted."""
    written = write_chain(
        tmp_path / "made",
        chain=SyntheticChain(seed=5, stores=3, regions=1, members=60, months=2),
    )
    planted = write_gifts(written)
    chain, day = open_chain(written.chain_file), written.chain.last_day
    answer = chain.import_gifts(written.folder / "gift_movements.csv", as_of=day)
    assert set(answer.frame()["state"]) == {"written"}
    shown = chain.count_differences("P1", as_of=day).frame()
    wrong = shown[shown["difference"] != 0].fillna({"lot_id": ""})
    columns = ["place", "gift_id", "lot_id", "difference"]
    found = set(wrong[columns].itertuples(index=False, name=None))
    assert found == {
        (each.place, each.gift_id, each.lot_id, each.difference) for each in planted
    }
    assert len(planted) == 3
    summary = chain.count_summaries("P1", as_of=day).explain("en")
    assert summary.endswith("late: store:S01\nmissing: store:S03")


@pytest.mark.parametrize(
    ("stocktake", "rule"),
    [
        # nothing is on the books of any store on 1 October
        ("C1,国庆,2026-10-01,", None),
        ("C1,国庆,2026-10-07,store:S20", "stocktake-unusable"),
    ],
)
def test_a_stocktake_of_nothing_fails_no_month_end(folder, stocktake, rule):
    """A place without stock has an empty sheet; a mistyped one is told; both go on."""
    headings = "盘点单号,促销活动,截止日期,盘点范围\n"
    (folder / "other.csv").write_text(f"{headings}{stocktake}\n", "utf-8")
    (folder / "no_counts.csv").write_text("盘点单号,盘点地点,礼品编号,实盘数量\n")
    text = (folder / "chain.toml").read_text("utf-8")
    text = text.replace("stocktakes.csv", "other.csv")
    (folder / "other.toml").write_text(text.replace("counts.csv", "no_counts.csv"))
    chain = open_chain(folder / "other.toml")
    if rule is None:
        shown = chain.count_sheets("C1", as_of=dt.date(2026, 10, 31))
        assert len(shown["store_count_sheet"].frame) == 0
    else:
        with pytest.raises(InvalidValueError, match="did you mean 'store:S02'"):
            chain.count_sheets("C1", as_of=dt.date(2026, 10, 31))
    work = MonthWork(
        chain=chain,
        tables=chain.read(),
        month=Period.month(2026, 10),
        as_of=dt.date(2026, 10, 31),
        reveal=(),
    )
    assert has_ledger(work)
    made = [step.make(work) for step in GIFT_STEPS if "counts" in step.needs]
    assert (made[0] is not None) is (rule is None)
    assert [each.rule for each in work.found if each.table == "stocktakes"] == (
        [] if rule is None else [rule]
    )
