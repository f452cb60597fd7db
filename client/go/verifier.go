package ostiary

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/knowledge"
)

// Verifier checks access tokens of one issuer in this process. Make one for a
// service and share it: all its methods may be called by several goroutines.
type Verifier struct {
	options   Options
	rules     *jose.Rules
	knowledge *knowledge.Knowledge
	clock     knowledge.Clock
	cache     *tokenCache // nil: none
	asker     *asker      // nil: never asks
	feed      *feed       // nil: none

	lifetime context.Context // ends with Close
	cancel   context.CancelFunc
	done     chan struct{} // closed when the feed has ended

	checks                 tally
	cacheHits, cacheMisses atomic.Uint64
}

// NewVerifier begins to watch and returns at once; see WaitReady. Until the
// first complete snapshot every check follows the policy for stale knowledge.
//
// The verifier works until Close is called or ctx ends. The errors are about
// options only: a server that cannot be reached is tried again for ever.
func NewVerifier(ctx context.Context, options Options) (*Verifier, error) {
	return newVerifier(ctx, options, knowledge.SystemClock())
}

func newVerifier(ctx context.Context, options Options, clock knowledge.Clock) (*Verifier, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &dialer{options.Target, options.TransportCredentials, options.BearerToken, options.DialOptions}
	probe, err := d.dial()
	if err != nil {
		return nil, err // a target that cannot be read
	}
	probe.Close()

	v := verifierOn(knowledge.New(clock), options, clock)
	v.asker = newAsker(d, options.AskTimeout, clock.Mono)
	v.feed = &feed{
		dialer: d, knowledge: v.knowledge, clock: clock, silence: options.SilenceTimeout,
		logger: options.Logger, onKeys: v.forgetOtherKeys, save: v.saveState, sleep: sleepFor,
		lastSave: clock.Mono(),
	}
	v.loadState()
	v.lifetime, v.cancel = context.WithCancel(ctx)
	go func() {
		defer close(v.done)
		v.feed.run(v.lifetime)
		v.saveState()
		v.asker.close()
	}()
	return v, nil
}

// NewVerifierOn makes a verifier that knows what it is given and neither
// watches nor asks. For ostiarytest: its argument cannot be made elsewhere.
func NewVerifierOn(known *knowledge.Knowledge, options Options) (*Verifier, error) {
	options.Target = "none"
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	v := verifierOn(known, options, knowledge.SystemClock())
	v.lifetime, v.cancel = context.WithCancel(context.Background())
	close(v.done)
	return v, nil
}

func verifierOn(known *knowledge.Knowledge, options Options, clock knowledge.Clock) *Verifier {
	return &Verifier{
		options: options, rules: options.rules(), knowledge: known, clock: clock,
		cache: newTokenCache(options.CacheSize), done: make(chan struct{}),
	}
}

// Verify judges a token, without "Bearer " in front.
//
// The error is a *TokenError if the token is refused, ErrCheckUnavailable if
// nobody can tell now, ErrNotARevision if WithMinRevision was given something
// else. While the knowledge is fresh, nothing leaves the process and ctx is not
// looked at; else, with AskServer, it takes up to Options.AskTimeout or until
// ctx ends. The claims are the caller's own to change.
func (v *Verifier) Verify(ctx context.Context, token string, options ...CheckOption) (*Claims, error) {
	c := check{policy: v.options.Policy, audience: jose.Audience{Name: v.options.Audience, Any: v.options.AnyAudience}}
	for _, option := range options {
		option(&c)
	}
	stale, err := v.isStaleFor(c.minRevision)
	if err != nil {
		return nil, err
	}
	claims, reason, err := v.judge(ctx, token, &c, stale)
	v.checks.add(outcomeOf(reason))
	switch reason {
	case "":
		return newClaims(claims), nil
	case CheckUnavailable:
		return nil, &unavailableError{err}
	}
	return nil, &TokenError{reason}
}

// judge gives CheckUnavailable with its cause, another reason, or claims.
func (v *Verifier) judge(ctx context.Context, text string, c *check, stale bool) (*jose.Claims, Reason, error) {
	token, parsed, reason := v.authenticate(text)
	if reason == KeyUnknown {
		return v.judgeUnknownKey(ctx, text, parsed, c, stale)
	}
	if reason != "" {
		return nil, reason, nil
	}
	if reason := v.checkKnown(token, c); reason != "" {
		return nil, reason, nil
	}
	if !stale {
		return &token.claims, "", nil
	}
	switch {
	case c.policy == AskServer:
		reason, err := v.ask(ctx, text, c)
		return &token.claims, reason, err
	case c.policy == Accept && v.mayAccept(c.minRevision):
		return &token.claims, "", nil
	}
	return nil, CheckUnavailable, errors.New("the knowledge of revocations is too old")
}

// judgeUnknownKey: a key may be newer than what is known. That it is unknown is
// a verdict only while the knowledge is fresh.
func (v *Verifier) judgeUnknownKey(ctx context.Context, text string, parsed *jose.Token, c *check, stale bool) (*jose.Claims, Reason, error) {
	switch {
	case !stale && v.knowledge.Keys() != nil:
		return nil, KeyUnknown, nil
	case c.policy == AskServer:
		return v.judgeWithServersKeys(ctx, text, parsed, c)
	}
	return nil, CheckUnavailable, errors.New("the key may be newer than the knowledge")
}

// judgeWithServersKeys takes the server's word for the signature only: what
// this verifier wants of a token and what it knows to be revoked still counts.
func (v *Verifier) judgeWithServersKeys(ctx context.Context, text string, parsed *jose.Token, c *check) (*jose.Claims, Reason, error) {
	if reason, err := v.ask(ctx, text, c); reason != "" {
		return nil, reason, err
	}
	if reason := Reason(parsed.CheckKind(v.rules)); reason != "" {
		return nil, reason, nil
	}
	token := newKnownToken(parsed.Claims, parsed.KeyID(), nil)
	return &token.claims, v.checkKnown(token, c), nil
}

// authenticate is the part that depends on nothing but the token and the keys.
// With KeyUnknown it gives the token as parsed.
func (v *Verifier) authenticate(text string) (*knownToken, *jose.Token, Reason) {
	if len(text) > jose.MaxTokenBytes {
		return nil, nil, TokenMalformed
	}
	keys := v.knowledge.Keys()
	if keys == nil {
		keys = &jose.KeySet{}
	}
	var hash tokenHash
	if v.cache != nil {
		hash = sha256.Sum256([]byte(text))
		if token := v.cache.find(hash); token != nil && holds(keys, token.key) {
			v.cacheHits.Add(1)
			return token, nil, ""
		}
		v.cacheMisses.Add(1)
	}
	parsed, reason := jose.Parse(text)
	if reason != "" {
		return nil, nil, Reason(reason)
	}
	key, reason := parsed.CheckSignature(v.rules, keys)
	if reason != "" {
		return nil, parsed, Reason(reason)
	}
	if reason := parsed.CheckKind(v.rules); reason != "" {
		return nil, nil, Reason(reason)
	}
	token := newKnownToken(parsed.Claims, key.ID(), key)
	if v.cache != nil {
		v.cache.add(hash, token)
	}
	return token, nil, ""
}

func (v *Verifier) checkKnown(token *knownToken, c *check) Reason {
	if reason := token.claims.CheckTimeAndAudience(c.audience, v.options.Leeway, v.clock.Wall()); reason != "" {
		return Reason(reason)
	}
	if v.knowledge.Hits(&token.subject) {
		return TokenRevoked
	}
	return Reason(token.claims.CheckAuthority(c.scopes, c.roles))
}

// isStaleFor is true if the knowledge is too old, or not as new as a revision.
func (v *Verifier) isStaleFor(minRevision string) (bool, error) {
	stale := v.knowledge.Staleness() > v.options.StalenessBound
	if minRevision == "" {
		return stale, nil
	}
	ticket, err := knowledge.ParseRevision(minRevision)
	if err != nil {
		return true, err
	}
	reached, err := v.knowledge.Reached(ticket)
	return stale || !reached || err != nil, nil
}

// mayAccept: stale is all right for Accept, knowing nothing is not.
func (v *Verifier) mayAccept(minRevision string) bool {
	if minRevision != "" {
		ticket, _ := knowledge.ParseRevision(minRevision)
		if reached, err := v.knowledge.Reached(ticket); !reached || err != nil {
			return false
		}
	}
	return v.knowledge.Standing().Complete
}

func (v *Verifier) ask(ctx context.Context, text string, c *check) (Reason, error) {
	if v.asker == nil {
		return CheckUnavailable, errors.New("there is no server to ask")
	}
	reason, err := v.asker.ask(ctx, text, c.audience, c.minRevision)
	if err != nil {
		return CheckUnavailable, err
	}
	return reason, nil
}

// WaitReady returns nil once a complete snapshot is in and the knowledge is
// within its bound; else ctx's error, or ErrClosed.
func (v *Verifier) WaitReady(ctx context.Context) error {
	ctx, cancel := v.untilClosed(ctx)
	defer cancel()
	for {
		moved := v.knowledge.Moved()
		if v.knowledge.Staleness() <= v.options.StalenessBound {
			return nil
		}
		timer := time.NewTimer(100 * time.Millisecond) // freshness can come without a move
		select {
		case <-moved:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// WaitFor returns nil once this verifier has applied a revision that Revoke and
// its like have answered with: from then on it refuses what was revoked. Else
// ErrRevisionLost, ErrNotARevision, ctx's error, or ErrClosed.
func (v *Verifier) WaitFor(ctx context.Context, revision string) error {
	ticket, err := knowledge.ParseRevision(revision)
	if err != nil {
		return err
	}
	ctx, cancel := v.untilClosed(ctx)
	defer cancel()
	return v.knowledge.Wait(ctx, ticket)
}

// untilClosed gives a context that ends with the verifier, too.
func (v *Verifier) untilClosed(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(v.lifetime, func() { cancel(ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Stats tells what can be watched.
func (v *Verifier) Stats() Stats {
	standing := v.knowledge.Standing()
	stats := Stats{
		Staleness: v.knowledge.Staleness(), Entries: v.knowledge.Entries(),
		Epoch: standing.Epoch, Sequence: standing.Sequence,
		Checks: v.checks.all(), Asks: map[string]uint64{},
		CacheHits: v.cacheHits.Load(), CacheMisses: v.cacheMisses.Load(),
	}
	if v.feed != nil {
		stats.Connected, stats.Reconnects = v.feed.connected.Load(), v.feed.reconnects()
	}
	if v.asker != nil {
		stats.Asks, stats.BreakerOpen = v.asker.asks.all(), v.asker.breaker.isOpen()
	}
	return stats
}

// Close ends the stream, writes the state file and returns when both are done.
// What the verifier knows by then it still knows, and grows stale. It may be
// called more than once; the error is always nil.
func (v *Verifier) Close() error {
	v.cancel()
	<-v.done
	return nil
}

func (v *Verifier) forgetOtherKeys(keys *jose.KeySet) {
	if v.cache != nil {
		v.cache.keepOnly(keys)
	}
}

func (v *Verifier) loadState() {
	if v.options.StateFile == "" {
		return
	}
	err := v.knowledge.Load(v.options.StateFile, v.options.Issuer)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		v.options.Logger.Warn("ostiary: the state file is not used", "file", v.options.StateFile, "error", err)
	}
}

func (v *Verifier) saveState() {
	if v.options.StateFile == "" {
		return
	}
	if err := v.knowledge.Save(v.options.StateFile, v.options.Issuer); err != nil {
		v.options.Logger.Warn("ostiary: the state file cannot be written", "file", v.options.StateFile, "error", err)
	}
}
