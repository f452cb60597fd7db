"""What tests/model/run checks: which model, with which switches, which claims."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    name: str
    model: str
    kind: str      # holds, witness (must be reachable), broken, limit
    defines: tuple
    claims: tuple
    fair: bool = False  # liveness, under weak fairness

    @property
    def expected(self):
        return "holds" if self.kind == "holds" else "violated"

    def switches(self):
        return [f"-D{define}" for define in self.defines]


def of(model):
    def make(name, kind, defines, claims, fair=False):
        return Check(f"{model}: {name}", f"{model}.pml", kind, tuple(defines.split()), tuple(claims.split()), fair)
    return make


rotation, feed, shared = of("rotation"), of("feed"), of("shared")

# Nobody steals; the owner tries again in time.
HONEST = "THIEF=0 OPERATIONS=0 GENERATIONS=5 LOSSES=3"
CRASH = f"{HONEST} LONGEST_DOWN=3"
STALL = f"{HONEST} CRASHES=0 STALLS=1"
BY_ID = f"{CRASH} REQUEST_ID=1"
# A thief, an operator, a crash, a loss.
HOSTILE = ""
HOSTILE_BY_ID = "REQUEST_ID=1 CRASHES=0 LOSSES=0"

ROTATION = [
    rotation("thief, operator, crash, loss", "holds", HOSTILE, "safety"),
    rotation("thief, operator, crash, loss", "witness", HOSTILE,
             "can_retry can_retry_after_crash can_get_fresh_token_on_retry can_detect_reuse can_end_session "
             "can_change_password_and_go_on can_disable_and_enable can_use_every_generation"),
    rotation("thief, operator, request_id", "holds", HOSTILE_BY_ID, "safety"),
    rotation("thief, two operations", "holds", "OPERATIONS=2 CRASHES=0 LOSSES=0", "safety"),
    rotation("honest owner, crash", "holds", CRASH, "safety"),
    rotation("honest owner, crash", "witness", CRASH, "can_retry_after_crash can_use_every_generation"),
    rotation("honest owner, crash", "holds", CRASH, "owner_is_answered", fair=True),
    rotation("honest owner, stalled commits", "holds", STALL, "safety"),
    rotation("honest owner, request_id, crash", "holds", BY_ID, "safety"),
    rotation("honest owner, request_id, crash", "witness", BY_ID, "can_retry_after_crash"),
    rotation("two crashes, stalls, pauses survive", "holds", f"{CRASH} CRASHES=2 STALLS=1 PAUSES_SURVIVE", "safety"),
    # Broken on purpose.
    rotation("generation before state", "broken", "RETRY_BEFORE_STATE", "ended_session_stays_ended"),
    rotation("old token is just refused", "broken", "OLDER_IS_JUST_REFUSED", "reuse_ends_the_session"),
    rotation("any older token is a retry", "broken", "ANY_OLDER_IS_RETRIED", "older_token_never_succeeds"),
    rotation("reuse is an error", "broken", "REUSE_IS_AN_ERROR", "reuse_ends_the_session"),
    rotation("fresh token each retry", "broken", "FRESH_TOKEN_EACH_RETRY", "one_successor"),
    rotation("retry rotates", "broken", "RETRY_ROTATES", "one_successor"),
    rotation("window from the last retry", "broken", "WINDOW_FROM_RETRY", "window_never_lengthens"),
    rotation("ledger row follows its cause", "broken", "LEDGER_ROW_FOLLOWS", "acknowledged_end_holds"),
    rotation("answer before announce", "broken", "ANSWER_BEFORE_ANNOUNCE", "acknowledged_end_holds"),
    rotation("answer before commit", "broken", "ANSWER_BEFORE_COMMIT", "acknowledged_end_holds"),
    rotation("floor stays", "broken", "FLOOR_STAYS", "ended_session_stays_ended"),
    rotation("claim gen read when signing", "broken", "GENERATION_READ_LATE", "ended_session_stays_ended"),
    rotation("no retry window", "broken", f"{CRASH} WINDOW=0", "owner_is_never_taken_for_a_thief"),
    rotation("downtime counts", "broken", f"{CRASH} DOWNTIME_COUNTS", "owner_is_never_taken_for_a_thief"),
    rotation("slow commit while starting cuts off", "broken", f"{CRASH} SLOW_START_CUTS_OFF",
             "owner_is_never_taken_for_a_thief"),
    rotation("no deadline", "broken", f"{CRASH} NO_DEADLINE", "owner_is_answered", fair=True),
    # What the shipped protocol does not promise.
    rotation("two crashes", "limit", f"{CRASH} CRASHES=2", "owner_is_never_taken_for_a_thief"),
    rotation("stalled commit, then crash", "limit", f"{CRASH} STALLS=1", "owner_is_never_taken_for_a_thief"),
    rotation("late duplicate", "limit", f"{CRASH} LATE_DUPLICATE", "owner_is_never_taken_for_a_thief"),
]

# Any number of broken streams, a slow watcher, a crash; rows drop off the log.
WATCH = "TOKENS=3 LOG_ROWS=2"
LOSS = "TOKENS=2 CRASHES=0 LOSSES=1"
RESTORE = "TOKENS=2 RESTORES=1 NEW_LIVES=1 WIRE=1 COARSE=1"
PROMPT = "TOKENS=2 LOG_ROWS=1 PROMPT=1"

FEED = [
    feed("slow watcher, broken streams, crash", "holds", WATCH, "safety"),
    feed("slow watcher, broken streams, crash", "witness", WATCH, "can_resume can_fall_behind_the_log can_know_all"),
    feed("lost frame", "holds", LOSS, "safety"),
    feed("lost frame", "witness", LOSS, "can_abandon_after_a_loss"),
    feed("restore, new verifier", "holds", RESTORE, "safety"),
    feed("restore, new verifier", "witness", RESTORE, "can_merge_what_the_server_lost"),
    feed("two restores", "holds", f"{RESTORE} RESTORES=2 CRASHES=2 NEW_LIVES=0", "safety"),
    feed("after crash and broken stream", "holds", f"{PROMPT} CRASHES=1 BREAKS=1",
         "acknowledged_arrives fresh_in_the_end time_goes_on", fair=True),
    feed("after a lost frame", "holds", f"{PROMPT} CRASHES=0 BREAKS=0 LOSSES=1",
         "acknowledged_arrives fresh_in_the_end time_goes_on", fair=True),
    feed("after all of them, abandoning", "holds", f"{PROMPT} CRASHES=1 BREAKS=1 LOSSES=1 ABANDON_OUT_OF_STEP",
         "acknowledged_arrives fresh_in_the_end time_goes_on", fair=True),
    # Broken on purpose.
    feed("acknowledged before told", "broken", f"{WATCH} ACKNOWLEDGE_FIRST", "fresh_knows_all_before_as_of"),
    feed("head read before as_of", "broken", f"{WATCH} HEAD_BEFORE_TIME", "fresh_knows_all_before_as_of"),
    feed("log before set", "broken", f"{WATCH} LOG_BEFORE_SET", "reached_ticket_is_known"),
    feed("as_of in every delta", "broken", f"{WATCH} AS_OF_IN_EVERY_DELTA", "fresh_knows_all_before_as_of"),
    feed("cursor moves at first part", "broken", f"{WATCH} CURSOR_AT_FIRST_PART", "reached_ticket_is_known"),
    feed("slow watcher skips", "broken", f"{WATCH} SLOW_WATCHER_SKIPS LOG_ROWS=1", "fresh_knows_all_before_as_of"),
    feed("fresh on arrival", "broken", f"{WATCH} FRESH_ON_ARRIVAL", "fresh_knows_all_before_as_of"),
    feed("no gap check", "broken", f"{LOSS} NO_GAP_CHECK", "reached_ticket_is_known"),
    feed("blind heartbeat", "broken", f"{LOSS} BLIND_HEARTBEAT", "fresh_knows_all_before_as_of"),
    feed("snapshot replaces", "broken", f"{RESTORE} SNAPSHOT_REPLACES", "nothing_is_unrevoked"),
    feed("no row for all", "broken", f"{RESTORE} NO_ROW_FOR_ALL", "acknowledged_is_in_force"),
    feed("same epoch, no check", "broken", f"{RESTORE} SAME_EPOCH NO_CHECK", "fresh_knows_all_before_as_of"),
    feed("gap is ignored", "broken", f"{PROMPT} CRASHES=0 BREAKS=0 LOSSES=1 GAP_IS_IGNORED", "fresh_in_the_end", fair=True),
    # What the shipped protocol does not promise.
    feed("lost part of a snapshot", "limit", f"{LOSS} LOSE_PARTS", "reached_ticket_is_known"),
    feed("first frame of a resumed stream lost", "limit", f"{PROMPT} CRASHES=0 BREAKS=1 LOSSES=1",
         "fresh_in_the_end", fair=True),
    feed("heartbeats never abandon", "limit",
         f"{PROMPT} CRASHES=0 BREAKS=0 LOSSES=1 FOREIGN_HEARTBEAT_IGNORED", "fresh_in_the_end", fair=True),
    feed("loss younger than the mark", "limit", f"{RESTORE} UNNOTICED", "acknowledged_is_in_force"),
    feed("ticket after such a loss", "limit", f"{RESTORE} UNNOTICED", "reached_ticket_is_known"),
]

# Several servers, one store: planned for, not shipped.
SHARED = [
    shared("compare-and-set", "holds", "", "one_successor older_token_never_succeeds"),
    shared("compare-and-set", "witness", "", "can_use_two_generations"),
    shared("account read once", "holds", "", "safety"),
    shared("serializable store, account read twice", "holds", "SERIALIZABLE READS_ACCOUNT_TWICE",
           "safety"),
    shared("no compare-and-set", "broken", "NO_COMPARE_AND_SET",
           "one_successor older_token_never_succeeds ended_session_stays_ended"),
    shared("account read twice", "broken", "READS_ACCOUNT_TWICE", "ended_session_stays_ended"),
]

CHECKS = ROTATION + FEED + SHARED
