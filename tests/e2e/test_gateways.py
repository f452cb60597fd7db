"""Envoy, nginx, Caddy and Traefik before a service, each with the configuration
that lies in deploy/gateways: what passes, what the service is told, and what is
refused.
"""

import signal
import socket
import time

import grpc
import httpx
import pytest

from certificates import Authority
from doors import GrpcDoor
from gateways import FILES, KINDS, Service, find
from house import House, Server, new_name, new_password

IDENTITY = ["x-ostiary-subject", "x-ostiary-scopes", "x-ostiary-roles",
            "x-ostiary-session", "x-ostiary-client"]
FORGED = [(name, "forged") for name in IDENTITY]


@pytest.fixture(scope="module")
def shop(programs, contract):
    """A server with scopes and a second audience."""
    server = Server(programs, "--scopes=read,write",
                    "--audiences=api,shop").start()
    house = House(server, contract)
    yield house
    house.close()
    assert server.stop() == 0
    log = server.log()
    server.remove()
    assert "eyJ" not in log, "a token is in the log"


@pytest.fixture(scope="module")
def service():
    service = Service()
    yield service
    service.close()


@pytest.fixture(scope="module", params=list(KINDS))
def gateway(request, shop, service):
    gateway = KINDS[request.param](shop.server, service)
    yield gateway
    log = gateway.log()
    gateway.close()
    assert "eyJ" not in log, "a token is in the gateway's log"


@pytest.fixture
def new_gateway(service):
    made = []

    def make(kind, server, **named):
        made.append(KINDS[kind](server, service, **named))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.fixture
def person(shop):
    return shop.sign_up()


def identity(reached):
    """An empty header says as much as none: Caddy sets them so."""
    return {name: None if reached.get(name) in ([""], "") else
            reached.get(name) for name in IDENTITY}


NOBODY = dict.fromkeys(IDENTITY)


def test_traefik_is_among_them():
    find("traefik")
    assert "traefik" in KINDS


def test_without_a_token_nothing_reaches_the_service(gateway, service):
    before = service.requests
    answer = gateway.get("/orders/1")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="ostiary"'
    assert service.requests == before


def test_the_service_learns_who_asks(gateway, shop, person):
    tokens = person.sign_in(scope="read write")
    reached = gateway.passed("/orders/1?a=b", tokens.access_token)
    assert identity(reached) == {
        "x-ostiary-subject": [person.account_id],
        "x-ostiary-scopes": ["read write"],
        "x-ostiary-roles": None,
        "x-ostiary-session": [tokens.session_id],
        "x-ostiary-client": ["cli_default"]}


def test_what_the_client_says_about_itself_is_replaced(gateway, person):
    token = person.sign_in().access_token
    reached = gateway.passed("/orders/1", token, FORGED)
    assert reached["x-ostiary-subject"] == [person.account_id]
    # Nothing to say about these: the client's word must not stand.
    assert identity(reached)["x-ostiary-roles"] is None
    assert identity(reached)["x-ostiary-scopes"] is None
    assert "forged" not in str(reached)


def test_where_anonymous_requests_pass_nobody_is_somebody(gateway):
    reached = gateway.passed("/public/1", headers=FORGED)
    assert identity(reached) == NOBODY
    assert "forged" not in str(reached)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"nginx"}))
def test_other_spellings_do_not_slip_by(kind, shop, person, new_gateway):
    """Python's WSGI, CGI and PHP read x_ostiary_roles as x-ostiary-roles.

    (nginx drops names with an underscore by itself.)"""
    gateway = new_gateway(kind, shop.server)
    spelt = [("X_Ostiary_Roles", "forged"), ("x_ostiary_subject", "forged")]
    token = person.sign_in().access_token
    assert "forged" not in str(gateway.passed("/orders/1", token, spelt))
    assert "forged" not in str(gateway.passed("/public/1", headers=spelt))


def test_a_bad_token_is_refused_even_where_none_is_needed(gateway):
    answer = gateway.get("/public/1", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_good_token_names_its_bearer_where_none_is_needed(gateway, person):
    reached = gateway.passed("/public/1", person.sign_in().access_token)
    assert reached["x-ostiary-subject"] == [person.account_id]


@pytest.mark.parametrize("header", [
    "", "Bearer", "Basic YTpi", "bearer", "token", "Bearerx",
    "Bearer a, Bearer b"])
@pytest.mark.parametrize("path", ["/orders/1", "/public/1"])
def test_a_strange_authorization_header_never_passes(gateway, path, header):
    answer = gateway.get(path, headers=[("authorization", header)])
    if header == "" and path == "/public/1" and gateway.name == "nginx":
        # nginx hands an empty header on as none.
        assert answer.status_code == 200
        assert identity(dict(answer.json()["headers"])) == NOBODY
    else:
        assert answer.status_code == 401


def test_two_tokens_are_none_or_the_one_that_was_checked(gateway, shop):
    good, other = (shop.sign_up().sign_in().access_token for _ in range(2))
    answer = gateway.get("/orders/1", headers=[
        ("authorization", f"Bearer {good}"),
        ("authorization", f"Bearer {other}")])
    if answer.status_code != 200:
        assert answer.status_code in (400, 401, 503)
        return
    reached = dict(answer.json()["headers"])
    subject = reached["x-ostiary-subject"]
    bearer = reached["authorization"].removeprefix("Bearer ")
    assert shop.claims(bearer).subject == subject


def test_a_missing_scope_is_403(gateway, person):
    without = person.sign_in().access_token
    answer = gateway.get("/reports/1", without)
    assert answer.status_code == 403
    with_it = person.sign_in(scope="read").access_token
    reached = gateway.passed("/reports/1", with_it)
    assert reached["x-ostiary-scopes"] == ["read"]


def test_a_missing_role_is_403(gateway, shop, person):
    assert gateway.get("/admin/1",
                       person.sign_in().access_token).status_code == 403
    shop.operator.call("AccountService/GrantRole",
                       {"account_id": person.account_id, "role": "admin"})
    reached = gateway.passed("/admin/1", person.sign_in().access_token)
    assert reached["x-ostiary-roles"] == ["admin"]


def test_a_token_for_another_audience_is_none(gateway, person):
    ours = person.sign_in().access_token
    shops = person.sign_in(audience="shop").access_token
    assert gateway.get("/shop/1", ours).status_code == 401
    assert gateway.get("/orders/1", shops).status_code == 401
    gateway.passed("/shop/1", shops)


def test_the_client_cannot_write_policy(gateway, person):
    token = person.sign_in().access_token
    for path in ("/orders/1?anonymous=allow", "/admin/1?anonymous=allow", "/admin/1&anonymous=allow",
                 "/admin/?require_role=", "/orders/1?audience=shop",
                 "/public/../admin/1", "//admin/1", "/public/%2e%2e/admin/1"):
        assert gateway.get(path).status_code == 401, path
    for path in ("/admin/1?require_role=&x", "/admin/1&require_role=none"):
        assert gateway.get(path, token).status_code == 403, path
    headers = [("anonymous", "allow"), ("x-ostiary-policy", "anonymous=allow"),
               ("x-forwarded-uri", "/public/1"), ("x-original-url", "/public/"),
               ("x-original-uri", "/public/1"), ("x-envoy-original-path", "/public/1")]
    assert gateway.get("/orders/1", headers=headers).status_code == 401


def test_a_revoked_token_is_refused_within_a_second(gateway, shop, person):
    token = person.sign_in().access_token
    gateway.passed("/orders/1", token)
    shop.revoke(token=token)
    acknowledged = time.monotonic()
    assert gateway.get("/orders/1", token).status_code == 401
    assert time.monotonic() - acknowledged < 1


def test_a_request_with_a_body_is_checked_and_handed_on(gateway, person):
    token = person.sign_in().access_token
    headers = {"authorization": f"Bearer {token}"}
    body = "x" * 200_000
    answer = gateway.client.post("/orders/1", content=body, headers=headers)
    assert answer.status_code == 200
    assert dict(answer.json()["headers"])["content-length"] == "200000"
    assert gateway.client.post("/orders/1", content=body).status_code == 401


def test_an_error_of_the_service_reaches_its_client(gateway, person):
    answer = gateway.get("/breaks", person.sign_in().access_token)
    assert answer.status_code == 500
    assert answer.json()["path"] == "/breaks"


@pytest.mark.parametrize("kind", list(KINDS))
def test_nothing_passes_while_ostiary_is_away(kind, new_house, new_gateway):
    house = new_house()
    gateway = new_gateway(kind, house.server)
    token = house.sign_up().sign_in().access_token
    gateway.passed("/orders/1", token)
    house.server.kill()
    before = gateway.service.requests
    for path in ("/orders/1", "/public/1"):
        assert gateway.get(path, token).status_code == gateway.away
        assert gateway.get(path).status_code == gateway.away
    assert gateway.service.requests == before


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("right,wrong", [
    ("require_role", "require_rol"), ("anonymous", "anonymus"),
    ("allow", "permit")])
def test_a_misspelt_policy_closes_its_route(kind, right, wrong, shop, person,
                                            new_gateway):
    def misspell(text):
        # Only what is policy.
        for before in ("{", "?"):
            text = text.replace(f"{before}{right}", f"{before}{wrong}")
        return text.replace(f"anonymous: {right}", f"anonymous: {wrong}"
                            ).replace(f"anonymous={right}", f"anonymous={wrong}")

    gateway = new_gateway(kind, shop.server, edit=misspell)
    path = "/admin/1" if right == "require_role" else "/public/1"
    token = person.sign_in().access_token
    before = gateway.service.requests
    assert gateway.get(path).status_code == 503
    assert gateway.get(path, token).status_code == 503
    assert gateway.service.requests == before
    assert "policy is not understood" in shop.server.log()
    gateway.passed("/orders/1", token)


def test_caddy_without_a_query_lets_no_client_write_one(shop, person,
                                                        new_gateway):
    """Caddy asks `uri /forward-auth` with the query of the client."""
    gateway = new_gateway("caddy", shop.server, edit=lambda text: text.replace(
        "/forward-auth?audience=api", "/forward-auth"))
    assert gateway.get("/orders/1?anonymous=allow").status_code == 503
    assert gateway.get("/orders/1?anonymous=allow",
                       headers=[("x-forwarded-uri", "/")]).status_code == 503
    gateway.passed("/orders/1", person.sign_in().access_token)


# --- Envoy alone.


def test_a_misspelt_policy_is_no_failure_that_envoy_may_let_pass(
        shop, new_gateway):
    gateway = new_gateway("envoy", shop.server, edit=lambda text: text.replace(
        "require_role", "require_rol").replace(
            "failure_mode_allow: false", "failure_mode_allow: true"))
    assert gateway.get("/admin/1").status_code == 503
    assert gateway.get("/orders/1").status_code == 401


def test_envoys_raw_headers_are_read_too(shop, person, new_gateway):
    gateway = new_gateway("envoy", shop.server, edit=lambda text: text.replace(
        "failure_mode_allow: false",
        "failure_mode_allow: false\n              encode_raw_headers: true"))
    token = person.sign_in().access_token
    spelt = [("x_ostiary_roles", "forged"), ("x-ostiary-email", "forged")]
    reached = gateway.passed("/orders/1", token, FORGED + spelt)
    assert reached["x-ostiary-subject"] == [person.account_id]
    assert "forged" not in str(reached)
    assert gateway.get("/public/1", "bad").status_code == 401
    assert gateway.get("/orders/1", headers=[
        ("authorization", f"Bearer {token}"),
        ("authorization", f"Bearer {token}")]).status_code in (400, 401)


def test_headers_of_ours_to_come_are_removed_too(shop, new_gateway):
    gateway = new_gateway("envoy", shop.server)
    reached = gateway.passed("/public/1", headers=[
        ("x-ostiary-email", "forged"), ("x-ostiary_email", "forged")])
    assert "forged" not in str(reached)


def test_envoy_proves_itself_with_a_certificate(
        programs, contract, new_server, new_gateway, tmp_path):
    authority = Authority(tmp_path / "tls")
    cert, key = authority.issue("server")
    own_cert, own_key = authority.issue("gateway")
    server = new_server(f"--tls-cert={cert}", f"--tls-key={key}",
                        f"--tls-client-ca={authority.cert}",
                        "--service-access=authenticated",
                        scheme="https").start()
    door = GrpcDoor(contract, server.grpc, grpc.ssl_channel_credentials(
        authority.cert.read_bytes(), own_key.read_bytes(),
        own_cert.read_bytes()))
    name, password = new_name(), new_password()
    door.call("AuthService/SignUp", {"username": name, "password": password})
    token = door.call("AuthService/SignInWithPassword", {
        "identifier": name, "password": password}).tokens.access_token
    door.close()

    def over_tls(text):
        socket = (FILES / "envoy-ostiary-tls.yaml").read_text()
        for example, ours in [("gateway.pem", own_cert),
                              ("gateway.key", own_key),
                              ("ca.pem", authority.cert)]:
            socket = socket.replace(f"/etc/envoy/{example}", str(ours))
        before = "  - name: ostiary\n    connect_timeout: 1s\n"
        assert before in text
        return text.replace(before, before + socket)

    def without_certificate(text):
        text = over_tls(text)
        begin = text.index("          tls_certificates:")
        return text[:begin] + text[text.index("          validation_context:"):]

    gateway = new_gateway("envoy", server, edit=over_tls)
    gateway.passed("/orders/1", token)
    stranger = new_gateway("envoy", server, edit=without_certificate,
                           refuses_with=503)
    assert stranger.get("/orders/1", token).status_code == 503
    assert stranger.get("/public/1").status_code == 503


# --- /forward-auth itself.


def forwarded(shop, head, body=b""):
    """The status line's code and the rest of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", shop.server.http_port),
                                  timeout=10) as wire:
        wire.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = wire.recv(65536)
            if not more:
                break
            answer += more
    return int(answer.split(b" ")[1]), answer.decode().lower()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "OPTIONS",
                                    "PROPFIND", "get"])
def test_every_method_host_and_origin_is_answered(shop, person, method):
    token = person.sign_in().access_token
    for more in ("", "Host: service.example.com\r\n",
                 "Origin: https://evil.example\r\n",
                 "Content-Type: text/plain\r\nX-Forwarded-Uri: /a\r\n"):
        if "Host" not in more:
            more += "Host: localhost\r\n"
        code, answer = forwarded(shop, f"{method} /forward-auth HTTP/1.1\r\n"
                                 f"{more}Authorization: Bearer {token}\r\n\r\n")
        assert code == 200, (more, answer)
        assert f"x-ostiary-subject: {person.account_id.lower()}\r\n" in answer
        assert "x-ostiary-roles: \r\n" in answer
        assert "cache-control: no-store\r\n" in answer
        assert "access-control" not in answer
        code, answer = forwarded(
            shop, f"{method} /forward-auth HTTP/1.1\r\n{more}\r\n")
        assert code == 401
        assert "x-ostiary" not in answer


@pytest.mark.parametrize("head,codes", [
    ("GET /forward-auth HTTP/1.1\r\n\r\n", {503}),  # no Host
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n"
     "Authorization: Bearer b\r\n\r\n", {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n",
     {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip"
     "\r\n\r\n", {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000"
     "\r\n\r\n", {503}),
    ("GET /forward-auth HTTP/2.7\r\nHost: a\r\n\r\n", {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\n"
     + "X-A: b\r\n" * 65 + "\r\n", {503}),
    ("GET /forward-auth HTTP/1.1\r\nHost: a\r\nCookie: "
     + "x" * 17000 + "\r\n\r\n", {503}),
    ("GET /forward-auth?audience=" + "x" * 9000 + " HTTP/1.1\r\n\r\n", {503}),
    ("GET /forward-auth?anonymous=allow HTTP/1.0\r\n\r\n", {200}),
])
def test_no_other_status_is_ever_answered(shop, head, codes):
    code, answer = forwarded(shop, head)
    assert code in codes, answer
    assert "cache-control: no-store\r\n" in answer


@pytest.mark.parametrize("query", [
    "anonymous=yes", "anonymous=", "anonymous", "Anonymous=allow",
    "require_role=", "require_role=a%20%2C", "require_scopes=", "audience=",
    "require_scopes=%22", "require_role=admin&require_role=other",
    "anonymous=allow&anonymous=deny", "anonymous=allow&", "&anonymous=allow",
    "require_role=%zz", "require_role=%2", "audience=a%0d%0ab", "audience=a%00",
    # The client's path behind the gateway's own URL.
    "audience=api/orders&anonymous=allow", "audience=api?x&anonymous=allow",
    "audience=" + "x" * 300])
def test_a_policy_that_is_not_understood_is_503(shop, person, query):
    token = person.sign_in().access_token
    for headers in ({}, {"authorization": f"Bearer {token}"}):
        answer = shop.http.client.get(f"/forward-auth?{query}", headers=headers)
        assert answer.status_code == 503
        assert not [name for name in answer.headers if "x-ostiary" in name]


@pytest.mark.parametrize("query,code", [
    ("", 200), ("audience=api", 200), ("anonymous=deny", 200),
    ("require_scopes=read", 200), ("require_scopes=read+write", 403),
    ("require_scopes=read%20write", 403), ("require_role=admin", 403),
    ("anonymous=allow&require_role=admin", 403), ("audience=shop", 401),
    ("audience=https%3A%2F%2Fexample.com", 401)])
def test_the_policy_is_in_the_query(shop, person, query, code):
    token = person.sign_in(scope="read").access_token
    answer = shop.http.client.get(
        f"/forward-auth?{query}", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == code
    if code == 403 and "scopes" in query:
        assert answer.headers["www-authenticate"] == (
            'Bearer realm="ostiary", error="insufficient_scope", '
            'scope="read write"')


def test_forward_auth_is_503_while_draining_or_gone(new_house):
    house = new_house()
    url = house.server.url + "/forward-auth?anonymous=allow"
    assert httpx.get(url, trust_env=False).status_code == 200
    house.server.process.send_signal(signal.SIGTERM)
    seen = set()
    while house.server.process.poll() is None:
        try:
            seen.add(httpx.get(url, trust_env=False).status_code)
        except httpx.TransportError:
            time.sleep(0.01)
    assert seen <= {200, 503}
