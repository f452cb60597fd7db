"""A witness outside the server: what it acknowledged, and what must follow.

Each Witness is one person who signs in, refreshes, revokes and changes the
password, one call at a time. What was acknowledged is written down; of the one
call that a crash cut off, only that its outcome is not known. `settle` finds
out after the restart and holds the server to all of it.
"""

from dataclasses import dataclass, field

import httpx

from doors import Refused
from house import new_password

# Presenting this many generations back is theft, whatever the window.
_STOLEN = 3
_MOST_CHAINS = 8
_TOKENS_REMEMBERED = 300


class CutOff(Exception):
    """The server went away during a call: its outcome is not known."""


@dataclass
class Chain:
    """One session: its refresh tokens in order, the last being current."""

    session_id: str
    refresh: list = field(default_factory=list)
    access: list = field(default_factory=list)

    def add(self, tokens):
        assert tokens.session_id == self.session_id
        self.refresh.append(tokens.refresh_token)
        self.access.append(tokens.access_token)


class Witness:
    def __init__(self, person, chance):
        self.person, self.chance = person, chance
        self.live, self.ended = [], []
        self.refused = []  # access tokens that must never pass again
        self.pending = None  # (kind, subject) of the call under way
        self.acknowledged = 0

    # -- calls --------------------------------------------------------------

    @property
    def house(self):
        return self.person.house

    def ask(self, method, request, token=None):
        """Answers, refuses, or was cut off; through either door."""
        door = self.chance.choice((self.house.grpc, self.house.http))
        try:
            return door.call(method, request, token=token)
        except httpx.HTTPError as error:
            raise CutOff(str(error)) from None
        except Refused as refused:
            if refused.code in ("UNAVAILABLE", "CANCELLED",
                                "DEADLINE_EXCEEDED"):
                raise CutOff(str(refused)) from None
            raise

    def must_refuse(self, method, request, why):
        try:
            self.ask(method, request)
        except Refused as refused:
            assert refused.reason == "REFRESH_REJECTED", (why, refused)
        else:
            raise AssertionError(why)

    def do(self, kind, subject, action):
        """Writes down what is under way before it is asked for."""
        self.pending = (kind, subject)
        action()
        self.pending = None
        self.acknowledged += 1

    # -- what it does at random ----------------------------------------------

    def step(self):
        actions = [self.sign_in]
        if self.live:
            actions += [self.refresh] * 6 + [self.retry] * 2 + [
                self.revoke_token] * 2 + [self.verify] * 4 + [
                self.revoke_session, self.steal, self.change_password]
        self.chance.choice(actions)()

    def sign_in(self):
        def action():
            tokens = self.ask("AuthService/SignInWithPassword", {
                "identifier": self.person.username,
                "password": self.person.password}).tokens
            chain = Chain(tokens.session_id)
            chain.add(tokens)
            self.live.append(chain)
        self.do("sign_in", None, action)
        if len(self.live) > _MOST_CHAINS:
            self.revoke_session()

    def present(self, chain, refresh_token):
        return self.ask("AuthService/Refresh",
                        {"refresh_token": refresh_token}).tokens

    def refresh(self):
        chain = self.chance.choice(self.live)
        self.do("refresh", chain,
                lambda: chain.add(self.present(chain, chain.refresh[-1])))

    def retry(self):
        chain = self.chance.choice(self.live)
        if len(chain.refresh) < 2:
            return
        tokens = self.present(chain, chain.refresh[-2])
        assert tokens.refresh_token == chain.refresh[-1], "a second successor"

    def steal(self):
        chain = self.chance.choice(self.live)
        if len(chain.refresh) < _STOLEN:
            return
        self.do("end", chain, lambda: self.must_refuse(
            "AuthService/Refresh", {"refresh_token": chain.refresh[-_STOLEN]},
            "a refresh token was used twice"))
        self.end(chain)

    def revoke_token(self):
        token = self.chance.choice(self.live).access[-1]
        self.do("revoke_token", token,
                lambda: self.ask("TokenService/Revoke", {"token": token}))
        self.refused.append(token)

    def revoke_session(self):
        chain = self.chance.choice(self.live)
        self.do("end", chain, lambda: self.ask(
            "AuthService/SignOut", {"refresh_token": chain.refresh[-1]}))
        self.end(chain)

    def change_password(self):
        chain = self.chance.choice(self.live)
        new = new_password()
        # A token of now: the one at hand may have been revoked.
        self.do("refresh", chain,
                lambda: chain.add(self.present(chain, chain.refresh[-1])))
        if chain.access[-1] in self.refused:
            return
        self.do("change_password", (chain, new), lambda: self.ask(
            "AuthService/ChangePassword",
            {"current_password": self.person.password, "new_password": new},
            token=chain.access[-1]))
        self.password_changed(chain, new)

    def verify(self):
        """What was acknowledged as revoked is refused from then on."""
        if self.refused:
            token = self.chance.choice(self.refused)
            assert self.verdicts([token]) == ["TOKEN_REVOKED"]
        chain = self.chance.choice(self.live)
        if chain.access[-1] not in self.refused:
            assert self.verdicts(chain.access[-1:]) == ["VALID"]

    # -- what has happened ---------------------------------------------------

    def end(self, chain):
        self.live.remove(chain)
        self.ended.append(chain)
        self.refused += chain.access

    def password_changed(self, survivor, new):
        self.person.password = new
        for chain in list(self.live):
            if chain is not survivor:
                self.end(chain)
        self.refused += survivor.access
        # Its tokens have ended, it has not: the next refresh gives new ones.
        survivor.add(self.present(survivor, survivor.refresh[-1]))

    def verdicts(self, tokens):
        answers = []
        for at in range(0, len(tokens), 100):
            request = {"requests": [{"token": t} for t in tokens[at:at + 100]]}
            answers += self.ask("TokenService/BatchVerify", request).responses
        return ["VALID" if a.valid else a.reason for a in answers]

    # -- after the crash -----------------------------------------------------

    def settle(self):
        """Finds out how the call that was cut off ended, then checks all."""
        pending, self.pending = self.pending, None
        if pending is not None:
            getattr(self, "settle_" + pending[0])(pending[1])
        self.refused = self.refused[-_TOKENS_REMEMBERED:]
        self.ended = self.ended[-20:]
        self.check()

    def settle_sign_in(self, _):
        """A session may be there that nobody has the tokens of."""

    def settle_refresh(self, chain):
        # Rotated or not, the token presented is honoured: its answer was lost.
        chain.add(self.present(chain, chain.refresh[-1]))

    def settle_revoke_token(self, token):
        verdict = self.verdicts([token])[0]
        assert verdict in ("VALID", "TOKEN_REVOKED"), verdict
        if verdict == "TOKEN_REVOKED":
            self.refused.append(token)

    def settle_end(self, chain):
        """All of the session has ended, or nothing of it."""
        told = {verdict for token, verdict in zip(
            chain.access, self.verdicts(chain.access))
            if token not in self.refused}
        assert told <= {"VALID"} or told <= {"TOKEN_REVOKED"}, told
        if not told:
            try:
                chain.add(self.present(chain, chain.refresh[-1]))
            except Refused as refused:
                assert refused.reason == "REFRESH_REJECTED", refused
                self.end(chain)
        elif told == {"TOKEN_REVOKED"}:
            self.end(chain)

    def settle_change_password(self, subject):
        survivor, new = subject
        works = []
        for password in (self.person.password, new):
            try:
                works.append(bool(self.person.sign_in(password=password)))
            except Refused as refused:
                assert refused.reason == "CREDENTIALS_REJECTED", refused
                works.append(False)
        assert sorted(works) == [False, True], "neither or both passwords work"
        if works[1]:
            self.password_changed(survivor, new)

    def check(self):
        person = self.house.grpc.call(
            "AuthService/GetCurrentAccount",
            token=self.person.sign_in().access_token).account
        assert person.account_id == self.person.account_id
        told = set(self.verdicts(self.refused))
        assert told <= {"TOKEN_REVOKED"}, f"revoked, and yet {told}"
        fresh = [chain.access[-1] for chain in self.live
                 if chain.access[-1] not in self.refused]
        told = set(self.verdicts(fresh)) if fresh else set()
        assert told <= {"VALID"}, f"acknowledged, and yet {told}"
        for chain in self.ended:
            self.must_refuse("AuthService/Refresh",
                             {"refresh_token": chain.refresh[-1]},
                             "a session that had ended refreshed")
        for chain in self.live:
            chain.add(self.present(chain, chain.refresh[-1]))
