"""Base64url and JSON without second spellings.

Two texts must never be the same token, and two readers must never see
different claims in one text.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any, Optional

MAX_DEPTH = 32


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> Optional[bytes]:
    """The bytes, if `text` is their one canonical spelling without padding."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # Foreign characters, padding and trailing bits do not survive this.
    return data if encode_base64url(data) == text else None


def parse_json_object(data: bytes) -> Optional[dict[str, Any]]:
    """The object that `data` is, or None if it is not strict RFC 8259.

    Refused at any depth: members of one name, numbers beyond a double, lone
    surrogates; and more than MAX_DEPTH levels.
    """
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        if not isinstance(value, dict) or _depth(value, 0) > MAX_DEPTH:
            return None
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("two members of one name")
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond a double")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 300:
        _finite(digits)
    return int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _depth(value: Any, above: int) -> int:
    if above > MAX_DEPTH:
        return above
    if isinstance(value, dict):
        return max((_depth(v, above + 1) for v in value.values()), default=above + 1)
    if isinstance(value, list):
        return max((_depth(v, above + 1) for v in value), default=above + 1)
    return above


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_int=_whole, parse_constant=_refuse
)
