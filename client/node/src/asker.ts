import { Breaker } from "./breaker.js";
import { Connection, type ServerOptions } from "./connection.js";
import { CheckUnavailableError } from "./errors.js";
import {
  TokenService,
  type VerifyRequest,
  type VerifyResponse,
} from "./gen/ostiary/v1/token_service_pb.js";
import type { Clock } from "./time.js";

/** What may be asked. */
export type Question = Pick<
  VerifyRequest, "token" | "audience" | "anyAudience" | "minRevision">;

const MAX_UNDER_WAY = 16;

/** Asks the server about a token, within bounds. */
export class Asker {
  /** How the asks ended. `dropped` were not sent. */
  readonly outcomes = { valid: 0, invalid: 0, failed: 0, dropped: 0 };
  private readonly breaker: Breaker;
  private connection: Connection | undefined;
  private underWay = 0;
  private isClosed = false;

  constructor(
    private readonly server: ServerOptions,
    private readonly timeoutMs: number,
    clock: Clock,
  ) {
    this.breaker = new Breaker(clock);
  }

  get breakerIsOpen(): boolean {
    return this.breaker.isOpen;
  }

  /** @throws CheckUnavailableError if there is no verdict. */
  async ask(question: Question): Promise<VerifyResponse> {
    if (this.isClosed) throw this.drop("the verifier is closed");
    if (this.underWay >= MAX_UNDER_WAY) throw this.drop("too many are asking");
    if (!this.breaker.admits()) throw this.drop("the server does not answer");
    this.underWay++;
    try {
      return this.heard(await this.send(question));
    } catch (error) {
      throw this.failed(error as Error);
    } finally {
      this.underWay--;
    }
  }

  close(): void {
    this.isClosed = true;
    this.disconnect();
  }

  private disconnect(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  private send(question: Question): Promise<VerifyResponse> {
    this.connection ??= new Connection(this.server);
    return this.connection.call(
      TokenService.method.verify, question, this.timeoutMs);
  }

  private heard(answer: VerifyResponse): VerifyResponse {
    this.breaker.succeeded();
    this.outcomes[answer.valid ? "valid" : "invalid"]++;
    return answer;
  }

  private failed(error: Error): CheckUnavailableError {
    this.outcomes.failed++;
    // The connection may be half-open: the next ask gets another one.
    if (this.breaker.failed()) this.disconnect();
    return new CheckUnavailableError(error.message);
  }

  private drop(why: string): CheckUnavailableError {
    this.outcomes.dropped++;
    return new CheckUnavailableError(why);
  }
}
