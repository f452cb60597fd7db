package revoked

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"

	pb "ostiary.dev/go/ostiary/v1"
)

const fingerprintBits = 52

// Fingerprint stands for one token or session: a number of 52 bits.
type Fingerprint uint64

// OfToken is the fingerprint of a `jti`.
func OfToken(id string) Fingerprint { return fingerprintOf("token:" + id) }

// OfSession is the fingerprint of a `sid`.
func OfSession(id string) Fingerprint { return fingerprintOf("session:" + id) }

func fingerprintOf(text string) Fingerprint {
	digest := sha256.Sum256([]byte(text))
	return Fingerprint(binary.BigEndian.Uint64(digest[:8]) >> (64 - fingerprintBits))
}

// ErrMalformed says that a frame of the feed breaks the rules of the proto.
var ErrMalformed = errors.New("the revocation feed sent something malformed")

// decode calls yield for every fingerprint of a set in Elias and Fano's form,
// in rising order. ErrMalformed if the parts do not fit together; some may have
// been given to yield by then.
func decode(set *pb.FingerprintSet, yield func(Fingerprint)) error {
	count, lowBits := int(set.GetCount()), int(set.GetLowBits())
	lows, highs := set.GetLows(), set.GetHighs()
	if lowBits > fingerprintBits || len(lows) != (count*lowBits+7)/8 {
		return ErrMalformed
	}
	low := bitReader{bytes: lows, width: lowBits}
	i := 0
	for at := 0; at < len(highs) && i < count; at += 8 {
		for word := wordAt(highs, at); word != 0 && i < count; word &= word - 1 {
			rest := uint64(at*8 + bits.TrailingZeros64(word) - i)
			number := rest<<lowBits | low.next()
			if rest > 1<<(fingerprintBits-lowBits) || number >= 1<<fingerprintBits {
				return ErrMalformed
			}
			yield(Fingerprint(number))
			i++
		}
	}
	if i != count {
		return ErrMalformed
	}
	return nil
}

// encode writes fingerprints, which must be sorted, in Elias and Fano's form.
func encode(sorted []Fingerprint) *pb.FingerprintSet {
	if len(sorted) == 0 {
		return &pb.FingerprintSet{}
	}
	lowBits := 0
	for uint64(len(sorted))<<lowBits < 1<<fingerprintBits && lowBits < fingerprintBits {
		lowBits++
	}
	lowBits = max(lowBits-1, 0)
	last := int(sorted[len(sorted)-1]>>lowBits) + len(sorted)
	lows := make([]byte, (len(sorted)*lowBits+7)/8)
	highs := make([]byte, last/8+1)
	for i, fingerprint := range sorted {
		position := int(fingerprint>>lowBits) + i
		highs[position/8] |= 1 << (position % 8)
		putBits(lows, i*lowBits, lowBits, uint64(fingerprint)&(1<<lowBits-1))
	}
	return &pb.FingerprintSet{
		Count: uint32(len(sorted)), LowBits: uint32(lowBits), Lows: lows, Highs: highs,
	}
}

func putBits(bytes []byte, at, width int, value uint64) {
	for ; width > 0; value >>= 1 {
		bytes[at/8] |= byte(value&1) << (at % 8)
		at++
		width--
	}
}

// wordAt reads up to eight bytes; those beyond the end are 0.
func wordAt(bytes []byte, at int) uint64 {
	if at+8 <= len(bytes) {
		return binary.LittleEndian.Uint64(bytes[at:])
	}
	var word uint64
	for i := len(bytes) - 1; i >= at; i-- {
		word = word<<8 | uint64(bytes[i])
	}
	return word
}

// bitReader reads numbers of up to 52 bits one after another. Bits beyond the
// end are 0.
type bitReader struct {
	bytes []byte
	width int
	at    int // in bits
}

func (r *bitReader) next() uint64 {
	// Up to 7 bits are in front of the number, so 59 of the 64 are enough.
	word := wordAt(r.bytes, r.at/8) >> (r.at % 8)
	r.at += r.width
	return word & (1<<r.width - 1)
}
