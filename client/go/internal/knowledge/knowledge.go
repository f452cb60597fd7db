// Package knowledge is what one verifier knows about its issuer: the keys, what
// is revoked, and until when that is certain (docs/verifiers.md, "The feed").
//
// Frames go in, answers come out. It knows nothing of connections, and time is
// given to it.
package knowledge

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/revoked"
	pb "ostiary.dev/go/ostiary/v1"
)

// Clock tells the time twice: the wall's can be set, the other only rises.
type Clock struct {
	Wall func() time.Time
	Mono func() time.Duration
}

// SystemClock is the machine's.
func SystemClock() Clock {
	begun := time.Now()
	return Clock{
		Wall: func() time.Time { return time.Now().Round(0) },
		Mono: func() time.Duration { return time.Since(begun) },
	}
}

// Infinite is the staleness of knowledge that was never complete.
const Infinite = time.Duration(math.MaxInt64)

// ErrGap says that a delta does not begin where this verifier stands. The
// stream is to be abandoned and resumed from the own cursor.
var ErrGap = errors.New("the revocation feed does not continue where this verifier stands")

// Effect is what a frame changed.
type Effect int

// The effects.
const (
	Nothing     Effect = iota // a part of something, a duplicate, or not about our position
	NewKeys                   // the keys were replaced
	MovedAsOf                 // the knowledge is as fresh as the frame
	forgetEvery = time.Minute
)

// Standing is a position of the feed and how far it can be trusted. Immutable.
type Standing struct {
	Position
	// False before the first complete snapshot; the rest means nothing then.
	Complete bool
	cursor   string
	asOf     time.Time
	arrived  time.Duration
	moved    chan struct{} // closed when the position has moved on
}

// Knowledge is safe for use by several goroutines.
type Knowledge struct {
	clock       Clock
	alwaysFresh bool
	keys        atomic.Pointer[jose.KeySet]
	set         revoked.Set
	standing    atomic.Pointer[Standing]

	writing    sync.Mutex        // one writer at a time; guards what follows
	reached    map[uint32]uint64 // the highest sequence of each epoch
	forgotten  time.Time         // up to when; never moves back
	lastForget time.Duration
	changed    bool // since the last save
}

// New knows nothing.
func New(clock Clock) *Knowledge {
	k := &Knowledge{clock: clock, reached: map[uint32]uint64{}}
	k.standing.Store(&Standing{moved: make(chan struct{})})
	return k
}

// NewFresh knows the keys and is up to date for ever: for tests without a
// server. Revoke adds to it.
func NewFresh(keys *jose.KeySet) *Knowledge {
	k := New(SystemClock())
	k.alwaysFresh = true
	k.keys.Store(keys)
	k.standing.Store(&Standing{Complete: true, Position: Position{Epoch: 1}, moved: make(chan struct{})})
	return k
}

// Keys is nil before the first key set.
func (k *Knowledge) Keys() *jose.KeySet { return k.keys.Load() }

// Hits is true if the subject is revoked.
func (k *Knowledge) Hits(subject *revoked.Subject) bool { return k.set.Hits(subject) }

// Entries is how many revocations are held.
func (k *Knowledge) Entries() int { return k.set.Len() }

// Standing is where the knowledge stands now.
func (k *Knowledge) Standing() *Standing { return k.standing.Load() }

// Moved is closed when the position moves on.
func (k *Knowledge) Moved() <-chan struct{} { return k.standing.Load().moved }

// Cursor is from where to watch; empty: from the beginning.
func (k *Knowledge) Cursor() string { return k.standing.Load().cursor }

// Staleness is how old the knowledge may be at most; see Infinite.
func (k *Knowledge) Staleness() time.Duration {
	s := k.standing.Load()
	switch {
	case k.alwaysFresh:
		return 0
	case !s.Complete:
		return Infinite
	}
	return max(k.clock.Wall().Sub(s.asOf), k.clock.Mono()-s.arrived, 0)
}

// Apply takes in one frame. ErrGap and revoked.ErrMalformed: abandon the
// stream; what was merged stays.
func (k *Knowledge) Apply(frame *pb.WatchResponse) (Effect, error) {
	k.writing.Lock()
	defer k.writing.Unlock()
	switch f := frame.GetFrame().(type) {
	case *pb.WatchResponse_KeySet:
		return NewKeys, k.replaceKeys(f.KeySet)
	case *pb.WatchResponse_Snapshot:
		return k.mergeSnapshot(f.Snapshot)
	case *pb.WatchResponse_Delta:
		return k.applyDelta(f.Delta)
	case *pb.WatchResponse_Heartbeat:
		return k.heed(f.Heartbeat), nil
	}
	return Nothing, nil // a kind of frame from the future
}

// Revoke adds entries as a delta would and gives the new position.
func (k *Knowledge) Revoke(entries ...*pb.RevocationEntry) (Position, error) {
	k.writing.Lock()
	defer k.writing.Unlock()
	to := k.standing.Load().Position
	to.Sequence += uint64(len(entries))
	if err := k.addAll(entries); err != nil {
		return Position{}, err
	}
	k.moveTo(to, "", timestamppb.New(k.clock.Wall()))
	return to, nil
}

func (k *Knowledge) replaceKeys(set *pb.RevocationKeySet) error {
	keys, err := keySetOf(set)
	if err != nil {
		return fmt.Errorf("%w: %w", revoked.ErrMalformed, err)
	}
	k.keys.Store(keys)
	k.changed = true
	return nil
}

func (k *Knowledge) addAll(entries []*pb.RevocationEntry) error {
	for _, entry := range entries {
		if err := k.set.Add(entry); err != nil {
			return err
		}
	}
	return nil
}

func (k *Knowledge) mergeSnapshot(part *pb.RevocationSnapshot) (Effect, error) {
	if err := k.addAll(part.GetEntries()); err != nil {
		return Nothing, err
	}
	for _, set := range part.GetFingerprintSets() {
		if err := k.set.AddFingerprints(set); err != nil {
			return Nothing, err
		}
	}
	k.changed = true
	if !part.GetLast() {
		return Nothing, nil
	}
	k.moveTo(Position{part.GetEpoch(), part.GetSequence()}, part.GetCursor(), part.GetAsOf())
	return MovedAsOf, nil
}

func (k *Knowledge) applyDelta(delta *pb.RevocationDelta) (Effect, error) {
	s := k.standing.Load()
	if !s.Complete || delta.GetEpoch() != s.Epoch {
		return Nothing, ErrGap
	}
	if delta.GetTo() < delta.GetFrom() {
		return Nothing, revoked.ErrMalformed
	}
	if delta.GetFrom() != s.Sequence {
		if delta.GetTo() <= s.Sequence {
			return Nothing, nil // a duplicate
		}
		return Nothing, ErrGap
	}
	if err := k.addAll(delta.GetEntries()); err != nil {
		return Nothing, err
	}
	k.moveTo(Position{delta.GetEpoch(), delta.GetTo()}, delta.GetCursor(), delta.GetAsOf())
	return MovedAsOf, nil
}

func (k *Knowledge) heed(beat *pb.RevocationHeartbeat) Effect {
	s := k.standing.Load()
	at := Position{beat.GetEpoch(), beat.GetSequence()}
	if !s.Complete || at != s.Position {
		return Nothing
	}
	k.moveTo(at, beat.GetCursor(), beat.GetAsOf())
	return MovedAsOf
}

// moveTo makes known what was merged before.
func (k *Knowledge) moveTo(to Position, cursor string, asOf *timestamppb.Timestamp) {
	old := k.standing.Load()
	next := *old
	next.Position, next.Complete = to, true
	if cursor != "" || !old.Complete {
		next.cursor = cursor
	}
	if at := asOf.AsTime(); asOf.IsValid() && (!old.Complete || at.After(old.asOf)) {
		next.asOf, next.arrived = at, k.clock.Mono()
	}
	moves := to != old.Position || !old.Complete
	if moves {
		next.moved = make(chan struct{})
		k.reached[to.Epoch] = max(k.reached[to.Epoch], to.Sequence)
		k.changed = true
	}
	k.standing.Store(&next)
	if moves {
		close(old.moved)
	}
	k.forget(next.asOf)
}

// forget drops what has run out by the local clock and by the issuer's.
func (k *Knowledge) forget(asOf time.Time) {
	if k.lastForget != 0 && k.clock.Mono()-k.lastForget < forgetEvery {
		return
	}
	k.lastForget = max(k.clock.Mono(), 1)
	if now := k.clock.Wall(); now.Before(asOf) {
		asOf = now
	}
	if asOf.After(k.forgotten) {
		k.forgotten = asOf
		k.set.Forget(asOf)
	}
}

func keySetOf(set *pb.RevocationKeySet) (*jose.KeySet, error) {
	var jwks []jose.JWK
	for _, key := range set.GetKeys() {
		jwks = append(jwks, jose.JWK{
			KeyType: key.GetKty(), Use: key.GetUse(), Algorithm: key.GetAlg(), KeyID: key.GetKid(),
			Curve: key.GetCrv(), X: key.GetX(), Y: key.GetY(), N: key.GetN(), E: key.GetE(),
		})
	}
	return jose.NewKeySet(jwks)
}

// KeySetFrame is a key set in the feed's form.
func KeySetFrame(keys *jose.KeySet) *pb.RevocationKeySet {
	frame := &pb.RevocationKeySet{}
	for _, key := range keys.Keys() {
		jwk := key.JWK()
		frame.Keys = append(frame.Keys, &pb.JsonWebKey{
			Kty: jwk.KeyType, Use: jwk.Use, Alg: jwk.Algorithm, Kid: jwk.KeyID,
			Crv: jwk.Curve, X: jwk.X, Y: jwk.Y, N: jwk.N, E: jwk.E,
		})
	}
	return frame
}
