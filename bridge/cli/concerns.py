"""What is allowed and yet unwise: open files, secrets that can be guessed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from bridge.cli.variables import Variables
from bridge.config import FILE, RULES_FILE, Config
from bridge.exposed import exposed
from bridge.rule_files import FOLDER
from bridge.weak_secrets import weakness

log = logging.getLogger(__name__)

_COPIES = (".env.*", "*.db", "*.dump")


def concerns(config: Config) -> list[str]:
    """One line for each, with what to do; none holds a secret."""
    variables = Variables(config)
    return [*_exposed(config, variables), *_weak(config, variables), *_senders(config)]


def log_concerns(config: Config) -> None:
    for concern in concerns(config):
        log.warning("%s", concern)


def _exposed(config: Config, variables: Variables) -> list[str]:
    # What a closed folder holds is closed, whatever its own mode.
    ledger = [file for file in _ledger(config) if file.parent.resolve() != config.data.resolve()]
    rules = config.folder / FOLDER
    return exposed(
        [Path(".env"), *_copies(), *variables.files(), *ledger],
        [config.data],
        [
            config.folder,
            config.folder / FILE,
            config.folder / RULES_FILE,
            rules,
            *sorted(rules.glob("*.yaml")),
            config.folder / "emails",
        ],
    )


def _copies() -> list[Path]:
    """Backups and former versions, as they lie in the folder where commands are started."""
    return sorted(file for name in _COPIES for file in Path().glob(name) if file.is_file())


def _senders(config: Config) -> Iterator[str]:
    """What an `allow_from` does that it does not seem to do."""
    for source in config.sources.values():
        if source.allow_from == ():
            yield f"{source.name} takes webhooks from nobody: its `allow_from` is empty"
        elif source.allow_from and not config.server.trusted_proxies:
            yield (
                f"`allow_from` of {source.name} is compared with the address that connects, which "
                "behind a proxy is the proxy's own: name it below `server:` as `trusted_proxies`"
            )


def _ledger(config: Config) -> list[Path]:
    url = make_url(config.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    return [Path(url.database + ending) for ending in ("", "-wal")]


def _weak(config: Config, variables: Variables) -> Iterator[str]:
    for source in config.sources.values():
        named = " or ".join(one.name for one in variables.of_source(source) if one.is_set)
        for number, secret in enumerate(source.secrets, 1):
            which = f" (number {number} in {named})" if len(source.secrets) > 1 else f" ({named})"
            if why := weakness(secret):
                yield (
                    f"a signing secret of {source.name}{which} {why}: who guesses it can forge "
                    f"webhooks; use the one that {source.kind} makes"
                )
