import type { ServerOptions } from "./connection.js";
import type { Logger } from "./feed.js";
import { ALGORITHMS, type Algorithm } from "./keys.js";
import { SYSTEM_CLOCK, type Clock } from "./time.js";

/**
 * What to do when the knowledge is older than the bound. `ask-server`: ask
 * Ostiary about this token. `refuse`: answer that nobody knows. `accept`: take
 * a token that was good the last time anybody knew.
 */
export type Policy = "ask-server" | "refuse" | "accept";

/** What every verifier can be told, wherever its knowledge comes from. */
export interface JudgingOptions {
  /** Compared with the token's `iss` character by character. */
  issuer: string;
  /** Must be among the token's `aud`. Default: `api`. */
  audience?: string;
  /** How far the clocks may be apart: 0 to 300,000 ms. Default: 60,000. */
  leewayMs?: number;
  /** What this service trusts. Default: ES256, RS256 and EdDSA. */
  algorithms?: readonly Algorithm[];
  /** How many checked tokens are remembered. Default: 10,000; 0: none. */
  cacheSize?: number;
  /** For tests. Default: the system's. */
  clock?: Clock;
}

/** What a {@link Verifier} is built from. All times are in milliseconds. */
export interface VerifierOptions extends JudgingOptions, ServerOptions {
  /** How old the feed's knowledge may be. Default: 10,000. */
  stalenessBoundMs?: number;
  /** What to do beyond it. Default: `ask-server`. */
  policy?: Policy;
  /** For one call to the server. Default: 1,000. */
  askTimeoutMs?: number;
  /**
   * Keeps what is known over a restart. Written at most every 30 s and at
   * `close`, mode 0600; ignored if others may write it. Default: none.
   */
  stateFile?: string;
  /**
   * A stream that is silent for so long is opened again. Default: 5,000, or
   * half of the staleness bound if that is less, but at least 2,000.
   */
  silenceMs?: number;
  /** Where warnings go. Default: `console`. */
  logger?: Logger;
}

/** {@link VerifierOptions} for {@link Verifier.connect}. */
export interface ConnectOptions extends VerifierOptions {
  /** How long to wait for the first snapshot. Default: 10,000. */
  connectTimeoutMs?: number;
}

const MAX_LEEWAY_MS = 300_000;
const POLICIES: readonly Policy[] = ["ask-server", "refuse", "accept"];

/** The options of judging, checked and complete. */
export class JudgingSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly leewaySeconds: number;
  readonly algorithms: readonly Algorithm[];
  readonly cacheSize: number;
  readonly clock: Clock;
  // Revocations are forgotten when the last token they can hit has expired; no
  // token lives longer than this.
  readonly maxLifetimeSeconds = 24 * 3600;

  /** @throws TypeError that names the option. */
  constructor(options: JudgingOptions) {
    const { issuer, audience = "api", algorithms = ALGORITHMS } = options;
    const { leewayMs = 60_000, cacheSize = 10_000 } = options;
    demand(typeof issuer === "string" && issuer !== "", "issuer must not be empty");
    demand(typeof audience === "string" && audience !== "",
      "audience must not be empty; to accept any, say anyAudience at the call");
    demand(leewayMs >= 0 && leewayMs <= MAX_LEEWAY_MS, "leewayMs must be 0 to 300000");
    demand(Array.isArray(algorithms) && algorithms.length > 0 &&
      algorithms.every((name) => ALGORITHMS.includes(name)),
      "algorithms must name some of ES256, RS256 and EdDSA");
    demand(Number.isSafeInteger(cacheSize) && cacheSize >= 0,
      "cacheSize must be a whole number");
    this.issuer = issuer;
    this.audience = audience;
    this.leewaySeconds = leewayMs / 1000;
    this.algorithms = [...algorithms];
    this.cacheSize = cacheSize;
    this.clock = options.clock ?? SYSTEM_CLOCK;
  }
}

/** How fresh the knowledge must be and where it comes from. */
export class FeedSettings {
  readonly server: ServerOptions;
  readonly stalenessBoundMs: number;
  readonly policy: Policy;
  readonly askTimeoutMs: number;
  readonly stateFile: string;
  readonly silenceMs: number;
  readonly logger: Logger;

  /** @throws TypeError that names the option. */
  constructor(options: VerifierOptions) {
    const { target, tls, bearerToken, stateFile = "" } = options;
    const { stalenessBoundMs = 10_000, askTimeoutMs = 1_000 } = options;
    const { silenceMs = usualSilence(stalenessBoundMs) } = options;
    demand(typeof target === "string" && target !== "", "target must not be empty");
    demand(stalenessBoundMs > 0, "stalenessBoundMs must be positive");
    demand(askTimeoutMs > 0, "askTimeoutMs must be positive");
    demand(silenceMs > 0, "silenceMs must be positive");
    this.server = {
      target,
      ...(tls === undefined ? {} : { tls }),
      ...(bearerToken === undefined ? {} : { bearerToken }),
    };
    this.stalenessBoundMs = stalenessBoundMs;
    this.policy = checkedPolicy(options.policy ?? "ask-server");
    this.askTimeoutMs = askTimeoutMs;
    this.stateFile = stateFile;
    this.silenceMs = silenceMs;
    this.logger = options.logger ?? console;
  }
}

/** @throws TypeError if it is none of the three. */
export function checkedPolicy(policy: Policy): Policy {
  demand(POLICIES.includes(policy), "policy must be ask-server, refuse or accept");
  return policy;
}

function usualSilence(stalenessBoundMs: number): number {
  return Math.min(5_000, Math.max(2_000, stalenessBoundMs / 2));
}

export function demand(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`ostiary: ${what}`);
}
