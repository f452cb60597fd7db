/**
 * Express middleware.
 *
 * @packageDocumentation
 */
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Claims } from "./claims.js";
import { admit } from "./guard.js";
import { checkRequirement, type Requirement } from "./judge.js";
import type { Verifier } from "./verifier.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** What the request's token says; set by `requireToken`. */
      claims?: Claims;
    }
  }
}

/** A middleware as Express takes it (and Connect, and node:http by hand). */
export type Middleware = (
  request: IncomingMessage & { claims?: Claims },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Lets through only requests with a good token and sets `request.claims`.
 *
 * Others are answered 401 (no token, or a bad one), 403 (it lacks a scope or
 * role) or 503 (nobody knows now), with `WWW-Authenticate` and a JSON body
 * `{error, reason}`.
 *
 * ```ts
 * app.get("/notes", requireToken(verifier, { scopes: ["notes:read"] }),
 *   (request, response) => response.json(notesOf(request.claims!.subject)));
 * ```
 *
 * @throws TypeError if the requirement is not one.
 */
export function requireToken(
  verifier: Verifier,
  requirement: Requirement = {},
): Middleware {
  checkRequirement(requirement);
  return (request, response, next) => {
    delete request.claims;
    admit(verifier, requirement, request).then((admission) => {
      if ("claims" in admission) {
        request.claims = admission.claims;
        return next();
      }
      const { status, headers, body } = admission.refusal;
      response.writeHead(status, { ...headers, "content-type": "application/json" });
      response.end(JSON.stringify(body));
      return undefined;
    }, next);
  };
}
