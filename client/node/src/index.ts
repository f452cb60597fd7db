/**
 * Checks Ostiary access tokens in your own process, and refuses revoked ones
 * at once.
 *
 * @packageDocumentation
 */
export { CallError, SignInRequiredError } from "./call_error.js";
export type { Claims } from "./claims.js";
export type { ServerOptions, TlsOptions } from "./connection.js";
export {
  CheckUnavailableError,
  TokenError,
  WaitError,
  type TokenReason,
} from "./errors.js";
export type { Logger } from "./feed.js";
export type { Requirement } from "./judge.js";
export type { Algorithm } from "./keys.js";
export type {
  ConnectOptions,
  JudgingOptions,
  Policy,
  VerifierOptions,
} from "./settings.js";
export type { Clock } from "./time.js";
export {
  TokenClient,
  type SignIn,
  type TokenClientOptions,
  type Tokens,
} from "./token_client.js";
export { Verifier, type VerifierStats } from "./verifier.js";
