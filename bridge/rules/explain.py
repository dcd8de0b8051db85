"""Rules and verdicts as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.rules.conditions import All, AnyOf, Condition, Entries, Not
from bridge.rules.records import Rule, Step, Verdict
from bridge.rules.sentences import of_several, sentence
from bridge.rules.templates import Filling, Text
from bridge.rules.timing import sentences as timing_sentences

_ONCE = {
    "contact": "each contact",
    "transaction": "each transaction",
    "event": "each show",
}


@dataclass(frozen=True)
class Clause:
    """One condition in words. `parts` are those of a combination, which `words` announce."""

    words: str
    parts: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class Deed:
    """One step: its action, what that does, and its fields as they stand in the file."""

    action: str
    about: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Explanation:
    """One rule, for a page: `options` are sentences on when and how often."""

    begun: str
    clauses: tuple[Clause, ...]
    deeds: tuple[Deed, ...]
    options: tuple[str, ...]


def explanation(rule: Rule) -> Explanation:
    """What `explain` says, in its parts."""
    return Explanation(
        begun=_begun(rule),
        clauses=tuple(_clause(one) for one in rule.conditions),
        deeds=tuple(_deed(step) for step in rule.steps),
        options=tuple(_options(rule)),
    )


def explain(rule: Rule) -> str:
    """Sentences: when what holds, do what, and when and how often.

    `When showpass sends invoice.purchase and order.total is at least 100: hubspot.upsert_contact.`
    """
    conditions = "".join(f" and {sentence(one)}" for one in rule.conditions)
    each = f", for each {rule.for_each.name}" if rule.for_each else ""
    steps = ", then ".join(f"{step.account}.{step.action}" for step in rule.steps)
    return " ".join([f"{_begun(rule)}{conditions}{each}: {steps}.", *_options(rule)])


def explain_verdict(verdict: Verdict) -> str:
    """One sentence: `“VIP buyers” did not match: order.total is 25.00, not at least 100.`"""
    if verdict.matched:
        return f"“{verdict.rule}” matched."
    return f"“{verdict.rule}” did not match: {verdict.why_not}."


def _begun(rule: Rule) -> str:
    who = " or ".join(rule.sources) or "any source"
    what = " or ".join(rule.events) or "any event"
    return f"{'When' if rule.enabled else 'Switched off: when'} {who} sends {what}"


def _clause(condition: Condition) -> Clause:
    if isinstance(condition, Entries) and len(condition.conditions) > 1 and not condition.totals:
        return Clause(of_several(condition), tuple(_clause(one) for one in condition.conditions))
    words = heading(condition)
    if not words:
        return Clause(sentence(condition))
    return Clause(words, tuple(_clause(part) for part in _below(condition)))


def heading(condition: Condition) -> str:
    """What announces the parts of a combination; empty where one sentence says it all."""
    if isinstance(condition, Not):
        inner = heading(condition.part)
        return _NOT.get(inner, f"it is not so that {inner}") if inner else ""
    if isinstance(condition, All | AnyOf):
        if len(condition.parts) == 1:
            return heading(condition.parts[0])
        return _ALL if isinstance(condition, All) else _ANY
    return ""


_ALL, _ANY = "all of these hold", "one of these holds"
_NOT = {_ALL: "not all of these hold", _ANY: "none of these holds"}


def _below(condition: Condition) -> tuple[Condition, ...]:
    """The parts that `heading` announces."""
    if isinstance(condition, Not):
        return _below(condition.part)
    if isinstance(condition, All | AnyOf):
        return _below(condition.parts[0]) if len(condition.parts) == 1 else condition.parts
    return ()


def _deed(step: Step) -> Deed:
    fields = {name: _written(filling) for name, filling in step.filling.items()}
    return Deed(f"{step.account}.{step.action}", step.declared.about, fields)


def _written(filling: Filling) -> Any:
    if isinstance(filling, Text):
        return filling.source
    if isinstance(filling, Mapping):
        return {name: _written(part) for name, part in filling.items()}
    if isinstance(filling, list | tuple):
        return [_written(part) for part in filling]
    return filling


def _options(rule: Rule) -> Iterator[str]:
    if rule.between:
        yield f"Only {rule.between.said}."
    if rule.sample is not None:
        yield f"Only for {rule.sample:g}% of people."
    if rule.once:
        _, _, period = rule.once.said.partition(" in ")
        of = _ONCE.get(rule.once.of) or f"each {rule.once.said.partition(' in ')[0]}"
        of += f" in {period}" if rule.once.period else ""
        yield f"Once for {of}; if an event does not say which, it is done each time."
    if rule.timing:
        said = ", ".join(timing_sentences(rule.timing))
        yield f"{said[0].upper()}{said[1:]}."
    if rule.unless:
        types = " or ".join(rule.unless.types)
        yield f"Unless {types} comes first, of the same {rule.unless.same}."
    if rule.stop:
        yield "Then no later rule is asked."
