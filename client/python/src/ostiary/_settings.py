"""What a verifier is built from."""

from __future__ import annotations

import enum
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Optional, Union

import grpc

from ._jwt import MAX_TOKEN_BYTES
from ._keys import ALGORITHMS
from ._pace import silence_bound

_MAX_LEEWAY_SECONDS = 300


class Policy(str, enum.Enum):
    """What to do when the feed's knowledge is older than the bound."""

    #: Ask the server; CHECK_UNAVAILABLE if it does not answer.
    ASK_SERVER = "ask-server"
    #: CHECK_UNAVAILABLE.
    REFUSE = "refuse"
    #: Accept what is not known to be revoked.
    ACCEPT = "accept"


class AnyAudience(enum.Enum):
    """The type of ANY_AUDIENCE."""

    ANY_AUDIENCE = enum.auto()


#: The caller has another way to know that a token is meant for it.
ANY_AUDIENCE = AnyAudience.ANY_AUDIENCE

Audience = Union[str, AnyAudience]


@dataclass(frozen=True)
class Credentials:
    """How to reach Ostiary. Without anything: in plaintext."""

    #: PEM; None with `tls` set: the system's.
    root_certificates: Optional[bytes] = None
    #: PEM, for mutual TLS: both or none.
    certificate_chain: Optional[bytes] = None
    private_key: Optional[bytes] = None
    #: Sent with every call as "authorization: Bearer ...".
    bearer_token: Optional[str] = None
    tls: bool = False

    def __post_init__(self) -> None:
        if (self.certificate_chain is None) != (self.private_key is None):
            raise ValueError("a client certificate needs its private key, and the other way round")

    def channel_credentials(self) -> Optional[grpc.ChannelCredentials]:
        """None: plaintext."""
        given = self.root_certificates is not None or self.certificate_chain is not None
        if not self.tls and not given:
            return None
        return grpc.ssl_channel_credentials(
            self.root_certificates, self.private_key, self.certificate_chain
        )

    def metadata(self) -> tuple[tuple[str, str], ...]:
        if self.bearer_token is None:
            return ()
        return (("authorization", f"Bearer {self.bearer_token}"),)

    def __repr__(self) -> str:
        return f"Credentials(tls={self.channel_credentials() is not None})"  # no secrets in logs


@dataclass(frozen=True)
class Settings:
    """docs/verifiers.md, "Settings". Times in seconds. ValueError for what
    contradicts itself: when built, not when used."""

    target: str
    issuer: str
    audience: Audience = "api"
    leeway: float = 60.0
    algorithms: Collection[str] = ALGORITHMS
    staleness_bound: float = 10.0
    policy: Policy = Policy.ASK_SERVER
    ask_timeout: float = 1.0
    cache_size: int = 10_000
    state_file: Optional[Union[str, os.PathLike[str]]] = None
    credentials: Credentials = Credentials()
    #: None: half of the staleness bound, at least 2 s and at most 5 s.
    silence: Optional[float] = None

    def __post_init__(self) -> None:
        _require(bool(self.target), "target must not be empty")
        _require(bool(self.issuer), "issuer must not be empty")
        _require(self.audience != "", "audience must not be empty; ANY_AUDIENCE accepts any")
        _require(0 <= self.leeway <= _MAX_LEEWAY_SECONDS, "leeway must be 0 to 5 minutes")
        _require(not isinstance(self.algorithms, str), "algorithms is a list")
        _require(len(self.algorithms) > 0, "algorithms must name at least one")
        _require(set(self.algorithms) <= set(ALGORITHMS), "algorithms: ES256, RS256, EdDSA")
        _require(self.staleness_bound > 0, "staleness_bound must be positive")
        _require(self.ask_timeout > 0, "ask_timeout must be positive")
        _require(self.cache_size >= 0, "cache_size must not be negative")
        _require(self.silence is None or self.silence > 0, "silence must be positive")

    @property
    def silence_seconds(self) -> float:
        return silence_bound(self.staleness_bound) if self.silence is None else self.silence


def _require(good: bool, why: str) -> None:
    if not good:
        raise ValueError(why)


#: For every channel. Each verifier has a connection of its own and comes back
#: to a server soon after it is there again.
CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_metadata_size", 2 * MAX_TOKEN_BYTES),
)
