"""The app with a real Ostiary, from sign-up to sign-out. Needs OSTIARY_BIN_DIR."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import House, new_password, programs
from notes.app import create_app

from ostiary.fastapi import Ostiary

if programs() is None:
    pytest.skip("OSTIARY_BIN_DIR names no ostiaryd", allow_module_level=True)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    bin_dir = programs()
    assert bin_dir is not None
    running = House(bin_dir)
    yield running
    running.close()


@pytest.fixture
def ostiary(house: House) -> Ostiary:
    return Ostiary(house.target, issuer=house.issuer)


@pytest.fixture
def client(ostiary: Ostiary, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(ostiary, tmp_path / "notes.sqlite3")) as opened:
        portal = opened.portal
        assert portal is not None
        portal.call(ostiary.verifier.wait_ready)
        yield opened


class Person:
    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.name, self.password = "u" + secrets.token_hex(5), new_password()
        answer = client.post("/signup", json={"username": self.name, "password": self.password})
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]

    def sign_in(self) -> dict[str, Any]:
        """Sends the form of the Authorize button."""
        form = {"grant_type": "password", "username": self.name, "password": self.password}
        answer = self.client.post("/token", data=form)
        assert answer.status_code == 200, answer.text
        self.tokens: dict[str, Any] = answer.json()
        return self.tokens

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers)


@pytest.fixture
def ada(client: TestClient) -> Person:
    person = Person(client)
    person.sign_in()
    return person


def test_notes_and_their_owners(client: TestClient, ada: Person) -> None:
    assert ada.get("/me").json()["id"] == ada.id
    note = client.post("/notes", json={"title": "Milk"}, headers=ada.headers).json()
    assert note["owner"] == ada.id
    bob = Person(client)
    bob.sign_in()
    assert bob.get(f"/notes/{note['id']}").status_code == 403
    assert ada.get(f"/notes/{note['id']}").status_code == 200


def test_a_role_opens_the_admin_route(house: House, ada: Person) -> None:
    assert ada.get("/admin/notes").status_code == 403
    house.grant(ada.id, "admin")
    ada.sign_in()
    assert ada.get("/admin/notes").status_code == 200


def test_logout_is_in_force_when_it_answers(
    client: TestClient, ostiary: Ostiary, ada: Person
) -> None:
    assert client.post("/logout", headers=ada.headers).status_code == 204
    assert ada.get("/me").status_code == 401
    refresh = client.post("/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert refresh.status_code == 401
    assert ostiary.verifier.stats().asked == 0


def test_a_session_ended_elsewhere_is_refused_here_without_a_call(
    house: House, ostiary: Ostiary, ada: Person
) -> None:
    session_id = ostiary_session(ada)
    assert ada.get("/me").status_code == 200
    house.revoke(session_id=session_id)
    begun = time.monotonic()
    while ada.get("/me").status_code != 401:
        assert time.monotonic() - begun < 1, "still let in"
    assert ostiary.verifier.stats().asked == 0


def ostiary_session(person: Person) -> str:
    from ostiary._jwt import take_apart

    return take_apart(person.tokens["access_token"]).claims.session_id


def test_a_session_is_refreshed(client: TestClient, ada: Person) -> None:
    answer = client.post("/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    ada.tokens = answer.json()
    assert ada.get("/me").status_code == 200


def test_what_ostiary_refuses_is_told_sensibly(client: TestClient, ada: Person) -> None:
    taken = client.post("/signup", json={"username": ada.name, "password": new_password()})
    assert taken.status_code == 409
    weak = client.post("/signup", json={"username": "someone", "password": "password"})
    assert weak.status_code == 422
    assert "password" in weak.json()["detail"]


def test_too_many_guesses_are_429(client: TestClient, ada: Person) -> None:
    form = {"username": ada.name, "password": "wrong"}
    answers = [client.post("/token", data=form) for _ in range(30)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
