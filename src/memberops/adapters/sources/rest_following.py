"""Asking for what a list of records leaves out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import RestResource

__all__ = ["followed"]

_GONE = frozenset({404, 410})


def followed(reader: HttpReader, resource: RestResource, record: Any) -> Any:
    """
    Ask for what a record of a list leaves out; None if it is gone by now.

    Args:
        reader: Of the server.
        resource: Says what to ask for.
        record: As the list has it.

    Raises:
        SourceError: The server cannot be read.
    """
    for follow in resource.follow:
        if follow.when and not look_up(record, follow.when):
            continue
        own = quote(str(look_up(record, resource.id)), safe="")
        path = follow.path.replace("{id}", own)
        try:
            answer = reader.read("GET", path, params=follow.params)
        except RefusedReadingError as error:
            if error.status not in _GONE:
                raise
            return None
        found = look_up(answer.document, follow.records)
        record = {**record, follow.into: found} if follow.into else found
    return record
