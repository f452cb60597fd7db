"""The disk fills up under load: what ends access is still done, all else is
refused with its own reason, and once there is room all goes on by itself."""

import os
import re
import subprocess
import threading
import time

import httpx
import pytest

from doors import Refused
from house import House, refusal

IS_ROOT = os.geteuid() == 0
REVOCATIONS = 100
RESERVE = 8 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MB, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = IS_ROOT and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", folder],
        capture_output=True).returncode == 0
    if not made:
        pytest.skip("A SMALL DISK CANNOT BE MOUNTED here: the reserve is not "
                    "proved on this machine")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Somebody else takes what is free."""
    with open(folder / "filler", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def gauge(server, name):
    found = re.search(rf"^{name} (\S+)$", server.metrics(), re.MULTILINE)
    assert found, f"no {name} in the metrics"
    return float(found.group(1))


def readiness(server):
    answer = httpx.get(server.ops_url + "/readyz", timeout=5, trust_env=False)
    return answer.status_code, answer.text


def load_until_refused(house, person):
    """Signs in on three wires until the disk is full; the reasons seen."""
    reasons, stop = [], threading.Event()

    def one():
        while not stop.is_set():
            try:
                person.sign_in()
            except Refused as refused:
                reasons.append((refused.code, refused.reason))
                stop.set()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert stop.is_set(), "the disk never was full"
    return reasons


def test_access_can_be_ended_on_a_full_disk_and_stays_ended(
        new_server, contract, small_disk):
    server = new_server("--max-sessions-per-account=10000",
                        "--sign-in-limit-prefix=off")
    server.data_dir = small_disk / "data"
    house = House(server.start(), contract)
    assert gauge(server, "ostiary_store_full") == 0
    assert gauge(server, "ostiary_store_reserve_bytes") == RESERVE
    people = [house.sign_up() for _ in range(3)]
    doomed = [people[0].sign_in() for _ in range(REVOCATIONS // 2)]
    leaving = [people[1].sign_in() for _ in range(REVOCATIONS // 2)]
    survivor = people[2].sign_in()

    # Most of the room goes to somebody else, the rest to our own load.
    with open(small_disk / "ballast", "wb") as file:
        file.write(b"b" * (34 << 20))
    reasons = load_until_refused(house, people[2])
    assert set(reasons) == {("UNAVAILABLE", "STORE_FULL")}, reasons
    fill(small_disk)
    assert gauge(server, "ostiary_store_full") == 1
    assert readiness(server)[0] == 503 and "full" in readiness(server)[1]

    # Every revocation is acknowledged, whoever fills the disk meanwhile.
    for number, tokens in enumerate(doomed):
        assert house.revoke(token=tokens.access_token)
        if number % 10 == 0:
            fill(small_disk)
    for tokens in leaving:
        house.grpc.call("AuthService/SignOut",
                        {"refresh_token": tokens.refresh_token})
    refused = refusal(people[2].sign_in)
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "STORE_FULL")
    assert house.verdict(survivor.access_token) == "VALID"

    def all_ended():
        return all(house.verdict(tokens.access_token) == "TOKEN_REVOKED"
                   for tokens in doomed + leaving)

    assert all_ended()
    fill(small_disk)
    server.kill()
    house.close()

    # It starts on the full disk, and nothing has come back.
    house = House(start_again(server), contract)
    for person in people:
        person.house = house
    assert all_ended()
    assert house.verdict(survivor.access_token) == "VALID"
    assert refusal(people[2].sign_in).reason == "STORE_FULL"
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": survivor.refresh_token})
    assert house.verdict(survivor.access_token) == "TOKEN_REVOKED"

    # Room again: no restart, and the reserve is made anew.
    (small_disk / "filler").unlink()
    (small_disk / "ballast").unlink()
    assert people[2].sign_in().access_token
    assert gauge(server, "ostiary_store_full") == 0
    assert gauge(server, "ostiary_store_reserve_bytes") == RESERVE
    assert readiness(server)[0] == 200
    assert all_ended()
    assert server.stop() == 0
    house.close()


def start_again(server):
    """A full disk is not ready for all; it is up once it answers."""
    server.launch()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert server.process.poll() is None, server.log()[-2000:]
        if server._read_greeting():
            return server
        time.sleep(0.02)
    raise AssertionError(server.log()[-2000:])
