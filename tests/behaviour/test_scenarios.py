"""What every verifier library does against a real server.

One function for each scenario; each runs with all four libraries.
"""

import time

import pytest

from house import new_name
from test_restore import copy_store, once_issuing_goes_on, put_back

# How soon after an acknowledged revocation a verifier with a whole feed must
# refuse. Far above what it takes, so that a busy machine does not fail it.
AT_ONCE = 2000  # ms

pytestmark = pytest.mark.usefixtures("library")


def refused_at_once(driver, token):
    seen = driver.do("spin", token=token, until_reason="TOKEN_REVOKED",
                     timeout_ms=AT_ONCE)
    assert seen["seen"], seen
    return seen


# Accept and refuse.


def test_a_good_token_gives_its_claims(site):
    driver = site.open()
    tokens = site.sign_in()
    answer = driver.do("verify", token=tokens.access_token)
    assert answer["valid"]
    assert answer["subject"].startswith("acct_")
    assert answer["session_id"] == tokens.session_id
    assert driver.do("status")["asks"] == 0


def test_a_changed_token_is_refused(site):
    driver = site.open()
    token = site.sign_in().access_token
    head, body, signature = token.split(".")
    other = site.sign_in().access_token.split(".")
    assert driver.verdict(f"{head}.{other[1]}.{signature}") == (
        "SIGNATURE_INVALID")
    assert driver.verdict(f"{head}.{body}") == "TOKEN_MALFORMED"
    assert driver.verdict("") == "TOKEN_MALFORMED"
    assert driver.verdict(token) == "VALID"


def test_another_audience_is_refused_unless_any_will_do(site):
    driver = site.open()
    token = site.sign_in(audience=site.server.issuer).access_token
    assert driver.verdict(token) == "AUDIENCE_MISMATCH"
    assert driver.verdict(token, any_audience=True) == "VALID"


def test_missing_scopes_and_roles_are_refused(new_site):
    site = new_site("--scopes=notes:read,notes:write").start()
    driver = site.open()
    person = site.house.sign_up()
    site.house.operator.call("AccountService/GrantRole", {
        "account_id": person.account_id, "role": "editor"})
    token = person.sign_in(scope="notes:read").access_token
    assert driver.verdict(token, scopes=["notes:read"]) == "VALID"
    assert driver.verdict(token, scopes=["notes:write"]) == "SCOPE_MISSING"
    assert driver.verdict(token, roles=["editor"]) == "VALID"
    assert driver.verdict(token, roles=["editor", "admin"]) == "ROLE_MISSING"


def test_an_expired_token_is_refused(new_site):
    site = new_site("--access-token-lifetime=2s").start()
    driver = site.open()
    token = site.sign_in().access_token
    assert driver.verdict(token) == "VALID"
    seen = driver.do("spin", token=token, until_reason="TOKEN_EXPIRED",
                     timeout_ms=5000)
    assert seen["seen"]


# Revoke.


def test_a_revoked_token_is_refused(site):
    driver = site.open()
    token = site.sign_in().access_token
    assert driver.verdict(token) == "VALID"
    site.house.grpc.call("TokenService/Revoke", {"token": token})
    refused_at_once(driver, token)
    assert driver.do("status")["asks"] == 0


def test_a_revoked_session_takes_its_tokens_along(site):
    driver = site.open()
    person = site.house.sign_up()
    ended, other = person.sign_in(), person.sign_in()
    assert driver.verdict(ended.access_token) == "VALID"
    site.house.revoke(session_id=ended.session_id)
    refused_at_once(driver, ended.access_token)
    assert driver.verdict(other.access_token) == "VALID"


def test_signing_out_ends_the_access_token(site):
    driver = site.open()
    tokens = site.sign_in()
    assert driver.verdict(tokens.access_token) == "VALID"
    site.house.grpc.call("AuthService/SignOut",
                         {"refresh_token": tokens.refresh_token})
    refused_at_once(driver, tokens.access_token)


def test_a_revoked_account_takes_all_its_tokens_along(site):
    driver = site.open()
    person = site.house.sign_up()
    tokens = [person.sign_in().access_token for _ in range(3)]
    bystander = site.sign_in().access_token
    site.house.revoke(account_id=person.account_id)
    for token in tokens:
        refused_at_once(driver, token)
    assert driver.verdict(bystander) == "VALID"
    assert driver.verdict(person.sign_in().access_token) == "VALID"


def test_a_role_taken_away_ends_the_tokens_that_carry_it(site):
    driver = site.open()
    person = site.house.sign_up()
    grant = {"account_id": person.account_id, "role": "editor"}
    site.house.operator.call("AccountService/GrantRole", grant)
    tokens = person.sign_in()
    assert driver.verdict(tokens.access_token, roles=["editor"]) == "VALID"
    site.house.operator.call("AccountService/RevokeRole", grant)
    refused_at_once(driver, tokens.access_token)
    fresh = site.house.refresh(tokens.refresh_token).access_token
    assert driver.verdict(fresh) == "VALID"
    assert driver.verdict(fresh, roles=["editor"]) == "ROLE_MISSING"


def test_a_revoked_client_takes_its_tokens_along(new_site):
    site = new_site().start()
    driver = site.open()
    person = site.house.sign_up()
    token = person.sign_in().access_token
    assert driver.verdict(token) == "VALID"
    site.house.revoke(client_id="cli_default")
    refused_at_once(driver, token)
    fresh = once_issuing_goes_on(person.sign_in).access_token
    assert driver.verdict(fresh) == "VALID"


def test_a_revoked_key_takes_its_tokens_along(new_site):
    site = new_site().start()
    driver = site.open()
    person = site.house.sign_up()
    token = person.sign_in().access_token
    keys = site.house.operator.call("KeyService/ListSigningKeys").signing_keys
    active = next(key for key in keys if key.state == 2)
    site.house.revoke(key_id=active.key_id)
    # The entry, or the key set without the key: whichever is first.
    end = time.monotonic() + 2
    while driver.verdict(token) == "VALID" and time.monotonic() < end:
        pass
    assert driver.verdict(token) in ("TOKEN_REVOKED", "KEY_UNKNOWN")
    assert driver.verdict(person.sign_in().access_token) == "VALID"


# Keys.


def test_a_rotated_key_is_known_before_it_signs(new_site):
    site = new_site().start()
    driver = site.open()
    person = site.house.sign_up()
    before = person.sign_in().access_token
    operator = site.house.operator
    keys = operator.call("KeyService/ListSigningKeys").signing_keys
    prepared = next(key for key in keys if key.state == 1)
    operator.call("KeyService/ActivateSigningKey",
                  {"key_id": prepared.key_id, "force": True})
    after = person.sign_in().access_token
    assert driver.verdict(after) == "VALID"
    assert driver.verdict(before) == "VALID"
    # The key prepared since then comes along on the stream.
    time.sleep(1.5)
    keys = operator.call("KeyService/ListSigningKeys").signing_keys
    prepared = next(key for key in keys if key.state == 1)
    operator.call("KeyService/ActivateSigningKey",
                  {"key_id": prepared.key_id, "force": True})
    assert driver.verdict(person.sign_in().access_token) == "VALID"
    assert driver.do("status")["asks"] == 0


# The feed.


def test_a_cut_feed_is_resumed_and_misses_nothing(site):
    driver = site.open()
    token = site.sign_in().access_token
    assert driver.verdict(token) == "VALID"
    site.wire.refusing = True
    site.wire.cut()
    site.house.grpc.call("TokenService/Revoke", {"token": token})
    site.wire.refusing = False
    seen = driver.do("spin", token=token, until_reason="TOKEN_REVOKED",
                     timeout_ms=12000)
    assert seen["seen"]
    status = driver.do("status")
    assert status["reconnects"] >= 1


@pytest.mark.parametrize("policy,verdict", [
    ("refuse", "CHECK_UNAVAILABLE"), ("accept", "VALID"),
    ("ask-server", "CHECK_UNAVAILABLE")])
def test_without_a_feed_the_policy_decides(site, policy, verdict):
    driver = site.open(policy=policy, staleness_ms=2000, ask_timeout_ms=300)
    token = site.sign_in().access_token
    revoked = site.sign_in().access_token
    revision = site.house.grpc.call("TokenService/Revoke",
                                    {"token": revoked}).revision
    assert driver.do("wait_for", revision=revision, timeout_ms=5000)["reached"]
    site.wire.refusing = True
    site.wire.cut()
    assert driver.verdict(token) == "VALID"  # still within the bound
    time.sleep(2.5)
    assert driver.verdict(token) == verdict
    assert driver.verdict(revoked) == "TOKEN_REVOKED"
    # The call's own policy goes before the verifier's.
    assert driver.verdict(token, policy="accept") == "VALID"
    assert driver.verdict(token, policy="refuse") == "CHECK_UNAVAILABLE"
    site.wire.refusing = False
    assert driver.do("wait_ready", timeout_ms=15000)["ready"]
    assert driver.verdict(token) == "VALID"


def test_a_half_open_feed_is_noticed_within_the_bound(site):
    driver = site.open(policy="refuse", staleness_ms=3000)
    token = site.sign_in().access_token
    assert driver.verdict(token) == "VALID"
    site.wire.stalled = True  # alive, and nothing gets through
    time.sleep(3.6)
    assert driver.verdict(token) == "CHECK_UNAVAILABLE"
    site.wire.stalled = False
    site.wire.cut()
    assert driver.do("wait_ready", timeout_ms=15000)["ready"]
    assert driver.verdict(token) == "VALID"


def test_a_verifier_without_a_feed_asks_the_server(new_site):
    # Somebody else watches, so that only Verify answers.
    site = new_site("--max-watchers=1").start()
    first = site.open()
    driver = site.open(wait=False)
    person = site.house.sign_up()
    good, revoked = person.sign_in(), person.sign_in()
    site.house.revoke(session_id=revoked.session_id)
    assert driver.verdict(good.access_token) == "VALID"
    assert driver.verdict(revoked.access_token) == "TOKEN_REVOKED"
    assert driver.verdict(good.access_token, policy="refuse") in (
        "CHECK_UNAVAILABLE", "KEY_UNKNOWN")
    # Nothing is accepted unseen before one whole snapshot.
    assert driver.verdict(good.access_token, policy="accept") in (
        "CHECK_UNAVAILABLE", "KEY_UNKNOWN")
    status = driver.do("status")
    assert status["asks"] >= 2
    assert status["staleness_ms"] == -1
    assert first.do("status")["asks"] == 0


def test_an_outage_does_not_become_a_stampede(site):
    driver = site.open(staleness_ms=2000, ask_timeout_ms=200)
    tokens = [site.sign_in().access_token for _ in range(3)]
    site.wire.refusing = True
    site.wire.cut()
    time.sleep(2.5)
    for i in range(200):
        assert driver.verdict(tokens[i % 3]) == "CHECK_UNAVAILABLE"
    status = driver.do("status")
    assert status["breaker_open"]
    assert status["asks"] < 40, status


# Tickets.


def test_a_ticket_is_waited_for(site):
    driver = site.open()
    for _ in range(5):
        token = site.sign_in().access_token
        revision = site.house.grpc.call("TokenService/Revoke",
                                        {"token": token}).revision
        assert driver.do("wait_for", revision=revision,
                         timeout_ms=5000)["reached"]
        assert driver.verdict(token) == "TOKEN_REVOKED"


def test_a_ticket_of_the_future_is_not_reached(site):
    driver = site.open(policy="refuse")
    token = site.sign_in().access_token
    status = driver.do("status")
    ahead = f"rev_{status['epoch']:08x}{status['sequence'] + 1000:016x}"
    answer = driver.do("wait_for", revision=ahead, timeout_ms=200)
    assert answer == {"reached": False, "reason": "TIMEOUT"}
    assert driver.verdict(token, min_revision=ahead) == "CHECK_UNAVAILABLE"
    assert driver.verdict(token) == "VALID"


# The server's life.


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_restarted_server_is_followed_from_where_it_was_left(new_site, kill):
    site = new_site().start()
    driver = site.open()
    person = site.house.sign_up()
    kept, ended = person.sign_in(), person.sign_in()
    revision = site.house.revoke(session_id=ended.session_id)
    assert driver.do("wait_for", revision=revision, timeout_ms=5000)["reached"]
    before = driver.do("status")
    site.stop(kill=kill)
    assert driver.verdict(kept.access_token) == "VALID"
    assert driver.verdict(ended.access_token) == "TOKEN_REVOKED"
    site.start()
    site.house.revoke(session_id=kept.session_id)
    seen = driver.do("spin", token=kept.access_token,
                     until_reason="TOKEN_REVOKED", timeout_ms=15000)
    assert seen["seen"]
    after = driver.do("status")
    assert after["epoch"] == before["epoch"]
    assert after["sequence"] == before["sequence"] + 1


def test_a_restore_is_a_new_epoch_and_un_revokes_nothing(new_site):
    site = new_site().start()
    person = site.house.sign_up()
    lost = person.sign_in()
    assert site.server.stop() == 0
    site.house.close()
    backup = site.server.root / "backup"
    copy_store(site.server, backup)
    site.start()
    driver = site.open()
    revision = site.house.revoke(session_id=lost.session_id)
    assert driver.do("wait_for", revision=revision, timeout_ms=5000)["reached"]
    assert driver.verdict(lost.access_token) == "TOKEN_REVOKED"
    site.stop()
    put_back(site.server, backup)
    done = site.server.run("restore", "--sessions=keep",
                           *site.server.command()[1:])
    assert done.returncode == 0, done.stderr
    assert driver.verdict(lost.access_token) == "TOKEN_REVOKED"
    site.start()
    assert driver.do("wait_ready", timeout_ms=20000)["ready"]
    end = time.monotonic() + 15
    while driver.do("status")["epoch"] != 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert driver.do("status")["epoch"] == 2
    # The store has forgotten the revocation; the verifier has not.
    assert driver.verdict(lost.access_token) == "TOKEN_REVOKED"
    # It was reached in its own epoch.
    assert driver.do("wait_for", revision=revision, timeout_ms=100)["reached"]
    late = site.open()
    answer = late.do("wait_for", revision=revision, timeout_ms=100)
    assert answer == {"reached": False, "reason": "REVISION_LOST"}
    fresh = once_issuing_goes_on(person_in(site, person).sign_in)
    assert driver.verdict(fresh.access_token) == "VALID"


def person_in(site, person):
    person.house = site.house
    return person


# The state file.


def test_a_verifier_started_without_a_server_knows_what_it_knew(new_site,
                                                                tmp_path):
    site = new_site().start()
    state = str(tmp_path / "state")
    driver = site.open(state_file=state)
    good, ended = site.sign_in(), site.sign_in()
    site.house.revoke(account_id=site.house.claims(
        ended.access_token).subject)
    refused_at_once(driver, ended.access_token)
    driver.do("close")
    site.wire.refusing = True
    site.wire.cut()
    warm = site.open(wait=False, state_file=state, policy="accept")
    assert warm.verdict(ended.access_token) == "TOKEN_REVOKED"
    assert warm.verdict(good.access_token) == "VALID"
    site.wire.refusing = False
    assert warm.do("wait_ready", timeout_ms=15000)["ready"]


def test_a_damaged_state_file_is_not_believed(new_site, tmp_path):
    site = new_site().start()
    state = tmp_path / "state"
    driver = site.open(state_file=str(state))
    good = site.sign_in()
    driver.do("close")
    damaged = bytearray(state.read_bytes())
    damaged[len(damaged) // 2] ^= 0x40
    state.write_bytes(damaged)
    site.wire.refusing = True
    site.wire.cut()
    cold = site.open(wait=False, state_file=str(state), policy="accept")
    assert cold.verdict(good.access_token) in ("KEY_UNKNOWN",
                                               "CHECK_UNAVAILABLE")
    site.wire.refusing = False
    assert cold.do("wait_ready", timeout_ms=15000)["ready"]
    assert cold.verdict(good.access_token) == "VALID"


# Live verifiers in numbers.


def test_accounts_signing_out_one_after_the_other_are_all_refused(site):
    driver = site.open()
    ended = []
    for _ in range(20):
        tokens = site.sign_in()
        site.house.grpc.call("AuthService/SignOut",
                             {"refresh_token": tokens.refresh_token})
        ended.append(tokens.access_token)
    for token in ended:
        refused_at_once(driver, token)


def test_an_unknown_name_in_a_token_is_no_reason_to_ask(site):
    driver = site.open()
    foreign = ("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im5vbmUifQ."
               "e30." + "A" * 86)
    assert driver.verdict(foreign) == "KEY_UNKNOWN"
    assert driver.verdict(new_name()) == "TOKEN_MALFORMED"
    assert driver.do("status")["asks"] == 0
