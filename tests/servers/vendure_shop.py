"""A shop on Vendure: filled, and changed, by Vendure's own Admin API."""

import datetime as dt
import random
import time
from zoneinfo import ZoneInfo

from servers.truth import Row, Truth
from servers.vendure_office import VendureOffice, operation

PRICES = {"大衣": 19990, "围巾": 5905, "手套": 10}
STORES = {"S01": "南京路店", "S02": "外滩店", "S03": "豫园店"}
SHIPPING = 800
GUESTS = 0.3
STOCK = 1000
_ZONE = ZoneInfo("Asia/Shanghai")


def _day(text):
    return str(dt.datetime.fromisoformat(text).astimezone(_ZONE).date())


class VendureShop:
    """Members and orders of now, in three channels; some bought as guests."""

    kind = "vendure"
    kept = ("item_id", "unit_price")
    """What a sale of the contract keeps: nothing is sold there in another quantity."""

    def __init__(self, running, *, seed=6):
        self._running = running
        self._random = random.Random(seed)  # noqa: S311 - a made-up shop
        self.truth = Truth()
        self._people = {}
        self._known = set()
        self._ids = {}
        self._payment = ""
        self._handed = set()
        self._any = {}
        office = VendureOffice(running, STORES, shipping=SHIPPING)
        self.ask, self._made, self._at = office.ask, office.made, office.at
        self._office, self._shipping = office, office.shipping
        self.truth.stores = {"__default_channel__": "Default Seller", **STORES}
        self._goods = {}
        for name, price in PRICES.items():
            self._goods[name] = office.goods(
                name, price, STORES, trackInventory="TRUE", stockOnHand=STOCK
            )
            self._moved("adjustment", name, "adjustment", "warehouse", STOCK)

    def fill(self, *, members, sales):
        """Have members, and sell to them and to others."""
        self._members = [
            self._member("李", f"四{at}", f"138{at:08d}") for at in range(members)
        ]
        self._orders = [self._sell() for _ in range(sales // 2)]
        for ticket in self._orders[:2]:
            self._hand_over(ticket)
        self._count("手套", -7)
        # Vendure dates whole seconds: what a second holds is read again together.
        time.sleep(1.1)
        self._orders += [self._sell() for _ in range(sales - len(self._orders))]
        self._basket()
        self.month = self.truth.rows[0].day[:7]
        return self

    def put_member(self, name, phone, own=None):
        """Write a customer for the contract of sources; return the id."""
        given = {"firstName": name, "lastName": "", "phoneNumber": phone}
        if own is None:
            return self._made(
                "Customer", {"emailAddress": f"c{phone}@example.com", **given}
            )
        self._update(own, **given)
        return own

    def drop_member(self, own):
        """Delete a customer."""
        self.ask("mutation($id: ID!) { deleteCustomer(id: $id) { result } }", id=own)

    def put_sale(self, rows, own=None):
        """Write a sale for the contract of sources, of one of each; return its code."""
        lines = [(row["item_id"], 1) for row in rows]
        self._at("S01")
        self._price(rows)
        if own is None:
            own = self._bought(lines, {"own": None, "input": self._guest()}, "S01")
        else:
            self._modify(own, [name for name, _ in lines])
        self._at()
        return own

    def drop_sale(self, own):
        """Cancel a sale that is still paid for, as if it never was."""
        self._cancel(own, lines=[each for each in self._lines(own) if each["quantity"]])

    def _price(self, rows):
        """Let goods of the contract cost what they are sold for."""
        for row in rows:
            if row["item_id"] not in self._any:
                self._any[row["item_id"]] = self._office.goods(
                    row["item_id"], 1, ["S01"], trackInventory="FALSE"
                )
        self.ask(
            "mutation($input: [UpdateProductVariantInput!]!)"
            "{ updateProductVariants(input: $input) { id } }",
            input=[
                {"id": self._any[row["item_id"]], "price": int(row["unit_price"] * 100)}
                for row in rows
            ],
        )

    def _modify(self, ticket, names):
        """Let an order be of these goods at their price of now, one of each."""
        order = self._ids[ticket]
        had = {line["productVariant"]["name"]: line for line in self._lines(ticket)}
        self._transit(order, "Modifying")
        self.ask(
            "mutation($input: ModifyOrderInput!) { modifyOrder(input: $input)"
            "{ ... on Order { id } ... on ErrorResult { errorCode message } } }",
            input={
                "dryRun": False,
                "orderId": order,
                "adjustOrderLines": [
                    {"orderLineId": had[name]["id"], "quantity": 1}
                    for name in names
                    if name in had
                ],
                "addItems": [
                    {"productVariantId": self._any[name], "quantity": 1}
                    for name in names
                    if name not in had
                ],
            },
        )
        self._transit(order, "ArrangingAdditionalPayment")
        if self._pay(order)["state"] == "ArrangingAdditionalPayment":
            self._transit(order, "PaymentSettled")
        if gone := [
            each for name, each in had.items() if name not in names and each["quantity"]
        ]:
            self._cancel(ticket, lines=gone)

    def other_options(self):
        """Return how the source is let in by a key in place of a user."""
        roles = self.ask("{ roles { items { id code } } }")["items"]
        made = self.ask(
            "mutation($input: CreateApiKeyInput!)"
            "{ createApiKey(input: $input) { apiKey } }",
            input={
                "roleIds": [r["id"] for r in roles if "super" in r["code"]],
                "translations": [{"languageCode": "en", "name": "memberops"}],
            },
        )
        return {"user": "", "password": None, "key": lambda: made["apiKey"]}

    def options(self):
        """Return what the source has to be given."""
        return {
            "url": self._running.url,
            "user": self._running.user,
            "password": lambda: self._running.password,
            "store_field": "customFields.store",
            "registered_only": True,
            "page": 7,
        }

    def _moved(self, kind, name, source, destination, many):
        self.truth.more.setdefault("gift_movements", []).append(
            {"kind": kind, "gift_id": name, "source": source,
             "destination": destination, "quantity": str(many)}
        )  # fmt: skip

    def _person(self, given, family, phone):
        return {
            "firstName": given,
            "lastName": family,
            "phoneNumber": phone,
            "emailAddress": f"m{phone}@example.com",
        }

    def _member(self, family, given, phone):
        person = self._person(given, family, phone)
        own = self._made("Customer", person)
        self._people[own] = person
        self.truth.members[own] = (f"{family}{given}", phone)
        return own

    def _draft(self, lines, buyer, store):
        """Begin an order of a store; return its id."""
        self._at(store)
        own = self.ask("mutation { createDraftOrder { id } }")["id"]
        for name, many in lines:
            self.ask(
                "mutation($order: ID!, $input: AddItemToDraftOrderInput!)"
                "{ addItemToDraftOrder(orderId: $order, input: $input)"
                "{ ... on ErrorResult { errorCode } } }",
                order=own,
                input={
                    "productVariantId": self._goods.get(name) or self._any[name],
                    "quantity": many,
                },
            )
        self.ask(
            "mutation($order: ID!, $own: ID, $input: CreateCustomerInput)"
            "{ setCustomerForDraftOrder(orderId: $order, customerId: $own, "
            "input: $input) { ... on ErrorResult { errorCode } } }",
            order=own,
            **buyer,
        )
        return own

    def _basket(self):
        """Leave an order that nobody paid, which is no sale."""
        self._draft([("手套", 1)], {"own": None, "input": self._guest()}, "S01")
        self._at()

    def _guest(self):
        return self._person("散", "客", "13000000000")

    def _bring(self, member, store):
        """Let a customer buy in a channel; returns how an order names it."""
        if (member, store) not in self._known:
            self._known.add((member, store))
            self._at(store)
            self._made("Customer", self._people[member])
        return {"own": member, "input": None}

    def _sell(self):
        store = self._random.choice(list(STORES))
        guest = self._random.random() < GUESTS
        member = None if guest else self._random.choice(self._members)
        buyer = {"own": None, "input": self._guest()}
        names = self._random.sample(list(PRICES), self._random.randint(1, 3))
        lines = [(name, self._random.randint(1, 4)) for name in names]
        ticket = self._bought(
            lines, buyer if guest else self._bring(member, store), store
        )
        self._at()
        day = _day(self._placed)
        self.truth.rows += [
            Row(ticket, day, store, member, name, many, many * PRICES[name])
            for name, many in lines
        ]
        return ticket

    def _bought(self, lines, buyer, store):
        """Let somebody buy and pay; return the code of the order."""
        order = self._draft(lines, buyer, store)
        self.ask(
            "mutation($order: ID!, $method: ID!) { setDraftOrderShippingMethod("
            "orderId: $order, shippingMethodId: $method)"
            "{ ... on ErrorResult { errorCode } } }",
            order=order,
            method=self._shipping,
        )
        self._transit(order, "ArrangingPayment")
        made = self._pay(order)
        self._ids[made["code"]], self._placed = order, made["orderPlacedAt"]
        return made["code"]

    def _transit(self, order, state):
        self.ask(
            "mutation($order: ID!, $state: String!) { transitionOrderToState("
            "id: $order, state: $state) { ... on OrderStateTransitionError { errorCode "
            "transitionError fromState toState } } }",
            order=order,
            state=state,
        )

    def _pay(self, order):
        return self.ask(
            "mutation($input: ManualPaymentInput!)"
            "{ addManualPaymentToOrder(input: $input) { ... on Order "
            "{ code orderPlacedAt state } ... on ErrorResult { errorCode } } }",
            input={"orderId": order, "method": "cash", "metadata": {}},
        )

    def _hand_over(self, ticket):
        """Hand all goods of an order over, which is when they leave the stock."""
        lines = self._units(ticket, None)
        self.ask(
            "mutation($input: FulfillOrderInput!) { addFulfillmentToOrder("
            "input: $input) { ... on ErrorResult { errorCode message } } }",
            input={
                "lines": [
                    {"orderLineId": line["id"], "quantity": many}
                    for line, many in lines
                ],
                "handler": operation("manual-fulfillment", method="", trackingCode=""),
            },
        )
        self._handed.add(ticket)
        for line, many in lines:
            name = line["productVariant"]["name"]
            self._moved("issue", name, "warehouse", "member", many)

    def _count(self, name, more):
        """Find more of a product than was thought, or fewer."""
        own = self._goods[name]
        self.ask(
            "mutation($input: [UpdateProductVariantInput!]!)"
            "{ updateProductVariants(input: $input) { id } }",
            input=[{"id": own, "stockOnHand": self.on_hand()[name] + more}],
        )
        ends = ("adjustment", "warehouse")
        self._moved("adjustment", name, *(ends if more > 0 else ends[::-1]), abs(more))

    def on_hand(self):
        """Return how many there are of each product, as Vendure says."""
        found = self.ask(
            "{ productVariants { items { sku stockLevels { stockOnHand } } } }"
        )["items"]
        return {
            each["sku"]: sum(level["stockOnHand"] for level in each["stockLevels"])
            for each in found
            if each["sku"] in PRICES
        }

    def change(self):
        """Change something of every kind."""
        time.sleep(1.1)  # as in `fill`
        renamed, called = self._members[:2]
        self._update(renamed, firstName="六", lastName="赵")
        self.truth.members[renamed] = ("赵六", self.truth.members[renamed][1])
        self._update(called, phoneNumber="13700000000")
        self.truth.members[called] = (self.truth.members[called][0], "13700000000")
        self._members.append(self._member("王", "五", "13900000000"))
        first, *_ = self._orders
        canceled, credited, refunded, returned, whole = self._random.sample(
            self._orders[1:], 5
        )
        self._cancel(canceled)
        self.truth.rows = [row for row in self.truth.rows if row.ticket != canceled]
        self._refund(credited, 5)
        self._refund(refunded, 0, units=1)
        self._hand_over(returned)
        self._cancel(returned, units=1)
        self._refund(returned, 0, units=1)
        self._cancel(whole, shipping=True)
        self._refund(whole, SHIPPING, units=None)
        self._cancel(first, units=1)
        self._refund(first, 0, units=1)
        self._count("围巾", 3)
        self._orders += [self._sell() for _ in range(2)]

    def delete(self):
        """Delete a member, whom Vendure shows no more then."""
        bought = {row.member for row in self.truth.rows}
        gone = next(each for each in self._members if each not in bought)
        self.drop_member(gone)
        del self.truth.members[gone]

    def delete_goods(self):
        """Delete a product, whose movements Vendure shows no more then."""
        name = "围巾"
        self.ask(
            "mutation($id: ID!) { deleteProductVariant(id: $id) { result } }",
            id=self._goods[name],
        )
        self.truth.more["gift_movements"] = [
            row for row in self.truth.more["gift_movements"] if row["gift_id"] != name
        ]

    def _update(self, member, **given):
        self.ask(
            "mutation($input: UpdateCustomerInput!)"
            "{ updateCustomer(input: $input) { ... on ErrorResult { errorCode } } }",
            input={"id": member, **given},
        )
        self._people.get(member, {}).update(given)

    def _lines(self, ticket):
        """Return the lines of an order by what they are of."""
        found = self.ask(
            "query($id: ID!) { order(id: $id) { lines { id quantity "
            "orderPlacedQuantity productVariant { name } } payments { id } } }",
            id=self._ids[ticket],
        )
        self._payment = found["payments"][0]["id"]
        return sorted(found["lines"], key=lambda each: each["productVariant"]["name"])

    def _units(self, ticket, units):
        """Return the lines of an order, and what of each is meant."""
        lines = self._lines(ticket)
        if units is None:
            return [(each, each["orderPlacedQuantity"]) for each in lines]
        return [(lines[0], units)] if units else []

    def _cancel(self, ticket, *, units=None, shipping=False, lines=None):
        """Cancel units of an order, or all; those handed over come back so."""
        taken = self._units(ticket, units) if lines is None else [(o, 1) for o in lines]
        self.ask(
            "mutation($input: CancelOrderInput!)"
            "{ cancelOrder(input: $input) { ... on ErrorResult { errorCode } } }",
            input={
                "orderId": self._ids[ticket],
                "lines": [
                    {"orderLineId": line["id"], "quantity": many}
                    for line, many in taken
                ],
                "cancelShipping": shipping,
            },
        )
        if ticket in self._handed:
            for line, many in taken:
                name = line["productVariant"]["name"]
                self._moved("return", name, "member", "warehouse", many)

    def _refund(self, ticket, more, *, units=0):
        """Refund units and money without goods: shipping, or a kindness."""
        taken = [
            (line, many, many * PRICES[line["productVariant"]["name"]])
            for line, many in self._units(ticket, units)
        ]
        made = self.ask(
            "mutation($input: RefundOrderInput!) { refundOrder(input: $input)"
            "{ ... on Refund { id createdAt } ... on ErrorResult { errorCode } } }",
            input={
                "paymentId": self._payment,
                "amount": more + sum(paid for _, _, paid in taken),
                "shipping": 0,
                "adjustment": 0,
                "lines": [
                    {"orderLineId": line["id"], "quantity": many}
                    for line, many, _ in taken
                ],
            },
        )
        own, day = f"{ticket}-R{made['id']}", _day(made["createdAt"])
        sold = next(row for row in self.truth.rows if row.ticket == ticket)
        back = [
            (line["productVariant"]["name"], -many, -paid)
            for line, many, paid in taken
        ] or [("退款", 0, -more)]  # fmt: skip
        self.truth.rows += [
            Row(own, day, sold.store, sold.member, name, many, paid, ticket)
            for name, many, paid in back
        ]
