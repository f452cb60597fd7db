"""Bad input on every RPC: a clear error with a reason, at once, and no crash."""

import json
import random
import zlib

import pytest

from doors import Refused, refused_by_connect
from matrix import OURS, STREAMS

METHODS = sorted(set(OURS) - STREAMS)  # streams: test_watch.py

# Statuses that say whose fault it is. 5xx never is an answer to bad input.
CLEAR = {400, 401, 403, 404, 405, 409, 413, 415, 429}


def clear_grpc_error(refused):
    assert refused.code not in ("INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED",
                                "UNAVAILABLE"), refused
    assert refused.reason, refused
    assert refused.domain == "ostiary"


def clear_error(response):
    """That this HTTP response is an error a caller can act on."""
    assert response.status_code in CLEAR, (response.status_code, response.text)
    refused = refused_by_connect(response)
    assert refused.reason, response.text
    assert refused.domain == "ostiary"
    assert refused.message
    return refused


@pytest.fixture(scope="module")
def token(house):
    """Opens every door, so that it is the input that is refused."""
    return house.new_operator_token()


@pytest.fixture(autouse=True)
def still_standing(house):
    yield
    assert house.server.is_ready()


MALFORMED = ["", " ", "{", "}", "[]", "null", "true", "5", '"x"', "{}{}", "{,}",
             '{"a"}', "{'a':1}", '{"a":1,}', "\x00", "\ufeff{}", "{\"a\":\x01}",
             '{"a":"\\ud800"}', "[" * 5000, '{"a":' * 2000]


@pytest.mark.parametrize("method", METHODS)
def test_malformed_json_is_refused(house, token, method):
    for text in MALFORMED:
        response = house.http.post(method, text.encode(), token=token)
        refused = clear_error(response)
        # A long one may be over the method's bound before it is read.
        expected = ({"ARGUMENT_INVALID"} if len(text) < 1000 else
                    {"ARGUMENT_INVALID", "REQUEST_TOO_LARGE"})
        assert refused.reason in expected, (text[:40], refused)


@pytest.mark.parametrize("method", METHODS)
def test_invalid_utf8_is_refused(house, token, method):
    for bad in (b"\xff\xfe", b'{"a":"\xff"}', b'{"\xc0\x80":1}', b"\x80" * 100):
        clear_error(house.http.post(method, bad, token=token))


def bad_value_of(field):
    if field.is_repeated if hasattr(field, "is_repeated") else (
            field.label == field.LABEL_REPEATED):
        return "not a list"
    kinds = {field.TYPE_STRING: 5, field.TYPE_BOOL: "yes",
             field.TYPE_INT32: "many", field.TYPE_MESSAGE: 5}
    return kinds[field.type]


@pytest.mark.parametrize("method", METHODS)
def test_a_field_of_a_wrong_type_is_refused_by_name(house, contract, token,
                                                    method):
    for field in contract.methods[method].input_type.fields:
        body = json.dumps({field.json_name: bad_value_of(field)})
        refused = clear_error(house.http.post(method, body, token=token))
        assert refused.code == "INVALID_ARGUMENT", (field.name, refused)
        told = " ".join([refused.message, *refused.fields])
        assert field.name in told or field.json_name in told, refused


@pytest.mark.parametrize("method", METHODS)
def test_a_field_given_twice_is_refused(house, contract, token, method):
    fields = contract.methods[method].input_type.fields
    names = [field.json_name for field in fields] or ["a"]
    for name in names:
        body = f'{{"{name}":"x","{name}":"x"}}'
        refused = clear_error(house.http.post(method, body, token=token))
        assert refused.code == "INVALID_ARGUMENT", refused


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_field_is_refused_or_ignored_but_never_breaks(house, token,
                                                                 method):
    response = house.http.post(method, '{"noSuchField":{"deep":[1,{}]}}',
                               token=token)
    if response.status_code != 200:
        clear_error(response)


@pytest.mark.parametrize("method", METHODS)
def test_a_message_over_its_bound_is_refused(house, contract, token, method):
    # A batch must hold a hundred tokens; nothing else is nearly as large.
    over = 140_000 if method.endswith("BatchVerify") else 70_000
    for size in (over, 200_000):
        response = house.http.post(method, b'{"x":"' + b"a" * size + b'"}',
                                   token=token)
        assert response.status_code == 413, response.text
        assert refused_by_connect(response).reason == "REQUEST_TOO_LARGE", (
            response.text)
    # Field 15 is nobody's: length-delimited, unknown, too long.
    body = bytes([15 << 3 | 2]) + varint(over) + b"a" * over
    for caller in (house.grpc, house.operator):
        with pytest.raises(Refused) as refused:
            caller.raw(method, body, token=token)
        clear_grpc_error(refused.value)
        assert refused.value.code in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


GARBAGE = [b"\xff" * 11, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05ab", b"\x0b",
           b"\x07", b"\x0a\x02\xff\xfe"]


@pytest.mark.parametrize("method", METHODS)
def test_garbage_in_place_of_a_message_is_refused(house, token, method):
    seed = zlib.crc32(method.encode())
    chance = random.Random(seed)
    noise = [chance.randbytes(chance.randrange(1, 200)) for _ in range(8)]
    print("seed", seed)
    for body in GARBAGE + noise:
        # What happens to be a message of unknown fields may pass.
        try:
            house.grpc.raw(method, body, token=token)
        except Refused as refused:
            clear_grpc_error(refused)
        response = house.http.post(method, body, token=token,
                                   content_type="application/proto")
        if response.status_code != 200:
            clear_error(response)


# Methods for which an empty request is a whole one.
COMPLETE_WHEN_EMPTY = {
    "AuthService/GetCurrentAccount", "KeyService/GetJwks",
    "KeyService/ListSigningKeys", "KeyService/PrepareSigningKey",
    "AccountService/ListAccounts", "SessionService/ListSessions",
    "SessionService/RevokeAllSessions", "AdminService/GetServerInfo",
    # An empty token is a verdict, not a mistake.
    "TokenService/Verify",
}


@pytest.mark.parametrize("method", METHODS)
def test_missing_fields_are_refused_with_a_reason(house, token, method):
    for door in (house.grpc, house.http):
        # Not the token of the module: RevokeAllSessions would end it.
        own = house.sign_up().sign_in().access_token if method.startswith(
            "SessionService/RevokeAll") else token
        if method in COMPLETE_WHEN_EMPTY:
            try:
                door.call(method, {}, token=own)
            except Refused as refused:
                assert refused.reason == "KEY_STATE_CONFLICT", refused
            continue
        with pytest.raises(Refused) as refused:
            door.call(method, {}, token=own)
        assert refused.value.code in ("INVALID_ARGUMENT", "NOT_FOUND",
                                      "UNAUTHENTICATED"), refused.value
        assert refused.value.reason
        assert refused.value.domain == "ostiary"


HOSTILE_TEXT = ["\x00", "a\x00b", "\u202etxt", "' OR 1=1 --", "%s%n", "../../etc",
                "\ud7ff\U0010ffff", "a" * 3000, "<script>", "\r\nSet-Cookie: x",
                "acct_" + "0" * 26, "sess_" + "z" * 26]


@pytest.mark.parametrize("method", METHODS)
def test_hostile_text_in_every_field_never_breaks(house, contract, token,
                                                  method):
    for field in contract.methods[method].input_type.fields:
        if field.type != field.TYPE_STRING:
            continue
        repeated = bad_value_of(field) == "not a list"
        for text in HOSTILE_TEXT:
            body = json.dumps({field.json_name: [text] if repeated else text})
            response = house.http.post(method, body, token=token)
            assert response.status_code < 500, (field.name, text, response.text)
            if response.status_code != 200:
                clear_error(response)


@pytest.mark.parametrize("name", [
    "ostiary.v1.AuthService/NoSuch", "ostiary.v1.NoSuchService/SignUp",
    "AuthService/SignUp", "ostiary.v1.AuthService", "ostiary.v1.AuthService/",
    "x/y/z"])
def test_an_unknown_method_is_unimplemented_with_a_reason(house, name):
    import grpc

    from doors import refused_by_grpc
    response = house.http.client.post(f"/{name}", json={})
    assert response.status_code == 404
    assert refused_by_connect(response).reason == "METHOD_UNKNOWN"
    with pytest.raises(grpc.RpcError) as error:
        house.grpc.channel.unary_unary(f"/{name}")(b"", timeout=5)
    refused = refused_by_grpc(error.value)
    assert refused.code == "UNIMPLEMENTED", refused
