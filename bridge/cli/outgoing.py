"""Which webhooks to send: samples by name, or a body of one's own and whose it is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge import strict_json
from bridge.config import Config, SourceConfig
from bridge.errors import Malformed, OperatorError
from bridge.wording import meant

PLACEHOLDER = b"{{ uuid }}"


@dataclass(frozen=True)
class Outgoing:
    """A body for a source; `name` is the sample's, or the file's."""

    source: SourceConfig
    name: str
    text: bytes

    def body(self) -> bytes:
        """With a fresh UUID at each placeholder."""
        first, *rest = self.text.split(PLACEHOLDER)
        return first + b"".join(str(uuid.uuid4()).encode() + part for part in rest)


def samples(config: Config, source: str | None) -> list[Outgoing]:
    """The shipped samples of one configured source, or of all, in their order."""
    return [
        Outgoing(each, sample.name, sample.text.encode())
        for each in chosen_sources(config, source)
        for sample in each.source.samples()
    ]


def named_samples(config: Config, names: Sequence[str], source: str | None) -> list[Outgoing]:
    """Raises OperatorError for a name that is unknown, or of several sources."""
    known = samples(config, source)
    return [_named(known, name) for name in names]


def own_body(config: Config, text: bytes, name: str, source: str | None) -> Outgoing:
    """For the source that was named, or else the one whose samples look alike."""
    chosen = chosen_sources(config, source)
    if source is None and len(chosen) > 1:
        chosen = _alike(chosen, text)
    if len(chosen) != 1:
        raise OperatorError(
            f"whose webhook is {name}? Say it with --source: {_listed(config.sources)}"
        )
    return Outgoing(chosen[0], name, text)


def chosen_sources(config: Config, source: str | None) -> list[SourceConfig]:
    """Raises OperatorError for a name that is not configured."""
    if source is None:
        return list(config.sources.values())
    if source not in config.sources:
        raise OperatorError(f"there is no source `{source}`; {meant(source, config.sources)}")
    return [config.sources[source]]


def _named(known: Sequence[Outgoing], name: str) -> Outgoing:
    found = [sample for sample in known if sample.name == name]
    if not found:
        names = {sample.name for sample in known}
        raise OperatorError(f"there is no sample `{name}`; {meant(name, names)}")
    if len(found) > 1:
        listed = _listed(sample.source.name for sample in found)
        raise OperatorError(f"several sources send {name}; choose one with --source: {listed}")
    return found[0]


def _alike(sources: Sequence[SourceConfig], text: bytes) -> list[SourceConfig]:
    """Those whose samples share the most top-level names with the body, more than half of them."""
    given = _names(text)
    scores = {source.name: max(_overlaps(source, given), default=0.0) for source in sources}
    best = max(scores.values())
    return [source for source in sources if scores[source.name] == best > 0.5]


def _overlaps(source: SourceConfig, given: frozenset[str]) -> Iterator[float]:
    for sample in source.source.samples():
        names = _names(sample.text.encode())
        yield len(names & given) / len(names | given) if names | given else 0.0


def _names(text: bytes) -> frozenset[str]:
    try:
        value = strict_json.loads(text)
    except Malformed:
        return frozenset()
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
