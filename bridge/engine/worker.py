"""A worker process: RQ's non-forking worker, taught to outlive Redis and to stop between rounds.

Whoever may write to Redis can make it take a turn at a lane, which does no harm,
and nothing else: see `bridge.engine.jobs`. What RQ's workers do besides is left
out, since each of it is a way for Redis to choose code or to hold the worker:
callbacks, retries, dependents, results, webhooks, the registries of jobs that
failed, the channel of commands (stop, kill), and suspension.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import now as utc_now
from rq.worker import WorkerStatus
from rq.worker_registration import unregister

from bridge.engine import worker_names
from bridge.engine.foreign import Foreign
from bridge.engine.heartbeat import ALIVE_SECONDS, Heartbeat
from bridge.engine.jobs import TurnJob, TurnQueue
from bridge.engine.queue import TURN_TIMEOUT, LaneQueue
from bridge.engine.turns import Turns, install, take_turn
from bridge.logs import OnChange, place_of

log = logging.getLogger(__name__)

# RQ's heartbeat and the longest that a dead connection goes unnoticed, in seconds.
WORKER_TTL = 45
RECONNECT_SECONDS = 1.0
# The longest that a worker rests which has fallen again and again; see `_pause`.
LONGEST_REST = 60.0


def work(turns: Turns, connect: Callable[[], Redis]) -> None:
    """Take turns until the process is told to stop (SIGTERM, SIGINT); the main thread only."""
    install(turns)
    foreign = Foreign(turns.database, turns.now)
    stop = threading.Event()
    turns.stop = stop.is_set
    log.info("the worker waits for turns")
    falls, said = 0, OnChange(log)
    while not stop.is_set():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        falls = _work_once(connect, foreign, stop, said, falls)
        # RQ gives up when Redis breaks off in the middle of a job; the next one starts afresh.
        stop.wait(_pause(falls))


def _pause(falls: int) -> float:
    """Doubled with each fall in a row: what made the worker fall may be there at once again."""
    return float(min(RECONNECT_SECONDS * 2 ** min(falls, 10), LONGEST_REST))


def _work_once(
    connect: Callable[[], Redis],
    foreign: Foreign,
    stop: threading.Event,
    said: OnChange,
    falls: int = 0,
) -> int:
    """How often in a row, this time included, work ended by what nobody expects."""
    redis = connect()
    queue = LaneQueue(redis)
    has_worked, fall = False, None
    try:
        worker = _TurnWorker(
            [queue.inbox, queue.deliveries],
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
        )
        worker.foreign, worker.stop, worker.said = foreign, stop, said
        worker.connect, worker.beats = connect, Heartbeat(worker.key, connect)
        try:
            has_worked = worker.work(logging_level="WARNING")
        finally:
            worker.beats.end()
        fall = worker.fall
    except (RedisError, OSError) as error:
        said.trouble("redis is away, or takes no writes: %s", error)
    except Exception as error:  # noqa: BLE001  # a worker that ends is no help to anybody
        fall = error
    if fall is None:
        return 0
    falls = 1 if has_worked else falls + 1
    log.error("a worker fell and starts again in %.0f s: %s", _pause(falls), place_of(fall))
    return falls


class _TurnWorker(SimpleWorker):
    queue_class = TurnQueue
    job_class = TurnJob
    # Redis is back within a second or two; RQ would wait up to a minute to look again.
    exponential_backoff_factor = 1
    log_job_description = False
    foreign: Foreign
    stop: threading.Event
    said: OnChange
    connect: Callable[[], Redis]
    beats: Heartbeat
    fall: Exception | None = None
    _waits = False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        self._waits = True
        try:
            with self._falling():
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._waits = False

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ's own, at each job and every half minute; in between, and during turns, ours."""
        with self._falling():
            self.foreign.tell()
            super().heartbeat(ALIVE_SECONDS, pipeline)
        self.said.over("redis takes writes again")
        self.beats.start()

    def register_death(self) -> None:
        """By a client of its own: the one that waits for jobs would wait 40 seconds for an answer.

        A worker that is told to stop must not be killed because Redis hangs.
        """
        with self.connect() as redis, redis.pipeline() as together:
            unregister(self, together)
            together.delete(self.key)
            together.execute()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """A turn at the lane that the job names; its time is ours to say, not the job's."""
        with self._falling():
            if isinstance(job, TurnJob) and job.fault:
                self.foreign.job(queue.name, job.fault)
            elif isinstance(job, TurnJob) and job.lane is not None:
                self.set_state(WorkerStatus.BUSY)
                self.heartbeat()
                self._take_turn(job.lane)
                self.set_state(WorkerStatus.IDLE)

    def _take_turn(self, lane: str) -> None:
        try:
            with self.death_penalty_class(TURN_TIMEOUT, JobTimeoutException):
                take_turn(lane)
        except JobTimeoutException:
            log.error("a turn took longer than %d seconds and was cut off", TURN_TIMEOUT)

    def run_maintenance_tasks(self) -> None:
        """RQ's own would run the callbacks that it finds in its registries of jobs."""
        with self._falling():
            worker_names.clean(self.connection, self.queues, self.foreign.member)
        self.last_cleaned_at = utc_now()  # type: ignore[assignment]  # rq declares None alone

    @contextmanager
    def _falling(self) -> Iterator[None]:
        """RQ ends its work at any error, and does not say at which."""
        try:
            yield
        except (RedisError, OSError, StopRequested):
            raise
        except Exception as error:
            self.fall = error
            raise

    def check_for_suspension(self, burst: bool) -> None:
        """One key in Redis would stop all workers for good."""

    def subscribe(self) -> None:
        """RQ's channel of commands ends workers."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Runs as the signal's handler; asks nothing of Redis, which may be away.

        A turn sees `stop` and ends after its round; who waits for a job is interrupted.
        """
        self.stop.set()
        self._stop_requested = True
        if self._waits:
            raise StopRequested
