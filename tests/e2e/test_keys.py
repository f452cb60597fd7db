"""Signing keys: prepared, activated, retired, revoked, and what is published."""

import jwt
import pytest

from house import refusal


def published(house):
    return {key["kid"] for key in
            house.http.client.get("/.well-known/jwks.json").json()["keys"]}


def states(house):
    """State name -> key ids."""
    found = {}
    for key in house.operator.call("KeyService/ListSigningKeys").signing_keys:
        name = key.DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number[
            key.state].name.removeprefix("SIGNING_KEY_STATE_").lower()
        found.setdefault(name, []).append(key.key_id)
    return found


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


@pytest.fixture
def own(new_house):
    return new_house()


def prepared_key(house):
    """The key that is next, made now if there is none."""
    ready = states(house).get("prepared", [])
    return ready[0] if ready else house.operator.call(
        "KeyService/PrepareSigningKey").signing_key.key_id


def test_the_first_key_signs_at_once_and_is_published(own):
    active = states(own)["active"]
    assert len(active) == 1
    assert kid_of(own.sign_up().sign_in().access_token) == active[0]
    assert set(active) <= published(own)


def test_a_prepared_key_is_published_and_does_not_sign(own):
    key = prepared_key(own)
    assert key in published(own)
    assert kid_of(own.sign_up().sign_in().access_token) != key


def test_rotation_keeps_old_tokens_good_and_signs_with_the_new_key(own):
    person = own.sign_up()
    old = person.sign_in()
    before = kid_of(old.access_token)
    key = prepared_key(own)
    answer = own.operator.call("KeyService/ActivateSigningKey",
                               {"key_id": key, "force": True}).signing_key
    assert answer.key_id == key
    assert kid_of(person.sign_in().access_token) == key
    assert before in states(own)["retired"]
    assert {before, key} <= published(own)
    assert own.verdict(old.access_token) == "VALID"
    assert own.verdict(own.refresh(old.refresh_token).access_token) == "VALID"


def test_a_key_that_was_published_too_late_is_not_activated_unforced(own):
    key = prepared_key(own)
    refused = refusal(own.operator.call, "KeyService/ActivateSigningKey",
                      {"key_id": key})
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION",
                                              "KEY_STATE_CONFLICT")
    assert key in states(own)["prepared"]


def test_revoking_the_active_key_activates_the_next_in_one_step(own):
    person = own.sign_up()
    old = person.sign_in()
    key = kid_of(old.access_token)
    etag = own.http.client.get("/.well-known/jwks.json").headers["etag"]
    answer = own.operator.call("KeyService/RevokeSigningKey",
                               {"key_id": key, "reason": "leaked"})
    assert answer.revision
    assert key in states(own)["revoked"]
    assert len(states(own)["active"]) == 1
    assert key not in published(own)
    assert own.http.client.get(
        "/.well-known/jwks.json",
        headers={"if-none-match": etag}).status_code == 200
    assert own.verdict(old.access_token,
                       min_revision=answer.revision) in ("KEY_UNKNOWN",
                                                         "TOKEN_REVOKED")
    fresh = person.sign_in()
    assert kid_of(fresh.access_token) in published(own)
    assert own.verdict(fresh.access_token) == "VALID"
    refused = refusal(own.operator.call, "KeyService/ActivateSigningKey",
                      {"key_id": key, "force": True})
    assert refused.reason == "KEY_STATE_CONFLICT"


def test_a_revoked_key_stays_revoked_after_a_restart(own, contract):
    from house import House
    token = own.sign_up().sign_in().access_token
    own.revoke(key_id=kid_of(token))
    assert own.server.stop() == 0
    again = House(own.server.start(), contract)
    assert kid_of(token) not in published(again)
    assert again.verdict(token) in ("KEY_UNKNOWN", "TOKEN_REVOKED")
    again.close()


def test_the_active_key_cannot_be_retired_into_nothing(own):
    active = states(own)["active"][0]
    refused = refusal(own.operator.call, "KeyService/RetireSigningKey",
                      {"key_id": active})
    assert refused.reason == "KEY_STATE_CONFLICT"
    assert states(own)["active"] == [active]


@pytest.mark.parametrize("method", ["Activate", "Retire", "Revoke"])
def test_a_key_that_is_not_there_is_not_found(own, method):
    refused = refusal(own.operator.call, f"KeyService/{method}SigningKey",
                      {"key_id": "no-such-key"})
    assert (refused.code, refused.reason) == ("NOT_FOUND", "NOT_FOUND")


def test_moving_to_another_algorithm_keeps_both_kinds_of_token_good(own,
                                                                    contract):
    from house import House
    person = own.sign_up()
    old = person.sign_in()
    assert own.server.stop() == 0
    own.server.flags = ["--signing-algorithm=EdDSA"]
    again = House(own.server.start(), contract)
    person.house = again
    # The next key is of the new kind; an ES256 one may be prepared already.
    waiting = states(again).get("prepared", [])
    for key in waiting:
        again.operator.call("KeyService/RetireSigningKey", {"key_id": key})
    key = prepared_key(again)
    again.operator.call("KeyService/ActivateSigningKey",
                        {"key_id": key, "force": True})
    new = person.sign_in()
    assert jwt.get_unverified_header(new.access_token)["alg"] == "EdDSA"
    assert again.verdict(new.access_token) == "VALID"
    assert again.verdict(old.access_token) == "VALID"
    again.close()


def test_private_keys_are_sealed_on_the_disk(own):
    for path, content in own.server.files().items():
        assert b"PRIVATE KEY" not in content, path
        assert b'"d":' not in content, path


def test_a_token_of_a_symmetric_or_missing_algorithm_is_refused(own):
    """The public key as an HMAC secret, and no signature at all."""
    token = own.sign_up().sign_in().access_token
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"kid": kid_of(token), "typ": "at+jwt"}
    forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers=header)
    none = jwt.encode(claims, None, algorithm="none", headers=header)
    for bad in (forged, none):
        assert own.verdict(bad) in ("ALGORITHM_NOT_ALLOWED", "TOKEN_MALFORMED")


def test_a_claim_cannot_be_changed(own):
    import base64
    import json
    token = own.sign_up().sign_in().access_token
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["roles"] = ["ostiary.operator"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    assert own.verdict(f"{head}.{changed.decode()}.{signature}") == (
        "SIGNATURE_INVALID")
