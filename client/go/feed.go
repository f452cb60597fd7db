package ostiary

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/knowledge"
	"ostiary.dev/go/internal/revoked"
	pb "ostiary.dev/go/ostiary/v1"
)

const (
	firstPause       = 100 * time.Millisecond
	longestPause     = 10 * time.Second
	notAllowedPause  = 10 * time.Second
	shortStream      = time.Second
	saveEvery        = 30 * time.Second
	maxForeignFrames = 5
)

// feed keeps a stream of revocations open and puts what arrives into the
// knowledge. One goroutine runs it.
type feed struct {
	dialer    *dialer
	knowledge *knowledge.Knowledge
	clock     knowledge.Clock
	silence   time.Duration
	logger    *slog.Logger
	onKeys    func(*jose.KeySet)
	save      func()                                     // called now and then
	sleep     func(ctx context.Context, d time.Duration) // returns early if the context ends

	connected  atomic.Bool
	streams    atomic.Uint64
	lastSave   time.Duration
	notAllowed bool // logged already
}

// streamEnd is how one stream ended.
type streamEnd int

const (
	orderly    streamEnd = iota // the server said good-bye after it had told something
	broken                      // anything else
	forbidden                   // we may not watch
	wholeAgain                  // frames that do not continue: ours to resume
)

// run watches until the context ends.
func (f *feed) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		begun := f.clock.Mono()
		end, progress := f.watch(ctx)
		if progress {
			failures = 0
		}
		switch {
		// At once, but not all the time: something in between may end every stream
		// as soon as it has begun.
		case end == orderly && f.clock.Mono()-begun >= shortStream:
			continue
		case end == forbidden:
			f.sleep(ctx, notAllowedPause)
		default:
			f.sleep(ctx, fullJitter(failures))
			failures++
		}
	}
}

// fullJitter spreads the callers of a server that comes back over the whole
// time they could have waited.
func fullJitter(failures int) time.Duration {
	longest := longestPause
	if failures < 10 {
		longest = min(longest, firstPause<<failures)
	}
	return rand.N(longest + 1)
}

// watch runs one stream to its end. Each has a connection of its own, so that
// one that has silently died is never used again. True: it made progress.
func (f *feed) watch(parent context.Context) (streamEnd, bool) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	defer f.connected.Store(false)
	// Runs while connecting too: a network that swallows everything is silence.
	silence := time.AfterFunc(f.silence, cancel)
	defer silence.Stop()

	conn, err := f.dialer.dial()
	if err != nil {
		return f.ended(parent, err, false), false
	}
	defer conn.Close()
	ctx, err = f.dialer.authorized(ctx)
	if err != nil {
		return f.ended(parent, err, false), false
	}
	f.streams.Add(1)
	stream, err := pb.NewRevocationServiceClient(conn).Watch(ctx,
		&pb.WatchRequest{Cursor: f.knowledge.Cursor(), Compact: true})
	if err != nil {
		return f.ended(parent, err, false), false
	}
	progress, foreign := false, 0
	for {
		frame, err := stream.Recv()
		if err != nil {
			return f.ended(parent, err, progress), progress
		}
		silence.Reset(f.silence)
		f.heardFrom()
		effect, err := f.knowledge.Apply(frame)
		if err != nil {
			return f.ended(parent, err, progress), progress
		}
		switch effect {
		case knowledge.NewKeys:
			f.onKeys(f.knowledge.Keys())
		case knowledge.MovedAsOf:
			progress, foreign = true, 0
			f.saveNowAndThen()
		}
		// A server that speaks of another position all the time has lost us.
		if frame.GetHeartbeat() != nil && effect == knowledge.Nothing {
			if foreign++; foreign == maxForeignFrames {
				return f.ended(parent, knowledge.ErrGap, progress), progress
			}
		}
	}
}

func (f *feed) heardFrom() {
	if !f.connected.Swap(true) {
		f.notAllowed = false
	}
}

func (f *feed) ended(parent context.Context, err error, progress bool) streamEnd {
	if parent.Err() != nil {
		return broken // by us, for good
	}
	code := status.Code(err)
	switch {
	case code == codes.Unauthenticated || code == codes.PermissionDenied:
		if !f.notAllowed {
			f.logger.Error("ostiary: this service may not watch revocations; its verdicts go stale", "error", err)
		}
		f.notAllowed = true
		return forbidden
	case errors.Is(err, knowledge.ErrGap):
		f.logger.Warn("ostiary: the revocation feed has a gap; resuming", "error", err)
		return wholeAgain
	case errors.Is(err, revoked.ErrMalformed):
		f.logger.Error("ostiary: the revocation feed cannot be read; is this library too old?", "error", err)
		return broken
	case progress && (code == codes.Unavailable || errors.Is(err, io.EOF)):
		return orderly
	}
	f.logger.Info("ostiary: the revocation feed ended", "error", err)
	return broken
}

func (f *feed) saveNowAndThen() {
	if now := f.clock.Mono(); now-f.lastSave >= saveEvery {
		f.lastSave = now
		f.save()
	}
}

func (f *feed) reconnects() uint64 {
	if n := f.streams.Load(); n > 0 {
		return n - 1
	}
	return 0
}

// sleepFor returns when the time is over or the context has ended.
func sleepFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
