"""Floods against a real server, with good callers measured beside them.

Wanted: good callers are answered, 999 of 1000; p99 at most twice what it is
without the flood; memory and descriptors bounded; all well 2 s after its end.
What gRPC 1.51 itself does not survive is marked with its CVE: docs/security.md
says what to do about it.
"""

import resource
import socket
import ssl
import time

import pytest

import http2
from certificates import Authority
from doors import Refused
from flooded import (NOISE_SECONDS, Flood, GoodCallers, Process, of_kinds,
                     p99, share_answered, table)
from floods import unknown_key_ids
from house import House, Server

SECONDS, CALM_SECONDS = 1.2, 2.4
MOST_MEGABYTES_MORE = 150


class Site:
    """A server with good callers, and how it is without a flood."""

    def __init__(self, house):
        self.house, self.process = house, Process(house)
        self.good = GoodCallers(house)
        self.good.during(0.5)
        self.calm = self.good.during(CALM_SECONDS)
        assert share_answered(self.calm) == 1, table(self.calm)

    def port(self, door):
        return (self.house.server.http_port if door == "http" else
                int(self.house.server.grpc.rsplit(":")[-1]))

    def close(self):
        self.good.end()
        self.house.close()
        self.house.server.remove()


@pytest.fixture(scope="module")
def site(programs, contract):
    site = Site(House(Server(programs).start(), contract))
    yield site
    site.close()


def is_slow(kind, told, other, seconds, other_seconds):
    """Slower than twice the other, or with less than half as many answers: a
    caller who waits for each does not ask again meanwhile."""
    rate = len(told[kind]["took"]) / seconds
    return p99(told, kind) > 2 * max(NOISE_SECONDS, p99(other, kind)) or (
        rate < len(other[kind]["took"]) / other_seconds / 2)


def measured(site, flood):
    """(what became of the good calls, processors the flood took)"""
    spent = flood.cpu_seconds() + site.process.cpu_seconds()
    told = site.good.during(SECONDS)
    spent = flood.cpu_seconds() + site.process.cpu_seconds() - spent
    print(f"{flood.name}, {spent / SECONDS:.2f} processors: {table(told)}")
    return told, spent / SECONDS


def slow_kinds(site, flood, told, processors):
    """Kinds of calls that the flood slows. It also takes processors away: times
    beyond the limit are compared with those under a load that takes as much and
    floods nobody, while the flood stands still."""
    slow = [kind for kind in told if kind.startswith("verify") and is_slow(
        kind, told, site.calm, SECONDS, CALM_SECONDS)]
    if not slow:
        return []
    flood.pause()
    try:
        with Flood("burn", min(100, int(100 * processors))):
            site.good.during(0.5)  # what the flood left to do
            beside = site.good.during(SECONDS)
    finally:
        flood.go_on()
    print(f"as much load without a flood: {table(beside)}")
    return [kind for kind in slow if share_answered(beside) < 1 or
            is_slow(kind, told, beside, SECONDS, SECONDS)]


def hold(site, flood, rounds=3):
    """Neighbours on the machine disturb times, never answers: one round of
    three must do."""
    for _ in range(rounds):
        told, processors = measured(site, flood)
        assert share_answered(told) >= 0.999, table(told)
        slow = slow_kinds(site, flood, told, processors)
        if not slow:
            return
    pytest.fail(f"{slow} took too long: {table(told)}; calm: "
                f"{table(site.calm)}")


def all_is_well_again(site, descriptors, seconds=2):
    end = time.monotonic() + seconds
    while True:
        told = site.good.during(0.4)
        if share_answered(told) == 1 and all(
                one["took"] for one in told.values()) and (
                site.process.descriptors <= descriptors + 20):
            return
        assert time.monotonic() < end, (
            f"{site.process.descriptors} descriptors, not {descriptors}; "
            f"{table(told)}")


def outlast(site, name, door):
    descriptors, megabytes = site.process.descriptors, site.process.megabytes
    with Flood(name, site.port(door)) as flood:
        assert flood.standing > 0
        hold(site, flood)
        more = site.process.megabytes - megabytes
        print(f"{name}: {more:.0f} MB and "
              f"{site.process.descriptors - descriptors} descriptors more")
    print(f"{name}: {flood.told}")
    assert more <= MOST_MEGABYTES_MORE
    all_is_well_again(site, descriptors)
    return flood


@pytest.mark.parametrize("name", ["http_crowd", "http_header_bomb",
                                  "http_body_bomb"])
def test_strangers_on_http_disturb_nobody(site, name):
    outlast(site, name, "http")


@pytest.mark.parametrize("name", [
    "grpc_crowd", "grpc_unread", "grpc_body_bomb", "grpc_continuation",
    "grpc_empty_continuation", "grpc_settings"])
def test_strangers_on_grpc_disturb_nobody(site, name):
    outlast(site, name, "grpc")


def test_128_streams_is_the_bound_of_a_connection(site):
    """Of one that keeps to the protocol."""
    wire = http2.Wire(site.port("grpc"))
    frames = wire.frames()
    granted = None
    while granted is None:
        kind, flags, _, payload = next(frames)
        if kind == http2.SETTINGS and not flags & http2.ACK:
            granted = {int.from_bytes(payload[at:at + 2], "big"):
                       int.from_bytes(payload[at + 2:at + 6], "big")
                       for at in range(0, len(payload), 6)}
    wire.send(http2.frame(http2.SETTINGS, http2.ACK))
    assert granted[http2.MAX_CONCURRENT_STREAMS] == 128
    headers = http2.call_headers("/ostiary.v1.TokenService/Verify")
    wire.send(b"".join(http2.frame(http2.HEADERS, http2.END_HEADERS,
                                   2 * n + 1, headers) for n in range(200)))
    # Refused one by one, or all of the connection.
    refused = set()
    for kind, _, stream, _ in frames:
        if kind == http2.GOAWAY:
            return
        if kind == http2.RST_STREAM:
            refused.add(stream)
        if len(refused) >= 72:
            return


def test_handshakes_that_never_end_disturb_nobody(programs, contract, tmp_path):
    cert, key = Authority(tmp_path / "tls").issue("server")
    server = Server(programs, f"--tls-cert={cert}", f"--tls-key={key}",
                    scheme="https").start()
    process = Process(House(server, contract))
    before = process.descriptors, process.megabytes
    try:
        with Flood("tls_half", int(server.grpc.rsplit(":")[-1])), Flood(
                "tls_half", server.http_port) as last:
            assert last.standing > 1000
            assert process.descriptors - before[0] < 2000 + 1024 + 100
            # OpenSSL takes 60 KB for each.
            assert process.megabytes - before[1] < 2 * MOST_MEGABYTES_MORE
            for port in (server.http_port, int(server.grpc.rsplit(":")[-1])):
                began = time.monotonic()
                greet(port, cert.parent / "ca.pem")
                assert time.monotonic() - began < 2
        end = time.monotonic() + 2
        while process.descriptors > before[0] + 20:
            assert time.monotonic() < end, process.descriptors
            time.sleep(0.05)
    finally:
        server.remove()


def greet(port, authority):
    """A handshake that ends."""
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        with context.wrap_socket(wire, server_hostname="localhost") as secure:
            assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_grpc_survives_running_out_of_descriptors(new_house):
    """CVE-2023-4785: gRPC's own listener is deaf from then on."""
    house = new_house()
    token = house.sign_up().sign_in().access_token
    pid, port = house.server.process.pid, int(house.server.grpc.rsplit(":")[-1])
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = Process(house).descriptors
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, before[1]))
    wires = [socket.create_connection(("127.0.0.1", port), timeout=5)
             for _ in range(40)]
    time.sleep(0.3)
    spent = Process(house).cpu_seconds()
    time.sleep(0.5)
    assert Process(house).cpu_seconds() - spent < 0.3, "it spins"
    # Who was connected before is served.
    assert house.verdict(token) == "VALID"
    for wire in wires:
        wire.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    newcomer = House(house.server, house.contract)
    end = time.monotonic() + 5
    while True:
        try:
            assert newcomer.grpc.call("KeyService/GetJwks", timeout=1).keys
            break
        except Refused as refused:
            assert time.monotonic() < end, refused
    newcomer.close()


class FewDescriptors(Server):
    def command(self, *more):
        return ["prlimit", "--nofile=1024:1024", *super().command(*more)]


def test_connections_take_no_descriptor_that_the_store_needs(new_server,
                                                             contract):
    """1,024 is what a service has where nobody has thought about it."""
    house = House(new_server(kind=FewDescriptors).start(), contract)
    person, process = house.sign_up(), Process(house)
    before = process.descriptors
    with Flood("grpc_crowd", int(house.server.grpc.rsplit(":")[-1])), Flood(
            "http_crowd", house.server.http_port):
        assert 300 < process.descriptors - before < 768
        # One who asks has a place on HTTP; on gRPC who had one keeps it.
        newcomer = House(house.server, contract)
        for door in (newcomer.http, house.grpc, house.operator):
            tokens = person.sign_in(door)
            assert house.refresh(tokens.refresh_token, door).access_token
        newcomer.close()
        assert house.server.is_ready()
    house.close()


def test_unknown_key_ids_cost_no_look_ups(site):
    """100,000 of them: nothing is read, nothing is asked of anybody."""
    operations, before = store_operations(site), site.process.megabytes
    reads, sockets = site.process.reads, site.process.descriptors
    flood = outlast(site, "grpc_unknown_keys", "grpc")
    assert flood.told["answered"] == flood.told["asked"] > 1000
    # The others as fast as they are taken.
    for first in range(0, 100_000, 100):
        answer = site.house.grpc.call("TokenService/BatchVerify", {"requests": [
            {"token": token.decode()}
            for token in unknown_key_ids(first, 100)]})
        assert {one.reason for one in answer.responses} == {"KEY_UNKNOWN"}
    # Good callers refresh, which writes and reads; nobody else does.
    assert store_operations(site) - operations < 1000
    assert site.process.reads - reads < 20_000
    assert site.process.descriptors <= sockets + 20
    assert site.process.megabytes - before < 50


def store_operations(site):
    for line in site.house.server.metrics().splitlines():
        if line.startswith("ostiary_store_operations_total "):
            return float(line.split()[1])
    raise AssertionError("no such metric")


# What gRPC 1.51 has no defence against, and we none for it. Last: they leave
# the server with much memory that it will use again.
BEYOND_GRPC_1_51 = {
    "grpc_hpack_bomb": "CVE-2023-33953",
    "grpc_rapid_reset": "CVE-2023-44487",
    "grpc_many_streams": "gRPC 1.51 bounds the streams only of a client that "
                         "acknowledges its SETTINGS (no CVE known)",
    "grpc_ping": "gRPC 1.51 answers all that was sent before it counts the "
                 "second strike (no CVE known)",
}


@pytest.mark.parametrize("name", BEYOND_GRPC_1_51)
def test_what_stops_grpc_leaves_http_alone_and_passes(site, name):
    """The harm has a bound: what does not hold for callers of gRPC meanwhile is
    an expected failure."""
    descriptors = site.process.descriptors
    with Flood(name, site.port("grpc")) as flood:
        told, processors = measured(site, flood)
        slow = slow_kinds(site, flood, told, processors)
    print(f"{name}: {flood.told}, {site.process.megabytes:.0f} MB")
    http = of_kinds(told, "verify http", "refresh http", "newcomer http")
    assert share_answered(http) >= 0.999, table(http)
    all_is_well_again(site, descriptors, seconds=15)
    if slow or share_answered(told) < 0.999:
        pytest.xfail(f"{BEYOND_GRPC_1_51[name]}: {table(told)}")
