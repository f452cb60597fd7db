"""Who may call what, and what they are told: the whole of it, as data.

The tables say what the contract promises (its comments in proto/, the rules of
callers, Verify and gateways), not what a server happens to do. test_matrix.py
asks a server about every cell and fails on a method or a route without a row.

In the words of the tables

    ok        it is done, or refused for what is in the request (askers.BEYOND)
    unauth    UNAUTHENTICATED: who calls is not known
    reject    ACCESS_TOKEN_REJECTED: a token came that is worth nothing here
    denied    PERMISSION_DENIED: known, and may not
    absent    NOT_FOUND: somebody else's is as if it were not there
    closed    SIGN_UP_CLOSED
    refused   REFRESH_REJECTED
    wrong     CREDENTIALS_REJECTED
    wait      OVERLOADED, and when to come again
"""

WORDS = {
    "unauth": ("UNAUTHENTICATED", "UNAUTHENTICATED"),
    "reject": ("UNAUTHENTICATED", "ACCESS_TOKEN_REJECTED"),
    "denied": ("PERMISSION_DENIED", "PERMISSION_DENIED"),
    "absent": ("NOT_FOUND", "NOT_FOUND"),
    "closed": ("PERMISSION_DENIED", "SIGN_UP_CLOSED"),
    "refused": ("UNAUTHENTICATED", "REFRESH_REJECTED"),
    "wrong": ("UNAUTHENTICATED", "CREDENTIALS_REJECTED"),
    "wait": ("RESOURCE_EXHAUSTED", "OVERLOADED"),
}

# Tokens that are worth nothing here. Each is tried wherever a table says "bad".
BAD = ["unreadable", "unsigned", "tampered", "a stranger's", "a status list's",
       "a refresh token", "of another issuer", "expired", "revoked",
       "an operator's, revoked", "for shop",
       "for shop, with the operator's role"]
# Accounts that call about somebody else. The operator's role counts only in a
# token for the issuer.
ACCOUNTS = ["an account's", "an account's, for the issuer", "an editor's",
            "for api, with the operator's role"]

# Column -> (ways in, tokens). "owner" calls about itself, the others about
# somebody else. A certificate is asked for by gRPC alone.
_NETWORK, _CERTIFICATE, _SOCKET = ["grpc", "connect"], ["certificate"], ["socket"]
CALLERS = {
    "nobody": (_NETWORK, [None]),
    "bad": (_NETWORK, BAD),
    "account": (_NETWORK, ACCOUNTS),
    "owner": (_NETWORK, ["its own"]),
    "operator": (_NETWORK, ["an operator's"]),
    "cert": (_CERTIFICATE, [None]),
    "cert+bad": (_CERTIFICATE, BAD),
    "cert+acct": (_CERTIFICATE, ACCOUNTS),
    "socket": (_SOCKET, [None]),
    "sock+bad": (_SOCKET, BAD),
    "sock+acct": (_SOCKET, ACCOUNTS),
}


def _read(text, columns):
    """{row: {column: word}}. A line without indentation heads those below."""
    rows, head = {}, ""
    for line in text.splitlines():
        words = line.replace("|", " ").split()
        if not words:
            continue
        if not line.startswith(" "):
            head = words[0]
            words = words[1:]
            if not words:
                continue
        name, cells = "".join([head, words[0]]), words[1:]
        assert len(cells) == len(columns), line
        assert name not in rows, line
        rows[name] = dict(zip(columns, cells))
    return rows


# While --service-access=authenticated and --sign-up=open. A colon: one kind of
# request of a method.
METHODS = _read("""
                      | without a certificate              | with one              | operator socket
                      | nobody bad    accnt  owner  oper   | alone  bad    account | alone  bad    account
ostiary.v1.AuthService/
  SignUp                ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  SignInWithPassword    ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  Refresh               ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  SignOut               ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  GetCurrentAccount     unauth reject ok     ok     ok       unauth reject ok        unauth reject ok
  ChangePassword        unauth reject ok     ok     ok       unauth reject ok        unauth reject ok

ostiary.v1.TokenService/
  Verify                ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  BatchVerify           ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  VerifyStream          ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  Revoke:token          ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  Revoke:session_id     unauth unauth absent ok     ok       unauth unauth absent    ok     ok     ok
  Revoke:account_id     unauth unauth absent ok     ok       unauth unauth absent    ok     ok     ok
  Revoke:client_id      unauth unauth denied denied ok       unauth unauth denied    ok     ok     ok
  Revoke:key_id         unauth unauth denied denied ok       unauth unauth denied    ok     ok     ok

ostiary.v1.RevocationService/
  Watch                 unauth reject denied denied ok       ok     ok     ok        ok     ok     ok

envoy.service.auth.v3.Authorization/
  Check                 unauth reject denied denied ok       ok     ok     ok        ok     ok     ok

ostiary.v1.KeyService/
  GetJwks               ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  ListSigningKeys       unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  PrepareSigningKey     unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  ActivateSigningKey    unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  RetireSigningKey      unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  RevokeSigningKey      unauth reject denied denied ok       unauth reject denied    ok     ok     ok

ostiary.v1.AccountService/
  CreateAccount         unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  GetAccount            unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  ListAccounts          unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  UpdateAccount         unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  DisableAccount        unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  EnableAccount         unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  DeleteAccount         unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  SetPassword           unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  GrantRole             unauth reject denied denied ok       unauth reject denied    ok     ok     ok
  RevokeRole            unauth reject denied denied ok       unauth reject denied    ok     ok     ok

ostiary.v1.SessionService/
  ListSessions          unauth reject absent ok     ok       unauth reject absent    ok     ok     ok
  RevokeSession         unauth reject absent ok     ok       unauth reject absent    ok     ok     ok
  RevokeAllSessions     unauth reject absent ok     ok       unauth reject absent    ok     ok     ok

ostiary.v1.AdminService/
  GetServerInfo         unauth reject denied denied ok       unauth reject denied    ok     ok     ok

grpc.health.v1.Health/
  Check                 ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
  Watch                 ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
grpc.reflection.v1alpha.ServerReflection/
  ServerReflectionInfo  ok     ok     ok     ok     ok       ok     ok     ok        ok     ok     ok
""".split("\n", 3)[3], list(CALLERS))

# Answered with a stream, by gRPC alone; and all methods of ours.
STREAMS = {"RevocationService/Watch", "TokenService/VerifyStream"}
OURS = sorted({row.partition(":")[0].removeprefix("ostiary.v1.")
               for row in METHODS if row.startswith("ostiary.v1.")})

# The rows that settings change: --service-access=open, --sign-up=operator, on a
# server without TLS.
OTHER_SETTINGS = _read("""
                      | nobody bad    accnt  owner  oper   | operator socket: alone, bad, account
ostiary.v1.AuthService/
  SignUp                closed closed closed closed ok       ok     ok     ok
ostiary.v1.RevocationService/
  Watch                 ok     ok     ok     ok     ok       ok     ok     ok
envoy.service.auth.v3.Authorization/
  Check                 ok     ok     ok     ok     ok       ok     ok     ok
""".split("\n", 2)[2], [column for column in CALLERS if "cert" not in column])

# What a token is worth where it is the question and not the caller's proof: at
# Verify, BatchVerify and VerifyStream; and at a gateway (/forward-auth, Envoy's
# Check) whose route says so. The first failure in the order of VerifyResponse.
_FAILURES = {
    "malformed": "TOKEN_MALFORMED", "algorithm": "ALGORITHM_NOT_ALLOWED",
    "key": "KEY_UNKNOWN", "signature": "SIGNATURE_INVALID",
    "type": "TYPE_MISMATCH", "issuer": "ISSUER_MISMATCH",
    "expired": "TOKEN_EXPIRED", "audience": "AUDIENCE_MISMATCH",
    "revoked": "TOKEN_REVOKED", "role": "ROLE_MISSING", "valid": "VALID"}
# Column -> fields of VerifyRequest, or the route's policy.
QUESTIONS = {
    "api": {}, "shop": {"audience": "shop"}, "any": {"any_audience": True},
    "editor": {"required_roles": ["editor"]}}
ROUTES_OF_A_GATEWAY = {
    "plain": {}, "shop": {"audience": "shop"}, "public": {"anonymous": "allow"},
    "editor": {"require_role": "editor"}}
_TOKENS = """
                                     | Verify                              | a gateway's route
                                     | api       shop      any       editor  plain shop public editor
none                                 malformed malformed malformed malformed  401   401  200    401
unreadable                           malformed malformed malformed malformed  401   401  401    401
unsigned                             algorithm algorithm algorithm algorithm  401   401  401    401
tampered                             signature signature signature signature  401   401  401    401
a_stranger's                         key       key       key       key        401   401  401    401
a_status_list's                      type      type      type      type       401   401  401    401
a_refresh_token                      malformed malformed malformed malformed  401   401  401    401
of_another_issuer                    issuer    issuer    issuer    issuer     401   401  401    401
expired                              expired   expired   expired   expired    401   401  401    401
for_shop                             audience  valid     valid     audience   401   200  401    401
for_shop,_with_the_operator's_role   audience  valid     valid     audience   401   200  401    401
revoked                              revoked   audience  revoked   revoked    401   401  401    401
an_operator's,_revoked               audience  audience  revoked   audience   401   401  401    401
an_account's                         valid     audience  valid     role       200   401  200    403
an_account's,_for_the_issuer         audience  audience  valid     audience   401   401  401    401
an_editor's                          valid     audience  valid     valid      200   401  200    200
for_api,_with_the_operator's_role    valid     audience  valid     role       200   401  200    403
an_operator's                        audience  audience  valid     audience   401   401  401    401
"""


def _read_tokens():
    rows = {}
    for line in _TOKENS.splitlines()[3:]:
        name, *cells = line.split()
        name = None if name == "none" else name.replace("_", " ")
        rows[name] = (
            dict(zip(QUESTIONS, (_FAILURES[cell] for cell in cells[:4]))),
            dict(zip(ROUTES_OF_A_GATEWAY, map(int, cells[4:]))))
    return rows


TOKENS = _read_tokens()

# What an account had in hands before something happened to it. The access token
# is worth what an account's (or an operator's) is in METHODS where it is VALID,
# and what a bad one is where it is not. (Lifetimes that are over take longer
# than a test may: tests/flows/refresh_refused_test.cc.)
STATES = {
    state: dict(zip(("access", "refresh", "old password", "new password"),
                    cells))
    for state, *cells in [
        # state                          access           refresh    passwords
        ("nothing",                      "VALID",         "ok",      "ok", "ok"),
        ("refreshed",                    "VALID",         "ok",      "ok", "ok"),
        ("signed out of another",        "VALID",         "ok",      "ok", "ok"),
        ("another token revoked",        "VALID",         "ok",      "ok", "ok"),
        ("profile changed",              "VALID",         "ok",      "ok", "ok"),
        ("role granted",                 "VALID",         "ok",      "ok", "ok"),
        ("role taken",                   "TOKEN_REVOKED", "ok",      "ok", "ok"),
        ("token revoked",                "TOKEN_REVOKED", "ok",      "ok", "ok"),
        ("password changed here",        "TOKEN_REVOKED", "ok",      "wrong", "ok"),
        ("password changed elsewhere",   "TOKEN_REVOKED", "refused", "wrong", "ok"),
        ("password set",                 "TOKEN_REVOKED", "refused", "wrong", "ok"),
        ("signed out",                   "TOKEN_REVOKED", "refused", "ok", "ok"),
        ("session revoked",              "TOKEN_REVOKED", "refused", "ok", "ok"),
        ("signed out everywhere",        "TOKEN_REVOKED", "refused", "ok", "ok"),
        ("refresh token reused",         "TOKEN_REVOKED", "refused", "ok", "ok"),
        ("disabled",                     "TOKEN_REVOKED", "refused", "wrong", "wrong"),
        ("disabled and enabled",         "TOKEN_REVOKED", "refused", "ok", "ok"),
        ("deleted",                      "TOKEN_REVOKED", "refused", "wrong", "wrong"),
        ("deleted and made again",       "TOKEN_REVOKED", "refused", "wrong", "ok"),
        ("key revoked",                  "KEY_UNKNOWN",   "ok",      "ok", "ok"),
        # For 5 s, in which a new token could not be told from an old one.
        ("client revoked",               "TOKEN_REVOKED", "wait",    "wait", "wait"),
    ]}
# They end everybody's.
STATES_OF_ALL = ["key revoked", "client revoked"]

# What an operator is told about accounts, and sessions, in each state.
TARGETS = _read("""
                      | active disabled deleted
ostiary.v1.AccountService/
  GetAccount            ok     ok       absent
  UpdateAccount         ok     ok       absent
  DisableAccount        ok     ok       absent
  EnableAccount         ok     ok       absent
  DeleteAccount         ok     ok       absent
  SetPassword           ok     ok       absent
  GrantRole             ok     ok       absent
  RevokeRole            ok     ok       absent
ostiary.v1.SessionService/
  ListSessions          ok     ok       absent
  RevokeSession         ok     ok       absent
  RevokeAllSessions     ok     ok       absent
ostiary.v1.TokenService/
  Revoke:token          ok     ok       ok
  Revoke:session_id     ok     ok       absent
  Revoke:account_id     ok     ok       absent
""".split("\n", 2)[2], ["active", "disabled", "deleted"])

# Every path of the two HTTP listeners: the status that each verb gets, whoever
# asks (but for /forward-auth, which is asked here by nobody: see TOKENS).
VERBS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]
_DOCUMENT = [200, 200, 204, 405, 405, 405]
_NOTHING = [404] * 6
ROUTES = {
    "public": {
        "/.well-known/jwks.json": _DOCUMENT,
        "/.well-known/openid-configuration": _DOCUMENT,
        "/.well-known/oauth-authorization-server": _DOCUMENT,
        "/status-lists/": _DOCUMENT,  # and the name of one that there is
        "/status-lists/none": _NOTHING,
        "/forward-auth": [401] * 6,
        # A POST without a content type.
        "/ostiary.v1.KeyService/GetJwks": [405, 405, 204, 415, 405, 405],
        "/envoy.service.auth.v3.Authorization/Check":
            [405, 405, 204, 415, 405, 405],
        "/ostiary.v1.RevocationService/Watch": _NOTHING,
        "/ostiary.v1.TokenService/VerifyStream": _NOTHING,
        "/ostiary.v1.TokenService/Nothing": _NOTHING,
        "/grpc.health.v1.Health/Check": _NOTHING,
        "/healthz": _NOTHING, "/readyz": _NOTHING, "/metrics": _NOTHING,
        "/": _NOTHING, "/.well-known/": _NOTHING,
    },
    "ops": {
        "/healthz": _DOCUMENT, "/readyz": _DOCUMENT, "/metrics": _DOCUMENT,
        "/.well-known/jwks.json": _NOTHING, "/status-lists/": _NOTHING,
        "/forward-auth": _NOTHING,
        "/ostiary.v1.KeyService/GetJwks": _NOTHING,
        "/ostiary.v1.AdminService/GetServerInfo": _NOTHING,
        "/": _NOTHING,
    },
}
