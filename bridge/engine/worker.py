"""A worker process: RQ's non-forking worker, taught to outlive Redis and to stop between rounds."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from bridge.engine.queue import LaneQueue
from bridge.engine.turns import Turns, install

log = logging.getLogger(__name__)

# RQ's heartbeat and the longest that a dead connection goes unnoticed, in seconds.
WORKER_TTL = 45
RECONNECT_SECONDS = 1.0


def work(turns: Turns, connect: Callable[[], Redis]) -> None:
    """Take turns until the process is told to stop (SIGTERM, SIGINT); the main thread only."""
    install(turns)
    stop = threading.Event()
    turns.stop = stop.is_set
    log.info("the worker waits for turns")
    while not stop.is_set():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        _work_once(connect(), stop)
        # RQ gives up when Redis breaks off in the middle of a job; the next one starts afresh.
        stop.wait(RECONNECT_SECONDS)


def _work_once(redis: Redis, stop: threading.Event) -> None:
    queue = LaneQueue(redis)
    try:
        worker = _TurnWorker(
            [queue.inbox, queue.deliveries],
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
        )
        worker.stop = stop
        worker.work(logging_level="WARNING")
    except (RedisError, OSError) as error:
        log.warning("redis is away: %s", error)


class _TurnWorker(SimpleWorker):
    # Redis is back within a second or two; RQ would wait up to a minute to look again.
    exponential_backoff_factor = 1
    log_job_description = False
    stop: threading.Event
    _waits = False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        self._waits = True
        try:
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._waits = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Runs as the signal's handler; asks nothing of Redis, which may be away.

        A turn sees `stop` and ends after its round; who waits for a job is interrupted.
        """
        self.stop.set()
        self._stop_requested = True
        if self._waits:
            raise StopRequested
