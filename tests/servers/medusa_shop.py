"""A shop on Medusa: filled, and changed, by Medusa's own Admin API."""

import datetime as dt
import random
import time
from zoneinfo import ZoneInfo

import attrs

from servers.truth import Caller, Row, Truth

PRICES = {"大衣": 19990, "围巾": 5905, "手套": 10}
STORES = {"S01": "南京路店", "S02": "外滩店", "S03": "豫园店"}
_ZONE = ZoneInfo("Asia/Shanghai")


def _day(text):
    return str(dt.datetime.fromisoformat(text).astimezone(_ZONE).date())


def _major(minor):
    return float(f"{minor // 100}.{minor % 100:02d}")


class MedusaShop:
    """Members and orders of now, in three sales channels."""

    kind = "medusa"
    kept = ("item_id", "unit_price")
    """What a sale of the contract keeps: an order takes nothing back by itself."""

    def __init__(self, running, *, seed=6):
        self._running = running
        self._caller = Caller(running.url)
        self._random = random.Random(seed)  # noqa: S311 - a made-up shop
        self.truth = Truth()
        self._emails = {}
        self._any, self._days = {}, {}
        self._prepare()

    def fill(self, *, members, sales):
        """Have members, and sell to them."""
        self._members = [
            self._member("李", f"四{at}", f"138{at:08d}") for at in range(members)
        ]
        self._orders = [self._sell() for _ in range(sales)]
        self.month = self.truth.rows[0].day[:7]
        return self

    def put_member(self, name, phone, own=None):
        """Write a customer for the contract of sources; return the id."""
        given = {"first_name": name, "last_name": "", "phone": phone}
        if own is not None:
            self._post(f"customers/{own}", given)
            return own
        made = self._post("customers", {"email": f"c{phone}@example.com", **given})
        return made["customer"]["id"]

    def drop_member(self, own):
        """Delete a customer."""
        self._caller.call("DELETE", f"/admin/customers/{own}")

    def put_sale(self, rows, own=None):
        """Write a sale for the contract of sources, of one of each; return its id."""
        goods = {row["item_id"]: _major(int(row["unit_price"] * 100)) for row in rows}
        if own is None:
            items = [
                {**self._good(name), "quantity": 1, "unit_price": price}
                for name, price in goods.items()
            ]
            made = self._ordered({}, "S01", items)
            self._days[made["id"]] = _day(made["created_at"])
            return self._put(made["id"], rows)
        found = self._get(f"orders/{own}", fields="*items")["order"]["items"]
        had = {each["variant_sku"]: each["id"] for each in found}
        self._post("order-edits", {"order_id": own})
        for name in {**had, **goods}:
            many = {"quantity": int(name in goods), "unit_price": goods.get(name)}
            if name in had:
                self._post(f"order-edits/{own}/items/item/{had[name]}", many)
            else:
                new = {"variant_id": self._good(name)["variant_id"], **many}
                self._post(f"order-edits/{own}/items", {"items": [new]})
        self._post(f"order-edits/{own}/confirm", {})
        return self._put(own, rows)

    def _put(self, own, rows):
        """Let an order of the contract be these rows, in truth."""
        self.truth.rows = [row for row in self.truth.rows if row.ticket != own] + [
            Row(own, self._days[own], "S01", None, row["item_id"], 1,
                int(row["unit_price"] * 100))
            for row in rows
        ]  # fmt: skip
        return own

    def drop_sale(self, own):
        """Cancel a sale, which is none then."""
        self._post(f"orders/{own}/cancel", {})
        self.truth.rows = [row for row in self.truth.rows if row.ticket != own]

    def _good(self, name):
        """Return a product of the contract, as an order names it."""
        if name not in self._any:
            made = self._post(
                "products",
                {
                    "title": name,
                    "options": [{"title": "种", "values": ["一"]}],
                    "variants": [
                        {
                            "title": name,
                            "sku": name,
                            "manage_inventory": False,
                            "options": {"种": "一"},
                            "prices": [{"currency_code": "cny", "amount": 1}],
                        }
                    ],
                    "sales_channels": [{"id": self._channels["S01"]}],
                    "status": "published",
                },
            )
            (variant,) = made["product"]["variants"]
            self._any[name] = {"variant_id": variant["id"], "variant_sku": name}
        return self._any[name]

    def options(self):
        """Return what the source has to be given."""
        return {
            "url": self._running.url,
            "token": lambda: self._token,
            "store_field": "metadata.store",
            "page": 7,
        }

    def change(self):
        """Change something of every kind."""
        renamed, called = self._members[:2]
        self._post(f"customers/{renamed}", {"first_name": "六", "last_name": "赵"})
        self.truth.members[renamed] = ("赵六", self.truth.members[renamed][1])
        self._post(f"customers/{called}", {"phone": "13700000000"})
        self.truth.members[called] = (self.truth.members[called][0], "13700000000")
        self._members.append(self._member("王", "五", "13900000000"))
        canceled, credited, returned, damaged = self._random.sample(self._orders, 4)
        self._post(f"orders/{canceled}/cancel", {})
        self.truth.rows = [row for row in self.truth.rows if row.ticket != canceled]
        self._credit(credited, 5)
        self._take_back(returned)
        self._take_back(damaged, damaged=True)
        self._orders += [self._sell() for _ in range(2)]

    def delete(self):
        """Delete a member, whom Medusa shows no more then."""
        bought = {row.member for row in self.truth.rows}
        gone = next(each for each in self._members if each not in bought)
        self.drop_member(gone)
        del self.truth.members[gone]

    def _post(self, path, body):
        return self._caller.call("POST", f"/admin/{path}", body)

    def _get(self, path, **params):
        return self._caller.call("GET", f"/admin/{path}", **params)

    def _prepare(self):
        """Make what an order needs before anyone can sell."""
        asked = {"email": self._running.user, "password": self._running.password}
        token = self._caller.call("POST", "/auth/user/emailpass", asked)["token"]
        self._caller.headers["Authorization"] = f"Bearer {token}"
        made = self._post("api-keys", {"title": "memberops", "type": "secret"})
        self._token = made["api_key"]["token"]
        region = {"name": "CN", "currency_code": "cny", "countries": ["cn"]}
        self._region = self._post("regions", region)["region"]["id"]
        self._channels = {}
        for code, name in STORES.items():
            asked = {"name": name, "metadata": {"store": code}}
            made = self._post("sales-channels", asked)
            self._channels[code] = made["sales_channel"]["id"]
        for each in self._get("sales-channels")["sales_channels"]:
            code = (each["metadata"] or {}).get("store", each["id"])
            self.truth.stores[code] = each["name"]
        place = self._post("stock-locations", {"name": "仓"})["stock_location"]["id"]
        self._place = place
        ids = list(self._channels.values())
        self._post(f"stock-locations/{place}/sales-channels", {"add": ids})
        self._post(
            f"stock-locations/{place}/fulfillment-providers", {"add": ["manual_manual"]}
        )
        self._post(
            f"stock-locations/{place}/fulfillment-sets",
            {"name": "店", "type": "pickup"},
        )
        found = self._get(f"stock-locations/{place}", fields="*fulfillment_sets")
        fulfillment = found["stock_location"]["fulfillment_sets"][0]["id"]
        zone = self._post(
            f"fulfillment-sets/{fulfillment}/service-zones",
            {"name": "cn", "geo_zones": [{"type": "country", "country_code": "cn"}]},
        )["fulfillment_set"]["service_zones"][0]["id"]
        profiles = self._get("shipping-profiles")["shipping_profiles"]
        if not profiles:
            made = self._post("shipping-profiles", {"name": "d", "type": "default"})
            profiles = [made["shipping_profile"]]
        self._shipping = self._post(
            "shipping-options",
            {
                "name": "到店",
                "service_zone_id": zone,
                "shipping_profile_id": profiles[0]["id"],
                "provider_id": "manual_manual",
                "price_type": "flat",
                "type": {"label": "a", "description": "b", "code": "c"},
                "prices": [{"currency_code": "cny", "amount": 0}],
            },
        )["shipping_option"]["id"]

    def _member(self, family, given, phone):
        asked = {
            "email": f"m{phone}@example.com",
            "first_name": given,
            "last_name": family,
            "phone": phone,
        }
        own = self._post("customers", asked)["customer"]["id"]
        self.truth.members[own] = (f"{family}{given}", phone)
        self._emails[own] = asked["email"]
        return own

    def _sell(self):
        store = self._random.choice(list(STORES))
        member = self._random.choice(self._members)
        names = self._random.sample(list(PRICES), self._random.randint(1, 3))
        lines = [(name, self._random.randint(1, 4)) for name in names]
        made = self._ordered(
            # With another address Medusa makes a guest of it and the order his.
            {"email": self._emails[member], "customer_id": member},
            store,
            [
                {"title": name, "quantity": many, "unit_price": _major(PRICES[name])}
                for name, many in lines
            ],
        )
        day = _day(made["created_at"])
        self.truth.rows += [
            Row(made["id"], day, store, member, name, many, many * PRICES[name])
            for name, many in lines
        ]
        return made["id"]

    def _ordered(self, buyer, store, items):
        """Let somebody order; return the order."""
        draft = self._post(
            "draft-orders",
            {
                **buyer,
                "region_id": self._region,
                "sales_channel_id": self._channels[store],
                "items": items,
                "shipping_address": {"first_name": "三", "country_code": "cn"},
            },
        )["draft_order"]["id"]
        return self._post(f"draft-orders/{draft}/convert-to-order", {})["order"]

    def _pay(self, order):
        """Pay an order; return its payment."""
        total = sum(row.amount for row in self.truth.rows if row.ticket == order)
        made = self._post(
            "payment-collections", {"order_id": order, "amount": _major(total)}
        )
        own = made["payment_collection"]["id"]
        self._post(f"payment-collections/{own}/mark-as-paid", {"order_id": order})
        found = self._get(f"orders/{order}", fields="*payment_collections.payments")
        return found["order"]["payment_collections"][0]["payments"][0]["id"]

    def _credit(self, order, minor):
        """Refund money without goods."""
        payment = self._pay(order)
        self._post(f"payments/{payment}/refund", {"amount": _major(minor)})
        found = self._get(f"orders/{order}", fields="*credit_lines")["order"]
        (credit,) = found["credit_lines"]
        (sold, *_) = [row for row in self.truth.rows if row.ticket == order]
        self.truth.rows.append(
            Row(credit["id"], _day(credit["created_at"]), sold.store, sold.member,
                "退款", 0, -minor, order)
        )  # fmt: skip

    def _take_back(self, order, *, damaged=False):
        """Hand an order over, take one unit of it back, and pay for that."""
        payment = self._pay(order)
        items = self._get(f"orders/{order}", fields="*items")["order"]["items"]
        self._post(
            f"orders/{order}/fulfillments",
            {
                "location_id": self._place,
                "shipping_option_id": self._shipping,
                "items": [{"id": i["id"], "quantity": i["quantity"]} for i in items],
            },
        )
        item = min(items, key=lambda each: each["title"])
        made = self._post(
            "returns", {"order_id": order, "location_id": self._place}
        )["return"]["id"]  # fmt: skip
        one = {"items": [{"id": item["id"], "quantity": 1}]}
        self._post(f"returns/{made}/request-items", one)
        self._post(f"returns/{made}/request", {})
        self._post(f"returns/{made}/receive", {})
        received = "dismiss-items" if damaged else "receive-items"
        self._post(f"returns/{made}/{received}", one)
        self._post(f"returns/{made}/receive/confirm", {})
        time.sleep(0.05)
        price = PRICES[item["title"]]
        self._post(f"payments/{payment}/refund", {"amount": _major(price)})
        found = self._get(f"returns/{made}", fields="received_at")["return"]
        sold = next(
            row
            for row in self.truth.rows
            if row.ticket == order and row.item == item["title"]
        )
        self.truth.rows.append(
            attrs.evolve(
                sold,
                ticket=made,
                day=_day(found["received_at"]),
                quantity=-1,
                amount=-price,
                returned=order,
            )
        )
