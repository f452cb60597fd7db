"""The machine fails around the server: no crash, no lie, and it comes back."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time

import pytest

from house import clean_environment, new_password

IS_ROOT = os.geteuid() == 0


def start_is_refused(server, *words):
    done = server.run(*server.command()[1:])
    assert done.returncode > 0, f"a signal ended it: {done.returncode}"
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def stopped(new_server):
    """A server that has run once."""
    server = new_server().start()
    assert server.stop() == 0
    return server


@pytest.mark.parametrize("damage", ["header", "empty middle"])
def test_a_damaged_database_is_refused_and_named(stopped, damage):
    path = stopped.data_dir / "ostiary.db"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:16] = b"not a database!!"
    else:
        content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    start_is_refused(stopped, "ostiary.db")


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 32, b"a" * 5000])
def test_another_key_encryption_key_is_refused(stopped, content):
    (stopped.data_dir / "kek").write_bytes(content)
    start_is_refused(stopped)


def test_a_key_encryption_key_others_can_read_is_refused(stopped):
    (stopped.data_dir / "kek").chmod(0o644)
    start_is_refused(stopped, "kek", "0600")


def test_a_hangup_without_tls_changes_nothing(house):
    house.server.process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    assert house.sign_up().sign_in().access_token


def test_it_survives_running_out_of_descriptors(new_house):
    house = new_house()
    pid = house.server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, before[1]))
    address = ("127.0.0.1", house.server.http_port)
    wires = [socket.create_connection(address, timeout=5) for _ in range(40)]
    time.sleep(1)
    ticks = lambda: sum(  # noqa: E731
        int(x) for x in open(f"/proc/{pid}/stat").read().split(") ")[1].split()[11:13])
    spent = ticks()
    time.sleep(1)
    assert ticks() - spent < 60, "it spins while it cannot accept"
    for wire in wires:
        wire.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    end = time.monotonic() + 15
    while not house.server.is_ready():
        assert time.monotonic() < end, "it does not come back"
        time.sleep(0.1)
    assert house.sign_up(house.http).sign_in().access_token


@pytest.mark.skipif(not IS_ROOT, reason="NEEDS ROOT to become somebody else")
def test_another_user_cannot_open_the_operator_socket(house):
    script = ("import os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
              "s = socket.socket(socket.AF_UNIX)\n"
              "try: s.connect(sys.argv[1])\n"
              "except PermissionError: sys.exit(42)\n")
    done = subprocess.run([sys.executable, "-c", script,
                           house.server.socket_path], timeout=20,
                          env=clean_environment())
    assert done.returncode == 42


def test_reflection_can_be_switched_off(new_house):
    house = new_house("--reflection=off")
    for service in ("grpc.reflection.v1alpha.ServerReflection",
                    "grpc.reflection.v1.ServerReflection"):
        call = house.grpc.channel.stream_stream(
            f"/{service}/ServerReflectionInfo")
        with pytest.raises(Exception) as error:
            list(call(iter([b"\x3a\x00"]), timeout=5))
        assert error.value.code().name == "UNIMPLEMENTED"
    assert house.sign_up(password=new_password()).sign_in().access_token
