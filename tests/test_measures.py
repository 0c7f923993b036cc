"""What is counted equals brute force, digit for digit, on every engine."""

import datetime as dt

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics_oracle as oracle
from counts import examples
from memberops.metrics import MetricPolicy, measure
from memberops.schedules import Period

DAY0, DAY1 = dt.date(2025, 9, 20), dt.date(2026, 4, 10)
STORES = {"S1": "east", "S2": "east", "S3": None}
BANDS, AGES = (100, 300, 500, 1000), (20, 30, 40)
SALES = ("sales", "items", "tickets", "member_sales", "member_items", "member_tickets")
STANDING = ("valid_members", "lapsed_at_start", "newly_lapsed", "won_back", "left",
            "lapsed_at_end")  # fmt: skip
COUNTS = ("consuming_members", *(f"members_{name}" for name in (
    *MetricPolicy().band_names, *MetricPolicy().gender_names,
    *MetricPolicy().age_names)))  # fmt: skip

days = st.dates(DAY0, DAY1)
member_ids = st.sampled_from(["", "M1", "M2", "M3", "M4", "M5"])
lines_strategy = st.lists(
    st.fixed_dictionaries(
        {
            "ticket": st.integers(0, 12),
            "amount": st.sampled_from(
                [-9999, -100, 0, 1, 9_999, 10_000, 30_000, 2**53]
            ),
            "quantity": st.integers(-3, 3),
            "returns": st.one_of(st.none(), st.integers(0, 14)),
        }
    ),
    min_size=5,
    max_size=25,
)
heads = st.lists(
    st.tuples(days, st.sampled_from(list(STORES)), member_ids), min_size=13, max_size=13
)
people_strategy = st.dictionaries(
    st.sampled_from(["M1", "M2", "M3", "M4"]),
    st.fixed_dictionaries(
        {
            "gender": st.sampled_from(["female", "male", "other", "unknown", None]),
            "birth_date": st.one_of(
                st.none(),
                st.sampled_from([dt.date(2004, 2, 29), dt.date(1996, 2, 28)]),
                st.dates(dt.date(1950, 1, 1), dt.date(2026, 12, 31)),
            ),
            "store_id": st.sampled_from(["S1", "S3", "S9", None]),
            "joined_on": st.one_of(st.none(), days),
        }
    ),
    min_size=2,
)
cards_strategy = st.lists(
    st.tuples(st.sampled_from(["M1", "M2", "M3", "M4"]), days, st.integers(0, 200)),
    min_size=3,
    max_size=10,
)


def make_lines(rows, head):
    """Build canonical line dicts: the lines of a ticket share day, store, member."""
    return [
        {
            "ticket_id": f"T{row['ticket']}",
            "sold_on": head[row["ticket"]][0],
            "store_id": head[row["ticket"]][1],
            "member_id": head[row["ticket"]][2] or None,
            "amount": row["amount"],
            "quantity": row["quantity"],
            "returned_ticket_id": None
            if row["returns"] is None
            else f"T{row['returns']}",
        }
        for row in rows
    ]


def sales_frame(lines):
    """Build the pandas frame of lines."""
    names = ["ticket_id", "sold_on", "store_id", "member_id", "amount", "quantity",
             "returned_ticket_id"]  # fmt: skip
    frame = pd.DataFrame(lines, columns=names)
    frame["sold_on"] = pd.to_datetime(frame["sold_on"])
    for name in ("amount", "quantity"):
        frame[name] = frame[name].astype("int64")
    for name in ("ticket_id", "store_id", "member_id", "returned_ticket_id"):
        frame[name] = frame[name].astype("str")
    return frame


def members_frame(people):
    """Build the pandas frame of members."""
    rows = [{"member_id": member, **person} for member, person in people.items()]
    names = ["member_id", "gender", "birth_date", "store_id", "joined_on"]
    frame = pd.DataFrame(rows, columns=names)
    for name in ("birth_date", "joined_on"):
        frame[name] = pd.to_datetime(frame[name])
    for name in ("member_id", "gender", "store_id"):
        frame[name] = frame[name].astype("str")
    return frame


def make_cards(rows, people):
    """Build card dicts of known members; they may overlap."""
    return [
        {"member_id": m, "valid_from": d, "valid_through": d + dt.timedelta(days=n)}
        for m, d, n in rows
        if m in people
    ]


def cards_frame(cards):
    """Build the pandas frame of cards."""
    frame = pd.DataFrame(cards, columns=["member_id", "valid_from", "valid_through"])
    frame["member_id"] = frame["member_id"].astype("str")
    for name in ("valid_from", "valid_through"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def stores_frame():
    """Build the pandas frame of stores."""
    return pd.DataFrame(
        {"store_id": list(STORES), "region_id": list(STORES.values())}
    ).astype("str")


PERIODS = {
    "months": [Period.month(2025, 12), Period.month(2026, 1), Period.month(2026, 2)],
    "weeks": [Period.week(2026, 1), Period.week(2026, 2)],
    "overlapping": [
        Period.month(2026, 1),
        Period.quarter(2026, 1),
        Period.span(dt.date(2026, 1, 15), dt.date(2026, 2, 20)),
    ],
    "day": [Period.day(dt.date(2026, 2, 28))],
}


def expect(lines, people, cards, periods, by):
    """Return {(period, level, part): rows}: every figure by brute force."""
    regions = {store: region for store, region in STORES.items() if region}
    tickets = oracle.oracle_tickets(lines)
    expected = {}
    for period in periods:
        states = [
            oracle.oracle_state(tickets, people, cards, day, 3)
            for day in (period.previous().through, period.through)
        ]
        for level in by:
            told = period.label, level
            expected[*told, SALES] = oracle.oracle_sales(
                tickets, regions, level, period.start, period.end
            )
            expected[*told, COUNTS] = oracle.oracle_buyers(
                tickets, people, regions, level, period.start, period.end, BANDS, AGES
            )
            expected[*told, STANDING] = oracle.oracle_lapse(
                people, regions, level, *states
            )
    return expected


def check(measures, expected):
    """Compare every figure of every level, key and period with brute force."""
    tables = {names: measures.table(names) for names in (SALES, COUNTS, STANDING)}
    for (period, level, names), rows in expected.items():
        table = tables[names]
        table = table[(table["level"] == level) & (table["period"] == period)]
        told = {key for key, row in rows.items() if any(row.values())}
        assert told <= set(table["key"])
        for row in table.to_dict("records"):
            key = row["key"]
            want = {name: rows.get(key, {}).get(name, 0) for name in names}
            got = {name: int(row[name]) for name in names}

            assert want == got, (level, key, period)


chains = {
    "kind": st.sampled_from(list(PERIODS)),
    "engine": st.sampled_from(["polars", "pandas"]),
    "rows": lines_strategy,
    "head": heads,
    "people": people_strategy,
    "held": cards_strategy,
}


@examples(1 / 3)
@given(**chains)
def test_every_figure_equals_brute_force(kind, engine, rows, head, people, held):
    """Every base figure, at every level, equals a count by loops and sets."""
    compare(kind, engine, rows, head, people, held)


@pytest.mark.nightly
@settings(max_examples=1_000)
@given(**chains)
def test_every_figure_equals_brute_force_at_night(**drawn):
    """The same with 1 000 examples."""
    compare(**drawn)


def compare(kind, engine, rows, head, people, held):
    """Hold what is measured of a drawn chain to a count by loops and sets."""
    lines, cards = make_lines(rows, head), make_cards(held, people)
    by = ("store", "region", "chain")

    measures = measure(
        sales_frame(lines),
        period=PERIODS[kind],
        by=by,
        members=members_frame(people),
        cards=cards_frame(cards),
        stores=stores_frame(),
        engine=engine,
    )

    check(measures, expect(lines, people, cards, PERIODS[kind], by))


def arrow_backed(frame):
    """Return the frame with Arrow types."""
    return frame.convert_dtypes(dtype_backend="pyarrow")


ENGINES = {
    "pandas": lambda frame: frame,
    "pandas-nullable": lambda frame: frame.convert_dtypes(),
    "pandas-arrow": arrow_backed,
    "polars": pl.from_pandas,
    "polars-lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "polars-dates": lambda frame: pl.from_pandas(frame).with_columns(
        pl.col(pl.Datetime).dt.date()
    ),
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": lambda frame: duckdb.from_arrow(
        pa.Table.from_pandas(frame, preserve_index=False)
    ),
}


@pytest.fixture(scope="module")
def scene():
    """Return a chain with every kind of ticket, by a fixed pattern of arithmetic."""
    rows, head = [], []
    for number in range(200):
        day = DAY0 + dt.timedelta(days=(number * 37) % 200)
        head.append(
            (day, f"S{number % 3 + 1}", "" if number % 4 == 0 else f"M{number % 9}")
        )
    for number in range(500):
        linked = number % 200 - 7 if number % 11 == 0 and number % 200 >= 7 else None
        amount = (
            -((number * 13) % 7000) if linked is not None else (number * 7919) % 60_000
        )
        rows.append(
            {
                "ticket": number % 200,
                "amount": amount,
                "quantity": number % 4 if linked is None else -1,
                "returns": linked,
            }
        )
    people = {
        f"M{number}": {
            "gender": ["female", "male", "unknown", None][number % 4],
            "birth_date": None if number == 5 else dt.date(1983 + 4 * number, 2, 28),
            "store_id": f"S{number % 3 + 1}",
            "joined_on": DAY0 + dt.timedelta(days=number * 11),
        }
        for number in range(1, 12)
    }
    cards = [
        {
            "member_id": member,
            "valid_from": DAY0 + dt.timedelta(days=13 * number + start),
            "valid_through": DAY0 + dt.timedelta(days=13 * number + start + length),
        }
        for number, member in enumerate(people)
        for start, length in ((0, 60), (40 + number, 30), (95, 30 + number))
    ]
    return make_lines(rows, head), people, cards


LEVELS = ("store", "region", "chain")
MIXED = [*PERIODS["months"], *PERIODS["overlapping"]]


@pytest.fixture(scope="module")
def expected(scene):
    """Its figures by brute force."""
    return expect(*scene, list(dict.fromkeys(MIXED)), LEVELS)


@pytest.mark.parametrize(
    ("engine", "local"),
    [
        *((engine, "polars") for engine in ENGINES),
        *((engine, "pandas") for engine in ("pandas", "pyarrow", "duckdb")),
    ],
)
def test_every_engine_gives_the_same_digits(scene, expected, engine, local):
    """Whatever frame comes in and wherever facts are worked on, no digit differs."""
    lines, people, cards = scene
    turn = ENGINES[engine]

    measures = measure(
        turn(sales_frame(lines)),
        period=MIXED,
        by=LEVELS,
        members=turn(members_frame(people)),
        cards=turn(cards_frame(cards)),
        stores=turn(stores_frame()),
        engine=local,
    )

    check(measures, expected)


def test_engines_may_be_mixed(scene):
    """Sales in DuckDB go with members in pandas and cards in polars."""
    lines, people, cards = scene

    measures = measure(
        ENGINES["duckdb"](sales_frame(lines)),
        period=PERIODS["months"],
        members=members_frame(people),
        cards=ENGINES["polars-lazy"](cards_frame(cards)),
    )

    check(measures, expect(lines, people, cards, PERIODS["months"], ["chain"]))


def test_whole_number_ids_give_what_text_ids_give(scene):
    """Ids may be integers, with a nullable integer for the member."""
    lines, people, cards = scene
    frame = sales_frame(lines)
    numbers = frame.assign(
        ticket_id=frame["ticket_id"].str[1:].astype("int64"),
        store_id=frame["store_id"].str[1:].astype("int64"),
        member_id=frame["member_id"].str[1:].astype("Int64"),
        returned_ticket_id=frame["returned_ticket_id"].str[1:].astype("Int64"),
    )
    members = members_frame(people)
    members = members.assign(
        member_id=members["member_id"].str[1:].astype("int64"),
        store_id=members["store_id"].str[1:].astype("int64"),
    )
    held = cards_frame(cards)
    held = held.assign(member_id=held["member_id"].str[1:].astype("int64"))
    text = measure(frame, period=PERIODS["months"], members=members_frame(people),
                   cards=cards_frame(cards), by=("store", "chain"))  # fmt: skip

    got = measure(numbers, period=PERIODS["months"], members=members, cards=held,
                  by=("store", "chain"))  # fmt: skip

    names = [*SALES, *COUNTS, *STANDING]
    expected = text.table(names).drop(columns="key")
    pd.testing.assert_frame_equal(expected, got.table(names).drop(columns="key"))


@examples(1 / 6)
@given(rows=lines_strategy, head=heads, seed=st.integers(0, 99))
def test_the_order_of_rows_and_files_is_irrelevant(rows, head, seed):
    """Shuffled lines, and lines joined from two files, give the same figures."""
    frame = sales_frame(make_lines(rows, head))
    shuffled = frame.sample(frac=1, random_state=seed)
    joined = pd.concat([shuffled.iloc[::2], shuffled.iloc[1::2]])
    expected = measure(frame, period=PERIODS["months"], by=("store", "chain"))

    for other in (shuffled, joined):
        got = measure(other, period=PERIODS["months"], by=("store", "chain"))

        names = [*SALES, *COUNTS, *STANDING]
        pd.testing.assert_frame_equal(expected.table(names), got.table(names))


def test_the_caller_s_frame_is_not_touched(scene):
    """Measuring changes neither the frames given nor pandas options."""
    lines, people, _ = scene
    frame, members = sales_frame(lines), members_frame(people)
    before, members_before = frame.copy(deep=True), members.copy(deep=True)

    measure(frame, period=PERIODS["months"], members=members)

    pd.testing.assert_frame_equal(before, frame)
    pd.testing.assert_frame_equal(members_before, members)


@pytest.mark.parametrize("engine", ["polars", "pandas"])
def test_no_lines_give_zeros_not_errors(engine):
    """An empty frame of sales gives the chain's row with zeros."""
    table = measure(sales_frame([]), period=Period.month(2026, 1), engine=engine).table(
        [*SALES, *COUNTS, *STANDING]
    )

    assert table["key"].tolist() == ["chain"]
    assert (table.drop(columns=["level", "key", "period"]) == 0).all(axis=None)
