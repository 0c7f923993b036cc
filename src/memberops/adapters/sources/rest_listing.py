"""Reading a list of a service that records of another one point into."""

from __future__ import annotations

from typing import Any

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.rest_gathering import Gathering
from memberops.adapters.sources.rest_paging import harvest
from memberops.adapters.sources.rest_resource import RestResource

__all__ = ["all_records", "as_it_is"]


def as_it_is(record: Any) -> Any:
    """
    Return a record, which is kept until more than it is there.

    >>> as_it_is({"id": 1})
    {'id': 1}
    """
    return record


def all_records(reader: HttpReader, resource: RestResource) -> list[Any]:
    """
    Read all records of a resource page by page, each once, as they are.

    Args:
        reader: Of the server.
        resource: Where they are; what it says of rows is left aside.

    Raises:
        SourceError: The service cannot be read.
    """

    def gathering() -> Gathering:
        return Gathering(resource, as_it_is, most=reader.patience.records)

    return list(harvest(reader, resource, None, gathering).records())
