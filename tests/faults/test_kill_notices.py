"""The judges of test_kill.py can say no: each thing that they watch over is
broken on purpose, and they must notice."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from disk import Disk, check_secrets
from house import CANARY
from journal import Journal, fingerprint
from site_under_load import FLAGS, LISTS, QuickServer, Site, judge
from status_lists import check_status_lists


@pytest.fixture
def site(new_server, contract):
    """One person with some life behind it, settled, on a running server."""
    return lived(new_server, contract, *FLAGS)


def lived(new_server, contract, *flags):
    site = Site(new_server(*flags, kind=QuickServer), contract, seed=5, people=1)
    person = site.witnesses[0]
    for _ in range(3):
        person.do_sign_in()
    for _ in range(4):
        person.renew(person.live[0])
    person.do_revoke_token()
    person.do_sign_out()
    for chain in person.live:  # no token of now is revoked
        person.renew(chain)
    site.keys.settle()
    return site


# -- an acknowledged call that is undone ------------------------------------------

VALID = "revoked, and yet VALID"
# What is undone -> what the judge says, and how it came about.
UNDONE = {
    "a revoked token": (VALID, lambda person, keys: person.do_revoke_token()),
    "a session signed out": (VALID, lambda person, keys: person.do_sign_out()),
    "a session revoked by its owner": (
        VALID, lambda person, keys: person.do_revoke_session()),
    "everything signed out": (
        VALID, lambda person, keys: person.do_revoke_all()),
    "a stolen session": (VALID, lambda person, keys: steal(person)),
    "an account disabled and enabled": (
        VALID, lambda person, keys: person.do_disable()),
    "a password": ("the password that holds was rejected",
                   lambda person, keys: person.do_change_password()),
    "an account signed up": ("an account that was acknowledged is gone",
                             lambda person, keys: person.do_sign_up()),
    "a revoked key": ("a key is revoked no longer",
                      lambda person, keys: keys.revoke(active_key(keys))),
}


def steal(person):
    person.live.sort(key=lambda chain: -len(chain.refresh))
    person.live = person.live[:1]
    person.do_steal()


def active_key(keys):
    return next(k for k, key in keys.keys().items() if key.state == 2)


def undo(site, action):
    """Lets `action` be acknowledged, and puts back what lay there before."""
    server = site.server
    assert server.stop() == 0
    site.house.close()
    before = server.root / "before"
    shutil.copytree(server.data_dir, before)
    site.watcher, site.down_since = None, site.journal.began()
    assert site.up()
    action(site.witnesses[0], site.keys)
    server.kill()
    site.house.close()
    site.watcher = None
    shutil.rmtree(server.data_dir)
    shutil.copytree(before, server.data_dir)


@pytest.mark.parametrize("what", list(UNDONE))
def test_an_acknowledged_call_that_is_undone_is_noticed(site, what):
    said, action = UNDONE[what]
    undo(site, action)
    assert site.up()
    with pytest.raises(AssertionError, match=said):
        for work in (*site.witnesses, site.keys):
            work.settle()
            getattr(work, "check_everything", lambda: None)()
    site.house.close()


def test_a_missing_audit_row_of_an_acknowledged_call_is_noticed(site):
    undo(site, UNDONE["a session signed out"][1])
    with pytest.raises(AssertionError, match="audit rows"):
        site.died()


def test_a_feed_that_goes_back_is_noticed(site):
    site.witnesses[0].do_revoke_token()
    assert site.watcher.wait(lambda: site.watcher.position is not None)
    site.server.kill()
    site.unwatch()
    epoch, sequence = int(site.cursor[4:12], 16), int(site.cursor[12:28], 16)
    site.cursor = (f"{site.cursor[:4]}{epoch:08x}{sequence + 1:016x}"
                   f"{site.cursor[28:]}")
    site.house.close()
    site.down_since = site.journal.began()
    assert site.up()
    assert site.watcher.wait(lambda: len(site.watcher.frames) > 1)
    site.server.kill()
    with pytest.raises(AssertionError, match="went back"):
        site.unwatch()
    site.house.close()


def test_a_status_list_that_forgot_is_noticed(new_server, contract):
    site = lived(new_server, contract, *FLAGS, *LISTS)
    assert check_status_lists(site) > 0
    site.server.kill()
    site.unwatch()
    site.house.close()
    with closing(sqlite3.connect(site.server.data_dir / "ostiary.db")) as db:
        db.execute("UPDATE status_slots SET flipped = 0")
        db.commit()
    (site.server.data_dir / "ostiary.db-sums").unlink(missing_ok=True)
    site.down_since = site.journal.began()
    assert site.up()
    with pytest.raises(AssertionError, match="not listed"):
        check_status_lists(site, patience=0)
    site.server.kill()
    site.unwatch()
    site.house.close()


# -- half a change in the store ----------------------------------------------------

HALVES = {
    "a ledger row is gone": "DELETE FROM ledger WHERE sequence = 1",
    "the head is gone back": "UPDATE ledger_head SET sequence = sequence - 1",
    "a session lives again": "UPDATE sessions SET revoke_time = NULL",
    "a session nobody opened": (
        "INSERT INTO sessions (session_id, account_id, client_id, audience, "
        "scope, minted_scope, user_agent, address, amr, opened_generation, "
        "generation, retried_in_row, salt, refresh_key_id, request_id_hash) "
        "SELECT randomblob(16), account_id, client_id, audience, scope, "
        "minted_scope, user_agent, address, amr, opened_generation, "
        "generation, retried_in_row, salt, refresh_key_id, request_id_hash "
        "FROM sessions LIMIT 1"),
    "an audit row is gone": (
        "DELETE FROM audit WHERE action = 'token.revoke'"),
    "an account is gone": "DELETE FROM accounts",
    "a generation rose alone": "UPDATE accounts SET generation = 2",
    "a key is revoked alone": "UPDATE keys SET state = 'revoked' "
                              "WHERE purpose = 'access' AND state = 'prepared'",
    "no key signs": "UPDATE keys SET state = 'retired' WHERE state = 'active'",
}


@pytest.mark.parametrize("what", list(HALVES))
def test_half_a_change_in_the_store_is_noticed(site, tmp_path, what):
    site.server.kill()
    site.unwatch()
    site.house.close()
    disk = Disk(site.server, tmp_path / "copy")
    disk.check_whole()
    with closing(sqlite3.connect(disk.path)) as db:
        db.execute(HALVES[what])
        db.commit()
    with pytest.raises(AssertionError):
        disk.check_whole()


def test_a_secret_on_the_disk_or_in_the_log_is_noticed(site):
    site.server.kill()
    site.unwatch()
    site.house.close()
    secrets = site.secrets()
    check_secrets(site.server, secrets)
    for text in (f"{CANARY}-1", secrets[0], secrets[1]):
        place = site.server.data_dir / "note"
        place.write_text(text)
        with pytest.raises(AssertionError):
            check_secrets(site.server, secrets)
        place.unlink()
    with open(site.server.log_path, "a", encoding="utf-8") as log:
        log.write("refresh_token=ort_\n")
    with pytest.raises(AssertionError):
        check_secrets(site.server, secrets)


def test_a_history_with_a_revoked_token_that_passes_is_noticed(
        site, tmp_path):
    site.server.kill()
    site.unwatch()
    site.house.close()
    site.journal.write_to(tmp_path / "history")
    judge(site.server.programs, tmp_path / "history")
    revoked = next(iter(site.witnesses[0].refused.values()))
    site.journal.saw_verdict("nobody", revoked, "VALID", site.journal.began())
    site.journal.write_to(tmp_path / "history")
    with pytest.raises(AssertionError, match="revo"):
        judge(site.server.programs, tmp_path / "history")


# -- answers that cannot both be true ------------------------------------------------


def line(**more):
    return {"kind": "refresh", "outcome": "ok", **more}


def test_two_successors_of_one_token_are_noticed():
    journal = Journal()
    journal._compare(line(token_id="a", refresh="2", presented="1"))
    journal._compare(line(token_id="a", refresh="2", presented="1"))
    with pytest.raises(AssertionError, match="two successors"):
        journal._compare(line(token_id="b", refresh="3", presented="1"))


def test_a_token_id_that_is_given_out_twice_is_noticed():
    journal = Journal()
    journal._compare(line(token_id="a", refresh="2", presented="1"))
    with pytest.raises(AssertionError, match="given out twice"):
        journal._compare(line(token_id="a", refresh="4", presented="3"))


def test_a_secret_in_an_answer_is_noticed():
    with pytest.raises(AssertionError, match="secret"):
        Journal().keep_quiet(f"the password {CANARY}-12 is wrong")
    assert fingerprint("x") != "x"
