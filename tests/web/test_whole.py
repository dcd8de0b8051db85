"""Which requests a server's loop may read by itself: only what lies there from end to end."""

from __future__ import annotations

import pytest

from bridge.web.whole import is_whole

BODY = b'{"id": "1"}'


def post(
    *headers: str, path: str = "/hooks/showpass", method: str = "POST", version: str = "1.1"
) -> bytes:
    given = headers or (f"Content-Length: {len(BODY)}",)
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *given, "", ""]
    return "\r\n".join(lines).encode() + BODY


@pytest.mark.parametrize("path", ["/hooks/showpass", "/hooks/show-pass_2/A-secret_0"])
@pytest.mark.parametrize("name", ["Content-Length", "content-length", "CONTENT-LENGTH"])
def test_a_plain_webhook_with_all_of_its_body_is_whole(path: str, name: str) -> None:
    assert is_whole(post(f"{name}: {len(BODY)}", path=path))


def test_nothing_less_than_the_whole_is_whole() -> None:
    whole = post()
    assert [length for length in range(len(whole) + 1) if is_whole(whole[:length])] == [len(whole)]


def test_what_follows_does_not_matter() -> None:
    assert is_whole(post() + post()[:20])


def test_a_length_within_the_body_is_none() -> None:
    assert not is_whole(post("X-A: b") + b"\r\nContent-Length: 1\r\n\r\n")


@pytest.mark.parametrize(
    "header",
    [
        *("Transfer-Encoding: chunked", "content-encoding: gzip", "Content-Length: 100000"),
        *("Content-Length: +11", "Content-Length: 1_1", "Content-Length: \u0661"),
        *("X-Content-Length: 11", "Content-Length : 11"),
    ],
)
def test_odd_or_large_lengths_and_encodings_are_for_others(header: str) -> None:
    headers = [header] if "Length" in header else [header, f"Content-Length: {len(BODY)}"]
    assert not is_whole(post(*headers) + bytes(100_000))


@pytest.mark.parametrize(
    "request_line",
    [
        *({"method": "GET"}, {"method": "HEAD"}, {"version": "1.0"}, {"path": "/readyz"}),
        *({"path": "//hooks/showpass"}, {"path": "/hooks/showpass/"}, {"path": "/hooks/a?b=c"}),
        *({"path": "/hooks/%61"}, {"path": "/hooks/a/b/c"}, {"path": "/hooks/Showpass"}),
    ],
    ids=str,
)
def test_whatever_is_no_post_to_a_plain_url_of_a_source_is_for_others(
    request_line: dict[str, str],
) -> None:
    assert not is_whole(post(**request_line))
