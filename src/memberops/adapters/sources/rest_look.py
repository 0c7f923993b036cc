"""What the first page of a web service holds: paths and kinds, and no values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.date_values import EitherOrder, Moment, read_moment
from memberops.adapters.sources.http_reading import HttpReader, JsonAnswer
from memberops.adapters.sources.records import text_of
from memberops.adapters.sources.rest_paging import Pages
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import RestResource
from memberops.adapters.sources.rest_signs import sign_of_more, sign_of_total
from memberops.adapters.sources.text_table import TextTable
from memberops.errors import SourceError

__all__ = ["RestLook", "SeenPath", "is_id", "look_at"]

_MOST_RECORDS, _MOST_PATHS, _DEEPEST, _WIDEST = 100, 300, 6, 80
_NAME = re.compile(r"[^\W\d][\w$-]{0,79}")
_LONG_NUMBER = re.compile(r"\d{5}")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
_LEAST = 2


@attrs.frozen(kw_only=True)
class SeenPath:
    """
    A path in the records of a service.

    Args:
        path: From the record; ``items[].sku`` stands in the lines of ``items``.
        kinds: What stands there, such as ``("text", "nothing")``.
        count: In how many records something stands there.
    """

    path: str
    kinds: tuple[str, ...]
    count: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RestLook:
    """
    The records of a first page; the values are for whoever masks them.

    Args:
        asked: Path of the resource.
        found_at: Path of the records in the answer.
        records: The first of them.
        others: Paths of other lists in the answer, if *found_at* was not given.
        given: Whether *found_at* is what the section says.
        id: Path of a record's id, as the section says it.
        read: How many records the answer has, if the section has no paging and
            something in the answer says that there are more; else 0.
    """

    asked: str
    found_at: str
    records: tuple[Any, ...]
    others: tuple[str, ...] = ()
    given: bool = False
    id: str = "id"
    read: int = 0

    @property
    def lacks_id(self) -> bool:
        """Whether records have nothing where their id is looked for."""
        return not all(is_id(look_up(record, self.id)) for record in self.records)

    @property
    def paths(self) -> tuple[SeenPath, ...]:
        """
        The paths that stand in the records, at most 300.

        A name that may be a value, such as the id or the name of a person by which
        an object is filed, is left out.
        """
        kinds: dict[str, dict[str, None]] = {}
        counts = Counter[str]()
        for record in self.records:
            here = set()
            for path, value in _leaves(record):
                kind = _kind(value)
                kinds.setdefault(path, {})[kind] = None
                if kind != "nothing":
                    here.add(path)
            counts.update(here)
        return tuple(
            SeenPath(path=path, kinds=tuple(found), count=counts[path])
            for path, found in kinds.items()
            if path.isascii() or counts[path] >= _LEAST
        )[:_MOST_PATHS]

    @property
    def lists(self) -> tuple[str, ...]:
        """Paths of lists of objects in a record, of which each may give a row."""
        found = dict.fromkeys(
            each.path.rpartition("[].")[0].replace("[]", "") for each in self.paths
        )
        return tuple(path for path in found if path)

    def table(self, each: str) -> tuple[TextTable, tuple[str, ...]]:
        """
        Lay the records out as a table of text.

        Args:
            each: Path of a list in the record, of which each entry is a row; empty
                for a row a record.

        Returns:
            The table, and for each of its columns the path as `Lines.columns` takes
            it.
        """
        own = [path.path for path in self.paths]
        inner = [path.rpartition("[].")[2] for path in own if _is_of(path, each)]
        outer = [path for path in own if "[]" not in path]
        places = [*inner, *(f"/{path}" if each else path for path in outer)]
        headings = [*inner, *(f"/{p}" if p in inner else p for p in outer)]
        rows = []
        for record in self.records:
            above = {path: value for path, value in _leaves(record) if path in outer}
            lines = list(_lines(record, each.split("."))) if each else [{}]
            for line in lines:
                below = dict(_leaves(line))
                rows.append(
                    [
                        *(_text(below.get(path)) for path in inner),
                        *(_text(above.get(path)) for path in outer),
                    ]
                )
        return TextTable.of_rows(self.asked, headings, rows), tuple(places)


def look_at(reader: HttpReader, resource: RestResource) -> RestLook:
    """
    Ask for the first page of a resource.

    Args:
        reader: Of the server.
        resource: Which one; where its path of records is none, the list of objects
            with most entries is taken.

    Raises:
        SourceError: The service cannot be read, or its answer holds no list of
            objects.
    """
    heard = _Hearing(reader)
    found_at, others = resource.records, []
    try:
        _, page = next(Pages(heard, resource, None).walk())  # type: ignore[arg-type] # it stands in for the reader
    except SourceError:
        if heard.last is None:
            raise
        lists = dict(_lists(heard.last.document))
        if not lists:
            raise
        found_at, *others = sorted(lists, key=lambda path: -len(lists[path]))
        page = lists[found_at]
    if page and not any(isinstance(record, dict) for record in page):
        raise SourceError(
            f"{resource.path}: the records are no objects, so nothing in them has a "
            "name; set 'records' to the path of a list of objects"
        )
    return RestLook(
        asked=resource.path,
        found_at=found_at,
        records=tuple(page[:_MOST_RECORDS]),
        others=tuple(others),
        given=found_at == resource.records,
        id=resource.id,
        read=len(page) if _has_more(heard.last, resource, found_at, len(page)) else 0,
    )


def _has_more(
    answer: JsonAnswer | None, resource: RestResource, records: str, read: int
) -> bool:
    """Tell whether the one answer that a section reads seems not to be all."""
    if answer is None or resource.paging.kind != "none":
        return False
    signs = sign_of_more(answer, records) or sign_of_total(answer, records, read)
    return bool(signs)


class _Hearing:
    """A reader that keeps the last answer, whatever is thought of it."""

    def __init__(self, reader: HttpReader) -> None:
        self._reader = reader
        self.last: JsonAnswer | None = None

    def read(self, *args: Any, **named: Any) -> JsonAnswer:
        self.last = self._reader.read(*args, **named)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def is_id(value: Any) -> bool:
    """
    Tell whether a value can name a record.

    >>> is_id("V1"), is_id(7), is_id(None), is_id({"id": 7})
    (True, True, False, False)
    """
    return value is not None and not isinstance(value, dict | list | bool)


def _lists(value: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """Find the lists of objects in an answer."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        yield at, value
    elif isinstance(value, dict) and depth < _DEEPEST:
        for name, inner in value.items():
            if _is_name(name):
                yield from _lists(inner, f"{at}.{name}".lstrip("."), depth + 1)


def _leaves(value: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Walk to whatever holds no further names."""
    if isinstance(value, dict) and value and depth < _DEEPEST:
        names = [name for name in value if _is_name(name)]
        for name in names[:_WIDEST]:
            path = f"{at}.{name}" if at else name
            yield from _leaves(value[name], path, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and at:
        for line in value:
            yield from _leaves(line, f"{at}[]", depth + 1)
    elif at:
        yield at, value


def _lines(value: Any, steps: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _lines(each, steps)
    elif isinstance(value, dict):
        if not steps:
            yield value
        elif steps[0] in value:
            yield from _lines(value[steps[0]], steps[1:])


def _is_of(path: str, each: str) -> bool:
    """Tell whether a path stands right in the lines of a list."""
    return bool(each) and path.rpartition("[].")[0].replace("[]", "") == each


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(
        _NAME.fullmatch(name) and not _LONG_NUMBER.search(name)
    )


def _text(value: Any) -> str:
    return "" if isinstance(value, list | dict) else text_of(value)


def _kind(value: Any) -> str:
    """Name what a value is, and nothing of it."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if not isinstance(value, str):
        kinds = (("true or false", bool), ("whole number", int), ("list", list),
                 ("object", dict))  # fmt: skip
        return next((name for name, kind in kinds if isinstance(value, kind)), "number")
    if _NUMBER.fullmatch(value):
        return "number as text"
    found = read_moment(value)
    if isinstance(found, Moment | EitherOrder):
        return "moment" if ":" in value else "day"
    return "text"
