"""Rules and verdicts as sentences."""

from __future__ import annotations

from bridge.rules.conditions import sentence
from bridge.rules.records import Rule, Verdict


def explain(rule: Rule) -> str:
    """One sentence: when what holds, do what.

    `When showpass sends invoice.purchase and order.total is at least 100: hubspot.upsert_contact.`
    """
    who = " or ".join(rule.sources) or "any source"
    what = " or ".join(rule.events) or "any event"
    conditions = "".join(f" and {sentence(one)}" for one in rule.conditions)
    steps = ", then ".join(f"{step.account}.{step.action}" for step in rule.steps)
    return f"When {who} sends {what}{conditions}: {steps}."


def explain_verdict(verdict: Verdict) -> str:
    """One sentence: `“VIP buyers” did not match: order.total is 25.00, not at least 100.`"""
    if verdict.matched:
        return f"“{verdict.rule}” matched."
    return f"“{verdict.rule}” did not match: {verdict.why_not}."
