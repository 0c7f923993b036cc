"""What an office does in Tryton beside selling: goods, complaints and consents."""

import datetime as dt

CUP, UMBRELLA = "[G-1] 茶杯", "[G-2] 雨伞"
_CODES = {CUP: "G-1", UMBRELLA: "G-2"}
# Moves between such locations have a price.
_PRICED = {
    pair
    for own in ("storage", "drop")
    for other in ("supplier", "customer")
    for pair in ((own, other), (other, own))
} | {("production", "storage")}
_MOVEMENTS, _COMPLAINTS = "gift_movements", "complaints"
_EVENTS, _CONSENTS = "case_events", "consents"


def _day(text):
    given = dt.date.fromisoformat(text)
    return {"__class__": "date", "year": given.year, "month": given.month,
            "day": given.day}  # fmt: skip


def _midnight(text):
    """Return when a day begins in Shanghai, as pandas writes it."""
    before = dt.date.fromisoformat(text) - dt.timedelta(days=1)
    return f"{before} 16:00:00+00:00"


def _moment(told):
    """Return a moment of Tryton's protocol, as pandas writes it."""
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return str(dt.datetime(*(told[part] for part in parts), tzinfo=dt.UTC))


class TrytonOffice:
    """
    The goods, complaints and consents of a `TrytonShop`.

    Args:
        shop: A shop that has members and has sold something.
    """

    def __init__(self, shop):
        self._shop = shop
        self._ask = shop.ask
        self._more = shop.truth.more
        for table in (_MOVEMENTS, _COMPLAINTS, _EVENTS, _CONSENTS):
            self._more.setdefault(table, [])
        found = self._ask(
            "stock.location.search_read", [], 0, 99, None, ["code", "name", "type"]
        )
        self._places = {each["code"] or each["name"]: each["id"] for each in found}
        for code, name in shop.truth.stores.items():
            self._places[f"{code} storage"] = self._places.get(f"{name} storage")
        self._kinds = {each["type"]: each["id"] for each in found}
        self._types_of = {each["id"]: each["type"] for each in found}
        (self._unit,) = self._ask(
            "product.uom.search", [["name", "=", "Unit"]], 0, 1, None
        )
        (self._dozen,) = self._ask(
            "product.uom.search", [["name", "=", "打"]], 0, 1, None
        )
        types = self._ask("sale.complaint.type.search_read", [], 0, 9, None, ["name"])
        self._types = {each["name"]: each["id"] for each in types}
        lists = self._ask("marketing.email.list.search_read", [], 0, 9, None, ["name"])
        self._lists = {each["name"]: each["id"] for each in lists}
        (self._user,) = self._ask("res.user.search", [["login", "=", "admin"]], 0, 1,
                                  None)  # fmt: skip

    def fill(self, members):
        """Do something of every kind."""
        self._members = members
        self._fill_stock()
        self._fill_cases()
        self._fill_consents()

    def change(self):
        """Do more, and take back or change some of what was done."""
        self._change_stock()
        self._change_cases()
        self._change_consents()

    def _fill_stock(self):
        customer, supplier = self._kinds["customer"], self._kinds["supplier"]
        lost, store = self._places["Lost and Found"], self._places["S01 storage"]
        central, drop = self._places["STO"], self._places["DROP"]
        # A dozen is twelve of the unit in which the stock of cups is kept.
        self._move(supplier, central, CUP, 10, unit=self._dozen,
                   is_=("receipt", "supplier", "warehouse", 120))  # fmt: skip
        self._move(supplier, central, UMBRELLA, 50, day="2026-10-02",
                   is_=("receipt", "supplier", "warehouse", 50))  # fmt: skip
        # Planned only, and from one shelf to another: no movements.
        self._planned = self._move(supplier, central, CUP, 7, do=False)
        self._ship(central, self._places["OUT"], CUP, 5, "2026-10-03")
        self._ship(
            central, store, CUP, 30, "2026-10-05", "2026-10-06",
            [("dispatch", "warehouse", "in_transit:S01"),
             ("arrival", "in_transit:S01", "store:S01")],
        )  # fmt: skip
        self._ship(store, lost, CUP, 2, "2026-10-08",
                   is_=[("adjustment", "store:S01", "adjustment")])  # fmt: skip
        self._move(lost, store, CUP, 1, day="2026-10-09",
                   is_=("adjustment", "adjustment", "store:S01", 1))  # fmt: skip
        self._ship(store, self._places["SCRAP"], CUP, 3, "2026-10-09",
                   is_=[("destruction", "store:S01", "destroyed")])  # fmt: skip
        self._move(
            self._places["P-1"], store, CUP, 4, day="2026-10-10",
            is_=("adjustment", "adjustment:production", "store:S01", 4),
        )  # fmt: skip
        self._move(supplier, drop, CUP, 15)
        self._move(drop, customer, CUP, 6, day="2026-10-11",
                   is_=("issue", "supplier", "member", 6))  # fmt: skip
        self._wrong = self._move(drop, customer, CUP, 9, day="2026-10-12",
                                 is_=("issue", "supplier", "member", 9))  # fmt: skip
        self._move(customer, store, CUP, 1, day="2026-10-13",
                   is_=("return", "member", "store:S01", 1))  # fmt: skip
        self._given = self._give(self._members[3], CUP, 2, "2026-10-14")
        self._give(self._shop.walk_in, CUP, 1, "2026-10-15")

    def _change_stock(self):
        # A correction: the wrong move is canceled, the right one made anew.
        self._ask("stock.move.cancel", [self._wrong])
        self._forget(_MOVEMENTS, posting_id=f"stock-{self._wrong}")
        drop, customer = self._places["DROP"], self._kinds["customer"]
        self._move(drop, customer, CUP, 1, day="2026-10-12",
                   is_=("issue", "supplier", "member", 1))  # fmt: skip
        self._ask("stock.move.do", [self._planned])
        self.moved(self._planned, "2026-10-01", CUP,
                    ("receipt", "supplier", "warehouse", 7))  # fmt: skip
        self._ask("stock.move.delete",
                  [self._move(drop, customer, CUP, 1, do=False)])  # fmt: skip
        self._bring_back(self._given)

    def _move(self, source, aim, gift, quantity, *, day="2026-10-01", is_=(), unit=None,
              do=True):  # fmt: skip
        """Move goods by a single move; *is_* is what has to come of it."""
        given = {
            "product": self._shop.goods[gift]["id"],
            "unit": unit or self._unit,
            "quantity": quantity,
            "from_location": source,
            "to_location": aim,
            "company": 1,
            "effective_date": _day(day),
        }
        if (self._types_of[source], self._types_of[aim]) in _PRICED:
            price = {"__class__": "Decimal", "decimal": "1.00"}
            given |= {"unit_price": price, "currency": 1}
        (own,) = self._ask("stock.move.create", [given])
        if do:
            self._ask("stock.move.do", [own])
        if is_:
            self.moved(own, day, gift, is_)
        return own

    def moved(self, own, day, gift, movement, ticket=None):
        """Say what has to come of a move."""
        kind, source, destination, quantity = movement
        self._more[_MOVEMENTS].append(
            {
                "posting_id": f"stock-{own}",
                "kind": kind,
                "effective_at": _midnight(day),
                "gift_id": _CODES[gift],
                "source": source,
                "destination": destination,
                "quantity": str(quantity),
                "refers_to": ticket and f"ticket={ticket}",
            }
        )

    def _ship(self, source, aim, gift, quantity, day, until=None, is_=()):
        """Move goods by a shipment, which the central warehouse has ready by a day."""
        (own,) = self._ask(
            "stock.shipment.internal.create",
            [{
                "from_location": source, "to_location": aim, "company": 1,
                "effective_start_date": _day(day),
                "effective_date": _day(until or day),
                "moves": [["create", [{
                    "product": self._shop.goods[gift]["id"], "unit": self._unit,
                    "quantity": quantity, "from_location": source, "to_location": aim,
                    "company": 1,
                }]]],
            }],
        )  # fmt: skip
        steps = ("pack", "ship") if until else ()
        for step in ("wait", "assign_force", *steps, "do"):
            self._ask(f"stock.shipment.internal.{step}", [own])
        moves = self._moves_of(f"stock.shipment.internal,{own}")
        # What leaves comes first.
        moves.sort(key=lambda each: each["from_location"] != source)
        days = (day, until)
        for move, movement, when in zip(moves, is_, days, strict=False):
            self.moved(move["id"], when, gift, (*movement, quantity))

    def _moves_of(self, shipment):
        return self._ask(
            "stock.move.search_read", [["shipment", "=", shipment]], 0, 99, None,
            ["from_location", "to_location", "origin"],
        )  # fmt: skip

    def _give(self, party, gift, quantity, day):
        """Give a gift with a ticket of its own; return the ticket."""
        ticket = self._shop.give(party, gift, quantity, day)
        (own,) = self._shipments("stock.shipment.out", ticket)
        self._ask("stock.shipment.out.write", [own], {"effective_date": _day(day)})
        for step in ("wait", "assign_force", "pick", "pack", "do"):
            self._ask(f"stock.shipment.out.{step}", [own])
        for move in self._moves_of(f"stock.shipment.out,{own}"):
            if move["to_location"] == self._kinds["customer"]:
                given = ("issue", "store:S01", self._named(party), quantity)
                self.moved(move["id"], day, gift, given, ticket)
        return ticket

    def _named(self, party):
        return "member" if party == self._shop.walk_in else f"member:{party}"

    def _bring_back(self, ticket):
        """Take a gift back by Tryton's wizard of returns."""
        back = self._shop.take_back(ticket)
        (own,) = self._shipments("stock.shipment.out.return", back)
        day = f"{self._shop.month}-31"
        self._ask("stock.shipment.out.return.write", [own],
                  {"effective_date": _day(day)})  # fmt: skip
        for step in ("receive", "do"):
            self._ask(f"stock.shipment.out.return.{step}", [own])
        issue = next(each for each in self._more[_MOVEMENTS]
                     if each["refers_to"] == f"ticket={ticket}")  # fmt: skip
        for move in self._moves_of(f"stock.shipment.out.return,{own}"):
            if move["from_location"] == self._kinds["customer"]:
                self.moved(
                    move["id"], day, CUP,
                    ("return", issue["destination"], issue["source"],
                     issue["quantity"]), back,
                )  # fmt: skip

    def _shipments(self, model, ticket):
        (sale,) = self._ask(
            "sale.sale.read", [int(ticket)], ["shipments", "shipment_returns"]
        )
        return sale["shipment_returns" if model.endswith("return") else "shipments"]

    def _fill_cases(self):
        for member in self._members[1:6]:
            self._shop.sell_to(member)
        tickets = {row.ticket: row for row in self._shop.truth.rows if row.amount > 0}
        sold = [row for row in tickets.values() if row.member]
        self._first = self._complain(sold[0], "商品质量", "线头开了")
        self._second = self._complain(sold[1], "服务态度", "等了很久")
        self._late = self._complain(sold[2], "服务态度", "口气不好", day="2026-10-03")
        self._mistake = self._complain(sold[3], "商品质量", "录错了")
        walked_in = self._shop.sell_to(self._shop.walk_in)
        nobody = next(r for r in self._shop.truth.rows if r.ticket == walked_in)
        self._complain(nobody, "服务态度", "无人接待")
        self._answer(self._second, "已向顾客致歉")
        self._answer(self._second, "只有内部看", audience="internal")
        self._step(self._second, "wait", "reject", is_="closed")
        self._solved = self._complain(sold[4], "服务态度", "买错尺码",
                                      day="2026-10-30", back=True)  # fmt: skip

    def _change_cases(self):
        # Whose name or phone was changed is told so.
        for row in self._more[_COMPLAINTS]:
            if row["member_id"] in self._shop.truth.members:
                name, phone = self._shop.truth.members[row["member_id"]]
                row |= {"customer_name": name, "customer_phone": phone}
        self._ask("sale.complaint.cancel", [self._mistake])
        self._forget(_COMPLAINTS, case_id=str(self._mistake))
        self._forget(_EVENTS, case_id=str(self._mistake))
        self._step(self._solved, "draft", is_="reopened")
        self._step(self._first, "wait", "approve", is_="solved")
        # A chat does not date the complaint.
        self._answer(self._late, "已安排回电")
        row = next(each for each in self._shop.truth.rows[::-1] if each.amount > 0)
        self._complain(row, "服务态度", "新的投诉")

    def delete_case(self):
        """Delete a complaint for good."""
        own = self._late
        self._ask("sale.complaint.delete", [own])
        self._forget(_COMPLAINTS, case_id=str(own))
        self._forget(_EVENTS, case_id=str(own))

    def _complain(self, row, kind, words, *, day=None, back=False):
        """Write down a complaint about a ticket; *back* takes the ticket back."""
        (line,) = self._ask(
            "sale.line.search", [["sale", "=", int(row.ticket)]], 0, 1, None
        )
        party = int(row.member) if row.member else self._shop.walk_in
        given = {
            "customer": party,
            "company": 1,
            "type": self._types[kind],
            "origin": f"sale.line,{line}" if kind == "商品质量"
            else f"sale.sale,{row.ticket}",
            "description": words,
            "actions": [["create", [{"action": "sale_return"}]]] if back else [],
        }  # fmt: skip
        (own,) = self._ask(
            "sale.complaint.create", [given | ({"date": _day(day)} if day else {})]
        )
        (made,) = self._ask("sale.complaint.read", [own], ["create_date"])
        name, phone = self._shop.truth.members.get(row.member, (None, None))
        self._more[_COMPLAINTS].append(
            {
                "case_id": str(own),
                "received_at": _midnight(day) if day else _moment(made["create_date"]),
                "store_id": row.store,
                "member_id": row.member,
                "category": kind,
                "handler": str(self._user),
                "customer_name": name,
                "customer_phone": phone,
                "statement": words,
            }
        )
        if back:
            self._step(own, "wait", "approve", is_="solved")
            (action,) = self._ask(
                "sale.complaint.action.search_read", [["complaint", "=", own]], 0, 9,
                None, ["result"],
            )  # fmt: skip
            sale = action["result"].partition(",")[2]
            self._shop.finish_return(int(sale), row.ticket)
        return own

    def _step(self, own, *steps, is_):
        for step in steps:
            self._ask(f"sale.complaint.{step}", [own])
        self._happened(own, is_)

    def _answer(self, own, words, audience="public"):
        self._ask("ir.chat.channel.post", f"sale.complaint,{own}", words, audience)
        if audience == "public":
            self._happened(own, "replied", words)

    def _happened(self, own, kind, note=None):
        self._more[_EVENTS].append(
            {"case_id": str(own), "kind": kind, "by": str(self._user), "note": note}
        )

    def _fill_consents(self):
        for at, member in enumerate(self._members[4:7]):
            self._ask("web.user.create",
                      [{"email": f"m{at}@example.com", "party": member}])  # fmt: skip
        self._mails = {
            0: self._subscribe("m0", "会员邮件"),
            1: self._subscribe("m1", "会员邮件"),
            "other": self._subscribe("m0", "供应商通知"),
        }
        self._subscribe("m2", "供应商通知")
        self._subscribe("nobody", "会员邮件")
        self._said = dict.fromkeys((0, 1), "yes")
        self._tell_consents()

    def _subscribe(self, name, mailing):
        given = {"email": f"{name}@example.com", "list_": self._lists[mailing]}
        (own,) = self._ask("marketing.email.create", [given])
        return own

    def _change_consents(self):
        # Who leaves another list is still written to by the one that counts.
        for own in (self._mails["other"], self._mails[1]):
            self._ask("marketing.email.write", [own], {"active": False})
        self._subscribe("m2", "会员邮件")
        self._said |= {1: "no", 2: "yes"}
        self._tell_consents()

    def _tell_consents(self):
        self._more[_CONSENTS][:] = [
            {"member_id": str(self._members[4 + at]), "channel": "email",
             "given": given, "source": "会员邮件"}
            for at, given in self._said.items()
        ]  # fmt: skip

    def _forget(self, table, **named):
        self._more[table][:] = [
            row for row in self._more[table] if not named.items() <= row.items()
        ]
