"""What a worker believes of a job in Redis: that it names a lane, and nothing else.

RQ's own `Job` imports whatever function, callback or class a job names, with
every serializer, so that anybody who may write to Redis runs code in a worker.
Here a job is read and taken out of Redis in one step, and of all its fields one
is looked at.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.job import Job

# The one function; only the workers of one version and the next agree on its name.
TAKE_TURN = "bridge.engine.turns.take_turn"
# Bytes of a job's data, inflated or not; a lane's name is far shorter.
MAX_DATA = 8_192
MAX_LANE = 500
MAX_ID = 100

UNREADABLE = "it cannot be read"
OTHER_FUNCTION = "it names another function"
NO_LANE = "it names no lane"


class TurnJob(Job):
    """`lane` is None if the job is gone, or none of ours; `fault` says why it is none."""

    lane: str | None = None
    fault: str = ""

    @classmethod
    def taken(cls, name: bytes, redis: Redis) -> TurnJob:
        """The job of that name, out of Redis for good; raises RedisError but for its content."""
        job = cls(connection=redis)
        try:
            data = _data_taken(redis, name)
            job.lane = None if data is None else lane_in(data)
        except ForeignJob as fault:
            job.fault = str(fault)
        return job


class ForeignJob(Exception):
    """A job that Showbridge has not made; says why in words that hold nothing of it."""


class TurnQueue(Queue):
    """A queue whose jobs are taken as `TurnJob`s."""

    @classmethod
    def dequeue_any(
        cls,
        queues: Iterable[Queue],
        timeout: int | None,
        connection: Redis,
        *_: Any,
        **__: Any,
    ) -> tuple[Job, Queue] | None:
        """Raises DequeueTimeout if none came within so many seconds."""
        by_key = {queue.key: queue for queue in queues}
        popped = cls.lpop(list(by_key), timeout, connection=connection)
        if popped is None:
            raise DequeueTimeout(timeout, list(by_key))
        key, name = popped
        return TurnJob.taken(name, connection), by_key[key.decode()]


def lane_in(data: bytes) -> str:
    """The lane that a job's data name; raises ForeignJob."""
    try:
        function, instance, arguments, named = json.loads(_inflated(data))
    except (ValueError, TypeError, RecursionError):
        raise ForeignJob(UNREADABLE) from None
    if function != TAKE_TURN or instance is not None:
        raise ForeignJob(OTHER_FUNCTION)
    if named or not isinstance(arguments, list) or len(arguments) != 1:
        raise ForeignJob(NO_LANE)
    if not is_lane(arguments[0]):
        raise ForeignJob(NO_LANE)
    return str(arguments[0])


def is_lane(name: object) -> bool:
    """Whether the ledger could hold a lane of that name; `bridge.engine.lane_names` makes them."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_LANE:
        return False
    # Neither fits into a text of PostgreSQL's.
    return "\x00" not in name and not any("\ud800" <= each <= "\udfff" for each in name)


def _data_taken(redis: Redis, name: bytes) -> bytes | None:
    """The data of a job that is deleted by this; None if it was gone already."""
    if len(name) > MAX_ID:
        raise ForeignJob(UNREADABLE)
    key = Job.redis_job_namespace_prefix.encode() + name
    try:
        size = redis.hstrlen(key, "data")
    except ResponseError:
        redis.unlink(key)
        raise ForeignJob(UNREADABLE) from None
    with redis.pipeline() as together:
        if 0 < size <= MAX_DATA:
            together.hget(key, "data")
        together.unlink(key)
        *data, deleted = together.execute()
    if data and isinstance(data[0], bytes):
        return data[0]
    if deleted:
        raise ForeignJob(UNREADABLE)
    return None


def _inflated(data: bytes) -> bytes:
    """RQ compresses; jobs of tools that do not are read as they are. Raises ForeignJob."""
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(data, MAX_DATA)
    except zlib.error:
        return data
    if inflating.unconsumed_tail or not inflating.eof:
        raise ForeignJob(UNREADABLE)
    return inflated
