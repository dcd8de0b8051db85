"""`check --online`: whether PostgreSQL and Redis are there, and take what the variables say."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from bridge.cli.survey import Survey
from bridge.config import Config
from bridge.connector import Checked, with_port
from bridge.engine.queue import connect, is_refusal, trouble_with
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.ledger.database import Database, is_login_refused

_PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379}
_PROBE = "showbridge:probe"


def servers_asked(config: Config) -> Iterator[Survey]:
    """None for a ledger in a file, and for a Redis of our own."""
    if config.database_url.startswith("postgresql"):
        yield Survey("DATABASE_URL", preview=False, found=[_postgresql(config.database_url)])
    if config.redis_url:
        yield Survey("REDIS_URL", preview=False, found=[_redis(config.redis_url)])


def _postgresql(url: str) -> Checked:
    what = f"PostgreSQL at {_place(url)}"
    database = Database(url)
    try:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
    except LedgerUnavailable as failure:
        return Checked(what, "wrong", _advice("DATABASE_URL", failure, is_login_refused(failure)))
    finally:
        database.close()
    return Checked(what, "right")


def _redis(url: str) -> Checked:
    what = f"Redis at {_place(url)}"
    redis = connect(url)
    try:
        if trouble := trouble_with(redis):
            return Checked(what, "wrong", _advice("REDIS_URL", trouble, is_refusal(trouble)))
        return _written(redis, what)
    except OperatorError as old:
        return Checked(what, "wrong", str(old))


def _written(redis: Redis, what: str) -> Checked:
    """It is judged by what is asked of it later: to keep something."""
    try:
        redis.set(_PROBE, "1", ex=1)
    except RedisError as error:
        return Checked(what, "wrong", f"it answers, and keeps nothing: {error}")
    return Checked(what, "right")


def _advice(variable: str, failure: object, refused: bool) -> str:
    if refused:
        return f"it is there and refuses the user or password of {variable}: {failure}"
    return f"nothing answers there as {variable} says: {failure}; is it running, and reachable?"


def _place(url: str) -> str:
    """Without user and password."""
    parts = urlsplit(url)
    if not parts.hostname:
        return parts.path
    port = parts.port or _PORTS[parts.scheme.partition("+")[0]]
    return with_port(parts.hostname, port)
