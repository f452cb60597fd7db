"""The two doors of a server, behind one face.

GrpcDoor and ConnectDoor take the same method names and dictionaries and give
the same messages and the same Refused, so that one test speaks about both.
Messages are made from the protoset that the build leaves beside the programs:
a new RPC is known here without a line of code.
"""

import base64
import json
from dataclasses import dataclass, field

import grpc
import httpx
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf import message_factory
from google.rpc import error_details_pb2, status_pb2


class Contract:
    """Every service and message of the protoset."""

    def __init__(self, path):
        self.path = path
        files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        self.methods = {}  # "AuthService/SignUp" -> MethodDescriptor
        self.all_methods = {}  # "ostiary.v1.AuthService/SignUp" -> the same
        for file in files.file:
            self.pool.Add(file)
        for file in files.file:
            for service in file.service:
                name = f"{file.package}.{service.name}"
                for method in self.pool.FindServiceByName(name).methods:
                    self.all_methods[f"{name}/{method.name}"] = method
                    if file.package == "ostiary.v1":
                        self.methods[f"{service.name}/{method.name}"] = method

    def is_stream(self, method):
        return method in self.methods and self.methods[method].server_streaming

    def message(self, described, fields):
        return json_format.ParseDict(
            fields or {}, message_factory.GetMessageClass(described)())

    def request(self, method, fields):
        return self.message(self.methods[method].input_type, fields)

    def response_class(self, method):
        return message_factory.GetMessageClass(
            self.methods[method].output_type)


@dataclass
class Refused(Exception):
    """A call that was refused, told alike for both doors."""

    code: str  # "UNAUTHENTICATED"
    message: str
    reason: str = ""  # of the ErrorInfo
    domain: str = ""
    fields: dict = field(default_factory=dict)  # of the BadRequest
    retry_after: float = None  # seconds, of the RetryInfo
    http_status: int = None
    headers: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.code} {self.reason} {self.fields or ''} {self.message!r}"

    def take(self, detail):
        """Reads one detail: a pair of full type name and bytes."""
        name, value = detail
        if name == "google.rpc.ErrorInfo":
            info = error_details_pb2.ErrorInfo.FromString(value)
            self.reason, self.domain = info.reason, info.domain
        elif name == "google.rpc.BadRequest":
            bad = error_details_pb2.BadRequest.FromString(value)
            self.fields = {v.field: v.description for v in bad.field_violations}
        elif name == "google.rpc.RetryInfo":
            retry = error_details_pb2.RetryInfo.FromString(value)
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        return self


def refused_by_grpc(error):
    refused = Refused(error.code().name, error.details() or "")
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                refused.take((detail.type_url.split("/")[-1], detail.value))
    return refused


def refused_by_connect(response):
    try:
        body = response.json()
    except ValueError:
        body = {}
    refused = Refused(body.get("code", "").upper(), body.get("message", ""),
                      http_status=response.status_code,
                      headers=dict(response.headers))
    for detail in body.get("details", []):
        padded = detail["value"] + "=" * (-len(detail["value"]) % 4)
        refused.take((detail["type"], base64.b64decode(padded)))
    return refused


def bearer(token):
    return {"authorization": f"Bearer {token}"} if token else {}


class GrpcDoor:
    name = "grpc"

    def __init__(self, contract, target, credentials=None, options=()):
        self.contract = contract
        options = [("grpc.use_local_subchannel_pool", 1), *options]
        self.channel = (grpc.secure_channel(target, credentials, options)
                        if credentials else
                        grpc.insecure_channel(target, options))

    def raw(self, method, body, *, token=None, headers=None, timeout=15):
        """Sends these bytes and gives the bytes of the (first) answer."""
        if self.contract.is_stream(method):
            return next(self.raw_stream(method, body, token=token,
                                        headers=headers, timeout=timeout))
        call = self.channel.unary_unary(f"/ostiary.v1.{method}")
        metadata = tuple({**bearer(token), **(headers or {})}.items())
        try:
            return call(body, metadata=metadata, timeout=timeout,
                        wait_for_ready=False)
        except grpc.RpcError as error:
            raise refused_by_grpc(error) from None

    def raw_stream(self, method, body, *, token=None, headers=None,
                   timeout=15):
        """Sends these bytes and gives the answers as they come."""
        call = self.channel.unary_stream(f"/ostiary.v1.{method}")(
            body, metadata=tuple({**bearer(token), **(headers or {})}.items()),
            timeout=timeout, wait_for_ready=False)
        try:
            yield from call
        except grpc.RpcError as error:
            raise refused_by_grpc(error) from None
        finally:
            call.cancel()

    def stream(self, method, request=None, **named):
        body = self.contract.request(method, request).SerializeToString()
        parse = self.contract.response_class(method).FromString
        for answer in self.raw_stream(method, body, **named):
            yield parse(answer)

    def exchange(self, method, requests, *, token=None, timeout=15):
        """Sends requests on one stream, as they come, and gives the answers."""
        response = self.contract.response_class(method)
        call = self.channel.stream_stream(
            f"/ostiary.v1.{method}", response_deserializer=response.FromString)(
                (self.contract.request(method, one).SerializeToString()
                 for one in requests),
                metadata=tuple(bearer(token).items()), timeout=timeout,
                wait_for_ready=False)
        try:
            yield from call
        except grpc.RpcError as error:
            raise refused_by_grpc(error) from None
        finally:
            call.cancel()

    def call(self, method, request=None, *, token=None, headers=None,
             timeout=15):
        body = self.contract.request(method, request).SerializeToString()
        answer = self.raw(method, body, token=token, headers=headers,
                          timeout=timeout)
        return self.contract.response_class(method).FromString(answer)

    def close(self):
        self.channel.close()


class ConnectDoor:
    name = "connect"

    def __init__(self, contract, url, verify=True):
        self.contract = contract
        self.url = url
        limits = httpx.Limits(max_connections=80)
        self.client = httpx.Client(base_url=url, verify=verify, timeout=15,
                                   limits=limits, trust_env=False)

    def post(self, method, body, *, content_type="application/json",
             token=None, headers=None):
        """Sends these bytes and gives the HTTP response."""
        all_headers = {**bearer(token), **(headers or {})}
        if content_type is not None:
            all_headers["content-type"] = content_type
        return self.client.post(f"/ostiary.v1.{method}", content=body,
                                headers=all_headers)

    def raw(self, method, body, *, token=None, headers=None):
        response = self.post(method, body, token=token, headers=headers,
                             content_type="application/proto")
        if response.status_code != 200:
            raise refused_by_connect(response)
        return response.content

    def call(self, method, request=None, *, token=None, headers=None,
             timeout=15):
        response = self.post(method, json.dumps(request or {}), token=token,
                             headers=headers)
        if response.status_code != 200:
            raise refused_by_connect(response)
        answer = self.contract.response_class(method)()
        return json_format.Parse(response.content, answer)

    def close(self):
        self.client.close()
