"""The sets in which RQ's workers say that they are there; what is not a worker's is taken out.

RQ's own cleaning reads every member as text, so that one that is none would end each
worker whenever it starts. Here members stay bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from redis import Redis
from rq import Queue
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

# As RQ names a worker that is given no name: a UUID's hexadecimal digits.
_OURS = re.compile(rb"rq:worker:[0-9a-f]{32}")
_AT_A_TIME = 500
_MAX_PORTIONS = 200
"""Of a set that holds more than 100,000, the rest is left to the next cleaning."""


def clean(redis: Redis, queues: Sequence[Queue], tell: Callable[[str], None]) -> None:
    """Take workers out that are gone, and what is no worker's, of which `tell` gets the key.

    Raises RedisError.
    """
    for key in (REDIS_WORKER_KEYS, *(WORKERS_BY_QUEUE_KEY % each.name for each in queues)):
        for members in _portions(redis, key):
            foreign = [each for each in members if not _OURS.fullmatch(each)]
            gone = foreign + _gone(redis, [each for each in members if _OURS.fullmatch(each)])
            if gone:
                redis.srem(key, *gone)
            for _ in foreign:
                tell(key)


def alive(redis: Redis) -> int:
    """How many are heard of: those whose keys have not expired. Raises RedisError."""
    count = 0
    for members in _portions(redis, REDIS_WORKER_KEYS):
        ours = [each for each in members if _OURS.fullmatch(each)]
        count += len(ours) - len(_gone(redis, ours))
    return count


def _portions(redis: Redis, key: str) -> Iterator[list[bytes]]:
    cursor = 0
    for _ in range(_MAX_PORTIONS):
        cursor, members = redis.sscan(key, cursor, count=_AT_A_TIME)
        yield [each if isinstance(each, bytes) else each.encode() for each in members]
        if cursor == 0:
            return


def _gone(redis: Redis, names: Sequence[bytes]) -> list[bytes]:
    if not names:
        return []
    with redis.pipeline(transaction=False) as together:
        for name in names:
            together.exists(name)
        answers = together.execute()
    return [name for name, there in zip(names, answers, strict=True) if not there]
