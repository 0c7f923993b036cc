"""A shop on Vendure: filled, and changed, by Vendure's own Admin API."""

import datetime as dt
import random
import time
from zoneinfo import ZoneInfo

from servers.truth import Caller, Row, Truth

PRICES = {"大衣": 19990, "围巾": 5905, "手套": 10}
STORES = {"S01": "南京路店", "S02": "外滩店", "S03": "豫园店"}
SHIPPING = 800
GUESTS = 0.3
_ZONE = ZoneInfo("Asia/Shanghai")
_DEFAULT = "__default_channel__"


def _day(text):
    return str(dt.datetime.fromisoformat(text).astimezone(_ZONE).date())


def _operation(code, **arguments):
    given = [{"name": name, "value": value} for name, value in arguments.items()]
    return {"code": code, "arguments": given}


class VendureShop:
    """Members and orders of now, in three channels; some bought as guests."""

    kind = "vendure"

    def __init__(self, running, *, seed=6):
        self._running = running
        self._caller = Caller(running.url)
        self._random = random.Random(seed)  # noqa: S311 - a made-up shop
        self.truth = Truth()
        self._people = {}
        self._known = set()
        self._ids = {}
        self._payment = ""
        self._prepare()

    def fill(self, *, members, sales):
        """Have members, and sell to them and to others."""
        self._members = [
            self._member("李", f"四{at}", f"138{at:08d}") for at in range(members)
        ]
        self._orders = [self._sell() for _ in range(sales)]
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

    def ask(self, query, **variables):
        """Ask the Admin API; return what it says to the one thing that was asked."""
        document = self._caller.call(
            "POST", "/admin-api", {"query": query, "variables": variables}
        )
        if "errors" in document:
            raise RuntimeError(f"{query[:80]}: {document['errors']}")
        for each in document["data"].values():
            if isinstance(each, dict) and "errorCode" in each:
                raise RuntimeError(f"{query[:80]}: {each}")
        return next(iter(document["data"].values()))

    def _made(self, what, given):
        return self.ask(
            f"mutation($input: Create{what}Input!)"
            f"{{ create{what}(input: $input) {{ ... on {what} {{ id }} }} }}",
            input=given,
        )["id"]

    def _prepare(self):
        """Make what an order needs before anyone can sell."""
        self.ask(
            "mutation($user: String!, $password: String!) { login(username: $user, "
            "password: $password) { ... on ErrorResult { errorCode } } }",
            user=self._running.user,
            password=self._running.password,
        )
        # A cookie would do as well, and must not: it follows to other requests.
        token = self._caller.answered["vendure-auth-token"]
        self._caller.headers["Authorization"] = f"Bearer {token}"
        country = self._made(
            "Country",
            {"code": "CN", "enabled": True,
             "translations": [{"languageCode": "en", "name": "中国"}]},
        )  # fmt: skip
        zone = self._made("Zone", {"name": "CN", "memberIds": [country]})
        category = self._made("TaxCategory", {"name": "商品"})
        self._made(
            "TaxRate",
            {"name": "增值税", "enabled": True, "value": 13, "categoryId": category,
             "zoneId": zone},
        )  # fmt: skip
        money = {
            "defaultCurrencyCode": "CNY",
            "availableCurrencyCodes": ["CNY"],
            "pricesIncludeTax": True,
            "defaultTaxZoneId": zone,
            "defaultShippingZoneId": zone,
        }
        self.ask(
            "mutation($input: UpdateChannelInput!)"
            "{ updateChannel(input: $input) { ... on Channel { id } } }",
            input={"id": "1", **money},
        )
        self.truth.stores["__default_channel__"] = "Default Seller"
        for code, name in STORES.items():
            seller = self._made("Seller", {"name": name})
            self._made(
                "Channel",
                {"code": f"shop-{code}", "token": f"token-{code}", "sellerId": seller,
                 "defaultLanguageCode": "en", "customFields": {"store": code},
                 **money},
            )  # fmt: skip
            self.truth.stores[code] = name
        found = self.ask("{ channels { items { id code } } }")["items"]
        channels = [each["id"] for each in found if each["code"] != _DEFAULT]
        self._shipping = self._made(
            "ShippingMethod",
            {
                "code": "post",
                "fulfillmentHandler": "manual-fulfillment",
                "checker": _operation(
                    "default-shipping-eligibility-checker", orderMinimum="0"
                ),
                "calculator": _operation(
                    "default-shipping-calculator",
                    rate=str(SHIPPING), includesTax="include", taxRate="13",
                ),
                "translations": [
                    {"languageCode": "en", "name": "快递", "description": ""}
                ],
            },
        )  # fmt: skip
        paying = self._made(
            "PaymentMethod",
            {"code": "cash", "enabled": True,
             "handler": _operation("dummy-payment-handler", automaticSettle="true"),
             "translations": [
                 {"languageCode": "en", "name": "现金", "description": ""}
             ]},
        )  # fmt: skip
        self._goods, products = {}, []
        for name, price in PRICES.items():
            own = self._made(
                "Product",
                {"translations": [{"languageCode": "en", "name": name, "slug": name,
                                   "description": ""}]},
            )  # fmt: skip
            products.append(own)
            (variant,) = self.ask(
                "mutation($input: [CreateProductVariantInput!]!)"
                "{ createProductVariants(input: $input) { id } }",
                input=[
                    {"productId": own, "sku": name, "price": price,
                     "taxCategoryId": category, "trackInventory": "FALSE",
                     "translations": [{"languageCode": "en", "name": name}]}
                ],
            )  # fmt: skip
            self._goods[name] = variant["id"]
        for channel in channels:
            for what, ids in (
                ("Products", {"productIds": products}),
                ("ShippingMethods", {"shippingMethodIds": [self._shipping]}),
                ("PaymentMethods", {"paymentMethodIds": [paying]}),
                ("StockLocations", {"stockLocationIds": ["1"]}),
            ):
                self.ask(
                    f"mutation($input: Assign{what}ToChannelInput!)"
                    f"{{ assign{what}ToChannel(input: $input) {{ id }} }}",
                    input={"channelId": channel, **ids},
                )

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
        self._caller.headers["vendure-token"] = f"token-{store}"
        own = self.ask("mutation { createDraftOrder { id } }")["id"]
        for name, many in lines:
            self.ask(
                "mutation($order: ID!, $input: AddItemToDraftOrderInput!)"
                "{ addItemToDraftOrder(orderId: $order, input: $input)"
                "{ ... on ErrorResult { errorCode } } }",
                order=own,
                input={"productVariantId": self._goods[name], "quantity": many},
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
        del self._caller.headers["vendure-token"]

    def _guest(self):
        return self._person("散", "客", "13000000000")

    def _bring(self, member, store):
        """Let a customer buy in a channel; returns how an order names it."""
        if (member, store) not in self._known:
            self._known.add((member, store))
            self._caller.headers["vendure-token"] = f"token-{store}"
            self._made("Customer", self._people[member])
        return {"own": member, "input": None}

    def _sell(self):
        store = self._random.choice(list(STORES))
        guest = self._random.random() < GUESTS
        member = None if guest else self._random.choice(self._members)
        buyer = {"own": None, "input": self._guest()}
        names = self._random.sample(list(PRICES), self._random.randint(1, 3))
        lines = [(name, self._random.randint(1, 4)) for name in names]
        order = self._draft(
            lines, buyer if guest else self._bring(member, store), store
        )
        self.ask(
            "mutation($order: ID!, $method: ID!) { setDraftOrderShippingMethod("
            "orderId: $order, shippingMethodId: $method)"
            "{ ... on ErrorResult { errorCode } } }",
            order=order,
            method=self._shipping,
        )
        self.ask(
            "mutation($order: ID!) { transitionOrderToState(id: $order, "
            'state: "ArrangingPayment") { ... on ErrorResult { errorCode } } }',
            order=order,
        )
        made = self.ask(
            "mutation($input: ManualPaymentInput!)"
            "{ addManualPaymentToOrder(input: $input) { ... on Order "
            "{ code orderPlacedAt } ... on ErrorResult { errorCode } } }",
            input={"orderId": order, "method": "cash", "metadata": {}},
        )
        del self._caller.headers["vendure-token"]
        ticket = made["code"]
        self._ids[ticket] = order
        day = _day(made["orderPlacedAt"])
        self.truth.rows += [
            Row(ticket, day, store, member, name, many, many * PRICES[name])
            for name, many in lines
        ]
        return ticket

    def change(self):
        """Change something of every kind."""
        # Vendure dates whole seconds: what is made in one cannot be told apart.
        time.sleep(1.1)
        renamed, called = self._members[:2]
        self._update(renamed, firstName="六", lastName="赵")
        self.truth.members[renamed] = ("赵六", self.truth.members[renamed][1])
        self._update(called, phoneNumber="13700000000")
        self.truth.members[called] = (self.truth.members[called][0], "13700000000")
        self._members.append(self._member("王", "五", "13900000000"))
        canceled, credited, refunded, returned, whole = self._random.sample(
            self._orders, 5
        )
        self._cancel(canceled)
        self.truth.rows = [row for row in self.truth.rows if row.ticket != canceled]
        self._refund(credited, 5)
        self._refund(refunded, 0, units=1)
        self._cancel(returned, units=1)
        self._refund(returned, 0, units=1)
        self._cancel(whole, shipping=True)
        self._refund(whole, SHIPPING, units=None)
        self._orders += [self._sell() for _ in range(2)]

    def delete(self):
        """Delete a member, whom Vendure shows no more then."""
        bought = {row.member for row in self.truth.rows}
        gone = next(each for each in self._members if each not in bought)
        self.drop_member(gone)
        del self.truth.members[gone]

    def _update(self, member, **given):
        self.ask(
            "mutation($input: UpdateCustomerInput!)"
            "{ updateCustomer(input: $input) { ... on ErrorResult { errorCode } } }",
            input={"id": member, **given},
        )
        self._people.get(member, {}).update(given)

    def _units(self, ticket, units):
        """Return the lines of an order, and what of each is meant."""
        found = self.ask(
            "query($id: ID!) { order(id: $id) { lines { id orderPlacedQuantity "
            "productVariant { name } } payments { id } } }",
            id=self._ids[ticket],
        )
        self._payment = found["payments"][0]["id"]
        lines = sorted(found["lines"], key=lambda each: each["productVariant"]["name"])
        if units is None:
            return [(each, each["orderPlacedQuantity"]) for each in lines]
        return [(lines[0], units)] if units else []

    def _cancel(self, ticket, *, units=None, shipping=False):
        self.ask(
            "mutation($input: CancelOrderInput!)"
            "{ cancelOrder(input: $input) { ... on ErrorResult { errorCode } } }",
            input={
                "orderId": self._ids[ticket],
                "lines": [
                    {"orderLineId": line["id"], "quantity": many}
                    for line, many in self._units(ticket, units)
                ],
                "cancelShipping": shipping,
            },
        )

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
