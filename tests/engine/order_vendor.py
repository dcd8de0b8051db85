"""A vendor that has moods, and remembers what it was asked to do and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    Digest,
    Halted,
    Item,
    Outcome,
    Rejected,
    Retry,
    Unknown,
    action,
)
from bridge.engine.perform import Destination
from bridge.ledger.plan import Plan, PlannedDelivery
from tests.conftest import Now

CALL_MOODS = ("die before", "die after", "halt", "rest", "fail after", "slow")
ITEM_MOODS = ("retry", "lost", "unsent", "late", "reject")
LEASE = 30.0
# Within a call's time-out; then the vendor is done with what it has begun.
LATE = 5.0
TIMEOUT = ConnectorSettings().timeout


class Dead(BaseException):
    """The worker is killed: nothing of what comes after this happens."""


class Write(Item):
    person: str
    matter: str
    state: str
    name: str


@dataclass
class Moods:
    """What goes wrong next; nothing once both have run out."""

    calls: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)

    def next_call(self) -> str:
        return self.calls.pop(0) if self.calls else "fine"

    def next_item(self) -> str:
        return self.items.pop(0) if self.items else "fine"


@dataclass
class Owed:
    """A delivery as it was planned, and the moment of that."""

    place: tuple[int, int, int]
    planned: PlannedDelivery
    since: int


@dataclass
class Vendor:
    """`states` by action and person, `acknowledged` in the order of the answers that were kept."""

    now: Now
    moods: Moods = field(default_factory=Moods)
    owed: dict[str, Owed] = field(default_factory=dict)
    states: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    ever_rejected: set[str] = field(default_factory=set)
    posted: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _moment: int = 0
    _answers: list[tuple[str, Outcome]] = field(default_factory=list)
    _under_way: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def note(self, plans: Sequence[Plan]) -> None:
        """What was planned; a rejected delivery is planned afresh by a replay."""
        self._moment += 1
        for plan in plans:
            for each in plan.deliveries:
                if each.id not in self.owed or (plan.replayed and each.id in self.rejected):
                    place = (plan.number, each.position, each.place)
                    self.owed[each.id] = Owed(place, each, self._moment)
                    self.rejected.discard(each.id)

    def write(self, action: str, item: Write) -> None:
        """Nothing that this person's later deliveries were acknowledged to do may be undone."""
        self._moment += 1
        mine = self.owed[item.delivery_id]
        for name, moment in self.acknowledged.items():
            other = self.owed[name]
            same = _key(other) == _key(mine) and other.place > mine.place
            if same and moment > mine.since:
                self.wrong.append(f"{action} {item.name} after {other.planned.item['name']}")
        if action != "post":
            known = self.states.setdefault((action, item.person), {})
            known.update({"last": item.name, item.matter: item.state})

    def post(self, items: Sequence[Write]) -> None:
        for item in items:
            self.write("post", item)
            self.posted[item.name] += 1
        self.names[items[0].sent_as] = [item.delivery_id for item in items]

    def post_later(self, items: Sequence[Write]) -> None:
        self._under_way.append((self.now() + LATE, lambda: self.post(items)))

    def write_later(self, action: str, item: Write) -> None:
        """The caller hangs up before it is done."""
        self._under_way.append((self.now() + TIMEOUT + LATE, lambda: self.write(action, item)))
        self.now.advance(TIMEOUT)

    def catch_up(self) -> None:
        done = [each for each in self._under_way if each[0] <= self.now()]
        self._under_way = [each for each in self._under_way if each[0] > self.now()]
        for _, do in done:
            do()

    def answer(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[Outcome]:
        self._answers += zip([item.delivery_id for item in items], outcomes, strict=True)
        return list(outcomes)

    def found(self, name: str) -> Delivered:
        """All that were told of in the one message."""
        news = [each for each in self.names[name] if each not in self.acknowledged]
        self._answers += [(each, Delivered()) for each in news]
        return Delivered()

    def answers_are_kept(self, kept: bool) -> None:
        """Whether the worker lived to write them down."""
        self._moment += 1
        for name, outcome in self._answers if kept else ():
            if isinstance(outcome, Delivered):
                if name in self.acknowledged:
                    self.wrong.append(f"{self.owed[name].planned.item['name']} is done again")
                self.acknowledged[name] = self._moment
            elif isinstance(outcome, Rejected):
                self.rejected.add(name)
                self.ever_rejected.add(name)
        self._answers.clear()


def _key(owed: Owed) -> tuple[str, str]:
    return owed.planned.lane, owed.planned.order_key


def no_calls(_settings: Any, _item: Any, _seconds: float = 0.0) -> Sequence[Call]:
    return []


class Moody(Connector):
    name = "moody"
    title = "Moody"
    Settings = ConnectorSettings
    vendor: ClassVar[Vendor]

    @action(Write, preview=no_calls, batch=10, shards=2)
    def send(self, items: Sequence[Write]) -> list[Outcome]:
        """Write each by itself; twice is once."""
        return self._written("send", items)

    @action(Write, preview=no_calls, batch=10, merges=True)
    def merge(self, items: Sequence[Write]) -> list[Outcome]:
        """Write what is about one person at once."""
        return self._written("merge", items)

    @action(
        Write, preview=no_calls, idempotent=False, digest=Digest("post_digest", preview=no_calls)
    )
    def post(self, items: Sequence[Write]) -> list[Outcome]:
        """Twice is twice."""
        with _Mood(self.vendor) as mood:
            if mood == "rest":
                return [Retry("limit", whole_account=True)] * len(items)
            outcomes = [self._post([item]) for item in items]
        return self.vendor.answer(items, outcomes)

    def post_digest(self, items: Sequence[Write], seconds: float) -> Outcome:
        with _Mood(self.vendor):
            outcome = self._post(items)
        return self.vendor.answer(items, [outcome] * len(items))[0]

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        if self.vendor.moods.next_call() in ("rest", "slow"):
            return Retry("history is limited")
        if item.sent_as not in self.vendor.names:
            return None
        return self.vendor.found(item.sent_as)

    def _written(self, action: str, items: Sequence[Write]) -> list[Outcome]:
        with _Mood(self.vendor) as mood:
            if mood == "rest":
                return [Retry("limit", whole_account=True)] * len(items)
            outcomes = list(self._each(action, items))
        return self.vendor.answer(items, outcomes)

    def _each(self, action: str, items: Sequence[Write]) -> Iterator[Outcome]:
        """Who merges writes nothing of a person's after what is to be tried again."""
        held: set[str] = set()
        for item in items:
            mood = "retry" if item.person in held else self.vendor.moods.next_item()
            if mood == "reject":
                yield Rejected("no")
                continue
            if mood in ("fine", "lost"):
                self.vendor.write(action, item)
            if mood == "late":
                self.vendor.write_later(action, item)
            if mood == "fine":
                yield Delivered()
                continue
            if action == "merge":
                held.add(item.person)
            yield Retry(mood)

    def _post(self, items: Sequence[Write]) -> Outcome:
        mood = self.vendor.moods.next_item()
        if mood == "late":
            self.vendor.post_later(items)
        if mood in ("fine", "lost"):
            self.vendor.post(items)
        answers: dict[str, Outcome] = {"fine": Delivered(), "retry": Retry("busy")}
        if len(items) == 1:
            answers["reject"] = Rejected("no")
        if mood == "reject" and len(items) > 1:
            return Retry("busy")
        return answers.get(mood, Unknown(mood))


@dataclass
class _Mood:
    """What goes wrong with a whole call, before it or after."""

    vendor: Vendor
    mood: str = ""

    def __enter__(self) -> str:
        self.mood = self.vendor.moods.next_call()
        if self.mood == "die before":
            raise Dead
        if self.mood == "halt":
            raise Halted("token revoked")
        if self.mood == "slow":
            self.vendor.now.advance(LEASE + 1)
        return self.mood

    def __exit__(self, *_: object) -> None:
        if self.mood == "die after":
            raise Dead
        if self.mood == "fail after":
            raise RuntimeError("a bug")


def destination(vendor: Vendor) -> Destination:
    kind = type("OneMoody", (Moody,), {"vendor": vendor})
    settings = ConnectorSettings()
    return Destination("moody", kind, settings, "f", kind(settings))
