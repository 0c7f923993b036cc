"""A shop on Tryton: filled, and changed, by Tryton's own JSON-RPC."""

import base64
import datetime as dt
import random

from servers.truth import Caller, Row, Truth
from servers.tryton_office import TrytonOffice
from servers.tryton_till import TrytonTill

READER = "reader"
PRICES = {"大衣": 19990, "围巾": 5905, "手套": 10}


def _decimal(minor):
    return {"__class__": "Decimal", "decimal": f"{minor // 100}.{minor % 100:02d}"}


def _date(day):
    given = dt.date.fromisoformat(day)
    return {
        "__class__": "date",
        "year": given.year,
        "month": given.month,
        "day": given.day,
    }


class TrytonShop:
    """Members, sales and goods of October 2026 in three stores."""

    kind = "tryton"
    month = "2026-10"

    def __init__(self, running, *, seed=6):
        self._running = running
        self._caller = Caller(running.url)
        self._random = random.Random(seed)  # noqa: S311 - a made-up shop
        self.truth = Truth()
        self._login()
        (self._category,) = self.ask("party.category.search", [], 0, 1, None)
        (self._term,) = self.ask(
            "account.invoice.payment_term.search", [], 0, 1, [["id", "ASC"]]
        )
        places = self.ask(
            "stock.location.search_read", [["type", "=", "warehouse"]], 0, 9, None,
            ["code", "name"],
        )  # fmt: skip
        self._stores = {each["code"]: each["id"] for each in places}
        self.truth.stores = {each["code"]: each["name"] for each in places}
        goods = self.ask(
            "product.product.search_read", [], 0, 99, None, ["rec_name", "default_uom"]
        )
        self.goods = {each["rec_name"]: each for each in goods}
        (self.walk_in,) = self._parties([("散客", None)], member=False)
        self._let_in()
        self.till = TrytonTill(self)

    def _let_in(self):
        """Have a user who reads, and may do no more than it takes."""
        named = ["Sales", "POS", "Stock", "Marketing"]
        groups = self.ask("res.group.search", [["name", "in", named]], 0, 9, None)
        given = {
            "name": READER,
            "login": READER,
            "password": self._running.password,
            "groups": [["add", groups]],
            "companies": [["add", [1]]],
            "company": 1,
        }
        self.ask("res.user.create", [given])

    def fill(self, *, members, sales):
        """Have members, and sell to them and to others."""
        names = [(f"李四{at}", f"138{at:08d}") for at in range(members)]
        self._members = self._parties(names[:-1], member=True)
        # All that one request makes has one moment; a later one is where changes end.
        self._members += self._parties(names[-1:], member=True)
        self._sell(sales)
        self.office = TrytonOffice(self)
        self.office.fill(self._members)
        self.till.fill()
        # One that is only quoted, and taken back later.
        self._quoted = self._sell(1, confirm=False)[0]
        return self

    def put_member(self, name, phone, own=None):
        """Write a party for the contract of sources; return the id."""
        if own is None:
            (made,) = self._parties([(name, phone)], member=True)
            del self.truth.members[str(made)]
            return made
        self.ask("party.party.write", [int(own)], {"name": name})
        self._call(int(own), phone)
        return own

    def drop_member(self, own):
        """Delete a party for good."""
        self.ask("party.party.delete", [int(own)])

    def put_sale(self, rows, own=None):
        """Write a sale for the contract of sources; return the id."""
        lines = [
            {
                "type": "line",
                "product": self.goods["大衣"]["id"],
                "unit": self.goods["大衣"]["default_uom"],
                "quantity": row["quantity"],
                "unit_price": _decimal(int(row["unit_price"] * 100)),
            }
            for row in rows
        ]
        given = {"sale_date": _date(str(rows[0]["sold_on"]))}
        if own is None:
            new = given | {"lines": [["create", lines]]}
            asked = self._written(self.walk_in, "S01", new)
            (own,) = self.ask("sale.sale.create", [asked])
        else:
            self.ask("sale.sale.draft", [int(own)])
            had = self.ask("sale.line.search", [["sale", "=", int(own)]], 0, 99, None)
            written = given | {"lines": [["delete", had], ["create", lines]]}
            self.ask("sale.sale.write", [int(own)], written)
        self.ask("sale.sale.quote", [int(own)])
        return own

    def drop_sale(self, own):
        """Delete a sale for good."""
        self.ask("sale.sale.draft", [int(own)])
        self.ask("sale.sale.cancel", [int(own)])
        self.ask("sale.sale.delete", [int(own)])

    def _call(self, own, phone):
        (mechanism,) = self.ask(
            "party.contact_mechanism.search", [["party", "=", own]], 0, 1, None
        )
        self.ask("party.contact_mechanism.write", [mechanism], {"value": phone})

    def _written(self, party, store, given):
        """Return what a new sale has, with what is given of it."""
        address = self.ask("party.address.search", [["party", "=", party]], 0, 1, None)[
            0
        ]
        return {
            "party": party,
            "company": 1,
            "currency": 1,
            "warehouse": self._stores[store],
            "payment_term": self._term,
            "invoice_address": address,
            "shipment_address": address,
            "invoice_method": "order",
            "shipment_method": "manual",
            **given,
        }

    def options(self):
        """Return what the source has to be given."""
        return {
            "url": self._running.url,
            "database": self._running.database,
            "user": READER,
            "password": lambda: self._running.password,
            "member_category": "会员",
            "walk_in": [self.walk_in],
            "page": 7,
            "places": {"WH": "warehouse", "Z2": "store:S02:corner"},
            "items": ["G-1", "G-2"],
            "email_lists": ["会员邮件"],
        }

    def change(self):
        """Change something of every kind."""
        new, gone, renamed, called = (
            self._parties([("王五", "13900000000")], member=True)[0],
            *self._members[:3],
        )
        self.ask("party.party.write", [gone], {"active": False})
        del self.truth.members[str(gone)]
        self.ask("party.party.write", [renamed], {"name": "赵六"})
        self.truth.members[str(renamed)] = (
            "赵六", self.truth.members[str(renamed)][1],
        )  # fmt: skip
        # Tryton does not date the party when only its phone is changed.
        self._call(called, "13700000000")
        self.truth.members[str(called)] = (
            self.truth.members[str(called)][0], "13700000000",
        )  # fmt: skip
        self._members = [*self._members[1:], new]
        self.ask("sale.sale.cancel", [self._quoted])
        self._forget(str(self._quoted))
        sold = [
            row
            for row in self.truth.rows
            if row.amount > 0 and not self.taken_back(row.ticket)
        ]
        self.take_back(self._random.choice(sold).ticket)
        self._sell(2)
        self.office.change()
        self.till.change()

    def delete(self):
        """Delete a member for good, of which Tryton keeps no trace."""
        bought = {row.member for row in self.truth.rows}
        asked = {row["member_id"] for row in self.truth.more["consents"]}
        gone = next(each for each in self._members if str(each) not in bought | asked)
        self.ask("party.party.delete", [gone])
        del self.truth.members[str(gone)]

    def delete_case(self):
        """Delete a complaint for good."""
        self.office.delete_case()

    def on_hand(self):
        """Return how many there are of each gift in the warehouse, as Tryton says."""
        found = self.ask(
            "product.product.search_read", [["code", "!=", None]], 0, 9, None,
            ["code", "quantity"],
            locations=self.ask("stock.location.search", [["code", "=", "WH"]], 0, 1,
                               None),
            with_childs=True,
        )  # fmt: skip
        return {each["code"]: each["quantity"] for each in found}

    def _login(self):
        path = f"/{self._running.database}/rpc/"
        asked = {
            "id": 1,
            "method": "common.db.login",
            "params": [self._running.user, {"password": self._running.password}],
        }
        found = self._caller.call("POST", path, asked)
        self._user, key = found["result"][:2]
        text = f"{self._running.user}:{self._user}:{key}"
        code = base64.b64encode(text.encode()).decode()
        self._caller.headers["Authorization"] = f"Session {code}"

    def ask(self, method, *params, **context):
        """Call a method of a model."""
        return self._rpc(f"model.{method}", *params, context)

    def _rpc(self, method, *params):
        document = self._caller.call(
            "POST",
            f"/{self._running.database}/rpc/",
            {"id": 1, "method": method, "params": params},
        )
        error = document.get("error")
        if error and error[0] == "UserWarning":
            # As a person does who is asked whether to go on.
            heard = [{"user": self._user, "name": error[1][0]}]
            self._rpc("model.res.user.warning.create", heard, {})
            return self._rpc(method, *params)
        if error:
            raise RuntimeError(f"{method}: {error}")
        return document["result"]

    def _parties(self, people, *, member):
        ids = self.ask(
            "party.party.create",
            [
                {
                    "name": name,
                    "categories": [["add", [self._category]]] if member else [],
                    "addresses": [["create", [{"street": "南京路 1 号"}]]],
                    "contact_mechanisms": [
                        ["create", [{"type": "mobile", "value": phone}]]
                    ]
                    if phone
                    else [],
                }
                for name, phone in people
            ],
        )
        if member:
            self.truth.members |= dict(zip(map(str, ids), people, strict=True))
        return ids

    def sell_to(self, party):
        """Sell something to one party; return the ticket."""
        return str(self._sell(1, to=party)[0])

    def _sell(self, count, *, confirm=True, to=None):
        """Sell on any day of the month, to a member or to somebody."""
        drafts, plans = [], []
        for _ in range(count):
            day = f"2026-10-{self._random.randint(1, 31):02d}"
            store = self._random.choice(["S01", "S02", "S03"])
            anybody = [*self._members, self.walk_in, self.walk_in]
            member = to or self._random.choice(anybody)
            names = self._random.sample(list(PRICES), self._random.randint(1, 3))
            lines = [(name, self._random.randint(1, 4)) for name in names]
            plans.append((day, store, member, lines))
            drafts.append(
                self._written(
                    member,
                    store,
                    {
                        "sale_date": _date(day),
                        "lines": [
                            [
                                "create",
                                [
                                    {
                                        "type": "line",
                                        "product": self.goods[name]["id"],
                                        "unit": self.goods[name]["default_uom"],
                                        "quantity": quantity,
                                        "unit_price": _decimal(PRICES[name]),
                                    }
                                    for name, quantity in lines
                                ],
                            ]
                        ],
                    },
                )
            )
        sales = self.ask("sale.sale.create", drafts)
        self.ask("sale.sale.quote", sales)
        if confirm:
            self.ask("sale.sale.confirm", sales)
        for sale, (day, store, member, lines) in zip(sales, plans, strict=True):
            self.truth.rows += [
                Row(
                    ticket=str(sale),
                    day=day,
                    store=store,
                    member=None if member == self.walk_in else str(member),
                    item=name,
                    quantity=quantity,
                    amount=quantity * PRICES[name],
                )
                for name, quantity in lines
            ]
        return sales

    def take_back(self, ticket):
        """Take a whole ticket back by Tryton's own wizard."""
        sale = int(ticket)
        session, _, _ = self._rpc("wizard.sale.return_sale.create", {})
        found = self._rpc(
            "wizard.sale.return_sale.execute", session, {}, "return_",
            {"active_id": sale, "active_ids": [sale], "active_model": "sale.sale"},
        )  # fmt: skip
        (back,) = found["actions"][0][1]["res_id"]
        return self.finish_return(back, ticket)

    def finish_return(self, back, ticket):
        """Confirm the sale that takes a whole ticket back."""
        day = f"{self.month}-31"
        self.ask("sale.sale.write", [back], {"sale_date": _date(day)})
        self.ask("sale.sale.quote", [back])
        self.ask("sale.sale.confirm", [back])
        self.truth.rows += [
            Row(str(back), day, row.store, row.member, row.item, -row.quantity,
                -row.amount, ticket)
            for row in self.truth.rows
            if row.ticket == ticket
        ]  # fmt: skip
        return str(back)

    def taken_back(self, ticket):
        """Tell whether a ticket was taken back."""
        return any(row.returned == ticket for row in self.truth.rows)

    def give(self, party, gift, quantity, day):
        """Give a gift for nothing, to be sent from the first store."""
        line = {
            "type": "line",
            "product": self.goods[gift]["id"],
            "unit": self.goods[gift]["default_uom"],
            "quantity": quantity,
            "unit_price": _decimal(0),
        }
        given = {
            "sale_date": _date(day),
            "shipment_method": "order",
            "lines": [["create", [line]]],
        }
        (own,) = self.ask("sale.sale.create", [self._written(party, "S01", given)])
        self.ask("sale.sale.quote", [own])
        self.ask("sale.sale.confirm", [own])
        member = None if party == self.walk_in else str(party)
        self.truth.rows.append(Row(str(own), day, "S01", member, gift, quantity, 0))
        return str(own)

    def _forget(self, ticket):
        self.truth.rows = [row for row in self.truth.rows if row.ticket != ticket]
