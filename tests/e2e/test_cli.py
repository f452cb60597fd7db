"""`ostiary`, as operators and their scripts use it."""

import json
import subprocess

import bcrypt
import pytest

from house import clean_environment, new_name, new_password

OK, NO, USAGE, UNREACHABLE, NOT_ALLOWED = 0, 1, 2, 3, 4


@pytest.fixture
def cli(house):
    """Runs a command, demands its exit code, reads what it prints."""

    def run(*arguments, stdin="", code=OK, env=None):
        done = house.server.cli(*arguments, stdin=stdin, env=env)
        assert done.returncode == code, (done.returncode, done.stderr)
        assert code == OK or done.stderr or done.stdout
        return done

    return run


@pytest.fixture
def json_of(cli):
    def run(*arguments, **named):
        out = cli("--output=json", *arguments, **named).stdout
        return [json.loads(line) for line in out.splitlines()]

    return run


@pytest.fixture
def account(json_of):
    name, password = new_name(), new_password()
    made = json_of("account", "create", "--username", name, "--email",
                   f"{name}@example.com", "--role", "editor",
                   "--password-stdin", stdin=password + "\n")[0]
    return {**made, "password": password}


def sign_in(json_of, account):
    return json_of("sign-in", account["username"], "--password-stdin",
                   stdin=account["password"])[0]


def test_an_account_is_found_by_id_name_and_email(json_of, account):
    for key in ("account_id", "username", "email"):
        found = json_of("account", "get", account[key])[0]
        assert found["account_id"] == account["account_id"]
        assert found["roles"] == ["editor"]


def test_accounts_are_listed_as_a_table_and_as_lines_of_json(cli, json_of,
                                                             account):
    assert account["username"] in cli("account", "list").stdout
    rows = json_of("account", "list")
    assert account["account_id"] in [row["account_id"] for row in rows]


def test_what_an_operator_does_to_an_account_is_seen_by_it(cli, json_of, account,
                                                           house):
    name = account["username"]
    tokens = sign_in(json_of, account)
    assert house.verdict(tokens["access_token"]) == "VALID"
    cli("account", "revoke-role", name, "editor")
    assert house.verdict(tokens["access_token"]) == "TOKEN_REVOKED"
    cli("account", "grant-role", name, "boss")
    assert json_of("account", "get", name)[0]["roles"] == ["boss"]
    cli("account", "update", name, "--display-name", "Ada L.")
    assert json_of("account", "get", name)[0]["display_name"] == "Ada L."
    cli("account", "disable", name)
    cli("sign-in", name, "--password-stdin", stdin=account["password"],
        code=NO)
    cli("account", "enable", name)
    new = new_password()
    cli("account", "set-password", name, "--password-stdin", stdin=new)
    cli("sign-in", name, "--password-stdin", stdin=account["password"],
        code=NO)
    sign_in(json_of, {"username": name, "password": new})
    cli("account", "delete", name, "--yes")
    cli("account", "get", name, code=NO)


def test_an_imported_hash_signs_in(cli, json_of):
    name, password = new_name(), new_password()
    imported = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    cli("account", "create", "--username", name, "--password-hash-stdin",
        stdin=imported)
    assert sign_in(json_of, {"username": name, "password": password})


def test_tokens_are_inspected_verified_and_revoked(cli, json_of, account):
    token = sign_in(json_of, account)["access_token"]
    assert account["account_id"] in cli("token", "inspect", "-",
                                        stdin=token).stdout
    answer = json_of("token", "verify", "-", stdin=token)[0]
    assert answer["valid"] is True
    assert answer["claims"]["subject"] == account["account_id"]
    cli("token", "revoke", "-", stdin=token)
    answer = json_of("token", "verify", "-", stdin=token, code=NO)[0]
    assert (answer["valid"], answer["reason"]) == (False, "TOKEN_REVOKED")


def test_tokens_are_verified_offline_with_the_published_keys(cli, house, account,
                                                             json_of):
    token = sign_in(json_of, account)["access_token"]
    keys = house.server.root / "jwks.json"
    keys.write_bytes(house.http.client.get("/.well-known/jwks.json").content)
    lines = "".join(json.dumps({"token": t}) + "\n"
                    for t in (token, token[:-8] + "AAAAAAAA", "x", ""))
    done = house.server.cli("token", "verify", "--jsonl", "--jwks", str(keys),
                            "--issuer", house.server.issuer, "--audience",
                            "api", stdin=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["valid"] for a in answers] == [True, False, False, False]
    assert [a.get("reason") for a in answers[1:]] == [
        "SIGNATURE_INVALID", "TOKEN_MALFORMED", "TOKEN_MALFORMED"]


def test_hashes_are_verified_offline_line_by_line(house):
    password = new_password()
    stored = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    lines = [{"hash": stored, "password": password},
             {"hash": stored, "password": "wrong"},
             {"hash": "nonsense", "password": password}]
    done = house.server.cli("hash", "verify", "--jsonl", stdin="".join(
        json.dumps(line) + "\n" for line in lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["match"] for a in answers] == [True, False, False]
    assert answers[2]["reason"]


def test_sessions_are_listed_and_revoked(cli, json_of, account, house):
    here, there = (sign_in(json_of, account) for _ in range(2))
    ids = [s["session_id"] for s in json_of("session", "list",
                                            account["username"])]
    assert set(ids) == {here["session_id"], there["session_id"]}
    cli("session", "revoke", here["session_id"])
    assert house.verdict(here["access_token"]) == "TOKEN_REVOKED"
    cli("session", "revoke-all", account["username"])
    assert house.verdict(there["access_token"]) == "TOKEN_REVOKED"
    assert json_of("session", "list", account["username"]) == []


def test_refresh_and_sign_out_from_the_command_line(cli, json_of, account):
    tokens = sign_in(json_of, account)
    fresh = json_of("refresh", "-", stdin=tokens["refresh_token"])[0]
    assert fresh["session_id"] == tokens["session_id"]
    cli("sign-out", "-", stdin=fresh["refresh_token"])
    cli("refresh", "-", stdin=fresh["refresh_token"], code=NO)


def test_keys_are_listed_rotated_and_revoked(new_house):
    server = new_house().server

    def keys():
        done = server.cli("key", "list", "--output=json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    first = [k for k in keys() if "ACTIVE" in k["state"]][0]["key_id"]
    assert server.cli("key", "rotate", "--now").returncode == OK
    second = [k for k in keys() if "ACTIVE" in k["state"]][0]["key_id"]
    assert second != first
    assert server.cli("key", "revoke", second).returncode != OK, (
        "without --yes and without a terminal nothing is revoked")
    assert server.cli("key", "revoke", second, "--yes", "--reason",
                      "leaked").returncode == OK
    third = [k for k in keys() if "ACTIVE" in k["state"]][0]["key_id"]
    assert third not in (first, second)


def test_health_version_and_server_info(cli, json_of, house):
    cli("health")
    assert cli("version").stdout.startswith("ostiary ")
    info = json_of("server", "info")[0]
    assert info["issuer"] == house.server.issuer


@pytest.mark.parametrize("arguments", [
    [], ["no-such"], ["account"], ["account", "get"],
    ["account", "create"], ["--output=xml", "health"],
    ["token", "revoke"], ["token", "verify", "--no-such"],
    ["account", "create", "--username", "x", "--password-stdin",
     "--no-password"]])
def test_a_wrong_command_line_is_exit_code_2(cli, arguments):
    cli(*arguments, code=USAGE)


@pytest.mark.parametrize("arguments", [
    ["account", "get", "nobody-of-this-name"],
    ["session", "revoke", "sess_00000000000000000000000000"],
    ["token", "verify", "not-a-token"]])
def test_the_answer_no_is_exit_code_1(cli, arguments):
    cli(*arguments, code=NO)


def test_a_server_that_is_not_there_is_exit_code_3(house, programs):
    for where in ("--socket=/nonexistent/socket", "--server=127.0.0.1:1"):
        done = subprocess.run([programs / "ostiary", where, "--timeout=3s",
                               "health"], capture_output=True, text=True,
                              timeout=30, env=clean_environment())
        assert done.returncode == UNREACHABLE, done.stderr


def test_who_may_not_is_exit_code_4(house, programs):
    token = house.sign_up().sign_in().access_token
    command = [programs / "ostiary", f"--server={house.server.grpc}", "account",
               "list"]
    for extra in ({}, {"OSTIARY_TOKEN": token}):
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=30, env=clean_environment(extra))
        assert done.returncode == NOT_ALLOWED, done.stderr
        assert token not in done.stderr + done.stdout
    allowed = {"OSTIARY_TOKEN": house.new_operator_token()}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30,
                          env=clean_environment(allowed))
    assert done.returncode == OK, done.stderr


def test_a_password_is_never_taken_from_the_command_line(house):
    done = house.server.cli("account", "create", "--username", new_name(),
                            "--password", new_password())
    assert done.returncode == USAGE


def test_a_weak_password_is_refused_with_the_reason(house):
    done = house.server.cli("account", "create", "--username", new_name(),
                            "--password-stdin", stdin="password1")
    assert done.returncode in (NO, USAGE)
    assert "password" in done.stderr
    assert "password1" not in done.stderr
