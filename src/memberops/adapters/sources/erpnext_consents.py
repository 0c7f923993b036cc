"""Which customers of ERPNext do not want to be written to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from memberops.adapters.sources.erpnext_ids import CustomerIds
from memberops.adapters.sources.erpnext_records import (
    LONGEST_ITEMS,
    Documents,
    listed,
)
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.errors import SourceError

__all__ = ["addresses_in", "erpnext_consents"]

_BY_ADDRESS: dict[str, list[list[Any]]] = {
    "Email Unsubscribe": [],
    "Email Group Member": [["unsubscribed", "=", 1]],
}
"""Documents that name an address that unsubscribed, and which of them do."""

_ADDRESS = re.compile(r"[^\s<>,;\"()]+@[^\s<>,;\"()]+")


def erpnext_consents(zone: str, ids: CustomerIds) -> RestResource:
    """
    Describe refusals of e-mail: by a tick of a contact, or by a link in an e-mail.

    A contact that is ticked ``unsubscribed`` refuses for its customers, at the moment
    at which it was last changed, for the tick has no date of its own. Who follows a
    link names an address: ``Email Unsubscribe``, be it for good or of what one
    document of any kind sends, and of newsletters ``Email Group Member``. That is a
    refusal by all customers of that address, at the moment of its last change, and of
    the whole channel: it errs to the safe side. Customers of an address are those that
    a contact with it links to, and those that have it themselves.

    Whoever did neither has said nothing. All is read each time, so a tick that is
    taken away, and a document that is deleted, which is how ERPNext allows to write
    again, leave the table. A contact that is listed and is not to be had ends the
    reading, and so does a right that the key has not: a refusal would be lost.

    Args:
        zone: Of the site.
        ids: Which customers' ids may be shown.
    """
    return RestResource(
        **listed(
            "Contact",
            ["name", "modified"],
            zone,
            filters=[["unsubscribed", "=", 1]],
            changes=False,
        ),
        together=lambda reader, contacts: _refused(reader, contacts, zone),
        only={"unsubscribed": ("1",)},
        prepare=lambda record: _with_customers(record, ids),
        lines=(
            Lines(
                each="customers",
                made=True,
                constants={"channel": "email", "given": "no"},
                columns={
                    "member_id": "id",
                    "on": "/modified",
                    "at": "/modified",
                    "source": "/source",
                },
            ),
        ),
    )


def addresses_in(text: Any) -> set[str]:
    """
    Return the e-mail addresses in a text, as they are compared.

    >>> sorted(addresses_in("Wang, Li <Li@Example.com>; b@example.com"))
    ['b@example.com', 'li@example.com']
    >>> addresses_in(None)
    set()
    """
    return {found.casefold() for found in _ADDRESS.findall(str(text or ""))}


def _refused(reader: HttpReader, contacts: list[Any], zone: str) -> Iterator[Any]:
    """Yield contacts, whose links no list shows, and customers of addresses."""
    documents = Documents(reader)
    for each in contacts:
        contact = documents.get("Contact", each.get("name"))
        if contact is None:
            raise SourceError(_UNREAD)
        yield {**contact, "source": "ERPNext Contact"}
    said: dict[str, dict[str, str]] = {}
    for doctype, filters in _BY_ADDRESS.items():
        for each in _all(reader, doctype, ["email", "modified"], zone, filters=filters):
            for address in addresses_in(each.get("email")):
                own = said.setdefault(address, {})
                at = str(each.get("modified") or "")
                own[doctype] = max(own.get(doctype, ""), at)
    latest: dict[tuple[str, str], str] = {}
    for address, customer in _owned(reader, documents, zone, said):
        for doctype, at in said[address].items():
            key = customer, doctype
            latest[key] = max(latest.get(key, ""), at)
    for (customer, doctype), at in latest.items():
        yield {
            "name": customer,
            "unsubscribed": 1,
            "modified": at,
            "source": f"ERPNext {doctype}",
            "links": [{"link_doctype": "Customer", "link_name": customer}],
        }


def _owned(
    reader: HttpReader, documents: Documents, zone: str, wanted: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield addresses that are wanted, each with a customer who has it."""
    for some in _parts(sorted(wanted)):
        asked = {"or_filters": [_like(address) for address in some]}
        found = _all(
            reader,
            "Contact Email",
            ["parent", "email_id"],
            zone,
            filters=[["parenttype", "=", "Contact"]],
            # Rows of a contact are shown to whom contacts are.
            more={**asked, "parent": "Contact"},
        )
        for row in found:
            for address in addresses_in(row.get("email_id")) & {*some}:
                for customer in _linked(reader, documents, zone, row.get("parent")):
                    yield address, customer
        for row in _all(reader, "Customer", ["email_id"], zone, more=asked):
            for address in addresses_in(row.get("email_id")) & {*some}:
                yield address, str(row["name"])


def _linked(
    reader: HttpReader, documents: Documents, zone: str, name: Any
) -> list[str]:
    """Return the customers of a contact; none if there is no such contact."""
    contact = documents.get("Contact", name)
    if contact is None:
        if _all(reader, "Contact", [], zone, filters=[["name", "=", name]]):
            raise SourceError(_UNREAD)
        return []
    return _customers(contact)


def _customers(contact: Mapping[str, Any]) -> list[str]:
    return [
        str(link["link_name"])
        for link in contact.get("links") or ()
        if link.get("link_doctype") == "Customer" and link.get("link_name")
    ]


def _with_customers(
    contact: Mapping[str, Any], ids: CustomerIds
) -> tuple[Mapping[str, Any], bool]:
    named = [ids.safe(each) for each in _customers(contact)]
    own = [{"id": each} for each in dict.fromkeys(named)]
    return {**contact, "customers": own}, True


def _all(
    reader: HttpReader,
    doctype: str,
    fields: Sequence[str],
    zone: str,
    *,
    filters: Sequence[Sequence[Any]] = (),
    more: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Return all documents of a kind that fit, each with the fields asked for."""
    search = listed(doctype, ["name", *fields], zone, filters=filters, changes=False)
    search["params"] |= more or {}
    found = all_records(reader, RestResource(**search, lines=()))
    for name in fields:
        if any(name not in each for each in found):
            # Frappe leaves out in silence what a user may not see.
            raise SourceError(
                f"api/resource/{doctype}: the field {name!r} is not shown, so a "
                "refusal would be lost; check the rights of the key's user"
            )
    return found


def _like(address: str) -> list[str]:
    """Return the filter of an address, however it is written: some databases mind."""
    return ["email_id", "like", f"%{address}%"]


def _parts(addresses: Sequence[str]) -> Iterator[list[str]]:
    """Yield addresses, so many as fit into one of a server."""
    part: list[str] = []
    length = 0
    for each in addresses:
        own = len(quote(json.dumps(_like(each), ensure_ascii=False)))
        if part and length + own > LONGEST_ITEMS:
            yield part
            part, length = [], 0
        part.append(each)
        length += own
    if part:
        yield part


_UNREAD = (
    "api/resource/Contact: one that is listed as unsubscribed is not to be "
    "had by its name; nothing was taken over, read again later. If it "
    "stays so, a server between may refuse names with a slash"
)
