"""relaybook serve --http as a process: its address, TLS, and its end."""

import datetime
import signal
import ssl
import subprocess
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.end_to_end.conftest import Run


def announced(process: "subprocess.Popen[str]") -> str:
    """The URL that a server says it serves."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("relaybook serves "), line + process.stderr.read()
    return line.split()[2]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relaybook test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


def test_it_says_where_it_serves_and_ends_well_at_a_signal(relaybook_process: Run) -> None:
    process = relaybook_process("serve", "--http", "--port", "0")
    url = announced(process)

    health = httpx2.get(url.replace("/mcp", "/health"), timeout=30)
    process.send_signal(signal.SIGTERM)

    assert health.json() == {"status": "ok"}
    assert process.wait(60) == 0


def test_a_signal_as_soon_as_it_has_said_that_it_serves_ends_it_well(
    relaybook_process: Run,
) -> None:
    process = relaybook_process("serve", "--http", "--port", "0")
    announced(process)

    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_it_serves_tls_by_files(relaybook_process: Run, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    url = announced(relaybook_process("serve", "--http", "--port", "0", *tls))

    trusting = ssl.create_default_context(cafile=str(cert))
    ready = httpx2.get(url.replace("/mcp", "/ready"), verify=trusting, timeout=30)

    assert url.startswith("https://")
    assert ready.json() == {"status": "ok"}


def test_files_that_are_no_certificate_are_refused(relaybook_process: Run, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    key.write_text("no key", encoding="utf-8")
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))

    process = relaybook_process("serve", "--http", "--port", "0", *tls)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "correct --tls-cert and --tls-key" in said


@pytest.mark.parametrize("option", [(), ("--allowed-host", "ledger.example")])
def test_it_refuses_to_serve_other_machines_without_a_token(
    relaybook_process: Run, option: tuple[str, ...]
) -> None:
    process = relaybook_process("serve", "--http", "--host", "0.0.0.0", "--port", "0", *option)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "--no-auth-anyone-may-connect" in said


@pytest.mark.parametrize(
    ("options", "named"),
    [(("--require-token",), "--require-token"), (("--tls-cert", "nope"), "--tls-cert")],
)
def test_an_option_of_http_is_refused_where_nothing_is_served_over_it(
    relaybook_process: Run, options: tuple[str, ...], named: str
) -> None:
    process = relaybook_process("serve", *options)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"{named} is for serving over HTTP" in said
