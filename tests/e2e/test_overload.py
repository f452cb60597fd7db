"""Too much of anything is refused at once, and nothing starves Verify."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from doors import ConnectDoor, Refused
from house import new_name, new_password, refusal


def attempt(call, *arguments, **named):
    """(answer or refusal, seconds)."""
    began = time.monotonic()
    try:
        answer = call(*arguments, **named)
    except Refused as refused:
        answer = refused
    return answer, time.monotonic() - began


@pytest.fixture(scope="module")
def slow(programs, contract):
    """One hash thread, a short queue, and hashes that take long."""
    from house import House, Server
    server = Server(programs, "--hash-memory-kib=131072", "--hash-iterations=3",
                    "--hash-threads=1", "--hash-queue=2",
                    "--sign-in-limit-identifier=off",
                    "--sign-in-limit-identifier-prefix=off").start()
    house = House(server, contract)
    yield house
    house.close()
    server.remove()


def flood(house, door, person, count):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(
            lambda _: attempt(house.door(door).call,
                              "AuthService/SignInWithPassword",
                              {"identifier": person.username,
                               "password": new_password()}), range(count)))


@pytest.mark.parametrize("door", ["grpc", "connect"])
def test_a_full_hash_queue_answers_at_once_and_says_when_to_return(slow, door):
    person = slow.sign_up()
    answers = flood(slow, door, person, 24)
    reasons = [a.reason for a, _ in answers]
    assert set(reasons) <= {"CREDENTIALS_REJECTED", "OVERLOADED"}
    full = [(a, took) for a, took in answers if a.reason == "OVERLOADED"]
    assert full, "24 callers fit in a queue of 2"
    for refused, _ in full:
        assert refused.code == "RESOURCE_EXHAUSTED"
        assert refused.retry_after > 0
        if door == "connect":
            assert refused.http_status == 429
            assert int(refused.headers["retry-after"]) >= 1
    assert "CREDENTIALS_REJECTED" in reasons, "nobody was served"


def test_verify_is_answered_while_every_hash_thread_is_busy(slow):
    person = slow.sign_up()
    token = person.sign_in().access_token
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(flood, slow, "grpc", person, 12)
        took = []
        while not flooding.done():
            verdict, seconds = attempt(slow.verdict, token)
            assert verdict == "VALID"
            took.append(seconds)
    took.sort()
    assert len(took) > 5
    assert took[len(took) // 2] < 0.25, took


def test_a_deadline_that_cannot_be_met_ends_the_call_and_not_the_server(slow):
    person = slow.sign_up()
    request = {"identifier": person.username, "password": person.password}
    refused, took = attempt(slow.grpc.call, "AuthService/SignInWithPassword",
                            request, timeout=0.05)
    assert refused.code == "DEADLINE_EXCEEDED"
    assert took < 5
    response = slow.http.post("AuthService/SignInWithPassword",
                              json.dumps(request),
                              headers={"Connect-Timeout-Ms": "50"})
    assert response.status_code == 504
    assert response.json()["code"] == "deadline_exceeded"
    assert person.sign_in().access_token


def test_callers_who_leave_cost_nobody_else(slow):
    person = slow.sign_up()
    call = slow.grpc.channel.unary_unary(
        "/ostiary.v1.AuthService/SignInWithPassword")
    body = slow.contract.request("AuthService/SignInWithPassword", {
        "identifier": person.username, "password": new_password()})
    for _ in range(10):
        call.future(body.SerializeToString(), timeout=10).cancel()
    end = time.monotonic() + 15
    while True:
        answer, _ = attempt(person.sign_in)
        if not isinstance(answer, Refused):
            break
        assert answer.reason == "OVERLOADED" and time.monotonic() < end
        time.sleep(0.1)


def test_more_calls_than_may_be_in_flight_are_told_to_come_back(new_house):
    house = new_house("--max-in-flight=4", "--hash-memory-kib=131072",
                      "--hash-iterations=3", "--hash-threads=1")
    person = house.sign_up()
    reasons = {a.reason for a, _ in flood(house, "grpc", person, 24)}
    assert reasons <= {"CREDENTIALS_REJECTED", "OVERLOADED", "RATE_LIMITED"}
    assert "OVERLOADED" in reasons
    assert house.server.is_ready()


def test_idle_connections_do_not_shut_out_a_caller(house):
    """200 who connect and say nothing, fewer than one address may have."""
    address = ("127.0.0.1", house.server.http_port)
    idle = [socket.create_connection(address, timeout=5) for _ in range(200)]
    try:
        door = ConnectDoor(house.contract, house.server.url)
        assert door.call("KeyService/GetJwks").keys
        door.close()
    finally:
        for wire in idle:
            wire.close()


def test_one_address_has_a_bounded_number_of_connections(new_house):
    house = new_house()
    address = ("127.0.0.1", house.server.http_port)
    wires, told = [], b""
    try:
        for _ in range(300):
            wires.append(socket.create_connection(address, timeout=5))
        time.sleep(0.2)
        last = wires[-1]
        last.settimeout(5)
        try:
            told = last.recv(1000)
        except ConnectionResetError:
            pass
    finally:
        for wire in wires:
            wire.close()
    assert told == b"" or told.startswith(b"HTTP/1.1 503"), told
    # And when they have gone, there is room again.
    end = time.monotonic() + 10
    while True:
        try:
            assert house.http.call("KeyService/GetJwks").keys
            break
        except Exception:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_a_caller_who_drips_a_header_is_cut_off(house):
    with socket.create_connection(("127.0.0.1", house.server.http_port)) as wire:
        wire.settimeout(15)
        began = time.monotonic()
        wire.sendall(b"GET / HTTP/1.1\r\n")
        stop = threading.Event()

        def drip():
            while not stop.wait(0.5):
                try:
                    wire.sendall(b"X")
                except OSError:
                    return

        dripper = threading.Thread(target=drip)
        dripper.start()
        try:
            while wire.recv(1000):
                pass
        except ConnectionResetError:
            pass
        finally:
            stop.set()
            dripper.join()
    assert time.monotonic() - began < 12


def test_a_compressed_bomb_is_refused_before_it_is_unpacked_at_length(house):
    call = house.grpc.channel.unary_unary("/ostiary.v1.TokenService/Verify")
    # Field 1, a string of 50 MB of zeros: some 50 KB on the wire.
    size = 50_000_000
    body = b"\x0a" + _varint(size) + b"a" * size
    with pytest.raises(grpc.RpcError) as error:
        call(body, timeout=20, compression=grpc.Compression.Gzip)
    assert error.value.code().name in ("RESOURCE_EXHAUSTED", "UNIMPLEMENTED",
                                       "INVALID_ARGUMENT", "INTERNAL")
    resident = [line for line in open(
        f"/proc/{house.server.process.pid}/status") if line.startswith("VmHWM")]
    assert int(resident[0].split()[1]) < 600_000, "it was unpacked"
    assert house.server.is_ready()


def _varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def test_metadata_over_its_bound_is_refused(house):
    refused = refusal(house.grpc.call, "KeyService/GetJwks",
                      headers={"x-long": "a" * 100_000})
    assert refused.code in ("RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL",
                            "UNKNOWN")
    # gRPC may close the connection, and the client not know it yet.
    for _ in range(20):
        try:
            assert house.grpc.call("KeyService/GetJwks").keys
            return
        except Refused as error:
            assert error.code == "UNAVAILABLE"
            time.sleep(0.05)
    pytest.fail("nobody is answered any more")


@pytest.mark.parametrize("depth", [20, 90, 150, 5000])
def test_deep_metadata_of_an_account_is_refused(house, depth):
    """A Struct in a Struct in a Struct."""
    person = house.sign_up()
    text = '{"a":' * depth + "1" + "}" * depth
    body = ('{"account":{"accountId":"%s","metadata":%s},"updateMask":"metadata"}'
            % (person.account_id, text))
    response = house.http.post("AccountService/UpdateAccount", body,
                               token=house.new_operator_token())
    assert response.status_code in (400, 413), response.text
    assert house.server.is_ready()


@pytest.mark.parametrize("metadata,accepted", [
    ({"a": 1}, True), ({}, True), ({"a": [1, "x", None, {"b": True}]}, True),
    ({"a": "x" * 9000}, False), ([1], False), ("x", False)])
def test_metadata_of_an_account_is_a_bounded_object(house, metadata, accepted):
    person = house.sign_up()
    body = json.dumps({"account": {"accountId": person.account_id,
                                   "metadata": metadata},
                       "updateMask": "metadata"})
    response = house.http.post("AccountService/UpdateAccount", body,
                               token=house.new_operator_token())
    assert (response.status_code == 200) == accepted, response.text
    if accepted:
        assert response.json()["account"].get("metadata", {}) == metadata


def test_health_watch_tells_of_the_drain(new_house):
    house = new_house()
    watch = house.grpc.channel.unary_stream("/grpc.health.v1.Health/Watch")
    stream = watch(b"", timeout=20)
    assert next(stream) == b"\x08\x01"  # SERVING
    told = []

    def read():
        try:
            told.extend(stream)
        except grpc.RpcError as error:
            told.append(error.code().name)

    reader = threading.Thread(target=read)
    reader.start()
    assert house.server.stop() == 0
    reader.join(15)
    assert not reader.is_alive()
    # NOT_SERVING, or at least the end of the stream: never silence.
    assert told and (told[0] == b"\x08\x02" or told[-1] in (
        "UNAVAILABLE", "CANCELLED", "OK")), told


def test_a_hundred_accounts_are_made_and_signed_in_side_by_side(house):
    """16 at once: nothing is lost, nothing is mixed up."""

    def life(_):
        person = house.sign_up(username=new_name("many"))
        claims = house.claims(person.sign_in().access_token)
        return claims.subject == person.account_id

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(life, range(100)))
