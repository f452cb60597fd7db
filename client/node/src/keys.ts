import {
  constants,
  createPublicKey,
  verify as verifySignature,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";

import { decodeBase64Url } from "./base64url.js";
import { parseStrictJson, type JsonObject } from "./strict_json.js";

/** A signature algorithm that Ostiary signs with (RFC 7518, RFC 8037). */
export type Algorithm = "ES256" | "RS256" | "EdDSA";

export const ALGORITHMS: readonly Algorithm[] = ["ES256", "RS256", "EdDSA"];

/** A public key as RFC 7517 writes it; what does not belong to it is empty. */
export interface PublicJwk {
  readonly kty: string;
  readonly alg: string;
  readonly kid: string;
  readonly use: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  readonly n: string;
  readonly e: string;
}

const MAX_KID_LENGTH = 256;
const MAX_KEYS = 256;
const SIGNATURE_BYTES = 64; // of ES256 (R || S) and Ed25519
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192; // above it one check takes milliseconds

/** One public key and the one algorithm it may be used with. */
export class VerifyingKey {
  private constructor(
    readonly jwk: PublicJwk,
    readonly algorithm: Algorithm,
    private readonly key: KeyObject,
    private readonly signatureBytes: number,
  ) {}

  get keyId(): string {
    return this.jwk.kid;
  }

  /** @returns undefined if tokens must not be checked with this key. */
  static of(jwk: PublicJwk): VerifyingKey | undefined {
    const algorithm = ALGORITHMS.find((name) => name === jwk.alg);
    if (algorithm === undefined || !hasTypeOf(algorithm, jwk)) return undefined;
    if (jwk.kid === "" || jwk.kid.length > MAX_KID_LENGTH) return undefined;
    if (jwk.use !== "" && jwk.use !== "sig") return undefined;
    const size = signatureBytes(algorithm, jwk);
    if (size === undefined) return undefined;
    try {
      const key = createPublicKey({ key: material(jwk), format: "jwk" });
      return new VerifyingKey(jwk, algorithm, key, size);
    } catch {
      return undefined; // such as a point that is not on the curve
    }
  }

  verifies(message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== this.signatureBytes) return false;
    try {
      switch (this.algorithm) {
        case "ES256":
          return verifySignature("sha256", message,
            { key: this.key, dsaEncoding: "ieee-p1363" }, signature);
        case "RS256":
          return verifySignature("sha256", message,
            { key: this.key, padding: constants.RSA_PKCS1_PADDING }, signature);
        case "EdDSA":
          return verifySignature(null, message, this.key, signature);
      }
    } catch {
      return false;
    }
  }

  equals(other: VerifyingKey): boolean {
    const a = this.jwk;
    const b = other.jwk;
    return a.kid === b.kid && a.alg === b.alg && a.x === b.x && a.y === b.y &&
      a.n === b.n && a.e === b.e;
  }
}

/** The keys of one issuer, by `kid`. Immutable. */
export class KeySet {
  private constructor(private readonly byId: ReadonlyMap<string, VerifyingKey>) {}

  static readonly EMPTY = new KeySet(new Map());

  /**
   * Keys that cannot be used are left out, so that one odd key does not blind
   * a verifier. Keys that `previous` knows are the same objects again.
   *
   * @returns undefined if two keys have one `kid`: which one a token means
   *     must not be a guess.
   */
  static of(jwks: readonly PublicJwk[], previous = KeySet.EMPTY): KeySet | undefined {
    if (jwks.length > MAX_KEYS) return undefined;
    const byId = new Map<string, VerifyingKey>();
    const seen = new Set<string>();
    for (const jwk of jwks) {
      if (seen.has(jwk.kid)) return undefined;
      seen.add(jwk.kid);
      const key = VerifyingKey.of(jwk);
      if (key === undefined) continue;
      const known = previous.find(jwk.kid);
      byId.set(jwk.kid, known?.equals(key) ? known : key);
    }
    return new KeySet(byId);
  }

  /** Reads a JWK Set (RFC 7517 section 5); undefined if it is not one. */
  static parse(jwks: Uint8Array): KeySet | undefined {
    const set = parseStrictJson(jwks);
    const list = set instanceof Map ? set.get("keys") : undefined;
    if (!Array.isArray(list)) return undefined;
    if (!list.every((entry) => entry instanceof Map)) return undefined;
    return KeySet.of((list as JsonObject[]).filter(isForVerifying).map(fromJson));
  }

  find(keyId: string): VerifyingKey | undefined {
    return this.byId.get(keyId);
  }

  jwks(): PublicJwk[] {
    return [...this.byId.values()].map((key) => key.jwk);
  }
}

function hasTypeOf(algorithm: Algorithm, jwk: PublicJwk): boolean {
  switch (algorithm) {
    case "ES256":
      return jwk.kty === "EC" && jwk.crv === "P-256";
    case "RS256":
      return jwk.kty === "RSA";
    case "EdDSA":
      return jwk.kty === "OKP" && jwk.crv === "Ed25519";
  }
}

// The length every signature of this key has; undefined if its numbers are not
// acceptable.
function signatureBytes(algorithm: Algorithm, jwk: PublicJwk): number | undefined {
  switch (algorithm) {
    case "ES256":
      return isNumber32(jwk.x) && isNumber32(jwk.y) ? SIGNATURE_BYTES : undefined;
    case "RS256":
      return modulusBytes(jwk);
    case "EdDSA": {
      const x = decodeBase64Url(jwk.x);
      const good = x !== undefined && x.length === 32 && !hasSmallOrder(x);
      return good ? SIGNATURE_BYTES : undefined;
    }
  }
}

function isNumber32(text: string): boolean {
  return decodeBase64Url(text)?.length === 32;
}

function modulusBytes(jwk: PublicJwk): number | undefined {
  const n = decodeBase64Url(jwk.n);
  const e = decodeBase64Url(jwk.e);
  if (!n || !e || n.length === 0 || n.length > MAX_RSA_BITS / 8) return undefined;
  if (e.length === 0 || e.length > 4 || n[0] === 0 || e[0] === 0) return undefined;
  const bits = n.length * 8 - (Math.clz32(n[0]) - 24);
  const isOdd = (n[n.length - 1] & 1) === 1;
  const exponent = e.readUIntBE(0, e.length);
  if (bits < MIN_RSA_BITS || !isOdd || exponent % 2 === 0 || exponent === 1) {
    return undefined;
  }
  return n.length;
}

// Points whose order is 1, 2, 4 or 8, in every encoding (the sign bit apart):
// under such a key a signature made without the private key passes easily. An
// all-zero key, the commonest mistake, is among them.
const SMALL_ORDER = new Set([
  "00".repeat(32),
  "01" + "00".repeat(31),
  "ec" + "ff".repeat(30) + "7f",
  "ed" + "ff".repeat(30) + "7f",
  "ee" + "ff".repeat(30) + "7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

function hasSmallOrder(x: Buffer): boolean {
  const unsigned = Buffer.from(x);
  unsigned[31] &= 0x7f;
  return SMALL_ORDER.has(unsigned.toString("hex"));
}

function material(jwk: PublicJwk): JsonWebKey {
  switch (jwk.kty) {
    case "EC":
      return { kty: "EC", crv: jwk.crv, x: jwk.x, y: jwk.y };
    case "OKP":
      return { kty: "OKP", crv: jwk.crv, x: jwk.x };
    default:
      return { kty: "RSA", n: jwk.n, e: jwk.e };
  }
}

// RFC 7517 sections 4.2 and 4.3, and no private or symmetric key.
function isForVerifying(jwk: JsonObject): boolean {
  for (const secret of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) {
    if (jwk.has(secret)) return false;
  }
  if (jwk.has("use") && jwk.get("use") !== "sig") return false;
  const operations = jwk.get("key_ops");
  if (operations === undefined) return true;
  return Array.isArray(operations) && operations.includes("verify");
}

function fromJson(jwk: JsonObject): PublicJwk {
  const text = (name: string): string => {
    const value = jwk.get(name);
    return typeof value === "string" ? value : "";
  };
  return {
    kty: text("kty"), alg: text("alg"), kid: text("kid"), use: text("use"),
    crv: text("crv"), x: text("x"), y: text("y"), n: text("n"), e: text("e"),
  };
}
