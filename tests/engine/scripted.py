"""A connector whose vendor is a script: what the engine does with each outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    Digest,
    Item,
    Outcome,
    Retry,
    SecretStr,
    Unknown,
    action,
)
from bridge.engine.backoff import Patience
from bridge.engine.perform import Destination


class Settings(ConnectorSettings):
    token: SecretStr | None = None


class Message(Item):
    text: str


class Answer(Item):
    text: str
    answers: str = ""


def message_call(_settings: Settings, message: Message | Answer) -> Sequence[Call]:
    return [Call("POST", "/messages", body={"text": message.text})]


def next_noon(item: Answer, received: datetime) -> datetime:
    if item.text == "when?":
        raise RuntimeError
    noon = received.replace(hour=12, minute=0, second=0, microsecond=0)
    return noon if noon >= received else noon + timedelta(days=1)


def digest_call(_settings: Settings, messages: Sequence[Message], seconds: float) -> Sequence[Call]:
    return [Call("POST", "/messages", body={"texts": [message.text for message in messages]})]


@dataclass
class Script:
    """What the vendor answers, in order; `Delivered` when it has run out."""

    answers: list[Any] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    earlier: list[str | None] = field(default_factory=list)
    found: Delivered | Retry | Unknown | None = None
    looked_up: list[str] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    digests: list[list[str]] = field(default_factory=list)


class Scripted(Connector):
    name = "scripted"
    title = "Scripted"
    Settings = Settings
    script: ClassVar[Script]

    @action(Message, preview=message_call, batch=10)
    def send(self, items: Sequence[Message]) -> list[Outcome]:
        """Send a message; twice is once."""
        return [self._answer(item) for item in items]

    @action(Message, preview=message_call, batch=10, merges=True)
    def merge(self, items: Sequence[Message]) -> list[Outcome]:
        """Send messages in as few calls as can be."""
        self.script.batches.append([item.text for item in items])
        return [self._answer(item) for item in items]

    @action(
        Message,
        preview=message_call,
        idempotent=False,
        digest=Digest("post_digest", preview=digest_call),
    )
    def post(self, items: Sequence[Message]) -> list[Outcome]:
        """Post a message; twice is twice."""
        with self.pacer.call():
            return [self._answer(item) for item in items]

    @action(Answer, preview=message_call, threads="answers", event=True, not_before=next_noon)
    def answer(self, items: Sequence[Answer]) -> list[Outcome]:
        """Answer what was said before."""
        for item in items:
            self.script.earlier.append(item.earlier.reference if item.earlier else None)
        return [self._next_answer() for _ in items]

    @action(
        Message,
        preview=message_call,
        idempotent=False,
        digest=Digest("post_digest", preview=digest_call, always=True),
    )
    def sum_up(self, items: Sequence[Message]) -> list[Outcome]:
        """Never asked: there is always a digest."""
        raise AssertionError

    def post_digest(self, items: Sequence[Message], seconds: float) -> Outcome:
        self.script.digests.append([item.text for item in items])
        return self._next_answer()

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        self.script.looked_up.append(item.sent_as)
        return self.script.found

    def _answer(self, item: Message) -> Outcome:
        self.script.sent.append(item.text)
        return self._next_answer()

    def _next_answer(self) -> Outcome:
        answer = self.script.answers.pop(0) if self.script.answers else Delivered()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Outcome)
        return answer


def destination(script: Script, *, preview: bool = False, fingerprint: str = "f") -> Destination:
    kind = type("OneScript", (Scripted,), {"script": script})
    settings = Settings()
    return Destination("scripted", kind, settings, fingerprint, None if preview else kind(settings))


def patience(**changes: Any) -> Patience:
    values: dict[str, Any] = {
        "attempts": 3,
        "max_age": 3600.0,
        "first": 2.0,
        "cap": 60.0,
        "jitter": lambda: 1.0,
    }
    return Patience(**values | changes)
