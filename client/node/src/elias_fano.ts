const FINGERPRINT_BITS = 52;
const LIMIT = 2 ** FINGERPRINT_BITS;
// More than any server keeps; a false count must not reserve gigabytes.
const MAX_COUNT = 1 << 26;

/** A fingerprint set that does not keep the form of its definition. */
export class BadFingerprintSet extends Error {
  constructor(what: string) {
    super(`fingerprint set: ${what}`);
  }
}

/** As in the proto, where the form is defined. */
export interface EncodedFingerprints {
  readonly count: number;
  readonly lowBits: number;
  readonly lows: Uint8Array;
  readonly highs: Uint8Array;
}

/**
 * The numbers in rising order, which is checked: a search relies on it, and a
 * number it misses would be a revoked token accepted.
 *
 * @throws BadFingerprintSet
 */
export function decodeFingerprints(set: EncodedFingerprints): Float64Array {
  const { count, lowBits } = set;
  if (lowBits > FINGERPRINT_BITS) throw new BadFingerprintSet("low_bits");
  if (count > MAX_COUNT || count > set.highs.length * 8) {
    throw new BadFingerprintSet("count");
  }
  if (set.lows.length !== Math.ceil((count * lowBits) / 8)) {
    throw new BadFingerprintSet("length of lows");
  }
  const numbers = new Float64Array(count);
  readHighs(set.highs, 2 ** lowBits, numbers);
  addLows(set.lows, lowBits, numbers);
  checkOrder(numbers);
  return numbers;
}

// The i-th one bit (from 0) at position p says that the high part is p - i.
function readHighs(highs: Uint8Array, unit: number, out: Float64Array): void {
  let i = 0;
  for (let at = 0; at < highs.length; at++) {
    for (let byte = highs[at]; byte !== 0; byte &= byte - 1) {
      if (i === out.length) throw new BadFingerprintSet("too many highs");
      const position = at * 8 + 31 - Math.clz32(byte & -byte);
      out[i] = (position - i) * unit;
      i++;
    }
  }
  if (i !== out.length) throw new BadFingerprintSet("too few highs");
}

// Bit operations work on 32 bits, so low parts are read in pieces of up to 24.
const PIECE_BITS = 24;

function addLows(lows: Uint8Array, lowBits: number, out: Float64Array): void {
  const bytes = new Uint8Array(lows.length + 4);
  bytes.set(lows);
  let scale = 1;
  for (let done = 0; done < lowBits; done += PIECE_BITS) {
    const bits = Math.min(PIECE_BITS, lowBits - done);
    const mask = (1 << bits) - 1;
    for (let i = 0, bit = done; i < out.length; i++, bit += lowBits) {
      const at = Math.floor(bit / 8);
      const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) |
        (bytes[at + 3] << 24);
      out[i] += ((word >>> (bit % 8)) & mask) * scale;
    }
    scale *= 2 ** bits;
  }
}

function checkOrder(numbers: Float64Array): void {
  for (let i = 1; i < numbers.length; i++) {
    if (numbers[i] < numbers[i - 1]) throw new BadFingerprintSet("order");
  }
  if (numbers.length > 0 && numbers[numbers.length - 1] >= LIMIT) {
    throw new BadFingerprintSet("number too large");
  }
}
