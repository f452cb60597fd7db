import { Asker } from "./asker.js";
import type { Claims } from "./claims.js";
import {
  CheckUnavailableError,
  TokenError,
  WaitError,
  type TokenReason,
} from "./errors.js";
import { Feed } from "./feed.js";
import { checkRequirement, Judge, lackOfAuthority, type Finding, type Requirement } from "./judge.js";
import { Knowledge } from "./knowledge.js";
import { parseRawToken } from "./raw_token.js";
import { parseRevision, type Revision } from "./revision.js";
import { claimsOf } from "./server_claims.js";
import {
  FeedSettings,
  JudgingSettings,
  type ConnectOptions,
  type Policy,
  type VerifierOptions,
} from "./settings.js";
import { encodeState, readStateFile, writeStateFile } from "./state_file.js";
import { Saver, Waiters } from "./waiters.js";

/** What can be watched of a verifier. */
export interface VerifierStats {
  /** How old the knowledge is; Infinity before the first complete snapshot. */
  readonly stalenessSeconds: number;
  /** Live revocations that are known. */
  readonly entries: number;
  /** Up to where the feed was applied; undefined before the first snapshot. */
  readonly position: { readonly epoch: number; readonly sequence: bigint } | undefined;
  /** A stream is up. */
  readonly connected: boolean;
  /** Checks by outcome: `VALID`, `CHECK_UNAVAILABLE` or the reason. */
  readonly checks: Readonly<Record<string, number>>;
  /** Asks by outcome; `dropped` were not sent. */
  readonly asks: {
    readonly valid: number;
    readonly invalid: number;
    readonly failed: number;
    readonly dropped: number;
  };
  /** The server is not being asked because it did not answer. */
  readonly breakerOpen: boolean;
  /** How many times the stream was lost and opened again. */
  readonly reconnects: number;
  /** Checks that needed no signature check. */
  readonly cacheHits: number;
  /** Checks that did. */
  readonly cacheMisses: number;
}

const SAVE_EVERY_MS = 30_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/**
 * Checks access tokens in this process, without a call to Ostiary, and refuses
 * a revoked one a fraction of a second after its revocation.
 *
 * One verifier serves a whole process: it holds a stream and a cache. The
 * stream keeps the process alive until {@link Verifier.close}.
 *
 * ```ts
 * const verifier = await Verifier.connect({
 *   target: "127.0.0.1:50051",
 *   issuer: "http://127.0.0.1:8080",
 * });
 * const claims = await verifier.verify(token, { scopes: ["notes:read"] });
 * ```
 */
export class Verifier {
  private readonly knowledge: Knowledge;
  private readonly judge: Judge;
  private readonly feed: Feed | undefined;
  private readonly asker: Asker | undefined;
  private readonly saver: Saver | undefined;
  private readonly waiters = new Waiters();
  private readonly checks: Record<string, number> = {};
  private readonly boundMs: number;
  private readonly policy: Policy;
  private isClosed = false;

  /**
   * Starts to follow the feed and does not wait for it: until it has answered,
   * checks follow the policy. See {@link Verifier.connect}.
   *
   * @throws TypeError that names the option that is wrong.
   */
  constructor(options: VerifierOptions);
  /** @internal A verifier of a test issuer: always fresh, never asks. */
  constructor(options: JudgingSettings, knowledge: Knowledge);
  constructor(options: VerifierOptions | JudgingSettings, given?: Knowledge) {
    const judging =
      options instanceof JudgingSettings ? options : new JudgingSettings(options);
    const { clock } = judging;
    const knowledge = given ?? new Knowledge(clock);
    this.knowledge = knowledge;
    this.judge = new Judge(judging, knowledge);
    this.boundMs = Infinity;
    this.policy = "refuse";
    knowledge.onProgress = () => this.progressed();
    if (options instanceof JudgingSettings) return;

    const settings = new FeedSettings(options);
    this.boundMs = settings.stalenessBoundMs;
    this.policy = settings.policy;
    this.saver = this.openStateFile(settings, judging.issuer);
    this.asker = new Asker(settings.server, settings.askTimeoutMs, clock);
    this.feed = new Feed(settings.server, knowledge, settings.silenceMs,
      clock, settings.logger);
    this.feed.start();
  }

  /**
   * A verifier whose first snapshot is in.
   *
   * @throws WaitError `TIMEOUT` if the server is not there; the verifier is
   *     closed then. A service that shall start without Ostiary uses `new`.
   */
  static async connect(options: ConnectOptions): Promise<Verifier> {
    const verifier = new Verifier(options);
    try {
      await verifier.ready(options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
      return verifier;
    } catch (error) {
      await verifier.close();
      throw error;
    }
  }

  /**
   * Judges a token, given without "Bearer ".
   *
   * @throws TokenError if it is not good: 401, or 403 if it lacks authority.
   * @throws CheckUnavailableError if nobody knows now: 503.
   * @throws TypeError if the requirement is not one.
   */
  async verify(token: string, requirement: Requirement = {}): Promise<Claims> {
    const judgement = this.examine(token, requirement);
    if (judgement.kind === "done") return judgement.claims;
    return this.count(this.ask(token, requirement, judgement.finding));
  }

  /**
   * The same without ever asking the server, so without waiting: where
   * {@link Verifier.verify} would ask, nobody knows.
   *
   * @throws TokenError as `verify`.
   * @throws CheckUnavailableError also where `verify` would ask.
   */
  verifyLocal(token: string, requirement: Requirement = {}): Claims {
    const judgement = this.examine(token, requirement);
    if (judgement.kind === "done") return judgement.claims;
    throw this.counted(new CheckUnavailableError("the knowledge is too old"));
  }

  /**
   * Waits for a complete snapshot that is within the bound.
   *
   * @throws WaitError `TIMEOUT`.
   */
  ready(timeoutMs: number): Promise<void> {
    return this.waiters.until(() => !this.isStale(), timeoutMs);
  }

  /**
   * Waits until a revocation is in force here.
   *
   * @param revision what `Revoke` answered.
   * @throws WaitError `TIMEOUT` or `REVISION_LOST`.
   * @throws TypeError if it is not a revision.
   */
  async waitFor(revision: string, timeoutMs: number): Promise<void> {
    const wanted = revisionOf(revision);
    await this.waiters.until(() => {
      const progress = this.knowledge.progressTo(wanted);
      if (progress === "lost") throw new WaitError("REVISION_LOST");
      return progress === "reached";
    }, timeoutMs);
  }

  /** What can be watched. Counts are since the start. */
  stats(): VerifierStats {
    const { position, revocations } = this.knowledge;
    return {
      stalenessSeconds: this.knowledge.staleness() / 1000,
      entries: revocations.size,
      position: position && { epoch: position.epoch, sequence: position.sequence },
      connected: this.feed?.connected ?? false,
      checks: { ...this.checks },
      asks: { ...(this.asker?.outcomes ?? { valid: 0, invalid: 0, failed: 0, dropped: 0 }) },
      breakerOpen: this.asker?.breakerIsOpen ?? false,
      reconnects: this.feed?.reconnects ?? 0,
      cacheHits: this.judge.cache.hits,
      cacheMisses: this.judge.cache.misses,
    };
  }

  /** Ends the stream and writes the state file. Checks afterwards are stale. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.feed?.close();
    this.asker?.close();
    this.waiters.close();
    await this.saver?.close();
  }

  // The claims, or that only the server can tell. Throws all other verdicts.
  private examine(token: string, requirement: Requirement):
    { kind: "done"; claims: Claims } | { kind: "ask"; finding: Finding } {
    checkRequirement(requirement);
    const isFresh = this.isFreshEnoughFor(requirement);
    const finding = this.judge.examine(token, requirement);
    if (finding.kind === "refused") throw this.refused(finding.reason);
    if (isFresh && finding.kind === "good") return this.accepted(finding.token.claims);
    if (isFresh) throw this.refused("KEY_UNKNOWN");
    return this.beyondTheBound(requirement, finding);
  }

  private beyondTheBound(requirement: Requirement, finding: Finding):
    { kind: "done"; claims: Claims } | { kind: "ask"; finding: Finding } {
    const policy = requirement.policy ?? this.policy;
    if (policy === "ask-server" && this.asker) return { kind: "ask", finding };
    // An unknown key may be newer than what is known: that is no verdict.
    const isAccepted = policy === "accept" && finding.kind === "good" &&
      this.knowledge.position !== undefined && this.hasReached(requirement);
    if (isAccepted) return this.accepted(finding.token.claims);
    throw this.counted(new CheckUnavailableError("the knowledge is too old"));
  }

  private async ask(token: string, requirement: Requirement, finding: Finding):
    Promise<Claims> {
    const audience = this.judge.audienceOf(requirement);
    const answer = await this.asker!.ask({
      token,
      audience: audience ?? "",
      anyAudience: audience === undefined,
      minRevision: requirement.minRevision ?? "",
    });
    if (!answer.valid) throw new TokenError(answer.reason as TokenReason);
    // What arrived while the server was asked counts as well.
    if (finding.kind === "good") {
      if (this.judge.isRevoked(finding.token)) throw new TokenError("TOKEN_REVOKED");
      return finding.token.claims;
    }
    if (!answer.claims) throw new CheckUnavailableError("an answer without claims");
    const claims = claimsOf(answer.claims);
    const keyId = parseRawToken(token)?.keyId ?? "";
    const { revocations } = this.knowledge;
    if (revocations.hitsUnseen(keyId, claims.tokenId, claims.sessionId)) {
      throw new TokenError("TOKEN_REVOKED");
    }
    const lack = lackOfAuthority(claims, requirement);
    if (lack !== undefined) throw new TokenError(lack);
    return claims;
  }

  private isFreshEnoughFor(requirement: Requirement): boolean {
    const hasReached = this.hasReached(requirement);
    return hasReached && !this.isStale() && this.knowledge.keys !== undefined;
  }

  private isStale(): boolean {
    return this.feed !== undefined && !(this.knowledge.staleness() <= this.boundMs);
  }

  private hasReached({ minRevision }: Requirement): boolean {
    if (minRevision === undefined || minRevision === "") return true;
    return this.knowledge.progressTo(revisionOf(minRevision)) === "reached";
  }

  private openStateFile(settings: FeedSettings, issuer: string): Saver | undefined {
    const { stateFile, logger } = settings;
    if (stateFile === "") return undefined;
    const unused = readStateFile(stateFile, issuer, this.knowledge);
    if (unused !== undefined) {
      logger.warn(`ostiary: the state file ${stateFile} is ignored: ${unused}`);
    }
    return new Saver(async () => {
      const state = encodeState(issuer, this.knowledge);
      if (state === undefined) return;
      await writeStateFile(stateFile, state).catch((error: Error) =>
        logger.warn(`ostiary: the state file is not written: ${error.message}`));
    }, SAVE_EVERY_MS);
  }

  private progressed(): void {
    this.waiters.wake();
    if (!this.isClosed) this.saver?.wish();
  }

  private accepted(claims: Claims): { kind: "done"; claims: Claims } {
    this.tally("VALID");
    return { kind: "done", claims };
  }

  private refused(reason: TokenReason): TokenError {
    return this.counted(new TokenError(reason));
  }

  private async count(check: Promise<Claims>): Promise<Claims> {
    try {
      const claims = await check;
      this.tally("VALID");
      return claims;
    } catch (error) {
      throw this.counted(error as TokenError);
    }
  }

  private counted<E extends TokenError | CheckUnavailableError>(error: E): E {
    this.tally(error.reason);
    return error;
  }

  private tally(outcome: string): void {
    this.checks[outcome] = (this.checks[outcome] ?? 0) + 1;
  }
}

function revisionOf(text: string): Revision {
  const revision = parseRevision(text);
  if (revision !== undefined) return revision;
  throw new TypeError("ostiary: a revision must be one that Revoke returned");
}
