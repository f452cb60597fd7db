"""A real ostiaryd in a directory of its own, and the people who call it."""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from doors import ConnectDoor, GrpcDoor, Refused

# Part of every password that the tests make: nothing that leaves a server or
# lies on its disk may hold it.
CANARY = "kanarienvogel"

# The cheapest hash that is allowed: the suite is about rules, not about cost.
CHEAP_HASH = ("--hash-memory-kib=8192", "--hash-iterations=1")
_START_SECONDS = 30


def new_password():
    return f"{CANARY}-{secrets.token_hex(8)}"


def new_name(prefix="p"):
    return f"{prefix}{secrets.token_hex(6)}"


def free_port():
    """One that is still free when a server is started again: the kernel gives
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


def clean_environment(extra=None):
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("OSTIARY_") and not k.lower().endswith("_proxy")}
    return {**kept, **(extra or {})}


class Server:
    """One data directory and, while it runs, one process on it."""

    def __init__(self, programs, *flags, http_port=None, scheme="http"):
        self.programs = programs
        # Short: the path of the operator socket has at most 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="ost-e2e-"))
        self.data_dir = self.root / "data"
        self.log_path = self.root / "log"
        self.flags = list(flags)
        self.environment = {}  # beside the cleaned one of the tests
        self.http_port = http_port or free_port()
        self.url = f"{scheme}://127.0.0.1:{self.http_port}"
        self.issuer = self.url
        self.process = None
        self.addresses = {}
        self._greeting = self.root / "greeting"

    def command(self, *more):
        given = [*self.flags, *more]
        named = {flag.split("=")[0] for flag in given}
        usual = [f"--data-dir={self.data_dir}", "--grpc-listen=127.0.0.1:0",
                 f"--http-listen=127.0.0.1:{self.http_port}",
                 "--ops-listen=127.0.0.1:0", f"--issuer={self.issuer}",
                 "--log-format=json", *CHEAP_HASH]
        # A test's own flag takes the place of the usual one.
        return [str(self.programs / "ostiaryd"),
                *(flag for flag in usual if flag.split("=")[0] not in named),
                *given]

    def launch(self):
        """Starts the process and does not wait for it."""
        with open(self._greeting, "wb") as out, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=out,
                                            stderr=log, cwd=self.root,
                                            env=clean_environment(
                                                self.environment))

    def start(self):
        self.launch()
        return self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"ostiaryd ended with {self.process.returncode}"
                                   f":\n{self.log()[-2000:]}")
            if self._read_greeting() and self.is_ready():
                return self
            time.sleep(0.01)
        raise RuntimeError(f"ostiaryd is not ready:\n{self.log()[-2000:]}")

    def _read_greeting(self):
        text = self._greeting.read_text()
        if "\nTry:\n" not in text:
            return False
        for line in text.splitlines():
            for name in ("gRPC", "HTTP", "health, metrics", "operator socket"):
                if line.strip().startswith(name + " "):
                    self.addresses[name] = line.strip()[len(name):].strip()
        return True

    def greeting(self):
        return self._greeting.read_text()

    @property
    def grpc(self):
        return self.addresses["gRPC"]

    @property
    def socket_path(self):
        return self.addresses["operator socket"]

    @property
    def ops_url(self):
        return "http://" + self.addresses["health, metrics"]

    def is_ready(self):
        try:
            answer = httpx.get(self.ops_url + "/readyz", timeout=5,
                               trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def metrics(self):
        return httpx.get(self.ops_url + "/metrics", trust_env=False).text

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Ends it as an operator does; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def files(self):
        """Every file under the data directory, with what it holds."""
        return {path: path.read_bytes() for path in self.data_dir.rglob("*")
                if path.is_file()}

    def remove(self):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *arguments, env=None, timeout=30):
        """Runs ostiaryd to its end with these arguments and no others."""
        return subprocess.run(
            [str(self.programs / "ostiaryd"), *arguments], cwd=self.root,
            env=clean_environment(env), capture_output=True, text=True,
            timeout=timeout)

    def cli(self, *arguments, stdin="", env=None, timeout=30):
        """Runs `ostiary` on the operator socket."""
        return subprocess.run(
            [str(self.programs / "ostiary"), f"--socket={self.socket_path}",
             *arguments], input=stdin, cwd=self.root,
            env=clean_environment(env), capture_output=True, text=True,
            timeout=timeout)


@dataclass
class Person:
    """An account and the password it was made with."""

    house: "House"
    account_id: str
    username: str
    email: str
    password: str

    def sign_in(self, door=None, **fields):
        request = {"identifier": self.username, "password": self.password,
                   **fields}
        return (door or self.house.grpc).call(
            "AuthService/SignInWithPassword", request).tokens


class House:
    """A running server with its doors open."""

    def __init__(self, server, contract):
        self.server = server
        self.contract = contract
        self.grpc = GrpcDoor(contract, server.grpc)
        self.operator = GrpcDoor(contract, f"unix:{server.socket_path}")
        self.http = ConnectDoor(contract, server.url)

    def door(self, name):
        return {"grpc": self.grpc, "connect": self.http,
                "socket": self.operator}[name]

    def sign_up(self, door=None, password=None, **fields):
        name = new_name()
        fields = {"username": name, "email": f"{name}@example.com", **fields}
        password = password or new_password()
        account = (door or self.grpc).call(
            "AuthService/SignUp", {**fields, "password": password}).account
        return Person(self, account.account_id, account.username,
                      account.email, password)

    def new_operator_token(self):
        """A token that makes its bearer the operator over TCP."""
        person = self.sign_up()
        self.operator.call("AccountService/GrantRole",
                           {"account_id": person.account_id,
                            "role": "ostiary.operator"})
        return person.sign_in(audience=self.server.issuer).access_token

    def verdict(self, token, door=None, **fields):
        """VALID or the reason why not."""
        answer = (door or self.grpc).call("TokenService/Verify",
                                          {"token": token, **fields})
        assert answer.valid == (answer.reason == "")
        assert answer.valid or not answer.HasField("claims")
        return "VALID" if answer.valid else answer.reason

    def claims(self, token, **fields):
        answer = self.grpc.call("TokenService/Verify",
                                {"token": token, **fields})
        assert answer.valid, answer.reason
        return answer.claims

    def refresh(self, refresh_token, door=None, **fields):
        return (door or self.grpc).call(
            "AuthService/Refresh",
            {"refresh_token": refresh_token, **fields}).tokens

    def revoke(self, **target):
        return self.operator.call("TokenService/Revoke", target).revision

    def close(self):
        for door in (self.grpc, self.operator, self.http):
            door.close()


def refusal(call, *arguments, **named):
    """What `call` was refused with; fails if it was not."""
    try:
        answer = call(*arguments, **named)
    except Refused as refused:
        return refused
    raise AssertionError(f"was not refused but answered {answer!r}")
