// A Connect client without generated code: the service comes from the protoset.
//   node connect.mjs URL PROTOSET TRANSPORT < {"username", "password"}
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
} from "@connectrpc/connect-node";

const [baseUrl, protoset, kind] = process.argv.slice(2);
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(protoset)),
);
const transports = {
  json: () => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  binary: () =>
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      useBinaryFormat: true,
    }),
  grpc: () => createGrpcTransport({ baseUrl }),
};
const transport = transports[kind]();
const client = (name) =>
  createClient(registry.getService(`ostiary.v1.${name}`), transport);

const { username, password } = JSON.parse(readFileSync(0, "utf8"));
const auth = client("AuthService");
const { account } = await auth.signUp({ username, password });
const { tokens } = await auth.signInWithPassword({
  identifier: username,
  password,
});
const headers = { authorization: `Bearer ${tokens.accessToken}` };
const me = await auth.getCurrentAccount({}, { headers });
const refreshed = await auth.refresh({ refreshToken: tokens.refreshToken });
const verdict = await client("TokenService").verify({
  token: refreshed.tokens.accessToken,
});

async function refused(call) {
  try {
    await call();
    return null;
  } catch (error) {
    const refusal = ConnectError.from(error);
    const infos = refusal.findDetails(
      registry.getMessage("google.rpc.ErrorInfo") ?? errorInfo(),
    );
    return {
      code: Code[refusal.code],
      reason: infos[0]?.reason,
      domain: infos[0]?.domain,
    };
  }
}

// google.rpc.ErrorInfo is not part of the protoset if no message names it.
function errorInfo() {
  throw new Error("the protoset does not hold google.rpc.ErrorInfo");
}

console.log(JSON.stringify({
  sameAccount: me.account.accountId === account.accountId,
  sameSession: refreshed.tokens.sessionId === tokens.sessionId,
  valid: verdict.valid,
  subject: verdict.claims.subject,
  accountId: account.accountId,
  wrongPassword: await refused(() =>
    auth.signInWithPassword({ identifier: username, password: "wrong one" })
  ),
  nobody: await refused(() => auth.getCurrentAccount({})),
  taken: await refused(() => auth.signUp({ username, password })),
}));
process.exit(0);
