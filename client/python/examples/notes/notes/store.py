"""The notes, in SQLite. Knows nothing about users but the id of an owner."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
  id INTEGER PRIMARY KEY,
  owner TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_by_owner ON notes (owner);
"""


@dataclass(frozen=True)
class Note:
    id: int
    owner: str
    title: str
    body: str


class NoteStore:
    """Thread-safe: every call has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as database:
            database.executescript(_SCHEMA)

    def insert(self, owner: str, title: str, body: str) -> Note:
        with self._open() as database:
            row = database.execute(
                "INSERT INTO notes (owner, title, body) VALUES (?, ?, ?)", (owner, title, body)
            )
            return Note(int(row.lastrowid or 0), owner, title, body)

    def find(self, note_id: int) -> Optional[Note]:
        with self._open() as database:
            row = database.execute("SELECT * FROM notes WHERE id = ?", (note_id,)).fetchone()
            return Note(*row) if row is not None else None

    def of_owner(self, owner: str) -> list[Note]:
        with self._open() as database:
            rows = database.execute("SELECT * FROM notes WHERE owner = ? ORDER BY id", (owner,))
            return [Note(*row) for row in rows]

    def all(self) -> list[Note]:
        with self._open() as database:
            return [Note(*row) for row in database.execute("SELECT * FROM notes ORDER BY id")]

    def update(self, note: Note) -> None:
        with self._open() as database:
            database.execute(
                "UPDATE notes SET title = ?, body = ? WHERE id = ?",
                (note.title, note.body, note.id),
            )

    def delete(self, note_id: int) -> None:
        with self._open() as database:
            database.execute("DELETE FROM notes WHERE id = ?", (note_id,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=5)
        try:
            with database:
                yield database
        finally:
            database.close()
