"""The public documents: caching, CORS, and nothing advertised that fails."""

import re

import pytest

PATHS = ["/.well-known/jwks.json", "/.well-known/openid-configuration",
         "/.well-known/oauth-authorization-server"]


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_document_is_304_without_a_body(house, path):
    first = house.http.client.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    etag = first.headers["etag"]
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = house.http.client.get(path, headers={"if-none-match": tag})
        assert again.status_code == 304, tag
        assert again.content == b""
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    other = house.http.client.get(path, headers={"if-none-match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_head_tells_the_headers_of_get(house, path):
    got, head = house.http.client.get(path), house.http.client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "cache-control", "content-type", "content-length"):
        assert head.headers.get(name) == got.headers.get(name), name


def test_cache_control_follows_the_schedule(house, new_house):
    def max_age(of):
        return of.http.client.get(PATHS[0]).headers["cache-control"]
    assert max_age(house) == "public, max-age=300"
    assert max_age(new_house("--jwks-max-age=2m")) == "public, max-age=120"


def test_published_keys_are_public_parts_only(house):
    keys = house.http.client.get(PATHS[0]).json()["keys"]
    assert keys
    for key in keys:
        assert set(key) == {"kty", "use", "alg", "kid", "crv", "x", "y"}
        assert key["use"] == "sig"
    assert len({key["kid"] for key in keys}) == len(keys)


def test_the_rpc_and_the_document_publish_the_same_keys(house):
    document = house.http.client.get(PATHS[0]).json()["keys"]
    rpc = house.grpc.call("KeyService/GetJwks").keys
    assert {k["kid"]: k["x"] for k in document} == {k.kid: k.x for k in rpc}


@pytest.mark.parametrize("path", PATHS[1:])
def test_discovery_advertises_only_what_works(house, path):
    metadata = house.http.client.get(path).json()
    assert metadata["issuer"] == house.server.issuer
    for name, value in metadata.items():
        if isinstance(value, str) and name != "issuer":
            assert value.startswith(house.server.issuer + "/"), name
            answer = house.http.client.get(value)
            # An endpoint that takes only POST says so; what is not there is 404.
            assert answer.status_code in (200, 405), (name, value)
    algorithms = metadata["id_token_signing_alg_values_supported"]
    keys = house.http.client.get(metadata["jwks_uri"]).json()["keys"]
    assert set(algorithms) == {key["alg"] for key in keys}


def test_an_issuer_with_a_path_has_its_documents_where_rfc_8414_says(new_server):
    import httpx
    server = new_server()
    server.issuer = server.url + "/tenants/one"
    server.start()
    for path in ("/tenants/one/.well-known/openid-configuration",
                 "/.well-known/oauth-authorization-server/tenants/one"):
        answer = httpx.get(server.url + path, trust_env=False)
        assert answer.status_code == 200, path
        assert answer.json()["issuer"] == server.issuer
        keys = httpx.get(answer.json()["jwks_uri"], trust_env=False)
        assert keys.status_code == 200 and keys.json()["keys"]


@pytest.mark.parametrize("path", PATHS)
def test_documents_are_readable_by_any_page(house, path):
    answer = house.http.client.get(path, headers={"origin": "http://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    preflight = house.http.client.options(path, headers={
        "origin": "http://any.example", "access-control-request-method": "GET"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"


def test_a_listed_origin_may_call_and_its_preflight_says_so(new_house):
    app = "https://app.example.com"
    house = new_house(f"--cors-origins={app}")
    path = "/ostiary.v1.KeyService/GetJwks"
    preflight = house.http.client.options(path, headers={
        "origin": app, "access-control-request-method": "POST",
        "access-control-request-headers": "content-type"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == app
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    answer = house.http.post("KeyService/GetJwks", b"{}",
                             headers={"origin": app})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == app
    assert "access-control-allow-credentials" not in answer.headers
    foreign = house.http.client.options(path, headers={
        "origin": "https://evil.example", "access-control-request-method":
        "POST"})
    assert "access-control-allow-origin" not in foreign.headers


def test_a_listed_host_is_answered_on_loopback(new_house):
    house = new_house("--http-hosts=auth.internal")
    for host, status in (("auth.internal", 200), ("auth.internal:99", 200),
                         ("other.internal", 421)):
        answer = house.http.client.get(PATHS[0], headers={"host": host})
        assert answer.status_code == status, host


def test_metrics_are_prometheus_text_about_methods_lanes_store_and_keys(house):
    house.sign_up().sign_in()
    text = house.server.metrics()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert samples
    for line in samples:
        assert re.fullmatch(r"[a-z_]+(\{.*\})? [-+0-9.eE]+|[a-z_]+(\{.*\})? "
                            r"(NaN|[+-]Inf)", line), line
    assert 'ostiary_calls_total{' in text
    assert 'method="ostiary.v1.AuthService/SignUp"' in text
    for word in ("lane", "store", "key"):
        assert re.search(rf"^ostiary_\w*{word}", text, re.M), word
