import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { BadFingerprintSet, decodeFingerprints } from "../dist/esm/elias_fano.js";
import { sessionFingerprint, tokenFingerprint } from "../dist/esm/fingerprint.js";
import { FingerprintStore } from "../dist/esm/fingerprint_store.js";
import { encodeFingerprints, someFingerprints } from "./support/elias_fano.mjs";

test("a fingerprint is the first 52 bits of a SHA-256", () => {
  const expected = (text) => Number(BigInt("0x" +
    createHash("sha256").update(text).digest("hex").slice(0, 13)));
  assert.equal(tokenFingerprint("jti_1"), expected("token:jti_1"));
  assert.equal(sessionFingerprint("sess_1"), expected("session:sess_1"));
  assert.ok(tokenFingerprint("x") < 2 ** 52);
});

test("sets are read whatever their low bits", () => {
  for (const lowBits of [0, 1, 7, 8, 23, 24, 25, 31, 32, 33, 47, 48, 49, 51, 52]) {
    const unit = 2 ** Math.min(lowBits, 44);
    const numbers = [0, 1, 1, 5, 6, 200, 201].map((n) => n * unit + (n % unit));
    const read = decodeFingerprints(encodeFingerprints(numbers, lowBits));
    assert.deepEqual([...read], numbers, `low_bits ${lowBits}`);
  }
  const largest = [2 ** 52 - 1];
  assert.deepEqual([...decodeFingerprints(encodeFingerprints(largest, 50))], largest);
  assert.equal(decodeFingerprints(encodeFingerprints([], 32)).length, 0);
});

test("the example of the proto: bits from the lowest of the first byte", () => {
  // low_bits 3; 5 = 0:101, 9 = 1:001, 26 = 3:010. Highs: 0+0, 1+1, 3+2.
  const set = {
    count: 3, lowBits: 3,
    lows: Uint8Array.of(0b10_001_101, 0b0),
    highs: Uint8Array.of(0b100101),
  };
  assert.deepEqual([...decodeFingerprints(set)], [5, 9, 26]);
});

test("a set that does not keep its form is refused", () => {
  const good = encodeFingerprints([1, 2, 3], 4);
  const bad = (change) => () => decodeFingerprints({ ...good, ...change });
  for (const change of [
    { count: 4 }, { count: 2 }, { count: 2 ** 31 }, { lowBits: 53 }, { lowBits: 60 },
    { lows: new Uint8Array(3) }, { lows: new Uint8Array(1) },
    { highs: new Uint8Array(0) }, { highs: Uint8Array.of(255) },
    { lows: Uint8Array.of(0x12, 0x03) }, // 2, 1, 3
  ]) {
    assert.throws(bad(change), BadFingerprintSet, JSON.stringify(change));
  }
  const tooLarge = encodeFingerprints([2 ** 52], 50);
  assert.throws(() => decodeFingerprints(tooLarge), BadFingerprintSet);
});

test("a store finds what was added, one by one or in runs, and nothing else", () => {
  const numbers = someFingerprints(20_000);
  const store = new FingerprintStore();
  const every = (n) => numbers.filter((_, i) => i % 4 === n);
  store.addSorted(every(0), 100);
  for (const number of every(1)) store.add(number, 200);
  store.addSorted(every(2).slice(0, 100), 100);
  store.addSorted(every(2).slice(50), 100);
  const check = () => {
    for (const number of numbers.filter((_, i) => i % 4 < 3)) assert.ok(store.has(number));
    for (const number of every(3)) assert.ok(!store.has(number));
    assert.equal(store.size, 15_000);
  };
  check();
  store.compact();
  check();
});

test("numbers that are not spread evenly are found too", () => {
  const store = new FingerprintStore();
  const numbers = Float64Array.from({ length: 52 }, (_, i) => 2 ** i);
  store.addSorted(numbers, 1);
  for (const number of numbers) assert.ok(store.has(number));
  assert.ok(!store.has(3));
  store.addSorted(Float64Array.of(7, 7, 7), 2);
  assert.ok(store.has(7));
});

test("an entry is kept for as long as the longest of its like", () => {
  const store = new FingerprintStore();
  store.add(1, 10);
  store.add(1, 20);
  store.add(1, 5);
  assert.equal(store.size, 1);
  store.compact();
  store.add(1, 15);
  store.forget(19);
  assert.ok(store.has(1));
  store.forget(20);
  assert.ok(!store.has(1));
  assert.equal(store.size, 0);
});

test("many minutes are put together, and nothing is forgotten too early", () => {
  const store = new FingerprintStore();
  const numbers = someFingerprints(5000);
  numbers.forEach((number, i) => store.addSorted(Float64Array.of(number), i % 500));
  store.addSorted(Float64Array.of(5), Infinity);
  assert.ok(store.runs().length <= 33);
  for (let minute = 0; minute < 500; minute += 50) {
    store.forget(minute);
    numbers.forEach((number, i) => {
      if (i % 500 > minute) assert.ok(store.has(number));
    });
  }
  store.forget(499);
  assert.equal(store.size, 1);
  assert.ok(store.has(5));
});

test("a million entries are read within 0.5 s and kept in 20 MB", (t) => {
  const sets = Array.from({ length: 20 }, () => undefined);
  const all = someFingerprints(1_000_000);
  sets.forEach((_, group) => {
    sets[group] = encodeFingerprints(
      all.filter((_, i) => i % sets.length === group), 36);
  });
  global.gc?.();
  const before = process.memoryUsage();
  const start = performance.now();
  const store = new FingerprintStore();
  sets.forEach((set, group) => store.addSorted(decodeFingerprints(set), group));
  store.compact();
  const ms = performance.now() - start;
  global.gc?.();
  const after = process.memoryUsage();
  const bytes = after.arrayBuffers - before.arrayBuffers;
  assert.equal(store.size, all.length);
  assert.ok(store.has(all[777_777]));
  t.diagnostic(`${ms.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`);
  assert.ok(ms < 500, `${ms} ms`);
  assert.ok(bytes < 20e6, `${bytes} bytes`);

  let found = 0;
  const looks = 100_000;
  const begin = performance.now();
  for (let i = 0; i < looks; i++) if (store.has(all[i * 10] + 0.5)) found++;
  const us = ((performance.now() - begin) * 1000) / looks;
  t.diagnostic(`${us.toFixed(2)} us for a look`);
  assert.equal(found, 0);
});
