import type { Timestamp } from "@bufbuild/protobuf/wkt";

import type {
  RevocationDelta,
  RevocationHeartbeat,
  RevocationSnapshot,
  WatchResponse,
} from "./gen/ostiary/v1/revocation_service_pb.js";
import { KeySet } from "./keys.js";
import { RevocationSet } from "./revocation_set.js";
import type { Revision } from "./revision.js";
import { timestampMs, type Clock } from "./time.js";

/** Up to where everything has been applied. */
export interface Position extends Revision {
  /** Where to continue from. */
  readonly cursor: string;
}

/**
 * What a frame did. `current`: what is known is as new as the frame's `as_of`.
 * `gap`: it does not continue from where we stand, so the stream is of no use.
 */
export type Effect = "current" | "none" | "gap";

// Sweeping what is forgotten costs a walk over all entries.
const SWEEP_EVERY_MS = 10_000;

/**
 * The keys, the revocations and how old they are. Knows nothing of streams:
 * frames come in, and whether and when they are applied is decided here.
 */
export class Knowledge {
  readonly revocations = new RevocationSet();
  /** Undefined before the first key set. */
  keys: KeySet | undefined;
  /** Called when the keys were replaced. */
  onKeys: () => void = () => {};
  /** Called when the position or `as_of` moved. */
  onProgress: () => void = () => {};

  private standing: Position | undefined;
  private readonly reached = new Map<number, bigint>();
  private asOfMs = -Infinity;
  private asOfArrival = -Infinity; // monotonic
  private nextSweep = 0; // monotonic

  constructor(private readonly clock: Clock) {}

  /** Undefined before the first complete snapshot. */
  get position(): Position | undefined {
    return this.standing;
  }

  /** Milliseconds since 1970: every revocation acknowledged before is known. */
  get asOf(): number {
    return this.asOfMs;
  }

  /**
   * How old the knowledge may be, in ms. The wall clock counts time asleep or
   * a frame long on its way; the monotonic one cannot be set back.
   */
  staleness(): number {
    if (this.standing === undefined) return Infinity;
    return Math.max(0, this.clock.wall() - this.asOfMs,
      this.clock.monotonic() - this.asOfArrival);
  }

  /** `lost`: of a past epoch, and not reached in it. */
  progressTo(revision: Revision): "reached" | "coming" | "lost" {
    const known = this.reached.get(revision.epoch);
    if (known !== undefined && known >= revision.sequence) return "reached";
    const isPast = this.standing !== undefined && revision.epoch < this.standing.epoch;
    return isPast ? "lost" : "coming";
  }

  /** @throws Error if the frame breaks the rules of its form. */
  apply(response: WatchResponse): Effect {
    const { frame } = response;
    switch (frame.case) {
      case "keySet":
        return this.replaceKeys(KeySet.of(frame.value.keys, this.keys));
      case "snapshot":
        return this.mergeSnapshot(frame.value);
      case "delta":
        return this.applyDelta(frame.value);
      case "heartbeat":
        return this.hear(frame.value);
      case undefined:
        return "none"; // a kind of frame from a newer server
    }
  }

  /** Takes what an earlier process knew. */
  restore(keys: KeySet, position: Position, asOfMs: number): void {
    this.replaceKeys(keys);
    // A file from the future says nothing about how old it is.
    const isPossible = asOfMs <= this.clock.wall();
    this.moveTo(position, isPossible ? asOfMs : -Infinity);
  }

  /** @throws Error if there is no such set. */
  replaceKeys(keys: KeySet | undefined): Effect {
    if (keys === undefined) throw new Error("two keys have one kid");
    this.keys = keys;
    this.onKeys();
    return "none";
  }

  private mergeSnapshot(part: RevocationSnapshot): Effect {
    for (const entry of part.entries) this.revocations.merge(entry);
    for (const set of part.fingerprintSets) this.revocations.mergeSet(set);
    if (!part.last) return "none";
    this.revocations.fingerprints.compact();
    const { epoch, sequence, cursor } = part;
    this.moveTo({ epoch, sequence, cursor }, asOf(part.asOf));
    return "current";
  }

  private applyDelta(delta: RevocationDelta): Effect {
    const at = this.standing;
    if (at === undefined || delta.epoch !== at.epoch) return "gap";
    if (delta.from !== at.sequence || delta.to < delta.from) {
      return delta.to <= at.sequence ? "none" : "gap";
    }
    for (const entry of delta.entries) this.revocations.merge(entry);
    const { epoch, to, cursor } = delta;
    this.moveTo({ epoch, sequence: to, cursor }, asOf(delta.asOf));
    return "current";
  }

  private hear(heartbeat: RevocationHeartbeat): Effect {
    const at = this.standing;
    const { epoch, sequence, cursor } = heartbeat;
    if (at === undefined || epoch !== at.epoch || sequence !== at.sequence) {
      return "none";
    }
    this.moveTo({ epoch, sequence, cursor: cursor || at.cursor }, asOf(heartbeat.asOf));
    return "current";
  }

  /** Everything up to `position` has been merged; `as_of` never moves back. */
  moveTo(position: Position, asOfMs: number): void {
    this.standing = position;
    const { epoch, sequence } = position;
    const known = this.reached.get(epoch);
    if (known === undefined || known < sequence) this.reached.set(epoch, sequence);
    if (asOfMs > this.asOfMs) {
      this.asOfMs = asOfMs;
      this.asOfArrival = this.clock.monotonic();
    }
    this.sweep();
    this.onProgress();
  }

  private sweep(): void {
    if (this.clock.monotonic() < this.nextSweep) return;
    this.nextSweep = this.clock.monotonic() + SWEEP_EVERY_MS;
    // By both clocks: one that is wrong alone must not un-revoke anything.
    this.revocations.forget(Math.min(this.clock.wall(), this.asOfMs));
  }
}

function asOf(time: Timestamp | undefined): number {
  return time === undefined ? -Infinity : timestampMs(time);
}
