"""What the checks of a source stand on: its samples, signed and varied, and its answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from bridge.errors import Malformed, SenderError
from bridge.event import Event, Identity, Webhook
from bridge.source import Sample, Source
from bridge.testing import hostile

SECRET = "conformance-secret-1"  # noqa: S105  # signs nothing real
OTHER_SECRET = "conformance-secret-2"  # noqa: S105
NOW = 1_800_000_000.0


class Sending:
    """The hooks of a conformance suite, and its webhooks."""

    source_class: ClassVar[type[Source]]
    settings: ClassVar[Mapping[str, Any]] = {}
    admission_credentials: ClassVar[tuple[str, ...]] = ()

    def source(self, *secrets: str) -> Source:
        """Set up with these secrets."""
        return self.source_class(self.source_class.Settings(**self.settings), secrets)

    def signed(self, body: bytes, secret: str = SECRET, now: float = NOW) -> Webhook:
        """As the vendor would send it; a body that cannot be signed carries a sample's headers."""
        source = self.source(secret)
        try:
            headers = source.sign(body, secret, now)
        except Malformed:
            headers = source.sign(fresh(self.source_class.samples()[0]), secret, now)
        lowered = {name.lower(): value for name, value in headers.items()}
        return Webhook(source="conformance", body=body, headers=lowered, received_at=now)

    def sent(self) -> Iterator[tuple[Sample, Webhook]]:
        """Every sample, signed."""
        for sample in self.source_class.samples():
            yield sample, self.signed(fresh(sample))

    def varied(self) -> Iterator[tuple[Webhook, Identity]]:
        """Every variation of every sample that the source takes."""
        source = self.source(SECRET)
        for sample in self.source_class.samples():
            for body in hostile.variations(fresh(sample)):
                webhook = self.signed(body)
                if refusal(source, webhook) is None:
                    identity = attempt(source.identify, webhook, Malformed)
                    if isinstance(identity, Identity):
                        yield webhook, identity


def fresh(sample: Sample) -> bytes:
    """The sample as one new event."""
    return sample.text.replace("{{ uuid }}", str(uuid.uuid4())).encode()


def with_(
    webhook: Webhook, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Webhook:
    """A copy that has parsed nothing yet."""
    return Webhook(
        source=webhook.source,
        body=webhook.body if body is None else body,
        headers=webhook.headers if headers is None else headers,
        received_at=webhook.received_at,
    )


def attempt(
    method: Callable[[Webhook], Any], webhook: Webhook, *documented: type[Exception]
) -> Any:
    """What the method returns, or the documented error that it raised."""
    try:
        return method(webhook)
    except documented as error:
        return error
    except Exception as error:
        raise AssertionError(f"{method.__name__} raised {type(error).__name__}") from error


def refusal(source: Source, webhook: Webhook) -> SenderError | None:
    """Why the source does not take it."""
    reason: SenderError | None = attempt(source.verify, webhook, SenderError)
    return reason


def identified(source: Source, webhook: Webhook) -> Identity:
    identity: Identity = attempt(source.identify, webhook)
    return identity


def normalised(source: Source, webhook: Webhook) -> tuple[Event, ...]:
    events: tuple[Event, ...] = attempt(source.normalise, webhook)
    return events


def read(source: Source, webhook: Webhook) -> tuple[object, ...]:
    """Everything that a source says of a webhook."""
    return refusal(source, webhook), identified(source, webhook), normalised(source, webhook)
