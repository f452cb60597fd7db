"""One person outside the server: what it acknowledged, and what must follow.

Each Witness signs in, refreshes, revokes, signs out, changes the password, is
disabled, one call at a time. What was acknowledged is remembered; of the one
call that a crash cut off, only that its outcome is not known. `settle` finds
out after the restart and holds the server to all of it.
"""

from dataclasses import dataclass, field

import httpx

from doors import Refused
from house import new_name, new_password
from journal import CutOff, Token, fingerprint

# Presenting this many generations back is theft, whatever the window.
_STOLEN = 3
_MOST_CHAINS = 6
# Verified again after each crash; all of them are at the end.
_NEWEST, _SAMPLE = 60, 30


class KeyGone(Exception):
    """The key of the caller's own token was revoked meanwhile."""


@dataclass
class Chain:
    """One session: its refresh tokens in order, the last being current."""

    session_id: str
    refresh: list = field(default_factory=list)
    access: list = field(default_factory=list)
    asked_as: list = field(default_factory=list)  # request ids that got them

    def add(self, tokens, request_id=""):
        assert tokens.session_id == self.session_id
        self.refresh.append(tokens.refresh_token)
        self.asked_as.append(request_id)
        self.access.append(Token.read(tokens.access_token))

    @property
    def token(self):
        return self.access[-1]


class Witness:
    def __init__(self, site, name, chance):
        self.site, self.name, self.chance = site, name, chance
        self.username, self.password = new_name(), new_password()
        self.account_id = None
        self.disabled = False
        self.ticket = ""  # of the revocation that was acknowledged last
        self.live, self.ended = [], []
        self.refused = {}  # access tokens that must never pass again
        self.others = []  # (username, password) of accounts signed up under way
        self.pending = None  # (kind, subject) of the call under way
        self.sign_up(self.username, self.password)
        self.unsettled = False

    # -- calls ---------------------------------------------------------------

    def ask(self, method, request=None, *, door=None, token=None, kind=None,
            **named):
        """Answers, refuses, or was cut off; through either door."""
        house = self.site.house
        door = door or self.chance.choice((house.grpc, house.http))
        asked = named.pop("asked", {})
        line = kind and {"kind": kind, "account": self.account_id, **asked}
        try:
            answer = self.site.journal.ask(
                self.name, door, method, request, line=line,
                token=token and token.text, **named)
            self.ticket = getattr(answer, "revision", "") or self.ticket
            return answer
        except Refused as refused:
            if refused.reason == "ACCESS_TOKEN_REJECTED" and (
                    self.site.keys.in_doubt(token.key)):
                raise KeyGone from None
            raise

    def do(self, pending, subject, action):
        """Writes down what is under way before it is asked for."""
        self.pending = (pending, subject)
        action()
        self.pending = None

    def audit(self, action, outcome="ok"):
        return action, outcome, self.account_id

    def present(self, chain, refresh_token, request_id=""):
        return self.ask(
            "AuthService/Refresh", {"refresh_token": refresh_token,
                                    "request_id": request_id},
            kind="refresh", asked={"session": chain.session_id,
                                   "presented": fingerprint(refresh_token),
                                   "request_id": request_id}).tokens

    def must_refuse(self, chain, refresh_token, why, **named):
        try:
            self.ask("AuthService/Refresh", {"refresh_token": refresh_token},
                     kind="refresh", asked={
                         "session": chain.session_id,
                         "presented": fingerprint(refresh_token)}, **named)
        except Refused as refused:
            assert refused.reason == "REFRESH_REJECTED", (why, refused)
        else:
            raise AssertionError(why)

    def sign_in_as(self, username, password):
        """The tokens, or None if it was rejected as it would be for anybody."""
        own = username == self.username
        try:
            return self.ask(
                "AuthService/SignInWithPassword",
                {"identifier": username, "password": password},
                kind=own and "sign_in" or None,
                asked={"password": fingerprint(password)},
                audit=own and self.audit("session.sign_in") or None).tokens
        except Refused as refused:
            assert refused.reason == "CREDENTIALS_REJECTED", refused
            return None

    def open_session(self):
        tokens = self.sign_in_as(self.username, self.password)
        assert tokens is not None, "the password that holds was rejected"
        chain = Chain(tokens.session_id)
        chain.add(tokens)
        self.live.append(chain)
        return chain

    def sign_up(self, username, password):
        account = self.site.journal.ask(
            self.name, self.site.house.grpc, "AuthService/SignUp",
            {"username": username, "password": password},
            line={"kind": "sign_up", "password": fingerprint(password)}).account
        self.site.journal.expect_audit("account.sign_up", account.account_id)
        if self.account_id is None:
            self.account_id = account.account_id
            self.site.journal.people.add(self.account_id)

    # -- what it does at random ----------------------------------------------

    def step(self):
        actions = [self.do_sign_in]
        if self.live:
            actions += [self.do_refresh] * 6 + [self.do_retry] * 2 + [
                self.do_revoke_token] * 2 + [self.do_verify] * 4 + [
                self.do_sign_out, self.do_revoke_session, self.do_steal,
                self.do_change_password, self.do_list]
        if self.chance.random() < 0.06:
            actions = [self.do_disable, self.do_revoke_all, self.do_sign_up]
        try:
            self.chance.choice(actions)()
        except KeyGone:
            self.pending = None
            self.renew(self.chance.choice(self.live))

    def do_sign_in(self):
        self.do("sign_in", None, self.open_session)
        if len(self.live) > _MOST_CHAINS:
            self.do_sign_out()

    def do_sign_up(self):
        username, password = new_name(), new_password()
        self.do("sign_up", (username, password),
                lambda: self.sign_up(username, password))
        self.others.append((username, password))

    def renew(self, chain):
        request_id = (f"{self.chance.getrandbits(96):024x}"
                      if self.chance.random() < 0.3 else "")
        self.do("refresh", (chain, request_id), lambda: chain.add(
            self.present(chain, chain.refresh[-1], request_id), request_id))

    def do_refresh(self):
        self.renew(self.chance.choice(self.live))

    def do_retry(self):
        chain = self.chance.choice(self.live)
        if len(chain.refresh) < 2:
            return
        tokens = self.present(chain, chain.refresh[-2], chain.asked_as[-1])
        assert tokens.refresh_token == chain.refresh[-1], "a second successor"

    def do_steal(self):
        chain = self.chance.choice(self.live)
        if len(chain.refresh) < _STOLEN:
            return
        self.do("end", chain, lambda: self.must_refuse(
            chain, chain.refresh[-_STOLEN], "a refresh token was used twice",
            audit=self.audit("session.refresh", "reused"),
            refused_as="REFRESH_REJECTED"))
        self.end(chain)

    def do_revoke_token(self):
        token = self.chance.choice(self.live).token
        # Revoked again, or under a key that is gone, it leaves no row.
        known = token.text in self.refused
        self.do("revoke_token", token, lambda: self.ask(
            "TokenService/Revoke", {"token": token.text}, kind="revoke_token",
            asked=token.asked(), audit=self.audit("token.revoke"),
            sure=lambda: not known and not self.site.keys.in_doubt(token.key)))
        self.refused[token.text] = token

    def do_sign_out(self):
        chain = self.chance.choice(self.live)
        self.do("end", chain, lambda: self.ask(
            "AuthService/SignOut", {"refresh_token": chain.refresh[-1]},
            kind="sign_out", audit=self.audit("session.sign_out"),
            asked={"session": chain.session_id,
                   "presented": fingerprint(chain.refresh[-1])}))
        self.end(chain)

    def fresh(self, chain):
        """A token of now: the one at hand may have been revoked."""
        self.renew(chain)
        return chain.token

    def do_revoke_session(self):
        ended, caller = (self.chance.choice(self.live) for _ in range(2))
        token = self.fresh(caller)
        self.do("end", ended, lambda: self.ask(
            "SessionService/RevokeSession", {"session_id": ended.session_id},
            token=token, kind="revoke_session",
            asked={"session": ended.session_id},
            audit=self.audit("session.revoke")))
        self.end(ended)

    def do_revoke_all(self):
        if not self.live:
            return
        token = self.fresh(self.chance.choice(self.live))
        self.do("end_all", token, lambda: self.ask(
            "SessionService/RevokeAllSessions", token=token, kind="revoke_all",
            audit=self.audit("session.revoke_all")))
        self.end_all()

    def do_disable(self):
        operator = self.site.house.operator
        self.do("disable", None, lambda: self.ask(
            "AccountService/DisableAccount", {"account_id": self.account_id},
            door=operator, kind="disable",
            audit=self.audit("account.disable")))
        self.disabled = True
        self.end_all()
        assert self.sign_in_as(self.username, self.password) is None, (
            "a disabled account signed in")
        self.enable()

    def enable(self):
        self.do("disable", None, lambda: self.ask(
            "AccountService/EnableAccount", {"account_id": self.account_id},
            door=self.site.house.operator, kind="enable",
            audit=self.audit("account.enable")))
        self.disabled = False

    def do_change_password(self):
        chain, new = self.chance.choice(self.live), new_password()
        token = self.fresh(chain)
        self.do("change_password", (chain, new), lambda: self.ask(
            "AuthService/ChangePassword",
            {"current_password": self.password, "new_password": new},
            token=token, kind="change_password",
            audit=self.audit("account.change_password"),
            asked={"session": chain.session_id,
                   "password": fingerprint(self.password),
                   "new_password": fingerprint(new)}))
        self.password_changed(chain, new)

    def do_list(self):
        token = self.fresh(self.chance.choice(self.live))
        told = {session.session_id for session in self.ask(
            "SessionService/ListSessions", token=token).sessions}
        missing = {chain.session_id for chain in self.live} - told
        assert not missing, f"sessions that live are not listed: {missing}"
        risen = {chain.session_id for chain in self.ended} & told
        assert not risen, f"sessions that have ended are listed: {risen}"

    def do_verify(self):
        """What was acknowledged as revoked is refused from then on."""
        if self.refused:
            self.must_not_pass([self.chance.choice(list(self.refused.values()))])
        self.must_pass([self.chance.choice(self.live).token])

    # -- what has happened ---------------------------------------------------

    def end(self, chain):
        self.live.remove(chain)
        self.ended.append(chain)
        self.refused |= {token.text: token for token in chain.access}

    def end_all(self):
        for chain in list(self.live):
            self.end(chain)

    def password_changed(self, survivor, new):
        self.password = new
        for chain in list(self.live):
            if chain is not survivor:
                self.end(chain)
        # Its tokens have ended, it has not: the next refresh gives new ones.
        self.refused |= {token.text: token for token in survivor.access}
        self.renew(survivor)

    # -- verdicts ------------------------------------------------------------

    def verdicts(self, tokens):
        """Of every token: VALID, or why not."""
        told = []
        for at in range(0, len(tokens), 100):
            batch, began = tokens[at:at + 100], self.site.journal.began()
            answers = self.ask("TokenService/BatchVerify", {
                "requests": [{"token": token.text} for token in batch]}
            ).responses
            for token, answer in zip(batch, answers, strict=True):
                told.append("VALID" if answer.valid else answer.reason)
                self.site.journal.saw_verdict(self.name, token, told[-1], began)
        return told

    def must_pass(self, tokens):
        tokens = [t for t in tokens if t.text not in self.refused]
        for token, told in zip(tokens, self.verdicts(tokens), strict=True):
            assert told == "VALID" or self.site.keys.in_doubt(token.key), (
                f"acknowledged, and yet {told}")

    def must_not_pass(self, tokens):
        for token, told in zip(tokens, self.verdicts(tokens), strict=True):
            assert told == "TOKEN_REVOKED" or (
                told == "KEY_UNKNOWN" and self.site.keys.in_doubt(token.key)), (
                f"revoked, and yet {told}")

    def must_not_pass_anywhere(self, token):
        """Each way that leads past a token's check."""
        house = self.site.house
        for door in (house.grpc, house.http):
            try:
                self.ask("AuthService/GetCurrentAccount", door=door, token=token)
            except Refused as refused:
                assert refused.reason == "ACCESS_TOKEN_REJECTED", refused
            except KeyGone:
                pass
            else:
                raise AssertionError("a revoked token was a caller's proof")
            answer = self.ask("TokenService/Verify", {"token": token.text},
                              door=door)
            assert not answer.valid, "a revoked token passed Verify"
        try:
            gate = house.http.client.get("/forward-auth", headers={
                "authorization": f"Bearer {token.text}"})
        except httpx.HTTPError as error:
            raise CutOff(str(error)) from None
        if gate.status_code == 503:
            raise CutOff("the gate is closed")
        assert gate.status_code == 401, gate.status_code

    # -- after the crash -----------------------------------------------------

    def settle(self):
        """Finds out how the call that was cut off ended, then checks all. Cut
        off itself, it is done again."""
        self.unsettled = True
        if self.pending is not None:
            getattr(self, "settle_" + self.pending[0])(self.pending[1])
            self.pending = None
        if self.disabled:
            self.enable()
        self.check()
        self.unsettled = False

    def settle_sign_in(self, _):
        """A session may be there that nobody has the tokens of."""

    def settle_refresh(self, subject):
        # Rotated or not, the token presented is honoured: its answer was lost.
        chain, request_id = subject
        chain.add(self.present(chain, chain.refresh[-1], request_id),
                  request_id)

    def settle_sign_up(self, subject):
        username, password = subject
        if self.sign_in_as(username, password) is not None:
            self.others.append(subject)

    def settle_revoke_token(self, token):
        verdict = self.verdicts([token])[0]
        if verdict == "TOKEN_REVOKED":
            self.refused[token.text] = token
        else:
            assert verdict == "VALID" or self.site.keys.in_doubt(token.key), (
                verdict)

    def told_of(self, chains):
        """The verdicts on their tokens that were not refused before."""
        tokens = [token for chain in chains for token in chain.access
                  if token.text not in self.refused
                  and not self.site.keys.in_doubt(token.key)]
        return set(self.verdicts(tokens))

    def settle_end(self, chain):
        """All of the session has ended, or nothing of it."""
        told = self.told_of([chain])
        assert told <= {"VALID"} or told <= {"TOKEN_REVOKED"}, told
        try:
            tokens = self.present(chain, chain.refresh[-1])
        except Refused as refused:
            assert refused.reason == "REFRESH_REJECTED", refused
            assert "VALID" not in told, "it cannot refresh, its tokens pass"
            self.end(chain)
        else:
            assert "TOKEN_REVOKED" not in told, "it refreshes, its tokens do not"
            chain.add(tokens)

    def settle_end_all(self, _):
        told = self.told_of(self.live)
        assert told <= {"VALID"} or told <= {"TOKEN_REVOKED"}, told
        if told == {"TOKEN_REVOKED"}:
            self.end_all()
        elif not told:  # no token tells: the refresh tokens do, in settle_end
            for chain in list(self.live):
                self.settle_end(chain)

    def settle_disable(self, _):
        account = self.ask("AccountService/GetAccount",
                           {"account_id": self.account_id},
                           door=self.site.house.operator).account
        if account.disabled:
            told = self.told_of(self.live)
            assert told <= {"TOKEN_REVOKED"}, f"disabled, and yet {told}"
            self.end_all()
        elif self.live:
            assert self.told_of(self.live) <= {"VALID"}, "ended, not disabled"
        self.disabled = account.disabled

    def settle_change_password(self, subject):
        survivor, new = subject
        works = [self.sign_in_as(self.username, password) is not None
                 for password in (self.password, new)]
        assert sorted(works) == [False, True], "neither or both passwords work"
        if works[1]:
            self.password_changed(survivor, new)

    def check(self):
        """All that was ever acknowledged, a sample of what is long ago."""
        chain = self.open_session()
        account = self.ask("AuthService/GetCurrentAccount",
                           token=chain.token).account
        assert account.account_id == self.account_id
        refused = list(self.refused.values())
        older = refused[:-_NEWEST]
        self.must_not_pass(refused[-_NEWEST:] + self.chance.sample(
            older, min(_SAMPLE, len(older))))
        if refused:
            self.must_not_pass_anywhere(self.chance.choice(refused))
        self.must_pass([chain.token for chain in self.live])
        for chain in self.chance.sample(self.ended, min(6, len(self.ended))):
            self.must_refuse(chain, chain.refresh[-1],
                             "a session that had ended refreshed")
        for chain in self.live:
            chain.add(self.present(chain, chain.refresh[-1]))
        if self.others:
            self.other_must_be_there(*self.chance.choice(self.others))
        try:
            self.ask("TokenService/Verify", {"token": chain.token.text,
                                             "min_revision": self.ticket})
        except Refused as refused:
            raise AssertionError(f"a ticket is worth nothing: {refused}")

    def check_everything(self):
        """At the end: nothing is left out."""
        self.must_not_pass(list(self.refused.values()))
        for chain in self.ended:
            self.must_refuse(chain, chain.refresh[-1],
                             "a session that had ended refreshed")
        for other in self.others:
            self.other_must_be_there(*other)

    def other_must_be_there(self, username, password):
        assert self.sign_in_as(username, password) is not None, (
            "an account that was acknowledged is gone")
