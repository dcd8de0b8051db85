"""What a run prints at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.check import KINDS, Evidence, Finding
from tests.chaos.conductor import Happened

SHOWN = 8


@dataclass(frozen=True)
class Outcome:
    """Of one run. `accounts` are what `status` and `verify` said and how they ended."""

    evidence: Evidence
    happened: Happened
    findings: Sequence[Finding]
    answers: Mapping[str, int]
    counters: Mapping[str, Any]
    ended: Mapping[str, int]
    accounts: Sequence[tuple[str, bool, str]]

    @property
    def refused(self) -> int:
        """A 4xx would be final for some senders."""
        return sum(count for answer, count in self.answers.items() if answer[-3:-2] == "4")

    @property
    def is_kept(self) -> bool:
        balanced = all(good for _, good, _ in self.accounts)
        bad = self.findings or self.happened.left or self.refused
        return balanced and not bad


def lines(outcome: Outcome) -> Iterator[str]:
    evidence, happened = outcome.evidence, outcome.happened
    yield f"plan      seed {evidence.plan.seed}, fingerprint {evidence.plan.fingerprint}"
    yield f"kills     {sum(happened.kills.values())}: {_counts(happened.kills)}"
    yield f"          {happened.missed} missed; Redis wiped {happened.wipes} times while it ran"
    yield f"sender    {_counts(outcome.answers)}"
    states = Counter(f"{each.account} {each.state}" for each in evidence.books.owed)
    yield f"ledger    {len(evidence.books.kept)} webhooks, {_counts(states)}"
    done = Counter(f"{each['vendor']} {each['kind']}" for each in evidence.effects)
    yield f"vendors   {_counts(done)}"
    yield f"faults    {_counts(outcome.counters['faults'])}"
    yield f"429s      over the limits: {_counts(outcome.counters['over_limit'])}"
    yield f"ended     by themselves: {_counts(outcome.ended)}"
    yield f"drained   {happened.drained_in:.0f} s after the plan of {happened.seconds:.0f} s"
    yield ""
    for name, good, said in outcome.accounts:
        yield f"{'ok ' if good else 'BAD'}  {name}: {said}"
    refused = outcome.refused
    yield f"{'BAD' if refused else 'ok '}  {refused} webhooks refused for good (4xx)"
    yield from _left(happened.left)
    for kind in KINDS:
        yield from _of_kind(kind, [each for each in outcome.findings if each.kind == kind])
    yield ""
    yield "The promise was kept." if outcome.is_kept else "THE PROMISE WAS BROKEN."


def _left(left: Mapping[str, int]) -> Iterator[str]:
    yield f"{'BAD' if left else 'ok '}  {sum(left.values())} left that nobody worked on"
    for name, count in list(left.items())[:SHOWN]:
        yield f"       {count} in {name}"


def _of_kind(kind: str, findings: Sequence[Finding]) -> Iterator[str]:
    yield f"{'BAD' if findings else 'ok '}  {len(findings)} {kind}"
    for finding in findings[:SHOWN]:
        yield f"       {finding.text}"
    if len(findings) > SHOWN:
        yield f"       and {len(findings) - SHOWN} more"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
