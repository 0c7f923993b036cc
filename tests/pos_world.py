"""A real server as the contract of sources plays with it."""


class ServerWorld:
    """
    Members, and sales where a shop can write any, through a server's own API.

    Args:
        shop: With ``put_member`` and ``drop_member``; and ``put_sale`` and
            ``drop_sale``. Where its sales cannot be of any day and of goods given
            back, ``kept`` names what stays as it is written.
    """

    def __init__(self, shop):
        self._shop = shop
        self._there = {}

    def columns(self, table):
        """Name what the server keeps as it is written."""
        if table == "members":
            return ("name", "phone")
        kept = ("sold_on", "quantity", "unit_price", "amount")
        return getattr(self._shop, "kept", kept)

    def put(self, table, rows, key=None):
        """Write a record; return its key."""
        if table == "members":
            given = (rows[0]["name"], rows[0]["phone"])
            own = self._shop.put_member(*given, *(key or ()))
        else:
            own = self._shop.put_sale(rows, *(key or ()))
        self._there[table, (str(own),)] = True
        return (str(own),)

    def delete(self, table, key):
        """Delete a record for good."""
        del self._there[table, key]
        if table == "members":
            self._shop.drop_member(*key)
        else:
            self._shop.drop_sale(*key)
        return True

    def fault(self, _name):
        """Play no fault: real servers do not fail on demand."""
        return False

    def clear(self):
        """Delete all that was written."""
        for table, key in list(self._there):
            self.delete(table, key)
