package revoked

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// table holds fingerprints, each with the minute in which it may be forgotten,
// in eight bytes: a million of them take about 12 MB.
//
// One goroutine at a time may write; any number may read meanwhile, without a
// lock.
//
// It is an open-addressed hash table in 256 pieces, so that growing never needs
// much more memory than is there already. The fingerprints are cut from
// SHA-256, so they are their own hash; and because their order is kept, a
// sorted set is merged from front to back.
type table struct {
	pieces [pieceCount]piece
	groups forgetGroups
	count  atomic.Int64
}

const (
	pieceCount    = 256
	pieceBits     = 8
	groupBits     = 12
	groupCount    = 1 << groupBits
	neverGroup    = 1 // group 0 is not used, so that no slot in use is 0
	smallestPiece = 8
)

type piece struct {
	slots atomic.Pointer[[]slot]
	used  int // only for the writer
}

// slot is 0 if free, else a fingerprint and the number of its group.
type slot struct{ atomic.Uint64 }

func pieceOf(f Fingerprint) int { return int(f >> (fingerprintBits - pieceBits)) }

// home is where a fingerprint would stand among n slots if all were free.
func home(f Fingerprint, n int) int {
	high, _ := bits.Mul64(uint64(f)<<(64-fingerprintBits+pieceBits), uint64(n))
	return int(high)
}

func pack(f Fingerprint, group uint64) uint64 { return uint64(f)<<groupBits | group }

func unpack(word uint64) (Fingerprint, uint64) {
	return Fingerprint(word >> groupBits), word & (groupCount - 1)
}

func (t *table) contains(f Fingerprint) bool {
	pointer := t.pieces[pieceOf(f)].slots.Load()
	if pointer == nil {
		return false
	}
	slots := *pointer
	for i := home(f, len(slots)); ; i++ {
		if i == len(slots) {
			i = 0
		}
		word := slots[i].Load()
		if word == 0 {
			return false
		}
		if found, _ := unpack(word); found == f {
			return true
		}
	}
}

// add keeps the later of two times to forget. Zero: never.
func (t *table) add(f Fingerprint, forget time.Time) { t.addToGroup(f, t.groups.find(forget)) }

func (t *table) addToGroup(f Fingerprint, group uint64) {
	p := &t.pieces[pieceOf(f)]
	if pointer := p.slots.Load(); pointer == nil || (p.used+1)*5 > len(*pointer)*4 {
		t.rebuild(p, func(uint64) bool { return true }, 1)
	}
	slots := *p.slots.Load()
	for i := home(f, len(slots)); ; i++ {
		if i == len(slots) {
			i = 0
		}
		word := slots[i].Load()
		if word == 0 {
			slots[i].Store(pack(f, group))
			p.used++
			t.count.Add(1)
			return
		}
		if found, old := unpack(word); found == f {
			if t.groups.later(group, old) {
				slots[i].Store(pack(f, group))
			}
			return
		}
	}
}

// rebuild puts what is to be kept into new slots, with room for some more.
// Readers see the old ones until all is there.
func (t *table) rebuild(p *piece, keep func(group uint64) bool, more int) {
	var old []slot
	if pointer := p.slots.Load(); pointer != nil {
		old = *pointer
	}
	kept := 0
	for i := range old {
		if word := old[i].Load(); word != 0 && keep(word&(groupCount-1)) {
			kept++
		}
	}
	t.count.Add(int64(kept - p.used))
	p.used = kept
	if kept+more == 0 {
		p.slots.Store(nil)
		return
	}
	size := max((kept+more)*8/5, smallestPiece)
	slots := make([]slot, size)
	for i := range old {
		word := old[i].Load()
		if word == 0 || !keep(word&(groupCount-1)) {
			continue
		}
		f, _ := unpack(word)
		at := home(f, size)
		for slots[at].Load() != 0 {
			if at++; at == size {
				at = 0
			}
		}
		slots[at].Store(word)
	}
	p.slots.Store(&slots)
}

// forget removes what may be forgotten at a time.
func (t *table) forget(now time.Time) {
	gone := t.groups.take(now)
	if len(gone) == 0 {
		return
	}
	keep := func(group uint64) bool { _, goes := gone[group]; return !goes }
	for i := range t.pieces {
		p := &t.pieces[i]
		pointer := p.slots.Load()
		if pointer == nil {
			continue
		}
		for j := range *pointer {
			if word := (*pointer)[j].Load(); word != 0 && !keep(word&(groupCount-1)) {
				t.rebuild(p, keep, 0)
				break
			}
		}
	}
	t.groups.free(gone)
}

// each calls yield for everything there is, unordered.
func (t *table) each(yield func(f Fingerprint, minute int64)) {
	for i := range t.pieces {
		pointer := t.pieces[i].slots.Load()
		if pointer == nil {
			continue
		}
		for j := range *pointer {
			if word := (*pointer)[j].Load(); word != 0 {
				f, group := unpack(word)
				yield(f, t.groups.minuteOf(group))
			}
		}
	}
}
