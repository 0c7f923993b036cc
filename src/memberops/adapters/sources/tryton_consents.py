"""Consents to emails in Tryton: its module marketing_email."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_reading import DATES, TrytonReading, changed_at
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.errors import ConfigurationError, nearest

__all__ = ["consent_of", "consent_reading"]

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
        names = {
            each["id"]: each["name"]
            for each in session.pages("marketing.email.list", [], ["name"])
        }
        for name in wanted:
            if name not in names.values():
                raise ConfigurationError(
                    f"'email_lists': Tryton has no mailing list {name[:40]!r}; "
                    f"{nearest(name, names.values())}"
                )
        users = session.pages("web.user", [], ["email", "party", "active"])
        owners: dict[str, int] = {}
        for user in sorted(users, key=lambda each: bool(each["active"])):
            if user["email"] and user["party"]:
                owners[user["email"].lower()] = user["party"]
        found: dict[int, list[Mapping[str, Any]]] = {}
        domain = [["list_.name", "in", wanted]] if wanted else []
        emails = session.pages(
            "marketing.email", domain, ["email", "list_", "active", *DATES]
        )
        for email in latest_records(emails, key="id"):
            owner = owners.get(email["email"].lower())
            if owner is not None:
                found.setdefault(owner, []).append(email)
        rows = []
        for owner, own in found.items():
            said = consent_of(own)
            if said is not None:
                at = changed_at(said)
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


def consent_of(emails: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """
    Return the subscription that says whether a person may be written to.

    Whoever is on one list agrees; whoever left all of them does not. Who asked to be
    on a list and has not confirmed it said neither.

    Args:
        emails: Subscriptions with ``active``, ``create_date`` and ``write_date``.

    >>> day = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    >>> asked = {"active": False, "create_date": day, "write_date": None}
    >>> consent_of([asked]) is None
    True
    >>> consent_of([asked, asked | {"write_date": day}])["active"]
    False
    """
    said = [each for each in emails if each["active"] or each["write_date"]]
    return max(
        said, key=lambda each: (bool(each["active"]), changed_at(each)), default=None
    )
