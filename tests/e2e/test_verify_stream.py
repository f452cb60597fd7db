"""TokenService.VerifyStream: BatchVerify again and again on one stream."""

import queue

import grpc
import pytest

from doors import Refused
from house import refusal

METHOD = "TokenService/VerifyStream"


def asking(*tokens, **more):
    return {"requests": [{"token": token, **more} for token in tokens]}


class Conversation:
    """A stream on which each request waits for the answer before it."""

    def __init__(self, door):
        self.requests = queue.Queue()
        self.answers = door.exchange(METHOD, iter(self.requests.get, None))

    def ask(self, request):
        self.requests.put(request)
        return [one.reason for one in next(self.answers).responses]

    def end(self):
        self.requests.put(None)
        return list(self.answers)


def test_each_request_is_answered_as_batch_verify_answers(house):
    good = house.sign_up().sign_in().access_token
    bad = house.sign_up().sign_in().access_token
    house.revoke(token=bad)
    request = asking(good, bad, "x", good)
    batch = house.grpc.call("TokenService/BatchVerify", request)
    stream = Conversation(house.grpc)
    for _ in range(3):
        stream.requests.put(request)
        assert list(next(stream.answers).responses) == list(batch.responses)
    assert stream.end() == []


def test_a_revocation_is_seen_by_the_next_request_of_an_open_stream(house):
    person = house.sign_up()
    tokens = person.sign_in()
    stream = Conversation(house.grpc)
    assert stream.ask(asking(tokens.access_token)) == [""]
    revision = house.revoke(session_id=tokens.session_id)
    assert stream.ask(asking(tokens.access_token)) == ["TOKEN_REVOKED"]
    assert stream.ask(asking(tokens.access_token, min_revision=revision)) == [
        "TOKEN_REVOKED"]
    stream.end()


def test_many_new_tokens_are_judged_on_another_thread_all_the_same(house):
    person = house.sign_up()
    tokens = [person.sign_in().access_token for _ in range(20)]
    stream = Conversation(house.grpc)
    assert stream.ask(asking(*tokens)) == [""] * 20
    stream.end()


@pytest.mark.parametrize("request_", [
    asking(), asking(*["x"] * 101), asking("x", audience="a", any_audience=True),
    asking("x", min_revision="nonsense")])
def test_a_request_that_cannot_be_judged_ends_the_stream_with_its_reason(
        house, request_):
    token = house.sign_up().sign_in().access_token
    stream = Conversation(house.grpc)
    assert stream.ask(asking(token)) == [""]
    refused = refusal(stream.ask, request_)
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT",
                                              "ARGUMENT_INVALID")
    assert refused.fields


@pytest.mark.parametrize("body,reason", [
    (b"\x0a\xff", "ARGUMENT_INVALID"),
    (b"\x7a\x80\x90\x0a" + b"a" * 0x28800, "REQUEST_TOO_LARGE")])
def test_bytes_that_are_no_request_end_the_stream_with_a_reason(house, body,
                                                                reason):
    with pytest.raises(Refused) as refused:
        house.grpc.raw(METHOD, body)
    assert refused.value.reason == reason, refused.value


def test_an_idle_stream_does_not_outlive_its_callers_deadline(house):
    never = queue.Queue()
    answers = house.grpc.exchange(METHOD, iter(never.get, None), timeout=0.5)
    refused = refusal(next, answers)
    assert refused.code == "DEADLINE_EXCEEDED"
    never.put(None)


def test_over_http_there_is_no_such_route(house):
    answer = house.http.post(METHOD, "{}")
    assert answer.status_code == 404


def test_streams_that_their_callers_drop_leave_nothing_behind(house):
    for _ in range(200):
        call = house.grpc.channel.stream_stream(f"/ostiary.v1.{METHOD}")(
            iter(lambda: b"", None), timeout=5)
        call.cancel()
        assert call.code() in (grpc.StatusCode.CANCELLED,
                               grpc.StatusCode.INVALID_ARGUMENT)
    token = house.sign_up().sign_in().access_token
    stream = Conversation(house.grpc)
    assert stream.ask(asking(token)) == [""]
    stream.end()
