"""Finds sources and connectors through entry points, ours like anybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TypeVar

from bridge.connector import Connector
from bridge.errors import OperatorError
from bridge.source import Source

SOURCES = "showbridge.sources"
CONNECTORS = "showbridge.connectors"

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Registry:
    """What is installed: kinds of sources and connectors by the names that YAML uses."""

    sources: Mapping[str, type[Source]]
    connectors: Mapping[str, type[Connector]]


def installed() -> Registry:
    """Raises OperatorError where an installed package announces what it does not hold."""
    return Registry(
        sources=_load(SOURCES, Source),  # type: ignore[type-abstract]  # looked up, never made
        connectors=_load(CONNECTORS, Connector),
    )


def _load(group: str, kind: type[Kind]) -> dict[str, type[Kind]]:
    found: dict[str, type[Kind]] = {}
    for entry in entry_points(group=group):
        try:
            loaded = entry.load()
        except (ImportError, AttributeError) as error:
            package = entry.dist.name if entry.dist else "a package"
            raise OperatorError(
                f"{package} announces `{entry.name}` under {group}, but {entry.value} cannot be "
                f"loaded: {error}; reinstall or remove that package"
            ) from error
        if not (isinstance(loaded, type) and issubclass(loaded, kind)):
            raise OperatorError(f"{entry.value} ({group}: {entry.name}) is no {kind.__name__}")
        found[entry.name] = loaded
    return found
