"""Slack: messages at about one a second for each channel, and a history that shows them.

https://docs.slack.dev/apis/web-api/rate-limits/; internal applications may ask
for a history 50 times a minute and for the list of channels 20 times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.vendors.faults import Fate
from tests.chaos.vendors.limits import Bucket
from tests.chaos.vendors.messages import Answer, Request
from tests.chaos.vendors.record import Record

PREPARED_CHANNELS = 100


@dataclass
class Slack:
    """`burst` messages may follow each other at once in a channel that was quiet.

    Channels `sales-000` to `sales-099` exist; any other is made when it is named.
    """

    record: Record
    now: Callable[[], float]
    burst: int = 5
    channels: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    posted: int = 0

    def __post_init__(self) -> None:
        for number in range(PREPARED_CHANNELS):
            self.channels[f"sales-{number:03}"] = f"C0SALES{number:03}"

    def endpoint(self, request: Request) -> str:
        return request.path.removeprefix("/api/")

    def admit(self, request: Request, fate: Fate) -> Answer | None:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return Answer(200, {"ok": False, "error": "not_authed"})
        limit, bucket = self._bucket(request)
        seconds = bucket.wait()
        if not seconds:
            return None
        self.record.over_limit[f"slack {limit}"] += 1
        return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})

    def throttled(self, fate: Fate) -> Answer:
        headers = {"Retry-After": "1"} if fate.draw < 0.5 else {}
        return Answer(429, {"ok": False, "error": "ratelimited"}, headers)

    def broken(self, fate: Fate) -> Answer:
        if fate.draw < 0.5:
            status = 200 if fate.draw < 0.25 else 500
            return Answer(status, {"ok": False, "error": "internal_error"})
        return Answer(502 + int(fate.draw * 6) % 3, "<html>Bad gateway</html>")

    def take(self, request: Request, fate: Fate) -> Answer:
        said = request.data | request.query
        method = self.endpoint(request)
        if method == "chat.postMessage":
            return self._post(said)
        if method == "conversations.history":
            return self._history(said)
        if method == "conversations.list":
            return self._list(said)
        return Answer(200, {"ok": False, "error": "unknown_method"})

    def _bucket(self, request: Request) -> tuple[str, Bucket]:
        method = self.endpoint(request)
        if method == "chat.postMessage":
            channel = self._channel(str(request.data.get("channel")))
            return "channel", self._kept(channel, 1.0, float(self.burst))
        per_minute = 50.0 if method == "conversations.history" else 20.0
        return method, self._kept(method, per_minute / 60, per_minute)

    def _kept(self, name: str, per_second: float, burst: float) -> Bucket:
        if name not in self.buckets:
            self.buckets[name] = Bucket(per_second, burst, self.now)
        return self.buckets[name]

    def _channel(self, named: str) -> str:
        """Its id; one that nobody has heard of is made."""
        if named in self.channels.values() or named.startswith("C0"):
            self.channels.setdefault(named.lower(), named)
            return named
        name = named.removeprefix("#")
        return self.channels.setdefault(name, f"C1{len(self.channels):07}")

    def _post(self, said: Mapping[str, Any]) -> Answer:
        if not said.get("text"):
            return Answer(200, {"ok": False, "error": "no_text"})
        channel = self._channel(str(said.get("channel")))
        self.posted += 1
        ts = f"{int(self.now())}.{self.posted:06}"
        metadata = _parsed(said.get("metadata"))
        message = {"type": "message", "ts": ts, "text": said["text"], "metadata": metadata}
        self.messages.setdefault(channel, []).append(message)
        value = {"text": said["text"], "deliveries": _deliveries(metadata), "ts": ts}
        self.record.note("slack", "post", channel, value)
        return Answer(200, {"ok": True, "channel": channel, "ts": ts, "message": message})

    def _history(self, said: Mapping[str, Any]) -> Answer:
        """The newest first; only ids are known here, and metadata is shown on demand alone."""
        channel = str(said.get("channel"))
        if channel not in self.channels.values():
            return Answer(200, {"ok": False, "error": "channel_not_found"})
        oldest = float(said.get("oldest") or 0)
        found = [one for one in self.messages.get(channel, []) if float(one["ts"]) > oldest][::-1]
        if str(said.get("include_all_metadata")).lower() not in ("1", "true"):
            found = [{**one, "metadata": {}} for one in found]
        page, more = _page(found, said, 999)
        return Answer(200, {"ok": True, "messages": page, "has_more": bool(more)} | _next(more))

    def _list(self, said: Mapping[str, Any]) -> Answer:
        known = [{"id": channel, "name": name} for name, channel in self.channels.items()]
        page, more = _page(known, said, 1000)
        return Answer(200, {"ok": True, "channels": page} | _next(more))


def _page(
    found: list[dict[str, Any]], said: Mapping[str, Any], most: int
) -> tuple[list[dict[str, Any]], str]:
    start = int(said.get("cursor") or 0)
    end = start + min(int(said.get("limit") or 100), most)
    return found[start:end], str(end) if end < len(found) else ""


def _next(cursor: str) -> dict[str, Any]:
    return {"response_metadata": {"next_cursor": cursor}}


def _parsed(metadata: Any) -> dict[str, Any]:
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    return metadata if isinstance(metadata, dict) else {}


def _deliveries(metadata: Mapping[str, Any]) -> list[str]:
    """The ids that the message says it stands for: of one delivery, or of all in a digest."""
    found: list[str] = []
    for name, value in (metadata.get("event_payload") or {}).items():
        if "deliver" in name:
            found.extend(map(str, value) if isinstance(value, list) else [str(value)])
    return found
