/* Refresh rotation: one session, its account, those who hold its tokens, one
 * server that may die at any moment, one writer.
 *
 * What each step mirrors is named beside it; read the two together. A step is
 * atomic (d_step) exactly where the shipped code is: the body of a transaction
 * runs alone on the writer's thread; everything around it may be interleaved.
 *
 * Time is kept as ages in ticks, cut off where nothing depends on more, so runs
 * of any length are covered. Switches and sizes: README.md.
 */

#ifndef THIEF
#define THIEF 1       /* 0: nobody ever steals */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1      /* requests and replies that get lost */
#endif
#ifndef OPERATIONS
#define OPERATIONS 1  /* what the operator does to the session or the account */
#endif
#ifndef GENERATIONS
#define GENERATIONS 4 /* the last one is not presented any more */
#endif
#ifndef REQUEST_ID
#define REQUEST_ID 0  /* 1: the owner names a request_id, as the SDKs do */
#endif
#ifndef LONGEST_DOWN
#define LONGEST_DOWN 0 /* ticks */
#endif
#ifndef STALLS
#define STALLS 0      /* 1: a commit may take long */
#endif

#ifndef WINDOW
#define WINDOW 2      /* RotationPolicy::retry_window */
#endif
#define ID_WINDOW 3   /* RotationPolicy::request_id_window */
#define LIFE 1        /* Lifetimes::access: ends within either window */
#if REQUEST_ID
#define CLOSED 3
#else
#define CLOSED 2      /* an age at which no window is open */
#endif
#define OLD (CLOSED + LONGEST_DOWN + 1)

/* ---- the store: what is durable, and the transaction under way ---- */

#define DISK 0
#define TX 1

/* storage/rows.h SessionRow */
byte generation[2] = 1;
bit revoked[2];
byte opened[2] = 1;       /* opened_generation */
bit id_given[2];          /* request_id_hash is not empty (only the owner's) */
byte since_rotated[2];    /* now - rotated_at */
byte since_minted[2];     /* now - minted_at */
/* storage/rows.h AccountRow */
byte account_gen[2] = 1;
byte floor[2] = 1;        /* session_floor */
bit disabled[2];
/* the ledger's rows about this session and this account */
bit row_session[2];
byte row_account[2];      /* min_generation */
/* ServingTime::Elapsed(rotated_at, now). In memory, and made anew by a new
 * process; here so that it goes back with a transaction that is lost. */
byte elapsed[2];
/* for the properties: ticks since the rotation in which we could be asked; the highest generation that was presented with success,
 * and whether an older token was presented while the session was in order */
byte served[2];
byte proven[2];
bit theft_shown[2];

inline copy(to, from) {
  generation[to] = generation[from]; revoked[to] = revoked[from];
  opened[to] = opened[from]; id_given[to] = id_given[from];
  since_rotated[to] = since_rotated[from]; since_minted[to] = since_minted[from];
  account_gen[to] = account_gen[from]; floor[to] = floor[from];
  disabled[to] = disabled[from]; row_session[to] = row_session[from];
  row_account[to] = row_account[from]; proven[to] = proven[from];
  theft_shown[to] = theft_shown[from]; elapsed[to] = elapsed[from];
  served[to] = served[from]
}

/* ---- the server's memory ---- */

bit up = 1;
/* How far the writer is: taking a group, syncing its commit, committed, its
 * ledger rows announced to memory. */
mtype = { Taking, Syncing, Committed, Announced };
mtype stage = Taking;
bit set_session;          /* RevocationSet: the session is hit */
byte set_account;         /* RevocationSet: tokens with gen below are hit */
bit row_owed;             /* for a broken variant alone */
byte since_mark;          /* now - the mark file's time; kept while down */

/* ---- calls ---- */

#define OWNER 0
#define STEALER 1
#define OPERATOR 2
#define CALLERS 3

mtype = { Idle, Sent, Applied, Failed };  /* Failed: no answer, outcome unknown */
mtype = { None, Refresh, EndSession, OtherPassword, OwnPassword, Disable, Enable };
mtype = { Rotated, Retried, InProgress, Reused, Refused, Done };
mtype phase[CALLERS] = Idle;
mtype asked[CALLERS] = None;
mtype outcome[CALLERS] = None;
byte answer_gen[CALLERS];  /* of the refresh token in the answer */
byte claim_gen[CALLERS];   /* claim `gen` of the access token in the answer */

byte held[2] = { 1, 0 };           /* refresh token of owner and thief; 0: none */
bit owner_out;             /* the owner was told to sign in again */

byte crashes_left = CRASHES, losses_left = LOSSES, operations_left = OPERATIONS;
byte down_for;

/* ---- what the properties speak of ---- */

bit end_acked;       /* the end of the session was acknowledged */
bit account_acked;   /* that of all its account's sessions but the caller's */
byte acked_min;      /* ... of all access tokens with claim gen below this */
bit reuse_told;      /* somebody got an answer to an old token */
bit refreshed_after_end, outlived_end, older_succeeded;
bit second_successor, second_token, overrun, owner_mistaken;
bit crashed_since;   /* since the rotation */
bit retry_served, retry_after_crash, fresh_on_retry;  /* for the witnesses */

/* ---- server/session/rotation.cc ---- */

/* RefusedWithoutChange, in its order; lifetimes and clients are left out. */
#define REFUSED_WITHOUT_CHANGE \
  (revoked[TX] || disabled[TX] || opened[TX] < floor[TX])
#define SUCCEEDS(who) (outcome[who] == Rotated || outcome[who] == Retried)

/* DecidePredecessor */
inline decide_predecessor(who) {
  if
  :: !id_given[TX] ->
     if :: elapsed[TX] < WINDOW -> outcome[who] = Retried
        :: else -> outcome[who] = Reused fi
  :: id_given[TX] && who == OWNER ->
     if :: elapsed[TX] < ID_WINDOW -> outcome[who] = Retried
        :: else -> outcome[who] = Reused fi
  :: else ->
     if :: elapsed[TX] < WINDOW -> outcome[who] = InProgress
        :: else -> outcome[who] = Reused fi
  fi
}

/* Decide */
inline decide(who) {
  if
#ifdef RETRY_BEFORE_STATE   /* broken: the generation before the state */
  :: held[who] + 1 == generation[TX] && elapsed[TX] < WINDOW -> outcome[who] = Retried
  :: REFUSED_WITHOUT_CHANGE && !(held[who] + 1 == generation[TX] && elapsed[TX] < WINDOW) ->
#else
  :: REFUSED_WITHOUT_CHANGE ->
#endif
     outcome[who] = Refused
  :: else ->
     if
     :: held[who] == generation[TX] -> outcome[who] = Rotated
#ifdef OLDER_IS_JUST_REFUSED /* broken: an old token is no sign of theft */
     :: held[who] + 1 < generation[TX] -> outcome[who] = Refused
#elif defined(ANY_OLDER_IS_RETRIED)  /* broken: the window is open for all */
     :: held[who] + 1 < generation[TX] -> decide_predecessor(who)
#else
     :: held[who] + 1 < generation[TX] -> outcome[who] = Reused
#endif
     :: held[who] + 1 == generation[TX] -> decide_predecessor(who)
     fi
  fi
}

/* ---- server/flow/refresh.cc Refresh::Rotate and server/session/sessions.cc
 * Sessions::Rotate: the body of one transaction ---- */

inline note_for_properties(who) {
  if :: !REFUSED_WITHOUT_CHANGE && held[who] + 1 < generation[TX] -> theft_shown[TX] = 1
     :: else fi;
  if
  :: SUCCEEDS(who) ->
     if :: held[who] < proven[TX] -> older_succeeded = 1 :: else fi;
     if :: end_acked || account_acked -> refreshed_after_end = 1 :: else fi;
     proven[TX] = (held[who] > proven[TX] -> held[who] : proven[TX])
  :: else
  fi
}

inline rotate(who) {
  decide(who);
  note_for_properties(who);
  if
  :: outcome[who] == Rotated ->             /* Sessions::Advance, StampAccess */
     generation[TX] = held[who] + 1;
     id_given[TX] = (who == OWNER && REQUEST_ID);
     since_rotated[TX] = 0; since_minted[TX] = 0;
     elapsed[TX] = 0; served[TX] = 0; crashed_since = 0
  :: outcome[who] == Retried ->
     retry_served = 1;
     if :: crashed_since -> retry_after_crash = 1 :: else fi;
     if :: served[TX] > WINDOW && !id_given[TX] -> overrun = 1 :: else fi;
#ifdef FRESH_TOKEN_EACH_RETRY  /* broken: `repeats_token` is never true */
     if :: since_minted[TX] < LIFE -> second_token = 1 :: else fi;
     since_minted[TX] = 0;
#else
     if :: since_minted[TX] >= LIFE -> since_minted[TX] = 0; fresh_on_retry = 1
        :: else fi;
#endif
#ifdef WINDOW_FROM_RETRY       /* broken: every retry opens the window anew */
     since_rotated[TX] = 0; elapsed[TX] = 0;
#endif
#ifdef RETRY_ROTATES           /* broken: a retry is given the next generation */
     generation[TX] = generation[TX] + 1;
#endif
  :: outcome[who] == Reused ->
     owner_mistaken = !THIEF;
#ifndef REUSE_IS_AN_ERROR      /* broken: an error rolls the end back */
     revoked[TX] = 1;                       /* SessionTable::Revoke */
     row_session[TX] = 1                    /* AppendSessionEnd */
#endif
  :: else
  fi;
  answer_gen[who] = generation[TX];         /* SessionSecrets::RefreshToken */
  claim_gen[who] = account_gen[TX];         /* ReadIssuance, in the transaction */
  if :: SUCCEEDS(who) && answer_gen[who] != held[who] + 1 -> second_successor = 1
     :: else fi
}

/* ---- server/flow/account_change.cc, manage_sessions.cc, sign_out.cc ---- */

/* EndSession, AppendSessionEnd */
inline end_session() {
  if
  :: !revoked[TX] ->
     revoked[TX] = 1;
#ifdef LEDGER_ROW_FOLLOWS      /* broken: the row has a transaction of its own */
     row_owed = 1
#else
     row_session[TX] = 1
#endif
  :: else  /* RevisionOfNewest: the ticket of the row that is there */
  fi;
  outcome[OPERATOR] = Done
}

/* server/account/events.cc Apply, ChangeAccount */
inline end_all_of_account() {
  account_gen[TX] = account_gen[TX] + 1;
#ifndef FLOOR_STAYS            /* broken: sessions opened before may go on */
  floor[TX] = account_gen[TX];
#endif
  row_account[TX] = account_gen[TX]
}

inline operate() {
  if
  :: asked[OPERATOR] == EndSession -> end_session()
  :: asked[OPERATOR] == OtherPassword ->  /* SetPassword, RevokeAll, or */
     end_all_of_account();                /* ChangePassword from elsewhere */
     outcome[OPERATOR] = Done
  :: asked[OPERATOR] == OwnPassword ->    /* change_password.cc Settle */
     if
     :: !REFUSED_WITHOUT_CHANGE ->        /* SurvivingSession */
        end_all_of_account();
        opened[TX] = account_gen[TX];
        outcome[OPERATOR] = Done
     :: else -> outcome[OPERATOR] = Refused
     fi
  :: asked[OPERATOR] == Disable ->        /* manage_accounts.cc */
     if :: !disabled[TX] -> disabled[TX] = 1; end_all_of_account()
        :: else fi;
     outcome[OPERATOR] = Done
  :: asked[OPERATOR] == Enable -> disabled[TX] = 0; outcome[OPERATOR] = Done
  fi
}

/* ---- storage/sqlite/writer.cc ---- */

#define IN_GROUP(who) (phase[who] == Applied)
#define GROUP (IN_GROUP(OWNER) || IN_GROUP(STEALER) || IN_GROUP(OPERATOR))

inline forget(who) {
  phase[who] = Idle; asked[who] = None; outcome[who] = None;
  answer_gen[who] = 0; claim_gen[who] = 0
}

/* Operation::Finish, then TokenIssuer::Issue outside the transaction, then the
 * reply reaches its caller. */
inline answer_refresh(who) {
#ifdef GENERATION_READ_LATE    /* broken: claim gen read when signing */
  claim_gen[who] = account_gen[DISK];
#endif
  if :: SUCCEEDS(who) && opened[DISK] < floor[DISK] && claim_gen[who] >= floor[DISK] ->
        outlived_end = 1
     :: else fi;
  if :: theft_shown[DISK] -> reuse_told = 1 :: else fi;
  if :: SUCCEEDS(who) -> held[who] = answer_gen[who]
     :: who == OWNER && (outcome[OWNER] == Refused || outcome[OWNER] == Reused) -> owner_out = 1
     :: else  /* InProgress: ask again */ fi;
  forget(who)
}

inline answer_operator() {
  if
  :: asked[OPERATOR] == EndSession -> end_acked = 1
  :: (asked[OPERATOR] == OtherPassword || asked[OPERATOR] == Disable) ->
     account_acked = 1; acked_min = account_gen[TX]
  :: asked[OPERATOR] == OwnPassword && outcome[OPERATOR] == Done ->
     acked_min = account_gen[TX]
  :: else
  fi;
  forget(OPERATOR)
}

active proctype Writer() {
  do
  /* TakeWaiting, Apply: one operation after the other, in one transaction */
  :: d_step { up && stage == Taking && phase[OWNER] == Sent -> rotate(OWNER); phase[OWNER] = Applied }
#if THIEF
  :: d_step { up && stage == Taking && phase[STEALER] == Sent -> rotate(STEALER); phase[STEALER] = Applied }
#endif
#if OPERATIONS
  :: d_step { up && stage == Taking && phase[OPERATOR] == Sent -> operate(); phase[OPERATOR] = Applied }
#endif
  :: d_step { up && stage == Taking && GROUP -> stage = Syncing }
  /* COMMIT returns: durable from here */
  :: d_step { up && stage == Syncing -> copy(DISK, TX); stage = Committed }
  /* Announce: RevocationSet::Apply, before anyone is answered */
  :: d_step { up && stage == Committed ->
#ifdef LEDGER_ROW_FOLLOWS
       if :: row_owed -> row_session[DISK] = 1; row_session[TX] = 1; row_owed = 0 :: else fi;
#endif
       set_session = row_session[DISK]; set_account = row_account[DISK];
       stage = Announced }
  /* everybody's Finish */
  :: d_step { up && stage == Announced && IN_GROUP(OWNER) -> answer_refresh(OWNER) }
#if THIEF
  :: d_step { up && stage == Announced && IN_GROUP(STEALER) -> answer_refresh(STEALER) }
#endif
#if OPERATIONS
  :: d_step { up && stage == Announced && IN_GROUP(OPERATOR) -> answer_operator() }
#endif
  :: d_step { up && stage == Announced && !GROUP -> stage = Taking }
#ifdef ANSWER_BEFORE_ANNOUNCE  /* broken: Finish before Announce */
  :: d_step { up && stage == Committed && IN_GROUP(OPERATOR) -> answer_operator() }
#endif
#ifdef ANSWER_BEFORE_COMMIT    /* broken: the store does not sync */
  :: d_step { up && stage == Syncing && IN_GROUP(OPERATOR) -> answer_operator() }
#endif
  od
}

/* ---- faults ---- */

inline fail(who) {
  if :: phase[who] == Sent || phase[who] == Applied ->
        phase[who] = Failed; outcome[who] = None; answer_gen[who] = 0; claim_gen[who] = 0
     :: else fi
}

inline crash() {
  crashes_left--; up = 0; down_for = 0; crashed_since = 1;
  fail(OWNER); fail(STEALER); fail(OPERATOR);
  copy(TX, DISK);
  stage = Taking; set_session = 0; set_account = 0; row_owed = 0
}

inline start() {
  set_session = row_session[DISK]; set_account = row_account[DISK];
#ifdef DOWNTIME_COUNTS         /* broken: the window runs while we are down */
  since_mark = 0;
#endif
#ifndef PAUSES_SURVIVE         /* what would mend the limits of README.md */
  elapsed[DISK] = (since_rotated[DISK] > since_mark -> since_rotated[DISK] - since_mark : 0);
  if :: elapsed[DISK] > CLOSED -> elapsed[DISK] = CLOSED :: else fi;
  elapsed[TX] = elapsed[DISK];
#endif
  since_mark = 0; down_for = 0; up = 1
}

active proctype Machine() {
  do
  /* The process dies: what is not committed is gone, and so is every reply.
   * The mark is rewritten every second: it may be a tick old. */
  :: d_step { up && crashes_left -> crash(); since_mark = 0 }
#if LONGEST_DOWN
  :: d_step { up && crashes_left -> crash(); since_mark = 1 }
#endif
  /* loading.cc LoadLedger; assembly.cc Serve: AddPause(mark, now), the only
   * pause that a new process knows of */
  :: d_step { !up -> start() }
#ifdef SLOW_START              /* a limit: a commit of the start itself stalls, and */
  :: d_step { !up -> since_mark = 0; start() }  /* AddPause cuts off what was before */
#endif
  /* A request or a reply gets lost; its caller's deadline passes. */
  :: d_step { up && losses_left && phase[OWNER] == Sent -> losses_left--; fail(OWNER) }
  :: d_step { up && losses_left && stage == Announced && IN_GROUP(OWNER) -> losses_left--; fail(OWNER) }
#if OPERATIONS
  :: d_step { up && losses_left && stage == Announced && IN_GROUP(OPERATOR) -> losses_left--; fail(OPERATOR) }
#endif
  od
}

/* ---- time ---- */

/* An owner tries again in time: while it does not know the newest token, the
 * window does not close on it as long as the server can be reached. */
#define OWNER_WOULD_BE_LATE \
  (!THIEF && held[OWNER] < generation[TX] && !owner_out && elapsed[TX] + 1 >= CLOSED)

inline raise(age, limit) { if :: age < limit -> age++ :: else fi }

inline tick() {
  raise(since_rotated[DISK], OLD); raise(since_rotated[TX], OLD);
  raise(since_minted[DISK], LIFE); raise(since_minted[TX], LIFE)
}

active proctype Clock() {
  do
  :: d_step { up && stage != Syncing && !OWNER_WOULD_BE_LATE ->
       tick(); raise(elapsed[DISK], CLOSED); raise(elapsed[TX], CLOSED);
       raise(served[DISK], WINDOW + 1); raise(served[TX], WINDOW + 1) }
#if STALLS
  /* loading.cc on_commit: a commit that stalls is a pause */
  :: d_step { up && stage == Syncing -> tick() }
#endif
#if LONGEST_DOWN
  :: d_step { !up && down_for < LONGEST_DOWN -> tick(); down_for++; since_mark++ }
#endif
  od
}

/* ---- callers ---- */

inline call(who, what) { asked[who] = what; phase[who] = Sent }

/* client/cpp/token_client.cc KeepAlive, Settle: one refresh at a time, with the
 * same token and request_id until there is an answer */
active proctype Owner() {
  do
  :: d_step { phase[OWNER] == Idle && up && !owner_out && held[OWNER] < GENERATIONS -> call(OWNER, Refresh) }
#ifndef NO_DEADLINE    /* broken: who got no answer waits for ever */
  :: d_step { phase[OWNER] == Failed && up -> call(OWNER, Refresh) }
#endif
#ifdef LATE_DUPLICATE  /* a limit: a request that was long answered comes again */
  :: d_step { phase[OWNER] == Idle && up && held[OWNER] == 3 -> held[OWNER] = 1; call(OWNER, Refresh) }
#endif
  od
}

#if THIEF
active proctype Stealer() {
  do
  :: d_step { phase[STEALER] == Idle && !held[STEALER] -> held[STEALER] = held[OWNER] }
  :: d_step { phase[STEALER] == Idle && up && held[STEALER] && held[STEALER] < GENERATIONS -> call(STEALER, Refresh) }
  :: d_step { phase[STEALER] == Failed -> forget(STEALER) }
  od
}
#endif

#if OPERATIONS
#define MAY_OPERATE (phase[OPERATOR] == Idle && up && operations_left)
active proctype Operator() {
  do
  :: d_step { MAY_OPERATE -> operations_left--; call(OPERATOR, EndSession) }
  :: d_step { MAY_OPERATE -> operations_left--; call(OPERATOR, OtherPassword) }
  :: d_step { MAY_OPERATE -> operations_left--; call(OPERATOR, OwnPassword) }
  :: d_step { MAY_OPERATE -> operations_left--; call(OPERATOR, Disable) }
  :: d_step { phase[OPERATOR] == Idle && up && disabled[DISK] -> call(OPERATOR, Enable) }
  /* an unknown outcome is asked for again */
  :: d_step { phase[OPERATOR] == Failed && up -> phase[OPERATOR] = Sent }
  od
}
#endif

/* ---- properties ---- */

#define one_successor_p (!second_successor && !second_token)
#define older_p (!older_succeeded)
#define ended_p (!refreshed_after_end && !outlived_end)
#define acknowledged_p \
  (!up || ((!end_acked || set_session) && set_account >= acked_min))
#define reuse_p (!(up && reuse_told) || (revoked[DISK] && set_session))
#define window_p (!overrun)
#define honest_p (!owner_mistaken)

/* Of a generation there is one successor, and one living access token. */
ltl one_successor { [] one_successor_p }
/* A token whose successor was presented never succeeds again. */
ltl older_token_never_succeeds { [] older_p }
/* After an acknowledged end the session does not refresh, and no access token
 * made for it outlives the end. */
ltl ended_session_stays_ended { [] ended_p }
/* From the acknowledgement on, Verify refuses what was ended; after a crash
 * too. */
ltl acknowledged_end_holds { [] acknowledged_p }
/* Once anybody has got an answer to an old token, the session has ended. */
ltl reuse_ends_the_session { [] reuse_p }
/* No predecessor succeeds after the window, counted while we could be asked; a
 * tick more at most, which is the age of the mark. */
ltl window_never_lengthens { [] window_p }
/* Without a thief nobody is taken for one. */
ltl owner_is_never_taken_for_a_thief { [] honest_p }
ltl safety { [] (one_successor_p && older_p && ended_p && acknowledged_p &&
                 reuse_p && window_p && honest_p) }
/* Faults are finite and everybody gets a turn: then who asks is answered. */
ltl owner_is_answered { [] (phase[OWNER] != Idle -> <> (phase[OWNER] == Idle)) }

/* Witnesses: each must be found possible, or the model would prove nothing. */
ltl can_retry { [] !retry_served }
ltl can_retry_after_crash { [] !retry_after_crash }
ltl can_get_fresh_token_on_retry { [] !fresh_on_retry }
ltl can_detect_reuse { [] !reuse_told }
ltl can_end_session { [] !(end_acked && up) }
ltl can_change_password_and_go_on { [] !(acked_min == 2 && !account_acked && proven[DISK] == 3) }
ltl can_disable_and_enable { [] !(account_acked && operations_left == 0 && floor[DISK] == 2 && !disabled[DISK] && phase[OPERATOR] == Idle && asked[OWNER] == Refresh) }
ltl can_use_every_generation { [] !(held[OWNER] == GENERATIONS) }
