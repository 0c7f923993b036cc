"""The synthetic chain: the same from the same seed, and dirty on purpose."""

import datetime as dt
import re
import subprocess
import sys
import tomllib
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import Currency
from memberops.errors import InvalidValueError, UnknownTableError
from memberops.schedules.dates import add_months
from memberops.tables import (
    APPOINTMENTS,
    CARDS,
    CASE_EVENTS,
    COMPLAINTS,
    CONSENTS,
    MEMBERS,
    SALES,
    STORES,
    SURVEYS,
    TARGETS,
    VISITS,
    Kind,
)
from memberops.testing import (
    SyntheticChain,
    cards_frame,
    large_sales,
    members_frame,
    sales_frame,
    stores_frame,
    targets_frame,
    write_chain,
)
from memberops.testing.demo import main
from synthetic_promises import check_bookings, check_cases, check_visits

SMALL = SyntheticChain(seed=11, stores=4, regions=2, members=300, months=14)
LITTLE = attrs.evolve(SMALL, members=60, months=4)
"""For promises that need no more than some rows of each kind."""
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
DAY = pd.Timedelta(days=1)
TABLES = (MEMBERS, CARDS, STORES, SALES, TARGETS, COMPLAINTS, CASE_EVENTS, VISITS,
          CONSENTS, APPOINTMENTS, SURVEYS)  # fmt: skip


@pytest.fixture(scope="module")
def default():
    """The frames of the default chain, which the demonstration writes."""
    return SyntheticChain().frames()


@pytest.fixture(scope="module")
def large():
    """The frames of a large chain, made small."""
    return large_sales(20_000, members=3_000, stores=25, months=25, seed=5)


def tickets_of(sales):
    """One row per ticket: what its lines agree on, and its net amount."""
    lines = sales.assign(
        owner=sales.member_id.astype("str").fillna("-"), back=sales.quantity < 0
    )
    return lines.groupby("ticket_id", sort=False).agg(
        days=("sold_on", "nunique"),
        stores=("store_id", "nunique"),
        members=("owner", "nunique"),
        sold_on=("sold_on", "first"),
        store_id=("store_id", "first"),
        member_id=("member_id", "first"),
        amount=("amount", "sum"),
        returns=("back", "sum"),
        lines=("back", "size"),
    )


def test_the_same_values_give_the_same_frames_and_another_seed_gives_others():
    """A chain follows from its values alone; the seed changes all but the stores."""
    one, two = LITTLE.frames(), attrs.evolve(LITTLE).frames()
    other = attrs.evolve(LITTLE, seed=12).frames()
    for known in TABLES:
        pd.testing.assert_frame_equal(one[known.name], two[known.name])
    for known in TABLES:
        assert one[known.name].equals(other[known.name]) is (known.name == "stores")


def test_other_prices_leave_members_and_cards_as_they_were():
    """What is drawn for one purpose does not depend on what is drawn for another."""
    priced = attrs.evolve(LITTLE, typical_price=Decimal(90), return_share=0.2).frames()
    frames = LITTLE.frames()
    pd.testing.assert_frame_equal(priced.members, frames.members)
    pd.testing.assert_frame_equal(priced.cards, frames.cards)
    assert not priced.sales.equals(frames.sales)


@pytest.mark.parametrize("dirty", [True, False])
def test_the_same_values_give_the_same_bytes(tmp_path, dirty):
    """Two chains written from the same values are the same, byte for byte."""
    one = write_chain(tmp_path / "one", chain=LITTLE, dirty=dirty)
    two = write_chain(tmp_path / "two", chain=LITTLE, dirty=dirty)
    names = sorted(path.name for path in one.folder.iterdir())
    assert names == sorted([f"{t.name}.csv" for t in TABLES] + ["chain.toml"])
    for name in names:
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()
    assert one.planted == two.planted
    assert bool(one.planted) is dirty


@pytest.mark.parametrize("known", TABLES, ids=lambda known: known.name)
def test_each_frame_is_canonical(default, known):
    """Frames have the columns and types of their tables, required values included."""
    frame = default[known.name]
    assert list(frame.columns) == [n for n in known.names if n in frame.columns]
    wanted = {
        Kind.ID: "str",
        Kind.TEXT: "str",
        Kind.CHOICE: "str",
        Kind.INTEGER: "int64",
        Kind.MONEY: "int64",
        Kind.DATE: "datetime64[us]",
        Kind.INSTANT: "datetime64[us, UTC]",
    }
    for name in frame.columns:
        told = wanted[known.column(name).kind]
        if frame[name].isna().any() and told == "int64":
            told = "Int64"
        assert str(frame[name].dtype) == told, name
    assert not frame[list(known.required)].isna().any().any()
    if known.key:
        assert not frame.duplicated(list(known.key)).any()
    with pytest.raises(UnknownTableError, match="stores"):
        default["stroes"]


def test_references_lead_somewhere(default):
    """Every store, member and referrer that a row names is there."""
    stores, members = set(default.stores.store_id), set(default.members.member_id)
    assert set(default.sales.store_id) == stores
    assert set(default.sales.member_id.dropna()) <= members
    assert set(default.cards.member_id) == members
    assert set(default.members.store_id) <= stores
    assert set(default.targets.store_id) == stores
    assert default.stores.region_id.nunique() == 3
    joined = default.members.set_index("member_id").joined_on
    referred = default.members.dropna(subset="referrer_id")
    assert len(referred) > 100
    before = joined.loc[referred.referrer_id].to_numpy()
    assert (before < referred.joined_on.to_numpy()).all()


def check_tickets(chain, frames):
    """Assert what holds for the sales of every chain."""
    sales = frames.sales
    tickets = tickets_of(sales)
    assert (tickets[["days", "stores", "members"]] == 1).all().all()
    assert sales.sold_on.between(
        pd.Timestamp(chain.first_month), pd.Timestamp(chain.last_day)
    ).all()
    local = sales.sold_at.dt.tz_convert(chain.zone).dt.tz_localize(None)
    assert (local.dt.normalize() == sales.sold_on).all()
    assert ((sales.quantity > 0) | (sales.amount <= 0)).all()
    assert ((sales.quantity < 0) | (sales.amount >= 0)).all()
    assert (sales.quantity != 0).all()
    assert (sales.amount.abs() <= sales.quantity.abs() * sales.unit_price).all()

    joined = frames.members.set_index("member_id").joined_on
    valid = frames.cards.groupby("member_id").valid_through.max()
    bought = sales[sales.member_id.notna() & (sales.quantity > 0)]
    bought = bought[~bought.ticket_id.isin(sales[sales.quantity < 0].ticket_id)]
    assert (joined.loc[bought.member_id].to_numpy() <= bought.sold_on).all()
    assert (valid.loc[bought.member_id].to_numpy() >= bought.sold_on).all()

    linked = sales.dropna(subset="returned_ticket_id")
    assert (linked.quantity < 0).all()
    assert linked.returned_ticket_id.is_unique
    original = tickets.loc[linked.returned_ticket_id]
    assert (original.sold_on.to_numpy() < linked.sold_on.to_numpy()).all()
    assert (original.store_id.to_numpy() == linked.store_id.to_numpy()).all()
    same = original.member_id.fillna("-").to_numpy()
    assert (same == linked.member_id.fillna("-").to_numpy()).all()
    sold = sales.groupby(["ticket_id", "item_id"]).amount.sum()
    there = sold.loc[list(zip(linked.returned_ticket_id, linked.item_id, strict=True))]
    assert (there.to_numpy() >= -linked.amount.to_numpy()).all()
    # A return takes back what was paid, so nobody gets out more than was put in.
    paid = sales.groupby(sales.member_id.fillna("-")).amount.sum()
    assert (paid >= 0).all()


def check_cards(chain, frames):
    """Assert what holds for the cards of every chain."""
    last = pd.Timestamp(chain.last_day)
    seen = {}
    for card in frames.cards.itertuples():
        terms = seen.setdefault(card.card_id, [])
        term = len(terms)
        terms.append((card.member_id, card.anchor))
        anchor = card.anchor.date()
        assert card.valid_from.date() == add_months(anchor, 12 * term)
        assert (card.valid_through + DAY).date() == add_months(anchor, 12 * (term + 1))
        assert card.valid_from <= last
    assert all(len(set(terms)) == 1 for terms in seen.values())
    ordered = frames.cards.sort_values(["member_id", "valid_from"])
    same = ordered.member_id == ordered.member_id.shift()
    assert (ordered.valid_from > ordered.valid_through.shift())[same].all()
    first = frames.cards.groupby("member_id").valid_from.min()
    joined = frames.members.set_index("member_id").joined_on
    assert (first == joined.loc[first.index]).all()


def test_the_default_chain_is_consistent(default):
    """Tickets, card terms, cases, visits and bookings of the default chain agree."""
    check_tickets(SyntheticChain(), default)
    check_cards(SyntheticChain(), default)
    check_cases(SyntheticChain(), default)
    check_visits(SyntheticChain(), default)
    check_bookings(SyntheticChain(), default)


CHAINS = st.builds(
    SyntheticChain,
    seed=st.integers(0, 2**64),
    stores=st.integers(1, 6),
    regions=st.just(1),
    members=st.integers(1, 60),
    months=st.integers(1, 15),
    first_month=st.dates(dt.date(2023, 1, 1), dt.date(2024, 12, 1)).map(
        lambda day: day.replace(day=1)
    ),
    return_share=st.sampled_from([0.0, 0.05, 1.0]),
    member_share=st.sampled_from([0.0, 0.3, 1.0]),
)


@given(chain=CHAINS)
@examples(1 / 8)
def test_every_chain_is_consistent(chain):
    """Whatever the values, the invariants of all tables hold."""
    frames = chain.frames()
    check_tickets(chain, frames)
    check_cards(chain, frames)
    check_cases(chain, frames)
    check_visits(chain, frames)
    check_bookings(chain, frames)


def test_the_default_chain_holds_what_offices_meet(default):
    """Expired and returning members, odd birthdays, returns of all kinds are in it."""
    members, cards, sales = default.members, default.cards, default.sales
    last = pd.Timestamp("2026-10-31")
    final = cards.groupby("member_id").valid_through.max()
    assert (final <= last).sum() > 500
    assert (cards.groupby("card_id").size() >= 3).sum() > 100
    assert (cards.groupby("member_id").card_id.nunique() == 2).sum() > 50
    assert final.between("2026-11-01", "2026-11-30").sum() > 50
    assert (members.joined_on >= "2026-09-01").sum() > 50
    assert (members.joined_on < "2022-10-01").sum() > 100
    assert 250 < (~members.member_id.isin(sales.member_id)).sum() < 2500
    leap_day = (members.birth_date.dt.month == 2) & (members.birth_date.dt.day == 29)
    assert leap_day.sum() >= 10
    assert members.birth_date.isna().sum() > 100
    assert set(members.gender.dropna()) == {"female", "male", "other", "unknown"}
    assert members.gender.isna().any()
    assert members.phone.isna().any()
    renewed = cards[(cards.anchor == "2024-02-29") & (cards.valid_from > "2024-12-31")]
    assert set(renewed.valid_from.dt.strftime("%m-%d")) == {"02-28"}

    tickets = tickets_of(sales)
    assert ((tickets.returns > 0) & (tickets.lines > tickets.returns)).sum() > 50
    assert (tickets.lines == tickets.returns).sum() > 50
    returned = sales[sales.quantity < 0]
    assert returned.returned_ticket_id.isna().sum() > 50
    assert returned.returned_ticket_id.notna().sum() > 50
    assert returned.member_id.isna().any()
    assert (tickets.amount == 0).any()
    assert 0.62 < tickets.member_id.notna().mean() < 0.68


def test_the_default_chain_holds_what_a_service_desk_meets(default):
    """Cases of every course, refusals, calls that fail, bookings ahead are in it."""
    kinds = default.case_events.kind.value_counts()
    for kind in ("replied", "promised_reply", "waiting_for_customer", "escalated",
                 "customer_answered", "transferred", "reclassified", "solved",
                 "reopened", "callback", "closed"):  # fmt: skip
        assert kinds[kind] >= 5, kind
    told = default.case_events.satisfied
    assert (told == "no").sum() >= 10
    complaints = default.complaints
    ended = default.case_events.kind.isin(["solved", "closed"])
    lying = ~complaints.case_id.isin(default.case_events[ended].case_id)
    assert 5 <= lying.sum() < 60
    assert complaints.asked.isna().any()
    assert complaints.compensation.notna().sum() > 50
    assert complaints.member_id.isna().sum() > 50
    visits = default.visits
    assert set(visits.outcome.dropna()) == {"done", "not_reached", "canceled"}
    assert (visits.outcome.isna() & (visits.day <= "2026-10-31")).sum() > 20
    assert (visits.day > "2026-10-31").sum() > 100
    assert {"phone", "sms"} == set(visits.channel)
    assert {"after_sale", "care", "win_back", "expiry_notice", "welcome"} <= set(
        visits.kind
    )
    assert set(default.consents.channel) >= {"all", "sms", "phone", "mail", "in_person"}
    twice = default.consents[default.consents.given == "yes"].member_id.isin(
        default.consents[default.consents.given == "no"].member_id
    )
    assert twice.sum() > 10
    bookings = default.appointments
    assert (bookings.starts_at >= pd.Timestamp("2026-11-01", tz="Asia/Shanghai")).any()
    assert bookings.capacity.isna().any()
    lunar = default.members[default.members.birthday_calendar == "lunar"]
    assert lunar.lunar_birthday.notna().sum() > 20
    assert (lunar.birth_date.isna() == lunar.lunar_birthday.notna()).all()
    assert lunar.lunar_birthday.str.startswith("L").any()


def test_the_default_chain_has_season_growth_and_a_store_that_opened_halfway(default):
    """December outsells February, each year the one before; one store is new."""
    month = default.sales.sold_on.dt.strftime("%Y-%m")
    sold = default.sales.groupby(month).amount.sum()
    assert len(sold) == 25
    assert sold["2025-12"] > 1.2 * sold["2026-02"]
    assert sold["2025-12"] > sold["2024-12"]
    by_store = default.sales.groupby("store_id").amount.sum()
    assert by_store.max() > 3 * by_store.min()
    opened = default.sales.groupby("store_id").sold_on.min()
    assert opened["S12"] >= pd.Timestamp("2025-10-01")
    assert (opened.drop("S12") < pd.Timestamp("2024-10-15")).all()
    targets = default.targets.set_index(["store_id", "month"]).target
    assert (targets > 0).all()
    assert ("S12", pd.Timestamp("2025-10-01")) not in targets.index
    reached = sold.sum() / targets.sum()
    assert 0.9 < reached < 1.1


def test_nobody_in_it_exists(default):
    """Names are numbers, and no phone number can be a mobile number in China."""
    assert default.members.name.str.fullmatch(r"会员\d{5}").all()
    phones = default.members.phone.dropna()
    assert phones.str.fullmatch(r"120\d{8}").all()
    assert not phones.str.match(r"1[3-9]").any()


def test_a_currency_without_minor_unit_has_whole_amounts():
    """Prices of a chain in yen are yen, not hundredths of them."""
    yen = attrs.evolve(SMALL, currency=Currency("JPY"), typical_price=Decimal(900))
    prices = yen.frames().sales.query("unit_price > 0").unit_price
    assert 300 < prices.median() < 3000


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"seed": -1}, "'seed' must be a whole number of at least 0"),
        ({"stores": 0}, "'stores' must be a whole number of at least 1"),
        ({"members": 2.5}, "'members' must be a whole number"),
        ({"months": True}, "'months' must be a whole number"),
        ({"regions": 5}, "5 regions need at least as many stores, not 4"),
        ({"first_month": dt.date(2025, 1, 2)}, "the first day of a month"),
        ({"return_share": 1.5}, "'return_share' must be a share from 0 to 1"),
        ({"member_share": "all"}, "'member_share' must be a number from 0 to 1"),
        ({"typical_price": Decimal(0)}, "'typical_price' must be above zero"),
        ({"zone": "Asia/Shangai"}, "'zone' is an IANA zone"),
    ],
)
def test_values_out_of_range_are_refused(values, told):
    """A chain that cannot be made says which value is wrong."""
    with pytest.raises(InvalidValueError, match=re.escape(told)):
        attrs.evolve(SMALL, **values)


def test_a_large_chain_is_exact_and_consistent(large):
    """Exactly the lines asked for, whole numbers throughout, one owner per ticket."""
    sales = large.sales
    assert len(sales) == 20_000
    types = {name: str(kind) for name, kind in sales.dtypes.items()}
    assert types == {
        "ticket_id": "int64",
        "sold_on": "datetime64[us]",
        "store_id": "int64",
        "member_id": "Int64",
        "quantity": "int64",
        "amount": "int64",
    }
    assert sales.ticket_id.is_monotonic_increasing
    assert sales.sold_on.is_monotonic_increasing
    tickets = tickets_of(sales)
    assert (tickets[["days", "stores", "members"]] == 1).all().all()
    assert sales.sold_on.between("2024-10-01", "2026-10-31").all()
    assert sales.sold_on.dt.strftime("%Y-%m").nunique() == 25
    assert ((sales.quantity > 0) == (sales.amount > 0)).all()
    assert 0.01 < (sales.amount < 0).mean() < 0.06
    assert 0.55 < tickets.member_id.notna().mean() < 0.7
    joined = large.members.set_index("member_id").joined_on
    bought = sales.dropna(subset="member_id")
    assert (joined.loc[bought.member_id].to_numpy() <= bought.sold_on).all()
    assert set(sales.store_id) <= set(large.stores.store_id)
    assert len(large.targets) == 25 * 25
    ordered = large.cards
    same = ordered.card_id == ordered.card_id.shift()
    assert (ordered.valid_from == ordered.valid_through.shift() + DAY)[same].all()
    assert set(ordered.member_id) == set(large.members.member_id)


def test_a_large_chain_follows_from_its_seed(large):
    """The same values give the same lines; another seed gives others."""
    again = large_sales(20_000, members=3_000, stores=25, months=25, seed=5)
    pd.testing.assert_frame_equal(large.sales, again.sales)
    pd.testing.assert_frame_equal(large.cards, again.cards)
    other = large_sales(20_000, members=3_000, stores=25, months=25, seed=6)
    assert not large.sales.equals(other.sales)
    with pytest.raises(InvalidValueError, match="counts of at least 1"):
        large_sales(0)


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    """Nothing is written beside somebody's files, whatever they are called."""
    (tmp_path / "chain.toml").write_text('name = "real"\n')
    with pytest.raises(InvalidValueError, match="was not written by memberops"):
        write_chain(tmp_path, chain=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["chain.toml"]
    assert (tmp_path / "chain.toml").read_text() == 'name = "real"\n'
    with pytest.raises(InvalidValueError, match="is a file"):
        write_chain(tmp_path / "chain.toml", chain=SMALL)


def test_our_own_folder_is_written_again_and_other_files_in_it_stay(tmp_path):
    """Writing again replaces the tables and keeps the forms made from them."""
    write_chain(tmp_path / "chain", chain=LITTLE)
    results = tmp_path / "chain" / "out"
    results.mkdir()
    (results / "2026-10.csv").write_text("kept")
    fewer = attrs.evolve(LITTLE, members=10)
    written = write_chain(tmp_path / "chain", chain=fewer, dirty=False)
    assert (results / "2026-10.csv").read_text() == "kept"
    assert len(written.file("members").read_text("utf-8").splitlines()) == 11


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The small chain as files; these are only read."""
    return write_chain(tmp_path_factory.mktemp("exported") / "chain", chain=SMALL)


def test_the_files_look_like_real_exports(exported):
    """Chinese headings, two encodings, four ways to write a day, decorated amounts."""
    written = exported
    members = written.file("members").read_bytes().decode("gb18030")
    sales = written.file("sales").read_bytes().decode("gb18030", "replace")
    targets = written.file("targets").read_bytes()
    assert targets.startswith(b"\xef\xbb\xbf")
    assert members.startswith("会员编号,姓名,手机号,性别")
    assert re.search(r",\d{4}年\d{1,2}月\d{1,2}日,", members)
    assert re.search(r",\d{4}/\d{1,2}/\d{1,2},\d{4}-\d\d-\d\d \d\d:\d\d,", sales)
    assert re.search(
        r",20\d{6},20\d{6},", written.file("cards").read_text("utf-8-sig", "replace")
    )
    assert re.search(r'"￥[\d,]+,\d{3}\.\d\d"', targets.decode("utf-8-sig"))
    for amount in (r",￥?[０-９]+．[０-９]{2},", r",\(\d+\.\d\d\),", r",-\d+\.\d\d,"):
        assert re.search(amount, sales), amount
    with pytest.raises(UnicodeDecodeError):
        written.file("sales").read_bytes().decode("gb18030")


def read(written, name):
    """Read one table of a written chain as an office would."""
    chain = written.chain
    return read_csv(
        written.file(name), name, currency=chain.currency, zone=ZoneInfo(chain.zone)
    )


def same_rows(accepted, clean):
    """Assert that two frames hold the same rows in the same order."""
    optional = accepted.astype({n: clean[n].dtype for n in clean.columns})
    pd.testing.assert_frame_equal(optional[list(clean.columns)], clean)


READ_CHAINS = (
    SMALL,
    attrs.evolve(SMALL, seed=3, members=1, stores=1, regions=1, months=1),
    attrs.evolve(LITTLE, currency=Currency("JPY"), typical_price=Decimal(900)),
    attrs.evolve(LITTLE, zone="Europe/Berlin", first_month=dt.date(2023, 9, 1)),
)


@pytest.fixture(
    scope="module", params=READ_CHAINS, ids=("small", "tiny", "yen", "berlin")
)
def read_back(request, tmp_path_factory):
    """Chains as files, and what the source read of each table of them."""
    folder = tmp_path_factory.mktemp("read-back") / "chain"
    written = write_chain(folder, chain=request.param)
    return written, {known.name: read(written, known.name) for known in TABLES}


def test_the_csv_source_reports_the_planted_dirt_and_nothing_else(read_back):
    """Each damaged row is refused or reported by line, column and rule; no other is."""
    written, results = read_back
    for known in TABLES:
        result = results[known.name]
        planted = written.planted_in(known.name)
        refused = [(d.file, d.line, d.column, d.rule) for d in planted if d.rejected]
        rejects = result.rejects[["file", "line", "column", "rule"]].astype(object)
        rejects = rejects.where(rejects.notna(), None)
        assert list(rejects.itertuples(index=False, name=None)) == refused
        reported = sorted(
            (f.row, f.rule) for f in result.findings if f.severity.rank > 0
        )
        seen = [(d.line, d.rule) for d in planted if d.found_by == "source"]
        clean = written.frames[known.name]
        if clean.empty:
            assert [f.rule for f in result.findings if f.severity.rank > 0] == [
                "no-rows"
            ]
        else:
            assert reported == sorted(seen)
        assert result.rows_read == len(clean) + len(planted)
        assert result.rows_read == result.accepted + result.rejected


def test_every_kind_of_damage_is_planted(exported):
    """The dirt has bytes, quotes, cells, values and keys that are wrong."""
    assert {d.rule for d in exported.planted} >= {
        "bad-bytes",
        "date-impossible",
        "duplicate-key",
        "number-destroyed",
        "number-unreadable",
        "quote-unclosed",
        "required-missing",
        "store-unknown",
        "too-few-cells",
        "too-many-cells",
    }


def test_what_the_csv_source_accepts_is_the_clean_chain(read_back):
    """Encodings, headings, days and amounts in any style lose nothing."""
    written, results = read_back
    for known in TABLES:
        accepted, clean = results[known.name].frame, written.frames[known.name]
        key = accepted.columns[0]
        extra = ~accepted[key].isin(clean[key])
        taken = [d for d in written.planted_in(known.name) if not d.rejected]
        assert extra.sum() == len(taken)
        same_rows(accepted[~extra].reset_index(drop=True), clean)


def test_a_clean_chain_is_read_without_a_finding(tmp_path):
    """The plain files hold the same rows, and nothing in them needs attention."""
    written = write_chain(tmp_path / "chain", chain=LITTLE, dirty=False)
    assert written.planted == ()
    assert written.file("members").read_text("utf-8").startswith("Member ID,Name,")
    for known in TABLES:
        result = read(written, known.name)
        assert result.rejected == 0
        assert [f.rule for f in result.findings] == ["encoding"]
        same_rows(result.frame, written.frames[known.name])


def test_the_chain_file_names_the_chain_and_its_files(tmp_path):
    """The chain file is TOML with the currency, the zone, and a file for each table."""
    chain = attrs.evolve(LITTLE, currency=Currency("JPY"), zone="Europe/Berlin")
    written = write_chain(tmp_path / "chain", chain=chain, name='A "quoted" name')
    told = tomllib.loads(written.chain_file.read_text("utf-8"))
    assert told["name"] == 'A "quoted" name'
    assert (told["currency"], told["zone"]) == ("JPY", "Europe/Berlin")
    for known in TABLES:
        source = told["sources"][known.name]
        assert source["adapter"] == "csv"
        assert (written.folder / source["path"]).is_file()
    assert told["policies"]["fee_waiver"] == {"purchases": 3, "spend": "1000"}
    assert told["policies"]["term"] == {"count": 12, "unit": "months"}
    fine = attrs.evolve(SMALL, currency=Currency("GBP", digits=3))
    with pytest.raises(InvalidValueError, match="cannot have 3 digits"):
        write_chain(tmp_path / "fine", chain=fine)


def test_the_demonstration_says_what_it_wrote_in_both_languages(tmp_path, capsys):
    """The command writes a chain and tells what is in it; a wrong use exits with 2."""
    assert main([str(tmp_path / "demo")]) == 0
    told = capsys.readouterr().out
    assert "资料稽核（audit）会逐一判为无效" in told
    assert "audit calls each invalid" in told
    assert "12 家门店，5000 名会员" in told
    assert "12 stores, 5000 members" in told
    assert "2024-10–2026-10" in told
    assert sum(f.stat().st_size for f in (tmp_path / "demo").iterdir()) < 60_000_000
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert main([str(tmp_path / "mine")]) == 2
    refused = capsys.readouterr().err
    assert "请换一个空文件夹" in refused
    assert "nothing in it was touched" in refused
    assert main(["--help"]) == 2


def test_naming_the_testing_package_loads_no_frame_library():
    """Its names load when they are used, so that a plugin's tests start quickly."""
    code = (
        "import sys, memberops.testing as t; assert 'SyntheticChain' in dir(t);"
        "print('pandas' in sys.modules, 'numpy' in sys.modules)"
    )
    shown = subprocess.run(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split() == ["False", "False"]


def test_builders_give_canonical_types():
    """Compact rows in major units become canonical frames."""
    sales = sales_frame(
        [
            ("T1", "2026-10-03", "S1", None, 1, Decimal("0.10")),
            {
                "ticket_id": "T2",
                "sold_on": dt.date(2026, 10, 4),
                "sold_at": dt.datetime(2026, 10, 4, 1, tzinfo=dt.UTC),
                "store_id": "S1",
                "quantity": -1,
                "amount": -3,
                "unit_price": 3,
            },
        ]
    )
    assert sales.amount.tolist() == [10, -300]
    types = {name: str(kind) for name, kind in sales.dtypes.items()}
    assert types["sold_on"] == "datetime64[us]"
    assert types["sold_at"] == "datetime64[us, UTC]"
    assert types["member_id"] == "str"
    assert types["amount"] == types["quantity"] == "int64"
    assert types["unit_price"] == "Int64"
    yen = sales_frame(
        [("T1", "2026-10-03", "S1", "M1", 1, 120)], currency=Currency("JPY")
    )
    assert yen.amount.tolist() == [120]
    assert targets_frame([("S1", "2026-10", "5")]).month[0] == pd.Timestamp(
        "2026-10-01"
    )
    assert cards_frame([]).dtypes["valid_from"] == "datetime64[us]"
    members = members_frame([("M1",), {"member_id": "M2", "name": "会员2"}])
    assert members.name.isna().tolist() == [True, False]
    assert stores_frame([("S1", "东区")]).region_id.tolist() == ["东区"]


@pytest.mark.parametrize(
    ("build", "row", "told"),
    [
        (sales_frame, ("T1", "2026-10-03", "S1", None, 1, 0.1), "not a float"),
        (sales_frame, ("T1", "2026-10-03", "S1", None, 1.0, "1"), "a whole number"),
        (sales_frame, ("T1", "2026-10-03", "S1", None, True, "1"), "a whole number"),
        (sales_frame, (1, "2026-10-03", "S1", None, 1, "1"), "'ticket_id' takes text"),
        (sales_frame, ("T1", "3.10.2026", "S1", None, 1, "1"), "takes a date such as"),
        (sales_frame, ("T1", "2026-10-03", "S1"), "lacks 'quantity'"),
        (sales_frame, "T1", "is a tuple of at most 7"),
        (stores_frame, ("S1", "east", "n", "z", "x"), "is a tuple of at most 4"),
        (stores_frame, {"store_id": "S1", "regionid": "e"}, "did you mean 'region_id'"),
        (cards_frame, ("C", "M", NOON, "2026-12-31"), "'valid_from'"),
    ],
)
def test_builders_refuse_what_would_not_be_exact(build, row, told):
    """A float, a number as id, a misspelt column is an error that names it."""
    with pytest.raises(InvalidValueError, match=told):
        build([row])
