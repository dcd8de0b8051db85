"""Many contacts in at most three calls: look all up, create the new, update the known.

HubSpot has no such call for addresses ("Partial upserts are not supported when
using email as the idProperty":
https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/contacts/guide).

What it costs beyond that, where HubSpot refuses k of n items:

- nothing for a contact of one item whom an error names;
- a batch refused without a name is halved until the culprits are alone: about
  2k log2(n) calls, and never more than 2n;
- the m items of a contact that is refused are halved likewise, in their order:
  about 2 log2(m) writes for each culprit, of one to three calls;
- where the lifecycle stage changes within a contact's items: one call for each
  change, for all contacts that have so many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from bridge.connector import Delivered, Outcome, Rejected, Retry
from connectors.hubspot_answers import Answer, existing, outcome
from connectors.hubspot_calls import Turn
from connectors.hubspot_contacts import ADDRESS, UpsertContact, Write, by_address, joined
from connectors.hubspot_shares import OTHERS, TRACE, UNCLEAR, Inputs, blamed, found, shares
from connectors.hubspot_singles import THERE, Singles

_Each = TypeVar("_Each")


def upsert(turn: Turn, items: Sequence[UpsertContact]) -> list[Outcome]:
    """One outcome for each item. Raises Halted."""
    writes = by_address(items)
    singles = Singles(turn)
    if len(writes) > 1:
        _Batches(turn, singles).upsert(writes)
    for write in writes.values() if len(writes) == 1 else ():
        singles.in_order(write.stages())
    return [singles.outcomes[place] for place in range(len(items))]


class _Batches:
    def __init__(self, turn: Turn, singles: Singles) -> None:
        self._turn = turn
        self._singles = singles

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
                contacts.setdefault(known, []).append(write)
            else:
                new.append(write)
        for contact, write in self._create(new):
            contacts.setdefault(contact, []).append(write)
        self._update({contact: joined(of_one) for contact, of_one in contacts.items()})

    def _look_up(self, addresses: Mapping[str, Any]) -> dict[str, str | Retry]:
        """The ids of those who are there, and whom HubSpot cannot be asked about now."""
        inputs = [{"id": address} for address in addresses]
        wanted = {"idProperty": ADDRESS, "properties": [ADDRESS, OTHERS], "inputs": inputs}
        answer = self._turn.batch("read", wanted)
        known = found(answer, addresses)
        if known is not None:
            return dict(known)
        if not _is_refused(answer):
            return dict.fromkeys(addresses, _later(answer))
        # An address that HubSpot cannot even look for is left to the call that creates.
        parts = _halves(addresses) if len(addresses) > 1 else []
        return {address: told for part in parts for address, told in self._look_up(part).items()}

    def _create(self, writes: Sequence[Write]) -> list[tuple[str, Write]]:
        """What is then to be updated, with the contact's id."""
        stages = {write.name: write.stages() for write in writes}
        answers = self._send(
            "create", {name: {"properties": parts[0].to_create} for name, parts in stages.items()}
        )
        left = []
        for write in writes:
            answer = answers[write.name]
            if contact := existing(answer):
                left.append((contact, write))
            elif later := self._judge(stages[write.name], answer):
                left.append((str(answer.body["id"]), joined(later)))
        return left

    def _update(self, contacts: Mapping[str, Write]) -> None:
        """Writes by id; each round sends the next stage of every contact."""
        left: dict[str, list[Write]] = {}
        for contact, write in contacts.items():
            if write.properties:
                left[contact] = write.stages()
            else:
                self._singles.settle(write, Delivered(contact, remark=THERE))
        while left:
            answers = self._send(
                "update",
                {
                    first.name: {"id": contact, "properties": first.properties}
                    for contact, (first, *_) in left.items()
                },
            )
            left = {
                contact: later
                for contact, stages in left.items()
                if (later := self._judge(stages, answers[stages[0].name], contact))
            }

    def _judge(self, stages: Sequence[Write], answer: Answer, contact: str = "") -> list[Write]:
        """Go by what became of the first of them; what of them the next batch is to send."""
        if answer is UNCLEAR:
            self._singles.in_order(stages, contact)
            return []
        first, *later = stages
        result = outcome(answer, first.properties)
        left = self._singles.left_after(first, result, later)
        if isinstance(result, Delivered):
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
