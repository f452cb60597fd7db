import type { Claims } from "./claims.js";
import { readPayload } from "./claims.js";
import type { TokenReason } from "./errors.js";
import { sessionFingerprint, tokenFingerprint } from "./fingerprint.js";
import type { Algorithm, KeySet, VerifyingKey } from "./keys.js";
import { parseRawToken, type RawToken } from "./raw_token.js";

/**
 * A token whose form, key, signature, type, issuer and required claims were
 * found good. Time, audience, revocation and authority are not part of it: they
 * depend on when and by whom it is asked. So it may be kept in a cache.
 */
export interface SignedToken {
  readonly claims: Claims;
  readonly key: VerifyingKey;
  readonly tokenFingerprint: number;
  /** Undefined if the token is of no session. */
  readonly sessionFingerprint: number | undefined;
}

/** What a service trusts. */
export interface Trust {
  readonly issuer: string;
  readonly algorithms: readonly Algorithm[];
  /** Left out: however long a token lives. */
  readonly maxLifetimeSeconds?: number;
}

const TYPES = ["at+jwt", "application/at+jwt"];

/** The first step of a check: everything that does not change with time. */
export function authenticate(
  text: string,
  keys: KeySet,
  trust: Trust,
): SignedToken | TokenReason {
  const raw = parseRawToken(text);
  if (raw === undefined) return "TOKEN_MALFORMED";
  const read = readPayload(raw.payload);
  if (read === undefined) return "TOKEN_MALFORMED";

  const key = findKey(raw, keys, trust);
  if (typeof key === "string") return key;
  if (!key.verifies(raw.signingInput, raw.signature)) return "SIGNATURE_INVALID";

  if (!TYPES.includes(lowerAscii(raw.type ?? ""))) return "TYPE_MISMATCH";
  const { claims } = read;
  if (claims.issuer !== trust.issuer) return "ISSUER_MISMATCH";
  if (!read.complete || livesTooLong(claims, trust)) return "TOKEN_MALFORMED";
  return {
    claims,
    key,
    tokenFingerprint: tokenFingerprint(claims.tokenId),
    sessionFingerprint:
      claims.sessionId === "" ? undefined : sessionFingerprint(claims.sessionId),
  };
}

// The key decides how it is used. A header that names another algorithm is the
// beginning of every key-confusion attack.
function findKey(
  raw: RawToken,
  keys: KeySet,
  trust: Trust,
): VerifyingKey | TokenReason {
  if (!trust.algorithms.some((name) => name === raw.algorithm)) {
    return "ALGORITHM_NOT_ALLOWED";
  }
  const key = raw.keyId === undefined ? undefined : keys.find(raw.keyId);
  if (key === undefined) return "KEY_UNKNOWN";
  return key.algorithm === raw.algorithm ? key : "ALGORITHM_NOT_ALLOWED";
}

// Not toLowerCase: it turns letters beyond ASCII into ASCII ones.
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function livesTooLong(claims: Claims, { maxLifetimeSeconds }: Trust): boolean {
  const lifetime = claims.expireTime - claims.issueTime;
  return maxLifetimeSeconds !== undefined && lifetime > maxLifetimeSeconds;
}

/** The second part of the first step: what depends on the time and the asker. */
export function checkTimeAndAudience(
  claims: Claims,
  audience: string | undefined,
  nowSeconds: number,
  leewaySeconds: number,
): TokenReason | undefined {
  const latestStart = nowSeconds + leewaySeconds;
  if (claims.issueTime > latestStart || (claims.notBefore ?? 0) > latestStart) {
    return "TOKEN_NOT_YET_VALID";
  }
  if (nowSeconds >= claims.expireTime + leewaySeconds) return "TOKEN_EXPIRED";
  if (audience !== undefined && !claims.audiences.includes(audience)) {
    return "AUDIENCE_MISMATCH";
  }
  return undefined;
}

/** The third step: all of the scopes and all of the roles. */
export function checkAuthority(
  claims: Claims,
  scopes: readonly string[],
  roles: readonly string[],
): TokenReason | undefined {
  if (!scopes.every((scope) => claims.scopes.includes(scope))) {
    return "SCOPE_MISSING";
  }
  if (!roles.every((role) => claims.roles.includes(role))) return "ROLE_MISSING";
  return undefined;
}
