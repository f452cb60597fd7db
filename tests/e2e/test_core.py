"""What a core dump of the server would show: no password, no refresh token, no
private key that signs no more. And that nobody gets one without asking.

The memory is read as root: the kernel writes no core of this process, and that
is the first thing proved. What a core leaves out (madvise MADV_DONTDUMP) is
left out here.
"""

import os
import sqlite3
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, load_der_private_key)

from certificates import Authority
from cores import longest_run, memory
from doors import ConnectDoor, GrpcDoor, Refused
from house import House, Server, new_password
from test_tls import https, trusting

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="READING ANOTHER PROCESS'S MEMORY NEEDS ROOT: "
    "nothing is proved about core dumps on this machine")

PEOPLE = 6
GRPC_COPIES = 23  # GRPC_SLICE_INLINED_SIZE: larger pieces are pointed to


@dataclass
class Traffic:
    """Calls on every door, and every secret that was in one."""

    house: House
    doors: list
    # By the kind of door they went through.
    passwords: dict = field(default_factory=lambda: {"grpc": [], "connect": []})
    refresh_tokens: dict = field(
        default_factory=lambda: {"grpc": [], "connect": []})

    def kind(self, door):
        return "connect" if isinstance(door, ConnectDoor) else "grpc"

    def password(self, door):
        self.passwords[self.kind(door)].append(new_password())
        return self.passwords[self.kind(door)][-1]

    def keep(self, door, tokens):
        self.refresh_tokens[self.kind(door)].append(tokens.refresh_token)
        return tokens

    def refused(self, door, method, fields, **named):
        with pytest.raises(Refused):
            door.call(method, fields, **named)

    def run(self):
        for _ in range(PEOPLE):
            for door in self.doors:
                self.one_person(door)
        self.operator_sets_passwords()

    def one_person(self, door):
        person = self.house.sign_up(door, self.password(door))
        tokens = self.keep(door, person.sign_in(door))
        tokens = self.keep(
            door, self.house.refresh(tokens.refresh_token, door))
        self.refused(door, "AuthService/SignInWithPassword",
                     {"identifier": person.username,
                      "password": self.password(door)})
        self.refused(door, "AuthService/SignUp",
                     {"username": person.username,
                      "password": self.password(door)})
        changed = self.password(door)
        door.call("AuthService/ChangePassword",
                  {"current_password": person.password,
                   "new_password": changed}, token=tokens.access_token)
        person.password = changed
        tokens = self.keep(door, person.sign_in(door))
        # Forged, and one that is over.
        forged = tokens.refresh_token[:-4] + "AAAA"
        self.refresh_tokens[self.kind(door)].append(forged)
        self.refused(door, "AuthService/Refresh", {"refresh_token": forged})
        door.call("AuthService/SignOut",
                  {"refresh_token": tokens.refresh_token})
        self.keep(door, person.sign_in(door))

    def operator_sets_passwords(self):
        door = self.house.operator
        person = self.house.sign_up()
        door.call(
            "AccountService/SetPassword",
            {"account_id": person.account_id, "password": self.password(door)})
        self.refused(door, "AccountService/CreateAccount",
                     {"username": person.username,
                      "password": self.password(door)})


class KeyRows:
    """The keys of a store, opened with the file beside it."""

    def __init__(self, server):
        self.server = server

    def kek(self):
        return bytes.fromhex((self.server.data_dir / "kek").read_text().split()[0])

    def rows(self):
        path = self.server.data_dir / "ostiary.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return db.execute("SELECT key_id, purpose, algorithm, state, sealed "
                              "FROM keys WHERE sealed != ''").fetchall()

    def open(self, row):
        key_id, purpose, algorithm, _, sealed = row
        header = sealed[:17]
        label = "".join(f"{len(x)}:{x}" for x in (purpose, key_id, algorithm))
        return AESGCM(self.kek()).decrypt(header[5:], sealed[17:],
                                          header + label.encode())

    def private_keys(self):
        """key id -> DER, of the keys that sign or may come to sign."""
        return {row[0]: self.open(row) for row in self.rows()
                if row[1] == "access" and row[3] in ("prepared", "active")}

    def symmetric_keys(self):
        return [self.open(row) for row in self.rows() if row[1] != "access"]


def forms(der):
    """The private numbers of a key, as text and as OpenSSL keeps them."""
    key = load_der_private_key(der, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return [key.private_bytes(Encoding.Raw, PrivateFormat.Raw,
                                  NoEncryption())]
    numbers = key.private_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        secret = [(numbers.private_value, 32)]
    else:
        assert isinstance(key, rsa.RSAPrivateKey)
        secret = [(numbers.d, 256), (numbers.p, 128), (numbers.q, 128)]
    return [value.to_bytes(size, order) for value, size in secret
            for order in ("big", "little")]


@dataclass
class Seen:
    server: Server
    traffic: Traffic
    retired: list  # DER
    active: dict  # key id -> DER
    keks: list
    symmetric: list
    pieces: list

    def dumped(self):
        return [piece for piece in self.pieces if piece.mapping.is_dumped]


def retire_one_of_each(house, keys):
    """DER of keys that have signed and sign no more; the last one active is
    the usual ES256."""
    retired = []
    for algorithm in ("RS256", "EdDSA", "ES256", "ES256"):
        before = set(keys.private_keys())
        try:
            house.operator.call("KeyService/PrepareSigningKey",
                                {"algorithm": algorithm})
        except Refused as refused:
            assert refused.reason == "KEY_STATE_CONFLICT"  # one is ready
        ready = [key for key in house.operator.call(
            "KeyService/ListSigningKeys").signing_keys
            if key.algorithm == algorithm and key.state == 1]
        opened = keys.private_keys()
        house.operator.call("KeyService/ActivateSigningKey",
                            {"key_id": ready[-1].key_id, "force": True})
        # It signs, and is published, and what was made from it is kept.
        signed = house.sign_up().sign_in().access_token
        status = jwt.decode(signed, options={"verify_signature": False})[
            "status"]["status_list"]["uri"]
        for path in ("/.well-known/jwks.json", urlsplit(status).path,
                     "/.well-known/oauth-authorization-server"):
            assert house.http.client.get(path).status_code == 200
        gone = (before | set(opened)) - set(keys.private_keys())
        retired += [opened[key_id] for key_id in gone]
    assert len(retired) >= 4
    return retired


def look(server, house, doors):
    keys = KeyRows(server)
    traffic = Traffic(house, doors)
    traffic.run()
    retired = retire_one_of_each(house, keys)
    keks = [keys.kek()]
    done = server.cli("key", "rotate-encryption-key", "--yes")
    assert done.returncode == 0, done.stderr
    keks.append(keys.kek())
    time.sleep(0.5)  # what is under way is over
    return Seen(server, traffic, retired, keys.private_keys(), keks,
                keys.symmetric_keys(), memory(server.process.pid))


@pytest.fixture(scope="module", params=["plain", "tls"])
def seen(request, programs, contract, tmp_path_factory):
    flags, named = ("--status-lists=on",), {}
    if request.param == "tls":
        authority = Authority(tmp_path_factory.mktemp("tls") / "ca")
        cert, key = authority.issue("server")
        flags += (f"--tls-cert={cert}", f"--tls-key={key}")
        named = {"scheme": "https"}
    server = Server(programs, *flags, **named).start()
    house = House(server, contract)
    if request.param == "tls":
        house.grpc = GrpcDoor(contract, server.grpc, trusting(authority))
        house.http = https(server, authority, contract)
    yield look(server, house, [house.grpc, house.http])
    house.close()
    server.remove()


def find(pieces, secrets):
    """Secret -> how many of its bytes are there, of those of which any are."""
    runs = {secret: longest_run(pieces, secret) for secret in secrets}
    return {secret: run for secret, run in runs.items() if run}


def encoded(texts):
    return [text.encode() for text in texts]


def test_the_search_finds_what_is_there(seen):
    """Access tokens are in the memory of checked signatures."""
    person = seen.traffic.house.sign_up()
    token = person.sign_in().access_token
    assert seen.traffic.house.verdict(token) == "VALID"
    found = find(memory(seen.server.process.pid), encoded([token]))
    assert found == {token.encode(): len(token)}


def only_edges(found, connections):
    """gRPC copies up to 23 bytes where a message crosses the edge of what was
    read at once; there can be two edges in what a connection holds on to."""
    return len(found) <= 2 * connections and all(
        run <= GRPC_COPIES for run in found.values())


def test_no_password_is_in_a_core(seen):
    # The part of each that no other has.
    tails = [p.rpartition("-")[2] for p in seen.traffic.passwords["connect"]]
    assert len(tails) >= 4 * PEOPLE
    assert not find(seen.dumped(), encoded(tails))
    over_grpc = seen.traffic.passwords["grpc"]
    assert len(over_grpc) >= 4 * PEOPLE
    found = find(seen.dumped(),
                 encoded(p.rpartition("-")[2] for p in over_grpc))
    whole = find(seen.dumped(), [p.encode() for p in over_grpc
                                 if p.rpartition("-")[2].encode() in found])
    assert only_edges(whole, connections=2), whole


def test_no_refresh_token_is_in_a_core(seen):
    # They begin alike.
    tails = {name: [t[20:] for t in tokens]
             for name, tokens in seen.traffic.refresh_tokens.items()}
    assert min(len(some) for some in tails.values()) >= 4 * PEOPLE
    assert not find(seen.dumped(), encoded(tails["connect"]))
    found = find(seen.dumped(), encoded(tails["grpc"]))
    assert only_edges(found, connections=1), found


def test_no_retired_private_key_is_in_memory_at_all(seen):
    for der in seen.retired:
        assert not find(seen.pieces, forms(der))


def test_no_key_of_the_house_is_in_a_core(seen):
    """Those in use are in memory, in the arena that a core leaves out."""
    secrets = [*seen.keks[1:], *seen.symmetric]
    secrets += [form for der in seen.active.values() for form in forms(der)]
    assert find(seen.pieces, secrets), "the arena was not read"
    assert not find(seen.dumped(), secrets)


def test_a_key_encryption_key_that_was_changed_is_in_memory_no_more(seen):
    old, now = seen.keks
    assert find(seen.pieces, [now])
    assert not find(seen.pieces, [old, old.hex().encode()])


def test_the_arena_is_locked_and_left_out_of_cores(seen):
    arenas = [m for m in (p.mapping for p in seen.pieces)
              if not m.is_dumped and m.last - m.first == 512 * 1024]
    assert arenas and all("lo" in m.flags for m in arenas)


def owner_of_memory(server):
    """User id that may look into the process, which runs as nobody."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    usual = server.command
    server.command = lambda *more: [*nobody, *usual(*more)]
    os.chown(server.root, 65534, 65534)
    server.start()
    return os.stat(f"/proc/{server.process.pid}/mem").st_uid


def core_limit_in(limits):
    for line in limits.splitlines():
        if line.startswith("Max core file size"):
            return line.split()[4:6]
    raise AssertionError(limits)


def core_limit(server):
    with open(f"/proc/{server.process.pid}/limits", encoding="utf-8") as limits:
        return core_limit_in(limits.read())


def test_no_core_is_written_and_nobody_but_root_looks_in(new_server):
    server = new_server()
    # The files of a process that may not be dumped are root's.
    assert owner_of_memory(server) == 0
    assert core_limit(server) == ["0", "0"]


def test_core_dumps_are_to_be_had_by_asking(new_server):
    server = new_server("--core-dumps=on")
    assert owner_of_memory(server) == 65534
    ours = open("/proc/self/limits", encoding="utf-8").read()
    assert core_limit(server) == core_limit_in(ours)
