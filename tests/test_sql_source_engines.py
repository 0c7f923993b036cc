"""The faster engines of SQL sources answer as SQLAlchemy does, row for row."""

import datetime as dt

import pandas as pd
import pytest

from memberops.adapters.sources.sql_fast import fast_engine
from memberops.errors import ConfigurationError, MissingExtraError, SourceError
from sql_scene import NOON, SALES, Till, rows, till_of

_ENGINES = {
    "sqlite": ("adbc", "adbc_driver_sqlite"),
    "postgresql": ("adbc", "adbc_driver_postgresql"),
    "mariadb": ("connectorx", "connectorx"),
}


@pytest.fixture(params=_ENGINES)
def till(request, tmp_path):
    """A till's database of each kind for which the fast engine is installed."""
    engine, package = _ENGINES[request.param]
    pytest.importorskip(package, reason=f"needs {package} for the engine {engine}")
    with till_of(request.param, request, tmp_path) as made:
        made.fast = engine
        yield made


def _compared(result):
    return (
        result.frame.sort_values(["ticket_id", "amount"], ignore_index=True),
        result.rejects.drop(columns="line").sort_values("raw", ignore_index=True),
        sorted(f"{f.rule} {f.column} {f.count}" for f in result.findings),
    )


def test_every_engine_answers_alike(till):
    """Frames, rejects and findings are equal, for good rows and for damaged ones."""
    till.receipts()
    good = rows(till, 300)
    none = dict.fromkeys(good[0])
    bad = [
        {**good[0], "no": "", "secret": None},
        {**good[1], "no": "空 “引号”", "shop": "=1+1", "pieces": -3},
        {**good[2], "no": "NULL"},
        {**good[3], "no": "T9", "实付%": None},
        {**good[4], "no": "T9", "at": None},
        {**good[5], "no": "T9", "实付%": "-0.01", "pieces": None},
        none,
    ]
    till.fill("receipts", [none, *good, *bad])
    answers = [
        till.source(tables={"sales": SALES}, engine=engine, rows_at_once=100).read(
            "sales"
        )
        for engine in ("sqlalchemy", till.fast, "auto")
    ]
    slow, *others = map(_compared, answers)
    assert answers[0].accepted == 301
    assert answers[0].rejected == 7
    for frame, rejects, findings in others:
        pd.testing.assert_frame_equal(frame, slow[0])
        pd.testing.assert_frame_equal(rejects, slow[1])
        assert findings == slow[2]


def test_a_fast_engine_reads_nothing_and_empty_cells(till):
    """A table without rows, or whose first thousands of cells are NULL, is read."""
    till.run("CREATE TABLE shops (store_id {long}, name {long}, amount NUMERIC(9, 2))")
    source = till.source(table="shops", engine=till.fast)
    assert source.read("stores").rows_read == 0
    shops = [{"store_id": f"S{n}", "name": None} for n in range(3000)]
    till.fill("shops", [*shops, {"store_id": "S", "name": "店"}])
    frame = source.read("stores").frame
    assert (len(frame), frame["name"].notna().sum()) == (3001, 1)


def test_a_fast_engine_reads_in_the_same_session(till):
    """Moments of the server's zone, and texts with percent signs, are the same."""
    till.run("CREATE TABLE cases (case_id {long}, received_at {moment})")
    moment = dt.datetime(2026, 11, 5, 6, 3, tzinfo=dt.UTC)
    till.fill("cases", [{"case_id": "C1%", "received_at": till.moment(moment)}])
    query = "SELECT case_id, received_at FROM cases WHERE case_id LIKE 'C%'"
    for engine in ("sqlalchemy", till.fast):
        frame = till.source(query=query, engine=engine).read("complaints").frame
        assert frame["case_id"].tolist() == ["C1%"]
        assert frame["received_at"].tolist() == [pd.Timestamp(moment)]


def test_changes_are_told_by_a_fast_engine_too(till):
    """The first reading is fast; the later ones, with bound values, go on from it."""
    till.receipts()
    till.fill("receipts", rows(till, 20))
    options = {**SALES, "cursor": "changed", "overlap": 0}
    source = till.source(tables={"sales": options}, engine=till.fast)
    first = source.changes("sales", since=None)
    new = {**rows(till, 21)[20], "changed": till.moment(NOON)}
    till.fill("receipts", [new])
    second = source.changes("sales", since=first.cursor)
    assert (first.result.accepted, second.whole) == (20, False)
    assert set(second.result.frame["ticket_id"]) == {"T00019", "T00020"}


def test_a_failing_query_is_told_alike_and_discreetly(till, capfd):
    """An error within a fast reading holds no value, statement or password."""
    failing = {
        "sqlite": "SELECT abs(-9223372036854775807 - n) store_id FROM (SELECT 1 n)",
        "postgresql": "SELECT 1 / (1 - n) AS store_id FROM (SELECT 1 AS n) AS ones",
        "mariadb": "SELECT 9223372036854775807 + n AS store_id FROM (SELECT 1 AS n) o",
    }
    query = failing[till.kind]
    with pytest.raises(SourceError) as failed:
        till.source(query=query, engine=till.fast).read("stores")
    assert "SELECT" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert "9223372036854775807" not in "".join(
        [str(failed.value), *capfd.readouterr()]
    )


def test_an_engine_for_another_database_is_refused(tmp_path, monkeypatch):
    """An engine reads its databases alone, and one that is absent names its extra."""
    path = tmp_path / "till.db"
    path.touch()
    till = Till("sqlite", f"sqlite:///{path}")
    till.run("CREATE TABLE shops (store_id TEXT)")
    with pytest.raises(ConfigurationError, match="does not read sqlite"):
        till.source(table="shops", engine="connectorx").read("stores")
    with pytest.raises(ConfigurationError, match="'ssl_ca' of the URL"):
        fast_engine("connectorx", "mysql", ["charset", "ssl_ca"])
    assert fast_engine("auto", "mysql", ["ssl_ca"]) is None
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="sql-fast"):
        till.source(table="shops", engine="adbc").read("stores")
    assert till.source(table="shops", engine="auto").read("stores").rows_read == 0
