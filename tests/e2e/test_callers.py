"""Who may call what: one table for every RPC of the protoset.

An RPC without a row fails `test_every_rpc_has_a_row`.
"""

import grpc
import pytest

from doors import Refused, bearer, refused_by_connect, refused_by_grpc
from house import House, Server, new_name, new_password

OPEN = "open"  # the proof is inside the request; who calls is not looked at
ACCOUNT = "account"  # a live access token of an account
OWN = "own"  # an account about itself, or the operator about anybody
OPERATOR = "operator"
SERVICE = "service"  # another service of the owner; below

UNAUTHENTICATED = ("UNAUTHENTICATED", "UNAUTHENTICATED")
REJECTED = ("UNAUTHENTICATED", "ACCESS_TOKEN_REJECTED")
DENIED = ("PERMISSION_DENIED", "PERMISSION_DENIED")
NOT_FOUND = ("NOT_FOUND", "NOT_FOUND")
PASSES = "passes"

TABLE = {
    "AuthService/SignUp": OPEN,
    "AuthService/SignInWithPassword": OPEN,
    "AuthService/Refresh": OPEN,
    "AuthService/SignOut": OPEN,
    "AuthService/GetCurrentAccount": ACCOUNT,
    "AuthService/ChangePassword": ACCOUNT,
    "TokenService/Verify": OPEN,
    "TokenService/BatchVerify": OPEN,
    "TokenService/VerifyStream": OPEN,
    "TokenService/Revoke": OPEN,  # of a token; the other targets below
    "RevocationService/Watch": SERVICE,
    "KeyService/GetJwks": OPEN,
    "KeyService/ListSigningKeys": OPERATOR,
    "KeyService/PrepareSigningKey": OPERATOR,
    "KeyService/ActivateSigningKey": OPERATOR,
    "KeyService/RetireSigningKey": OPERATOR,
    "KeyService/RevokeSigningKey": OPERATOR,
    "KeyService/ListKeyEncryptionKeys": OPERATOR,
    "KeyService/RotateKeyEncryptionKey": OPERATOR,
    "AccountService/CreateAccount": OPERATOR,
    "AccountService/GetAccount": OPERATOR,
    "AccountService/ListAccounts": OPERATOR,
    "AccountService/UpdateAccount": OPERATOR,
    "AccountService/DisableAccount": OPERATOR,
    "AccountService/EnableAccount": OPERATOR,
    "AccountService/DeleteAccount": OPERATOR,
    "AccountService/SetPassword": OPERATOR,
    "AccountService/GrantRole": OPERATOR,
    "AccountService/RevokeRole": OPERATOR,
    "SessionService/ListSessions": OWN,
    "SessionService/RevokeSession": OWN,
    "SessionService/RevokeAllSessions": OWN,
    "AdminService/GetServerInfo": OPERATOR,
}

# Answered with a stream: by gRPC alone.
STREAMS = {"RevocationService/Watch", "TokenService/VerifyStream"}

# What each kind of method answers to each kind of caller.
EXPECTED = {
    OPEN: {"nobody": PASSES, "bad token": PASSES, "account": PASSES,
           "operator token": PASSES, "operator socket": PASSES},
    ACCOUNT: {"nobody": UNAUTHENTICATED, "bad token": REJECTED,
              "account": PASSES, "operator token": PASSES,
              "operator socket": UNAUTHENTICATED},
    OWN: {"nobody": UNAUTHENTICATED, "bad token": REJECTED,
          "account": NOT_FOUND, "operator token": PASSES,
          "operator socket": PASSES},
    OPERATOR: {"nobody": UNAUTHENTICATED, "bad token": REJECTED,
               "account": DENIED, "operator token": PASSES,
               "operator socket": PASSES},
}


@pytest.fixture(scope="module")
def callers(house):
    """Caller -> (door name, token)."""
    return {
        "nobody": None,
        "bad token": "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "account": house.sign_up().sign_in().access_token,
        "operator token": house.new_operator_token(),
        "operator socket": None,
    }


def valid_request(house, method):
    """A request that succeeds for who may call, about somebody else's."""
    victim = house.sign_up()
    tokens = victim.sign_in()
    account = {"account_id": victim.account_id}
    name = new_name()
    return {
        "AuthService/SignUp": {"username": name, "password": new_password()},
        "AuthService/SignInWithPassword": {"identifier": victim.username,
                                           "password": victim.password},
        "AuthService/Refresh": {"refresh_token": tokens.refresh_token},
        "AuthService/SignOut": {"refresh_token": tokens.refresh_token},
        "AuthService/ChangePassword": {"current_password": new_password(),
                                       "new_password": new_password()},
        "TokenService/Verify": {"token": tokens.access_token},
        "TokenService/BatchVerify": {
            "requests": [{"token": tokens.access_token}]},
        "TokenService/Revoke": {"token": tokens.access_token},
        "KeyService/ActivateSigningKey": {"key_id": "none"},
        "KeyService/RetireSigningKey": {"key_id": "none"},
        "KeyService/RevokeSigningKey": {"key_id": "none"},
        "KeyService/PrepareSigningKey": {"algorithm": "none"},
        "AccountService/CreateAccount": {"username": name,
                                         "password": new_password()},
        "AccountService/GetAccount": account,
        "AccountService/UpdateAccount": {
            "account": {**account, "display_name": "x"},
            "update_mask": "displayName"},
        "AccountService/DisableAccount": account,
        "AccountService/EnableAccount": account,
        "AccountService/DeleteAccount": account,
        "AccountService/SetPassword": {**account, "password": new_password()},
        "AccountService/GrantRole": {**account, "role": "editor"},
        "AccountService/RevokeRole": {**account, "role": "editor"},
        "SessionService/ListSessions": account,
        "SessionService/RevokeSession": {"session_id": tokens.session_id},
        "SessionService/RevokeAllSessions": account,
    }.get(method, {})


# Past the door, but refused for what is in the request: as good as passed.
BEYOND_THE_DOOR = {
    "AuthService/ChangePassword": ("UNAUTHENTICATED", "CREDENTIALS_REJECTED"),
    "KeyService/ActivateSigningKey": NOT_FOUND,
    "KeyService/RetireSigningKey": NOT_FOUND,
    "KeyService/RevokeSigningKey": NOT_FOUND,
    "KeyService/PrepareSigningKey": ("INVALID_ARGUMENT", "ARGUMENT_INVALID"),
}


def test_every_rpc_has_a_row(contract):
    assert set(contract.methods) == set(TABLE)
    assert {m for m in TABLE if contract.is_stream(m)} == STREAMS


@pytest.mark.parametrize("caller", list(EXPECTED[OPEN]))
@pytest.mark.parametrize("method", [
    method for method, who in TABLE.items()
    if who != SERVICE and method not in STREAMS])
def test_each_caller_gets_what_the_table_says(house, callers, method, caller):
    expected = EXPECTED[TABLE[method]][caller]
    if expected == PASSES:
        expected = BEYOND_THE_DOOR.get(method, PASSES)
    doors = ["socket"] if caller == "operator socket" else ["grpc", "connect"]
    for name in doors:
        request = valid_request(house, method)
        try:
            house.door(name).call(method, request, token=callers[caller])
            answer = PASSES
        except Refused as refused:
            answer = (refused.code, refused.reason)
        assert answer == expected, f"{name}: {method} for {caller}"


@pytest.mark.parametrize("caller", list(EXPECTED[OPEN]))
def test_anyone_may_verify_on_a_stream(house, callers, caller):
    door = house.operator if caller == "operator socket" else house.grpc
    token = house.sign_up().sign_in().access_token
    answers = door.exchange("TokenService/VerifyStream",
                            [{"requests": [{"token": token}]}] * 3,
                            token=callers[caller])
    assert [answer.responses[0].valid for answer in answers] == [True] * 3


# What only services may call, with full names: one of them is Envoy's.
FOR_SERVICES = ["ostiary.v1.RevocationService/Watch",
                "envoy.service.auth.v3.Authorization/Check"]
# While --service-access=authenticated; while it is open, all of them pass.
SERVICES_PROVE_THEMSELVES = {
    "nobody": UNAUTHENTICATED, "bad token": REJECTED, "account": DENIED,
    "operator token": PASSES, "operator socket": PASSES}


@pytest.fixture(scope="module")
def strict_house(programs, contract):
    server = Server(programs, "--service-access=authenticated").start()
    house = House(server, contract)
    yield house
    house.close()
    server.stop()
    server.remove()


def first_answer(door, method, token):
    """PASSES once the method has answered to an empty request."""
    start = (door.channel.unary_stream if method.endswith("/Watch")
             else door.channel.unary_unary)
    try:
        call = start(f"/{method}")(b"", metadata=tuple(bearer(token).items()),
                                   timeout=15)
        if method.endswith("/Watch"):
            next(call)
            call.cancel()
        return PASSES
    except grpc.RpcError as error:
        refused = refused_by_grpc(error)
        return (refused.code, refused.reason)


def test_every_rpc_for_services_is_tried():
    assert {f"ostiary.v1.{method}" for method, who in TABLE.items()
            if who == SERVICE} == set(FOR_SERVICES[:-1])


@pytest.mark.parametrize("access", ["open", "authenticated"])
@pytest.mark.parametrize("caller", list(SERVICES_PROVE_THEMSELVES))
@pytest.mark.parametrize("method", FOR_SERVICES)
def test_services_prove_themselves_where_they_must(
        house, strict_house, method, caller, access):
    its_house = house if access == "open" else strict_house
    token = {"bad token": "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
             "account": lambda: its_house.sign_up().sign_in().access_token,
             "operator token": its_house.new_operator_token}.get(caller)
    if callable(token):
        token = token()
    door = its_house.operator if caller == "operator socket" else its_house.grpc
    expected = (PASSES if access == "open"
                else SERVICES_PROVE_THEMSELVES[caller])
    assert first_answer(door, method, token) == expected


def test_envoys_question_needs_the_same_proof_over_http(house, strict_house):
    for its_house, status in ((house, 200), (strict_house, 401)):
        answer = its_house.http.client.post(f"/{FOR_SERVICES[1]}", json={})
        assert answer.status_code == status
    assert refused_by_connect(answer).reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("target,account_may", [
    ("session_id", NOT_FOUND), ("account_id", NOT_FOUND),
    ("client_id", DENIED), ("key_id", DENIED)])
@pytest.mark.parametrize("caller", ["nobody", "bad token", "account"])
def test_revoking_more_than_a_token_needs_its_owner_or_the_operator(
        house, door, callers, caller, target, account_may):
    victim = house.sign_up()
    tokens = victim.sign_in()
    names = {"session_id": tokens.session_id, "account_id": victim.account_id,
             "client_id": "cli_default", "key_id": "any"}
    try:
        door.call("TokenService/Revoke", {target: names[target]},
                  token=callers[caller])
        answer = PASSES
    except Refused as refused:
        answer = (refused.code, refused.reason)
    assert answer == (account_may if caller == "account" else UNAUTHENTICATED)
    assert house.verdict(tokens.access_token) == "VALID"


@pytest.mark.parametrize("target", ["session_id", "account_id"])
def test_people_may_revoke_what_is_theirs(house, door, target):
    person = house.sign_up()
    tokens = person.sign_in()
    names = {"session_id": tokens.session_id, "account_id": person.account_id}
    door.call("TokenService/Revoke", {target: names[target]},
              token=tokens.access_token)
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"


def test_the_operators_role_counts_only_in_a_token_for_the_issuer(house, door):
    person = house.sign_up()
    house.operator.call("AccountService/GrantRole",
                        {"account_id": person.account_id,
                         "role": "ostiary.operator"})
    leaked_by_an_application = person.sign_in().access_token
    with pytest.raises(Refused) as refused:
        door.call("AdminService/GetServerInfo", token=leaked_by_an_application)
    assert refused.value.reason == "PERMISSION_DENIED"


def test_an_operator_token_is_worth_nothing_once_the_role_is_taken(house, door):
    person = house.sign_up()
    role = {"account_id": person.account_id, "role": "ostiary.operator"}
    house.operator.call("AccountService/GrantRole", role)
    token = person.sign_in(audience=house.server.issuer).access_token
    assert door.call("AdminService/GetServerInfo", token=token).version
    house.operator.call("AccountService/RevokeRole", role)
    with pytest.raises(Refused) as refused:
        door.call("AdminService/GetServerInfo", token=token)
    assert refused.value.reason == "ACCESS_TOKEN_REJECTED"


@pytest.mark.parametrize("header", [
    "", "Bearer", "Basic YTpi", "Bearer a b", "token", "bearer x",
    "Bearer " + "A" * 5000])
def test_a_strange_authorization_header_is_nobody(house, door, header):
    with pytest.raises(Refused) as refused:
        door.call("AuthService/GetCurrentAccount",
                  headers={"authorization": header})
    assert refused.value.code == "UNAUTHENTICATED"


@pytest.mark.parametrize("metadata", [
    {"x-operator": "true"}, {"x-forwarded-for": "127.0.0.1"},
    {"transport-security-type": "local"}, {"x-ostiary-role": "operator"}])
def test_no_header_makes_an_operator(house, door, metadata):
    with pytest.raises(Refused) as refused:
        door.call("AdminService/GetServerInfo", headers=metadata)
    assert refused.value.reason == "UNAUTHENTICATED"


def test_a_token_of_another_server_is_nobodys(house, new_house):
    stranger = new_house().sign_up().sign_in().access_token
    assert house.verdict(stranger) == "KEY_UNKNOWN"
    with pytest.raises(Refused) as refused:
        house.grpc.call("AuthService/GetCurrentAccount", token=stranger)
    assert refused.value.reason == "ACCESS_TOKEN_REJECTED"
