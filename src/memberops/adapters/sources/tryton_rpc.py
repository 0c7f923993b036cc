"""Asking a Tryton server by its JSON-RPC: sessions, values, and pages by id."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import attrs

from memberops.adapters.secrets import Secret
from memberops.adapters.sources.counted_reading import pages_by_id
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_source import WebServer
from memberops.errors import SourceError

__all__ = ["TrytonSession", "told", "untold"]

_FAULTS = ("UserError", "UserWarning", "LoginException", "ConcurrencyException")
# A deactivated record is still asked for, to learn that it is no more.
_CONTEXT = {"active_test": False}


def told(moment: dt.datetime) -> dict[str, Any]:
    """
    Write a moment as Tryton's protocol does.

    >>> told(dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC))["hour"]
    14
    """
    utc = moment.astimezone(dt.UTC)
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{part: getattr(utc, part) for part in parts}}


def untold(value: Any) -> Any:
    """
    Read a value of Tryton's protocol: decimals, days and moments are objects there.

    Raises:
        SourceError: It is none.

    >>> untold([{"__class__": "Decimal", "decimal": "199.90"}, 2])
    [Decimal('199.90'), 2]
    """
    if isinstance(value, list):
        return [untold(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    given = {name: part for name, part in value.items() if name != "__class__"}
    try:
        if kind == "Decimal":
            return Decimal(value["decimal"])
        if kind == "date":
            return dt.date(**given)
        if kind == "datetime":
            return dt.datetime(**given, tzinfo=dt.UTC)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise SourceError(f"Tryton gave a {kind} that is none") from None
    return None if kind else {name: untold(part) for name, part in given.items()}


class TrytonSession:
    """
    One session of a user, from login to logout.

    Args:
        server: Where it is.
        database: Name of the database.
        user: Who asks.
        password: Of the user.
        page: Records of one request.
    """

    def __init__(
        self,
        server: WebServer,
        *,
        database: str,
        user: str,
        password: Secret,
        page: int = 500,
    ) -> None:
        # Asked for anything else, Tryton 8.2 calls its plain answers "gzip".
        self._server = attrs.evolve(server, headers={"Accept-Encoding": "gzip"})
        self._path = f"{quote(database, safe='')}/rpc/"
        self._user = user
        self._password = password
        self._page = page
        self._reader: HttpReader | None = None
        self.served_at: dt.datetime | None = None

    def __enter__(self) -> Self:
        """
        Log in.

        Raises:
            RefusedReadingError: The user or the password is wrong.
            SourceError: The server does not answer as Tryton does.
        """
        with self._server.open() as reader:
            asked = [self._user, {"password": self._password.reveal()}]
            answer = reader.read("POST", self._path, body=_call("login", asked))
            self.served_at = answer.served_at
            found = _result(answer.document)
        if not isinstance(found, list) or len(found) < 2:  # noqa: PLR2004 - user and key
            raise RefusedReadingError(
                "Tryton did not let the user in: check 'user' and 'password'"
            )
        whole = f"{self._user}:{found[0]}:{found[1]}"
        key = base64.b64encode(whole.encode()).decode("ascii")
        credential = Credential(
            kind="header",
            name="Authorization",
            prefix="Session ",
            secret=Secret(lambda: key, source="Tryton's login"),
        )
        self._reader = attrs.evolve(self._server, credential=credential).open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Log out, whatever happened."""
        if self._reader is None:
            return
        try:
            if kind is None:
                self._reader.read("POST", self._path, body=_call("logout", []))
        except SourceError:
            pass  # The session ends by itself; all was read.
        finally:
            self._reader.close()

    def ask(self, method: str, *params: Any) -> Any:
        """
        Call a method of a model that only reads.

        Raises:
            RefusedReadingError: Tryton refused.
            SourceError: The server does not answer as Tryton does.
        """
        body = {"id": 1, "method": f"model.{method}", "params": [*params, _CONTEXT]}
        answer = self._opened().read("POST", self._path, body=body)
        return _result(answer.document, asked=method)

    def _opened(self) -> HttpReader:
        if self._reader is None:
            raise SourceError("the session of Tryton is not open")
        return self._reader

    def pages(
        self, model: str, domain: Sequence[Any], fields: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """
        Yield all records in a domain by their ids, so that none can be passed over.

        Args:
            model: Such as ``"party.party"``.
            domain: Tryton's condition.
            fields: What is asked for of each record.
        """

        def after(last: int | None) -> list[dict[str, Any]]:
            found = self.ask(
                f"{model}.search_read",
                [list(domain), ["id", ">", last or 0]],
                0,
                self._page,
                [["id", "ASC"]],
                list(fields),
            )
            if not isinstance(found, list) or not all(
                isinstance(each, dict) and isinstance(each.get("id"), int)
                for each in found
            ):
                raise SourceError(f"Tryton gave no list of {model}")
            return found

        yield from pages_by_id(after, name=f"Tryton's {model}", reader=self._opened())

    def by_values(
        self,
        model: str,
        name: str,
        values: Iterable[int | str],
        fields: Sequence[str],
        *,
        domain: Sequence[Any] = (),
    ) -> Iterator[dict[str, Any]]:
        """
        Yield the records of which a field has one of many values.

        Args:
            model: The model.
            name: The field, such as ``"id"``.
            values: What it may be; each is asked for once.
            fields: What is asked for of each record.
            domain: Further conditions.
        """
        left = sorted(set(values))
        for first in range(0, len(left), self._page):
            some = [name, "in", left[first : first + self._page]]
            yield from self.pages(model, [some, *domain], fields)

    def counted(
        self,
        model: str,
        before: tuple[int | str, int] | None,
        domain: Sequence[Any] = (),
    ) -> tuple[int | str, int]:
        """
        Return how far the ids of a model go, and how many records there are so far.

        Args:
            model: The model.
            before: Where to count to, of an earlier counting; all if None.
            domain: Which records are counted; all if empty.
        """
        if before is None:
            newest = self.ask(f"{model}.search", [*domain], 0, 1, [["id", "DESC"]])
            far = newest[0] if newest else 0
        else:
            far = before[0]
        return far, self.ask(f"{model}.search_count", [*domain, ["id", "<=", far]])


def _call(name: str, params: list[Any]) -> dict[str, Any]:
    return {"id": 1, "method": f"common.db.{name}", "params": params}


def _result(document: Any, *, asked: str = "login") -> Any:
    if isinstance(document, dict) and "error" in document:
        error = document["error"]
        kind = error[0] if isinstance(error, list) and error else ""
        # Of other faults than its own, Tryton gives the text, which may be a name.
        shown = kind if kind in _FAULTS else "an error"
        raise RefusedReadingError(
            f"Tryton answered {asked} with {shown}: check the rights of the user, and "
            f"that the module of {asked.rpartition('.')[0] or 'it'} is installed"
        )
    if isinstance(document, dict) and "result" in document:
        return untold(document["result"])
    raise SourceError("the answer is not one of Tryton's; are 'url' and 'database' so?")
