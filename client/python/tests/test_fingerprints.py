"""Fingerprint sets: what the server packs is what is found here."""

from __future__ import annotations

import hashlib
import random
import time

import pytest
from elias_fano import encode

from ostiary._fingerprints import (
    FingerprintGroups,
    decode_elias_fano,
    session_fingerprint,
    token_fingerprint,
)


def numbers(count: int, bits: int, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return sorted(chance.getrandbits(bits) for _ in range(count))


def test_a_fingerprint_is_the_first_52_bits_of_the_hash() -> None:
    digest = hashlib.sha256(b"token:abc").hexdigest()
    assert token_fingerprint("abc") == int(digest[:13], 16)
    assert session_fingerprint("abc") == int(hashlib.sha256(b"session:abc").hexdigest()[:13], 16)


@pytest.mark.parametrize("low_bits", range(53))
def test_every_width_is_read(low_bits: int) -> None:
    for count in (1, 2, 7, 8, 9, 40):
        packed = numbers(count, min(52, low_bits + 4), seed=count)
        assert decode_elias_fano(*encode(packed, low_bits)) == packed


def test_nothing_is_nothing() -> None:
    assert decode_elias_fano(0, 0, b"", b"") == []
    assert decode_elias_fano(0, 52, b"", b"\0") == []


@pytest.mark.parametrize(
    ("count", "low_bits", "lows", "highs"),
    [
        (1, 53, b"\0" * 7, b"\1"),
        (1, 8, b"", b"\1"),
        (1, 8, b"\0\0", b"\1"),
        (2, 8, b"\0\0", b"\1"),
        (1, 8, b"\0", b"\3"),
        (1, 52, b"\0" * 7, b"\2"),
        (1 << 30, 0, b"", b"\xff"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    count: int, low_bits: int, lows: bytes, highs: bytes
) -> None:
    with pytest.raises(ValueError):
        decode_elias_fano(count, low_bits, lows, highs)


def test_a_million_are_read_quickly_and_kept_small() -> None:
    packed = encode(numbers(1_000_000, 52), 32)
    assert len(packed[2]) + len(packed[3]) < 5_000_000
    groups = FingerprintGroups()
    begun = time.process_time()
    groups.add_sorted(decode_elias_fano(*packed), 1e9)
    assert time.process_time() - begun < 2  # 0.3 s on an idle machine
    assert sum(array.itemsize * len(array) for _, array in groups.groups()) <= 8_000_000
    assert numbers(1_000_000, 52)[-1] in groups


class TestGroups:
    def test_all_are_found_and_no_other(self) -> None:
        groups = FingerprintGroups()
        known = numbers(20_000, 52)
        groups.add_sorted(known[::2], 1000)
        for number in known[1::2]:
            groups.add(number, 2000)
        assert all(number in groups for number in known)
        strangers = set(numbers(20_000, 52, seed=2)) - set(known)
        assert not any(number in groups for number in strangers)

    def test_the_same_snapshot_again_takes_no_more_room(self) -> None:
        groups = FingerprintGroups()
        for _ in range(3):
            groups.add_sorted(numbers(1000, 52), 1000)
        assert len(groups) == 1000

    def test_none_is_forgotten_before_its_time(self) -> None:
        groups = FingerprintGroups()
        for minute in range(300):  # many groups: they are joined
            groups.add_sorted([minute], 60.0 * minute)
        for minute in range(300, 310):
            groups.add(minute, 60.0 * minute)
        assert len(groups.groups()) <= 16
        groups.forget(60.0 * 100)
        assert all(minute in groups for minute in range(101, 310))
        groups.forget(60.0 * 1000)
        assert len(groups) == 0

    def test_the_later_of_two_forget_times_counts(self) -> None:
        groups = FingerprintGroups()
        groups.add(7, 5000)
        groups.add(7, 100)
        groups.forget(4000)
        assert 7 in groups
        groups.add_sorted([8], 100)
        groups.add_sorted([8], 5000)
        groups.forget(4000)
        assert 8 in groups
