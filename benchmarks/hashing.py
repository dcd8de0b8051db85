"""What a refused request is measured against: its bytes are received and hashed, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    digest = hashlib.sha256(environ["wsgi.input"].read()).hexdigest()
    body = b'{"result": "refused"}\n'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start("401 Unauthorized", [*headers, ("X-Digest", digest)])
    return (body,)
