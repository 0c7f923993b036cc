"""The office of a shop on Vendure: what there is before anyone can buy."""

from servers.truth import Caller

_DEFAULT = "__default_channel__"


def operation(code, **arguments):
    """Write what Vendure is configured by."""
    given = [{"name": name, "value": value} for name, value in arguments.items()]
    return {"code": code, "arguments": given}


class VendureOffice:
    """
    Who is let in to the Admin API, with channels, shipping and a way to pay.

    Args:
        running: The server, with nothing in it.
        stores: Name by code; each becomes a channel.
        shipping: What it costs.
    """

    def __init__(self, running, stores, *, shipping):
        self._caller = Caller(running.url)
        self.ask(
            "mutation($user: String!, $password: String!) { login(username: $user, "
            "password: $password) { ... on ErrorResult { errorCode } } }",
            user=running.user,
            password=running.password,
        )
        # A cookie would do as well, and must not: it follows to other requests.
        token = self._caller.answered["vendure-auth-token"]
        self._caller.headers["Authorization"] = f"Bearer {token}"
        self._prepare(stores, shipping)

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

    def made(self, what, given):
        """Make something; return its id."""
        return self.ask(
            f"mutation($input: Create{what}Input!)"
            f"{{ create{what}(input: $input) {{ ... on {what} {{ id }} }} }}",
            input=given,
        )["id"]

    def _prepare(self, stores, shipping):
        """Make what an order needs before anyone can sell."""
        country = self.made(
            "Country",
            {"code": "CN", "enabled": True,
             "translations": [{"languageCode": "en", "name": "中国"}]},
        )  # fmt: skip
        zone = self.made("Zone", {"name": "CN", "memberIds": [country]})
        category = self.made("TaxCategory", {"name": "商品"})
        self.made(
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
        for code, name in stores.items():
            seller = self.made("Seller", {"name": name})
            self.made(
                "Channel",
                {"code": f"shop-{code}", "token": f"token-{code}", "sellerId": seller,
                 "defaultLanguageCode": "en", "customFields": {"store": code},
                 **money},
            )  # fmt: skip
        self.shipping = self.made(
            "ShippingMethod",
            {
                "code": "post",
                "fulfillmentHandler": "manual-fulfillment",
                "checker": operation(
                    "default-shipping-eligibility-checker", orderMinimum="0"
                ),
                "calculator": operation(
                    "default-shipping-calculator",
                    rate=str(shipping), includesTax="include", taxRate="13",
                ),
                "translations": [
                    {"languageCode": "en", "name": "快递", "description": ""}
                ],
            },
        )  # fmt: skip
        paying = self.made(
            "PaymentMethod",
            {"code": "cash", "enabled": True,
             "handler": operation("dummy-payment-handler", automaticSettle="true"),
             "translations": [
                 {"languageCode": "en", "name": "现金", "description": ""}
             ]},
        )  # fmt: skip
        self._category = category
        self._channels = {
            each["code"].removeprefix("shop-"): each["id"]
            for each in self.ask("{ channels { items { id code } } }")["items"]
            if each["code"] != _DEFAULT
        }
        for channel in self._channels.values():
            for what, ids in (
                ("ShippingMethods", {"shippingMethodIds": [self.shipping]}),
                ("PaymentMethods", {"paymentMethodIds": [paying]}),
                ("StockLocations", {"stockLocationIds": ["1"]}),
            ):
                self._assign(what, channel, ids)

    def goods(self, name, price, stores, **given):
        """Make a product that stores offer; return the id of its one variant."""
        own = self.made(
            "Product",
            {"translations": [{"languageCode": "en", "name": name, "slug": name,
                               "description": ""}]},
        )  # fmt: skip
        (variant,) = self.ask(
            "mutation($input: [CreateProductVariantInput!]!)"
            "{ createProductVariants(input: $input) { id } }",
            input=[
                {"productId": own, "sku": name, "price": price,
                 "taxCategoryId": self._category, **given,
                 "translations": [{"languageCode": "en", "name": name}]}
            ],
        )  # fmt: skip
        for store in stores:
            self._assign("Products", self._channels[store], {"productIds": [own]})
        return variant["id"]

    def _assign(self, what, channel, ids):
        self.ask(
            f"mutation($input: Assign{what}ToChannelInput!)"
            f"{{ assign{what}ToChannel(input: $input) {{ id }} }}",
            input={"channelId": channel, **ids},
        )

    def at(self, store=None):
        """Ask in the channel of a store, or in the default one."""
        if store is None:
            self._caller.headers.pop("vendure-token", None)
        else:
            self._caller.headers["vendure-token"] = f"token-{store}"
