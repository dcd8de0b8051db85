"""Where bridge.yaml takes its secrets from: the names of variables and files, never values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge import regular_files, yaml_text
from bridge.config import FILE, MAX_BYTES, AccountConfig, Config, SourceConfig
from bridge.settings_files import secret_fields, secrets_file


@dataclass(frozen=True)
class Variable:
    """`name` is an environment variable's, or a file's path; `is_set` where it holds something."""

    name: str
    is_set: bool


class Variables:
    """Of one bridge.yaml, which `config` was read from."""

    def __init__(self, config: Config) -> None:
        file = config.folder / FILE
        self._value = yaml_text.read(
            regular_files.read(file, MAX_BYTES).decode("utf-8-sig"), str(file)
        ).value
        self._config = config

    def of_source(self, source: SourceConfig) -> list[Variable]:
        """For its signing secrets; the file of the first run where that is what counts."""
        named = list(_references(self._entry("sources", source.name).get("secrets")))
        made = secrets_file(self._config.data, source.name)
        if source.secrets and not any(one.is_set for one in named) and made.exists():
            return [Variable(str(made), is_set=True)]
        return named

    def wanted_by(self, source: SourceConfig) -> list[str]:
        """The variables and files that bridge.yaml names for its signing secrets."""
        secrets = self._entry("sources", source.name).get("secrets")
        return [one.name for one in _references(secrets)]

    def of_account(self, account: AccountConfig) -> list[Variable]:
        entry = self._entry("accounts", account.name)
        fields = secret_fields(account.connector.Settings)
        return [one for field in fields for one in _references(entry.get(field))]

    def files(self) -> list[Path]:
        """Every file that bridge.yaml takes a value from."""
        return [self._config.folder / name for name in _files(self._value)]

    def _entry(self, group: str, name: str) -> dict[str, Any]:
        entry = self._value[group][name]
        return entry if isinstance(entry, dict) else {}


def _files(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("file"), str):
        yield value["file"]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _files(part)


def _references(value: Any) -> Iterator[Variable]:
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and "env" in part:
            yield Variable(part["env"], bool(os.environ.get(part["env"], "").strip()))
        elif isinstance(part, dict) and "file" in part:
            # A file that cannot be read is a mistake, so that this one was.
            yield Variable(part["file"], is_set=True)
