import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real server in a directory of its own. */
export class Ostiaryd {
  static async start(t, programs) {
    const server = new Ostiaryd();
    server.programs = programs;
    server.folder = mkdtempSync(join(tmpdir(), "ostiary-node-"));
    server.httpPort = await freePort();
    server.issuer = `http://127.0.0.1:${server.httpPort}`;
    t.after(() => {
      server.process?.kill("SIGKILL");
      rmSync(server.folder, { recursive: true, force: true });
    });
    await server.launch(`127.0.0.1:${await freePort()}`);
    return server;
  }

  async launch(grpcListen) {
    this.process = spawn(join(this.programs, "ostiaryd"), [
      `--data-dir=${join(this.folder, "data")}`, `--grpc-listen=${grpcListen}`,
      `--http-listen=127.0.0.1:${this.httpPort}`, "--ops-listen=127.0.0.1:0",
      `--issuer=${this.issuer}`, "--hash-memory-kib=8192", "--hash-iterations=1",
    ], { stdio: ["ignore", "pipe", "ignore"] });
    let greeting = "";
    for await (const text of this.process.stdout) {
      greeting += text;
      if (greeting.includes("\nTry:\n")) break;
    }
    this.target = /gRPC +(\S+)/.exec(greeting)?.[1];
    if (!this.target) throw new Error("ostiaryd did not start:\n" + greeting);
  }

  async stop() {
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }

  /** One call over HTTP. */
  async call(method, message) {
    const response = await fetch(`${this.issuer}/ostiary.v1.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(body));
    return body;
  }
}

// One that is still free when the server is started again: the kernel gives the
// ports of its own range to everybody who connects to something.
async function freePort() {
  const kernels = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  for (;;) {
    const port = randomInt(10_000, Number.parseInt(kernels, 10));
    const probe = createServer().listen(port, "127.0.0.1");
    const taken = await once(probe, "listening").then(() => false, () => true);
    probe.close();
    if (!taken) return port;
  }
}
