"""Fixtures: the programs, the contract, one shared server, servers of one's own."""

import os
import shutil
from pathlib import Path

import pytest

from askers import Town, with_role
from doors import Contract
from house import CANARY, House, Server

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items):
    """The crash test comes last: it is the longest."""
    items.sort(key=lambda item: item.get_closest_marker("crash") is not None)


@pytest.fixture(scope="session")
def programs():
    """Where ostiaryd, ostiary and ostiary.protoset are."""
    folder = Path(os.environ.get("OSTIARY_BIN_DIR",
                                 REPOSITORY / "build/release/bin")).resolve()
    for name in ("ostiaryd", "ostiary", "ostiary.protoset"):
        if not (folder / name).exists():
            pytest.exit(f"{folder / name} is missing: build first, or set "
                        "OSTIARY_BIN_DIR", returncode=3)
    return folder


@pytest.fixture(scope="session")
def contract(programs):
    return Contract(programs / "ostiary.protoset")


@pytest.fixture(scope="session")
def house(programs, contract):
    """The server that most tests share; each brings accounts of its own."""
    server = Server(programs).start()
    house = House(server, contract)
    yield house
    house.close()
    assert server.is_ready(), "the shared server did not survive the tests"
    assert server.stop() == 0
    log = server.log()
    server.remove()
    assert CANARY not in log, "a password is in the log"
    assert "ort_" not in log, "a refresh token is in the log"


@pytest.fixture(scope="session")
def town(programs, contract, tmp_path_factory):
    """The server that the tables of matrix.py are asked of."""
    town = Town(programs, contract, tmp_path_factory.mktemp("town"))
    yield town
    town.close()


@pytest.fixture(scope="session")
def other(programs, contract, town):
    """A server with other settings; a stranger to the first."""
    server = Server(programs, "--sign-up=operator", "--service-access=open")
    server.flags.append(
        f"--audiences=api,shop,{server.issuer},{town.server.issuer}")
    house = House(server.start(), contract)
    yield house
    house.close()
    assert server.stop() == 0
    server.remove()


@pytest.fixture(scope="session")
def tokens(town, other):
    """Kind -> token, for the town."""
    stranger = with_role(other, "ostiary.operator")
    return {**town.tokens, "its own": None, "a stranger's": stranger.sign_in(
        audience=town.server.issuer).access_token}


@pytest.fixture(params=["grpc", "connect"])
def door(request, house):
    """Each door in turn: the rule holds behind both."""
    return house.door(request.param)


@pytest.fixture
def new_server(programs):
    """Makes servers with flags of their own; not started yet."""
    made = []

    def make(*flags, **named):
        made.append(Server(programs, *flags, **named))
        return made[-1]

    yield make
    for server in made:
        server.remove()


@pytest.fixture
def new_house(new_server, contract):
    """Starts servers with flags of their own."""
    made = []

    def make(*flags, **named):
        made.append(House(new_server(*flags, **named).start(), contract))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture(scope="session")
def tool():
    """Finds a real client; a machine without it skips loudly."""

    def find(name):
        places = os.environ.get("PATH", "") + os.pathsep + str(
            Path.home() / "go/bin")
        found = shutil.which(name, path=places)
        if found is None:
            pytest.skip(f"{name} IS NOT INSTALLED: this interop is not proved "
                        "on this machine")
        return found

    return find
