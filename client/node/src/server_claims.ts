import type { Claims } from "./claims.js";
import type { TokenClaims } from "./gen/ostiary/v1/token_service_pb.js";
import { timestampMs } from "./time.js";

/** What the server says a token says. It leaves out `gen` and `nbf`. */
export function claimsOf(said: TokenClaims): Claims {
  return Object.freeze({
    issuer: said.issuer,
    subject: said.subject,
    audiences: Object.freeze(said.audiences),
    clientId: said.clientId,
    sessionId: said.sessionId,
    tokenId: said.tokenId,
    issueTime: said.issueTime ? timestampMs(said.issueTime) / 1000 : 0,
    expireTime: said.expireTime ? timestampMs(said.expireTime) / 1000 : 0,
    notBefore: undefined,
    authTime: undefined,
    scopes: Object.freeze(said.scopes),
    roles: Object.freeze(said.roles),
    authMethods: Object.freeze([]),
    generation: undefined,
    extra: Object.freeze({ ...said.extra }),
  });
}
