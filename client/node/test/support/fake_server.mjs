// A server that says what a test tells it to: feeds that break the rules come
// from no real one.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";

import { AuthService } from "../../dist/esm/gen/ostiary/v1/auth_service_pb.js";
import { RevocationService } from "../../dist/esm/gen/ostiary/v1/revocation_service_pb.js";
import { TokenService } from "../../dist/esm/gen/ostiary/v1/token_service_pb.js";

function definition(service) {
  return Object.fromEntries(service.methods.map((method) => [method.name, {
    path: `/${service.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
  }]));
}

/** One Watch call: what was asked, and a way to answer. */
export class Watcher {
  constructor(call) {
    this.call = call;
    this.cursor = call.request.cursor;
    this.metadata = call.metadata;
    this.ended = false;
    call.on("cancelled", () => { this.ended = true; });
  }

  send(frame) {
    const [name, value] = Object.entries(frame)[0];
    this.call.write(create(RevocationService.method.watch.output, {
      frame: { case: name, value },
    }));
    return this;
  }

  keys(...keys) {
    return this.send({ keySet: { keys } });
  }

  snapshot(more = {}) {
    return this.send({ snapshot: {
      epoch: 1, sequence: 0n, last: true, asOf: now(), cursor: "c0", ...more,
    } });
  }

  delta(from, to, entries = [], more = {}) {
    return this.send({ delta: {
      epoch: 1, from: BigInt(from), to: BigInt(to), entries, asOf: now(),
      cursor: `c${to}`, ...more,
    } });
  }

  heartbeat(sequence, more = {}) {
    return this.send({ heartbeat: {
      epoch: 1, sequence: BigInt(sequence), asOf: now(), cursor: `c${sequence}`,
      ...more,
    } });
  }

  fail(code, details = "as the test wants") {
    this.call.emit("error", { code, details });
  }
}

export class FakeServer {
  /** Set these: what is done with each call. */
  onWatch = () => {};
  onVerify = () => ({ valid: true });
  onRefresh = () => { throw Object.assign(new Error(), { code: 12 }); };
  onSignIn = this.onRefresh;
  onSignOut = () => ({});
  watchers = [];
  questions = [];
  refreshes = [];

  static async start(address = "127.0.0.1:0", credentials = undefined) {
    const fake = new FakeServer();
    await fake.listen(address, credentials);
    return fake;
  }

  async listen(address, credentials = grpc.ServerCredentials.createInsecure()) {
    this.server = new grpc.Server();
    this.server.addService(definition(RevocationService), {
      Watch: (call) => {
        const watcher = new Watcher(call);
        this.watchers.push(watcher);
        this.onWatch(watcher, this.watchers.length);
      },
    });
    const unary = (method, handle) => (call, done) => {
      Promise.resolve().then(() => handle(call.request, call))
        .then((answer) => done(null, create(method.output, answer)), done);
    };
    this.server.addService(definition(TokenService), {
      Verify: unary(TokenService.method.verify, (question) => {
        this.questions.push(question);
        return this.onVerify(question, this.questions.length);
      }),
    });
    this.server.addService(definition(AuthService), {
      SignInWithPassword: unary(AuthService.method.signInWithPassword,
        (request) => this.onSignIn(request)),
      Refresh: unary(AuthService.method.refresh, (request) => {
        this.refreshes.push(request);
        return this.onRefresh(request, this.refreshes.length);
      }),
      SignOut: unary(AuthService.method.signOut,
        (request) => this.onSignOut(request)),
    });
    this.port = await new Promise((resolve, reject) => {
      this.server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  }

  get target() {
    return `127.0.0.1:${this.port}`;
  }

  get latest() {
    return this.watchers.at(-1);
  }

  stop() {
    this.server.forceShutdown();
  }
}

export function now(offsetMs = 0) {
  return timestampFromMs(Date.now() + offsetMs);
}

/** An entry of the feed, such as `entry("tokenId", "jti_1")`. */
export function entry(kind, value, forgetMs) {
  return {
    target: { case: kind, value },
    ...(forgetMs !== undefined && { forgetTime: timestampFromMs(forgetMs) }),
  };
}

/** Until it is so, or the test fails. */
export async function eventually(condition, what = "what was waited for") {
  const end = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
