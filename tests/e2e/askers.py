"""Those who ask in test_matrix.py: a server with every way in, a token of every
kind, and a request for every method that succeeds for who may make it."""

import base64
import json
import ssl

import grpc

from certificates import Authority
from doors import (ConnectDoor, GrpcDoor, Refused, bearer, refused_by_connect,
                   refused_by_grpc)
from house import House, Server, new_name, new_password
from matrix import WORDS

# Answers that come from behind the door: as good as done.
BEYOND = {
    "ostiary.v1.AuthService/ChangePassword":
        ("INVALID_ARGUMENT", "ARGUMENT_INVALID"),
    "ostiary.v1.KeyService/ActivateSigningKey": WORDS["absent"],
    "ostiary.v1.KeyService/RetireSigningKey": WORDS["absent"],
    "ostiary.v1.KeyService/RevokeSigningKey": WORDS["absent"],
    "ostiary.v1.KeyService/PrepareSigningKey":
        ("INVALID_ARGUMENT", "ARGUMENT_INVALID"),
    "ostiary.v1.TokenService/Revoke:key_id": WORDS["absent"],
}

# What changes the person it is about: one who may needs a fresh one each time.
CONSUMES = ("/Refresh", "/SignOut", "/Revoke", "/UpdateAccount",
            "/DisableAccount", "/EnableAccount", "/DeleteAccount",
            "/SetPassword", "/GrantRole")


def request_for(row, person, tokens):
    """A request about this person that succeeds for who may make it."""
    account = {"account_id": person.account_id}
    new = {"username": new_name(), "password": new_password()}
    return {
        "AuthService/SignUp": new,
        "AuthService/SignInWithPassword": {"identifier": person.username,
                                           "password": person.password},
        "AuthService/Refresh": {"refresh_token": tokens.refresh_token},
        "AuthService/SignOut": {"refresh_token": tokens.refresh_token},
        # Not tried on a caller that others need: a field is missing.
        "AuthService/ChangePassword": {"new_password": new_password()},
        "TokenService/Verify": {"token": tokens.access_token},
        "TokenService/BatchVerify": {
            "requests": [{"token": tokens.access_token}]},
        "TokenService/VerifyStream": {
            "requests": [{"token": tokens.access_token}]},
        "TokenService/Revoke:token": {"token": tokens.access_token},
        "TokenService/Revoke:session_id": {"session_id": tokens.session_id},
        "TokenService/Revoke:account_id": account,
        "TokenService/Revoke:client_id": {"client_id": "cli_nobody"},
        "TokenService/Revoke:key_id": {"key_id": "none"},
        "KeyService/ActivateSigningKey": {"key_id": "none"},
        "KeyService/RetireSigningKey": {"key_id": "none"},
        "KeyService/RevokeSigningKey": {"key_id": "none"},
        "KeyService/PrepareSigningKey": {"algorithm": "none"},
        "AccountService/CreateAccount": new,
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
    }.get(row.removeprefix("ostiary.v1."), {})


def body_for(contract, row, person, tokens):
    method = row.partition(":")[0]
    if method.endswith("ServerReflectionInfo"):
        return b"\x3a\x01*"  # list_services: all of them
    fields = request_for(row, person, tokens)
    if not fields:
        return b""
    return contract.request(method.removeprefix("ostiary.v1."),
                            fields).SerializeToString()


def word_for(row, refused):
    """The word of the tables; what has none speaks for itself."""
    told = (refused.code, refused.reason)
    if BEYOND.get(row) == told:
        return "ok"
    return next((word for word, meaning in WORDS.items() if meaning == told),
                str(refused))


def ask(door, row, body, token):
    """One cell: sends these bytes to the row's method."""
    method = row.partition(":")[0]
    try:
        if isinstance(door, ConnectDoor):
            _ask_connect(door, method, body, token)
        else:
            _ask_grpc(door, method, body, token)
    except Refused as refused:
        return word_for(row, refused)
    return "ok"


def _ask_connect(door, method, body, token):
    response = door.client.post(f"/{method}", content=body, headers={
        "content-type": "application/proto", **bearer(token)})
    if response.status_code != 200:
        raise refused_by_connect(response)


def _ask_grpc(door, method, body, token):
    """Up to the first answer; only streams have more."""
    streams = streams_of(door.contract, method)
    call = getattr(door.channel, {
        (False, False): "unary_unary", (False, True): "unary_stream",
        (True, True): "stream_stream"}[streams])(f"/{method}")
    metadata = tuple(bearer(token).items())
    try:
        if streams == (False, False):
            call(body, metadata=metadata, timeout=15)
            return
        answers = call(iter([body]) if streams[0] else body, metadata=metadata,
                       timeout=15)
        next(answers)
        answers.cancel()
    except grpc.RpcError as error:
        raise refused_by_grpc(error) from None


def streams_of(contract, method):
    """Whether requests and answers are streams."""
    if method.startswith("grpc.reflection."):  # not in the protoset
        return True, True
    described = contract.all_methods[method]
    return described.client_streaming, described.server_streaming


def over_connect(house, row):
    """Whether the method is served over HTTP, too."""
    method = row.partition(":")[0]
    return not method.startswith("grpc.") and not any(
        streams_of(house.contract, method))


class SecuredHouse(House):
    """A house with TLS; further doors: one that shows a client certificate, on
    either wire."""

    def __init__(self, server, contract, authority):
        ca = authority.cert.read_bytes()
        cert, key = authority.issue("service", "service-a")
        context = ssl.create_default_context(cafile=authority.cert)
        shows = ssl.create_default_context(cafile=authority.cert)
        shows.load_cert_chain(cert, key)
        self.server, self.contract = server, contract
        self.grpc = GrpcDoor(contract, server.grpc,
                             grpc.ssl_channel_credentials(ca))
        self.operator = GrpcDoor(contract, f"unix:{server.socket_path}")
        self.http = ConnectDoor(contract, server.url, verify=context)
        self.certified = GrpcDoor(contract, server.grpc,
                                  grpc.ssl_channel_credentials(
                                      ca, key.read_bytes(), cert.read_bytes()))
        self.certified_http = ConnectDoor(contract, server.url, verify=shows)

    def door(self, name):
        return {"certificate": self.certified,
                "certificate over connect": self.certified_http}.get(
                    name) or super().door(name)

    def close(self):
        super().close()
        self.certified.close()
        self.certified_http.close()


def _segment(fields):
    return base64.urlsafe_b64encode(
        json.dumps(fields).encode()).rstrip(b"=").decode()


def _claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def unsigned(token):
    return f"{_segment({'alg': 'none', 'typ': 'at+jwt'})}.{token.split('.')[1]}."


def tampered(token):
    """With the operator's role written in."""
    head, _, signature = token.split(".")
    claims = {**_claims_of(token), "roles": ["ostiary.operator"]}
    return f"{head}.{_segment(claims)}.{signature}"


def status_list_uri(token):
    return _claims_of(token)["status"]["status_list"]["uri"]


def status_list_of(house, token):
    """The signed list that the token names; a JWT of the same keys."""
    return house.http.client.get(status_list_uri(token)).text


class Town:
    """One server that has lived through what makes tokens worthless, and a
    token of each kind. Where a kind can be an operator's, it is one."""

    def __init__(self, programs, contract, folder):
        authority = Authority(folder / "tls")
        cert, key = authority.issue("server")
        self.server = server = Server(
            programs, f"--tls-cert={cert}", f"--tls-key={key}",
            f"--tls-client-ca={authority.cert}", "--service-access=authenticated",
            "--status-lists=on", scheme="https")
        ours = server.issuer
        server.flags.append(f"--audiences=api,shop,{ours}")
        self.tokens = {None: None, "unreadable": "eyJhbGciOiJFUzI1NiJ9.e30"}

        server.issuer = "https://elsewhere.example"
        self._live_once(contract, authority, "of another issuer", ours)
        server.issuer = ours
        server.flags.append("--access-token-lifetime=1s")
        self._live_once(contract, authority, "expired", ours)
        server.flags.pop()

        self.house = SecuredHouse(server.start(), contract, authority)
        self._make_tokens(ours)

    def _live_once(self, contract, authority, kind, audience):
        house = SecuredHouse(self.server.start(), contract, authority)
        operator = with_role(house, "ostiary.operator")
        self.tokens[kind] = operator.sign_in(audience=audience).access_token
        house.close()
        assert self.server.stop() == 0

    def _make_tokens(self, issuer):
        house, tokens = self.house, self.tokens
        person, operator = house.sign_up(), with_role(house, "ostiary.operator")

        def new(who, audience="api"):
            return who.sign_in(audience=audience).access_token

        live = person.sign_in()
        tokens["an account's"] = live.access_token
        tokens["an account's, for the issuer"] = new(house.sign_up(), issuer)
        tokens["an editor's"] = new(with_role(house, "editor"))
        tokens["an operator's"] = new(operator, issuer)
        tokens["for api, with the operator's role"] = new(operator)
        tokens["for shop"] = new(person, "shop")
        tokens["for shop, with the operator's role"] = new(operator, "shop")
        for kind, audience in (("revoked", "api"),
                               ("an operator's, revoked", issuer)):
            tokens[kind] = new(operator, audience)
            house.revoke(token=tokens[kind])
        tokens["unsigned"] = unsigned(tokens["an operator's"])
        tokens["tampered"] = tampered(tokens["an account's, for the issuer"])
        tokens["a refresh token"] = live.refresh_token
        tokens["a status list's"] = status_list_of(house, live.access_token)

    def close(self):
        self.house.close()
        assert self.server.stop() == 0
        self.server.remove()


def with_role(house, role):
    """Made by an operator: sign-up may be closed."""
    person = house.sign_up(door=house.operator)
    house.operator.call("AccountService/GrantRole", {
        "account_id": person.account_id, "role": role})
    return person
