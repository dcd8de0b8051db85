"""Whether the promise was kept: what was acknowledged against what the vendors saw. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos.books import Books, Owed
from tests.chaos.plan import Plan, Webhook

LOST = "acknowledged webhooks lost"
DOUBLED = "doubled effects"
ORDER = "order violations"
CONSENT = "without consent"
STATUS = "vendor's rules broken"
ENDED = "webhooks and deliveries that did not end well"
KINDS = (LOST, DOUBLED, ORDER, CONSENT, STATUS, ENDED)

Effect = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    kind: str
    text: str


@dataclass
class Evidence:
    """Everything that is known at the end."""

    plan: Plan
    acknowledged: Collection[str]
    books: Books
    effects: Sequence[Effect]
    by_uuid: Mapping[str, Webhook] = field(init=False)
    of_person: Mapping[str, list[Webhook]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_uuid = {each.uuid: each for each in self.plan.webhooks}
        people: dict[str, list[Webhook]] = defaultdict(list)
        for each in sorted(self.plan.webhooks, key=lambda each: each.sequence):
            people[each.email.lower()].append(each)
        self.of_person = people

    def of(self, vendor: str, *kinds: str) -> list[Effect]:
        return [e for e in self.effects if e["vendor"] == vendor and e["kind"] in kinds]

    def owed(self, account: str, state: str = "delivered") -> list[Owed]:
        return [each for each in self.books.owed if each.account == account and each.state == state]


def check(evidence: Evidence) -> list[Finding]:
    parts = (_kept, _ended, _posted, _posted_in_order, _contacts, _members, _consent, _rules)
    return [finding for part in parts for finding in part(evidence)]


def _kept(evidence: Evidence) -> Iterator[Finding]:
    rows = Counter(each.uuid for each in evidence.books.kept)
    for uuid in evidence.acknowledged:
        if not rows[uuid]:
            yield Finding(LOST, f"webhook {uuid} is not in the ledger")
    for uuid, count in rows.items():
        if count > 1:
            yield Finding(DOUBLED, f"webhook {uuid} is {count} times in the ledger")


def _ended(evidence: Evidence) -> Iterator[Finding]:
    """Only what the vendor must refuse is rejected, and only who did not agree is suppressed."""
    for each in evidence.books.kept:
        if each.state != "routed":
            yield Finding(ENDED, f"webhook {each.uuid} is {each.state}")
    for owed in evidence.books.owed:
        if owed.state != "delivered" and not _may_end(evidence, owed):
            name = f"{owed.account} {owed.id} of {owed.uuid}"
            yield Finding(ENDED, f"{name} is {owed.state}: {owed.reason}")


def _may_end(evidence: Evidence, owed: Owed) -> bool:
    webhook = evidence.by_uuid[owed.uuid]
    person = webhook.email.lower()
    if owed.state == "rejected":
        return owed.account == "hubspot" and webhook.poisoned
    if owed.state != "suppressed":
        return False
    left = not webhook.consents or person in evidence.plan.left
    return (owed.account == "mailchimp" and left) or _is_late(evidence, webhook)


def _is_late(evidence: Evidence, webhook: Webhook) -> bool:
    """A purchase after its own refund."""
    first_refunded = webhook.email.lower() in evidence.plan.refunded_first
    return first_refunded and webhook.kind == "invoice.purchase"


def _posted(evidence: Evidence) -> Iterator[Finding]:
    posts = Counter(
        name for effect in evidence.of("slack", "post") for name in effect["value"]["deliveries"]
    )
    for name, count in posts.items():
        if count > 1:
            yield Finding(DOUBLED, f"delivery {name} was posted {count} times")
    texts = Counter(_uuids(evidence))
    for uuid, count in texts.items():
        if count > 1:
            yield Finding(DOUBLED, f"webhook {uuid} was posted {count} times")
    for owed in evidence.owed("slack"):
        if not posts[owed.id]:
            yield Finding(LOST, f"{owed.id} of {owed.uuid} was never posted, but is `delivered`")


def _uuids(evidence: Evidence) -> Iterator[str]:
    """Of messages about one webhook; a digest names none."""
    for effect in evidence.of("slack", "post"):
        first = str(effect["value"]["text"]).partition(" ")[0]
        if first in evidence.by_uuid:
            yield first


def _posted_in_order(evidence: Evidence) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for uuid in _uuids(evidence):
        webhook = evidence.by_uuid[uuid]
        person = webhook.email.lower()
        if webhook.sequence < seen.get(person, 0):
            told = f"event {webhook.sequence} after {seen[person]}"
            yield Finding(ORDER, f"Slack was told of {person}'s {told}")
        seen[person] = max(seen.get(person, 0), webhook.sequence)


def _contacts(evidence: Evidence) -> Iterator[Finding]:
    delivered = {owed.uuid for owed in evidence.owed("hubspot")}
    written: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for effect in evidence.of("hubspot", "create", "update"):
        written[effect["key"]].append(effect["value"])
    for person, webhooks in evidence.of_person.items():
        due = [each.sequence for each in webhooks if each.uuid in delivered]
        values = [int(value["last_event"]) for value in written[person] if "last_event" in value]
        if person in evidence.plan.refunded_first:
            yield from _refunded(person, due, written[person])
        else:
            yield from _sequence("HubSpot", person, due, values)


def _refunded(
    person: str, due: Sequence[int], written: Sequence[Mapping[str, str]]
) -> Iterator[Finding]:
    """The first event is the refund, the second its purchase: what the refund wrote stays."""
    states = [value["state"] for value in written if "state" in value]
    if due and not states:
        yield Finding(LOST, f"HubSpot has nothing of {person}")
    elif 1 in due and states[-1] != "refunded":
        yield Finding(ORDER, f"{person}'s late purchase overwrote the refund at HubSpot")


def _sequence(
    where: str, person: str, due: Sequence[int], values: Sequence[int]
) -> Iterator[Finding]:
    """`values` as they were written; nothing older may follow, and the last one due is there."""
    for before, after in pairwise(values):
        if after < before:
            yield Finding(ORDER, f"{where} got {person}'s event {after} after {before}")
    if due and max(due) > (values[-1] if values else 0):
        last = values[-1] if values else "none"
        yield Finding(LOST, f"{where} has event {last} of {person}, not {max(due)}")


def _members(evidence: Evidence) -> Iterator[Finding]:
    delivered = {owed.uuid for owed in evidence.owed("mailchimp")}
    written: dict[str, list[int]] = defaultdict(list)
    for effect in evidence.of("mailchimp", "subscribe", "update"):
        last = effect["value"]["merge_fields"].get("LAST")
        if last is not None:
            written[effect["key"]].append(int(last))
    for person, webhooks in evidence.of_person.items():
        due = [each.sequence for each in webhooks if each.uuid in delivered]
        yield from _sequence("Mailchimp", person, due, written[person])


def _consent(evidence: Evidence) -> Iterator[Finding]:
    agreed = {
        (each.email.lower(), each.sequence)
        for each in evidence.plan.webhooks
        if each.consents and each.kind == "invoice.purchase"
    }
    people = {person for person, _ in agreed}
    for effect in evidence.of("mailchimp", "subscribe", "update", "tag"):
        person = effect["key"]
        last = effect["value"].get("merge_fields", {}).get("LAST") if _is_member(effect) else None
        if person not in people or (last is not None and (person, int(last)) not in agreed):
            yield Finding(CONSENT, f"{person}: Mailchimp {effect['kind']} of event {last}")
        if person in evidence.plan.left and effect["kind"] == "subscribe":
            yield Finding(CONSENT, f"{person} had unsubscribed and was subscribed again")


def _is_member(effect: Effect) -> bool:
    return isinstance(effect["value"], Mapping)


def _rules(evidence: Evidence) -> Iterator[Finding]:
    for effect in evidence.effects:
        if effect["kind"] == "violation":
            yield Finding(STATUS, f"{effect['vendor']}: {effect['value']} for {effect['key']}")
