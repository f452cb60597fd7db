import type { Claims } from "./claims.js";
import type { TokenReason } from "./errors.js";
import { KeySet } from "./keys.js";
import type { Knowledge } from "./knowledge.js";
import { MAX_TOKEN_BYTES } from "./raw_token.js";
import { checkedPolicy, demand, type JudgingSettings, type Policy } from "./settings.js";
import {
  authenticate,
  checkAuthority,
  checkTimeAndAudience,
  type SignedToken,
} from "./signed_token.js";
import { TokenCache } from "./token_cache.js";

/** What one call demands of a token. */
export interface Requirement {
  /** The token must carry all of them. */
  scopes?: readonly string[];
  /** The token must carry all of them. */
  roles?: readonly string[];
  /** Instead of the verifier's policy. */
  policy?: Policy;
  /**
   * A revision that `Revoke` answered: the check must take that revocation
   * into account. Not seen yet is treated like knowledge that is too old.
   */
  minRevision?: string;
  /** Accept a token for any audience. */
  anyAudience?: boolean;
}

/** What is known about a token without asking. */
export type Finding =
  | { readonly kind: "refused"; readonly reason: TokenReason }
  /** Good, if the knowledge is fresh enough. */
  | { readonly kind: "good"; readonly token: SignedToken }
  /** Signed with a key that is not known (yet). */
  | { readonly kind: "unknown key" };

const UNKNOWN_KEY: Finding = { kind: "unknown key" };
const NONE: readonly string[] = [];

/** Judges tokens by what is known here: steps 1 to 3 of docs/verifiers.md. */
export class Judge {
  readonly cache: TokenCache;

  constructor(
    readonly settings: JudgingSettings,
    private readonly knowledge: Knowledge,
  ) {
    this.cache = new TokenCache(settings.cacheSize);
    knowledge.onKeys = () => this.cache.keepSignedBy(this.keys());
  }

  examine(text: string, requirement: Requirement): Finding {
    const token = this.find(text);
    if (token === "KEY_UNKNOWN") return UNKNOWN_KEY;
    if (typeof token === "string") return { kind: "refused", reason: token };
    const reason = this.reasonAgainst(token, requirement);
    return reason === undefined
      ? { kind: "good", token }
      : { kind: "refused", reason };
  }

  /** Undefined for any audience. */
  audienceOf(requirement: Requirement): string | undefined {
    return requirement.anyAudience ? undefined : this.settings.audience;
  }

  isRevoked(token: SignedToken): boolean {
    return this.knowledge.revocations.hits(token);
  }

  private reasonAgainst(
    token: SignedToken,
    requirement: Requirement,
  ): TokenReason | undefined {
    const { clock, leewaySeconds } = this.settings;
    const reason = checkTimeAndAudience(token.claims,
      this.audienceOf(requirement), clock.wall() / 1000, leewaySeconds);
    if (reason !== undefined) return reason;
    if (this.isRevoked(token)) return "TOKEN_REVOKED";
    return lackOfAuthority(token.claims, requirement);
  }

  private find(text: string): SignedToken | TokenReason {
    if (typeof text !== "string" || text === "" || text.length > MAX_TOKEN_BYTES) {
      return "TOKEN_MALFORMED";
    }
    const name = TokenCache.nameOf(text);
    const known = this.cache.find(name);
    if (known !== undefined) return known;
    const token = authenticate(text, this.keys(), this.settings);
    if (typeof token !== "string") this.cache.insert(name, token);
    return token;
  }

  private keys(): KeySet {
    return this.knowledge.keys ?? KeySet.EMPTY;
  }
}

export function lackOfAuthority(
  claims: Claims,
  { scopes = NONE, roles = NONE }: Requirement,
): TokenReason | undefined {
  return checkAuthority(claims, scopes, roles);
}

/**
 * A mistake in a requirement must not be read as "nothing is required".
 *
 * @throws TypeError
 */
export function checkRequirement(requirement: Requirement): void {
  const { scopes, roles, policy } = requirement;
  demand(scopes === undefined || Array.isArray(scopes), "scopes must be a list");
  demand(roles === undefined || Array.isArray(roles), "roles must be a list");
  if (policy !== undefined) checkedPolicy(policy);
}
