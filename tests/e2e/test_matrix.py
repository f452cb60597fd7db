"""Every method and route asked by every kind of caller: the answers are those of
matrix.py, and nothing is left out of it. (States: test_account_states.py.)"""

import re
from pathlib import Path

import httpx
import pytest

from askers import (CONSUMES, ask, body_for, over_connect, status_list_uri,
                    with_role)
from doors import bearer
from matrix import (CALLERS, METHODS, OTHER_SETTINGS, QUESTIONS, ROUTES,
                    ROUTES_OF_A_GATEWAY, STREAMS, TARGETS, TOKENS, VERBS)

REPOSITORY = Path(__file__).resolve().parents[2]


# --- Nothing is left out.

def without_row(known, rows):
    return sorted(set(known) - {row.partition(":")[0] for row in rows})


def listed_by(house):
    """Services that the server lists to who asks by reflection."""
    method = "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    answer = next(house.grpc.channel.stream_stream(f"/{method}")(
        iter([b"\x3a\x01*"]), timeout=15))
    return {name.decode() for name in re.findall(
        rb"[a-z]\w*(?:\.[a-z]\w*)+\.[A-Z]\w*", answer)}


def paths_in_the_sources():
    """Every path that a listener's source spells out."""
    found = set()
    for room in ("server/http", "server/door", "server/status_list"):
        for path in sorted((REPOSITORY / room).glob("*.[hc]*")):
            code = re.sub(r"^\s*//.*$|\s//\s.*$", "", path.read_text(),
                          flags=re.MULTILINE)
            found |= set(re.findall(r'"(/[\w.][\w./-]*)"', code))
    return found


def test_every_method_of_the_contract_has_a_row(contract):
    assert without_row(contract.all_methods, METHODS) == []
    assert {m for m in contract.methods if contract.is_stream(m)} == STREAMS


def test_every_service_that_is_served_has_rows(other):
    served = listed_by(other)
    assert "ostiary.v1.AuthService" in served
    assert served == {row.partition("/")[0] for row in METHODS}


def test_every_method_that_the_server_counts_has_a_row(other):
    counted = set(re.findall(r'ostiary_call_seconds_count\{[^}]*method="([^"]+)',
                             other.server.metrics()))
    assert "/forward-auth" in counted
    assert without_row(counted, [*METHODS, *ROUTES["public"]]) == []


def test_every_path_of_the_listeners_has_a_row():
    paths = paths_in_the_sources()
    assert {"/forward-auth", "/.well-known/jwks.json", "/metrics"} <= paths
    assert paths - set(ROUTES["public"]) - set(ROUTES["ops"]) == set()


def test_a_method_without_a_row_is_noticed(contract):
    more = [*contract.all_methods, "ostiary.v1.AuthService/Impersonate"]
    assert without_row(more, METHODS) == ["ostiary.v1.AuthService/Impersonate"]


def test_every_method_about_an_account_or_a_session_has_its_states(contract):
    about = {"account_id", "session_id", "account"}
    methods = {name for name, method in contract.all_methods.items()
               if about & set(method.input_type.fields_by_name)}
    assert len(methods) > 10
    assert without_row(methods, TARGETS) == []


# --- Who may call what.

class Asker:
    """Asks for the cells of one row."""

    def __init__(self, house, row, tokens):
        self.house, self.row, self.tokens = house, row, tokens
        self.consumes = any(part in row for part in CONSUMES)
        self.victim = self._new_person()

    def _new_person(self):
        person = self.house.sign_up(door=self.house.operator)
        return person, person.sign_in()

    def cell(self, column, way, kind, expected):
        token = self.tokens.get(kind)
        about = self.victim
        if column == "owner":
            about = self._new_person()
            token = about[1].access_token
        elif expected == "ok" and self.consumes:
            about = self._new_person()
        body = body_for(self.house.contract, self.row, *about)
        return ask(self.house.door(way), self.row, body, token)

    def surprises(self, expected):
        """Cells whose answer is not the table's."""
        found = []
        for column, word in expected.items():
            ways, kinds = CALLERS[column]
            for way in ways:
                if way == "connect" and not over_connect(self.house, self.row):
                    continue
                for kind in (kind for kind in kinds if kind in self.tokens):
                    answer = self.cell(column, way, kind, word)
                    if answer != word:
                        found.append(f"{self.row} for {kind or 'nobody'} over "
                                     f"{way}: {answer}, not {word}")
        return found

    def must_have_changed_nothing(self):
        """That no refusal did anything to whom it was about."""
        person, tokens = self.victim
        account = self.house.operator.call(
            "AccountService/GetAccount",
            {"account_id": person.account_id}).account
        assert (account.disabled, list(account.roles), account.display_name) == (
            False, [], "")
        assert self.house.verdict(tokens.access_token) == "VALID"
        assert self.house.refresh(tokens.refresh_token)
        assert person.sign_in()


@pytest.mark.parametrize("row", METHODS)
def test_each_caller_gets_what_the_table_says(town, tokens, row):
    asker = Asker(town.house, row, tokens)
    assert asker.surprises(METHODS[row]) == []
    asker.must_have_changed_nothing()


@pytest.mark.parametrize("row", OTHER_SETTINGS)
def test_settings_change_these_rows(other, row):
    callers = {
        None: None, "its own": None, "unreadable": "not-a-token",
        "an account's": other.sign_up(door=other.operator).sign_in().access_token,
        "an operator's": with_role(other, "ostiary.operator").sign_in(
            audience=other.server.issuer).access_token}
    asker = Asker(other, row, callers)
    assert asker.surprises(OTHER_SETTINGS[row]) == []


def test_a_surprise_is_noticed(town, tokens):
    row = "ostiary.v1.AdminService/GetServerInfo"
    lax = {**METHODS[row], "account": "ok"}
    surprises = Asker(town.house, row, tokens).surprises(lax)
    ways, kinds = CALLERS["account"]
    assert len(surprises) == len(ways) * len(kinds)
    assert "denied, not ok" in surprises[0]


@pytest.mark.parametrize("row", [
    "ostiary.v1.AuthService/GetCurrentAccount",
    "ostiary.v1.AdminService/GetServerInfo",
    "envoy.service.auth.v3.Authorization/Check"])
def test_over_http_a_certificate_proves_nothing(town, tokens, row):
    door = town.house.door("certificate over connect")
    for kind, column in ((None, "nobody"), ("expired", "bad"),
                         ("an account's", "account")):
        assert ask(door, row, b"", tokens[kind]) == METHODS[row][column]


# --- What a token is worth where it is the question.

def verdicts(house, token, fields):
    """What every way to ask Verify says."""
    request = {"token": token or "", **fields}
    batch = {"requests": [request]}
    for door in (house.grpc, house.http):
        yield door.call("TokenService/Verify", request)
        yield door.call("TokenService/BatchVerify", batch).responses[0]
    stream = house.grpc.exchange("TokenService/VerifyStream", [batch])
    yield next(stream).responses[0]


@pytest.mark.parametrize("kind", TOKENS, ids=lambda kind: kind or "none")
def test_verify_says_what_the_table_says(town, tokens, kind):
    expected, _ = TOKENS[kind]
    told = {name: {answer.reason or "VALID" for answer in
                   verdicts(town.house, tokens[kind], fields)}
            for name, fields in QUESTIONS.items()}
    assert told == {name: {reason} for name, reason in expected.items()}


def at_the_gate(house, token, policy):
    """The status at /forward-auth, and the one that Envoy is told."""
    answer = house.http.client.get("/forward-auth", params=policy,
                                   headers=bearer(token))
    method = "envoy.service.auth.v3.Authorization/Check"
    described = house.contract.all_methods[method]
    question = house.contract.message(described.input_type, {"attributes": {
        "request": {"http": {"headers": bearer(token)}},
        "contextExtensions": policy}})
    told = house.contract.message(described.output_type, {})
    told.ParseFromString(house.certified.channel.unary_unary(f"/{method}")(
        question.SerializeToString(), timeout=15))
    envoys = (told.denied_response.status.code
              if told.HasField("denied_response") else 200)
    return answer.status_code, envoys


@pytest.mark.parametrize("kind", TOKENS, ids=lambda kind: kind or "none")
def test_gateways_are_told_what_the_table_says(town, tokens, kind):
    _, expected = TOKENS[kind]
    told = {name: at_the_gate(town.house, tokens[kind], policy)
            for name, policy in ROUTES_OF_A_GATEWAY.items()}
    assert told == {name: (status, status)
                    for name, status in expected.items()}


def test_every_kind_of_token_is_judged(tokens):
    assert set(TOKENS) == set(tokens) - {"its own"}
    assert {kind for _, kinds in CALLERS.values() for kind in kinds} <= set(tokens)


# --- Routes.

@pytest.fixture(scope="module")
def listeners(town):
    """Name -> (client, the row's path -> the path to ask)."""
    house = town.house
    uri = status_list_uri(town.tokens["an account's"])
    path = uri.removeprefix(town.server.issuer)
    with httpx.Client(base_url=town.server.ops_url, trust_env=False) as ops:
        yield {"public": house.http.client, "ops": ops, "list": path}


def path_to_ask(listeners, listener, path):
    """A shelf is asked for what stands on it."""
    return listeners["list"] if path == "/status-lists/" else path


@pytest.mark.parametrize("listener,path", [
    (listener, path) for listener, rows in ROUTES.items() for path in rows])
def test_each_verb_gets_its_status_whoever_asks(town, tokens, listeners,
                                                listener, path):
    client = listeners[listener]
    askers = ([None] if path == "/forward-auth" and listener == "public" else
              [None, "expired", "an account's", "an operator's"])
    asked = path_to_ask(listeners, listener, path)
    for kind in askers:
        told = [client.request(verb, asked, headers=bearer(tokens[kind])
                               ).status_code for verb in VERBS]
        assert told == ROUTES[listener][path], kind


@pytest.mark.parametrize("listener,path", [
    (listener, path) for listener, rows in ROUTES.items() for path in rows])
def test_under_a_foreign_name_nothing_is_served(listeners, listener, path):
    answer = listeners[listener].get(
        path_to_ask(listeners, listener, path),
        headers={"host": "rebound.example"})
    decides = listener == "public" and path == "/forward-auth"
    assert answer.status_code == (401 if decides else 421)
