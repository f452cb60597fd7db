"""What the tests with real programs share: the programs, the contract, servers
of one's own. A conftest imports them by name."""

import os
from pathlib import Path

import pytest

from doors import Contract
from house import House, Server

REPOSITORY = Path(__file__).resolve().parents[2]


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


@pytest.fixture
def new_server(programs):
    """Makes servers with flags of their own; not started yet."""
    made = []

    def make(*flags, kind=Server, **named):
        made.append(kind(programs, *flags, **named))
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
