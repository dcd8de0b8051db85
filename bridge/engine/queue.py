"""The transport: turns at lanes as RQ jobs. Nothing here is worth a backup."""

from __future__ import annotations

import logging

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from bridge.errors import OperatorError
from bridge.ledger.lanes import INBOX

log = logging.getLogger(__name__)

OLDEST_REDIS = (6, 2)
INBOX_QUEUE = "showbridge-inbox"
DELIVERIES_QUEUE = "showbridge-deliveries"
# The last resort against a turn that hangs; turns end by themselves within seconds.
TURN_TIMEOUT = 600
KEEP_FAILED_JOBS = 86400


class LaneQueue:
    """Two RQ queues: routing goes before delivering, since it makes the work visible."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.inbox = _queue(INBOX_QUEUE, redis)
        self.deliveries = _queue(DELIVERIES_QUEUE, redis)

    def put(self, lane: str, job: str) -> bool:
        """Queue a turn; False where Redis is away, which the clock makes good."""
        queue = self.inbox if lane == INBOX else self.deliveries
        try:
            queue.enqueue_call(
                "bridge.engine.turns.take_turn",
                args=(lane,),
                job_id=job,
                timeout=TURN_TIMEOUT,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_JOBS,
                description=f"turn at {lane}",
            )
        except (RedisError, OSError) as error:
            log.warning("redis is away, the clock will wake lane %s: %s", lane, error)
            return False
        return True

    def holds(self) -> set[str]:
        """The jobs that wait in the queues; raises RedisError."""
        return {*self.inbox.get_job_ids(), *self.deliveries.get_job_ids()}

    def workers(self) -> int:
        """How many workers are there; raises RedisError."""
        return int(Worker.count(connection=self.redis))


def _queue(name: str, redis: Redis) -> Queue:
    # A job is one text. Pickle, RQ's default, would run whatever stands in Redis.
    return Queue(name, connection=redis, serializer=JSONSerializer)


def connect(url: str, *, timeout: float = 2.0) -> Redis:
    """A client; connects at the first command. `timeout` in seconds bounds each answer."""
    return Redis.from_url(url, socket_connect_timeout=timeout, socket_timeout=timeout)


def trouble_with(redis: Redis) -> str:
    """Why it does not answer, empty where it does; raises OperatorError where it is too old."""
    try:
        version = str(redis.info("server")["redis_version"])
    except (RedisError, OSError) as error:
        if "unknown command" in str(error).lower():
            # Before 6.0 Redis does not know how our client greets it.
            raise OperatorError("Redis is too old; 6.2 or later is needed") from error
        return str(error).rstrip(".") or type(error).__name__
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_REDIS:
        raise OperatorError(f"Redis {version} is too old; 6.2 or later is needed")
    return ""
