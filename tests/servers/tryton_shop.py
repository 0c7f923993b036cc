"""A shop on Tryton: filled, and changed, by Tryton's own JSON-RPC."""

import base64
import datetime as dt
import random

from servers.truth import Caller, Row, Truth

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
    """Members and sales of October 2026 in three stores."""

    kind = "tryton"
    month = "2026-10"

    def __init__(self, running, *, seed=6):
        self._running = running
        self._caller = Caller(running.url)
        self._random = random.Random(seed)  # noqa: S311 - a made-up shop
        self.truth = Truth()
        self._login()
        (self._category,) = self._ask("party.category.search", [], 0, 1, None)
        (self._term,) = self._ask(
            "account.invoice.payment_term.search", [], 0, 1, [["id", "ASC"]]
        )
        places = self._ask(
            "stock.location.search_read", [["type", "=", "warehouse"]], 0, 9, None,
            ["code", "name"],
        )  # fmt: skip
        self._stores = {each["code"]: each["id"] for each in places}
        self.truth.stores = {each["code"]: each["name"] for each in places}
        goods = self._ask(
            "product.product.search_read", [], 0, 9, None, ["rec_name", "default_uom"]
        )
        self._goods = {each["rec_name"]: each for each in goods}
        (self.walk_in,) = self._parties([("散客", None)], member=False)

    def fill(self, *, members, sales):
        """Have members, and sell to them and to others."""
        names = [(f"李四{at}", f"138{at:08d}") for at in range(members)]
        self._members = self._parties(names[:-1], member=True)
        # All that one request makes has one moment; a later one is where changes end.
        self._members += self._parties(names[-1:], member=True)
        self._sell(sales)
        # One that is only quoted, and taken back later.
        self._quoted = self._sell(1, confirm=False)[0]
        return self

    def put_member(self, name, phone, own=None):
        """Write a party for the contract of sources; return the id."""
        if own is None:
            (made,) = self._parties([(name, phone)], member=True)
            del self.truth.members[str(made)]
            return made
        self._ask("party.party.write", [int(own)], {"name": name})
        self._call(int(own), phone)
        return own

    def drop_member(self, own):
        """Delete a party for good."""
        self._ask("party.party.delete", [int(own)])

    def put_sale(self, rows, own=None):
        """Write a sale for the contract of sources; return the id."""
        lines = [
            {
                "type": "line",
                "product": self._goods["大衣"]["id"],
                "unit": self._goods["大衣"]["default_uom"],
                "quantity": row["quantity"],
                "unit_price": _decimal(int(row["unit_price"] * 100)),
            }
            for row in rows
        ]
        given = {"sale_date": _date(str(rows[0]["sold_on"]))}
        if own is None:
            new = given | {"lines": [["create", lines]]}
            asked = self._written(self.walk_in, "S01", new)
            (own,) = self._ask("sale.sale.create", [asked])
        else:
            self._ask("sale.sale.draft", [int(own)])
            had = self._ask("sale.line.search", [["sale", "=", int(own)]], 0, 99, None)
            written = given | {"lines": [["delete", had], ["create", lines]]}
            self._ask("sale.sale.write", [int(own)], written)
        self._ask("sale.sale.quote", [int(own)])
        return own

    def drop_sale(self, own):
        """Delete a sale for good."""
        self._ask("sale.sale.draft", [int(own)])
        self._ask("sale.sale.cancel", [int(own)])
        self._ask("sale.sale.delete", [int(own)])

    def _call(self, own, phone):
        (mechanism,) = self._ask(
            "party.contact_mechanism.search", [["party", "=", own]], 0, 1, None
        )
        self._ask("party.contact_mechanism.write", [mechanism], {"value": phone})

    def _written(self, party, store, given):
        """Return what a new sale has, with what is given of it."""
        address = self._ask(
            "party.address.search", [["party", "=", party]], 0, 1, None
        )[0]
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
            "user": self._running.user,
            "password": lambda: self._running.password,
            "member_category": "会员",
            "walk_in": [self.walk_in],
            "page": 7,
        }

    def change(self):
        """Change something of every kind."""
        new, gone, renamed, called = (
            self._parties([("王五", "13900000000")], member=True)[0],
            *self._members[:3],
        )
        self._ask("party.party.write", [gone], {"active": False})
        del self.truth.members[str(gone)]
        self._ask("party.party.write", [renamed], {"name": "赵六"})
        self.truth.members[str(renamed)] = (
            "赵六", self.truth.members[str(renamed)][1],
        )  # fmt: skip
        # Tryton does not date the party when only its phone is changed.
        self._call(called, "13700000000")
        self.truth.members[str(called)] = (
            self.truth.members[str(called)][0], "13700000000",
        )  # fmt: skip
        self._members = [*self._members[1:], new]
        self._ask("sale.sale.cancel", [self._quoted])
        self._forget(str(self._quoted))
        sold = [row for row in self.truth.rows if row.quantity > 0]
        self._take_back(self._random.choice(sold).ticket)
        self._sell(2)

    def delete(self):
        """Delete a member for good, of which Tryton keeps no trace."""
        bought = {row.member for row in self.truth.rows}
        gone = next(each for each in self._members if str(each) not in bought)
        self._ask("party.party.delete", [gone])
        del self.truth.members[str(gone)]

    def _login(self):
        path = f"/{self._running.database}/rpc/"
        asked = {
            "id": 1,
            "method": "common.db.login",
            "params": [self._running.user, {"password": self._running.password}],
        }
        found = self._caller.call("POST", path, asked)
        user, key = found["result"][:2]
        text = f"{self._running.user}:{user}:{key}"
        code = base64.b64encode(text.encode()).decode()
        self._caller.headers["Authorization"] = f"Session {code}"

    def _ask(self, method, *params, **context):
        return self._rpc(f"model.{method}", *params, context)

    def _rpc(self, method, *params):
        document = self._caller.call(
            "POST",
            f"/{self._running.database}/rpc/",
            {"id": 1, "method": method, "params": params},
        )
        if "error" in document:
            raise RuntimeError(f"{method}: {document['error']}")
        return document["result"]

    def _parties(self, people, *, member):
        ids = self._ask(
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

    def _sell(self, count, *, confirm=True):
        """Sell on any day of the month, to a member or to somebody."""
        drafts, plans = [], []
        for _ in range(count):
            day = f"2026-10-{self._random.randint(1, 31):02d}"
            store = self._random.choice(["S01", "S02", "S03"])
            member = self._random.choice([*self._members, self.walk_in, self.walk_in])
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
                                        "product": self._goods[name]["id"],
                                        "unit": self._goods[name]["default_uom"],
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
        sales = self._ask("sale.sale.create", drafts)
        self._ask("sale.sale.quote", sales)
        if confirm:
            self._ask("sale.sale.confirm", sales)
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

    def _take_back(self, ticket):
        """Take a whole ticket back by Tryton's own wizard."""
        sale = int(ticket)
        session, _, _ = self._rpc("wizard.sale.return_sale.create", {})
        found = self._rpc(
            "wizard.sale.return_sale.execute", session, {}, "return_",
            {"active_id": sale, "active_ids": [sale], "active_model": "sale.sale"},
        )  # fmt: skip
        (back,) = found["actions"][0][1]["res_id"]
        day = f"{self.month}-31"
        self._ask("sale.sale.write", [back], {"sale_date": _date(day)})
        self._ask("sale.sale.quote", [back])
        self._ask("sale.sale.confirm", [back])
        self.truth.rows += [
            Row(str(back), day, row.store, row.member, row.item, -row.quantity,
                -row.amount, ticket)
            for row in self.truth.rows
            if row.ticket == ticket
        ]  # fmt: skip

    def _forget(self, ticket):
        self.truth.rows = [row for row in self.truth.rows if row.ticket != ticket]
