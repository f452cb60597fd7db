import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import { WatchResponseSchema } from "../dist/esm/gen/ostiary/v1/revocation_service_pb.js";
import { Knowledge } from "../dist/esm/knowledge.js";
import { formatRevision, parseRevision } from "../dist/esm/revision.js";
import { TestIssuer } from "../dist/esm/testing.js";
import { entry } from "./support/fake_server.mjs";
import { FakeClock, verdict } from "./support/scene.mjs";

function stage() {
  const clock = new FakeClock();
  const knowledge = new Knowledge(clock);
  const apply = (kind, value) => knowledge.apply(
    create(WatchResponseSchema, { frame: { case: kind, value } }));
  const snapshot = (more = {}) => apply("snapshot", {
    epoch: 1, sequence: 0n, last: true, asOf: timestampFromMs(clock.wallMs), ...more,
  });
  const heartbeat = (asOfMs) => apply("heartbeat", {
    epoch: 1, sequence: 0n, asOf: timestampFromMs(asOfMs),
  });
  return { clock, knowledge, apply, snapshot, heartbeat };
}

test("staleness is infinite before the first complete snapshot", () => {
  const { knowledge, snapshot } = stage();
  assert.equal(knowledge.staleness(), Infinity);
  snapshot({ last: false });
  assert.equal(knowledge.staleness(), Infinity);
  snapshot();
  assert.equal(knowledge.staleness(), 0);
});

test("staleness is what either clock says, the larger", () => {
  const { clock, knowledge, snapshot } = stage();
  snapshot();
  clock.wallMs += 7000; // asleep, perhaps
  assert.equal(knowledge.staleness(), 7000);
  clock.wallMs -= 60_000; // set back
  clock.monotonicMs += 3000;
  assert.equal(knowledge.staleness(), 3000);
});

test("a frame that was long on its way does not make the knowledge fresh", () => {
  const { clock, knowledge, snapshot, heartbeat } = stage();
  snapshot();
  clock.advance(8000);
  heartbeat(clock.wallMs - 6000);
  assert.equal(knowledge.staleness(), 6000);
});

test("as_of never moves back, and a repeat of it is not fresher", () => {
  const { clock, knowledge, snapshot, heartbeat } = stage();
  const first = clock.wallMs;
  snapshot();
  clock.monotonicMs += 5000;
  heartbeat(first);
  heartbeat(first - 1000);
  assert.equal(knowledge.asOf, first);
  assert.equal(knowledge.staleness(), 5000);
});

test("an entry is forgotten when both clocks say so, a key never", () => {
  const { clock, knowledge, snapshot, heartbeat } = stage();
  const soon = clock.wallMs + 60_000;
  snapshot({ entries: [
    entry("tokenId", "t", soon), entry("sessionId", "s", soon),
    entry("account", { accountId: "a", minGeneration: 2n }, soon),
    entry("client", { clientId: "c", issuedBefore: timestampFromMs(1) }, soon),
    entry("all", { issuedBefore: timestampFromMs(1) }, soon),
    entry("keyId", "k", soon), entry("tokenId", "for ever"),
  ] });
  assert.equal(knowledge.revocations.size, 7);
  clock.advance(130_000);
  heartbeat(soon - 1); // the server's time is behind
  assert.equal(knowledge.revocations.size, 7);
  clock.advance(130_000);
  heartbeat(clock.wallMs);
  assert.equal(knowledge.revocations.size, 2);
});

test("revisions have one form", () => {
  const text = "rev_0000002a00000000000000ff";
  assert.deepEqual(parseRevision(text), { epoch: 42, sequence: 255n });
  assert.equal(formatRevision({ epoch: 42, sequence: 255n }), text);
  for (const bad of ["", "rev_", text + "0", text.toUpperCase(), text.slice(1)]) {
    assert.equal(parseRevision(bad), undefined);
  }
});

// Every kind of entry, through a verifier that is always fresh.

test("an account's tokens below the generation are refused, and those without", async () => {
  const issuer = new TestIssuer();
  const verifier = issuer.verifier();
  const before = issuer.token({ subject: "acct_1" });
  const without = issuer.token({ subject: "acct_1", claims: { gen: undefined } });
  const other = issuer.token({ subject: "acct_2" });
  issuer.revokeAccount("acct_1");
  assert.equal(await verdict(verifier, before), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, without), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, other), "VALID");
  assert.equal(await verdict(verifier, issuer.token({ subject: "acct_1" })), "VALID");
});

test("generations are compared exactly beyond 2^53", async () => {
  const issuer = new TestIssuer();
  const verifier = issuer.verifier();
  const { knowledge } = verifier;
  knowledge.revocations.merge({ target: {
    case: "account", value: { accountId: "acct_1", minGeneration: 2n ** 53n + 1n },
  } });
  const of = (generation) => issuer.token({ subject: "acct_1", generation });
  assert.equal(await verdict(verifier, of(2n ** 53n)), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, of(2n ** 53n + 1n)), "VALID");
});

test("a client's tokens up to the time are refused, later ones are good", async () => {
  const clock = new FakeClock();
  const issuer = new TestIssuer({ clock });
  const verifier = issuer.verifier();
  const before = issuer.token({ clientId: "cli_1" });
  issuer.revokeClient("cli_1");
  assert.equal(await verdict(verifier, before), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, issuer.token({ clientId: "cli_2" })), "VALID");
  clock.advance(1000);
  assert.equal(await verdict(verifier, issuer.token({ clientId: "cli_1" })), "VALID");
  assert.equal(await verdict(verifier, before), "TOKEN_REVOKED");
});

test("everything up to a time can be refused", async () => {
  const clock = new FakeClock();
  const issuer = new TestIssuer({ clock });
  const verifier = issuer.verifier();
  const token = issuer.token();
  verifier.knowledge.revocations.merge({ target: {
    case: "all", value: { issuedBefore: timestampFromMs(clock.wallMs) },
  } });
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  clock.advance(1000);
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
});

test("of two entries for one target the higher limit counts", async () => {
  const { knowledge, snapshot } = stage();
  const of = (minGeneration, forgetMs) =>
    entry("account", { accountId: "a", minGeneration }, forgetMs);
  snapshot({ entries: [of(5n, 1e15), of(3n, 2e15), of(4n, 1e14)] });
  assert.deepEqual(knowledge.revocations.exact().accounts, [["a", "5", 2e15]]);
});

test("a revoked key takes its tokens with it, cached or not", async () => {
  const issuer = new TestIssuer();
  const verifier = issuer.verifier();
  const token = issuer.token();
  assert.equal(await verdict(verifier, token), "VALID");
  issuer.revokeKey(issuer.keyId);
  assert.equal(await verdict(verifier, token), "TOKEN_REVOKED");
  assert.equal(await verdict(verifier, issuer.token()), "TOKEN_REVOKED");
  issuer.rotateKey();
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
});
