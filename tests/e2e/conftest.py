"""Fixtures: one shared server, those that the tables are asked of, real clients."""

import os
import shutil
from pathlib import Path

import pytest

from askers import Town, with_role
from fixtures import contract, new_house, new_server, programs  # noqa: F401
from house import CANARY, House, Server


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
