"""Stores."""

from __future__ import annotations

import attrs

from memberops.domain.values import identifier

__all__ = ["Store"]


@attrs.frozen(kw_only=True)
class Store:
    """
    A store and the region it belongs to.

    Args:
        store_id: The chain's id of the store.
        name: Name as people say it.
        region_id: The region, if the chain has regions.
        zone: IANA zone of the store, if it is not the chain's.

    >>> Store(store_id="S01", name="人民路店", region_id="east").region_id
    'east'
    """

    store_id: str = attrs.field(validator=identifier)
    name: str = ""
    region_id: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(identifier)
    )
    zone: str | None = None
