"""From the text of a rules file to a rule set, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import ConfigurationError
from bridge.findings import Findings
from bridge.rules.conditions import glob
from bridge.rules.records import Rule, RuleSet, World
from bridge.rules.schema import RulesText, RuleText, WhenText
from bridge.rules.steps import StepReader
from bridge.rules.vocabulary import vocabulary
from bridge.rules.where import WhereReader
from bridge.source import Source
from bridge.wording import meant, quoted
from bridge.yaml_text import Path, read


def compile_rules(text: str, file: str, world: World) -> RuleSet:
    """Raises ConfigurationError with every mistake; `file` is the name that they carry."""
    findings = Findings(read(text, file))
    rules = _Compiler(findings, world).rules(findings.document.value)
    if findings.mistakes:
        raise ConfigurationError(findings.mistakes)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return RuleSet(rules, version, tuple(findings.warnings))


class _Compiler:
    """Goes through one file; goes on after mistakes, with what can still be understood."""

    def __init__(self, findings: Findings, world: World) -> None:
        self._findings = findings
        self._world = world
        self._names: dict[str, int] = {}

    def rules(self, value: Any) -> tuple[Rule, ...]:
        if value is None:
            self._findings.add((), "the file is empty", "write `rules:` and rules below it")
            return ()
        self._findings.validated(RulesText, value, ())
        listed = value.get("rules") if isinstance(value, dict) else None
        entries = listed if isinstance(listed, list) else []
        rules = [
            self._rule(entry, ("rules", number))
            for number, entry in enumerate(entries)
            if isinstance(entry, dict)
        ]
        return tuple(rules)

    def _rule(self, entry: dict[str, Any], path: Path) -> Rule:
        valid = self._findings.validated(RuleText, entry, path)
        name = valid.name if valid else str(entry.get("name"))
        if "name" in entry:
            self._unique(name, path)
        when = entry.get("when")
        sources, events, where = self._when(when if isinstance(when, dict) else {}, path)
        words = vocabulary(self._world.sources, self._matching(sources, events), events)
        do = entry.get("do")
        return Rule(
            name=name,
            sources=sources,
            events=events,
            conditions=WhereReader(self._findings, words).read(where, (*path, "when", "where")),
            steps=StepReader(self._findings, words, self._world).read(
                name, do if isinstance(do, list) else [], (*path, "do")
            ),
        )

    def _unique(self, name: str, path: Path) -> None:
        first = self._names.setdefault(name.casefold(), int(path[-1]))
        if first != path[-1]:
            line = self._findings.document.mistake(("rules", first, "name"), "").line
            what = f"two rules are called {quoted(name)}: this one and the one in line {line}"
            self._findings.add((*path, "name"), what, "give each rule a name of its own")

    def _when(
        self, when: dict[str, Any], path: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]:
        place = (*path, "when")
        valid = self._findings.validated(WhenText, when, place)
        where = when.get("where")
        if valid is None:
            return (), (), where if isinstance(where, dict) else {}
        sources, events = tuple(valid.source or ()), tuple(valid.event or ())
        self._check_sources(sources, (*place, "source"))
        self._check_events(sources, events, (*place, "event"))
        return sources, events, valid.where

    def _check_sources(self, sources: Sequence[str], path: Path) -> None:
        for number, pattern in enumerate(sources):
            if not any(glob(name, pattern) for name in self._world.sources):
                what = f"there is no source {quoted(pattern)}"
                self._findings.add(
                    self._entry(path, number), what, meant(pattern, self._world.sources)
                )

    def _check_events(self, sources: Sequence[str], events: Sequence[str], path: Path) -> None:
        chosen = _chosen(self._world.sources, sources)
        for number, pattern in enumerate(events):
            if chosen and not any(_sends(source, pattern) for source in chosen.values()):
                self._unknown_event(chosen, pattern, self._entry(path, number))

    def _unknown_event(self, chosen: Mapping[str, type[Source]], pattern: str, path: Path) -> None:
        known = [event for source in chosen.values() for event in source.event_types]
        who = " or ".join(chosen)
        if any(source.types_are_open for source in chosen.values()):
            self._findings.warn(
                path,
                f"{who} is not known to send {quoted(pattern)}",
                f"{_sentence(meant(pattern, known))} "
                "It may be right all the same: not all are published",
            )
            return
        self._findings.add(path, f"{who} never sends {quoted(pattern)}", meant(pattern, known))

    def _entry(self, path: Path, number: int) -> Path:
        """The entry of a list; a single name is not written as one."""
        return (*path, number) if (*path, number) in self._findings.document.values else path

    def _matching(self, sources: Sequence[str], events: Sequence[str]) -> list[str]:
        """The sources that can send what the rule is about."""
        chosen = _chosen(self._world.sources, sources) or self._world.sources
        sending = [
            name
            for name, source in chosen.items()
            if not events or any(_sends(source, pattern) for pattern in events)
        ]
        open_ones = [name for name, source in chosen.items() if source.types_are_open]
        return sending or open_ones or list(chosen)


def _chosen(world: Mapping[str, type[Source]], patterns: Sequence[str]) -> dict[str, type[Source]]:
    return {
        name: source
        for name, source in world.items()
        if not patterns or any(glob(name, pattern) for pattern in patterns)
    }


def _sends(source: type[Source], pattern: str) -> bool:
    return any(glob(event, pattern) for event in source.event_types)


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."
