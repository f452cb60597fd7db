"""Real clients, as people use them: grpcurl, grpcio, PyJWT, curl."""

import json
import re
import subprocess
import sys
from pathlib import Path

import grpc
import jwt
import pytest
from grpc_status import rpc_status
from google.rpc import error_details_pb2

from house import clean_environment, new_name, new_password

PROTO = Path(__file__).resolve().parents[2] / "proto"


def run(*command, stdin=None, check=True):
    done = subprocess.run([str(part) for part in command], input=stdin,
                          capture_output=True, text=True, timeout=40,
                          env=clean_environment())
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def grpcurl(tool):
    path = tool("grpcurl")
    return lambda *arguments, **named: run(path, "-plaintext", *arguments,
                                           **named)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """What a tutorial's reader has after grpc_tools.protoc."""
    out = tmp_path_factory.mktemp("stubs")
    files = [str(p.relative_to(PROTO))
             for p in (PROTO / "ostiary/v1").glob("*.proto")]
    run(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}",
        f"--python_out={out}", f"--grpc_python_out={out}", *files)
    sys.path.insert(0, str(out))
    yield out
    sys.path.remove(str(out))


def test_grpcurl_lists_every_service_by_reflection(house, grpcurl, contract):
    listed = grpcurl(house.server.grpc, "list").stdout.split()
    services = {f"ostiary.v1.{name.split('/')[0]}" for name in contract.methods}
    assert services <= set(listed)
    assert "grpc.health.v1.Health" in listed


def test_grpcurl_describes_every_method_by_reflection(house, grpcurl, contract):
    described = grpcurl(house.server.grpc, "describe").stdout
    for method in contract.methods.values():
        assert f"rpc {method.name} " in described, method.full_name


@pytest.mark.parametrize("source", ["reflection", "protoset"])
def test_grpcurl_signs_up_signs_in_verifies_and_revokes(house, grpcurl,
                                                        contract, source):
    how = [] if source == "reflection" else ["-protoset", contract.path]
    # Reflection in C++ does not carry the JSON names: grpcurl then writes the
    # names of the .proto.
    names = (lambda name: re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name)
             ) if source == "reflection" else (lambda name: name)
    name, password = new_name(), new_password()

    def call(method, request, *flags):
        done = grpcurl(*how, *flags, "-d", json.dumps(request),
                       house.server.grpc, f"ostiary.v1.{method}")
        return json.loads(done.stdout)

    account = call("AuthService/SignUp",
                   {"username": name, "password": password})["account"]
    tokens = call("AuthService/SignInWithPassword",
                  {"identifier": name, "password": password})["tokens"]
    token = tokens[names("accessToken")]
    me = call("AuthService/GetCurrentAccount", {}, "-H",
              f"authorization: Bearer {token}")["account"]
    assert me[names("accountId")] == account[names("accountId")]
    assert call("TokenService/Verify", {"token": token})["valid"] is True
    again = call("AuthService/Refresh",
                 {"refresh_token": tokens[names("refreshToken")]})["tokens"]
    assert again[names("sessionId")] == tokens[names("sessionId")]
    call("TokenService/Revoke", {"token": token})
    assert call("TokenService/Verify", {"token": token}) == {
        "reason": "TOKEN_REVOKED"}


def test_grpcurl_on_the_operator_socket_is_the_operator(house, grpcurl):
    done = grpcurl(f"unix:{house.server.socket_path}",
                   "ostiary.v1.AdminService/GetServerInfo")
    assert json.loads(done.stdout)["issuer"] == house.server.issuer


def test_grpcurl_shows_the_reason_of_an_error(house, grpcurl):
    done = grpcurl("-d", '{"identifier":"nobody","password":"nothing at all"}',
                   house.server.grpc,
                   "ostiary.v1.AuthService/SignInWithPassword", check=False)
    assert done.returncode == 64 + grpc.StatusCode.UNAUTHENTICATED.value[0]
    assert '"reason": "CREDENTIALS_REJECTED"' in done.stderr
    assert '"domain": "ostiary"' in done.stderr


def test_health_answers_serving_for_the_server_and_each_service(house, grpcurl,
                                                                contract):
    services = {""} | {f"ostiary.v1.{n.split('/')[0]}" for n in contract.methods}
    for service in sorted(services):
        done = grpcurl("-d", json.dumps({"service": service}),
                       house.server.grpc, "grpc.health.v1.Health/Check")
        assert json.loads(done.stdout)["status"] == "SERVING", service
    done = grpcurl("-d", '{"service":"no.such"}', house.server.grpc,
                   "grpc.health.v1.Health/Check", check=False)
    assert "NotFound" in done.stderr


def test_generated_python_stubs_do_the_main_job(house, stubs):
    from ostiary.v1 import auth_service_pb2 as auth
    from ostiary.v1 import auth_service_pb2_grpc as auth_grpc
    from ostiary.v1 import token_service_pb2 as token
    from ostiary.v1 import token_service_pb2_grpc as token_grpc
    name, password = new_name(), new_password()
    with grpc.insecure_channel(house.server.grpc) as channel:
        people = auth_grpc.AuthServiceStub(channel)
        people.SignUp(auth.SignUpRequest(username=name, password=password))
        tokens = people.SignInWithPassword(auth.SignInWithPasswordRequest(
            identifier=name, password=password)).tokens
        answer = token_grpc.TokenServiceStub(channel).Verify(
            token.VerifyRequest(token=tokens.access_token))
        assert answer.valid and answer.claims.session_id == tokens.session_id
        with pytest.raises(grpc.RpcError) as error:
            people.SignUp(auth.SignUpRequest(username=name, password=password))
    details = rpc_status.from_call(error.value).details
    info = error_details_pb2.ErrorInfo()
    assert details[0].Unpack(info)
    assert (info.reason, info.domain) == ("IDENTIFIER_TAKEN", "ostiary")


def test_pyjwt_verifies_a_token_with_the_published_keys(house):
    person = house.sign_up()
    token = person.sign_in().access_token
    keys = jwt.PyJWKClient(house.server.url + "/.well-known/jwks.json")
    claims = jwt.decode(token, keys.get_signing_key_from_jwt(token),
                        algorithms=["ES256"], audience="api",
                        issuer=house.server.issuer,
                        options={"require": ["exp", "iat", "sub", "jti"]})
    assert claims["sub"] == person.account_id
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, keys.get_signing_key_from_jwt(token),
                   algorithms=["ES256"], audience="shop")
    head, body, tag = token.split(".")
    forged = ".".join([head, body, tag[:-4] + "AAAA"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, keys.get_signing_key_from_jwt(token),
                   algorithms=["ES256"], audience="api")


@pytest.mark.parametrize("algorithm,kty", [("RS256", "RSA"), ("EdDSA", "OKP"),
                                           ("ES256", "EC")])
def test_each_signing_algorithm_is_verified_by_pyjwt(new_house, algorithm, kty):
    house = new_house(f"--signing-algorithm={algorithm}")
    token = house.sign_up().sign_in().access_token
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    published = house.http.client.get("/.well-known/jwks.json").json()["keys"]
    assert {key["alg"] for key in published} == {algorithm}
    assert {key["kty"] for key in published} == {kty}
    keys = jwt.PyJWKClient(house.server.url + "/.well-known/jwks.json")
    assert jwt.decode(token, keys.get_signing_key_from_jwt(token),
                      algorithms=[algorithm], audience="api")["sub"]
    assert house.verdict(token) == "VALID"


def test_the_commands_of_the_greeting_paste_and_run(new_server, programs):
    server = new_server().start()
    commands = server.greeting().split("Try:\n")[1].strip().splitlines()
    assert len(commands) == 4
    environment = clean_environment()
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    for command in commands:
        # --fail-with-body: curl's exit code tells of an HTTP error.
        done = subprocess.run(command.replace("curl ", "curl -sS -f "),
                              shell=True, capture_output=True, text=True,
                              timeout=40, env=environment)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout


def test_curl_json_gets_error_details_it_can_read(house, tool):
    done = run(tool("curl"), "-sS", "-w", "\n%{http_code}", "--json",
               '{"identifier":"nobody","password":"nothing at all"}',
               house.server.url + "/ostiary.v1.AuthService/SignInWithPassword")
    body, status = done.stdout.rsplit("\n", 1)
    error = json.loads(body)
    assert status == "401"
    assert error["code"] == "unauthenticated"
    assert error["details"][0]["type"] == "google.rpc.ErrorInfo"
    assert error["details"][0]["debug"] == {
        "reason": "CREDENTIALS_REJECTED", "domain": "ostiary"}
