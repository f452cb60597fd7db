import {
  parseStrictJson,
  toPlain,
  type JsonObject,
  type JsonValue,
} from "./strict_json.js";

/** What a good access token says (RFC 9068 and Ostiary's own claims). Frozen. */
export interface Claims {
  /** `iss`. */
  readonly issuer: string;
  /** `sub`: the account's id, or the client's for service tokens. */
  readonly subject: string;
  /** `aud`. */
  readonly audiences: readonly string[];
  /** `client_id`. */
  readonly clientId: string;
  /** `sid`: the session; empty for service tokens. */
  readonly sessionId: string;
  /** `jti`. */
  readonly tokenId: string;
  /** `iat`, in seconds since 1970. */
  readonly issueTime: number;
  /** `exp`, in seconds since 1970: the first moment it is no longer good. */
  readonly expireTime: number;
  /** `nbf`, in seconds since 1970. */
  readonly notBefore: number | undefined;
  /** `auth_time`, in seconds since 1970: when the user showed a password. */
  readonly authTime: number | undefined;
  /** `scope`, split. */
  readonly scopes: readonly string[];
  /** `roles`. */
  readonly roles: readonly string[];
  /** `amr`: how the user signed in (RFC 8176). */
  readonly authMethods: readonly string[];
  /** `gen`: the account's generation when the token was made. */
  readonly generation: number | bigint | undefined;
  /** Every other claim, by its name. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Claims whose types are right; `complete` if what RFC 9068 demands is there. */
export interface ReadClaims {
  readonly claims: Claims;
  readonly complete: boolean;
}

// 9999-12-31T23:59:59Z. Beyond it a date is a mistake or an attempt to
// overflow somebody's arithmetic.
const LAST_SECOND = 253402300799;
const LARGEST_UINT64 = 2n ** 64n - 1n;
const NAMED = new Set([
  "iss", "sub", "aud", "client_id", "sid", "jti", "iat", "exp", "nbf",
  "auth_time", "scope", "roles", "amr", "gen",
]);

class WrongType extends Error {}

/** @returns undefined if it is not a strict JSON object of well-typed claims. */
export function readPayload(payload: Uint8Array): ReadClaims | undefined {
  const members = parseStrictJson(payload);
  if (!(members instanceof Map)) return undefined;
  try {
    return readMembers(members);
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw error;
  }
}

function readMembers(members: JsonObject): ReadClaims {
  const issueTime = time(members.get("iat"));
  const expireTime = time(members.get("exp"));
  const claims: Claims = Object.freeze({
    issuer: text(members.get("iss")),
    subject: text(members.get("sub")),
    audiences: audiences(members.get("aud")),
    clientId: text(members.get("client_id")),
    sessionId: text(members.get("sid")),
    tokenId: text(members.get("jti")),
    issueTime: issueTime ?? Infinity,
    expireTime: expireTime ?? -Infinity,
    notBefore: time(members.get("nbf")),
    authTime: time(members.get("auth_time")),
    scopes: Object.freeze(splitScope(text(members.get("scope")))),
    roles: texts(members.get("roles")),
    authMethods: texts(members.get("amr")),
    generation: generation(members.get("gen")),
    extra: extra(members),
  });
  return {
    claims,
    complete:
      issueTime !== undefined && expireTime !== undefined &&
      claims.issuer !== "" && claims.subject !== "" &&
      claims.audiences.length > 0 && claims.clientId !== "" &&
      claims.tokenId !== "",
  };
}

/** The words of a `scope` text. */
export function splitScope(scope: string): string[] {
  return scope.split(" ").filter((word) => word !== "");
}

// Each reads an absent claim as empty and throws for a wrong type.

function text(value: JsonValue | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw new WrongType();
  return value;
}

function texts(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return Object.freeze([]);
  if (!Array.isArray(value)) throw new WrongType();
  for (const element of value) {
    if (typeof element !== "string") throw new WrongType();
  }
  return Object.freeze(value as string[]);
}

// RFC 7519 section 4.1.3: one text or a list.
function audiences(value: JsonValue | undefined): readonly string[] {
  const list = typeof value === "string" ? [value] : texts(value);
  if (list.includes("")) throw new WrongType();
  return Object.freeze(list);
}

// RFC 7519 section 2, NumericDate: it may have a fraction.
function time(value: JsonValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || Object.is(value, -0)) throw new WrongType();
  if (!(value >= 0 && value <= LAST_SECOND)) throw new WrongType();
  return value;
}

function generation(value: JsonValue | undefined): number | bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "bigint") {
    if (value < 0n || value > LARGEST_UINT64) throw new WrongType();
    return value;
  }
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new WrongType();
  }
  return value as number;
}

function extra(members: JsonObject): Readonly<Record<string, unknown>> {
  const others: JsonObject = new Map();
  for (const [name, value] of members) {
    if (!NAMED.has(name)) others.set(name, value);
  }
  return toPlain(others) as Record<string, unknown>;
}
