"""Every RPC that ends or narrows access writes its ledger row and its audit row.

Read from the disk while the server runs: what is committed, not what is told.
"""

import sqlite3
import time

import pytest

from doors import Refused
from house import House, new_password, refusal

TOKEN, SESSION, ACCOUNT, CLIENT, KEY = 1, 2, 3, 4, 5


def rows(house, query, *arguments):
    path = house.server.data_dir / "ostiary.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(query, arguments).fetchall()


def ledger(house):
    return rows(house, "SELECT sequence, kind, key, min_generation FROM ledger "
                       "ORDER BY sequence")


class Case:
    """Somebody with a session, and what each RPC is told about them."""

    def __init__(self, house):
        self.house = house
        self.person = house.sign_up()
        house.operator.call("AccountService/GrantRole", {
            "account_id": self.person.account_id, "role": "boss"})
        first = self.person.sign_in()
        self.tokens = house.refresh(house.refresh(
            first.refresh_token).refresh_token)
        self.oldest = first.refresh_token
        claims = house.claims(self.tokens.access_token)
        self.ids = {TOKEN: claims.token_id, SESSION: claims.session_id,
                    ACCOUNT: self.person.account_id}

    def operator(self, method, **fields):
        self.house.operator.call(method, fields)

    def account(self, method, **fields):
        self.operator(f"AccountService/{method}",
                      account_id=self.person.account_id, **fields)

    def themselves(self, method, **fields):
        self.house.grpc.call(method, fields, token=self.tokens.access_token)

    def steal(self):
        assert refusal(self.house.refresh, self.oldest).reason == (
            "REFRESH_REJECTED")


# What is done -> the kind of its ledger row, and its audit row.
ENDS = {
    "RevokeRole": (lambda c: c.account("RevokeRole", role="boss"), ACCOUNT,
                   ("account.revoke_role", "ok")),
    "DisableAccount": (lambda c: c.account("DisableAccount"), ACCOUNT,
                       ("account.disable", "ok")),
    "DeleteAccount": (lambda c: c.account("DeleteAccount"), ACCOUNT,
                      ("account.delete", "ok")),
    "SetPassword": (lambda c: c.account("SetPassword", password=new_password()),
                    ACCOUNT, ("account.set_password", "ok")),
    "ChangePassword": (lambda c: c.themselves(
        "AuthService/ChangePassword", current_password=c.person.password,
        new_password=new_password()), ACCOUNT,
        ("account.change_password", "ok")),
    "RevokeSession": (lambda c: c.themselves(
        "SessionService/RevokeSession", session_id=c.tokens.session_id),
        SESSION, ("session.revoke", "ok")),
    "RevokeAllSessions": (lambda c: c.themselves(
        "SessionService/RevokeAllSessions"), ACCOUNT,
        ("session.revoke_all", "ok")),
    "SignOut": (lambda c: c.themselves(
        "AuthService/SignOut", refresh_token=c.tokens.refresh_token), SESSION,
        ("session.sign_out", "ok")),
    "Revoke token": (lambda c: c.themselves(
        "TokenService/Revoke", token=c.tokens.access_token), TOKEN,
        ("token.revoke", "ok")),
    "Revoke session": (lambda c: c.operator(
        "TokenService/Revoke", session_id=c.tokens.session_id), SESSION,
        ("session.revoke", "ok")),
    "Revoke account": (lambda c: c.operator(
        "TokenService/Revoke", account_id=c.person.account_id), ACCOUNT,
        ("session.revoke_all", "ok")),
    # The call fails, and what it did stays.
    "Refresh, stolen": (lambda c: c.steal(), SESSION,
                        ("session.refresh", "reused")),
}


@pytest.mark.parametrize("name", list(ENDS))
def test_what_ends_access_writes_one_ledger_row_and_one_audit_row(house, name):
    action, kind, audited = ENDS[name]
    case = Case(house)
    before = ledger(house)
    action(case)
    new = ledger(house)[len(before):]
    assert [(row[1], row[2]) for row in new] == [(kind, case.ids[kind])]
    assert new[0][0] == before[-1][0] + 1 if before else new[0][0] == 1
    found = rows(house, "SELECT action, outcome FROM audit WHERE account_id = ? "
                        "ORDER BY audit_id", case.person.account_id)
    assert found[-1] == audited
    assert found.count(audited) == 1
    assert house.verdict(case.tokens.access_token) == "TOKEN_REVOKED"


@pytest.mark.parametrize("name", ["GrantRole", "EnableAccount"])
def test_what_ends_nothing_writes_no_ledger_row(house, name):
    case = Case(house)
    before = ledger(house)
    case.account(name, **({"role": "editor"} if name == "GrantRole" else {}))
    assert ledger(house) == before
    assert house.verdict(case.tokens.access_token) == "VALID"


def test_a_refused_call_writes_no_ledger_row(house):
    case, other = Case(house), house.sign_up().sign_in().access_token
    before = ledger(house)
    for method, request in (
            ("SessionService/RevokeSession",
             {"session_id": case.tokens.session_id}),
            ("SessionService/RevokeAllSessions",
             {"account_id": case.person.account_id}),
            ("AccountService/DisableAccount",
             {"account_id": case.person.account_id})):
        with pytest.raises(Refused):
            house.grpc.call(method, request, token=other)
    assert ledger(house) == before


def test_the_generation_of_an_account_only_rises(house):
    case = Case(house)
    for _ in range(3):
        case.account("GrantRole", role="boss")
        case.account("RevokeRole", role="boss")
    generations = [row[3] for row in ledger(house)
                   if row[2] == case.person.account_id]
    assert len(generations) == 3
    assert generations == sorted(set(generations))


def test_the_ledger_has_no_gap_and_its_head_is_its_last_row(house):
    case = Case(house)
    house.revoke(token=case.tokens.access_token)
    numbers = [row[0] for row in ledger(house)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rows(house, "SELECT sequence FROM ledger_head") == [(numbers[-1],)]


def test_sessions_stay_one_row_however_often_they_refresh(house):
    tokens = house.sign_up().sign_in()
    before = rows(house, "SELECT count(*) FROM sessions")
    for _ in range(20):
        tokens = house.refresh(tokens.refresh_token)
    assert rows(house, "SELECT count(*) FROM sessions") == before


def test_a_failed_sign_in_is_audited_with_the_truth(house):
    person = house.sign_up()
    refusal(person.sign_in, password=new_password())
    found = rows(house, "SELECT action, outcome FROM audit WHERE account_id = ?",
                 person.account_id)
    assert ("session.sign_in", "wrong_password") in found


@pytest.mark.parametrize("door_name", ["grpc", "connect"])
def test_networks_that_take_turns_on_a_session_are_audited(new_server, contract,
                                                           door_name):
    """Also when the server was stopped in between."""
    server = new_server("--trusted-proxies=127.0.0.1/32")
    house = House(server.start(), contract)
    person = house.sign_up()
    token = person.sign_in().refresh_token

    def refresh_from(address, token):
        return house.door(door_name).call(
            "AuthService/Refresh", {"refresh_token": token},
            headers={"x-forwarded-for": address}).tokens.refresh_token

    def noted():
        return rows(house, "SELECT outcome, address FROM audit WHERE account_id "
                           "= ? AND action = 'session.refresh'",
                    person.account_id)

    for address in ("203.0.113.5", "2001:db8::5", "203.0.113.5"):
        token = refresh_from(address, token)
    server.kill()
    house.close()
    house = House(server.start(), contract)
    # Another address of the same household, and a retry from it.
    successor = refresh_from("2001:db8::9", token)
    assert refresh_from("2001:db8::9", token) == successor
    assert noted() == []
    token = refresh_from("203.0.113.5", successor)
    assert noted() == [("networks_alternate", "203.0.113.5")]
    assert refresh_from("203.0.113.5", token)
    house.close()


def test_the_retry_window_does_not_run_while_the_server_is_down(new_server,
                                                                contract):
    """A crash between commit and answer must not look like theft."""
    server = new_server("--retry-window=2s")
    house = House(server.start(), contract)
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token)
    server.kill()
    house.close()
    time.sleep(2.5)
    house = House(server.start(), contract)
    again = house.refresh(first.refresh_token)
    assert again.refresh_token == second.refresh_token
    house.close()


def test_a_request_id_is_honoured_beyond_the_window_until_it_is_used(new_house):
    house = new_house("--retry-window=1s")
    first = house.sign_up().sign_in()
    second = house.refresh(first.refresh_token, request_id="q" * 20)
    time.sleep(1.3)
    again = house.refresh(first.refresh_token, request_id="q" * 20)
    assert again.refresh_token == second.refresh_token
    house.refresh(second.refresh_token)
    assert refusal(house.refresh, first.refresh_token,
                   request_id="q" * 20).reason == "REFRESH_REJECTED"
