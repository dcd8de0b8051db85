"""Threads for what would keep the loop: few, with a bounded queue before them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MAX_WAITING = 64


class Threads:
    """`count` of them, named for those who look at the process."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._room = threading.Semaphore(count + MAX_WAITING)

    def submit(self, work: Callable[[], None]) -> bool:
        """False if too many wait already."""
        if not self._room.acquire(blocking=False):
            return False
        self._pool.submit(work).add_done_callback(lambda _: self._room.release())
        return True
