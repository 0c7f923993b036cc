"""Asking for what a list of records leaves out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up, stands_at
from memberops.adapters.sources.rest_resource import RestResource
from memberops.adapters.sources.rest_signs import sign_of_more
from memberops.errors import SourceError

__all__ = ["followed"]

_GONE = frozenset({404, 410})
_STEPS = frozenset({"", ".", ".."})


def followed(reader: HttpReader, resource: RestResource, record: Any) -> Any:
    """
    Ask for what a record of a list leaves out; None if it is gone by now.

    Only one answer is read. What says that there is more is noted in
    `HttpReader.unread`, which is told.

    Args:
        reader: Of the server.
        resource: Says what to ask for.
        record: As the list has it.

    Raises:
        SourceError: The server cannot be read, or has no record where one should be.
    """
    for follow in resource.follow:
        if follow.when and not look_up(record, follow.when):
            continue
        own = str(look_up(record, resource.id))
        if own in _STEPS:
            raise SourceError(
                f"{resource.path}: the id of a record is a step in an address, so no "
                "more of it can be asked for"
            )
        path = follow.path.replace("{id}", quote(own, safe=""))
        try:
            # The id of a record may be a person's name.
            answer = reader.read(
                "GET", path, params=follow.params, shown=follow.path[:200]
            )
        except RefusedReadingError as error:
            if error.status not in _GONE:
                raise
            return None
        found = look_up(answer.document, follow.records)
        if found is None and not follow.into:
            # Many services say null with status 200 where others say 404.
            if stands_at((answer.document,), follow.records) is not False:
                return None
            raise SourceError(
                f"{follow.path[:200]}: nothing stands at {follow.records[:80]!r} of "
                "the answer; set 'records' of 'follow' to the path of the record"
            )
        several = isinstance(found, list)
        sign = several and sign_of_more(answer, follow.records, beside=True)
        if sign:
            reader.unread[follow.path, sign] += 1
        record = {**record, follow.into: found} if follow.into else found
    return record
