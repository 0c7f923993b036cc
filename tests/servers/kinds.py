"""The systems that are tested on their real servers."""

import attrs

from memberops.adapters.sources.medusa_source import MedusaSource
from memberops.adapters.sources.tryton_source import TrytonSource
from memberops.adapters.sources.vendure_source import VendureSource
from servers import start
from servers.medusa_shop import MedusaShop
from servers.tryton_shop import TrytonShop
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
    narrow: dict = attrs.field(factory=dict)
    """Options with which nothing is read again that the server does not date."""


KINDS = {
    "tryton": Kind(
        start.tryton, TrytonShop, TrytonSource, "password", 200, 30,
        ("members", "sales"),
    ),
    "medusa": Kind(start.medusa, MedusaShop, MedusaSource, "token", 120, 30),
    "vendure": Kind(
        start.vendure, VendureShop, VendureSource, "password", 200, 30,
        narrow={"refund_days": 0},
    ),
}  # fmt: skip
