"""Reads `bridge.yaml`: sources and accounts, each on its own, so that every mistake is found."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from bridge.connector import Connector, ConnectorSettings
from bridge.findings import Findings
from bridge.registry import Registry
from bridge.secret_values import References
from bridge.settings import AccountConfig, SourceConfig
from bridge.settings_schema import SourceText
from bridge.source import Source
from bridge.weak_secrets import is_placeholder, miscopied
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_PATH_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_OF_ACCOUNT = ("connector", "preview")
_NEVER = "secrets never stand in YAML"


def secrets_file(data: FilePath, source: str) -> FilePath:
    """Where a first run puts a source's secret."""
    return data / "secrets" / source


class SettingsReader:
    """Reads the two groups of one file; what is wrong is left out and found."""

    def __init__(
        self,
        findings: Findings,
        references: References,
        registry: Registry,
        data: FilePath,
    ) -> None:
        self._findings = findings
        self._references = references
        self._registry = registry
        self._data = data

    def sources(self, group: Mapping[str, Any]) -> Iterator[SourceConfig]:
        for name, settings in group.items():
            path = ("sources", name)
            given = self._group(name, settings, path)
            kind = given.get("kind", name)
            source = self._registry.sources.get(str(kind))
            if source is None:
                self._unknown("kind of source", kind, self._registry.sources, path, "kind" in given)
                continue
            yield from self._source(name, source, given, path)

    def _source(
        self, name: str, source: type[Source], given: Mapping[str, Any], path: Path
    ) -> Iterator[SourceConfig]:
        for field in ("secrets", "path_secret"):
            self._refuse_literal(given.get(field), (*path, field), f"{name}_{field}")
        found = dict(self._references.resolved(dict(given), path))
        found["secrets"] = _joined(found.get("secrets"))
        self._refuse_placeholders(found["secrets"], source.kind, (*path, "secrets"))
        self._refuse_miscopied(found["secrets"], (*path, "secrets"))
        every = [*SourceText.model_fields, *source.Settings.model_fields]
        common = {key: value for key, value in found.items() if key in SourceText.model_fields}
        special = {key: value for key, value in found.items() if key not in common}
        text = self._findings.validated(SourceText, common, path)
        settings = self._findings.validated(source.Settings, special, path, known=every)
        if text and settings:
            secrets = self._secrets(name, text.secrets)
            yield SourceConfig(
                name=name,
                kind=text.kind or name,
                source=source(settings, secrets),
                secrets=secrets,
                path_secret=self._path_secret(text.path_secret, path),
                allow_from=text.allow_from,
                bad_signature_status=text.bad_signature_status,
                max_body=text.max_body,
                accept_gzip=text.accept_gzip,
                trial=bool(secrets) and not text.secrets,
            )

    def _secrets(self, name: str, named: str | None) -> tuple[str, ...]:
        text = named or self._made_secret(name)
        return _parts(text)

    def _refuse_placeholders(self, secrets: Any, kind: str, path: Path) -> None:
        if isinstance(secrets, str) and any(map(is_placeholder, _parts(secrets))):
            what = "a signing secret is still the example of the documents"
            self._findings.add(path, what, f"put the key in its place that {kind} shows")

    def _refuse_miscopied(self, secret: Any, path: Path) -> None:
        for part in _parts(secret) if isinstance(secret, str) else ():
            if why := miscopied(part):
                named = self._references.named.get(path, "")
                what = f"`{path[-1]}`{f' ({named})' if named else ''} {why}"
                self._findings.add(path, what, "copy the key once more, into a plain text file")

    def _made_secret(self, name: str) -> str:
        file = secrets_file(self._data, name)
        if not _NAME.fullmatch(name) or not file.is_file():
            return ""
        return self._references.read(file, ("sources", name)) or ""

    def _path_secret(self, secret: str | None, path: Path) -> str | None:
        if secret is not None and not _PATH_SECRET.fullmatch(secret):
            what = "`path_secret` must be 16 to 128 letters, digits, hyphens or underscores"
            self._findings.add((*path, "path_secret"), what)
        return secret

    def accounts(self, group: Mapping[str, Any]) -> Iterator[AccountConfig]:
        for name, settings in group.items():
            path = ("accounts", name)
            given = self._group(name, settings, path)
            kind = given.get("connector", name)
            connector = self._registry.connectors.get(str(kind))
            if connector is None:
                known = self._registry.connectors
                self._unknown("connector", kind, known, path, "connector" in given)
                continue
            yield from self._account(name, connector, given, path)

    def _account(
        self, name: str, connector: type[Connector], given: Mapping[str, Any], path: Path
    ) -> Iterator[AccountConfig]:
        secret = secret_fields(connector.Settings)
        for field in secret:
            self._refuse_literal(given.get(field), (*path, field), f"{name}_{field}")
        own = {key: value for key, value in given.items() if key not in _OF_ACCOUNT}
        found = self._references.resolved(own, path)
        known = [*_OF_ACCOUNT, *connector.Settings.model_fields]
        told = {"folder": self._references.folder}
        settings = self._findings.validated(connector.Settings, found, path, known, told)
        if settings is None:
            return
        for field in secret:
            self._refuse_miscopied(found.get(field), (*path, field))
        deciding = connector.Settings.lives_by or secret
        bare = bool(deciding) and not any(getattr(settings, field) for field in deciding)
        wanted = [field for field in deciding if field in secret]
        preview = self._preview(given.get("preview"), bare, name, wanted, path)
        lacks = self._wanted(name, wanted, path) if bare and "preview" not in given else ""
        mark = fingerprint(connector, settings)
        yield AccountConfig(name, connector, settings, preview, mark, lacks)

    def _preview(
        self, wanted: Any, bare: bool, name: str, secret: Iterable[str], path: Path
    ) -> bool:
        place = (*path, "preview")
        if wanted is not None and not isinstance(wanted, bool):
            self._findings.add(place, "`preview` must be true or false")
        elif wanted is False and bare:
            wants = self._wanted(name, secret, path)
            self._findings.add(place, "nothing can be sent without credentials", f"set {wants}")
        return bare if wanted is None else bool(wanted)

    def _wanted(self, name: str, secret: Iterable[str], path: Path) -> str:
        """The variables that the file names for the account's secrets, or how to name some."""
        named = [self._references.named.get((*path, field)) for field in secret]
        return " or ".join(filter(None, named)) or " or ".join(
            f"`{field}: {{env: {_variable(name, field)}}}`" for field in secret
        )

    def _group(self, name: str, settings: Any, path: Path) -> Mapping[str, Any]:
        if not _NAME.fullmatch(name):
            what = f"{quoted(name)} cannot be a name"
            advice = "use up to 40 small letters, digits, hyphens and underscores"
            self._findings.add(path, what, advice, at_key=True)
        return settings if isinstance(settings, dict) else {}

    def _unknown(self, what: str, name: Any, known: Iterable[str], path: Path, said: bool) -> None:
        place = (*path, "kind" if what.startswith("kind") else "connector") if said else path
        advice = meant(str(name), known)
        if not said:
            word = "kind" if what.startswith("kind") else "connector"
            advice = f"add a line `{word}: ...`; {advice}"
        self._findings.add(
            place, f"there is no {what} {quoted(str(name))}", advice, at_key=not said
        )

    def _refuse_literal(self, value: Any, path: Path, field: str) -> None:
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            reference = isinstance(part, dict) and len(part) == 1 and {"env", "file"} & set(part)
            if isinstance(part, dict) and not reference:
                for name, one in part.items():
                    self._refuse_literal(one, (*path, name), f"{field}_{name}")
            elif part is not None and not reference:
                variable = re.sub(r"[^A-Z0-9]", "_", field.upper())
                advice = f"write {{env: {variable}}} and set that variable"
                self._findings.add(path, f"`{path[-1]}`: {_NEVER}", advice)


def _parts(secrets: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in re.split(r"[,\n]", secrets))))


def _variable(name: str, field: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", f"{name}_{field}".upper())


def _joined(secrets: Any) -> Any:
    """A list of references, for a rotation, is one text of several lines."""
    if not isinstance(secrets, list):
        return secrets
    return "\n".join(part for part in secrets if isinstance(part, str)) or None


def secret_fields(settings: type[BaseModel]) -> list[str]:
    """The settings that are credentials."""
    return [name for name, one in settings.model_fields.items() if _is_secret(one.annotation)]


def _is_secret(annotation: Any) -> bool:
    if annotation is SecretStr:
        return True
    return any(_is_secret(part) for part in get_args(annotation))


def fingerprint(connector: type[Connector], settings: ConnectorSettings) -> str:
    """16 hexadecimal digits over every setting, so that a changed credential shows."""
    shown = json.dumps([connector.name, settings.model_dump()], default=_revealed, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def _revealed(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
