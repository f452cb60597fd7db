"""npm's jose and connect-node against a real server."""

import json
import subprocess
from pathlib import Path

import pytest

from house import clean_environment, new_name, new_password

FOLDER = Path(__file__).resolve().parent / "node"


@pytest.fixture(scope="module")
def node(tool):
    """Runs one of the scripts and reads the JSON that it prints."""
    program = tool("node")
    if not (FOLDER / "node_modules/jose").exists():
        subprocess.run([tool("npm"), "ci", "--no-audit", "--no-fund"],
                       cwd=FOLDER, check=True, capture_output=True, timeout=180)

    def run(script, *arguments, stdin=""):
        done = subprocess.run([program, FOLDER / script, *map(str, arguments)],
                              input=stdin, capture_output=True, text=True,
                              timeout=60, env=clean_environment())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.timeout(240)
def test_jose_verifies_typ_issuer_and_audience_with_the_published_keys(house,
                                                                       node):
    person = house.sign_up()
    judged = node("jwks.mjs", house.server.url + "/.well-known/jwks.json",
                  house.server.issuer, "api",
                  stdin=person.sign_in().access_token)
    assert judged["right"] == {"subject": person.account_id}
    for wrong, claim in (("audience", "aud"), ("issuer", "iss"),
                         ("type", "typ")):
        assert judged[wrong]["error"] == "ERR_JWT_CLAIM_VALIDATION_FAILED"
        assert judged[wrong]["claim"] == claim


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_jose_verifies_the_other_algorithms(new_house, node, algorithm):
    house = new_house(f"--signing-algorithm={algorithm}")
    person = house.sign_up()
    judged = node("jwks.mjs", house.server.url + "/.well-known/jwks.json",
                  house.server.issuer, "api",
                  stdin=person.sign_in().access_token)
    assert judged["right"] == {"subject": person.account_id}


@pytest.mark.parametrize("transport", ["json", "binary", "grpc"])
def test_connect_node_does_the_main_job_and_reads_error_details(
        house, node, contract, transport):
    url = (f"http://{house.server.grpc}" if transport == "grpc" else
           house.server.url)
    name = new_name()
    told = node("connect.mjs", url, contract.path, transport,
                stdin=json.dumps({"username": name,
                                  "password": new_password()}))
    assert told["sameAccount"] and told["sameSession"] and told["valid"]
    assert told["subject"] == told["accountId"]
    assert told["wrongPassword"] == {
        "code": "Unauthenticated", "reason": "CREDENTIALS_REJECTED",
        "domain": "ostiary"}
    assert told["nobody"] == {
        "code": "Unauthenticated", "reason": "UNAUTHENTICATED",
        "domain": "ostiary"}
    assert told["taken"] == {
        "code": "AlreadyExists", "reason": "IDENTIFIER_TAKEN",
        "domain": "ostiary"}
