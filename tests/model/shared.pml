/* Refresh rotation when several servers share one store: transactions overlap,
 * as a store with READ COMMITTED lets them. NOT what is shipped: SQLite has one
 * writer and the data directory one process. The compare-and-set of
 * storage/tables.h SessionTable::UpdateIf is there for this case, and design.md 5
 * plans for it, so here is what it gives and what it does not.
 *
 * Each server runs the body of server/flow/refresh.cc Refresh::Rotate, statement
 * by statement; every statement sees what is committed by then.
 */

#define SERVERS 2
#define NOBODY 9

/* committed */
byte generation = 1, opened = 1, account_gen = 1, floor = 1;
bit revoked;
byte minted = 1;          /* names the access token of the current generation */
byte lock = NOBODY;       /* who has written the session's row, and not committed */

byte presented[SERVERS];
byte proven;
bit end_acked, account_acked;
bit refreshed_after_end, outlived_end, older_succeeded, second_token, aborted;
byte newest;              /* names given so far */
byte tokens[4];           /* by generation: the access token handed out for it */

proctype Server(byte me) {
  byte gen, open_gen, read_floor, claim_gen, seen_gen;
  bit was_revoked, late, retry;
  do
  :: /* anybody with any token of the session; the window is open */
     if
     :: d_step { generation >= 1 -> presented[me] = 1 }
     :: d_step { generation >= 2 -> presented[me] = 2 }
     fi;
again:
     late = end_acked || account_acked;
     d_step { gen = generation; open_gen = opened; was_revoked = revoked };  /* FindAuthentic */
     d_step { read_floor = floor; seen_gen = account_gen };                  /* StateOf */
     if
     :: was_revoked || open_gen < read_floor || presented[me] > gen -> skip  /* refused */
     :: else ->
        if
        :: presented[me] + 1 < gen ->                                        /* reused */
           d_step { lock == NOBODY -> revoked = 1 }
        :: presented[me] + 1 == gen || (presented[me] == gen && gen < 3) ->
           retry = presented[me] + 1 == gen;
           /* UpdateIf: waits for the row's lock, then looks at what is committed */
           if
#ifdef NO_COMPARE_AND_SET      /* broken: the row is written as it was read */
           :: d_step { lock == NOBODY -> lock = me };
#else
           :: d_step { lock == NOBODY && generation == gen && !revoked -> lock = me };
#endif
#ifdef READS_ACCOUNT_TWICE     /* broken, unless the store is serializable */
              claim_gen = account_gen;
#else
              claim_gen = seen_gen;                   /* ReadIssuance: Rotated::account */
#endif
              d_step {                                                       /* COMMIT */
                lock = NOBODY;
#ifdef SERIALIZABLE            /* the store notices */
                if :: account_gen != seen_gen -> aborted = 1 :: else -> aborted = 0 fi;
#endif
                if
                :: aborted -> skip
                :: else ->
#ifdef NO_COMPARE_AND_SET
                   revoked = was_revoked;
#endif
                   generation = presented[me] + 1; opened = open_gen;
                   if :: !retry -> newest++; minted = newest :: else fi;
                   if :: tokens[generation] && tokens[generation] != minted -> second_token = 1 :: else fi;
                   tokens[generation] = minted;
                   if :: presented[me] < proven -> older_succeeded = 1 :: else proven = presented[me] fi;
                   if :: late -> refreshed_after_end = 1 :: else fi;
                   if :: opened < floor && claim_gen >= floor -> outlived_end = 1 :: else fi
                fi;
                aborted = 0
              }
#ifndef NO_COMPARE_AND_SET
           :: d_step { lock == NOBODY && (generation != gen || revoked) -> skip };
              goto again                                                     /* AbortedError */
#endif
           fi
        :: else
        fi
     fi;
     d_step { presented[me] = 0; gen = 0; open_gen = 0; read_floor = 0; claim_gen = 0; seen_gen = 0;
              was_revoked = 0; late = 0; retry = 0 }
  :: newest == 2 -> break
  od
}

/* One of both, on a third server. */
active proctype Operator() {
  if
  :: d_step { lock == NOBODY -> revoked = 1 }; end_acked = 1   /* EndSession */
  :: d_step { account_gen++; floor = account_gen };            /* SetPassword, Disable */
     account_acked = 1
  fi
}

init { atomic { run Server(0); run Server(1) } }

ltl one_successor { [] !second_token }
ltl older_token_never_succeeds { [] !older_succeeded }
ltl ended_session_stays_ended { [] !(refreshed_after_end || outlived_end) }
ltl safety { [] !(second_token || older_succeeded || refreshed_after_end || outlived_end) }
ltl can_use_two_generations { [] !(proven == 2) }
