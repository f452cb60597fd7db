// The package as its users meet it: by name, both ways, and in a process that
// wants to end.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const run = (kind, code) => spawnSync(process.execPath,
  [`--input-type=${kind}`, "-e", code], { cwd: folder, encoding: "utf8", timeout: 20_000 });

test("it can be imported and required", async () => {
  const names = ["ostiary", "ostiary/express", "ostiary/fastify", "ostiary/testing"];
  const require = createRequire(import.meta.url);
  for (const name of names) {
    assert.deepEqual(Object.keys(await import(name)).sort(),
      Object.keys(require(name)).filter((key) => key !== "__esModule").sort(), name);
  }
  const { TestIssuer } = require("ostiary/testing");
  const issuer = new TestIssuer();
  const claims = await issuer.verifier().verify(issuer.token({ subject: "acct_1" }));
  assert.equal(claims.subject, "acct_1");
});

test("a closed verifier lets the process end", () => {
  const { status, stderr } = run("module", `
    import { Verifier } from "ostiary";
    const verifier = new Verifier({ target: "127.0.0.1:1", issuer: "i" });
    await verifier.close();
    await verifier.close();`);
  assert.equal(status, 0, stderr);
});

test("a verifier that waits for its next try lets the process end", () => {
  const { status, stderr } = run("module", `
    import { Verifier } from "ostiary";
    new Verifier({ target: "127.0.0.1:1", issuer: "i", logger: { warn() {}, error() {} } });`);
  assert.equal(status, 0, stderr);
});

test("no file in the package names a machine or a test", () => {
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"],
    { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const files = JSON.parse(listed)[0].files.map(({ path }) => path);
  assert.ok(files.includes("dist/esm/index.d.ts") && files.includes("dist/cjs/index.js"));
  assert.ok(files.every((path) => /^(dist\/|README\.md|package\.json)/.test(path)), files.join());
});
