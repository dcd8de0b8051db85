"""Which webhooks to send: samples by name, or a body of one's own and whose it is."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
    is_sample: bool = False

    def body(self, seed: str = "") -> bytes:
        """With a fresh UUID at each placeholder; with a seed a sample is about other things too."""
        text = self._about_others(seed) if seed and self.is_sample else self.text
        first, *rest = text.split(PLACEHOLDER)
        return first + b"".join(str(uuid.uuid4()).encode() + part for part in rest)

    def _about_others(self, seed: str) -> bytes:
        value = json.loads(self.text)
        for path in self.source.source.sample_ids:
            _renew(value, path.split("."), seed)
        return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _renew(value: Any, path: Sequence[str], seed: str) -> None:
    """Each id that the path leads to, through lists too; the same one in all samples of a seed."""
    if isinstance(value, list):
        for each in value:
            _renew(each, path, seed)
    elif isinstance(value, dict) and path[0] in value:
        name, *rest = path
        if rest:
            _renew(value[name], rest, seed)
        elif isinstance(value[name], str | int) and PLACEHOLDER.decode() not in str(value[name]):
            value[name] = type(value[name])(another(str(value[name]), seed))


_ALIKE = ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def another(text: str, seed: str) -> str:
    """An id that looks like it: digits for digits, letters for letters; none begins with 0."""
    drawn = hashlib.shake_256(f"{seed} {text}".encode()).digest(len(text))
    return "".join(
        _drawn(character, number, is_first=place == 0)
        for place, (character, number) in enumerate(zip(text, drawn, strict=True))
    )


def _drawn(character: str, number: int, *, is_first: bool) -> str:
    alike = next((kind for kind in _ALIKE if character in kind), character)
    kind = alike[1:] if is_first and alike.startswith("0") and len(alike) > 1 else alike
    return kind[number % len(kind)]


def samples(config: Config, source: str | None) -> list[Outgoing]:
    """The shipped samples of one configured source, or of all, in their order."""
    return [
        Outgoing(each, sample.name, sample.text.encode(), is_sample=True)
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
