import type { Clock } from "./time.js";

const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 1000;
const LONGEST_OPEN_MS = 30_000;
const JITTER = 0.2;

/**
 * Keeps a feed outage from becoming a stampede: after five failures in a row
 * nobody asks for a while; then one ask is let through to probe.
 */
export class Breaker {
  private failures = 0;
  private openings = 0;
  private openUntil = -Infinity;
  private isProbing = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {}

  get isOpen(): boolean {
    return this.openings > 0;
  }

  /** True if the caller may ask; then `succeeded` or `failed` must follow. */
  admits(): boolean {
    if (!this.isOpen) return true;
    if (this.isProbing || this.clock.monotonic() < this.openUntil) return false;
    this.isProbing = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.openings = 0;
    this.isProbing = false;
  }

  /** @returns true if this failure opened the breaker. */
  failed(): boolean {
    this.failures++;
    if (this.isOpen && !this.isProbing) return false; // began before it opened
    if (this.failures < FAILURES_TO_OPEN) return false;
    const open = Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** this.openings);
    this.openUntil = this.clock.monotonic() + open * (1 + JITTER * this.random());
    this.openings++;
    this.isProbing = false;
    return true;
  }
}
