"""Complaints, stock and refusals of Odoo and ERPNext while they change."""

import datetime as dt

import pytest

from erp_world import ErpServer, frappe_answers, odoo_answers
from memberops.testing import check_changing_source
from test_erpnext_tables import a_change, an_issue
from test_erpnext_tables import source_of as erpnext
from test_odoo_tables import (
    CUSTOMER,
    SUPPLIER,
    a_move,
    a_partner,
    a_ticket,
    left,
    location,
)
from test_odoo_tables import source_of as odoo

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

LIST = {"email": ("mail.blacklist", "email"), "sms": ("phone.blacklist", "number")}


class World:
    """Records of one kind that are made and changed, on pages of three."""

    kept = ("kind", "effective_at", "gift_id", "source", "destination", "quantity")
    back = dt.timedelta(seconds=90)

    def __init__(self, server):
        self.server = server
        self.now = dt.datetime(2031, 3, 1)  # noqa: DTZ001 - as both write moments
        self.count = 0
        server.page = 3

    def columns(self, _table):
        """Name what is kept."""
        return self.kept

    def put(self, _table, rows, key=None):
        """Write a record; some in one second, and hours between others."""
        self.count += key is None
        own = self.number(key) if key else self.count
        if own % 3 == 0:
            self.now += dt.timedelta(hours=30)
        return (self.write(own, rows),)

    def number(self, key):
        """Return the number of a record."""
        return int(key[0].rpartition("-")[2])

    def delete(self, _table, _key):
        """Tell that nothing is ever deleted."""
        return False

    def fault(self, name):
        """Let the clock go back by less than the overlap."""
        if name == "clock-back":
            self.now -= self.back
        return name == "clock-back"


def utc(moment):
    """Write a moment as Odoo does."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class Stock(World):
    """Lines of Odoo's moves, and one row a posting."""

    model = "stock.move.line"

    def write(self, own, rows):
        """Move goods into the warehouse, or out of it."""
        (row,) = rows
        ends = SUPPLIER, location("internal", 1)
        if row["kind"] == "issue":
            ends = location("internal", 1), CUSTOMER
        self.save(
            a_move(
                own, *ends, date=utc(row["effective_at"]), picking_id=False,
                quantity_product_uom=float(row["quantity"]),
                product_id={"id": row["gift_id"], "display_name": "x"},
            )
        )  # fmt: skip
        return f"stock-{own}"

    def save(self, record):
        """Keep a record of the model."""
        known = {each["id"]: each for each in self.server.records.get(self.model, ())}
        known[record["id"]] = {**record, "write_date": f"{self.now}"}
        self.server.records[self.model] = list(known.values())


class Tickets(Stock):
    """Tickets of Odoo's helpdesk."""

    model = "helpdesk.ticket"
    kept = ("received_at", "member_id", "category", "handler", "statement")

    def write(self, own, rows):
        """Open a ticket."""
        (row,) = rows
        names = {"partner_id": "member_id", "ticket_type_id": "category",
                 "user_id": "handler"}  # fmt: skip
        named = {
            field: {"id": row[name], "display_name": row[name]}
            for field, name in names.items()
        }
        opened = utc(row["received_at"])
        self.save(a_ticket(own, name=row["statement"], create_date=opened, **named))
        return f"{own}"


class Blacklists(Stock):
    """Partners and the lists that they are on."""

    model = "res.partner"
    kept = ("channel", "given", "on", "at")

    def write(self, own, rows):
        """Put a partner on some lists, and take it from the others."""
        said = {row["channel"]: utc(row["at"]) for row in rows}
        partner = a_partner(own, mail="email" in said, phone="sms" in said)
        self.save(partner)
        values = {
            "email": partner["email_normalized"],
            "sms": partner["phone_sanitized"],
        }
        for channel, (model, field) in LIST.items():
            entries = self.server.records.get(model, [])
            entries = [each for each in entries if each["id"] != own]
            if channel in said:
                date = said[channel]
                entries.append({"id": own, field: values[channel], "write_date": date})
            self.server.records[model] = entries
        return f"{own}"

    def delete(self, _table, key):
        """Take a partner from all lists."""
        self.write(int(key[0]), [])
        return True


class Lists(Blacklists):
    """Partners, and the mailing lists that their contacts left."""

    def write(self, own, rows):
        """Let a contact of a partner leave some lists, and no other."""
        partner = a_partner(own)
        self.save(partner)
        self.server.records.setdefault("mailing.sms.test", [])
        kept = self.server.records.get("mailing.subscription", [])
        kept = [each for each in kept if each["id"] // 10 != own]
        for at, row in enumerate(rows):
            ways = {"email": False, "phone": False}
            if row["channel"] == "email":
                ways["email"] = partner["email_normalized"]
            else:
                ways["phone"] = partner["phone_sanitized"]
            kept.append(left(own * 10 + at, at=utc(row["at"]), **ways))
        self.server.records["mailing.subscription"] = kept
        return f"{own}"


class Ledger(World):
    """Entries of ERPNext's stock ledger; a voucher that is canceled takes its own."""

    back = dt.timedelta(minutes=61)
    doctype = "Stock Ledger Entry"

    def name(self, own):
        """Return the name of a document."""
        return f"MAT-{own:05}"

    def write(self, own, rows):
        """Move goods into the warehouse, or out of it."""
        (row,) = rows
        came = row["kind"] == "receipt"
        local = row["effective_at"] + dt.timedelta(hours=8)
        entry = a_change(
            float(row["quantity"] if came else -row["quantity"]),
            "Purchase Receipt" if came else "Sales Invoice",
            posting_date=f"{local.date()}",
            posting_time=f"{local.hour}:{local:%M:%S}",
            item_code=row["gift_id"],
            warehouse="W",
        )
        self.save(own, entry)
        return f"stock-{self.name(own)}"

    def save(self, own, document):
        """Keep a document."""
        known = self.server.records.setdefault(self.doctype, {})
        known[self.name(own)] = {**document, "modified": f"{self.now}.000001"}

    def delete(self, _table, key):
        """Cancel the voucher."""
        own = self.number(key)
        known = self.server.records[self.doctype][self.name(own)]
        self.save(own, {**known, "is_cancelled": 1})
        return True


class Issues(Ledger):
    """Issues of ERPNext; whose each is becomes a digest."""

    doctype = "Issue"
    kept = ("received_at", "category", "statement")

    def write(self, own, rows):
        """Open an issue."""
        (row,) = rows
        local = row["received_at"] + dt.timedelta(hours=8)
        issue = an_issue(
            subject=row["statement"],
            issue_type=row["category"],
            opening_date=f"{local.date()}",
            opening_time=f"{local:%H:%M:%S}",
        )
        self.save(own, issue)
        return self.name(own)

    def delete(self, _table, _key):
        """Tell that nothing is ever deleted."""
        return False


class Unsubscribed(World):
    """Customers of ERPNext, and who of them followed a link in an email."""

    kept = ("channel", "given", "on", "at")

    def write(self, own, rows):
        """Let a customer unsubscribe."""
        (row,) = rows
        name, email = f"CUST-2031-{own:05}", f"p{own}@example.com"
        known = self.server.records
        customer = {"email_id": email, "modified": f"{self.now}.000001"}
        known.setdefault("Customer", {})[name] = customer
        local = row["at"] + dt.timedelta(hours=8)
        known.setdefault("Email Unsubscribe", {})[name] = {
            "email": email, "modified": f"{local:%Y-%m-%d %H:%M:%S}.000000",
        }  # fmt: skip
        return name

    def delete(self, _table, key):
        """Delete the word of a customer, who may be written to again."""
        del self.server.records["Email Unsubscribe"][key[0]]
        return True


def one_row(place):
    """Make postings of one row, into a place or out of it."""

    def made(number, _lines):
        came = number % 2 == 1
        return [
            {
                "kind": "receipt" if came else "issue",
                "effective_at": dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC)
                - dt.timedelta(minutes=number),
                "gift_id": f"I{number}",
                "source": "supplier" if came else place,
                "destination": place if came else "member",
                "quantity": number,
            }
        ]

    return made


def refusals(number, lines):
    """Make what a member refused: mail, texts or both."""
    at = dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC) - dt.timedelta(days=number)
    channels = ("sms", "email") if number % 2 else ("email", "sms")
    return [
        {"channel": channel, "given": "no", "on": at.date(), "at": at}
        for channel in channels[:lines]
    ]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("world", "table", "made"),
    [
        (Stock, "gift_movements", one_row("warehouse:1")),
        (Tickets, "complaints", None),
        (Blacklists, "consents", refusals),
        (Lists, "consents", refusals),
    ],
    ids=["stock", "tickets", "blacklists", "lists"],
)
def test_odoo_loses_and_doubles_nothing(world, table, made):
    """New, changed and deleted records, whatever was read when."""
    with ErpServer(odoo_answers) as server:
        played = world(server)
        check_changing_source(lambda: odoo(server), played, table=table, made=made)
        assert played.count > 20


@pytest.mark.parametrize(
    ("world", "table", "made"),
    [
        (Ledger, "gift_movements", one_row("warehouse:W")),
        pytest.param(Issues, "complaints", None, marks=pytest.mark.nightly),
        pytest.param(
            Unsubscribed,
            "consents",
            lambda number, _lines: refusals(2 * number, 1),
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["ledger", "issues", "unsubscribed"],
)
def test_erpnext_loses_and_doubles_nothing(world, table, made):
    """New, changed and canceled records, whatever was read when."""
    with ErpServer(frappe_answers) as server:
        played = world(server)
        check_changing_source(lambda: erpnext(server), played, table=table, made=made)
        assert played.count > 20
