"""Keycloak in production mode on its own file database (H2), one node."""

import json
import os
import secrets
import shutil
import zipfile

from contract import (CACHE, HERE, ISSUE, MEMORY_KIB, PASSES, PASSWORD, SIGN_IN, TOKEN_SECONDS,
                      USERS, VERIFY, Action, Call, Peer, answer_to, basic, cached, form, run)

VERSION = "26.4.7"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
TOKEN = "/realms/bench/protocol/openid-connect/token"


def user(name):
    return {"username": name, "enabled": True, "emailVerified": True,
            "email": f"{name}@bench.example", "firstName": "Ada", "lastName": "Bench",
            "credentials": [{"type": "password", "value": PASSWORD}]}


def realm(secret):
    """Rotating refresh tokens, ES256."""
    return {
        "realm": "bench", "enabled": True, "sslRequired": "none",
        "defaultSignatureAlgorithm": "ES256", "revokeRefreshToken": True,
        "accessTokenLifespan": TOKEN_SECONDS, "ssoSessionIdleTimeout": TOKEN_SECONDS,
        "ssoSessionMaxLifespan": TOKEN_SECONDS,
        "users": [user(name) for name in USERS],
        "clients": [
            {"clientId": "app", "publicClient": True, "directAccessGrantsEnabled": True,
             "redirectUris": []},
            {"clientId": "service", "publicClient": False, "secret": secret,
             "standardFlowEnabled": False},
        ],
    }


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


class Keycloak(Peer):
    name = "keycloak"
    ready = Call("/realms/bench/.well-known/openid-configuration")
    warm_times = 6  # until the JVM has compiled what is hot
    notes = "JVM with Keycloak's own settings; sessions are kept in its database"

    def install(self):
        def fill(folder):
            run("mvn", "-q", "-B", COPY, f"-DoutputDirectory={folder}",
                f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip")
            archive = folder / f"keycloak-quarkus-dist-{VERSION}.zip"
            zipfile.ZipFile(archive).extractall(folder)
            archive.unlink()
            script = folder / f"keycloak-{VERSION}/bin/kc.sh"
            script.chmod(0o755)
            run(script, "build", "--db=dev-file")
        self.home = cached(f"keycloak-{VERSION}", fill) / f"keycloak-{VERSION}"

    def version(self):
        return f"Keycloak {VERSION}, Java {run('java', '--version').split()[1]}"

    def prepare(self, folder):
        """A copy of the distribution by links, with a data folder of its own."""
        self.secret = secrets.token_hex(32)
        self.own = folder / "keycloak"
        shutil.copytree(self.home, self.own, copy_function=link_or_copy,
                        ignore=shutil.ignore_patterns("data"))
        (self.own / "data/import").mkdir(parents=True)
        (self.own / "data/import/bench-realm.json").write_text(json.dumps(realm(self.secret)))

    def command(self):
        return ([self.own / "bin/kc.sh", "start", "--optimized", "--import-realm",
                 "--cache=local",
                 "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self.port}",
                 "--hostname-strict=false", "--log-level=warn",
                 # Not by the realm's password policy: a hash with other passes than
                 # the provider's own is made anew at each sign-in.
                 f"--spi-password-hashing--argon2--memory={MEMORY_KIB}",
                 f"--spi-password-hashing--argon2--iterations={PASSES}"], {})

    def actions(self):
        service = basic("service", self.secret)
        sign_ins = [form(TOKEN, grant_type="password", client_id="app", username=name,
                         password=PASSWORD) for name in USERS]
        tokens = [answer_to(self.port, call) for call in sign_ins]
        return {
            VERIFY: Action("POST token/introspect, client with a secret: ES256 JWT",
                           [form(TOKEN + "/introspect", service, token=one["access_token"])
                            for one in tokens], '"active":true'),
            ISSUE: Action("POST token, refresh_token grant: rotates, signs one ES256 JWT",
                          [form(TOKEN, grant_type="refresh_token", client_id="app",
                                refresh_token="%", carry=one["refresh_token"])
                           for one in tokens], '"access_token"', "refresh_token"),
            SIGN_IN: Action("POST token, password grant", sign_ins, '"access_token"'),
        }

    def raw_hash(self):
        provider = next((self.home / "lib/lib/main").glob("org.bouncycastle.bcprov-*.jar"))
        return float(run("java", "-cp", provider, HERE / "keycloak/RawHash.java", MEMORY_KIB,
                         PASSES).split()[-1])


PEERS = [Keycloak]
