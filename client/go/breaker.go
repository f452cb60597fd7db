package ostiary

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	breakerFailures = 5
	breakerFirst    = time.Second
	breakerLongest  = 30 * time.Second
	breakerJitter   = 0.2
)

// breaker keeps a server that does not answer from being asked by every request
// of every service. Safe for use by several goroutines.
type breaker struct {
	now func() time.Duration // monotonic

	mutex    sync.Mutex
	failures int           // in a row
	pause    time.Duration // 0: closed
	until    time.Duration // open until then; afterwards one may probe
	probing  bool
}

// permit is what begin gave; end must be called with it.
type permit int

const (
	refused permit = iota
	ordinary
	probe
)

func (b *breaker) begin() permit {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case b.pause == 0:
		return ordinary
	case b.probing || b.now() < b.until:
		return refused
	}
	b.probing = true
	return probe
}

// verdict is how an ask ended.
type verdict int

const (
	answered verdict = iota
	failed
	withdrawn // by the caller: says nothing about the server
)

// end is true if the breaker has just opened.
func (b *breaker) end(p permit, v verdict) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if p == probe {
		b.probing = false
	}
	switch v {
	case answered:
		b.failures, b.pause = 0, 0
		return false
	case withdrawn:
		return false
	}
	b.failures++
	switch {
	case p == probe:
		b.open(min(2*b.pause, breakerLongest))
	case b.pause == 0 && b.failures >= breakerFailures:
		b.open(breakerFirst)
	default:
		return false // asks that were under way when it opened
	}
	return true
}

func (b *breaker) open(pause time.Duration) {
	b.pause = pause
	b.until = b.now() + pause + time.Duration(rand.Float64()*breakerJitter*float64(pause))
}

// isOpen is true until a probe was answered.
func (b *breaker) isOpen() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.pause != 0
}
