import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";

import { KeySet, type PublicJwk } from "./keys.js";
import type { Knowledge } from "./knowledge.js";
import type { ExactEntries } from "./revocation_set.js";

// The form: three lines (this, a checksum, a header), then the fingerprints of
// all runs as this machine's doubles. The checksum is over everything behind
// its own line.
const MAGIC = "ostiary verifier state 1";
const MAX_FILE_BYTES = 1 << 30;

interface Header {
  issuer: string;
  keys: PublicJwk[];
  epoch: number;
  sequence: string;
  cursor: string;
  asOfMs: number;
  exact: ExactEntries;
  runs: [number | null, number][]; // forget minute, count
}

/** Everything a verifier of `issuer` knows; undefined before it knows much. */
export function encodeState(issuer: string, knowledge: Knowledge): Buffer | undefined {
  const { keys, position, asOf, revocations } = knowledge;
  if (keys === undefined || position === undefined) return undefined;
  const runs = revocations.fingerprints.runs();
  const header: Header = {
    issuer,
    keys: keys.jwks(),
    epoch: position.epoch,
    sequence: position.sequence.toString(),
    cursor: position.cursor,
    asOfMs: Number.isFinite(asOf) ? asOf : 0,
    exact: revocations.exact(),
    runs: runs.map(([until, run]) =>
      [until === Infinity ? null : until, run.length]),
  };
  const body = Buffer.concat([
    Buffer.from(JSON.stringify(header) + "\n"),
    ...runs.map(([, run]) =>
      Buffer.from(run.buffer, run.byteOffset, run.byteLength)),
  ]);
  return Buffer.concat([Buffer.from(`${MAGIC}\n${checksum(body)}\n`), body]);
}

/**
 * Puts what `bytes` say into `knowledge`.
 *
 * @returns why they were not used; undefined if they were.
 */
export function decodeState(
  bytes: Buffer,
  issuer: string,
  knowledge: Knowledge,
): string | undefined {
  const start = MAGIC.length + 1;
  const bodyAt = start + 64 + 1;
  if (bytes.toString("latin1", 0, start) !== MAGIC + "\n") return "another format";
  const body = bytes.subarray(bodyAt);
  if (bytes.toString("latin1", start, bodyAt - 1) !== checksum(body)) {
    return "the checksum does not hold";
  }
  const end = body.indexOf("\n");
  const header = JSON.parse(body.toString("utf8", 0, end)) as Header;
  if (header.issuer !== issuer) return "it is of another issuer";
  const keys = KeySet.of(header.keys);
  if (keys === undefined) return "its keys cannot be used";

  knowledge.revocations.mergeExact(header.exact);
  let at = end + 1;
  for (const [until, count] of header.runs) {
    const bytesOfRun = Uint8Array.from(body.subarray(at, at + count * 8));
    knowledge.revocations.fingerprints.addSorted(
      new Float64Array(bytesOfRun.buffer), until ?? Infinity);
    at += count * 8;
  }
  knowledge.restore(keys, {
    epoch: header.epoch,
    sequence: BigInt(header.sequence),
    cursor: header.cursor,
  }, header.asOfMs);
  return undefined;
}

/**
 * Reads the file if there is one.
 *
 * @returns why it was not used; undefined if it was or does not exist.
 */
export function readStateFile(
  path: string,
  issuer: string,
  knowledge: Knowledge,
): string | undefined {
  try {
    const bytes = readTrusted(path);
    return typeof bytes === "string" ? bytes : decodeState(bytes, issuer, knowledge);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : (error as Error).message;
  }
}

// The file says which keys to trust: who may write it may sign tokens.
function readTrusted(path: string): Buffer | string {
  const file = openSync(path, "r");
  try {
    const { mode, uid, size } = fstatSync(file);
    const isOurs = process.getuid === undefined || uid === process.getuid();
    if (!isOurs || (process.platform !== "win32" && (mode & 0o022) !== 0)) {
      return "others may write it";
    }
    if (size > MAX_FILE_BYTES) return "it is too large";
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Replaces the file in one step: it is the old or the new one, never half. */
export async function writeStateFile(path: string, bytes: Buffer): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  await rm(beside, { force: true });
  try {
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

function checksum(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
