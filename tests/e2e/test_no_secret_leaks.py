"""No password and no token text in answers, log, metrics or on the disk."""

import json

import pytest

from doors import Refused
from house import CANARY, new_name, new_password
from matrix import OURS


def secret_texts(value):
    return [value, value.encode().hex(), json.dumps(value)[1:-1]]


@pytest.fixture(scope="module")
def busy(programs, contract):
    """A server that has seen passwords in every place they may be put."""
    from house import House, Server
    server = Server(programs, "--log-level=debug").start()
    house = House(server, contract)
    said = []  # everything it answered, but for the tokens it was to give
    secrets = []

    def post(method, body, content_type="application/json", token=None,
             headers=None):
        answer = house.http.post(method, body, content_type=content_type,
                                 token=token, headers=headers)
        said.append(answer.text + str(answer.headers))

    person = house.sign_up()
    tokens = person.sign_in()
    secrets += [person.password, tokens.refresh_token, tokens.access_token]
    operator = house.new_operator_token()
    secrets.append(operator)
    for method in OURS:
        password = new_password()
        for field in contract.methods[method].input_type.fields:
            for token in (None, operator):
                # In a wrong place; below: cut off, twice, as anything else.
                post(method, json.dumps({field.json_name: [password]}),
                     token=token)
        # A name is repeated to its sender, who must find the wrong one, but
        # goes nowhere else.
        house.http.post(method, json.dumps({password: {password: 1}}))
        post(method, f'{{"password":"{password}"')
        post(method, f'{{"password":"{password}","password":"{password}"}}')
        post(method, password, content_type="application/proto")
        post(method, password, content_type=password)
        post(method, "{}", headers={"authorization": f"Bearer {password}"})
        post(method, "{}", headers={"authorization": password,
                                    "x-forwarded-for": password})
        try:
            house.grpc.raw(method, password.encode())
        except Refused as refused:
            said.append(str(refused))
    for weak in ("short" + CANARY[:2], CANARY, f"{CANARY}1"):
        for door in (house.grpc, house.http):
            try:
                house.sign_up(door, password=weak)
            except Refused as refused:
                said.append(str(refused).replace("shorter", ""))
    # A password typed where the name belongs, and a wrong one.
    for identifier, password in ((new_password(), new_password()),
                                 (person.username, new_password())):
        try:
            person.sign_in(identifier=identifier, password=password)
        except Refused as refused:
            said.append(str(refused))
    imported = "$2b$05$" + "a" * 53
    house.operator.call("AccountService/CreateAccount",
                        {"username": new_name(), "password_hash": imported})
    house.refresh(tokens.refresh_token)
    house.revoke(token=tokens.access_token)
    house.grpc.call("AuthService/SignOut",
                    {"refresh_token": tokens.refresh_token})
    yield house, said, secrets
    house.close()
    server.remove()


def test_no_answer_repeats_a_password(busy):
    _, said, _ = busy
    assert len(said) > 300
    for answer in said:
        assert CANARY not in answer


def test_no_log_line_holds_a_secret_even_at_debug(busy):
    house, _, secrets = busy
    log = house.server.log()
    assert log
    for text in [CANARY, "ort_", *secrets]:
        for form in secret_texts(text):
            assert form not in log
    for line in log.splitlines():
        json.loads(line)  # one JSON object for each, whatever was sent


def test_no_metric_holds_a_secret(busy):
    house, _, _ = busy
    metrics = house.server.metrics()
    assert CANARY not in metrics and "ort_" not in metrics


def test_no_file_holds_a_password_or_the_text_of_a_token(busy):
    house, _, secrets = busy
    files = house.server.files()
    assert any(path.name == "ostiary.db" for path in files)
    for path, content in files.items():
        assert CANARY.encode() not in content, path
        for text in secrets:
            assert text.encode() not in content, path


def test_what_is_kept_of_a_failed_sign_in_is_a_keyed_hash(busy):
    """People type passwords where the name belongs."""
    import sqlite3
    house, _, _ = busy
    path = house.server.data_dir / "ostiary.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT outcome, detail FROM audit "
                          "WHERE outcome = 'unknown_identifier'").fetchall()
    assert rows
    for _, detail in rows:
        assert set(json.loads(detail)) >= {"identifier_hash"}
        assert CANARY not in detail
