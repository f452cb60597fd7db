"""Refused calls, read: gRPC's status and the details in its trailer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Union

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from .errors import CallError
from .status_pb2 import BadRequest, ErrorInfo, RetryInfo, Status

_DETAILS_KEY = "grpc-status-details-bin"


def call_error(error: grpc.RpcError) -> CallError:
    """What Ostiary said, or why it could not be asked."""
    if isinstance(error, grpc.aio.AioRpcError):
        trailer: Any = error.trailing_metadata()
        return _read(error.code(), error.details(), trailer)
    if isinstance(error, grpc.Call):
        return _read(error.code(), error.details(), error.trailing_metadata())
    return CallError("UNKNOWN", code="UNKNOWN")


def _read(
    code: grpc.StatusCode,
    message: Optional[str],
    trailer: Optional[Iterable[tuple[str, Union[str, bytes]]]],
) -> CallError:
    reason = ""
    retry_after: Optional[float] = None
    fields: dict[str, str] = {}
    for detail in _details(trailer or ()):
        if detail.type_url.endswith("/google.rpc.ErrorInfo"):
            reason = ErrorInfo.FromString(detail.value).reason
        elif detail.type_url.endswith("/google.rpc.RetryInfo"):
            delay = RetryInfo.FromString(detail.value).retry_delay
            retry_after = delay.seconds + delay.nanos / 1e9
        elif detail.type_url.endswith("/google.rpc.BadRequest"):
            for violation in BadRequest.FromString(detail.value).field_violations:
                fields[violation.field] = violation.description
    return CallError(
        reason or code.name,
        message or "",
        code=code.name,
        retry_after=retry_after,
        fields=fields,
    )


def _details(trailer: Iterable[tuple[str, Union[str, bytes]]]) -> Iterable[Any]:
    for key, value in trailer:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value).details
            except DecodeError:
                return ()
    return ()
