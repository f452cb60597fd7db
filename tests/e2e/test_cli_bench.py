"""`ostiary bench` and `ostiary watch` against a real server."""

import json
import signal
import subprocess
import time

import pytest

from house import clean_environment, new_name, new_password

OK, NO, USAGE, BUSY = 0, 1, 2, 3


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def account(house):
    name, password = new_name(), new_password()
    done = house.server.cli("account", "create", "--username", name,
                            "--password-stdin", stdin=password)
    assert done.returncode == OK, done.stderr
    return name, password


@pytest.fixture
def bench(house):
    """Runs a short load, demands its exit code; its report and stderr."""

    def run(*arguments, stdin="", code=OK, server=house.server):
        done = server.cli("--output=json", "bench", *arguments,
                          "--duration=1s", stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout,
                                         done.stderr)
        report = lines_of(done.stdout)
        return (report[0] if report else None), done.stderr

    return run


def sessions_of(house, name):
    return lines_of(house.server.cli("--output=json", "session", "list",
                                     name).stdout)


def test_verify_is_measured(bench, account, house):
    name, password = account
    report, _ = bench("verify", "--sign-in", name, "--password-stdin",
                      stdin=password)
    assert report["operation"] == "verify"
    assert report["errors"] == 0 and report["failures"] == []
    assert report["good"] == report["calls"] > 100
    assert report["good_per_second"] == pytest.approx(
        report["good"] / report["seconds"], rel=0.01)
    times = report["latency_ms"]
    assert (0 < times["p50"] <= times["p90"] <= times["p99"]
            <= times["p999"] <= times["max"])
    assert sessions_of(house, name) == []


def test_the_server_has_counted_the_same_calls(bench, new_house):
    house = new_house()
    person = house.sign_up()
    token = person.sign_in().access_token
    report, _ = bench("verify", "-", stdin=token, server=house.server)
    counted = [line for line in house.server.metrics().splitlines()
               if line.startswith('ostiary_calls_total{code="OK",method='
                                  '"ostiary.v1.TokenService/Verify"}')]
    # One more: the call before the load.
    assert float(counted[0].split()[-1]) == report["calls"] + 1


def test_a_rate_is_kept(bench, account):
    name, password = account
    report, _ = bench("verify", "--sign-in", name, "--password-stdin",
                      "--rate=100", stdin=password)
    assert report["rate"] == 100
    assert 30 <= report["good"] <= 101


def test_several_connections_share_the_load(bench, account):
    name, password = account
    report, _ = bench("verify", "--sign-in", name, "--password-stdin",
                      "--connections=4", "--concurrency=8", stdin=password)
    assert report["connections"] == 4 and report["errors"] == 0


def test_sign_ins_leave_no_session_behind(bench, account, house):
    name, password = account
    report, _ = bench("sign-in", name, "--password-stdin", "--concurrency=2",
                      stdin=password)
    assert report["good"] > 3 and report["errors"] == 0
    assert sessions_of(house, name) == []


def test_refreshes_are_chained_and_their_sessions_ended(bench, account, house):
    name, password = account
    report, _ = bench("refresh", name, "--password-stdin", "--concurrency=4",
                      stdin=password)
    # A chain that broke would be a stolen token to the server.
    assert report["good"] > 20 and report["errors"] == 0
    assert sessions_of(house, name) == []


def test_accounts_come_from_a_file(bench, house):
    people = [house.sign_up() for _ in range(3)]
    path = house.server.root / "accounts.jsonl"
    path.write_text("".join(
        json.dumps({"identifier": p.username, "password": p.password}) + "\n"
        for p in people))
    report, _ = bench("refresh", "--accounts", str(path), "--concurrency=6")
    assert report["errors"] == 0
    for person in people:
        assert sessions_of(house, person.username) == []


def test_a_wrong_password_is_told_and_not_repeated(bench, account):
    report, err = bench("sign-in", account[0], "--password-stdin",
                        stdin=new_password(), code=NO)
    assert report is None and "CREDENTIALS_REJECTED" in err


def test_a_revoked_token_is_not_measured(bench, house):
    person = house.sign_up()
    token = person.sign_in().access_token
    house.server.cli("token", "revoke", "-", stdin=token)
    report, err = bench("verify", "-", stdin=token, code=NO)
    assert report is None and "TOKEN_REVOKED" in err


def test_errors_are_counted_by_their_reason(house):
    person = house.sign_up()
    token = person.sign_in().access_token
    load = begin(house, "--output=json", "bench", "verify", token,
                 "--duration=3s", "--concurrency=2")
    time.sleep(1)
    house.server.cli("token", "revoke", "-", stdin=token)
    out, _ = load.communicate(timeout=30)
    report = lines_of(out)[0]
    assert load.returncode == NO
    assert report["good"] > 0
    assert [(f["code"], f["reason"]) for f in report["failures"]] == [
        ("OK", "TOKEN_REVOKED")]


def begin(house, *arguments, **named):
    return subprocess.Popen(
        [str(house.server.programs / "ostiary"),
         f"--socket={house.server.socket_path}", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=clean_environment(), **named)


def test_ctrl_c_ends_a_load_with_what_was_measured(account, house):
    name, password = account
    load = begin(house, "--output=json", "bench", "refresh", name,
                 "--password-stdin", "--concurrency=2", "--duration=60s",
                 "--progress")
    load.stdin.write(password)
    load.stdin.close()
    load.stdin = None
    assert "calls/s" in load.stderr.readline()
    load.send_signal(signal.SIGINT)
    out, _ = load.communicate(timeout=30)
    report = lines_of(out)[0]
    assert load.returncode == OK
    assert report["interrupted"] is True
    assert report["good"] > 0 and report["seconds"] < 30
    assert sessions_of(house, name) == []


def test_without_a_terminal_nothing_is_told_on_the_way(account, house):
    name, password = account
    done = house.server.cli("bench", "verify", "--sign-in", name,
                            "--password-stdin", "--duration=1500ms",
                            stdin=password)
    assert (done.returncode, done.stderr) == (OK, "")
    assert "p99.9" in done.stdout


def test_a_server_elsewhere_is_not_loaded_by_mistake(house):
    done = subprocess.run(
        [str(house.server.programs / "ostiary"), "--server=192.0.2.1:1",
         "--allow-plaintext", "bench", "verify", "t"], capture_output=True,
        text=True, env=clean_environment(), timeout=30)
    assert done.returncode == USAGE
    assert "--yes-load-this-server" in done.stderr


def test_watch_tells_a_revocation_when_it_happens(house):
    person = house.sign_up()
    tokens = person.sign_in()
    watch = begin(house, "--output=json", "watch")
    kinds = []
    while "snapshot" not in kinds:
        kinds.append(json.loads(watch.stdout.readline())["frame"])
    assert kinds == ["key_set", "snapshot"]
    house.server.cli("token", "revoke", "--session", tokens.session_id)
    frame = {}
    deadline = time.monotonic() + 10
    while frame.get("frame") != "delta" and time.monotonic() < deadline:
        frame = json.loads(watch.stdout.readline())
    assert tokens.session_id in [e.get("session_id") for e in frame["entries"]]
    watch.send_signal(signal.SIGINT)
    out, err = watch.communicate(timeout=10)
    assert watch.returncode == OK
    assert "--cursor cur_" in err


def test_watch_continues_from_a_cursor(house):
    first = lines_of(house.server.cli("--output=json", "watch",
                                      "--duration=700ms").stdout)
    cursor = [f["cursor"] for f in first if "cursor" in f][-1]
    session = house.sign_up().sign_in().session_id
    house.server.cli("token", "revoke", "--session", session)
    done = house.server.cli("--output=json", "watch", "--cursor", cursor,
                            "--duration=700ms", "--no-heartbeats")
    frames = lines_of(done.stdout)
    assert [f["frame"] for f in frames if f["frame"] == "snapshot"] == []
    told = [e.get("session_id") for f in frames if f["frame"] == "delta"
            for e in f["entries"]]
    assert session in told


def test_watch_comes_again_when_the_server_was_restarted(new_house):
    house = new_house()
    watch = begin(house, "--output=json", "watch")
    while json.loads(watch.stdout.readline())["frame"] != "snapshot":
        pass
    assert house.server.stop() == 0
    house.server.start()
    frame = {}
    deadline = time.monotonic() + 30
    while frame.get("frame") != "key_set" and time.monotonic() < deadline:
        frame = json.loads(watch.stdout.readline())
    assert frame.get("frame") == "key_set"
    watch.send_signal(signal.SIGINT)
    _, err = watch.communicate(timeout=10)
    assert watch.returncode == OK
    assert "coming again" in err


def test_watch_is_not_for_everyone(new_house):
    house = new_house("--service-access=authenticated")
    done = subprocess.run(
        [str(house.server.programs / "ostiary"),
         f"--server={house.server.grpc}", "watch", "--duration=1s"],
        capture_output=True, text=True, env=clean_environment(), timeout=30)
    assert done.returncode == 4, done.stderr
