"""What an account has in its hands, and what may be done to it, in each state of
it: the tables STATES and TARGETS of matrix.py."""

import pytest

from askers import ask, body_for, over_connect, with_role, word_for
from doors import Refused
from house import new_password
from matrix import METHODS, STATES, STATES_OF_ALL, TARGETS


class Subject:
    """One who holds tokens, and what then happens to it."""

    def __init__(self, house, role=None, **sign_in):
        self.house, self.role = house, role or "editor"
        self.person = with_role(house, self.role)
        self.tokens = self.person.sign_in(**sign_in)
        self.old = self.new = self.person.password
        self.account = {"account_id": self.person.account_id}

    def operate(self, method, **fields):
        self.house.operator.call(method, {**self.account, **fields})

    def change_password(self, access_token):
        self.new = new_password()
        self.house.grpc.call("AuthService/ChangePassword", {
            "current_password": self.old, "new_password": self.new},
            token=access_token)

    def befall(self, state):
        getattr(self, state.replace(" ", "_"))()

    def nothing(self):
        pass

    def refreshed(self):
        after = self.house.refresh(self.tokens.refresh_token)
        self.tokens.refresh_token = after.refresh_token

    def signed_out_of_another(self):
        self.house.grpc.call("AuthService/SignOut", {
            "refresh_token": self.person.sign_in().refresh_token})

    def another_token_revoked(self):
        self.house.revoke(token=self.person.sign_in().access_token)

    def profile_changed(self):
        self.house.operator.call("AccountService/UpdateAccount", {
            "account": {**self.account, "display_name": "x"},
            "update_mask": "displayName"})

    def role_granted(self):
        self.operate("AccountService/GrantRole", role="reader")

    def role_taken(self):
        self.operate("AccountService/RevokeRole", role=self.role)

    def token_revoked(self):
        self.house.revoke(token=self.tokens.access_token)

    def password_changed_here(self):
        self.change_password(self.tokens.access_token)

    def password_changed_elsewhere(self):
        self.change_password(self.person.sign_in().access_token)

    def password_set(self):
        self.new = new_password()
        self.operate("AccountService/SetPassword", password=self.new)

    def signed_out(self):
        self.house.grpc.call("AuthService/SignOut", {
            "refresh_token": self.tokens.refresh_token})

    def session_revoked(self):
        self.house.operator.call("SessionService/RevokeSession", {
            "session_id": self.tokens.session_id})

    def signed_out_everywhere(self):
        self.operate("SessionService/RevokeAllSessions")

    def refresh_token_reused(self):
        first = self.tokens.refresh_token
        second = self.house.refresh(first).refresh_token
        third = self.house.refresh(second)
        with pytest.raises(Refused):
            self.house.refresh(first)
        self.tokens.CopyFrom(third)

    def disabled(self):
        self.operate("AccountService/DisableAccount")

    def disabled_and_enabled(self):
        self.disabled()
        self.operate("AccountService/EnableAccount")

    def deleted(self):
        self.operate("AccountService/DeleteAccount")

    def deleted_and_made_again(self):
        self.deleted()
        self.new = new_password()
        self.house.operator.call("AccountService/CreateAccount", {
            "username": self.person.username, "password": self.new,
            "roles": [self.role]})

    def key_revoked(self):
        keys = self.house.operator.call("KeyService/ListSigningKeys").signing_keys
        kid = next(key.key_id for key in keys if key.state == 2)
        self.house.revoke(key_id=kid)

    def client_revoked(self):
        self.house.revoke(client_id="cli_default")

    def signs_in(self, password):
        try:
            self.house.grpc.call("AuthService/SignInWithPassword", {
                "identifier": self.person.username, "password": password})
        except Refused as refused:
            return word_for("", refused)
        return "ok"

    def left(self):
        """As a row of STATES."""
        try:
            self.house.refresh(self.tokens.refresh_token)
            refresh = "ok"
        except Refused as refused:
            refresh = word_for("", refused)
        return {"access": self.house.verdict(self.tokens.access_token,
                                             any_audience=True),
                "refresh": refresh,
                "old password": self.signs_in(self.old),
                "new password": self.signs_in(self.new)}


def surprises_with_a_dead_token(house, token, victim, tokens):
    for row, expected in METHODS.items():
        word = expected["bad"]
        ways = ["grpc", "connect"] if over_connect(house, row) else ["grpc"]
        if word == "ok":
            ways = []  # not looked at: test_each_caller_gets_what_the_table_says
        body = body_for(house.contract, row, victim, tokens)
        for way in ways:
            answer = ask(house.door(way), row, body, token)
            if answer != word:
                yield f"{row} over {way}: {answer}, not {word}"


def is_let_in(house, token, method):
    return ask(house.grpc, f"ostiary.v1.{method}", b"", token)


@pytest.mark.parametrize("who", ["account", "operator"])
@pytest.mark.parametrize("state", [
    state for state in STATES if state not in STATES_OF_ALL])
def test_what_is_left_in_each_state(town, state, who):
    subject = (Subject(town.house) if who == "account" else
               Subject(town.house, "ostiary.operator",
                       audience=town.server.issuer))
    subject.befall(state)
    token = subject.tokens.access_token
    if STATES[state]["access"] == "VALID":
        assert is_let_in(town.house, token, "AuthService/GetCurrentAccount") == "ok"
        assert is_let_in(town.house, token, "SessionService/ListSessions") == "ok"
        assert is_let_in(town.house, token, "AdminService/GetServerInfo") == (
            "ok" if who == "operator" else "denied")
    else:
        victim = town.house.sign_up()
        assert list(surprises_with_a_dead_token(
            town.house, token, victim, victim.sign_in())) == []
    assert subject.left() == STATES[state]


@pytest.mark.parametrize("state", STATES_OF_ALL)
def test_what_is_left_to_everybody(new_house, state):
    house = new_house("--service-access=authenticated")
    subject = Subject(house)
    victim = house.sign_up()
    victim = victim, victim.sign_in()
    subject.befall(state)
    token = subject.tokens.access_token
    assert list(surprises_with_a_dead_token(house, token, *victim)) == []
    assert subject.left() == STATES[state]


@pytest.mark.parametrize("row", TARGETS)
@pytest.mark.parametrize("state", ["active", "disabled", "deleted"])
def test_what_operators_may_do_in_each_state(town, row, state):
    house = town.house
    subject = Subject(house)
    if state != "active":
        subject.befall(state)
    body = body_for(house.contract, row, subject.person, subject.tokens)
    assert ask(house.operator, row, body, None) == TARGETS[row][state]
    if row.endswith("/DeleteAccount"):
        state = "deleted"
    # Idempotent, or absent as before.
    assert ask(house.operator, row, body, None) == TARGETS[row][state]
