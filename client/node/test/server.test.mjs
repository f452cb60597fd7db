// Against a real server; needs OSTIARY_BIN_DIR.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";

import { SignInRequiredError, TokenClient, Verifier } from "../dist/esm/index.js";
import { eventually } from "./support/fake_server.mjs";
import { Ostiaryd } from "./support/ostiaryd.mjs";
import { QUIET, verdict } from "./support/scene.mjs";

const programs = process.env.OSTIARY_BIN_DIR;
const skip = programs ? false : "OSTIARY_BIN_DIR is not set: no real server";

async function house(t) {
  const server = await Ostiaryd.start(t, programs);
  const password = randomBytes(12).toString("hex");
  await server.call("AuthService/SignUp", { username: "ada", password });
  const verifier = await Verifier.connect({
    target: server.target, issuer: server.issuer, logger: QUIET,
    stateFile: join(server.folder, "state"),
  });
  t.after(() => verifier.close());
  const session = await TokenClient.signIn({ target: server.target },
    { identifier: "ada", password });
  t.after(() => session.close());
  return { server, verifier, session };
}

test("a revoked token of a real server is refused without a call", { skip }, async (t) => {
  const { server, verifier, session } = await house(t);
  const token = await session.accessToken();
  const claims = await verifier.verify(token);
  assert.match(claims.subject, /^acct_/);
  assert.equal(claims.sessionId, session.tokens.sessionId);
  const { revision } = await server.call("TokenService/Revoke", { token });
  await verifier.waitFor(revision, 5000);
  assert.equal(await verdict(verifier, token, { minRevision: revision }), "TOKEN_REVOKED");
  const { asks } = verifier.stats();
  assert.deepEqual(asks, { valid: 0, invalid: 0, failed: 0, dropped: 0 });
});

test("a session of a real server is refreshed and signed out", { skip }, async (t) => {
  const { verifier, session } = await house(t);
  const first = await session.accessToken();
  await session.refresh();
  const second = await session.accessToken();
  assert.notEqual(first, second);
  assert.equal(await verdict(verifier, second), "VALID");
  await verifier.waitFor(await session.signOut(), 5000);
  assert.equal(await verdict(verifier, second), "TOKEN_REVOKED");
});

test("a refresh token that another has used ends the session", { skip }, async (t) => {
  const { server, session } = await house(t);
  const thief = TokenClient.resume({ target: server.target }, session.tokens.refreshToken);
  t.after(() => thief.close());
  await thief.refresh();
  await thief.refresh();
  await assert.rejects(session.refresh(), SignInRequiredError);
});

test("the feed goes on after a restart of the server", { skip }, async (t) => {
  const { server, verifier, session } = await house(t);
  const token = await session.accessToken();
  const { target } = server;
  await server.stop();
  await eventually(() => !verifier.stats().connected);
  assert.equal(await verdict(verifier, token, { policy: "refuse" }), "VALID");
  await server.launch(target);
  const { revision } = await server.call("TokenService/Revoke", { token });
  await verifier.waitFor(revision, 10_000);
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
});

test("a stale verifier asks the real server and hears its verdict", { skip }, async (t) => {
  const { server, session } = await house(t);
  const token = await session.accessToken();
  const verifier = new Verifier({
    target: server.target, issuer: server.issuer, stalenessBoundMs: 0.001, logger: QUIET,
  });
  t.after(() => verifier.close());
  assert.equal(await verdict(verifier, token), "VALID");
  const { revision } = await server.call("TokenService/Revoke", { token });
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  // A lack of authority is seen here, without asking: the revocation comes
  // before it once it is known.
  await verifier.waitFor(revision, 10_000);
  assert.equal(await verdict(verifier, token, { roles: ["admin"] }), "TOKEN_REVOKED");
});
