#!/usr/bin/env python3
"""Does the README tell the truth? (And do the links of docs/ lead anywhere?)

  check.py           runs its blocks against a fresh server, compares its tables
  check.py --write   writes the generated tables into it

A block that opens with ```sh run is run, all of them in one shell and in order,
each in the folder of a server that was started with fresh data. The block
```text that follows directly, if any, is what it must have printed: line by
line, `...` standing for anything. Every command must succeed. A section whose blocks use a tool that is not
here is skipped, and says so.

Programs: OSTIARY_BIN_DIR, else build/release/bin.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PROGRAMS = Path(os.environ.get("OSTIARY_BIN_DIR", ROOT / "build/release/bin")).resolve()
# Written in the README as everybody has them; here others may be busy.
PORTS = {"grpc": 50051, "http": 8080, "ops": 9464}
# Of what the README starts beside the server.
EXAMPLE_PORTS = {"notes": 8000}
OPTIONAL_TOOLS = ["grpcurl"]
BLOCK_SECONDS = 180
END = "----- end of block"


class Block:
    def __init__(self, line, section, text):
        self.line, self.section, self.text, self.expected = line, section, text, None


def blocks_of(text):
    """The blocks to run, each with what must follow."""
    blocks, section, fence, body, opened, last_end = [], "", None, [], 0, -10
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None and line.startswith("#"):
            section = line.lstrip("# ")
        if not line.startswith("```"):
            if fence is not None:
                body.append(line)
            continue
        if fence is None:
            fence, body, opened = line[3:].strip(), [], number
            continue
        if fence == "sh run":
            blocks.append(Block(opened, section, "\n".join(body)))
            last_end = number
        elif fence == "text" and blocks and opened - last_end <= 2:
            blocks[-1].expected = body
        fence = None
    return blocks


def generated_tables():
    """Marker -> text that stands between <!-- marker --> and <!-- /marker -->."""
    options = subprocess.run([PROGRAMS / "ostiaryd", "--print-options=markdown"], check=True,
                             capture_output=True, text=True).stdout
    return {"options": options.strip()}


def with_tables(text):
    for marker, table in generated_tables().items():
        pattern = re.compile(f"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
        text, count = pattern.subn(lambda found: found[1] + "\n" + table + "\n\n" + found[2], text)
        if count != 1:
            sys.exit(f"README.md needs one pair of <!-- {marker} --> and <!-- /{marker} -->")
    return text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.ports = {name: free_port() for name in PORTS}
        self.example_ports = {name: free_port() for name in EXAMPLE_PORTS}
        self.log = open(folder / "ostiaryd.log", "wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OSTIARY_")}
        self.process = subprocess.Popen(
            [PROGRAMS / "ostiaryd", "--data-dir=ostiary-data"]
            + [f"--{name}-listen=127.0.0.1:{port}" for name, port in self.ports.items()]
            + [f"--issuer=http://127.0.0.1:{self.ports['http']}"],
            cwd=folder, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.ports['ops']}/readyz", timeout=2).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the server did not start:\n" + (folder / "ostiaryd.log").read_text())
                time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def localised(self, text):
        """`text` with this server's ports for the ones everybody has."""
        for name, port in PORTS.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[name]}")
        for name, port in EXAMPLE_PORTS.items():
            text = re.sub(rf"(127\.0\.0\.1:|--port ){port}\b", rf"\g<1>{self.example_ports[name]}", text)
        return text


def python_with_pyjwt(folder):
    """A folder in which `python3` is one that has PyJWT, as the README says to
    install it; None if no Python here has it."""
    for candidate in ("python3", "/usr/bin/python3"):
        found = shutil.which(candidate)
        if found and subprocess.run([found, "-c", "import jwt.algorithms, cryptography"],
                                    capture_output=True, check=False).returncode == 0:
            (folder / "bin").mkdir()
            wrapper = folder / "bin" / "python3"
            wrapper.write_text(f'#!/bin/sh\nexec "{found}" "$@"\n')
            wrapper.chmod(0o755)
            return str(folder / "bin")
    return None


class Shell:
    """One bash for all blocks: a block sees the variables of those before it."""

    def __init__(self, folder, path):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OSTIARY_")}
        self.process = subprocess.Popen(["bash"], cwd=folder, env={**environment, "PATH": path},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def run(self, text):
        """(0, or the exit code of a command that failed; what was printed)"""
        signal.alarm(BLOCK_SECONDS)  # a block that hangs ends the test
        self.process.stdin.write(f"block_code=0; trap 'block_code=$?' ERR\n{text}\n"
                                 f"trap - ERR; echo; echo \"{END} $block_code\"\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(END):
                signal.alarm(0)
                return int(line.split()[-1]), printed
            printed.append(line.rstrip("\n"))
        signal.alarm(0)
        return -1, printed

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def matches(pattern, line):
    parts = [re.escape(part) for part in pattern.strip().split("...")]
    return re.fullmatch(".*".join(parts), line.strip()) is not None


def first_missing(expected, printed):
    """The first expected line that was not printed, in order; None if all were."""
    rest = iter(printed)
    for pattern in expected:
        if pattern.strip() and not any(matches(pattern, line) for line in rest):
            return pattern
    return None


def main():
    text = README.read_text()
    if sys.argv[1:] == ["--write"]:
        README.write_text(with_tables(text))
        return 0

    passed = failed = 0

    def judge(name, complaint):
        nonlocal passed, failed
        if complaint:
            failed += 1
            print(f"FAILED: {name}\n{complaint}")
        else:
            passed += 1
            print(f"ok: {name}")

    judge("the generated tables are current",
          "" if with_tables(text) == text else "run tests/docs/check.py --write")
    for page in [README, *sorted((ROOT / "docs").rglob("*.md"))]:
        for link in sorted(set(re.findall(r"\]\(([^)#:]+)\)", page.read_text()))):
            judge(f"{page.relative_to(ROOT)} links to {link}",
                  "" if (page.parent / link).exists() else "leads nowhere")

    blocks = blocks_of(text)
    judge("there are blocks to run", "" if len(blocks) >= 10 else f"only {len(blocks)} found")
    absent = [tool for tool in OPTIONAL_TOOLS if shutil.which(tool) is None]
    skipped_sections = {block.section for block in blocks for tool in absent if tool in block.text}
    with tempfile.TemporaryDirectory(prefix="ostiary-docs.") as name:
        folder = Path(name)
        path = os.pathsep.join(filter(None, [python_with_pyjwt(folder), os.environ["PATH"]]))
        (folder / "client").symlink_to(ROOT / "client")
        server = Server(folder)
        shell = Shell(folder, path)
        for block in blocks:
            where = f"README.md:{block.line} ({block.section})"
            if block.section in skipped_sections:
                print(f"SKIPPED: {where}: needs {', '.join(absent)}")
                continue
            command = server.localised(block.text).replace("$PWD/build/release/bin", str(PROGRAMS))
            code, printed = shell.run(command)
            expected = [server.localised(line) for line in block.expected or []]
            missing = first_missing(expected, printed)
            complaint = ""
            if code != 0:
                complaint = f"a command ended with {code}; printed:\n" + "\n".join(printed)
            elif missing is not None:
                complaint = f"did not print: {missing}\nprinted:\n" + "\n".join(printed)
            judge(where, complaint)
        shell.close()
        judge("the server drained and exited 0", "" if server.stop() == 0 else "it did not")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
