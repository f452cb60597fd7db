"""What the table of callers (matrix.py) has no column for."""

import pytest

from doors import Refused


@pytest.mark.parametrize("target", ["session_id", "account_id"])
def test_people_may_revoke_what_is_theirs(house, door, target):
    person = house.sign_up()
    tokens = person.sign_in()
    names = {"session_id": tokens.session_id, "account_id": person.account_id}
    door.call("TokenService/Revoke", {target: names[target]},
              token=tokens.access_token)
    assert house.verdict(tokens.access_token) == "TOKEN_REVOKED"


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
