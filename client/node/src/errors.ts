/**
 * Why a token is not good. Of several reasons the first in this order is the
 * one given, by every Ostiary library and by the server alike.
 */
export type TokenReason =
  | "TOKEN_MALFORMED"
  | "ALGORITHM_NOT_ALLOWED"
  | "KEY_UNKNOWN"
  | "SIGNATURE_INVALID"
  | "TYPE_MISMATCH"
  | "ISSUER_MISMATCH"
  | "TOKEN_NOT_YET_VALID"
  | "TOKEN_EXPIRED"
  | "AUDIENCE_MISMATCH"
  | "TOKEN_REVOKED"
  | "SCOPE_MISSING"
  | "ROLE_MISSING";

/**
 * The token is not good for what was asked. Answer 401, or 403 if
 * {@link TokenError.lacksAuthority} is set.
 *
 * The message never holds the token or what it says.
 */
export class TokenError extends Error {
  override readonly name = "TokenError";

  constructor(
    /** The first thing that is wrong. */
    readonly reason: TokenReason,
  ) {
    super(`the token is refused: ${reason}`);
  }

  /** The token is good, but its bearer may not do this: 403, not 401. */
  get lacksAuthority(): boolean {
    return this.reason === "SCOPE_MISSING" || this.reason === "ROLE_MISSING";
  }
}

/**
 * Nobody knows right now whether the token is still good: what this verifier
 * knows is too old and Ostiary does not answer. Answer 503, never 401: a 401
 * would sign good users out.
 */
export class CheckUnavailableError extends Error {
  override readonly name = "CheckUnavailableError";
  /** Beside {@link TokenError.reason}. */
  readonly reason = "CHECK_UNAVAILABLE";

  constructor(cause: string) {
    super(`the token cannot be checked now: ${cause}`);
  }
}

/** What was waited for has not come, or cannot come any more. */
export class WaitError extends Error {
  override readonly name = "WaitError";

  constructor(
    /**
     * `TIMEOUT`; `REVISION_LOST`: the revision is of a past epoch and this
     * verifier had not reached it, so only the server can tell; `CLOSED`.
     */
    readonly reason: "TIMEOUT" | "REVISION_LOST" | "CLOSED",
  ) {
    super(`gave up waiting: ${reason}`);
  }
}
