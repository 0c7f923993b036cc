"""Consents to emails in Tryton: its module marketing_email."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_reading import DATES, TrytonReading, changed_at
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.errors import ConfigurationError, nearest

__all__ = ["consent_of", "consent_reading"]

_AT_ONCE = 100  # addresses of one request
_COLUMNS = ("member_id", "channel", "given", "on", "at", "source")


def consent_reading(
    session: TrytonSession, *, zone: dt.tzinfo, lists: Iterable[str]
) -> TrytonReading:
    """
    Return how ``consents`` is read, which is always whole.

    Args:
        session: An open session.
        zone: Of the chain, in which a consent has its day.
        lists: Names of the mailing lists that count; all if empty.
    """
    wanted = sorted(lists)

    def came(_since: dt.datetime | None) -> Came:
        names, used = _lists(session, wanted)
        domain = [["list_.name", "in", wanted]] if wanted else []
        emails = latest_records(
            session.pages(
                "marketing.email", domain, ["email", "list_", "active", *DATES]
            ),
            key="id",
        )
        found: dict[int, list[Mapping[str, Any]]] = {}
        # Nobody is asked again whether a list that is out of use is still wanted.
        said_now = [e for e in emails if not e["active"] or e["list_"] in used]
        for email, owners in _owned(session, said_now):
            for owner in owners:
                found.setdefault(owner, []).append(email)
        rows = []
        for owner, own in found.items():
            said = consent_of(own)
            if said is not None:
                at = _said_at(said)
                rows.append(
                    {
                        "member_id": owner,
                        "channel": "email",
                        "given": "yes" if said["active"] else "no",
                        "on": at.astimezone(zone).date(),
                        "at": at,
                        "source": names.get(said["list_"]),
                    }
                )
        return Came(
            origin="tryton/marketing.email", rows=rows, served_at=session.served_at
        )

    return TrytonReading(
        came=came, columns=_COLUMNS, marks=(wanted,), dated=False,
        key=("member_id",),
    )  # fmt: skip


def _lists(
    session: TrytonSession, wanted: Iterable[str]
) -> tuple[dict[int, str], set[int]]:
    """Return the names of mailing lists, those wanted among them; and which count."""
    found = list(session.pages("marketing.email.list", [], ["name", "active"]))
    names = {each["id"]: each["name"] for each in found}
    for name in wanted:
        if name not in names.values():
            raise ConfigurationError(
                f"'email_lists': Tryton has no mailing list {name[:40]!r}; "
                f"{nearest(name, names.values())}"
            )
    return names, {each["id"] for each in found if each["active"]}


def _owned(
    session: TrytonSession, emails: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Collection[int]]]:
    """
    Yield subscriptions with the parties for whom they speak.

    An agreement is of the party whose web user has the address now; a refusal is of
    all that had a web user with it, and where none did, of all that can be reached
    at the address.
    """
    now: dict[str, set[int]] = {}
    ever: dict[str, set[int]] = {}
    for user in session.pages("web.user", [], ["email", "party", "active"]):
        if user["email"] and user["party"]:
            address = user["email"].lower()
            ever.setdefault(address, set()).add(user["party"])
            if user["active"]:
                now.setdefault(address, set()).add(user["party"])
    strange = []
    for email in emails:
        address = email["email"].lower()
        if email["active"]:
            yield email, now.get(address, ())
        elif address in ever:
            yield email, ever[address]
        elif email["write_date"]:
            strange.append(email)
    reached = _reached(session, sorted({each["email"] for each in strange}))
    for email in strange:
        yield email, reached.get(email["email"].lower(), ())


def _reached(session: TrytonSession, addresses: Sequence[str]) -> dict[str, set[int]]:
    """Return the parties that can be reached at addresses, and maybe at others."""
    reached: dict[str, set[int]] = {}
    for first in range(0, len(addresses), _AT_ONCE):
        some = addresses[first : first + _AT_ONCE]
        asked = ["OR", *(["value", "ilike", each] for each in some)]
        for found in session.pages(
            "party.contact_mechanism",
            [["type", "=", "email"], ["active", "=", True], asked],
            ["party", "value"],
        ):
            address = str(found["value"]).lower()
            reached.setdefault(address, set()).add(found["party"])
    return reached


def consent_of(emails: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """
    Return the subscription that says whether a person may be written to.

    Whoever left one list does not agree, whatever other lists or addresses say;
    whoever is on a list and left none does. Who asked to be on a list and has not
    confirmed it said neither.

    Args:
        emails: Subscriptions with ``active``, ``create_date`` and ``write_date``.

    >>> day = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    >>> asked = {"active": False, "create_date": day, "write_date": None}
    >>> consent_of([asked]) is None
    True
    >>> consent_of([asked | {"active": True}, asked | {"write_date": day}])["active"]
    False
    """
    said = [each for each in emails if each["active"] or each["write_date"]]
    return max(
        said, key=lambda each: (not each["active"], _said_at(each)), default=None
    )


def _said_at(email: Mapping[str, Any]) -> dt.datetime:
    """
    Return of when a subscription is.

    Any change of a record dates it anew, so that an agreement is of when the address
    was put on the list: no later word elsewhere is overruled by a corrected name.
    """
    made: dt.datetime = email["create_date"]
    return made if email["active"] else changed_at(email)
