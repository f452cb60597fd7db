"""A real ostiaryd in a directory of its own."""

from __future__ import annotations

import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import grpc

from ostiary.v1 import account_service_pb2, auth_service_pb2, token_service_pb2
from ostiary.v1.account_service_pb2_grpc import AccountServiceStub
from ostiary.v1.auth_service_pb2_grpc import AuthServiceStub
from ostiary.v1.token_service_pb2_grpc import TokenServiceStub
from ostiary.v1.token_set_pb2 import TokenSet

# The cheapest hash that is allowed: the tests are about rules, not about cost.
CHEAP_HASH = ("--hash-memory-kib=8192", "--hash-iterations=1")


def programs() -> Path | None:
    """Where the server is: OSTIARY_BIN_DIR. None: not said, or not there."""
    given = os.environ.get("OSTIARY_BIN_DIR", "")
    folder = Path(given)
    return folder if given and (folder / "ostiaryd").exists() else None


def new_password() -> str:
    return "kanarienvogel-" + secrets.token_hex(8)


def free_port() -> int:
    """One that is still free when the server is started again: the kernel gives
    the ports of its own range to everybody who connects to something."""
    kernels = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    while True:
        port = random.SystemRandom().randrange(10_000, int(kernels.split()[0]))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class House:
    """A running server and the operator's and the public's way in."""

    def __init__(self, bin_dir: Path, *flags: str) -> None:
        self._bin_dir = bin_dir
        self._flags = flags
        # Short: the path of the operator socket has at most 107 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="ost-py-"))
        self.issuer = f"http://127.0.0.1:{free_port()}"
        self._grpc_port = free_port()
        self.target = f"127.0.0.1:{self._grpc_port}"
        self.start()

    def start(self) -> None:
        greeting = self._root / "greeting"
        command = [
            str(self._bin_dir / "ostiaryd"),
            f"--data-dir={self._root / 'data'}",
            f"--grpc-listen={self.target}",
            f"--http-listen={self.issuer[len('http://') :]}",
            "--ops-listen=127.0.0.1:0",
            f"--issuer={self.issuer}",
            *CHEAP_HASH,
            *self._flags,
        ]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OSTIARY_")}
        with open(greeting, "wb") as out, open(self._root / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=out, stderr=log, env=kept)
        deadline = time.monotonic() + 30
        while not self._is_ready(greeting):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("ostiaryd does not start: " + self.log()[-2000:])
            time.sleep(0.02)
        operator = grpc.insecure_channel(f"unix:{self._socket}")
        public = grpc.insecure_channel(self.target, [("grpc.use_local_subchannel_pool", 1)])
        self._channels = [operator, public]
        self.accounts = AccountServiceStub(operator)
        self.operator_tokens = TokenServiceStub(operator)
        self.auth = AuthServiceStub(public)
        self.tokens = TokenServiceStub(public)

    def _is_ready(self, greeting: Path) -> bool:
        text = greeting.read_text()
        ops = re.search(r"health, metrics\s+(\S+)", text)
        operator = re.search(r"operator socket\s+(\S+)", text)
        if ops is None or operator is None or "\nTry:\n" not in text:
            return False
        self._socket = operator[1]
        try:
            with urllib.request.urlopen(f"http://{ops[1]}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def log(self) -> str:
        return (self._root / "log").read_text(errors="replace")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        self._hang_up()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._hang_up()

    def _hang_up(self) -> None:
        for channel in self._channels:
            channel.close()

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def sign_up(self, password: str) -> tuple[str, str]:
        """A new account: username and account_id."""
        name = "p" + secrets.token_hex(6)
        request = auth_service_pb2.SignUpRequest(username=name, password=password)
        return name, self.auth.SignUp(request).account.account_id

    def sign_in(self, name: str, password: str, **fields: Any) -> TokenSet:
        request = auth_service_pb2.SignInWithPasswordRequest(
            identifier=name, password=password, **fields
        )
        return self.auth.SignInWithPassword(request).tokens

    def newcomer(self) -> TokenSet:
        password = new_password()
        name, _ = self.sign_up(password)
        return self.sign_in(name, password)

    def revoke(self, **target: str) -> str:
        request = token_service_pb2.RevokeRequest(**target)
        return self.operator_tokens.Revoke(request).revision

    def grant(self, account_id: str, role: str) -> None:
        self.accounts.GrantRole(
            account_service_pb2.GrantRoleRequest(account_id=account_id, role=role)
        )
