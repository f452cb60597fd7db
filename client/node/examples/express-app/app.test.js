// The app's protected routes, tested without a server: the test issuer makes
// tokens that the app's verifier accepts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { TestIssuer } from "ostiary/testing";

import { notesApp } from "./app.js";

async function running(t) {
  const issuer = new TestIssuer();
  const server = notesApp(issuer.verifier()).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const call = async (token, method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text && JSON.parse(text) };
  };
  return { issuer, call };
}

test("everybody has notes of their own", async (t) => {
  const { issuer, call } = await running(t);
  const ada = issuer.token({ subject: "acct_ada" });
  const bob = issuer.token({ subject: "acct_bob" });
  const { body: note } = await call(ada, "POST", "/notes", { text: "hello" });
  assert.deepEqual((await call(ada, "GET", "/notes")).body, [note]);
  assert.deepEqual((await call(bob, "GET", "/notes")).body, []);
  assert.equal((await call(bob, "DELETE", `/notes/${note.id}`)).status, 403);
  assert.equal((await call(ada, "DELETE", `/notes/${note.id}`)).status, 204);
});

test("only admins see all notes", async (t) => {
  const { issuer, call } = await running(t);
  const admin = issuer.token({ roles: ["admin"] });
  assert.equal((await call(admin, "GET", "/admin/notes")).status, 200);
  assert.equal((await call(issuer.token(), "GET", "/admin/notes")).status, 403);
});

test("a session that has ended is out with its next request", async (t) => {
  const { issuer, call } = await running(t);
  const token = issuer.token({ sessionId: "sess_1" });
  assert.equal((await call(token, "GET", "/me")).status, 200);
  issuer.revokeSession("sess_1");
  const { status, body } = await call(token, "GET", "/me");
  assert.equal(status, 401);
  assert.equal(body.reason, "TOKEN_REVOKED");
});
