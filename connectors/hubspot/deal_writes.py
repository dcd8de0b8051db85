"""Creating, updating and moving many deals in a few calls.

For 100 deals: one call that asks where they stand, one to write them, and for
those with an address up to three to make sure of the contacts and link them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.connector import Delivered, Outcome, Rejected, Retry
from connectors.hubspot.answers import Answer, Subject, outcome
from connectors.hubspot.bulk import is_refused, write
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.deal_calls import ASSOCIATE, READ, UPDATE, UPSERT, to_associate, to_read
from connectors.hubspot.deal_plans import Planned, Planner
from connectors.hubspot.deal_stages import Standing
from connectors.hubspot.deals import DEAL, PIPELINE, STAGE, MoveDeal, UpsertDeal
from connectors.hubspot.definitions import dicts
from connectors.hubspot.people import Person, key_of, made_sure
from connectors.hubspot.schema import NotRead, Schema

LINK = Subject("link of the deal to the contact", f"crm.objects.contacts.write, {DEAL.scopes}")

Items = Mapping[int, MoveDeal]
"""By their places among the items in hand."""

Stands = Standing | Retry | Rejected


def write_deals(line: Line, schema: Schema, items: Sequence[MoveDeal]) -> list[Outcome]:
    """One outcome for each; items of one deal are done in their order. Raises Halted."""
    writes = _Writes(line, schema)
    try:
        for some in _rounds(items):
            writes.round(some)
    except NotRead as later:
        left = dict.fromkeys(range(len(items)), later.retry)
        writes.outcomes = left | writes.outcomes
    return [writes.outcomes[place] for place in range(len(items))]


class _Writes:
    def __init__(self, line: Line, schema: Schema) -> None:
        self._turn = Turn(line, DEAL)
        self._planner = Planner(schema)
        self._held: dict[tuple[str, str], Retry] = {}
        self.outcomes: dict[int, Outcome] = {}

    def round(self, items: Items) -> None:
        """Each deal at most once; nothing of a deal behind an item that is to be retried."""
        groups: dict[str, dict[int, MoveDeal]] = {}
        for place, item in items.items():
            if held := self._held.get(_key(item)):
                self.outcomes[place] = held
            else:
                groups.setdefault(item.id_property, {})[place] = item
        for id_property, group in groups.items():
            refused = self._planner.unusable(id_property)
            if refused:
                self.outcomes |= dict.fromkeys(group, refused)
            else:
                self._group(id_property, group)
        for place, item in items.items():
            if isinstance(came_to := self.outcomes[place], Retry):
                self._held[_key(item)] = came_to

    def _group(self, id_property: str, items: Items) -> None:
        plans = self._plans(id_property, items)
        contacts = self._contacts({place: items[place] for place in plans})
        ready = {place: plan for place, plan in plans.items() if place not in self.outcomes}
        if any(isinstance(items[place], UpsertDeal) for place in ready):
            ids = {place: {"idProperty": id_property, "id": items[place].id} for place in ready}
            self._send(UPSERT, ids, ready, id_property)
        else:
            self._send(UPDATE, {place: {"id": plan.deal} for place, plan in ready.items()}, ready)
        self._link({place: contact for place, contact in contacts.items() if place in ready})

    def _plans(self, id_property: str, items: Items) -> dict[int, Planned]:
        """What to write; the rest is settled."""
        pipelines = self._planner.pipelines()
        stands = self._stands(id_property, items)
        plans = {}
        for place, item in items.items():
            now = stands.get(item.id.casefold())
            if isinstance(now, Retry | Rejected):
                self.outcomes[place] = now
            elif isinstance(plan := self._planner.plan(pipelines, item, now), Rejected):
                self.outcomes[place] = plan
            else:
                plans[place] = plan
        return plans

    def _stands(self, id_property: str, items: Items) -> dict[str, Stands]:
        """By the lower-case id; a deal that is not there is in it not."""
        ids = [item.id for item in items.values()]
        answer = self._turn.request("POST", READ, to_read(id_property, ids))
        if answer.ok and isinstance(answer.body.get("results"), list):
            return dict(_standing(each, id_property) for each in dicts(answer.body["results"]))
        came_to = _trouble(answer, DEAL)
        if isinstance(came_to, Retry) or len(items) == 1:
            return dict.fromkeys(map(str.casefold, ids), came_to)
        first, second = _halves(items)
        return self._stands(id_property, first) | self._stands(id_property, second)

    def _contacts(self, items: Items) -> dict[int, Person]:
        """The contacts to link, by place; an item whose contact cannot be asked for is settled."""
        addresses = {
            place: key_of(item.email)
            for place, item in items.items()
            if isinstance(item, UpsertDeal) and item.email
        }
        people = made_sure(self._turn, addresses.values())
        found = {place: people[address] for place, address in addresses.items()}
        self.outcomes |= {
            place: person for place, person in found.items() if isinstance(person, Retry)
        }
        return found

    def _send(
        self,
        path: str,
        ids: Mapping[int, Mapping[str, Any]],
        plans: Mapping[int, Planned],
        known_by: str = "",
    ) -> None:
        inputs = {}
        for place, plan in plans.items():
            if plan.properties:
                inputs[str(place)] = {**ids[place], "properties": dict(plan.properties)}
            else:
                self.outcomes[place] = Delivered(plan.deal, remark=plan.remark)
        answers = write(self._turn, path, inputs, DEAL, known_by)
        for name, answer in answers.items():
            self.outcomes[int(name)] = _written(answer, plans[int(name)])

    def _link(self, contacts: Mapping[int, Person]) -> None:
        """What was written; where there can be no contact, that is told."""
        pairs = {}
        for place, contact in contacts.items():
            came_to = self.outcomes[place]
            if isinstance(came_to, Delivered) and isinstance(contact, str):
                pairs[place] = (came_to.reference, contact)
            elif isinstance(came_to, Delivered):
                remark = "HubSpot does not take the address, so the deal is linked to nobody"
                self.outcomes[place] = _remarked(came_to, remark)
        self._associate(pairs)

    def _associate(self, pairs: Mapping[int, tuple[str, str]]) -> None:
        if not pairs:
            return
        answer = self._turn.request("POST", ASSOCIATE, to_associate(pairs.values()))
        if _all_done(answer):
            return
        if len(pairs) > 1 and (answer.ok or is_refused(answer, LINK)):
            for place, pair in pairs.items():
                self._associate({place: pair})
        else:
            self.outcomes |= dict.fromkeys(pairs, _trouble(answer, LINK))


def _key(item: MoveDeal) -> tuple[str, str]:
    return item.id_property, item.id.casefold()


def _rounds(items: Sequence[MoveDeal]) -> Iterator[Items]:
    """The first items of each deal, then the second, and so on: HubSpot takes none twice."""
    left = dict(enumerate(items))
    while left:
        first: dict[tuple[str, str], int] = {}
        for place, item in left.items():
            first.setdefault(_key(item), place)
        yield {place: left.pop(place) for place in first.values()}


def _halves(items: Items) -> tuple[Items, Items]:
    places = list(items)
    middle = len(places) // 2
    first, second = places[:middle], places[middle:]
    return {place: items[place] for place in first}, {place: items[place] for place in second}


def _standing(result: Mapping[str, Any], id_property: str) -> tuple[str, Standing]:
    properties = result.get("properties")
    told = properties if isinstance(properties, Mapping) else {}
    known_by, pipeline, stage = (
        str(told.get(name) or "") for name in (id_property, PIPELINE, STAGE)
    )
    return known_by.casefold(), Standing(str(result.get("id") or ""), pipeline, stage)


def _written(answer: Answer, plan: Planned) -> Outcome:
    if answer.status == 409:
        return Retry("HubSpot is writing this very deal for somebody else")
    came_to = outcome(answer, plan.properties, DEAL)
    return _remarked(came_to, plan.remark) if isinstance(came_to, Delivered) else came_to


def _remarked(done: Delivered, remark: str) -> Delivered:
    remarks = [each for each in (done.remark, remark) if each]
    return Delivered(done.reference, done.link, "; ".join(remarks))


def _all_done(answer: Answer) -> bool:
    told = answer.body.get("results")
    return answer.ok and isinstance(told, list) and not answer.body.get("errors")


def _trouble(answer: Answer, about: Subject) -> Retry | Rejected:
    came_to = outcome(answer, about=about)
    if isinstance(came_to, Retry | Rejected):
        return came_to
    return Retry("HubSpot's answer makes no sense")
