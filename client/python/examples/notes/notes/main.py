"""For `uvicorn notes.main:app`. Settings come from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from ostiary.fastapi import Ostiary

from .app import create_app

app = create_app(
    Ostiary(
        os.environ.get("OSTIARY_TARGET", "127.0.0.1:50051"),
        issuer=os.environ.get("OSTIARY_ISSUER", "http://127.0.0.1:8080"),
        policy=os.environ.get("OSTIARY_POLICY", "ask-server"),
    ),
    Path(os.environ.get("NOTES_DB", "notes.sqlite3")),
)
