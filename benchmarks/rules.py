"""Many rules against one event: python -m benchmarks.rules

Rules are judged as routing judges them: a verdict for each rule that is about such
events, with all the reasons of those that do not match. Beside it, in the same
run and in turns, the plain way: each rule is asked for its source and type, and
each condition as it is written. `spread`: the rules are about 20 pairs of source
and event. `one event`: all are about one, with three conditions each, an amount,
a text, and any ticket's type, of which many rules ask the same. `all else`: the
same, but no two conditions are alike. Told is the median over rounds of some
events each, in processor time, and how long 1,000 such rules take to be read.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from bridge.connector import Connector
from bridge.event import Event, Webhook
from bridge.registry import installed
from bridge.rules import RuleSet, Verdict, World, compile_files, judge
from bridge.rules.conditions import holds
from bridge.rules.match import elsewhere
from bridge.rules.seen import Seen
from bridge.rules.sentences import why_not
from bridge.rules.values import view
from bridge.sources.showpass import Showpass

SIZES = (10, 100, 1_000, 5_000)
SOURCES = ("showpass", "east", "west", "north")
EVENTS = (
    *("invoice.purchase", "invoice.refund", "invoice.void"),
    *("invoice.transfer", "invoice.transferred"),
)
TYPES = ("VIP", "Backstage", "Student", "Standing", "General admission")
CURRENCIES = ("CAD", "USD", "EUR")
AT_ONCE = 20


def main() -> None:
    options = _options()
    slack = installed().connectors["slack"]
    events = _events()
    print(f"{'':10} {'rules':>6} {'asked':>6} {'judged':>10} {'plainly':>10} {'ratio':>7}")
    for name, texts in CASES.items():
        for size in SIZES:
            rules = _compiled(texts(size), slack)
            took = _measured(rules, events, options.rounds)
            _report(name, rules, events[0], took)
    for name, texts in CASES.items():
        print(f"1,000 rules read ({name}): {_reading(texts(1_000), slack):.2f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


def _spread(count: int) -> Mapping[str, str]:
    pairs = [(source, event) for source in SOURCES for event in EVENTS]
    return _texts([_rule(number, *pairs[number % len(pairs)]) for number in range(count)])


def _one_event(count: int) -> Mapping[str, str]:
    return _texts([_rule(number, "showpass", "invoice.purchase") for number in range(count)])


def _all_else(count: int) -> Mapping[str, str]:
    pair = ("showpass", "invoice.purchase")
    return _texts([_written(n, *pair, n, f"C{n}", f"Kind {n}") for n in range(count)])


def _rule(number: int, source: str, event: str) -> str:
    currency, kind = CURRENCIES[number % 3], TYPES[number // 3 % 5]
    return _written(number, source, event, number % 500, currency, kind)


def _written(  # noqa: PLR0913, RUF100  # one for each part
    number: int, source: str, event: str, amount: int, currency: str, kind: str
) -> str:
    return (
        f"  - name: Rule {number}\n    when:\n      source: {source}\n      event: {event}\n"
        f"      where:\n        order.total: {{at_least: {amount}}}\n"
        f"        order.currency: {currency}\n        tickets.type: {{contains: {kind}}}\n"
        f'    do:\n      - slack.post_message: {{channel: "#room", text: "Rule {number}"}}\n'
    )


def _texts(rules: Sequence[str]) -> Mapping[str, str]:
    """Of a thousand each: a file holds a million characters."""
    files = [rules[at : at + 1_000] for at in range(0, len(rules), 1_000)]
    return {f"{number}.yaml": "rules:\n" + "".join(some) for number, some in enumerate(files)}


def _compiled(texts: Mapping[str, str], slack: type[Connector]) -> RuleSet:
    world = World(sources=dict.fromkeys(SOURCES, Showpass), accounts={"slack": slack})
    return compile_files(texts, world)


def _reading(texts: Mapping[str, str], slack: type[Connector]) -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        _compiled(texts, slack)
        times.append(time.process_time() - began)
    return min(times)


def _events() -> list[Event]:
    """Purchases, no two of the same amount."""
    chosen = random.Random(1)
    webhook = Webhook("showpass", Showpass.samples()[0].text.encode(), {}, time.time())
    (event,) = Showpass(Showpass.Settings(), []).normalise(webhook)
    return [_varied(event, number, chosen) for number in range(AT_ONCE)]


def _varied(event: Event, number: int, chosen: random.Random) -> Event:
    order = {
        **event.facts["order"],
        "total": Decimal(f"{20 * number}.25"),
        "currency": chosen.choice(CURRENCIES),
    }
    tickets = [{**ticket, "type": chosen.choice(TYPES)} for ticket in event.facts["tickets"]]
    facts = {**event.facts, "order": order, "tickets": tickets}
    return replace(event, source="showpass", id=str(number), received_at=1.8e9, facts=facts)


def plainly(rules: RuleSet, event: Event) -> tuple[Verdict, ...]:
    """Each rule as it is written, one after the other."""
    seen = Seen(view(event))
    return tuple(_plain(rules, event, seen))


def _plain(rules: RuleSet, event: Event, seen: Seen) -> list[Verdict]:
    verdicts = []
    for rule in rules.rules:
        if elsewhere(rule, event.source, event.type) is None:
            failed = [why_not(one, seen) for one in rule.conditions if not holds(one, seen)]
            verdicts.append(Verdict(rule.name, not failed, ", and ".join(failed)))
    return verdicts


def _measured(rules: RuleSet, events: Sequence[Event], rounds: int) -> tuple[float, float]:
    """Seconds for one event, judged and plainly."""
    ways: tuple[Callable[[RuleSet, Event], object], ...] = (judge, plainly)
    took: tuple[list[float], list[float]] = ([], [])
    for event in events:
        assert judge(rules, event) == plainly(rules, event)
    for _ in range(rounds):
        for way, times in zip(ways, took, strict=True):
            began = time.process_time()
            for event in events:
                way(rules, event)
            times.append((time.process_time() - began) / len(events))
    return statistics.median(took[0]), statistics.median(took[1])


def _report(name: str, rules: RuleSet, event: Event, took: tuple[float, float]) -> None:
    asked = len(judge(rules, event))
    judged, plain = took
    print(
        f"{name:10} {len(rules.rules):6,} {asked:6,} {judged * 1000:7.3f} ms "
        f"{plain * 1000:7.3f} ms {plain / judged:6.1f}x"
    )


CASES = {"spread": _spread, "one event": _one_event, "all else": _all_else}

if __name__ == "__main__":
    main()
