"""Many contacts in at most three calls: look all up, create the new, update the known.

HubSpot has no such call for addresses ("Partial upserts are not supported when
using email as the idProperty":
https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/contacts/guide).

What it costs beyond that, where HubSpot refuses k of n items:

- nothing for a contact of one item whom an error names;
- a batch refused without a name is halved until the culprits are alone: about
  2k log2(n) calls, and never more than 2n;
- a contact of m items is sent again without the one whose value an error names;
  where none is named, its items are halved likewise, in their order: about
  2 log2(m) writes for each culprit, of one to three calls;
- where the lifecycle stage changes within a contact's items: one call for each
  change, for all contacts that have so many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from bridge.connector import Delivered, Outcome, Rejected, Retry
from connectors.hubspot.answers import Answer, existing, outcome, written
from connectors.hubspot.calls import Turn
from connectors.hubspot.contacts import ADDRESS, STAGE, UpsertContact
from connectors.hubspot.fitting import fitted, stage_order
from connectors.hubspot.schema import NotRead, Schema
from connectors.hubspot.shares import (
    OTHERS,
    TRACE,
    UNCLEAR,
    Found,
    Inputs,
    blamed,
    found,
    shares,
)
from connectors.hubspot.singles import NOTHING_NEW, THERE, Singles, not_added
from connectors.hubspot.writes import Write, by_address, joined

_Each = TypeVar("_Each")


def upsert(turn: Turn, schema: Schema, items: Sequence[UpsertContact]) -> list[Outcome]:
    """One outcome for each item. Raises Halted."""
    try:
        told = {place: fitted(schema, item) for place, item in enumerate(items)}
        fit = {place: item for place, item in told.items() if isinstance(item, UpsertContact)}
        singles = Singles(turn, stage_order(schema, fit))
    except NotRead as later:
        return [later.retry for _ in items]
    singles.outcomes |= {
        place: refusal for place, refusal in told.items() if isinstance(refusal, Rejected)
    }
    writes = by_address(fit)
    if len(writes) > 1:
        _Batches(turn, singles).upsert(writes)
    for write in writes.values() if len(writes) == 1 else ():
        singles.in_order(write.stages(singles.order))
    return [singles.outcomes[place] for place in range(len(items))]


class _Batches:
    def __init__(self, turn: Turn, singles: Singles) -> None:
        self._turn = turn
        self._singles = singles
        self._known: dict[str, dict[str, str]] = {}
        """What contacts hold, by their ids, of what was asked for and of what was sent."""

    def upsert(self, writes: Mapping[str, Write]) -> None:
        """Writes by address; settles all.

        The new come first: whom HubSpot knows after all is then updated with the
        others. By then it is known, too, which addresses are one contact's: HubSpot
        refuses a batch that has one twice, and they become one write.
        """
        answers = self._look_up(writes)
        contacts: dict[str, list[Write]] = {}
        new = []
        for address, write in writes.items():
            known = answers.get(address)
            if isinstance(known, Retry):
                self._singles.settle(write, known)
            elif known:
                self._known[known.id] = dict(known.values)
                contacts.setdefault(known.id, []).append(write)
            else:
                new.append(write)
        for contact, write in self._create(new):
            contacts.setdefault(contact, []).append(write)
        self._update({contact: joined(of_one) for contact, of_one in contacts.items()})

    def _look_up(self, writes: Mapping[str, Write]) -> dict[str, Found | Retry]:
        """Those who are there, and whom HubSpot cannot be asked about now."""
        needs = {name for write in writes.values() for name in write.needs}
        staged = {STAGE} if self._singles.order else set()
        names = [ADDRESS, OTHERS, *sorted((needs | staged) - {ADDRESS, OTHERS})]
        inputs = [{"id": address} for address in writes]
        wanted = {"idProperty": ADDRESS, "properties": names, "inputs": inputs}
        answer = self._turn.batch("read", wanted)
        known = found(answer, writes)
        if known is not None:
            return dict(known)
        if not _is_refused(answer):
            return dict.fromkeys(writes, _later(answer))
        # An address that HubSpot cannot even look for is left to the call that creates.
        parts = _halves(writes) if len(writes) > 1 else []
        return {address: told for part in parts for address, told in self._look_up(part).items()}

    def _create(self, writes: Sequence[Write]) -> list[tuple[str, Write]]:
        """What is then to be updated, with the contact's id."""
        order = self._singles.order
        stages = {write.name: write.stages(order) for write in writes}
        sent = {name: parts[0].to_create(order) for name, parts in stages.items()}
        answers = self._send("create", {name: {"properties": sent[name]} for name in sent})
        left = []
        for write in writes:
            answer = answers[write.name]
            if contact := existing(answer):
                left.append((contact, write))
            elif later := self._judge(stages[write.name], answer, sent[write.name]):
                left.append((str(answer.body["id"]), joined(later)))
        return left

    def _update(self, contacts: Mapping[str, Write]) -> None:
        """Writes by id; each round sends the next stage of every contact."""
        left = {contact: write.stages(self._singles.order) for contact, write in contacts.items()}
        while left := self._ready(left):
            sent = {
                contact: first.to_update(self._known.get(contact), self._singles.order)
                for contact, (first, *_) in left.items()
            }
            answers = self._send(
                "update",
                {
                    first.name: {"id": contact, "properties": sent[contact]}
                    for contact, (first, *_) in left.items()
                },
            )
            left = {
                contact: later
                for contact, stages in left.items()
                if (later := self._judge(stages, answers[stages[0].name], sent[contact], contact))
            }

    def _ready(self, waiting: Mapping[str, list[Write]]) -> dict[str, list[Write]]:
        """Those that have something to send in a batch; settles the others."""
        ready = {}
        for contact, stages in waiting.items():
            left = self._with_news(contact, stages)
            if left and left[0].needs and contact not in self._known:
                self._singles.in_order(left, contact)
            elif left:
                ready[contact] = left
        return ready

    def _with_news(self, contact: str, stages: Sequence[Write]) -> list[Write]:
        """Without the first ones that change nothing, or cannot be sent at all."""
        left = list(stages)
        known = self._known.get(contact)
        while left and (known is not None or not left[0].needs):
            first, *later = left
            if refusal := not_added(first, known or {}):
                left = self._singles.left_after(first, refusal, later)
            elif first.to_update(known, self._singles.order):
                break
            else:
                remark = THERE if first.is_bare else NOTHING_NEW
                left = self._singles.left_after(first, Delivered(contact, remark=remark), later)
        return left

    def _judge(
        self, stages: Sequence[Write], answer: Answer, sent: Mapping[str, str], contact: str = ""
    ) -> list[Write]:
        """Go by what became of the first of them; what of them the next batch is to send."""
        if answer is UNCLEAR:
            self._singles.in_order(stages, contact)
            return []
        first, *later = stages
        result = written(answer, sent)
        left = self._singles.left_after(first, result, later)
        if isinstance(result, Delivered):
            # Of one that only creating found, nothing is known but what was sent.
            if not contact or contact in self._known:
                self._known.setdefault(contact or result.reference, {}).update(sent)
            return left
        self._singles.in_order(left, contact)
        return []

    def _send(self, name: str, inputs: Inputs) -> dict[str, Answer]:
        """The answer to each input, as if it had been sent alone."""
        if not inputs:
            return {}
        traced = [{**body, TRACE: trace} for trace, body in inputs.items()]
        answer = self._turn.batch(name, {"inputs": traced})
        if len(inputs) == 1 or not _is_refused(answer):
            return shares(answer, inputs)
        told = blamed(answer, inputs)
        rest = {trace: body for trace, body in inputs.items() if trace not in told}
        for part in [rest] if told else _halves(inputs):
            told |= self._send(name, part)
        return told


def _is_refused(answer: Answer) -> bool:
    """For good, as it is: parts of the batch may still be taken."""
    return answer.status == 413 or isinstance(outcome(answer), Rejected)


def _later(answer: Answer) -> Retry:
    result = outcome(answer)
    return result if isinstance(result, Retry) else Retry("HubSpot's answer makes no sense")


def _halves(whole: Mapping[str, _Each]) -> list[dict[str, _Each]]:
    each, middle = list(whole.items()), len(whole) // 2
    return [dict(each[:middle]), dict(each[middle:])]
