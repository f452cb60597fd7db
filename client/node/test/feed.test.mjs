import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";

import { pauseBeforeRetry } from "../dist/esm/feed.js";
import { entry, eventually, now } from "./support/fake_server.mjs";
import { Log, scene, verdict } from "./support/scene.mjs";

test("a token is good until its revocation arrives, then it is refused", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  const token = issuer.token({ tokenId: "jti_1" });
  assert.equal(await verdict(verifier, token), "VALID");
  server.latest.delta(0, 1, [entry("tokenId", "jti_1")]);
  await verifier.waitFor("rev_000000010000000000000001", 5000);
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  assert.equal(server.questions.length, 0);
});

test("the first Watch asks for a compact snapshot from the beginning", async (t) => {
  const { server, open } = await scene(t);
  await open().ready(5000);
  assert.equal(server.latest.call.request.cursor, "");
  assert.equal(server.latest.call.request.compact, true);
});

test("a stream that ends is resumed from the last cursor", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  server.latest.delta(0, 7);
  await verifier.waitFor("rev_000000010000000000000007", 5000);
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys)
    .delta(7, 8, [entry("sessionId", "sess_1")]);
  server.latest.fail(Code.UNAVAILABLE);
  await verifier.waitFor("rev_000000010000000000000008", 5000);
  assert.equal(server.latest.cursor, "c7");
  assert.equal(verifier.stats().reconnects, 1);
  const token = issuer.token({ sessionId: "sess_1" });
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
});

test("a gap abandons the stream, applies nothing of it and resumes", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  const token = issuer.token({ tokenId: "jti_late" });
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys);
  server.latest.delta(4, 5, [entry("tokenId", "jti_late")]);
  await eventually(() => server.watchers.length === 2);
  assert.equal(server.latest.cursor, "c0");
  assert.equal(verifier.stats().position.sequence, 0n);
  assert.equal(await verdict(verifier, token), "VALID");
});

test("a delta of another epoch abandons the stream", async (t) => {
  const { server, open } = await scene(t);
  await open().ready(5000);
  server.latest.delta(0, 1, [], { epoch: 2 });
  await eventually(() => server.watchers.length === 2);
  assert.equal(server.latest.cursor, "c0");
});

test("a delta before any snapshot abandons the stream", async (t) => {
  const { server, open } = await scene(t);
  server.onWatch = (watcher, n) => n === 1 ? watcher.delta(0, 1) : undefined;
  const verifier = open();
  await eventually(() => server.watchers.length === 2);
  assert.equal(verifier.stats().position, undefined);
});

test("a delta that comes twice is ignored", async (t) => {
  const { server, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  server.latest.delta(0, 1).delta(0, 1).delta(1, 3).delta(1, 2).delta(3, 4);
  await verifier.waitFor("rev_000000010000000000000004", 5000);
  assert.equal(server.watchers.length, 1);
});

test("a snapshot moves the position only at its last part, and is merged", async (t) => {
  const { server, issuer, open } = await scene(t);
  server.onWatch = (watcher, n) => {
    watcher.keys(...issuer.jwks().keys);
    if (n > 1) return watcher.snapshot({ sequence: 9n, cursor: "c9" });
    watcher.snapshot({ last: false, sequence: 8n, entries: [entry("tokenId", "jti_1")] });
    return setTimeout(() => watcher.fail(Code.UNAVAILABLE), 20);
  };
  const verifier = open({ policy: "accept" });
  const token = issuer.token({ tokenId: "jti_1" });
  await eventually(() => verifier.stats().entries === 1);
  assert.equal(verifier.stats().position, undefined);
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
  await verifier.ready(5000);
  assert.equal(server.latest.cursor, "");
  assert.equal(verifier.stats().position.sequence, 9n);
  // What the broken snapshot brought is never un-revoked.
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
});

test("a new epoch is merged: nothing is un-revoked", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  const token = issuer.token({ tokenId: "jti_1" });
  server.latest.delta(0, 5, [entry("tokenId", "jti_1")]);
  await verifier.waitFor("rev_000000010000000000000005", 5000);
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys)
    .snapshot({ epoch: 2, sequence: 3n, cursor: "e2" });
  server.latest.fail(Code.UNAVAILABLE);
  await verifier.waitFor("rev_000000020000000000000003", 5000);
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  // Reached in its epoch; another was not, and never will be.
  await verifier.waitFor("rev_000000010000000000000005", 1);
  await assert.rejects(verifier.waitFor("rev_000000010000000000000006", 5000),
    { reason: "REVISION_LOST" });
});

test("a wait has an end", async (t) => {
  const { open } = await scene(t);
  const verifier = open();
  await assert.rejects(verifier.waitFor("rev_000000010000000000000001", 20),
    { reason: "TIMEOUT" });
  await assert.rejects(verifier.waitFor("rev_1", 20), TypeError);
});

test("a heartbeat counts only if it speaks of the own position", async (t) => {
  const { server, issuer, open } = await scene(t);
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys)
    .snapshot({ asOf: now(-60_000) });
  const verifier = open();
  await eventually(() => verifier.stats().position !== undefined);
  server.latest.heartbeat(1).heartbeat(0, { epoch: 2 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(verifier.stats().stalenessSeconds > 59);
  server.latest.heartbeat(0);
  await verifier.ready(5000);
  assert.equal(server.watchers.length, 1);
});

test("a silent stream is cancelled and opened again on a new connection", async (t) => {
  const { server, open } = await scene(t);
  const verifier = open({ silenceMs: 100 });
  await verifier.ready(5000);
  const first = server.latest;
  await eventually(() => server.watchers.length >= 2);
  await eventually(() => first.ended, "the cancellation");
  assert.notEqual(server.watchers[0].call.getPeer(), server.watchers[1].call.getPeer());
});

test("a stream that speaks is left alone", async (t) => {
  const { server, open } = await scene(t);
  const verifier = open({ silenceMs: 150 });
  await verifier.ready(5000);
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    server.latest.heartbeat(0);
  }
  assert.equal(server.watchers.length, 1);
});

test("a server that is away is tried until it comes", async (t) => {
  const { server, issuer, open } = await scene(t);
  const { port } = server;
  server.stop();
  const verifier = open();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(verifier.stats().connected, false);
  await server.listen(`127.0.0.1:${port}`);
  await verifier.ready(5000);
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
});

test("a server that refuses the caller is complained about loudly", async (t) => {
  const { server, open } = await scene(t);
  server.onWatch = (watcher) => watcher.fail(Code.PERMISSION_DENIED);
  const logger = new Log();
  open({ logger });
  await eventually(() => logger.errors.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(server.watchers.length, 1);
});

test("a new key set replaces the keys and takes their tokens along", async (t) => {
  const { server, issuer, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  const old = issuer.token();
  assert.equal(await verdict(verifier, old), "VALID");
  issuer.rotateKey();
  const token = issuer.token();
  assert.equal(await verdict(verifier, token), "KEY_UNKNOWN");
  server.latest.keys(issuer.jwks().keys[1]);
  await eventually(() => {
    try { return verifier.verifyLocal(token) && true; } catch { return false; }
  });
  assert.equal(await verdict(verifier, old), "KEY_UNKNOWN");
});

test("an entry of a kind that is not known is not passed over", async (t) => {
  const { server, open } = await scene(t);
  const verifier = open();
  await verifier.ready(5000);
  server.latest.delta(0, 1, [{}]);
  await eventually(() => server.watchers.length === 2);
  assert.equal(verifier.stats().position.sequence, 0n);
});

test("a bearer token is sent and asked for anew with every stream", async (t) => {
  const { server, open } = await scene(t);
  let n = 0;
  const verifier = open({ bearerToken: async () => `t${++n}` });
  await verifier.ready(5000);
  server.latest.fail(Code.UNAVAILABLE);
  await eventually(() => server.watchers.length === 2);
  assert.deepEqual(server.watchers.map((w) => w.metadata.get("authorization")[0]),
    ["Bearer t1", "Bearer t2"]);
});

test("connect gives up and closes if no server is there", async (t) => {
  const { server } = await scene(t);
  const { Verifier } = await import("../dist/esm/index.js");
  server.stop();
  await assert.rejects(Verifier.connect({
    target: server.target, issuer: "i", connectTimeoutMs: 50,
    logger: { warn() {}, error() {} },
  }), { reason: "TIMEOUT" });
});

test("pauses between tries grow, are random and have an end", () => {
  assert.equal(pauseBeforeRetry(0, 0.5), 50);
  assert.equal(pauseBeforeRetry(3, 0.5), 400);
  assert.equal(pauseBeforeRetry(40, 1), 10_000);
  assert.equal(pauseBeforeRetry(40, 0), 0);
});
