"""Everything that is revoked, as far as this verifier knows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Optional

from google.protobuf.timestamp_pb2 import Timestamp

from ._claims import Claims
from ._fingerprints import (
    FingerprintGroups,
    decode_elias_fano,
    session_fingerprint,
    token_fingerprint,
)
from .v1.revocation_service_pb2 import FingerprintSet, RevocationEntry


def seconds_of(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9


def forget_time_of(message: RevocationEntry | FingerprintSet) -> float:
    return seconds_of(message.forget_time) if message.HasField("forget_time") else math.inf


@dataclass(frozen=True)
class Cutoff:
    """Tokens below a limit are revoked, until the cut-off is forgotten."""

    #: The lowest good generation, or the last issue time that is hit.
    limit: float
    forget_at: float

    def joined(self, other: Optional[Cutoff]) -> Cutoff:
        """Both: the higher limit, remembered as long as either of them."""
        if other is None:
            return self
        return Cutoff(max(self.limit, other.limit), max(self.forget_at, other.forget_at))


@dataclass
class RevokedSet:
    """Entries only add up. One writer at a time; readers need no lock."""

    ids: FingerprintGroups = field(default_factory=FingerprintGroups)
    accounts: dict[str, Cutoff] = field(default_factory=dict)
    clients: dict[str, Cutoff] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    everything: Optional[Cutoff] = None

    def __len__(self) -> int:
        exact = len(self.accounts) + len(self.clients) + len(self.keys)
        return len(self.ids) + exact + (self.everything is not None)

    def hits(self, claims: Claims, kid: str) -> bool:
        """True if any entry hits the token."""
        if kid in self.keys or token_fingerprint(claims.token_id) in self.ids:
            return True
        if claims.session_id and session_fingerprint(claims.session_id) in self.ids:
            return True
        account = self.accounts.get(claims.subject)
        if account is not None and (claims.generation or 0) < account.limit:
            return True
        client = self.clients.get(claims.client_id)
        if client is not None and claims.issued_at <= client.limit:
            return True
        everything = self.everything
        return everything is not None and claims.issued_at <= everything.limit

    def merge(
        self, entries: Iterable[RevocationEntry], sets: Iterable[FingerprintSet] = ()
    ) -> None:
        """ValueError if a set is not well-formed; what came before it stays."""
        for entry in entries:
            self._merge_entry(entry)
        for compact in sets:
            numbers = decode_elias_fano(
                compact.count, compact.low_bits, compact.lows, compact.highs
            )
            self.ids.add_sorted(numbers, forget_time_of(compact))

    def _merge_entry(self, entry: RevocationEntry) -> None:
        forget_at = forget_time_of(entry)
        target = entry.WhichOneof("target")
        if target == "token_id":
            self.ids.add(token_fingerprint(entry.token_id), forget_at)
        elif target == "session_id":
            self.ids.add(session_fingerprint(entry.session_id), forget_at)
        elif target == "account":
            cutoff = Cutoff(entry.account.min_generation, forget_at)
            self.add_account(entry.account.account_id, cutoff)
        elif target == "client":
            cutoff = Cutoff(seconds_of(entry.client.issued_before), forget_at)
            self.add_client(entry.client.client_id, cutoff)
        elif target == "key_id":
            self.keys.add(entry.key_id)
        elif target == "all":
            self.add_everything(Cutoff(seconds_of(entry.all.issued_before), forget_at))
        else:
            # A kind that is newer than this library cannot be obeyed, so
            # nothing after it may count as known.
            raise ValueError("a revocation of an unknown kind")

    def add_account(self, account_id: str, cutoff: Cutoff) -> None:
        self.accounts[account_id] = cutoff.joined(self.accounts.get(account_id))

    def add_client(self, client_id: str, cutoff: Cutoff) -> None:
        self.clients[client_id] = cutoff.joined(self.clients.get(client_id))

    def add_everything(self, cutoff: Cutoff) -> None:
        self.everything = cutoff.joined(self.everything)

    def forget(self, until: float) -> None:
        """Drops what no living token can be hit by any more. Keys stay."""
        self.ids.forget(until)
        for cutoffs in (self.accounts, self.clients):
            for name in [n for n, c in cutoffs.items() if c.forget_at <= until]:
                del cutoffs[name]
        if self.everything is not None and self.everything.forget_at <= until:
            self.everything = None
