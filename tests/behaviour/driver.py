"""One verifier of one library, behind its driver program (README.md)."""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build/behaviour"


def _run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command} in {folder}:\n{done.stdout[-3000:]}"
                           f"\n{done.stderr[-3000:]}")


def _prepare_cpp(programs):
    program = programs / "ostiary-driver-cpp"
    if not program.exists():
        raise RuntimeError(f"{program} is missing: build first")
    return [str(program)]


def _prepare_python(_):
    folder = REPOSITORY / "client/python"
    venv = BUILD / "python"
    if not (venv / "bin/python").exists():
        _run(["python3", "-m", "venv", str(venv)], REPOSITORY)
    _run([str(venv / "bin/pip"), "install", "--quiet",
          "--disable-pip-version-check", str(folder)], REPOSITORY)
    return [str(venv / "bin/python"), str(folder / "driver.py")]


def _prepare_go(_):
    program = BUILD / "driver-go"
    _run(["go", "build", "-o", str(program), "./cmd/driver"],
         REPOSITORY / "client/go")
    return [str(program)]


def _prepare_node(_):
    folder = REPOSITORY / "client/node"
    if not (folder / "node_modules").exists():
        _run(["npm", "install", "--no-package-lock", "--no-audit",
              "--no-fund"], folder)
    _run(["npm", "run", "build"], folder)
    return ["node", str(folder / "driver.mjs")]


PREPARE = {"cpp": _prepare_cpp, "python": _prepare_python, "go": _prepare_go,
           "node": _prepare_node}


class Driver:
    """Speaks lines of JSON with the program."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "GRPC_VERBOSITY": "NONE"})
        self._lines = queue.Queue()
        self._said = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _listen(self):
        for line in self.process.stderr:
            self._said.append(line)
            del self._said[:-200]

    def tell(self, op, **fields):
        """Sends a command and does not wait for its answer."""
        self.process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self.process.stdin.flush()

    def answer(self, timeout=30):
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError("the driver does not answer:\n" +
                                 "".join(self._said)) from None
        assert line is not None, "the driver ended:\n" + "".join(self._said)
        found = json.loads(line)
        assert "error" not in found, found
        return found

    def do(self, op, timeout=30, **fields):
        self.tell(op, **fields)
        return self.answer(timeout)

    def verdict(self, token, **fields):
        """VALID or the reason why not."""
        answer = self.do("verify", token=token, **fields)
        return "VALID" if answer["valid"] else answer["reason"]

    def close(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait(10)
        return self.process.returncode
