"""What a core dump of a running process would hold, and what is in it."""

import os
import re
from dataclasses import dataclass


_PAGE = 4096
_ZEROES = bytes(_PAGE)


@dataclass
class Mapping:
    first: int
    last: int
    name: str
    flags: frozenset  # of VmFlags, man 5 proc

    @property
    def is_dumped(self):
        # "dd": MADV_DONTDUMP; "io", "pf": device memory.
        return not self.flags & {"dd", "io", "pf"}


_HEAD = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$")


def mappings(pid):
    """Every readable and writable stretch of memory of the process."""
    found = []
    head = None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            match = _HEAD.match(line)
            if match:
                head = match
            elif line.startswith("VmFlags:") and head:
                if head[3].startswith("rw"):
                    found.append(Mapping(int(head[1], 16), int(head[2], 16),
                                         head[4], frozenset(line.split()[1:])))
                head = None
    return found


@dataclass
class Piece:
    mapping: Mapping
    content: bytes


def memory(pid):
    """All that could be written, of every thread; also what a core leaves out
    (`Mapping.is_dumped`). Pages full of zeroes, most of it, are left out."""
    pieces = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for mapping in mappings(pid):
            content = bytearray()
            for at in range(mapping.first, mapping.last, _PAGE):
                try:
                    page = os.pread(mem.fileno(), _PAGE, at)
                except OSError:
                    continue  # a guard page
                if page != _ZEROES:
                    content += page
            pieces.append(Piece(mapping, bytes(content)))
    return pieces


_ANCHOR = 8


def longest_run(pieces, secret):
    """How many bytes of the secret stand together somewhere, if as many as 15
    do (of 15, 8 begin at a multiple of 8); else 0. What a block of memory has
    lost when it was freed and used again is often only its first bytes."""
    longest = 0
    for start in range(0, len(secret) - _ANCHOR + 1, _ANCHOR):
        anchor = secret[start:start + _ANCHOR]
        for piece in pieces:
            at = piece.content.find(anchor)
            while at >= 0:
                longest = max(longest, _extent(piece.content, at, secret,
                                               start))
                at = piece.content.find(anchor, at + 1)
    return longest if longest >= 2 * _ANCHOR - 1 else 0


def _extent(content, at, secret, start):
    first, last = start, start + _ANCHOR
    while first > 0 and at > 0 and content[at - 1] == secret[first - 1]:
        first, at = first - 1, at - 1
    end = at + last - first
    while (last < len(secret) and end < len(content)
           and content[end] == secret[last]):
        last, end = last + 1, end + 1
    return last - first
