"""TLS, mutual TLS and a token of the service's own."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fake_server import FakeServer, key_set, snapshot

import ostiary
from ostiary.testing import TestIssuer

ISSUER = "http://issuer.test"


def certificate(name: str) -> tuple[bytes, bytes]:
    """One that signs itself: PEM of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return (
        built.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def test_mutual_tls_and_a_bearer_token() -> None:
    server_pair, client_pair = certificate("server"), certificate("client")
    issuer = TestIssuer(ISSUER)
    with FakeServer(tls=(server_pair, client_pair[0])) as server:
        credentials = ostiary.Credentials(
            root_certificates=server_pair[0],
            certificate_chain=client_pair[0],
            private_key=client_pair[1],
            bearer_token="service-token",
        )
        with ostiary.Verifier(server.target, issuer=ISSUER, credentials=credentials) as verifier:
            stream = server.next_stream()
            assert stream.metadata["authorization"] == "Bearer service-token"
            stream.send(key_set(*issuer.jwks()["keys"]), snapshot(0))
            verifier.wait_ready(5)
            verifier.verify(issuer.token())


@pytest.mark.parametrize("mistake", ["plaintext", "other roots", "no client certificate"])
def test_without_the_right_credentials_there_is_no_feed(mistake: str) -> None:
    server_pair, client_pair = certificate("server"), certificate("client")
    credentials = {
        "plaintext": ostiary.Credentials(),
        "other roots": ostiary.Credentials(
            root_certificates=client_pair[0],
            certificate_chain=client_pair[0],
            private_key=client_pair[1],
        ),
        "no client certificate": ostiary.Credentials(root_certificates=server_pair[0]),
    }[mistake]
    with FakeServer(tls=(server_pair, client_pair[0])) as server:
        with ostiary.Verifier(server.target, issuer=ISSUER, credentials=credentials) as verifier:
            with pytest.raises(TimeoutError):
                verifier.wait_ready(0.5)
            assert server.streams.empty()
            with pytest.raises(ostiary.CheckUnavailable):
                verifier.verify(TestIssuer(ISSUER).token())
