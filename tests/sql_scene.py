"""Databases of a till for the tests of SQL sources, filled behind the source's back."""

import contextlib
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.sql_source import SqlSource
from memberops.domain import Currency

KINDS = ("sqlite", "postgresql", "mariadb")
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")

SALES = {
    "table": "receipts",
    "columns": {
        "ticket_id": "no",
        "store_id": "shop",
        "sold_at": "at",
        "quantity": "pieces",
        "amount": "实付%",
    },
}

_MOMENT = {"sqlite": "TEXT", "postgresql": "timestamptz", "mariadb": "TIMESTAMP(6)"}
_NAIVE = {"sqlite": "TEXT", "postgresql": "timestamp", "mariadb": "DATETIME(6)"}
_LONG = {"sqlite": "TEXT", "postgresql": "text", "mariadb": "VARCHAR(60)"}
_DOUBLE = {"sqlite": "REAL", "postgresql": "float8", "mariadb": "DOUBLE"}


class Till:
    """A database of one kind."""

    def __init__(self, kind, url):
        self.kind = kind
        self.url = url
        name, _, rest = url.partition("://")
        driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
        self._engine = sa.create_engine(
            f"{driver.get(name, name)}://{rest}", poolclass=sa.NullPool
        )
        self.types = {
            "moment": _MOMENT[kind],
            "naive": _NAIVE[kind],
            "long": _LONG[kind],
            "double": _DOUBLE[kind],
            "now": "NULL" if kind == "mariadb" else "",
        }

    def quoted(self, name):
        """Quote a name as this database does."""
        mark = "`" if self.kind == "mariadb" else '"'
        return f"{mark}{name}{mark}"

    def run(self, *statements, **values):
        """Run statements; ``{moment}``, ``{long}``, ... stand for the types."""
        with self._engine.begin() as connection:
            for statement in statements:
                text = sa.text(statement.format_map(self.types))
                connection.execute(text, values)

    def fill(self, table, rows):
        """Insert rows, each a mapping."""
        names = list(rows[0])
        made = sa.table(table, *[sa.column(name) for name in names])
        with self._engine.begin() as connection:
            connection.execute(sa.insert(made), rows)

    def moment(self, moment):
        """Write a moment as this database keeps it."""
        if self.kind == "sqlite":
            return moment.isoformat(" ")
        # The connections of these tests stand at +08:00, as the server does.
        if self.kind == "mariadb" and moment.tzinfo:
            return moment.astimezone(SHANGHAI).replace(tzinfo=None)
        return moment

    def source(self, **options):
        """Make a source of it."""
        options.setdefault("url", self.url)
        options.setdefault("clock", lambda: NOON)
        return SqlSource(
            SourceContext(folder=Path(), currency=Currency("CNY"), zone=SHANGHAI),
            **options,
        )

    def receipts(self):
        """Make the table of receipts that `SALES` reads."""
        self.run(
            "CREATE TABLE receipts (no {long}, shop {long}, at {moment} NULL, "
            f"pieces INTEGER, {self.quoted('实付%')} NUMERIC(14, 2), secret {{long}}, "
            "changed {moment} NULL, gone {moment} NULL)"
        )


@contextlib.contextmanager
def till_of(kind, request, folder):
    """Open a database that nobody has used; the test is skipped where there is none."""
    if kind == "sqlite":
        path = folder / "till.db"
        path.touch()
        yield Till(kind, f"sqlite:///{path}")
    elif kind == "postgresql":
        yield Till(kind, request.getfixturevalue("postgresql").new_url())
    else:
        yield Till(kind, request.getfixturevalue("mariadb").new_url())


def rows(till, count, *, first=0):
    """Make receipts: amounts beyond floats, and moments to the microsecond."""
    start = dt.datetime(2026, 10, 1, 1, 2, 3, 40, tzinfo=dt.UTC)
    return [
        {
            "no": f"T{number:05d}",
            "shop": f"S{number % 3}",
            "at": till.moment(start + dt.timedelta(seconds=61 * number)),
            "pieces": number % 4 + 1,
            "实付%": f"{number * 3 % 1000}.{number % 100:02d}",
            "secret": "13800138000",
            "changed": till.moment(NOON - dt.timedelta(days=9, seconds=-number)),
            "gone": None,
        }
        for number in range(first, first + count)
    ]
