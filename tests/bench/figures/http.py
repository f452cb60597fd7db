"""What a document costs over HTTP: JWKS and discovery, whole and not modified.

CPU of the server a request, from the operating system, 16 connections that are
kept with one request in flight on each; beside a server of a page that reads a
request and writes the same bytes every time.
"""

import statistics
import subprocess
import urllib.request

from figures.bench import BUILD, STEADY, Row, Server, interleave, program, say

TARGETS = ["ostiaryd", "http_load", "noop_http"]
JWKS = "/.well-known/jwks.json"
DISCOVERY = "/.well-known/openid-configuration"
MOST_US = 10


class NoopHttp:
    """An HTTP server that does nothing."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.process = subprocess.Popen([str(BUILD / "bench/noop_http"), str(self.size)],
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.http = f"127.0.0.1:{self.process.stdout.readline().split()[1]}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def load(server, seconds, path, *more):
    return program("http_load", "--port", server.http.rsplit(":", 1)[1], "--server-pid",
                   server.pid, "--seconds", seconds, "--path", path, *more)["cpu_us"]


def document(server, path):
    """The entity tag of a document, and how many bytes it has."""
    with urllib.request.urlopen(f"http://{server.http}{path}", timeout=10) as answer:
        return answer.headers["ETag"], len(answer.read())


def run(quick):
    rounds, seconds = (3, 0.6) if quick else (7, 2)
    say("http: JWKS and discovery, 200 and 304")
    with Server() as server:
        tags = {path: document(server, path)[0] for path in (JWKS, DISCOVERY)}
        with NoopHttp(document(server, JWKS)[1]) as noop:
            measures = {"noop": lambda: load(noop, seconds, JWKS)}
            for path in (JWKS, DISCOVERY):
                measures[f"{path} 200"] = lambda path=path: load(server, seconds, path)
                measures[f"{path} 304"] = lambda path=path: load(
                    server, seconds, path, "--expect", 304, "--if-none-match", tags[path])
            found = interleave(rounds, measures)
    base = found["noop"]
    steady = max(base) / min(base) <= STEADY
    rows = []
    for name, values in found.items():
        if name == "noop":
            continue
        median = statistics.median(values)
        ratios = [one / other for one, other in zip(values, base)]
        verdict = "met" if median <= MOST_US else "MISSED"
        rows.append(Row(f"{name.replace('/.well-known/', '')}: CPU a request",
                        f"{median:.1f} us, the least possible {statistics.median(base):.1f} us",
                        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})",
                        f"{MOST_US} us",
                        verdict if steady else "no verdict: the baseline moved"))
    return rows, {name: [round(value, 2) for value in values] for name, values in found.items()}
