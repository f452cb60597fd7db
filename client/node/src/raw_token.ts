import { decodeBase64Url } from "./base64url.js";
import { parseStrictJson, type JsonObject } from "./strict_json.js";

/** Longer texts are not looked at. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/**
 * A compact JWS taken apart. Nothing in it is verified: it serves to find a key
 * and for nothing else. `jku`, `jwk`, `x5u` and `x5c` are ignored, never
 * followed: the key comes from the verifier's own set.
 */
export interface RawToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly type: string | undefined;
  /** Header and payload as they were signed. */
  readonly signingInput: Buffer;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** @returns undefined for what is TOKEN_MALFORMED by its form or header. */
export function parseRawToken(text: string): RawToken | undefined {
  if (text.length > MAX_TOKEN_BYTES) return undefined;
  const parts = text.split(".", 4);
  if (parts.length !== 3) return undefined;
  const header = decodeBase64Url(parts[0]);
  const payload = decodeBase64Url(parts[1]);
  const signature = decodeBase64Url(parts[2]);
  if (!header || !payload || !signature) return undefined;

  const members = parseStrictJson(header);
  if (!(members instanceof Map) || asksForExtensions(members)) return undefined;
  const algorithm = members.get("alg");
  const keyId = members.get("kid");
  const type = members.get("typ");
  if (typeof algorithm !== "string") return undefined;
  if (!isTextOrAbsent(keyId) || !isTextOrAbsent(type)) return undefined;
  return {
    algorithm,
    keyId,
    type,
    signingInput: Buffer.from(
      text.slice(0, parts[0].length + 1 + parts[1].length), "latin1"),
    payload,
    signature,
  };
}

// No extension is understood here (RFC 7515 section 4.1.11, RFC 8725 3.6).
function asksForExtensions(header: JsonObject): boolean {
  return header.has("crit") || header.has("b64") || header.has("zip");
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
