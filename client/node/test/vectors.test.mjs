import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { KeySet } from "../dist/esm/keys.js";
import { authenticate, checkTimeAndAudience } from "../dist/esm/signed_token.js";

const file = JSON.parse(readFileSync(
  new URL("../../../tests/vectors/jose/jwt-attacks.json", import.meta.url)));
const keys = KeySet.parse(Buffer.from(JSON.stringify(file.jwks)));
const trust = { issuer: file.issuer, algorithms: file.allowed_algs };

function verdict(token) {
  const signed = authenticate(token, keys, trust);
  if (typeof signed === "string") return signed;
  return checkTimeAndAudience(
    signed.claims, file.audience, file.now, file.leeway_s) ?? "accept";
}

test("every attack token is judged right", () => {
  let accepted = 0;
  for (const { id, token, expect, why } of file.cases) {
    const got = verdict(token);
    assert.equal(got === "accept", expect === "accept", `${id} ${why}: ${got}`);
    if (got === "accept") accepted++;
  }
  assert.equal(file.cases.length, 129);
  assert.equal(accepted, 12);
});

// The class of a case says which rule it breaks, so most classes have one
// reason that must be the one given.
test("every refusal of an attack token names its class", () => {
  const reasons = {
    "alg-none": "ALGORITHM_NOT_ALLOWED",
    "alg-confusion": "ALGORITHM_NOT_ALLOWED",
    crit: "TOKEN_MALFORMED",
    json: "TOKEN_MALFORMED",
    b64: "TOKEN_MALFORMED",
    form: "TOKEN_MALFORMED",
    nest: "TOKEN_MALFORMED",
    claim: "TOKEN_MALFORMED",
  };
  let checked = 0;
  for (const { id, cls, token } of file.cases) {
    // Two signatures are empty and too long: well-formed, and wrong.
    if (!(cls in reasons) || id === "v-158" || id === "v-146") continue;
    assert.equal(verdict(token), reasons[cls], id);
    checked++;
  }
  assert.ok(checked > 40);
});
