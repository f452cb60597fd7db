import { TestIssuer } from "../../dist/esm/testing.js";
import { Verifier } from "../../dist/esm/index.js";
import { FakeServer } from "./fake_server.mjs";

export const ISSUER = "https://issuer.test";
export const QUIET = { warn() {}, error() {} };

/** A logger that remembers. */
export class Log {
  warnings = [];
  errors = [];
  warn = (text) => this.warnings.push(text);
  error = (text) => this.errors.push(text);
}

export class FakeClock {
  wallMs = 1_700_000_000_000;
  monotonicMs = 5_000;
  wall = () => this.wallMs;
  monotonic = () => this.monotonicMs;
  advance(ms) {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

/** A server, an issuer and verifiers that end with the test. */
export async function scene(t, options = {}) {
  const server = await FakeServer.start();
  const issuer = new TestIssuer({ issuer: ISSUER });
  server.onWatch = (watcher) => watcher.keys(...issuer.jwks().keys).snapshot();
  t.after(() => server.stop());
  const open = (more = {}) => {
    const verifier = new Verifier({
      target: server.target, issuer: ISSUER, logger: QUIET, ...options, ...more,
    });
    t.after(() => verifier.close());
    return verifier;
  };
  return { server, issuer, open };
}

/** The reason a check is refused with; "VALID" if it is not. */
export async function verdict(verifier, token, requirement) {
  try {
    await verifier.verify(token, requirement);
    return "VALID";
  } catch (error) {
    if (error.reason === undefined) throw error;
    return error.reason;
  }
}
