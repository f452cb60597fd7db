"""An app with sign-in, in the style of the FastAPI tutorials.

Users in SQLite through SQLModel, passwords through pwdlib, HS256 through
PyJWT. As there, nothing is remembered about a token: it is good until it
expires, and a refresh token may be used any number of times.
"""

import os
from datetime import datetime, timedelta, timezone
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Field, Session, SQLModel, create_engine, select

SECRET_KEY = os.environ["SECRET_KEY"]
LIFETIME = timedelta(seconds=int(os.environ["TOKEN_SECONDS"]))
engine = create_engine(os.environ["DATABASE"], connect_args={"check_same_thread": False})
passwords = PasswordHash((Argon2Hasher(time_cost=int(os.environ["PASSES"]), parallelism=1,
                                       memory_cost=int(os.environ["MEMORY_KIB"])),))
bearer = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    username: str = Field(index=True, unique=True)
    hashed_password: str
    disabled: bool = False


class NewUser(SQLModel):
    username: str
    password: str


class UserPublic(SQLModel):
    id: int
    username: str
    disabled: bool


class Tokens(SQLModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"


SQLModel.metadata.create_all(engine)


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def user_named(session, name):
    return session.exec(select(User).where(User.username == name)).first()


def token_for(user, kind):
    return jwt.encode({"sub": user.username, "kind": kind,
                       "exp": datetime.now(timezone.utc) + LIFETIME}, SECRET_KEY, "HS256")


def tokens_for(user):
    return Tokens(access_token=token_for(user, "access"),
                  refresh_token=token_for(user, "refresh"))


def user_of(session, token, kind):
    refusal = HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise refusal from None
    user = user_named(session, payload.get("sub"))
    if payload.get("kind") != kind or user is None or user.disabled:
        raise refusal
    return user


def get_current_user(session: SessionDep, token: Annotated[str, Depends(bearer)]):
    return user_of(session, token, "access")


@app.post("/users", response_model=UserPublic)
def create_user(new: NewUser, session: SessionDep):
    user = User(username=new.username, hashed_password=passwords.hash(new.password))
    session.add(user)
    session.commit()
    session.refresh(user)
    return user


@app.post("/token")
def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], session: SessionDep) -> Tokens:
    user = user_named(session, form.username)
    if user is None or not passwords.verify(form.password, user.hashed_password):
        raise HTTPException(401, "Incorrect username or password")
    return tokens_for(user)


@app.post("/refresh")
def refresh(refresh_token: Annotated[str, Form()], session: SessionDep) -> Tokens:
    return tokens_for(user_of(session, refresh_token, "refresh"))


@app.get("/users/me", response_model=UserPublic)
def read_users_me(user: Annotated[User, Depends(get_current_user)]):
    return user
