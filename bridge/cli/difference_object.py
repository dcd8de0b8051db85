"""What other rules would have done differently, as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.cli.compared import Compared
from bridge.cli.difference_examples import changes
from bridge.cli.json_lines import iso
from bridge.engine.course import Owed
from bridge.engine.estimate import Cost
from bridge.engine.rule_pairs import Pair
from bridge.engine.tally import Counts, Example, RuleCounts, Side, Waits


def as_object(found: Compared, only: str | None) -> dict[str, object]:
    """`only` names one rule: then there are no figures of actions and accounts."""
    comparison, looked = found.comparison, found.looked
    return {
        "before": {"rules": found.before.named, "version": found.before.rules.version},
        "after": {"rules": found.after.named, "version": found.after.rules.version},
        "same_version": found.is_same,
        "since": iso(looked.since),
        "first": iso(looked.first),
        "last": iso(looked.last),
        "webhooks": looked.webhooks,
        "left_out": {
            "pruned": looked.pruned,
            "quarantined": looked.quarantined,
            "unreadable": comparison.unreadable,
        },
        "events": comparison.events,
        "different": comparison.different,
        "reordered": comparison.pairing.is_reordered,
        "rules": [_rule(pair, counts, looked.names) for pair, counts in found.rules(only)],
        **({} if only else _figures(found)),
    }


def _figures(found: Compared) -> dict[str, object]:
    return {
        "actions": [
            {
                "account": account,
                "action": action,
                **_counts(counts),
                "people_more": counts.more,
                "people_fewer": counts.fewer,
            }
            for (account, action), counts in sorted(found.comparison.actions.items())
        ],
        "costs": [
            {"account": name, "before": _cost(before), "after": _cost(after)}
            for name, (before, after) in sorted(found.comparison.costs.items())
        ],
        "costs_estimated": found.comparison.is_estimated,
    }


def _rule(pair: Pair, counts: RuleCounts, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": pair.name,
        "standing": pair.standing,
        "was": pair.before.name if pair.before else None,
        "matched": {"before": counts.matched_before, "after": counts.matched_after},
        **_counts(counts),
        "examples": [_example(each, names) for each in counts.examples],
    }


def _counts(counts: Counts) -> dict[str, object]:
    return {
        **{kind: counts.kinds[kind] for kind in ("added", "removed", "changed")},
        "lawful_only_now": counts.lawful,
        "refused_only_now": counts.refused,
        "before": _side(counts.before),
        "after": _side(counts.after),
    }


def _side(side: Side) -> dict[str, object]:
    """Where it is not the same on both sides for sure."""
    return {"fates": dict(side.fates), "later": _waits(side.waits)}


def _waits(waits: Waits) -> dict[str, object] | None:
    if not waits.count:
        return None
    return {"count": waits.count, "shortest": waits.shortest, "longest": waits.longest}


def _cost(cost: Cost | None) -> dict[str, object]:
    if cost is None:
        return {"calls": 0, "at_most": 0, "seconds_by_limits": 0.0}
    return {
        "calls": cost.calls,
        "at_most": cost.at_most,
        "seconds_by_limits": round(cost.seconds, 1),
    }


def _example(example: Example, names: Mapping[str, str]) -> dict[str, object]:
    about, difference = example.about, example.difference
    told: dict[str, Any] = {
        "event": names.get(about.id, about.id),
        "type": about.type,
        "who": about.who,
        "received_at": iso(about.at),
        "kind": difference.kind,
        "account": difference.done.planned.account,
        "action": difference.done.planned.action,
        "before": _owed(difference.before),
        "after": _owed(difference.after),
        "why_not": example.why_not,
    }
    if difference.kind == "changed":
        told["fields"] = [vars(each) for each in changes(difference)]
    return told


def _owed(owed: Owed | None) -> dict[str, object] | None:
    if owed is None:
        return None
    return {
        "rule": owed.planned.rule,
        "fate": owed.fate,
        "reason": owed.reason,
        "due_at": iso(owed.due_at or None),
        "item": dict(owed.planned.item),
    }
