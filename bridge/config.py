"""YAML and the environment, to one frozen Config; nothing is read afterwards.

`load` is pure beside reading the files that are named: `bridge.yaml`, the
files behind `{file: ...}`, and the secrets that a first run has made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bridge import regular_files
from bridge.environment import Environment, read_environment
from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.findings import Findings
from bridge.registry import Registry, installed
from bridge.rules import World
from bridge.secret_values import References
from bridge.settings import (
    RULES_FILE,
    AccountConfig,
    ActionTarget,
    AlertsConfig,
    Config,
    DeliveryConfig,
    EmailTarget,
    PublishingConfig,
    RetentionConfig,
    ServerConfig,
    SourceConfig,
)
from bridge.settings_alerts import TellReader
from bridge.settings_files import SettingsReader
from bridge.settings_schema import AlertsText, BridgeText, DeliveryText, RetentionText, ServerText
from bridge.yaml_text import read
from bridge.yaml_traps import DECIMALS

__all__ = [
    "RULES_FILE",
    "AccountConfig",
    "AlertsConfig",
    "Config",
    "DeliveryConfig",
    "RetentionConfig",
    "ServerConfig",
    "SourceConfig",
    "load",
    "world",
]

FILE = "bridge.yaml"
MAX_BYTES = 4_000_000
# In quarantine: its headers, and its row.
BESIDE_A_BODY = 10_000


def load(
    environ: Mapping[str, str], folder: Path | None = None, registry: Registry | None = None
) -> Config:
    """The configuration in `folder`, else in SHOWBRIDGE_CONFIG, else in ./config.

    Raises ConfigurationError, or OperatorError where the environment or a file
    is to blame, with everything that is wrong.
    """
    folder = folder or Path(environ.get("SHOWBRIDGE_CONFIG", "").strip() or "config")
    environment = read_environment(environ)
    try:
        text = _text(folder / FILE)
        return _Loader(environ, folder, environment, registry or installed()).config(text)
    except ConfigurationError as error:
        raise _with_environment(environment, error.mistakes) from None


def world(config: Config) -> World:
    """What rules may name."""
    return World(
        sources={name: type(one.source) for name, one in config.sources.items()},
        accounts={name: one.connector for name, one in config.accounts.items()},
        settings={name: one.settings for name, one in config.accounts.items()},
    )


def _text(file: Path) -> str:
    try:
        return regular_files.read(file, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise OperatorError(
            f"{file} is missing; start in the folder that holds it, or set SHOWBRIDGE_CONFIG"
        ) from None
    except UnicodeDecodeError:
        raise OperatorError(f"{file} is not in UTF-8; save it as UTF-8 text") from None
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {regular_files.why(error)}") from None


def _with_environment(environment: Environment, mistakes: tuple[Mistake, ...]) -> OperatorError:
    if not environment.complaints:
        return ConfigurationError(mistakes)
    return OperatorError("\n".join([*environment.complaints, *map(str, mistakes)]))


class _Loader:
    """Puts one configuration together."""

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path,
        environment: Environment,
        registry: Registry,
    ) -> None:
        self._environ = environ
        self._folder = folder
        self._environment = environment
        self._registry = registry

    def config(self, text: str) -> Config:
        findings = Findings(read(text, str(self._folder / FILE), echo=False))
        value = findings.document.value or {}
        references = References(findings, self._environ, self._folder)
        reader = SettingsReader(findings, references, self._registry, self._environment.data)
        # Nobody reads warnings while the bridge starts: a thousand that is one must not start.
        findings.mistakes += [one for one in findings.doubts if one.what == DECIMALS]
        valid = findings.validated(BridgeText, value, ())
        sources = {one.name: one for one in reader.sources(_group(value, "sources"))}
        accounts = {one.name: one for one in reader.accounts(_group(value, "accounts"))}
        tell = TellReader(findings, references, accounts).read(_group(value, "alerts").get("tell"))
        _refuse_small_quarantine(findings, valid, sources)
        if not findings.mistakes and not sources:
            findings.add((), "no source is configured", "add one below `sources:`")
        if findings.mistakes or self._environment.complaints or valid is None:
            raise ConfigurationError(findings.mistakes)
        return Config(
            folder=self._folder,
            data=self._environment.data,
            database_url=self._environment.database_url,
            redis_url=self._environment.redis_url,
            port=self._environment.port,
            sources=MappingProxyType(sources),
            accounts=MappingProxyType(accounts),
            server=_server(valid.server),
            delivery=_delivery(valid.delivery),
            alerts=_alerts(tell, valid.alerts),
            retention=_retention(valid.retention),
            publishing=PublishingConfig(valid.rules.publish),
        )


def _refuse_small_quarantine(
    findings: Findings, valid: BridgeText | None, sources: Mapping[str, SourceConfig]
) -> None:
    """One body of the largest size has to fit, with what is kept beside it."""
    largest = max(sources.values(), key=lambda one: one.max_body, default=None)
    if valid is None or largest is None:
        return
    least = largest.max_body + BESIDE_A_BODY
    if valid.retention.quarantine_size < least:
        findings.add(
            ("retention", "quarantine_size"),
            f"`retention.quarantine_size` has no room for one body of `{largest.name}`, whose "
            f"`max_body` is {largest.max_body}",
            f"write at least {least}, or make `max_body` smaller",
        )


def _group(value: Any, name: str) -> Mapping[str, Any]:
    group = value.get(name) if isinstance(value, dict) else None
    return group if isinstance(group, dict) else {}


def _alerts(tell: tuple[ActionTarget | EmailTarget, ...], text: AlertsText) -> AlertsConfig:
    return AlertsConfig(
        tell,
        again_seconds=text.again,
        resting_after_seconds=text.resting_after,
        waiting_after_seconds=text.waiting_after,
        machine=" ".join(text.machine.split()),
    )


def _server(text: ServerText) -> ServerConfig:
    return ServerConfig(**{one.name: getattr(text, one.name) for one in fields(ServerConfig)})


def _retention(text: RetentionText) -> RetentionConfig:
    return RetentionConfig(
        bodies_seconds=text.bodies,
        finished_seconds=text.finished,
        quarantine_seconds=text.quarantine,
        quarantine_bytes=text.quarantine_size,
        quarantine_webhooks=text.quarantine_webhooks,
    )


def _delivery(text: DeliveryText) -> DeliveryConfig:
    """In YAML durations have units, so that their names have none."""
    return DeliveryConfig(
        **{
            one.name: getattr(text, one.name.removesuffix("_seconds"))
            for one in fields(DeliveryConfig)
        }
    )
