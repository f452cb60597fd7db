package knowledge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the ledger.
type Position struct {
	Epoch    uint32
	Sequence uint64
}

// The errors of Reached and Wait.
var (
	ErrNotARevision = errors.New("not a revision of Ostiary")
	ErrRevisionLost = errors.New("REVISION_LOST: a restore may have undone that revision; ask the server")
)

const revisionPrefix = "rev_"

// String is the position as a ticket.
func (p Position) String() string {
	return fmt.Sprintf("%s%08x%016x", revisionPrefix, p.Epoch, p.Sequence)
}

// ParseRevision reads a ticket of `Revoke`.
func ParseRevision(text string) (Position, error) {
	digits, ok := strings.CutPrefix(text, revisionPrefix)
	if !ok || len(digits) != 24 || strings.Trim(digits, "0123456789abcdef") != "" {
		return Position{}, ErrNotARevision
	}
	epoch, _ := strconv.ParseUint(digits[:8], 16, 32)
	sequence, _ := strconv.ParseUint(digits[8:], 16, 64)
	return Position{uint32(epoch), sequence}, nil
}

// Reached is true if everything up to a ticket is known. ErrRevisionLost if it
// is of a past epoch and was not reached then.
func (k *Knowledge) Reached(ticket Position) (bool, error) {
	s := k.standing.Load()
	switch {
	case !s.Complete || ticket.Epoch > s.Epoch:
		return false, nil
	case ticket.Epoch == s.Epoch && ticket.Sequence <= s.Sequence:
		return true, nil
	}
	k.writing.Lock()
	defer k.writing.Unlock()
	if k.reached[ticket.Epoch] >= ticket.Sequence && k.reached[ticket.Epoch] > 0 {
		return true, nil
	}
	if ticket.Epoch < k.standing.Load().Epoch {
		return false, ErrRevisionLost
	}
	return false, nil
}

// Wait returns nil when a ticket is reached. Otherwise ErrRevisionLost or the
// cause of the context's end.
func (k *Knowledge) Wait(ctx context.Context, ticket Position) error {
	for {
		moved := k.standing.Load().moved
		if reached, err := k.Reached(ticket); reached || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
