"""The systems that are tested on their real servers."""

import attrs

from memberops.adapters.sources.medusa_source import MedusaSource
from memberops.adapters.sources.vendure_source import VendureSource
from servers import start
from servers.medusa_shop import MedusaShop
from servers.tryton_shop import TrytonShop
from servers.tryton_till import TillSections
from servers.vendure_shop import VendureShop


@attrs.frozen
class Kind:
    """How a system is started, filled and read, and how much it is filled."""

    server: object
    shop: type
    source: type
    secret: str
    members: int
    sales: int
    contract: tuple = ("members",)
    """Tables that can be written in any way, for the contract of sources."""
    tables: tuple = ("members", "sales", "stores")
    """Tables that are filled."""
    narrow: dict = attrs.field(factory=dict)
    """Options with which nothing is read again that was not changed."""


KINDS = {
    "tryton": Kind(
        start.tryton, TrytonShop, TillSections, "password", 200, 30,
        ("members", "sales"), tables=TillSections.tables,
    ),
    "medusa": Kind(
        start.medusa, MedusaShop, MedusaSource, "token", 100, 20, ("members", "sales"),
        narrow={"overlap_seconds": 0},
    ),
    "vendure": Kind(
        start.vendure, VendureShop, VendureSource, "password", 160, 24,
        ("members", "sales"),
        tables=("members", "sales", "stores", "gift_movements"),
        narrow={"refund_days": 0, "late_refunds": True, "overlap_seconds": 0},
    ),
}  # fmt: skip
