import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import { Metadata, status as Code } from "@grpc/grpc-js";

import { ErrorInfoSchema, RetryInfoSchema } from "../dist/esm/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../dist/esm/gen/google/rpc/status_pb.js";
import { SignInRequiredError, TokenClient } from "../dist/esm/index.js";
import { eventually, FakeServer } from "./support/fake_server.mjs";
import { FakeClock } from "./support/scene.mjs";

function refusal(code, reason, retryMs) {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "ostiary" }))];
  if (retryMs !== undefined) {
    details.push(anyPack(RetryInfoSchema,
      create(RetryInfoSchema, { retryDelay: durationFromMs(retryMs) })));
  }
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin",
    Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code, details }))));
  return Object.assign(new Error(reason), { code, metadata, details: reason });
}

function pair(n, lifetimeMs = 900_000) {
  return { tokens: {
    accessToken: `at${n}`, refreshToken: `ort_${n}`, sessionId: "sess_1", scope: "a",
    expiresIn: durationFromMs(lifetimeMs),
  } };
}

async function signedIn(t, options = {}, lifetimeMs) {
  const server = await FakeServer.start();
  t.after(() => server.stop());
  server.onSignIn = () => pair(0, lifetimeMs);
  server.onRefresh = (request) => pair(Number(request.refreshToken.slice(4)) + 1);
  const clock = new FakeClock();
  const session = await TokenClient.signIn(
    { target: server.target, clock, random: () => 0, ...options },
    { identifier: "ada", password: "p" });
  t.after(() => session.close());
  return { server, clock, session };
}

test("a token that has life left is handed out without a call", async (t) => {
  const { server, session, clock } = await signedIn(t);
  assert.equal(await session.accessToken(), "at0");
  clock.advance(894_000);
  assert.equal(await session.accessToken(), "at0");
  assert.equal(server.refreshes.length, 0);
});

test("however many ask, one refresh is under way and both tokens change", async (t) => {
  const kept = [];
  const { server, session, clock } = await signedIn(t, { onTokens: (one) => kept.push(one) });
  clock.advance(896_000);
  const tokens = await Promise.all(Array.from({ length: 9 }, () => session.accessToken()));
  assert.deepEqual(new Set(tokens), new Set(["at1"]));
  assert.equal(server.refreshes.length, 1);
  assert.equal(session.tokens.refreshToken, "ort_1");
  assert.deepEqual(kept.map((one) => one.refreshToken), ["ort_0", "ort_1"]);
});

test("a lost answer is asked for again with the same token and request id", async (t) => {
  const { server, session } = await signedIn(t);
  server.onRefresh = (request, n) => {
    if (n < 3) throw { code: Code.UNAVAILABLE };
    return pair(1);
  };
  await session.refresh();
  const ids = server.refreshes.map((one) => `${one.refreshToken} ${one.requestId}`);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1);
  assert.match(server.refreshes[0].requestId, /^[\w-]{32}$/);
  await session.refresh();
  assert.notEqual(server.refreshes[3].requestId, server.refreshes[0].requestId);
  assert.equal(server.refreshes[3].refreshToken, "ort_1");
});

test("a refresh given up is taken up again with the same request id", async (t) => {
  const { server, session } = await signedIn(t);
  server.onRefresh = () => { throw { code: Code.UNAVAILABLE }; };
  await assert.rejects(session.refresh(), { reason: "UNAVAILABLE", isTransient: true });
  assert.equal(server.refreshes.length, 5);
  server.onRefresh = () => pair(1);
  await session.refresh();
  assert.equal(new Set(server.refreshes.map((one) => one.requestId)).size, 1);
});

test("a rejected refresh ends the session", async (t) => {
  const { server, session } = await signedIn(t);
  server.onRefresh = () => { throw refusal(Code.UNAUTHENTICATED, "REFRESH_REJECTED"); };
  await assert.rejects(session.refresh(), SignInRequiredError);
  await assert.rejects(session.accessToken(), SignInRequiredError);
  await assert.rejects(session.refresh(), SignInRequiredError);
  assert.equal(server.refreshes.length, 1);
});

test("another refusal is told and not tried again", async (t) => {
  const { server, session } = await signedIn(t);
  server.onRefresh = () => { throw refusal(Code.INVALID_ARGUMENT, "ARGUMENT_INVALID"); };
  await assert.rejects(session.refresh(), { reason: "ARGUMENT_INVALID" });
  assert.equal(server.refreshes.length, 1);
});

test("a server that asks for patience gets it", async (t) => {
  const { server, session } = await signedIn(t);
  server.onRefresh = (request, n) => {
    if (n === 1) throw refusal(Code.RESOURCE_EXHAUSTED, "OVERLOADED", 150);
    return pair(1);
  };
  const start = performance.now();
  await session.refresh();
  assert.ok(performance.now() - start >= 145);
});

test("it refreshes by itself between 60 and 85 percent of the lifetime", async (t) => {
  const asked = [];
  const realTimeout = globalThis.setTimeout;
  const spy = mock.method(globalThis, "setTimeout", (action, ms, ...rest) => {
    asked.push(ms);
    return realTimeout(action, ms, ...rest);
  });
  t.after(() => spy.mock.restore());
  for (const [random, share] of [[0, 0.6], [1, 0.85], [0.5, 0.725]]) {
    await signedIn(t, { random: () => random }, 100_000);
    assert.ok(asked.some((ms) => Math.abs(ms - share * 100_000) < 0.01), `${share}`);
  }
});

test("the refresh of its own accord happens", async (t) => {
  const { server, session } = await signedIn(t, {}, 50);
  await eventually(() => server.refreshes.length === 1 && session.tokens.accessToken === "at1");
});

test("a wrong password is told by its reason", async (t) => {
  const server = await FakeServer.start();
  t.after(() => server.stop());
  server.onSignIn = () => { throw refusal(Code.UNAUTHENTICATED, "CREDENTIALS_REJECTED"); };
  await assert.rejects(
    TokenClient.signIn({ target: server.target }, { identifier: "a", password: "b" }),
    { reason: "CREDENTIALS_REJECTED", isTransient: false });
});

test("a session is resumed from its refresh token, and signed out", async (t) => {
  const { server } = await signedIn(t);
  server.onSignOut = (request) => ({ revision: `rev of ${request.refreshToken}` });
  const session = TokenClient.resume({ target: server.target }, "ort_4");
  assert.equal(await session.accessToken(), "at5");
  assert.equal(await session.signOut(), "rev of ort_5");
  await assert.rejects(session.accessToken(), SignInRequiredError);
});
