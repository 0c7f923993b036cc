"""One reading of one canonical table from a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from memberops.adapters.sources.changes import (
    RecordKey,
    SourceChanges,
    record_key_of,
    record_keys,
)
from memberops.adapters.sources.column_values import TextColumn, read_column
from memberops.adapters.sources.csv_paths import naming
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.headings import HeadingMap
from memberops.adapters.sources.placing import canonical_columns, place_headings
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.sql_access import SqlAddress
from memberops.adapters.sources.sql_cursor import (
    Mark,
    changed,
    newest_marks,
    read_cursor,
    write_cursor,
)
from memberops.adapters.sources.sql_fast import fast_engine, fast_pieces
from memberops.adapters.sources.sql_place import SqlPlace, rows_of
from memberops.adapters.sources.sql_rows import (
    Shape,
    fetched,
    gathered,
    select_texts,
    shape_of,
    zoned,
)
from memberops.adapters.sources.sql_tables import naming_nearest_table
from memberops.adapters.sources.text_table import TextTable, read_text_table
from memberops.domain import Finding, Severity
from memberops.errors import ConfigurationError, SourceError, nearest
from memberops.tables import Kind

__all__ = ["SqlReading"]

_LIVING = {"", "0", "0.0", "false", "f", "n", "no", "0000-00-00", "0000-00-00 00:00:00"}


@attrs.frozen(kw_only=True, repr=False)
class SqlReading:
    """
    What is to be read, and how.

    Args:
        address: Of the database.
        place: The table or query.
        options: What becomes of its columns.
        engine: One of `sql_fast.ENGINES`.
        rows_at_once: How many rows are in memory as values of the driver.
        clock: Tells the present.
    """

    address: SqlAddress
    place: SqlPlace
    options: ReadingOptions
    engine: str
    rows_at_once: int
    clock: Callable[[], dt.datetime]

    def read(
        self, *, since: str | None = None, with_cursor: bool = False
    ) -> SourceChanges:
        """
        Read all, or what changed since a cursor.

        Args:
            since: The cursor; None reads all.
            with_cursor: Whether the cursor for the next reading is asked for.

        Raises:
            ConfigurationError: An option names a column that is not there.
            MissingColumnsError: A required column is in no column of the place.
            SourceError: The database cannot be reached or fails.
        """
        name, place = self.options.converter.table.name, self.place
        with_cursor = with_cursor and bool(place.cursor)
        where = self.address.fingerprint
        earlier = None
        if since and with_cursor:
            earlier = read_cursor(place, since, where=where)
        had = earlier is not None
        family = self.address.family
        with naming(place.name, name):
            with self.address.connection() as connection:
                with naming_nearest_table(connection, place, self.address.where):
                    shape = shape_of(connection, place, family)
                map_, wanted = self._wanted(shape)
                rows = rows_of(place, shape.names, alias="r")
                marks = self._newest(connection, rows, shape) if with_cursor else ()
                if not self._keyed(map_):
                    earlier = None
                if earlier is not None:
                    marks = tuple(
                        _later(*pair) for pair in zip(earlier, marks, strict=True)
                    )
                fast = None
                if earlier is None and not place.parameters:
                    fast = fast_engine(self.engine, family, self.address.url().query)
                names = [shape.names[at] for at in wanted]
                statement = select_texts(
                    rows, names, family=family, no_null=fast is not None
                )
                if earlier is not None:
                    statement = self._of_changed(statement, rows, shape, map_, earlier)
                if fast is None:
                    columns = gathered(
                        fetched(
                            connection, statement, names, rows_at_once=self.rows_at_once
                        ),
                        len(names),
                    )
            if fast is not None:
                columns = gathered(
                    fast_pieces(self.address, statement, family), len(names)
                )
            texts = self._texts(shape, dict(zip(wanted, columns, strict=True)))
            lost = since and with_cursor and not had
            notes = [self._unknown_cursor()] if lost else []
            return self._answer(
                texts,
                notes,
                cursor=write_cursor(place, marks, where=where) if with_cursor else "",
                whole=earlier is None,
            )

    def _wanted(self, shape: Shape) -> tuple[HeadingMap, list[int]]:
        """Find the columns that mean something: no other is read."""
        place, options = self.place, self.options
        for option, names in (
            ("cursor", place.cursor),
            ("utc", place.utc),
            ("deleted", (place.deleted,) if place.deleted else ()),
        ):
            for name in names:
                if name not in shape.names:
                    raise ConfigurationError(
                        f"{option!r} names {name[:40]!r}, which {place.name} does not "
                        f"have; {nearest(name[:40], shape.names)}"
                    )
        table = options.converter.table
        found = place_headings(shape.names, options, FindingLog(table.name, None, 1))
        for name, positions in found.places.items():
            if table.column(name).kind is Kind.MONEY and shape.coarse & set(positions):
                raise SourceError(
                    f"the column for {name} is a FLOAT of seven digits, which keeps no "
                    "exact amounts: make it DECIMAL, or read a query that casts it to "
                    "the DECIMAL it was meant to be"
                )
        wanted = {at for positions in found.places.values() for at in positions}
        wanted |= set(found.extra.values())
        if place.deleted:
            wanted.add(shape.names.index(place.deleted))
        return found, sorted(wanted)

    def _newest(
        self, connection: sa.Connection, rows: Any, shape: Shape
    ) -> tuple[Mark, ...]:
        utc = {shape.names[at] for at in shape.utc} | set(self.place.utc)
        own = self.options.converter.zone
        return newest_marks(
            connection,
            rows,
            self.place,
            family=self.address.family,
            zones=[ZoneInfo("UTC") if n in utc else own for n in self.place.cursor],
            now=self.clock(),
        )

    def _of_changed(
        self,
        statement: sa.Select[Any],
        rows: Any,
        shape: Shape,
        found: HeadingMap,
        marks: Sequence[Mark],
    ) -> sa.Select[Any]:
        """Take the changed rows, and with each all other rows of its record."""
        family = self.address.family
        own = changed(rows, self.place, marks, family=family)
        key = self._record_key
        if key == self.options.converter.table.key:
            return statement.where(own)
        parts: list[str] = []
        for name in key:
            headings = self.options.compositions.get(name, ())
            places = [found.extra[each] for each in headings]
            parts += [
                shape.names[at] for at in places or found.places.get(name, ())[:1]
            ]
        others = rows_of(self.place, shape.names, alias="o")
        theirs = changed(others, self.place, marks, family=family)
        if not parts:  # a constant: all rows are one record
            return statement.where(
                sa.or_(own, sa.exists().select_from(others).where(theirs))
            )
        # Joined, since a database without an index of the key would look for each row
        # through all others, were it asked row by row.
        touched = (
            sa.select(*[others.c[p].label(f"k{at}") for at, p in enumerate(parts)])
            .where(theirs)
            .distinct()
            .subquery("touched")
        )
        same = [rows.c[part] == key for part, key in zip(parts, touched.c, strict=True)]
        joined = rows.outerjoin(touched, sa.and_(*same))
        return statement.select_from(joined).where(
            sa.or_(own, touched.c[0].is_not(None))
        )

    def _keyed(self, found: HeadingMap) -> bool:
        """Tell if records can be told apart by what is read, and so be replaced."""
        key, table = self._record_key, self.options.converter.table
        had = {*found.places, *self.options.made}
        whole = key == table.key
        return (
            bool(key)
            and had.issuperset(key)
            and (whole or not {*key} & set(self.options.joins))
        )

    @property
    def _record_key(self) -> tuple[str, ...]:
        return self.place.key or record_key_of(self.options.converter.table)

    def _texts(self, shape: Shape, read: dict[int, TextColumn]) -> TextTable:
        rows = len(next(iter(read.values())).codes) if read else 0
        utc = shape.utc | {shape.names.index(name) for name in self.place.utc}
        unread = TextColumn.constant("", rows)
        return TextTable(
            name=self.place.name,
            headings=shape.names,
            columns=tuple(
                zoned(read[at]) if at in read and at in utc else read.get(at, unread)
                for at in range(len(shape.names))
            ),
            lines=np.arange(1, rows + 1),
        )

    def _answer(
        self, texts: TextTable, notes: Iterable[Finding], *, cursor: str, whole: bool
    ) -> SourceChanges:
        gone = self._gone(texts)
        living = attrs.evolve(texts, notes=(*notes, *self._gone_note(int(gone.sum()))))
        if gone.any():
            living = attrs.evolve(
                living,
                columns=tuple(
                    TextColumn(c.codes[~gone], c.texts) for c in texts.columns
                ),
                lines=texts.lines[~gone],
            )
        # Of what is deleted the keys are read from the text.
        result = read_text_table(
            living, self.options, texts_for="anything" if gone.any() else "rejects"
        )[0]
        key = self._record_key
        if whole:
            return SourceChanges(result=result, cursor=cursor, whole=True)
        at = pd.Series(np.arange(len(texts.lines)), index=texts.lines)
        refused = self._keys(
            texts, at.loc[result.rejects["line"].astype(int)].to_numpy()
        )
        deleted = dict.fromkeys(self._keys(texts, np.flatnonzero(gone)))
        came = set(record_keys(result.frame, key)) | {()}
        return SourceChanges(
            result=result,
            cursor=cursor,
            deleted=[each for each in deleted if each not in came],
            refused=() if result.unlisted else refused,
            key=self.place.key,  # type: ignore[arg-type] # of the converter tuple
        )

    def _gone(self, texts: TextTable) -> npt.NDArray[Any]:
        """Tell for each row whether it is marked deleted."""
        if self.place.deleted is None:
            return np.zeros(len(texts.lines), dtype=bool)
        column = texts.columns[texts.headings.index(self.place.deleted)]
        dead = [not _is_living(text) for text in column.texts]
        return np.array(dead, dtype=bool)[column.codes]

    def _gone_note(self, count: int) -> tuple[Finding, ...]:
        if not count:
            return ()
        marked = (self.place.deleted or "")[:60]
        return (
            self._finding(
                "row-deleted",
                f"rows that {marked!r} marks as deleted and that are left out: {count}",
                f"{marked!r} 标记为已删除而未读取的行：{count}",
                count=count,
            ),
        )

    def _unknown_cursor(self) -> Finding:
        return self._finding(
            "cursor-unknown",
            "the cursor is not one of this table, its options and this database; all "
            "is read",
            "该游标不属于此表、其配置及此数据库，已重新读取全部数据",
            severity=Severity.WARNING,
        )

    def _finding(
        self,
        rule: str,
        text_en: str,
        text_zh: str,
        *,
        severity: Severity = Severity.INFO,
        count: int = 1,
    ) -> Finding:
        log = FindingLog(self.options.converter.table.name, self.place.name, 1)
        log.add(rule, text_en, text_zh, severity=severity, count=count)
        return log.findings[0]

    def _keys(self, texts: TextTable, rows: npt.NDArray[Any]) -> list[RecordKey]:
        """Return the key of the record of each row; empty if it cannot be read."""
        if not len(rows):
            return []
        options, key = self.options, self._record_key
        few = [TextColumn(*_few(column, rows)) for column in texts.columns]
        log = FindingLog(options.converter.table.name, None, 1)
        found = place_headings(texts.headings, options, log)
        columns = canonical_columns(
            found, few.__getitem__, options, log, headings=texts.headings
        )[0]
        for name, constant in options.converter.constants.items():
            columns[name] = TextColumn.constant(constant, len(rows))
        if not set(key) <= set(columns):
            return [()] * len(rows)
        own = {
            name: read_column(
                options.converter.table.column(name),
                columns[name],
                currency=options.converter.currency,
                zone=options.converter.zone,
                date_format=options.converter.date_formats.get(name),
                missing=options.converter.missing,
                log=log,
            )
            for name in key
        }
        every = np.arange(len(rows))
        readable = np.logical_and.reduce([own[name].readable_rows for name in key])
        keys = record_keys(pd.DataFrame({n: own[n].series(every) for n in key}), key)
        return [each if good else () for each, good in zip(keys, readable, strict=True)]


def _few(
    column: TextColumn, rows: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], list[str]]:
    codes, used = pd.factorize(column.codes[rows])
    return codes, [column.texts[at] for at in used]


def _is_living(text: str) -> bool:
    plain = text.strip().casefold()
    return plain in _LIVING or plain.startswith("0000-00-00")


def _later(earlier: Mark, now: Mark) -> Mark:
    """Keep a mark whose column is empty now: rows may have been deleted."""
    return earlier if now.kind == "none" else now
