"""The routes. `create_app` is for tests; `notes.main:app` is for servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

from ostiary import Claims
from ostiary.aio import AuthClient
from ostiary.fastapi import Ostiary, bearer_token, current_user, require_role, token_answer

from .store import Note, NoteStore

User = Annotated[Claims, Depends(current_user)]
Admin = Annotated[Claims, Depends(require_role("admin"))]


class NewUser(BaseModel):
    username: str = Field(max_length=64)
    email: str = Field(default="", max_length=254)
    password: str = Field(max_length=1024)


class RefreshToken(BaseModel):
    refresh_token: str = Field(max_length=1024)


class NoteText(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    body: str = Field(default="", max_length=20_000)


def _auth(request: Request) -> AuthClient:
    ostiary = request.app.state.ostiary
    assert isinstance(ostiary, Ostiary) and ostiary.auth is not None
    return ostiary.auth


def _store(request: Request) -> NoteStore:
    store = request.app.state.notes
    assert isinstance(store, NoteStore)
    return store


Auth = Annotated[AuthClient, Depends(_auth)]
Store = Annotated[NoteStore, Depends(_store)]


def own_note(note_id: int, user: User, store: Store) -> Note:
    """Dependency: a note that belongs to the user."""
    note = store.find(note_id)
    if note is None:
        raise HTTPException(404, "There is no such note")
    if note.owner != user.subject:
        raise HTTPException(403, "This note is somebody else's")
    return note


OwnNote = Annotated[Note, Depends(own_note)]


def create_app(ostiary: Ostiary, database: Path) -> FastAPI:
    app = FastAPI(title="Notes")
    ostiary.install(app)  # POST /token, and what `current_user` needs
    app.state.notes = NoteStore(database)

    @app.post("/signup", status_code=201, tags=["session"])
    async def sign_up(new: NewUser, auth: Auth, request: Request) -> dict[str, str]:
        account = await auth.sign_up(
            username=new.username,
            email=new.email,
            password=new.password,
            forwarded_for=request.client.host if request.client is not None else "",
        )
        return {"id": account.account_id, "username": account.username}

    @app.post("/refresh", tags=["session"])
    async def refresh(given: RefreshToken, auth: Auth, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        return token_answer(await auth.refresh(given.refresh_token))

    @app.post("/logout", status_code=204, tags=["session"])
    async def logout(user: User, token: Annotated[str, Depends(bearer_token)], auth: Auth) -> None:
        revision = await auth.end_session(token, user.session_id)
        try:
            # Who has signed out is refused here from the next request on.
            # Elsewhere the feed brings it a few milliseconds later.
            await ostiary.verifier.wait_for(revision, timeout=1)
        except TimeoutError:
            pass  # signed out all the same

    @app.get("/me")
    async def me(user: User) -> dict[str, Any]:
        return {
            "id": user.subject,
            "roles": user.roles,
            "scopes": user.scopes,
            "token_expires": user.expire_time,
        }

    @app.get("/admin/notes", tags=["admin"])
    def all_notes(admin: Admin, store: Store) -> list[Note]:
        return store.all()

    @app.post("/notes", status_code=201, tags=["notes"])
    def add_note(text: NoteText, user: User, store: Store) -> Note:
        return store.insert(user.subject, text.title, text.body)

    @app.get("/notes", tags=["notes"])
    def my_notes(user: User, store: Store) -> list[Note]:
        return store.of_owner(user.subject)

    @app.get("/notes/{note_id}", tags=["notes"])
    def read_note(note: OwnNote) -> Note:
        return note

    @app.put("/notes/{note_id}", tags=["notes"])
    def change_note(note: OwnNote, text: NoteText, store: Store) -> Note:
        changed = replace(note, title=text.title, body=text.body)
        store.update(changed)
        return changed

    @app.delete("/notes/{note_id}", status_code=204, tags=["notes"])
    def delete_note(note: OwnNote, store: Store) -> None:
        store.delete(note.id)

    return app
