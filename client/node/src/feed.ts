import { status as Code, type ClientReadableStream } from "@grpc/grpc-js";

import { Connection, type ServerOptions } from "./connection.js";
import {
  RevocationService,
  type WatchResponse,
} from "./gen/ostiary/v1/revocation_service_pb.js";
import type { Knowledge } from "./knowledge.js";
import { later, type Clock } from "./time.js";

/** Where warnings go. `console` is one. */
export interface Logger {
  warn(message: string): void;
  error(message: string): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const REFUSED_PAUSE_MS = 10_000;
// A server that ends streams faster than this does not get the next at once.
const ORDERLY_STREAM_MS = 1000;

/** How long to wait before the try after `failures` that failed in a row. */
export function pauseBeforeRetry(failures: number, random: number): number {
  return random * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}

/**
 * Keeps a Watch stream open and puts its frames into `knowledge`. Every stream
 * has a connection of its own: a stream opened again over a half-open
 * connection would be as silent as the first.
 */
export class Feed {
  /** True while a stream is up and has brought frames. */
  connected = false;
  /** How many times a stream was lost and opened again. */
  reconnects = 0;

  private connection: Connection | undefined;
  private stream: ClientReadableStream<WatchResponse> | undefined;
  private silence: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;
  private attempt = 0;
  private failures = 0;
  private openedAt = 0;
  private hasFlowed = false;
  private outageIsLogged = false;

  constructor(
    private readonly server: ServerOptions,
    private readonly knowledge: Knowledge,
    private readonly silenceMs: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    void this.open();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.abandon();
  }

  private async open(): Promise<void> {
    const { attempt } = this;
    this.hasFlowed = false;
    this.openedAt = this.clock.monotonic();
    this.listenForSilence(attempt);
    try {
      const connection = new Connection(this.server);
      this.connection = connection;
      const stream = await connection.stream(RevocationService.method.watch, {
        cursor: this.knowledge.position?.cursor ?? "",
        compact: true,
      });
      if (attempt !== this.attempt || this.closed) {
        stream.on("error", () => {}).cancel();
        return;
      }
      this.follow(stream, attempt);
    } catch (error) {
      this.lost(attempt, undefined, String(error));
    }
  }

  private follow(stream: ClientReadableStream<WatchResponse>, attempt: number): void {
    this.stream = stream;
    stream.on("data", (frame: WatchResponse) => {
      if (attempt === this.attempt) this.take(frame, attempt);
    });
    stream.on("error", (error: Error & { code?: number; details?: string }) => {
      this.lost(attempt, error.code, error.details ?? error.message);
    });
    stream.on("end", () => this.lost(attempt, Code.UNAVAILABLE, "it has ended"));
  }

  private take(frame: WatchResponse, attempt: number): void {
    this.listenForSilence(attempt);
    this.connected = true;
    try {
      const effect = this.knowledge.apply(frame);
      if (effect === "gap") return this.lost(attempt, undefined, "a gap in it");
      if (effect === "current") this.isFlowing();
    } catch (error) {
      this.lost(attempt, undefined, (error as Error).message);
    }
  }

  private isFlowing(): void {
    this.hasFlowed = true;
    this.failures = 0;
    if (!this.outageIsLogged) return;
    this.outageIsLogged = false;
    this.logger.warn("ostiary: the revocation feed is back");
  }

  private listenForSilence(attempt: number): void {
    clearTimeout(this.silence);
    this.silence = later(this.silenceMs, () =>
      this.lost(attempt, undefined, "silence"));
  }

  // Called for the end of every stream; only the current one counts.
  private lost(attempt: number, code: number | undefined, why: string): void {
    if (attempt !== this.attempt || this.closed) return;
    this.attempt++; // whatever this stream still says is not heard
    const lived = this.clock.monotonic() - this.openedAt;
    this.abandon();
    const pause = this.pauseAfter(code, lived);
    this.log(code, why, pause);
    this.reconnects++;
    this.retry = later(pause, () => void this.open());
  }

  private pauseAfter(code: number | undefined, lived: number): number {
    if (isRefused(code)) return REFUSED_PAUSE_MS;
    const isOrderly =
      code === Code.UNAVAILABLE && this.hasFlowed && lived >= ORDERLY_STREAM_MS;
    if (isOrderly) return 0;
    return pauseBeforeRetry(this.failures++, Math.random());
  }

  private log(code: number | undefined, why: string, pause: number): void {
    if (isRefused(code)) {
      this.logger.error(
        `ostiary: the server refuses the revocation feed (${why}); check the ` +
        "credentials. Revocations are not seen until this is mended.");
    } else if (pause > 0 && !this.outageIsLogged) {
      this.logger.warn(`ostiary: the revocation feed is lost: ${why}`);
    } else {
      return;
    }
    this.outageIsLogged = true;
  }

  private abandon(): void {
    clearTimeout(this.silence);
    this.connected = false;
    this.stream?.cancel();
    this.stream = undefined;
    this.connection?.close();
    this.connection = undefined;
  }
}

function isRefused(code: number | undefined): boolean {
  return code === Code.UNAUTHENTICATED || code === Code.PERMISSION_DENIED;
}
