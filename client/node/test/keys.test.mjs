import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { KeySet, VerifyingKey } from "../dist/esm/keys.js";
import { TestIssuer } from "../dist/esm/testing.js";

const jwkOf = (algorithm) => new TestIssuer({ algorithm }).jwks().keys[0];
const ec = jwkOf("ES256");
const rsa = jwkOf("RS256");
const okp = jwkOf("EdDSA");
const whole = (jwk) => ({
  kty: "", alg: "", kid: "", use: "", crv: "", x: "", y: "", n: "", e: "", ...jwk,
});
const known = (jwk) =>
  KeySet.parse(Buffer.from(JSON.stringify({ keys: [jwk] }))).find(jwk.kid) !== undefined;

test("keys of the three kinds are taken", () => {
  for (const jwk of [ec, rsa, okp]) assert.ok(known(jwk), jwk.kty);
  const { use, ...unsaid } = ec;
  assert.ok(known(unsaid));
  assert.ok(known({ ...ec, key_ops: ["sign", "verify"] }));
});

test("a key that does not say it is for checking signatures is left out", () => {
  for (const change of [
    { use: "enc" }, { use: 7 }, { use: null }, { key_ops: ["sign"] }, { key_ops: "verify" },
    { alg: undefined }, { alg: "HS256" }, { alg: "RS256" }, { alg: 7 }, { kid: "" },
    { kid: "k".repeat(257) }, { d: "AA" }, { k: "AA" },
  ]) assert.ok(!known({ ...ec, ...change }), JSON.stringify(change));
});

test("numbers that are no good key are left out", () => {
  const zeros = Buffer.alloc(32).toString("base64url");
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  for (const [jwk, change] of [
    [ec, { x: ec.y }], [ec, { x: zeros, y: zeros }], [ec, { x: ec.x + "A" }],
    [ec, { crv: "P-384" }], [ec, { kty: "OKP" }],
    [okp, { x: zeros }], [okp, { x: "AQ" }], [okp, { crv: "X25519" }],
    [okp, { x: Buffer.from("01" + "00".repeat(30) + "80", "hex").toString("base64url") }],
    [rsa, { n: short.n }], [rsa, { n: "AA" + rsa.n }], [rsa, { e: "AQ" }],
    [rsa, { e: "Ag" }], [rsa, { e: "" }], [rsa, { e: "AQAAAAE" }], [rsa, { kty: "oct" }],
  ]) assert.ok(!known({ ...jwk, ...change }), `${jwk.kty} ${JSON.stringify(change)}`);
});

test("two keys of one kid are refused whole, one odd key is not", () => {
  assert.equal(KeySet.of([whole(ec), { ...whole(okp), kid: ec.kid }]), undefined);
  const set = KeySet.of([whole({ ...ec, alg: "none" }), whole(okp)]);
  assert.equal(set.find(ec.kid), undefined);
  assert.ok(set.find(okp.kid));
});

test("what is no key set is refused", () => {
  for (const text of ["", "[]", "{}", '{"keys":{}}', '{"keys":[1]}', '{"keys":[],"keys":[]}']) {
    assert.equal(KeySet.parse(Buffer.from(text)), undefined, text);
  }
});

test("a key that stays is the same key, one with other numbers is not", () => {
  const first = KeySet.of([whole(ec)]);
  assert.equal(KeySet.of([whole(ec)], first).find(ec.kid), first.find(ec.kid));
  const other = { ...jwkOf("ES256"), kid: ec.kid };
  assert.notEqual(KeySet.of([whole(other)], first).find(ec.kid), first.find(ec.kid));
});

test("a signature is good only as it is", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = VerifyingKey.of(whole({ ...ec, x, y }));
  const message = Buffer.from("header.payload");
  const good = sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
  assert.ok(key.verifies(message, good));
  assert.ok(!key.verifies(Buffer.from("header.payloaD"), good));
  assert.ok(!key.verifies(message, sign("sha256", message, privateKey))); // DER
  for (let length = 0; length < 64; length++) {
    assert.ok(!key.verifies(message, good.subarray(0, length)));
  }
  for (let bit = 0; bit < 512; bit++) {
    const bad = Buffer.from(good);
    bad[bit >> 3] ^= 1 << (bit & 7);
    assert.ok(!key.verifies(message, bad), `bit ${bit}`);
  }
});

// The public collection of known attacks, if it lies beside the repository.
const shared = process.env.OSTIARY_SHARED ??
  new URL("../../../../shared", import.meta.url).pathname;
const collection = (name) => `${shared}/vectors/wycheproof/${name}`;
const skip = existsSync(collection("ed25519_test.json")) ? false : "no Wycheproof vectors here";

function judgeAll(name, keyOf) {
  const file = JSON.parse(readFileSync(collection(name)));
  let judged = 0;
  for (const group of file.testGroups) {
    const key = keyOf(group);
    if (key === undefined) continue; // numbers that we do not take, such as a huge e
    for (const { tcId, msg, sig, result, comment } of group.tests) {
      if (result === "acceptable") continue;
      const good = key.verifies(Buffer.from(msg, "hex"), Buffer.from(sig, "hex"));
      assert.equal(good, result === "valid", `${name} ${tcId} ${comment}`);
      judged++;
    }
  }
  assert.ok(judged > 50, `${name}: only ${judged}`);
}

const fromHex = (hex) => Buffer.from(hex, "hex").toString("base64url");

test("Wycheproof: Ed25519", { skip }, () =>
  judgeAll("ed25519_test.json", ({ publicKey }) =>
    VerifyingKey.of(whole({ ...okp, x: fromHex(publicKey.pk) }))));

test("Wycheproof: ES256", { skip }, () =>
  judgeAll("ecdsa_secp256r1_sha256_p1363_test.json", ({ publicKey }) => {
    const point = publicKey.uncompressed;
    return VerifyingKey.of(whole({
      ...ec, x: fromHex(point.slice(2, 66)), y: fromHex(point.slice(66)) }));
  }));

test("Wycheproof: RS256", { skip }, () =>
  judgeAll("rsa_signature_2048_sha256_test.json", ({ publicKey }) =>
    VerifyingKey.of(whole({
      ...rsa,
      n: fromHex(publicKey.modulus.replace(/^00/, "")),
      e: fromHex(publicKey.publicExponent.padStart(6, "0")),
    }))));
