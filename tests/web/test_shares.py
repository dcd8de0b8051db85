"""New connections go to the web process that has the fewest."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bridge.web.shares import MARGIN, Shares
from tests.servers import stop, wait_until
from tests.web.test_hostile_connections import Web, exchange, request, running

CONNECTIONS = 40


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[Web]:
    with running(tmp_path, redis_url, "web_workers: 2") as started:
        wait_until(lambda: len(workers(started)) == 2)
        yield started


def workers(web: Web) -> list[int]:
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text()
    return [int(number) for number in children.split()]


def sockets(process: int) -> int:
    found = 0
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += os.readlink(each).startswith("socket:")
    return found


@pytest.mark.xdist_group("processes")
class TestProcesses:
    def test_share_connections_that_stay_open(self, web: Web) -> None:
        before = {number: sockets(number) for number in workers(web)}
        with ExitStack() as opened:
            for _ in range(CONNECTIONS):
                assert exchange(opened.enter_context(web.connect()), request(close=False)) == 200
            taken = sorted(sockets(number) - count for number, count in before.items())
        # Each has some more of its own by then: what it opens for its first webhook.
        assert sum(taken) >= CONNECTIONS
        assert taken[0] >= CONNECTIONS // 2 - 2 * MARGIN, taken

    def test_take_what_a_stopped_one_does_not_take(self, web: Web) -> None:
        stopped, _ = workers(web)
        # Not while it writes: everybody would wait for it then.
        with web.database.write():
            stop(stopped)
        try:
            with ExitStack() as opened:
                for _ in range(CONNECTIONS):
                    connection = opened.enter_context(web.connect())
                    assert exchange(connection, request(close=False)) == 200
        finally:
            os.kill(stopped, signal.SIGCONT)

    def test_wait_for_none_that_was_killed(self, web: Web) -> None:
        killed, left = workers(web)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(workers(web)) == 2 and killed not in workers(web))
        with ExitStack() as opened:
            for _ in range(CONNECTIONS):
                assert exchange(opened.enter_context(web.connect()), request(close=False)) == 200
            assert sockets(left) > MARGIN


def test_who_has_far_more_than_another_has_too_many() -> None:
    shares = Shares()
    shares.tell(1, 10)
    shares.tell(2, 3)
    assert shares.has_too_many(1, 3 + MARGIN + 1)
    assert not shares.has_too_many(1, 3 + MARGIN)
    assert not shares.has_too_many(2, 3)


def test_nobody_waits_for_one_that_is_alone_or_has_left() -> None:
    shares = Shares()
    shares.tell(1, 100)
    assert not shares.has_too_many(1, 100)
    shares.tell(2, 0)
    assert shares.has_too_many(1, 100)
    shares.leave(2)
    assert not shares.has_too_many(1, 100)


def test_what_another_process_tells_is_seen() -> None:
    shares = Shares()
    child = os.fork()
    if child == 0:
        shares.tell(2, 0)
        os._exit(0)
    os.waitpid(child, 0)
    assert shares.has_too_many(1, MARGIN + 1)
