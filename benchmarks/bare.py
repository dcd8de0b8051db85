"""What the receiver is measured against: Flask, the same HMAC, nothing kept."""

from __future__ import annotations

import hmac
import json
import os

from flask import Flask, Response, request

app = Flask(__name__)
secret = os.environ["SHOWPASS_SECRETS"].encode()


@app.post("/hooks/showpass")
def hook() -> Response:
    body = request.get_data()
    expected = hmac.digest(secret, str(json.loads(body)["id"]).encode(), "sha1").hex()
    if not hmac.compare_digest(expected, request.headers.get("X-Showpass-Signature", "")):
        return Response('{"result": "refused"}\n', status=401, mimetype="application/json")
    return Response('{"result": "accepted"}\n', mimetype="application/json")
