"""What TLS costs a Verify, and what gRPC's TLS costs a server that does nothing."""

import json
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from figures.bench import Noop, Server, interleave, judged, program, say, verify_request

TARGETS = ["ostiaryd", "noop_server", "rpc_load"]
VERIFY = "ostiary.v1.TokenService/Verify"


def make_certificate(folder):
    """A certificate of its own for loopback, and its key."""
    certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True, capture_output=True)
    return str(certificate), str(key)


class TlsServer(Server):
    """An ostiaryd that is reached over TLS alone."""

    def __init__(self, certificate, key, *flags):
        super().__init__(f"--tls-cert={certificate}", f"--tls-key={key}", *flags)
        self.context = ssl.create_default_context(cafile=certificate)

    def call(self, method, **fields):
        request = urllib.request.Request(
            f"https://{self.http}/ostiary.v1.{method}", json.dumps(fields).encode(),
            {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
            return json.load(answer)


def cpu(server, request, seconds, *tls):
    found = program("rpc_load", "--target", server.grpc, "--method", VERIFY, "--server-pid",
                    server.pid, "--seconds", seconds, *tls, stdin=request.hex() + "\n")
    if found["errors"]:
        raise SystemExit(f"{VERIFY}: {found['errors']} errors: {found['first_error']}")
    return found["cpu_us"]


def run(quick):
    rounds, seconds = (3, 0.7) if quick else (7, 2)
    say("tls: Verify and gRPC doing nothing, in plaintext and over TLS")
    with tempfile.TemporaryDirectory(prefix="ost-bench-") as folder:
        certificate, key = make_certificate(folder)
        tls = ("--tls-ca", certificate)
        with Server() as plain, TlsServer(certificate, key) as secure, Noop("async") as noop, \
                Noop("async", "127.0.0.1:0", certificate, key) as secure_noop:
            requests = {}
            for server in (plain, secure):
                server.sign_up()
                requests[server] = verify_request(server.token())
            found = interleave(rounds, {
                "plain": lambda: cpu(plain, requests[plain], seconds),
                "tls": lambda: cpu(secure, requests[secure], seconds, *tls),
                "noop": lambda: cpu(noop, requests[plain], seconds),
                "noop_tls": lambda: cpu(secure_noop, requests[plain], seconds, *tls),
            })
    rows = [judged("Verify over TLS / plaintext", found["tls"], found["plain"], 1.4),
            judged("  no-op over TLS / plaintext", found["noop_tls"], found["noop"], 1.4),
            judged("  Verify over TLS / no-op over TLS", found["tls"], found["noop_tls"], 1.15)]
    for row in rows[1:]:
        row.target = row.verdict = ""
    return rows, {name: [round(value, 2) for value in values] for name, values in found.items()}
