"""The transport: turns at lanes as RQ jobs. Nothing here is worth a backup."""

from __future__ import annotations

import logging

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from bridge.engine import worker_names
from bridge.engine.jobs import TAKE_TURN, TurnQueue
from bridge.engine.own_redis import is_own, own_client
from bridge.engine.redis_words import in_its_words
from bridge.errors import OperatorError
from bridge.ledger.lanes import INBOX
from bridge.logs import OnChange

log = logging.getLogger(__name__)

OLDEST_REDIS = (6, 2)
INBOX_QUEUE = "showbridge-inbox"
DELIVERIES_QUEUE = "showbridge-deliveries"
# The last resort against a turn that hangs; turns end by themselves within seconds.
TURN_TIMEOUT = 600
# A lane has one job at most; what stands behind so many is not looked at.
MAX_HELD = 100_000
# Written and never read: only a write shows that the next job can be written.
PROBE = "showbridge:probe"
PROBE_SECONDS = 60


class LaneQueue:
    """Two RQ queues: routing goes before delivering, since it makes the work visible."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.inbox = _queue(INBOX_QUEUE, redis)
        self.deliveries = _queue(DELIVERIES_QUEUE, redis)
        self._said = OnChange(log)

    def put(self, lane: str, job: str) -> bool:
        """Queue a turn; False where Redis is away, which the clock makes good."""
        queue = self.inbox if lane == INBOX else self.deliveries
        try:
            queue.enqueue_call(
                TAKE_TURN,
                args=(lane,),
                job_id=job,
                timeout=TURN_TIMEOUT,
                result_ttl=0,
                description=f"turn at {lane}",
            )
        except (RedisError, OSError) as error:
            self._said.trouble("redis takes no jobs, the clock will wake their lanes: %s", error)
            return False
        self._said.over("redis takes jobs again")
        return True

    def trouble(self) -> str:
        """Why no job could be put now, in Redis's own words; empty if one could."""
        try:
            self.redis.set(PROBE, "1", ex=PROBE_SECONDS)
        except (RedisError, OSError) as error:
            return in_its_words(error)
        return ""

    def holds(self) -> set[str]:
        """The jobs that wait in the queues; raises RedisError."""
        waiting = [self.redis.lrange(each.key, 0, MAX_HELD - 1) for each in self._queues]
        return {_text(name) for names in waiting for name in names}

    def workers(self) -> int:
        """How many workers are heard of; raises RedisError."""
        return worker_names.alive(self.redis)

    def mend(self) -> list[str]:
        """Delete keys of ours that hold something else; their names. Raises RedisError.

        Nothing could be queued or taken any more, and nothing else would take them away.
        """
        kinds = {
            Queue.redis_queues_keys: "set",
            REDIS_WORKER_KEYS: "set",
            **{each.key: "list" for each in self._queues},
            **{WORKERS_BY_QUEUE_KEY % each.name: "set" for each in self._queues},
        }
        with self.redis.pipeline(transaction=False) as together:
            for key in kinds:
                together.type(key)
            found = [kind.decode() for kind in together.execute()]
        named = zip(kinds.items(), found, strict=True)
        broken = [key for (key, kind), holds in named if holds not in (kind, "none")]
        if broken:
            self.redis.unlink(*broken)
        return broken

    @property
    def _queues(self) -> tuple[Queue, Queue]:
        return self.inbox, self.deliveries


def _queue(name: str, redis: Redis) -> Queue:
    # Nothing that stands in Redis is unpickled, RQ's default; what is read is in `jobs`.
    return TurnQueue(name, connection=redis, serializer=JSONSerializer)


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")


def connect(url: str, *, timeout: float = 2.0) -> Redis:
    """A client; connects at the first command. `timeout` in seconds bounds each answer."""
    if is_own(url):
        return own_client(url, timeout)
    return Redis.from_url(url, socket_connect_timeout=timeout, socket_timeout=timeout)


def is_refusal(trouble: str) -> bool:
    """Whether it is there and does not take the user or password: it tells so in words of its own.

    https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """
    return any(words in trouble.lower() for words in _REFUSALS)


_REFUSALS = (
    *("authentication required", "wrongpass", "invalid username-password", "noauth", "noperm"),
    # How it greets a client that gives no password.
    "already authenticated",
)


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
