package ostiary

import (
	"sync"
	"sync/atomic"
	"time"

	"ostiary.dev/go/internal/knowledge"
)

// Infinite is the staleness before the first complete snapshot.
const Infinite = knowledge.Infinite

// Stats is what can be watched of a Verifier. The counters begin at 0 with it.
type Stats struct {
	// How old the knowledge may be at most; Infinite before the first complete
	// snapshot.
	Staleness time.Duration
	// How many revocations are held.
	Entries int
	// The position in the feed.
	Epoch    uint32
	Sequence uint64
	// True while a stream is open on which something has arrived.
	Connected bool
	// Judged tokens by outcome: "VALID" or a Reason.
	Checks map[string]uint64
	// Questions to the server by outcome: "VALID", a Reason, "ERROR" (no answer),
	// "SHED" (too many under way), "BREAKER_OPEN".
	Asks map[string]uint64
	// True while the server is not asked because it did not answer.
	BreakerOpen bool
	// Streams opened after the first.
	Reconnects uint64
	// Tokens whose signature did not have to be checked again, and the others.
	CacheHits, CacheMisses uint64
}

// tally counts by name. The names are few, so it stays small.
type tally struct {
	counts sync.Map // string -> *atomic.Uint64
}

func (t *tally) add(name string) {
	count, ok := t.counts.Load(name)
	if !ok {
		count, _ = t.counts.LoadOrStore(name, new(atomic.Uint64))
	}
	count.(*atomic.Uint64).Add(1)
}

func (t *tally) all() map[string]uint64 {
	all := map[string]uint64{}
	t.counts.Range(func(name, count any) bool {
		all[name.(string)] = count.(*atomic.Uint64).Load()
		return true
	})
	return all
}

const (
	outcomeValid  = "VALID"
	outcomeError  = "ERROR"
	outcomeShed   = "SHED"
	outcomeBroken = "BREAKER_OPEN"
)

// outcomeOf keeps the names few even if the server invents reasons.
func outcomeOf(reason Reason) string {
	switch reason {
	case "":
		return outcomeValid
	case TokenMalformed, AlgorithmNotAllowed, KeyUnknown, SignatureInvalid, TypeMismatch, IssuerMismatch,
		TokenNotYetValid, TokenExpired, AudienceMismatch, TokenRevoked, ScopeMissing, RoleMissing,
		CheckUnavailable:
		return string(reason)
	}
	return "OTHER"
}
