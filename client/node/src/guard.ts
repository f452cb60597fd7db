import type { IncomingMessage } from "node:http";

import { CheckUnavailableError, TokenError } from "./errors.js";
import type { Claims } from "./claims.js";
import type { Requirement } from "./judge.js";
import type { Verifier } from "./verifier.js";

/** An HTTP answer that turns a request away (RFC 6750 section 3). */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string; readonly reason: string };
}

/** What came of a request: who is asking, or the answer to give. */
export type Admission =
  | { readonly claims: Claims }
  | { readonly refusal: Refusal };

/**
 * Looks at the `authorization` header alone: tokens in the query end in logs.
 *
 * @throws whatever is neither a verdict nor "nobody knows".
 */
export async function admit(
  verifier: Verifier,
  requirement: Requirement,
  request: Pick<IncomingMessage, "headers" | "rawHeaders">,
): Promise<Admission> {
  // Node reads the first of two, a proxy may have checked the second.
  if (countAuthorizations(request) > 1) return { refusal: TWO_TOKENS };
  const token = bearerToken(request.headers.authorization);
  if (token === undefined) return { refusal: NO_TOKEN };
  try {
    return { claims: await verifier.verify(token, requirement) };
  } catch (error) {
    const refusal = refusalFor(error, requirement);
    if (refusal === undefined) throw error;
    return { refusal };
  }
}

const TWO_TOKENS: Refusal = {
  status: 400,
  headers: { "www-authenticate": 'Bearer error="invalid_request"' },
  body: { error: "invalid_request", reason: "TOKEN_AMBIGUOUS" },
};

// Without an error code: there was nothing wrong with a token.
const NO_TOKEN: Refusal = {
  status: 401,
  headers: { "www-authenticate": "Bearer" },
  body: { error: "invalid_request", reason: "TOKEN_MISSING" },
};

function refusalFor(error: unknown, requirement: Requirement): Refusal | undefined {
  if (error instanceof CheckUnavailableError) {
    return {
      status: 503,
      headers: { "retry-after": "1" },
      body: { error: "temporarily_unavailable", reason: error.reason },
    };
  }
  if (!(error instanceof TokenError)) return undefined;
  const { reason } = error;
  if (!error.lacksAuthority) {
    return {
      status: 401,
      headers: { "www-authenticate":
        `Bearer error="invalid_token", error_description="${reason}"` },
      body: { error: "invalid_token", reason },
    };
  }
  return {
    status: 403,
    headers: { "www-authenticate":
      'Bearer error="insufficient_scope"' + scopeAttribute(requirement) },
    body: { error: "insufficient_scope", reason },
  };
}

// RFC 6750 section 3: no quotes or backslashes in a scope.
function scopeAttribute({ scopes = [] }: Requirement): string {
  const scope = scopes.join(" ");
  const isQuotable = /^[\x21\x23-\x5b\x5d-\x7e ]+$/.test(scope);
  return isQuotable ? `, scope="${scope}"` : "";
}

function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([^ ]+) *$/i.exec(header ?? "")?.[1];
}

function countAuthorizations({ rawHeaders = [] }: { rawHeaders?: string[] }): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].toLowerCase() === "authorization") count++;
  }
  return count;
}
