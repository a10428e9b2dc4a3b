"""Requests and answers of the client that costs next to nothing, against a server that answers by hand."""

import asyncio

import pytest

from bench.cloud_callers import _GATHER, _REDIRECT, target_of
from bench.http_client import as_fast_as_possible, at_rate, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
NO = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"


async def _server(*answers: bytes) -> tuple[asyncio.Server, int, list[bytes]]:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                heard.append(head + await reader.readexactly(length))
                writer.write(answers[(len(heard) - 1) % len(answers)])
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], heard


async def test_every_request_is_sent_once_at_the_rate_and_refusals_are_counted() -> None:
    server, port, heard = await _server(OK, NO)
    async with server:
        requests = [post("/x", [("n", str(n))], "sig") for n in range(10)]
        answered = await at_rate(port, requests, per_s=500.0, connections=1)
    assert sorted(heard) == sorted(requests)
    assert (len(answered.taken), answered.refused) == (10, 5)


async def test_as_fast_as_possible_ends_with_the_requests_and_raises_for_a_refusal() -> None:
    server, port, heard = await _server(OK)
    async with server:
        requests = [post("/x", [("n", str(n))], "sig") for n in range(20)]
        assert await as_fast_as_possible(port, requests, 5.0, connections=2) > 0
    assert len(heard) == 20
    server, port, _ = await _server(NO)
    async with server:
        with pytest.raises(RuntimeError, match="refused"):
            await as_fast_as_possible(port, requests, 5.0, connections=1)


def test_a_request_carries_the_form_its_length_and_the_signature() -> None:
    request = post("/twilio/voice", [("From", "+86139"), ("City", "")], "abc=")
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b"From=%2B86139&City="
    assert b"Content-Length: 19" in head
    assert b"X-Twilio-Signature: abc=" in head


def test_the_next_url_of_a_caller_is_read_from_the_twiml_without_overrides() -> None:
    twiml = (
        '<Response><Gather action="http://h/twilio/keys?scene=2&amp;seq=3#rc=2" numDigits="1"><Play>x</Play></Gather>'
        '<Redirect method="POST">http://h/twilio/hold?scene=2#rc=2</Redirect></Response>'
    )
    assert target_of(_GATHER, twiml) == "/twilio/keys?scene=2&seq=3"
    assert target_of(_REDIRECT, twiml) == "/twilio/hold?scene=2"
    assert target_of(_REDIRECT, "<Response/>") == ""
