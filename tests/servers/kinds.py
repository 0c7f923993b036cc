"""The systems that are tested on their real servers."""

import attrs

from memberops.adapters.sources.medusa_source import MedusaSource
from memberops.adapters.sources.tryton_source import TrytonSource
from servers import start
from servers.medusa_shop import MedusaShop
from servers.tryton_shop import TrytonShop


@attrs.frozen
class Kind:
    """How a system is started, filled and read, and how much it is filled."""

    server: object
    shop: type
    source: type
    secret: str
    members: int
    sales: int


KINDS = {
    "tryton": Kind(start.tryton, TrytonShop, TrytonSource, "password", 200, 30),
    "medusa": Kind(start.medusa, MedusaShop, MedusaSource, "token", 120, 30),
}
