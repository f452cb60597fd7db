import { WaitError } from "./errors.js";
import { later } from "./time.js";

/** Whether a wait is over; throws if it never will be. */
type Condition = () => boolean;

interface Waiter {
  readonly condition: Condition;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Callers who wait until something is so. */
export class Waiters {
  private readonly waiting = new Set<Waiter>();

  /** @throws WaitError `TIMEOUT`, or what `condition` throws. */
  until(condition: Condition, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(waiter);
        reject(new WaitError("TIMEOUT"));
      }, timeoutMs);
      const waiter: Waiter = {
        condition,
        resolve: () => (clearTimeout(timer), resolve()),
        reject: (error) => (clearTimeout(timer), reject(error)),
      };
      this.waiting.add(waiter);
      this.look(waiter);
    });
  }

  /** Looks again at all of them. */
  wake(): void {
    for (const waiter of this.waiting) this.look(waiter);
  }

  /** Ends all waits. */
  close(): void {
    for (const waiter of this.waiting) waiter.reject(new WaitError("CLOSED"));
    this.waiting.clear();
  }

  private look(waiter: Waiter): void {
    try {
      if (!waiter.condition()) return;
      waiter.resolve();
    } catch (error) {
      waiter.reject(error as Error);
    }
    this.waiting.delete(waiter);
  }
}

/** Saves at most once in a while, and never twice at a time. */
export class Saver {
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly save: () => Promise<void>,
    private readonly everyMs: number,
  ) {}

  /** There is something new: it will be saved within `everyMs`. */
  wish(): void {
    this.timer ??= later(this.everyMs, () => {
      this.timer = undefined;
      this.now().catch(() => {});
    });
  }

  now(): Promise<void> {
    this.saving = this.saving.then(this.save);
    return this.saving;
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.now();
  }
}
