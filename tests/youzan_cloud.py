"""A Youzan Cloud on this machine, made by hand from Youzan's documentation."""

import datetime as dt
import json
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from memberops.testing.faulty_gateway_server import GatewayAnswer, LoopbackServer

BEIJING = ZoneInfo("Asia/Shanghai")
TOKEN = "canary-youzan-token"  # noqa: S105 - made up, to be looked for


def an_order(tid="E1", *items, post="0.00", status="TRADE_SUCCESS", **info):
    """Return an order as Youzan gives it: its items as (oid, pieces, paid)."""
    items = items or (("11", 2, "9.82"),)
    paid = sum(round(float(paid) * 100) for _, _, paid in items)
    at = "2026-10-05 14:03:00"
    return {
        "order_info": {
            "tid": tid, "status": status, "created": at, "update_time": at,
            "pay_time": at, "refund_state": 0, "order_tags": {"is_refund": False},
            "node_kdt_id": 7001, **info,
        },
        "buyer_info": {"yz_open_id": "yz-1", "buyer_phone": "13800138000"},
        "pay_info": {"payment": f"{paid / 100:.2f}", "post_fee": post},
        "orders": [
            {"oid": oid, "num": many, "payment": amount, "price": "6.50",
             "title": "大衣", "item_id": 42, "outer_sku_id": f"G{oid}"}
            for oid, many, amount in items
        ],
    }  # fmt: skip


class YouzanCloud:
    """Orders, refunds and customers, with Youzan's envelope, limits and clock."""

    def __init__(self):
        self.now = dt.datetime(2026, 11, 5, 6, 0, tzinfo=dt.UTC)
        self.orders = {}
        self.refunds = {}
        self.customers = {}
        self.items = {}
        self.asked = []
        self.odd = []
        self.most = 10_000
        self.before_page = lambda _name, _page: None
        self.server = LoopbackServer(self._serve)

    def local(self):
        """Return the clock of the shop as Youzan writes it."""
        return f"{self.now.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"

    def _serve(self, request, connection):
        parts = urlsplit(request.target)
        name = parts.path.removeprefix("/api/").rpartition("/")[0]
        body = json.loads(request.body)
        self.asked.append((name, body))
        if self.odd:
            answer = self.odd.pop(0)
        elif dict(parse_qsl(parts.query)).get("access_token") != TOKEN:
            answer = {"gw_err_resp": {"err_code": 4203, "err_msg": "Token 不存在"}}
        else:
            self.before_page(name, body.get("page_no"))
            kind = name.removeprefix("youzan.").replace(".", "_")
            data = getattr(self, f"_{kind}")(body)
            answer = {"code": 200, "success": True, "data": data, "trace_id": "yz7"}
        if isinstance(answer, dict):
            raw = json.dumps(answer, ensure_ascii=False).encode()
            answer = GatewayAnswer(body=raw)
        stamped = {**answer.headers, "Date": format_datetime(self.now, usegmt=True)}
        connection.answer(
            GatewayAnswer(
                body=answer.body,
                status=answer.status,
                content_type=answer.content_type,
                headers=stamped,
            )
        )

    @staticmethod
    def _page(found, body):
        size, at = body["page_size"], body["page_no"] - 1
        return found[at * size : (at + 1) * size]

    def _trades_sold_get(self, body):
        first, last = body.get("start_update", ""), body.get("end_update", "9999")
        found = sorted(
            (each for each in self.orders.values()
             if first <= each["order_info"]["update_time"] <= last),
            key=lambda each: each["order_info"]["update_time"],
        )  # fmt: skip
        listed = [{"full_order_info": each} for each in self._page(found, body)]
        return {"total_results": len(found), "full_order_info_list": listed}

    def _trade_get(self, body):
        tid = body["tid"]
        named = [
            {"refund_id": own, "oids": self.items.get(own, [])}
            for own, each in self.refunds.items()
            if each["tid"] == tid
        ]
        return {"full_order_info": self.orders[tid], "refund_order": named}

    def _trade_refund_search(self, body):
        found = [
            each
            for each in self.refunds.values()
            if each["tid"] == body.get("tid", each["tid"])
            and each["at"] >= body.get("update_time_start", 0)
            and each["at"] <= body.get("update_time_end", 10**12)
        ]
        return {"total": len(found), "refunds": self._page(found, body)}

    def _scrm_customer_list(self, body):
        first, last = (
            body.get("created_at_start", 0),
            body.get("created_at_end", 10**15),
        )
        found = [
            each
            for each in self.customers.values()
            if first <= each["created_at"] <= last
        ][::-1]
        return {"total": len(found), "record_list": self._page(found, body)}

    # What `check_changing_source` writes.

    def columns(self, table):
        """Name what is kept."""
        if table == "members":
            return "name", "phone", "joined_on"
        return "sold_on", "member_id", "item_id", "item_name", "quantity", "amount"

    def put(self, table, rows, key=None):
        """Write a record; some in one second, and minutes between others."""
        kept = self.customers if table == "members" else self.orders
        own = key[0] if key else f"E{len(kept) + 1:04}"
        if int(own[1:]) % 3 == 0:
            self.now += dt.timedelta(minutes=7)
        if table == "members":
            (row,) = rows
            joined = dt.datetime.combine(row["joined_on"], dt.time(12), BEIJING)
            kept[own] = {
                "yz_open_id": own, "show_name": row["name"], "mobile": row["phone"],
                "created_at": int(joined.timestamp()), "is_member": 1,
            }  # fmt: skip
            return (own,)
        sold = f"{rows[0]['sold_on']} 10:00:00"
        paid = sum(row["amount"] for row in rows)
        kept[own] = {
            "order_info": {
                "tid": own, "status": "TRADE_SUCCESS", "created": sold,
                "pay_time": sold, "update_time": self.local(), "refund_state": 0,
            },
            "buyer_info": {"yz_open_id": rows[0]["member_id"]},
            "pay_info": {"payment": f"{paid:.2f}", "post_fee": "0.00"},
            "orders": [
                {"oid": str(at), "num": int(row["quantity"]), "price": "1.00",
                 "payment": f"{row['amount']:.2f}", "title": row.get("item_name"),
                 "outer_sku_id": row["item_id"]}
                for at, row in enumerate(rows)
            ],
        }  # fmt: skip
        return (own,)

    def delete(self, table, key):
        """Take a customer away; an order of Youzan stays for ever."""
        if table == "sales":
            return False
        del self.customers[key[0]]
        return True

    def fault(self, name):
        """Misbehave from now on, as far as Youzan can."""
        return False
