"""Fixtures: the programs, a house behind a wire, a verifier of each library."""

import pytest

from driver import BUILD, PREPARE, Driver
from fixtures import contract, programs  # noqa: F401
from house import House, Server
from wire import Wire


def pytest_addoption(parser):
    parser.addoption("--library", action="append", choices=list(PREPARE),
                     help="only this library; may be repeated")


def pytest_generate_tests(metafunc):
    if "library" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--library") or list(PREPARE)
        metafunc.parametrize("library", chosen, scope="session")


@pytest.fixture(scope="session")
def commands(programs):
    """Makes a library's driver when it is first asked for."""
    BUILD.mkdir(parents=True, exist_ok=True)
    made = {}

    def command(library):
        if library not in made:
            made[library] = PREPARE[library](programs)
        return made[library]

    return command


class Site:
    """A server, the wire that leads to it, and the verifiers at its end."""

    def __init__(self, server, contract, command):
        self.server = server
        self.contract = contract
        self.command = command
        self.house = None
        self.wire = None
        self.drivers = []

    def start(self):
        self.house = House(self.server.start(), self.contract)
        if self.wire is None:
            self.wire = Wire(self.server.grpc)
        self.wire.target = self.server.grpc
        return self

    def stop(self, kill=False):
        if kill:
            self.server.kill()
        else:
            assert self.server.stop() == 0
        self.house.close()
        self.house = None

    def open(self, wait=True, **settings):
        """A verifier with these settings; waits until it knows everything."""
        driver = Driver(self.command)
        self.drivers.append(driver)
        driver.do("open", target=self.wire.address, issuer=self.server.issuer,
                  leeway_ms=0, **settings)
        if wait:
            assert driver.do("wait_ready", timeout_ms=10000)["ready"]
        return driver

    def sign_in(self, **fields):
        return self.house.sign_up().sign_in(**fields)

    def close(self):
        codes = [driver.close() for driver in self.drivers]
        if self.wire is not None:
            self.wire.close()
        if self.house is not None:
            self.house.close()
        self.server.remove()
        return codes


@pytest.fixture
def new_site(programs, contract, commands, library):
    """Makes sites of a test's own; not started yet."""
    made = []

    def make(*flags):
        made.append(Site(Server(programs, *flags), contract,
                         commands(library)))
        return made[-1]

    yield make
    for site in made:
        codes = site.close()
        assert all(code == 0 for code in codes), f"a driver ended with {codes}"


@pytest.fixture(scope="session")
def shared_server(programs, contract):
    server = Server(programs).start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def site(shared_server, contract, commands, library):
    """A verifier's end of the server that most scenarios share."""
    site = Site(shared_server, contract, commands(library))
    site.house = House(shared_server, contract)
    site.wire = Wire(shared_server.grpc)
    yield site
    codes = [driver.close() for driver in site.drivers]
    site.wire.close()
    site.house.close()
    assert all(code == 0 for code in codes), f"a driver ended with {codes}"
