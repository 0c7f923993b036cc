"""Forms: typed figures with headings in two languages, built from what was measured."""

import datetime as dt

import pandas as pd
import pytest

from memberops.domain import Currency, Finding, Severity
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.metrics import (
    SPENDING_POWER,
    MetricPolicy,
    consumption_level,
    demographics,
    lapse,
    lapsed_members,
    measure,
    spending_power,
    store_ranking,
)
from memberops.policies import AnyOf, AtLeast, FeeWaiver, expiring_members
from memberops.reports import (
    Chart,
    Form,
    FormColumn,
    consumption_level_form,
    demographics_form,
    describe_finding,
    expiring_members_form,
    findings_form,
    lapse_form,
    lapsed_members_form,
    spending_power_form,
    store_ranking_form,
    working_form,
)
from memberops.schedules import Period
from memberops.testing import (
    cards_frame,
    members_frame,
    sales_frame,
    stores_frame,
    targets_frame,
)

OCTOBER = Period.month(2026, 10)
CNY = Currency("CNY")

SALES = sales_frame(
    [
        ("T1", "2026-10-03", "S1", "M1", 2, "400.00"),
        ("T2", "2026-10-05", "S1", None, 1, "100.00"),
        ("T3", "2026-10-09", "S2", "M2", 1, "50.00"),
        ("P1", "2026-09-09", "S1", "M1", 1, "250.00"),
        ("Y1", "2025-10-09", "S1", "M1", 1, "320.00"),
    ]
)
STORES = stores_frame([("S1", "east", "人民路店"), ("S2", "east", "=1+1 店")])
TARGETS = targets_frame([("S1", "2026-10", "480"), ("S2", "2026-10", "20")])
MEMBERS = members_frame(
    [
        {
            "member_id": member,
            "name": name,
            "phone": phone,
            "store_id": store,
            "joined_on": "2025-01-01",
        }
        for member, name, phone, store in (
            ("M1", "张三丰", "13812345678", "S1"),
            ("M2", "李四", "13987654321", "S2"),
            ("M3", "欧阳娜娜小朋友长名", "13700001111", "S2"),
        )
    ]
)
CARDS = cards_frame(
    [
        ("C1", "M1", "2025-12-01", "2026-11-30"),
        ("C2", "M2", "2025-12-01", "2026-11-30"),
        ("C3", "M3", "2026-01-01", "2026-12-31"),
    ]
)


def measured(by=("store", "region", "chain"), period=OCTOBER):
    """Measure the small chain above."""
    return measure(
        SALES, period=period, by=by, members=MEMBERS, cards=CARDS, stores=STORES
    )


def text_column(name="note", **options):
    """Make a plain text column."""
    return FormColumn(
        name=name, heading_en="Note", heading_zh="备注", style="text", **options
    )


def small_form(frame, *columns, **options):
    """Make a form of a few columns."""
    return Form(
        name="small",
        title_en="Small",
        title_zh="小表",
        columns=columns,
        frame=frame,
        currency=CNY,
        **options,
    )


def test_a_form_lacking_a_column_names_it():
    """A frame without a column of the form is refused by name."""
    with pytest.raises(MissingColumnsError, match="note"):
        small_form(pd.DataFrame({"nota": ["a"]}), text_column())


def test_a_form_refuses_columns_it_would_not_show():
    """A frame with a further column is refused: nothing is dropped in silence."""
    with pytest.raises(FrameError, match="extra"):
        small_form(pd.DataFrame({"note": ["a"], "extra": ["b"]}), text_column())


def test_a_form_refuses_a_column_twice():
    """Two columns of one name would be written under one heading."""
    frame = pd.DataFrame([["a", "b"]], columns=["note", "note"])
    with pytest.raises(FrameError, match="twice"):
        small_form(frame, text_column())


@pytest.mark.parametrize(
    ("style", "values"),
    [
        ("money", ["12.50"]),
        ("money", [True]),
        ("integer", [1.5]),
        ("percent", ["50 %"]),
        ("number", [None, "x"]),
        ("date", ["2026-11-05"]),
        ("date", [20261105]),
    ],
)
def test_a_form_refuses_values_that_do_not_fit_their_style(style, values):
    """Text as money or a number as a day is a type error that names the column."""
    column = FormColumn(name="x", heading_en="X", heading_zh="甲", style=style)
    with pytest.raises(ColumnTypeError, match="'x'"):
        small_form(pd.DataFrame({"x": values}), column)


def test_unknown_styles_and_chart_kinds_are_refused_with_a_hint():
    """A misspelled style or kind gets the nearest word."""
    with pytest.raises(InvalidValueError, match="did you mean 'percent'"):
        FormColumn(name="x", heading_en="X", heading_zh="甲", style="percents")
    with pytest.raises(InvalidValueError, match="did you mean 'column'"):
        chart(kind="columns")


def chart(**changes):
    """Make a chart of the column "n"."""
    values = {
        "kind": "column",
        "title_en": "N",
        "title_zh": "数",
        "series": "columns",
        "columns": ("n",),
        "label": "note",
        "first": 0,
        "last": 1,
    }
    return Chart(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": ("m",)},
        {"label": "m"},
        {"last": 2},
        {"columns": ("n", "k")},
    ],
)
def test_a_chart_draws_only_what_is_there_and_next_to_each_other(changes):
    """A chart of other rows or columns, or of columns apart, is refused."""
    columns = [
        FormColumn(name=name, heading_en=name, heading_zh=name, style="integer")
        for name in ("n", "o", "k")
    ]
    frame = pd.DataFrame({"note": ["a", "b"], "n": [1, 2], "o": [3, 4], "k": [5, 6]})
    assert small_form(frame, text_column(), *columns, charts=[chart()]).charts
    with pytest.raises(InvalidValueError):
        small_form(frame, text_column(), *columns, charts=[chart(**changes)])


@pytest.mark.parametrize(
    "changes", [{"columns": ()}, {"first": 2}, {"first": -1}, {"series": "cells"}]
)
def test_a_chart_of_nothing_is_refused(changes):
    """A chart needs a column and rows in order."""
    with pytest.raises(InvalidValueError):
        chart(**changes)


def test_personal_columns_are_masked_unless_revealed_by_name():
    """A form never holds a full phone number, birth date or amount by accident."""
    columns = (
        text_column("phone", personal=True, mask="tail"),
        text_column("who", personal=True),
        FormColumn(
            name="birth", heading_en="B", heading_zh="生", style="date", personal=True
        ),
        FormColumn(
            name="pay", heading_en="P", heading_zh="付", style="money", personal=True
        ),
    )
    frame = pd.DataFrame(
        {
            "phone": ["13812345678", None],
            "who": ["Anna Smith", None],
            "birth": pd.to_datetime(["1990-04-03", None]),
            "pay": pd.array([123456, None], dtype="Int64"),
        }
    )
    masked = small_form(frame, *columns).frame
    assert masked["phone"].tolist()[0] == "*******5678"
    assert masked["who"].tolist()[0] == "*****"
    assert masked["birth"].tolist()[0] == "*****"
    assert masked["pay"].tolist()[0] == "*****"
    assert masked.iloc[1].isna().all()
    shown = small_form(frame, *columns, revealed=("phone",)).frame
    assert shown["phone"].tolist()[0] == "13812345678"
    assert shown["birth"].tolist()[0] == "*****"
    assert frame["phone"].tolist()[0] == "13812345678"
    with pytest.raises(InvalidValueError, match="phone"):
        small_form(frame, *columns, revealed=("phon",))


def test_the_repr_of_a_form_has_no_data():
    """A form in a log or a traceback shows its size alone."""
    form = small_form(pd.DataFrame({"note": ["13812345678"] * 1000}), text_column())
    assert repr(form) == "Form('small', columns=1, rows=1000)"
    assert "138" not in str(form)


def test_words_are_shown_in_the_language_asked_for():
    """Levels and keys have words; a store's own id is left alone."""
    form = lapse_form(lapse(measured()), stores=STORES)
    level, key = form.column("level"), form.column("key")
    assert [level.word("region", each) for each in ("zh", "en", "both")] == [
        "区域",
        "Region",
        "区域 Region",
    ]
    assert key.word("unassigned", "zh") == "未分配"
    assert key.word("S1", "both") == "S1"


def test_every_column_of_every_form_has_two_headings():
    """No identifier stands in for a heading, and Chinese is Chinese."""
    everything = measured()
    forms = [
        consumption_level_form(consumption_level(everything)),
        demographics_form(demographics(everything)),
        spending_power_form(spending_power(everything, targets=TARGETS)),
        lapse_form(lapse(everything)),
        store_ranking_form(store_ranking(everything), stores=STORES),
        lapsed(()),
        expiring(()),
        findings_form([]),
        working_form(spending_power(everything, targets=TARGETS), SPENDING_POWER),
    ]
    assert len({form.name for form in forms}) == len(forms)
    for form in forms:
        assert any("\u4e00" <= char <= "\u9fff" for char in form.title_zh)
        assert len(form.notes_en) == len(form.notes_zh) > 0
        for column in form.columns:
            assert "_" not in column.heading_en + column.heading_zh, column.name
            assert column.heading_en, column.name
            assert any("\u4e00" <= char <= "\u9fff" for char in column.heading_zh), (
                column.name
            )


def test_a_lapse_rate_below_zero_is_explained_under_the_form():
    """A negative net rate is won back and left above newly lapsed (HQ §5.4)."""
    form = lapse_form(lapse(measured()))
    assert sum("below zero" in note for note in form.notes_en) == 1
    assert sum("流失率为负" in note for note in form.notes_zh) == 1


def test_rows_run_from_the_chain_down_to_the_stores():
    """The chain stands first, then regions, then stores, each named."""
    form = lapse_form(lapse(measured()), stores=STORES)
    assert form.frame[["level", "key"]].to_numpy().tolist() == [
        ["chain", "chain"],
        ["region", "east"],
        ["store", "S1"],
        ["store", "S2"],
    ]
    assert form.frame["store_name"].fillna("").tolist() == [
        "",
        "",
        "人民路店",
        "=1+1 店",
    ]


def test_the_largest_stores_stand_first_in_spending_power():
    """Stores come by their sales, and "unassigned" never outranks a store."""
    frame = spending_power(measured(), targets=TARGETS)
    assert frame["key"].tolist()[:2] == ["S1", "S2"]
    swapped = frame.assign(sales=-frame["sales"])
    form = spending_power_form(swapped)
    assert form.frame["key"].tolist() == ["chain", "east", "S2", "S1"]
    nobody = frame.assign(key=frame["key"].replace("S1", "unassigned"))
    assert spending_power_form(nobody).frame["key"].tolist()[-2:] == [
        "S2",
        "unassigned",
    ]


def test_the_fourteen_figures_of_the_chain_are_those_worked_by_hand():
    """550.00 against 500, 320 and 250: the form carries figures, not texts."""
    form = spending_power_form(spending_power(measured(), targets=TARGETS))
    chain = form.frame.iloc[0]
    assert chain["sales"] == 55_000
    assert chain["sales_target_attainment"] == 550 / 500
    assert chain["sales_year_over_year"] == 230 / 320
    assert chain["sales_period_over_period"] == 300 / 250
    assert chain["member_average_ticket_value"] == 22_500
    names = [figure.name for figure in SPENDING_POWER]
    at = [column.name for column in form.columns].index(names[0])
    assert [column.name for column in form.columns[at : at + 14]] == names


def test_charts_draw_the_chain_and_each_of_the_fourteen():
    """Every one of the fourteen is in a chart, percentages with percentages."""
    form = spending_power_form(
        spending_power(measured(), targets=TARGETS), stores=STORES
    )
    drawn = [name for each in form.charts for name in each.columns]
    assert sorted(drawn) == sorted(figure.name for figure in SPENDING_POWER)
    styles = [{form.column(n).style for n in each.columns} for each in form.charts]
    assert all(len(style) == 1 for style in styles)
    assert (form.charts[0].first, form.charts[0].last) == (0, 0)
    assert form.charts[2].label == "store_name"


def test_charts_do_not_grow_with_the_number_of_stores():
    """With 3000 stores a chart still shows at most ten of them, or six series."""
    one = spending_power(measured(by=("store", "chain")), targets=TARGETS)
    store = one[one["key"] == "S1"]
    stores = store.loc[store.index.repeat(3000)]
    stores = stores.assign(key=[f"N{number:04}" for number in range(3000)])
    many = pd.concat([stores, one[one["level"] == "chain"]], ignore_index=True)
    for form in (
        spending_power_form(many),
        spending_power_form(many[many["level"] == "store"]),
    ):
        for each in form.charts:
            most = 6 if each.series == "rows" else 10
            assert 1 <= each.last - each.first + 1 <= most


def test_charts_follow_the_chain_over_several_periods():
    """With months in a row the lapse rate is a line over them."""
    months = [Period.month(2026, 8), Period.month(2026, 9), OCTOBER]
    form = lapse_form(lapse(measured(period=months)))
    line = form.charts[-1]
    assert (line.kind, line.label, line.first, line.last) == ("line", "period", 0, 2)
    assert form.frame["period"].tolist()[:3] == ["2026-08", "2026-09", "2026-10"]


def test_charts_can_be_kept_to_one_period():
    """A month beside its year to date is not compared with it."""
    year = Period.span(dt.date(2026, 1, 1), dt.date(2026, 10, 31))
    frame = spending_power(measured(period=[OCTOBER, year]), targets=TARGETS)
    form = spending_power_form(frame, draw="2026-10")
    for each in form.charts:
        rows = form.frame.iloc[each.first : each.last + 1]
        assert set(rows["period"]) == {"2026-10"}
    ranked = store_ranking(measured(period=[OCTOBER, year]), stores=STORES)
    bars = store_ranking_form(ranked, draw="2026-10").charts[0]
    assert (bars.first, bars.last) == (0, 1)
    with pytest.raises(InvalidValueError, match="2026-10"):
        spending_power_form(frame, draw="2026-01")


def test_an_empty_form_has_no_charts():
    """A month without rows still gives its forms."""
    frame = lapse(measured()).iloc[:0]
    assert lapse_form(frame, draw="2026-10").charts == ()
    ranking = store_ranking(measured()).iloc[:0]
    assert store_ranking_form(ranking, stores=STORES).charts == ()


def test_bands_of_a_policy_have_their_own_headings():
    """Other edges give other columns, and all of them are charted in order."""
    policy = MetricPolicy(bands=("50", "450"), ages=(18,))
    of_policy = measure(SALES, period=OCTOBER, members=MEMBERS, policy=policy)
    form = consumption_level_form(consumption_level(of_policy), policy=policy)
    assert form.charts[0].columns == (
        "share_below_0",
        "share_0_50",
        "share_50_450",
        "share_450_up",
    )
    assert form.column("share_50_450").heading_zh == "占比 消费 50–450 元"
    ages = demographics_form(demographics(of_policy), policy=policy).charts[0].columns
    assert ages == ("share_under_18", "share_18_up", "share_age_unknown")


def test_the_ranking_names_stores_and_regions():
    """The store with the highest member sales is first, with name and region."""
    form = store_ranking_form(store_ranking(measured()), stores=STORES)
    shown = form.frame[["rank", "store_id", "store_name", "region_id"]]
    assert shown.to_numpy().tolist() == [
        [1, "S1", "人民路店", "east"],
        [2, "S2", "=1+1 店", "east"],
    ]
    assert form.charts[0].label == "store_name"
    assert store_ranking_form(store_ranking(measured())).charts[0].label == "store_id"


def lapsed(reveal):
    """Make the list of lapsed members of 30 June."""
    frame = lapsed_members(
        SALES, as_of=dt.date(2026, 6, 30), members=MEMBERS, cards=CARDS
    )
    return lapsed_members_form(frame, members=MEMBERS, stores=STORES, reveal=reveal)


def test_lapsed_members_are_listed_with_masked_names_and_phones():
    """Names and phones come from the members frame, masked unless revealed."""
    frame = lapsed(()).frame
    assert frame["member_id"].tolist() == ["M1", "M2", "M3"]
    assert frame["phone"].tolist() == ["*******5678", "*******4321", "*******1111"]
    assert frame["name"].tolist()[0] == "*****"
    assert lapsed(("phone",)).frame["phone"].tolist()[0] == "13812345678"
    assert lapsed(("phone",)).frame["name"].tolist()[0] == "*****"
    assert frame["visit_mode"].isna().all()


def test_a_lapsed_member_without_a_store_is_unassigned():
    """What stands for "no store" in the figures is never shown as an id."""
    frame = pd.DataFrame(
        {
            "store_id": ["", str(-(2**62))],
            "member_id": ["M1", "M2"],
            "last_purchase_on": pd.to_datetime(["2026-01-01", None]),
            "months_since": pd.array([9, None], dtype="Int64"),
            "lifetime_spend": [100, 0],
        }
    )
    form = lapsed_members_form(frame, stores=STORES)
    assert form.frame["store_id"].tolist() == ["unassigned", "unassigned"]
    assert form.column("store_id").word("unassigned", "zh") == "未分配"


def test_ids_that_are_numbers_are_shown_as_text():
    """A frame with whole-number ids is listed and joined as well."""
    frame = pd.DataFrame(
        {
            "store_id": [7],
            "member_id": [42],
            "last_purchase_on": pd.to_datetime(["2026-01-01"]),
            "months_since": pd.array([9], dtype="Int64"),
            "lifetime_spend": [100],
        }
    )
    stores = pd.DataFrame({"store_id": [7], "name": ["七店"]})
    form = lapsed_members_form(frame, stores=stores)
    assert form.frame[["store_id", "store_name", "member_id"]].to_numpy().tolist() == [
        ["7", "七店", "42"]
    ]


def expiring(reveal, waiver=None, stores=STORES):
    """Make October's list of the cards that end in November."""
    waiver = waiver or FeeWaiver()
    figures = CARDS.assign(purchases=[2, 0, 0], spend=[77_000, 0, 0], referrals=0)
    frame = expiring_members(
        CARDS,
        figures,
        month=OCTOBER,
        waiver=waiver,
        members=MEMBERS,
        stores=stores,
        reveal=reveal,
    )
    return expiring_members_form(frame, waiver=waiver, stores=stores, reveal=reveal)


def test_expiring_members_show_what_is_still_missing():
    """Two purchases and 770.00 leave one purchase or 230.00."""
    form = expiring(())
    row = form.frame.iloc[0]
    assert (row["card_id"], row["missing_purchases"], row["missing_spend"]) == (
        "C1",
        1,
        23_000,
    )
    assert form.column("missing_spend").style == "money"
    assert form.column("missing_purchases").style == "integer"
    assert row["phone"] == "*******5678"
    assert expiring(("phone",)).frame["phone"].tolist()[0] == "13812345678"


def test_expiring_members_take_the_figures_of_any_rule():
    """Another rule brings its own columns, with the words that it gives."""
    waiver = FeeWaiver(rule=AnyOf(AtLeast("purchases", 5), AtLeast("referrals", 1)))
    form = expiring((), waiver, stores=None)
    names = [column.name for column in form.columns]
    assert "missing_referrals" in names
    assert "spend" not in names
    assert form.column("referrals").heading_zh == "已有推荐人数"


def test_findings_come_by_severity_and_are_counted():
    """Errors first; a finding that stands for 40 rows counts 40."""
    findings = [
        Finding(
            table="sales",
            rule="r",
            message_en="e",
            message_zh="中",
            severity=severity,
            count=count,
        )
        for severity, count in (
            (Severity.INFO, 40),
            (Severity.ERROR, 2),
            (Severity.WARNING, 3),
            (Severity.ERROR, 1),
        )
    ]
    form = findings_form(findings)
    assert form.frame["severity"].tolist() == ["error", "error", "warning", "info"]
    assert form.frame["count"].tolist() == [2, 1, 3, 40]
    assert form.notes_en == ("Errors 3, warnings 3, infos 40.",)
    assert form.column("table").word("sales", "zh") == "销售明细"


def test_findings_name_tables_and_columns_in_the_language_of_the_reader():
    """A Chinese reader sees 会员编号, an English one Member ID; a heading stays."""
    finding = Finding(table="members", rule="r", row=1252, column="member_id",
                      message_en="e", message_zh="中")  # fmt: skip
    assert (
        describe_finding(finding, "zh") == "错误 会员档案 第 1252 行 会员编号: 中 (r)"
    )
    assert describe_finding(finding, "en") == "error Members row 1252 Member ID: e (r)"
    other = Finding(table="stores", rule="r", column="name", message_en="e",
                    message_zh="中")  # fmt: skip
    foreign = Finding(table="plugin", rule="r", column="备注", message_en="e",
                      message_zh="中")  # fmt: skip
    frame = findings_form([finding, other, foreign]).frame
    assert frame["column_zh"].tolist() == ["会员编号", "门店名称", "备注"]
    assert frame["column_en"].tolist() == ["Member ID", "Store name", "备注"]


def test_the_working_shows_inputs_formula_and_result():
    """Whoever audits a figure finds its inputs in major units and exact parts."""
    frame = spending_power(measured(by="chain"), targets=TARGETS)
    form = working_form(frame, SPENDING_POWER)
    rows = form.frame.set_index("figure")
    attained = rows.loc["sales_target_attainment"]
    assert attained["inputs_en"] == "Sales = 550.00; Sales target = 500.00"
    assert attained["inputs_zh"] == "销售额 = 550.00；销售目标 = 500.00"
    assert attained["formula_zh"] == "销售额 ÷ 销售目标"
    assert (attained["numerator"], attained["denominator"]) == (55_000, 50_000)
    assert attained["value"] == pytest.approx(1.1)
    assert rows.loc["member_average_ticket_value", "value"] == 225.0
    assert len(rows) == 14


def test_the_working_says_why_a_figure_is_undefined():
    """A store without sales a year before has a zero there, and no result."""
    frame = spending_power(measured(by="store"))
    form = working_form(frame, SPENDING_POWER)
    rows = form.frame[form.frame["key"] == "S2"].set_index("figure")
    assert rows.loc["sales_year_over_year", "reason"] == "zero"
    assert pd.isna(rows.loc["sales_year_over_year", "value"])
    assert "Sales target = unknown" in rows.loc["sales_target_attainment", "inputs_en"]
    word = form.column("reason").word
    assert (word("zero", "zh"), word("unknown", "zh")) == ("分母为零", "缺少所需数据")
