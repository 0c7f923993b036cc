"""Asking a Vendure server by its Admin API: sessions, and pages that overlap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import attrs

from memberops.adapters.secrets import Secret
from memberops.adapters.sources.counted_reading import wait_for_page
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_source import WebServer
from memberops.errors import SourceError

__all__ = ["VendureSession", "moment_of", "written"]

_LOGIN = """
mutation Login($user: String!, $password: String!) {
  login(username: $user, password: $password) { __typename }
}
"""
_PATH = "admin-api"
_TICK = dt.timedelta(milliseconds=1)


def moment_of(text: Any) -> dt.datetime:
    """
    Read a moment of Vendure.

    Raises:
        SourceError: It is none.

    >>> moment_of("2026-11-05T14:03:00.000Z").minute
    3
    """
    try:
        return dt.datetime.fromisoformat(str(text)).astimezone(dt.UTC)
    except ValueError:
        raise SourceError("Vendure gave a moment that is none") from None


def written(moment: dt.datetime) -> str:
    """
    Write a moment for Vendure.

    >>> written(dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC))
    '2026-11-05T14:03:00.000Z'
    """
    utc = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


class VendureSession:
    """
    One session of a user; or a key, which has none.

    Args:
        server: Where it is.
        user: Who asks.
        password: Of the user.
        key: An API key, in place of a user.
        page: Records of one request.
    """

    def __init__(
        self,
        server: WebServer,
        *,
        user: str = "",
        password: Secret | None = None,
        key: Secret | None = None,
        page: int = 100,
    ) -> None:
        self._server = attrs.evolve(server, judge=_judge)
        self._user = user
        self._password = password
        self._key = key
        self._page = page
        self._reader: HttpReader | None = None
        self.served_at: dt.datetime | None = None

    def __enter__(self) -> Self:
        """
        Log in.

        Raises:
            RefusedReadingError: The user or the password is wrong.
            SourceError: The server does not answer as Vendure does.
        """
        if self._key is not None:
            credential = Credential(
                kind="header", name="vendure-api-key", secret=self._key
            )
        else:
            token = self._logged_in()
            credential = Credential(
                kind="bearer", secret=Secret(lambda: token, source="Vendure's login")
            )
        self._reader = attrs.evolve(self._server, credential=credential).open()
        return self

    def _logged_in(self) -> str:
        password = self._password.reveal() if self._password else ""
        given = {"user": self._user, "password": password}
        with self._server.open() as reader:
            answer = reader.read("POST", _PATH, body=_query(_LOGIN, given))
        self.served_at = answer.served_at
        if look_up(answer.document, "data.login.__typename") != "CurrentUser":
            raise RefusedReadingError(
                "Vendure did not let the user in: check 'user' and 'password'"
            )
        token = answer.headers.get("vendure-auth-token", "")
        if not token:
            raise RefusedReadingError(
                "Vendure keeps its sessions in cookies only, and none is kept here: "
                "let authOptions.tokenMethod of the server hold 'bearer', or 'api-key' "
                "and give a 'key'"
            )
        return token

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """
        Let go of the session.

        It is not logged out: with one session Vendure ends all of the user, those of
        another reading too.
        """
        if self._reader is not None:
            self._reader.close()

    def _opened(self) -> HttpReader:
        if self._reader is None:
            raise SourceError("the session is not open")
        return self._reader

    def ask(self, query: str, variables: Mapping[str, Any]) -> Any:
        """
        Ask what only reads; return the data of the answer.

        Raises:
            RefusedReadingError: Vendure refused.
            SourceError: The server cannot be read.
        """
        body = _query(query, variables)
        answer = self._opened().read("POST", _PATH, body=body)
        self.served_at = self.served_at or answer.served_at
        return look_up(answer.document, "data")

    def wait(self, turns: int, name: str) -> None:
        """
        Wait before what came again is asked for again.

        Raises:
            SourceError: It came too often.
        """
        wait_for_page(self._opened(), turns, f"Vendure's {name}")

    def total(self, name: str) -> int:
        """Return how many records a list has."""
        return self._list(name, "id", {"take": 1})[1]

    def _list(
        self, name: str, fields: str, options: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], int]:
        """Return some records of a list, and how many it has."""
        kind = f"{name[0].upper()}{name[1:-1]}ListOptions"
        query = (
            f"query Read($options: {kind}) "
            f"{{ {name}(options: $options) {{ items {{ {fields} }} totalItems }} }}"
        )
        data = self.ask(query, {"options": options})
        found = look_up(data, f"{name}.items")
        total = look_up(data, f"{name}.totalItems")
        if (
            not isinstance(found, list)
            or not all(isinstance(each, dict) and each.get("id") for each in found)
            or not isinstance(total, int)
        ):
            raise SourceError(f"the answer holds no {name}; is it a Vendure server?")
        return found, total

    def pages(
        self, name: str, fields: str, wanted: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """
        Yield every record of a list, in the order of ids.

        Vendure cannot be asked for what comes after an id, so a page begins with a
        record of the one before. Where that is not there, records before it were
        deleted meanwhile, and the reading goes back until it meets one that it knows.

        Args:
            name: Such as ``customers``.
            fields: What is asked for of each record, ``id`` among it.
            wanted: Vendure's filter.

        Yields:
            Records, of which some may come twice.

        Raises:
            SourceError: The end cannot be reached.
        """
        seen: set[str] = set()
        skip = turns = 0
        while True:
            found, total = self._list(
                name,
                fields,
                {
                    "take": self._page,
                    "skip": skip,
                    "sort": {"id": "ASC"},
                    "filter": dict(wanted or {}),
                },
            )
            ids = {str(record["id"]) for record in found}
            if skip and not ids & seen:
                skip = max(0, skip - self._page + 1)
                continue
            yield from found
            # An earlier page that comes again may look like the last one.
            fresh = ids - seen
            seen |= ids
            if not fresh and len(seen) < total:
                turns += 1
                self.wait(turns, name)
                continue
            if skip + len(found) >= total:
                return
            skip, turns = skip + len(found) - 1, 0

    def counted(
        self,
        name: str,
        before: tuple[int | str, int] | None,
        wanted: Mapping[str, Any] | None = None,
    ) -> tuple[int | str, int]:
        """Return when the newest was made, or *before*, and how many there are."""
        only = dict(wanted or {})
        if before is None:
            options = {"take": 1, "sort": {"createdAt": "DESC"}, "filter": only}
            newest, _ = self._list(name, "id createdAt", options)
            far = str(newest[0]["createdAt"]) if newest else ""
        else:
            far = str(before[0])
        if not far:
            return far, 0
        until = {"createdAt": {"before": written(moment_of(far) + _TICK)}}
        return far, self._list(name, "id", {"take": 1, "filter": only | until})[1]


def _query(text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {"query": text, "variables": dict(variables)}


def _judge(document: Any) -> float | None:
    """Ask again after a fault of the server; raise for what it refuses."""
    if not look_up(document, "errors"):
        return None
    code = look_up(document, "errors.0.extensions.code")
    if code == "INTERNAL_SERVER_ERROR":
        return 0.0
    shown = code if isinstance(code, str) and code.replace("_", "").isalnum() else ""
    raise RefusedReadingError(
        f"Vendure refused the query ({shown[:60] or 'no code'}); check the rights of "
        "the user: ReadCustomer, ReadOrder and ReadChannel, for stock ReadProduct and "
        "ReadStockLocation; and custom fields"
    )
