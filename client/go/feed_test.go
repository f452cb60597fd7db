package ostiary_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.dev/go"
	pb "ostiary.dev/go/ostiary/v1"
	"ostiary.dev/go/ostiarytest"
)

func TestADeltaRevokesWithoutACall(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 10)
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{SessionID: "sess_1"})
	wantReason(t, verifier, token, "")
	stream.send(delta(1, 10, 12, session("sess_1")))
	reached(t, verifier, 1, 12)
	wantReason(t, verifier, token, ostiary.TokenRevoked)
	if stats := verifier.Stats(); len(stats.Asks) != 0 || stats.Reconnects != 0 || stats.CacheHits != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestAStreamIsResumedFromTheOwnCursor(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	first := server.next(t)
	if first.cursor != "" {
		t.Errorf("began with %q", first.cursor)
	}
	first.welcome(1, 10)
	first.send(delta(1, 10, 11))
	reached(t, verifier, 1, 11)
	first.end(status.Error(codes.Unavailable, "draining"))
	second := server.next(t)
	if second.cursor != cursorAt(1, 11) {
		t.Errorf("resumed with %q", second.cursor)
	}
	second.send(server.keySet(t), delta(1, 11, 15, session("sess_1")))
	reached(t, verifier, 1, 15)
	wantReason(t, verifier, server.Token(ostiarytest.Token{SessionID: "sess_1"}), ostiary.TokenRevoked)
	if n := verifier.Stats().Reconnects; n != 1 {
		t.Errorf("%d reconnects", n)
	}
}

func TestADeltaWithAGapIsNotAppliedAndTheStreamIsAbandoned(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	first := server.next(t)
	first.welcome(1, 10)
	first.send(delta(1, 12, 13, session("sess_2")))
	first.waitUntilLeft()
	second := server.next(t)
	if second.cursor != cursorAt(1, 10) {
		t.Errorf("resumed with %q", second.cursor)
	}
	if stats := verifier.Stats(); stats.Sequence != 10 || stats.Entries != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestADeltaOfAnotherEpochIsNotApplied(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	first := server.next(t)
	first.welcome(2, 10)
	first.send(delta(1, 10, 11, session("sess_2")))
	first.waitUntilLeft()
	server.next(t)
	if stats := verifier.Stats(); stats.Sequence != 10 || stats.Epoch != 2 || stats.Entries != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestADuplicatedDeltaIsIgnored(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 10)
	stream.send(delta(1, 10, 12), delta(1, 10, 12), delta(1, 8, 9), delta(1, 12, 13))
	reached(t, verifier, 1, 13)
	if stats := verifier.Stats(); stats.Reconnects != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestASilentStreamIsOpenedAgain(t *testing.T) {
	server := startFakeServer(t)
	options := optionsFor(server)
	options.SilenceTimeout = 100 * time.Millisecond
	verifier := newVerifier(t, options)
	first := server.next(t)
	first.welcome(1, 10)
	ready(t, verifier)
	first.waitUntilLeft()
	second := server.next(t)
	if second.cursor != cursorAt(1, 10) {
		t.Errorf("resumed with %q", second.cursor)
	}
}

func TestAStreamThatNeverSaysAnythingIsOpenedAgain(t *testing.T) {
	server := startFakeServer(t)
	options := optionsFor(server)
	options.SilenceTimeout = 100 * time.Millisecond
	newVerifier(t, options)
	server.next(t).waitUntilLeft()
	server.next(t)
}

func TestASnapshotThatBreaksOffMovesNothingAndKeepsWhatWasMerged(t *testing.T) {
	server := startFakeServer(t)
	options := optionsFor(server)
	options.Policy = ostiary.Accept
	verifier := newVerifier(t, options)
	first := server.next(t)
	first.send(server.keySet(t), part(1, 10, session("sess_1")))
	eventually(t, "the part is merged", func() bool { return verifier.Stats().Entries == 1 })
	revoked := server.Token(ostiarytest.Token{SessionID: "sess_1"})
	good := server.Token(ostiarytest.Token{SessionID: "sess_2"})
	wantReason(t, verifier, revoked, ostiary.TokenRevoked)
	wantReason(t, verifier, good, ostiary.CheckUnavailable)
	first.end(status.Error(codes.Unavailable, "gone"))
	second := server.next(t)
	if second.cursor != "" {
		t.Errorf("resumed with %q", second.cursor)
	}
	second.welcome(1, 10)
	ready(t, verifier)
	wantReason(t, verifier, revoked, ostiary.TokenRevoked)
	wantReason(t, verifier, good, "")
}

func TestANewEpochIsMergedAndNothingIsUnRevoked(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	first := server.next(t)
	first.welcome(1, 10, session("sess_1"))
	ready(t, verifier)
	first.end(status.Error(codes.Unavailable, "restored"))
	server.next(t).welcome(2, 5, session("sess_2"))
	reached(t, verifier, 2, 5)
	for _, id := range []string{"sess_1", "sess_2"} {
		wantReason(t, verifier, server.Token(ostiarytest.Token{SessionID: id}), ostiary.TokenRevoked)
	}
	reached(t, verifier, 1, 10) // it had been reached in its epoch
	if err := verifier.WaitFor(testContext(t), cursorAt(1, 11)); err != ostiary.ErrRevisionLost {
		t.Errorf("got %v", err)
	}
}

func TestAHeartbeatCountsOnlyForTheOwnPosition(t *testing.T) {
	server := startFakeServer(t)
	clock := &shiftedClock{}
	options := optionsFor(server)
	options.Policy = ostiary.Refuse
	verifier := newVerifierAt(t, options, clock)
	stream := server.next(t)
	stream.welcome(1, 10)
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{})
	clock.shift(0, 20*time.Second)
	wantReason(t, verifier, token, ostiary.CheckUnavailable)
	stream.send(heartbeat(1, 11), heartbeat(2, 10), server.keySet(t))
	server.RotateKey()
	stream.send(server.keySet(t)) // so that we know the heartbeats have been read
	eventually(t, "the new key is known", func() bool {
		_, err := verifier.Verify(testContext(t), server.Token(ostiarytest.Token{}), ostiary.WithPolicy(ostiary.Accept))
		return err == nil
	})
	wantReason(t, verifier, token, ostiary.CheckUnavailable)
	stream.send(heartbeat(1, 10))
	ready(t, verifier)
	wantReason(t, verifier, token, "")
}

func TestAStreamThatAlwaysSpeaksOfAnotherPositionIsAbandoned(t *testing.T) {
	server := startFakeServer(t)
	newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 10)
	for range 5 {
		stream.send(heartbeat(1, 11))
	}
	stream.waitUntilLeft()
}

func TestStalenessIsTheWorseOfBothClocks(t *testing.T) {
	for name, shift := range map[string][2]time.Duration{
		"wall":      {20 * time.Second, 0},
		"monotonic": {0, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			server := startFakeServer(t)
			clock := &shiftedClock{}
			verifier := newVerifierAt(t, optionsFor(server), clock)
			server.next(t).welcome(1, 1)
			ready(t, verifier)
			clock.shift(shift[0], shift[1])
			if s := verifier.Stats().Staleness; s < 20*time.Second || s > 30*time.Second {
				t.Errorf("stale by %v", s)
			}
		})
	}
}

func TestAsOfNeverMovesBackAndAnOldOneRefreshesNothing(t *testing.T) {
	server := startFakeServer(t)
	clock := &shiftedClock{}
	verifier := newVerifierAt(t, optionsFor(server), clock)
	stream := server.next(t)
	stream.welcome(1, 1)
	ready(t, verifier)
	clock.shift(0, 20*time.Second)
	old := heartbeat(1, 1)
	old.GetHeartbeat().AsOf = timestamppb.New(time.Now().Add(-time.Minute))
	stream.send(old, delta(1, 1, 2))
	reached(t, verifier, 1, 2)
	if s := verifier.Stats().Staleness; s > 5*time.Second {
		t.Errorf("the delta did not refresh: %v", s)
	}
	clock.shift(0, 20*time.Second)
	older := delta(1, 2, 3)
	older.GetDelta().AsOf = old.GetHeartbeat().AsOf
	stream.send(older)
	reached(t, verifier, 1, 3)
	if s := verifier.Stats().Staleness; s < 20*time.Second || s > 40*time.Second {
		t.Errorf("stale by %v", s)
	}
}

func TestAnEntryThatIsNotUnderstoodEndsTheStream(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 1)
	stream.send(delta(1, 1, 2, &pb.RevocationEntry{}))
	stream.waitUntilLeft()
	if stats := verifier.Stats(); stats.Sequence != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestAKeySetReplacesAndEmptiesTheCacheOfItsTokens(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 1)
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{})
	wantReason(t, verifier, token, "")
	stream.send(&pb.WatchResponse{Frame: &pb.WatchResponse_KeySet{KeySet: &pb.RevocationKeySet{}}}, delta(1, 1, 2))
	reached(t, verifier, 1, 2)
	wantReason(t, verifier, token, ostiary.KeyUnknown)
	stream.send(server.keySet(t), delta(1, 2, 3))
	reached(t, verifier, 1, 3)
	wantReason(t, verifier, token, "")
	if stats := verifier.Stats(); stats.CacheHits != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestThePauseBetweenStreamsIsRandomAndBounded(t *testing.T) {
	for failures, longest := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 200 * time.Millisecond, 6: 6400 * time.Millisecond,
		7: 10 * time.Second, 100: 10 * time.Second,
	} {
		seen := map[time.Duration]bool{}
		for range 200 {
			pause := ostiary.FullJitter(failures)
			if pause < 0 || pause > longest {
				t.Fatalf("%d failures: %v", failures, pause)
			}
			seen[pause.Truncate(longest/4)] = true
		}
		if len(seen) < 4 {
			t.Errorf("%d failures: only %v", failures, seen)
		}
	}
}

func TestAServiceThatMayNotWatchIsToldLoudly(t *testing.T) {
	server := startFakeServer(t)
	options := optionsFor(server)
	log := &lockedBuffer{}
	options.Logger = loggerTo(log)
	newVerifier(t, options)
	server.next(t).end(status.Error(codes.PermissionDenied, "no"))
	eventually(t, "it is logged", func() bool { return strings.Contains(log.String(), "level=ERROR") })
	select {
	case <-server.streams:
		t.Error("came again at once")
	case <-time.After(300 * time.Millisecond):
	}
}
