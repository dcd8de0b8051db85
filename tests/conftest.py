"""Real parts for every test that needs them: a Redis, SQLite and PostgreSQL ledgers, a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis

from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from tests.servers import PostgreSQL, running_redis

# How fast a machine is says nothing of what it tests.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@dataclass
class Now:
    """A clock that stands still until it is moved; Unix seconds."""

    at: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # Short: a Unix socket's path may have about 100 characters.
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    server.start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database; each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.make_database(f"test_{uuid4().hex}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A ledger with its tables, whose times are the test's."""
    ledger = Database(database_url, keeps_time=False)
    migrate(ledger)
    yield ledger
    ledger.close()
