"""The sales lines and targets of a made-up chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from memberops.testing.draws import (
    MONTHLY_SEASON,
    Days,
    Floats,
    Ints,
    chance,
    generator,
    pick,
    texts,
    weekday,
)

if TYPE_CHECKING:
    from memberops.testing.synthetic_chain import SyntheticChain
    from memberops.testing.synthetic_members import People

__all__ = ["made_sales", "made_targets"]

_ITEMS = 400
_GIFT = 0  # the item that is given away: its lines cost nothing
_NOBODY = -1
_NO_TICKET = -1
_HOME_SHARE = 0.85
_GIFT_SHARE = 0.005
_QUANTITY_SHARES = (0.84, 0.12, 0.03, 0.01)
_DISCOUNTS = (0, 5, 10, 20, 30)
_DISCOUNT_SHARES = (0.86, 0.05, 0.05, 0.03, 0.01)
_GROWTH_A_MONTH = 0.004
_RETURN_WITHIN_DAYS = 20
_LINKED, _UNLINKED, _EXCHANGE = 0, 1, 2
_RETURN_KINDS = (0.6, 0.2, 0.2)
_OPENS_AT, _OPEN_MINUTES = 9 * 60, 13 * 60


@attrs.frozen(kw_only=True, eq=False)
class _Tickets:
    """Tickets as arrays: the member's position or -1, day, store, minute of the day."""

    member: Ints
    day: Days
    store: Ints
    minute: Ints

    def join(self, other: _Tickets) -> _Tickets:
        """Put the tickets of *other* behind these."""
        return _Tickets(
            member=np.concatenate([self.member, other.member]),
            day=np.concatenate([self.day, other.day]),
            store=np.concatenate([self.store, other.store]),
            minute=np.concatenate([self.minute, other.minute]),
        )


@attrs.frozen(kw_only=True, eq=False)
class _Lines:
    """Lines as arrays: position of the ticket, what and how much, ticket returned."""

    ticket: Ints
    item: Ints
    quantity: Ints
    unit_price: Ints
    amount: Ints
    returned: Ints

    def join(self, other: _Lines) -> _Lines:
        """Put the lines of *other* behind these."""
        return _Lines(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in attrs.fields_dict(_Lines)
            }
        )


def made_sales(chain: SyntheticChain, people: People) -> pd.DataFrame:
    """Make the sales lines of *chain*: purchases, then what comes back of them."""
    prices = _prices(chain)
    sold = _member_tickets(chain, people)
    sold = sold.join(_other_tickets(chain, len(sold.day)))
    draw = generator(chain.seed, "lines")
    extra = draw.poisson(chain.lines_per_ticket - 1, len(sold.day))
    per_ticket = 1 + np.minimum(extra, 11).astype(np.int64)
    lines = _bought(draw, prices, np.repeat(np.arange(len(per_ticket)), per_ticket))
    back, back_lines = _returns(chain, prices, sold, lines, per_ticket)
    return _frame(chain, people, sold.join(back), lines.join(back_lines))


def made_targets(chain: SyntheticChain, sales: pd.DataFrame) -> pd.DataFrame:
    """
    Make the monthly targets, near what was sold, in round amounts.

    A store has none for the month in which it opens.
    """
    month = sales["sold_on"].to_numpy().astype("datetime64[M]")
    sold = sales.groupby([sales["store_id"].to_numpy(), month])["amount"].sum()
    firsts = chain.month_days[:-1]
    opened = chain.opened_on()
    keys = [
        (store, first)
        for position, store in enumerate(chain.store_ids())
        for first in firsts
        if opened[position] < first
    ]
    draw = generator(chain.seed, "targets")
    factor = 0.88 + 0.27 * draw.random(len(keys))
    step = 100 * 10**chain.currency.digits
    actual = np.array(
        [int(sold.get((s, f.astype("datetime64[M]")), 0)) for s, f in keys]
    )
    rounded = (np.maximum(actual, step) * factor // step + 1).astype(np.int64) * step
    months = np.array([first for _, first in keys], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "store_id": texts([store for store, _ in keys]),
            "month": months,
            "target": rounded,
        }
    )


def _prices(chain: SyntheticChain) -> Ints:
    """Draw the price of each item in minor units; prices end in a round tenth."""
    draw = generator(chain.seed, "prices")
    major = float(chain.typical_price) * np.exp(0.8 * draw.standard_normal(_ITEMS))
    tenths = np.maximum(np.round(major * 10), 1).astype(np.int64)
    if chain.currency.digits:
        tenths *= 10 ** (chain.currency.digits - 1)
        return tenths
    return np.maximum(tenths // 10, 1)


def _season(chain: SyntheticChain) -> Floats:
    """How much each month sells relative to an average one, growth included."""
    calendar_month = chain.month_days[:-1].astype("datetime64[M]").astype(np.int64) % 12
    growth = 1 + _GROWTH_A_MONTH * np.arange(chain.months)
    season: Floats = np.array(MONTHLY_SEASON)[calendar_month] * growth
    return season


def _member_tickets(chain: SyntheticChain, people: People) -> _Tickets:
    draw = generator(chain.seed, "member tickets")
    begin, end = chain.month_days[:-1], chain.month_days[1:]
    first = np.maximum(people.joined_on[:, None], begin[None, :])
    after = np.minimum(people.buys_through[:, None] + np.timedelta64(1, "D"), end)
    days = np.maximum((after - first).astype(np.int64), 0)
    whole = (end - begin).astype(np.int64)
    expected = chain.tickets_per_member * people.appetite[:, None] * _season(chain)
    counts = draw.poisson(expected * days / whole).ravel()
    which = np.repeat(np.arange(counts.size), counts)
    member = which // chain.months
    days_of, first_of = days.ravel()[which], first.ravel()[which]
    day = _towards_weekend(draw, first_of, days_of)
    sizes, opened = chain.store_sizes(), chain.opened_on()
    elsewhere = pick(draw, sizes, len(member))
    at_home = chance(draw, _HOME_SHARE, len(member))
    store = np.where(at_home, people.home[member], elsewhere)
    store = np.where(opened[store] > day, people.home[member], store)
    return _Tickets(member=member, day=day, store=store, minute=_minute(draw, len(day)))


def _other_tickets(chain: SyntheticChain, member_tickets: int) -> _Tickets:
    """Tickets without a member, in the share that the chain asks for."""
    draw = generator(chain.seed, "other tickets")
    begin, end = chain.month_days[:-1], chain.month_days[1:]
    is_open = chain.opened_on()[:, None] <= begin[None, :]
    weight = chain.store_sizes()[:, None] * _season(chain)[None, :] * is_open
    share = chain.member_share
    total = member_tickets * (1 - share) / share if share else 100.0 * is_open.sum()
    counts = draw.poisson(total * weight / weight.sum()).ravel()
    which = np.repeat(np.arange(counts.size), counts)
    month = which % chain.months
    whole = (end - begin).astype(np.int64)
    return _Tickets(
        member=np.full(len(which), _NOBODY),
        day=_towards_weekend(draw, begin[month], whole[month]),
        store=which // chain.months,
        minute=_minute(draw, len(which)),
    )


def _towards_weekend(draw: np.random.Generator, first: Days, days: Ints) -> Days:
    """Draw a day of each span twice, and prefer the one that falls on a weekend."""
    one: Days = first + np.floor(draw.random(len(first)) * days).astype(
        "timedelta64[D]"
    )
    two = first + np.floor(draw.random(len(first)) * days).astype("timedelta64[D]")
    saturday = 5
    better = (weekday(one) < saturday) & (weekday(two) >= saturday)
    one[better] = two[better]
    return one


def _minute(draw: np.random.Generator, size: int) -> Ints:
    return _OPENS_AT + np.floor(draw.random(size) * _OPEN_MINUTES).astype(np.int64)


def _bought(draw: np.random.Generator, prices: Ints, ticket: Ints) -> _Lines:
    """Draw lines of purchase for the given positions of tickets."""
    count = len(ticket)
    # Squaring favours the first items: some sell far more than others.
    item = 1 + np.floor(draw.random(count) ** 2 * (_ITEMS - 1)).astype(np.int64)
    gift = chance(draw, _GIFT_SHARE, count)
    item = np.where(gift, _GIFT, item)
    quantity = 1 + pick(draw, _QUANTITY_SHARES, count)
    paid = 100 - np.array(_DISCOUNTS)[pick(draw, _DISCOUNT_SHARES, count)]
    price = np.where(gift, 0, prices[item])
    return _Lines(
        ticket=ticket,
        item=item,
        quantity=quantity,
        unit_price=price,
        amount=(quantity * price * paid + 50) // 100,
        returned=np.full(count, _NO_TICKET),
    )


def _returns(
    chain: SyntheticChain, prices: Ints, sold: _Tickets, lines: _Lines, per_ticket: Ints
) -> tuple[_Tickets, _Lines]:
    """The first line of some tickets comes back, alone or in exchange for another."""
    draw = generator(chain.seed, "returns")
    count = len(per_ticket)
    later = 1 + np.floor(draw.random(count) * _RETURN_WITHIN_DAYS)
    day = sold.day + later.astype("timedelta64[D]")
    line = np.cumsum(per_ticket) - per_ticket
    comes_back = (
        chance(draw, chain.return_share, count)
        & (day < chain.month_days[-1])
        & (lines.amount[line] > 0)
    )
    original = np.flatnonzero(comes_back)
    line = line[original]
    kind = pick(draw, _RETURN_KINDS, len(original))
    ticket = count + np.arange(len(original))
    tickets = _Tickets(
        member=sold.member[original],
        day=day[original],
        store=sold.store[original],
        minute=_minute(draw, len(original)),
    )
    taken_back = _Lines(
        ticket=ticket,
        item=lines.item[line],
        quantity=-lines.quantity[line],
        unit_price=lines.unit_price[line],
        amount=-lines.amount[line],
        returned=np.where(kind == _UNLINKED, _NO_TICKET, original),
    )
    return tickets, taken_back.join(_bought(draw, prices, ticket[kind == _EXCHANGE]))


def _frame(
    chain: SyntheticChain, people: People, tickets: _Tickets, lines: _Lines
) -> pd.DataFrame:
    """Number the tickets in the order of sale, by store and day, and lay out lines."""
    order = np.lexsort((tickets.store, tickets.minute, tickets.day))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    names = _ticket_ids(chain, tickets, order)
    by_ticket = np.argsort(rank[lines.ticket], kind="stable")
    ticket, item = lines.ticket[by_ticket], lines.item[by_ticket]
    returned, member = lines.returned[by_ticket], tickets.member[ticket]
    local = tickets.day.astype("datetime64[m]") + tickets.minute.astype(
        "timedelta64[m]"
    )
    moment = (
        pd.Series(local[ticket].astype("datetime64[us]"))
        .dt.tz_localize(chain.zone)
        .dt.tz_convert("UTC")
    )
    stores = np.array(chain.store_ids(), dtype=object)
    member_ids = people.members["member_id"].to_numpy(dtype=object)
    item_ids = np.array([f"{n:06d}" for n in range(_ITEMS)], dtype=object)
    item_names = np.array([f"商品{n:03d}" for n in range(_ITEMS)], dtype=object)
    item_names[_GIFT] = "赠品"
    return pd.DataFrame(
        {
            "ticket_id": texts(names[ticket]),
            "sold_on": tickets.day[ticket].astype("datetime64[us]"),
            "sold_at": moment,
            "store_id": texts(stores[tickets.store[ticket]]),
            "member_id": texts(member_ids[member], missing=member == _NOBODY),
            "item_id": texts(item_ids[item]),
            "item_name": texts(item_names[item]),
            "quantity": lines.quantity[by_ticket],
            "unit_price": lines.unit_price[by_ticket],
            "amount": lines.amount[by_ticket],
            "returned_ticket_id": texts(
                names[returned], missing=returned == _NO_TICKET
            ),
        }
    )


def _ticket_ids(chain: SyntheticChain, tickets: _Tickets, order: Ints) -> Any:
    """Name each ticket by store, day and running number."""
    days = np.datetime_as_string(tickets.day, unit="D")
    stores = chain.store_ids()
    seen: dict[tuple[int, str], int] = {}
    names = np.empty(len(order), dtype=object)
    for position in order.tolist():
        key = (int(tickets.store[position]), str(days[position]))
        seen[key] = number = seen.get(key, 0) + 1
        names[position] = f"{stores[key[0]]}-{key[1].replace('-', '')}-{number:04d}"
    return names
