"""Rules and verdicts as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.rules.records import Rule, Verdict
from bridge.rules.sentences import sentence
from bridge.rules.timing import sentences as timing_sentences

_ONCE = {
    "contact": "each contact",
    "transaction": "each transaction",
    "event": "each show",
}


def explain(rule: Rule) -> str:
    """Sentences: when what holds, do what, and when and how often.

    `When showpass sends invoice.purchase and order.total is at least 100: hubspot.upsert_contact.`
    """
    who = " or ".join(rule.sources) or "any source"
    what = " or ".join(rule.events) or "any event"
    conditions = "".join(f" and {sentence(one)}" for one in rule.conditions)
    each = f", for each {rule.for_each.name}" if rule.for_each else ""
    steps = ", then ".join(f"{step.account}.{step.action}" for step in rule.steps)
    off = "Switched off: " if not rule.enabled else ""
    begun = f"{off}{'w' if off else 'W'}hen {who} sends {what}{conditions}{each}: {steps}."
    return " ".join([begun, *_options(rule)])


def explain_verdict(verdict: Verdict) -> str:
    """One sentence: `“VIP buyers” did not match: order.total is 25.00, not at least 100.`"""
    if verdict.matched:
        return f"“{verdict.rule}” matched."
    return f"“{verdict.rule}” did not match: {verdict.why_not}."


def _options(rule: Rule) -> Iterator[str]:
    if rule.between:
        yield f"Only {rule.between.said}."
    if rule.sample is not None:
        yield f"Only for {rule.sample:g}% of people."
    if rule.once:
        _, _, period = rule.once.said.partition(" in ")
        of = _ONCE.get(rule.once.of) or f"each {rule.once.said.partition(' in ')[0]}"
        yield f"Once for {of}" + (f" in {period}." if rule.once.period else ".")
    if rule.timing:
        said = ", ".join(timing_sentences(rule.timing))
        yield f"{said[0].upper()}{said[1:]}."
    if rule.unless:
        types = " or ".join(rule.unless.types)
        yield f"Unless {types} comes first, of the same {rule.unless.same}."
    if rule.stop:
        yield "Then no later rule is asked."
