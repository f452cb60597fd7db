/**
 * An issuer for the tests of your application: tokens that your verifier
 * accepts, without a server.
 *
 * @packageDocumentation
 */
import {
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";

import { encodeBase64Url } from "./base64url.js";
import { readPayload } from "./claims.js";
import { KeySet, type Algorithm, type PublicJwk } from "./keys.js";
import { Knowledge } from "./knowledge.js";
import { parseRawToken } from "./raw_token.js";
import { entryFor, type Target } from "./revocation_entry.js";
import { formatRevision } from "./revision.js";
import { JudgingSettings, type JudgingOptions } from "./settings.js";
import { SYSTEM_CLOCK, type Clock } from "./time.js";
import { Verifier } from "./verifier.js";

/** What a {@link TestIssuer} is built from. */
export interface TestIssuerOptions {
  /** The tokens' `iss`. Default: `https://issuer.test`. */
  issuer?: string;
  /** The tokens' `aud` if none is asked for. Default: `api`. */
  audience?: string;
  /** Default: ES256. */
  algorithm?: Algorithm;
  /** Default: the system's. */
  clock?: Clock;
}

/** What a token of a {@link TestIssuer} says. */
export interface TestToken {
  /** `sub`. Default: `acct_test`. */
  subject?: string;
  /** `aud`. Default: the issuer's. */
  audience?: string | readonly string[];
  /** `scope`. Default: none. */
  scopes?: readonly string[];
  /** `roles`. Default: none. */
  roles?: readonly string[];
  /** `sid`. Default: a new one; empty: a token of no session. */
  sessionId?: string;
  /** `client_id`. Default: `cli_test`. */
  clientId?: string;
  /** `jti`. Default: a new one. */
  tokenId?: string;
  /** `gen`. Default: the account's, which `revokeAccount` raises. */
  generation?: number | bigint;
  /** From now; below 0: has expired. Default: 900. */
  lifetimeSeconds?: number;
  /** Other claims, or other values for any of those above. */
  claims?: Readonly<Record<string, unknown>>;
  /** Other members of the header. */
  header?: Readonly<Record<string, unknown>>;
}

const EPOCH = 1;
const FIRST_GENERATION = 1n;

/**
 * Signs access tokens with a key of its own and can revoke them.
 *
 * ```ts
 * const issuer = new TestIssuer();
 * const verifier = issuer.verifier();
 * const token = issuer.token({ subject: "acct_ada", roles: ["admin"] });
 * await verifier.verify(token, { roles: ["admin"] });
 * issuer.revokeToken(token); // now it is refused
 * ```
 */
export class TestIssuer {
  /** The tokens' `iss`. */
  readonly issuer: string;
  private readonly audience: string;
  private readonly algorithm: Algorithm;
  private readonly clock: Clock;
  private readonly knowledge: Knowledge[] = [];
  private readonly entries: Target[] = [];
  private readonly keys: PublicJwk[] = [];
  private readonly generations = new Map<string, bigint>();
  private signingKey!: KeyObject;
  private signingKeyId = "";

  constructor(options: TestIssuerOptions = {}) {
    this.issuer = options.issuer ?? "https://issuer.test";
    this.audience = options.audience ?? "api";
    this.algorithm = options.algorithm ?? "ES256";
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.rotateKey();
  }

  /** A signed access token, good for 15 minutes unless said otherwise. */
  token(says: TestToken = {}): string {
    const now = Math.floor(this.clock.wall() / 1000);
    const lifetime = says.lifetimeSeconds ?? 900;
    const issued = lifetime > 0 ? now : now + lifetime - 900;
    const sessionId = says.sessionId ?? newId("sess_");
    const subject = says.subject ?? "acct_test";
    return this.sign({
      iss: this.issuer,
      sub: subject,
      aud: says.audience ?? this.audience,
      client_id: says.clientId ?? "cli_test",
      iat: issued,
      exp: now + lifetime,
      jti: says.tokenId ?? newId("jti_"),
      ...(sessionId === "" ? {} : { sid: sessionId }),
      scope: (says.scopes ?? []).join(" "),
      roles: says.roles ?? [],
      gen: says.generation ?? this.generationOf(subject),
      ...says.claims,
    }, says.header);
  }

  /** The public keys as a JWK Set (RFC 7517), for whoever wants to fetch it. */
  jwks(): { keys: Record<string, string>[] } {
    return { keys: this.keys.map(withoutEmpty) };
  }

  /** Signs with a new key from now on; the old ones still count. */
  rotateKey(): void {
    const { privateKey, publicKey } = generateKey(this.algorithm);
    const jwk = published(this.algorithm, publicKey);
    this.signingKey = privateKey;
    this.signingKeyId = jwk.kid;
    this.keys.push(jwk);
    for (const knowledge of this.knowledge) this.tellKeys(knowledge);
  }

  /** The `kid` of the key that signs now. */
  get keyId(): string {
    return this.signingKeyId;
  }

  /**
   * Revokes one token.
   *
   * @returns the revision, as `Revoke` would; so do the others.
   */
  revokeToken(token: string): string {
    const raw = parseRawToken(token);
    const read = raw && readPayload(raw.payload);
    if (!read) throw new TypeError("ostiary: not a token");
    return this.revoke({ case: "tokenId", value: read.claims.tokenId });
  }

  /** Revokes all tokens of a session. */
  revokeSession(sessionId: string): string {
    return this.revoke({ case: "sessionId", value: sessionId });
  }

  /** Revokes the tokens an account has; those made from now on are good. */
  revokeAccount(accountId: string): string {
    const minGeneration = this.generationOf(accountId) + 1n;
    this.generations.set(accountId, minGeneration);
    return this.revoke({ case: "account", value: { accountId, minGeneration } });
  }

  /** Revokes what a client was issued until now, this second included. */
  revokeClient(clientId: string): string {
    return this.revoke({
      case: "client",
      value: { clientId, issuedBeforeMs: this.clock.wall() },
    });
  }

  /** Revokes a key for ever, with every token it has signed. */
  revokeKey(keyId: string): string {
    return this.revoke({ case: "keyId", value: keyId });
  }

  /**
   * A verifier that knows this issuer's keys and revocations, those to come as
   * well, and is always fresh. Nothing of it is faked but the feed.
   */
  verifier(options: Partial<JudgingOptions> = {}): Verifier {
    const knowledge = new Knowledge(this.clock);
    this.knowledge.push(knowledge);
    this.tellKeys(knowledge);
    this.standAt(knowledge);
    for (const entry of this.entries) knowledge.revocations.merge(entryFor(entry));
    return new Verifier(new JudgingSettings({
      issuer: this.issuer,
      audience: this.audience,
      clock: this.clock,
      ...options,
    }), knowledge);
  }

  private generationOf(accountId: string): bigint {
    return this.generations.get(accountId) ?? FIRST_GENERATION;
  }

  private revoke(entry: Target): string {
    this.entries.push(entry);
    for (const knowledge of this.knowledge) {
      knowledge.revocations.merge(entryFor(entry));
      this.standAt(knowledge);
    }
    return formatRevision({ epoch: EPOCH, sequence: BigInt(this.entries.length) });
  }

  private tellKeys(knowledge: Knowledge): void {
    knowledge.replaceKeys(KeySet.of(this.keys));
  }

  private standAt(knowledge: Knowledge): void {
    knowledge.moveTo(
      { epoch: EPOCH, sequence: BigInt(this.entries.length), cursor: "" },
      this.clock.wall());
  }

  private sign(payload: object, header: object = {}): string {
    const head = {
      alg: this.algorithm, typ: "at+jwt", kid: this.signingKeyId, ...header,
    };
    const input =
      encodeBase64Url(toJson(head)) + "." + encodeBase64Url(toJson(payload));
    const signature = sign(
      this.algorithm === "EdDSA" ? null : "sha256", Buffer.from(input),
      { key: this.signingKey, dsaEncoding: "ieee-p1363" });
    return input + "." + encodeBase64Url(signature);
  }
}

function newId(prefix: string): string {
  return prefix + encodeBase64Url(randomBytes(12));
}

// JSON.stringify refuses bigints.
function toJson(value: object): string {
  const digits = new Map<string, string>();
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== "bigint") return member;
    const mark = "bigint-" + randomBytes(8).toString("hex");
    digits.set(mark, member.toString());
    return mark;
  });
  let json = text;
  for (const [mark, number] of digits) json = json.replace(`"${mark}"`, number);
  return json;
}

function generateKey(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "RS256":
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
    case "EdDSA":
      return generateKeyPairSync("ed25519");
  }
}

function published(algorithm: Algorithm, key: KeyObject): PublicJwk {
  const { kty = "", crv = "", x = "", y = "", n = "", e = "" } =
    key.export({ format: "jwk" });
  const jwk = { kty, crv, x, y, n, e };
  return { ...jwk, alg: algorithm, use: "sig", kid: thumbprint(jwk) };
}

// RFC 7638: the members that are the key, in lexicographic order.
function thumbprint({ crv, e, kty, n, x, y }: Omit<PublicJwk, "alg" | "use" | "kid">): string {
  const members = withoutEmpty({ crv, e, kty, n, x, y });
  return createHash("sha256").update(JSON.stringify(members)).digest("base64url");
}

function withoutEmpty(jwk: object): Record<string, string> {
  return Object.fromEntries(Object.entries(jwk).filter(([, text]) => text !== ""));
}
