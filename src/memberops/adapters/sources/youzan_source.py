"""
Members and sales from Youzan (有赞): orders with refunds, and customers.

Made from the published documentation of Youzan Cloud (https://doc.youzanyun.com/);
never run against the real system.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.counted_reading import (
    Came,
    check_table,
    counted_changes,
)
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.moment_cursor import digest_of
from memberops.adapters.sources.order_tickets import unexplained
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.youzan_api import (
    YOUZAN_ZONE,
    ListOf,
    YouzanSession,
    youzan_moment,
)
from memberops.adapters.sources.youzan_orders import (
    has_refunds,
    order_of,
    youzan_lines,
)
from memberops.domain import Finding, Severity
from memberops.errors import ConfigurationError, SourceError

__all__ = ["YouzanSource", "youzan_source"]

_COLUMNS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": ("ticket_id", "sold_at", "store_id", "member_id", "item_id", "item_name",
              "quantity", "unit_price", "amount", "returned_ticket_id"),
}  # fmt: skip
_EPOCHS = {"s": 1, "ms": 1000}
# Seconds since 1970 have 10 digits until 2286, milliseconds 13.
_SECONDS_END = 10**11
_CIPHER = re.compile(r"\$.+\$\d+\$", re.DOTALL)


class YouzanSource:
    """
    A source that reads a shop or a chain of Youzan, by its cloud's interfaces.

    A sale is an order from when it was paid; see `youzan_lines`. Orders are asked for
    by when they changed, so changes are read without the rest; those from before 2020
    Youzan gives by another interface, which is not asked. Members are customers with
    a level or a card; Youzan cannot be asked which of them changed, so they are read
    whole each time, which also shows who is gone. Where the shop keeps personal data
    encrypted, names and phones are left empty, and a finding tells how many.

    Args:
        context: Currency and zone of the chain; the currency has to be CNY.
        token: The shop's ``access_token``, as ``{ env = "YOUZAN_TOKEN" }`` or a
            function. It lasts for seven days; renewing it is the application's task.
        url: Of Youzan Cloud.
        store_field: Path in an order of the chain's id of the store; *store* where
            nothing stands there.
        store: Of orders without one.
        members_only: Whether only customers with a level or a card are members.
        sales_since: First day that is asked for orders.
        members_since: First day that is asked for customers.
        epoch: How Youzan takes moments of customers: ``s`` or ``ms``, for its
            documentation says both.
        window_days: Longest span of one question for orders, at most 90.
        overlap_seconds: How much earlier than the last a reading begins; Youzan's
            lists may be half a minute late.
        page: Records of one question, at most 50.
        http: Fields of `HttpLimits`: time-outs and the size of an answer.
        patience: Fields of `ReadingPatience`: how often to try again.
        sleep: How to wait.

    Raises:
        ConfigurationError: An option cannot be.
        MissingExtraError: ``httpx2`` is not installed.
    """

    tables = ("members", "sales")

    def __init__(
        self,
        context: SourceContext,
        *,
        token: Any,
        url: str = "https://open.youzanyun.com",
        store_field: str = "order_info.node_kdt_id",
        store: str = "online",
        members_only: bool = True,
        sales_since: dt.date | str = "2020-01-01",
        members_since: dt.date | str = "2012-01-01",
        epoch: str = "s",
        window_days: float = 30,
        overlap_seconds: int = 600,
        page: int = 50,
        http: Any = None,
        patience: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if context.currency.code != "CNY":
            raise ConfigurationError(
                "Youzan's amounts are in CNY, and so has to be the chain's currency"
            )
        if epoch not in _EPOCHS:
            raise ConfigurationError(f"'epoch' is 's' or 'ms', not {epoch[:20]!r}")
        if not 0 < page <= 50:  # noqa: PLR2004 - Youzan's own limit
            raise ConfigurationError("'page' lies between 1 and 50")
        if not 0 < window_days <= 90:  # noqa: PLR2004 - Youzan's own limit
            raise ConfigurationError("'window_days' lies between 0 and 90")
        self._server = WebServer.of(
            context,
            url,
            credential=Credential(
                kind="query", name="access_token", secret=secret_option("token", token)
            ),
            http=http,
            patience=patience,
            sleep=sleep,
        )
        self._context = context
        self._store_field = store_field
        self._store = store
        self._members_only = members_only
        self._since = {
            "sales": _midnight("sales_since", sales_since),
            "members": _midnight("members_since", members_since),
        }
        self._ticks = _EPOCHS[epoch]
        self._page = page
        self._window = dt.timedelta(days=window_days)
        self._overlap = dt.timedelta(seconds=overlap_seconds)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table whole.

        Raises:
            UnknownTableError: The source does not have that table.
            SourceError: Youzan cannot be read.
        """
        return self.changes(table, since=None).result

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new or changed since a cursor; see `ChangingSource.changes`.

        Raises:
            UnknownTableError: The source does not have that table.
            SourceError: Youzan cannot be read.
        """
        check_table(table, self.tables, system="Youzan")
        context = self._context
        with YouzanSession(self._server) as session:
            fetch = {
                "members": lambda _: self._members(session),
                "sales": lambda at: self._sales(session, at),
            }[table]
            return counted_changes(
                ReadingOptions.of(table, currency=context.currency, zone=context.zone),
                fetch,
                since=since,
                name="youzan",
                mark=digest_of(
                    self._server.base_url, self._store_field, self._store,
                    self._members_only, self._since[table].isoformat(),
                    context.zone.key,
                ),
                overlap=self._overlap,
                fields=_COLUMNS[table],
                counts={},
                dated=table == "sales",
            )  # fmt: skip

    def _sales(self, session: YouzanSession, since: dt.datetime | None) -> Came:
        wanted = ListOf(
            name="youzan.trades.sold.get",
            version="4.0.4",
            span=("start_update", "end_update"),
            written=_written,
            records="full_order_info_list",
            totals=("total_results", "paginator.total_count"),
            own=lambda record: str(order_of(record)["order_info"]["tid"]),
            page=self._page,
            most=100 * self._page,
        )
        start = max(since or self._since["sales"], self._since["sales"])
        latest: dict[str, dict[str, Any]] = {}
        began: dt.datetime | None = None
        for records in session.since(wanted, start, self._window):
            began = began or session.served_at
            latest |= {wanted.own(each): order_of(each) for each in records}
        # Youzan does not promise that a refund changes the moment of its order.
        for refunds in session.since(_REFUNDS, start, self._window) if since else ():
            for own in {str(each["tid"]) for each in refunds} - latest.keys():
                latest[own] = _order(session, own)
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        odd = 0
        for order in latest.values():
            found = _refunds(session, order) if has_refunds(order) else ([], {})
            lines = youzan_lines(
                order,
                store=str(look_up(order, self._store_field) or self._store),
                refunds=found[0],
                items=found[1],
            )
            rows += lines.rows
            gone += lines.gone
            odd += not lines.agrees
        changed = (
            youzan_moment(each["order_info"]["update_time"]) for each in latest.values()
        )
        return Came(
            origin="youzan/orders",
            rows=rows,
            gone=gone,
            seen=max(changed, default=None),
            served_at=began,
            findings=unexplained(odd, "youzan/orders"),
        )

    def _members(self, session: YouzanSession) -> Came:
        wanted = ListOf(
            name="youzan.scrm.customer.list",
            version="1.0.0",
            span=("created_at_start", "created_at_end"),
            written=lambda moment: int(moment.timestamp()) * self._ticks,
            records="record_list",
            totals=("total",),
            own=lambda record: str(record.get("yz_open_id")),
            page=self._page,
            most=min(10_000, 500 * self._page),
            body={"is_member": 1} if self._members_only else {},
        )
        many = session.count(wanted)
        start = self._since["members"]
        found: dict[str, dict[str, Any]] = {}
        for records in session.since(wanted, start, session.now() - start + _YEAR):
            found |= {wanted.own(each): each for each in records}
        if len(found) < many:
            raise SourceError(
                f"Youzan has {many} customers and gave {len(found)}: let "
                "'members_since' be before the first, or 'epoch' be the other one of "
                "'s' and 'ms'; nothing was taken over"
            )
        hidden = [0]
        rows = [self._member(own, each, hidden) for own, each in found.items()]
        return Came(
            origin="youzan/customers",
            rows=rows,
            served_at=session.served_at,
            findings=_hidden(hidden[0]),
        )

    def _member(
        self, own: str, customer: Mapping[str, Any], hidden: list[int]
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {"member_id": own}
        for column, names in {
            "name": ("name", "show_name"),
            "phone": ("mobile",),
        }.items():
            value = next((customer[n] for n in names if customer.get(n)), None)
            if value is not None and _CIPHER.fullmatch(str(value)):
                hidden[0] += 1
                value = None
            shown[column] = value
        made = customer.get("created_member_at") or customer.get("created_at")
        shown["joined_on"] = _day(made, self._context)
        return shown


_YEAR = dt.timedelta(days=366)
_REFUNDS = ListOf(
    name="youzan.trade.refund.search",
    version="3.0.1",
    span=("update_time_start", "update_time_end"),
    written=lambda moment: int(moment.timestamp()),
    records="refunds",
    totals=("total",),
    own=lambda record: str(record["refund_id"]),
    page=30,
    most=3000,
)


def _order(session: YouzanSession, own: str) -> dict[str, Any]:
    return order_of(session.ask("youzan.trade.get", "4.0.2", {"tid": own}))


def _refunds(
    session: YouzanSession, order: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Return the refunds of an order, and the lines that each is for."""
    own = str(order["order_info"]["tid"])
    made = youzan_moment(order["order_info"]["created"])
    found: dict[str, dict[str, Any]] = {}
    number = 0
    while True:
        number += 1
        data = session.ask(
            _REFUNDS.name,
            _REFUNDS.version,
            {
                "tid": own,
                "page_no": number,
                "page_size": _REFUNDS.page,
                "create_time_start": int(made.timestamp()),
                "create_time_end": int(session.now().timestamp()) + 60,
            },
        )
        records, total = data.get("refunds"), data.get("total")
        if not isinstance(records, list) or not isinstance(total, int):
            raise SourceError("the answer of youzan.trade.refund.search holds no list")
        # An order number that is part of another one's is not it.
        found |= {str(e["refund_id"]): e for e in records if str(e["tid"]) == own}
        if not records or number * _REFUNDS.page >= total:
            break
    whole = session.ask("youzan.trade.get", "4.0.2", {"tid": own})
    items = {
        str(each.get("refund_id")): [str(oid) for oid in each.get("oids") or ()]
        for each in whole.get("refund_order") or ()
    }
    return list(found.values()), items


def _hidden(count: int) -> list[Finding]:
    if not count:
        return []
    return [
        Finding(
            table="members",
            rule="personal-data-encrypted",
            severity=Severity.WARNING,
            source="youzan/customers",
            count=count,
            message_en="names or phones came encrypted and are left empty: the shop "
            "keeps personal data under a key of its own",
            message_zh="姓名或手机号以密文返回，已留空：该店铺开启了隐私数据加密",
        )
    ]


def _midnight(option: str, day: dt.date | str) -> dt.datetime:
    try:
        found = dt.date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError:
        raise ConfigurationError(f"{option!r} is a day such as '2020-01-01'") from None
    return dt.datetime.combine(found, dt.time(), YOUZAN_ZONE)


def _written(moment: dt.datetime) -> str:
    """
    Write a moment as Youzan takes it.

    >>> _written(dt.datetime(2026, 11, 5, 6, 3, tzinfo=dt.UTC))
    '2026-11-05 14:03:00'
    """
    return f"{moment.astimezone(YOUZAN_ZONE):%Y-%m-%d %H:%M:%S}"


def _day(value: Any, context: SourceContext) -> dt.date | None:
    """Return the day of a number of seconds, or of milliseconds, since 1970."""
    if value is None or value == 0:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise SourceError("Youzan gave a moment that is no number")
    seconds = value / 1000 if value >= _SECONDS_END else value
    return dt.datetime.fromtimestamp(seconds, context.zone).date()


youzan_source = YouzanSource
"""What a chain file's ``adapter = "youzan"`` makes."""
