"""Where a request ends among what has arrived: never before all of it is there."""

from __future__ import annotations

import pytest

from bridge.errors import SenderError
from bridge.web.framing import MAX_CHUNKS, MAX_HEAD, Framing

CAP = 1_000_000
BODY = b'{"id": "1"}'


def post(
    *headers: str,
    path: str = "/hooks/showpass",
    method: str = "POST",
    version: str = "1.1",
    body: bytes = BODY,
) -> bytes:
    given = headers or (f"Content-Length: {len(body)}",)
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *given, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks)
    return post("Transfer-Encoding: chunked", body=body + b"0\r\n" + trailers + b"\r\n")


def end_of(received: bytes) -> int | None:
    """As it all came at once."""
    return Framing(CAP).end(bytearray(received))


def ends(received: bytes, step: int = 1) -> list[int]:
    """After how many bytes it is said to be whole, as they come little by little."""
    framing, arrived, found = Framing(CAP), bytearray(), []
    for at in range(0, len(received), step):
        arrived += received[at : at + step]
        if framing.end(arrived) is not None:
            found.append(len(arrived))
    return found


def is_small(received: bytes, *, inflates: bool = False) -> bool:
    framing, arrived = Framing(CAP, inflates), bytearray(received)
    end = framing.end(arrived)
    assert end is not None
    return framing.is_small(arrived, end)


WHOLE = {
    "with a length": post(),
    "without a body": post(method="GET", body=b"").replace(b"Content-Length: 0\r\n", b""),
    "of one chunk": chunked(BODY),
    "of several chunks": chunked(b"{", b'"id"', b': "1"}'),
    "with trailers": chunked(BODY, trailers=b"X-A: b\r\nX-C: d\r\n"),
}
whole = pytest.mark.parametrize("raw", WHOLE.values(), ids=WHOLE.keys())


@whole
def test_a_request_is_whole_with_its_last_byte_and_not_before(raw: bytes) -> None:
    assert ends(raw) == [len(raw)]


@whole
def test_what_follows_a_request_is_not_part_of_it(raw: bytes) -> None:
    assert end_of(raw + post()) == len(raw)
    assert end_of(raw + b"\r\n\r\n0\r\n\r\n") == len(raw)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
def test_in_which_pieces_it_comes_does_not_matter(step: int) -> None:
    raw = chunked(*[b"x" * size for size in (1, 10, 300, 5)], trailers=b"X-A: b\r\n")
    assert ends(raw, step)[0] >= len(raw)
    assert ends(raw, step)[0] < len(raw) + step


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: +5",),
        ("Content-Length: 5, 5",),
        ("Content-Length: \u0665",),
        ("Content-Length: " + "9" * 30,),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding : chunked",),
        (" Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
    ],
    ids=str,
)
def test_odd_framing_is_handed_on_without_a_body(headers: tuple[str, ...]) -> None:
    """The parser refuses it, or finds no body; the connection ends either way."""
    raw = post(*headers)
    assert end_of(raw) in (len(raw) - len(BODY), len(raw))


@pytest.mark.parametrize("size", ["zz", "-1", "", "0x5", "5 5", "1" * 16, "x" * 300])
def test_a_chunk_without_a_size_is_handed_on_as_far_as_it_has_come(size: str) -> None:
    raw = post("Transfer-Encoding: chunked", body=f"{size}\r\n{{}}\r\n".encode())
    assert end_of(raw) == len(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (post(f"Content-Length: {CAP + 1}"), "body-too-large"),
        (post("Transfer-Encoding: chunked", body=b"%x\r\n" % (CAP + 1)), "body-too-large"),
        (chunked(*[b"x"] * (MAX_CHUNKS + 1)), "too-many-chunks"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD, "headers-too-large"),
    ],
    ids=["length", "chunk", "chunks", "head"],
)
def test_what_is_too_large_is_refused_before_the_rest_has_come(raw: bytes, reason: str) -> None:
    with pytest.raises(SenderError, match=reason):
        end_of(raw)


def test_large_chunks_may_be_many() -> None:
    assert end_of(chunked(*[b"x" * 2000] * 400)) is not None


@pytest.mark.parametrize("raw", [post(), chunked(BODY), post(method="GET"), post(path="/x")])
def test_a_request_of_the_usual_size_is_small(raw: bytes) -> None:
    assert is_small(raw)


def test_a_large_request_is_not_small() -> None:
    assert not is_small(post(body=bytes(66_000)))


def test_a_compressed_body_is_small_only_if_nobody_inflates_it() -> None:
    raw = post("content-encoding: gzip", f"Content-Length: {len(BODY)}")
    assert is_small(raw)
    assert not is_small(raw, inflates=True)


@pytest.mark.parametrize(
    ("header", "waits"),
    [("Expect: 100-continue", True), ("expect:100-Continue", True), ("X-Expect: 1", False)],
)
def test_a_sender_that_holds_its_body_back_is_noticed(header: str, waits: bool) -> None:
    framing, arrived = Framing(CAP), bytearray(post(header, "Content-Length: 11", body=b""))
    assert framing.end(arrived) is None
    assert framing.wants_to_be_told_to_continue(arrived) is waits
