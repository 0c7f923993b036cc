"""Cards, points, stock, refusals and tickets of Odoo, as its source describes them."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from erp_world import ErpServer, odoo_answers
from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.odoo import odoo_source
from memberops.domain import Currency
from memberops.errors import ConfigurationError, KeyConflictError, SourceError
from memberops.ledger import Ledger
from memberops.ledger.flow_tables import read_movements
from memberops.testing import check_changing_source
from memberops.testing.contracts import check_source
from test_pos_recorded import rows

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

CONTEXT = SourceContext(
    folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
)
MOVED = ["posting_id", "kind", "source", "destination", "quantity"]
WANG = {"id": 7, "display_name": "王小明"}
PROGRAM = {"id": 2, "display_name": "积分", "program_type": "loyalty"}


@pytest.fixture
def odoo():
    """An Odoo that a test fills."""
    with ErpServer(odoo_answers) as made:
        yield made


def source_of(odoo, **options):
    """Return a source of it that does not wait."""
    return odoo_source(
        CONTEXT,
        base_url=odoo.url,
        key=lambda: "k",
        sleep=lambda _: None,
        **{"database": "acme", "patience": {"attempts": 9}, **options},
    )


def a_card(own, code, through=False, **more):  # noqa: FBT002 - as Odoo says "none"
    """Return a loyalty card that was made in the evening of 1 March, in UTC."""
    return {
        "id": own, "code": code, "partner_id": WANG, "program_id": PROGRAM,
        "expiration_date": through, "create_date": "2026-03-01 18:00:00",
        "write_date": "2026-03-01 18:00:00", "active": True, **more,
    }  # fmt: skip


def test_a_card_has_a_term_where_it_expires(odoo):
    """From the day it was made, in the chain's zone; what expires no more leaves."""
    gift_cards = {**PROGRAM, "program_type": "gift_card"}
    odoo.records["loyalty.card"] = [
        a_card(1, "0441", "2027-02-28"),
        a_card(2, "0442"),
        a_card(3, "0443", "2027-02-28", active=False),
        a_card(4, "0444", "2027-02-28", program_id=gift_cards),
    ]
    source = source_of(odoo)
    whole = source.changes("cards", since=None)
    names = ["card_id", "member_id", "valid_from", "valid_through", "kind"]
    one = ("0441", "7", "2026-03-02", "2027-02-28", "积分")
    assert rows(whole.result.frame, names) == [one]
    odoo.records["loyalty.card"] = [
        a_card(1, "0441", write_date="2026-03-02 08:00:00"),
        a_card(2, "0442", "2027-12-31", write_date="2026-03-02 08:00:00"),
    ]
    part = source.changes("cards", since=whole.cursor)
    assert not part.whole
    frame = merge_changes(whole.result.frame, part)
    assert rows(frame, names[:1]) == [("0442",)]


class CardWorld:
    """Cards that are made, corrected and archived, on pages of three."""

    def __init__(self, odoo):
        self._now = dt.datetime(2031, 3, 1)  # noqa: DTZ001 - as Odoo writes moments
        self._cards = {}
        self._odoo = odoo
        odoo.page = 3

    def columns(self, _table):
        """Name what is kept."""
        return ("member_id", "valid_from", "valid_through")

    def put(self, _table, rows, key=None):
        """Write a card; some in one second, and minutes between others."""
        (row,) = rows
        own = int(key[0]) if key else len(self._cards) + 1
        if own % 3 == 0:
            self._now += dt.timedelta(minutes=7)
        self._write(
            a_card(
                own,
                str(own),
                row["valid_through"].isoformat(),
                partner_id={"id": row["member_id"], "display_name": "x"},
                create_date=f"{row['valid_from']} 03:00:00",
            )
        )
        return (str(own),)

    def delete(self, _table, key):
        """Archive a card."""
        self._write({**self._cards[int(key[0])], "active": False})
        return True

    def _write(self, card):
        self._cards[card["id"]] = {**card, "write_date": f"{self._now}"}
        self._odoo.records["loyalty.card"] = list(self._cards.values())

    def fault(self, name):
        """Let the clock go back by less than the overlap."""
        if name == "clock-back":
            self._now -= dt.timedelta(seconds=90)
        return name == "clock-back"


def test_cards_are_neither_lost_nor_doubled_while_they_change(odoo):
    """The contract of all sources that tell changes."""
    check_changing_source(lambda: source_of(odoo), CardWorld(odoo), table="cards")


def history(own, issued, used, *, partner=WANG, order=("pos.order", 41)):
    """Return a record of what happened on a card."""
    card = {"id": 1, "partner_id": partner, "program_id": PROGRAM}
    return {
        "id": own, "card_id": card, "issued": issued, "used": used,
        "order_model": order[0], "order_id": order[1],
        "create_date": "2026-11-05 06:03:00",
    }  # fmt: skip


def test_points_that_an_order_gives_and_takes_are_two_postings(odoo):
    """With the ticket, where the order is one of the sales; without any lot."""
    odoo.records["loyalty.history"] = [
        history(5, 30.0, 100.0),
        history(6, 0.0, 4.0, order=("sale.order", 9)),
        history(7, 8.0, 0.0, order=(False, False)),
        history(8, -30.0, 0.0),
    ]
    frame = source_of(odoo, movements="points").read("gift_movements").frame
    given, wallet, spent = "program:earned", "wallet:7", "program:spent"
    assert sorted(rows(frame, [*MOVED, "refers_to"])) == [
        ("points-7-issued", "award", given, wallet, 8, None),
        ("points-8-issued", "spend", wallet, spent, 30, "ticket=41"),
        ("points-pos.order-41-1-issued", "award", given, wallet, 30, "ticket=41"),
        ("points-pos.order-41-1-used", "spend", wallet, spent, 100, "ticket=41"),
        ("points-sale.order-9-1-used", "spend", wallet, spent, 4, None),
    ]
    assert set(frame["gift_id"]) == {"points"}
    assert "lot_id" not in frame or frame["lot_id"].isna().all()
    assert str(frame["effective_at"].iloc[0]) == "2026-11-05 06:03:00+00:00"


def test_what_is_no_whole_point_or_nobodys_is_refused(odoo):
    """Neither is rounded nor given to anybody, and both are told."""
    odoo.records["loyalty.history"] = [
        history(5, 2.5, 0.0),
        history(6, 3.0, 0.0, partner=False),
        history(7, 1.0, 0.0),
    ]
    result = source_of(odoo, movements="points").read("gift_movements")
    assert list(result.frame["posting_id"]) == ["points-7-issued"]
    assert result.rejected == 2


def test_points_of_a_canceled_order_are_gone_at_the_next_reading(odoo):
    """Odoo deletes its history without a trace, so all is read each time."""
    odoo.records["loyalty.history"] = [
        history(5, 30.0, 0.0, order=("sale.order", 8)),
        history(6, 7.0, 0.0),
    ]
    source = source_of(odoo, movements="points")
    whole = source.changes("gift_movements", since=None)
    del odoo.records["loyalty.history"][0]
    again = source.changes("gift_movements", since=whole.cursor)
    assert again.whole
    frame = merge_changes(whole.result.frame, again)
    assert list(frame["posting_id"]) == ["points-pos.order-41-1-issued"]


def test_points_of_an_order_are_never_twice_in_a_ledger(odoo):
    """One that is canceled and confirmed again has another history, and is told."""
    odoo.records["loyalty.history"] = [
        history(5, 30.0, 0.0, order=("sale.order", 8)),
        history(6, 7.0, 20.0),
        history(7, -4.0, 0.0, order=(False, False)),
    ]
    source = source_of(odoo, movements="points")
    ledger = Ledger()

    def posted():
        postings, findings = read_movements(source.read("gift_movements").frame)
        assert findings == ()
        # Of one moment what takes waits for what gives.
        for each in sorted(postings, key=lambda one: one.kind.value == "spend"):
            ledger.post(each)
        return ledger.balance("points", "wallet:7")

    assert (posted(), posted()) == (13, 13)
    again = history(9, 30.0, 0.0, order=("sale.order", 8))
    odoo.records["loyalty.history"][0] = {**again, "create_date": "2026-11-06 09:00:00"}
    with pytest.raises(KeyConflictError):
        posted()
    assert ledger.balance("points", "wallet:7") == 13


def test_one_program_is_read_where_it_is_named(odoo):
    """Points of two programs are not the same points."""
    other = {"id": 1, "partner_id": WANG, "program_id": {**PROGRAM, "id": 3}}
    odoo.records["loyalty.history"] = [
        history(5, 30.0, 0.0),
        {**history(6, 9.0, 0.0), "card_id": other},
    ]
    source = source_of(odoo, movements="points", program=3)
    assert source.read("gift_movements").frame["quantity"].tolist() == [9]


def location(usage, warehouse=None):
    """Return a location."""
    held = {"id": warehouse, "display_name": "W"} if warehouse else False
    return {"id": 1, "usage": usage, "warehouse_id": held}


def a_move(own, source, destination, **more):
    """Return a line of a move that is done."""
    return {
        "id": own, "state": "done", "date": "2026-11-05 06:03:00",
        "write_date": "2026-11-05 06:03:10", "quantity_product_uom": 2.0,
        "product_id": {"id": 55, "display_name": "Cup"}, "lot_id": False,
        "location_id": source, "location_dest_id": destination,
        "picking_id": {"id": 1, "partner_id": WANG}, **more,
    }  # fmt: skip


SHELF, SHOP = location("internal", 1), location("internal", 2)
SUPPLIER, CUSTOMER = location("supplier"), location("customer")
TRANSIT, LOSS = location("transit"), location("inventory")


MOVES = [
    (SUPPLIER, SHELF, ("receipt", "supplier", "warehouse:1")),
    (SHELF, SUPPLIER, ("return", "warehouse:1", "supplier")),
    (SHOP, CUSTOMER, ("issue", "warehouse:2", "member:7")),
    (CUSTOMER, SHOP, ("return", "member:7", "warehouse:2")),
    (SHELF, SHOP, ("transfer", "warehouse:1", "warehouse:2")),
    (SHELF, TRANSIT, ("dispatch", "warehouse:1", "in_transit")),
    (TRANSIT, SHOP, ("arrival", "in_transit", "warehouse:2")),
    (LOSS, SHOP, ("adjustment", "adjustment", "warehouse:2")),
    (SHOP, LOSS, ("adjustment", "warehouse:2", "adjustment")),
    (SHOP, location("production"), ("adjustment", "warehouse:2", "adjustment")),
    (SHELF, location("internal", 1), None),
    (SUPPLIER, CUSTOMER, None),
]


def test_the_usage_of_two_locations_says_what_a_move_is(odoo):
    """Two pieces go from where to where, or stay where the chain's stock is."""
    odoo.records["stock.move.line"] = [
        a_move(number, source, destination)
        for number, (source, destination, _) in enumerate(MOVES, 1)
    ]
    result = source_of(odoo).read("gift_movements")
    assert rows(result.frame, MOVED) == [
        (f"stock-{number}", *moved, 2)
        for number, (_, _, moved) in enumerate(MOVES, 1)
        if moved
    ]
    assert result.rejected == 0


def test_a_lot_is_read_with_its_last_day_where_the_module_is_there(odoo):
    """A moment of Odoo is in UTC, and the day is the chain's."""
    lot = {"id": 4, "name": "L-1", "expiration_date": "2027-05-31 16:30:00"}
    odoo.records["stock.move.line"] = [a_move(8, SUPPLIER, SHELF, lot_id=lot)]
    plain = source_of(odoo).read("gift_movements").frame
    assert rows(plain, ["gift_id", "lot_id"]) == [("55", "L-1")]
    assert plain["valid_through"].isna().all()
    dated = source_of(odoo, expiry=True).read("gift_movements").frame
    assert rows(dated, ["valid_through"]) == [("2027-06-01",)]


def test_stock_is_read_by_products_and_by_what_changed(odoo):
    """Other goods are not asked for; a line that turns out otherwise is replaced."""
    cup = {"id": 56, "display_name": "Bag"}
    odoo.records["stock.move.line"] = [
        a_move(8, SUPPLIER, SHELF),
        a_move(9, SHELF, CUSTOMER, state="assigned"),
        a_move(10, SUPPLIER, SHELF, product_id=cup),
    ]
    odoo.faults = ["429", "half", "500"]
    source = source_of(odoo, items=[55])
    whole = source.changes("gift_movements", since=None)
    assert rows(whole.result.frame, MOVED) == [
        ("stock-8", "receipt", "supplier", "warehouse:1", 2)
    ]
    later = {"write_date": "2026-11-06 06:00:00"}
    odoo.records["stock.move.line"] = [
        a_move(8, location("internal", 1), SHELF, **later),
        a_move(9, SHELF, CUSTOMER, picking_id=False, **later),
    ]
    part = source.changes("gift_movements", since=whole.cursor)
    assert not part.whole
    assert rows(merge_changes(whole.result.frame, part), MOVED) == [
        ("stock-9", "issue", "warehouse:1", "member", 2)
    ]


def test_a_place_may_be_called_by_the_stores_id(odoo):
    """A chain whose warehouses are its stores says so by the words of a column."""
    odoo.records["stock.move.line"] = [a_move(8, SUPPLIER, SHOP)]
    words = {"warehouse:2": "store:3"}
    source = source_of(odoo, gift_movements={"values": {"destination": words}})
    assert rows(source.read("gift_movements").frame, ["destination"]) == [("store:3",)]


def a_partner(own, *, mail=False, phone=False, **more):
    """Return a partner, and whether each of the lists has it."""
    return {
        "id": own, "is_company": False, "active": True,
        "email_normalized": f"p{own}@example.com", "is_blacklisted": mail,
        "phone_sanitized": f"+861381234567{own}", "phone_sanitized_blacklisted": phone,
        "write_date": "2026-09-01 17:00:00", **more,
    }  # fmt: skip


@pytest.mark.parametrize("interface", ["json-2", "json-rpc"])
def test_whom_a_blacklist_has_has_refused_its_channel(odoo, interface):
    """At the moment of the entry; who is on none has said nothing, faults or not."""
    odoo.records["res.partner"] = [
        a_partner(1, mail=True, phone=True),
        a_partner(2, phone=True),
        a_partner(3),
        a_partner(4, mail=True, is_company=True),
    ]
    odoo.records["mail.blacklist"] = [
        {"id": 1, "email": "p1@example.com", "write_date": "2026-11-05 17:00:00"},
    ]
    odoo.records["phone.blacklist"] = [
        {"id": own, "number": f"+861381234567{own}", "write_date": at}
        for own, at in ((1, "2026-10-01 01:00:00"), (2, "2026-10-02 01:00:00"))
    ]
    odoo.faults = ["429", "", "half", "", "500", "half"]
    source = source_of(odoo, interface=interface, user="ada")
    result = source.read("consents")
    names = ["member_id", "channel", "given", "on", "source"]
    assert sorted(rows(result.frame, names)) == [
        ("1", "email", "no", "2026-11-06", "Odoo mail.blacklist"),
        ("1", "sms", "no", "2026-10-01", "Odoo phone.blacklist"),
        ("2", "sms", "no", "2026-10-02", "Odoo phone.blacklist"),
    ]
    # Who is taken from the list again has refused nothing any more.
    odoo.records["res.partner"] = [a_partner(1, mail=True), a_partner(2)]
    again = source.changes(
        "consents", since=source.changes("consents", since=None).cursor
    )
    assert again.whole
    assert list(again.result.frame["channel"]) == ["email"]


def left(own, *, email=False, phone=None, at="2026-11-05 17:00:00", **more):
    """Return a subscription that a contact ended; no partner is named."""
    contact = {"id": own, "email_normalized": email}
    if phone is not None:
        contact["phone_sanitized"] = phone
    return {
        "id": own, "contact_id": contact, "opt_out": True, "opt_out_datetime": at,
        "write_date": "2026-12-31 00:00:00", **more,
    }  # fmt: skip


@pytest.mark.parametrize("interface", ["json-2", "json-rpc"])
def test_whoever_left_a_mailing_list_has_refused_mail(odoo, interface):
    """The latest of several counts; a blacklist and a list are two refusals."""
    odoo.page = 2
    odoo.records["res.partner"] = [
        a_partner(1),
        a_partner(2, mail=True),
        a_partner(3),
        a_partner(4, is_company=True),
        a_partner(5, email_normalized="p1@example.com"),
        a_partner(6, phone=True),
    ]
    odoo.records["mail.blacklist"] = [
        {"id": 1, "email": "p2@example.com", "write_date": "2026-10-01 01:00:00"},
    ]
    odoo.records["phone.blacklist"] = [
        {"id": 1, "number": "+8613812345676", "write_date": "2026-10-02 01:00:00"},
    ]
    odoo.records["mailing.subscription"] = [
        left(1, email="p1@example.com", at="2026-11-01 01:00:00"),
        left(2, email="p1@example.com", at="2026-11-05 17:00:00"),
        left(3, email="p2@example.com", at=False, write_date="2026-11-03 01:00:00"),
        left(4, email="p3@example.com", opt_out=False, at=False),
        left(5, email="p4@example.com"),
        left(6, email=False),
        left(7, email="nobody@example.com"),
    ]
    odoo.faults = ["429", "", "half", "", "500", "half"]
    source = source_of(odoo, interface=interface, user="ada")
    names = ["member_id", "channel", "given", "on", "source"]
    found = source.changes("consents", since=None)
    list_of = "Odoo mailing.subscription"
    assert sorted(rows(found.result.frame, names)) == [
        ("1", "email", "no", "2026-11-06", list_of),
        ("2", "email", "no", "2026-10-01", "Odoo mail.blacklist"),
        ("2", "email", "no", "2026-11-03", list_of),
        ("5", "email", "no", "2026-11-06", list_of),
        ("6", "sms", "no", "2026-10-02", "Odoo phone.blacklist"),
    ]
    # Who is on a list again, or whose subscription is deleted, has left none.
    odoo.records["mailing.subscription"] = [left(3, email="p2@example.com")]
    again = source.changes("consents", since=found.cursor)
    assert again.whole
    assert sorted(again.result.frame["member_id"]) == ["2", "2", "6"]


def test_a_list_that_was_left_by_a_text_is_a_refusal_of_texts(odoo):
    """A subscription does not say how it was ended: each way that there is counts."""
    odoo.records["res.partner"] = [a_partner(1), a_partner(2)]
    odoo.records["mailing.sms.test"] = []
    odoo.records["mailing.subscription"] = [
        left(1, phone="+8613812345671"),
        left(2, email="p2@example.com", phone="+8613812345672"),
    ]
    names = ["member_id", "channel", "on"]
    assert sorted(rows(source_of(odoo).read("consents").frame, names)) == [
        ("1", "sms", "2026-11-06"),
        ("2", "email", "2026-11-06"),
        ("2", "sms", "2026-11-06"),
    ]
    only = source_of(odoo, blacklists=["email"]).read("consents").frame
    assert rows(only, names) == [("2", "email", "2026-11-06")]


def test_the_subscriptions_of_an_older_odoo_have_another_name(odoo):
    """And another field for the moment; a moment to come is the last change's."""
    odoo.records["res.partner"] = [a_partner(1)]
    one = left(1, email="p1@example.com", unsubscription_date="2036-11-05 17:00:00")
    odoo.records["mailing.contact.subscription"] = [one]
    source = source_of(odoo, interface="json-rpc", user="ada")
    names = ["member_id", "on", "source"]
    assert rows(source.read("consents").frame, names) == [
        ("1", "2026-12-31", "Odoo mailing.contact.subscription")
    ]


@pytest.mark.parametrize("interface", ["json-2", "json-rpc"])
@pytest.mark.parametrize("model", ["mailing.subscription", "mailing.sms.test"])
def test_a_list_that_a_key_may_not_see_is_no_consent(odoo, interface, model):
    """Only Odoo's own word that there is no such model is taken for it."""
    odoo.records["res.partner"] = [a_partner(1, mail=True)]
    odoo.records["mailing.subscription"] = [left(1, email="p1@example.com")]
    odoo.forbidden = {model}
    with pytest.raises(SourceError, match="rights") as told:
        source_of(odoo, interface=interface, user="ada").read("consents")
    assert "example.com" not in str(told.value)


def test_a_subscription_without_any_date_is_no_less_a_refusal(odoo):
    """As a script may have written it: of the partner's last change."""
    odoo.records["res.partner"] = [a_partner(1), a_partner(2)]
    odoo.records["mailing.subscription"] = [
        left(1, email="p1@example.com", at=False, write_date=False),
        left(2, email="p2@example.com", at=False, write_date=False),
        left(3, email="p2@example.com", write_date=False),
    ]
    result = source_of(odoo).read("consents")
    assert rows(result.frame, ["member_id", "on"]) == [
        ("1", "2026-09-02"),
        ("2", "2026-11-06"),
    ]
    assert result.rejected == 0


def test_a_contact_that_is_not_shown_is_no_consent(odoo):
    """Whose refusal it was cannot be told then."""
    odoo.records["mailing.subscription"] = [left(1, contact_id=False)]
    with pytest.raises(SourceError, match="does not show the email_normalized"):
        source_of(odoo).read("consents")


def test_an_address_that_is_not_there_is_not_taken_for_a_missing_module(odoo):
    """A server between that lets few models through says 404 too, and not why."""
    odoo.records["res.partner"] = [a_partner(1)]
    odoo.faults = ["", "404"]
    with pytest.raises(SourceError, match=r"mailing\.subscription.*404"):
        source_of(odoo).read("consents")


def test_a_refusal_without_its_entry_is_no_less_a_refusal(odoo):
    """An entry that is gone when it is asked for: of the partner's last change."""
    odoo.records["res.partner"] = [a_partner(1, mail=True)]
    odoo.records["mail.blacklist"] = []
    result = source_of(odoo).read("consents")
    names = ["member_id", "channel", "given", "on"]
    assert rows(result.frame, names) == [("1", "email", "no", "2026-09-02")]
    assert result.rejected == 0


def test_what_a_long_transaction_wrote_is_not_missed(odoo):
    """Odoo dates a line by the beginning of its transaction, not by its end."""
    odoo.records["stock.move.line"] = [
        a_move(8, SUPPLIER, SHELF, write_date="2026-11-05 06:10:00")
    ]
    source = source_of(odoo)
    before = source.changes("gift_movements", since=None)
    odoo.records["stock.move.line"] = [
        a_move(9, SUPPLIER, SHELF, write_date="2026-11-05 05:15:00")
    ]
    part = source.changes("gift_movements", since=before.cursor)
    assert not part.whole
    assert list(part.result.frame["posting_id"]) == ["stock-9"]


def test_only_the_blacklists_that_are_installed_are_asked(odoo):
    """Without the module of texts its fields do not exist."""
    partner = a_partner(1, mail=True)
    del partner["phone_sanitized"], partner["phone_sanitized_blacklisted"]
    odoo.records["res.partner"] = [partner]
    odoo.records["mail.blacklist"] = [
        {"id": 1, "email": "p1@example.com", "write_date": "2026-11-05 01:00:00"},
    ]
    found = source_of(odoo, blacklists=["email"]).read("consents").frame
    assert list(found["channel"]) == ["email"]
    assert {model for model, _ in odoo.asked} == {"res.partner", "mail.blacklist"}


def a_ticket(own, **more):
    """Return a ticket that no module's own fields are in yet."""
    return {
        "id": own, "name": "杯子碎了", "create_date": "2026-11-05 06:03:00",
        "write_date": "2026-11-05 06:03:00", "partner_id": WANG, "priority": "2",
        "user_id": {"id": 12, "display_name": "Ada"}, "active": True, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("helpdesk", "own"),
    [
        ("helpdesk", {"ticket_type_id": "category", "close_date": "end"}),
        ("helpdesk_mgmt", {"category_id": "category", "closed_date": "end"}),
    ],
)
def test_tickets_are_complaints_and_end_where_they_were_closed(odoo, helpdesk, own):
    """By the fields of the module; one that was opened again is open."""
    kind = {"id": 3, "display_name": "质量"}

    def ticket(number, end=False, **more):  # noqa: FBT002 - as Odoo says "none"
        values = {"category": kind, "end": end}
        fields = {name: values[part] for name, part in own.items()}
        return a_ticket(number, **fields, closed=bool(end), **more)

    odoo.records["helpdesk.ticket"] = [
        ticket(1, "2026-11-06 02:00:00"),
        ticket(2),
    ]
    source = source_of(odoo, helpdesk=helpdesk)
    names = ["case_id", "member_id", "category", "priority", "handler", "statement"]
    assert rows(source.read("complaints").frame, names)[0] == (
        "1", "7", "质量", "2", "12", "杯子碎了",
    )  # fmt: skip
    ends = source.changes("case_events", since=None)
    assert rows(ends.result.frame, ["case_id", "kind", "by"]) == [("1", "closed", "12")]
    opened = ticket(1, write_date="2026-11-07 01:00:00")
    if helpdesk == "helpdesk_mgmt":
        opened["closed_date"] = "2026-11-06 02:00:00"
    odoo.records["helpdesk.ticket"] = [opened]
    part = source.changes("case_events", since=ends.cursor)
    assert merge_changes(ends.result.frame, part).empty


def test_a_cursor_is_of_one_database(odoo):
    """Two databases at one address: what another one gave is not built upon."""
    odoo.records["res.partner"] = [
        {
            "id": 7, "name": "王小明", "phone": False, "is_company": False,
            "create_date": "2026-11-02 01:00:00", "write_date": "2026-11-02 01:00:00",
            "active": True,
        }
    ]  # fmt: skip
    for interface in ("json-2", "json-rpc"):
        how = {"interface": interface, "user": "ada"}
        before = source_of(odoo, **how).changes("members", since=None)
        same = source_of(odoo, **how).changes("members", since=before.cursor)
        assert not same.whole
        other = source_of(odoo, database="other", **how)
        found = other.changes("members", since=before.cursor)
        assert found.whole
        assert {each.rule for each in found.result.findings} == {"cursor-unknown"}


FILLED = {
    "cards": ("loyalty.card", a_card(1, "0441", "2027-02-28")),
    "gift_movements": ("stock.move.line", a_move(8, SUPPLIER, SHELF)),
    "consents": ("res.partner", a_partner(1, mail=True)),
    "complaints": ("helpdesk.ticket", a_ticket(1, ticket_type_id=False)),
    "case_events": ("helpdesk.ticket", a_ticket(1, close_date="2026-11-06 02:00:00")),
}


@pytest.mark.parametrize("table", FILLED)
def test_each_table_keeps_the_promises_of_all_sources(odoo, table):
    """Types, reasons, repeatable, masked."""
    model, record = FILLED[table]
    odoo.records[model] = [record]
    odoo.records["mail.blacklist"] = [
        {"id": 1, "email": "p1@example.com", "write_date": "2026-11-05 01:00:00"},
    ]
    check_source(source_of(odoo), table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"movements": "both"}, "'movements' is stock or points"),
        ({"helpdesk": "zendesk"}, "'helpdesk' helpdesk or helpdesk_mgmt"),
        ({"blacklists": ["fax"]}, "'blacklists' are"),
        ({"items": ["SKU-1"]}, "'items' are ids"),
        ({"items": []}, "'items' are ids"),
        ({"items": [55], "movements": "points"}, "not points"),
        ({"program": "3"}, "'program' is the id"),
    ],
)
def test_an_option_that_cannot_be_is_told_at_once(odoo, options, message):
    """Before anything is asked."""
    with pytest.raises(ConfigurationError, match=message):
        source_of(odoo, **options)
    assert not odoo.asked
