#!/usr/bin/env python3
"""Which room may include which: the arrows of the house, kept.

  check.py               checks server/, client/ and storage/; exit code 1 if a
                         file includes what its room must not know
  check.py --self-test   proves that each kind of forbidden include is noticed
"""
import os
import re
import sys
import tempfile

GROUND = ["server/base", "client/jwt", "client/revocation", "client/status_list", "storage"]
DOMAIN = ["account", "audit", "client_app", "key", "limit", "mail", "password",
          "revocation", "session", "status_list", "token"]

# Room -> rooms it may include beside itself. A folder is its own room; a file
# with a row of its own is an exception, and says why.
ROOMS = {
    "server/base": [],
    "client/jwt": [],
    "client/revocation": [],
    "client/status_list": ["client/jwt"],
    "storage": [],
    # The only way to a backend.
    "storage/open_store.cc": ["storage/sqlite"],
    "storage/sqlite": ["storage"],

    "server/account": ["server/base", "storage"],
    "server/audit": ["server/base", "storage"],
    "server/client_app": ["server/base"],
    "server/key": GROUND,
    "server/limit": ["server/base"],
    "server/mail": ["server/base"],
    "server/password": ["server/base"],
    "server/revocation": GROUND,
    "server/session": GROUND,
    "server/status_list": GROUND,
    # Signs with the view of the keys; does not know the store.
    "server/token": ["server/base", "client/jwt", "server/key"],

    "server/flow": GROUND + ["server/" + room for room in DOMAIN],
    "server/door": GROUND + ["server/flow"] + ["server/" + room for room in DOMAIN],
    # The wires see the house through the door's face alone.
    "server/grpc": ["server/base", "server/door/call.h", "server/door/door.h", "server/door/errors.h",
                    "server/door/secret_fields.h", "server/door/subscription.h"],
    "server/http": ["server/base", "server/door/call.h", "server/door/door.h", "server/door/errors.h"],
    # The assembly and what belongs to it.
    "server": GROUND + ["server/flow", "server/door", "server/grpc", "server/http"]
              + ["server/" + room for room in DOMAIN],

    "client/cpp": ["client/jwt", "client/revocation"],
    # What a service sees: of the rooms, only what a token says.
    "client/cpp/include/ostiary": ["client/jwt/token.h"],
    # These know the SDK as a service does.
    "client/cpp/driver": [],
    "client/cpp/examples/greeter": [],
    "client/cpp/examples/standalone": [],

    "client/cli": ["client/jwt"],
    # `ostiary hash verify` must judge as the server does: this one file hands
    # the server's own code to a command that does not know where it came from.
    "client/cli/real_hashes.cc": ["server/password"],
}

# What a library is for, and who may know it. The first prefix that fits rules.
CONTRACT = ["server/door", "server/grpc", "server/http", "client/cli", "client/cpp"]
GRPC = ["server/grpc", "client/cli", "client/cpp", "client/cpp/examples/greeter",
        # The one public header of the SDK that names gRPC.
        "client/cpp/include/ostiary/grpc_guard.h"]
SDK = ["client/cpp", "client/cpp/include/ostiary", "client/cpp/driver", "client/cpp/examples/greeter",
       "client/cpp/examples/standalone"]
LIBRARIES = [
    ("grpc/health/", ["server/grpc", "client/cli"]),  # generated
    ("grpcpp/", GRPC),
    ("grpc/", GRPC),
    ("google/protobuf/", CONTRACT),
    ("google/rpc/", CONTRACT),
    ("ostiary/v1/", CONTRACT),
    ("ostiary/", SDK),
    ("sqlite3", ["storage/sqlite"]),
    ("zlib.h", ["client/status_list"]),
    ("boost/asio", ["server/http"]),
    ("boost/beast", ["server/http"]),
    ("spdlog/", ["server/base"]),
    ("prometheus/", ["server/base"]),
    ("CLI/", ["server", "client/cli"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SQL = re.compile(r'"[^"]*\b(SELECT\s.*\sFROM|INSERT\s+INTO|DELETE\s+FROM|CREATE\s+TABLE)\b')
TREES = ("server", "client", "storage")
SOURCE = (".h", ".cc")


def room_of(path, known):
    """The folder of ROOMS that holds `path`; nested folders are rooms too."""
    folder = os.path.dirname(path)
    return folder if folder in known else None


def belongs(path, allowed):
    """Whether the included file is one of `allowed`, or lies in one of them
    directly: `storage` does not stand for `storage/sqlite`."""
    return any(path == one or os.path.dirname(path) == one for one in allowed)


def fault(path, bracket, included):
    """Why `path` must not include `included`; None if it may."""
    room = room_of(path, ROOMS)
    if room is None:
        return f"no row for {os.path.dirname(path)} in tests/arrows/check.py"
    for prefix, may in LIBRARIES:
        if included.startswith(prefix):
            return None if room in may or path in may else f"{room} must not know {prefix.rstrip('/')} (may: {', '.join(may)})"
    top = included.split("/")[0]
    if top in ("tests", "deploy", "docs", "proto"):
        return f"{room} must not include {top}/"
    if top not in TREES:
        if bracket == '"' and "/" not in included and included.endswith(".h") and not included.startswith("zxcvbn"):
            return f"{included}: write the path from the root"
        return None
    if belongs(included, [room] + ROOMS[room] + ROOMS.get(path, [])):
        return None
    return f"{room} must not include {os.path.dirname(included)} (may: {', '.join(ROOMS[room]) or 'no other room'})"


def check_tree(root):
    """(files read, complaints)"""
    files, complaints = 0, []
    for tree in TREES:
        for folder, folders, names in os.walk(os.path.join(root, tree)):
            folders.sort()
            for name in sorted(names):
                if not name.endswith(SOURCE):
                    continue
                files += 1
                path = os.path.relpath(os.path.join(folder, name), root)
                with open(os.path.join(root, path), encoding="utf-8") as lines:
                    for number, line in enumerate(lines, 1):
                        found = INCLUDE.match(line)
                        why = fault(path, *found.groups()) if found else None
                        if not found and SQL.search(line) and os.path.dirname(path) != "storage/sqlite":
                            why = "SQL outside a backend"
                        if why:
                            complaints.append(f"{path}:{number}: {line.strip()}\n    {why}")
    return files, complaints


# What must be noticed, and what must pass.
FORBIDDEN = [
    ("server/session/a.cc", '#include "server/token/claims_writer.h"'),
    ("server/session/a.cc", '#include "server/flow/refresh.h"'),
    ("server/session/a.cc", "#include <sqlite3.h>"),
    ("server/status_list/a.cc", "#include <zlib.h>"),
    ("server/account/a.cc", '#include "ostiary/v1/account.pb.h"'),
    ("server/account/a.cc", "#include <grpcpp/grpcpp.h>"),
    ("server/account/a.cc", "  return Run(\"SELECT * FROM accounts\");"),
    ("server/base/a.h", '#include "server/key/key_ring.h"'),
    ("server/flow/a.cc", '#include "server/door/door.h"'),
    ("server/flow/a.cc", '#include "storage/sqlite/sqlite_store.h"'),
    ("server/flow/a.cc", '#include "google/protobuf/struct.pb.h"'),
    ("server/door/a.cc", '#include "server/http/server.h"'),
    ("server/http/a.cc", '#include "server/flow/verify.h"'),
    ("server/http/a.cc", '#include "server/door/policy.h"'),
    ("server/grpc/a.cc", '#include "storage/store.h"'),
    ("server/assembly.cc", '#include "storage/sqlite/sqlite_store.h"'),
    ("server/assembly.cc", '#include "client/cli/cli.h"'),
    ("server/key/a.cc", '#include "tests/support/temp_dir.h"'),
    ("server/key/a.cc", '#include "key_ring.h"'),
    ("server/cellar/a.cc", '#include "server/base/ids.h"'),
    ("client/jwt/a.cc", '#include "server/base/clock.h"'),
    ("client/cli/a.cc", '#include "server/password/passwords.h"'),
    ("client/cli/main.cc", '#include "server/password/password_hash.h"'),
    ("client/cli/real_hashes.cc", '#include "server/flow/verify.h"'),
    ("client/cli/a.cc", '#include "storage/store.h"'),
    ("client/revocation/a.cc", '#include "client/jwt/token.h"'),
    ("client/revocation/a.cc", '#include "ostiary/v1/revocation_service.pb.h"'),
    ("client/cpp/a.cc", '#include "server/base/clock.h"'),
    ("client/cpp/include/ostiary/verifier.h", "#include <grpcpp/grpcpp.h>"),
    ("client/cpp/include/ostiary/verifier.h", '#include "client/cpp/judge.h"'),
    ("client/cpp/include/ostiary/verifier.h", '#include "ostiary/v1/token_service.pb.h"'),
    ("client/cpp/driver/a.cc", '#include "client/cpp/judge.h"'),
    ("server/flow/a.cc", '#include "ostiary/verifier.h"'),
    ("storage/store.cc", '#include "storage/sqlite/writer.h"'),
    ("storage/sqlite/a.cc", '#include "server/base/ids.h"'),
]
ALLOWED = [
    ("server/session/a.cc", '#include "storage/store.h"'),
    ("server/session/a.cc", '#include "server/session/sessions.h"'),
    ("server/token/a.cc", '#include "server/key/signer.h"'),
    ("server/flow/a.cc", '#include "server/session/sessions.h"'),
    ("server/door/a.cc", '#include "server/flow/verify.h"'),
    ("server/http/a.cc", '#include "server/door/door.h"'),
    ("server/grpc/a.cc", "#include <grpcpp/grpcpp.h>"),
    ("server/main.cc", '#include "server/assembly.h"'),
    ("storage/open_store.cc", '#include "storage/sqlite/sqlite_store.h"'),
    ("client/cli/real_hashes.cc", '#include "server/password/password_hash.h"'),
    ("client/cli/a.cc", '#include "absl/strings/str_cat.h"'),
    ("server/revocation/a.cc", '#include "client/revocation/revision.h"'),
    ("client/cpp/a.cc", '#include "client/revocation/revoked_set.h"'),
    ("client/cpp/include/ostiary/claims.h", '#include "client/jwt/token.h"'),
    ("client/cpp/include/ostiary/grpc_guard.h", "#include <grpcpp/server_context.h>"),
    ("client/cpp/driver/a.cc", '#include "ostiary/verifier.h"'),
]


def complaints_about(path, line):
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, os.path.dirname(path)))
        with open(os.path.join(root, path), "w", encoding="utf-8") as out:
            out.write("#include <string>\n" + line + "\n")
        files, complaints = check_tree(root)
        assert files == 1
        return complaints


def self_test():
    wrong = [f"not noticed: {path}: {line}" for path, line in FORBIDDEN if not complaints_about(path, line)]
    wrong += [f"refused: {path}: {line}" for path, line in ALLOWED if complaints_about(path, line)]
    print("\n".join(wrong) or f"{len(FORBIDDEN)} forbidden includes noticed, {len(ALLOWED)} good ones passed")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    files, complaints = check_tree(root)
    print("\n".join(complaints) or f"{files} files keep the arrows")
    if files < 100:
        print(f"only {files} files found under {root}")
        return 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
