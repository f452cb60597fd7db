/* The revocation feed: ledger, in-memory set, log, released head, snapshots, one
 * watcher's stream and one verifier, under crashes, broken streams, lost frames
 * and a restore from a backup.
 *
 * What each step mirrors is named beside it; read the two together. A step is
 * atomic (d_step) at most where the shipped code holds a lock.
 *
 * Time is kept as ages in ticks, cut off at OLD: older says nothing to anybody.
 * So runs of any length are covered. Switches and sizes: README.md.
 */

#ifndef TOKENS
#define TOKENS 3      /* tokens to be revoked, one row each */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RESTORES
#define RESTORES 0    /* 1: a backup is put in place, `ostiaryd restore` is run */
#endif
#ifndef LOSSES
#define LOSSES 0      /* frames that vanish inside a stream */
#endif
#ifndef NEW_LIVES
#define NEW_LIVES 0   /* restarts of the verifier without a state file */
#endif
#ifndef BREAKS
#define BREAKS 255    /* broken streams; 255: any number */
#endif
#ifndef LOG_ROWS
#define LOG_ROWS 2    /* FeedLog: most_rows */
#endif
#ifndef WIRE
#define WIRE 2        /* frames that are on their way at most */
#endif
#ifndef COARSE
#define COARSE 0      /* 1: releasing, and making a snapshot, are one step each */
#endif
#ifndef PROMPT
#define PROMPT 0      /* 1: time passes when all that was due is done */
#endif

#define BOUND 1       /* VerifierOptions::staleness_bound, in ticks */
#define OLD 2
#define ALL_ID (TOKENS + 1)           /* the row "all issued before now" */
#define LAST_SEQUENCE (TOKENS + 2 * RESTORES + 1)
#define BIT(id) (1 << ((id) - 1))
#define NOWHERE 99

/* ---- the store (storage/sqlite/ledger.cc): rows, head ---- */

byte row[LAST_SEQUENCE + 1];    /* by sequence: what it ends; 0: no such row */
short check[LAST_SEQUENCE + 1]; /* the running hash; here it names a history */
byte epoch = 1, head;
byte backup = NOWHERE;          /* where the ledger stood when it was taken */
byte mark;                      /* the mark file's sequence */

/* ---- the server's memory ---- */

bit up = 1;
byte set;                       /* RevocationSet */
byte log_head, log_base;        /* FeedLog: head_, base_ */

byte revoking = 1;              /* the token whose turn it is */
mtype = { Resting, Durable, InSet, InLog, Told };
mtype writer = Resting;

/* RevocationFeed: what may be told */
byte released, released_age;    /* Released: head, as_of */
bit beat;                       /* the watcher has not had the newest heartbeat */
bit releasing; byte releasing_age, releasing_head;
bit beat_due = 1;               /* with PROMPT: a heartbeat each tick */

/* SnapshotSlot, and the snapshot that is being made */
bit slot; byte slot_head, slot_age, slot_set;
byte making; byte making_age, making_head;

/* Watcher; w_part: parts of the snapshot it has been sent */
bit watched = 0;
byte w_position = NOWHERE;
byte w_part; byte w_head, w_age, w_set;

/* ---- frames on their way (server/door/watch_frames.cc) ---- */

mtype = { Part, Last, Delta, Heartbeat };
byte flying;
mtype f_kind[WIRE];
byte f_epoch[WIRE], f_from[WIRE], f_to[WIRE], f_age[WIRE], f_entries[WIRE];
short f_check[WIRE];

/* ---- the verifier (client/cpp/knowledge.h) ---- */

byte known;                     /* RevokedSet */
bit positioned;                 /* position() has a value */
byte v_epoch, v_sequence, v_age = OLD;
short v_check;
byte reached[RESTORES + 2];     /* by epoch: how far it was followed, plus 1 */
bit in_step;                    /* Follower */

/* ---- what the properties speak of ---- */

byte acked;                     /* revocations that were acknowledged */
byte ack_age[TOKENS + 1];
byte ticket_epoch[TOKENS + 1], ticket_sequence[TOKENS + 1];
byte once_known;
bit second;                     /* flips with every tick */
bit resumed, dropped_behind, merged;  /* for the witnesses */

byte crashes_left = CRASHES, restores_left = RESTORES, losses_left = LOSSES;
byte breaks_left = BREAKS, lives_left = NEW_LIVES;
byte i, n;  /* scratch, 0 between steps */

/* ---- storage/sqlite/ledger.cc Append; FeedLog::Append ---- */

inline append(what) {
  assert(head < LAST_SEQUENCE);
  check[head + 1] = check[head] * (TOKENS + 2) + what;
  head++;
  row[head] = what
}

inline drop_beyond_capacity() {
  n = 0; i = log_base + 1;
  do :: i <= log_head -> if :: row[i] -> n++ :: else fi; i++
     :: else -> break od;
  do :: n > LOG_ROWS ->
          log_base++;
          if :: row[log_base] -> n-- :: else fi
     :: else -> break od;
  i = 0; n = 0
}

/* ---- server/flow/revoke.cc on the writer's thread: storage/sqlite/writer.cc
 * Run: commit, Announce (loading.cc Listener: set, then log), Finish ---- */

inline acknowledge() {
  acked = acked | BIT(revoking);
  ack_age[revoking] = 0;
  ticket_epoch[revoking] = epoch;
  i = 1;
  do :: i <= head -> if :: row[i] == revoking -> ticket_sequence[revoking] = i :: else fi; i++
     :: else -> break od;
  i = 0;
  if :: revoking < TOKENS -> revoking++ :: else fi
}

inline find_row_of_turn() {  /* RevisionOfNewest; n: found */
  i = 1; n = 0;
  do :: i <= head -> if :: row[i] == revoking -> n = 1 :: else fi; i++
     :: else -> break od;
  i = 0
}

active proctype Writer() {
  do
  :: d_step { up && writer == Resting && !(acked & BIT(revoking)) ->
       find_row_of_turn();
       if
       :: n -> acknowledge()  /* a repeat after a lost answer: the same row */
       :: else ->
          append(revoking);
#ifdef ACKNOWLEDGE_FIRST       /* broken: Finish before Announce */
          acknowledge();
#endif
          writer = Durable
       fi;
       n = 0 }
#ifdef LOG_BEFORE_SET          /* broken: told before it is in the set */
  :: d_step { up && writer == Durable -> log_head = head; drop_beyond_capacity(); writer = InSet }
  :: d_step { up && writer == InSet -> set = set | BIT(row[head]); writer = InLog }
#else
  :: d_step { up && writer == Durable -> set = set | BIT(row[head]); writer = InSet }
  :: d_step { up && writer == InSet -> log_head = head; drop_beyond_capacity(); writer = InLog }
#endif
  :: d_step { up && writer == InLog ->
#ifndef ACKNOWLEDGE_FIRST
       acknowledge();
#endif
       writer = Resting }
  od
}

/* ---- server/door/revocation_feed.cc Run, Release: the feed's thread ---- */

#if PROMPT
#define RELEASE_DUE (beat_due || log_head != released)
#else
#define RELEASE_DUE 1
#endif

active proctype Feed() {
  do
#if COARSE
  :: d_step { up && RELEASE_DUE -> released = log_head; released_age = 0; beat = 1; beat_due = 0;
       if :: slot && slot_age == OLD -> slot = 0; slot_head = 0; slot_age = 0; slot_set = 0
          :: else fi }
#else
#ifdef HEAD_BEFORE_TIME        /* broken: as_of is read after the head */
  :: d_step { up && !releasing && RELEASE_DUE -> releasing = 1; releasing_head = log_head }
  :: d_step { up && releasing -> released = releasing_head; released_age = 0;
       beat = 1; beat_due = 0; releasing = 0; releasing_head = 0 }
#else
  :: d_step { up && !releasing && RELEASE_DUE -> releasing = 1; releasing_age = 0 }
  :: d_step { up && releasing -> released = log_head; released_age = releasing_age;
       beat = 1; beat_due = 0; releasing = 0; releasing_age = 0;
       /* kSnapshotAge: an old snapshot goes */
       if :: slot && slot_age == OLD -> slot = 0; slot_head = 0; slot_age = 0; slot_set = 0
          :: else fi }
#endif
#endif
  od
}

/* MakeSnapshot on its lane: time, head, set, in that order. Only when somebody
 * waits for one (UsableSnapshot). */
#define LOG_GOES_ON_FROM(at) ((at) >= log_base && (at) <= log_head)
#define SLOT_USABLE (slot && LOG_GOES_ON_FROM(slot_head))

active proctype Snapshots() {
  do
  :: d_step { up && !making && watched && w_position == NOWHERE && !w_part && !SLOT_USABLE ->
#if COARSE
       slot = 1; slot_head = log_head; slot_age = 0; slot_set = set }
#else
       slot = 0; slot_head = 0; slot_age = 0; slot_set = 0;
       making = 1; making_age = 0 }
  :: d_step { up && making == 1 -> making = 2; making_head = log_head }
  :: d_step { up && making == 2 -> making = 0;
       slot = 1; slot_head = making_head; slot_age = making_age; slot_set = set;
       making_head = 0; making_age = 0 }
#endif
  od
}

/* ---- NextFor: the stream pulls when a frame before has gone out ---- */

inline send(kind, from, to, age, entries) {
  f_kind[flying] = kind; f_epoch[flying] = epoch;
  f_from[flying] = from; f_to[flying] = to; f_check[flying] = check[to];
  f_age[flying] = age; f_entries[flying] = entries;
  flying++
}

/* DeltaFor: one row a delta (kRowsInDelta), as_of with the one up to the head */
inline delta_for() {
  i = w_position + 1;
  do :: !row[i] -> i++ :: else -> break od;
#ifdef AS_OF_IN_EVERY_DELTA    /* broken: also in those that do not reach it */
  send(Delta, w_position, i, released_age, BIT(row[i]));
#else
  n = (i == released -> released_age : OLD);
  send(Delta, w_position, i, n, BIT(row[i])); n = 0;
#endif
  w_position = i; i = 0
}

#define ROOM (up && watched && flying < WIRE)

active proctype Stream() {
  do
  /* SnapshotPartFor, two parts: the first half of the entries, the rest */
  :: d_step { ROOM && w_position == NOWHERE && !w_part && SLOT_USABLE ->
       w_head = slot_head; w_age = slot_age; w_set = slot_set; w_part = 1;
       send(Part, w_head, w_head, OLD, w_set & 1) }
  :: d_step { ROOM && w_part == 1 ->
       send(Last, w_head, w_head, w_age, w_set & ~1);
       w_position = w_head; w_part = 0; w_head = 0; w_age = 0; w_set = 0 }
  :: d_step { ROOM && w_position != NOWHERE && w_position < released ->
       if
#ifdef SLOW_WATCHER_SKIPS      /* broken: After does not ask what was dropped */
       :: w_position < log_base -> w_head = w_position; w_position = log_base; delta_for();
          f_from[flying - 1] = w_head; w_head = 0
#endif
       :: w_position >= log_base -> delta_for()
       :: else -> w_position = NOWHERE; dropped_behind = 1  /* so slow */
       fi }
  :: d_step { ROOM && beat && w_position == released ->
       beat = 0; send(Heartbeat, released, released, released_age, 0) }
  od
}

/* ---- client/cpp/follower.cc, knowledge.cc ---- */

inline pop() {
  i = 1;
  do :: i < flying ->
          f_kind[i - 1] = f_kind[i]; f_epoch[i - 1] = f_epoch[i]; f_from[i - 1] = f_from[i];
          f_to[i - 1] = f_to[i]; f_age[i - 1] = f_age[i]; f_entries[i - 1] = f_entries[i];
          f_check[i - 1] = f_check[i]; i++
     :: else -> break od;
  flying--; i = 0;
  f_kind[flying] = 0; f_epoch[flying] = 0; f_from[flying] = 0; f_to[flying] = 0;
  f_age[flying] = 0; f_entries[flying] = 0; f_check[flying] = 0
}

inline clear_wire() { do :: flying -> pop() :: else -> break od }

/* Knowledge::Freshen: never back */
inline freshen() {
#ifdef FRESH_ON_ARRIVAL        /* broken: staleness since the frame arrived */
  v_age = 0
#else
  if :: f_age[0] < v_age -> v_age = f_age[0] :: else fi
#endif
}
/* Knowledge::Advance */
inline advance() {
  positioned = 1; v_epoch = f_epoch[0]; v_sequence = f_to[0]; v_check = f_check[0];
  if :: reached[v_epoch] < v_sequence + 1 -> reached[v_epoch] = v_sequence + 1 :: else fi;
  freshen(); in_step = 1
}
inline leave() {  /* the stream's end, of either side */
  clear_wire();
  watched = 0; w_position = NOWHERE; w_part = 0; w_head = 0; w_age = 0; w_set = 0;
  in_step = 0
}
inline add_entries() {
  known = known | f_entries[0]; once_known = once_known | f_entries[0]
}

/* TakeSnapshot */
inline take_part() {
  in_step = 0;
#ifdef SNAPSHOT_REPLACES       /* broken: not merged */
  known = 0;
#endif
  add_entries();
#ifdef CURSOR_AT_FIRST_PART    /* broken: does not wait for the last one */
  advance();
#endif
  pop()
}
inline take_last() {
  if :: positioned && v_epoch < f_epoch[0] && (known & ~f_entries[0] & ~1) -> merged = 1 :: else fi;
  add_entries(); advance(); pop()
}
/* TakeDelta */
inline take_delta() {
  if
  :: !positioned || f_epoch[0] != v_epoch -> leave()
#ifdef NO_GAP_CHECK            /* broken: any delta is applied */
  :: else -> add_entries(); advance(); pop()
#else
  :: positioned && f_epoch[0] == v_epoch && f_from[0] == v_sequence -> add_entries(); advance(); pop()
  :: positioned && f_epoch[0] == v_epoch && f_from[0] != v_sequence && f_to[0] <= v_sequence -> pop()
  :: else ->
#ifdef GAP_IS_IGNORED          /* broken: the stream goes on after a gap */
     pop()
#else
     leave()
#endif
#endif
  fi
}
/* TakeHeartbeat */
inline take_heartbeat() {
  if
#ifdef BLIND_HEARTBEAT         /* broken: not compared with the own place */
  :: positioned -> freshen(); in_step = 1; pop()
#else
  :: positioned && v_epoch == f_epoch[0] && v_sequence == f_to[0] -> advance(); pop()
#endif
  :: else ->
#ifdef GAP_IS_IGNORED
     pop()
#else
#ifdef ABANDON_OUT_OF_STEP     /* what would mend a limit of README.md */
     if :: positioned -> leave() :: else -> pop() fi
#else
#ifdef FOREIGN_HEARTBEAT_IGNORED  /* a limit: knowledge.ts, _knowledge.py */
     pop()
#else
     if :: in_step -> leave() :: else -> pop() fi
#endif
#endif
#endif
  fi
}

/* FeedLog::FitOf and CheckAt with the verifier's cursor; n: goes on from it */
inline fit() {
  n = 0;
  if
  :: !positioned || v_epoch != epoch || v_sequence > log_head -> skip
#ifdef NO_CHECK                /* broken: no running hash in the cursor */
  :: positioned && v_epoch == epoch && v_sequence <= log_head && v_sequence >= log_base -> n = 1
#else
  :: positioned && v_epoch == epoch && v_sequence == log_head -> n = (v_check == check[log_head])
  :: positioned && v_epoch == epoch && v_sequence < log_head &&
     ((v_sequence > log_base && row[v_sequence]) || (v_sequence == 0 && log_base == 0)) ->
     n = (v_check == check[v_sequence])
#endif
  :: else
  fi
}

active proctype Verifier() {
  do
  /* RevocationFeed::Subscribe */
  :: d_step { up && !watched && !flying ->
       watched = 1; beat = 1; in_step = 0;
       fit();
       if :: n -> w_position = v_sequence; resumed = 1 :: else fi;
       n = 0 }
  /* Follower::Take */
  :: d_step { flying && f_kind[0] == Part -> take_part() }
  :: d_step { flying && f_kind[0] == Last -> take_last() }
  :: d_step { flying && f_kind[0] == Delta -> take_delta() }
  :: d_step { flying && f_kind[0] == Heartbeat -> take_heartbeat() }
  od
}

/* ---- faults ---- */

inline load_ledger() {  /* loading.cc LoadLedger */
  set = 0; i = 1;
  do :: i <= head -> if :: row[i] -> set = set | BIT(row[i]) :: else fi; i++
     :: else -> break od;
  i = 0;
  log_head = head; log_base = 0; drop_beyond_capacity()
}

inline forget_after_backup() {
  i = backup + 1;
  do :: i <= head -> row[i] = 0; check[i] = 0; i++ :: else -> break od;
  i = 0; head = backup
}

active proctype Machine() {
  do
  :: d_step { up && crashes_left -> crashes_left--; up = 0;
       set = 0; log_head = 0; log_base = 0; writer = Resting;
       released = 0; released_age = 0; beat = 0;
       releasing = 0; releasing_age = 0; releasing_head = 0;
       slot = 0; slot_head = 0; slot_age = 0; slot_set = 0;
       making = 0; making_age = 0; making_head = 0;
       /* what was sent may still arrive */
       watched = 0; w_position = NOWHERE; w_part = 0; w_head = 0; w_age = 0; w_set = 0 }
  /* the constructor of RevocationFeed releases at once */
  :: d_step { !up -> load_ledger(); up = 1;
       released = log_head; released_age = 0; beat = 1; beat_due = 0 }
#if RESTORES
  :: d_step { up && backup == NOWHERE && restores_left -> backup = head }
#ifdef UNNOTICED               /* a limit: the loss is younger than the mark */
  :: d_step { up && mark != log_head && writer == Resting -> mark = log_head }
  :: d_step { !up && restores_left && backup != NOWHERE && backup >= mark ->
       restores_left--; forget_after_backup() }
#else
  /* restore.cc BeginEpoch; what is beyond the mark is not known to it */
  :: d_step { !up && restores_left && backup != NOWHERE -> restores_left--;
       mark = head;
       forget_after_backup();
#ifndef SAME_EPOCH             /* broken: the restored store goes on as before */
       i = (mark > head -> mark : head);
       epoch++;
       check[i] = check[head]; head = i; i = 0;
#endif
#ifndef NO_ROW_FOR_ALL         /* broken: nothing stands for what was lost */
       append(ALL_ID);
#endif
       mark = 0 }
#endif
#endif
  od
}

active proctype Network() {
  do
  :: d_step { watched && breaks_left ->
       if :: breaks_left < 255 -> breaks_left-- :: else fi; leave() }
  /* what the verifier has buffered of a dead server is lost, or was read */
  :: d_step { !watched && flying -> leave() }
#if LOSSES
  /* a frame inside a stream; of a snapshot: see README.md */
#ifndef LOSE_PARTS
  :: d_step { losses_left && flying && (f_kind[0] == Delta || f_kind[0] == Heartbeat) -> losses_left--; pop() }
#else
  :: d_step { losses_left && flying && f_kind[0] == Part -> losses_left--; pop() }
#endif
#endif
#if NEW_LIVES
  :: d_step { lives_left -> lives_left--; leave();
       known = 0; once_known = 0; positioned = 0; v_epoch = 0; v_sequence = 0; v_check = 0;
       v_age = OLD;
       i = 0; do :: i < RESTORES + 2 -> reached[i] = 0; i++ :: else -> break od; i = 0 }
#endif
  od
}

/* ---- time ---- */

inline raise(age) { if :: age < OLD -> age++ :: else fi }

#if PROMPT
#define SETTLED (up && watched && !flying && w_position == released && released == log_head && \
                 !beat && !beat_due && writer == Resting && !releasing)
#else
#define SETTLED 1
#endif

active proctype Clock() {
  do
  :: d_step { SETTLED ->
       raise(v_age);
       if :: up -> raise(released_age) :: else fi;
       if :: releasing -> raise(releasing_age) :: else fi;
       if :: slot -> raise(slot_age) :: else fi;
       if :: making -> raise(making_age) :: else fi;
       if :: w_part -> raise(w_age) :: else fi;
       if :: flying > 0 -> raise(f_age[0]) :: else fi;
       if :: flying > 1 -> raise(f_age[1]) :: else fi;
       i = 1;
       do :: i <= TOKENS -> if :: acked & BIT(i) -> raise(ack_age[i]) :: else fi; i++
          :: else -> break od;
       i = 0; beat_due = PROMPT;
#if PROMPT
       second = !second
#endif
     }
  od
}

/* ---- properties ---- */

#define KNOWN(r) ((known & (BIT(r) | BIT(ALL_ID))) != 0)
#define FRESH (v_age <= BOUND)            /* Judge::IsFresh */
#define REACHED(r) (reached[ticket_epoch[r]] > ticket_sequence[r]) /* HasReached */

#define BOUNDED(r) (!(FRESH && (acked & BIT(r)) && ack_age[r] > v_age) || KNOWN(r))
#define TICKET(r) (!((acked & BIT(r)) && REACHED(r)) || KNOWN(r))
#define IN_FORCE(r) (!(up && (acked & BIT(r))) || (set & (BIT(r) | BIT(ALL_ID))) != 0)
#if TOKENS == 3
#define EACH(p) (p(1) && p(2) && p(3))
#else
#define EACH(p) (p(1) && p(2))
#endif

#define merged_p ((once_known & ~known) == 0)

/* as_of: a fresh verifier knows every revocation that was acknowledged before
 * it. Hence: what was acknowledged longer ago than the bound is refused by
 * every verifier that is not stale. */
ltl fresh_knows_all_before_as_of { [] EACH(BOUNDED) }
/* Who has reached a ticket knows what it stands for. */
ltl reached_ticket_is_known { [] EACH(TICKET) }
/* Nothing is ever un-revoked. */
ltl nothing_is_unrevoked { [] merged_p }
/* From its acknowledgement on the server itself refuses; after a crash too. */
ltl acknowledged_is_in_force { [] EACH(IN_FORCE) }
ltl safety { [] (EACH(BOUNDED) && EACH(TICKET) && merged_p && EACH(IN_FORCE)) }

/* Faults are finite and everybody gets a turn: then a revocation arrives, */
ltl acknowledged_arrives { [] ((acked & 1) -> <> KNOWN(1)) && [] ((acked & 2) -> <> KNOWN(2)) }
/* and (with PROMPT) the verifier is fresh again, and stays so. */
ltl fresh_in_the_end { <> [] FRESH }
ltl time_goes_on { [] <> second && [] <> !second }

/* Witnesses: each must be found possible, or the model would prove nothing. */
ltl can_resume { [] !(resumed && (acked & 2) && (known & 2) && v_age == 0) }
ltl can_fall_behind_the_log { [] !(dropped_behind && v_age == 0 && (known & 4)) }
ltl can_merge_what_the_server_lost { [] !merged }
ltl can_know_all { [] !(EACH(KNOWN) && EACH(REACHED) && FRESH) }
ltl can_abandon_after_a_loss { [] !(LOSSES && !losses_left && !watched && up) }
