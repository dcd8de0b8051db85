"""Whether why-not answers are right, for random pairs of a rule and an event.

In the long run: `python -m tests.rules.why_not --pairs 10000 --seed 1`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from bridge import rules
from bridge.event import Event
from bridge.rules.examine import Asked, Examination
from tests.rules import oracle, small_rules
from tests.rules.conftest import Academy, Chat, Crm, Shop
from tests.rules.oracle import Known, Line

WORLD = rules.World(sources={"shop": Shop, "academy": Academy}, accounts={"crm": Crm, "chat": Chat})


@dataclass(frozen=True)
class Pair:
    """A rule as it stands in YAML, and an event."""

    rule: Mapping[str, Any]
    event: Event

    @property
    def where(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.rule["when"]["where"]
        return found

    def with_lines(self, lines: Sequence[Mapping[str, Any]]) -> Pair:
        """The same with these conditions, which may be about the same fields."""
        changed = deepcopy(dict(self.rule))
        changed["when"]["where"] = {"all": [dict(line) for line in lines]}
        return Pair(changed, self.event)

    def without(self, *names: str) -> Pair:
        return Pair({name: one for name, one in self.rule.items() if name not in names}, self.event)


def pair(random: Random) -> Pair:
    return Pair(small_rules.rule(random), small_rules.event(random))


def compiled(one: Pair) -> rules.Rule:
    return rules.compile_rules(small_rules.text(one.rule), "rules.yaml", WORLD).rules[0]


def matches(one: Pair) -> bool:
    made = rules.compile_rules(small_rules.text(one.rule), "rules.yaml", WORLD)
    return any(verdict.matched for verdict in rules.judge(made, one.event))


def check(one: Pair, random: Random) -> str:
    """What kind of pair it was; raises AssertionError where an answer is wrong."""
    made = rules.compile_rules(small_rules.text(one.rule), "rules.yaml", WORLD)
    examination = rules.examine(made.rules[0], one.event)
    verdicts = rules.judge(made, one.event)
    if _is_elsewhere(one):
        assert not verdicts
        assert examination.elsewhere
        return "elsewhere"
    [verdict] = verdicts
    assert examination.elsewhere is None
    assert bool(examination.kept_from) == _is_kept_from(one, examination), one.rule
    expected = not examination.kept_from and bool(_fitting(one))
    assert verdict.matched is examination.matched is expected, (one, verdict)
    if verdict.matched and one.rule.get("for_each"):
        assert list(verdict.members) == _fitting(one)
    if not _members(one):
        assert "there are no tickets" in verdict.why_not
        return "no members"
    known = _known(one, examination)
    lines = oracle.lines(one.where, known)
    _check_parts(examination.asked, lines)
    _check_text(examination, verdict, lines)
    if examination.failed:
        _check_repairs(one, examination, lines, random)
    if verdict.matched:
        return "matched"
    return "for each" if one.rule.get("for_each") else "kept" if examination.kept_from else "failed"


def _is_elsewhere(one: Pair) -> bool:
    named = one.rule["when"]["event"]
    return one.event.source != "shop" or named not in ("order.*", one.event.type)


def _is_kept_from(one: Pair, examination: Examination) -> bool:
    """The share of a sample is not decided here: which people are in it is a hash."""
    sampled = [why for why in examination.kept_from if "sample" in why]
    received = f"{small_rules.RECEIVED:%Y-%m-%d}"
    days = one.rule.get("only_between", {})
    outside = received < days.get("from", received) or received > days.get("to", received)
    switched_off = one.rule.get("enabled") is False
    assert len(examination.kept_from) == switched_off + outside + len(sampled)
    return bool(switched_off or outside or sampled)


def _members(one: Pair) -> Sequence[Any]:
    """Each with `ticket`; one empty one where the rule goes through none."""
    if not one.rule.get("for_each"):
        return [{}]
    return [{"ticket": ticket} for ticket in one.event.facts["tickets"] or ()]


def _fitting(one: Pair) -> list[int]:
    return [
        number
        for number, member in enumerate(_members(one), start=1)
        if all(line.holds for line in oracle.lines(one.where, _of(one, member)))
    ]


def _of(one: Pair, member: Mapping[str, Any]) -> Known:
    return Known.of(one.event, small_rules.LISTS, **member)


def _known(one: Pair, examination: Examination) -> Known:
    """As the member sees it that is told of, which has the fewest failures."""
    members = _members(one)
    if not one.rule.get("for_each"):
        return _of(one, members[0])
    misses = [sum(not x.holds for x in oracle.lines(one.where, _of(one, m))) for m in members]
    assert examination.member is not None
    assert misses[examination.member - 1] == min(misses)
    assert list(examination.fitting) == _fitting(one)
    return _of(one, members[examination.member - 1])


def _check_parts(asked: Sequence[Asked], lines: Sequence[Line]) -> None:
    """Each condition holds or fails, down to the last part."""
    assert len(asked) == len(lines)
    for one, line in zip(asked, lines, strict=True):
        assert one.holds is line.holds, (one, line)
        assert bool(one.why_not) is not one.holds
        assert len(one.parts) == len(line.parts)
        if not one.holds and line.kind in ("any", "all"):
            assert all(part.why_not in one.why_not for part in one.parts)
        _check_parts(one.parts, line.parts)


def _check_text(examination: Examination, verdict: rules.Verdict, lines: Sequence[Line]) -> None:
    """The text names every condition that failed, by its field, and none that held."""
    if verdict.matched:
        return
    failed = [one.why_not for one in examination.failed]
    said = ", and ".join([*examination.kept_from, *failed])
    if examination.rule.for_each and failed and examination.member:
        assert verdict.why_not.endswith(", and ".join(failed))
    else:
        assert verdict.why_not == said
    named = verdict.why_not
    for one, line in zip(examination.asked, lines, strict=True):
        assert (one.why_not != "") is not line.holds
        # Of what is asked of entries the number may be right and a sum wrong.
        named_for_sure = one.paths[:1] if line.kind == "entries" else one.paths
        told = line.kind in ("test", "not", "entries") and not line.holds
        for path in named_for_sure if told else ():
            assert path in named, (path, named)


def _check_repairs(
    one: Pair, examination: Examination, lines: Sequence[Line], random: Random
) -> None:
    """With what was named made so, the rule matches; with less of it, it does not."""
    free = one.without("enabled", "only_between", "sample")
    known = _known(one, examination)
    failed = [number for number, line in enumerate(lines) if not line.holds]
    repaired = [line.where if line.holds else _repair(line, known, random) for line in lines]
    assert matches(free.with_lines(repaired)), (one.rule, repaired)
    if examination.kept_from:
        assert not matches(one.with_lines(repaired))
    for left in failed:
        fewer = [*repaired]
        fewer[left] = lines[left].where
        assert not matches(free.with_lines(fewer)), (one.rule, fewer)


def _repair(line: Line, known: Known, random: Random) -> Mapping[str, Any]:
    """A condition that holds instead: of a combination, only what failed in it is changed."""
    if line.kind == "all":
        parts = [part.where if part.holds else _repair(part, known, random) for part in line.parts]
        _check_fewer(line, parts, known)
        return {"all": parts}
    if line.kind == "any":
        parts = [part.where for part in line.parts]
        at = random.randrange(len(parts))
        parts[at] = _repair(line.parts[at], known, random)
        return {"any": parts}
    if line.kind == "not" or random.random() < 0.5:
        return {"not": line.where}
    for _ in range(20):
        other = small_rules.where(random, member="ticket" in known.fields, depth=0, most=1)
        if all(one.holds for one in oracle.lines(other, known)):
            return other
    return {"not": line.where}


def _check_fewer(line: Line, parts: Sequence[Mapping[str, Any]], known: Known) -> None:
    """Each part that failed has to be changed."""
    for at, part in enumerate(line.parts):
        if not part.holds:
            fewer = [*parts[:at], part.where, *parts[at + 1 :]]
            [found] = oracle.lines({"all": fewer}, known)
            assert not found.holds


def run(pairs: int, seed: int) -> Counter[str]:
    """How many pairs of each kind there were; raises AssertionError with the first wrong one."""
    random = Random(seed)
    counted: Counter[str] = Counter()
    for _ in range(pairs):
        counted[check(pair(random), random)] += 1
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    counted = run(given.pairs, given.seed)
    seconds = time.perf_counter() - began
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counted.most_common())
    told = f"{given.pairs:,} pairs of seed {given.seed} in {seconds:.0f} s: {kinds}. All agree."
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
