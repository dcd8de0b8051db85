"""All that the bridge is told, as records; `bridge.config` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bridge.connector import Connector, ConnectorSettings
from bridge.hosts import with_port
from bridge.settings_schema import Network
from bridge.source import Source

RULES_FILE = "rules.yaml"


@dataclass(frozen=True)
class SourceConfig:
    """One source. Without `secrets` nothing of it can be verified.

    `allow_from`: None means that any sender may try, an empty one that nobody may. `trial`:
    its secret is the random one that a first run made.
    """

    name: str
    kind: str
    source: Source = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    path_secret: str | None = field(repr=False)
    allow_from: tuple[Network, ...] | None
    bad_signature_status: int
    max_body: int
    accept_gzip: bool = False
    trial: bool = False


@dataclass(frozen=True)
class AccountConfig:
    """One account. `fingerprint` changes with any setting, a credential's too.

    `lacks` names what would make it live, where it is in preview only for want
    of that; empty where it is live, or in preview because somebody says so.
    """

    name: str
    connector: type[Connector]
    settings: ConnectorSettings = field(repr=False)
    preview: bool
    fingerprint: str
    lacks: str = ""


@dataclass(frozen=True)
class ServerConfig:
    """How the web processes listen, and when they refuse; `least_free_disk` is in bytes."""

    host: str = "127.0.0.1"
    web_workers: int = 2
    threads: int = 2
    trusted_proxies: tuple[Network, ...] = ()
    request_seconds: float = 10.0
    most_waiting: int = 200_000
    least_free_disk: int = 200_000_000


@dataclass(frozen=True)
class DeliveryConfig:
    """How deliveries are tried; the pause begins with `backoff_seconds` and doubles to its cap."""

    workers: int = 4
    attempts: int = 12
    max_age_seconds: float = 3 * 86400.0
    backoff_seconds: float = 2.0
    backoff_cap_seconds: float = 3600.0
    lease_seconds: float = 10.0
    digest_after_seconds: float = 60.0


@dataclass(frozen=True)
class RetentionConfig:
    """How long to keep what is finished: bodies, and all the rest; infinity is for ever.

    And what of each source is in quarantine: for how long, and how much of it at most.
    """

    bodies_seconds: float = 90 * 86400.0
    finished_seconds: float = 400 * 86400.0
    quarantine_seconds: float = 90 * 86400.0
    quarantine_bytes: int = 100_000_000
    quarantine_webhooks: int = 10_000


@dataclass(frozen=True)
class ActionTarget:
    """Tell by an account's action: `fields` and the text make its item."""

    account: str
    action: str
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Without an address, like the e-mail target's."""
        return f"{self.account}.{self.action}"


@dataclass(frozen=True)
class EmailTarget:
    """Tell by e-mail, through a mail server."""

    to: tuple[str, ...] = field(repr=False)
    sender: str = field(repr=False)
    host: str
    port: int
    encryption: Literal["starttls", "tls", "none"]
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"e-mail through {with_port(self.host, self.port)}"


@dataclass(frozen=True)
class AlertsConfig:
    """Whom to tell of alerts: the first that can be reached; `again` after so long.

    `resting_after`: for how long nothing gets through to an account before that is an alert;
    `waiting_after`: for how long something may wait that nobody gets on with. `machine` is
    the name by which messages call this one; empty is its host name.
    """

    tell: tuple[ActionTarget | EmailTarget, ...] = ()
    again_seconds: float = 86400.0
    resting_after_seconds: float = 900.0
    waiting_after_seconds: float = 30.0
    machine: str = ""


@dataclass(frozen=True)
class PublishingConfig:
    """When rules go live: when their files are saved, or by `showbridge rules publish` alone."""

    publish: Literal["when_saved", "by_command"] = "when_saved"

    @property
    def when_saved(self) -> bool:
        return self.publish == "when_saved"


@dataclass(frozen=True)
class Config:
    """All that the bridge is told; secrets and URLs with passwords stay out of its repr."""

    folder: Path
    data: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    port: int
    sources: Mapping[str, SourceConfig]
    accounts: Mapping[str, AccountConfig]
    server: ServerConfig = ServerConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    alerts: AlertsConfig = AlertsConfig()
    retention: RetentionConfig = RetentionConfig()
    publishing: PublishingConfig = PublishingConfig()

    @property
    def rules_file(self) -> Path:
        return self.folder / RULES_FILE
