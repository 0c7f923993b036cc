"""Promises of ``chain.toml``: strict, every problem at once, each by its path."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from memberops import (
    Adapter,
    Currency,
    FeeWaiver,
    hookimpl,
    open_chain,
)
from memberops.cli.wrong_use import WRONG_USE, tell_wrong_use
from memberops.errors import (
    ConfigurationError,
    CurrencyMismatchError,
    InvalidValueError,
    UnknownTableError,
)
from memberops.metrics import MetricPolicy
from memberops.policies import CardState, Renewal, Term
from memberops.testing import sales_frame
from memberops.workflows import Chain, ChainPolicies, parse_settings, read_settings
from memberops.workflows.configuration import configuration_error
from memberops.workflows.opening import section_sources
from memberops.workflows.structuring import Misfit, Problem, Reader, Spelling

HEAD = """
name = "示例连锁"
currency = "CNY"
zone = "Asia/Shanghai"
"""
SALES = """
[sources.sales]
adapter = "csv"
path = "sales.csv"
"""
SOLD = [("T1", "2026-10-03", "S1", "M1", 2, "39.80")]


def problem(text, head=HEAD, sales=SALES):
    """Return the message that a chain file gets."""
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(f"{head}\n{sales}\n{text}")
    return str(caught.value)


def test_a_file_becomes_values():
    """Every section of a file is read into the value it stands for."""
    settings = parse_settings(
        """
        name = "Example"
        currency = { code = "GBP", digits = 3 }
        zone = "Europe/London"
        language = "en"

        [sources.sales]
        adapter = "csv"
        path = "sales.csv"
        [[sources.sales.drop]]
        column = "unit_price"
        at_most = "0"
        reason = "gifts"

        [sources.members]
        adapter = "acme"

        [policies.fee_waiver]
        purchases = 5
        spend = "1000.505"
        year = "calendar"
        version = "2026"

        [policies.term]
        count = 2
        unit = "years"

        [policies.renewal]
        grace_days = 10

        [policies.card_state]
        grace_days = 10
        notice_months = 2

        [policies.metrics]
        bands = [50, "99.5"]
        ages = [18, 65]
        lapse_months = 6
        items = "sold"
        returns = "own_day"

        [plugins]
        disabled = ["acme"]
        """
    )
    pounds = Currency("GBP", digits=3)
    waiver = FeeWaiver(
        purchases=5,
        spend=Decimal("1000.505"),
        year="calendar",
        version="2026",
        currency=pounds,
    )
    term = Term(count=2, unit="years")
    assert settings.name == "Example"
    assert settings.currency == pounds
    assert settings.zone == ZoneInfo("Europe/London")
    assert settings.language == "en"
    assert settings.plugins.disabled == ("acme",)
    assert settings.sources["members"][0].adapter == "acme"
    assert settings.sources["sales"][0].options == {
        "path": "sales.csv",
        "drop": [{"column": "unit_price", "at_most": "0", "reason": "gifts"}],
    }
    assert settings.policies.fee_waiver == waiver
    assert settings.policies.term == term
    assert settings.policies.renewal == Renewal(term=term, grace_days=10)
    assert settings.policies.card_state == CardState(
        waiver=waiver, grace_days=10, notice_months=2
    )
    assert settings.policies.metrics == MetricPolicy(
        bands=(50, Decimal("99.5")),
        ages=(18, 65),
        lapse_months=6,
        items="sold",
        returns="own_day",
        currency=pounds,
    )


def test_what_is_not_said_is_the_manuals_in_the_chains_currency():
    """A short file has the manual's policies, counted in its own currency."""
    yen = HEAD.replace("CNY", "JPY")
    settings = parse_settings(yen + SALES)
    assert settings.language == "zh"
    assert settings.policies == ChainPolicies.of(Currency("JPY"))
    partly = parse_settings(yen + SALES + "[policies.term]\ncount = 6\n")
    assert partly.policies.metrics.currency == Currency("JPY")
    assert partly.policies.fee_waiver == FeeWaiver(currency=Currency("JPY"))


def test_a_condition_can_be_switched_off():
    """The word "none" stands for what TOML cannot say: no such condition."""
    settings = parse_settings(HEAD + SALES + '[policies.fee_waiver]\nspend = "none"\n')
    assert settings.policies.fee_waiver.spend is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[policies.fee_waiver]\npurchase = 3",
            ("chain.toml: policies.fee_waiver.purchase is not known; "
            "did you mean 'purchases'?"),
        ),
        (
            "[policy.term]\ncount = 12",
            "chain.toml: policy is not known; did you mean 'policies'?",
        ),
        (
            "[policies.fee_wavier]\npurchases = 3",
            ("chain.toml: policies.fee_wavier is not known; "
            "did you mean 'fee_waiver'?"),
        ),
        (
            "[policies.fee_waiver]\ncurrency = 'CNY'",
            ("chain.toml: policies.fee_waiver.currency is not known; known are: "
            "'exclusions', 'free_years', 'leap_day', 'policy', 'purchases', 'rule', "
            "'spend', 'version', 'year'"),
        ),
        (
            "[policies.fee_waiver]\npurchases = '3'",
            ("chain.toml: policies.fee_waiver.purchases takes a whole number, "
            "not the text '3'"),
        ),
        (
            "[policies.fee_waiver]\npurchases = true",
            "chain.toml: policies.fee_waiver.purchases takes a whole number, not true",
        ),
        (
            "[policies.fee_waiver]\nspend = 1000.50",
            ("chain.toml: policies.fee_waiver.spend takes an amount, not the float "
            '1000.5: quote it so that it stays exact, as in "1000.50", '
            "or write a whole number"),
        ),
        (
            "[policies.fee_waiver]\nspend = '1,000'",
            ('chain.toml: policies.fee_waiver.spend takes an amount such as "1000.50" '
            "or 1000, not the text '1,000'"),
        ),
        (
            "[policies.fee_waiver]\nspend = '1000.505'",
            ("chain.toml: policies.fee_waiver: 1000.505 has more than the 2 decimal "
            "digits of CNY; round it first, or declare a currency with more digits"),
        ),
        (
            "[policies.fee_waiver]\nyear = 'calender'",
            ("chain.toml: policies.fee_waiver.year takes one of 'membership', "
            "'calendar', not the text 'calender'; did you mean 'calendar'?"),
        ),
        (
            "[policies.metrics]\nbands = [100, 250.5]",
            ("chain.toml: policies.metrics.bands.2 takes an amount, not the float "
            '250.5: quote it so that it stays exact, as in "1000.50", '
            "or write a whole number"),
        ),
        (
            "[policies.metrics]\nages = 20",
            "chain.toml: policies.metrics.ages takes a list, not the number 20",
        ),
        (
            "[policies.metrics]\nages = [30, 20]",
            "chain.toml: policies.metrics: 'ages' must rise from above zero",
        ),
        (
            "[policies]\nterm = 12",
            "chain.toml: policies.term takes a table, not the number 12",
        ),
        (
            "[plugins]\ndisabled = 'acme'",
            "chain.toml: plugins.disabled takes a list, not the text 'acme'",
        ),
        (
            "[sources.sale]\nadapter = 'csv'",
            "chain.toml: sources.sale is not known; did you mean 'sales'?",
        ),
        (
            "[sources.members]\npath = 'members.csv'",
            ("chain.toml: sources.members.adapter is needed, as text: "
            'adapter = "csv"'),
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_path_with_what_would_be_right(text, told):
    """Unknown keys get the nearest name, wrong types what is expected and found."""
    assert problem(text) == told


def test_a_source_is_a_table_not_a_path():
    """The adapter must be said: a path alone does not tell how to read it."""
    sales = '[sources]\nsales = { adapter = "csv" }\nmembers = "members.csv"'
    assert problem("", sales=sales) == (
        'chain.toml: sources.members takes a table with adapter = "csv"'
    )


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (HEAD.replace("Shanghai", "Shangai"),
         ("zone takes an IANA zone such as 'Asia/Shanghai', not 'Asia/Shangai'; "
         "did you mean 'Asia/Shanghai'?")),
        (HEAD.replace('"CNY"', '"cny"'), "currency: a currency code is three capital"),
        (HEAD.replace('"CNY"', "{ code = 'GBP', digit = 3 }"),
         "currency.digit is not known; did you mean 'digits'?"),
        (HEAD.replace('"CNY"', "12"), 'currency takes a code such as "CNY", or a'),
        (HEAD.replace('"示例连锁"', "5"), "name takes text, not the number 5"),
        (HEAD + 'language = "cn"', "language takes one of 'zh', 'en', not the text"),
        (HEAD.replace('zone = "Asia/Shanghai"', ""), "zone is needed"),
    ],
)  # fmt: skip
def test_the_chains_own_settings_are_checked_too(head, told):
    """Name, currency, zone and language are named in the same way."""
    assert problem("", head=head).startswith(f"chain.toml: {told}")


def test_sales_are_needed():
    """Without a source of sales there is nothing to count."""
    members = '[sources.members]\nadapter = "csv"\npath = "m.csv"'
    assert problem("", sales=members) == (
        "chain.toml: sources.sales is needed: all figures rest on sales"
    )


def test_all_problems_are_told_at_once_and_bounded():
    """Nobody mends a file one error at a time, nor reads a thousand."""
    text = problem(
        "[policies.fee_waiver]\npurchase = 3\nspend = 1.5\n"
        "[policies.term]\nunit = 'moons'\n[plugins]\ndisabled = 3"
    )
    assert text.splitlines() == [
        "chain.toml has 4 problems:",
        "- plugins.disabled takes a list, not the number 3",
        "- policies.fee_waiver.purchase is not known; did you mean 'purchases'?",
        (
            "- policies.fee_waiver.spend takes an amount, not the float 1.5: quote it "
            'so that it stays exact, as in "1000.50", or write a whole number'
        ),
        (
            "- policies.term.unit takes one of 'days', 'weeks', 'months', 'years', "
            "not the text 'moons'; did you mean 'months'?"
        ),
    ]
    many = "\n".join(f"unknown_{number} = {number}" for number in range(1000))
    text = problem(many, head=f"{HEAD}\n{many}\n", sales=SALES)
    assert len(text) < 5000


def test_a_huge_value_does_not_make_a_huge_message():
    """What was found is cut before it is shown."""
    huge = "x" * 100_000
    text = problem(f"[policies.fee_waiver]\npurchases = '{huge}'\n'{huge}' = 1")
    assert len(text) < 1000


def test_files_that_cannot_be_read_say_so(tmp_path):
    """A missing file, one that is no UTF-8, and one that is no TOML."""
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_settings(tmp_path / "nothing.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings(tmp_path)
    file = tmp_path / "chain.toml"
    file.write_bytes((HEAD + SALES).encode("gb18030"))
    with pytest.raises(ConfigurationError, match=r"^chain.toml: the file is not UTF-8"):
        read_settings(file)
    file.write_text("name = 1 2", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"^chain.toml: this is no TOML.*line"):
        read_settings(file)
    file.write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"chain.toml has 4 problems"):
        read_settings(file)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    """Editors on Windows write one."""
    file = tmp_path / "chain.toml"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + SALES).encode())
    assert read_settings(file).name == "示例连锁"


def test_paths_count_from_the_files_folder(tmp_path, monkeypatch):
    """Wherever the process stands, the data lie beside the chain file."""
    folder = tmp_path / "chain"
    folder.mkdir()
    (folder / "chain.toml").write_text(HEAD + SALES, encoding="utf-8")
    (folder / "sales.csv").write_text(
        "小票号,销售日期,门店,会员编号,数量,金额\nT1,2026-10-03,S1,M1,2,39.80\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    chain = open_chain("chain/chain.toml", entry_points=False)
    monkeypatch.chdir(folder)
    assert chain.read()["sales"]["amount"].tolist() == [3980]


def test_unknown_adapters_and_options_are_problems_of_the_file(tmp_path):
    """Both are found when the chain is opened, with their path, before any reading."""
    file = tmp_path / "chain.toml"
    file.write_text(
        HEAD
        + '[sources.sales]\nadapter = "cvs"\npath = "sales.csv"\n'
        + '[sources.stores]\nadapter = "csv"\npath = "stores.csv"\nencodign = "gbk"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        open_chain(file, entry_points=False)
    first, second = str(caught.value).splitlines()[1:]
    assert first == (
        "- sources.sales.adapter: no source adapter is called 'cvs'; "
        "did you mean 'csv'?"
    )
    assert second.startswith("- sources.stores: ")
    assert "'encodign'; did you mean 'encoding'?" in second


def test_what_a_source_says_in_chinese_stands_in_the_error_of_the_file(
    tmp_path, capsys
):
    """Each problem of a file in Chinese where it has any, and all in one order."""
    file = tmp_path / "chain.toml"
    till = '[sources.members]\nadapter = "sql"\nurl = "postgresql://reader@b/pos@x"\n'
    file.write_text(f'{HEAD}{SALES}encodign = "gbk"\n{till}', encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        open_chain(file, entry_points=False)
    head, members, sales = caught.value.text_zh.splitlines()
    assert head == "chain.toml 有 2 个问题："
    assert members.startswith("- sources.members：'url' 中多出“@”，")
    assert members.endswith('password = { env = "POS_PASSWORD" }')
    assert sales == str(caught.value).splitlines()[2]
    assert tell_wrong_use(caught.value, "zh") == WRONG_USE
    assert capsys.readouterr().err == f"错误：{caught.value.text_zh}\n"
    with pytest.raises(ConfigurationError) as alone:
        section_sources(file, "members", adapter="sql", entry_points=False)
    assert alone.value.text_zh == f"chain.toml：{members.removeprefix('- ')}"
    with pytest.raises(ConfigurationError) as english:
        section_sources(file, "sales", adapter="csv", entry_points=False)
    assert not english.value.text_zh


def test_what_a_value_says_in_chinese_stands_beside_its_english():
    """A policy that refuses what it is given is told in both, and "none" with it."""

    @attrs.frozen
    class Fussy:
        def __attrs_post_init__(self):
            raise InvalidValueError("never").in_chinese("不行")

    with pytest.raises(Misfit) as caught:
        Reader(spelling=Spelling()).read({}, Fussy | None)
    (told,) = caught.value.under("policies", "fussy")
    assert str(told) == 'policies.fussy: never; "none" stands for no value'
    assert told.in_chinese() == "policies.fussy：不行；“none”表示无值"
    error = configuration_error([*[told] * 11, Problem(("zone",), "is needed")])
    assert error.text_zh.splitlines()[0] == "chain.toml 有 12 个问题："
    assert error.text_zh.splitlines()[-1] == "- 另有 2 个"


def test_a_source_of_a_plugin_is_made_with_its_options(tmp_path):
    """What stands beside the adapter's name is what its factory is given."""
    made = []

    class Plugin:
        __name__ = "acme"

        @hookimpl
        def memberops_sources(self):
            def factory(context, **options):
                made.append((context, options))
                return Chain.from_frames(sales=sales_frame(SOLD)).sources["sales"]

            yield Adapter(name="acme", factory=factory, summary="a till")

    file = tmp_path / "chain.toml"
    head = HEAD.replace('"CNY"', '"JPY"')
    file.write_text(
        head + '[sources.sales]\nadapter = "acme"\nshop = "S1"\n', encoding="utf-8"
    )
    chain = open_chain(file, plugins=[Plugin()], entry_points=False)
    ((context, options),) = made
    assert options == {"shop": "S1"}
    assert context.folder == tmp_path
    assert context.currency == Currency("JPY")
    assert context.zone == ZoneInfo("Asia/Shanghai")
    assert len(chain.read()["sales"]) == 1

    file.write_text(
        HEAD
        + '[sources.sales]\nadapter = "acme"\n'
        + '[plugins]\ndisabled = ["acme"]\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match="no source adapter is called 'acme'"):
        open_chain(file, plugins=[Plugin()], entry_points=False)


def test_a_chain_needs_no_file():
    """A host makes the same chain of frames and values, and gets the same checks."""
    policies = ChainPolicies(fee_waiver=FeeWaiver(purchases=5))
    chain = Chain.from_frames(
        sales=sales_frame(SOLD), name="示例", language="en", policies=policies
    )
    assert chain.policies.card_state.waiver.purchases == 5
    assert chain.language == "en"
    with pytest.raises(CurrencyMismatchError, match="'fee_waiver' in CNY"):
        attrs.evolve(chain, currency=Currency("JPY"))
    with pytest.raises(InvalidValueError, match="source of sales"):
        Chain(sources={})
    with pytest.raises(UnknownTableError, match="did you mean 'sales'"):
        Chain(sources={"sale": chain.sources["sales"]})
    with pytest.raises(InvalidValueError, match="language must be"):
        Chain.from_frames(sales=sales_frame(SOLD), language="cn")


def test_one_chain_has_one_waiver_and_one_term():
    """Card state and renewal follow the chain's own rule, however made."""
    policies = ChainPolicies(
        fee_waiver=FeeWaiver(purchases=7),
        term=Term(count=6),
        card_state=CardState(grace_days=3),
        renewal=Renewal(grace_days=3),
    )
    assert policies.card_state.waiver.purchases == 7
    assert policies.card_state.grace_days == 3
    assert policies.renewal.term.count == 6
    assert policies.renewal.grace_days == 3


def test_a_currency_by_another_name_is_told_its_code():
    """RMB is what people say; CNY is the code."""
    assert "did you mean 'CNY'?" in problem("", head=HEAD.replace("CNY", "RMB"))


def test_a_misspelt_plugin_is_not_silently_left_on(tmp_path):
    """What is nearly a plugin's name is a mistake; a far one may be elsewhere."""
    file = tmp_path / "chain.toml"
    file.write_text(f"{HEAD}{SALES}[plugins]\ndisabled = ['buildin']", "utf-8")
    with pytest.raises(ConfigurationError, match="did you mean 'builtin'"):
        open_chain(file, entry_points=False)
    file.write_text(f"{HEAD}{SALES}[plugins]\ndisabled = ['elsewhere']", "utf-8")
    assert open_chain(file, entry_points=False).name
    file.write_text(f"{HEAD}{SALES}[plugins]\ndisabled = ['builtin']", "utf-8")
    with pytest.raises(ConfigurationError, match="plugins that are disabled"):
        open_chain(file, entry_points=False)


def test_a_chain_of_frames_takes_a_code_and_names_a_wrong_word():
    """No raw TypeError at the first call that a newcomer makes."""
    assert Chain.from_frames(sales=sales_frame(SOLD), currency="CNY").currency == (
        Currency("CNY")
    )
    with pytest.raises(InvalidValueError, match="did you mean 'members'"):
        Chain.from_frames(sales=sales_frame(SOLD), member=None)


@pytest.mark.parametrize("key", ["purchases = 0", "spend = '-5'"])
def test_a_threshold_that_everybody_meets_is_told_with_its_place(key):
    """Zero purchases would waive every fee."""
    text = problem(f"[policies.fee_waiver]\n{key}")
    assert text.startswith("chain.toml: policies.fee_waiver")
    assert "must lie above zero" in text


def test_an_option_that_a_plugins_adapter_lacks_names_the_nearest(tmp_path):
    """The option is named, not the Python function behind it."""

    class Plugin:
        @hookimpl
        def memberops_sources(self):
            def acme(_context, *, url=""):
                return url

            return [Adapter(name="acme", factory=acme, summary="a test")]

    file = tmp_path / "chain.toml"
    file.write_text(f"{HEAD}[sources.sales]\nadapter='acme'\nurll='x'", "utf-8")
    with pytest.raises(ConfigurationError, match="'urll'; did you mean 'url'"):
        open_chain(file, plugins=[Plugin()], entry_points=False)


def test_the_waiver_counts_the_years_of_the_term():
    """The rule for 29 February is given to the term, and the waiver shares it."""
    term = Term(leap_day="next_day")
    policies = ChainPolicies(term=term)
    assert policies.fee_waiver.leap_day == "next_day"
    assert policies.card_state.waiver.leap_day == "next_day"
    with pytest.raises(InvalidValueError, match="to the term"):
        ChainPolicies(fee_waiver=FeeWaiver(leap_day="next_day"))
