"""The app of the FastAPI tutorials, under uvicorn, one process."""

import json
import secrets
import sys

from contract import (HERE, ISSUE, MEMORY_KIB, PASSES, PASSWORD, SIGN_IN, TOKEN_SECONDS, USERS,
                      VERIFY, Action, Call, Peer, answer_to, cached, form, run)

RAW = f"""
import sys, time
from argon2.low_level import Type, hash_secret_raw
def once():
    hash_secret_raw(b"x" * 15, b"y" * 16, {PASSES}, {MEMORY_KIB}, 1, 32, Type.ID)
once()
began = time.process_time()
for _ in range(40):
    once()
print((time.process_time() - began) * 1e6 / 40)
"""


class FastApi(Peer):
    name = "fastapi"
    ready = Call("/users/me")
    ready_status = first_status = 401
    notes = "nothing durable in a token's life; signs with HS256"

    def install(self):
        def fill(folder):
            run(sys.executable, "-m", "venv", folder)
            run(folder / "bin/pip", "install", "--quiet", "-r",
                HERE / "fastapi_app/requirements.txt")
        self.bin = cached("fastapi", fill) / "bin"

    def version(self):
        frozen = dict(line.split("==") for line in run(self.bin / "pip", "freeze").split()
                      if "==" in line)
        return (f"FastAPI {frozen['fastapi']}, uvicorn {frozen['uvicorn']}, "
                f"PyJWT {frozen['PyJWT']}, pwdlib {frozen['pwdlib']}, "
                f"SQLModel {frozen['sqlmodel']}, Python {sys.version.split()[0]}")

    def prepare(self, folder):
        self.secret = secrets.token_hex(32)

    def command(self):
        return ([self.bin / "uvicorn", "app:app", "--app-dir", HERE / "fastapi_app", "--host",
                 "127.0.0.1", "--port", self.port, "--no-access-log", "--log-level", "warning"],
                {"DATABASE": f"sqlite:///{self.folder}/app.db", "SECRET_KEY": self.secret,
                 "TOKEN_SECONDS": str(TOKEN_SECONDS), "MEMORY_KIB": str(MEMORY_KIB),
                 "PASSES": str(PASSES), "PYTHONDONTWRITEBYTECODE": "1"})

    def fill(self):
        for user in USERS:
            answer_to(self.port, Call("/users", json.dumps(
                {"username": user, "password": PASSWORD}), {"Content-Type": "application/json"}))

    def actions(self):
        sign_ins = [form("/token", username=user, password=PASSWORD) for user in USERS]
        tokens = [answer_to(self.port, call) for call in sign_ins]
        return {
            VERIFY: Action("GET /users/me: decodes the JWT, looks the user up",
                           [Call("/users/me", headers={"Authorization": f"Bearer {one['access_token']}"})
                            for one in tokens], '"username"'),
            ISSUE: Action("POST /refresh: decodes a JWT, looks the user up, makes two",
                          [form("/refresh", refresh_token="%", carry=one["refresh_token"])
                           for one in tokens], '"access_token"', "refresh_token"),
            SIGN_IN: Action("POST /token", sign_ins, '"access_token"'),
        }

    def raw_hash(self):
        return float(run(self.bin / "python", "-c", RAW))


PEERS = [FastApi]
