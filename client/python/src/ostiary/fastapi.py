"""FastAPI on Ostiary: dependencies for routes, and the Authorize button.

    app = FastAPI()
    Ostiary("127.0.0.1:50051", issuer="http://127.0.0.1:8080").install(app)

    @app.get("/me")
    async def me(user: Annotated[Claims, Depends(current_user)]): ...

    @app.get("/admin", dependencies=[Depends(require_role("admin"))])
    async def admin(): ...

Who may not is answered 401 or 403, without saying more about the token than
RFC 6750 does; if nobody knows now, 503. Needs the extra ``ostiary[fastapi]``.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any, Callable, Optional

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm, SecurityScopes

from . import aio
from ._claims import Claims
from ._session import Tokens
from ._settings import Credentials
from .errors import CallError, CheckUnavailable, TokenError

__all__ = [
    "Ostiary",
    "bearer_token",
    "current_user",
    "http_error",
    "require_role",
    "require_scope",
    "token_answer",
]

#: What /docs sends the user name and password of its Authorize button to.
TOKEN_PATH = "/token"
bearer_token = OAuth2PasswordBearer(tokenUrl=TOKEN_PATH.lstrip("/"), auto_error=False)
_BearerToken = Annotated[Optional[str], Depends(bearer_token)]


class Ostiary:
    """One application's tie to Ostiary: its verifier and its way to sign in."""

    def __init__(
        self,
        target: str,
        *,
        issuer: str,
        credentials: Optional[Credentials] = None,
        **settings: Any,
    ) -> None:
        """`settings`: as for ostiary.aio.Verifier."""
        self.verifier = aio.Verifier(target, issuer=issuer, credentials=credentials, **settings)
        self.auth: Optional[aio.AuthClient] = aio.AuthClient(target, credentials=credentials)

    @classmethod
    def using(cls, verifier: aio.Verifier, auth: Optional[aio.AuthClient] = None) -> Ostiary:
        """With parts that are there already; for tests, those of a TestIssuer.
        Without `auth` nobody can sign in through the application."""
        tie = cls.__new__(cls)
        tie.verifier, tie.auth = verifier, auth
        return tie

    def install(self, app: FastAPI) -> Ostiary:
        """Makes the dependencies below work in `app`: follows the feed while it
        runs, adds the sign-in behind the Authorize button, and answers a
        CallError that a route lets through."""
        app.state.ostiary = self
        app.include_router(_router)
        app.add_exception_handler(CallError, _answer_call_error)
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
            try:
                async with self.verifier, inner(running) as state:
                    yield state
            finally:
                if self.auth is not None:
                    await self.auth.close()

        app.router.lifespan_context = lifespan
        return self

    async def check(
        self,
        token: Optional[str],
        *,
        scopes: Collection[str] = (),
        roles: Collection[str] = (),
        min_revision: str = "",
    ) -> Claims:
        """The claims, or the HTTPException to answer with."""
        if token is None:
            raise HTTPException(401, "Not signed in", {"WWW-Authenticate": "Bearer"})
        try:
            return await self.verifier.verify(
                token, scopes=scopes, roles=roles, min_revision=min_revision
            )
        except CheckUnavailable:
            raise HTTPException(503, "Try again in a moment", {"Retry-After": "1"}) from None
        except TokenError as error:
            raise _refused(error, scopes) from None


def _refused(error: TokenError, scopes: Collection[str]) -> HTTPException:
    if error.reason not in ("SCOPE_MISSING", "ROLE_MISSING"):
        challenge = 'Bearer error="invalid_token"'
        return HTTPException(401, "Sign in again", {"WWW-Authenticate": challenge})
    challenge = 'Bearer error="insufficient_scope"'
    if error.reason == "SCOPE_MISSING":
        challenge += f', scope="{" ".join(scopes)}"'
    return HTTPException(403, "Not allowed", {"WWW-Authenticate": challenge})


def _installed(request: Request) -> Ostiary:
    tie = getattr(request.app.state, "ostiary", None)
    if not isinstance(tie, Ostiary):
        raise RuntimeError("call Ostiary(...).install(app) first")
    return tie


async def current_user(request: Request, needs: SecurityScopes, token: _BearerToken) -> Claims:
    """Dependency: whoever is signed in. With FastAPI's ``Security(current_user,
    scopes=[...])`` the token must carry those scopes."""
    return await _installed(request).check(token, scopes=needs.scopes)


def require_role(*roles: str) -> Callable[..., Any]:
    """Makes a dependency: the user, who must have all of `roles`; else 403."""
    if not roles:
        raise ValueError("name a role")

    async def user_with_roles(request: Request, token: _BearerToken) -> Claims:
        return await _installed(request).check(token, roles=roles)

    return user_with_roles


def require_scope(*scopes: str) -> Callable[..., Any]:
    """Makes a dependency: the user, whose token must carry all of `scopes`; else 403."""
    if not scopes:
        raise ValueError("name a scope")

    async def user_with_scopes(request: Request, token: _BearerToken) -> Claims:
        return await _installed(request).check(token, scopes=scopes)

    return user_with_scopes


def token_answer(tokens: Tokens) -> dict[str, Any]:
    """What an OAuth token endpoint answers (RFC 6749 section 5.1)."""
    return {
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": int(tokens.expires_in),
        "refresh_token": tokens.refresh_token,
        "scope": tokens.scope,
    }


_router = APIRouter()


@_router.post(TOKEN_PATH, summary="Sign in", tags=["session"])
async def sign_in(
    request: Request, response: Response, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> dict[str, Any]:
    """Takes the form of the Authorize button; answers with an access token and
    a refresh token."""
    auth = _installed(request).auth
    if auth is None:
        raise HTTPException(404)
    response.headers["Cache-Control"] = "no-store"
    tokens = await auth.sign_in(
        form.username,
        form.password,
        scope=" ".join(form.scopes),
        client_id=form.client_id or "",
        forwarded_for=request.client.host if request.client is not None else "",
    )
    return token_answer(tokens)


# By reason, else by gRPC code: status and what is said in public.
_ANSWERS = {
    "CREDENTIALS_REJECTED": (401, "Wrong username or password"),
    "REFRESH_REJECTED": (401, "Sign in again"),
    "ACCESS_TOKEN_REJECTED": (401, "Sign in again"),
    "UNAUTHENTICATED": (502, "The identity service refuses this application"),
    "IDENTIFIER_TAKEN": (409, "The username or the email is taken"),
    "PASSWORD_REJECTED": (422, "The password is not acceptable"),
    "ARGUMENT_INVALID": (422, "A field is missing or wrong"),
    "SIGN_UP_CLOSED": (403, "Sign-up is closed"),
    "SCOPE_NOT_ALLOWED": (400, "A scope was asked for that cannot be granted"),
    "AUDIENCE_NOT_ALLOWED": (400, "The audience is not served here"),
    "CLIENT_UNKNOWN": (400, "There is no such client"),
    "NOT_FOUND": (404, "Not found"),
    "PERMISSION_DENIED": (403, "Not allowed"),
    "RATE_LIMITED": (429, "Too many attempts; wait before the next"),
    "REFRESH_IN_PROGRESS": (409, "This session is being refreshed already"),
}
_NOW_UNAVAILABLE = (503, "Try again in a moment")


def http_error(error: CallError) -> HTTPException:
    """What to answer when Ostiary refuses a call made for a user."""
    status, detail = _ANSWERS.get(error.reason, _NOW_UNAVAILABLE)
    if error.fields:
        detail += ": " + "; ".join(sorted(error.fields.values()))
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None or status == 503:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1)))
    return HTTPException(status, detail, headers or None)


async def _answer_call_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CallError)
    return await http_exception_handler(request, http_error(error))
