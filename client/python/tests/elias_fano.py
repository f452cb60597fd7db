"""The other half of decode_elias_fano, as the server does it."""

from __future__ import annotations

from collections.abc import Sequence


def encode(numbers: Sequence[int], low_bits: int) -> tuple[int, int, bytes, bytes]:
    """`numbers` in rising order -> (count, low_bits, lows, highs)."""
    count, mask = len(numbers), (1 << low_bits) - 1
    lows = bytearray((count * low_bits + 7) // 8)
    highs = bytearray(((numbers[-1] >> low_bits) + count + 7) // 8 if numbers else 0)
    for i, number in enumerate(numbers):
        place = (number >> low_bits) + i
        highs[place >> 3] |= 1 << (place & 7)
        first = i * low_bits
        field = (number & mask) << (first & 7)
        for at, byte in enumerate(field.to_bytes(8, "little")):
            if byte:
                lows[(first >> 3) + at] |= byte
    return count, low_bits, bytes(lows), bytes(highs)
