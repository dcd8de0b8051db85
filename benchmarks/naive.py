"""The design that comes to mind first: Flask, the same HMAC, and one RQ job for each request."""

from __future__ import annotations

import hmac
import json
import os

from flask import Flask, Response, request
from redis import Redis
from rq import Queue

from benchmarks.servers import QUEUE

app = Flask(__name__)
secret = os.environ["SHOWPASS_SECRETS"].encode()
queue = Queue(QUEUE, connection=Redis.from_url(os.environ["REDIS_URL"]))


@app.post("/hooks/showpass")
def hook() -> Response:
    body = request.get_data()
    expected = hmac.digest(secret, str(json.loads(body)["id"]).encode(), "sha1").hex()
    if not hmac.compare_digest(expected, request.headers.get("X-Showpass-Signature", "")):
        return Response('{"result": "refused"}\n', status=401, mimetype="application/json")
    queue.enqueue("benchmarks.naive.work", body)
    return Response('{"result": "accepted"}\n', mimetype="application/json")


def work(body: bytes) -> None:
    """What a worker would do."""
