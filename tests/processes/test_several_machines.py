"""Web, workers and clocks on two machines: a rolling restart, and the loss of one clock."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import RedisError

from bridge.ledger.database import Database
from bridge.ledger.look_up import totals
from tests.processes.bridge import Slack
from tests.processes.machines import Machine, places, relay
from tests.programs import REDIS
from tests.servers import PostgreSQL, free_port, wait_until

pytestmark = pytest.mark.xdist_group("processes")

IN_CHARGE = "the clock is in charge"


@dataclass
class House:
    """Two machines with one PostgreSQL, one Redis and one vendor."""

    machines: list[Machine]
    slack: Slack
    database: Database

    def delivered(self) -> dict[str, int]:
        with self.database.read() as connection:
            return dict(totals(connection).deliveries)


@dataclass
class Stream:
    """A sender behind a load balancer: what one machine does not take goes to the other."""

    machines: list[Machine]
    taken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def goes_on(self) -> None:
        """Until some more were taken."""
        before = len(self.taken)
        wait_until(lambda: len(self.taken) >= before + 3)

    def _send(self) -> None:
        """Each until it is taken, in their turns at the two machines."""
        for number in count():
            name = f"C{number:07}"
            for machine in cycle([*self.machines[number % 2 :], *self.machines[: number % 2]]):
                if machine.send(name) == 200:
                    self.taken.append(name)
                    break
                self._ended.wait(0.02)
            if self._ended.wait(0.1):
                return


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [str(REDIS.program()), "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        wait_until(lambda: _pings(port))
        yield port
        server.terminate()


def _pings(port: int) -> bool:
    try:
        with Redis(port=port) as redis:
            return bool(redis.ping())
    except (RedisError, OSError):
        return False


@pytest.fixture
def house(tmp_path: Path, postgresql: PostgreSQL, redis_port: int) -> Iterator[House]:
    name = f"test_{uuid4().hex}"
    url = postgresql.make_database(name)
    slack = Slack()
    with ExitStack() as stack:
        stack.enter_context(slack.server)
        vendor = urlsplit(slack.server.url).port or 0
        machines = []
        for number, place in enumerate(stack.enter_context(places(2))):
            ports = [
                stack.enter_context(relay(place.host, port))
                for port in (postgresql.port, redis_port, vendor)
            ]
            environ = {
                "DATABASE_URL": f"postgresql://postgres@{place.host}:{ports[0]}/{name}",
                "REDIS_URL": f"redis://{place.host}:{ports[1]}",
            }
            machine = Machine(
                tmp_path / f"machine-{number}", place, environ, f"http://{place.host}:{ports[2]}"
            )
            stack.callback(machine.stop_all)
            machines.append(machine)
        database = Database(url)
        stack.callback(database.close)
        yield House(machines, slack, database)


def test_a_rolling_restart_of_everything_under_way_loses_and_doubles_nothing(
    house: House,
) -> None:
    for machine in house.machines:
        machine.start("web", "worker", "clock")
    wait_until(lambda: all(machine.is_up() for machine in house.machines))
    statuses = []
    with Stream(house.machines) as stream:
        wait_until(lambda: house.delivered().get("delivered"))
        for machine in house.machines:
            for parts in (["web"], ["worker", "clock"]):
                statuses += machine.stop(*parts)
                stream.goes_on()
                machine.start(*parts)
                wait_until(machine.is_up)
                stream.goes_on()
    wait_until(lambda: house.delivered() == {"delivered": len(stream.taken)})
    assert statuses == [0] * 6
    assert house.slack.texts == dict.fromkeys(stream.taken, 1)


def test_of_two_clocks_one_works_and_the_other_takes_over_when_it_is_killed(
    house: House,
) -> None:
    first, second = house.machines
    first.start("clock")
    wait_until(lambda: first.said(IN_CHARGE))
    second.start("web", "clock")
    wait_until(lambda: second.said("the clock runs") and second.is_up())
    first.kill("clock")
    wait_until(lambda: second.said(IN_CHARGE))
    second.start("worker")
    assert second.send("C0000001") == 200
    wait_until(lambda: house.delivered() == {"delivered": 1})
