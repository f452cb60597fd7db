"""Glewlwyd of Debian, its OpenID Connect plugin on SQLite.

Unpacked beside the system, not installed: the package starts a daemon.
"""

import ctypes
import gzip
import http.cookiejar
import json
import sqlite3
import urllib.error
import urllib.request

from contract import (ISSUE, PASSWORD, SIGN_IN, TOKEN_SECONDS, USERS, VERIFY,
                      Action, Call, Peer, Unavailable, answer_to, cached, form, run)
from measure import argon2id_us, library, own_cpu_us

PACKAGES = ("glewlwyd", "glewlwyd-common")
OIDC = "/api/oidc"
# Set by its own first database; nobody else reaches it.
ADMIN = {"username": "admin", "password": "password"}


def pbkdf2_us(iterations):
    nettle = library("libnettle.so.8")
    out, salt = ctypes.create_string_buffer(32), b"y" * 16
    return own_cpu_us(lambda: nettle.nettle_pbkdf2_hmac_sha256(
        ctypes.c_size_t(len(PASSWORD)), PASSWORD.encode(), ctypes.c_uint(iterations), ctypes.c_size_t(16), salt,
        ctypes.c_size_t(32), out), 20)


class Glewlwyd(Peer):
    name = "glewlwyd"
    ready = Call(OIDC + "/.well-known/openid-configuration")
    first_status = 404  # the plugin comes with `fill`

    def install(self):
        def fill(folder):
            run("apt-get", "download", *PACKAGES, cwd=folder)
            for package in folder.glob("*.deb"):
                run("dpkg", "-x", package, folder / "root")
                (folder / "root/version").write_text(
                    run("dpkg-deb", "-f", package, "Version").strip())
                package.unlink()
        self.root = cached("glewlwyd", fill) / "root"
        if "not found" in run("ldd", self.root / "usr/bin/glewlwyd"):
            raise Unavailable("libraries are missing (tests/bench/peers/install)")
        # It has PBKDF2 only: as many rounds as take the time of the others' hash.
        self.iterations = int(argon2id_us() / pbkdf2_us(20000) * 20) * 1000
        self.hash_name = f"PBKDF2-HMAC-SHA256 x {self.iterations}"
        self.notes = f"has no argon2id: {self.hash_name} cost the same CPU"

    def version(self):
        return f"Glewlwyd {(self.root / 'version').read_text()} (Debian)"

    def prepare(self, folder):
        database = folder / "glewlwyd.db"
        script = self.root / "usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
        with sqlite3.connect(database) as connection:
            connection.executescript(gzip.decompress(script.read_bytes()).decode())
            for table, column in (("g_user_module_instance", "gumi_parameters"),
                                  ("g_client_module_instance", "gcmi_parameters")):
                connection.execute(f"UPDATE {table} SET {column} = json_set({column}, "
                                   "'$.\"pbkdf2-iterations\"', ?)", (self.iterations,))
        run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "key.pem",
            cwd=folder)
        run("openssl", "ec", "-in", "key.pem", "-pubout", "-out", "public.pem", cwd=folder)

    def command(self):
        modules = self.root / "usr/lib/glewlwyd"
        (self.folder / "glewlwyd.conf").write_text(f"""
port = {self.port}
bind_address = "127.0.0.1"
external_url = "http://127.0.0.1:{self.port}"
api_prefix = "api"
log_mode = "console"
log_level = "WARNING"
cookie_secure = 0
session_expiration = 2419200
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3" path = "{self.folder}/glewlwyd.db" }};
""")
        return [self.root / "usr/bin/glewlwyd", "-c", self.folder / "glewlwyd.conf"], {}

    def fill(self):
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

        def post(path, **fields):
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api{path}",
                                             json.dumps(fields).encode(),
                                             {"Content-Type": "application/json"})
            try:
                opener.open(request, timeout=30).read()
            except urllib.error.HTTPError as error:
                raise Unavailable(f"{path}: {error.code} {error.read()[:300]}") from None

        post("/auth", **ADMIN)
        for scope in ("bench", "introspect"):
            post("/scope", name=scope, display_name=scope, description=scope,
                 password_required=True, password_max_age=0, scheme={})
        for user in USERS:
            post("/user", username=user, name=user, enabled=True, password=PASSWORD,
                 scope=["bench", "introspect"])
        post("/mod/plugin", module="oidc", name="oidc", display_name="oidc", enabled=True,
             parameters=self.plugin())

    def plugin(self):
        return {
            "iss": f"http://127.0.0.1:{self.port}/api/oidc", "jwt-type": "ecdsa",
            "jwt-key-size": "256", "key": (self.folder / "key.pem").read_text(),
            "cert": (self.folder / "public.pem").read_text(),
            "code-duration": 600, "access-token-duration": TOKEN_SECONDS,
            "refresh-token-duration": TOKEN_SECONDS, "refresh-token-one-use": "always",
            "allow-non-oidc": True, "auth-type-password-enabled": True,
            "auth-type-refresh-enabled": True, "introspection-revocation-allowed": True,
            "introspection-revocation-auth-scope": ["introspect"],
        }

    def actions(self):
        def sign_in(user, scope):
            return form(OIDC + "/token", grant_type="password", username=user,
                        password=PASSWORD, scope=scope)
        sign_ins = [sign_in(user, "bench") for user in USERS]
        tokens = [answer_to(self.port, call) for call in sign_ins]
        service = answer_to(self.port, sign_in(USERS[0], "introspect"))["access_token"]
        bearer = {"Authorization": f"Bearer {service}"}
        return {
            VERIFY: Action("POST introspect, with a bearer token of a service: ES256 JWT",
                           [form(OIDC + "/introspect", bearer, token=one["access_token"])
                            for one in tokens], '"active":true'),
            ISSUE: Action("POST token, refresh_token grant: rotates, signs one ES256 JWT",
                          [form(OIDC + "/token", grant_type="refresh_token",
                                refresh_token="%", carry=one["refresh_token"])
                           for one in tokens], '"access_token"', "refresh_token"),
            SIGN_IN: Action("POST token, password grant without a client", sign_ins, '"access_token"'),
        }

    def raw_hash(self):
        return pbkdf2_us(self.iterations)


PEERS = [Glewlwyd]
