"""Sources of databases: exact, discreet, and only reading."""

import datetime as dt
import json
import logging
import traceback

import pandas as pd
import pytest

from memberops.adapters import load_adapters
from memberops.adapters.sources.sql_access import SqlAddress
from memberops.adapters.sources.sql_failures import reason_of
from memberops.errors import (
    ConfigurationError,
    MemberOpsError,
    MissingColumnsError,
    SourceError,
    UnknownTableError,
)
from sql_scene import KINDS, NOON, SALES, Till, rows, till_of


@pytest.fixture(params=KINDS)
def till(request, tmp_path):
    """A till's database of each kind."""
    with till_of(request.param, request, tmp_path) as made:
        yield made


def test_what_was_put_in_is_read_exactly(till):
    """Amounts are exact, moments are UTC, and all rows come, from any database."""
    till.receipts()
    made = rows(till, 250)
    till.fill("receipts", made)
    result = till.source(tables={"sales": SALES}, rows_at_once=60).read("sales")
    frame = result.frame.sort_values("ticket_id", ignore_index=True)
    assert (result.rows_read, result.rejected) == (250, 0)
    assert frame["ticket_id"].tolist() == [f"T{n:05d}" for n in range(250)]
    assert frame["amount"].tolist() == [
        n * 3 % 1000 * 100 + n % 100 for n in range(250)
    ]
    assert frame["quantity"].tolist() == [n % 4 + 1 for n in range(250)]
    first = dt.datetime(2026, 10, 1, 1, 2, 3, 40, tzinfo=dt.UTC)
    assert frame["sold_at"].tolist() == [
        pd.Timestamp(first + dt.timedelta(seconds=61 * n)) for n in range(250)
    ]
    assert frame["sold_on"][0] == pd.Timestamp("2026-10-01")


def test_no_row_is_lost_or_doubled_however_many_are_fetched_at_once(till):
    """Each row comes once, where a piece ends before, at or behind the last row."""
    till.receipts()
    for count, sizes in ((1, (1, 2)), (7, (1, 3, 6, 7, 8))):
        till.run("DELETE FROM receipts")
        made = rows(till, count)
        till.fill("receipts", made)
        for at_once in sizes:
            source = till.source(tables={"sales": SALES}, rows_at_once=at_once)
            frame = source.read("sales").frame
            assert sorted(frame["ticket_id"]) == [each["no"] for each in made], at_once


def test_a_moment_without_zone_is_of_the_chain_unless_it_is_said_to_be_utc(till):
    """A naive column is read in the chain's zone, or in UTC where ``utc`` names it."""
    till.run("CREATE TABLE cases (case_id {long}, received_at {naive})")
    till.run("INSERT INTO cases VALUES ('C1', '2026-11-05 14:03:00')")
    local = till.source(table="cases").read("complaints")
    utc = till.source(table="cases", utc="received_at").read("complaints")
    assert local.frame["received_at"].tolist() == [pd.Timestamp("2026-11-05T06:03:00Z")]
    assert utc.frame["received_at"].tolist() == [pd.Timestamp("2026-11-05T14:03:00Z")]


def test_money_that_a_database_keeps_as_a_float_is_read_by_its_text(till):
    """A column of doubles gives the amounts that were written, or refuses the row."""
    till.run(
        "CREATE TABLE sold (ticket {long}, sold_on {long}, shop {long}, pay {double})"
    )
    amounts = ["0.1", "0.29", "1234567.89", "-19.9", "1.005"]
    till.fill(
        "sold",
        [
            {
                "ticket": f"T{n}",
                "sold_on": "2026-11-05",
                "shop": "S1",
                "pay": float(pay),
            }
            for n, pay in enumerate(amounts)
        ],
    )
    mapping = {"ticket_id": "ticket", "store_id": "shop"}
    result = till.source(
        table="sold",
        columns={**mapping, "amount": "pay"},
        constants={"quantity": "1"},
    ).read("sales")
    assert sorted(result.frame["amount"]) == [-1990, 10, 29, 123456789]
    assert result.rejects["rule"].tolist() == ["amount-digits"]


def test_money_in_a_float_of_seven_digits_is_refused(request, tmp_path):
    """MariaDB rounds the text of a FLOAT, so it is refused with the way out."""
    with till_of("mariadb", request, tmp_path) as maria:
        maria.run("CREATE TABLE targets (store_id TEXT, month DATE, target FLOAT)")
        with pytest.raises(SourceError, match=r"FLOAT of seven digits.*DECIMAL"):
            maria.source(table="targets").read("targets")
        query = (
            "SELECT store_id, month, CAST(target AS DECIMAL(9, 2)) target FROM targets"
        )
        assert maria.source(query=query).read("targets").rows_read == 0


def test_odd_values_of_a_database_are_findings_not_failures(till):
    """What no date can be rejects its row; NULL is no value; nothing else breaks."""
    odd = {"sqlite": "soon", "postgresql": "infinity", "mariadb": "2026-11-05"}
    till.run(
        "CREATE TABLE cards (card_id {long}, member_id {long}, valid_from DATE, "
        "valid_through DATE)",
        "INSERT INTO cards VALUES ('K1', 'M1', '2026-01-01', :odd), "
        "('K2', 'M2', '2026-01-01', NULL), ('K3', 'M3', '2026-01-01', '2026-12-31')",
        odd=odd[till.kind],
    )
    result = till.source(table="cards").read("cards")
    good = {"mariadb": ["K1", "K3"]}.get(till.kind, ["K3"])
    assert result.frame["card_id"].tolist() == good
    assert result.rows_read == 3


def test_only_columns_that_mean_something_are_read(till):
    """A column that nobody asked for never leaves the database."""
    till.receipts()
    till.fill("receipts", [{**rows(till, 1)[0], "pieces": None}])
    result = till.source(tables={"sales": SALES}).read("sales")
    assert result.rejected == 1
    assert "13800138000" not in result.rejects["raw"][0]
    assert any(finding.rule == "heading-ignored" for finding in result.findings)


def test_a_query_is_read_with_bound_values(till):
    """A query computes and takes parameters, which are values whatever they say."""
    till.receipts()
    till.fill("receipts", rows(till, 9))
    query = (
        "WITH own AS (SELECT * FROM receipts WHERE shop = :shop AND shop LIKE 'S%') "
        "SELECT no AS ticket_id, shop AS store_id, at AS sold_at, pieces AS quantity, "
        "7.25 AS amount FROM own -- of one shop"
    )
    source = till.source(
        tables={"sales": {"query": query, "parameters": {"shop": "S1"}}}
    )
    frame = source.read("sales").frame
    assert (set(frame["store_id"]), set(frame["amount"])) == ({"S1"}, {725})
    hostile = {"query": query, "parameters": {"shop": "S1' OR '1'='1"}}
    assert till.source(tables={"sales": hostile}).read("sales").rows_read == 0


def test_a_source_never_writes(till):
    """What would write is refused before it runs, or by the database itself."""
    till.run("CREATE TABLE shops (store_id {long})")
    till.run("INSERT INTO shops VALUES ('S1')")
    for query in (
        "DELETE FROM shops",
        "SELECT 1; DELETE FROM shops",
        "WITH gone AS (DELETE FROM shops RETURNING store_id) SELECT * FROM gone",
        "SELECT store_id FROM shops) AS q, (DELETE FROM shops",
    ):
        with pytest.raises((ConfigurationError, SourceError)):
            till.source(query=query).read("stores")
    assert till.source(table="shops").read("stores").rows_read == 1


def test_the_database_itself_keeps_a_reading_from_writing(till):
    """Even a statement that got through our own checks cannot write."""
    till.run("CREATE TABLE shops (store_id {long})")
    address = till.source(table="shops")._address
    with pytest.raises(SourceError, match="only read"), address.connection() as one:
        one.exec_driver_sql("INSERT INTO shops VALUES ('S9')")
    assert till.source(table="shops").read("stores").rows_read == 0


@pytest.mark.parametrize(
    "name",
    ["a; drop table b", "a' or '1", 'a"b', "a--b", "a/*b", "a.b.c", "", " ", "a\nb",
     "(select 1)", "`a`", "a\0", "x" * 300, 7],
)  # fmt: skip
def test_a_name_that_is_no_name_is_refused(name, tmp_path):
    """A table is named by words; whatever else it may be is told to be a query."""
    with pytest.raises(
        ConfigurationError, match=r"'table' is the name|either a 'table'"
    ):
        Till("sqlite", "sqlite:///x.db").source(table=name)


def test_names_that_need_quoting_are_quoted(till):
    """A table and columns with spaces, capitals or our script are found as they are."""
    name, code = "门店 Liste", "Code Nr."
    till.run(
        f"CREATE TABLE {till.quoted(name)} ({till.quoted(code)} {{long}}, "
        f"{till.quoted('select')} {{long}})",
    )
    till.fill(name, [{code: "S1", "select": "一店"}])
    columns = {"store_id": code, "name": "select"}
    result = till.source(table=name, columns=columns).read("stores")
    assert result.frame[["store_id", "name"]].to_numpy().tolist() == [["S1", "一店"]]


def test_ties_and_late_commits_are_read_again_and_nothing_is_lost(till):
    """The next reading begins before the cursor: equal and slightly older rows come."""
    till.receipts()
    made = rows(till, 5)
    till.fill("receipts", made)
    options = {**SALES, "cursor": "changed", "overlap": 60}
    source = till.source(tables={"sales": options})
    first = source.changes("sales", since=None)
    assert (first.whole, first.result.accepted) == (True, 5)
    newest = NOON - dt.timedelta(days=9, seconds=-4)
    late = [
        {**made[0], "no": "TIE", "changed": till.moment(newest)},
        {
            **made[0],
            "no": "LATE",
            "changed": till.moment(newest - dt.timedelta(seconds=59)),
        },
        {**made[0], "no": "OLD", "changed": till.moment(newest - dt.timedelta(days=1))},
        {**made[0], "no": "NONE", "changed": None},
    ]
    till.fill("receipts", late)
    second = source.changes("sales", since=first.cursor)
    came = set(second.result.frame["ticket_id"])
    assert not second.whole
    assert {"TIE", "LATE", "NONE"} <= came
    assert "OLD" not in came


def test_a_changed_line_brings_its_whole_ticket(till):
    """Sales are replaced ticket by ticket, so all lines of a ticket come together."""
    till.receipts()
    one, other = rows(till, 2)
    till.fill("receipts", [one, {**one, "pieces": 7}, other])
    source = till.source(tables={"sales": {**SALES, "cursor": "changed", "overlap": 0}})
    first = source.changes("sales", since=None)
    moment = till.moment(NOON)
    till.run("UPDATE receipts SET changed = :at WHERE pieces = 7", at=moment)
    second = source.changes("sales", since=first.cursor)
    lines = second.result.frame.groupby("ticket_id")["quantity"].apply(sorted)
    assert lines["T00000"] == [1, 7]


def test_rows_marked_deleted_are_named_and_not_read(till):
    """A reading leaves them out; a later one says which records are no more."""
    till.receipts()
    till.fill("receipts", rows(till, 4))
    options = {**SALES, "cursor": ["changed", "gone"], "deleted": "gone", "overlap": 0}
    source = till.source(tables={"sales": options})
    first = source.changes("sales", since=None)
    till.run("UPDATE receipts SET gone = :at WHERE no = 'T00001'", at=till.moment(NOON))
    second = source.changes("sales", since=first.cursor)
    assert second.deleted == (("T00001",),)
    assert "T00001" not in set(second.result.frame["ticket_id"])
    whole = source.read("sales")
    assert (whole.rows_read, whole.findings[0].rule) == (3, "row-deleted")
    third = source.changes("sales", since=second.cursor)
    assert third.deleted in {(), (("T00001",),)}


def test_a_clock_that_runs_ahead_hides_nothing(till):
    """A row from the future does not move the cursor beyond the present."""
    till.receipts()
    future, *later = rows(till, 2)
    till.fill(
        "receipts", [{**future, "changed": till.moment(NOON + dt.timedelta(365))}]
    )
    source = till.source(tables={"sales": {**SALES, "cursor": "changed"}})
    first = source.changes("sales", since=None)
    till.fill("receipts", [{**later[0], "changed": till.moment(NOON)}])
    second = source.changes("sales", since=first.cursor)
    assert "T00001" in set(second.result.frame["ticket_id"])


def test_a_version_is_a_cursor_too(till):
    """Whole numbers that grow tell changes, the newest one included again."""
    till.run("CREATE TABLE shops (store_id {long}, name {long}, version INTEGER)")
    till.run("INSERT INTO shops VALUES ('S1', 'a', 1), ('S2', 'b', 2), ('S3', 'c', 2)")
    source = till.source(table="shops", cursor="version")
    first = source.changes("stores", since=None)
    till.run("UPDATE shops SET name = 'A', version = 3 WHERE store_id = 'S1'")
    second = source.changes("stores", since=first.cursor)
    assert sorted(second.result.frame["name"]) == ["A", "b", "c"]
    assert json.loads(second.cursor)["at"] == [["number", "3"]]


def test_a_refused_row_names_its_record(till):
    """A record that was good and is refused now can be taken out by its key."""
    till.run("CREATE TABLE shops (card {long}, store_id {long}, version INTEGER)")
    till.run("CREATE TABLE cards (card_id {long}, member_id {long}, valid_from {long}, "
             "valid_through {long}, version INTEGER)")  # fmt: skip
    till.run("INSERT INTO cards VALUES ('K1', 'M1', '2026-01-01', '2026-12-31', 1)")
    source = till.source(table="cards", cursor="version", key="card_id")
    first = source.changes("cards", since=None)
    till.run("UPDATE cards SET valid_through = 'never', version = 2")
    second = source.changes("cards", since=first.cursor)
    assert (second.refused, second.record_key) == ((("K1",),), ("card_id",))


@pytest.mark.parametrize(
    "cursor", ["gone", "{}", '{"of": "x", "at": [["number", "z"]]}']
)
def test_an_unknown_cursor_reads_all_and_says_so(till, cursor):
    """A cursor of something else is a finding, not a failure and not a gap."""
    till.run("CREATE TABLE shops (store_id {long}, version INTEGER)")
    till.run("INSERT INTO shops VALUES ('S1', 1)")
    changes = till.source(table="shops", cursor="version").changes(
        "stores", since=cursor
    )
    assert (changes.whole, changes.result.accepted) == (True, 1)
    assert "cursor-unknown" in [finding.rule for finding in changes.result.findings]


def test_a_missing_table_or_column_is_named_without_a_statement(till):
    """An error says what is wrong, where, and quotes no statement."""
    with pytest.raises(SourceError, match="no such table") as missing:
        till.source(table="shops").read("stores")
    assert "SELECT" not in str(missing.value)
    till.run("CREATE TABLE shops (code {long})")
    with pytest.raises(SourceError, match=r"no such table .* did you mean 'shops'"):
        till.source(table="shop").read("stores")
    till.run("CREATE VIEW open_shops AS SELECT code FROM shops")
    with pytest.raises(SourceError, match="did you mean 'open_shops'"):
        till.source(table="openshops").read("stores")
    with pytest.raises(MissingColumnsError, match="store_id") as missing:
        till.source(table="shops").read("stores")
    assert "file" not in str(missing.value)
    with pytest.raises(ConfigurationError, match=r"'cursor' names 'cod'.*'code'"):
        till.source(table="shops", cursor="cod").read("stores")


def test_a_statement_that_takes_too_long_is_given_up(till):
    """A time-out ends the reading with an error that says which limit it was."""
    endless = {
        "postgresql": "SELECT 'S1' AS store_id FROM pg_sleep(9)",
        "mariadb": "SELECT SLEEP(9) AS store_id",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 999999999) SELECT count(*) AS store_id FROM n",
    }
    source = till.source(query=endless[till.kind], statement_seconds=1)
    with pytest.raises(SourceError, match="statement_seconds"):
        source.read("stores")


def test_no_password_and_no_row_is_shown_anywhere(till, caplog, monkeypatch):
    """Repr, errors, their causes and logs hold neither a secret nor a value."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TILL_PASSWORD", "s3cret-word")
    till.receipts()
    till.fill("receipts", rows(till, 2))
    source = till.source(tables={"sales": SALES}, password={"env": "TILL_PASSWORD"})
    said = [repr(source), repr(source._address), repr(source.__dict__)]
    try:
        source.read("sales")
        till.source(
            query="SELECT CAST('13800138000x' AS INTEGER) AS store_id FROM receipts",
        ).read("stores")
    except MemberOpsError as error:
        said += traceback.format_exception(error)
    text = "".join(said) + caplog.text
    assert "s3cret-word" not in text
    assert "13800138000" not in text


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:s3cret@h/d", "mysql://u@h/d?password=s3cret", "s3cret", 7, ""],
)
def test_a_password_is_not_written_down(url, tmp_path):
    """A URL with a password, or none at all, is refused and not quoted."""
    with pytest.raises(ConfigurationError) as refused:
        Till("sqlite", "sqlite:///x.db").source(url=url, table="shops")
    assert "s3cret" not in str(refused.value)


def test_a_whole_url_may_be_a_secret(tmp_path, monkeypatch):
    """A variable may hold the URL with its password, which is used and not shown."""
    monkeypatch.setenv("POS_URL", "postgresql://u:s3cret@h.example/d")
    address = SqlAddress.of(
        {"env": "POS_URL"},
        password=None,
        folder=tmp_path,
        connect_seconds=1,
        statement_seconds=1,
    )
    assert address.entered().password == "s3cret"  # noqa: S105 - not a real one
    assert address.where == "postgresql at an address that is not shown"


def test_a_server_that_is_not_there_is_told(tmp_path):
    """An unreachable server is an error that names it, and not the driver's text."""
    till = Till("sqlite", "sqlite:///x.db")
    for url in ("postgresql://u@127.0.0.1:9/d", "mysql://u@127.0.0.1:9/d"):
        with pytest.raises(SourceError, match=r"127.0.0.1:9/d: .*refused") as refused:
            till.source(url=url, table="shops", connect_seconds=1).read("stores")
        assert refused.value.__cause__ is None
        assert len(str(refused.value)) < 300
    with pytest.raises(SourceError, match="no database file"):
        till.source(url="sqlite:///no/such.db", table="shops").read("stores")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('connection failed: FATAL:  password authentication failed for user "王"',
         "it refuses the user or the password"),
        ('FATAL:  database "secret" does not exist', "there is no such database"),
        ("failed to resolve host 'db.exmaple': Name or service not known",
         "no host has that name"),
        ("connection timeout expired", "the host does not answer in connect_seconds"),
    ],
)  # fmt: skip
def test_the_cause_of_no_connection_is_told_in_our_words(text, said):
    """A driver gives no code for these; its text, with names, is not shown."""
    assert reason_of(ConnectionError(text)) == said


def test_no_value_is_taken_for_the_code_of_an_error():
    """A number that an error quotes is shown only where it can be a code."""
    assert reason_of(KeyError(13800138000)) == "KeyError"
    assert reason_of(OSError(2013, "lost")).endswith("(2013)")


def test_a_server_that_keeps_another_encoding_is_told_what_to_do():
    """PostgreSQL with SQL_ASCII refuses to give what is no UTF-8; we say what helps."""
    refused = ValueError('invalid byte sequence for encoding "UTF8": 0xce 0xd2')
    refused.sqlstate = "22021"  # as psycopg gives it
    assert "convert the column there, or export it as CSV" in reason_of(refused)


def test_options_that_cannot_be_are_refused():
    """A wrong option is told with the nearest right one, before anything is opened."""
    make = Till("sqlite", "sqlite:///x.db").source
    for options, said in (
        ({"table": "a", "cursors": "b"}, "'cursor'"),
        ({"tables": {"sale": "a"}}, "'sales'"),
        ({"tables": {"sales": {"table": "a", "kolumns": {}}}}, "'columns'"),
        ({"tables": {"sales": {"table": "a", "query": "SELECT 1"}}}, "either"),
        ({}, "needs 'tables'"),
        ({"query": "SELECT :a"}, ":a"),
        ({"query": "SELECT 1", "parameters": {"a": 1}}, ":a"),
        ({"table": "a", "engine": "adbd"}, "'adbc'"),
        ({"table": "a", "overlap": -1}, "overlap"),
        ({"table": "a", "rows_at_once": 0}, "rows_at_once"),
        ({"table": "a", "statement_seconds": True}, "statement_seconds"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            make(**options)
    with pytest.raises(UnknownTableError, match="nothing for 'stores'"):
        make(tables={"sales": "a"}).read("stores")


def test_a_chain_finds_the_source_by_its_name():
    """The adapter is there without a plugin."""
    assert load_adapters(entry_points=False).sources["sql"].name == "sql"
