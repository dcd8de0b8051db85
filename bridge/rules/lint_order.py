"""Rules that others make useless: shadowed by one that stops, or doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.rules.conditions import glob
from bridge.rules.entail import follows, size
from bridge.rules.records import Between, Rule
from bridge.rules.written import Written
from bridge.wording import quoted

# Comparing everything with everything must stay quick, however long the file is.
_MOST_STOPS = 20
_LARGEST = 40

# What makes two rules with the same `when` do the same at another time, or for others.
_OPTIONS = (
    "for_each",
    "only_between",
    "sample",
    "once_per",
    "after",
    "at",
    "quiet_hours",
    "unless",
)


def warn_of_shadowed(rules: Sequence[Written]) -> set[str]:
    """Rules that are never asked where they would match; gives their names."""
    stops: list[Written] = []
    shadowed: set[str] = set()
    for written in (one for one in rules if one.rule.enabled):
        first = next((one for one in stops if _covers(one.rule, written.rule)), None)
        if first is not None:
            shadowed.add(written.rule.name)
            _tell_shadowed(written, first)
        elif written.rule.stop and len(stops) < _MOST_STOPS and _is_whole(written.rule):
            stops.append(written)
    return shadowed


def _tell_shadowed(written: Written, first: Written) -> None:
    name = quoted(first.rule.name)
    place = first.seen_from(written)
    what = f"this rule is never asked: whatever it is for matches {name} before ({place}), which"
    written.warn(
        ("name",), f"{what} says `stop: true`", f"move this rule above {name}, or remove its `stop`"
    )


def _is_whole(rule: Rule) -> bool:
    """A sample leaves the other people to later rules."""
    small = sum(size(one) for one in rule.conditions) <= _LARGEST
    return small and (rule.sample is None or rule.sample >= 100)


def _covers(first: Rule, later: Rule) -> bool:
    """Whether the first matches wherever the later one would."""
    return (
        _patterns_cover(first.sources, later.sources)
        and _patterns_cover(first.events, later.events)
        and first.for_each in (None, later.for_each)
        and _days_cover(first.between, later.between)
        and sum(size(one) for one in later.conditions) <= _LARGEST
        and all(follows(later.conditions, one) for one in first.conditions)
    )


def _patterns_cover(first: Sequence[str], later: Sequence[str]) -> bool:
    return not first or all(
        any(_pattern_covers(wide, narrow) for wide in first) for narrow in later or ("*",)
    )


def _pattern_covers(wide: str, narrow: str) -> bool:
    """A pattern fits another one as if that were a name, as `*` and `?` fit themselves."""
    if wide.casefold() == narrow.casefold():
        return True
    return not ("*" in narrow and "?" in wide) and glob(narrow, wide)


def _days_cover(first: Between | None, later: Between | None) -> bool:
    if first is None:
        return True
    if later is None:
        return False
    begins = first.start is None or (later.start is not None and first.start <= later.start)
    ends = first.end is None or (later.end is not None and later.end <= first.end)
    return begins and ends


def warn_of_doubled(rules: Sequence[Written], shadowed: set[str]) -> None:
    """The same step twice in one rule, or in two rules about the same."""
    firsts: dict[str, tuple[Written, int]] = {}
    for written in (one for one in rules if one.rule.enabled and one.rule.name not in shadowed):
        own: dict[str, int] = {}
        for number, step in _steps(written.entry):
            name = next(iter(step))
            said = _said(step)
            at = ("do", number, name)
            if said in own:
                _tell_doubled_here(written, at, own[said])
                continue
            own[said] = number
            first = firsts.setdefault(f"{_about(written)} {said}", (written, number))
            if first[0] is not written and written.rule.sample is None:
                _tell_doubled_there(written, at, first[0])


def _tell_doubled_here(written: Written, at: tuple[str | int, ...], first: int) -> None:
    path = (*written.path, "do", first)
    line = written.findings.document.mistake(path, "").line
    what = f"this rule does the same twice: here and in line {line}"
    written.warn(at, what, "remove one of the two steps")


def _tell_doubled_there(written: Written, at: tuple[str | int, ...], first: Written) -> None:
    place = first.seen_from(written)
    what = f"{quoted(first.rule.name)} ({place}) does the same for the same events"
    written.warn(at, f"{what}, so it is done twice", "remove one of the two steps")


def _steps(entry: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((number, step) for number, step in enumerate(entry["do"]) if step)


def _about(written: Written) -> str:
    """What the rule is for, as it is written."""
    entry = written.entry
    return _said({name: entry[name] for name in ("when", *_OPTIONS) if name in entry})


def _said(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
