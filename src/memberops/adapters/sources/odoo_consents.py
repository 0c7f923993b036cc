"""Who of Odoo's partners is on its blacklists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.odoo_records import searched
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["BLACKLISTS", "odoo_consents"]


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
    Describe refusals: members whose e-mail or phone is on a blacklist of Odoo.

    Odoo itself matches them, by the address or number as it normalizes both. A
    refusal is of the moment at which the entry of the list was last changed. Where
    that entry is not to be found by then, it is of the partner's last change: the
    refusal stands until Odoo says otherwise. Whoever
    is on no list has said nothing, and is not in the table. A partner is not dated
    when a list changes, so all is read each time. Opt-outs of single mailing lists
    (``mailing.subscription``) name contacts, which need not be partners, and are not
    read.

    Args:
        older: Whether by JSON-RPC.
        channels: Of `BLACKLISTS`.
    """
    lists = {channel: BLACKLISTS[channel] for channel in channels}
    fields = [name for each in lists.values() for name in (each.own, each.listed)]
    listed = [[each.listed, "=", True] for each in lists.values()]
    return RestResource(
        **searched(
            "res.partner",
            {**{name: {} for name in fields}, "write_date": {}},
            [["is_company", "=", False], *["|"] * (len(listed) - 1), *listed],
            older=older,
            changes=False,
            archived=False,
        ),
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


def _dated(
    reader: HttpReader,
    records: list[Any],
    lists: dict[str, _Blacklist],
    *,
    older: bool,
) -> Iterable[Any]:
    """Give each partner the entries of the lists that it is on."""
    found: dict[str, dict[str, Any]] = {}
    for channel, each in lists.items() if records else ():
        search = searched(
            each.model,
            {each.entry: {}, "write_date": {}},
            older=older,
            changes=False,
            archived=False,
        )
        entries = all_records(reader, RestResource(**search, lines=()))
        found[channel] = {one[each.entry]: one["write_date"] for one in entries}
    for record in records:
        yield {
            **record,
            "refusals": [
                {
                    "channel": channel,
                    "at": found[channel].get(record.get(each.own))
                    or record.get("write_date"),
                    "source": f"Odoo {each.model}",
                }
                for channel, each in lists.items()
                if record.get(each.listed) is True
            ],
        }
