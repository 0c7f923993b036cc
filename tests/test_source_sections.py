"""Promises of several sections of one table in a chain file."""

import json
from pathlib import Path

import pandas as pd
import pytest

from memberops import open_chain
from memberops.adapters import Adapter, hookimpl
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.adapters.sources.overlapping_sections import settled_sections
from memberops.cli import main
from memberops.errors import ConfigurationError, SourceError
from memberops.schedules import Period
from memberops.tables import MEMBERS
from memberops.workflows import FrameSource, MonthEnd, parse_settings
from memberops.workflows.checks import run_checks

DAY = pd.Timestamp("2026-11-05")
HEAD = 'name = "示例"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n'
NORTH = """
[[sources.sales]]
adapter = "csv"
path = "north.csv"
"""
SOUTH = """
[[sources.sales]]
adapter = "csv"
path = "south.csv"
columns = { ticket_id = "流水", store_id = "柜台", amount = "实收" }
units = { amount = "分" }
[[sources.sales.drop]]
column = "amount"
at_most = "0"
reason = "gifts"
"""
TWO = HEAD + NORTH + SOUTH


@pytest.fixture(autouse=True)
def exports(tmp_path, monkeypatch):
    """Two tills of different makes, in the folder of their chain file."""
    monkeypatch.chdir(tmp_path)
    Path("north.csv").write_text(
        "小票号,日期,门店,数量,金额\nA1,2026-11-05,S1,1,5.00\nA2,?,S1,1,5.00\n", "utf-8"
    )
    Path("south.csv").write_text(
        "流水,日期,柜台,数量,实收\nB1,2026-11-05,S2,1,800\nB2,2026-11-06,S2,1,0\n"
        "B3,2026-11-06,S2,x,900\n",
        "utf-8",
    )


def opened(text, *plugins):
    """Open the chain that a text describes."""
    Path("chain.toml").write_text(text, encoding="utf-8")
    return open_chain("chain.toml", plugins=plugins, entry_points=False)


def two_of(table, *texts, more=""):
    """Describe a chain with a CSV file for each section of a table."""
    for number, text in enumerate(texts, start=1):
        Path(f"{table}-{number}.csv").write_text(text, "utf-8")
    sections = "".join(
        f'[[sources.{table}]]\nadapter = "csv"\npath = "{table}-{number}.csv"\n'
        for number in range(1, len(texts) + 1)
    )
    sold = "" if table == "sales" else '[sources.sales]\nadapter = "csv"\npath = "n"\n'
    return HEAD + sold + sections + more


def test_tills_of_different_makes_are_sections_of_one_table():
    """Each has its own mapping; every row, reject and finding names its section."""
    sales = opened(TWO).read().results["sales"]
    assert sales.frame[["ticket_id", "amount"]].to_numpy().tolist() == [
        ["A1", 500],
        ["B1", 800],
    ]
    assert (sales.rows_read, sales.accepted, sales.rejected) == (5, 2, 3)
    assert sales.rejects[["file", "line"]].to_numpy().tolist() == [
        ["sales[1] north.csv", 3],
        ["sales[2] south.csv", 3],
        ["sales[2] south.csv", 4],
    ]
    assert [sales.origin(at) for at in range(2)] == [
        ("sales[1] north.csv", 2),
        ("sales[2] south.csv", 2),
    ]
    assert {each.source for each in sales.findings} == {
        "sales[1] north.csv",
        "sales[2] south.csv",
    }


def test_one_section_written_as_a_list_is_one_section():
    """Whoever writes two brackets for one till gets what one bracket gives."""
    (found,) = parse_settings(HEAD + NORTH).sources["sales"]
    assert (
        found
        == parse_settings(HEAD + NORTH.replace("[[", "[").replace("]]", "]")).sources[
            "sales"
        ][0]
    )
    result = opened(HEAD + NORTH).read().results["sales"]
    assert {each.source for each in result.findings} == {"north.csv"}


@pytest.fixture
def replacing():
    """The two tills, of which one has an earlier export too, and a list of stores."""
    Path("north-1.csv").write_text(
        "小票号,日期,门店,数量,金额\nA1,2026-11-05,S1,9,99\n", "utf-8"
    )
    Path("stores.csv").write_text("门店编号\nS1\n", encoding="utf-8")
    newest = 'path = ["north-1.csv", "north.csv"]\noverlap = "replace"'
    two = TWO.replace('path = "north.csv"', newest)
    return opened(two + '[sources.stores]\nadapter = "csv"\npath = "stores.csv"\n')


def test_the_checks_and_counts_of_a_month_are_of_all_sections(replacing):
    """The month's sales are those of all tills: 5.00 and 8.00 yuan."""
    tables = replacing.read()
    assert tables["sales"]["amount"].sum() == 1300
    checked = run_checks(tables, Period.month(2026, 11))
    (unknown,) = [each for each in checked if each.rule == "store-unknown"]
    assert "S2" in unknown.message_en
    pack = MonthEnd(
        chain="x", month=Period.month(2026, 11), as_of=DAY.date(), forms=(),
        findings=checked, tables=tables, language="zh",
    )  # fmt: skip
    # A1, B1; no day, no amount, no quantity; and A1 as the earlier file said.
    told = pack.summary("en")
    assert "6 rows read, 2 accepted, 3 rejected, 1 replaced" in told
    assert "被替换 1" in pack.summary("zh")


@pytest.mark.nightly
def test_a_month_end_reads_all_sections(replacing):
    """Its figures and findings are of all tills."""
    pack = replacing.month_end("2026-11")
    power = pack.frame("spending_power")
    of_month = power[(power["level"] == "chain") & (power["period"] == "2026-11")]
    assert of_month["sales"].tolist() == [1300]
    assert {each.source for each in pack.findings} >= {"sales[2] south.csv"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO.replace('"csv"\npath = "s', '"cvs"\npath = "s'), r"sales\[2\].adapter"),
        (TWO.replace('adapter = "csv"\npath = "s', 'path = "s'),
         r"sales\[2\].adapter is needed"),
        (TWO.replace("units", "unit"), r"sales\[2\]: .*units"),
        (HEAD + 'sources.sales = ["a.csv", "b.csv"]', r"sales\[1\] takes a table"),
        (HEAD + "sources.sales = []", "sources.sales takes a table"),
        (HEAD + NORTH.replace("[[", "[").replace("]]", "]") + SOUTH, r"\[\[sources"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_section_names_it(text, message):
    """Of ten sections one is mended, and nobody has to look for it."""
    with pytest.raises(ConfigurationError, match=message):
        opened(text)


@pytest.mark.parametrize("option", ["snapshot", "rejects_folder"])
def test_two_sections_never_write_into_one_folder(option):
    """The second would take the place of what the first kept."""
    text = HEAD + NORTH + f'{option} = "kept/./it"\n' + SOUTH
    text = text.replace('path = "south', f'{option} = "Kept/it/"\npath = "south')
    with pytest.raises(ConfigurationError, match=rf"sales\[2\].{option} is that of"):
        opened(text)


@pytest.mark.parametrize("option", ["snapshot", "rejects_folder"])
@pytest.mark.parametrize("linked", [False, True])
def test_one_folder_by_two_names_is_noticed(option, linked, tmp_path):
    """Written from the root of the disk, or through a link, it is the same one."""
    Path("kept").mkdir()
    Path("link").symlink_to("kept")
    other = "link" if linked else tmp_path / "kept"
    text = HEAD + NORTH + f'{option} = "kept"\n' + SOUTH
    text = text.replace('path = "south', f"{option} = '{other}'\npath = \"south")
    with pytest.raises(ConfigurationError, match=rf"sales\[2\].{option} is that of"):
        opened(text)
    assert len(parse_settings(text).sources["sales"]) == 2


def test_a_section_that_cannot_be_read_is_named_in_the_error(capsys):
    """The command says which of them, once."""
    Path("south.csv").unlink()
    with pytest.raises(SourceError, match=r"south\.csv") as caught:
        opened(TWO).read()
    assert caught.value.__notes__ == ["sources.sales[2]"]
    asked = "month-end --month 2026-11 --out pack --chain chain.toml --language en"
    assert main(asked.split()) == 2
    assert "sources.sales[2]: " in capsys.readouterr().err


def test_a_ticket_of_two_sections_is_told_and_counts_twice():
    """A ticket is of a store and a day: an equal number elsewhere is another one."""
    head = "小票号,日期,门店,数量,金额\n"
    text = two_of(
        "sales",
        head + "T1,2026-11-05,S1,1,5\nT2,2026-11-05,S1,1,5\nT3,2026-11-05,S3,1,5\n",
        head + "T1,2026-11-05,S1,1,5\nT1,2026-11-05,S1,2,5\nT2,2026-11-05,S2,1,5\n",
        head + "T3,2026-11-06,S3,1,5\n",
    )
    result = opened(text).read().results["sales"]
    assert result.accepted == 7
    (told,) = [f for f in result.findings if f.rule == "record-in-several-sections"]
    assert (told.source, told.count, told.severity.value) == ("sales[2]", 1, "warning")
    assert "sales[1]" in told.message_en
    assert "sales[1]" in told.message_zh


def test_a_member_of_two_sections_counts_once_as_the_earlier_says():
    """Counts say how many rows were refused, and how many of them say otherwise."""
    head = "会员编号,姓名\n"
    text = two_of(
        "members",
        head + "M1,王一\nM2,王二\nM3,王三\n",
        head + "M3,王三\nM4,王四\nM2,李二\n",
        head + "M4,王四\nM5,王五\nM1,王一\n",
    )
    result = opened(text).read(only=["members"]).results["members"]
    assert result.frame["member_id"].tolist() == ["M1", "M2", "M3", "M4", "M5"]
    assert result.frame["name"].tolist()[1] == "王二"
    assert (result.rows_read, result.rejected) == (9, 4)
    told = [f for f in result.findings if f.rule == "record-in-several-sections"]
    assert [(each.source, each.count) for each in told] == [
        ("members[2]", 2),
        ("members[3]", 2),
    ]
    assert ["that differ: 1;" in each.message_en for each in told] == [True, False]
    assert result.rejects[["file", "line", "raw"]].to_numpy().tolist() == [
        ["members[2] members-2.csv", 2, "M3"],
        ["members[2] members-2.csv", 4, "M2"],
        ["members[3] members-3.csv", 2, "M4"],
        ["members[3] members-3.csv", 4, "M1"],
    ]
    assert [result.origin(at) for at in (3, 4)] == [
        ("members[2] members-2.csv", 3),
        ("members[3] members-3.csv", 3),
    ]
    assert "王" not in str(told)


def test_what_two_sections_give_is_listed_up_to_the_limit_of_rejects():
    """A million members of two shops fill no memory: beyond it they are counted."""
    members = FrameSource(pd.DataFrame({"member_id": ["M1", "M2", "M3"]}))
    part = members.read("members")
    parts, told = settled_sections([part] * 3, ["a", "b", "c"], MEMBERS, most=2)
    for each in parts[1:]:
        assert (each.accepted, len(each.rejects), each.unlisted) == (0, 2, 1)
    assert [(f.rule, f.source, f.count) for f in told] == [
        ("record-in-several-sections", "b", 3),
        ("rejects-unlisted", "b", 1),
        ("record-in-several-sections", "c", 3),
        ("rejects-unlisted", "c", 1),
    ]


def test_a_posting_of_two_sections_counts_once():
    """Its quantity is no sum of both; the later section's rows are refused."""
    head = "凭证号,类型,生效时间,礼品编号,转出,转入,数量\n"
    line = "{},入库,2026-10-01 09:00,{},supplier,warehouse,{}\n".format
    text = two_of(
        "gift_movements",
        head + line("R", "CUP", 1) + line("R", "PEN", 2) + line("S", "PEN", 3),
        head + line("R", "PEN", 2) + line("R", "CUP", 1) + line("S", "PEN", 4)
        + line("T", "PEN", 5),
    )  # fmt: skip
    result = opened(text).read(only=["gift_movements"]).results["gift_movements"]
    assert result.frame["quantity"].tolist() == [1, 2, 3, 5]
    (told,) = [f for f in result.findings if f.rule == "record-in-several-sections"]
    assert (told.source, told.count) == ("gift_movements[2]", 3)
    assert "that differ: 1;" in told.message_en


def test_rows_of_a_table_without_any_id_are_compared_whole():
    """A consent that two systems hold alike is told; another answer is not."""
    consents = pd.DataFrame(
        {"member_id": ["M1"], "channel": ["sms"], "given": ["yes"], "on": [DAY]}
    )
    again = consents.assign(given="no")
    joined = JoinedSource(
        FrameSource(consents), FrameSource(again), FrameSource(consents)
    ).read("consents")
    (told,) = [f for f in joined.findings if f.rule == "record-in-several-sections"]
    assert (told.source, told.count, joined.accepted) == ("source 3", 1, 3)


def test_amounts_stay_whole_where_a_section_lacks_an_optional_column():
    """A plugin that has no price, or no row at all, makes no floats of the others'."""

    class Bare:
        def __init__(self, source, rows):
            self.source, self.rows = source, rows

        def read(self, table):
            result = self.source.read(table)
            lean = result.frame[
                ["ticket_id", "sold_on", "store_id", "quantity", "amount"]
            ].head(self.rows)
            return type(result)(
                table=table, frame=lean.astype(object) if not self.rows else lean,
                findings=(), rejects=result.rejects, rows_read=self.rows,
            )  # fmt: skip

    frame = pd.DataFrame(
        {"ticket_id": ["A"], "sold_on": [DAY], "store_id": ["S1"],
         "quantity": [1], "amount": [500], "unit_price": [500]}
    )  # fmt: skip
    full = FrameSource(frame)
    other = FrameSource(frame.assign(store_id="S2"))
    alone = full.read("sales").frame
    joined = JoinedSource(Bare(other, 1), full, Bare(other, 0)).read("sales")
    assert joined.frame.dtypes[alone.columns].to_dict() == alone.dtypes.to_dict()
    assert joined.frame["unit_price"].isna().tolist() == [True, False]
    assert joined.origin(1)[0] == "source 2"


def test_findings_of_a_refresh_name_their_section(capsys):
    """Two tills may call their exports alike; one section is called by none."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    kept = NORTH + 'snapshot = "one"\n'
    (alone,) = opened(HEAD + kept).refresh()
    assert {each.source for each in alone.findings} == {"north.csv"}
    opened(HEAD + kept + SOUTH)
    asked = "refresh --chain chain.toml --format json --no-progress --fail-on error"
    assert main(asked.split()) == 1
    told = json.loads(capsys.readouterr().out)["findings"]
    assert {each["source"] for each in told} == {"sales[1] north.csv"}


class Tills:
    """A plugin whose tills count how often they are asked, and may be offline."""

    def __init__(self):
        self.asked, self.online = [], True

    @hookimpl
    def memberops_sources(self):
        """Bring the adapter."""
        return [Adapter(name="till", factory=self.make, summary="tills")]

    def make(self, context, *, store):
        """Make a source of one store."""
        tills = self

        class Source:
            def read(self, table):
                if not tills.online:
                    raise RuntimeError("王小明")
                tills.asked.append(store)
                return FrameSource(
                    pd.DataFrame(
                        {"ticket_id": ["T"], "sold_on": [DAY],
                         "store_id": [store], "quantity": [1], "amount": [500]}
                    )
                ).read(table)  # fmt: skip

        return Source()


def test_each_section_has_its_own_snapshot():
    """One is kept, one is asked each time; a refresh brings and names the kept."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    tills = Tills()
    parts = [
        f'[[sources.sales]]\nadapter = "till"\nstore = "S{number}"\n'
        for number in (1, 2, 3)
    ]
    text = HEAD + parts[0] + 'snapshot = "one"\n' + parts[1] + parts[2]
    text += 'snapshot = "three"\n'
    chain = opened(text, tills)
    with pytest.raises(SourceError, match="memberops refresh") as caught:
        chain.read()
    assert caught.value.__notes__ == ["sources.sales[1]"]
    told = []
    done = chain.refresh(progress=lambda *step: told.append(step))
    assert [(each.table, each.section, each.new) for each in done] == [
        ("sales", "sales[1]", 1),
        ("sales", "sales[3]", 1),
    ]
    assert done[1].describe("en").startswith("sales lines (sales[3]): 1 new")
    assert done[1].describe("zh").startswith("销售明细 (sales[3])：新增 1")
    assert [step[2:] for step in told] == [(0, 2), (1, 2)]
    assert "sales[3]" in told[1][0]
    del tills.asked[:]
    sales = opened(text, tills).read()["sales"]
    assert sales["store_id"].tolist() == ["S1", "S2", "S3"]
    assert tills.asked == ["S2"]
    tills.online = False
    with pytest.raises(SourceError, match="RuntimeError") as caught:
        opened(text, tills).read()
    assert caught.value.__notes__ == ["sources.sales[2]"]
    assert "王" not in str(caught.value)
    with pytest.raises(SourceError) as caught:
        opened(text, tills).refresh()
    assert caught.value.__notes__ == ["sources.sales[1]"]
