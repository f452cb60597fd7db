"""What a server was asked and what it said, written down outside it.

The lines are those of tests/checker: no secret is in them, only fingerprints.
Beside them the journal counts the audit rows that must follow, and it notices
at once what can be noticed at once: a second successor, an id given out twice,
a secret in an error.
"""

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from doors import Refused
from house import CANARY

# Answers that do not say whether it happened.
_CUT_OFF = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED")


class CutOff(Exception):
    """The server went away during a call: its outcome is not known."""


def fingerprint(secret):
    return hashlib.sha256(secret.encode()).hexdigest()[:32] if secret else ""


def _json_of(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@dataclass(frozen=True)
class Token:
    """An access token, read."""

    text: str
    token_id: str
    generation: int
    account: str
    session: str
    key: str
    issue_time: int
    place: tuple  # (uri, index) in a status list; None: it names none

    @classmethod
    def read(cls, text):
        head, claims = (_json_of(part) for part in text.split(".")[:2])
        listed = claims.get("status", {}).get("status_list")
        return cls(text, claims["jti"], claims["gen"], claims["sub"],
                   claims["sid"], head["kid"], claims["iat"] * 1_000_000,
                   listed and (listed["uri"], listed["idx"]))

    def asked(self):
        """As a line says which token was asked about."""
        return {"account": self.account, "session": self.session,
                "token_id": self.token_id, "token_generation": self.generation}


def _ticket(revision):
    digits = revision.removeprefix("rev_")
    return {"epoch": int(digits[:8], 16),
            "sequence": int(digits[8:], 16)} if digits else {}


def answered(answer):
    """What an answer says, in the words of a line."""
    facts = {}
    fields = answer.DESCRIPTOR.fields_by_name
    if "revision" in fields:
        facts |= _ticket(answer.revision)
    if "tokens" in fields:
        token = Token.read(answer.tokens.access_token)
        facts |= {"session": token.session, "key": token.key,
                  "token_id": token.token_id, "issue_time": token.issue_time,
                  "token_generation": token.generation,
                  "refresh": fingerprint(answer.tokens.refresh_token)}
    if "account" in fields:
        facts["account"] = answer.account.account_id
    return facts


class Journal:
    """Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self.lines = []
        self.acknowledged = Counter()  # kind -> calls
        self.must, self.may = Counter(), Counter()  # audit rows since settled
        self._successor = {}  # presented -> got, by fingerprint
        self._carried_by = {}  # token id -> the refresh token it came with
        self._published = set()
        self.people = set()  # accounts of which every call is in here

    # -- calls ---------------------------------------------------------------

    def ask(self, who, door, method, request=None, *, line=None, audit=None,
            sure=lambda: True, refused_as=None, **named):
        """Calls, and writes down `line` with how it ended. `audit` is the row
        (action, outcome, account) that a success must leave; `refused_as` the
        reason that is the success of this call. Whether the row is `sure` is
        asked afterwards: what others did meanwhile counts."""
        began = self._now()
        try:
            answer = door.call(method, request, **named)
        except httpx.HTTPError as error:
            self._cut_off(who, line, began, audit, str(error))
        except Refused as refused:
            self.keep_quiet(str(refused))
            if refused.code in _CUT_OFF and (
                    refused.reason != "REVISION_NOT_REACHED"):
                self._cut_off(who, line, began, audit, str(refused))
            self._write(who, line, began, outcome="refused",
                        reason=refused.reason)
            if refused_as is not None and refused.reason == refused_as:
                self._expect(audit, sure())
            raise
        ticket = line is not None and line["kind"] != "key_revoked"
        self._write(who, line, began, outcome="ok",
                    **(answered(answer) if ticket else {}))
        self._expect(audit, sure())
        return answer

    def _now(self):
        return {"start": time.monotonic_ns(),
                "start_time": time.time_ns() // 1000}

    def _cut_off(self, who, line, began, audit, why):
        self._write(who, line, began, outcome="unknown")
        self._expect(audit, False)
        raise CutOff(why) from None

    def _expect(self, audit, sure):
        if audit is not None:
            with self._lock:
                (self.must if sure else self.may)[audit] += 1

    def expect_audit(self, action, account):
        self._expect((action, "ok", account), True)

    def _write(self, who, line, began, outcome, **facts):
        if line is None:
            return
        full = {"process": who, "outcome": outcome, **began, **line, **facts}
        if outcome != "unknown":
            full |= {"end": time.monotonic_ns(),
                     "end_time": time.time_ns() // 1000}
        with self._lock:
            self.lines.append(full)
            if outcome == "ok":
                self.acknowledged[full["kind"]] += 1
                self._compare(full)

    def _compare(self, line):
        token_id, refresh = line.get("token_id"), line.get("refresh")
        if refresh:
            first = self._carried_by.setdefault(token_id, refresh)
            assert first == refresh, f"token id {token_id} was given out twice"
        if refresh and line.get("presented"):
            first = self._successor.setdefault(line["presented"], refresh)
            assert first == refresh, "a refresh token has two successors"

    # -- what is seen beside calls --------------------------------------------

    def saw(self, who, kind, **facts):
        began = self._now()
        self._write(who, {"kind": kind, **facts}, began, outcome="ok")

    def saw_verdict(self, who, token, verdict, began):
        outcome = ({"outcome": "ok"} if verdict == "VALID" else
                   {"outcome": "refused", "reason": verdict})
        self._write(who, {"kind": "verify", **token.asked()}, began, **outcome)

    def began(self):
        return self._now()

    def saw_keys(self, who, kids):
        for kid in kids:
            if kid not in self._published:
                self._published.add(kid)
                self.saw(who, "key_published", key=kid)

    def restarted(self, began):
        self._write("server", {"kind": "restart"}, began, outcome="ok")

    def keep_quiet(self, text):
        """No secret may stand in what the server tells or writes."""
        for secret in (CANARY, "ort_", "eyJ"):
            assert secret not in text, f"it tells a secret: {text[:80]!r}"

    # -- afterwards ----------------------------------------------------------

    def settle_audit(self, found):
        """Holds the audit rows of the disk against what was acknowledged; from
        then on what was in doubt is not."""
        with self._lock:
            for row in self.must | self.may | found:
                least, most = self.must[row], self.must[row] + self.may[row]
                if row[2] not in self.people:  # their calls are not all in here
                    most = found[row]
                assert least <= found[row] <= most, (
                    f"{found[row]} audit rows {row}, expected {least} to {most}")
            self.must, self.may = Counter(found), Counter()

    def write_to(self, path):
        with self._lock, open(path, "w", encoding="utf-8") as out:
            for line in self.lines:
                out.write(json.dumps(
                    {k: v for k, v in line.items() if v not in ("", None)})
                    + "\n")
