"""What a resource of a web service is: where its records are and what they say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from memberops.adapters.sources.reading_options import check_filled_in
from memberops.adapters.sources.rest_moments import FORMS
from memberops.errors import ConfigurationError

if TYPE_CHECKING:
    from memberops.adapters.sources.http_reading import HttpReader

__all__ = ["Deleted", "Follow", "Lines", "Paging", "RestResource", "Since"]

_in = attrs.validators.in_
_KINDS = ("none", "page", "offset", "cursor", "link", "key")
_OVERLAPPING = 2
_NEEDS = {
    "page": ("field",),
    "offset": ("field",),
    "cursor": ("field", "next"),
    "key": ("field",),
}


def _zone(value: Any) -> dt.tzinfo:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return] # a zone, or None
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"there is no zone called {value[:60]!r}; one is 'Asia/Shanghai'"
        ) from None


def _words(value: Any, option: str) -> tuple[str, ...]:
    """Write what a field may say as texts: in a chain file 1 is as good as "1"."""
    words = []
    several = isinstance(value, Iterable) and not isinstance(value, str)
    for each in value if several else (value,):
        if not isinstance(each, str | int):
            raise ConfigurationError(
                f"{option} holds what a field may say: texts, whole numbers, or true "
                'and false, as in ["paid", "refunded"] or [1, 2]'
            )
        words.append(str(each).lower() if isinstance(each, bool) else str(each))
    return tuple(words)


def _equals(value: Any) -> tuple[str, ...]:
    return _words(value, "'equals' of 'deleted'")


def _only(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            "'only' is a table of paths and what may stand there, as in "
            'only = { status = ["paid", "refunded"] }'
        )
    return {path: _words(words, "'only'") for path, words in value.items()}


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class Paging:
    """
    How a resource is read page by page.

    A *field* is a parameter of the address, or of a POST a path into its body.

    Args:
        kind: ``none``; ``page`` numbers; ``offset``; ``cursor``, a text that the
            answer gives for the next request; ``link``, a whole address that the
            answer gives in its ``Link`` header or at *next*; ``key``, records after
            the id of the last one, which is the safest where records are sorted by
            id and can be asked for so.
        field: Of the page number, offset, cursor or last id.
        size_field: Of the page's size; empty if it cannot be chosen.
        size: Records of a page.
        next: Path of the next cursor or address in the answer.
        more: Path of a flag in the answer that says whether there is another page.
        total: Path in the answer of how many records there are, or
            ``header:X-Total``; with it a reading notices records that vanish from
            earlier pages while later ones are read, and begins anew.
        first: Number of the first page.
        start: What is sent as the last id at first, if *field* cannot be left out.
    """

    kind: Literal["none", "page", "offset", "cursor", "link", "key"] = attrs.field(
        default="none", validator=_in(_KINDS)
    )
    field: str = ""
    size_field: str = ""
    size: int = attrs.field(default=100, validator=attrs.validators.gt(0))
    next: str = ""
    more: str = ""
    total: str = ""
    first: int = 1
    start: str | int | None = None

    def __attrs_post_init__(self) -> None:
        """Ask for what the kind needs."""
        for name in _NEEDS.get(self.kind, ()):
            if not getattr(self, name):
                raise ConfigurationError(f"paging by {self.kind} needs {name!r}")
        if self.kind == "offset" and self.size < _OVERLAPPING:
            raise ConfigurationError(
                "paging by offset reads the last record of each page again, so 'size' "
                "is at least 2"
            )


@attrs.frozen(kw_only=True)
class Since:
    """
    How a resource is asked for what changed.

    Args:
        field: Parameter of the address, or of a POST a path into its body.
        changed_at: Path in a record of when it was changed.
        form: How moments are sent: ``iso`` (UTC with milliseconds and Z), ``naive``
            (``2026-11-05T14:03:00``), ``space`` (the same with a space), ``day``,
            ``epoch``, ``epoch-ms``; or ``number`` for a version that counts up.
        zone: Zone of moments that have none.
        overlap_seconds: How much earlier than the latest change seen the next
            reading begins. It has to cover whole-second clocks and writes that were
            not yet to be seen; with local times of a zone with summer time, an hour
            more.
        overlap_versions: The same for versions, whose numbers are often given before
            they are written.
        template: What is sent, with ``{moment}`` in it.
        start: What is sent where all is read; None sends nothing.
    """

    field: str
    changed_at: str = "updated_at"
    form: str = attrs.field(default="iso", validator=_in(FORMS))
    zone: dt.tzinfo = attrs.field(default=dt.UTC, converter=_zone)
    overlap_seconds: int = attrs.field(default=120, validator=attrs.validators.ge(0))
    overlap_versions: int = attrs.field(default=1000, validator=attrs.validators.ge(0))
    template: str = "{moment}"
    start: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse the overlap of what is not asked for, and a field left open."""
        wanted = ("the name of the service's parameter", "服务的参数名")
        check_filled_in("since", "field", [self.field], *wanted)
        kinds = {"overlap_seconds": "moments", "overlap_versions": "versions"}
        wrong = "overlap_seconds" if self.form == "number" else "overlap_versions"
        usual = getattr(attrs.fields(Since), wrong).default
        if getattr(self, wrong) != usual:
            (other,) = set(kinds) - {wrong}
            raise ConfigurationError(
                f"{wrong!r} is of {kinds[wrong]}; with form = {self.form!r} say "
                f"{other!r}"
            )


@attrs.frozen(kw_only=True)
class Lines:
    """
    Rows that a record gives: one of its own, or one for each of its lines.

    Args:
        columns: By canonical column the path of its value, as `rest_paths.plain_at`
            takes it.
        each: Path of the lines in the record; lists on the way are walked through.
        constants: Values of columns, as text.
        negative: Columns of numbers that are made negative, whatever their sign:
            those of lines that take back.
        prefix: Text before the value of a column of ids, where ids of two kinds
            would be equal.
        whole: Paths in the record of flags that must not be true, such as that its
            lines were cut short.
        sums: By column of amounts the paths of what has to be added up.
        made: Whether *prepare* of the resource makes the lines: a caller's own paths
            then count for them only where they begin at the record.
    """

    columns: Mapping[str, str]
    each: str = ""
    constants: Mapping[str, str] = attrs.field(factory=dict)
    negative: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    prefix: Mapping[str, str] = attrs.field(factory=dict)
    whole: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    sums: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    made: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse a path that was proposed and not filled in."""
        for name, path in self.columns.items():
            check_filled_in(
                "columns", name, [path], "the path of its value", "取值路径"
            )


@attrs.frozen(kw_only=True)
class Deleted:
    """
    How a record says that it is no more.

    Args:
        path: What stands there.
        equals: The values, as text, that mean so; any value but false if empty.
    """

    path: str
    equals: tuple[str, ...] = attrs.field(default=(), converter=_equals)


@attrs.frozen(kw_only=True)
class Follow:
    """
    A second request for each record that has more to be asked for.

    Args:
        path: With ``{id}``, the record's.
        into: Field of the record that the answer becomes; empty replaces the record.
        records: Path in the answer of what is taken.
        when: Path in the record; nothing is asked where it is empty.
        params: Of the request.
    """

    path: str
    into: str = ""
    records: str = ""
    when: str = ""
    params: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RestResource:
    """
    One resource that a canonical table is read from.

    Args:
        path: Below the source's address.
        lines: What rows a record gives.
        records: Path of the records in an answer.
        method: GET, or POST for queries with a body.
        params: Of the address; what is no text is written as JSON.
        body: Of a POST.
        paging: `Paging`.
        since: `Since`; None where the service cannot be asked for changes, and all
            is read each time.
        id: Path of a record's id: what names it alone, so not that of a ticket whose
            lines are records.
        key: Columns by which a record that comes again replaces earlier rows; those
            of the table if empty. A card has ``["card_id"]`` where each has one term.
        deleted: `Deleted`, if records say so.
        only: Records that count, by path and the values, as text, that it may have.
            What stopped counting is taken out of what was read before.
        follow: Further requests for each record.
        false_is_missing: Whether ``false`` stands for "no value".
        zone: Zone of moments in the rows that have none; None is that of the chain.
        may_lack: Whether an answer without records may leave their list out. Where
            it may not, a missing list is an error, not an empty table.
        currency: Path of the currency's code, as `Lines.columns` take it. Amounts in
            another one than the chain's are refused; empty takes all for the chain's.
        expected: Columns of which it is told if their path stands in no record of a
            whole reading; all columns, ``each`` and *deleted* if None. *only* is
            always told.
        prepare: Makes of a record the one that is read, and tells whether it adds up;
            only in Python.
        together: Makes of all records of a reading those that are read, where one
            does not say enough by itself; it may ask for more. It comes before
            *prepare*, and only in Python.
        mark: What else the rows depend on and is not to be seen here, such as the
            database at an address, or an option that *prepare* keeps to; or what
            returns it as the table is read. A cursor of another one reads all again.
    """

    path: str
    lines: tuple[Lines, ...] = attrs.field(converter=_tuple)
    records: str = ""
    method: Literal["GET", "POST"] = attrs.field(
        default="GET", validator=_in(("GET", "POST"))
    )
    params: Mapping[str, Any] = attrs.field(factory=dict)
    body: Any = attrs.field(factory=dict)
    paging: Paging = attrs.field(factory=Paging)
    since: Since | None = None
    id: str = "id"
    key: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    deleted: Deleted | None = None
    only: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_only)
    follow: tuple[Follow, ...] = attrs.field(default=(), converter=_tuple)
    false_is_missing: bool = False
    zone: dt.tzinfo | None = attrs.field(default=None, converter=_zone)
    may_lack: bool = False
    currency: str = ""
    expected: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_texts)
    )
    prepare: Callable[[Mapping[str, Any]], tuple[Mapping[str, Any], bool]] | None = (
        attrs.field(default=None, repr=False)
    )
    together: Callable[[HttpReader, list[Any]], Iterable[Any]] | None = attrs.field(
        default=None, repr=False
    )
    mark: str | Callable[[], str] = ""

    @property
    def waits(self) -> bool:
        """Whether records are kept until all are there, for more is needed then."""
        return bool(self.follow) or self.together is not None
