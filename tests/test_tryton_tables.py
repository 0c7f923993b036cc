"""Promises of what is read of Tryton beside sales, where its server shows none."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from memberops.adapters.sources.joined_source import JoinedSource
from memberops.adapters.sources.tryton_cases import case_events
from memberops.adapters.sources.tryton_places import StockPlaces
from memberops.adapters.sources.tryton_source import TrytonSource
from memberops.adapters.sources.tryton_stock import kind_of
from memberops.errors import ConfigurationError, SourceError
from memberops.ledger import Ledger
from memberops.ledger.flow_tables import read_movements
from memberops.policies import read_cases
from memberops.testing.contracts import check_source
from pos_checks import CONTEXT, Replay, read_changed, read_whole
from servers.tryton_till import TillSections
from sms_server import SmsServer, answer

RECORDED = Path(__file__).parent / "data" / "pos" / "recorded" / "tryton.json"
NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
DAY = {"__class__": "date", "year": 2026, "month": 11, "day": 5}


def at(day, hour=0):
    """Return a moment of November as Tryton writes it."""
    return {"__class__": "datetime", "year": 2026, "month": 11, "day": day,
            "hour": hour, "minute": 0, "second": 0, "microsecond": 0}  # fmt: skip


def told(day, hour=0):
    """Return the same moment as a source reads it."""
    return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)


class Office:
    """Tryton with a few records of each model, which it gives whatever is asked."""

    def __init__(self):
        self.models = {}
        self.fields = {}
        self.asked = []
        self._server = SmsServer()
        self._server.reply = self._reply

    def _reply(self, seen):
        call = json.loads(seen.body)
        self.asked.append(call)
        method, params = call["method"], call["params"]
        model, _, verb = method.removeprefix("model.").rpartition(".")
        rows = self.models.get(model, [])
        if method == "common.db.login":
            said = [1, "key"]
        elif verb == "fields_get":
            said = self.fields[model]
        elif self._asks_in_vain(model, params):
            return answer({"error": ["'member '", "Traceback: ..."]})
        elif verb == "search_read":
            said = [row for row in rows if row["id"] > params[0][-1][2]]
        elif verb == "search":
            said = [max(row["id"] for row in rows)] if rows else []
        else:
            said = len(rows) if verb == "search_count" else rows
        return answer(
            {"result": said}, headers=[("Date", "Mon, 09 Nov 2026 08:00:00 GMT")]
        )

    def _asks_in_vain(self, model, params):
        """Tell whether a field is asked for that the model has not."""
        known = self.fields.get(model)
        return known is not None and not known.keys() >= {
            each.partition(".")[0] for each in params[4]
        }

    def asked_for(self, method):
        """Return the parameters of each call of a method."""
        return [each["params"] for each in self.asked if each["method"] == method]

    def source(self, **options):
        """Return a source that reads it."""
        return TrytonSource(
            CONTEXT, url=self._server.url, database="pos", user="reader",
            password=lambda: "secret", patience={"attempts": 1}, **options,
        )  # fmt: skip

    def close(self):
        """Accept nothing more."""
        self._server.close()


@pytest.fixture
def office():
    """An office in which nothing happened yet."""
    made = Office()
    made.models["stock.location"] = [
        place(1, "supplier"),
        place(2, "warehouse", code="S01"),
        place(3, "storage", parent=2),
    ]
    yield made
    made.close()


def place(number, kind, *, code=None, parent=None, waste=()):
    """Return a location."""
    return {"id": number, "code": code, "type": kind, "parent": parent,
            "waste_warehouses": list(waste)}  # fmt: skip


def a_move(number, quantity):
    """Return a receipt of so many."""
    return {
        "id": number, "state": "done", "product": 9, "product.": {"code": None},
        "internal_quantity": quantity, "effective_date": DAY, "from_location": 1,
        "to_location": 3, "shipment": None, "origin": None, "create_date": at(5),
        "write_date": None,
    }  # fmt: skip


def test_half_a_piece_is_refused_and_told(office):
    """A gift is moved in whole pieces, and nothing is rounded."""
    office.models["stock.move"] = [a_move(1, 3.0), a_move(2, 0.5), a_move(3, 0.0)]
    result = office.source().read("gift_movements")
    assert result.frame["quantity"].tolist() == [3]
    assert result.frame["gift_id"].tolist() == ["9"]
    assert result.frame["destination"].tolist() == ["store:S01"]
    assert result.rejects["line"].tolist() == [2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"places": {"S01": "shop:S01"}}, {"places": ["S01"]}, {"items": "G-1"},
        {"items": []}, {"items": [True]}, {"email_lists": "newsletter"},
        {"chat_days": -1}, {"chat_days": True}, {"chat_days": 1.5},
        {"orders": "pos.order"}, {"member_field": "party"},
        {"member_field": "invoice.party", "orders": "sale.point.sale"},
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused_at_once(office, wrong):
    """By its name, before the server is asked for anything."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        office.source(**wrong)
    assert not office.asked


def test_a_place_that_tryton_lacks_is_refused(office):
    """A slip in a code would let all goods of a store lie elsewhere."""
    with pytest.raises(ConfigurationError, match="S01"):
        office.source(places={"S0l": "warehouse"}).read("gift_movements")


def test_a_code_is_not_taken_for_the_number_of_another_location():
    """Stores are often called by numbers; a number is of a location without a code."""
    shops = [
        place(12, "warehouse", code="7"),
        place(7, "warehouse", code="12"),
        place(3, "warehouse"),
    ]
    places = StockPlaces(shops, {"7": "warehouse", "3": "store:three"})
    assert [places.of(number) for number in (12, 7, 3)] == [
        "warehouse", "store:12", "store:three",
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="'8'"):
        StockPlaces([place(8, "warehouse", code="S8")], {"8": "warehouse"})


def test_a_way_that_is_called_otherwise_is_another_place():
    """So that all is read again, and no dispatch waits where nothing arrives."""
    marks = [StockPlaces([place(5, "storage", code=code)], {}).marks for code in "AB"]
    assert marks == [[(5, "in_transit:A")], [(5, "in_transit:B")]]


def test_a_product_that_is_called_otherwise_is_read_again(office):
    """What it moved stands under its new code, or is none of those named any more."""
    office.models["stock.move"] = [a_move(1, 3.0)]
    office.models["product.product"] = [{"id": 9, "code": "G-1"}]
    for items, whole in ((None, False), (["G-1", "9"], True)):
        source = office.source(items=items)
        cursor = source.changes("gift_movements", since=None).cursor
        assert not source.changes("gift_movements", since=cursor).whole
        asked = office.asked_for("model.stock.move.search_read")[-1][0]
        assert "'product.write_date', '>='" in str(asked)
        office.models["product.product"][0]["code"] = "G-9"
        assert source.changes("gift_movements", since=cursor).whole is whole
        office.models["product.product"][0]["code"] = "G-1"


def test_goods_that_tryton_does_not_know_are_told(office):
    """By code or number, for a slip would leave a gift out in silence."""
    office.models["stock.move"] = [a_move(1, 3.0)]
    office.models["product.product"] = [
        {"id": 9, "code": "G-1"},
        {"id": 8, "code": None},
    ]
    result = office.source(items=["G-1", 8, "9", "G-2", 7]).read("gift_movements")
    (finding,) = result.findings
    assert (finding.rule, finding.count) == ("items-unknown", 2)
    assert "G-2" in finding.message_en
    moves, *_ = office.asked_for("model.stock.move.search_read")
    assert ["product", "in", [8, 9]] in moves[0][0]


def test_a_location_is_part_of_what_it_lies_in():
    """The nearest that is named counts, then the warehouse, else goods are away."""
    places = StockPlaces(
        [
            place(1, "warehouse", code="S01"),
            place(2, "storage", parent=1),
            place(3, "view", code="SHELVES", parent=1),
            place(4, "storage", parent=3),
            place(5, "storage"),
            place(6, "lost_found"),
            place(7, "lost_found", waste=[1]),
            place(8, "drop"),
            place(9, "customer", code="STAFF"),
        ],
        {"SHELVES": "store:S01:shelves", "STAFF": "adjustment:staff"},
    )
    assert [places.of(number) for number in (2, 4, 5, 6, 7, 8, 9)] == [
        "store:S01", "store:S01:shelves", "in_transit:5", "adjustment", "destroyed",
        "supplier", "adjustment:staff",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "destination", "kind"),
    [
        ("store:S01", "store:S02", "transfer"),
        ("opening", "warehouse", "opening"),
        ("destroyed", "store:S01", "adjustment"),
        ("supplier", "member:7", "issue"),
        ("member:7", "supplier", "return"),
    ],
)
def test_a_movement_is_named_by_both_of_its_ends(source, destination, kind):
    """Words of the gift forms, whichever way the goods went."""
    assert kind_of(source, destination) == kind


def a_ticket(number, *lines, state="done", point=1, code="CNY", **more):
    """Return a ticket of the till; lines are quantities and prices with tax."""
    return {
        "id": number, "state": state, "date": DAY, "point": point,
        "currency.": {"code": code, "rounding": decimal("0.01")},
        "create_date": at(5), "write_date": None,
        "lines.": [
            {"quantity": quantity, "unit_gross_price": decimal(price), "product": 9,
             "product.": {"code": None, "rec_name": "tea"}, "create_date": at(5),
             "write_date": None}
            for quantity, price in lines
        ],
        **more,
    }  # fmt: skip


def decimal(text):
    """Return an amount as Tryton writes it."""
    return {"__class__": "Decimal", "decimal": text}


@pytest.fixture
def tills(office):
    """Two tills: one of the store, one in a corner that lies in no store."""
    office.models["stock.location"].append(place(4, "storage", code="FAIR"))
    office.models["sale.point"] = [
        {"id": 1, "storage_location": 3}, {"id": 2, "storage_location": 4}
    ]  # fmt: skip
    return office


def test_a_ticket_of_the_till_counts_once_it_is_paid(tills):
    """What is open or canceled is no sale, unless the chain says which states are."""
    tills.models["sale.point.sale"] = [
        a_ticket(number, (1, "5.0000"), state=state)
        for number, state in enumerate(("open", "done", "posted", "cancelled"), 1)
    ]
    for options, kept in (({}, ["point-2", "point-3"]), ({"states": ["posted"]},
                                                         ["point-3"])):  # fmt: skip
        source = tills.source(orders="sale.point.sale", **options)
        frame = source.read("sales").frame
        assert frame["ticket_id"].tolist() == kept
        assert frame["store_id"].unique().tolist() == ["S01"]
    cursor = source.changes("sales", since=None).cursor
    changes = source.changes("sales", since=cursor)
    assert changes.deleted == (("point-1",), ("point-2",), ("point-4",))


def test_lines_of_the_till_have_their_tax_and_half_a_cent_is_rounded_as_there(tills):
    """To the even cent; a price of parts of a cent is left out, and nothing is told."""
    tills.models["sale.point.sale"] = [
        a_ticket(1, (3, "0.3950"), (1, "0.0250"), (-2, "113.0000"))
    ]
    result = tills.source(orders="sale.point.sale").read("sales")
    # 1.185 and 0.025 lie between two cents.
    assert result.frame["amount"].tolist() == [118, 2, -22600]
    assert result.frame["quantity"].tolist() == [3, 1, -2]
    assert result.frame["unit_price"].isna().tolist() == [True, True, False]
    assert result.frame["unit_price"].iloc[2] == 11300
    assert not result.findings


def test_an_amount_of_the_till_in_another_currency_is_refused(tills):
    """Yuan and dollars are never added up."""
    tills.models["sale.point.sale"] = [a_ticket(1, (1, "5.00"), code="USD")]
    result = tills.source(orders="sale.point.sale").read("sales")
    assert (result.accepted, result.rejected) == (0, 1)


def test_a_till_is_of_the_store_that_its_place_is_named_as(tills):
    """A corner of a fair has no store until the chain says of which one it is."""
    tills.models["sale.point.sale"] = [a_ticket(1, (1, "5.00"), point=2)]
    options = {"orders": "sale.point.sale"}
    assert tills.source(**options).read("sales").rejected == 1
    options["places"] = {"FAIR": "store:S01:fair"}
    frame = tills.source(**options).read("sales").frame
    assert frame["store_id"].tolist() == ["S01"]


def test_a_party_is_read_from_the_field_that_a_chain_added(tills):
    """Tryton's own tickets name none; whom all is sold to without one is no member."""
    tills.models["sale.point.sale"] = [
        a_ticket(number, (1, "5.00"), party=party)
        for number, party in enumerate((71, 8, None), 1)
    ]
    options = {"orders": "sale.point.sale", "walk_in": [8]}
    assert tills.source(**options).read("sales").frame["member_id"].isna().all()
    frame = tills.source(**options, member_field="party").read("sales").frame
    assert frame["member_id"].fillna("").tolist() == ["71", "", ""]
    asked = tills.asked_for("model.sale.point.sale.search_read")
    assert ["party" in each[4] for each in asked] == [False, False, True, True]


@pytest.mark.parametrize(
    ("known", "english", "chinese"),
    [
        ({"member": "party.party", "membre": "res.user"}, "did you mean 'member'?",
         "相近的字段：'member'"),
        ({"state_2": "res.user"}, "no field of it refers to a party",
         "该模型没有指向客户（party.party）的字段"),
        (None, "check the rights", ""),
    ],
)  # fmt: skip
def test_a_misspelt_field_of_the_member_is_told_with_the_nearest(
    tills, known, english, chinese
):
    """The option is named, and what a party may stand in, in both languages."""
    own = ["lines", "point", "currency", "state", "date", "create_date", "write_date"]
    tills.fields["sale.point.sale"] = {each: {"type": "char"} for each in own}
    for name, model in (known or {"membr": "party.party"}).items():
        tills.fields["sale.point.sale"][name] = {"type": "many2one", "relation": model}
    if known is None:  # the field is there, so it is another trouble
        tills.fields["sale.point.sale"].pop("point")
    source = tills.source(orders="sale.point.sale", member_field="membr")
    with pytest.raises(SourceError, match=re.escape(english)) as caught:
        source.read("sales")
    assert chinese in caught.value.text_zh
    assert ("'member_field' names 'membr'" in str(caught.value)) == (known is not None)


def message(number, words, *, audience="public", user=None, author=None):
    """Return a message of a chat."""
    return {"id": number, "content": words, "audience": audience, "user": user,
            "author": author, "timestamp": told(5, number)}  # fmt: skip


def test_only_what_was_said_to_or_by_the_customer_is_an_event():
    """Notes of the office and what Tryton itself says are none."""
    chat = [
        message(1, "someone joined", user=0),
        message(2, "for us", audience="internal", user=4),
        message(3, "we are sorry", user=4, author="Ann"),
        message(4, "thank you", author="c@example.com"),
    ]
    found = [(each["kind"], each["by"], each["note"]) for each in case_events([], chat)]
    assert found == [
        ("replied", 4, "we are sorry"),
        ("customer_message", None, "thank you"),
    ]


def test_a_complaint_is_reopened_only_where_it_had_ended():
    """Sent back before it was decided it never was closed; done twice is two ends."""
    states = ["waiting", "draft", "waiting", "approved", "done", "draft", "waiting",
              "rejected", "draft"]  # fmt: skip
    logs = [
        {"id": number, "target": f"state:{state}", "user": 1,
         "create_date": told(5, number)}
        for number, state in enumerate(states)
    ]  # fmt: skip
    found = [each["kind"] for each in case_events(reversed(logs), [])]
    assert found == ["solved", "reopened", "closed", "reopened"]


def test_a_chat_is_asked_for_until_days_after_the_end(office):
    """Open ones always, ended ones for so many days, none where no chat is wanted."""
    office.models["sale.complaint"] = [
        {"id": 8, "state": "draft", "create_date": at(8), "write_date": None}
    ]
    source = office.source(chat_days=3, overlap_seconds=0)
    cursor = source.changes("case_events", since=None).cursor
    assert len(office.asked_for("model.ir.chat.channel.get")) == 1
    office.asked.clear()
    assert not source.changes("case_events", since=cursor).whole
    domain = office.asked_for("model.sale.complaint.search_read")[0][0][0]
    assert ["write_date", ">=", at(5)] in domain
    assert ["state", "in", ["draft", "waiting", "approved"]] in domain
    office.asked.clear()
    office.source(chat_days=0).read("case_events")
    assert not office.asked_for("model.ir.chat.channel.get")


def a_complaint(number, state, **more):
    """Return a complaint of the fifth that was changed on the ninth."""
    return {
        "id": number, "state": state, "create_date": at(5, 3), "write_date": at(9),
        "date": DAY, "customer": 7, "type.": {"name": "service"}, "origin": None,
        "customer.": {"name": "王小明", "mobile": "13812345678", "phone": None},
        "description": "线头开了", "create_uid": 4, **more,
    }  # fmt: skip


def a_log(number, complaint, state, day):
    """Return what Tryton notes of a change."""
    return {"id": number, "resource": f"sale.complaint,{complaint}", "user": 4,
            "target": f"state:{state}", "create_date": at(day)}  # fmt: skip


def test_a_complaint_that_ended_without_a_log_is_not_open_for_ever(office):
    """As of a time before Tryton kept logs; it ended at its last change."""
    office.models |= {
        "sale.complaint": [
            a_complaint(1, "done"), a_complaint(2, "rejected"), a_complaint(3, "done"),
            a_complaint(4, "waiting"), a_complaint(5, "done"), a_complaint(6, "done"),
            a_complaint(7, "cancelled"),
        ],
        "ir.model.log": [
            a_log(1, 3, "done", 8),
            # Taken up again while it is read, and once before it ended unseen.
            a_log(2, 5, "done", 9), a_log(3, 5, "draft", 10),
            a_log(4, 6, "done", 7), a_log(5, 6, "draft", 8),
        ],
    }  # fmt: skip
    frame = office.source(chat_days=0).read("case_events").frame
    found = frame.groupby("case_id")["kind"].agg(list).to_dict()
    assert found == {
        "1": ["solved"], "2": ["closed"], "3": ["solved"],
        "5": ["solved", "reopened"], "6": ["solved", "reopened", "solved"],
    }  # fmt: skip
    assert frame.loc[frame["case_id"] == "1", "at"].tolist() == [told(9)]


def test_a_complaint_did_not_come_in_after_it_was_written_down(office):
    """A slip in the year would keep it out of the case list until then."""
    slip = DAY | {"year": 2027}
    office.models["sale.complaint"] = [a_complaint(1, "draft", date=slip)]
    frame = office.source().read("complaints").frame
    assert frame["received_at"].tolist() == [told(5, 3)]


def test_who_has_no_chats_is_told_what_to_set(office):
    """An older Tryton has none, and its refusal names a model that nobody knows."""
    office.models["sale.complaint"] = [a_complaint(1, "draft")]
    reply = office._server.reply
    office._server.reply = lambda seen: (
        answer({"error": ["KeyError", "x"]}) if b"ir.chat" in seen.body else reply(seen)
    )
    with pytest.raises(SourceError, match="chat_days = 0"):
        office.source().read("case_events")


LEFT = {"active": False, "create_date": at(1), "write_date": at(5, 20)}
ASKED = LEFT | {"write_date": None}
ON = LEFT | {"active": True}
SAID = ["member_id", "channel", "given", "source"]


def subscribed(office, *emails):
    """Let addresses be on, or have left, a list called letter or one called offers."""
    office.models["marketing.email.list"] = [
        {"id": 1, "name": "letter", "active": True},
        {"id": 2, "name": "offers", "active": True},
        {"id": 3, "name": "of old", "active": False},
    ]
    office.models["marketing.email"] = [
        {"id": number, "email": address, "list_": place, **said}
        for number, (address, place, said) in enumerate(emails, 1)
    ]


def web_users(office, *users):
    """Let parties have web users with addresses."""
    office.models["web.user"] = [
        {"id": number, "email": address, "party": party, "active": active}
        for number, (address, party, active) in enumerate(users, 1)
    ]


def test_who_left_a_list_has_refused_and_who_never_confirmed_said_nothing(office):
    """Letters count alike, and in Shanghai it is the next day."""
    web_users(office, ("A@example.com", 7, True), ("b@example.com", 8, True))
    subscribed(office, ("a@example.com", 1, LEFT), ("b@example.com", 1, ASKED))
    frame = office.source().read("consents").frame
    assert frame[SAID].values.tolist() == [["7", "email", "no", "letter"]]
    assert str(frame["on"].iloc[0])[:10] == "2026-11-06"
    with pytest.raises(ConfigurationError, match="letter"):
        office.source(email_lists=["leter"]).read("consents")


def test_a_refusal_is_not_outdone_by_another_list_or_address(office):
    """Whoever left one of the lists that count is not written to."""
    web_users(office, ("a@example.com", 7, True), ("old@example.com", 8, True),
              ("new@example.com", 8, True))  # fmt: skip
    later = ON | {"create_date": at(8), "write_date": at(9)}
    subscribed(office, ("a@example.com", 1, LEFT), ("a@example.com", 2, later),
               ("old@example.com", 1, LEFT), ("new@example.com", 1, later))  # fmt: skip
    frame = office.source().read("consents").frame
    assert sorted(frame[SAID].values.tolist()) == [
        ["7", "email", "no", "letter"], ["8", "email", "no", "letter"],
    ]  # fmt: skip


def test_a_refusal_is_of_all_who_had_the_address_and_an_agreement_of_who_has_it(office):
    """A web user of before still says no, and says yes no more."""
    web_users(office, ("a@example.com", 6, False), ("a@example.com", 7, True),
              ("b@example.com", 8, False))  # fmt: skip
    subscribed(office, ("a@example.com", 1, LEFT), ("b@example.com", 1, ON))
    frame = office.source().read("consents").frame
    assert sorted(frame[SAID].values.tolist()) == [
        ["6", "email", "no", "letter"], ["7", "email", "no", "letter"],
    ]  # fmt: skip


def test_who_refused_without_a_web_user_is_found_by_the_address(office):
    """Whoever can be reached there; the server may give more addresses than asked."""
    web_users(office)
    subscribed(office, ("a_b@example.com", 1, LEFT), ("c@example.com", 1, ON),
               ("d@example.com", 1, ASKED))  # fmt: skip
    office.models["party.contact_mechanism"] = [
        {"id": number, "party": 10 + number, "value": value}
        for number, value in enumerate(
            ["A_b@example.com", "axb@example.com", "c@example.com"], 1
        )
    ]
    frame = office.source().read("consents").frame
    assert frame[SAID].values.tolist() == [["11", "email", "no", "letter"]]
    asked = office.asked_for("model.party.contact_mechanism.search_read")[0][0][0]
    assert ["OR", ["value", "ilike", "a_b@example.com"]] in asked
    assert ["active", "=", True] in asked


def test_nobody_agrees_by_a_list_that_is_not_in_use(office):
    """What was refused there stays refused."""
    web_users(office, ("a@example.com", 7, True), ("b@example.com", 8, True))
    subscribed(office, ("a@example.com", 3, ON), ("b@example.com", 3, LEFT))
    frame = office.source().read("consents").frame
    assert frame[SAID].values.tolist() == [["8", "email", "no", "of old"]]


def test_an_agreement_is_as_old_as_its_record(office):
    """Whatever is corrected in it later overrules no refusal of meanwhile."""
    web_users(office, ("a@example.com", 7, True))
    subscribed(office, ("a@example.com", 1, ON))
    frame = office.source().read("consents").frame
    assert frame["given"].tolist() == ["yes"]
    assert frame["at"].tolist() == [told(1)]


def test_a_module_that_is_not_there_is_named(office):
    """Who has no complaints in Tryton is told which module would have them."""
    office._server.reply = lambda seen: answer(
        {"result": [1, "key"]}
        if b"login" in seen.body
        else {"error": ["KeyError", "x"]}
    )
    with pytest.raises(SourceError, match=r"module of marketing\.email\.list"):
        office.source().read("consents")


MORE = ("gift_movements", "complaints", "case_events", "consents", "till")


@pytest.fixture(scope="module")
def recorded():
    """A source of what a real server said."""
    server, recording = Replay.of(RECORDED)
    given = {**recording["options"], "url": server.url, "password": lambda: "secret"}
    yield TillSections(CONTEXT, **given, overlap_seconds=0)
    server.close()


@pytest.fixture(scope="module")
def told_tables(recorded):
    """What a real server gave of goods and complaints, with what changed since."""
    frames, before = read_whole(recorded, MORE)
    merged, _ = read_changed(recorded, frames, before)
    return merged


@pytest.mark.usefixtures("told_tables")  # the last answers, which stay
@pytest.mark.parametrize("table", MORE[:-1])
def test_each_table_keeps_the_promises_of_all_sources(recorded, table):
    """Types, reasons and masks as of every source, and the same answer again."""
    check_source(recorded, table)


@pytest.mark.usefixtures("told_tables")
def test_sales_orders_and_tickets_of_the_till_stand_side_by_side(recorded):
    """Both are numbered from one, and neither is taken for the other."""
    orders, tickets = recorded.sections
    check_source(tickets, "sales")
    both = JoinedSource(orders, tickets).read("sales")
    parts = [each.read("sales") for each in (orders, tickets)]
    assert both.accepted == sum(part.accepted for part in parts)
    assert not both.findings
    numbers = [set(part.frame["ticket_id"]) for part in parts]
    assert {f"point-{each}" for each in numbers[0]} & numbers[1]


def test_a_ledger_takes_what_tryton_moved(told_tables):
    """Each move is a posting, in whatever order they stand, and the stock is right."""
    postings, findings = read_movements(told_tables["gift_movements"])
    assert not findings
    ledger = Ledger()
    for each in sorted(postings, key=lambda one: one.effective_at):
        ledger.post(each)
    # Ten dozen and seven came, thirty were sent to the store.
    assert ledger.balance("G-1", "warehouse", as_of=NOW) == 120 + 7 - 30
    assert ledger.balance("G-2", "warehouse", as_of=NOW) == 50
    # Two were lost and one found, three scrapped, four made; three went out, of which
    # two came back, as did another one; the till sold two and took one back.
    store = 30 - 2 + 1 - 3 + 4 - 3 + 2 + 1 - 2 + 1
    assert ledger.balance("G-1", "store:S01", as_of=NOW) == store
    assert ledger.balance("G-1", "in_transit:S01", as_of=NOW) == 0


def test_the_cases_of_tryton_are_cases_of_the_office(told_tables):
    """Complaints and what happened fit together; only new and open ones wait."""
    cases, findings = read_cases(
        told_tables["complaints"], told_tables["case_events"], currency=CONTEXT.currency
    )
    assert not findings
    assert not [each for case in cases for each in case.findings()]
    ends = [[event.kind.value for event in case.events] for case in cases]
    assert sorted(ends) == sorted(
        [["solved"], ["replied", "closed"], ["replied"], [], ["solved", "reopened"], []]
    )
