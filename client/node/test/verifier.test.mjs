import assert from "node:assert/strict";
import { test } from "node:test";

import { Verifier } from "../dist/esm/index.js";
import { TestIssuer } from "../dist/esm/testing.js";
import { FakeClock, verdict } from "./support/scene.mjs";

function house(options) {
  const clock = new FakeClock();
  const issuer = new TestIssuer({ clock, ...options });
  return { clock, issuer };
}

test("each algorithm is checked; one that is not trusted is refused", async () => {
  for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
    const { issuer } = house({ algorithm });
    assert.equal(await verdict(issuer.verifier(), issuer.token()), "VALID");
    const algorithms = ["ES256", "RS256", "EdDSA"].filter((name) => name !== algorithm);
    assert.equal(await verdict(issuer.verifier({ algorithms }), issuer.token()),
      "ALGORITHM_NOT_ALLOWED");
  }
});

test("claims say what the token says, and cannot be changed", async () => {
  const { clock, issuer } = house();
  const token = issuer.token({
    subject: "acct_1", scopes: ["a", "b"], roles: ["admin"], sessionId: "sess_1",
    clientId: "cli_1", tokenId: "jti_1", generation: 7,
    claims: { plan: { seats: [1, 2] }, amr: ["pwd"], auth_time: 5 },
  });
  const claims = await issuer.verifier().verify(token);
  assert.deepEqual({ ...claims, extra: JSON.parse(JSON.stringify(claims.extra)) }, {
    issuer: "https://issuer.test", subject: "acct_1", audiences: ["api"],
    clientId: "cli_1", sessionId: "sess_1", tokenId: "jti_1",
    issueTime: clock.wallMs / 1000, expireTime: clock.wallMs / 1000 + 900,
    notBefore: undefined, authTime: 5, scopes: ["a", "b"], roles: ["admin"],
    authMethods: ["pwd"], generation: 7, extra: { plan: { seats: [1, 2] } },
  });
  for (const part of [claims, claims.scopes, claims.roles, claims.audiences,
    claims.extra, claims.extra.plan]) assert.ok(Object.isFrozen(part));
});

test("a token expires when the leeway is over, also out of the cache", async () => {
  const { clock, issuer } = house();
  const verifier = issuer.verifier({ leewayMs: 60_000 });
  const token = issuer.token({ lifetimeSeconds: 100 });
  assert.equal(await verdict(verifier, token), "VALID");
  clock.advance(159_999);
  assert.equal(await verdict(verifier, token), "VALID");
  clock.advance(1);
  assert.equal(await verdict(verifier, token), "TOKEN_EXPIRED");
  assert.equal(verifier.stats().cacheHits, 2);
});

test("a token of the future is not yet valid", async () => {
  const { clock, issuer } = house();
  const now = clock.wallMs / 1000;
  const verifier = issuer.verifier({ leewayMs: 10_000 });
  const at = (claims) => verdict(verifier, issuer.token({ claims }));
  assert.equal(await at({ iat: now + 10 }), "VALID");
  assert.equal(await at({ iat: now + 10.5 }), "TOKEN_NOT_YET_VALID");
  assert.equal(await at({ nbf: now + 10 }), "VALID");
  assert.equal(await at({ nbf: now + 11 }), "TOKEN_NOT_YET_VALID");
});

test("a token that lives over a day is malformed", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier();
  const lives = (lifetimeSeconds) => verdict(verifier, issuer.token({ lifetimeSeconds }));
  assert.equal(await lives(86_400), "VALID");
  assert.equal(await lives(86_401), "TOKEN_MALFORMED");
});

test("the audience is one of the token's, and any only when it is said", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier();
  assert.equal(await verdict(verifier, issuer.token({ audience: ["x", "api"] })), "VALID");
  const other = issuer.token({ audience: "other" });
  assert.equal(await verdict(verifier, other), "AUDIENCE_MISMATCH");
  assert.equal(await verdict(verifier, other, { anyAudience: true }), "VALID");
});

test("all scopes and roles are needed, and refusal says that it is authority", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier();
  const token = issuer.token({ scopes: ["a", "b"], roles: ["r"] });
  assert.equal(await verdict(verifier, token, { scopes: ["a", "b"], roles: ["r"] }), "VALID");
  assert.equal(await verdict(verifier, token, { scopes: ["a", "c"] }), "SCOPE_MISSING");
  assert.equal(await verdict(verifier, token, { scopes: ["a b"] }), "SCOPE_MISSING");
  assert.equal(await verdict(verifier, token, { roles: ["r", "q"] }), "ROLE_MISSING");
  await assert.rejects(verifier.verify(token, { roles: ["q"] }), { lacksAuthority: true });
  await assert.rejects(verifier.verify(token + "x"), { lacksAuthority: false });
});

test("a requirement that is none is a mistake, not an invitation", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier();
  for (const requirement of [{ scopes: "admin" }, { roles: "admin" }, { policy: "allow" }]) {
    await assert.rejects(verifier.verify(issuer.token(), requirement), TypeError);
  }
});

test("of several faults the first in order is named", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier({ leewayMs: 0 });
  const token = issuer.token({
    lifetimeSeconds: -1, audience: "other", sessionId: "sess_1",
  });
  issuer.revokeSession("sess_1");
  const wanted = { scopes: ["x"], roles: ["y"] };
  assert.equal(await verdict(verifier, token, wanted), "TOKEN_EXPIRED");
  const fresh = issuer.token({ audience: "other", sessionId: "sess_1" });
  assert.equal(await verdict(verifier, fresh, wanted), "AUDIENCE_MISMATCH");
  const ours = issuer.token({ sessionId: "sess_1" });
  assert.equal(await verdict(verifier, ours, wanted), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, issuer.token(), wanted), "SCOPE_MISSING");
});

test("type and issuer must be right", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier();
  const of = (says) => verdict(verifier, issuer.token(says));
  assert.equal(await of({ header: { typ: "JWT" } }), "TYPE_MISMATCH");
  assert.equal(await of({ header: { typ: "AT+JWT" } }), "VALID");
  assert.equal(await of({ header: { typ: "at+\u212awt" } }), "TYPE_MISMATCH");
  assert.equal(await of({ claims: { iss: "https://issuer.test/" } }), "ISSUER_MISMATCH");
  for (const extension of ["crit", "b64", "zip"]) {
    assert.equal(await of({ header: { [extension]: [] } }), "TOKEN_MALFORMED");
  }
});

test("texts that are no tokens are malformed, and long ones not looked at", async () => {
  const verifier = house().issuer.verifier();
  for (const text of ["", ".", "..", "a.b.c", "x".repeat(16_385), undefined, null, 7, {}]) {
    assert.equal(await verdict(verifier, text), "TOKEN_MALFORMED");
  }
});

test("the cache keeps what was used last and no more than its size", async () => {
  const { issuer } = house();
  const verifier = issuer.verifier({ cacheSize: 2 });
  const [a, b, c] = [issuer.token(), issuer.token(), issuer.token()];
  for (const token of [a, b, a, c, a, b]) await verifier.verify(token);
  assert.equal(verifier.stats().cacheHits, 2); // the second and third a
  assert.equal(verifier.stats().cacheMisses, 4);
  const without = issuer.verifier({ cacheSize: 0 });
  await without.verify(a);
  await without.verify(a);
  assert.equal(without.stats().cacheHits, 0);
});

test("a test issuer's verifier waits for its revisions and is always fresh", async () => {
  const { issuer, clock } = house();
  const verifier = issuer.verifier();
  const revision = issuer.revokeSession("sess_1");
  await verifier.waitFor(revision, 10);
  clock.advance(3_600_000);
  const token = issuer.token();
  assert.equal(await verdict(verifier, token, { minRevision: revision }), "VALID");
  assert.equal(await verdict(issuer.verifier(), issuer.token({ sessionId: "sess_1" })),
    "TOKEN_REVOKED");
  await verifier.close();
});

test("options that cannot be meant are refused by name", () => {
  const good = { target: "127.0.0.1:1", issuer: "i" };
  for (const [name, value] of Object.entries({
    target: "", issuer: "", audience: "", leewayMs: 300_001, algorithms: [],
    cacheSize: -1, stalenessBoundMs: 0, policy: "hope", askTimeoutMs: 0, silenceMs: -1,
  })) {
    assert.throws(() => new Verifier({ ...good, [name]: value }),
      (error) => error instanceof TypeError && error.message.includes(name), name);
  }
});
