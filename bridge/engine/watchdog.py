"""What waits longer than it should, whatever the cause, and what a person is told of it. Pure.

A lane is judged by what comes first in it: as long as that changes, somebody gets on with it,
however much there is. What never changes is nobody's, though every gauge may say that all is
well: https://github.com/n8n-io/n8n/issues/14233, https://github.com/celery/celery/issues/8030.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.engine.redis_words import remedy
from bridge.ledger.alerts import CLOCK, REDIS, WAITING, WORKERS, Alert
from bridge.ledger.waiting import MOST_COUNTED, Head
from bridge.wording import moment_in_words

# A restart takes seconds, and is nobody's business.
RESTART_SECONDS = 15.0
# So long all has to be well before trouble is over: what comes and goes is one trouble.
CALM_SECONDS = 5.0
# A lane that waits for its turn, while workers are busy with others.
TURN_SECONDS = 300.0
# What is worked off, but from so far behind, and for how long that may last: what waited while
# nothing ran, or while a vendor was away, is soon caught up with.
BEHIND_SECONDS = 900.0
CATCH_UP_SECONDS = 300.0
# Between two looks. After more the machine slept, the ledger was away or the time was set:
# nobody has watched meanwhile, and what was seen before says nothing.
GAP_SECONDS = 60.0

SUBJECTS = {REDIS: "Redis", WORKERS: "the workers", CLOCK: "the clock"}
INBOX_SUBJECT = "the inbox"


@dataclass(frozen=True)
class Seen:
    """What one look found, at Unix time `at`.

    `redis` is why it takes no jobs, empty if it does. `workers` are those that are heard of,
    None if nobody can tell. `clock`: whether one is in charge. `rules`: whether any are live.
    `webhooks` and `deliveries` count what is yet to be done.
    """

    at: float
    redis: str
    workers: int | None
    clock: bool
    rules: bool
    heads: Sequence[Head]
    webhooks: int
    deliveries: int


@dataclass(frozen=True)
class Judgement:
    """`raised` are the alerts of now; of `unsure` it is too early to say, whatever was told."""

    raised: Sequence[Alert]
    unsure: frozenset[tuple[str, str]]


@dataclass
class Watchdog:
    """Judges one look after the other.

    `after`: for how many seconds something may wait that nobody gets on with; `slow` is more,
    for accounts whose calls may take longer.
    """

    after: float
    slow: Mapping[str, float] = field(default_factory=dict)
    _spells: dict[str, _Spell] = field(default_factory=dict, init=False)
    _known: dict[str, _Known] = field(default_factory=dict, init=False)
    _got_on_at: float | None = field(default=None, init=False)
    _looked_at: float = field(default=0.0, init=False)

    def look(self, seen: Seen) -> Judgement:
        if not 0 <= seen.at - self._looked_at <= GAP_SECONDS:
            self._spells, self._known, self._got_on_at = {}, {}, None
        self._looked_at = seen.at
        self._note_heads(seen)
        raised: list[Alert] = []
        unsure: set[tuple[str, str]] = set()
        for kind, is_bad in _parts(seen):
            spell = self._spells[kind] = self._spells.get(kind, _Spell()).noted(is_bad, seen.at)
            if spell.lasts(seen.at):
                raised.append(_of_part(kind, spell.since, seen))
            elif spell.began is not None:
                unsure.add((kind, SUBJECTS[kind]))
        if not raised and not unsure:
            raised += self._stuck(seen)
        unsure |= {(WAITING, subject) for subject in self._early(seen)}
        return Judgement(raised, frozenset(unsure - {(each.kind, each.subject) for each in raised}))

    def _note_heads(self, seen: Seen) -> None:
        """When each lane was last got on with, as far as this watchdog has seen."""
        known = {}
        for head in seen.heads:
            before = self._known.get(head.lane)
            same = before is not None and before.mark == head.mark
            at = before.at if same and before else seen.at
            known[head.lane] = _Known(head.mark, at, self._behind_since(head, before, seen.at))
        changed = any(
            lane not in known or known[lane].mark != each.mark for lane, each in self._known.items()
        )
        if changed or self._got_on_at is None:
            self._got_on_at = seen.at
        self._known = known

    def _behind_since(self, head: Head, before: _Known | None, at: float) -> float | None:
        if head.since is None or at - head.since < BEHIND_SECONDS + self.after:
            return None
        return at if before is None or before.behind is None else before.behind

    def _stuck(self, seen: Seen) -> Iterator[Alert]:
        """One for each account, of its lane that waits longest."""
        worst: dict[str, tuple[float, Head]] = {}
        for head in seen.heads:
            since = self._since(head)
            if self._is_late(head, seen.at) and since <= worst.get(head.account, (since, head))[0]:
                worst[head.account] = (since, head)
        for account, (since, head) in sorted(worst.items()):
            why = self._why(head, seen)
            subject = account or INBOX_SUBJECT
            yield Alert(WAITING, subject, _waits(head, since, why, seen), since, seen.at, 1)

    def _since(self, head: Head) -> float:
        """A webhook may come from a machine whose clock is ahead: what is seen here counts too."""
        known = self._known[head.lane].at
        return known if head.since is None else min(head.since, known)

    def _is_late(self, head: Head, at: float) -> bool:
        known, limit = self._known[head.lane], self._limit(head, at)
        if at - known.at >= limit:
            return True
        return known.behind is not None and at - known.behind >= CATCH_UP_SECONDS

    def _limit(self, head: Head, at: float) -> float:
        limit = max(self.after, self.slow.get(head.account, 0.0))
        return limit if head.held or not self._others_get_on(at) else max(limit, TURN_SECONDS)

    def _others_get_on(self, at: float) -> bool:
        return self._got_on_at is not None and at - self._got_on_at < self.after

    def _early(self, seen: Seen) -> set[str]:
        """What has waited long, but not before our eyes, or for a part that is told of itself.

        A restart changes nothing, nor do further troubles end the first.
        """
        return {
            head.account or INBOX_SUBJECT
            for head in seen.heads
            if seen.at - self._since(head) >= self.after
        }

    def _why(self, head: Head, seen: Seen) -> str:
        still = seen.at - self._known[head.lane].at
        if not head.account and not seen.rules:
            return "No rules are live: `showbridge rules check` says why."
        if still < self._limit(head, seen.at):
            return (
                "It is worked off, from far behind: more comes in than the workers, or the limits "
                "of the vendor, allow. `showbridge accounts` shows the limits; more workers "
                "(`delivery.workers`) help if they are what is short."
            )
        if head.held:
            return (
                "A worker has it in hand and does not get on: it is stopped, hangs, or waits for "
                "a vendor that answers slowly. Their log says what they are at; restart the "
                "workers if it says nothing."
            )
        if self._others_get_on(seen.at):
            return (
                "The workers are busy with others all the time: more of them help "
                "(`delivery.workers` in bridge.yaml, then restart)."
            )
        return (
            "Workers are heard of, and Redis takes jobs, but nobody takes this up: they are "
            "stopped, hang, or work for another ledger. Restart them; their log says more."
        )


@dataclass(frozen=True)
class _Known:
    """What came first in a lane, and when this was first seen.

    `behind`: since when the lane was seen far behind, whatever came first in it.
    """

    mark: str
    at: float
    behind: float | None = None


@dataclass(frozen=True)
class _Spell:
    """For how long a part has been in trouble: `began`, and since when it is `well` again."""

    began: float | None = None
    well: float | None = None

    def noted(self, is_bad: bool, at: float) -> _Spell:
        if is_bad:
            return _Spell(at if self.began is None else self.began)
        if self.began is None:
            return self
        well = at if self.well is None else self.well
        return _Spell() if at - well >= CALM_SECONDS else replace(self, well=well)

    @property
    def since(self) -> float:
        return self.began or 0.0

    def lasts(self, at: float) -> bool:
        return self.began is not None and self.well is None and at - self.began >= RESTART_SECONDS


def _parts(seen: Seen) -> Iterable[tuple[str, bool]]:
    """Who cannot be asked because of another is not in trouble of its own."""
    return (
        (REDIS, bool(seen.redis)),
        (WORKERS, not seen.redis and seen.workers == 0),
        (CLOCK, not seen.clock),
    )


def _of_part(kind: str, since: float, seen: Seen) -> Alert:
    text = {REDIS: _of_redis, WORKERS: _of_workers, CLOCK: _of_clock}[kind](seen)
    text = f"{text} {_meanwhile(seen)}"
    return Alert(kind, SUBJECTS[kind], text, since, seen.at, 1)


def _of_redis(seen: Seen) -> str:
    return (
        f"Redis takes no jobs: {seen.redis}. {remedy(seen.redis)} Webhooks are taken meanwhile, "
        "and nothing is delivered; what waits goes on by itself."
    )


def _of_workers(_seen: Seen) -> str:
    return (
        "No worker is heard of: nothing is routed or delivered. Start them (`showbridge worker`; "
        "`showbridge run` starts its own). If they run, they are stopped or cannot reach Redis: "
        "their log says more."
    )


def _of_clock(_seen: Seen) -> str:
    return (
        "No clock runs (`showbridge clock`), or it is stopped: nothing that is scheduled or to be "
        "retried is sent, and what is missed is not made good. Start it; its log says why it "
        "ended."
    )


def _meanwhile(seen: Seen) -> str:
    times = [head.since for head in seen.heads if head.since is not None]
    if not seen.heads:
        return "Nothing waits yet."
    since = f", the oldest since {moment_in_words(min(times))}" if times else ""
    return f"{_count(seen.webhooks, 'webhook')} and {_owed(seen)} wait{since}."


def _waits(head: Head, since: float, why: str, seen: Seen) -> str:
    waiting = f"since {moment_in_words(since)}, and nobody has got on with it"
    if not head.account:
        many = _count(seen.webhooks, "webhook")
        return f"Webhooks are not routed: {many} to go, the oldest waits {waiting}. {why}"
    return (
        f"Deliveries by the account {head.account} are due and not sent: the oldest waits "
        f"{waiting} (lane {head.lane}). {_owed(seen)} are under way in all. {why}"
    )


def _owed(seen: Seen) -> str:
    return _count(seen.deliveries, "delivery", "deliveries")


def _count(number: int, one: str, many: str = "") -> str:
    more = "more than " if number >= MOST_COUNTED else ""
    return f"{more}{number:,} {one if number == 1 else many or one + 's'}"
