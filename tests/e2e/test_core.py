"""What a core dump of the server would show: no password, no refresh token, no
private key that signs no more. And that nobody gets one without asking.

The memory is read as root: the kernel writes no core of this process, and that
is the first thing proved. What a core leaves out (madvise MADV_DONTDUMP) is
left out here.
"""

import os
import resource
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, load_der_private_key)

from certificates import Authority
from cores import memory, places
from doors import ConnectDoor, GrpcDoor, Refused
from house import House, Server, new_password
from test_tls import https, trusting

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="READING ANOTHER PROCESS'S MEMORY NEEDS ROOT: "
    "nothing is proved about core dumps on this machine")

PEOPLE = 6


def pieces_of(text):
    """What is left when the ends of a freed block are overwritten."""
    content = text.encode() if isinstance(text, str) else text
    half = len(content) // 2
    return {content[:half], content[half:], content[half // 2:half // 2 + half]}


@dataclass
class Traffic:
    """Calls on every door, and every secret that was in one."""

    house: House
    doors: list
    passwords: list = field(default_factory=list)
    refresh_tokens: list = field(default_factory=list)
    access_tokens: list = field(default_factory=list)

    def password(self):
        self.passwords.append(new_password())
        return self.passwords[-1]

    def keep(self, tokens):
        self.refresh_tokens.append(tokens.refresh_token)
        self.access_tokens.append(tokens.access_token)
        return tokens

    def refused(self, door, method, fields, **named):
        with pytest.raises(Refused):
            door.call(method, fields, **named)

    def run(self):
        for number in range(PEOPLE):
            for door in self.doors:
                self.one_person(door)
        self.operator_sets_passwords()

    def one_person(self, door):
        person = self.house.sign_up(door, self.password())
        tokens = self.keep(person.sign_in(door))
        tokens = self.keep(self.house.refresh(tokens.refresh_token, door))
        self.refused(door, "AuthService/SignInWithPassword",
                     {"identifier": person.username,
                      "password": self.password()})
        self.refused(door, "AuthService/SignUp",
                     {"username": person.username,
                      "password": self.password()})
        changed = self.password()
        door.call("AuthService/ChangePassword",
                  {"current_password": person.password,
                   "new_password": changed}, token=tokens.access_token)
        person.password = changed
        tokens = self.keep(person.sign_in(door))
        # Forged, and one that is over.
        forged = tokens.refresh_token[:-4] + "AAAA"
        self.refresh_tokens.append(forged)
        self.refused(door, "AuthService/Refresh", {"refresh_token": forged})
        door.call("AuthService/SignOut",
                  {"refresh_token": tokens.refresh_token})
        self.keep(person.sign_in(door))

    def operator_sets_passwords(self):
        person = self.house.sign_up()
        self.house.operator.call(
            "AccountService/SetPassword",
            {"account_id": person.account_id, "password": self.password()})
        self.refused(self.house.operator, "AccountService/CreateAccount",
                     {"username": person.username,
                      "password": self.password()})


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
        house.sign_up().sign_in()  # it signs
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
    flags, named = (), {}
    if request.param == "tls":
        authority = Authority(tmp_path_factory.mktemp("tls") / "ca")
        cert, key = authority.issue("server")
        flags, named = (f"--tls-cert={cert}", f"--tls-key={key}"), {
            "scheme": "https"}
    server = Server(programs, *flags, **named).start()
    house = House(server, contract)
    if request.param == "tls":
        house.grpc = GrpcDoor(contract, server.grpc, trusting(authority))
        house.http = https(server, authority, contract)
    yield look(server, house, [house.grpc, house.http])
    house.close()
    server.remove()


def find(pieces, secrets):
    """Each secret of which a half is there, and where."""
    found = {}
    for secret in secrets:
        for part in pieces_of(secret):
            for mapping, _ in places(pieces, part):
                where = found.setdefault(secret, [])
                where.append(mapping.name or "anonymous")
    return found


def test_the_search_finds_what_is_there(seen):
    """Access tokens are in the memory of checked signatures."""
    for token in seen.traffic.access_tokens:
        seen.server  # every door has verified some of them
    person = seen.traffic.house.sign_up()
    token = person.sign_in().access_token
    assert seen.traffic.house.verdict(token) == "VALID"
    assert find(memory(seen.server.process.pid), [token])


def test_no_password_is_in_a_core(seen):
    assert len(seen.traffic.passwords) > 40
    # The part that no other password has.
    assert not find(seen.dumped(),
                    [p.rpartition("-")[2] for p in seen.traffic.passwords])


def test_no_refresh_token_is_in_a_core(seen):
    assert len(seen.traffic.refresh_tokens) > 40
    assert not find(seen.dumped(), seen.traffic.refresh_tokens)


def test_no_retired_private_key_is_in_memory_at_all(seen):
    for der in seen.retired:
        assert not find(seen.pieces, [*forms(der), der])


def test_no_key_of_the_house_is_in_a_core(seen):
    """Those in use are in memory, in the arena that a core leaves out."""
    secrets = [*seen.keks, *seen.symmetric]
    secrets += [form for der in seen.active.values() for form in forms(der)]
    assert find(seen.pieces, secrets), "the arena was not read"
    assert not find(seen.dumped(), secrets)


def test_a_key_encryption_key_that_was_changed_is_in_memory_no_more(seen):
    old, now = seen.keks
    assert find(seen.pieces, [now])
    assert not find(seen.pieces, [old, old.hex()])


def may_look_into(pid):
    """Whether a program of the same user may that is not almighty."""
    return subprocess.run(
        ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace",
         "cat", f"/proc/{pid}/environ"], capture_output=True).returncode == 0


def test_no_core_is_written_and_no_other_program_looks_in(seen):
    pid = seen.server.process.pid
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert not may_look_into(pid)


def test_core_dumps_are_to_be_had_by_asking(new_server):
    server = new_server("--core-dumps=on").start()
    soft, _ = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
    assert soft == resource.getrlimit(resource.RLIMIT_CORE)[0]
    assert may_look_into(server.process.pid)
