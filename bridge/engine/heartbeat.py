"""Workers say in Redis, every few seconds, that they are there; who is not heard of is not there.

The keys are RQ's own: a set of names, and a key for each name that expires. RQ renews a key for
as long as a job may take, so that a killed worker would count for ten minutes, and puts a name
into the set once, so that a living one would be gone for good after FLUSHALL:
https://github.com/rq/rq/issues/713, https://github.com/rq/rq/issues/944.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError
from rq.utils import now as utc_now
from rq.utils import utcformat
from rq.worker_registration import REDIS_WORKER_KEYS

from bridge.logs import place_of

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# Three beats may be lost. What is older is no worker that could take a turn.
ALIVE_SECONDS = 20


class Heartbeat:
    """Beats from a thread of its own: a turn may take minutes. Stopped with its whole process.

    `connect` makes a client that nobody else waits at.
    """

    def __init__(self, key: str, connect: Callable[[], Redis]) -> None:
        self._key = key
        self._connect = connect
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Once the worker is registered; again is nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_beating, name="beat", daemon=True)
            self._thread.start()

    def end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_beating(self) -> None:
        with self._connect() as redis:
            while not self._ended.wait(BEAT_SECONDS):
                try:
                    beat(redis, self._key)
                except (RedisError, OSError):
                    # Told by the worker itself, and by who counts it.
                    continue
                except Exception as error:  # noqa: BLE001  # the thread is there for good
                    log.error("a heartbeat failed: %s", place_of(error))


def beat(redis: Redis, key: str) -> None:
    """Raises RedisError."""
    with redis.pipeline() as together:
        together.sadd(REDIS_WORKER_KEYS, key)
        together.hset(key, "last_heartbeat", utcformat(utc_now()))
        together.expire(key, ALIVE_SECONDS)
        together.execute()
