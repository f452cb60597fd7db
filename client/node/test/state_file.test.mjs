import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync,
  writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import { entry, eventually, now } from "./support/fake_server.mjs";
import { Log, scene, verdict } from "./support/scene.mjs";

async function written(t) {
  const folder = mkdtempSync(join(tmpdir(), "ostiary-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const stateFile = join(folder, "state");
  const all = await scene(t, { stateFile, policy: "refuse" });
  const { issuer, server, open } = all;
  const live = Date.now() + 3_600_000;
  const verifier = open();
  await verifier.ready(5000);
  server.latest.delta(0, 3, [
    entry("tokenId", "jti_1", live), entry("keyId", "kid_1"),
    entry("account", { accountId: "acct_1", minGeneration: 2n }, live),
    entry("client", { clientId: "cli_1", issuedBefore: now() }, live),
    entry("all", { issuedBefore: timestampFromMs(1000) }, live),
    entry("sessionId", "sess_1"),
  ]);
  await verifier.waitFor("rev_000000010000000000000003", 5000);
  await verifier.close();
  server.onWatch = () => {}; // from now on the server says nothing
  return { ...all, stateFile, folder };
}

test("what was known is known again after a restart", async (t) => {
  const { issuer, server, open } = await written(t);
  const verifier = open();
  assert.equal(verifier.stats().entries, 6);
  assert.ok(verifier.stats().stalenessSeconds < 10);
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
  for (const says of [{ tokenId: "jti_1" }, { sessionId: "sess_1" },
    { subject: "acct_1" }, { clientId: "cli_1" }]) {
    assert.equal(await verdict(verifier, issuer.token(says)), "TOKEN_REVOKED");
  }
  await eventually(() => server.watchers.length === 2);
  assert.equal(server.latest.cursor, "c3");
  await verifier.waitFor("rev_000000010000000000000003", 10);
});

test("an old file is stale until the stream has caught up", async (t) => {
  const { issuer, open } = await written(t);
  const clock = { wall: () => Date.now() + 60_000, monotonic: () => performance.now() };
  const verifier = open({ clock });
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
  assert.equal(await verdict(verifier, issuer.token(), { policy: "accept" }), "VALID");
});

test("a file from the future does not pass for fresh", async (t) => {
  const { issuer, open } = await written(t);
  const clock = { wall: () => Date.now() - 60_000, monotonic: () => performance.now() };
  const verifier = open({ clock, leewayMs: 120_000 });
  assert.equal(await verdict(verifier, issuer.token()), "CHECK_UNAVAILABLE");
  assert.equal(await verdict(verifier, issuer.token({ tokenId: "jti_1" })), "TOKEN_REVOKED");
});

test("the file is readable by its owner alone and nothing is left beside it", async (t) => {
  const { stateFile, folder } = await written(t);
  assert.equal(statSync(stateFile).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ["state"]);
});

async function ignored(t, spoil, options = {}) {
  const { stateFile, open } = await written(t);
  spoil(stateFile);
  const logger = new Log();
  const verifier = open({ logger, ...options });
  assert.equal(verifier.stats().position, undefined);
  assert.equal(verifier.stats().entries, 0);
  assert.match(logger.warnings[0], /ignored/);
}

test("a file with one wrong byte is ignored", (t) => ignored(t, (path) => {
  const bytes = readFileSync(path);
  bytes[bytes.length - 3] ^= 1;
  writeFileSync(path, bytes);
}));

test("a file that was cut off is ignored", (t) => ignored(t, (path) =>
  writeFileSync(path, readFileSync(path).subarray(0, 300))));

test("a file of another format is ignored", (t) => ignored(t, (path) =>
  writeFileSync(path, "{}")));

test("a file of another issuer is ignored", (t) =>
  ignored(t, () => {}, { issuer: "https://other.test" }));

test("a file that others may write is ignored: it says whom to trust", (t) =>
  ignored(t, (path) => chmodSync(path, 0o666)));

test("a file that cannot be written is a warning, not an end", async (t) => {
  const logger = new Log();
  const { open } = await scene(t, { stateFile: "/nowhere/at/all", logger });
  const verifier = open();
  await verifier.ready(5000);
  await verifier.close();
  assert.match(logger.warnings.join(), /not written/);
});
