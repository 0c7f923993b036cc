"""Checks that the author of a plugin runs in the plugin's own tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.adapters import AdapterRegistry, load_adapters
from memberops.adapters.sources.contract import Source, SourceResult
from memberops.domain.finding import Finding
from memberops.errors import UnknownTableError
from memberops.tables import Column, Kind, Table
from memberops.tables import table as canonical_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "broken_by_result",
    "check_source",
    "load_only",
    "personal_values",
    "shows_value",
    "told",
]

_SHORTEST = 2
_PIECE = re.compile(r"[^\s,;|\"'{}\[\]()<>]{4,}")


def load_only(plugin: object) -> AdapterRegistry:
    """
    Load one plugin and nothing else, raising what is wrong with it.

    Args:
        plugin: A module or an object with hook implementations.

    Raises:
        PluginError: The plugin cannot be loaded, has a misspelt hook, or fails when
            it is asked.
        AdapterConflictError: It takes a name that memberops itself uses.

    >>> from memberops.adapters import Adapter, hookimpl
    >>> class Acme:
    ...     @hookimpl
    ...     def memberops_sources(self):
    ...         return [Adapter(name="acme", factory=dict, summary="Acme tills")]
    >>> list(load_only(Acme()).sources)
    ['acme']
    """
    load_adapters(plugins=[plugin], entry_points=False, strict=True)
    return load_adapters(
        plugins=[plugin], entry_points=False, strict=True, disabled=["builtin"]
    )


def check_source(source: Source, table: str) -> SourceResult:
    """
    Check that a source keeps the promises of every source, for one table.

    It reads the table twice, so give it a small export, one that holds a row that is
    refused and, for members, personal values. The promises:

    - the answer is a `SourceResult` of that table, and read = accepted + rejected;
    - the frame has the columns of the canonical table, all required ones among them,
      no others, and each of the type its kind demands; no required value is missing;
    - each row that is refused has a place and a reason in both languages;
    - each finding is a `Finding` of that table, with a text in both languages;
    - reading again gives the same;
    - no personal value is in a finding, nor in the repr of source and result;
    - a table that does not exist is an `UnknownTableError`.

    Args:
        source: What the factory of an adapter made.
        table: Name of a canonical table that the source can give.

    Returns:
        What was read first, to look at further.

    Raises:
        AssertionError: Naming every promise that is broken.
        UnknownTableError: *table* is no canonical table.

    >>> import pandas as pd
    >>> from memberops.testing.contracts import check_source
    >>> class Till:
    ...     def read(self, table):
    ...         return pd.DataFrame({"store_id": [1]})
    >>> check_source(Till(), "stores")
    Traceback (most recent call last):
        ...
    AssertionError: reading 'stores' broke a promise:
    - read() gave a DataFrame, not a SourceResult
    """
    wanted = canonical_table(table)
    result = source.read(table)
    told(f"reading {table!r}", _broken(source, result, wanted))
    return result


def told(what: str, broken: Iterable[str]) -> None:
    """
    Raise an error that names every broken promise, if there is one.

    Raises:
        AssertionError: There is one.
    """
    lines = [f"- {promise}" for promise in broken]
    if lines:
        raise AssertionError(f"{what} broke a promise:\n" + "\n".join(lines))


def _broken(source: Source, result: object, table: Table) -> Iterator[str]:
    if not isinstance(result, SourceResult):
        yield f"read() gave a {type(result).__name__}, not a SourceResult"
        return
    yield from broken_by_result(source, result, table)
    yield from _the_same(result, source.read(table.name))
    yield from _unknown_table(source)


def broken_by_result(
    source: Source, result: SourceResult, table: Table
) -> Iterator[str]:
    """Name the promises that one answer breaks, without asking again."""
    yield from _counts(result, table)
    yield from _columns(result, table)
    yield from _reasons(result)
    yield from _findings(result, table)
    yield from _privacy(source, result, table)


def _counts(result: SourceResult, table: Table) -> Iterator[str]:
    if result.table != table.name:
        yield f"the result says it is of the table {result.table!r}"
    rejected = len(result.rejects) + result.unlisted
    if result.rows_read != len(result.frame) + rejected + result.replaced:
        yield (
            f"{result.rows_read} rows read are not {len(result.frame)} accepted "
            f"+ {rejected} rejected + {result.replaced} replaced"
        )


def _columns(result: SourceResult, table: Table) -> Iterator[str]:
    names = list(result.frame.columns)
    for name in sorted(set(map(str, names)).difference(table.names)):
        yield f"the table has no column {name!r}"
    for name in table.required:
        if name not in names:
            yield f"the required column {name!r} is absent"
    if len(set(names)) < len(names):
        yield "a column occurs twice"
        return
    for column in table.columns:
        if column.name in names:
            yield from _values(column, result.frame[column.name])


def _values(column: Column, values: pd.Series[Any]) -> Iterator[str]:
    wanted = _wrong_type(column, values)
    if wanted:
        yield f"{column.name!r} must be {wanted}, not {values.dtype}"
        return
    known = values.dropna()
    if column.required and len(known) < len(values):
        yield f"the required column {column.name!r} has gaps: reject such rows"
    if column.kind is Kind.DATE and (known != known.dt.normalize()).any():
        yield f"{column.name!r} must be a day, without a time"
    if column.kind is Kind.CHOICE:
        words = {word for _, word in column.choices}
        if not set(known) <= words:
            yield f"{column.name!r} takes only {', '.join(sorted(words))}"


def _wrong_type(column: Column, values: pd.Series[Any]) -> str | None:
    """Return what type a column must have, or None if it has it."""
    dtype = values.dtype
    if column.kind in {Kind.MONEY, Kind.INTEGER}:
        allowed = ("int64",) if column.required else ("int64", "Int64")
        return None if str(dtype) in allowed else " or ".join(allowed)
    if column.kind is Kind.INSTANT:
        zone = getattr(dtype, "tz", None)
        return None if str(zone) == "UTC" else "datetime64 in UTC"
    if column.kind is Kind.DATE:
        plain = pd.api.types.is_datetime64_dtype(dtype)
        return None if plain else "datetime64 without zone"
    # Until pandas 3 a column of text is one of objects.
    text = (
        isinstance(dtype, pd.StringDtype) or dtype == pd.Series([], dtype="str").dtype
    )
    return None if text else "str"


def _is_finding(value: object) -> bool:
    return isinstance(value, Finding)


def _reasons(result: SourceResult) -> Iterator[str]:
    for name in ("file", "rule", "reason_en", "reason_zh"):
        values = result.rejects[name]
        if values.isna().any() or (values.astype(str).str.strip() == "").any():
            yield f"a rejected row has no {name!r}"


def _findings(result: SourceResult, table: Table) -> Iterator[str]:
    findings: tuple[object, ...] = result.findings
    for finding in findings:
        if not isinstance(finding, Finding):
            yield f"a finding is a {type(finding).__name__}, not a Finding"
        elif finding.table != table.name:
            yield f"a finding of {finding.rule!r} is of the table {finding.table!r}"
        elif not (finding.message_en.strip() and finding.message_zh.strip()):
            yield f"a finding of {finding.rule!r} lacks its text in one language"
    if len(result.rejects) and not result.findings:
        yield "rows were rejected, but no finding tells of it"


def _the_same(first: SourceResult, second: SourceResult) -> Iterator[str]:
    same = (
        first.rows_read == second.rows_read
        and first.findings == second.findings
        and first.frame.equals(second.frame)
        and first.rejects.equals(second.rejects)
        and first.frame.dtypes.equals(second.frame.dtypes)
    )
    if not same:
        yield "reading twice did not give the same"


def _privacy(source: Source, result: SourceResult, table: Table) -> Iterator[str]:
    values = set(personal_values(result, table))
    for what, shown in (("source", repr(source)), ("result", repr(result))):
        if any(shows_value(shown, value) for value in values):
            yield f"the repr of the {what} shows a personal value"
    personal = {column.name for column in table.columns if column.personal}
    about = result.rejects["column"].isin(personal)
    raws = " ".join(result.rejects.loc[about, "raw"].astype(str))
    refused = {piece for piece in _PIECE.findall(raws) if any(map(str.isdigit, piece))}
    for finding in filter(_is_finding, result.findings):
        shown = f"{finding!r} {finding.describe('zh')} {finding.describe('en')}"
        known = values | refused if finding.column in personal else values
        if any(shows_value(shown, value) for value in known):
            yield f"a finding of {finding.rule!r} shows a personal value"


def personal_values(result: SourceResult, table: Table) -> Iterator[str]:
    """Give the personal values of the accepted rows, as text might show them."""
    for column in table.columns:
        if not column.personal or column.name not in result.frame.columns:
            continue
        values = result.frame[column.name].dropna()
        if column.kind is Kind.DATE and pd.api.types.is_datetime64_dtype(values.dtype):
            for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"):
                yield from values.dt.strftime(form).unique()
        else:
            yield from (text for text in values.astype(str) if len(text) >= _SHORTEST)


def shows_value(text: str, value: str) -> bool:
    """Whether *value* is in *text*; a Latin word counts only as a whole word."""
    if value.isascii():
        pattern = rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])"
        return re.search(pattern, text) is not None
    return value in text


def _unknown_table(source: Source) -> Iterator[str]:
    try:
        source.read("no-such-table")
    except UnknownTableError:
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the wrong one
        yield f"an unknown table raised {type(error).__name__}, not UnknownTableError"
    else:
        yield "an unknown table raised nothing"
