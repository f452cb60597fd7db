// Never run: it shows that the types fit Express, Fastify and strict settings.
import express from "express";
import Fastify from "fastify";
import {
  TokenClient,
  TokenError,
  Verifier,
  type Claims,
  type Policy,
  type TokenReason,
} from "ostiary";
import { requireToken } from "ostiary/express";
import ostiary from "ostiary/fastify";
import { TestIssuer } from "ostiary/testing";

const policy: Policy = "refuse";
const verifier: Verifier = await Verifier.connect({
  target: "127.0.0.1:50051", issuer: "http://127.0.0.1:8080", policy,
  tls: { rootCertificates: "-----BEGIN" }, bearerToken: async () => "t",
});

const app = express();
app.use(requireToken(verifier));
app.get("/", requireToken(verifier, { scopes: ["a"] }), (request, response) => {
  const claims: Claims | undefined = request.claims;
  response.json(claims?.subject);
});

const fastify = Fastify();
await fastify.register(ostiary, { verifier });
fastify.get("/", { onRequest: fastify.requireToken({ roles: ["admin"] }) },
  async (request) => request.claims?.subject);
// @ts-expect-error a verifier is needed
await fastify.register(ostiary, {});
// @ts-expect-error not a list
await verifier.verify("t", { scopes: "admin" });
// @ts-expect-error claims are not to be changed
(await verifier.verify("t")).subject = "me";

try {
  verifier.verifyLocal("t", { minRevision: "rev_" });
} catch (error) {
  if (error instanceof TokenError) {
    const reason: TokenReason = error.reason;
    console.log(reason);
  }
}
const client: TokenClient = TokenClient.resume({ target: "unix:/run/o.sock" }, "ort_");
const issuer = new TestIssuer({ algorithm: "EdDSA" });
const fresh: Verifier = issuer.verifier({ leewayMs: 0 });
console.log(await client.accessToken(), fresh.stats().position?.sequence);
