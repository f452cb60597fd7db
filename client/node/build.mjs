// Builds the package twice from one source: ES modules and CommonJS.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const tsc = (...args) =>
  execFileSync(process.execPath, [compiler, "-p", here, ...args], {
    stdio: "inherit",
  });

rmSync(join(here, "dist"), { recursive: true, force: true });
tsc();
tsc("--module", "commonjs", "--moduleResolution", "node10",
    "--outDir", join(here, "dist/cjs"));
writeFileSync(join(here, "dist/cjs/package.json"), '{"type": "commonjs"}\n');
