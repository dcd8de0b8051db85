"""Reads one rule: what it is about, its conditions, its options and its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bridge.findings import Findings
from bridge.rules.conditions import Condition, Entries, glob, parts, tests
from bridge.rules.misplaced import advice_for_rule, advice_for_when
from bridge.rules.named import Named
from bridge.rules.options import OptionsReader
from bridge.rules.records import Rule, World
from bridge.rules.schema import MOST_STEPS, RuleText, WhenText
from bridge.rules.slips import list_meant
from bridge.rules.steps import StepReader
from bridge.rules.timing_reader import TimingReader
from bridge.rules.vocabulary import Vocabulary, vocabulary
from bridge.rules.where import WhereReader
from bridge.rules.written import Written
from bridge.source import Source
from bridge.wording import meant, nearest, quoted
from bridge.yaml_text import Path

_MOST_KEPT = 100


class RuleReader:
    """Reads the rules of one file; `names` are those of all files, each with its place."""

    def __init__(
        self,
        findings: Findings,
        world: World,
        named: Named,
        names: dict[str, tuple[str, int]],
    ) -> None:
        self._findings = findings
        self._world = world
        self._named = named
        self._names = names
        # Most rules are about what others are about too.
        self._words: dict[tuple[Sequence[str], ...], Vocabulary] = {}

    def read(self, entry: Mapping[str, Any], path: Path) -> Written:
        """What can be understood of it; what is wrong is found."""
        advice = advice_for_rule(entry)
        valid = self._findings.validated(RuleText, entry, path, advice=advice, no_empty=True)
        name = valid.name if valid else str(entry.get("name"))
        if "name" in entry:
            self._unique(name, path)
        when = entry.get("when")
        sources, events, where = self._when(when if isinstance(when, dict) else {}, path)
        sending = self._matching(sources, events)
        words = self._vocabulary(sending, self._known(sources, sending, events))
        kinds = [self._world.sources[one] for one in sending]
        options = OptionsReader(self._findings, self._named.time_zone)
        for_each = options.for_each(entry.get("for_each"), words, path)
        words = words.with_member(for_each.name, for_each.path) if for_each else words
        member = for_each.name if for_each else ""
        conditions = WhereReader(
            self._findings,
            words,
            self._named.lists,
            ZoneInfo(self._named.time_zone),
            member,
            self._named.country,
        )
        steps = StepReader(self._findings, words, self._world, self._named)
        do = entry.get("do")
        place = self._findings.document.mistake(path, "")
        rule = Rule(
            name=name,
            sources=sources,
            events=events,
            conditions=conditions.read(where, (*path, "when", "where")),
            steps=steps.read(name, do[:MOST_STEPS] if isinstance(do, list) else [], (*path, "do")),
            enabled=valid.enabled if valid else True,
            stop=valid.stop if valid else False,
            for_each=for_each,
            sample=options.sample(entry.get("sample"), path),
            between=options.between(entry.get("only_between"), path),
            once=options.once(entry.get("once_per"), words, _without_shows(kinds), path),
            timing=TimingReader(self._findings, self._named.time_zone).read(entry, words, path),
            unless=options.unless(entry.get("unless"), kinds, path),
            file=place.file,
            line=place.line,
            column=place.column,
        )
        single = frozenset(
            each.path for each in tests(rule.conditions) if words.is_single(each.path)
        )
        return Written(
            rule=rule,
            entry=entry,
            path=path,
            single=single,
            kinds=tuple(kinds),
            lists=frozenset(words.lists()),
            single_in_entry=frozenset(_single_in_entry(rule.conditions, words)),
            findings=self._findings,
        )

    def _vocabulary(self, sending: Sequence[str], events: tuple[str, ...]) -> Vocabulary:
        about = (tuple(sending), events)
        if about not in self._words:
            if len(self._words) >= _MOST_KEPT:
                self._words.clear()
            self._words[about] = vocabulary(self._world.sources, sending, events)
        return self._words[about]

    def _unique(self, name: str, path: Path) -> None:
        here = self._findings.document.mistake((*path, "name"), "")
        first = self._names.setdefault(name.casefold(), (here.file, here.line))
        if first != (here.file, here.line):
            other = f"line {first[1]}" if first[0] == here.file else f"{first[0]}, line {first[1]}"
            what = f"two rules are called {quoted(name)}: this one and the one in {other}"
            self._findings.add((*path, "name"), what, "give each rule a name of its own")

    def _when(
        self, when: Mapping[str, Any], path: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...], Mapping[str, Any]]:
        place = (*path, "when")
        advice = advice_for_when(when)
        valid = when and self._findings.validated(
            WhenText, when, place, advice=advice, no_empty=True
        )
        where = when.get("where")
        if not valid:
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
        several = list_meant(re.sub(r"\s+(?:or|and)\s+", ", ", pattern))
        if "," in several:
            what = f"{quoted(pattern)} is one text, and no event is called so"
            self._findings.add(path, what, f"write {several}")
            return
        who = " or ".join(chosen)
        elsewhere = [
            name for name, source in self._world.sources.items() if _sends(source, pattern)
        ]
        if elsewhere:
            what = f"{who} never sends {quoted(pattern)}"
            advice = f"{' or '.join(elsewhere)} sends it: write `source: {elsewhere[0]}`"
            self._findings.add(path, what, advice)
            return
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

    def _known(
        self, sources: Sequence[str], sending: Sequence[str], events: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Without those that nobody sends: what is wrong with them is told once."""
        kinds = [self._world.sources[name] for name in sending]
        found = not sources or _chosen(self._world.sources, sources)
        if found and any(kind.types_are_open for kind in kinds):
            return events
        return tuple(one for one in events if any(_sends(kind, one) for kind in kinds))

    def _matching(self, sources: Sequence[str], events: Sequence[str]) -> list[str]:
        """The sources that can send what the rule is about, or was probably meant to be."""
        known = self._world.sources
        chosen = _chosen(known, sources)
        close = [] if chosen else [one for name in sources if (one := nearest(name, known))]
        chosen = chosen or _chosen(known, close)
        sending = [
            name
            for name, source in chosen.items()
            if not events or any(_sends(source, pattern) for pattern in events)
        ]
        found = not sources or _chosen(known, sources) or close
        open_ones = [name for name, one in chosen.items() if found and one.types_are_open]
        return sending or open_ones or list(chosen)


def _single_in_entry(conditions: Sequence[Condition], words: Vocabulary) -> Iterator[str]:
    """The paths that conditions on a list's entries look at, with one value in each at most."""
    for condition in conditions:
        if isinstance(condition, Entries):
            own = words.of_entry(condition.path)
            for test in tests(condition.conditions):
                if own.is_single(test.path.removeprefix(f"{condition.path}.")):
                    yield test.path
            yield from _single_in_entry(condition.conditions, words)
        else:
            yield from _single_in_entry(parts(condition), words)


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


def _without_shows(kinds: Sequence[type[Source]]) -> str | None:
    """Those that do not say which show an event is about; None: all do."""
    return " or ".join(kind.title for kind in kinds if not kind.show_field) or None
