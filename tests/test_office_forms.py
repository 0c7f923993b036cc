"""Forms of members, service and visits: the specification's columns, and masks."""

import csv
import datetime as dt
import io
import re
from enum import StrEnum

import attrs
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counts import examples
from memberops import metrics, policies, reports
from memberops.domain import Card
from memberops.domain import visit as visits
from memberops.domain.complaint import Channel
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.service_clocks import ClockState
from memberops.reports import csv_text, unguard_text, write_workbook
from memberops.reports.forms import words
from memberops.schedules import Period
from office_forms import DAY, LEVELS, MADE, PLAN, STATES, STORES, TIERS, WAIVED, people

ABOUT_STORE = ("store_id", "store_name", "region_id")
ABOUT_MEMBER = ("member_id", "name", "phone")
REASON = ("reason_zh", "reason_en")
PLANNED = {
    "visit id": "visit_id",
    "kind": "kind",
    "store": ABOUT_STORE,
    "member": ABOUT_MEMBER,
    "channel": "channel",
    "window": ("day", "last_on", "windows"),
    "by": ("by", "staff_id"),
    "reason": REASON,
}
SPEC = {
    "visit_plan": PLANNED,
    "visit_record": PLANNED
    | {
        "outcome": "outcome",
        "answered": "answered",
        "answer": "answer",
        "reason code": "reason_code",
        "done at": ("done_at", "done_on"),
    },
    "audit_sample": {
        "store": ABOUT_STORE,
        "member": ABOUT_MEMBER,
        "source (visit / gift / abnormal)": ("source", "source_id"),
        "why drawn": ("why_zh", "why_en"),
        "result": "result",
    },
    "visit_coverage": {
        "store": ABOUT_STORE,
        "planned": "planned",
        "done": "done",
        "on time": "on_time",
        "answered": "answered",
        "shares": ("coverage", "on_time_share", "answer_share"),
    },
    "complaint_case": {
        "case id": "case_id",
        "channel": "channel",
        "received": "received_at",
        "member": (*ABOUT_MEMBER, "customer_name", "customer_phone"),
        "store": ABOUT_STORE,
        "category": "category",
        "content": "statement",
        "asked amount": "asked",
        "handler": "handler",
        "replied": "replied_at",
        "solution": "resolution",
        "solved": "solved_at",
        "escalated": "escalated_at",
        "callback": "callback_at",
        "satisfied": "satisfied",
        "root cause": "root_cause",
        "compensation": "compensation",
        "clock states": ("reply_state", "solution_state", "callback_state"),
    },
    "hard_cases": {
        "case": ("case_id", *ABOUT_STORE, "category"),
        "why hard": ("why_zh", "why_en"),
        "age": "age_hours",
        "owner": "owner",
        "common solution": "usual_solution",
    },
    "service_report": {
        "complaints by state and cause": ("section", "item"),
        "on-time shares": ("numerator", "denominator", "share"),
        "visits": ("section", "item"),
        "satisfaction": ("section", "item"),
    },
    "premium_members": {
        "store": ABOUT_STORE,
        "member": ABOUT_MEMBER,
        "tier": "tier",
        "spend": "spend",
        "purchases": "purchases",
        "last purchase": "last_purchase_on",
        "referrals": "referrals",
        "next visit": "next_visit_on",
    },
    "member_application": {
        "member id": "member_id",
        "card number": "card_id",
        "name": "name",
        "gender": "gender",
        "birth date (solar/lunar)": (
            "birth_date",
            "birthday_calendar",
            "lunar_birthday",
        ),
        "phone": "phone",
        "enrolling store": ABOUT_STORE,
        "enrolment date": "joined_on",
        "consent to messages": "consent",
        "referrer": "referrer_id",
        "missing fields": ("missing_zh", "missing_en"),
        "findings": ("implausible_zh", "implausible_en"),
    },
}
"""For each form, which columns show what the specification asks for."""
ADDED = {
    "visit_plan": {"state": "visits that are not to be made are listed, and say so"},
    "visit_coverage": {"undefined": "a share without a denominator says why"},
    "premium_members": {
        "points": "why the member is premium",
        "rank": "the order in which the store lists them",
    },
    "complaint_case": {"next_clock": "what is to be done next"},
    "service_report": {
        "level": "counted for the chain, its regions and its stores",
        "key": "which of them",
        "store_name": "what a store is called",
        "mean_hours": "how long it took",
        "p90_hours": "how long most took",
        "undefined": "a share without a denominator says why",
    },
}
"""Columns that the specification does not ask for, and why they are there."""
LEFT_OUT = {("service_report", "messages"): "messages are not sent by the library yet"}
"""What the specification asks for and is not there, and why."""
PHONES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
NAMES = st.text("魑魅魍魉饕餮", min_size=2, max_size=4)
EVERY = pytest.mark.parametrize("name", MADE)


def spec_columns(shared):
    """Read the columns of each form from the specification."""
    found = {}
    text = (shared / "spec" / "forms.md").read_text("utf-8")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if len(cells) != 3 or "`" not in cells[1]:
            continue
        parts = cells[2].split(";")
        for place, name in enumerate(re.findall(r"`(\w+)`", cells[1])):
            told = ",".join(parts[: place + 1])
            found[name] = [word.strip() for word in re.split(r",(?![^()]*\))", told)]
    return found


def columns_of(form):
    """Return the names of a form's columns."""
    return [column.name for column in form.columns]


def rendered(form):
    """Return everything that a form shows as text."""
    return "\n".join(
        [repr(form), form.frame.to_string(), csv_text(form, language="both")]
    )


@pytest.mark.parametrize("name", SPEC)
def test_a_form_has_the_columns_of_the_specification(shared, name):
    """Each word of the specification is a column; each other column has a reason."""
    asked = spec_columns(shared)[name]
    shown = SPEC[name]
    form = MADE[name]("张三", "13812345678")

    left_out = [word for word in asked if (name, word) in LEFT_OUT]
    assert set(asked) == {*shown, *left_out}
    wanted = [
        each
        for columns in shown.values()
        for each in ([columns] if isinstance(columns, str) else columns)
    ]
    assert {*wanted, *ADDED.get(name, {})} == set(columns_of(form))


@EVERY
def test_a_form_speaks_both_languages(name):
    """Title, notes and headings are in Chinese and in English, no heading twice."""
    form = MADE[name]("张三", "13812345678")
    chinese = re.compile(r"[\u4e00-\u9fff]")

    assert form.name == name
    assert chinese.search(form.title_zh)
    assert not chinese.search(form.title_en)
    assert len(form.notes_en) == len(form.notes_zh) > 0
    assert not chinese.search(" ".join(form.notes_en))
    for language in ("zh", "en"):
        shown = [
            column.heading(language)
            for column in form.columns
            if column.language in (None, language)
        ]
        assert len(set(shown)) == len(shown)
        assert all(shown)
    for column in form.columns:
        assert chinese.search(column.heading_zh)
        for _, english, _ in column.words:
            assert english
            assert not chinese.search(english)


@EVERY
@examples(1 / 15)
@given(person=NAMES, phone=PHONES)
def test_no_form_shows_a_person_unasked(name, person, phone):
    """A name or phone in the facts is nowhere in a form, unless it is asked for."""
    form = MADE[name](person, phone)
    text = rendered(form)

    assert person not in text
    assert phone not in text
    personal = [column.name for column in form.columns if column.personal]
    shown = MADE[name](person, phone, reveal=personal)
    if {"name", "phone"} <= set(personal) and len(form.frame):
        assert person in rendered(shown)
        assert phone in rendered(shown)


def test_no_workbook_shows_a_person_unasked(tmp_path):
    """The workbook of all forms opens, has a sheet a form, and shows no person."""
    openpyxl = pytest.importorskip("openpyxl", reason="needs the test extra")
    forms = [make("魑魅魍", "13812345678") for make in MADE.values()]
    path = write_workbook(forms, tmp_path / "forms.xlsx", as_of=DAY)
    book = openpyxl.load_workbook(path)
    texts = [
        str(cell)
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    ]

    assert len(book.sheetnames) >= len(forms)
    assert not any("魑魅魍" in text or "13812345678" in text for text in texts)
    assert any("1/10" in text for text in texts)


@EVERY
def test_a_form_comes_back_from_its_csv_file(name):
    """Each cell that the frame holds is in the CSV, money exact and text unguarded."""
    form = MADE[name]("张三", "13812345678")
    text = csv_text(form, language="en").lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert len(rows) == len(form.frame)
    for column in form.columns:
        if column.language == "zh":
            continue
        for row, value in zip(rows, form.frame[column.name], strict=True):
            cell = unguard_text(row[column.heading_en])
            if pd.isna(value):
                assert cell == ""
            elif column.style == "text" or value == "*****":
                assert cell == column.word(value, "en")
            elif column.style == "money":
                assert float(cell) * 100 == pytest.approx(value)
            elif column.style in ("percent", "number", "integer"):
                assert float(cell) == pytest.approx(float(value), abs=1e-6)
            elif column.style == "date":
                assert pd.Timestamp(cell) == value


@EVERY
def test_a_form_without_rows_keeps_its_columns(name):
    """A month without anything to show gives an empty form, not an error."""
    full = MADE[name]("张三", "13812345678")
    empty = MADE[name]("张三", "13812345678", rows=slice(0))

    assert len(full.frame) > 0
    assert len(empty.frame) == 0
    assert columns_of(empty) == columns_of(full)
    assert len(csv_text(empty).splitlines()) == 1


@EVERY
def test_a_form_says_which_policy_and_when(name):
    """The first note names policy and version, or the numbers that were used."""
    form = MADE[name]("张三", "13812345678")
    first = form.notes_en[0]

    assert re.search(r"version|Shares drawn|Satisfied from|Counted", first)
    assert "2026-11-20" in first or name == "audit_sample"


@EVERY
def test_only_personal_columns_can_be_revealed(name):
    """Asking to reveal anything else is an error that says so."""
    with pytest.raises(InvalidValueError, match="no personal column"):
        MADE[name]("张三", "13812345678", reveal=("store_id",))


def test_undefined_shares_say_why():
    """A store without visits done has no on-time share, and the CSV says why."""
    form = MADE["visit_coverage"]("张三", "13812345678")
    row = form.frame.iloc[0]

    assert row["done"] == 0
    assert pd.isna(row["on_time_share"])
    text = csv_text(form, language="zh")
    assert "按时率：" in text
    assert "0.000000," in text
    report = MADE["service_report"]("张三", "13812345678").frame
    undue = report[(report["item"] == "on_time_share") & (report["level"] == "chain")]
    assert undue["share"].isna().all()
    assert undue["undefined"].tolist() == ["share: zero"]


@pytest.mark.parametrize(
    ("known", "terms"),
    [
        (visits.VisitKind, words.VISIT_KINDS),
        (visits.VisitChannel, words.VISIT_CHANNELS),
        (visits.VisitState, words.VISIT_STATES),
        (visits.VisitOutcome, words.OUTCOMES),
        (visits.WinBackReason, words.WIN_BACK_REASONS),
        (Channel, words.CASE_CHANNELS),
        (ClockState, words.CLOCK_STATES),
    ],
)
def test_each_word_of_the_facts_has_words(known: type[StrEnum], terms):
    """No choice is shown as its identifier in either language."""
    assert {term for term, _, _ in terms} == set(known)
    assert len({chinese for _, _, chinese in terms}) == len(terms)


def test_the_report_counts_each_level_anew():
    """Cases of stores, regions and chain are the same cases, counted three times."""
    report = metrics.service_report(
        STATES, stores=STORES, by=("store", "region", "chain")
    )
    cases = report[report["section"] == "state"]

    by_level = cases.groupby("level")["numerator"].sum()
    assert by_level.to_dict() == {"chain": 2, "region": 2, "store": 2}
    chain = cases[cases["level"] == "chain"].set_index("item")["numerator"]
    assert chain.to_dict() == {"open": 1, "solved": 1}
    reply = report[(report["item"] == "reply") & (report["level"] == "chain")].iloc[0]
    assert (reply["numerator"], reply["denominator"]) == (1, 2)
    assert reply["share"] == 0.5
    assert reply["mean_hours"] == 2.0
    with pytest.raises(InvalidValueError, match="region"):
        metrics.service_report(STATES, by="region")
    with pytest.raises(MissingColumnsError, match="store_id"):
        metrics.service_report(STATES.drop(columns="store_id"))
    nothing = metrics.service_report(STATES.iloc[:0], by="chain")
    assert set(nothing["item"]) == {"reply", "solution", "callback"}
    assert nothing["share"].isna().all()


def test_moments_are_those_of_the_zone():
    """A moment is shown by the clocks of the zone asked for; a naive one is refused."""
    shanghai = reports.complaint_case_form(STATES).frame["received_at"]
    tokyo = reports.complaint_case_form(STATES, zone="Asia/Tokyo").frame["received_at"]

    assert (shanghai[0], tokyo[0]) == ("2026-11-05 09:00", "2026-11-05 10:00")
    naive = STATES.assign(received_at=STATES["received_at"].dt.tz_localize(None))
    with pytest.raises(ColumnTypeError, match="tz_localize"):
        reports.complaint_case_form(naive)
    with pytest.raises(InvalidValueError, match="zone"):
        reports.complaint_case_form(STATES, zone="Shanghai")


def test_a_record_without_a_plan_is_kept():
    """What was recorded of a visit that nobody planned is listed, not dropped."""
    records = pd.DataFrame({"visit_id": ["V9"], "outcome": ["done"]})
    frame = reports.visit_record_form(PLAN, records=records).frame

    live = PLAN[PLAN["state"].isin(["planned", "moved"])]
    assert set(frame["visit_id"]) == {*live["visit_id"], "V9"}
    assert frame.set_index("visit_id").loc["V9", "store_id"] == "unassigned"
    with pytest.raises(MissingColumnsError, match="visit_id"):
        reports.visit_plan_form(PLAN.drop(columns="visit_id"))


def test_the_policy_of_a_form_is_named():
    """Another version of a policy is another note."""
    policy = policies.VisitPolicy(version="7")

    form = reports.visit_plan_form(PLAN, policy=policy)

    assert form.notes_en[0] == "Policy visits, version 7."


UNASKED = {
    "tiers": (
        *ABOUT_STORE, *ABOUT_MEMBER, "tier", "change", "tier_held", "next_tier",
        "reach_zh", "reach_en", "keep_zh", "keep_en", "review_on", "changes_on",
    ),
    "fee_waiver": (
        *ABOUT_STORE, *ABOUT_MEMBER, "card_id", "valid_through", "waived",
        "purchases", "spend", "missing_purchases", "missing_spend", *REASON,
        "last_on",
    ),
    "waiver_simulation": (
        "level", "key", "store_name", "policy", "policy_id", "version", "cards",
        "waived", "fee_due", "fee_income", "fee_waived", "changed",
    ),
    "waiver_changes": (
        *ABOUT_STORE, *ABOUT_MEMBER, "card_id", "valid_through",
        "waived_today", "fee_today", "today_zh", "today_en",
        "waived_lower", "fee_lower", "lower_zh", "lower_en",
    ),
    "profile_audit": (
        *ABOUT_STORE, *ABOUT_MEMBER, "joined_on", "missing_zh", "missing_en",
        "implausible_zh", "implausible_en",
    ),
    "satisfaction": (
        "period", *ABOUT_STORE, "question", "answers", "satisfied", "out_of_scale",
        "satisfaction_rate", "undefined",
    ),
    "retention": (
        "level", "key", "store_name", "period", "consuming_members",
        "consuming_members_previous", "retained_members", "repeat_members",
        "retention_rate", "repeat_purchase_share", "undefined",
    ),
    "appointments": (
        *ABOUT_STORE, "staff_id", "starts_at", "booking_id", *ABOUT_MEMBER, "service",
    ),
}  # fmt: skip
"""The columns of forms that the specification's table does not list."""


def test_each_form_has_its_columns_written_down():
    """A form is in the specification's table or in the one of the others."""
    assert {*SPEC, *UNASKED} == set(MADE)
    for name, columns in UNASKED.items():
        assert set(columns_of(MADE[name]("张三", "13812345678"))) == set(columns)


def test_levels_say_what_raises_and_keeps_them():
    """The list of levels says for each member what `TierPolicy.decide` says."""
    frame = MADE["tiers"]("张三", "13812345678").frame

    for row, shown in zip(LEVELS.itertuples(), frame.itertuples(), strict=True):
        held = None
        if pd.notna(row.level):
            held = policies.HeldTier(level=row.level, since=row.since.date())
        spend = None if pd.isna(row.spend) else str(row.spend / 100)
        answer = TIERS.decide(held, as_of=DAY, spend=spend)
        assert shown.tier == answer.outcome
        told = None if pd.isna(shown.review_on) else shown.review_on.date()
        assert told == answer.next_review
        day = None if pd.isna(shown.changes_on) else shown.changes_on.date()
        assert day == answer.changes_on
        for texts, need in (
            ((shown.reach_zh, shown.reach_en), answer.to_reach[:1]),
            ((shown.keep_zh, shown.keep_en), [answer.to_keep][: bool(answer.to_keep)]),
        ):
            for text, language in zip(texts, ("zh", "en"), strict=True):
                wanted = need[0].text(language) if need else None
                assert (None if pd.isna(text) else text) == wanted


DAYS = st.dates(dt.date(2025, 1, 1), DAY)


@examples(1 / 3)
@given(
    window=st.sampled_from(["rolling", "calendar_year", "lifetime"]),
    downgrade=st.sampled_from(["none", "at_review", "every"]),
    level=st.sampled_from(["regular", "vip", None]),
    since=DAYS,
    reviewed=DAYS | st.none(),
    floor=st.sampled_from(["vip", None]),
    manual=st.sampled_from(["regular", "vip", None]),
    first=DAYS,
    length=st.integers(0, 500) | st.none(),
    spend=st.integers(0, 9_000),
)
@example(
    window="rolling", downgrade="none", level=None, since=DAY, reviewed=None,
    floor=None, manual="vip", first=DAY, length=3, spend=0,
)  # fmt: skip
def test_the_outlook_of_a_frame_is_that_of_each_member(
    window, downgrade, level, since, reviewed, floor, manual, first, length, spend
):
    """Review, day of change and what is missing: the frame says what `decide` says."""
    policy = attrs.evolve(TIERS, window=window, downgrade=downgrade, every_days=200)
    reviewed = None if reviewed is None or reviewed < since else reviewed
    until = None if length is None else first + dt.timedelta(days=length)
    held = by_hand = None
    if level is not None:
        held = policies.HeldTier(
            level=level, since=since, reviewed_on=reviewed, floor=floor
        )
    if manual is not None:
        by_hand = policies.ManualTier(
            level=manual, since=first, until=until, reason="r", actor="a"
        )
    answer = policy.decide(held, as_of=DAY, manual=by_hand, spend=spend)
    frame = pd.DataFrame(
        {
            "spend": [spend * 100],
            "level": pd.Series([level], dtype="str"),
            "since": pd.to_datetime([since if level else None]),
            "reviewed_on": pd.to_datetime([reviewed if level else None]),
            "floor": pd.Series([floor if level else None], dtype="str"),
            "manual_level": pd.Series([manual], dtype="str"),
            "manual_since": pd.to_datetime([first if manual else None]),
            "manual_until": pd.to_datetime([until if manual else None]),
        }
    )
    decided = policy.decide_frame(frame, as_of=DAY)
    row = policies.tier_outlook(policy, decided, as_of=DAY).iloc[0]

    assert row["tier"] == answer.outcome
    for name, wanted in (
        ("review_on", answer.next_review),
        ("changes_on", answer.changes_on),
    ):
        assert (None if pd.isna(row[name]) else row[name].date()) == wanted
    assert row["reach_zh"] == (answer.to_reach[0].text("zh") if answer.to_reach else "")
    assert row["keep_en"] == (answer.to_keep.text("en") if answer.to_keep else "")


def test_waivers_say_why_as_one_card_does():
    """Who is waived, why, and until when counts is what `FeeWaiver.decide` says."""
    frame = MADE["fee_waiver"]("张三", "13812345678").frame

    assert frame["waived"].tolist() == ["no", "yes", "no"]
    for row, shown in zip(WAIVED.itertuples(), frame.itertuples(), strict=True):
        card = Card(
            card_id=row.card_id,
            member_id=row.member_id,
            valid_from=row.valid_from.date(),
            valid_through=row.valid_through.date(),
        )
        known = {
            "purchases": None if pd.isna(row.purchases) else int(row.purchases),
            "spend": None if pd.isna(row.spend) else f"{row.spend / 100:.2f}",
        }
        answer = policies.FeeWaiver().decide(card, as_of=DAY, **known)
        assert shown.reason_zh == answer.explain("zh")
        assert shown.reason_en == answer.explain("en")
        assert shown.last_on.date() == card.valid_through
    assert frame["missing_spend"].tolist() == [23_000, 100_000, 99_990]


def test_a_list_made_after_the_last_days_tells_nobody_to_buy():
    """Where the term is over the list says so, in the words of the single decision."""
    for day in (DAY, WAIVED["valid_through"].max().date() + dt.timedelta(days=1)):
        form = reports.fee_waiver_form(WAIVED, as_of=day)
        for row, shown in zip(
            WAIVED.itertuples(), form.frame.itertuples(), strict=True
        ):
            card = Card(
                card_id=row.card_id,
                member_id=row.member_id,
                valid_from=row.valid_from.date(),
                valid_through=row.valid_through.date(),
            )
            known = {
                "purchases": None if pd.isna(row.purchases) else int(row.purchases),
                "spend": f"{row.spend / 100:.2f}",
            }
            answer = policies.FeeWaiver().decide(card, as_of=day, **known)
            assert (shown.reason_en, shown.reason_zh) == (
                answer.explain("en"),
                answer.explain("zh"),
            )
            over = not row.waived and day > card.valid_through
            assert ("不能再补" in shown.reason_zh) is over
    assert form.frame["reason_zh"].str.contains("不能再补").sum() == 2


def test_a_free_year_is_the_reason_of_a_waiver():
    """A card in its free years is waived for that, not for what it bought."""
    waiver = policies.FeeWaiver(free_years=9)
    frame = waiver.decide_frame(WAIVED.drop(columns="waived"))

    rows = reports.fee_waiver_form(frame, policy=waiver).frame

    assert rows["waived"].tolist() == ["yes"] * 3
    assert rows["reason_en"].str.contains("free year").tolist() == [True, False, True]


def test_the_comparison_adds_up_at_each_level():
    """Cards and fees of the stores are those of the chain, policy by policy."""
    frame = MADE["waiver_simulation"]("张三", "13812345678").frame
    sums = frame.groupby(["policy", "level"])[["cards", "fee_income", "changed"]].sum()

    for name in ("today", "lower"):
        assert len({tuple(row) for row in sums.loc[name].to_numpy()}) == 1
    assert sums.loc[("lower", "chain"), "changed"] > 0


def test_the_last_word_on_messages_counts():
    """A later refusal of all channels ends a consent; a refusal of calls does not."""
    frame = MADE["member_application"]("张三", "13812345678").frame

    assert frame.set_index("member_id")["consent"].to_dict() == {
        "M1": "no",
        "M2": "yes",
    }
    assert frame.set_index("member_id")["card_id"].to_dict() == {"M1": "C1", "M2": "C2"}
    assert set(frame["birth_date"].dropna()) == {"*****"}


def test_appointments_are_in_the_order_of_the_day():
    """The list of a member of staff begins with who comes first, by local time."""
    frame = MADE["appointments"]("张三", "13812345678").frame

    assert frame["booking_id"].tolist() == ["B2", "B1"]
    assert frame["starts_at"].tolist() == ["2026-11-21 09:00", "2026-11-21 10:00"]


def test_the_list_of_expiring_cards_has_the_columns_of_the_specification(shared):
    """Level and preferred channel are shown where they are known, else left out."""
    card = WAIVED.iloc[[0]]
    listed = policies.expiring_members(
        card[["card_id", "member_id", "valid_from", "valid_through"]],
        card[["card_id", "valid_from", "purchases", "spend"]],
        month=Period.month(2026, 10),
        waiver=policies.FeeWaiver(),
        members=people("张三", "13812345678"),
        stores=STORES,
    )
    known = {
        "tiers": pd.DataFrame({"member_id": ["M1"], "tier": ["vip"]}),
        "channels": pd.DataFrame({"member_id": ["M1"], "channel": ["sms"]}),
    }
    form = reports.expiring_members_form(listed, stores=STORES, levels=TIERS, **known)
    shown = {
        "month": ["month"],
        "store": ["store_id", "store_name"],
        "region": ["region_id"],
        "member id": ["member_id"],
        "name (masked)": ["name"],
        "phone (masked)": ["phone"],
        "card": ["card_id"],
        "valid_through": ["valid_through"],
        "purchases so far": ["purchases"],
        "spend so far": ["spend"],
        "still missing (purchases / amount)": [
            "missing_purchases",
            "missing_spend",
            *REASON,
        ],
        "tier": ["tier"],
        "preferred channel": ["channel"],
        "visit due": ["visit_due"],
    }

    assert set(spec_columns(shared)["expiring_members"]) == set(shown)
    assert set(columns_of(form)) == {each for names in shown.values() for each in names}
    text = csv_text(form, language="zh")
    assert "贵宾,短信," in text
    assert "张三" not in text
    plain = reports.expiring_members_form(listed, stores=STORES)
    assert {"tier", "channel"}.isdisjoint(columns_of(plain))
    with pytest.raises(MissingColumnsError, match="channel"):
        reports.expiring_members_form(listed, channels=known["tiers"])
