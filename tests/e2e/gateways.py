"""Real gateways with the configurations of deploy/gateways, and a service behind
them that says what reached it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from house import clean_environment, free_port

_TREE = Path(__file__).resolve().parents[2]
FILES = _TREE / "deploy/gateways"
_START_SECONDS = 20


class Service:
    """Answers with the headers of the request, as a list of pairs."""

    def __init__(self):
        service = self
        self.requests = 0

        class Echo(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.requests += 1
                self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = [[k.lower(), v] for k, v in self.headers.items()]
                body = json.dumps({"path": self.path, "headers": headers})
                # An error of the service itself must reach its client.
                self.send_response(500 if "/breaks" in self.path else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def is_there(name):
    """Its path, or None."""
    places = os.pathsep.join([str(Path(sys.executable).parent),
                              os.environ.get("PATH", ""), "/usr/sbin",
                              str(_TREE / "build/tools")])
    return shutil.which(name, path=places)


def find(name):
    found = is_there(name)
    if found is None:
        pytest.skip(f"{name.upper()} IS NOT INSTALLED: nothing is proved about "
                    "it on this machine")
    return found


class Gateway:
    """One gateway process in a folder of its own."""

    away = 503  # what its clients get while Ostiary is away

    def __init__(self, server, service, edit=lambda text: text,
                 refuses_with=401):
        self.root = Path(tempfile.mkdtemp(prefix="ost-gate-"))
        self.port = free_port()
        self.service = service
        ports = {"10000": self.port, "9000": service.port,
                 "8080": server.http_port, "50051": server.grpc.split(":")[1]}

        def at_home(text):
            # In two steps: a port of ours may be another's example.
            for example in ports:
                text = text.replace(example, f"<{example}>")
            for example, port in ports.items():
                text = text.replace(f"<{example}>", str(port))
            return text

        self.log_path = self.root / "log"
        self.write(lambda name: at_home(edit((FILES / name).read_text())))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.root,
                env=clean_environment({"HOME": str(self.root)}))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}",
                                   timeout=15, trust_env=False)
        self._wait(refuses_with)

    def _wait(self, refuses_with):
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if self.get("/is-it-there").status_code == refuses_with:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not serve:\n{self.log()}")

    def get(self, path, token=None, headers=None):
        """`headers`: a list of pairs."""
        headers = list(headers or [])
        if token is not None:
            headers.append(("authorization", f"Bearer {token}"))
        return self.client.get(path, headers=headers)

    def passed(self, path, token=None, headers=None):
        """The headers that reached the service: name -> list of values."""
        answer = self.get(path, token, headers)
        assert answer.status_code == 200, (answer.status_code, answer.text,
                                           self.log()[-2000:])
        reached = {}
        for name, value in answer.json()["headers"]:
            reached.setdefault(name, []).append(value)
        return reached

    def log(self):
        return self.log_path.read_text(errors="replace")

    def close(self):
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.root, ignore_errors=True)


class Envoy(Gateway):
    name = "envoy"

    def write(self, file):
        self.program = find("envoy")
        (self.root / "envoy.yaml").write_text(file("envoy.yaml"))

    def command(self):
        return [self.program, "-c", str(self.root / "envoy.yaml"),
                "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "warning"]


class Nginx(Gateway):
    name = "nginx"

    def write(self, file):
        self.program = find("nginx")
        for name in ("nginx.conf", "ostiary-check.conf",
                     "ostiary-identity.conf"):
            (self.root / name).write_text(file(name))
        temporary = "".join(f"{kind}_temp_path {self.root}/{kind};\n" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.root / "main.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.root}/pid;\n"
            "error_log stderr warn;\nevents {}\n"
            f"http {{ access_log off;\n{temporary}include nginx.conf; }}\n")

    def command(self):
        # As root it would change to an account that cannot read the folder.
        return [self.program, "-p", str(self.root), "-c", "main.conf",
                "-g", "user root;" if os.geteuid() == 0 else "", "-e", "stderr"]


class Caddy(Gateway):
    name = "caddy"

    def write(self, file):
        self.program = find("caddy")
        (self.root / "Caddyfile").write_text(file("Caddyfile"))

    def command(self):
        return [self.program, "run", "--config", str(self.root / "Caddyfile"),
                "--adapter", "caddyfile"]


class Traefik(Gateway):
    name = "traefik"
    away = 500  # its own word for an Ostiary it cannot reach

    def write(self, file):
        self.program = find("traefik")
        (self.root / "traefik-ostiary.yaml").write_text(file("traefik-ostiary.yaml"))

    def command(self):
        return [self.program, "--log.level=WARN",
                f"--entryPoints.web.address=127.0.0.1:{self.port}",
                f"--providers.file.filename={self.root}/traefik-ostiary.yaml",
                "--global.checkNewVersion=false"]


# No package brings Traefik (build-traefik does): one test says that it is
# missing, instead of each.
KINDS = {kind.name: kind for kind in (Envoy, Nginx, Caddy, Traefik)
         if kind is not Traefik or is_there("traefik")}
