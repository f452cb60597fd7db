import { randomBytes } from "node:crypto";

import type { ServiceError } from "@grpc/grpc-js";

import { CallError, callErrorOf, SignInRequiredError } from "./call_error.js";
import { Connection, type ServerOptions } from "./connection.js";
import { AuthService } from "./gen/ostiary/v1/auth_service_pb.js";
import type { TokenSet } from "./gen/ostiary/v1/token_set_pb.js";
import { durationMs, later, SYSTEM_CLOCK, type Clock } from "./time.js";

/** What a {@link TokenClient} is built from. All times are in milliseconds. */
export interface TokenClientOptions extends ServerOptions {
  /** For one call to the server. Default: 5,000. */
  callTimeoutMs?: number;
  /**
   * Called with every new pair, before it is used: where a program that goes
   * on after a restart keeps its refresh token.
   */
  onTokens?: (tokens: Tokens) => void;
  /** For tests. Default: the system's. */
  clock?: Clock;
  /** For tests: a number from 0 to 1. Default: Math.random. */
  random?: () => number;
}

/** An identifier, its password and what is asked for. */
export interface SignIn {
  /** A username or an email. */
  identifier: string;
  /** As typed. */
  password: string;
  /** Who the access token is for. Default: the server's. */
  audience?: string;
  /** Scopes asked for, separated by spaces. Default: none. */
  scope?: string;
  /** The application. Default: the built-in public client. */
  clientId?: string;
}

/** A session's tokens, as they are now. */
export interface Tokens {
  /** Send it as `authorization: Bearer ...`. */
  readonly accessToken: string;
  /** Keep it like a password. It can be used once. */
  readonly refreshToken: string;
  /** The scopes the access token carries, separated by spaces. */
  readonly scope: string;
  /** The session. */
  readonly sessionId: string;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const EARLIEST_REFRESH = 0.6;
const LATEST_REFRESH = 0.85;
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
// Not handed out any more so shortly before its end: it has a way to go.
const MARGIN_MS = 5_000;

/**
 * Keeps a session alive: signs in, refreshes in good time, and always has an
 * access token that is good.
 *
 * It refreshes at a random moment between 60 % and 85 % of the access token's
 * life: with a fixed schedule a thief could stay in step. However many ask,
 * one refresh is under way. If its answer is lost it is tried again with the
 * same refresh token and request id, which the server takes for the same.
 *
 * Waiting for the next refresh does not keep the process alive.
 *
 * ```ts
 * const session = await TokenClient.signIn({ target: "127.0.0.1:50051" },
 *   { identifier: "ada", password: process.env.ADA_PASSWORD ?? "" });
 * fetch(url, { headers: { authorization: `Bearer ${await session.accessToken()}` } });
 * ```
 */
export class TokenClient {
  private readonly connection: Connection;
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly timeoutMs: number;
  private current: Tokens;
  private expiresAt = -Infinity; // monotonic
  private timer: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private requestId: string | undefined; // of a refresh that has no answer yet
  private isClosed = false;
  private end: SignInRequiredError | undefined;

  private constructor(
    private readonly options: TokenClientOptions,
    connection: Connection,
    refreshToken: string,
  ) {
    this.connection = connection;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.random = options.random ?? Math.random;
    this.timeoutMs = options.callTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.current = { accessToken: "", refreshToken, scope: "", sessionId: "" };
  }

  /**
   * Opens a session.
   *
   * @throws CallError such as `CREDENTIALS_REJECTED` or `RATE_LIMITED`.
   */
  static async signIn(options: TokenClientOptions, signIn: SignIn): Promise<TokenClient> {
    const connection = new Connection(options);
    const client = new TokenClient(options, connection, "");
    const sentAt = client.clock.monotonic();
    try {
      const answer = await connection.call(
        AuthService.method.signInWithPassword, { ...signIn }, client.timeoutMs);
      client.take(answer.tokens, sentAt);
      return client;
    } catch (error) {
      connection.close();
      throw error instanceof CallError ? error : callErrorOf(error as ServiceError);
    }
  }

  /** Goes on with a session whose refresh token was kept. */
  static resume(options: TokenClientOptions, refreshToken: string): TokenClient {
    return new TokenClient(options, new Connection(options), refreshToken);
  }

  /** The session's tokens as they are now; no call is made. */
  get tokens(): Tokens {
    return this.current;
  }

  /**
   * An access token that is good for some seconds at least.
   *
   * @throws SignInRequiredError if the session is over.
   * @throws CallError if it has run out and the server cannot be reached.
   */
  async accessToken(): Promise<string> {
    if (this.end) throw this.end;
    if (this.clock.monotonic() + MARGIN_MS >= this.expiresAt) await this.refresh();
    return this.current.accessToken;
  }

  /**
   * Refreshes now: after a 401, say, because a role has changed. Joins the
   * refresh that is under way, if one is.
   *
   * @throws SignInRequiredError if the session is over.
   * @throws CallError if the server cannot be reached.
   */
  refresh(): Promise<void> {
    this.refreshing ??= this.refreshPatiently().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /**
   * Ends the session, here and at the server.
   *
   * @returns a revision for {@link Verifier.waitFor}; empty if the session had
   *     ended before.
   * @throws CallError
   */
  async signOut(): Promise<string> {
    await this.refreshing?.catch(() => {});
    const { refreshToken } = this.current;
    this.end = new SignInRequiredError();
    clearTimeout(this.timer);
    try {
      const answer = await this.connection.call(
        AuthService.method.signOut, { refreshToken }, this.timeoutMs);
      return answer.revision;
    } catch (error) {
      throw callErrorOf(error as ServiceError);
    } finally {
      this.close();
    }
  }

  /** Stops refreshing. The session goes on at the server. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.connection.close();
  }

  private async refreshPatiently(): Promise<void> {
    for (let tries = 1; ; tries++) {
      if (this.end) throw this.end;
      if (this.isClosed) throw new CallError("CLOSED", "the client is closed", false);
      try {
        return await this.refreshOnce();
      } catch (error) {
        const failure = this.failed(error as Error);
        if (!failure.isTransient || tries === MAX_TRIES) throw failure;
        await this.pause(tries, failure.retryAfterMs ?? 0);
      }
    }
  }

  private async refreshOnce(): Promise<void> {
    this.requestId ??= randomBytes(24).toString("base64url");
    const sentAt = this.clock.monotonic();
    const answer = await this.connection.call(AuthService.method.refresh, {
      refreshToken: this.current.refreshToken,
      requestId: this.requestId,
    }, this.timeoutMs);
    this.take(answer.tokens, sentAt);
  }

  private failed(error: Error): CallError {
    const failure =
      error instanceof CallError ? error : callErrorOf(error as ServiceError);
    if (failure instanceof SignInRequiredError) {
      this.end = failure;
      clearTimeout(this.timer);
    }
    return failure;
  }

  private pause(tries: number, atLeastMs: number): Promise<void> {
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
    const ms = Math.max(atLeastMs, this.random() * most);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  // Both tokens at once: one without the other is a session that ends soon.
  private take(tokens: TokenSet | undefined, sentAt: number): void {
    if (!tokens?.accessToken || !tokens.refreshToken) {
      throw new CallError("INTERNAL", "the answer holds no tokens", true);
    }
    const { accessToken, refreshToken, scope, sessionId } = tokens;
    const lifetime = durationMs(tokens.expiresIn);
    this.current = { accessToken, refreshToken, scope, sessionId };
    this.requestId = undefined;
    this.expiresAt = sentAt + lifetime;
    this.refreshLater(lifetime);
    this.options.onTokens?.(this.current);
  }

  private refreshLater(lifetimeMs: number): void {
    clearTimeout(this.timer);
    if (this.isClosed) return;
    const share =
      EARLIEST_REFRESH + (LATEST_REFRESH - EARLIEST_REFRESH) * this.random();
    this.timer = later(lifetimeMs * share, () => this.refreshInTheBackground());
  }

  // A failure is told to whoever asks for a token that has run out.
  private refreshInTheBackground(): void {
    this.refresh().catch((error: CallError) => {
      if (error.isTransient && !this.isClosed) {
        this.timer = later(LONGEST_PAUSE_MS, () => this.refreshInTheBackground());
      }
    });
  }
}
