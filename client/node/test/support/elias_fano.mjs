/** The other direction, as a server would do it: for tests. */
export function encodeFingerprints(sorted, lowBits) {
  const lows = new Uint8Array(Math.ceil((sorted.length * lowBits) / 8));
  const unit = 2 ** lowBits;
  const top = sorted.length === 0 ? 0 : Math.floor(sorted[sorted.length - 1] / unit);
  const highs = new Uint8Array(Math.ceil((top + sorted.length) / 8));
  sorted.forEach((number, i) => {
    const position = Math.floor(number / unit) + i;
    highs[position >> 3] |= 1 << (position & 7);
    let low = number % unit;
    for (let bit = 0, at = i * lowBits; bit < lowBits; bit++, at++) {
      if (low % 2 === 1) lows[Math.floor(at / 8)] |= 1 << (at % 8);
      low = Math.floor(low / 2);
    }
  });
  return { count: sorted.length, lowBits, lows, highs };
}

/** Different numbers of 52 bits in rising order, the same every time. */
export function someFingerprints(count) {
  let state = 12345;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = next() * 2 ** 20 + (next() >>> 12);
  return new Float64Array(new Set(numbers.sort()));
}
