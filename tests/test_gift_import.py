"""Files of gift movements: what is posted in which order, and what comes back."""

import datetime as dt

import pandas as pd
import pytest

import memberops as mo
from gift_chain import write_gift_chain
from memberops.domain import Hold, Movement, Posting
from memberops.errors import BrokenChainError
from memberops.ledger import gift_stock
from memberops.policies.stocktake_report import _region
from memberops.schedules import Period
from memberops.workflows.count_papers import region_of

HEADINGS = (
    "凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,经办人,关联单据\n"
)
DAY = dt.date(2026, 10, 31)


@pytest.fixture
def chain(tmp_path):
    """Open the small chain, with an empty ledger."""
    return mo.open_chain(write_gift_chain(tmp_path))


def imported(chain, file):
    """Import a file; return the state of each posting."""
    rows = chain.import_gifts(file, as_of=DAY)["gift_postings"].frame
    return dict(zip(rows["posting_id"], rows["state"], strict=True))


def test_a_key_within_another_key_is_another_posting(chain, tmp_path):
    """A rejected row of Z-10 holds nothing of Z-1 back, and all of Z-10."""
    file = tmp_path / "keys.csv"
    file.write_text(
        HEADINGS + "Z-1,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,1,E1,\n"
        "Z-10,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,2.5,E1,\n"
        "Z-10,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,2,E1,\n",
        "utf-8",
    )
    assert imported(chain, file) == {"Z-1": "written", "Z-10": "refused"}


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "other", ["", 'Q,入库,2026-10-09 09:00,PEN,,,a,b,1,"E1"x,"y\n']
)
def test_no_posting_is_written_in_part(chain, tmp_path, sign, other):
    """Whatever parts the cells, and beside rows that cannot be taken apart."""
    lines = (
        "W-5,调拨,2026-10-09 09:00,PEN,,,supplier,warehouse,5,E1,\n"
        f"{other}W-5,调拨,2026-10-09 09:00,PEN,,,warehouse,store:S02,2.5,E1,\n"
    )
    file = tmp_path / "torn.csv"
    file.write_text((HEADINGS + lines).replace(",", sign), "utf-8")
    assert imported(chain, file) == {"W-5": "refused"}


def test_a_reason_with_spaces_holds_back_its_posting_alone(chain, tmp_path):
    """An apostrophe may guard them: the import goes on, and its list says why."""
    file = tmp_path / "spaces.csv"
    file.write_text(
        HEADINGS.replace("\n", ",原因\n")
        + "Z-1,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,1,E1,,' =wet\n"
        "Z-2,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,2,E1,,dry\n",
        "utf-8",
    )
    answer = chain.import_gifts(file, as_of=DAY)
    rows = answer["gift_postings"].frame
    assert rows["state"].tolist() == ["refused", "written"]
    assert "spaces around" in rows["why_en"][0]


def test_a_cell_like_a_key_is_no_key(chain, tmp_path):
    """A rejected row of Z-10 with the quantity 1 holds nothing of posting 1 back."""
    file = tmp_path / "one.csv"
    file.write_text(
        HEADINGS + "1,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,1,E1,\n"
        "Z-10,入库,2026-10-99 09:00,PEN,,,supplier,warehouse,1,E1,\n",
        "utf-8",
    )
    assert imported(chain, file) == {"1": "written"}


def test_a_file_is_posted_in_the_order_of_its_moments(chain, tmp_path):
    """An issue above its receipt is written, and is listed where it stands."""
    file = tmp_path / "order.csv"
    file.write_text(
        HEADINGS + "I,调拨,2026-10-10 09:00,PEN,,,warehouse,store:S01,1,E1,\n"
        "R,入库,2026-10-09 09:00,PEN,,,supplier,warehouse,1,E1,\n",
        "utf-8",
    )
    assert list(imported(chain, file).items()) == [("I", "written"), ("R", "written")]


def test_within_a_moment_what_takes_waits_for_what_brings(chain, tmp_path):
    """Issue, transfer and receipt of one minute are written; one too many is not."""
    file = tmp_path / "minute.csv"
    ends = (("I", "store:S01,member:M1", 3), ("J", "store:S01,member:M1", 9),
            ("T", "warehouse,store:S01", 4), ("R", "supplier,warehouse", 4)
            )  # fmt: skip
    rows = [f"{key},调拨,2026-10-09 09:00,PEN,,,{pair},{number},E1,\n"
            for key, pair, number in ends]  # fmt: skip
    file.write_text(HEADINGS + "".join(rows), "utf-8")
    written = dict.fromkeys("ITR", "written") | {"J": "refused"}
    assert imported(chain, file) == written
    again = dict.fromkeys("ITR", "there_before") | {"J": "refused"}
    assert imported(chain, file) == again


@pytest.mark.parametrize("reason", ["=1+1", "@a", "-x", "'=1", "'a"])
def test_an_export_comes_back_whatever_a_reason_begins_with(chain, tmp_path, reason):
    """What guards a spreadsheet is undone: each posting is there before."""
    moved = Movement(gift_id="PEN", source="supplier", destination="warehouse",
                     quantity=1)  # fmt: skip
    chain.post_gifts(Posting(
        posting_id="=K", kind="receipt", reason=reason, movements=[moved],
        effective_at=dt.datetime(2026, 10, 9, tzinfo=dt.UTC)))  # fmt: skip
    chain.export_gifts(tmp_path / "out.csv")
    assert imported(chain, tmp_path / "out.csv") == {"=K": "there_before"}


def test_an_export_of_what_used_a_hold_comes_back(chain, tmp_path):
    """Elsewhere without the hold, and told; where the hold is, it was there before."""
    at = dt.datetime(2026, 10, 9, tzinfo=dt.UTC)
    with chain.ledger() as ledger:
        for key, source, to in (("R", "supplier", "store:S01"),
                                ("I", "store:S01", "member:M1")):  # fmt: skip
            if key == "I":
                ledger.hold(Hold(hold_id="H", gift_id="PEN", place="store:S01",
                                 quantity=1, held_at=at))  # fmt: skip
            ledger.post(Posting(
                posting_id=key, kind="transfer", effective_at=at, movements=[
                    Movement(gift_id="PEN", source=source, destination=to, quantity=1)],
                refers_to={"hold": "H"} if key == "I" else {}))  # fmt: skip
    chain.export_gifts(tmp_path / "out.csv")
    before = dict.fromkeys("RI", "there_before")
    assert imported(chain, tmp_path / "out.csv") == before
    (tmp_path / "new").mkdir()
    other = mo.open_chain(write_gift_chain(tmp_path / "new"))
    answer = other.import_gifts(tmp_path / "out.csv", as_of=DAY)
    assert answer["gift_postings"].frame["state"].tolist() == ["written"] * 2
    told = [each for each in answer.findings if each.rule == "hold-unknown"]
    assert [each.count for each in told] == [1]
    assert imported(other, tmp_path / "out.csv") == before


def test_a_journal_that_is_no_text_is_told(chain, tmp_path):
    """Bytes that are not UTF-8 are no journal, and nothing is written."""
    file = tmp_path / "bin.dat"
    file.write_bytes(b"\xff\xfe\x00" * 99)
    with pytest.raises(BrokenChainError, match="not UTF-8"):
        chain.restore_gifts(file)


def test_what_is_damaged_in_the_warehouse_is_the_warehouse_s():
    """Set aside is not gone: one row a lot, at the place that has it."""
    names = (
        "warehouse",
        "warehouse:damaged",
        "warehouse:east",
        "warehouse:east:damaged",
    )
    at = pd.Timestamp("2026-10-02", tz="UTC")
    rows = pd.DataFrame(
        [("K", number, at, "PEN", "", pd.NaT, "supplier", place, 1 + number)
         for number, place in enumerate(names)],
        columns=["posting_id", "sequence", "effective_at", "gift_id", "lot_id",
                 "valid_through", "source", "destination", "quantity"])  # fmt: skip
    found = gift_stock(rows, period=Period.month(2026, 10), zone=dt.UTC,
                       kind="warehouse")  # fmt: skip
    assert dict(zip(found["place"], found["book"], strict=True)) == {
        "warehouse": 3, "warehouse:east": 7}  # fmt: skip


def test_a_part_of_the_warehouse_that_is_called_as_a_store_has_no_region():
    """Regions are those of stores."""
    for read in (region_of, _region):
        assert read("warehouse:S01", {"S01": "R1"}) is None
        assert read("store:S01:shelf", {"S01": "R1"}) == "R1"
