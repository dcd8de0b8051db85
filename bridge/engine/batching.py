"""What a turn takes in hand at once: natural batches, digests of what is late. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from bridge.connector import Action
from bridge.ledger.claim import Batch, Claimed

# So many batches of different actions are looked through for one of them.
_MIXED = 4


@dataclass(frozen=True)
class Batching:
    """Chooses for one lane, whose `actions` go by name.

    What was planned before `late`, or waits among more than `crowd` and will be
    late, becomes a digest where the action has one.
    """

    actions: Mapping[str, Action]
    late: float
    crowd: float

    @property
    def limit(self) -> int:
        """How many to choose from: the most that one batch may hold, and some beside it."""
        batches = max((_most(action) for action in self.actions.values()), default=1)
        digests = max((self._parts(action) for action in self.actions.values()), default=1)
        return max(batches * min(len(self.actions), _MIXED), digests)

    def choose(self, ready: Sequence[Claimed]) -> Batch:
        """From the oldest on, as many as belong together."""
        oldest = ready[0]
        action = self.actions.get(oldest.action)
        if action is None:
            return Batch([oldest])
        if _is_doubtful(oldest, action):
            return Batch(list(_sent_together(oldest, ready)), looked_up=True)
        alike = list(_alike(ready, oldest, action))
        if action.digest and (action.digest.always or self._is_behind(alike)):
            parts = alike[: action.digest.most]
            return Batch(parts, sent_as=_digest_name(parts))
        return Batch(_naturally(alike, action))

    def _parts(self, action: Action) -> int:
        """How many a digest could take; where none is ever late, only what is always one."""
        if action.digest is None or not (action.digest.always or self.late > -inf):
            return 1
        return action.digest.most

    def _is_behind(self, alike: Sequence[Claimed]) -> bool:
        return len(alike) > 1 and (alike[0].planned_at <= self.late or len(alike) > self.crowd)


def _most(action: Action) -> int:
    return 2 * action.batch if action.merges else action.batch


def _is_doubtful(delivery: Claimed, action: Action) -> bool:
    """It may have been done, and twice would not be once."""
    return delivery.uncertain and not action.idempotent


def _alike(ready: Sequence[Claimed], oldest: Claimed, action: Action) -> Iterator[Claimed]:
    """What one call could do with the oldest: past others' other actions, never past a person's."""
    held: set[str] = set()
    for each in ready:
        same = each.action == oldest.action and not _is_doubtful(each, action)
        if same and each.order_key not in held:
            yield each
        elif each.order_key:
            held.add(each.order_key)


def _sent_together(oldest: Claimed, ready: Sequence[Claimed]) -> Iterator[Claimed]:
    """The parts of one digest are looked for at once."""
    yield oldest
    if oldest.sent_as:
        yield from (
            each
            for each in ready[1:]
            if each.uncertain and (each.action, each.sent_as) == (oldest.action, oldest.sent_as)
        )


def _naturally(alike: Sequence[Claimed], action: Action) -> Sequence[Claimed]:
    """As many as the action takes, and with each failure of one of them half as many.

    So one that makes every batch fail ends alone, also where the vendor makes it
    look like a trouble of the whole account. What has no room holds back
    what follows of the same person; where the action merges, only that does.
    """
    batch: list[Claimed] = []
    held: set[str] = set()
    failures = 0
    for group in _tried_together(alike) if action.merges else [[each] for each in alike]:
        person = group[0].order_key
        worst = max(failures, *(_weakness(each) for each in group))
        room = max(1, action.batch >> worst)
        if person in held or (batch and len(batch) + len(group) > room):
            held |= {person} if person else set()
            continue
        batch += group
        failures = worst
        held |= {person} if person and not action.merges else set()
    return batch


def _weakness(delivery: Claimed) -> int:
    return max(delivery.failures, (delivery.attempt - 1) // 2)


def _tried_together(alike: Sequence[Claimed]) -> Sequence[Sequence[Claimed]]:
    """What was tried of one person stays together, else each by itself, in the order of receipt.

    It may have been written as one: the older alone would then be written over it.
    """
    groups: list[list[Claimed]] = []
    tried: dict[str, list[Claimed]] = {}
    for each in alike:
        together = tried.get(each.order_key) if each.attempt > 1 else None
        if together is not None:
            together.append(each)
            continue
        groups.append([each])
        if each.order_key and each.attempt > 1:
            tried[each.order_key] = groups[-1]
    return groups


def _digest_name(parts: Sequence[Claimed]) -> str:
    """Another for each try: what is looked for must not be an earlier one's."""
    told = "\n".join(f"{part.id} {part.attempt}" for part in parts)
    return f"digest-{hashlib.sha256(told.encode()).hexdigest()[:24]}"
