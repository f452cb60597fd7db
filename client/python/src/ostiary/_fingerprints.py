"""Revoked token and session ids as sorted numbers of 52 bits.

The feed sends them as Elias-Fano sets (FingerprintSet in the contract); here
they stand in arrays of eight bytes an entry. Pure Python, but each step is one
call over thousands of entries: a million take well under a second.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, islice
from typing import Union

FINGERPRINT_BITS = 52
# A frame of the feed has at most some megabytes; more is a broken sender.
_MAX_COUNT = 1 << 24


def token_fingerprint(token_id: str) -> int:
    return _fingerprint(b"token:", token_id)


def session_fingerprint(session_id: str) -> int:
    return _fingerprint(b"session:", session_id)


def _fingerprint(kind: bytes, text: str) -> int:
    digest = hashlib.sha256(kind + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") >> (7 * 8 - FINGERPRINT_BITS)


def decode_elias_fano(count: int, low_bits: int, lows: bytes, highs: bytes) -> list[int]:
    """The numbers in rising order. ValueError if the parts do not fit together."""
    if not 0 <= low_bits <= FINGERPRINT_BITS or not 0 <= count <= _MAX_COUNT:
        raise ValueError("a fingerprint set beyond its bounds")
    if len(lows) != (count * low_bits + 7) // 8 or len(highs) > 8 * _MAX_COUNT:
        raise ValueError("a fingerprint set of another length")
    rests = _ranks(highs, count)
    if not rests:
        return []
    if rests[-1] >> (FINGERPRINT_BITS - low_bits):
        raise ValueError("a fingerprint of more than 52 bits")
    if low_bits == 0:
        return rests
    return sorted(rest << low_bits | low for rest, low in zip(rests, _fields(lows, low_bits)))


def _ranks(highs: bytes, count: int) -> list[int]:
    """For each bit that is 1, the number of bits before it that are 0."""
    bits = format(int.from_bytes(highs, "little"), "b")[::-1] if count else ""
    runs = bits.split("1")  # ends with what follows the last 1: nothing
    if len(runs) - 1 != count:
        raise ValueError("a fingerprint set with another count")
    return list(accumulate(map(len, islice(runs, count))))


def _fields(data: bytes, width: int) -> Iterator[int]:
    """Fields of `width` bits, the first one in the lowest bits of the first byte."""
    mask = (1 << width) - 1
    # Eight fields fill `width` bytes exactly.
    for at in range(0, len(data), width):
        eight = int.from_bytes(data[at : at + width], "little")
        for shift in range(0, 8 * width, width):
            yield eight >> shift & mask


class FingerprintGroups:
    """Fingerprints in groups that are forgotten together.

    Forget times are rounded up, to some minutes and more if there would be too
    many groups: remembering longer is always right. One writer at a time;
    readers need no lock.
    """

    _MAX_GROUPS = 16
    _FOLD_AT = 4096

    def __init__(self) -> None:
        self._grain = 240.0
        self._arrays: dict[float, array[int]] = {}
        # What came one by one, until there is enough to sort it in.
        self._recent: dict[int, float] = {}

    def __contains__(self, fingerprint: int) -> bool:
        if fingerprint in self._recent:
            return True
        for numbers in tuple(self._arrays.values()):
            at = bisect_left(numbers, fingerprint)
            if at < len(numbers) and numbers[at] == fingerprint:
                return True
        return False

    def __len__(self) -> int:
        return len(self._recent) + sum(map(len, tuple(self._arrays.values())))

    def add(self, fingerprint: int, forget_at: float) -> None:
        """`forget_at`: seconds since 1970; infinite: never."""
        known = self._recent.get(fingerprint, -math.inf)
        self._recent[fingerprint] = max(forget_at, known)
        if len(self._recent) >= self._FOLD_AT:
            self._fold()

    def add_sorted(self, fingerprints: Union[list[int], array[int]], forget_at: float) -> None:
        if not fingerprints:
            return
        self._merge(self._rounded(forget_at), fingerprints)
        while len(self._arrays) > self._MAX_GROUPS:
            self._coarsen()

    def forget(self, until: float) -> None:
        """Drops every group whose time has come."""
        arrays = {at: numbers for at, numbers in self._arrays.items() if at > until}
        if len(arrays) != len(self._arrays):
            self._arrays = arrays
        if any(at <= until for at in self._recent.values()):
            self._recent = {f: at for f, at in self._recent.items() if at > until}

    def groups(self) -> list[tuple[float, array[int]]]:
        """All of them, for keeping on disk."""
        self._fold()
        return list(self._arrays.items())

    def _rounded(self, forget_at: float) -> float:
        if math.isinf(forget_at):
            return forget_at
        return math.ceil(forget_at / self._grain) * self._grain

    def _fold(self) -> None:
        by_group: dict[float, list[int]] = {}
        for fingerprint, forget_at in self._recent.items():
            by_group.setdefault(self._rounded(forget_at), []).append(fingerprint)
        for group, fingerprints in by_group.items():
            self._merge(group, fingerprints)
        while len(self._arrays) > self._MAX_GROUPS:
            self._coarsen()
        # Only now: a reader must find each one in either place.
        self._recent = {}

    def _merge(self, group: float, fingerprints: Iterable[int]) -> None:
        present = self._arrays.get(group)
        if present is None:
            merged = array("Q", sorted(fingerprints))
        else:
            merged = _without_repeats(sorted(chain(present, fingerprints)))
        self._arrays = {**self._arrays, group: merged}

    def _coarsen(self) -> None:
        self._grain *= 2
        coarse: dict[float, list[array[int]]] = {}
        for group, numbers in self._arrays.items():
            coarse.setdefault(self._rounded(group), []).append(numbers)
        self._arrays = {
            group: parts[0]
            if len(parts) == 1
            else _without_repeats(sorted(chain.from_iterable(parts)))
            for group, parts in coarse.items()
        }


def _without_repeats(numbers: list[int]) -> array[int]:
    after = islice(chain(numbers, (-1,)), 1, None)
    return array("Q", [one for one, next_one in zip(numbers, after) if one != next_one])
