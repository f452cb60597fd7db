// jose verifies a token with the published keys, as a Node service would.
//   node jwks.mjs JWKS_URL ISSUER AUDIENCE  < token
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [url, issuer, audience] = process.argv.slice(2);
const token = readFileSync(0, "utf8").trim();
const keys = createRemoteJWKSet(new URL(url));

async function judge(expectations) {
  try {
    const { payload } = await jwtVerify(token, keys, expectations);
    return { subject: payload.sub };
  } catch (error) {
    return { error: error.code, claim: error.claim };
  }
}

console.log(JSON.stringify({
  right: await judge({ issuer, audience, typ: "at+jwt" }),
  audience: await judge({ issuer, audience: "elsewhere", typ: "at+jwt" }),
  issuer: await judge({ issuer: "http://elsewhere", audience, typ: "at+jwt" }),
  type: await judge({ issuer, audience, typ: "JWT" }),
}));
