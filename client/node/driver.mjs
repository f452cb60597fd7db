// One verifier behind lines of JSON, for tests/behaviour (see its README.md).
// Runs from the built package: `node build.mjs` first.
import { createInterface } from "node:readline";
import { setImmediate as breathe } from "node:timers/promises";

import { CheckUnavailableError, TokenError, Verifier, WaitError } from "ostiary";

let verifier;

const commands = {
  async open({ target, issuer, ...given }) {
    await verifier?.close();
    verifier = new Verifier({
      target,
      issuer,
      ...(given.audience && { audience: given.audience }),
      ...(given.policy && { policy: given.policy }),
      ...(given.staleness_ms !== undefined && { stalenessBoundMs: given.staleness_ms }),
      ...(given.leeway_ms !== undefined && { leewayMs: given.leeway_ms }),
      ...(given.ask_timeout_ms !== undefined && { askTimeoutMs: given.ask_timeout_ms }),
      ...(given.state_file && { stateFile: given.state_file }),
      ...(given.silence_ms && { silenceMs: given.silence_ms }),
      logger: { warn: console.error, error: console.error },
    });
    return { ok: true };
  },

  async verify({ token, ...given }) {
    try {
      const claims = await verifier.verify(token, requirement(given));
      return {
        valid: true,
        subject: claims.subject,
        session_id: claims.sessionId,
        scopes: claims.scopes,
        roles: claims.roles,
      };
    } catch (error) {
      return { valid: false, reason: reasonOf(error) };
    }
  },

  async wait_for({ revision, timeout_ms }) {
    return reached("reached", verifier.waitFor(revision, timeout_ms));
  },

  async wait_ready({ timeout_ms }) {
    return reached("ready", verifier.ready(timeout_ms));
  },

  async spin({ token, until_reason, timeout_ms, ...given }) {
    const end = performance.now() + timeout_ms;
    const wanted = requirement(given);
    for (let checks = 1; ; checks++) {
      const reason = await outcome(token, wanted);
      if (reason === until_reason) {
        return { seen: true, at_unix_us: nowMicros(), checks };
      }
      if (performance.now() > end) {
        return { seen: false, at_unix_us: nowMicros(), checks };
      }
      await breathe(); // frames are read between two turns of the event loop
    }
  },

  async status() {
    const stats = verifier.stats();
    const { valid, invalid, failed } = stats.asks;
    const isKnown = Number.isFinite(stats.stalenessSeconds);
    return {
      staleness_ms: isKnown ? Math.round(stats.stalenessSeconds * 1000) : -1,
      entries: stats.entries,
      epoch: stats.position?.epoch ?? 0,
      sequence: Number(stats.position?.sequence ?? 0n),
      connected: stats.connected,
      asks: valid + invalid + failed,
      reconnects: stats.reconnects,
      breaker_open: stats.breakerOpen,
    };
  },

  async close() {
    await verifier?.close();
    verifier = undefined;
    return { ok: true };
  },
};

function requirement({ policy, scopes, roles, min_revision, any_audience }) {
  return {
    ...(policy && { policy }),
    ...(scopes && { scopes }),
    ...(roles && { roles }),
    ...(min_revision && { minRevision: min_revision }),
    ...(any_audience && { anyAudience: true }),
  };
}

async function outcome(token, wanted) {
  try {
    await verifier.verify(token, wanted);
    return "";
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error) {
  if (error instanceof TokenError || error instanceof CheckUnavailableError) {
    return error.reason;
  }
  throw error;
}

async function reached(name, wait) {
  try {
    await wait;
    return { [name]: true };
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    return { [name]: false, reason: error.reason };
  }
}

function nowMicros() {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

async function answer(line) {
  try {
    const { op, ...given } = JSON.parse(line);
    if (!Object.hasOwn(commands, op)) return { error: `no such command: ${op}` };
    return await commands[op](given);
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(line)) + "\n");
}
await verifier?.close();
