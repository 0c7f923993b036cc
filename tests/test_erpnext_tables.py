"""Points, stock, refusals and issues of ERPNext, as its documentation has them."""

import datetime as dt
import hashlib
import hmac
from pathlib import Path
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import pytest

from erp_world import ErpServer, frappe_answers
from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.erpnext import erpnext_source
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
WANG = "C-" + hashlib.sha256("王小明".encode()).hexdigest()[:16]
AT = "2026-11-05 14:03:10.123456"
LATER = "2026-11-06 09:00:00.000000"


@pytest.fixture
def site():
    """A site that a test fills."""
    with ErpServer(frappe_answers) as made:
        yield made


def source_of(site, **options):
    """Return a source of it that does not wait."""
    more = {"patience": {"attempts": 9}, **options}
    return erpnext_source(
        CONTEXT, base_url=site.url, token=lambda: "k:s", sleep=lambda _: None, **more
    )


def an_entry(points, **more):
    """Return an entry of loyalty points."""
    return {
        "modified": AT, "creation": AT, "customer": "CUST-2026-00007",
        "loyalty_program": "积分", "loyalty_points": points, "redeem_against": None,
        "expiry_date": "2027-11-05", "posting_date": "2026-11-05",
        "invoice_type": "POS Invoice", "invoice": "ACC-1", **more,
    }  # fmt: skip


def test_a_redemption_takes_from_the_lot_that_it_names(site):
    """What was given is a lot with its last day; both name the ticket."""
    site.records["Loyalty Point Entry"] = {
        "a1": an_entry(30),
        "b2": an_entry(-20, redeem_against="a1", invoice="ACC-2"),
        "c3": an_entry(-1, invoice_type="Sales Invoice", customer="王小明"),
    }
    result = source_of(site, movements="points").read("gift_movements")
    own, nobody = "wallet:CUST-2026-00007", f"wallet:{WANG}"
    lot = "POS Invoice-ACC-1"
    names = [*MOVED, "lot_id", "valid_through", "refers_to"]
    assert rows(result.frame, names) == [
        (f"points-{lot}", "award", "program:earned", own, 30, lot, "2027-11-05",
         "ticket=ACC-1"),
        ("points-b2", "spend", own, "program:spent", 20, lot, "2027-11-05",
         "ticket=ACC-2"),
        ("points-c3", "spend", nobody, "program:spent", 1, None, None, None),
    ]  # fmt: skip
    assert str(result.frame["effective_at"].iloc[0])[:19] == "2026-11-05 06:03:10"
    assert "王小明" not in result.frame.to_csv()


def test_points_of_another_day_are_of_its_beginning(site):
    """An entry that was made later for an earlier day counts on that day."""
    site.records["Loyalty Point Entry"] = {"a1": an_entry(5, posting_date="2026-11-01")}
    frame = source_of(site, movements="points").read("gift_movements").frame
    assert str(frame["effective_at"].iloc[0])[:19] == "2026-10-31 16:00:00"


def test_entries_that_vanish_are_gone_at_the_next_reading(site):
    """ERPNext deletes those of a canceled invoice, so all are read each time."""
    site.records["Loyalty Point Entry"] = {
        "a1": an_entry(30),
        "b2": an_entry(4, invoice="ACC-2"),
    }
    source = source_of(site, movements="points", program="积分")
    whole = source.changes("gift_movements", since=None)
    del site.records["Loyalty Point Entry"]["a1"]
    site.records["Loyalty Point Entry"]["c3"] = an_entry(9, loyalty_program="B")
    again = source.changes("gift_movements", since=whole.cursor)
    assert again.whole
    assert list(again.result.frame["posting_id"]) == ["points-POS Invoice-ACC-2"]


def test_points_of_an_invoice_are_never_two_awards_in_a_ledger(site):
    """Where goods come back ERPNext gives them anew: the ledger refuses and tells."""
    sold = an_entry(30)
    by_hand = an_entry(4, creation="2026-11-05 15:00:00")
    taken = an_entry(-6, redeem_against="a1", invoice="ACC-2", expiry_date=None,
                     creation="2026-11-06 15:00:00")  # fmt: skip
    source = source_of(site, movements="points")
    ledger = Ledger()

    def posted():
        frame = source.read("gift_movements").frame
        postings, findings = read_movements(frame.sample(frac=1, random_state=1))
        assert findings == ()
        for each in sorted(postings, key=lambda posting: posting.effective_at):
            ledger.post(each)
        return ledger.balance("points", "wallet:CUST-2026-00007")

    site.records["Loyalty Point Entry"] = {"a1": sold, "b2": by_hand, "c3": taken}
    # The redemption of the day before is entered on the next.
    assert (posted(), posted()) == (28, 28)
    fewer = an_entry(20, creation="2026-11-06 09:00:00")
    site.records["Loyalty Point Entry"] = {"z9": fewer}
    with pytest.raises(KeyConflictError):
        posted()
    assert ledger.balance("points", "wallet:CUST-2026-00007") == 28


def a_change(quantity, voucher, **more):
    """Return an entry of the stock ledger."""
    return {
        "modified": AT, "item_code": "CUP", "warehouse": "总仓 - A",
        "posting_date": "2026-11-05", "posting_time": "14:03:00.5",
        "voucher_type": voucher, "voucher_no": "V-1", "voucher_detail_no": "d1",
        "actual_qty": quantity, "batch_no": None, "serial_and_batch_bundle": None,
        "is_cancelled": 0, "to_rename": 0, **more,
    }  # fmt: skip


HERE = "warehouse:总仓 - A"
VOUCHERS = [
    (3.0, "Purchase Receipt", ("receipt", "supplier", HERE)),
    (-3.0, "Purchase Invoice", ("return", HERE, "supplier")),
    (-3.0, "Sales Invoice", ("issue", HERE, "member")),
    (3.0, "Delivery Note", ("return", "member", HERE)),
    (3.0, "Stock Reconciliation", ("adjustment", "adjustment", HERE)),
    (-3.0, "Stock Entry", ("adjustment", HERE, "adjustment")),
]


def test_the_voucher_says_where_stock_came_from_or_went(site):
    """Three pieces, on the side that the sign of the change says."""
    site.records["Stock Ledger Entry"] = {
        f"MAT-{number}": a_change(quantity, voucher)
        for number, (quantity, voucher, _) in enumerate(VOUCHERS)
    }
    frame = source_of(site).read("gift_movements").frame
    assert rows(frame, MOVED) == [
        (f"stock-MAT-{number}", *moved, 3)
        for number, (_, _, moved) in enumerate(VOUCHERS)
    ]
    assert set(frame["gift_id"]) == {"CUP"}
    assert str(frame["effective_at"].iloc[0])[:19] == "2026-11-05 06:03:00"


def test_a_time_before_ten_is_one_of_the_sites_zone(site):
    """Frappe writes it without a zero in front; 9:05 in Berlin is 8:05 by UTC."""
    changed = a_change(3.0, "Purchase Receipt", posting_time="9:05:00")
    site.records["Stock Ledger Entry"] = {"MAT-1": changed}
    site.records["Issue"] = {"ISS-1": an_issue(opening_time="9:05:00")}
    site.records["POS Invoice"] = {
        "ACC-1": {
            "modified": AT, "docstatus": 1, "customer": None, "pos_profile": "一店",
            "posting_date": "2026-11-05", "posting_time": "9:05:00",
            "currency": "CNY", "grand_total": 1.0, "return_against": None,
            "items": [{"item_code": "C", "item_name": "C", "qty": 1.0,
                       "net_amount": 1.0}],
        }
    }  # fmt: skip
    source = source_of(site, zone="Europe/Berlin")
    tables = {"gift_movements": "effective_at", "complaints": "received_at",
              "sales": "sold_at"}  # fmt: skip
    for table, column in tables.items():
        moment = source.read(table).frame[column].iloc[0]
        assert str(moment)[:19] == "2026-11-05 08:05:00", table


def test_a_row_between_two_warehouses_is_one_transfer(site):
    """The ledger has an entry for each end; the goods move once."""
    site.records["Stock Entry"] = {
        "V-1": {
            "items": [
                {"name": "d1", "s_warehouse": "总仓 - A", "t_warehouse": "一店 - A"},
                {"name": "d2", "s_warehouse": "总仓 - A", "t_warehouse": None},
            ]
        }
    }
    site.records["Stock Ledger Entry"] = {
        "MAT-1": a_change(-3.0, "Stock Entry"),
        "MAT-2": a_change(3.0, "Stock Entry", warehouse="一店 - A"),
        "MAT-3": a_change(-1.0, "Stock Entry", voucher_detail_no="d2"),
    }
    site.faults = ["", "", "503", "500"]
    frame = source_of(site).read("gift_movements").frame
    here, shop = "warehouse:总仓 - A", "warehouse:一店 - A"
    assert rows(frame, MOVED) == [
        ("stock-MAT-1", "transfer", here, shop, 3),
        ("stock-MAT-3", "adjustment", here, "adjustment", 1),
    ]
    # The document of three entries is asked for once.
    assert [each for each in site.asked if each == ("Stock Entry", "V-1")] == [
        ("Stock Entry", "V-1")
    ]


def test_batches_are_lots_with_their_last_days(site):
    """Named by the entry or by its bundle; a bundle that does not add up names none."""
    bundled = {"serial_and_batch_bundle": "SABB-1"}
    site.records["Batch"] = {
        "B1": {"expiry_date": "2027-05-31"},
        "B2": {"expiry_date": None},
    }
    site.records["Serial and Batch Bundle"] = {
        "SABB-1": {
            "entries": [
                {"batch_no": "B1", "qty": -2.0},
                {"batch_no": "B2", "qty": -1.0},
            ]
        }
    }
    site.records["Stock Ledger Entry"] = {
        "MAT-1": a_change(3.0, "Purchase Receipt", batch_no="B1"),
        "MAT-2": a_change(-3.0, "Sales Invoice", **bundled),
        "MAT-3": a_change(-5.0, "Sales Invoice", **bundled),
    }
    frame = source_of(site).read("gift_movements").frame
    names = ["posting_id", "quantity", "lot_id", "valid_through"]
    assert rows(frame, names) == [
        ("stock-MAT-1", 3, "B1", "2027-05-31"),
        ("stock-MAT-2", 2, "B1", "2027-05-31"),
        ("stock-MAT-2", 1, "B2", None),
        ("stock-MAT-3", 5, None, None),
    ]


def test_a_canceled_voucher_takes_its_movements_along(site):
    """Both its entries and those that turn them around; whatever fails in between."""
    site.records["Stock Ledger Entry"] = {
        "MAT-1": a_change(3.0, "Purchase Receipt"),
        "MAT-2": a_change(-1.0, "Sales Invoice"),
        "9f3c": a_change(-1.0, "Sales Invoice", to_rename=1),
        "MAT-3": a_change(-1.0, "Sales Invoice", item_code="BAG"),
    }
    site.faults = ["429", "half", "500"]
    source = source_of(site, items=["CUP"])
    whole = source.changes("gift_movements", since=None)
    assert list(whole.result.frame["posting_id"]) == ["stock-MAT-1", "stock-MAT-2"]
    gone = {"is_cancelled": 1, "modified": LATER}
    site.records["Stock Ledger Entry"] |= {
        "MAT-1": a_change(3.0, "Purchase Receipt", **gone),
        "MAT-4": a_change(-3.0, "Purchase Receipt", **gone),
    }
    part = source.changes("gift_movements", since=whole.cursor)
    assert not part.whole
    frame = merge_changes(whole.result.frame, part)
    assert list(frame["posting_id"]) == ["stock-MAT-2"]


def a_contact(*customers, **more):
    """Return a contact that is unsubscribed."""
    links = [{"link_doctype": "Customer", "link_name": each} for each in customers]
    links.append({"link_doctype": "Supplier", "link_name": "S-1"})
    return {"modified": AT, "unsubscribed": 1, "links": links, **more}


def test_the_customers_of_an_unsubscribed_contact_have_refused_mail(site):
    """On the day of its last change; who is subscribed again has refused nothing."""
    site.records["Contact"] = {
        "王小明-1": a_contact("王小明"),
        "Li": a_contact("CUST-2026-00007", modified="2026-11-05 23:59:59.000000"),
        "Zhao": a_contact("CUST-2026-00008", unsubscribed=0),
    }
    source = source_of(site, zone="UTC")
    found = source.changes("consents", since=None)
    names = ["member_id", "channel", "given", "on"]
    assert rows(found.result.frame, names) == [
        ("CUST-2026-00007", "email", "no", "2026-11-06"),
        (WANG, "email", "no", "2026-11-05"),
    ]
    site.records["Contact"]["Li"]["unsubscribed"] = 0
    again = source.changes("consents", since=found.cursor)
    assert again.whole
    assert list(again.result.frame["member_id"]) == [WANG]


def a_mailbox(*addresses, customers=(), **more):
    """Return a contact that is not ticked, with addresses."""
    emails = [{"email_id": each} for each in addresses]
    return a_contact(*customers, unsubscribed=0, email_ids=emails, **more)


def left(email, modified=AT, **more):
    """Return what Frappe keeps of who follows a link to unsubscribe."""
    return {
        "email": email, "modified": modified, "reference_doctype": None,
        "reference_name": None, "global_unsubscribe": 0, **more,
    }  # fmt: skip


def test_whoever_unsubscribed_by_a_link_has_refused_mail(site):
    """For good, from what one document sends or from a newsletter, however written."""
    site.page = 2
    site.records["Contact"] = {
        "Li": a_mailbox(
            "x@example.com", "Li@Example.com", customers=["CUST-2026-00001"]
        ),
        "Wang": a_mailbox("wang@example.com", customers=["CUST-2026-00002", "王小明"]),
        "Mo": a_mailbox("mo@example.com", customers=["CUST-2026-00003"]),
        "Ma": a_mailbox("ma@example.com", customers=["CUST-2026-00004"]),
    }
    site.records["Customer"] = {
        "CUST-2026-00005": {"email_id": "own@example.com", "modified": AT},
        "CUST-2026-00006": {"email_id": "down@example.com", "modified": AT},
    }
    site.records["Email Unsubscribe"] = {
        "a1": left("li@example.com", global_unsubscribe=1),
        "b2": left(
            '"Wang, W." <wang@example.com>', "2026-11-05 23:59:59",
            reference_doctype="Email Campaign", reference_name="MAIL-1",
        ),
        "c3": left("own@example.com"),
        "d4": left("nobody@example.com", global_unsubscribe=1),
    }  # fmt: skip
    groups = {"email_group": "Website", "unsubscribed": 1}
    site.records["Email Group Member"] = {
        "e5": left("mo@example.com", "2026-11-01 10:00:00", **groups),
        "f6": left("mo@example.com", "2026-11-02 10:00:00", **groups),
        "g7": left("ma@example.com", **{**groups, "unsubscribed": 0}),
    }
    names = ["member_id", "channel", "given", "on", "source"]
    source = source_of(site, zone="UTC")
    found = source.changes("consents", since=None)
    unsubscribe, member = "ERPNext Email Unsubscribe", "ERPNext Email Group Member"
    assert sorted(rows(found.result.frame, names)) == [
        (WANG, "email", "no", "2026-11-06", unsubscribe),
        ("CUST-2026-00001", "email", "no", "2026-11-05", unsubscribe),
        ("CUST-2026-00002", "email", "no", "2026-11-06", unsubscribe),
        ("CUST-2026-00003", "email", "no", "2026-11-02", member),
        ("CUST-2026-00005", "email", "no", "2026-11-05", unsubscribe),
    ]
    assert found.result.rejected == 0
    # Who is deleted there may be written to again, and leaves the table.
    del site.records["Email Unsubscribe"]["a1"], site.records["Email Group Member"]
    again = source.changes("consents", since=found.cursor)
    assert again.whole
    assert len(again.result.frame) == 3
    assert "CUST-2026-00001" not in set(again.result.frame["member_id"])


@pytest.mark.parametrize("kind", ["Email Unsubscribe", "Email Group Member"])
def test_a_right_that_is_missing_is_no_consent(site, kind):
    """A key that may not see who unsubscribed ends the reading, and is told."""
    site.records["Contact"] = {"Li": a_contact("CUST-2026-00001")}
    site.forbidden = {kind}
    with pytest.raises(SourceError, match="403: check the key, and the rights"):
        source_of(site).read("consents")


def test_a_field_that_is_not_shown_is_no_consent(site):
    """Frappe leaves out what a user may not see, without an error of its own."""
    site.records["Email Unsubscribe"] = {"a1": {"modified": AT}}
    with pytest.raises(SourceError, match="the field 'email' is not shown"):
        source_of(site).read("consents")


def test_the_contact_of_an_address_is_never_passed_over(site):
    """Not where a proxy hides it; where it is deleted it has no customers any more."""
    site.records["Email Unsubscribe"] = {"a1": left("li@example.com")}
    site.records["Contact"] = {"李/Li": a_mailbox("li@example.com", customers=["李"])}
    site.missing = {"李/Li"}
    with pytest.raises(SourceError, match="nothing was taken over") as told:
        source_of(site).read("consents")
    assert "李" not in str(told.value)
    site.records["Contact"] = {}
    row = {"parent": "李/Li", "parenttype": "Contact", "email_id": "li@example.com"}
    site.records["Contact Email"] = {"r1": row}
    assert source_of(site).read("consents").frame.empty


def test_many_addresses_are_asked_for_in_requests_that_servers_take(site):
    """Each address is asked for, and no line of a request is longer than 4094."""
    many = [f"customer-number-{number:04}@example.com" for number in range(150)]
    site.records["Email Unsubscribe"] = {each: left(each) for each in many}
    site.records["Customer"] = {
        f"CUST-2026-{number:05}": {"email_id": each, "modified": AT}
        for number, each in enumerate(many)
    }
    assert len(source_of(site).read("consents").frame) == 150
    asked = [params for kind, params in site.asked if kind == "Contact Email"]
    assert max(len(urlencode(params, quote_via=quote)) for params in asked) < 4000


def test_a_refusal_that_is_listed_is_never_passed_over(site):
    """A proxy that knows no name with a slash answers 404, as if it were gone."""
    site.records["Contact"] = {"王/李": a_contact("王小明"), "Li": a_contact("李")}
    site.missing = {"王/李"}
    with pytest.raises(SourceError, match="listed as unsubscribed") as told:
        source_of(site).read("consents")
    assert "王" not in str(told.value)


def test_an_invoice_that_is_listed_and_not_to_be_had_is_told(site):
    """Once it may have been deleted meanwhile; each time something is wrong."""
    site.records["POS Invoice"] = {
        "ACC/1": {"modified": AT, "docstatus": 1, "items": []},
    }
    site.missing = {"ACC/1"}
    findings = source_of(site).read("sales").findings
    assert [each.count for each in findings if each.rule == "records-gone"] == [1]


def test_no_error_shows_the_name_of_whom_it_asked_for(site):
    """A contact is called by its person, and stands so in the address."""
    site.records["Contact"] = {"王小明-1": a_contact("王小明")}
    site.faults = ["", "", "403"]
    with pytest.raises(SourceError, match="403") as told:
        source_of(site).read("consents")
    assert "Contact/{id}" in str(told.value)
    assert "%E7%8E%8B" not in str(told.value)
    assert "王" not in str(told.value)


def an_issue(**more):
    """Return an issue that is open."""
    return {
        "modified": AT, "creation": AT, "subject": "杯子碎了", "customer": "王小明",
        "customer_name": "王小明", "status": "Open", "priority": "High",
        "issue_type": "质量", "email_account": None, "via_customer_portal": 0,
        "opening_date": "2026-11-05", "opening_time": "14:03:00",
        "first_responded_on": None, "resolution_date": None, **more,
    }  # fmt: skip


def test_issues_are_complaints(site):
    """From when they were opened, by the way in which they came."""
    site.records["Issue"] = {
        "ISS-1": an_issue(email_account="Help"),
        "ISS-2": an_issue(via_customer_portal=1, customer=None),
        "ISS-3": an_issue(),
    }
    frame = source_of(site).read("complaints").frame
    names = ["case_id", "channel", "member_id", "category", "priority", "statement"]
    assert rows(frame, names) == [
        ("ISS-1", "email", WANG, "质量", "High", "杯子碎了"),
        ("ISS-2", "web", None, "质量", "High", "杯子碎了"),
        ("ISS-3", None, WANG, "质量", "High", "杯子碎了"),
    ]
    assert str(frame["received_at"].iloc[0])[:19] == "2026-11-05 06:03:00"


@pytest.mark.parametrize("field", ["resolution_date", "sla_resolution_date"])
def test_an_issue_ends_where_it_was_resolved(site, field):
    """By the field of the version; without one, by the last change; until reopened."""
    done = an_issue(
        status="Closed", first_responded_on="2026-11-05 15:00:00", modified=LATER
    )
    del done["resolution_date"]
    site.records["Issue"] = {
        "ISS-1": {**done, field: "2026-11-06 08:00:00"},
        "ISS-2": {**done, "status": "Resolved", "first_responded_on": None},
        "ISS-3": an_issue(status="Replied"),
    }
    source = source_of(site)
    whole = source.changes("case_events", since=None)
    frame = whole.result.frame
    moments = [str(each)[:19] for each in frame["at"]]
    assert [*zip(frame["case_id"], frame["kind"], moments, strict=True)] == [
        ("ISS-1", "replied", "2026-11-05 07:00:00"),
        ("ISS-1", "closed", "2026-11-06 00:00:00"),
        ("ISS-2", "solved", "2026-11-06 01:00:00"),
    ]
    site.records["Issue"]["ISS-1"]["status"] = "Open"
    site.records["Issue"]["ISS-2"]["status"] = "Open"
    part = source.changes("case_events", since=whole.cursor)
    left = merge_changes(frame, part)
    assert rows(left, ["case_id", "kind"]) == [("ISS-1", "replied")]


def test_a_cursor_is_of_the_series_that_are_shown(site):
    """Other series hide other customers, so what was read before is stale."""
    site.records["Customer"] = {
        "KD0001": {
            "modified": AT, "creation": AT, "customer_name": "王小明",
            "mobile_no": None, "disabled": 0,
        }
    }  # fmt: skip
    before = source_of(site).changes("members", since=None)
    assert not source_of(site).changes("members", since=before.cursor).whole
    shown = source_of(site, customer_series=["KD.####"])
    found = shown.changes("members", since=before.cursor)
    assert found.whole
    assert list(found.result.frame["member_id"]) == ["KD0001"]


def test_digests_with_a_key_cannot_be_made_from_a_list_of_names(site, monkeypatch):
    """Equal in all tables; without a key as ever, and with another one all other."""
    customer = {
        "modified": AT, "creation": AT, "customer_name": "王小明",
        "mobile_no": None, "disabled": 0,
    }  # fmt: skip
    site.records["Customer"] = {"王小明": customer, "CUST-2026-00007": customer}
    site.records["Contact"] = {"王小明-1": a_contact("王小明")}
    keyed = source_of(site, digest_key={"env": "DIGEST_KEY"})
    with pytest.raises(ConfigurationError, match="DIGEST_KEY"):
        keyed.read("members")
    monkeypatch.setenv("DIGEST_KEY", "too short")
    with pytest.raises(ConfigurationError, match="fewer than 16") as told:
        keyed.read("members")
    assert "too short" not in str(told.value)
    key = "0123456789abcdef"
    monkeypatch.setenv("DIGEST_KEY", key)
    found = keyed.changes("members", since=None)
    own = hmac.new(key.encode(), "王小明".encode(), "sha256").hexdigest()[:16]
    assert set(found.result.frame["member_id"]) == {f"C-{own}", "CUST-2026-00007"}
    assert list(keyed.read("consents").frame["member_id"]) == [f"C-{own}"]
    assert not keyed.changes("members", since=found.cursor).whole
    assert key not in repr(keyed) + repr(vars(keyed)) + found.cursor
    for other in ({}, {"digest_key": lambda: key + "g"}):
        again = source_of(site, **other).changes("members", since=found.cursor)
        assert again.whole
        assert f"C-{own}" not in set(again.result.frame["member_id"])
    assert WANG in set(source_of(site).read("members").frame["member_id"])


class CustomerWorld:
    """Customers that are made, renamed and disabled, on pages of three."""

    def __init__(self, site):
        self._now = dt.datetime(2031, 3, 1)  # noqa: DTZ001 - as Frappe writes moments
        self._site = site
        site.records["Customer"] = {}
        site.page = 3

    def columns(self, _table):
        """Name what is kept."""
        return ("name", "phone", "joined_on")

    def put(self, _table, rows, key=None):
        """Write a customer; some in one second, and hours between others."""
        (row,) = rows
        customers = self._site.records["Customer"]
        own = key[0] if key else f"CUST-2031-{len(customers) + 1:05}"
        if int(own[-1]) % 3 == 0:
            self._now += dt.timedelta(hours=3)
        customers[own] = {
            "customer_name": row["name"],
            "mobile_no": row["phone"],
            "creation": f"{row['joined_on']} 12:00:00.000001",
            "modified": f"{self._now}.000001",
            "disabled": 0,
        }
        return (own,)

    def delete(self, _table, key):
        """Disable a customer."""
        customer = self._site.records["Customer"][key[0]]
        customer |= {"disabled": 1, "modified": f"{self._now}.000002"}
        return True

    def fault(self, name):
        """Let the clock go back by less than the overlap, as where summer time ends."""
        if name == "clock-back":
            self._now -= dt.timedelta(minutes=61)
        return name == "clock-back"


@pytest.mark.nightly
def test_customers_are_neither_lost_nor_doubled_while_they_change(site):
    """The contract of all sources that tell changes."""
    check_changing_source(lambda: source_of(site), CustomerWorld(site))


FILLED = {
    "gift_movements": ("Stock Ledger Entry", a_change(3.0, "Purchase Receipt")),
    "consents": ("Contact", a_contact("CUST-2026-00007")),
    "complaints": ("Issue", an_issue()),
    "case_events": ("Issue", an_issue(status="Closed")),
}


@pytest.mark.parametrize("table", FILLED)
def test_each_table_keeps_the_promises_of_all_sources(site, table):
    """Types, reasons, repeatable, masked."""
    doctype, document = FILLED[table]
    site.records[doctype] = {"N-1": document}
    check_source(source_of(site), table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"movements": "both"}, "'movements' is stock or points"),
        ({"items": "CUP"}, "'items' are codes"),
        ({"items": [55]}, "'items' are codes"),
        ({"items": ["CUP"], "movements": "points"}, "not points"),
        ({"digest_key": "0123456789abcdef"}, "'digest_key' is a secret"),
        ({"items": [f"CUP-{number:05}" for number in range(200)]}, "several sections"),
    ],
)
def test_an_option_that_cannot_be_is_told_at_once(site, options, message):
    """Before anything is asked."""
    with pytest.raises(ConfigurationError, match=message):
        source_of(site, **options)
    assert not site.asked
