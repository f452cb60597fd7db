// A provider with sign-in by password, a small configuration of ours.
//
// oidc-provider brings no users: they are in a map here, with argon2id. The
// grant "password" is registered as its documentation tells how to add grants,
// so that a sign-in is one request, as it is with the other peers. Everything
// it stores is in a map too and lost at exit (its own in-memory adapter holds
// a thousand entries only, fewer than a round makes).

import { generateKeyPairSync } from 'node:crypto';

import argon2 from 'argon2';
import Provider, { errors } from 'oidc-provider';

const { PORT, USERS, PASSWORD, PASSES, MEMORY_KIB, TOKEN_SECONDS, SECRET } = process.env;
const cost = { type: argon2.argon2id, memoryCost: +MEMORY_KIB, timeCost: +PASSES, parallelism: 1 };

const users = new Map();
const hash = await argon2.hash(PASSWORD, cost);
for (const name of USERS.split(' ')) users.set(name, hash);

const stored = new Map();
const ofGrant = new Map();
const isOver = (entry) => entry.endsAt !== undefined && entry.endsAt <= Date.now();

class InMemory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, seconds) {
    const key = this.key(id);
    stored.set(key, { payload, endsAt: seconds ? Date.now() + seconds * 1000 : undefined });
    if (!payload.grantId || this.model === 'Grant') return;
    if (!ofGrant.has(payload.grantId)) ofGrant.set(payload.grantId, new Set());
    ofGrant.get(payload.grantId).add(key);
  }

  async find(id) {
    const entry = stored.get(this.key(id));
    return entry === undefined || isOver(entry) ? undefined : entry.payload;
  }

  async consume(id) {
    stored.get(this.key(id)).payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    stored.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of ofGrant.get(grantId) ?? []) stored.delete(key);
    ofGrant.delete(grantId);
  }
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const scope = 'openid offline_access';

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  adapter: InMemory,
  // Ours are ES256, so that is what clients are told, unless they say otherwise.
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
  clients: [
    {
      client_id: 'app', token_endpoint_auth_method: 'none', application_type: 'native',
      grant_types: ['password', 'refresh_token'], redirect_uris: [], response_types: [],
    },
    {
      client_id: 'service', client_secret: SECRET, grant_types: [], redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: async () => true },
  },
  findAccount: async (ctx, id) =>
    users.has(id) ? { accountId: id, claims: async () => ({ sub: id }) } : undefined,
  rotateRefreshToken: true,
  ttl: {
    AccessToken: +TOKEN_SECONDS, IdToken: +TOKEN_SECONDS, RefreshToken: +TOKEN_SECONDS,
    Grant: +TOKEN_SECONDS,
  },
});

async function signIn(ctx) {
  const { client, params } = ctx.oidc;
  const known = users.get(params.username);
  if (known === undefined || !(await argon2.verify(known, params.password))) {
    throw new errors.InvalidGrant('the credentials were rejected');
  }
  const grant = new provider.Grant({ accountId: params.username, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const about = { accountId: params.username, client, grantId, gty: 'password', scope };
  const access = new provider.AccessToken(about);
  const refresh = new provider.RefreshToken({ ...about, rotations: 0 });
  const identity = new provider.IdToken({ sub: params.username }, { ctx });
  identity.scope = scope;
  ctx.body = {
    access_token: await access.save(),
    refresh_token: await refresh.save(),
    id_token: await identity.issue({ use: 'idtoken' }),
    expires_in: access.expiration,
    token_type: 'Bearer',
    scope,
  };
}

provider.registerGrantType('password', signIn, ['username', 'password']);
for (const event of ['server_error', 'grant.error', 'introspection.error']) {
  provider.on(event, (ctx, error) => console.error(event, error));
}
provider.listen(+PORT, '127.0.0.1');
