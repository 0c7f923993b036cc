"""Who left a mailing list of Odoo: its module for email marketing, and for SMS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.odoo_records import searched
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import RestResource
from memberops.errors import SourceError

__all__ = ["who_left_lists"]

_SUBSCRIPTIONS = {
    "mailing.subscription": "opt_out_datetime",
    "mailing.contact.subscription": "unsubscription_date",
}
"""Models of subscriptions, the second before Odoo 17, and when one was ended."""

_OF_TEXTS = "mailing.sms.test"
"""A model that there is where mailing lists have phone numbers."""

_NOT_THERE = 404


def who_left_lists(
    reader: HttpReader, *, older: bool, channels: Collection[str]
) -> dict[str, dict[str, tuple[str, str]]]:
    """
    Return by channel the addresses and numbers that left a mailing list.

    A subscription does not say by which channel it was ended: by a link in an email
    or in a text. It is a refusal of both, of each where its contact has an address
    or a number. Several refusals are one of the latest moment.

    Args:
        reader: Of the server.
        older: Whether by JSON-RPC.
        channels: Those that are asked for, ``email`` and ``sms``.

    Returns:
        By channel, and by address or number as Odoo normalizes it, the moment and
        the model; an empty text for the moment where none is kept. Nothing where the
        module is not installed.

    Raises:
        SourceError: The server cannot be read, or the key has not the right.
    """
    fields = {"email": "email_normalized"} if "email" in channels else {}
    for model, date in _SUBSCRIPTIONS.items():
        if not _is_there(reader, model, older=older):
            continue
        if "sms" in channels and _is_there(reader, _OF_TEXTS, older=older):
            fields["sms"] = "phone_sanitized"
        if not fields:
            break
        search = searched(
            model,
            {
                "contact_id": {"fields": {name: {} for name in fields.values()}},
                date: {},
                "write_date": {},
            },
            [["opt_out", "=", True]],
            older=older,
            changes=False,
        )
        left: dict[str, dict[str, tuple[str, str]]] = {each: {} for each in fields}
        for record in all_records(reader, RestResource(**search, lines=())):
            for channel, name in fields.items():
                contact = record.get("contact_id")
                if not isinstance(contact, Mapping) or name not in contact:
                    raise SourceError(
                        f"{model}: Odoo does not show the {name} of a contact that "
                        "left a list, so a refusal would be lost; check the key's "
                        "rights"
                    )
                if own := contact[name]:
                    said = _said_at(record, date), model
                    left[channel][own] = max(said, left[channel].get(own, said))
        return left
    return {}


def _said_at(record: Any, date: str) -> str:
    """Return when a subscription was ended: a date to come would be no refusal yet."""
    # A script that wrote past Odoo's models may have left both dates empty.
    dates = record.get(date), record.get("write_date")
    return min((str(each) for each in dates if each), default="")


def _is_there(reader: HttpReader, model: str, *, older: bool) -> bool:
    """Tell whether Odoo knows a model; it has to say itself that it does not."""
    search = searched(
        model, {}, [["id", "=", 0]], older=older, changes=False, archived=False
    )
    try:
        all_records(reader, RestResource(**search, lines=()))
    except RefusedReadingError as error:
        name = str(look_up(error.said, "name"))
        message = str(look_up(error.said, "message"))
        if older:
            unknown = name == "odoo.exceptions.UserError" and model in message
        else:
            unknown = error.status == _NOT_THERE and f"'{model}'" in message
        if not unknown:
            raise
        return False
    return True
