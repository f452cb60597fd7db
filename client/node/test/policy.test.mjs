import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";

import { Breaker } from "../dist/esm/breaker.js";
import { entry, eventually, now } from "./support/fake_server.mjs";
import { FakeClock, scene, verdict } from "./support/scene.mjs";

// A feed that speaks but whose knowledge is a minute old.
async function staleScene(t, options) {
  const all = await scene(t, options);
  all.server.onWatch = (watcher) => watcher.keys(...all.issuer.jwks().keys)
    .snapshot({ asOf: now(-60_000), entries: [entry("tokenId", "jti_gone")] });
  const verifier = all.open();
  await eventually(() => verifier.stats().position !== undefined);
  return { ...all, verifier };
}

test("beyond the bound the server is asked and its verdict counts", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  assert.equal(await verdict(verifier, issuer.token(), { scopes: [] }), "VALID");
  assert.equal(server.questions[0].audience, "api");
  assert.equal(server.questions[0].anyAudience, false);
  server.onVerify = () => ({ valid: false, reason: "TOKEN_REVOKED" });
  assert.equal(await verdict(verifier, issuer.token()), "TOKEN_REVOKED");
  await verdict(verifier, issuer.token(), { anyAudience: true });
  assert.equal(server.questions[2].audience, "");
  assert.equal(server.questions[2].anyAudience, true);
  const { asks, checks } = verifier.stats();
  assert.deepEqual(asks, { valid: 1, invalid: 2, failed: 0, dropped: 0 });
  assert.deepEqual(checks, { VALID: 1, TOKEN_REVOKED: 2 });
});

test("what is refused anyway is not asked about", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  assert.equal(await verdict(verifier, issuer.token({ tokenId: "jti_gone" })), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, issuer.token(), { scopes: ["x"] }), "SCOPE_MISSING");
  assert.equal(await verdict(verifier, issuer.token(), { roles: ["x"] }), "ROLE_MISSING");
  assert.equal(await verdict(verifier, "x"), "TOKEN_MALFORMED");
  assert.equal(server.questions.length, 0);
});

test("refuse and accept do what they say, per call too", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  const token = issuer.token();
  assert.equal(await verdict(verifier, token, { policy: "refuse" }), "CHECK_UNAVAILABLE");
  assert.equal(await verdict(verifier, token, { policy: "accept" }), "VALID");
  assert.throws(() => verifier.verifyLocal(token), { reason: "CHECK_UNAVAILABLE" });
  assert.equal(server.questions.length, 0);
});

test("accept waits for one complete snapshot", async (t) => {
  const { server, issuer, open } = await scene(t);
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys);
  const verifier = open({ policy: "accept" });
  await eventually(() => verifier.stats().connected);
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
});

test("before the first key set nobody knows, unless the server is asked", async (t) => {
  const { server, issuer, open } = await scene(t);
  server.onWatch = () => {};
  server.onVerify = () => ({
    valid: true,
    claims: { subject: "acct_1", tokenId: "j", scopes: ["read"] },
  });
  const verifier = open();
  const token = issuer.token();
  assert.equal(await verdict(verifier, token, { policy: "refuse" }), "CHECK_UNAVAILABLE");
  assert.equal(await verdict(verifier, token, { policy: "accept" }), "CHECK_UNAVAILABLE");
  const claims = await verifier.verify(token, { scopes: ["read"] });
  assert.equal(claims.subject, "acct_1");
  assert.equal(await verdict(verifier, token, { scopes: ["write"] }), "SCOPE_MISSING");
});

test("a fresh verifier never asks about an unknown key", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  issuer.rotateKey();
  assert.equal(await verdict(verifier, issuer.token()), "KEY_UNKNOWN");
  assert.equal(server.questions.length, 0);
});

test("a revision that is not reached is like staleness", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  const minRevision = "rev_000000010000000000000001";
  const token = issuer.token();
  assert.equal(await verdict(verifier, token, { minRevision }), "VALID");
  assert.equal(server.questions[0].minRevision, minRevision);
  for (const policy of ["refuse", "accept"]) {
    assert.equal(await verdict(verifier, token, { minRevision, policy }), "CHECK_UNAVAILABLE");
  }
  server.latest.delta(0, 1);
  await verifier.waitFor(minRevision, 5000);
  assert.equal(await verdict(verifier, token, { minRevision }), "VALID");
  assert.equal(server.questions.length, 1);
  await assert.rejects(verifier.verify(token, { minRevision: "soon" }), TypeError);
});

test("no answer in time is no verdict", async (t) => {
  const { server, issuer, verifier } = await staleScene(t, { askTimeoutMs: 50 });
  server.onVerify = () => new Promise(() => {});
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
  assert.equal(verifier.stats().asks.failed, 1);
});

test("a bearer token that never comes is no verdict either", async (t) => {
  let hangs = false;
  const bearerToken = () => hangs ? new Promise(() => {}) : "t";
  const { issuer, verifier } = await staleScene(t, { askTimeoutMs: 50, bearerToken });
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
  hangs = true;
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
});

test("a revocation that arrives while the server is asked counts", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  let answer;
  server.onVerify = () => new Promise((resolve) => { answer = resolve; });
  const check = verdict(verifier, issuer.token({ tokenId: "jti_1" }));
  await eventually(() => answer);
  server.latest.delta(0, 1, [entry("tokenId", "jti_1")]);
  await verifier.waitFor("rev_000000010000000000000001", 5000);
  answer({ valid: true });
  assert.equal(await check, "TOKEN_REVOKED");
});

test("at most sixteen ask at once", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  const answers = [];
  server.onVerify = () => new Promise((resolve) => answers.push(resolve));
  const checks = Array.from({ length: 20 }, () => verdict(verifier, issuer.token()));
  assert.equal(verifier.stats().asks.dropped, 4);
  await eventually(() => answers.length === 16);
  for (const answer of answers) answer({ valid: true });
  const verdicts = await Promise.all(checks);
  assert.equal(verdicts.filter((one) => one === "VALID").length, 16);
  assert.equal(verdicts.filter((one) => one === "CHECK_UNAVAILABLE").length, 4);
  server.onVerify = () => ({ valid: true });
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
});

test("five failures open the breaker and nobody asks", async (t) => {
  const { server, issuer, verifier } = await staleScene(t);
  server.onVerify = () => { throw { code: Code.UNAVAILABLE }; };
  for (let i = 0; i < 8; i++) {
    assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
  }
  assert.equal(server.questions.length, 5);
  assert.equal(verifier.stats().breakerOpen, true);
  assert.equal(verifier.stats().asks.dropped, 3);
});

test("the breaker lets one probe through and opens for longer", () => {
  const clock = new FakeClock();
  const breaker = new Breaker(clock, () => 0);
  for (let i = 0; i < 4; i++) assert.equal(breaker.failed(), false);
  assert.equal(breaker.failed(), true);
  clock.advance(999);
  assert.equal(breaker.admits(), false);
  clock.advance(1);
  assert.equal(breaker.admits(), true);
  assert.equal(breaker.admits(), false);
  breaker.failed();
  clock.advance(1999);
  assert.equal(breaker.admits(), false);
  clock.advance(1);
  assert.equal(breaker.admits(), true);
  breaker.succeeded();
  assert.equal(breaker.isOpen, false);
  assert.equal(breaker.admits(), true);
});

test("the breaker opens for 30 s at most, and a fifth of jitter", () => {
  const clock = new FakeClock();
  const breaker = new Breaker(clock, () => 1);
  for (let i = 0; i < 5; i++) breaker.failed();
  for (let i = 0; i < 10; i++) {
    clock.advance(36_000);
    assert.equal(breaker.admits(), true);
    breaker.failed();
  }
  clock.advance(35_999);
  assert.equal(breaker.admits(), false);
});

test("asks that failed after the breaker opened do not open it for longer", () => {
  const clock = new FakeClock();
  const breaker = new Breaker(clock, () => 0);
  for (let i = 0; i < 16; i++) breaker.failed();
  clock.advance(1000);
  assert.equal(breaker.admits(), true);
});
