"""Promises of gift movements that come from the chain's own sources."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import memberops as mo
from gift_chain import write_gift_chain
from memberops.adapters import Adapter, hookimpl
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.frame_rows import read_frame
from memberops.cli import main
from memberops.errors import InvalidValueError, UnknownTableError
from memberops.workflows import ChainTables, FrameSource
from memberops.workflows.gift_sources import MovementsHere

DAY = dt.date(2026, 10, 31)
SECTION = '[sources.gift_movements]\nadapter = "till"\n'
# CUP and PEN are the chain's gifts; TEA is a good like any other.
MOVES = [
    ("R1", "2026-10-01 09:00", "PEN", "supplier", "warehouse", 50),
    ("R2", "2026-10-01 10:00", "TEA", "supplier", "warehouse", 900),
    ("R3", "2026-10-02 09:00", "PEN", "supplier", "warehouse", 7),
    ("R3", "2026-10-02 09:00", "TEA", "supplier", "warehouse", 100),
    ("T1", "2026-10-03 09:00", "PEN", "warehouse", "store:S01", 20),
    ("A1", "2026-10-04 09:00", "points", "program:earned", "wallet:M1", 300),
    ("T2", "2026-11-01 09:00", "PEN", "warehouse", "store:S01", 1),
]


class Till:
    """A plugin that tells the movements of all its goods, and knows its records."""

    key = ("posting_id",)
    named = True

    def __init__(self):
        self.moves = list(MOVES)
        self.frame = read_frame(self.rows(), "gift_movements").frame

    def rows(self):
        """Lay the moves out as a system would."""
        names = ["posting_id", "at", "gift_id", "source", "destination", "quantity"]
        frame = pd.DataFrame(self.moves, columns=names)
        at = pd.to_datetime(frame.pop("at")).dt.tz_localize("Asia/Shanghai")
        return frame.assign(effective_at=at, kind="transfer")

    @hookimpl
    def memberops_sources(self):
        """Bring the adapter."""
        return [Adapter(name="till", factory=self.make, summary="tills")]

    def make(self, context):
        """Make a source."""
        till = self

        class Source:
            def read(self, table):
                return self.changes(table, since=None).result

            def changes(self, table, *, since):
                result = read_frame(till.rows(), table)
                lines = result.rejects["line"] if till.named else []
                keys = [(till.moves[at - 1][0],) for at in lines]
                return SourceChanges(
                    result=result, cursor="", whole=True, refused=keys, key=till.key
                )

        return Source()


@pytest.fixture
def till():
    """A till with a few movements."""
    return Till()


def opened(tmp_path, till, more=SECTION):
    """Open the small chain of gifts with a source of movements."""
    file = write_gift_chain(tmp_path)
    text = file.read_text("utf-8")
    file.write_text(text.replace("[ledger]", f"{more}\n[ledger]"), "utf-8")
    return mo.open_chain(file, plugins=[till], entry_points=False)


def states(answer):
    """Say what became of each posting."""
    rows = answer["gift_postings"].frame
    return dict(zip(rows["posting_id"], rows["state"], strict=True))


def pens(chain):
    """Say where the pens are."""
    rows = chain.gift_balances(as_of=DAY, gift="PEN")["gift_balances"].frame
    return dict(zip(rows["place"], rows["quantity"], strict=True))


def test_movements_of_a_source_are_posted_once(tmp_path, till):
    """57 pens came in and 20 went on, however often they are imported."""
    chain = opened(tmp_path, till)
    first = chain.import_gifts(as_of=DAY)
    _tells_for_every_row(first)
    assert states(first) == dict.fromkeys(["R1", "R3", "T1", "A1"], "written")
    assert pens(chain) == {"store:S01": 20, "warehouse": 37}
    again = chain.import_gifts(as_of=DAY)
    assert set(states(again).values()) == {"there_before"}
    assert pens(chain) == {"store:S01": 20, "warehouse": 37}
    till.moves.append(("T3", "2026-10-05 09:00", "PEN", "warehouse", "store:S02", 2))
    later = states(chain.import_gifts(as_of=dt.date(2026, 11, 1)))
    assert (later["T2"], later["T3"]) == ("written", "written")


def _tells_for_every_row(answer):
    """Goods that are no gifts, and what takes effect later, are counted, no errors."""
    assert (
        "rows read 7 = written 4 + there before 0 + refused 0 + rejected 0 + of other "
        "goods 2 + after the day 1"
    ) in answer.explain("en")
    assert "非礼品 2" in answer.explain("zh")
    told = {each.rule: each for each in answer.findings}
    goods, part = told["movement-of-no-gift"], told["posting-in-part"]
    assert (goods.count, goods.severity.value) == (2, "info")
    assert "'TEA'" in goods.message_en
    assert (part.count, part.severity.value) == (1, "info")


def of_gifts(till):
    """Say what of the moves concerns the ledger."""
    gifts = pd.DataFrame({"gift_id": ["CUP", "PEN"], "name": ["茶杯", "签字笔"]})
    tables = ChainTables({"gifts": FrameSource(gifts).read("gifts")})
    frame = read_frame(till.rows(), "gift_movements").frame
    end = dt.datetime(2026, 10, 31, 15, 59, tzinfo=dt.UTC)
    return MovementsHere.of(frame, tables, end)


def test_a_posting_that_is_later_in_part_waits_as_a_whole(till):
    """Half of it would create goods or lose them."""
    till.moves = [
        ("P", f"2026-{month}-05 09:00", "PEN", "supplier", "warehouse", 5)
        for month in (10, 11)
    ]
    here = of_gifts(till)
    assert (len(here.frame), here.later, here.findings) == (0, 2, ())


def test_a_source_of_other_goods_alone_is_a_warning(till):
    """Where no row is a gift the ids of the two systems hardly agree."""
    till.moves = [("R", "2026-10-01 09:00", "7001", "supplier", "warehouse", 5)]
    here = of_gifts(till)
    (told,) = here.findings
    assert told.rule == "movement-of-no-gift"
    assert told.severity.value == "warning"
    assert (len(here.frame), here.goods) == (0, 1)


def test_a_rejected_row_of_a_source_holds_its_posting_back(tmp_path, till):
    """Alone where the source names the records that it refused, else with all."""
    at = "2026-10-01 09:00"
    till.moves = [("A", at, "PEN", "supplier", "warehouse", 5),
                  ("A", at, "PEN", "supplier", None, 5),
                  ("B", at, "PEN", "supplier", "warehouse", 5)]  # fmt: skip
    chain = opened(tmp_path, till)
    for key, named, written in (
        (("gift_id",), True, []),
        (("posting_id",), False, []),
        (("posting_id",), True, ["B"]),
    ):
        till.key, till.named = key, named
        answer = chain.import_gifts(as_of=DAY)
        found = states(answer).items()
        assert [name for name, state in found if state == "written"] == written
        assert "rejected 1" in answer.explain("en")


def test_a_snapshot_knows_which_postings_were_refused(tmp_path, till):
    """As its source does, without asking it."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    at = "2026-10-01 09:00"
    till.moves = [("A", at, "PEN", "supplier", "warehouse", 5),
                  ("A", at, "PEN", "supplier", None, 5),
                  ("B", at, "PEN", "supplier", "warehouse", 5)]  # fmt: skip
    chain = opened(tmp_path, till, SECTION + 'snapshot = "kept"\n')
    chain.refresh()
    till.moves = None
    assert states(chain.import_gifts(as_of=DAY)) == {"A": "refused", "B": "written"}


def test_sections_of_a_file_and_a_system_are_imported_together(tmp_path, till):
    """A torn posting of one section holds back none of the other, or of its own."""
    two = f"[{SECTION}".replace("movements]", "movements]]")
    two += '[[sources.gift_movements]]\nadapter = "csv"\npath = "more.csv"\n'
    (tmp_path / "more.csv").write_text(
        "凭证号,类型,生效时间,礼品编号,转出,转入,数量\n"
        "M1,入库,2026-10-01 09:00,PEN,supplier,warehouse,1\n"
        "M2,入库,2026-10-01 09:00,PEN,supplier,warehouse,1\n"
        "M2,入库,2026-10-01 09:00,PEN,supplier,warehouse,2.5\n"
        "R1,入库,2026-10-01 09:00,PEN,supplier,warehouse,50\n",
        "utf-8",
    )
    chain = opened(tmp_path, till, two)
    found = states(chain.import_gifts(as_of=DAY))
    assert [name for name, state in found.items() if state != "written"] == ["M2"]
    assert pens(chain) == {"store:S01": 20, "warehouse": 38}


def test_a_row_that_a_later_export_replaced_holds_no_posting_back(tmp_path, till):
    """A was wrong in number, B could not be read: the second export mends both."""
    line = "{},入库,2026-10-01 09:00,PEN,supplier,warehouse,{}\n".format
    head = "凭证号,类型,生效时间,礼品编号,转出,转入,数量\n"
    for name, lines in (
        ("m-1.csv", [line("A", 5), line("B", 2.5), line("C", 1), line("D", 1)]),
        ("m-2.csv", [line("A", 6), line("B", 2), line("C", 1.5), line("E", 4)]),
    ):
        (tmp_path / name).write_text(head + "".join(lines), "utf-8")
    section = SECTION.replace("till", "csv") + 'path = "m-*.csv"\n'
    chain = opened(tmp_path, till, section + 'overlap = "replace"\n')
    answer = chain.import_gifts(as_of=DAY)
    refused = {name for name, state in states(answer).items() if state == "refused"}
    # The row of C that counts could not be read.
    assert refused == {"C"}
    assert pens(chain) == {"warehouse": 6 + 2 + 1 + 4}


def test_goods_without_a_table_of_gifts_are_refused(tmp_path, till):
    """A ledger is for good: it does not fill with every good that a shop sells."""
    file = write_gift_chain(tmp_path)
    text = file.read_text("utf-8").replace("[sources.gifts]", SECTION + "[other]")
    text = text.replace('[other]\nadapter = "csv"\npath = "gifts.csv"', "")
    file.write_text(text, "utf-8")
    chain = mo.open_chain(file, plugins=[till], entry_points=False)
    with pytest.raises(InvalidValueError, match=r"add \[sources\.gifts\]") as caught:
        chain.import_gifts(as_of=DAY)
    assert "请添加 [sources.gifts]" in caught.value.text_zh
    till.moves = [MOVES[5]]
    assert states(chain.import_gifts(as_of=DAY)) == {"A1": "written"}


def test_an_import_without_file_and_source_says_what_to_do(tmp_path, till, capsys):
    """So does one with options of a file, or with tables that lack the movements."""
    chain = opened(tmp_path, till, "")
    with pytest.raises(UnknownTableError, match=r"add \[sources\.gift_movements\]"):
        chain.import_gifts(as_of=DAY)
    with pytest.raises(UnknownTableError, match="'tables' does not hold"):
        chain.import_gifts(as_of=DAY, tables=chain.read(only=["gifts"]))
    with pytest.raises(InvalidValueError, match="'encoding'"):
        chain.import_gifts(as_of=DAY, encoding="gbk")
    asked = f"gifts import --as-of 2026-10-31 --chain {tmp_path / 'chain.toml'}"
    assert main([*asked.split(), "--language", "zh"]) == 2
    assert "请指明文件，或添加 [sources.gift_movements]" in capsys.readouterr().err


def test_tables_read_elsewhere_are_imported_without_their_source(tmp_path, till):
    """Whose row was rejected is not known then, so nothing is written in part."""
    till.moves = [(name, "2026-10-01 09:00", "PEN", "supplier", place, 5)
                  for name, place in (("A", "warehouse"), ("B", None))]  # fmt: skip
    tables = opened(tmp_path, till).read(only=["gifts", "gift_movements"])
    (tmp_path / "other").mkdir()
    answer = opened(tmp_path / "other", till, "").import_gifts(as_of=DAY, tables=tables)
    assert states(answer) == {"A": "refused"}


def test_the_command_needs_no_file(tmp_path, capsys):
    """Without a file it posts what [sources.gift_movements] gives."""
    file = write_gift_chain(tmp_path)
    Path(tmp_path / "moves.csv").write_text(
        "凭证号,类型,生效时间,礼品编号,转出,转入,数量\n"
        "M1,入库,2026-10-01 09:00,PEN,supplier,warehouse,1\n",
        "utf-8",
    )
    section = '[sources.gift_movements]\nadapter = "csv"\npath = "moves.csv"\n[ledger]'
    file.write_text(file.read_text("utf-8").replace("[ledger]", section), "utf-8")
    asked = f"gifts import --as-of 2026-10-31 --chain {file} --language en"
    assert main(asked.split()) == 0
    assert "M1" in capsys.readouterr().out
