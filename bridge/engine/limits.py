"""The vendors' limits, kept over all workers and machines: a call waits for its turn in Redis.

Redis knows only times that pass: wiped, it starts as if the burst had just been
used; away, each process goes on at a small share of the pace.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from bridge.connector import Connector, NotNow, Rate, Seen
from bridge.engine.lane_names import short
from bridge.engine.limit_scripts import ENTER, LEAVE_ONLY, TAKE
from bridge.engine.pace import LONG_WINDOW, Alone, Bucket, bucket

log = logging.getLogger(__name__)

# A turn that would wait longer is worth more elsewhere.
LONGEST_WAIT = 5.0
SLOT_PAUSE = 0.02
AWAY_SECONDS = 1.0


class Limits:
    """All accounts' limits, as one process sees them. Safe to share between threads."""

    def __init__(
        self,
        redis: Redis,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.monotonic = monotonic
        self.sleep = sleep
        self.take = redis.register_script(TAKE)
        self.leave_only = redis.register_script(LEAVE_ONLY)
        self.enter = redis.register_script(ENTER)
        self.redis = redis
        self._away_until = 0.0

    def pacer(self, account: str, kind: type[Connector], timeout: float) -> AccountPacer:
        """`timeout` in seconds: the longest that one call takes."""
        return AccountPacer(self, account, kind.rates, kind.concurrency, timeout)

    def is_away(self) -> bool:
        return self.monotonic() < self._away_until

    def note_away(self, error: Exception) -> None:
        if not self.is_away():
            log.warning("redis is away, calls are paced by each process alone: %s", error)
        self._away_until = self.monotonic() + AWAY_SECONDS


class AccountPacer:
    """Lets one account's calls through; a Pacer of the connector contract."""

    def __init__(
        self,
        limits: Limits,
        account: str,
        rates: Sequence[Rate],
        concurrency: int | None,
        timeout: float,
    ) -> None:
        self._limits = limits
        self._account = account
        self._rates = list(rates)
        self._published = {rate.seconds: rate for rate in rates if _is_of_all(rate)}
        self._concurrency = concurrency
        self._slot_seconds = LONGEST_WAIT + timeout + 5.0
        self._alone = Alone(limits.monotonic)
        self._hold: Callable[[], None] = _free

    @contextmanager
    def held_by(self, hold: Callable[[], None]) -> Iterator[None]:
        """Inside, `hold` is asked before each call: whoever lost its lane makes none any more."""
        self._hold = hold
        try:
            yield
        finally:
            self._hold = _free

    @contextmanager
    def call(self, lane: str = "") -> Iterator[None]:
        """Around one HTTP request; raises NotNow where it would have to wait too long."""
        slot = self._enter()
        try:
            granted, wait = self._ask(lane, LONGEST_WAIT)
            if not granted:
                raise NotNow(wait)
            if wait > 0:
                self._limits.sleep(min(wait, LONGEST_WAIT))
            self._hold()
            yield
        finally:
            self._leave(slot)

    def wait(self, lane: str = "") -> float:
        """How many seconds a call would wait now; takes nothing."""
        return self._ask(lane, -1.0)[1]

    def learn(self, seen: Sequence[Seen]) -> None:
        """Go by what the vendor says of its limits rather than by what is published."""
        for one in seen:
            published = self._published.get(one.seconds)
            if published is None or not _is_plausible(one, published):
                continue
            known = Rate(one.calls, one.seconds)
            others = [e for e in self._rates if not _is_of_all(e) or e.seconds != one.seconds]
            self._rates = [*others, known]
            if one.left is not None:
                self._note_left(known, one.left)

    def _note_left(self, rate: Rate, left: int) -> None:
        """Where others use the account too, less is left than we took."""
        paced = bucket(self._key(rate, ""), rate)
        if rate.seconds < LONG_WINDOW:
            # Ours alone never use the last call of a short window.
            ahead = 0 if left else paced.tolerance + int(rate.seconds * 100_000)
        else:
            ahead = max(0, paced.tolerance + paced.interval - left * paced.interval)
        if not ahead or self._limits.is_away():
            return
        try:
            self._limits.leave_only(keys=[paced.key], args=[ahead])
        except (RedisError, OSError) as error:
            self._limits.note_away(error)

    def _ask(self, lane: str, longest: float) -> tuple[bool, float]:
        """Whether the call may go, and after how many seconds."""
        buckets = [
            bucket(self._key(rate, lane), rate) for rate in self._rates if _counts(rate, lane)
        ]
        if not buckets:
            return True, 0.0
        if not self._limits.is_away():
            try:
                return self._ask_redis(buckets, longest)
            except (RedisError, OSError) as error:
                self._limits.note_away(error)
        return self._alone.take(buckets, longest)

    def _ask_redis(self, buckets: Sequence[Bucket], longest: float) -> tuple[bool, float]:
        numbers = [n for one in buckets for n in (one.interval, one.tolerance, one.fresh)]
        granted, wait = self._limits.take(
            keys=[one.key for one in buckets], args=[*numbers, int(longest * 1_000_000)]
        )
        return granted == 1, int(wait) / 1_000_000

    def _key(self, rate: Rate, lane: str) -> str:
        of_lane = "" if _is_of_all(rate) else f":{short(lane)}"
        return f"showbridge:limit:{self._account}:{rate.seconds:g}{of_lane}"

    def _enter(self) -> str:
        """A slot among the account's simultaneous calls; empty where nobody counts them."""
        if self._concurrency is None:
            return ""
        slot = uuid4().hex
        deadline = self._limits.monotonic() + LONGEST_WAIT
        while not self._has_entered(slot, self._concurrency):
            if self._limits.monotonic() >= deadline:
                raise NotNow(LONGEST_WAIT)
            self._limits.sleep(SLOT_PAUSE)
        return slot

    def _has_entered(self, slot: str, most: int) -> bool:
        if self._limits.is_away():
            return self._alone.enter(slot)
        try:
            args: list[str | float] = [slot, most, self._slot_seconds]
            return bool(self._limits.enter(keys=[self._slots], args=args) == 1)
        except (RedisError, OSError) as error:
            self._limits.note_away(error)
            return self._alone.enter(slot)

    def _leave(self, slot: str) -> None:
        if not slot or self._alone.leave(slot) or self._limits.is_away():
            return
        try:
            self._limits.redis.zrem(self._slots, slot)
        except (RedisError, OSError) as error:
            self._limits.note_away(error)  # the slot lapses by itself

    @property
    def _slots(self) -> str:
        return f"showbridge:calls:{self._account}"


def _free() -> None:
    """Nobody has to hold anything."""


def _is_plausible(seen: Seen, published: Rate) -> bool:
    """Whatever stands between us and the vendor may write odd headers."""
    return published.calls <= 10 * seen.calls and seen.calls <= 100 * published.calls


def _is_of_all(rate: Rate) -> bool:
    return not (rate.per_lane or rate.lane)


def _counts(rate: Rate, lane: str) -> bool:
    return lane == rate.lane if rate.lane else bool(lane) or not rate.per_lane
