"""What lies on the disk after a kill, read from a copy: the server itself must
recover its own files."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing

from house import CANARY

TOKEN, SESSION, ACCOUNT, KEY = 1, 2, 3, 5  # kinds of ledger rows
_KINDS = {1: "token", 2: "session", 3: "account", 4: "client", 5: "key",
          6: "all"}

# What must be the same number twice, because one transaction writes both.
_PAIRS = {
    "accounts and their sign-ups": (
        "SELECT count(*) FROM accounts",
        "SELECT count(*) FROM audit WHERE action = 'account.sign_up' "
        "AND outcome = 'ok'"),
    "sessions and their sign-ins": (
        "SELECT count(*) FROM sessions",
        "SELECT count(DISTINCT session_id) FROM audit WHERE "
        "action = 'session.sign_in' AND outcome = 'ok'"),
    "ended sessions and ledger rows": (
        "SELECT count(*) FROM sessions WHERE revoke_time IS NOT NULL",
        "SELECT count(*) FROM ledger WHERE kind = 2"),
    "ended sessions and audit rows": (
        "SELECT count(*) FROM sessions WHERE revoke_time IS NOT NULL",
        "SELECT count(*) FROM audit WHERE (outcome = 'ok' AND action IN "
        "('session.sign_out', 'session.revoke')) OR outcome = 'reused'"),
    "revoked tokens and audit rows": (
        "SELECT count(*) FROM ledger WHERE kind = 1",
        "SELECT count(*) FROM audit WHERE action = 'token.revoke'"),
    "generations and ledger rows": (
        "SELECT sum(generation - 1) FROM accounts",
        "SELECT count(*) FROM ledger WHERE kind = 3"),
    "generations and audit rows": (
        "SELECT sum(generation - 1) FROM accounts",
        "SELECT count(*) FROM audit WHERE outcome = 'ok' AND action IN "
        "('account.change_password', 'account.disable', 'session.revoke_all')"),
    "revoked keys and ledger rows": (
        "SELECT count(*) FROM keys WHERE state = 'revoked'",
        "SELECT count(*) FROM ledger WHERE kind = 5"),
    "revoked keys and audit rows": (
        "SELECT count(*) FROM keys WHERE state = 'revoked'",
        "SELECT count(*) FROM audit WHERE action = 'key.revoke'"),
}


class Disk:
    """A copy of the store, opened."""

    def __init__(self, server, scratch):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        for path in server.data_dir.glob("ostiary.db*"):
            if not path.name.endswith("-shm"):
                shutil.copy2(path, scratch / path.name)
        self.path = scratch / "ostiary.db"

    def rows(self, query):
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(query).fetchall()

    def head(self):
        """(epoch, sequence)"""
        return self.rows("SELECT epoch, sequence FROM ledger_head")[0]

    def ledger(self):
        """(sequence, kind by name, key)"""
        return [(sequence, _KINDS[kind], key) for sequence, kind, key in
                self.rows("SELECT sequence, kind, key FROM ledger "
                          "ORDER BY sequence")]

    def audit_rows(self):
        """(action, account, session, token id) of all that succeeded"""
        return self.rows(
            "SELECT action, account_id, session_id, CASE json_valid(detail) "
            "WHEN 1 THEN json_extract(detail, '$.token_id') END FROM audit "
            "WHERE outcome = 'ok'")

    def audit(self):
        """How many rows there are of each (action, outcome, account)."""
        return Counter({row[:3]: row[3] for row in self.rows(
            "SELECT action, outcome, account_id, count(*) FROM audit "
            "WHERE account_id <> '' AND outcome IN ('ok', 'reused') "
            "GROUP BY action, outcome, account_id")})

    def check_pages(self):
        assert self.rows("PRAGMA integrity_check") == [("ok",)]

    def check_whole(self):
        """Every change is there as a whole: its row, its ledger row, its audit
        row; and the ledger has no gap."""
        with closing(sqlite3.connect(self.path)) as db:
            for what, (one, other) in _PAIRS.items():
                a, b = (db.execute(q).fetchone()[0] or 0 for q in (one, other))
                assert a == b, f"{what}: {a} and {b}"
            numbers = [row[0] for row in db.execute(
                "SELECT sequence FROM ledger ORDER BY sequence")]
            active = db.execute("SELECT count(*) FROM keys WHERE purpose = "
                                "'access' AND state = 'active'").fetchone()[0]
        assert numbers == list(range(1, self.head()[1] + 1)), (
            "the ledger has a gap")
        assert active == 1, f"{active} keys are active"


def check_revoked_keys(server, keys):
    """What was acknowledged as revoked is also in the file beside the store."""
    if keys:
        told = (server.data_dir / "revoked-keys").read_text().split()
        assert keys <= set(told), "a revoked key is not in revoked-keys"


def check_secrets(server, secrets):
    """No password and no token lies in a file or in the log."""
    files = server.files()
    files[server.log_path] = server.log_path.read_bytes()
    for path, content in files.items():
        assert CANARY.encode() not in content, f"a password is in {path}"
        for secret in secrets:
            assert secret.encode() not in content, f"a token is in {path}"
    assert b"ort_" not in files[server.log_path], "a token is in the log"
