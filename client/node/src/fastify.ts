/**
 * Fastify plugin.
 *
 * @packageDocumentation
 */
import type {
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
} from "fastify";

import type { Claims } from "./claims.js";
import { admit } from "./guard.js";
import { checkRequirement, type Requirement } from "./judge.js";
import type { Verifier } from "./verifier.js";

/** A hook that lets through only requests with a good token. */
export type TokenHook = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply | undefined>;

declare module "fastify" {
  interface FastifyRequest {
    /** What the request's token says; null before the hook has run. */
    claims: Claims | null;
  }
  interface FastifyInstance {
    /** Makes a hook; for `onRequest`, so that no body of a stranger is read. */
    requireToken(requirement?: Requirement): TokenHook;
  }
}

/** For `fastify.register`. */
export interface OstiaryPluginOptions {
  /** Not closed with Fastify: it may serve others too. */
  verifier: Verifier;
}

/**
 * Gives Fastify `requireToken` and requests `claims`.
 *
 * Requests without a good token are answered 401 (no token, or a bad one), 403
 * (it lacks a scope or role) or 503 (nobody knows now), with
 * `WWW-Authenticate` and a JSON body `{error, reason}`.
 *
 * ```ts
 * await app.register(ostiary, { verifier });
 * app.get("/notes", { onRequest: app.requireToken({ scopes: ["notes:read"] }) },
 *   (request) => notesOf(request.claims!.subject));
 * ```
 */
export const ostiary: FastifyPluginCallback<OstiaryPluginOptions> = (
  app: FastifyInstance,
  { verifier }: OstiaryPluginOptions,
  done: (error?: Error) => void,
): void => {
  app.decorateRequest("claims", null);
  app.decorate("requireToken", (requirement: Requirement = {}) => {
    checkRequirement(requirement);
    return (request: FastifyRequest, reply: FastifyReply) =>
      guard(verifier, requirement, request, reply);
  });
  done();
};

// Fastify's sign that a plugin decorates the instance that registers it.
Object.assign(ostiary, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "ostiary",
});

export default ostiary;

async function guard(
  verifier: Verifier,
  requirement: Requirement,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const admission = await admit(verifier, requirement, request.raw);
  if ("claims" in admission) {
    request.claims = admission.claims;
    return undefined;
  }
  const { status, headers, body } = admission.refusal;
  return reply.code(status).headers(headers).send(body);
}
