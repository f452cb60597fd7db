"""What a verifier knows, kept over a restart.

One line that names the format, one line of JSON, the fingerprints as
little-endian numbers of 64 bits, and the SHA-256 of all before. It holds
public keys that will be trusted, so one that others could have written is not
read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import stat
import sys
import tempfile
from array import array
from pathlib import Path
from typing import Any, Optional, Union

from ._keys import KeySet
from ._knowledge import Knowledge, Position
from ._revoked import Cutoff

EVERY_SECONDS = 30.0
_MAGIC = b"ostiary-python-state 1\n"
_DIGEST_BYTES = 32
_MAX_BYTES = 512 * 1024 * 1024

_log = logging.getLogger("ostiary")

PathLike = Union[str, "os.PathLike[str]"]


def write_state(path: PathLike, issuer: str, knowledge: Knowledge) -> None:
    """Does nothing before the first complete snapshot. A failure is logged."""
    text = _encode(issuer, knowledge)
    if text is None:
        return
    target = Path(path)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=target.name + ".", dir=target.parent)  # 0600
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        os.replace(temporary, target)
    except OSError as error:
        _log.warning("the state file cannot be written: %s", error.strerror)
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def read_state(path: PathLike, issuer: str, knowledge: Knowledge) -> bool:
    """Merges the file into `knowledge`, which must be new. False, with a
    warning, for a file that is not whole, not ours or of another issuer."""
    try:
        data = _read_own_file(Path(path))
        if data is None:
            return False
        _decode(data, issuer, knowledge)
    except OSError as error:
        _log.warning("the state file cannot be read: %s", error.strerror)
        return False
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("the state file is ignored: %s", error)
        return False
    return True


def _read_own_file(path: Path) -> Optional[bytes]:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            raise ValueError("it is no ordinary file")
        if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
            raise ValueError("others could have written it")
        return file.read()


def _encode(issuer: str, knowledge: Knowledge) -> Optional[bytes]:
    with knowledge.lock:
        position = knowledge.position
        if position is None:
            return None
        revoked = knowledge.revoked
        groups = revoked.ids.groups()
        head = {
            "issuer": issuer,
            "keys": [dict(key.jwk) for key in knowledge.keys.keys],
            "cursor": knowledge.cursor,
            "epoch": position.epoch,
            "sequence": position.sequence,
            "reached": [[epoch, sequence] for epoch, sequence in knowledge.reached.items()],
            "as_of": knowledge.as_of if math.isfinite(knowledge.as_of) else 0,
            "accounts": [[name, *_row(cutoff)] for name, cutoff in revoked.accounts.items()],
            "clients": [[name, *_row(cutoff)] for name, cutoff in revoked.clients.items()],
            "revoked_keys": sorted(revoked.keys),
            "all": _row(revoked.everything) if revoked.everything else None,
            "groups": [[_finite(forget_at), len(numbers)] for forget_at, numbers in groups],
        }
    parts = [_MAGIC, json.dumps(head, separators=(",", ":")).encode() + b"\n"]
    parts += [_little_endian(numbers).tobytes() for _, numbers in groups]
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def _decode(data: bytes, issuer: str, knowledge: Knowledge) -> None:
    body, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != digest:
        raise ValueError("its checksum does not hold")
    end = body.index(b"\n", len(_MAGIC))
    head: dict[str, Any] = json.loads(body[len(_MAGIC) : end])
    if head["issuer"] != issuer:
        raise ValueError("it is of another issuer")

    keys = KeySet.from_jwks(head["keys"])
    revoked = knowledge.revoked
    at = end + 1
    for forget_at, count in head["groups"]:
        numbers = array("Q")
        numbers.frombytes(body[at : at + 8 * count])
        revoked.ids.add_sorted(_little_endian(numbers), _infinite(forget_at))
        at += 8 * count
    for name, limit, forget_at in head["accounts"]:
        revoked.add_account(name, Cutoff(limit, _infinite(forget_at)))
    for name, limit, forget_at in head["clients"]:
        revoked.add_client(name, Cutoff(limit, _infinite(forget_at)))
    revoked.keys.update(head["revoked_keys"])
    if head["all"] is not None:
        revoked.add_everything(Cutoff(head["all"][0], _infinite(head["all"][1])))
    knowledge.keys = keys
    knowledge.reached.update({epoch: sequence for epoch, sequence in head["reached"]})
    position = Position(head["epoch"], head["sequence"])
    knowledge.remember(position, head["cursor"], head["as_of"])


def _row(cutoff: Cutoff) -> list[Optional[float]]:
    return [cutoff.limit, _finite(cutoff.forget_at)]


def _finite(forget_at: float) -> Optional[float]:
    return forget_at if math.isfinite(forget_at) else None  # JSON knows no infinity


def _infinite(forget_at: Optional[float]) -> float:
    return math.inf if forget_at is None else forget_at


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers = array("Q", numbers)
        numbers.byteswap()
    return numbers
