"""Each policy of a chain file is the value that Python makes, or a named mistake."""

import datetime as dt
import json
import re
import sys
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import memberops.metrics
import memberops.policies
from memberops.domain import Currency, FlowRules, Money
from memberops.errors import (
    ConfigurationError,
    CurrencyMismatchError,
    InvalidValueError,
)
from memberops.metrics import EffectPolicy, SatisfactionPolicy
from memberops.policies import (
    DEFAULT_CADENCE,
    AllOf,
    AnyOf,
    Appointments,
    ApprovalLimit,
    ApprovalRight,
    AtLeast,
    AuditPolicy,
    Authority,
    CadenceRule,
    CardState,
    ClawBack,
    ContactCap,
    ContactPolicy,
    ContactWindow,
    Exclusion,
    FeeWaiver,
    FixedTerm,
    GiftApprovalPolicy,
    GiftMatchPolicy,
    GiftOrderPolicy,
    HardCasePolicy,
    KindFee,
    KindGrace,
    Level,
    Lifetime,
    LinkedCards,
    MembershipFee,
    MessagePolicy,
    PhoneRule,
    PremiumPolicy,
    ProfileAudit,
    QuietHours,
    Renewal,
    ServiceLevels,
    Staffing,
    StatusRule,
    StatusRules,
    StocktakePolicy,
    Suppression,
    Target,
    Term,
    Tier,
    TierPolicy,
    Tolerance,
    VisitPolicy,
    Welcome,
    Words,
)
from memberops.policies.outbox_policy import OutboxPolicy, RetryPolicy
from memberops.policies.sms_segments import MAINLAND_RULE
from memberops.schedules import (
    OfficeCalendar,
    OfficeDuty,
    RestDays,
    WorkingCalendar,
)
from memberops.testing import sales_frame
from memberops.workflows import Chain, ChainPolicies, parse_settings

HEAD = """
name = "示例连锁"
currency = "{currency}"
zone = "{zone}"
[sources.sales]
adapter = "csv"
path = "sales.csv"
"""
WEEK = {"mon": ["09:00-12:00", "13:30-18:00"], "fri": ["22:00-06:00"]}
OFFICE = WorkingCalendar.weekly("Asia/Shanghai", WEEK)
OFFICE_FILE = """
[policies.working_calendar]
week = { mon = ["09:00-12:00", "13:30-18:00"], fri = ["22:00-06:00"] }
"""


NAMES = [field.name for field in attrs.fields(ChainPolicies)]
ALL_KINDS = [
    ChainPolicies(),
    ChainPolicies(term=Lifetime()),
    ChainPolicies(
        term=FixedTerm(),
        fees=MembershipFee(),
        tiers=TierPolicy(levels=[Tier("regular")]),
    ),
]


def read(text, *, currency="CNY", zone="Asia/Shanghai"):
    """Return the policies of a chain file."""
    head = HEAD.format(currency=currency, zone=zone)
    return parse_settings(head + text).policies


def problems(text):
    """Return the problems that a chain file is told, without the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    first, *rest = str(caught.value).splitlines()
    return [line.removeprefix("- ") for line in rest] or [
        first.removeprefix("chain.toml: ")
    ]


CASES = {
    "fee_waiver": (
        """
        [policies.fee_waiver]
        purchases = "none"
        spend = "2500.50"
        year = "calendar"
        free_years = 1
        version = "2027"
        [[policies.fee_waiver.exclusions]]
        column = "ticket_kind"
        values = ["gift_card", "staff"]
        name_zh = "礼品卡与员工"
        """,
        FeeWaiver(
            purchases=None,
            spend="2500.50",
            year="calendar",
            free_years=1,
            version="2027",
            exclusions=[
                Exclusion("ticket_kind", ["gift_card", "staff"], "礼品卡与员工")
            ],
        ),
    ),
    "fee_waiver by a rule": (
        """
        [policies.fee_waiver.rule]
        any = [
            { spend = "1000.00" },
            { all = [{ purchases = 3 }, { referrals = 1 }] },
            { figure = "visits", threshold = 9, words.name_en = "visits", words.name_zh = "到店" },
        ]
        """,  # noqa: E501 - an inline table of TOML cannot be broken
        FeeWaiver(
            rule=AnyOf(
                AtLeast("spend", "1000.00"),
                AllOf(AtLeast("purchases", 3), AtLeast("referrals", 1)),
                AtLeast("visits", 9, words=Words(name_en="visits", name_zh="到店")),
            )
        ),
    ),
    "term": (
        "[policies.term]\nkind = 'rolling'\ncount = 6\nleap_day = 'next_day'",
        Term(count=6, leap_day="next_day"),
    ),
    "term by the year": (
        (
            "[policies.term]\nkind = 'fixed'\nstart = '04-01'\nrollover = '03-01'\n"
            "version = '2'"
        ),
        attrs.evolve(FixedTerm.yearly("04-01", rollover="03-01"), version="2"),
    ),
    "term by a first day": (
        (
            "[policies.term]\nkind = 'fixed'\nfirst = 2026-01-05\n"
            "rollover = 2026-01-31\ncount = 4\nunit = 'weeks'"
        ),
        FixedTerm(
            first=dt.date(2026, 1, 5),
            rollover=dt.date(2026, 1, 31),
            count=4,
            unit="weeks",
        ),
    ),
    "term for life": ("[policies.term]\nkind = 'lifetime'", Lifetime()),
    "renewal": (
        """
        [policies.renewal]
        grace_days = 10
        grace_by_kind = [{ kind = "gold", days = 30 }]
        """,
        Renewal(grace_days=10, grace_by_kind=[KindGrace("gold", 30)]),
    ),
    "card_state": (
        "[policies.card_state]\nnotice_months = 2\ngrace_days = 5",
        CardState(notice_months=2, grace_days=5),
    ),
    "status_rules": (
        """
        [policies.status_rules]
        otherwise = "unknown"
        rules = [
          { name = "Current", start = "start", end = "end", current = true },
          { name = "Grace", start = "end", end = "end + 2 weeks", kinds = ["gold"] },
          { name = "Expired", start = "end + 1 day", name_zh = "已失效" },
        ]
        """,
        StatusRules(
            otherwise="unknown",
            rules=[
                StatusRule("Current", "start", "end", current=True),
                StatusRule("Grace", "end", "end + 2 weeks", kinds=["gold"]),
                StatusRule("Expired", "end + 1 day", name_zh="已失效"),
            ],
        ),
    ),
    "fees": (
        """
        [policies.fees]
        renewal = "99.90"
        joining = 20
        prorate = true
        rejoin_days = 90
        upgrade_credit = "paid"
        by_kind = [{ kind = "gold", renewal = 200 }]
        """,
        MembershipFee(
            renewal="99.90",
            joining=20,
            prorate=True,
            rejoin_days=90,
            upgrade_credit="paid",
            by_kind=[KindFee("gold", 200)],
        ),
    ),
    "claw_back": (
        "[policies.claw_back]\nmode = 'within'\ndays = 60\ncorrections = []",
        ClawBack(mode="within", days=60, corrections=()),
    ),
    "linked_cards": (
        "[policies.linked_cards]\nstart = 'main'",
        LinkedCards(start="main"),
    ),
    "tiers": (
        """
        [policies.tiers]
        window = "calendar_year"
        reviews = ["06-30", "12-31"]
        [[policies.tiers.levels]]
        name = "regular"
        name_zh = "普通会员"
        [[policies.tiers.levels]]
        name = "vip"
        rule = { any = [{ spend = 5000 }, { purchases = 12 }] }
        services = ["parking"]
        """,
        TierPolicy(
            window="calendar_year",
            reviews=((6, 30), (12, 31)),
            levels=(
                Tier("regular", name_zh="普通会员"),
                Tier(
                    "vip",
                    AnyOf(AtLeast("spend", 5000), AtLeast("purchases", 12)),
                    services=["parking"],
                ),
            ),
        ),
    ),
    "premium": (
        "[policies.premium]\nspend_steps = [500, 900]\nper_store = 20\ndue_day = 5",
        PremiumPolicy(spend_steps=(500, 900), per_store=20, due_day=5),
    ),
    "profile_audit": (
        (
            "[policies.profile_audit]\nrequired = ['name', 'phone']\noldest = 110\n"
            "accept_unknown_gender = true"
        ),
        ProfileAudit(
            required=("name", "phone"), oldest=110, accept_unknown_gender=True
        ),
    ),
    "phones": (
        "[policies.phones]\nmobile_only = true\ncountry = 'HK'",
        PhoneRule(mobile_only=True, country="HK"),
    ),
    "welcome": ("[policies.welcome]\ndays = 3", Welcome(days=3)),
    "office_calendar": (
        """
        [policies.office_calendar]
        shift = "next"
        working_days = { weekdays = ["sat", "sun"] }
        duties = [
            { name = "count", each = "quarter", month = 3, day = 31, owner = "store", text_en = "count", text_zh = "盘点" },
        ]
        """,  # noqa: E501 - an inline table of TOML cannot be broken
        OfficeCalendar(
            shift="next",
            working_days=RestDays(weekdays=(6, 7)),
            duties=[
                OfficeDuty(
                    name="count",
                    each="quarter",
                    month=3,
                    day=31,
                    owner="store",
                    text_en="count",
                    text_zh="盘点",
                )
            ],
        ),
    ),
    "hard_cases": (
        """
        [policies.hard_cases]
        overdue_hours = 24
        escalated = false
        authority = [{ amount = 300 }]
        """,
        HardCasePolicy(
            overdue_hours=24, escalated=False, authority=[Authority(amount=300)]
        ),
    ),
    "working_calendar": (
        """
        [policies.working_calendar]
        zone = "Asia/Urumqi"
        holidays = [2026-10-01, 2026-10-02]
        known_until = 2026-12-31
        name = "office 2026"
        [policies.working_calendar.week]
        mon = ["09:00-12:00", "13:30-18:00"]
        fri = ["22:00-06:00"]
        [policies.working_calendar.special]
        2026-10-10 = ["09:00-12:00"]
        """,
        WorkingCalendar.weekly(
            "Asia/Urumqi",
            {"mon": ["09:00-12:00", "13:30-18:00"], "fri": ["22:00-06:00"]},
            holidays=["2026-10-01", "2026-10-02"],
            special={"2026-10-10": ["09:00-12:00"]},
            known_until=dt.date(2026, 12, 31),
            name="office 2026",
        ),
    ),
    "service_levels": (
        OFFICE_FILE
        + """
        [policies.service_levels]
        reply_hours = "1.5"
        next_reply_hours = 4
        solution_hours = 40
        callback_hours = "none"
        callback_from = "solved"
        calendar = "working_calendar"
        pausing = ["solution"]
        reopening = "restart"
        due_soon = "0.1"
        levels = [{ name = "warning", hours = -1, to = "handler" }]
        authority = [
            { amount = "500.00" },
            { category = "injury", to = "director" },
        ]
        [[policies.service_levels.targets]]
        name = "reply"
        minutes = 15
        stops = ["replied"]
        channels = ["phone"]
        priorities = ["high"]
        calendar = { around_the_clock = true }
        """,
        ServiceLevels(
            reply_hours=Decimal("1.5"),
            next_reply_hours=4,
            solution_hours=40,
            callback_hours=None,
            callback_from="solved",
            calendar=OFFICE,
            pausing=["solution"],
            reopening="restart",
            due_soon=Decimal("0.1"),
            levels=[Level(name="warning", hours=-1, to="handler")],
            authority=[
                Authority(amount="500.00"),
                Authority(category="injury", to="director"),
            ],
            targets=[
                Target(
                    name="reply",
                    minutes=15,
                    stops=["replied"],
                    channels=["phone"],
                    priorities=["high"],
                    calendar=WorkingCalendar.around_the_clock("Asia/Shanghai"),
                )
            ],
            office=OFFICE,
        ),
    ),
    "visits": (
        """
        [policies.visits]
        recent_days = 7
        zone = "Asia/Urumqi"
        rest = { weekdays = ["sat", "sun"], holidays = [2026-10-01], worked = [2026-10-10] }
        suppressions = [
            { name = "no_sms", channels = ["sms"], text_en = "no SMS", text_zh = "不发短信" },
        ]
        [policies.visits.contact]
        quiet = "20:00-09:00"
        caps = [{ most = 3, window = "rolling", hours = 72, channels = ["phone"] }]
        [policies.visits.contact.windows]
        phone = ["10:00-12:00"]
        mail = []
        [[policies.visits.rules]]
        name = "thanks"
        kind = "after_sale"
        trigger = "purchase"
        channel = "sms"
        by = "store"
        priority = 80
        despite = ["expired"]
        name_en = "thanks"
        name_zh = "感谢"
        """,  # noqa: E501 - an inline table of TOML cannot be broken
        VisitPolicy(
            recent_days=7,
            zone="Asia/Urumqi",
            rest=RestDays(
                weekdays=(6, 7),
                holidays=[dt.date(2026, 10, 1)],
                worked=[dt.date(2026, 10, 10)],
            ),
            suppressions=[
                Suppression(
                    name="no_sms",
                    channels=["sms"],
                    text_en="no SMS",
                    text_zh="不发短信",
                )
            ],
            contact=ContactPolicy(
                quiet=QuietHours(dt.time(20), dt.time(9)),
                caps=[
                    ContactCap(most=3, window="rolling", hours=72, channels=["phone"])
                ],
                windows={
                    "phone": [ContactWindow(dt.time(10), dt.time(12))],
                    "in_person": [
                        ContactWindow(dt.time(10), dt.time(11, 30)),
                        ContactWindow(dt.time(15), dt.time(17)),
                    ],
                    "sms": [ContactWindow(dt.time(9), dt.time(20))],
                    "mail": [],
                },
            ),
            rules=[
                CadenceRule(
                    name="thanks",
                    kind="after_sale",
                    trigger="purchase",
                    channel="sms",
                    by="store",
                    priority=80,
                    despite=["expired"],
                    name_en="thanks",
                    name_zh="感谢",
                )
            ],
        ),
    ),
    "staffing": (
        (
            "[policies.staffing]\nvisits_each = 30\nchannels = ['phone']\n"
            "[policies.staffing.staff]\nhq = ['A', 'B']\nS1 = []"
        ),
        Staffing(
            staff={"hq": ["A", "B"], "S1": []}, visits_each=30, channels=["phone"]
        ),
    ),
    "audit_sample": (
        "[policies.audit_sample]\nvisit_share = '0.05'\ngift_share = '1/3'\nfence = 2",
        AuditPolicy(visit_share=Fraction(1, 20), gift_share=Fraction(1, 3), fence=2),
    ),
    "appointments": (
        "[policies.appointments]\noffers = 5\nanswer_within = '1h30m'",
        Appointments(offers=5, answer_within=dt.timedelta(hours=1, minutes=30)),
    ),
    "satisfaction": (
        "[policies.satisfaction]\nsatisfied_from = 8\nhighest = 10",
        SatisfactionPolicy(satisfied_from=8, highest=10),
    ),
    "gift_approval": (
        (
            "[policies.gift_approval]\nrights = ["
            "{ role = 'manager', quantity = 20, value = '500' }, { role = 'head' }]"
        ),
        GiftApprovalPolicy(
            rights=[
                ApprovalRight(
                    role="manager",
                    quantity=20,
                    value=Money.of("500", Currency("CNY")),
                ),
                ApprovalRight(role="head"),
            ]
        ),
    ),
    "gift_order": (
        "[policies.gift_order]\nmonths = 6\ncover_months = 2",
        GiftOrderPolicy(months=6, cover_months=2),
    ),
    "gift_flow": (
        "[policies.gift_flow]\nwitnesses = 3\nhold_for = '48h'",
        FlowRules(witnesses=3, hold_for=dt.timedelta(days=2)),
    ),
    "gift_match": (
        "[policies.gift_match]\nwindow = '36h'\nages = [5, 10]",
        GiftMatchPolicy(window=dt.timedelta(hours=36), ages=[5, 10]),
    ),
    "stocktake": (
        (
            "[policies.stocktake]\ndays_after_promotion = 3\n"
            "tolerance = { quantity = 1 }\n"
            "limits = [{ scope = 'store', ratio = '0.1', value = '50.00' }]"
        ),
        StocktakePolicy(
            days_after_promotion=3,
            tolerance=Tolerance(quantity=1),
            limits=[
                ApprovalLimit(
                    scope="store",
                    ratio=Fraction(1, 10),
                    value=Money.of("50.00", Currency("CNY")),
                )
            ],
        ),
    ),
    "messages": (
        (
            "[policies.messages]\nprice = '0.05'\nhold_out = '1/10'\nlength = 'gsm'\n"
            "roles = ['head']\ndespite = ['moved']\nsignature_position = 'start'\n"
            "[policies.visits]\nrules = []\n"
            "suppressions = [{ name = 'moved', text_en = 'moved', text_zh = '迁出' }]"
        ),
        MessagePolicy(
            price=Money.of("0.05", Currency("CNY")),
            hold_out=Fraction(1, 10),
            length="gsm",
            roles=["head"],
            suppressions=[Suppression(name="moved", text_en="moved", text_zh="迁出")],
            despite=["moved"],
            signature_position="start",
        ),
    ),
    "outbox": (
        (
            "[policies.outbox]\nsettle = '5m'\nresend_notices = true\n"
            "retry = { attempts = 2, first = '10s' }\n"
            "[policies.messages]\nroles = ['head']\nprice = '0.05'\n"
            "[policies.visits.contact]\nquiet = '22:00-07:00'"
        ),
        OutboxPolicy(
            settle=dt.timedelta(minutes=5),
            resend_notices=True,
            retry=RetryPolicy(attempts=2, first=dt.timedelta(seconds=10)),
            roles=["head"],
            price=Money.of("0.05", Currency("CNY")),
            length=MAINLAND_RULE,
            contact=ContactPolicy(quiet=QuietHours(dt.time(22), dt.time(7))),
            texts=MessagePolicy(
                roles=["head"],
                price=Money.of("0.05", Currency("CNY")),
                contact=ContactPolicy(quiet=QuietHours(dt.time(22), dt.time(7))),
            ),
        ),
    ),
    "message_effect": (
        "[policies.message_effect]\ndays = 30\nconfidence = '2.58'",
        EffectPolicy(days=30, confidence=2.58),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_section_is_the_value_that_python_makes(case):
    """Whatever a policy can say in Python, a file can say in its section."""
    text, value = CASES[case]

    assert getattr(read(text), case.split()[0]) == value


PAGE = Path(__file__).parents[1] / "docs" / "reference" / "chain-toml.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def documented():
    """Return the policies of the whole file in the reference, as TOML and parsed."""
    text = max(BLOCKS, key=len)
    return text, tomllib.loads(text)["policies"]


@pytest.mark.parametrize("text", [text for text in BLOCKS if text != documented()[0]])
def test_each_example_of_the_reference_changes_a_chain(text):
    """What the reference shows can be written so, and is not without effect."""
    assert read(text) != ChainPolicies()


def test_the_documented_defaults_are_the_defaults():
    """The whole file of the reference says nothing that is not so without it."""
    text, _ = documented()

    assert read(text) == ChainPolicies()


def test_the_whole_file_leaves_no_key_out():
    """Each section that has a default, and each of its keys, is documented."""
    _, tables = documented()
    follows = {
        "card_state": {"waiver"},
        "renewal": {"term"},
        "profile_audit": {"phones"},
        "visits": {"zone"},
        "appointments": {"zone"},
        "messages": {"contact", "suppressions", "zone"},
        "outbox": {"contact", "roles", "consent", "price", "length", "texts"},
    }
    assert set(tables) == set(NAMES) - {"store_calendars"}
    for name, table in tables.items():
        value = getattr(ChainPolicies(), name)
        if value is None:
            assert table == "none"
            continue
        fields = {field.alias for field in attrs.fields(type(value)) if field.init}
        kind = {"kind"} if name == "term" else set()
        assert set(table) == fields - follows.get(name, set()) - {"currency"} | kind


def test_a_default_of_the_file_that_is_changed_is_another_policy():
    """The promise above can fail: each key counts."""
    text, _ = documented()
    other = text.replace("callback_hours = 168", "callback_hours = 72", 1)

    assert read(other) != ChainPolicies()
    assert read(other).service_levels.callback_hours == 72


def test_every_section_has_a_case():
    """No policy is left out of the cases above; metrics are in test_configuration."""
    fields = {field.name for field in attrs.fields(ChainPolicies)}

    assert fields - {case.split()[0] for case in CASES} == {
        "enquiry", "email", "store_wait", "order",  # in the test below
        "metrics",
        "store_calendars",
    }  # fmt: skip


def test_one_target_or_rule_is_changed_by_its_name():
    """A table read over its default changes what it says, and nothing else."""
    policies = read(
        """
        [policies.enquiry.targets.reply]
        hours = 1
        [policies.order.targets.delivery]
        days = 2
        [policies.store_wait]
        version = "2"
        [policies.visits.rules]
        promotion = "none"
        [policies.visits.rules.win_back]
        offset = 2
        [policies.visits.rules.quarterly]
        kind = "care"
        trigger = "last_purchase"
        channel = "phone"
        by = "store"
        priority = 200
        name_en = "quarterly call"
        name_zh = "季度回访"
        """
    )
    (reply,) = ServiceLevels.enquiry().targets
    (delivery,) = ServiceLevels.order("Asia/Shanghai").targets
    rules = [rule for rule in DEFAULT_CADENCE if rule.name != "promotion"]
    place = [rule.name for rule in rules].index("win_back")
    rules[place] = attrs.evolve(rules[place], offset=2)
    new = CadenceRule(
        name="quarterly",
        kind="care",
        trigger="last_purchase",
        channel="phone",
        by="store",
        priority=200,
        name_en="quarterly call",
        name_zh="季度回访",
    )

    assert policies.enquiry.targets == (attrs.evolve(reply, minutes=None, hours=1),)
    assert policies.order.targets == (attrs.evolve(delivery, days=2),)
    assert policies.store_wait == attrs.evolve(ServiceLevels.store_wait(), version="2")
    assert policies.email == ServiceLevels.email()
    assert policies.visits.rules == (*rules, new)


def test_a_store_has_the_chains_calendar_but_for_what_it_says():
    """A store's section stands over the chain's; its service levels follow it."""
    policies = read(
        OFFICE_FILE
        + """
        holidays = [2026-10-01]
        [policies.working_calendar.stores.S1]
        around_the_clock = true
        [policies.working_calendar.stores.S2]
        special = { 2026-10-01 = ["10:00-16:00"] }
        [policies.service_levels]
        calendar = "working_calendar"
        """
    )
    usual = attrs.evolve(OFFICE, holidays=["2026-10-01"])
    always = attrs.evolve(
        WorkingCalendar.around_the_clock("Asia/Shanghai"), holidays=["2026-10-01"]
    )
    opened = WorkingCalendar.weekly(
        "Asia/Shanghai",
        WEEK,
        holidays=["2026-10-01"],
        special={"2026-10-01": ["10:00-16:00"]},
    )

    assert policies.working_calendar == usual
    assert policies.calendar_of("S1") == always
    assert policies.calendar_of("S2") == opened
    assert policies.calendar_of("S3") == usual
    assert policies.of_store("S2").service_levels.calendar == opened
    assert policies.of_store("S2").enquiry.office == opened
    assert policies.of_store("S2").enquiry.calendar is None
    assert policies.of_store("S3") == policies


def test_holidays_of_china_come_by_name():
    """The years are enough: holidays, make-up days and how far they are known."""
    pytest.importorskip("holidays", reason="needs the extra cn")
    office = read("[policies.working_calendar]\nchina = [2026]").working_calendar

    assert dt.date(2026, 10, 1) in office.holidays
    assert not office.is_open(dt.datetime(2026, 10, 1, 2, tzinfo=dt.UTC))
    # A Saturday worked for the days of the national holiday (State Council notice).
    assert office.is_open(dt.datetime(2026, 10, 10, 2, tzinfo=dt.UTC))
    assert office.known_until == dt.date(2026, 12, 31)


def test_a_missing_extra_is_named(monkeypatch):
    """Who lacks the package of holidays is told which extra brings it."""
    monkeypatch.setitem(sys.modules, "holidays", None)

    assert problems("[policies.working_calendar]\nchina = [2026]") == [
        (
            "policies.working_calendar: the holidays of China needs the extra 'cn': "
            "pip install 'memberops[cn]'"
        )
    ]


def test_policies_take_the_files_currency_and_zone():
    """No policy of a chain in Paris counts yuan, or days of Shanghai."""
    policies = read(
        """
        [policies.fees]
        renewal = 10
        [policies.tiers]
        levels = [{ name = "all" }]
        [policies.service_levels]
        authority = [{ amount = 50 }]
        [policies.working_calendar]
        around_the_clock = true
        """,
        currency="EUR",
        zone="Europe/Paris",
    )
    euro = Currency("EUR")
    policies.check_currency(euro)

    assert policies.fees.currency == policies.tiers.currency == euro
    assert policies.premium.currency == policies.fee_waiver.currency == euro
    assert policies.service_levels.authority[0].currency == "EUR"
    assert policies.visits.zone == policies.appointments.zone == "Europe/Paris"
    assert policies.working_calendar.zone == "Europe/Paris"
    assert policies.order.targets[0].calendar.zone == "Europe/Paris"


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("fees", MembershipFee(renewal=10)),
        ("premium", PremiumPolicy()),
        ("tiers", TierPolicy(levels=[Tier("regular")])),
        ("enquiry", ServiceLevels(authority=[Authority(amount=50)])),
        ("messages", MessagePolicy(price=Money.of("0.05", Currency("CNY")))),
        (
            "fee_waiver",
            FeeWaiver(
                currency=Currency("EUR"),
                rule=AtLeast("gifts", 5, currency=Currency("CNY")),
            ),
        ),
    ],
)
def test_money_of_any_policy_is_held_against_the_chains(name, policy):
    """A policy in yuan is refused by a chain in euro, whichever it is."""
    euro = Currency("EUR")
    policies = attrs.evolve(ChainPolicies.of(euro), **{name: policy})

    with pytest.raises(CurrencyMismatchError, match=f"'{name}' in CNY"):
        policies.check_currency(euro)


@pytest.mark.parametrize("field", ["grace_days", "grace_by_kind"])
@pytest.mark.parametrize("owner", ["renewal", "card_state"])
def test_renewal_and_card_state_have_one_grace(owner, field):
    """Said of one of them, a grace holds for both: no card is in grace and lapsed."""
    kind = {"renewal": Renewal, "card_state": CardState}[owner]
    value = {"grace_days": 10, "grace_by_kind": (KindGrace("gold", 30),)}[field]
    policies = ChainPolicies(**{owner: kind(**{field: value})})

    assert getattr(policies.renewal, field) == value
    assert getattr(policies.card_state, field) == value


def test_two_graces_are_refused():
    """Two different graces contradict each other, in Python and in a file."""
    with pytest.raises(InvalidValueError, match="two different grace_days, 5 and 9"):
        ChainPolicies(renewal=Renewal(grace_days=5), card_state=CardState(grace_days=9))
    text = "[policies.renewal]\ngrace_days = 5\n[policies.card_state]\ngrace_days = "

    assert read(f"{text}5").card_state.grace_days == 5
    assert problems(f"{text}0") == [
        (
            "policies.card_state.grace_days is not that of renewal: say grace_days "
            "once, in [policies.renewal], and the card state has it too"
        )
    ]


@pytest.mark.parametrize(("notice", "ids"), [(1, ["C1"]), (2, ["C1", "C2"])])
def test_the_list_of_expiring_members_looks_as_far_as_the_card_state(notice, ids):
    """The chain's notice is one: a card that is expiring is on the list."""
    cards = pd.DataFrame(
        {
            "card_id": ["C1", "C2", "C3"],
            "member_id": ["M1", "M2", "M3"],
            "valid_from": pd.to_datetime(["2025-12-01", "2026-01-01", "2026-02-01"]),
            "valid_through": pd.to_datetime(["2026-11-30", "2026-12-31", "2027-01-31"]),
        }
    )
    chain = Chain.from_frames(
        sales=sales_frame([("T1", "2026-10-03", "S1", "M1", 2, "39.80")]),
        cards=cards,
        policies=ChainPolicies(card_state=CardState(notice_months=notice)),
    )
    listed = chain.month_end("2026-10").frame("expiring_members")

    assert listed["card_id"].tolist() == ids


def test_a_chain_of_frames_is_in_its_own_zone():
    """Visits and appointments of a chain of frames are in its zone too."""
    chain = Chain.from_frames(
        sales=sales_frame([("T1", "2026-10-03", "S1", "M1", 2, "39.80")]),
        zone=ZoneInfo("Europe/Paris"),
    )

    assert chain.policies.visits.zone == "Europe/Paris"


def test_hard_cases_have_the_authority_of_the_service_levels():
    """What a handler may not settle alone is said once; hard cases may say other."""
    text = "[policies.service_levels]\nauthority = [{ amount = 500 }]\n"
    own = f"{text}[policies.hard_cases]\nauthority = [{{ amount = 300 }}]"

    assert read(text).hard_cases.authority == (Authority(amount=500),)
    assert read(own).hard_cases.authority == (Authority(amount=300),)


def has_default(kind, name):
    """Tell whether a class has a field that need not be given."""
    field = attrs.fields_dict(kind).get(name)
    return field is not None and field.default is not attrs.NOTHING


def test_every_policy_of_the_library_is_one_of_a_chain():
    """A class that names its policy in decisions can be set in the chain file."""
    held = {type(getattr(policies, name)) for policies in ALL_KINDS for name in NAMES}
    named = {
        kind
        for module in (memberops.policies, memberops.metrics)
        for name in module.__all__
        if isinstance(kind := getattr(module, name), type)
        if attrs.has(kind)
        # An answer names a version too, but has none of its own by default.
        if name.endswith("Policy") or has_default(kind, "version")
    }

    # Contact rules are a part of the visits, and retries of the outbox.
    assert named - held == {ContactPolicy, RetryPolicy}


def test_a_chain_says_which_policies_it_has():
    """Id, version and what is its own, in both languages; no value is shown."""
    policies = read(
        """
        [policies.fee_waiver]
        purchases = 5
        version = "2027"
        [policies.term]
        kind = "lifetime"
        [policies.fees]
        renewal = 100
        [policies.staffing.staff]
        S1 = ["王小明"]
        """
    )
    english = policies.describe("en").splitlines()
    chinese = policies.describe("zh").splitlines()

    assert english[:3] == [
        "fee waiver: fee-waiver, version 2027; own: purchases, version",
        "term: own: kind",
        "renewal: renewal, version 1; default",
    ]
    assert chinese[0] == "免年费：fee-waiver（版本 2027），自定：purchases、version"
    assert "fees: membership-fee, version 1; own: renewal" in english
    assert "tiers: none" in english
    assert "会员等级：未设" in chinese
    assert "staff for visits: own: staff" in english
    assert "王小明" not in "".join([*english, *chinese, repr(policies.in_force())])
    assert len(english) == len(chinese) == len(NAMES)
    assert all(not each.changed for each in ChainPolicies().in_force())


def test_the_audit_reads_phones_as_the_chain_does():
    """One chain reads a phone number one way."""
    policies = read("[policies.phones]\nmainland_only = true")

    assert policies.profile_audit.phones == PhoneRule(mainland_only=True)


MISTAKES = {
    "[policies.term]\nkind = 'fixd'": (
        "policies.term.kind takes one of 'rolling', 'fixed', 'lifetime', not the text "
        "'fixd'; did you mean 'fixed'?"
    ),
    "[policies.term]\nkind = 'lifetime'\ncount = 2": (
        "policies.term.count is not known; known are: 'kind'"
    ),
    "[policies.term]\nkind = 'fixed'\nstart = '4-1'": (
        'policies.term.start takes a month and a day such as "12-31", '
        "not the text '4-1'"
    ),
    "[policies.term]\nkind = 'fixed'\nfirst = '2026-01-01'": (
        "policies.term.first takes a date without quotes, such as 2026-10-01, "
        "not the text '2026-01-01'"
    ),
    "[policies.fee_waiver]\nrule = { any = [{ spend = 10.5 }] }": (
        "policies.fee_waiver.rule.any.1.spend takes an amount, not the float 10.5: "
        'quote it so that it stays exact, as in "1000.50", or write a whole number'
    ),
    "[policies.fee_waiver]\nrule = { spend = 1, purchases = 3 }": (
        "policies.fee_waiver.rule takes one figure, or a group of rules: "
        '{ any = [{ purchases = 3 }, { spend = "1000" }] } or { all = [...] }; '
        '"none" stands for no value'
    ),
    "[policies.fee_waiver]\nrule = { figure = 'a', threshold = 3, treshold = 3 }": (
        "policies.fee_waiver.rule.treshold is not known; did you mean 'threshold'?"
    ),
    "[[policies.fee_waiver.exclusions]]\ncolum = 'a'\ncolumn = 'a'\nvalues = ['b']": (
        "policies.fee_waiver.exclusions.1.colum is not known; did you mean 'column'?"
    ),
    "[policies.status_rules]\nrules = [{ name = 'A', start = 'end + 1 moon' }]": (
        "policies.status_rules.rules.1.start: a rule begins and ends on an event with "
        "an offset, such as 'end' or 'end + 1 month', not 'end + 1 moon'; "
        '"none" stands for no value'
    ),
    "[policies.fees]\nrenewal = 9.9": (
        "policies.fees.renewal takes an amount, not the float 9.9: quote it so that "
        'it stays exact, as in "1000.50", or write a whole number'
    ),
    "[policies.fees]\nprorate = 'yes'": (
        "policies.fees.prorate takes true or false, without quotes, not the text 'yes'"
    ),
    "[policies.tiers]\nwindow = 'rolling'": "policies.tiers.levels is needed",
    "[policies]\ntiers = 'non'": (
        "policies.tiers takes a table, not the text 'non'; \"none\" stands for no value"
    ),
    "[policies.working_calendar]\nzone = 'Asia/Shangai'\naround_the_clock = true": (
        "policies.working_calendar.zone takes an IANA zone such as 'Asia/Shanghai', "
        "not 'Asia/Shangai'; did you mean 'Asia/Shanghai'?"
    ),
    "[policies.working_calendar]\nweek = { mon = ['9:00-12:00'] }": (
        "policies.working_calendar.week.mon: a shift of mon cannot be read: "
        "'9:00-12:00'; write 'HH:MM-HH:MM', such as '09:00-18:00', '22:00-06:00' or "
        "'00:00-24:00'"
    ),
    "[policies.working_calendar]\nweek = { mon = ['09:00-12:00', '11:00-15:00'] }": (
        "policies.working_calendar.week.mon: the shifts of mon overlap: 09:00-12:00 "
        "and 11:00-15:00"
    ),
    "[policies.working_calendar]\nweek = { mon = ['22:00-06:00'], tue = "
    "['05:00-09:00'] }": (
        "policies.working_calendar: the shift 22:00-06:00 of mon overlaps "
        "05:00-09:00 of tue"
    ),
    "[policies.working_calendar]\nweek = {}": (
        "policies.working_calendar: a calendar without shifts never opens, so nothing "
        "would ever be due: give its week at least one shift"
    ),
    "[policies.service_levels]\ncalendar = 'working_calendar'": (
        "policies.service_levels.calendar needs a section "
        "[policies.working_calendar], which is not there; "
        '"none" stands for no value'
    ),
    "[policies.service_levels]\nreply_hours = 72": (
        "policies.service_levels: the target 'reply' (3 days, 0:00:00) is longer than "
        "the target 'solution' (2 days, 0:00:00): a case is solved after its reply"
    ),
    "[policies.service_levels]\nreply_hours = 1.5": (
        "policies.service_levels.reply_hours takes a number, not the float 1.5: "
        'quote it so that it stays exact, as in "0.5", or write a whole number'
    ),
    "[policies.service_levels]\ntargets = ["
    "{ name = 'a', hours = 1, after = 'b', stops = ['replied'] }, "
    "{ name = 'b', hours = 1, after = 'a', stops = ['replied'] }]": (
        "policies.service_levels: the targets go in a circle: a after b after a"
    ),
    "[policies.enquiry]\nreply_hours = 1": (
        "policies.enquiry.reply_hours has no effect: the target 'reply' of targets "
        "says how long; change it there"
    ),
    "[policies.enquiry.targets.replyy]\nminutes = 20": (
        "policies.enquiry.targets.replyy is not known; did you mean 'reply'? "
        "A new one needs stops"
    ),
    "[policies.enquiry.targets.reply]\nname = 'x'": (
        "policies.enquiry.targets.reply.name is the key of the table already"
    ),
    "[policies.visits.rules.win_back]\nchannel = 'fax'": (
        "policies.visits.rules.win_back.channel takes one of 'phone', 'sms', 'mail', "
        "'in_person', not the text 'fax'"
    ),
    "[policies.visits.rules]\nwin_bak = 'none'": (
        "policies.visits.rules.win_bak cannot be left out: did you mean 'win_back'?"
    ),
    "[policies.visits.contact]\nquiet = 21:00:00": (
        'policies.visits.contact.quiet takes hours in quotes such as "10:00-11:30", '
        'not a date or time; "none" stands for no value'
    ),
    "[policies.visits.contact.windows]\nphon = ['10:00-11:00']": (
        "policies.visits.contact.windows.phon is not known; did you mean 'phone'?"
    ),
    "[policies.visits.contact]\ncaps = [{ most = 1, window = 'month' }]": (
        "policies.visits.contact.caps.1.window takes one of 'minute', 'hour', 'day', "
        "'week', 'rolling', "
        "not the text 'month'"
    ),
    "[policies.visits]\nrest = { weekdays = ['sat', 7] }": (
        "policies.visits.rest.weekdays.2 takes one of 'mon', 'tue', 'wed', 'thu', "
        "'fri', 'sat', 'sun', not the number 7"
    ),
    "[policies.staffing.staff]\nS1 = 'A'": (
        "policies.staffing.staff.S1 takes a list, not the text 'A'"
    ),
    "[policies.audit_sample]\nvisit_share = 0.1": (
        'policies.audit_sample.visit_share takes a share in quotes such as "0.1" or '
        '"1/3", not the float 0.1'
    ),
    "[policies.appointments]\nanswer_within = 2": (
        'policies.appointments.answer_within takes a time such as "2h", "90m" or '
        '"1h30m", not the number 2'
    ),
    "[policies.appointments]\nzone = 'Mars'": (
        "policies.appointments.zone takes an IANA zone such as 'Asia/Shanghai', "
        "not 'Mars'"
    ),
    "[policies.card_state]\nwaiver = {}": (
        "policies.card_state.waiver is not known; known are: 'grace_by_kind', "
        "'grace_days', 'notice_months', 'policy', 'version'"
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_by_its_path_at_any_depth(text):
    """Path, what is expected, what was found, and the nearest word that is known."""
    assert problems(text) == [MISTAKES[text]]


def test_all_problems_of_all_policies_are_told_at_once():
    """A file is mended in one go: each policy, each store, each item of a list."""
    found = problems(
        """
        [policies.working_calendar]
        week = { mon = ["09:00-18:00", "17:00-19:00"], tuesdy = [] }
        [policies.working_calendar.stores.S1]
        weeks = {}
        [policies.service_levels]
        calendar = "working_calendar"
        reply_hours = true
        [policies.tiers]
        levels = [{ name = "a" }, { nam = "b", rule = { spend = 1.5 } }]
        """
    )

    assert [line.split()[0].rstrip(":") for line in found] == [
        "policies.service_levels.reply_hours",
        "policies.tiers.levels.2.nam",
        "policies.tiers.levels.2.name",
        "policies.tiers.levels.2.rule.spend",
        "policies.working_calendar.stores.S1.weeks",
        "policies.working_calendar.week.mon",
        "policies.working_calendar.week.tuesdy",
    ]


# What TOML shares with JSON is written by json: texts, lists, numbers, booleans.
names = st.sampled_from(["purchases", "referrals", "active_days"])
conditions = st.builds(AtLeast, names, st.integers(1, 99)) | st.builds(
    AtLeast, st.just("spend"), st.decimals(1, 9999, places=2)
)
rules = st.recursive(
    conditions,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda each: st.sampled_from([AnyOf(*each), AllOf(*each)])
    ),
    max_leaves=6,
)
clock = st.integers(0, 1439)


def spelled(rule):
    """Write a rule as TOML."""
    if isinstance(rule, AtLeast):
        return f'{{ {rule.figure} = "{rule.threshold}" }}'
    word = "any" if isinstance(rule, AnyOf) else "all"
    return f"{{ {word} = [{', '.join(map(spelled, rule.rules))}] }}"


def hours(first, last):
    """Write hours of the clock, given as minutes of the day."""
    return f"{first // 60:02d}:{first % 60:02d}-{last // 60:02d}:{last % 60:02d}"


@given(rule=rules)
def test_any_rule_can_be_spelled(rule):
    """Groups in groups, amounts and counts: the file's rule is Python's."""
    policies = read(f"[policies.fee_waiver]\nrule = {spelled(rule)}")

    assert policies.fee_waiver == FeeWaiver(rule=rule)


@given(
    count=st.integers(1, 60),
    unit=st.sampled_from(["days", "weeks", "months", "years"]),
    leap_day=st.sampled_from(["clamp", "next_day"]),
)
def test_any_term_can_be_spelled(count, unit, leap_day):
    """Each length of a rolling term is read as it is written."""
    text = f"[policies.term]\ncount = {count}\nunit = '{unit}'\nleap_day = '{leap_day}'"
    term = Term(count=count, unit=unit, leap_day=leap_day)
    policies = read(text)

    assert policies.term == term
    assert policies.renewal.term == term


@given(
    windows=st.lists(
        st.tuples(clock, clock).filter(lambda pair: pair[0] < pair[1]), max_size=3
    ),
    quiet=st.none() | st.tuples(clock, clock).filter(lambda pair: pair[0] != pair[1]),
    caps=st.lists(
        st.builds(
            ContactCap,
            most=st.integers(1, 9),
            window=st.sampled_from(["day", "week", "rolling"]),
            hours=st.integers(1, 99),
        ),
        max_size=3,
    ),
)
def test_any_contact_hours_can_be_spelled(windows, quiet, caps):
    """Windows, quiet hours over midnight or none, and caps are read as written."""

    def time(minute):
        return dt.time(*divmod(minute, 60))

    written = [
        f'{{ most = {cap.most}, window = "{cap.window}", hours = {cap.hours} }}'
        for cap in caps
    ]
    text = f"""
        [policies.visits.contact]
        quiet = "{"none" if quiet is None else hours(*quiet)}"
        caps = [{", ".join(written)}]
        windows.phone = {json.dumps([hours(*pair) for pair in windows])}
        """
    contact = read(text).visits.contact

    assert dict(contact.windows)["phone"] == tuple(
        ContactWindow(time(first), time(last)) for first, last in windows
    )
    expected = None if quiet is None else QuietHours(time(quiet[0]), time(quiet[1]))
    assert contact.quiet == expected
    assert contact.caps == tuple(caps)


@given(
    renewal=st.decimals(0, 10_000, places=2),
    kinds=st.dictionaries(
        st.text("abcxyz", min_size=1), st.decimals(0, 10_000, places=2), max_size=3
    ),
)
def test_any_fee_can_be_spelled(renewal, kinds):
    """No cent of an amount is lost on its way from the file."""
    by_kind = ", ".join(
        f'{{ kind = "{kind}", renewal = "{fee}" }}' for kind, fee in kinds.items()
    )
    fees = read(f'[policies.fees]\nrenewal = "{renewal}"\nby_kind = [{by_kind}]').fees

    assert fees == MembershipFee(
        renewal=Decimal(renewal),
        by_kind=[KindFee(kind, fee) for kind, fee in kinds.items()],
    )
