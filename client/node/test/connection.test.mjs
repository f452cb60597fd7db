import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ServerCredentials } from "@grpc/grpc-js";

import { Verifier } from "../dist/esm/index.js";
import { TestIssuer } from "../dist/esm/testing.js";
import { FakeServer } from "./support/fake_server.mjs";
import { ISSUER, QUIET, verdict } from "./support/scene.mjs";

function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), "ostiary-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

// A root and certificates of 127.0.0.1 that it has signed.
function certificates(folder) {
  const run = (...args) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "ignore"] });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("req", "-x509", ...ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
    "-subj", "/CN=root");
  writeFileSync(join(folder, "san"), "subjectAltName=IP:127.0.0.1\n");
  for (const name of ["server", "client"]) {
    run("req", ...ec, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    run("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key",
      "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", `${name}.pem`);
  }
  return (name) => readFileSync(join(folder, name));
}

async function served(t, address, credentials) {
  const server = await FakeServer.start(address, credentials);
  t.after(() => server.stop());
  const issuer = new TestIssuer({ issuer: ISSUER });
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys).snapshot();
  const connect = (options) => Verifier.connect({
    target: server.target, issuer: ISSUER, logger: QUIET, ...options });
  return { issuer, connect };
}

test("a Unix socket serves as well", async (t) => {
  const target = `unix:${join(folderFor(t), "s")}`;
  const { issuer, connect } = await served(t, target);
  const verifier = await connect({ target });
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
  await verifier.close();
});

test("TLS with a root of one's own and a client certificate", async (t) => {
  const pem = certificates(folderFor(t));
  const { issuer, connect } = await served(t, "127.0.0.1:0", ServerCredentials.createSsl(
    pem("ca.pem"), [{ private_key: pem("server.key"), cert_chain: pem("server.pem") }], true));
  const tls = {
    rootCertificates: pem("ca.pem").toString(),
    certificateChain: pem("client.pem"),
    privateKey: pem("client.key"),
  };
  const verifier = await connect({ tls });
  assert.equal(await verdict(verifier, issuer.token()), "VALID");
  await verifier.close();
  const { rootCertificates } = tls;
  for (const other of [{ tls: { rootCertificates } }, { tls: true }, {}]) {
    await assert.rejects(connect({ ...other, connectTimeoutMs: 400 }), { reason: "TIMEOUT" });
  }
});
