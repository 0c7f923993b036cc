"""Who of Odoo's partners is on its blacklists, or left a mailing list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.odoo_mailings import who_left_lists
from memberops.adapters.sources.odoo_records import searched
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["BLACKLISTS", "odoo_consents"]

_AT_ONCE = 200  # addresses or numbers of one request


@attrs.frozen
class _Blacklist:
    """A list, its field, and a partner's fields of the same value and of being on."""

    model: str
    entry: str
    own: str
    listed: str


BLACKLISTS = {
    "email": _Blacklist(
        "mail.blacklist", "email", "email_normalized", "is_blacklisted"
    ),
    "sms": _Blacklist(
        "phone.blacklist", "number", "phone_sanitized", "phone_sanitized_blacklisted"
    ),
}
"""By channel where Odoo keeps whom it must not write to."""


def odoo_consents(*, older: bool, channels: Sequence[str]) -> RestResource:
    """
    Describe refusals: members on a blacklist of Odoo, or who left a mailing list.

    Odoo itself matches them, by the address or number as it normalizes both. A refusal
    is of the moment at which the entry of the list was last changed. Where that entry
    is not to be found by then, or no moment is kept, it is of the partner's last
    change: the refusal stands until Odoo says otherwise. Whoever left a mailing list
    (``mailing.subscription``) has refused the whole channel, to be on the safe side,
    whatever other lists say; subscriptions name contacts, which need not be partners,
    so that partners are those with the contact's address or number. See
    `who_left_lists`; where its module is not installed, there are blacklists alone.
    Whoever did neither has said nothing, and is not in the table. A partner is not
    dated when a list changes, so all is read each time.

    Args:
        older: Whether by JSON-RPC.
        channels: Of `BLACKLISTS`.
    """
    lists = {channel: BLACKLISTS[channel] for channel in channels}
    listed = [[each.listed, "=", True] for each in lists.values()]
    return RestResource(
        **_partners(lists, ["|"] * (len(listed) - 1) + listed, older=older),
        together=lambda reader, records: _dated(reader, records, lists, older=older),
        lines=(
            Lines(
                each="refusals",
                made=True,
                constants={"given": "no"},
                columns={
                    "member_id": "/id",
                    "channel": "channel",
                    "on": "at",
                    "at": "at",
                    "source": "source",
                },
            ),
        ),
    )


def _partners(
    lists: dict[str, _Blacklist], domain: list[Any], *, older: bool
) -> dict[str, Any]:
    """Describe a search for partners, with what says whether they are on lists."""
    fields = [name for each in lists.values() for name in (each.own, each.listed)]
    return searched(
        "res.partner",
        {**{name: {} for name in fields}, "write_date": {}},
        [["is_company", "=", False], *domain],
        older=older,
        changes=False,
        archived=False,
    )


def _dated(
    reader: HttpReader,
    records: list[Any],
    lists: dict[str, _Blacklist],
    *,
    older: bool,
) -> Iterable[Any]:
    """Give each partner the entries of the lists that it is on, or that it left."""
    left = who_left_lists(reader, older=older, channels=lists)
    partners = {each["id"]: each for each in records}
    for channel, gone in left.items():
        own, values = lists[channel].own, sorted(gone)
        for first in range(0, len(values), _AT_ONCE):
            domain = [[own, "in", values[first : first + _AT_ONCE]]]
            search = _partners(lists, domain, older=older)
            for each in all_records(reader, RestResource(**search, lines=())):
                partners.setdefault(each["id"], each)
    found: dict[str, dict[str, Any]] = {}
    for channel, each in lists.items() if partners else ():
        search = searched(
            each.model,
            {each.entry: {}, "write_date": {}},
            older=older,
            changes=False,
            archived=False,
        )
        entries = all_records(reader, RestResource(**search, lines=()))
        found[channel] = {one[each.entry]: one["write_date"] for one in entries}
    for record in partners.values():
        refusals = []
        for channel, each in lists.items():
            own = record.get(each.own)
            if record.get(each.listed) is True:
                at = found[channel].get(own) or record.get("write_date")
                refusals.append(_refusal(channel, at, each.model))
            if own in left.get(channel, ()):
                at, model = left[channel][own]
                at = at or record.get("write_date")
                refusals.append(_refusal(channel, at, model))
        yield {**record, "refusals": refusals}


def _refusal(channel: str, at: Any, model: str) -> dict[str, Any]:
    return {"channel": channel, "at": at, "source": f"Odoo {model}"}
