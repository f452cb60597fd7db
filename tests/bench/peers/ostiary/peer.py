"""Ostiary itself, as it comes, with the limits on guessing off, and room for as
many sessions of an account as the others keep."""

import json

from contract import (ISSUE, MEMORY_KIB, PASSES, PASSWORD, ROOT, SIGN_IN, TOKEN_SECONDS, USERS,
                      VERIFY, Action, Call, Peer, Unavailable, answer_to, free_port, run)
from figures.bench import BUILD, build, program, verify_request
from measure import argon2id_us, cpu_seconds

AUTH = "/ostiary.v1.AuthService/"
TOKEN = "/ostiary.v1.TokenService/"


def call(path, carry="", **fields):
    return Call(path, json.dumps(fields), {"Content-Type": "application/json"}, carry)


class Ostiary(Peer):
    name = "ostiary"
    ready = call(TOKEN + "Verify", token="none")
    notes = "every refresh is on the disk before it is answered; signs with ES256"
    flags = ()

    def install(self):
        build(["ostiaryd", "rpc_load"])

    def version(self):
        commit = run("git", "describe", "--always", "--dirty", cwd=ROOT).strip()
        return f"Ostiary at {commit}, release build"

    def command(self):
        self.grpc = free_port()
        return ([BUILD / "bin/ostiaryd", f"--data-dir={self.folder}/data",
                 f"--grpc-listen=127.0.0.1:{self.grpc}", f"--http-listen=127.0.0.1:{self.port}",
                 "--ops-listen=127.0.0.1:0", f"--access-token-lifetime={TOKEN_SECONDS}s",
                 f"--hash-memory-kib={MEMORY_KIB}", f"--hash-iterations={PASSES}",
                 "--sign-in-limit-identifier-prefix=off", "--sign-in-limit-identifier=off",
                 "--sign-up-limit=off", "--max-sessions-per-account=10000", *self.flags], {})

    def fill(self):
        for user in USERS:
            answer_to(self.port, call(AUTH + "SignUp", username=user, password=PASSWORD))

    def actions(self):
        sign_ins = [call(AUTH + "SignInWithPassword", identifier=user, password=PASSWORD)
                    for user in USERS]
        self.tokens = [answer_to(self.port, one)["tokens"] for one in sign_ins]
        return {
            VERIFY: Action("POST TokenService/Verify as JSON: " + self.checks,
                           [call(TOKEN + "Verify", token=one["accessToken"])
                            for one in self.tokens], '"valid":true'),
            ISSUE: Action("POST AuthService/Refresh as JSON: rotates, signs one ES256 JWT",
                          [call(AUTH + "Refresh", refreshToken="%", carry=one["refreshToken"])
                           for one in self.tokens], '"accessToken"', "refreshToken"),
            SIGN_IN: Action("POST AuthService/SignInWithPassword as JSON", sign_ins,
                            '"accessToken"'),
        }

    checks = "remembered signature, revocations in memory"

    def load_grpc(self, seconds):
        """Verify over gRPC, as a sibling service calls it."""
        requests = "".join(verify_request(one["accessToken"]).hex() + "\n" for one in self.tokens)
        used = cpu_seconds(self.process.pid)
        found = program("rpc_load", "--target", f"127.0.0.1:{self.grpc}", "--method",
                        "ostiary.v1.TokenService/Verify", "--server-pid", self.process.pid,
                        "--seconds", seconds, "--in-flight", len(USERS), stdin=requests)
        used = cpu_seconds(self.process.pid) - used
        if found["errors"]:
            raise Unavailable(f"Verify over gRPC: {found['first_error']}")
        return {**found, "cpu_us": used * 1e6 / found["calls"]}

    def raw_hash(self):
        return argon2id_us()


class Forgetful(Ostiary):
    """Checks each signature anew, as if no token came twice."""

    name = "ostiary-no-cache"
    notes = "--verify-cache-entries=0: what a token not seen before costs"
    flags = ("--verify-cache-entries=0",)
    checks = "ES256 signature, revocations in memory"

    def actions(self):
        return {VERIFY: super().actions()[VERIFY]}


PEERS = [Ostiary, Forgetful]
