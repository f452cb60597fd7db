import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";

import ostiary from "../dist/esm/fastify.js";
import { CheckUnavailableError } from "../dist/esm/index.js";
import { TestIssuer } from "../dist/esm/testing.js";

async function app(t, requirement, change = (verifier) => verifier) {
  const issuer = new TestIssuer();
  const app = Fastify();
  t.after(() => app.close());
  await app.register(ostiary, { verifier: change(issuer.verifier()) });
  app.get("/", { onRequest: app.requireToken(requirement) }, async (request) =>
    ({ subject: request.claims.subject }));
  app.get("/open", async (request) => ({ claims: request.claims }));
  const get = (authorization, url = "/") =>
    app.inject({ url, headers: authorization ? { authorization } : {} });
  return { issuer, get, app };
}

test("Fastify: a good token passes and its claims are on the request", async (t) => {
  const { issuer, get } = await app(t, { roles: ["admin"] });
  const response = await get(`Bearer ${issuer.token({ subject: "acct_ada", roles: ["admin"] })}`);
  assert.equal(response.statusCode, 200);
  assert.deepEqual(response.json(), { subject: "acct_ada" });
  assert.deepEqual((await get(undefined, "/open")).json(), { claims: null });
});

test("Fastify: a revoked token is 401, no token too, a missing role 403", async (t) => {
  const { issuer, get } = await app(t, { roles: ["admin"] });
  const token = issuer.token({ roles: ["admin"] });
  issuer.revokeToken(token);
  const revoked = await get(`Bearer ${token}`);
  assert.equal(revoked.statusCode, 401);
  assert.match(revoked.headers["www-authenticate"], /TOKEN_REVOKED/);
  assert.equal((await get()).statusCode, 401);
  const lacking = await get(`Bearer ${issuer.token()}`);
  assert.equal(lacking.statusCode, 403);
  assert.deepEqual(lacking.json(), { error: "insufficient_scope", reason: "ROLE_MISSING" });
});

test("Fastify: nobody knows is 503", async (t) => {
  const { get } = await app(t, {}, () => ({
    verify: async () => { throw new CheckUnavailableError("as the test wants"); },
  }));
  const response = await get("Bearer x");
  assert.equal(response.statusCode, 503);
  assert.equal(response.headers["retry-after"], "1");
});

test("Fastify: a requirement that is none is refused when the route is made", async (t) => {
  const { app: instance } = await app(t);
  assert.throws(() => instance.requireToken({ scopes: "read" }), TypeError);
});
