"""Reading a list of a service that records of another one point into."""

from __future__ import annotations

from typing import Any

from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.rest_gathering import Gathering
from memberops.adapters.sources.rest_paging import harvest
from memberops.adapters.sources.rest_resource import RestResource
from memberops.errors import SourceError

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

    They are joined to what is read, so half of them would make it wrong: where the last
    answer says that there is more, that is an error. A full page that does not say so
    may well be the last one; it is noted in `HttpReader.unread`, which is told.

    Args:
        reader: Of the server.
        resource: Where they are; what it says of rows is left aside.

    Raises:
        SourceError: The service cannot be read, or not to the end of the list.
    """

    def gathering() -> Gathering:
        return Gathering(resource, as_it_is, most=reader.patience.records)

    got = harvest(reader, resource, None, gathering)
    if got.unread and got.unread == resource.paging.size_field:
        reader.unread[resource.path, got.unread] += 1
    elif got.unread:
        raise SourceError(
            f"{resource.path}: the answer says by {got.unread[:80]!r} that there is "
            "more than can be read of this list, and what is joined with it would be "
            "wrong; nothing was taken over"
        ).in_chinese(
            f"{resource.path}：应答中的 {got.unread[:80]!r} 表示该列表还有无法读取的"
            "数据，据此合并的结果会有误；未读入任何数据"
        )
    return list(got.records())
