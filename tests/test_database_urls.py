"""No piece of the password of a database's address is shown, however it is spelled."""

import socket
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberops.adapters.secrets import Secret
from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.sql_source import SqlSource
from memberops.adapters.stores import open_ledger, open_outbox
from memberops.cli import main
from memberops.domain import Currency
from memberops.errors import ConfigurationError, MemberOpsError, SourceError
from memberops.workflows import propose_database

HERE = SourceContext(
    folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
)
PASSWORDS = st.text("XQZJ7@/#?:%&=+[]", min_size=4, max_size=16)


def source_of(address):
    """Return a source whose address is a secret."""
    url = Secret(lambda: address)
    return SqlSource(HERE, url=url, table="receipts", connect_seconds=1)


@pytest.fixture(autouse=True, scope="module")
def _no_network():
    """Let no name be looked up, and no port but a closed one be asked."""
    asked = socket.getaddrinfo

    def refuse(host, *rest, **options):
        if host not in ("127.0.0.1", b"127.0.0.1"):
            raise socket.gaierror(-2, "Name or service not known")
        return asked(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


def told_of(attempt):
    """Return what the error of an attempt says, in both languages."""
    with pytest.raises(MemberOpsError) as error:
        attempt()
    return f"{error.value} {error.value.text_zh} {error.value!r}"


def pieces_of(password):
    """Return its pieces of four characters that our own words cannot hold."""
    found = {password[at : at + 4] for at in range(len(password) - 3)}
    return {piece for piece in found if set(piece) & set("XQZJ")}


@settings(max_examples=25)
@given(password=PASSWORDS, family=st.sampled_from(["postgresql", "postgres"]))
@example("p@ss-XQZJ", "mysql")
@example("XQ@XQZJ/x", "postgresql")
@example("XQ@XQZJ?XQZJ", "mysql")
@example("@XQZJ", "mysql")
@example("XQ/XQZJ", "mysql")
def test_no_error_shows_a_piece_of_a_password(password, family):
    """Whatever signs stand in it unescaped, wherever the address is used."""
    address = f"{family}://reader:{password}@127.0.0.1:1/pos"
    source = source_of(address)
    told = [
        told_of(lambda: source.read("sales")),
        told_of(lambda: propose_database(Secret(lambda: address))),
        told_of(lambda: SqlSource(HERE, url=address, table="receipts").read("sales")),
    ]
    try:
        told.append(repr(source))
    except ConfigurationError as error:
        told.append(str(error))
    if "@" in password:
        told.append(told_of(lambda: open_ledger(address)))
        told.append(told_of(lambda: open_outbox(address)))
    for piece in pieces_of(password):
        assert not [text for text in told if piece in text]


@pytest.mark.parametrize(
    "address",
    [
        "mysql://reader:p@ss-Geheim@127.0.0.1:1/pos",
        "postgresql://u:ge@heim/x@localhost:port/db",
        "postgresql://u:ge@heim?x@localhost/db",
        "postgresql://u/ge:heim@localhost/db",
    ],
)
def test_an_address_with_an_at_sign_too_many_is_refused(address):
    """Its host might be a piece of the password, which no network is asked for."""
    with pytest.raises(ConfigurationError, match="%40 %2F %23 %3F %3A %25") as error:
        source_of(address).read("sales")
    assert "password = { env" in str(error.value)
    assert "%40" in error.value.text_zh


@pytest.mark.parametrize("password", ["p%40ss", "p/ss", "p#ss", "p?ss", "p:ss"])
def test_a_password_that_can_be_told_is_taken(password):
    """The host is asked: it refuses, and nothing of the address is shown."""
    source = source_of(f"postgresql://reader:{password}@127.0.0.1:1/pos")
    with pytest.raises(SourceError, match="nothing listens") as error:
        source.read("sales")
    assert "postgresql at an address that is not shown: " in str(error.value)
    assert not [w for w in ("127", "/pos", "reader", "ss@") if w in str(error.value)]


def test_the_doctor_shows_nothing_of_a_variable(capsys, monkeypatch):
    """As the documentation of the command promises."""
    monkeypatch.setenv("PW", "mysql://reader:p@ss-Geheim@127.0.0.1:1/pos")
    assert main(["doctor", "--url-env", "PW"]) != 0
    shown = "".join(capsys.readouterr())
    assert "%40" in shown
    assert not [word for word in ("Geheim", "127.0.0.1", "reader") if word in shown]


def test_the_path_of_a_file_in_a_variable_is_not_shown():
    """Of SQLite, too, only the kind is told."""
    with pytest.raises(SourceError, match="no database file") as error:
        source_of("sqlite:///geheim/till.db").read("sales")
    assert "till" not in str(error.value)


@pytest.mark.parametrize("opened", [open_ledger, open_outbox])
@pytest.mark.parametrize(
    "address",
    ["postgresql://u:ge@heim/x@localhost/db", "postgresql:/u:ge/heim@localhost"],
)
def test_a_ledger_and_an_outbox_refuse_such_addresses(opened, address, tmp_path):
    """Their errors name the database, which might be a piece of the password."""
    told = told_of(lambda: opened(address))
    assert "%40" in told
    assert "heim" not in told
