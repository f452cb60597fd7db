import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** Where the time comes from. Tests give their own. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock says. */
  wall(): number;
  /** Milliseconds since some moment; never goes back. */
  monotonic(): number;
}

/** The system's. */
export const SYSTEM_CLOCK: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};

export function timestampMs(time: Timestamp): number {
  return Number(time.seconds) * 1000 + time.nanos / 1e6;
}

export function durationMs(duration: Duration | undefined): number {
  if (duration === undefined) return 0;
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** Runs `action` later without keeping the process alive for it. */
export function later(ms: number, action: () => void): NodeJS.Timeout {
  const timer = setTimeout(action, ms);
  timer.unref();
  return timer;
}
