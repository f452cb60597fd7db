"""The process: what it refuses to start with, how it ends, what it keeps."""

import os
import signal
import sqlite3
import threading
import time

import pytest

from doors import Refused
from house import House, new_name, new_password, refusal

REFUSED = 2  # exit code of a wrong command line


def said(done, *words):
    """That it ended with a sentence that holds all these words."""
    assert done.returncode not in (0, None)
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def server(new_server):
    return new_server()


@pytest.mark.parametrize("flag,value,expected", [
    ("--grpc-listen", "banana", "an address and a port"),
    ("--http-listen", "127.0.0.1:99999", "an address and a port"),
    ("--retry-window", "5m", "0s to 60s"),
    ("--access-token-lifetime", "25h", "1s to 24h"),
    ("--access-token-lifetime", "-1s", "1s to 24h"),
    ("--signing-algorithm", "none", "ES256, RS256 or EdDSA"),
    ("--signing-algorithm", "HS256", "ES256, RS256 or EdDSA"),
    ("--password-min-length", "7", "8 to 128"),
    ("--hash-memory-kib", "1", "8192 to"),
    ("--sign-up", "perhaps", "open or operator"),
    ("--issuer", "ftp://x", "http"),
    ("--issuer", "http://127.0.0.1/?a=b", "without query"),
    ("--trusted-proxies", "10.0.0.0/99", "networks like"),
    ("--default-audience", "cli_x", "cli_"),
    ("--reflection", "maybe", "on or off"),
])
def test_a_bad_value_is_refused_naming_option_value_and_expectation(
        server, flag, value, expected):
    done = server.run(f"{flag}={value}", "--check-config")
    assert done.returncode == REFUSED
    said(done, flag, value, expected)


def test_a_store_url_is_never_shown_it_may_hold_a_password(server):
    done = server.run("--store=oracle:user:geheim@x", "--check-config")
    said(done, "--store", "sqlite:PATH")
    assert "geheim" not in done.stderr


def test_a_bad_value_from_the_environment_names_the_variable(server):
    done = server.run("--check-config", env={"OSTIARY_RETRY_WINDOW": "9m"})
    said(done, "OSTIARY_RETRY_WINDOW", "9m", "0s to 60s")


def test_a_bad_value_from_the_file_names_file_and_line(server):
    file = server.root / "config"
    file.write_text('log-level = "info"\nretry-window = "9m"\n')
    said(server.run(f"--config={file}", "--check-config"), "config:2", "9m",
         "0s to 60s")


def test_an_unknown_option_is_refused_wherever_it_stands(server):
    said(server.run("--no-such=1"), "--no-such", "no such option")
    file = server.root / "config"
    file.write_text("no-such = 1\n")
    said(server.run(f"--config={file}"), "no-such", "config:1")
    # Other programs share the prefix (OSTIARY_TOKEN): named, not fatal.
    done = server.run("--check-config", env={"OSTIARY_NO_SUCH": "1"})
    assert done.returncode == 0
    assert "OSTIARY_NO_SUCH" in done.stdout + done.stderr


def test_the_command_line_beats_the_environment_beats_the_file(server):
    file = server.root / "config"
    file.write_text('retry-window = "5s"\n')
    environment = {"OSTIARY_RETRY_WINDOW": "6s"}

    def in_force(*flags, env=None):
        done = server.run(f"--config={file}", "--check-config", *flags, env=env)
        assert done.returncode == 0, done.stderr
        line = [x for x in done.stdout.splitlines()
                if x.startswith("retry-window")]
        return line[0].split("=")[1].strip()

    assert in_force() == "5s"
    assert in_force(env=environment) == "6s"
    assert in_force("--retry-window=7s", env=environment) == "7s"


def test_check_config_starts_and_makes_nothing(server):
    done = server.run(f"--data-dir={server.data_dir}", "--check-config")
    assert done.returncode == 0
    assert "configuration ok" in done.stdout
    assert not server.data_dir.exists()


@pytest.mark.parametrize("flags", [
    ["--jwks-max-age=0s"], ["--key-prepare-lead=12h"],
    ["--key-rotation-period=1d"], ["--tls-cert=/nonexistent"]])
def test_check_config_refuses_what_the_start_would_refuse(server, flags):
    """Else it is found out on the day of the restart."""
    done = server.run("--check-config", *flags)
    said(done, flags[0].split("=")[0])


@pytest.mark.parametrize("flag", ["--grpc-listen", "--http-listen"])
def test_listening_beyond_loopback_without_tls_is_refused(server, flag):
    done = server.run(f"{flag}=0.0.0.0:0", f"--data-dir={server.data_dir}",
                      "--issuer=https://auth.example.com", "--sign-up=open")
    said(done, flag, "0.0.0.0:0", "--tls-cert", "--allow-plaintext")


def test_beyond_loopback_issuer_and_sign_up_have_no_default(server):
    done = server.run("--http-listen=0.0.0.0:0", "--allow-plaintext",
                      f"--data-dir={server.data_dir}")
    said(done, "--issuer", "--sign-up")


def test_a_second_process_on_the_same_data_is_refused(house):
    done = house.server.run(*house.server.command()[1:])
    said(done, str(house.server.data_dir), "in use", str(
        house.server.process.pid))
    assert house.server.is_ready()


def test_a_port_that_is_taken_is_refused_by_name(house, server):
    done = server.run(*server.command()[1:],
                      f"--grpc-listen={house.server.grpc}")
    said(done, house.server.grpc)
    done = server.run(*[a for a in server.command()[1:]
                        if not a.startswith("--http-listen")],
                      f"--http-listen=127.0.0.1:{house.server.http_port}")
    said(done, str(house.server.http_port))
    assert house.server.is_ready()


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777])
def test_a_data_directory_others_can_enter_is_refused(server, mode):
    server.data_dir.mkdir()
    server.data_dir.chmod(mode)
    said(server.run(*server.command()[1:]), str(server.data_dir),
         f"{mode:04o}", "0700")


def test_a_data_directory_that_is_a_link_is_refused(server):
    real = server.root / "real"
    real.mkdir(mode=0o700)
    server.data_dir.symlink_to(real)
    said(server.run(*server.command()[1:]), str(server.data_dir), "link")


def test_a_socket_path_beyond_107_bytes_is_refused(server):
    path = server.root / ("a" * 120)
    said(server.run(*server.command()[1:], f"--operator-socket={path}"),
         "--operator-socket", "107")


def test_what_it_makes_is_its_own_alone(house):
    assert house.server.data_dir.stat().st_mode & 0o777 == 0o700
    for path in house.server.data_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_newer_schema_is_refused(server):
    server.start()
    assert server.stop() == 0
    path = server.data_dir / "ostiary.db"
    with sqlite3.connect(path) as db:
        tables = [r[0] for r in db.execute(
            "SELECT name FROM sqlite_master WHERE type='table'")]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if "schema_migrations" in tables:
            db.execute("INSERT INTO schema_migrations SELECT max(version)+1, "
                       "'x', 0 FROM schema_migrations")
        db.execute(f"PRAGMA user_version = {version + 1}")
    done = server.run(*server.command()[1:])
    said(done, "newer")


def test_a_missing_key_encryption_key_is_refused_when_there_is_a_store(server):
    server.start()
    assert server.stop() == 0
    (server.data_dir / "kek").rename(server.root / "kek")
    done = server.run(*server.command()[1:])
    said(done, "kek", "--key-encryption-key-file")
    (server.root / "kek").rename(server.data_dir / "kek")
    server.start()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_0(server, sign):
    server.start()
    server.process.send_signal(sign)
    assert server.process.wait(30) == 0
    assert '"drained"' in server.log()
    assert not os.path.exists(server.socket_path)


def test_work_in_flight_at_sigterm_is_finished(new_house):
    """Slow hashes are under way: each caller gets tokens or a clear refusal."""
    house = new_house("--hash-memory-kib=131072", "--hash-iterations=3")
    person, answers = house.sign_up(), []

    def sign_in():
        try:
            answers.append(person.sign_in())
        except Refused as refused:
            answers.append(refused)

    callers = [threading.Thread(target=sign_in) for _ in range(4)]
    for caller in callers:
        caller.start()
    time.sleep(0.25)
    assert house.server.stop() == 0
    for caller in callers:
        caller.join(20)
    assert len(answers) == 4
    refused = [a for a in answers if isinstance(a, Refused)]
    assert {r.code for r in refused} <= {"UNAVAILABLE"}, refused
    assert len(refused) < 4, "nothing under way was finished"


def test_readyz_is_503_while_it_drains_and_nothing_before(new_house):
    house = new_house()
    assert house.server.is_ready()
    assert house.server.stop() == 0
    assert not house.server.is_ready()


def test_a_restart_keeps_accounts_sessions_keys_and_revocations(new_server,
                                                                contract):
    server = new_server().start()
    house = House(server, contract)
    person = house.sign_up()
    stays, revoked, ended = (person.sign_in() for _ in range(3))
    old = stays.refresh_token
    stays = house.refresh(old)
    revision = house.revoke(token=revoked.access_token)
    house.revoke(session_id=ended.session_id)
    keys = house.http.client.get("/.well-known/jwks.json").json()
    assert server.stop() == 0

    again = House(server.start(), contract)
    person.house = again
    assert again.http.client.get("/.well-known/jwks.json").json() == keys
    assert again.verdict(stays.access_token) == "VALID"
    assert again.verdict(revoked.access_token,
                         min_revision=revision) == "TOKEN_REVOKED"
    assert again.verdict(ended.access_token) == "TOKEN_REVOKED"
    assert refusal(again.refresh, ended.refresh_token).reason == (
        "REFRESH_REJECTED")
    # The window does not run while the server is down.
    assert again.refresh(old).refresh_token == stays.refresh_token
    assert again.refresh(stays.refresh_token).session_id == stays.session_id
    assert person.sign_in().access_token
    house.close()
    again.close()


def test_off_switches_a_listener_off(new_server):
    server = new_server("--grpc-listen=off")
    server.start()
    assert server.grpc == "off"
    done = server.cli("account", "create", "--username", new_name(),
                      "--password-stdin", stdin=new_password())
    assert done.returncode == 0, done.stderr


def test_calibrate_hash_suggests_flags_the_server_takes(server):
    done = server.run("--calibrate-hash", timeout=50)
    assert done.returncode == 0
    flags = [w for w in done.stdout.split() if w.startswith("--hash-")]
    assert len(flags) == 2
    assert server.run("--check-config", *flags).returncode == 0


@pytest.mark.parametrize("flag", ["--help", "--version", "--print-options",
                                  "--print-options=markdown"])
def test_asking_about_itself_exits_0_and_makes_nothing(server, flag):
    done = server.run(flag)
    assert done.returncode == 0
    assert done.stdout
    assert not (server.root / "ostiary-data").exists()
