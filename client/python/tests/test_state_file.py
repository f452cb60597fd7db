"""What is known survives a restart, or is not believed."""

from __future__ import annotations

import logging
import math
import os
import stat
from pathlib import Path

import pytest
from fake_clock import START, FakeClock
from fake_server import entry, key_set, snapshot

import ostiary
from ostiary._claims import Claims
from ostiary._knowledge import Knowledge, Position
from ostiary._state_file import read_state, write_state
from ostiary.testing import TestIssuer

ISSUER = "http://issuer.test"


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    return TestIssuer(ISSUER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


def known(issuer: TestIssuer) -> Knowledge:
    knowledge = Knowledge(clock=FakeClock())
    knowledge.apply(key_set(*issuer.jwks()["keys"]))
    knowledge.apply(snapshot(3, [entry(session_id="sess_0")], as_of=START - 5))
    entries = [entry(session_id=f"sess_{i}") for i in range(5000)]
    entries += [
        entry(account={"account_id": "acct_a", "min_generation": 4}),
        entry(client={"client_id": "cli_a", "issued_before": {"seconds": 77}}),
        entry(None, key_id="kid_a"),
        entry(None, all={"issued_before": {"seconds": 55}}),
    ]
    knowledge.apply(snapshot(9, entries, epoch=2, as_of=START - 2))
    return knowledge


def of_session(session_id: str) -> Claims:
    return Claims("i", "s", ("api",), "c", session_id, "t", START, START + 60)


def test_everything_comes_back(issuer: TestIssuer, path: Path) -> None:
    before = known(issuer)
    write_state(path, ISSUER, before)
    after = Knowledge(clock=FakeClock())
    assert read_state(path, ISSUER, after)
    assert len(after.revoked) == len(before.revoked)
    assert after.revoked.hits(of_session("sess_4999"), "k")
    assert not after.revoked.hits(of_session("sess_5000"), "k")
    assert after.revoked.accounts == before.revoked.accounts
    assert after.revoked.clients == before.revoked.clients
    assert after.revoked.keys == {"kid_a"}
    assert after.revoked.everything == before.revoked.everything
    assert math.isinf(after.revoked.everything.forget_at)  # type: ignore[union-attr]
    assert (after.position, after.cursor) == (Position(2, 9), "c2.9")
    assert after.reached == {1: 3, 2: 9}
    assert [key.jwk for key in after.keys.keys] == [key.jwk for key in before.keys.keys]
    assert after.has_keys


def test_it_is_as_stale_as_it_is_old(issuer: TestIssuer, path: Path) -> None:
    write_state(path, ISSUER, known(issuer))
    clock = FakeClock()
    clock.wall_now += 100
    after = Knowledge(clock=clock)
    read_state(path, ISSUER, after)
    assert after.staleness() == 102
    clock.wall_now -= 100  # neither clock makes it younger
    assert after.staleness() == 102


def test_one_from_the_future_is_stale(issuer: TestIssuer, path: Path) -> None:
    write_state(path, ISSUER, known(issuer))
    clock = FakeClock()
    clock.wall_now -= 100
    after = Knowledge(clock=clock)
    assert read_state(path, ISSUER, after)
    assert math.isinf(after.staleness())
    after.apply(snapshot(9, epoch=2, as_of=clock.wall_now))
    assert after.staleness() == 0


def test_nothing_is_written_before_a_complete_snapshot(path: Path) -> None:
    write_state(path, ISSUER, Knowledge())
    assert not path.exists()


def test_only_the_owner_may_read_it(issuer: TestIssuer, path: Path) -> None:
    write_state(path, ISSUER, known(issuer))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def ignored(path: Path, issuer: str, caplog: pytest.LogCaptureFixture) -> bool:
    after = Knowledge(clock=FakeClock())
    with caplog.at_level(logging.WARNING, "ostiary"):
        read = read_state(path, issuer, after)
    return not read and not after.complete and len(after.revoked) == 0 and bool(caplog.records)


def test_one_of_another_issuer_is_ignored(
    issuer: TestIssuer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_state(path, ISSUER, known(issuer))
    assert ignored(path, "http://other.test", caplog)


@pytest.mark.parametrize("at", [0, 30, 400, -40, -1])
def test_one_changed_byte_is_noticed(
    issuer: TestIssuer, path: Path, caplog: pytest.LogCaptureFixture, at: int
) -> None:
    write_state(path, ISSUER, known(issuer))
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert ignored(path, ISSUER, caplog)


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_half_a_file_is_noticed(
    issuer: TestIssuer, path: Path, caplog: pytest.LogCaptureFixture, keep: int
) -> None:
    write_state(path, ISSUER, known(issuer))
    path.write_bytes(path.read_bytes()[:keep])
    assert ignored(path, ISSUER, caplog)


def test_one_that_others_could_have_written_is_ignored(
    issuer: TestIssuer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_state(path, ISSUER, known(issuer))
    path.chmod(0o666)
    assert ignored(path, ISSUER, caplog)


def test_a_link_is_not_followed(
    issuer: TestIssuer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_state(path, ISSUER, known(issuer))
    link = path.parent / "link"
    os.symlink(path, link)
    assert ignored(link, ISSUER, caplog)


def test_a_folder_that_is_not_there_does_not_stop_anybody(
    issuer: TestIssuer, tmp_path: Path
) -> None:
    write_state(tmp_path / "no" / "state", ISSUER, known(issuer))
    verifier = ostiary.Verifier("127.0.0.1:1", issuer=ISSUER, state_file=tmp_path / "no" / "s")
    verifier.close()
