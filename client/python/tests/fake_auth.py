"""An AuthService that hands out numbered tokens and fails on demand."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from ostiary.status_pb2 import BadRequest, ErrorInfo, RetryInfo, Status
from ostiary.v1 import auth_service_pb2 as auth
from ostiary.v1 import auth_service_pb2_grpc
from ostiary.v1.token_set_pb2 import TokenSet


def refuse(
    context: Any, code: grpc.StatusCode, reason: str, retry: float = 0, **fields: str
) -> None:
    """Refuses as Ostiary does, with the details in the trailer."""
    info = ErrorInfo(reason=reason, domain="ostiary")
    details = [
        AnyMessage(
            type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString()
        )
    ]
    if retry:
        wait = RetryInfo()
        wait.retry_delay.FromMilliseconds(int(retry * 1000))
        details.append(
            AnyMessage(
                type_url="type.googleapis.com/google.rpc.RetryInfo",
                value=wait.SerializeToString(),
            )
        )
    if fields:
        bad = BadRequest(
            field_violations=[
                BadRequest.FieldViolation(field=name, description=why)
                for name, why in fields.items()
            ]
        )
        details.append(
            AnyMessage(
                type_url="type.googleapis.com/google.rpc.BadRequest",
                value=bad.SerializeToString(),
            )
        )
    status = Status(details=details).SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(code, "refused by the test")


class FakeAuth(auth_service_pb2_grpc.AuthServiceServicer):
    def __init__(self) -> None:
        self.lifetime = 100.0
        self.refreshes: list[auth.RefreshRequest] = []
        self.signed_out: list[str] = []
        #: Failures of the next refreshes: (code, reason).
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.delay = 0.0
        self._lock = threading.Lock()
        self._made = 0
        self._server = grpc.server(ThreadPoolExecutor(16))
        auth_service_pb2_grpc.add_AuthServiceServicer_to_server(self, self._server)
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(0).wait()

    def _next(self) -> TokenSet:
        with self._lock:
            self._made += 1
            made = self._made
        tokens = TokenSet(
            access_token=f"access-{made}",
            token_type="Bearer",
            refresh_token=f"ort_{made}",
            session_id="sess_1",
        )
        tokens.expires_in.FromMilliseconds(int(self.lifetime * 1000))
        return tokens

    def SignUp(self, request: auth.SignUpRequest, context: Any) -> Any:  # noqa: N802
        refuse(
            context,
            grpc.StatusCode.INVALID_ARGUMENT,
            "PASSWORD_REJECTED",
            password="is too common",
        )

    def SignInWithPassword(  # noqa: N802
        self, request: auth.SignInWithPasswordRequest, context: Any
    ) -> Any:
        if request.password == "wrong":
            refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry=2.5)
        return auth.SignInWithPasswordResponse(tokens=self._next())

    def Refresh(self, request: auth.RefreshRequest, context: Any) -> Any:  # noqa: N802
        with self._lock:
            self.refreshes.append(request)
            failure = self.failures.pop(0) if self.failures else None
        if self.delay:
            time.sleep(self.delay)
        if failure is not None:
            refuse(context, *failure)
        return auth.RefreshResponse(tokens=self._next())

    def SignOut(self, request: auth.SignOutRequest, context: Any) -> Any:  # noqa: N802
        self.signed_out.append(request.refresh_token)
        return auth.SignOutResponse(revision="rev_1")
