"""Asking Frappe for the documents of a kind, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import Paging, Since

__all__ = ["LONGEST_ITEMS", "Documents", "address_length", "listed", "moment_at"]

LONGEST_ITEMS = 2000
"""Characters of an address that the codes of items may take: of servers before Frappe
some take no line of more than 4094."""

# Local times come twice when summer time ends.
_OVERLAP = 2 * 3600
_NOT_THERE = 404
_MOST_KNOWN = 1000


def listed(
    doctype: str,
    fields: Sequence[str],
    zone: str,
    *,
    filters: Sequence[Sequence[Any]] = (),
    changes: bool = True,
    overlap: int = _OVERLAP,
) -> dict[str, Any]:
    """
    Describe the list of a kind of documents, as fields of `RestResource`.

    Args:
        doctype: The kind.
        fields: What is asked of each; ``*`` for all but child tables, where versions
            of ERPNext have other ones.
        zone: Of the site, in which it writes all times.
        filters: Which documents.
        changes: Whether the kind tells by ``modified`` what changed, and loses
            nothing without a trace.
        overlap: Seconds, see `Since`.
    """
    after = [["name", ">", ""], *(list(each) for each in filters)]
    return {
        "path": f"api/resource/{doctype}",
        "records": "data",
        "id": "name",
        "params": {
            "fields": list(fields),
            "filters": [["modified", ">=", ""], *after] if changes else after,
            "order_by": "name asc",
        },
        "zone": zone,
        "paging": Paging(
            kind="key",
            field="filters.1.2" if changes else "filters.0.2",
            start="",
            size_field="limit_page_length",
            size=100,
        ),
        "since": Since(
            field="filters.0.2",
            changed_at="modified",
            form="space",
            zone=zone,
            overlap_seconds=overlap,
            start="1970-01-01 00:00:00",
        )
        if changes
        else None,
    }


def address_length(items: Iterable[str]) -> int:
    """
    Return how many characters the codes of items take in an address.

    >>> address_length(["CUP", "杯"])
    33
    """
    text = json.dumps(list(items), ensure_ascii=False, separators=(",", ":"))
    return len(quote(text, safe=""))


def moment_at(document: Any, name: str) -> str | None:
    """
    Join a day and a time, which Frappe writes without a leading zero.

    Args:
        document: With the fields ``<name>_date`` and ``<name>_time``.
        name: What they are of.

    >>> moment_at({"posting_date": "2026-11-05", "posting_time": "9:05:00"}, "posting")
    '2026-11-05 09:05:00'
    >>> moment_at({"posting_date": "2026-11-05"}, "posting")
    '2026-11-05 00:00:00'
    """
    day, time = look_up(document, f"{name}_date"), look_up(document, f"{name}_time")
    if not day:
        return None
    hour, colon, rest = str(time or "0:00:00").partition(":")
    return f"{day} {hour.rjust(2, '0')}{colon}{rest}"


class Documents:
    """
    Documents that records name; those that were named last are asked for once.

    Of a large shop there are more than memory holds, and what names one stands near
    to what else does.

    Args:
        reader: Of the site.
    """

    def __init__(self, reader: HttpReader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], Any] = {}

    def get(self, doctype: str, name: Any) -> Any:
        """
        Return a document; None if there is none of that name.

        Raises:
            SourceError: The site cannot be read.
        """
        if name in (None, "", ".", ".."):
            return None
        key = doctype, str(name)
        found = self._known.pop(key) if key in self._known else self._asked(*key)
        self._known[key] = found
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return found

    def _asked(self, doctype: str, name: str) -> Any:
        path = f"api/resource/{doctype}"
        try:
            answer = self._reader.read(
                "GET", f"{path}/{quote(name, safe='')}", shown=f"{path}/{{id}}"
            )
        except RefusedReadingError as error:
            if error.status != _NOT_THERE:
                raise
            return None
        return look_up(answer.document, "data")
