"""What is sold in Tryton at its own till, and how both kinds of sales are read."""

import datetime as dt

from memberops.adapters.sources.tryton_source import TrytonSource

TABLE = "till"
SWEATER, CANDY, CUP = "毛衣", "糖果", "[G-1] 茶杯"
# Of one, without and with tax; three candies are 1.185, which the till rounds to even.
_PRICES = {
    SWEATER: ("100.0000", "113.0000"),
    CANDY: ("0.3496", "0.3950"),
    CUP: ("5.0000", "5.0000"),
}
_CENTS = {SWEATER: 11300, CUP: 500}
# What each till sells for; its corner of the warehouse is named as one of a store.
_STORES = {"T1": "S01", "T2": "S02", "T3": "S02"}


class TillSections:
    """Tryton as a chain has it with two sections of sales, ``till`` the second."""

    tables = (*TrytonSource.tables, TABLE)

    def __init__(self, context, **options):
        self._source = TrytonSource(context, **options)
        self._till = TrytonSource(context, **options, orders="sale.point.sale")
        self.sections = (self._source, self._till)

    def read(self, table):
        """Read a table whole."""
        return self.changes(table, since=None).result

    def changes(self, table, *, since):
        """Read what changed."""
        if table == TABLE:
            return self._till.changes("sales", since=since)
        return self._source.changes(table, since=since)


def _decimal(text):
    return {"__class__": "Decimal", "decimal": str(text)}


def _day(text):
    given = dt.date.fromisoformat(text)
    return {"__class__": "date", "year": given.year, "month": given.month,
            "day": given.day}  # fmt: skip


class TrytonTill:
    """
    The tills of a `TrytonShop`.

    Args:
        shop: A shop that has goods.
    """

    def __init__(self, shop):
        self._shop = shop
        self._ask = shop.ask
        found = self._ask("sale.point.search_read", [], 0, 9, None, ["name"])
        self._points = {each["name"]: each["id"] for each in found}
        found = self._ask(
            "sale.point.payment.method.search_read", [], 0, 9, None, ["cash"]
        )
        self._methods = {each["cash"]: each["id"] for each in found}
        self._plans = {}
        self._rows = shop.truth.more.setdefault(TABLE, [])

    def fill(self):
        """Sell at all tills, and leave tickets in every state."""
        paid = self._open("T1", "2026-10-18", [(SWEATER, 2, 22600), (CANDY, 3, 118)])
        # By card, and too much: the rest comes back in cash.
        self._pay(paid, "230.00")
        self._end(paid, post=True)
        self._sell("T1", "2026-10-20", [(CUP, 2, 1000)], post=True)
        self._sell("T3", "2026-10-20", [(SWEATER, 1, 11300)])
        self._done = self._sell("T2", "2026-10-19", [(SWEATER, 1, 11300)])
        self._canceled = self._sell("T2", "2026-10-22", [(SWEATER, 3, 33900)])
        self._wrong = self._sell(
            "T2", "2026-10-23", [(SWEATER, 4, 45200), (CANDY, 3, 118)]
        )
        self._left = self._open("T1", "2026-10-21", [(SWEATER, 1, 11300)])
        self._dropped = self._open("T1", "2026-10-21", [(SWEATER, 5, 56500)])
        given_up = self._open("T3", "2026-10-23", [(SWEATER, 1, 11300)])
        self._ask("sale.point.sale.cancel", [given_up])

    def change(self):
        """Take back, exchange, pay, post, reopen, cancel and correct."""
        self._sell("T1", "2026-10-28", [(SWEATER, -1, -11300)], post=True)
        self._sell("T1", "2026-10-28", [(SWEATER, 1, 11300), (CUP, -1, -500)],
                   post=True)  # fmt: skip
        self._pay(self._left)
        self._end(self._left)
        self._ask("sale.point.sale.delete", [self._dropped])
        self._ask("sale.point.sale.post", [self._done])
        self._reopen(self._canceled)
        self._ask("sale.point.sale.cancel", [self._canceled])
        self._reopen(self._wrong)
        first, second = self._lines_of(self._wrong)
        self._ask(
            "sale.point.sale.write",
            [self._wrong],
            {"lines": [["write", [first["id"]], {"quantity": 1}],
                       ["delete", [second["id"]]]]},
        )  # fmt: skip
        self._plans[self._wrong] = ("T2", "2026-10-23", [(SWEATER, 1, 11300)])
        self._pay(self._wrong)
        self._end(self._wrong)
        # Still open when it is read.
        self._open("T2", "2026-10-29", [(SWEATER, 1, 11300)])

    def put_sale(self, rows, own=None):
        """Write a ticket for the contract of sources; return its id."""
        lines = [
            {
                "product": self._shop.goods["大衣"]["id"],
                "quantity": row["quantity"],
                "unit_list_price": _decimal(row["unit_price"]),
                "unit_gross_price": _decimal(row["unit_price"]),
            }
            for row in rows
        ]
        given = {"date": _day(str(rows[0]["sold_on"]))}
        if own is None:
            new = {"company": 1, "point": self._points["T1"], **given}
            made = self._ask(
                "sale.point.sale.create", [new | {"lines": [["create", lines]]}]
            )
            number = made[0]
        else:
            number = int(own.removeprefix("point-"))
            self._reopen(number)
            had = [each["id"] for each in self._lines_of(number)]
            given["lines"] = [["delete", had], ["create", lines]]
            self._ask("sale.point.sale.write", [number], given)
        self._pay(number)
        self._ask("sale.point.sale.process", [number])
        return f"point-{number}"

    def drop_sale(self, own):
        """Take a ticket out, which Tryton only allows by canceling it."""
        number = int(own.removeprefix("point-"))
        self._reopen(number)
        self._ask("sale.point.sale.cancel", [number])

    def _sell(self, till, day, lines, *, post=False):
        own = self._open(till, day, lines)
        self._pay(own)
        self._end(own, post=post)
        return own

    def _open(self, till, day, lines):
        """Begin a ticket of goods with their quantities and amounts in cents."""
        given = [
            {
                "product": self._shop.goods[name]["id"],
                "quantity": quantity,
                "unit_list_price": _decimal(_PRICES[name][0]),
                "unit_gross_price": _decimal(_PRICES[name][1]),
            }
            for name, quantity, _ in lines
        ]
        (own,) = self._ask(
            "sale.point.sale.create",
            [{"company": 1, "point": self._points[till], "date": _day(day),
              "lines": [["create", given]]}],
        )  # fmt: skip
        self._plans[own] = (till, day, lines)
        return own

    def _pay(self, own, by_card=None):
        """Pay what is left in cash, after something by card."""
        paid = "sale.point.payment.create"
        if by_card:
            self._ask(paid, [{"sale": own, "method": self._methods[False],
                              "amount": _decimal(by_card)}])  # fmt: skip
        (left,) = self._ask("sale.point.sale.read", [own], ["amount_to_pay"])
        if left["amount_to_pay"]["decimal"].strip("-0."):
            self._ask(paid, [{"sale": own, "method": self._methods[True],
                              "amount": left["amount_to_pay"]}])  # fmt: skip

    def _end(self, own, *, post=False):
        """End a paid ticket, which counts from now on."""
        self._ask("sale.point.sale.process", [own])
        till, day, lines = self._plans[own]
        self._rows += [
            {
                "ticket_id": f"point-{own}",
                "sold_on": f"{day} 00:00:00",
                "store_id": _STORES[till],
                "member_id": None,
                "item_name": name,
                "quantity": str(quantity),
                "unit_price": str(_CENTS[name]) if name in _CENTS else None,
                "amount": str(amount),
            }
            for name, quantity, amount in lines
        ]
        if not post:
            return
        self._ask("sale.point.sale.post", [own])
        for line, (name, quantity, _) in zip(self._lines_of(own), lines, strict=True):
            if name == CUP:
                self._moved(own, line, quantity, day)

    def _moved(self, own, line, quantity, day):
        origin = f"sale.point.sale.line,{line['id']}"
        (move,) = self._ask("stock.move.search", [["origin", "=", origin]], 0, 9, None)
        ends = ("issue", "store:S01", "member", quantity)
        if quantity < 0:
            ends = ("return", "member", "store:S01", -quantity)
        self._shop.office.moved(move, day, CUP, ends, f"point-{own}")

    def _lines_of(self, own):
        return self._ask(
            "sale.point.sale.line.search_read", [["sale", "=", own]], 0, 99,
            [["id", "ASC"]], ["id"],
        )  # fmt: skip

    def _reopen(self, own):
        """Open a ticket that was paid, and give the money back."""
        self._ask("sale.point.sale.open", [own])
        paid = self._ask("sale.point.payment.search", [["sale", "=", own]], 0, 9, None)
        self._ask("sale.point.payment.delete", paid)
        ticket = f"point-{own}"
        self._rows[:] = [row for row in self._rows if row["ticket_id"] != ticket]
