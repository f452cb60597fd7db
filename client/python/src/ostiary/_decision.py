"""The check, in order: docs/verifiers.md. No I/O: what must be asked of the
server is handed back as an Ask."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Optional, Union

from ._claims import Claims
from ._jwt import (
    MAX_TOKEN_BYTES,
    CheckedToken,
    TokenRules,
    authenticate,
    check_authority,
    check_kind,
    check_time_and_audience,
    take_apart,
)
from ._keys import KeySet
from ._knowledge import Knowledge, Position
from ._pace import Breaker
from ._settings import AnyAudience, Audience, Policy, Settings
from .errors import CheckUnavailable, TokenError
from .v1.token_service_pb2 import VerifyRequest, VerifyResponse


@dataclass(frozen=True)
class Demand:
    """What a token must be good for."""

    #: None: any.
    audience: Optional[str]
    scopes: Collection[str]
    roles: Collection[str]
    policy: Policy
    min_revision: Optional[Position]


@dataclass(frozen=True)
class Ask:
    """A token that only the server can judge now. Ends with `Decider.answered`,
    `failed` or `withdrawn`."""

    token: str
    demand: Demand
    #: None: the key is not known here.
    checked: Optional[CheckedToken]

    def request(self) -> VerifyRequest:
        revision = self.demand.min_revision
        return VerifyRequest(
            token=self.token,
            audience=self.demand.audience or "",
            any_audience=self.demand.audience is None,
            required_scopes=list(self.demand.scopes),
            required_roles=list(self.demand.roles),
            min_revision="" if revision is None else revision.to_revision(),
        )


class TokenCache:
    """Tokens whose signature has been checked, by the SHA-256 of their text.

    Holds claims, never a verdict. Thread-safe.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._tokens: dict[bytes, CheckedToken] = {}
        self.hits = 0
        self.misses = 0

    def find(self, digest: bytes, keys: KeySet) -> Optional[CheckedToken]:
        token = self._tokens.get(digest)
        # A key that was withdrawn or replaced takes its tokens with it.
        if token is None or keys.find(token.key.kid) is not token.key:
            self.misses += 1
            return None
        self.hits += 1
        return token

    def put(self, digest: bytes, token: CheckedToken) -> None:
        if self._size == 0:
            return
        with self._lock:
            self._tokens[digest] = token
            if len(self._tokens) > self._size:
                del self._tokens[next(iter(self._tokens))]  # the oldest

    def keep_only(self, keys: KeySet) -> None:
        """Empties the cache of every token whose key is not in `keys`."""
        with self._lock:
            tokens = self._tokens
            self._tokens = {
                digest: token
                for digest, token in tokens.items()
                if keys.find(token.key.kid) is token.key
            }


@dataclass
class Decider:
    """Decides about tokens for one verifier. Thread-safe."""

    settings: Settings
    knowledge: Knowledge
    breaker: Breaker = field(default_factory=Breaker)

    def __post_init__(self) -> None:
        self.cache = TokenCache(self.settings.cache_size)
        self._rules = TokenRules(self.settings.issuer, frozenset(self.settings.algorithms))
        self._counted = threading.Lock()
        self._checks: Counter[str] = Counter()
        self._asks: Counter[str] = Counter()

    def demand(
        self,
        *,
        audience: Optional[Audience] = None,
        scopes: Collection[str] = (),
        roles: Collection[str] = (),
        policy: Optional[Union[Policy, str]] = None,
        min_revision: str = "",
    ) -> Demand:
        """ValueError for what can mean nothing or too much."""
        if isinstance(scopes, str) or isinstance(roles, str):
            raise ValueError("scopes and roles are lists of words")
        if audience == "":
            raise ValueError("audience must not be empty; ANY_AUDIENCE accepts any")
        wanted = self.settings.audience if audience is None else audience
        return Demand(
            audience=None if isinstance(wanted, AnyAudience) else wanted,
            scopes=tuple(scopes),
            roles=tuple(roles),
            policy=self.settings.policy if policy is None else Policy(policy),
            min_revision=Position.of_revision(min_revision) if min_revision else None,
        )

    def decide(self, token: str, demand: Demand) -> Union[Claims, Ask]:
        """Claims of a good token, or an Ask that was admitted. Raises TokenError."""
        try:
            verdict = self._judge(token, demand)
        except TokenError as error:
            self._count(self._checks, error.reason)
            raise
        if isinstance(verdict, Claims):
            self._count(self._checks, "OK")
        return verdict

    def answered(self, ask: Ask, response: VerifyResponse) -> Claims:
        """What the server's verdict comes to. Raises TokenError."""
        self.breaker.done(self.knowledge.clock.monotonic(), answered=True)
        reason = "" if response.valid else response.reason or "TOKEN_MALFORMED"
        self._count(self._asks, reason or "OK")
        try:
            if reason:
                raise TokenError(reason)
            claims = self._claims_vouched_for(ask)
        except TokenError as error:
            self._count(self._checks, error.reason)
            raise
        self._count(self._checks, "OK")
        return claims

    def failed(self, code: str) -> CheckUnavailable:
        """The server did not answer an Ask; what to raise."""
        self.breaker.done(self.knowledge.clock.monotonic(), answered=False)
        self._count(self._asks, code)
        self._count(self._checks, "CHECK_UNAVAILABLE")
        return CheckUnavailable(f"Ostiary did not answer: {code}")

    def withdrawn(self) -> None:
        """Whoever wanted to know about an Ask has gone."""
        self.breaker.withdrawn()

    @property
    def checks(self) -> Mapping[str, int]:
        with self._counted:
            return dict(self._checks)

    @property
    def asks(self) -> Mapping[str, int]:
        with self._counted:
            return dict(self._asks)

    def _count(self, counter: Counter[str], outcome: str) -> None:
        with self._counted:
            counter[outcome] += 1

    def _judge(self, text: str, demand: Demand) -> Union[Claims, Ask]:
        try:
            token = self._authenticated(text)
        except TokenError as error:
            if error.reason != "KEY_UNKNOWN" or self._knows_keys(demand):
                raise
            # The key may be newer than what is known here.
            if demand.policy is Policy.ASK_SERVER:
                return self._admitted(Ask(text, demand, checked=None))
            raise CheckUnavailable("the key may be newer than the feed") from None
        claims = token.claims
        self._check(claims, token.key.kid, demand)
        if self._is_fresh(demand):
            return claims
        if demand.policy is Policy.ASK_SERVER:
            return self._admitted(Ask(text, demand, token))
        if demand.policy is Policy.ACCEPT and self.knowledge.complete:
            if self._has_reached(demand.min_revision):
                return claims
        raise CheckUnavailable("the feed's knowledge is too old")

    def _authenticated(self, text: str) -> CheckedToken:
        if len(text) > MAX_TOKEN_BYTES or not text.isascii():
            raise TokenError("TOKEN_MALFORMED")
        keys = self.knowledge.keys
        digest = hashlib.sha256(text.encode("ascii")).digest()
        token = self.cache.find(digest, keys)
        if token is None:
            token = authenticate(text, self._rules, keys)
            self.cache.put(digest, token)
        return token

    def _check(self, claims: Claims, kid: str, demand: Demand) -> None:
        now = self.knowledge.clock.wall()
        check_time_and_audience(claims, now, self.settings.leeway, demand.audience)
        if self.knowledge.revoked.hits(claims, kid):
            raise TokenError("TOKEN_REVOKED")
        check_authority(claims, demand.scopes, demand.roles)

    def _claims_vouched_for(self, ask: Ask) -> Claims:
        """The server says the token is good. It is held against what is known
        here all the same: a revocation may have come in meanwhile."""
        if ask.checked is not None:
            claims, kid = ask.checked.claims, ask.checked.key.kid
        else:
            token = take_apart(ask.token)
            check_kind(token, self._rules)
            claims, kid = token.claims, token.kid or ""
        self._check(claims, kid, ask.demand)
        return claims

    def _within_bound(self) -> bool:
        return self.knowledge.staleness() <= self.settings.staleness_bound

    def _has_reached(self, wanted: Optional[Position]) -> bool:
        if wanted is None:
            return True
        reached = self.knowledge.reached.get(wanted.epoch, -1)
        return reached >= wanted.sequence

    def _is_fresh(self, demand: Demand) -> bool:
        return self._within_bound() and self._has_reached(demand.min_revision)

    def _knows_keys(self, demand: Demand) -> bool:
        return self.knowledge.has_keys and self._is_fresh(demand)

    def _admitted(self, ask: Ask) -> Ask:
        if not self.breaker.admit(self.knowledge.clock.monotonic()):
            self._count(self._asks, "NOT_ASKED")
            raise CheckUnavailable("too many asks, or none is answered")
        return ask
