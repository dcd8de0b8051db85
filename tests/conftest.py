"""Real parts for every test that needs them: a Redis, SQLite and PostgreSQL ledgers, a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
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


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "run modules, and the tests of each, in the order that this number makes"
    parser.addoption("--shuffle", type=int, metavar="SEED", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A module stays together, so that what its tests share is made once."""
    seed = config.getoption("--shuffle")
    if seed is None:
        return
    order = Random(seed)
    modules: dict[Path, float] = {}
    places = {
        item: (modules.setdefault(item.path, order.random()), order.random()) for item in items
    }
    items.sort(key=places.__getitem__)


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
