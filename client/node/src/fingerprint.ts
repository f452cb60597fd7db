import * as crypto from "node:crypto";

type Digest = (text: string) => Buffer;

// Node 20.12 has a call without an object for each digest.
const oneShot = (crypto as unknown as {
  hash?: (algorithm: string, text: string, encoding: "buffer") => Buffer;
}).hash;

/** SHA-256 of a text's UTF-8. */
export const sha256: Digest = oneShot
  ? (text) => oneShot("sha256", text, "buffer")
  : (text) => crypto.createHash("sha256").update(text, "utf8").digest();

/** The number under which a revoked `jti` is kept: see FingerprintSet. */
export function tokenFingerprint(tokenId: string): number {
  return first52Bits(sha256("token:" + tokenId));
}

/** The number under which a revoked `sid` is kept. */
export function sessionFingerprint(sessionId: string): number {
  return first52Bits(sha256("session:" + sessionId));
}

// 48 + 4 bits: exact in a double.
function first52Bits(digest: Buffer): number {
  return digest.readUIntBE(0, 6) * 16 + (digest[6] >> 4);
}
