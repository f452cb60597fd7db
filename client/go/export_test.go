package ostiary

import (
	"context"
	"time"

	"ostiary.dev/go/internal/knowledge"
)

// What the tests of this package need beyond its contract.

var NewVerifierWithClock = func(ctx context.Context, o Options, c knowledge.Clock) (*Verifier, error) {
	return newVerifier(ctx, o, c)
}

var FullJitter = fullJitter

type Breaker = breaker

func NewBreaker(now func() time.Duration) *Breaker { return &breaker{now: now} }

// Ask goes through the breaker once; false: it was kept back.
func (b *breaker) Ask(answers bool) bool {
	permit := b.begin()
	if permit == refused {
		return false
	}
	v := failed
	if answers {
		v = answered
	}
	b.end(permit, v)
	return true
}

// SetPauses makes the client's waiting between tries a matter of the test.
func (c *TokenClient) SetPauses(pauses func(context.Context, time.Duration)) { c.pauses = pauses }

// SetRandom makes the share of the lifetime a matter of the test.
func (c *TokenClient) SetRandom(random func() float64) { c.random = random }
