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

// A slot is 0 if free, else a fingerprint and the number of its group. Once
// readers can see it, it is read and written atomically.
type piece struct {
	slots atomic.Pointer[[]uint64]
	used  int // only for the writer
}

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
		word := atomic.LoadUint64(&slots[i])
		if word == 0 {
			return false
		}
		if found, _ := unpack(word); found == f {
			return true
		}
	}
}

// add keeps the later of two times to forget. Zero: never.
func (t *table) add(f Fingerprint, forget time.Time) {
	t.count.Add(int64(t.insert(f, t.groups.find(forget))))
}

// insert gives how many there are more.
func (t *table) insert(f Fingerprint, group uint64) int {
	p := &t.pieces[pieceOf(f)]
	if pointer := p.slots.Load(); pointer == nil || (p.used+1)*5 > len(*pointer)*4 {
		t.rebuild(p, nil, 1)
	}
	slots := *p.slots.Load()
	for i := home(f, len(slots)); ; i++ {
		if i == len(slots) {
			i = 0
		}
		word := atomic.LoadUint64(&slots[i])
		if word == 0 {
			atomic.StoreUint64(&slots[i], pack(f, group))
			p.used++
			return 1
		}
		if found, old := unpack(word); found == f {
			if t.groups.later(group, old) {
				atomic.StoreUint64(&slots[i], pack(f, group))
			}
			return 0
		}
	}
}

// rebuild puts what is to be kept (all, if keep is nil) into new slots, with
// room for some more. Readers see the old ones until all is there.
func (t *table) rebuild(p *piece, keep func(group uint64) bool, more int) {
	var old []uint64
	if pointer := p.slots.Load(); pointer != nil {
		old = *pointer
	}
	kept := 0
	for i := range old {
		if word := old[i]; word != 0 && (keep == nil || keep(word&(groupCount-1))) {
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
	slots := make([]uint64, size)
	for i := range old {
		word := old[i]
		if word == 0 || (keep != nil && !keep(word&(groupCount-1))) {
			continue
		}
		f, _ := unpack(word)
		at := home(f, size)
		for slots[at] != 0 {
			if at++; at == size {
				at = 0
			}
		}
		slots[at] = word
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
			if word := (*pointer)[j]; word != 0 && !keep(word&(groupCount-1)) {
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
			if word := (*pointer)[j]; word != 0 {
				f, group := unpack(word)
				yield(f, t.groups.minuteOf(group))
			}
		}
	}
}
