"""Verifiers in programs of their own, which live through a server's end.

The libraries' drivers (tests/behaviour/README.md), asked with the policy
*accept*: what they refuse they refuse from what they know, without asking.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Last: some of its modules are named like ours.
sys.path.append(str(REPOSITORY / "tests/behaviour"))

from driver import Driver  # noqa: E402


class Followers:
    """A verifier of the Python library, and one of C++ where it is built."""

    def __init__(self, programs, server):
        commands = [[sys.executable, str(REPOSITORY / "client/python/driver.py")]]
        cpp = programs / "ostiary-driver-cpp"
        if cpp.exists():
            commands.append([str(cpp)])
        self.drivers = [Driver(command) for command in commands]
        for driver in self.drivers:
            driver.do("open", target=server.grpc, issuer=server.issuer,
                      audience="api", policy="accept")
            assert driver.do("wait_ready", timeout_ms=10000)["ready"]

    def verdicts(self, token):
        """What they all say; two words where they differ."""
        return {driver.verdict(token) for driver in self.drivers}

    def wait_for(self, revision):
        for driver in self.drivers:
            reached = driver.do("wait_for", revision=revision,
                                timeout_ms=15000, timeout=20)
            assert reached["reached"], reached

    def epochs(self):
        return {driver.do("status")["epoch"] for driver in self.drivers}

    def close(self):
        assert [driver.close() for driver in self.drivers] == [
            0 for _ in self.drivers]
