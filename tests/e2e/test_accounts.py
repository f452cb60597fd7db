"""Operators keep accounts; imported hashes sign in and are made stronger."""

import sqlite3

import bcrypt
import pytest

from house import CANARY, new_name, new_password, refusal


def stored_hash(house, username):
    """As it lies on the disk, read from outside while the server runs."""
    path = house.server.data_dir / "ostiary.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT password_hash FROM accounts WHERE username=?",
                          (username,)).fetchall()
    assert len(rows) == 1
    return rows[0][0]


def bcrypt_hash(password, variant):
    made = bcrypt.hashpw(password.encode(), bcrypt.gensalt(5)).decode()
    return f"${variant}$" + made[4:]


@pytest.mark.parametrize("variant", ["2a", "2b", "2y"])
def test_an_imported_bcrypt_hash_signs_in_and_becomes_argon2id(house, variant):
    username, password = new_name(), new_password()
    imported = bcrypt_hash(password, variant)
    house.operator.call("AccountService/CreateAccount",
                        {"username": username, "password_hash": imported})
    assert stored_hash(house, username) == imported
    sign_in = {"identifier": username, "password": password}
    wrong = {"identifier": username, "password": password + "x"}
    method = "AuthService/SignInWithPassword"
    assert refusal(house.grpc.call, method, wrong).reason == (
        "CREDENTIALS_REJECTED")
    assert stored_hash(house, username) == imported
    tokens = house.grpc.call(method, sign_in).tokens
    upgraded = stored_hash(house, username)
    assert upgraded.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert house.verdict(tokens.access_token) == "VALID", (
        "an upgrade must not end anything")
    assert refusal(house.grpc.call, method, wrong).reason == (
        "CREDENTIALS_REJECTED")
    assert house.grpc.call(method, sign_in).tokens.access_token


def test_older_argon2_parameters_are_brought_up_to_date(new_house, programs,
                                                        contract):
    from house import House
    house = new_house()
    person = house.sign_up()
    assert "m=8192,t=1" in stored_hash(house, person.username)
    assert house.server.stop() == 0
    house.server.flags += ["--hash-iterations=2"]
    again = House(house.server.start(), contract)
    person.house = again
    assert person.sign_in().access_token
    assert "m=8192,t=2" in stored_hash(again, person.username)
    assert person.sign_in().access_token
    again.close()


def test_no_password_is_on_the_disk(house):
    house.sign_up()
    for path, content in house.server.files().items():
        assert CANARY.encode() not in content, path


@pytest.mark.parametrize("imported", ["", "x", "$2b$", "$9z$12$abc", "plain",
                                      "$argon2id$v=19$m=1,t=1,p=1$AAAA$BBBB"])
def test_a_hash_nobody_can_check_is_refused_on_import(house, imported):
    refused = refusal(house.operator.call, "AccountService/CreateAccount",
                      {"username": new_name(), "password_hash": imported})
    assert refused.code == "INVALID_ARGUMENT"
    assert "password_hash" in refused.fields


def test_an_account_without_a_password_cannot_sign_in(house):
    username = new_name()
    house.operator.call("AccountService/CreateAccount", {"username": username})
    refused = refusal(house.grpc.call, "AuthService/SignInWithPassword",
                      {"identifier": username, "password": new_password()})
    assert refused.reason == "CREDENTIALS_REJECTED"


@pytest.mark.parametrize("password", ["xk7!w", "password1", "12345678",
                                       "qwertyuiop", "aaaaaaaaaaaa",
                                       "x" * 1025])
def test_a_weak_or_boundless_password_is_refused_with_a_reason(house, door,
                                                               password):
    refused = refusal(house.sign_up, door, password=password)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT",
                                              "PASSWORD_REJECTED")
    assert refused.fields["password"]
    assert password not in refused.fields["password"] + refused.message


def test_a_password_made_of_the_persons_name_is_refused(house, door):
    name = new_name("benedetta")
    refused = refusal(house.sign_up, door, username=name, password=name)
    assert refused.reason == "PASSWORD_REJECTED"


def test_a_password_means_the_same_however_its_accents_are_composed(house):
    composed = "caf\u00e9 " + new_password()
    decomposed = composed.replace("\u00e9", "e\u0301")
    person = house.sign_up(password=composed)
    assert person.sign_in(password=decomposed).access_token


@pytest.mark.parametrize("fields", [
    {"username": "has space"}, {"username": "a@b"}, {"email": "nobody"},
    {"username": "", "email": ""}, {"username": "acct_x"},
    {"username": "x" * 400}, {"email": "a@b@c.d"},
    {"username": "tab\there"}, {"display_name": "x" * 5000},
])
def test_a_wrong_name_is_refused_and_the_field_is_named(house, door, fields):
    refused = refusal(house.sign_up, door, **fields)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT",
                                              "ARGUMENT_INVALID"), refused
    assert refused.fields


def test_accounts_are_listed_page_by_page_each_once(new_house):
    house = new_house()
    made = [house.sign_up().account_id for _ in range(7)]
    seen, token, pages = [], "", 0
    while True:
        page = house.operator.call("AccountService/ListAccounts",
                                   {"page_size": 3, "page_token": token})
        seen += [account.account_id for account in page.accounts]
        token, pages = page.next_page_token, pages + 1
        assert pages < 10
        if not token:
            break
    assert seen == made


@pytest.mark.parametrize("page", [{"page_size": -1}, {"page_size": 100000},
                                  {"page_token": "nonsense"}])
def test_a_wrong_page_is_refused_or_bounded(house, page):
    try:
        answer = house.operator.call("AccountService/ListAccounts", page)
    except Exception as refused:
        assert getattr(refused, "code", "") == "INVALID_ARGUMENT", refused
    else:
        assert page.get("page_size", 0) > 1000
        assert len(answer.accounts) <= 1000


def test_update_writes_what_the_mask_names_and_nothing_else(house):
    person = house.sign_up(display_name="Before")
    answer = house.operator.call("AccountService/UpdateAccount", {
        "account": {"account_id": person.account_id, "display_name": "After",
                    "email": "ignored@example.com",
                    "metadata": {"plan": "gold", "seats": 3}},
        "update_mask": "displayName,metadata"}).account
    assert answer.display_name == "After"
    assert answer.email == person.email
    assert answer.metadata["plan"] == "gold"
    read = house.operator.call("AccountService/GetAccount",
                               {"username": person.username}).account
    assert read == answer


@pytest.mark.parametrize("mask", ["", "roles", "accountId", "createTime",
                                  "nothing", "disabled"])
def test_update_refuses_a_mask_it_may_not_write(house, mask):
    person = house.sign_up()
    refused = refusal(house.operator.call, "AccountService/UpdateAccount", {
        "account": {"account_id": person.account_id, "roles": ["boss"]},
        "update_mask": mask})
    assert refused.code == "INVALID_ARGUMENT"


def test_update_refuses_an_email_that_is_somebody_elses(house):
    person, other = house.sign_up(), house.sign_up()
    refused = refusal(house.operator.call, "AccountService/UpdateAccount", {
        "account": {"account_id": person.account_id, "email": other.email},
        "update_mask": "email"})
    assert refused.reason == "IDENTIFIER_TAKEN"


@pytest.mark.parametrize("key", ["account_id", "username", "email"])
def test_an_account_is_found_by_each_of_its_names(house, key):
    person = house.sign_up()
    found = house.operator.call("AccountService/GetAccount",
                                {key: getattr(person, key)}).account
    assert found.account_id == person.account_id


def test_closed_sign_up_is_refused_and_operators_still_make_accounts(new_house):
    house = new_house("--sign-up=operator")
    for door in (house.grpc, house.http):
        refused = refusal(house.sign_up, door)
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED",
                                                  "SIGN_UP_CLOSED")
    house.operator.call("AccountService/CreateAccount",
                        {"username": new_name(), "password": new_password()})
    assert house.sign_up(house.operator).sign_in().access_token
