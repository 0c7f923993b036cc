"""Promises of the gift flow as an office runs it: papers, postings, and their match."""

import csv
import datetime as dt
import io
import json

import pytest

from gift_chain import write_gift_chain
from memberops import open_chain
from memberops.cli import main
from memberops.domain import GiftApplication, ReceivedLot
from memberops.errors import (
    InvalidValueError,
    UnknownGiftError,
    UnknownPlaceError,
    UnknownTableError,
)
from memberops.policies import Approver
from memberops.tables import GIFT_APPLICATIONS
from memberops.workflows import gift_deliveries

AT = dt.datetime(2026, 10, 11, 1, tzinfo=dt.UTC)
MANAGER = Approver(staff_id="E9", role="manager")
MEMBERS = """
[sources.members]
adapter = "csv"
path = "members.csv"
"""


@pytest.fixture
def office(tmp_path, capsys):
    """The chain of `gift_chain` with prices, members and points, its books posted."""
    file = write_gift_chain(tmp_path)
    text = file.read_text("utf-8")
    file.write_text(text.replace("[ledger]", f"{MEMBERS}\n[ledger]"), "utf-8")
    write = {
        "gifts.csv": "礼品编号,礼品名称,单价,是否分批次,兑换积分\n"
        "CUP,茶杯,12.50,是,30\nPEN,签字笔,3.00,否,\n",
        "members.csv": "会员编号,门店编号,姓名\nM1,S01,王小明\nM2,S01,李雷\n",
        "points.csv": "凭证号,类型,生效时间,礼品编号,批次,转出,转入,数量\n"
        "A-1,积分发放,2026-10-04 09:00,points,A-1,program:earned,wallet:M1,100\n",
    }
    for name, lines in write.items():
        (tmp_path / name).write_text(lines, "utf-8")
    for name in ("movements.csv", "points.csv"):
        given = ["gifts", "import", str(tmp_path / name), "--chain", str(file)]
        main([*given, "--as-of", "2026-10-31", "--format", "csv"])
    capsys.readouterr()
    return file


@pytest.fixture
def run(office, capsys):
    """Run a command of gifts; return status, the answer as JSON, and errors."""

    def command(*given):
        asked = ["gifts", *map(str, given), "--chain", str(office)]
        status = main([*asked, "--format", "json", "--language", "en"])
        said = capsys.readouterr()
        return status, json.loads(said.out) if said.out else None, said.err

    return command


def rules(findings):
    """Name what was found, but for the encodings of files; values or JSON."""
    named = [each if isinstance(each, dict) else {"rule": each.rule}
             for each in findings]  # fmt: skip
    return [each["rule"] for each in named if each["rule"] != "encoding"]


def asked(**changes):
    """Return the application A-1: S02 wants 20 cups."""
    facts = {"application_id": "A-1", "store_id": "S02", "gift_id": "CUP", "asked": 20,
             "purpose": "promotion", "applied_by": "E1", "applied_at": AT}  # fmt: skip
    return GiftApplication(**facts | changes)


def has(office, gift, place):
    """Return what the ledger holds somewhere."""
    with open_chain(office).ledger() as ledger:
        return ledger.balance(gift, place, lot_id="L1" if gift == "CUP" else "")


def test_from_application_to_destruction(run, office):
    """20 asked, 15 granted and sent, 14 came; one redeemed, returned, destroyed."""
    file = office.parent / "applications.csv"
    kept = ("--application", "A-1", "--applications", file)
    status, said, err = run(
        "apply", *kept, "--store", "S02", "--gift", "CUP", "--quantity", 20,
        "--purpose", "促销", "--by", "E1", "--at", "2026-10-11T09:00+08:00",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert said["explanation"] == ["application A-1 written"]

    low = ("approve", *kept, "--approved", 15, "--by", "E9", "--role", "clerk",
           "--at", "2026-10-11T15:00+08:00")  # fmt: skip
    assert [run(*low)[0], run(*low, "--fail-on", "never")[0]] == [1, 0]

    status, said, _ = run(
        "approve", *kept, "--approved", 15, "--by", "E9", "--role", "经理",
        "--at", "2026-10-11T15:00+08:00",
    )  # fmt: skip
    (decision,) = said["decisions"]
    assert (status, decision["outcome"]) == (0, "partly_approved")

    sent = ("dispatch", *kept, "--quantity", 15, "--by", "W1",
            "--at", "2026-10-12T09:00+08:00")  # fmt: skip
    for said_first in ("written as entry", "there before"):
        status, said, _ = run(*sent)
        assert (status, said["explanation"][0].startswith(said_first)) == (0, True)
    assert has(office, "CUP", "warehouse") == 80 - 15

    status, said, _ = run(
        "receive", *kept, "--lots", "L1=14", "--by", "E2",
        "--at", "2026-10-13T09:00+08:00", "--fail-on", "warning",
    )  # fmt: skip
    assert (status, rules(said["findings"])) == (
        1, ["delivery-short"])  # fmt: skip
    assert "15 on the way, 14 received, 1 too few" in said["explanation"][1]
    assert has(office, "CUP", "store:S02") == 14

    status, said, _ = run(
        "redeem", "--redemption", "X1", "--store", "S02", "--member", "M1",
        "--gift", "CUP", "--quantity", 2, "--by", "E2",
        "--at", "2026-10-14T09:00+08:00",
    )  # fmt: skip
    assert (status, rules(said["findings"])) == (0, [])
    with open_chain(office).ledger() as ledger:
        assert ledger.balance("points", "wallet:M1", lot_id="A-1") == 100 - 2 * 30

    status, *_ = run(
        "return", "--paper", "B1", "--posting", "redemption:X1", "--by", "E2",
        "--at", "2026-10-15T09:00+08:00",
    )  # fmt: skip
    assert (status, has(office, "CUP", "store:S02")) == (0, 14 - 2 + 1)

    broken = ("destroy", "--paper", "D1", "--gift", "CUP", "--place", "store:S02",
              "--quantity", 3, "--by", "E2", "--reason", "broken",
              "--at", "2026-10-16T09:00+08:00", "--witnesses", "E3")  # fmt: skip
    status, _, err = run(*broken)
    assert (status, "2 different witnesses" in err) == (2, True)
    assert run(*broken, "E4")[0] == 0
    assert has(office, "CUP", "store:S02") == 13 - 3


def test_a_delivery_is_recalled_before_any_of_it_arrived(run, office):
    """All of it comes back and is sent anew; what arrived in part is not recalled."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    chain.apply_for_gifts(asked(), applications=file)
    chain.approve_gifts("A-1", approved=9, approver=MANAGER, at=AT, applications=file)
    chain.dispatch_gifts("A-1", quantity=9, by="W1", effective_at=AT,
                         applications=file)  # fmt: skip
    recall = ("recall", "--application", "A-1", "--applications", file, "--by", "W1",
              "--reason", "wrong van", "--at", "2026-10-21T09:00+08:00")  # fmt: skip
    for said_first in ("written as entry", "there before"):
        status, said, _ = run(*recall)
        assert (status, said["explanation"][0].startswith(said_first)) == (0, True)
    assert has(office, "CUP", "warehouse") == 80
    later = {"effective_at": AT + dt.timedelta(days=3), "applications": file}
    chain.dispatch_gifts("A-1", quantity=9, by="W1", number=2, **later)
    some = [ReceivedLot(lot_id="L1", quantity=4)]
    chain.receive_gifts("A-1", some, by="E2", number=2, **later)
    with open_chain(office).ledger() as ledger:
        size = ledger.position
    status, _, err = run(*recall[:-1], "2026-10-25T09:00+08:00", "--number", "2")
    assert (status, "the key is free" in err) == (2, True)
    with open_chain(office).ledger() as ledger:
        assert ledger.position == size


def test_an_application_is_written_once_and_answered_once(office):
    """The same again changes nothing; anything else is refused, and the file stays."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    first = chain.apply_for_gifts(asked(), applications=file)
    assert first.frame()["state"].tolist() == ["asked"]
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_bytes()
    chain.apply_for_gifts(asked(), applications=file)
    for error, wrong in (
        (InvalidValueError, asked(asked=21)),
        (UnknownGiftError, asked(application_id="A-2", gift_id="KUP")),
        (UnknownPlaceError, asked(application_id="A-2", store_id="S99")),
    ):
        with pytest.raises(error):
            chain.apply_for_gifts(wrong, applications=file)
    assert file.read_bytes() == text

    def answer(approved, approver=MANAGER, at=AT):
        return chain.approve_gifts(
            "A-1", approved=approved, approver=approver, at=at, applications=file
        )

    own = answer(5, Approver(staff_id="E1", role="manager"))
    elsewhere = answer(5, Approver(staff_id="E9", role="manager", place="store:S01"))
    for refused in (own, elsewhere):
        assert refused.decision.outcome == "not_entitled"
        assert rules(refused.findings) == ["approval-not-entitled"]
        assert file.read_bytes() == text
    with pytest.raises(InvalidValueError, match="not approved yet"):
        chain.dispatch_gifts("A-1", quantity=1, by="W1", effective_at=AT,
                             applications=file)  # fmt: skip
    with pytest.raises(InvalidValueError, match="earlier"):
        answer(5, at=AT - dt.timedelta(hours=1))
    chain.apply_for_gifts(asked(application_id="A-0"), applications=file)
    answer(20)
    answer(20)
    with pytest.raises(InvalidValueError, match="answered before: 20"):
        answer(19)
    with pytest.raises(InvalidValueError, match="did you mean 'A-1'"):
        chain.dispatch_gifts("A-11", quantity=1, by="W1", effective_at=AT,
                             applications=file)  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert [(row["application_id"], row["approved"]) for row in rows] == [
        ("A-1", "20"), ("A-0", "")]  # fmt: skip
    assert [each.name for each in file.parent.glob("applications*")] == [file.name]


def test_papers_that_are_not_ours_stay_as_they_are(office):
    """Other headings, or a torn row: refused, and nothing is written."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    names = ",".join(GIFT_APPLICATIONS.names)
    for text in ("申请单号,门店编号\nA-1,S02\n", f"{names}\nA-1,S02\n"):
        file.write_text(text, "utf-8")
        with pytest.raises(InvalidValueError):
            chain.apply_for_gifts(asked(), applications=file)
        assert file.read_text("utf-8") == text
    with pytest.raises(UnknownTableError, match="--applications"):
        chain.receive_gifts("A-1", [], by="E2", effective_at=AT)


def test_nothing_that_came_is_told_and_not_posted(office):
    """An empty delivery: every lot is short, and the ledger is as before."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    chain.apply_for_gifts(asked(), applications=file)
    chain.approve_gifts("A-1", approved=9, approver=MANAGER, at=AT, applications=file)
    terms = {"effective_at": AT, "applications": file}
    chain.dispatch_gifts("A-1", quantity=9, by="W1", **terms)
    none = chain.receive_gifts("A-1", [ReceivedLot(quantity=0)], by="E2", **terms)
    assert none.explain("en").splitlines()[0] == "nothing is posted"
    assert rules(none.findings) == ["delivery-short"]
    assert has(office, "CUP", "in_transit:S02:A-1:1") == 9


def test_a_lot_that_was_never_seen_is_a_slip_of_the_pen(run, office):
    """It would never expire: it is refused unless it is meant, or its day is told."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    chain.apply_for_gifts(asked(), applications=file)
    chain.approve_gifts("A-1", approved=9, approver=MANAGER, at=AT, applications=file)
    terms = {"effective_at": AT, "applications": file}
    chain.dispatch_gifts("A-1", quantity=9, by="W1", **terms)
    receive = ("receive", "--application", "A-1", "--applications", file, "--by", "E2",
               "--at", "2026-10-21T09:00+08:00", "--lots")  # fmt: skip
    status, _, err = run(*receive, "L9=3")
    assert (status, "'L9'" in err, "--new-lots" in err) == (2, True, True)
    assert run(*receive, "L9=3", "--new-lots")[0] == 0
    status, _, err = run(*receive, "L1=9")
    assert (status, "--part 2" in err, "gifts reverse" in err) == (2, True, True)


def test_who_confirms_a_moment_later_finds_what_is_left(office, monkeypatch):
    """Two confirm one delivery at once: the second is asked anew, its key is free."""
    chain, file = open_chain(office), office.parent / "applications.csv"
    chain.apply_for_gifts(asked(), applications=file)
    chain.approve_gifts("A-1", approved=9, approver=MANAGER, at=AT, applications=file)
    terms = {"effective_at": AT, "applications": file}
    chain.dispatch_gifts("A-1", quantity=9, by="W1", **terms)
    came = [ReceivedLot(lot_id="L1", quantity=9)]
    real = gift_deliveries.receive

    def slower(*given, **options):
        made = real(*given, **options)
        monkeypatch.setattr(gift_deliveries, "receive", real)
        chain.receive_gifts("A-1", came, by="E3", part=1, **terms)
        return made

    monkeypatch.setattr(gift_deliveries, "receive", slower)
    second = chain.receive_gifts("A-1", came, by="E2", part=2, **terms)
    assert rules(second.findings) == ["delivery-over"]
    assert second.explain("en").count("9 too many") == 1
    assert has(office, "CUP", "store:S02") == 18
    assert has(office, "CUP", "adjustment:over_receipt") == -9


def test_a_gift_for_who_is_not_on_file_is_told_or_refused(office):
    """By default a finding; a chain that says so refuses it before anything moves."""
    terms = {"store_id": "S01", "gift_id": "CUP", "quantity": 1, "by": "E2",
             "effective_at": AT, "reason": "birthday"}  # fmt: skip
    known = open_chain(office).issue_gift(issue_id="R1", member_id="M2", **terms)
    assert rules(known.findings) == []
    told = open_chain(office).issue_gift(issue_id="R2", member_id="M7", **terms)
    assert rules(told.findings) == ["member-unknown"]
    assert "R2" in told.explain("en")
    assert has(office, "CUP", "store:S01") == 17 - 2

    text = office.read_text("utf-8")
    strict = '\n[policies.gift_flow]\nunknown_members = "refuse"\n'
    office.write_text(text + strict, "utf-8")
    with pytest.raises(InvalidValueError, match="not in the table of members"):
        open_chain(office).issue_gift(issue_id="R3", member_id="M7", **terms)
    assert has(office, "CUP", "store:S01") == 17 - 2


ISSUED = (
    "登记编号,发放时间,门店编号,会员编号,礼品编号,批次,数量,发放原因,兑换单号\n"
    "R7,2026-10-20 10:00,S01,M2,CUP,L1,1,生日,\n"
    "R8,2026-10-20 11:00,S01,M1,CUP,L1,1,积分,X1\n"
    "R9,2026-10-20 12:00,S01,M2,CUP,L1,1,生日,\n"
)
REDEEMED = (
    "兑换单号,兑换时间,门店编号,会员编号,礼品编号,数量,积分\n"
    "X1,2026-10-20 11:00,S01,M1,CUP,1,30\nX2,2026-10-22 11:00,S01,M1,CUP,1,30\n"
)


def test_the_three_books_of_a_chain_are_matched(run, office, capsys):
    """R7 and X1 agree, R9 never left the shelf, X2 was never given, I-1 not issued."""
    for name, text in (("issued.csv", ISSUED), ("redeemed.csv", REDEEMED)):
        (office.parent / name).write_text(text, "utf-8")
    chain = open_chain(office)
    terms = {"store_id": "S01", "gift_id": "CUP", "quantity": 1, "by": "E2"}
    morning = dt.datetime(2026, 10, 20, 2, tzinfo=dt.UTC)
    chain.issue_gift(issue_id="R7", member_id="M2", reason="birthday",
                     effective_at=morning, **terms)  # fmt: skip
    chain.redeem_gift(redemption_id="X1", member_id="M1",
                      effective_at=morning.replace(hour=3), **terms)  # fmt: skip
    files = ("--issues", office.parent / "issued.csv",
             "--redemptions", office.parent / "redeemed.csv")  # fmt: skip
    status, said, _ = run("match", "--as-of", "2026-10-31", *files,
                          "--fail-on", "warning")  # fmt: skip
    assert (status, said["explanation"]) == (
        1, ["cases 5 = agree 2 + breaks 3"])  # fmt: skip
    assert sorted(rules(said["findings"])) == [
        "issued-not-moved", "moved-not-issued", "redeemed-not-issued"]  # fmt: skip
    answer = chain.gift_match(as_of=dt.date(2026, 10, 31), issues=files[1],
                              redemptions=files[3])  # fmt: skip
    found = answer.frame()
    ids = ["kind", "redemption_id", "issue_id", "posting_id", "age_days"]
    assert [tuple(filter(None, row)) for row in
            found[ids].fillna("").itertuples(index=False)] == [
        ("moved_not_issued", "I-1", 26),
        ("issued_not_moved", "R9", 11),
        ("redeemed_not_issued", "X2", 9),
    ]  # fmt: skip
    ages = answer.frame("gift_break_ages").set_index("kind")
    assert ages["8-30"].tolist() == ages["total"].tolist() == [1, 1, 1]
    # Before the twentieth nobody knows of any of it but I-1, of the fifth.
    early = chain.gift_match(as_of=dt.date(2026, 10, 19), issues=files[1],
                             redemptions=files[3])  # fmt: skip
    assert early.frame()["posting_id"].tolist() == ["I-1"]
    with pytest.raises(UnknownTableError, match=r"--redemptions, or add"):
        chain.gift_match(as_of=dt.date(2026, 10, 31))
