"""What a sender is told, as short machine-readable reasons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a machine-readable reason; with a 503 `retry_after`, in seconds."""

    status: int
    result: str
    reason: str | None = None
    retry_after: int = 3

    def as_json(self) -> dict[str, str]:
        answer = {"result": self.result}
        return answer | {"reason": self.reason} if self.reason else answer


UNKNOWN = Answer(404, "refused", "unknown-url")
NOT_ALLOWED = Answer(403, "refused", "address-not-allowed")
NOT_DURABLE = Answer(503, "unavailable", "not-recorded-try-again")
NO_SECRET = Answer(503, "unavailable", "no-secret-configured")
TOO_SLOW = Answer(503, "unavailable", "request-too-slow")
CROWDED = Answer(503, "unavailable", "too-many-connections")
BUSY = Answer(503, "unavailable", "busy")
ACCEPTED = Answer(200, "accepted")
DUPLICATE = Answer(200, "duplicate")
CONFLICT = Answer(200, "duplicate", "content-differs-first-kept")
PROBE = Answer(200, "ready", "send-webhooks-by-post")
