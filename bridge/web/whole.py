"""Whether a webhook has arrived whole, so that reading it waits for nobody. Pure."""

from __future__ import annotations

import re

from bridge.web.hooks import HOOK_PATH

# Larger requests are rare, and take longer than a loop should be kept.
MOST_BYTES = 65_536

_FIRST_LINE = re.compile(rb"POST %s HTTP/1\.1\r\n" % HOOK_PATH.encode())
_LENGTH = re.compile(rb"\r\nContent-Length: ?(\d{1,5})\r\n", re.IGNORECASE)
# Chunks say their length themselves; and what is small as sent may be large as meant.
_ENCODED = re.compile(rb"\r\n(?:Transfer|Content)-Encoding:", re.IGNORECASE)


def is_whole(received: bytes) -> bool:
    """True for a plain POST to a source's URL with all of its body; more may follow it.

    What is odd in any way is none: this decides who reads a request, not what
    it says.
    """
    if not _FIRST_LINE.match(received):
        return False
    end = received.find(b"\r\n\r\n") + 2
    length = _LENGTH.search(received, 0, end)
    if length is None or _ENCODED.search(received, 0, end):
        return False
    return len(received) >= end + 2 + int(length[1])
