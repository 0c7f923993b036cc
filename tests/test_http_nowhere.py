"""A wrong address of a web service is told in words that help to mend it."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading

import pytest

from memberops.adapters.secrets import Secret
from memberops.adapters.sms.http import HttpLimits
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, ReadingPatience
from memberops.errors import SourceError
from sms_server import SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")


def failure(base, *, attempts=1, pauses=None):
    """Return the error of asking there for something with a key in its query."""
    key = Credential(kind="query", name="key", secret=Secret(lambda: "k3y-of-shop"))
    with (
        HttpReader(
            base,
            credential=key,
            patience=ReadingPatience(attempts=attempts),
            limits=HttpLimits(connect_seconds=2),
            sleep=(pauses if pauses is not None else []).append,
        ) as reader,
        pytest.raises(SourceError) as error,
    ):
        reader.read("GET", "orders", params={"since": "2026"})
    told = str(error.value) + error.value.text_zh
    assert "k3y" not in told
    assert "since" not in told
    return error.value


@contextlib.contextmanager
def serving(serve):
    """Let one connection be served, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            came, _ = server.accept()
            with came:
                serve(came)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def free_port():
    """Return a port at which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize(
    ("attempts", "often"),
    [(1, "failed, because"), (3, "failed 3 times, at last because")],
)
def test_a_port_at_which_nothing_listens_is_named(attempts, often):
    """With how often it was tried, and where to look."""
    port = free_port()
    pauses = []
    error = failure(f"http://127.0.0.1:{port}/api", attempts=attempts, pauses=pauses)
    assert str(error) == (
        f"GET /api/orders {often} nothing listens at 127.0.0.1:{port} (refused); "
        "nothing was taken over, look at the address ('url' or 'base_url'), or read "
        "again later"
    )
    assert f"127.0.0.1:{port} 无服务监听" in error.text_zh
    assert len(pauses) == attempts - 1


def test_a_name_that_nobody_knows_is_named(monkeypatch):
    """Host and port are told, the one that https has by itself too."""

    def refuse(*_asked, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    error = failure("https://shop.exmaple/api")
    assert "no host has the name of shop.exmaple:443" in str(error)
    assert "找不到 shop.exmaple:443" in error.text_zh


def certificate(folder):
    """Write a certificate of our own that no authority signed, and its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="makes a certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "till")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "till.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_that_does_not_fit_is_told_at_once(tmp_path):
    """Another try does not mend it, so none is made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    pauses = []

    def shake(came):
        with pytest.raises(OSError, match=r"SSL|TLS"):
            context.wrap_socket(came, server_side=True)

    with serving(shake) as port:
        error = failure(f"https://127.0.0.1:{port}/api", attempts=3, pauses=pauses)
    assert f"the certificate of 127.0.0.1:{port} does not fit" in str(error)
    assert "证书" in error.text_zh
    assert not pauses


def test_a_server_without_tls_is_told():
    """As where https:// was written for a server that speaks plainly."""

    def speak(came):
        came.recv(1000)
        came.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(speak) as port:
        error = failure(f"https://127.0.0.1:{port}/api")
    assert "does not speak TLS as it should" in str(error)


def test_a_busy_server_is_no_wrong_address():
    """Nobody is sent to look at an address that is right."""
    server = SmsServer()
    server.reply = answer("{}", status=503)
    try:
        error = failure(server.url)
    finally:
        server.close()
    assert "failed, because the server said 503; nothing" in str(error)
    assert "'url'" not in str(error)
    assert "服务器返回 503" in error.text_zh
