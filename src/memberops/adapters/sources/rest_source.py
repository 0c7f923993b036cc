"""Any REST service as a source, by configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from memberops.adapters.secrets import Secret, secret_option
from memberops.adapters.sms.http import HttpLimits, check_url
from memberops.adapters.sms.options import made_of
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, ReadingPatience
from memberops.adapters.sources.reading_options import OPTIONS, ReadingOptions
from memberops.adapters.sources.rest_changes import check_resource, read_changes
from memberops.adapters.sources.rest_headers import headers_mark, sent_headers
from memberops.adapters.sources.rest_look import RestLook, look_at
from memberops.adapters.sources.rest_resource import (
    Deleted,
    Follow,
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.errors import ConfigurationError, UnknownTableError, bounded, nearest
from memberops.tables import TABLES
from memberops.tables import table as table_named

__all__ = ["RestSource", "WebServer", "by_table", "rest_source"]

_BODY = 32 << 20
_OF_SOURCE = ("base_url", "auth", "headers", "http", "patience")


@attrs.frozen(kw_only=True)
class WebServer:
    """
    Where a service is and how it is asked.

    Args:
        base_url: Where all paths count from.
        credential: Who asks.
        headers: Sent with each request.
        limits: Time-outs and the size of an answer.
        patience: How often to try again.
        sleep: How to wait.
        judge: See `HttpReader`.
        dress: Makes the body of a POST that is sent of the one that a resource
            describes: where a key belongs into the body.
    """

    base_url: str
    credential: Credential | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    limits: HttpLimits = attrs.field(factory=lambda: HttpLimits(body_bytes=_BODY))
    patience: ReadingPatience = attrs.field(factory=ReadingPatience)
    sleep: Callable[[float], None] = time.sleep
    judge: Callable[[Any], float | None] | None = None
    dress: Callable[[HttpReader], Callable[[Any], Any]] | None = None

    @classmethod
    def of(
        cls,
        context: SourceContext,
        base_url: Any,
        *,
        credential: Credential | None = None,
        http: Any = None,
        patience: Any = None,
        **more: Any,
    ) -> WebServer:
        """
        Read what a chain file says of a server.

        Args:
            context: Of the chain; a file of authorities counts from its folder.
            base_url: The address.
            credential: Who asks.
            http: Fields of `HttpLimits`.
            patience: Fields of `ReadingPatience`.
            **more: Other fields.

        Raises:
            ConfigurationError: Something of it cannot be.
        """
        limits = http
        if not isinstance(http, HttpLimits):
            if http is not None and not isinstance(http, Mapping):
                raise ConfigurationError("'http' is a table")
            limits = made_of(HttpLimits, "http", {"body_bytes": _BODY, **(http or {})})
        if limits.ca_file is not None:
            limits = attrs.evolve(limits, ca_file=Path(context.folder) / limits.ca_file)
        return cls(
            base_url=check_url("base_url", base_url),
            credential=credential,
            limits=limits,
            patience=made_of(ReadingPatience, "patience", patience),
            **more,
        )

    def open(self) -> HttpReader:
        """Return a reader, which is to be closed."""
        reader = HttpReader(
            self.base_url,
            credential=self.credential,
            headers=self.headers,
            limits=self.limits,
            patience=self.patience,
            sleep=self.sleep,
            judge=self.judge,
        )
        try:
            reader.dress = self.dress(reader) if self.dress else None
        except BaseException:
            reader.close()
            raise
        return reader


class RestSource:
    """
    Canonical tables from the resources of one service, whole or what changed.

    Args:
        context: Currency and zone of the chain.
        server: Where the service is.
        resources: By canonical table.
        mapped: By canonical table, the options of `ReadingOptions.of`.
        usual: A resource and its options for whatever other table is asked for.
        checked: Tables whose options are checked now, the others when they are read;
            all if None.

    Raises:
        ConfigurationError: A resource does not fit its table.
    """

    def __init__(
        self,
        context: SourceContext,
        server: WebServer,
        resources: Mapping[str, RestResource],
        mapped: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        usual: tuple[RestResource, Mapping[str, Any]] | None = None,
        checked: Iterable[str] | None = None,
    ) -> None:
        self._context = context
        self._server = server
        self._usual = usual
        self._described = {
            table: (resource, (mapped or {}).get(table, {}))
            for table, resource in resources.items()
        }
        self._ready: dict[str, tuple[RestResource, ReadingOptions]] = {}
        for table in self._described if checked is None else checked:
            self._ready[table] = self._made(table, *self._described[table])

    def _made(
        self, table: str, resource: RestResource, mapped: Mapping[str, Any]
    ) -> tuple[RestResource, ReadingOptions]:
        check_resource(resource, table)
        context = self._context
        options = ReadingOptions.of(
            table, currency=context.currency, zone=context.zone, **dict(mapped)
        )
        return resource, options

    def __repr__(self) -> str:
        """Show the tables."""
        return f"RestSource(tables={self.tables!r})"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that the service gives."""
        return tuple(self._described)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table whole.

        Raises:
            UnknownTableError: The service does not give it, or there is no such
                table.
            SourceError: The service cannot be read.
        """
        return self.changes(table, since=None).result

    def look(self, table: str) -> RestLook:
        """
        Ask for the first page of a table's records, whatever its columns are.

        Raises:
            UnknownTableError: The service does not give the table.
            SourceError: The service cannot be read.
        """
        resource, _ = self._of(table)
        with self._server.open() as reader:
            return look_at(reader, resource)

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new, changed or gone since a cursor; see `ChangingSource`.

        Raises:
            UnknownTableError: The service does not give the table.
            SourceError: The service cannot be read; nothing is lost, for the cursor
                stays what it was.
        """
        if table not in self._ready:
            self._ready[table] = self._made(table, *self._of(table))
        resource, options = self._ready[table]
        with self._server.open() as reader:
            return read_changes(reader, resource, options, since=since)

    def _of(self, table: str) -> tuple[RestResource, Mapping[str, Any]]:
        table_named(table)
        described = self._described.get(table, self._usual)
        if described is None:
            raise UnknownTableError(
                f"this source does not give {table!r}; it gives "
                f"{bounded(self._described)}"
            )
        return described


def by_table(
    options: Mapping[str, Any], tables: Iterable[str], *, known: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """
    Part options into those of each table: its own before those for all.

    Args:
        options: As a chain file gives them; one named as a table is a table of its
            own options.
        tables: Names of the tables.
        known: Names of the options that a table may have.

    Raises:
        ConfigurationError: An option has no such name.
    """
    names = list(tables)
    shared = {name: value for name, value in options.items() if name not in names}
    parted: dict[str, dict[str, Any]] = {}
    for table in names:
        own = options.get(table, {})
        if not isinstance(own, Mapping):
            raise ConfigurationError(f"{table!r} is a table of options")
        parted[table] = {**shared, **own}
        for name in parted[table]:
            if name in _OF_SOURCE and name in own:
                raise ConfigurationError(
                    f"{name!r} is of the whole source: it belongs beside 'base_url', "
                    f"not into {table!r}"
                )
            if name not in known:
                raise ConfigurationError(
                    f"this source has no option {name[:40]!r}; "
                    f"{nearest(name, [*known, *names])}"
                )
    return parted


_MAPPED = tuple(name for name in OPTIONS if name != "columns")
_LINES = tuple(
    field.name
    for field in attrs.fields(Lines)
    if field.name not in {"constants", "made"}
)
_PARTS = {"paging": Paging, "since": Since, "deleted": Deleted}
_RESOURCE = tuple(
    field.name
    for field in attrs.fields(RestResource)
    if field.name not in {"lines", "prepare", "together", "mark"}
)


def rest_source(
    context: SourceContext,
    *,
    base_url: str,
    auth: Any = None,
    headers: Mapping[str, str] | None = None,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of any service that answers with JSON.

    Args:
        context: Currency and zone of the chain.
        base_url: Where all paths count from.
        auth: A table with ``kind`` and what `Credential` takes; ``secret`` names an
            environment variable: ``{ kind = "bearer", secret = { env = "POS_KEY" } }``.
        headers: Sent with each request. A cursor is of those that are no secrets.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the resource (fields of `RestResource` and, for one kind of
            rows, of `Lines`; ``lines`` for several) and of the mapping
            (`memberops.adapters.sources.reading_options.Mapped`); in a table with
            the name of a canonical table those of that one alone.

    Raises:
        ConfigurationError: Something of it cannot be.

    >>> from zoneinfo import ZoneInfo
    >>> from memberops.domain import Currency
    >>> rest_source(SourceContext(folder=Path(), currency=Currency("CNY"),
    ...                           zone=ZoneInfo("Asia/Shanghai")),
    ...     base_url="https://pos.example.com/api",
    ...     auth={"kind": "bearer", "secret": {"env": "POS_KEY"}},
    ...     members={"path": "customers", "records": "customers",
    ...              "columns": {"member_id": "id", "phone": "mobile"}})
    RestSource(tables=('members',))
    """
    sent = sent_headers(headers)
    mark = headers_mark(sent)
    server = WebServer.of(
        context,
        base_url,
        credential=_credential(auth),
        http=http,
        patience=patience,
        headers=sent,
        sleep=sleep,
    )
    names = [table.name for table in TABLES]
    given = [name for name in names if name in options]
    known = [*_RESOURCE, "lines", *_LINES, *_MAPPED]
    if not given:
        # One resource, for whatever table the chain file asks of it.
        (own,) = by_table(options, ["*"], known=known).values()
        return RestSource(
            context, server, {}, usual=(_resource(own, mark), _mapped(own))
        )
    parted = by_table(options, given, known=known)
    return RestSource(
        context,
        server,
        {table: _resource(own, mark) for table, own in parted.items()},
        {table: _mapped(own) for table, own in parted.items()},
    )


def _mapped(own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: own[name] for name in _MAPPED if name in own}


def _resource(own: Mapping[str, Any], mark: str) -> RestResource:
    """Make a resource of the options of a table."""
    fields = {name: own[name] for name in _RESOURCE if name in own}
    if "path" not in fields:
        raise ConfigurationError("a REST resource needs a 'path'")
    for name, kind in _PARTS.items():
        value = fields.get(name)
        if name == "deleted" and isinstance(value, str):
            value = {"path": value}
        if value is not None:
            fields[name] = made_of(kind, name, value)
    fields["mark"] = mark
    fields["follow"] = [
        made_of(Follow, "follow", each) for each in fields.get("follow", ())
    ]
    lines = own.get("lines")
    if lines is None:
        lines = [{name: own[name] for name in _LINES if name in own}]
    elif any(name in own for name in _LINES):
        raise ConfigurationError("give 'lines', or 'columns' and 'each', not both")
    fields["lines"] = [
        made_of(Lines, "lines", {"columns": {}, **each}) for each in lines
    ]
    return made_of(RestResource, "resource", fields)


def _credential(value: Any) -> Credential | None:
    if value is None or isinstance(value, Credential):
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            "'auth' is a table, as in auth = { kind = \"bearer\", "
            'secret = { env = "POS_KEY" } }'
        )
    given = dict(value)
    given["secret"] = secret_option("secret", given.get("secret"))
    if "user" in given and not isinstance(given["user"], str | Secret):
        given["user"] = secret_option("user", given["user"])
    return made_of(Credential, "auth", given)
