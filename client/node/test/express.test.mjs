import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import express from "express";

import { CheckUnavailableError } from "../dist/esm/index.js";
import { requireToken } from "../dist/esm/express.js";
import { TestIssuer } from "../dist/esm/testing.js";

async function app(t, requirement, change = (verifier) => verifier) {
  const issuer = new TestIssuer();
  const verifier = change(issuer.verifier());
  const app = express();
  app.get("/", requireToken(verifier, requirement), (request, response) =>
    response.json({ subject: request.claims.subject }));
  app.use((error, request, response, next) => response.status(500).json({ error: error.message }));
  const server = app.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/`;
  const get = (authorization) =>
    fetch(url, { headers: authorization === undefined ? {} : { authorization } });
  return { issuer, verifier, get, server };
}

test("a good token passes and its claims are on the request", async (t) => {
  const { issuer, get } = await app(t, { scopes: ["read"] });
  const token = issuer.token({ subject: "acct_ada", scopes: ["read"] });
  for (const scheme of ["Bearer ", "bearer ", "BEARER  "]) {
    const response = await get(scheme + token);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { subject: "acct_ada" });
  }
});

test("a revoked token is 401 with the next request", async (t) => {
  const { issuer, get } = await app(t);
  const token = issuer.token();
  assert.equal((await get(`Bearer ${token}`)).status, 200);
  issuer.revokeToken(token);
  const response = await get(`Bearer ${token}`);
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"),
    'Bearer error="invalid_token", error_description="TOKEN_REVOKED"');
  assert.deepEqual(await response.json(), { error: "invalid_token", reason: "TOKEN_REVOKED" });
});

test("no token is 401 without an error code", async (t) => {
  const { get } = await app(t);
  for (const header of [undefined, "Basic YTpi", "Bearer", "Bearer a b"]) {
    const response = await get(header);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
  }
});

test("a lack of authority is 403 and says which scope", async (t) => {
  const { issuer, get } = await app(t, { scopes: ["read", "write"], roles: ["admin"] });
  const few = await get(`Bearer ${issuer.token({ scopes: ["read"] })}`);
  assert.equal(few.status, 403);
  assert.equal(few.headers.get("www-authenticate"),
    'Bearer error="insufficient_scope", scope="read write"');
  const role = await get(`Bearer ${issuer.token({ scopes: ["read", "write"] })}`);
  assert.equal((await role.json()).reason, "ROLE_MISSING");
});

test("nobody knows is 503, never 401", async (t) => {
  const { issuer, get } = await app(t, {}, () => ({
    verify: async () => { throw new CheckUnavailableError("as the test wants"); },
  }));
  const response = await get(`Bearer ${issuer.token()}`);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal(response.headers.get("www-authenticate"), null);
});

test("two authorization headers are refused", async (t) => {
  const { issuer, server } = await app(t);
  const request = http.request({ port: server.address().port, host: "127.0.0.1" });
  request.setHeader("authorization", [`Bearer ${issuer.token()}`, "Bearer x"]);
  request.end();
  const [response] = await once(request, "response");
  response.resume();
  assert.equal(response.statusCode, 400);
});

test("any other error is the application's to handle", async (t) => {
  const { get } = await app(t, {}, () => ({
    verify: async () => { throw new Error("broken"); },
  }));
  const response = await get("Bearer x");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error: "broken" });
});

test("a requirement that is none is refused when the route is made", () => {
  assert.throws(() => requireToken(new TestIssuer().verifier(), { roles: "admin" }), TypeError);
});
