"""
The figures by brute force: rows, loops and sets, straight from the manual's words.

Nothing is shared with the library but dates: an independent reading to compare with.
"""

import calendar
import datetime as dt
from collections import defaultdict
from itertools import pairwise


def add_months(day, months):
    """Add calendar months, clamped to the end of a shorter month."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return dt.date(
        year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1])
    )


def oracle_tickets(lines):
    """Return {ticket: [day, store, member, amount, items]} with returns taken back."""
    own_ids = {line["ticket_id"] for line in lines if not line["returned_ticket_id"]}
    tickets = {}
    moved = defaultdict(lambda: [0, 0])
    for line in lines:
        back = line["returned_ticket_id"]
        if back and back in own_ids:
            moved[back][0] += line["amount"]
            moved[back][1] += line["quantity"]
            continue
        ticket = tickets.setdefault(
            line["ticket_id"],
            [line["sold_on"], line["store_id"], line["member_id"], 0, 0],
        )
        ticket[3] += line["amount"]
        ticket[4] += line["quantity"]
    for ticket, (amount, items) in moved.items():
        tickets[ticket][3] += amount
        tickets[ticket][4] += items
    return tickets


def place_key(level, store, regions):
    """Return the key of a store at a level."""
    if level == "store":
        return store or "unassigned"
    if level == "region":
        return regions.get(store) or "unassigned"
    return "chain"


def oracle_sales(tickets, regions, level, start, end):
    """Return {key: figures} of sales in [start, end)."""
    out = defaultdict(lambda: defaultdict(int))
    for day, store, member, amount, items in tickets.values():
        if not start <= day < end:
            continue
        row = out[place_key(level, store, regions)]
        bought = int(amount > 0)
        row["sales"] += amount
        row["items"] += items
        row["tickets"] += bought
        if member:
            row["member_sales"] += amount
            row["member_items"] += items
            row["member_tickets"] += bought
    return {key: dict(row) for key, row in out.items()}


def oracle_buyers(tickets, people, regions, level, start, end, bands, ages):
    """Return {key: {figure: count}} of members with a purchase in [start, end)."""
    spend = defaultdict(lambda: defaultdict(int))
    buyers = defaultdict(set)
    for day, store, member, amount, _ in tickets.values():
        if not member or not start <= day < end:
            continue
        key = place_key(level, store, regions)
        spend[key][member] += amount
        if amount > 0:
            buyers[key].add(member)
    last = end - dt.timedelta(days=1)
    out = {}
    for key, members in buyers.items():
        row = defaultdict(int)
        row["consuming_members"] = len(members)
        for member in members:
            row[band_name(spend[key][member], bands)] += 1
            person = people.get(member, {})
            gender = person.get("gender")
            known = gender if gender in ("female", "male", "other") else None
            row[f"members_{known or 'gender_unknown'}"] += 1
            row[age_name(person.get("birth_date"), last, ages)] += 1
        out[key] = dict(row)
    return out


def band_name(amount, bands):
    """Name the spending band of an amount in major units × 100."""
    if amount < 0:
        return "members_below_0"
    edges = [0, *bands]
    for low, high in pairwise(edges):
        if low * 100 <= amount < high * 100:
            return f"members_{low}_{high}"
    return f"members_{edges[-1]}_up"


def age_name(birth, on, ages):
    """Name the age band by completed years."""
    if birth is None or birth > on:
        return "members_age_unknown"
    years = on.year - birth.year
    years -= add_months(birth, 12 * years) > on
    if years < ages[0]:
        return f"members_under_{ages[0]}"
    for low, high in pairwise(ages):
        if low <= years < high:
            return f"members_{low}_{high}"
    return f"members_{ages[-1]}_up"


def oracle_state(tickets, people, cards, day, months):
    """Return (valid, lapsed) sets of member ids on a day."""
    last = {}
    for sold, _, member, amount, _ in tickets.values():
        if member and amount > 0 and sold <= day:
            last[member] = max(last.get(member, sold), sold)
    valid, lapsed = set(), set()
    for member, person in people.items():
        own = [card for card in cards if card["member_id"] == member]
        if not any(c["valid_from"] <= day <= c["valid_through"] for c in own):
            continue
        valid.add(member)
        joined = person.get("joined_on") or min(card["valid_from"] for card in own)
        since = [d for d in (last.get(member), joined) if d is not None and d <= day]
        if not since or add_months(max(since), months) <= day:
            lapsed.add(member)
    return valid, lapsed


def oracle_lapse(people, regions, level, before, after):
    """Return {key: figures} of lapse between the states of two days, by home store."""
    (_, lapsed0), (valid1, lapsed1) = before, after
    sets = {
        "valid_members": valid1,
        "lapsed_at_start": lapsed0,
        "lapsed_at_end": lapsed1,
        "newly_lapsed": lapsed1 - lapsed0,
        "won_back": (lapsed0 & valid1) - lapsed1,
        "left": lapsed0 - valid1,
    }
    out = defaultdict(lambda: dict.fromkeys(sets, 0))
    for name, members in sets.items():
        for member in members:
            key = place_key(level, people[member].get("store_id"), regions)
            out[key][name] += 1
    return dict(out)
