"""The dependencies, with a test issuer and no server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.testclient import TestClient

from ostiary import CallError, Claims, aio
from ostiary.fastapi import Ostiary, current_user, http_error, require_role, require_scope
from ostiary.testing import TestIssuer

app = FastAPI()


@app.get("/me")
async def me(user: Annotated[Claims, Depends(current_user)]) -> str:
    return user.subject


@app.get("/admin", dependencies=[Depends(require_role("admin"))])
def admin() -> str:
    return "admin"


@app.get("/write")
def write(user: Annotated[Claims, Depends(require_scope("notes:write", "notes:read"))]) -> str:
    return user.subject


@app.get("/read")
def read(user: Annotated[Claims, Security(current_user, scopes=["notes:read"])]) -> str:
    return user.subject


@app.get("/limited")
def limited() -> None:
    raise CallError("RATE_LIMITED", code="RESOURCE_EXHAUSTED", retry_after=6.2)


issuer = TestIssuer()
Ostiary.using(issuer.aio_verifier()).install(app)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as opened:
        yield opened


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": "Bearer " + issuer.token("acct_ada", **claims)}


def test_whoever_is_signed_in_is_known(client: TestClient) -> None:
    answer = client.get("/me", headers=bearer())
    assert (answer.status_code, answer.json()) == (200, "acct_ada")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}])
def test_no_token_is_401_with_a_bare_challenge(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.get("/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "claims", [{"lifetime": -60}, {"audience": "other"}, {"header": {"typ": "JWT"}}]
)
def test_a_bad_token_is_401_and_does_not_say_why(
    client: TestClient, claims: dict[str, Any]
) -> None:
    answer = client.get("/me", headers=bearer(**claims))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json() == {"detail": "Sign in again"}


def test_a_revoked_token_is_401(client: TestClient) -> None:
    headers = bearer(session_id="sess_gone")
    assert client.get("/me", headers=headers).status_code == 200
    issuer.revoke(session_id="sess_gone")
    assert client.get("/me", headers=headers).status_code == 401


def test_a_missing_role_is_403(client: TestClient) -> None:
    answer = client.get("/admin", headers=bearer(roles=["user"]))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert client.get("/admin", headers=bearer(roles=["user", "admin"])).status_code == 200


def test_all_scopes_are_needed(client: TestClient) -> None:
    answer = client.get("/write", headers=bearer(scopes=["notes:write"]))
    assert answer.status_code == 403
    assert 'scope="notes:write notes:read"' in answer.headers["www-authenticate"]
    both = bearer(scopes=["notes:read", "notes:write"])
    assert client.get("/write", headers=both).status_code == 200
    assert client.get("/read", headers=both).status_code == 200
    assert client.get("/read", headers=bearer()).status_code == 403


def test_nobody_knows_is_503_and_never_401() -> None:
    cut_off = FastAPI()
    cut_off.get("/me")(me)
    verifier = aio.Verifier("127.0.0.1:1", issuer=issuer.issuer, ask_timeout=0.2)
    Ostiary.using(verifier).install(cut_off)
    with TestClient(cut_off) as client:
        answer = client.get("/me", headers=bearer())
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"


def test_the_authorize_button_knows_where_to_sign_in(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    scheme = api["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    assert scheme["flows"]["password"]["tokenUrl"] == "token"
    assert "/token" in api["paths"]
    assert api["paths"]["/admin"]["get"]["security"] == [{"OAuth2PasswordBearer": []}]


def test_a_refused_call_is_answered_sensibly(client: TestClient) -> None:
    answer = client.get("/limited")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CallError("IDENTIFIER_TAKEN", code="ALREADY_EXISTS"), 409),
        (CallError("CREDENTIALS_REJECTED", code="UNAUTHENTICATED"), 401),
        (CallError("OVERLOADED", code="RESOURCE_EXHAUSTED", retry_after=2), 503),
        (CallError("UNAVAILABLE", code="UNAVAILABLE"), 503),
    ],
)
def test_reasons_have_their_status(error: CallError, status: int) -> None:
    assert http_error(error).status_code == status


def test_a_password_that_is_not_acceptable_says_why() -> None:
    refused = CallError("PASSWORD_REJECTED", fields={"password": "is too short"})
    assert http_error(refused).detail == "The password is not acceptable: is too short"


def test_an_app_without_ostiary_says_so() -> None:
    bare = FastAPI()
    bare.get("/me")(me)
    with pytest.raises(RuntimeError, match="install"):
        TestClient(bare).get("/me")
