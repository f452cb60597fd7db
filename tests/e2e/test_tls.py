"""TLS on both doors, client certificates on gRPC, new pairs without restart."""

import signal
import socket
import ssl
import subprocess
import time

import grpc
import httpx
import pytest

from certificates import Authority
from doors import ConnectDoor, GrpcDoor, Refused
from house import clean_environment, new_name, new_password



@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "tls")


@pytest.fixture
def secured(new_server, authority):
    """Starts a server with a certificate of the authority."""

    def start(*flags):
        cert, key = authority.issue("server")
        return new_server(f"--tls-cert={cert}", f"--tls-key={key}", *flags,
                          scheme="https").start()

    return start


def trusting(authority, pair=None):
    key = pair[1].read_bytes() if pair else None
    chain = pair[0].read_bytes() if pair else None
    return grpc.ssl_channel_credentials(authority.cert.read_bytes(), key, chain)


def https(server, authority, contract):
    context = ssl.create_default_context(cafile=authority.cert)
    return ConnectDoor(contract, server.url, verify=context)


def certificate_of(address, authority):
    """Serial number of what is shown to a new connection."""
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context(cafile=authority.cert)
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        with context.wrap_socket(wire, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]


def sign_up_and_in(door):
    name, password = new_name(), new_password()
    door.call("AuthService/SignUp", {"username": name, "password": password})
    return door.call("AuthService/SignInWithPassword",
                     {"identifier": name, "password": password}).tokens


def test_both_doors_speak_tls_to_who_trusts_the_authority(secured, authority,
                                                          contract):
    server = secured()
    door = GrpcDoor(contract, server.grpc, trusting(authority))
    assert sign_up_and_in(door).access_token
    web = https(server, authority, contract)
    assert sign_up_and_in(web).access_token
    assert web.client.get("/.well-known/jwks.json").status_code == 200


def test_plaintext_is_not_answered_on_a_tls_port(secured, contract):
    server = secured()
    with pytest.raises(Refused) as refused:
        GrpcDoor(contract, server.grpc).call("KeyService/GetJwks", timeout=5)
    assert refused.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    with pytest.raises(httpx.HTTPError):
        httpx.get(server.url.replace("https", "http"), trust_env=False)


def test_who_does_not_trust_the_authority_gets_nothing(secured, contract,
                                                       tmp_path):
    server = secured()
    stranger = Authority(tmp_path / "other", "other")
    with pytest.raises(Refused) as refused:
        GrpcDoor(contract, server.grpc, trusting(stranger)).call(
            "KeyService/GetJwks", timeout=5)
    assert refused.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    with pytest.raises(httpx.HTTPError):
        https(server, stranger, contract).call("KeyService/GetJwks")


def shake_hands(address, authority, version, suites):
    """What a client that offers only this is answered with: the suite."""
    context = ssl.create_default_context(cafile=authority.cert)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    context.set_ciphers(suites)
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        with context.wrap_socket(wire, server_hostname="localhost") as secure:
            return secure.cipher()[0]


@pytest.mark.parametrize("face", ["http", "grpc"])
def test_old_tls_and_old_suites_are_refused(secured, authority, face):
    server = secured()
    address = f"127.0.0.1:{server.http_port}" if face == "http" else server.grpc
    every = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
    assert "GCM" in shake_hands(address, authority, ssl.TLSVersion.TLSv1_2, every)
    for version, suites in (
            (ssl.TLSVersion.TLSv1, every), (ssl.TLSVersion.TLSv1_1, every),
            # Without proof of what was encrypted, without a key that is
            # forgotten, without encryption, without the server's name.
            (ssl.TLSVersion.TLSv1_2, "kECDHE+AES:!AESGCM:!AESCCM:@SECLEVEL=0"),
            (ssl.TLSVersion.TLSv1_2, "kRSA:@SECLEVEL=0"),
            (ssl.TLSVersion.TLSv1_2, "eNULL:@SECLEVEL=0"),
            (ssl.TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0")):
        with pytest.raises((ssl.SSLError, ConnectionResetError)) as refused:
            shake_hands(address, authority, version, suites)
        assert "NO_CIPHERS_AVAILABLE" not in str(refused.value), suites


def test_required_client_certificates_keep_out_who_has_none(secured, authority,
                                                            contract, tmp_path):
    server = secured(f"--tls-client-ca={authority.cert}",
                     "--tls-client-auth=require")
    ours = authority.issue("client", "service-a")
    stranger = Authority(tmp_path / "other", "other").issue("client")
    assert sign_up_and_in(GrpcDoor(contract, server.grpc, trusting(
        authority, ours))).access_token
    for pair in (None, stranger):
        with pytest.raises(Refused) as refused:
            GrpcDoor(contract, server.grpc, trusting(authority, pair)).call(
                "KeyService/GetJwks", timeout=5)
        assert refused.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_requested_client_certificates_may_be_left_out_but_not_forged(
        secured, authority, contract, tmp_path):
    server = secured(f"--tls-client-ca={authority.cert}")
    ours = authority.issue("client", "service-a")
    stranger = Authority(tmp_path / "other", "other").issue("client")
    for pair in (None, ours):
        assert GrpcDoor(contract, server.grpc, trusting(authority, pair)).call(
            "KeyService/GetJwks").keys
    with pytest.raises(Refused):
        GrpcDoor(contract, server.grpc, trusting(authority, stranger)).call(
            "KeyService/GetJwks", timeout=5)


def test_a_client_certificate_makes_nobody_the_operator(secured, authority,
                                                        contract):
    server = secured(f"--tls-client-ca={authority.cert}")
    pair = authority.issue("client", "ostiary.operator")
    with pytest.raises(Refused) as refused:
        GrpcDoor(contract, server.grpc, trusting(authority, pair)).call(
            "AdminService/GetServerInfo")
    assert refused.value.reason == "UNAUTHENTICATED"


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("by", ["signal", "interval"])
def test_a_new_pair_is_shown_without_a_restart(secured, authority, contract, by):
    server = secured(*(["--tls-reload-interval=1s"] if by == "interval" else []))
    door = GrpcDoor(contract, server.grpc, trusting(authority))
    door.call("KeyService/GetJwks")
    before = certificate_of(f"127.0.0.1:{server.http_port}", authority)
    authority.issue("server")
    if by == "signal":
        server.process.send_signal(signal.SIGHUP)
    assert wait_for(lambda: certificate_of(
        f"127.0.0.1:{server.http_port}", authority) != before)
    # gRPC too, and whoever was connected stays connected.
    door.call("KeyService/GetJwks")
    fresh = GrpcDoor(contract, server.grpc, trusting(authority))
    fresh.call("KeyService/GetJwks")
    assert server.process.poll() is None


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_bad_pair_keeps_the_old_one_and_says_so(secured, authority, contract,
                                                  content):
    server = secured()
    before = certificate_of(f"127.0.0.1:{server.http_port}", authority)
    cert = authority.folder / "server.pem"
    if content is None:  # of another key
        other, _ = authority.issue("other")
        content = other.read_bytes()
    cert.write_bytes(content)
    server.process.send_signal(signal.SIGHUP)
    assert wait_for(lambda: "old pair stays" in server.log())
    assert certificate_of(f"127.0.0.1:{server.http_port}", authority) == before
    GrpcDoor(contract, server.grpc, trusting(authority)).call(
        "KeyService/GetJwks")


@pytest.mark.parametrize("wrong", ["mismatch", "garbage", "no key"])
def test_a_start_with_a_bad_pair_is_refused_by_name(new_server, authority, wrong):
    cert, key = authority.issue("server")
    if wrong == "mismatch":
        _, key = authority.issue("other")
    if wrong == "garbage":
        cert.write_bytes(b"nonsense")
    flags = [f"--tls-cert={cert}"]
    if wrong != "no key":
        flags.append(f"--tls-key={key}")
    server = new_server(*flags, scheme="https")
    done = server.run(*server.command()[1:])
    assert done.returncode != 0
    assert "--tls-" in done.stderr or str(cert) in done.stderr, done.stderr


def test_the_operators_command_speaks_tls(secured, authority, programs):
    server = secured()
    done = subprocess.run(
        [programs / "ostiary", f"--server={server.grpc}",
         f"--tls-ca={authority.cert}", "health"], capture_output=True,
        text=True, timeout=30, env=clean_environment())
    assert done.returncode == 0, done.stderr
