"""Every route of both HTTP listeners against strange requests."""

import json
import re
import socket

import pytest

PUBLIC = ["/.well-known/jwks.json", "/.well-known/openid-configuration",
          "/.well-known/oauth-authorization-server"]
OPS = ["/healthz", "/readyz", "/metrics"]
RPC = "/ostiary.v1.KeyService/GetJwks"


def raw(address, request, *, half_close=True, timeout=8):
    """Sends these bytes and gives all that comes back."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as wire:
        wire.sendall(request)
        if half_close:
            wire.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := wire.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer


def status_of(answer):
    assert answer.startswith(b"HTTP/1."), answer[:80]
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
def public(house):
    yield house.server.addresses["HTTP"]
    assert house.server.is_ready()


@pytest.fixture
def ops(house):
    return house.server.addresses["health, metrics"]


def error_of(response):
    body = response.json()
    assert body["code"] and body["message"], body
    return body["code"]


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_a_document_takes_only_get_and_head(house, public, path, method):
    response = house.http.client.request(method, path)
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    error_of(response)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_an_rpc_takes_only_post(house, public, method):
    response = house.http.client.request(method, RPC)
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("path", OPS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_ops_listener_is_read_only(house, ops, path, method):
    import httpx
    response = httpx.request(method, f"http://{ops}{path}", trust_env=False)
    assert response.status_code == 405


@pytest.mark.parametrize("path", [
    "/", "/nothing", "/.well-known/", "/../etc/passwd", "/%2e%2e/etc/passwd",
    "/.well-known/jwks.json/", "//.well-known/jwks.json", "/oauth2/nothing"])
def test_an_unknown_path_is_404(house, public, path):
    answer = raw(public, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                         "Connection: close\r\n\r\n".encode())
    assert status_of(answer) == 404


@pytest.mark.parametrize("content_type", [
    None, "", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data", "application/jsonx", "application/json-seq",
    "text/json", "application/grpc", "application/connect+json"])
def test_any_other_content_type_is_415(house, public, content_type):
    response = house.http.post("KeyService/GetJwks", b"{}",
                               content_type=content_type)
    assert response.status_code == 415
    error_of(response)


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
    "application/json;charset=UTF-8"])
def test_json_with_parameters_passes(house, content_type):
    response = house.http.post("KeyService/GetJwks", b"{}",
                               content_type=content_type)
    assert response.status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x"])
def test_a_compressed_body_is_refused(house, public, coding):
    response = house.http.post("KeyService/GetJwks", b"{}",
                               headers={"content-encoding": coding})
    assert response.status_code == 415


@pytest.mark.parametrize("header,value,status", [
    ("Connect-Protocol-Version", "2", 400),
    ("Connect-Timeout-Ms", "x", 400),
    ("Connect-Timeout-Ms", "-1", 400),
    ("Connect-Timeout-Ms", "99999999999", 400),
    ("Connect-Protocol-Version", "1", 200),
    ("Connect-Timeout-Ms", "5000", 200),
    ("Expect", "something", 417),
])
def test_a_wrong_protocol_header_is_refused(house, public, header, value,
                                            status):
    response = house.http.post("KeyService/GetJwks", b"{}",
                               headers={header: value})
    assert response.status_code == status, response.text


def test_a_deadline_that_has_passed_is_504_with_its_reason(house):
    from doors import refused_by_connect
    response = house.http.post("KeyService/GetJwks", b"{}",
                               headers={"Connect-Timeout-Ms": "0"})
    refused = refused_by_connect(response)
    assert (refused.code, refused.reason) == ("DEADLINE_EXCEEDED",
                                              "DEADLINE_EXCEEDED")


@pytest.mark.parametrize("host,status", [
    ("localhost", 200), ("LOCALHOST:9", 200), ("127.0.0.1", 200),
    ("[::1]:8080", 200), ("127.1.2.3", 200),
    ("evil.example", 421), ("localhost.evil.example", 421),
    ("127.0.0.1.evil.example", 421), ("[::2]", 421), ("10.0.0.1", 421)])
def test_on_loopback_a_foreign_host_is_421(public, ops, host, status):
    request = f"GET %s HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert status_of(raw(public, (request % PUBLIC[0]).encode())) == status
    assert status_of(raw(ops, (request % "/healthz").encode())) == status


@pytest.mark.parametrize("origin,status", [
    (None, 200), ("http://evil.example", 403), ("null", 403), ("", 200),
    ("issuer", 200)])
def test_a_foreign_origin_may_not_call(house, public, origin, status):
    if origin == "issuer":
        origin = house.server.issuer
    headers = {} if origin is None else {"origin": origin}
    response = house.http.post("KeyService/GetJwks", b"{}", headers=headers)
    assert response.status_code == status
    allowed = response.headers.get("access-control-allow-origin")
    assert allowed == (origin if origin and status == 200 else None)


HEAD = b"POST " + RPC.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"

STRANGE = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", 400),
    "two lengths": (HEAD + JSON + b"Content-Length: 2\r\nContent-Length: 3"
                    b"\r\n\r\n{}", 400),
    "two types": (HEAD + JSON + JSON + b"Content-Length: 2\r\n\r\n{}", 400),
    "two tokens": (HEAD + JSON + b"Authorization: Bearer a\r\nAuthorization: "
                   b"Bearer b\r\nContent-Length: 2\r\n\r\n{}", 400),
    "length and chunks": (HEAD + JSON + b"Content-Length: 2\r\nTransfer-"
                          b"Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
    "negative length": (HEAD + JSON + b"Content-Length: -1\r\n\r\n{}", 400),
    "length of words": (HEAD + JSON + b"Content-Length: two\r\n\r\n{}", 400),
    "boundless length": (HEAD + JSON + b"Content-Length: 99999999999999999999"
                         b"\r\n\r\n{}", (400, 413)),
    "large length": (HEAD + JSON + b"Content-Length: 1000000\r\n\r\n{}", 413),
    "wrong chunk": (HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"
                    b"\r\n0\r\n\r\n", 400),
    "gzip transfer": (HEAD + JSON + b"Transfer-Encoding: gzip\r\n\r\n{}", 501),
    "http 0.9": (b"GET /\r\n\r\n", (400, 505)),
    "http 2.0": (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", (400, 505)),
    "no request": (b"hello\r\n\r\n", 400),
    "tls at a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "nul in a header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b"
                        b"\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost"
                    b"\r\n\r\n", 414),
    "long header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 +
                    b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200
                     + b"\r\n", 431),
    "absolute target": (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost"
                        b"\r\n\r\n", (400, 404)),
    "connect": (b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                (400, 405)),
}


@pytest.mark.parametrize("name", list(STRANGE))
def test_a_strange_request_gets_one_clear_answer(public, name):
    request, statuses = STRANGE[name]
    answer = raw(public, request)
    wanted = statuses if isinstance(statuses, tuple) else (statuses,)
    assert len(re.findall(rb"^HTTP/1.1 \d", answer, re.M)) == 1, answer
    assert status_of(answer) in wanted, answer[:200]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["message"]


@pytest.mark.parametrize("name", list(STRANGE))
def test_the_ops_listener_stands_the_same_requests(house, ops, name):
    raw(ops, STRANGE[name][0])
    assert house.server.is_ready()


def test_a_body_that_never_comes_is_given_up(public):
    """Half a body and then the end: an answer or a closed line, at once."""
    answer = raw(public, HEAD + JSON + b"Content-Length: 50\r\n\r\n{", timeout=8)
    assert answer == b"" or status_of(answer) == 400


def test_a_pipelined_second_request_is_answered_in_turn(public):
    one = HEAD + JSON + b"Content-Length: 2\r\n\r\n{}"
    last = HEAD + JSON + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    answer = raw(public, one + one + last)
    assert len(re.findall(rb"HTTP/1.1 200", answer)) == 3


def test_answers_cannot_be_sniffed_or_kept(house):
    response = house.http.post("KeyService/GetJwks", b"{}")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers
    assert "server" not in response.headers
