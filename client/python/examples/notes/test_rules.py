"""The app's own rules, with a test issuer: no server is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from notes.app import create_app

from ostiary.fastapi import Ostiary
from ostiary.testing import TestIssuer


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def client(issuer: TestIssuer, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(Ostiary.using(issuer.aio_verifier()), tmp_path / "notes.sqlite3")
    with TestClient(app) as opened:
        yield opened


def as_user(issuer: TestIssuer, name: str, *roles: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(name, roles=roles)}"}


def test_a_note_is_its_owners_alone(client: TestClient, issuer: TestIssuer) -> None:
    ada, bob = as_user(issuer, "acct_ada"), as_user(issuer, "acct_bob")
    note = client.post("/notes", json={"title": "Milk"}, headers=ada).json()
    path = f"/notes/{note['id']}"
    assert client.get(path, headers=ada).json()["title"] == "Milk"
    for method in ("GET", "DELETE"):
        assert client.request(method, path, headers=bob).status_code == 403
    assert client.put(path, json={"title": "Mine"}, headers=bob).status_code == 403
    assert client.get("/notes", headers=bob).json() == []
    changed = client.put(path, json={"title": "Milk", "body": "2 l"}, headers=ada)
    assert changed.json()["body"] == "2 l"
    assert client.delete(path, headers=ada).status_code == 204
    assert client.get(path, headers=ada).status_code == 404


def test_only_admins_see_all_notes(client: TestClient, issuer: TestIssuer) -> None:
    client.post("/notes", json={"title": "Milk"}, headers=as_user(issuer, "acct_ada"))
    assert client.get("/admin/notes").status_code == 401
    assert client.get("/admin/notes", headers=as_user(issuer, "acct_bob")).status_code == 403
    everything = client.get("/admin/notes", headers=as_user(issuer, "acct_eve", "admin"))
    assert [note["owner"] for note in everything.json()] == ["acct_ada"]


@pytest.mark.parametrize("path", ["/me", "/notes", "/notes/1"])
def test_nothing_is_open(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_a_note_needs_a_title(client: TestClient, issuer: TestIssuer) -> None:
    ada = as_user(issuer, "acct_ada")
    assert client.post("/notes", json={"body": "?"}, headers=ada).status_code == 422
