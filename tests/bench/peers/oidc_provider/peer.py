"""npm oidc-provider with a small configuration of ours, one process."""

import json
import secrets
import shutil

from contract import (HERE, ISSUE, MEMORY_KIB, PASSES, PASSWORD, SIGN_IN, TOKEN_SECONDS, USERS,
                      VERIFY, Action, Peer, answer_to, basic, cached, form, run)

COST = {"MEMORY_KIB": str(MEMORY_KIB), "PASSES": str(PASSES)}


class OidcProvider(Peer):
    name = "oidc-provider"
    notes = "opaque access tokens; all of its storage is a map in memory"

    def install(self):
        def fill(folder):
            shutil.copy(HERE / "oidc_provider/package.json", folder)
            run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=folder)
        self.modules = cached("oidc-provider", fill)

    def version(self):
        def of(name):
            return json.loads(
                (self.modules / "node_modules" / name / "package.json").read_text())["version"]
        return (f"oidc-provider {of('oidc-provider')}, argon2 {of('argon2')}, "
                f"Node {run('node', '--version').strip()[1:]}")

    def prepare(self, folder):
        self.secret = secrets.token_hex(32)
        for name in ("server.mjs", "raw_hash.mjs"):
            shutil.copy(HERE / "oidc_provider" / name, folder)
        (folder / "node_modules").symlink_to(self.modules / "node_modules")

    def command(self):
        return (["node", "server.mjs"],
                {"PORT": str(self.port), "USERS": " ".join(USERS), "PASSWORD": PASSWORD,
                 "SECRET": self.secret, "TOKEN_SECONDS": str(TOKEN_SECONDS),
                 "NODE_ENV": "production", **COST})

    def actions(self):
        service = basic("service", self.secret)
        sign_ins = [form("/token", grant_type="password", client_id="app", username=user,
                         password=PASSWORD) for user in USERS]
        tokens = [answer_to(self.port, call) for call in sign_ins]
        return {
            VERIFY: Action("POST /token/introspection, client with a secret: opaque token",
                           [form("/token/introspection", service, token=one["access_token"])
                            for one in tokens], '"active":true'),
            ISSUE: Action("POST /token, refresh_token grant: rotates, signs one ES256 ID token",
                          [form("/token", grant_type="refresh_token", client_id="app",
                                refresh_token="%", carry=one["refresh_token"])
                           for one in tokens], '"id_token"', "refresh_token"),
            SIGN_IN: Action("POST /token, a password grant of ours", sign_ins, '"id_token"'),
        }

    def raw_hash(self):
        return float(run("node", "raw_hash.mjs", cwd=self.folder, environment=COST))


PEERS = [OidcProvider]
