"""A vendor's JSON API over HTTP, for connectors whose vendor has no SDK worth using."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import urllib3

from bridge.connector.outcomes import Delivered, Halted, Outcome, Rejected, Retry
from bridge.connector.pacing import Pacer


class JsonApi:
    """Calls one host at the account's pace, and judges the answers as HTTP means them.

    For actions that may be done twice. `vendor` is the name in what it says;
    `timeout` is in seconds, for connecting and again for each wait for an answer.
    """

    def __init__(
        self, vendor: str, host: str, headers: Mapping[str, str], pacer: Pacer, timeout: float
    ) -> None:
        self._vendor = vendor
        self._host = host.rstrip("/")
        self._headers = {**headers, "Content-Type": "application/json"}
        self._pacer = pacer
        self._timeout = timeout

    def send(
        self, method: str, path: str, body: Any, *, reference: str = "id", lane: str = ""
    ) -> Outcome:
        """One request; Delivered with the answer's field `reference`, or without one where
        the answer has no content (204). Raises Halted and NotNow.

        Retry: nobody answered, 408, 425, 429 and 5xx, and what is no JSON with that
        field. Halted: 401 and 403. Rejected: every other status but 2xx.
        """
        try:
            with self._pacer.call(lane):
                answer = urllib3.request(
                    method,
                    self._host + path,
                    body=json.dumps(body),
                    headers=self._headers,
                    timeout=self._timeout,
                    retries=False,  # the engine alone retries
                    redirect=False,
                )
        except urllib3.exceptions.HTTPError:
            return Retry(f"{self._vendor} could not be reached, or did not answer in time")
        return self._outcome(answer.status, answer.data, answer.headers, reference)

    def _outcome(
        self, status: int, data: bytes, headers: Mapping[str, str], reference: str
    ) -> Outcome:
        vendor, after = self._vendor, _seconds(headers.get("Retry-After"))
        if status in (401, 403):
            raise Halted(f"{vendor} does not accept the credentials ({status})")
        if status == 429:
            return Retry(f"{vendor} wants fewer calls", after or 10.0, whole_account=True)
        if status in (408, 425) or status >= 500:
            away = status in (502, 503, 504)
            return Retry(f"{vendor} has a problem of its own ({status})", after, whole_account=away)
        if not 200 <= status < 300:
            return Rejected(f"{vendor} refuses this ({status})")
        if status == 204:
            return Delivered()
        known = _field(data, reference)
        return Delivered(known) if known else Retry(f"{vendor}'s answer makes no sense")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[0-9]{1,6}", text) else None


def _field(data: bytes, name: str) -> str:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    value = answer.get(name) if isinstance(answer, dict) else None
    return str(value) if isinstance(value, str | int) else ""
