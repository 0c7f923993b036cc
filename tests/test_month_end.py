"""Promises of the month end: every form that the tables allow, right and explained."""

import csv
import datetime as dt

import openpyxl
import pandas as pd
import pytest

from memberops import Currency, Period, Severity, metrics, open_chain
from memberops.adapters.sources import SourceResult
from memberops.errors import (
    FrameError,
    InvalidValueError,
    MissingColumnsError,
    ScheduleError,
    SourceError,
    UnknownTableError,
)
from memberops.testing import (
    SyntheticChain,
    cards_frame,
    members_frame,
    sales_frame,
    stores_frame,
    write_chain,
)
from memberops.workflows import Chain

OFFICE = {
    "complaint_case", "hard_cases", "visit_plan", "visit_record", "audit_sample",
    "visit_coverage", "service_report", "satisfaction",
}  # fmt: skip
"""The forms that need the office's own tables; see test_month_office_forms."""
FORMS = (
    "expiring_members",
    "consumption_level",
    "demographics",
    "spending_power",
    "lapse",
    "lapsed_members",
    "store_ranking",
    "premium_members",
    "findings",
    "working",
)
SMALL = SyntheticChain(
    seed=11,
    stores=5,
    regions=2,
    members=600,
    months=15,
    first_month=dt.date(2025, 8, 1),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A small chain as files with the dirt of real exports."""
    return write_chain(tmp_path_factory.mktemp("chain") / "demo", chain=SMALL)


@pytest.fixture(scope="module")
def chain(written):
    """The chain of those files."""
    return open_chain(written.chain_file, entry_points=False)


@pytest.fixture(scope="module")
def tables(chain):
    """Its tables, read once."""
    return chain.read()


@pytest.fixture(scope="module")
def pack(chain, tables):
    """Its month end of October 2026."""
    return chain.month_end("2026-10", tables=tables)


@pytest.fixture(scope="module")
def light(chain, tables):
    """The same chain without the office's own tables: what a few promises need."""
    names = ("sales", "members", "cards", "stores")
    frames = {name: tables[name] for name in names}
    return Chain.from_frames(**frames, policies=chain.policies)


@pytest.fixture(scope="module")
def january(chain, tables):
    """Its month end of January 2026."""
    return chain.month_end("2026-01", tables=tables)


@pytest.fixture(scope="module")
def again(chain, january):
    """Its month end of October once more, read anew, and what was told of its steps."""
    told = []
    pack = chain.month_end(
        "2026-10",
        progress=lambda english, chinese, done, total: told.append(
            (english, chinese, done, total)
        ),
    )
    return pack, told


def one(frame, **where):
    """Return the only row that fits."""
    for name, value in where.items():
        frame = frame[frame[name] == value]
    (row,) = frame.to_dict("records")
    return row


def test_a_pack_has_every_form_in_order(pack):
    """Nine forms; each is reached by its name, and its rows as a frame."""
    assert tuple(name for name in pack.names if name not in OFFICE) == FORMS
    assert [form.name for form in pack] == list(pack.names)
    assert pack["lapse"].title_zh == "会员流失分析表"
    assert pack.frame("lapse") is pack["lapse"].frame
    assert pack.month == Period.month(2026, 10)
    assert pack.as_of == dt.date(2026, 10, 31)
    with pytest.raises(UnknownTableError, match="did you mean 'lapse'"):
        pack["laps"]


def test_every_level_and_both_periods_are_there(pack, tables):
    """Store, region and chain; the month and the calendar year to date (HQ §5)."""
    for name in ("consumption_level", "demographics", "spending_power", "lapse"):
        frame = pack.frame(name)
        assert set(frame["level"]) == {"store", "region", "chain"}
        assert list(frame["period"].unique()) == ["2026-10", "2026-01-01..2026-10-31"]
    ranking = pack.frame("store_ranking")
    assert set(ranking["period"]) == {"2026-10", "2026-01-01..2026-10-31"}
    sold = tables["sales"]
    sold = sold[sold["sold_on"].between("2026-01-01", "2026-10-31")]
    known = {*tables["stores"]["store_id"], *sold["store_id"]}
    assert set(ranking["store_id"]) == known


def test_the_figures_agree_with_plain_pandas(pack, tables):
    """Sales and tickets of the month, counted in another way from the same rows."""
    sales = tables["sales"]
    # A linked return counts on the day of the ticket that it takes back.
    owner = sales["returned_ticket_id"].where(
        sales["returned_ticket_id"].isin(sales["ticket_id"]), sales["ticket_id"]
    )
    first = sales.drop_duplicates("ticket_id").set_index("ticket_id")
    lines = pd.DataFrame(
        {
            "ticket": owner,
            "day": first["sold_on"].reindex(owner).to_numpy(),
            "member": first["member_id"].reindex(owner).to_numpy(),
            "store": first["store_id"].reindex(owner).to_numpy(),
            "amount": sales["amount"].to_numpy(),
        }
    )
    month = lines[lines["day"].between("2026-10-01", "2026-10-31")]
    net = month.groupby("ticket").agg(
        {"amount": "sum", "member": "first", "store": "first"}
    )
    bought = net[net["amount"] > 0]
    row = one(pack.frame("spending_power"), level="chain", period="2026-10")
    assert row["sales"] == month["amount"].sum()
    assert row["tickets"] == len(bought)
    assert row["member_sales"] == month["amount"][month["member"].notna()].sum()
    assert row["member_tickets"] == bought["member"].notna().sum()
    assert row["consuming_members"] == bought["member"].nunique()
    of_store = bought[bought["store"] == "S02"]
    row = one(pack.frame("spending_power"), key="S02", period="2026-10")
    assert row["consuming_members"] == of_store["member"].nunique()


def test_targets_of_the_files_make_the_attainment(pack, tables):
    """The store's target of the month, and sales over it."""
    targets = tables["targets"]
    wanted = one(targets, store_id="S01", month=pd.Timestamp("2026-10-01"))["target"]
    row = one(pack.frame("spending_power"), key="S01", period="2026-10")
    assert row["target"] == wanted
    assert row["sales_target_attainment"] == row["sales"] / wanted


def test_expiring_members_are_those_of_the_next_month_without_the_waiver(pack, tables):
    """The list equals one made by hand: November, not renewed, not waived."""
    cards, sales = tables["cards"], tables["sales"]
    november = cards[cards["valid_through"].between("2026-11-01", "2026-11-30")]
    later = cards[cards["valid_through"] > "2026-11-30"]
    november = november[~november["card_id"].isin(later["card_id"])]
    tickets = metrics.tickets(sales)
    listed = {}
    for card in november.itertuples():
        own = tickets[
            (tickets["member_id"] == card.member_id)
            & (tickets["sold_on"] >= card.valid_from)
            & (tickets["sold_on"] <= "2026-10-31")
        ]
        purchases, spend = int((own["amount"] > 0).sum()), int(own["amount"].sum())
        if purchases < 3 and spend < 100_000:
            listed[card.card_id] = (purchases, spend)
    frame = pack.frame("expiring_members")
    assert len(frame) > 5
    assert {
        row.card_id: (row.purchases, row.spend) for row in frame.itertuples()
    } == listed
    assert set(frame["valid_through"].dt.month) == {11}
    assert set(frame["month"]) == {"2026-10"}


def test_names_and_phones_are_masked_unless_revealed(light, tables, pack):
    """Only what is asked for by name is shown, in both lists."""
    members = tables["members"]
    phones = set(members["phone"].dropna())
    names = set(members["name"].dropna())
    for form in ("expiring_members", "lapsed_members"):
        assert not phones & set(pack.frame(form)["phone"])
        assert not names & set(pack.frame(form)["name"])
    shown = light.month_end("2026-10", reveal=["phone"])
    for form in ("expiring_members", "lapsed_members"):
        frame = shown.frame(form)
        assert set(frame["phone"].dropna()) <= phones
        assert not names & set(frame["name"])
    with pytest.raises(InvalidValueError, match="did you mean 'phone'"):
        light.month_end("2026-10", reveal=["phones"])
    sales = Chain.from_frames(sales=tables["sales"].head(100))
    alone = sales.month_end("2026-10", reveal="phone")
    assert alone.reveal == shown.reveal == ("phone",)


def test_an_earlier_day_knows_fewer_purchases(light, pack):
    """Run by the 5th: what is bought later in the month is not known yet."""
    early = light.month_end("2026-10", as_of=dt.date(2026, 10, 5))
    assert early.as_of == dt.date(2026, 10, 5)
    then = early.frame("expiring_members").set_index("card_id")["purchases"]
    now = pack.frame("expiring_members").set_index("card_id")["purchases"]
    assert set(now.index) <= set(then.index)
    assert (then.reindex(now.index) <= now).all()
    assert then.sum() < now.sum() or len(then) > len(now)
    with pytest.raises(InvalidValueError, match="is a day of the run month 2026-10"):
        light.month_end("2026-10", as_of=dt.date(2026, 11, 5))
    with pytest.raises(InvalidValueError, match="not a datetime"):
        light.month_end("2026-10", as_of=dt.datetime(2026, 10, 5, tzinfo=dt.UTC))


def test_findings_are_those_of_sources_and_checks(pack, written, tables):
    """What was planted comes out, and the page has a row for each finding."""
    told = {(each.table, each.rule) for each in pack.findings}
    for dirt in written.planted:
        assert (dirt.table, dirt.rule) in told
    assert ("sales", "store-unknown") in told
    assert len(pack.frame("findings")) == len(pack.findings)
    assert pack.worst is Severity.ERROR
    for name in tables:
        result = tables.results[name]
        assert result.rows_read == result.accepted + len(pack.rejects[name])


def test_the_working_has_every_figure_of_every_row(pack, chain):
    """Inputs, formula and result: whoever audits can compute it again."""
    working = pack.frame("working")
    policy = chain.policies.metrics
    rows = {name: len(pack.frame(name)) for name in FORMS}
    assert len(working) == (
        rows["consumption_level"] * len(metrics.consumption_figures(policy))
        + rows["demographics"] * len(metrics.demographic_figures(policy))
        + rows["spending_power"] * len(metrics.SPENDING_POWER)
        + rows["lapse"] * len(metrics.LAPSE)
        + rows["store_ranking"] * len(metrics.RANKING)
    )
    known = working[working["reason"] == ""]
    for row in known.itertuples():
        # An average is shown in major units; its parts are whole minor units.
        scale = 100 if row.figure == "member_average_ticket_value" else 1
        assert row.value == pytest.approx(row.numerator / row.denominator / scale)
    words = pack["working"].column("figure").words
    assert {word for word, _, _ in words} == set(working["figure"])


def test_charts_draw_the_month_not_its_year(pack):
    """No chart sets the month beside the year to date that holds it."""
    for name in ("consumption_level", "demographics", "spending_power", "lapse"):
        form = pack[name]
        assert form.charts
        for chart in form.charts:
            drawn = form.frame["period"].iloc[chart.first : chart.last + 1]
            assert set(drawn) == {"2026-10"}


def test_a_pack_is_written_as_workbook_and_csv(pack, tmp_path):
    """A sheet for each form; one file a form and a table of rejects."""
    book = openpyxl.load_workbook(pack.to_workbook(tmp_path / "october.xlsx"))
    for name in FORMS:
        assert any(title.startswith(pack[name].title_zh) for title in book.sheetnames)
    files = pack.to_csv(tmp_path / "csv")
    assert [file.name for file in files] == [f"{name}.csv" for name in pack.names]
    with files[FORMS.index("lapse")].open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file)
    assert "期末流失会员数" in heading
    assert len(rows) == len(pack.frame("lapse"))
    english = pack.to_csv(tmp_path / "en", language="en")
    assert "Lapsed at the end" in english[4].read_text("utf-8-sig")
    rejects = pack.rejects_to_csv(tmp_path / "rejects")
    assert [file.name for file in rejects] == [
        f"{name}-rejects.csv" for name in pack.tables
    ]
    with rejects[3].open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + len(pack.rejects["sales"])


def test_the_summary_speaks_both_languages(pack):
    """Counts of what was read and the main figures, in Chinese and in English."""
    chinese, english = pack.summary(), pack.summary("en")
    sales = one(pack.frame("spending_power"), level="chain", period="2026-10")["sales"]
    amount = f"{Currency('CNY').to_decimal(sales):,}"
    for text in (chinese, english):
        assert amount in text
        assert "2026-10" in text
    assert "销售明细：读取" in chinese
    assert "拒收 7" in chinese
    assert "rows read" in english
    assert "7 rejected" in english
    with pytest.raises(InvalidValueError, match="language must be"):
        pack.summary("fr")


def test_what_is_printed_of_a_pack_has_no_values(pack, chain, tables):
    """A repr in a log names and counts; it never shows a row."""
    assert repr(pack) == (
        f"MonthEnd('2026-10', forms={len(pack.names)}, findings={len(pack.findings)})"
    )
    assert repr(tables).startswith("ChainTables(members: 601 of 603, cards: ")
    assert "会员0" not in f"{chain!r}{tables!r}{pack!r}"


def test_progress_is_told_each_step_in_order(again):
    """Every step once, in both languages, and the end."""
    _, told = again
    assert [done for _, _, done, _ in told] == list(range(len(told)))
    assert {total for *_, total in told} == {len(told) - 1}
    assert told[0][:2] == ("reading members", "读取会员档案")
    assert told[-1][:2] == ("", "")
    assert all(english and chinese for english, chinese, *_ in told[:-1])


def test_the_same_files_give_the_same_pack(again, pack):
    """Nothing depends on a clock, on the order of asking, or on another month."""
    other, _ = again
    assert other.findings == pack.findings
    for name in FORMS:
        pd.testing.assert_frame_equal(other.frame(name), pack.frame(name))


def test_january_has_no_second_period_and_december_has_the_year(light, january):
    """The year to date of January is January; that of December is the year."""
    december = light.month_end("2025-12").frame("lapse")
    assert list(december["period"].unique()) == ["2025-12", "2025"]
    assert list(january.frame("lapse")["period"].unique()) == ["2026-01"]


SOLD = [
    ("T1", "2026-10-03", "S1", "M1", 2, "39.80"),
    ("T2", "2026-10-05", "S2", None, 1, "12.50"),
]


def absent(pack):
    """Return which tables a pack says its absent forms need."""
    return {finding.table for finding in pack.findings if finding.rule == "form-absent"}


def test_sales_alone_are_enough_for_the_sales_figures():
    """What cannot be made is absent, and says which source it needs."""
    pack = Chain.from_frames(sales=sales_frame(SOLD)).month_end("2026-10")
    assert set(FORMS) - set(pack.names) == {
        "expiring_members", "demographics", "premium_members"
    }  # fmt: skip
    assert absent(pack) == {"cards", "members", "complaints", "visits", "surveys"}
    (finding,) = [
        each
        for each in pack.findings
        if each.rule == "form-absent" and each.table == "cards"
    ]
    assert "[sources.cards]" in finding.message_en
    assert "到期会员名单" in finding.message_zh
    with pytest.raises(UnknownTableError, match="needs a source of cards"):
        pack["expiring_members"]
    row = one(pack.frame("spending_power"), level="chain", period="2026-10")
    assert (row["sales"], row["member_sales"]) == (5230, 3980)
    assert "sales_target_attainment: unknown" in row["undefined"]
    assert set(pack.frame("spending_power")["level"]) == {"chain", "store"}


def test_regions_come_with_stores_that_have_them():
    """Stores without any region give no level "region"."""
    sales = sales_frame(SOLD)
    plain = Chain.from_frames(sales=sales, stores=stores_frame([("S1",), ("S2",)]))
    assert "region" not in set(plain.month_end("2026-10").frame("lapse")["level"])
    regions = stores_frame([("S1", "east", "一店"), ("S2", "west", "二店")])
    pack = Chain.from_frames(sales=sales, stores=regions).month_end("2026-10")
    rows = pack.frame("spending_power")
    assert one(rows, key="east", period="2026-10")["sales"] == 3980
    assert one(rows, key="S1", period="2026-10")["store_name"] == "一店"


def test_no_members_at_all_leaves_undefined_figures_not_zeros():
    """An empty members table and sales of other customers alone."""
    sales = sales_frame([("T1", "2026-10-03", "S1", None, 1, "5.00")])
    chain = Chain.from_frames(sales=sales, members=members_frame([]))
    pack = chain.month_end("2026-10")
    row = one(pack.frame("consumption_level"), level="chain", period="2026-10")
    assert row["valid_members"] == 0
    assert pd.isna(row["consuming_member_share"])
    assert "consuming_member_share: zero" in row["undefined"]
    assert len(pack.frame("lapsed_members")) == 0


def test_a_month_without_sales_is_a_pack_with_a_finding():
    """Everything is zero or undefined, and the finding says why."""
    chain = Chain.from_frames(
        sales=sales_frame(SOLD),
        members=members_frame([("M1",)]),
        cards=cards_frame([("C1", "M1", "2026-02-01", "2027-01-31")]),
    )
    pack = chain.month_end("2026-12")
    assert "month-without-sales" in {each.rule for each in pack.findings}
    row = one(pack.frame("spending_power"), level="chain", period="2026-12")
    assert row["sales"] == 0
    assert pd.isna(row["member_sales_share"])
    assert pack.frame("expiring_members")["card_id"].tolist() == ["C1"]
    # Bought on 3 October: not yet lapsed at the end of December.
    assert len(pack.frame("lapsed_members")) == 0


def test_an_empty_sales_frame_is_no_crash():
    """A chain on its first day."""
    pack = Chain.from_frames(sales=sales_frame([])).month_end("2026-10")
    assert "month-without-sales" in {each.rule for each in pack.findings}
    assert pack.worst is Severity.ERROR


def test_a_month_without_sales_says_so_before_anything_else():
    """An error, first in the findings and in the summary; and nobody is ranked."""
    sales = sales_frame([*SOLD, ("T3", "2026-10-06", "", None, 1, "1.00")])
    stores = stores_frame([("S1",), ("S2",)])
    pack = Chain.from_frames(sales=sales, stores=stores).month_end("2031-01")
    assert [each.rule for each in pack.findings][:2] == [
        "month-without-sales",
        "required-missing",
    ]
    assert pack.findings[0].severity is Severity.ERROR
    assert "没有任何销售" in pack.summary("zh").splitlines()[1]
    assert "no sale in 2031-01" in pack.summary("en").splitlines()[1]
    assert pack.frame("store_ranking")["rank"].isna().all()
    assert "会员销售居前" not in pack.summary("zh")


def test_an_unknown_store_without_sales_is_not_ranked():
    """It sold in September; in October only the chain's own stores have a place."""
    sales = sales_frame([*SOLD, ("T0", "2026-09-05", "S99", "M1", 1, "99.00")])
    stores = stores_frame([("S1",), ("S2",), ("S3",)])
    chain = Chain.from_frames(sales=sales, stores=stores)
    ranking = chain.month_end("2026-10").frame("store_ranking")
    month = ranking[ranking["period"] == "2026-10"]
    assert month["store_id"].tolist() == ["S1", "S2", "S3"]
    assert month["rank"].tolist() == [1, 2, 2]
    year = ranking[ranking["period"] != "2026-10"]
    assert year["store_id"].tolist()[0] == "S99"


def test_a_folder_holds_the_forms_of_this_run_only(tmp_path):
    """A list that was revealed once does not stay when it is no longer made."""
    sales = sales_frame(SOLD)
    cards = cards_frame([("C1", "M1", "2025-12-01", "2026-11-30")])
    whole = Chain.from_frames(sales=sales, cards=cards).month_end("2026-10")
    whole.to_csv(tmp_path)
    whole.rejects_to_csv(tmp_path)
    assert (tmp_path / "expiring_members.csv").exists()
    foreign = tmp_path / "notes.csv"
    foreign.write_text("ours", encoding="utf-8")
    pack = Chain.from_frames(sales=sales).month_end("2026-10")
    written = {*pack.to_csv(tmp_path), *pack.rejects_to_csv(tmp_path)}
    assert set(tmp_path.iterdir()) == {*written, foreign}
    assert not (tmp_path / "expiring_members.csv").exists()


def test_revealed_files_are_readable_by_their_owner_only(tmp_path):
    """Also where an earlier file was open to all."""
    members = members_frame([{"member_id": "M1", "name": "王"}])
    chain = Chain.from_frames(sales=sales_frame(SOLD), members=members)
    pack = chain.month_end("2026-10", reveal="name")
    for file in pack.to_csv(tmp_path):
        file.chmod(0o644)
    files = [*pack.to_csv(tmp_path), pack.to_workbook(tmp_path / "x.xlsx")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    with pytest.raises(SourceError, match="there is no folder"):
        pack.to_workbook(tmp_path / "nodir/x.xlsx")


def test_a_visit_day_that_has_passed_is_moved_and_explained():
    """As of the month's end the 5th is over: the next 5th, or the card's last day."""
    cards = cards_frame(
        [
            ("C1", "M1", "2025-12-01", "2026-11-30"),
            ("C2", "M2", "2025-11-03", "2026-11-02"),
        ]
    )
    chain = Chain.from_frames(sales=sales_frame(SOLD), cards=cards)
    form = chain.month_end("2026-10")["expiring_members"]
    due = dict(zip(form.frame["card_id"], form.frame["visit_due"], strict=True))
    assert due == {
        "C1": pd.Timestamp("2026-11-05"),
        "C2": pd.Timestamp("2026-11-02"),
    }
    assert any("2026-10-05" in note for note in form.notes_en)
    early = chain.month_end("2026-10", as_of=dt.date(2026, 10, 5))["expiring_members"]
    assert set(early.frame["visit_due"]) == {pd.Timestamp("2026-10-05")}
    assert not any("2026-10-05" in note for note in early.notes_en)


def test_other_engines_frames_give_the_same_pack():
    """A host with polars frames gets the same forms."""
    polars = pytest.importorskip("polars")
    sales = sales_frame(SOLD)
    members = members_frame([("M1", "female", "1990-05-01", "S1", "2025-01-01")])
    plain = Chain.from_frames(sales=sales, members=members).month_end("2026-10")
    other = Chain.from_frames(
        sales=polars.from_pandas(sales).lazy(), members=polars.from_pandas(members)
    ).month_end("2026-10")
    for name in plain.names:
        pd.testing.assert_frame_equal(
            plain.frame(name), other.frame(name), check_dtype=False
        )


def test_what_is_no_calendar_month_is_refused(chain, tables):
    """A quarter, a day, or nonsense is no month end."""
    for label in ("2026-Q4", "2026-10-05", "2026"):
        with pytest.raises(InvalidValueError, match="a calendar month such as"):
            chain.month_end(label, tables=tables)
    with pytest.raises(ScheduleError, match="no period is written"):
        chain.month_end("October", tables=tables)


FILE = """
name = "x"
currency = "CNY"
zone = "Asia/Shanghai"
[sources.sales]
adapter = "csv"
path = "sales.csv"
"""


def files(folder, **texts):
    """Write a chain file with its tables; return the chain."""
    (folder / "chain.toml").write_text(FILE, encoding="utf-8")
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return open_chain(folder / "chain.toml", entry_points=False)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    """Opening the chain opens no file; reading says which one is not there."""
    chain = files(tmp_path)
    with pytest.raises(SourceError, match=r"sales\.csv"):
        chain.month_end("2026-10")


def test_an_empty_file_is_a_finding_and_a_month_without_sales(tmp_path):
    """No row, no crash, and the file is named."""
    pack = files(tmp_path, sales="").month_end("2026-10")
    rules = {each.rule: each for each in pack.findings}
    assert rules["file-empty"].source == "sales.csv"
    assert "month-without-sales" in rules


def test_an_unknown_column_is_told_and_a_missing_one_refused(tmp_path):
    """What means nothing is listed; what is needed is named with the nearest."""
    good = "小票号,销售日期,门店,数量,金额,天气\nT1,2026-10-03,S1,1,5.00,晴\n"
    pack = files(tmp_path, sales=good).month_end("2026-10")
    (finding,) = [each for each in pack.findings if each.rule == "heading-ignored"]
    assert "天气" in finding.message_zh
    bad = "小票号,销售日期,门店,数量,实付金頟\nT1,2026-10-03,S1,1,5.00\n"
    with pytest.raises(MissingColumnsError, match="did you mean '实付金頟'"):
        files(tmp_path, sales=bad).month_end("2026-10")


class Fickle:
    """A source of a plugin that does what it should not."""

    def __init__(self, answer):
        self.answer = answer

    def read(self, table):
        """Raise or return what it was given."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_plugins_failure_is_told_without_its_text():
    """What a foreign error says may quote a row; only its kind is shown."""
    chain = Chain(sources={"sales": Fickle(KeyError("13812345678"))})
    with pytest.raises(SourceError, match="source of sales failed with KeyError") as it:
        chain.read()
    assert "13812345678" not in str(it.value)
    assert isinstance(it.value.__cause__, KeyError)


def test_a_plugins_wrong_answer_is_refused():
    """No SourceResult, or one without the columns that no row may lack."""
    with pytest.raises(SourceError, match="gave a DataFrame, no SourceResult"):
        Chain(sources={"sales": Fickle(sales_frame(SOLD))}).read()
    good = Chain.from_frames(sales=sales_frame(SOLD)).read().results["sales"]
    bad = SourceResult(
        table="sales",
        frame=good.frame.drop(columns="amount"),
        rejects=good.rejects,
        findings=(),
        rows_read=good.rows_read,
    )
    with pytest.raises(MissingColumnsError, match="lacks 'amount'"):
        Chain(sources={"sales": Fickle(bad)}).read()


def test_frames_that_are_none_or_lack_a_column_are_refused():
    """A list is no frame; a frame without its key is no table."""
    with pytest.raises(FrameError, match="must be a pandas, polars, pyarrow or DuckDB"):
        Chain.from_frames(sales=[1, 2]).read()
    with pytest.raises(MissingColumnsError, match="'store_id'"):
        Chain.from_frames(
            sales=sales_frame(SOLD), stores=pd.DataFrame({"shop": ["S1"]})
        ).read()
